// SPDX-License-Identifier: GPL-2.0-only
/*
 * VP registers by their TLFS names: which room keeps which.
 *
 * GPRs are in the register page, XMM and x87 in the XSAVE area, MSR-like ones
 * in the MSR table, APIC ones in lapic.c, the rest is the backend's.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <asm/fpu/types.h>
#include <asm/msr-index.h>
#include <asm/mtrr.h>
#include <asm/tsc.h>
#include "backend.h"
#include "hv.h"
#include "lapic.h"
#include "msr.h"
#include "partition.h"
#include "regs.h"
#include "tlfs.h"
#include "vp.h"

#define NOTIFY_SINTS	48	/* first of 16 bits of HV_REGISTER_DELIVERABILITY_NOTIFICATIONS */

/* registers that are MSRs and nothing else */
static const struct { u32 name, count, msr, step; } msr_names[] = {
	{ HV_REGISTER_GUEST_CRASH_P0, 6, HV_MSR_CRASH_P0, 1 },
	{ HV_X64_REGISTER_TSC, 1, MSR_IA32_TSC, 0 },
	{ HV_X64_REGISTER_KERNEL_GS_BASE, 1, MSR_KERNEL_GS_BASE, 0 },
	{ HV_X64_REGISTER_APIC_BASE, 1, MSR_IA32_APICBASE, 0 },
	{ HV_X64_REGISTER_PAT, 1, MSR_IA32_CR_PAT, 0 },
	{ HV_X64_REGISTER_STAR, 1, MSR_STAR, 0 },
	{ HV_X64_REGISTER_LSTAR, 1, MSR_LSTAR, 0 },
	{ HV_X64_REGISTER_CSTAR, 1, MSR_CSTAR, 0 },
	{ HV_X64_REGISTER_SFMASK, 1, MSR_SYSCALL_MASK, 0 },
	{ HV_X64_REGISTER_TSC_AUX, 1, MSR_TSC_AUX, 0 },
	{ HV_X64_REGISTER_TSC_DEADLINE, 1, MSR_IA32_TSC_DEADLINE, 0 },
	{ HV_X64_REGISTER_TSC_ADJUST, 1, MSR_IA32_TSC_ADJUST, 0 },
	{ HV_X64_REGISTER_MSR_IA32_MISC_ENABLE, 1, MSR_IA32_MISC_ENABLE, 0 },
	{ OVID_REGISTER_MCG_STATUS, 1, MSR_IA32_MCG_STATUS, 0 },
	{ OVID_REGISTER_MC0_CTL, OVID_NR_MC_BANKS, MSR_IA32_MC0_CTL, 4 },
	{ HV_X64_REGISTER_MSR_MTRR_DEF_TYPE, 1, MSR_MTRRdefType, 0 },
	{ HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0, OVID_NR_VAR_MTRR, 0x200, 2 },
	{ HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0, OVID_NR_VAR_MTRR, 0x201, 2 },
	{ HV_REGISTER_VP_RUNTIME, 1, HV_MSR_VP_RUNTIME, 0 },
	{ HV_X64_REGISTER_HYPERCALL, 1, HV_MSR_HYPERCALL, 0 },
	{ HV_REGISTER_GUEST_OS_ID, 1, HV_MSR_GUEST_OS_ID, 0 },
	{ HV_REGISTER_VP_INDEX, 1, HV_MSR_VP_INDEX, 0 },
	{ HV_REGISTER_TIME_REF_COUNT, 1, HV_MSR_TIME_REF_COUNT, 0 },
	{ HV_REGISTER_VP_ASSIST_PAGE, 1, HV_MSR_VP_ASSIST_PAGE, 0 },
	{ HV_REGISTER_REFERENCE_TSC, 1, HV_MSR_REFERENCE_TSC, 0 },
	{ HV_REGISTER_SINT0, OVID_SINTS, HV_MSR_SINT0, 1 },
	{ HV_REGISTER_SCONTROL, 1, HV_MSR_SCONTROL, 0 },
	{ HV_REGISTER_SVERSION, 1, HV_MSR_SVERSION, 0 },
	{ HV_REGISTER_SIEFP, 1, HV_MSR_SIEFP, 0 },
	{ HV_REGISTER_SIMP, 1, HV_MSR_SIMP, 0 },
	{ HV_REGISTER_EOM, 1, HV_MSR_EOM, 0 },
	{ HV_REGISTER_STIMER0_CONFIG, 2 * OVID_STIMERS, HV_MSR_STIMER0_CONFIG, 1 },
	{ HV_X64_REGISTER_MSR_MTRR_FIX64K00000, 1, MSR_MTRRfix64K_00000, 0 },
	{ HV_X64_REGISTER_MSR_MTRR_FIX64K00000 + 1, 2, MSR_MTRRfix16K_80000, 1 },
	{ HV_X64_REGISTER_MSR_MTRR_FIX64K00000 + 3, 8, MSR_MTRRfix4K_C0000, 1 },
	{ OVID_REGISTER_HV_MSR0, HV_MSR_LAST - HV_MSR_FIRST + 1, HV_MSR_FIRST, 1 },
};

