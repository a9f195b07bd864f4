// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_cpu.c - CPUID, control registers, EFER, XCR0: what may be set, what is refused.
 */
#include "rt.h"

#define GP 13
#define UD 6

CASE(cpuid_basic, 0, 1)
{
	struct cpuid a = cpuid(0, 0), b = cpuid(1, 0);

	check(a.eax >= 0xd);
	is_(a.ebx, 0x756e6547, "the vendor is GenuineIntel (EBX)");
	is_(a.edx, 0x49656e69, "the vendor is GenuineIntel (EDX)");
	is_(a.ecx, 0x6c65746e, "the vendor is GenuineIntel (ECX)");
	check(b.edx & 1 << 9);		/* APIC */
	check(b.edx & 1 << 5);		/* MSR */
	is_(b.ecx >> 5 & 1, 0, "VMX is not shown");
	is_(b.ecx >> 31, 1, "the hypervisor bit is shown");
	is_(b.ebx >> 24, 0, "initial APIC id of VP 0");
	is(cpuid(0xb, 0).edx, 0);
	check(cpuid(0x80000000, 0).eax >= 0x80000008);
	check((cpuid(0x80000008, 0).eax & 0xff) >= 32);
	is_(cpuid(0x80000008, 0).eax >> 8 & 0xff, 48, "48 bits of linear address");
}

CASE(cpuid_registers, 0, 1)
{
	u64 r8 = 0x1122334455667788ull, out8;
	u32 a = 0, c = 0, b, d;
	u64 rax = ~0ull << 32;

	/* upper halves are cleared, other registers kept */
	asm volatile("mov %[r8], %%r8; mov %[rax], %%rax; mov $-1, %%rbx; xor %%ecx, %%ecx; cpuid;"
		     "mov %%r8, %[o]; mov %%rax, %[rax]; mov %%rbx, %%r9"
		     : [o] "=&r"(out8), [rax] "+&r"(rax) : [r8] "r"(r8)
		     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "cc");
	is(out8, r8);
	is_(rax >> 32, 0, "CPUID clears the upper half of RAX");
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	is(b, 0x756e6547);
	/* the same answer a thousand times */
	for (u32 i = 0; i < 1000; i++)
		b ^= cpuid(0, 0).ebx ^ cpuid(0, 0).ebx;
	is(b, 0x756e6547);
}

CASE(cpuid_osxsave_follows_cr4, 0, 1)
{
	if (!(cpuid(1, 0).ecx & 1 << 26))
		return;
	WR("cr4", cr4() & ~(1ul << 18));
	is(cpuid(1, 0).ecx >> 27 & 1, 0);
	is(TRY("xgetbv", :: "c"(0) : "rax", "rdx"), UD);
	WR("cr4", cr4() | 1ul << 18);
	is(cpuid(1, 0).ecx >> 27 & 1, 1);
}

CASE(cr0_bits, 0, 1)
{
	ulong c = cr0();

	is_(c & 0x80000011, 0x80000011, "CR0 has PG, ET and PE");
	WR("cr0", c | 1 << 16);
	is_(cr0() >> 16 & 1, 1, "WP can be set");
	WR("cr0", c & ~(1ul << 16));
	is_(cr0() >> 16 & 1, 0, "WP can be cleared");
	WR("cr0", c | 1ul << 18);
	is_(cr0() >> 18 & 1, 1, "AM can be set");
	WR("cr0", c | 1ul << 30);
	is_(cr0() >> 30 & 1, 1, "CD can be set");
	WR("cr0", c);
	is(cr0(), c);
	is_(c >> 5 & 1, 0, "NE is as it was set at entry (clear)");
	WR("cr0", c | 1ul << 5);
	is_(cr0() >> 5 & 1, 1, "NE can be set");
	WR("cr0", c);
	is_(cr0() >> 5 & 1, 0, "NE can be cleared");
	is_(TRY("mov %0, %%cr0", :: "r"(c & ~1ul)), GP, "PE off with PG on is #GP");
	is_(TRY("mov %0, %%cr0", :: "r"(c & ~(1ul << 31))), GP, "PG off in 64-bit mode is #GP");
	is_(TRY("mov %0, %%cr0", :: "r"(c | 1ul << 29)), GP, "NW without CD is #GP");
	is_(TRY("mov %0, %%cr0", :: "r"(c | 1ul << 32)), GP, "an upper bit of CR0 is #GP");
	is(cr0(), c);
	asm volatile("smsw %0" : "=r"(c));
	is(c & 1, 1);
}

