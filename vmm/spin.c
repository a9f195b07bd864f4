// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting of VPs for each other and for what comes soon.
 *
 * A VP that spins (PAUSE-loop exits, HvCallNotifyLongSpinWait) waits for another
 * one, which may have lost its CPU: that one is to run.  A VP that halts is looked
 * at for a while before it sleeps (poll.h).
 */
#include <linux/cleanup.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include "partition.h"
#include "spin.h"
#include "vp.h"

static unsigned int halt_poll_us = 200;
module_param(halt_poll_us, uint, 0644);
MODULE_PARM_DESC(halt_poll_us, "longest time, in microseconds, for which a halted VP is looked at before it sleeps; 0: none");

/* ---- spinning ---- */

/* a thread in RUN that wants a CPU and has none; with a reference, or NULL */
static struct task_struct *preempted(struct ovid_vp *vp)
{
	struct task_struct *task;

	if (READ_ONCE(vp->mode) != OVID_VP_OUT || READ_ONCE(vp->activity) != OVID_ACTIVE)
		return NULL;
	/* it takes its name away before it ends, and is freed a grace period after that */
	guard(rcu)();
	task = READ_ONCE(vp->runner);
	return task && task_is_running(task) ? get_task_struct(task) : NULL;
}

static bool yield_to_vp(struct ovid_vp *vp)
{
	struct task_struct *task = preempted(vp);
	bool done;

	if (!task)
		return false;
	done = yield_to(task, true) > 0;
	put_task_struct(task);
	return done;
}

void ovid_vp_spins(struct ovid_vp *vp)
{
	unsigned int i, at;
	struct ovid_vp *other;

	/* in turn, beginning with the one behind: whoever is waited for comes up */
	for (i = 1; i < OVID_MAX_VPS; i++) {
		at = (vp->index + vp->yielded + i) % OVID_MAX_VPS;
		other = ovid_vp_get_index(vp->part, at);
		if (!other || other == vp || !yield_to_vp(other))
			continue;
		vp->yielded += i;
		vp->stats.yields++;
		return;
	}
	cond_resched();
}

/* ---- halting ---- */

void ovid_vp_poll_begin(struct ovid_vp *vp)
{
	ovid_poll_begin(&vp->poll, READ_ONCE(halt_poll_us));
}

bool ovid_vp_poll_more(struct ovid_vp *vp)
{
	return ovid_poll_more(&vp->poll);
}

void ovid_vp_poll_end(struct ovid_vp *vp)
{
	ovid_poll_end(&vp->poll, ovid_poll_now(&vp->poll), READ_ONCE(halt_poll_us));
}
