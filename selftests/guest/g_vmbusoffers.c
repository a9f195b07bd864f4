// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_vmbusoffers.c - offers that come and go at random, while the guest is anywhere between
 * hearing of a channel and having let go of it.  A model says what the guest has to know
 * whenever all that was said is heard; one channel is nobody's business and has to work
 * all the time.  With the same seed the host's and the guest's steps are the same again; how they meet
 * is up to the host's threads.
 */
#include "vmbus.h"

#define RING		4u			/* pages of both rings of a channel */
#define INNOCENT	G_CHANNEL_USER
#define DEVICES		G_CHANNEL_SOCKET	/* those before: the kernel answers their opens at once */

enum stage { UNKNOWN, KNOWN, HALF, MADE, OPENED };

/**
 * struct device - a channel of the host's, as the guest sees it
 * @type: its class
 * @offered: by the host
 * @stage: what the guest has done
 * @rescinded: the guest has heard of it, and has not released it yet
 * @relid: while not UNKNOWN
 * @gpadl: while HALF or further
 * @answers: that it waits for: CREATED, OPEN_RESULT, TORNDOWN
 */
struct device {
	struct vmbus_w_guid type;
	bool offered;
	enum stage stage;
	bool rescinded;
	u32 relid;
	u32 gpadl;
	u32 answers;
};

static struct device devices[DEVICES];
static struct channel innocent;
static u8 rings[DEVICES][RING * PAGE] __attribute__((aligned(4096)));
static u8 text[64] = "nobody's business";
static u64 state;
static u32 last_gpadl = 0x100, opened, rescinds, releases, echoes;

/* thousands of looks: those that are right say nothing */
#define must_be(got, want, text) do { if ((u64)(got) != (u64)(want)) is_(got, want, text); } while (0)

static u32 any(u32 n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (state >> 33) % n;
}

static int64_t counter(const char *name)
{
	command(G_CMD_COUNTER, gpa(name), 0, 0);
	return host->result;
}

/* ---- what the guest hears ---- */

static struct device *by_relid(u32 relid)
{
	for (u32 i = 0; i < DEVICES; i++)
		if (devices[i].stage != UNKNOWN && devices[i].relid == relid)
			return &devices[i];
	return NULL;
}

static void on_offer(const struct vmbus_w_offer *o)
{
	for (u32 i = 0; i < DEVICES; i++) {
		struct device *d = &devices[i];

		if (memcmp(&d->type, &o->type, sizeof(o->type)))
			continue;
		if (d->stage != UNKNOWN || by_relid(o->relid))
			is_(o->relid, 0, "an offer is new, and so is its number");
		d->stage = KNOWN;
		d->rescinded = false;
		d->relid = o->relid;
		d->answers = 0;
		return;
	}
	check(!"an offer is of a device that there is");
}

static void on_rescind(u32 relid)
{
	struct device *d = by_relid(relid);

	rescinds++;
	if (!d || d->rescinded)
		is_(relid, 0, "a rescind is of a channel that there is");
	else
		d->rescinded = true;
}

static void answer(u32 type, u32 gpadl, u32 relid)
{
	for (u32 i = 0; i < DEVICES; i++) {
		struct device *d = &devices[i];

		if (d->stage == UNKNOWN || (type == VMBUS_OPEN_RESULT ? d->relid != relid :
								       d->gpadl != gpadl))
			continue;
		/* one that is not whole is answered only where it is refused: the channel goes */
		if (type == VMBUS_GPADL_CREATED && d->stage == HALF) {
			must_be(!!in.created.status, 1, "half a GPADL is not made");
			return;
		}
		if (type == VMBUS_OPEN_RESULT && !in.open.status)
			opened++;
		if (d->answers)
			d->answers--;
		else
			is_(type, 0, "an answer was asked for");
		return;
	}
}

