// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the socket layer asks of a transport from the host to its guests, and what it is told.
 * All calls are made with the socket locked, but where they say otherwise.
 *
 * A port is the service PORT-facb-11e6-bd58-64006a7986d3; Linux's hv_sock has it so.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <net/af_vsock.h>
#include <net/sock.h>
#include "../../vmm/compat.h"
#include "vsock.h"

#define ID_BYTES	16

static const u8 template[ID_BYTES - sizeof(u32)] = {
	0xcb, 0xfa, 0xe6, 0x11, 0xbd, 0x58, 0x64, 0x00, 0x6a, 0x79, 0x86, 0xd3
};

static void id_of_port(u32 port, u8 *id)
{
	memcpy(id, &port, sizeof(port));
	memcpy(id + sizeof(port), template, sizeof(template));
}

static u32 port_of(const u8 *id)
{
	u32 port;

	memcpy(&port, id, sizeof(port));
	return port;
}

static struct vsock_conn *conn_of(const struct vsock_sock *vsk)
{
	return vsk->trans;
}

/* ---- life of a socket ---- */

/* the connection comes with connect(), or by hand */
static int init(struct vsock_sock *vsk, struct vsock_sock *parent)
{
	vsk->trans = NULL;
	return 0;
}

static void drop_conn(struct vsock_sock *vsk)
{
	struct vsock_conn *conn = conn_of(vsk);

	if (!conn)
		return;
	vsk->trans = NULL;
	ovid_vsock_conn_leave(conn);
	ovid_vsock_conn_put(conn);
}

/*
 * It is closed, or goes to another transport: the connection ends in its own time.  The socket
 * itself may stay for long, until its limit of time for a connect that did not wait.
 */
static void release(struct vsock_sock *vsk)
{
	drop_conn(vsk);
	vsock_remove_sock(vsk);
}

/* nobody has it any more: not locked */
static void destruct(struct vsock_sock *vsk)
{
	drop_conn(vsk);
}

static int start(struct vsock_sock *vsk, struct vsock_vm *vm, bool from_host, const u8 *service,
		 const u8 *endpoint)
{
	struct vsock_conn *conn = ovid_vsock_conn_new(vm, sk_vsock(vsk), from_host);
	int err;

	if (IS_ERR(conn))
		return PTR_ERR(conn);
	vsk->trans = conn;
	err = ovid_vsock_conn_offer(conn, service, endpoint);
	if (err)
		drop_conn(vsk);
	return err;
}

/* ---- the host connects ---- */

static int connect_to(struct vsock_sock *vsk, struct vsock_vm *vm)
{
	u8 service[ID_BYTES], endpoint[ID_BYTES];
	int err;

	id_of_port(vsk->remote_addr.svm_port, service);
	id_of_port(vsk->local_addr.svm_port, endpoint);
	err = start(vsk, vm, true, service, endpoint);
	if (err == -ENOTCONN)
		return -EHOSTUNREACH;	/* its guest is not there yet */
	/* the port was somebody's before, whose last words the guest has not heard yet */
	return err == -EEXIST ? -EADDRINUSE : err;
}

static int connect(struct vsock_sock *vsk)
{
	struct vsock_vm *vm = ovid_vsock_vm_get(vsk->remote_addr.svm_cid);
	int err;

	/* of an attempt before */
	drop_conn(vsk);
	if (!vm)
		return -ENODEV;
	err = connect_to(vsk, vm);
	ovid_vsock_vm_put(vm);
	return err;
}

/* connect() has given up */
static int cancel(struct vsock_sock *vsk)
{
	drop_conn(vsk);
	return 0;
}

/* ---- the guest connects ---- */

static int join(struct vsock_vm *vm, struct sock *listener, struct sock *child,
		const struct ovid_socket_connect *want)
{
	struct vsock_sock *vsk = vsock_sk(child);
	int err;

	child->sk_state = TCP_ESTABLISHED;
	vsock_addr_init(&vsk->local_addr, VMADDR_CID_HOST, port_of(want->service));
	vsock_addr_init(&vsk->remote_addr, vm->cid, port_of(want->endpoint));
	err = vsock_assign_transport(vsk, vsock_sk(listener));
	if (err)
		return err;
	err = start(vsk, vm, false, want->service, want->endpoint);
	if (err)
		return err;
	vsock_insert_connected(vsk);
	ovid_vsock_enqueue_accept(listener, child);
	listener->sk_data_ready(listener);
	return 0;
}

