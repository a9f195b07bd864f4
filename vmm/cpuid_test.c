// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for cpuid.c and cpuid_rules.c, on the CPU they run on: what a default
 * table never and always shows, what follows a VP's state, leaves that are not
 * there, replacement with each refusal, overrides.
 */
#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/fpu/xcr.h>
#include <asm/processor.h>
#include "cpuid.c"
#include "cpuid_rules.c"
#include "hv_feature.c"
#include "tlfs.h"

/* ---- what cpuid.c asks of others ------------------------------------------ */

unsigned int ovid_apic_tsc_shift = 1;

u32 ovid_apic_timer_hz(u32 khz)
{
	return (u64)khz * 1000 >> ovid_apic_tsc_shift;
}

/* ---- fixture --------------------------------------------------------------- */

struct fixture {
	struct ovid_partition *part;
	struct ovid_vp *vp, *vp2;
	struct ovid_cpuid_entry *entries;	/* OVID_MAX_CPUID + 1 */
	u32 count;
	void __user *user;
};

static int fixture_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->part = kunit_kzalloc(test, sizeof(*f->part), GFP_KERNEL);
	f->vp = kunit_kzalloc(test, sizeof(*f->vp), GFP_KERNEL);
	f->vp2 = kunit_kzalloc(test, sizeof(*f->vp2), GFP_KERNEL);
	f->entries = kunit_kcalloc(test, OVID_MAX_CPUID + 1, sizeof(*f->entries), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->part);
	KUNIT_ASSERT_NOT_NULL(test, f->vp);
	KUNIT_ASSERT_NOT_NULL(test, f->vp2);
	KUNIT_ASSERT_NOT_NULL(test, f->entries);
	mutex_init(&f->part->lock);
	f->part->x2apic_allowed = true;
	f->vp->part = f->part;
	f->vp->xcr0 = 1;
	f->vp->apic.initial_id = 0x123;
	f->vp->apic.base = OVID_APIC_DEFAULT_BASE | BIT(11);
	*f->vp2 = *f->vp;
	f->vp2->index = 1;
	test->priv = f;
	return ovid_cpuid_init(f->part);
}

static void fixture_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (f && f->part)
		ovid_cpuid_fini(f->part);
	rcu_barrier();
}

static struct ovid_cpuid_regs ask(struct fixture *f, u32 leaf, u32 subleaf)
{
	struct ovid_cpuid_regs r;

	memset(&r, 0xa5, sizeof(r));
	ovid_cpuid(f->vp, leaf, subleaf, &r);
	return r;
}

static u32 pick(const struct ovid_cpuid_regs *r, enum ovid_cpuid_reg reg)
{
	const u32 regs[] = { r->eax, r->ebx, r->ecx, r->edx };

	return regs[reg];
}

static bool all_zero(const struct ovid_cpuid_regs *r)
{
	return !r->eax && !r->ebx && !r->ecx && !r->edx;
}

static void user_memory(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_LT(test, addr, (unsigned long)TASK_SIZE);
	KUNIT_ASSERT_NE(test, addr, 0ul);
	f->user = (void __user *)addr;
}

/* the table as OVID_GET_CPUID gives it, into f->entries */
static void get_table(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_cpuid arg = { .size = sizeof(arg), .count = OVID_MAX_CPUID,
				  .entries = (u64)(uintptr_t)f->user };

	KUNIT_ASSERT_EQ(test, 0, ovid_cpuid_get_table(f->part, &arg));
	KUNIT_ASSERT_LE(test, arg.count, (u32)OVID_MAX_CPUID);
	f->count = arg.count;
	KUNIT_ASSERT_EQ(test, 0ul, copy_from_user(f->entries, f->user,
						  f->count * sizeof(*f->entries)));
}

static int set_table(struct kunit *test, u32 count)
{
	struct fixture *f = test->priv;
	struct ovid_cpuid arg = { .size = sizeof(arg), .count = count,
				  .entries = (u64)(uintptr_t)f->user };
	int ret;

	KUNIT_EXPECT_EQ(test, 0ul, copy_to_user(f->user, f->entries,
						min(count, OVID_MAX_CPUID + 1u) *
						sizeof(*f->entries)));
	mutex_lock(&f->part->lock);
	ret = ovid_cpuid_set_table(f->part, &arg);
	mutex_unlock(&f->part->lock);
	return ret;
}

static struct ovid_cpuid_entry *entry(struct fixture *f, u32 leaf, u32 subleaf)
{
	u32 i;

	for (i = 0; i < f->count; i++)
		if (f->entries[i].leaf == leaf && f->entries[i].subleaf == subleaf)
			return &f->entries[i];
	return NULL;
}

/* ---- the default table ------------------------------------------------------- */

struct bits {
	u32 leaf, subleaf;
	enum ovid_cpuid_reg reg;
	u32 mask;
};

