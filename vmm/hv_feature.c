// SPDX-License-Identifier: GPL-2.0-only
/*
 * The features of the hypervisor interface, a row each: the CPUID bit that tells
 * it, and the synthetic processor feature by which mshv's clients ask for it.
 * A bit without a row is never shown.
 *
 * Source: TLFS, Feature and Interface Discovery.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include "hv_feature.h"
#include "tlfs.h"

#define VENDOR_EBX	0x7263694du	/* "Microsoft Hv" */
#define VENDOR_ECX	0x666f736fu
#define VENDOR_EDX	0x76482074u
#define INTERFACE	0x31237648u	/* "Hv#1" */
#define STACK_EDX	0x53562074u	/* "Microsoft VS" */
#define STACK_INTERFACE	0x31235356u	/* "VS#1" */

#define NEVER_NOTIFY	U32_MAX		/* spins before a long spin wait is told */
#define MAX_LPS		2048

#define HW_MSR_BITMAPS	BIT(1)
#define HW_SLAT		BIT(3)

/* HV_PARTITION_SYNTHETIC_PROCESSOR_FEATURES, by bit number */
enum synthetic {
	SYN_PRESENT		= 0,
	SYN_HV1			= 1,
	SYN_VP_RUNTIME		= 2,
	SYN_REFERENCE_COUNTER	= 3,
	SYN_SYNIC		= 4,
	SYN_STIMER		= 5,
	SYN_APIC_MSRS		= 6,
	SYN_HYPERCALL		= 7,
	SYN_VP_INDEX		= 8,
	SYN_REFERENCE_TSC	= 9,
	SYN_GUEST_IDLE		= 10,
	SYN_FREQUENCY		= 11,
	SYN_EXTENDED_GVA	= 15,
	SYN_XMM_OUTPUT		= 18,
	SYN_DIRECT_STIMER	= 22,
	SYN_EX_MASKS		= 24,
	SYN_FLUSH		= 25,
	SYN_CLUSTER_IPI		= 26,
	SYN_LONG_SPIN_WAIT	= 27,
	SYN_SIGNAL_EVENTS	= 29,
	SYN_RETARGET		= 30,
	SYN_VP_REGISTERS	= 38,
	SYN_OURS		= 62,	/* none: not for mshv's clients */
	SYN_OPTIONAL		= 63,	/* none: there for those who set its CPUID bit */
};

struct hv_feature {
	u32 leaf;
	u8 reg;			/* enum ovid_cpuid_reg */
	u8 bit;
	u8 synthetic;		/* SYN_HV1: comes with the interface itself */
};

#define PRIV(b, s)	{ 0x40000003, (b) / 32 ? OVID_EBX : OVID_EAX, (b) % 32, SYN_##s }
#define FEATURE(b, s)	{ 0x40000003, OVID_EDX, b, SYN_##s }
#define HINT(b, s)	{ 0x40000004, OVID_EAX, b, SYN_##s }

/* who does it: hv_msr.c for MSRs, hypercall.c and hc_*.c for the rest, if not said */
static const struct hv_feature features[] = {
	PRIV(0, VP_RUNTIME),		/* VP run time MSR */
	PRIV(1, REFERENCE_COUNTER),	/* reference counter MSR: clock.c */
	PRIV(2, SYNIC),			/* SynIC MSRs: synic.c */
	PRIV(3, STIMER),		/* synthetic timers: stimer.c */
	PRIV(4, APIC_MSRS),		/* EOI, ICR and TPR MSRs */
	PRIV(5, HYPERCALL),		/* guest OS id and hypercall MSRs */
	PRIV(6, VP_INDEX),		/* VP index MSR */
	PRIV(7, HV1),			/* reset MSR */
	PRIV(9, REFERENCE_TSC),		/* reference TSC page: clock.c */
	PRIV(10, GUEST_IDLE),		/* guest idle MSR: vp.c waits */
	PRIV(11, FREQUENCY),		/* TSC and APIC frequency MSRs */
	PRIV(13, HV1),			/* reenlightenment MSRs */
	PRIV(15, OPTIONAL),		/* invariant TSC MSR: the guest prefers the bare TSC then */
	PRIV(36, SIGNAL_EVENTS),	/* post messages: port.c */
	PRIV(37, SIGNAL_EVENTS),	/* signal events: port.c */
	PRIV(49, VP_REGISTERS),		/* registers by hypercall: hc_regs.c */
	PRIV(52, OURS),			/* extended hypercalls: hc_ext.c */
	FEATURE(4, HYPERCALL),		/* hypercall input in XMM registers */
	FEATURE(5, GUEST_IDLE),		/* guest idle is there */
	FEATURE(8, FREQUENCY),		/* frequency MSRs are there */
	FEATURE(10, HV1),		/* crash MSRs */
	FEATURE(14, EXTENDED_GVA),	/* large ranges in flush lists */
	FEATURE(15, XMM_OUTPUT),	/* hypercall output in XMM registers */
	FEATURE(19, DIRECT_STIMER),	/* timers with an interrupt of their own: stimer.c */
	HINT(2, FLUSH),			/* flush others' TLBs by hypercall */
	HINT(3, APIC_MSRS),		/* the APIC by MSRs, and lazy EOI: ovid_hv_apic_hint() */
	HINT(5, HV1),			/* relaxed timing: no watchdogs, please */
	HINT(9, HV1),			/* AutoEOI is deprecated */
	HINT(10, CLUSTER_IPI),		/* IPIs by hypercall */
	HINT(11, EX_MASKS),		/* calls that take VP sets */
};

