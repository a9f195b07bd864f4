// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second-level page tables: see tdp.h for the rules.
 *
 * INVEPT discipline.  A zap clears entries and raises flush_gen in one section
 * of tdp->lock, then every CPU that is in the guest is made to leave (it cannot
 * enter again without seeing the new generation, run.c: tlb_sync).  A CPU that is
 * not in the guest now compares generations at its next window.  Only then is
 * the memory behind the entries, or a table page, given back.  A zap that finds
 * nothing, since another one was first, waits for that one's flush as well.  New
 * entries in place of absent ones need no flush (SDM 3C: Invalidating Cached
 * Information).
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include "backend.h"
#include "partition.h"
#include "tdp.h"
#include "trace.h"
#include "vp.h"

#define ENTRIES		512
#define ADDR_MASK	GENMASK_ULL(51, 12)

static unsigned int entry_index(gfn_t gfn, unsigned int level)
{
	return (gfn >> (9 * (level - 1))) & (ENTRIES - 1);
}

static u64 pages_of(unsigned int level)
{
	return 1ull << (9 * (level - 1));
}

static bool is_present(u64 e)
{
	return e & ovid_backend->tdp.read;
}

static bool is_leaf(u64 e, unsigned int level)
{
	return level == 1 || (e & ovid_backend->tdp.leaf);
}

static u64 *table_of(u64 e)
{
	return __va(e & ADDR_MASK);
}

static u64 table_entry(const u64 *table)
{
	const struct ovid_tdp_format *f = &ovid_backend->tdp;

	return __pa(table) | f->read | f->write | f->exec;
}

static u64 leaf_entry(hpa_t hpa, unsigned int level, bool write, bool exec)
{
	const struct ovid_tdp_format *f = &ovid_backend->tdp;

	/* accessed: a fault is an access, and the CPU need not write the entry for it */
	return (hpa & ~((pages_of(level) << PAGE_SHIFT) - 1)) | f->read | f->memtype_wb |
	       f->accessed | (write ? f->write : 0) | (exec ? f->exec : 0) |
	       (level > 1 ? f->leaf : 0);
}

static void count_leaf(struct ovid_partition *part, unsigned int level, int n)
{
	struct ovid_part_stats *s = &part->stats;

	atomic64_add(n, level == 1 ? &s->pages_4k : level == 2 ? &s->pages_2m : &s->pages_1g);
}

/* the whole of the leaf counts, not only the page that was touched */
static bool invalidated(struct ovid_tdp *tdp, gfn_t gfn, unsigned int level, u64 seq)
{
	gfn_t lo = gfn & ~(pages_of(level) - 1);

	return tdp->seq != seq ||
	       (tdp->invalidating && lo + pages_of(level) > tdp->inv_start &&
		lo < tdp->inv_end);
}

/* one try under the lock; @table: a spare page, taken if used.  -ENOBUFS: needs one */
static int map_locked(struct ovid_partition *part, gfn_t gfn, unsigned int target,
		      u64 leaf_hpa, bool write, bool exec, u64 **table)
{
	u64 *t = part->tdp.root;
	unsigned int level;
	u64 *e, old;

	for (level = OVID_TDP_LEVELS; ; level--) {
		e = &t[entry_index(gfn, level)];
		old = *e;
		if (is_present(old) && is_leaf(old, level)) {
			/* another VP was first, or rights grow in place */
			WRITE_ONCE(*e, old | (write ? ovid_backend->tdp.write : 0) |
				   (exec ? ovid_backend->tdp.exec : 0));
			return 0;
		}
		if (level <= target && !is_present(old)) {
			WRITE_ONCE(*e, leaf_entry(leaf_hpa, level, write, exec));
			count_leaf(part, level, 1);
			return 0;
		}
		if (!is_present(old)) {
			if (!*table)
				return -ENOBUFS;
			WRITE_ONCE(*e, table_entry(*table));
			atomic64_inc(&part->stats.ept_pages);
			t = *table;
			*table = NULL;
			continue;
		}
		t = table_of(old);
	}
}