static const struct bits never[] = {
	/* DTES64 MONITOR DS-CPL VMX SMX EIST TM2 CNXT SDBG xTPR PDCM DCA */
	{ 1, 0, OVID_ECX, 0x0004cdfc & ~BIT(9) },
	{ 1, 0, OVID_EDX, BIT(18) | BIT(21) | BIT(22) | BIT(29) | BIT(31) },
	{ 6, 0, OVID_EAX, (u32)~BIT(2) },
	{ 6, 0, OVID_EBX, ~0u },
	{ 6, 0, OVID_ECX, ~0u },
	/* SGX HLE RTM RDT-M MPX RDT-A PT */
	{ 7, 0, OVID_EBX, BIT(2) | BIT(4) | BIT(11) | BIT(12) | BIT(14) | BIT(15) | BIT(25) },
	/* WAITPKG CET TME LA57 MAWAU KL bus lock ENQCMD SGX_LC PKS */
	{ 7, 0, OVID_ECX, BIT(5) | BIT(7) | BIT(13) | GENMASK(21, 16) | BIT(23) | BIT(24) |
			  BIT(29) | BIT(30) | BIT(31) },
	/* UINTR SRBDS RTM hybrid TSXLDTRK PCONFIG LBR IBT AMX IBRS STIBP L1D CORE SSBD */
	{ 7, 0, OVID_EDX, BIT(5) | BIT(9) | BIT(11) | BIT(13) | BIT(15) | BIT(16) | BIT(18) |
			  BIT(19) | BIT(20) | BIT(22) | GENMASK(28, 24) | BIT(30) | BIT(31) },
	/* LASS ArchPerfmonExt FRED LKGS WRMSRNS AMX-FP16 HRESET LAM MSRLIST */
	{ 7, 1, OVID_EAX, BIT(6) | BIT(8) | GENMASK(19, 17) | BIT(21) | BIT(22) | BIT(26) | BIT(27) },
	{ 7, 1, OVID_EDX, BIT(8) | BIT(17) | BIT(18) | BIT(19) },
	{ 7, 2, OVID_EDX, GENMASK(4, 0) },
	{ 0xa, 0, OVID_EAX, ~0u },
	{ 0xa, 0, OVID_EDX, ~0u },
	{ 0xd, 0, OVID_EAX, BIT(3) | BIT(4) | BIT(8) | GENMASK(31, 10) },
	{ 0xd, 1, OVID_EAX, BIT(4) },
	{ 0xd, 1, OVID_ECX, ~0u },
	{ 0xd, 1, OVID_EDX, ~0u },
	{ 0x12, 0, OVID_EAX, ~0u },
	{ 0x14, 0, OVID_EBX, ~0u },
	{ 0x80000001, 0, OVID_ECX, BIT(2) /* SVM */ | BIT(22) },
	{ 0x80000007, 0, OVID_EDX, (u32)~BIT(8) },
	{ 0x80000008, 0, OVID_EBX, ~0u },
};

static const struct bits always[] = {
	{ 1, 0, OVID_ECX, BIT(31) | BIT(24) | BIT(21) },
	{ 1, 0, OVID_EDX, BIT(9) | BIT(12) | BIT(7) | BIT(14) | BIT(16) | BIT(4) | BIT(5) | BIT(6) },
	{ 6, 0, OVID_EAX, BIT(2) },
	{ 7, 0, OVID_EBX, BIT(1) },
	{ 0x80000001, 0, OVID_EDX, BIT(29) | BIT(20) | BIT(11) },
};

static void default_bits(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 host[4];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(never); i++) {
		struct ovid_cpuid_regs r = ask(f, never[i].leaf, never[i].subleaf);

		KUNIT_EXPECT_EQ_MSG(test, 0u, pick(&r, never[i].reg) & never[i].mask,
				    "leaf %x.%u", never[i].leaf, never[i].subleaf);
	}
	for (i = 0; i < ARRAY_SIZE(always); i++) {
		struct ovid_cpuid_regs r = ask(f, always[i].leaf, always[i].subleaf);

		KUNIT_EXPECT_EQ_MSG(test, always[i].mask, pick(&r, always[i].reg) & always[i].mask,
				    "leaf %x.%u", always[i].leaf, always[i].subleaf);
	}
	/* features the CPU has not are not shown */
	cpuid_count(7, 0, &host[0], &host[1], &host[2], &host[3]);
	KUNIT_EXPECT_EQ(test, 0u, ask(f, 7, 0).ebx & ~BIT(1) & ~host[1]);
	KUNIT_EXPECT_EQ(test, 0u, ask(f, 7, 0).ecx & ~host[2]);
	KUNIT_EXPECT_EQ(test, 0u, ask(f, 7, 0).edx & ~host[3]);
}