CASE(cr0_ts, 0, 1)
{
	WR("cr0", cr0() | 8);
	is(cr0() >> 3 & 1, 1);
	is_(TRY("fnop"), 7, "x87 with TS is #NM");
	is_(TRY("movaps %%xmm0, %%xmm1", ::), 7 * !!(cr4() & 0x200) + UD * !(cr4() & 0x200),
	    "SSE with TS is #NM (or #UD without OSFXSR)");
	asm volatile("clts");
	is(cr0() >> 3 & 1, 0);
	is(TRY("fnop"), -1);
	asm volatile("lmsw %w0" :: "r"((u32)cr0() | 8));
	is_(cr0() >> 3 & 1, 1, "LMSW sets TS");
	asm volatile("clts");
}

CASE(cr0_em, 0, 1)
{
	WR("cr0", cr0() | 4);
	is_(TRY("fnop"), 7, "x87 with EM is #NM");
	WR("cr0", cr0() & ~4ul);
	is(TRY("fnop"), -1);
}

CASE(cr4_bits, 0, 1)
{
	static const u8 settable[] = { 2, 3, 4, 6, 7, 9, 10 };
	ulong c = cr4();

	for (u32 i = 0; i < sizeof(settable); i++) {
		ulong bit = 1ul << settable[i];

		is_(TRY("mov %0, %%cr4", :: "r"(c | bit)), -1, "a common CR4 bit can be set");
		is_(cr4(), c | bit, "... and reads back");
	}
	WR("cr4", c);
	is(cr4(), c);
	is_(cr4() >> 13 & 1, 0, "VMXE reads as 0");
	is_(TRY("mov %0, %%cr4", :: "r"(c | 1ul << 13)), GP, "VMXE is refused: #GP");
	is_(TRY("mov %0, %%cr4", :: "r"(c | 1ul << 14)), GP, "SMXE is refused: #GP");
	is_(TRY("mov %0, %%cr4", :: "r"(c | 1ul << 15)), GP, "bit 15 is refused: #GP");
	is_(TRY("mov %0, %%cr4", :: "r"(c | 1ul << 31)), GP, "bit 31 is refused: #GP");
	is_(TRY("mov %0, %%cr4", :: "r"(c | 1ul << 40)), GP, "bit 40 is refused: #GP");
	is_(TRY("mov %0, %%cr4", :: "r"(c & ~0x20ul)), GP, "PAE off in long mode is #GP");
	is(cr4(), c);
}

CASE(cr4_follows_cpuid, 0, 1)
{
	struct cpuid l7 = cpuid(7, 0), l1 = cpuid(1, 0);
	ulong c = cr4();
	const struct { u32 have; u8 bit; } f[] = {
		{ l7.ebx & 1, 16 },		/* FSGSBASE */
		{ l7.ebx >> 7 & 1, 20 },	/* SMEP */
		{ l7.ecx >> 2 & 1, 11 },	/* UMIP */
		{ l7.ecx >> 3 & 1, 22 },	/* PKE */
		{ l7.ecx >> 7 & 1, 23 },	/* CET */
		{ l1.ecx >> 26 & 1, 18 },	/* OSXSAVE */
	};

	/* pages are user pages here: SMEP would fault the next fetch */
	for (u32 i = 0; i < sizeof(f) / sizeof(*f); i++) {
		if (f[i].bit == 20 && f[i].have)
			continue;
		if (f[i].bit == 23 && f[i].have)
			continue;
		is_(TRY("mov %0, %%cr4", :: "r"(c | 1ul << f[i].bit)), f[i].have ? -1 : GP,
		    "a CR4 bit can be set exactly when CPUID has the feature");
		WR("cr4", c);
	}
}

CASE(cr4_tsd_pce, 0, 1)
{
	WR("cr4", cr4() | 4);		/* TSD: ring 0 may still */
	is(TRY("rdtsc", ::: "rax", "rdx"), -1);
	is_(cr4() >> 2 & 1, 1, "TSD reads back");
}

CASE(cr3_values, 0, 1)
{
	ulong c = cr3();
	u32 width = cpuid(0x80000008, 0).eax & 0xff;

	WR("cr3", c | 0x18);
	is_(cr3(), c | 0x18, "PWT and PCD read back");
	WR("cr3", c);
	is(cr3(), c);
	if (width < 52)
		is_(TRY("mov %0, %%cr3", :: "r"(c | 1ul << width)), GP,
		    "a bit above the physical width is #GP");
	is_(TRY("mov %0, %%cr3", :: "r"(c | 1ul << 62)), GP, "bit 62 is #GP");
	is(cr3(), c);
}

