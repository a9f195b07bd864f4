// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_smp.c - several VPs: INIT and SIPI, IPIs, shared memory.  The test host
 * has one CPU by default, so VPs take turns.
 */
#include "rt.h"

static volatile u32 go, at_work;

static void ap_idle(void)
{
	for (;;)
		asm volatile("sti; hlt");
}

static void ap_take_ipis(void)
{
	apic_enable();
	at_work++;
	ap_idle();
}

static void ap_spin(void)
{
	apic_enable();
	at_work++;
	sti();
	while (!go)
		pause_();
	at_work--;
	ap_idle();
}

CASE(smp_start, 0, 2)
{
	apic_enable();
	ap_start(1, ap_idle);
	is(ap_alive[1], 1);
	/* INIT resets it, a second SIPI starts it again */
	ap_start(1, ap_idle);
	is(ap_alive[1], 2);
}

CASE(smp_start_four, 0, 4)
{
	apic_enable();
	for (u32 i = 1; i < 4; i++)
		ap_start(i, ap_take_ipis);
	check(wait_for(at_work == 3));
}

static volatile u32 ap_id, ap_bsp, ap_cpuid_id;
static void ap_who(void)
{
	ap_id = apic_id();
	ap_bsp = rdmsr(0x1b) >> 8 & 1;
	ap_cpuid_id = cpuid(1, 0).ebx >> 24;
	is(cpuid(0xb, 0).edx, 1);
	at_work = 1;
}

CASE(smp_identity, 0, 2)
{
	apic_enable();
	ap_start(1, ap_who);
	check(wait_for(at_work));
	is(ap_id, 1);
	is(ap_bsp, 0);
	is(ap_cpuid_id, 1);
}

CASE(smp_x2apic_identity, 0, 2)
{
	apic_enable();
	x2apic_enable();
	/* VP 1 is in xAPIC mode still: reached by its 8-bit id */
	ap_start(1, ap_idle);
	is(ap_alive[1], 1);
}

static void ping(void)
{
	handlers[0x41] = irq_count;
	ap_start(1, ap_take_ipis);
	check(wait_for(at_work == 1));
	for (u32 i = 0; i < 50; i++) {
		apic_icr(1, 0x41 | ICR_ASSERT);
		if (!wait_for(irqs[0x41] == i + 1))
			break;
	}
	is_(irqs[0x41], 50, "fifty IPIs to a halted VP");
	apic_icr(0, 0x41 | ICR_ASSERT | ICR_OTHERS);
	check(wait_for(irqs[0x41] == 51));
	apic_icr(0xff, 0x41 | ICR_ASSERT);
	sti_nop();
	check(wait_for(irqs[0x41] == 53));
}

CASE(smp_ipi_halted, 0, 2)
{
	apic_enable();
	ping();
}

CASE(smp_ipi_spinning, 0, 2)
{
	apic_enable();
	handlers[0x41] = irq_count;
	ap_start(1, ap_spin);
	check(wait_for(at_work == 1));
	for (u32 i = 0; i < 20; i++) {
		apic_icr(1, 0x41 | ICR_ASSERT);
		if (!wait_for(irqs[0x41] == i + 1))
			break;
	}
	is_(irqs[0x41], 20, "twenty IPIs to a VP that runs");
	go = 1;
	check(wait_for(at_work == 0));
}

static void pong(struct frame *f)
{
	irqs[f->vec]++;
	apic_write(0xb0, 0);
	apic_icr(0, 0x42 | ICR_ASSERT);
}

CASE(smp_ping_pong, 0, 2)
{
	apic_enable();
	handlers[0x41] = pong;
	handlers[0x42] = irq_count;
	ap_start(1, ap_take_ipis);
	check(wait_for(at_work == 1));
	for (u32 i = 0; i < 100; i++) {
		cli();
		apic_icr(1, 0x41 | ICR_ASSERT);
		while (irqs[0x42] != i + 1)
			sti_hlt();
	}
	is(irqs[0x41], 100);
	is(irqs[0x42], 100);
}

static volatile u32 nmis;
static void nmi(struct frame *f)
{
	(void)f;
	nmis++;
}

