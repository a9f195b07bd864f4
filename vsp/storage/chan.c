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

struct stor_request *ovid_stor_request(struct stor_queue *queue)
{
	struct stor_request *req = kmalloc(sizeof(*req), GFP_KERNEL_ACCOUNT);

	if (!req)
		return NULL;
	/* the extents are many, and seldom used */
	memset(req, 0, offsetof(struct stor_request, extents));
	req->queue = queue;
	req->stor = queue->stor;
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
	case -ECANCELED:
		return SENSE_TERMINATED;
	default:
		return req->io.op == IMAGE_READ ? SENSE_READ_ERROR :
		       req->io.op == IMAGE_FLUSH ? SENSE_HARDWARE : SENSE_WRITE_ERROR;
	}
}

/* the channel's thread, or one that keeps it out */
static void let_go(struct stor_request *req, bool written)
{
	if (!req->held)
		return;
	req->queue->nr_pages -= req->held->nr;
	ovid_chan_let_go(req->held, written);
	req->held = NULL;
}

static void reply(struct stor_request *req)
{
	list_add_tail(&req->node, &req->queue->replies);
}

static void kick_all(struct stor *stor)
{
	struct stor_queue *queue;

	lockdep_assert_held(&stor->lock);
	list_for_each_entry(queue, &stor->queues, node)
		ovid_chan_kick(queue->chan);
}

void ovid_stor_want_alone(struct stor_request *req)
{
	struct stor *stor = req->queue->stor;

	guard(spinlock_irq)(&stor->lock);
	stor->alone = req;
}

/* all channels take packets again */
static void not_alone(struct stor_request *req)
{
	struct stor *stor = req->queue->stor;

	guard(spinlock_irq)(&stor->lock);
	if (stor->alone != req)
		return;
	stor->alone = NULL;
	kick_all(stor);
}

/* what wants to be alone may be so now, by another channel */
static void kick_alone(struct stor *stor)
{
	guard(spinlock_irq)(&stor->lock);
	if (stor->alone)
		ovid_chan_kick(stor->alone->queue->chan);
}

/* the guest's memory is its own again */
static void end_request(struct stor_request *req)
{
	u32 offset;

	let_go(req, req->io.op == IMAGE_READ && !req->steps);
	if (req->err)
		ovid_stor_check(&req->packet, sense_of(req), 0);
	else if (ovid_stor_steps_differ(req, &offset))
		ovid_stor_miscompare(&req->packet, offset);
	else
		ovid_stor_good(&req->packet, req->moved);
	if (req->steps) {
		ovid_stor_steps_free(req);
		not_alone(req);
		kick_alone(req->queue->stor);
	}
	reply(req);
}

/* what has ended since; some go on with another step */
static void take_finished(struct stor_queue *queue)
{
	struct stor_request *req, *next;
	LIST_HEAD(finished);

	scoped_guard(spinlock_irqsave, &queue->stor->lock)
		list_splice_init(&queue->finished, &finished);
	list_for_each_entry_safe(req, next, &finished, node) {
		if (req->err || !req->steps || !ovid_stor_next_step(req))
			end_request(req);
	}
}

/*
 * Any context.  All under the lock: who finds nothing under way may free what there is as soon
 * as he has it.
 */
static void io_done(struct ovid_image_io *io, int err)
{
	struct stor_request *req = container_of(io, struct stor_request, io);
	struct stor_queue *queue = req->queue;
	struct stor *stor = req->stor;

	guard(spinlock_irqsave)(&stor->lock);
	req->unit->under_way--;
	if (req->late) {
		ovid_stor_late_done(stor, req);
		return;
	}
	req->err = err;
	list_move_tail(&req->node, &queue->finished);
	ovid_chan_kick(queue->chan);
	queue->under_way--;
	stor->under_way--;
	if (!req->unit->under_way || !queue->under_way)
		wake_up(&stor->idle);
	if (!stor->under_way && stor->alone && stor->alone->queue != queue)
		ovid_chan_kick(stor->alone->queue->chan);
}

