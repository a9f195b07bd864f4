// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels: opened, closed, their events sent elsewhere.
 */
#include "bus_priv.h"
#include "buslib.h"

static void post_open_result(struct ovid_bus *bus, u32 relid, u32 open_id, int err)
{
	struct vmbus_w_open_result r = {
		.h.type = VMBUS_OPEN_RESULT, .relid = relid, .open_id = open_id,
		.status = ovid_bus_status(err),
	};

	ovid_bus_post(bus, &r, sizeof(r));
}

static void finish_open(struct ovid_bus *bus, struct ovid_bus_chan *chan, int err)
{
	struct ovid_gpadl *ring = chan->ring;

	chan->state = err ? OVID_CHAN_CLOSED : OVID_CHAN_OPEN;
	if (err)
		chan->ring = NULL;
	post_open_result(bus, chan->relid, chan->open_id, err);
	if (err)
		ovid_bus_ring_unused(bus, ring);
}

void ovid_bus_open_done(struct ovid_bus *bus, struct ovid_bus_chan *chan, int err)
{
	if (chan->state == OVID_CHAN_OPENING)
		finish_open(bus, chan, err);
}

/* ring of an OPEN that makes sense, or NULL */
static struct ovid_gpadl *open_ring(struct ovid_bus *bus, const struct ovid_bus_chan *chan,
				    const struct vmbus_w_open *m)
{
	struct ovid_gpadl *ring;

	if (!chan || chan->state != OVID_CHAN_CLOSED)
		return NULL;
	if (m->target_vp >= bus->nr_vps && m->target_vp != VMBUS_VP_NONE)
		return NULL;
	ring = ovid_bus_gpadl(bus, m->ring_gpadl, m->relid);
	return ring && ovid_gpadl_holds_rings(ring, m->downstream) ? ring : NULL;
}

int ovid_bus_on_open(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	const struct vmbus_w_open *m = msg;
	struct ovid_bus_chan *chan = ovid_bus_by_relid(bus, m->relid);
	struct ovid_gpadl *ring;
	int err;

	/* sent before the guest saw RESCIND, which wakes it */
	if (chan && chan->revoked)
		return 0;
	ring = open_ring(bus, chan, m);
	if (!ring) {
		post_open_result(bus, m->relid, m->open_id, -EPROTO);
		return -EPROTO;
	}
	chan->open_id = m->open_id;
	chan->target_vp = m->target_vp;
	chan->downstream = m->downstream;
	memcpy(chan->user, m->user, sizeof(chan->user));
	chan->ring = ring;
	chan->state = OVID_CHAN_OPENING;
	err = bus->fx->open(bus, chan);
	if (err != -EINPROGRESS)
		finish_open(bus, chan, err);
	return 0;
}

/* the ring's GPADL stays: it belongs to the guest */
void ovid_bus_shut(struct ovid_bus *bus, struct ovid_bus_chan *chan)
{
	if (chan->state == OVID_CHAN_CLOSED)
		return;
	bus->fx->close(bus, chan);
	chan->state = OVID_CHAN_CLOSED;
	chan->ring = NULL;
}

/* has no answer.  It may come late, when the channel was revoked */
int ovid_bus_on_close(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	const struct vmbus_w_relid *m = msg;
	struct ovid_bus_chan *chan = ovid_bus_by_relid(bus, m->relid);
	struct ovid_gpadl *ring;

	if (!chan)
		return -EPROTO;
	ring = chan->ring;
	ovid_bus_shut(bus, chan);
	if (ring)
		ovid_bus_ring_unused(bus, ring);
	if (!chan->revoked)
		ovid_bus_revoke_subs(bus, chan);
	return 0;
}

int ovid_bus_on_modify(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	const struct vmbus_w_modify *m = msg;
	struct ovid_bus_chan *chan = ovid_bus_by_relid(bus, m->relid);
	struct vmbus_w_modify_response r = {
		.h.type = VMBUS_MODIFY_RESPONSE, .relid = m->relid,
		.status = VMBUS_STATUS_UNSUCCESSFUL,
	};

	if (chan && chan->state == OVID_CHAN_OPEN && chan->target_vp != VMBUS_VP_NONE &&
	    m->target_vp < bus->nr_vps) {
		chan->target_vp = m->target_vp;
		bus->fx->retarget(bus, chan);
		r.status = 0;
	}
	if (bus->version >= VMBUS_V5_3)
		ovid_bus_post(bus, &r, sizeof(r));
	return r.status ? -EPROTO : 0;
}