u64 ovid_tdp_seq(struct ovid_partition *part)
{
	u64 seq = READ_ONCE(part->tdp.seq);

	smp_rmb();	/* what is looked up after this is not older than @seq */
	return seq;
}

int ovid_tdp_map(struct ovid_partition *part, gfn_t gfn, unsigned int level,
		 hpa_t hpa, bool write, bool exec, u64 seq)
{
	struct ovid_tdp *tdp = &part->tdp;
	u64 *table = NULL;
	int err;

	/* four levels reach 48 bits */
	if (gfn >= OVID_TDP_PAGES)
		return -EFAULT;
	for (;;) {
		spin_lock(&tdp->lock);
		if (invalidated(tdp, gfn, level, seq))
			err = -EAGAIN;
		else
			err = map_locked(part, gfn, level, hpa, write, exec, &table);
		if (!err && write && !part->track.by_log)
			ovid_track_mark_locked(part, gfn);
		spin_unlock(&tdp->lock);
		if (err != -ENOBUFS)
			break;
		table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!table)
			return -ENOMEM;
	}
	free_page((unsigned long)table);
	if (!err)
		trace_gpa_map(part, gfn << PAGE_SHIFT, level, write, exec);
	return err;
}

/*
 * Clears what lies in [start, end) below @t.  Tables that are covered whole go
 * to @freed and stay readable until the flush.  Returns whether one is due.
 */
static bool zap_table(struct ovid_partition *part, u64 *t, unsigned int level,
		      gfn_t base, gfn_t start, gfn_t end, struct list_head *freed)
{
	u64 span = pages_of(level);
	bool any = false;
	unsigned int i;
	gfn_t lo, hi;
	u64 e;

	i = start > base ? entry_index(start, level) : 0;
	for (; i < ENTRIES; i++) {
		lo = base + i * span;
		hi = lo + span;
		if (lo >= end)
			break;
		e = t[i];
		if (!is_present(e))
			continue;
		if (is_leaf(e, level)) {
			/* a large leaf that is only partly in range goes whole: it
			 * is mapped again, smaller or not, at the next touch
			 */
			WRITE_ONCE(t[i], 0);
			count_leaf(part, level, -1);
			any = true;
			continue;
		}
		any |= zap_table(part, table_of(e), level - 1, lo, max(lo, start),
				 min(hi, end), freed);
		if (lo >= start && hi <= end) {
			WRITE_ONCE(t[i], 0);
			list_add(&virt_to_page(table_of(e))->lru, freed);
			atomic64_dec(&part->stats.ept_pages);
			any = true;
		}
	}
	return any;
}

static void free_tables(struct list_head *freed)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, freed, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

/*
 * The first gfn from @gfn on that has something below its entry of the second
 * level, or where the next entry of the root begins; @gfn itself if it has.
 */
static gfn_t skip_absent(const u64 *root, gfn_t gfn)
{
	unsigned int at = entry_index(gfn, OVID_TDP_LEVELS), i;
	gfn_t end = (at + 1) * pages_of(OVID_TDP_LEVELS);
	const u64 *t;

	if (!is_present(root[at])) {
		while (++at < ENTRIES && !is_present(root[at]))
			;
		return at * pages_of(OVID_TDP_LEVELS);
	}
	t = table_of(root[at]);
	i = entry_index(gfn, OVID_TDP_LEVELS - 1);
	if (is_present(t[i]))
		return gfn;
	while (++i < ENTRIES && !is_present(t[i]))
		;
	return end - (ENTRIES - i) * pages_of(OVID_TDP_LEVELS - 1);
}

static void left_guest(void *unused)
{
}

void ovid_part_kick_sync_vps(struct ovid_partition *part, const unsigned long *vps)
{
	struct ovid_tdp *tdp = &part->tdp;
	struct ovid_vp *vp;
	int i;

	smp_mb();	/* news first, then who is in the guest; pairs with the entry's */
	guard(spinlock)(&tdp->flush_lock);
	cpumask_clear(tdp->flush_mask);
	ovid_for_each_vp(part, vp, i)
		if ((!vps || test_bit(i, vps)) && READ_ONCE(vp->mode) == OVID_VP_IN_GUEST)
			cpumask_set_cpu(READ_ONCE(vp->cpu), tdp->flush_mask);
	smp_call_function_many(tdp->flush_mask, left_guest, NULL, true);
}

