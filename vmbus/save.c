// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a bus as a stream, and back (save.h).
 *
 * Back: what the stream says is put into the bus, then the whole bus is looked at, whether it
 * could have come to be so by itself; only then effects pin pages and begin to serve.  So there is
 * one list of what holds for a bus, and nothing that a forged stream does is half done.
 */
#include "save.h"
#include "bus_priv.h"
#include "buslib.h"

/* ---- sections ---------------------------------------------------------------- */

static u64 round_up8(u64 bytes)
{
	return (bytes + 7) & ~7ull;
}

void *ovid_saving_at(const struct ovid_saving *to, u32 *room)
{
	u64 at = to->bytes + sizeof(struct ovid_save_head);

	*room = 0;
	if (at > to->room)
		return NULL;
	*room = min_t(u64, to->room - at, 0xfffffff8);
	return to->buf + at;
}

void ovid_saving_add(struct ovid_saving *to, u32 type, u32 instance, u32 bytes)
{
	const struct ovid_save_head head = {
		.type = type, .version = OVID_SAVE_VERSION, .instance = instance, .bytes = bytes,
	};
	u64 end = to->bytes + sizeof(head) + round_up8(bytes);

	if (end <= to->room)
		memcpy(to->buf + to->bytes, &head, sizeof(head));
	to->bytes = end;
}

void *ovid_saving_section(struct ovid_saving *to, u32 type, u32 instance, u32 bytes)
{
	u32 room;
	void *at = ovid_saving_at(to, &room);

	ovid_saving_add(to, type, instance, bytes);
	return to->bytes <= to->room ? at : NULL;
}

const void *ovid_saved_next(struct ovid_saved *from, u32 type, u32 least,
			    struct ovid_save_head *head)
{
	const void *content = from->at + sizeof(*head);
	u64 bytes;

	if (from->left < sizeof(*head))
		return NULL;
	memcpy(head, from->at, sizeof(*head));
	bytes = sizeof(*head) + round_up8(head->bytes);
	if (head->type != type || head->version != OVID_SAVE_VERSION || head->bytes < least ||
	    bytes > from->left)
		return NULL;
	from->at += bytes;
	from->left -= bytes;
	return content;
}

/* ---- writing ------------------------------------------------------------------ */

static void save_bus(const struct ovid_bus *bus, struct ovid_saving *to)
{
	struct ovid_save_bus *s = ovid_saving_section(to, OVID_SAVE_BUS, 0, sizeof(*s));

	if (!s)
		return;
	s->state = bus->state;
	s->version = bus->version;
	s->agreed_features = bus->agreed_features;
	s->target_vp = bus->target_vp;
	s->sint = bus->sint;
	s->last_relid = bus->last_relid;
	s->gpadls = bus->nr_gpadls;
	s->channels = bus->nr_chans;
	s->interrupt_page = bus->interrupt_page;
	memcpy(s->monitor_page, bus->monitor_page, sizeof(s->monitor_page));
	s->messages = bus->messages;
	s->bad_messages = bus->bad_messages;
	s->client = bus->client;
}

/* behind the end of a complete one's ranges nothing counts */
static void save_gpadl(const struct ovid_gpadl *gpadl, u32 i, struct ovid_saving *to)
{
	u32 have = min(gpadl->have, gpadl->range_bytes);
	struct ovid_save_gpadl *s = ovid_saving_section(to, OVID_SAVE_GPADL, i, sizeof(*s) + have);

	if (!s)
		return;
	s->id = gpadl->id;
	s->relid = gpadl->relid;
	s->range_count = gpadl->range_count;
	s->range_bytes = gpadl->range_bytes;
	s->have = have;
	if (gpadl->complete)
		s->flags |= OVID_SAVE_COMPLETE;
	if (gpadl->teardown)
		s->flags |= OVID_SAVE_TEARDOWN;
	memcpy(s + 1, gpadl->ranges, have);
}

