// SPDX-License-Identifier: GPL-2.0-only
/*
 * A storage channel's packets: each becomes a request, and that its answer.
 *
 * The channel's thread takes packets and sends answers.  What an image does ends in any
 * context: it is put into a list then, and the thread is kicked.
 */
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../../uapi/ovid.h"
#include "storage.h"

#define BUDGET		64	/* packets in a row, then it is another channel's turn */

struct stor_request *ovid_stor_request(struct stor *stor)
{
	struct stor_request *req = kmalloc(sizeof(*req), GFP_KERNEL_ACCOUNT);

	if (!req)
		return NULL;
	/* the extents are many, and seldom used */
	memset(req, 0, offsetof(struct stor_request, extents));
	req->stor = stor;
	return req;
}

/* ---- the end of a request ---- */

static u32 sense_of(const struct stor_request *req)
{
	switch (req->err) {
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
		return SENSE_SPACE;
	case -EOPNOTSUPP:
		return SENSE_BAD_OPCODE;
	default:
		return req->io.op == IMAGE_READ ? SENSE_READ_ERROR :
		       req->io.op == IMAGE_FLUSH ? SENSE_HARDWARE : SENSE_WRITE_ERROR;
	}
}

/* the channel's thread, or one that keeps it out */
static void let_go(struct stor *stor, struct stor_request *req, bool written)
{
	if (!req->held)
		return;
	stor->nr_pages -= req->held->nr;
	ovid_chan_let_go(req->held, written);
	req->held = NULL;
}

static void reply(struct stor *stor, struct stor_request *req)
{
	list_add_tail(&req->node, &stor->replies);
}

/* the guest's memory is its own again */
static void end_request(struct stor *stor, struct stor_request *req)
{
	u32 offset;

	let_go(stor, req, req->io.op == IMAGE_READ && !req->steps);
	if (req->err)
		ovid_stor_check(&req->packet, sense_of(req), 0);
	else if (ovid_stor_steps_differ(req, &offset))
		ovid_stor_miscompare(&req->packet, offset);
	else
		ovid_stor_good(&req->packet, req->moved);
	ovid_stor_steps_free(req);
	if (stor->alone == req)
		stor->alone = NULL;
	reply(stor, req);
}

/* what has ended since; some go on with another step */
static void take_finished(struct stor *stor)
{
	struct stor_request *req, *next;
	LIST_HEAD(finished);

	scoped_guard(spinlock_irqsave, &stor->lock)
		list_splice_init(&stor->finished, &finished);
	list_for_each_entry_safe(req, next, &finished, node) {
		if (req->err || !req->steps || !ovid_stor_next_step(stor, req))
			end_request(stor, req);
	}
}

/*
 * Any context.  All under the lock: who finds nothing under way may free what there is as soon
 * as he has it.
 */
static void io_done(struct ovid_image_io *io, int err)
{
	struct stor_request *req = container_of(io, struct stor_request, io);
	struct stor *stor = req->stor;

	guard(spinlock_irqsave)(&stor->lock);
	req->err = err;
	list_add_tail(&req->node, &stor->finished);
	ovid_chan_kick(stor->chan);
	req->unit->under_way--;
	stor->under_way--;
	if (!req->unit->under_way || !stor->under_way)
		wake_up(&stor->idle);
}

/* nothing is under way, nor between two steps */
static bool is_quiet(struct stor *stor)
{
	guard(spinlock_irqsave)(&stor->lock);
	return !stor->under_way && list_empty(&stor->finished);
}

/* the request that wants to be alone, if it is; no other begins before it has ended */
static void start_alone(struct stor *stor)
{
	struct stor_request *req = stor->alone;

	if (req && is_quiet(stor) && !ovid_stor_next_step(stor, req))
		end_request(stor, req);
}

void ovid_stor_quiesce(struct stor *stor)
{
	do {
		spin_lock_irq(&stor->lock);
		wait_event_lock_irq(stor->idle, !stor->under_way, stor->lock);
		spin_unlock_irq(&stor->lock);
		take_finished(stor);
		start_alone(stor);
	} while (stor->alone || !is_quiet(stor));
}

/* ---- the guest's memory ---- */

