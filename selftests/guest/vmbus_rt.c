// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmbus_rt.c - a guest's side of VMBus: see vmbus.h.
 */
#include "vmbus.h"

struct synic synics[VMBUS_VPS];
u8 interrupt_page[4096] __attribute__((aligned(4096)));
struct vmbus_w_monitor_page monitor_pages[2] __attribute__((aligned(4096)));
static u8 call_page[4096] __attribute__((aligned(4096)));
u8 ring_memory[2][RING_PAGES * PAGE] __attribute__((aligned(4096)));

union vmbus_in in;
u32 in_bytes;
u32 vmbus_version, vmbus_connection;
struct vmbus_w_offer offers[MAX_OFFERS];
u32 nr_offers;
struct packet packet;

/* ---- what the compiler and the rings' code call ---- */

void *memcpy(void *to, const void *from, size_t n)
{
	void *at = to;

	asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) :: "memory");
	return to;
}

void *memset(void *to, int v, size_t n)
{
	void *at = to;

	asm volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(v) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

/* a ring that no honest host makes */
void abort(void)
{
	check(!"the host's ring makes sense");
	done();
}

/* ---- interrupts ---- */

static struct synic *me(void)
{
	return &synics[rdmsr(MSR_VP_INDEX) % VMBUS_VPS];
}

static void take_flags(struct synic *s, u64 *words)
{
	for (u32 i = 0; i < 32; i++) {
		u64 word = words[i] ? __atomic_exchange_n(&words[i], 0, __ATOMIC_SEQ_CST) : 0;

		for (; word; word &= word - 1)
			s->events[i * 64 + __builtin_ctzll(word)]++;
	}
}

static void on_event(struct frame *f)
{
	struct synic *s = me();

	(void)f;
	s->irqs++;
	take_flags(s, s->flags[VMBUS_SINT]);
	if (vmbus_version && vmbus_version < VMBUS_V2_4)
		take_flags(s, (u64 *)interrupt_page);
	apic_write(0xb0, 0);
}

static void on_tick(struct frame *f)
{
	(void)f;
	me()->ticks++;
	apic_write(0xb0, 0);
}

void nap(u32 ticks)
{
	struct synic *s = me();
	u32 from = s->ticks;

	while (s->ticks - from < ticks)
		sti_hlt();
}

#define MSR_APIC_HZ	0x40000023

void vmbus_vp_begin(void)
{
	struct synic *s = me();

	apic_enable();
	handlers[VMBUS_VECTOR] = on_event;
	handlers[TICK_VECTOR] = on_tick;
	apic_write(0x3e0, 0xb);		/* the timer's divisor: 1 */
	apic_write(0x320, 0x20000 | TICK_VECTOR);
	apic_write(0x380, rdmsr(MSR_APIC_HZ) / TICK_HZ);
	wrmsr(MSR_SIMP, gpa(s->messages) | 1);
	wrmsr(MSR_SIEFP, gpa(s->flags) | 1);
	wrmsr(MSR_SINT(VMBUS_SINT), VMBUS_VECTOR);
	wrmsr(MSR_SCONTROL, 1);
}

void vmbus_begin(void)
{
	hypercalls_by(call_page);
	vmbus_vp_begin();
}

/* ---- messages ---- */

u32 vmbus_post_to(u32 connection, const void *msg, u32 bytes)
{
	static struct {
		u32 connection, zero, type, bytes;
		u8 payload[VMBUS_MSG_BYTES];
	} input __attribute__((aligned(256)));
	u32 status;

	input.connection = connection;
	input.type = VMBUS_MESSAGE_TYPE;
	input.bytes = bytes;
	memcpy(input.payload, msg, bytes);
	for (u32 tries = 0; tries < 100; tries++) {
		status = STATUS(vmcall(CALL_POST_MESSAGE, gpa(&input), 0));
		if (status != NO_BUFFERS)
			break;
		nap(1);
	}
	return status;
}

void vmbus_post(const void *msg, u32 bytes)
{
	u32 status = vmbus_post_to(vmbus_connection, msg, bytes);

	if (status)
		is_(status, 0, "a message is posted");
}

/* the type goes last, and only who finds another one waiting says that the slot is free */
u32 vmbus_poll(void)
{
	struct message *m = (struct message *)me()->messages[VMBUS_SINT];

	if (!__atomic_load_n(&m->type, __ATOMIC_ACQUIRE))
		return 0;
	in_bytes = m->size;
	memset(&in, 0, sizeof(in));
	memcpy(&in, m->payload, min_t(u32, in_bytes, sizeof(in)));
	if (m->type != VMBUS_MESSAGE_TYPE)
		is_(m->type, VMBUS_MESSAGE_TYPE, "a message is one of VMBus");
	__atomic_store_n(&m->type, 0, __ATOMIC_SEQ_CST);
	GUEST_FENCE();
	if (m->flags & 1)
		wrmsr(MSR_EOM, 0);
	return in.h.type;
}

u32 vmbus_receive(void)
{
	u32 type;

	return await((type = vmbus_poll())) ? type : 0;
}

void vmbus_quiet(void)
{
	static u32 gpadl = 0xdead0000;
	struct vmbus_w_gpadl_header none = {
		.h.type = VMBUS_GPADL_HEADER, .relid = 2047, .gpadl = ++gpadl,
	};

	if (!vmbus_version) {
		check(!vmbus_contact(VMBUS_VERSION(0x7fff, 0)));
		return;
	}
	vmbus_post(&none, sizeof(none));
	expect(VMBUS_GPADL_CREATED);
	is(in.created.gpadl, gpadl);
}

/* ---- the connection ---- */

bool vmbus_contact(u32 version)
{
	struct vmbus_w_initiate_contact m = {
		.h.type = VMBUS_INITIATE_CONTACT, .version = version,
		.monitor_page1 = gpa(&monitor_pages[0]), .monitor_page2 = gpa(&monitor_pages[1]),
	};
	u32 connection = version >= VMBUS_V5_0 ? VMBUS_CONN_MESSAGE : VMBUS_CONN_LEGACY;

	if (version >= VMBUS_V5_0)
		m.sint = VMBUS_SINT;
	else
		m.interrupt_page = gpa(interrupt_page);
	vmbus_version = 0;
	memset(interrupt_page, 0, sizeof(interrupt_page));
	is(vmbus_post_to(connection, &m, sizeof(m)), SUCCESS);
	expect(VMBUS_VERSION_RESPONSE);
	is(in_bytes, in.version.supported && version >= VMBUS_V6_0 ? 20 : 16);
	if (!in.version.supported)
		return false;
	vmbus_version = version;
	vmbus_connection = version >= VMBUS_V5_0 ? in.version.value : VMBUS_CONN_LEGACY;
	is(in.version.state, VMBUS_CONN_OK);
	is(in.version.value, version >= VMBUS_V5_0 ? VMBUS_CONN_MESSAGE : version);
	return true;
}

u32 vmbus_connect(u32 version)
{
	check(vmbus_contact(version));
	return vmbus_offers();
}

void vmbus_unload(void)
{
	struct vmbus_w_header m = { .type = VMBUS_UNLOAD };

	vmbus_post(&m, sizeof(m));
	expect(VMBUS_UNLOAD_RESPONSE);
	vmbus_version = 0;
}

/* ---- offers ---- */

u32 vmbus_offers(void)
{
	struct vmbus_w_header m = { .type = VMBUS_REQUEST_OFFERS };
	u32 type;

	nr_offers = 0;
	vmbus_post(&m, sizeof(m));
	while ((type = vmbus_receive()) == VMBUS_OFFER)
		offers[nr_offers++ % MAX_OFFERS] = in.offer;
	is(type, VMBUS_ALL_OFFERS);
	return nr_offers;
}

static const struct vmbus_w_guid echo_type = { {
	0x37, 0x4c, 0x2b, 0x64, 0x92, 0x7c, 0x82, 0x4c, 0xb6, 0xb0, 0x7f, 0xbf, 0x77, 0x5f, 0xf9, 0x3b
} };

const struct vmbus_w_offer *vmbus_find(u32 channel)
{
	struct vmbus_w_guid type = echo_type;

	if (channel == G_CHANNEL_USER)
		memset(&type, G_USER_TYPE, sizeof(type));
	for (u32 i = 0; i < nr_offers && i < MAX_OFFERS; i++)
		if (!memcmp(&offers[i].type, &type, sizeof(type)))
			return &offers[i];
	check(!"there is such an offer");
	done();
}

/* ---- GPADLs ---- */

#define HEADER_WORDS	26	/* that fit into the first message, and into each further one */
#define BODY_WORDS	28

void vmbus_gpadl_post(u32 relid, u32 gpadl, u32 ranges, const u64 *words, u32 nr)
{
	struct {
		struct vmbus_w_gpadl_header h;
		u64 words[HEADER_WORDS];
	} __attribute__((packed)) first = {
		.h = {
			.h.type = VMBUS_GPADL_HEADER, .relid = relid, .gpadl = gpadl,
			.range_bytes = nr * 8, .range_count = ranges,
		},
	};
	struct {
		struct vmbus_w_gpadl_body h;
		u64 words[BODY_WORDS];
	} more = { .h.h.type = VMBUS_GPADL_BODY, .h.gpadl = gpadl };
	u32 n = min(nr, HEADER_WORDS);

	memcpy(first.words, words, n * 8);
	vmbus_post(&first, sizeof(first.h) + n * 8);
	for (words += n, nr -= n; nr; words += n, nr -= n) {
		n = min(nr, BODY_WORDS);
		memcpy(more.words, words, n * 8);
		vmbus_post(&more, sizeof(more.h) + n * 8);
	}
}

u32 vmbus_gpadl(u32 relid, u32 gpadl, const void *at, u32 pages)
{
	static u64 words[1 + 2048];

	words[0] = pages * PAGE;	/* from the first byte */
	for (u32 i = 0; i < pages; i++)
		words[1 + i] = gpa(at) / PAGE + i;
	vmbus_gpadl_post(relid, gpadl, 1, words, 1 + pages);
	expect(VMBUS_GPADL_CREATED);
	is(in.created.relid, relid);
	is(in.created.gpadl, gpadl);
	return in.created.status;
}

void vmbus_teardown(u32 relid, u32 gpadl)
{
	struct vmbus_w_gpadl_teardown m = {
		.h.type = VMBUS_GPADL_TEARDOWN, .relid = relid, .gpadl = gpadl,
	};

	vmbus_post(&m, sizeof(m));
	expect(VMBUS_GPADL_TORNDOWN);
	is(in.torndown.gpadl, gpadl);
}

/* ---- channels ---- */

u32 channel_post_open(struct channel *c, u32 gpadl, u32 vp, u32 downstream, u8 user)
{
	static u32 open_id;
	struct vmbus_w_open m = {
		.h.type = VMBUS_OPEN, .relid = c->offer.relid, .open_id = ++open_id,
		.ring_gpadl = gpadl, .target_vp = vp, .downstream = downstream, .user = { user },
	};

	c->vp = vp;
	c->seen = vp < VMBUS_VPS ? synics[vp].events[c->offer.relid] : 0;
	vmbus_post(&m, sizeof(m));
	expect(VMBUS_OPEN_RESULT);
	is(in.open.relid, c->offer.relid);
	is(in.open.open_id, open_id);
	return in.open.status;
}

u32 channel_open(struct channel *c, const struct vmbus_w_offer *offer, void *at, u32 out_pages,
		 u32 in_pages)
{
	static u32 gpadl = 0xe1e10;
	u8 *second = (u8 *)at + out_pages * PAGE;

	c->offer = *offer;
	c->gpadl = ++gpadl;
	is(vmbus_gpadl(offer->relid, gpadl, at, out_pages + in_pages), 0);
	guest_init(&c->out, at, (u8 *)at + PAGE, (out_pages - 1) * PAGE);
	guest_init(&c->in, second, second + PAGE, (in_pages - 1) * PAGE);
	return channel_post_open(c, gpadl, 0, out_pages, 0);
}

void channel_close(struct channel *c)
{
	struct vmbus_w_relid m = { .h.type = VMBUS_CLOSE, .relid = c->offer.relid };

	vmbus_post(&m, sizeof(m));
	vmbus_teardown(c->offer.relid, c->gpadl);
}

void channel_signal(const struct channel *c)
{
	u32 relid = c->offer.relid, connection = c->offer.connection_id;

	if (vmbus_version < VMBUS_V2_4) {
		__atomic_fetch_or(interrupt_page + 2048 + relid / 8, 1 << relid % 8,
				  __ATOMIC_SEQ_CST);
		connection = VMBUS_CONN_EVENT;
	}
	if (c->offer.monitor_allocated) {
		__atomic_fetch_or(&monitor_pages[1].group[c->offer.monitor_id / 32].pending,
				  1u << c->offer.monitor_id % 32, __ATOMIC_SEQ_CST);
		return;
	}
	is_(STATUS(vmcall(CALL_SIGNAL_EVENT | FAST, connection, 0)), SUCCESS, "the host is signalled");
}

u32 channel_events(struct channel *c)
{
	u32 now = synics[c->vp].events[c->offer.relid], n = now - c->seen;

	c->seen = now;
	return n;
}

bool channel_send(struct channel *c, u16 flags, u64 trans_id, const void *data, u32 bytes)
{
	struct guest_desc desc = {
		.type = VMBUS_PKT_DATA, .flags = flags, .trans_id = trans_id,
	};
	u32 old;

	if (!guest_write(&c->out, desc, data, 0, bytes, &old))
		return false;
	if (guest_data_signal(&c->out, old))
		channel_signal(c);
	return true;
}

void channel_done(struct channel *c)
{
	u32 freed = guest_close(&c->in);

	if (freed && guest_space_signal(&c->in, freed))
		channel_signal(c);
}

int channel_receive(struct channel *c)
{
	u32 n;

	for (;;) {
		n = guest_next(&c->in, &packet, sizeof(packet));
		if (n)
			return n - sizeof(packet.desc);
		channel_done(c);
		if (!guest_end_read(&c->in) && !await(channel_events(c)))
			return -1;
		guest_begin_read(&c->in);
	}
}

bool channel_echo(struct channel *c, u16 flags, u64 trans_id, const void *data, u32 bytes)
{
	u32 padded = (bytes + 7) / 8 * 8;
	bool good;
	int n;

	if (!channel_send(c, flags, trans_id, data, bytes)) {
		is_(bytes, 0, "there is room for a packet of so many bytes");
		return false;
	}
	n = channel_receive(c);
	good = n == (int)padded && packet.desc.trans_id == trans_id && packet.desc.offset8 == 2 &&
	       packet.desc.flags == 0 &&
	       packet.desc.type == (flags & VMBUS_PACKET_COMPLETION ? VMBUS_PKT_COMPLETION :
								     VMBUS_PKT_DATA) &&
	       !memcmp(packet.data, data, bytes);
	channel_done(c);
	if (good)
		return true;
	is_(n, padded, "the packet comes back, this many bytes");
	is_(packet.desc.type, 0, "... of the type");
	is_(packet.desc.trans_id, trans_id, "... of the transaction");
	return false;
}
