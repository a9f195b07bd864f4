// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC (SDM 3A: Advanced Programmable Interrupt Controller):
 * registers by MMIO and MSR, priorities, what comes in.  Modes, life and
 * saved state are in lapic_state.c, the timer is in lapic_timer.c, destinations
 * are in lapic_dest.c; delivery to the guest is the backend's.
 *
 * No locks: lapic.h says who touches what.
 */
#include <linux/nospec.h>
#include <asm/msr-index.h>
#include "lapic_priv.h"
#include "trace.h"

#define X2APIC_MSR_FIRST	0x800u
#define X2APIC_MSR_LAST		0x8FFu
#define X2APIC_MSR(off)		(X2APIC_MSR_FIRST + ((off) >> 4))

#define REGS_END		0x400u
#define REG_BIT(off)		BIT_ULL((off) >> 4)
#define REG_BITS(first, last)	GENMASK_ULL((last) >> 4, (first) >> 4)

/* what may be read by MMIO; APR, EOI and RRD read as zero (no P4 has them) */
#define XAPIC_READABLE							\
	(REG_BITS(APIC_ID_OFF, APIC_VERSION_OFF) |			\
	 REG_BITS(APIC_TPR_OFF, APIC_ESR_OFF) |				\
	 REG_BITS(APIC_ICR_OFF, APIC_TMCCT_OFF) | REG_BIT(APIC_TDCR_OFF))
/* and by RDMSR: EOI is write-only; APR, RRD, DFR and ICR2 do not exist */
#define X2APIC_READABLE							\
	(XAPIC_READABLE &						\
	 ~(REG_BIT(APIC_APR_OFF) | REG_BIT(APIC_EOI_OFF) | REG_BIT(APIC_RRD_OFF) | \
	   REG_BIT(APIC_DFR_OFF) | REG_BIT(APIC_ICR2_OFF)))

/* bits whose being set is a #GP in x2APIC mode; Intel lets delivery status pass */
#define X2APIC_ICR_RESERVED	0xFFF32000u

#define LVT_COMMON		(LAPIC_LVT_VECTOR | LAPIC_LVT_MASKED)
#define LVT_MODE		0x00000700u
#define LVT_PIN			0x0000A000u	/* polarity, trigger */
#define LVT_EXTINT		0x00000700u

#define PRIO(vector)		((vector) & 0xF0)	/* priority class */

/* ---- IRR, ISR, TMR ---- */

static void vec_set(struct ovid_lapic *apic, u32 off, u8 vector)
{
	off = lapic_vec_off(off, vector);
	lapic_set_reg(apic, off, lapic_reg(apic, off) | BIT(vector & 31));
}

/* adds bits to word @i; returns the word's bit in a mask of words */
static u32 vec_or(struct ovid_lapic *apic, u32 off, u32 i, u32 bits)
{
	if (!bits)
		return 0;
	off += i * 0x10;
	lapic_set_reg(apic, off, lapic_reg(apic, off) | bits);
	return BIT(i);
}

/* returns what is left of the word */
static u32 vec_clear(struct ovid_lapic *apic, u32 off, u8 vector)
{
	u32 word;

	off = lapic_vec_off(off, vector);
	word = lapic_reg(apic, off) & ~(u32)BIT(vector & 31);
	lapic_set_reg(apic, off, word);
	return word;
}

/* highest vector in a 256-bit register of which @words hold something, or -1 */
static __always_inline int vec_highest(const struct ovid_lapic *apic, u32 off, u32 words)
{
	while (words) {
		unsigned int i = fls(words) - 1;
		u32 word = lapic_reg(apic, off + i * 0x10);

		if (word)
			return i * 32 + fls(word) - 1;
		words &= ~BIT(i);
	}
	return -1;
}