/* @bytes between @buf and the beginning of the memory; there are so many */
static void copy_held(struct ovid_chan_held *held, u8 *buf, u32 bytes, bool to_guest)
{
	const struct bio_vec *vec = held->vec;
	u32 n;

	for (; bytes; bytes -= n, buf += n, vec++) {
		u8 *at = page_address(vec->bv_page) + vec->bv_offset;

		n = min(bytes, vec->bv_len);
		memcpy(to_guest ? at : buf, to_guest ? buf : at, n);
	}
}

/* as much as the request and the packet say */
static u32 room(const struct stor_request *req, const struct ovid_chan_ranges *ranges)
{
	return ranges->count ? min(ranges->bytes, req->packet.srb.transfer_length) : 0;
}

/* 0 or -errno */
static int hold(struct stor *stor, struct stor_request *req, struct ovid_chan_ranges *ranges)
{
	struct ovid_chan_held *held = ovid_chan_hold(stor->chan, ranges);

	if (IS_ERR(held))
		return PTR_ERR(held);
	req->held = held;
	stor->nr_pages += held->nr;
	return 0;
}

/* @bytes of stor->data for the guest, or as many as it has room for; 0 or -errno */
static int give(struct stor *stor, struct stor_request *req, struct ovid_chan_ranges *ranges,
		u32 bytes)
{
	int err;

	req->moved = min(bytes, room(req, ranges));
	if (!req->moved)
		return 0;
	err = hold(stor, req, ranges);
	if (err)
		return err;
	copy_held(req->held, stor->data, req->moved, true);
	let_go(stor, req, true);
	return 0;
}

/* @bytes of the guest into stor->data: 0 or -errno */
static int fetch(struct stor *stor, struct stor_request *req, struct ovid_chan_ranges *ranges,
		 u32 bytes)
{
	int err;

	if (room(req, ranges) < bytes)
		return -EINVAL;
	if (!bytes)
		return 0;
	err = hold(stor, req, ranges);
	if (err)
		return err;
	copy_held(req->held, stor->data, bytes, false);
	let_go(stor, req, false);
	req->moved = bytes;
	return 0;
}

/* ---- requests ---- */

void ovid_stor_submit(struct stor *stor, struct stor_unit *unit, struct stor_request *req)
{
	req->io.done = io_done;
	req->unit = unit;
	unit->requests++;
	scoped_guard(spinlock_irqsave, &stor->lock) {
		unit->under_way++;
		stor->under_way++;
	}
	ovid_image_submit(unit->image, &req->io);
}

/* the rest are for requests that may end at once: 0: it has, or @sense; -EINPROGRESS; -errno */

static int read_write(struct stor *stor, struct stor_unit *unit, struct stor_request *req,
		      struct ovid_chan_ranges *ranges, const struct ovid_scsi_request *scsi)
{
	int err;

	if (room(req, ranges) < scsi->bytes)
		return -EINVAL;
	err = hold(stor, req, ranges);
	if (err)
		return err;
	req->moved = scsi->bytes;
	req->io.op = scsi->todo == SCSI_DO_READ ? IMAGE_READ : IMAGE_WRITE;
	req->io.fua = scsi->fua;
	req->io.offset = scsi->offset;
	req->io.bytes = scsi->bytes;
	req->io.vec = req->held->vec;
	req->io.nr_vec = req->held->nr;
	ovid_stor_submit(stor, unit, req);
	return -EINPROGRESS;
}

static int zero(struct stor *stor, struct stor_unit *unit, struct stor_request *req,
		struct ovid_chan_ranges *ranges, const struct ovid_scsi_request *scsi, u32 *sense)
{
	int err = fetch(stor, req, ranges, scsi->data_bytes);

	if (err)
		return err;
	if (memchr_inv(stor->data, 0, scsi->data_bytes)) {
		*sense = SENSE_BAD_PARAMETER;	/* other patterns are not known */
		return 0;
	}
	req->io.op = scsi->may_unmap && unit->image->unmaps ? IMAGE_UNMAP : IMAGE_ZERO;
	req->io.fua = scsi->fua;
	req->extents[0] = (struct ovid_scsi_extent){ scsi->offset, scsi->bytes };
	req->io.extents = req->extents;
	req->io.nr_extents = 1;
	ovid_stor_submit(stor, unit, req);
	return -EINPROGRESS;
}

