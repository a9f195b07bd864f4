// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory map, and what backs a page when the guest touches it.
 *
 * Adding a region needs no grace period: nobody has used it.  Removing one
 * stops new mappings of its range (invalidate_begin), publishes the new map,
 * waits for readers of the old one, and lets mappings go on.
 *
 * Locks: part->regions_lock -> memobj users_lock -> tdp->lock.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <asm/io.h>
#include "backend.h"
#include "compat.h"
#include "memobj.h"
#include "overlay.h"
#include "partition.h"
#include "region.h"
#include "vp.h"

#define MAX_GFN		(1ull << 36)	/* four levels of EPT */

static struct ovid_regions *regions_locked(struct ovid_partition *part)
{
	return rcu_dereference_protected(part->regions,
					 lockdep_is_held(&part->regions_lock));
}

const struct ovid_region *ovid_region_find(const struct ovid_regions *map, gfn_t gfn)
{
	u32 lo = 0, hi = map ? map->count : 0, mid;
	const struct ovid_region *r;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		r = &map->r[mid];
		if (gfn < r->gfn)
			hi = mid;
		else if (gfn - r->gfn >= r->nr_pages)
			lo = mid + 1;
		else
			return r;
	}
	return NULL;
}

bool ovid_region_backed(struct ovid_partition *part, gfn_t gfn)
{
	/* interrupts off is a read side of RCU */
	return ovid_overlay_find(part, gfn) ||
	       ovid_region_find(rcu_dereference_raw(part->regions), gfn);
}

static void regions_free_rcu(struct rcu_head *head)
{
	struct ovid_regions *map = container_of(head, struct ovid_regions, rcu);

	kvfree_rcu(map, rcu);
}

/* readers of both kinds may still hold @old */
static void publish(struct ovid_partition *part, struct ovid_regions *new)
{
	struct ovid_regions *old = regions_locked(part);
	struct ovid_tdp *tdp = &part->tdp;

	spin_lock(&tdp->lock);
	rcu_assign_pointer(part->regions, new);
	/* an invalidation under way was worked out with the old map: stop all mapping */
	if (tdp->invalidating) {
		tdp->inv_start = 0;
		tdp->inv_end = MAX_GFN;
	}
	spin_unlock(&tdp->lock);
	if (old)
		call_srcu(part->srcu, &old->rcu, regions_free_rcu);
}

static struct ovid_regions *regions_alloc(u32 count)
{
	struct ovid_regions *map;

	map = kvzalloc(struct_size(map, r, count), GFP_KERNEL_ACCOUNT);
	return map;
}

/* ---- user memory: the host may take pages away ---- */

/* which gfns of @r are user addresses [start, end): false if none */
static bool user_gfns(const struct ovid_region *r, u64 start, u64 end, gfn_t *first,
		      gfn_t *last)
{
	u64 lo = max(start, r->source), hi = min(end, r->source + (r->nr_pages << PAGE_SHIFT));

	if (r->obj || lo >= hi)
		return false;
	*first = r->gfn + ((lo - r->source) >> PAGE_SHIFT);
	*last = r->gfn + ((hi - r->source + PAGE_SIZE - 1) >> PAGE_SHIFT);
	return true;
}

static int mn_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct ovid_partition *part = container_of(mn, struct ovid_partition, mn);
	gfn_t start = MAX_GFN, end = 0, first, last;
	const struct ovid_regions *map;
	u32 i;
	int idx;

	idx = srcu_read_lock(part->srcu);
	spin_lock(&part->tdp.lock);
	map = srcu_dereference(part->regions, part->srcu);
	for (i = 0; map && i < map->count; i++) {
		if (!user_gfns(&map->r[i], range->start, range->end, &first, &last))
			continue;
		start = min(start, first);
		end = max(end, last);
	}
	/* always counted, so that start and end pair whatever the map does between */
	__ovid_tdp_invalidate_begin(&part->tdp, start, end);
	spin_unlock(&part->tdp.lock);
	srcu_read_unlock(part->srcu, idx);
	/* the OOM reaper must not wait */
	ovid_tdp_zap(part, start, end, OVID_ZAP_FLUSH |
		     (mmu_notifier_range_blockable(range) ? 0 : OVID_ZAP_ATOMIC));
	return 0;
}

