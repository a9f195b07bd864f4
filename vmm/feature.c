// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor feature words of the TLFS (HV_PARTITION_PROCESSOR_FEATURES,
 * HV_PARTITION_PROCESSOR_XSAVE_FEATURES) and the CPUID bits they stand for.
 * Bits of the words that have no CPUID bit read as zero.
 */
#include <asm/processor.h>
#include <asm/fpu/types.h>
#include "compat.h"
#include "cpuid.h"
#include "partition.h"
#include "property.h"

struct feature {
	u8 set;			/* enum ovid_feature_set */
	u8 bit;			/* in that word */
	u8 reg;			/* enum ovid_cpuid_reg */
	u8 cpuid_bit;
	u32 leaf;
	u32 subleaf;
};

#define F0(b, l, s, r, c) { OVID_FEATURES_BANK0, b, OVID_##r, c, l, s }
#define F1(b, l, s, r, c) { OVID_FEATURES_BANK1, b, OVID_##r, c, l, s }
#define FX(b, l, s, r, c) { OVID_FEATURES_XSAVE, b, OVID_##r, c, l, s }

/* names: SDM 2A, CPUID; AMD's where marked */
static const struct feature features[] = {
	F0(0, 0x1, 0, ECX, 0),			/* SSE3 */
	F0(1, 0x80000001, 0, ECX, 0),		/* LAHF in 64-bit mode */
	F0(2, 0x1, 0, ECX, 9),			/* SSSE3 */
	F0(3, 0x1, 0, ECX, 19),			/* SSE4.1 */
	F0(4, 0x1, 0, ECX, 20),			/* SSE4.2 */
	F0(5, 0x80000001, 0, ECX, 6),		/* AMD: SSE4A */
	F0(6, 0x80000001, 0, ECX, 11),		/* AMD: XOP */
	F0(7, 0x1, 0, ECX, 23),			/* POPCNT */
	F0(8, 0x1, 0, ECX, 13),			/* CMPXCHG16B */
	F0(9, 0x80000001, 0, ECX, 4),		/* AMD: alternative MOV CR8 */
	F0(10, 0x80000001, 0, ECX, 5),		/* LZCNT */
	F0(11, 0x80000001, 0, ECX, 7),		/* AMD: misaligned SSE */
	F0(12, 0x80000001, 0, EDX, 22),		/* AMD: MMX extensions */
	F0(13, 0x80000001, 0, EDX, 31),		/* AMD: 3DNow! */
	F0(14, 0x80000001, 0, EDX, 30),		/* AMD: extended 3DNow! */
	F0(15, 0x80000001, 0, EDX, 26),		/* 1 GiB pages */
	F0(16, 0x1, 0, ECX, 25),		/* AESNI */
	F0(17, 0x1, 0, ECX, 1),			/* PCLMULQDQ */
	F0(18, 0x1, 0, ECX, 17),		/* PCID */
	F0(19, 0x80000001, 0, ECX, 16),		/* AMD: FMA4 */
	F0(20, 0x1, 0, ECX, 29),		/* F16C */
	F0(21, 0x1, 0, ECX, 30),		/* RDRAND */
	F0(22, 0x7, 0, EBX, 0),			/* FSGSBASE */
	F0(23, 0x7, 0, EBX, 7),			/* SMEP */
	F0(24, 0x7, 0, EBX, 9),			/* enhanced REP MOVSB/STOSB */
	F0(25, 0x7, 0, EBX, 3),			/* BMI1 */
	F0(26, 0x7, 0, EBX, 8),			/* BMI2 */
	F0(29, 0x1, 0, ECX, 22),		/* MOVBE */
	F0(31, 0x7, 0, EBX, 13),		/* FPU CS and DS deprecated */
	F0(32, 0x7, 0, EBX, 18),		/* RDSEED */
	F0(33, 0x7, 0, EBX, 19),		/* ADX */
	F0(34, 0x80000001, 0, ECX, 8),		/* PREFETCHW */
	F0(35, 0x7, 0, EBX, 20),		/* SMAP */
	F0(36, 0x7, 0, EBX, 4),			/* HLE */
	F0(37, 0x7, 0, EBX, 11),		/* RTM */
	F0(38, 0x80000001, 0, EDX, 27),		/* RDTSCP */
	F0(39, 0x7, 0, EBX, 23),		/* CLFLUSHOPT */
	F0(40, 0x7, 0, EBX, 24),		/* CLWB */
	F0(41, 0x7, 0, EBX, 29),		/* SHA */
	F0(42, 0x80000008, 0, EBX, 2),		/* AMD: x87 error pointers saved */
	F0(43, 0x7, 0, EBX, 10),		/* INVPCID */
	F0(44, 0x7, 0, EDX, 26),		/* IBRS and IBPB */
	F0(45, 0x7, 0, EDX, 27),		/* STIBP */
	F0(46, 0x80000008, 0, EBX, 12),		/* AMD: IBPB */
	F0(48, 0x7, 0, EDX, 31),		/* SSBD */
	F0(49, 0x7, 0, EDX, 4),			/* fast short REP MOV */
	F0(50, 0x7, 0, EDX, 28),		/* L1D_FLUSH */
	F0(57, 0x7, 0, ECX, 22),		/* RDPID */
	F0(58, 0x7, 0, ECX, 2),			/* UMIP */
	F0(60, 0x7, 0, EDX, 10),		/* MD_CLEAR */

	F1(0, 0x6, 0, ECX, 0),			/* APERF and MPERF */
	F1(1, 0x80000007, 0, EDX, 8),		/* invariant TSC */
	F1(2, 0x80000008, 0, EBX, 0),		/* AMD: CLZERO */
	F1(3, 0x80000008, 0, EBX, 4),		/* AMD: RDPRU */
	F1(4, 0x7, 0, ECX, 16),			/* LA57 */
	F1(8, 0x7, 0, ECX, 7),			/* CET shadow stacks */
	F1(9, 0x7, 0, EDX, 20),			/* CET IBT */
	F1(11, 0x7, 0, ECX, 29),		/* ENQCMD */
	F1(12, 0x7, 0, ECX, 5),			/* WAITPKG */
	F1(13, 0x7, 0, ECX, 27),		/* MOVDIRI */
	F1(14, 0x7, 0, ECX, 28),		/* MOVDIR64B */
	F1(15, 0x7, 0, ECX, 25),		/* CLDEMOTE */
	F1(16, 0x7, 0, EDX, 14),		/* SERIALIZE */
	F1(17, 0x1, 0, ECX, 24),		/* TSC deadline */
	F1(18, 0x7, 0, EBX, 1),			/* TSC_ADJUST */
	F1(19, 0x7, 1, EAX, 10),		/* fast zero-length REP MOVSB */
	F1(20, 0x7, 1, EAX, 11),		/* fast short REP STOSB */
	F1(21, 0x7, 1, EAX, 12),		/* fast short REP CMPSB, SCASB */
	F1(22, 0x7, 0, EDX, 16),		/* TSXLDTRK */
	F1(40, 0x7, 1, EAX, 7),			/* CMPccXADD */
	F1(45, 0x7, 1, EDX, 14),		/* PREFETCHI */
	F1(46, 0x7, 1, EAX, 0),			/* SHA512 */
	F1(50, 0x7, 1, EAX, 1),			/* SM3 */
	F1(51, 0x7, 1, EAX, 2),			/* SM4 */

	FX(0, 0x1, 0, ECX, 26),			/* XSAVE */
	FX(1, 0xd, 1, EAX, 0),			/* XSAVEOPT */
	FX(2, 0x1, 0, ECX, 28),			/* AVX */
	FX(3, 0x7, 0, EBX, 5),			/* AVX2 */
	FX(4, 0x1, 0, ECX, 12),			/* FMA */
	FX(5, 0x7, 0, EBX, 14),			/* MPX */
	FX(6, 0x7, 0, EBX, 16),			/* AVX512F */
	FX(7, 0x7, 0, EBX, 17),			/* AVX512DQ */
	FX(8, 0x7, 0, EBX, 28),			/* AVX512CD */
	FX(9, 0x7, 0, EBX, 30),			/* AVX512BW */
	FX(10, 0x7, 0, EBX, 31),		/* AVX512VL */
	FX(11, 0xd, 1, EAX, 1),			/* XSAVEC */
	FX(12, 0xd, 1, EAX, 3),			/* XSAVES */
	FX(13, 0xd, 1, EAX, 2),			/* XGETBV with ECX 1 */
	FX(14, 0x7, 0, ECX, 12),		/* AVX512_BITALG */
	FX(15, 0x7, 0, EBX, 21),		/* AVX512_IFMA */
	FX(16, 0x7, 0, ECX, 1),			/* AVX512_VBMI */
	FX(17, 0x7, 0, ECX, 6),			/* AVX512_VBMI2 */
	FX(18, 0x7, 0, ECX, 11),		/* AVX512_VNNI */
	FX(19, 0x7, 0, ECX, 8),			/* GFNI */
	FX(20, 0x7, 0, ECX, 9),			/* VAES */
	FX(21, 0x7, 0, ECX, 14),		/* AVX512_VPOPCNTDQ */
	FX(22, 0x7, 0, ECX, 10),		/* VPCLMULQDQ */
	FX(23, 0x7, 1, EAX, 5),			/* AVX512_BF16 */
	FX(24, 0x7, 0, EDX, 8),			/* AVX512_VP2INTERSECT */
	FX(25, 0x7, 0, EDX, 23),		/* AVX512_FP16 */
	FX(26, 0xd, 1, EAX, 4),			/* XFD */
	FX(27, 0x7, 0, EDX, 24),		/* AMX-TILE */
	FX(28, 0x7, 0, EDX, 22),		/* AMX-BF16 */
	FX(29, 0x7, 0, EDX, 25),		/* AMX-INT8 */
	FX(30, 0x7, 1, EAX, 4),			/* AVX-VNNI */
	FX(31, 0x7, 1, EAX, 23),		/* AVX-IFMA */
	FX(32, 0x7, 1, EDX, 5),			/* AVX-NE-CONVERT */
	FX(33, 0x7, 1, EDX, 4),			/* AVX-VNNI-INT8 */
	FX(34, 0x7, 1, EDX, 10),		/* AVX-VNNI-INT16 */
	FX(37, 0x7, 1, EAX, 21),		/* AMX-FP16 */
};

