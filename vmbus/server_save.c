// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a partition's bus, and back: the bus stands still, then each layer writes what
 * it has (save.h).  A bus that awaits a state stands still from its birth on.
 *
 * Signals that wait need not be written: behind a restore each open channel is looked at.
 */
#include <linux/cleanup.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "server.h"

/* ---- to stand still ---- */

/* the round that is under way ends, and so does a delivery; neither begins anew */
static void stand(struct ovid_vmbus *vmbus, bool still)
{
	guard(mutex)(&vmbus->turn);
	guard(spinlock_irqsave)(&vmbus->out_lock);
	WRITE_ONCE(vmbus->stands, still);
}

void ovid_vmbus_resume(struct ovid_vmbus *vmbus)
{
	scoped_guard(mutex, &vmbus->lock) {
		if (vmbus->bus.awaits || !READ_ONCE(vmbus->stands))
			return;
	}
	stand(vmbus, false);
	ovid_mail_deliver(vmbus);
	ovid_vmbus_wake(vmbus);
}

/* ---- there ---- */

static void save_provider(struct ovid_chan *chan, u32 index, struct ovid_saving *to)
{
	u32 room, bytes;
	void *at;

	guard(mutex)(&chan->lock);
	/* one that is half-way open is asked anew */
	if (!chan->ops->save || chan->bc.state == OVID_CHAN_OPENING)
		return;
	at = ovid_saving_at(to, &room);
	bytes = chan->ops->save(chan, at, room);
	ovid_saving_add(to, OVID_SAVE_PROVIDER, index, bytes);
}

static int rest_provider(struct ovid_chan *chan)
{
	guard(mutex)(&chan->lock);
	return chan->ops->rest ? chan->ops->rest(chan) : 0;
}

/* a device rests when its sub-channels do */
static int rest(struct ovid_vmbus *vmbus, bool subs)
{
	struct ovid_bus_chan *bc;
	int err = 0;

	for (bc = vmbus->bus.chans; bc && !err; bc = bc->next)
		if (!bc->offer.sub_index == !subs)
			err = rest_provider(ovid_chan_of(bc));
	return err;
}

static int save_all(struct ovid_vmbus *vmbus, struct ovid_saving *to)
{
	struct ovid_bus_chan *bc;
	u32 i = 0;
	int err;

	err = rest(vmbus, true) ?: rest(vmbus, false);
	if (err)
		return err;
	ovid_mail_save(vmbus, to);
	ovid_bus_save(&vmbus->bus, to);
	for (bc = vmbus->bus.chans; bc; bc = bc->next)
		save_provider(ovid_chan_of(bc), i++, to);
	return 0;
}

static long save(struct ovid_vmbus *vmbus, struct ovid_vmbus_state *arg)
{
	u8 *buf __free(kvfree) = NULL;
	struct ovid_saving to = {};
	int err;

	to.room = min_t(u64, arg->bytes, OVID_VMBUS_STATE_BYTES);
	buf = kvzalloc(to.room, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	to.buf = buf;
	stand(vmbus, true);
	scoped_guard(mutex, &vmbus->lock) {
		if (vmbus->bus.awaits)
			return -EBUSY;
		ovid_vmbus_end_lost(vmbus);
		err = save_all(vmbus, &to);
	}
	if (err)
		return err;
	arg->bytes = to.bytes;
	if (to.bytes > to.room)
		return -E2BIG;
	return copy_to_user(u64_to_user_ptr(arg->buf), buf, to.bytes) ? -EFAULT : 0;
}

/* ---- back ---- */

/* a channel that was revoked, and lives only until the guest has let go of it */
static const struct ovid_chan_ops gone_ops = {
	.name = "",
	.raw = true,
};

struct ovid_bus_chan *ovid_vmbus_gone(struct ovid_bus *bus)
{
	struct ovid_vmbus *vmbus = bus->ctx;
	struct ovid_chan *chan;

	lockdep_assert_held(&vmbus->lock);
	chan = ovid_chan_new(vmbus, &gone_ops, NULL);
	if (IS_ERR(chan))
		return NULL;
	list_add_tail(&chan->node, &vmbus->channels);
	return &chan->bc;
}

int ovid_vmbus_restore_chan(struct ovid_bus *bus, struct ovid_bus_chan *bc, u32 index)
{
	struct ovid_vmbus *vmbus = bus->ctx;
	struct ovid_chan *chan = ovid_chan_of(bc);
	struct ovid_save_head head = {};
	const void *buf = NULL;

	if (chan->ops->save && bc->state != OVID_CHAN_OPENING) {
		buf = ovid_saved_next(vmbus->restoring, OVID_SAVE_PROVIDER, 0, &head);
		if (!buf || head.instance != index)
			return -EINVAL;
	}
	return ovid_chan_restore(chan, buf, head.bytes);
}

void ovid_vmbus_unrestore_chan(struct ovid_bus *bus, struct ovid_bus_chan *bc)
{
	ovid_chan_unrestore(ovid_chan_of(bc));
}

static int restore_all(struct ovid_vmbus *vmbus, struct ovid_saved *from)
{
	LIST_HEAD(mail);
	int err;

	guard(mutex)(&vmbus->lock);
	if (!vmbus->bus.awaits)
		return -EBUSY;
	err = ovid_mail_read(vmbus, from, &mail);
	if (err)
		goto free;
	vmbus->bus.nr_vps = ovid_bus_vps(vmbus->part);
	vmbus->restoring = from;
	err = ovid_bus_restore(&vmbus->bus, from);
	vmbus->restoring = NULL;
	if (err) {
		ovid_mail_forget(vmbus);
		goto free;
	}
	ovid_mail_restore(vmbus, &mail);
	/* what a guest of version 0.13 or 1.1 has signalled */
	set_bit(OVID_SCAN_INTERRUPT, &vmbus->scan);
	ovid_monitor_update(vmbus);
free:
	ovid_mail_free(&mail);
	return err;
}

static long restore(struct ovid_vmbus *vmbus, const struct ovid_vmbus_state *arg)
{
	struct ovid_saved from = { .left = arg->bytes };
	void *buf;
	long err;

	if (arg->bytes > OVID_VMBUS_STATE_BYTES)
		return -E2BIG;
	buf = kvmalloc(arg->bytes, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	from.at = buf;
	err = copy_from_user(buf, u64_to_user_ptr(arg->buf), arg->bytes) ? -EFAULT :
	      restore_all(vmbus, &from);
	kvfree(buf);
	return err;
}

long ovid_vmbus_state(struct ovid_vmbus *vmbus, struct ovid_vmbus_state *arg)
{
	switch (arg->op) {
	case OVID_STATE_SAVE:
		return save(vmbus, arg);
	case OVID_STATE_RESTORE:
		return restore(vmbus, arg);
	default:
		return -EINVAL;
	}
}
