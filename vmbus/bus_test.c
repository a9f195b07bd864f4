// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for the bus: what it does is written down by the effects as a line of
 * words, in the order in which it happens, which the cases compare.
 */
#include <kunit/test.h>
#include "msg.c"
#include "connect.c"
#include "offer.c"
#include "chan.c"
#include "gpadl.c"
#include "ranges.c"
#include "save.c"

#define NR_VPS		4
#define NR_CHANS	8
#define PAGES		26	/* pfns that a header has room for */
#define GPADL		0xe1e10u

struct world {
	struct ovid_bus bus;
	struct ovid_bus_chan chan[NR_CHANS];
	char log[2048];
	size_t used;
	u32 connection;
	int pin, open, tl, monitor;	/* what the effects return */
	bool keep;		/* what is released stays readable */
	bool mute;		/* nothing is written down, and effects work */
	int restore;		/* which call of the effect fails, from 1 on; 0: none */
	struct ovid_bus_chan *gone;	/* what the effect gives next, and by @next the others */
	struct ovid_bus_chan *sub;	/* the same, but for one */
	u8 last[VMBUS_MSG_BYTES] __aligned(8);	/* message that was posted */
	u32 last_bytes;
	u8 msg[VMBUS_MSG_BYTES] __aligned(8);
};

/* behind each step of a guest or host, if set: save_test.c */
static void (*after_step)(struct world *w);

static struct world *world_of(struct ovid_bus *bus)
{
	return bus->ctx;
}

static __printf(2, 3) void say(struct world *w, const char *fmt, ...)
{
	size_t left = sizeof(w->log) - w->used;
	va_list ap;
	int n;

	if (w->mute)
		return;
	if (w->used && left > 1) {
		w->log[w->used++] = ' ';
		left--;
	}
	va_start(ap, fmt);
	n = vsnprintf(w->log + w->used, left, fmt, ap);
	va_end(ap);
	w->used += n < left ? n : left - 1;
}

/* what was done since the last time */
#define EXPECT_LOG(w, text) do {			\
	KUNIT_EXPECT_STREQ(test, (w)->log, text);	\
	(w)->used = 0;					\
	(w)->log[0] = 0;				\
} while (0)

/* ---- effects -------------------------------------------------------------- */

static const char *ok(u32 status)
{
	return status ? "bad" : "ok";
}

static void say_post(struct world *w, const void *msg)
{
	const struct vmbus_w_header *h = msg;
	const struct vmbus_w_version_response *version = msg;
	const struct vmbus_w_offer *offer = msg;
	const struct vmbus_w_relid *relid = msg;
	const struct vmbus_w_open_result *result = msg;
	const struct vmbus_w_gpadl_created *created = msg;
	const struct vmbus_w_gpadl_torndown *torndown = msg;
	const struct vmbus_w_modify_response *modify = msg;
	const struct vmbus_w_tl_result *tl = msg;
	const struct vmbus_w_modify_conn_response *modify_conn = msg;

	switch (h->type) {
	case VMBUS_VERSION_RESPONSE:
		return say(w, "version:%u/%u/%x", version->supported, version->state,
			   version->value);
	case VMBUS_OFFER:
		return say(w, "offer:%u", offer->relid);
	case VMBUS_RESCIND:
		return say(w, "rescind:%u", relid->relid);
	case VMBUS_ALL_OFFERS:
		return say(w, "all");
	case VMBUS_OPEN_RESULT:
		return say(w, "result:%u/%u/%s", result->relid, result->open_id,
			   ok(result->status));
	case VMBUS_GPADL_CREATED:
		return say(w, "created:%u/%x/%s", created->relid, created->gpadl,
			   ok(created->status));
	case VMBUS_GPADL_TORNDOWN:
		return say(w, "torndown:%x", torndown->gpadl);
	case VMBUS_UNLOAD_RESPONSE:
		return say(w, "unloaded");
	case VMBUS_MODIFY_RESPONSE:
		return say(w, "modified:%u/%s", modify->relid, ok(modify->status));
	case VMBUS_TL_RESULT:
		return say(w, "tl:%x", tl->status);
	case VMBUS_MODIFY_CONN_RESPONSE:
		return say(w, "modified:%s", ok(modify_conn->state));
	default:
		return say(w, "type%u", h->type);
	}
}

static void fx_post(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	struct world *w = world_of(bus);

	w->last_bytes = bytes;
	memset(w->last, 0xaa, sizeof(w->last));
	memcpy(w->last, msg, min_t(u32, bytes, sizeof(w->last)));
	say_post(w, msg);
}

static void fx_drop_posts(struct ovid_bus *bus)
{
	say(world_of(bus), "drop");
}

static int fx_pin(struct ovid_bus *bus, struct ovid_gpadl *gpadl)
{
	say(world_of(bus), "pin:%x/%u", gpadl->id, gpadl->pages);
	return world_of(bus)->mute ? 0 : world_of(bus)->pin;
}

static void fx_unpin(struct ovid_bus *bus, struct ovid_gpadl *gpadl)
{
	say(world_of(bus), "unpin:%x", gpadl->id);
}

static int fx_open(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	say(world_of(bus), "open:%u", chan->relid);
	return world_of(bus)->open;
}

static void fx_close(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	say(world_of(bus), "close:%u%s", chan->relid, chan->ring->complete ? "" : "!");
}

static void fx_retarget(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	say(world_of(bus), "retarget:%u/%u", chan->relid, chan->target_vp);
}

static void fx_release(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	struct world *w = world_of(bus);

	if (chan >= w->chan && chan < w->chan + NR_CHANS)
		say(w, "release:%u", (u32)(chan - w->chan));
	if (!w->keep)
		memset(chan, 0xee, sizeof(*chan));
}

static int fx_monitor(struct ovid_bus *bus)
{
	say(world_of(bus), "monitor:%x/%x/%x", (u32)bus->interrupt_page, (u32)bus->monitor_page[0],
	    (u32)bus->monitor_page[1]);
	return bus->monitor_page[0] && !world_of(bus)->mute ? world_of(bus)->monitor : 0;
}

static int fx_tl_connect(struct ovid_bus *bus, const struct vmbus_w_tl_connect2 *want)
{
	say(world_of(bus), "connect:%x/%x/%x", want->c.endpoint.b[0], want->c.service.b[0],
	    want->silo.b[0]);
	return world_of(bus)->tl;
}

static struct ovid_bus_chan *fx_gone(struct ovid_bus *bus)
{
	struct world *w = world_of(bus);
	struct ovid_bus_chan *chan = w->gone;

	say(w, "gone");
	if (!chan)
		return NULL;
	w->gone = chan->next;
	memset(chan, 0, sizeof(*chan));
	return chan;
}

static struct ovid_bus_chan *fx_sub(struct ovid_bus *bus, struct ovid_bus_chan *primary,
				    u16 index)
{
	struct world *w = world_of(bus);
	struct ovid_bus_chan *chan = w->sub;

	say(w, "sub:%u/%u", primary->relid, index);
	if (!chan)
		return NULL;
	w->sub = NULL;
	*chan = (struct ovid_bus_chan){ .offer = primary->offer };
	chan->offer.sub_index = index;
	return chan;
}

static int fx_restore(struct ovid_bus *bus, struct ovid_bus_chan *chan, u32 index)
{
	struct world *w = world_of(bus);

	say(w, "restore:%u/%u/%u", index, chan->relid, chan->state);
	return index + 1 == w->restore ? -EIO : 0;
}

