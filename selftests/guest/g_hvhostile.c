// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_hvhostile.c - the hypervisor's interface at its edges: storms, floods, pages on top
 * of each other, inputs where none should be, input in XMM registers.
 */
#include "hv.h"

#define GP		13
#define NOWHERE		0x3000000ul	/* above memory, below devices */
#define APIC		0xfee00000ul

static u8 call_page[4096] __attribute__((aligned(4096)));
static u8 place[4096] __attribute__((aligned(4096)));
static u64 input[512] __attribute__((aligned(4096)));
static volatile u32 at_work, stop;

static long wr(u32 n, u64 v)
{
	return TRY("wrmsr", :: "c"(n), "a"((u32)v), "d"((u32)(v >> 32)));
}

static void open_hypercalls(void)
{
	hypercalls_by(call_page);
	apic_enable();
}

/* by VP: interrupts of a vector */
static volatile u32 got[256][256];

static void count(struct frame *f)
{
	got[rdmsr(MSR_VP_INDEX)][f->vec]++;
	apic_write(0xb0, 0);
}

static void ap_idle(void)
{
	apic_enable();
	__atomic_add_fetch(&at_work, 1, __ATOMIC_SEQ_CST);
	for (;;)
		asm volatile("sti; hlt");
}

/* ---- IPIs in a ring ---- */

#define RING		4
#define ROUNDS		25
#define TOKEN(n)	(0x41 + (n))
#define SELF(n)		(0x51 + (n))
#define STORM		0x61
#define LAST		0x62
#define STORM_CALLS	200

static volatile u32 hops[RING];

static void ipi(u8 vector, u64 vps)
{
	if (vmcall(CALL_IPI | FAST, vector, vps))
		check(!"an IPI was refused");
}

/* a token is at one VP at a time: it goes on by the IPI, after one to the VP itself */
static void pass_on(struct frame *f)
{
	u32 me = rdmsr(MSR_VP_INDEX), token = f->vec - TOKEN(0);

	got[me][f->vec]++;
	ipi(SELF(token), 1ull << me);
	if (++hops[token] < RING * ROUNDS)
		ipi(f->vec, 1ull << (me + 1) % RING);
	apic_write(0xb0, 0);
}

CASE(hv_ipi_ring, G_OVID_ONLY, RING)
{
	u32 wrong = 0;

	open_hypercalls();
	for (u32 t = 0; t < RING; t++) {
		handlers[TOKEN(t)] = pass_on;
		handlers[SELF(t)] = count;
	}
	for (u32 i = 1; i < RING; i++)
		ap_start(i, ap_idle);
	for (u32 t = 0; t < RING; t++)
		ipi(TOKEN(t), 1ull << t);
	sti();
	for (u32 t = 0; t < RING; t++)
		check(wait_for(hops[t] == RING * ROUNDS));
	/* the last of them told its VP before */
	for (u32 i = 0; i < RING; i++)
		for (u32 t = 0; t < RING; t++) {
			(void)wait_for(got[i][SELF(t)] >= ROUNDS);
			wrong += got[i][TOKEN(t)] != ROUNDS || got[i][SELF(t)] != ROUNDS;
		}
	is_(wrong, 0, "each VP got each token, and its own IPIs, once a round");
}

static volatile u32 stormed;

/* the next VP and itself, as fast as can be, all at once */
static void storm(void)
{
	u32 me = rdmsr(MSR_VP_INDEX);
	u64 both = 1ull << me | 1ull << (me + 1) % RING;

	__atomic_add_fetch(&at_work, 1, __ATOMIC_SEQ_CST);
	sti();
	while (at_work < RING)
		pause_();
	for (u32 i = 0; i < STORM_CALLS; i++)
		ipi(STORM, both);
	ipi(LAST, both);
	__atomic_add_fetch(&stormed, 1, __ATOMIC_SEQ_CST);
}

static void ap_storm(void)
{
	apic_enable();
	storm();
	for (;;)
		asm volatile("sti; hlt");
}

