// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_fuzz.c - random hypercalls and synthetic MSRs, from several VPs at once and with
 * interrupts on.
 *
 * What a VP does follows from the seed and its number alone: it never looks at an
 * answer, or at what another VP left, to decide what comes next.  Values that are times
 * are near the time it is then.
 *
 * Left out, since this guest would end or wait for ever: bit 0 of the reset MSR, INIT
 * and SIPI, the lock bit of the hypercall page, which others would miss to the end,
 * and pages of the hypervisor, the APIC or outputs over what the guest runs by.  Waiting
 * (guest idle, HLT) is done with a periodic timer running.  It goes on after a report of
 * a crash.
 */
#include "fuzz.h"

#define GP		13
#define PF		14
#define MSR_TSC		0x10
#define MSR_TSC_ADJUST	0x3b
#define NOWHERE		0x3000000ul	/* above memory, below devices */

/*
 * Where pages are placed: eight pages of memory.  The upper four are never stored to, so
 * that what is beneath must be as it was in the end.
 */
#define ARENA		0x1000000ul
#define ARENA_PAGES	8
#define QUIET		(ARENA + ARENA_PAGES / 2 * PAGE)
#define PATTERN(i)	((i) * 0x9e3779b97f4a7c15ull)

/* mapped by tables that nobody needs, so pages can be placed over them */
#define WINDOW		0x8000000000ul
static u64 tables[3][512] __attribute__((aligned(4096)));

static struct fuzz fuzzers[MAX_FUZZERS];
static u64 rooms[MAX_FUZZERS][2 * 512] __attribute__((aligned(4096)));
static volatile u32 ready, finished;

static u64 now(void)
{
	return rdmsr(MSR_TIME);
}

/* ---- memory ---- */

/* where a page may be placed */
static u64 place(struct fuzz *f)
{
	switch (any(f) % 32) {
	case 0:
		return G_MMIO;
	case 1:
		return NOWHERE;
	case 2:
		return G_ROM;
	case 3:
	case 4:
		return (ulong)pick(f, tables);
	case 5:
		return APIC;
	case 6:
		return 1ull << (32 + any(f) % 32);
	default:
		return ARENA + any(f) % ARENA_PAGES * PAGE;
	}
}

/* no memory, or none that is the guest's own */
static u64 bad_address(struct fuzz *f)
{
	u64 at = any(f) % 512 * 8;

	switch (any(f) % 8) {
	case 0:
		return G_RAM + at;
	case 1:
		return NOWHERE + at;
	case 2:
		return G_MMIO + at;
	case 3:
		return APIC + at;
	case 4:
		return G_ROM + at;
	case 5:
		return (ulong)tables + at;
	case 6:
		return ~0ull - any(f) % PAGE;
	default:
		return whole(f);
	}
}

/* where an output cannot hurt this guest: no address by chance */
static u64 output_address(struct fuzz *f, u64 input)
{
	static const u64 at[] = { G_MMIO, NOWHERE, G_ROM, APIC, G_RAM - 8, 1ull << 45 };

	switch (any(f) % 4) {
	case 0:
		return input >= (ulong)f->room && input < (ulong)f->room + PAGE ? input :
										   (ulong)f->room;
	case 1:
		return pick(f, at);
	case 2:
		return (ulong)pick(f, tables) + any(f) % 512 * 8;
	default:
		return ARENA + any(f) % (ARENA_PAGES / 2) * PAGE + any(f) % 512 * 8;
	}
}

static void put_words(struct fuzz *f, u64 at, u32 bytes)
{
	for (u32 i = 0; i < (bytes + 7) / 8; i++)
		fz_store(at + i * 8, f->words[i]);
}

/* puts the input somewhere */
static u64 input_address(struct fuzz *f, u32 bytes)
{
	u32 size = (bytes + 7) & ~7u;
	u64 at = (ulong)f->room;

	switch (any(f) % 16) {
	case 0:				/* up to the end of a page */
		at += PAGE - size;
		break;
	case 1:				/* across it */
		at += PAGE - size + 8;
		break;
	case 2:				/* up to the end of memory, which all VPs use */
		at = G_RAM - size;
		break;
	case 3:
		at = G_RAM - size;
		put_words(f, at, size);
		return G_ROM + PAGE - size;
	case 4:				/* in a page that may be the hypervisor's */
		at = ARENA + any(f) % (ARENA_PAGES / 2) * PAGE;
		break;
	case 5:
		return at + any(f) % PAGE;
	case 6:
	case 7:
		return bad_address(f);
	default:
		at += any(f) % (PAGE - size + 8) & ~7ull;
	}
	put_words(f, at, size);
	return at;
}

