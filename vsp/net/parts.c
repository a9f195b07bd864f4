// SPDX-License-Identifier: GPL-2.0-only
/*
 * A receive buffer consists of parts, of which each frame takes one, and a large one several.  A
 * packet is named after its first part, and has them all until the guest gives it back.
 */
#include <linux/mm.h>
#include "net.h"

int ovid_net_parts_init(struct net_card *net)
{
	u32 i, nr = net->rx.nr_parts;

	net->parts = kvcalloc(nr, sizeof(*net->parts), GFP_KERNEL_ACCOUNT);
	if (!net->parts)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		net->parts[i].next = i + 1;
	net->free = 0;
	net->nr_free = nr;
	return 0;
}

void ovid_net_parts_fini(struct net_card *net)
{
	u32 i;

	/* what was to be sent would name parts that are not there */
	for (i = 0; i < NET_MAX_QUEUES && net->queues[i]; i++)
		net->queues[i]->batch.nr = 0;
	kvfree(net->parts);
	net->parts = NULL;
	net->nr_free = 0;
}

void *ovid_net_part(struct net_card *net, struct net_batch *batch, u32 bytes, u32 reserve)
{
	u16 part = net->free;

	if (net->nr_free <= reserve || batch->nr >= NET_MAX_RANGES)
		return NULL;
	net->free = net->parts[part].next;
	net->nr_free--;
	if (batch->nr)
		net->parts[batch->last].next = part;
	else
		batch->first = part;
	batch->last = part;
	batch->ranges[batch->nr++] = (struct vmbus_w_range){
		.bytes = bytes, .offset = part * net->rx.part_bytes,
	};
	return net->rx.map->at + part * net->rx.part_bytes;
}

void ovid_net_parts_sent(struct net_card *net, struct net_batch *batch, u16 index)
{
	net->parts[batch->first].used = index + 1;
	net->parts[batch->last].next = NET_RX_MAX_PARTS;	/* the end of the chain */
	batch->nr = 0;
}

static void free_chain(struct net_card *net, u16 part)
{
	u16 next;

	net->parts[part].used = 0;
	for (; part != NET_RX_MAX_PARTS; part = next) {
		next = net->parts[part].next;
		net->parts[part].next = net->free;
		net->free = part;
		net->nr_free++;
	}
}

void ovid_net_parts_done(struct net_card *net, u64 trans_id, u16 index)
{
	if (net->parts && trans_id - 1 < net->rx.nr_parts &&
	    net->parts[trans_id - 1].used == index + 1)
		free_chain(net, trans_id - 1);
}

void ovid_net_parts_drop(struct net_card *net, struct net_batch *batch)
{
	if (!batch->nr)
		return;
	net->parts[batch->last].next = NET_RX_MAX_PARTS;
	free_chain(net, batch->first);
	batch->nr = 0;
}

void ovid_net_parts_forget(struct net_card *net, u16 index)
{
	u32 i;

	for (i = 0; net->parts && i < net->rx.nr_parts; i++)
		if (net->parts[i].used == index + 1)
			free_chain(net, i);
}
