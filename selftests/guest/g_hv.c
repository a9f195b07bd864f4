// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_hv.c - the hypervisor interface of the TLFS: discovery, synthetic MSRs, pages
 * that the guest places, hypercalls.
 */
#include "hv.h"

#define GP 13
#define UD 6

#define MSR_RUNTIME	0x40000010
#define MSR_TSC_HZ	0x40000022
#define MSR_APIC_HZ	0x40000023
#define MSR_REENLIGHTENMENT	0x40000106
#define MSR_TSC_EMULATION	0x40000107
#define MSR_TSC_EMULATION_STATUS 0x40000108
#define MSR_TSC_INVARIANT	0x40000118

#define CALL_RETARGET		0x007e
#define CALL_EXT_CAPS		0x8001
#define CALL_EXT_HEAT		0x8003

#define ACCESS_DENIED		6
#define INVALID_PARTITION	0xd
#define INVALID_VP		0xe
#define INVALID_CONNECTION	0x12

static u8 page_a[4096] __attribute__((aligned(4096)));
static u8 page_b[4096] __attribute__((aligned(4096)));
static u8 page_c[4096] __attribute__((aligned(4096)));
static u64 input[512] __attribute__((aligned(4096)));

static long rd(u32 n)
{
	return TRY("rdmsr", :: "c"(n) : "rax", "rdx");
}

static long wr(u32 n, u64 v)
{
	return TRY("wrmsr", :: "c"(n), "a"((u32)v), "d"((u32)(v >> 32)));
}

static void open_hypercalls(void)
{
	hypercalls_by(page_a);
}

static u64 hypercall(u64 control, u64 in, u64 out)
{
	return call_by(page_a, control, in, out);
}

static u64 memory_call(u64 control)
{
	return hypercall(control, gpa(input), 0);
}

CASE(hv_discovery, G_OVID_ONLY, 1)
{
	struct cpuid max = cpuid(0x40000000, 0), priv = cpuid(0x40000003, 0);

	is(max.eax, 0x40000006);
	is(max.ebx, 0x7263694d);
	is(max.ecx, 0x666f736f);
	is(max.edx, 0x76482074);
	is_(cpuid(0x40000001, 0).eax, 0x31237648, "the interface is Hv#1");
	is_(priv.eax & 0x60, 0x60, "hypercall MSRs and VP index");
	is_(priv.ebx & 0x401001, 0, "no root, no isolated partition");
	is_(cpuid(0x40000004, 0).eax & 1 << 12, 0, "not nested");
	is(cpuid(0x40000080, 0).eax, 0x40000082);
	is(cpuid(0x40000080, 0).edx, 0x53562074);
	is_(cpuid(0x40000081, 0).eax, 0x31235356, "the virtualization stack is VS#1");
	is_(cpuid(0x40000082, 0).eax, 0, "no paravisor");
	check(cpuid(0x40000005, 0).eax >= 2);
}

CASE(hv_numbers, G_OVID_ONLY, 1)
{
	u64 a, b;

	is(rdmsr(MSR_VP_INDEX), 0);
	is_(wr(MSR_VP_INDEX, 0), GP, "VP index is read-only");
	check(rdmsr(MSR_TSC_HZ) > 1000000);
	check(rdmsr(MSR_APIC_HZ) > 1000000);
	is_(wr(MSR_TSC_HZ, 1), GP, "a frequency is read-only");
	is_(wr(MSR_TIME, 1), GP, "the reference counter is read-only");
	a = rdmsr(MSR_TIME);
	for (u32 i = 0; i < 100; i++) {
		b = rdmsr(MSR_TIME);
		if (b < a)
			break;
		a = b;
	}
	check(b >= a);
	a = rdmsr(MSR_RUNTIME);
	while (rdmsr(MSR_TIME) < b + 1000)	/* 100 us */
		;
	check(rdmsr(MSR_RUNTIME) > a);
	is_(rd(0x40000005), GP, "a synthetic MSR that does not exist");
	is_(wr(0x400001ff, 0), GP, "another");
}

/* reference time goes with the TSC, whoever moves that */
CASE(hv_time_and_tsc, G_OVID_ONLY, 1)
{
	u64 hz = rdmsr(MSR_TSC_HZ), t0 = rdmsr(MSR_TIME), c0 = rdtsc(), t1, c1, d;

	while (rdtsc() < c0 + hz / 100)
		;
	t1 = rdmsr(MSR_TIME);
	c1 = rdtsc();
	d = (c1 - c0) * 10000000 / hz;
	check(t1 - t0 >= 100000 && t1 - t0 <= d + 1000);
	wrmsr(0x10, 0x5000000000ull);
	t0 = rdmsr(MSR_TIME);
	check(t0 >= t1 && t0 - t1 < 100000);
}

struct tsc_page {
	u32 sequence, reserved;
	u64 scale, offset;
};

static u64 page_time(const volatile struct tsc_page *p, u64 tsc)
{
	u64 high, low;

	asm("mul %3" : "=a"(low), "=d"(high) : "0"(tsc), "r"(p->scale) : "cc");
	return high + p->offset;
}

CASE(hv_tsc_page, G_OVID_ONLY, 1)
{
	volatile struct tsc_page *p = (void *)page_b;
	u64 before, now, after;
	u32 sequence;

	page_b[0] = 0x5a;
	wrmsr(MSR_TSC_PAGE, gpa(page_b) | 1);
	is_(rdmsr(MSR_TSC_PAGE), gpa(page_b) | 1, "the MSR reads back");
	check(p->sequence);
	for (u32 i = 0; i < 100; i++) {
		before = rdmsr(MSR_TIME);
		now = page_time(p, rdtsc());
		after = rdmsr(MSR_TIME);
		if (now < before || now > after)
			break;
	}
	check(before <= now && now <= after);
	is_(TRY("movb $1, (%0)", :: "r"(page_b) : "memory"), GP, "a store to it is #GP");
	/* the TSC jumps: another formula, the same time */
	sequence = p->sequence;
	before = rdmsr(MSR_TIME);
	wrmsr(0x10, rdtsc() + 0x1000000000ull);
	now = page_time(p, rdtsc());
	after = rdmsr(MSR_TIME);
	check(before <= now && now <= after);
	check(p->sequence && p->sequence != sequence);
	wrmsr(MSR_TSC_PAGE, 0);
	is_(page_b[0], 0x5a, "what was beneath is there again");
	page_b[0] = 1;
	is(page_b[0], 1);
}

