// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the local APIC's timer; see lapic_test.c.
 */
#include <asm/msr-index.h>
#include <asm/tsc.h>
#include "lapic_test.h"

static void test_timer_oneshot(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	u64 end = START + ticks(1000, 1);

	enable(vp);
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0xEC);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 1000);	/* divider 2 after reset */
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, end);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), 1000);
	tick(vp, f, START + ticks(400, 1));
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), 600);
	tick(vp, f, end - 1);
	KUNIT_EXPECT_FALSE(test, pending(vp, 0xEC));
	tick(vp, f, end);
	KUNIT_EXPECT_TRUE(test, pending(vp, 0xEC));
	KUNIT_EXPECT_EQ(test, ovid_test_nr_posted[0], 0);	/* its own */
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMICT_OFF), 1000);
	drain(f, 0xEC);
	tick(vp, f, end + 1000000);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), 0);

	/* masked: it counts and says nothing */
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x100EC);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 10);
	tick(vp, f, clock(f) + ticks(10, 1));
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), 0);
	/* an illegal vector is an error */
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x08);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 10);
	tick(vp, f, clock(f) + ticks(10, 1));
	ovid_lapic_write(vp, APIC_ESR_OFF, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ESR_OFF), 0x40);
	/* 0 stops it */
	ovid_lapic_write(vp, APIC_TMICT_OFF, 10);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 0);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	/* the longest there is */
	ovid_lapic_write(vp, APIC_TDCR_OFF, 0xA);
	ovid_lapic_write(vp, APIC_TMICT_OFF, ~0u);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, clock(f) + ticks(~0u, 7));
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), ~0u);
}

static void test_timer_periodic(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	u32 count = max(tsc_khz / 4, 1u);	/* longer than the shortest period */
	u64 period = ticks(count, 0);

	enable(vp);
	ovid_lapic_write(vp, APIC_TDCR_OFF, 0xB);
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x200EC);
	ovid_lapic_write(vp, APIC_TMICT_OFF, count);
	tick(vp, f, START + period);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), BIT(0));
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, START + 2 * period);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), count);
	/* due and not yet looked at: the count is in the next period */
	set_clock(f, START + 2 * period + ticks(10, 0));
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), count - 10);
	/* late by many periods: one interrupt, the beat is kept */
	tick(vp, f, START + 7 * period + 5);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), BIT(0));
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, START + 8 * period);

	/* on and on between one-shot and periodic, without a new start */
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0xEC);
	tick(vp, f, START + 8 * period);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), BIT(0));
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x200EC);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), 0);

	/* a guest's storm is bounded */
	ovid_lapic_write(vp, APIC_TMICT_OFF, 1);
	tick(vp, f, clock(f) + ticks(1, 0));
	KUNIT_EXPECT_GE(test, vp->apic.timer_deadline, clock(f) + tsc_khz / 20);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), 1);
}

static void test_timer_divide(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	static const u8 dcr[] = { 0xB, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xA };
	u32 i;

	enable(vp);
	for (i = 0; i < ARRAY_SIZE(dcr); i++) {
		ovid_lapic_write(vp, APIC_TDCR_OFF, dcr[i] | 0xFFFFFFF4);
		KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TDCR_OFF), dcr[i]);
		ovid_lapic_write(vp, APIC_TMICT_OFF, 50);
		KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, clock(f) + ticks(50, i));
	}
	/* while it counts: goes on at the new speed, by the page too */
	set_clock(f, clock(f) + ticks(20, 7));
	lapic_set_reg(&vp->apic, APIC_TDCR_OFF, 0xB);
	ovid_lapic_write_done(vp, APIC_TDCR_OFF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), 30);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, clock(f) + ticks(30, 0));
}

static u64 deadline_msr(struct kunit *test, struct ovid_vp *vp)
{
	u64 val = ~0ull;

	KUNIT_EXPECT_EQ(test, ovid_lapic_msr_read(vp, MSR_IA32_TSC_DEADLINE, &val), 0);
	return val;
}

