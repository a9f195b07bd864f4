// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which CPUID bits a guest may see: the list of what ovid virtualizes, cut
 * down to what the host's CPU has and its kernel has not switched off; and the
 * default table made from it.  A bit that is not listed is never shown.
 *
 * The hypervisor's own leaves are in hv_feature.c.
 *
 * Not offered on purpose: VMX, SMX, MONITOR/MWAIT, performance counters, PT,
 * SGX, TSX, MPX, AMX, CET, PKS, LA57, LAM, FRED, WAITPKG, PCONFIG, key locker,
 * RDT, debug store, thermal and power MSRs.  IBRS, IBPB, STIBP, SSBD and
 * the controls of leaf 7.2 are not there because msr.c has no IA32_SPEC_CTRL
 * and IA32_PRED_CMD: guests mitigate with what needs no MSR.
 *
 * What is learnt of the host is computed once, under rules_lock.
 * Sources: SDM 2A: CPUID; SDM 1: Managing State Using the XSAVE Feature Set.
 */
#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/processor.h>
#include <asm/tsc.h>
#include "compat.h"
#include "cpuid_rules.h"
#include "hv_feature.h"
#include "lapic.h"

#define ANY		U32_MAX		/* every subleaf, or a leaf that has none */
#define FREE		U32_MAX		/* a register without features: anything goes */

#define MAX_BASIC	0x16
#define MAX_EXTENDED	0x80000008
#define MAX_PHYS_BITS	48		/* four levels of EPT reach that far */
#define LINEAR_BITS	48
#define TOPOLOGY_SHIFT	8		/* APIC ids below 256 belong to one socket */

#define XSAVE_MIN_BYTES	(512 + 64)	/* legacy area and header */

#define LEAF1_X2APIC	BIT(21)
#define LEAF1_HTT	BIT(28)

#define XCR0_VIRTUALIZED (XFEATURE_MASK_FP | XFEATURE_MASK_SSE | XFEATURE_MASK_YMM | \
			  XFEATURE_MASK_AVX512 | XFEATURE_MASK_PKRU)

/*
 * @allow: bits that may be shown if the host has them; FREE: no features here
 * @force: bits that ovid emulates, shown whatever the host has
 * @like:  a feature in the same register as the kernel numbers it, so that what
 *	   the kernel has switched off is hidden too; 0: the kernel does not track it
 */
struct rule {
	u32 leaf;
	u32 last;		/* of a range of leaves, else 0 */
	u32 subleaf;
	struct {
		u32 allow;
		u32 force;
		u16 like;
	} reg[4];
};

/* x87 to SSE2, what a 64-bit kernel takes for granted */
#define LEAF1_EDX_HOST	(BIT(0) /* FPU */ | BIT(1) /* VME */ | BIT(2) /* DE */ |	\
			 BIT(3) /* PSE */ | BIT(4) /* TSC */ | BIT(5) /* MSR */ |	\
			 BIT(6) /* PAE */ | BIT(8) /* CX8 */ | BIT(11) /* SEP */ |	\
			 BIT(13) /* PGE */ | BIT(15) /* CMOV */ | BIT(16) /* PAT */ |	\
			 BIT(17) /* PSE-36 */ | BIT(19) /* CLFLUSH */ |			\
			 BIT(23) /* MMX */ | BIT(24) /* FXSR */ | BIT(25) /* SSE */ |	\
			 BIT(26) /* SSE2 */ | BIT(27) /* self snoop */)

