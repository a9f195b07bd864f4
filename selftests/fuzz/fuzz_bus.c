// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: a list of steps, a byte for which one, then its arguments.  A step is a
 * message of the guest, as raw bytes or one that is nearly right, or something
 * that the host does; also: the bus is saved, and goes on from that, forged or not.  The effects keep a model of what the guest and the host may
 * believe; they and a look at the bus after each step are the oracle.
 */
#include <stdlib.h>
#include "purelib_host.h"
#include "vmbus/save.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define CHECK(c)	do { if (!(c)) abort(); } while (0)

#define NR_SLOTS	16
#define NR_VPS		4
#define PAGE		4096u

enum relid_state { UNKNOWN, OFFERED, RESCINDED };

/* a channel of the host's: what the bus has been told, and has said */
struct slot {
	struct ovid_bus_chan *chan;
	u32 relid;		/* it was offered last as */
	bool open;		/* the effect was called, close was not */
	bool pending;		/* it said -EINPROGRESS */
	bool result;		/* the guest waits for OPEN_RESULT */
};

struct world {
	struct ovid_bus bus;
	struct slot slot[NR_SLOTS];
	u8 relid[OVID_BUS_MAX_RELID + 1];	/* enum relid_state: what the guest knows */
	const u8 *data;
	size_t len;
	int pin, open, tl;
	u32 pins;
	u32 replies;		/* to the message that is being handled */
	u32 teardowns;		/* TEARDOWN that were sent, less TORNDOWN */
	bool silent;		/* unloaded */
	bool moving;		/* a state is being restored */
	u32 restores;		/* that many effects restore() work */
};

static struct world *world_of(struct ovid_bus *bus)
{
	return bus->ctx;
}

static struct slot *slot_of(struct world *w, const struct ovid_bus_chan *chan)
{
	int i;

	for (i = 0; i < NR_SLOTS; i++)
		if (w->slot[i].chan == chan)
			return &w->slot[i];
	abort();
}

static struct slot *slot_of_relid(struct world *w, u32 relid)
{
	CHECK(relid && relid <= OVID_BUS_MAX_RELID && w->bus.chan[relid]);
	return slot_of(w, w->bus.chan[relid]);
}

static bool is_ring(struct world *w, const struct ovid_gpadl *gpadl)
{
	int i;

	for (i = 0; i < NR_SLOTS; i++)
		if (w->slot[i].open && w->slot[i].chan->ring == gpadl)
			return true;
	return false;
}

static struct ovid_gpadl *gpadl_by_id(struct world *w, u32 id)
{
	struct ovid_gpadl *g;

	for (g = w->bus.gpadls; g; g = g->next)
		if (g->id == id)
			return g;
	return NULL;
}

static bool is_socket(const struct ovid_bus_chan *chan)
{
	return chan->offer.flags & VMBUS_OFFER_TLNPI;
}

/* ---- effects -------------------------------------------------------------- */

static void posted_offer(struct world *w, const struct vmbus_w_offer *m)
{
	struct slot *s = slot_of_relid(w, m->relid);

	CHECK(w->bus.state == OVID_BUS_OFFERED && w->relid[m->relid] == UNKNOWN);
	CHECK(s->chan->offered && !s->chan->revoked && !s->open);
	CHECK(m->dedicated_interrupt == 1 && m->connection_id == VMBUS_CONN_CHANNEL(m->relid));
	CHECK(!m->monitor_allocated || w->bus.monitor_page[1]);
	CHECK(!is_socket(s->chan) || w->bus.version >= VMBUS_V4_0);
	CHECK(!m->monitor_allocated || w->bus.monitored[m->monitor_id] == s->chan);
	CHECK(!m->monitor_allocated || s->chan->latency);
	w->relid[m->relid] = OFFERED;
	s->relid = m->relid;
}

static void posted_rescind(struct world *w, const struct vmbus_w_relid *m)
{
	struct slot *s = slot_of_relid(w, m->relid);
	struct ovid_gpadl *g;

	CHECK(w->relid[m->relid] == OFFERED && !s->open);
	for (g = w->bus.gpadls; g; g = g->next)
		CHECK(g->relid != m->relid);
	w->relid[m->relid] = RESCINDED;
}