static void save_chan(const struct ovid_bus_chan *chan, u32 i, struct ovid_saving *to)
{
	struct ovid_save_channel *s = ovid_saving_section(to, OVID_SAVE_CHANNEL, i, sizeof(*s));

	if (!s)
		return;
	s->type = chan->offer.type;
	s->instance = chan->offer.instance;
	s->sub_index = chan->offer.sub_index;
	s->state = chan->state;
	s->revoked = chan->revoked;
	s->relid = chan->relid;
	if (chan->offer.monitor_allocated)
		s->monitor = chan->offer.monitor_id + 1;
	if (chan->state == OVID_CHAN_CLOSED)
		return;
	s->open_id = chan->open_id;
	s->target_vp = chan->target_vp;
	s->downstream = chan->downstream;
	s->ring = chan->ring->id;
	memcpy(s->user, chan->user, sizeof(s->user));
}

void ovid_bus_save(const struct ovid_bus *bus, struct ovid_saving *to)
{
	const struct ovid_bus_chan *chan;
	const struct ovid_gpadl *gpadl;
	u32 i = 0;

	save_bus(bus, to);
	for (gpadl = bus->gpadls; gpadl; gpadl = gpadl->next)
		save_gpadl(gpadl, i++, to);
	i = 0;
	for (chan = bus->chans; chan; chan = chan->next)
		save_chan(chan, i++, to);
}

/* ---- reading ------------------------------------------------------------------ */

static void read_bus(struct ovid_bus *bus, const struct ovid_save_bus *s)
{
	bus->state = s->state;
	bus->version = s->version;
	bus->agreed_features = s->agreed_features;
	bus->target_vp = s->target_vp;
	bus->sint = s->sint;
	bus->last_relid = s->last_relid;
	bus->interrupt_page = s->interrupt_page;
	memcpy(bus->monitor_page, s->monitor_page, sizeof(bus->monitor_page));
	bus->messages = s->messages;
	bus->bad_messages = s->bad_messages;
	bus->client = s->client;
}

static int read_gpadl(struct ovid_bus *bus, const struct ovid_save_gpadl *s, u32 bytes,
		      struct ovid_gpadl **last)
{
	struct ovid_gpadl *gpadl;
	int err;

	if (s->range_count > 0xffff || s->range_bytes > 0xffff || s->have > s->range_bytes ||
	    bytes != sizeof(*s) + s->have ||
	    s->flags & ~(OVID_SAVE_COMPLETE | OVID_SAVE_TEARDOWN))
		return -EINVAL;
	gpadl = ovid_gpadl_new(bus, s->id, s->relid, s->range_bytes, s->range_count, &err);
	if (!gpadl)
		return err == -ENOMEM ? err : -EINVAL;
	gpadl->have = s->have;
	gpadl->complete = s->flags & OVID_SAVE_COMPLETE;
	gpadl->teardown = s->flags & OVID_SAVE_TEARDOWN;
	memcpy(gpadl->ranges, s + 1, s->have);
	*last = gpadl;
	return 0;
}

static int read_gpadls(struct ovid_bus *bus, struct ovid_saved *from, u32 nr)
{
	struct ovid_gpadl **last = &bus->gpadls;
	const struct ovid_save_gpadl *s;
	struct ovid_save_head head;
	int err;

	for (; nr; nr--, last = &(*last)->next) {
		s = ovid_saved_next(from, OVID_SAVE_GPADL, sizeof(*s), &head);
		err = s ? read_gpadl(bus, s, head.bytes, last) : -EINVAL;
		if (err)
			return err;
	}
	return 0;
}

/* out of those that were offered, by the name that @chan has */
static struct ovid_bus_chan *claim(struct ovid_bus_chan **offers, const struct ovid_bus_chan *name)
{
	struct ovid_bus_chan *chan;

	while (*offers && !ovid_bus_same_name(*offers, name))
		offers = &(*offers)->next;
	chan = *offers;
	if (chan)
		*offers = chan->next;
	return chan;
}

