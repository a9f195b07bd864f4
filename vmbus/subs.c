// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sub-channels of devices that a provider in the kernel serves.  Nobody has a file of one: it is
 * the bus's, from its offer until the guest has let go of it.
 *
 * A provider makes them with the primary channel's lock held, and the bus's lock is outside of
 * that one.  So they are offered at the end of the turn, in which the packet that grants them is
 * sent.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include "server.h"

static void drop_subs(struct ovid_chan *chan)
{
	struct ovid_chan *sub, *next;

	list_for_each_entry_safe(sub, next, &chan->subs, node) {
		list_del_init(&sub->node);
		ovid_chan_put(sub);
	}
}

int ovid_chan_make_subs(struct ovid_chan *chan, u16 nr)
{
	struct ovid_chan *sub;
	u16 i;

	lockdep_assert_held(&chan->vmbus->turn);
	lockdep_assert_held(&chan->lock);
	for (i = 1; i <= nr; i++) {
		sub = ovid_chan_new_sub(chan, i);
		if (IS_ERR(sub)) {
			drop_subs(chan);
			return PTR_ERR(sub);
		}
		list_add_tail(&sub->node, &chan->subs);
	}
	return 0;
}

void ovid_chan_offer_subs(struct ovid_chan *chan)
{
	struct ovid_vmbus *vmbus = chan->vmbus;
	struct ovid_chan *sub, *next;

	lockdep_assert_held(&vmbus->turn);
	guard(mutex)(&vmbus->lock);
	list_for_each_entry_safe(sub, next, &chan->subs, node) {
		list_del_init(&sub->node);
		if (ovid_chan_to_bus(sub))
			ovid_chan_put(sub);
		else
			ovid_chan_debugfs_add(sub);
	}
}

struct ovid_bus_chan *ovid_vmbus_sub(struct ovid_bus *bus, struct ovid_bus_chan *primary,
				     u16 index)
{
	struct ovid_vmbus *vmbus = bus->ctx;
	struct ovid_chan *chan = ovid_chan_of(primary), *sub;

	lockdep_assert_held(&vmbus->lock);
	if (!chan->ops->sub)
		return NULL;
	sub = ovid_chan_new_sub(chan, index);
	if (IS_ERR(sub))
		return NULL;
	sub->number = vmbus->offers++;
	list_add_tail(&sub->node, &vmbus->channels);
	ovid_chan_debugfs_add(sub);
	return &sub->bc;
}
