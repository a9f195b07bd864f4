// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for saved buses, a part of bus_test.c: all of its cases once more, while behind each
 * step the bus is saved and goes on as another one, which nobody notices; then what is
 * forged, and what fails half-way.
 */

struct stream {
	struct ovid_saving to;
	struct ovid_saved from;
};

static void *alloc(u64 bytes)
{
#ifndef __KERNEL__
	int allocs = ovid_host_allocs;
	void *p;

	ovid_host_allocs = -1;
	p = kvzalloc(bytes, GFP_KERNEL_ACCOUNT);
	ovid_host_allocs = allocs;
	return p;
#else
	return kvzalloc(bytes, GFP_KERNEL_ACCOUNT);
#endif
}

/* to be freed: @to.buf */
static struct stream save(const struct ovid_bus *bus)
{
	struct stream s = {};
	u64 bytes;

	ovid_bus_save(bus, &s.to);
	bytes = s.to.bytes;
	s.to = (struct ovid_saving){ .buf = alloc(bytes), .room = bytes };
	ovid_bus_save(bus, &s.to);
	s.from = (struct ovid_saved){ .at = s.to.buf, .left = s.to.bytes };
	return s;
}

/* as a worker does that has the same devices: a bus that awaits, and knows what is offered */
static void renew(struct world *w)
{
	u32 max_version = w->bus.max_version, features = w->bus.features, nr_vps = w->bus.nr_vps;
	struct ovid_bus_chan *chan, *next, *chans = w->bus.chans, **gone = &w->gone;

	while (w->bus.gpadls)
		ovid_gpadl_free(&w->bus, &w->bus.gpadls);
	ovid_bus_init(&w->bus, &effects, w);
	w->bus.max_version = max_version;
	w->bus.features = features;
	w->bus.nr_vps = nr_vps;
	w->bus.awaits = true;
	*gone = NULL;
	for (chan = chans; chan; chan = next) {
		next = chan->next;
		if (chan->revoked) {
			chan->next = NULL;
			*gone = chan;
			gone = &chan->next;
			continue;
		}
		*chan = (struct ovid_bus_chan){
			.offer = chan->offer, .latency = chan->latency, .ctx = chan->ctx,
		};
		ovid_bus_offer(&w->bus, chan);
	}
}

static int failed_moves;

static void move(struct world *w)
{
	struct stream s = save(&w->bus);
	u64 left = s.from.left;

#ifndef __KERNEL__
	int allocs = ovid_host_allocs;

	ovid_host_allocs = -1;
#endif
	w->mute = true;
	renew(w);
	if (ovid_bus_restore(&w->bus, &s.from) || s.from.left || s.to.bytes != left)
		failed_moves++;
	w->mute = false;
#ifndef __KERNEL__
	ovid_host_allocs = allocs;
#endif
	kvfree(s.to.buf);
}

static void all_cases_moving(struct kunit *test)
{
	struct kunit_case *c;

	failed_moves = 0;
	after_step = move;
	for (c = bus_cases; c->run_case; c++)
		c->run_case(test);
	after_step = NULL;
	KUNIT_EXPECT_EQ(test, 0, failed_moves);
}

/* ---- a bus with something of everything --------------------------------------------- */

/*
 * relid 1 is open, its ring is to be torn down; 2 is half-way open; 3 was revoked, another one of
 * its name waits; 4 is closed, with a GPADL and half of one; 5 is a sub-channel of 1.
 */
static struct world *rich(struct kunit *test, u32 version)
{
	struct world *w = offered(test, version, 4);

