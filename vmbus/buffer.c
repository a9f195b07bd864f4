// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a guest has lent to a channel, by GPADLs, and that its provider has mapped: a
 * network card's buffers.  A channel knows its GPADLs under its own lock, so that a provider may
 * ask for one where the bus's lock is not to be had.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "server.h"

struct ovid_chan_buffer *ovid_chan_lend(struct ovid_chan *chan, const struct ovid_gpadl *gpadl,
					struct ovid_pins *pins)
{
	struct ovid_chan_buffer *buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);
	u32 at = 0;

	if (!buf)
		return NULL;
	buf->gpadl = gpadl->id;
	buf->pins = pins;
	buf->chan = chan;
	if (gpadl->range_count == 1)
		ovid_gpadl_range(gpadl, &at, &buf->bytes, &buf->offset);
	guard(mutex)(&chan->lock);
	list_add(&buf->node, &chan->buffers);
	return buf;
}

void ovid_chan_take_back(struct ovid_chan_buffer *buf)
{
	struct ovid_chan *chan = buf->chan;

	scoped_guard(mutex, &chan->lock) {
		list_del(&buf->node);
		if (buf->at)
			chan->ops->unmap(chan, buf);
		ovid_chan_unmap(buf);
	}
	kfree(buf);
}

struct ovid_chan_buffer *ovid_chan_map(struct ovid_chan *chan, u32 gpadl)
{
	struct ovid_chan_buffer *buf;

	lockdep_assert_held(&chan->lock);
	list_for_each_entry(buf, &chan->buffers, node) {
		if (buf->gpadl != gpadl)
			continue;
		if (!buf->bytes)
			return ERR_PTR(-EPROTO);
		if (buf->at)
			return ERR_PTR(-EBUSY);
		buf->map = vmap(buf->pins->pages, buf->pins->nr, VM_MAP, PAGE_KERNEL);
		if (!buf->map)
			return ERR_PTR(-ENOMEM);
		buf->at = buf->map + buf->offset;
		return buf;
	}
	return ERR_PTR(-ENOENT);
}

void ovid_chan_unmap(struct ovid_chan_buffer *buf)
{
	lockdep_assert_held(&buf->chan->lock);
	vunmap(buf->map);
	buf->map = NULL;
	buf->at = NULL;
}

void ovid_chan_written(const struct ovid_chan_buffer *buf, u32 at, u32 bytes)
{
	u32 first = (buf->offset + at) / PAGE_SIZE;

	ovid_guest_dirty(buf->pins, first, (buf->offset + at + bytes - 1) / PAGE_SIZE - first + 1);
}
