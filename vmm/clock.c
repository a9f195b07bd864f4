// SPDX-License-Identifier: GPL-2.0-only
/*
 * A partition's time: the guest's TSC, and the reference time of the TLFS (Timers)
 * with its page.
 *
 *	guest TSC = host TSC * ratio + offset
 *	clock = host TSC * ratio - stood
 *	reference time = (clock * scale >> 64) + shift, in 100 ns
 *
 * All stand still while the partition is frozen.  Whoever may write the TSC can move it,
 * and it may run over its end then; the clock goes on as it was.  The reference TSC page
 * gives a guest the last formula with the TSC in the clock's place, so there a TSC that
 * runs over its end is noticed; else it is right to 100 ns.
 */
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include "backend.h"
#include "compat.h"
#include "hv.h"
#include "partition.h"
#include "tlfs.h"
#include "vp.h"

/* 100 ns in a tick, with 64 bits after the point; a clock below 10 MHz is as one of it */
static u64 reference_scale(u64 khz)
{
	return mul_u64_u64_div_u64(10000, U64_MAX, max(khz, 10001ull));
}

u64 ovid_part_guest_tsc(struct ovid_partition *part)
{
	if (READ_ONCE(part->time_frozen))
		return READ_ONCE(part->frozen_tsc);
	return ovid_part_guest_ticks(part, rdtsc()) + READ_ONCE(part->tsc_offset);
}

static void tell_vps(struct ovid_partition *part)
{
	struct ovid_vp *vp;
	int i;

	ovid_for_each_vp(part, vp, i) {
		/* for one that sleeps, and does not get round to the request */
		WRITE_ONCE(vp->apic.wake_moved, true);
		ovid_vp_request(vp, OVID_REQ_TSC);
	}
}

void ovid_part_time_freeze(struct ovid_partition *part, bool freeze)
{
	unsigned long flags;
	u64 now, ticks;

	spin_lock_irqsave(&part->time_lock, flags);
	now = rdtsc();
	ticks = ovid_part_guest_ticks(part, now);
	if (freeze && !part->time_frozen) {
		WRITE_ONCE(part->frozen_tsc, ticks + part->tsc_offset);
		WRITE_ONCE(part->frozen_clock, ticks - part->clock_stood);
		part->frozen_at = now;
		smp_wmb();	/* what is frozen before the flag that makes it count */
		WRITE_ONCE(part->time_frozen, true);
	} else if (!freeze && part->time_frozen) {
		WRITE_ONCE(part->tsc_offset, part->frozen_tsc - ticks);
		WRITE_ONCE(part->clock_stood, ticks - part->frozen_clock);
		ovid_apic_time_stood(part, now - part->frozen_at);
		WRITE_ONCE(part->time_frozen, false);
	}
	spin_unlock_irqrestore(&part->time_lock, flags);
	if (!freeze)
		tell_vps(part);
}

static u64 clock_ticks(const struct ovid_partition *part)
{
	if (READ_ONCE(part->time_frozen))
		return READ_ONCE(part->frozen_clock);
	return ovid_part_guest_ticks(part, rdtsc()) - READ_ONCE(part->clock_stood);
}

static u64 to_reference(const struct ovid_partition *part, u64 ticks)
{
	return mul_u64_u64_shr(ticks, part->reference_scale, 64);
}

/* what is added on the page, by which the TSC is before the clock; time_lock held */
static u64 tsc_page_shift(const struct ovid_partition *part)
{
	u64 clock = clock_ticks(part);
	u64 before = part->time_frozen ? part->frozen_tsc - part->frozen_clock :
					 part->tsc_offset + part->clock_stood;

	return part->reference_shift + to_reference(part, clock) -
	       to_reference(part, clock + before);
}

/* the page says another formula from here on; time_lock held */
static void page_write(struct ovid_partition *part)
{
	struct hv_w_reference_tsc *p = ovid_overlay_data(&part->tsc_page);

	/* nobody reads scale and shift while the sequence is 0, or takes them if it changed */
	WRITE_ONCE(p->sequence, 0);
	smp_wmb();	/* with the guest's reads, sequence before and after the rest */
	WRITE_ONCE(p->scale, part->reference_scale);
	WRITE_ONCE(p->offset, tsc_page_shift(part));
	smp_wmb();	/* the same */
	if (!++part->tsc_sequence)
		part->tsc_sequence = 1;
	WRITE_ONCE(p->sequence, part->tsc_sequence);
}

void ovid_clock_init(struct ovid_partition *part)
{
	spin_lock_init(&part->time_lock);
	part->tsc_khz = tsc_khz;
	part->reference_scale = reference_scale(tsc_khz);
	part->clock_stood = rdtsc();
	part->tsc_offset = -part->clock_stood;
	page_write(part);
}

u64 ovid_part_reference_time(struct ovid_partition *part)
{
	return to_reference(part, clock_ticks(part)) + READ_ONCE(part->reference_shift);
}

void ovid_part_set_reference_time(struct ovid_partition *part, u64 time)
{
	unsigned long flags;

	spin_lock_irqsave(&part->time_lock, flags);
	WRITE_ONCE(part->reference_shift, time - to_reference(part, clock_ticks(part)));
	page_write(part);
	spin_unlock_irqrestore(&part->time_lock, flags);
	tell_vps(part);
}

void ovid_part_set_guest_tsc(struct ovid_partition *part, u64 tsc)
{
	unsigned long flags;

	/* a guest's WRMSR comes here with interrupts off */
	spin_lock_irqsave(&part->time_lock, flags);
	if (part->time_frozen)
		WRITE_ONCE(part->frozen_tsc, tsc);
	else
		WRITE_ONCE(part->tsc_offset, tsc - ovid_part_guest_ticks(part, rdtsc()));
	page_write(part);
	spin_unlock_irqrestore(&part->time_lock, flags);
	tell_vps(part);
}

/* the guest's TSC goes on from where it is, at another speed */
int ovid_part_set_tsc_khz(struct ovid_partition *part, u64 khz)
{
	u64 tsc, reference;

	lockdep_assert_held(&part->lock);
	if (part->nr_vps)
		return -EBUSY;
	if (khz < tsc_khz / OVID_TSC_RATIO_MAX || khz > (u64)tsc_khz * OVID_TSC_RATIO_MAX)
		return -EINVAL;
	if (khz != tsc_khz && !(ovid_backend->caps & OVID_CAP_TSC_SCALING))
		return -EOPNOTSUPP;
	tsc = ovid_part_guest_tsc(part);
	reference = ovid_part_reference_time(part);
	part->tsc_khz = khz;
	part->reference_scale = reference_scale(khz);
	part->tsc_ratio = khz == tsc_khz ? 0 :
			  mul_u64_u64_div_u64(khz, BIT_ULL(OVID_TSC_RATIO_BITS), tsc_khz);
	/* from 0: ticks of another length mean nothing now, and must not be negative */
	part->clock_stood = ovid_part_guest_ticks(part, rdtsc());
	part->frozen_clock = 0;
	ovid_part_set_guest_tsc(part, tsc);
	ovid_part_set_reference_time(part, reference);
	return 0;
}
