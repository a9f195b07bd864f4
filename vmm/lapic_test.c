// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the local APIC's registers and priorities, and the rest of
 * ovid as far as lapic*.c wants it.  lapic*.c and lapic*_test.c make a module of
 * their own.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/wait.h>
#include <asm/msr-index.h>
#include "cpuid.h"
#include "lapic_test.h"

/* ---- the outside ---- */

unsigned int ovid_test_nr_posted[OVID_MAX_VPS];

/* what the VP's thread is told; it forgets with each look */
static DECLARE_WAIT_QUEUE_HEAD(told);
static atomic_t is_told;

/* no synthetic timers here */
void ovid_stimer_check(struct ovid_vp *vp)
{
}

void ovid_vp_kick(struct ovid_vp *vp)
{
	atomic_set(&is_told, 1);
	wake_up(&told);
}

void ovid_vp_interrupt_posted(struct ovid_vp *vp)
{
	ovid_test_nr_posted[vp->index]++;
	ovid_vp_kick(vp);
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

/* ---- tests ---- */

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
	KUNIT_EXPECT_EQ(test, ovid_test_nr_posted[0], 1);	/* then ON was set */

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

static void take_edge(struct ovid_vp *vp, u8 vector)
{
	ovid_lapic_post(vp, vector, false);
	ovid_lapic_sync_pir(vp);
	ovid_lapic_ack(vp, vector);
}

static void test_auto_eoi(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	DECLARE_BITMAP(vectors, 256) = {};

	enable(vp);
	vp->requests = 0;
	ovid_lapic_set_auto_eoi(vp, vectors);
	KUNIT_EXPECT_EQ(test, vp->requests, 0);
	__set_bit(0x52, vectors);
	ovid_lapic_set_auto_eoi(vp, vectors);
	KUNIT_EXPECT_EQ(test, vp->requests, BIT(OVID_REQ_APIC_MODE));
	take_edge(vp, 0x52);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), -1);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_irr(vp), -1);
	take_edge(vp, 0x51);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), 0x51);
}

static void test_lazy_eoi(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	unsigned long word = 0;

	enable(vp);
	ovid_lapic_set_lazy(vp, &word);
	ovid_lapic_lazy_arm(vp);
	KUNIT_EXPECT_EQ(test, word, 0);		/* nothing in service */
	take_edge(vp, 0x52);
	ovid_lapic_lazy_arm(vp);
	KUNIT_EXPECT_EQ(test, word, 1);
	ovid_lapic_lazy_sync(vp);		/* the guest has not come to its EOI yet */
	KUNIT_EXPECT_EQ(test, word, 0);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), 0x52);
	ovid_lapic_lazy_arm(vp);
	word = 0;				/* now it has */
	ovid_lapic_lazy_sync(vp);
	KUNIT_EXPECT_EQ(test, ovid_lapic_highest_isr(vp), -1);

	take_edge(vp, 0x52);
	ovid_lapic_post(vp, 0x31, false);
	ovid_lapic_sync_pir(vp);
	ovid_lapic_lazy_arm(vp);
	KUNIT_EXPECT_EQ(test, word, 0);		/* another one waits */
	ovid_lapic_eoi(vp);
	ovid_lapic_ack(vp, 0x31);
	ovid_lapic_eoi(vp);
	ovid_lapic_post(vp, 0x61, true);
	ovid_lapic_sync_pir(vp);
	ovid_lapic_ack(vp, 0x61);
	ovid_lapic_lazy_arm(vp);
	KUNIT_EXPECT_EQ(test, word, 0);		/* somebody waits for its EOI */
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

