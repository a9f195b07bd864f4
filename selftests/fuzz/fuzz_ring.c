// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: a byte that chooses the guest, then steps, a byte or more each.
 *
 * A hostile guest writes anything anywhere into both rings between the host's calls.
 * Each answer must lie within the ring and agree with the memory as it was, and the
 * host must have written nothing but what is its own: a guest that lies harms
 * nobody else.
 *
 * With an honest guest (selftests/unit/ring_guest.h) packets go both ways, both sides
 * sleep and wake in any order of steps, a guest is stopped between publishing and its
 * signal.  Each byte must arrive, and neither may sleep while there is something
 * for it to do and nobody is about to tell it.
 */
#include "ring_guest.h"
#include "twice.h"
#include "vmbus/ring.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define CHECK		GUEST_CHECK
#define MAX_SIZE	12288u
#define PAGE		4096u

struct input {
	const u8 *at, *end;
};

static u8 byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static u32 word(struct input *in)
{
	u32 v = byte(in);

	v |= byte(in) << 8;
	v |= byte(in) << 16;
	return v | (u32)byte(in) << 24;
}

/* indexes and lengths that matter, those next to @near, and others */
static u32 number(struct input *in, u32 size, u32 near)
{
	u8 kind = byte(in);

	switch (kind & 7) {
	case 0:
		return near + (kind >> 3) - 16;
	case 1:
		return size - (kind >> 3);
	case 2:
		return word(in);
	case 3:
		return kind >> 3;
	default:
		return (kind >> 3 | byte(in) << 5) * 8 % size;
	}
}

/* ---- the hostile guest ---- */

/* one ring, and what it was before a call */
struct memory {
	struct ovid_ring ring;
	u32 *page;
	u8 *data;
	u32 size;
	u32 page_was[PAGE / 4];
	u8 data_was[MAX_SIZE];
};

static u32 sizes[] = { 4096, 8192, 12288 };
static u8 *data_in[ARRAY_SIZE(sizes)], *data_out[ARRAY_SIZE(sizes)];
static u32 page_in[PAGE / 4] __aligned(4096), page_out[PAGE / 4] __aligned(4096);
static u8 buf[MAX_SIZE];

static void map_all(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes) && !data_out[i]; i++) {
		data_in[i] = twice_map(sizes[i]);
		data_out[i] = twice_map(sizes[i]);
		CHECK(data_in[i] && data_out[i]);
	}
}

static void remember(struct memory *m)
{
	memcpy(m->page_was, m->page, PAGE);
	memcpy(m->data_was, m->data, m->size);
}

/* nothing was written but the words of @words, a bit each */
static void check_page(const struct memory *m, u32 words)
{
	u32 i;

	for (i = 0; i < 32; i++)
		CHECK(m->page[i] == m->page_was[i] || words >> i & 1);
	CHECK(!memcmp(m->page + 32, m->page_was + 32, PAGE - 32 * 4));
}

/* nor data but @len bytes from @at, less than there are */
static void check_data(const struct memory *m, u32 at, u32 len)
{
	u32 end = at + len;

	if (end < m->size) {
		CHECK(!memcmp(m->data, m->data_was, at));
		CHECK(!memcmp(m->data + end, m->data_was + end, m->size - end));
	} else {
		end -= m->size;
		CHECK(!memcmp(m->data + end, m->data_was + end, m->size - len));
	}
}

static bool good_index(const struct memory *m, u32 index)
{
	return index < m->size && index % 8 == 0;
}

/* a word of the page, or a descriptor: where the next one is looked for, or anywhere */
static void scribble(struct memory *m, struct input *in)
{
	static const u8 words[] = { G_WRITE, G_READ, G_MASK, G_PENDING, G_FEATURES, 5, 100 };
	u32 there = (m->page[G_WRITE] % m->size + m->size - m->ring.at) % m->size;
	u32 room = m->size - (m->page[G_WRITE] % m->size + m->size - m->ring.done) % m->size;
	u32 where = byte(in), at;
	u16 offset8, len8;

	if (where < 128) {
		where = words[where % ARRAY_SIZE(words)];
		m->page[where] = number(in, m->size, where == G_PENDING ? room : m->ring.done);
		return;
	}
	at = where & 1 ? m->ring.at : number(in, m->size, 0) % m->size / 8 * 8;
	offset8 = byte(in) & 15;
	len8 = where & 2 ? offset8 + (byte(in) & 15) - 4 : there / 8 + (byte(in) & 7) - 4;
	if (where & 4)
		offset8 = len8 + (where >> 3 & 3) - 1;
	else if (where & 8)
		len8 |= byte(in) << 8;
	memcpy(m->data + at + 2, &offset8, 2);
	memcpy(m->data + at + 4, &len8, 2);
	m->data[at] = where;
	m->data[at + 6] = where;
}