CASE(hv_hypercall_page, G_OVID_ONLY, 1)
{
	page_a[0] = 0x77;
	wrmsr(MSR_HYPERCALL, gpa(page_a) | 1);
	is_(rdmsr(MSR_HYPERCALL), gpa(page_a), "no page without a guest OS id");
	is_(page_a[0], 0x77, "nothing there yet");
	wrmsr(MSR_GUEST_OS_ID, ME);
	is(rdmsr(MSR_GUEST_OS_ID), ME);
	wrmsr(MSR_HYPERCALL, gpa(page_a) | 1);
	is(rdmsr(MSR_HYPERCALL), gpa(page_a) | 1);
	is_(*(u32 *)page_a, 0xc3c1010f, "VMCALL, RET");
	is(hypercall(CALL_SPIN | FAST, 100, 0), SUCCESS);
	is_(TRY("movb $1, (%0)", :: "r"(page_a) : "memory"), GP, "a store to it is #GP");
	/* it moves, and two pages at one place */
	wrmsr(MSR_HYPERCALL, gpa(page_b) | 1);
	is(page_a[0], 0x77);
	wrmsr(MSR_TSC_PAGE, gpa(page_b) | 1);
	is_(*(u32 *)page_b, 0xc3c1010f, "this one hides the other");
	wrmsr(MSR_HYPERCALL, gpa(page_a) | 1);
	is_(*(u32 *)(page_b + 4), 0, "which is seen when it has gone");
	check(*(u32 *)page_b);
	wrmsr(MSR_HYPERCALL, gpa(page_b) | 1);
	is_(*(u32 *)page_b, 0xc3c1010f, "and is hidden again");
	wrmsr(MSR_TSC_PAGE, 0);
	is(*(u32 *)page_b, 0xc3c1010f);
	wrmsr(MSR_GUEST_OS_ID, 0);
	is_(rdmsr(MSR_HYPERCALL), gpa(page_b), "no id, no page");
	is_(page_b[0], 0, "memory again");
	/* locked: for ever */
	wrmsr(MSR_GUEST_OS_ID, ME);
	wrmsr(MSR_HYPERCALL, gpa(page_a) | 3);
	is_(wr(MSR_HYPERCALL, gpa(page_b) | 1), GP, "a locked page does not move");
	is(hypercall(CALL_SPIN | FAST, 100, 0), SUCCESS);
	is_(wr(MSR_ASSIST, 1ull << 52 | 1), GP, "an address that no memory has");
}

/* over a device, or where nothing is: it is seen all the same */
CASE(hv_page_anywhere, G_OVID_ONLY, 1)
{
	static const u64 at[] = { 0xd0000000ull, 0xfed40000ull };

	for (u32 i = 0; i < 2; i++) {
		volatile u64 *p = (void *)(ulong)at[i];

		wrmsr(MSR_ASSIST, at[i] | 1);
		is(rdmsr(MSR_ASSIST), at[i] | 1);
		p[3] = 0x1234 + i;
		is(p[3], 0x1234 + i);
		wrmsr(MSR_ASSIST, 0);
	}
}

CASE(hv_call_rules, G_OVID_ONLY, 1)
{
	is_(TRY("vmcall", : : "a"(0), "c"(CALL_SPIN | FAST), "d"(0) : "memory"), -1,
	    "without the page there are no calls");
	open_hypercalls();
	is(hypercall(0x4000, 0, 0) & 0xffff, INVALID_CODE);
	is(hypercall(0, 0, 0) & 0xffff, INVALID_CODE);
	is_(hypercall(CALL_SPIN | FAST | 1ull << 27, 0, 0), INVALID_INPUT, "a reserved bit");
	is_(hypercall(CALL_SPIN | FAST | 1ull << 63, 0, 0), INVALID_INPUT, "another");
	is_(hypercall(CALL_SPIN | FAST | REPS(1), 0, 0), INVALID_INPUT, "reps of a simple call");
	is_(hypercall(CALL_SPIN | FAST | START(1), 0, 0), INVALID_INPUT, "a start index");
	is_(hypercall(CALL_SPIN | FAST | BANKS(1), 0, 0), INVALID_INPUT, "a variable header");
	is_(memory_call(CALL_FLUSH_LIST), INVALID_INPUT, "a rep call without reps");
	is_(memory_call(CALL_FLUSH_LIST | REPS(2) | START(2)), INVALID_INPUT, "a start behind the end");
	is_(hypercall(CALL_FLUSH, gpa(input) + 4, 0), INVALID_ALIGNMENT, "not aligned");
	is_(hypercall(CALL_FLUSH, gpa(input) + 4088, 0), INVALID_ALIGNMENT, "across pages");
	is_(hypercall(CALL_FLUSH, 0xe0000000, 0), INVALID_INPUT, "no memory");
	is_(hypercall(CALL_FLUSH, ~0ull & ~4095ull, 0), INVALID_INPUT, "far beyond it");
	is_(memory_call(CALL_FLUSH_LIST | REPS(600)), INVALID_ALIGNMENT, "more than a page");
}

static void in_ring3(void)
{
	asm volatile("lea 97f(%%rip), %%rax; mov %%rax, try_ip(%%rip); vmcall; 97: int $0x80"
		     : : "c"(CALL_SPIN | FAST) : "rax", "memory");
}

CASE(hv_call_from_ring3, G_OVID_ONLY, 1)
{
	open_hypercalls();
	exc.vec = -1;
	run_user((ulong)in_ring3);
	try_ip = 0;
	is_(exc.vec, UD, "hypercalls are for ring 0");
}

