// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for measures.c: from each setting of the host, on an affected processor and on
 * another, to what is done.
 */
#include <kunit/test.h>
#include "measures.c"

/* an affected processor with all it takes, and the host's defaults for it */
static const struct vmx_host_says usual = {
	.l1tf = true, .l1d = VMX_COND, .flush_cmd = true, .has_ibpb = true, .ibpb = true,
};

static void defaults(struct kunit *test)
{
	struct vmx_measures m = vmx_measures(&usual, VMX_AUTO, VMX_AUTO);

	KUNIT_EXPECT_EQ(test, m.l1d, VMX_COND);
	KUNIT_EXPECT_FALSE(test, m.l1d_by_reads);
	KUNIT_EXPECT_EQ(test, m.ibpb, VMX_COND);
	KUNIT_EXPECT_FALSE(test, m.warn_l1d || m.warn_smt || m.warn_ibpb);
}

static void not_affected(struct kunit *test)
{
	struct vmx_host_says host = usual;
	struct vmx_measures m;

	host.l1tf = false;
	host.l1d = VMX_ALWAYS;
	host.l1d_forced = true;
	host.smt = true;
	m = vmx_measures(&host, VMX_AUTO, VMX_AUTO);
	KUNIT_EXPECT_EQ(test, m.l1d, VMX_NEVER);
	KUNIT_EXPECT_FALSE(test, m.warn_l1d || m.warn_smt);
	/* who asks for it gets it, as a test does */
	m = vmx_measures(&host, VMX_ALWAYS, VMX_AUTO);
	KUNIT_EXPECT_EQ(test, m.l1d, VMX_ALWAYS);
}

static void mitigations_off(struct kunit *test)
{
	struct vmx_host_says host = usual;
	struct vmx_measures m;

	host.l1d = VMX_NEVER;
	host.ibpb = false;
	host.quiet = true;
	host.smt = true;
	m = vmx_measures(&host, VMX_AUTO, VMX_AUTO);
	KUNIT_EXPECT_EQ(test, m.l1d, VMX_NEVER);
	KUNIT_EXPECT_FALSE(test, m.l1d_by_reads);
	KUNIT_EXPECT_EQ(test, m.ibpb, VMX_NEVER);
	KUNIT_EXPECT_FALSE(test, m.warn_l1d || m.warn_smt || m.warn_ibpb);
}

/* old microcode: no command, no barrier */
static void old_microcode(struct kunit *test)
{
	struct vmx_host_says host = usual;
	struct vmx_measures m;

	host.flush_cmd = false;
	host.has_ibpb = false;
	m = vmx_measures(&host, VMX_AUTO, VMX_AUTO);
	KUNIT_EXPECT_EQ(test, m.l1d, VMX_COND);
	KUNIT_EXPECT_TRUE(test, m.l1d_by_reads);
	KUNIT_EXPECT_EQ(test, m.ibpb, VMX_NEVER);
	KUNIT_EXPECT_FALSE(test, m.warn_ibpb);
	m = vmx_measures(&host, VMX_AUTO, VMX_COND);
	KUNIT_EXPECT_EQ(test, m.ibpb, VMX_NEVER);
	KUNIT_EXPECT_TRUE(test, m.warn_ibpb);
	m = vmx_measures(&host, VMX_AUTO, VMX_NEVER);
	KUNIT_EXPECT_FALSE(test, m.warn_ibpb);
}

/* the host's settings and the administrator's choices, all pairs */
static void l1d_choices(struct kunit *test)
{
	struct vmx_host_says host = usual;
	struct vmx_measures m;
	enum vmx_when want;
	int forced, setting, choice;

	for (forced = 0; forced < 2; forced++) {
		for (setting = VMX_NEVER; setting <= VMX_ALWAYS; setting++) {
			for (choice = VMX_AUTO; choice <= VMX_ALWAYS; choice++) {
				host.l1d_forced = forced;
				host.l1d = setting;
				want = forced ? VMX_ALWAYS : choice == VMX_AUTO ? setting : choice;
				m = vmx_measures(&host, choice, VMX_AUTO);
				KUNIT_EXPECT_EQ_MSG(test, m.l1d, want, "setting %d, choice %d",
						    setting, choice);
				KUNIT_EXPECT_EQ(test, m.warn_l1d, want == VMX_NEVER);
			}
		}
	}
}

static void ibpb_choices(struct kunit *test)
{
	struct vmx_host_says host = usual;
	int wanted, choice;

	for (wanted = 0; wanted < 2; wanted++) {
		for (choice = VMX_NEVER; choice <= VMX_ALWAYS; choice++) {
			host.ibpb = wanted;
			KUNIT_EXPECT_EQ(test, vmx_measures(&host, VMX_AUTO, choice).ibpb, choice);
		}
		KUNIT_EXPECT_EQ(test, vmx_measures(&host, VMX_AUTO, VMX_AUTO).ibpb,
				wanted ? VMX_COND : VMX_NEVER);
	}
}

static void two_threads(struct kunit *test)
{
	struct vmx_host_says host = usual;

	host.smt = true;
	KUNIT_EXPECT_TRUE(test, vmx_measures(&host, VMX_AUTO, VMX_AUTO).warn_smt);
	KUNIT_EXPECT_TRUE(test, vmx_measures(&host, VMX_ALWAYS, VMX_AUTO).warn_smt);
	host.quiet = true;
	KUNIT_EXPECT_FALSE(test, vmx_measures(&host, VMX_AUTO, VMX_AUTO).warn_smt);
}

static struct kunit_case measures_cases[] = {
	KUNIT_CASE(defaults),
	KUNIT_CASE(not_affected),
	KUNIT_CASE(mitigations_off),
	KUNIT_CASE(old_microcode),
	KUNIT_CASE(l1d_choices),
	KUNIT_CASE(ibpb_choices),
	KUNIT_CASE(two_threads),
	{}
};

static struct kunit_suite measures_suite = {
	.name = "ovid_measures",
	.test_cases = measures_cases,
};
kunit_test_suite(measures_suite);

MODULE_DESCRIPTION("Cases for what is done against leaks by speculation");
MODULE_LICENSE("GPL");
