/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpuid.h - the module's CPUID table with this machine's topology put in (one
 * socket, a core for each VP, no threads), less what was not chosen of the hypervisor.
 */
#ifndef OVID_CPUID_H
#define OVID_CPUID_H

#include "../lib/fail.h"
#include "../lib/hv.h"
#include "../lib/types.h"
#include "../../uapi/ovid.h"

/* Pure: changes @e in place; returns the new count (room for OVID_MAX_CPUID). */
u32 cpuid_topology(struct ovid_cpuid_entry *e, u32 count, unsigned int vps);

int cpuid_setup(int part, unsigned int vps, const struct hv_choice *hv, struct failure *why);

#endif
