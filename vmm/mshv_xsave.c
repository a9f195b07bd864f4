// SPDX-License-Identifier: GPL-2.0-only
/*
 * XSAVE areas that come from or go to userspace (SDM 1: Managing State Using
 * the XSAVE Feature Set).  Outside it is the compacted format; a VP's own area
 * is compacted where the CPU has XSAVES, else standard.
 *
 * XRSTORS faults on reserved bits, and the entry path has no handler for that:
 * so nothing is taken that could, and components whose contents the CPU checks
 * (supervisor states, MPX, AMX) only in their initial state.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/fpu/types.h>
#include <asm/processor.h>
#include "compat.h"
#include "cpuid_rules.h"
#include "mshv.h"

#define AREA_SIZE	PAGE_SIZE
#define LEGACY_SIZE	offsetof(struct xregs_state, extended_state_area)
#define MXCSR_VALID	0xffffu		/* every CPU with VMX has DAZ */
/* any contents will do */
#define HARMLESS	(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512 |	\
			 XFEATURE_MASK_PKRU)

struct component {
	u32 offset;
	u32 size;
};

/* @xcomp: XCOMP_BV of a compacted area, or 0: standard.  size 0: not in it */
static struct component component_at(u64 xcomp, unsigned int nr)
{
	struct component c = { LEGACY_SIZE, 0 };
	u32 eax, ebx, ecx, edx;
	unsigned int i;

	if (!xcomp) {
		cpuid_count(0xd, nr, &c.size, &c.offset, &ecx, &edx);
		return c;
	}
	if (!(xcomp & BIT_ULL(nr)))
		return c;
	for (i = 2; i <= nr; i++) {
		if (!(xcomp & BIT_ULL(i)))
			continue;
		c.offset += c.size;
		cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
		if (ecx & BIT(1))
			c.offset = ALIGN(c.offset, 64);
		c.size = eax;
	}
	return c;
}

int ovid_xsave_check(const void *area, u32 len, u64 allowed)
{
	const struct xregs_state *x = area;
	u64 states = x->header.xfeatures;
	u64 xcomp = x->header.xcomp_bv;

	if (len < LEGACY_SIZE || len > AREA_SIZE)
		return -EINVAL;
	if (x->i387.mxcsr & ~MXCSR_VALID)
		return -EINVAL;
	if (memchr_inv(x->header.reserved, 0, sizeof(x->header.reserved)))
		return -EINVAL;
	/* as made by XSAVES, or nothing but x87 and SSE */
	if (xcomp && !(xcomp & XCOMP_BV_COMPACTED_FORMAT))
		return -EINVAL;
	if (!xcomp && states & ~XFEATURE_MASK_FPSSE)
		return -EINVAL;
	if (xcomp & ~(allowed | XFEATURE_MASK_FPSSE | XCOMP_BV_COMPACTED_FORMAT) ||
	    (xcomp && states & ~xcomp & ~XFEATURE_MASK_FPSSE) || states & ~HARMLESS)
		return -EINVAL;
	return ovid_xsave_size(xcomp, true) > len ? -EINVAL : 0;
}

/* the components of @src that @dst has room for, but PKRU; header and legacy part too */
static void copy_components(struct xregs_state *dst, u64 dst_xcomp,
			    const struct xregs_state *src)
{
	u64 src_xcomp = src->header.xcomp_bv;
	u64 states = src->header.xfeatures & ~(XFEATURE_MASK_FPSSE | XFEATURE_MASK_PKRU);
	struct component from, to;
	unsigned int nr;

	memset(dst, 0, AREA_SIZE);
	dst->i387 = src->i387;
	dst->header.xfeatures = src->header.xfeatures & XFEATURE_MASK_FPSSE;
	dst->header.xcomp_bv = dst_xcomp;

	for (nr = 2; nr < 63; nr++) {
		if (!(states & BIT_ULL(nr)))
			continue;
		from = component_at(src_xcomp, nr);
		to = component_at(dst_xcomp, nr);
		if (!to.size || from.size != to.size ||
		    from.offset + from.size > AREA_SIZE || to.offset + to.size > AREA_SIZE)
			continue;
		memcpy((void *)dst + to.offset, (const void *)src + from.offset, to.size);
		dst->header.xfeatures |= BIT_ULL(nr);
	}
}

/* in a compacted area; 0: it has none */
static u32 pkru_offset(u64 xcomp)
{
	struct component at = component_at(xcomp, XFEATURE_PKRU);

	if (!xcomp || at.size < sizeof(u32) || at.offset + at.size > AREA_SIZE)
		return 0;
	return at.offset;
}

void ovid_xsave_export(const struct xregs_state *fpu, u32 pkru, void *area, u64 states)
{
	struct xregs_state *x = area;
	u32 offset;

	copy_components(x, states | XFEATURE_MASK_FPSSE | XCOMP_BV_COMPACTED_FORMAT, fpu);
	offset = pkru_offset(x->header.xcomp_bv);
	if (!pkru || !offset)
		return;
	memcpy(area + offset, &pkru, sizeof(pkru));
	x->header.xfeatures |= XFEATURE_MASK_PKRU;
}

void ovid_xsave_import(struct xregs_state *fpu, u32 *pkru, const void *area)
{
	const struct xregs_state *x = area;
	u32 offset = pkru_offset(x->header.xcomp_bv);

	copy_components(fpu, fpu->header.xcomp_bv, x);
	if (!offset)
		return;
	*pkru = 0;	/* in its initial state it is not in the area */
	if (x->header.xfeatures & XFEATURE_MASK_PKRU)
		memcpy(pkru, area + offset, sizeof(*pkru));
}