/* the same where nobody knows which words hold something: by halves */
static int vec_search(const struct ovid_lapic *apic, u32 off)
{
	u32 at = off, word;

	if (lapic_reg(apic, at + 0x40) | lapic_reg(apic, at + 0x50) |
	    lapic_reg(apic, at + 0x60) | lapic_reg(apic, at + 0x70))
		at += 0x40;
	if (lapic_reg(apic, at + 0x20) | lapic_reg(apic, at + 0x30))
		at += 0x20;
	if (lapic_reg(apic, at + 0x10))
		at += 0x10;
	word = lapic_reg(apic, at);
	return word ? (at - off) * 2 + fls(word) - 1 : -1;
}

static u32 vec_words(const struct ovid_lapic *apic, u32 off)
{
	u32 i, words = 0;

	for (i = 0; i < 8; i++)
		if (lapic_reg(apic, off + i * 0x10))
			words |= BIT(i);
	return words;
}

/* what is cached of ISR and IRR, from the page */
void ovid_apic_cache_update(struct ovid_lapic *apic)
{
	apic->irr_words = vec_words(apic, APIC_IRR_OFF);
	apic->irr_maybe = apic->irr_words;
	apic->isr_words = vec_words(apic, APIC_ISR_OFF);
	apic->highest_isr = vec_highest(apic, APIC_ISR_OFF, apic->isr_words);
}

int ovid_lapic_highest_irr(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;

	if (apic->vid)
		return vec_search(apic, APIC_IRR_OFF);
	if (!apic->irr_words) {
		apic->irr_maybe = false;
		return -1;
	}
	return vec_highest(apic, APIC_IRR_OFF, apic->irr_words);
}

int ovid_lapic_highest_isr(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;

	if (!apic->vid)
		return apic->highest_isr;
	return vec_search(apic, APIC_ISR_OFF);
}

/**
 * ovid_lapic_sync_pir - take what others posted
 * @vp: VP; its thread, interrupts on or off
 *
 * Returns true if IRR got something.  An APIC that is switched off drops it.
 */
bool ovid_lapic_sync_pir(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;
	struct ovid_pi_desc *pi = apic->pi;
	u32 i, moved = 0;

	clear_bit(OVID_PI_ON, (unsigned long *)&pi->control);
	/* ON before PIR: pairs with the order in lapic_pend() */
	smp_mb__after_atomic();
	for (i = 0; i < 4; i++) {
		u64 pir;

		if (!READ_ONCE(pi->pir[i]))
			continue;
		pir = xchg(&pi->pir[i], 0);
		if (unlikely(!ovid_lapic_enabled(apic)))
			continue;
		moved |= vec_or(apic, APIC_IRR_OFF, 2 * i, pir);
		moved |= vec_or(apic, APIC_IRR_OFF, 2 * i + 1, pir >> 32);
	}
	if (!moved)
		return false;
	apic->irr_words |= moved;
	apic->irr_maybe = true;
	return true;
}

/**
 * ovid_lapic_next - what the CPU would take now if it took interrupts
 * @vp: VP; its thread
 *
 * SDM 3A: Interrupt, Task, and Processor Priority.
 */
int ovid_lapic_next(struct ovid_vp *vp)
{
	int irr = ovid_lapic_highest_irr(vp);
	int isr;

	if (irr < 0 || PRIO(irr) <= PRIO(lapic_reg(&vp->apic, APIC_TPR_OFF)))
		return -1;
	isr = ovid_lapic_highest_isr(vp);
	if (isr >= 0 && PRIO(irr) <= PRIO(isr))
		return -1;
	return irr;
}

void ovid_lapic_ack(struct ovid_vp *vp, u8 vector)
{
	struct ovid_lapic *apic = &vp->apic;

	if (!vec_clear(apic, APIC_IRR_OFF, vector))
		apic->irr_words &= ~BIT(vector >> 5);
	if (unlikely(apic->has_auto_eoi) && test_bit(vector, apic->auto_eoi))
		return;
	vec_set(apic, APIC_ISR_OFF, vector);
	apic->isr_words |= BIT(vector >> 5);
	if (vector > apic->highest_isr)
		apic->highest_isr = vector;
}