static void fx_unrestore(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	say(world_of(bus), "unrestore:%u", chan->relid);
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

/* ---- a guest -------------------------------------------------------------- */

static int post(struct world *w, const void *msg, u32 bytes)
{
	int err;

	memmove(w->msg, msg, bytes);
	err = ovid_bus_message(&w->bus, w->connection, w->msg, bytes);
	if (after_step)
		after_step(w);
	return err;
}

static int simple(struct world *w, u32 type)
{
	struct vmbus_w_header m = { .type = type };

	return post(w, &m, sizeof(m));
}

static int with_relid(struct world *w, u32 type, u32 relid)
{
	struct vmbus_w_relid m = { .h.type = type, .relid = relid };

	return post(w, &m, sizeof(m));
}

static struct vmbus_w_initiate_contact contact_of(u32 version)
{
	struct vmbus_w_initiate_contact m = {
		.h.type = VMBUS_INITIATE_CONTACT, .version = version, .target_vp = 1,
	};

	if (version >= VMBUS_V5_0)
		m.sint = OVID_BUS_SINT;
	return m;
}

static int contact(struct world *w, struct vmbus_w_initiate_contact m)
{
	w->connection = m.version >= VMBUS_V5_0 ? VMBUS_CONN_MESSAGE : VMBUS_CONN_LEGACY;
	return post(w, &m, sizeof(m));
}

/* a GPADL of one range, one message, its pages from pfn 0x100 on */
static int gpadl_of(struct world *w, u32 relid, u32 id, u32 pages, u32 bytes)
{
	struct vmbus_w_gpadl_header *m = (void *)w->msg;
	u32 i, range[2] = { bytes, 0 };

	*m = (struct vmbus_w_gpadl_header) {
		.h.type = VMBUS_GPADL_HEADER, .relid = relid, .gpadl = id,
		.range_bytes = 8 + 8 * pages, .range_count = 1,
	};
	memcpy(m + 1, range, sizeof(range));
	for (i = 0; i < min_t(u32, pages, PAGES); i++) {
		u64 pfn = 0x100 + i;

		memcpy((u8 *)(m + 1) + 8 + 8 * i, &pfn, sizeof(pfn));
	}
	return post(w, w->msg, sizeof(*m) + 8 + 8 * i);
}

static int gpadl(struct world *w, u32 relid, u32 id, u32 pages)
{
	return gpadl_of(w, relid, id, pages, pages * VMBUS_PAGE);
}

/* @pfns of them, all the same */
static int body(struct world *w, u32 id, u32 pfns, u64 pfn)
{
	struct vmbus_w_gpadl_body *m = (void *)w->msg;
	u32 i;

	*m = (struct vmbus_w_gpadl_body) { .h.type = VMBUS_GPADL_BODY, .gpadl = id };
	for (i = 0; i < pfns; i++)
		memcpy((u8 *)(m + 1) + 8 * i, &pfn, sizeof(pfn));
	return post(w, w->msg, sizeof(*m) + 8 * pfns);
}

static int teardown(struct world *w, u32 relid, u32 id)
{
	struct vmbus_w_gpadl_teardown m = {
		.h.type = VMBUS_GPADL_TEARDOWN, .relid = relid, .gpadl = id,
	};

	return post(w, &m, sizeof(m));
}

static struct vmbus_w_open open_of(u32 relid, u32 ring)
{
	return (struct vmbus_w_open) {
		.h.type = VMBUS_OPEN, .relid = relid, .open_id = 77, .ring_gpadl = ring,
		.target_vp = 2, .downstream = 4, .user = { 1, 2, 3 },
	};
}

static int open(struct world *w, u32 relid, u32 ring)
{
	struct vmbus_w_open m = open_of(relid, ring);

	return post(w, &m, sizeof(m));
}

static int modify(struct world *w, u32 relid, u32 vp)
{
	struct vmbus_w_modify m = { .h.type = VMBUS_MODIFY, .relid = relid, .target_vp = vp };

	return post(w, &m, sizeof(m));
}

/* ---- a host --------------------------------------------------------------- */

static struct ovid_bus_chan *chan_of(struct world *w, unsigned int i, u8 instance, u16 sub)
{
	struct ovid_bus_chan *chan = &w->chan[i];

	memset(chan, 0, sizeof(*chan));
	chan->offer.type.b[0] = 9;
	chan->offer.instance.b[0] = instance;
	chan->offer.sub_index = sub;
	return chan;
}

static int offer(struct world *w, unsigned int i, u8 instance, u16 sub)
{
	int err = ovid_bus_offer(&w->bus, chan_of(w, i, instance, sub));

	if (after_step)
		after_step(w);
	return err;
}

static struct world *new_world(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	ovid_bus_init(&w->bus, &effects, w);
	w->bus.nr_vps = NR_VPS;
	w->connection = VMBUS_CONN_LEGACY;
	return w;
}

static void quiet(struct world *w)
{
	w->used = 0;
	w->log[0] = 0;
}

/* connected by @version, channels 0, 1, ... are offered as relids 1, 2, ... */
static struct world *offered(struct kunit *test, u32 version, unsigned int channels)
{
	struct world *w = new_world(test);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, contact(w, contact_of(version)));
	for (i = 0; i < channels; i++)
		KUNIT_ASSERT_EQ(test, 0, offer(w, i, i, 0));
	KUNIT_ASSERT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	quiet(w);
	return w;
}

/* and relid 1 is open, its ring is GPADL */
static struct world *opened(struct kunit *test, u32 version)
{
	struct world *w = offered(test, version, 2);

	KUNIT_ASSERT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	KUNIT_ASSERT_EQ(test, 0, open(w, 1, GPADL));
	EXPECT_LOG(w, "pin:e1e10/8 created:1/e1e10/ok open:1 result:1/77/ok");
	return w;
}

/* no GPADL and no channel is left behind */
static void end(struct kunit *test, struct world *w)
{
	ovid_bus_disconnect(&w->bus);
	KUNIT_EXPECT_NULL(test, w->bus.gpadls);
	KUNIT_EXPECT_EQ(test, 0u, w->bus.nr_gpadls);
	KUNIT_EXPECT_EQ(test, 0u, w->bus.gpadl_pages);
	while (w->bus.chans)
		KUNIT_ASSERT_TRUE(test, ovid_bus_revoke(&w->bus, w->bus.chans));
	KUNIT_EXPECT_EQ(test, 0u, w->bus.nr_chans);
}

/* ---- contact -------------------------------------------------------------- */

static void every_version(struct kunit *test)
{
	static const struct {
		u32 version;
		const char *log;
	} cases[] = {
		{ VMBUS_V0_13, "drop version:1/0/d" },
		{ VMBUS_V1_1, "drop version:1/0/10001" },
		{ VMBUS_V2_4, "drop version:1/0/20004" },
		{ VMBUS_V3_0, "drop version:1/0/30000" },
		{ VMBUS_V4_0, "drop version:1/0/40000" },
		{ VMBUS_V4_1, "drop version:1/0/40001" },
		{ VMBUS_V5_0, "drop version:1/0/4" },
		{ VMBUS_V5_1, "drop version:1/0/4" },
		{ VMBUS_V5_2, "drop version:1/0/4" },
		{ VMBUS_V5_3, "drop version:1/0/4" },
		{ VMBUS_V6_0, "drop version:1/0/4" },
	};
	struct world *w = new_world(test);
	struct vmbus_w_initiate_contact m;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 version = cases[i].version;

		m = contact_of(version);
		w->connection = version >= VMBUS_V5_0 ? VMBUS_CONN_LEGACY : VMBUS_CONN_MESSAGE;
		KUNIT_EXPECT_EQ(test, -EINVAL, post(w, &m, sizeof(m)));
		EXPECT_LOG(w, "");
		KUNIT_EXPECT_EQ(test, 0, contact(w, m));
		EXPECT_LOG(w, cases[i].log);
		KUNIT_EXPECT_EQ(test, version >= VMBUS_V6_0 ? 20u : 16u, w->last_bytes);
		KUNIT_EXPECT_EQ(test, OVID_BUS_CONNECTED, w->bus.state);
		KUNIT_EXPECT_EQ(test, version, w->bus.version);
		KUNIT_EXPECT_EQ(test, version >= VMBUS_V3_0 ? 1u : 0u, w->bus.target_vp);
		KUNIT_EXPECT_EQ(test, OVID_BUS_SINT, w->bus.sint);
	}
}

static void refused_version(struct kunit *test)
{
	static const u32 unknown[] = {
		0, 1, VMBUS_VERSION(0, 12), VMBUS_VERSION(1, 0), VMBUS_VERSION(3, 1),
		VMBUS_VERSION(4, 2), VMBUS_VERSION(5, 4), VMBUS_VERSION(6, 1), 0xffffffff,
	};
	struct world *w = new_world(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(unknown[i])));
		EXPECT_LOG(w, "drop version:0/0/0");
		KUNIT_EXPECT_EQ(test, 16u, w->last_bytes);
		KUNIT_EXPECT_EQ(test, OVID_BUS_DISCONNECTED, w->bus.state);
	}
	/* a guest that goes down from the newest */
	w->bus.max_version = VMBUS_V4_1;
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V6_0)));
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_0)));
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V4_1)));
	EXPECT_LOG(w, "drop version:0/0/0 drop version:0/0/0 drop version:1/0/40001");
	/* one that was connected is not any more */
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_0)));
	KUNIT_EXPECT_EQ(test, -EPROTO, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "drop version:0/0/0");
}