static void mn_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	ovid_tdp_invalidate_end(container_of(mn, struct ovid_partition, mn));
}

static bool age(struct mmu_notifier *mn, unsigned long start, unsigned long end,
		enum ovid_age how)
{
	struct ovid_partition *part = container_of(mn, struct ovid_partition, mn);
	const struct ovid_regions *map;
	gfn_t first, last;
	bool young = false;
	u32 i;
	int idx;

	idx = srcu_read_lock(part->srcu);
	map = srcu_dereference(part->regions, part->srcu);
	for (i = 0; map && i < map->count; i++)
		if (user_gfns(&map->r[i], start, end, &first, &last))
			young |= ovid_tdp_age(part, first, last, how);
	srcu_read_unlock(part->srcu, idx);
	return young;
}

static ovid_young_t mn_clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
					 unsigned long start, unsigned long end)
{
	return age(mn, start, end, OVID_AGE_FLUSH);
}

static ovid_young_t mn_clear_young(struct mmu_notifier *mn, struct mm_struct *mm,
				   unsigned long start, unsigned long end)
{
	return age(mn, start, end, OVID_AGE_CLEAR);
}

static ovid_young_t mn_test_young(struct mmu_notifier *mn, struct mm_struct *mm,
				  unsigned long address)
{
	return age(mn, address, address + 1, OVID_AGE_TEST);
}

/* the process dies: its memory goes, whatever still holds the partition */
static void mn_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct ovid_partition *part = container_of(mn, struct ovid_partition, mn);

	ovid_tdp_invalidate_begin(part, 0, MAX_GFN);
	ovid_tdp_invalidate_end(part);
}

static const struct mmu_notifier_ops mn_ops = {
	.invalidate_range_start = mn_start,
	.invalidate_range_end = mn_end,
	.clear_flush_young = mn_clear_flush_young,
	.clear_young = mn_clear_young,
	.test_young = mn_test_young,
	.release = mn_release,
};

static int watch_user_memory(struct ovid_partition *part)
{
	int err;

	if (part->mn_registered)
		return 0;
	part->mn.ops = &mn_ops;
	err = mmu_notifier_register(&part->mn, part->mm);
	part->mn_registered = !err;
	return err;
}

/* ---- map ---- */

static int map_check(const struct ovid_map_memory *arg)
{
	u64 gfn = arg->gpa >> PAGE_SHIFT, nr = arg->bytes >> PAGE_SHIFT;
	u64 max = min(MAX_GFN, 1ull << (boot_cpu_data.x86_phys_bits - PAGE_SHIFT));

	if ((arg->flags & ~(OVID_MAP_WRITE | OVID_MAP_EXEC | OVID_MAP_FD)) || arg->pad ||
	    ((arg->gpa | arg->bytes | arg->source) & ~PAGE_MASK) || !nr)
		return -EINVAL;
	if (gfn >= max || nr > max - gfn || arg->source + arg->bytes < arg->source)
		return -EINVAL;
	if (arg->flags & OVID_MAP_FD)
		return arg->fd < 0 ? -EBADF : 0;
	if (arg->fd)
		return -EINVAL;
	return access_ok((void __user *)arg->source, arg->bytes) ? 0 : -EFAULT;
}

