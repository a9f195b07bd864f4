// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory objects.
 *
 * A slot stands for 2 MiB: empty, one folio of that order (HUGE tag), or a table of
 * 512 pages.  Slots and table entries are filled by cmpxchg and read under
 * RCU; they are emptied by discard only, which excludes page faults of the
 * worker by the inode's invalidate_lock.
 *
 * Locks: invalidate_lock (fault: shared, discard: exclusive) -> users_lock.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include "memobj.h"
#include "partition.h"
#include "region.h"

#define SLOT_PAGES	512
#define HUGE		1ul

struct memobj_user {
	struct list_head node;
	struct ovid_partition *part;
	unsigned int count;
};

struct ovid_memobj {
	struct file *file;
	u64 nr_pages;
	u64 nr_slots;
	bool huge;
	struct mutex users_lock;	/* @users */
	struct list_head users;
	unsigned long slots[];	/* 0, folio | HUGE, or struct page ** */
};

#define MEMOBJ_GFP	(GFP_KERNEL_ACCOUNT | __GFP_ZERO)

static struct page *slot_page(unsigned long slot, unsigned int i)
{
	if (slot & HUGE)
		return folio_page((struct folio *)(slot & ~HUGE), i);
	return READ_ONCE(((struct page **)slot)[i]);
}

struct page *ovid_memobj_peek(struct ovid_memobj *obj, u64 index)
{
	unsigned long slot;

	if (index >= obj->nr_pages)
		return NULL;
	slot = READ_ONCE(obj->slots[index / SLOT_PAGES]);
	return slot ? slot_page(slot, index % SLOT_PAGES) : NULL;
}

/* the string instruction of clear_page(), which starts anew for each 4 KiB, once */
static void clear_64k(void *at)
{
	unsigned long n = SZ_64K;

	if (boot_cpu_has(X86_FEATURE_ERMS)) {
		asm volatile("rep stosb" : "+D" (at), "+c" (n) : "a" (0) : "memory");
	} else {
		n /= 8;
		asm volatile("rep stosq" : "+D" (at), "+c" (n) : "a" (0) : "memory");
	}
}

/*
 * A zeroed folio of 2 MiB, or NULL.  Cleared here: the allocator's own way costs
 * two hundred instructions a page beside the clearing, and does not give way.
 */
static struct folio *huge_alloc(void)
{
	struct folio *folio = folio_alloc(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_NORETRY,
					  PMD_SHIFT - PAGE_SHIFT);
	char *at, *end;

	if (!folio)
		return NULL;
	at = folio_address(folio);
	for (end = at + PMD_SIZE; at < end; at += SZ_64K) {
		clear_64k(at);
		cond_resched();
	}
	return folio;
}

/* fills an empty slot; someone else may be first */
static unsigned long slot_fill(struct ovid_memobj *obj, u64 n)
{
	struct folio *folio = NULL;
	unsigned long new, old = 0;
	struct page **table;

	if (obj->huge && (n + 1) * SLOT_PAGES <= obj->nr_pages)
		folio = huge_alloc();
	if (folio) {
		new = (unsigned long)folio | HUGE;
	} else {
		table = kcalloc(SLOT_PAGES, sizeof(*table), GFP_KERNEL_ACCOUNT);
		if (!table)
			return 0;
		new = (unsigned long)table;
	}
	if (try_cmpxchg(&obj->slots[n], &old, new))
		return new;
	if (folio)
		folio_put(folio);
	else
		kfree(table);
	return old;
}

struct page *ovid_memobj_page(struct ovid_memobj *obj, u64 index, unsigned int *level)
{
	struct page *page, *old = NULL, **entry;
	unsigned long slot;