#define DEFAULTS	(~BIT_ULL(SYN_OPTIONAL))

static bool apic_hint = true;

/* set once, before there is a partition */
void ovid_hv_apic_hint(bool on)
{
	apic_hint = on;
}

static u32 offered(u32 leaf, enum ovid_cpuid_reg reg, u64 have)
{
	u32 bits = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].leaf == leaf && features[i].reg == reg &&
		    have & BIT_ULL(features[i].synthetic))
			bits |= BIT(features[i].bit);
	return bits;
}

u32 ovid_hv_limit(u32 leaf, enum ovid_cpuid_reg reg)
{
	switch (leaf) {
	case 0x40000003:
		return offered(leaf, reg, ~0ull);
	case 0x40000004:
		if (reg == OVID_EBX)
			return ~0u;
		if (reg == OVID_ECX)
			return 0x7f;	/* physical address bits */
		return offered(leaf, reg, ~0ull);
	default:			/* no features there */
		return ~0u;
	}
}

void ovid_hv_fill(struct ovid_cpuid_entry *e)
{
	switch (e->leaf) {
	case 0x40000000:
		e->eax = OVID_HV_LEAF_LAST;
		e->ebx = VENDOR_EBX;
		e->ecx = VENDOR_ECX;
		e->edx = VENDOR_EDX;
		break;
	case 0x40000001:
		e->eax = INTERFACE;
		break;
	case 0x40000002:	/* the version that guests print: Windows Server 2022's */
		e->eax = 20348;
		e->ebx = 10 << 16 | 0;
		break;
	case 0x40000003:
	case 0x40000004:
		e->ecx = 0;
		e->eax = offered(e->leaf, OVID_EAX, DEFAULTS);
		e->edx = offered(e->leaf, OVID_EDX, DEFAULTS);
		if (e->leaf == 0x40000004)
			e->ebx = NEVER_NOTIFY;
		else
			e->ebx = offered(e->leaf, OVID_EBX, DEFAULTS);
		if (e->leaf == 0x40000004 && !apic_hint)
			e->eax &= ~HV_HINT_APIC_MSRS;
		break;
	case 0x40000005:
		e->eax = OVID_MAX_VPS;
		e->ebx = MAX_LPS;
		break;
	case 0x40000006:
		e->eax = HW_MSR_BITMAPS | HW_SLAT;
		break;
	case OVID_HV_STACK_FIRST:
		e->eax = OVID_HV_STACK_LAST;
		e->ebx = VENDOR_EBX;
		e->ecx = VENDOR_ECX;
		e->edx = STACK_EDX;
		break;
	case OVID_HV_STACK_FIRST + 1:
		e->eax = STACK_INTERFACE;
		break;
	case OVID_HV_STACK_LAST:	/* none of its properties */
		e->eax = 0;
		break;
	}
}

u64 ovid_hv_synthetic(void)
{
	u64 all = BIT_ULL(SYN_PRESENT) | BIT_ULL(SYN_HV1) | BIT_ULL(SYN_LONG_SPIN_WAIT) |
		  BIT_ULL(SYN_RETARGET);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		all |= BIT_ULL(features[i].synthetic);
	return all & ~(BIT_ULL(SYN_OURS) | BIT_ULL(SYN_OPTIONAL));
}

void ovid_hv_cut(struct ovid_cpuid_entry *e, u64 have)
{
	const u64 interface = BIT_ULL(SYN_PRESENT) | BIT_ULL(SYN_HV1);

	ovid_hv_fill(e);
	if ((have & interface) != interface) {
		e->eax = 0;
		e->ebx = 0;
		e->ecx = 0;
		e->edx = 0;
	} else if (e->leaf == 0x40000003 || e->leaf == 0x40000004) {
		e->eax &= offered(e->leaf, OVID_EAX, have);
		if (e->leaf == 0x40000003)
			e->ebx &= offered(e->leaf, OVID_EBX, have);
		e->edx &= offered(e->leaf, OVID_EDX, have);
	}
}