int ovid_lapic_eoi(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;
	int vector = ovid_lapic_highest_isr(vp);

	if (vector < 0)
		return -1;
	if (!vec_clear(apic, APIC_ISR_OFF, vector))
		apic->isr_words &= ~BIT(vector >> 5);
	apic->highest_isr = vec_highest(apic, APIC_ISR_OFF,
					apic->vid ? 0xFF : apic->isr_words);
	return lapic_vec_test(apic, APIC_TMR_OFF, vector) ? vector : -1;
}

void ovid_lapic_set_auto_eoi(struct ovid_vp *vp, const unsigned long *vectors)
{
	struct ovid_lapic *apic = &vp->apic;
	bool any = !bitmap_empty(vectors, 256);

	bitmap_copy(apic->auto_eoi, vectors, 256);
	if (any == apic->has_auto_eoi)
		return;
	apic->has_auto_eoi = any;
	lapic_request(vp, OVID_REQ_APIC_MODE);
}

void ovid_lapic_set_lazy(struct ovid_vp *vp, unsigned long *word)
{
	vp->apic.lazy_word = word;
}

/* level-triggered ones have somebody who waits for their EOI, and others for their turn */
void ovid_lapic_lazy_arm(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;
	int vector = apic->highest_isr;

	if (vector < 0 || apic->irr_words || lapic_vec_test(apic, APIC_TMR_OFF, vector))
		return;
	set_bit(0, apic->lazy_word);
	apic->lazy = true;
}

void ovid_lapic_lazy_sync(struct ovid_vp *vp)
{
	vp->apic.lazy = false;
	if (!test_and_clear_bit(0, vp->apic.lazy_word))
		ovid_lapic_eoi(vp);
}

static u32 lapic_ppr(struct ovid_vp *vp)
{
	u32 tpr = lapic_reg(&vp->apic, APIC_TPR_OFF);
	int isr = ovid_lapic_highest_isr(vp);

	if (isr < 0 || PRIO(tpr) >= PRIO((u32)isr))
		return tpr;
	return PRIO(isr);
}

/* ---- what comes in ---- */

bool ovid_lapic_accepts(struct ovid_vp *vp)
{
	return lapic_accepts(&vp->apic);
}

/*
 * TMR follows the interrupt that came last.  Hardware that handles EOI by itself
 * must have the vector in its EOI-exit bitmap before it sees a level-triggered
 * interrupt; without, the vector waits in level_pir for the VP's thread.
 * Returns true if it does.
 */
bool ovid_apic_trigger_mode(struct ovid_vp *vp, u8 vector, bool level)
{
	struct ovid_lapic *apic = &vp->apic;
	unsigned long *tmr = apic->regs + lapic_vec_off(APIC_TMR_OFF, vector);
	bool changed = lapic_vec_test(apic, APIC_TMR_OFF, vector) != level;

	if (changed && level)
		set_bit(vector & 31, tmr);
	else if (changed)
		clear_bit(vector & 31, tmr);
	if (!READ_ONCE(apic->vid))
		return false;
	if (level && !test_bit(vector, (unsigned long *)apic->eoi_exit)) {
		/* TMR is there before: ovid_lapic_eoi_map() */
		set_bit(vector, (unsigned long *)apic->level_pir);
		ovid_vp_request(vp, OVID_REQ_EOI_MAP);
		return true;
	}
	if (changed)
		ovid_vp_request(vp, OVID_REQ_EOI_MAP);
	return false;
}

void ovid_lapic_post(struct ovid_vp *vp, u8 vector, bool level)
{
	trace_irq_post(vp, vector, level);
	if (lapic_pend(vp, vector, level))
		ovid_vp_interrupt_posted(vp);
}