void ovid_part_kick_sync(struct ovid_partition *part)
{
	ovid_part_kick_sync_vps(part, NULL);
}

/* nothing to do where the flush that another one asked for has ended since */
void ovid_tdp_flush(struct ovid_partition *part)
{
	struct ovid_tdp *tdp = &part->tdp;
	u64 gen = atomic64_read(&tdp->flush_gen);

	/* pairs with the release below: what others did to end it has happened */
	if (smp_load_acquire(&tdp->flushed) >= gen)
		return;
	ovid_part_kick_sync(part);
	guard(spinlock)(&tdp->flush_lock);
	if (tdp->flushed < gen)
		smp_store_release(&tdp->flushed, gen);	/* pairs with the acquire above */
}

/* the page's own leaf, or NULL */
static u64 *find_leaf(struct ovid_tdp *tdp, gfn_t gfn)
{
	u64 *t = tdp->root, *e;
	unsigned int level;

	for (level = OVID_TDP_LEVELS; ; level--) {
		e = &t[entry_index(gfn, level)];
		if (!is_present(*e))
			return NULL;
		if (is_leaf(*e, level))
			return e;
		t = table_of(*e);
	}
}

void ovid_tdp_take_off(struct ovid_tdp *tdp, gfn_t gfn, u64 bit)
{
	u64 *e = find_leaf(tdp, gfn);

	lockdep_assert_held(&tdp->lock);
	if (!e || !(READ_ONCE(*e) & bit))
		return;
	/* the CPU sets bits here at the same time */
	clear_bit(__ffs64(bit), (unsigned long *)e);
	atomic64_inc(&tdp->flush_gen);
}

/* in steps, so that the lock (and a CPU) is not held for ever by a huge range */
#define ZAP_STEP	(1ull << 18)	/* 1 GiB */

void ovid_tdp_zap(struct ovid_partition *part, gfn_t start, gfn_t end, u32 flags)
{
	gfn_t at, next, last = min_t(gfn_t, end, OVID_TDP_PAGES);
	struct ovid_tdp *tdp = &part->tdp;
	LIST_HEAD(freed);
	bool any = false;

	for (at = start; at < last; at = next) {
		spin_lock(&tdp->lock);
		next = min(last, skip_absent(tdp->root, at));
		if (next == at) {
			next = min(last, (at | (ZAP_STEP - 1)) + 1);
			if (zap_table(part, tdp->root, OVID_TDP_LEVELS, 0, at, next, &freed)) {
				atomic64_inc(&tdp->flush_gen);
				any = true;
			}
		}
		spin_unlock(&tdp->lock);
		if (!(flags & OVID_ZAP_ATOMIC))
			cond_resched();
	}
	if (any) {
		atomic64_inc(&part->stats.zaps);
		trace_gpa_zap(part, start, end);
	}
	if ((flags & OVID_ZAP_FLUSH) && start < last)
		ovid_tdp_flush(part);
	free_tables(&freed);
}

/* @accessed: the bit that says so, or 0 and being there says it */
static bool age_leaf(u64 *e, u64 accessed, bool clear)
{
	if (!accessed)
		return true;
	if (!(READ_ONCE(*e) & accessed))
		return false;
	/* the CPU sets bits here at the same time */
	if (clear)
		clear_bit(__ffs64(accessed), (unsigned long *)e);
	return true;
}

static bool age_table(u64 accessed, u64 *t, unsigned int level, gfn_t base,
		      gfn_t start, gfn_t end, bool clear)
{
	u64 span = pages_of(level);
	bool young = false;
	unsigned int i;
	gfn_t lo;

	for (i = entry_index(start, level); i < ENTRIES; i++) {
		lo = base + i * span;
		if (lo >= end)
			break;
		if (!is_present(t[i]))
			continue;
		if (is_leaf(t[i], level))
			young |= age_leaf(&t[i], accessed, clear);
		else
			young |= age_table(accessed, table_of(t[i]), level - 1, lo, max(lo, start),
					   end, clear);
	}
	return young;
}

