// SPDX-License-Identifier: GPL-2.0-only
/*
 * Synthetic MSRs (TLFS: Partition and Virtual Processor Properties, Hypercall
 * Interface, Timers).  A row each, with the privilege that a guest needs for it;
 * the host, which saves and restores, needs none.
 *
 * Writes that place a page sleep: they come back as ovid_hv_msr_write_slow().
 * Values are the VP's own (its thread or vp->lock), or the partition's (writes
 * under hv.lock, reads under none).
 */
#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/math64.h>
#include <linux/nospec.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include "backend.h"
#include "compat.h"
#include "hv.h"
#include "lapic.h"
#include "partition.h"
#include "tlfs.h"
#include "vp.h"

#define CRASH_FEATURE	BIT_ULL(63)	/* as a privilege: HV_FEATURE_CRASH_MSRS */
#define HV_MSRS		(HV_MSR_LAST - HV_MSR_FIRST + 1)

struct hv_row {
	u64 privilege;
	u64 (*read)(struct ovid_vp *vp, u32 msr);	/* NULL: reads as 0 */
	int (*write)(struct ovid_vp *vp, u32 msr, u64 val);	/* NULL: read-only */
	/* @write sleeps; otherwise it does not, and interrupts may be off */
	bool slow;
	/* by the host, which puts back what it read; NULL: as the guest */
	int (*restore)(struct ovid_vp *vp, u32 msr, u64 val);
};

/* ---- pages that the guest places ---- */

bool ovid_hv_page_valid(struct ovid_partition *part, u64 val)
{
	return !(val >> ovid_cpuid_phys_bits(part));
}

int ovid_hv_page_place(struct ovid_partition *part, struct ovid_overlay *ov, u64 val)
{
	if (val & HV_PAGE_ENABLE)
		return ovid_overlay_place(part, ov, HV_PAGE_GFN(val));
	ovid_overlay_remove(part, ov);
	return 0;
}

static u64 read_guest_os_id(struct ovid_vp *vp, u32 msr)
{
	return READ_ONCE(vp->part->hv.guest_os_id);
}

static void hypercall_off(struct ovid_partition *part)
{
	ovid_overlay_remove(part, &part->hv.hypercall_page);
	WRITE_ONCE(part->hv.hypercall, part->hv.hypercall & ~HV_PAGE_ENABLE);
}

/* whoever has no name has no hypercalls */
static int write_guest_os_id(struct ovid_vp *vp, u32 msr, u64 val)
{
	struct ovid_partition *part = vp->part;

	guard(mutex)(&part->hv.lock);
	WRITE_ONCE(part->hv.guest_os_id, val);
	if (!val)
		hypercall_off(part);
	return OVID_MSR_OK;
}

static u64 read_hypercall(struct ovid_vp *vp, u32 msr)
{
	return READ_ONCE(vp->part->hv.hypercall);
}

static int write_hypercall(struct ovid_vp *vp, u32 msr, u64 val)
{
	struct ovid_partition *part = vp->part;

	guard(mutex)(&part->hv.lock);
	if (part->hv.hypercall & HV_HYPERCALL_LOCKED || !ovid_hv_page_valid(part, val))
		return OVID_MSR_GP;
	if (!part->hv.guest_os_id)
		val &= ~HV_PAGE_ENABLE;
	if (ovid_hv_page_place(part, &part->hv.hypercall_page, val))
		return OVID_MSR_GP;
	WRITE_ONCE(part->hv.hypercall, val);
	return OVID_MSR_OK;
}

static u64 read_reference_tsc(struct ovid_vp *vp, u32 msr)
{
	return READ_ONCE(vp->part->hv.reference_tsc);
}

static int write_reference_tsc(struct ovid_vp *vp, u32 msr, u64 val)
{
	struct ovid_partition *part = vp->part;

	guard(mutex)(&part->hv.lock);
	if (!ovid_hv_page_valid(part, val) || ovid_hv_page_place(part, &part->tsc_page, val))
		return OVID_MSR_GP;
	WRITE_ONCE(part->hv.reference_tsc, val);
	return OVID_MSR_OK;
}

static u64 read_vp_assist(struct ovid_vp *vp, u32 msr)
{
	return vp->hv.assist_msr;
}