	KUNIT_ASSERT_EQ(test, 0, gpadl(w, 1, GPADL, 8));
	KUNIT_ASSERT_EQ(test, 0, open(w, 1, GPADL));
	KUNIT_ASSERT_EQ(test, 0, offer(w, 4, 0, 1));
	KUNIT_ASSERT_EQ(test, 0, teardown(w, 1, GPADL));
	KUNIT_ASSERT_EQ(test, 0, gpadl(w, 2, GPADL + 1, 8));
	w->open = -EINPROGRESS;
	KUNIT_ASSERT_EQ(test, 0, open(w, 2, GPADL + 1));
	KUNIT_ASSERT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[2]));
	KUNIT_ASSERT_EQ(test, 0, offer(w, 5, 2, 0));
	KUNIT_ASSERT_EQ(test, 0, gpadl(w, 4, GPADL + 2, 8));
	KUNIT_ASSERT_EQ(test, 0, gpadl(w, 4, GPADL + 3, PAGES + 4));
	quiet(w);
	return w;
}

/* where a section begins, the @n-th of its type */
static void *section(struct stream *s, u32 type, u32 n)
{
	struct ovid_save_head *head;
	u64 at = 0;

	while (at < s->to.bytes) {
		head = (void *)s->to.buf + at;
		if (head->type == type && !n--)
			return head + 1;
		at += sizeof(*head) + round_up8(head->bytes);
	}
	return NULL;
}

/* the guest goes on; what its host does is in the log */
static void go_on(struct kunit *test, struct world *w)
{
	ovid_bus_open_done(&w->bus, &w->chan[1], 0);
	EXPECT_LOG(w, "result:2/77/ok");
	KUNIT_EXPECT_EQ(test, 0, body(w, GPADL + 3, 4, 7));
	EXPECT_LOG(w, "pin:e1e13/30 created:4/e1e13/ok");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 3));
	EXPECT_LOG(w, "release:2 offer:6");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_CLOSE, 1));
	EXPECT_LOG(w, "close:1 unpin:e1e10 torndown:e1e10 rescind:5");
	KUNIT_EXPECT_EQ(test, 0, with_relid(w, VMBUS_RELID_RELEASED, 5));
	EXPECT_LOG(w, "release:4");
}

static void everything(struct kunit *test)
{
	struct world *w = rich(test, VMBUS_V5_3);
	struct stream s = save(&w->bus), again;
	u64 messages = w->bus.messages, bad = w->bus.bad_messages;

	renew(w);
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_restore(&w->bus, &s.from));
	EXPECT_LOG(w, "gone pin:e1e12/8 pin:e1e11/8 pin:e1e10/8 restore:0/1/2 restore:1/2/1 restore:2/3/0 restore:3/4/0 restore:4/5/0 restore:5/0/0");
	KUNIT_EXPECT_EQ(test, messages, w->bus.messages);
	KUNIT_EXPECT_EQ(test, bad, w->bus.bad_messages);
	KUNIT_EXPECT_FALSE(test, w->bus.awaits);
	again = save(&w->bus);
	KUNIT_EXPECT_EQ(test, s.to.bytes, again.to.bytes);
	KUNIT_EXPECT_MEMEQ(test, s.to.buf, again.to.buf, s.to.bytes);
	/* not twice */
	KUNIT_EXPECT_EQ(test, -EBUSY, ovid_bus_restore(&w->bus, &again.from));
	kvfree(s.to.buf);
	kvfree(again.to.buf);
	go_on(test, w);
	end(test, w);
}

/* ---- what is not there, or fails half-way ------------------------------------------------ */

/* the bus is as it was before: it takes the right state afterwards */
static void expect_fresh(struct kunit *test, struct world *w, u32 offers)
{
	KUNIT_EXPECT_NULL(test, w->bus.gpadls);
	KUNIT_EXPECT_EQ(test, 0u, w->bus.nr_gpadls);
	KUNIT_EXPECT_EQ(test, 0u, w->bus.gpadl_pages);
	KUNIT_EXPECT_EQ(test, offers, w->bus.nr_chans);
	KUNIT_EXPECT_EQ(test, OVID_BUS_DISCONNECTED, w->bus.state);
	KUNIT_EXPECT_EQ(test, 0u, w->bus.version);
	KUNIT_EXPECT_EQ(test, 0u, w->bus.last_relid);
	KUNIT_EXPECT_TRUE(test, w->bus.awaits);
}