static void hostile_peek(struct memory *m, struct ovid_packet *pkt, struct input *in)
{
	u32 write = m->ring.seen == m->ring.at ? m->page[0] : m->ring.seen, at = m->ring.at;
	u32 avail, off, len;
	u16 desc[4];
	int err;

	err = ovid_ring_peek(&m->ring, pkt);
	check_page(m, 0);
	check_data(m, 0, 0);
	CHECK(m->ring.at == at);
	if (err <= 0) {
		CHECK(err == -EPROTO || (!err && write == at));
		pkt->header = 0;
		return;
	}
	CHECK(err == 1 && good_index(m, write));
	avail = (write + m->size - at) % m->size;
	memcpy(desc, m->data + at, sizeof(desc));
	CHECK(pkt->at == at && pkt->header == desc[1] * 8u);
	CHECK(pkt->header >= 16 && pkt->header <= desc[2] * 8u);
	CHECK(pkt->header + pkt->payload == desc[2] * 8u && desc[2] * 8u + 8 <= avail);
	CHECK(pkt->type == desc[0] && pkt->flags == desc[3]);

	off = number(in, m->size, desc[2] * 8);
	len = number(in, m->size, desc[2] * 8 - off);
	CHECK(ovid_ring_copy(&m->ring, pkt, off, buf, min(len, MAX_SIZE)) ==
	      (off <= desc[2] * 8u && min(len, MAX_SIZE) <= desc[2] * 8u - off));
	if (off <= desc[2] * 8u && len <= desc[2] * 8u - off)
		CHECK(!memcmp(buf, m->data + at + off, len));
}

static void hostile_read(struct memory *m, struct input *in)
{
	u32 at, freed, pending = m->page[G_PENDING], write = m->page[G_WRITE], now, before;
	struct ovid_packet pkt = {};
	bool signal;

	switch (byte(in) % 5) {
	case 0:
		hostile_peek(m, &pkt, in);
		break;
	case 1:
		hostile_peek(m, &pkt, in);
		if (!pkt.header)
			break;
		scribble(m, in);	/* what was seen counts, not what is there now */
		at = m->ring.at;
		ovid_ring_pop(&m->ring, &pkt);
		CHECK(m->ring.at == (at + pkt.header + pkt.payload + 8) % m->size);
		break;
	case 2:
		freed = (m->ring.at + m->size - m->ring.done) % m->size;
		signal = ovid_ring_commit_read(&m->ring);
		check_page(m, 1 << G_READ);
		check_data(m, 0, 0);
		CHECK(!freed || m->page[G_READ] == m->ring.at);
		now = write < m->size ? m->size - (write + m->size - m->ring.at) % m->size : 0;
		before = now > freed ? now - freed : 0;
		CHECK(signal == (freed && pending && good_index(m, write) && before <= pending &&
				 now > pending));
		break;
	case 3:
		ovid_ring_mask(&m->ring);
		check_page(m, 1 << G_MASK);
		CHECK(m->page[G_MASK] == 1);
		break;
	default:
		signal = ovid_ring_unmask(&m->ring);
		check_page(m, 1 << G_MASK);
		CHECK(!m->page[G_MASK]);
		CHECK(signal == (m->ring.seen != m->ring.at || m->page[G_WRITE] != m->ring.at));
		CHECK(signal == ovid_ring_pending(&m->ring));
	}
	CHECK(good_index(m, m->ring.at) && good_index(m, m->ring.done));
}

