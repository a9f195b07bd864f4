// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card's packets: the handshake, RNDIS messages and what they carry, and answers.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "net.h"

/* packets in a row, and bytes of their frames, then it is another channel's turn */
#define BUDGET		64
#define BUDGET_BYTES	(256 << 10)

/* ---- answers ---- */

/* 0 or -EAGAIN: there is no space for it yet, and nothing else may be answered */
static int pay(struct net_queue *queue)
{
	int err;

	if (!queue->owed)
		return 0;
	err = ovid_chan_send(queue->own, VMBUS_PKT_COMPLETION, 0, queue->owed_id,
			     &queue->owed_msg, queue->owed - 1);
	if (err != -EAGAIN)
		queue->owed = 0;
	return queue->owed ? -EAGAIN : 0;
}

static void answer(struct net_queue *queue, const struct ovid_packet *pkt,
		   const struct nvsp_w_message *msg, u32 bytes)
{
	if (!(pkt->flags & VMBUS_PACKET_COMPLETION))
		return;
	queue->owed = bytes + 1;
	queue->owed_id = pkt->trans_id;
	memcpy(&queue->owed_msg, msg, bytes);
	pay(queue);
}

/* ---- the card changes ---- */

/* the end is told if the guest takes frames now, or does not any more */
void ovid_net_changed(struct net_card *net)
{
	bool up = net->rndis.ready && net->rndis.filter && net->rndis.link;

	if (up == net->up)
		return;
	WRITE_ONCE(net->up, up);
	guard(rwsem_read)(&net->end_sem);
	if (net->end && net->end->ops->state)
		net->end->ops->state(net->end, up);
}

static void set_rss(struct net_card *net)
{
	const struct ovid_rndis *rndis = &net->rndis;
	u32 i;

	WRITE_ONCE(net->rss_mask, 0);
	if (!rndis->rss || !rndis->nr_table)
		return;
	for (i = 0; i < rndis->nr_table; i++)
		WRITE_ONCE(net->rss_table[i], rndis->table[i]);
	WRITE_ONCE(net->rss_mask, rndis->nr_table - 1);
}

void ovid_net_applied(struct net_card *net)
{
	set_rss(net);
	ovid_net_changed(net);
}

/* ---- control messages ---- */

static struct net_control *new_control(struct net_queue *queue)
{
	struct net_control *control;

	if (queue->nr_controls >= NET_MAX_CONTROL)
		return NULL;
	control = kmalloc(sizeof(*control) + RNDIS_CONTROL_BYTES, GFP_KERNEL_ACCOUNT);
	if (control)
		memset(control->msg, 0, RNDIS_CONTROL_BYTES);
	return control;
}

static void add_control(struct net_queue *queue, struct net_control *control)
{
	list_add_tail(&control->node, &queue->controls);
	queue->nr_controls++;
}

/* of what has changed on the host's side; a guest that is not ready will ask */
static void tell(struct net_queue *queue, u32 (*write)(const struct ovid_rndis *rndis, void *msg))
{
	struct net_card *net = queue->net;
	struct net_control *msg = net->rndis.ready ? new_control(queue) : NULL;

	if (!msg)
		return;
	msg->bytes = write(&net->rndis, msg->msg);
	add_control(queue, msg);
}

/* what the guest asks of its card; the answer comes by the receive buffer.  NVSP_OK or not */
static u32 control(struct net_queue *queue, const void *msg, u32 bytes)
{
	struct net_card *net = queue->net;
	struct net_control *reply = new_control(queue);
	u32 changed = 0;
	int n;

	if (!reply)
		return NVSP_BUSY;
	n = ovid_rndis_control(&net->rndis, &net->stats, msg, bytes, reply->msg, &changed);
	reply->bytes = max(n, 0);
	if (n > 0)
		add_control(queue, reply);
	else
		kfree(reply);
	if (changed & RNDIS_CHANGED_OFFLOADS)
		tell(queue, ovid_rndis_offloads);	/* behind the answer */
	if (changed)
		ovid_net_applied(net);
	return n < 0 ? NVSP_BAD_RNDIS : NVSP_OK;
}

static void tell_news(struct net_queue *queue)
{
	struct net_card *net = queue->net;

	if (!ovid_net_is_primary(queue) || !READ_ONCE(net->news) ||
	    queue->nr_controls > NET_MAX_CONTROL - 2)
		return;
	if (test_and_clear_bit(NET_NEWS_LINK, &net->news)) {
		net->rndis.link = READ_ONCE(net->link);
		tell(queue, ovid_rndis_link);
		ovid_net_changed(net);
	}
	if (test_and_clear_bit(NET_NEWS_NETWORK, &net->news))
		tell(queue, ovid_rndis_network);
}

/* ---- what a packet carries ---- */

/* where the section of the send buffer is that a message names; NULL: there is none */
static const void *section_of(const struct net_card *net, const struct nvsp_w_rndis *rndis)
{
	const struct net_buffer *tx = &net->tx;

	if (!tx->map || rndis->section >= tx->nr_parts || rndis->section_bytes > tx->part_bytes)
		return NULL;
	return tx->map->at + rndis->section * tx->part_bytes;
}