static void effects_fail(struct kunit *test)
{
	static const struct {
		int pin, restore, err;
		const char *log;
	} cases[] = {
		{ -EFAULT, 0, -EFAULT, "gone pin:e1e12/8 release:2" },
		{ 0, 1, -EIO, "gone pin:e1e12/8 pin:e1e11/8 pin:e1e10/8 restore:0/1/2 unpin:e1e12 unpin:e1e11 unpin:e1e10 release:2" },
		{ 0, 3, -EIO, "gone pin:e1e12/8 pin:e1e11/8 pin:e1e10/8 restore:0/1/2 restore:1/2/1 restore:2/3/0 unrestore:1 unrestore:2 unpin:e1e12 unpin:e1e11 unpin:e1e10 release:2" },
	};
	struct world *w = rich(test, VMBUS_V5_3);
	struct stream s = save(&w->bus);
	struct ovid_saved from;
	unsigned int i;

	renew(w);
	w->keep = true;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		from = s.from;
		w->gone = &w->chan[2];
		w->pin = cases[i].pin;
		w->restore = cases[i].restore;
		KUNIT_EXPECT_EQ(test, cases[i].err, ovid_bus_restore(&w->bus, &from));
		EXPECT_LOG(w, cases[i].log);
		expect_fresh(test, w, 5);
	}
	w->pin = 0;
	w->restore = 0;
	w->gone = NULL;
	from = s.from;
	KUNIT_EXPECT_EQ(test, -ENOMEM, ovid_bus_restore(&w->bus, &from));
	EXPECT_LOG(w, "gone");
	expect_fresh(test, w, 5);
	w->gone = &w->chan[2];
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_restore(&w->bus, &s.from));
	quiet(w);
	kvfree(s.to.buf);
	go_on(test, w);
	end(test, w);
}

static void other_offers(struct kunit *test)
{
	struct world *w = rich(test, VMBUS_V5_3);
	struct stream s = save(&w->bus);
	struct ovid_saved from = s.from;

	renew(w);
	w->keep = true;
	/* one more than it knows, one less, another one */
	KUNIT_EXPECT_EQ(test, 0, offer(w, 6, 9, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_bus_restore(&w->bus, &from));
	expect_fresh(test, w, 6);
	KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &w->chan[3]));
	w->gone = &w->chan[2];
	from = s.from;
	KUNIT_EXPECT_EQ(test, -ENOENT, ovid_bus_restore(&w->bus, &from));
	expect_fresh(test, w, 5);
	KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &w->chan[6]));
	w->gone = &w->chan[2];
	from = s.from;
	KUNIT_EXPECT_EQ(test, -ENOENT, ovid_bus_restore(&w->bus, &from));
	expect_fresh(test, w, 4);
	/* in another order */
	KUNIT_EXPECT_EQ(test, 0, offer(w, 3, 3, 0));
	w->gone = &w->chan[2];
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_restore(&w->bus, &s.from));
	kvfree(s.to.buf);
	quiet(w);
	go_on(test, w);
	end(test, w);
}

/* nobody has offered the sub-channel: its device makes it */
static void made_subs(struct kunit *test)
{
	struct world *w = rich(test, VMBUS_V5_3);
	struct stream s = save(&w->bus);
	struct ovid_saved from = s.from;

	renew(w);
	w->keep = true;
	KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &w->chan[4]));
	KUNIT_EXPECT_EQ(test, -ENOENT, ovid_bus_restore(&w->bus, &from));
	EXPECT_LOG(w, "gone sub:1/1 release:2");
	expect_fresh(test, w, 4);
	from = s.from;
	w->gone = &w->chan[2];
	w->sub = &w->chan[4];
	w->restore = 6;
	KUNIT_EXPECT_EQ(test, -EIO, ovid_bus_restore(&w->bus, &from));
	KUNIT_EXPECT_NOT_NULL(test, strstr(w->log, "release:2 release:4"));
	quiet(w);
	expect_fresh(test, w, 4);
	w->gone = &w->chan[2];
	w->sub = &w->chan[4];
	w->restore = 0;
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_restore(&w->bus, &s.from));
	quiet(w);
	kvfree(s.to.buf);
	go_on(test, w);
	end(test, w);
}

