// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for msr.c: every MSR that is there, what each refuses, what goes on to
 * the APIC, the clock and the backend, and the policy for all the others.
 */
#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include "msr.c"

#define CANONICAL	0xffff800000000000ull
#define NOT_CANONICAL	0x0000800000000000ull

/* ---- what msr.c asks of others ------------------------------------------------ */

static struct {
	bool rdtscp, xsaves, arch_caps, synthetic;
	u64 xss_allowed;
	u64 tsc;			/* the guest's, standing still */
	unsigned int loads;		/* calls of msr_set */
	u32 last_msr;
	u64 last_val;
	u64 field[8];			/* what the backend keeps: msr_field() */
	u64 efer;
	int refuse;			/* by msr_set and the APIC */
	u32 apic_msr;
	u64 apic_val;
	unsigned int base_guest, base_host;
	u64 deadline_host;
} fake;

bool ovid_cpuid_has(struct ovid_partition *part, u32 leaf, u32 subleaf,
		    enum ovid_cpuid_reg reg, unsigned int bit)
{
	if (leaf == 0x80000001)
		return fake.rdtscp && bit == 27;
	if (leaf == 0xd)
		return fake.xsaves && subleaf == 1 && bit == 3;
	return leaf == 7 && reg == OVID_EDX && bit == 29 && fake.arch_caps;
}

u64 ovid_cpuid_xss_allowed(struct ovid_partition *part)
{
	return fake.xss_allowed;
}

unsigned int ovid_cpuid_phys_bits(struct ovid_partition *part)
{
	return 40;
}

u64 ovid_part_guest_tsc(struct ovid_partition *part)
{
	return fake.tsc;
}

void ovid_part_set_guest_tsc(struct ovid_partition *part, u64 tsc)
{
	fake.tsc = tsc;
}

int ovid_lapic_msr_read(struct ovid_vp *vp, u32 msr, u64 *val)
{
	fake.apic_msr = msr;
	*val = 0xa71c;
	return fake.refuse;
}

int ovid_lapic_msr_write(struct ovid_vp *vp, u32 msr, u64 val)
{
	fake.apic_msr = msr;
	fake.apic_val = val;
	return fake.refuse;
}

int ovid_lapic_set_base(struct ovid_vp *vp, u64 base)
{
	fake.base_guest++;
	vp->apic.base = base;
	return fake.refuse;
}

void ovid_lapic_host_set_tscdeadline(struct ovid_vp *vp, u64 tsc)
{
	fake.deadline_host = tsc;
}

int ovid_lapic_host_set_base(struct ovid_vp *vp, u64 base)
{
	fake.base_host++;
	vp->apic.base = base;
	return fake.refuse;
}

/* synthetic ones are passed on whole */
int ovid_hv_msr_read(struct ovid_vp *vp, u32 msr, u64 *val)
{
	if (!fake.synthetic)
		return OVID_MSR_ABSENT;
	*val = msr;
	return msr == HV_MSR_GUEST_IDLE ? OVID_MSR_IDLE : OVID_MSR_OK;
}

int ovid_hv_msr_host_read(struct ovid_vp *vp, u32 msr, u64 *val)
{
	*val = ~msr;
	return OVID_MSR_OK;
}

int ovid_hv_msr_write(struct ovid_vp *vp, u32 msr, u64 val, enum ovid_msr_by by)
{
	if (by != OVID_MSR_BY_GUEST)
		return msr == HV_MSR_HYPERCALL ? OVID_MSR_OK : OVID_MSR_ABSENT;
	return fake.synthetic && msr == HV_MSR_HYPERCALL ? OVID_MSR_SLOW : OVID_MSR_ABSENT;
}

int ovid_hv_msr_write_slow(struct ovid_vp *vp, u32 msr, u64 val)
{
	return val ? OVID_MSR_OK : OVID_MSR_GP;
}

static u64 *msr_field(u32 msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return &fake.field[0];
	case MSR_GS_BASE:
		return &fake.field[1];
	case MSR_IA32_SYSENTER_CS:
		return &fake.field[2];
	case MSR_IA32_SYSENTER_EIP:
		return &fake.field[3];
	case MSR_IA32_SYSENTER_ESP:
		return &fake.field[4];
	case MSR_IA32_DEBUGCTLMSR:
		return &fake.field[5];
	case MSR_EFER:
		return &fake.efer;
	default:
		return NULL;
	}
}

static int fake_msr_get(struct ovid_vp *vp, u32 msr, u64 *val)
{
	u64 *field = msr_field(msr);

	if (!field)
		return -ENOENT;
	*val = *field;
	return 0;
}

