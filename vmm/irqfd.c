// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqfds: an eventfd that raises the interrupt of a GSI, and for level-triggered
 * routes a second one that hears of the guest's EOI (resample).
 *
 * The eventfd's waker calls us under its wait-queue lock with interrupts off;
 * unhooking takes that lock, so no callback runs after it.  Which interrupt a
 * GSI is, is route.c's business.  Locks: irq.lock, above the wait-queue lock.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "irqfd.h"
#include "partition.h"

/* @part holds no reference: ovid_irqfd_fini() ends every irqfd */
struct irqfd {
	struct ovid_partition *part;
	struct ovid_irq_route __rcu **slot;	/* where the route of @gsi is */
	u32 gsi;
	struct eventfd_ctx *eventfd;
	struct eventfd_ctx *resample;		/* signalled at EOI, or NULL */
	struct list_head node;			/* irq.irqfds */
	struct hlist_node resampler;		/* irq.resamplers, if @resample */
	wait_queue_entry_t wait;
	wait_queue_head_t *wqh;			/* of @eventfd, once hooked */
	poll_table poll;
	bool hup;		/* the eventfd was closed: irq.hup_work removes us */
	bool fired;		/* the eventfd had a count when we hooked in */
	int err;		/* of hooking in */
};

/* any context */
static void irqfd_fire(struct irqfd *irqfd)
{
	const struct ovid_irq_route *route;

	guard(rcu)();
	route = rcu_dereference(*irqfd->slot);
	if (route)
		ovid_route_fire(irqfd->part, route);
}

/* Under the eventfd's wait-queue lock, interrupts off. */
static int irqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);
	int taken = 0;
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		irqfd_fire(irqfd);
		taken = 1;	/* and no other waiter hears of it */
	}
	if (events & EPOLLHUP) {
		WRITE_ONCE(irqfd->hup, true);
		schedule_work(&irqfd->part->irq.hup_work);
	}
	return taken;
}

static bool wqh_has_priority_waiter(wait_queue_head_t *wqh)
{
	wait_queue_entry_t *first;

	first = list_first_entry_or_null(&wqh->head, wait_queue_entry_t, entry);
	return first && (first->flags & WQ_FLAG_PRIORITY);
}

/*
 * Called by vfs_poll().  An eventfd has one priority waiter at most: a second
 * irqfd on it, here or in another partition or hypervisor, would hear nothing.
 * The count that is there already is consumed as any later event is.
 */
static void irqfd_hook(struct file *file, wait_queue_head_t *wqh, poll_table *poll)
{
	struct irqfd *irqfd = container_of(poll, struct irqfd, poll);
	unsigned long flags;
	u64 count;

	spin_lock_irqsave(&wqh->lock, flags);
	if (wqh_has_priority_waiter(wqh)) {
		irqfd->err = -EBUSY;
	} else {
		irqfd->err = 0;
		irqfd->wqh = wqh;
		irqfd->wait.flags |= WQ_FLAG_EXCLUSIVE | WQ_FLAG_PRIORITY;
		__add_wait_queue(wqh, &irqfd->wait);
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		irqfd->fired = count;
	}
	spin_unlock_irqrestore(&wqh->lock, flags);
}

/* unhooked, or never hooked */
static void irqfd_free(struct irqfd *irqfd)
{
	if (!IS_ERR_OR_NULL(irqfd->resample))
		eventfd_ctx_put(irqfd->resample);
	if (!IS_ERR_OR_NULL(irqfd->eventfd))
		eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/*
 * Unhooks and frees; when it returns no callback runs and no EOI is reported
 * any more.  irq.lock held.
 */
static void irqfd_remove(struct irqfd *irqfd)
{
	struct ovid_irq_state *irq = &irqfd->part->irq;

	lockdep_assert_held(&irq->lock);
	list_del(&irqfd->node);
	irq->nr_irqfds--;
	remove_wait_queue(irqfd->wqh, &irqfd->wait);
	if (irqfd->resample) {
		hlist_del_rcu(&irqfd->resampler);
		synchronize_rcu();	/* ovid_irqfd_eoi() */
	}
	irqfd_free(irqfd);
}

static void irqfd_hup_work(struct work_struct *work)
{
	struct ovid_irq_state *irq = container_of(work, struct ovid_irq_state, hup_work);
	struct irqfd *irqfd, *next;

	guard(mutex)(&irq->lock);
	list_for_each_entry_safe(irqfd, next, &irq->irqfds, node)
		if (READ_ONCE(irqfd->hup))
			irqfd_remove(irqfd);
}

/* ---- assign and deassign ----------------------------------------------- */

/* takes the eventfds; on error irqfd_free() gives back what was taken */
static int irqfd_take_fds(struct irqfd *irqfd, struct file *file,
			  const struct mshv_user_irqfd *arg)
{
	irqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->eventfd))
		return PTR_ERR(irqfd->eventfd);
	if (!(arg->flags & BIT(MSHV_IRQFD_BIT_RESAMPLE)))
		return 0;
	irqfd->resample = eventfd_ctx_fdget(arg->resamplefd);
	return PTR_ERR_OR_ZERO(irqfd->resample);
}