static int write_vp_assist(struct ovid_vp *vp, u32 msr, u64 val)
{
	if (!ovid_hv_page_valid(vp->part, val) || ovid_hv_page_place(vp->part, &vp->hv.assist, val))
		return OVID_MSR_GP;
	vp->hv.assist_msr = val;
	/* its first word is about EOIs; the others are for hypervisors in the guest */
	ovid_lapic_set_lazy(vp, val & HV_PAGE_ENABLE ? ovid_overlay_data(&vp->hv.assist) : NULL);
	return OVID_MSR_OK;
}

/* ---- numbers ---- */

static u64 read_vp_index(struct ovid_vp *vp, u32 msr)
{
	return vp->index;
}

/* in 100 ns, of the host's clock */
static u64 read_vp_runtime(struct ovid_vp *vp, u32 msr)
{
	u64 ticks = vp->run_ticks;

	if (vp->run_since)
		ticks += rdtsc() - vp->run_since;
	return mul_u64_u64_div_u64(ticks, 10000, max(tsc_khz, 1u));
}

static u64 read_time_ref_count(struct ovid_vp *vp, u32 msr)
{
	return ovid_part_reference_time(vp->part);
}

static u64 read_frequency(struct ovid_vp *vp, u32 msr)
{
	u32 khz = vp->part->tsc_khz;

	return msr == HV_MSR_TSC_FREQUENCY ? khz * 1000ull : ovid_apic_timer_hz(khz);
}

/* ---- the local APIC (TLFS: Local APIC MSRs), in xAPIC and x2APIC mode ---- */

static u64 read_icr(struct ovid_vp *vp, u32 msr)
{
	return ovid_lapic_icr(vp);
}

static u64 read_tpr(struct ovid_vp *vp, u32 msr)
{
	return ovid_lapic_read(vp, APIC_TPR_OFF);
}

static int write_apic(struct ovid_vp *vp, u32 msr, u64 val)
{
	if (!ovid_lapic_enabled(&vp->apic))
		return OVID_MSR_GP;
	switch (msr) {
	case HV_MSR_EOI:
		return OVID_MSR_EOI;
	case HV_MSR_ICR:
		return ovid_lapic_set_icr(vp, val) ? OVID_MSR_GP : OVID_MSR_OK;
	default:		/* TPR */
		if (val > 0xff)
			return OVID_MSR_GP;
		ovid_lapic_write(vp, APIC_TPR_OFF, val);
		return OVID_MSR_OK;
	}
}

/* the APIC's own state has it */
static int restore_nothing(struct ovid_vp *vp, u32 msr, u64 val)
{
	return OVID_MSR_OK;
}

/* ---- migration (TLFS: Nested Virtualization, Compatibility with Live Migration) ---- */

#define REENLIGHTENMENT_RESERVED	(GENMASK_ULL(31, 17) | GENMASK_ULL(15, 8))

/*
 * A guest's TSC keeps its speed wherever it goes, so the interrupt is never
 * sent, and no TSC is ever emulated.
 */
static u64 read_reenlightenment(struct ovid_vp *vp, u32 msr)
{
	return READ_ONCE(vp->part->hv.reenlightenment);
}

static int write_reenlightenment(struct ovid_vp *vp, u32 msr, u64 val)
{
	if (val & REENLIGHTENMENT_RESERVED)
		return OVID_MSR_GP;
	WRITE_ONCE(vp->part->hv.reenlightenment, val);
	return OVID_MSR_OK;
}

static u64 read_tsc_emulation(struct ovid_vp *vp, u32 msr)
{
	return READ_ONCE(vp->part->hv.tsc_emulation);
}

static int write_tsc_emulation(struct ovid_vp *vp, u32 msr, u64 val)
{
	if (val > 1)
		return OVID_MSR_GP;
	WRITE_ONCE(vp->part->hv.tsc_emulation, val);
	return OVID_MSR_OK;
}

/* of a status that is never anything else */
static int write_zero(struct ovid_vp *vp, u32 msr, u64 val)
{
	return val ? OVID_MSR_GP : OVID_MSR_OK;
}

/* once it is invariant it stays so; what CPUID says follows (cpuid.c) */
static u64 read_tsc_invariant(struct ovid_vp *vp, u32 msr)
{
	return READ_ONCE(vp->part->hv.tsc_invariant);
}

