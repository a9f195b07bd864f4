// SPDX-License-Identifier: GPL-2.0-only
/*
 * A controller is its primary channel: made with it, and gone behind it.  Sub-channels are more
 * ways to the same disks, with no handshake of their own, for guests with several VPs.
 */
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "../../uapi/ovid.h"
#include "storage.h"

static struct stor_queue *queue_of(const struct ovid_chan *chan)
{
	return ovid_chan_priv(chan);
}

static struct stor *stor_of(const struct ovid_chan *chan)
{
	return queue_of(chan)->stor;
}

static void init_queue(struct stor_queue *queue, struct stor *stor, struct ovid_chan *chan)
{
	queue->chan = chan;
	queue->stor = stor;
	queue->phase = ovid_stor_first_phase(queue);
	INIT_LIST_HEAD(&queue->busy);
	INIT_LIST_HEAD(&queue->finished);
	INIT_LIST_HEAD(&queue->replies);
	scoped_guard(spinlock_irq, &stor->lock)
		list_add_tail(&queue->node, &stor->queues);
	ovid_chan_set_priv(chan, queue);
}

/* ---- all channels ---- */

static void stor_close(struct ovid_chan *chan)
{
	struct stor_queue *queue = queue_of(chan);

	ovid_stor_limited_end_all(queue->stor, queue);
	if (ovid_stor_quiesce(queue))
		ovid_stor_give_up(queue);
	ovid_stor_forget(queue);
}

static bool stor_work(struct ovid_chan *chan)
{
	return ovid_stor_turn(queue_of(chan));
}

static u32 stor_save(struct ovid_chan *chan, void *buf, u32 room)
{
	return ovid_stor_save(queue_of(chan), buf, room);
}

static int stor_restore(struct ovid_chan *chan, bool open, const void *buf, u32 bytes)
{
	return ovid_stor_restore(queue_of(chan), open, buf, bytes);
}

static void stor_forget(struct ovid_chan *chan)
{
	ovid_stor_forget(queue_of(chan));
}

/* ---- sub-channels ---- */

static int sub_attach(struct ovid_chan *chan)
{
	struct stor_queue *queue = kvzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);

	if (!queue)
		return -ENOMEM;
	init_queue(queue, stor_of(ovid_chan_primary(chan)), chan);
	return 0;
}

static void sub_detach(struct ovid_chan *chan)
{
	struct stor_queue *queue = queue_of(chan);

	scoped_guard(spinlock_irq, &queue->stor->lock)
		list_del(&queue->node);
	kvfree(queue);
}

static int sub_rest(struct ovid_chan *chan)
{
	return ovid_stor_quiesce(queue_of(chan));
}

static const struct ovid_chan_ops sub_ops = {
	.name = "scsi",
	.attach = sub_attach,
	.detach = sub_detach,
	.close = stor_close,
	.work = stor_work,
	.rest = sub_rest,
	.save = stor_save,
	.restore = stor_restore,
	.forget = stor_forget,
};

/* ---- controllers ---- */

static int controller_attach(struct ovid_chan *chan)
{
	struct stor *stor = kvzalloc(sizeof(*stor), GFP_KERNEL_ACCOUNT);

	if (!stor)
		return -ENOMEM;
	mutex_init(&stor->units_lock);
	xa_init(&stor->units);
	spin_lock_init(&stor->lock);
	INIT_LIST_HEAD(&stor->queues);
	init_waitqueue_head(&stor->idle);
	ovid_stor_limited_init(stor);
	init_queue(&stor->primary, stor, chan);
	return 0;
}

static void controller_detach(struct ovid_chan *chan)
{
	ovid_stor_limited_fini(stor_of(chan));
	ovid_stor_end(stor_of(chan));
}

/* a guest that opens it looks for units by itself */
static int controller_open(struct ovid_chan *chan)
{
	struct stor *stor = stor_of(chan);

	WRITE_ONCE(stor->announce, false);
	ovid_stor_reset_units(stor, 0);
	return 0;
}

static long stor_ioctl(struct ovid_chan *chan, unsigned int cmd, void *arg)
{
	struct stor *stor = stor_of(chan);

	switch (cmd) {
	case OVID_DISK_ATTACH:
		return ovid_stor_attach(stor, arg);
	case OVID_DISK_DETACH:
		return ovid_stor_detach(stor, arg);
	case OVID_DISK_RESIZE:
		return ovid_stor_resize(stor, arg);
	case OVID_DISK_INFO:
		return ovid_stor_info(stor, arg);
	case OVID_DISK_LIMIT:
		return ovid_stor_limit(stor, arg);
	case OVID_DISK_MEDIUM:
		return ovid_stor_medium(stor, arg);
	default:
		return -ENOTTY;
	}
}

/* its sub-channels do; but of what waits for a limit, some may be theirs */
static int controller_rest(struct ovid_chan *chan)
{
	struct stor *stor = stor_of(chan);
	struct stor_queue *queue;

	int err;

	do {
		ovid_stor_limited_run(stor, true);
		list_for_each_entry(queue, &stor->queues, node) {
			err = ovid_stor_quiesce(queue);
			if (err)
				return err;
		}
		err = ovid_stor_end_alone(stor);
		if (err)
			return err;
	} while (stor->nr_waiting);
	return ovid_stor_rest(stor);
}

const struct ovid_chan_ops ovid_storage = {
	.name = "scsi",
	/* ba6163d9-04a1-4d29-b605-72e2ffb1dc7f, 7a1b4f26-5c0e-4d0b-9d64-2f3c8e91a0d5 */
	.type = { { 0xd9, 0x63, 0x61, 0xba, 0xa1, 0x04, 0x29, 0x4d,
		    0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f } },
	.instance = { { 0x26, 0x4f, 0x1b, 0x7a, 0x0e, 0x5c, 0x0b, 0x4d,
			0x9d, 0x64, 0x2f, 0x3c, 0x8e, 0x91, 0xa0, 0xd5 } },
	.offer_flags = VMBUS_OFFER_ENUMERATE,
	.attach = controller_attach,
	.detach = controller_detach,
	.open = controller_open,
	.close = stor_close,
	.work = stor_work,
	.ioctl = stor_ioctl,
	.rest = controller_rest,
	.save = stor_save,
	.restore = stor_restore,
	.forget = stor_forget,
	.sub = &sub_ops,
};
