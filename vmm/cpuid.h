/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What CPUID says in a partition: a table, by default made from the host's
 * CPUID and the list of features that ovid virtualizes (cpuid_rules.c); a
 * worker can replace it, an mshv client can force bits per VP.
 */
#ifndef OVID_CPUID_H
#define OVID_CPUID_H

#include <linux/list.h>
#include "types.h"
#include "../uapi/ovid.h"

struct ovid_cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

struct ovid_cpuid_table;

#define OVID_CPUID_BUCKETS	32

/**
 * struct ovid_cpuid_policy - a partition's part of cpuid.c
 * @table:	immutable, replaced as a whole under part->lock, RCU readers
 * @nr_overrides: as many as there are in @overrides
 * @overrides:	hash of struct cpuid_override; changed under part->lock, RCU readers
 */
struct ovid_cpuid_policy {
	struct ovid_cpuid_table __rcu *table;
	u32 nr_overrides;
	struct hlist_head overrides[OVID_CPUID_BUCKETS];
};

enum ovid_cpuid_reg { OVID_EAX, OVID_EBX, OVID_ECX, OVID_EDX };

/* the default table; part->x2apic_allowed is set already.  0 or -ENOMEM; sleeps */
int ovid_cpuid_init(struct ovid_partition *part);
void ovid_cpuid_fini(struct ovid_partition *part);

/**
 * ovid_cpuid_get_table - OVID_GET_CPUID
 * @part: the partition
 * @arg: kernel copy; its count is set
 *
 * Sleeps.  Return: 0, -EINVAL (flags, pad), -E2BIG (too few), -EFAULT, -ENOMEM.
 */
int ovid_cpuid_get_table(struct ovid_partition *part, struct ovid_cpuid *arg);

/**
 * ovid_cpuid_set_table - OVID_SET_CPUID
 * @part: the partition
 * @arg: kernel copy
 *
 * Context: part->lock held; sleeps.
 * Return: 0, -EBUSY (a VP has run), -EINVAL (unknown flag, non-zero pad,
 * duplicate, more than OVID_MAX_CPUID, no leaf 0, a feature that is not
 * virtualized or that the host has not), -EFAULT, -ENOMEM.
 */
int ovid_cpuid_set_table(struct ovid_partition *part, const struct ovid_cpuid *arg);

/**
 * ovid_cpuid_override - HVCALL_REGISTER_INTERCEPT_RESULT
 * @part: the partition
 * @vp: the VP it is for, or NULL: all of them, now and later
 * @leaf: EAX of the instruction
 * @subleaf: ECX of it
 * @subleaf_specific: only @subleaf, else every subleaf
 * @val: bits to answer
 * @mask: which of them
 *
 * From now on the answer is (table & ~mask) | (val & mask); bits of features
 * that are not virtualized stay clear whatever @val says.  The same leaf again
 * replaces what was there.  What CR4, EFER, XCR0 may hold does not change.
 *
 * Context: part->lock held; sleeps.  Return: 0, -ENOMEM, -ENOSPC.
 */
int ovid_cpuid_override(struct ovid_partition *part, struct ovid_vp *vp, u32 leaf,
			u32 subleaf, bool subleaf_specific,
			const struct ovid_cpuid_regs *val,
			const struct ovid_cpuid_regs *mask);

/**
 * ovid_cpuid_clear - take features out of the table
 * @part: the partition
 * @leaf: EAX of the instruction
 * @subleaf: ECX of it, where it counts
 * @reg: which register
 * @mask: bits of @reg
 *
 * Context: part->lock held, or a partition nobody else knows yet; sleeps.
 * Return: 0 or -ENOMEM.
 */
int ovid_cpuid_clear(struct ovid_partition *part, u32 leaf, u32 subleaf,
		     enum ovid_cpuid_reg reg, u32 mask);

/**
 * ovid_cpuid_set_clock - have the table tell the guest's TSC frequency
 * @part: the partition; its tsc_khz is set
 *
 * Context: part->lock held; sleeps.  Return: 0 or -ENOMEM.
 */
int ovid_cpuid_set_clock(struct ovid_partition *part);

/**
 * ovid_cpuid_set_synthetic - what the hypervisor's leaves of the table say
 * @part: the partition
 * @features: synthetic processor features (TLFS), of those that there are
 *
 * Context: part->lock held, or a partition nobody else knows yet; sleeps.
 * Return: 0 or -ENOMEM.
 */
int ovid_cpuid_set_synthetic(struct ovid_partition *part, u64 features);

/**
 * ovid_cpuid - the answer for one VP now
 * @vp: the VP
 * @leaf: EAX of the instruction
 * @subleaf: ECX of it
 * @out: the answer
 *
 * Interrupts on or off, VP's thread or vp->lock.  Puts in what follows VP
 * state: APIC id, OSXSAVE, OSPKE, XSAVE sizes for XCR0/XSS, APIC bit of
 * APIC_BASE.  A basic leaf beyond the last one is answered as Intel's CPUs do,
 * with the last one (SDM 2A: CPUID).
 */
void ovid_cpuid(struct ovid_vp *vp, u32 leaf, u32 subleaf, struct ovid_cpuid_regs *out);

/* true if the guest's table has this feature, e.g. (7, 0, OVID_EBX, 20); any context */
bool ovid_cpuid_has(struct ovid_partition *part, u32 leaf, u32 subleaf,
		    enum ovid_cpuid_reg reg, unsigned int bit);

/* derived once per table: what CR4, EFER, XCR0, XSS a guest may set; any context */
u64 ovid_cpuid_cr4_allowed(struct ovid_partition *part);
u64 ovid_cpuid_efer_allowed(struct ovid_partition *part);
u64 ovid_cpuid_xcr0_allowed(struct ovid_partition *part);
/* XSAVE components that any table can offer on this host */
u64 ovid_cpuid_xcr0_host(void);
u64 ovid_cpuid_xss_allowed(struct ovid_partition *part);
unsigned int ovid_cpuid_phys_bits(struct ovid_partition *part);
/* leaf 0x40000003: EBX and EAX, and EDX; 0 where the leaves are not Hyper-V's */
u64 ovid_cpuid_hv_privileges(struct ovid_partition *part);
u32 ovid_cpuid_hv_features(struct ovid_partition *part);
/* true if XSETBV takes this value (SDM 1: XCR0, the rules for combinations) */
bool ovid_cpuid_xcr0_valid(struct ovid_partition *part, u64 xcr0);

#endif