static u32 saved_irr(struct kunit *test, struct ovid_vp *vp, u32 word)
{
	struct ovid_lapic_blob *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	ovid_lapic_save(vp, b);
	return b->irr[word];
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
	KUNIT_EXPECT_EQ(test, saved_irr(test, vp, 3), BIT(0x71 - 96));
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

/* ---- many who post, one who takes ---- */

#define NR_POSTERS	3
#define NR_POSTS	1500

struct poster {
	struct ovid_vp *vp;
	u8 vector;
	atomic_t taken;
	struct task_struct *task;
};

/* posts when the last one was taken, level- and edge-triggered by turns */
static int poster_thread(void *arg)
{
	struct poster *p = arg;
	int n = 0;

	while (!kthread_should_stop()) {
		if (n < NR_POSTS && atomic_read(&p->taken) == n) {
			ovid_lapic_post(p->vp, p->vector, n % 3 == 0);
			n++;
		}
		cond_resched();
	}
	return 0;
}

static void take_all(struct kunit *test, struct ovid_vp *vp, struct poster *posters, u64 map[4])
{
	int vector;

	if (test_and_clear_bit(OVID_REQ_EOI_MAP, &vp->requests))
		ovid_lapic_eoi_map(vp, map);
	ovid_lapic_sync_pir(vp);
	while ((vector = ovid_lapic_next(vp)) >= 0) {
		struct poster *p = &posters[(vector - 0x40) / 0x10 % NR_POSTERS];
		bool level = atomic_read(&p->taken) % 3 == 0;

		KUNIT_EXPECT_EQ(test, vector, p->vector);
		KUNIT_EXPECT_EQ(test, lapic_vec_test(&vp->apic, APIC_TMR_OFF, vector), level);
		/* hardware that takes it now must know that its EOI counts */
		if (level)
			KUNIT_EXPECT_TRUE(test, map[vector / 64] & BIT_ULL(vector % 64));
		ovid_lapic_ack(vp, vector);
		ovid_lapic_eoi(vp);
		atomic_inc(&p->taken);
	}
}

/* nothing gets lost, and nobody sleeps while something is pending */
static void test_posters(struct kunit *test)
{
	struct fake *f = test->priv;
	struct ovid_vp *vp = f->vp[0];
	struct poster *p = kunit_kcalloc(test, NR_POSTERS, sizeof(*p), GFP_KERNEL);
	u64 map[4] = {};
	u32 i, taken;

	KUNIT_ASSERT_NOT_NULL(test, p);
	enable(vp);
	ovid_lapic_set_vid(vp, true);
	for (i = 0; i < NR_POSTERS; i++) {
		p[i].vp = vp;
		p[i].vector = 0x45 + i * 0x10;
		p[i].task = kthread_run(poster_thread, &p[i], "lapic_test/%u", i);
	}
	do {
		take_all(test, vp, p, map);
		for (i = 0, taken = 0; i < NR_POSTERS; i++)
			taken += atomic_read(&p[i].taken);
		if (taken == NR_POSTERS * NR_POSTS)
			break;
	} while (wait_event_timeout(told, atomic_xchg(&is_told, 0), 10 * HZ));
	KUNIT_EXPECT_EQ(test, taken, NR_POSTERS * NR_POSTS);
	for (i = 0; i < NR_POSTERS; i++)
		if (!IS_ERR(p[i].task))
			kthread_stop(p[i].task);
}

/* ---- whatever a guest may do ---- */

/* registers whose write the CPU stores before it exits (APIC-write VM exit) */
static const u16 hw_written[] = {
	APIC_ID_OFF, APIC_TPR_OFF, APIC_EOI_OFF, APIC_LDR_OFF, APIC_DFR_OFF, APIC_SVR_OFF,
	APIC_ESR_OFF, APIC_ICR_OFF, APIC_ICR2_OFF, APIC_LVT_TIMER_OFF, APIC_LVT_THERMAL_OFF,
	APIC_LVT_PERF_OFF, APIC_LVT_LINT0_OFF, APIC_LVT_LINT1_OFF, APIC_LVT_ERROR_OFF,
	APIC_TMICT_OFF, APIC_TDCR_OFF,
};

static void hw_write(struct ovid_vp *vp, u32 off, u32 val)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(hw_written); i++) {
		if (hw_written[i] != off || ovid_lapic_x2apic(&vp->apic))
			continue;
		lapic_set_reg(&vp->apic, off, val);
		ovid_lapic_write_done(vp, off);
	}
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

static struct kunit_case lapic_cases[] = {
	KUNIT_CASE(test_priorities),
	KUNIT_CASE(test_nested),
	KUNIT_CASE(test_auto_eoi),
	KUNIT_CASE(test_lazy_eoi),
	KUNIT_CASE(test_eoi),
	KUNIT_CASE(test_vid),
	KUNIT_CASE(test_software_disable),
	KUNIT_CASE(test_esr),
	KUNIT_CASE(test_self_ipi_illegal),
	KUNIT_CASE(test_x2apic_msrs),
	KUNIT_CASE_SLOW(test_posters),
	KUNIT_CASE_SLOW(test_hostile),
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
