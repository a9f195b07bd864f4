// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a controller is moved with the VM: where the protocol stands, and answers that wait
 * for space in the ring.  What was under way has ended by then, so that it becomes an answer.
 * Disks are not in it: whoever moves the VM attaches them.  Their images rest by then.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include "storage.h"

#define SAVE_VERSION	1

struct saved {
	u32 version;
	u32 phase;
	u32 nr_replies;
	u32 reset;		/* 1: the last of them is a reset that waits for the others */
};

struct saved_reply {
	u64 trans_id;
	u32 bytes;
	u32 wanted;
	struct stor_w_packet packet;
};

static void save_reply(const struct stor_request *req, struct saved_reply *saved)
{
	saved->trans_id = req->trans_id;
	saved->bytes = req->bytes;
	saved->wanted = req->wanted;
	saved->packet = req->packet;
}

u32 ovid_stor_save(struct stor *stor, void *buf, u32 room)
{
	struct saved_reply *reply;
	struct stor_request *req;
	struct saved *saved = buf;
	u32 bytes;

	ovid_stor_quiesce(stor);
	/* nothing of a channel that is not open */
	if (stor->phase == STOR_PHASE_NEW && !stor->nr_requests)
		return 0;
	bytes = sizeof(*saved) + stor->nr_requests * sizeof(*reply);
	if (bytes > room)
		return bytes;
	saved->version = SAVE_VERSION;
	saved->phase = stor->phase;
	saved->nr_replies = stor->nr_requests;
	saved->reset = !!stor->reset;
	reply = (void *)(saved + 1);
	list_for_each_entry(req, &stor->replies, node)
		save_reply(req, reply++);
	if (stor->reset)
		save_reply(stor->reset, reply);
	return bytes;
}

static bool saved_ok(const struct saved *saved, u32 bytes)
{
	return bytes >= sizeof(*saved) && saved->version == SAVE_VERSION &&
	       saved->phase < STOR_PHASES && saved->nr_replies <= STOR_MAX_REQUESTS &&
	       saved->reset <= 1 && saved->reset <= saved->nr_replies &&
	       bytes == sizeof(*saved) + saved->nr_replies * sizeof(struct saved_reply);
}

static int restore_reply(struct stor *stor, const struct saved_reply *saved, bool reset)
{
	struct stor_request *req;

	if (saved->wanted > 1 || (saved->bytes != STOR_PACKET_BYTES &&
				  saved->bytes != STOR_PACKET_OLD_BYTES))
		return -EINVAL;
	req = ovid_stor_request(stor);
	if (!req)
		return -ENOMEM;
	req->trans_id = saved->trans_id;
	req->bytes = saved->bytes;
	req->wanted = saved->wanted;
	req->packet = saved->packet;
	stor->nr_requests++;
	if (reset)
		stor->reset = req;
	else
		list_add_tail(&req->node, &stor->replies);
	return 0;
}

int ovid_stor_restore(struct stor *stor, bool open, const void *buf, u32 bytes)
{
	const struct saved_reply *reply;
	const struct saved *saved = buf;
	int err = 0;
	u32 i;

	if (!bytes)
		return 0;
	if (!open || !saved_ok(saved, bytes))
		return -EINVAL;
	stor->phase = saved->phase;
	WRITE_ONCE(stor->announce, false);	/* it knows them */
	reply = (const void *)(saved + 1);
	for (i = 0; !err && i < saved->nr_replies; i++)
		err = restore_reply(stor, &reply[i], saved->reset && i == saved->nr_replies - 1);
	if (err)
		ovid_stor_forget(stor);
	return err;
}
