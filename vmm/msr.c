// SPDX-License-Identifier: GPL-2.0-only
/*
 * RDMSR and WRMSR: an index by number leads to a row, a row says where the
 * value is and what may be written; MSRs without a row follow the partition's
 * policy.  What belongs to the local APIC, to time or to hardware fields is
 * passed on to lapic.h, partition.h and the backend, synthetic ones to hv_msr.c.
 *
 * Not there on purpose: IA32_SPEC_CTRL, IA32_PRED_CMD and IA32_FLUSH_CMD (see
 * cpuid_rules.c), performance counters, power and thermal MSRs.
 *
 * All state is the VP's own: VP's thread or vp->lock; the rules are under RCU.
 * Source: SDM 4: Model-Specific Registers.
 */
#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include "backend.h"
#include "compat.h"
#include "hv.h"
#include "partition.h"
#include "tlfs.h"
#include "vp.h"

#define LOW_MSRS	0x1000
#define HIGH_FIRST	0xC0000000
#define HIGH_MSRS	0x200

#define MTRR_CAP	(OVID_NR_VAR_MTRR | BIT(8) /* fixed */ | BIT(10) /* WC */)
#define MTRR_DEF_KNOWN	(0xff | BIT(10) | BIT(11))
#define MTRR_MASK_VALID	BIT_ULL(11)
#define PAT_RESET	0x0007040600070406ull
#define FEAT_LOCKED	BIT_ULL(0)

/* fast strings; no BTS, no PEBS: the last two are read-only */
#define MISC_ENABLE_RESET (MSR_IA32_MISC_ENABLE_FAST_STRING | MISC_ENABLE_FIXED)
#define MISC_ENABLE_FIXED (MSR_IA32_MISC_ENABLE_BTS_UNAVAIL | MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL)

/*
 * IA32_ARCH_CAPABILITIES: what says "not affected", "VERW clears" or "returns
 * may be predicted from elsewhere".  Nothing that stands for an MSR we lack.
 */
#define ARCH_CAPS_SHOWN	(ARCH_CAP_RDCL_NO | ARCH_CAP_RSBA | ARCH_CAP_SSB_NO |		\
			 ARCH_CAP_MDS_NO | ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO |	\
			 ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO |	\
			 ARCH_CAP_FB_CLEAR | ARCH_CAP_RRSBA | ARCH_CAP_BHI_NO |		\
			 ARCH_CAP_PBRSB_NO | ARCH_CAP_GDS_NO | ARCH_CAP_RFDS_NO |	\
			 ARCH_CAP_RFDS_CLEAR | BIT_ULL(62) /* ITS_NO */)

struct msr_row {
	int (*read)(struct ovid_vp *vp, u32 msr, u64 *val);
	int (*write)(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by);
	u16 offset;		/* ROW_STORED: in struct ovid_msr_store */
	u8 flags;
	u64 value;		/* ROW_FIXED: what is read; ROW_STORED: reserved bits */
};

#define ROW_STORED	BIT(0)	/* no @read: the value is in the store */
#define ROW_FIXED	BIT(1)	/* no @read: @value.  No @write: #GP */
#define ROW_CANONICAL	BIT(2)	/* #GP when not canonical */
#define ROW_LOAD	BIT(3)	/* the backend has to load a new value */

static bool is_canonical(u64 val)
{
	return sign_extend64(val, 47) == (s64)val;
}

static bool vp_has(struct ovid_vp *vp, u32 leaf, enum ovid_cpuid_reg reg, unsigned int bit)
{
	return ovid_cpuid_has(vp->part, leaf, 0, reg, bit);
}

/* ---- time --------------------------------------------------------------- */

static int read_tsc(struct ovid_vp *vp, u32 msr, u64 *val)
{
	*val = ovid_part_guest_tsc(vp->part);
	return OVID_MSR_OK;
}

/*
 * There is one TSC offset in a partition, so there is one TSC_ADJUST too: what
 * a VP writes to either moves the TSC of all, which therefore never disagree.
 */
static void adjust_all(struct ovid_partition *part, u64 delta)
{
	struct ovid_vp *vp;
	unsigned int i;

	ovid_for_each_vp(part, vp, i)
		WRITE_ONCE(vp->msrs.tsc_adjust, READ_ONCE(vp->msrs.tsc_adjust) + delta);
}