static void hear(u32 type)
{
	switch (type) {
	case VMBUS_OFFER:
		on_offer(&in.offer);
		break;
	case VMBUS_RESCIND:
		on_rescind(in.relid.relid);
		break;
	case VMBUS_OPEN_RESULT:
		answer(type, 0, in.open.relid);
		break;
	case VMBUS_GPADL_CREATED:
		answer(type, in.created.gpadl, 0);
		break;
	case VMBUS_GPADL_TORNDOWN:
		answer(type, in.torndown.gpadl, 0);
		break;
	default:
		is_(type, 0, "a message that nobody asked for");
	}
}

/* all that was said so far is heard: the host has answered what was asked last */
static void hear_all(void)
{
	static u32 mark = 0xdead0000;
	struct vmbus_w_gpadl_header none = {
		.h.type = VMBUS_GPADL_HEADER, .relid = 2047, .gpadl = ++mark,
	};
	u32 type;

	vmbus_post(&none, sizeof(none));
	while ((type = vmbus_receive())) {
		if (type == VMBUS_GPADL_CREATED && in.created.gpadl == mark)
			return;
		hear(type);
	}
	check(!"the host answers");
}

/* ---- what it does ---- */

static void post_relid(u32 type, u32 relid)
{
	struct vmbus_w_relid m = { .h.type = type, .relid = relid };

	vmbus_post(&m, sizeof(m));
}

/* of @pages, though there may be more to come that never does */
static void post_gpadl(struct device *d, u32 pages)
{
	u64 at = gpa(rings[d - devices]) / PAGE;
	struct {
		struct vmbus_w_gpadl_header h;
		u64 words[1 + RING];
	} __attribute__((packed)) m = {
		.h = {
			.h.type = VMBUS_GPADL_HEADER, .relid = d->relid, .gpadl = d->gpadl,
			.range_bytes = (1 + RING) * 8, .range_count = 1,
		},
		.words = { RING * PAGE },
	};

	for (u32 i = 0; i < pages; i++)
		m.words[1 + i] = at + i;
	vmbus_post(&m, sizeof(m.h) + (1 + pages) * 8);
}

static void post_teardown(struct device *d)
{
	struct vmbus_w_gpadl_teardown m = {
		.h.type = VMBUS_GPADL_TEARDOWN, .relid = d->relid, .gpadl = d->gpadl,
	};

	vmbus_post(&m, sizeof(m));
	d->answers++;
}

static void open_it(struct device *d)
{
	struct vmbus_w_open m = {
		.h.type = VMBUS_OPEN, .relid = d->relid, .open_id = 1, .ring_gpadl = d->gpadl,
		.downstream = RING / 2,
	};

	memset(rings[d - devices], 0, sizeof(rings[0]));
	vmbus_post(&m, sizeof(m));
	d->answers++;
	d->stage = OPENED;
}

/* one step further, or back */
static void live(struct device *d)
{
	switch (d->stage) {
	case UNKNOWN:
		break;
	case KNOWN:
		d->gpadl = ++last_gpadl;
		d->stage = any(4) ? MADE : HALF;
		post_gpadl(d, d->stage == MADE ? RING : 1);
		d->answers += d->stage == MADE;
		break;
	case HALF:
	case MADE:
		if (d->stage == MADE && any(3)) {
			open_it(d);
			break;
		}
		post_teardown(d);
		/* the id may be used again when that is answered */
		hear_all();
		d->stage = d->stage == UNKNOWN ? UNKNOWN : KNOWN;
		break;
	case OPENED:
		post_relid(VMBUS_CLOSE, d->relid);
		d->stage = MADE;
		break;
	}
}

/* as Linux does: closed, torn down, released; some of it may be left out */
static void let_go(struct device *d)
{
	if (d->stage == OPENED && any(2))
		post_relid(VMBUS_CLOSE, d->relid);
	if (d->stage >= HALF && any(2))
		post_teardown(d);
	post_relid(VMBUS_RELID_RELEASED, d->relid);
	releases++;
	/* nothing of it can come any more when this is heard; perhaps the device anew */
	d->stage = UNKNOWN;
	hear_all();
}

