// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whoever reads and writes the channel's file as a card's end: a user-mode network.  Frames go
 * with a header each (struct ovid_frame), many by one call.
 *
 * Frames of the guest's wait here until they are read: where they are many, or large, the guest's
 * channels wait.
 */
#include <linux/cleanup.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/poll.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <net/gso.h>
#include "net.h"

#define MAX_WAITING	(2u << 20)	/* bytes of memory; then the guest's packets wait */
#define MAX_MEMORY	(8u << 20)	/* more is lost: of frames that were cut into very many */
#define ALIGN_TO	8u

/**
 * struct net_frames
 * @end: end
 * @offloads: who reads can do what a frame says is left to be done
 * @out: frames of the guest's; its lock, for @bytes and @full
 * @bytes: of their memory
 * @full: channels wait
 */
struct net_frames {
	struct net_end end;
	bool offloads;
	struct sk_buff_head out;
	u32 bytes;
	bool full;
};

static struct net_frames *frames_of(struct net_end *end)
{
	return container_of(end, struct net_frames, end);
}

/* ---- frames of the guest's ---- */

/* how many are lost */
static u32 add(struct net_frames *f, struct sk_buff *skb)
{
	if (f->bytes >= MAX_MEMORY) {
		kfree_skb(skb);
		return 1;
	}
	__skb_queue_tail(&f->out, skb);
	f->bytes += skb->truesize;
	return 0;
}

/* without offloads: whole frames that need nothing more, as a list; NULL: it is lost */
static struct sk_buff *finish(struct sk_buff *skb)
{
	struct sk_buff *cut;

	skb = skb_vlan_tag_present(skb) ? __vlan_hwaccel_push_inside(skb) : skb;
	if (!skb)
		return NULL;
	if (skb_is_gso(skb)) {
		cut = skb_gso_segment(skb, 0);
		if (!IS_ERR_OR_NULL(cut)) {
			consume_skb(skb);
			return cut;
		}
	} else if (skb->ip_summed != CHECKSUM_PARTIAL || !skb_checksum_help(skb)) {
		return skb;
	}
	kfree_skb(skb);
	return NULL;
}

/* how many are lost */
static u32 add_list(struct net_frames *f, struct sk_buff *skb)
{
	struct sk_buff *next;
	u32 lost = !skb;

	guard(spinlock_bh)(&f->out.lock);
	for (; skb; skb = next) {
		next = skb->next;
		skb_mark_not_on_list(skb);
		lost += add(f, skb);
	}
	return lost;
}

static u32 frames_deliver(struct net_end *end, struct sk_buff_head *frames)
{
	struct net_frames *f = frames_of(end);
	struct sk_buff *skb;
	u32 lost = 0;

	while ((skb = __skb_dequeue(frames))) {
		skb_reset_mac_header(skb);
		skb->protocol = eth_hdr(skb)->h_proto;
		lost += add_list(f, f->offloads ? skb : finish(skb));
	}
	ovid_chan_wake(end->net->primary);
	return lost;
}

static bool frames_full(struct net_end *end)
{
	struct net_frames *f = frames_of(end);

	guard(spinlock_bh)(&f->out.lock);
	f->full = f->bytes >= MAX_WAITING;
	return f->full;
}

static struct sk_buff *next_out(struct net_frames *f, size_t room, ssize_t *err)
{
	struct sk_buff *skb;

	guard(spinlock_bh)(&f->out.lock);
	skb = skb_peek(&f->out);
	if (!skb || sizeof(struct ovid_frame) + ALIGN(skb->len, ALIGN_TO) > room) {
		*err = skb ? -EMSGSIZE : -EAGAIN;
		return NULL;
	}
	__skb_unlink(skb, &f->out);
	f->bytes -= skb->truesize;
	return skb;
}

static void describe(const struct sk_buff *skb, struct ovid_frame *head)
{
	u32 type = skb_shinfo(skb)->gso_type;

	*head = (struct ovid_frame){ .bytes = skb->len };
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		head->flags |= OVID_FRAME_CSUM;
		head->csum_start = skb_checksum_start_offset(skb);
		head->csum_offset = skb->csum_offset;
	}
	if (skb_is_gso(skb)) {
		head->flags |= type & SKB_GSO_TCPV6 ? OVID_FRAME_SEGMENT6 : OVID_FRAME_SEGMENT4;
		head->mss = skb_shinfo(skb)->gso_size;
		head->headers = head->csum_start +
				__tcp_hdrlen((const void *)(skb->data + head->csum_start));
	}
	if (skb_vlan_tag_present(skb)) {
		head->flags |= OVID_FRAME_VLAN;
		head->vlan = skb_vlan_tag_get(skb);
	}
}

static ssize_t read_frame(struct sk_buff *skb, struct iov_iter *to)
{
	size_t pad = ALIGN(skb->len, ALIGN_TO) - skb->len;
	struct ovid_frame head;

	describe(skb, &head);
	if (copy_to_iter(&head, sizeof(head), to) != sizeof(head) ||
	    skb_copy_datagram_iter(skb, 0, to, skb->len) || iov_iter_zero(pad, to) != pad)
		return -EFAULT;
	return 0;
}

static void note_read(struct net_frames *f)
{
	scoped_guard(spinlock_bh, &f->out.lock) {
		if (!f->full || f->bytes > MAX_WAITING / 2)
			return;
		f->full = false;
	}
	ovid_net_kick_all(f->end.net);
}

