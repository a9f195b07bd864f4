// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk.c - see walk.h.
 *
 * Accessed and dirty bits are not set: the processor walked the same tables for
 * the access that exits, and other operands' pages are only read or filled.
 * Protection keys and SMAP are not applied; they guard a guest from itself.
 */
#include <errno.h>

#include "walk.h"

#define CR0_PE		BIT(0)
#define CR0_WP		BIT(16)
#define CR0_PG		BIT(31)
#define CR4_PSE		BIT(4)
#define CR4_PAE		BIT(5)
#define CR4_LA57	BIT(12)
#define EFER_LMA	BIT(10)

#define PTE_PRESENT	BIT(0)
#define PTE_WRITE	BIT(1)
#define PTE_USER	BIT(2)
#define PTE_LARGE	BIT(7)
#define PTE_ADDRESS	0x000ffffffffff000ull

struct paging {
	int levels;
	unsigned int entry_bytes;
	unsigned int index_bits;
	u64 root;
};

static struct paging paging_of(const struct hv_vp_register_page *regs)
{
	struct paging p = { .levels = 4, .entry_bytes = 8, .index_bits = 9,
			    .root = regs->cr3 & PTE_ADDRESS };

	if (regs->efer & EFER_LMA) {
		if (regs->cr4 & CR4_LA57)
			p.levels = 5;
	} else if (regs->cr4 & CR4_PAE) {
		p.levels = 3;
		p.root = regs->cr3 & 0xffffffe0;
	} else {
		p = (struct paging){ .levels = 2, .entry_bytes = 4, .index_bits = 10,
				     .root = regs->cr3 & 0xfffff000 };
	}
	return p;
}

static bool large(const struct hv_vp_register_page *regs, const struct paging *p,
		  int level, u64 pte)
{
	if (level == 1)
		return true;
	if (!(pte & PTE_LARGE))
		return false;
	if (p->levels == 2)
		return regs->cr4 & CR4_PSE;
	return level == 2 || (level == 3 && p->levels > 3);
}

static u64 leaf_gpa(const struct paging *p, int level, u64 pte, u64 linear)
{
	u64 offset = BIT(12 + p->index_bits * (level - 1)) - 1;

	/* 4 MiB pages carry bits 39:32 of the address in 20:13 */
	if (p->levels == 2 && level == 2)
		return (pte & 0xffc00000) | (pte >> 13 & 0xff) << 32 | (linear & offset);
	return (pte & PTE_ADDRESS & ~offset) | (linear & offset);
}

static int page_fault(struct guest_fault *fault, u64 linear, u32 access, bool present)
{
	*fault = (struct guest_fault){
		.vector = VECTOR_PF, .has_error = true, .error = access | present,
		.cr2 = linear,
	};
	return -EFAULT;
}

int walk(const struct hv_vp_register_page *regs, const struct gmem *gm, u64 linear,
	 u32 access, u64 *gpa, struct guest_fault *fault)
{
	struct paging p = paging_of(regs);
	u64 rights = PTE_WRITE | PTE_USER, table = p.root;

	if (!(regs->cr0 & CR0_PG)) {
		*gpa = linear & 0xffffffff;
		return 0;
	}
	for (int level = p.levels; level >= 1; level--) {
		u64 index = linear >> (12 + p.index_bits * (level - 1)) &
			    (BIT(p.index_bits) - 1);
		u64 pte = 0;

		if (gmem_read(gm, table + index * p.entry_bytes, &pte, p.entry_bytes) ||
		    !(pte & PTE_PRESENT))
			return page_fault(fault, linear, access, false);
		/* entries of the PAE root have no rights */
		if (p.levels != 3 || level != 3)
			rights &= pte;
		if (large(regs, &p, level, pte)) {
			*gpa = leaf_gpa(&p, level, pte, linear);
			break;
		}
		table = pte & PTE_ADDRESS;
	}
	if ((access & WALK_USER) && !(rights & PTE_USER))
		return page_fault(fault, linear, access, true);
	if ((access & WALK_WRITE) && !(rights & PTE_WRITE) &&
	    ((access & WALK_USER) || (regs->cr0 & CR0_WP)))
		return page_fault(fault, linear, access, true);
	return 0;
}
