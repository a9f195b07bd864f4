// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID: a partition's table, its replacement and overrides, and the answer
 * for one VP.  What a table may say is cpuid_rules.c's business.
 *
 * A table is immutable once published: writers hold part->lock and replace it
 * whole, readers are under RCU.  ovid_cpuid() is a hot path: a leaf is found
 * through an index by its number, and most need nothing more.
 */
#include <linux/bsearch.h>
#include <linux/cleanup.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/nospec.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "cpuid_rules.h"
#include "hv_feature.h"
#include "partition.h"
#include "tlfs.h"
#include "vp.h"

/* in ovid_cpuid_entry.flags, ours only */
#define ENTRY_DYNAMIC		BIT(31)	/* something follows the VP's state */
#define ENTRY_OVERRIDDEN	BIT(30)	/* look into the overrides too */
#define ENTRY_SPECIAL		(ENTRY_DYNAMIC | ENTRY_OVERRIDDEN)

#define INDEX_BANKS		4	/* leaf bits 31:30 */
#define INDEX_LEAVES		32

#define MAX_OVERRIDES		4096	/* 16 leaves for each of 240 VPs */
#define ALL_VPS			U32_MAX

/*
 * struct ovid_cpuid_table
 * @index:	a leaf's first entry, by bank and low bits; NULL: none
 * @last_basic:	highest basic leaf;  @last_extended: highest extended one
 * @clamp:	leaves beyond are answered with @last_basic
 */
struct ovid_cpuid_table {
	struct rcu_head rcu;
	const struct ovid_cpuid_entry *index[INDEX_BANKS][INDEX_LEAVES];
	u32 last_basic;
	u32 last_extended;
	bool clamp;
	u64 cr4, efer, xcr0, xss;
	u64 hv_privileges;
	u32 hv_features;
	unsigned int phys_bits;
	u32 count;
	struct ovid_cpuid_entry entries[];	/* sorted */
};

struct cpuid_override {
	struct hlist_node node;
	struct rcu_head rcu;
	u32 vp;			/* or ALL_VPS */
	u32 leaf;
	u32 subleaf;
	bool subleaf_specific;
	struct ovid_cpuid_regs val, mask;
};

/* ---- look-up ------------------------------------------------------------ */

static int entry_cmp(const void *a, const void *b)
{
	const struct ovid_cpuid_entry *x = a, *y = b;

	if (x->leaf != y->leaf)
		return x->leaf < y->leaf ? -1 : 1;
	if (x->subleaf != y->subleaf)
		return x->subleaf < y->subleaf ? -1 : 1;
	return 0;
}

static const struct ovid_cpuid_entry *find_subleaf(const struct ovid_cpuid_table *t,
						   const struct ovid_cpuid_entry *e,
						   u32 subleaf)
{
	const struct ovid_cpuid_entry *end = t->entries + t->count;
	u32 leaf = e->leaf;

	for (; e < end && e->leaf == leaf; e++)
		if (e->subleaf == subleaf)
			return e;
	return NULL;
}

/* leaves that have no place in the index: rare, so the list is walked */
static const struct ovid_cpuid_entry *find_other(const struct ovid_cpuid_table *t,
						 u32 leaf, u32 subleaf)
{
	const struct ovid_cpuid_entry key = { .leaf = leaf, .subleaf = subleaf };
	const struct ovid_cpuid_entry *e;

	e = bsearch(&key, t->entries, t->count, sizeof(key), entry_cmp);
	if (e || !subleaf)
		return e;
	/* subleaf does not count for a leaf without them */
	e = find_other(t, leaf, 0);
	return e && !(e->flags & OVID_CPUID_SUBLEAF) ? e : NULL;
}

static __always_inline const struct ovid_cpuid_entry *
find(const struct ovid_cpuid_table *t, u32 leaf, u32 subleaf)
{
	u32 low = leaf & GENMASK(29, 0);
	const struct ovid_cpuid_entry *e;

	if (unlikely(low >= INDEX_LEAVES))
		return find_other(t, leaf, subleaf);
	e = t->index[leaf >> 30][array_index_nospec(low, INDEX_LEAVES)];
	if (unlikely(!e))
		return NULL;
	if (likely(!(e->flags & OVID_CPUID_SUBLEAF)))
		return e;
	return find_subleaf(t, e, subleaf);
}

