// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_many.c - sixteen VPs: started, in a ring, flushing each other; VPs that come
 * late; as many as there can be; and wake-ups in every way there is, of which none may
 * get lost: then a VP would sleep on, and the runner's time limit ends the case.  On a
 * checking kernel that limit would be near for what is no trouble: G_LONG_TIME.
 */
#include "hv.h"

#define MAX_VPS		16
#define FLUSH_EVERYBODY	1
#define WAKE_VECTOR	0x41
#define EVERYBODY	((1u << MAX_VPS) - 1)

static u8 call_page[4096] __attribute__((aligned(4096)));
static u64 input[MAX_VPS][8] __attribute__((aligned(4096)));

static u64 hypercall(u64 control, u64 in, u64 out)
{
	return call_by(call_page, control, in, out);
}

static void open_hypercalls(void)
{
	hypercalls_by(call_page);
}

/* a flush of all that all VPs know, by VP @me */
static u64 flush_everybody(u32 me)
{
	input[me][0] = cr3();
	input[me][1] = FLUSH_EVERYBODY;
	return hypercall(CALL_FLUSH, (ulong)input[me], 0);
}

static void add(volatile u32 *to, u32 n)
{
	asm volatile("lock; addl %1, %0" : "+m"(*to) : "r"(n) : "cc");
}

static u32 take(volatile u32 *from)
{
	u32 v = 0;

	asm volatile("xchgl %0, %1" : "+m"(*from), "+r"(v));
	return v;
}

static void ipi(u32 to)
{
	apic_icr(to, WAKE_VECTOR | ICR_ASSERT);
}

static void eoi(void)
{
	apic_write(0xb0, 0);
}

static volatile u32 taken, signed_up;

static void on_ipi(struct frame *f)
{
	(void)f;
	add(&taken, 1);
	eoi();
}

static void idle(void)
{
	for (;;)
		asm volatile("sti; hlt");
}

static void ap_sign_up(void)
{
	u32 id = apic_id();

	apic_enable();
	if (id == cpuid(0xb, 0).edx && id == cpuid(1, 0).ebx >> 24)
		add(&signed_up, 1u << id);
	idle();
}

static void start_all(void (*fn)(void))
{
	apic_enable();
	for (u32 i = 1; i < MAX_VPS; i++)
		ap_start(i, fn);
}

CASE(many_start, G_LONG_TIME, MAX_VPS)
{
	handlers[WAKE_VECTOR] = on_ipi;
	start_all(ap_sign_up);
	check(wait_for(signed_up == (EVERYBODY & ~1)));
	apic_icr(0, WAKE_VECTOR | ICR_ASSERT | ICR_OTHERS);
	check(wait_for(taken == MAX_VPS - 1));
	/* INIT and SIPI once more, out of HLT */
	signed_up = 0;
	start_all(ap_sign_up);
	check(wait_for(signed_up == (EVERYBODY & ~1)));
	for (u32 i = 1; i < MAX_VPS; i++)
		is(ap_alive[i], 2);
}

#define LAPS	20
static volatile u32 steps;

static void pass_on(struct frame *f)
{
	(void)f;
	eoi();
	if (++steps < LAPS * MAX_VPS)
		ipi((apic_id() + 1) % MAX_VPS);
}

CASE(many_ring, G_LONG_TIME, MAX_VPS)
{
	handlers[WAKE_VECTOR] = pass_on;
	start_all(ap_sign_up);
	ipi(1);
	while (steps < LAPS * MAX_VPS)
		sti_hlt();
	is(steps, LAPS * MAX_VPS);
}

/* ---- flushes ---- */

#define WINDOW	0x8000000000ul
#define ROUNDS	20

static volatile u32 pages[2][1024] __attribute__((aligned(4096)));
static u64 tables[3][512] __attribute__((aligned(4096)));
static volatile u32 looks[MAX_VPS], least, stale, stop, flushed, refused;

static void map_window(const volatile void *page)
{
	u64 *pml4 = (void *)(cr3() & ~0xffful);

	pml4[WINDOW >> 39 & 511] = (ulong)tables[0] | 3;
	tables[0][0] = (ulong)tables[1] | 3;
	tables[1][0] = (ulong)tables[2] | 3;
	*(volatile u64 *)&tables[2][0] = (ulong)page | 3;
}

static void look(u32 me)
{
	volatile u32 *window = (void *)WINDOW;
	u32 want = least;

	if (*window < want)
		add(&stale, 1);
	looks[me]++;
}

/* half of them run all the time, the others sleep between two looks */
static void ap_look(void)
{
	u32 me = apic_id();

	apic_enable();
	while (!stop) {
		if (me & 1) {
			/* PAUSE may be an exit, which helps a lazy flush */
			for (u32 i = 0; i < 2000; i++)
				look(me);
			pause_();
			sti_nop();
		} else {
			look(me);
			sti_hlt();
		}
	}
	idle();
}

