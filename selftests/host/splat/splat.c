// SPDX-License-Identifier: GPL-2.0-only
/*
 * splat - provoke one report of the kernel's checker that `kind` names, to see that
 * the test host's runner notices it.  For the test host alone.
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

static char *kind = "warn";
module_param(kind, charp, 0);
MODULE_PARM_DESC(kind, "which report to provoke");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static void *volatile sink;

/* Seconds without letting anyone else have the CPU. */
static void hog(unsigned int seconds)
{
	while (seconds--)
		mdelay(1000);
}

static void splat_warn(void)
{
	WARN(1, "splat: a warning");
}

static void splat_oops(void)
{
	*(volatile int *)0x10;
}

static void splat_kasan(void)
{
	volatile char *p = kmalloc(32, GFP_KERNEL);

	kfree((void *)p);
	if (p)
		p[3] = 1;
}

static void splat_ubsan(void)
{
	volatile int by = 40;
	volatile int x = 1;

	x <<= by;
}

static void splat_lockdep(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

/*
 * Many: where SLUB hands objects out of arrays (sheaves), the address of each stays in its
 * place of the array until that is filled again, and kmemleak finds it there.
 */
static void splat_leak(void)
{
	for (unsigned int i = 0; i < 1000; i++)
		sink = kmalloc(64, GFP_KERNEL);
	sink = NULL;
}

static void splat_sleep(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}

static void splat_softlockup(void)
{
	/* longer than the watchdog waits, also if another report puts it off once */
	preempt_disable();
	hog(7);
	preempt_enable();
}

static void splat_rcu(void)
{
	/*
	 * A grace period begins (preemption lets it) and has to wait for us;
	 * PROVE_RCU adds 5 s to the time it gets.
	 */
	rcu_read_lock();
	start_poll_synchronize_rcu();
	hog(11);
	rcu_read_unlock();
}

static int sleeper(void *unused)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(10 * HZ);
	return 0;
}

static void splat_hung(void)
{
	kthread_run(sleeper, NULL, "splat-hung");
	msleep(8000);
}

/* With preemption, the pool would go on with another worker. */
static void stuck(struct work_struct *work)
{
	preempt_disable();
	hog(6);
	preempt_enable();
}

static void idle_work(struct work_struct *work)
{
}

static DECLARE_WORK(stuck_work, stuck);
static DECLARE_WORK(waiting_work, idle_work);

/* a work item that hogs a CPU's pool while another waits for it */
static void splat_workqueue(void)
{
	schedule_work_on(0, &stuck_work);
	schedule_work_on(0, &waiting_work);
	msleep(8000);
	flush_work(&stuck_work);
	flush_work(&waiting_work);
}

static void splat_list(void)
{
	static LIST_HEAD(head);
	static struct list_head entry;

	list_add(&entry, &head);
	list_add(&entry, &head);
}

static int in_window(struct kprobe *p, struct pt_regs *regs)
{
	panic("splat: in ovid's window");
}

static struct kprobe window_probe = {
	.symbol_name = "ovid:vmx_handle_exit",
	.pre_handler = in_window,
};

/* at a VP's next exit, in VMX operation */
static void splat_window(void)
{
	if (register_kprobe(&window_probe))
		pr_err("splat: no probe in ovid\n");
}

static const struct {
	const char *name;
	void (*provoke)(void);
} kinds[] = {
	{ "warn", splat_warn }, { "oops", splat_oops }, { "kasan", splat_kasan },
	{ "ubsan", splat_ubsan }, { "lockdep", splat_lockdep }, { "leak", splat_leak },
	{ "sleep", splat_sleep }, { "softlockup", splat_softlockup }, { "rcu", splat_rcu },
	{ "hung", splat_hung }, { "workqueue", splat_workqueue }, { "list", splat_list },
	{ "window", splat_window },
};

static int __init splat_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kind, kinds[i].name)) {
			kinds[i].provoke();
			return 0;
		}
	}
	return -EINVAL;
}
module_init(splat_init);

static void __exit splat_exit(void)
{
}
module_exit(splat_exit);

MODULE_DESCRIPTION("provokes a kernel report, for the test host's own tests");
MODULE_LICENSE("GPL");