static void test_timer_deadline(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];

	f->part->tsc_offset = 0 - 500000ull;		/* the guest's clock is behind */
	set_clock(f, START);
	enable(vp);
	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, 600000);	/* not in this mode */
	KUNIT_EXPECT_EQ(test, deadline_msr(test, vp), 0);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);

	ovid_lapic_write(vp, APIC_TMICT_OFF, 1000);
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x400EC);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);	/* the count is off */
	ovid_lapic_write(vp, APIC_TMICT_OFF, 1000);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMICT_OFF), 0);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);

	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, 600000);
	KUNIT_EXPECT_EQ(test, deadline_msr(test, vp), 600000);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 1100000);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), 0);
	tick(vp, f, 1099999);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), 0);
	tick(vp, f, 1100000);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), BIT(0));
	KUNIT_EXPECT_EQ(test, deadline_msr(test, vp), 0);

	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, 1);	/* past: at once */
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), BIT(0));
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, ~0ull);	/* never, and no overflow */
	KUNIT_EXPECT_GT(test, vp->apic.timer_deadline, clock(f));
	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, 0);	/* disarmed */
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), 0);

	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, 700000);
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0xEC);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	KUNIT_EXPECT_EQ(test, deadline_msr(test, vp), 0);
}

/* a guest whose TSC is faster or slower than the host's: its own ticks count */
static void test_timer_scaled(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];

	/* 3/2: 1,000,000 of the host's are 1,500,000 of the guest's */
	f->part->tsc_ratio = 3ull << (OVID_TSC_RATIO_BITS - 1);
	set_clock(f, START);
	KUNIT_EXPECT_EQ(test, f->part->frozen_tsc, 1500000);
	enable(vp);
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x400EC);
	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, 1500000 + 3000);
	/* never before the guest's TSC says so */
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, START + 2001);
	tick(vp, f, START + 2000);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), 0);
	tick(vp, f, START + 2001);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), BIT(0));
	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, ~0ull);
	KUNIT_EXPECT_GT(test, vp->apic.timer_deadline, clock(f));

	/* 1/4, and a count; the longest there is must not overflow */
	f->part->tsc_ratio = 1ull << (OVID_TSC_RATIO_BITS - 2);
	set_clock(f, START);
	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, ~0ull);
	KUNIT_EXPECT_GT(test, vp->apic.timer_deadline, clock(f));
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0xEC);
	ovid_lapic_write(vp, APIC_TDCR_OFF, 0xB);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 1000);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, START + 4 * ticks(1000, 0) + 1);
	set_clock(f, START + 4 * ticks(400, 0) + 1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), 600);
}

static void test_timer_clock_moves(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *a = f->vp[0], *b = f->vp[1];

	enable_all(f);
	ovid_lapic_write(a, APIC_LVT_TIMER_OFF, 0x400EC);
	ovid_lapic_msr_write(a, MSR_IA32_TSC_DEADLINE, START + 5000);
	ovid_lapic_write(b, APIC_LVT_TIMER_OFF, 0xEC);
	ovid_lapic_write(b, APIC_TDCR_OFF, 0xB);
	ovid_lapic_write(b, APIC_TMICT_OFF, 5000);

	/* frozen for 10000 ticks: both fire later by that */
	f->part->tsc_offset -= 10000;
	ovid_apic_time_stood(f->part, 10000);
	set_clock(f, START + 10000);
	ovid_lapic_timer_tsc_changed(a);
	ovid_lapic_timer_tsc_changed(b);
	ovid_lapic_timer_tsc_changed(b);
	KUNIT_EXPECT_EQ(test, a->apic.timer_deadline, START + 15000);
	KUNIT_EXPECT_EQ(test, b->apic.timer_deadline, START + 10000 + ticks(5000, 0));

	/* the guest's TSC was set: a deadline follows, a count does not */
	f->part->tsc_offset += 2000;
	set_clock(f, START + 10000);
	ovid_lapic_timer_tsc_changed(a);
	ovid_lapic_timer_tsc_changed(b);
	KUNIT_EXPECT_EQ(test, a->apic.timer_deadline, START + 13000);
	KUNIT_EXPECT_EQ(test, b->apic.timer_deadline, START + 10000 + ticks(5000, 0));
	f->part->tsc_offset += 4000;
	set_clock(f, START + 10000);
	ovid_lapic_timer_tsc_changed(a);
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), BIT(0));		/* it is past now */

	/* who sleeps is not told: too early is not fired, too late is */
	ovid_lapic_msr_write(a, MSR_IA32_TSC_DEADLINE, START + 20000);
	f->part->tsc_offset -= 3000;
	set_clock(f, START + 20000 + 10000 - 6000);
	ovid_lapic_timer_check(a, clock(f));
	KUNIT_EXPECT_FALSE(test, ovid_lapic_wakes(a));
	KUNIT_EXPECT_EQ(test, a->apic.timer_deadline, clock(f) + 3000);
	f->part->tsc_offset += 3000;
	set_clock(f, clock(f));
	KUNIT_EXPECT_TRUE(test, ovid_lapic_wakes(a));
}