/* nothing is under way, nor between two steps */
static bool is_quiet(struct stor_queue *queue)
{
	guard(spinlock_irqsave)(&queue->stor->lock);
	return !queue->under_way && list_empty(&queue->finished);
}

/* nor is anything of other channels, but for what waits to be alone; what has ended was taken */
static bool is_alone(struct stor *stor, const struct stor_request *req)
{
	guard(spinlock_irqsave)(&stor->lock);
	return !stor->under_way && list_empty(&req->queue->finished) &&
	       atomic_read(&stor->nr_steps) == !!req->steps;
}

static void end_reset(struct stor *stor, struct stor_request *req)
{
	ovid_stor_reset_units(stor, BIT(ATTENTION_BUS_RESET));
	not_alone(req);
	reply(req);
}

/* the request that wants to be alone, if it is; no other begins before it has ended */
static void start_alone(struct stor *stor, struct stor_request *req)
{
	if (!is_alone(stor, req))
		return;
	if (!req->steps)
		end_reset(stor, req);
	else if (!ovid_stor_next_step(req))
		end_request(req);
}

/* of this channel, or NULL */
static struct stor_request *own_alone(struct stor_queue *queue)
{
	struct stor_request *req;

	if (!READ_ONCE(queue->stor->alone))
		return NULL;
	guard(spinlock_irqsave)(&queue->stor->lock);
	req = queue->stor->alone;
	return req && req->queue == queue ? req : NULL;
}

int ovid_stor_quiesce(struct stor_queue *queue)
{
	unsigned long end = ovid_stor_patience();
	int err;

	do {
		err = ovid_stor_wait(queue->stor, &queue->under_way, end);
		if (err)
			return err;
		take_finished(queue);
	} while (!is_quiet(queue));
	return 0;
}

