// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest pages that are held: rings and buffers which the guest has described once and
 * uses for long, and what a request of a disk reads or writes.  They stay the host's when
 * the guest's memory map changes: who wrote to a page that the guest has given up, wrote to
 * nobody's.
 */
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include "guestmem.h"
#include "memobj.h"
#include "overlay.h"
#include "partition.h"
#include "region.h"

static int pin_obj(struct ovid_memobj *obj, u64 index, struct page **page)
{
	unsigned int level;

	if (!ovid_memobj_page(obj, index, &level))
		return -ENOMEM;
	guard(rcu)();
	*page = ovid_memobj_peek(obj, index);
	/* a discard that comes between has come before */
	return *page && get_page_unless_zero(compound_head(*page)) ? 0 : -EFAULT;
}

static int pin_user(struct ovid_partition *part, u64 addr, struct page **page)
{
	int n;

	if (current->mm != part->mm)
		return -EFAULT;
	n = pin_user_pages_fast(addr, 1, FOLL_WRITE | FOLL_LONGTERM, page);
	return n == 1 ? 0 : n < 0 ? n : -EFAULT;
}

/* memory that may be written to at @gfn, with a reference to its object: 0 or -EFAULT */
static int find_page(struct ovid_partition *part, gfn_t gfn, struct ovid_region *copy)
{
	const struct ovid_region *r;
	int idx, err = -EFAULT;

	if (ovid_overlay_find(part, gfn))
		return -EFAULT;
	idx = srcu_read_lock(part->srcu);
	r = ovid_region_find(srcu_dereference(part->regions, part->srcu), gfn);
	if (r && r->flags & OVID_MAP_WRITE) {
		*copy = *r;
		if (r->obj)
			ovid_memobj_get(r->obj);
		err = 0;
	}
	srcu_read_unlock(part->srcu, idx);
	return err;
}

static int pin_one(struct ovid_pins *pins, u32 i)
{
	struct ovid_partition *part = pins->part;
	gfn_t gfn = pins->gfns[i];
	struct ovid_region r;
	int err;

	err = find_page(part, gfn, &r);
	if (err)
		return err;
	if (!r.obj) {
		__set_bit(i, pins->user);
		return pin_user(part, r.source + ((gfn - r.gfn) << PAGE_SHIFT), &pins->pages[i]);
	}
	err = pin_obj(r.obj, r.source + (gfn - r.gfn), &pins->pages[i]);
	ovid_memobj_put(r.obj);
	return err;
}

/* one piece of memory: requests of a disk come and go */
static struct ovid_pins *alloc_pins(struct ovid_partition *part, u32 nr)
{
	size_t lists = array_size(nr, sizeof(struct page *) + sizeof(u64));
	size_t bits = array_size(BITS_TO_LONGS(nr), sizeof(long));
	struct ovid_pins *pins;

	pins = kvzalloc(size_add(sizeof(*pins), size_add(lists, bits)), GFP_KERNEL_ACCOUNT);
	if (!pins)
		return NULL;
	pins->part = part;
	pins->pages = (void *)(pins + 1);
	pins->gfns = (void *)(pins->pages + nr);
	pins->user = (void *)(pins->gfns + nr);
	return pins;
}

struct ovid_pins *ovid_guest_pin(struct ovid_partition *part, const u64 *gfns, u32 nr)
{
	struct ovid_pins *pins = alloc_pins(part, nr);
	int err = 0;

	if (!pins)
		return ERR_PTR(-ENOMEM);
	memcpy(pins->gfns, gfns, array_size(nr, sizeof(*gfns)));
	for (; !err && pins->nr < nr; cond_resched()) {
		err = fatal_signal_pending(current) ? -EINTR : pin_one(pins, pins->nr);
		if (!err)
			pins->nr++;
	}
	if (!err)
		return pins;
	ovid_guest_unpin(pins, false);
	return ERR_PTR(err);
}

void ovid_guest_unpin(struct ovid_pins *pins, bool written)
{
	u32 i;

	if (written && pins->part)
		ovid_guest_dirty(pins, 0, pins->nr);
	for (i = 0; i < pins->nr; i++) {
		if (test_bit(i, pins->user))
			unpin_user_pages_dirty_lock(&pins->pages[i], 1, written);
		else
			put_page(pins->pages[i]);
		cond_resched();
	}
	kvfree(pins);
}

void ovid_guest_disown(struct ovid_pins *pins)
{
	pins->part = NULL;
}

void ovid_guest_dirty(struct ovid_pins *pins, u32 first, u32 nr)
{
	u32 i;

	if (likely(!READ_ONCE(pins->part->track.on)))
		return;
	for (i = first; i < first + nr; i++)
		if (!ovid_track_reserve(pins->part, pins->gfns[i]))
			ovid_track_mark(pins->part, pins->gfns[i]);
}