CASE(hv_ipi_storm, G_OVID_ONLY, RING)
{
	open_hypercalls();
	handlers[STORM] = count;
	handlers[LAST] = count;
	for (u32 i = 1; i < RING; i++)
		ap_start(i, ap_storm);
	storm();
	check(wait_for(stormed == RING));
	for (u32 i = 0; i < RING; i++) {
		check(wait_for(got[i][LAST]));
		is_(got[i][LAST] > 2, 0, "two sent the last one");
		check(got[i][STORM] >= 1 && got[i][STORM] <= 2 * STORM_CALLS);
	}
}

/* ---- messages ---- */

static volatile struct message *const slot = (void *)(place + 2 * sizeof(struct message));

static void open_synic(void *messages)
{
	wrmsr(MSR_SIMP, gpa(messages) | 1);
	wrmsr(MSR_SINT(2), 0x42);
	wrmsr(MSR_SCONTROL, 1);
	apic_enable();
	handlers[0x42] = irq_count;
}

static void empty_slot(void)
{
	slot->type = 0;
	wrmsr(MSR_EOM, 0);
	sti_nop();
}

/* four timers, one slot: three messages wait, and each comes when there is room */
CASE(hv_message_flood, G_OVID_ONLY, 1)
{
	u32 seen = 0, changed = 0;
	u64 first, wrong = 0;

	open_synic(place);
	for (u32 i = 0; i < 4; i++) {
		wrmsr(MSR_CONFIG(i), ENABLE | AUTO | SINT(2));
		wrmsr(MSR_COUNT(i), 1 + i);
	}
	sti_nop();
	is(slot->type, TIMER_EXPIRED);
	is_(slot->flags, 1, "others wait");
	is(irqs[0x42], 1);
	/* EOM without an empty slot is nothing */
	first = slot->payload[0];
	for (u32 i = 0; i < 100; i++) {
		wrmsr(MSR_EOM, i);
		changed += slot->payload[0] != first || slot->payload[1] != 1 + (u32)first;
	}
	sti_nop();
	is_(changed, 0, "a full slot stays as it is");
	is(irqs[0x42], 1);
	for (u32 i = 0; i < 4; i++) {
		wrong += slot->type != TIMER_EXPIRED || irqs[0x42] != i + 1 ||
			 slot->payload[1] != 1 + (u32)slot->payload[0];
		seen |= 1u << (slot->payload[0] & 31);
		empty_slot();
	}
	is_(seen, 0xf, "nothing is lost: four timers, four messages");
	is_(wrong, 0, "each with its interrupt and its time");
	is_(slot->type, 0, "and no more");
	is(irqs[0x42], 4);
}

static void spend(u64 time)
{
	u64 end = rdmsr(MSR_TIME) + time;

	while (rdmsr(MSR_TIME) < end)
		pause_();
}

/*
 * Periodic ones, and a guest that is slower: one message of each waits, and none
 * starves while another has the next one already.
 */
CASE(hv_message_flood_periodic, G_OVID_ONLY, 1)
{
	u32 seen = 0, turns = 0;
	u64 first[2];

	open_synic(place);
	for (u32 i = 0; i < 4; i++) {
		wrmsr(MSR_COUNT(i), 1000);
		wrmsr(MSR_CONFIG(i), ENABLE | PERIODIC | SINT(2));
	}
	sti();
	check(wait_for(slot->type == TIMER_EXPIRED));
	first[0] = slot->payload[0];
	first[1] = slot->payload[1];
	spend(100000);
	cli();
	is_(slot->payload[0], first[0], "nothing is overwritten");
	is(slot->payload[1], first[1]);
	is(slot->flags, 1);
	is_(irqs[0x42], 1, "a message, an interrupt");
	for (; seen != 0xf && turns < 16; turns++) {
		if (slot->type == TIMER_EXPIRED)
			seen |= 1u << (slot->payload[0] & 31);
		spend(2000);
		empty_slot();
	}
	is_(seen, 0xf, "all four get their turn");
	for (u32 i = 0; i < 4; i++)
		wrmsr(MSR_CONFIG(i), 0);
	empty_slot();
	empty_slot();
	is_(slot->type, 0, "those that were stopped say nothing any more");
}

/* polling: the message comes, its interrupt does not */
CASE(hv_message_polled, G_OVID_ONLY, 1)
{
	open_synic(place);
	wrmsr(MSR_SINT(2), 0x42 | 1 << 18);
	wrmsr(MSR_CONFIG(0), ENABLE | AUTO | SINT(2));
	wrmsr(MSR_COUNT(0), 1);
	sti_nop();
	is(slot->type, TIMER_EXPIRED);
	is(irqs[0x42], 0);
}