u32 ovid_reg_msr(u32 name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(msr_names); i++)
		if (name >= msr_names[i].name && name - msr_names[i].name < msr_names[i].count)
			return msr_names[i].msr + (name - msr_names[i].name) * msr_names[i].step;
	return 0;
}

/* ---- x87 and SSE, in the XSAVE area's legacy part ---- */

void ovid_fpu_settle(struct ovid_vp *vp)
{
	struct xregs_state *x = vp->fpu;

	if (!(x->header.xfeatures & XFEATURE_MASK_FP)) {
		memset(&x->i387, 0, offsetof(struct fxregs_state, mxcsr));
		memset(x->i387.st_space, 0, sizeof(x->i387.st_space));
		x->i387.cwd = 0x37f;
	}
	if (!(x->header.xfeatures & XFEATURE_MASK_SSE)) {
		memset(x->i387.xmm_space, 0, sizeof(x->i387.xmm_space));
		/* part of SSE in a compacted area only (SDM 1: XSAVE-Managed State) */
		if (x->header.xcomp_bv & XCOMP_BV_COMPACTED_FORMAT)
			x->i387.mxcsr = MXCSR_DEFAULT;
	}
	x->header.xfeatures |= XFEATURE_MASK_FPSSE;
}

static bool is_fpu(u32 name)
{
	return name >= HV_X64_REGISTER_XMM0 && name <= HV_X64_REGISTER_XMM_CONTROL_STATUS;
}

static void fpu_get(struct ovid_vp *vp, u32 name, u64 val[2])
{
	struct fxregs_state *fx = &vp->fpu->i387;

	ovid_fpu_settle(vp);
	if (name <= HV_X64_REGISTER_XMM15) {
		memcpy(val, &fx->xmm_space[4 * (name - HV_X64_REGISTER_XMM0)], 16);
	} else if (name <= HV_X64_REGISTER_FP_MMX7) {
		memcpy(val, &fx->st_space[4 * (name - HV_X64_REGISTER_FP_MMX0)], 10);
	} else if (name == HV_X64_REGISTER_FP_CONTROL_STATUS) {
		val[0] = fx->cwd | (u64)fx->swd << 16 | (u64)(fx->twd & 0xff) << 32 |
			 (u64)fx->fop << 48;
		val[1] = fx->rip;
	} else {
		val[0] = fx->rdp;
		val[1] = fx->mxcsr | (u64)fx->mxcsr_mask << 32;
	}
}

static void fpu_set(struct ovid_vp *vp, u32 name, const u64 val[2])
{
	struct fxregs_state *fx = &vp->fpu->i387;

	ovid_fpu_settle(vp);
	if (name <= HV_X64_REGISTER_XMM15) {
		memcpy(&fx->xmm_space[4 * (name - HV_X64_REGISTER_XMM0)], val, 16);
	} else if (name <= HV_X64_REGISTER_FP_MMX7) {
		memcpy(&fx->st_space[4 * (name - HV_X64_REGISTER_FP_MMX0)], val, 10);
	} else if (name == HV_X64_REGISTER_FP_CONTROL_STATUS) {
		fx->cwd = val[0];
		fx->swd = val[0] >> 16;
		fx->twd = (val[0] >> 32) & 0xff;
		fx->fop = val[0] >> 48;
		fx->rip = val[1];
	} else {
		fx->rdp = val[0];
		fx->mxcsr = val[1];
	}
}

/* MXCSR with a reserved bit would fault in the host's XRSTOR */
static bool fpu_valid(u32 name, const u64 val[2])
{
	return name != HV_X64_REGISTER_XMM_CONTROL_STATUS || !((u32)val[1] & ~0xffffu);
}

