/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hv.h - features of the hypervisor interface by name: `--hv`, `ovid info`.
 */
#ifndef OVID_HV_H
#define OVID_HV_H

#include "../../uapi/ovid.h"
#include "fail.h"
#include "types.h"

/* registers of CPUID whose bits are features */
enum hv_word { HV_3_EAX, HV_3_EBX, HV_3_EDX, HV_4_EAX, HV_WORDS };

/* what a VM is not to have of what there is, and to have beside it; all zero: no change */
struct hv_choice {
	u32 without[HV_WORDS];
	u32 with[HV_WORDS];
	u32 none;		/* no such interface at all */
};

/* `--hv`: "off", "on", "+NAME", "-NAME", from left to right, with commas between */
int hv_parse(struct hv_choice *c, const char *text, struct failure *why);

/* makes a leaf of a CPUID table what was chosen */
void hv_apply(const struct hv_choice *c, struct ovid_cpuid_entry *e);

/* name of the n-th feature, or NULL */
const char *hv_name(unsigned int n);
/* is it there only if it is asked for? */
bool hv_optional(unsigned int n);
/* does a CPUID table have all of it? */
bool hv_has(const struct ovid_cpuid_entry *e, u32 count, unsigned int n);

#endif
