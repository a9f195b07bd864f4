// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames for the guest.  An end puts them into a queue, in any context; the channel's turn copies
 * them into parts of the receive buffer, and tells the guest of many by one packet.
 *
 * A frame that is larger than the guest's MTU, which the host would have to cut, goes to a guest
 * that takes that as pieces of one coalesced frame (RSC).
 */
#include <linux/cleanup.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/gso.h>
#include "net.h"

#define BUDGET		128	/* frames in a row, then it is another channel's turn */
#define MAX_BYTES	(4u << 20)	/* of memory, of the frames that wait in a queue */

#define NET_RX_TCP	(NET_RX_TCP4_CSUM | NET_RX_TCP6_CSUM)

/* ---- into a queue ---- */

u16 ovid_net_choose(struct net_card *net, struct sk_buff *skb)
{
	u32 mask = READ_ONCE(net->rss_mask);

	return mask ? READ_ONCE(net->rss_table[skb_get_hash(skb) & mask]) : 0;
}

/* who does not stop loses frames */
bool ovid_net_rx(struct net_card *net, u16 index, struct sk_buff *skb, bool more)
{
	struct net_queue *queue = net->queues[index];
	u32 waiting;

	guard(spinlock)(&queue->frames.lock);
	waiting = skb_queue_len(&queue->frames);
	if (!queue->chan || !READ_ONCE(net->up) || waiting >= 2 * NET_MAX_FRAMES ||
	    queue->bytes >= 2 * MAX_BYTES) {
		kfree_skb(skb);
		queue->dropped++;
		return false;
	}
	__skb_queue_tail(&queue->frames, skb);
	queue->bytes += skb->truesize;
	if (waiting + 1 >= NET_MAX_FRAMES || queue->bytes >= MAX_BYTES)
		queue->stopped = true;
	if (!more || queue->stopped)
		ovid_chan_kick(queue->chan);
	return queue->stopped;
}

void ovid_net_take_queued(struct net_queue *queue)
{
	struct net_card *net = queue->net;
	bool stopped;

	scoped_guard(spinlock_bh, &queue->frames.lock) {
		skb_queue_splice_tail_init(&queue->frames, &queue->held);
		queue->bytes = 0;
		stopped = queue->stopped;
		queue->stopped = false;
		net->stats.rx_dropped += queue->dropped;
		queue->dropped = 0;
	}
	if (!stopped)
		return;
	guard(rwsem_read)(&net->end_sem);
	if (!net->end)
		return;
	clear_bit(queue->index, &net->end->full);
	net->end->ops->room(net->end, queue->index);
}

/* ---- what the guest is told of a frame ---- */

/* the transport whose checksum is right, as NET_RX_*; 0: none that a guest could be told of */
static u32 transport(const struct sk_buff *skb)
{
	u32 at = skb_network_offset(skb);
	u8 proto, *p;

	if (skb->protocol == htons(ETH_P_IP)) {
		p = skb_header_pointer(skb, at + offsetof(struct iphdr, protocol), 1, &proto);
		return !p ? 0 : *p == IPPROTO_TCP ? NET_RX_TCP4_CSUM :
		       *p == IPPROTO_UDP ? NET_RX_UDP4_CSUM : 0;
	}
	if (skb->protocol != htons(ETH_P_IPV6))
		return 0;
	p = skb_header_pointer(skb, at + offsetof(struct ipv6hdr, nexthdr), 1, &proto);
	return !p ? 0 : *p == IPPROTO_TCP ? NET_RX_TCP6_CSUM :
	       *p == IPPROTO_UDP ? NET_RX_UDP6_CSUM : 0;
}

/*
 * Made even for a guest that need not look at it: Linux does not say when its user has switched
 * that off.  Of a large frame too, which skb_checksum_help() does not take.
 */
static int make_csum(struct sk_buff *skb)
{
	u32 start = skb_checksum_start_offset(skb), at = start + skb->csum_offset;
	__wsum sum = skb_checksum(skb, start, skb->len - start, 0);

	if (skb_ensure_writable(skb, at + sizeof(__sum16)))
		return -ENOMEM;
	*(__sum16 *)(skb->data + at) = csum_fold(sum) ?: CSUM_MANGLED_0;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return 0;
}

