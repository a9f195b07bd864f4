// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the local APIC's destinations: MSIs and IPIs; see lapic_test.c.
 */
#include "lapic_test.h"

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
	ovid_lapic_set_id(f->vp[4], 77);
	ovid_lapic_set_id(f->vp[0], 77);
	KUNIT_EXPECT_EQ(test, send(f, 77, false, false), BIT(0));
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

#define ICR_SHORT(n)	((n) << 18)

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

static struct kunit_case lapic_dest_cases[] = {
	KUNIT_CASE(test_physical),
	KUNIT_CASE(test_xapic_logical),
	KUNIT_CASE(test_x2apic_logical),
	KUNIT_CASE(test_lowest),
	KUNIT_CASE(test_msi),
	KUNIT_CASE(test_icr),
	KUNIT_CASE(test_icr_registers),
	KUNIT_CASE(test_init_sipi),
	{}
};

static struct kunit_suite lapic_dest_suite = {
	.name = "ovid_lapic_dest",
	.init = lapic_test_init,
	.exit = lapic_test_exit,
	.test_cases = lapic_dest_cases,
};

kunit_test_suite(lapic_dest_suite);
