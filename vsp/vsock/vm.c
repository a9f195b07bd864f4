// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs by their CID: who has bound one takes the connects of its guest, as who has its file C does.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "vsock.h"

static DEFINE_XARRAY(vms);

static void free_vm(struct kref *ref)
{
	struct vsock_vm *vm = container_of(ref, struct vsock_vm, ref);

	mutex_destroy(&vm->lock);
	kfree(vm);
}

void ovid_vsock_vm_put(struct vsock_vm *vm)
{
	kref_put(&vm->ref, free_vm);
}

struct vsock_vm *ovid_vsock_vm_get(u32 cid)
{
	struct vsock_vm *vm;

	xa_lock(&vms);
	vm = xa_load(&vms, cid);
	if (vm)
		kref_get(&vm->ref);
	xa_unlock(&vms);
	return vm;
}

/* ---- connects of the guest ---- */

/* vmbus->lock is held */
static void notify(void *priv)
{
	struct vsock_vm *vm = priv;

	queue_work(ovid_vsock_queue, &vm->connects);
}

static bool next_connect(struct vsock_vm *vm, struct ovid_socket_connect *want)
{
	guard(mutex)(&vm->lock);
	return vm->sockets && !ovid_sockets_next(vm->sockets, want);
}

static void answer(struct vsock_vm *vm, u64 id, int err)
{
	guard(mutex)(&vm->lock);
	/* one that is gone needs none, and its channel goes with the guest's connection */
	if (vm->sockets)
		ovid_sockets_reply(vm->sockets, id, err);
}

/* a guest that connects without end has other work done in between */
static void take_connects(struct work_struct *work)
{
	struct vsock_vm *vm = container_of(work, struct vsock_vm, connects);
	struct ovid_socket_connect want;
	unsigned int i;

	for (i = 0; i < OVID_MAX_CONNECTS; i++) {
		if (!next_connect(vm, &want))
			return;
		answer(vm, want.id, ovid_vsock_incoming(vm, &want));
	}
	queue_work(ovid_vsock_queue, work);
}

/* ---- a CID ---- */

static struct vsock_vm *new_vm(u32 cid)
{
	struct vsock_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	kref_init(&vm->ref);
	vm->cid = cid;
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->conns);
	INIT_WORK(&vm->connects, take_connects);
	return vm;
}

static int take_sockets(struct vsock_vm *vm, int part)
{
	struct ovid_sockets *sockets;

	guard(mutex)(&vm->lock);
	sockets = ovid_sockets_take(part, notify, vm);
	if (IS_ERR(sockets))
		return PTR_ERR(sockets);
	vm->sockets = sockets;
	return 0;
}

struct vsock_vm *ovid_vsock_vm_bind(int part, u32 cid)
{
	struct vsock_vm *vm;
	int err;

	if (ovid_vsock_is_ours(cid))
		return ERR_PTR(-EADDRINUSE);
	vm = new_vm(cid);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	err = xa_insert(&vms, cid, vm, GFP_KERNEL_ACCOUNT);
	if (err) {
		ovid_vsock_vm_put(vm);
		return ERR_PTR(err == -EBUSY ? -EADDRINUSE : err);
	}
	err = take_sockets(vm, part);
	if (!err)
		return vm;
	xa_erase(&vms, cid);
	ovid_vsock_vm_put(vm);
	return ERR_PTR(err);
}

/* no connection begins from here on; those that there are go */
static struct ovid_sockets *shut(struct vsock_vm *vm)
{
	struct vsock_conn *conn;

	guard(mutex)(&vm->lock);
	list_for_each_entry(conn, &vm->conns, node)
		ovid_vsock_conn_break(conn);
	return xchg(&vm->sockets, NULL);
}

void ovid_vsock_vm_unbind(struct vsock_vm *vm)
{
	xa_erase(&vms, vm->cid);
	ovid_sockets_give_back(shut(vm));
	cancel_work_sync(&vm->connects);
	ovid_vsock_vm_put(vm);
}
