// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "../lib/hv.h"
#include "tap.h"

static struct ovid_cpuid_entry table[] = {
	{ .leaf = 1, .ecx = ~0u },
	{ .leaf = 0x40000000, .eax = 0x40000006, .ebx = 1 },
	{ .leaf = 0x40000003, .eax = ~0u, .ebx = ~0u, .ecx = 7, .edx = ~0u },
	{ .leaf = 0x40000004, .eax = ~0u, .ebx = 9 },
	{ .leaf = 0x40000080, .eax = 0x40000082 },
	{ .leaf = 0x80000007, .edx = 5 },
};

/* what is left of a full table; false: not understood */
static bool choose(const char *text, struct ovid_cpuid_entry *e)
{
	struct hv_choice c = { 0 };
	struct failure why = { "" };

	memcpy(e, table, sizeof(table));
	if (hv_parse(&c, text, &why))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		hv_apply(&c, &e[i]);
	return true;
}

static unsigned int number(const char *name)
{
	unsigned int n = 0;

	while (hv_name(n) && strcmp(hv_name(n), name))
		n++;
	return n;
}

int main(void)
{
	static const char *const bad[] = { "", "x", "+", "-", "+x", "idle", "on,", ",on", "+idle,,-ipi",
					   "off +idle", "+idl", "+idlee", "ON" };
	struct ovid_cpuid_entry e[ARRAY_SIZE(table)];
	unsigned int n, left = 0;

	CHECK(choose("on", e) && !memcmp(e, table, sizeof(table)), "on leaves everything");
	CHECK(choose("off", e) && !e[1].eax && !e[1].ebx && !e[2].eax && !e[2].ecx && !e[2].edx &&
	      !e[3].eax && !e[3].ebx, "off leaves nothing");
	CHECK(!e[4].eax, "nor of the virtualization stack");
	CHECK(e[0].ecx == ~0u && e[5].edx == 5, "other leaves stay");
	CHECK(choose("-tsc-page", e) && e[2].eax == ~(1u << 9) && e[2].edx == ~0u && e[3].eax == ~0u,
	      "one feature less");
	CHECK(choose("-idle,-ipi", e) && e[2].eax == ~(1u << 10) && e[2].edx == ~(1u << 5) &&
	      e[3].eax == ~(1u << 10), "two, in three registers");
	CHECK(choose("-idle,+idle", e) && !memcmp(e, table, sizeof(table)), "the last word counts");
	CHECK(choose("off,+hypercall,+vp-index", e) && e[1].eax == 0x40000006 && e[2].eax == 0x60 &&
	      !e[2].ebx && !e[2].edx && e[3].ebx == 9, "from nothing, two");
	CHECK(e[3].eax == 1u << 9, "auto-EOI stays deprecated");
	CHECK(choose("-synic,-stimer", e) && e[2].eax == ~0xcu && e[2].edx == ~(1u << 19),
	      "SynIC and timers");
	CHECK(choose("off,+tsc-invariant", e) && e[2].eax == 1u << 15, "one that is asked for");
	CHECK(choose("off,+tsc-invariant,-tsc-invariant", e) && !e[2].eax, "and refused again");
	CHECK(choose("+apic-hint,off", e) && !e[3].eax, "off takes it too");
	CHECK(choose("+idle,off", e) && !e[2].eax, "off takes what was there");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!choose(bad[i], e), "refused: '%s'", bad[i]);

	for (n = 0; hv_name(n); n++)
		left += hv_has(table, ARRAY_SIZE(table), n);
	CHECK(n > 10 && left == n && !hv_name(n), "a full table has all features");
	choose("-frequency", e);
	CHECK(!hv_has(e, ARRAY_SIZE(e), number("frequency")) &&
	      hv_has(e, ARRAY_SIZE(e), number("idle")), "less one");
	e[2].eax = ~0u;
	CHECK(!hv_has(e, ARRAY_SIZE(e), number("frequency")), "half of one is none");
	CHECK(!hv_has(e, 1, number("idle")), "nor is no leaf");
	return tap_done();
}
