// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_vmbushostile.c - VMBus spoken wrongly, by two VPs: messages with any field changed,
 * rings whose indexes and packets change while the host works on them, the pages of the
 * SynIC on top of them, offers that come and go.
 *
 * What a VP does follows from the seed and its number alone; most of it is nearly right,
 * so that the host gets far with it.  The relids are guessed: they are the first ones.
 * In the end an honest guest must find the bus as if nothing had been.
 */
#include "fuzz.h"
#include "vmbus.h"

#define VPS		2
#define RELIDS		G_CHANNELS
#define RING		8ul			/* pages, of both rings of a channel */
#define HALF		(RING / 2)
#define BYTES		((HALF - 1) * PAGE)	/* of a ring's data */
#define MESSAGE_WORDS	(VMBUS_MSG_BYTES / 4)

static struct fuzz fuzzers[VPS];
static struct {
	u32 connection, zero, type, bytes;
	u32 words[MESSAGE_WORDS];
} inputs[VPS] __attribute__((aligned(4096)));
static u8 call_page[PAGE] __attribute__((aligned(4096)));
static u8 places[VPS][2][PAGE] __attribute__((aligned(4096)));
static volatile u32 ready, finished;

/* what happened, for the end */
static u32 sent[64], taken[64], good[64], signals, packets, moves, offered;

