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
	bool optional;		/* only if it is asked for */
};

static const struct feature features[] = {
	/* hypercalls, and who the guest is */
	{ .name = "hypercall", .bits = { [HV_3_EAX] = BIT(5) } },
	/* the local APIC by MSRs */
	{ .name = "apic", .bits = { [HV_3_EAX] = BIT(4) } },
	/* ... and the hint to use them */
	{ .name = "apic-hint", .bits = { [HV_4_EAX] = BIT(3) }, .optional = true },
	/* the number of a processor */
	{ .name = "vp-index", .bits = { [HV_3_EAX] = BIT(6) } },
	/* the CPU time of a processor */
	{ .name = "vp-runtime", .bits = { [HV_3_EAX] = BIT(0) } },
	/* the reference time by an MSR */
	{ .name = "time", .bits = { [HV_3_EAX] = BIT(1) } },
	/* the reference time by a page */
	{ .name = "tsc-page", .bits = { [HV_3_EAX] = BIT(9) } },
	/* the TSC itself as the clock */
	{ .name = "tsc-invariant", .bits = { [HV_3_EAX] = BIT(15) }, .optional = true },
	/* what a nested hypervisor is told after a migration */
	{ .name = "reenlightenment", .bits = { [HV_3_EAX] = BIT(13) } },
	/* frequencies of the TSC and the APIC timer */
	{ .name = "frequency", .bits = { [HV_3_EAX] = BIT(11), [HV_3_EDX] = BIT(8) } },
	/* the synthetic interrupt controller */
	{ .name = "synic", .bits = { [HV_3_EAX] = BIT(2) } },
	/* synthetic timers */
	{ .name = "stimer", .bits = { [HV_3_EAX] = BIT(3), [HV_3_EDX] = BIT(19) } },
	/* waiting with interrupts off */
	{ .name = "idle", .bits = { [HV_3_EAX] = BIT(10), [HV_3_EDX] = BIT(5) } },
	/* reset by an MSR */
	{ .name = "reset", .bits = { [HV_3_EAX] = BIT(7) } },
	/* reports of a guest's crash */
	{ .name = "crash", .bits = { [HV_3_EDX] = BIT(10) } },
	/* messages and events to the host */
	{ .name = "messages", .bits = { [HV_3_EBX] = BIT(4) | BIT(5) } },
	/* a processor's registers by hypercall */
	{ .name = "vp-registers", .bits = { [HV_3_EBX] = BIT(17) } },
	/* extended hypercalls: memory that is given back */
	{ .name = "extended", .bits = { [HV_3_EBX] = BIT(20) } },
	/* hypercall input and output in XMM registers */
	{ .name = "xmm", .bits = { [HV_3_EDX] = BIT(4) | BIT(15) } },
	/* flushing other processors' TLBs by hypercall */
	{ .name = "flush", .bits = { [HV_4_EAX] = BIT(2), [HV_3_EDX] = BIT(14) } },
	/* interrupts to other processors by hypercall */
	{ .name = "ipi", .bits = { [HV_4_EAX] = BIT(10) } },
	/* hypercalls for more than 64 processors */
	{ .name = "ex", .bits = { [HV_4_EAX] = BIT(11) } },
	/* the hint to be patient with timeouts */
	{ .name = "relaxed", .bits = { [HV_4_EAX] = BIT(5) } },
};

const char *hv_name(unsigned int n)
{
	return n < ARRAY_SIZE(features) ? features[n].name : NULL;
}

bool hv_optional(unsigned int n)
{
	return features[n].optional;
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
	for (unsigned int w = 0; w < HV_WORDS; w++) {
		c->without[w] &= ~f->bits[w];
		c->with[w] &= ~f->bits[w];
		if (!on)
			c->without[w] |= f->bits[w];
		else if (f->optional)
			c->with[w] |= f->bits[w];
	}
}

static void all(struct hv_choice *c, bool on)
{
	memset(c->without, on ? 0 : 0xff, sizeof(c->without));
	memset(c->with, 0, sizeof(c->with));
	/* no choice: without this hint a guest uses auto-EOI, which costs it the virtual APIC */
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

static void apply(const struct hv_choice *c, enum hv_word w, u32 *reg)
{
	*reg = (*reg & ~c->without[w]) | c->with[w];
}

void hv_apply(const struct hv_choice *c, struct ovid_cpuid_entry *e)
{
	if (c->none && ((e->leaf >= 0x40000000 && e->leaf <= 0x40000006) ||
			(e->leaf >= 0x40000080 && e->leaf <= 0x40000082))) {
		e->eax = e->ebx = e->ecx = e->edx = 0;
	} else if (e->leaf == 0x40000003) {
		apply(c, HV_3_EAX, &e->eax);
		apply(c, HV_3_EBX, &e->ebx);
		apply(c, HV_3_EDX, &e->edx);
	} else if (e->leaf == 0x40000004) {
		apply(c, HV_4_EAX, &e->eax);
	}
}
