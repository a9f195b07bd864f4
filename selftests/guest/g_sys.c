// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_sys.c - ring 3, SYSCALL, SYSENTER, task state, far transfers.
 */
#include "rt.h"

static volatile u64 calls, got_rcx, got_r11, got_arg;

asm(".globl syscall_entry, syscall_entry_nop\n"
    "syscall_entry: mov %rcx, got_rcx; mov %r11, got_r11; mov %rdi, got_arg; incq calls;"
    "mov %rsp, %r9; mov $exc_stack_top, %rsp; push %rax; cpuid_here: pop %rax; mov %r9, %rsp;"
    "sysretq\n"
    "user_syscall: mov $0x77, %edi; syscall; after_syscall: mov $0x78, %edi; syscall; int $0x80\n"
    "sysenter_entry: incq calls; mov %rdx, got_rcx; mov %rcx, got_r11;"
    "mov %r14, %rdx; mov %r15, %rcx; rex.w sysexit\n"
    "user_sysenter: mov %rsp, %r15; mov $1f, %r14; sysenter; ud2; 1: int $0x80\n"
    "user_gp: cli; int $0x80\n"
    "user_hlt: hlt; int $0x80\n"
    "user_out: mov $0x300, %edx; out %al, %dx; int $0x80\n"
    "user_rdmsr: mov $0x10, %ecx; rdmsr; int $0x80\n"
    "user_cr: mov %cr0, %rax; int $0x80\n"
    "user_exits: xor %r12d, %r12d; 1: xor %eax, %eax; xor %ecx, %ecx; cpuid; inc %r12d;"
    "cmp $50, %r12d; jne 1b; mov %r12, got_arg; int $0x80\n"
    "user_mmio: mov $0xd0000000, %eax; movl $0x42, (%rax); mov (%rax), %ebx; mov %rbx, got_arg; int $0x80\n");

extern char syscall_entry[], user_syscall[], after_syscall[], sysenter_entry[], user_sysenter[];
extern char user_gp[], user_hlt[], user_out[], user_rdmsr[], user_cr[], user_exits[], user_mmio[];

static void syscall_on(void)
{
	wrmsr(0xc0000080, rdmsr(0xc0000080) | 1);
	wrmsr(0xc0000081, (u64)SEL_CODE << 32 | 0x1bull << 48);
	wrmsr(0xc0000082, (ulong)syscall_entry);
	wrmsr(0xc0000084, 0x200);
}

CASE(sys_syscall, 0, 1)
{
	syscall_on();
	run_user((ulong)user_syscall);
	is(calls, 2);
	is(got_arg, 0x78);
	check(got_r11 & 0x200);
	calls = 0;
	for (u32 i = 0; i < 50; i++) {
		outb(G_PORT, i);
		run_user((ulong)user_syscall);
	}
	is(calls, 100);
}

CASE(sys_syscall_off, 0, 1)
{
	is_(TRY("syscall", ::: "rcx", "r11"), 6, "SYSCALL without SCE is #UD");
}

CASE(sys_sysenter, 0, 1)
{
	wrmsr(0x174, SEL_CODE);
	wrmsr(0x175, (ulong)exc_stack_top - 1024);
	wrmsr(0x176, (ulong)sysenter_entry);
	/* SYSEXIT wants user segments at CS + 32 and CS + 40 in 64-bit mode */
	gdt[5] = 0x00affb000000ffffull;
	gdt[6] = 0x00cff3000000ffffull;
	for (u32 i = 0; i < 10; i++) {
		outb(G_PORT, i);
		cpuid(0, 0);
		run_user((ulong)user_sysenter);
	}
	is(calls, 10);
}

static void skip_one(struct frame *f)
{
	irqs[f->vec]++;
	exc.err = f->err;
	f->ip = *(u8 *)f->ip == 0x0f ? f->ip + (((u8 *)f->ip)[1] == 0x32 ? 2 : 3) : f->ip + 1;
}

CASE(sys_user_privileged, 0, 1)
{
	handlers[13] = skip_one;
	run_user((ulong)user_gp);
	is_(irqs[13], 1, "CLI in ring 3 is #GP");
	is(exc.err, 0);
	run_user((ulong)user_hlt);
	is_(irqs[13], 2, "HLT in ring 3 is #GP, not an exit");
	run_user((ulong)user_out);
	is_(irqs[13], 3, "OUT in ring 3 is #GP, not an exit");
	run_user((ulong)user_rdmsr);
	is_(irqs[13], 4, "RDMSR in ring 3 is #GP, not an exit");
	run_user((ulong)user_cr);
	is_(irqs[13], 5, "MOV CR in ring 3 is #GP, not an exit");
}