static void count(u32 *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

/* ---- memory ---- */

static u8 *ring_of(u32 relid, bool to_guest)
{
	return ring_memory[0] + ((relid % RELIDS) * RING + to_guest * HALF) * PAGE;
}

static u32 relid(struct fuzz *f)
{
	return one_in(f, 24) ? odd(f) : 1 + any(f) % RELIDS;
}

static u32 gpadl(struct fuzz *f, u32 relid)
{
	return one_in(f, 24) ? odd(f) : relid * 2 + (any(f) & 1);
}

static u64 pfn(struct fuzz *f, u32 relid, u32 page)
{
	static const u64 at[] = { 0xd0000, 0xfee00, 0x3000, G_RAM / PAGE, 0x4000, 1ull << 40 };

	if (one_in(f, 200))
		return one_in(f, 2) ? odd(f) : pick(f, at);
	return gpa(ring_of(relid, false)) / PAGE + page % RING;
}

/* ---- messages ---- */

static u32 make_contact(struct fuzz *f, u32 *m)
{
	static const u32 versions[] = {
		VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V3_0, VMBUS_V4_1, VMBUS_V5_0, VMBUS_V5_3,
		VMBUS_V5_3, VMBUS_V6_0,
	};
	struct vmbus_w_initiate_contact *c = (void *)m;

	c->version = pick(f, versions);
	c->target_vp = one_in(f, 8);
	if (c->version >= VMBUS_V5_0) {
		c->sint = VMBUS_SINT;
		c->features = any(f) & 15;
	} else if (any(f) & 1) {
		c->interrupt_page = gpa(interrupt_page);
	}
	if (any(f) & 1) {
		c->monitor_page1 = gpa(places[0]);
		c->monitor_page2 = gpa(places[1]);
	}
	return sizeof(*c) + (any(f) & 16);
}

static u32 make_gpadl(struct fuzz *f, u32 *m)
{
	struct vmbus_w_gpadl_header *h = (void *)m;
	u64 *words = (u64 *)((u8 *)m + 20);	/* as it is in the message: not aligned */
	u32 pages = one_in(f, 8) ? any(f) % 60 : RING, n;

	h->relid = relid(f);
	h->gpadl = gpadl(f, h->relid);
	h->range_bytes = 8 + pages * 8;
	h->range_count = 1;
	for (n = 0; n <= pages && n < 26; n++) {
		u64 v = n ? pfn(f, h->relid, n - 1) : pages * PAGE;

		memcpy(words + n, &v, 8);
	}
	if (one_in(f, 16))
		h->range_count = any(f) % 4;
	return sizeof(*h) + n * 8;
}

static u32 make_body(struct fuzz *f, u32 *m)
{
	struct vmbus_w_gpadl_body *b = (void *)m;
	u32 n = one_in(f, 4) ? any(f) % 29 : 28, of = relid(f);

	b->gpadl = gpadl(f, of);
	for (u32 i = 0; i < n; i++)
		((u64 *)(b + 1))[i] = pfn(f, of, i);
	return sizeof(*b) + n * 8;
}

static u32 make_open(struct fuzz *f, u32 *m)
{
	struct vmbus_w_open *o = (void *)m;

	o->relid = relid(f);
	o->open_id = any(f);
	o->ring_gpadl = gpadl(f, o->relid);
	o->target_vp = one_in(f, 16) ? odd(f) : any(f) % VPS;
	o->downstream = one_in(f, 4) ? any(f) % (RING + 2) : HALF;
	if (one_in(f, 8))
		o->user[0] = G_USER_REFUSE;
	return sizeof(*o);
}

static u32 make_other(struct fuzz *f, u32 *m, u32 type)
{
	m[2] = relid(f);
	m[3] = type == VMBUS_MODIFY ? any(f) % VPS : gpadl(f, m[2]);
	switch (type) {
	case VMBUS_CLOSE:
	case VMBUS_RELID_RELEASED:
		return 12;
	case VMBUS_GPADL_TEARDOWN:
	case VMBUS_MODIFY:
		return 16;
	case VMBUS_TL_CONNECT:
		m[6] = any(f) & 3;	/* the service: 0 is refused */
		return one_in(f, 2) ? 40 : 56;
	case VMBUS_MODIFY_CONN:
		memset(m + 2, 0, 16);
		return 24;
	default:
		return 8;
	}
}

static u32 make(struct fuzz *f, u32 *m, u32 type)
{
	memset(m, 0, VMBUS_MSG_BYTES);
	m[0] = type;
	switch (type) {
	case VMBUS_INITIATE_CONTACT:
		return make_contact(f, m);
	case VMBUS_GPADL_HEADER:
		return make_gpadl(f, m);
	case VMBUS_GPADL_BODY:
		return make_body(f, m);
	case VMBUS_OPEN:
		return make_open(f, m);
	default:
		return make_other(f, m, type);
	}
}

/* any of it, or with one field changed, or cut */
static u32 spoil(struct fuzz *f, u32 *m, u32 bytes)
{
	u32 n = any(f) % MESSAGE_WORDS;

	switch (any(f) % 16) {
	case 0:
		m[any(f) % (bytes / 4)] = odd(f);
		return bytes;
	case 1:
		((u8 *)m)[any(f) % bytes] ^= 1 << any(f) % 8;
		return bytes;
	case 2:
		return any(f) % (bytes + 1);
	case 3:
		return VMBUS_MSG_BYTES;
	case 4:
		for (u32 i = 0; i < n; i++)
			m[i] = odd(f);
		return n * 4;
	default:
		return bytes;
	}
}

static void post(struct fuzz *f, u32 type, bool honest)
{
	u32 *m = inputs[f->index].words, bytes = make(f, m, type), version = m[2];
	u64 status = 0;

	if (!honest)
		bytes = spoil(f, m, bytes);
	inputs[f->index].connection = one_in(f, 16) ? any(f) % 6 :
		type == VMBUS_INITIATE_CONTACT && version >= VMBUS_V5_0 ? VMBUS_CONN_MESSAGE :
									   VMBUS_CONN_LEGACY;
	inputs[f->index].type = one_in(f, 64) ? odd(f) : VMBUS_MESSAGE_TYPE;
	inputs[f->index].bytes = one_in(f, 64) ? odd(f) : bytes;
	/* a host that is slow just now has no room: once more, but not for ever */
	for (u32 tries = 0; tries < 20; tries++) {
		status = vmcall(CALL_POST_MESSAGE, gpa(&inputs[f->index]), 0);
		if (status != INSUFFICIENT_BUFFERS)
			break;
		nap(1);
	}
	if (status == SUCCESS)
		count(&sent[m[0] & 63]);
}

static void any_message(struct fuzz *f)
{
	static const u8 types[] = {
		VMBUS_REQUEST_OFFERS, VMBUS_OPEN, VMBUS_OPEN, VMBUS_OPEN, VMBUS_OPEN, VMBUS_CLOSE,
		VMBUS_GPADL_HEADER, VMBUS_GPADL_HEADER, VMBUS_GPADL_HEADER, VMBUS_GPADL_HEADER,
		VMBUS_GPADL_BODY, VMBUS_GPADL_TEARDOWN, VMBUS_RELID_RELEASED, VMBUS_TL_CONNECT,
		VMBUS_MODIFY, VMBUS_MODIFY, VMBUS_MODIFY_CONN,
	};

	if (one_in(f, 96))
		post(f, one_in(f, 8) ? VMBUS_UNLOAD : VMBUS_INITIATE_CONTACT, false);
	else
		post(f, one_in(f, 32) ? any(f) % 64 : pick(f, types), false);
}

/* what comes is counted; the slot may be anything, since its page may be a ring's */
static void take(struct fuzz *f)
{
	struct message *slot = (struct message *)((rdmsr(MSR_SIMP) & ~0xfffull) + VMBUS_SINT * 256);
	u32 type;

	if (gpa(slot) >= G_RAM)
		return;
	for (u32 i = any(f) % 64; i && slot->type; i--) {
		type = slot->payload[0] & 63;
		count(&taken[type]);
		if ((type == VMBUS_OPEN_RESULT || type == VMBUS_GPADL_CREATED) &&
		    !(u32)slot->payload[2])
			count(&good[type]);
		__atomic_store_n(&slot->type, 0, __ATOMIC_SEQ_CST);
		wrmsr(MSR_EOM, 0);
	}
}

/* all that an open channel needs, one after another */
static void open_one(struct fuzz *f)
{
	static const u8 types[] = {
		VMBUS_CLOSE, VMBUS_GPADL_TEARDOWN, VMBUS_GPADL_HEADER, VMBUS_OPEN,
	};
	u32 *m = inputs[f->index].words, r = 1 + any(f) % RELIDS, id = r * 2;
	struct vmbus_w_open *o = (void *)m;
	u64 words[1 + RING] = { RING * PAGE };

	for (u32 i = 0; i < RING; i++)
		words[1 + i] = gpa(ring_of(r, false)) / PAGE + i;
	inputs[f->index].connection = VMBUS_CONN_LEGACY;
	inputs[f->index].type = VMBUS_MESSAGE_TYPE;
	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		memset(m, 0, VMBUS_MSG_BYTES);
		m[0] = types[i];
		m[2] = r;
		m[3] = id;
		if (m[0] == VMBUS_GPADL_HEADER) {
			m[4] = sizeof(words) | 1 << 16;
			memcpy(m + 5, words, sizeof(words));
			memset(ring_of(r, false), 0, 256);
			memset(ring_of(r, true), 0, 256);
		} else if (m[0] == VMBUS_OPEN) {
			o->ring_gpadl = id;
			o->downstream = HALF;
			o->target_vp = any(f) % VPS;
		}
		inputs[f->index].bytes = VMBUS_MSG_BYTES;
		if (vmcall(CALL_POST_MESSAGE, gpa(&inputs[f->index]), 0) != SUCCESS)
			nap(1);
	}
	nap(1);
}

