/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest is told of the hypervisor: CPUID leaves 0x40000000 to 0x40000006.
 * The leaves stand in the partition's CPUID table like all others, and what they
 * say is what there is: an MSR or hypercall whose bit is clear does not exist.
 */
#ifndef OVID_HV_FEATURE_H
#define OVID_HV_FEATURE_H

#include "cpuid.h"

#define OVID_HV_LEAF_FIRST	0x40000000u
#define OVID_HV_LEAF_LAST	0x40000006u
/* what the virtualization stack above the hypervisor says: a client's, if it is not ours */
#define OVID_HV_STACK_FIRST	0x40000080u
#define OVID_HV_STACK_LAST	0x40000082u

static inline bool ovid_hv_leaf(u32 leaf)
{
	return leaf >= OVID_HV_LEAF_FIRST && leaf <= OVID_HV_LEAF_LAST;
}

/* the bits of a register of one of these leaves that ovid can stand for */
u32 ovid_hv_limit(u32 leaf, enum ovid_cpuid_reg reg);

/* makes @e, whose leaf is set, what a partition has by default */
void ovid_hv_fill(struct ovid_cpuid_entry *e);

/* the synthetic processor features of the TLFS that ovid can stand for */
u64 ovid_hv_synthetic(void);

/*
 * Is it a guest's default to use the APIC by MSRs?  It spares exits where the CPU does
 * not virtualize the APIC, and costs some where it does.
 */
void ovid_hv_apic_hint(bool on);

/* takes out of @e what the synthetic features in @have do not stand for */
void ovid_hv_cut(struct ovid_cpuid_entry *e, u64 have);

#endif
