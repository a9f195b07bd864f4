// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a card is moved with the VM: where the protocol stands, what the guest has set, its
 * buffers, and which parts of the receive buffer it has; answers and control messages that wait for
 * space.  Frames that wait are lost, as on any cable.  What the card is, whoever moves the VM has
 * set up before.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include "net.h"

#define SAVE_VERSION	1

/* of each channel */
struct saved {
	u32 version;
	u32 owed;
	u64 owed_id;
	struct nvsp_w_message owed_msg;
};

/* behind that, of a primary one; then messages, then parts */
struct saved_card {
	struct ovid_nvsp nvsp;
	struct ovid_rndis rndis;
	struct ovid_rndis_stats stats;
	u32 rx_gpadl;
	u32 rx_part_bytes;
	u32 tx_gpadl;
	u32 nr_controls;
	u32 nr_parts;		/* of the receive buffer */
	u32 pad;
};

struct saved_control {
	u32 bytes;
	u32 pad;
	u8 msg[RNDIS_CONTROL_BYTES];
};

struct saved_part {
	u16 next;
	u16 used;
};

/* ---- there ---- */

static u32 saved_bytes(const struct net_queue *queue)
{
	if (!ovid_net_is_primary(queue))
		return sizeof(struct saved);
	return sizeof(struct saved) + sizeof(struct saved_card) +
	       queue->nr_controls * sizeof(struct saved_control) +
	       queue->net->rx.nr_parts * sizeof(struct saved_part);
}

static void save_card(const struct net_card *net, struct saved_card *saved)
{
	saved->nvsp = net->nvsp;
	saved->rndis = net->rndis;
	saved->stats = net->stats;
	saved->nr_controls = net->queues[0]->nr_controls;
	saved->nr_parts = net->rx.nr_parts;
	saved->rx_part_bytes = net->rx.part_bytes;
	if (net->rx.map)
		saved->rx_gpadl = net->rx.map->gpadl;
	if (net->tx.map)
		saved->tx_gpadl = net->tx.map->gpadl;
}

u32 ovid_net_save(struct net_queue *queue, void *buf, u32 room)
{
	struct net_card *net = queue->net;
	u32 bytes = saved_bytes(queue), i;
	struct saved_control *control;
	struct saved *saved = buf;
	struct net_control *c;
	struct saved_part *parts;

	if (!queue->chan)
		return 0;
	if (bytes > room)
		return bytes;
	saved->version = SAVE_VERSION;
	saved->owed = queue->owed;
	saved->owed_id = queue->owed_id;
	saved->owed_msg = queue->owed_msg;
	if (!ovid_net_is_primary(queue))
		return bytes;
	save_card(net, (void *)(saved + 1));
	control = buf + sizeof(*saved) + sizeof(struct saved_card);
	list_for_each_entry(c, &queue->controls, node) {
		control->bytes = c->bytes;
		memcpy(control->msg, c->msg, c->bytes);
		control++;
	}
	parts = (void *)control;
	for (i = 0; i < net->rx.nr_parts; i++)
		parts[i] = (struct saved_part){ net->parts[i].next, net->parts[i].used };
	return bytes;
}

/* ---- back ---- */

static int restore_controls(struct net_queue *queue, const struct saved_control *saved, u32 nr)
{
	struct net_control *control;

	for (; nr; nr--, saved++) {
		if (!saved->bytes || saved->bytes > RNDIS_CONTROL_BYTES)
			return -EINVAL;
		control = kmalloc(sizeof(*control) + RNDIS_CONTROL_BYTES, GFP_KERNEL_ACCOUNT);
		if (!control)
			return -ENOMEM;
		control->bytes = saved->bytes;
		memcpy(control->msg, saved->msg, RNDIS_CONTROL_BYTES);
		list_add_tail(&control->node, &queue->controls);
		queue->nr_controls++;
	}
	return 0;
}

/* what the guest has, as bits; packets that share a part, or have no end, cannot be */
static int take_parts(struct net_card *net, const struct saved_part *saved, unsigned long *taken)
{
	u32 i, at, nr = net->rx.nr_parts;

	for (i = 0; i < nr; i++) {
		if (saved[i].used > net->config->queues)
			return -EINVAL;
		for (at = i; saved[i].used && at != NET_RX_MAX_PARTS; at = saved[at].next) {
			if (at >= nr || __test_and_set_bit(at, taken))
				return -EINVAL;
			net->parts[at].next = saved[at].next;
		}
		net->parts[i].used = saved[i].used;
	}
	return 0;
}