/* control messages are copied: they are short */
static u32 take_control(struct net_queue *queue, const void *section, u32 bytes,
			const struct ovid_chan_held *held)
{
	u8 *msg = queue->net->control;
	u32 n = min(bytes, RNDIS_CONTROL_BYTES), i, part;

	if (!ovid_net_is_primary(queue))
		return NVSP_FAIL;
	memcpy(msg, section, n);
	for (i = 0; held && i < held->nr && n < RNDIS_CONTROL_BYTES; i++, n += part) {
		const struct bio_vec *vec = &held->vec[i];

		part = min(vec->bv_len, RNDIS_CONTROL_BYTES - n);
		memcpy(msg + n, page_address(vec->bv_page) + vec->bv_offset, part);
	}
	return control(queue, msg, n);
}

static u32 take_messages(struct net_queue *queue, const struct nvsp_w_rndis *rndis,
			 const struct ovid_chan_held *held, struct sk_buff_head *frames)
{
	const void *section = NULL;
	u32 bytes = 0;

	if (rndis->section != NVSP_NO_SECTION) {
		section = section_of(queue->net, rndis);
		bytes = rndis->section_bytes;
		if (!section)
			return NVSP_FAIL;
	}
	if (rndis->channel == NVSP_CONTROL)
		return take_control(queue, section, bytes, held);
	return ovid_net_tx(queue, section, bytes, held, frames);
}

/* the messages of a packet: what its answer says */
static u32 on_rndis(struct net_queue *queue, const struct nvsp_w_rndis *rndis,
		    struct ovid_chan_ranges *ranges, struct sk_buff_head *frames)
{
	struct ovid_chan_held *held = NULL;
	u32 status;

	if (ranges->err)
		return NVSP_FAIL;
	if (ranges->count) {
		held = ovid_chan_hold(queue->own, ranges);
		if (IS_ERR(held))
			return NVSP_FAIL;
	}
	status = take_messages(queue, rndis, held, frames);
	if (held)
		ovid_chan_let_go(held, false);
	return status;
}

/* ---- buffers ---- */

static void unmap(struct net_buffer *buf)
{
	if (buf->map)
		ovid_chan_unmap(buf->map);
	buf->map = NULL;
	buf->nr_parts = 0;
}

static void map(struct net_card *net, struct net_buffer *buf, u32 gpadl, u32 part_bytes)
{
	struct ovid_chan_buffer *map = ovid_chan_map(net->primary, gpadl);

	if (IS_ERR(map))
		return;
	buf->map = map;
	buf->part_bytes = part_bytes;
	buf->nr_parts = min_t(u32, map->bytes / part_bytes, NET_RX_MAX_PARTS);
	if (!buf->nr_parts)
		unmap(buf);
}

/* a part has room for a frame of the guest's MTU and its message */
static u32 rx_part_bytes(const struct net_card *net)
{
	u32 mtu = net->nvsp.mtu ?: net->config->mtu + NET_ETH_BYTES;

	mtu = min_t(u32, mtu, NET_MAX_MTU + NET_ETH_BYTES);
	return max_t(u32, ALIGN(mtu + 4 + RNDIS_OUT_HEAD_BYTES, 64), NET_RX_PART_BYTES);
}

void ovid_net_drop_rx(struct net_card *net)
{
	ovid_net_parts_fini(net);
	unmap(&net->rx);
	net->nvsp.rx = false;
}

void ovid_net_drop_tx(struct net_card *net)
{
	unmap(&net->tx);
	net->nvsp.tx = false;
}

/* 0 or -ENOMEM, -EINVAL: too small */
int ovid_net_map_rx(struct net_card *net, u32 gpadl, u32 part_bytes)
{
	map(net, &net->rx, gpadl, part_bytes);
	if (net->rx.nr_parts > NET_RX_RESERVE && !ovid_net_parts_init(net))
		return 0;
	unmap(&net->rx);
	return -ENOMEM;
}

int ovid_net_map_tx(struct net_card *net, u32 gpadl)
{
	map(net, &net->tx, gpadl, NET_TX_PART_BYTES);
	return net->tx.map ? 0 : -ENOMEM;
}

/* ---- packets ---- */

/* as many channels as VPs and as there may be */
static u16 max_subs(const struct net_card *net)
{
	return min_t(u32, ovid_chan_vps(net->primary), net->config->queues) - 1;
}

static void on_message(struct net_queue *queue, const struct ovid_packet *pkt,
		       struct nvsp_w_message *msg, u32 bytes, struct ovid_chan_ranges *ranges,
		       struct sk_buff_head *frames)
{
	struct net_card *net = queue->net;
	u32 gpadl = msg->buffer.gpadl;
	u16 subs = msg->type == NVSP_SUBS ? max_subs(net) : 0;

