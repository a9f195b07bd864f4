// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer (SDM 3A: APIC Timer): one-shot, periodic,
 * TSC-deadline.  There is nothing that ticks: a deadline in host TSC ticks is
 * kept, the backend stops the guest at it, the count is computed when it is
 * read.  Only a VP that sleeps in HLT has a timer of the host.
 *
 * All of it belongs to the VP's thread, but the hrtimer's callback, which reads
 * the deadline while that thread sleeps.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include "compat.h"
#include "lapic_priv.h"

/* a guest's periodic timer is not let go faster: 10 kHz */
#define TIMER_MIN_PERIOD(khz)	max((khz) / 10, 1u)
#define TIMER_FAR		BIT_ULL(60)
/* the hrtimer looks again after this many ms; also what bounds the arithmetic */
#define TIMER_MAX_SLEEP_MS	60000u

unsigned int ovid_apic_tsc_shift;

/* decided once: the kernel may refine tsc_khz later, guests know the rate then */
static void clock_init(void)
{
	static bool known;
	unsigned int shift = 0;

	/* with the store below: the shift is there */
	if (smp_load_acquire(&known))
		return;
	while ((tsc_khz >> shift) > 1000000)
		shift++;
	WRITE_ONCE(ovid_apic_tsc_shift, shift);
	smp_store_release(&known, true);	/* with the load above */
}

/**
 * ovid_apic_timer_hz - how fast the timer counts with a divider of 1
 * @khz: frequency of the guest's TSC
 *
 * Any context.
 */
u32 ovid_apic_timer_hz(u32 khz)
{
	clock_init();
	return ((u64)khz * 1000) >> ovid_apic_tsc_shift;
}

/* the host's TSC, which stands still while the partition is frozen */
static u64 timer_now(struct ovid_vp *vp)
{
	struct ovid_partition *part = vp->part;

	if (unlikely(READ_ONCE(part->time_frozen)))
		return READ_ONCE(part->frozen_at);
	return rdtsc();
}

static void timer_arm(struct ovid_vp *vp, u64 deadline)
{
	struct ovid_lapic *apic = &vp->apic;

	WRITE_ONCE(apic->timer_deadline, deadline ?: 1);
	apic->timer_stood = ovid_apic_map_stood(vp->part);
	apic->timer_offset = READ_ONCE(vp->part->tsc_offset);
}

static void timer_disarm(struct ovid_lapic *apic)
{
	WRITE_ONCE(apic->timer_deadline, 0);
}

/* the partition's clock was changed since the timer was armed */
static bool timer_stale(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;

	return apic->timer_stood != ovid_apic_map_stood(vp->part) ||
	       apic->timer_offset != READ_ONCE(vp->part->tsc_offset);
}

static void timer_arm_tsc(struct ovid_vp *vp, u64 tsc)
{
	struct ovid_lapic *apic = &vp->apic;
	struct ovid_partition *part = vp->part;
	u64 now = timer_now(vp);
	u64 guest_now = ovid_part_guest_ticks(part, now) + READ_ONCE(part->tsc_offset);

	if (unlikely(READ_ONCE(part->time_frozen)))
		guest_now = ovid_part_guest_tsc(part);
	apic->tscdeadline = tsc;
	if (!tsc)
		timer_disarm(apic);
	else if (tsc > guest_now)
		timer_arm(vp, now + ovid_part_host_ticks(part, min(tsc - guest_now, TIMER_FAR)));
	else
		timer_arm(vp, now);
	ovid_lapic_timer_check(vp, now);
}

/* an expired periodic timer's next deadline; ticks that were missed are lost */
static u64 timer_next_period(const struct ovid_lapic *apic, u64 now)
{
	u64 period = max_t(u64, apic->timer_period, TIMER_MIN_PERIOD(tsc_khz));
	u64 late = now - apic->timer_deadline;

	return now + period - late % period;
}

/**
 * ovid_lapic_timer_check - fire the timer if it is due
 * @vp:  VP; its thread, interrupts on or off
 * @now: host TSC
 *
 * The interrupt is pending in PIR afterwards and ON is set.
 */
void ovid_lapic_timer_check(struct ovid_vp *vp, u64 now)
{
	struct ovid_lapic *apic = &vp->apic;
	u64 deadline = apic->timer_deadline;

	if (!deadline || now < deadline)
		return;
	if (unlikely(timer_stale(vp))) {
		ovid_lapic_timer_tsc_changed(vp);
		return;
	}
	if (apic->timer_mode == OVID_APIC_TIMER_PERIODIC) {
		timer_arm(vp, timer_next_period(apic, now));
	} else {
		timer_disarm(apic);
		apic->tscdeadline = 0;
	}
	ovid_apic_local_interrupt(vp, lapic_reg(apic, APIC_LVT_TIMER_OFF));
}

