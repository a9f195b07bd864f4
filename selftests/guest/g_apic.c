// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_apic.c - the local APIC on one VP: registers, priorities, timer, HLT,
 * interrupts from outside; in xAPIC and x2APIC mode.
 */
#include "rt.h"

#define GP 13
#define ID	0x20
#define VERSION	0x30
#define TPR	0x80
#define PPR	0xa0
#define EOI	0xb0
#define LDR	0xd0
#define DFR	0xe0
#define SVR	0xf0
#define ISR	0x100
#define TMR	0x180
#define IRR	0x200
#define ESR	0x280
#define ICR	0x300
#define LVT_TIMER 0x320
#define LVT_LINT0 0x350
#define LVT_LINT1 0x360
#define LVT_ERROR 0x370
#define TMICT	0x380
#define TMCCT	0x390
#define TDCR	0x3e0
#define MASKED	0x10000
#define PERIODIC 0x20000
#define DEADLINE 0x40000

static bool bit(u32 off, u32 vec)
{
	return apic_read(off + vec / 32 * 0x10) >> (vec % 32) & 1;
}

static void setup(u8 vec)
{
	handlers[vec] = irq_count;
	handlers[APIC_SPURIOUS] = irq_count_no_eoi;
	apic_enable();
}

CASE(apic_reset_state, 0, 1)
{
	is(apic_id(), 0);
	is_(apic_read(VERSION) & 0xff, 0x14, "version 14h");
	check((apic_read(VERSION) >> 16 & 0xff) >= 4);
	is_(apic_read(SVR), 0xff, "SVR at reset: software disabled, vector FF");
	is(apic_read(TPR), 0);
	is(apic_read(LDR), 0);
	is(apic_read(DFR), 0xffffffff);
	is_(apic_read(LVT_TIMER), MASKED, "LVT timer masked");
	is(apic_read(LVT_LINT1), MASKED);
	is(apic_read(LVT_ERROR), MASKED);
	is(apic_read(TMICT), 0);
	is(apic_read(TMCCT), 0);
	is(apic_read(TDCR), 0);
	for (u32 i = 0; i < 8; i++) {
		is(apic_read(ISR + i * 16), 0);
		is(apic_read(IRR + i * 16), 0);
	}
}

CASE(apic_registers, 0, 1)
{
	apic_write(LVT_TIMER, 0x40);
	is_(apic_read(LVT_TIMER), MASKED | 0x40, "LVTs stay masked while software disabled");
	setup(0x40);
	is(apic_read(SVR), 0x1ff);
	apic_write(LVT_TIMER, 0x40);
	is(apic_read(LVT_TIMER), 0x40);
	apic_write(LVT_TIMER, 0xffffffff);
	is_(apic_read(LVT_TIMER) & ~0x71000u, 0xff, "LVT timer keeps only its own bits");
	apic_write(LVT_TIMER, MASKED);
	apic_write(LVT_LINT0, 0x10700);
	is(apic_read(LVT_LINT0), 0x10700);
	apic_write(TDCR, 0xffffffff);
	is_(apic_read(TDCR), 0xb, "TDCR keeps bits 0, 1 and 3");
	apic_write(LDR, 0xffffffff);
	is_(apic_read(LDR), 0xff000000, "LDR keeps its upper byte");
	apic_write(TPR, 0xabc);
	is_(apic_read(TPR), 0xbc, "TPR has 8 bits");
	is(apic_read(PPR), 0xbc);
	apic_write(TPR, 0);
	apic_write(SVR, 0xff);
	is_(apic_read(LVT_LINT0) & MASKED, MASKED, "software disable masks the LVTs");
}

CASE(apic_all_widths, 0, 1)
{
	/* every way a kernel loads or stores a register */
	volatile u32 *svr = (u32 *)0xfee000f0ul;
	u32 v;

	asm volatile("movl $0x1ff, (%0)" :: "r"(svr) : "memory");
	asm volatile("movl (%1), %0" : "=r"(v) : "r"(svr) : "memory");
	is(v, 0x1ff);
	asm volatile("movabs 0xfee000f0, %%eax" : "=a"(v) :: "memory");
	is(v, 0x1ff);
	asm volatile("movabs %%eax, 0xfee000f0" :: "a"(0x2ff) : "memory");
	is_(*svr & 0xff, 0xff, "a store by moffs");
	asm volatile("movl %%r9d, (%0)" :: "r"(svr) : "memory");
	asm volatile("mov $0x1ff, %%r10d; movl %%r10d, 0xf0(%0)" :: "r"(0xfee00000ul) : "r10", "memory");
	is(*svr, 0x1ff);
}

