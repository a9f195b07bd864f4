/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit tests of the local APIC share: a partition with a few VPs of
 * which nothing works but the APIC, and questions to it.
 *
 * Time is the test's: the partition is frozen, and the frozen clock is set by
 * hand.  What the APIC asks of the rest of ovid is in lapic_test.c.
 */
#ifndef OVID_LAPIC_TEST_H
#define OVID_LAPIC_TEST_H

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include "lapic_priv.h"

#define NR_VPS		5
#define START		1000000ull	/* the clock at the beginning */

struct fake {
	struct ovid_partition *part;
	struct ovid_vp *vp[NR_VPS];
};

/* calls of ovid_vp_interrupt_posted(), by VP */
extern unsigned int ovid_test_nr_posted[OVID_MAX_VPS];

static inline void set_clock(struct fake *f, u64 host_tsc)
{
	f->part->frozen_at = host_tsc;
	f->part->frozen_tsc = ovid_part_guest_ticks(f->part, host_tsc) + f->part->tsc_offset;
}

static inline u64 clock(struct fake *f)
{
	return f->part->frozen_at;
}

static inline void tick(struct ovid_vp *vp, struct fake *f, u64 host_tsc)
{
	set_clock(f, host_tsc);
	ovid_lapic_timer_check(vp, host_tsc);
}

/* host TSC ticks of @count at divider 2^@div */
static inline u64 ticks(u32 count, u32 div)
{
	return (u64)count << (div + ovid_apic_tsc_shift);
}

static inline struct ovid_vp *vp_make(struct kunit *test, struct ovid_partition *part, u32 index)
{
	struct ovid_vp *vp = kunit_kzalloc(test, sizeof(*vp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vp);
	vp->part = part;
	vp->index = index;
	KUNIT_ASSERT_EQ(test, ovid_lapic_init(vp), 0);
	/* as the real one: pairs with ovid_for_each_vp() */
	smp_store_release(&part->vps[index], vp);
	ovid_apic_map_update(part);
	vp->requests = 0;
	ovid_lapic_sync_pir(vp);
	return vp;
}

static inline int lapic_test_init(struct kunit *test)
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
	memset(ovid_test_nr_posted, 0, sizeof(ovid_test_nr_posted));
	return 0;
}

static inline void lapic_test_exit(struct kunit *test)
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

static inline void enable(struct ovid_vp *vp)
{
	ovid_lapic_write(vp, APIC_SVR_OFF, 0x1FF);
}

static inline void enable_all(struct fake *f)
{
	u32 i;

	for (i = 0; i < NR_VPS; i++)
		enable(f->vp[i]);
}

static inline int to_x2apic(struct ovid_vp *vp)
{
	return ovid_lapic_set_base(vp, vp->apic.base | LAPIC_BASE_EXTD);
}

static inline void all_to_x2apic(struct fake *f)
{
	u32 i;

	for (i = 0; i < NR_VPS; i++)
		to_x2apic(f->vp[i]);
}

static inline bool pending(struct ovid_vp *vp, u8 vector)
{
	ovid_lapic_sync_pir(vp);
	return lapic_vec_test(&vp->apic, APIC_IRR_OFF, vector);
}

/* takes @vector off all VPs; returns who had it, bit 0 is VP 0 */
static inline u32 drain(struct fake *f, u8 vector)
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

static inline int msr_write(struct ovid_vp *vp, u32 off, u64 val)
{
	return ovid_lapic_msr_write(vp, 0x800 + (off >> 4), val);
}

static inline u64 msr_read(struct kunit *test, struct ovid_vp *vp, u32 off)
{
	u64 val = ~0ull;

	KUNIT_EXPECT_EQ(test, ovid_lapic_msr_read(vp, 0x800 + (off >> 4), &val), 0);
	return val;
}

static inline void take(struct ovid_vp *vp, u8 vector, bool level)
{
	ovid_lapic_post(vp, vector, level);
	ovid_lapic_sync_pir(vp);
	ovid_lapic_ack(vp, vector);
}

/* sends an IPI through ICR; returns who got it, as drain() */
static inline u32 ipi(struct fake *f, u32 sender, u32 icr, u32 dest)
{
	struct ovid_vp *vp = f->vp[sender];

	if (ovid_lapic_x2apic(&vp->apic)) {
		if (msr_write(vp, APIC_ICR_OFF, (u64)dest << 32 | icr))
			return ~0u;
	} else {
		ovid_lapic_write(vp, APIC_ICR2_OFF, dest << 24);
		ovid_lapic_write(vp, APIC_ICR_OFF, icr);
	}
	return drain(f, icr & 0xFF);
}

static inline void expect_caches(struct kunit *test, struct ovid_vp *vp)
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

static inline void expect_sane_page(struct kunit *test, struct ovid_vp *vp)
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

static inline void expect_sane(struct kunit *test, struct ovid_vp *vp)
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
static inline u64 odd_value(struct rnd_state *rnd)
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

#endif
