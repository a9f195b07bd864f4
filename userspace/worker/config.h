/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * config.h - what `ovid run` hands to a worker, and what the worker says back:
 * messages on a SOCK_SEQPACKET pair between two runs of the same program.
 */
#ifndef OVID_CONFIG_H
#define OVID_CONFIG_H

#include "../lib/hv.h"
#include "../lib/types.h"
#include "disk.h"
#include "load.h"
#include "net.h"
#include "vmbus.h"

#define WORKER_NAME	"ovid-worker"	/* argv[0] that selects the role */
#define WORKER_CHANNEL	3		/* the channel's file in the worker */
#define WORKER_MAX_VPS	1024

#define WORKER_NO_REBOOT	(1u << 0)
#define WORKER_DEBUG_EXIT	(1u << 1)
#define WORKER_DETACHED		(1u << 2)	/* lives on without the channel */
#define WORKER_NO_SANDBOX	(1u << 3)
#define WORKER_X2APIC		(1u << 4)
#define WORKER_TEST_DEVICE	(1u << 5)

/* files that come with the configuration, in this order; bits of @files */
enum worker_file {
	FILE_DEVICE,		/* /dev/ovid */
	FILE_KERNEL,
	FILE_SERIAL_IN,
	FILE_SERIAL_OUT,
	FILE_SERIAL_LISTEN,	/* --serial unix: */
	FILE_CONTROL,		/* the control socket, listening */
	FILE_END,		/* how it ended, for `ovid wait` afterwards */
	FILE_VSOCK_DIR,		/* --vsock DIR, */
	FILE_VSOCK_LISTEN,	/* and DIR/vsock */
	FILE_VSOCK_DEVICE,	/* --vsock-cid: /dev/ovid-vsock */
	FILE_MODULES,		/* as many as @nr_modules */
};

/* those of disks come behind, as many as @disks.nr, of their parents, and of network cards; no more than so many in one message */
#define WORKER_FILES_AT_ONCE	128u

struct worker_config {
	u32 size;
	u32 flags;
	u64 memory;
	u32 vps;
	u32 files;		/* BIT(FILE_*) */
	u32 nr_modules;
	struct disks disks;	/* files are filled in by the worker */
	struct nets nets;	/* the same */
	struct hv_choice hv;
	struct vmbus_choice vmbus;
	u32 vsock_cid;		/* 0: none */
	u32 owner;		/* uid that may control it, besides root */
	u32 run_uid, run_gid;	/* to become, when started as root */
	char name[32];
	char kernel_name[LOAD_MAX_NAME];
	char module_name[LOAD_MAX_MODULES][LOAD_MAX_NAME];
	char cmdline[LOAD_MAX_CMDLINE];
};

#define WORKER_MAX_FILES	(FILE_MODULES + LOAD_MAX_MODULES)

enum worker_says {
	WORKER_STARTED,		/* VPs run; with the channels' files of cards that want an interface */
	WORKER_ENDED,		/* @status and perhaps @text; then it exits */
	WORKER_NOTE,		/* @text is for who watches */
};

/* The launcher says one thing only, by any message: stop. */
struct worker_message {
	u32 says;
	int32_t status;		/* OVID_X_*, or the guest's debug-exit */
	char text[256];
};

#endif
