/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The second-level page table (EPT): walk, map, zap.  Its format comes from
 * the backend; who backs a page is region.h's business.
 *
 * Entries change under tdp->lock.  A table page is freed only after every VP
 * has left the guest since it was unlinked (ovid_tdp_zap), so hardware
 * never walks freed memory.
 */
#ifndef OVID_TDP_H
#define OVID_TDP_H

#include <linux/cpumask.h>
#include <linux/spinlock.h>
#include "types.h"

/* bits of an entry, by meaning */
struct ovid_tdp_format {
	u64 read, write, exec;
	u64 leaf;		/* large page */
	u64 memtype_wb;		/* write-back in a leaf */
	u64 accessed, dirty;	/* 0 where the hardware keeps none */
	bool has_1g;
};

#define OVID_TDP_LEVELS	4
#define OVID_TDP_PAGES	(1ull << 36)	/* that four levels reach */

/**
 * struct ovid_tdp
 * @lock:	all entries
 * @root:	virtual address of the top table
 * @seq:	counts invalidations; a fault whose page was looked up before an
 *		invalidation sees it change under @lock and starts over
 * @invalidating: invalidations that have begun and not ended
 * @flush_gen:	goes up, under @lock, when entries were cleared; each CPU compares
 *		its own copy in @cpu_gen before entry and flushes its TLB when it is
 *		behind
 * @flushed:	no CPU uses what was cleared up to this @flush_gen
 */
struct ovid_tdp {
	spinlock_t lock;
	u64 *root;
	u64 accessed;			/* the format's, or 0: not every VP sets it, nor dirty */
	u64 seq;
	unsigned int invalidating;
	gfn_t inv_start, inv_end;	/* all that is being invalidated lies in here; or none */
	spinlock_t flush_lock;		/* @flush_mask, writers of @flushed */
	cpumask_var_t flush_mask;
	atomic64_t flush_gen;
	u64 flushed;
	u64 *cpu_gen;			/* [nr_cpu_ids], each by its own CPU */
};

int ovid_tdp_init(struct ovid_partition *part);
void ovid_tdp_fini(struct ovid_partition *part);

/*
 * ovid_tdp_map - map one leaf around @gfn if nothing was invalidated since @seq
 * @level: largest leaf allowed: 1 (4 KiB), 2 (2 MiB), 3 (1 GiB); a smaller one
 *	is made where a table stands already
 * @hpa: of @gfn's own page
 * @write: it may be written to; a page that is tracked by faults (track.h): it is
 * Returns 0, -EAGAIN (start over) or -ENOMEM.  Interrupts on, may sleep.
 */
int ovid_tdp_map(struct ovid_partition *part, gfn_t gfn, unsigned int level,
		 hpa_t hpa, bool write, bool exec, u64 seq);
u64 ovid_tdp_seq(struct ovid_partition *part);

/* removes leaves of a range */
void ovid_tdp_zap(struct ovid_partition *part, gfn_t start, gfn_t end, u32 flags);
#define OVID_ZAP_FLUSH	1	/* ... and waits until no CPU uses them, whoever removed them */
#define OVID_ZAP_ATOMIC	2	/* must not sleep */

enum ovid_age {
	OVID_AGE_TEST,
	OVID_AGE_CLEAR,		/* and take the mark off, CPUs may be late to set it again */
	OVID_AGE_FLUSH,		/* and they are not */
};

/*
 * ovid_tdp_age - did the guest use [start, end) since the marks were taken off?
 *
 * A large leaf has one mark for all of it.  Where the CPU makes no marks, being
 * mapped is one, and taking it off unmaps.  For the mmu notifier: does not sleep.
 */
bool ovid_tdp_age(struct ovid_partition *part, gfn_t start, gfn_t end, enum ovid_age how);
/* a page's leaf, if there is one, has @bit no more; tdp->lock held, flush after it */
void ovid_tdp_take_off(struct ovid_tdp *tdp, gfn_t gfn, u64 bit);
/* waits until no CPU uses what was cleared before; sleeps not */
void ovid_tdp_flush(struct ovid_partition *part);
/* a VP runs without accessed and dirty bits from here on; sleeps */
void ovid_tdp_no_accessed(struct ovid_partition *part);

/*
 * The first half of ovid_tdp_invalidate_begin(), tdp->lock held: nothing in the
 * range is mapped from here on.  For who finds the range in the memory map,
 * which must not change between the look and this (region.c: publish).
 */
void __ovid_tdp_invalidate_begin(struct ovid_tdp *tdp, gfn_t start, gfn_t end);
/* a range that must not be mapped while its backing changes (mmu notifier, discard) */
void ovid_tdp_invalidate_begin(struct ovid_partition *part, gfn_t start, gfn_t end);
void ovid_tdp_invalidate_end(struct ovid_partition *part);
/* IPI to every CPU that runs one of the partition's VPs, until each has left the guest once */
void ovid_part_kick_sync(struct ovid_partition *part);
/* the same for those in a bitmap of VP indexes */
void ovid_part_kick_sync_vps(struct ovid_partition *part, const unsigned long *vps);

#endif
