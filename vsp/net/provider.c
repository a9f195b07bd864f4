// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card is its primary channel: made with it, and gone behind it.  Sub-channels are more queues of
 * it, for guests with several VPs.
 */
#include <linux/cleanup.h>
#include <linux/etherdevice.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "net.h"

static struct net_card *card_of(const struct ovid_chan *chan)
{
	return ovid_chan_priv(chan);
}

/* who offers a card may number it as he likes */
static struct net_queue *queue_of(const struct ovid_chan *chan)
{
	return card_of(chan)->queues[ovid_chan_primary(chan) ? ovid_chan_index(chan) : 0];
}

/* ---- all channels ---- */

static void begin(struct net_queue *queue, struct ovid_chan *chan)
{
	queue->own = chan;
	guard(spinlock_bh)(&queue->frames.lock);
	queue->chan = chan;
}

static int net_open(struct ovid_chan *chan)
{
	begin(queue_of(chan), chan);
	return 0;
}

static bool net_work(struct ovid_chan *chan)
{
	return ovid_net_turn(queue_of(chan));
}

/* with the primary channel all that the guest has said is forgotten */
static void net_close(struct ovid_chan *chan)
{
	struct net_card *net = card_of(chan);

	ovid_net_forget(queue_of(chan));
	if (ovid_chan_primary(chan))
		return;
	ovid_net_drop_rx(net);
	ovid_net_drop_tx(net);
	net->nvsp = (struct ovid_nvsp){};
	ovid_rndis_forget(&net->rndis);
	WRITE_ONCE(net->rss_mask, 0);
	ovid_net_changed(net);
}

static u32 net_save(struct ovid_chan *chan, void *buf, u32 room)
{
	return ovid_net_save(queue_of(chan), buf, room);
}

static int net_restore(struct ovid_chan *chan, bool open, const void *buf, u32 bytes)
{
	int err;

	if (!open)
		return bytes ? -EINVAL : 0;
	begin(queue_of(chan), chan);
	err = ovid_net_restore(queue_of(chan), buf, bytes);
	if (err)
		net_close(chan);
	return err;
}

static int add_queue(struct net_card *net, u16 index)
{
	struct net_queue *queue = kvzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);

	if (!queue)
		return -ENOMEM;
	queue->net = net;
	queue->index = index;
	skb_queue_head_init(&queue->frames);
	__skb_queue_head_init(&queue->held);
	INIT_LIST_HEAD(&queue->controls);
	net->queues[index] = queue;
	return 0;
}

/* ---- sub-channels ---- */

static int sub_attach(struct ovid_chan *chan)
{
	struct net_card *net = card_of(ovid_chan_primary(chan));
	u16 index = ovid_chan_index(chan);

	if (!net->config || index >= net->config->queues)
		return -ENOENT;
	ovid_chan_set_priv(chan, net);
	return 0;
}

static const struct ovid_chan_ops sub_ops = {
	.name = "net",
	.attach = sub_attach,
	.open = net_open,
	.close = net_close,
	.work = net_work,
	.save = net_save,
	.restore = net_restore,
	.forget = net_close,
};

/* ---- cards ---- */

static int card_attach(struct ovid_chan *chan)
{
	struct net_card *net = kvzalloc(sizeof(*net), GFP_KERNEL_ACCOUNT);

	if (!net)
		return -ENOMEM;
	if (add_queue(net, 0)) {
		kvfree(net);
		return -ENOMEM;
	}
	mutex_init(&net->config_lock);
	init_rwsem(&net->end_sem);
	net->primary = chan;
	ovid_chan_set_priv(chan, net);
	return 0;
}

static void free_queues(struct net_card *net, u16 from)
{
	u16 i;

	for (i = from; i < NET_MAX_QUEUES; i++) {
		kvfree(net->queues[i]);
		net->queues[i] = NULL;
	}
}

static void card_detach(struct ovid_chan *chan)
{
	struct net_card *net = card_of(chan);

	ovid_net_drop_end(net);
	free_queues(net, 0);
	kfree(net->config);
	kvfree(net);
}

static void card_unmap(struct ovid_chan *chan, struct ovid_chan_buffer *buf)
{
	struct net_card *net = card_of(chan);

	if (buf == net->rx.map)
		ovid_net_drop_rx(net);
	else
		ovid_net_drop_tx(net);
}

