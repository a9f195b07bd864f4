/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages the guest has written to (HvPartitionPropertyGpaPageAccessTracking,
 * MSHV_GET_GPAP_ACCESS_BITMAP): for migration.
 *
 * While it is on, leaves are small.  Two rules:
 *
 * - The CPU logs (@by_log): a page is mapped as ever, and the first write that sets
 *   its dirty bit puts it into its VP's log.  A VP that leaves the guest empties it
 *   into the marks; taking a mark off takes the dirty bit off.
 * - A page is mapped for writing only when it is written to: the fault marks it, and
 *   taking the mark off takes the permission.  Where the CPU has no log, and where a
 *   VP runs without dirty bits.
 *
 * The mark and the bit in the leaf change together under tdp->lock, so that no write
 * goes unseen.  What a process writes by its own mapping is not seen.
 */
#ifndef OVID_TRACK_H
#define OVID_TRACK_H

#include <linux/xarray.h>
#include "types.h"

/**
 * struct ovid_track
 * @on:		changed under part->lock and tdp->lock, before all is zapped
 * @by_log:	the first rule; changed under tdp->lock, before all is zapped
 * @chunks:	bitmaps of OVID_TRACK_CHUNK pages, a page each; made at the first mark
 */
struct ovid_track {
	bool on;
	bool by_log;
	struct xarray chunks;
};

#define OVID_TRACK_CHUNK	(PAGE_SIZE * 8)
#define OVID_TRACK_MAX		(1u << 20)	/* pages of one ovid_track_get() */

enum ovid_track_op { OVID_TRACK_READ, OVID_TRACK_CLEAR, OVID_TRACK_SET };

void ovid_track_init(struct ovid_partition *part);
void ovid_track_fini(struct ovid_partition *part);

/* begins, with no page marked, or ends; part->lock held, sleeps */
void ovid_track_set(struct ovid_partition *part, bool on);

/**
 * ovid_track_get - what was written to since it was last cleared
 * @part: partition, its lock held
 * @gfn: first page
 * @nr: pages, at most OVID_TRACK_MAX
 * @op: what becomes of the marks, after they were read
 * @bits: out: a bit each, zeroed before
 *
 * Sleeps.  Return: 0, -EINVAL (it is off), -ENOMEM.
 */
int ovid_track_get(struct ovid_partition *part, gfn_t gfn, u64 nr, enum ovid_track_op op,
		   unsigned long *bits);

/* before a page is written to, or mapped for that: 0 or -ENOMEM; sleeps */
int ovid_track_reserve(struct ovid_partition *part, gfn_t gfn);
/* it was written to, or can be without being seen; tdp->lock held */
void ovid_track_mark_locked(struct ovid_partition *part, gfn_t gfn);
/* a VP runs without dirty bits from here on: the second rule.  Sleeps */
void ovid_track_no_log(struct ovid_partition *part);
/* it was written to by us */
void ovid_track_mark(struct ovid_partition *part, gfn_t gfn);
/* pages have become others: 0 or -ENOMEM; sleeps */
int ovid_track_mark_range(struct ovid_partition *part, gfn_t gfn, u64 nr);
/* sets marks again that ovid_track_get() gave and took off; part->lock held */
void ovid_track_put_back(struct ovid_partition *part, gfn_t gfn, u64 nr,
			 const unsigned long *bits);

#endif