static void features(struct kunit *test)
{
	struct vmbus_w_initiate_contact2 m = { .c = contact_of(VMBUS_V6_0), .client.b = { 5 } };
	struct world *w = new_world(test);
	struct vmbus_w_version_response *r = (void *)w->last;

	m.c.features = 0xffffffff;
	w->connection = VMBUS_CONN_MESSAGE;
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	KUNIT_EXPECT_EQ(test, OVID_BUS_FEATURES, r->features);
	KUNIT_EXPECT_EQ(test, OVID_BUS_FEATURES, w->bus.agreed_features);
	KUNIT_EXPECT_EQ(test, 5, w->bus.client.b[0]);
	/* without the room for it */
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m) - 1));
	KUNIT_EXPECT_EQ(test, VMBUS_FEATURE_MODIFY_CONN, r->features);
	KUNIT_EXPECT_EQ(test, 0, w->bus.client.b[0]);
	w->bus.features = 0;
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	KUNIT_EXPECT_EQ(test, 0u, r->features);
	KUNIT_EXPECT_EQ(test, 0, w->bus.client.b[0]);
	/* older versions have none */
	w->bus.features = OVID_BUS_FEATURES;
	m.c.version = VMBUS_V5_3;
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	KUNIT_EXPECT_EQ(test, 16u, w->last_bytes);
	KUNIT_EXPECT_EQ(test, 0u, w->bus.agreed_features);
}

static void contact_targets(struct kunit *test)
{
	struct world *w = new_world(test);
	struct vmbus_w_initiate_contact m = contact_of(VMBUS_V5_3);

	m.target_vp = NR_VPS;
	KUNIT_EXPECT_EQ(test, -EPROTO, contact(w, m));
	m.target_vp = 0xffffffff;
	KUNIT_EXPECT_EQ(test, -EPROTO, contact(w, m));
	m.target_vp = NR_VPS - 1;
	m.sint = 16;
	KUNIT_EXPECT_EQ(test, -EPROTO, contact(w, m));
	EXPECT_LOG(w, "");
	/* told where it listens */
	m.sint = 5;
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	EXPECT_LOG(w, "drop version:0/0/0");
	KUNIT_EXPECT_EQ(test, 5, w->bus.sint);
	KUNIT_EXPECT_EQ(test, NR_VPS - 1u, w->bus.target_vp);
	/* another server's */
	m.sint = OVID_BUS_SINT;
	m.vtl = 2;
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	EXPECT_LOG(w, "drop version:0/0/0");
	m.version = VMBUS_V5_0;		/* has no VTLs yet */
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	EXPECT_LOG(w, "drop version:1/0/4");
	/* to the first VP before 3.0, whatever is there */
	m = contact_of(VMBUS_V0_13);
	m.target_vp = 0xffffffff;
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	EXPECT_LOG(w, "drop version:1/0/d");
	KUNIT_EXPECT_EQ(test, 0u, w->bus.target_vp);
}

static void shared_pages(struct kunit *test)
{
	struct world *w = new_world(test);
	struct vmbus_w_initiate_contact m = contact_of(VMBUS_V2_4);

	m.interrupt_page = 0x3001;	/* nobody looks at it */
	m.monitor_page1 = 0x1000;
	KUNIT_EXPECT_EQ(test, -EPROTO, contact(w, m));
	EXPECT_LOG(w, "drop version:1/2/20004");
	KUNIT_EXPECT_EQ(test, OVID_BUS_DISCONNECTED, w->bus.state);
	m.monitor_page2 = 0x2008;
	KUNIT_EXPECT_EQ(test, -EPROTO, contact(w, m));
	EXPECT_LOG(w, "drop version:1/2/20004");
	m.monitor_page2 = 0x2000;
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	EXPECT_LOG(w, "drop monitor:0/1000/2000 version:1/0/20004");
	/* older ones know yes and no only, and have an interrupt page */
	m.version = VMBUS_V1_1;
	KUNIT_EXPECT_EQ(test, -EPROTO, contact(w, m));
	EXPECT_LOG(w, "monitor:0/0/0 drop version:0/0/0");
	m.interrupt_page = 0x3000;
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	EXPECT_LOG(w, "drop monitor:3000/1000/2000 version:1/0/10001");
	m.monitor_page1 = 0;
	KUNIT_EXPECT_EQ(test, -EPROTO, contact(w, m));
	EXPECT_LOG(w, "monitor:0/0/0 drop version:0/0/0");
	m.monitor_page2 = 0;
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	EXPECT_LOG(w, "drop monitor:3000/0/0 version:1/0/10001");
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_UNLOAD));
	EXPECT_LOG(w, "monitor:0/0/0 drop unloaded");
}

static void modify_connection(struct kunit *test)
{
	struct vmbus_w_modify_conn m = {
		.h.type = VMBUS_MODIFY_CONN, .monitor_page1 = 0x5000, .monitor_page2 = 0x6000,
	};
	struct vmbus_w_initiate_contact c = contact_of(VMBUS_V6_0);
	struct world *w = new_world(test);

	KUNIT_EXPECT_EQ(test, 0, contact(w, c));
	KUNIT_EXPECT_EQ(test, -EPROTO, post(w, &m, sizeof(m)));	/* not agreed on */
	c.features = VMBUS_FEATURE_MODIFY_CONN;
	KUNIT_EXPECT_EQ(test, 0, contact(w, c));
	quiet(w);
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	EXPECT_LOG(w, "monitor:0/5000/6000 modified:ok");
	KUNIT_EXPECT_EQ(test, 9u, w->last_bytes);
	m.monitor_page2 = 0;
	KUNIT_EXPECT_EQ(test, -EPROTO, post(w, &m, sizeof(m)));
	EXPECT_LOG(w, "modified:bad");
	KUNIT_EXPECT_EQ(test, 0x5000ull, w->bus.monitor_page[0]);
	m.monitor_page1 = 0;
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	EXPECT_LOG(w, "monitor:0/0/0 modified:ok");
}

/* ---- the table ------------------------------------------------------------ */

static const struct {
	u32 type, bytes;
} guest_messages[] = {
	{ VMBUS_REQUEST_OFFERS, 8 }, { VMBUS_OPEN, 148 }, { VMBUS_CLOSE, 12 },
	{ VMBUS_GPADL_HEADER, 20 }, { VMBUS_GPADL_BODY, 16 }, { VMBUS_GPADL_TEARDOWN, 16 },
	{ VMBUS_RELID_RELEASED, 12 }, { VMBUS_TL_CONNECT, 40 }, { VMBUS_MODIFY, 16 },
	{ VMBUS_MODIFY_CONN, 24 }, { VMBUS_INITIATE_CONTACT, 40 }, { VMBUS_UNLOAD, 8 },
};

static void short_messages(struct kunit *test)
{
	struct vmbus_w_initiate_contact c = contact_of(VMBUS_V6_0);
	struct world *w = new_world(test);
	unsigned int i, bytes, nr = 0;

	c.features = VMBUS_FEATURE_MODIFY_CONN;
	KUNIT_ASSERT_EQ(test, 0, contact(w, c));
	quiet(w);
	for (i = 0; i < ARRAY_SIZE(guest_messages); i++) {
		u8 m[VMBUS_MSG_BYTES] __aligned(8) = {};

		memcpy(m, &guest_messages[i].type, 4);
		for (bytes = 0; bytes < guest_messages[i].bytes; bytes++, nr++)
			KUNIT_EXPECT_EQ_MSG(test, -EPROTO,
					    ovid_bus_message(&w->bus, w->connection, m, bytes),
					    "type %u, %u bytes", guest_messages[i].type, bytes);
		KUNIT_EXPECT_EQ(test, -EPROTO, ovid_bus_message(&w->bus, w->connection, m,
								VMBUS_MSG_BYTES + 1));
		nr++;
	}
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, (u64)nr, w->bus.bad_messages);
	KUNIT_EXPECT_EQ(test, nr + 1ull, w->bus.messages);
}

/* all types, the host's own and those that are none included */
static void before_contact(struct kunit *test)
{
	struct world *w = new_world(test);
	u32 type;

	for (type = 0; type < 300; type++) {
		u8 m[VMBUS_MSG_BYTES] __aligned(8) = {};

		if (type == VMBUS_INITIATE_CONTACT || type == VMBUS_UNLOAD)
			continue;
		memcpy(m, &type, sizeof(type));
		KUNIT_EXPECT_EQ_MSG(test, -EPROTO, post(w, m, sizeof(m)), "type %u", type);
	}
	KUNIT_EXPECT_EQ(test, -EPROTO, simple(w, 0xffffffff));
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, OVID_BUS_DISCONNECTED, w->bus.state);
}

static void version_of_messages(struct kunit *test)
{
	struct vmbus_w_tl_connect tl = { .h.type = VMBUS_TL_CONNECT };
	struct world *w = opened(test, VMBUS_V3_0);

	KUNIT_EXPECT_EQ(test, -EPROTO, post(w, &tl, sizeof(tl)));
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 1, 0));
	EXPECT_LOG(w, "");
	end(test, w);
	w = opened(test, VMBUS_V4_0);
	KUNIT_EXPECT_EQ(test, 0, post(w, &tl, sizeof(tl)));
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 1, 0));
	EXPECT_LOG(w, "connect:0/0/0");
	end(test, w);
}