/* of a VP that sleeps, and so does not get round to OVID_REQ_TSC */
void ovid_apic_timer_poll(struct ovid_vp *vp)
{
	if (unlikely(timer_stale(vp)))
		ovid_lapic_timer_tsc_changed(vp);
	ovid_lapic_timer_check(vp, timer_now(vp));
}

/* of the host's TSC; the timer's clock is made of the guest's */
static u64 timer_ticks(struct ovid_vp *vp, u32 count)
{
	return ovid_part_host_ticks(vp->part, (u64)count << vp->apic.timer_shift);
}

/* the current count: 0 when stopped, expired, or in TSC-deadline mode */
u32 ovid_apic_timer_count(struct ovid_vp *vp)
{
	const struct ovid_lapic *apic = &vp->apic;
	u64 deadline = apic->timer_deadline;
	u64 now = timer_now(vp), left;

	if (!deadline || apic->timer_mode == OVID_APIC_TIMER_DEADLINE)
		return 0;
	if (now >= deadline) {
		if (apic->timer_mode != OVID_APIC_TIMER_PERIODIC)
			return 0;
		deadline = timer_next_period(apic, now);
	}
	left = ovid_part_guest_ticks(vp->part, deadline - now) >> apic->timer_shift;
	return min_t(u64, left, lapic_reg(apic, APIC_TMICT_OFF));
}

/* the same to be saved: in its last tick a timer still runs */
u32 ovid_apic_timer_left(struct ovid_vp *vp)
{
	u32 count = ovid_apic_timer_count(vp);

	if (vp->apic.timer_deadline && vp->apic.timer_mode != OVID_APIC_TIMER_DEADLINE)
		count = max(count, 1u);
	return count;
}

static void timer_start(struct ovid_vp *vp, u32 count)
{
	struct ovid_lapic *apic = &vp->apic;

	apic->timer_period = timer_ticks(vp, lapic_reg(apic, APIC_TMICT_OFF));
	timer_disarm(apic);
	if (count)
		timer_arm(vp, timer_now(vp) + timer_ticks(vp, count));
}

/* the guest wrote the initial count: ignored in TSC-deadline and reserved mode */
void ovid_apic_timer_set_count(struct ovid_vp *vp, u32 count)
{
	struct ovid_lapic *apic = &vp->apic;

	if (apic->timer_mode >= OVID_APIC_TIMER_DEADLINE)
		count = 0;
	lapic_set_reg(apic, APIC_TMICT_OFF, count);
	if (apic->timer_mode < OVID_APIC_TIMER_DEADLINE)
		timer_start(vp, count);
}

static u8 timer_divide_shift(u32 divide)
{
	u32 log2 = ((divide & 3) | ((divide & 8) >> 1)) + 1;

	return (log2 & 7) + ovid_apic_tsc_shift;
}

/* a count that runs goes on from where it is at the new speed */
void ovid_apic_timer_set_divide(struct ovid_vp *vp, u32 divide)
{
	struct ovid_lapic *apic = &vp->apic;
	u8 shift = timer_divide_shift(divide);
	u32 count;

	lapic_set_reg(apic, APIC_TDCR_OFF, divide & 0xB);
	if (shift == apic->timer_shift)
		return;
	count = ovid_apic_timer_count(vp);
	apic->timer_shift = shift;
	if (apic->timer_mode < OVID_APIC_TIMER_DEADLINE && apic->timer_deadline)
		timer_start(vp, max(count, 1u));
}

/*
 * Only a change from or to TSC-deadline stops the timer.  The SDM has every
 * change of mode do so; processors go on counting between one-shot and
 * periodic, and kvm-unit-tests' apic test wants that.
 */
void ovid_apic_timer_set_lvt(struct ovid_vp *vp, u32 lvt)
{
	struct ovid_lapic *apic = &vp->apic;
	u8 mode = (lvt >> 17) & 3;

	if (mode != apic->timer_mode &&
	    (mode >= OVID_APIC_TIMER_DEADLINE ||
	     apic->timer_mode >= OVID_APIC_TIMER_DEADLINE)) {
		timer_disarm(apic);
		lapic_set_reg(apic, APIC_TMICT_OFF, 0);
		apic->timer_period = 0;
		apic->tscdeadline = 0;
	}
	apic->timer_mode = mode;
}

/* SDM 3A: TSC-Deadline Mode; in other modes writes are ignored */
void ovid_apic_timer_set_tscdeadline(struct ovid_vp *vp, u64 tsc)
{
	if (vp->apic.timer_mode == OVID_APIC_TIMER_DEADLINE)
		timer_arm_tsc(vp, tsc);
}

/* for a restore, in whatever order: it takes effect when the mode is there */
void ovid_lapic_host_set_tscdeadline(struct ovid_vp *vp, u64 tsc)
{
	vp->apic.tscdeadline = tsc;
	ovid_apic_timer_set_tscdeadline(vp, tsc);
}