CASE(cr3_switch, 0, 1)
{
	u64 *from = (u64 *)cr3(), *to = (u64 *)0x300000;

	for (u32 i = 0; i < 512; i++)
		to[i] = from[i];
	for (u32 i = 0; i < 100; i++) {
		WR("cr3", to);
		WR("cr3", from);
	}
	is(cr3(), (ulong)from);
}

CASE(cr2_cr8, 0, 1)
{
	u64 v = 0x123456789abcull;

	WR("cr2", v);
	is(cr2(), v);
	cpuid(0, 0);
	outb(G_PORT, 1);
	is_(cr2(), v, "CR2 is kept over exits");
	WR("cr8", 5);
	is(RD("cr8", ulong), 5);
	is_(apic_read(0x80), 0x50, "CR8 is the APIC's TPR");
	apic_write(0x80, 0x37);
	is_(RD("cr8", ulong), 3, "and the other way round");
	is_(apic_read(0x80), 0x37, "TPR keeps its lower bits");
	is_(TRY("mov %0, %%cr8", :: "r"(16ul)), GP, "CR8 above 15 is #GP");
	is_(TRY("mov %0, %%cr8", :: "r"(1ul << 40)), GP, "an upper bit of CR8 is #GP");
	WR("cr8", 0);
	is(apic_read(0x80), 0);
}

CASE(cr_undefined, 0, 1)
{
	is_(TRY(".byte 0x0f, 0x20, 0xc8" /* mov %cr1, %rax */, ::: "rax"), UD, "CR1 is #UD");
	is_(TRY(".byte 0x0f, 0x22, 0xc8"), UD, "a write of CR1 is #UD");
	is_(TRY(".byte 0x0f, 0x22, 0xf8" /* mov %rax, %cr7 */), UD, "CR7 is #UD");
}

CASE(efer, 0, 1)
{
	u64 e = rdmsr(0xc0000080);

	is_(e & 0x500, 0x500, "LMA and LME are set");
	wrmsr(0xc0000080, e | 1);
	is_(rdmsr(0xc0000080), e | 1, "SCE can be set");
	wrmsr(0xc0000080, e | 0x801);
	is_(rdmsr(0xc0000080), e | 0x801, "NXE can be set");
	is_(TRY("wrmsr", :: "c"(0xc0000080), "a"((u32)e & ~0x100), "d"(0)), GP,
	    "LME off with paging on is #GP");
	is_(TRY("wrmsr", :: "c"(0xc0000080), "a"((u32)e | 1 << 4), "d"(0)), GP,
	    "a reserved bit of EFER is #GP");
	is_(TRY("wrmsr", :: "c"(0xc0000080), "a"((u32)e | 1 << 12), "d"(0)), GP,
	    "SVME of EFER is #GP");
	wrmsr(0xc0000080, e & ~0x400);
	is_(rdmsr(0xc0000080) & 0x400, 0x400, "LMA cannot be cleared by a write");
	wrmsr(0xc0000080, e);
	is(rdmsr(0xc0000080), e);
}

CASE(nx_page, 0, 1)
{
	u64 *d = (u64 *)0x12000;
	u8 *at = (u8 *)0xa00000;

	wrmsr(0xc0000080, rdmsr(0xc0000080) | 0x800);
	at[0] = 0xff;			/* jmp *%rcx */
	at[1] = 0xe1;
	d[5] |= 1ull << 63;
	WR("cr3", cr3());
	is_(TRY("lea 99f, %%rcx; jmp *%0", :: "r"(at) : "rcx"), 14,
	    "a fetch from an NX page is #PF");
	is_(exc.err & ~4ul, 0x11, "with error code P | I/D");
	is(exc.cr2, (ulong)at);
	d[5] &= ~(1ull << 63);
	WR("cr3", cr3());
	is(TRY("lea 99f, %%rcx; jmp *%0", :: "r"(at) : "rcx"), -1);
}

