// SPDX-License-Identifier: GPL-2.0-only
/*
 * Offers: what the guest is told of, by which relid, and how it comes to an end.
 *
 * A channel that the guest knows holds its relid until the guest releases it or
 * the connection ends, revoked or not.
 */
#include "bus_priv.h"
#include "buslib.h"

bool ovid_bus_same_device(const struct ovid_bus_chan *a, const struct ovid_bus_chan *b)
{
	return !memcmp(&a->offer.type, &b->offer.type, sizeof(a->offer.type)) &&
	       !memcmp(&a->offer.instance, &b->offer.instance, sizeof(a->offer.instance));
}

bool ovid_bus_same_name(const struct ovid_bus_chan *a, const struct ovid_bus_chan *b)
{
	return a->offer.sub_index == b->offer.sub_index && ovid_bus_same_device(a, b);
}

struct ovid_bus_chan *ovid_bus_by_relid(const struct ovid_bus *bus, u32 relid)
{
	if (relid > OVID_BUS_MAX_RELID)
		return NULL;
	return bus->chan[array_index_nospec(relid, ARRAY_SIZE(bus->chan))];
}

/* of no use to the next connection: its guest asks for it anew */
static bool of_connection(const struct ovid_bus_chan *chan)
{
	return chan->offer.sub_index || chan->offer.flags & VMBUS_OFFER_TLNPI;
}

bool ovid_bus_may_have_sockets(const struct ovid_bus *bus)
{
	return bus->state == OVID_BUS_OFFERED && bus->version >= VMBUS_V4_0;
}

/* @id: one that is free */
void ovid_bus_give_monitor(struct ovid_bus *bus, struct ovid_bus_chan *chan, u32 id)
{
	bus->monitored[id] = chan;
	chan->offer.monitor_id = id;
	chan->offer.monitor_allocated = 1;
}

/* one that looks often gets an id, or does without: then the guest signals it like any other */
static void find_monitor(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	u32 id;

	if (!chan->latency || !bus->monitor_page[0])
		return;
	for (id = 0; id < VMBUS_MONITORS; id++) {
		if (bus->monitored[id])
			continue;
		ovid_bus_give_monitor(bus, chan, id);
		return;
	}
}

/* what its owner has said of one does not count */
void ovid_bus_no_monitor(struct ovid_bus_chan *chan)
{
	chan->offer.monitor_id = 0;
	chan->offer.monitor_allocated = 0;
}

static void drop_monitor(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	if (chan->offer.monitor_allocated)
		bus->monitored[chan->offer.monitor_id] = NULL;
	ovid_bus_no_monitor(chan);
}

/* the guest does not know it any more */
void ovid_bus_drop_relid(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	drop_monitor(bus, chan);
	if (chan->relid)
		bus->chan[chan->relid] = NULL;
	chan->relid = 0;
	chan->offered = false;
}

static void forget(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	struct ovid_bus_chan **p = &bus->chans;

	while (*p != chan)
		p = &(*p)->next;
	*p = chan->next;
	bus->nr_chans--;
	/* whoever has its file may still take the offer back */
	chan->revoked = true;
	ovid_bus_drop_relid(bus, chan);
}

/* there is a free one: not more channels are taken than there are relids */
static u32 next_relid(struct ovid_bus *bus)
{
	do {
		bus->last_relid = bus->last_relid % OVID_BUS_MAX_RELID + 1;
	} while (bus->chan[bus->last_relid]);
	return bus->last_relid;
}

/* @relid: one that is free */
void ovid_bus_give_relid(struct ovid_bus *bus, struct ovid_bus_chan *chan, u32 relid)
{
	chan->relid = relid;
	chan->offered = true;
	bus->chan[relid] = chan;
	chan->offer.h.type = VMBUS_OFFER;
	chan->offer.relid = relid;
	chan->offer.dedicated_interrupt = 1;
	chan->offer.connection_id = VMBUS_CONN_CHANNEL(relid);
}

static void tell(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	ovid_bus_give_relid(bus, chan, next_relid(bus));
	find_monitor(bus, chan);
	ovid_bus_post(bus, &chan->offer, sizeof(chan->offer));
}