static int fake_msr_set(struct ovid_vp *vp, u32 msr, u64 val)
{
	u64 *field = msr_field(msr);

	fake.loads++;
	fake.last_msr = msr;
	fake.last_val = val;
	if (fake.refuse)
		return -EINVAL;
	if (field)
		*field = val;
	return field ? 0 : -ENOENT;
}

static int fake_reg_set(struct ovid_vp *vp, u32 name, const u64 val[2])
{
	if (name != HV_X64_REGISTER_EFER || fake.refuse)
		return -EINVAL;
	fake.efer = val[0];
	return 0;
}

static int fake_reg_check(struct ovid_vp *vp, u32 name, const u64 val[2])
{
	return fake.refuse || val[0] & BIT_ULL(63) ? -EINVAL : 0;
}

static struct ovid_backend_ops fake_backend = {
	.reg_check = fake_reg_check,
	.msr_get = fake_msr_get,
	.msr_set = fake_msr_set,
	.reg_set = fake_reg_set,
};
struct ovid_backend_ops *ovid_backend = &fake_backend;

/* ---- fixture --------------------------------------------------------------------- */

struct fixture {
	struct ovid_partition *part;
	struct ovid_vp *vp, *vp2;
};

static int fixture_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->part = kunit_kzalloc(test, sizeof(*f->part), GFP_KERNEL);
	f->vp = kunit_kzalloc(test, sizeof(*f->vp), GFP_KERNEL);
	f->vp2 = kunit_kzalloc(test, sizeof(*f->vp2), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->part);
	KUNIT_ASSERT_NOT_NULL(test, f->vp);
	KUNIT_ASSERT_NOT_NULL(test, f->vp2);
	f->vp->part = f->part;
	f->vp2->part = f->part;
	f->part->vps[0] = f->vp;
	f->part->vps[7] = f->vp2;
	memset(&fake, 0, sizeof(fake));
	fake.rdtscp = true;
	fake.xsaves = true;
	ovid_msr_reset(f->vp);
	ovid_msr_reset(f->vp2);
	test->priv = f;
	return 0;
}

static void fixture_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (f && f->part)
		ovid_msr_fini(f->part);
	rcu_barrier();
}

#define EXPECT_READ(msr, want) do {						\
	u64 __val = 0xa5a5a5a5a5a5a5a5ull;					\
	KUNIT_EXPECT_EQ_MSG(test, (int)OVID_MSR_OK,				\
			    (int)ovid_msr_read(f->vp, msr, &__val), "msr %x", msr); \
	KUNIT_EXPECT_EQ_MSG(test, (u64)(want), __val, "msr %x", msr);		\
} while (0)

#define EXPECT_RESULT(msr, val, want)						\
	KUNIT_EXPECT_EQ_MSG(test, (int)(want), (int)ovid_msr_write(f->vp, msr, val), \
			    "msr %x value %llx", msr, (u64)(val))
#define EXPECT_WRITE(msr, val)	EXPECT_RESULT(msr, val, OVID_MSR_OK)
#define EXPECT_GP(msr, val)	EXPECT_RESULT(msr, val, OVID_MSR_GP)

static void expect_absent(struct kunit *test, u32 msr)
{
	struct fixture *f = test->priv;
	u64 val;

	KUNIT_EXPECT_EQ_MSG(test, (int)OVID_MSR_GP, (int)ovid_msr_read(f->vp, msr, &val),
			    "msr %x", msr);
	KUNIT_EXPECT_EQ_MSG(test, (int)OVID_MSR_GP, (int)ovid_msr_write(f->vp, msr, 0),
			    "msr %x", msr);
	KUNIT_EXPECT_EQ_MSG(test, (int)OVID_MSR_GP, (int)ovid_msr_host_read(f->vp, msr, &val),
			    "msr %x", msr);
	KUNIT_EXPECT_EQ_MSG(test, (int)OVID_MSR_GP, (int)ovid_msr_host_write(f->vp, msr, 0),
			    "msr %x", msr);
}

/* ---- cases ------------------------------------------------------------------------- */