CASE(smp_nmi, 0, 2)
{
	apic_enable();
	handlers[2] = nmi;
	ap_start(1, ap_spin);
	check(wait_for(at_work == 1));
	apic_icr(1, DELIVER_NMI | ICR_ASSERT);
	check(wait_for(nmis == 1));
	command(G_CMD_NMI, 1, 0, 0);
	check(wait_for(nmis == 2));
	go = 1;
}

CASE(smp_wait_for_sipi, 0, 2)
{
	/* before INIT and SIPI a VP takes no interrupts; INIT alone does not start it */
	apic_enable();
	handlers[0x41] = irq_count;
	apic_icr(1, 0x41 | ICR_ASSERT);
	apic_icr(1, DELIVER_INIT | ICR_ASSERT);
	for (u32 i = 0; i < 20000; i++)
		pause_();
	is(irqs[0x41], 0);
	is(ap_alive[1], 0);
	ap_start(1, ap_take_ipis);
	check(wait_for(at_work == 1));
	/* a SIPI for a VP that runs is ignored */
	apic_icr(1, DELIVER_SIPI | ICR_ASSERT | 9);
	for (u32 i = 0; i < 20000; i++)
		pause_();
	apic_icr(1, 0x41 | ICR_ASSERT);
	check(wait_for(irqs[0x41] == 1));
}

CASE(smp_init_stops, 0, 2)
{
	apic_enable();
	ap_start(1, ap_spin);
	check(wait_for(at_work == 1));
	apic_icr(1, DELIVER_INIT | ICR_ASSERT);
	for (u32 i = 0; i < 50000; i++)
		pause_();
	go = 1;
	for (u32 i = 0; i < 200000; i++)
		pause_();
	is_(at_work, 1, "after INIT it executes nothing");
}

static volatile u32 counter;
static void ap_add(void)
{
	for (u32 i = 0; i < 20000; i++)
		asm volatile("lock; incl %0" : "+m"(counter));
	at_work++;
}

CASE(smp_locked_add, 0, 4)
{
	apic_enable();
	for (u32 i = 1; i < 4; i++)
		ap_start(i, ap_add);
	for (u32 i = 0; i < 20000; i++)
		asm volatile("lock; incl %0" : "+m"(counter));
	check(wait_for(at_work == 3));
	is(counter, 80000);
}

static volatile u64 ap_tsc;
static void ap_read_tsc(void)
{
	ap_tsc = rdtsc();
	at_work = 1;
}

CASE(smp_tsc_in_step, 0, 2)
{
	u64 before = rdtsc();

	apic_enable();
	ap_start(1, ap_read_tsc);
	check(wait_for(at_work));
	check(ap_tsc > before && ap_tsc < rdtsc());
}

static volatile u32 fpu_bad;
static void fpu_turns(u64 seed)
{
	u64 v[2];

	WR("cr4", cr4() | 0x600);
	asm volatile("movq %0, %%xmm5; movlhps %%xmm5, %%xmm5" :: "r"(seed));
	for (u32 i = 0; i < 300; i++) {
		outb(G_PORT, 0);
		cpuid(0, 0);
		asm volatile("movdqu %%xmm5, %0" : "=m"(v));
		if (v[0] != seed || v[1] != seed)
			fpu_bad++;
	}
}

static void ap_fpu(void)
{
	fpu_turns(0x1111111111111111ull);
	at_work = 1;
}

CASE(smp_fpu, 0, 2)
{
	apic_enable();
	ap_start(1, ap_fpu);
	fpu_turns(0x2222222222222222ull);
	check(wait_for(at_work));
	is_(fpu_bad, 0, "each VP has its own XMM registers");
}

static void ap_mtf(void)
{
	WR("db0", 0x1111);
	wrmsr(0xc0000082, 0x1111);
	wrmsr(0xc0000102, 0x1111);
	WR("cr2", 0x1111);
	at_work = 1;
	while (!go)
		cpuid(0, 0);
	is(RD("db0", ulong), 0x1111);
	is(rdmsr(0xc0000082), 0x1111);
	is(rdmsr(0xc0000102), 0x1111);
	is(cr2(), 0x1111);
	at_work = 2;
}

