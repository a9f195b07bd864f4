// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card's end: made, and put in the place of another one.  The old one is freed when no turn can
 * call it any more; frames may come from both meanwhile.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include "net.h"

struct sk_buff *ovid_net_alloc(u32 bytes, u32 linear)
{
	struct sk_buff *skb;
	int err;

	linear = min(bytes, linear);
	skb = alloc_skb_with_frags(NET_SKB_PAD + NET_IP_ALIGN + linear, bytes - linear,
				   PAGE_ALLOC_COSTLY_ORDER, &err, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb_put(skb, linear);
	skb->data_len = bytes - linear;
	skb->len = bytes;
	return skb;
}

/* a queue that has room again by now did not say so, as nobody waited */
static void note_full(struct net_end *end, u16 index)
{
	set_bit(index, &end->full);
	smp_mb__after_atomic();	/* between that and @stopped, as in the turn that clears it */
	if (!READ_ONCE(end->net->queues[index]->stopped))
		clear_bit(index, &end->full);
}

void ovid_net_put(struct net_end *end, struct sk_buff *skb, bool more)
{
	u16 index = ovid_net_choose(end->net, skb);
	bool full;

	local_bh_disable();
	full = ovid_net_rx(end->net, index, skb, more);
	local_bh_enable();
	if (full)
		note_full(end, index);
}

void ovid_net_kick_all(struct net_card *net)
{
	u16 i;

	for (i = 0; i < net->config->queues; i++) {
		struct net_queue *queue = net->queues[i];

		guard(spinlock_bh)(&queue->frames.lock);
		if (queue->chan)
			ovid_chan_kick(queue->chan);
	}
}

static void replace(struct net_card *net, struct net_end *end)
{
	struct net_end *old;

	lockdep_assert_held(&net->config_lock);
	scoped_guard(rwsem_write, &net->end_sem) {
		old = net->end;
		net->end = end;
		if (end && end->ops->state)
			end->ops->state(end, READ_ONCE(net->up));
	}
	if (old)
		old->ops->free(old);
	/* some may have waited for it */
	ovid_net_kick_all(net);
}

void ovid_net_drop_end(struct net_card *net)
{
	guard(mutex)(&net->config_lock);
	if (net->end)
		replace(net, NULL);
}

static struct net_end *new_end(struct net_card *net, struct ovid_net_end *arg)
{
	if (arg->kind == OVID_NET_INTERFACE)
		return arg->flags || arg->fd != -1 ? ERR_PTR(-EINVAL) : ovid_net_if_new(net, arg);
	if (memchr_inv(arg->ifname, 0, sizeof(arg->ifname)))
		return ERR_PTR(-EINVAL);
	switch (arg->kind) {
	case OVID_NET_NONE:
		return arg->flags || arg->fd != -1 ? ERR_PTR(-EINVAL) : NULL;
	case OVID_NET_SOCKET:
		return arg->flags ? ERR_PTR(-EINVAL) : ovid_net_file_new(net, arg);
	case OVID_NET_FRAMES:
		return arg->flags & ~OVID_NET_OFFLOADS || arg->fd != -1 ?
		       ERR_PTR(-EINVAL) : ovid_net_frames_new(net, arg);
	default:
		return ERR_PTR(-EINVAL);
	}
}

long ovid_net_set_end(struct net_card *net, struct ovid_net_end *arg)
{
	struct net_end *end;

	if (arg->ifindex || arg->pad)
		return -EINVAL;
	guard(mutex)(&net->config_lock);
	if (!net->config)
		return -ENOTCONN;
	end = new_end(net, arg);
	if (IS_ERR(end))
		return PTR_ERR(end);
	replace(net, end);
	return 0;
}