CASE(hv_flush_self, G_OVID_ONLY, 1)
{
	open_hypercalls();
	input[0] = cr3();
	input[1] = 0;
	input[2] = 1;
	is(memory_call(CALL_FLUSH), SUCCESS);
	input[1] = 1;
	input[2] = 0;
	is_(memory_call(CALL_FLUSH), SUCCESS, "all processors");
	input[1] = 1ull << 40;
	is_(memory_call(CALL_FLUSH), INVALID_PARAMETER, "a flag nobody knows");
	input[1] = 3;
	input[3] = 0x100000;
	input[4] = 0x200000;
	is_(memory_call(CALL_FLUSH_LIST | REPS(2)), SUCCESS | REPS(2), "two of two done");
	is_(memory_call(CALL_FLUSH_LIST | REPS(2) | START(1)), SUCCESS | REPS(2), "from the second on");
	input[1] = 0;
	input[2] = 0;	/* sparse */
	input[3] = 1;	/* bank 0 */
	input[4] = 1;
	is(memory_call(CALL_FLUSH_EX | BANKS(1)), SUCCESS);
	is_(memory_call(CALL_FLUSH_EX | BANKS(2)), INVALID_INPUT, "one bank, two said");
	input[2] = 2;
	is_(memory_call(CALL_FLUSH_EX | BANKS(1)), INVALID_INPUT, "an unknown format");
	input[2] = 1;
	is_(memory_call(CALL_FLUSH_EX), SUCCESS, "everybody");
}

/* a mapping of its own at 512 GiB, for VPs that share the tables */
#define WINDOW	0x8000000000ul
static u64 tables[3][512] __attribute__((aligned(4096)));
static volatile u32 seen, at_work, stop, turn;

static void map_window(const void *page)
{
	u64 *pml4 = (void *)(cr3() & ~0xffful);

	pml4[WINDOW >> 39 & 511] = gpa(tables[0]) | 3;
	tables[0][0] = gpa(tables[1]) | 3;
	tables[1][0] = gpa(tables[2]) | 3;
	*(volatile u64 *)&tables[2][0] = gpa(page) | 3;
}

static void ap_look(void)
{
	volatile u8 *w = (void *)WINDOW;

	apic_enable();
	at_work = 1;
	while (!stop) {
		seen = *w;
		turn++;
	}
	at_work = 2;
	for (;;)
		asm volatile("sti; hlt");
}

CASE(hv_flush_others, G_OVID_ONLY, 2)
{
	u32 i, t, bad = 0;

	open_hypercalls();
	apic_enable();
	page_b[0] = 1;
	page_c[0] = 2;
	map_window(page_b);
	ap_start(1, ap_look);
	check(wait_for(at_work == 1 && seen == 1));
	input[0] = cr3();
	input[1] = 0;
	input[2] = 2;		/* VP 1 */
	for (i = 0; i < 20; i++) {
		map_window(i & 1 ? page_b : page_c);
		if (memory_call(CALL_FLUSH))
			bad++;
		/* what it reads from here on is from the new page */
		t = turn;
		if (!wait_for(turn > t + 1))
			bad++;
		if (seen != (i & 1 ? 1 : 2))
			bad++;
	}
	is_(bad, 0, "another VP forgets its translations before the call returns");
	stop = 1;
	check(wait_for(at_work == 2));
	/* one that is halted is not woken for it */
	is(memory_call(CALL_FLUSH), SUCCESS);
}

static void ap_idle(void)
{
	apic_enable();
	at_work++;
	for (;;)
		asm volatile("sti; hlt");
}

CASE(hv_ipi, G_OVID_ONLY, 3)
{
	open_hypercalls();
	apic_enable();
	handlers[0x41] = irq_count;
	ap_start(1, ap_idle);
	ap_start(2, ap_idle);
	check(wait_for(at_work == 2));
	for (u32 i = 0; i < 20; i++) {
		if (hypercall(CALL_IPI | FAST, 0x41, 6) || !wait_for(irqs[0x41] == 2 * i + 2))
			break;
	}
	is_(irqs[0x41], 40, "twenty IPIs to two VPs");
	input[0] = 0x41;
	input[1] = 4;
	is(memory_call(CALL_IPI), SUCCESS);
	check(wait_for(irqs[0x41] == 41));
	is_(hypercall(CALL_IPI | FAST, 0x0f, 2), INVALID_PARAMETER, "an exception's vector");
	is_(hypercall(CALL_IPI | FAST, 0x141, 2), INVALID_PARAMETER, "no vector");
	is_(hypercall(CALL_IPI | FAST, 1ull << 32 | 0x41, 2), INVALID_PARAMETER, "another trust level");
	is_(hypercall(CALL_IPI | FAST, 0x41, 1ull << 60), SUCCESS, "nobody");
	input[0] = 0x41;
	input[1] = 0;
	input[2] = 1;
	input[3] = 2;
	is(memory_call(CALL_IPI_EX | BANKS(1)), SUCCESS);
	check(wait_for(irqs[0x41] == 42));
	input[1] = 1;		/* all, this one too */
	is(memory_call(CALL_IPI_EX), SUCCESS);
	sti_nop();
	check(wait_for(irqs[0x41] == 45));
}

/* waits for an interrupt, taken or not */
CASE(hv_idle, G_OVID_ONLY, 2)
{
	apic_enable();
	handlers[0x41] = irq_count;
	apic_icr(0, 0x41 | ICR_ASSERT);
	is_(rdmsr(MSR_IDLE), 0, "one is pending: no wait");
	is_(irqs[0x41], 0, "interrupts stay off");
	sti_nop();
	is(irqs[0x41], 1);
	/* the timer ends it */
	apic_write(0x320, 0x41);
	apic_write(0x3e0, 0xb);
	apic_write(0x380, 100000);
	is(rdmsr(MSR_IDLE), 0);
	check(apic_read(0x200 + (0x41 / 32) * 16) & 1 << (0x41 % 32));
	sti_nop();
	is(irqs[0x41], 2);
	is_(wr(MSR_IDLE, 0), GP, "it cannot be written");
}