static void reset_values(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	EXPECT_READ(MSR_IA32_CR_PAT, 0x0007040600070406ull);
	EXPECT_READ(MSR_MTRRdefType, 0);
	EXPECT_READ(MSR_MTRRcap, 0x508);
	EXPECT_READ(MSR_IA32_FEAT_CTL, 1);		/* locked, no VMX */
	EXPECT_READ(MSR_IA32_MISC_ENABLE, 0x1801);	/* fast strings, no BTS, no PEBS */
	EXPECT_READ(MSR_IA32_MCG_CAP, OVID_NR_MC_BANKS);
	EXPECT_READ(MSR_IA32_TSC_ADJUST, 0);
	EXPECT_READ(MSR_IA32_UCODE_REV, (u64)boot_cpu_data.microcode << 32);
	EXPECT_READ(MSR_PLATFORM_INFO, 0);
	EXPECT_READ(MSR_IA32_PLATFORM_ID, 0);
	EXPECT_READ(MSR_MISC_FEATURES_ENABLES, 0);
	for (i = 0; i < 16; i++)
		EXPECT_READ(0x200 + i, 0);
	for (i = 0; i < 4 * OVID_NR_MC_BANKS; i++)
		EXPECT_READ(MSR_IA32_MC0_CTL + i, 0);
}

/* these and no others: everything that is not virtualized faults */
static void all_numbers(struct kunit *test)
{
	static const struct { u32 first, last; } there[] = {
		{ 0x10, 0x10 }, { 0x17, 0x17 }, { 0x1b, 0x1b }, { 0x3a, 0x3b }, { 0x8b, 0x8b },
		{ 0xce, 0xce }, { 0xfe, 0xfe }, { 0x140, 0x140 }, { 0x174, 0x176 },
		{ 0x179, 0x17a }, { 0x1a0, 0x1a0 }, { 0x1d9, 0x1d9 }, { 0x200, 0x20f },
		{ 0x250, 0x250 }, { 0x258, 0x259 }, { 0x268, 0x26f }, { 0x277, 0x277 },
		{ 0x2ff, 0x2ff }, { 0x400, 0x40f }, { 0x6e0, 0x6e0 }, { 0x800, 0x8ff },
		{ 0xda0, 0xda0 }, { 0xc0000080, 0xc0000084 }, { 0xc0000100, 0xc0000103 },
	};
	static const u32 from[] = { 0, 0x40000000, 0x4b564d00, 0xbffff000, 0xc0010000, 0xfffff000 };
	struct fixture *f = test->priv;
	unsigned int i, k, n;

	for (i = 0; i < ARRAY_SIZE(from); i++) {
		for (n = 0; n < 0x2000; n++) {
			u32 msr = from[i] + n;
			bool want = false;
			u64 val;

			for (k = 0; k < ARRAY_SIZE(there); k++)
				want |= msr >= there[k].first && msr <= there[k].last;
			KUNIT_EXPECT_EQ_MSG(test, want ? OVID_MSR_OK : OVID_MSR_GP,
					    (int)ovid_msr_read(f->vp, msr, &val), "msr %x", msr);
			if (!want)
				KUNIT_EXPECT_EQ_MSG(test, (int)OVID_MSR_GP,
						    (int)ovid_msr_write(f->vp, msr, 0),
						    "msr %x", msr);
		}
	}
}

static void synthetic(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 val;

	EXPECT_GP(HV_MSR_HYPERCALL, 1);
	fake.synthetic = true;
	EXPECT_READ(HV_MSR_FIRST, HV_MSR_FIRST);
	EXPECT_READ(HV_MSR_LAST, HV_MSR_LAST);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_IDLE, (int)ovid_msr_read(f->vp, HV_MSR_GUEST_IDLE, &val));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_SLOW, (int)ovid_msr_write(f->vp, HV_MSR_HYPERCALL, 1));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK, (int)ovid_msr_write_slow(f->vp, HV_MSR_HYPERCALL, 1));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP, (int)ovid_msr_write_slow(f->vp, HV_MSR_HYPERCALL, 0));
	/* the host, privileges or not */
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK, (int)ovid_msr_host_read(f->vp, HV_MSR_EOI, &val));
	KUNIT_EXPECT_EQ(test, (u32)~HV_MSR_EOI, (u32)val);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK, (int)ovid_msr_host_write(f->vp, HV_MSR_HYPERCALL, 1));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP, (int)ovid_msr_host_check(f->vp, HV_MSR_EOI, 1));
}