/* ---- rings ---- */

static void signal(struct fuzz *f)
{
	u32 r = relid(f), id = VMBUS_CONN_CHANNEL(r);

	if (one_in(f, 8)) {
		interrupt_page[2048 + any(f) % 256] |= 1 << any(f) % 8;
		id = VMBUS_CONN_EVENT;
	}
	if (one_in(f, 16))
		id = odd(f);
	count(&signals);
	vmcall(CALL_SIGNAL_EVENT | FAST, id | (one_in(f, 16) ? odd(f) << 32 : 0), 0);
}

static u32 edge(struct fuzz *f)
{
	static const u32 at[] = {
		0, 8, 16, BYTES - 8, BYTES, BYTES - 16, BYTES + 8, 4, ~0u, ~7u, 1u << 31, 2 * BYTES,
	};

	return one_in(f, 4) ? odd(f) : one_in(f, 2) ? any(f) % BYTES & ~7u : pick(f, at);
}

/* some packets, right, nearly right, or not at all; and the ring towards us emptied */
static void put_packets(struct fuzz *f)
{
	u32 r = 1 + any(f) % RELIDS;
	u32 *ctl = (u32 *)ring_of(r, false), *back = (u32 *)ring_of(r, true);
	u32 at = ctl[0] % BYTES & ~7u;

	for (u32 n = any(f) % 16; n; n--) {
		u32 len8 = 2 + any(f) % (one_in(f, 8) ? 500 : 20);
		struct guest_desc d = {
			.type = VMBUS_PKT_DATA, .offset8 = 2, .len8 = len8, .flags = any(f) & 1,
			.trans_id = any(f),
		};

		if (one_in(f, 32))
			((u16 *)&d)[any(f) % 4] = odd(f);
		for (u32 i = 0; i < len8; i++)
			*(u64 *)((u8 *)ctl + PAGE + (at + i * 8) % BYTES) =
				i < 2 ? ((u64 *)&d)[i] : one_in(f, 2) ? odd(f) : any(f) % 32;
		at = (at + len8 * 8 + 8) % BYTES;
		count(&packets);
	}
	__atomic_store_n(&ctl[0], one_in(f, 32) ? edge(f) : at, __ATOMIC_SEQ_CST);
	if (!one_in(f, 4))
		__atomic_store_n(&back[1], back[0], __ATOMIC_SEQ_CST);
	back[2] = 0;
	signal(f);
	vmcall(CALL_SIGNAL_EVENT | FAST, VMBUS_CONN_CHANNEL(r), 0);
}

