// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the local APIC.  A module of its own: lapic*.c linked with
 * this file, which stands in for the rest of ovid (the "outside" below) and
 * keeps book of what the APIC asks of it.
 *
 * Time is the test's: partitions here are frozen, and the frozen clock is set
 * by hand.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <asm/msr-index.h>
#include <asm/tsc.h>
#include "cpuid.h"
#include "lapic_priv.h"

#define NR_VPS		5
#define START		1000000ull	/* the clock at the beginning */

struct fake {
	struct ovid_partition *part;
	struct ovid_vp *vp[NR_VPS];
};

/* ---- the outside ---- */

static unsigned int nr_posted[OVID_MAX_VPS];
static unsigned int nr_kicks;

void ovid_vp_interrupt_posted(struct ovid_vp *vp)
{
	nr_posted[vp->index]++;
}

void ovid_vp_kick(struct ovid_vp *vp)
{
	nr_kicks++;
}

void ovid_vp_request(struct ovid_vp *vp, enum ovid_request req)
{
	set_bit(req, &vp->requests);
	ovid_vp_kick(vp);
}

void ovid_vp_nmi(struct ovid_vp *vp)
{
	if (vp->nmi_pending < 2)
		vp->nmi_pending++;
}

u64 ovid_part_guest_tsc(struct ovid_partition *part)
{
	return part->frozen_tsc;
}

unsigned int ovid_cpuid_phys_bits(struct ovid_partition *part)
{
	return 40;
}

/* ---- helpers ---- */

static void set_clock(struct fake *f, u64 host_tsc)
{
	f->part->frozen_at = host_tsc;
	f->part->frozen_tsc = host_tsc + f->part->tsc_offset;
}

static u64 clock(struct fake *f)
{
	return f->part->frozen_at;
}

static void tick(struct ovid_vp *vp, struct fake *f, u64 host_tsc)
{
	set_clock(f, host_tsc);
	ovid_lapic_timer_check(vp, host_tsc);
}

static struct ovid_vp *vp_make(struct kunit *test, struct ovid_partition *part, u32 index)
{
	struct ovid_vp *vp = kunit_kzalloc(test, sizeof(*vp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vp);
	vp->part = part;
	vp->index = index;
	KUNIT_ASSERT_EQ(test, ovid_lapic_init(vp), 0);
	smp_store_release(&part->vps[index], vp);
	ovid_apic_map_update(part);
	vp->requests = 0;
	ovid_lapic_sync_pir(vp);
	return vp;
}

static int lapic_test_init(struct kunit *test)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->part = kunit_kzalloc(test, sizeof(*f->part), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->part);
	mutex_init(&f->part->apic_map_lock);
	f->part->x2apic_allowed = true;
	f->part->time_frozen = true;
	set_clock(f, START);
	for (i = 0; i < NR_VPS; i++)
		f->vp[i] = vp_make(test, f->part, i);
	memset(nr_posted, 0, sizeof(nr_posted));
	nr_kicks = 0;
	return 0;
}

static void lapic_test_exit(struct kunit *test)
{
	struct fake *f = test->priv;
	u32 i;

	if (!f || !f->part)
		return;
	for (i = 0; i < NR_VPS; i++)
		if (f->vp[i])
			ovid_lapic_fini(f->vp[i]);
	ovid_apic_map_fini(f->part);
}

static void enable(struct ovid_vp *vp)
{
	ovid_lapic_write(vp, APIC_SVR_OFF, 0x1FF);
}

static void enable_all(struct fake *f)
{
	u32 i;

	for (i = 0; i < NR_VPS; i++)
		enable(f->vp[i]);
}

static int to_x2apic(struct ovid_vp *vp)
{
	return ovid_lapic_set_base(vp, vp->apic.base | LAPIC_BASE_EXTD);
}

static void all_to_x2apic(struct fake *f)
{
	u32 i;

	for (i = 0; i < NR_VPS; i++)
		to_x2apic(f->vp[i]);
}

static bool pending(struct ovid_vp *vp, u8 vector)
{
	ovid_lapic_sync_pir(vp);
	return lapic_vec_test(&vp->apic, APIC_IRR_OFF, vector);
}

/* takes @vector off all VPs; returns who had it, bit 0 is VP 0 */
static u32 drain(struct fake *f, u8 vector)
{
	u32 i, who = 0;

	for (i = 0; i < NR_VPS; i++) {
		if (!pending(f->vp[i], vector))
			continue;
		who |= BIT(i);
		ovid_lapic_ack(f->vp[i], vector);
		ovid_lapic_eoi(f->vp[i]);
	}
	return who;
}

static int msr_write(struct ovid_vp *vp, u32 off, u64 val)
{
	return ovid_lapic_msr_write(vp, 0x800 + (off >> 4), val);
}

static u64 msr_read(struct kunit *test, struct ovid_vp *vp, u32 off)
{
	u64 val = ~0ull;

	KUNIT_EXPECT_EQ(test, ovid_lapic_msr_read(vp, 0x800 + (off >> 4), &val), 0);
	return val;
}

/* ---- state after power-up and INIT ---- */

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

/* ---- priorities, ISR, EOI ---- */