static void posted_result(struct world *w, const struct vmbus_w_open_result *m)
{
	if (m->status)
		return;
	CHECK(w->relid[m->relid] == OFFERED);
	CHECK(slot_of_relid(w, m->relid)->open && slot_of_relid(w, m->relid)->result);
	slot_of_relid(w, m->relid)->result = false;
}

static void posted_created(struct world *w, const struct vmbus_w_gpadl_created *m)
{
	struct ovid_gpadl *g = gpadl_by_id(w, m->gpadl);

	if (!m->status)
		CHECK(w->relid[m->relid] == OFFERED && g && g->pinned && g->complete);
}

static u32 posted(struct world *w, const void *msg)
{
	const struct vmbus_w_header *h = msg;
	const struct vmbus_w_gpadl_torndown *torndown = msg;

	CHECK(!h->pad);
	switch (h->type) {
	case VMBUS_OFFER:
		posted_offer(w, msg);
		return sizeof(struct vmbus_w_offer);
	case VMBUS_RESCIND:
		posted_rescind(w, msg);
		return sizeof(struct vmbus_w_relid);
	case VMBUS_GPADL_TORNDOWN:
		CHECK(!gpadl_by_id(w, torndown->gpadl) && w->teardowns--);
		return sizeof(*torndown);
	}
	CHECK(++w->replies == 1);
	switch (h->type) {
	case VMBUS_OPEN_RESULT:
		posted_result(w, msg);
		return sizeof(struct vmbus_w_open_result);
	case VMBUS_GPADL_CREATED:
		posted_created(w, msg);
		return sizeof(struct vmbus_w_gpadl_created);
	case VMBUS_VERSION_RESPONSE:
		w->silent = false;
		return w->bus.version >= VMBUS_V6_0 ? 20 : 16;
	case VMBUS_UNLOAD_RESPONSE:
		w->silent = true;
		return 8;
	case VMBUS_ALL_OFFERS:
		return 8;
	case VMBUS_TL_RESULT:
		CHECK(w->bus.version >= VMBUS_V4_1);
		return sizeof(struct vmbus_w_tl_result);
	case VMBUS_MODIFY_RESPONSE:
		CHECK(w->bus.version >= VMBUS_V5_3);
		return sizeof(struct vmbus_w_modify_response);
	case VMBUS_MODIFY_CONN_RESPONSE:
		CHECK(w->bus.version >= VMBUS_V6_0);
		return sizeof(struct vmbus_w_modify_conn_response);
	}
	abort();
}

static void fx_post(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	const struct vmbus_w_version_response *v = msg;
	struct world *w = world_of(bus);
	u32 want;

	CHECK(bus->target_vp < NR_VPS && bus->sint < 16 && !w->moving);
	if (v->h.type != VMBUS_VERSION_RESPONSE && v->h.type != VMBUS_UNLOAD_RESPONSE)
		CHECK(!w->silent && bus->state != OVID_BUS_DISCONNECTED);
	want = posted(w, msg);
	/* a 6.0 that failed tells of its features, too */
	if (v->h.type == VMBUS_VERSION_RESPONSE && v->supported && v->state)
		CHECK(bytes == 16 || bytes == 20);
	else
		CHECK(bytes == want);
}

/* for the next connection */
static bool stays(const struct ovid_bus_chan *chan)
{
	return !chan->revoked && !chan->offer.sub_index && !is_socket(chan);
}

/* a connection has ended: nothing is in use any more */
static void fx_drop_posts(struct ovid_bus *bus)
{
	struct world *w = world_of(bus);
	int i;

	CHECK(bus->state == OVID_BUS_DISCONNECTED && !w->pins && !bus->gpadls);
	CHECK(!bus->monitor_page[0] && !bus->monitor_page[1] && !bus->interrupt_page);
	for (i = 0; i < NR_SLOTS; i++)
		CHECK(!w->slot[i].open && (!w->slot[i].chan || stays(w->slot[i].chan)));
	memset(w->relid, UNKNOWN, sizeof(w->relid));
	w->teardowns = 0;
}