static void self_ipi(void)
{
	u32 before = irqs[0x40];

	cli();
	apic_icr(apic_id(), 0x40 | ICR_ASSERT);
	is_(bit(IRR, 0x40), 1, "pending in IRR");
	sti_nop();
	is_(irqs[0x40], before + 1, "delivered once");
	is(bit(IRR, 0x40), 0);
	is_(bit(ISR, 0x40), 0, "EOI clears ISR");
	cli();
	apic_icr(0, 0x40 | ICR_ASSERT | ICR_SELF);
	apic_icr(0, 0x40 | ICR_ASSERT | ICR_SELF);
	sti_nop();
	is_(irqs[0x40], before + 2, "the same vector twice is one interrupt");
	for (u32 i = 0; i < 200; i++) {
		apic_icr(0, 0x40 | ICR_ASSERT | ICR_SELF);
		sti_nop();
	}
	is(irqs[0x40], before + 202);
	apic_icr(0, 0x40 | ICR_ASSERT | ICR_ALL);
	sti_nop();
	is_(irqs[0x40], before + 203, "all including self");
	apic_icr(0, 0x40 | ICR_ASSERT | ICR_OTHERS);
	sti_nop();
	is_(irqs[0x40], before + 203, "all but self: nobody");
	apic_icr(77, 0x40 | ICR_ASSERT);
	sti_nop();
	is_(irqs[0x40], before + 203, "an absent destination: nobody");
}

CASE(xapic_self_ipi, 0, 1)
{
	setup(0x40);
	self_ipi();
}

CASE(x2apic_self_ipi, 0, 1)
{
	setup(0x40);
	x2apic_enable();
	is(rdmsr(0x1b) & 0xc00, 0xc00);
	is(apic_id(), 0);
	is_(rdmsr(0x80d), 1, "LDR follows from the id");
	self_ipi();
	wrmsr(0x83f, 0x40);
	sti_nop();
	is_(irqs[0x40], 204, "the SELF IPI register");
}

CASE(x2apic_registers, 0, 1)
{
	setup(0x40);
	x2apic_enable();
	is_(rdmsr(0x80f), 0x1ff, "SVR is kept over the switch");
	is_(TRY("rdmsr", :: "c"(0x80b) : "rax", "rdx"), GP, "EOI cannot be read");
	if (host->driver_ovid)	/* KVM takes any value */
		is_(TRY("wrmsr", :: "c"(0x80b), "a"(1), "d"(0)), GP, "EOI takes only 0");
	is_(TRY("rdmsr", :: "c"(0x80e) : "rax", "rdx"), GP, "there is no DFR");
	is_(TRY("rdmsr", :: "c"(0x831) : "rax", "rdx"), GP, "there is no ICR2");
	is_(TRY("wrmsr", :: "c"(0x802), "a"(0), "d"(0)), GP, "the id is read-only");
	is_(TRY("wrmsr", :: "c"(0x803), "a"(0), "d"(0)), GP, "the version is read-only");
	is_(TRY("wrmsr", :: "c"(0x80d), "a"(0), "d"(0)), GP, "LDR is read-only");
	is_(TRY("wrmsr", :: "c"(0x808), "a"(0x100), "d"(0)), GP, "a reserved bit of TPR");
	is_(TRY("wrmsr", :: "c"(0x80f), "a"(0x1ff), "d"(1)), GP, "upper half of SVR");
	is_(TRY("wrmsr", :: "c"(0x828), "a"(1), "d"(0)), GP, "ESR takes only 0");
	is_(TRY("rdmsr", :: "c"(0x83f) : "rax", "rdx"), GP, "SELF IPI cannot be read");
	is_(TRY("rdmsr", :: "c"(0x840) : "rax", "rdx"), GP, "beyond the registers");
	is_(TRY("rdmsr", :: "c"(0x8ff) : "rax", "rdx"), GP, "the last of the range");
	is_(TRY("wrmsr", :: "c"(0x1b), "a"(0xfee00900), "d"(0)), GP, "x2APIC straight to xAPIC");
	wrmsr(0x808, 0x50);
	is(RD("cr8", ulong), 5);
	wrmsr(0x1b, 0xfee00100);
	x2apic = false;
	is_(cpuid(1, 0).edx >> 9 & 1, 0, "with the APIC off CPUID says so");
	wrmsr(0x1b, 0xfee00900);
	is_(cpuid(1, 0).edx >> 9 & 1, 1, "on again");
	is_(TRY("rdmsr", :: "c"(0x802) : "rax", "rdx"), GP, "x2APIC MSRs in xAPIC mode");
}

