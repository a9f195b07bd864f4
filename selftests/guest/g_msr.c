// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_msr.c - RDMSR and WRMSR: known ones keep values and refuse bad ones,
 * unknown ones are #GP.
 */
#include "rt.h"

#define GP 13

static long rd(u32 n)
{
	return TRY("rdmsr", :: "c"(n) : "rax", "rdx");
}

static long wr(u32 n, u64 v)
{
	return TRY("wrmsr", :: "c"(n), "a"((u32)v), "d"((u32)(v >> 32)));
}

CASE(msr_unknown, 0, 1)
{
	static const u32 none[] = { 0x12345678, 0x40001234, 0xc0011234, 0x5, 0x2ff0, 0xffffffff };

	for (u32 i = 0; i < sizeof(none) / sizeof(*none); i++) {
		is_(rd(none[i]), GP, "RDMSR of an unknown MSR is #GP");
		is_(exc.err, 0, "... error code 0");
		is_(wr(none[i], 0), GP, "WRMSR of an unknown MSR is #GP");
	}
}

CASE(msr_fault_address, 0, 1)
{
	ulong at;

	exc.vec = -1;
	asm volatile("movq $99f, try_ip(%%rip); lea 98f(%%rip), %0; 98: rdmsr; 99:"
		     : "=&r"(at) : "c"(0x12345678) : "rax", "rdx");
	is(exc.vec, GP);
	is_(exc.ip, at, "the fault points to the RDMSR itself");
}

CASE(msr_tsc, 0, 1)
{
	u64 a = rdtsc(), b, c;

	b = rdmsr(0x10);
	c = rdtsc();
	check(a < b && b < c);
	wrmsr(0x10, 0x100000000000ull);
	a = rdtsc();
	check(a >= 0x100000000000ull && a < 0x100100000000ull);
	wrmsr(0x10, 0);
	a = rdtsc();
	check(a < 0x100000000ull);
	if (cpuid(7, 0).ebx & 2) {
		u64 adj = rdmsr(0x3b);

		wrmsr(0x3b, adj + 0x40000000000ull);
		b = rdtsc();
		is(rdmsr(0x3b), adj + 0x40000000000ull);
		check(b - a >= 0x40000000000ull && b - a < 0x40100000000ull);
	}
}

CASE(msr_apic_base, 0, 1)
{
	u64 v = rdmsr(0x1b);

	is_(v & ~0x400ull, 0xfee00900, "enabled, BSP, at FEE00000");
	is_(wr(0x1b, v | 1), GP, "a reserved bit is #GP");
	is_(wr(0x1b, (v & ~0x800ull) | 0x400), GP, "x2APIC without enable is #GP");
	is_(wr(0x1b, v | 1ull << 60), GP, "beyond the physical width is #GP");
	is(rdmsr(0x1b), v);
}

CASE(msr_syscall_set, 0, 1)
{
	static const struct { u32 n; u64 v; } set[] = {
		{ 0xc0000081, 0x001b000800000000ull }, { 0xc0000082, 0xffffffff81234567ull },
		{ 0xc0000083, 0xffffffff81aaaaaaull }, { 0xc0000084, 0x47700 },
		{ 0xc0000102, 0xffff888012345678ull }, { 0x174, 0x10 },
		{ 0x175, 0xfffffe0000001000ull }, { 0x176, 0xffffffff81bbbbbbull },
		{ 0xc0000100, 0x7f0012345678ull }, { 0xc0000101, 0xffff888000001000ull },
	};

	for (u32 i = 0; i < sizeof(set) / sizeof(*set); i++)
		wrmsr(set[i].n, set[i].v);
	for (u32 k = 0; k < 5; k++) {
		cpuid(0, 0);
		outb(G_PORT, k);
	}
	for (u32 i = 0; i < sizeof(set) / sizeof(*set); i++)
		is_(rdmsr(set[i].n), set[i].v, "an MSR of the system-call set is kept over exits");
	is_(wr(0xc0000082, 0x8000000000000000ull), GP, "LSTAR must be canonical");
	is_(wr(0xc0000083, 0x0000800000000000ull), GP, "CSTAR must be canonical");
	is_(wr(0xc0000100, 0x8000000000000000ull), GP, "FS base must be canonical");
	is_(wr(0xc0000101, 0x8000000000000000ull), GP, "GS base must be canonical");
	is_(wr(0xc0000102, 0x8000000000000000ull), GP, "KERNEL_GS_BASE must be canonical");
	is_(wr(0x175, 0x8000000000000000ull), GP, "SYSENTER_ESP must be canonical");
}

