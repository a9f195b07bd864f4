// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marks of pages that the guest has written to: see track.h for the rules.
 */
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include "backend.h"
#include "partition.h"
#include "tdp.h"
#include "track.h"

#define BLOCK		512u	/* pages of one table, and of one section of tdp->lock */

void ovid_track_init(struct ovid_partition *part)
{
	xa_init(&part->track.chunks);
}

static void forget(struct ovid_partition *part)
{
	unsigned long index;
	void *chunk;

	xa_for_each(&part->track.chunks, index, chunk) {
		xa_erase(&part->track.chunks, index);
		free_page((unsigned long)chunk);
	}
}

void ovid_track_fini(struct ovid_partition *part)
{
	forget(part);
	xa_destroy(&part->track.chunks);
}

/*
 * All leaves go, and come back under the rule that holds now.  None comes back before
 * every VP has left the guest: it looks at the rule when it enters.
 */
static void follow_rule(struct ovid_partition *part)
{
	ovid_tdp_invalidate_begin(part, 0, OVID_TDP_PAGES);
	ovid_part_kick_sync(part);	/* where there was no leaf too */
	ovid_tdp_invalidate_end(part);
}

void ovid_track_set(struct ovid_partition *part, bool on)
{
	lockdep_assert_held(&part->lock);
	if (part->track.on == on)
		return;
	scoped_guard(spinlock, &part->tdp.lock) {
		WRITE_ONCE(part->track.on, on);
		WRITE_ONCE(part->track.by_log, on && part->tdp.accessed &&
			   ovid_backend->caps & OVID_CAP_PML);
	}
	follow_rule(part);
	/* nobody marks any more */
	if (!on)
		forget(part);
}

void ovid_track_no_log(struct ovid_partition *part)
{
	bool by_log;

	scoped_guard(spinlock, &part->tdp.lock) {
		by_log = part->track.by_log;
		WRITE_ONCE(part->track.by_log, false);
	}
	/* what stands in the logs is marked on the way out */
	if (by_log)
		follow_rule(part);
}

static int make_chunk(struct ovid_partition *part, gfn_t gfn)
{
	unsigned long index = gfn / OVID_TRACK_CHUNK, chunk;
	int err;

	if (xa_load(&part->track.chunks, index))
		return 0;
	chunk = get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	err = xa_insert(&part->track.chunks, index, (void *)chunk, GFP_KERNEL_ACCOUNT);
	if (err)
		free_page(chunk);
	return err == -EBUSY ? 0 : err;
}

int ovid_track_reserve(struct ovid_partition *part, gfn_t gfn)
{
	return likely(!READ_ONCE(part->track.on)) ? 0 : make_chunk(part, gfn);
}

void ovid_track_mark_locked(struct ovid_partition *part, gfn_t gfn)
{
	unsigned long *chunk;

	lockdep_assert_held(&part->tdp.lock);
	if (likely(!part->track.on))
		return;
	/* none: the page is not memory, or it is too late for this round of tracking */
	chunk = xa_load(&part->track.chunks, gfn / OVID_TRACK_CHUNK);
	if (chunk)
		__set_bit(gfn % OVID_TRACK_CHUNK, chunk);
}

void ovid_track_mark(struct ovid_partition *part, gfn_t gfn)
{
	if (likely(!READ_ONCE(part->track.on)))
		return;
	guard(spinlock)(&part->tdp.lock);
	ovid_track_mark_locked(part, gfn);
}

int ovid_track_mark_range(struct ovid_partition *part, gfn_t gfn, u64 nr)
{
	gfn_t end = gfn + nr;
	int err;

	for (; READ_ONCE(part->track.on) && gfn < end; gfn++) {
		err = ovid_track_reserve(part, gfn);
		if (err)
			return err;
		ovid_track_mark(part, gfn);
		cond_resched();
	}
	return 0;
}

void ovid_track_put_back(struct ovid_partition *part, gfn_t gfn, u64 nr,
			 const unsigned long *bits)
{
	unsigned long i;

	lockdep_assert_held(&part->lock);
	for_each_set_bit(i, bits, nr) {
		ovid_track_mark(part, gfn + i);
		cond_resched();
	}
}

/* pages of one block, whose bits in @bits begin at @at */
static void get_block(struct ovid_partition *part, gfn_t gfn, unsigned int nr,
		      enum ovid_track_op op, unsigned long *bits, unsigned long at)
{
	unsigned long first = gfn % OVID_TRACK_CHUNK, bit;
	unsigned long *chunk;

	guard(spinlock)(&part->tdp.lock);
	chunk = xa_load(&part->track.chunks, gfn / OVID_TRACK_CHUNK);
	if (!chunk)
		return;
	bit = first;
	for_each_set_bit_from(bit, chunk, first + nr) {
		__set_bit(at + bit - first, bits);
		if (op == OVID_TRACK_CLEAR)
			ovid_tdp_take_off(&part->tdp, gfn + bit - first,
					  part->track.by_log ? ovid_backend->tdp.dirty :
							       ovid_backend->tdp.write);
	}
	if (op == OVID_TRACK_CLEAR)
		bitmap_clear(chunk, first, nr);
	else if (op == OVID_TRACK_SET)
		bitmap_set(chunk, first, nr);
}

int ovid_track_get(struct ovid_partition *part, gfn_t gfn, u64 nr, enum ovid_track_op op,
		   unsigned long *bits)
{
	u64 done, n;
	int err;

	lockdep_assert_held(&part->lock);
	if (!part->track.on)
		return -EINVAL;
	/* logs are emptied on the way out */
	if (READ_ONCE(part->track.by_log))
		ovid_part_kick_sync(part);
	for (done = 0; done < nr; done += n, gfn += n) {
		n = min(nr - done, BLOCK - gfn % BLOCK);
		err = op == OVID_TRACK_SET ? make_chunk(part, gfn) : 0;
		if (err)
			return err;
		get_block(part, gfn, n, op, bits, done);
		cond_resched();
	}
	/* whoever reads the pages after this finds what was written before it */
	if (op == OVID_TRACK_CLEAR)
		ovid_tdp_flush(part);
	return 0;
}