static void connection_ids(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V4_1, 1);

	w->connection = VMBUS_CONN_MESSAGE;
	KUNIT_EXPECT_EQ(test, -EINVAL, gpadl(w, 1, GPADL, 8));
	EXPECT_LOG(w, "");
	w = offered(test, VMBUS_V5_0, 1);
	w->connection = VMBUS_CONN_LEGACY;
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	w->connection = VMBUS_CONN_EVENT;
	KUNIT_EXPECT_EQ(test, -EINVAL, gpadl(w, 1, GPADL + 1, 8));
	EXPECT_LOG(w, "pin:e1e10/8 created:1/e1e10/ok");
	w->connection = VMBUS_CONN_MESSAGE;
	end(test, w);
}

/* ---- offers --------------------------------------------------------------- */

static void offers(struct kunit *test)
{
	struct world *w = new_world(test);
	struct vmbus_w_offer *m = (void *)w->last;

	KUNIT_EXPECT_EQ(test, 0, offer(w, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_3)));
	KUNIT_EXPECT_EQ(test, 0, offer(w, 1, 1, 0));
	EXPECT_LOG(w, "drop version:1/0/4");
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "offer:1 offer:2 all");
	KUNIT_EXPECT_EQ(test, 8u, w->last_bytes);
	KUNIT_EXPECT_EQ(test, -EPROTO, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "");
	/* one that comes later */
	chan_of(w, 2, 2, 0)->latency = 1000;
	w->chan[2].offer.flags = VMBUS_OFFER_TLNPI;
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_offer(&w->bus, &w->chan[2]));
	EXPECT_LOG(w, "offer:3");
	KUNIT_EXPECT_EQ(test, 196u, w->last_bytes);
	KUNIT_EXPECT_EQ(test, 9, m->type.b[0]);
	KUNIT_EXPECT_EQ(test, 2, m->instance.b[0]);
	KUNIT_EXPECT_EQ(test, VMBUS_OFFER_TLNPI, m->flags);
	KUNIT_EXPECT_EQ(test, 1, m->dedicated_interrupt);
	KUNIT_EXPECT_EQ(test, VMBUS_CONN_CHANNEL(3), m->connection_id);
	KUNIT_EXPECT_EQ(test, 0, m->monitor_allocated);	/* there is no page for it */
	KUNIT_EXPECT_EQ(test, -EEXIST, offer(w, 3, 2, 0));
	EXPECT_LOG(w, "");
	end(test, w);
}

/* a connection with monitor pages, of a guest that has asked for offers */
static struct world *monitored(struct kunit *test, u32 version)
{
	struct vmbus_w_initiate_contact m = contact_of(version);
	struct world *w = new_world(test);

	m.monitor_page1 = 0x1000;
	m.monitor_page2 = 0x2000;
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	return w;
}

/* the monitor that the last offer tells of; -1: none */
static int told_monitor(struct world *w)
{
	const struct vmbus_w_offer *m = (void *)w->last;

	return m->monitor_allocated ? m->monitor_id : -1;
}

static int offer_with(struct world *w, u32 i, u16 latency)
{
	chan_of(w, i, i, 0)->latency = latency;
	return ovid_bus_offer(&w->bus, &w->chan[i]);
}

/* how many are in use */
static u32 monitors(struct world *w)
{
	u32 i, n = 0;

	for (i = 0; i < VMBUS_MONITORS; i++)
		n += !!w->bus.monitored[i];
	return n;
}

static void offer_monitor(struct kunit *test)
{
	struct world *w = monitored(test, VMBUS_V1_1);
	struct vmbus_w_relid m = { .h.type = VMBUS_RELID_RELEASED, .relid = 1 };

	KUNIT_EXPECT_EQ(test, 0, offer_with(w, 0, 1000));
	KUNIT_EXPECT_EQ(test, 0, told_monitor(w));
	KUNIT_EXPECT_EQ(test, 0, offer_with(w, 1, 0));
	KUNIT_EXPECT_EQ(test, -1, told_monitor(w));
	KUNIT_EXPECT_EQ(test, 0, offer_with(w, 2, 1000));
	KUNIT_EXPECT_EQ(test, 1, told_monitor(w));
	KUNIT_EXPECT_PTR_EQ(test, &w->chan[0], w->bus.monitored[0]);
	/* it is the channel's until the guest has let go of that */
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	KUNIT_EXPECT_EQ(test, 0, offer_with(w, 3, 1000));
	KUNIT_EXPECT_EQ(test, 2, told_monitor(w));
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	KUNIT_EXPECT_NULL(test, w->bus.monitored[0]);
	KUNIT_EXPECT_EQ(test, 0, offer_with(w, 4, 1000));
	KUNIT_EXPECT_EQ(test, 0, told_monitor(w));
	/* and goes with the connection */
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_3)));
	KUNIT_EXPECT_EQ(test, 0u, monitors(w));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	KUNIT_EXPECT_EQ(test, 0u, monitors(w));
	end(test, w);
}

static void monitors_run_out(struct kunit *test)
{
	struct ovid_bus_chan *many = kunit_kcalloc(test, VMBUS_MONITORS + 1, sizeof(*many),
						   GFP_KERNEL);
	struct world *w = monitored(test, VMBUS_V5_3);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, many);
	for (i = 0; i <= VMBUS_MONITORS; i++) {
		memcpy(many[i].offer.instance.b, &i, sizeof(i));
		many[i].latency = 1000;
		KUNIT_EXPECT_EQ(test, 0, ovid_bus_offer(&w->bus, &many[i]));
		KUNIT_EXPECT_EQ(test, i < VMBUS_MONITORS ? (int)i : -1, told_monitor(w));
	}
	ovid_bus_disconnect(&w->bus);
	KUNIT_EXPECT_EQ(test, 0, many[0].offer.monitor_allocated);
	for (i = 0; i <= VMBUS_MONITORS; i++)
		KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &many[i]));
}

/* pages that are not the guest's: it has none, and signals by hypercalls */
static void monitor_pages_of_nobody(struct kunit *test)
{
	struct vmbus_w_modify_conn m = {
		.h.type = VMBUS_MODIFY_CONN, .monitor_page1 = 0x5000, .monitor_page2 = 0x6000,
	};
	struct vmbus_w_initiate_contact c = contact_of(VMBUS_V6_0);
	struct world *w = new_world(test);

	w->monitor = -EFAULT;
	c.monitor_page1 = 0x1000;
	c.monitor_page2 = 0x2000;
	c.features = VMBUS_FEATURE_MODIFY_CONN;
	KUNIT_EXPECT_EQ(test, 0, contact(w, c));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	KUNIT_EXPECT_EQ(test, 0, offer_with(w, 0, 1000));
	KUNIT_EXPECT_EQ(test, -1, told_monitor(w));
	quiet(w);
	KUNIT_EXPECT_EQ(test, -EPROTO, post(w, &m, sizeof(m)));
	EXPECT_LOG(w, "monitor:0/5000/6000 modified:bad");
	KUNIT_EXPECT_EQ(test, 0ull, w->bus.monitor_page[0] | w->bus.monitor_page[1]);
	w->monitor = 0;
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	KUNIT_EXPECT_EQ(test, 0, offer_with(w, 1, 1000));
	KUNIT_EXPECT_EQ(test, 0, told_monitor(w));
	end(test, w);
}

static void relids_run_out(struct kunit *test)
{
	struct ovid_bus_chan *many = kunit_kcalloc(test, OVID_BUS_MAX_RELID + 1, sizeof(*many),
						   GFP_KERNEL);
	struct world *w = offered(test, VMBUS_V5_3, 0);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, many);
	for (i = 0; i <= OVID_BUS_MAX_RELID; i++)
		memcpy(&many[i].offer.instance, &i, sizeof(i));
	for (i = 0; i < OVID_BUS_MAX_RELID; i++)
		KUNIT_ASSERT_EQ(test, 0, ovid_bus_offer(&w->bus, &many[i]));
	KUNIT_EXPECT_EQ(test, (u32)OVID_BUS_MAX_RELID, many[i - 1].relid);
	KUNIT_EXPECT_EQ(test, -ENOSPC, ovid_bus_offer(&w->bus, &many[i]));
	/* revoked is not yet free */
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &many[99]));
	KUNIT_EXPECT_EQ(test, -ENOSPC, ovid_bus_offer(&w->bus, &many[i]));
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 100));
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_offer(&w->bus, &many[i]));
	KUNIT_EXPECT_EQ(test, 100u, many[i].relid);
	quiet(w);
	/* a guest that comes again has all of them, by the same relids */
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_3)));
	KUNIT_EXPECT_EQ(test, 0u, many[i].relid);
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	KUNIT_EXPECT_EQ(test, (u32)OVID_BUS_MAX_RELID, many[i].relid);
	KUNIT_EXPECT_EQ(test, 100u, many[100].relid);
	end(test, w);
}