static int insert(struct ovid_partition *part, const struct ovid_region *new)
{
	struct ovid_regions *old = regions_locked(part), *map;
	u32 n = old ? old->count : 0, at;

	if (n >= OVID_MAX_REGIONS)
		return -ENOSPC;
	for (at = 0; at < n && old->r[at].gfn < new->gfn; at++)
		;
	if ((at < n && old->r[at].gfn - new->gfn < new->nr_pages) ||
	    (at && new->gfn - old->r[at - 1].gfn < old->r[at - 1].nr_pages))
		return -EEXIST;
	map = regions_alloc(n + 1);
	if (!map)
		return -ENOMEM;
	map->count = n + 1;
	if (n) {
		memcpy(map->r, old->r, at * sizeof(*new));
		memcpy(&map->r[at + 1], &old->r[at], (n - at) * sizeof(*new));
	}
	map->r[at] = *new;
	publish(part, map);
	return 0;
}

static int map_obj(struct ovid_partition *part, const struct ovid_map_memory *arg,
		   struct ovid_region *r)
{
	struct ovid_memobj *obj = ovid_memobj_get_fd(arg->fd);
	int err;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	r->obj = obj;
	r->source = arg->source >> PAGE_SHIFT;
	if (r->source + r->nr_pages > ovid_memobj_pages(obj)) {
		ovid_memobj_put(obj);
		return -EINVAL;
	}
	err = ovid_memobj_user_add(obj, part);
	if (err) {
		ovid_memobj_put(obj);
		return err;
	}
	mutex_lock(&part->regions_lock);
	err = insert(part, r);
	mutex_unlock(&part->regions_lock);
	if (err) {
		ovid_memobj_user_del(obj, part);
		ovid_memobj_put(obj);
	}
	return err;
}

/*
 * ovid_region_map - OVID_MAP_MEMORY
 *
 * The region keeps the object (through its file) and the partition's mm (at
 * bind).  Errors: see struct ovid_map_memory; EIO for another process.
 */
int ovid_region_map(struct ovid_partition *part, const struct ovid_map_memory *arg)
{
	struct ovid_region r = {
		.gfn = arg->gpa >> PAGE_SHIFT,
		.nr_pages = arg->bytes >> PAGE_SHIFT,
		.flags = arg->flags,
	};
	int err;

	err = map_check(arg) ?: ovid_part_bind(part);
	if (err)
		return err;
	if (arg->flags & OVID_MAP_FD)
		return map_obj(part, arg, &r);

	r.source = arg->source;
	guard(mutex)(&part->regions_lock);
	err = watch_user_memory(part);
	return err ?: insert(part, &r);
}

/* ---- unmap ---- */

static void region_drop(struct ovid_partition *part, struct ovid_region *r)
{
	if (!r->obj)
		return;
	ovid_memobj_user_del(r->obj, part);
	ovid_memobj_put(r->obj);
}

static u64 source_at(const struct ovid_region *r, gfn_t gfn)
{
	u64 pages = gfn - r->gfn;

	return r->source + (r->obj ? pages : pages << PAGE_SHIFT);
}

/*
 * @map becomes @old without [start, end).  A region cut in two needs one more
 * reference to its object; -ENOMEM leaves everything as it was.
 */
static int cut(struct ovid_partition *part, const struct ovid_regions *old,
	       struct ovid_regions *map, gfn_t start, gfn_t end)
{
	const struct ovid_region *r;
	struct ovid_region *out;
	gfn_t r_end;
	int err;
	u32 i;

	for (i = 0; i < old->count; i++) {
		r = &old->r[i];
		r_end = r->gfn + r->nr_pages;
		if (r_end <= start || r->gfn >= end) {
			map->r[map->count++] = *r;
			continue;
		}
		if (r->gfn < start) {
			out = &map->r[map->count++];
			*out = *r;
			out->nr_pages = start - r->gfn;
		}
		if (r_end > end) {
			if (r->gfn < start && r->obj) {
				err = ovid_memobj_user_add(r->obj, part);
				if (err)
					return err;
				ovid_memobj_get(r->obj);
			}
			out = &map->r[map->count++];
			*out = *r;
			out->source = source_at(r, end);
			out->gfn = end;
			out->nr_pages = r_end - end;
		}
	}
	return 0;
}

