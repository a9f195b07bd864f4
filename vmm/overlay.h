/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Overlay pages (TLFS: GPA Overlay Pages): pages of the hypervisor that the
 * guest has placed somewhere in its physical memory, where they hide what is
 * beneath.  What lies there is untouched and appears again when they go.
 *
 * The page belongs to its overlay from creation on, so that the hypervisor
 * reads and writes it by a pointer, wherever the guest has put it.
 *
 * Where several are at one place the one of the lowest rank is seen.  The TLFS leaves
 * the order to the hypervisor; this one does not depend on which came first, so that it
 * is no state that a restore would have to bring back.  A part of the partition or a
 * VP, so an overlay lives as long as the partition.
 */
#ifndef OVID_OVERLAY_H
#define OVID_OVERLAY_H

#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include "types.h"

/**
 * struct ovid_overlays - those of a partition that are placed
 * @lock:	changes; below vp->lock
 * @by_gfn:	the topmost one at each place; read under RCU
 */
struct ovid_overlays {
	struct mutex lock;
	struct xarray by_gfn;
};

/* ranks: the partition's, then three of each VP */
enum {
	OVID_OVERLAY_HYPERCALL,
	OVID_OVERLAY_TSC,
	OVID_OVERLAY_FIRST_VP,
};

#define OVID_OVERLAY_ASSIST(index)	(OVID_OVERLAY_FIRST_VP + 3 * (index))
#define OVID_OVERLAY_MESSAGES(index)	(OVID_OVERLAY_ASSIST(index) + 1)
#define OVID_OVERLAY_EVENTS(index)	(OVID_OVERLAY_ASSIST(index) + 2)

/**
 * struct ovid_overlay
 * @page:	its content; NULL: there is none
 * @rank:	which one is seen; no two of a partition have the same
 * @gfn:	where it is, while @placed
 * @below:	the next one at the same place
 * @exec:	code may run from it
 * @write:	the guest may write to it
 */
struct ovid_overlay {
	struct page *page;
	u32 rank;
	gfn_t gfn;
	struct ovid_overlay *below;
	bool placed;
	bool exec;
	bool write;
};

void ovid_overlays_init(struct ovid_partition *part);
void ovid_overlays_fini(struct ovid_partition *part);

/* -ENOMEM or 0; sleeps.  fini: when no VP can run any more */
int ovid_overlay_init(struct ovid_overlay *ov, u32 rank);
void ovid_overlay_fini(struct ovid_overlay *ov);

static inline void *ovid_overlay_data(const struct ovid_overlay *ov)
{
	return page_address(ov->page);
}

/**
 * ovid_overlay_place - put it somewhere, or somewhere else
 * @part: partition
 * @ov: overlay
 * @gfn: where
 *
 * Every VP sees it there when this returns.  Sleeps, interrupts on.
 * Return: 0 or -ENOMEM, then it is placed nowhere.
 */
int ovid_overlay_place(struct ovid_partition *part, struct ovid_overlay *ov, gfn_t gfn);
/* takes it away; the same context */
void ovid_overlay_remove(struct ovid_partition *part, struct ovid_overlay *ov);

/* the one that is seen at @gfn, or NULL; any context */
const struct ovid_overlay *ovid_overlay_find(struct ovid_partition *part, gfn_t gfn);
/* is there one in [first, first + nr)?  Any context */
bool ovid_overlay_in(struct ovid_partition *part, gfn_t first, u64 nr);

#endif