static int write_tsc(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (by == OVID_MSR_BY_CHECK)
		return OVID_MSR_OK;
	if (by == OVID_MSR_BY_GUEST)
		adjust_all(vp->part, val - ovid_part_guest_tsc(vp->part));
	ovid_part_set_guest_tsc(vp->part, val);
	return OVID_MSR_OK;
}

static int write_tsc_adjust(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	u64 delta = val - READ_ONCE(vp->msrs.tsc_adjust);

	if (by == OVID_MSR_BY_CHECK)
		return OVID_MSR_OK;
	if (by == OVID_MSR_BY_HOST) {
		WRITE_ONCE(vp->msrs.tsc_adjust, val);
		return OVID_MSR_OK;
	}
	if (delta) {
		adjust_all(vp->part, delta);
		ovid_part_set_guest_tsc(vp->part, ovid_part_guest_tsc(vp->part) + delta);
	}
	return OVID_MSR_OK;
}

/* ---- local APIC --------------------------------------------------------- */

static int read_apic_base(struct ovid_vp *vp, u32 msr, u64 *val)
{
	*val = vp->apic.base;
	return OVID_MSR_OK;
}

/* any mode: only what no APIC_BASE can be */
static bool apic_base_valid(struct ovid_vp *vp, u64 val)
{
	u64 known = GENMASK_ULL(ovid_cpuid_phys_bits(vp->part) - 1, 12) | BIT(8) | BIT(11);

	if (vp->part->x2apic_allowed)
		known |= BIT(10);
	return !(val & ~known) && (!(val & BIT(10)) || val & BIT(11));
}

static int write_apic_base(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	int err;

	if (by == OVID_MSR_BY_CHECK)
		err = !apic_base_valid(vp, val);
	else if (by == OVID_MSR_BY_HOST)
		err = ovid_lapic_host_set_base(vp, val);
	else
		err = ovid_lapic_set_base(vp, val);
	return err ? OVID_MSR_GP : OVID_MSR_OK;
}

static int read_apic(struct ovid_vp *vp, u32 msr, u64 *val)
{
	return ovid_lapic_msr_read(vp, msr, val) ? OVID_MSR_GP : OVID_MSR_OK;
}

static int write_apic(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (by == OVID_MSR_BY_CHECK)
		return OVID_MSR_OK;
	return ovid_lapic_msr_write(vp, msr, val) ? OVID_MSR_GP : OVID_MSR_OK;
}

static int write_tsc_deadline(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (by == OVID_MSR_BY_HOST)
		ovid_lapic_host_set_tscdeadline(vp, val);
	if (by != OVID_MSR_BY_GUEST)
		return OVID_MSR_OK;
	return write_apic(vp, msr, val, by);
}

/* ---- what the backend keeps --------------------------------------------- */

static int read_backend(struct ovid_vp *vp, u32 msr, u64 *val)
{
	return ovid_backend->msr_get(vp, msr, val) ? OVID_MSR_GP : OVID_MSR_OK;
}

static int write_backend(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (by == OVID_MSR_BY_CHECK)
		return OVID_MSR_OK;
	return ovid_backend->msr_set(vp, msr, val) ? OVID_MSR_GP : OVID_MSR_OK;
}

/* FS and GS base, SYSENTER_EIP and _ESP */
static int write_backend_canonical(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	return is_canonical(val) ? write_backend(vp, msr, val, by) : OVID_MSR_GP;
}

/* the backend checks: the rules follow CR0; a guest cannot change LMA */
static int write_efer(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	u64 reg[2] = { val, 0 };
	int err;

	if (by == OVID_MSR_BY_GUEST)
		return write_backend(vp, msr, val, by);
	if (by == OVID_MSR_BY_CHECK)
		err = ovid_backend->reg_check(vp, HV_X64_REGISTER_EFER, reg);
	else
		err = ovid_backend->reg_set(vp, HV_X64_REGISTER_EFER, reg);
	return err ? OVID_MSR_GP : OVID_MSR_OK;
}

static int read_debugctl(struct ovid_vp *vp, u32 msr, u64 *val)
{
	if (ovid_backend->msr_get(vp, msr, val))
		*val = vp->msrs.debugctl;
	return OVID_MSR_OK;
}