/* ---- what follows a VP's state ------------------------------------------ */

static void set_bit_to(u32 *reg, u32 bit, bool on)
{
	*reg = on ? *reg | bit : *reg & ~bit;
}

static void put_dynamic(struct ovid_vp *vp, u32 leaf, u32 subleaf, struct ovid_cpuid_regs *out)
{
	switch (leaf) {
	case 1:
		out->ebx = (out->ebx & GENMASK(23, 0)) | vp->apic.initial_id << 24;
		set_bit_to(&out->ecx, CPUID_1_ECX_OSXSAVE, vp->cr4 & X86_CR4_OSXSAVE);
		if (!ovid_lapic_enabled(&vp->apic))
			out->edx &= ~BIT(9);
		break;
	case 7:
		if (!subleaf)
			set_bit_to(&out->ecx, CPUID_7_ECX_OSPKE, vp->cr4 & X86_CR4_PKE);
		break;
	case 0xb:
	case 0x1f:
		out->edx = vp->apic.initial_id;
		break;
	case 0xd:
		if (subleaf == 0 && out->eax)
			out->ebx = ovid_xsave_size(vp->xcr0, false);
		else if (subleaf == 1 && out->eax & BIT(1))
			out->ebx = ovid_xsave_size(vp->xcr0 | vp->xss, true);
		break;
	case 0x80000007:
		/* a guest that can ask for an invariant TSC has none until it does */
		if (ovid_cpuid_hv_privileges(vp->part) & HV_PRIV_TSC_INVARIANT &&
		    !READ_ONCE(vp->part->hv.tsc_invariant))
			out->edx &= ~BIT(8);
		break;
	}
}

static bool is_dynamic(u32 leaf, u32 subleaf)
{
	switch (leaf) {
	case 1:
	case 0xb:
	case 0x1f:
	case 0x80000007:
		return true;
	case 7:
		return subleaf == 0;
	case 0xd:
		return subleaf < 2;
	default:
		return false;
	}
}

static struct hlist_head *bucket(struct ovid_cpuid_policy *policy, u32 vp, u32 leaf)
{
	return &policy->overrides[hash_32(vp * 31 + leaf, ilog2(OVID_CPUID_BUCKETS))];
}

static void merge(u32 *reg, u32 val, u32 mask)
{
	*reg = (*reg & ~mask) | (val & mask);
}

static void apply_overrides(struct ovid_cpuid_policy *policy, u32 vp, u32 leaf,
			    u32 subleaf, struct ovid_cpuid_regs *out)
{
	const struct cpuid_override *o;

	hlist_for_each_entry_rcu(o, bucket(policy, vp, leaf), node) {
		if (o->vp != vp || o->leaf != leaf ||
		    (o->subleaf_specific && o->subleaf != subleaf))
			continue;
		merge(&out->eax, o->val.eax, o->mask.eax);
		merge(&out->ebx, o->val.ebx, o->mask.ebx);
		merge(&out->ecx, o->val.ecx, o->mask.ecx);
		merge(&out->edx, o->val.edx, o->mask.edx);
	}
}

static void put_overrides(struct ovid_vp *vp, u32 leaf, u32 subleaf,
			  struct ovid_cpuid_regs *out)
{
	struct ovid_cpuid_policy *policy = &vp->part->cpuid;

	if (likely(!READ_ONCE(policy->nr_overrides)))
		return;
	apply_overrides(policy, ALL_VPS, leaf, subleaf, out);
	apply_overrides(policy, vp->index, leaf, subleaf, out);
}

static noinline void put_special(struct ovid_vp *vp, u32 leaf, u32 subleaf,
				 struct ovid_cpuid_regs *out)
{
	put_overrides(vp, leaf, subleaf, out);
	put_dynamic(vp, leaf, subleaf, out);
}

static __always_inline void take(const struct ovid_cpuid_entry *e, struct ovid_cpuid_regs *out)
{
	out->eax = e->eax;
	out->ebx = e->ebx;
	out->ecx = e->ecx;
	out->edx = e->edx;
}