CASE(msr_swapgs, 0, 1)
{
	wrmsr(0xc0000101, 0x111000);
	wrmsr(0xc0000102, 0x222000);
	asm volatile("swapgs");
	is(rdmsr(0xc0000101), 0x222000);
	is(rdmsr(0xc0000102), 0x111000);
	for (u32 i = 0; i < 100; i++) {
		asm volatile("swapgs");
		outb(G_PORT, i);
		cpuid(0, 0);
	}
	is(rdmsr(0xc0000101), 0x222000);
	is(rdmsr(0xc0000102), 0x111000);
	*(volatile u64 *)0x222010 = 42;
	{
		u64 v;

		asm volatile("mov %%gs:0x10, %0" : "=r"(v));
		is_(v, 42, "GS base works");
	}
}

CASE(msr_pat, 0, 1)
{
	u64 v = rdmsr(0x277);

	is_(v, 0x0007040600070406ull, "PAT at reset");
	wrmsr(0x277, 0x0406000706040100ull);
	is(rdmsr(0x277), 0x0406000706040100ull);
	is_(wr(0x277, 0x0007040600070402ull), GP, "PAT type 2 is #GP");
	is_(wr(0x277, 0x0807040600070406ull), GP, "PAT type 8 is #GP");
	is(rdmsr(0x277), 0x0406000706040100ull);
	wrmsr(0x277, v);
}

CASE(msr_mtrr, 0, 1)
{
	u64 cap, v;

	if (!(cpuid(1, 0).edx & 1 << 12))
		return;
	cap = rdmsr(0xfe);
	check((cap & 0xff) <= 8);
	is_(wr(0xfe, cap), GP, "MTRRcap is read-only");
	v = rdmsr(0x2ff);
	wrmsr(0x2ff, 0xc06);
	is(rdmsr(0x2ff), 0xc06);
	is_(wr(0x2ff, 2), GP, "a reserved memory type is #GP");
	is_(wr(0x2ff, 1 << 20), GP, "a reserved bit is #GP");
	wrmsr(0x2ff, v);
	if (cap & 0xff) {
		wrmsr(0x200, 0xc0000000);
		wrmsr(0x201, 0xfc0000800ull);
		is(rdmsr(0x200), 0xc0000000);
		is(rdmsr(0x201), 0xfc0000800ull);
		is_(wr(0x200, 0xc0000002), GP, "base with a reserved type is #GP");
		wrmsr(0x201, 0);
		is_(rd(0x200 + 2 * (cap & 0xff)), GP, "beyond the last variable MTRR");
	}
	if (cap & 0x100) {
		wrmsr(0x250, 0x0606060606060606ull);
		is(rdmsr(0x250), 0x0606060606060606ull);
		is_(wr(0x250, 0x0602060606060606ull), GP, "fixed MTRR with type 2 is #GP");
		wrmsr(0x26f, 0x0505050505050505ull);
		is(rdmsr(0x26f), 0x0505050505050505ull);
	}
}

CASE(msr_no_vmx, G_OVID_ONLY, 1)
{
	for (u32 n = 0x480; n <= 0x491; n++)
		is_(rd(n), GP, "a VMX capability MSR is #GP");
	is_(wr(0x3a, 5), GP, "FEATURE_CONTROL cannot switch VMX on");
}

CASE(msr_kernel_reads, 0, 1)
{
	/* what a stock kernel reads without a safety net, or with one */
	static const u32 plain[] = { 0x1b, 0x1a0, 0x277, 0xc0000080, 0xc0000081, 0x174, 0x10 };

	for (u32 i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		is_(rd(plain[i]), -1, "an MSR that every kernel reads");
	if (cpuid(1, 0).edx & 1 << 7) {
		is_(rd(0x179), -1, "MCG_CAP with the MCE bit");
		is_(rd(0x17a), -1, "MCG_STATUS with the MCE bit");
	}
	is_(wr(0x8b, 0), -1, "BIOS_SIGN_ID can be written with 0");
	is_(rd(0x8b), -1, "and read");
	is_(wr(0x17, 0), GP, "PLATFORM_ID is read-only or unknown");
}

CASE(msr_spec_ctrl, 0, 1)
{
	struct cpuid c = cpuid(7, 0);

	if (c.edx >> 26 & 1) {
		is_(wr(0x48, 1), -1, "IBRS can be set");
		is(rdmsr(0x48), 1);
		outb(G_PORT, 0);
		is_(rdmsr(0x48), 1, "SPEC_CTRL is kept over exits");
		wrmsr(0x48, 0);
		is_(wr(0x49, 1), -1, "IBPB can be commanded");
		is_(rd(0x49), GP, "PRED_CMD cannot be read");
	} else if (!(c.edx >> 27 & 1) && !(c.edx >> 31)) {
		is_(rd(0x48), GP, "SPEC_CTRL without its CPUID bit is #GP");
	}
	is_(rd(0x10a), c.edx >> 29 & 1 ? -1 : GP, "ARCH_CAPABILITIES as CPUID says");
}

CASE(msr_debugctl, 0, 1)
{
	is(rd(0x1d9), -1);
	is_(wr(0x1d9, 2), -1, "BTF can be set");
	wrmsr(0x1d9, 0);
	is_(wr(0x1d9, 1ull << 40), GP, "a reserved bit of DEBUGCTL is #GP");
}