CASE(apic_priority, 0, 1)
{
	setup(0x40);
	handlers[0x60] = irq_count;
	handlers[0x35] = irq_count;
	apic_write(TPR, 0x50);
	apic_icr(0, 0x40 | ICR_ASSERT | ICR_SELF);
	apic_icr(0, 0x60 | ICR_ASSERT | ICR_SELF);
	sti_nop();
	is_(irqs[0x60], 1, "above TPR: delivered");
	is_(irqs[0x40], 0, "below TPR: held");
	is(bit(IRR, 0x40), 1);
	sti();
	apic_write(TPR, 0x30);
	asm volatile("nop; nop");
	is_(irqs[0x40], 1, "delivered when TPR goes down");
	cli();
	WR("cr8", 4);
	apic_icr(0, 0x40 | ICR_ASSERT | ICR_SELF);
	sti_nop();
	is_(irqs[0x40], 1, "class 4 is not above CR8 = 4");
	sti();
	WR("cr8", 3);
	asm volatile("nop; nop");
	cli();
	is_(irqs[0x40], 2, "delivered when CR8 goes down");
	WR("cr8", 0);
	apic_icr(0, 0x35 | ICR_ASSERT | ICR_SELF);
	sti_nop();
	is(irqs[0x35], 1);
}

static u32 order[8], n_order;
static void note_order(struct frame *f)
{
	order[n_order++ % 8] = f->vec;
	apic_write(EOI, 0);
}

CASE(apic_order, 0, 1)
{
	apic_enable();
	handlers[0x41] = handlers[0x52] = handlers[0x63] = note_order;
	cli();
	apic_icr(0, 0x52 | ICR_ASSERT | ICR_SELF);
	apic_icr(0, 0x41 | ICR_ASSERT | ICR_SELF);
	apic_icr(0, 0x63 | ICR_ASSERT | ICR_SELF);
	sti();
	asm volatile("nop; nop; nop; nop");
	cli();
	is(n_order, 3);
	is_(order[0], 0x63, "the highest first");
	is(order[1], 0x52);
	is(order[2], 0x41);
}

static void nest(struct frame *f)
{
	order[n_order++ % 8] = f->vec;
	if (f->vec == 0x52) {
		is_(bit(ISR, 0x52), 1, "in service");
		is_(apic_read(PPR), 0x50, "PPR is the class in service");
		apic_icr(0, 0x41 | ICR_ASSERT | ICR_SELF);
		apic_icr(0, 0x63 | ICR_ASSERT | ICR_SELF);
		sti_nop();
		is_(n_order, 3, "only the higher one nests");
	}
	order[n_order++ % 8] = f->vec + 0x100;
	apic_write(EOI, 0);
}

CASE(apic_nesting, 0, 1)
{
	apic_enable();
	handlers[0x41] = handlers[0x52] = handlers[0x63] = nest;
	cli();
	apic_icr(0, 0x52 | ICR_ASSERT | ICR_SELF);
	sti();
	asm volatile("nop; nop; nop");
	cli();
	is(n_order, 6);
	is(order[0], 0x52);
	is(order[1], 0x63);
	is(order[2], 0x163);
	is(order[3], 0x152);
	is(order[4], 0x41);
}

CASE(apic_illegal_vector, G_OVID_ONLY, 1)
{
	setup(0x40);
	apic_write(ESR, 0);
	apic_icr(0, 0x05 | ICR_ASSERT | ICR_SELF);
	apic_write(ESR, 0);
	check(apic_read(ESR) & 0x60);	/* send, or receive illegal vector */
	apic_write(ESR, 0);
	apic_write(ESR, 0);
	is(apic_read(ESR), 0);
}

/* ---- timer ---- */

static void timer(u32 mode, u32 count)
{
	apic_write(TDCR, 0xb);		/* divide by 1 */
	apic_write(LVT_TIMER, mode | 0x40);
	apic_write(TMICT, count);
}