/* A resample eventfd needs an EOI to hear of: the route must be level-triggered. */
static int irqfd_check_level(struct irqfd *irqfd)
{
	const struct ovid_irq_route *route;

	if (!irqfd->resample)
		return 0;
	route = rcu_dereference_protected(*irqfd->slot,
					  lockdep_is_held(&irqfd->part->irq.lock));
	return route && route->kind == OVID_ROUTE_MSI && route->irq.level ? 0 : -EINVAL;
}

/* irq.lock held */
static int irqfd_publish(struct irqfd *irqfd, struct file *file)
{
	struct ovid_irq_state *irq = &irqfd->part->irq;
	int err;

	if (irq->nr_irqfds >= OVID_MAX_IRQFDS)
		return -ENOSPC;
	irqfd->slot = ovid_route_slot(irqfd->part, irqfd->gsi);
	if (!irqfd->slot)
		return -ENOMEM;
	err = irqfd_check_level(irqfd);
	if (err)
		return err;

	irqfd->err = -EINVAL;		/* if poll does not call us */
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wakeup);
	init_poll_funcptr(&irqfd->poll, irqfd_hook);
	vfs_poll(file, &irqfd->poll);
	if (irqfd->err)
		return irqfd->err;

	list_add(&irqfd->node, &irq->irqfds);
	irq->nr_irqfds++;
	if (irqfd->resample)
		hlist_add_head_rcu(&irqfd->resampler, &irq->resamplers);
	if (irqfd->fired)
		irqfd_fire(irqfd);
	return 0;
}

static int irqfd_assign(struct ovid_partition *part, const struct mshv_user_irqfd *arg)
{
	struct file *file __free(fput) = fget(arg->fd);
	struct irqfd *irqfd;
	int err;

	if (!file)
		return -EBADF;
	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd)
		return -ENOMEM;
	irqfd->part = part;
	irqfd->gsi = arg->gsi;

	err = irqfd_take_fds(irqfd, file, arg);
	if (err)
		goto free;
	if (mutex_lock_killable(&part->irq.lock)) {
		err = -EINTR;
		goto free;
	}
	err = irqfd_publish(irqfd, file);
	mutex_unlock(&part->irq.lock);
	if (err)
		goto free;
	return 0;
free:
	irqfd_free(irqfd);
	return err;
}

/* Like Linux's driver it is no error when nothing matches. */
static int irqfd_deassign(struct ovid_partition *part, const struct mshv_user_irqfd *arg)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(arg->fd);
	struct irqfd *irqfd, *next;

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	if (mutex_lock_killable(&part->irq.lock)) {
		eventfd_ctx_put(eventfd);
		return -EINTR;
	}
	list_for_each_entry_safe(irqfd, next, &part->irq.irqfds, node)
		if (irqfd->eventfd == eventfd && irqfd->gsi == arg->gsi)
			irqfd_remove(irqfd);
	mutex_unlock(&part->irq.lock);
	eventfd_ctx_put(eventfd);
	return 0;
}

/**
 * ovid_irqfd - MSHV_IRQFD: binds an eventfd to a GSI, or ends that
 * @part:	the partition
 * @arg:	copied from the caller
 *
 * Sleeps.  Returns 0, -EBADF, -EBUSY (the eventfd drives an interrupt already),
 * -EINVAL (no eventfd, unknown flag, GSI out of range, resample without a
 * level-triggered route), -ENOSPC, -ENOMEM, -EINTR.
 */
int ovid_irqfd(struct ovid_partition *part, const struct mshv_user_irqfd *arg)
{
	if (arg->flags & ~(BIT(MSHV_IRQFD_BIT_COUNT) - 1) || arg->gsi >= OVID_MAX_GSIS)
		return -EINVAL;
	if (arg->flags & BIT(MSHV_IRQFD_BIT_DEASSIGN))
		return irqfd_deassign(part, arg);
	return irqfd_assign(part, arg);
}

/**
 * ovid_irqfd_eoi - a level-triggered vector got its EOI
 * @part:	the partition
 * @vector:	the vector
 *
 * Interrupts on or off.  The source looks at its line again and signals the
 * irqfd anew if it is still up.
 */
void ovid_irqfd_eoi(struct ovid_partition *part, u8 vector)
{
	const struct ovid_irq_route *route;
	struct irqfd *irqfd;

	guard(rcu)();
	hlist_for_each_entry_rcu(irqfd, &part->irq.resamplers, resampler) {
		route = rcu_dereference(*irqfd->slot);
		if (route && route->irq.level && route->irq.vector == vector)
			eventfd_signal(irqfd->resample);
	}
}

void ovid_irqfd_init(struct ovid_partition *part)
{
	INIT_LIST_HEAD(&part->irq.irqfds);
	INIT_HLIST_HEAD(&part->irq.resamplers);
	INIT_WORK(&part->irq.hup_work, irqfd_hup_work);
}

void ovid_irqfd_fini(struct ovid_partition *part)
{
	struct ovid_irq_state *irq = &part->irq;
	struct irqfd *irqfd, *next;

	scoped_guard(mutex, &irq->lock)
		list_for_each_entry_safe(irqfd, next, &irq->irqfds, node)
			irqfd_remove(irqfd);
	cancel_work_sync(&irq->hup_work);
}