static void touch(struct fuzz *f)
{
	/* of the window's pages one is mapped, until something comes over its tables */
	static const u64 load[] = { WINDOW, WINDOW, WINDOW + PAGE, G_ROM, G_MMIO, NOWHERE };
	u64 at = any(f) % 512 * 8, v = odd(f);

	f->touches++;
	switch (any(f) % 4) {
	case 0:
		fz_load(pick(f, load) + at);
		break;
	case 1:
		fz_store(G_ROM + at, v);
		break;
	case 2:
		fz_load(ARENA + any(f) % ARENA_PAGES * PAGE + at);
		break;
	default:
		fz_store(ARENA + any(f) % (ARENA_PAGES / 2) * PAGE + at, v);
	}
}

/* ---- hypercalls ---- */

static const struct shape {
	const char *name;
	u16 code, header;	/* bytes */
	u8 rep;			/* bytes of an element, or 0 */
	bool banks;
	u16 often;		/* it must succeed once in so many operations; 0: need not */
} shapes[] = {
	{ "flushes", CALL_FLUSH, 24, 0, false, 512 },
	{ "flushes of a list", CALL_FLUSH_LIST, 24, 8, false, 512 },
	{ "long spin waits", CALL_SPIN, 8, 0, false, 512 },
	{ "IPIs", CALL_IPI, 16, 0, false, 512 },
	{ "flushes of a set", CALL_FLUSH_EX, 32, 0, true, 512 },
	{ "flushes of a set's list", CALL_FLUSH_LIST_EX, 32, 8, true, 512 },
	{ "IPIs to a set", CALL_IPI_EX, 24, 0, true, 512 },
	{ "get registers", CALL_GET_REGS, 16, 4, false, 4096 },
	{ "set registers", CALL_SET_REGS, 16, 32, false, 4096 },
	{ "post message", CALL_POST_MESSAGE, 256, 0, false, 0 },
	{ "signal event", CALL_SIGNAL_EVENT, 8, 0, false, 0 },
};

/* by name, the synthetic MSRs that are no page: nothing that makes up this guest's state */
static u32 register_name(struct fuzz *f)
{
	static const u32 names[] = { 0x90000, 0x90003, 0x90004, 0xa0000, 0xa0010, 0xa0011,
				     0xa0014, 0xb0000, 0xb0001, 0x100, 0x210 };

	return pick(f, names);
}

static void fill_registers(struct fuzz *f, const struct shape *s, u32 reps)
{
	u64 *w = f->words;

	w[0] = ~0ull;			/* this partition */
	w[1] = any(f) & 1 ? 0xfffffffeu : any(f) % MAX_FUZZERS;
	for (u32 i = 0; i < reps; i++) {
		if (s->code == CALL_GET_REGS) {
			((u32 *)(w + 2))[i] = register_name(f);
			continue;
		}
		w[2 + 4 * i] = register_name(f);
		w[3 + 4 * i] = 0;
		w[5 + 4 * i] = 0;	/* the upper half of a value */
	}
}

/* an input that is right for the call */
static void fill(struct fuzz *f, const struct shape *s, u32 banks, u32 reps, u32 bytes)
{
	u64 *w = f->words;

	for (u32 i = 0; i < (bytes + 7) / 8; i++)
		w[i] = odd(f);
	switch (s->code) {
	case CALL_FLUSH:
	case CALL_FLUSH_LIST:
		w[0] = cr3();
		w[1] = any(f) & 3;
		break;
	case CALL_FLUSH_EX:
	case CALL_FLUSH_LIST_EX:
		w[0] = cr3();
		w[1] = any(f) & 3;
		w[2] = one_in(f, 4);	/* all, or a set */
		w[3] = bits(f, banks);
		break;
	case CALL_IPI:
		w[0] = vector(f);
		break;
	case CALL_IPI_EX:
		w[0] = vector(f);
		w[1] = one_in(f, 4);
		w[2] = bits(f, banks);
		break;
	case CALL_GET_REGS:
	case CALL_SET_REGS:
		fill_registers(f, s, reps);
		break;
	case CALL_POST_MESSAGE:
		w[0] = any(f) % 16;
		w[1] = (u64)(any(f) % 241) << 32 | 1;
		break;
	}
}