static void hostile_write(struct memory *m, struct input *in)
{
	u32 read = m->page[G_READ], at = m->ring.at, done = m->ring.done, bytes, space, header;
	struct vmbus_w_packet desc = { .type = 11 };
	struct ovid_ring_vec vec[2] = { { buf }, { buf } };
	bool yes;
	int err;

	switch (byte(in) % 3) {
	case 0:
		vec[0].len = number(in, m->size, m->size - 24) % MAX_SIZE;
		vec[1].len = byte(in);
		header = byte(in);
		if (header == 0xff) {
			/* more than a descriptor can say */
			vec[0].len = OVID_RING_MAX_PACKET - 15;
			CHECK(ovid_ring_write(&m->ring, desc, 0, vec, 1) == -EMSGSIZE);
			check_page(m, 0);
			check_data(m, 0, 0);
			break;
		}
		bytes = ovid_ring_packet_bytes(0, vec[0].len + vec[1].len);
		err = ovid_ring_write(&m->ring, desc, header, vec, 2);
		check_page(m, 0);
		CHECK(!err || err == -EINVAL || err == -EMSGSIZE || err == -EAGAIN ||
		      err == -EPROTO);
		check_data(m, at, err ? 0 : bytes);
		CHECK(m->ring.at == (err ? at : (at + bytes) % m->size));
		CHECK((err == -EINVAL) == (header % 8 || header > vec[0].len + vec[1].len));
		if (err != -EINVAL)
			CHECK((err == -EMSGSIZE) == (bytes >= m->size));
		if (err == -EPROTO)
			CHECK(!good_index(m, read));
		break;
	case 1:
		yes = ovid_ring_commit_write(&m->ring);
		check_page(m, 1 << G_WRITE);
		check_data(m, 0, 0);
		CHECK(at == done || m->page[G_WRITE] == at);
		CHECK(yes == (at != done && !m->page[G_MASK] && read == done));
		break;
	default:
		space = ovid_ring_space(&m->ring);
		bytes = number(in, m->size, space);
		CHECK(space == (good_index(m, read) ? m->size - (at + m->size - read) % m->size : 0));
		yes = ovid_ring_want_space(&m->ring, bytes);
		check_page(m, 1 << G_PENDING);
		check_data(m, 0, 0);
		CHECK(yes == (bytes && space > bytes));
		CHECK(m->page[G_PENDING] == (yes ? 0 : bytes));
	}
	CHECK(good_index(m, m->ring.at) && good_index(m, m->ring.done));
}

static void hostile(struct input *in, u8 how)
{
	static struct memory from, to;	/* too large for a stack */
	u32 k = how % ARRAY_SIZE(sizes);

	memset(&from.ring, 0, sizeof(from.ring));
	memset(&to.ring, 0, sizeof(to.ring));
	from.size = sizes[k];
	to.size = sizes[k];
	from.data = data_in[k];
	to.data = data_out[k];
	from.page = page_in;
	to.page = page_out;
	memset(page_in, 0, PAGE);
	memset(page_out, 0, PAGE);
	memset(from.data, 0, from.size);
	memset(to.data, 0, to.size);
	/* sizes that no ring has */
	CHECK(ovid_ring_init_in(&from.ring, (void *)page_in, from.data, how & 1 ? 0 : 4095) == -EINVAL);
	if (how & 0x40) {	/* indexes of the beginning, too */
		scribble(&from, in);
		scribble(&to, in);
	}
	if (ovid_ring_init_in(&from.ring, (void *)page_in, from.data, from.size) ||
	    ovid_ring_init_out(&to.ring, (void *)page_out, to.data, to.size))
		return;
	CHECK(page_out[G_FEATURES] & 1);
	while (in->at < in->end) {
		u8 what = byte(in);
		struct memory *m = what & 1 ? &to : &from;

		if (what & 2)
			scribble(m, in);
		remember(m);
		if (what & 1)
			hostile_write(m, in);
		else
			hostile_read(m, in);
	}
}

/* ---- the honest guest ---- */

enum state { AWAKE, SETTLING, ASLEEP };

/* packets are numbered from 0; number and direction say what is in them */
struct side {
	enum state state;
	bool signalled;
	u32 sent, received;
	u32 want;		/* space it has asked for, 0: none */
};

struct channel {
	struct side host, guest;
	struct ovid_ring in, out;
	struct guest_ring to_host, to_guest;
	bool put_half, close_half;	/* the guest has published, its signal is to come */
	u32 put_old, closed;
	u32 put, committed;		/* by the host, not known to the guest; known */
	bool batched;
	u8 salt;
};