static void read_only(struct kunit *test)
{
	static const u32 msrs[] = { MSR_MTRRcap, MSR_IA32_MCG_CAP, MSR_PLATFORM_INFO,
				    MSR_IA32_PLATFORM_ID, MSR_IA32_FEAT_CTL };
	struct fixture *f = test->priv;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		EXPECT_GP(msrs[i], 0);
		EXPECT_GP(msrs[i], 5);
	}
	EXPECT_WRITE(MSR_MISC_FEATURES_ENABLES, 0);
	EXPECT_GP(MSR_MISC_FEATURES_ENABLES, 1);
	EXPECT_WRITE(MSR_IA32_UCODE_REV, 0);	/* asks for the revision */
	EXPECT_READ(MSR_IA32_UCODE_REV, (u64)boot_cpu_data.microcode << 32);
	EXPECT_WRITE(MSR_IA32_MISC_ENABLE, 0);
	EXPECT_READ(MSR_IA32_MISC_ENABLE, 0x1800);
	EXPECT_WRITE(MSR_IA32_MISC_ENABLE, ~0ull);
	EXPECT_READ(MSR_IA32_MISC_ENABLE, 0x1801);
}

static void syscall_msrs(struct kunit *test)
{
	static const struct { u32 msr; bool canonical; u64 reserved; } msrs[] = {
		{ MSR_STAR, false, 0 },
		{ MSR_LSTAR, true, 0 },
		{ MSR_CSTAR, true, 0 },
		{ MSR_SYSCALL_MASK, false, GENMASK_ULL(63, 32) },
		{ MSR_KERNEL_GS_BASE, true, 0 },
		{ MSR_TSC_AUX, false, GENMASK_ULL(63, 32) },
	};
	struct fixture *f = test->priv;
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		u64 good = msrs[i].reserved ? 0x12345678 : CANONICAL | 0x123456;

		EXPECT_WRITE(msrs[i].msr, good);
		EXPECT_READ(msrs[i].msr, good);
		KUNIT_EXPECT_EQ(test, i + 1, fake.loads);	/* the backend heard of it */
		KUNIT_EXPECT_EQ(test, msrs[i].msr, fake.last_msr);
		KUNIT_EXPECT_EQ(test, good, fake.last_val);
		if (msrs[i].canonical)
			EXPECT_GP(msrs[i].msr, NOT_CANONICAL);
		for (bit = 0; bit < 64; bit++)
			if (msrs[i].reserved & BIT_ULL(bit))
				EXPECT_GP(msrs[i].msr, BIT_ULL(bit));
		EXPECT_READ(msrs[i].msr, good);
		KUNIT_EXPECT_EQ(test, i + 1, fake.loads);
	}
	fake.rdtscp = false;
	expect_absent(test, MSR_TSC_AUX);
}

static void backend_fields(struct kunit *test)
{
	static const struct { u32 msr; bool canonical; } msrs[] = {
		{ MSR_FS_BASE, true }, { MSR_GS_BASE, true }, { MSR_IA32_SYSENTER_CS, false },
		{ MSR_IA32_SYSENTER_EIP, true }, { MSR_IA32_SYSENTER_ESP, true },
	};
	struct fixture *f = test->priv;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		EXPECT_WRITE(msrs[i].msr, CANONICAL + i);
		EXPECT_READ(msrs[i].msr, CANONICAL + i);
		KUNIT_EXPECT_EQ(test, CANONICAL + i, *msr_field(msrs[i].msr));
		if (msrs[i].canonical)
			EXPECT_GP(msrs[i].msr, NOT_CANONICAL);
	}
	EXPECT_WRITE(MSR_EFER, 0x501);
	EXPECT_READ(MSR_EFER, 0x501);
	fake.refuse = 1;
	EXPECT_GP(MSR_EFER, 0xd01);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP, (int)ovid_msr_host_write(f->vp, MSR_EFER, 0xd01));
	fake.refuse = 0;
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK, (int)ovid_msr_host_write(f->vp, MSR_EFER, 0xd01));
	EXPECT_READ(MSR_EFER, 0xd01);
	/* LBR is asked for and not had; BTF is; others fault */
	EXPECT_WRITE(MSR_IA32_DEBUGCTLMSR, 3);
	EXPECT_READ(MSR_IA32_DEBUGCTLMSR, 2);
	EXPECT_WRITE(MSR_IA32_DEBUGCTLMSR, 0);
	EXPECT_READ(MSR_IA32_DEBUGCTLMSR, 0);
	EXPECT_GP(MSR_IA32_DEBUGCTLMSR, 4);
	EXPECT_GP(MSR_IA32_DEBUGCTLMSR, BIT_ULL(63));
}

