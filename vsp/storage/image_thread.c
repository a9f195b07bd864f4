// SPDX-License-Identifier: GPL-2.0-only
/* The thread of an image: image_thread.h. */
#include <linux/cleanup.h>
#include "../../vmm/compat.h"
#include "image_thread.h"

static struct ovid_job *take(struct ovid_image_thread *thread, bool urgent_only)
{
	struct ovid_job *job;

	guard(spinlock_irqsave)(&thread->lock);
	job = list_first_entry_or_null(&thread->urgent, struct ovid_job, node);
	if (!job && !urgent_only)
		job = list_first_entry_or_null(&thread->queue, struct ovid_job, node);
	if (job)
		list_del(&job->node);
	return job;
}

/* the state is TASK_INTERRUPTIBLE when it begins: a wake-up behind the look is not lost */
static bool thread_round(void *arg)
{
	struct ovid_job *job = take(arg, false);

	if (!job)
		return false;
	__set_current_state(TASK_RUNNING);
	job->run(job, false);
	cond_resched();
	return true;
}

/* with its process: nothing that waits will be done */
static void thread_killed(void *arg)
{
	struct ovid_image_thread *thread = arg;
	struct ovid_job *job;

	scoped_guard(spinlock_irqsave, &thread->lock)
		thread->killed = true;
	while ((job = take(thread, false)))
		job->run(job, true);
}

void ovid_image_thread_add(struct ovid_image_thread *thread, struct ovid_job *job, bool urgent)
{
	scoped_guard(spinlock_irqsave, &thread->lock) {
		if (!thread->killed) {
			list_add_tail(&job->node, urgent ? &thread->urgent : &thread->queue);
			vhost_task_wake(thread->task);
			return;
		}
	}
	job->run(job, true);
}

bool ovid_image_thread_urgent(struct ovid_image_thread *thread)
{
	guard(spinlock_irqsave)(&thread->lock);
	return !list_empty(&thread->urgent);
}

bool ovid_image_thread_run_urgent(struct ovid_image_thread *thread)
{
	struct ovid_job *job = take(thread, true);

	if (job)
		job->run(job, false);
	return job;
}

int ovid_image_thread_start(struct ovid_image_thread *thread)
{
	spin_lock_init(&thread->lock);
	INIT_LIST_HEAD(&thread->urgent);
	INIT_LIST_HEAD(&thread->queue);
	thread->killed = false;
	thread->task = ovid_task_create(thread_round, thread_killed, thread, "ovid-disk");
	if (IS_ERR(thread->task))
		return PTR_ERR(thread->task);
	vhost_task_start(thread->task);
	return 0;
}

void ovid_image_thread_stop(struct ovid_image_thread *thread)
{
	vhost_task_stop(thread->task);
}
