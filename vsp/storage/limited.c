// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks that may do so much in a second only (limit.h): what is more waits, in order, before it
 * begins.  It holds the guest's memory, but is not under way: nothing that waits for an end waits
 * for it.
 *
 * The bus's thread begins what may, in any channel's turn, and a timer wakes it.  Only whoever
 * moves the VM does not wait: what was before that begins at once.  A reset, a close and a detach
 * end all that waits: else a guest would not be limited that does these again and again.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include "../../uapi/ovid.h"
#include "../../vmm/compat.h"
#include "storage.h"

/* half of what a channel takes may wait, of all, but for a few of each disk: others go on */
#define MAX_WAITING	(STOR_MAX_REQUESTS / 2)
#define MAX_PAGES	(STOR_MAX_PAGES / 2)
#define MIN_WAITING	2

/* the timer does not come more often; a burst is longer */
#define MIN_DELAY	(LIMIT_SECOND / 1000)

static u32 pages_of(const struct stor_request *req)
{
	return req->held ? req->held->nr : 0;
}

/* one of several steps that has not begun is in nobody's way */
static void enqueue(struct stor_unit *unit, struct stor_request *req)
{
	struct stor *stor = req->queue->stor;

	list_add_tail(&req->node, &unit->waiting);
	if (!unit->nr_waiting++)
		list_add_tail(&unit->limited, &stor->limited);
	unit->waited++;
	stor->nr_waiting++;
	stor->waiting_pages += pages_of(req);
	if (req->steps)
		atomic_dec(&stor->nr_steps);
}

static void dequeue(struct stor_unit *unit, struct stor_request *req)
{
	struct stor *stor = req->queue->stor;

	list_del(&req->node);
	if (!--unit->nr_waiting)
		list_del(&unit->limited);
	stor->nr_waiting--;
	stor->waiting_pages -= pages_of(req);
	if (req->steps)
		atomic_inc(&stor->nr_steps);
}

static bool must_wait(const struct stor_unit *unit)
{
	if (unit->nr_waiting)
		return true;
	/* most disks have no limit, and need not know the time */
	return !ovid_limit_is_none(&unit->limit) && ovid_limit_delay(&unit->limit, ktime_get_ns());
}

int ovid_stor_limited_room(struct stor *stor, const struct stor_unit *unit,
			   const struct ovid_scsi_request *scsi)
{
	if (scsi->todo == SCSI_DO_ANSWER || scsi->todo == SCSI_DO_LUNS || !must_wait(unit))
		return 0;
	if (unit->nr_waiting < MIN_WAITING)
		return 0;
	return stor->nr_waiting < MAX_WAITING && stor->waiting_pages < MAX_PAGES ? 0 : -EBUSY;
}

bool ovid_stor_limited_wait(struct stor_unit *unit, struct stor_request *req)
{
	lockdep_assert_held(&req->queue->stor->units_lock);
	if (req->admitted)
		return false;
	if (must_wait(unit)) {
		enqueue(unit, req);
		return true;
	}
	req->admitted = true;
	return false;
}

void ovid_stor_limited_charge(struct stor_unit *unit, const struct stor_request *req)
{
	bool moves = req->io.op == IMAGE_READ || req->io.op == IMAGE_WRITE;

	if (!ovid_limit_is_none(&unit->limit))
		ovid_limit_charge(&unit->limit, moves ? req->io.bytes : 0, ktime_get_ns());
}

/* ---- when they may ---- */

/* one that wants to be alone begins when it is */
static void begin(struct stor_unit *unit, struct stor_request *req)
{
	dequeue(unit, req);
	req->admitted = true;
	if (!ovid_stor_steps_alone(req)) {
		ovid_stor_submit(unit, req);
		return;
	}
	ovid_stor_want_alone(req);
	ovid_chan_kick(req->queue->chan);
}