/* BTF works; last-branch records are not virtualized and asking for them is ignored */
static int write_debugctl(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (val & ~(u64)(DEBUGCTLMSR_LBR | DEBUGCTLMSR_BTF))
		return OVID_MSR_GP;
	if (by == OVID_MSR_BY_CHECK)
		return OVID_MSR_OK;
	val &= DEBUGCTLMSR_BTF;
	vp->msrs.debugctl = val;
	ovid_backend->msr_set(vp, msr, val);
	return OVID_MSR_OK;
}

/* each of eight bytes is 0, 1, 4, 5, 6 or 7: bit 1 only together with bit 2 */
static int write_pat(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (val & 0xf8f8f8f8f8f8f8f8ull || (val & 0x0202020202020202ull) << 1 & ~val)
		return OVID_MSR_GP;
	if (by == OVID_MSR_BY_CHECK)
		return OVID_MSR_OK;
	vp->msrs.pat = val;
	ovid_backend->msr_set(vp, msr, val);
	return OVID_MSR_OK;
}

static bool has_tsc_aux(struct ovid_vp *vp)
{
	return vp_has(vp, 0x80000001, OVID_EDX, 27) || vp_has(vp, 7, OVID_ECX, 22);
}

static int read_tsc_aux(struct ovid_vp *vp, u32 msr, u64 *val)
{
	if (!has_tsc_aux(vp))
		return OVID_MSR_ABSENT;
	*val = vp->msrs.tsc_aux;
	return OVID_MSR_OK;
}

static int write_tsc_aux(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (!has_tsc_aux(vp))
		return OVID_MSR_ABSENT;
	if (val >> 32)
		return OVID_MSR_GP;
	if (by == OVID_MSR_BY_CHECK)
		return OVID_MSR_OK;
	vp->msrs.tsc_aux = val;
	ovid_backend->msr_set(vp, msr, val);
	return OVID_MSR_OK;
}

static bool has_xss(struct ovid_vp *vp)
{
	return ovid_cpuid_has(vp->part, 0xd, 1, OVID_EAX, 3);
}

static int read_xss(struct ovid_vp *vp, u32 msr, u64 *val)
{
	*val = vp->xss;
	return has_xss(vp) ? OVID_MSR_OK : OVID_MSR_ABSENT;
}

static int write_xss(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (!has_xss(vp))
		return OVID_MSR_ABSENT;
	if (val & ~ovid_cpuid_xss_allowed(vp->part))
		return OVID_MSR_GP;
	if (by != OVID_MSR_BY_CHECK)
		vp->xss = val;
	return OVID_MSR_OK;
}

/* ---- memory types: stored only, the host decides ------------------------ */

static bool is_mtrr_type(u8 type)
{
	return type < 7 && BIT(type) & (BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6));
}

static int write_mtrr_def(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (val & ~(u64)MTRR_DEF_KNOWN || !is_mtrr_type(val))
		return OVID_MSR_GP;
	if (by != OVID_MSR_BY_CHECK)
		vp->msrs.mtrr_def_type = val;
	return OVID_MSR_OK;
}

/* 0x250, 0x258, 0x259, 0x268..0x26f */
static unsigned int mtrr_fixed_index(u32 msr)
{
	if (msr == 0x250)
		return 0;
	return msr < 0x260 ? msr - 0x258 + 1 : msr - 0x268 + 3;
}

static int read_mtrr_fixed(struct ovid_vp *vp, u32 msr, u64 *val)
{
	*val = vp->msrs.mtrr_fixed[mtrr_fixed_index(msr)];
	return OVID_MSR_OK;
}

static int write_mtrr_fixed(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (!is_mtrr_type(val >> (8 * i)))
			return OVID_MSR_GP;
	if (by != OVID_MSR_BY_CHECK)
		vp->msrs.mtrr_fixed[mtrr_fixed_index(msr)] = val;
	return OVID_MSR_OK;
}

static u64 *mtrr_var(struct ovid_vp *vp, u32 msr)
{
	unsigned int i = array_index_nospec((msr - 0x200) / 2, OVID_NR_VAR_MTRR);

	return msr & 1 ? &vp->msrs.mtrr_mask[i] : &vp->msrs.mtrr_base[i];
}

static int read_mtrr_var(struct ovid_vp *vp, u32 msr, u64 *val)
{
	*val = *mtrr_var(vp, msr);
	return OVID_MSR_OK;
}

