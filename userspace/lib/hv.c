// SPDX-License-Identifier: GPL-2.0-only
/*
 * hv.c - features of the hypervisor interface by name.  The kernel decides what
 * there is; here bits get names (TLFS: Feature and Interface Discovery).
 */
#include <stdio.h>
#include <string.h>

#include "hv.h"

struct feature {
	const char *name;
	u32 bits[HV_WORDS];
};

static const struct feature features[] = {
	/* hypercalls, and who the guest is */
	{ "hypercall", { [HV_3_EAX] = BIT(5) } },
	/* the number of a processor */
	{ "vp-index", { [HV_3_EAX] = BIT(6) } },
	/* the CPU time of a processor */
	{ "vp-runtime", { [HV_3_EAX] = BIT(0) } },
	/* the reference time by an MSR */
	{ "time", { [HV_3_EAX] = BIT(1) } },
	/* the reference time by a page */
	{ "tsc-page", { [HV_3_EAX] = BIT(9) } },
	/* frequencies of the TSC and the APIC timer */
	{ "frequency", { [HV_3_EAX] = BIT(11), [HV_3_EDX] = BIT(8) } },
	/* the synthetic interrupt controller */
	{ "synic", { [HV_3_EAX] = BIT(2) } },
	/* synthetic timers */
	{ "stimer", { [HV_3_EAX] = BIT(3), [HV_3_EDX] = BIT(19) } },
	/* waiting with interrupts off */
	{ "idle", { [HV_3_EAX] = BIT(10), [HV_3_EDX] = BIT(5) } },
	/* reset by an MSR */
	{ "reset", { [HV_3_EAX] = BIT(7) } },
	/* reports of a guest's crash */
	{ "crash", { [HV_3_EDX] = BIT(10) } },
	/* hypercall input in XMM registers */
	{ "xmm", { [HV_3_EDX] = BIT(4) } },
	/* flushing other processors' TLBs by hypercall */
	{ "flush", { [HV_4_EAX] = BIT(2) } },
	/* interrupts to other processors by hypercall */
	{ "ipi", { [HV_4_EAX] = BIT(10) } },
	/* hypercalls for more than 64 processors */
	{ "ex", { [HV_4_EAX] = BIT(11) } },
	/* the hint to be patient with timeouts */
	{ "relaxed", { [HV_4_EAX] = BIT(5) } },
};

const char *hv_name(unsigned int n)
{
	return n < ARRAY_SIZE(features) ? features[n].name : NULL;
}

bool hv_has(const struct ovid_cpuid_entry *e, u32 count, unsigned int n)
{
	const u32 *bits = features[n].bits;
	u32 have[HV_WORDS] = { 0 };

	for (u32 i = 0; i < count; i++) {
		if (e[i].leaf == 0x40000003) {
			have[HV_3_EAX] = e[i].eax;
			have[HV_3_EBX] = e[i].ebx;
			have[HV_3_EDX] = e[i].edx;
		} else if (e[i].leaf == 0x40000004) {
			have[HV_4_EAX] = e[i].eax;
		}
	}
	for (unsigned int w = 0; w < HV_WORDS; w++)
		if (bits[w] & ~have[w])
			return false;
	return true;
}

static const struct feature *find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (strlen(features[i].name) == len && !memcmp(features[i].name, name, len))
			return &features[i];
	return NULL;
}

static void choose(struct hv_choice *c, const struct feature *f, bool on)
{
	for (unsigned int w = 0; w < HV_WORDS; w++)
		c->without[w] = on ? c->without[w] & ~f->bits[w] : c->without[w] | f->bits[w];
}

static void all(struct hv_choice *c, bool on)
{
	memset(c->without, on ? 0 : 0xff, sizeof(c->without));
	/* no choice: there is no auto-EOI, which a guest would use without this hint */
	c->without[HV_4_EAX] &= ~BIT(9);
	c->none = !on;
}

static int one(struct hv_choice *c, const char *word, size_t len, struct failure *why)
{
	const struct feature *f;

	if ((len == 2 && !memcmp(word, "on", 2)) || (len == 3 && !memcmp(word, "off", 3))) {
		all(c, len == 2);
		return 0;
	}
	f = len > 1 && (*word == '+' || *word == '-') ? find(word + 1, len - 1) : NULL;
	if (!f)
		return fail(why, OVID_X_USAGE,
			    "--hv %.*s: give on, off, +NAME or -NAME; `ovid info` lists the names",
			    (int)len, word);
	choose(c, f, *word == '+');
	if (*word == '+')
		c->none = 0;
	return 0;
}

int hv_parse(struct hv_choice *c, const char *text, struct failure *why)
{
	int ret = 0;

	do {
		size_t len = strcspn(text, ",");

		ret = one(c, text, len, why);
		text += len;
	} while (!ret && *text++);
	return ret;
}

void hv_apply(const struct hv_choice *c, struct ovid_cpuid_entry *e)
{
	if (c->none && e->leaf >= 0x40000000 && e->leaf <= 0x40000006) {
		e->eax = e->ebx = e->ecx = e->edx = 0;
	} else if (e->leaf == 0x40000003) {
		e->eax &= ~c->without[HV_3_EAX];
		e->ebx &= ~c->without[HV_3_EBX];
		e->edx &= ~c->without[HV_3_EDX];
	} else if (e->leaf == 0x40000004) {
		e->eax &= ~c->without[HV_4_EAX];
	}
}
