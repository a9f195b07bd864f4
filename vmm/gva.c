// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest page-table walk: one loop for 32-bit, PAE and 4-level paging, whose
 * differences are a table.  First the walk collects the entries, then rights
 * are checked, then accessed and dirty bits are set; when an entry has changed
 * meanwhile all starts over, a bounded number of times.
 *
 * Pure, no locks: memory is reached through the callbacks of struct ovid_paging.
 */
#include "purelib.h"
#include "gva.h"

#define CR0_WP		BIT_ULL(16)
#define CR0_PG		BIT_ULL(31)
#define CR4_PSE		BIT_ULL(4)
#define CR4_PAE		BIT_ULL(5)
#define CR4_LA57	BIT_ULL(12)
#define CR4_SMEP	BIT_ULL(20)
#define CR4_SMAP	BIT_ULL(21)
#define EFER_LMA_BIT	BIT_ULL(10)
#define EFER_NXE_BIT	BIT_ULL(11)
#define RFLAGS_AC	BIT_ULL(18)

#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_PS		BIT_ULL(7)
#define PTE_NX		BIT_ULL(63)

#define MAX_LEVELS	4
#define MAX_WALKS	8	/* a guest that changes its tables all the time loses */

enum mode { MODE_32, MODE_PAE, MODE_4LEVEL };

static const struct {
	u8 levels;
	u8 index_bits;
	u8 entry_size;
} geometry[] = {
	[MODE_32]	= { 2, 10, 4 },
	[MODE_PAE]	= { 3, 9, 8 },
	[MODE_4LEVEL]	= { 4, 9, 8 },
};

struct walk {
	const struct ovid_paging *pg;
	enum mode mode;
	unsigned int phys_bits;
	gva_t gva;
	u8 level;		/* of the leaf, once there is one */
	u64 entry[MAX_LEVELS + 1];	/* by level, 1 is the page table */
	gpa_t where[MAX_LEVELS + 1];
	bool write, user, nx;	/* what all levels allow */
};

static unsigned int level_shift(const struct walk *w, u8 level)
{
	return 12 + (level - 1) * geometry[w->mode].index_bits;
}

/* PAE's third level: no rights, no accessed bit, reserved bits of its own */
static bool is_pdpte_pae(const struct walk *w, u8 level)
{
	return w->mode == MODE_PAE && level == 3;
}

static bool is_leaf(const struct walk *w, u8 level, u64 entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_PS) || is_pdpte_pae(w, level) || level > 3)
		return false;
	return w->mode != MODE_32 || w->pg->cr4 & CR4_PSE;
}

/* SDM 3A: Page-Fault Exceptions, the tables of reserved bits */
static u64 reserved_bits(const struct walk *w, u8 level, bool leaf)
{
	u64 high = GENMASK_ULL(51, 0) & ~GENMASK_ULL(w->phys_bits - 1, 0);
	u64 rsvd;

	if (w->mode == MODE_32) {
		unsigned int wide = min(w->phys_bits, 40u);

		/* PSE-36: bits 20:13 are address bits 39:32 as far as there are any */
		if (level == 2 && leaf)
			return GENMASK_ULL(21, 0) & ~GENMASK_ULL(wide - 20, 0);
		return 0;
	}
	if (is_pdpte_pae(w, level))
		return GENMASK_ULL(63, 52) | high | GENMASK_ULL(8, 5) | GENMASK_ULL(2, 1);

	rsvd = high;
	if (w->mode == MODE_PAE)
		rsvd |= GENMASK_ULL(62, 52);
	if (!(w->pg->efer & EFER_NXE_BIT))
		rsvd |= PTE_NX;
	if (level == 4)
		rsvd |= PTE_PS;
	if (leaf && level > 1)		/* bit 12 is PAT */
		rsvd |= GENMASK_ULL(level_shift(w, level) - 1, 13);
	return rsvd;
}

static u64 entry_address(const struct walk *w, u64 entry)
{
	if (w->mode == MODE_32)
		return entry & GENMASK_ULL(31, 12);
	return entry & GENMASK_ULL(w->phys_bits - 1, 12);
}

static gpa_t root_address(const struct walk *w)
{
	if (w->mode == MODE_PAE)
		return w->pg->cr3 & GENMASK_ULL(31, 5);
	return entry_address(w, w->pg->cr3);
}

static gpa_t leaf_address(const struct walk *w)
{
	u64 entry = w->entry[w->level];
	u64 offset = GENMASK_ULL(level_shift(w, w->level) - 1, 0);
	u64 base = entry_address(w, entry);

	if (w->mode == MODE_32 && w->level == 2)
		base |= (entry & GENMASK_ULL(20, 13)) << 19;
	return (base & ~offset) | (w->gva & offset);
}

static int read_entry(struct walk *w, gpa_t table, u8 level)
{
	u8 size = geometry[w->mode].entry_size;
	u64 index = w->gva >> level_shift(w, level);
	u32 entry32;
	int ret;

	index &= BIT_ULL(geometry[w->mode].index_bits) - 1;
	w->where[level] = table + index * size;
	if (size == 8)
		return w->pg->read(w->pg->ctx, w->where[level], &w->entry[level], size);
	ret = w->pg->read(w->pg->ctx, w->where[level], &entry32, size);
	w->entry[level] = ret ? 0 : entry32;
	return ret;
}