static void test_priorities(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];

	enable(vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);
	ovid_lapic_post(vp, 0x31, false);
	ovid_lapic_post(vp, 0xEF, false);
	ovid_lapic_post(vp, 0x52, false);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);	/* not synced yet */
	KUNIT_EXPECT_TRUE(test, ovid_lapic_sync_pir(vp));
	KUNIT_EXPECT_FALSE(test, ovid_lapic_sync_pir(vp));
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), 0xEF);
	KUNIT_EXPECT_EQ(test, nr_posted[0], 1);		/* ON was set the other times */

	/* TPR: the whole class is held back, and those below */
	ovid_lapic_write(vp, APIC_TPR_OFF, 0xE0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_irr(vp), 0xEF);
	ovid_lapic_write(vp, APIC_TPR_OFF, 0xDF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), 0xEF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_PPR_OFF), 0xDF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_cr8(vp), 0xD);
	ovid_lapic_set_cr8(vp, 0x12);			/* 4 bits */
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_TPR_OFF), 0x20);

	ovid_lapic_ack(vp, 0xEF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_PPR_OFF), 0xE0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_irr(vp), 0x52);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_eoi(vp), -1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_PPR_OFF), 0x20);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), 0x52);
}

static void test_nested(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	static const u8 nest[] = { 0x31, 0x45, 0x46, 0x9F, 0xF0 };
	int i;

	enable(vp);
	for (i = 0; i < ARRAY_SIZE(nest); i++) {
		ovid_lapic_post(vp, nest[i], false);
		ovid_lapic_sync_pir(vp);
		if (i == 2) {		/* same class as the one in service: waits */
			KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);
			continue;
		}
		KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), nest[i]);
		ovid_lapic_ack(vp, nest[i]);
		KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), nest[i]);
		KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_PPR_OFF), nest[i] & 0xF0);
	}
	/* a vector can be in IRR and ISR at once */
	ovid_lapic_post(vp, 0xF0, false);
	KUNIT_EXPECT_TRUE(test, pending(vp, 0xF0));
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);
	ovid_lapic_eoi(vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), 0xF0);
	ovid_lapic_ack(vp, 0xF0);

	ovid_lapic_eoi(vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), 0x9F);
	ovid_lapic_eoi(vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), 0x45);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);
	ovid_lapic_eoi(vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), 0x31);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), 0x46);
	ovid_lapic_eoi(vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), -1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_eoi(vp), -1);	/* nothing in service */
}

static void take(struct ovid_vp *vp, u8 vector, bool level)
{
	ovid_lapic_post(vp, vector, level);
	ovid_lapic_sync_pir(vp);
	ovid_lapic_ack(vp, vector);
}

static void test_eoi(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];

	enable(vp);
	take(vp, 0x61, true);
	KUNIT_EXPECT_TRUE(test, lapic_vec_test(&vp->apic, APIC_TMR_OFF, 0x61));
	KUNIT_EXPECT_EQ(test, ovid_lapic_eoi(vp), 0x61);
	take(vp, 0x61, false);
	KUNIT_EXPECT_FALSE(test, lapic_vec_test(&vp->apic, APIC_TMR_OFF, 0x61));
	KUNIT_EXPECT_EQ(test, ovid_lapic_eoi(vp), -1);

	/* by register: the answer waits for the run loop, once */
	take(vp, 0x61, true);
	ovid_lapic_write(vp, APIC_EOI_OFF, 0x12345678);
	KUNIT_EXPECT_EQ(test, ovid_lapic_take_eoi(&vp->apic), 0x61);
	KUNIT_EXPECT_EQ(test, ovid_lapic_take_eoi(&vp->apic), -1);
	take(vp, 0xFF, true);
	lapic_set_reg(&vp->apic, APIC_EOI_OFF, 7);	/* as the CPU does */
	ovid_lapic_write_done(vp, APIC_EOI_OFF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_take_eoi(&vp->apic), 0xFF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_EOI_OFF), 0);

	to_x2apic(vp);
	take(vp, 0x62, true);
	KUNIT_EXPECT_EQ(test, msr_write(vp, APIC_EOI_OFF, 1), 1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), 0x62);
	KUNIT_EXPECT_EQ(test, msr_write(vp, APIC_EOI_OFF, 0), 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_take_eoi(&vp->apic), 0x62);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), -1);
}

/* virtual-interrupt delivery: hardware reads IRR and ISR from the page */
static void test_vid(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[1];
	u64 map[4];

	enable(vp);
	ovid_lapic_set_vid(vp, true);
	ovid_lapic_eoi_map(vp, map);
	ovid_lapic_sync_pir(vp);
	vp->requests = 0;

	/* a level-triggered vector is not seen before the bitmap has it */
	ovid_lapic_post(vp, 0x71, true);
	KUNIT_EXPECT_TRUE(test, test_bit(OVID_REQ_EOI_MAP, &vp->requests));
	KUNIT_EXPECT_FALSE(test, pending(vp, 0x71));
	ovid_lapic_post(vp, 0x71, true);
	KUNIT_EXPECT_FALSE(test, pending(vp, 0x71));
	vp->requests = 0;
	ovid_lapic_eoi_map(vp, map);
	KUNIT_EXPECT_EQ(test, map[1], BIT_ULL(0x71 - 64));
	KUNIT_EXPECT_EQ(test, map[0] | map[2] | map[3], 0);
	KUNIT_EXPECT_TRUE(test, vp->apic.pi->control & 1);
	KUNIT_EXPECT_TRUE(test, pending(vp, 0x71));
	/* from then on it is as fast as others */
	ovid_lapic_post(vp, 0x71, true);
	KUNIT_EXPECT_EQ(test, vp->requests, 0);
	/* edge: the bitmap is too large for a while, nothing waits */
	ovid_lapic_post(vp, 0x71, false);
	KUNIT_EXPECT_TRUE(test, test_bit(OVID_REQ_EOI_MAP, &vp->requests));
	KUNIT_EXPECT_TRUE(test, pending(vp, 0x71));
	ovid_lapic_eoi_map(vp, map);
	KUNIT_EXPECT_EQ(test, map[0] | map[1] | map[2] | map[3], 0);

	/* what hardware did in the page is seen; caches are right afterwards */
	lapic_set_reg(&vp->apic, APIC_IRR_OFF + 0x30, 0);
	lapic_set_reg(&vp->apic, APIC_IRR_OFF + 0x70, 0x80);
	lapic_set_reg(&vp->apic, APIC_ISR_OFF + 0x20, 0x80000001);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_irr(vp), 0xE7);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), 0x5F);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_PPR_OFF), 0x50);
	ovid_lapic_set_vid(vp, false);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_irr(vp), 0xE7);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), 0x5F);
	ovid_lapic_eoi(vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), 0x40);
}