static bool beyond(const struct ovid_cpuid_table *t, u32 leaf)
{
	switch (leaf >> 30) {
	case 0:
		return leaf > t->last_basic;
	case 1:			/* a hypervisor's: zeros */
		return false;
	case 2:
		return leaf > t->last_extended;
	default:
		return true;
	}
}

/* no entry of its own */
static noinline void answer_absent(struct ovid_vp *vp, const struct ovid_cpuid_table *t,
				   u32 leaf, u32 subleaf, struct ovid_cpuid_regs *out)
{
	const struct ovid_cpuid_entry *e;

	memset(out, 0, sizeof(*out));
	if (!beyond(t, leaf)) {
		if (leaf == 0xb || leaf == 0x1f)
			out->ecx = subleaf & 0xff;	/* behind the last level */
		put_dynamic(vp, leaf, subleaf, out);
	} else if (t->clamp) {
		e = find(t, t->last_basic, subleaf);
		if (e)
			take(e, out);
		put_dynamic(vp, t->last_basic, subleaf, out);
	}
	put_overrides(vp, leaf, subleaf, out);
}

void ovid_cpuid(struct ovid_vp *vp, u32 leaf, u32 subleaf, struct ovid_cpuid_regs *out)
{
	const struct ovid_cpuid_table *t;
	const struct ovid_cpuid_entry *e;

	rcu_read_lock();
	t = rcu_dereference(vp->part->cpuid.table);
	e = find(t, leaf, subleaf);
	if (likely(e)) {
		take(e, out);
		if (unlikely(READ_ONCE(e->flags) & ENTRY_SPECIAL))
			put_special(vp, leaf, subleaf, out);
	} else {
		answer_absent(vp, t, leaf, subleaf, out);
	}
	rcu_read_unlock();
}

/* ---- what follows from a table ------------------------------------------ */

static u32 table_reg(const struct ovid_cpuid_table *t, u32 leaf, u32 subleaf,
		     enum ovid_cpuid_reg reg)
{
	const struct ovid_cpuid_entry *e = find(t, leaf, subleaf);

	if (!e)
		return 0;
	switch (reg) {
	case OVID_EAX:
		return e->eax;
	case OVID_EBX:
		return e->ebx;
	case OVID_ECX:
		return e->ecx;
	default:
		return e->edx;
	}
}

static const struct {
	u64 cr4;
	u32 leaf;
	enum ovid_cpuid_reg reg;
	u8 bit;
} cr4_features[] = {
	{ X86_CR4_VME | X86_CR4_PVI, 1, OVID_EDX, 1 },
	{ X86_CR4_DE, 1, OVID_EDX, 2 },
	{ X86_CR4_PSE, 1, OVID_EDX, 3 },
	{ X86_CR4_TSD, 1, OVID_EDX, 4 },
	{ X86_CR4_PAE, 1, OVID_EDX, 6 },
	{ X86_CR4_MCE, 1, OVID_EDX, 7 },
	{ X86_CR4_PGE, 1, OVID_EDX, 13 },
	{ X86_CR4_OSFXSR, 1, OVID_EDX, 24 },
	{ X86_CR4_OSXMMEXCPT, 1, OVID_EDX, 25 },
	{ X86_CR4_PCIDE, 1, OVID_ECX, 17 },
	{ X86_CR4_OSXSAVE, 1, OVID_ECX, 26 },
	{ X86_CR4_FSGSBASE, 7, OVID_EBX, 0 },
	{ X86_CR4_SMEP, 7, OVID_EBX, 7 },
	{ X86_CR4_SMAP, 7, OVID_EBX, 20 },
	{ X86_CR4_UMIP, 7, OVID_ECX, 2 },
	{ X86_CR4_PKE, 7, OVID_ECX, 3 },
};

static u64 derive_cr4(const struct ovid_cpuid_table *t)
{
	u64 cr4 = X86_CR4_PCE;	/* there without any counter */
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cr4_features); i++)
		if (table_reg(t, cr4_features[i].leaf, 0, cr4_features[i].reg) &
		    BIT(cr4_features[i].bit))
			cr4 |= cr4_features[i].cr4;
	return cr4;
}

