// SPDX-License-Identifier: GPL-2.0-only
/*
 * Overlay pages: where they are placed.  The second-level page table finds them
 * before the memory map (region.c), copies of guest memory do so too
 * (guestmem.c); after a change what was mapped there is zapped.
 */
#include <linux/cleanup.h>
#include <linux/gfp.h>
#include "overlay.h"
#include "partition.h"
#include "tdp.h"

void ovid_overlays_init(struct ovid_partition *part)
{
	mutex_init(&part->overlays.lock);
	xa_init_flags(&part->overlays.by_gfn, 0);
}

void ovid_overlays_fini(struct ovid_partition *part)
{
	xa_destroy(&part->overlays.by_gfn);
}

int ovid_overlay_init(struct ovid_overlay *ov, u32 rank)
{
	ov->rank = rank;
	ov->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return ov->page ? 0 : -ENOMEM;
}

void ovid_overlay_fini(struct ovid_overlay *ov)
{
	if (ov->page)
		__free_page(ov->page);
	ov->page = NULL;
}

/* what was mapped at @gfn is gone, whoever looked it up before starts over */
static void place_changed(struct ovid_partition *part, gfn_t gfn)
{
	ovid_tdp_invalidate_begin(part, gfn, gfn + 1);
	ovid_tdp_zap(part, gfn, gfn + 1, OVID_ZAP_FLUSH);
	ovid_tdp_invalidate_end(part);
}

static void unlink_overlay(struct ovid_partition *part, struct ovid_overlay *ov)
{
	struct xarray *xa = &part->overlays.by_gfn;
	struct ovid_overlay *at = xa_load(xa, ov->gfn);

	if (at == ov) {
		/* an entry that is there is replaced without an allocation */
		if (ov->below)
			xa_store(xa, ov->gfn, ov->below, GFP_KERNEL);
		else
			xa_erase(xa, ov->gfn);
	} else {
		while (at->below != ov)
			at = at->below;
		at->below = ov->below;
	}
	ov->below = NULL;
	ov->placed = false;
	place_changed(part, ov->gfn);
}

/* between those at @gfn that hide it and those that it hides */
static int link_overlay(struct ovid_partition *part, struct ovid_overlay *ov, gfn_t gfn)
{
	struct xarray *xa = &part->overlays.by_gfn;
	struct ovid_overlay *above = NULL, *below = xa_load(xa, gfn);
	int err = 0;

	while (below && below->rank < ov->rank) {
		above = below;
		below = below->below;
	}
	if (above)
		above->below = ov;
	else
		err = xa_err(xa_store(xa, gfn, ov, GFP_KERNEL_ACCOUNT));
	if (!err)
		ov->below = below;
	return err;
}

int ovid_overlay_place(struct ovid_partition *part, struct ovid_overlay *ov, gfn_t gfn)
{
	int err;

	guard(mutex)(&part->overlays.lock);
	if (ov->placed) {
		if (ov->gfn == gfn)
			return 0;
		unlink_overlay(part, ov);
	}
	err = link_overlay(part, ov, gfn);
	if (err)
		return err;
	ov->gfn = gfn;
	ov->placed = true;
	place_changed(part, gfn);
	return 0;
}

void ovid_overlay_remove(struct ovid_partition *part, struct ovid_overlay *ov)
{
	guard(mutex)(&part->overlays.lock);
	if (ov->placed)
		unlink_overlay(part, ov);
}

const struct ovid_overlay *ovid_overlay_find(struct ovid_partition *part, gfn_t gfn)
{
	if (likely(xa_empty(&part->overlays.by_gfn)))
		return NULL;
	return xa_load(&part->overlays.by_gfn, gfn);
}

bool ovid_overlay_in(struct ovid_partition *part, gfn_t first, u64 nr)
{
	unsigned long at = first;

	return !xa_empty(&part->overlays.by_gfn) &&
	       xa_find(&part->overlays.by_gfn, &at, first + nr - 1, XA_PRESENT);
}