/* ---- modes ---- */

static void test_base(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[1];
	const u64 base = OVID_APIC_DEFAULT_BASE, en = LAPIC_BASE_EN, extd = LAPIC_BASE_EXTD;
	u32 bit;

	for (bit = 0; bit < 64; bit++) {
		bool reserved = bit < 8 || bit == 9 || bit >= 40;

		if (reserved)
			KUNIT_EXPECT_EQ_MSG(test, ovid_lapic_set_base(vp, (base | en) ^ BIT_ULL(bit)),
					    1, "bit %u", bit);
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

static void test_software_disable(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	struct ovid_irq irq = { .dest = 0, .vector = 0x44 };
	u32 off;

	/* disabled from reset on: LVTs stay masked, nothing fixed comes in */
	ovid_lapic_write(vp, APIC_LVT_LINT0_OFF, 0x700);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_LVT_LINT0_OFF), 0x10700);
	KUNIT_EXPECT_FALSE(test, ovid_lapic_takes_extint(vp));
	KUNIT_EXPECT_EQ(test, ovid_lapic_deliver(f->part, NULL, &irq), 0);
	irq.delivery = LAPIC_NMI;
	KUNIT_EXPECT_EQ(test, ovid_lapic_deliver(f->part, NULL, &irq), 1);
	KUNIT_EXPECT_EQ(test, vp->nmi_pending, 1);
	irq.delivery = LAPIC_FIXED;

	enable(vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_deliver(f->part, NULL, &irq), 1);
	for (off = APIC_LVT_TIMER_OFF; off <= APIC_LVT_ERROR_OFF; off += 0x10)
		ovid_lapic_write(vp, off, 0x40);
	ovid_lapic_write(vp, APIC_LVT_LINT0_OFF, 0x700);
	KUNIT_EXPECT_TRUE(test, ovid_lapic_takes_extint(vp));

	/* off again: what is pending is held, and can be taken; LVTs get masked */
	ovid_lapic_write(vp, APIC_SVR_OFF, 0xFF);
	for (off = APIC_LVT_TIMER_OFF; off <= APIC_LVT_ERROR_OFF; off += 0x10)
		KUNIT_EXPECT_TRUE(test, ovid_lapic_read(vp, off) & LAPIC_LVT_MASKED);
	KUNIT_EXPECT_FALSE(test, ovid_lapic_takes_extint(vp));
	KUNIT_EXPECT_TRUE(test, pending(vp, 0x44));
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), 0x44);

	/* as the APIC-write exit shows it: the page has the new value already */
	lapic_set_reg(&vp->apic, APIC_SVR_OFF, 0xFFFFFFFF);
	ovid_lapic_write_done(vp, APIC_SVR_OFF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_SVR_OFF), 0x3FF);
	lapic_set_reg(&vp->apic, APIC_LVT_LINT1_OFF, 0xFFFE0400);
	ovid_lapic_write_done(vp, APIC_LVT_LINT1_OFF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_LVT_LINT1_OFF), 0x400);
}

/* ---- destinations ---- */

static u32 send(struct fake *f, u32 dest, bool logical, bool x2apic)
{
	struct ovid_irq irq = {
		.dest = dest, .logical = logical, .x2apic_dest = x2apic, .vector = 0x80,
	};
	int n = ovid_lapic_deliver(f->part, NULL, &irq);
	u32 who = drain(f, 0x80);

	return n == hweight32(who) ? who : ~0u;
}

static void test_physical(struct kunit *test)
{
	struct fake *f = test->priv;

	enable_all(f);
	KUNIT_EXPECT_EQ(test, send(f, 2, false, false), BIT(2));
	KUNIT_EXPECT_EQ(test, send(f, 2, false, true), BIT(2));
	KUNIT_EXPECT_EQ(test, send(f, 17, false, false), 0);
	KUNIT_EXPECT_EQ(test, send(f, 0x102, false, true), 0);
	KUNIT_EXPECT_EQ(test, send(f, 0xFF, false, false), 0x1F);
	KUNIT_EXPECT_EQ(test, send(f, 0xFF, false, true), 0);
	KUNIT_EXPECT_EQ(test, send(f, ~0u, false, true), 0x1F);

	/* ids move */
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_id(f->vp[2], 200), 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(f->vp[2], APIC_ID_OFF), 200u << 24);
	KUNIT_EXPECT_EQ(test, send(f, 2, false, false), 0);
	KUNIT_EXPECT_EQ(test, send(f, 200, false, false), BIT(2));
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_id(f->vp[2], 255), -EINVAL);
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_id(f->vp[2], ~0u), -EINVAL);
	/* two of one id, for a while: the lower index; the other comes back */
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_id(f->vp[2], 1), 0);
	KUNIT_EXPECT_EQ(test, send(f, 1, false, false), BIT(1));
	KUNIT_EXPECT_EQ(test, ovid_lapic_set_id(f->vp[1], 2), 0);
	KUNIT_EXPECT_EQ(test, send(f, 1, false, false), BIT(2));
	KUNIT_EXPECT_EQ(test, send(f, 2, false, false), BIT(1));
	/* guests cannot */
	ovid_lapic_write(f->vp[1], APIC_ID_OFF, 9u << 24);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(f->vp[1], APIC_ID_OFF), 2u << 24);
	lapic_set_reg(&f->vp[1]->apic, APIC_ID_OFF, 9u << 24);
	ovid_lapic_write_done(f->vp[1], APIC_ID_OFF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(f->vp[1], APIC_ID_OFF), 2u << 24);
}