static void default_frame(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_cpuid_regs r = ask(f, 0, 0);
	u32 host[4];

	cpuid(0, &host[0], &host[1], &host[2], &host[3]);
	KUNIT_EXPECT_EQ(test, 0x16u, r.eax);
	KUNIT_EXPECT_EQ(test, host[1], r.ebx);
	KUNIT_EXPECT_EQ(test, host[2], r.ecx);
	KUNIT_EXPECT_EQ(test, host[3], r.edx);
	KUNIT_EXPECT_EQ(test, 0x80000008u, ask(f, 0x80000000, 0).eax);
	r = ask(f, 0x40000000, 0);
	KUNIT_EXPECT_EQ(test, 0x40000006u, r.eax);
	KUNIT_EXPECT_MEMEQ(test, &r.ebx, "Microsoft Hv", 12);
	KUNIT_EXPECT_EQ(test, 0x31237648u, ask(f, 0x40000001, 0).eax);
	/* TSC = crystal * EBX / EAX, as Linux calibrates; the crystal runs the APIC timer */
	r = ask(f, 0x15, 0);
	KUNIT_EXPECT_EQ(test, ovid_apic_timer_hz(tsc_khz), r.ecx);
	KUNIT_ASSERT_EQ(test, 1u, r.eax);
	KUNIT_EXPECT_EQ(test, tsc_khz, (u32)((u64)r.ecx * r.ebx / 1000));
	KUNIT_EXPECT_EQ(test, tsc_khz / 1000, ask(f, 0x16, 0).eax);
	r = ask(f, 0x80000008, 0);
	KUNIT_EXPECT_EQ(test, 48u, r.eax >> 8);
	KUNIT_EXPECT_EQ(test, r.eax & 0xff, ovid_cpuid_phys_bits(f->part));
	KUNIT_EXPECT_LE(test, ovid_cpuid_phys_bits(f->part), 48u);
	/* one socket, a core for each VP */
	KUNIT_EXPECT_EQ(test, 0x100u, ask(f, 0xb, 0).ecx);
	KUNIT_EXPECT_EQ(test, 8u, ask(f, 0xb, 1).eax);
	KUNIT_EXPECT_EQ(test, 0x201u, ask(f, 0xb, 1).ecx);
}

static void x2apic_is_a_choice(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_TRUE(test, ovid_cpuid_has(f->part, 1, 0, OVID_ECX, 21));
	ovid_cpuid_fini(f->part);
	f->part->x2apic_allowed = false;
	KUNIT_ASSERT_EQ(test, 0, ovid_cpuid_init(f->part));
	KUNIT_EXPECT_FALSE(test, ovid_cpuid_has(f->part, 1, 0, OVID_ECX, 21));
	KUNIT_EXPECT_TRUE(test, ovid_cpuid_has(f->part, 1, 0, OVID_ECX, 24));
}

static void derived(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 cr4 = ovid_cpuid_cr4_allowed(f->part);

	KUNIT_EXPECT_EQ(test, X86_CR4_PAE | X86_CR4_PSE | X86_CR4_PGE | X86_CR4_MCE | X86_CR4_OSFXSR,
			cr4 & (X86_CR4_PAE | X86_CR4_PSE | X86_CR4_PGE | X86_CR4_MCE | X86_CR4_OSFXSR));
	KUNIT_EXPECT_EQ(test, 0ull, cr4 & (X86_CR4_VMXE | X86_CR4_SMXE | X86_CR4_LA57 | BIT_ULL(23) |
					   BIT_ULL(24) | GENMASK_ULL(63, 25)));
	KUNIT_EXPECT_EQ(test, ovid_cpuid_has(f->part, 7, 0, OVID_EBX, 20), !!(cr4 & X86_CR4_SMAP));
	KUNIT_EXPECT_EQ(test, ovid_cpuid_has(f->part, 1, 0, OVID_ECX, 26), !!(cr4 & X86_CR4_OSXSAVE));
	KUNIT_EXPECT_EQ(test, (u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX),
			ovid_cpuid_efer_allowed(f->part));
	KUNIT_EXPECT_EQ(test, 0ull, ovid_cpuid_xss_allowed(f->part));
}

static void xcr0_values(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 all = ovid_cpuid_xcr0_allowed(f->part);

	if (!all)
		kunit_skip(test, "the host has no XSAVE");
	KUNIT_EXPECT_EQ(test, 0ull, all & ~0x2e7ull);
	KUNIT_EXPECT_TRUE(test, ovid_cpuid_xcr0_valid(f->part, all));
	KUNIT_EXPECT_TRUE(test, ovid_cpuid_xcr0_valid(f->part, 1));
	KUNIT_EXPECT_TRUE(test, ovid_cpuid_xcr0_valid(f->part, 3));
	KUNIT_EXPECT_FALSE(test, ovid_cpuid_xcr0_valid(f->part, 0));
	KUNIT_EXPECT_FALSE(test, ovid_cpuid_xcr0_valid(f->part, 2));
	KUNIT_EXPECT_FALSE(test, ovid_cpuid_xcr0_valid(f->part, 5));	/* AVX without SSE */
	KUNIT_EXPECT_FALSE(test, ovid_cpuid_xcr0_valid(f->part, 0x1b));	/* MPX */
	KUNIT_EXPECT_FALSE(test, ovid_cpuid_xcr0_valid(f->part, BIT_ULL(63) | 3));
	KUNIT_EXPECT_FALSE(test, ovid_xcr0_consistent(0x27));	/* a part of AVX-512 */
	KUNIT_EXPECT_FALSE(test, ovid_xcr0_consistent(0xe3));	/* AVX-512 without AVX */
	KUNIT_EXPECT_TRUE(test, ovid_xcr0_consistent(0xe7));
}

