// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of the guest's: each RNDIS message of a packet becomes an skb.  The guest may write to
 * where they are, so each byte is copied once, and headers are looked at in the copy.
 *
 * A message may be in a section of the send buffer, in memory that the packet names, or begin in
 * the one and end in the other; a section may have several.
 */
#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include "net.h"

#define MAX_MESSAGES	64	/* of a packet; Linux sends 8 at most */

/* longer frames have their end in pages */
#define LINEAR_BYTES	2048

/**
 * struct net_source - what is left of a packet's messages
 * @section: of the send buffer
 * @part: that, then memory that is named
 */
struct net_source {
	struct kvec section;
	struct iov_iter part[2];
};

static void source_init(struct net_source *src, const void *section, u32 bytes,
			const struct ovid_chan_held *held)
{
	src->section = (struct kvec){ .iov_base = (void *)section, .iov_len = bytes };
	iov_iter_kvec(&src->part[0], ITER_SOURCE, &src->section, 1, bytes);
	iov_iter_bvec(&src->part[1], ITER_SOURCE, held ? held->vec : NULL, held ? held->nr : 0,
		      held ? held->bytes : 0);
}

static size_t source_left(const struct net_source *src)
{
	return iov_iter_count(&src->part[0]) + iov_iter_count(&src->part[1]);
}

/* there are so many */
static void source_copy(struct net_source *src, void *buf, size_t bytes)
{
	size_t n = copy_from_iter(buf, min(bytes, iov_iter_count(&src->part[0])), &src->part[0]);

	if (n < bytes)
		n += copy_from_iter(buf + n, bytes - n, &src->part[1]);
	WARN_ON_ONCE(n < bytes);
}

static void source_skip(struct net_source *src, size_t bytes)
{
	size_t n = min(bytes, iov_iter_count(&src->part[0]));

	iov_iter_advance(&src->part[0], n);
	iov_iter_advance(&src->part[1], bytes - n);
}

/* an skb of @bytes out of @src, or NULL */
static struct sk_buff *copy_frame(struct net_source *src, u32 bytes)
{
	struct sk_buff *skb = ovid_net_alloc(bytes, bytes <= LINEAR_BYTES ? bytes :
							    NET_FRAME_HEAD_BYTES);
	int i;

	if (!skb)
		return NULL;
	source_copy(src, skb->data, skb_headlen(skb));
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		source_copy(src, skb_frag_address(frag), skb_frag_size(frag));
	}
	return skb;
}

/* what the guest has left undone is left to whoever sends it on: 0 or -EPROTO */
static int set_offloads(struct sk_buff *skb, const struct ovid_rndis_frame *frame)
{
	struct ovid_frame_fix fix;
	int err;

	skb_reset_mac_header(skb);
	skb_set_network_header(skb, NET_ETH_BYTES);
	err = ovid_frame_offload(skb->data, skb_headlen(skb), frame, &fix);
	if (err)
		return err;
	if (fix.csum && !skb_partial_csum_set(skb, fix.csum_start, fix.csum_offset))
		return -EPROTO;
	if (fix.segment) {
		skb_shinfo(skb)->gso_size = fix.mss;
		/* its headers are the guest's words: the count is made when it is cut */
		skb_shinfo(skb)->gso_type = (fix.ip6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4) |
					    SKB_GSO_DODGY;
	}
	if (frame->flags & NET_FRAME_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), frame->vlan);
	return 0;
}

static bool may_leave(const struct net_card *net, const struct sk_buff *skb)
{
	return !(net->config->flags & OVID_NET_GUARD_MAC) ||
	       !memcmp(skb->data + NET_MAC_BYTES, net->config->mac, NET_MAC_BYTES);
}

/* the frame of one message: 0, -EPROTO: no sense is in it, or -ENOMEM */
static int take_frame(struct net_card *net, struct net_source *src,
		      const struct ovid_rndis_frame *frame, struct sk_buff_head *frames)
{
	struct net_source from = *src;
	struct sk_buff *skb;

	source_skip(&from, frame->data);
	skb = copy_frame(&from, frame->bytes);
	if (!skb)
		return -ENOMEM;
	if (!may_leave(net, skb) || set_offloads(skb, frame)) {
		kfree_skb(skb);
		return -EPROTO;
	}
	net->stats.tx_frames++;
	net->stats.tx_bytes += frame->bytes;
	__skb_queue_tail(frames, skb);
	return 0;
}

/* the next message: 0, -EPROTO: nor does what follows make sense, or -ENOMEM */
static int take_message(struct net_card *net, struct net_source *src,
			struct sk_buff_head *frames, struct ovid_rndis_frame *frame)
{
	u64 head[RNDIS_HEAD_BYTES / sizeof(u64)];
	size_t left = source_left(src), n = min(left, sizeof(head));
	struct net_source from = *src;
	int err;

	source_copy(&from, head, n);
	err = ovid_rndis_parse(head, n, left, frame);
	if (err)
		return err;
	err = take_frame(net, src, frame, frames);
	source_skip(src, frame->message);
	if (err == -ENOMEM)
		return err;
	if (err)
		net->stats.tx_errors++;
	return 0;
}

u32 ovid_net_tx(struct net_queue *queue, const void *section, u32 section_bytes,
		const struct ovid_chan_held *held, struct sk_buff_head *frames)
{
	struct net_card *net = queue->net;
	struct ovid_rndis_frame frame;
	struct net_source src;
	int i, err = 0;

	/* Linux goes on sending when it has halted its card, or there is no cable */
	if (!net->rndis.ready || !READ_ONCE(net->link)) {
		WRITE_ONCE(net->tx_dropped, net->tx_dropped + 1);
		return NVSP_OK;
	}
	source_init(&src, section, section_bytes, held);
	for (i = 0; i < MAX_MESSAGES && !err && source_left(&src); i++)
		err = take_message(net, &src, frames, &frame);
	if (!err)
		return NVSP_OK;
	net->stats.tx_errors++;
	return err == -ENOMEM ? NVSP_FAIL : NVSP_BAD_RNDIS;
}