static bool all_looked(const u32 *before)
{
	for (u32 i = 1; i < MAX_VPS; i++)
		if (looks[i] - before[i] < 2)
			return false;
	return true;
}

CASE(many_see_flush, G_OVID_ONLY | G_LONG_TIME, MAX_VPS)
{
	u32 before[MAX_VPS];

	open_hypercalls();
	handlers[WAKE_VECTOR] = on_ipi;
	map_window(pages[0]);
	start_all(ap_look);
	for (u32 n = 1; n <= ROUNDS; n++) {
		pages[n & 1][0] = n;
		map_window(pages[n & 1]);
		if (flush_everybody(0))
			refused++;
		least = n;
		for (u32 i = 1; i < MAX_VPS; i++)
			before[i] = looks[i];
		while (!all_looked(before)) {
			apic_icr(0, WAKE_VECTOR | ICR_ASSERT | ICR_OTHERS);
			pause_();
		}
	}
	stop = 1;
	is(refused, 0);
	is_(stale, 0, "nobody uses a translation that a flush has ended");
}

static void flush_often(u32 me)
{
	for (u32 i = 0; i < 30; i++)
		if (flush_everybody(me))
			add(&refused, 1);
	add(&flushed, 1);
}

static void ap_flush(void)
{
	apic_enable();
	flush_often(apic_id());
	idle();
}

CASE(many_flush_each_other, G_OVID_ONLY | G_LONG_TIME, MAX_VPS)
{
	open_hypercalls();
	start_all(ap_flush);
	flush_often(0);
	check(wait_for(flushed == MAX_VPS));
	is(refused, 0);
}

/* ---- VPs that are made while others run ---- */

CASE(many_late, G_LONG_TIME, 1)
{
	apic_enable();
	handlers[WAKE_VECTOR] = on_ipi;
	ipi(1);
	for (u32 i = 1; i < MAX_VPS; i++) {
		command(G_CMD_ADD_VP, 0, 0, 0);
		ap_start(i, ap_sign_up);
		check(wait_for(signed_up & 1u << i));
		ipi(i);
		check(wait_for(taken == i));
	}
	apic_icr(0, WAKE_VECTOR | ICR_ASSERT | ICR_OTHERS);
	check(wait_for(taken == 2 * (MAX_VPS - 1)));
}

static volatile u32 late_index;
static volatile u64 late_time, late_tsc;

static void ap_late(void)
{
	late_index = rdmsr(MSR_VP_INDEX);
	late_time = rdmsr(MSR_TIME);
	late_tsc = rdtsc();
	ap_look();
}

/* it has the partition's time, and hypercalls find it */
CASE(many_late_calls, G_OVID_ONLY | G_LONG_TIME, 2)
{
	u64 time = rdmsr(MSR_TIME), tsc = rdtsc();
	u32 n;

	open_hypercalls();
	handlers[WAKE_VECTOR] = on_ipi;
	map_window(pages[0]);
	apic_enable();
	ap_start(1, ap_look);
	command(G_CMD_ADD_VP, 0, 0, 0);
	is_(flush_everybody(0), 0, "it waits for SIPI, and is no hindrance");
	ap_start(2, ap_late);
	check(wait_for(looks[2]));
	is(late_index, 2);
	check(late_time > time && late_time <= rdmsr(MSR_TIME));
	check(late_tsc > tsc && late_tsc < rdtsc());
	pages[1][0] = 1;
	map_window(pages[1]);
	is(flush_everybody(0), 0);
	least = 1;
	n = looks[2];
	is(hypercall(CALL_IPI | FAST, WAKE_VECTOR, 4), 0);
	check(wait_for(looks[2] != n));
	is(stale, 0);
	input[0][0] = WAKE_VECTOR;
	input[0][1] = 1;	/* all, this one too */
	n = taken;
	is(hypercall(CALL_IPI_EX, (ulong)input[0], 0), 0);
	sti_nop();
	check(wait_for(taken == n + 3));
	stop = 1;
}

/* ---- as many as there can be ---- */

static volatile u32 came, last_taker;

static void on_crowd_ipi(struct frame *f)
{
	last_taker = apic_id();
	on_ipi(f);
}

static void ap_join(void)
{
	u32 id = apic_id();

	apic_enable();
	if (id == rdmsr(MSR_VP_INDEX) && id == cpuid(0xb, 0).edx && id == cpuid(1, 0).ebx >> 24)
		add(&came, 1);
	idle();
}

