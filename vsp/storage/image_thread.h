/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thread of an image, of the worker's process so that the VM pays for it: it does what would
 * wait.
 */
#ifndef OVID_STORAGE_IMAGE_THREAD_H
#define OVID_STORAGE_IMAGE_THREAD_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include "../../vmm/types.h"

struct vhost_task;

/**
 * struct ovid_job - something for the thread
 * @node: in a list
 * @run: does it; the job may be gone then.  @killed: there is no thread any more, with the
 *	process that it belonged to: it cannot be done, and this is any context
 */
struct ovid_job {
	struct list_head node;
	void (*run)(struct ovid_job *job, bool killed);
};

/**
 * struct ovid_image_thread - a thread
 * @task: itself
 * @lock: guards what follows; any context
 * @urgent: jobs that come before others
 * @queue: the others
 * @killed: it is no more
 */
struct ovid_image_thread {
	struct vhost_task *task;
	spinlock_t lock;	/* see above */
	struct list_head urgent;
	struct list_head queue;
	bool killed;
};

int ovid_image_thread_start(struct ovid_image_thread *thread);
/* there are no jobs */
void ovid_image_thread_stop(struct ovid_image_thread *thread);
/* any context; if it was killed the job is run at once, and told so */
void ovid_image_thread_add(struct ovid_image_thread *thread, struct ovid_job *job, bool urgent);
/* from a job that waits for others: is there an urgent one? */
bool ovid_image_thread_urgent(struct ovid_image_thread *thread);
/* it is run; false: there was none */
bool ovid_image_thread_run_urgent(struct ovid_image_thread *thread);

#endif
