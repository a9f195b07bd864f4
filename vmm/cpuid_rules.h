/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between cpuid.c (tables, answers) and cpuid_rules.c (what may stand in one).
 */
#ifndef OVID_CPUID_RULES_H
#define OVID_CPUID_RULES_H

#include "cpuid.h"

/* bits that follow CR4 at run time and are never part of a table */
#define CPUID_1_ECX_OSXSAVE	BIT(27)
#define CPUID_7_ECX_OSPKE	BIT(4)

#define OVID_CPUID_DEFAULT_MAX	64

/*
 * ovid_cpuid_default - the default table, sorted; sleeps
 * @entries: room for OVID_CPUID_DEFAULT_MAX.  Returns how many were written.
 */
u32 ovid_cpuid_default(bool x2apic, struct ovid_cpuid_entry *entries);

/*
 * Leaves 15h and 16h for a TSC of @khz, others as they are.  The crystal is the APIC
 * timer's clock (SDM 3B: Determining the Processor Base Frequency).
 */
void ovid_cpuid_clock(struct ovid_cpuid_entry *e, u32 khz);

/* the bits of a register that a table may have set; sleeps */
u32 ovid_cpuid_limit(bool x2apic, u32 leaf, u32 subleaf, enum ovid_cpuid_reg reg);

/* 0, or -EINVAL when the entry shows what is not virtualized; sleeps */
int ovid_cpuid_check(bool x2apic, const struct ovid_cpuid_entry *entry);

/* XCR0 values that hardware takes, whatever the table says */
bool ovid_xcr0_consistent(u64 xcr0);

/* bytes of an XSAVE area for these components (SDM 1: Layout of the XSAVE Area) */
u32 ovid_xsave_size(u64 components, bool compacted);

#endif
