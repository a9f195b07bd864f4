// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's modes (IA32_APIC_BASE), its reset, and its state as the host
 * saves and restores it.  What registers do is in lapic.c.
 *
 * No locks: all of it is the VP's thread's, or under vp->lock.
 */
#include <linux/gfp.h>
#include <linux/string.h>
#include "cpuid.h"
#include "lapic_priv.h"

#define XAPIC_BROADCAST_ID	0xFFu

/* the registers whose form depends on the mode */
static void regs_set_mode(struct ovid_lapic *apic)
{
	bool x2apic = ovid_lapic_x2apic(apic);
	u32 id = apic->initial_id;

	lapic_set_reg(apic, APIC_ID_OFF, x2apic ? id : id << 24);
	lapic_set_reg(apic, APIC_LDR_OFF, x2apic ? lapic_x2apic_ldr(id) : 0);
	lapic_set_reg(apic, APIC_DFR_OFF, x2apic ? 0 : ~0u);
	/* the destination in ICR: bits 31:24 of a register, or a word of its own */
	if (x2apic)
		lapic_set_reg(apic, APIC_ICR_OFF + 4, lapic_reg(apic, APIC_ICR2_OFF) >> 24);
	else
		lapic_set_reg(apic, APIC_ICR_OFF + 4, 0);
	lapic_set_reg(apic, APIC_ICR2_OFF, 0);
}

/* SDM 3A: Local APIC State After Power-Up or Reset */
static void regs_reset(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;
	u32 i;

	memset(apic->regs, 0, PAGE_SIZE);
	lapic_set_reg(apic, APIC_VERSION_OFF, OVID_APIC_VERSION);
	lapic_set_reg(apic, APIC_SVR_OFF, 0xFF);
	for (i = 0; i < LAPIC_LVT_COUNT; i++)
		lapic_set_reg(apic, APIC_LVT_TIMER_OFF + i * 0x10, LAPIC_LVT_MASKED);
	regs_set_mode(apic);
	apic->sw_enabled = false;
	WRITE_ONCE(apic->esr_pending, 0);
	apic->eoi_vector = -1;
	for (i = 0; i < 4; i++) {
		xchg(&apic->level_pir[i], 0);
		xchg(&apic->pi->pir[i], 0);
		WRITE_ONCE(apic->eoi_exit[i], 0);
	}
	ovid_apic_cache_update(apic);
	ovid_apic_timer_reset(vp);
}

/* everything that the backend derives from our state is to be derived again */
static void backend_update(struct ovid_vp *vp)
{
	lapic_request(vp, OVID_REQ_APIC_MODE);
	lapic_request(vp, OVID_REQ_EOI_MAP);
}

static void base_apply(struct ovid_vp *vp, u64 base)
{
	struct ovid_lapic *apic = &vp->apic;
	u64 changed = apic->base ^ base;

	WRITE_ONCE(apic->base, base);
	if (changed & LAPIC_BASE_EN)
		regs_reset(vp);
	else if (changed & LAPIC_BASE_EXTD)
		regs_set_mode(apic);
	if (changed & ~(u64)LAPIC_BASE_BSP)
		backend_update(vp);
}

static bool base_is_valid(struct ovid_vp *vp, u64 base)
{
	u64 valid = GENMASK_ULL(ovid_cpuid_phys_bits(vp->part) - 1, 12) |
		    LAPIC_BASE_BSP | LAPIC_BASE_EN;

	if (vp->part->x2apic_allowed)
		valid |= LAPIC_BASE_EXTD;
	if (base & ~valid)
		return false;
	return !(base & LAPIC_BASE_EXTD) || (base & LAPIC_BASE_EN);
}

/**
 * ovid_lapic_set_base - the guest's WRMSR of IA32_APIC_BASE
 * @vp: VP; its thread
 * @base: value
 *
 * SDM 3A: x2APIC State Transitions: x2APIC mode is entered from xAPIC mode and
 * left to "disabled" only.  Returns 0, or 1 for #GP.
 */
int ovid_lapic_set_base(struct ovid_vp *vp, u64 base)
{
	u64 old = vp->apic.base;

	if (!base_is_valid(vp, base))
		return 1;
	if ((base & LAPIC_BASE_EXTD) && !(old & LAPIC_BASE_EN))
		return 1;
	if ((old & LAPIC_BASE_EXTD) && (base & (LAPIC_BASE_EN | LAPIC_BASE_EXTD)) == LAPIC_BASE_EN)
		return 1;
	base_apply(vp, base);
	return 0;
}

int ovid_lapic_host_set_base(struct ovid_vp *vp, u64 base)
{
	if (!base_is_valid(vp, base))
		return -EINVAL;
	base_apply(vp, base);
	return 0;
}