static void judge(struct fuzz *f, u64 control, u64 result)
{
	u32 reps = DONE(control);
	bool bad = result & ~0xfff0000ffffull || DONE(result) > reps || STATUS(result) > 255;

	f->status[STATUS(result) & 255]++;
	if (STATUS(result) == SUCCESS) {
		bad = bad || DONE(result) != reps;
		f->good[control & 255]++;
	}
	if (bad && !f->wrong++)
		is_(result, control, "an answer that no call can give (want: the control word)");
}

static void issue(struct fuzz *f, u64 control, u64 in, u64 out)
{
	struct result r;

	f->ops++;
	f->calls++;
	r = fz_call(control, in, out, f->words + 2);
	if (!r.fault)
		judge(f, control, r.value);
}

/* a well-formed call; then, often, one thing that is wrong */
static void shaped_call(struct fuzz *f)
{
	const struct shape *s = &pick(f, shapes);
	u32 banks = s->banks ? any(f) % 9 : 0;
	u32 reps = s->rep ? 1 + any(f) % (one_in(f, 8) ? 4095 : 8) : 0;
	u32 bytes = s->header + banks * 8 + reps * s->rep;
	u64 control = s->code | BANKS(banks) | REPS(reps) | START(reps ? any(f) % reps : 0);
	u64 at;

	if (bytes > PAGE)
		bytes = PAGE;
	fill(f, s, banks, s->rep ? (bytes - s->header) / s->rep : 0, bytes);
	if (one_in(f, 4))
		control ^= 1ull << any(f) % 64;
	if (one_in(f, 4))
		f->words[any(f) % (s->header / 8)] = odd(f);
	if (bytes <= XMM_WORDS * 8 && any(f) & 1) {
		issue(f, control | FAST, f->words[0], f->words[1]);
		return;
	}
	at = input_address(f, bytes);
	issue(f, control, at, output_address(f, at));
}

static void call(struct fuzz *f)
{
	u64 control;

	switch (any(f) % 16) {
	case 0:
		control = whole(f);
		break;
	case 1:
		control = any(f) & (0xff | FAST);
		break;
	case 2:				/* extended calls */
		control = (0x8001 + any(f) % 3) | (any(f) & FAST) | REPS(any(f) & 1);
		break;
	case 3:
		control = any(f) & 0xffff;
		break;
	default:
		shaped_call(f);
		return;
	}
	/* registers are set by names that fill_registers() knows to be harmless */
	if ((u16)control == CALL_SET_REGS)
		control ^= 1;
	for (u32 i = 0; i < XMM_WORDS; i++)
		f->words[i] = odd(f);
	issue(f, control, f->words[0], output_address(f, 0));
}

/* ---- MSRs ---- */

static const u32 page_msrs[] = { MSR_HYPERCALL, MSR_TSC_PAGE, MSR_ASSIST, MSR_SIEFP, MSR_SIMP };

static bool is_page_msr(u32 msr)
{
	for (u32 i = 0; i < ARRAY_SIZE(page_msrs); i++)
		if (page_msrs[i] == msr)
			return true;
	return false;
}

/* what must not be written: see the head */
static u64 tame(struct fuzz *f, u32 msr, u64 v)
{
	if (msr == MSR_RESET)
		return v & ~1ull;
	if (is_page_msr(msr))
		v = (v & 0xffd) | place(f);
	if ((msr == MSR_HV_ICR || msr == X2APIC(0x300)) && ((v >> 8 & 7) == 5 || (v >> 8 & 7) == 6))
		v &= ~0x700ull;
	return v;
}

static void write_msr(struct fuzz *f, u32 msr, u64 v)
{
	f->ops++;
	f->writes++;
	fz_wrmsr(msr, tame(f, msr, v));
}