CASE(hv_crash_registers, G_OVID_ONLY, 1)
{
	is_(rdmsr(MSR_CRASH_CTL) >> 62, 3, "a report, with a message");
	for (u32 i = 0; i < 5; i++)
		wrmsr(MSR_CRASH_P0 + i, 0x1111111111111111ull * (i + 1));
	for (u32 i = 0; i < 5; i++)
		is(rdmsr(MSR_CRASH_P0 + i), 0x1111111111111111ull * (i + 1));
	wrmsr(MSR_CRASH_CTL, 0);
	is_(rdmsr(MSR_CRASH_CTL) >> 62, 3, "the control register keeps nothing");
}

/* ---- SynIC and synthetic timers ---- */

#define MASKED		(1u << 16)

static volatile struct message *slots = (void *)page_b;

static void open_synic(void)
{
	wrmsr(MSR_SIMP, gpa(page_b) | 1);
	wrmsr(MSR_SIEFP, gpa(page_c) | 1);
	wrmsr(MSR_SINT(2), 0x42);
	wrmsr(MSR_SCONTROL, 1);
	apic_enable();
	handlers[0x41] = irq_count;
	handlers[0x42] = irq_count;
}

static u64 now(void)
{
	return rdmsr(MSR_TIME);
}

static void wait_until(u64 time)
{
	sti();
	while (now() < time)
		pause_();
	cli();
}

CASE(hv_synic_msrs, G_OVID_ONLY, 1)
{
	is(rdmsr(MSR_SVERSION), 1);
	is_(wr(MSR_SVERSION, 1), GP, "the version is read-only");
	for (u32 i = 0; i < 16; i++)
		is(rdmsr(MSR_SINT(i)), MASKED);
	is(rdmsr(MSR_SCONTROL) | rdmsr(MSR_SIMP) | rdmsr(MSR_SIEFP), 0);
	wrmsr(MSR_SINT(5), 0x51);
	is(rdmsr(MSR_SINT(5)), 0x51);
	is_(wr(MSR_SINT(5), 0x0f), GP, "an exception's vector");
	is(rdmsr(MSR_SINT(5)), 0x51);
	is_(wr(MSR_SINT(5), MASKED), -1, "masked it may be anything");
	is(rdmsr(MSR_EOM), 0);
	wrmsr(MSR_EOM, 77);
	is_(wr(MSR_SIMP, 1ull << 52 | 1), GP, "an address that no memory has");
	page_b[0] = 9;
	wrmsr(MSR_SIMP, gpa(page_b) | 1);
	is_(page_b[0], 0, "slots are empty at first");
	page_b[0] = 5;
	wrmsr(MSR_SIMP, gpa(page_b));
	is_(page_b[0], 9, "memory again");
	is(rdmsr(MSR_SIMP), gpa(page_b));
}

CASE(hv_stimer_message, G_OVID_ONLY, 1)
{
	u64 at, t;
	u32 early;

	open_synic();
	wrmsr(MSR_CONFIG(1), ENABLE | AUTO | SINT(2));
	is_(slots[2].type, 0, "enabled with no count: nothing happens");
	at = now() + 20000;
	wrmsr(MSR_COUNT(1), at);
	is(rdmsr(MSR_COUNT(1)), at);
	do {
		early = slots[2].type;
		t = now();
	} while (!early && t < at - 5000);
	check(!early || t >= at);
	wait_until(at + 5000);
	is(irqs[0x42], 1);
	is(slots[2].type, TIMER_EXPIRED);
	is(slots[2].size, 24);
	is_((u32)slots[2].payload[0], 1, "which timer");
	is_(slots[2].payload[1], at, "when it was due");
	check(slots[2].payload[2] >= at && slots[2].payload[2] <= now());
	is_(rdmsr(MSR_CONFIG(1)) & ENABLE, 0, "a one-shot ends its enable bit");
	is(slots[2].flags, 0);
	/* the slot is full: the next one waits, the flag asks for EOM */
	wrmsr(MSR_COUNT(1), 1);
	t = now();
	wait_until(t + 5000);
	is_(slots[2].payload[1], at, "nothing is overwritten");
	is_(slots[2].flags, 1, "another one waits");
	slots[2].type = 0;
	is(irqs[0x42], 1);
	wrmsr(MSR_EOM, 0);
	sti_nop();
	is(slots[2].type, TIMER_EXPIRED);
	is_(slots[2].payload[1], 1, "one in the past is due at once");
	is(irqs[0x42], 2);
	slots[2].type = 0;
	/* without a SINT there is no way to tell */
	wrmsr(MSR_CONFIG(1), ENABLE | AUTO);
	is(rdmsr(MSR_CONFIG(1)) & ENABLE, 0);
}

CASE(hv_stimer_direct, G_OVID_ONLY, 1)
{
	u64 at, late;

	open_synic();
	wrmsr(MSR_CONFIG(0), ENABLE | AUTO | DIRECT | VECTOR(0x41));
	for (u32 i = 0; i < 10; i++) {
		at = now() + 3000;
		wrmsr(MSR_COUNT(0), at);
		sti_hlt();
		late = now();
		if (irqs[0x41] != i + 1 || late < at)
			break;
	}
	is_(irqs[0x41], 10, "ten one-shots out of HLT");
	check(late >= at);
	wrmsr(MSR_COUNT(0), now() - 1);
	sti_nop();
	is_(irqs[0x41], 11, "one in the past fires at once");
	/* a count of 0 stops it, whatever auto-enable says */
	wrmsr(MSR_COUNT(0), now() + 5000);
	wrmsr(MSR_COUNT(0), 0);
	wait_until(now() + 10000);
	is(irqs[0x41], 11);
	wrmsr(MSR_COUNT(0), now() + 5000);
	wrmsr(MSR_CONFIG(0), 0);
	wait_until(now() + 10000);
	is_(irqs[0x41], 11, "switched off");
}