/* how long the next one has to wait; 0: there is none */
static u64 run_unit(struct stor *stor, struct stor_unit *unit, bool all)
{
	u64 delay;

	/* as new ones, they are not taken before what was given up has ended */
	if (READ_ONCE(unit->late))
		ovid_stor_limited_end(stor, unit);
	while (unit->nr_waiting && !READ_ONCE(stor->alone)) {
		delay = all ? 0 : ovid_limit_delay(&unit->limit, ktime_get_ns());
		if (delay)
			return delay;
		begin(unit, list_first_entry(&unit->waiting, struct stor_request, node));
	}
	return 0;
}

void ovid_stor_limited_run(struct stor *stor, bool all)
{
	struct stor_unit *unit, *next;
	u64 soonest = 0, delay;

	guard(mutex)(&stor->units_lock);
	list_for_each_entry_safe(unit, next, &stor->limited, limited) {
		delay = run_unit(stor, unit, all);
		if (delay && (!soonest || delay < soonest))
			soonest = delay;
	}
	if (soonest)
		hrtimer_start(&stor->limited_timer, ns_to_ktime(max(soonest, MIN_DELAY)),
			      HRTIMER_MODE_REL);
}

static enum hrtimer_restart timer_expired(struct hrtimer *timer)
{
	struct stor *stor = container_of(timer, struct stor, limited_timer);

	ovid_chan_kick(stor->primary.chan);
	return HRTIMER_NORESTART;
}

/* ---- when they do not ---- */

static void end_unit(struct stor *stor, struct stor_unit *unit, const struct stor_queue *queue)
{
	struct stor_request *req, *next;

	lockdep_assert_held(&stor->units_lock);
	list_for_each_entry_safe(req, next, &unit->waiting, node) {
		if (queue && req->queue != queue)
			continue;
		dequeue(unit, req);
		req->err = -ECANCELED;
		scoped_guard(spinlock_irq, &stor->lock)
			list_add_tail(&req->node, &req->queue->finished);
		ovid_chan_kick(req->queue->chan);
	}
}

void ovid_stor_limited_end(struct stor *stor, struct stor_unit *unit)
{
	end_unit(stor, unit, NULL);
}

void ovid_stor_limited_end_all(struct stor *stor, const struct stor_queue *queue)
{
	struct stor_unit *unit, *next;

	guard(mutex)(&stor->units_lock);
	list_for_each_entry_safe(unit, next, &stor->limited, limited)
		end_unit(stor, unit, queue);
}

/* ---- life ---- */

void ovid_stor_limited_init(struct stor *stor)
{
	INIT_LIST_HEAD(&stor->limited);
	ovid_hrtimer_setup(&stor->limited_timer, timer_expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
}

void ovid_stor_limited_fini(struct stor *stor)
{
	hrtimer_cancel(&stor->limited_timer);
}

static bool arg_ok(const struct ovid_disk_limit *arg)
{
	if (arg->flags & ~OVID_DISK_LIMIT_SET || arg->waiting || arg->waited || arg->pad2)
		return false;
	return arg->flags || (!arg->requests && !arg->bytes);
}

long ovid_stor_limit(struct stor *stor, struct ovid_disk_limit *arg)
{
	struct stor_unit *unit;

	if (!arg_ok(arg))
		return -EINVAL;
	guard(mutex)(&stor->units_lock);
	unit = ovid_stor_at(stor, arg->path, arg->target, arg->lun, arg->pad);
	if (IS_ERR(unit))
		return PTR_ERR(unit);
	if (arg->flags) {
		ovid_limit_set(&unit->limit, arg->requests, arg->bytes, ktime_get_ns());
		/* what waits may begin now, or at another time */
		ovid_chan_kick(stor->primary.chan);
	}
	arg->requests = unit->limit.requests;
	arg->bytes = unit->limit.bytes;
	arg->waiting = unit->nr_waiting;
	arg->waited = unit->waited;
	return 0;
}
