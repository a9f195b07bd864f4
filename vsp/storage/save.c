// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a controller is moved with the VM: where the protocol stands, answers that wait for
 * space in the ring, and what commands have changed of units: attentions, reservations, ...
 * What was under way has ended when images rest, so that it becomes an answer.  Disks are not in
 * it: whoever moves the VM attaches them first.  Their images rest by then.
 */
#include <linux/cleanup.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../../uapi/ovid.h"
#include "storage.h"

#define SAVE_VERSION	3

struct saved {
	u32 version;
	u32 phase;
	u32 nr_replies;
	u32 nr_units;		/* behind them; a sub-channel's are none */
};

struct saved_reply {
	u64 trans_id;
	u32 bytes;
	u32 wanted;
	struct stor_w_packet packet;
};

/* flags */
#define SAVED_WRITE_THROUGH	(1u << 0)
#define SAVED_PREVENTED		(1u << 1)
#define SAVED_TRAY_OPEN		(1u << 2)
#define SAVED_REGISTERED	(1u << 3)
#define SAVED_FLAGS		(SAVED_REGISTERED * 2 - 1)

struct saved_unit {
	u64 key;
	u32 address;
	u32 attentions;
	u32 generation;
	u16 flags;
	u8 event;
	u8 reservation;
};

static void save_unit(unsigned long address, const struct ovid_scsi_state *state,
		      struct saved_unit *saved)
{
	saved->key = state->reserve.key;
	saved->address = address;
	saved->attentions = state->attentions;
	saved->generation = state->reserve.generation;
	saved->flags = (state->write_through ? SAVED_WRITE_THROUGH : 0) |
		       (state->prevented ? SAVED_PREVENTED : 0) |
		       (state->tray_open ? SAVED_TRAY_OPEN : 0) |
		       (state->reserve.registered ? SAVED_REGISTERED : 0);
	saved->event = state->event;
	saved->reservation = state->reserve.type;
}

/* false: it cannot be so */
static bool read_unit(const struct saved_unit *saved, struct ovid_scsi_state *state)
{
	*state = (struct ovid_scsi_state){
		.attentions = saved->attentions,
		.write_through = saved->flags & SAVED_WRITE_THROUGH,
		.prevented = saved->flags & SAVED_PREVENTED,
		.tray_open = saved->flags & SAVED_TRAY_OPEN,
		.event = saved->event,
		.reserve = {
			.key = saved->key,
			.generation = saved->generation,
			.registered = saved->flags & SAVED_REGISTERED,
			.type = saved->reservation,
		},
	};
	return !(saved->flags & ~SAVED_FLAGS) && ovid_scsi_state_ok(state);
}

static void save_reply(const struct stor_request *req, struct saved_reply *saved)
{
	saved->trans_id = req->trans_id;
	saved->bytes = req->bytes;
	saved->wanted = req->wanted;
	saved->packet = req->packet;
}

u32 ovid_stor_save(struct stor_queue *queue, void *buf, u32 room)
{
	struct stor *stor = queue->stor;
	u32 nr_units = ovid_stor_is_primary(queue) ? stor->nr_units : 0, bytes;
	struct saved_reply *reply;
	struct saved_unit *units;
	struct stor_request *req;
	struct saved *saved = buf;
	struct stor_unit *unit;
	unsigned long at;

	guard(mutex)(&stor->units_lock);
	bytes = sizeof(*saved) + queue->nr_requests * sizeof(*reply) + nr_units * sizeof(*units);
	if (bytes > room)
		return bytes;
	saved->version = SAVE_VERSION;
	saved->phase = queue->phase;
	saved->nr_replies = queue->nr_requests;
	saved->nr_units = nr_units;
	reply = (void *)(saved + 1);
	list_for_each_entry(req, &queue->replies, node)
		save_reply(req, reply++);
	if (!nr_units)
		return bytes;
	units = (void *)reply;
	xa_for_each(&stor->units, at, unit)
		save_unit(at, &unit->state, units++);
	return bytes;
}

/* @queue is as it was made; a channel that is not open stays so, but for units */
static bool saved_ok(const struct stor_queue *queue, const struct saved *saved, bool open,
		     u32 bytes)
{
	bool primary = ovid_stor_is_primary(queue);

	return bytes >= sizeof(*saved) && saved->version == SAVE_VERSION &&
	       saved->phase < STOR_PHASES && saved->nr_replies <= STOR_MAX_REQUESTS &&
	       saved->nr_units <= (primary ? OVID_DISK_MAX : 0) &&
	       ((primary && open) || saved->phase == queue->phase) &&
	       (open || !saved->nr_replies) &&
	       bytes == sizeof(*saved) + saved->nr_replies * sizeof(struct saved_reply) +
			saved->nr_units * sizeof(struct saved_unit);
}

static int restore_reply(struct stor_queue *queue, const struct saved_reply *saved)
{
	struct stor_request *req;

	if (saved->wanted > 1 || (saved->bytes != STOR_PACKET_BYTES &&
				  saved->bytes != STOR_PACKET_OLD_BYTES))
		return -EINVAL;
	req = ovid_stor_request(queue);
	if (!req)
		return -ENOMEM;
	req->trans_id = saved->trans_id;
	req->bytes = saved->bytes;
	req->wanted = saved->wanted;
	req->packet = saved->packet;
	queue->nr_requests++;
	list_add_tail(&req->node, &queue->replies);
	return 0;
}

/* as they were; one that was not there then stays as it is */
static int restore_units(struct stor *stor, const struct saved_unit *saved, u32 nr)
{
	struct ovid_scsi_state state;
	struct stor_unit *unit;

	guard(mutex)(&stor->units_lock);
	for (; nr; nr--, saved++) {
		unit = xa_load(&stor->units, saved->address);
		if (!unit || !read_unit(saved, &state))
			return -EINVAL;
		unit->state = state;
	}
	return 0;
}

int ovid_stor_restore(struct stor_queue *queue, bool open, const void *buf, u32 bytes)
{
	const struct saved_reply *reply;
	const struct saved *saved = buf;
	int err = 0;
	u32 i;

	if (!saved_ok(queue, saved, open, bytes))
		return -EINVAL;
	queue->phase = saved->phase;
	WRITE_ONCE(queue->stor->announce, false);	/* it knows them */
	reply = (const void *)(saved + 1);
	for (i = 0; !err && i < saved->nr_replies; i++)
		err = restore_reply(queue, &reply[i]);
	err = err ?: restore_units(queue->stor, (const void *)&reply[i], saved->nr_units);
	if (err)
		ovid_stor_forget(queue);
	return err;
}