int ovid_stor_end_alone(struct stor *stor)
{
	struct stor_request *req;
	struct stor_queue *queue;
	int err = 0;

	while (!err && (req = stor->alone)) {
		queue = req->queue;
		start_alone(stor, req);
		err = ovid_stor_quiesce(queue);
	}
	return err;
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
static int hold(struct stor_request *req, struct ovid_chan_ranges *ranges)
{
	struct ovid_chan_held *held = ovid_chan_hold(req->queue->chan, ranges);

	if (IS_ERR(held))
		return PTR_ERR(held);
	req->held = held;
	req->queue->nr_pages += held->nr;
	return 0;
}

/* @bytes of queue->data for the guest, or as many as it has room for; 0 or -errno */
static int give(struct stor_request *req, struct ovid_chan_ranges *ranges, u32 bytes)
{
	int err;

	req->moved = min(bytes, room(req, ranges));
	if (!req->moved)
		return 0;
	err = hold(req, ranges);
	if (err)
		return err;
	copy_held(req->held, req->queue->data, req->moved, true);
	let_go(req, true);
	return 0;
}

/* @bytes of the guest into queue->data: 0 or -errno */
static int fetch(struct stor_request *req, struct ovid_chan_ranges *ranges, u32 bytes)
{
	int err;

	if (room(req, ranges) < bytes)
		return -EINVAL;
	if (!bytes)
		return 0;
	err = hold(req, ranges);
	if (err)
		return err;
	copy_held(req->held, req->queue->data, bytes, false);
	let_go(req, false);
	req->moved = bytes;
	return 0;
}

/* ---- requests ---- */

void ovid_stor_submit(struct stor_unit *unit, struct stor_request *req)
{
	struct stor *stor = req->queue->stor;

	if (ovid_stor_limited_wait(unit, req))
		return;
	ovid_stor_limited_charge(unit, req);
	req->io.done = io_done;
	req->unit = unit;
	unit->requests++;
	scoped_guard(spinlock_irqsave, &stor->lock) {
		list_add_tail(&req->node, &req->queue->busy);
		unit->under_way++;
		req->queue->under_way++;
		stor->under_way++;
	}
	ovid_image_submit(unit->image, &req->io);
}

/* the rest are for requests that may end at once: 0: it has, or @sense; -EINPROGRESS; -errno */

static int read_write(struct stor_unit *unit, struct stor_request *req,
		      struct ovid_chan_ranges *ranges, const struct ovid_scsi_request *scsi)
{
	int err;

	if (room(req, ranges) < scsi->bytes)
		return -EINVAL;
	err = hold(req, ranges);
	if (err)
		return err;
	req->moved = scsi->bytes;
	req->io.op = scsi->todo == SCSI_DO_READ ? IMAGE_READ : IMAGE_WRITE;
	req->io.fua = scsi->fua;
	req->io.offset = scsi->offset;
	req->io.bytes = scsi->bytes;
	req->io.vec = req->held->vec;
	req->io.nr_vec = req->held->nr;
	ovid_stor_submit(unit, req);
	return -EINPROGRESS;
}

static int zero(struct stor_unit *unit, struct stor_request *req,
		struct ovid_chan_ranges *ranges, const struct ovid_scsi_request *scsi, u32 *sense)
{
	int err = fetch(req, ranges, scsi->data_bytes);

	if (err)
		return err;
	if (memchr_inv(req->queue->data, 0, scsi->data_bytes)) {
		*sense = SENSE_BAD_PARAMETER;	/* other patterns are not known */
		return 0;
	}
	req->io.op = scsi->may_unmap && unit->image->unmaps ? IMAGE_UNMAP : IMAGE_ZERO;
	req->io.fua = scsi->fua;
	req->extents[0] = (struct ovid_scsi_extent){ scsi->offset, scsi->bytes };
	req->io.extents = req->extents;
	req->io.nr_extents = 1;
	ovid_stor_submit(unit, req);
	return -EINPROGRESS;
}

static int unmap(struct stor_unit *unit, struct stor_request *req,
		 struct ovid_chan_ranges *ranges, const struct ovid_scsi_request *scsi, u32 *sense)
{
	int err = fetch(req, ranges, scsi->data_bytes);

	if (err)
		return err;
	req->io.op = IMAGE_UNMAP;
	req->io.fua = scsi->fua;
	req->io.extents = req->extents;
	req->io.nr_extents = ovid_scsi_unmap_list(&unit->disk, req->queue->data,
						  scsi->data_bytes, req->extents, sense);
	if (!req->io.nr_extents)
		return 0;
	ovid_stor_submit(unit, req);
	return -EINPROGRESS;
}

static int flush(struct stor_unit *unit, struct stor_request *req)
{
	req->io.op = IMAGE_FLUSH;
	ovid_stor_submit(unit, req);
	return -EINPROGRESS;
}

/* what is in several steps */
static int compare(struct stor_unit *unit, struct stor_request *req,
		   struct ovid_chan_ranges *ranges, const struct ovid_scsi_request *scsi)
{
	int err;

	if (room(req, ranges) < scsi->data_bytes)
		return -EINVAL;
	err = hold(req, ranges);
	if (err)
		return err;
	err = ovid_stor_steps_make(req, unit, scsi);
	if (err) {
		let_go(req, false);
		return err;
	}
	req->moved = scsi->data_bytes;
	if (!ovid_stor_steps_alone(req))
		ovid_stor_step(unit, req);
	else if (!ovid_stor_limited_wait(unit, req))
		ovid_stor_want_alone(req);	/* begins when it is */
	return -EINPROGRESS;
}

static int parameters(struct stor_unit *unit, struct stor_request *req,
		      struct ovid_chan_ranges *ranges, struct ovid_scsi_request *scsi)
{
	int err = fetch(req, ranges, scsi->data_bytes);

	if (err)
		return err;
	ovid_scsi_parameters(&unit->disk, &unit->state, req->packet.srb.cdb, scsi,
			     req->queue->data);
	return scsi->todo == SCSI_DO_FLUSH ? flush(unit, req) : 0;
}

static int execute(struct stor_unit *unit, struct stor_request *req,
		   struct ovid_chan_ranges *ranges, struct ovid_scsi_request *scsi)
{
	switch (scsi->todo) {
	case SCSI_DO_READ:
	case SCSI_DO_WRITE:
		return read_write(unit, req, ranges, scsi);
	case SCSI_DO_FLUSH:
		return flush(unit, req);
	case SCSI_DO_UNMAP:
		return unmap(unit, req, ranges, scsi, &scsi->sense);
	case SCSI_DO_ZERO:
		return zero(unit, req, ranges, scsi, &scsi->sense);
	case SCSI_DO_VERIFY:
	case SCSI_DO_WRITE_VERIFY:
	case SCSI_DO_COMPARE_WRITE:
		return compare(unit, req, ranges, scsi);
	case SCSI_DO_PARAMETERS:
		return parameters(unit, req, ranges, scsi);
	case SCSI_DO_LUNS:
		scsi->data_bytes = ovid_scsi_luns(ovid_stor_luns(req->queue->stor,
								 &req->packet.srb),
						  scsi->alloc, req->queue->data);
		break;
	case SCSI_DO_ANSWER:
		break;
	}
	return give(req, ranges, scsi->data_bytes);
}

static void run_srb(struct stor_request *req, struct ovid_chan_ranges *ranges)
{
	struct stor *stor = req->queue->stor;
	const struct stor_w_srb *srb = &req->packet.srb;
	struct ovid_scsi_request scsi;
	struct stor_unit *unit;
	u8 cdb[STOR_CDB_BYTES];
	int err;

	memcpy(cdb, srb->cdb, sizeof(cdb));
	guard(mutex)(&stor->units_lock);
	unit = ovid_stor_unit(stor, srb);
	ovid_scsi_decode(unit ? &unit->disk : NULL, unit ? &unit->state : NULL, cdb,
			 srb->cdb_length, &scsi, req->queue->data);
	if (unit && scsi.todo > SCSI_DO_LUNS && (unit->leaving || READ_ONCE(unit->late)))
		scsi = (struct ovid_scsi_request){ .sense = SENSE_IN_PROGRESS };
	err = ranges->err ?: unit ? ovid_stor_limited_room(stor, unit, &scsi) : 0;
	err = err ?: execute(unit, req, ranges, &scsi);
	if (err == -EINPROGRESS)
		return;
	if (err == -ENOMEM || err == -EINTR)
		ovid_stor_check(&req->packet, SENSE_HARDWARE, 0);
	else if (err == -EBUSY)
		ovid_stor_refuse(&req->packet, STOR_SRB_BUSY, SCSI_TASK_SET_FULL);
	else if (err)
		ovid_stor_refuse(&req->packet, STOR_SRB_INVALID_REQUEST, SCSI_GOOD);
	else if (scsi.sense)
		ovid_stor_check(&req->packet, scsi.sense, req->moved);
	else
		ovid_stor_good(&req->packet, req->moved);
	reply(req);
}

/* ---- packets ---- */

/* as many channels as VPs, with the first one.  Counting those takes long, so not for requests */
static u16 max_subs(const struct stor_queue *queue, const struct stor_w_packet *packet)
{
	if (!ovid_stor_is_primary(queue) || packet->op == STOR_EXECUTE_SRB)
		return 0;
	return min(ovid_chan_vps(queue->chan) - 1, STOR_MAX_SUBS);
}

static void take_packet(struct stor_queue *queue, struct stor_request *req, u32 bytes,
			struct ovid_chan_ranges *ranges)
{
	u16 subs = max_subs(queue, &req->packet);

	queue->nr_requests++;
	req->bytes = ovid_stor_reply_bytes(bytes);
	switch (ovid_stor_packet(&queue->phase, &req->packet, bytes, &subs)) {
	case STOR_DO_SUBS:
		if (ovid_chan_make_subs(queue->chan, subs))
			ovid_stor_no_subs(&queue->phase, &req->packet);
		fallthrough;
	case STOR_DO_REPLY:
		reply(req);
		break;
	case STOR_DO_RESET:
		ovid_stor_want_alone(req);
		ovid_stor_limited_end_all(queue->stor, NULL);
		break;
	case STOR_DO_SRB:
		run_srb(req, ranges);
		break;
	}
}

/* by whichever channel it came */
static bool is_held_up(const struct stor_queue *queue)
{
	return READ_ONCE(queue->stor->alone) || queue->nr_requests >= STOR_MAX_REQUESTS ||
	       queue->nr_pages >= STOR_MAX_PAGES;
}

/* one packet: 0; -EAGAIN: none for now; -ENOMEM: again soon; -EPROTO */
static int receive_one(struct stor_queue *queue)
{
	struct ovid_chan_ranges ranges = { .list = queue->list, .room = sizeof(queue->list) };
	struct stor_request *req;
	struct ovid_packet pkt;
	int n;

	if (!queue->spare)
		queue->spare = ovid_stor_request(queue);
	req = queue->spare;
	if (!req)
		return -ENOMEM;
	n = ovid_chan_recv_ranges(queue->chan, &pkt, &req->packet, sizeof(req->packet), &ranges);
	if (n == -EMSGSIZE)
		return 0;
	if (n < 0)
		return n;
	if (pkt.type != VMBUS_PKT_DATA && pkt.type != VMBUS_PKT_GPA_DIRECT) {
		memset(&req->packet, 0, sizeof(req->packet));
		return 0;
	}
	queue->spare = NULL;
	req->wanted = pkt.flags & VMBUS_PACKET_COMPLETION;
	req->trans_id = pkt.trans_id;
	take_packet(queue, req, n, &ranges);
	return 0;
}

/* true: there may be more */
static bool receive(struct stor_queue *queue)
{
	int i, err;

	for (i = 0; i < BUDGET; i++) {
		if (is_held_up(queue))
			return false;
		err = receive_one(queue);
		if (err)
			return err == -ENOMEM;
	}
	return true;
}

/* false: there is no space */
static bool send_replies(struct stor_queue *queue)
{
	struct stor_request *req, *next;

	list_for_each_entry_safe(req, next, &queue->replies, node) {
		if (req->wanted &&
		    ovid_chan_send(queue->chan, VMBUS_PKT_COMPLETION, 0, req->trans_id,
				   &req->packet, req->bytes) == -EAGAIN)
			return false;
		list_del(&req->node);
		queue->nr_requests--;
		kfree(req);
	}
	return true;
}

static void send_news(struct stor_queue *queue)
{
	const struct stor_w_packet packet = { .op = STOR_ENUMERATE_BUS };
	struct stor *stor = queue->stor;

	if (!ovid_stor_is_primary(queue) || queue->phase < STOR_PHASE_READY ||
	    !READ_ONCE(stor->announce))
		return;
	WRITE_ONCE(stor->announce, false);
	if (ovid_chan_send(queue->chan, VMBUS_PKT_DATA, 0, 0, &packet, sizeof(packet)) == -EAGAIN)
		WRITE_ONCE(stor->announce, true);
}

bool ovid_stor_turn(struct stor_queue *queue)
{
	struct stor_request *alone;
	bool more;

	take_finished(queue);
	more = receive(queue);
	take_finished(queue);
	alone = own_alone(queue);
	if (alone)
		start_alone(queue->stor, alone);
	ovid_stor_limited_run(queue->stor, false);
	if (send_replies(queue))
		send_news(queue);
	if (is_held_up(queue))
		ovid_chan_stall(queue->chan);
	return more;
}

void ovid_stor_give_up_alone(struct stor_queue *queue)
{
	struct stor_request *req = own_alone(queue);

	if (req && req->unit)
		not_alone(req);
}

/* it has not begun: nobody would hear of its end */
static void forget_alone(struct stor_queue *queue)
{
	struct stor_request *req = own_alone(queue);

	if (!req)
		return;
	not_alone(req);
	let_go(req, false);
	ovid_stor_steps_free(req);
	kfree(req);
}

void ovid_stor_forget(struct stor_queue *queue)
{
	struct stor_request *req, *next;

	forget_alone(queue);
	list_for_each_entry_safe(req, next, &queue->replies, node)
		kfree(req);
	INIT_LIST_HEAD(&queue->replies);
	kfree(queue->spare);
	queue->spare = NULL;
	queue->nr_requests = 0;
	queue->phase = ovid_stor_first_phase(queue);
}