/* what the guest is told of its checksum: RNDIS_CSUM_*, or -ENOMEM */
static int csum_of(struct net_card *net, struct sk_buff *skb)
{
	u32 offload;

	if (skb->ip_summed == CHECKSUM_PARTIAL && make_csum(skb))
		return -ENOMEM;
	if (skb->ip_summed != CHECKSUM_UNNECESSARY)
		return 0;
	offload = transport(skb) & net->rndis.offloads;
	return !offload ? 0 : offload & NET_RX_TCP ? RNDIS_CSUM_TCP_GOOD : RNDIS_CSUM_UDP_GOOD;
}

static u32 data_bytes(const struct net_card *net)
{
	return net->rx.part_bytes - RNDIS_OUT_HEAD_BYTES;
}

/* whole, if there are so many parts at all */
static bool takes_coalesced(const struct net_card *net, const struct sk_buff *skb)
{
	u32 type = skb_shinfo(skb)->gso_type, on = net->rndis.offloads;

	if (DIV_ROUND_UP(skb->len, data_bytes(net)) + NET_RX_RESERVE > net->rx.nr_parts)
		return false;
	return (type & SKB_GSO_TCPV4 && (on & NET_WHOLE4) == NET_WHOLE4) ||
	       (type & SKB_GSO_TCPV6 && (on & NET_WHOLE6) == NET_WHOLE6);
}

/* ---- into the receive buffer ---- */

/* @bytes of it from @at on */
static void put_part(struct net_card *net, struct net_batch *batch, const struct sk_buff *skb,
		     u32 at, struct ovid_rndis_out *out)
{
	u32 head_bytes, offset;
	u8 head[RNDIS_OUT_HEAD_BYTES] __aligned(8);
	void *part;

	head_bytes = ovid_rndis_write(head, out);
	part = ovid_net_part(net, batch, head_bytes + out->bytes, NET_RX_RESERVE);
	offset = batch->ranges[batch->nr - 1].offset;
	memcpy(part, head, head_bytes);
	skb_copy_bits(skb, at, part + head_bytes, out->bytes);
	ovid_chan_written(net->rx.map, offset, head_bytes + out->bytes);
}

static void put_frame(struct net_card *net, struct net_batch *batch, const struct sk_buff *skb,
		      struct ovid_rndis_out *out)
{
	u32 most = data_bytes(net), at;

	if (skb->len <= most) {
		out->bytes = skb->len;
		put_part(net, batch, skb, 0, out);
		return;
	}
	for (at = 0; at < skb->len; at += out->bytes) {
		out->bytes = min(skb->len - at, most);
		out->part = RNDIS_ID_PART | (at ? 0 : RNDIS_ID_FIRST) |
			    (at + out->bytes == skb->len ? RNDIS_ID_LAST : 0);
		put_part(net, batch, skb, at, out);
	}
}

/* 0; -EAGAIN: there are no parts for it, or the batch is to be sent first; else it is lost */
static int add_frame(struct net_queue *queue, struct sk_buff *skb)
{
	struct net_card *net = queue->net;
	u32 parts = DIV_ROUND_UP(skb->len, data_bytes(net));
	struct ovid_rndis_out out = {};
	int csum;

	if (parts > 1 && !takes_coalesced(net, skb))
		return -EMSGSIZE;
	if (parts + queue->batch.nr > NET_MAX_RANGES || net->nr_free < parts + NET_RX_RESERVE)
		return -EAGAIN;
	csum = csum_of(net, skb);
	if (csum < 0)
		return csum;
	out.csum = csum;
	if (skb_vlan_tag_present(skb)) {
		out.has_vlan = true;
		out.vlan = skb_vlan_tag_get(skb);
	}
	put_frame(net, &queue->batch, skb, &out);
	net->stats.rx_frames++;
	net->stats.rx_bytes += skb->len;
	return 0;
}

/* one that the guest does not take whole: its pieces, or NULL or ERR_PTR */
static struct sk_buff *cut_frame(struct sk_buff *skb)
{
	u32 mss = skb_shinfo(skb)->gso_size;

	if (skb->len / mss > NET_MAX_PIECES)
		return NULL;
	return skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);
}