CASE(hv_stimer_periodic, G_OVID_ONLY, 1)
{
	u64 t0;
	u32 n;

	open_synic();
	wrmsr(MSR_COUNT(3), 5000);
	t0 = now();
	wrmsr(MSR_CONFIG(3), ENABLE | PERIODIC | DIRECT | VECTOR(0x41));
	for (n = 0; n < 5; n++)
		sti_hlt();
	/* a slow host may have been late for one, and given two at once */
	n = irqs[0x41];
	check(n >= 5);
	check(now() >= t0 + 5000 * n);
	is(rdmsr(MSR_CONFIG(3)) & ENABLE, 1);
	is(rdmsr(MSR_COUNT(3)), 5000);
	/* as fast as can be: the guest gets on, and time */
	wrmsr(MSR_COUNT(3), 1);
	wrmsr(MSR_CONFIG(3), ENABLE | PERIODIC | DIRECT | VECTOR(0x41));
	t0 = now();
	wait_until(t0 + 50000);
	wrmsr(MSR_CONFIG(3), 0);
	check(irqs[0x41] > n && irqs[0x41] < n + 60);
}

/* four at once, and the APIC's timer beside them */
CASE(hv_stimer_all, G_OVID_ONLY, 1)
{
	u64 t = now();

	open_synic();
	for (u32 v = 0x43; v <= 0x45; v++)
		handlers[v] = irq_count;
	apic_write(0x320, 0x45);
	apic_write(0x3e0, 0xb);
	for (u32 i = 0; i < 4; i++) {
		wrmsr(MSR_CONFIG(i), ENABLE | AUTO | DIRECT | VECTOR(0x41 + i));
		wrmsr(MSR_COUNT(i), t + 20000 - 4000 * i);
	}
	apic_write(0x380, 1000);
	wait_until(t + 30000);
	for (u32 v = 0x41; v <= 0x45; v++)
		is_(irqs[v], 1, "each fires once");
}

/* its message has nowhere to go: the VP gets on */
CASE(hv_stimer_no_slots, G_OVID_ONLY, 1)
{
	wrmsr(MSR_CONFIG(0), ENABLE | AUTO | SINT(2));
	wrmsr(MSR_COUNT(0), 1);
	wait_until(now() + 5000);
	open_synic();
	is_(slots[2].type, 0, "a page that comes later is empty");
	wrmsr(MSR_EOM, 0);
	is_(slots[2].type, TIMER_EXPIRED, "what waited is there after EOM");
}

/* ---- the local APIC by MSRs, registers by hypercall, messages and events ---- */

CASE(hv_apic_msrs, G_OVID_ONLY, 2)
{
	apic_enable();
	handlers[0x41] = irq_count_no_eoi;
	is(rdmsr(MSR_HV_TPR), 0);
	wrmsr(MSR_HV_TPR, 0x50);
	is_(apic_read(0x80), 0x50, "the TPR");
	is(rdmsr(MSR_HV_TPR), 0x50);
	is_(wr(MSR_HV_TPR, 0x100), GP, "the TPR has 8 bits");
	wrmsr(MSR_HV_ICR, ICR_SELF | ICR_ASSERT | 0x41);
	is(rdmsr(MSR_HV_ICR) & 0xff, 0x41);
	sti_nop();
	is_(irqs[0x41], 0, "held back by the TPR");
	wrmsr(MSR_HV_TPR, 0);
	sti_nop();
	is(irqs[0x41], 1);
	check(apic_read(0x100 + (0x41 / 32) * 16) & 1 << (0x41 % 32));
	wrmsr(MSR_HV_ICR, ICR_SELF | ICR_ASSERT | 0x41);
	sti_nop();
	is_(irqs[0x41], 1, "the first is in service");
	wrmsr(MSR_HV_EOI, 0);
	sti_nop();
	is_(irqs[0x41], 2, "until its EOI");
	wrmsr(MSR_HV_EOI, 0x1234);
	is(apic_read(0x100 + (0x41 / 32) * 16), 0);
	is_(rd(MSR_HV_EOI), GP, "EOI is write-only");
	handlers[0x41] = irq_count;
	ap_start(1, ap_idle);
	check(wait_for(at_work == 1));
	wrmsr(MSR_HV_ICR, 1ull << 56 | ICR_ASSERT | 0x41);
	check(wait_for(irqs[0x41] == 3));
	is_(rdmsr(MSR_HV_ICR) >> 56, 1, "the destination reads back");
	/* the same registers in x2APIC mode; the other VP stays as it is */
	handlers[0x41] = irq_count_no_eoi;
	x2apic_enable();
	wrmsr(MSR_HV_ICR, 1ull << 32 | ICR_ASSERT | 0x41);
	check(wait_for(irqs[0x41] == 4));
	wrmsr(MSR_HV_ICR, ICR_SELF | ICR_ASSERT | 0x41);
	sti_nop();
	is(irqs[0x41], 5);
	wrmsr(MSR_HV_EOI, 0);
	wrmsr(MSR_HV_ICR, ICR_SELF | ICR_ASSERT | 0x41);
	sti_nop();
	is_(irqs[0x41], 6, "EOI in x2APIC mode");
}

#define AUTO_EOI	(1u << 17)

static u32 in_service(u8 vector)
{
	return apic_read(0x100 + vector / 32 * 16) & 1u << vector % 32;
}

CASE(hv_auto_eoi, G_OVID_ONLY, 1)
{
	open_synic();
	handlers[0x42] = irq_count_no_eoi;
	wrmsr(MSR_SINT(2), 0x42 | AUTO_EOI);
	is(rdmsr(MSR_SINT(2)), 0x42 | AUTO_EOI);
	wrmsr(MSR_CONFIG(0), ENABLE | AUTO | SINT(2));
	for (u32 i = 0; i < 3; i++) {
		wrmsr(MSR_COUNT(0), 1);
		sti_nop();
		is(irqs[0x42], i + 1);
		is_(in_service(0x42), 0, "it is over when it is delivered");
		slots[2].type = 0;
	}
	handlers[0x41] = irq_count_no_eoi;
	apic_icr(0, ICR_SELF | ICR_ASSERT | 0x41);
	sti_nop();
	check(in_service(0x41));
	apic_write(0xb0, 0);
	wrmsr(MSR_SINT(2), 0x42);
	wrmsr(MSR_COUNT(0), 1);
	sti_nop();
	is(irqs[0x42], 4);
	check(in_service(0x42));
	slots[2].type = 0;
	wrmsr(MSR_COUNT(0), 1);
	sti_nop();
	is_(irqs[0x42], 4, "without it an EOI is waited for");
	apic_write(0xb0, 0);
	sti_nop();
	is(irqs[0x42], 5);
}