/* ---- what follows the VP --------------------------------------------------------- */

static void dynamic_bits(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, 0x23u, ask(f, 1, 0).ebx >> 24);
	KUNIT_EXPECT_EQ(test, 0x123u, ask(f, 0xb, 0).edx);
	KUNIT_EXPECT_EQ(test, 0x123u, ask(f, 0xb, 1).edx);
	KUNIT_EXPECT_EQ(test, 0x123u, ask(f, 0xb, 7).edx);
	KUNIT_EXPECT_EQ(test, 7u, ask(f, 0xb, 7).ecx);
	KUNIT_EXPECT_EQ(test, 0u, ask(f, 0xb, 7).eax | ask(f, 0xb, 7).ebx);

	KUNIT_EXPECT_FALSE(test, ask(f, 1, 0).ecx & BIT(27));
	KUNIT_EXPECT_FALSE(test, ask(f, 7, 0).ecx & BIT(4));
	f->vp->cr4 = X86_CR4_OSXSAVE;
	KUNIT_EXPECT_TRUE(test, ask(f, 1, 0).ecx & BIT(27));
	KUNIT_EXPECT_FALSE(test, ask(f, 7, 0).ecx & BIT(4));
	f->vp->cr4 = X86_CR4_PKE;
	KUNIT_EXPECT_FALSE(test, ask(f, 1, 0).ecx & BIT(27));
	KUNIT_EXPECT_TRUE(test, ask(f, 7, 0).ecx & BIT(4));

	KUNIT_EXPECT_TRUE(test, ask(f, 1, 0).edx & BIT(9));
	f->vp->apic.base &= ~BIT_ULL(11);
	KUNIT_EXPECT_FALSE(test, ask(f, 1, 0).edx & BIT(9));
}

static void xsave_sizes(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 all = ovid_cpuid_xcr0_allowed(f->part);
	u32 eax, ebx, ecx, edx;

	KUNIT_EXPECT_EQ(test, 576u, ovid_xsave_size(3, false));
	KUNIT_EXPECT_EQ(test, 576u, ovid_xsave_size(3, true));
	if (!all)
		kunit_skip(test, "the host has no XSAVE");
	KUNIT_EXPECT_EQ(test, 576u, ask(f, 0xd, 0).ebx);
	f->vp->xcr0 = all;
	KUNIT_EXPECT_EQ(test, ask(f, 0xd, 0).ecx, ask(f, 0xd, 0).ebx);
	/* as the CPU says, if the kernel uses nothing that we do not */
	if (xgetbv(XCR_XFEATURE_ENABLED_MASK) == all) {
		cpuid_count(0xd, 0, &eax, &ebx, &ecx, &edx);
		KUNIT_EXPECT_EQ(test, ebx, ask(f, 0xd, 0).ebx);
	}
	if (ask(f, 0xd, 1).eax & BIT(1)) {
		KUNIT_EXPECT_LE(test, ask(f, 0xd, 1).ebx, ask(f, 0xd, 0).ebx);
		KUNIT_EXPECT_GE(test, ask(f, 0xd, 1).ebx, 576u);
	}
}

static void absent_leaves(struct kunit *test)
{
	static const u32 beyond[] = { 0x17, 0x1f, 0x20, 0x100, 0x3fffffff, 0x80000009,
				      0x80001000, 0xbfffffff, 0xc0000000, 0xffffffff };
	static const u32 zero[] = { 3, 5, 8, 9, 0xa, 0xc, 0xe, 0x13, 0x14, 0x40000007,
				    0x40000010, 0x40000100, 0x7fffffff };
	struct fixture *f = test->priv;
	struct ovid_cpuid_regs last = ask(f, 0x16, 0), r;
	bool intel = boot_cpu_data.x86_vendor == X86_VENDOR_INTEL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		r = ask(f, beyond[i], 0);
		if (intel)
			KUNIT_EXPECT_MEMEQ(test, &r, &last, sizeof(r));
		else
			KUNIT_EXPECT_TRUE(test, all_zero(&r));
	}
	for (i = 0; i < ARRAY_SIZE(zero); i++) {
		r = ask(f, zero[i], 0);
		KUNIT_EXPECT_TRUE_MSG(test, all_zero(&r), "leaf %x", zero[i]);
	}
	r = ask(f, 4, 99);
	KUNIT_EXPECT_TRUE(test, all_zero(&r));
	r = ask(f, 7, 3);
	KUNIT_EXPECT_TRUE(test, all_zero(&r));
	r = ask(f, 0xd, 40);
	KUNIT_EXPECT_TRUE(test, all_zero(&r));
	/* a leaf without subleaves does not look at ECX */
	KUNIT_EXPECT_EQ(test, ask(f, 1, 0).ecx, ask(f, 1, 12345).ecx);
	KUNIT_EXPECT_EQ(test, ask(f, 0x80000008, 0).eax, ask(f, 0x80000008, 7).eax);
}

