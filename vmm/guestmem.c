// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies from and to guest memory, and compare-and-swap in it.  Objects are reached
 * through the direct map under RCU, user memory through the worker's own page
 * tables.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include "backend.h"
#include "gva.h"
#include "guestmem.h"
#include "memobj.h"
#include "overlay.h"
#include "partition.h"
#include "region.h"
#include "vp.h"

/* what nobody has written yet reads as zero, and needs no page for that */
static void copy_obj(const struct ovid_region *r, u64 index, unsigned int off, void *buf,
		     size_t len)
{
	struct page *page;

	guard(rcu)();
	page = ovid_memobj_peek(r->obj, index);
	if (page)
		memcpy(buf, page_address(page) + off, len);
	else
		memset(buf, 0, len);
}

static int copy_user(struct ovid_partition *part, u64 addr, void *buf, size_t len,
		     bool atomic)
{
	void __user *user = (void __user *)addr;
	unsigned long left;

	if (current->mm != part->mm || !access_ok(user, len))
		return -EFAULT;
	if (atomic) {
		pagefault_disable();
		left = __copy_from_user_inatomic(buf, user, len);
		pagefault_enable();
	} else {
		left = copy_from_user(buf, user, len);
	}
	return left ? -EFAULT : 0;
}

/* one piece inside a page: 0 from an object now, 1 where user memory is to be copied */
static int copy_piece(struct ovid_partition *part, const struct ovid_regions *map, gpa_t gpa,
		      void *buf, size_t len, u64 *user)
{
	const struct ovid_overlay *ov = ovid_overlay_find(part, gpa >> PAGE_SHIFT);
	const struct ovid_region *r;
	u64 pages;

	if (unlikely(ov)) {
		memcpy(buf, ovid_overlay_data(ov) + offset_in_page(gpa), len);
		return 0;
	}
	r = ovid_region_find(map, gpa >> PAGE_SHIFT);
	if (!r)
		return -EFAULT;
	pages = (gpa >> PAGE_SHIFT) - r->gfn;
	if (r->obj) {
		copy_obj(r, r->source + pages, offset_in_page(gpa), buf, len);
		return 0;
	}
	*user = r->source + (pages << PAGE_SHIFT) + offset_in_page(gpa);
	return 1;
}

/*
 * User memory may sleep as long as the worker likes (userfaultfd, FUSE), so it
 * is copied after the reader's lock was dropped.
 */
static int copy(struct ovid_partition *part, gpa_t gpa, void *buf, size_t len, bool atomic)
{
	u64 user;
	size_t n;
	int err, idx;

	if (gpa + len < gpa)
		return -EFAULT;
	for (; len; len -= n, gpa += n, buf += n) {
		n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		if (atomic) {
			/* interrupts off is a read side of RCU */
			err = copy_piece(part, rcu_dereference_raw(part->regions), gpa, buf, n,
					 &user);
		} else {
			idx = srcu_read_lock(part->srcu);
			err = copy_piece(part, srcu_dereference(part->regions, part->srcu),
					 gpa, buf, n, &user);
			srcu_read_unlock(part->srcu, idx);
		}
		if (err > 0)
			err = copy_user(part, user, buf, n, atomic);
		if (err)
			return err;
	}
	return 0;
}

int ovid_guest_read(struct ovid_partition *part, gpa_t gpa, void *buf, size_t len)
{
	return copy(part, gpa, buf, len, false);
}

int ovid_guest_read_atomic(struct ovid_partition *part, gpa_t gpa, void *buf, size_t len)
{
	return copy(part, gpa, buf, len, true);
}

/* a discard that comes between has come after */
static int store_obj(const struct ovid_region *r, u64 index, unsigned int off,
		     const void *buf, size_t len)
{
	struct page *page;
	unsigned int level;

	page = ovid_memobj_page(r->obj, index, &level);
	if (!page)
		return -EFAULT;
	guard(rcu)();
	page = ovid_memobj_peek(r->obj, index);
	if (page)
		memcpy(page_address(page) + off, buf, len);
	return 0;
}

/* what may be written at @gpa, with a reference to its object: 0 or -EFAULT */
static int find_writable(struct ovid_partition *part, gpa_t gpa, struct ovid_region *copy)
{
	const struct ovid_region *r;
	int idx = srcu_read_lock(part->srcu), err = -EFAULT;

	r = ovid_region_find(srcu_dereference(part->regions, part->srcu), gpa >> PAGE_SHIFT);
	if (r && r->flags & OVID_MAP_WRITE) {
		*copy = *r;
		if (r->obj)
			ovid_memobj_get(r->obj);
		err = 0;
	}
	srcu_read_unlock(part->srcu, idx);
	return err;
}