static u32 body_bytes(const struct channel *c, u32 n)
{
	u32 x = (n * 2654435761u ^ c->salt * 40503u) >> 8;

	return x & 0x700 ? x % 70 : x % 3300;
}

static u32 header_bytes(const struct channel *c, u32 n)
{
	return min(n % 5 * 8, body_bytes(c, n) / 8 * 8);
}

static u8 body_byte(const struct channel *c, u32 n, u32 i)
{
	return n * 29 + i * 7 + c->salt + (i >> 8);
}

static void fill(const struct channel *c, u32 n)
{
	u32 i;

	for (i = 0; i < body_bytes(c, n); i++)
		buf[i] = body_byte(c, n, i);
}

/* @body: behind the descriptor */
static void check_body(const struct channel *c, u32 n, const u8 *body, u32 got)
{
	u32 i, bytes = body_bytes(c, n);

	CHECK(got == (bytes + 7) / 8 * 8);
	for (i = 0; i < got; i++)
		CHECK(body[i] == (i < bytes ? body_byte(c, n, i) : 0));
}

static u32 whole(const struct channel *c, u32 n)
{
	return 16 + (body_bytes(c, n) + 7) / 8 * 8 + 8;
}

static void host_read(struct channel *c, u32 most)
{
	struct ovid_packet pkt;

	while (most--) {
		if (!ovid_ring_peek(&c->in, &pkt)) {
			CHECK(c->host.received == c->guest.sent);
			return;
		}
		CHECK(pkt.type == 9 && pkt.flags == (c->host.received & 1));
		CHECK(pkt.trans_id == c->host.received * 0x100000001ull);
		CHECK(pkt.header == 16 + header_bytes(c, c->host.received));
		CHECK(ovid_ring_copy(&c->in, &pkt, 16, buf, pkt.header + pkt.payload - 16));
		check_body(c, c->host.received++, buf, pkt.header + pkt.payload - 16);
		ovid_ring_pop(&c->in, &pkt);
	}
}

static void host_write(struct channel *c, u32 most)
{
	struct vmbus_w_packet desc = { .type = 7 };

	while (most--) {
		u32 n = c->host.sent, bytes = body_bytes(c, n);
		struct ovid_ring_vec vec[2] = { { buf, bytes / 3 }, { buf + bytes / 3 } };
		int err;

		vec[1].len = bytes - bytes / 3;
		fill(c, n);
		desc.flags = n & 1;
		desc.trans_id = n * 0x100000001ull;
		err = ovid_ring_write(&c->out, desc, header_bytes(c, n), vec, 2);
		CHECK(err == (guest_free(&c->to_guest) - c->put > whole(c, n) ? 0 : -EAGAIN));
		if (err)
			return;
		c->put += whole(c, n);
		c->host.sent++;
	}
}

static void host_commit(struct channel *c)
{
	if (ovid_ring_commit_read(&c->in))
		c->guest.signalled = true;
	if (ovid_ring_commit_write(&c->out))
		c->guest.signalled = true;
	c->put = 0;
	c->committed = c->host.sent;
}

/* one step of the host: it works, or is about to sleep, or sleeps */
static void host_step(struct channel *c, u8 how)
{
	struct side *h = &c->host;

	switch (h->state) {
	case ASLEEP:
		if (!h->signalled)
			return;
		h->signalled = false;
		h->state = AWAKE;
		h->want = 0;
		ovid_ring_want_space(&c->out, 0);
		ovid_ring_mask(&c->in);
		return;
	case AWAKE:
		if (how & 1)
			host_read(c, how >> 4);
		if (how & 2)
			host_write(c, how >> 4);
		if (how & 4)
			host_commit(c);
		if (how & 8) {	/* it wants to sleep: all was committed, and it may have more */
			host_read(c, ~0u);
			host_commit(c);
			h->state = SETTLING;
		}
		return;
	case SETTLING:
		/* anew each time: what was asked before it wrote more does not count */
		h->want = how & 2 ? whole(c, h->sent) : 0;
		if (ovid_ring_want_space(&c->out, h->want))
			h->want = 0;
		h->state = ovid_ring_unmask(&c->in) ? AWAKE : ASLEEP;
		if (h->state == AWAKE)
			ovid_ring_mask(&c->in);
	}
}

