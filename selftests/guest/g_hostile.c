// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_hostile.c - things that no sane guest does.  What counts is that the host
 * gets the VP back and that the answer is one that a CPU could give.
 */
#include "rt.h"

#define PT_2M ((u64 *)0x12000)
#define NOWHERE 0x3000000ul	/* above the 32 MiB of memory, below MMIO */

static void load_idt(u64 base)
{
	struct { u16 l; u64 b; } __attribute__((packed)) t = { 4095, base };

	asm volatile("lidt %0" :: "m"(t));
}

CASE(hostile_cr3_outside, G_END_ANY, 1)
{
	WR("cr3", NOWHERE);
	for (;;)
		asm volatile("nop");
}

CASE(hostile_cr3_far, G_END_ANY, 1)
{
	u32 width = cpuid(0x80000008, 0).eax & 0xff;

	WR("cr3", (1ull << (width - 1)));
	for (;;)
		asm volatile("nop");
}

CASE(hostile_tables_in_mmio, G_END_ANY, 1)
{
	u64 *p = (u64 *)0x11000;

	p[3] = G_MMIO | 7;		/* the directory of 3 to 4 GiB */
	WR("cr3", cr3());
	(void)*(volatile u32 *)0xd0000000;
}

CASE(hostile_tables_loop, 0, 1)
{
	/* a table that maps itself at each level is legal: a well-known trick */
	u64 *pml4 = (u64 *)cr3();
	ulong self = 511ul << 39 | 511ul << 30 | 511ul << 21 | 511ul << 12;

	pml4[511] = (ulong)pml4 | 7;
	WR("cr3", pml4);
	is(*(volatile u64 *)(0xffff000000000000ul | self | 511 * 8) & ~0x60ul, (ulong)pml4 | 7);
	/* and one that never reaches a page below it */
	pml4[510] = (ulong)pml4 | 7;
	(void)TRY("mov (%0), %%rax", :: "r"(0xffff000000000000ul | 510ul << 39 | 510ul << 30 |
					     510ul << 21 | 510ul << 12) : "rax");
	check(exc.vec == -1 || exc.vec == 14);
}

CASE(hostile_idt_in_mmio, G_END_ANY, 1)
{
	load_idt(G_MMIO);
	asm volatile("int $0x40");
}

CASE(hostile_idt_unmapped_irq, G_END_ANY, 1)
{
	apic_enable();
	load_idt(NOWHERE);
	apic_icr(0, 0x40 | ICR_ASSERT | ICR_SELF);
	sti();
	for (;;)
		pause_();
}

CASE(hostile_idt_in_mmio_exception, G_END_ANY, 1)
{
	load_idt(G_MMIO);
	asm volatile("ud2");
}

CASE(hostile_idt_in_apic, G_END_ANY, 1)
{
	load_idt(0xfee00000);
	asm volatile("ud2");
}

CASE(hostile_gdt_in_mmio, G_END_ANY, 1)
{
	struct { u16 l; u64 b; } __attribute__((packed)) t = { 4095, G_MMIO };

	asm volatile("lgdt %0" :: "m"(t));
	asm volatile("mov %w0, %%ds" :: "r"(0x10));
}

CASE(hostile_gdt_in_apic, G_END_ANY, 1)
{
	struct { u16 l; u64 b; } __attribute__((packed)) t = { 4095, 0xfee00000 };

	asm volatile("lgdt %0" :: "m"(t));
	asm volatile("mov %w0, %%ds" :: "r"(0x10));
}

CASE(hostile_stack_in_mmio, G_END_ANY, 1)
{
	asm volatile("mov %0, %%rsp; push %%rax" :: "r"((ulong)G_MMIO + 0x800));
}

CASE(hostile_stack_in_mmio_exception, G_END_ANY, 1)
{
	asm volatile("mov %0, %%rsp; ud2" :: "r"((ulong)G_MMIO + 0x800));
}

