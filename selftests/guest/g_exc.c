// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_exc.c - exceptions inside the guest: right vector, error code, address.
 */
#include "rt.h"

#define PT_2M ((u64 *)0x12000)	/* the first of four page directories */

CASE(exc_de, 0, 1)
{
	is_(TRY("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx", ::: "rax", "rcx", "rdx"), 0,
	    "division by zero is #DE");
}

CASE(exc_ud_bp_of, 0, 1)
{
	is(TRY("ud2"), 6);
	is(TRY("int3"), 3);
	is_(TRY(".byte 0x06"), 6, "PUSH ES is #UD in 64-bit mode");
}

CASE(exc_many, 0, 1)
{
	u32 before = exc.count;

	for (u32 i = 0; i < 1000; i++)
		TRY("ud2");
	is_(exc.count - before, 1000, "a thousand #UD in a row");
}

CASE(exc_gp, 0, 1)
{
	is(TRY("mov %w0, %%ds", :: "r"(0xfff8)), 13);
	is_(exc.err, 0xfff8, "#GP has the selector as error code");
	is(TRY("mov %w0, %%es", :: "r"(SEL_ABSENT)), 11);
	is_(exc.err, SEL_ABSENT, "#NP has the selector as error code");
	is(TRY("mov %w0, %%ss", :: "r"(SEL_ABSENT)), 12);
	is_(exc.err, SEL_ABSENT, "#SS has the selector as error code");
	is_(TRY("mov %0, %%rax; mov (%%rax), %%rax", :: "r"(0x8000000000000000ull) : "rax"), 13,
	    "a load from a non-canonical address is #GP");
	is(exc.err, 0);
}

CASE(exc_rf, 0, 1)
{
	is(TRY("ud2"), 6);
	check(exc.flags & 1 << 16);
	is_(TRY("wrmsr", :: "c"(0xdeadbeef), "a"(0), "d"(0)), 13, "WRMSR of nothing is #GP");
	check(exc.flags & 1 << 16);	/* a fault that the hypervisor injects has RF too */
	is(TRY("int3"), 3);
	check(!(exc.flags & 1 << 16));
}

/* the frame's RSP is in the handler's hands: restore it there */
static ulong saved_sp;
static void restore_sp(struct frame *f)
{
	exc.vec = f->vec;
	exc.err = f->err;
	f->sp = saved_sp;
	f->ip = try_ip;
	try_ip = 0;
}

CASE(exc_ss_stack, 0, 1)
{
	handlers[12] = restore_sp;
	asm volatile("mov %%rsp, %0" : "=m"(saved_sp));
	gate(12, *(u16 *)(idt + 12 * 16) | *(u16 *)(idt + 12 * 16 + 6) << 16, SEL_CODE, 0x8e, 1);
	is_(TRY("mov %0, %%rsp; push %%rax", :: "r"(0x8000000000000000ull)), 12,
	    "a push to a non-canonical stack is #SS, taken on an IST stack");
	is(exc.err, 0);
}

CASE(exc_pf, 0, 1)
{
	volatile u64 *at = (u64 *)0x12345670;
	u64 *e = &PT_2M[0x12345670 >> 21], old = *e, v;

	*e = 0;
	WR("cr3", cr3());
	is(TRY("mov (%1), %0", : "=r"(v) : "r"(at)), 14);
	is_(exc.err, 0, "read of an absent page: error code 0");
	is(exc.cr2, 0x12345670);
	is(TRY("mov %0, 3(%0)", :: "r"(at)), 14);
	is_(exc.err, 2, "write to an absent page: error code W");
	is(exc.cr2, 0x12345673);
	is(TRY("jmp *%0", :: "r"(at)), 14);
	is_(exc.err & ~0x10ul, 0, "fetch from an absent page");
	*e = old & ~2ull;
	WR("cr0", cr0() | 1 << 16);
	WR("cr3", cr3());
	is(TRY("movb $1, (%0)", :: "r"(at)), 14);
	is_(exc.err, 3, "write to a read-only page with WP: P | W");
	WR("cr0", cr0() & ~(1ul << 16));
	*e = old | 1ull << 51;
	WR("cr3", cr3());
	is(TRY("mov (%1), %0", : "=r"(v) : "r"(at)), 14);
	is_(exc.err, 9, "reserved bit: P | RSVD");
	is(exc.cr2, 0x12345670);
	*e = old;
}