static int fx_pin(struct ovid_bus *bus, struct ovid_gpadl *gpadl)
{
	struct world *w = world_of(bus);
	u32 at = 0, bytes, offset, pages = 0, ranges = 0;
	const u64 *pfn;

	CHECK(!gpadl->pinned && gpadl->complete == w->moving);
	while ((pfn = ovid_gpadl_range(gpadl, &at, &bytes, &offset))) {
		u32 n = ((u64)bytes + offset + PAGE - 1) / PAGE;

		CHECK(bytes && offset < PAGE);
		for (pages += n, ranges++; n--; pfn++)
			CHECK(*pfn < 1ull << 40);
	}
	CHECK(ranges == gpadl->range_count && pages == gpadl->pages && at == gpadl->range_bytes);
	if (w->pin)
		return w->pin;
	gpadl->pinned = w;
	w->pins++;
	return 0;
}

static void fx_unpin(struct ovid_bus *bus, struct ovid_gpadl *gpadl)
{
	struct world *w = world_of(bus);

	CHECK(gpadl->pinned && !is_ring(w, gpadl));
	gpadl->pinned = NULL;
	w->pins--;
}

static int fx_open(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	struct world *w = world_of(bus);
	struct slot *s = slot_of(w, chan);
	struct ovid_gpadl *ring = chan->ring;

	CHECK(!s->open && w->relid[chan->relid] == OFFERED);
	CHECK(ring && ring->pinned && ring->relid == chan->relid && ring->range_count == 1);
	CHECK(chan->downstream >= 2 && chan->downstream <= ring->pages - 2);
	CHECK(chan->target_vp < NR_VPS || chan->target_vp == VMBUS_VP_NONE);
	if (w->open && w->open != -EINPROGRESS)
		return w->open;
	s->open = true;
	s->result = true;
	s->pending = w->open;
	return w->open;
}

static void fx_close(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	struct slot *s = slot_of(world_of(bus), chan);

	CHECK(s->open && chan->ring && chan->ring->pinned);
	s->open = false;
	s->pending = false;
	s->result = false;
}

static void fx_retarget(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	CHECK(slot_of(world_of(bus), chan)->open && chan->target_vp < NR_VPS);
}

static void fx_release(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	struct world *w = world_of(bus);
	struct slot *s = slot_of(w, chan);

	CHECK(!s->open && !chan->relid && !stays(chan));
	w->relid[s->relid] = UNKNOWN;
	free(chan);
	*s = (struct slot){};
}

static int fx_monitor(struct ovid_bus *bus)
{
	CHECK(!((bus->monitor_page[0] | bus->monitor_page[1] | bus->interrupt_page) % PAGE));
	CHECK(!bus->monitor_page[0] == !bus->monitor_page[1]);
	/* memory that is not the guest's */
	return bus->monitor_page[1] >> 12 & 1 ? -EFAULT : 0;
}

static int fx_tl_connect(struct ovid_bus *bus, const struct vmbus_w_tl_connect2 *want)
{
	CHECK(bus->version >= VMBUS_V4_0 && want->c.h.type == VMBUS_TL_CONNECT);
	return world_of(bus)->tl;
}

static struct ovid_bus_chan *fx_gone(struct ovid_bus *bus)
{
	struct world *w = world_of(bus);
	int i;

	for (i = 0; i < NR_SLOTS && w->slot[i].chan; i++)
		;
	if (i == NR_SLOTS)
		return NULL;
	w->slot[i].chan = calloc(1, sizeof(struct ovid_bus_chan));
	return w->slot[i].chan;
}

/* half of the devices have sub-channels that nobody offers for a restore */
static bool is_made(const struct ovid_bus_chan *chan)
{
	return chan->offer.sub_index && chan->offer.instance.b[3] & 1;
}

static struct ovid_bus_chan *fx_sub(struct ovid_bus *bus, struct ovid_bus_chan *primary, u16 index)
{
	struct ovid_bus_chan *chan;