static int enqueue(struct vsock_vm *vm, struct sock *listener,
		   const struct ovid_socket_connect *want)
{
	struct sock *child;
	int err;

	if (listener->sk_state != TCP_LISTEN || listener->sk_type != SOCK_STREAM)
		return -ECONNREFUSED;
	if (sk_acceptq_is_full(listener))
		return -ENOSPC;
	child = vsock_create_connected(listener);
	if (!child)
		return -ENOMEM;
	err = join(vm, listener, child, want);
	if (err)
		sock_put(child);
	return err;
}

int ovid_vsock_incoming(struct vsock_vm *vm, const struct ovid_socket_connect *want)
{
	struct sockaddr_vm addr;
	struct sock *listener;
	int err;

	if (memcmp(want->service + sizeof(u32), template, sizeof(template)))
		return -ECONNREFUSED;
	vsock_addr_init(&addr, VMADDR_CID_HOST, port_of(want->service));
	listener = vsock_find_bound_socket(&addr);
	if (!listener)
		return -ECONNREFUSED;
	lock_sock(listener);
	err = enqueue(vm, listener, want);
	release_sock(listener);
	sock_put(listener);
	return err;
}

/* ---- what happens to a connection ---- */

static void fail_connect(struct sock *sk)
{
	sk->sk_state = TCP_CLOSE;
	sk->sk_socket->state = SS_UNCONNECTED;
	sk->sk_err = ECONNRESET;
	sk_error_report(sk);
}

static void finish_connect(struct sock *sk)
{
	sk->sk_state = TCP_ESTABLISHED;
	sk->sk_socket->state = SS_CONNECTED;
	vsock_insert_connected(vsock_sk(sk));
}

/* what has come before can still be read, and an error comes behind it: the stream is not whole */
static void hang_up(struct vsock_conn *conn, struct sock *sk)
{
	sock_set_flag(sk, SOCK_DONE);
	WRITE_ONCE(vsock_sk(sk)->peer_shutdown, SHUTDOWN_MASK);
	if (vsock_conn_is(conn, CONN_GUEST_ENDED))
		return;
	sk->sk_err = ECONNRESET;
	sk_error_report(sk);
}

void ovid_vsock_tell(struct vsock_conn *conn, struct sock *sk)
{
	struct vsock_sock *vsk = vsock_sk(sk);
	bool over = vsock_conn_is(conn, CONN_OVER);

	if (sk->sk_state == TCP_SYN_SENT) {
		if (vsock_conn_is(conn, CONN_OPENED))
			finish_connect(sk);
		else if (over)
			fail_connect(sk);
	}
	if (sk->sk_state != TCP_ESTABLISHED)
		return;
	if (vsock_conn_is(conn, CONN_GUEST_ENDED))
		WRITE_ONCE(vsk->peer_shutdown, vsk->peer_shutdown | SEND_SHUTDOWN);
	if (over && !vsock_conn_complete(conn))
		hang_up(conn, sk);
	sk->sk_state_change(sk);
	sk->sk_write_space(sk);
}

static int shut_down(struct vsock_sock *vsk, int mode)
{
	struct vsock_conn *conn = conn_of(vsk);

	if (!conn)
		return 0;
	if (mode & RCV_SHUTDOWN)
		set_bit(CONN_DEAF, &conn->flags);
	smp_mb__before_atomic();	/* what was written comes first: see to_guest() */
	if (mode & SEND_SHUTDOWN)
		set_bit(CONN_HOST_ENDED, &conn->flags);
	ovid_vsock_conn_kick(conn);
	return 0;
}

/* ---- streams ---- */

/* has the guest opened it?  Then it has streams, and keeps them */
static bool is_active(struct vsock_sock *vsk)
{
	return conn_of(vsk) && vsock_conn_is(conn_of(vsk), CONN_OPENED);
}

static s64 has_data(struct vsock_sock *vsk)
{
	return is_active(vsk) ? stream_used(&conn_of(vsk)->in) : 0;
}

static s64 has_space(struct vsock_sock *vsk)
{
	return is_active(vsk) ? stream_room(&conn_of(vsk)->out) : 0;
}

static ssize_t unsent_bytes(struct vsock_sock *vsk)
{
	return is_active(vsk) ? STREAM_BYTES - has_space(vsk) : 0;
}

/* what waits in the guest's ring for room */
static void read_some(struct vsock_conn *conn, u32 len)
{
	stream_take(&conn->in, len);
	smp_mb();	/* between the room and the bit, as in pass() */
	if (test_and_clear_bit(CONN_HELD, &conn->flags))
		ovid_vsock_conn_kick(conn);
}