static bool any_in(const struct ovid_regions *map, gfn_t start, gfn_t end)
{
	u32 i;

	for (i = 0; map && i < map->count; i++)
		if (map->r[i].gfn < end && map->r[i].gfn + map->r[i].nr_pages > start)
			return true;
	return false;
}

/* would [start, end) leave two pieces of one region? */
static bool splits(const struct ovid_regions *map, gfn_t start, gfn_t end)
{
	const struct ovid_region *r = start ? ovid_region_find(map, start - 1) : NULL;

	return r && r->gfn + r->nr_pages > end;
}

static int unmap_locked(struct ovid_partition *part, gfn_t start, gfn_t end)
{
	struct ovid_regions *old = regions_locked(part), *map, *gone;
	u32 i;
	int err;

	if (!any_in(old, start, end))
		return -ENOENT;
	if (old->count >= OVID_MAX_REGIONS && splits(old, start, end))
		return -ENOSPC;
	map = regions_alloc(old->count + 1);
	gone = regions_alloc(old->count);
	if (!map || !gone) {
		kvfree(map);
		kvfree(gone);
		return -ENOMEM;
	}
	/* what goes whole: its reference is dropped at the end */
	for (i = 0; i < old->count; i++)
		if (old->r[i].gfn >= start && old->r[i].gfn + old->r[i].nr_pages <= end)
			gone->r[gone->count++] = old->r[i];
	err = cut(part, old, map, start, end);
	if (err) {
		kvfree(map);
		kvfree(gone);
		return err;
	}
	ovid_tdp_invalidate_begin(part, start, end);
	publish(part, map);
	synchronize_srcu_expedited(part->srcu);
	synchronize_rcu_expedited();
	ovid_tdp_invalidate_end(part);
	for (i = 0; i < gone->count; i++)
		region_drop(part, &gone->r[i]);
	kvfree(gone);
	return 0;
}

static int range_check(gpa_t gpa, u64 bytes)
{
	if (((gpa | bytes) & ~PAGE_MASK) || !bytes || gpa + bytes < gpa)
		return -EINVAL;
	return 0;
}

int ovid_region_unmap(struct ovid_partition *part, gpa_t gpa, u64 bytes)
{
	int err = range_check(gpa, bytes);

	if (err)
		return err;
	guard(mutex)(&part->regions_lock);
	return unmap_locked(part, gpa >> PAGE_SHIFT, (gpa + bytes) >> PAGE_SHIFT);
}

int ovid_region_unmap_exact(struct ovid_partition *part, gpa_t gpa, u64 bytes, u64 uaddr)
{
	const struct ovid_region *r;

	guard(mutex)(&part->regions_lock);
	r = ovid_region_find(regions_locked(part), gpa >> PAGE_SHIFT);
	if (!r)
		return -ENOENT;
	if (r->obj || r->gfn != gpa >> PAGE_SHIFT || r->nr_pages != bytes >> PAGE_SHIFT ||
	    r->source != uaddr)
		return -EINVAL;
	return unmap_locked(part, r->gfn, r->gfn + r->nr_pages);
}

int ovid_region_discard(struct ovid_partition *part, gpa_t gpa, u64 bytes, u32 need)
{
	gfn_t at = gpa >> PAGE_SHIFT, end = (gpa + bytes) >> PAGE_SHIFT, stop;
	const struct ovid_region *r;
	struct ovid_memobj *obj;
	u64 first;
	int err;

	err = range_check(gpa, bytes);
	while (!err && at < end) {
		mutex_lock(&part->regions_lock);
		r = ovid_region_find(regions_locked(part), at);
		obj = r && r->obj && (r->flags & need) == need ? ovid_memobj_get(r->obj) : NULL;
		stop = r ? min(end, r->gfn + r->nr_pages) : end;
		first = r ? source_at(r, at) : 0;
		mutex_unlock(&part->regions_lock);
		if (!obj)
			return -ENOENT;
		err = ovid_memobj_discard(obj, first, stop - at) ?:
		      ovid_track_mark_range(part, at, stop - at);
		ovid_memobj_put(obj);
		at = stop;
	}
	return err;
}