	CHECK(!primary->offer.sub_index && index && !primary->revoked);
	chan = fx_gone(bus);
	if (!chan)
		return NULL;
	chan->offer = primary->offer;
	chan->offer.sub_index = index;
	chan->latency = 1000;
	if (is_made(chan))
		return chan;
	fx_release(bus, chan);
	return NULL;
}

/* all is as it has to be for a provider; what the guest knows is looked at afterwards */
static int fx_restore(struct ovid_bus *bus, struct ovid_bus_chan *chan, u32 index)
{
	struct world *w = world_of(bus);
	struct slot *s = slot_of(w, chan);
	struct ovid_gpadl *ring = chan->ring;

	CHECK(w->moving && index < bus->nr_chans && !s->open);
	if (chan->state != OVID_CHAN_CLOSED) {
		CHECK(ring && ring->pinned && ring->relid == chan->relid && ring->range_count == 1);
		CHECK(chan->downstream >= 2 && chan->downstream <= ring->pages - 2);
		CHECK(chan->target_vp < NR_VPS || chan->target_vp == VMBUS_VP_NONE);
	}
	if (!w->restores--)
		return -EIO;
	s->open = chan->state != OVID_CHAN_CLOSED;
	s->pending = s->result = chan->state == OVID_CHAN_OPENING;
	return 0;
}

static void fx_unrestore(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	struct slot *s = slot_of(world_of(bus), chan);

	CHECK(s->open == (chan->state != OVID_CHAN_CLOSED) && (!s->open || chan->ring->pinned));
	s->open = s->pending = s->result = false;
}

static const struct ovid_bus_effects effects = {
	.post = fx_post,
	.drop_posts = fx_drop_posts,
	.pin = fx_pin,
	.unpin = fx_unpin,
	.open = fx_open,
	.close = fx_close,
	.retarget = fx_retarget,
	.release = fx_release,
	.monitor = fx_monitor,
	.tl_connect = fx_tl_connect,
	.gone = fx_gone,
	.sub = fx_sub,
	.restore = fx_restore,
	.unrestore = fx_unrestore,
};

/* ---- what holds between any two steps --------------------------------------- */

static void check_chans(struct world *w)
{
	struct ovid_bus_chan *c;
	u32 nr = 0;

	for (c = w->bus.chans; c; c = c->next, nr++) {
		struct slot *s = slot_of(w, c);

		CHECK(c->offered == !!c->relid);
		CHECK(!c->relid || w->bus.chan[c->relid] == c);
		CHECK(!c->offered || w->relid[c->relid] == (c->revoked ? RESCINDED : OFFERED));
		CHECK(!c->revoked || (c->offered && c->state == OVID_CHAN_CLOSED));
		CHECK(s->open == (c->state != OVID_CHAN_CLOSED) && s->open == !!c->ring);
		CHECK(s->pending == (c->state == OVID_CHAN_OPENING) && s->result == s->pending);
	}
	CHECK(nr == w->bus.nr_chans);
}

static void check_gpadls(struct world *w)
{
	u32 nr = 0, pages = 0, pins = 0;
	struct ovid_gpadl *g;

	for (g = w->bus.gpadls; g; g = g->next, nr++) {
		struct ovid_bus_chan *c = w->bus.chan[g->relid];

		CHECK(c && !c->revoked && gpadl_by_id(w, g->id) == g);
		CHECK(g->complete == !!g->pinned && g->complete == (g->have >= g->range_bytes));
		CHECK(!g->teardown || c->ring == g);
		pages += g->pages;
		pins += g->complete;
	}
	CHECK(nr == w->bus.nr_gpadls && nr <= OVID_BUS_MAX_GPADLS && pins == w->pins);
	CHECK(pages == w->bus.gpadl_pages && pages <= OVID_BUS_MAX_GPADL_PAGES);
}

static void check(struct world *w)
{
	CHECK((w->bus.state == OVID_BUS_DISCONNECTED) == !w->bus.version);
	CHECK(!(w->bus.agreed_features & ~OVID_BUS_FEATURES));
	CHECK(!w->bus.agreed_features || w->bus.version >= VMBUS_V6_0);
	CHECK(w->bus.bad_messages <= w->bus.messages);
	check_chans(w);
	check_gpadls(w);
}