void ovid_apic_local_interrupt(struct ovid_vp *vp, u32 lvt)
{
	u8 vector = lvt;

	if (lvt & LAPIC_LVT_MASKED)
		return;
	if (unlikely(vector < LAPIC_FIRST_VECTOR)) {
		ovid_apic_error(vp, LAPIC_ESR_RECV_VECTOR);
		return;
	}
	lapic_pend(vp, vector, false);
}

/* one interrupt an error and write to ESR (SDM 3A: Error Handling) */
void ovid_apic_error(struct ovid_vp *vp, unsigned int esr_bit)
{
	struct ovid_lapic *apic = &vp->apic;
	u32 lvt = lapic_reg(apic, APIC_LVT_ERROR_OFF);
	u8 vector = lvt;

	if (test_and_set_bit(esr_bit, &apic->esr_pending) || (lvt & LAPIC_LVT_MASKED))
		return;
	if (vector >= LAPIC_FIRST_VECTOR)
		ovid_lapic_post(vp, vector, false);
	else
		set_bit(LAPIC_ESR_RECV_VECTOR, &apic->esr_pending);
}

/* lets level-triggered vectors go that waited */
static void level_release(struct ovid_lapic *apic, u32 i, u64 vectors)
{
	if (!vectors)
		return;
	atomic64_or(vectors, (atomic64_t *)&apic->pi->pir[i]);
	set_bit(OVID_PI_ON, (unsigned long *)&apic->pi->control);
}

void ovid_lapic_eoi_map(struct ovid_vp *vp, u64 map[4])
{
	struct ovid_lapic *apic = &vp->apic;
	u32 i;

	for (i = 0; i < 4; i++) {
		u32 off = APIC_TMR_OFF + i * 0x20;
		/* before TMR is read: pairs with ovid_apic_trigger_mode() */
		u64 waiting = xchg(&apic->level_pir[i], 0);

		map[i] = lapic_reg(apic, off) | (u64)lapic_reg(apic, off + 0x10) << 32;
		WRITE_ONCE(apic->eoi_exit[i], map[i]);
		level_release(apic, i, waiting);
	}
}

void ovid_lapic_set_vid(struct ovid_vp *vp, bool vid)
{
	struct ovid_lapic *apic = &vp->apic;
	u32 i;

	if (apic->vid == vid)
		return;
	WRITE_ONCE(apic->vid, vid);
	ovid_apic_cache_update(apic);
	lapic_request(vp, OVID_REQ_EOI_MAP);
	for (i = 0; i < 4 && !vid; i++)
		level_release(apic, i, xchg(&apic->level_pir[i], 0));
}

bool ovid_lapic_wakes(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;

	u64 map[4];

	ovid_apic_deadlines_poll(vp);
	/* level interrupts that wait for the EOI-exit bitmap: let them go now; the
	 * request stays, so that the bitmap is loaded before the entry
	 */
	if (unlikely(test_bit(OVID_REQ_EOI_MAP, &vp->requests)))
		ovid_lapic_eoi_map(vp, map);
	if (test_bit(OVID_PI_ON, (unsigned long *)&apic->pi->control))
		ovid_lapic_sync_pir(vp);
	return ovid_lapic_next(vp) >= 0;
}

bool ovid_lapic_takes_extint(struct ovid_vp *vp)
{
	const struct ovid_lapic *apic = &vp->apic;

	if (!ovid_lapic_enabled(apic))
		return true;
	return (lapic_reg(apic, APIC_LVT_LINT0_OFF) & (LVT_MODE | LAPIC_LVT_MASKED)) == LVT_EXTINT;
}

/* ---- registers ---- */

u8 ovid_lapic_tpr(struct ovid_vp *vp)
{
	return lapic_reg(&vp->apic, APIC_TPR_OFF);
}

void ovid_lapic_set_tpr(struct ovid_vp *vp, u8 tpr)
{
	lapic_set_reg(&vp->apic, APIC_TPR_OFF, tpr);
}