/* ---- calls of its file ---- */

static bool setup_ok(const struct ovid_net *arg)
{
	u32 i;

	for (i = 0; i < sizeof(arg->name) && arg->name[i]; i++)
		if (arg->name[i] < ' ' || arg->name[i] > '~')
			return false;
	return i < sizeof(arg->name) &&
	       !(arg->flags & ~(OVID_NET_LINK_DOWN | OVID_NET_GUARD_MAC)) &&
	       is_valid_ether_addr(arg->mac) &&
	       arg->queues && arg->queues <= OVID_NET_MAX_QUEUES &&
	       arg->mtu >= OVID_NET_MIN_MTU && arg->mtu <= OVID_NET_MAX_MTU;
}

/* the channel takes no packets before that */
static long setup(struct net_card *net, const struct ovid_net *arg)
{
	struct ovid_net *config;
	u16 i;

	static_assert(OVID_NET_MAX_QUEUES == NET_MAX_QUEUES && OVID_NET_MAX_MTU == NET_MAX_MTU &&
		      OVID_NET_MIN_MTU == NET_MIN_MTU);
	if (!setup_ok(arg))
		return -EINVAL;
	guard(mutex)(&net->config_lock);
	if (net->config)
		return -EBUSY;
	config = kmemdup(arg, sizeof(*arg), GFP_KERNEL_ACCOUNT);
	if (!config)
		return -ENOMEM;
	config->speed = config->speed ?: 10000;
	if (!*config->name)
		strscpy(config->name, "ovid", sizeof(config->name));
	for (i = 1; i < config->queues; i++) {
		if (add_queue(net, i)) {
			free_queues(net, 1);
			kfree(config);
			return -ENOMEM;
		}
	}
	net->link = !(config->flags & OVID_NET_LINK_DOWN);
	/* behind that: a turn begins with it */
	smp_store_release(&net->config, config);
	ovid_chan_kick(net->primary);
	return 0;
}

static long set_link(struct net_card *net, const struct ovid_net_link *arg)
{
	if (arg->flags & ~(OVID_NET_LINK_DOWN | OVID_NET_OTHER))
		return -EINVAL;
	guard(mutex)(&net->config_lock);
	if (!net->config)
		return -ENOTCONN;
	if (net->link == !!(arg->flags & OVID_NET_LINK_DOWN)) {
		WRITE_ONCE(net->link, !net->link);
		set_bit(NET_NEWS_LINK, &net->news);
	}
	if (arg->flags & OVID_NET_OTHER)
		set_bit(NET_NEWS_NETWORK, &net->news);
	ovid_chan_kick(net->primary);
	return 0;
}

static u16 open_queues(struct net_card *net)
{
	u16 i, nr = 0;

	for (i = 0; i < net->config->queues; i++) {
		guard(spinlock_bh)(&net->queues[i]->frames.lock);
		nr += !!net->queues[i]->chan;
	}
	return nr;
}

/* frames that no turn has counted yet */
static u64 dropped_since(struct net_card *net)
{
	u64 nr = 0;
	u16 i;

	for (i = 0; i < net->config->queues; i++) {
		guard(spinlock_bh)(&net->queues[i]->frames.lock);
		nr += net->queues[i]->dropped;
	}
	return nr;
}

