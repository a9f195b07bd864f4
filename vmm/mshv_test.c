// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for the parts of the mshv personality that decide by themselves: XSAVE
 * areas from outside, feature words to CPUID bits.  (HV_STATUS to errno: abi-mshv-calls.)
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include "feature.c"
#include "mshv_xsave.c"

/* ---- what they ask of others: a CPUID table of one register a row ------------ */

static u32 table[256];		/* by row of features[] that comes first */
static unsigned int clears;

/* the row that stands for a register */
static unsigned int row_of(u32 leaf, u32 subleaf, u8 reg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].leaf == leaf && features[i].subleaf == subleaf &&
		    features[i].reg == reg)
			break;
	return i;
}

bool ovid_cpuid_has(struct ovid_partition *part, u32 leaf, u32 subleaf,
		    enum ovid_cpuid_reg reg, unsigned int bit)
{
	return table[row_of(leaf, subleaf, reg)] & BIT(bit);
}

int ovid_cpuid_clear(struct ovid_partition *part, u32 leaf, u32 subleaf,
		     enum ovid_cpuid_reg reg, u32 mask)
{
	clears++;
	table[row_of(leaf, subleaf, reg)] &= ~mask;
	return 0;
}

u32 ovid_xsave_size(u64 components, bool compacted)
{
	struct component c;

	components &= ~(XFEATURE_MASK_FPSSE | XCOMP_BV_COMPACTED_FORMAT);
	if (!components)
		return LEGACY_SIZE;
	c = component_at(components | XCOMP_BV_COMPACTED_FORMAT, fls64(components) - 1);
	return c.offset + c.size;
}

/* ---- features -------------------------------------------------------------- */

static void features_are_distinct(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		KUNIT_EXPECT_LT(test, (unsigned int)f->set, (unsigned int)OVID_NR_FEATURE_SETS);
		KUNIT_EXPECT_LT(test, f->bit, 64);
		KUNIT_EXPECT_LT(test, f->cpuid_bit, 32);
		for (j = 0; j < i; j++) {
			const struct feature *g = &features[j];

			KUNIT_EXPECT_FALSE_MSG(test, f->set == g->set && f->bit == g->bit,
					       "word %u bit %u twice", f->set, f->bit);
			KUNIT_EXPECT_FALSE_MSG(test, f->leaf == g->leaf && f->reg == g->reg &&
					       f->subleaf == g->subleaf &&
					       f->cpuid_bit == g->cpuid_bit,
					       "leaf %x.%u register %u bit %u twice", f->leaf,
					       f->subleaf, f->reg, f->cpuid_bit);
		}
	}
}

static void features_go(struct kunit *test)
{
	struct ovid_partition *part = (void *)test;	/* only passed on */
	u64 all[OVID_NR_FEATURE_SETS], none[OVID_NR_FEATURE_SETS] = {};
	unsigned int set;

	memset(table, 0xff, sizeof(table));
	clears = 0;
	for (set = 0; set < OVID_NR_FEATURE_SETS; set++)
		all[set] = ovid_features_get(part, set);
	KUNIT_EXPECT_EQ(test, 0, ovid_features_disable(part, none));
	KUNIT_EXPECT_EQ(test, 0u, clears);

	none[OVID_FEATURES_BANK0] = BIT(0);
	none[OVID_FEATURES_XSAVE] = BIT(2);
	KUNIT_EXPECT_EQ(test, 0, ovid_features_disable(part, none));
	KUNIT_EXPECT_EQ(test, all[0] & ~1ull, ovid_features_get(part, OVID_FEATURES_BANK0));
	KUNIT_EXPECT_EQ(test, all[1], ovid_features_get(part, OVID_FEATURES_BANK1));
	KUNIT_EXPECT_EQ(test, all[2] & ~4ull, ovid_features_get(part, OVID_FEATURES_XSAVE));

	clears = 0;
	memset(all, 0xff, sizeof(all));
	KUNIT_EXPECT_EQ(test, 0, ovid_features_disable(part, all));
	for (set = 0; set < OVID_NR_FEATURE_SETS; set++)
		KUNIT_EXPECT_EQ(test, 0ull, ovid_features_get(part, set));
	/* one for each register, and one for the XSAVE components */
	KUNIT_EXPECT_LT(test, clears, 24u);
}