/* XSAVE components that go with a feature of the XSAVE word */
static const struct {
	u8 bit;
	u32 xcr0;
} xsave_states[] = {
	{ 0, U32_MAX },
	{ 2, XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512 },
	{ 5, XFEATURE_MASK_BNDREGS | XFEATURE_MASK_BNDCSR },
	{ 6, XFEATURE_MASK_AVX512 },
	{ 27, XFEATURE_MASK_XTILE },
};

static bool host_has(const struct feature *f)
{
	u32 regs[4], max;

	max = cpuid_eax(f->leaf & 0x80000000);
	if (f->leaf > max)
		return false;
	if (f->leaf == 7 && f->subleaf > cpuid_eax(7))
		return false;
	cpuid_count(f->leaf, f->subleaf, &regs[OVID_EAX], &regs[OVID_EBX],
		    &regs[OVID_ECX], &regs[OVID_EDX]);
	return regs[f->reg] & BIT(f->cpuid_bit);
}

u64 ovid_features_get(struct ovid_partition *part, enum ovid_feature_set set)
{
	u64 word = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		if (f->set == set &&
		    (part ? ovid_cpuid_has(part, f->leaf, f->subleaf, f->reg, f->cpuid_bit)
			  : host_has(f)))
			word |= BIT_ULL(f->bit);
	}
	return word;
}

