// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doorbells (ioeventfds): a guest's store to an address signals an eventfd and
 * the guest goes on.  Looked up at each port and unmapped-memory exit before
 * anything else is done, so the way there is short: one hash, RCU.
 */
#include <linux/eventfd.h>
#include <linux/hash.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "irqfd.h"
#include "partition.h"

struct doorbell {
	struct hlist_node node;
	u64 addr;
	bool pio;
	bool match;		/* @value counts */
	u32 len;		/* 0: any */
	u64 value;
	struct eventfd_ctx *eventfd;
	struct rcu_head rcu;
};

static struct hlist_head *doorbell_bucket(struct ovid_irq_state *irq, u64 addr)
{
	return &irq->doorbells[hash_64(addr, OVID_DOORBELL_HASH_BITS)];
}

static bool doorbell_takes(const struct doorbell *db, unsigned int size, u64 value)
{
	if (db->len && db->len != size)
		return false;
	if (!db->match)
		return true;
	if (size < 8)
		value &= BIT_ULL(size * 8) - 1;
	return db->value == value;
}

bool ovid_doorbell_ring(struct ovid_partition *part, bool pio, u64 addr,
			unsigned int size, u64 value)
{
	const struct doorbell *db;

	guard(rcu)();
	hlist_for_each_entry_rcu(db, doorbell_bucket(&part->irq, addr), node) {
		if (db->addr != addr || db->pio != pio || !doorbell_takes(db, size, value))
			continue;
		atomic64_inc(&part->stats.doorbells);
		eventfd_signal(db->eventfd);
		return true;
	}
	return false;
}

bool ovid_doorbell_ring_any(struct ovid_partition *part, u64 addr)
{
	const struct doorbell *db;

	guard(rcu)();
	hlist_for_each_entry_rcu(db, doorbell_bucket(&part->irq, addr), node) {
		if (db->addr != addr || db->pio)
			continue;
		if (db->match || db->len)
			return false;
		atomic64_inc(&part->stats.doorbells);
		eventfd_signal(db->eventfd);
		return true;
	}
	return false;
}

bool ovid_doorbell_any(struct ovid_partition *part, bool pio, u64 addr)
{
	const struct doorbell *db;

	guard(rcu)();
	hlist_for_each_entry_rcu(db, doorbell_bucket(&part->irq, addr), node)
		if (db->addr == addr && db->pio == pio)
			return true;
	return false;
}

/* ---- assign and deassign ----------------------------------------------- */

static void doorbell_free(struct doorbell *db)
{
	eventfd_ctx_put(db->eventfd);
	kfree(db);
}

static void doorbell_free_rcu(struct rcu_head *rcu)
{
	doorbell_free(container_of(rcu, struct doorbell, rcu));
}

static bool doorbell_same_place(const struct doorbell *a, const struct doorbell *b)
{
	return a->addr == b->addr && a->pio == b->pio && a->len == b->len;
}

/* two doorbells that one store could ring */
static bool doorbell_collides(const struct doorbell *a, const struct doorbell *b)
{
	return doorbell_same_place(a, b) &&
	       (!a->match || !b->match || a->value == b->value);
}

static bool doorbell_equal(const struct doorbell *a, const struct doorbell *b)
{
	return doorbell_same_place(a, b) && a->match == b->match &&
	       a->value == b->value && a->eventfd == b->eventfd;
}

/* irq.lock held; @new is used up on success */
static int doorbell_add(struct ovid_irq_state *irq, struct doorbell *new)
{
	struct hlist_head *bucket = doorbell_bucket(irq, new->addr);
	const struct doorbell *db;

	if (irq->nr_doorbells >= OVID_MAX_DOORBELLS)
		return -ENOSPC;
	hlist_for_each_entry(db, bucket, node)
		if (doorbell_collides(db, new))
			return -EEXIST;
	/* one that names a value goes first, before one of another length that
	 * takes any value
	 */
	if (new->match)
		hlist_add_head_rcu(&new->node, bucket);
	else
		hlist_add_tail_rcu(&new->node, bucket);
	irq->nr_doorbells++;
	return 0;
}

