/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts from outside, and eventfds in and out:
 *
 *   route.c	GSI -> interrupt; a caller's own interrupt (OVID_INJECT)
 *   irqfd.c	eventfd -> GSI, and EOI -> eventfd (resample)
 *   doorbell.c	guest store -> eventfd (ioeventfd)
 *
 * Changes are made under ovid_irq_state.lock; everything that a VP or a waker
 * of an eventfd does is RCU only.
 */
#ifndef OVID_IRQFD_H
#define OVID_IRQFD_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include "lapic.h"
#include "types.h"
#include "../uapi/mshv.h"
#include "../uapi/ovid.h"

#define OVID_DOORBELL_HASH_BITS	6
#define OVID_MAX_DOORBELLS	4096
#define OVID_MAX_IRQFDS		OVID_MAX_GSIS

/**
 * struct ovid_irq_route - where a GSI leads; immutable once published
 * @kind:	OVID_ROUTE_*, not NONE
 * @data:	as set: compared when a whole table is replaced
 * @address:	as set; for NMI and EVENT the VP's index
 * @irq:	an MSI, decoded
 */
struct ovid_irq_route {
	struct rcu_head rcu;
	u32 kind;
	u32 data;
	u64 address;
	struct ovid_irq irq;
};

/**
 * struct ovid_irq_state - a partition's routes, irqfds and doorbells
 * @lock:	changes of all of these (sleeps; below part->lock, above nothing of ours)
 * @routes:	OVID_MAX_GSIS slots, allocated at first use, freed with the partition
 * @routed:	slots in use, under @lock
 * @irqfds:	under @lock
 * @resamplers:	those irqfds that want EOIs; RCU readers on a VP's thread
 * @nr_irqfds:	under @lock
 * @hup_work:	removes irqfds whose eventfd was closed
 * @doorbells:	hash by address; RCU readers on a VP's thread
 * @nr_doorbells: under @lock
 */
struct ovid_irq_state {
	struct mutex lock;
	struct ovid_irq_route __rcu **routes;
	DECLARE_BITMAP(routed, OVID_MAX_GSIS);
	struct list_head irqfds;
	struct hlist_head resamplers;
	unsigned int nr_irqfds;
	struct work_struct hup_work;
	struct hlist_head doorbells[1 << OVID_DOORBELL_HASH_BITS];
	unsigned int nr_doorbells;
};

int ovid_irq_init(struct ovid_partition *part);
/* at the partition's end, no VP runs: no callback of ours runs afterwards */
void ovid_irq_fini(struct ovid_partition *part);
/* at module exit: waits for what a grace period frees */
void ovid_irq_exit(void);

/*
 * The ioctls.  They take irq.lock themselves (killable: -EINTR), sleep, and
 * need no other lock.
 */
int ovid_irqfd(struct ovid_partition *part, const struct mshv_user_irqfd *arg);
int ovid_ioeventfd(struct ovid_partition *part, const struct mshv_user_ioeventfd *arg);
int ovid_set_msi_routing(struct ovid_partition *part, void __user *arg);
int ovid_set_route(struct ovid_partition *part, const struct ovid_route *arg);
/* takes no lock at all */
int ovid_inject(struct ovid_partition *part, const struct ovid_inject *arg);

/**
 * ovid_doorbell_ring - signal the eventfd behind a store, if there is one
 * @part:	the partition
 * @pio:	port space
 * @addr:	guest physical address or port
 * @size:	of the access: 1, 2, 4 or 8
 * @value:	stored; bits above @size do not count
 *
 * Interrupts on or off, never sleeps.  true: the store is done.
 */
bool ovid_doorbell_ring(struct ovid_partition *part, bool pio, u64 addr,
			unsigned int size, u64 value);
/*
 * The same for a store to memory of which neither size nor value is known:
 * rings only where neither counts.
 */
bool ovid_doorbell_ring_any(struct ovid_partition *part, u64 addr);
/* is there a doorbell at this address at all (before decoding)? */
bool ovid_doorbell_any(struct ovid_partition *part, bool pio, u64 addr);

/* the guest's EOI of a level-triggered vector: tells the resample eventfds */
void ovid_irqfd_eoi(struct ovid_partition *part, u8 vector);

/* ---- between route.c and irqfd.c ---- */

/* the slot of a GSI, valid until the partition's end; irq.lock held */
struct ovid_irq_route __rcu **ovid_route_slot(struct ovid_partition *part, u32 gsi);
/* sends the interrupt of a route; any context, under rcu_read_lock() */
void ovid_route_fire(struct ovid_partition *part, const struct ovid_irq_route *route);

void ovid_route_fini(struct ovid_partition *part);
void ovid_irqfd_init(struct ovid_partition *part);
void ovid_irqfd_fini(struct ovid_partition *part);
void ovid_doorbell_init(struct ovid_partition *part);
void ovid_doorbell_fini(struct ovid_partition *part);

#endif
