/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * machine.h - one virtual machine: its partition, memory, devices and VPs.
 *
 * Threads: the main thread owns life and death (loop.c); each VP has a thread
 * that runs the guest and serves its exits (vp.c).  VP threads change nothing
 * here but by machine_end(), machine_want_reset() and the devices.
 *
 * Locks: @lock guards the fields noted below; it is never held while a device
 * lock is taken.
 */
#ifndef OVID_MACHINE_H
#define OVID_MACHINE_H

#include <pthread.h>

#include "../lib/fail.h"
#include "../lib/vid.h"
#include "bus.h"
#include "chario.h"
#include "clock.h"
#include "config.h"
#include "dev/cmos.h"
#include "dev/fwcfg.h"
#include "dev/pci.h"
#include "dev/pit.h"
#include "dev/power.h"
#include "dev/serial.h"
#include "dev/testdev.h"
#include "gmem.h"
#include "irq.h"
#include "load.h"

struct machine;
struct vsock;

struct vp {
	struct machine *m;
	unsigned int index;
	int fd;
	int stats_fd;
	struct ovid_run *run;
	struct hv_vp_register_page *regs;
	pthread_t thread;
};

enum machine_wish {
	WISH_NONE,
	WISH_RESET,
	WISH_END,
};

struct machine {
	const struct worker_config *config;
	struct boot_files files;
	int part, memory_fd, stats_fd;
	struct vmbus vmbus;
	struct vsock *vsock;	/* NULL: none */
	struct gmem mem;
	struct vp *vp;
	unsigned int nr_vps;

	struct bus ports, mmio;
	struct vclock clock;
	struct irqs irqs;
	struct pit pit;
	struct serial serial;
	struct cmos cmos;
	struct fwcfg fwcfg;
	struct pci pci;
	struct power power;
	struct testdev testdev;
	struct chario console;
	_Atomic unsigned int crashes;	/* that were reported */

	int wake_fd;		/* eventfd: the main thread has something to do */
	int pit_fd, rtc_fd;	/* timerfds of the PIT and the RTC */
	int term_fd;		/* signalfd: somebody wants the process to end */
	_Atomic bool hold;	/* a wish is open: no VP re-enters the guest */
	bool paused;		/* main thread only */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under @lock: */
	unsigned int parked;	/* VP threads that wait in userspace */
	u64 generation;		/* counts releases: a parked thread waits for the next */
	bool ending;		/* the next release ends the threads */
	enum machine_wish wish;
	int status;		/* with WISH_END */
	struct failure why;	/* with WISH_END; may be empty */
};

/* machine.c: making one; called before the sandbox */
int machine_create(struct machine *m, struct worker_config *config, int device,
		   struct failure *why);
int machine_add_devices(struct machine *m, struct failure *why);
int machine_map(const struct machine *m, int part);	/* its memory into a partition */
/* the files and pages of a VP; vp_close() after a failure too */
int vp_open(struct vp *vp, int part, unsigned int index, struct failure *why);
void vp_close(struct vp *vp);

/* boot.c: the kernel into memory and VP 0 to its entry point; VPs are parked */
int machine_boot(struct machine *m, struct failure *why);
int machine_reset(struct machine *m, struct failure *why);

/*
 * pulse.c: everything of the partition goes into @part, a new one, with which the
 * machine goes on; the old one is closed.  After a failure it goes on with the old one,
 * and @part is closed.
 */
int machine_pulse(struct machine *m, int part, struct failure *why);

/* vp.c */
int machine_start_threads(struct machine *m, struct failure *why);
void machine_park(struct machine *m);
void machine_release(struct machine *m);
void machine_join(struct machine *m);

/* worker.c: a line for who watches, if somebody does; from any thread, does not wait */
void machine_note(struct machine *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* crash.c: the guest said that it crashed; @ctl: its HV_X64_MSR_CRASH_CTL */
void machine_crashed(struct machine *m, struct vp *vp, u64 ctl);

/* life.c: for VP threads and devices; the first wish wins */
void machine_end(struct machine *m, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void machine_want_reset(struct machine *m);
void machine_reboot(struct machine *m);		/* the guest's wish: a reset, or the end */
void machine_wake(struct machine *m);
enum machine_wish machine_wish(struct machine *m);
void machine_reset_done(struct machine *m);
int machine_pause(struct machine *m, bool pause);

/* loop.c, control.c */
struct machine_files {
	int channel, control, end, serial;	/* -1: none */
};

int machine_loop(struct machine *m, const struct machine_files *f);

#endif