CASE(smp_state_apart, 0, 2)
{
	apic_enable();
	WR("db0", 0x2222);
	wrmsr(0xc0000082, 0x2222);
	wrmsr(0xc0000102, 0x2222);
	WR("cr2", 0x2222);
	ap_start(1, ap_mtf);
	check(wait_for(at_work == 1));
	go = 1;
	check(wait_for(at_work == 2));
	is(RD("db0", ulong), 0x2222);
	is(rdmsr(0xc0000082), 0x2222);
	is(rdmsr(0xc0000102), 0x2222);
	is(cr2(), 0x2222);
}

static void ap_crash(void)
{
	struct { u16 l; u64 b; } __attribute__((packed)) none = { 0, 0 };

	asm volatile("lidt %0; ud2" :: "m"(none));
}

CASE(smp_ap_shutdown, G_END_SHUTDOWN, 2)
{
	apic_enable();
	ap_start(1, ap_crash);
	for (;;)
		pause_();
}

static void ap_x2(void)
{
	wrmsr(0x1b, rdmsr(0x1b) | 0x400);
	wrmsr(0x80f, 0x1ff);
	at_work = 1;
	for (;;)
		asm volatile("sti; hlt");
}

CASE(smp_x2apic_ipi, 0, 2)
{
	apic_enable();
	handlers[0x41] = irq_count;
	ap_start(1, ap_x2);
	check(wait_for(at_work == 1));
	x2apic_enable();
	for (u32 i = 0; i < 50; i++) {
		apic_icr(1, 0x41 | ICR_ASSERT);
		if (!wait_for(irqs[0x41] == i + 1))
			break;
	}
	is(irqs[0x41], 50);
	apic_icr(2, 0x41 | ICR_ASSERT | 0x800);
	check(wait_for(irqs[0x41] == 51));
	apic_icr(0xffffffff, 0x41 | ICR_ASSERT);
	sti_nop();
	check(wait_for(irqs[0x41] == 53));
}

/* ---- a VP that has no APIC at its address, beside one that has ---- */

#define NOTHING		0x77777777	/* what the runner answers */
#define AT_HOME		0xfee00800u
#define MOVED		0xfed00000u

static volatile u64 ap_base;
static volatile u32 ap_sees, ap_sees_moved;

/* each time that it is told: its APIC into another mode, and a look at both addresses */
static void ap_obey(void)
{
	for (u32 n = 1;; n++) {
		while (go != n)
			pause_();
		if (rdmsr(APIC_BASE_MSR) != ap_base) {
			if (rdmsr(APIC_BASE_MSR) & 0x400)
				wrmsr(APIC_BASE_MSR, 0xfee00000);
			wrmsr(APIC_BASE_MSR, ap_base);
		}
		ap_sees = *(volatile u32 *)0xfee00030ul;
		ap_sees_moved = *(volatile u32 *)(MOVED + 0x30ul);
		at_work = n;
	}
}

static void tell_ap(u64 base)
{
	ap_base = base;
	go++;
	check(wait_for(at_work == go));
}

static void beside_xapic(u64 base)
{
	bool moved = (base & ~0xfffull) == MOVED;

	apic_enable();
	handlers[0x41] = irq_count;
	host->answer = NOTHING;
	ap_start(1, ap_obey);
	for (u32 i = 1; i <= 3; i++) {
		tell_ap(AT_HOME);
		is_(ap_sees & 0xff, 0x14, "its APIC is where it is at reset");
		is_(ap_sees_moved, NOTHING, "and nowhere else");
		tell_ap(base);
		is_(ap_sees, NOTHING, "it is there no more");
		is_(apic_read(0x30) & 0xff, 0x14, "the other VP's is");
		apic_icr(0, 0x41 | ICR_ASSERT | ICR_SELF);
		sti_nop();
		is_(irqs[0x41], i, "and works");
		tell_ap(base);
		is_(ap_sees, NOTHING, "which the first one does not see");
		is(ap_sees_moved == NOTHING, !moved);
	}
}

CASE(smp_apic_off_beside_xapic, G_OVID_ONLY, 2)
{
	beside_xapic(0xfee00000);
}

CASE(smp_apic_moved_beside_xapic, G_OVID_ONLY, 2)
{
	beside_xapic(MOVED | 0x800);
}

CASE(smp_x2apic_beside_xapic, G_OVID_ONLY, 2)
{
	beside_xapic(0xfee00c00);
}