static int restore_tsc_invariant(struct ovid_vp *vp, u32 msr, u64 val)
{
	if (val > 1)
		return OVID_MSR_GP;
	WRITE_ONCE(vp->part->hv.tsc_invariant, val);
	return OVID_MSR_OK;
}

static int write_tsc_invariant(struct ovid_vp *vp, u32 msr, u64 val)
{
	if (READ_ONCE(vp->part->hv.tsc_invariant) && !val)
		return OVID_MSR_GP;
	return restore_tsc_invariant(vp, msr, val);
}

/* ---- reset, crash (TLFS: Partition Crash Enlightenment) ---- */

static u64 read_zero(struct ovid_vp *vp, u32 msr)
{
	return 0;
}

static int write_reset(struct ovid_vp *vp, u32 msr, u64 val)
{
	return val & 1 ? OVID_MSR_RESET : OVID_MSR_OK;
}

static u64 *crash_reg(struct ovid_partition *part, u32 msr)
{
	return &part->hv.crash[array_index_nospec(msr - HV_MSR_CRASH_P0, OVID_HV_CRASH_REGS)];
}

static u64 read_crash(struct ovid_vp *vp, u32 msr)
{
	return READ_ONCE(*crash_reg(vp->part, msr));
}

static int write_crash(struct ovid_vp *vp, u32 msr, u64 val)
{
	WRITE_ONCE(*crash_reg(vp->part, msr), val);
	return OVID_MSR_OK;
}

/* what can be done; nothing is stored */
static u64 read_crash_ctl(struct ovid_vp *vp, u32 msr)
{
	return HV_CRASH_NOTIFY | HV_CRASH_MESSAGE;
}

static int write_crash_ctl(struct ovid_vp *vp, u32 msr, u64 val)
{
	return val & HV_CRASH_NOTIFY ? OVID_MSR_CRASH : OVID_MSR_OK;
}

/* ---- the rows ---- */

enum {
	H_NONE,
	H_GUEST_OS_ID, H_HYPERCALL, H_VP_INDEX, H_VP_RUNTIME, H_TIME_REF_COUNT,
	H_REFERENCE_TSC, H_FREQUENCY, H_VP_ASSIST, H_GUEST_IDLE, H_RESET, H_CRASH,
	H_CRASH_CTL, H_SYNIC, H_SYNIC_PAGE, H_SVERSION, H_STIMER, H_EOI, H_ICR, H_TPR,
	H_REENLIGHTENMENT, H_TSC_EMULATION, H_TSC_STATUS, H_TSC_INVARIANT,
};

static const struct hv_row rows[] = {
	[H_NONE]	= {},
	[H_GUEST_OS_ID]	= { HV_PRIV_HYPERCALL_MSRS, read_guest_os_id, write_guest_os_id, true },
	[H_HYPERCALL]	= { HV_PRIV_HYPERCALL_MSRS, read_hypercall, write_hypercall, true },
	[H_VP_INDEX]	= { HV_PRIV_VP_INDEX, read_vp_index },
	[H_VP_RUNTIME]	= { HV_PRIV_VP_RUNTIME, read_vp_runtime },
	[H_TIME_REF_COUNT] = { HV_PRIV_REFERENCE_COUNTER, read_time_ref_count },
	[H_REFERENCE_TSC] = { HV_PRIV_REFERENCE_TSC, read_reference_tsc, write_reference_tsc,
			      true },
	[H_FREQUENCY]	= { HV_PRIV_FREQUENCY_MSRS, read_frequency },
	/* guests do not ask for a privilege before they use it */
	[H_VP_ASSIST]	= { HV_PRIV_HYPERCALL_MSRS, read_vp_assist, write_vp_assist, true },
	[H_GUEST_IDLE]	= { HV_PRIV_GUEST_IDLE },
	[H_RESET]	= { HV_PRIV_RESET, read_zero, write_reset },
	[H_CRASH]	= { CRASH_FEATURE, read_crash, write_crash },
	[H_SYNIC]	= { HV_PRIV_SYNIC, ovid_synic_msr_read, ovid_synic_msr_write },
	[H_SYNIC_PAGE]	= { HV_PRIV_SYNIC, ovid_synic_msr_read, ovid_synic_page_write, true },
	[H_SVERSION]	= { HV_PRIV_SYNIC, ovid_synic_msr_read },
	[H_STIMER]	= { HV_PRIV_STIMER, ovid_stimer_msr_read, ovid_stimer_msr_write,
			    .restore = ovid_stimer_msr_restore },
	[H_CRASH_CTL]	= { CRASH_FEATURE, read_crash_ctl, write_crash_ctl },
	[H_EOI]		= { HV_PRIV_APIC_MSRS, NULL, write_apic },
	[H_ICR]		= { HV_PRIV_APIC_MSRS, read_icr, write_apic, .restore = restore_nothing },
	[H_TPR]		= { HV_PRIV_APIC_MSRS, read_tpr, write_apic, .restore = restore_nothing },
	[H_REENLIGHTENMENT] = { HV_PRIV_REENLIGHTENMENT, read_reenlightenment,
				write_reenlightenment },
	[H_TSC_EMULATION] = { HV_PRIV_REENLIGHTENMENT, read_tsc_emulation,
			      write_tsc_emulation },
	[H_TSC_STATUS]	= { HV_PRIV_REENLIGHTENMENT, read_zero, write_zero },
	[H_TSC_INVARIANT] = { HV_PRIV_TSC_INVARIANT, read_tsc_invariant, write_tsc_invariant,
			      .restore = restore_tsc_invariant },
};