static void test_xapic_logical(struct kunit *test)
{
	struct fake *f = test->priv;
	static const u8 flat[NR_VPS] = { 0x01, 0x02, 0x04, 0x88, 0x00 };
	static const u8 cluster[NR_VPS] = { 0x11, 0x12, 0x21, 0x28, 0x20 };
	u32 i;

	enable_all(f);
	for (i = 0; i < NR_VPS; i++)
		ovid_lapic_write(f->vp[i], APIC_LDR_OFF, (flat[i] << 24) | 0xABCDEF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(f->vp[3], APIC_LDR_OFF), 0x88000000);
	KUNIT_EXPECT_EQ(test, send(f, 0x01, true, false), BIT(0));
	KUNIT_EXPECT_EQ(test, send(f, 0x06, true, false), BIT(1) | BIT(2));
	KUNIT_EXPECT_EQ(test, send(f, 0x80, true, false), BIT(3));
	KUNIT_EXPECT_EQ(test, send(f, 0x70, true, false), 0);
	KUNIT_EXPECT_EQ(test, send(f, 0x00, true, false), 0);
	KUNIT_EXPECT_EQ(test, send(f, 0xFF, true, false), 0x1F);

	for (i = 0; i < NR_VPS; i++) {
		ovid_lapic_write(f->vp[i], APIC_DFR_OFF, 0);
		ovid_lapic_write(f->vp[i], APIC_LDR_OFF, cluster[i] << 24);
	}
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(f->vp[0], APIC_DFR_OFF), 0x0FFFFFFF);
	KUNIT_EXPECT_EQ(test, send(f, 0x13, true, false), BIT(0) | BIT(1));
	KUNIT_EXPECT_EQ(test, send(f, 0x2F, true, false), BIT(2) | BIT(3));
	KUNIT_EXPECT_EQ(test, send(f, 0x3F, true, false), 0);
	KUNIT_EXPECT_EQ(test, send(f, 0xFF, true, false), 0x1F);
	/* a model that does not exist matches nothing */
	ovid_lapic_write(f->vp[0], APIC_DFR_OFF, 0x50000000);
	KUNIT_EXPECT_EQ(test, send(f, 0x13, true, false), BIT(1));
}

static void test_x2apic_logical(struct kunit *test)
{
	struct fake *f = test->priv;

	enable_all(f);
	ovid_lapic_set_id(f->vp[4], 0x25);
	all_to_x2apic(f);
	KUNIT_EXPECT_EQ(test, msr_read(test, f->vp[4], APIC_LDR_OFF), 0x20020);
	KUNIT_EXPECT_EQ(test, msr_read(test, f->vp[2], APIC_LDR_OFF), 0x4);
	KUNIT_EXPECT_EQ(test, send(f, 0x00004, true, true), BIT(2));
	KUNIT_EXPECT_EQ(test, send(f, 0x0000F, true, true), 0xF);
	KUNIT_EXPECT_EQ(test, send(f, 0x20020, true, true), BIT(4));
	KUNIT_EXPECT_EQ(test, send(f, 0x2FFFF, true, true), BIT(4));
	KUNIT_EXPECT_EQ(test, send(f, 0x10020, true, true), 0);
	KUNIT_EXPECT_EQ(test, send(f, 0xFFFF0001, true, true), 0);
	KUNIT_EXPECT_EQ(test, send(f, 0, true, true), 0);
	KUNIT_EXPECT_EQ(test, send(f, ~0u, true, true), 0x1F);
	/* as an 8-bit MSI */
	KUNIT_EXPECT_EQ(test, send(f, 0x05, true, false), BIT(0) | BIT(2));
	/* an APIC in the other mode does not take it for its own */
	ovid_lapic_host_set_base(f->vp[2], OVID_APIC_DEFAULT_BASE | LAPIC_BASE_EN);
	KUNIT_EXPECT_EQ(test, send(f, 0x00004, true, true), 0);
	KUNIT_EXPECT_EQ(test, send(f, 0x0000F, true, true), 0xB);
}

static void test_lowest(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_irq irq = {
		.dest = 0xFF, .logical = true, .delivery = LAPIC_LOWEST, .vector = 0x80,
	};
	u32 i, who, all = 0;

	enable_all(f);
	ovid_lapic_write(f->vp[3], APIC_SVR_OFF, 0xFF);	/* takes nothing */
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, ovid_lapic_deliver(f->part, NULL, &irq), 1);
		who = drain(f, 0x80);
		KUNIT_EXPECT_EQ(test, hweight32(who), 1);
		all |= who;
	}
	KUNIT_EXPECT_EQ(test, all, 0x17);		/* everyone had a turn */
	irq.dest = 0;
	KUNIT_EXPECT_EQ(test, ovid_lapic_deliver(f->part, NULL, &irq), 0);
}