static void host_features(struct kunit *test)
{
	u64 word = ovid_features_get(NULL, OVID_FEATURES_BANK0);

	KUNIT_EXPECT_TRUE(test, word & BIT(0));		/* x86-64 without SSE3 has no VMX */
	KUNIT_EXPECT_EQ(test, boot_cpu_has(X86_FEATURE_POPCNT), !!(word & BIT(7)));
	KUNIT_EXPECT_EQ(test, boot_cpu_has(X86_FEATURE_XSAVE),
			!!(ovid_features_get(NULL, OVID_FEATURES_XSAVE) & BIT(0)));
}

/* ---- XSAVE areas ----------------------------------------------------------- */

#define YMM	(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM)

static struct xregs_state *new_area(struct kunit *test, u64 xcomp, u64 states)
{
	struct xregs_state *x = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, x);
	x->header.xcomp_bv = xcomp ? xcomp | XCOMP_BV_COMPACTED_FORMAT : 0;
	x->header.xfeatures = states;
	x->i387.mxcsr = MXCSR_DEFAULT;
	return x;
}

static void area_is_refused(struct kunit *test)
{
	struct xregs_state *x = new_area(test, YMM, YMM);

	KUNIT_EXPECT_EQ(test, 0, ovid_xsave_check(x, PAGE_SIZE, YMM));
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, 575, YMM));
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, PAGE_SIZE + 1, YMM));
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, PAGE_SIZE, XFEATURE_MASK_FPSSE));
	if (boot_cpu_has(X86_FEATURE_AVX))
		KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, 576 + 255, YMM));
	x->i387.mxcsr = BIT(16);
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, PAGE_SIZE, YMM));
	x->i387.mxcsr = 0xffff;
	KUNIT_EXPECT_EQ(test, 0, ovid_xsave_check(x, PAGE_SIZE, YMM));
	x->header.reserved[5] = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, PAGE_SIZE, YMM));
	x->header.reserved[5] = 0;
	x->header.xcomp_bv = YMM;			/* not compacted, but not zero */
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, PAGE_SIZE, YMM));
	x->header.xcomp_bv = 0;				/* standard, with more than SSE */
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, PAGE_SIZE, YMM));
	x->header.xfeatures = XFEATURE_MASK_FPSSE;
	KUNIT_EXPECT_EQ(test, 0, ovid_xsave_check(x, 576, YMM));
	x->header.xcomp_bv = XFEATURE_MASK_FPSSE | XCOMP_BV_COMPACTED_FORMAT;
	x->header.xfeatures = YMM;			/* a component it has no room for */
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, PAGE_SIZE, YMM));
	x = new_area(test, ~0ull, XFEATURE_MASK_PT);	/* supervisor state */
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_xsave_check(x, PAGE_SIZE, ~0ull));
}

/* no header at all makes it read or write beyond the page: KASAN would tell */
static void area_random(struct kunit *test)
{
	struct xregs_state *dst = new_area(test, YMM, XFEATURE_MASK_FPSSE);
	struct xregs_state *x = new_area(test, YMM, YMM);
	u64 bits = 1;
	u32 pkru;
	int i;

	for (i = 0; i < 2000; i++) {
		bits = bits * 6364136223846793005ull + 1442695040888963407ull;
		x->header.xcomp_bv = bits | (i & 1 ? XCOMP_BV_COMPACTED_FORMAT : 0);
		x->header.xfeatures = bits * 5;
		if (!ovid_xsave_check(x, PAGE_SIZE, i & 2 ? ~0ull : YMM))
			ovid_xsave_import(dst, &pkru, x);
		copy_components(dst, YMM | XCOMP_BV_COMPACTED_FORMAT, x);
	}
	KUNIT_EXPECT_EQ(test, 0ull, dst->header.xfeatures & ~YMM);
}