static void test_timer_hz(struct kunit *test)
{
	u32 hz = ovid_apic_timer_hz(tsc_khz);

	KUNIT_EXPECT_LE(test, hz, 1001000000);
	KUNIT_EXPECT_EQ(test, hz, ((u64)tsc_khz * 1000) >> ovid_apic_tsc_shift);
	if (ovid_apic_tsc_shift)
		KUNIT_EXPECT_GT(test, hz, 500000000 - 1000000);
}

static void test_wakes(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];

	enable(vp);
	KUNIT_EXPECT_FALSE(test, ovid_lapic_wakes(vp));
	ovid_lapic_write(vp, APIC_TPR_OFF, 0x50);
	ovid_lapic_timer_block(vp);
	ovid_lapic_post(vp, 0x55, false);
	KUNIT_EXPECT_EQ(test, ovid_test_nr_posted[0], 1);
	KUNIT_EXPECT_FALSE(test, ovid_lapic_wakes(vp));
	/* one more that counts: it must be told of, though one is pending */
	ovid_lapic_post(vp, 0x65, false);
	KUNIT_EXPECT_EQ(test, ovid_test_nr_posted[0], 2);
	KUNIT_EXPECT_TRUE(test, ovid_lapic_wakes(vp));
	ovid_lapic_timer_unblock(vp);
	KUNIT_EXPECT_TRUE(test, vp->apic.irr_maybe);
	KUNIT_EXPECT_EQ(test, drain(f, 0x65), BIT(0));
	KUNIT_EXPECT_EQ(test, drain(f, 0x55), BIT(0));

	/* the timer */
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0xEC);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 100);
	KUNIT_EXPECT_FALSE(test, ovid_lapic_wakes(vp));
	set_clock(f, START + ticks(100, 1));
	KUNIT_EXPECT_TRUE(test, ovid_lapic_wakes(vp));
	KUNIT_EXPECT_EQ(test, drain(f, 0xEC), BIT(0));
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x100EC);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 100);
	set_clock(f, clock(f) + ticks(100, 1));
	KUNIT_EXPECT_FALSE(test, ovid_lapic_wakes(vp));
}

static struct kunit_case lapic_timer_cases[] = {
	KUNIT_CASE(test_timer_oneshot),
	KUNIT_CASE(test_timer_periodic),
	KUNIT_CASE(test_timer_divide),
	KUNIT_CASE(test_timer_deadline),
	KUNIT_CASE(test_timer_scaled),
	KUNIT_CASE(test_timer_clock_moves),
	KUNIT_CASE(test_timer_hz),
	KUNIT_CASE(test_wakes),
	{}
};

static struct kunit_suite lapic_timer_suite = {
	.name = "ovid_lapic_timer",
	.init = lapic_test_init,
	.exit = lapic_test_exit,
	.test_cases = lapic_timer_cases,
};

kunit_test_suite(lapic_timer_suite);