CASE(sys_user_exits, 0, 1)
{
	run_user((ulong)user_exits);
	is_(got_arg, 50, "CPUID in ring 3 works");
	host->answer = 0x1234;
	run_user((ulong)user_mmio);
	is_(got_arg, 0x1234, "MMIO in ring 3 works");
	is(host->size, 4);
}

CASE(sys_user_interrupted, 0, 1)
{
	extern char user_spin[];

	handlers[0x44] = irq_count;
	apic_enable();
	command(G_CMD_MSI_LATER, 0xfee00000, 0x44, 500);
	run_user((ulong)user_spin);
	is_(irqs[0x44], 1, "an interrupt reaches ring 3");
}
asm("user_spin: cmpl $0, irqs + 0x44 * 4; je user_spin; int $0x80");

CASE(sys_ist, 0, 1)
{
	extern void on_ist(struct frame *f);

	handlers[6] = on_ist;
	gate(6, *(u16 *)(idt + 6 * 16) | *(u16 *)(idt + 6 * 16 + 6) << 16, SEL_CODE, 0x8e, 1);
	asm volatile("ud2");
	check(got_arg <= (ulong)exc_stack_top && got_arg > (ulong)exc_stack_top - 512);
}

void on_ist(struct frame *f)
{
	got_arg = (ulong)f;
	f->ip += 2;
}

CASE(sys_far_transfers, 0, 1)
{
	u64 ok = 0;

	asm volatile("push %1; push $1f; lretq; 1: mov $1, %0" : "=r"(ok) : "r"((u64)SEL_CODE) : "memory");
	is_(ok, 1, "far return");
	asm volatile("mov %%ss, %%rax; push %%rax; lea 8(%%rsp), %%rax; push %%rax; pushfq;"
		     "push %1; push $1f; iretq; 1: mov $2, %0"
		     : "=r"(ok) : "r"((u64)SEL_CODE) : "rax", "memory");
	is_(ok, 2, "IRETQ to the same ring");
}

CASE(sys_compat_mode, 0, 1)
{
	/* 32-bit code in compatibility mode, with exits */
	u32 out;

	gdt[9] = 0x00cf9b000000ffffull;
	asm volatile("mov %%rsp, %%r12; push $0x48; push $compat; lretq;"
		     ".globl back64; back64: mov %%r12, %%rsp; mov %%ebx, %0"
		     : "=r"(out) :: "rax", "rbx", "rcx", "rdx", "r12", "memory");
	is(out, 0x756e6547);
	is_(host->value, 0x55, "a 32-bit store");
	is(host->size, 4);
}
asm(".code32; compat: mov $0xd0000040, %edx; movl $0x55, (%edx); xor %eax, %eax; xor %ecx, %ecx;"
    "cpuid; ljmp $0x08, $back64; .code64");

CASE(sys_segment_bases, 0, 1)
{
	wrmsr(0xc0000100, 0x500000);
	wrmsr(0xc0000101, 0x600000);
	*(volatile u32 *)0x500010 = 5;
	*(volatile u32 *)0x600010 = 6;
	for (u32 i = 0; i < 20; i++) {
		u32 a, b;

		outb(G_PORT, i);
		cpuid(0, 0);
		asm volatile("mov %%fs:0x10, %0; mov %%gs:0x10, %1" : "=r"(a), "=r"(b));
		if (a != 5 || b != 6) {
			is(a, 5);
			is(b, 6);
			return;
		}
	}
	is_(rdmsr(0xc0000100), 0x500000, "FS base is kept over exits");
	if (cpuid(7, 0).ebx & 1) {
		u64 v;

		WR("cr4", cr4() | 1ul << 16);
		asm volatile("rdgsbase %0" : "=r"(v));
		is(v, 0x600000);
		asm volatile("wrfsbase %0" :: "r"(0x600000ul));
		is(rdmsr(0xc0000100), 0x600000);
	}
}

CASE(sys_descriptor_tables, 0, 1)
{
	struct { u16 l; u64 b; } __attribute__((packed)) g, i;
	u16 tr, ldt;

	outb(G_PORT, 0);
	asm volatile("sgdt %0; sidt %1; str %2; sldt %3" : "=m"(g), "=m"(i), "=m"(tr), "=m"(ldt));
	is(g.l, 16 * 8 - 1);
	is(g.b, (ulong)gdt);
	is(i.l, 4095);
	is(i.b, (ulong)idt);
	is(tr, SEL_TSS);
	is(ldt, 0);
	is_(gdt[6] >> 41 & 1, 1, "the TSS is busy");
}
