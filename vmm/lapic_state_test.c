// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the local APIC's modes, reset and saved state; see lapic_test.c.
 */
#include "lapic_test.h"

static void expect_reset_regs(struct kunit *test, struct ovid_vp *vp)
{
	static const u32 zero[] = {
		APIC_TPR_OFF, APIC_APR_OFF, APIC_PPR_OFF, APIC_EOI_OFF, APIC_RRD_OFF, APIC_ESR_OFF,
		APIC_ICR_OFF, APIC_ICR2_OFF, APIC_TMICT_OFF, APIC_TMCCT_OFF, APIC_TDCR_OFF,
	};
	u32 off;
	int i;

	for (i = 0; i < ARRAY_SIZE(zero); i++)
		KUNIT_EXPECT_EQ_MSG(test, ovid_lapic_read(vp, zero[i]), 0, "%x", zero[i]);
	for (off = APIC_ISR_OFF; off < APIC_ESR_OFF; off += 0x10)
		KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, off), 0);
	for (off = APIC_LVT_TIMER_OFF; off <= APIC_LVT_ERROR_OFF; off += 0x10)
		KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, off), 0x10000);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_VERSION_OFF), 0x00050014);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_SVR_OFF), 0xFF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_irr(vp), -1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), -1);
}

static void test_reset(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[3];

	KUNIT_EXPECT_EQ(test, f->vp[0]->apic.base, 0xFEE00900);
	KUNIT_EXPECT_EQ(test, vp->apic.base, 0xFEE00800);
	expect_reset_regs(test, vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ID_OFF), 3u << 24);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_LDR_OFF), 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_DFR_OFF), ~0u);

	/* INIT keeps mode and id, drops all else */
	enable(vp);
	to_x2apic(vp);
	msr_write(vp, APIC_LVT_TIMER_OFF, 0x20040);
	msr_write(vp, APIC_TMICT_OFF, 100);
	msr_write(vp, APIC_TPR_OFF, 0x55);
	ovid_lapic_post(vp, 0x99, false);
	ovid_lapic_sync_pir(vp);
	ovid_lapic_post(vp, 0x9A, true);
	vp->requests = 0;
	ovid_lapic_reset(vp, true);
	KUNIT_EXPECT_EQ(test, vp->apic.base, 0xFEE00C00);
	KUNIT_EXPECT_TRUE(test, test_bit(OVID_REQ_APIC_MODE, &vp->requests));
	expect_reset_regs(test, vp);
	KUNIT_EXPECT_FALSE(test, pending(vp, 0x9A));
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	KUNIT_EXPECT_EQ(test, msr_read(test, vp, APIC_ID_OFF), 3);
	KUNIT_EXPECT_EQ(test, msr_read(test, vp, APIC_LDR_OFF), 0x8);

	ovid_lapic_reset(vp, false);
	KUNIT_EXPECT_EQ(test, vp->apic.base, 0xFEE00800);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ID_OFF), 3u << 24);
}

static void test_base(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[1];
	const u64 base = OVID_APIC_DEFAULT_BASE, en = LAPIC_BASE_EN, extd = LAPIC_BASE_EXTD;
	u32 bit;

	for (bit = 0; bit < 64; bit++) {
		bool reserved = bit < 8 || bit == 9 || bit >= 40;

		if (reserved)
			KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, (base | en) ^ BIT_ULL(bit)),
					1);
	}
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, base | extd), 1);		/* invalid */
	enable(vp);
	vp->requests = 0;
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, base | en | extd), 0);
	KUNIT_EXPECT_TRUE(test, test_bit(OVID_REQ_APIC_MODE, &vp->requests));
	KUNIT_EXPECT_EQ(test, msr_read(test, vp, APIC_SVR_OFF), 0x1FF);		/* kept */
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, base | en), 1);		/* not back */
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, base | extd), 1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, base | en | extd), 0);	/* no change */
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, base), 0);		/* off */
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, base | en | extd), 1);	/* not at once */
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, base | en), 0);
	expect_reset_regs(test, vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ID_OFF), 1u << 24);

	/* the host may go anywhere that is valid */
	KUNIT_EXPECT_EQ(test, ovid_lapic_host_set_base(vp, base | extd), -EINVAL);
	KUNIT_EXPECT_EQ(test, ovid_lapic_host_set_base(vp, base | en | 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, ovid_lapic_host_set_base(vp, base), 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_host_set_base(vp, base | en | extd), 0);
	KUNIT_EXPECT_EQ(test, msr_read(test, vp, APIC_LDR_OFF), 2);
	KUNIT_EXPECT_EQ(test, ovid_lapic_host_set_base(vp, base | en), 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ID_OFF), 1u << 24);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_DFR_OFF), ~0u);

	f->part->x2apic_allowed = false;
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_base(vp, base | en | extd), 1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_host_set_base(vp, base | en | extd), -EINVAL);
}