static void memory_types(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int type, byte;

	for (byte = 0; byte < 8; byte++) {
		for (type = 0; type < 256; type++) {
			bool mtrr = type < 7 && type != 2 && type != 3;
			bool pat = type < 8 && type != 2 && type != 3;
			u64 val = (u64)type << (8 * byte);

			EXPECT_RESULT(MSR_IA32_CR_PAT, val, pat ? OVID_MSR_OK : OVID_MSR_GP);
			EXPECT_RESULT(0x250, val, mtrr ? OVID_MSR_OK : OVID_MSR_GP);
			if (byte)
				continue;
			EXPECT_RESULT(MSR_MTRRdefType, val, mtrr ? OVID_MSR_OK : OVID_MSR_GP);
			EXPECT_RESULT(0x200, val, mtrr ? OVID_MSR_OK : OVID_MSR_GP);
		}
	}
	EXPECT_WRITE(MSR_IA32_CR_PAT, 0x0007040600070406ull);
	KUNIT_EXPECT_EQ(test, 0x0007040600070406ull, fake.last_val);
	EXPECT_WRITE(MSR_MTRRdefType, 0xc06);
	EXPECT_READ(MSR_MTRRdefType, 0xc06);
	EXPECT_GP(MSR_MTRRdefType, 0x1c06);
	EXPECT_GP(MSR_MTRRdefType, 0x100);
	EXPECT_GP(MSR_MTRRdefType, BIT_ULL(63));
}

/* all of them are different registers */
static void mtrr_numbers(struct kunit *test)
{
	static const u32 fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c,
				     0x26d, 0x26e, 0x26f };
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 0; i < OVID_NR_VAR_MTRR; i++) {
		EXPECT_WRITE(0x200 + 2 * i, 0x1000ull * i | 6);
		EXPECT_WRITE(0x201 + 2 * i, 0xff00000000ull | 0x1000ull * i | 0x800);
	}
	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		EXPECT_WRITE(fixed[i], 0x0606060606060600ull | (i & 1) | (u64)(i & 6 ? 4 : 0) << 8);
	for (i = 0; i < OVID_NR_VAR_MTRR; i++) {
		EXPECT_READ(0x200 + 2 * i, 0x1000ull * i | 6);
		EXPECT_READ(0x201 + 2 * i, 0xff00000000ull | 0x1000ull * i | 0x800);
	}
	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		EXPECT_WRITE(fixed[i], 0x0101010101010101ull);
		KUNIT_EXPECT_EQ(test, 0x0101010101010101ull, f->vp->msrs.mtrr_fixed[i]);
	}
	EXPECT_GP(0x200, 0x100);		/* reserved */
	EXPECT_GP(0x200, BIT_ULL(40));		/* beyond the address width */
	EXPECT_GP(0x201, 0x400);
	EXPECT_GP(0x201, BIT_ULL(40) | 0x800);
	EXPECT_WRITE(0x201, BIT_ULL(39) | 0x800);
}

static void machine_check(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i, k;

	for (i = 0; i < OVID_NR_MC_BANKS; i++) {
		EXPECT_WRITE(MSR_IA32_MC0_CTL + 4 * i, ~0ull - i);
		EXPECT_READ(MSR_IA32_MC0_CTL + 4 * i, ~0ull - i);
		for (k = 1; k < 4; k++) {
			EXPECT_WRITE(MSR_IA32_MC0_CTL + 4 * i + k, 0);
			EXPECT_GP(MSR_IA32_MC0_CTL + 4 * i + k, 1);
			EXPECT_READ(MSR_IA32_MC0_CTL + 4 * i + k, 0);
		}
	}
	EXPECT_WRITE(MSR_IA32_MCG_STATUS, 5);
	EXPECT_READ(MSR_IA32_MCG_STATUS, 5);
	EXPECT_GP(MSR_IA32_MCG_STATUS, 8);
	expect_absent(test, MSR_IA32_MCG_CTL);
	expect_absent(test, MSR_IA32_MC0_CTL + 4 * OVID_NR_MC_BANKS);
	expect_absent(test, MSR_IA32_MC0_CTL2);
}