/* while the host may be at it: an index, a mask, a descriptor, and back again */
static void scribble(struct fuzz *f)
{
	u32 r = 1 + any(f) % RELIDS;
	u8 *ring = ring_of(r, any(f) & 1);
	volatile u32 *word = (u32 *)ring + (one_in(f, 4) ? any(f) % 64 : any(f) % 4), before;

	if (any(f) & 1)
		word = (u32 *)(ring + PAGE + any(f) % BYTES / 4 * 4);
	for (u32 i = any(f) % 32; i; i--) {
		before = *word;
		*word = edge(f);
		if (!one_in(f, 4))
			*word = before;
	}
}

/* ---- the SynIC ---- */

static void move_page(struct fuzz *f)
{
	u32 msr = one_in(f, 2) ? MSR_SIMP : MSR_SIEFP;
	u64 at = gpa(places[f->index][any(f) & 1]);

	count(&moves);
	switch (any(f) % 8) {
	case 0:
		fz_wrmsr(MSR_SCONTROL, any(f) & 1);
		return;
	case 1:
		fz_wrmsr(MSR_SINT(VMBUS_SINT), VMBUS_VECTOR | (any(f) & 1) << 16);
		return;
	case 2:
		fz_wrmsr(msr, at);		/* off */
		break;
	case 3:
		fz_wrmsr(msr, gpa(ring_of(relid(f), any(f) & 1)) + (one_in(f, 2) ? PAGE : 0) + 1);
		nap(1);
		break;
	case 4:
		fz_wrmsr(msr, gpa(interrupt_page) | 1);
		break;
	}
	/* it is a page of its own most of the time */
	if (!one_in(f, 4)) {
		fz_wrmsr(msr, at | 1);
		fz_wrmsr(MSR_SCONTROL, 1);
	}
}

/* ---- a VP from start to end ---- */

/* a connection, offers, and what was taken back there again */
static void revive(struct fuzz *f)
{
	struct vmbus_w_initiate_contact *c = (void *)inputs[f->index].words;

	memset(c, 0, VMBUS_MSG_BYTES);
	c->h.type = VMBUS_INITIATE_CONTACT;
	c->version = VMBUS_V5_3;
	c->sint = VMBUS_SINT;
	inputs[f->index].connection = VMBUS_CONN_MESSAGE;
	inputs[f->index].type = VMBUS_MESSAGE_TYPE;
	inputs[f->index].bytes = sizeof(*c);
	vmcall(CALL_POST_MESSAGE, gpa(&inputs[f->index]), 0);
	for (u32 i = 0; i < G_CHANNELS; i++)
		if (one_in(f, 2))
			command(G_CMD_OFFER, i, 0, 0);
	nap(1);
	post(f, VMBUS_REQUEST_OFFERS, true);
	nap(1);
}