static void timer_cases(void)
{
	u32 a, b, before;

	timer(MASKED, 1000000000);
	a = apic_read(TMCCT);
	for (u32 i = 0; i < 1000; i++)
		pause_();
	b = apic_read(TMCCT);
	check(a > b && b > 0);
	apic_write(TMICT, 0);
	is_(apic_read(TMCCT), 0, "initial count 0 stops it");
	before = irqs[0x40];
	timer(0, 20000);
	sti();
	check(wait_for(irqs[0x40] != before));
	for (u32 i = 0; i < 100000; i++)
		pause_();
	cli();
	is_(irqs[0x40], before + 1, "one-shot fires once");
	is(apic_read(TMCCT), 0);
	timer(MASKED, 1000);
	sti();
	for (u32 i = 0; i < 30000; i++)
		pause_();
	cli();
	is_(irqs[0x40], before + 1, "masked: nothing");
	timer(PERIODIC, 50000);
	sti();
	check(wait_for(irqs[0x40] >= before + 6));
	cli();
	timer(MASKED, 0);
	sti_nop();
	before = irqs[0x40];
	timer(0, 50000);
	while (irqs[0x40] == before)
		sti_hlt();
	is_(irqs[0x40], before + 1, "HLT ends with the one-shot timer");
	timer(PERIODIC, 50000);
	for (u32 i = 0; i < 20; i++)
		sti_hlt();
	timer(MASKED, 0);
	check(irqs[0x40] >= before + 20);
	is(apic_read(LVT_TIMER) & 0x70000, MASKED);
}

CASE(xapic_timer, 0, 1)
{
	setup(0x40);
	timer_cases();
}

CASE(x2apic_timer, 0, 1)
{
	setup(0x40);
	x2apic_enable();
	timer_cases();
}

CASE(apic_timer_divide, 0, 1)
{
	u64 t[2];

	setup(0x40);
	for (u32 i = 0; i < 2; i++) {
		u32 before = irqs[0x40];

		if (!host->driver_ovid)	/* KVM fires when an expired timer's divider changes */
			apic_write(LVT_TIMER, MASKED);
		apic_write(TDCR, i ? 0x2 : 0xb);	/* 8, then 1 */
		apic_write(LVT_TIMER, 0x40);
		t[i] = rdtsc();
		apic_write(TMICT, 1000000);
		while (irqs[0x40] == before)
			sti_hlt();
		t[i] = rdtsc() - t[i];
		is_(irqs[0x40], before + 1, "one interrupt");
		sti_nop();
		is_(irqs[0x40], before + 1, "no second one");
	}
	is_(irqs[0x40], 2, "two interrupts in all");
	check(t[1] > t[0] * 4 && t[1] < t[0] * 10);
}

static void deadline_cases(void)
{
	u64 now, t;
	u32 before = irqs[0x40];

	apic_write(LVT_TIMER, DEADLINE | 0x40);
	is(rdmsr(0x6e0), 0);
	now = rdtsc();
	wrmsr(0x6e0, now + 200000);
	is_(rdmsr(0x6e0), now + 200000, "the deadline reads back until it fires");
	while (irqs[0x40] == before)
		sti_hlt();
	t = rdtsc();
	check(t >= now + 200000);
	check(t < now + 2000000);
	is_(rdmsr(0x6e0), 0, "then it is 0");
	is(irqs[0x40], before + 1);
	wrmsr(0x6e0, 1);
	sti();
	check(wait_for(irqs[0x40] == before + 2));
	cli();
	wrmsr(0x6e0, rdtsc() + 100000);
	wrmsr(0x6e0, 0);
	sti();
	for (u32 i = 0; i < 30000; i++)
		pause_();
	cli();
	is_(irqs[0x40], before + 2, "a deadline of 0 disarms");
	for (u32 i = 0; i < 50; i++) {
		wrmsr(0x6e0, rdtsc() + 30000);
		sti_hlt();
	}
	is_(irqs[0x40], before + 52, "fifty deadlines in a row");
	/* a busy guest gets it too */
	wrmsr(0x6e0, rdtsc() + 300000);
	sti();
	check(wait_for(irqs[0x40] == before + 53));
	cli();
	apic_write(TMICT, 1000);
	is_(apic_read(TMCCT), 0, "the initial count is ignored in deadline mode");
}