/* a time that never comes, in all modes: one that is added to the time it is, too */
CASE(hv_stimer_never, G_OVID_ONLY, 1)
{
	static const u32 modes[] = { AUTO, PERIODIC, DIRECT | VECTOR(0x41),
				     PERIODIC | DIRECT | VECTOR(0x41) };
	static const u64 counts[] = { ~0ull, ~0ull >> 1, 1ull << 63 };

	open_synic(place);
	handlers[0x41] = irq_count;
	for (u32 c = 0; c < 3; c++) {
		for (u32 i = 0; i < 4; i++) {
			wrmsr(MSR_CONFIG(i), 0);
			wrmsr(MSR_COUNT(i), counts[c]);
			wrmsr(MSR_CONFIG(i), modes[i] | ENABLE | SINT(2));
		}
		sti();
		spend(5000);
		cli();
	}
	is(irqs[0x41] + irqs[0x42], 0);
	is(slot->type, 0);
}

/* the TSC runs over its end: the reference time does not care */
CASE(hv_time_over_the_end, G_OVID_ONLY, 1)
{
	u64 t0 = rdmsr(MSR_TIME), t1;

	wrmsr(0x10, ~0ull - 1000);
	t1 = rdmsr(MSR_TIME);
	check(t1 >= t0 && t1 - t0 < 100000000);
	while (rdtsc() > ~0ull - 1001)
		pause_();
	t0 = rdmsr(MSR_TIME);
	check(t0 >= t1 && t0 - t1 < 100000000);
	open_synic(place);
	wrmsr(MSR_CONFIG(0), AUTO | SINT(2));
	wrmsr(MSR_COUNT(0), t0 + 5000);
	spend(10000);
	sti_nop();
	is_(slot->payload[1], t0 + 5000, "and timers go by it");
}

/* ---- pages ---- */

#define PAGES		5
#define MARK		0x7ea5e500u

static const u32 page_msrs[PAGES] = {
	MSR_HYPERCALL, MSR_TSC_PAGE, MSR_ASSIST, MSR_SIMP, MSR_SIEFP,
};

/* whose page is seen, by what is in it; PAGES: the memory beneath */
static u32 seen_at_place(void)
{
	volatile u32 *p = (void *)place;

	if (p[0] == 0xc3c1010f)		/* VMCALL, RET */
		return 0;
	if (p[512] >= MARK && p[512] <= MARK + PAGES)
		return p[512] - MARK;
	return p[0] && !p[1] && (p[2] || p[3]) ? 1 : ~0u;	/* sequence and scale */
}

/* the one of the lowest rank, whichever came first */
static bool right_one_seen(u32 there)
{
	u32 which = 0;

	while (which < PAGES && !(there & 1u << which))
		which++;
	return seen_at_place() == which;
}

/* those that can be written get a mark while they are alone */
static void mark_all(void)
{
	for (u32 i = 2; i < PAGES; i++) {
		wrmsr(page_msrs[i], gpa(place) | 1);
		((volatile u32 *)place)[512] = MARK + i;
		wrmsr(page_msrs[i], gpa(place));
	}
}

/* places them, or takes them away, in the order that @number says, looking each time: errors */
static u32 move_all(u32 number, bool place_them)
{
	u32 there = place_them ? 0 : (1u << PAGES) - 1, moved = 0, wrong = 0;

	for (u32 left = PAGES; left; number /= left, left--) {
		u32 nth = number % left, which = 0;

		while (moved & 1u << which || nth--)
			which++;
		wrmsr(page_msrs[which], gpa(place) | place_them);
		moved |= 1u << which;
		there ^= 1u << which;
		wrong += !right_one_seen(there);
	}
	return wrong;
}

CASE(hv_pages_on_top, G_OVID_ONLY, 1)
{
	u32 wrong = 0, changed = 0;

	for (u32 i = 0; i < 1024; i++)
		((volatile u32 *)place)[i] = 0x5a5a0000 + i;
	((volatile u32 *)place)[512] = MARK + PAGES;
	wrmsr(MSR_GUEST_OS_ID, ME);
	mark_all();
	for (u32 number = 0; number < 120; number++) {
		wrong += move_all(number, true);
		wrong += move_all(number * 7 % 120, false);
	}
	is_(wrong, 0, "five pages at one place, placed and taken away in each order: the same one is seen");
	for (u32 i = 0; i < 1024; i++)
		changed += i != 512 && ((volatile u32 *)place)[i] != 0x5a5a0000 + i;
	is_(changed, 0, "the memory beneath is as it was");
}