	switch (ovid_nvsp_message(&net->nvsp, ovid_net_is_primary(queue), msg, &bytes, &subs)) {
	case NVSP_DO_RNDIS:
		bytes = ovid_nvsp_rndis(msg, on_rndis(queue, &msg->rndis, ranges, frames));
		break;
	case NVSP_DO_RX_BUFFER:
		ovid_net_map_rx(net, gpadl, rx_part_bytes(net));
		ovid_nvsp_rx(&net->nvsp, msg, net->rx.nr_parts, net->rx.part_bytes);
		break;
	case NVSP_DO_TX_BUFFER:
		ovid_net_map_tx(net, gpadl);
		ovid_nvsp_tx(&net->nvsp, msg, net->tx.map ? net->tx.part_bytes : 0);
		break;
	case NVSP_DO_RX_REVOKE:
		ovid_net_drop_rx(net);
		break;
	case NVSP_DO_TX_REVOKE:
		ovid_net_drop_tx(net);
		break;
	case NVSP_DO_SUBS:
		if (ovid_chan_make_subs(net->primary, subs))
			ovid_nvsp_no_subs(&net->nvsp, msg);
		break;
	case NVSP_DO_REPLY:
		break;
	}
	answer(queue, pkt, msg, bytes);
}

/* one packet: 0; -EAGAIN: none for now; -EPROTO */
static int receive_one(struct net_queue *queue, struct sk_buff_head *frames)
{
	struct ovid_chan_ranges ranges = { .list = queue->list, .room = sizeof(queue->list) };
	struct nvsp_w_message msg = {};
	struct ovid_packet pkt;
	int n;

	n = ovid_chan_recv_ranges(queue->own, &pkt, &msg, sizeof(msg), &ranges);
	if (n == -EMSGSIZE)
		answer(queue, &pkt, &msg, 0);
	if (n < 0)
		return n == -EMSGSIZE ? 0 : n;
	if (pkt.type == VMBUS_PKT_COMPLETION)
		ovid_net_parts_done(queue->net, pkt.trans_id, queue->index);
	else if (pkt.type == VMBUS_PKT_DATA || pkt.type == VMBUS_PKT_GPA_DIRECT)
		on_message(queue, &pkt, &msg, n, &ranges, frames);
	return 0;
}

/* true: packets stay where they are, for now */
static bool is_held_up(struct net_queue *queue)
{
	struct net_card *net = queue->net;

	if (queue->owed)
		return true;
	guard(rwsem_read)(&net->end_sem);
	return net->end && net->end->ops->full && net->end->ops->full(net->end);
}

static void deliver(struct net_card *net, struct sk_buff_head *frames)
{
	u32 lost;

	if (skb_queue_empty(frames))
		return;
	guard(rwsem_read)(&net->end_sem);
	if (net->end) {
		lost = net->end->ops->deliver(net->end, frames);
	} else {
		lost = skb_queue_len(frames);
		__skb_queue_purge(frames);
	}
	WRITE_ONCE(net->tx_dropped, net->tx_dropped + lost);
}

/* true: there may be more */
static bool receive(struct net_queue *queue)
{
	const u64 *bytes = &queue->net->stats.tx_bytes, before = *bytes;
	struct sk_buff_head frames;
	int i, err = 0;

	__skb_queue_head_init(&frames);
	for (i = 0; i < BUDGET && !err && !queue->owed && *bytes - before < BUDGET_BYTES; i++)
		err = receive_one(queue, &frames);
	deliver(queue->net, &frames);
	return !err && !queue->owed;
}

bool ovid_net_show(struct net_card *net)
{
	/* as it was made in OVID_NET_SETUP */
	const struct ovid_net *config = smp_load_acquire(&net->config);
	struct ovid_rndis *rndis = &net->rndis;

	if (!config || rndis->queues)
		return config;
	memcpy(rndis->permanent, config->mac, sizeof(rndis->permanent));
	rndis->mtu = config->mtu;
	rndis->speed = config->speed;
	rndis->queues = config->queues;
	rndis->link = READ_ONCE(net->link);
	strscpy(rndis->name, config->name, sizeof(rndis->name));
	return true;
}

bool ovid_net_turn(struct net_queue *queue)
{
	bool more = false;

	if (!ovid_net_show(queue->net)) {
		ovid_chan_stall(queue->own);
		return false;
	}
	if (pay(queue) || is_held_up(queue))
		ovid_chan_stall(queue->own);
	else
		more = receive(queue);
	tell_news(queue);
	if (ovid_net_send_batch(queue) || ovid_net_send_controls(queue))
		return more;
	return ovid_net_send_frames(queue) || more;
}

void ovid_net_forget(struct net_queue *queue)
{
	struct net_control *control, *next;

	scoped_guard(spinlock_bh, &queue->frames.lock)
		queue->chan = NULL;
	ovid_net_take_queued(queue);
	__skb_queue_purge(&queue->held);
	list_for_each_entry_safe(control, next, &queue->controls, node)
		kfree(control);
	INIT_LIST_HEAD(&queue->controls);
	queue->nr_controls = 0;
	queue->owed = 0;
	ovid_net_parts_drop(queue->net, &queue->batch);
	ovid_net_parts_forget(queue->net, queue->index);
}
