// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_fpu.c - x87, SSE, AVX, AVX-512 and PKRU state is kept over every kind of exit.
 */
#include "rt.h"

static u8 area[8192] __attribute__((aligned(64)));
static u8 area2[8192] __attribute__((aligned(64)));

static u32 fpu_on(void)
{
	u32 all = 3;

	WR("cr4", cr4() | 0x600);
	if (cpuid(1, 0).ecx & 1 << 26) {
		WR("cr4", cr4() | 1ul << 18);
		all = cpuid(0xd, 0).eax;
		asm volatile("xsetbv" :: "c"(0), "a"(all), "d"(0));
	}
	return all;
}

static void exits(void)
{
	for (u32 i = 0; i < 20; i++) {
		cpuid(0, 0);
		outb(G_PORT, i);
		(void)*(volatile u32 *)(ulong)G_MMIO;
	}
	/* sleep: the thread is switched out */
	handlers[0x44] = irq_count;
	apic_enable();
	command(G_CMD_MSI_LATER, 0xfee00000, 0x44, 300);
	sti_hlt();
}

CASE(fpu_x87, 0, 1)
{
	u16 cw = 0x27f, sw;
	u64 v = 0;

	fpu_on();
	asm volatile("fninit; fldcw %0; fldpi; fld1" :: "m"(cw));
	exits();
	asm volatile("fnstcw %0; fnstsw %1; fistpll %2" : "=m"(cw), "=m"(sw), "=m"(v));
	is_(cw, 0x27f, "control word");
	is_(sw >> 11 & 7, 6, "stack top");
	is(v, 1);
	asm volatile("fistpll %0" : "=m"(v));
	is(v, 3);
}

CASE(fpu_sse, 0, 1)
{
	u64 v[16][2];
	u32 mx = 0x1fc0 | 0x6000, got;

	fpu_on();
	asm volatile("ldmxcsr %0" :: "m"(mx));
#define S(n) asm volatile("movq %0, %%xmm" #n "; movlhps %%xmm" #n ", %%xmm" #n :: "r"(0x0101010101010101ull * (n + 1)))
	S(0); S(1); S(2); S(3); S(4); S(5); S(6); S(7);
	S(8); S(9); S(10); S(11); S(12); S(13); S(14); S(15);
	exits();
#define G(n) asm volatile("movdqu %%xmm" #n ", %0" : "=m"(v[n]))
	G(0); G(1); G(2); G(3); G(4); G(5); G(6); G(7);
	G(8); G(9); G(10); G(11); G(12); G(13); G(14); G(15);
	for (u32 i = 0; i < 16; i++) {
		is(v[i][0], 0x0101010101010101ull * (i + 1));
		is(v[i][1], 0x0101010101010101ull * (i + 1));
	}
	asm volatile("stmxcsr %0" : "=m"(got));
	is(got, mx);
}

CASE(fpu_avx, 0, 1)
{
	u64 a[4] = { 1, 2, 3, 4 }, b[4];

	if (!(fpu_on() & 4))
		return;
	asm volatile("vmovdqu %0, %%ymm7; vmovdqu %0, %%ymm15" :: "m"(a));
	exits();
	asm volatile("vmovdqu %%ymm7, %0" : "=m"(b));
	for (u32 i = 0; i < 4; i++)
		is_(b[i], i + 1, "YMM7, its upper half included");
	asm volatile("vmovdqu %%ymm15, %0" : "=m"(b));
	is(b[3], 4);
}

CASE(fpu_avx512, 0, 1)
{
	u64 a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, b[8];
	u64 k = 0;

	if ((fpu_on() & 0xe0) != 0xe0)
		return;
	asm volatile("vmovdqu64 %0, %%zmm3; vmovdqu64 %0, %%zmm30; mov $0x5a5a, %%eax; kmovw %%eax, %%k3"
		     :: "m"(a) : "rax");
	exits();
	asm volatile("vmovdqu64 %%zmm30, %0" : "=m"(b));
	for (u32 i = 0; i < 8; i++)
		is_(b[i], i + 1, "ZMM30");
	asm volatile("kmovw %%k3, %%eax" : "=a"(k));
	is_(k & 0xffff, 0x5a5a, "opmask k3");
}