static void not_awaiting(struct kunit *test)
{
	struct world *w = new_world(test);
	struct stream s = save(&w->bus);

	KUNIT_EXPECT_EQ(test, -EBUSY, ovid_bus_restore(&w->bus, &s.from));
	w->bus.awaits = true;
	KUNIT_EXPECT_EQ(test, 0, offer(w, 0, 1, 1));	/* a sub-channel comes before the state */
	KUNIT_EXPECT_TRUE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_restore(&w->bus, &s.from));
	KUNIT_EXPECT_EQ(test, -ENOTCONN, offer(w, 0, 1, 1));
	kvfree(s.to.buf);
	end(test, w);
}

/* ---- forged ------------------------------------------------------------------------- */

#define FORGE(type, n, member, val)	{						\
	.section = OVID_SAVE_##type, .nr = n,						\
	.at = offsetof(struct FORGE_##type, member), .bytes = sizeof(((struct FORGE_##type *)0)->member), \
	.value = val, .what = #type " " #n ": " #member " " #val }
#define FORGE_BUS	ovid_save_bus
#define FORGE_GPADL	ovid_save_gpadl
#define FORGE_CHANNEL	ovid_save_channel

static const struct {
	u32 section, nr, at, bytes;
	u64 value;
	const char *what;
} forged[] = {
	FORGE(BUS, 0, state, OVID_BUS_DISCONNECTED),
	FORGE(BUS, 0, state, OVID_BUS_CONNECTED),
	FORGE(BUS, 0, state, 3),
	FORGE(BUS, 0, state, ~0u),
	FORGE(BUS, 0, version, 0),
	FORGE(BUS, 0, version, VMBUS_V6_0 + 1),
	FORGE(BUS, 0, version, VMBUS_V2_4 - 1),
	FORGE(BUS, 0, agreed_features, VMBUS_FEATURE_MODIFY_CONN),	/* not before 6.0 */
	FORGE(BUS, 0, target_vp, NR_VPS),
	FORGE(BUS, 0, sint, 3),
	FORGE(BUS, 0, sint, 16),
	FORGE(BUS, 0, last_relid, OVID_BUS_MAX_RELID + 1),
	FORGE(BUS, 0, interrupt_page, 0x1000),	/* not from 2.4 on */
	FORGE(BUS, 0, monitor_page[0], 0x1000),	/* both or none */
	FORGE(BUS, 0, gpadls, 0),
	FORGE(BUS, 0, gpadls, 3),
	FORGE(BUS, 0, gpadls, ~0u),
	FORGE(BUS, 0, channels, 5),
	FORGE(BUS, 0, channels, 7),
	FORGE(BUS, 0, channels, ~0u),
	/* the newest first: half of one, closed, half-way open, open */
	FORGE(GPADL, 0, id, GPADL),	/* twice */
	FORGE(GPADL, 0, relid, 0),
	FORGE(GPADL, 0, relid, 3),	/* revoked */
	FORGE(GPADL, 0, relid, 6),
	FORGE(GPADL, 0, relid, ~0u),
	FORGE(GPADL, 0, flags, OVID_SAVE_COMPLETE),
	FORGE(GPADL, 0, flags, OVID_SAVE_TEARDOWN),
	FORGE(GPADL, 0, have, (1 + PAGES) * 8 - 8),
	FORGE(GPADL, 0, have, ~0u),
	FORGE(GPADL, 0, range_bytes, (1 + PAGES) * 8),	/* then it would be complete */
	FORGE(GPADL, 0, range_bytes, 0x10000),
	FORGE(GPADL, 0, range_bytes, ~0u),
	FORGE(GPADL, 0, range_count, 0),
	FORGE(GPADL, 0, range_count, 0x10000),
	FORGE(GPADL, 0, range_count, ~0u),
	FORGE(GPADL, 1, flags, 0),
	FORGE(GPADL, 1, flags, OVID_SAVE_COMPLETE | OVID_SAVE_TEARDOWN),	/* no ring */
	FORGE(GPADL, 1, flags, 4 | OVID_SAVE_COMPLETE),
	FORGE(GPADL, 1, range_count, 2),
	FORGE(GPADL, 1, range_bytes, 9 * 8 + 8),
	FORGE(GPADL, 2, relid, 1),	/* another channel's ring */
	FORGE(GPADL, 3, flags, OVID_SAVE_TEARDOWN),
	FORGE(CHANNEL, 0, type.b[1], 1),	/* not offered */
	FORGE(CHANNEL, 0, sub_index, 2),
	FORGE(CHANNEL, 0, state, 3),
	FORGE(CHANNEL, 0, state, OVID_CHAN_CLOSED),	/* its ring is to go */
	FORGE(CHANNEL, 0, revoked, 1),
	FORGE(CHANNEL, 0, revoked, 2),
	FORGE(CHANNEL, 0, relid, 0),
	FORGE(CHANNEL, 0, relid, 2),	/* twice */
	FORGE(CHANNEL, 0, relid, 7),	/* not its ring's */
	FORGE(CHANNEL, 0, relid, OVID_BUS_MAX_RELID + 1),
	FORGE(CHANNEL, 0, relid, ~0u),
	FORGE(CHANNEL, 0, target_vp, NR_VPS),
	FORGE(CHANNEL, 0, target_vp, ~0u - 1),
	FORGE(CHANNEL, 0, downstream, 1),
	FORGE(CHANNEL, 0, downstream, 7),
	FORGE(CHANNEL, 0, downstream, ~0u),
	FORGE(CHANNEL, 0, ring, GPADL + 1),
	FORGE(CHANNEL, 0, ring, 5),
	FORGE(CHANNEL, 1, state, 3),
	FORGE(CHANNEL, 1, ring, GPADL + 3),	/* half of one */
	FORGE(CHANNEL, 2, revoked, 0),	/* twice of one name */
	FORGE(CHANNEL, 2, relid, 0),	/* revoked, and nobody knows it */
	FORGE(CHANNEL, 2, state, OVID_CHAN_OPEN),
	FORGE(CHANNEL, 2, state, OVID_CHAN_OPENING),
	FORGE(CHANNEL, 3, state, OVID_CHAN_OPEN),	/* without a ring */
	FORGE(CHANNEL, 4, sub_index, 0),
	FORGE(CHANNEL, 5, relid, 7),	/* told of it though it waits */
	FORGE(CHANNEL, 5, revoked, 1),
	FORGE(CHANNEL, 0, monitor, 1),		/* nobody would look at it */
	FORGE(CHANNEL, 2, monitor, VMBUS_MONITORS + 1),
	FORGE(CHANNEL, 2, monitor, ~0u),
};

static void forge(struct kunit *test, struct world *w, struct stream *s, unsigned int i)
{
	u8 *at = section(s, forged[i].section, forged[i].nr);
	struct ovid_saved from = s->from;
	u64 was = 0;

	KUNIT_ASSERT_NOT_NULL(test, at);
	at += forged[i].at;
	memcpy(&was, at, forged[i].bytes);
	KUNIT_EXPECT_NE_MSG(test, was, forged[i].value, "%s", forged[i].what);
	memcpy(at, &forged[i].value, forged[i].bytes);
	w->gone = &w->chan[2];
	w->gone->next = &w->chan[7];
	w->chan[7].next = NULL;
	w->pin = -EIO;		/* it is found out before */
	KUNIT_EXPECT_NE_MSG(test, 0, ovid_bus_restore(&w->bus, &from), "%s", forged[i].what);
	w->pin = 0;
	KUNIT_EXPECT_TRUE_MSG(test, !strstr(w->log, "pin:"), "%s", forged[i].what);
	quiet(w);
	expect_fresh(test, w, 5);
	memcpy(at, &was, forged[i].bytes);
}

static void forged_states(struct kunit *test)
{
	struct world *w = rich(test, VMBUS_V5_3);
	struct stream s = save(&w->bus);
	struct ovid_saved from;
	unsigned int i;
	u64 cut;

	renew(w);
	w->keep = true;
	for (i = 0; i < ARRAY_SIZE(forged); i++)
		forge(test, w, &s, i);
	for (cut = 1; cut <= s.to.bytes; cut++) {
		from = (struct ovid_saved){ s.to.buf, s.to.bytes - cut };
		w->gone = &w->chan[2];
		KUNIT_EXPECT_EQ(test, -EINVAL, ovid_bus_restore(&w->bus, &from));
	}
	expect_fresh(test, w, 5);
	quiet(w);
	w->gone = &w->chan[2];
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_restore(&w->bus, &s.from));
	quiet(w);
	kvfree(s.to.buf);
	go_on(test, w);
	end(test, w);
}

