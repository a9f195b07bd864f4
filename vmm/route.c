// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt routes: one slot a GSI, each an RCU pointer to an immutable route,
 * so that a change costs one pointer whatever the number of routes.  What a
 * route's interrupt does at the APICs is lapic.c's business.
 */
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "irqfd.h"
#include "partition.h"
#include "vp.h"

static_assert(OVID_MAX_GSIS == 4096);	/* MSHV_SET_MSI_ROUTING's own limit */

int ovid_irq_init(struct ovid_partition *part)
{
	mutex_init(&part->irq.lock);
	ovid_irqfd_init(part);
	ovid_doorbell_init(part);
	return 0;
}

void ovid_irq_fini(struct ovid_partition *part)
{
	ovid_irqfd_fini(part);
	ovid_doorbell_fini(part);
	ovid_route_fini(part);
	mutex_destroy(&part->irq.lock);
}

void ovid_irq_exit(void)
{
	rcu_barrier();
}

/* ---- slots ------------------------------------------------------------- */

static int route_slots_alloc(struct ovid_irq_state *irq)
{
	if (irq->routes)
		return 0;
	irq->routes = kvcalloc(OVID_MAX_GSIS, sizeof(*irq->routes), GFP_KERNEL_ACCOUNT);
	return irq->routes ? 0 : -ENOMEM;
}

/**
 * ovid_route_slot - where the route of a GSI is or will be
 * @part:	the partition, irq.lock held
 * @gsi:	below OVID_MAX_GSIS
 *
 * Returns NULL when there is no memory.  The slot stays until the partition's
 * end, so that an irqfd can keep it.
 */
struct ovid_irq_route __rcu **ovid_route_slot(struct ovid_partition *part, u32 gsi)
{
	lockdep_assert_held(&part->irq.lock);
	if (route_slots_alloc(&part->irq))
		return NULL;
	return &part->irq.routes[array_index_nospec(gsi, OVID_MAX_GSIS)];
}

static struct ovid_irq_route *route_new(u32 kind, u64 address, u32 data)
{
	struct ovid_irq_route *route = kzalloc(sizeof(*route), GFP_KERNEL_ACCOUNT);

	if (!route)
		return NULL;
	route->kind = kind;
	route->address = address;
	route->data = data;
	if (kind == OVID_ROUTE_MSI)
		ovid_irq_from_msi(&route->irq, address, data);
	return route;
}

/* @route NULL: the GSI leads nowhere.  irq.lock held, slots exist */
static void route_swap(struct ovid_irq_state *irq, u32 gsi, struct ovid_irq_route *route)
{
	struct ovid_irq_route *old;

	gsi = array_index_nospec(gsi, OVID_MAX_GSIS);
	old = rcu_replace_pointer(irq->routes[gsi], route, lockdep_is_held(&irq->lock));
	__assign_bit(gsi, irq->routed, route);
	if (old)
		kfree_rcu(old, rcu);
}

static bool route_same(const struct ovid_irq_state *irq, u32 gsi, u32 kind, u64 address,
		       u32 data)
{
	const struct ovid_irq_route *old;

	old = rcu_dereference_protected(irq->routes[array_index_nospec(gsi, OVID_MAX_GSIS)],
					lockdep_is_held(&irq->lock));
	return old && old->kind == kind && old->address == address && old->data == data;
}

void ovid_route_fini(struct ovid_partition *part)
{
	struct ovid_irq_state *irq = &part->irq;
	unsigned int gsi;

	if (!irq->routes)
		return;
	for_each_set_bit(gsi, irq->routed, OVID_MAX_GSIS)
		kfree(rcu_dereference_protected(irq->routes[gsi], true));
	kvfree(irq->routes);
	irq->routes = NULL;
}

/* ---- one route --------------------------------------------------------- */

static bool event_ok(u64 vp, u32 data)
{
	return vp < OVID_MAX_VPS && data >> 16 < OVID_SINTS && (u16)data < OVID_EVENT_FLAGS;
}