u64 ovid_lapic_cr8(struct ovid_vp *vp)
{
	return (lapic_reg(&vp->apic, APIC_TPR_OFF) >> 4) & 0xF;
}

void ovid_lapic_set_cr8(struct ovid_vp *vp, u64 cr8)
{
	lapic_set_reg(&vp->apic, APIC_TPR_OFF, (cr8 & 0xF) << 4);
}

/* bits of an LVT entry that can be written, 0 for no LVT entry */
u32 ovid_apic_lvt_valid(u32 off)
{
	switch (off) {
	case APIC_LVT_TIMER_OFF:
		return LVT_COMMON | LAPIC_LVT_TIMER_MODE;
	case APIC_LVT_THERMAL_OFF:
	case APIC_LVT_PERF_OFF:
		return LVT_COMMON | LVT_MODE;
	case APIC_LVT_LINT0_OFF:
	case APIC_LVT_LINT1_OFF:
		return LVT_COMMON | LVT_MODE | LVT_PIN;
	case APIC_LVT_ERROR_OFF:
		return LVT_COMMON;
	default:
		return 0;
	}
}

/* an entry cannot be unmasked while the APIC is disabled by software */
static void write_lvt(struct ovid_vp *vp, u32 off, u32 val)
{
	struct ovid_lapic *apic = &vp->apic;

	val &= ovid_apic_lvt_valid(off);
	if (!apic->sw_enabled)
		val |= LAPIC_LVT_MASKED;
	lapic_set_reg(apic, off, val);
	if (off == APIC_LVT_TIMER_OFF)
		ovid_apic_timer_set_lvt(vp, val);
}

/* SDM 3A: Local APIC State After It Has Been Software Disabled */
static void write_svr(struct ovid_vp *vp, u32 val)
{
	struct ovid_lapic *apic = &vp->apic;
	u32 i;

	lapic_set_reg(apic, APIC_SVR_OFF, val & LAPIC_SVR_VALID);
	apic->sw_enabled = val & LAPIC_SVR_ENABLED;
	if (apic->sw_enabled)
		return;
	for (i = 0; i < LAPIC_LVT_COUNT; i++) {
		u32 off = APIC_LVT_TIMER_OFF + i * 0x10;

		lapic_set_reg(apic, off, lapic_reg(apic, off) | LAPIC_LVT_MASKED);
	}
}

static void write_eoi(struct ovid_vp *vp)
{
	int vector = ovid_lapic_eoi(vp);

	if (vector >= 0)
		vp->apic.eoi_vector = vector;
}

static void write_icr(struct ovid_vp *vp, u32 val)
{
	struct ovid_lapic *apic = &vp->apic;

	val &= LAPIC_ICR_VALID;
	lapic_set_reg(apic, APIC_ICR_OFF, val);
	ovid_apic_send_ipi(vp, val, lapic_reg(apic, APIC_ICR2_OFF) >> 24);
}

/* SDM 3A: ICR Operation in x2APIC Mode; 64 bits at the place of the low half */
static int write_icr64(struct ovid_vp *vp, u64 val)
{
	struct ovid_lapic *apic = &vp->apic;

	if (val & X2APIC_ICR_RESERVED)
		return 1;
	val &= ~(u64)LAPIC_ICR_BUSY;
	WRITE_ONCE(*(u64 *)(apic->regs + APIC_ICR_OFF), val);
	ovid_apic_send_ipi(vp, val, val >> 32);
	return 0;
}

u64 ovid_lapic_icr(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;

	if (ovid_lapic_x2apic(apic))
		return READ_ONCE(*(u64 *)(apic->regs + APIC_ICR_OFF));
	return lapic_reg(apic, APIC_ICR_OFF) | (u64)lapic_reg(apic, APIC_ICR2_OFF) << 32;
}