/* bits of the features that are to go and that are in the same register as @f */
static u32 register_mask(struct ovid_partition *part, const struct feature *f,
			 const u64 disabled[OVID_NR_FEATURE_SETS])
{
	u32 mask = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *g = &features[i];

		if (g->leaf == f->leaf && g->subleaf == f->subleaf && g->reg == f->reg &&
		    disabled[g->set] & BIT_ULL(g->bit) &&
		    ovid_cpuid_has(part, g->leaf, g->subleaf, g->reg, g->cpuid_bit))
			mask |= BIT(g->cpuid_bit);
	}
	return mask;
}

/* the XSAVE components that go with them */
static int states_disable(struct ovid_partition *part, u64 disabled)
{
	u32 mask = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xsave_states); i++)
		if (disabled & BIT_ULL(xsave_states[i].bit))
			mask |= xsave_states[i].xcr0;
	return mask ? ovid_cpuid_clear(part, 0xd, 0, OVID_EAX, mask) : 0;
}

int ovid_features_disable(struct ovid_partition *part,
			  const u64 disabled[OVID_NR_FEATURE_SETS])
{
	unsigned int i;
	u32 mask;
	int err;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		/* zero when an earlier row has cleared this register already */
		mask = register_mask(part, f, disabled);
		err = mask ? ovid_cpuid_clear(part, f->leaf, f->subleaf, f->reg, mask) : 0;
		if (err)
			return err;
	}
	return states_disable(part, disabled[OVID_FEATURES_XSAVE]);
}