/* over a device, or where nothing is: messages come, and the device sees nothing of it */
CASE(hv_simp_anywhere, G_OVID_ONLY, 1)
{
	static const ulong at[] = { G_MMIO, NOWHERE, G_RAM, 0xfed40000 };
	u64 accesses;

	open_synic(place);
	wrmsr(MSR_CONFIG(0), AUTO | SINT(2));
	host->answer = 0x1122334455667788ull;
	for (u32 i = 0; i < 4; i++) {
		volatile struct message *m = (void *)(at[i] + 2 * sizeof(*m));

		accesses = host->accesses;
		wrmsr(MSR_SIMP, at[i] | 1);
		is(m->type, 0);
		wrmsr(MSR_COUNT(0), 1 + i);
		sti_nop();
		is(m->type, TIMER_EXPIRED);
		is(m->payload[1], 1 + i);
		is(irqs[0x42], i + 1);
		m->type = 0;
		is_(host->accesses, accesses, "the device sees nothing");
		wrmsr(MSR_SIMP, at[i]);
		is_(m->type, 0x55667788, "the device again, or nothing");
		is(host->accesses, accesses + 1);
	}
	is_(wr(MSR_SIMP, 1ull << 52 | 1), GP, "beyond what addresses there can be");
	is_(rdmsr(MSR_SIMP), at[3], "what was refused changes nothing");
}

/* ---- where inputs are ---- */

static u64 call_at(u64 control, u64 at)
{
	return vmcall(control, at, 0);
}

/* a flush of nobody: 24 bytes of zeros */
CASE(hv_input_edges, G_OVID_ONLY, 1)
{
	u64 accesses;

	open_hypercalls();
	accesses = host->accesses;
	is_(call_at(CALL_FLUSH, gpa(input) + 4096 - 24), SUCCESS, "up to the end of a page");
	is_(call_at(CALL_FLUSH, gpa(input) + 4096 - 16), INVALID_ALIGNMENT, "across it");
	is_(call_at(CALL_FLUSH_LIST | REPS(1), gpa(input) + 4096 - 32), REPS(1), "a list");
	is_(call_at(CALL_FLUSH_LIST | REPS(2), gpa(input) + 4096 - 32), INVALID_ALIGNMENT,
	    "a longer one");
	is_(call_at(CALL_FLUSH, G_RAM - 24), SUCCESS, "up to the end of memory");
	is_(call_at(CALL_FLUSH, G_RAM - 16), INVALID_ALIGNMENT, "beyond it");
	is_(call_at(CALL_FLUSH, G_RAM), INVALID_INPUT, "right behind it");
	is_(call_at(CALL_FLUSH, NOWHERE + 8), INVALID_INPUT, "where nothing is");
	is_(call_at(CALL_FLUSH, NOWHERE + 4), INVALID_ALIGNMENT, "not aligned there");
	is_(call_at(CALL_FLUSH, G_MMIO), INVALID_INPUT, "a device");
	is_(call_at(CALL_FLUSH, APIC), INVALID_INPUT, "the APIC");
	is_(call_at(CALL_FLUSH, 1ull << 45), INVALID_INPUT, "no such address");
	is_(call_at(CALL_FLUSH, 1ull << 63), INVALID_INPUT, "none at all");
	is_(call_at(CALL_FLUSH, ~0ull << 3), INVALID_ALIGNMENT, "over the end of all addresses");
	is_(call_at(CALL_SPIN, NOWHERE), INVALID_INPUT, "a hint is an input too");
	is_(call_at(0x7777, NOWHERE + 4), INVALID_CODE, "which call, before where");
	is_(call_at(CALL_FLUSH | REPS(1), NOWHERE + 4), INVALID_INPUT, "the form, before where");
	is_(call_at(CALL_FLUSH, G_ROM), SUCCESS, "memory that is only read");
	is_(host->accesses, accesses, "no device saw an access");
}