/* ---- get and set -------------------------------------------------------------------- */

static void get_arguments(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_cpuid arg = { .size = sizeof(arg), .count = 3 };
	u32 i;

	user_memory(test);
	arg.entries = (u64)(uintptr_t)f->user;
	KUNIT_EXPECT_EQ(test, -E2BIG, ovid_cpuid_get_table(f->part, &arg));
	KUNIT_EXPECT_GT(test, arg.count, 3u);
	arg.entries = ~0ull - 4096;
	KUNIT_EXPECT_EQ(test, -EFAULT, ovid_cpuid_get_table(f->part, &arg));
	arg.flags = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_cpuid_get_table(f->part, &arg));
	arg.flags = 0;
	arg.pad = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_cpuid_get_table(f->part, &arg));

	get_table(test);
	for (i = 0; i < f->count; i++) {
		KUNIT_EXPECT_EQ(test, 0u, f->entries[i].flags & ~OVID_CPUID_SUBLEAF);
		KUNIT_EXPECT_EQ(test, 0u, f->entries[i].pad);
		if (i)
			KUNIT_EXPECT_TRUE(test, f->entries[i - 1].leaf < f->entries[i].leaf ||
					  (f->entries[i - 1].leaf == f->entries[i].leaf &&
					   f->entries[i - 1].subleaf < f->entries[i].subleaf));
	}
}

static void set_what_get_gave(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_cpuid_regs before, after;
	u32 i;

	user_memory(test);
	get_table(test);
	before = ask(f, 7, 0);
	/* in any order, with run-time bits copied from a running CPU */
	for (i = 0; i < f->count / 2; i++)
		swap(f->entries[i], f->entries[f->count - 1 - i]);
	entry(f, 1, 0)->ecx |= BIT(27);
	entry(f, 7, 0)->ecx |= BIT(4);
	KUNIT_EXPECT_EQ(test, 0, set_table(test, f->count));
	after = ask(f, 7, 0);
	KUNIT_EXPECT_MEMEQ(test, &before, &after, sizeof(before));
	KUNIT_EXPECT_FALSE(test, ask(f, 1, 0).ecx & BIT(27));
	KUNIT_EXPECT_EQ(test, 0x123u, ask(f, 0xb, 1).edx);
	/* fewer features: what may be set follows */
	get_table(test);
	entry(f, 7, 0)->ebx = 0;
	entry(f, 1, 0)->edx &= ~BIT(13);
	KUNIT_EXPECT_EQ(test, 0, set_table(test, f->count));
	KUNIT_EXPECT_EQ(test, 0ull, ovid_cpuid_cr4_allowed(f->part) &
				    (X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PGE | X86_CR4_FSGSBASE));
	/* the least there can be */
	memset(f->entries, 0, sizeof(*f->entries));
	KUNIT_EXPECT_EQ(test, 0, set_table(test, 1));
	KUNIT_EXPECT_EQ(test, 36u, ovid_cpuid_phys_bits(f->part));
	KUNIT_EXPECT_EQ(test, 0ull, ovid_cpuid_efer_allowed(f->part));
	/* topology leaves of a worker */
	f->entries[0].eax = 0x1f;
	f->entries[1] = (struct ovid_cpuid_entry) { .leaf = 0x1f, .flags = OVID_CPUID_SUBLEAF,
						    .eax = 1, .ebx = 2, .ecx = 0x100 };
	KUNIT_EXPECT_EQ(test, 0, set_table(test, 2));
	KUNIT_EXPECT_EQ(test, 0x123u, ask(f, 0x1f, 0).edx);
	KUNIT_EXPECT_EQ(test, 2u, ask(f, 0x1f, 0).ebx);
}

static void set_refuses_bits(struct kunit *test)
{
	struct fixture *f = test->priv;
	size_t i;
	u32 bit;

	user_memory(test);
	for (i = 0; i < ARRAY_SIZE(never); i++) {
		for (bit = 0; bit < 32; bit++) {
			struct ovid_cpuid_entry *e;
			u32 *regs[4];

			if (!(never[i].mask & BIT(bit)))
				continue;
			get_table(test);
			e = entry(f, never[i].leaf, never[i].subleaf);
			if (!e) {
				e = &f->entries[f->count++];
				*e = (struct ovid_cpuid_entry) { .leaf = never[i].leaf };
			}
			regs[0] = &e->eax;
			regs[1] = &e->ebx;
			regs[2] = &e->ecx;
			regs[3] = &e->edx;
			*regs[never[i].reg] |= BIT(bit);
			KUNIT_EXPECT_EQ_MSG(test, -EINVAL, set_table(test, f->count),
					    "leaf %x.%u bit %u", never[i].leaf, never[i].subleaf, bit);
		}
	}
}

