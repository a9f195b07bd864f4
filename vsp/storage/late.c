// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that do not end, as what is behind a disk does not answer.  Who waits for them does so
 * for a while.  A channel that is closed then goes on without them: they are late.
 *
 * A late request belongs to itself.  It keeps the guest's memory that it reads or writes, its disk
 * begins nothing else before it has ended, and it keeps the controller, behind the channel's end
 * and the partition's, and the module.
 */
#include <linux/cleanup.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "storage.h"

#define MAX_PATIENCE	3600u

static unsigned int disk_patience_s = 30;
module_param(disk_patience_s, uint, 0644);
MODULE_PARM_DESC(disk_patience_s, "longest time, in seconds, for which a channel's close, a save, or a disk's detach waits for what is behind disks");

unsigned long ovid_stor_patience(void)
{
	return jiffies + min(READ_ONCE(disk_patience_s), MAX_PATIENCE) * HZ;
}

int ovid_stor_wait(struct stor *stor, const u32 *count, unsigned long end)
{
	/* one that ends may have been killed before, and is in no hurry */
	int state = current->flags & PF_EXITING ? TASK_UNINTERRUPTIBLE : TASK_KILLABLE;
	long left = max((long)(end - jiffies), 0l);

	guard(spinlock_irq)(&stor->lock);
	left = __wait_event_lock_irq_timeout(stor->idle, !*count, stor->lock, left, state);
	return !*count ? 0 : left < 0 ? -EINTR : -ETIMEDOUT;
}

static void free_stor(struct stor *stor)
{
	struct stor_unit *unit;
	unsigned long at;

	xa_for_each(&stor->units, at, unit)
		ovid_stor_free_unit(unit);
	xa_destroy(&stor->units);
	mutex_destroy(&stor->units_lock);
	kvfree(stor);
}

static void free_request(struct stor_request *req)
{
	if (req->held)
		ovid_chan_let_go(req->held, req->io.op == IMAGE_READ && !req->steps);
	ovid_stor_steps_free(req);
	kfree(req);
}

/* nothing of the image's touches the request any more */
static void late_ended(struct work_struct *work)
{
	struct stor_request *req = container_of(work, struct stor_request, late_work);
	struct stor *stor = req->stor;
	bool last;

	free_request(req);
	scoped_guard(spinlock_irq, &stor->lock)
		last = !--stor->late && stor->ended;
	if (!last)
		return;
	free_stor(stor);
	ovid_late_end();
}

void ovid_stor_late_done(struct stor *stor, struct stor_request *req)
{
	lockdep_assert_held(&stor->lock);
	req->unit->late--;
	if (!req->unit->under_way)
		wake_up(&stor->idle);
	ovid_late_queue(&req->late_work);
}

/* its channel may be gone from here on */
static void make_late(struct stor_queue *queue, struct stor_request *req)
{
	req->late = true;
	INIT_WORK(&req->late_work, late_ended);
	queue->stor->late++;
	ovid_stor_steps_late(req);
	if (!req->held)
		return;
	queue->nr_pages -= req->held->nr;
	ovid_chan_give_up(req->held);
}

/* not so a disk that gets another size: who does that has the channel's file */
static void give_up_busy(struct stor_queue *queue)
{
	struct stor_request *req;

	list_for_each_entry(req, &queue->busy, node) {
		req->unit->late++;
		make_late(queue, req);
		queue->under_way--;
		queue->stor->under_way--;
	}
	INIT_LIST_HEAD(&queue->busy);
}

/* those that have ended since somebody looked */
static void give_up_finished(struct stor_queue *queue)
{
	struct stor_request *req, *next;

	list_for_each_entry_safe(req, next, &queue->finished, node) {
		make_late(queue, req);
		ovid_late_queue(&req->late_work);
	}
	INIT_LIST_HEAD(&queue->finished);
}

void ovid_stor_give_up(struct stor_queue *queue)
{
	struct stor *stor = queue->stor;
	u32 nr;

	ovid_stor_give_up_alone(queue);
	scoped_guard(spinlock_irq, &stor->lock) {
		nr = queue->under_way;
		give_up_busy(queue);
		give_up_finished(queue);
		if (!stor->under_way && stor->alone)
			ovid_chan_kick(stor->alone->queue->chan);
	}
	ovid_err("%s: disks do not answer, %u requests are given up", current->comm, nr);
}

/* those that a late request uses stay */
static void free_idle_units(struct stor *stor)
{
	struct stor_unit *unit;
	unsigned long at;
	bool idle;

	xa_for_each(&stor->units, at, unit) {
		scoped_guard(spinlock_irq, &stor->lock)
			idle = !unit->under_way;
		if (!idle)
			continue;
		xa_erase(&stor->units, at);
		ovid_stor_free_unit(unit);
	}
}

void ovid_stor_end(struct stor *stor)
{
	bool late;

	free_idle_units(stor);
	ovid_late_begin();
	scoped_guard(spinlock_irq, &stor->lock) {
		stor->ended = true;
		late = stor->late;
	}
	if (late)
		return;
	free_stor(stor);
	ovid_late_end();
}