static void read_msr(struct fuzz *f, u32 msr)
{
	struct result r;
	u64 last = f->last_time;

	if (msr == MSR_IDLE)
		return;
	f->ops++;
	f->reads++;
	r = fz_rdmsr(msr);
	if (r.fault)
		return;
	if (msr == MSR_TIME)
		f->last_time = r.value;
	if ((msr == MSR_TIME && r.value < last) || (msr == MSR_VP_INDEX && r.value != f->index) ||
	    (msr == MSR_SVERSION && r.value != 1)) {
		if (!f->wrong++)
			is_(r.value, msr, "a value that this MSR cannot have (want: the MSR)");
	}
}

static void read_any(struct fuzz *f)
{
	static const u32 often[] = { MSR_TIME, MSR_VP_INDEX, MSR_SVERSION, MSR_SIMP, MSR_EOM,
				     APIC_BASE_MSR, MSR_TSC, MSR_DEADLINE };

	switch (any(f) % 4) {
	case 0:
		read_msr(f, pick(f, often));
		break;
	case 1:
		read_msr(f, X2APIC(0) + any(f) % 0x100);
		break;
	case 2:
		read_msr(f, MSR_GUEST_OS_ID + any(f) % 0x200);
		break;
	default:
		read_msr(f, MSR_GUEST_OS_ID - 16 + any(f) % 0x400);
	}
}

static u64 near_time(struct fuzz *f)
{
	switch (any(f) % 8) {
	case 0:
		return 0;
	case 1:
		return 1 + any(f) % 2000;
	case 2:
		return odd(f);
	case 3:
		return now() - any(f) % 1000;
	default:
		return now() + any(f) % 4000;
	}
}

static void write_timer(struct fuzz *f)
{
	u32 n = any(f) % 4;
	u64 config = (any(f) & (ENABLE | PERIODIC | AUTO | DIRECT)) | VECTOR(vector(f)) |
		     SINT(any(f) % 16);

	if (one_in(f, 8))
		config = odd(f);
	if (any(f) & 1)
		write_msr(f, MSR_CONFIG(n), config);
	write_msr(f, MSR_COUNT(n), near_time(f));
	if (any(f) & 1)
		write_msr(f, MSR_CONFIG(n), config | ENABLE);
}

static void write_apic_base(struct fuzz *f)
{
	u64 v = any(f) & (BASE_ENABLE | BASE_X2APIC | BASE_BSP);

	/* over memory it would not be seen, and where stores go one might send anything */
	switch (any(f) % 8) {
	case 0:
		v |= G_MMIO;
		break;
	case 1:
		v = odd(f) | 1ull << 60;
		break;
	default:
		v |= APIC;
	}
	write_msr(f, APIC_BASE_MSR, v);
}

static void write_x2apic(struct fuzz *f)
{
	switch (any(f) % 4) {
	case 0:				/* an IPI */
		write_msr(f, X2APIC(0x300), (u64)(any(f) % MAX_FUZZERS) << 32 | vector(f) |
			  (any(f) & 0xc4f00));
		break;
	case 1:
		write_msr(f, X2APIC(0x3f0), vector(f));
		break;
	default:
		write_msr(f, X2APIC(0) + any(f) % 0x100, odd(f));
	}
}

static void write_synic(struct fuzz *f)
{
	switch (any(f) % 4) {
	case 0:
		write_msr(f, MSR_SCONTROL, !one_in(f, 8));
		break;
	case 1:				/* a flood */
		for (u32 n = any(f) % 32; n; n--)
			write_msr(f, MSR_EOM, odd(f));
		break;
	case 2:
		write_msr(f, MSR_SINT(any(f) % 16), odd(f));
		break;
	default:			/* masked, auto-EOI, polling: now and then */
		write_msr(f, MSR_SINT(any(f) % 16), vector(f) | (any(f) & any(f) & 7) << 16);
	}
}