static void relids_go_round(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V5_3, 2);

	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	EXPECT_LOG(w, "rescind:1");
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));	/* again */
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 1));
	EXPECT_LOG(w, "release:0");
	KUNIT_EXPECT_EQ(test, 0, offer(w, 0, 0, 0));
	EXPECT_LOG(w, "offer:3");
	w->bus.last_relid = OVID_BUS_MAX_RELID;
	KUNIT_EXPECT_EQ(test, 0, offer(w, 3, 3, 0));
	EXPECT_LOG(w, "offer:1");
	KUNIT_EXPECT_EQ(test, 0, offer(w, 4, 4, 0));
	EXPECT_LOG(w, "offer:4");
	end(test, w);
}

static void declined(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V5_3, 2);

	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	quiet(w);
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 1));
	EXPECT_LOG(w, "unpin:e1e10");
	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_RELID_RELEASED, 1));
	KUNIT_EXPECT_EQ(test, -EPROTO, open(w, 1, GPADL));
	EXPECT_LOG(w, "result:1/77/bad");
	KUNIT_EXPECT_EQ(test, -EEXIST, offer(w, 3, 0, 0));
	/* by the next connection again */
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_3)));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "drop version:1/0/4 offer:1 offer:2 all");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 2));
	KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &w->chan[1]));
	EXPECT_LOG(w, "");
	end(test, w);
}

static void released_wrongly(struct kunit *test)
{
	struct world *w = opened(test, VMBUS_V5_3);

	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_RELID_RELEASED, 0));
	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_RELID_RELEASED, 1));
	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_RELID_RELEASED, 3));
	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_RELID_RELEASED, 2048));
	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_RELID_RELEASED, 0xffffffff));
	EXPECT_LOG(w, "");
	end(test, w);
}

/* ---- GPADLs --------------------------------------------------------------- */

static void gpadl_assembly(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V5_3, 2);
	struct ovid_gpadl *g;
	u32 at = 0, bytes, offset;
	const u64 *pfn;

	/* two at a time, mixed */
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, PAGES + 30));
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 2, GPADL + 1, PAGES + 1));
	KUNIT_EXPECT_EQ(test, 0, body(w, GPADL, 28, 0x28));
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_NULL(test, ovid_bus_gpadl(&w->bus, GPADL, 0));
	KUNIT_EXPECT_EQ(test, 0, body(w, GPADL + 1, 28, 0x1));	/* full length, one counts */
	KUNIT_EXPECT_EQ(test, 0, body(w, GPADL, 0, 0));
	EXPECT_LOG(w, "pin:e1e11/27 created:2/e1e11/ok");
	KUNIT_EXPECT_EQ(test, 0, body(w, GPADL, 2, 0x29));
	EXPECT_LOG(w, "pin:e1e10/56 created:1/e1e10/ok");
	KUNIT_EXPECT_EQ(test, 56u + 27, w->bus.gpadl_pages);

	g = ovid_bus_gpadl(&w->bus, GPADL, 1);
	KUNIT_ASSERT_NOT_NULL(test, g);
	KUNIT_EXPECT_NULL(test, ovid_bus_gpadl(&w->bus, GPADL, 2));
	KUNIT_EXPECT_PTR_EQ(test, g, ovid_bus_gpadl(&w->bus, GPADL, 0));
	pfn = ovid_gpadl_range(g, &at, &bytes, &offset);
	KUNIT_ASSERT_NOT_NULL(test, pfn);
	KUNIT_EXPECT_EQ(test, 56 * VMBUS_PAGE, bytes);
	KUNIT_EXPECT_EQ(test, 0u, offset);
	KUNIT_EXPECT_EQ(test, 0x119ull, pfn[25]);
	KUNIT_EXPECT_EQ(test, 0x28ull, pfn[26]);
	KUNIT_EXPECT_EQ(test, 0x29ull, pfn[55]);
	KUNIT_EXPECT_NULL(test, ovid_gpadl_range(g, &at, &bytes, &offset));

	KUNIT_EXPECT_EQ(test, -EPROTO, body(w, GPADL, 1, 1));		/* complete */
	KUNIT_EXPECT_EQ(test, -EPROTO, body(w, GPADL + 7, 1, 1));	/* nothing of that name */
	EXPECT_LOG(w, "");
	end(test, w);
}

/* header and words of ranges, as they are */
static int raw_gpadl(struct world *w, u16 range_bytes, u16 range_count, const u64 *words, u32 nr)
{
	struct vmbus_w_gpadl_header *m = (void *)w->msg;

	*m = (struct vmbus_w_gpadl_header) {
		.h.type = VMBUS_GPADL_HEADER, .relid = 1, .gpadl = GPADL,
		.range_bytes = range_bytes, .range_count = range_count,
	};
	memcpy(m + 1, words, nr * sizeof(*words));
	return post(w, w->msg, sizeof(*m) + nr * sizeof(*words));
}

#define RANGE(bytes, offset)	((u64)(offset) << 32 | (bytes))

static void gpadl_ranges(struct kunit *test)
{
	/* the offset makes the second range a page longer; a word too much at the end */
	static const u64 words[] = { RANGE(4096, 0), 1, RANGE(4096, 0xff8), 2, 3,
				     RANGE(1, 4095), 4, 0 };
	struct world *w = offered(test, VMBUS_V5_3, 1);
	u32 at = 0, bytes, offset;
	struct ovid_gpadl *g;
	const u64 *pfn;

	KUNIT_EXPECT_EQ(test, 0, raw_gpadl(w, sizeof(words), 3, words, ARRAY_SIZE(words)));
	EXPECT_LOG(w, "pin:e1e10/4 created:1/e1e10/ok");
	KUNIT_EXPECT_EQ(test, 4u, w->bus.gpadl_pages);
	g = ovid_bus_gpadl(&w->bus, GPADL, 1);
	KUNIT_ASSERT_NOT_NULL(test, g);
	pfn = ovid_gpadl_range(g, &at, &bytes, &offset);
	KUNIT_EXPECT_EQ(test, 1ull, pfn[0]);
	pfn = ovid_gpadl_range(g, &at, &bytes, &offset);
	KUNIT_EXPECT_EQ(test, 4096u, bytes);
	KUNIT_EXPECT_EQ(test, 0xff8u, offset);
	KUNIT_EXPECT_EQ(test, 2ull, pfn[0]);
	KUNIT_EXPECT_EQ(test, 3ull, pfn[1]);
	pfn = ovid_gpadl_range(g, &at, &bytes, &offset);
	KUNIT_EXPECT_EQ(test, 4ull, pfn[0]);
	KUNIT_EXPECT_NULL(test, ovid_gpadl_range(g, &at, &bytes, &offset));
	KUNIT_EXPECT_EQ(test, 8193u, ovid_ranges_bytes(words, sizeof(words), 3));
	KUNIT_EXPECT_EQ(test, 4096u, ovid_ranges_bytes(words, sizeof(words), 1));
	KUNIT_EXPECT_EQ(test, 0u, ovid_ranges_bytes(words, 8, 3));
	end(test, w);
}

static void gpadl_broken(struct kunit *test)
{
	static const struct {
		const char *what;
		u16 range_bytes, range_count;
		u64 words[4];
	} cases[] = {
		{ "no range", 16, 0, { RANGE(4096, 0), 1 } },
		{ "nothing", 0, 0, { } },
		{ "range without pages", 8, 1, { RANGE(0, 0) } },
		{ "odd length", 20, 1, { RANGE(4096, 0), 1, 2 } },
		{ "more ranges than fit", 24, 2, { RANGE(4096, 0), 1, RANGE(4096, 0) } },
		{ "more pages than fit", 16, 1, { RANGE(4097, 0), 1 } },
		{ "pages that overflow", 16, 1, { RANGE(0xffffffff, 4095), 1 } },
		{ "no bytes", 16, 1, { RANGE(0, 1), 1 } },
		{ "offset behind the page", 24, 1, { RANGE(16, 4096), 1, 2 } },
		{ "large offset", 16, 1, { RANGE(1, 0xffffffff), 1 } },
		{ "large pfn", 16, 1, { RANGE(4096, 0), 1ull << 40 } },
		{ "second range empty", 32, 2, { RANGE(4096, 0), 1, RANGE(0, 0), 1 } },
		{ "second range long", 32, 2, { RANGE(4096, 0), 1, RANGE(4096, 1), 1 } },
	};
	struct world *w = offered(test, VMBUS_V5_3, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int err = raw_gpadl(w, cases[i].range_bytes, cases[i].range_count,
				    cases[i].words, 4);

		KUNIT_EXPECT_EQ_MSG(test, -EPROTO, err, "%s", cases[i].what);
		EXPECT_LOG(w, "created:1/e1e10/bad");
		KUNIT_EXPECT_EQ_MSG(test, 0u, w->bus.nr_gpadls, "%s", cases[i].what);
		KUNIT_EXPECT_EQ_MSG(test, 0u, w->bus.gpadl_pages, "%s", cases[i].what);
	}
	/* found out by the last body only */
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, PAGES + 2));
	KUNIT_EXPECT_EQ(test, 0, body(w, GPADL, 1, 5));
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, -EPROTO, body(w, GPADL, 1, ~0ull));
	EXPECT_LOG(w, "created:1/e1e10/bad");
	KUNIT_EXPECT_EQ(test, 0u, w->bus.gpadl_pages);
	end(test, w);
}