static int route_check(const struct ovid_route *arg)
{
	if (arg->flags || arg->pad || arg->gsi >= OVID_MAX_GSIS)
		return -EINVAL;

	switch (arg->kind) {
	case OVID_ROUTE_NONE:
		return arg->address || arg->data ? -EINVAL : 0;
	case OVID_ROUTE_MSI:
		return 0;
	case OVID_ROUTE_NMI:
		return arg->address >= OVID_MAX_VPS || arg->data ? -EINVAL : 0;
	case OVID_ROUTE_EVENT:
		return event_ok(arg->address, arg->data) ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

static int route_set(struct ovid_irq_state *irq, const struct ovid_route *arg)
{
	struct ovid_irq_route *route = NULL;

	if (arg->kind == OVID_ROUTE_NONE) {
		if (irq->routes)
			route_swap(irq, arg->gsi, NULL);
		return 0;
	}
	if (route_slots_alloc(irq))
		return -ENOMEM;
	if (route_same(irq, arg->gsi, arg->kind, arg->address, arg->data))
		return 0;
	route = route_new(arg->kind, arg->address, arg->data);
	if (!route)
		return -ENOMEM;
	route_swap(irq, arg->gsi, route);
	return 0;
}

/**
 * ovid_set_route - OVID_SET_ROUTE: changes or removes the route of one GSI
 * @part:	the partition
 * @arg:	copied from the caller
 *
 * Sleeps.  Any MSI address and data are taken: they are often a guest's, and
 * one that names nobody sends nothing.  Returns 0, -EINVAL, -ENOMEM, -EINTR.
 */
int ovid_set_route(struct ovid_partition *part, const struct ovid_route *arg)
{
	int err = route_check(arg);

	if (err)
		return err;
	if (mutex_lock_killable(&part->irq.lock))
		return -EINTR;
	err = route_set(&part->irq, arg);
	mutex_unlock(&part->irq.lock);
	return err;
}

/* ---- the whole table (mshv) -------------------------------------------- */

static int table_check(const struct mshv_user_irq_entry *e, u32 nr, unsigned long *seen)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (e[i].gsi >= OVID_MAX_GSIS || e[i].address_hi)
			return -EINVAL;
		if (__test_and_set_bit(array_index_nospec(e[i].gsi, OVID_MAX_GSIS), seen))
			return -EINVAL;
	}
	return 0;
}

/* makes what is new, for all entries before any route changes */
static int table_stage(struct ovid_irq_state *irq, const struct mshv_user_irq_entry *e,
		       u32 nr, struct ovid_irq_route **staged)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (route_same(irq, e[i].gsi, OVID_ROUTE_MSI, e[i].address_lo, e[i].data))
			continue;
		staged[i] = route_new(OVID_ROUTE_MSI, e[i].address_lo, e[i].data);
		if (!staged[i])
			return -ENOMEM;
	}
	return 0;
}

static void table_commit(struct ovid_irq_state *irq, const struct mshv_user_irq_entry *e,
			 u32 nr, struct ovid_irq_route **staged, const unsigned long *seen)
{
	unsigned int gsi;
	u32 i;

	for_each_andnot_bit(gsi, irq->routed, seen, OVID_MAX_GSIS)
		route_swap(irq, gsi, NULL);
	for (i = 0; i < nr; i++) {
		if (staged[i])
			route_swap(irq, e[i].gsi, staged[i]);
		staged[i] = NULL;
	}
}

static int table_replace(struct ovid_irq_state *irq, const struct mshv_user_irq_entry *e,
			 u32 nr, const unsigned long *seen)
{
	struct ovid_irq_route **staged;
	int err = -ENOMEM;
	u32 i;

	staged = kvcalloc(max(nr, 1u), sizeof(*staged), GFP_KERNEL_ACCOUNT);
	if (!staged)
		return -ENOMEM;
	if (!route_slots_alloc(irq))
		err = table_stage(irq, e, nr, staged);
	if (!err)
		table_commit(irq, e, nr, staged, seen);
	for (i = 0; i < nr; i++)
		kfree(staged[i]);
	kvfree(staged);
	return err;
}

/**
 * ovid_set_msi_routing - MSHV_SET_MSI_ROUTING: makes the table the one given
 * @part:	the partition
 * @arg:	struct mshv_user_irq_table of the caller
 *
 * Sleeps.  Routes that do not change are left alone; all or nothing.  Returns
 * 0, -EFAULT, -EINVAL (too many, GSI out of range or twice, high address bits),
 * -ENOMEM, -EINTR.
 */