static void write_any(struct fuzz *f)
{
	static const u32 apic[] = { MSR_HV_EOI, MSR_HV_ICR, MSR_HV_TPR };
	static const u32 tsc[] = { MSR_TSC, MSR_TSC_ADJUST, MSR_DEADLINE };

	switch (any(f) % 8) {
	case 0:
		write_msr(f, MSR_GUEST_OS_ID, one_in(f, 8) ? odd(f) : ME);
		break;
	case 1:
		write_msr(f, pick(f, apic), odd(f));
		break;
	case 2:
		write_msr(f, pick(f, tsc), any(f) & 1 ? rdtsc() + any(f) % 1000000 : odd(f));
		break;
	case 3:
		write_msr(f, MSR_CRASH_P0 + any(f) % 6, odd(f));
		break;
	case 4:
		write_msr(f, MSR_GUEST_OS_ID - 16 + any(f) % 0x400, odd(f));
		break;
	default:
		write_msr(f, MSR_GUEST_OS_ID + any(f) % 0x200, odd(f));
	}
}

static void write_page(struct fuzz *f)
{
	u64 v = !one_in(f, 4);

	if (one_in(f, 8))
		v = odd(f);
	write_msr(f, pick(f, page_msrs), v);
}

/* calls are possible again */
static void open_hypercalls(struct fuzz *f)
{
	write_msr(f, MSR_GUEST_OS_ID, ME);
	write_msr(f, MSR_HYPERCALL, 1);
}

/* ---- waiting ---- */

static void wait(struct fuzz *f)
{
	fuzz_fresh_apic();
	wrmsr(X2APIC(0x3e0), 0xb);
	wrmsr(X2APIC(0x320), 0x20000 | vector(f));
	wrmsr(X2APIC(0x380), 1000);
	f->ops++;
	f->waits++;
	if (any(f) & 1)
		rdmsr(MSR_IDLE);
	else
		asm volatile("hlt" ::: "memory");
	wrmsr(X2APIC(0x320), 0x10000 | APIC_SPURIOUS);
}

/* ---- a VP from start to end ---- */

static void step(struct fuzz *f)
{
	u32 r = any(f) % 64;

	f->irqs_at = f->irqs;
	if (r < 32)
		call(f);
	else if (r < 38)
		read_any(f);
	else if (r < 42)
		write_page(f);
	else if (r < 46)
		write_timer(f);
	else if (r < 49)
		write_synic(f);
	else if (r < 52)
		write_x2apic(f);
	else if (r < 53)
		write_apic_base(f);
	else if (r < 57)
		write_any(f);
	else if (r < 58)
		wait(f);
	else if (r < 60)
		open_hypercalls(f);
	else
		touch(f);
}

/* no more timers, messages and pages of its own */
static void end(void)
{
	for (u32 i = 0; i < 4; i++)
		wrmsr(MSR_CONFIG(i), 0);
	wrmsr(MSR_SCONTROL, 0);
	wrmsr(MSR_SIMP, 0);
	wrmsr(MSR_SIEFP, 0);
	wrmsr(MSR_ASSIST, 0);
	wrmsr(MSR_DEADLINE, 0);
	fuzz_fresh_apic();
}

static void fuzz(u32 index)
{
	struct fuzz *f = &fuzzers[index];

	f->room = rooms[index];
	fuzz_begin(f, index);
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	while (ready < host->vps)
		pause_();
	sti();
	while (!host->stop && (!host->count || f->ops < host->count))
		step(f);
	end();
	__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
	while (finished < host->vps)
		pause_();
}

static void other_vp(void)
{
	fuzz(rdmsr(MSR_VP_INDEX));
	for (;;)
		pause_();
}

/* ---- what came of it ---- */

static struct fuzz sum;

static void add(u32 *to, const u32 *from, u32 n)
{
	for (u32 i = 0; i < n; i++)
		to[i] += from[i];
}

static void add_up(void)
{
	for (u32 i = 0; i < host->vps; i++) {
		const struct fuzz *f = &fuzzers[i];

		sum.ops += f->ops;
		sum.calls += f->calls;
		sum.reads += f->reads;
		sum.writes += f->writes;
		sum.touches += f->touches;
		sum.waits += f->waits;
		sum.irqs += f->irqs;
		sum.nmis += f->nmis;
		sum.wrong += f->wrong;
		add(sum.status, f->status, 256);
		add(sum.good, f->good, 256);
		add(sum.faults, f->faults, 32);
		add(sum.vectors, f->vectors, 256);
	}
}