static int write_mtrr_var(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	u64 known = GENMASK_ULL(ovid_cpuid_phys_bits(vp->part) - 1, 12);

	known |= msr & 1 ? MTRR_MASK_VALID : 0xff;
	if (val & ~known || (!(msr & 1) && !is_mtrr_type(val)))
		return OVID_MSR_GP;
	if (by != OVID_MSR_BY_CHECK)
		*mtrr_var(vp, msr) = val;
	return OVID_MSR_OK;
}

/* ---- machine check: banks that never report ------------------------------ */

static int read_mc(struct ovid_vp *vp, u32 msr, u64 *val)
{
	unsigned int i = array_index_nospec((msr - MSR_IA32_MC0_CTL) / 4, OVID_NR_MC_BANKS);

	*val = msr & 3 ? 0 : vp->msrs.mc_ctl[i];
	return OVID_MSR_OK;
}

static int write_mc(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	unsigned int i = array_index_nospec((msr - MSR_IA32_MC0_CTL) / 4, OVID_NR_MC_BANKS);

	if (msr & 3)		/* status, address, misc: to be cleared only */
		return val ? OVID_MSR_GP : OVID_MSR_OK;
	if (by != OVID_MSR_BY_CHECK)
		vp->msrs.mc_ctl[i] = val;
	return OVID_MSR_OK;
}

/* ---- identity and switches ---------------------------------------------- */

static int write_misc_enable(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (by != OVID_MSR_BY_CHECK)
		vp->msrs.misc_enable = (val & MSR_IA32_MISC_ENABLE_FAST_STRING) |
				       MISC_ENABLE_FIXED;
	return OVID_MSR_OK;
}

static int write_feature_control(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (val & ~FEAT_LOCKED ||
	    (by == OVID_MSR_BY_GUEST && vp->msrs.feature_control & FEAT_LOCKED))
		return OVID_MSR_GP;
	if (by != OVID_MSR_BY_CHECK)
		vp->msrs.feature_control = val;
	return OVID_MSR_OK;
}

/* a guest writes zero before CPUID to have the revision put in: it is there always */
static int write_bios_sign_id(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (by == OVID_MSR_BY_HOST)
		vp->msrs.bios_sign_id = val;
	return OVID_MSR_OK;
}

static int write_zero_only(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	return val ? OVID_MSR_GP : OVID_MSR_OK;
}

static u64 host_arch_caps(void)
{
	u64 val = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES) &&
	    ovid_rdmsr_safe(MSR_IA32_ARCH_CAPABILITIES, &val))
		val = 0;
	return val & ARCH_CAPS_SHOWN;
}

static int read_arch_caps(struct ovid_vp *vp, u32 msr, u64 *val)
{
	*val = vp->msrs.arch_capabilities;
	return vp_has(vp, 7, OVID_EDX, 29) ? OVID_MSR_OK : OVID_MSR_ABSENT;
}

static int write_arch_caps(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (!vp_has(vp, 7, OVID_EDX, 29))
		return OVID_MSR_ABSENT;
	if (by == OVID_MSR_BY_GUEST || val & ~host_arch_caps())
		return OVID_MSR_GP;
	if (by != OVID_MSR_BY_CHECK)
		vp->msrs.arch_capabilities = val;
	return OVID_MSR_OK;
}

/* ---- the rows ------------------------------------------------------------ */

enum {
	R_NONE,			/* policy decides */
	R_TSC, R_TSC_ADJUST, R_TSC_DEADLINE, R_APIC_BASE, R_X2APIC,
	R_EFER, R_SEG_BASE, R_SYSENTER_CS, R_SYSENTER_ADDR, R_KERNEL_GS_BASE,
	R_STAR, R_LSTAR, R_CSTAR, R_SFMASK, R_TSC_AUX, R_XSS, R_DEBUGCTL,
	R_PAT, R_MTRR_CAP, R_MTRR_DEF, R_MTRR_VAR, R_MTRR_FIXED,
	R_MCG_CAP, R_MCG_STATUS, R_MC,
	R_MISC_ENABLE, R_FEATURE_CONTROL, R_BIOS_SIGN_ID, R_ARCH_CAPS,
	R_ZERO, R_ZERO_RW, R_HV,
};

#define STORED(field)	.flags = ROW_STORED, .offset = offsetof(struct ovid_msr_store, field)
#define STORED_LOAD(field, more)						\
	.flags = ROW_STORED | ROW_LOAD | (more),				\
	.offset = offsetof(struct ovid_msr_store, field)