/* irq.lock held */
static int doorbell_del(struct ovid_irq_state *irq, const struct doorbell *key)
{
	struct doorbell *db;

	hlist_for_each_entry(db, doorbell_bucket(irq, key->addr), node) {
		if (!doorbell_equal(db, key))
			continue;
		hlist_del_rcu(&db->node);
		irq->nr_doorbells--;
		call_rcu(&db->rcu, doorbell_free_rcu);
		return 0;
	}
	return -ENOENT;
}

static bool doorbell_arg_ok(const struct mshv_user_ioeventfd *arg)
{
	u64 limit = arg->flags & BIT(MSHV_IOEVENTFD_BIT_PIO) ? 0x10000 : U64_MAX;

	if (arg->flags & ~(BIT(MSHV_IOEVENTFD_BIT_COUNT) - 1))
		return false;
	if (memchr_inv(arg->rsvd, 0, sizeof(arg->rsvd)))
		return false;
	if (arg->len > 8 || (arg->len && !is_power_of_2(arg->len)))
		return false;
	return arg->addr < limit && arg->len <= limit - arg->addr;
}

static struct doorbell *doorbell_new(const struct mshv_user_ioeventfd *arg)
{
	struct doorbell *db = kzalloc(sizeof(*db), GFP_KERNEL_ACCOUNT);

	if (!db)
		return ERR_PTR(-ENOMEM);
	db->addr = arg->addr;
	db->pio = arg->flags & BIT(MSHV_IOEVENTFD_BIT_PIO);
	db->match = arg->flags & BIT(MSHV_IOEVENTFD_BIT_DATAMATCH);
	db->len = arg->len;
	db->value = db->match ? arg->datamatch : 0;
	db->eventfd = eventfd_ctx_fdget(arg->fd);
	if (IS_ERR(db->eventfd)) {
		int err = PTR_ERR(db->eventfd);

		kfree(db);
		return ERR_PTR(err);
	}
	return db;
}

/**
 * ovid_ioeventfd - MSHV_IOEVENTFD: makes a doorbell, or removes it
 * @part:	the partition
 * @arg:	copied from the caller
 *
 * Sleeps.  A removed doorbell may still ring for a store that was already on
 * its way.  Returns 0, -EBADF, -EINVAL (no eventfd, unknown flag, length, range
 * that wraps), -EEXIST (a store could ring two), -ENOENT (remove: no exact
 * match), -ENOSPC, -ENOMEM, -EINTR.
 */
int ovid_ioeventfd(struct ovid_partition *part, const struct mshv_user_ioeventfd *arg)
{
	struct doorbell *db;
	int err;

	if (!doorbell_arg_ok(arg))
		return -EINVAL;
	db = doorbell_new(arg);
	if (IS_ERR(db))
		return PTR_ERR(db);

	if (mutex_lock_killable(&part->irq.lock)) {
		err = -EINTR;
		goto free;
	}
	if (arg->flags & BIT(MSHV_IOEVENTFD_BIT_DEASSIGN)) {
		err = doorbell_del(&part->irq, db);
	} else {
		err = doorbell_add(&part->irq, db);
		if (!err)
			db = NULL;
	}
	mutex_unlock(&part->irq.lock);
free:
	if (db)
		doorbell_free(db);
	return err;
}

void ovid_doorbell_init(struct ovid_partition *part)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(part->irq.doorbells); i++)
		INIT_HLIST_HEAD(&part->irq.doorbells[i]);
}

void ovid_doorbell_fini(struct ovid_partition *part)
{
	struct hlist_node *next;
	struct doorbell *db;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(part->irq.doorbells); i++)
		hlist_for_each_entry_safe(db, next, &part->irq.doorbells[i], node)
			doorbell_free(db);
}