/* pages of the hypervisor are memory to it */
CASE(hv_input_in_pages, G_OVID_ONLY, 1)
{
	volatile u64 *in = (void *)(ulong)G_MMIO;

	open_hypercalls();
	handlers[0x41] = irq_count;
	wrmsr(MSR_ASSIST, G_MMIO | 1);
	in[0] = 0x41;
	in[1] = 1;
	is(call_at(CALL_IPI, G_MMIO), SUCCESS);
	sti_nop();
	is_(irqs[0x41], 1, "an IPI by an input in the assist page");
	/* 0xcc...: flags that nobody knows */
	is(call_at(CALL_FLUSH, gpa(call_page) + 64), INVALID_PARAMETER);
}

/* ---- input in XMM registers ---- */

static void sse_on(void)
{
	WR("cr4", cr4() | 0x600);
}

static u64 xmm_call(u64 control)
{
	asm volatile("movups (%0), %%xmm0; movups 16(%0), %%xmm1; movups 32(%0), %%xmm2;"
		     "movups 48(%0), %%xmm3; movups 64(%0), %%xmm4; movups 80(%0), %%xmm5"
		     : : "r"(input + 2) : "memory");
	return vmcall(control | FAST, input[0], input[1]);
}

static u32 arrived(u32 vp)
{
	(void)wait_for(got[vp][0x41]);
	return got[vp][0x41];
}

static void forget(void)
{
	for (u32 i = 0; i < 256; i++)
		got[i][0x41] = 0;
}

/* all words of it, banks of VPs that are not there between those that are */
static u64 ipi_to(u64 valid, u32 nr, u64 bank0, u64 bank1, u64 bank2, u64 bank3)
{
	input[0] = 0x41;
	input[1] = 0;
	input[2] = valid;
	input[3] = bank0;
	input[4] = bank1;
	input[5] = bank2;
	input[6] = bank3;
	forget();
	return xmm_call(CALL_IPI_EX | BANKS(nr));
}

/* VPs 0, 1 and 130, which is bit 2 of bank 2 */
CASE(hv_xmm_ipi, G_OVID_ONLY | G_FAR, 3)
{
	sse_on();
	open_hypercalls();
	handlers[0x41] = count;
	handlers[0x43] = count;
	ap_start(1, ap_idle);
	ap_start(G_FAR_VP, ap_idle);
	check(wait_for(at_work == 2));
	is(ipi_to(0x7, 3, 2, ~0ull, 4, 0), SUCCESS);
	is_(arrived(1), 1, "VP 1, of bank 0");
	is_(arrived(G_FAR_VP), 1, "VP 130, of bank 2");
	is(ipi_to(0x4, 1, 4, 0, 0, 0), SUCCESS);
	is_(arrived(G_FAR_VP), 1, "bank 2 alone");
	is(got[1][0x41], 0);
	/* a bank that is missing moves none of those behind it: 4 is VP 194 here */
	is(ipi_to(0x9, 2, 2, 4, 0, 0), SUCCESS);
	is(arrived(1), 1);
	is(ipi_to(0x8000000000000005ull, 3, 0, 4, ~0ull, 0), SUCCESS);
	is_(arrived(G_FAR_VP), 1, "beside a bank that can have no VPs");
	is(got[1][0x41], 0);
	is(ipi_to(0xf, 4, 2, 0, 4, 0), SUCCESS);
	is(arrived(1) + arrived(G_FAR_VP), 2);
	is_(ipi_to(0x7, 2, 2, 0, 4, 0), INVALID_INPUT, "three banks, two said");
	is_(ipi_to(0x3, 3, 2, 0, 4, 0), INVALID_INPUT, "two banks, three said");
	/* 24 bytes and eleven banks fill all registers */
	is(ipi_to(0x7ff, 11, 2, 0, 4, 0), SUCCESS);
	is(arrived(1) + arrived(G_FAR_VP), 2);
	is_(ipi_to(0xfff, 12, 2, 0, 4, 0), INVALID_INPUT, "more than registers hold");
	input[0] = 0x43;
	input[1] = 1;
	input[2] = 0;
	is(xmm_call(CALL_IPI_EX), SUCCESS);
	check(wait_for(got[1][0x43] && got[G_FAR_VP][0x43]));
	sti_nop();
	is_(got[0][0x43], 1, "all, this one too");
	is_(got[0][0x41], 0, "nothing else came here");
}