/* a guest that signals by a monitor needs an offer that is looked at */
static bool read_monitor(struct ovid_bus *bus, struct ovid_bus_chan *chan, u32 monitor)
{
	if (!monitor)
		return true;
	if (monitor > VMBUS_MONITORS || bus->monitored[monitor - 1] || !chan->offered ||
	    !(chan->latency || chan->revoked))
		return false;
	ovid_bus_give_monitor(bus, chan, monitor - 1);
	return true;
}

/* a primary channel is before its sub-channels, since it was open when they were offered */
static struct ovid_bus_chan *primary_of(const struct ovid_bus *bus,
					const struct ovid_bus_chan *sub)
{
	struct ovid_bus_chan *chan = bus->chans;

	while (chan && (chan->offer.sub_index || chan->revoked || !ovid_bus_same_device(chan, sub)))
		chan = chan->next;
	return chan;
}

/* 0, -ENOENT, -ENOMEM */
static int find_chan(struct ovid_bus *bus, const struct ovid_bus_chan *name,
		     struct ovid_bus_chan **offers, struct ovid_bus_chan **chan)
{
	struct ovid_bus_chan *primary;

	if (!name->revoked) {
		*chan = claim(offers, name);
		if (*chan)
			return 0;
		primary = name->offer.sub_index ? primary_of(bus, name) : NULL;
		*chan = primary ? bus->fx->sub(bus, primary, name->offer.sub_index) : NULL;
		if (!*chan)
			return -ENOENT;
		/* its owner may have taken it from the primary channel's offer */
		ovid_bus_no_monitor(*chan);
	} else {
		*chan = bus->fx->gone(bus);
		if (!*chan)
			return -ENOMEM;
		(*chan)->offer = name->offer;
	}
	(*chan)->made = true;
	return 0;
}

static int read_chan(struct ovid_bus *bus, const struct ovid_save_channel *s,
		     struct ovid_bus_chan **offers, struct ovid_bus_chan **last)
{
	const struct ovid_bus_chan name = {
		.offer.type = s->type, .offer.instance = s->instance,
		.offer.sub_index = s->sub_index, .revoked = s->revoked,
	};
	struct ovid_bus_chan *chan;
	int err;

	if (s->revoked > 1 || s->relid > OVID_BUS_MAX_RELID || (s->relid && bus->chan[s->relid]))
		return -EINVAL;
	err = find_chan(bus, &name, offers, &chan);
	if (err)
		return err;
	chan->next = NULL;
	*last = chan;
	chan->revoked = s->revoked;
	if (s->relid)
		ovid_bus_give_relid(bus, chan, s->relid);
	if (!read_monitor(bus, chan, s->monitor))
		return -EINVAL;
	chan->state = s->state;
	chan->open_id = s->open_id;
	chan->target_vp = s->target_vp;
	chan->downstream = s->downstream;
	if (s->state != OVID_CHAN_CLOSED)
		chan->ring = ovid_gpadl_find(bus, s->ring);
	memcpy(chan->user, s->user, sizeof(chan->user));
	return 0;
}

static int read_chans(struct ovid_bus *bus, struct ovid_saved *from, u32 nr,
		      struct ovid_bus_chan **offers)
{
	struct ovid_bus_chan **last = &bus->chans;
	const struct ovid_save_channel *s;
	struct ovid_save_head head;
	int err;

	if (nr > OVID_BUS_MAX_RELID)
		return -EINVAL;
	bus->nr_chans = nr;
	for (; nr; nr--, last = &(*last)->next) {
		s = ovid_saved_next(from, OVID_SAVE_CHANNEL, sizeof(*s), &head);
		err = s ? read_chan(bus, s, offers, last) : -EINVAL;
		if (err)
			return err;
	}
	return *offers ? -EINVAL : 0;
}