CASE(hostile_stack_in_apic, G_END_ANY, 1)
{
	asm volatile("mov %0, %%rsp; ud2" :: "r"(0xfee00800ul));
}

CASE(hostile_tss_in_mmio, G_END_ANY, 1)
{
	extern char hostile_user[];

	gdt[6] = 0x67 | (u64)(G_MMIO & 0xffffff) << 16 | 0x89ull << 40 | (u64)(G_MMIO >> 24) << 56;
	gdt[7] = 0;
	asm volatile("ltr %w0" :: "r"(SEL_TSS));
	run_user((ulong)hostile_user);
}
asm("hostile_user: ud2; int $0x80");

CASE(hostile_jump_to_mmio, G_END_ANY, 1)
{
	asm volatile("jmp *%0" :: "r"((ulong)G_MMIO));
}

CASE(hostile_jump_to_apic, G_END_ANY, 1)
{
	asm volatile("jmp *%0" :: "r"(0xfee00020ul));
}

CASE(hostile_run_into_mmio, G_END_ANY, 1)
{
	/* the last bytes of memory are NOPs: an instruction begins in RAM, ends outside */
	volatile u8 *at = (u8 *)(ulong)(G_RAM - 16);

	for (u32 i = 0; i < 15; i++)
		at[i] = 0x90;
	at[15] = 0x48;
	asm volatile("jmp *%0" :: "r"(at));
}

CASE(hostile_store_across_end, G_END_ANY, 1)
{
	*(volatile u64 *)(ulong)(G_RAM - 4) = 1;
}

CASE(hostile_store_across_mmio_page, G_END_ANY, 1)
{
	*(volatile u64 *)(ulong)(G_MMIO + 0xffc) = 1;
}

CASE(hostile_rep_ins_to_mmio, G_END_ANY, 1)
{
	ulong di = G_MMIO, cx = 16;

	asm volatile("rep insb" : "+D"(di), "+c"(cx) : "d"(G_PORT) : "memory");
}

CASE(hostile_rep_outs_from_mmio, G_END_ANY, 1)
{
	ulong si = G_MMIO, cx = 16;

	asm volatile("rep outsb" : "+S"(si), "+c"(cx) : "d"(G_PORT) : "memory");
}

CASE(hostile_rep_ins_huge, G_END_ANY, 1)
{
	ulong di = 0x1000000, cx = ~0ul;

	asm volatile("rep insb" : "+D"(di), "+c"(cx) : "d"(G_PORT) : "memory");
}

CASE(hostile_rep_movs_from_mmio, G_END_ANY, 1)
{
	ulong si = G_MMIO, di = 0x1000000, cx = 64;

	asm volatile("rep movsq" : "+S"(si), "+D"(di), "+c"(cx) :: "memory");
}

CASE(hostile_movs_mmio_to_mmio, G_END_ANY, 1)
{
	ulong si = G_MMIO, di = G_MMIO + 0x1000;

	asm volatile("movsl" : "+S"(si), "+D"(di) :: "memory");
}

CASE(hostile_apic_odd_access, G_END_ANY, 1)
{
	*(volatile u8 *)0xfee00081 = 1;
	*(volatile u16 *)0xfee000f2 = 1;
	*(volatile u64 *)0xfee00080 = 1;
	(void)*(volatile u32 *)0xfee00083;
	(void)*(volatile u64 *)0xfee00ffc;
	(void)*(volatile u32 *)0xfee00ff0;
	*(volatile u32 *)0xfee00ff0 = ~0u;
	asm volatile("lock; addl $1, (%0)" :: "r"(0xfee00080ul) : "memory");
	asm volatile("addl $1, (%0)" :: "r"(0xfee00080ul) : "memory");
	asm volatile("xchg %%eax, (%0)" :: "r"(0xfee000f0ul) : "rax", "memory");
	asm volatile("rep stosl" :: "D"(0xfee00000ul), "c"(256), "a"(~0u) : "memory");
}