CASE(exc_pf_resume, 0, 1)
{
	/* demand paging by the guest itself: each fault is repaired and retried */
	extern void pf_repair(struct frame *f);
	u64 *e = &PT_2M[0x40000000 >> 21];
	u32 sum = 0;

	for (u32 i = 0; i < 64; i++)
		e[i] = 0;
	WR("cr3", cr3());
	handlers[14] = pf_repair;
	for (u32 i = 0; i < 64; i++)
		*(volatile u32 *)(0x40000000ul + (u64)i * 0x200000 + i * 4) = i;
	for (u32 i = 0; i < 64; i++)
		sum += *(volatile u32 *)(0x40000000ul + (u64)i * 0x200000 + i * 4);
	is(sum, 64 * 63 / 2);
	is(exc.count, 64);
}

void pf_repair(struct frame *f)
{
	u64 *e = &PT_2M[cr2() >> 21];

	/* all of them onto RAM at 16 MiB, one 2 MiB page each in turn */
	(void)f;
	*e = (16u << 20) | ((cr2() >> 21 & 7) << 21) | 0x87;
	exc.count++;
}

CASE(exc_db_single_step, 0, 1)
{
	extern void step(struct frame *f);

	handlers[1] = step;
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop; nop; nop; "
		     "pushfq; andl $~0x100, (%%rsp); popfq" ::: "memory", "cc");
	/* nop nop nop nop pushf andl popf: seven traps, the last after POPF itself */
	is(exc.count, 7);
	check(exc.dr6 & 1 << 14);
	exc.count = 0;
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq; cpuid; "
		     "pushfq; andl $~0x100, (%%rsp); popfq"
		     : : "a"(0), "c"(0) : "rbx", "rdx", "memory", "cc");
	is_(exc.count, 4, "single step over CPUID, which exits");
	exc.count = 0;
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq; out %%al, $0x80; "
		     "pushfq; andl $~0x100, (%%rsp); popfq"
		     : : "a"(0) : "memory", "cc");
	is_(exc.count, 4, "single step over OUT, which goes to the worker");
	exc.count = 0;
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq; mov %%eax, (%%rdx); "
		     "pushfq; andl $~0x100, (%%rsp); popfq"
		     : : "a"(0), "d"((ulong)G_MMIO) : "memory", "cc");
	/* KVM forgets the trap after a store that went to its worker */
	is_(exc.count, host->driver_ovid ? 4 : 3, "single step over an MMIO store");
}

void step(struct frame *f)
{
	exc.count++;
	exc.dr6 = RD("db6", ulong);
	(void)f;
}

CASE(exc_db_breakpoints, 0, 1)
{
	extern void step(struct frame *f);
	volatile u32 *at = (u32 *)0x400000;

	handlers[1] = step;
	WR("db0", at);
	WR("db7", 0xd0002 | 0x700);	/* global, write, 4 bytes */
	exc.count = 0;
	*at = 1;
	is_(exc.count, 1, "a data breakpoint on a write");
	check(exc.dr6 & 1);
	(void)*at;
	is_(exc.count, 1, "not on a read");
	outb(G_PORT, 1);
	cpuid(0, 0);
	*at = 2;
	is_(exc.count, 2, "still there after exits");
	is(RD("db0", ulong), (ulong)at);
	WR("db7", 0x400);
	*at = 3;
	is_(exc.count, 2, "off again");
	is_(TRY("mov %0, %%db7", :: "r"(1ul << 40)), 13, "an upper bit of DR7 is #GP");
	is_(TRY("mov %0, %%db6", :: "r"(1ul << 40)), 13, "an upper bit of DR6 is #GP");
}

