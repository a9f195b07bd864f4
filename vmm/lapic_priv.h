/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the local APIC share: lapic.c (registers, priorities),
 * lapic_state.c (modes, reset, saved state), lapic_timer.c, lapic_dest.c (who is
 * meant by a destination).  For everyone else there is lapic.h.
 */
#ifndef OVID_LAPIC_PRIV_H
#define OVID_LAPIC_PRIV_H

#include <linux/bitops.h>
#include <linux/bits.h>
#include "lapic.h"
#include "partition.h"
#include "vp.h"

#define LAPIC_BASE_BSP		BIT(8)
#define LAPIC_BASE_EXTD		BIT(10)
#define LAPIC_BASE_EN		BIT(11)

#define LAPIC_SVR_ENABLED	BIT(8)

#define LAPIC_LVT_MASKED	BIT(16)
#define LAPIC_LVT_VECTOR		0xFFu

#define LAPIC_ICR_LOGICAL	BIT(11)
#define LAPIC_ICR_BUSY		BIT(12)
#define LAPIC_ICR_ASSERT	BIT(14)
#define LAPIC_ICR_LEVEL		BIT(15)
#define LAPIC_SHORT_SELF	1
#define LAPIC_SHORT_ALL		2
#define LAPIC_SHORT_OTHERS	3

/* bits that can be written */
#define LAPIC_SVR_VALID		0x3FFu
#define LAPIC_LDR_VALID		0xFF000000u
#define LAPIC_DFR_FIXED		0x0FFFFFFFu	/* ones, whatever is written */
#define LAPIC_ESR_VALID		0xFFu
#define LAPIC_ICR_VALID		0x000CCFFFu	/* less the delivery status */
#define LAPIC_ICR2_VALID	0xFF000000u
#define LAPIC_TDCR_VALID	0xBu
#define LAPIC_LVT_TIMER_MODE	0x00060000u

#define LAPIC_LVT_COUNT		6

enum lapic_delivery {
	LAPIC_FIXED	= 0,
	LAPIC_LOWEST	= 1,
	LAPIC_SMI	= 2,
	LAPIC_NMI	= 4,
	LAPIC_INIT	= 5,
	LAPIC_STARTUP	= 6,
	LAPIC_EXTINT	= 7,
};

/* bit numbers in ESR (SDM 3A: Error Handling) */
#define LAPIC_ESR_SEND_VECTOR	5
#define LAPIC_ESR_RECV_VECTOR	6
#define LAPIC_ESR_REGISTER	7

#define LAPIC_FIRST_VECTOR	16	/* those below are illegal */

static inline u32 lapic_reg(const struct ovid_lapic *apic, u32 off)
{
	return READ_ONCE(*(const u32 *)(apic->regs + off));
}

static inline void lapic_set_reg(struct ovid_lapic *apic, u32 off, u32 val)
{
	WRITE_ONCE(*(u32 *)(apic->regs + off), val);
}

/* the word of a 256-bit register that holds @vector */
static inline u32 lapic_vec_off(u32 off, u8 vector)
{
	return off + (vector >> 5) * 0x10;
}

static inline bool lapic_vec_test(const struct ovid_lapic *apic, u32 off, u8 vector)
{
	return lapic_reg(apic, lapic_vec_off(off, vector)) & BIT(vector & 31);
}

/* logical id in x2APIC mode (SDM 3A: Deriving Logical x2APIC ID) */
static inline u32 lapic_x2apic_ldr(u32 id)
{
	return ((id >> 4) << 16) | (1u << (id & 15));
}

/* requests of the VP's own thread: it looks at them before it enters, no kick */
static inline void lapic_request(struct ovid_vp *vp, enum ovid_request req)
{
	set_bit(req, &vp->requests);
}

/* would it take a fixed interrupt now?  Any context */
static inline bool lapic_accepts(const struct ovid_lapic *apic)
{
	return (READ_ONCE(apic->base) & LAPIC_BASE_EN) &&
	       (lapic_reg(apic, APIC_SVR_OFF) & LAPIC_SVR_ENABLED);
}

/* TMR for a vector that is, or was, level-triggered; true if it has to wait */
bool ovid_apic_trigger_mode(struct ovid_vp *vp, u8 vector, bool level);

/*
 * Makes @vector pending; true if the VP has to be told.  Any context.
 *
 * PIR before ON: the VP clears ON before it reads PIR, so either it sees the
 * bit, or we see ON clear and tell it.
 */
static inline bool lapic_pend(struct ovid_vp *vp, u8 vector, bool level)
{
	struct ovid_lapic *apic = &vp->apic;
	struct ovid_pi_desc *pi = apic->pi;

	if (unlikely(level || lapic_vec_test(apic, APIC_TMR_OFF, vector)) &&
	    ovid_apic_trigger_mode(vp, vector, level))
		return false;
	if (test_and_set_bit(vector, (unsigned long *)pi->pir))
		return false;
	return !test_and_set_bit(OVID_PI_ON, (unsigned long *)&pi->control);
}

/* lapic.c; VP's thread */
u32 ovid_apic_lvt_valid(u32 off);		/* bits that can be written; 0: no LVT entry */
void ovid_apic_cache_update(struct ovid_lapic *apic);
/* an interrupt that the APIC itself makes by an LVT entry */
void ovid_apic_local_interrupt(struct ovid_vp *vp, u32 lvt);
/* records an error and, if the LVT says so, interrupts.  Any context */
void ovid_apic_error(struct ovid_vp *vp, unsigned int esr_bit);

/* lapic_timer.c; VP's thread */
void ovid_apic_timer_init(struct ovid_vp *vp);
void ovid_apic_timer_reset(struct ovid_vp *vp);
void ovid_apic_timer_set_lvt(struct ovid_vp *vp, u32 lvt);
void ovid_apic_timer_set_count(struct ovid_vp *vp, u32 count);
void ovid_apic_timer_set_divide(struct ovid_vp *vp, u32 divide);
void ovid_apic_timer_set_tscdeadline(struct ovid_vp *vp, u64 tsc);
u32 ovid_apic_timer_count(struct ovid_vp *vp);
u32 ovid_apic_timer_left(struct ovid_vp *vp);
void ovid_apic_timer_poll(struct ovid_vp *vp);
void ovid_apic_timer_restore(struct ovid_vp *vp, u32 count);

/* timers of both kinds that are due fire, deadlines follow the guest's clock */
static inline void ovid_apic_deadlines_poll(struct ovid_vp *vp)
{
	if (vp->apic.timer_deadline)
		ovid_apic_timer_poll(vp);
	if (vp->hv.stimer_deadline)
		ovid_stimer_check(vp);
}

/* lapic_dest.c */
int ovid_apic_map_alloc(struct ovid_partition *part);
u64 ovid_apic_map_stood(struct ovid_partition *part);
void ovid_apic_send_ipi(struct ovid_vp *vp, u32 icr, u32 dest);

#endif