CASE(xapic_tsc_deadline, 0, 1)
{
	if (!(cpuid(1, 0).ecx >> 24 & 1))
		return;
	setup(0x40);
	deadline_cases();
}

CASE(x2apic_tsc_deadline, 0, 1)
{
	if (!(cpuid(1, 0).ecx >> 24 & 1))
		return;
	setup(0x40);
	x2apic_enable();
	deadline_cases();
}

/* ---- from outside ---- */

#define MSI 0xfee00000ull

CASE(msi_basic, 0, 1)
{
	setup(0x44);
	command(G_CMD_MSI, MSI, 0x44, 0);
	sti_nop();
	is_(irqs[0x44], 1, "an MSI for VP 0");
	command(G_CMD_MSI, MSI | 7 << 12, 0x44, 0);
	sti_nop();
	is_(irqs[0x44], 1, "an MSI for a VP that is not there");
	command(G_CMD_MSI, MSI | 0xff << 12, 0x44, 0);
	sti_nop();
	is_(irqs[0x44], 2, "a broadcast");
	apic_write(DFR, 0xffffffff);
	apic_write(LDR, 0x04000000);
	command(G_CMD_MSI, MSI | 4 << 12 | 4, 0x44, 0);
	sti_nop();
	is_(irqs[0x44], 3, "logical, flat");
	command(G_CMD_MSI, MSI | 2 << 12 | 4, 0x44, 0);
	sti_nop();
	is_(irqs[0x44], 3, "another's logical bit");
	command(G_CMD_MSI, MSI | 4 << 12 | 4 | 8, 0x144, 0);
	sti_nop();
	is_(irqs[0x44], 4, "lowest priority with redirection hint");
	apic_write(DFR, 0x0fffffff);
	apic_write(LDR, 0x21000000);
	command(G_CMD_MSI, MSI | 0x23 << 12 | 4, 0x44, 0);
	sti_nop();
	is_(irqs[0x44], 5, "logical, cluster");
	command(G_CMD_MSI, MSI | 0x11 << 12 | 4, 0x44, 0);
	sti_nop();
	is_(irqs[0x44], 5, "another cluster");
	apic_write(SVR, 0xff);
	command(G_CMD_MSI, MSI, 0x44, 0);
	sti_nop();
	is_(irqs[0x44], 5, "a software-disabled APIC takes no fixed interrupt");
}

CASE(msi_wakes_hlt, 0, 1)
{
	setup(0x44);
	for (u32 i = 0; i < 10; i++) {
		command(G_CMD_MSI_LATER, MSI, 0x44, 500);
		sti_hlt();
		is(irqs[0x44], i + 1);
	}
}

CASE(msi_reaches_busy, 0, 1)
{
	setup(0x44);
	sti();
	command(G_CMD_MSI_LATER, MSI, 0x44, 1000);
	check(wait_for(irqs[0x44] == 1));
	cli();
}

CASE(msi_level_eoi, 0, 1)
{
	/* 0x61: the vector that mach_kvm routes as level-triggered */
	setup(0x61);
	is(host->eois, 0);
	command(G_CMD_MSI, MSI, 0xc061, 0);
	is_(bit(TMR, 0x61), 1, "TMR has the trigger mode");
	sti_nop();
	is(irqs[0x61], 1);
	is_(host->eois, 1, "EOI of a level-triggered interrupt reaches the worker");
	is(host->eoi_vector, 0x61);
	setup(0x62);
	command(G_CMD_MSI, MSI, 0x62, 0);
	sti_nop();
	is(irqs[0x62], 1);
	is_(host->eois, 1, "EOI of an edge-triggered one does not");
}

static volatile u32 nmis, nmi_nested, in_nmi;
static void nmi(struct frame *f)
{
	(void)f;
	nmi_nested += in_nmi;
	in_nmi = 1;
	nmis++;
	if (nmis == 1 && host->arg[3] == 1) {
		/* a second one while this is in service: held until IRET */
		command(G_CMD_NMI, 0, 0, 0);
		cpuid(0, 0);
		outb(G_PORT, 1);
	}
	in_nmi = 0;
}