/* a sub-channel whose primary channel is not open */
static void forged_sub(struct kunit *test)
{
	struct world *w = with_subs(test);
	struct stream s = save(&w->bus);
	struct ovid_save_channel *c = section(&s, OVID_SAVE_CHANNEL, 0);
	struct ovid_saved from = s.from;

	renew(w);
	c->state = OVID_CHAN_OPENING;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_bus_restore(&w->bus, &from));
	c->state = OVID_CHAN_CLOSED;
	from = s.from;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_bus_restore(&w->bus, &from));
	EXPECT_LOG(w, "");
	c->state = OVID_CHAN_OPEN;
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_restore(&w->bus, &s.from));
	kvfree(s.to.buf);
	end(test, w);
}

/* half of a GPADL as a ring */
static void forged_ring(struct kunit *test)
{
	struct world *w = rich(test, VMBUS_V5_3);
	struct stream s = save(&w->bus);
	struct ovid_save_gpadl *g = section(&s, OVID_SAVE_GPADL, 0);
	struct ovid_save_channel *c = section(&s, OVID_SAVE_CHANNEL, 1);

	renew(w);
	g->relid = 2;
	c->ring = GPADL + 3;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_bus_restore(&w->bus, &s.from));
	EXPECT_LOG(w, "gone release:2");
	kvfree(s.to.buf);
	end(test, w);
}