static void test_msi(struct kunit *test)
{
	struct ovid_irq irq;

	ovid_irq_from_msi(&irq, 0xFEE03000, 0x0041);
	KUNIT_EXPECT_EQ(test, irq.dest, 3);
	KUNIT_EXPECT_EQ(test, irq.vector, 0x41);
	KUNIT_EXPECT_EQ(test, irq.delivery, LAPIC_FIXED);
	KUNIT_EXPECT_FALSE(test, irq.logical || irq.level || irq.x2apic_dest || irq.shorthand);
	ovid_irq_from_msi(&irq, 0xFEEFF004, 0xC155);
	KUNIT_EXPECT_EQ(test, irq.dest, 0xFF);
	KUNIT_EXPECT_EQ(test, irq.delivery, LAPIC_LOWEST);
	KUNIT_EXPECT_TRUE(test, irq.logical && irq.level);
	ovid_irq_from_msi(&irq, 0xFEE0300C, 0x0041);	/* redirection hint */
	KUNIT_EXPECT_EQ(test, irq.delivery, LAPIC_LOWEST);
	ovid_irq_from_msi(&irq, 0xFEE0300C, 0x0441);
	KUNIT_EXPECT_EQ(test, irq.delivery, LAPIC_NMI);
	ovid_irq_from_msi(&irq, 0x12345600FEE78000ull, 0x41);
	KUNIT_EXPECT_EQ(test, irq.dest, 0x12345678);
	KUNIT_EXPECT_TRUE(test, irq.x2apic_dest);
}

/* ---- ICR ---- */

#define ICR_SHORT(n)	((n) << 18)

static u32 ipi(struct fake *f, u32 sender, u32 icr, u32 dest)
{
	struct ovid_vp *vp = f->vp[sender];

	if (ovid_lapic_x2apic(&vp->apic)) {
		if (msr_write(vp, APIC_ICR_OFF, (u64)dest << 32 | icr))
			return ~0u;
	} else {
		ovid_lapic_write(vp, APIC_ICR2_OFF, dest << 24);
		ovid_lapic_write(vp, APIC_ICR_OFF, icr);
	}
	return drain(f, icr);
}

static void test_icr(struct kunit *test)
{
	struct fake *f = test->priv;
	int mode;

	enable_all(f);
	for (mode = 0; mode < 2; mode++) {
		u32 all = mode ? ~0u : 0xFF;

		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x80, 3), BIT(3));
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x80, 1), BIT(1));
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x80, 99), 0);
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x80, all), 0x1F);
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x80 | ICR_SHORT(1), 3), BIT(1));
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x80 | ICR_SHORT(2), 3), 0x1F);
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x80 | ICR_SHORT(3), 3), 0x1D);
		KUNIT_EXPECT_EQ(test, hweight32(ipi(f, 1, 0x180 | ICR_SHORT(3), 0)), 1);
		/* an IPI is an edge whatever it says */
		ovid_lapic_post(f->vp[3], 0x80, true);
		drain(f, 0x80);
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0xC080, 3), BIT(3));
		KUNIT_EXPECT_FALSE(test, lapic_vec_test(&f->vp[3]->apic, APIC_TMR_OFF, 0x80));
		/* modes that do not exist or are not virtualized: nothing */
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x280, 3), 0);
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x380, 3), 0);
		KUNIT_EXPECT_EQ(test, ipi(f, 1, 0x780, 3), 0);
		all_to_x2apic(f);
	}
}

static void test_icr_registers(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];

	enable_all(f);
	ovid_lapic_write(vp, APIC_ICR2_OFF, 0x03FFFFFF);
	ovid_lapic_write(vp, APIC_ICR_OFF, 0xFFF33080);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ICR2_OFF), 0x03000000);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ICR_OFF), 0x80);
	KUNIT_EXPECT_EQ(test, drain(f, 0x80), BIT(3));
	to_x2apic(vp);
	KUNIT_EXPECT_EQ(test, msr_read(test, vp, APIC_ICR_OFF), 0x300000080ull);
	KUNIT_EXPECT_EQ(test, msr_write(vp, APIC_ICR_OFF, 0x1234567800001081ull), 0);
	KUNIT_EXPECT_EQ(test, msr_read(test, vp, APIC_ICR_OFF), 0x1234567800000081ull);
	KUNIT_EXPECT_EQ(test, msr_write(vp, APIC_SELF_IPI_OFF, 0x91), 0);
	KUNIT_EXPECT_EQ(test, drain(f, 0x91), BIT(0));
	KUNIT_EXPECT_EQ(test, msr_write(vp, APIC_SELF_IPI_OFF, 0x191), 1);
}

static void test_init_sipi(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_lapic *apic = &f->vp[2]->apic;

	/* software-disabled APICs take these */
	ipi(f, 0, 0x4500, 2);			/* INIT, assert */
	KUNIT_EXPECT_EQ(test, apic->pending_init, BIT(OVID_APIC_INIT));
	KUNIT_EXPECT_TRUE(test, test_bit(OVID_REQ_INIT, &f->vp[2]->requests));
	KUNIT_EXPECT_EQ(test, f->vp[1]->requests, 0);
	ipi(f, 0, 0x0699, 2);			/* SIPI */
	KUNIT_EXPECT_EQ(test, apic->pending_init, BIT(OVID_APIC_INIT) | BIT(OVID_APIC_SIPI));
	KUNIT_EXPECT_EQ(test, apic->sipi_vector, 0x99);
	ipi(f, 0, 0xC500, 2);			/* INIT, level, assert: the SIPI is void */
	KUNIT_EXPECT_EQ(test, apic->pending_init, BIT(OVID_APIC_INIT));
	apic->pending_init = 0;
	ipi(f, 0, 0x8500, 2);			/* INIT level de-assert does nothing */
	KUNIT_EXPECT_EQ(test, apic->pending_init, 0);
	ipi(f, 0, 0x4500 | ICR_SHORT(3), 0);
	KUNIT_EXPECT_EQ(test, f->vp[0]->apic.pending_init, 0);
	KUNIT_EXPECT_EQ(test, f->vp[4]->apic.pending_init, BIT(OVID_APIC_INIT));
	ipi(f, 0, 0x0600 | ICR_SHORT(3), 0);	/* SIPI to page 0 is fine */
	KUNIT_EXPECT_EQ(test, f->vp[4]->apic.pending_init & BIT(OVID_APIC_SIPI),
			BIT(OVID_APIC_SIPI));
	ipi(f, 0, 0x4400, 3);			/* NMI, its vector does not matter */
	KUNIT_EXPECT_EQ(test, f->vp[3]->nmi_pending, 1);
	KUNIT_EXPECT_EQ(test, f->vp[0]->apic.esr_pending, 0);
}

