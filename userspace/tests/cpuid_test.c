// SPDX-License-Identifier: GPL-2.0-only
#include "../worker/cpuid.h"
#include "tap.h"

static const struct ovid_cpuid_entry *find(const struct ovid_cpuid_entry *e, u32 n, u32 leaf,
					   u32 subleaf)
{
	for (u32 i = 0; i < n; i++)
		if (e[i].leaf == leaf && e[i].subleaf == subleaf)
			return &e[i];
	return NULL;
}

static void test_topology(unsigned int vps, u32 ids, u32 shift)
{
	struct ovid_cpuid_entry e[OVID_MAX_CPUID] = {
		{ .leaf = 1, .ebx = 0x12345678, .ecx = 1u << 31 },
		{ .leaf = 4, .subleaf = 0, .flags = 1, .eax = 0x121 },
		{ .leaf = 4, .subleaf = 1, .flags = 1, .eax = 0x163 },
		{ .leaf = 4, .subleaf = 2, .flags = 1, .eax = 0 },
		{ .leaf = 0xb, .subleaf = 0, .flags = 1, .eax = 99 },
		{ .leaf = 0xb, .subleaf = 7, .flags = 1, .eax = 99 },
		{ .leaf = 0x40000000, .ebx = 1 },
	};
	u32 n = cpuid_topology(e, 7, vps);
	const struct ovid_cpuid_entry *l1 = find(e, n, 1, 0);
	const struct ovid_cpuid_entry *core = find(e, n, 0xb, 1);

	CHECK(n == 8, "%u VPs: three levels in place of two entries", vps);
	CHECK((l1->ebx >> 16 & 0xff) == ids && (l1->ebx & 0xffff) == 0x5678, "logical ids");
	CHECK(!!(l1->edx & 1u << 28) == (vps > 1), "HTT");
	CHECK(l1->ecx == 1u << 31, "the hypervisor bit stays");
	CHECK(core && core->eax == shift && core->ebx == vps && core->ecx == 0x201, "cores");
	CHECK(!find(e, n, 0xb, 7) && find(e, n, 0xb, 2)->ecx == 2, "the list ends");
	CHECK((find(e, n, 4, 0)->eax >> 14 & 0xfff) == 0, "inner cache is a core's own");
	CHECK((find(e, n, 4, 1)->eax >> 14 & 0xfff) == ids - 1 || ids == 255,
	      "outer cache is shared");
	CHECK(find(e, n, 4, 2)->eax == 0, "the last cache entry stays empty");
	CHECK(!find(e, n, 0x1f, 0), "no leaf 0x1f where none was");
}

int main(void)
{
	struct ovid_cpuid_entry full[OVID_MAX_CPUID] = { { .leaf = 0xb } };

	test_topology(1, 1, 0);
	test_topology(3, 4, 2);
	test_topology(300, 255, 9);
	for (u32 i = 1; i < OVID_MAX_CPUID; i++)
		full[i].leaf = 0x1000 + i;
	CHECK(cpuid_topology(full, OVID_MAX_CPUID, 2) <= OVID_MAX_CPUID, "a full table stays in");
	return tap_done();
}