static void host_step(struct device *d)
{
	command(d->offered ? G_CMD_REVOKE : G_CMD_OFFER, d - devices, 0, 0);
	if (host->result)
		is_(host->result, 0, "the host offers, or takes back");
	d->offered = !d->offered;
}

static void step(void)
{
	struct device *d = &devices[any(DEVICES)];
	u32 type;

	if (d == &devices[INNOCENT]) {
		if (channel_echo(&innocent, 0, ++echoes, text, sizeof(text)))
			return;
		check(!"the channel that is nobody's business works");
		done();
	}
	switch (any(8)) {
	case 0 ... 2:
		host_step(d);
		break;
	case 3:
		while ((type = vmbus_poll()))
			hear(type);
		break;
	default:
		if (d->stage != UNKNOWN && d->rescinded)
			let_go(d);
		else
			live(d);
	}
}

/* ---- what has to be so ---- */

/* all is heard: what the guest knows is what there is, or what it has not let go of */
static void compare(void)
{
	hear_all();
	for (u32 i = 0; i < DEVICES; i++) {
		struct device *d = &devices[i];

		if (i == INNOCENT)
			continue;
		if (d->stage == UNKNOWN)
			must_be(d->offered, false, "the guest knows of what is offered");
		else if (!d->rescinded)
			must_be(d->offered, true, "the guest knows of what was taken back");
		/* what is rescinded may have lost the answer to an open */
		if (d->stage != UNKNOWN && !d->rescinded && d->answers) {
			is_(d->answers, 0, "all questions are answered");
			note("of the channel", d->relid);
			note("whose GPADL is", d->gpadl);
		}
	}
}

static void begin(void)
{
	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	for (u32 i = 0; i < DEVICES; i++) {
		if (i > G_CHANNEL_USER) {
			command(G_CMD_OFFER, i, 0, 0);
			is(host->result, 0);
			expect(VMBUS_OFFER);
		} else {
			in.offer = *vmbus_find(i);
		}
		devices[i].type = in.offer.type;
		devices[i].relid = in.offer.relid;
		devices[i].offered = true;
		devices[i].stage = KNOWN;
	}
	is(channel_open(&innocent, vmbus_find(INNOCENT), ring_memory[0], 4, 4), 0);
	devices[INNOCENT].stage = UNKNOWN;	/* its answers are waited for */
	state = host->seed;
}

static void end(void)
{
	for (u32 i = 0; i < DEVICES; i++)
		if (i != INNOCENT && devices[i].offered)
			host_step(&devices[i]);
	compare();
	for (u32 i = 0; i < DEVICES; i++)
		if (devices[i].stage != UNKNOWN)
			let_go(&devices[i]);
	compare();
}

CASE(bus_offers_at_random, G_OVID_ONLY | G_VMBUS | G_FUZZ | G_LONG_TIME, 1)
{
	int64_t pages, gpadls;
	u32 steps = 0;

	begin();
	pages = counter("bus_gpadl_pages");
	gpadls = counter("bus_gpadls");
	rescinds = 0;
	for (; host->count ? steps < host->count : !host->stop; steps++) {
		step();
		if (!any(10))
			compare();
	}
	end();
	note("steps", steps);
	note("channels opened", opened);
	note("rescinds", rescinds);
	note("releases", releases);
	check(opened && rescinds && releases && echoes);
	is(counter("bus_rescinds"), rescinds);
	is(counter("bus_channels"), 1);
	is_(counter("bus_gpadls"), gpadls, "what was there is there");
	is_(counter("bus_gpadl_pages"), pages, "so is its memory");
	channel_close(&innocent);
	is(counter("bus_gpadls"), 0);
	vmbus_unload();
}