/* 0: tell the guest; 1: not yet, it still holds a revoked one of the same name; -errno: refused */
static int may_offer(const struct ovid_bus *bus, const struct ovid_bus_chan *chan)
{
	const struct ovid_bus_chan *other, *primary = NULL;
	int wait = 0;

	for (other = bus->chans; other; other = other->next) {
		if (ovid_bus_same_name(other, chan)) {
			if (!other->revoked)
				return -EEXIST;
			wait = 1;
		}
		if (ovid_bus_same_device(other, chan) && !other->offer.sub_index && !other->revoked)
			primary = other;
	}
	if (chan->offer.sub_index && !bus->awaits && (!primary || primary->state != OVID_CHAN_OPEN))
		return -ENOTCONN;
	if (chan->offer.flags & VMBUS_OFFER_TLNPI && !bus->awaits &&
	    !ovid_bus_may_have_sockets(bus))
		return -ENOTCONN;
	return bus->nr_chans < OVID_BUS_MAX_RELID ? wait : -ENOSPC;
}

int ovid_bus_offer(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	struct ovid_bus_chan **p = &bus->chans;
	int wait = may_offer(bus, chan);

	if (wait < 0)
		return wait;
	/* at the end: guests want the same order, and relids, by each connection */
	while (*p)
		p = &(*p)->next;
	*p = chan;
	chan->next = NULL;
	ovid_bus_no_monitor(chan);
	bus->nr_chans++;
	if (!wait && bus->state == OVID_BUS_OFFERED)
		tell(bus, chan);
	return 0;
}

int ovid_bus_on_request_offers(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	struct vmbus_w_header done = { .type = VMBUS_ALL_OFFERS };
	struct ovid_bus_chan *chan;

	if (bus->state == OVID_BUS_OFFERED)
		return -EPROTO;
	bus->state = OVID_BUS_OFFERED;
	for (chan = bus->chans; chan; chan = chan->next)
		tell(bus, chan);
	ovid_bus_post(bus, &done, sizeof(done));
	return 0;
}

static bool revoke(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	struct vmbus_w_relid rescind = { .h.type = VMBUS_RESCIND, .relid = chan->relid };

	if (!chan->offered) {
		forget(bus, chan);
		return true;
	}
	/* the guest frees the memory as soon as it sees RESCIND */
	ovid_bus_shut(bus, chan);
	ovid_bus_drop_gpadls(bus, chan->relid);
	chan->revoked = true;
	ovid_bus_post(bus, &rescind, sizeof(rescind));
	return false;
}

/* guests wait for it when they have closed a primary channel */
void ovid_bus_revoke_subs(struct ovid_bus *bus, const struct ovid_bus_chan *primary)
{
	struct ovid_bus_chan *chan, *next;

	if (primary->offer.sub_index)
		return;
	for (chan = bus->chans; chan; chan = next) {
		next = chan->next;
		if (chan->offer.sub_index && !chan->revoked &&
		    ovid_bus_same_device(chan, primary) && revoke(bus, chan))
			bus->fx->release(bus, chan);
	}
}

bool ovid_bus_revoke(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	if (chan->revoked)
		return false;
	ovid_bus_revoke_subs(bus, chan);
	return revoke(bus, chan);
}

static struct ovid_bus_chan *find_waiting(struct ovid_bus *bus, const struct ovid_bus_chan *old)
{
	struct ovid_bus_chan *chan;

	for (chan = bus->chans; chan; chan = chan->next)
		if (chan != old && ovid_bus_same_name(chan, old))
			return chan;
	return NULL;
}

/* of a channel that was not revoked: the guest wants nothing of it */
int ovid_bus_on_released(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	const struct vmbus_w_relid *m = msg;
	struct ovid_bus_chan *chan = ovid_bus_by_relid(bus, m->relid), *waiting;

	if (!chan || chan->state != OVID_CHAN_CLOSED)
		return -EPROTO;
	ovid_bus_drop_gpadls(bus, chan->relid);
	if (!chan->revoked) {
		ovid_bus_drop_relid(bus, chan);
		return 0;
	}
	waiting = find_waiting(bus, chan);
	forget(bus, chan);
	bus->fx->release(bus, chan);
	if (waiting)
		tell(bus, waiting);
	return 0;
}

/* the connection is over: all are closed, their GPADLs are gone */
void ovid_bus_forget_offers(struct ovid_bus *bus)
{
	struct ovid_bus_chan *chan, *next;

	for (chan = bus->chans; chan; chan = next) {
		next = chan->next;
		if (chan->revoked || of_connection(chan)) {
			forget(bus, chan);
			bus->fx->release(bus, chan);
			continue;
		}
		ovid_bus_drop_relid(bus, chan);
	}
	bus->last_relid = 0;
}