static u64 derive_efer(const struct ovid_cpuid_table *t)
{
	u32 edx = table_reg(t, 0x80000001, 0, OVID_EDX);

	return (edx & BIT(11) ? EFER_SCE : 0) | (edx & BIT(20) ? EFER_NX : 0) |
	       (edx & BIT(29) ? EFER_LME | EFER_LMA : 0);
}

static u64 table_pair(const struct ovid_cpuid_table *t, u32 subleaf,
		      enum ovid_cpuid_reg low, enum ovid_cpuid_reg high)
{
	return table_reg(t, 0xd, subleaf, low) | (u64)table_reg(t, 0xd, subleaf, high) << 32;
}

/* a hypervisor of another name has none of it */
static void derive_hv(struct ovid_cpuid_table *t)
{
	t->hv_privileges = 0;
	t->hv_features = 0;
	if (table_reg(t, 0x40000001, 0, OVID_EAX) != 0x31237648 /* "Hv#1" */)
		return;
	t->hv_privileges = table_reg(t, 0x40000003, 0, OVID_EAX) |
			   (u64)table_reg(t, 0x40000003, 0, OVID_EBX) << 32;
	t->hv_features = table_reg(t, 0x40000003, 0, OVID_EDX);
}

static void derive(struct ovid_cpuid_table *t)
{
	t->cr4 = derive_cr4(t);
	t->efer = derive_efer(t);
	t->xcr0 = table_pair(t, 0, OVID_EAX, OVID_EDX);
	t->xss = table_pair(t, 1, OVID_ECX, OVID_EDX);
	derive_hv(t);
	t->phys_bits = table_reg(t, 0x80000008, 0, OVID_EAX) & 0xff ?: 36;
	t->last_basic = table_reg(t, 0, 0, OVID_EAX);
	t->last_extended = table_reg(t, 0x80000000, 0, OVID_EAX);
	/* "GenuineIntel": others give zeros */
	t->clamp = table_reg(t, 0, 0, OVID_EBX) == 0x756e6547;
}

static bool has_override(struct ovid_cpuid_policy *policy, u32 leaf)
{
	const struct cpuid_override *o;
	unsigned int i;

	if (!policy->nr_overrides)
		return false;
	for (i = 0; i < OVID_CPUID_BUCKETS; i++)
		hlist_for_each_entry_rcu(o, &policy->overrides[i], node,
					 true /* part->lock, or not yet known */)
			if (o->leaf == leaf)
				return true;
	return false;
}

/* makes a filled, sorted table ready */
static void prepare(struct ovid_cpuid_policy *policy, struct ovid_cpuid_table *t)
{
	u32 i;

	for (i = 0; i < t->count; i++) {
		struct ovid_cpuid_entry *e = &t->entries[i];
		u32 low = e->leaf & GENMASK(29, 0);

		e->flags &= OVID_CPUID_SUBLEAF;
		if (is_dynamic(e->leaf, e->subleaf))
			e->flags |= ENTRY_DYNAMIC;
		if (has_override(policy, e->leaf))
			e->flags |= ENTRY_OVERRIDDEN;
		if (low < INDEX_LEAVES && !t->index[e->leaf >> 30][low])
			t->index[e->leaf >> 30][low] = e;
	}
	derive(t);
}

/* the entries are left for the caller to fill */
static struct ovid_cpuid_table *table_alloc(u32 count)
{
	struct ovid_cpuid_table *t;

	t = kmalloc(struct_size(t, entries, count), GFP_KERNEL_ACCOUNT);
	if (!t)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->count = count;
	return t;
}

static struct ovid_cpuid_table *writer_table(struct ovid_partition *part)
{
	return rcu_dereference_protected(part->cpuid.table, true);
}

static void publish(struct ovid_partition *part, struct ovid_cpuid_table *t)
{
	struct ovid_cpuid_table *old = writer_table(part);

	prepare(&part->cpuid, t);
	rcu_assign_pointer(part->cpuid.table, t);
	if (old)
		kfree_rcu(old, rcu);
}