/* LVT, initial count and divider are in the page, @count is left of the count */
void ovid_apic_timer_restore(struct ovid_vp *vp, u32 count)
{
	struct ovid_lapic *apic = &vp->apic;

	apic->timer_mode = (lapic_reg(apic, APIC_LVT_TIMER_OFF) >> 17) & 3;
	apic->timer_shift = timer_divide_shift(lapic_reg(apic, APIC_TDCR_OFF));
	timer_disarm(apic);
	if (apic->timer_mode == OVID_APIC_TIMER_DEADLINE)
		timer_arm_tsc(vp, apic->tscdeadline);
	else
		timer_start(vp, min(count, lapic_reg(apic, APIC_TMICT_OFF)));
}

void ovid_apic_timer_reset(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;

	timer_disarm(apic);
	apic->timer_period = 0;
	apic->tscdeadline = 0;
	apic->timer_mode = OVID_APIC_TIMER_ONESHOT;
	apic->timer_shift = timer_divide_shift(0);
}

/**
 * ovid_lapic_timer_tsc_changed - the guest's clock was moved or stood still
 * @vp: VP; its thread
 *
 * A TSC deadline is a time of the guest's TSC.  A count is a length of time
 * in which the guest runs: it is longer by what the partition was frozen.
 */
void ovid_lapic_timer_tsc_changed(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;

	if (apic->timer_mode == OVID_APIC_TIMER_DEADLINE) {
		if (apic->tscdeadline)
			timer_arm_tsc(vp, apic->tscdeadline);
	} else if (apic->timer_deadline) {
		u64 stood = ovid_apic_map_stood(vp->part) - apic->timer_stood;

		timer_arm(vp, apic->timer_deadline + stood);
		ovid_lapic_timer_check(vp, timer_now(vp));
	}
}

static u64 ticks_to_ns(u64 ticks)
{
	ticks = min(ticks, (u64)tsc_khz * TIMER_MAX_SLEEP_MS);
	/* rounded up: the TSC has to be past the deadline */
	return div_u64(ticks * 1000000, max(tsc_khz, 1u)) + 1;
}

/* when a VP that sleeps is to be woken, a masked timer does not do so; 0: never */
static u64 sleep_until(struct ovid_vp *vp)
{
	if (lapic_reg(&vp->apic, APIC_LVT_TIMER_OFF) & LAPIC_LVT_MASKED)
		return READ_ONCE(vp->hv.stimer_deadline);
	return ovid_vp_deadline(vp);
}

/*
 * The kernel's clock and the TSC drift apart a little, so a deadline that is
 * not reached yet gets a second go.  One that is reached may turn out to be another
 * when the VP looks, since the guest's clock stood still meanwhile: it arms us anew.
 */
static enum hrtimer_restart timer_expired(struct hrtimer *hrtimer)
{
	struct ovid_vp *vp = container_of(hrtimer, struct ovid_vp, apic.hrtimer);
	u64 deadline = sleep_until(vp);
	u64 now = timer_now(vp);

	if (deadline > now) {
		u64 ns = max_t(u64, ticks_to_ns(deadline - now), NSEC_PER_USEC);

		/* time stands still: VPs are told when it goes on */
		if (READ_ONCE(vp->part->time_frozen))
			return HRTIMER_NORESTART;
		hrtimer_forward_now(hrtimer, ns_to_ktime(ns));
		return HRTIMER_RESTART;
	}
	WRITE_ONCE(vp->apic.wake_moved, true);
	ovid_vp_kick(vp);
	return HRTIMER_NORESTART;
}

void ovid_apic_timer_init(struct ovid_vp *vp)
{
	clock_init();
	ovid_hrtimer_setup(&vp->apic.hrtimer, timer_expired, CLOCK_MONOTONIC,
			   HRTIMER_MODE_REL_HARD);
}

/**
 * ovid_lapic_timer_block - have the host wake a VP that is going to sleep
 * @vp: VP; its thread, interrupts on
 *
 * Pairs with ovid_lapic_timer_unblock().  Between them ovid_lapic_wakes() is
 * asked, which fires a timer that is due already, and ovid_lapic_timer_moved().
 */
void ovid_lapic_timer_block(struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;
	u64 deadline, now;

	if (unlikely(ovid_lapic_timer_moved(apic))) {
		WRITE_ONCE(apic->wake_moved, false);
		smp_mb();	/* before the look at the clock that deadlines go by */
		ovid_apic_deadlines_poll(vp);
	}
	deadline = sleep_until(vp);
	if (!deadline)
		return;
	now = timer_now(vp);
	hrtimer_start(&apic->hrtimer,
		      ns_to_ktime(deadline > now ? ticks_to_ns(deadline - now) : 0),
		      HRTIMER_MODE_REL_HARD);
}

/**
 * ovid_lapic_timer_unblock - a sleep is over
 * @vp: VP; its thread, interrupts on
 */
void ovid_lapic_timer_unblock(struct ovid_vp *vp)
{
	hrtimer_cancel(&vp->apic.hrtimer);
}