CASE(hostile_apic_every_register, 0, 1)
{
	/* all values into all registers: the APIC stays one */
	for (u32 off = 0; off < 0x1000; off += 16) {
		if (off == 0x300 || off == 0xb0)
			continue;
		(void)*(volatile u32 *)(0xfee00000ul + off);
		*(volatile u32 *)(0xfee00000ul + off) = 0xffffffff;
		*(volatile u32 *)(0xfee00000ul + off) = 0;
	}
	is(apic_read(0x30) & 0xff, 0x14);
}

CASE(hostile_icr_every_mode, G_END_ANY, 1)
{
	apic_enable();
	handlers[2] = irq_count_no_eoi;
	for (u32 i = 0; i < 256; i++)
		handlers[i] = handlers[i] ? handlers[i] : irq_count;
	sti();
	for (u32 mode = 0; mode < 8; mode++)
		for (u32 rest = 0; rest < 32; rest++) {
			if (mode == 5 || mode == 6)
				continue;
			apic_icr(rest & 1 ? 0 : 0xff, 0x80 | mode << 8 | (rest >> 1 & 1) << 11 |
				 (rest >> 2 & 1) << 14 | (rest >> 3 & 1) << 15 | (rest >> 4) << 18);
		}
	cli();
}

CASE(hostile_x2apic_every_msr, 0, 1)
{
	apic_enable();
	x2apic_enable();
	for (u32 n = 0x800; n < 0x900; n++) {
		(void)TRY("rdmsr", :: "c"(n) : "rax", "rdx");
		if (n == 0x830 || n == 0x83f)
			continue;
		(void)TRY("wrmsr", :: "c"(n), "a"(~0u), "d"(~0u));
		(void)TRY("wrmsr", :: "c"(n), "a"(0), "d"(0));
	}
	is(rdmsr(0x803) & 0xff, 0x14);
}

/* reading it waits for an interrupt */
#define MSR_GUEST_IDLE	0x400000f0
/* these end the machine, or call the worker, when they are written */
#define MSR_HV_RESET	0x40000003
#define MSR_CRASH_CTL	0x40000105

CASE(hostile_every_msr, 0, 1)
{
	static const u32 ranges[][2] = {
		{ 0, 0x800 }, { 0x900, 0x1100 }, { 0x40000000, 0x40000200 },
		{ 0xc0000080, 0xc0000110 }, { 0xc0010000, 0xc0010140 }, { 0xfffffff0, 0xffffffff },
	};
	u32 readable = 0;

	for (u32 r = 0; r < sizeof(ranges) / sizeof(*ranges); r++)
		for (u32 n = ranges[r][0]; n < ranges[r][1]; n++)
			if (n != MSR_GUEST_IDLE)
				readable += TRY("rdmsr", :: "c"(n) : "rax", "rdx") == -1;
	check(readable > 20);
}

CASE(hostile_every_msr_write, 0, 1)
{
	static const u64 values[] = { ~0ull, 0x8000000000000000ull, 0xdeadbeefcafebabeull, 1ull << 40 };
	static const u32 ranges[][2] = {
		{ 0, 0x800 }, { 0x900, 0x1100 }, { 0x40000000, 0x40000200 },
		{ 0xc0000080, 0xc0000110 }, { 0xc0010000, 0xc0010140 },
	};

	for (u32 r = 0; r < sizeof(ranges) / sizeof(*ranges); r++)
		for (u32 n = ranges[r][0]; n < ranges[r][1]; n++)
			for (u32 v = 0; v < sizeof(values) / sizeof(*values); v++) {
				u64 old;

				if (n == 0xc0000080 || n == 0x1b || n == MSR_GUEST_IDLE ||
				    n == MSR_HV_RESET || n == MSR_CRASH_CTL)
					continue;
				if (TRY("rdmsr", :: "c"(n) : "rax", "rdx") != -1)
					continue;
				old = rdmsr(n);
				(void)TRY("wrmsr", :: "c"(n), "a"((u32)values[v]),
					  "d"((u32)(values[v] >> 32)));
				(void)TRY("wrmsr", :: "c"(n), "a"((u32)old), "d"((u32)(old >> 32)));
			}
	is_(cpuid(0, 0).ebx, 0x756e6547, "the VP still runs");
}

