// SPDX-License-Identifier: GPL-2.0-only
/*
 * A connection: the provider of its channel, and its life.  On the wire the stream is packets with
 * a header; an empty one says that nothing more comes from its side.
 *
 * It outlives its socket, until the guest has heard what the program has said, and its channel,
 * until the program has read what the guest has.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "vsock.h"

#define PACKET_BYTES	16384u	/* the most that one carries */
#define TURN_BYTES	(4 * PACKET_BYTES)	/* each way, then others have their turn */
#define LEAST_ROOM	1024u	/* less is not worth a packet, if there is more */
#define OPEN_TIME	(5 * HZ)	/* for the guest to open what it was offered */
#define LEFT_TIME	(30 * HZ)	/* for it to hear what a program has said that is gone */

/* in front of each packet's bytes */
struct head {
	u32 type;	/* TYPE_DATA */
	u32 bytes;	/* 0: nothing more comes */
};

#define TYPE_DATA	1

/* ---- its end ---- */

static void free_conn(struct kref *ref)
{
	struct vsock_conn *conn = container_of(ref, struct vsock_conn, ref);

	kvfree(conn->in.buf);
	kvfree(conn->out.buf);
	atomic_dec(&conn->vm->nr_conns);
	ovid_vsock_vm_put(conn->vm);
	kfree(conn);
}

void ovid_vsock_conn_put(struct vsock_conn *conn)
{
	kref_put(&conn->ref, free_conn);
}

void ovid_vsock_conn_kick(struct vsock_conn *conn)
{
	guard(spinlock)(&conn->lock);
	if (conn->chan)
		ovid_chan_kick(conn->chan);
}

static void queue_news(struct vsock_conn *conn, unsigned long delay)
{
	kref_get(&conn->ref);
	if (mod_delayed_work(ovid_vsock_queue, &conn->news, delay))
		ovid_vsock_conn_put(conn);	/* it was queued, and has one */
}

void ovid_vsock_conn_news(struct vsock_conn *conn)
{
	queue_news(conn, 0);
}

void ovid_vsock_conn_break(struct vsock_conn *conn)
{
	set_bit(CONN_BROKEN, &conn->flags);
	ovid_vsock_conn_news(conn);
}

void ovid_vsock_conn_leave(struct vsock_conn *conn)
{
	scoped_guard(spinlock, &conn->lock)
		conn->sk = NULL;
	if (vsock_conn_is(conn, CONN_LEFT))
		return;
	conn->left_by = jiffies + LEFT_TIME;
	set_bit(CONN_DEAF, &conn->flags);
	set_bit(CONN_HOST_ENDED, &conn->flags);
	set_bit(CONN_LEFT, &conn->flags);
	ovid_vsock_conn_kick(conn);
	ovid_vsock_conn_news(conn);
}

/* the socket, with a reference, or NULL */
static struct sock *get_sock(struct vsock_conn *conn)
{
	guard(spinlock)(&conn->lock);
	return conn->sk && refcount_inc_not_zero(&conn->sk->sk_refcnt) ? conn->sk : NULL;
}

/* when it ends, if nothing happens; false: it does not */
static bool ends_by(const struct vsock_conn *conn, unsigned long *when)
{
	if (!vsock_conn_is(conn, CONN_OPENED)) {
		*when = conn->open_by;
		return !conn->from_host;	/* else the socket's own limit holds */
	}
	*when = conn->left_by;
	return vsock_conn_is(conn, CONN_LEFT);
}

/*
 * QUIRK: Linux that is in the middle of its open, and sees the channel taken back, drops the
 * connection with all that was said (seen with a host that answers and closes at once).  Who has
 * said something is not there any more.
 */
static bool is_over(const struct vsock_conn *conn)
{
	unsigned long when;

	if (vsock_conn_is(conn, CONN_BROKEN) || vsock_conn_is(conn, CONN_CLOSED))
		return true;
	if (vsock_conn_complete(conn))
		return true;
	if (vsock_conn_is(conn, CONN_TOLD) && vsock_conn_is(conn, CONN_LEFT) &&
	    vsock_conn_is(conn, CONN_HEARD))
		return true;
	if (vsock_conn_is(conn, CONN_LEFT) && conn->from_host && !vsock_conn_is(conn, CONN_OPENED))
		return true;
	return ends_by(conn, &when) && time_after_eq(jiffies, when);
}

static void take_back(struct vsock_conn *conn)
{
	struct ovid_chan *chan;
	bool listed;

	scoped_guard(mutex, &conn->vm->lock) {
		listed = !list_empty(&conn->node);
		list_del_init(&conn->node);
		scoped_guard(spinlock, &conn->lock) {
			chan = conn->chan;
			conn->chan = NULL;
		}
	}
	if (chan)
		ovid_chan_revoke(chan);
	if (listed)
		ovid_vsock_conn_put(conn);
}