int ovid_lapic_set_icr(struct ovid_vp *vp, u64 val)
{
	if (ovid_lapic_x2apic(&vp->apic))
		return write_icr64(vp, val);
	lapic_set_reg(&vp->apic, APIC_ICR2_OFF, (val >> 32) & LAPIC_ICR2_VALID);
	write_icr(vp, val);
	return 0;
}

static void write_self_ipi(struct ovid_vp *vp, u8 vector)
{
	ovid_apic_send_ipi(vp, LAPIC_SHORT_SELF << 18 | vector, 0);
}

u32 ovid_lapic_read(struct ovid_vp *vp, u32 off)
{
	if (off >= REGS_END || !(XAPIC_READABLE & REG_BIT(off))) {
		ovid_apic_error(vp, LAPIC_ESR_REGISTER);
		return 0;
	}
	off = array_index_nospec(off, REGS_END);
	switch (off) {
	case APIC_PPR_OFF:
		return lapic_ppr(vp);
	case APIC_TMCCT_OFF:
		return ovid_apic_timer_count(vp);
	default:
		return lapic_reg(&vp->apic, off & 0x3F0);
	}
}

/* what is not here: a read-only register, or one that does not exist */
static void write_other(struct ovid_vp *vp, u32 off)
{
	if (off >= REGS_END || !(XAPIC_READABLE & REG_BIT(off)))
		ovid_apic_error(vp, LAPIC_ESR_REGISTER);
	else if (off == APIC_ID_OFF && !ovid_lapic_x2apic(&vp->apic))
		/* whether it can be written is the model's choice: no */
		lapic_set_reg(&vp->apic, APIC_ID_OFF, vp->apic.initial_id << 24);
}

void ovid_lapic_write(struct ovid_vp *vp, u32 off, u32 val)
{
	struct ovid_lapic *apic = &vp->apic;

	switch (off) {
	case APIC_EOI_OFF:
		write_eoi(vp);
		break;
	case APIC_ICR_OFF:
		write_icr(vp, val);
		break;
	case APIC_ICR2_OFF:
		lapic_set_reg(apic, off, val & LAPIC_ICR2_VALID);
		break;
	case APIC_TMICT_OFF:
		ovid_apic_timer_set_count(vp, val);
		break;
	case APIC_TPR_OFF:
		lapic_set_reg(apic, off, val & 0xFF);
		break;
	case APIC_LDR_OFF:
		lapic_set_reg(apic, off, val & LAPIC_LDR_VALID);
		break;
	case APIC_DFR_OFF:
		lapic_set_reg(apic, off, val | LAPIC_DFR_FIXED);
		break;
	case APIC_SVR_OFF:
		write_svr(vp, val);
		break;
	case APIC_ESR_OFF:
		lapic_set_reg(apic, off, xchg(&apic->esr_pending, 0));
		break;
	case APIC_LVT_TIMER_OFF:
	case APIC_LVT_THERMAL_OFF:
	case APIC_LVT_PERF_OFF:
	case APIC_LVT_LINT0_OFF:
	case APIC_LVT_LINT1_OFF:
	case APIC_LVT_ERROR_OFF:
		write_lvt(vp, off, val);
		break;
	case APIC_TDCR_OFF:
		ovid_apic_timer_set_divide(vp, val);
		break;
	default:
		write_other(vp, off);
	}
}

/*
 * Hardware stored what the guest wrote, reserved bits and all.  What a write
 * does to the APIC depends on state that is kept apart from the page, so it can
 * be done again.
 */
void ovid_lapic_write_done(struct ovid_vp *vp, u32 off)
{
	u32 val;

	if (off >= REGS_END)
		return;
	off = array_index_nospec(off, REGS_END) & 0x3F0;
	val = lapic_reg(&vp->apic, off);
	/* these two read as zero */
	if (off == APIC_EOI_OFF || off == APIC_SELF_IPI_OFF)
		lapic_set_reg(&vp->apic, off, 0);
	if (!ovid_lapic_x2apic(&vp->apic))
		ovid_lapic_write(vp, off, val);
	else
		ovid_lapic_msr_write(vp, X2APIC_MSR(off), val);
}