static int read_all(struct ovid_bus *bus, struct ovid_saved *from, struct ovid_bus_chan **offers)
{
	struct ovid_save_head head;
	const struct ovid_save_bus *s = ovid_saved_next(from, OVID_SAVE_BUS, sizeof(*s), &head);
	int err;

	if (!s)
		return -EINVAL;
	read_bus(bus, s);
	err = read_gpadls(bus, from, s->gpadls);
	return err ?: read_chans(bus, from, s->channels, offers);
}

/* ---- what holds for each bus ------------------------------------------------------- */

static bool connection_holds(const struct ovid_bus *bus)
{
	bool pages = bus->interrupt_page || bus->monitor_page[0] || bus->monitor_page[1];

	if (bus->target_vp >= bus->nr_vps || bus->sint >= VMBUS_NR_SINTS ||
	    bus->last_relid > OVID_BUS_MAX_RELID)
		return false;
	if (bus->state == OVID_BUS_DISCONNECTED)
		return !bus->version && !bus->agreed_features && !pages;
	if (bus->state > OVID_BUS_OFFERED || bus->sint != OVID_BUS_SINT ||
	    !ovid_bus_knows_version(bus, bus->version))
		return false;
	if (bus->agreed_features & ~(bus->features & OVID_BUS_FEATURES) ||
	    (bus->agreed_features && bus->version < VMBUS_V6_0))
		return false;
	if (bus->interrupt_page && bus->version >= VMBUS_V2_4)
		return false;
	return !(bus->interrupt_page % VMBUS_PAGE) &&
	       ovid_bus_monitor_ok(bus->monitor_page[0], bus->monitor_page[1]);
}

static bool gpadl_holds(const struct ovid_bus *bus, const struct ovid_gpadl *gpadl)
{
	const struct ovid_bus_chan *chan = ovid_bus_by_relid(bus, gpadl->relid);

	if (!chan || chan->revoked || gpadl->have % 8)
		return false;
	if (!gpadl->complete)
		return gpadl->have < gpadl->range_bytes && !gpadl->teardown;
	/* the ranges fill it, as they do since its last message came */
	return gpadl->have == gpadl->range_bytes && ovid_gpadl_check(gpadl) == gpadl->pages &&
	       (!gpadl->teardown || chan->ring == gpadl);
}

static bool open_holds(const struct ovid_bus *bus, const struct ovid_bus_chan *chan)
{
	const struct ovid_gpadl *ring = chan->ring;

	if (!chan->offered || chan->revoked || chan->state > OVID_CHAN_OPEN)
		return false;
	if (chan->target_vp >= bus->nr_vps && chan->target_vp != VMBUS_VP_NONE)
		return false;
	return ring && ring->complete && ring->relid == chan->relid &&
	       ovid_gpadl_holds_rings(ring, chan->downstream);
}

/*
 * A name is held by one that is offered, or by one that was revoked and one that waits
 * for the guest to let go of that.  A sub-channel goes with its primary channel's close.
 */
static bool name_holds(const struct ovid_bus *bus, const struct ovid_bus_chan *chan)
{
	bool primary = !chan->offer.sub_index || chan->revoked;
	const struct ovid_bus_chan *other;

	for (other = bus->chans; other; other = other->next) {
		if (other == chan || !ovid_bus_same_device(other, chan))
			continue;
		if (other->offer.sub_index == chan->offer.sub_index &&
		    (other->revoked == chan->revoked || (other->offered && chan->offered)))
			return false;
		if (!other->offer.sub_index && !other->revoked && other->state == OVID_CHAN_OPEN)
			primary = true;
	}
	return primary;
}

static bool chan_holds(const struct ovid_bus *bus, const struct ovid_bus_chan *chan)
{
	if (chan->offered && bus->state != OVID_BUS_OFFERED)
		return false;
	if (chan->revoked && !chan->offered)
		return false;
	if (chan->offer.flags & VMBUS_OFFER_TLNPI && !ovid_bus_may_have_sockets(bus))
		return false;
	if (chan->state != OVID_CHAN_CLOSED && !open_holds(bus, chan))
		return false;
	return name_holds(bus, chan);
}