#define AT(msr)	(HV_MSR_##msr - HV_MSR_FIRST)

static const u8 row_of[HV_MSRS] = {
	[AT(GUEST_OS_ID)]		= H_GUEST_OS_ID,
	[AT(HYPERCALL)]		= H_HYPERCALL,
	[AT(VP_INDEX)]		= H_VP_INDEX,
	[AT(VP_RUNTIME)]		= H_VP_RUNTIME,
	[AT(TIME_REF_COUNT)]	= H_TIME_REF_COUNT,
	[AT(REFERENCE_TSC)]	= H_REFERENCE_TSC,
	[AT(TSC_FREQUENCY)]	= H_FREQUENCY,
	[AT(APIC_FREQUENCY)]	= H_FREQUENCY,
	[AT(VP_ASSIST_PAGE)]	= H_VP_ASSIST,
	[AT(GUEST_IDLE)]		= H_GUEST_IDLE,
	[AT(RESET)]		= H_RESET,
	[AT(CRASH_P0) ... AT(CRASH_P4)] = H_CRASH,
	[AT(SCONTROL)]		= H_SYNIC,
	[AT(SVERSION)]		= H_SVERSION,
	[AT(SIEFP) ... AT(SIMP)] = H_SYNIC_PAGE,
	[AT(EOM)]		= H_SYNIC,
	[AT(SINT0) ... AT(SINT15)] = H_SYNIC,
	[AT(STIMER0_CONFIG) ... AT(STIMER3_COUNT)] = H_STIMER,
	[AT(CRASH_CTL)]		= H_CRASH_CTL,
	[AT(EOI)]		= H_EOI,
	[AT(ICR)]		= H_ICR,
	[AT(TPR)]		= H_TPR,
	[AT(REENLIGHTENMENT)]	= H_REENLIGHTENMENT,
	[AT(TSC_EMULATION)]	= H_TSC_EMULATION,
	[AT(TSC_EMULATION_STATUS)] = H_TSC_STATUS,
	[AT(TSC_INVARIANT)]	= H_TSC_INVARIANT,
};

static const struct hv_row *find_row(u32 msr)
{
	u32 i = msr - HV_MSR_FIRST;

	return &rows[i < HV_MSRS ? row_of[array_index_nospec(i, HV_MSRS)] : H_NONE];
}

static bool has(struct ovid_vp *vp, const struct hv_row *row)
{
	if (row->privilege == CRASH_FEATURE)
		return ovid_cpuid_hv_features(vp->part) & HV_FEATURE_CRASH_MSRS;
	return ovid_cpuid_hv_privileges(vp->part) & row->privilege;
}

int ovid_hv_msr_read(struct ovid_vp *vp, u32 msr, u64 *val)
{
	const struct hv_row *row = find_row(msr);

	if (!has(vp, row))
		return OVID_MSR_ABSENT;
	if (row == &rows[H_EOI])	/* write-only */
		return OVID_MSR_GP;
	*val = row->read ? row->read(vp, msr) : 0;
	return row == &rows[H_GUEST_IDLE] ? OVID_MSR_IDLE : OVID_MSR_OK;
}

