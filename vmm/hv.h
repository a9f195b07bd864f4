/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor interface of the TLFS, beside its CPUID leaves (hv_feature.h):
 * synthetic MSRs (hv_msr.c) and hypercalls (hypercall.c, hc_*.c).
 */
#ifndef OVID_HV_H
#define OVID_HV_H

#include "msr.h"
#include "overlay.h"
#include "synic.h"
#include "types.h"

#define OVID_HV_CRASH_REGS	5

/**
 * struct ovid_hv_part - what a partition has of it
 * @lock:	writes that place or remove a page, together with the MSR that says so;
 *		below vp->lock, above the overlays' lock
 * @guest_os_id: ... MSRs; read by anyone
 * @hypercall_page: the page with the instructions
 */
struct ovid_hv_part {
	struct mutex lock;
	u64 guest_os_id;
	u64 hypercall;
	u64 reference_tsc;
	u64 crash[OVID_HV_CRASH_REGS];
	u64 tsc_invariant;
	u64 reenlightenment;
	u64 tsc_emulation;
	struct ovid_overlay hypercall_page;
};

/**
 * struct ovid_hv_vp - what a VP has of it; VP's thread or vp->lock
 * @assist_msr:	HV_X64_MSR_VP_ASSIST_PAGE
 * @assist:	the page
 * @stimer_deadline: host TSC at which the first of @stimer expires; 0: none
 * @call:	copy of a hypercall's input, a page, and one for its output
 */
struct ovid_hv_vp {
	u64 assist_msr;
	struct ovid_overlay assist;
	struct ovid_synic synic;
	struct ovid_stimer stimer[OVID_STIMERS];
	u64 stimer_deadline;
	void *call;
};

/* 0 or -ENOMEM; sleep */
int ovid_hv_part_init(struct ovid_partition *part);
void ovid_hv_part_fini(struct ovid_partition *part);
void ovid_hv_part_reset(struct ovid_partition *part);	/* after its VPs */
int ovid_hv_vp_init(struct ovid_vp *vp);
void ovid_hv_vp_fini(struct ovid_vp *vp);
void ovid_hv_vp_reset(struct ovid_vp *vp);

/*
 * One of MSRs 0x40000000 to 0x400001FF: an enum ovid_msr_result, or
 * OVID_MSR_ABSENT.  OVID_MSR_SLOW: not with interrupts off, then
 * ovid_hv_msr_write_slow().  Context: as ovid_msr_read() and its like.
 */
int ovid_hv_msr_read(struct ovid_vp *vp, u32 msr, u64 *val);
int ovid_hv_msr_host_read(struct ovid_vp *vp, u32 msr, u64 *val);
int ovid_hv_msr_write(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by);
/* MSRs that place a page: an address that guest memory can have; placement, which sleeps */
bool ovid_hv_page_valid(struct ovid_partition *part, u64 val);
int ovid_hv_page_place(struct ovid_partition *part, struct ovid_overlay *ov, u64 val);
/* VP's thread, sleeps */
int ovid_hv_msr_write_slow(struct ovid_vp *vp, u32 msr, u64 val);

/* ---- hypercalls ---- */

struct ovid_hypercall_regs {
	u64 control;
	u64 input;		/* GPA, or the first 8 bytes of a fast call */
	u64 output;		/* GPA, or the second */
	u64 result;
};

/* a handler says these in place of an HV_STATUS */
#define OVID_HC_SLOW		(-1)	/* not with interrupts off */
#define OVID_HC_INTERCEPT	(-2)	/* a client has asked for it: OVID_X_HYPERCALL */
#define OVID_HC_CONTINUE	(-3)	/* some reps are done; the guest calls again for the rest */

/**
 * ovid_hypercall - a hypercall of the guest
 * @vp: VP; its thread
 * @regs: registers of the convention, whatever the mode
 * @atomic: interrupts are off
 *
 * TLFS: Hypercall Interface.  Return: 0, the result is there; OVID_HC_SLOW, with
 * @atomic only, it is to be called again with interrupts on; OVID_HC_INTERCEPT,
 * nothing was done; OVID_HC_CONTINUE, without @atomic only, the guest is to make the
 * call again, with @regs->control as it is now (TLFS: Hypercall Continuation).
 */
int ovid_hypercall(struct ovid_vp *vp, struct ovid_hypercall_regs *regs, bool atomic);

#endif