static void guest_read(struct channel *c, u32 most)
{
	const struct guest_desc *desc = (const struct guest_desc *)buf;
	u32 len, n;

	while (most--) {
		n = c->guest.received;
		len = guest_next(&c->to_guest, buf, sizeof(buf));
		if (!len) {
			CHECK(n == c->committed);
			return;
		}
		CHECK(desc->type == 7 && desc->flags == (n & 1));
		CHECK(desc->trans_id == n * 0x100000001ull);
		CHECK(desc->offset8 * 8u == 16 + header_bytes(c, n));
		check_body(c, n, buf + 16, len - 16);
		c->guest.received++;
	}
}

static void guest_put(struct channel *c)
{
	u32 n = c->guest.sent, header = header_bytes(c, n);
	struct guest_desc desc = { .type = 9, .flags = n & 1, .trans_id = n * 0x100000001ull };

	fill(c, n);
	if (!guest_write(&c->to_host, desc, buf, header, body_bytes(c, n) - header, &c->put_old))
		return;
	c->guest.sent++;
	c->put_half = true;
}

static void guest_step(struct channel *c, u8 how)
{
	struct side *g = &c->guest;

	if (c->put_half) {
		c->host.signalled |= guest_data_signal(&c->to_host, c->put_old);
		c->put_half = false;
		return;
	}
	if (c->close_half) {
		c->host.signalled |= guest_space_signal(&c->to_guest, c->closed);
		c->close_half = false;
		return;
	}
	switch (g->state) {
	case ASLEEP:
		if (!g->signalled)
			return;
		g->signalled = false;
		g->state = AWAKE;
		g->want = 0;
		if (how & 1)	/* some never take it back */
			guest_want_space(&c->to_host, 0);
		if (c->batched)
			guest_begin_read(&c->to_guest);
		return;
	case AWAKE:
		if (how & 2) {
			guest_put(c);
			return;
		}
		guest_read(c, how & 8 ? ~0u : how >> 4);
		if (how & 12) {
			c->closed = guest_close(&c->to_guest);
			c->close_half = true;
		}
		if (how & 8)
			g->state = SETTLING;
		return;
	case SETTLING:
		if (how & 2 && guest_free(&c->to_host) <= whole(c, g->sent)) {
			g->want = whole(c, g->sent);
			if (guest_want_space(&c->to_host, g->want))
				g->want = 0;
		}
		g->state = guest_end_read(&c->to_guest) ? AWAKE : ASLEEP;
		if (g->state == AWAKE && c->batched)
			guest_begin_read(&c->to_guest);
	}
}

/* nobody sleeps through anything */
static void check_asleep(const struct channel *c)
{
	if (c->host.state == ASLEEP && !c->host.signalled) {
		CHECK(c->put_half || c->host.received == c->guest.sent);
		CHECK(c->close_half || !c->host.want || guest_free(&c->to_guest) <= c->host.want);
	}
	if (c->guest.state == ASLEEP && !c->guest.signalled) {
		CHECK(c->guest.received == c->committed);
		CHECK(!c->guest.want || guest_free(&c->to_host) <= c->guest.want);
	}
}

static void honest(struct input *in, u8 how)
{
	u32 k = how % ARRAY_SIZE(sizes);
	struct channel c = { .batched = how & 0x40, .salt = how };

	guest_init(&c.to_host, page_in, data_in[k], sizes[k]);
	guest_init(&c.to_guest, page_out, data_out[k], sizes[k]);
	CHECK(!ovid_ring_init_in(&c.in, (void *)page_in, data_in[k], sizes[k]));
	CHECK(!ovid_ring_init_out(&c.out, (void *)page_out, data_out[k], sizes[k]));
	ovid_ring_mask(&c.in);
	while (in->at < in->end) {
		u8 step = byte(in);

		if (step & 0x80)
			host_step(&c, step & 0x7f);
		else
			guest_step(&c, step);
		check_asleep(&c);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct input in = { data, data + len };
	u8 how = byte(&in);

	map_all();
	if (how & 0x80)
		honest(&in, how & 0x7f);
	else
		hostile(&in, how & 0x7f);
	return 0;
}