CASE(nmi_basic, 0, 1)
{
	handlers[2] = nmi;
	host->arg[3] = 0;
	command(G_CMD_NMI, 0, 0, 0);
	check(wait_for(nmis == 1));
	command(G_CMD_NMI, 0, 0, 0);
	check(wait_for(nmis == 2));
	cli();
	is_(nmis, 2, "NMIs come with IF clear");
	/* on a slow host the first may come before HLT: then the second one wakes it */
	command(G_CMD_NMI_LATER, 0, 0, 3000);
	command(G_CMD_NMI_LATER, 0, 0, 60000);
	asm volatile("cli; hlt");
	check(nmis >= 3);		/* an NMI ends HLT with IF clear */
}

CASE(nmi_blocked, 0, 1)
{
	handlers[2] = nmi;
	host->arg[3] = 1;
	command(G_CMD_NMI, 0, 0, 0);
	check(wait_for(nmis == 2));
	is_(nmi_nested, 0, "no NMI inside the NMI handler");
	host->arg[3] = 0;
	for (u32 i = 0; i < 1000; i++)
		pause_();
	is(nmis, 2);
}

static void nmi_sender(struct frame *f)
{
	(void)f;
	if (++nmis == 1)
		for (u32 i = 0; i < 10; i++)
			apic_icr(0, DELIVER_NMI | ICR_ASSERT);
}

CASE(nmi_many, 0, 1)
{
	handlers[2] = nmi_sender;
	apic_enable();
	apic_icr(0, DELIVER_NMI | ICR_ASSERT);
	check(wait_for(nmis >= 2));
	for (u32 i = 0; i < 1000; i++)
		apic_read(0x20);
	is_(nmis, 2, "of ten NMIs inside the handler one comes after it");
}

CASE(nmi_self, 0, 1)
{
	handlers[2] = nmi;
	host->arg[3] = 0;
	apic_enable();
	apic_icr(0, DELIVER_NMI | ICR_ASSERT);
	check(wait_for(nmis == 1));
	x2apic_enable();
	apic_icr(0, DELIVER_NMI | ICR_ASSERT);
	check(wait_for(nmis == 2));
}

CASE(extint_through_lint0, 0, 1)
{
	handlers[0x30] = irq_count_no_eoi;
	apic_enable();
	apic_write(LVT_LINT0, 0x700);
	command(G_CMD_EXTINT, 0, 0x30, 0);
	cpuid(0, 0);
	is_(irqs[0x30], 0, "not with IF clear");
	sti();
	check(wait_for(irqs[0x30] == 1));
	cli();
	for (u32 i = 0; i < 1000; i++)
		pause_();
	is_(irqs[0x30], 1, "an ExtINT comes once");
	is_(bit(ISR, 0x30), 0, "and is in no ISR");
	command(G_CMD_EXTINT_LATER, 0, 0x30, 500);
	sti_hlt();
	is_(irqs[0x30], 2, "an ExtINT ends HLT");
}

CASE(extint_apic_off, 0, 1)
{
	handlers[0x30] = irq_count_no_eoi;
	wrmsr(0x1b, 0xfee00100);
	command(G_CMD_EXTINT, 0, 0x30, 0);
	sti();
	check(wait_for(irqs[0x30] == 1));
	cli();
}

CASE(apic_base_moved, G_OVID_ONLY | G_END_ANY, 1)
{
	wrmsr(0x1b, 0xfed00900);
	(void)*(volatile u32 *)0xfed00030;
}

CASE(hlt_forever, G_END_STUCK, 1)
{
	asm volatile("cli; hlt");
}

CASE(spin_forever, G_END_STUCK, 1)
{
	for (;;)
		pause_();
}

CASE(spin_no_exit_if_off, G_END_STUCK, 1)
{
	asm volatile("cli; 1: jmp 1b");
}

CASE(spin_no_exit_if_on, G_END_STUCK, 1)
{
	asm volatile("sti; 1: inc %%eax; jmp 1b" ::: "rax");
}

CASE(irq_storm, 0, 1)
{
	/* many interrupts from another thread while the guest makes exits */
	setup(0x44);
	for (u32 i = 0; i < 40; i++)
		command(G_CMD_MSI_LATER, MSI, 0x44, 100 + i * 50);
	sti();
	for (u32 i = 0; i < 3000 && irqs[0x44] < 40; i++) {
		cpuid(0, 0);
		pause_();
		outb(G_PORT, 0);
	}
	cli();
	check(irqs[0x44] > 0 && irqs[0x44] <= 40);
	is_(bit(ISR, 0x44), 0, "nothing left in service");
}