static void test_switched_off(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[1];
	struct ovid_irq irq = { .dest = 1, .vector = 0x44 };

	enable(vp);
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x50);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 10);
	ovid_lapic_post(vp, 0x43, false);
	KUNIT_EXPECT_FALSE(test, ovid_lapic_takes_extint(vp));
	ovid_lapic_set_base(vp, OVID_APIC_DEFAULT_BASE);
	KUNIT_EXPECT_TRUE(test, ovid_lapic_takes_extint(vp));
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_deliver(f->part, NULL, &irq), 0);
	ovid_lapic_post(vp, 0x45, false);	/* one that looked too early */
	KUNIT_EXPECT_FALSE(test, ovid_lapic_sync_pir(vp));
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);
	irq.delivery = LAPIC_NMI;
	KUNIT_EXPECT_EQ(test, ovid_lapic_deliver(f->part, NULL, &irq), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&f->part->stats.irqs_dropped), 2);
}

static void fill_state(struct fake *f, struct ovid_vp *vp)
{
	enable(vp);
	ovid_lapic_write(vp, APIC_TDCR_OFF, 0x1);
	ovid_lapic_write(vp, APIC_LDR_OFF, 0x04000000);
	ovid_lapic_write(vp, APIC_DFR_OFF, 0x0);
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x200EC);
	ovid_lapic_write(vp, APIC_LVT_THERMAL_OFF, 0x10442);
	ovid_lapic_write(vp, APIC_LVT_PERF_OFF, 0x400);
	ovid_lapic_write(vp, APIC_LVT_LINT0_OFF, 0x1A700);
	ovid_lapic_write(vp, APIC_LVT_LINT1_OFF, 0x400);
	ovid_lapic_write(vp, APIC_LVT_ERROR_OFF, 0xFE);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 1000000);
	ovid_lapic_write(vp, APIC_ICR2_OFF, 0x63000000);
	ovid_lapic_write(vp, APIC_ICR_OFF, 0x4030);
	take(vp, 0x41, false);
	take(vp, 0x62, true);
	ovid_lapic_post(vp, 0x33, false);
	ovid_lapic_sync_pir(vp);
	ovid_lapic_post(vp, 0xC3, false);	/* still in PIR */
	ovid_lapic_read(vp, 0x10);		/* an error, pending, and its interrupt */
	set_clock(f, START + ticks(250000, 2));
	ovid_vp_nmi(vp);
}

static void test_save_restore(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *from = f->vp[1], *to = f->vp[2];
	struct ovid_lapic_blob *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	struct ovid_lapic_blob *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	BUILD_BUG_ON(sizeof(*a) != 176);
	BUILD_BUG_ON(offsetof(struct ovid_lapic_blob, irr) != 84);
	BUILD_BUG_ON(offsetof(struct ovid_lapic_blob, lvt_error) != 148);
	BUILD_BUG_ON(offsetof(struct ovid_lapic_blob, remote_read) != 172);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	fill_state(f, from);
	ovid_lapic_save(from, a);
	KUNIT_EXPECT_EQ(test, a->id, 1u << 24);
	KUNIT_EXPECT_EQ(test, a->irr[0], OVID_APIC_BLOB_NMI);
	KUNIT_EXPECT_EQ(test, a->irr[1], BIT(0x33 - 32));
	KUNIT_EXPECT_EQ(test, a->irr[6], BIT(0xC3 - 192));
	KUNIT_EXPECT_EQ(test, a->isr[3], BIT(0x62 - 96));
	KUNIT_EXPECT_EQ(test, a->tmr[3], BIT(0x62 - 96));
	KUNIT_EXPECT_EQ(test, a->current_count, 750000);
	KUNIT_EXPECT_EQ(test, a->icr_high, 0x63000000);

	to->requests = 0;
	KUNIT_EXPECT_EQ(test, ovid_lapic_restore(to, a), 0);
	KUNIT_EXPECT_TRUE(test, test_bit(OVID_REQ_APIC_MODE, &to->requests));
	KUNIT_EXPECT_TRUE(test, to->apic.irr_maybe);
	ovid_lapic_save(to, b);
	KUNIT_EXPECT_EQ(test, b->id, 2u << 24);		/* the id is not the blob's */
	b->id = a->id;
	KUNIT_EXPECT_EQ(test, memcmp(a, b, sizeof(*a)), 0);
	KUNIT_EXPECT_EQ(test, to->apic.timer_deadline, clock(f) + ticks(750000, 2));
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(to), 0x62);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(to), 0xFE);
	KUNIT_EXPECT_EQ(test, ovid_lapic_eoi(to), 0x62);
	KUNIT_EXPECT_EQ(test, ovid_lapic_eoi(to), -1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(to), -1);
	KUNIT_EXPECT_EQ(test, to->nmi_pending, 1);
}