/* ---- steps ------------------------------------------------------------------ */

static u8 next(struct world *w)
{
	if (!w->len)
		return 0;
	w->len--;
	return *w->data++;
}

static void take(struct world *w, void *to, size_t bytes)
{
	size_t n = min(bytes, w->len);

	memcpy(to, w->data, n);
	w->data += n;
	w->len -= n;
}

static void send(struct world *w, u32 connection, const void *msg, u32 bytes)
{
	const struct vmbus_w_relid *m = msg;
	void *copy = malloc(bytes ?: 1);	/* so that reading past its end is seen */
	u64 bad = w->bus.bad_messages;
	int err;

	CHECK(copy);
	memcpy(copy, msg, bytes);
	if (bytes >= 4 && m->h.type == VMBUS_GPADL_TEARDOWN)
		w->teardowns++;
	w->replies = 0;
	err = ovid_bus_message(&w->bus, connection, copy, bytes);
	CHECK(!err || err == -EPROTO || err == -EINVAL);
	CHECK(w->bus.bad_messages == bad + !!err);
	if (!err && m->h.type == VMBUS_RELID_RELEASED && !w->bus.chan[m->relid])
		w->relid[m->relid] = UNKNOWN;
	free(copy);
}

/* by the right connection: others are for raw messages */
static u32 connection(struct world *w)
{
	return w->bus.version >= VMBUS_V5_0 ? VMBUS_CONN_MESSAGE : VMBUS_CONN_LEGACY;
}

static void raw(struct world *w)
{
	u8 buf[VMBUS_MSG_BYTES + 16] = {};
	u8 how = next(w), bytes = next(w);

	buf[0] = how & 31;
	take(w, buf + 8, bytes > 8 ? bytes - 8 : 0);
	if (how & 64)
		buf[4] = 1;
	/* 0, and those that there are */
	send(w, how & 32 ? how >> 6 == 3 ? VMBUS_CONN_MESSAGE : how >> 6 : connection(w), buf, bytes);
}

static void contact(struct world *w)
{
	static const u32 versions[] = {
		VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V3_0, VMBUS_V4_0, VMBUS_V4_1,
		VMBUS_V5_0, VMBUS_V5_1, VMBUS_V5_2, VMBUS_V5_3, VMBUS_V6_0, 0x70000,
	};
	u8 which = next(w), how = next(w);
	struct vmbus_w_initiate_contact2 m = {
		.c.h.type = VMBUS_INITIATE_CONTACT, .c.version = versions[which % 12],
		.c.target_vp = how & 7,
	};

	if (m.c.version >= VMBUS_V5_0) {
		m.c.sint = how & 8 ? which >> 4 : 2;
		m.c.features = which;
		if (how & 128)
			*(which & 1 ? &m.c.vtl : &m.c.sint) += 14;
	} else if (how & 8) {
		m.c.interrupt_page = which * PAGE + (how & 128 ? 8 : 0);
	}
	if (how & 16)
		m.c.monitor_page1 = 0x1000;
	if (how & 32)
		m.c.monitor_page2 = 0x2000;
	send(w, m.c.version >= VMBUS_V5_0 ? VMBUS_CONN_MESSAGE : VMBUS_CONN_LEGACY, &m,
	     how & 64 ? sizeof(m) : sizeof(m.c));
}

static void request_offers(struct world *w)
{
	struct vmbus_w_header m = { .type = VMBUS_REQUEST_OFFERS };

	send(w, connection(w), &m, sizeof(m));
}

static void unload(struct world *w)
{
	struct vmbus_w_header m = { .type = VMBUS_UNLOAD };

	send(w, connection(w), &m, sizeof(m));
}