/* two that were revoked, of one name: the second would be told of when the first is released */
static void forged_twins(struct kunit *test)
{
	struct world *w = offered(test, VMBUS_V5_3, 2);
	struct ovid_save_channel *c;
	struct ovid_saved from;
	struct stream s;

	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[0]));
	KUNIT_EXPECT_FALSE(test, ovid_bus_revoke(&w->bus, &w->chan[1]));
	quiet(w);
	s = save(&w->bus);
	from = s.from;
	w->keep = true;
	renew(w);
	c = section(&s, OVID_SAVE_CHANNEL, 1);
	c->instance.b[0] = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_bus_restore(&w->bus, &from));
	EXPECT_LOG(w, "gone gone release:0 release:1");
	c->instance.b[0] = 1;
	w->gone = &w->chan[0];
	w->chan[0].next = &w->chan[1];
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_restore(&w->bus, &s.from));
	kvfree(s.to.buf);
	end(test, w);
}

/* nobody has made contact, or has been told of anything */
static void forged_nothing(struct kunit *test)
{
	struct world *w = new_world(test);
	struct stream s = save(&w->bus);
	struct ovid_save_bus *b = section(&s, OVID_SAVE_BUS, 0);
	const struct ovid_save_bus good = *b, bad[] = {
		{ .sint = 16 }, { .sint = 2, .version = VMBUS_V5_3 },
		{ .sint = 2, .monitor_page = { 0x1000, 0x1000 } },
		{ .sint = 2, .interrupt_page = 0x1000 }, { .sint = 2, .agreed_features = 4 },
		{ .sint = 2, .version = VMBUS_V5_3, .state = 3 },
	};
	struct ovid_saved from;
	unsigned int i;

	w->bus.awaits = true;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		from = s.from;
		*b = bad[i];
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, ovid_bus_restore(&w->bus, &from), "%u", i);
	}
	*b = good;
	KUNIT_EXPECT_EQ(test, 0, ovid_bus_restore(&w->bus, &s.from));
	EXPECT_LOG(w, "");
	kvfree(s.to.buf);
	end(test, w);
}