/* the next frame that the guest wants, whole or cut as it takes them; or NULL */
static struct sk_buff *next_frame(struct net_queue *queue)
{
	struct net_card *net = queue->net;
	struct sk_buff *skb, *cut;
	struct sk_buff_head pieces;

	while ((skb = __skb_dequeue(&queue->held))) {
		if (!ovid_rndis_wants(&net->rndis, skb->data)) {
			consume_skb(skb);
			continue;
		}
		if (!skb_is_gso(skb) || takes_coalesced(net, skb))
			return skb;
		cut = cut_frame(skb);
		if (IS_ERR_OR_NULL(cut)) {
			net->stats.rx_errors++;
			kfree_skb(skb);
			continue;
		}
		consume_skb(skb);
		/* before those behind it, of which none is cut as long as these wait */
		__skb_queue_head_init(&pieces);
		while (cut) {
			skb = cut;
			cut = skb->next;
			skb_mark_not_on_list(skb);
			__skb_queue_tail(&pieces, skb);
		}
		skb_queue_splice(&pieces, &queue->held);
	}
	return NULL;
}

/* a frame: 0; -EAGAIN: it waits */
static int send_frame(struct net_queue *queue, struct sk_buff *skb)
{
	int err = add_frame(queue, skb);

	/* a batch that is full */
	if (err == -EAGAIN && queue->batch.nr && !ovid_net_send_batch(queue))
		err = add_frame(queue, skb);
	if (err == -EAGAIN)
		return err;
	if (err) {
		queue->net->stats.rx_errors++;
		kfree_skb(skb);
	} else {
		consume_skb(skb);
	}
	return 0;
}

bool ovid_net_send_frames(struct net_queue *queue)
{
	struct sk_buff *skb = NULL;
	int i;

	if (!queue->net->rx.map || queue->batch.nr)
		return false;
	if (skb_queue_empty(&queue->held))
		ovid_net_take_queued(queue);
	for (i = 0; i < BUDGET && (skb = next_frame(queue)); i++) {
		if (send_frame(queue, skb)) {
			__skb_queue_head(&queue->held, skb);
			break;
		}
	}
	ovid_net_send_batch(queue);
	return i == BUDGET;
}

/* ---- into the ring ---- */

static int send_parts(struct net_queue *queue, struct net_batch *batch, u32 channel)
{
	struct nvsp_w_message msg = {
		.type = NVSP_RNDIS, .rndis = { .channel = channel, .section = NVSP_NO_SECTION },
	};
	struct net_card *net = queue->net;
	int err;

	err = ovid_chan_send_pages(queue->own, VMBUS_PACKET_COMPLETION, batch->first + 1,
				   NVSP_RX_BUFFER_ID, batch->ranges, batch->nr, &msg, sizeof(msg));
	if (err == -EAGAIN)
		return err;
	if (err)
		ovid_net_parts_drop(net, batch);
	else
		ovid_net_parts_sent(net, batch, queue->index);
	return 0;
}

int ovid_net_send_batch(struct net_queue *queue)
{
	return queue->batch.nr ? send_parts(queue, &queue->batch, NVSP_DATA) : 0;
}

/* one that has no part waits until the guest gives some back */
static int send_control(struct net_queue *queue, const struct net_control *control)
{
	struct net_card *net = queue->net;
	struct net_batch batch = {};
	void *part;

	part = ovid_net_part(net, &batch, control->bytes, 0);
	if (!part)
		return -EAGAIN;
	memcpy(part, control->msg, control->bytes);
	ovid_chan_written(net->rx.map, batch.ranges[0].offset, control->bytes);
	if (!send_parts(queue, &batch, NVSP_CONTROL))
		return 0;
	ovid_net_parts_drop(net, &batch);
	return -EAGAIN;
}

int ovid_net_send_controls(struct net_queue *queue)
{
	struct net_control *control, *next;

	if (!queue->net->rx.map)
		return 0;
	list_for_each_entry_safe(control, next, &queue->controls, node) {
		if (send_control(queue, control))
			return -EAGAIN;
		list_del(&control->node);
		queue->nr_controls--;
		kfree(control);
	}
	return 0;
}
