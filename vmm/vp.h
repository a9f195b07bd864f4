/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual processor, and how others reach one that may be running.
 *
 * Kick protocol.  Whoever has something for a VP first makes it visible (a
 * request bit, a PIR bit), then calls ovid_vp_kick() or ovid_vp_wake().  The
 * VP's thread first stores mode = IN_GUEST with a full barrier, interrupts
 * off, and then looks at requests and PIR before it enters; and before it
 * sleeps it publishes itself in @wait and then looks at them.  So either the
 * VP sees the news, or the other side sees that an IPI or wake-up is due.
 */
#ifndef OVID_VP_H
#define OVID_VP_H

#include <linux/mutex.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/task_work.h>
#include "exit.h"
#include "hv.h"
#include "lapic.h"
#include "msr.h"
#include "poll.h"
#include "stats.h"
#include "types.h"
#include "../uapi/hvdef.h"
#include "../uapi/ovid.h"

enum ovid_vp_mode {
	OVID_VP_OUT,
	OVID_VP_IN_GUEST,	/* from just before entry to just after exit */
};

/* vp->requests: acted on before the next entry, with interrupts on */
enum ovid_request {
	OVID_REQ_PAUSE,		/* partition is to be paused */
	OVID_REQ_NMI,		/* vp->nmi_pending went up */
	OVID_REQ_INIT,		/* INIT, then SIPI, in vp->apic.pending_* */
	OVID_REQ_EOI_MAP,	/* recompute the EOI-exit bitmap */
	OVID_REQ_EXTINT,	/* the PIC's INTR line went up */
	OVID_REQ_APIC_MODE,	/* xAPIC/x2APIC/off changed: recompute controls */
	OVID_REQ_TSC,		/* partition's TSC offset changed */
	OVID_REQ_RESET,		/* reset in place, while paused */
	OVID_REQ_TLB,		/* the guest's translations are to be forgotten */
	OVID_REQ_EXIT,		/* leave the guest once, look at everything */
};

enum ovid_activity {
	OVID_ACTIVE,
	OVID_HALTED,
	OVID_WAIT_SIPI,
};

/**
 * struct ovid_vp
 * @lock:	held by RUN from start to end and by every register and state call;
 *		guards all that has no rule of its own
 * @mode:	see the head of this file
 * @requests:	atomic bits, OVID_REQ_*
 * @cpu:	where it runs or ran last; valid for an IPI while @mode is IN_GUEST
 * @page:	register page, shared with the worker: GPRs live here while the guest
 *		runs.  Everything in it can change under our feet: read once
 * @exit:	what made it leave the guest
 */
struct ovid_vp {
	struct ovid_partition *part;
	u32 index;
	struct mutex lock;

	int mode;
	bool flushing;		/* IN_GUEST by its mode, yet not in the guest: hc_flush.c */
	int cpu;
	unsigned long requests;
	struct rcuwait wait;
	enum ovid_activity activity;
	bool halt_if;		/* HALTED with RFLAGS.IF, or idle: interrupts end it */
	bool halt_idle;		/* HALTED by the guest-idle MSR */
	bool halt_restored;	/* HALTED by the host: RFLAGS.IF is yet to be looked at */
	struct ovid_poll poll;	/* of a halt: spin.c */
	struct task_struct *runner;	/* the thread in RUN; readers as in spin.c */
	bool bus_due;		/* it has signalled, and put the rest off: bus.h.  Its thread's */
	u32 yielded;		/* VPs that it has yielded to, in turn */
	u32 nmi_pending;	/* 0..2, atomic through cmpxchg */
	bool extint_line;	/* level of the PIC's INTR, WRITE_ONCE by anyone */
	bool extint_asked;	/* OVID_EXIT_EXTINT given, vector is awaited */
	int extint_vector;	/* the worker's answer, to be injected; -1 none */
	bool native;		/* last run call was OVID_RUN_VP */