static void on_news(struct work_struct *work)
{
	struct vsock_conn *conn = container_of(to_delayed_work(work), struct vsock_conn, news);
	struct sock *sk = get_sock(conn);
	bool over = is_over(conn);
	unsigned long when;

	if (over)
		set_bit(CONN_OVER, &conn->flags);
	if (sk) {
		lock_sock(sk);
		if (READ_ONCE(conn->sk) == sk)	/* it leaves under this lock */
			ovid_vsock_tell(conn, sk);
		release_sock(sk);
		sock_put(sk);
	}
	if (over)
		take_back(conn);
	else if (ends_by(conn, &when))
		queue_news(conn, time_after(when, jiffies) ? when - jiffies : 0);
	ovid_vsock_conn_put(conn);
}

/* ---- from the guest; its thread, as all up to the end of this part ---- */

static void wake(struct vsock_conn *conn, bool readers, bool writers)
{
	struct sock *sk = readers || writers ? get_sock(conn) : NULL;

	if (!sk)
		return;
	if (readers)
		sk->sk_data_ready(sk);
	if (writers)
		sk->sk_write_space(sk);
	sock_put(sk);
}

/* 0: conn->left bytes are to be passed on; -EAGAIN: none are there; -EPROTO: it makes no sense */
static int next_packet(struct vsock_conn *conn, struct ovid_chan *chan)
{
	struct head head;
	int err = ovid_chan_peek(chan, &conn->pkt);

	if (err)
		return err;
	if (conn->pkt.type != VMBUS_PKT_DATA || vsock_conn_is(conn, CONN_GUEST_ENDED) ||
	    !ovid_chan_copy(chan, &conn->pkt, 0, &head, sizeof(head)) ||
	    head.type != TYPE_DATA || head.bytes > PACKET_BYTES ||
	    head.bytes > conn->pkt.payload - sizeof(head))
		return -EPROTO;
	if (!test_and_set_bit(CONN_HEARD, &conn->flags))
		ovid_vsock_conn_news(conn);
	if (!head.bytes) {
		ovid_chan_pop(chan, &conn->pkt);
		set_bit(CONN_GUEST_ENDED, &conn->flags);
		ovid_vsock_conn_news(conn);
		return -EAGAIN;
	}
	conn->left = head.bytes;
	conn->at = sizeof(head);
	return 0;
}

/* what there is room for; 0: wait until somebody reads, who sees that we do */
static u32 pass(struct vsock_conn *conn, struct ovid_chan *chan)
{
	u32 len;
	void *to;

	if (vsock_conn_is(conn, CONN_DEAF))
		return conn->left;
	to = stream_room_at(&conn->in, &len);
	if (!len) {
		set_bit(CONN_HELD, &conn->flags);
		smp_mb__after_atomic();	/* between the bit and the room, as in read_some() */
		to = stream_room_at(&conn->in, &len);
	}
	len = min(len, conn->left);
	if (!len || !ovid_chan_copy(chan, &conn->pkt, conn->at, to, len))
		return 0;
	stream_put(&conn->in, len);
	return len;
}

/* 0 or -EPROTO; @more is set if there is something for another turn */
static int from_guest(struct vsock_conn *conn, struct ovid_chan *chan, bool *more)
{
	u32 done = 0, len;
	int err = 0;

	while (done < TURN_BYTES) {
		err = conn->left ? 0 : next_packet(conn, chan);
		if (err)
			break;
		len = pass(conn, chan);
		if (!len) {
			ovid_chan_stall(chan);
			break;
		}
		done += len;
		conn->at += len;
		conn->left -= len;
		if (!conn->left)
			ovid_chan_pop(chan, &conn->pkt);
	}
	*more |= done >= TURN_BYTES;
	wake(conn, done, false);
	return err == -EAGAIN ? 0 : err;
}

/* ---- for the guest ---- */

static int send(struct vsock_conn *conn, struct ovid_chan *chan, u32 len)
{
	struct head head = { TYPE_DATA, len };
	struct ovid_ring_vec vec[3] = { { &head, sizeof(head) } };
	u32 first;

	vec[1].base = stream_used_at(&conn->out, &first);
	vec[1].len = min(first, len);
	vec[2].base = conn->out.buf;
	vec[2].len = len - vec[1].len;
	return ovid_chan_send_vec(chan, VMBUS_PKT_DATA, 0, 0, vec, ARRAY_SIZE(vec));
}

/* of @used bytes as many as there is space for; if there is none, as are worth waiting for */
static u32 worth_sending(struct ovid_chan *chan, u32 used)
{
	u32 room = ovid_chan_room(chan), least = min(used, LEAST_ROOM);

	if (room < sizeof(struct head) + least)
		return least;
	return min3(used, PACKET_BYTES, room - (u32)sizeof(struct head));
}

static int send_end(struct vsock_conn *conn, struct ovid_chan *chan)
{
	int err = send(conn, chan, 0);

	if (err)
		return err;
	set_bit(CONN_TOLD, &conn->flags);
	ovid_vsock_conn_news(conn);
	return 0;
}