/* mshv's clients ask by synthetic features; no interface without the first two */
static void synthetic_features(struct kunit *test)
{
	const u64 interface = BIT(SYN_PRESENT) | BIT(SYN_HV1);
	struct fixture *f = test->priv;
	struct ovid_cpuid_regs all = ask(f, 0x40000003, 0), r;

	KUNIT_EXPECT_EQ(test, ovid_cpuid_hv_privileges(f->part), all.eax | (u64)all.ebx << 32);
	KUNIT_EXPECT_EQ(test, ovid_cpuid_hv_features(f->part), all.edx);
	KUNIT_EXPECT_FALSE(test, ovid_hv_synthetic() >> (SYN_VP_REGISTERS + 1));

	KUNIT_EXPECT_EQ(test, 0, ovid_cpuid_set_synthetic(f->part, interface | BIT(SYN_VP_INDEX)));
	r = ask(f, 0x40000003, 0);
	KUNIT_EXPECT_TRUE(test, r.eax & HV_PRIV_VP_INDEX);
	KUNIT_EXPECT_FALSE(test, r.eax & HV_PRIV_HYPERCALL_MSRS);
	KUNIT_EXPECT_FALSE(test, ovid_cpuid_hv_privileges(f->part) & HV_PRIV_HYPERCALL_MSRS);
	KUNIT_EXPECT_EQ(test, 0x40000006u, ask(f, 0x40000000, 0).eax);

	KUNIT_EXPECT_EQ(test, 0, ovid_cpuid_set_synthetic(f->part, ~interface));
	r = ask(f, 0x40000000, 0);
	KUNIT_EXPECT_TRUE(test, all_zero(&r));
	KUNIT_EXPECT_EQ(test, 0ull, ovid_cpuid_hv_privileges(f->part));

	/* extended hypercalls are not for them, whose memory is their own */
	KUNIT_EXPECT_EQ(test, 0, ovid_cpuid_set_synthetic(f->part, ovid_hv_synthetic()));
	r = ask(f, 0x40000003, 0);
	KUNIT_EXPECT_TRUE(test, all.ebx & BIT(20));
	all.ebx &= ~BIT(20);
	KUNIT_EXPECT_MEMEQ(test, &r, &all, sizeof(r));
}

/* a guest that can ask for an invariant TSC has none before it does */
static void invariant_tsc(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 host;

	user_memory(test);
	get_table(test);
	KUNIT_ASSERT_NOT_NULL(test, entry(f, 0x80000007, 0));
	host = ask(f, 0x80000007, 0).edx & BIT(8);
	entry(f, 0x40000003, 0)->eax |= HV_PRIV_TSC_INVARIANT;
	KUNIT_EXPECT_EQ(test, 0, set_table(test, f->count));
	KUNIT_EXPECT_EQ(test, 0u, ask(f, 0x80000007, 0).edx & BIT(8));
	f->part->hv.tsc_invariant = 1;
	KUNIT_EXPECT_EQ(test, host, ask(f, 0x80000007, 0).edx & BIT(8));
}

static void set_refuses_form(struct kunit *test)
{
	static const struct ovid_cpuid_entry bad[] = {
		{ .leaf = 0x40000003, .ebx = 1 },	/* the root's */
		{ .leaf = 0x40000003, .eax = BIT(8) },
		{ .leaf = 0x40000004, .eax = BIT(12) },
		{ .leaf = 0x40000007, .eax = 1 },
		{ .leaf = 0x4b4d564b, .eax = 1 },
		{ .leaf = 0x8000000a, .edx = 1 },
		{ .leaf = 0x8000001f, .eax = 2 },
		{ .leaf = 0x12345678, .ebx = 1 },
		{ .leaf = 2, .flags = 2 },
		{ .leaf = 2, .pad = 1 },
		{ .leaf = 2, .subleaf = 1 },
	};
	struct fixture *f = test->priv;
	struct ovid_cpuid arg = { .size = sizeof(arg), .count = 1, .entries = ~0ull - 4096 };
	size_t i;

	user_memory(test);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(f->entries, 0, sizeof(*f->entries));
		f->entries[1] = bad[i];
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, set_table(test, 2), "case %zu", i);
	}
	f->entries[1] = (struct ovid_cpuid_entry) { .leaf = 0x40000080, .ebx = 0x7263694d };
	KUNIT_EXPECT_EQ(test, 0, set_table(test, 2));
	KUNIT_EXPECT_EQ(test, 0x7263694du, ask(f, 0x40000080, 5).ebx);
	/* widths */
	f->entries[1] = (struct ovid_cpuid_entry) { .leaf = 0x80000008, .eax = 57 << 8 | 36 };
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, 2));
	f->entries[1].eax = 48 << 8 | 52;
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, 2));
	f->entries[1].eax = 48 << 8 | 36;
	KUNIT_EXPECT_EQ(test, 0, set_table(test, 2));
	/* duplicates, mixtures, no leaf 0, none, too many */
	f->entries[1] = (struct ovid_cpuid_entry) { .leaf = 4, .flags = OVID_CPUID_SUBLEAF };
	f->entries[2] = f->entries[1];
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, 3));
	f->entries[2].subleaf = 1;
	KUNIT_EXPECT_EQ(test, 0, set_table(test, 3));
	f->entries[1].flags = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, 3));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, 0));
	f->entries[0].leaf = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, 1));
	f->entries[0].leaf = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, OVID_MAX_CPUID + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, ~0u));
	mutex_lock(&f->part->lock);
	KUNIT_EXPECT_EQ(test, -EFAULT, ovid_cpuid_set_table(f->part, &arg));
	arg.flags = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_cpuid_set_table(f->part, &arg));
	mutex_unlock(&f->part->lock);
	/* what was set last still holds */
	KUNIT_EXPECT_EQ(test, 0u, ask(f, 0, 0).eax);
	f->part->has_run = true;
	KUNIT_EXPECT_EQ(test, -EBUSY, set_table(test, 1));
}