/* read-only bits, which do not fault: delivery status, a pin's remote IRR */
static u32 lvt_status(u32 valid)
{
	return valid & LVT_PIN ? BIT(14) | BIT(12) : BIT(12);
}

/* what may be set in a register that WRMSR can write; less: #GP */
static u32 x2apic_writable(u32 off)
{
	u32 valid;

	switch (off) {
	case APIC_TPR_OFF:
	case APIC_SELF_IPI_OFF:
		return 0xFF;
	case APIC_SVR_OFF:
		return LAPIC_SVR_VALID;
	case APIC_TMICT_OFF:
		return ~0u;
	case APIC_TDCR_OFF:
		return LAPIC_TDCR_VALID;
	case APIC_EOI_OFF:
	case APIC_ESR_OFF:
		return 0;
	default:
		valid = ovid_apic_lvt_valid(off);
		return valid | lvt_status(valid);
	}
}

static bool x2apic_has_write(u32 off)
{
	switch (off) {
	case APIC_TPR_OFF:
	case APIC_EOI_OFF:
	case APIC_SVR_OFF:
	case APIC_ESR_OFF:
	case APIC_TMICT_OFF:
	case APIC_TDCR_OFF:
	case APIC_SELF_IPI_OFF:
		return true;
	default:
		return ovid_apic_lvt_valid(off);
	}
}

/**
 * ovid_lapic_msr_read - RDMSR of 0x800..0x8FF or IA32_TSC_DEADLINE
 * @vp: VP; its thread, interrupts on or off
 * @msr: number
 * @val: out
 *
 * SDM 3A: x2APIC Register Address Space.  Returns 0, or 1 for #GP.
 */
int ovid_lapic_msr_read(struct ovid_vp *vp, u32 msr, u64 *val)
{
	struct ovid_lapic *apic = &vp->apic;
	u32 off = (msr - X2APIC_MSR_FIRST) << 4;

	if (msr == MSR_IA32_TSC_DEADLINE) {
		*val = apic->timer_mode == OVID_APIC_TIMER_DEADLINE ? apic->tscdeadline : 0;
		return 0;
	}
	if (msr < X2APIC_MSR_FIRST || msr > X2APIC_MSR_LAST || !ovid_lapic_x2apic(apic))
		return 1;
	if (off >= REGS_END || !(X2APIC_READABLE & REG_BIT(off)))
		return 1;
	if (off == APIC_ICR_OFF)
		*val = ovid_lapic_icr(vp);
	else
		*val = ovid_lapic_read(vp, off);
	return 0;
}

/**
 * ovid_lapic_msr_write - WRMSR to 0x800..0x8FF or IA32_TSC_DEADLINE
 * @vp: VP; its thread, interrupts on or off
 * @msr: number
 * @val: value
 *
 * Bits that are reserved, or not virtualized, fault.  Returns 0, or 1 for #GP.
 */
int ovid_lapic_msr_write(struct ovid_vp *vp, u32 msr, u64 val)
{
	u32 off = (msr - X2APIC_MSR_FIRST) << 4;

	if (msr == MSR_IA32_TSC_DEADLINE) {
		ovid_apic_timer_set_tscdeadline(vp, val);
		return 0;
	}
	if (msr < X2APIC_MSR_FIRST || msr > X2APIC_MSR_LAST || !ovid_lapic_x2apic(&vp->apic))
		return 1;
	if (off == APIC_ICR_OFF)
		return write_icr64(vp, val);
	if (!x2apic_has_write(off) || (val & ~(u64)x2apic_writable(off)))
		return 1;
	if (off == APIC_SELF_IPI_OFF)
		write_self_ipi(vp, val);
	else
		ovid_lapic_write(vp, off, val);
	return 0;
}
