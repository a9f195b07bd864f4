// SPDX-License-Identifier: GPL-2.0-only
/*
 * Monitor pages: where a channel has a monitor id, its guest sets a bit in a page instead
 * of making a hypercall, and we look at the page as often as the offer says.
 *
 * A timer looks whether a bit is set, and wakes the bus's thread, which takes all of them
 * and kicks their channels.  It runs while such a channel is open, and only then.
 */
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include "../vmm/compat.h"
#include "server.h"

static struct vmbus_w_monitor_page *page_of(struct ovid_vmbus *vmbus)
{
	return page_address(vmbus->monitor_page->pages[0]);
}

static struct ovid_chan *by_id(struct ovid_vmbus *vmbus, u32 id)
{
	struct ovid_bus_chan *bc = vmbus->bus.monitored[id];

	return bc ? ovid_chan_of(bc) : NULL;
}

/* it stands still before the page goes */
static enum hrtimer_restart look(struct hrtimer *timer)
{
	struct ovid_vmbus *vmbus = container_of(timer, struct ovid_vmbus, monitor_timer);
	struct vmbus_w_monitor_page *page = page_of(vmbus);
	u32 i, any = 0;

	for (i = 0; i < ARRAY_SIZE(page->group); i++)
		any |= READ_ONCE(page->group[i].pending);
	if (any && !test_and_set_bit(OVID_SCAN_MONITOR, &vmbus->scan))
		ovid_vmbus_wake(vmbus);
	hrtimer_forward_now(timer, ns_to_ktime(vmbus->monitor_ns));
	return HRTIMER_RESTART;
}

/* of those that are open, in 100 ns; 0: there is none.  The guest may read it in its page */
static u32 shortest_latency(struct ovid_vmbus *vmbus)
{
	struct vmbus_w_monitor_page *page = page_of(vmbus);
	u32 id, shortest = 0, groups = 0;
	struct ovid_chan *chan;

	for (id = 0; id < VMBUS_MONITORS; id++) {
		chan = by_id(vmbus, id);
		if (!chan || !chan->open)
			continue;
		page->latency[id] = chan->bc.latency;
		page->parameter[id].connection = chan->bc.offer.connection_id;
		groups |= BIT(id / 32);
		if (!shortest || chan->bc.latency < shortest)
			shortest = chan->bc.latency;
	}
	page->group_enable = groups;
	ovid_guest_dirty(vmbus->monitor_page, 0, 1);
	return shortest;
}

void ovid_monitor_update(struct ovid_vmbus *vmbus)
{
	lockdep_assert_held(&vmbus->lock);
	hrtimer_cancel(&vmbus->monitor_timer);
	if (!vmbus->monitor_page)
		return;
	vmbus->monitor_ns = shortest_latency(vmbus) * 100;
	if (vmbus->monitor_ns)
		hrtimer_start(&vmbus->monitor_timer, ns_to_ktime(vmbus->monitor_ns),
			      HRTIMER_MODE_REL);
}

int ovid_monitor_move(struct ovid_vmbus *vmbus)
{
	u64 gfn = vmbus->bus.monitor_page[1] >> PAGE_SHIFT;
	struct ovid_pins *pins = NULL;

	lockdep_assert_held(&vmbus->lock);
	hrtimer_cancel(&vmbus->monitor_timer);
	if (vmbus->monitor_page)
		ovid_guest_unpin(vmbus->monitor_page, true);
	vmbus->monitor_page = NULL;
	if (gfn)
		pins = ovid_guest_pin(vmbus->part, &gfn, 1);
	if (IS_ERR(pins))
		return PTR_ERR(pins);
	vmbus->monitor_page = pins;
	ovid_monitor_update(vmbus);
	return 0;
}

void ovid_monitor_scan(struct ovid_vmbus *vmbus)
{
	struct vmbus_w_monitor_page *page;
	struct ovid_chan *chan;
	unsigned long pending;
	u32 i, bit;

	guard(mutex)(&vmbus->lock);
	/* the last of them may have been closed since the timer saw a bit: the page rests */
	if (!vmbus->monitor_page || !vmbus->monitor_ns)
		return;
	page = page_of(vmbus);
	for (i = 0; i < ARRAY_SIZE(page->group); i++) {
		pending = xchg(&page->group[i].pending, 0);
		for_each_set_bit(bit, &pending, 32) {
			chan = by_id(vmbus, 32 * i + bit);
			if (!chan)
				continue;
			chan->stats.signals_monitored++;
			ovid_chan_signalled(chan, NULL);
		}
	}
	ovid_guest_dirty(vmbus->monitor_page, 0, 1);
}

void ovid_monitor_init(struct ovid_vmbus *vmbus)
{
	ovid_hrtimer_setup(&vmbus->monitor_timer, look, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
}
