// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the state machine decides is done here.  vmbus->lock is held, the thread may
 * sleep.  Pages are pinned only in the bus's own thread, or in a call that restores it: both
 * have the guest's memory.
 */
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "server.h"
#include "trace.h"

static struct ovid_vmbus *of_bus(struct ovid_bus *bus)
{
	struct ovid_vmbus *vmbus = bus->ctx;

	lockdep_assert_held(&vmbus->lock);
	return vmbus;
}

static int pin_pages(struct ovid_vmbus *vmbus, struct ovid_gpadl *gpadl)
{
	u64 *gfns __free(kvfree) = kvcalloc(gpadl->pages, sizeof(*gfns), GFP_KERNEL_ACCOUNT);
	u32 at = 0, bytes, offset, n = 0, pages;
	struct ovid_pins *pins;
	const u64 *pfns;

	if (!gfns)
		return -ENOMEM;
	while ((pfns = ovid_gpadl_range(gpadl, &at, &bytes, &offset))) {
		pages = DIV_ROUND_UP(offset + (u64)bytes, PAGE_SIZE);
		memcpy(&gfns[n], pfns, pages * sizeof(*gfns));
		n += pages;
	}
	pins = ovid_guest_pin(vmbus->part, gfns, n);
	if (IS_ERR(pins))
		return PTR_ERR(pins);
	gpadl->pinned = ovid_chan_lend(ovid_chan_of(vmbus->bus.chan[gpadl->relid]), gpadl, pins);
	if (gpadl->pinned)
		return 0;
	ovid_guest_unpin(pins, false);
	return -ENOMEM;
}

static int pin(struct ovid_bus *bus, struct ovid_gpadl *gpadl)
{
	struct ovid_vmbus *vmbus = of_bus(bus);
	int err = ovid_fault_gpadl(vmbus, gpadl) ?: pin_pages(vmbus, gpadl);

	trace_gpadl_made(vmbus, gpadl, err);
	if (err)
		vmbus->counts.gpadls_refused++;
	return err;
}

static void unpin(struct ovid_bus *bus, struct ovid_gpadl *gpadl)
{
	struct ovid_chan_buffer *buf = gpadl->pinned;
	struct ovid_pins *pins = buf->pins;

	trace_gpadl_gone(of_bus(bus), gpadl, 0);
	ovid_chan_take_back(buf);
	ovid_guest_unpin(pins, true);
	gpadl->pinned = NULL;
}

static int open_chan(struct ovid_bus *bus, struct ovid_bus_chan *bc)
{
	int err = ovid_fault_open(ovid_chan_of(bc)) ?: ovid_chan_open(ovid_chan_of(bc));

	ovid_chan_note_open(ovid_chan_of(bc), err);
	if (bc->offer.monitor_allocated)
		ovid_monitor_update(of_bus(bus));
	return err;
}

static void close_chan(struct ovid_bus *bus, struct ovid_bus_chan *bc)
{
	trace_chan_close(ovid_chan_of(bc), 0);
	ovid_chan_close(ovid_chan_of(bc));
	if (bc->offer.monitor_allocated)
		ovid_monitor_update(of_bus(bus));
}

static void retarget(struct ovid_bus *bus, struct ovid_bus_chan *bc)
{
	struct ovid_chan *chan = ovid_chan_of(bc);

	/* under the lock: when it is answered no signal goes to the old VP any more */
	guard(mutex)(&chan->lock);
	chan->vp = bc->target_vp;
}

static void release(struct ovid_bus *bus, struct ovid_bus_chan *bc)
{
	struct ovid_chan *chan = ovid_chan_of(bc);

	if (chan->primary)
		ovid_chan_debugfs_del(chan);
	list_del_init(&chan->node);
	ovid_chan_put(chan);
}

/* the interrupt page of a guest before 2.4 */
static void move_interrupt_page(struct ovid_vmbus *vmbus)
{
	struct ovid_bus *bus = &vmbus->bus;
	u64 gfn = bus->interrupt_page >> PAGE_SHIFT;

	if (vmbus->interrupt_page)
		ovid_guest_unpin(vmbus->interrupt_page, true);
	vmbus->interrupt_page = NULL;
	if (!bus->interrupt_page || bus->version >= VMBUS_V2_4)
		return;
	vmbus->interrupt_page = ovid_guest_pin(vmbus->part, &gfn, 1);
	if (IS_ERR(vmbus->interrupt_page))
		vmbus->interrupt_page = NULL;
}

static int pages_changed(struct ovid_bus *bus)
{
	move_interrupt_page(of_bus(bus));
	return ovid_monitor_move(of_bus(bus));
}

/* the page: flags for the guest, flags of the guest, half of it each */
void ovid_vmbus_scan(struct ovid_vmbus *vmbus)
{
	struct ovid_bus_chan **chan = vmbus->bus.chan;
	unsigned long *flags, word;
	unsigned int i, bit;

	guard(mutex)(&vmbus->lock);
	if (!vmbus->interrupt_page)
		return;
	flags = page_address(vmbus->interrupt_page->pages[0]) + PAGE_SIZE / 2;
	for (i = 0; i <= OVID_BUS_MAX_RELID / BITS_PER_LONG; i++) {
		word = READ_ONCE(flags[i]) ? xchg(&flags[i], 0) : 0;
		for_each_set_bit(bit, &word, BITS_PER_LONG)
			if (chan[i * BITS_PER_LONG + bit])
				ovid_chan_signalled(ovid_chan_of(chan[i * BITS_PER_LONG + bit]),
						    NULL);
	}
	ovid_guest_dirty(vmbus->interrupt_page, 0, 1);
}

static int tl_connect(struct ovid_bus *bus, const struct vmbus_w_tl_connect2 *want)
{
	return ovid_sockets_connect(of_bus(bus), want);
}

static void drop_posts(struct ovid_bus *bus)
{
	ovid_sockets_forget(of_bus(bus));
	ovid_mail_drop_posts(bus);
}

const struct ovid_bus_effects ovid_vmbus_effects = {
	.post = ovid_mail_post,
	.drop_posts = drop_posts,
	.pin = pin,
	.unpin = unpin,
	.open = open_chan,
	.close = close_chan,
	.retarget = retarget,
	.release = release,
	.monitor = pages_changed,
	.tl_connect = tl_connect,
	.gone = ovid_vmbus_gone,
	.sub = ovid_vmbus_sub,
	.restore = ovid_vmbus_restore_chan,
	.unrestore = ovid_vmbus_unrestore_chan,
};