static u32 distinct(const u32 *counts, u32 n)
{
	u32 seen = 0;

	for (u32 i = 0; i < n; i++)
		seen += !!counts[i];
	return seen;
}

static void tell(void)
{
	note("hypercalls", sum.calls);
	note("MSR reads", sum.reads);
	note("MSR writes", sum.writes);
	note("loads and stores", sum.touches);
	note("waits", sum.waits);
	note("interrupts", sum.irqs);
	note("vectors of them", distinct(sum.vectors, 256));
	note("NMIs", sum.nmis);
	note("reports of a crash", host->crashes);
	note("#GP", sum.faults[GP]);
	note("#PF", sum.faults[PF]);
	note("statuses", distinct(sum.status, 256));
	note("of them SUCCESS", sum.status[SUCCESS]);
	note("... INVALID_CODE", sum.status[INVALID_CODE]);
	note("... INVALID_INPUT", sum.status[INVALID_INPUT]);
	note("... INVALID_ALIGNMENT", sum.status[INVALID_ALIGNMENT]);
	note("... INVALID_PARAMETER", sum.status[INVALID_PARAMETER]);
	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++)
		note(shapes[i].name, sum.good[shapes[i].code]);
}

/* each class really happened */
static void assess(void)
{
	u64 n = sum.ops;

	is_(sum.wrong, 0, "every answer was one that there can be");
	check(sum.calls >= n / 4);
	check(sum.reads >= n / 32);
	check(sum.writes >= n / 8);
	check(sum.faults[GP] >= n / 64);
	check(sum.faults[PF] >= n / 1024);
	check(sum.irqs >= n / 64);
	check(distinct(sum.vectors, 256) >= 32);
	check(distinct(sum.status, 256) >= 7);
	check(sum.status[SUCCESS] >= n / 32);
	check(sum.status[INVALID_CODE] >= n / 32);
	check(sum.status[INVALID_INPUT] >= n / 64);
	check(sum.status[INVALID_ALIGNMENT] >= n / 256);
	check(sum.status[INVALID_PARAMETER] >= n / 256);
	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++)
		if (shapes[i].often)
			check_(sum.good[shapes[i].code] > n / shapes[i].often, __LINE__,
			       sum.good[shapes[i].code], n / shapes[i].often, shapes[i].name);
}

/* the memory beneath the pages, and the other VPs, are as they were */
static void unharmed(void)
{
	u32 changed = 0, before;

	wrmsr(MSR_TSC_PAGE, 0);
	wrmsr(MSR_GUEST_OS_ID, ME);
	wrmsr(MSR_HYPERCALL, (ulong)rooms | 1);
	for (u32 i = 0; i < ARENA_PAGES / 2 * PAGE / 8; i++)
		changed += ((u64 *)QUIET)[i] != PATTERN(i);
	is_(changed, 0, "memory beneath the pages is as it was");
	for (u32 i = 0; i < host->vps; i++) {
		before = fuzzers[i].vectors[0x77];
		is(vmcall(CALL_IPI | FAST, 0x77, 1ull << i), SUCCESS);
		check(wait_for(((volatile u32 *)fuzzers[i].vectors)[0x77] != before));
	}
}

static void fuzz_all(void)
{
	fuzz_take_everything();
	for (u32 i = 0; i < ARENA_PAGES / 2 * PAGE / 8; i++)
		((u64 *)QUIET)[i] = PATTERN(i);
	((u64 *)cr3())[WINDOW >> 39 & 511] = (ulong)tables[0] | 7;
	tables[0][0] = (ulong)tables[1] | 7;
	tables[1][0] = (ulong)tables[2] | 7;
	tables[2][0] = ARENA | 7;
	apic_enable();
	for (u32 i = 1; i < host->vps; i++)
		ap_start(i, other_vp);
	fuzz(0);
	unharmed();
	add_up();
	tell();
	assess();
}

CASE(fuzz_two_vps, G_OVID_ONLY | G_FUZZ, 2)
{
	fuzz_all();
}

CASE(fuzz_four_vps, G_OVID_ONLY | G_FUZZ, 4)
{
	fuzz_all();
}