static void local_apic(struct kunit *test)
{
	struct fixture *f = test->priv;

	EXPECT_READ(0x802, 0xa71c);
	KUNIT_EXPECT_EQ(test, 0x802u, fake.apic_msr);
	EXPECT_WRITE(0x8ff, 0x123);
	KUNIT_EXPECT_EQ(test, 0x8ffu, fake.apic_msr);
	KUNIT_EXPECT_EQ(test, 0x123ull, fake.apic_val);
	EXPECT_WRITE(MSR_IA32_TSC_DEADLINE, 77);
	KUNIT_EXPECT_EQ(test, (u32)MSR_IA32_TSC_DEADLINE, fake.apic_msr);
	/* the host's does not depend on the timer's mode */
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK,
			(int)ovid_msr_host_write(f->vp, MSR_IA32_TSC_DEADLINE, 88));
	KUNIT_EXPECT_EQ(test, 88ull, fake.deadline_host);
	KUNIT_EXPECT_EQ(test, 77ull, fake.apic_val);
	EXPECT_WRITE(MSR_IA32_APICBASE, 0xfee00900);
	EXPECT_READ(MSR_IA32_APICBASE, 0xfee00900);
	KUNIT_EXPECT_EQ(test, 1u, fake.base_guest);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK,
			(int)ovid_msr_host_write(f->vp, MSR_IA32_APICBASE, 0xfee00d00));
	KUNIT_EXPECT_EQ(test, 1u, fake.base_host);
	fake.refuse = 1;
	EXPECT_GP(MSR_IA32_APICBASE, 0xfee00900);
	EXPECT_GP(0x830, 1);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP, (int)ovid_msr_read(f->vp, 0x802, &fake.apic_val));
}

static void time(struct kunit *test)
{
	struct fixture *f = test->priv;

	fake.tsc = 1000;
	EXPECT_READ(MSR_IA32_TSC, 1000);
	EXPECT_WRITE(MSR_IA32_TSC, 400);
	EXPECT_READ(MSR_IA32_TSC, 400);
	EXPECT_READ(MSR_IA32_TSC_ADJUST, -600ll);
	/* one clock: the other VP sees the same */
	KUNIT_EXPECT_EQ(test, (u64)-600ll, f->vp2->msrs.tsc_adjust);
	EXPECT_WRITE(MSR_IA32_TSC_ADJUST, 0);
	EXPECT_READ(MSR_IA32_TSC, 1000);
	KUNIT_EXPECT_EQ(test, 0ull, f->vp2->msrs.tsc_adjust);
	/* the host's writes do not move each other */
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK,
			(int)ovid_msr_host_write(f->vp, MSR_IA32_TSC_ADJUST, 5));
	EXPECT_READ(MSR_IA32_TSC, 1000);
	KUNIT_EXPECT_EQ(test, 0ull, f->vp2->msrs.tsc_adjust);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK,
			(int)ovid_msr_host_write(f->vp, MSR_IA32_TSC, 9000));
	EXPECT_READ(MSR_IA32_TSC, 9000);
	EXPECT_READ(MSR_IA32_TSC_ADJUST, 5);
}

static void xss(struct kunit *test)
{
	struct fixture *f = test->priv;

	EXPECT_WRITE(MSR_IA32_XSS, 0);
	EXPECT_GP(MSR_IA32_XSS, BIT_ULL(11));
	fake.xss_allowed = BIT_ULL(11);
	EXPECT_WRITE(MSR_IA32_XSS, BIT_ULL(11));
	EXPECT_READ(MSR_IA32_XSS, BIT_ULL(11));
	KUNIT_EXPECT_EQ(test, BIT_ULL(11), f->vp->xss);
	fake.xsaves = false;
	expect_absent(test, MSR_IA32_XSS);
}

static void host_only(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 val;

	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK,
			(int)ovid_msr_host_write(f->vp, MSR_IA32_UCODE_REV, 0x12300000000ull));
	EXPECT_READ(MSR_IA32_UCODE_REV, 0x12300000000ull);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK, (int)ovid_msr_host_write(f->vp, MSR_IA32_FEAT_CTL, 0));
	EXPECT_GP(MSR_IA32_FEAT_CTL, 5);	/* VMX */
	EXPECT_WRITE(MSR_IA32_FEAT_CTL, 1);
	EXPECT_GP(MSR_IA32_FEAT_CTL, 0);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP, (int)ovid_msr_host_write(f->vp, MSR_IA32_FEAT_CTL, 5));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP, (int)ovid_msr_host_write(f->vp, MSR_LSTAR, NOT_CANONICAL));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK, (int)ovid_msr_host_read(f->vp, MSR_LSTAR, &val));

	expect_absent(test, MSR_IA32_ARCH_CAPABILITIES);
	fake.arch_caps = true;
	EXPECT_READ(MSR_IA32_ARCH_CAPABILITIES, f->vp->msrs.arch_capabilities);
	/* nothing that stands for an MSR that is not there: IBRS, TSX_CTRL, GDS_CTRL ... */
	KUNIT_EXPECT_EQ(test, 0ull, (ARCH_CAPS_SHOWN | f->vp->msrs.arch_capabilities) &
				    (BIT_ULL(1) | BIT_ULL(7) | BIT_ULL(18) | BIT_ULL(25)));
	EXPECT_GP(MSR_IA32_ARCH_CAPABILITIES, 0);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK,
			(int)ovid_msr_host_write(f->vp, MSR_IA32_ARCH_CAPABILITIES, 0));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP,
			(int)ovid_msr_host_write(f->vp, MSR_IA32_ARCH_CAPABILITIES, BIT_ULL(1)));
}