static const struct msr_row rows[] = {
	[R_NONE]	= {},
	[R_TSC]		= { read_tsc, write_tsc },
	[R_TSC_ADJUST]	= { NULL, write_tsc_adjust, STORED(tsc_adjust) },
	[R_TSC_DEADLINE] = { read_apic, write_tsc_deadline },
	[R_APIC_BASE]	= { read_apic_base, write_apic_base },
	[R_X2APIC]	= { read_apic, write_apic },
	[R_EFER]	= { read_backend, write_efer },
	[R_SEG_BASE]	= { read_backend, write_backend_canonical },
	[R_SYSENTER_CS]	= { read_backend, write_backend },
	[R_SYSENTER_ADDR] = { read_backend, write_backend_canonical },
	[R_KERNEL_GS_BASE] = { STORED_LOAD(kernel_gs_base, ROW_CANONICAL) },
	[R_STAR]	= { STORED_LOAD(star, 0) },
	[R_LSTAR]	= { STORED_LOAD(lstar, ROW_CANONICAL) },
	[R_CSTAR]	= { STORED_LOAD(cstar, ROW_CANONICAL) },
	[R_SFMASK]	= { STORED_LOAD(sfmask, 0), .value = GENMASK_ULL(63, 32) },
	[R_TSC_AUX]	= { read_tsc_aux, write_tsc_aux },
	[R_XSS]		= { read_xss, write_xss },
	[R_DEBUGCTL]	= { read_debugctl, write_debugctl },
	[R_PAT]		= { NULL, write_pat, STORED(pat) },
	[R_MTRR_CAP]	= { .flags = ROW_FIXED, .value = MTRR_CAP },
	[R_MTRR_DEF]	= { NULL, write_mtrr_def, STORED(mtrr_def_type) },
	[R_MTRR_VAR]	= { read_mtrr_var, write_mtrr_var },
	[R_MTRR_FIXED]	= { read_mtrr_fixed, write_mtrr_fixed },
	[R_MCG_CAP]	= { .flags = ROW_FIXED, .value = OVID_NR_MC_BANKS },
	[R_MCG_STATUS]	= { STORED(mcg_status), .value = ~7ull },
	[R_MC]		= { read_mc, write_mc },
	[R_MISC_ENABLE]	= { NULL, write_misc_enable, STORED(misc_enable) },
	[R_FEATURE_CONTROL] = { NULL, write_feature_control, STORED(feature_control) },
	[R_BIOS_SIGN_ID] = { NULL, write_bios_sign_id, STORED(bios_sign_id) },
	[R_ARCH_CAPS]	= { read_arch_caps, write_arch_caps },
	[R_ZERO]	= { .flags = ROW_FIXED },
	[R_ZERO_RW]	= { NULL, write_zero_only, .flags = ROW_FIXED },
	[R_HV]		= { ovid_hv_msr_read, ovid_hv_msr_write },
};

static const u8 low_rows[LOW_MSRS] = {
	[MSR_IA32_TSC]			= R_TSC,
	[MSR_IA32_PLATFORM_ID]		= R_ZERO,
	[MSR_IA32_APICBASE]		= R_APIC_BASE,
	[MSR_IA32_FEAT_CTL]		= R_FEATURE_CONTROL,
	[MSR_IA32_TSC_ADJUST]		= R_TSC_ADJUST,
	[MSR_IA32_UCODE_REV]		= R_BIOS_SIGN_ID,
	[MSR_PLATFORM_INFO]		= R_ZERO,
	[MSR_MTRRcap]			= R_MTRR_CAP,
	[MSR_IA32_ARCH_CAPABILITIES]	= R_ARCH_CAPS,
	[MSR_MISC_FEATURES_ENABLES]	= R_ZERO_RW,
	[MSR_IA32_SYSENTER_CS]		= R_SYSENTER_CS,
	[MSR_IA32_SYSENTER_ESP]		= R_SYSENTER_ADDR,
	[MSR_IA32_SYSENTER_EIP]		= R_SYSENTER_ADDR,
	[MSR_IA32_MCG_CAP]		= R_MCG_CAP,
	[MSR_IA32_MCG_STATUS]		= R_MCG_STATUS,
	[MSR_IA32_MISC_ENABLE]		= R_MISC_ENABLE,
	[MSR_IA32_DEBUGCTLMSR]		= R_DEBUGCTL,
	[0x200 ... 0x200 + 2 * OVID_NR_VAR_MTRR - 1] = R_MTRR_VAR,
	[0x250]				= R_MTRR_FIXED,
	[0x258 ... 0x259]		= R_MTRR_FIXED,
	[0x268 ... 0x26f]		= R_MTRR_FIXED,
	[MSR_IA32_CR_PAT]		= R_PAT,
	[MSR_MTRRdefType]		= R_MTRR_DEF,
	[MSR_IA32_MC0_CTL ... MSR_IA32_MC0_CTL + 4 * OVID_NR_MC_BANKS - 1] = R_MC,
	[MSR_IA32_TSC_DEADLINE]		= R_TSC_DEADLINE,
	[0x800 ... 0x8ff]		= R_X2APIC,
	[MSR_IA32_XSS]			= R_XSS,
};