CASE(exc_dr_kept, 0, 1)
{
	WR("db0", 0x11111); WR("db1", 0x22222); WR("db2", 0x33333); WR("db3", 0x44444);
	for (u32 i = 0; i < 10; i++) {
		cpuid(0, 0);
		outb(G_PORT, i);
	}
	is(RD("db0", ulong), 0x11111);
	is(RD("db1", ulong), 0x22222);
	is(RD("db2", ulong), 0x33333);
	is(RD("db3", ulong), 0x44444);
	is_(RD("db6", ulong) & 0xffff0ff0, 0xffff0ff0, "DR6 has its fixed ones");
	is_(RD("db7", ulong), 0x400, "DR7 at reset");
	WR("db7", 0x400 | 1 << 13);
	is_(TRY("mov %%db0, %%rax", ::: "rax"), 1, "general detect: a DR access is #DB");
	check(exc.dr6 & 1 << 13);
	is_(RD("db7", ulong), 0x400, "which clears GD");
}

CASE(exc_df, 0, 1)
{
	extern void df(struct frame *f);

	/* #PF whose gate is not present: #NP while delivering it is #DF */
	handlers[8] = df;
	gate(8, *(u16 *)(idt + 8 * 16) | *(u16 *)(idt + 8 * 16 + 6) << 16, SEL_CODE, 0x8e, 1);
	gate(14, 0, SEL_CODE, 0x0e, 0);
	PT_2M[0x12345670 >> 21] = 0;
	WR("cr3", cr3());
	is_(TRY("mov 0x12345670, %%eax", ::: "rax"), 8, "a #PF that cannot be delivered is #DF");
	is_(exc.err, 0, "its error code is 0");
}

void df(struct frame *f)
{
	exc.vec = 8;
	exc.err = f->err;
	f->ip = try_ip;
	try_ip = 0;
}

CASE(exc_np_gate, 0, 1)
{
	gate(0x55, 0, SEL_CODE, 0x0e, 0);
	is(TRY("int $0x55"), 11);
	is_(exc.err, 0x55 * 8 + 2, "#NP of a gate: IDT flag and index");
	gate(0x56, 0, 0xfff8, 0x8e, 0);
	is(TRY("int $0x56"), 13);
	is_(exc.err, 0xfff8, "#GP of a gate's selector");
}

CASE(exc_soft_int, 0, 1)
{
	handlers[0x45] = irq_count_no_eoi;
	for (u32 i = 0; i < 100; i++)
		asm volatile("int $0x45");
	is(irqs[0x45], 100);
}

CASE(exc_mf_xm, 0, 1)
{
	u32 mx = 0x1f80 & ~0x200;	/* unmask division by zero */
	u16 cw = 0x37f & ~4;

	WR("cr4", cr4() | 0x600);
	WR("cr0", cr0() | 0x20);
	asm volatile("ldmxcsr %0" :: "m"(mx));
	is_(TRY("xorps %%xmm1, %%xmm1; mov $0x3f800000, %%eax; movd %%eax, %%xmm0; divss %%xmm1, %%xmm0",
		::: "rax"), 19, "an unmasked SSE division by zero is #XM");
	asm volatile("fninit; fldcw %0" :: "m"(cw));
	is_(TRY("fld1; fldz; fdivrp; fwait"), 16, "an unmasked x87 division by zero is #MF");
	asm volatile("fnclex; fninit");
}

CASE(exc_ac_user, 0, 1)
{
	extern char ac_user[];
	extern void ac(struct frame *f);

	handlers[17] = ac;
	WR("cr0", cr0() | 1 << 18);
	run_user((ulong)ac_user);
	is_(irqs[17], 1, "an unaligned access in ring 3 with AC is #AC");
}

void ac(struct frame *f)
{
	irqs[17]++;
	f->flags &= ~(1ul << 18);
}
asm("ac_user: pushfq; orl $1<<18, (%rsp); popfq; mov 0x400001, %eax; int $0x80");

