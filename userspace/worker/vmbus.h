/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmbus.h - the partition's VMBus, and what is offered on it.
 */
#ifndef OVID_WORKER_VMBUS_H
#define OVID_WORKER_VMBUS_H

#include "../lib/fail.h"
#include "../lib/types.h"
#include "disk.h"
#include "net.h"

#define VMBUS_OFF	0xffffffffu	/* in place of a version: no bus */

enum vmbus_device {
	VMBUS_HEARTBEAT,
	VMBUS_SHUTDOWN,
	VMBUS_TIMESYNC,
	VMBUS_KVP,
	VMBUS_VSS,
	VMBUS_FCOPY,
	VMBUS_DEVICES,
};

/**
 * struct vmbus_choice - what --vmbus says
 * @version: the newest that is spoken; 0: any; VMBUS_OFF
 * @latency: of the monitors that components have, in 100 ns; 0: they have none
 */
struct vmbus_choice {
	u32 version;
	u32 latency;
};

struct vmbus {
	bool there;
	struct vmbus_choice choice;
	int fd[VMBUS_DEVICES];	/* the channels' files; -1: not offered */
	int stats_fd[VMBUS_DEVICES];	/* their counters; -1: there are none */
	struct disks *disks;
	int scsi_fd[CONTROLLERS_MAX];	/* their controllers; -1: not offered */
	struct nets *nets;
	int net_fd[NETS_MAX];	/* their channels; -1: not offered */
};

struct vmbus_state {
	void *buf;
	u64 bytes;
};

/* "off", "on", or the newest version to speak, like 4.1; then perhaps ",latency=US" */
int vmbus_parse(const char *text, struct vmbus_choice *choice, struct failure *why);

/*
 * A bus where the guest's hypervisor interface has what it needs.
 * @disks, @nets: which stay, for a bus that takes the place of this one
 */
int vmbus_create(struct vmbus *v, int part, const struct vmbus_choice *choice,
		 struct disks *disks, struct nets *nets, struct failure *why);
void vmbus_none(struct vmbus *v);
void vmbus_destroy(struct vmbus *v);

/*
 * A VM that moves, in this order, its partitions paused: the bus stands still (until its
 * partition goes on), then the VPs' state may be read; the bus's state is read, and put with
 * a new bus into a partition that has memory and VPs.  Without a bus they do nothing.
 */
int vmbus_stop(const struct vmbus *v, int part, struct failure *why);
int vmbus_save(const struct vmbus *v, int part, struct vmbus_state *s, struct failure *why);
int vmbus_move(struct vmbus *to, const struct vmbus *from, int part, const struct vmbus_state *s,
	       struct failure *why);

/* The channels of cards whose end is an interface that is still to be made: how many.  @fd: NETS_MAX */
unsigned int vmbus_bare_nets(const struct vmbus *v, int *fd);

/* enum vmbus_device by the name of its provider; -1: there is none */
int vmbus_device(const char *name);

#endif