/* as from_guest() */
static int to_guest(struct vsock_conn *conn, struct ovid_chan *chan, bool *more)
{
	u32 done = 0, used, len;
	bool ended;
	int err = 0;

	while (!err && done < TURN_BYTES && !vsock_conn_is(conn, CONN_TOLD)) {
		/* first: nothing is put in behind it */
		ended = vsock_conn_is(conn, CONN_HOST_ENDED);
		used = stream_used(&conn->out);
		if (!used) {
			if (ended)
				err = send_end(conn, chan);
			break;
		}
		len = worth_sending(chan, used);
		err = send(conn, chan, len);
		if (!err) {
			stream_take(&conn->out, len);
			done += len;
		}
	}
	*more |= done >= TURN_BYTES;
	wake(conn, false, done);
	return err == -EAGAIN ? 0 : err;
}

/* ---- the provider ---- */

static int conn_attach(struct ovid_chan *chan)
{
	struct vsock_conn *conn = ovid_chan_priv(chan);

	kref_get(&conn->ref);
	return 0;
}

static void conn_detach(struct ovid_chan *chan)
{
	ovid_vsock_conn_put(ovid_chan_priv(chan));
}

/* here the VM pays for its buffers.  One that was open is not opened again */
static int conn_open(struct ovid_chan *chan)
{
	struct vsock_conn *conn = ovid_chan_priv(chan);

	if (conn->in.buf)
		return -EPROTO;
	conn->in.buf = kvmalloc(STREAM_BYTES, GFP_KERNEL_ACCOUNT);
	conn->out.buf = kvmalloc(STREAM_BYTES, GFP_KERNEL_ACCOUNT);
	if (!conn->in.buf || !conn->out.buf) {
		ovid_vsock_conn_break(conn);
		return -ENOMEM;
	}
	smp_mb__before_atomic();	/* who sees the bit sees the buffers */
	set_bit(CONN_OPENED, &conn->flags);
	ovid_vsock_conn_news(conn);
	return 0;
}

static void conn_close(struct ovid_chan *chan)
{
	struct vsock_conn *conn = ovid_chan_priv(chan);
	bool more = false;

	/* what it has said: the bus takes its message before it looks into rings */
	from_guest(conn, chan, &more);
	set_bit(CONN_CLOSED, &conn->flags);
	ovid_vsock_conn_news(conn);
}

static bool conn_work(struct ovid_chan *chan)
{
	struct vsock_conn *conn = ovid_chan_priv(chan);
	bool more = false;

	if (!from_guest(conn, chan, &more) && !to_guest(conn, chan, &more))
		return more;
	/* nothing comes of it any more: also not because packets are there */
	ovid_chan_stall(chan);
	ovid_vsock_conn_break(conn);
	return false;
}

static const struct ovid_chan_ops conn_ops = {
	.owner = THIS_MODULE,
	.name = "vsock",
	.attach = conn_attach,
	.detach = conn_detach,
	.open = conn_open,
	.close = conn_close,
	.work = conn_work,
};

/* ---- its beginning ---- */

struct vsock_conn *ovid_vsock_conn_new(struct vsock_vm *vm, struct sock *sk, bool from_host)
{
	struct vsock_conn *conn;

	if (atomic_inc_return(&vm->nr_conns) > VM_MAX_CONNS) {
		atomic_dec(&vm->nr_conns);
		return ERR_PTR(-ENOBUFS);
	}
	conn = kzalloc(sizeof(*conn), GFP_KERNEL_ACCOUNT);
	if (!conn) {
		atomic_dec(&vm->nr_conns);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&conn->ref);
	kref_get(&vm->ref);
	conn->vm = vm;
	conn->sk = sk;
	conn->from_host = from_host;
	conn->open_by = jiffies + OPEN_TIME;
	spin_lock_init(&conn->lock);
	INIT_LIST_HEAD(&conn->node);
	INIT_DELAYED_WORK(&conn->news, on_news);
	return conn;
}

int ovid_vsock_conn_offer(struct vsock_conn *conn, const u8 *service, const u8 *endpoint)
{
	struct vsock_vm *vm = conn->vm;
	struct ovid_chan *chan;

	guard(mutex)(&vm->lock);
	if (!vm->sockets)
		return -ENODEV;
	chan = ovid_socket_offer(vm->sockets, service, endpoint, conn->from_host, &conn_ops, conn);
	if (IS_ERR(chan))
		return PTR_ERR(chan);
	kref_get(&conn->ref);
	list_add(&conn->node, &vm->conns);
	/* the guest may have opened it by now, and who looked for @chan did not find it */
	scoped_guard(spinlock, &conn->lock)
		conn->chan = chan;
	ovid_vsock_conn_kick(conn);
	ovid_vsock_conn_news(conn);
	return 0;
}