static void gpadl_refused(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V5_3, 2);

	KUNIT_EXPECT_EQ(test, -EPROTO, gpadl(w, 3, GPADL, 8));
	KUNIT_EXPECT_EQ(test, -EPROTO, gpadl(w, 0, GPADL, 8));
	EXPECT_LOG(w, "created:3/e1e10/bad created:0/e1e10/bad");
	/* the name is taken, by one that is complete or not, of this channel or another */
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL + 1, PAGES + 1));
	quiet(w);
	KUNIT_EXPECT_EQ(test, -EPROTO, gpadl(w, 1, GPADL, 8));
	KUNIT_EXPECT_EQ(test, -EPROTO, gpadl(w, 2, GPADL + 1, 8));
	EXPECT_LOG(w, "created:1/e1e10/bad created:2/e1e11/bad");
	KUNIT_EXPECT_EQ(test, 2u, w->bus.nr_gpadls);
	/* not guest memory; no memory of the host's */
	w->pin = -EFAULT;
	KUNIT_EXPECT_EQ(test, -EPROTO, gpadl(w, 1, GPADL + 2, 8));
	w->pin = -ENOMEM;
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL + 2, 8));
	EXPECT_LOG(w, "pin:e1e12/8 created:1/e1e12/bad pin:e1e12/8 created:1/e1e12/bad");
	w->pin = 0;
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL + 2, 8));
	EXPECT_LOG(w, "pin:e1e12/8 created:1/e1e12/ok");
	end(test, w);
}

static void gpadl_limits(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V5_3, 2);
	u32 i, pages = 8190, full = OVID_BUS_MAX_GPADL_PAGES / pages;

	for (i = 0; i < OVID_BUS_MAX_GPADLS; i++, quiet(w))
		KUNIT_ASSERT_EQ(test, 0, gpadl(w, 1, i, i % 2 ? 1 : PAGES + 1));
	KUNIT_EXPECT_EQ(test, -EPROTO, gpadl(w, 1, i, 1));
	EXPECT_LOG(w, "created:1/400/bad");
	KUNIT_EXPECT_EQ(test, VMBUS_STATUS_NO_RESOURCES,
			((struct vmbus_w_gpadl_created *)w->last)->status);
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, 0));	/* one of which not all has come */
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, i, 1));
	EXPECT_LOG(w, "torndown:0 pin:400/1 created:1/400/ok");
	end(test, w);

	/* pages that are promised count, too */
	w = offered(test, VMBUS_V5_3, 2);
	for (i = 0; i < full; i++)
		KUNIT_ASSERT_EQ(test, 0, gpadl(w, 1, i, pages));
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, -EPROTO, gpadl(w, 2, i, pages));
	EXPECT_LOG(w, "created:2/20/bad");
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 2, i, 8));
	end(test, w);
}

#ifndef __KERNEL__
static void gpadl_no_memory(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V5_3, 1);

	ovid_host_allocs = 0;
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	ovid_host_allocs = -1;
	EXPECT_LOG(w, "created:1/e1e10/bad");
	KUNIT_EXPECT_EQ(test, VMBUS_STATUS_NO_RESOURCES,
			((struct vmbus_w_gpadl_created *)w->last)->status);
	KUNIT_EXPECT_EQ(test, 0u, w->bus.gpadl_pages);
	end(test, w);
}
#endif

static void gpadl_teardown(struct kunit *test)
{
	struct world *w = opened(test, VMBUS_V5_3);

	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL + 1, 8));
	quiet(w);
	KUNIT_EXPECT_EQ(test, -EPROTO, teardown(w, 2, GPADL + 1));	/* another channel's */
	KUNIT_EXPECT_EQ(test, -EPROTO, teardown(w, 1, GPADL + 2));
	KUNIT_EXPECT_EQ(test, -EPROTO, teardown(w, 3, GPADL + 1));
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, GPADL + 1));
	EXPECT_LOG(w, "unpin:e1e11 torndown:e1e11");
	KUNIT_EXPECT_EQ(test, -EPROTO, teardown(w, 1, GPADL + 1));
	/* the ring waits for the close */
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, -EPROTO, teardown(w, 1, GPADL));
	KUNIT_EXPECT_NULL(test, ovid_bus_gpadl(&w->bus, GPADL, 1));
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	EXPECT_LOG(w, "close:1 unpin:e1e10 torndown:e1e10");
	/* as a guest does */
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	quiet(w);
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, GPADL));
	EXPECT_LOG(w, "close:1 unpin:e1e10 torndown:e1e10");
	end(test, w);
}

/* ---- channels ------------------------------------------------------------- */

static void open_close(struct kunit *test)
{
	struct world *w = opened(test, VMBUS_V5_3);
	struct ovid_bus_chan *chan = &w->chan[0];
	int i;

	KUNIT_EXPECT_EQ(test, OVID_CHAN_OPEN, chan->state);
	KUNIT_EXPECT_EQ(test, 2u, chan->target_vp);
	KUNIT_EXPECT_EQ(test, 4u, chan->downstream);
	KUNIT_EXPECT_EQ(test, 77u, chan->open_id);
	KUNIT_EXPECT_EQ(test, 3, chan->user[2]);
	KUNIT_EXPECT_PTR_EQ(test, chan->ring, ovid_bus_gpadl(&w->bus, GPADL, 1));
	KUNIT_EXPECT_EQ(test, -EPROTO, open(w, 1, GPADL));
	EXPECT_LOG(w, "result:1/77/bad");
	KUNIT_EXPECT_EQ(test, OVID_CHAN_OPEN, chan->state);
	/* again and again, without a new offer */
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
		KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
		KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
		EXPECT_LOG(w, "close:1 open:1 result:1/77/ok");
	}
	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_CLOSE, 3));
	EXPECT_LOG(w, "");
	end(test, w);
}

static void open_pending(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V5_3, 1);
	struct ovid_bus_chan *chan = &w->chan[0];

	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	w->open = -EINPROGRESS;
	quiet(w);
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_RELID_RELEASED, 1));
	EXPECT_LOG(w, "open:1");
	KUNIT_EXPECT_EQ(test, OVID_CHAN_OPENING, chan->state);
	ovid_bus_open_done(&w->bus, chan, 0);
	EXPECT_LOG(w, "result:1/77/ok");
	ovid_bus_open_done(&w->bus, chan, -EIO);	/* nothing is waited for */
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	EXPECT_LOG(w, "close:1");
	/* closed, or refused, before it was done; its ring is wanted back */
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, -EPROTO, open(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	ovid_bus_open_done(&w->bus, chan, 0);
	EXPECT_LOG(w, "open:1 result:1/77/bad close:1");
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, GPADL));
	EXPECT_LOG(w, "open:1");
	ovid_bus_open_done(&w->bus, chan, -EIO);
	EXPECT_LOG(w, "result:1/77/bad unpin:e1e10 torndown:e1e10");
	KUNIT_EXPECT_EQ(test, OVID_CHAN_CLOSED, chan->state);
	KUNIT_EXPECT_NULL(test, chan->ring);
	/* refused at once */
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	w->open = -ENOMEM;
	quiet(w);
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, GPADL));
	EXPECT_LOG(w, "open:1 result:1/77/bad unpin:e1e10 torndown:e1e10");
	end(test, w);
}