/* the guest's thread may be changing what it says, a word at a time */
static long get_info(struct net_card *net, struct ovid_net_info *info)
{
	const struct ovid_rndis *rndis = &net->rndis;
	u32 mtu;

	if (info->flags)
		return -EINVAL;
	guard(mutex)(&net->config_lock);
	if (!net->config)
		return -ENOTCONN;
	mtu = READ_ONCE(net->nvsp.mtu);
	*info = (struct ovid_net_info){
		.size = info->size,
		.flags = (net->config->flags & OVID_NET_GUARD_MAC) |
			 (net->link ? 0 : OVID_NET_LINK_DOWN) |
			 (READ_ONCE(rndis->ready) ? OVID_NET_READY : 0) |
			 (READ_ONCE(net->up) ? OVID_NET_UP : 0),
		.queues = open_queues(net),
		.mtu = mtu > NET_ETH_BYTES ? min(mtu - NET_ETH_BYTES, net->config->mtu) :
					     net->config->mtu,
		.speed = net->config->speed,
		.version = READ_ONCE(net->nvsp.version),
		.offloads = READ_ONCE(rndis->offloads),
		.tx_frames = READ_ONCE(net->stats.tx_frames),
		.tx_bytes = READ_ONCE(net->stats.tx_bytes),
		.tx_errors = READ_ONCE(net->stats.tx_errors),
		.tx_dropped = READ_ONCE(net->tx_dropped),
		.rx_frames = READ_ONCE(net->stats.rx_frames),
		.rx_bytes = READ_ONCE(net->stats.rx_bytes),
		.rx_dropped = READ_ONCE(net->stats.rx_dropped) + dropped_since(net),
	};
	memcpy(info->mac, READ_ONCE(rndis->ready) ? rndis->address : net->config->mac,
	       sizeof(info->mac));
	if (net->end)
		info->kind = net->end->ops->kind;
	if (info->kind == OVID_NET_INTERFACE)
		ovid_net_if_info(net->end, info->ifname, &info->ifindex);
	return 0;
}

static long card_ioctl(struct ovid_chan *chan, unsigned int cmd, void *arg)
{
	struct net_card *net = card_of(chan);

	switch (cmd) {
	case OVID_NET_SETUP:
		return setup(net, arg);
	case OVID_NET_END:
		return ovid_net_set_end(net, arg);
	case OVID_NET_LINK:
		return set_link(net, arg);
	case OVID_NET_INFO:
		return get_info(net, arg);
	default:
		return -ENOTTY;
	}
}

/* the end, if that is whoever reads and writes; end_sem held */
static struct net_end *frames_end(struct net_card *net)
{
	return net->end && net->end->ops->kind == OVID_NET_FRAMES ? net->end : NULL;
}

static ssize_t card_read(struct ovid_chan *chan, struct file *file, char __user *buf, size_t len)
{
	struct net_card *net = card_of(chan);
	struct net_end *end;

	guard(rwsem_read)(&net->end_sem);
	end = frames_end(net);
	return end ? ovid_net_frames_read(end, buf, len) : -ENOTCONN;
}

static ssize_t card_write(struct ovid_chan *chan, struct file *file, const char __user *buf,
			  size_t len)
{
	struct net_card *net = card_of(chan);
	struct net_end *end;

	guard(rwsem_read)(&net->end_sem);
	end = frames_end(net);
	return end ? ovid_net_frames_write(end, buf, len) : -ENOTCONN;
}

static __poll_t card_poll(struct ovid_chan *chan, struct file *file,
			  struct poll_table_struct *wait)
{
	struct net_card *net = card_of(chan);
	struct net_end *end;

	ovid_chan_poll_wait(chan, file, wait);
	guard(rwsem_read)(&net->end_sem);
	end = frames_end(net);
	return end ? ovid_net_frames_poll(end) : EPOLLERR;
}

const struct ovid_chan_ops ovid_net = {
	.name = "net",
	/* f8615163-df3e-46c5-913f-f2d2f965ed0e, 3c6f9d12-7b08-4e59-8a41-d05e1b72c6f4 */
	.type = { { 0x63, 0x51, 0x61, 0xf8, 0x3e, 0xdf, 0xc5, 0x46,
		    0x91, 0x3f, 0xf2, 0xd2, 0xf9, 0x65, 0xed, 0x0e } },
	.instance = { { 0x12, 0x9d, 0x6f, 0x3c, 0x08, 0x7b, 0x59, 0x4e,
			0x8a, 0x41, 0xd0, 0x5e, 0x1b, 0x72, 0xc6, 0xf4 } },
	.offer_flags = VMBUS_OFFER_ENUMERATE,
	.attach = card_attach,
	.detach = card_detach,
	.open = net_open,
	.close = net_close,
	.work = net_work,
	.read = card_read,
	.write = card_write,
	.poll = card_poll,
	.ioctl = card_ioctl,
	.save = net_save,
	.restore = net_restore,
	.forget = net_close,
	.unmap = card_unmap,
	.sub = &sub_ops,
};