static int restore_parts(struct net_card *net, const struct saved_part *saved)
{
	u32 i, nr = net->rx.nr_parts;
	struct net_batch one;
	unsigned long *taken;
	int err;

	taken = bitmap_zalloc(nr, GFP_KERNEL_ACCOUNT);
	if (!taken)
		return -ENOMEM;
	err = take_parts(net, saved, taken);
	net->nr_free = 0;
	for (i = nr; !err && i--;) {
		if (test_bit(i, taken))
			continue;
		one = (struct net_batch){ .nr = 1, .first = i, .last = i };
		ovid_net_parts_drop(net, &one);
	}
	bitmap_free(taken);
	if (err)	/* chains may have no end */
		ovid_net_parts_fini(net);
	return err;
}

/* what the guest has set, of what the card is now */
static int restore_rndis(struct net_card *net, const struct ovid_rndis *saved)
{
	struct ovid_rndis rndis = *saved;

	memcpy(rndis.permanent, net->rndis.permanent, sizeof(rndis.permanent));
	memcpy(rndis.name, net->rndis.name, sizeof(rndis.name));
	rndis.mtu = net->rndis.mtu;
	rndis.speed = net->rndis.speed;
	rndis.queues = net->rndis.queues;
	if (!ovid_rndis_ok(&rndis))
		return -EINVAL;
	/* the guest is told of what is different */
	if (rndis.link != net->link)
		set_bit(NET_NEWS_LINK, &net->news);
	net->rndis = rndis;
	return 0;
}

static int restore_buffers(struct net_card *net, const struct saved_card *saved)
{
	int err = 0;

	if (saved->nvsp.rx) {
		if (saved->rx_part_bytes < NET_RX_PART_BYTES ||
		    saved->rx_part_bytes > NET_MAX_FRAME + 2 * NET_RX_PART_BYTES)
			return -EINVAL;
		err = ovid_net_map_rx(net, saved->rx_gpadl, saved->rx_part_bytes);
	}
	if (!err && saved->nvsp.tx)
		err = ovid_net_map_tx(net, saved->tx_gpadl);
	return err ?: net->rx.nr_parts == saved->nr_parts ? 0 : -EINVAL;
}

static int restore_card(struct net_queue *queue, const struct saved_card *saved, u32 bytes)
{
	struct net_card *net = queue->net;
	const struct saved_control *controls = (const void *)(saved + 1);
	int err;

	if (!ovid_net_show(net) || bytes < sizeof(*saved) || saved->nr_controls > NET_MAX_CONTROL ||
	    saved->nr_parts > NET_RX_MAX_PARTS || !ovid_nvsp_ok(&saved->nvsp) ||
	    bytes != sizeof(*saved) + saved->nr_controls * sizeof(*controls) +
		     saved->nr_parts * sizeof(struct saved_part))
		return -EINVAL;
	err = restore_rndis(net, &saved->rndis) ?: restore_buffers(net, saved) ?:
	      restore_controls(queue, controls, saved->nr_controls);
	if (!err && net->rx.map)
		err = restore_parts(net, (const void *)(controls + saved->nr_controls));
	if (err)
		return err;
	net->nvsp = saved->nvsp;
	net->stats = saved->stats;
	ovid_net_applied(net);
	return 0;
}

int ovid_net_restore(struct net_queue *queue, const void *buf, u32 bytes)
{
	const struct saved *saved = buf;

	if (bytes < sizeof(*saved) || saved->version != SAVE_VERSION ||
	    saved->owed > sizeof(saved->owed_msg) + 1)
		return -EINVAL;
	queue->owed = saved->owed;
	queue->owed_id = saved->owed_id;
	queue->owed_msg = saved->owed_msg;
	bytes -= sizeof(*saved);
	if (ovid_net_is_primary(queue))
		return restore_card(queue, (const void *)(saved + 1), bytes);
	return bytes ? -EINVAL : 0;
}