/* what is due when the state is read is an interrupt in it, once */
static void test_save_due(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[1];
	struct ovid_lapic_blob *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	enable(vp);
	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x41);
	ovid_lapic_write(vp, APIC_TMICT_OFF, 1000);
	set_clock(f, START + ticks(1000, 1) - 1);
	ovid_lapic_save(vp, b);
	KUNIT_EXPECT_EQ(test, b->irr[2], 0);
	KUNIT_EXPECT_EQ(test, b->current_count, 1);	/* not 0, which is "stopped" */
	set_clock(f, START + ticks(1000, 1));
	ovid_lapic_save(vp, b);
	KUNIT_EXPECT_EQ(test, b->irr[2], BIT(1));
	KUNIT_EXPECT_EQ(test, b->current_count, 0);

	ovid_lapic_write(vp, APIC_LVT_TIMER_OFF, 0x40042);
	ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, clock(f) + 10);
	set_clock(f, clock(f) + 10);
	ovid_lapic_save(vp, b);
	KUNIT_EXPECT_EQ(test, b->irr[2], BIT(1) | BIT(2));
	KUNIT_EXPECT_EQ(test, vp->apic.tscdeadline, 0);
}

static void test_restore_odd(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	struct ovid_lapic_blob *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	/* a virtual wire in a disabled APIC, as clients set it before boot */
	ovid_lapic_save(vp, b);
	b->lvt_lint0 = 0x700;
	b->lvt_lint1 = 0x400;
	KUNIT_EXPECT_EQ(test, ovid_lapic_restore(vp, b), 0);
	KUNIT_EXPECT_TRUE(test, ovid_lapic_takes_extint(vp));
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_SVR_OFF), 0xFF);

	memset(b, 0xFF, sizeof(*b));
	KUNIT_EXPECT_EQ(test, ovid_lapic_restore(vp, b), -EINVAL);	/* timer mode 3 */
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_LVT_LINT1_OFF), 0x400);
	b->lvt_timer = 0x200FF;
	b->divide = 0;
	KUNIT_EXPECT_EQ(test, ovid_lapic_restore(vp, b), 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_VERSION_OFF), OVID_APIC_VERSION);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ISR_OFF), 0xFFFF0000);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_LVT_LINT0_OFF), 0x1A7FF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_LVT_ERROR_OFF), 0x100FF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TMCCT_OFF), ~0u);

	/* TSC deadline, MSR before blob */
	ovid_lapic_reset(vp, false);
	ovid_lapic_host_set_tscdeadline(vp, START + 77);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, 0);
	ovid_lapic_save(vp, b);
	b->svr = 0x1FF;
	b->lvt_timer = 0x400EC;
	KUNIT_EXPECT_EQ(test, ovid_lapic_restore(vp, b), 0);
	KUNIT_EXPECT_EQ(test, vp->apic.timer_deadline, START + 77);

	/* x2APIC: LDR and id are derived, the destination in ICR has 32 bits */
	ovid_lapic_reset(vp, false);
	to_x2apic(vp);
	ovid_lapic_save(vp, b);
	b->ldr = 0x12345678;
	b->icr_high = 0x12345678;
	b->icr_low = 0x99;
	KUNIT_EXPECT_EQ(test, ovid_lapic_restore(vp, b), 0);
	KUNIT_EXPECT_EQ(test, msr_read(test, vp, APIC_LDR_OFF), 1);
	KUNIT_EXPECT_EQ(test, msr_read(test, vp, APIC_ICR_OFF), 0x1234567800000099ull);
}

/* a blob is as hostile as a guest; every one ends in a sane APIC */
static void test_hostile_blobs(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	u32 *b = kunit_kzalloc(test, sizeof(struct ovid_lapic_blob), GFP_KERNEL);
	struct rnd_state rnd;
	u32 i, k;

	KUNIT_ASSERT_NOT_NULL(test, b);
	prandom_seed_state(&rnd, 99);
	for (i = 0; i < 300; i++) {
		for (k = 0; k < sizeof(struct ovid_lapic_blob) / 4; k++)
			b[k] = odd_value(&rnd);
		((struct ovid_lapic_blob *)b)->svr |= LAPIC_SVR_ENABLED;
		if (i == 150)
			to_x2apic(vp);
		if (ovid_lapic_restore(vp, b))
			continue;
		expect_sane(test, vp);
		expect_sane_page(test, vp);
		ovid_lapic_save(vp, b);
		KUNIT_EXPECT_EQ(test, ovid_lapic_restore(vp, b), 0);
	}
}

static struct kunit_case lapic_state_cases[] = {
	KUNIT_CASE(test_reset),
	KUNIT_CASE(test_base),
	KUNIT_CASE(test_switched_off),
	KUNIT_CASE(test_save_restore),
	KUNIT_CASE(test_save_due),
	KUNIT_CASE(test_restore_odd),
	KUNIT_CASE(test_hostile_blobs),
	{}
};

static struct kunit_suite lapic_state_suite = {
	.name = "ovid_lapic_state",
	.init = lapic_test_init,
	.exit = lapic_test_exit,
	.test_cases = lapic_state_cases,
};

kunit_test_suite(lapic_state_suite);
