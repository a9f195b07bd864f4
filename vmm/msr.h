/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RDMSR and WRMSR: one table row an MSR (range), policy for all the others.
 */
#ifndef OVID_MSR_H
#define OVID_MSR_H

#include <linux/rcupdate.h>
#include "types.h"
#include "../uapi/ovid.h"

#define OVID_NR_VAR_MTRR	8
#define OVID_NR_MC_BANKS	4

/* MSRs that are only stored, or that the backend loads from here */
struct ovid_msr_store {
	u64 pat;
	u64 mtrr_def_type;
	u64 mtrr_base[OVID_NR_VAR_MTRR];
	u64 mtrr_mask[OVID_NR_VAR_MTRR];
	u64 mtrr_fixed[11];
	u64 misc_enable;
	u64 mcg_status;
	u64 mc_ctl[OVID_NR_MC_BANKS];
	u64 debugctl;		/* where the backend keeps none */
	u64 star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux;
	u64 tsc_adjust;
	u64 xss;
	u64 spec_ctrl;
	u64 arch_capabilities;
	u64 feature_control;
	u64 bios_sign_id;
};

/* what an access ends in */
enum ovid_msr_result {
	OVID_MSR_OK,
	OVID_MSR_GP,
	OVID_MSR_TO_WORKER,
	OVID_MSR_SLOW,		/* WRMSR: ovid_msr_write_slow(), with interrupts on */
	OVID_MSR_IDLE,		/* RDMSR: gives 0, and the VP waits as in HLT with RFLAGS.IF set */
	OVID_MSR_RESET,		/* WRMSR: done, and OVID_X_RESET */
	OVID_MSR_CRASH,		/* WRMSR: done, and OVID_X_CRASH */
	OVID_MSR_EOI,		/* WRMSR: an EOI is to be done */
};

/* beside them, between the functions of the tables: this VP has no such MSR */
#define OVID_MSR_ABSENT	(OVID_MSR_EOI + 1)

/* who writes; CHECK: whether the host's value would be taken, nothing changes */
enum ovid_msr_by { OVID_MSR_BY_GUEST, OVID_MSR_BY_HOST, OVID_MSR_BY_CHECK };

struct ovid_msr_rules {
	struct rcu_head rcu;
	u32 default_action;
	u32 count;
	struct ovid_msr_rule rules[];
};

/*
 * ovid_msr_read - RDMSR by the guest;  ovid_msr_write - WRMSR by the guest
 *
 * Context: VP's thread (or vp->lock), interrupts on or off; never sleep.
 * Source: SDM 4: Model-Specific Registers; reserved bits give #GP as there.
 */
enum ovid_msr_result ovid_msr_read(struct ovid_vp *vp, u32 msr, u64 *val);
enum ovid_msr_result ovid_msr_write(struct ovid_vp *vp, u32 msr, u64 val);
/* the rest of a write that was OVID_MSR_SLOW: OVID_MSR_OK or _GP; VP's thread, sleeps */
enum ovid_msr_result ovid_msr_write_slow(struct ovid_vp *vp, u32 msr, u64 val);

/*
 * The same on behalf of the host (OVID_SET_REGS): values that hardware would
 * refuse are refused, but read-only MSRs that are state can be set, APIC_BASE
 * changes to any mode, TSC and TSC_ADJUST do not move each other.  Unknown
 * MSRs are OVID_MSR_GP whatever the policy.
 */
enum ovid_msr_result ovid_msr_host_read(struct ovid_vp *vp, u32 msr, u64 *val);
enum ovid_msr_result ovid_msr_host_write(struct ovid_vp *vp, u32 msr, u64 val);
/* would ovid_msr_host_write() take it?  Changes nothing */
enum ovid_msr_result ovid_msr_host_check(struct ovid_vp *vp, u32 msr, u64 val);

/* power-up values in the store; the backend loads them when it resets the VP */
void ovid_msr_reset(struct ovid_vp *vp);

/**
 * ovid_msr_set_policy - OVID_SET_MSR_POLICY
 * @part: the partition
 * @arg: kernel copy
 *
 * Context: part->lock held, or a partition nobody else knows yet; sleeps.
 * Return: 0, -EINVAL (flags, action, empty range, too many), -EFAULT, -ENOMEM.
 */
int ovid_msr_set_policy(struct ovid_partition *part, const struct ovid_msr_policy *arg);
void ovid_msr_fini(struct ovid_partition *part);

#endif