static volatile u32 served;

/* a processor that keeps the APIC page mapped for all */
static void ap_pings(void)
{
	apic_enable();
	at_work = 1;
	while (!stop) {
		apic_write(0x80, 0x10);
		served += apic_read(0x80) == 0x10;
	}
	at_work = 2;
	for (;;)
		asm volatile("cli; hlt");
}

/* auto-EOI on one processor: its APIC still is where it was, and the other's too */
CASE(hv_auto_eoi_smp, G_OVID_ONLY, 2)
{
	u32 i, wrong = 0, before;

	open_synic();
	handlers[0x42] = irq_count_no_eoi;
	ap_start(1, ap_pings);
	check(wait_for(at_work == 1 && served > 10));
	wrmsr(MSR_CONFIG(0), ENABLE | AUTO | SINT(2));
	for (i = 0; i < 40; i++) {
		/* on and off, and accesses right behind it */
		wrmsr(MSR_SINT(2), 0x42 | (i & 1 ? 0 : AUTO_EOI));
		apic_write(0x80, i & 0xf);
		wrong += apic_read(0x80) != (i & 0xf);
		apic_write(0x80, 0);
		before = irqs[0x42];
		wrmsr(MSR_COUNT(0), 1);
		sti_nop();
		wrong += irqs[0x42] != before + 1;
		wrong += !in_service(0x42) != !(i & 1);
		if (i & 1)
			apic_write(0xb0, 0);
		wrong += in_service(0x42) != 0;
		slots[2].type = 0;
	}
	is(wrong, 0);
	before = served;
	check(wait_for(served > before + 10));
	stop = 1;
	check(wait_for(at_work == 2));
}

/* bit 0 of the assist page in place of an EOI, where software has the APIC */
CASE(hv_lazy_eoi, G_OVID_ONLY, 1)
{
	volatile u32 *word = (void *)page_b;
	u32 lazy = cpuid(0x40000004, 0).eax >> 3 & 1;

	apic_enable();
	handlers[0x41] = handlers[0x42] = irq_count_no_eoi;
	wrmsr(MSR_ASSIST, gpa(page_b) | 1);
	for (u32 i = 0; i < 3; i++) {
		apic_icr(0, ICR_SELF | ICR_ASSERT | 0x41);
		sti_nop();
		is(irqs[0x41], i + 1);
		is(*word & 1, lazy);
		if (*word & 1)
			*word = 0;
		else
			wrmsr(MSR_HV_EOI, 0);
	}
	is_(in_service(0x41), 0, "an EOI like any other");
	/* one waits behind it */
	apic_icr(0, ICR_SELF | ICR_ASSERT | 0x41);
	apic_icr(0, ICR_SELF | ICR_ASSERT | 0x42);
	sti_nop();
	is(irqs[0x42], 1);
	is_(*word & 1, 0, "then it wants its EOI");
	is(irqs[0x41], 3);
	wrmsr(MSR_HV_EOI, 0);
	sti_nop();
	is(irqs[0x41], 4);
	is(*word & 1, lazy);
	/* the bit is there, and the guest does not mind */
	wrmsr(MSR_HV_EOI, 0);
	is(in_service(0x41), 0);
	is_(*word & 1, 0, "nothing is in service");
	wrmsr(MSR_ASSIST, 0);
	apic_icr(0, ICR_SELF | ICR_ASSERT | 0x41);
	sti_nop();
	is(irqs[0x41], 5);
	check(in_service(0x41));
}

#define REG_GUEST_OS_ID	0x90002
#define REG_VP_INDEX	0x90003
#define REG_SINT0	0xa0000
#define SELF_VP		0xfffffffeu

static u64 output[512] __attribute__((aligned(4096)));

static u64 regs_call(u64 control, u64 out)
{
	return hypercall(control, gpa(input), out);
}

CASE(hv_get_registers, G_OVID_ONLY, 2)
{
	u32 *names = (u32 *)&input[2];

	open_hypercalls();
	input[0] = ~0ull;
	input[1] = SELF_VP;
	names[0] = REG_GUEST_OS_ID;
	names[1] = REG_VP_INDEX;
	names[2] = REG_SINT0 + 5;
	output[1] = output[2] = output[6] = 77;
	is(regs_call(CALL_GET_REGS | REPS(3), gpa(output)), REPS(3));
	is(output[0], ME);
	is_(output[1], 0, "a value has 16 bytes");
	is(output[2], 0);
	is(output[4], MASKED);
	is_(output[6], 77, "three values, no more");
	output[0] = 1;
	is_(regs_call(CALL_GET_REGS | REPS(3) | START(1), gpa(output)), REPS(3), "from the second on");
	is_(output[0], 1, "the first stays");
	names[1] = 0x20000;
	is_(regs_call(CALL_GET_REGS | REPS(3), gpa(output)), INVALID_PARAMETER | REPS(1), "RAX is no such register");
	is_(output[0], ME, "what came before is given");
	is_(regs_call(CALL_GET_REGS | REPS(3) | START(1), gpa(output)), INVALID_PARAMETER | REPS(1),
	    "none but those before the first were done");
	is_(regs_call(CALL_GET_REGS | REPS(1), gpa(output) + 4), INVALID_ALIGNMENT, "output: not aligned");
	is_(regs_call(CALL_GET_REGS | REPS(1), gpa(output) + 4088), INVALID_ALIGNMENT, "across pages");
	is_(regs_call(CALL_GET_REGS | REPS(1), 0xe0000000), INVALID_INPUT | REPS(1), "no memory there");
	is_(regs_call(CALL_GET_REGS | REPS(1), gpa(page_a)), INVALID_INPUT | REPS(1), "not to be written");
	names[0] = REG_VP_INDEX;
	input[1] = 0;
	is_(regs_call(CALL_GET_REGS | REPS(1), gpa(output)), REPS(1), "its own VP by number");
	input[1] = 1;
	is_(regs_call(CALL_GET_REGS | REPS(1), gpa(output)), ACCESS_DENIED, "another one");
	input[1] = 9;
	is_(regs_call(CALL_GET_REGS | REPS(1), gpa(output)), INVALID_VP, "one that is not there");
	input[1] = SELF_VP | 1ull << 32;
	is_(regs_call(CALL_GET_REGS | REPS(1), gpa(output)), INVALID_PARAMETER, "another trust level");
	input[1] = SELF_VP;
	input[0] = 0;
	is_(regs_call(CALL_GET_REGS | REPS(1), gpa(output)), INVALID_PARTITION, "another partition");
}