int ovid_set_msi_routing(struct ovid_partition *part, void __user *arg)
{
	const struct mshv_user_irq_table __user *utable = arg;
	struct mshv_user_irq_entry *entries __free(kvfree) = NULL;
	unsigned long *seen __free(bitmap) = NULL;
	struct mshv_user_irq_table head;
	int err;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (head.nr > OVID_MAX_GSIS || head.rsvd)
		return -EINVAL;

	seen = bitmap_zalloc(OVID_MAX_GSIS, GFP_KERNEL);
	if (!seen)
		return -ENOMEM;
	if (head.nr) {
		entries = vmemdup_array_user(utable->entries, head.nr, sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	err = table_check(entries, head.nr, seen);
	if (err)
		return err;

	if (mutex_lock_killable(&part->irq.lock))
		return -EINTR;
	err = table_replace(&part->irq, entries, head.nr, seen);
	mutex_unlock(&part->irq.lock);
	return err;
}

/* ---- sending ----------------------------------------------------------- */

/* the flag and its interrupt, if the guest's SynIC is on */
static void route_event(struct ovid_partition *part, u32 index, u32 data)
{
	struct ovid_vp *vp = ovid_vp_get_index(part, index);

	if (vp)
		ovid_synic_signal(vp, data >> 16, (u16)data);
}

static void route_nmi(struct ovid_partition *part, u64 index)
{
	struct ovid_vp *vp = index < OVID_MAX_VPS ? ovid_vp_get_index(part, index) : NULL;

	if (vp)
		ovid_vp_nmi(vp);
}

/**
 * ovid_route_fire - the interrupt of a route, now
 * @part:	the partition
 * @route:	read under rcu_read_lock(), which is still held
 *
 * Any context, interrupts on or off.
 */
void ovid_route_fire(struct ovid_partition *part, const struct ovid_irq_route *route)
{
	if (likely(route->kind == OVID_ROUTE_MSI))
		ovid_lapic_deliver(part, NULL, &route->irq);
	else if (route->kind == OVID_ROUTE_EVENT)
		route_event(part, route->address, route->data);
	else
		route_nmi(part, route->address);
}

static int inject_msi(struct ovid_partition *part, const struct ovid_inject *arg)
{
	struct ovid_irq irq = {};

	ovid_irq_from_msi(&irq, arg->address, arg->data);
	ovid_lapic_deliver(part, NULL, &irq);
	return 0;
}

static int inject_nmi(struct ovid_partition *part, const struct ovid_inject *arg)
{
	if (arg->data)
		return -EINVAL;
	route_nmi(part, arg->address);
	return 0;
}

static int inject_event(struct ovid_partition *part, const struct ovid_inject *arg)
{
	if (!event_ok(arg->address, arg->data))
		return -EINVAL;
	route_event(part, arg->address, arg->data);
	return 0;
}

/* The PIC's INTR line: the VP looks at its level before it asks for a vector. */
static int inject_extint(struct ovid_partition *part, const struct ovid_inject *arg)
{
	struct ovid_vp *vp;

	if (arg->data > 1)
		return -EINVAL;
	vp = arg->address < OVID_MAX_VPS ? ovid_vp_get_index(part, arg->address) : NULL;
	if (!vp)
		return 0;
	WRITE_ONCE(vp->extint_line, arg->data);
	if (arg->data)
		ovid_vp_request(vp, OVID_REQ_EXTINT);
	return 0;
}

/**
 * ovid_inject - OVID_INJECT: an interrupt from the caller
 * @part:	the partition
 * @arg:	copied from the caller
 *
 * Takes no lock.  Returns 0 (also when nobody is there to take it) or -EINVAL.
 */
int ovid_inject(struct ovid_partition *part, const struct ovid_inject *arg)
{
	if (arg->flags)
		return -EINVAL;

	switch (arg->kind) {
	case OVID_INJECT_MSI:
		return inject_msi(part, arg);
	case OVID_INJECT_NMI:
		return inject_nmi(part, arg);
	case OVID_INJECT_EXTINT:
		return inject_extint(part, arg);
	case OVID_INJECT_EVENT:
		return inject_event(part, arg);
	default:
		return -EINVAL;
	}
}