/* a mapping of its own at 512 GiB */
#define WINDOW	0x8000000000ul
static u64 tables[3][512] __attribute__((aligned(4096)));
static u8 pages[2][4096] __attribute__((aligned(4096)));
static volatile u32 seen, turn;

static void map_window(const void *page)
{
	((u64 *)cr3())[WINDOW >> 39 & 511] = gpa(tables[0]) | 3;
	tables[0][0] = gpa(tables[1]) | 3;
	tables[1][0] = gpa(tables[2]) | 3;
	*(volatile u64 *)&tables[2][0] = gpa(page) | 3;
}

static void ap_look(void)
{
	at_work = 1;
	while (!stop) {
		seen = *(volatile u8 *)WINDOW;
		turn++;
	}
	at_work = 2;
}

/* the VP looks at the other page from when the call @control, by XMM, has returned */
static bool flushed(u64 control, u64 result)
{
	static u32 which;
	u32 t;

	which ^= 1;
	map_window(pages[which]);
	if (xmm_call(control) != result)
		return false;
	t = turn;
	return wait_for(turn > t + 1) && seen == 1 + which;
}

CASE(hv_xmm_flush, G_OVID_ONLY | G_FAR, 2)
{
	u32 bad = 0;

	sse_on();
	open_hypercalls();
	pages[0][0] = 1;
	pages[1][0] = 2;
	map_window(pages[0]);
	ap_start(G_FAR_VP, ap_look);
	check(wait_for(at_work == 1 && seen == 1));
	input[0] = cr3();
	input[1] = 0;
	input[2] = 0;
	input[3] = 0x6;		/* banks 1 and 2: VP 130 is bit 2 of the second */
	input[4] = 0;
	input[5] = 4;
	input[6] = WINDOW;
	input[7] = WINDOW + 4096;
	for (u32 i = 0; i < 10; i++) {
		bad += !flushed(CALL_FLUSH_EX | BANKS(2), SUCCESS);
		bad += !flushed(CALL_FLUSH_LIST_EX | BANKS(2) | REPS(2), SUCCESS | REPS(2));
	}
	is_(bad, 0, "VP 130 forgets its translations before the call returns");
	input[3] = 0x3ff;
	is_(xmm_call(CALL_FLUSH_EX | BANKS(10)), SUCCESS, "ten banks fill all registers");
	input[3] = 0x7ff;
	is(xmm_call(CALL_FLUSH_EX | BANKS(11)), INVALID_INPUT);
	input[3] = 0x1;
	is_(xmm_call(CALL_FLUSH_LIST_EX | BANKS(1) | REPS(9)), SUCCESS | REPS(9), "nine elements");
	is(xmm_call(CALL_FLUSH_LIST_EX | BANKS(1) | REPS(10)), INVALID_INPUT);
	stop = 1;
	check(wait_for(at_work == 2));
}

/* ---- ends ---- */

static void ap_reset(void)
{
	at_work = 1;
	wrmsr(MSR_RESET, 1);
	at_work = 2;
	for (;;)
		pause_();
}

CASE(hv_reset, G_OVID_ONLY | G_END_RESET, 1)
{
	wrmsr(MSR_RESET, 0);
	wrmsr(MSR_RESET, ~1ull);
	is_(rdmsr(MSR_RESET), 0, "the other bits do nothing");
	wrmsr(MSR_RESET, 1);
	check(!"it went on after its reset");
}

CASE(hv_reset_by_another, G_OVID_ONLY | G_END_RESET, 2)
{
	apic_enable();
	ap_start(1, ap_reset);
	check(wait_for(at_work == 1));
	check(!wait_for(at_work == 2));
}

/* a crash is reported; it is the worker who says what comes then */
CASE(hv_crash_report, G_OVID_ONLY, 1)
{
	wrmsr(MSR_CRASH_P0, 0xdead);
	wrmsr(MSR_CRASH_CTL, 1ull << 62);
	is_(host->crashes, 0, "a message alone is no report");
	wrmsr(MSR_CRASH_CTL, 1ull << 63);
	is(host->crashes, 1);
	is(rdmsr(MSR_CRASH_P0), 0xdead);
}