/* ---- errors ---- */

static void test_esr(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	struct ovid_irq irq = { .dest = 0, .vector = 3 };

	enable_all(f);
	ovid_lapic_write(vp, APIC_LVT_ERROR_OFF, 0xFE);
	ipi(f, 0, 0x0F, 2);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ESR_OFF), 0);	/* not latched yet */
	KUNIT_EXPECT_EQ(test, drain(f, 0xFE), BIT(0));
	ipi(f, 0, 0x0F, 2);
	KUNIT_EXPECT_EQ(test, drain(f, 0xFE), 0);			/* once */
	KUNIT_EXPECT_EQ(test, ovid_lapic_deliver(f->part, NULL, &irq), 0);
	ovid_lapic_write(vp, APIC_ESR_OFF, 0xFFFFFFFF);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ESR_OFF), 0x60);
	ovid_lapic_write(vp, APIC_ESR_OFF, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ESR_OFF), 0);
	drain(f, 0xFE);
	ipi(f, 0, 0x0F, 2);
	KUNIT_EXPECT_EQ(test, drain(f, 0xFE), BIT(0));			/* armed again */

	/* registers that do not exist */
	ovid_lapic_write(vp, APIC_ESR_OFF, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, 0x000), 0);
	ovid_lapic_write(vp, APIC_ESR_OFF, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ESR_OFF), 0x80);
	ovid_lapic_write(vp, 0x3A0, 1);
	ovid_lapic_write(vp, APIC_ESR_OFF, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ESR_OFF), 0x80);
	ovid_lapic_write(vp, APIC_VERSION_OFF, 1);			/* read-only is no error */
	ovid_lapic_write(vp, APIC_ISR_OFF, 1);
	ovid_lapic_write(vp, APIC_ESR_OFF, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ESR_OFF), 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ISR_OFF), 0);

	/* an illegal vector in the error entry itself */
	drain(f, 0xFE);
	ovid_lapic_write(vp, APIC_LVT_ERROR_OFF, 0x05);
	ovid_lapic_read(vp, 0x10);
	ovid_lapic_write(vp, APIC_ESR_OFF, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_read(vp, APIC_ESR_OFF), 0xC0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);
}

static void test_self_ipi_illegal(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];

	enable(vp);
	to_x2apic(vp);
	KUNIT_EXPECT_EQ(test, msr_write(vp, APIC_SELF_IPI_OFF, 0x0F), 0);
	KUNIT_EXPECT_EQ(test, msr_write(vp, APIC_ESR_OFF, 1), 1);
	KUNIT_EXPECT_EQ(test, msr_write(vp, APIC_ESR_OFF, 0), 0);
	KUNIT_EXPECT_EQ(test, msr_read(test, vp, APIC_ESR_OFF), 0x20);
	KUNIT_EXPECT_EQ(test, ovid_lapic_next(vp), -1);
}

/* ---- the x2APIC MSRs: what exists, which bits ---- */

static const struct {
	u32 off;
	bool read, write;
	u64 bits;		/* that may be written */
} x2apic_msrs[] = {
	{ APIC_ID_OFF,		true, false },
	{ APIC_VERSION_OFF,	true, false },
	{ APIC_TPR_OFF,		true, true, 0xFF },
	{ APIC_PPR_OFF,		true, false },
	{ APIC_EOI_OFF,		false, true, 0 },
	{ APIC_LDR_OFF,		true, false },
	{ APIC_SVR_OFF,		true, true, 0x3FF },
	{ APIC_ESR_OFF,		true, true, 0 },
	{ APIC_ICR_OFF,		true, true, 0xFFFFFFFF000CDFFFull },
	{ APIC_LVT_TIMER_OFF,	true, true, 0x710FF },
	{ APIC_LVT_THERMAL_OFF,	true, true, 0x117FF },
	{ APIC_LVT_PERF_OFF,	true, true, 0x117FF },
	{ APIC_LVT_LINT0_OFF,	true, true, 0x1F7FF },
	{ APIC_LVT_LINT1_OFF,	true, true, 0x1F7FF },
	{ APIC_LVT_ERROR_OFF,	true, true, 0x110FF },
	{ APIC_TMICT_OFF,	true, true, 0xFFFFFFFF },
	{ APIC_TMCCT_OFF,	true, false },
	{ APIC_TDCR_OFF,	true, true, 0xB },
	{ APIC_SELF_IPI_OFF,	false, true, 0xFF },
};

static void expect_msr(struct kunit *test, struct ovid_vp *vp, u32 off,
		       bool read, bool write, u64 bits)
{
	u64 val;
	u32 bit;

	KUNIT_EXPECT_EQ_MSG(test, ovid_lapic_msr_read(vp, 0x800 + (off >> 4), &val), !read,
			    "read %x", off);
	KUNIT_EXPECT_EQ_MSG(test, msr_write(vp, off, 0), !write, "write %x", off);
	for (bit = 0; bit < 64; bit++)
		KUNIT_EXPECT_EQ_MSG(test, msr_write(vp, off, BIT_ULL(bit)),
				    !(write && (bits & BIT_ULL(bit))), "%x bit %u", off, bit);
}

