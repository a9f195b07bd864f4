// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file of tap or macvtap as a card's end: read and written as a process would, with a header
 * before each frame.  A work reads when the file says that there is something, until its queue is
 * full; then the card says when to go on.
 */
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/if_tap.h>
#include <linux/if_tun.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/poll.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/virtio_net.h>
#include <linux/workqueue.h>
#include "net.h"

#define BUDGET		64	/* frames in a row, then it is another work's turn */
#define HEAD_BYTES	sizeof(struct virtio_net_hdr)

/**
 * struct net_file - a file that is a card's end
 * @end: end
 * @file: with a reference
 * @work: reads it
 * @wait: in @wqh, the file's
 * @wqh: or NULL, before it is there
 * @poll: to get there
 * @gone: nothing is read any more
 * @buf: a frame and its head; @work's
 */
struct net_file {
	struct net_end end;
	struct file *file;
	struct work_struct work;
	wait_queue_entry_t wait;
	wait_queue_head_t *wqh;
	poll_table poll;
	bool gone;
	u8 buf[HEAD_BYTES + NET_MAX_FRAME];
};

static struct net_file *file_of(struct net_end *end)
{
	return container_of(end, struct net_file, end);
}

/* ---- frames of the guest's ---- */

/* it may block for others, who have the file too, and say so at any time */
static void begin(const struct net_file *f, struct kiocb *iocb)
{
	init_sync_kiocb(iocb, f->file);
	iocb->ki_flags |= IOCB_NOWAIT;
}

/* 0 or -errno: it is lost */
static int write_frame(struct net_file *f, struct sk_buff *skb)
{
	struct virtio_net_hdr head;
	struct kvec vec[MAX_SKB_FRAGS + 2] = { { &head, sizeof(head) } };
	struct iov_iter from;
	struct kiocb iocb;
	int i, n = 2;

	vec[1] = (struct kvec){ skb->data, skb_headlen(skb) };
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		vec[n++] = (struct kvec){ skb_frag_address(frag), skb_frag_size(frag) };
	}
	if (virtio_net_hdr_from_skb(skb, &head, true, true, 0))
		return -EINVAL;
	iov_iter_kvec(&from, ITER_SOURCE, vec, n, sizeof(head) + skb->len);
	begin(f, &iocb);
	return f->file->f_op->write_iter(&iocb, &from) < 0 ? -EIO : 0;
}

static u32 file_deliver(struct net_end *end, struct sk_buff_head *frames)
{
	struct sk_buff *skb;
	u32 lost = 0;

	while ((skb = __skb_dequeue(frames))) {
		if (skb_vlan_tag_present(skb))
			skb = __vlan_hwaccel_push_inside(skb);
		lost += !skb || write_frame(file_of(end), skb);
		consume_skb(skb);
	}
	return lost;
}

/* ---- frames for the guest ---- */

/* a frame that was read, as an skb; NULL: it is none, or there is no memory */
static struct sk_buff *make_frame(struct net_file *f, u32 bytes)
{
	struct sk_buff *skb = ovid_net_alloc(bytes, SKB_MAX_ORDER(NET_SKB_PAD, 0));
	struct virtio_net_hdr head;

	if (!skb)
		return NULL;
	memcpy(&head, f->buf, sizeof(head));
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, NET_ETH_BYTES);
	if (!skb_store_bits(skb, 0, f->buf + HEAD_BYTES, bytes)) {
		skb->protocol = eth_hdr(skb)->h_proto;
		if (!virtio_net_hdr_to_skb(skb, &head, true))
			return skb;
	}
	kfree_skb(skb);
	return NULL;
}

static void take_frame(struct net_file *f, u32 bytes)
{
	struct sk_buff *skb = make_frame(f, bytes);

	if (skb)
		ovid_net_put(&f->end, skb, false);
}

static ssize_t read_frame(struct net_file *f)
{
	struct kvec vec = { f->buf, sizeof(f->buf) };
	struct iov_iter to;
	struct kiocb iocb;

	iov_iter_kvec(&to, ITER_DEST, &vec, 1, vec.iov_len);
	begin(f, &iocb);
	return f->file->f_op->read_iter(&iocb, &to);
}

static void read_work(struct work_struct *work)
{
	struct net_file *f = container_of(work, struct net_file, work);
	ssize_t n;
	int i;

	for (i = 0; i < BUDGET && !READ_ONCE(f->end.full); i++) {
		n = read_frame(f);
		if (n < 0)
			return;
		if (n >= HEAD_BYTES + NET_ETH_BYTES)
			take_frame(f, n - HEAD_BYTES);
	}
	if (i == BUDGET && !READ_ONCE(f->gone))
		queue_work(system_unbound_wq, &f->work);
}

static void file_room(struct net_end *end, u16 index)
{
	queue_work(system_unbound_wq, &file_of(end)->work);
}

/* any context */
static int file_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct net_file *f = container_of(wait, struct net_file, wait);

	if (!key || key_to_poll(key) & EPOLLIN)
		queue_work(system_unbound_wq, &f->work);
	return 0;
}

static void file_hook(struct file *file, wait_queue_head_t *wqh, poll_table *poll)
{
	struct net_file *f = container_of(poll, struct net_file, poll);

	if (f->wqh)
		return;
	f->wqh = wqh;
	add_wait_queue(wqh, &f->wait);
}

/* ---- the end ---- */

static void file_free(struct net_end *end)
{
	struct net_file *f = file_of(end);

	if (f->wqh)
		remove_wait_queue(f->wqh, &f->wait);
	WRITE_ONCE(f->gone, true);
	cancel_work_sync(&f->work);
	fput(f->file);
	kvfree(f);
}

static const struct net_end_ops end_ops = {
	.kind = OVID_NET_SOCKET,
	.deliver = file_deliver,
	.room = file_room,
	.free = file_free,
};

/* those who made the file know it; the module needs neither of them */
static bool is_tap(struct file *file)
{
	struct socket *(*of_tun)(struct file *f) = symbol_get(tun_get_socket);
	struct socket *(*of_tap)(struct file *f) = symbol_get(tap_get_socket);
	bool is = (of_tun && !IS_ERR(of_tun(file))) || (of_tap && !IS_ERR(of_tap(file)));

	if (of_tun)
		symbol_put(tun_get_socket);
	if (of_tap)
		symbol_put(tap_get_socket);
	return is;
}

static bool file_ok(struct file *file)
{
	return is_tap(file) && file->f_mode & FMODE_READ &&
	       file->f_mode & FMODE_WRITE && file->f_op->read_iter && file->f_op->write_iter &&
	       file->f_op->poll && file->f_flags & O_NONBLOCK;
}

struct net_end *ovid_net_file_new(struct net_card *net, const struct ovid_net_end *arg)
{
	struct file *file = fget(arg->fd);
	struct net_file *f;

	if (!file)
		return ERR_PTR(-EBADF);
	f = file_ok(file) ? kvzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT) : ERR_PTR(-EBADF);
	if (IS_ERR_OR_NULL(f)) {
		fput(file);
		return f ? ERR_CAST(f) : ERR_PTR(-ENOMEM);
	}
	f->end.ops = &end_ops;
	f->end.net = net;
	f->file = file;
	INIT_WORK(&f->work, read_work);
	init_waitqueue_func_entry(&f->wait, file_wakeup);
	init_poll_funcptr(&f->poll, file_hook);
	vfs_poll(file, &f->poll);
	if (!f->wqh) {	/* a tap that was not given its interface */
		file_free(&f->end);
		return ERR_PTR(-EBADFD);
	}
	queue_work(system_unbound_wq, &f->work);
	return &f->end;
}