static const u8 high_rows[HIGH_MSRS] = {
	[MSR_EFER - HIGH_FIRST]			= R_EFER,
	[MSR_STAR - HIGH_FIRST]			= R_STAR,
	[MSR_LSTAR - HIGH_FIRST]		= R_LSTAR,
	[MSR_CSTAR - HIGH_FIRST]		= R_CSTAR,
	[MSR_SYSCALL_MASK - HIGH_FIRST]		= R_SFMASK,
	[MSR_FS_BASE - HIGH_FIRST]		= R_SEG_BASE,
	[MSR_GS_BASE - HIGH_FIRST]		= R_SEG_BASE,
	[MSR_KERNEL_GS_BASE - HIGH_FIRST]	= R_KERNEL_GS_BASE,
	[MSR_TSC_AUX - HIGH_FIRST]		= R_TSC_AUX,
};

static __always_inline const struct msr_row *find_row(u32 msr)
{
	if (msr < LOW_MSRS)
		return &rows[low_rows[array_index_nospec(msr, LOW_MSRS)]];
	if (msr >= HV_MSR_FIRST && msr <= HV_MSR_LAST)
		return &rows[R_HV];
	msr -= HIGH_FIRST;
	if (msr < HIGH_MSRS)
		return &rows[high_rows[array_index_nospec(msr, HIGH_MSRS)]];
	return &rows[R_NONE];
}

static u64 *stored(struct ovid_vp *vp, const struct msr_row *row)
{
	return (u64 *)((char *)&vp->msrs + row->offset);
}

static __always_inline int row_read(struct ovid_vp *vp, const struct msr_row *row,
				    u32 msr, u64 *val)
{
	if (row->read)
		return row->read(vp, msr, val);
	if (row->flags & ROW_STORED)
		*val = READ_ONCE(*stored(vp, row));
	else if (row->flags & ROW_FIXED)
		*val = row->value;
	else
		return OVID_MSR_ABSENT;
	return OVID_MSR_OK;
}

static int row_write(struct ovid_vp *vp, const struct msr_row *row, u32 msr, u64 val,
		     enum ovid_msr_by by)
{
	if (row->write)
		return row->write(vp, msr, val, by);
	if (row->flags & ROW_FIXED)
		return OVID_MSR_GP;
	if (!(row->flags & ROW_STORED))
		return OVID_MSR_ABSENT;
	if (val & row->value || (row->flags & ROW_CANONICAL && !is_canonical(val)))
		return OVID_MSR_GP;
	if (by == OVID_MSR_BY_CHECK)
		return OVID_MSR_OK;
	WRITE_ONCE(*stored(vp, row), val);
	if (row->flags & ROW_LOAD)
		ovid_backend->msr_set(vp, msr, val);	/* has nothing to check */
	return OVID_MSR_OK;
}

/* ---- policy -------------------------------------------------------------- */

static u32 find_action(struct ovid_partition *part, u32 msr, bool write)
{
	const struct ovid_msr_rules *rules;
	u32 i;

	guard(rcu)();
	rules = rcu_dereference(part->msr_rules);
	if (!rules)
		return OVID_MSR_FAULT;
	for (i = 0; i < rules->count; i++) {
		const struct ovid_msr_rule *r = &rules->rules[i];

		if (msr >= r->first && msr <= r->last)
			return write ? r->write : r->read;
	}
	return rules->default_action;
}