static void step(struct fuzz *f)
{
	u32 r = any(f) % 64;

	f->ops++;
	if (r < 24)
		any_message(f);
	else if (r < 30)
		take(f);
	else if (r < 36)
		open_one(f);
	else if (r < 48)
		put_packets(f);
	else if (r < 56)
		scribble(f);
	else if (r < 58)
		move_page(f);
	else if (r < 60)
		signal(f);
	else if (r < 61)
		nap(any(f) % 3);
	else if (f->index)
		scribble(f);
	else if (r < 63) {
		count(&offered);
		command(one_in(f, 3) ? G_CMD_REVOKE : G_CMD_OFFER, any(f) % G_CHANNELS, 0, 0);
	} else if (one_in(f, 4)) {
		revive(f);
	}
}

static void begin(u32 index)
{
	fuzz_begin(&fuzzers[index], index);
	x2apic = true;
	vmbus_vp_begin();
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	while (ready < VPS)
		pause_();
}

static void speak(struct fuzz *f)
{
	while (!host->stop && (!host->count || f->ops < host->count))
		step(f);
	__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
}

static void other_vp(void)
{
	begin(1);
	speak(&fuzzers[1]);
	wrmsr(MSR_SCONTROL, 0);
	wrmsr(MSR_SIMP, 0);
	wrmsr(MSR_SIEFP, 0);
	__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
	for (;;)
		sti_hlt();
}

/* ---- what came of it ---- */

static void an_honest_guest(void)
{
	static const u8 text[300] = "an honest guest";
	struct channel c;

	wrmsr(MSR_SCONTROL, 0);
	memset(synics[0].messages, 0, PAGE);
	vmbus_vp_begin();
	for (u32 i = 0; i < G_CHANNELS; i++)
		command(i <= G_CHANNEL_USER ? G_CMD_OFFER : G_CMD_REVOKE, i, 0, 0);
	/* what waits for the guest is forgotten by the contact, but for the one in the slot */
	for (u32 i = 0; i < 5; i++) {
		nap(1);
		while (vmbus_poll())
			;
	}
	is(vmbus_connect(VMBUS_V5_3), 2);
	for (u32 i = 0; i < 2; i++) {
		is(channel_open(&c, vmbus_find(i), ring_memory[1], 4, 4), 0);
		for (u32 n = 0; n < 50; n++)
			check(channel_echo(&c, 0, n, text, n * 6));
		channel_close(&c);
	}
	vmbus_unload();
}

static void report(void)
{
	static const u8 types[] = {
		VMBUS_REQUEST_OFFERS, VMBUS_OPEN, VMBUS_CLOSE, VMBUS_GPADL_HEADER, VMBUS_GPADL_BODY,
		VMBUS_GPADL_TEARDOWN, VMBUS_RELID_RELEASED, VMBUS_TL_CONNECT, VMBUS_MODIFY,
		VMBUS_INITIATE_CONTACT,
	};
	u64 all = 0;

	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		is_(!!sent[types[i]], 1, "each message was sent");
	for (u32 i = 0; i < ARRAY_SIZE(sent); i++)
		all += sent[i];
	note("messages", all);
	note("GPADLs made", good[VMBUS_GPADL_CREATED]);
	note("channels opened", good[VMBUS_OPEN_RESULT]);
	note("packets", packets);
	note("signals", signals);
	note("pages moved", moves);
	note("offers and revokes", offered);
	note("rescinds taken", taken[VMBUS_RESCIND]);
	check(good[VMBUS_GPADL_CREATED] && good[VMBUS_OPEN_RESULT]);
	check(taken[VMBUS_OFFER] && taken[VMBUS_RESCIND] && taken[VMBUS_GPADL_TORNDOWN]);
	check(packets && signals && moves && offered);
}

CASE(bus_hostile, G_OVID_ONLY | G_VMBUS | G_FUZZ | G_LONG_TIME, VPS)
{
	fuzz_take_everything();
	hypercalls_by(call_page);
	apic_enable();
	ap_start(1, other_vp);
	begin(0);
	revive(&fuzzers[0]);
	speak(&fuzzers[0]);
	while (finished < VPS + 1)
		nap(1);
	report();
	an_honest_guest();
}