	*level = 1;
	if (index >= obj->nr_pages)
		return NULL;
	slot = READ_ONCE(obj->slots[index / SLOT_PAGES]);
	if (!slot)
		slot = slot_fill(obj, index / SLOT_PAGES);
	if (!slot)
		return NULL;
	if (slot & HUGE) {
		*level = 2;
		return slot_page(slot, index % SLOT_PAGES);
	}
	entry = &((struct page **)slot)[index % SLOT_PAGES];
	page = READ_ONCE(*entry);
	if (page)
		return page;
	page = alloc_page(MEMOBJ_GFP);
	if (!page)
		return NULL;
	if (try_cmpxchg(entry, &old, page))
		return page;
	__free_page(page);
	return old;
}

/* ---- discard ---- */

/* table slots stay, so that a racing ovid_memobj_page() never loses its table */
static void slot_discard(struct ovid_memobj *obj, u64 n, unsigned int from, unsigned int to,
			 struct list_head *freed)
{
	unsigned long slot = READ_ONCE(obj->slots[n]);
	struct page *page;
	unsigned int i;

	if (!slot)
		return;
	if ((slot & HUGE) && from == 0 && to == SLOT_PAGES) {
		WRITE_ONCE(obj->slots[n], 0);
		list_add(&((struct folio *)(slot & ~HUGE))->lru, freed);
		return;
	}
	for (i = from; i < to; i++) {
		if (slot & HUGE) {
			clear_highpage(slot_page(slot, i));
			continue;
		}
		page = xchg(&((struct page **)slot)[i], NULL);
		if (page)
			list_add(&page->lru, freed);
	}
}

static void put_pages_after_grace(struct list_head *freed)
{
	struct page *page, *next;
	unsigned int n = 0;

	if (list_empty(freed))
		return;
	synchronize_rcu();
	list_for_each_entry_safe(page, next, freed, lru) {
		list_del(&page->lru);
		put_page(page);
		if (!(++n & 1023))
			cond_resched();
	}
}

int ovid_memobj_discard(struct ovid_memobj *obj, u64 first, u64 nr)
{
	struct address_space *mapping = obj->file->f_mapping;
	u64 end = first + nr, at, next;
	struct memobj_user *u;
	LIST_HEAD(freed);

	if (end < first || end > obj->nr_pages)
		return -EINVAL;
	filemap_invalidate_lock(mapping);
	mutex_lock(&obj->users_lock);
	list_for_each_entry(u, &obj->users, node)
		ovid_region_obj_invalidate(u->part, obj, first, end, true);
	unmap_mapping_range(mapping, first << PAGE_SHIFT, nr << PAGE_SHIFT, 1);
	for (at = first; at < end; at = next) {
		next = min(end, (at / SLOT_PAGES + 1) * SLOT_PAGES);
		slot_discard(obj, at / SLOT_PAGES, at % SLOT_PAGES,
			     at % SLOT_PAGES + (next - at), &freed);
		cond_resched();
	}
	list_for_each_entry(u, &obj->users, node)
		ovid_region_obj_invalidate(u->part, obj, first, end, false);
	mutex_unlock(&obj->users_lock);
	put_pages_after_grace(&freed);
	filemap_invalidate_unlock(mapping);
	return 0;
}

/* ---- who maps it ---- */

static struct memobj_user *user_find(struct ovid_memobj *obj, struct ovid_partition *part)
{
	struct memobj_user *u;

	list_for_each_entry(u, &obj->users, node)
		if (u->part == part)
			return u;
	return NULL;
}

int ovid_memobj_user_add(struct ovid_memobj *obj, struct ovid_partition *part)
{
	struct memobj_user *u;

	guard(mutex)(&obj->users_lock);
	u = user_find(obj, part);
	if (!u) {
		u = kzalloc(sizeof(*u), GFP_KERNEL_ACCOUNT);
		if (!u)
			return -ENOMEM;
		u->part = part;
		list_add(&u->node, &obj->users);
	}
	u->count++;
	return 0;
}

void ovid_memobj_user_del(struct ovid_memobj *obj, struct ovid_partition *part)
{
	struct memobj_user *u;

	guard(mutex)(&obj->users_lock);
	u = user_find(obj, part);
	if (u && !--u->count) {
		list_del(&u->node);
		kfree(u);
	}
}

/* ---- the file ---- */