static void test_x2apic_msrs(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	u32 off, i;
	u64 val;

	/* none of them in xAPIC mode */
	for (off = 0; off < 0x1000; off += 0x10) {
		KUNIT_EXPECT_EQ(test, ovid_lapic_msr_read(vp, 0x800 + (off >> 4), &val), 1);
		KUNIT_EXPECT_EQ(test, msr_write(vp, off, 0), 1);
	}
	to_x2apic(vp);
	for (off = 0; off < 0x1000; off += 0x10) {
		for (i = 0; i < ARRAY_SIZE(x2apic_msrs); i++)
			if (x2apic_msrs[i].off == off)
				break;
		if (i < ARRAY_SIZE(x2apic_msrs))
			expect_msr(test, vp, off, x2apic_msrs[i].read, x2apic_msrs[i].write,
				   x2apic_msrs[i].bits);
		else
			expect_msr(test, vp, off, off >= APIC_ISR_OFF && off < APIC_ESR_OFF,
				   false, 0);
	}
	KUNIT_EXPECT_EQ(test, ovid_lapic_msr_read(vp, 0x7FF, &val), 1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_msr_read(vp, 0x900, &val), 1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_msr_write(vp, ~0u, 0), 1);
}

/* ---- timer ---- */

/* host TSC ticks of @count at divider 2^@div */
static u64 ticks(u32 count, u32 div)
{
	return (u64)count << (div + ovid_apic_tsc_shift);
}

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
	KUNIT_EXPECT_EQ(test, nr_posted[0], 0);		/* its own: nobody is told */
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
	u32 hz = ovid_apic_timer_hz();

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
	KUNIT_EXPECT_EQ(test, nr_posted[0], 1);
	KUNIT_EXPECT_FALSE(test, ovid_lapic_wakes(vp));
	/* one more that counts: it must be told of, though one is pending */
	ovid_lapic_post(vp, 0x65, false);
	KUNIT_EXPECT_EQ(test, nr_posted[0], 2);
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

/* ---- saved state ---- */

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

/* ---- whatever a guest may do ---- */

static void expect_caches(struct kunit *test, struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;
	u32 i, irr = 0, isr = 0;
	int top = -1;

	for (i = 0; i < 256; i++) {
		if (lapic_vec_test(apic, APIC_IRR_OFF, i))
			irr |= BIT(i / 32);
		if (lapic_vec_test(apic, APIC_ISR_OFF, i)) {
			isr |= BIT(i / 32);
			top = i;
		}
	}
	KUNIT_ASSERT_EQ(test, apic->irr_words, irr);
	KUNIT_ASSERT_EQ(test, apic->isr_words, isr);
	KUNIT_ASSERT_EQ(test, apic->highest_isr, top);
}

static void expect_sane_page(struct kunit *test, struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;
	bool x2apic = ovid_lapic_x2apic(apic);
	u32 off;

	for (off = 0; off < PAGE_SIZE; off += 4) {
		u32 val = lapic_reg(apic, off);

		/* nothing between registers or behind them; ICR has 64 bits in x2APIC mode */
		if ((off & 0xF || off >= 0x400) && !(x2apic && off == APIC_ICR_OFF + 4))
			KUNIT_ASSERT_EQ_MSG(test, val, 0, "offset %x", off);
		if (off < APIC_LVT_TIMER_OFF || off > APIC_LVT_ERROR_OFF || off & 0xF)
			continue;
		KUNIT_ASSERT_EQ_MSG(test, val & ~ovid_apic_lvt_valid(off), 0, "LVT %x", off);
		if (!(lapic_reg(apic, APIC_SVR_OFF) & LAPIC_SVR_ENABLED))
			KUNIT_ASSERT_TRUE(test, val & LAPIC_LVT_MASKED);
	}
}

static void expect_sane(struct kunit *test, struct ovid_vp *vp)
{
	struct ovid_lapic *apic = &vp->apic;
	bool x2apic = ovid_lapic_x2apic(apic);
	int next = ovid_lapic_next(vp);
	u32 ppr = ovid_lapic_read(vp, APIC_PPR_OFF);

	expect_caches(test, vp);
	KUNIT_ASSERT_TRUE(test, next == -1 || (next & 0xF0) > (ppr & 0xF0));
	KUNIT_ASSERT_TRUE(test, apic->irr_maybe || !apic->irr_words);
	KUNIT_ASSERT_EQ(test, lapic_reg(apic, APIC_ISR_OFF) & 0xFFFF, 0);
	KUNIT_ASSERT_EQ(test, lapic_reg(apic, APIC_IRR_OFF) & 0xFFFF, 0);
	KUNIT_ASSERT_EQ(test, lapic_reg(apic, APIC_ID_OFF), vp->index << (x2apic ? 0 : 24));
	KUNIT_ASSERT_EQ(test, lapic_reg(apic, APIC_VERSION_OFF), OVID_APIC_VERSION);
	KUNIT_ASSERT_EQ(test, (lapic_reg(apic, APIC_LVT_TIMER_OFF) >> 17) & 3, apic->timer_mode);
	KUNIT_ASSERT_TRUE(test, apic->base & LAPIC_BASE_EN);
	KUNIT_ASSERT_LE(test, ovid_lapic_read(vp, APIC_TMCCT_OFF),
			ovid_lapic_read(vp, APIC_TMICT_OFF));
}

