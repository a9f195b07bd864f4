// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus of a partition: its life, and its thread, which handles control messages and
 * does the channels' work.  The thread belongs to the worker's process (its cgroup pays, its
 * memory is the guest's); with the process it is killed, and the bus stands still.
 */
#include <linux/cleanup.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/tick.h>
#include "../vmm/compat.h"
#include "server.h"
#include "trace.h"

#define VP_TURNS	8	/* of channels, that a VP does in a row */

void ovid_vmbus_end_lost(struct ovid_vmbus *vmbus)
{
	lockdep_assert_held(&vmbus->lock);
	if (!READ_ONCE(vmbus->out_lost))
		return;
	ovid_err("partition %u: VMBus connection lost, the guest reads no messages",
		 ovid_bus_part_id(vmbus->part));
	ovid_bus_disconnect(&vmbus->bus);
	ovid_mail_drop_posts(&vmbus->bus);
}

static void handle(struct ovid_vmbus *vmbus, const struct ovid_vmbus_mail *mail)
{
	int err;

	guard(mutex)(&vmbus->lock);
	vmbus->bus.nr_vps = ovid_bus_vps(vmbus->part);
	if (ovid_fault_message_in(vmbus, mail))
		return;
	err = ovid_bus_message(&vmbus->bus, mail->connection, mail->data, mail->bytes);
	trace_bus_message_in(vmbus, mail, err);
	ovid_vmbus_end_lost(vmbus);
}

/*
 * As many messages as may wait: a guest that posts on and on does not keep us from its
 * channels.  A copy of a message is large, and not wanted where there is none.
 */
static noinline_for_stack void take_mail(struct ovid_vmbus *vmbus)
{
	struct ovid_vmbus_mail mail;
	unsigned int i;

	for (i = 0; i < OVID_VMBUS_IN_DEPTH && ovid_mail_take(vmbus, &mail); i++) {
		handle(vmbus, &mail);
		ovid_fault_rescind(vmbus);
		cond_resched();
	}
}

static bool has_work(struct ovid_vmbus *vmbus)
{
	if (READ_ONCE(vmbus->stands))
		return false;
	return ovid_mail_pending(vmbus) || !list_empty_careful(&vmbus->ready) ||
	       READ_ONCE(vmbus->scan) || ovid_fault_pending(vmbus);
}

/* who signals from here on sets the bit again */
static void scan_pages(struct ovid_vmbus *vmbus)
{
	unsigned long scan = xchg(&vmbus->scan, 0);

	if (test_bit(OVID_SCAN_INTERRUPT, &scan))
		ovid_vmbus_scan(vmbus);
	if (test_bit(OVID_SCAN_MONITOR, &scan))
		ovid_monitor_scan(vmbus);
}

/*
 * Going to sleep.  The host's tick takes a VP out of the guest at last, if it has put a turn
 * off; where there is none, nothing is put off.
 */
static void note_cpu(struct ovid_vmbus *vmbus)
{
	int cpu = raw_smp_processor_id();
	bool alone = num_online_cpus() == 1 || current->nr_cpus_allowed == 1;

	WRITE_ONCE(vmbus->only_cpu, alone && !tick_nohz_full_cpu(cpu) ? cpu : -1);
}

/*
 * One round; the state is TASK_INTERRUPTIBLE when it begins, so that a wake-up behind the look
 * at the queues is not lost.  Channels take turns; a message comes first.
 */
static bool bus_round(void *arg)
{
	struct ovid_vmbus *vmbus = arg;
	struct ovid_chan *chan;

	if (!has_work(vmbus)) {
		note_cpu(vmbus);
		return false;
	}
	WRITE_ONCE(vmbus->only_cpu, -1);
	__set_current_state(TASK_RUNNING);
	guard(mutex)(&vmbus->turn);
	if (vmbus->stands)
		return true;	/* to sleep, by the way above */
	ovid_fault_rescind(vmbus);
	if (ovid_mail_pending(vmbus))
		take_mail(vmbus);
	if (READ_ONCE(vmbus->scan))
		scan_pages(vmbus);
	chan = ovid_chan_next(vmbus, false);
	if (chan) {
		ovid_chan_run(chan, NULL);
		ovid_chan_put(chan);
	}
	cond_resched();
	return true;
}

/* some turns of channels that are quick; the thread does what is left */
static void halted(struct ovid_vmbus *vmbus, struct ovid_vp *vp)
{
	struct ovid_chan *chan;
	unsigned int i;

	if (!mutex_trylock(&vmbus->turn))
		return;	/* the thread has it, and looks once more */
	for (i = 0; i < VP_TURNS && !vmbus->stands && !need_resched(); i++) {
		chan = ovid_chan_next(vmbus, true);
		if (!chan)
			break;
		ovid_chan_run(chan, vp);
		ovid_chan_put(chan);
	}
	mutex_unlock(&vmbus->turn);
}

static void turn(struct ovid_vmbus *vmbus, struct ovid_vp *vp)
{
	if (vp)
		halted(vmbus, vp);
	if (has_work(vmbus))
		ovid_vmbus_wake(vmbus);
}

static void bus_killed(void *arg)
{
}

/* ---- what the vmm asks ---- */

static void free_vmbus(struct ovid_vmbus *vmbus)
{
	kvfree(vmbus);
}

static struct ovid_vmbus *new_vmbus(struct ovid_partition *part,
				    const struct ovid_vmbus_create *arg)
{
	struct ovid_vmbus *vmbus = kvzalloc(sizeof(*vmbus), GFP_KERNEL_ACCOUNT);

	if (!vmbus)
		return NULL;
	vmbus->part = part;
	vmbus->only_cpu = -1;
	mutex_init(&vmbus->turn);
	mutex_init(&vmbus->lock);
	spin_lock_init(&vmbus->in_lock);
	spin_lock_init(&vmbus->out_lock);
	spin_lock_init(&vmbus->ready_lock);
	INIT_LIST_HEAD(&vmbus->channels);
	INIT_LIST_HEAD(&vmbus->out);
	INIT_LIST_HEAD(&vmbus->ready);
	ovid_monitor_init(vmbus);
	ovid_bus_init(&vmbus->bus, &ovid_vmbus_effects, vmbus);
	if (arg->max_version)
		vmbus->bus.max_version = arg->max_version;
	vmbus->bus.awaits = arg->flags & OVID_VMBUS_AWAITS_STATE;
	vmbus->stands = vmbus->bus.awaits;
	return vmbus;
}

static long create(struct ovid_partition *part, const struct ovid_vmbus_create *arg)
{
	struct ovid_vmbus *vmbus;
	char name[TASK_COMM_LEN];
	int err;

	if (ovid_bus_of(part))
		return -EEXIST;
	vmbus = new_vmbus(part, arg);
	if (!vmbus)
		return -ENOMEM;
	snprintf(name, sizeof(name), "vmbus-%u", ovid_bus_part_id(part));
	vmbus->task = ovid_task_create(bus_round, bus_killed, vmbus, name);
	if (IS_ERR(vmbus->task)) {
		err = PTR_ERR(vmbus->task);
		free_vmbus(vmbus);
		return err;
	}
	vhost_task_start(vmbus->task);
	err = ovid_mail_init(vmbus);
	if (err) {
		vhost_task_stop(vmbus->task);
		free_vmbus(vmbus);
		return err;
	}
	ovid_faults_init(vmbus);
	ovid_bus_publish(part, vmbus);
	return 0;
}

/* the guest begins anew, and finds the same offers */
static void reset(struct ovid_vmbus *vmbus)
{
	guard(mutex)(&vmbus->turn);
	guard(mutex)(&vmbus->lock);
	ovid_mail_forget(vmbus);
	ovid_bus_disconnect(&vmbus->bus);
	ovid_mail_drop_posts(&vmbus->bus);
}

/* all channels' files are closed, so all offers were taken back: with the connection they go */
static void destroy(struct ovid_vmbus *vmbus)
{
	struct ovid_chan *chan;

	scoped_guard(spinlock_irqsave, &vmbus->ready_lock)
		vmbus->stopped = true;
	vhost_task_stop(vmbus->task);
	reset(vmbus);
	ovid_mail_fini(vmbus);
	while ((chan = ovid_chan_next(vmbus, false)))
		ovid_chan_put(chan);
	WARN_ON_ONCE(!list_empty(&vmbus->channels));
	free_vmbus(vmbus);
}

const struct ovid_bus_door ovid_vmbus_door = {
	.init = ovid_late_init,
	.fini = ovid_late_fini,
	.create = create,
	.offer = ovid_vmbus_offer,
	.sockets = ovid_vmbus_sockets,
	.state = ovid_vmbus_state,
	.resume = ovid_vmbus_resume,
	.reset = reset,
	.destroy = destroy,
	.turn = turn,
	.slot_free = ovid_mail_deliver,
	.stats = ovid_vmbus_stats,
};