int ovid_lapic_set_id(struct ovid_vp *vp, u32 id)
{
	if (id >= XAPIC_BROADCAST_ID)
		return -EINVAL;
	WRITE_ONCE(vp->apic.initial_id, id);
	if (ovid_lapic_x2apic(&vp->apic))
		lapic_set_reg(&vp->apic, APIC_LDR_OFF, lapic_x2apic_ldr(id));
	else
		id <<= 24;
	lapic_set_reg(&vp->apic, APIC_ID_OFF, id);
	ovid_apic_map_update(vp->part);
	return 0;
}

/**
 * ovid_lapic_init - give a new VP its APIC, in power-up state
 * @vp: VP that nobody else sees yet, with part and index set; the id is its index
 *
 * May sleep.  0 or -ENOMEM; nothing is left behind then.
 *
 * The descriptor would do with 64-byte alignment (SDM 3C: Posted-Interrupt
 * Processing).  It has a page of its own because Bochs 3.0 takes no less.
 */
int ovid_lapic_init(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;
	int err = ovid_apic_map_alloc(vp->part);

	if (err)
		return err;
	apic->regs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	apic->pi = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	ovid_apic_timer_init(vp);
	if (!apic->regs || !apic->pi) {
		ovid_lapic_fini(vp);
		return -ENOMEM;
	}
	apic->initial_id = vp->index;
	ovid_lapic_reset(vp, false);
	return 0;
}

void ovid_lapic_fini(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;

	/* a VP whose creation failed early comes here too */
	if (apic->regs || apic->pi)
		hrtimer_cancel(&apic->hrtimer);
	free_page((unsigned long)apic->regs);
	free_page((unsigned long)apic->pi);
	apic->regs = NULL;
	apic->pi = NULL;
}

void ovid_lapic_reset(struct ovid_vp *vp, bool init)
{
	struct ovid_lapic *apic = &vp->apic;

	if (!init) {
		WRITE_ONCE(apic->base, OVID_APIC_DEFAULT_BASE | LAPIC_BASE_EN |
				       (vp->index ? 0 : LAPIC_BASE_BSP));
		xchg(&apic->pending_init, 0);
	}
	regs_reset(vp);
	backend_update(vp);
}

/* all that is requested, in IRR or on its way there */
static u32 pending_word(const struct ovid_lapic *apic, u32 i)
{
	u64 pir = READ_ONCE(apic->pi->pir[i / 2]) | READ_ONCE(apic->level_pir[i / 2]);

	return lapic_reg(apic, APIC_IRR_OFF + i * 0x10) | (u32)(pir >> (i % 2 * 32));
}

/**
 * ovid_lapic_save - fill a LAPIC blob
 * @vp: VP; vp->lock held
 * @blob: struct ovid_lapic_blob
 *
 * A timer that is due fires first: a blob has no word for that.
 */
void ovid_lapic_save(struct ovid_vp *vp, void *blob)
{
	const struct ovid_lapic *apic = &vp->apic;
	bool x2apic = ovid_lapic_x2apic(apic);
	struct ovid_lapic_blob *b = blob;
	u32 i;

	ovid_apic_timer_poll(vp);
	*b = (struct ovid_lapic_blob) {
		.id		= lapic_reg(apic, APIC_ID_OFF),
		.version	= lapic_reg(apic, APIC_VERSION_OFF),
		.ldr		= lapic_reg(apic, APIC_LDR_OFF),
		.dfr		= lapic_reg(apic, APIC_DFR_OFF),
		.svr		= lapic_reg(apic, APIC_SVR_OFF),
		.esr		= lapic_reg(apic, APIC_ESR_OFF),
		.icr_high	= lapic_reg(apic, x2apic ? APIC_ICR_OFF + 4 : APIC_ICR2_OFF),
		.icr_low	= lapic_reg(apic, APIC_ICR_OFF),
		.lvt_timer	= lapic_reg(apic, APIC_LVT_TIMER_OFF),
		.lvt_thermal	= lapic_reg(apic, APIC_LVT_THERMAL_OFF),
		.lvt_perf	= lapic_reg(apic, APIC_LVT_PERF_OFF),
		.lvt_lint0	= lapic_reg(apic, APIC_LVT_LINT0_OFF),
		.lvt_lint1	= lapic_reg(apic, APIC_LVT_LINT1_OFF),
		.lvt_error	= lapic_reg(apic, APIC_LVT_ERROR_OFF),
		.esr_pending	= READ_ONCE(apic->esr_pending),
		.initial_count	= lapic_reg(apic, APIC_TMICT_OFF),
		.current_count	= ovid_apic_timer_left(vp),
		.divide		= lapic_reg(apic, APIC_TDCR_OFF),
	};
	for (i = 0; i < 8; i++) {
		b->isr[i] = lapic_reg(apic, APIC_ISR_OFF + i * 0x10);
		b->tmr[i] = lapic_reg(apic, APIC_TMR_OFF + i * 0x10);
		b->irr[i] = pending_word(apic, i);
	}
	if (READ_ONCE(vp->nmi_pending))
		b->irr[0] |= OVID_APIC_BLOB_NMI;
}