ssize_t ovid_net_frames_read(struct net_end *end, char __user *buf, size_t len)
{
	struct net_frames *f = frames_of(end);
	struct iov_iter to;
	struct sk_buff *skb;
	ssize_t err;

	err = import_ubuf(ITER_DEST, buf, len, &to);
	while (!err && (skb = next_out(f, iov_iter_count(&to), &err))) {
		err = read_frame(skb, &to);
		consume_skb(skb);
	}
	note_read(f);
	if (err == -EFAULT)
		return err;
	return len - iov_iter_count(&to) ?: err;
}

/* ---- frames for the guest ---- */

static bool head_ok(const struct ovid_frame *head)
{
	u16 segment = head->flags & (OVID_FRAME_SEGMENT4 | OVID_FRAME_SEGMENT6);

	if (head->bytes < ETH_HLEN || head->bytes > NET_MAX_FRAME ||
	    head->flags & ~(OVID_FRAME_VLAN * 2 - 1))
		return false;
	if (!segment)
		return true;
	return segment != (OVID_FRAME_SEGMENT4 | OVID_FRAME_SEGMENT6) &&
	       head->mss >= NET_MIN_MSS && head->bytes / head->mss <= NET_MAX_PIECES &&
	       head->flags & OVID_FRAME_CSUM &&
	       head->headers <= NET_FRAME_HEAD_BYTES && head->headers < head->bytes;
}

/* what the head says of the frame: false: it cannot be */
static bool set_head(struct sk_buff *skb, const struct ovid_frame *head)
{
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = eth_hdr(skb)->h_proto;
	if (head->flags & OVID_FRAME_CSUM &&
	    !skb_partial_csum_set(skb, head->csum_start, head->csum_offset))
		return false;
	if (head->flags & OVID_FRAME_CSUM_GOOD && skb->ip_summed == CHECKSUM_NONE)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	if (head->flags & (OVID_FRAME_SEGMENT4 | OVID_FRAME_SEGMENT6)) {
		skb_shinfo(skb)->gso_size = head->mss;
		skb_shinfo(skb)->gso_type = (head->flags & OVID_FRAME_SEGMENT4 ?
					     SKB_GSO_TCPV4 : SKB_GSO_TCPV6) | SKB_GSO_DODGY;
	}
	if (head->flags & OVID_FRAME_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), head->vlan);
	return true;
}

/* the next frame, or ERR_PTR */
static struct sk_buff *write_frame(struct iov_iter *from)
{
	struct ovid_frame head;
	struct sk_buff *skb;
	u32 padded;
	int err;

	if (iov_iter_count(from) < sizeof(head))
		return ERR_PTR(-EINVAL);
	if (!copy_from_iter_full(&head, sizeof(head), from))
		return ERR_PTR(-EFAULT);
	padded = ALIGN(head.bytes, ALIGN_TO);
	if (!head_ok(&head) || iov_iter_count(from) < padded)
		return ERR_PTR(-EINVAL);
	skb = ovid_net_alloc(head.bytes, SKB_MAX_ORDER(NET_SKB_PAD, 0));
	if (!skb)
		return ERR_PTR(-ENOMEM);
	err = skb_copy_datagram_from_iter(skb, 0, from, head.bytes) ? -EFAULT :
	      set_head(skb, &head) ? 0 : -EINVAL;
	if (err) {
		kfree_skb(skb);
		return ERR_PTR(err);
	}
	iov_iter_advance(from, padded - head.bytes);
	return skb;
}

ssize_t ovid_net_frames_write(struct net_end *end, const char __user *buf, size_t len)
{
	size_t taken = 0;
	struct iov_iter from;
	struct sk_buff *skb;
	ssize_t err;

	err = import_ubuf(ITER_SOURCE, (void __user *)buf, len, &from);
	while (!err && iov_iter_count(&from)) {
		if (READ_ONCE(end->full)) {
			err = -EAGAIN;
			break;
		}
		skb = write_frame(&from);
		if (IS_ERR(skb)) {
			err = PTR_ERR(skb);
			break;
		}
		taken = len - iov_iter_count(&from);
		ovid_net_put(end, skb, taken < len);
	}
	/* the last one said that another would follow */
	if (err && taken)
		ovid_net_kick_all(end->net);
	return taken ?: err;
}

__poll_t ovid_net_frames_poll(struct net_end *end)
{
	struct net_frames *f = frames_of(end);

	return (skb_queue_empty_lockless(&f->out) ? 0 : EPOLLIN | EPOLLRDNORM) |
	       (READ_ONCE(end->full) ? 0 : EPOLLOUT | EPOLLWRNORM);
}

/* ---- the end ---- */

static void frames_room(struct net_end *end, u16 index)
{
	ovid_chan_wake(end->net->primary);
}

static void frames_free(struct net_end *end)
{
	struct net_frames *f = frames_of(end);

	__skb_queue_purge(&f->out);
	ovid_chan_wake(end->net->primary);
	kfree(f);
}

static const struct net_end_ops end_ops = {
	.kind = OVID_NET_FRAMES,
	.deliver = frames_deliver,
	.full = frames_full,
	.room = frames_room,
	.free = frames_free,
};

struct net_end *ovid_net_frames_new(struct net_card *net, const struct ovid_net_end *arg)
{
	struct net_frames *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return ERR_PTR(-ENOMEM);
	f->end.ops = &end_ops;
	f->end.net = net;
	f->offloads = arg->flags & OVID_NET_OFFLOADS;
	skb_queue_head_init(&f->out);
	return &f->end;
}