/* ---- sections ------------------------------------------------------------------------ */

static void sections(struct kunit *test)
{
	u64 buf[16] = {};
	struct ovid_saving to = { .buf = (u8 *)buf, .room = sizeof(buf) };
	struct ovid_saved from = { .at = (u8 *)buf };
	struct ovid_save_head head;
	u32 room;

	KUNIT_EXPECT_PTR_EQ(test, (void *)&buf[2], ovid_saving_at(&to, &room));
	KUNIT_EXPECT_EQ(test, 112u, room);
	KUNIT_EXPECT_PTR_EQ(test, (void *)&buf[2], ovid_saving_section(&to, 7, 8, 9));
	KUNIT_EXPECT_EQ(test, 32u, to.bytes);
	KUNIT_EXPECT_PTR_EQ(test, (void *)&buf[6], ovid_saving_section(&to, 7, 9, 80));
	KUNIT_EXPECT_EQ(test, 128u, to.bytes);
	KUNIT_EXPECT_NULL(test, ovid_saving_section(&to, 7, 9, 0));
	KUNIT_EXPECT_NULL(test, ovid_saving_at(&to, &room));
	KUNIT_EXPECT_EQ(test, 0u, room);
	KUNIT_EXPECT_NULL(test, ovid_saving_section(&to, 7, 9, 0xffffffff));
	KUNIT_EXPECT_EQ(test, 144u + 16 + 0x100000000ull, to.bytes);

	from.left = 128;
	KUNIT_EXPECT_NULL(test, ovid_saved_next(&from, 8, 0, &head));
	KUNIT_EXPECT_NULL(test, ovid_saved_next(&from, 7, 10, &head));
	KUNIT_EXPECT_PTR_EQ(test, (const void *)&buf[2], ovid_saved_next(&from, 7, 9, &head));
	KUNIT_EXPECT_EQ(test, 8u, head.instance);
	KUNIT_EXPECT_EQ(test, 9u, head.bytes);
	from.left--;
	KUNIT_EXPECT_NULL(test, ovid_saved_next(&from, 7, 0, &head));
	from.left++;
	KUNIT_EXPECT_PTR_EQ(test, (const void *)&buf[6], ovid_saved_next(&from, 7, 80, &head));
	KUNIT_EXPECT_EQ(test, 0u, from.left);
	KUNIT_EXPECT_NULL(test, ovid_saved_next(&from, 7, 0, &head));

	/* too new, and a length that would go round */
	from = (struct ovid_saved){ (u8 *)buf, 128 };
	buf[0] += 1ull << 32;
	KUNIT_EXPECT_NULL(test, ovid_saved_next(&from, 7, 0, &head));
	buf[0] -= 1ull << 32;
	buf[1] |= 0xffffffffull << 32;
	KUNIT_EXPECT_NULL(test, ovid_saved_next(&from, 7, 0, &head));
}

static struct kunit_case save_cases[] = {
	KUNIT_CASE(all_cases_moving),
	KUNIT_CASE(everything),
	KUNIT_CASE(effects_fail),
	KUNIT_CASE(other_offers),
	KUNIT_CASE(made_subs),
	KUNIT_CASE(not_awaiting),
	KUNIT_CASE(forged_states),
	KUNIT_CASE(forged_sub),
	KUNIT_CASE(forged_ring),
	KUNIT_CASE(forged_twins),
	KUNIT_CASE(forged_nothing),
	KUNIT_CASE(sections),
	{}
};

static struct kunit_suite save_suite = {
	.name = "ovid_save",
	.test_cases = save_cases,
};
kunit_test_suite(save_suite);