int ovid_cpuid_init(struct ovid_partition *part)
{
	struct ovid_cpuid_table *t = table_alloc(OVID_CPUID_DEFAULT_MAX);
	unsigned int i;

	if (!t)
		return -ENOMEM;
	for (i = 0; i < OVID_CPUID_BUCKETS; i++)
		INIT_HLIST_HEAD(&part->cpuid.overrides[i]);
	part->cpuid.nr_overrides = 0;
	RCU_INIT_POINTER(part->cpuid.table, NULL);
	t->count = ovid_cpuid_default(part->x2apic_allowed, t->entries);
	publish(part, t);
	return 0;
}

/* the partition's last reference is gone: nobody looks any more */
void ovid_cpuid_fini(struct ovid_partition *part)
{
	struct cpuid_override *o;
	struct hlist_node *next;
	unsigned int i;

	for (i = 0; i < OVID_CPUID_BUCKETS; i++)
		hlist_for_each_entry_safe(o, next, &part->cpuid.overrides[i], node)
			kfree(o);
	kfree(writer_table(part));
	RCU_INIT_POINTER(part->cpuid.table, NULL);
}

/* ---- OVID_GET_CPUID, OVID_SET_CPUID ------------------------------------- */

int ovid_cpuid_get_table(struct ovid_partition *part, struct ovid_cpuid *arg)
{
	struct ovid_cpuid_entry *copy __free(kfree) = NULL;
	struct ovid_cpuid_table *t;
	u32 room = arg->count, i;

	if (arg->flags || arg->pad)
		return -EINVAL;
	copy = kcalloc(OVID_MAX_CPUID, sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	scoped_guard(rcu) {
		t = rcu_dereference(part->cpuid.table);
		arg->count = min_t(u32, t->count, OVID_MAX_CPUID);
		memcpy(copy, t->entries, arg->count * sizeof(*copy));
	}
	if (room < arg->count)
		return -E2BIG;
	for (i = 0; i < arg->count; i++)
		copy[i].flags &= OVID_CPUID_SUBLEAF;
	if (copy_to_user(u64_to_user_ptr(arg->entries), copy, arg->count * sizeof(*copy)))
		return -EFAULT;
	return 0;
}

/* run-time bits a caller may have copied from a running CPU */
static void strip_dynamic(struct ovid_cpuid_entry *e)
{
	if (e->leaf == 1)
		e->ecx &= ~CPUID_1_ECX_OSXSAVE;
	if (e->leaf == 7 && !e->subleaf)
		e->ecx &= ~CPUID_7_ECX_OSPKE;
}

static int check_entry(struct ovid_partition *part, struct ovid_cpuid_entry *e)
{
	if (e->pad || e->flags & ~OVID_CPUID_SUBLEAF)
		return -EINVAL;
	if (!(e->flags & OVID_CPUID_SUBLEAF) && e->subleaf)
		return -EINVAL;
	strip_dynamic(e);
	return ovid_cpuid_check(part->x2apic_allowed, e);
}

/* @t is sorted: the same leaf twice is fine with different subleaves only */
static int check_duplicates(const struct ovid_cpuid_table *t)
{
	u32 i;

	for (i = 1; i < t->count; i++) {
		const struct ovid_cpuid_entry *a = &t->entries[i - 1], *b = a + 1;

		if (a->leaf != b->leaf)
			continue;
		if (a->subleaf == b->subleaf || !(a->flags & b->flags & OVID_CPUID_SUBLEAF))
			return -EINVAL;
	}
	return 0;
}

int ovid_cpuid_set_table(struct ovid_partition *part, const struct ovid_cpuid *arg)
{
	struct ovid_cpuid_table *t __free(kfree) = NULL;
	u32 i;
	int ret;

	lockdep_assert_held(&part->lock);
	if (READ_ONCE(part->has_run))
		return -EBUSY;
	if (arg->flags || arg->pad || !arg->count || arg->count > OVID_MAX_CPUID)
		return -EINVAL;
	t = table_alloc(arg->count);
	if (!t)
		return -ENOMEM;
	if (copy_from_user(t->entries, u64_to_user_ptr(arg->entries),
			   t->count * sizeof(t->entries[0])))
		return -EFAULT;
	for (i = 0; i < t->count; i++) {
		ret = check_entry(part, &t->entries[i]);
		if (ret)
			return ret;
	}
	sort(t->entries, t->count, sizeof(t->entries[0]), entry_cmp, NULL);
	ret = check_duplicates(t);
	if (ret)
		return ret;
	if (t->entries[0].leaf)
		return -EINVAL;
	publish(part, no_free_ptr(t));
	return 0;
}

/* to be changed and published */
static struct ovid_cpuid_table *table_copy(const struct ovid_cpuid_table *old)
{
	struct ovid_cpuid_table *t;

	t = kmemdup(old, struct_size(old, entries, old->count), GFP_KERNEL_ACCOUNT);
	if (t)
		memset(t->index, 0, sizeof(t->index));
	return t;
}

int ovid_cpuid_set_clock(struct ovid_partition *part)
{
	struct ovid_cpuid_table *t = table_copy(writer_table(part));
	u32 i;

	lockdep_assert_held(&part->lock);
	if (!t)
		return -ENOMEM;
	for (i = 0; i < t->count; i++)
		ovid_cpuid_clock(&t->entries[i], part->tsc_khz);
	publish(part, t);
	return 0;
}

int ovid_cpuid_set_synthetic(struct ovid_partition *part, u64 features)
{
	struct ovid_cpuid_table *t = table_copy(writer_table(part));
	u32 i;

	if (!t)
		return -ENOMEM;
	for (i = 0; i < t->count; i++) {
		struct ovid_cpuid_entry *e = &t->entries[i];

		if (ovid_hv_leaf(e->leaf))
			ovid_hv_cut(e, features);
		else if (e->leaf >= OVID_HV_STACK_FIRST && e->leaf <= OVID_HV_STACK_LAST)
			*e = (struct ovid_cpuid_entry) { .leaf = e->leaf };
	}
	publish(part, t);
	return 0;
}

int ovid_cpuid_clear(struct ovid_partition *part, u32 leaf, u32 subleaf,
		     enum ovid_cpuid_reg reg, u32 mask)
{
	struct ovid_cpuid_table *old = writer_table(part), *t;
	u32 i;

	if (!(table_reg(old, leaf, subleaf, reg) & mask))
		return 0;
	t = table_copy(old);
	if (!t)
		return -ENOMEM;
	for (i = 0; i < t->count; i++) {
		struct ovid_cpuid_entry *e = &t->entries[i];
		u32 *regs[] = { &e->eax, &e->ebx, &e->ecx, &e->edx };

		if (e->leaf == leaf && (e->subleaf == subleaf ||
					!(e->flags & OVID_CPUID_SUBLEAF)))
			*regs[reg] &= ~mask;
	}
	publish(part, t);
	return 0;
}

/* ---- overrides ---------------------------------------------------------- */

static bool same_place(const struct cpuid_override *a, const struct cpuid_override *b)
{
	return a->vp == b->vp && a->leaf == b->leaf &&
	       a->subleaf_specific == b->subleaf_specific &&
	       (!a->subleaf_specific || a->subleaf == b->subleaf);
}

static struct cpuid_override *find_override(struct ovid_cpuid_policy *policy,
					    const struct cpuid_override *like)
{
	struct cpuid_override *o;

	hlist_for_each_entry(o, bucket(policy, like->vp, like->leaf), node)
		if (same_place(o, like))
			return o;
	return NULL;
}

/* what may be forced on for @o's leaf; in each subleaf, if it is for all */
static u32 override_limit(struct ovid_partition *part, const struct cpuid_override *o,
			  enum ovid_cpuid_reg reg)
{
	u32 limit = ovid_cpuid_limit(part->x2apic_allowed, o->leaf, o->subleaf, reg);
	u32 i;

	/* what there is of the hypervisor follows from the table alone */
	if (ovid_hv_leaf(o->leaf))
		return 0;

	if (!o->subleaf_specific && (o->leaf == 7 || o->leaf == 0xd))
		for (i = 0; i <= 2; i++)
			limit &= ovid_cpuid_limit(part->x2apic_allowed, o->leaf, i, reg);
	return limit;
}

/* bits that a table could not have are left as the table has them */
static void cut_override(struct ovid_partition *part, struct cpuid_override *o)
{
	u32 *val[] = { &o->val.eax, &o->val.ebx, &o->val.ecx, &o->val.edx };
	u32 *mask[] = { &o->mask.eax, &o->mask.ebx, &o->mask.ecx, &o->mask.edx };
	unsigned int r;

	for (r = 0; r < ARRAY_SIZE(val); r++)
		*mask[r] &= ~(*val[r] & ~override_limit(part, o, r));
}

static void mark_overridden(struct ovid_partition *part, u32 leaf)
{
	struct ovid_cpuid_table *t = writer_table(part);
	u32 i;

	for (i = 0; i < t->count; i++)
		if (t->entries[i].leaf == leaf)
			WRITE_ONCE(t->entries[i].flags, t->entries[i].flags | ENTRY_OVERRIDDEN);
}

int ovid_cpuid_override(struct ovid_partition *part, struct ovid_vp *vp, u32 leaf,
			u32 subleaf, bool subleaf_specific,
			const struct ovid_cpuid_regs *val,
			const struct ovid_cpuid_regs *mask)
{
	struct ovid_cpuid_policy *policy = &part->cpuid;
	struct cpuid_override *o, *old;

	lockdep_assert_held(&part->lock);
	o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);
	if (!o)
		return -ENOMEM;
	o->vp = vp ? vp->index : ALL_VPS;
	o->leaf = leaf;
	o->subleaf = subleaf;
	o->subleaf_specific = subleaf_specific;
	o->val = *val;
	o->mask = *mask;
	cut_override(part, o);

	old = find_override(policy, o);
	if (old) {
		hlist_replace_rcu(&old->node, &o->node);
		kfree_rcu(old, rcu);
		return 0;
	}
	if (policy->nr_overrides >= MAX_OVERRIDES) {
		kfree(o);
		return -ENOSPC;
	}
	hlist_add_head_rcu(&o->node, bucket(policy, o->vp, leaf));
	WRITE_ONCE(policy->nr_overrides, policy->nr_overrides + 1);
	mark_overridden(part, leaf);
	return 0;
}