/* a check says what the write would say, and leaves everything as it was */
static void host_check(struct kunit *test)
{
	static const u32 msrs[] = {
		MSR_IA32_TSC, MSR_IA32_TSC_ADJUST, MSR_IA32_TSC_DEADLINE, MSR_IA32_APICBASE, MSR_EFER,
		MSR_FS_BASE, MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP, MSR_KERNEL_GS_BASE,
		MSR_STAR, MSR_LSTAR, MSR_SYSCALL_MASK, MSR_TSC_AUX, MSR_IA32_XSS,
		MSR_IA32_DEBUGCTLMSR, MSR_IA32_CR_PAT, MSR_MTRRcap, MSR_MTRRdefType, 0x200, 0x201,
		0x250, MSR_IA32_MCG_STATUS, MSR_IA32_MC0_CTL, MSR_IA32_MC0_STATUS,
		MSR_IA32_MISC_ENABLE, MSR_IA32_FEAT_CTL, MSR_IA32_UCODE_REV,
		MSR_IA32_ARCH_CAPABILITIES, MSR_PLATFORM_INFO, MSR_MISC_FEATURES_ENABLES, 0x12345,
	};
	static const u64 values[] = { 0, 1, 2, 6, 0x800, 0xc06, 0xfee00900, 0xfee00d00, 0xfee00500,
				      0x0606060606060606ull, 0x12345678, CANONICAL,
				      NOT_CANONICAL, ~0ull, BIT_ULL(63) };
	struct fixture *f = test->priv;
	struct ovid_vp *was = kunit_kzalloc(test, sizeof(*was), GFP_KERNEL);
	size_t i, k;

	KUNIT_ASSERT_NOT_NULL(test, was);
	f->part->x2apic_allowed = true;
	fake.arch_caps = true;
	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		for (k = 0; k < ARRAY_SIZE(values); k++) {
			u64 tsc = fake.tsc, efer = fake.efer;
			unsigned int loads = fake.loads;
			int check, ret;

			*was = *f->vp;
			check = ovid_msr_host_check(f->vp, msrs[i], values[k]);
			KUNIT_EXPECT_MEMEQ(test, was, f->vp, sizeof(*was));
			KUNIT_EXPECT_EQ(test, tsc, fake.tsc);
			KUNIT_EXPECT_EQ(test, efer, fake.efer);
			KUNIT_EXPECT_EQ(test, loads, fake.loads);
			KUNIT_EXPECT_EQ(test, 0, (int)fake.apic_msr);
			if (msrs[i] == MSR_EFER)	/* its own rules, in the backend */
				continue;
			/* the fake APIC refuses no base */
			fake.refuse = msrs[i] == MSR_IA32_APICBASE && check == OVID_MSR_GP;
			ret = ovid_msr_host_write(f->vp, msrs[i], values[k]);
			fake.refuse = 0;
			fake.apic_msr = 0;
			KUNIT_EXPECT_EQ_MSG(test, check, ret, "msr %x value %llx",
					    msrs[i], values[k]);
		}
	}
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK,
			(int)ovid_msr_host_check(f->vp, MSR_IA32_APICBASE, 0xfee00d00));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK,
			(int)ovid_msr_host_check(f->vp, MSR_IA32_APICBASE, 0xfee00100));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP,
			(int)ovid_msr_host_check(f->vp, MSR_IA32_APICBASE, 0xfee00500));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP,
			(int)ovid_msr_host_check(f->vp, MSR_IA32_APICBASE, BIT_ULL(40) | 0x900));
	f->part->x2apic_allowed = false;
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP,
			(int)ovid_msr_host_check(f->vp, MSR_IA32_APICBASE, 0xfee00d00));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP,
			(int)ovid_msr_host_check(f->vp, MSR_EFER, BIT_ULL(63)));
}