static void take_rights(struct walk *w, u8 level)
{
	u64 entry = w->entry[level];

	if (is_pdpte_pae(w, level))
		return;
	w->write &= !!(entry & PTE_W);
	w->user &= !!(entry & PTE_U);
	if (w->mode != MODE_32)
		w->nx |= !!(entry & PTE_NX);
}

static enum ovid_gva_result walk(struct walk *w)
{
	gpa_t table = root_address(w);
	u8 level = geometry[w->mode].levels;

	w->write = true;
	w->user = true;
	w->nx = false;
	for (;; level--) {
		bool leaf;

		if (read_entry(w, table, level))
			return OVID_GVA_GPA_UNMAPPED;
		if (!(w->entry[level] & PTE_P))
			return OVID_GVA_NOT_PRESENT;
		leaf = is_leaf(w, level, w->entry[level]);
		if (w->entry[level] & reserved_bits(w, level, leaf))
			return OVID_GVA_BAD_PTE;
		take_rights(w, level);
		if (leaf)
			break;
		table = entry_address(w, w->entry[level]);
	}
	w->level = level;
	return OVID_GVA_OK;
}

/* SDM 3A: Determination of Access Rights */
static bool allowed(const struct walk *w, u32 access)
{
	const struct ovid_paging *pg = w->pg;

	if (access & OVID_GVA_USER) {
		if (!w->user)
			return false;
		if (access & OVID_GVA_WRITE && !w->write)
			return false;
		return !(access & OVID_GVA_EXEC && w->nx);
	}
	if (access & (OVID_GVA_READ | OVID_GVA_WRITE) && w->user &&
	    pg->cr4 & CR4_SMAP && !(pg->rflags & RFLAGS_AC))
		return false;
	if (access & OVID_GVA_WRITE && !w->write && pg->cr0 & CR0_WP)
		return false;
	if (access & OVID_GVA_EXEC)
		return !w->nx && !(w->user && pg->cr4 & CR4_SMEP);
	return true;
}

/* 0, -EAGAIN: an entry has changed, -EFAULT: it cannot be written */
static int set_accessed_dirty(const struct walk *w, u32 access)
{
	u8 level;

	for (level = geometry[w->mode].levels; level >= w->level; level--) {
		u64 bits = PTE_A;
		int ret;

		if (is_pdpte_pae(w, level))
			continue;
		if (level == w->level && access & OVID_GVA_WRITE)
			bits |= PTE_D;
		if ((w->entry[level] & bits) == bits)
			continue;
		ret = w->pg->compare_swap(w->pg->ctx, w->where[level], w->entry[level],
				     w->entry[level] | bits,
				     geometry[w->mode].entry_size);
		if (ret)
			return ret;
	}
	return 0;
}

static enum ovid_gva_result walk_once(struct walk *w, u32 access, bool *again)
{
	enum ovid_gva_result res = walk(w);
	int ret;

	if (res != OVID_GVA_OK)
		return res;
	if (!(access & OVID_GVA_NO_PERM) && !allowed(w, access))
		return OVID_GVA_PRIVILEGE;
	if (!(access & OVID_GVA_SET_AD))
		return OVID_GVA_OK;
	ret = set_accessed_dirty(w, access);
	*again = ret == -EAGAIN;
	return ret ? OVID_GVA_GPA_UNMAPPED : OVID_GVA_OK;
}

enum ovid_gva_result ovid_gva_translate(const struct ovid_paging *pg, gva_t gva,
					u32 access, gpa_t *gpa)
{
	struct walk w = {
		.pg = pg,
		.mode = MODE_4LEVEL,
		.phys_bits = clamp(pg->phys_bits, 32u, 52u),
		.gva = gva,
	};
	enum ovid_gva_result res;
	unsigned int i;

	if (!(pg->efer & EFER_LMA_BIT)) {
		w.mode = pg->cr4 & CR4_PAE ? MODE_PAE : MODE_32;
		w.gva = (u32)gva;
	}
	if (!(pg->cr0 & CR0_PG)) {
		*gpa = (u32)gva;
		return OVID_GVA_OK;
	}
	if (w.mode == MODE_4LEVEL) {
		if (pg->cr4 & CR4_LA57)
			return OVID_GVA_BAD_PTE;
		if (sign_extend64(gva, 47) != (s64)gva)
			return OVID_GVA_NOT_PRESENT;
	}

	for (i = 0; i < MAX_WALKS; i++) {
		bool again = false;

		res = walk_once(&w, access, &again);
		if (!again)
			break;
	}
	/* an entry that never stood still is answered as one that just changed */
	if (i == MAX_WALKS)
		return OVID_GVA_NOT_PRESENT;
	if (res == OVID_GVA_OK)
		*gpa = leaf_address(&w);
	return res;
}
