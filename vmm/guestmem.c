// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies to and from guest memory.  Objects are reached through the direct
 * map under RCU, user memory through the worker's own page tables.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include "backend.h"
#include "gva.h"
#include "guestmem.h"
#include "memobj.h"
#include "partition.h"
#include "region.h"
#include "vp.h"

enum access { READ_MEM, WRITE_MEM, READ_ATOMIC };

static int copy_obj(const struct ovid_region *r, u64 index, unsigned int off, void *buf,
		    size_t len, enum access how)
{
	unsigned int level;
	struct page *page;

	for (;;) {
		rcu_read_lock();
		page = ovid_memobj_peek(r->obj, index);
		if (page)
			break;
		rcu_read_unlock();
		/* what nobody has written yet reads as zero, and needs no page for that */
		if (how != WRITE_MEM) {
			memset(buf, 0, len);
			return 0;
		}
		if (!ovid_memobj_page(r->obj, index, &level))
			return -EFAULT;
	}
	if (how == WRITE_MEM)
		memcpy(page_address(page) + off, buf, len);
	else
		memcpy(buf, page_address(page) + off, len);
	rcu_read_unlock();
	return 0;
}

static int copy_user(struct ovid_partition *part, u64 addr, void *buf, size_t len,
		     enum access how)
{
	void __user *user = (void __user *)addr;
	unsigned long left;

	if (current->mm != part->mm || !access_ok(user, len))
		return -EFAULT;
	if (how == READ_ATOMIC) {
		pagefault_disable();
		left = __copy_from_user_inatomic(buf, user, len);
		pagefault_enable();
	} else if (how == READ_MEM) {
		left = copy_from_user(buf, user, len);
	} else {
		left = copy_to_user(user, buf, len);
	}
	return left ? -EFAULT : 0;
}

/* one piece inside a page: from an object now, or where user memory is to be copied */
static int copy_piece(const struct ovid_regions *map, gpa_t gpa, void *buf, size_t len,
		      enum access how, u64 *user)
{
	const struct ovid_region *r = ovid_region_find(map, gpa >> PAGE_SHIFT);
	u64 pages;

	*user = 0;
	if (!r || (how == WRITE_MEM && !(r->flags & OVID_MAP_WRITE)))
		return -EFAULT;
	pages = (gpa >> PAGE_SHIFT) - r->gfn;
	if (r->obj)
		return copy_obj(r, r->source + pages, offset_in_page(gpa), buf, len, how);
	*user = r->source + (pages << PAGE_SHIFT) + offset_in_page(gpa);
	return 0;
}

/*
 * User memory may sleep as long as the worker likes (userfaultfd, FUSE), so it
 * is copied after the reader's lock was dropped.
 */
static int copy(struct ovid_partition *part, gpa_t gpa, void *buf, size_t len,
		enum access how)
{
	u64 user;
	size_t n;
	int err, idx;

	if (gpa + len < gpa)
		return -EFAULT;
	for (; len; len -= n, gpa += n, buf += n) {
		n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		if (how == READ_ATOMIC) {
			/* interrupts off is a read side of RCU */
			err = copy_piece(rcu_dereference_raw(part->regions), gpa, buf, n, how,
					 &user);
		} else {
			idx = srcu_read_lock(part->srcu);
			err = copy_piece(srcu_dereference(part->regions, part->srcu), gpa,
					 buf, n, how, &user);
			srcu_read_unlock(part->srcu, idx);
		}
		if (!err && user)
			err = copy_user(part, user, buf, n, how);
		if (err)
			return err;
	}
	return 0;
}

int ovid_guest_read(struct ovid_partition *part, gpa_t gpa, void *buf, size_t len)
{
	return copy(part, gpa, buf, len, READ_MEM);
}

int ovid_guest_write(struct ovid_partition *part, gpa_t gpa, const void *buf, size_t len)
{
	return copy(part, gpa, (void *)buf, len, WRITE_MEM);
}

int ovid_guest_read_atomic(struct ovid_partition *part, gpa_t gpa, void *buf, size_t len)
{
	return copy(part, gpa, buf, len, READ_ATOMIC);
}

static int cmpxchg_at(void *p, u64 old, u64 new, size_t size)
{
	if (size == 8)
		return cmpxchg((u64 *)p, old, new) == old ? 0 : -EAGAIN;
	return cmpxchg((u32 *)p, (u32)old, (u32)new) == (u32)old ? 0 : -EAGAIN;
}

static int cmpxchg_user(struct ovid_partition *part, u64 addr, u64 old, u64 new, size_t size)
{
	struct page *page;
	int err;

	if (current->mm != part->mm ||
	    get_user_pages_unlocked(addr, 1, &page, FOLL_WRITE) != 1)
		return -EFAULT;
	err = cmpxchg_at(page_address(page) + offset_in_page(addr), old, new, size);
	set_page_dirty_lock(page);
	put_page(page);
	return err;
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
	const struct ovid_region *r;
	int idx, err = -EFAULT;
	u64 pages, user = 0;

	if ((size != 4 && size != 8) || (gpa & (size - 1)))
		return -EFAULT;
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
	return user ? cmpxchg_user(part, user, old, new, size) : err;
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