static void open_refused(struct kunit *test)
{
	static const u64 split[] = { RANGE(16384, 0), 1, 2, 3, 4, RANGE(16384, 0), 5, 6, 7, 8 };
	static const u64 moved[] = { RANGE(28672, 4095), 1, 2, 3, 4, 5, 6, 7, 8 };
	static const u32 shapes[] = { 0, 1, 7, 8, 9, 0xffffffff };
	struct world *w = offered(test, VMBUS_V5_3, 2);
	struct vmbus_w_open m = open_of(1, GPADL + 1);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL + 1, 8));
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL + 2, PAGES + 1));
	KUNIT_EXPECT_EQ(test, 0, gpadl_of(w, 1, GPADL + 3, 8, 7 * VMBUS_PAGE + 1));
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 2, GPADL + 4, 8));
	quiet(w);
	for (i = 0; i < 6; i++) {
		/* unknown, not complete, half a page, another channel's, wrong names of channels */
		static const struct {
			u32 relid, ring;
		} names[] = {
			{ 1, GPADL + 9 }, { 1, GPADL + 2 }, { 1, GPADL + 3 }, { 1, GPADL + 4 },
			{ 3, GPADL + 1 }, { 0xffffffff, GPADL + 1 },
		};

		KUNIT_EXPECT_EQ(test, -EPROTO, open(w, names[i].relid, names[i].ring));
	}
	EXPECT_LOG(w, "result:1/77/bad result:1/77/bad result:1/77/bad result:1/77/bad result:3/77/bad result:4294967295/77/bad");
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		m.downstream = shapes[i];
		KUNIT_EXPECT_EQ_MSG(test, -EPROTO, post(w, &m, sizeof(m)), "%u", shapes[i]);
		EXPECT_LOG(w, "result:1/77/bad");
	}
	m.downstream = 4;
	m.target_vp = NR_VPS;
	KUNIT_EXPECT_EQ(test, -EPROTO, post(w, &m, sizeof(m)));
	m.target_vp = VMBUS_VP_NONE;
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	EXPECT_LOG(w, "result:1/77/bad open:1 result:1/77/ok");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	KUNIT_EXPECT_EQ(test, 0, raw_gpadl(w, sizeof(split), 2, split, ARRAY_SIZE(split)));
	quiet(w);
	KUNIT_EXPECT_EQ(test, -EPROTO, open(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, 0, raw_gpadl(w, sizeof(moved), 1, moved, ARRAY_SIZE(moved)));
	KUNIT_EXPECT_EQ(test, -EPROTO, open(w, 1, GPADL));
	EXPECT_LOG(w, "result:1/77/bad unpin:e1e10 torndown:e1e10 pin:e1e10/8 created:1/e1e10/ok result:1/77/bad");
	end(test, w);
}

static void modify_channel(struct kunit *test)
{
	struct world *w = opened(test, VMBUS_V4_1);
	struct vmbus_w_open m;

	KUNIT_EXPECT_EQ(test, 0, modify(w, 1, 3));
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 1, NR_VPS));
	EXPECT_LOG(w, "retarget:1/3");
	end(test, w);

	w = opened(test, VMBUS_V5_3);
	KUNIT_EXPECT_EQ(test, 0, modify(w, 1, 0));
	EXPECT_LOG(w, "retarget:1/0 modified:1/ok");
	KUNIT_EXPECT_EQ(test, 16u, w->last_bytes);
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 1, NR_VPS));
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 1, VMBUS_VP_NONE));
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 2, 0));
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 9, 0));
	EXPECT_LOG(w, "modified:1/bad modified:1/bad modified:2/bad modified:9/bad");
	KUNIT_EXPECT_EQ(test, 0u, w->chan[0].target_vp);
	/* one without interrupts has nothing to modify; nor one that is being opened */
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	m = open_of(1, GPADL);
	m.target_vp = VMBUS_VP_NONE;
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	quiet(w);
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 1, 0));
	EXPECT_LOG(w, "modified:1/bad");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	w->open = -EINPROGRESS;
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	quiet(w);
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 1, 0));
	EXPECT_LOG(w, "modified:1/bad");
	end(test, w);
}

/* ---- revoke --------------------------------------------------------------- */

static void revoke_open(struct kunit *test)
{
	struct world *w = opened(test, VMBUS_V5_3);

	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL + 1, PAGES + 1));	/* half-way */
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL + 2, 1));
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 2, GPADL + 3, 1));
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, GPADL));
	quiet(w);
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	EXPECT_LOG(w, "close:1 unpin:e1e12 unpin:e1e10 torndown:e1e10 rescind:1");
	KUNIT_EXPECT_EQ(test, 1u, w->bus.nr_gpadls);
	/* what the guest may still say, or had said before it knew */
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, -EPROTO, body(w, GPADL + 1, 1, 1));
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, -EPROTO, gpadl(w, 1, GPADL + 1, 8));
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, GPADL + 2));
	KUNIT_EXPECT_EQ(test, -EPROTO, teardown(w, 1, GPADL + 3));	/* the other's */
	KUNIT_EXPECT_EQ(test, -EPROTO, modify(w, 1, 0));
	EXPECT_LOG(w, "created:1/e1e11/bad torndown:e1e12 modified:1/bad");
	/* the name is not free yet */
	KUNIT_EXPECT_EQ(test, 0, offer(w, 2, 0, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, offer(w, 3, 0, 0));
	EXPECT_LOG(w, "");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 1));
	EXPECT_LOG(w, "release:0 offer:3");
	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_RELID_RELEASED, 1));
	KUNIT_EXPECT_EQ(test, -EPROTO, with_relid(w, VMBUS_CLOSE, 1));
	end(test, w);
}

static void revoke_opening(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V5_3, 1);

	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	w->open = -EINPROGRESS;
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	quiet(w);
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	ovid_bus_open_done(&w->bus, &w->chan[0], 0);
	EXPECT_LOG(w, "close:1 unpin:e1e10 rescind:1");
	/* one that waits is taken back again; the guest never hears of it */
	KUNIT_EXPECT_EQ(test, 0, offer(w, 1, 0, 0));
	KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &w->chan[1]));
	EXPECT_LOG(w, "");
	/* the connection ends instead of RELID_RELEASED */
	KUNIT_EXPECT_EQ(test, 0, offer(w, 1, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_3)));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "release:0 drop version:1/0/4 offer:1 all");
	end(test, w);
}

static void revoke_unknown(struct kunit *test)
{
	struct world *w = new_world(test);

	KUNIT_EXPECT_EQ(test, 0, offer(w, 0, 0, 0));
	KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	KUNIT_EXPECT_EQ(test, 0, offer(w, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_3)));
	KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "drop version:1/0/4 all");
	end(test, w);
}

/* ---- sub-channels --------------------------------------------------------- */

/* relid 3 and 4 are sub-channels of 1, 3 is open */
static struct world *with_subs(struct kunit *test)
{
	struct world *w = opened(test, VMBUS_V5_3);

	KUNIT_ASSERT_EQ(test, -ENOTCONN, offer(w, 2, 1, 1));	/* of 2, which is closed */
	KUNIT_ASSERT_EQ(test, -ENOTCONN, offer(w, 2, 7, 1));
	KUNIT_ASSERT_EQ(test, 0, offer(w, 2, 0, 1));
	KUNIT_ASSERT_EQ(test, 0, offer(w, 3, 0, 2));
	KUNIT_ASSERT_EQ(test, -EEXIST, offer(w, 4, 0, 2));
	KUNIT_ASSERT_EQ(test, 0, gpadl(w, 3, GPADL + 3, 8));
	KUNIT_ASSERT_EQ(test, 0, open(w, 3, GPADL + 3));
	EXPECT_LOG(w, "offer:3 offer:4 pin:e1e13/8 created:3/e1e13/ok open:3 result:3/77/ok");
	return w;
}

static void subs_go_with_close(struct kunit *test)
{
	struct world *w = with_subs(test);

	/* one may be closed and opened alone */
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 3));
	KUNIT_EXPECT_EQ(test, 0, open(w, 3, GPADL + 3));
	EXPECT_LOG(w, "close:3 open:3 result:3/77/ok");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 4));	/* not wanted */
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	EXPECT_LOG(w, "close:1 close:3 unpin:e1e13 rescind:3 release:3");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	EXPECT_LOG(w, "");
	/* the driver begins anew, before it has let go of them */
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	KUNIT_EXPECT_EQ(test, 0, offer(w, 4, 0, 1));
	EXPECT_LOG(w, "open:1 result:1/77/ok");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 3));
	EXPECT_LOG(w, "release:2 offer:5");
	end(test, w);
}

static void subs_go_with_revoke(struct kunit *test)
{
	struct world *w = with_subs(test);

	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	EXPECT_LOG(w, "close:3 unpin:e1e13 rescind:3 rescind:4 close:1 unpin:e1e10 rescind:1");
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[2]));
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 4));
	EXPECT_LOG(w, "release:3");
	end(test, w);
}

/* the owner finds out late */
static void expect_gone(struct kunit *test, struct world *w, struct ovid_bus_chan *chan)
{
	KUNIT_EXPECT_TRUE(test, chan->revoked);
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, chan));
	EXPECT_LOG(w, "");
}

static void subs_end_late(struct kunit *test)
{
	struct world *w = with_subs(test);

	w->keep = true;
	/* one that the guest did not want goes with the close, the other one with the connection */
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 4));
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	EXPECT_LOG(w, "close:1 close:3 unpin:e1e13 rescind:3 release:3");
	expect_gone(test, w, &w->chan[3]);
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_3)));
	EXPECT_LOG(w, "unpin:e1e10 release:2 drop version:1/0/4");
	expect_gone(test, w, &w->chan[2]);
	end(test, w);
}