int ovid_hv_msr_host_read(struct ovid_vp *vp, u32 msr, u64 *val)
{
	const struct hv_row *row = find_row(msr);

	if (!row->read)
		return OVID_MSR_ABSENT;
	*val = row->read(vp, msr);
	return OVID_MSR_OK;
}

int ovid_hv_msr_write(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	const struct hv_row *row = find_row(msr);

	if (by == OVID_MSR_BY_GUEST && !has(vp, row))
		return OVID_MSR_ABSENT;
	if (!row->write)
		return row->privilege ? OVID_MSR_GP : OVID_MSR_ABSENT;
	switch (by) {
	case OVID_MSR_BY_CHECK:
		return OVID_MSR_OK;
	case OVID_MSR_BY_HOST:	/* state; nothing is set off by it */
		if (row->restore)
			return row->restore(vp, msr, val);
		return row->write(vp, msr, val) == OVID_MSR_GP ? OVID_MSR_GP : OVID_MSR_OK;
	default:
		return row->slow ? OVID_MSR_SLOW : row->write(vp, msr, val);
	}
}

int ovid_hv_msr_write_slow(struct ovid_vp *vp, u32 msr, u64 val)
{
	const struct hv_row *row = find_row(msr);

	return row->write ? row->write(vp, msr, val) : OVID_MSR_GP;
}

/* ---- life ---- */

int ovid_hv_part_init(struct ovid_partition *part)
{
	int err;

	mutex_init(&part->hv.lock);
	ovid_overlays_init(part);
	err = ovid_overlay_init(&part->tsc_page, OVID_OVERLAY_TSC);
	err = err ?: ovid_overlay_init(&part->hv.hypercall_page, OVID_OVERLAY_HYPERCALL);
	if (err) {
		ovid_hv_part_fini(part);
		return err;
	}
	part->hv.hypercall_page.exec = true;
	memset(ovid_overlay_data(&part->hv.hypercall_page), 0xcc /* INT3 */, PAGE_SIZE);
	memcpy(ovid_overlay_data(&part->hv.hypercall_page), ovid_backend->hypercall_code,
	       sizeof(ovid_backend->hypercall_code));
	return 0;
}

void ovid_hv_part_fini(struct ovid_partition *part)
{
	ovid_overlay_fini(&part->hv.hypercall_page);
	ovid_overlay_fini(&part->tsc_page);
	ovid_overlays_fini(part);
}

void ovid_hv_part_reset(struct ovid_partition *part)
{
	guard(mutex)(&part->hv.lock);
	ovid_overlay_remove(part, &part->hv.hypercall_page);
	ovid_overlay_remove(part, &part->tsc_page);
	WRITE_ONCE(part->hv.guest_os_id, 0);
	WRITE_ONCE(part->hv.hypercall, 0);
	WRITE_ONCE(part->hv.reference_tsc, 0);
	memset(part->hv.crash, 0, sizeof(part->hv.crash));
	WRITE_ONCE(part->hv.tsc_invariant, 0);
	WRITE_ONCE(part->hv.reenlightenment, 0);
	WRITE_ONCE(part->hv.tsc_emulation, 0);
}

int ovid_hv_vp_init(struct ovid_vp *vp)
{
	vp->hv.call = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, 1);
	if (!vp->hv.call)
		return -ENOMEM;
	vp->hv.assist.write = true;
	return ovid_overlay_init(&vp->hv.assist, OVID_OVERLAY_ASSIST(vp->index)) ?:
	       ovid_synic_init(vp);
}

void ovid_hv_vp_fini(struct ovid_vp *vp)
{
	ovid_synic_fini(vp);
	ovid_overlay_fini(&vp->hv.assist);
	free_pages((unsigned long)vp->hv.call, 1);
}

void ovid_hv_vp_reset(struct ovid_vp *vp)
{
	ovid_overlay_remove(vp->part, &vp->hv.assist);
	memset(ovid_overlay_data(&vp->hv.assist), 0, PAGE_SIZE);
	vp->hv.assist_msr = 0;
	ovid_lapic_set_lazy(vp, NULL);
	ovid_synic_reset(vp);
}