/* an LVT entry as a guest could have left it; one bit more: software-disabled
 * and yet not masked, as clients make it for a virtual wire
 */
static void restore_lvt(struct ovid_lapic *apic, u32 off, u32 val)
{
	lapic_set_reg(apic, off, val & ovid_apic_lvt_valid(off));
}

static void restore_vectors(struct ovid_lapic *apic, const struct ovid_lapic_blob *b)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		u32 legal = i ? ~0u : ~(u32)GENMASK(LAPIC_FIRST_VECTOR - 1, 0);

		xchg(&apic->level_pir[i / 2], 0);
		xchg(&apic->pi->pir[i / 2], 0);
		lapic_set_reg(apic, APIC_ISR_OFF + i * 0x10, b->isr[i] & legal);
		lapic_set_reg(apic, APIC_TMR_OFF + i * 0x10, b->tmr[i] & legal);
		lapic_set_reg(apic, APIC_IRR_OFF + i * 0x10, b->irr[i] & legal);
	}
	ovid_apic_cache_update(apic);
}

static void restore_icr(struct ovid_lapic *apic, const struct ovid_lapic_blob *b)
{
	lapic_set_reg(apic, APIC_ICR_OFF, b->icr_low & LAPIC_ICR_VALID);
	if (ovid_lapic_x2apic(apic))
		lapic_set_reg(apic, APIC_ICR_OFF + 4, b->icr_high);
	else
		lapic_set_reg(apic, APIC_ICR2_OFF, b->icr_high & LAPIC_ICR2_VALID);
}

/**
 * ovid_lapic_restore - put a LAPIC blob in
 * @vp: VP; vp->lock held, it does not run
 * @blob: struct ovid_lapic_blob, not shared with anyone
 *
 * Bits that do not exist are dropped; id, version, and what cannot be there in
 * the present mode too.  Returns 0, or -EINVAL for a timer mode that does not exist.
 */
int ovid_lapic_restore(struct ovid_vp *vp, const void *blob)
{
	const struct ovid_lapic_blob *b = blob;
	struct ovid_lapic *apic = &vp->apic;

	if ((b->lvt_timer & LAPIC_LVT_TIMER_MODE) == LAPIC_LVT_TIMER_MODE)
		return -EINVAL;
	if (!ovid_lapic_x2apic(apic)) {
		lapic_set_reg(apic, APIC_LDR_OFF, b->ldr & LAPIC_LDR_VALID);
		lapic_set_reg(apic, APIC_DFR_OFF, b->dfr | LAPIC_DFR_FIXED);
	}
	lapic_set_reg(apic, APIC_SVR_OFF, b->svr & LAPIC_SVR_VALID);
	apic->sw_enabled = b->svr & LAPIC_SVR_ENABLED;
	lapic_set_reg(apic, APIC_ESR_OFF, b->esr & LAPIC_ESR_VALID);
	WRITE_ONCE(apic->esr_pending, b->esr_pending & LAPIC_ESR_VALID);
	restore_icr(apic, b);
	restore_lvt(apic, APIC_LVT_TIMER_OFF, b->lvt_timer);
	restore_lvt(apic, APIC_LVT_THERMAL_OFF, b->lvt_thermal);
	restore_lvt(apic, APIC_LVT_PERF_OFF, b->lvt_perf);
	restore_lvt(apic, APIC_LVT_LINT0_OFF, b->lvt_lint0);
	restore_lvt(apic, APIC_LVT_LINT1_OFF, b->lvt_lint1);
	restore_lvt(apic, APIC_LVT_ERROR_OFF, b->lvt_error);
	lapic_set_reg(apic, APIC_TMICT_OFF, b->initial_count);
	lapic_set_reg(apic, APIC_TDCR_OFF, b->divide & LAPIC_TDCR_VALID);
	restore_vectors(apic, b);
	if (b->irr[0] & OVID_APIC_BLOB_NMI && !READ_ONCE(vp->nmi_pending))
		ovid_vp_nmi(vp);
	ovid_apic_timer_restore(vp, b->current_count);
	backend_update(vp);
	return 0;
}
