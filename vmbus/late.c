// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ends behind its channel, and the partition's end: the module stays for it.  When the last
 * reference to the module goes the last of it is just about to return, which destroying the queue
 * waits for.
 */
#include <linux/module.h>
#include <linux/workqueue.h>
#include "server.h"

static struct workqueue_struct *late;

int ovid_late_init(void)
{
	late = alloc_workqueue("ovid-late", WQ_UNBOUND, 0);
	return late ? 0 : -ENOMEM;
}

void ovid_late_fini(void)
{
	destroy_workqueue(late);
}

void ovid_late_queue(struct work_struct *work)
{
	queue_work(late, work);
}

void ovid_late_begin(void)
{
	__module_get(THIS_MODULE);
}

void ovid_late_end(void)
{
	module_put(THIS_MODULE);
}
