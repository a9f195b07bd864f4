/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hyper-V sockets of guests as AF_VSOCK of the host.
 *
 *   module.c		load and unload, the device: a VM gets a CID, and loses it
 *   vm.c		VMs by their CID
 *   transport.c	what the socket layer asks, and is told
 *   conn.c		a connection: between a socket's streams and a channel's packets
 *
 * The channel's side runs in the VM's thread and never takes a socket's lock: it leaves bytes in a
 * stream, and whatever else it has to say in a bit of conn->flags, which conn->news acts upon.
 *
 * Locks, outermost first: lock_sock -> vm->lock -> the bus's -> conn->lock.
 */
#ifndef OVID_VSOCK_H
#define OVID_VSOCK_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "../../vmbus/sockets.h"
#include "stream.h"

struct sock;

#define VM_MAX_CONNS	256	/* whose sockets are still there, or whose channels */

/**
 * struct vsock_vm - a VM that has a CID
 * @ref: the file that has bound it, its connections
 * @cid: its CID
 * @lock: @sockets, @conns
 * @sockets: of its bus; NULL: not yet, or not any more
 * @conns: that have a channel
 * @nr_conns: that are not freed yet
 * @connects: the guest wants to connect
 */
struct vsock_vm {
	struct kref ref;
	u32 cid;
	struct mutex lock;	/* see above */
	struct ovid_sockets *sockets;
	struct list_head conns;
	atomic_t nr_conns;
	struct work_struct connects;
};

/* bits of vsock_conn.flags, which are only ever set, but for CONN_HELD */
enum {
	CONN_OPENED,	/* by the guest */
	CONN_CLOSED,	/* by the guest, or its connection to the bus has ended */
	CONN_BROKEN,	/* it is to end at once */
	CONN_HEARD,	/* the guest has said something */
	CONN_GUEST_ENDED,	/* nothing more comes from it */
	CONN_HOST_ENDED,	/* nothing more comes from the host */
	CONN_TOLD,	/* and the guest knows */
	CONN_DEAF,	/* what the guest says is thrown away */
	CONN_LEFT,	/* the host's program has gone */
	CONN_OVER,	/* the channel is taken back */
	CONN_HELD,	/* the guest's bytes wait for room in @in */
};

/**
 * struct vsock_conn - a connection
 * @ref: the socket, the channel, vm->conns, @news while it is queued
 * @vm: its VM
 * @node: in vm->conns; vm->lock
 * @from_host: the host has connected
 * @flags: CONN_*; any context
 * @lock: @sk, @chan
 * @sk: the host's socket, or NULL: it has gone.  No reference: take one if there is one left
 * @chan: as long as the offer stands
 * @news: acts upon @flags and time
 * @open_by: when the guest has to have opened it, if the host has accepted its connect
 * @left_by: how long the guest may take to hear what a program has said that has gone
 * @in: from the guest: the VM's thread puts in, who has lock_sock() takes out
 * @out: for the guest: the other way round
 * @pkt: the guest's packet of which @left bytes, from @at on, are not in @in yet; the VM's thread
 * @left: see @pkt
 * @at: see @pkt
 */
struct vsock_conn {
	struct kref ref;
	struct vsock_vm *vm;
	struct list_head node;
	bool from_host;
	unsigned long flags;

	spinlock_t lock;	/* see above */
	struct sock *sk;
	struct ovid_chan *chan;

	struct delayed_work news;
	unsigned long open_by;
	unsigned long left_by;

	struct stream in;
	struct stream out;

	struct ovid_packet pkt;
	u32 left;
	u32 at;
};

/* ---- module.c ---- */
extern struct workqueue_struct *ovid_vsock_queue;

/* ---- vm.c ---- */
/* 0 or -errno: ovid_vsock_vm_unbind() is the end */
struct vsock_vm *ovid_vsock_vm_bind(int part, u32 cid);
void ovid_vsock_vm_unbind(struct vsock_vm *vm);
/* with a reference, or NULL */
struct vsock_vm *ovid_vsock_vm_get(u32 cid);
void ovid_vsock_vm_put(struct vsock_vm *vm);

/* ---- transport.c ---- */
int ovid_vsock_register(void);
void ovid_vsock_unregister(void);
/* is it the CID of this host itself, in a host of its own? */
bool ovid_vsock_is_ours(u32 cid);
/* the guest wants to connect: 0, and a channel was offered, or a -errno to refuse it by */
int ovid_vsock_incoming(struct vsock_vm *vm, const struct ovid_socket_connect *want);
/* @sk is conn->sk, and locked: it learns what has happened */
void ovid_vsock_tell(struct vsock_conn *conn, struct sock *sk);

/* ---- conn.c ---- */
/* for @sk, which has the reference; ERR_PTR */
struct vsock_conn *ovid_vsock_conn_new(struct vsock_vm *vm, struct sock *sk, bool from_host);
void ovid_vsock_conn_put(struct vsock_conn *conn);
/* offer its channel: 0 or -errno; lock_sock() is held */
int ovid_vsock_conn_offer(struct vsock_conn *conn, const u8 *service, const u8 *endpoint);
/* flags were set: for the channel, for the socket; any context */
void ovid_vsock_conn_kick(struct vsock_conn *conn);
void ovid_vsock_conn_news(struct vsock_conn *conn);
/* it ends at once; any context */
void ovid_vsock_conn_break(struct vsock_conn *conn);
/* its socket goes */
void ovid_vsock_conn_leave(struct vsock_conn *conn);

static inline bool vsock_conn_is(const struct vsock_conn *conn, int bit)
{
	return test_bit_acquire(bit, &conn->flags);
}

/* both have said all, and it was heard: no reset */
static inline bool vsock_conn_complete(const struct vsock_conn *conn)
{
	return vsock_conn_is(conn, CONN_GUEST_ENDED) && vsock_conn_is(conn, CONN_TOLD);
}

#endif