static void area_round_trip(struct kunit *test)
{
	struct xregs_state *fpu, *out, *back;
	u64 xcomp = boot_cpu_has(X86_FEATURE_XSAVES) ? YMM : 0;
	struct component ymm;
	u32 pkru = 7;

	if (!boot_cpu_has(X86_FEATURE_AVX))
		kunit_skip(test, "the host has no AVX");
	fpu = new_area(test, xcomp, YMM);
	out = new_area(test, 0, 0);
	back = new_area(test, xcomp, 0);
	ymm = component_at(fpu->header.xcomp_bv, 2);
	KUNIT_ASSERT_EQ(test, 256u, ymm.size);
	memset((void *)fpu + ymm.offset, 0x5a, ymm.size);
	memset(fpu->i387.xmm_space, 0xa5, sizeof(fpu->i387.xmm_space));

	ovid_xsave_export(fpu, 5, out, YMM);
	KUNIT_EXPECT_EQ(test, YMM | XCOMP_BV_COMPACTED_FORMAT, out->header.xcomp_bv);
	KUNIT_EXPECT_EQ(test, (u8)0x5a, ((u8 *)out)[576]);
	KUNIT_EXPECT_EQ(test, 0, ovid_xsave_check(out, 576 + 256, YMM));
	ovid_xsave_import(back, &pkru, out);
	KUNIT_EXPECT_MEMEQ(test, fpu, back, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 7u, pkru);	/* there was no room for it */

	/* the VP's area has no AVX: that component is left behind */
	ovid_xsave_export(fpu, 5, out, XFEATURE_MASK_FPSSE);
	KUNIT_EXPECT_EQ(test, (u64)XFEATURE_MASK_FPSSE, out->header.xfeatures);
	KUNIT_EXPECT_EQ(test, (u8)0, ((u8 *)out)[576]);
}

static void area_pkru(struct kunit *test)
{
	struct xregs_state *fpu = new_area(test, XFEATURE_MASK_FPSSE, XFEATURE_MASK_FPSSE);
	struct xregs_state *out = new_area(test, 0, 0);
	u64 states = XFEATURE_MASK_FPSSE | XFEATURE_MASK_PKRU;
	u32 pkru = 7;

	if (!boot_cpu_has(X86_FEATURE_PKU))
		kunit_skip(test, "the host has no PKRU");
	ovid_xsave_export(fpu, 0x55555554, out, states);
	KUNIT_EXPECT_EQ(test, states, out->header.xfeatures);
	KUNIT_EXPECT_EQ(test, 0, ovid_xsave_check(out, PAGE_SIZE, states));
	ovid_xsave_import(fpu, &pkru, out);
	KUNIT_EXPECT_EQ(test, 0x55555554u, pkru);
	KUNIT_EXPECT_EQ(test, (u64)XFEATURE_MASK_FPSSE, fpu->header.xfeatures);

	/* in its initial state */
	ovid_xsave_export(fpu, 0, out, states);
	KUNIT_EXPECT_EQ(test, (u64)XFEATURE_MASK_FPSSE, out->header.xfeatures);
	ovid_xsave_import(fpu, &pkru, out);
	KUNIT_EXPECT_EQ(test, 0u, pkru);
}

static struct kunit_case mshv_cases[] = {
	KUNIT_CASE(features_are_distinct),
	KUNIT_CASE(features_go),
	KUNIT_CASE(host_features),
	KUNIT_CASE(area_is_refused),
	KUNIT_CASE(area_random),
	KUNIT_CASE(area_round_trip),
	KUNIT_CASE(area_pkru),
	{}
};

static struct kunit_suite mshv_suite = {
	.name = "ovid_mshv",
	.test_cases = mshv_cases,
};
kunit_test_suite(mshv_suite);

MODULE_DESCRIPTION("cases for the mshv personality");
MODULE_LICENSE("GPL");