/* ---- what the core keeps ---- */

/* HvRegisterInternalActivityState: bit 0 waits for SIPI, 1 halted, 2 idle */
static u64 activity_get(struct ovid_vp *vp)
{
	if (vp->activity == OVID_HALTED)
		return vp->halt_idle ? 4 : 2;
	return vp->activity == OVID_WAIT_SIPI ? 1 : 0;
}

static void activity_set(struct ovid_vp *vp, u64 val)
{
	vp->activity = val & 1 ? OVID_WAIT_SIPI : val & 6 ? OVID_HALTED : OVID_ACTIVE;
	vp->halt_idle = val & 4;
	/* RFLAGS, which tells the rest, may be set later */
	vp->halt_restored = true;
}

/* -ENOENT: not the core's */
static int core_get(struct ovid_vp *vp, u32 name, u64 val[2])
{
	switch (name) {
	case HV_X64_REGISTER_RAX ... HV_X64_REGISTER_RBX:
	case HV_X64_REGISTER_RBP ... HV_X64_REGISTER_R15:
		val[0] = READ_ONCE(vp->page->gpr[name - HV_X64_REGISTER_RAX]);
		return 0;
	case HV_X64_REGISTER_CR2:
		val[0] = vp->cr2;
		return 0;
	case HV_X64_REGISTER_CR8:
		val[0] = ovid_lapic_cr8(vp);
		return 0;
	case HV_X64_REGISTER_APIC_TPR:
		val[0] = ovid_lapic_tpr(vp);
		return 0;
	case HV_REGISTER_VP_RUNTIME:
		return ovid_hv_msr_host_read(vp, HV_MSR_VP_RUNTIME, &val[0]);
	case HV_X64_REGISTER_DR0 ... HV_X64_REGISTER_DR3:
		val[0] = vp->dr[name - HV_X64_REGISTER_DR0];
		return 0;
	case HV_X64_REGISTER_DR6:
		val[0] = vp->dr6;
		return 0;
	case HV_REGISTER_INTERNAL_ACTIVITY_STATE:
		val[0] = activity_get(vp);
		return 0;
	case HV_X64_REGISTER_INITIAL_APIC_ID:
	case HV_X64_REGISTER_APIC_ID:
		val[0] = vp->apic.initial_id;
		return 0;
	case HV_REGISTER_PENDING_EVENT1:
		val[0] = 0;
		return 0;
	case OVID_REGISTER_NMIS:
		val[0] = READ_ONCE(vp->nmi_pending);
		return 0;
	case HV_REGISTER_DELIVERABILITY_NOTIFICATIONS:
		val[0] = (u64)vp->hv.synic.notify << NOTIFY_SINTS;
		return 0;
	default:
		return -ENOENT;
	}
}

static int core_check(u32 name, const u64 val[2])
{
	switch (name) {
	case HV_X64_REGISTER_RAX ... HV_X64_REGISTER_RBX:
	case HV_X64_REGISTER_RBP ... HV_X64_REGISTER_R15:
	case HV_X64_REGISTER_CR2:
	case HV_X64_REGISTER_DR0 ... HV_X64_REGISTER_DR3:
	case HV_REGISTER_PENDING_EVENT1:
		return 0;
	case HV_REGISTER_VP_RUNTIME:
		return val[0] >> 52 ? -EINVAL : 0;
	case HV_X64_REGISTER_CR8:
		return val[0] & ~0xfull ? -EINVAL : 0;
	case HV_X64_REGISTER_APIC_TPR:
		return val[0] & ~0xffull ? -EINVAL : 0;
	case HV_X64_REGISTER_DR6:
		return val[0] >> 32 ? -EINVAL : 0;
	case HV_REGISTER_INTERNAL_ACTIVITY_STATE:
		return val[0] & ~7ull ? -EINVAL : 0;
	case HV_X64_REGISTER_INITIAL_APIC_ID:
	case HV_X64_REGISTER_APIC_ID:
		return val[0] > 254 ? -EINVAL : 0;
	case OVID_REGISTER_NMIS:
		return val[0] > 2 ? -EINVAL : 0;
	case HV_REGISTER_DELIVERABILITY_NOTIFICATIONS:
		/* the others are about an APIC in userspace */
		return val[0] & ~GENMASK_ULL(63, NOTIFY_SINTS) ? -EINVAL : 0;
	default:
		return -ENOENT;
	}
}