CASE(hv_set_registers, G_OVID_ONLY, 1)
{
	open_hypercalls();
	input[0] = ~0ull;
	input[1] = SELF_VP;
	for (u32 i = 0; i < 3; i++) {
		input[2 + 4 * i] = REG_SINT0 + 4 + i;
		input[4 + 4 * i] = MASKED | (0x60 + i);
	}
	is(memory_call(CALL_SET_REGS | REPS(3)), REPS(3));
	for (u32 i = 0; i < 3; i++)
		is(rdmsr(MSR_SINT(4 + i)), MASKED | (0x60 + i));
	input[8] = 5;		/* no vector, and not masked */
	is_(memory_call(CALL_SET_REGS | REPS(3)), INVALID_PARAMETER | REPS(1), "the MSR's own rules");
	input[6] = REG_VP_INDEX;
	is_(memory_call(CALL_SET_REGS | REPS(3)), INVALID_PARAMETER | REPS(1), "what is read-only");
	/* one that sleeps: a page is placed */
	input[2] = 0xa0013;
	input[4] = gpa(page_b) | 1;
	page_b[0] = 9;
	is(memory_call(CALL_SET_REGS | REPS(1)), REPS(1));
	is(rdmsr(MSR_SIMP), gpa(page_b) | 1);
	is(page_b[0], 0);
	input[5] = 1;
	is_(memory_call(CALL_SET_REGS | REPS(1)), INVALID_PARAMETER, "the upper half");
}

static void sse_on(void)
{
	WR("cr0", (cr0() & ~4ul) | 2);		/* EM, MP */
	WR("cr4", cr4() | 1 << 9);		/* OSFXSR */
}

/* input and output in XMM0 to XMM5 */
static u64 xmm_call(u64 control, u64 in0, u64 in1, void *xmm)
{
	register u64 r8 asm("r8") = in1;
	u64 ret;

	asm volatile("movups (%[x]), %%xmm0; movups 16(%[x]), %%xmm1; movups 32(%[x]), %%xmm2;"
		     "movups 48(%[x]), %%xmm3; movups 64(%[x]), %%xmm4; movups 80(%[x]), %%xmm5;"
		     "call *%[at];"
		     "movups %%xmm0, (%[x]); movups %%xmm1, 16(%[x]); movups %%xmm2, 32(%[x]);"
		     "movups %%xmm3, 48(%[x]); movups %%xmm4, 64(%[x]); movups %%xmm5, 80(%[x])"
		     : "=a"(ret), "+c"(control), "+d"(in0), "+r"(r8)
		     : [at] "r"(page_a), [x] "b"(xmm) : "r9", "r10", "r11", "memory", "cc");
	return ret;
}

CASE(hv_xmm_output, G_OVID_ONLY, 1)
{
	u64 xmm[12] = { REG_GUEST_OS_ID | (u64)REG_VP_INDEX << 32, REG_SINT0 };

	sse_on();
	open_hypercalls();
	xmm[11] = 0x77;
	is(xmm_call(CALL_GET_REGS | FAST | REPS(3), ~0ull, SELF_VP, xmm), REPS(3));
	is_(xmm[0], REG_GUEST_OS_ID | (u64)REG_VP_INDEX << 32, "the input stays");
	is_(xmm[2], ME, "output begins with the next register");
	is(xmm[3], 0);
	is(xmm[4], 0);
	is(xmm[6], MASKED);
	is_(xmm[11], 0x77, "and ends with its last");
	is_(xmm_call(CALL_GET_REGS | FAST | REPS(6), ~0ull, SELF_VP, xmm), INVALID_INPUT, "more than fits");
	xmm[0] = REG_SINT0 + 9;
	xmm[1] = 0;
	xmm[2] = MASKED | 0x99;
	xmm[3] = 0;
	is(xmm_call(CALL_SET_REGS | FAST | REPS(1), ~0ull, SELF_VP, xmm), REPS(1));
	is(rdmsr(MSR_SINT(9)), MASKED | 0x99);
}

CASE(hv_nobody_there, G_OVID_ONLY, 1)
{
	open_hypercalls();
	is_(hypercall(CALL_SIGNAL_EVENT | FAST, 1, 0), INVALID_CONNECTION, "a signal to nobody");
	input[0] = 1;
	input[1] = 1;
	is_(memory_call(CALL_POST_MESSAGE), INVALID_CONNECTION, "a message to nobody");
	input[1] = 1 | 241ull << 32;
	is_(memory_call(CALL_POST_MESSAGE), INVALID_PARAMETER, "one that is too long");
	is_(hypercall(CALL_POST_MESSAGE | FAST, 1, 1), INVALID_INPUT, "one in registers");
	is_(memory_call(CALL_RETARGET), INVALID_PARAMETER, "no device has interrupts");
}