CASE(exc_user_page, 0, 1)
{
	extern char pf_user[];
	extern void upf(struct frame *f);

	PT_2M[0x12400000 >> 21] &= ~4ull;
	WR("cr3", cr3());
	handlers[14] = upf;
	run_user((ulong)pf_user);
	is_(exc.err, 5, "ring 3 read of a supervisor page: P | U");
	is(exc.cr2, 0x12400010);
	is(exc.cs, SEL_UCODE);
}

void upf(struct frame *f)
{
	exc.err = f->err;
	exc.cr2 = cr2();
	exc.cs = f->cs;
	f->ip += 7;
}
asm("pf_user: mov 0x12400010, %eax; int $0x80");

CASE(shutdown_no_idt, G_END_SHUTDOWN, 1)
{
	struct { u16 l; u64 b; } __attribute__((packed)) none = { 0, 0 };

	asm volatile("lidt %0; ud2" :: "m"(none));
}

CASE(shutdown_bad_stack, G_END_SHUTDOWN, 1)
{
	/* no IST: #SS, #DF and then nothing can be pushed */
	asm volatile("mov %0, %%rsp; push %%rax" :: "r"(0x8000000000000000ull));
}

CASE(shutdown_cr3, G_END_SHUTDOWN, 1)
{
	/* a top-level table full of zeroes */
	u64 *p = (u64 *)0x600000;

	for (u32 i = 0; i < 512; i++)
		p[i] = 0;
	WR("cr3", p);
}

/* ---- interrupt shadow ---- */

CASE(shadow_sti, 0, 1)
{
	u32 seen, after;

	handlers[0x50] = irq_count;
	apic_enable();
	cli();
	apic_icr(0, 0x50 | ICR_ASSERT | ICR_SELF);
	asm volatile("sti; mov irqs+0x50*4, %0; nop; cli; mov irqs+0x50*4, %1"
		     : "=r"(seen), "=r"(after));
	is_(seen, 0, "nothing between STI and the next instruction");
	is_(after, 1, "then the interrupt");
}

CASE(shadow_sti_exit, 0, 1)
{
	u32 seen;

	handlers[0x50] = irq_count;
	apic_enable();
	cli();
	apic_icr(0, 0x50 | ICR_ASSERT | ICR_SELF);
	/* an instruction in the shadow that exits: the shadow ends with it */
	asm volatile("sti; cpuid; mov irqs+0x50*4, %0; cli"
		     : "=S"(seen) : "a"(0), "c"(0) : "rbx", "rdx");
	is_(seen, 1, "the interrupt comes right after a CPUID in the shadow");
	apic_icr(0, 0x50 | ICR_ASSERT | ICR_SELF);
	asm volatile("sti; out %%al, $0x80; mov irqs+0x50*4, %0; cli" : "=S"(seen) : "a"(0));
	is_(seen, 2, "the same with an OUT to the worker");
}

CASE(shadow_mov_ss, 0, 1)
{
	u32 seen;

	handlers[0x50] = irq_count;
	apic_enable();
	cli();
	apic_icr(0, 0x50 | ICR_ASSERT | ICR_SELF);
	asm volatile("mov %%ss, %%eax; pushfq; orl $0x200, (%%rsp); "
		     "cli; sti; mov %%eax, %%ss; mov irqs+0x50*4, %0; nop; cli; add $8, %%rsp"
		     : "=r"(seen) :: "rax", "memory", "cc");
	is_(irqs[0x50], 1, "an interrupt after STI; MOV SS is taken once");
	check(seen <= 1);
}

CASE(shadow_cli, 0, 1)
{
	handlers[0x50] = irq_count;
	apic_enable();
	cli();
	apic_icr(0, 0x50 | ICR_ASSERT | ICR_SELF);
	for (u32 i = 0; i < 100; i++) {
		cpuid(0, 0);
		outb(G_PORT, 0);
		asm volatile("sti; cli");
	}
	is_(irqs[0x50], 0, "STI; CLI never opens a window");
	sti_nop();
	is(irqs[0x50], 1);
}
