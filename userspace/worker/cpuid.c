// SPDX-License-Identifier: GPL-2.0-only
#include "../lib/vid.h"
#include "cpuid.h"

#define LEAF1_HTT	BIT(28)
#define LEVEL_THREAD	1
#define LEVEL_CORE	2

static unsigned int bits_for(unsigned int n)
{
	unsigned int bits = 0;

	while (BIT(bits) < n)
		bits++;
	return bits;
}

static void fix_features(struct ovid_cpuid_entry *e, unsigned int vps)
{
	unsigned int ids = 1u << bits_for(vps);

	e->ebx = (e->ebx & 0xff00ffff) | (ids > 255 ? 255 : ids) << 16;
	if (vps > 1)
		e->edx |= LEAF1_HTT;
	else
		e->edx &= ~LEAF1_HTT;
}

/* The last level of cache is shared by all, the inner ones are each core's. */
static void fix_cache(struct ovid_cpuid_entry *e, unsigned int vps)
{
	u32 type = e->eax & 0x1f, level = e->eax >> 5 & 7;
	u32 top = (1u << bits_for(vps)) - 1;
	u32 sharing = level >= 3 ? top : 0;

	if (!type)
		return;
	e->eax = (e->eax & 0x3fff) | (sharing & 0xfff) << 14 | (top > 63 ? 63 : top) << 26;
}

static u32 put_levels(struct ovid_cpuid_entry *e, u32 count, u32 leaf, unsigned int vps)
{
	if (count + 3 > OVID_MAX_CPUID)
		return count;
	e[count++] = (struct ovid_cpuid_entry){
		.leaf = leaf, .subleaf = 0, .flags = OVID_CPUID_SUBLEAF,
		.eax = 0, .ebx = 1, .ecx = LEVEL_THREAD << 8 | 0,
	};
	e[count++] = (struct ovid_cpuid_entry){
		.leaf = leaf, .subleaf = 1, .flags = OVID_CPUID_SUBLEAF,
		.eax = bits_for(vps), .ebx = vps, .ecx = LEVEL_CORE << 8 | 1,
	};
	e[count++] = (struct ovid_cpuid_entry){
		.leaf = leaf, .subleaf = 2, .flags = OVID_CPUID_SUBLEAF, .ecx = 2,
	};
	return count;
}

u32 cpuid_topology(struct ovid_cpuid_entry *e, u32 count, unsigned int vps)
{
	bool extended = false, extended2 = false;
	u32 kept = 0;

	for (u32 i = 0; i < count; i++) {
		struct ovid_cpuid_entry *to = &e[kept];

		extended |= e[i].leaf == 0xb;
		extended2 |= e[i].leaf == 0x1f;
		if (e[i].leaf == 0xb || e[i].leaf == 0x1f)
			continue;
		*to = e[i];
		if (to->leaf == 1)
			fix_features(to, vps);
		else if (to->leaf == 4)
			fix_cache(to, vps);
		kept++;
	}
	if (extended)
		kept = put_levels(e, kept, 0xb, vps);
	if (extended2)
		kept = put_levels(e, kept, 0x1f, vps);
	return kept;
}

int cpuid_setup(int part, unsigned int vps, const struct hv_choice *hv, struct failure *why)
{
	struct ovid_cpuid_entry entries[OVID_MAX_CPUID];
	u32 count = OVID_MAX_CPUID;
	int ret = vid_get_cpuid(part, entries, &count);

	if (!ret && count > OVID_MAX_CPUID)
		ret = -E2BIG;
	for (u32 i = 0; !ret && i < count; i++)
		hv_apply(hv, &entries[i]);
	if (!ret)
		ret = vid_set_cpuid(part, entries, cpuid_topology(entries, count, vps));
	if (ret)
		return fail(why, OVID_X_HOST, "cannot set CPUID: %s; do module and tools belong together?",
			    strerror(-ret));
	return 0;
}