static ssize_t dequeue(struct vsock_sock *vsk, struct msghdr *msg, size_t len, int flags)
{
	struct vsock_conn *conn = conn_of(vsk);
	const void *from;
	u32 bytes;

	if (!has_data(vsk))
		return -EAGAIN;
	from = stream_used_at(&conn->in, &bytes);
	bytes = min_t(size_t, bytes, len);
	if (memcpy_to_msg(msg, (void *)from, bytes))
		return -EFAULT;
	if (!(flags & MSG_PEEK))
		read_some(conn, bytes);
	return bytes;
}

static ssize_t put_some(struct vsock_sock *vsk, struct msghdr *msg, size_t len)
{
	struct vsock_conn *conn = conn_of(vsk);
	u32 bytes;
	void *to = stream_room_at(&conn->out, &bytes);

	bytes = min_t(size_t, bytes, len);
	if (memcpy_from_msg(to, msg, bytes))
		return -EFAULT;
	stream_put(&conn->out, bytes);
	return bytes;
}

static ssize_t enqueue_bytes(struct vsock_sock *vsk, struct msghdr *msg, size_t len)
{
	size_t done = 0;
	ssize_t ret = 0;

	while (done < len && has_space(vsk)) {
		ret = put_some(vsk, msg, len - done);
		if (ret < 0)
			break;
		done += ret;
	}
	if (done)
		ovid_vsock_conn_kick(conn_of(vsk));
	return done ?: ret;
}

/* a read that wants more than a stream holds gets it piece by piece */
static u64 high_water(struct vsock_sock *vsk)
{
	return U64_MAX;
}

static int set_low_water(struct vsock_sock *vsk, int bytes)
{
	return bytes > STREAM_BYTES ? -EINVAL : 0;
}

static int poll_in(struct vsock_sock *vsk, size_t target, bool *ready)
{
	*ready = has_data(vsk) >= (s64)min_t(size_t, target, STREAM_BYTES);
	return 0;
}

/* one that is over is writable: the program is to see why it is not */
static int poll_out(struct vsock_sock *vsk, size_t target, bool *ready)
{
	*ready = has_space(vsk) || vsock_conn_is(conn_of(vsk), CONN_OVER);
	return 0;
}

/* ---- what we need not hear of ---- */

static int recv_begins(struct vsock_sock *vsk, size_t target,
		       struct vsock_transport_recv_notify_data *data)
{
	return 0;
}

static int recv_done(struct vsock_sock *vsk, size_t target, ssize_t copied, bool read,
		     struct vsock_transport_recv_notify_data *data)
{
	return 0;
}

static int send_begins(struct vsock_sock *vsk, struct vsock_transport_send_notify_data *data)
{
	return 0;
}

static int send_done(struct vsock_sock *vsk, ssize_t written,
		     struct vsock_transport_send_notify_data *data)
{
	return 0;
}

/* sockmaps ask without asking whether they may */
static int read_skb(struct vsock_sock *vsk, skb_read_actor_t actor)
{
	return -EOPNOTSUPP;
}

/* ---- addresses ---- */

static u32 local_cid(void)
{
	return VMADDR_CID_HOST;
}

static bool allow(OVID_VSOCK_ALLOW_ARGS)
{
	return OVID_VSOCK_ALLOWED;
}

bool ovid_vsock_is_ours(u32 cid)
{
	return vsock_find_cid(cid);
}

static const struct vsock_transport transport = {
	.module = THIS_MODULE,
	.get_local_cid = local_cid,
	.init = init,
	.destruct = destruct,
	.release = release,
	.connect = connect,
	.cancel_pkt = cancel,
	.shutdown = shut_down,
	.stream_allow = allow,
	.stream_is_active = is_active,
	.stream_dequeue = dequeue,
	.stream_enqueue = enqueue_bytes,
	.stream_has_data = has_data,
	.stream_has_space = has_space,
	.stream_rcvhiwat = high_water,
	.unsent_bytes = unsent_bytes,
	.notify_set_rcvlowat = set_low_water,
	.notify_poll_in = poll_in,
	.notify_poll_out = poll_out,
	.notify_recv_init = recv_begins,
	.notify_recv_pre_block = recv_begins,
	.notify_recv_pre_dequeue = recv_begins,
	.notify_recv_post_dequeue = recv_done,
	.notify_send_init = send_begins,
	.notify_send_pre_block = send_begins,
	.notify_send_pre_enqueue = send_begins,
	.notify_send_post_enqueue = send_done,
	.read_skb = read_skb,
};

int ovid_vsock_register(void)
{
	return vsock_core_register(&transport, VSOCK_TRANSPORT_F_H2G);
}

void ovid_vsock_unregister(void)
{
	vsock_core_unregister(&transport);
}