static int unmap(struct stor *stor, struct stor_unit *unit, struct stor_request *req,
		 struct ovid_chan_ranges *ranges, const struct ovid_scsi_request *scsi, u32 *sense)
{
	int err = fetch(stor, req, ranges, scsi->data_bytes);

	if (err)
		return err;
	req->io.op = IMAGE_UNMAP;
	req->io.fua = scsi->fua;
	req->io.extents = req->extents;
	req->io.nr_extents = ovid_scsi_unmap_list(&unit->disk, stor->data, scsi->data_bytes,
						  req->extents, sense);
	if (!req->io.nr_extents)
		return 0;
	ovid_stor_submit(stor, unit, req);
	return -EINPROGRESS;
}

static int flush(struct stor *stor, struct stor_unit *unit, struct stor_request *req)
{
	req->io.op = IMAGE_FLUSH;
	ovid_stor_submit(stor, unit, req);
	return -EINPROGRESS;
}

/* what is in several steps */
static int compare(struct stor *stor, struct stor_unit *unit, struct stor_request *req,
		   struct ovid_chan_ranges *ranges, const struct ovid_scsi_request *scsi)
{
	int err;

	if (room(req, ranges) < scsi->data_bytes)
		return -EINVAL;
	err = hold(stor, req, ranges);
	if (err)
		return err;
	err = ovid_stor_steps_make(req, unit, scsi);
	if (err) {
		let_go(stor, req, false);
		return err;
	}
	req->moved = scsi->data_bytes;
	if (scsi->todo == SCSI_DO_COMPARE_WRITE)
		stor->alone = req;	/* begins when it is */
	else
		ovid_stor_step(stor, unit, req);
	return -EINPROGRESS;
}

static int parameters(struct stor *stor, struct stor_unit *unit, struct stor_request *req,
		      struct ovid_chan_ranges *ranges, struct ovid_scsi_request *scsi)
{
	int err = fetch(stor, req, ranges, scsi->data_bytes);

	if (err)
		return err;
	ovid_scsi_parameters(&unit->disk, &unit->state, req->packet.srb.cdb, scsi, stor->data);
	return scsi->todo == SCSI_DO_FLUSH ? flush(stor, unit, req) : 0;
}

static int execute(struct stor *stor, struct stor_unit *unit, struct stor_request *req,
		   struct ovid_chan_ranges *ranges, struct ovid_scsi_request *scsi)
{
	switch (scsi->todo) {
	case SCSI_DO_READ:
	case SCSI_DO_WRITE:
		return read_write(stor, unit, req, ranges, scsi);
	case SCSI_DO_FLUSH:
		return flush(stor, unit, req);
	case SCSI_DO_UNMAP:
		return unmap(stor, unit, req, ranges, scsi, &scsi->sense);
	case SCSI_DO_ZERO:
		return zero(stor, unit, req, ranges, scsi, &scsi->sense);
	case SCSI_DO_VERIFY:
	case SCSI_DO_WRITE_VERIFY:
	case SCSI_DO_COMPARE_WRITE:
		return compare(stor, unit, req, ranges, scsi);
	case SCSI_DO_PARAMETERS:
		return parameters(stor, unit, req, ranges, scsi);
	case SCSI_DO_LUNS:
		scsi->data_bytes = ovid_scsi_luns(ovid_stor_luns(stor, &req->packet.srb),
						  scsi->alloc, stor->data);
		break;
	case SCSI_DO_ANSWER:
		break;
	}
	return give(stor, req, ranges, scsi->data_bytes);
}

static void run_srb(struct stor *stor, struct stor_request *req, struct ovid_chan_ranges *ranges)
{
	const struct stor_w_srb *srb = &req->packet.srb;
	struct ovid_scsi_request scsi;
	struct stor_unit *unit;
	u8 cdb[STOR_CDB_BYTES];
	int err;

	memcpy(cdb, srb->cdb, sizeof(cdb));
	guard(mutex)(&stor->units_lock);
	unit = ovid_stor_unit(stor, srb);
	ovid_scsi_decode(unit ? &unit->disk : NULL, unit ? &unit->state : NULL, cdb,
			 srb->cdb_length, &scsi, stor->data);
	err = ranges->err ?: execute(stor, unit, req, ranges, &scsi);
	if (err == -EINPROGRESS)
		return;
	if (err == -ENOMEM || err == -EINTR)
		ovid_stor_check(&req->packet, SENSE_HARDWARE, 0);
	else if (err)
		ovid_stor_refuse(&req->packet, STOR_SRB_INVALID_REQUEST);
	else if (scsi.sense)
		ovid_stor_check(&req->packet, scsi.sense, req->moved);
	else
		ovid_stor_good(&req->packet, req->moved);
	reply(stor, req);
}