CASE(xcr0, 0, 1)
{
	u32 lo, hi, allowed;

	if (!(cpuid(1, 0).ecx & 1 << 26))
		return;
	WR("cr4", cr4() | 1ul << 18);
	allowed = cpuid(0xd, 0).eax;
	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	is_(lo, 1, "XCR0 is 1 at reset");
	is(hi, 0);
	is_(cpuid(0xd, 0).ebx, 576, "the XSAVE size follows XCR0: x87 only");
	is(TRY("xsetbv", :: "c"(0), "a"(3), "d"(0)), -1);
	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	is(lo, 3);
	is_(TRY("xsetbv", :: "c"(0), "a"(2), "d"(0)), GP, "XCR0 without x87 is #GP");
	is_(TRY("xsetbv", :: "c"(0), "a"(5), "d"(0)), GP, "AVX without SSE is #GP");
	is_(TRY("xsetbv", :: "c"(1), "a"(3), "d"(0)), GP, "XCR1 is #GP");
	is_(TRY("xsetbv", :: "c"(0), "a"(~0u), "d"(~0u)), GP, "all ones are #GP");
	if (allowed & 4) {
		is(TRY("xsetbv", :: "c"(0), "a"(7), "d"(0)), -1);
		is_(cpuid(0xd, 0).ebx, 832, "the XSAVE size follows XCR0: AVX");
	}
	is_(TRY("xsetbv", :: "c"(0), "a"(allowed), "d"(0)), -1, "all that CPUID shows may be set");
	is(cpuid(0xd, 0).ebx, cpuid(0xd, 0).ecx);
	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	is(lo, allowed);
}

CASE(not_for_guests, 0, 1)
{
	u64 zero[2] = { 0, 0 };

	is_(TRY("vmxon %0", :: "m"(zero[0])), UD, "VMXON is #UD");
	is_(TRY("vmlaunch"), UD, "VMLAUNCH is #UD");
	is_(TRY("vmread %%rax, %%rax", ::: "rax"), UD, "VMREAD is #UD");
	is_(TRY("vmptrld %0", :: "m"(zero[0])), UD, "VMPTRLD is #UD");
	is_(TRY("invept %0, %1", :: "m"(zero), "r"(1ul)), UD, "INVEPT is #UD");
	is_(TRY("invvpid %0, %1", :: "m"(zero), "r"(1ul)), UD, "INVVPID is #UD");
	is_(TRY("vmfunc"), UD, "VMFUNC is #UD");
	is_(TRY("getsec", :: "a"(0), "b"(0)), UD, "GETSEC is #UD");
	is_(TRY("rsm"), UD, "RSM is #UD");
	is_(TRY("ud2"), UD, "UD2 is #UD");
}

CASE(cache_instructions, 0, 1)
{
	u64 zero[2] = { 0, 0 };

	is_(TRY("wbinvd"), -1, "WBINVD does nothing bad");
	is_(TRY("invd"), -1, "INVD does nothing bad");
	is_(TRY("invlpg %0", :: "m"(*(u8 *)0x400000)), -1, "INVLPG");
	is_(TRY("invlpg %0", :: "m"(*(u8 *)0x7000000000)), -1, "INVLPG of an unmapped page");
	is_(TRY("invpcid %0, %1", :: "m"(zero), "r"(2ul)),
	    cpuid(7, 0).ebx & 1 << 10 ? -1 : UD, "INVPCID as CPUID says");
	is_(TRY("rdpmc", :: "c"(0x12345) : "rax", "rdx"), GP, "RDPMC of an absent counter is #GP");
	is_(TRY("pause"), -1, "PAUSE");
	is_(TRY("prefetcht0 %0", :: "m"(*(u8 *)G_MMIO)), -1, "a prefetch of MMIO");
}

CASE(monitor_mwait, 0, 1)
{
	bool have = cpuid(1, 0).ecx >> 3 & 1;

	if (have)
		return;
	/* hypervisors differ: #UD, or a no-operation as on KVM with a quirk */
	TRY("monitor", :: "a"(0x400000), "c"(0), "d"(0));
	check(exc.vec == -1 || exc.vec == UD);
	TRY("mwait", :: "a"(0), "c"(0));
	check(exc.vec == -1 || exc.vec == UD);
}

CASE(rdrand_rdtscp, 0, 1)
{
	u32 aux = 0, a, d;

	if (cpuid(0x80000001, 0).edx & 1 << 27) {
		wrmsr(0xc0000103, 0x1234);
		asm volatile("rdtscp" : "=a"(a), "=d"(d), "=c"(aux));
		is(aux, 0x1234);
		cpuid(0, 0);
		outb(G_PORT, 0);
		asm volatile("rdtscp" : "=a"(a), "=d"(d), "=c"(aux));
		is_(aux, 0x1234, "TSC_AUX is kept over exits");
		is(rdmsr(0xc0000103), 0x1234);
	} else {
		is(TRY("rdtscp", ::: "rax", "rdx", "rcx"), UD);
	}
	is_(TRY("rdrand %%eax", ::: "rax", "cc"), cpuid(1, 0).ecx & 1 << 30 ? -1 : UD,
	    "RDRAND as CPUID says");
}