	struct hv_vp_register_page *page;
	struct hv_message *msg;		/* mmap page 1 */
	struct ovid_run *run;		/* mmap page OVID_VP_MMAP_RUN; hostile too */

	struct ovid_exit exit;
	int run_error;			/* with OVID_RUN_ERROR */
	struct ovid_lapic apic;
	struct ovid_msr_store msrs;	/* stored MSRs: MTRR, PAT, MCE, ... */
	struct ovid_hv_vp hv;		/* the hypervisor interface: hv_msr.c */
	u64 run_ticks;			/* of the host's TSC that it has run, ... */
	u64 run_since;			/* ... and when it began to run now, or 0 */
	struct ovid_vp_stats stats;

	/* guest XSAVE state: area, and which components it may hold */
	struct xregs_state *fpu;
	u64 cr4;		/* for CPUID: bits that the guest does not own are true */
	u64 xcr0;
	u64 xss;
	u32 pkru;		/* not in @fpu */
	u64 dr[4];
	u64 dr6;
	u64 cr2;

	void *arch;			/* the backend's part */
	struct dentry *debugfs;
};

int ovid_vp_create(struct ovid_partition *part, u32 index);	/* returns an fd */
void ovid_vp_destroy(struct ovid_vp *vp);	/* at the partition's end, or never published */
void ovid_vp_reset(struct ovid_vp *vp);
/* what INIT does to a VP: state after INIT, waits for SIPI unless it is the BSP */
void ovid_vp_init_event(struct ovid_vp *vp);
void ovid_vp_sipi(struct ovid_vp *vp, u8 vector);

/**
 * ovid_vp_kick - make a VP look at its requests soon
 *
 * Any context, any lock.  An IPI if it runs guest code, a wake-up if it sleeps.
 */
void ovid_vp_kick(struct ovid_vp *vp);

/* sets a request and kicks */
void ovid_vp_request(struct ovid_vp *vp, enum ovid_request req);

/* one more NMI, at most two are remembered (SDM 3A: Handling Multiple NMIs) */
void ovid_vp_nmi(struct ovid_vp *vp);

/*
 * ovid_vp_interrupt_posted - a PIR bit was set: tell the VP with the cheapest
 * means (posted-interrupt IPI, kick or wake-up).  Any context.
 */
void ovid_vp_interrupt_posted(struct ovid_vp *vp);

/* folds the classes that the worker marked dirty in the register page; vp->lock held */
void ovid_vp_page_settle(struct ovid_vp *vp);
/* OVID_RUN_VP: vp->lock held; 0, 1 (cancelled) or an errno */
int ovid_vp_run_native(struct ovid_vp *vp);

/* host TSC at which the APIC's timer or a synthetic one is due, whichever is first; 0: none */
static inline u64 ovid_vp_deadline(const struct ovid_vp *vp)
{
	u64 apic = READ_ONCE(vp->apic.timer_deadline);
	u64 synthetic = READ_ONCE(vp->hv.stimer_deadline);

	return apic && synthetic ? min(apic, synthetic) : apic | synthetic;
}

/* ovid_stimer_check() if it is time, host TSC @now */
static inline void ovid_stimer_poll(struct ovid_vp *vp, u64 now)
{
	if (unlikely(vp->hv.stimer_deadline && now >= vp->hv.stimer_deadline))
		ovid_stimer_check(vp);
}

/*
 * Is there work that is done on the way to user mode only (task work, memory
 * cgroup's throttling)?  The flag alone says little: rseq sets it at every
 * preemption.
 */
static inline bool ovid_user_work(void)
{
	if (likely(!test_thread_flag(TIF_NOTIFY_RESUME)))
		return false;
#ifdef CONFIG_MEMCG
	if (current->memcg_nr_pages_over_high)
		return true;
#endif
	return task_work_pending(current);
}

/*
 * ovid_vp_run - the run loop; vp->lock held.
 * Returns 0: vp->exit is for the worker; 1: cancelled; or -EINTR, -EIO, -EBUSY.
 */
int ovid_vp_run(struct ovid_vp *vp);

#endif