/* ---- packets ---- */

static void take_packet(struct stor *stor, struct stor_request *req, u32 bytes,
			struct ovid_chan_ranges *ranges)
{
	stor->nr_requests++;
	req->bytes = ovid_stor_reply_bytes(bytes);
	switch (ovid_stor_packet(&stor->phase, &req->packet, bytes)) {
	case STOR_DO_REPLY:
		reply(stor, req);
		break;
	case STOR_DO_RESET:
		stor->reset = req;
		break;
	case STOR_DO_SRB:
		run_srb(stor, req, ranges);
		break;
	}
}

static bool is_full(const struct stor *stor)
{
	return stor->nr_requests >= STOR_MAX_REQUESTS || stor->nr_pages >= STOR_MAX_PAGES;
}

/* one packet: 0; -EAGAIN: none for now; -ENOMEM: again soon; -EPROTO */
static int receive_one(struct stor *stor)
{
	struct ovid_chan_ranges ranges = { .list = stor->list, .room = sizeof(stor->list) };
	struct stor_request *req;
	struct ovid_packet pkt;
	int n;

	if (!stor->spare)
		stor->spare = ovid_stor_request(stor);
	req = stor->spare;
	if (!req)
		return -ENOMEM;
	n = ovid_chan_recv_ranges(stor->chan, &pkt, &req->packet, sizeof(req->packet), &ranges);
	if (n == -EMSGSIZE)
		return 0;
	if (n < 0)
		return n;
	if (pkt.type != VMBUS_PKT_DATA && pkt.type != VMBUS_PKT_GPA_DIRECT) {
		memset(&req->packet, 0, sizeof(req->packet));
		return 0;
	}
	stor->spare = NULL;
	req->wanted = pkt.flags & VMBUS_PACKET_COMPLETION;
	req->trans_id = pkt.trans_id;
	take_packet(stor, req, n, &ranges);
	return 0;
}

/* true: there may be more */
static bool receive(struct stor *stor)
{
	int i, err;

	for (i = 0; i < BUDGET; i++) {
		if (stor->reset || stor->alone || is_full(stor))
			return false;
		err = receive_one(stor);
		if (err)
			return err == -ENOMEM;
	}
	return true;
}

/* when all that was before it has been answered */
static void finish_reset(struct stor *stor)
{
	struct stor_request *req = stor->reset;

	if (!req || !is_quiet(stor))
		return;
	stor->reset = NULL;
	ovid_stor_reset_units(stor, BIT(ATTENTION_BUS_RESET));
	reply(stor, req);
}

/* false: there is no space */
static bool send_replies(struct stor *stor)
{
	struct stor_request *req, *next;

	list_for_each_entry_safe(req, next, &stor->replies, node) {
		if (req->wanted &&
		    ovid_chan_send(stor->chan, VMBUS_PKT_COMPLETION, 0, req->trans_id,
				   &req->packet, req->bytes) == -EAGAIN)
			return false;
		list_del(&req->node);
		stor->nr_requests--;
		kfree(req);
	}
	return true;
}

static void send_news(struct stor *stor)
{
	const struct stor_w_packet packet = { .op = STOR_ENUMERATE_BUS };

	if (stor->phase != STOR_PHASE_READY || !READ_ONCE(stor->announce))
		return;
	WRITE_ONCE(stor->announce, false);
	if (ovid_chan_send(stor->chan, VMBUS_PKT_DATA, 0, 0, &packet, sizeof(packet)) == -EAGAIN)
		WRITE_ONCE(stor->announce, true);
}

static bool stor_work(struct ovid_chan *chan)
{
	struct stor *stor = ovid_chan_priv(chan);
	bool more;

	take_finished(stor);
	more = receive(stor);
	take_finished(stor);
	finish_reset(stor);
	start_alone(stor);
	if (send_replies(stor))
		send_news(stor);
	if (stor->reset || stor->alone || is_full(stor))
		ovid_chan_stall(chan);
	return more;
}

