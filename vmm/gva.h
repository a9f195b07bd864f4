/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks a guest's page tables (SDM 3A: Paging): 32-bit, PAE, 4-level.  The
 * walk itself is pure: it reads entries through a callback.
 */
#ifndef OVID_GVA_H
#define OVID_GVA_H

#include "types.h"

#define OVID_GVA_READ		(1u << 0)
#define OVID_GVA_WRITE		(1u << 1)
#define OVID_GVA_EXEC		(1u << 2)
#define OVID_GVA_USER		(1u << 3)	/* access with CPL 3 rights */
#define OVID_GVA_SET_AD		(1u << 4)	/* set accessed and dirty bits */
#define OVID_GVA_NO_PERM	(1u << 5)	/* host's own look: no rights are checked */

struct ovid_paging {
	u64 cr0, cr3, cr4, efer, rflags;
	unsigned int phys_bits;
	/* reads (and for AD bits compares-and-swaps) an entry of @size 4 or 8 at @gpa.
	 * 0, -EFAULT when there is no memory; cmpxchg also -EAGAIN: it differs
	 */
	int (*read)(void *ctx, gpa_t gpa, void *buf, size_t size);
	int (*compare_swap)(void *ctx, gpa_t gpa, u64 old, u64 new, size_t size);
	void *ctx;
};

enum ovid_gva_result {		/* numbers of HV_TRANSLATE_GVA_RESULT_CODE */
	OVID_GVA_OK = 0,
	OVID_GVA_NOT_PRESENT = 1,
	OVID_GVA_PRIVILEGE = 2,
	OVID_GVA_BAD_PTE = 3,
	OVID_GVA_GPA_UNMAPPED = 4,	/* of a table page; never of the result */
};

/**
 * ovid_gva_translate - where a linear address leads
 * @pg: the VP's paging state and the way to its memory
 * @gva: linear address; only 32 bits count outside long mode
 * @access: OVID_GVA_*
 * @gpa: out; undefined unless OK is returned
 *
 * Rights are those of an explicit access, so SMAP obeys RFLAGS.AC.  Protection
 * keys are not looked at (PKRU is no part of @pg).  PAE page-directory pointers
 * are read from memory, not from the registers that MOV to CR3 loads.  An
 * address that is not canonical is not present.  With LA57, which no guest is
 * offered, the answer is BAD_PTE.
 *
 * Context: that of the callbacks.  At most 8 walks of at most 4 reads.
 * Source: SDM 3A: Paging.
 */
enum ovid_gva_result ovid_gva_translate(const struct ovid_paging *pg, gva_t gva,
					u32 access, gpa_t *gpa);

#endif