bool ovid_tdp_age(struct ovid_partition *part, gfn_t start, gfn_t end, enum ovid_age how)
{
	bool clear = how != OVID_AGE_TEST, young;
	struct ovid_tdp *tdp = &part->tdp;
	u64 accessed;

	spin_lock(&tdp->lock);
	accessed = tdp->accessed;
	young = age_table(accessed, tdp->root, OVID_TDP_LEVELS, 0, start, end, clear);
	/* a CPU that still has the translation would not set the bit again */
	if (young && how == OVID_AGE_FLUSH)
		atomic64_inc(&tdp->flush_gen);
	spin_unlock(&tdp->lock);
	if (!young || !clear)
		return young;
	atomic64_inc(&part->stats.aged);
	if (!accessed)
		ovid_tdp_zap(part, start, end, OVID_ZAP_FLUSH | OVID_ZAP_ATOMIC);
	else if (how == OVID_AGE_FLUSH)
		ovid_tdp_flush(part);
	return true;
}

void ovid_tdp_no_accessed(struct ovid_partition *part)
{
	scoped_guard(spinlock, &part->tdp.lock)
		part->tdp.accessed = 0;
	ovid_track_no_log(part);
}

void __ovid_tdp_invalidate_begin(struct ovid_tdp *tdp, gfn_t start, gfn_t end)
{
	lockdep_assert_held(&tdp->lock);
	if (!tdp->invalidating++) {
		tdp->inv_start = start;
		tdp->inv_end = end;
	} else {
		tdp->inv_start = min(tdp->inv_start, start);
		tdp->inv_end = max(tdp->inv_end, end);
	}
}

void ovid_tdp_invalidate_begin(struct ovid_partition *part, gfn_t start, gfn_t end)
{
	spin_lock(&part->tdp.lock);
	__ovid_tdp_invalidate_begin(&part->tdp, start, end);
	spin_unlock(&part->tdp.lock);
	ovid_tdp_zap(part, start, end, OVID_ZAP_FLUSH);
}

void ovid_tdp_invalidate_end(struct ovid_partition *part)
{
	struct ovid_tdp *tdp = &part->tdp;

	spin_lock(&tdp->lock);
	/* one that concerns no guest memory makes no fault start over */
	if (tdp->inv_start < tdp->inv_end)
		tdp->seq++;
	if (!OVID_BUG_ON(!tdp->invalidating, part))
		tdp->invalidating--;
	spin_unlock(&tdp->lock);
}

int ovid_tdp_init(struct ovid_partition *part)
{
	struct ovid_tdp *tdp = &part->tdp;

	ovid_track_init(part);
	spin_lock_init(&tdp->lock);
	spin_lock_init(&tdp->flush_lock);
	/* above every CPU's 0: a root at a reused address is flushed at first use */
	atomic64_set(&tdp->flush_gen, 1);
	tdp->flushed = 1;
	tdp->accessed = ovid_backend->tdp.accessed;
	tdp->root = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	tdp->cpu_gen = kcalloc(nr_cpu_ids, sizeof(*tdp->cpu_gen), GFP_KERNEL_ACCOUNT);
	if (tdp->root && tdp->cpu_gen && zalloc_cpumask_var(&tdp->flush_mask, GFP_KERNEL))
		return 0;
	free_page((unsigned long)tdp->root);
	kfree(tdp->cpu_gen);
	return -ENOMEM;
}

void ovid_tdp_fini(struct ovid_partition *part)
{
	u64 *root = part->tdp.root;
	unsigned int i;

	ovid_tdp_zap(part, 0, OVID_TDP_PAGES, 0);
	/* no step of a zap covers what an entry of the root does: its tables stay */
	for (i = 0; i < ENTRIES; i++)
		if (is_present(root[i]))
			free_page((unsigned long)table_of(root[i]));
	free_page((unsigned long)root);
	kfree(part->tdp.cpu_gen);
	free_cpumask_var(part->tdp.flush_mask);
	ovid_track_fini(part);
}