static noinline enum ovid_msr_result absent(struct ovid_partition *part, u32 msr, bool write)
{
	switch (find_action(part, msr, write)) {
	case OVID_MSR_IGNORE:
		return OVID_MSR_OK;
	case OVID_MSR_WORKER:
		return OVID_MSR_TO_WORKER;
	default:
		return OVID_MSR_GP;
	}
}

enum ovid_msr_result ovid_msr_read(struct ovid_vp *vp, u32 msr, u64 *val)
{
	int ret = row_read(vp, find_row(msr), msr, val);

	if (likely(ret != OVID_MSR_ABSENT))
		return ret;
	*val = 0;
	return absent(vp->part, msr, false);
}

enum ovid_msr_result ovid_msr_write(struct ovid_vp *vp, u32 msr, u64 val)
{
	int ret = row_write(vp, find_row(msr), msr, val, OVID_MSR_BY_GUEST);

	if (likely(ret != OVID_MSR_ABSENT))
		return ret;
	return absent(vp->part, msr, true);
}

enum ovid_msr_result ovid_msr_write_slow(struct ovid_vp *vp, u32 msr, u64 val)
{
	return ovid_hv_msr_write_slow(vp, msr, val);
}

enum ovid_msr_result ovid_msr_host_read(struct ovid_vp *vp, u32 msr, u64 *val)
{
	const struct msr_row *row = find_row(msr);
	int ret;

	if (row == &rows[R_HV])
		ret = ovid_hv_msr_host_read(vp, msr, val);
	else
		ret = row_read(vp, row, msr, val);

	return ret == OVID_MSR_ABSENT ? OVID_MSR_GP : ret;
}

enum ovid_msr_result ovid_msr_host_write(struct ovid_vp *vp, u32 msr, u64 val)
{
	int ret = row_write(vp, find_row(msr), msr, val, OVID_MSR_BY_HOST);

	return ret == OVID_MSR_ABSENT ? OVID_MSR_GP : ret;
}

enum ovid_msr_result ovid_msr_host_check(struct ovid_vp *vp, u32 msr, u64 val)
{
	int ret = row_write(vp, find_row(msr), msr, val, OVID_MSR_BY_CHECK);

	return ret == OVID_MSR_ABSENT ? OVID_MSR_GP : ret;
}

void ovid_msr_reset(struct ovid_vp *vp)
{
	vp->msrs = (struct ovid_msr_store) {
		.pat = PAT_RESET,
		.misc_enable = MISC_ENABLE_RESET,
		.feature_control = FEAT_LOCKED,
		.bios_sign_id = (u64)boot_cpu_data.microcode << 32,
		.arch_capabilities = host_arch_caps(),
	};
}

static bool action_ok(u32 action)
{
	return action <= OVID_MSR_WORKER;
}

static int check_rules(const struct ovid_msr_rules *rules)
{
	u32 i;

	for (i = 0; i < rules->count; i++) {
		const struct ovid_msr_rule *r = &rules->rules[i];

		if (r->first > r->last || !action_ok(r->read) || !action_ok(r->write))
			return -EINVAL;
	}
	return 0;
}

int ovid_msr_set_policy(struct ovid_partition *part, const struct ovid_msr_policy *arg)
{
	struct ovid_msr_rules *rules __free(kfree) = NULL;
	struct ovid_msr_rules *old;
	u32 count = arg->count;

	if (arg->flags || !action_ok(arg->default_action) || count > OVID_MAX_MSR_RULES)
		return -EINVAL;
	rules = kzalloc(struct_size(rules, rules, count), GFP_KERNEL_ACCOUNT);
	if (!rules)
		return -ENOMEM;
	rules->default_action = arg->default_action;
	rules->count = count;
	if (count && copy_from_user(rules->rules, u64_to_user_ptr(arg->rules),
				    count * sizeof(rules->rules[0])))
		return -EFAULT;
	if (check_rules(rules))
		return -EINVAL;
	/* writers hold part->lock, or have the partition to themselves */
	old = rcu_replace_pointer(part->msr_rules, no_free_ptr(rules), true);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/* the partition's last reference is gone: nobody looks any more */
void ovid_msr_fini(struct ovid_partition *part)
{
	kfree(rcu_dereference_protected(part->msr_rules, true));
	RCU_INIT_POINTER(part->msr_rules, NULL);
}