CASE(hostile_every_cpuid, 0, 1)
{
	for (u32 leaf = 0; leaf < 0x40; leaf++)
		for (u32 sub = 0; sub < 0x50; sub++) {
			cpuid(leaf, sub);
			cpuid(leaf | 0x80000000, sub);
			cpuid(leaf | 0x40000000, sub);
		}
	cpuid(~0u, ~0u);
	is(cpuid(0, 0).ebx, 0x756e6547);
}

CASE(hostile_hypercalls, 0, 1)
{
	/* no hypercall page was set up: any answer but a dead host */
	for (u32 i = 0; i < 0x100; i++) {
		(void)TRY("vmcall", :: "a"(0ul), "c"((ulong)i), "d"(~0ul) : "r8", "memory");
		(void)TRY("vmcall", :: "a"(0ul), "c"((ulong)i | 0x10000), "d"(0x1000ul) : "r8", "memory");
		(void)TRY("vmcall", :: "a"(0ul), "c"(~0ul - i), "d"(0ul) : "r8", "memory");
	}
	is(cpuid(0, 0).ebx, 0x756e6547);
}

CASE(hostile_exception_loop, G_END_STUCK, 1)
{
	/* #PF whose handler faults at once, for ever, without #DF: stack pages are fine */
	extern void again(struct frame *f);

	handlers[6] = again;
	asm volatile("ud2");
}

void again(struct frame *f)
{
	(void)f;	/* returns to the same UD2 */
}

CASE(hostile_db_loop, G_END_STUCK, 1)
{
	/* #DB whose delivery hits a breakpoint on the stack: the endless loop of
	 * CVE-2015-8104
	 */
	handlers[1] = irq_count_no_eoi;
	WR("db0", 0x80000);
	WR("db7", 0x702 | 0x30000 | 0xc0000);
	asm volatile("mov $0x80020, %%rsp; pushfq; orl $0x100, (%%rsp); popfq; 1: jmp 1b" ::: "memory");
}

CASE(hostile_ac_loop, G_END_STUCK, 1)
{
	extern char ac_spin[];

	/* #AC in ring 3 for ever: CVE-2015-5307's relative */
	handlers[17] = again;
	WR("cr0", cr0() | 1 << 18);
	user_flags = 0x40202;
	run_user((ulong)ac_spin);
}
asm("ac_spin: mov 0x400001, %eax; jmp ac_spin");

CASE(hostile_invalid_tss_ss, G_END_ANY, 1)
{
	/* RSP0 is not canonical: the exception from ring 3 cannot be delivered */
	extern char hostile_user[];

	*(u64 *)(tss + 4) = 0x8000000000000000ull;
	run_user((ulong)hostile_user);
}

CASE(hostile_wait_with_if_off, G_END_STUCK, 1)
{
	asm volatile("1: cli; hlt; jmp 1b");
}

CASE(hostile_fast_exits, 0, 1)
{
	for (u32 i = 0; i < 50000; i++)
		cpuid(0, 0);
	check(true);
}

CASE(hostile_read_only_code, G_END_ANY, 1)
{
	/* execute from a page that has no backing in its middle: 4 KiB before the end */
	u8 *at = (u8 *)(ulong)(G_RAM - 4096);

	for (u32 i = 0; i < 4096; i++)
		at[i] = 0x90;
	asm volatile("jmp *%0" :: "r"(at));
}