/* ---- life ---- */

static int stor_attach(struct ovid_chan *chan)
{
	struct stor *stor = kvzalloc(sizeof(*stor), GFP_KERNEL_ACCOUNT);

	if (!stor)
		return -ENOMEM;
	stor->chan = chan;
	mutex_init(&stor->units_lock);
	xa_init(&stor->units);
	spin_lock_init(&stor->lock);
	init_waitqueue_head(&stor->idle);
	INIT_LIST_HEAD(&stor->finished);
	INIT_LIST_HEAD(&stor->replies);
	ovid_chan_set_priv(chan, stor);
	return 0;
}

void ovid_stor_forget(struct stor *stor)
{
	struct stor_request *req, *next;

	list_for_each_entry_safe(req, next, &stor->replies, node)
		kfree(req);
	INIT_LIST_HEAD(&stor->replies);
	kfree(stor->reset);
	kfree(stor->spare);
	stor->reset = NULL;
	stor->spare = NULL;
	stor->nr_requests = 0;
	stor->phase = STOR_PHASE_NEW;
}

static void stor_detach(struct ovid_chan *chan)
{
	struct stor *stor = ovid_chan_priv(chan);

	ovid_stor_detach_all(stor);
	mutex_destroy(&stor->units_lock);
	kvfree(stor);
}

/* a guest that opens it looks for units by itself */
static int stor_open(struct ovid_chan *chan)
{
	struct stor *stor = ovid_chan_priv(chan);

	WRITE_ONCE(stor->announce, false);
	ovid_stor_reset_units(stor, 0);
	return 0;
}

static void stor_close(struct ovid_chan *chan)
{
	struct stor *stor = ovid_chan_priv(chan);

	ovid_stor_quiesce(stor);
	ovid_stor_forget(stor);
}

static long stor_ioctl(struct ovid_chan *chan, unsigned int cmd, void *arg)
{
	struct stor *stor = ovid_chan_priv(chan);

	switch (cmd) {
	case OVID_DISK_ATTACH:
		return ovid_stor_attach(stor, arg);
	case OVID_DISK_DETACH:
		return ovid_stor_detach(stor, arg);
	case OVID_DISK_RESIZE:
		return ovid_stor_resize(stor, arg);
	case OVID_DISK_INFO:
		return ovid_stor_info(stor, arg);
	default:
		return -ENOTTY;
	}
}

static int stor_rest(struct ovid_chan *chan)
{
	struct stor *stor = ovid_chan_priv(chan);

	ovid_stor_quiesce(stor);
	return ovid_stor_rest(stor);
}

static u32 stor_save(struct ovid_chan *chan, void *buf, u32 room)
{
	return ovid_stor_save(ovid_chan_priv(chan), buf, room);
}

static int stor_restore(struct ovid_chan *chan, bool open, const void *buf, u32 bytes)
{
	return ovid_stor_restore(ovid_chan_priv(chan), open, buf, bytes);
}

static void stor_forget(struct ovid_chan *chan)
{
	ovid_stor_forget(ovid_chan_priv(chan));
}

const struct ovid_chan_ops ovid_storage = {
	.name = "scsi",
	/* ba6163d9-04a1-4d29-b605-72e2ffb1dc7f, 7a1b4f26-5c0e-4d0b-9d64-2f3c8e91a0d5 */
	.type = { { 0xd9, 0x63, 0x61, 0xba, 0xa1, 0x04, 0x29, 0x4d,
		    0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f } },
	.instance = { { 0x26, 0x4f, 0x1b, 0x7a, 0x0e, 0x5c, 0x0b, 0x4d,
			0x9d, 0x64, 0x2f, 0x3c, 0x8e, 0x91, 0xa0, 0xd5 } },
	.offer_flags = VMBUS_OFFER_ENUMERATE,
	.attach = stor_attach,
	.detach = stor_detach,
	.open = stor_open,
	.close = stor_close,
	.work = stor_work,
	.ioctl = stor_ioctl,
	.rest = stor_rest,
	.save = stor_save,
	.restore = stor_restore,
	.forget = stor_forget,
};