/* one range, as much of it as fits */
static void gpadl_header(struct world *w)
{
	u8 relid = next(w), id = next(w), pages = next(w), head = min_t(u8, pages, 26);
	struct {
		struct vmbus_w_gpadl_header h;
		u32 bytes, offset;
		u64 pfn[26];
	} __packed m = {
		.h.h.type = VMBUS_GPADL_HEADER, .h.relid = relid, .h.gpadl = id,
		.h.range_bytes = 8 + 8 * pages, .h.range_count = 1, .bytes = pages * PAGE,
	};
	u32 i;

	for (i = 0; i < head; i++)
		m.pfn[i] = i;
	send(w, connection(w), &m, 28 + 8 * head);
}

static void gpadl_body(struct world *w)
{
	struct {
		struct vmbus_w_gpadl_body b;
		u64 pfn[28];
	} m = { .b.h.type = VMBUS_GPADL_BODY };
	u8 how;

	m.b.gpadl = next(w);
	how = next(w);
	if (how & 128)
		m.pfn[0] = ~0ull;
	send(w, connection(w), &m, sizeof(m.b) + 8 * (how & 127) % 29);
}

static void gpadl_teardown(struct world *w)
{
	struct vmbus_w_gpadl_teardown m = { .h.type = VMBUS_GPADL_TEARDOWN };

	m.relid = next(w);
	m.gpadl = next(w);
	send(w, connection(w), &m, sizeof(m));
}

static void open_channel(struct world *w)
{
	struct vmbus_w_open m = { .h.type = VMBUS_OPEN };
	u8 how;

	m.relid = next(w);
	m.ring_gpadl = next(w);
	how = next(w);
	m.open_id = how;
	m.target_vp = how & 8 ? VMBUS_VP_NONE : how & 7;
	m.downstream = how >> 4;
	send(w, connection(w), &m, sizeof(m));
}

static void with_relid(struct world *w, u32 type)
{
	struct vmbus_w_modify m = { .h.type = type };

	m.relid = next(w);
	if (type == VMBUS_MODIFY)
		m.target_vp = next(w);
	send(w, connection(w), &m, type == VMBUS_MODIFY ? 16 : 12);
}

static void offer(struct world *w)
{
	u8 how = next(w);
	struct slot *s = &w->slot[how % NR_SLOTS];
	struct ovid_bus_chan *chan;

	if (s->chan)
		return;
	chan = calloc(1, sizeof(*chan));
	CHECK(chan);
	s->chan = chan;
	chan->offer.instance.b[3] = how >> 4 & 3;
	chan->offer.sub_index = how >> 6;
	chan->latency = how & 1 ? 1000 : 0;
	chan->offer.flags = how & 2 ? VMBUS_OFFER_TLNPI : 0;
	if (ovid_bus_offer(&w->bus, chan)) {
		free(chan);
		s->chan = NULL;
	}
}

static void revoke(struct world *w)
{
	struct slot *s = &w->slot[next(w) % NR_SLOTS];

	if (!s->chan || !ovid_bus_revoke(&w->bus, s->chan))
		return;
	CHECK(!s->open);
	free(s->chan);
	*s = (struct slot){};
}

static void open_done(struct world *w)
{
	u8 how = next(w);
	struct slot *s = &w->slot[how % NR_SLOTS];
	int err = how & 128 ? -EIO : 0;

	if (!s->chan)
		return;
	w->replies = 0;
	if (s->pending && err)
		s->open = s->result = false;
	s->pending = false;
	ovid_bus_open_done(&w->bus, s->chan, err);
}

/* a bus that knows what is offered, and awaits a state */
static void renew(struct world *w)
{
	struct ovid_bus_chan *chan, *next, *chans = w->bus.chans;
	struct ovid_gpadl *g;

	while ((g = w->bus.gpadls)) {
		w->bus.gpadls = g->next;
		free(g);
	}
	w->pins = 0;
	ovid_bus_init(&w->bus, &effects, w);
	w->bus.nr_vps = NR_VPS;
	w->bus.awaits = true;
	for (chan = chans; chan; chan = next) {
		struct slot *s = slot_of(w, chan);

		next = chan->next;
		if (chan->revoked || is_made(chan)) {
			free(chan);
			*s = (struct slot){};
			continue;
		}
		*s = (struct slot){ .chan = chan };
		*chan = (struct ovid_bus_chan){ .offer = chan->offer, .latency = chan->latency };
		CHECK(!ovid_bus_offer(&w->bus, chan));
	}
}