/* ---- questions of others ------------------------------------------------ */

bool ovid_cpuid_has(struct ovid_partition *part, u32 leaf, u32 subleaf,
		    enum ovid_cpuid_reg reg, unsigned int bit)
{
	guard(rcu)();
	return table_reg(rcu_dereference(part->cpuid.table), leaf, subleaf, reg) & BIT(bit);
}

u64 ovid_cpuid_cr4_allowed(struct ovid_partition *part)
{
	guard(rcu)();
	return rcu_dereference(part->cpuid.table)->cr4;
}

u64 ovid_cpuid_efer_allowed(struct ovid_partition *part)
{
	guard(rcu)();
	return rcu_dereference(part->cpuid.table)->efer;
}

u64 ovid_cpuid_xcr0_allowed(struct ovid_partition *part)
{
	guard(rcu)();
	return rcu_dereference(part->cpuid.table)->xcr0;
}

u64 ovid_cpuid_xss_allowed(struct ovid_partition *part)
{
	guard(rcu)();
	return rcu_dereference(part->cpuid.table)->xss;
}

unsigned int ovid_cpuid_phys_bits(struct ovid_partition *part)
{
	guard(rcu)();
	return rcu_dereference(part->cpuid.table)->phys_bits;
}

u64 ovid_cpuid_hv_privileges(struct ovid_partition *part)
{
	guard(rcu)();
	return rcu_dereference(part->cpuid.table)->hv_privileges;
}

u32 ovid_cpuid_hv_features(struct ovid_partition *part)
{
	guard(rcu)();
	return rcu_dereference(part->cpuid.table)->hv_features;
}

bool ovid_cpuid_xcr0_valid(struct ovid_partition *part, u64 xcr0)
{
	return !(xcr0 & ~ovid_cpuid_xcr0_allowed(part)) && ovid_xcr0_consistent(xcr0);
}