/*
 * ovid_region_obj_invalidate - pages of an object go (@begin) or are gone
 *
 * Called by discard for each partition that maps the object.
 */
void ovid_region_obj_invalidate(struct ovid_partition *part, struct ovid_memobj *obj,
				u64 first, u64 end, bool begin)
{
	const struct ovid_regions *map;
	const struct ovid_region *r;
	gfn_t start = MAX_GFN, stop = 0;
	int idx;
	u32 i;

	if (!begin) {
		ovid_tdp_invalidate_end(part);
		return;
	}
	idx = srcu_read_lock(part->srcu);
	spin_lock(&part->tdp.lock);
	map = srcu_dereference(part->regions, part->srcu);
	for (i = 0; map && i < map->count; i++) {
		r = &map->r[i];
		if (r->obj != obj || r->source >= end || r->source + r->nr_pages <= first)
			continue;
		start = min(start, r->gfn + (max(first, r->source) - r->source));
		stop = max(stop, r->gfn + (min(end, r->source + r->nr_pages) - r->source));
	}
	__ovid_tdp_invalidate_begin(&part->tdp, start, stop);
	spin_unlock(&part->tdp.lock);
	srcu_read_unlock(part->srcu, idx);
	ovid_tdp_zap(part, start, stop, OVID_ZAP_FLUSH);
}

void ovid_region_fini(struct ovid_partition *part)
{
	struct ovid_regions *map;
	u32 i;

	if (part->mn_registered)
		mmu_notifier_unregister(&part->mn, part->mm);
	mutex_lock(&part->regions_lock);
	map = regions_locked(part);
	ovid_tdp_zap(part, 0, MAX_GFN, 0);
	for (i = 0; map && i < map->count; i++)
		region_drop(part, &map->r[i]);
	if (map)
		publish(part, NULL);
	mutex_unlock(&part->regions_lock);
}

/* ---- faults ---- */

/*
 * The largest leaf that fits into the region around @gfn, when the backing has
 * @level, and that hides no overlay.
 */
static unsigned int fit_level(struct ovid_partition *part, const struct ovid_region *r,
			      gfn_t gfn, u64 backing, unsigned int level)
{
	u64 pages;

	if (READ_ONCE(part->track.on))
		return 1;
	for (; level > 1; level--) {
		pages = 1ull << (9 * (level - 1));
		if (level == 3 && !ovid_backend->tdp.has_1g)
			continue;
		if (((gfn ^ backing) & (pages - 1)) == 0 &&
		    (gfn & ~(pages - 1)) >= r->gfn &&
		    (gfn | (pages - 1)) < r->gfn + r->nr_pages &&
		    !ovid_overlay_in(part, gfn & ~(pages - 1), pages))
			break;
	}
	return level;
}

/* a page that is tracked by faults is mapped for writing when it is written to, not before */
static bool may_write(struct ovid_partition *part, const struct ovid_region *r, bool write)
{
	return r->flags & OVID_MAP_WRITE &&
	       (write || !READ_ONCE(part->track.on) || READ_ONCE(part->track.by_log));
}

static int fault_obj(struct ovid_partition *part, const struct ovid_region *r, gfn_t gfn,
		     bool write, u64 seq)
{
	unsigned int level;
	struct page *page;
	u64 index = source_at(r, gfn);

	page = ovid_memobj_page(r->obj, index, &level);
	if (!page)
		return -ENOMEM;
	level = fit_level(part, r, gfn, index, level);
	return ovid_tdp_map(part, gfn, level, page_to_phys(page), may_write(part, r, write),
			    r->flags & OVID_MAP_EXEC, seq);
}

/*
 * How large the host itself maps @addr: then, and only then, is the memory
 * around it contiguous.  Tables are not freed while interrupts are off; what
 * changes afterwards is caught by the invalidation count.
 */