static int set_policy(struct kunit *test, u32 action, const struct ovid_msr_rule *rules, u32 count)
{
	struct fixture *f = test->priv;
	struct ovid_msr_policy arg = { .size = sizeof(arg), .default_action = action,
				       .count = count };
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_EXPECT_NE(test, addr, 0ul);
	arg.rules = addr;
	if (rules)
		KUNIT_EXPECT_EQ(test, 0ul, copy_to_user((void __user *)addr, rules,
							min(count, 64u) * sizeof(*rules)));
	return ovid_msr_set_policy(f->part, &arg);
}

static int read_result(struct fixture *f, u32 msr)
{
	u64 val = 1;
	int ret = ovid_msr_read(f->vp, msr, &val);

	return val ? -1 : ret;
}

static void policy(struct kunit *test)
{
	static const struct ovid_msr_rule rules[] = {
		{ 0x1000, 0x1fff, OVID_MSR_WORKER, OVID_MSR_IGNORE },
		{ 0x1800, 0x2fff, OVID_MSR_IGNORE, OVID_MSR_WORKER },
		{ 0xc0010000, 0xffffffff, OVID_MSR_FAULT, OVID_MSR_FAULT },
		{ 0x277, 0x277, OVID_MSR_WORKER, OVID_MSR_WORKER },
	};
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP, read_result(f, 0x1000));
	KUNIT_EXPECT_EQ(test, 0, set_policy(test, OVID_MSR_IGNORE, rules, ARRAY_SIZE(rules)));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_TO_WORKER, read_result(f, 0x1000));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_TO_WORKER, read_result(f, 0x1fff));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK, read_result(f, 0x2000));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK, read_result(f, 0x3000));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP, read_result(f, 0xffffffff));
	EXPECT_RESULT(0x1900, 1, OVID_MSR_OK);
	EXPECT_RESULT(0x2000, 1, OVID_MSR_TO_WORKER);
	EXPECT_RESULT(0xc0010000, 1, OVID_MSR_GP);
	/* not for MSRs that are there, nor for the host, nor for bad values */
	EXPECT_READ(MSR_IA32_CR_PAT, 0x0007040600070406ull);
	EXPECT_GP(MSR_IA32_CR_PAT, 2);
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_GP, (int)ovid_msr_host_write(f->vp, 0x1900, 0));
	/* but for those that CPUID took away */
	fake.rdtscp = false;
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_OK, read_result(f, MSR_TSC_AUX));
	/* no rules, another default */
	KUNIT_EXPECT_EQ(test, 0, set_policy(test, OVID_MSR_WORKER, NULL, 0));
	KUNIT_EXPECT_EQ(test, (int)OVID_MSR_TO_WORKER, read_result(f, 0x2000));
}

static void policy_refused(struct kunit *test)
{
	static const struct ovid_msr_rule backwards = { 2, 1, 0, 0 }, read = { 1, 2, 3, 0 },
					  write = { 1, 2, 0, 3 };
	struct fixture *f = test->priv;
	struct ovid_msr_policy arg = { .size = sizeof(arg), .count = 1, .rules = ~0ull - 4096 };

	KUNIT_EXPECT_EQ(test, -EINVAL, set_policy(test, 3, NULL, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_policy(test, 0, NULL, OVID_MAX_MSR_RULES + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_policy(test, 0, NULL, ~0u));
	KUNIT_EXPECT_EQ(test, 0, set_policy(test, 0, NULL, OVID_MAX_MSR_RULES));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_policy(test, 0, &backwards, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_policy(test, 0, &read, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, set_policy(test, 0, &write, 1));
	KUNIT_EXPECT_EQ(test, -EFAULT, ovid_msr_set_policy(f->part, &arg));
	arg.flags = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_msr_set_policy(f->part, &arg));
}

static struct kunit_case msr_cases[] = {
	KUNIT_CASE(reset_values),
	KUNIT_CASE_SLOW(all_numbers),
	KUNIT_CASE(synthetic),
	KUNIT_CASE(read_only),
	KUNIT_CASE(syscall_msrs),
	KUNIT_CASE(backend_fields),
	KUNIT_CASE(memory_types),
	KUNIT_CASE(mtrr_numbers),
	KUNIT_CASE(machine_check),
	KUNIT_CASE(local_apic),
	KUNIT_CASE(time),
	KUNIT_CASE(xss),
	KUNIT_CASE(host_only),
	KUNIT_CASE(host_check),
	KUNIT_CASE(policy),
	KUNIT_CASE(policy_refused),
	{}
};

static struct kunit_suite msr_suite = {
	.name = "ovid_msr",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = msr_cases,
};
kunit_test_suite(msr_suite);

MODULE_DESCRIPTION("cases for the MSR table and policy");
MODULE_LICENSE("GPL");