CASE(fpu_xsave, 0, 1)
{
	u32 all = fpu_on();

	if (!(cpuid(1, 0).ecx & 1 << 26))
		return;
	asm volatile("fninit; fldpi; mov $-1, %%rax; movq %%rax, %%xmm0" ::: "rax");
	asm volatile("xsave %0" : "+m"(area) : "a"(all), "d"(0));
	is_(*(u64 *)(area + 512) & 3, 3, "XSTATE_BV has x87 and SSE");
	asm volatile("xorps %%xmm0, %%xmm0; fninit" ::);
	exits();
	asm volatile("xrstor %0" :: "m"(area), "a"(all), "d"(0));
	exits();
	asm volatile("xsave %0" : "+m"(area2) : "a"(all), "d"(0));
	is_(*(u64 *)(area2 + 160), ~0ull, "XMM0 by XRSTOR");
	is(*(u64 *)(area2 + 32), *(u64 *)(area + 32));
	if (cpuid(0xd, 1).eax & 2) {	/* XSAVEC */
		is(TRY("xsavec %0", : "+m"(area2) : "a"(all), "d"(0)), -1);
		is_(*(u64 *)(area2 + 520) >> 63, 1, "compacted");
	}
	if (cpuid(0xd, 1).eax & 8) {	/* XSAVES */
		is(TRY("xsaves %0", : "+m"(area2) : "a"(all), "d"(0)), -1);
		is(TRY("xrstors %0", :: "m"(area2), "a"(all), "d"(0)), -1);
	} else {
		is(TRY("xsaves %0", : "+m"(area2) : "a"(all), "d"(0)), 6);
	}
}

CASE(fpu_init_state, 0, 1)
{
	u16 cw;
	u32 mx;
	u64 v[2];

	fpu_on();
	asm volatile("fnstcw %0; stmxcsr %1; movdqu %%xmm3, %2" : "=m"(cw), "=m"(mx), "=m"(v));
	is_(mx, 0x1f80, "MXCSR at reset");
	is_(v[0] | v[1], 0, "no host state in XMM3");
	check(cw == 0x40 || cw == 0x37f);
}

CASE(fpu_no_xcr0_leak, 0, 1)
{
	/* components outside the guest's XCR0 stay usable when it is set again */
	u64 a[4] = { 1, 2, 3, 4 }, b[4];

	if (!(fpu_on() & 4))
		return;
	asm volatile("vmovdqu %0, %%ymm2" :: "m"(a));
	asm volatile("xsetbv" :: "c"(0), "a"(3), "d"(0));
	exits();
	asm volatile("xsetbv" :: "c"(0), "a"(7), "d"(0));
	asm volatile("vmovdqu %%ymm2, %0" : "=m"(b));
	is(b[0], 1);
	is_(b[3], 4, "YMM2's upper half while AVX was off in XCR0");
}

CASE(fpu_pkru, 0, 1)
{
	u32 v, d;

	if (!(cpuid(7, 0).ecx >> 3 & 1))
		return;
	WR("cr4", cr4() | 1ul << 22);
	fpu_on();
	asm volatile("wrpkru" :: "a"(0x55555550), "c"(0), "d"(0));
	exits();
	asm volatile("rdpkru" : "=a"(v), "=d"(d) : "c"(0));
	is_(v, 0x55555550, "PKRU is kept over exits");
	/* access disabled for key 1: all our pages have key 0 */
	{
		u64 *e = (u64 *)0x12000 + (0x12345670 >> 21);

		*e |= 1ull << 59;
		WR("cr3", cr3());
		asm volatile("wrpkru" :: "a"(0x4), "c"(0), "d"(0));
		is(TRY("mov 0x12345670, %%eax", ::: "rax"), 14);
		is_(exc.err, 0x21, "protection key: P | PK");
		asm volatile("wrpkru" :: "a"(0), "c"(0), "d"(0));
		*e &= ~(1ull << 59);
	}
}

CASE(fpu_many_switches, 0, 1)
{
	u64 v;
	bool good = true;

	fpu_on();
	for (u64 i = 0; i < 500; i++) {
		asm volatile("movq %0, %%xmm9" :: "r"(i));
		outb(G_PORT, i);
		asm volatile("movq %%xmm9, %0" : "=r"(v));
		good &= v == i;
	}
	check(good);
}