CASE(hv_extended, G_OVID_ONLY, 1)
{
	u64 *victim = (u64 *)0x1800000;		/* 24 MiB */
	u32 bad = 0;

	open_hypercalls();
	output[0] = 0;
	is(hypercall(CALL_EXT_CAPS, 0, gpa(output)), SUCCESS);
	is_(output[0], 0x102, "memory may be given back");
	is_(hypercall(CALL_EXT_CAPS, 0, gpa(output) + 4), INVALID_ALIGNMENT, "output: not aligned");
	for (u32 i = 0; i < 0x500; i++)
		victim[512 * i] = 7;
	input[0] = 2;
	input[1] = gpa(victim) + 0x1000 + 1;	/* two pages */
	input[2] = 1 << 11 | (gpa(victim) + 0x200000);
	is(memory_call(CALL_EXT_HEAT | REPS(2)), REPS(2));
	is(victim[0], 7);
	is_(victim[512] | victim[1024], 0, "two small pages read as zero");
	is(victim[512 * 3], 7);
	is_(victim[512 * 0x200] | victim[512 * 0x3ff], 0, "a large one");
	is(victim[512 * 0x400], 7);
	victim[512] = 9;
	is_(victim[512], 9, "and can be used again");
	/* more than is done at once: in the end all is */
	for (u32 i = 0; i < 20; i++) {
		victim[1024 * i] = 7;
		input[1 + i] = gpa(victim) + 0x2000 * i;
	}
	apic_enable();
	handlers[0x41] = irq_count;
	wrmsr(MSR_CONFIG(0), ENABLE | PERIODIC | DIRECT | VECTOR(0x41));
	wrmsr(MSR_COUNT(0), 1000);
	wrmsr(MSR_CONFIG(0), ENABLE | PERIODIC | DIRECT | VECTOR(0x41));
	sti();
	is(memory_call(CALL_EXT_HEAT | REPS(20)), REPS(20));
	cli();
	wrmsr(MSR_CONFIG(0), 0);
	check(irqs[0x41]);
	for (u32 i = 0; i < 20; i++)
		bad += victim[1024 * i] != 0;
	is_(bad, 0, "twenty ranges");
	victim[0] = 7;
	input[1] = 0xe0000000;
	is_(memory_call(CALL_EXT_HEAT | REPS(2)), INVALID_PARAMETER, "what is not memory");
	input[1] = 1 << 11 | 1 << 13;
	is_(memory_call(CALL_EXT_HEAT | REPS(1)), INVALID_PARAMETER, "reserved bits of a large page");
	input[1] = 1 << 11 | 1 << 12 | 1ull << 60;
	is_(memory_call(CALL_EXT_HEAT | REPS(1)), INVALID_PARAMETER, "1 GiB that no address has");
	is(victim[0], 7);
	input[1] = ~0xfffull | 0x7ff;
	is_(memory_call(CALL_EXT_HEAT | REPS(1)), INVALID_PARAMETER, "around the end");
	input[0] = 1;
	is_(memory_call(CALL_EXT_HEAT | REPS(1)), INVALID_PARAMETER, "an unknown hint");
	is_(hypercall(0x8002, 0, gpa(output)), INVALID_CODE, "none is told to be zero at boot");
}

CASE(hv_migration, G_OVID_ONLY, 1)
{
	wrmsr(MSR_REENLIGHTENMENT, 1ull << 32 | 1 << 16 | 0xee);
	is(rdmsr(MSR_REENLIGHTENMENT), 1ull << 32 | 1 << 16 | 0xee);
	is_(wr(MSR_REENLIGHTENMENT, 1 << 17), GP, "a reserved bit");
	wrmsr(MSR_TSC_EMULATION, 1);
	is(rdmsr(MSR_TSC_EMULATION), 1);
	is_(wr(MSR_TSC_EMULATION, 2), GP, "another");
	is_(rdmsr(MSR_TSC_EMULATION_STATUS), 0, "no TSC is emulated");
	/* only for those who ask for it */
	is(cpuid(0x40000003, 0).eax & 1 << 15, 0);
	is_(rd(MSR_TSC_INVARIANT), GP, "the TSC is not to be made invariant");
}

/* ---- anything at all ---- */

static u64 seed = 0x123456789abcdefull;
static u64 any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* an address that may be good */
static u64 any_address(void)
{
	switch (any() & 7) {
	case 0:
		return any();
	case 1:
		return gpa(input) + (any() & 4095);
	case 2:
		return gpa(input) + (any() & 511) * 8;
	case 3:
		return any() & 0xffffffff;
	case 4:
		return gpa(page_a);
	default:
		return gpa(input);
	}
}

/* takes no interrupt, whatever vector comes */
static void ap_deaf(void)
{
	apic_enable();
	for (;;)
		asm volatile("cli; hlt");
}

CASE(hv_hostile_calls, G_OVID_ONLY, 2)
{
	open_synic();
	open_hypercalls();
	ap_start(1, ap_deaf);
	for (u32 i = 0; i < 5000; i++) {
		u64 control = any() % 0x18;

		for (u32 w = 0; w < 16; w++)
			input[any() & 511] = any() & 1 ? any() & 0xff : any();
		if (any() & 1)
			control |= any() & (FAST | BANKS(7) | REPS(0x1f) | START(3));
		if (!(any() & 15))
			control = any();
		(void)hypercall(control, any_address(), any() & 1 ? any() : 3);
	}
	is_(hypercall(CALL_SPIN | FAST, 0, 0), SUCCESS, "the VP gets on");
}

/* pages on top of each other, timers and slots, in any order */
CASE(hv_hostile_msrs, G_OVID_ONLY, 2)
{
	static const u32 pages[] = { MSR_HYPERCALL, MSR_TSC_PAGE, MSR_ASSIST, MSR_SIMP, MSR_SIEFP };
	static u8 room[4][4096] __attribute__((aligned(4096)));

	ap_start(1, ap_deaf);
	wrmsr(MSR_GUEST_OS_ID, ME);
	wrmsr(MSR_SCONTROL, 1);
	for (u32 i = 0; i < 2000; i++) {
		u64 at = gpa(room[any() & 3]);

		wrmsr(pages[any() % 5], (at | 1) & ~(any() & 1));
		(void)TRY("incb (%0)", :: "r"(at) : "memory");
		(void)wr(MSR_CONFIG(any() & 3), any() & 0xfffff);
		(void)wr(MSR_COUNT(any() & 3), any() & 1 ? any() : now() + (any() & 0xff));
		(void)wr(MSR_SINT(any() & 15), any() & 0x1ffff);
		wrmsr(MSR_EOM, 0);
	}
	for (u32 i = 0; i < 4; i++)
		wrmsr(MSR_CONFIG(i), 0);
	for (u32 i = 0; i < 5; i++)
		wrmsr(pages[i], 0);
	check(rdmsr(MSR_TIME));
}