static const struct rule rules[] = {
	{ .leaf = 0, .subleaf = ANY, .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
	{ .leaf = 1, .subleaf = ANY, .reg = {
		{ FREE }, { FREE },
		{ .like = X86_FEATURE_XMM3,
		  .allow = BIT(0) /* SSE3 */ | BIT(1) /* PCLMULQDQ */ | BIT(9) /* SSSE3 */ |
			   BIT(12) /* FMA */ | BIT(13) /* CX16 */ | BIT(17) /* PCID */ |
			   BIT(19) /* SSE4.1 */ | BIT(20) /* SSE4.2 */ | BIT(22) /* MOVBE */ |
			   BIT(23) /* POPCNT */ | BIT(25) /* AES */ | BIT(26) /* XSAVE */ |
			   BIT(28) /* AVX */ | BIT(29) /* F16C */ | BIT(30) /* RDRAND */,
		  .force = LEAF1_X2APIC | BIT(24) /* TSC deadline */ |
			   BIT(31) /* hypervisor */ },
		{ .like = X86_FEATURE_FPU,
		  .allow = LEAF1_EDX_HOST,
		  .force = BIT(7) /* MCE */ | BIT(9) /* APIC */ | BIT(12) /* MTRR */ |
			   BIT(14) /* MCA */ | LEAF1_HTT } } },
	{ .leaf = 2, .subleaf = ANY, .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
	{ .leaf = 4, .subleaf = ANY, .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
	{ .leaf = 6, .subleaf = ANY, .reg = { { .force = BIT(2) /* ARAT */ } } },
	{ .leaf = 7, .subleaf = 0, .reg = {
		{ FREE },
		{ .like = X86_FEATURE_FSGSBASE,
		  .allow = BIT(0) /* FSGSBASE */ | BIT(3) /* BMI1 */ | BIT(5) /* AVX2 */ |
			   BIT(6) /* FDP_EXCPTN_ONLY */ | BIT(7) /* SMEP */ |
			   BIT(8) /* BMI2 */ | BIT(9) /* ERMS */ | BIT(10) /* INVPCID */ |
			   BIT(13) /* no FPU CS/DS */ | BIT(16) /* AVX512F */ |
			   BIT(17) /* AVX512DQ */ | BIT(18) /* RDSEED */ | BIT(19) /* ADX */ |
			   BIT(20) /* SMAP */ | BIT(21) /* AVX512_IFMA */ |
			   BIT(23) /* CLFLUSHOPT */ | BIT(24) /* CLWB */ |
			   BIT(26) /* AVX512PF */ | BIT(27) /* AVX512ER */ |
			   BIT(28) /* AVX512CD */ | BIT(29) /* SHA */ |
			   BIT(30) /* AVX512BW */ | BIT(31) /* AVX512VL */,
		  .force = BIT(1) /* TSC_ADJUST */ },
		{ .like = X86_FEATURE_UMIP,
		  .allow = BIT(0) /* PREFETCHWT1 */ | BIT(1) /* AVX512_VBMI */ |
			   BIT(2) /* UMIP */ | BIT(3) /* PKU */ | BIT(6) /* AVX512_VBMI2 */ |
			   BIT(8) /* GFNI */ | BIT(9) /* VAES */ | BIT(10) /* VPCLMULQDQ */ |
			   BIT(11) /* AVX512_VNNI */ | BIT(12) /* AVX512_BITALG */ |
			   BIT(14) /* AVX512_VPOPCNTDQ */ | BIT(22) /* RDPID */ |
			   BIT(25) /* CLDEMOTE */ | BIT(27) /* MOVDIRI */ |
			   BIT(28) /* MOVDIR64B */ },
		{ .like = X86_FEATURE_FSRM,
		  .allow = BIT(2) /* AVX512_4VNNIW */ | BIT(3) /* AVX512_4FMAPS */ |
			   BIT(4) /* FSRM */ | BIT(8) /* AVX512_VP2INTERSECT */ |
			   BIT(10) /* MD_CLEAR: VERW works in a guest */ |
			   BIT(14) /* SERIALIZE */ | BIT(23) /* AVX512_FP16 */ |
			   BIT(29) /* ARCH_CAPABILITIES, see msr.c */ } } },
	{ .leaf = 7, .subleaf = 1, .reg = {
		{ .like = X86_FEATURE_AVX_VNNI,
		  .allow = BIT(0) /* SHA512 */ | BIT(1) /* SM3 */ | BIT(2) /* SM4 */ |
			   BIT(4) /* AVX-VNNI */ | BIT(5) /* AVX512_BF16 */ |
			   BIT(7) /* CMPccXADD */ | BIT(10) /* FZLRM */ | BIT(11) /* FSRS */ |
			   BIT(12) /* FSRC */ | BIT(23) /* AVX-IFMA */ },
		{},
		{},
		{ .allow = BIT(4) /* AVX-VNNI-INT8 */ | BIT(5) /* AVX-NE-CONVERT */ |
			   BIT(10) /* AVX-VNNI-INT16 */ | BIT(14) /* PREFETCHI */ } } },
	{ .leaf = 7, .subleaf = 2, .reg = { {}, {}, {}, { .allow = BIT(5) /* MCDT_NO */ } } },
	{ .leaf = 0xb, .subleaf = ANY, .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
	{ .leaf = 0xd, .subleaf = 1, .reg = {
		{ .like = X86_FEATURE_XSAVEC,
		  .allow = BIT(0) /* XSAVEOPT */ | BIT(1) /* XSAVEC */ |
			   BIT(2) /* XGETBV with ECX 1 */ | BIT(3) /* XSAVES */ },
		{ FREE } } },
	{ .leaf = 0x15, .last = 0x16, .subleaf = ANY,
	  .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
	{ .leaf = 0x1f, .subleaf = ANY, .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
	/* the VM's own identification, OpenVMM's clients set it */
	{ .leaf = 0x40000080, .last = 0x400000ff, .subleaf = ANY,
	  .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
	{ .leaf = 0x80000000, .subleaf = ANY, .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
	{ .leaf = 0x80000001, .subleaf = ANY, .reg = {
		{ FREE }, { FREE },
		{ .like = X86_FEATURE_LAHF_LM,
		  .allow = BIT(0) /* LAHF in 64-bit mode */ | BIT(5) /* LZCNT */ |
			   BIT(6) /* SSE4A */ | BIT(7) /* misaligned SSE */ |
			   BIT(8) /* PREFETCHW */ },
		{ .like = X86_FEATURE_NX,
		  .allow = BIT(11) /* SYSCALL */ | BIT(20) /* NX */ | BIT(26) /* 1 GiB pages */ |
			   BIT(27) /* RDTSCP */ | BIT(29) /* long mode */ } } },
	{ .leaf = 0x80000002, .last = 0x80000006, .subleaf = ANY,
	  .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
	{ .leaf = 0x80000007, .subleaf = ANY,
	  .reg = { {}, {}, {}, { .allow = BIT(8) /* invariant TSC */ } } },
	{ .leaf = 0x80000008, .subleaf = ANY, .reg = { { FREE }, {}, { FREE }, {} } },
	{ .leaf = 0x8000001d, .last = 0x8000001e, .subleaf = ANY,
	  .reg = { { FREE }, { FREE }, { FREE }, { FREE } } },
};

static DEFINE_MUTEX(rules_lock);

/* the host, once host.known; then it does not change */
static struct {
	bool known;
	u32 phys_bits;
	u64 xcr0;
	u32 limit[ARRAY_SIZE(rules)][4];
	struct {
		u32 size, offset, flags;
	} xstate[XFEATURE_MAX];
} host;

static void host_cpuid(u32 leaf, u32 subleaf, u32 regs[4])
{
	u32 max = cpuid_eax(leaf & 0x80000000);

	if (leaf > max || (leaf ^ max) & 0x80000000) {
		memset(regs, 0, 4 * sizeof(*regs));
		return;
	}
	cpuid_count(leaf, subleaf, &regs[0], &regs[1], &regs[2], &regs[3]);
}

static void learn_limits(void)
{
	unsigned int i, r;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];
		u32 regs[4];

		host_cpuid(rule->leaf, rule->subleaf == ANY ? 0 : rule->subleaf, regs);
		if (rule->leaf == 7 && rule->subleaf != ANY && rule->subleaf > cpuid_eax(7))
			memset(regs, 0, sizeof(regs));
		for (r = 0; r < 4; r++) {
			u32 have = regs[r] & rule->reg[r].allow;

			if (rule->reg[r].allow == FREE)
				have = FREE;
			else if (rule->reg[r].like)
				have &= boot_cpu_data.x86_capability[rule->reg[r].like / 32];
			host.limit[i][r] = have | rule->reg[r].force;
		}
	}
}

static void learn_xstate(void)
{
	unsigned int i;
	u32 regs[4];

	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return;
	host.xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK) & XCR0_VIRTUALIZED;
	for (i = 2; i < XFEATURE_MAX; i++) {
		if (!(host.xcr0 & BIT_ULL(i)))
			continue;
		host_cpuid(0xd, i, regs);
		host.xstate[i].size = regs[0];
		host.xstate[i].offset = regs[1];
		host.xstate[i].flags = regs[2] & 2;	/* aligned when compacted */
	}
}

static void learn_host(void)
{
	u32 regs[4];

	/* pairs with the release below */
	if (smp_load_acquire(&host.known))
		return;
	guard(mutex)(&rules_lock);
	if (host.known)
		return;
	host_cpuid(0x80000008, 0, regs);
	host.phys_bits = clamp(regs[0] & 0xff, 36u, (u32)MAX_PHYS_BITS);
	learn_xstate();
	learn_limits();
	smp_store_release(&host.known, true);	/* pairs with the acquire above */
}

u32 ovid_xsave_size(u64 components, bool compacted)
{
	u32 size = XSAVE_MIN_BYTES;
	unsigned int i;

	for (i = 2; i < XFEATURE_MAX; i++) {
		u32 start = host.xstate[i].offset;

		if (!(components & BIT_ULL(i)))
			continue;
		if (compacted)
			start = host.xstate[i].flags ? ALIGN(size, 64) : size;
		size = max(size, start + host.xstate[i].size);
	}
	return size;
}

bool ovid_xcr0_consistent(u64 xcr0)
{
	u64 avx512 = xcr0 & XFEATURE_MASK_AVX512;

	if (!(xcr0 & XFEATURE_MASK_FP))
		return false;
	if (xcr0 & XFEATURE_MASK_YMM && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	return !avx512 || (avx512 == XFEATURE_MASK_AVX512 && xcr0 & XFEATURE_MASK_YMM);
}

/* ---- limits ------------------------------------------------------------- */

static const struct rule *find_rule(u32 leaf, u32 subleaf)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];

		if (leaf >= rule->leaf && leaf <= max(rule->leaf, rule->last) &&
		    (rule->subleaf == ANY || rule->subleaf == subleaf))
			return rule;
	}
	return NULL;
}

static bool is_xstate(u32 leaf, u32 subleaf)
{
	return leaf == 0xd && subleaf != 1;
}

static u32 xstate_limit(u32 subleaf, enum ovid_cpuid_reg reg)
{
	if (!subleaf) {
		switch (reg) {
		case OVID_EAX:
			return host.xcr0;
		case OVID_EDX:
			return host.xcr0 >> 32;
		default:
			return host.xcr0 ? FREE : 0;
		}
	}
	if (subleaf >= XFEATURE_MAX)
		return 0;
	switch (reg) {
	case OVID_EAX:
		return host.xstate[subleaf].size;
	case OVID_EBX:
		return host.xstate[subleaf].offset;
	case OVID_ECX:
		return host.xstate[subleaf].flags;
	default:
		return 0;
	}
}

u32 ovid_cpuid_limit(bool x2apic, u32 leaf, u32 subleaf, enum ovid_cpuid_reg reg)
{
	const struct rule *rule;
	u32 limit;

	learn_host();
	if (is_xstate(leaf, subleaf))
		return xstate_limit(subleaf, reg);
	if (ovid_hv_leaf(leaf))
		return ovid_hv_limit(leaf, reg);
	rule = find_rule(leaf, subleaf);
	if (!rule)
		return 0;
	limit = host.limit[rule - rules][reg];
	if (leaf == 1 && reg == OVID_ECX && !x2apic)
		limit &= ~LEAF1_X2APIC;
	return limit;
}

static int check_widths(u32 eax)
{
	u32 phys = eax & 0xff, linear = eax >> 8 & 0xff;

	if (eax >> 16 || linear != LINEAR_BITS || phys < 36 || phys > host.phys_bits)
		return -EINVAL;
	return 0;
}

/* a component is shown as it is in the host's area, or not at all */
static int check_xstate(const struct ovid_cpuid_entry *e)
{
	if (!e->subleaf) {
		u64 xcr0 = e->eax | (u64)e->edx << 32;

		return !xcr0 || ovid_xcr0_consistent(xcr0) ? 0 : -EINVAL;
	}
	if (!e->eax && !e->ebx && !e->ecx)
		return 0;
	if (e->eax != xstate_limit(e->subleaf, OVID_EAX) ||
	    e->ebx != xstate_limit(e->subleaf, OVID_EBX) ||
	    e->ecx != xstate_limit(e->subleaf, OVID_ECX))
		return -EINVAL;
	return 0;
}

int ovid_cpuid_check(bool x2apic, const struct ovid_cpuid_entry *e)
{
	const u32 regs[4] = { e->eax, e->ebx, e->ecx, e->edx };
	unsigned int r;

	for (r = 0; r < 4; r++)
		if (regs[r] & ~ovid_cpuid_limit(x2apic, e->leaf, e->subleaf, r))
			return -EINVAL;
	if (is_xstate(e->leaf, e->subleaf))
		return check_xstate(e);
	if (e->leaf == 0x80000008)
		return check_widths(e->eax);
	if (e->leaf == 0 && e->eax >= 0x40000000)
		return -EINVAL;
	if (e->leaf == 0x80000000 && e->eax && e->eax >> 16 != 0x8000)
		return -EINVAL;
	return 0;
}

/* ---- the default table -------------------------------------------------- */

struct builder {
	struct ovid_cpuid_entry *entries;
	u32 count;
	bool x2apic;
};

/* the host's leaf within the limits; NULL when there is no room (never) */
static struct ovid_cpuid_entry *add(struct builder *b, u32 leaf, u32 subleaf, u32 flags)
{
	static struct ovid_cpuid_entry none;
	struct ovid_cpuid_entry *e = &none;
	u32 regs[4];
	unsigned int r;

	if (!WARN_ON_ONCE(b->count == OVID_CPUID_DEFAULT_MAX))
		e = &b->entries[b->count++];
	host_cpuid(leaf, subleaf, regs);
	for (r = 0; r < 4; r++) {
		u32 limit = ovid_cpuid_limit(b->x2apic, leaf, subleaf, r);

		/* what ovid emulates is part of the limit but not of the host */
		regs[r] = limit == FREE ? regs[r] : limit;
	}
	*e = (struct ovid_cpuid_entry) {
		.leaf = leaf, .subleaf = subleaf, .flags = flags,
		.eax = regs[0], .ebx = regs[1], .ecx = regs[2], .edx = regs[3],
	};
	return e;
}

static struct ovid_cpuid_entry *add_leaf(struct builder *b, u32 leaf)
{
	return add(b, leaf, 0, 0);
}

static struct ovid_cpuid_entry *add_subleaf(struct builder *b, u32 leaf, u32 subleaf)
{
	return add(b, leaf, subleaf, OVID_CPUID_SUBLEAF);
}

/* caches: each VP is a core of its own, the last level belongs to the socket */
static void add_caches(struct builder *b)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		struct ovid_cpuid_entry *e = add_subleaf(b, 4, i);
		u32 level = e->eax >> 5 & 7;

		if (!(e->eax & 0x1f))
			return;
		e->eax &= GENMASK(13, 0);
		if (level > 2)
			e->eax |= (BIT(TOPOLOGY_SHIFT) - 1) << 14;
		e->eax |= 63u << 26;
	}
}

static void add_topology(struct builder *b)
{
	struct ovid_cpuid_entry *e;

	e = add_subleaf(b, 0xb, 0);
	e->eax = 0;
	e->ebx = 1;
	e->ecx = 1 << 8;		/* SMT */
	e->edx = 0;
	e = add_subleaf(b, 0xb, 1);
	e->eax = TOPOLOGY_SHIFT;
	e->ebx = OVID_MAX_VPS;
	e->ecx = 2 << 8 | 1;		/* core */
	e->edx = 0;
}

static void add_xstate(struct builder *b)
{
	struct ovid_cpuid_entry *e;
	unsigned int i;

	if (!host.xcr0)
		return;
	e = add_subleaf(b, 0xd, 0);
	e->ebx = ovid_xsave_size(XFEATURE_MASK_FP, false);
	e->ecx = ovid_xsave_size(host.xcr0, false);
	e = add_subleaf(b, 0xd, 1);
	e->ebx = e->eax & BIT(1) ? ovid_xsave_size(XFEATURE_MASK_FP, true) : 0;
	for (i = 2; i < XFEATURE_MAX; i++)
		if (host.xcr0 & BIT_ULL(i))
			add_subleaf(b, 0xd, i);
}

static void add_hypervisor(struct builder *b)
{
	u32 leaf;

	for (leaf = OVID_HV_LEAF_FIRST; leaf <= OVID_HV_LEAF_LAST; leaf++)
		ovid_hv_fill(add_leaf(b, leaf));
	for (leaf = OVID_HV_STACK_FIRST; leaf <= OVID_HV_STACK_LAST; leaf++)
		ovid_hv_fill(add_leaf(b, leaf));
}

void ovid_cpuid_clock(struct ovid_cpuid_entry *e, u32 khz)
{
	switch (e->leaf) {
	case 0x15:
		e->ecx = ovid_apic_timer_hz(khz);
		e->eax = 1;
		e->ebx = 1u << ovid_apic_tsc_shift;
		e->edx = 0;
		break;
	case 0x16:
		e->eax = khz / 1000;
		e->ebx = khz / 1000;
		e->ecx = 100;
		e->edx = 0;
		break;
	}
}

static void add_basic(struct builder *b)
{
	struct ovid_cpuid_entry *e;
	unsigned int i;

	e = add_leaf(b, 0);
	e->eax = MAX_BASIC;
	e = add_leaf(b, 1);
	e->ebx &= GENMASK(15, 0);
	e->ebx |= (BIT(TOPOLOGY_SHIFT) - 1) << 16;
	add_leaf(b, 2);
	add_caches(b);
	add_leaf(b, 6);
	for (i = 0; i <= 2; i++) {
		e = add_subleaf(b, 7, i);
		if (!i)
			e->eax = min(e->eax, 2u);
	}
	add_topology(b);
	add_xstate(b);
	add_leaf(b, 0x15);
	add_leaf(b, 0x16);
}

static void add_extended(struct builder *b)
{
	struct ovid_cpuid_entry *e;
	u32 leaf;

	e = add_leaf(b, 0x80000000);
	e->eax = MAX_EXTENDED;
	e->ebx = 0;
	e->ecx = 0;
	e->edx = 0;
	for (leaf = 0x80000001; leaf <= 0x80000007; leaf++)
		add_leaf(b, leaf);
	e = add_leaf(b, 0x80000008);
	e->eax = LINEAR_BITS << 8 | host.phys_bits;
	e->ecx = 0;
}

u32 ovid_cpuid_default(bool x2apic, struct ovid_cpuid_entry *entries)
{
	static struct ovid_cpuid_entry cache[2][OVID_CPUID_DEFAULT_MAX];
	static u32 cached[2];
	struct builder b = { .entries = cache[x2apic], .x2apic = x2apic };
	unsigned int i;

	learn_host();
	scoped_guard(mutex, &rules_lock) {
		if (!cached[x2apic]) {
			add_basic(&b);
			add_hypervisor(&b);
			add_extended(&b);
			cached[x2apic] = b.count;
		}
	}
	memcpy(entries, cache[x2apic], cached[x2apic] * sizeof(*entries));
	/* the host may have measured its TSC better meanwhile */
	for (i = 0; i < cached[x2apic]; i++)
		ovid_cpuid_clock(&entries[i], tsc_khz);
	return cached[x2apic];
}

u64 ovid_cpuid_xcr0_host(void)
{
	return xgetbv(XCR_XFEATURE_ENABLED_MASK) & XCR0_VIRTUALIZED;
}