static vm_fault_t memobj_fault(struct vm_fault *vmf)
{
	struct ovid_memobj *obj = vmf->vma->vm_file->private_data;
	struct address_space *mapping = obj->file->f_mapping;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	unsigned int level;
	struct page *page;

	if (vmf->pgoff >= obj->nr_pages)
		return VM_FAULT_SIGBUS;
	filemap_invalidate_lock_shared(mapping);
	page = ovid_memobj_page(obj, vmf->pgoff, &level);
	if (page) {
		get_page(page);
		vmf->page = page;
		ret = 0;
	} else {
		ret = VM_FAULT_OOM;
	}
	filemap_invalidate_unlock_shared(mapping);
	return ret;
}

static const struct vm_operations_struct memobj_vm_ops = {
	.fault = memobj_fault,
};

static int memobj_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ovid_memobj *obj = file->private_data;

	if (!(vma->vm_flags & VM_SHARED) ||
	    vma->vm_pgoff + vma_pages(vma) < vma->vm_pgoff ||
	    vma->vm_pgoff + vma_pages(vma) > obj->nr_pages)
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND);
	vma->vm_ops = &memobj_vm_ops;
	return 0;
}

static void slot_free(unsigned long slot)
{
	struct page **table = (struct page **)slot;
	unsigned int i;

	if (slot & HUGE) {
		folio_put((struct folio *)(slot & ~HUGE));
		return;
	}
	for (i = 0; i < SLOT_PAGES; i++)
		if (table[i])
			put_page(table[i]);
	kfree(table);
}

/* last close: no region and no mapping is left, and so no reader */
static int memobj_release(struct inode *inode, struct file *file)
{
	struct ovid_memobj *obj = file->private_data;
	u64 n;

	for (n = 0; n < obj->nr_slots; n++) {
		if (obj->slots[n])
			slot_free(obj->slots[n]);
		if (obj->slots[n] || !(n & 1023))
			cond_resched();
	}
	kvfree(obj);
	return 0;
}

static const struct file_operations memobj_fops = {
	.owner = THIS_MODULE,
	.mmap = memobj_mmap,
	.release = memobj_release,
	.llseek = noop_llseek,
};

int ovid_memobj_create(const struct ovid_create_memory *arg)
{
	struct ovid_memobj *obj;
	u64 slots;
	int fd;

	if ((arg->flags & ~OVID_MEM_HUGE) || !arg->bytes || (arg->bytes & ~PAGE_MASK) ||
	    arg->bytes >> 46)
		return -EINVAL;
	slots = DIV_ROUND_UP_ULL(arg->bytes >> PAGE_SHIFT, SLOT_PAGES);
	obj = kvzalloc(struct_size(obj, slots, slots), GFP_KERNEL_ACCOUNT);
	if (!obj)
		return -ENOMEM;
	obj->nr_pages = arg->bytes >> PAGE_SHIFT;
	obj->nr_slots = slots;
	obj->huge = arg->flags & OVID_MEM_HUGE;
	mutex_init(&obj->users_lock);
	INIT_LIST_HEAD(&obj->users);

	/* an inode of its own: unmap_mapping_range() must reach no one else's */
	obj->file = anon_inode_create_getfile("[ovid-memory]", &memobj_fops, obj,
					      O_RDWR, NULL);
	if (IS_ERR(obj->file)) {
		fd = PTR_ERR(obj->file);
		kvfree(obj);
		return fd;
	}
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		fput(obj->file);
		return fd;
	}
	fd_install(fd, obj->file);
	return fd;
}

struct ovid_memobj *ovid_memobj_get_fd(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (file->f_op != &memobj_fops) {
		fput(file);
		return ERR_PTR(-EBADF);
	}
	return file->private_data;
}

struct ovid_memobj *ovid_memobj_get(struct ovid_memobj *obj)
{
	get_file(obj->file);
	return obj;
}

void ovid_memobj_put(struct ovid_memobj *obj)
{
	fput(obj->file);
}

u64 ovid_memobj_pages(const struct ovid_memobj *obj)
{
	return obj->nr_pages;
}