/* one piece inside a page; no reader's lock is held while pages are allocated or faulted in */
static int store_piece(struct ovid_partition *part, gpa_t gpa, const void *buf, size_t len)
{
	const struct ovid_overlay *ov = ovid_overlay_find(part, gpa >> PAGE_SHIFT);
	unsigned int off = offset_in_page(gpa);
	struct ovid_region r;
	u64 pages;
	int err;

	if (ov) {
		if (!ov->write)
			return -EFAULT;
		memcpy(ovid_overlay_data(ov) + off, buf, len);
		return 0;
	}
	err = ovid_track_reserve(part, gpa >> PAGE_SHIFT) ?: find_writable(part, gpa, &r);
	if (err)
		return err;
	pages = (gpa >> PAGE_SHIFT) - r.gfn;
	if (r.obj) {
		err = store_obj(&r, r.source + pages, off, buf, len);
		ovid_memobj_put(r.obj);
	} else if (current->mm != part->mm ||
		   copy_to_user((void __user *)r.source + (pages << PAGE_SHIFT) + off, buf, len)) {
		err = -EFAULT;
	}
	if (!err)
		ovid_track_mark(part, gpa >> PAGE_SHIFT);
	return err;
}

int ovid_guest_write(struct ovid_partition *part, gpa_t gpa, const void *buf, size_t len)
{
	size_t n;
	int err;

	if (gpa + len < gpa)
		return -EFAULT;
	for (; len; len -= n, gpa += n, buf += n) {
		n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		err = store_piece(part, gpa, buf, n);
		if (err)
			return err;
	}
	return 0;
}

static int cmpxchg_at(void *p, u64 old, u64 new, size_t size)
{
	if (size == 8)
		return cmpxchg((u64 *)p, old, new) == old ? 0 : -EAGAIN;
	return cmpxchg((u32 *)p, (u32)old, (u32)new) == (u32)old ? 0 : -EAGAIN;
}

/* through the worker's own mapping, so that its page becomes dirty like by a store of it */
static int cmpxchg_user(struct ovid_partition *part, u64 addr, u64 old, u64 new, size_t size)
{
	u32 old32 = old;
	int err;

	if (current->mm != part->mm || !access_ok((void __user *)addr, size))
		return -EFAULT;
	if (size == 8)
		err = __try_cmpxchg_user((u64 __user *)addr, &old, new, done64);
	else
		err = __try_cmpxchg_user((u32 __user *)addr, &old32, (u32)new, done32);
	return err > 0 ? -EAGAIN : err;
}

static int cmpxchg_obj(const struct ovid_region *r, u64 index, unsigned int off, u64 old,
		       u64 new, size_t size)
{
	struct page *page;

	guard(rcu)();
	page = ovid_memobj_peek(r->obj, index);
	return page ? cmpxchg_at(page_address(page) + off, old, new, size) : -EFAULT;
}

int ovid_guest_cmpxchg(struct ovid_partition *part, gpa_t gpa, u64 old, u64 new, size_t size)
{
	const struct ovid_overlay *ov = ovid_overlay_find(part, gpa >> PAGE_SHIFT);
	const struct ovid_region *r;
	int idx, err = -EFAULT;
	u64 pages, user = 0;

	if ((size != 4 && size != 8) || (gpa & (size - 1)) ||
	    ovid_track_reserve(part, gpa >> PAGE_SHIFT))
		return -EFAULT;
	if (ov)
		return ov->write ? cmpxchg_at(ovid_overlay_data(ov) + offset_in_page(gpa), old,
					      new, size) : -EFAULT;
	idx = srcu_read_lock(part->srcu);
	r = ovid_region_find(srcu_dereference(part->regions, part->srcu), gpa >> PAGE_SHIFT);
	if (r && (r->flags & OVID_MAP_WRITE)) {
		pages = (gpa >> PAGE_SHIFT) - r->gfn;
		if (r->obj)
			err = cmpxchg_obj(r, r->source + pages, offset_in_page(gpa), old, new,
					  size);
		else
			user = r->source + (pages << PAGE_SHIFT) + offset_in_page(gpa);
	}
	srcu_read_unlock(part->srcu, idx);
	if (user)
		err = cmpxchg_user(part, user, old, new, size);
	if (!err)
		ovid_track_mark(part, gpa >> PAGE_SHIFT);
	return err;
}

static int walk_read(void *ctx, gpa_t gpa, void *buf, size_t size)
{
	return ovid_guest_read(ctx, gpa, buf, size);
}

static int walk_read_atomic(void *ctx, gpa_t gpa, void *buf, size_t size)
{
	return ovid_guest_read_atomic(ctx, gpa, buf, size);
}

size_t ovid_guest_fetch(struct ovid_partition *part, struct ovid_view *view, void *buf,
			size_t len, bool atomic)
{
	u32 access = OVID_GVA_EXEC | (view->cpl == 3 ? OVID_GVA_USER : 0);
	size_t done, n;
	gva_t gva;
	gpa_t gpa;

	view->paging.read = atomic ? walk_read_atomic : walk_read;
	view->paging.ctx = part;
	for (done = 0; done < len; done += n) {
		gva = view->rip + done;
		if (view->bits != OVID_64BIT)
			gva = (u32)gva;
		n = min_t(size_t, len - done, PAGE_SIZE - offset_in_page(gva));
		if (ovid_gva_translate(&view->paging, gva, access, &gpa) != OVID_GVA_OK)
			break;
		if (atomic ? ovid_guest_read_atomic(part, gpa, buf + done, n) :
			     ovid_guest_read(part, gpa, buf + done, n))
			break;
	}
	return done;
}