static void core_set(struct ovid_vp *vp, u32 name, const u64 val[2])
{
	switch (name) {
	case HV_X64_REGISTER_RAX ... HV_X64_REGISTER_RBX:
	case HV_X64_REGISTER_RBP ... HV_X64_REGISTER_R15:
		WRITE_ONCE(vp->page->gpr[name - HV_X64_REGISTER_RAX], val[0]);
		break;
	case HV_X64_REGISTER_CR2:
		vp->cr2 = val[0];
		break;
	case HV_X64_REGISTER_CR8:
		ovid_lapic_set_cr8(vp, val[0]);
		break;
	case HV_X64_REGISTER_APIC_TPR:
		ovid_lapic_set_tpr(vp, val[0]);
		break;
	case HV_REGISTER_VP_RUNTIME:
		/* rounded up: what reads back is not less */
		vp->run_ticks = mul_u64_u64_div_u64(val[0], tsc_khz, 10000) + 1;
		break;
	case HV_X64_REGISTER_DR0 ... HV_X64_REGISTER_DR3:
		vp->dr[name - HV_X64_REGISTER_DR0] = val[0];
		break;
	case HV_X64_REGISTER_DR6:
		vp->dr6 = (val[0] & 0xe00f) | 0xffff0ff0;
		break;
	case HV_REGISTER_INTERNAL_ACTIVITY_STATE:
		activity_set(vp, val[0]);
		break;
	case HV_X64_REGISTER_INITIAL_APIC_ID:
	case HV_X64_REGISTER_APIC_ID:
		ovid_lapic_set_id(vp, val[0]);
		break;
	case OVID_REGISTER_NMIS:
		WRITE_ONCE(vp->nmi_pending, val[0]);
		break;
	case HV_REGISTER_DELIVERABILITY_NOTIFICATIONS:
		vp->hv.synic.notify = val[0] >> NOTIFY_SINTS;
		break;
	}
}

/* ---- all of them ---- */

int ovid_reg_get(struct ovid_vp *vp, u32 name, u64 val[2])
{
	u32 msr;
	int err;

	val[0] = 0;
	val[1] = 0;
	if (is_fpu(name)) {
		fpu_get(vp, name, val);
		return 0;
	}
	err = core_get(vp, name, val);
	if (err != -ENOENT)
		return err;
	msr = ovid_reg_msr(name);
	if (msr)
		return ovid_msr_host_read(vp, msr, &val[0]) == OVID_MSR_OK ? 0 : -EINVAL;
	err = ovid_backend->reg_get(vp, name, val);
	return err == -ENOENT ? -EINVAL : err;
}

static int reg_check(struct ovid_vp *vp, u32 name, const u64 val[2])
{
	u32 msr = ovid_reg_msr(name);
	int err;

	if (is_fpu(name))
		return fpu_valid(name, val) ? 0 : -EINVAL;
	err = core_check(name, val);
	if (err != -ENOENT)
		return err;
	if (msr)
		return ovid_msr_host_check(vp, msr, val[0]) == OVID_MSR_OK ? 0 : -EINVAL;
	err = ovid_backend->reg_check(vp, name, val);
	return err == -ENOENT ? -EINVAL : err;
}

static int reg_set(struct ovid_vp *vp, u32 name, const u64 val[2])
{
	u32 msr = ovid_reg_msr(name);

	if (is_fpu(name))
		fpu_set(vp, name, val);
	else if (core_check(name, val) != -ENOENT)
		core_set(vp, name, val);
	else if (msr)
		return ovid_msr_host_write(vp, msr, val[0]) == OVID_MSR_OK ? 0 : -EINVAL;
	else
		return ovid_backend->reg_set(vp, name, val);
	return 0;
}

int ovid_regs_set(struct ovid_vp *vp, const struct ovid_reg *regs, u32 n)
{
	u64 val[2];
	u32 i;
	int err;

	for (i = 0; i < n; i++) {
		val[0] = regs[i].low;
		val[1] = regs[i].high;
		if (regs[i].pad[0] | regs[i].pad[1] | regs[i].pad[2])
			return -EINVAL;
		err = reg_check(vp, regs[i].name, val);
		if (err)
			return err;
	}
	for (i = 0; i < n; i++) {
		val[0] = regs[i].low;
		val[1] = regs[i].high;
		err = reg_set(vp, regs[i].name, val);
		if (err)
			return err;
	}
	return 0;
}