/* what the guest believes, after a state that may be forged */
static void learn(struct world *w)
{
	struct ovid_bus_chan *c;
	struct ovid_gpadl *g;

	memset(w->relid, UNKNOWN, sizeof(w->relid));
	for (c = w->bus.chans; c; c = c->next) {
		w->relid[c->relid] = c->revoked ? RESCINDED : OFFERED;
		slot_of(w, c)->relid = c->relid;
	}
	w->relid[0] = UNKNOWN;
	for (g = w->bus.gpadls; g; g = g->next)
		w->teardowns += g->teardown;
	w->silent &= w->bus.state == OVID_BUS_DISCONNECTED;
	w->bus.bad_messages = 0;
}

static int restore(struct world *w, const void *stream, u64 bytes, u32 restores)
{
	struct ovid_saved from = { .at = stream, .left = bytes };
	int err;

	w->moving = true;
	w->restores = restores;
	err = ovid_bus_restore(&w->bus, &from);
	w->moving = false;
	CHECK(err || !from.left);
	if (!err)
		learn(w);
	else
		CHECK(w->bus.awaits && !w->bus.gpadls && !w->pins && !w->bus.version);
	return err;
}

/* a few bytes of the stream are others: @how says how many */
static void forge(struct world *w, u8 *stream, u64 bytes, u8 how)
{
	u16 at;

	for (how %= 8; how; how--) {
		at = next(w) | next(w) << 8;
		stream[at % bytes] = next(w);
	}
}

static void move(struct world *w)
{
	struct ovid_saving to = {};
	struct ovid_saved none = {};
	u8 *good, *bad, how = next(w);

	ovid_host_allocs = -1;
	w->pin = 0;
	ovid_bus_save(&w->bus, &to);
	good = calloc(1, to.bytes);
	bad = malloc(to.bytes);
	CHECK(good && bad);
	to = (struct ovid_saving){ .buf = good, .room = to.bytes };
	ovid_bus_save(&w->bus, &to);
	CHECK(to.bytes == to.room);
	memcpy(bad, good, to.bytes);
	CHECK(ovid_bus_restore(&w->bus, &none) == -EBUSY);	/* it awaits none */
	renew(w);
	if (how & 8)
		CHECK(restore(w, good, to.bytes - 1 - how % 64, ~0u));
	if (how & 16)
		w->pin = -EFAULT;
	if (how & 32)
		ovid_host_allocs = how >> 6;
	forge(w, bad, to.bytes, how);
	if (restore(w, bad, to.bytes, how & 128 ? how >> 5 & 3 : ~0u)) {
		ovid_host_allocs = -1;
		w->pin = 0;
		CHECK(!restore(w, good, to.bytes, ~0u));
	}
	ovid_host_allocs = -1;
	w->pin = 0;
	free(good);
	free(bad);
}

static void world_goes_wrong(struct world *w)
{
	static const int pin[] = { 0, -EFAULT, -ENOMEM, 0 };
	static const int open[] = { 0, -EINPROGRESS, -EIO, -EINPROGRESS };
	u8 how = next(w);

	if (how == 0xfe)
		return move(w);
	w->pin = pin[how & 3];
	w->open = open[how >> 2 & 3];
	w->tl = how & 16 ? -ECONNREFUSED : 0;
	ovid_host_allocs = how & 32 ? how >> 6 : -1;
	if (how == 0xff)
		w->bus.last_relid = OVID_BUS_MAX_RELID - 1;
}

/* too short, of both lengths, and longer */
static void tl_connect(struct world *w)
{
	struct { struct vmbus_w_tl_connect2 m; u8 more[32]; } m = {
		.m.c.h.type = VMBUS_TL_CONNECT,
	};

	m.m.c.endpoint.b[0] = next(w);
	send(w, connection(w), &m, 25 + next(w) % 64);
}