/* values that find edges: few bits, all bits, anything */
static u64 odd_value(struct rnd_state *rnd)
{
	switch (prandom_u32_state(rnd) % 4) {
	case 0:
		return BIT_ULL(prandom_u32_state(rnd) % 64);
	case 1:
		return prandom_u32_state(rnd) & 0x1FF;
	case 2:
		return prandom_u32_state(rnd);
	default:
		return (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);
	}
}

/* stores as the CPU does before an APIC-write exit; only these get there */
static void hw_write(struct ovid_vp *vp, u32 off, u32 val)
{
	bool lvt = off >= APIC_LVT_TIMER_OFF && off <= APIC_TMICT_OFF;

	if (ovid_lapic_x2apic(&vp->apic) || !(lvt || off == APIC_TPR_OFF || off == APIC_EOI_OFF ||
	    off == APIC_LDR_OFF || off == APIC_DFR_OFF || off == APIC_SVR_OFF ||
	    off == APIC_ESR_OFF || off == APIC_ICR_OFF || off == APIC_ICR2_OFF ||
	    off == APIC_TDCR_OFF || off == APIC_ID_OFF))
		return;
	lapic_set_reg(&vp->apic, off, val);
	ovid_lapic_write_done(vp, off);
}

static void hostile_step(struct fake *f, struct ovid_vp *vp, struct rnd_state *rnd)
{
	u32 off = (prandom_u32_state(rnd) % 64) << 4;
	u64 val = odd_value(rnd);
	struct ovid_irq irq;
	int vector;

	switch (prandom_u32_state(rnd) % 12) {
	case 0:
		ovid_lapic_read(vp, off);
		ovid_lapic_msr_read(vp, 0x800 + (off >> 4), &val);
		break;
	case 1:
	case 2:
		if (!ovid_lapic_x2apic(&vp->apic))
			ovid_lapic_write(vp, off, val);
		break;
	case 3:
		hw_write(vp, off, val);
		break;
	case 4:
	case 5:
		msr_write(vp, off, val);
		break;
	case 6:
		ovid_lapic_msr_write(vp, MSR_IA32_TSC_DEADLINE, START + (val & 0xFFFFF));
		break;
	case 7:
		if (prandom_u32_state(rnd) % 4 == 0)
			ovid_lapic_set_base(vp, OVID_APIC_DEFAULT_BASE | (val & 0xFFF));
		ovid_lapic_set_base(vp, vp->apic.base | LAPIC_BASE_EN);
		break;
	case 8:
		ovid_irq_from_msi(&irq, 0xFEE00000 | odd_value(rnd), val);
		irq.shorthand = val >> 16;
		ovid_lapic_deliver(f->part, vp, &irq);
		break;
	case 9:
		set_clock(f, clock(f) + (val & 0xFFFFFF));
		ovid_lapic_wakes(vp);
		break;
	case 10:
		ovid_lapic_sync_pir(vp);
		vector = ovid_lapic_next(vp);
		if (vector >= 0)
			ovid_lapic_ack(vp, vector);
		break;
	case 11:
		enable(vp);
		ovid_lapic_eoi(vp);
		break;
	}
}

static void hostile(struct kunit *test, u64 seed, u32 steps)
{
	struct fake *f = test->priv;
	struct rnd_state rnd;
	u32 i;

	prandom_seed_state(&rnd, seed);
	for (i = 0; i < steps; i++) {
		struct ovid_vp *vp = f->vp[prandom_u32_state(&rnd) % NR_VPS];

		hostile_step(f, vp, &rnd);
		expect_sane(test, vp);
		if (i % 16 == 0)
			expect_sane_page(test, vp);
	}
}

static void test_hostile(struct kunit *test)
{
	hostile(test, 1, 20000);
	hostile(test, 0x0517D, 20000);
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

static struct kunit_case lapic_cases[] = {
	KUNIT_CASE(test_reset),
	KUNIT_CASE(test_priorities),
	KUNIT_CASE(test_nested),
	KUNIT_CASE(test_eoi),
	KUNIT_CASE(test_vid),
	KUNIT_CASE(test_base),
	KUNIT_CASE(test_switched_off),
	KUNIT_CASE(test_software_disable),
	KUNIT_CASE(test_physical),
	KUNIT_CASE(test_xapic_logical),
	KUNIT_CASE(test_x2apic_logical),
	KUNIT_CASE(test_lowest),
	KUNIT_CASE(test_msi),
	KUNIT_CASE(test_icr),
	KUNIT_CASE(test_icr_registers),
	KUNIT_CASE(test_init_sipi),
	KUNIT_CASE(test_esr),
	KUNIT_CASE(test_self_ipi_illegal),
	KUNIT_CASE(test_x2apic_msrs),
	KUNIT_CASE(test_timer_oneshot),
	KUNIT_CASE(test_timer_periodic),
	KUNIT_CASE(test_timer_divide),
	KUNIT_CASE(test_timer_deadline),
	KUNIT_CASE(test_timer_clock_moves),
	KUNIT_CASE(test_timer_hz),
	KUNIT_CASE(test_wakes),
	KUNIT_CASE(test_save_restore),
	KUNIT_CASE(test_restore_odd),
	KUNIT_CASE_SLOW(test_hostile),
	KUNIT_CASE(test_hostile_blobs),
	{}
};

static struct kunit_suite lapic_suite = {
	.name = "ovid_lapic",
	.init = lapic_test_init,
	.exit = lapic_test_exit,
	.test_cases = lapic_cases,
};

kunit_test_suite(lapic_suite);

MODULE_DESCRIPTION("KUnit tests of ovid's local APIC");
MODULE_LICENSE("GPL");