static void set_xstate(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_cpuid_entry *e;

	if (!(ovid_cpuid_xcr0_allowed(f->part) & BIT_ULL(2)))
		kunit_skip(test, "the host has no AVX");
	user_memory(test);
	get_table(test);
	e = entry(f, 0xd, 2);
	KUNIT_ASSERT_NOT_NULL(test, e);
	e->ebx += 64;
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, f->count));
	memset(&e->eax, 0, 16);
	KUNIT_EXPECT_EQ(test, 0, set_table(test, f->count));
	e = entry(f, 0xd, 0);
	e->eax = 5;		/* AVX without SSE */
	KUNIT_EXPECT_EQ(test, -EINVAL, set_table(test, f->count));
	e->eax = 3;
	KUNIT_EXPECT_EQ(test, 0, set_table(test, f->count));
	KUNIT_EXPECT_EQ(test, 3ull, ovid_cpuid_xcr0_allowed(f->part));
}

/* ---- clear, overrides -------------------------------------------------------------------- */

static void clear_bits(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, 0, ovid_cpuid_clear(f->part, 1, 0, OVID_EDX, BIT(13)));
	KUNIT_EXPECT_FALSE(test, ovid_cpuid_has(f->part, 1, 0, OVID_EDX, 13));
	KUNIT_EXPECT_EQ(test, 0ull, ovid_cpuid_cr4_allowed(f->part) & X86_CR4_PGE);
	KUNIT_EXPECT_EQ(test, 0, ovid_cpuid_clear(f->part, 1, 0, OVID_EDX, BIT(13)));
	KUNIT_EXPECT_EQ(test, 0, ovid_cpuid_clear(f->part, 0x12345, 0, OVID_EDX, ~0u));
	KUNIT_EXPECT_TRUE(test, ask(f, 1, 0).edx & BIT(9));
	KUNIT_EXPECT_EQ(test, 0x23u, ask(f, 1, 0).ebx >> 24);
}

static int override(struct fixture *f, struct ovid_vp *vp, u32 leaf, s64 subleaf,
		    u32 val, u32 mask)
{
	struct ovid_cpuid_regs v = { val, val, val, val }, m = { mask, mask, mask, mask };
	int ret;

	mutex_lock(&f->part->lock);
	ret = ovid_cpuid_override(f->part, vp, leaf, subleaf < 0 ? 0 : subleaf,
				  subleaf >= 0, &v, &m);
	mutex_unlock(&f->part->lock);
	return ret;
}

static void overrides(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_cpuid_regs r, was = ask(f, 2, 0);

	/* each VP has its own, all have the common one */
	KUNIT_EXPECT_EQ(test, 0, override(f, f->vp, 2, -1, 0x11111111, 0xffff0000));
	KUNIT_EXPECT_EQ(test, 0x11110000u | (was.eax & 0xffff), ask(f, 2, 0).eax);
	ovid_cpuid(f->vp2, 2, 0, &r);
	KUNIT_EXPECT_EQ(test, was.eax, r.eax);
	KUNIT_EXPECT_EQ(test, 0, override(f, NULL, 2, -1, 0x2222, 0x0000ffff));
	KUNIT_EXPECT_EQ(test, 0x11112222u, ask(f, 2, 0).eax);
	ovid_cpuid(f->vp2, 2, 0, &r);
	KUNIT_EXPECT_EQ(test, (was.eax & 0xffff0000) | 0x2222, r.eax);
	/* again: replaced */
	KUNIT_EXPECT_EQ(test, 0, override(f, f->vp, 2, -1, 0x33, 0xff));
	KUNIT_EXPECT_EQ(test, (was.eax & 0xffff0000) | 0x2233, ask(f, 2, 0).eax);
	KUNIT_EXPECT_EQ(test, 2u, f->part->cpuid.nr_overrides);
	/* one subleaf, and one that is not in the table */
	KUNIT_EXPECT_EQ(test, 0, override(f, NULL, 0xb, 1, 0x44, ~0u));
	KUNIT_EXPECT_EQ(test, 0x44u, ask(f, 0xb, 1).eax);
	KUNIT_EXPECT_EQ(test, 0x123u, ask(f, 0xb, 1).edx);	/* still the VP's id */
	KUNIT_EXPECT_EQ(test, 0u, ask(f, 0xb, 0).eax);
	KUNIT_EXPECT_EQ(test, 0, override(f, NULL, 0x40000080, -1, 0x55, ~0u));
	KUNIT_EXPECT_EQ(test, 0x55u, ask(f, 0x40000080, 0).ecx);
	/* they survive a new table */
	KUNIT_EXPECT_EQ(test, 0, ovid_cpuid_clear(f->part, 1, 0, OVID_EDX, BIT(13)));
	KUNIT_EXPECT_EQ(test, 0x44u, ask(f, 0xb, 1).eax);
}