static void tl_refuse(struct world *w)
{
	struct vmbus_w_guid guid = { .b = { next(w) } };

	w->replies = 0;
	ovid_bus_tl_refuse(&w->bus, &guid, &guid, -ENOENT);
}

static void modify_conn(struct world *w)
{
	struct vmbus_w_modify_conn m = { .h.type = VMBUS_MODIFY_CONN };
	u8 how = next(w);

	m.monitor_page1 = how & 1 ? 0x3000 : 0;
	m.monitor_page2 = how & 2 ? 0x4000 : 0;
	m.monitor_page2 |= how & 4 ? 8 : 0;
	send(w, connection(w), &m, sizeof(m));
}

/* begun and never ended, until there may be no more of them */
static void many_gpadls(struct world *w)
{
	struct vmbus_w_gpadl_header m = {
		.h.type = VMBUS_GPADL_HEADER, .relid = next(w), .range_bytes = 0xfff8,
		.range_count = 1,
	};
	u32 i;

	for (i = 0; i < 40; i++) {
		m.gpadl = 0x1000 + i;
		send(w, connection(w), &m, sizeof(m));
	}
}

/* complete, and perhaps of no use as a ring: two ranges, an offset, parts of pages */
static void other_gpadl(struct world *w)
{
	u8 relid = next(w), id = next(w), how = next(w);
	struct {
		struct vmbus_w_gpadl_header h;
		u32 bytes, offset;
		u64 pfn[6];
		u32 bytes2, offset2;
		u64 pfn2;
	} __packed m = {
		.h.h.type = VMBUS_GPADL_HEADER, .h.relid = relid, .h.gpadl = id,
		.bytes = 6 * PAGE, .bytes2 = PAGE,
	};

	m.h.range_count = 1 + (how & 1);
	m.h.range_bytes = how & 1 ? 72 : 56;
	if (how & 2)
		m.bytes -= 8;
	if (how & 4) {
		m.bytes -= PAGE;
		m.offset = 8;
	}
	send(w, connection(w), &m, sizeof(m.h) + m.h.range_bytes);
}

/* what is seldom, or dear */
static void rare(struct world *w)
{
	switch (w->len % 4) {
	case 0: return ovid_bus_disconnect(&w->bus);
	case 1: return tl_connect(w);
	case 2: return tl_refuse(w);
	}
	switch (w->len / 4 % 4) {
	case 0: return modify_conn(w);
	case 1: return many_gpadls(w);
	default: return other_gpadl(w);
	}
}

static void step(struct world *w)
{
	switch (next(w) % 16) {
	case 0: return raw(w);
	case 1: return contact(w);
	case 2: return request_offers(w);
	case 3: return gpadl_header(w);
	case 4: return gpadl_body(w);
	case 5: return gpadl_teardown(w);
	case 6: return open_channel(w);
	case 7: return with_relid(w, VMBUS_CLOSE);
	case 8: return with_relid(w, VMBUS_RELID_RELEASED);
	case 9: return with_relid(w, VMBUS_MODIFY);
	case 10: return unload(w);
	case 11: return offer(w);
	case 12: return revoke(w);
	case 13: return open_done(w);
	case 14: return world_goes_wrong(w);
	default: return rare(w);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct world *w = calloc(1, sizeof(*w));
	int i;

	CHECK(w);
	ovid_bus_init(&w->bus, &effects, w);
	w->bus.nr_vps = NR_VPS;
	w->data = data;
	w->len = len;
	while (w->len) {
		step(w);
		check(w);
	}
	ovid_host_allocs = -1;
	ovid_bus_disconnect(&w->bus);
	check(w);
	for (i = 0; i < NR_SLOTS; i++) {
		if (!w->slot[i].chan)
			continue;
		CHECK(ovid_bus_revoke(&w->bus, w->slot[i].chan));
		free(w->slot[i].chan);
	}
	CHECK(!w->bus.chans && !w->bus.nr_chans);
	for (i = 0; i <= OVID_BUS_MAX_RELID; i++)
		CHECK(!w->bus.chan[i]);
	free(w);
	return 0;
}