static unsigned int host_level(struct mm_struct *mm, unsigned long addr)
{
	unsigned int level = 1;
	unsigned long flags;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	local_irq_save(flags);
	pgd = READ_ONCE(*pgd_offset(mm, addr));
	if (pgd_none(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, addr));
	if (p4d_none(p4d) || !p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, addr));
	if (pud_none(pud) || !pud_present(pud))
		goto out;
	if (pud_leaf(pud)) {
		level = 3;
		goto out;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, addr));
	if (pmd_present(pmd) && pmd_leaf(pmd))
		level = 2;
out:
	local_irq_restore(flags);
	return level;
}

static int fault_user(struct ovid_partition *part, const struct ovid_region *r, gfn_t gfn,
		      bool write, u64 seq)
{
	unsigned long addr = source_at(r, gfn);
	bool writable = may_write(part, r, write);
	unsigned int level;
	struct page *page;
	long n;
	int err;

	if (current->mm != part->mm)
		return -EIO;
	/* whoever fills the page may take long: signals end the wait */
	n = get_user_pages_unlocked(addr, 1, &page,
				    FOLL_INTERRUPTIBLE | (writable ? FOLL_WRITE : 0));
	if (n == -EFAULT && writable && !write) {
		writable = false;
		n = get_user_pages_unlocked(addr, 1, &page, FOLL_INTERRUPTIBLE);
	}
	if (n == -EINTR || n == -EAGAIN || n == 0)
		return -EAGAIN;
	if (n != 1)
		return n == -ENOMEM ? -ENOMEM : -EFAULT;
	level = fit_level(part, r, gfn, addr >> PAGE_SHIFT, host_level(part->mm, addr));
	err = ovid_tdp_map(part, gfn, level, page_to_phys(page), writable,
			   r->flags & OVID_MAP_EXEC, seq);
	put_page(page);
	return err;
}

static int fault_overlay(struct ovid_partition *part, const struct ovid_overlay *ov, gfn_t gfn,
			 bool write, bool exec, u64 seq)
{
	if ((write && !ov->write) || (exec && !ov->exec))
		return -EPERM;
	return ovid_tdp_map(part, gfn, 1, page_to_phys(ov->page), ov->write, ov->exec, seq);
}

int ovid_region_fault(struct ovid_vp *vp, gpa_t gpa, bool write, bool exec)
{
	struct ovid_partition *part = vp->part;
	u64 seq = ovid_tdp_seq(part);
	const struct ovid_overlay *ov;
	const struct ovid_region *r;
	struct ovid_region copy;
	gfn_t gfn = gpa >> PAGE_SHIFT;
	int idx, err = 0;

	/* once placed, an overlay lives as long as the partition: see overlay.h */
	ov = ovid_overlay_find(part, gfn);
	if (unlikely(ov))
		return fault_overlay(part, ov, gfn, write, exec, seq);
	idx = srcu_read_lock(part->srcu);
	r = ovid_region_find(srcu_dereference(part->regions, part->srcu), gfn);
	if (!r) {
		err = -ENOENT;
	} else if ((write && !(r->flags & OVID_MAP_WRITE)) ||
		   (exec && !(r->flags & OVID_MAP_EXEC))) {
		err = -EACCES;
	} else {
		copy = *r;
		if (r->obj)
			ovid_memobj_get(r->obj);
	}
	srcu_read_unlock(part->srcu, idx);
	if (err)
		return err;
	/*
	 * User memory may sleep as long as the worker likes (userfaultfd, FUSE), an
	 * allocation as long as its memory cgroup is throttled: no reader's lock is
	 * held, which all partitions share.  @seq guards what comes of it.
	 */
	if (may_write(part, &copy, write))
		err = ovid_track_reserve(part, gfn);
	if (!err && copy.obj)
		err = fault_obj(part, &copy, gfn, write, seq);
	else if (!err)
		err = fault_user(part, &copy, gfn, write, seq);
	if (copy.obj)
		ovid_memobj_put(copy.obj);
	if (!err)
		vp->stats.page_faults++;
	return err;
}