/* to VP @to, by a sparse set of 64 a bank */
static u64 call_ipi(u32 to)
{
	input[0][0] = WAKE_VECTOR;
	input[0][1] = 0;
	input[0][2] = 1ull << to / 64;
	input[0][3] = 1ull << to % 64;
	return hypercall(CALL_IPI_EX | BANKS(1), (ulong)input[0], 0);
}

CASE(many_crowd, G_OVID_ONLY | G_LONG_TIME, AP_SLOTS)
{
	const u32 others = AP_SLOTS - 1;

	open_hypercalls();
	handlers[WAKE_VECTOR] = on_crowd_ipi;
	apic_enable();
	for (u32 i = 1; i < AP_SLOTS; i++)
		ap_start(i, ap_join);
	check(wait_for(came == others));
	apic_icr(0, WAKE_VECTOR | ICR_ASSERT | ICR_OTHERS);
	check(wait_for(taken == others));
	for (u32 i = 1; i < AP_SLOTS; i++) {
		ipi(i);
		if (!wait_for(taken == others + i) || last_taker != i)
			break;
	}
	is_(taken, 2 * others, "each is reached by its APIC id");
	for (u32 i = 1; i < AP_SLOTS; i += 17) {
		u32 before = taken;

		is(call_ipi(i), 0);
		check(wait_for(taken == before + 1));
		is(last_taker, i);
	}
	is(flush_everybody(0), 0);
}

/*
 * Tokens lie in boxes.  Whose box it is takes them out and puts each into another
 * one, and wakes that VP; with interrupts off from its last look to the HLT.
 */
#define TOKENS		6
#define MOVES		2000

static volatile u32 box[MAX_VPS], moves, finished, runner_lock;
static u64 seeds[MAX_VPS];
static bool calls;

static u32 any(u32 me)
{
	u64 s = seeds[me];

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	seeds[me] = s;
	return s >> 32;
}

/* the arguments of a command are one for all VPs */
static void runner_msi(u32 to)
{
	u32 busy;

	do {
		pause_();
		busy = 1;
		asm volatile("xchgl %0, %1" : "+m"(runner_lock), "+r"(busy));
	} while (busy);
	command(G_CMD_MSI, 0xfee00000 | to << 12, WAKE_VECTOR, 0);
	runner_lock = 0;
}

static void wake(u32 me, u32 to)
{
	switch (any(me) % (calls ? 6 : 4)) {
	case 0:
		runner_msi(to);
		break;
	case 1:
		apic_icr(to, DELIVER_NMI | ICR_ASSERT);
		break;
	case 4:
		hypercall(CALL_IPI | FAST, WAKE_VECTOR, 1ull << to);
		break;
	case 5:
		flush_everybody(me);
		hypercall(CALL_IPI | FAST, WAKE_VECTOR, 1ull << to);
		break;
	default:
		ipi(to);
	}
}

/*
 * It is taken with interrupts off too, perhaps just before HLT: then this ends that.
 * Or between the two writes of an IPI: the first one's register is left alone.
 */
static void on_nmi(struct frame *f)
{
	(void)f;
	apic_write(0x300, WAKE_VECTOR | ICR_ASSERT | ICR_SELF);
}

static void wait_somehow(u32 me)
{
	u32 turns = 100;

	switch (any(me) % 4) {
	case 0:
		while (!box[me] && turns--)
			sti_nop();
		break;
	case 1:
		if (calls) {
			rdmsr(MSR_IDLE);
			sti_nop();
			break;
		}
		/* fallthrough */
	default:
		sti_hlt();
	}
}

static void carry(u32 me)
{
	seeds[me] = 0x9e3779b97f4a7c15ull * (me + 1);
	while (moves < MOVES) {
		u32 n = take(&box[me]);

		if (!n)
			wait_somehow(me);
		while (n--) {
			u32 to = any(me) % MAX_VPS;

			add(&moves, 1);
			add(&box[to], 1);
			if (to != me)
				wake(me, to);
		}
	}
	add(&finished, 1);
	ipi((me + 1) % MAX_VPS);
	ipi(0);
}

static void ap_carry(void)
{
	apic_enable();
	carry(apic_id());
	idle();
}

static void carry_all(void)
{
	u32 sum = 0;

	handlers[2] = on_nmi;
	handlers[WAKE_VECTOR] = on_ipi;
	box[0] = TOKENS;
	start_all(ap_carry);
	carry(0);
	while (finished != MAX_VPS)
		sti_hlt();
	for (u32 i = 0; i < MAX_VPS; i++)
		sum += box[i];
	is_(sum, TOKENS, "no token was lost");
}

CASE(many_wakeups, G_LONG_TIME, MAX_VPS)
{
	carry_all();
}

CASE(many_wakeups_by_calls, G_OVID_ONLY | G_LONG_TIME, MAX_VPS)
{
	calls = true;
	open_hypercalls();
	carry_all();
}