static bool all_holds(const struct ovid_bus *bus)
{
	const struct ovid_bus_chan *chan;
	const struct ovid_gpadl *gpadl;

	if (!connection_holds(bus))
		return false;
	for (gpadl = bus->gpadls; gpadl; gpadl = gpadl->next)
		if (!gpadl_holds(bus, gpadl))
			return false;
	for (chan = bus->chans; chan; chan = chan->next)
		if (!chan_holds(bus, chan))
			return false;
	return true;
}

/* ---- effects, and back --------------------------------------------------------------- */

/* up to where effects were called */
struct progress {
	const struct ovid_gpadl *gpadl;
	const struct ovid_bus_chan *chan;
	bool pages;
};

static int apply(struct ovid_bus *bus, struct ovid_saved *from, struct progress *done)
{
	struct ovid_bus_chan *chan;
	struct ovid_gpadl *gpadl;
	u32 i = 0;
	int err;

	for (gpadl = bus->gpadls; gpadl; gpadl = gpadl->next) {
		err = gpadl->complete ? bus->fx->pin(bus, gpadl) : 0;
		if (err)
			return err;
		done->gpadl = gpadl->next;
	}
	done->pages = bus->interrupt_page || bus->monitor_page[0];
	err = done->pages ? bus->fx->monitor(bus) : 0;
	if (err)
		return err;
	for (chan = bus->chans; chan; chan = chan->next) {
		err = bus->fx->restore(bus, chan, i++);
		if (err)
			return err;
		done->chan = chan->next;
	}
	return from->left ? -EINVAL : 0;
}

static void undo_gpadls(struct ovid_bus *bus, const struct ovid_gpadl *end)
{
	struct ovid_gpadl *gpadl;

	for (gpadl = bus->gpadls; gpadl != end; gpadl = gpadl->next)
		if (gpadl->complete)
			bus->fx->unpin(bus, gpadl);
	while (bus->gpadls)
		ovid_gpadl_free(bus, &bus->gpadls);
}

/* those that nobody offers go, the others are as they were offered */
static void undo_chans(struct ovid_bus *bus, struct ovid_bus_chan *offers)
{
	struct ovid_bus_chan *chan, *next, **last;

	for (chan = bus->chans; chan; chan = next) {
		next = chan->next;
		ovid_bus_drop_relid(bus, chan);
		if (chan->made) {
			bus->fx->release(bus, chan);
			continue;
		}
		chan->state = OVID_CHAN_CLOSED;
		chan->ring = NULL;
		chan->next = offers;
		offers = chan;
	}
	bus->chans = offers;
	bus->nr_chans = 0;
	for (last = &bus->chans; *last; last = &(*last)->next)
		bus->nr_chans++;
}

static void undo(struct ovid_bus *bus, const struct progress *done, struct ovid_bus_chan *offers)
{
	const struct ovid_save_bus fresh = { .sint = OVID_BUS_SINT };
	struct ovid_bus_chan *chan;

	for (chan = bus->chans; chan != done->chan; chan = chan->next)
		bus->fx->unrestore(bus, chan);
	undo_gpadls(bus, done->gpadl);
	undo_chans(bus, offers);
	read_bus(bus, &fresh);
	if (done->pages)
		bus->fx->monitor(bus);
}

int ovid_bus_restore(struct ovid_bus *bus, struct ovid_saved *from)
{
	struct ovid_bus_chan *offers = bus->chans;
	struct progress done = {};
	int err;

	if (!bus->awaits || bus->state != OVID_BUS_DISCONNECTED)
		return -EBUSY;
	bus->chans = NULL;
	err = read_all(bus, from, &offers);
	if (!err && !all_holds(bus))
		err = -EINVAL;
	done.gpadl = bus->gpadls;
	done.chan = bus->chans;
	if (!err)
		err = apply(bus, from, &done);
	if (err)
		undo(bus, &done, offers);
	else
		bus->awaits = false;
	return err;
}