static void subs_go_with_connection(struct kunit *test)
{
	struct world *w = with_subs(test);

	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_3)));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "close:1 close:3 unpin:e1e13 unpin:e1e10 release:2 release:3 drop version:1/0/4 offer:1 offer:2 all");
	end(test, w);
}

/* ---- the end -------------------------------------------------------------- */

static void unload(struct kunit *test)
{
	struct vmbus_w_initiate_contact m = contact_of(VMBUS_V5_3);
	struct world *w = new_world(test);

	m.monitor_page1 = 0x1000;
	m.monitor_page2 = 0x2000;
	m.target_vp = 3;
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	KUNIT_EXPECT_EQ(test, 0, offer(w, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, offer(w, 1, 1, 0));
	KUNIT_EXPECT_EQ(test, 0, offer(w, 2, 2, 0));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL + 1, PAGES + 1));
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 2, GPADL + 2, 8));
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	w->open = -EINPROGRESS;
	KUNIT_EXPECT_EQ(test, 0, open(w, 2, GPADL + 2));
	KUNIT_EXPECT_EQ(test, 0, teardown(w, 1, GPADL));	/* nobody waits for the answer */
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[2]));
	quiet(w);
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_UNLOAD));
	EXPECT_LOG(w, "close:1 close:2 unpin:e1e12 unpin:e1e10 release:2 monitor:0/0/0 drop unloaded");
	KUNIT_EXPECT_EQ(test, 3u, w->bus.target_vp);
	KUNIT_EXPECT_EQ(test, 8u, w->last_bytes);
	/* silence, whatever the host does */
	ovid_bus_open_done(&w->bus, &w->chan[1], 0);
	KUNIT_EXPECT_EQ(test, 0, offer(w, 4, 4, 0));
	KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	ovid_bus_tl_refuse(&w->bus, &(struct vmbus_w_guid){}, &(struct vmbus_w_guid){}, -ENOENT);
	EXPECT_LOG(w, "");
	/* and a new kernel, by another version, on another VP */
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V4_1)));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "drop version:1/0/40001 offer:1 offer:2 all");
	KUNIT_EXPECT_EQ(test, 1u, w->bus.target_vp);
	end(test, w);
}

/* as iPXE begins */
static void ipxe(struct kunit *test)
{
	struct vmbus_w_initiate_contact m = contact_of(VMBUS_V0_13);
	struct world *w = new_world(test);

	m.interrupt_page = 0x7000;
	KUNIT_EXPECT_EQ(test, 0, offer(w, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V3_0)));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_UNLOAD));
	KUNIT_EXPECT_EQ(test, 0, contact(w, m));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "drop version:1/0/30000 drop unloaded drop monitor:7000/0/0 version:1/0/d offer:1 all");
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	EXPECT_LOG(w, "pin:e1e10/8 created:1/e1e10/ok open:1 result:1/77/ok");
	end(test, w);
}

static void tl_connect(struct kunit *test)
{
	const struct vmbus_w_tl_connect2 m = {
		.c.h.type = VMBUS_TL_CONNECT, .c.endpoint.b = { 0x11 }, .c.service.b = { 0x22 },
		.silo.b = { 0x33 },
	};
	struct world *w = offered(test, VMBUS_V4_1, 0);
	const struct vmbus_w_tl_result *r = (void *)w->last;

	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m.c)));
	EXPECT_LOG(w, "connect:11/22/0");
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m) - 1));
	EXPECT_LOG(w, "connect:11/22/0");
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m)));
	EXPECT_LOG(w, "connect:11/22/33");
	ovid_bus_tl_refuse(&w->bus, &m.c.endpoint, &m.c.service, -ECONNREFUSED);
	EXPECT_LOG(w, "tl:c0000236");
	KUNIT_EXPECT_EQ(test, 44u, w->last_bytes);
	KUNIT_EXPECT_EQ(test, 0x11, r->endpoint.b[0]);
	KUNIT_EXPECT_EQ(test, 0x22, r->service.b[0]);
	w->tl = -ENOENT;
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m.c)));
	EXPECT_LOG(w, "connect:11/22/0 tl:c0000001");
	/* that answer came with 4.1 */
	w = offered(test, VMBUS_V4_0, 0);
	w->tl = -ENOENT;
	KUNIT_EXPECT_EQ(test, 0, post(w, &m, sizeof(m.c)));
	EXPECT_LOG(w, "connect:11/22/0");
}

static int offer_socket(struct world *w, unsigned int i, u8 instance)
{
	struct ovid_bus_chan *chan = chan_of(w, i, instance, 0);

	chan->offer.flags = VMBUS_OFFER_TLNPI | VMBUS_OFFER_NAMED_PIPE;
	return ovid_bus_offer(&w->bus, chan);
}

/* offered to who is there and may have asked for it, to nobody else, and only once */
static void socket_offers(struct kunit *test)
{
	struct world *w = new_world(test);

	KUNIT_EXPECT_EQ(test, -ENOTCONN, offer_socket(w, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V5_3)));
	KUNIT_EXPECT_EQ(test, -ENOTCONN, offer_socket(w, 0, 0));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	quiet(w);
	KUNIT_EXPECT_EQ(test, 0, offer_socket(w, 0, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, offer_socket(w, 4, 0));
	KUNIT_EXPECT_EQ(test, 0, offer_socket(w, 1, 1));
	KUNIT_EXPECT_EQ(test, 0, offer_socket(w, 2, 2));
	KUNIT_EXPECT_EQ(test, 0, offer(w, 3, 3, 0));
	KUNIT_EXPECT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	KUNIT_EXPECT_EQ(test, 0, open(w, 1, GPADL));
	/* nobody waits for it any more */
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 2));
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[2]));
	EXPECT_LOG(w, "offer:1 offer:2 offer:3 offer:4 pin:e1e10/8 created:1/e1e10/ok open:1 result:1/77/ok rescind:3");
	KUNIT_EXPECT_EQ(test, 0, contact(w, contact_of(VMBUS_V4_0)));
	KUNIT_EXPECT_EQ(test, 0, simple(w, VMBUS_REQUEST_OFFERS));
	EXPECT_LOG(w, "close:1 unpin:e1e10 release:0 release:1 release:2 drop version:1/0/40000 offer:1 all");
	KUNIT_EXPECT_EQ(test, 0, offer_socket(w, 0, 0));
	EXPECT_LOG(w, "offer:2");
	end(test, w);

	w = offered(test, VMBUS_V3_0, 0);
	KUNIT_EXPECT_EQ(test, -ENOTCONN, offer_socket(w, 0, 0));
}

static struct kunit_case bus_cases[] = {
	KUNIT_CASE(every_version),
	KUNIT_CASE(refused_version),
	KUNIT_CASE(features),
	KUNIT_CASE(contact_targets),
	KUNIT_CASE(shared_pages),
	KUNIT_CASE(modify_connection),
	KUNIT_CASE(short_messages),
	KUNIT_CASE(before_contact),
	KUNIT_CASE(version_of_messages),
	KUNIT_CASE(connection_ids),
	KUNIT_CASE(offers),
	KUNIT_CASE(offer_monitor),
	KUNIT_CASE(monitors_run_out),
	KUNIT_CASE(monitor_pages_of_nobody),
	KUNIT_CASE(relids_run_out),
	KUNIT_CASE(relids_go_round),
	KUNIT_CASE(declined),
	KUNIT_CASE(released_wrongly),
	KUNIT_CASE(gpadl_assembly),
	KUNIT_CASE(gpadl_ranges),
	KUNIT_CASE(gpadl_broken),
	KUNIT_CASE(gpadl_refused),
	KUNIT_CASE(gpadl_limits),
#ifndef __KERNEL__
	KUNIT_CASE(gpadl_no_memory),
#endif
	KUNIT_CASE(gpadl_teardown),
	KUNIT_CASE(open_close),
	KUNIT_CASE(open_pending),
	KUNIT_CASE(open_refused),
	KUNIT_CASE(modify_channel),
	KUNIT_CASE(revoke_open),
	KUNIT_CASE(revoke_opening),
	KUNIT_CASE(revoke_unknown),
	KUNIT_CASE(subs_go_with_close),
	KUNIT_CASE(subs_go_with_revoke),
	KUNIT_CASE(subs_go_with_connection),
	KUNIT_CASE(subs_end_late),
	KUNIT_CASE(unload),
	KUNIT_CASE(ipxe),
	KUNIT_CASE(tl_connect),
	KUNIT_CASE(socket_offers),
	{}
};

static struct kunit_suite bus_suite = {
	.name = "ovid_bus",
	.test_cases = bus_cases,
};
kunit_test_suite(bus_suite);

/* has the same worlds */
#include "save_test.c"

MODULE_DESCRIPTION("cases for the bus");
MODULE_LICENSE("GPL");