/* forcing bits on gives nothing that is not virtualized, and takes nothing away */
static void overrides_are_cut(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_cpuid_regs was[3], now;
	u32 i, leaf;

	for (i = 0; i < 3; i++)
		was[i] = ask(f, 7, i);
	KUNIT_EXPECT_EQ(test, 0, override(f, f->vp, 7, -1, ~0u, ~0u));
	for (i = 0; i < 3; i++) {
		now = ask(f, 7, i);
		KUNIT_EXPECT_EQ(test, was[i].ebx, now.ebx);
		KUNIT_EXPECT_EQ(test, was[i].ecx, now.ecx);
		KUNIT_EXPECT_EQ(test, was[i].edx, now.edx);
	}
	KUNIT_EXPECT_EQ(test, 0, override(f, NULL, 1, -1, ~0u, ~0u));
	KUNIT_EXPECT_EQ(test, 0u, ask(f, 1, 0).ecx & (BIT(5) | BIT(3)));
	KUNIT_EXPECT_FALSE(test, ask(f, 1, 0).ecx & BIT(27));
	for (leaf = 0x40000000; leaf < 0x40000010; leaf++) {
		struct ovid_cpuid_regs before = ask(f, leaf, 0);

		KUNIT_EXPECT_EQ(test, 0, override(f, f->vp, leaf, -1, ~0u, ~0u));
		now = ask(f, leaf, 0);
		KUNIT_EXPECT_MEMEQ(test, &now, &before, sizeof(now));
	}
	/* off is always possible */
	KUNIT_EXPECT_EQ(test, 0, override(f, NULL, 7, 0, 0, ~0u));
	KUNIT_EXPECT_EQ(test, 0, override(f, f->vp, 7, -1, 0, ~0u));
	now = ask(f, 7, 0);
	KUNIT_EXPECT_TRUE(test, all_zero(&now));
}

static void overrides_have_an_end(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i, n = 0;

	for (i = 0; i < 5000; i++)
		n += !override(f, NULL, i, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, 4096u, n);
	KUNIT_EXPECT_EQ(test, -ENOSPC, override(f, f->vp, 1, -1, 0, 1));
	KUNIT_EXPECT_EQ(test, 0, override(f, NULL, 17, 0, 0, 2));
}

/* the index finds what a plain look through the table finds */
static void lookup_agrees(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i, leaf, subleaf;

	user_memory(test);
	get_table(test);
	for (i = 0; i < 4 * 0x40 * 6; i++) {
		struct ovid_cpuid_entry *e;
		struct ovid_cpuid_regs r;

		subleaf = i % 6;
		leaf = i / 6 % 0x40 | (i / 6 / 0x40) << 30;
		e = entry(f, leaf, subleaf);
		if (!e) {
			e = entry(f, leaf, 0);
			if (!e || e->flags & OVID_CPUID_SUBLEAF)
				continue;
		}
		if (leaf == 1 || leaf == 7 || leaf == 0xb || leaf == 0xd)
			continue;
		r = ask(f, leaf, subleaf);
		KUNIT_EXPECT_TRUE_MSG(test, r.eax == e->eax && r.ebx == e->ebx &&
				      r.ecx == e->ecx && r.edx == e->edx,
				      "leaf %x.%u", leaf, subleaf);
	}
}

static struct kunit_case cpuid_cases[] = {
	KUNIT_CASE(default_bits),
	KUNIT_CASE(default_frame),
	KUNIT_CASE(x2apic_is_a_choice),
	KUNIT_CASE(derived),
	KUNIT_CASE(xcr0_values),
	KUNIT_CASE(dynamic_bits),
	KUNIT_CASE(xsave_sizes),
	KUNIT_CASE(absent_leaves),
	KUNIT_CASE(get_arguments),
	KUNIT_CASE(set_what_get_gave),
	KUNIT_CASE_SLOW(set_refuses_bits),
	KUNIT_CASE(synthetic_features),
	KUNIT_CASE(invariant_tsc),
	KUNIT_CASE(set_refuses_form),
	KUNIT_CASE(set_xstate),
	KUNIT_CASE(clear_bits),
	KUNIT_CASE(overrides),
	KUNIT_CASE(overrides_are_cut),
	KUNIT_CASE_SLOW(overrides_have_an_end),
	KUNIT_CASE(lookup_agrees),
	{}
};

static struct kunit_suite cpuid_suite = {
	.name = "ovid_cpuid",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = cpuid_cases,
};
kunit_test_suite(cpuid_suite);

MODULE_DESCRIPTION("cases for the CPUID policy");
MODULE_LICENSE("GPL");
