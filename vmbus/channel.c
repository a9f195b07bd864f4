// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels: rings in the kernel's memory map, signals both ways, and the provider's
 * calls, one after another under chan->lock.  What modules above use is exported.
 */
#include <linux/cleanup.h>
#include <linux/eventfd.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "ranges.h"
#include "server.h"
#include "trace.h"

static unsigned int chan_poll_us = 50;
module_param(chan_poll_us, uint, 0644);
MODULE_PARM_DESC(chan_poll_us, "longest time, in microseconds, for which a channel's ring is looked at before the guest has to signal; 0: none");

/* ---- life ---- */

/*
 * The lock of a channel that a process serves is taken under mmap_lock, by faults on its rings;
 * a provider of the kernel's takes mmap_lock, and locks of files, under its channel's.
 */
static struct lock_class_key provider_lock;

static struct ovid_chan *new_chan(struct ovid_vmbus *vmbus, const struct ovid_chan_ops *ops,
				  void *priv, struct ovid_chan *primary, u16 index)
{
	struct ovid_chan *chan = kzalloc(sizeof(*chan), GFP_KERNEL_ACCOUNT);
	int err;

	if (!chan)
		return ERR_PTR(-ENOMEM);
	if (!try_module_get(ops->owner)) {
		kfree(chan);
		return ERR_PTR(-ENOENT);
	}
	chan->vmbus = vmbus;
	chan->ops = ops;
	chan->priv = priv;
	chan->primary = primary;
	chan->bc.offer.sub_index = index;
	kref_init(&chan->ref);
	mutex_init(&chan->lock);
	if (!ops->raw)
		lockdep_set_class(&chan->lock, &provider_lock);
	spin_lock_init(&chan->eventfd_lock);
	INIT_LIST_HEAD(&chan->node);
	INIT_LIST_HEAD(&chan->ready);
	INIT_LIST_HEAD(&chan->subs);
	INIT_LIST_HEAD(&chan->buffers);
	init_waitqueue_head(&chan->wait);
	err = ops->attach ? ops->attach(chan) : 0;
	if (err) {
		module_put(ops->owner);
		kfree(chan);
		return ERR_PTR(err);
	}
	if (primary)
		kref_get(&primary->ref);
	return chan;
}

struct ovid_chan *ovid_chan_new(struct ovid_vmbus *vmbus, const struct ovid_chan_ops *ops,
				void *priv)
{
	return new_chan(vmbus, ops, priv, NULL, 0);
}

struct ovid_chan *ovid_chan_new_sub(struct ovid_chan *primary, u16 index)
{
	const struct vmbus_w_offer *of = &primary->bc.offer;
	struct ovid_chan *chan = new_chan(primary->vmbus, primary->ops->sub, NULL, primary, index);

	if (IS_ERR(chan))
		return chan;
	chan->bc.offer = (struct vmbus_w_offer){
		.type = of->type, .instance = of->instance, .flags = of->flags,
		.sub_index = index,
	};
	memcpy(chan->bc.offer.user, of->user, sizeof(of->user));
	return chan;
}

/* a hypercall that has found its port may look at it until the grace period ends */
static void chan_release(struct kref *ref)
{
	struct ovid_chan *chan = container_of(ref, struct ovid_chan, ref);

	if (chan->ops->detach)
		chan->ops->detach(chan);
	if (chan->primary)
		ovid_chan_put(chan->primary);
	module_put(chan->ops->owner);
	mutex_destroy(&chan->lock);
	kfree_rcu(chan, rcu);
}

void ovid_chan_put(struct ovid_chan *chan)
{
	kref_put(&chan->ref, chan_release);
}

static struct vmbus_w_guid or_default(const u8 *id, const struct vmbus_w_guid *usual)
{
	struct vmbus_w_guid guid;

	memcpy(guid.b, id, sizeof(guid.b));
	return memchr_inv(guid.b, 0, sizeof(guid.b)) ? guid : *usual;
}

int ovid_chan_to_bus(struct ovid_chan *chan)
{
	struct ovid_vmbus *vmbus = chan->vmbus;
	int err;

	lockdep_assert_held(&vmbus->lock);
	chan->number = vmbus->offers++;
	err = ovid_bus_offer(&vmbus->bus, &chan->bc);
	trace_chan_offer(chan, err);
	if (!err)
		list_add_tail(&chan->node, &vmbus->channels);
	return err;
}

/* the channel becomes the bus's: 0 or -errno */
static int offer(struct ovid_chan *chan, const struct ovid_vmbus_offer *arg)
{
	struct vmbus_w_offer *offer = &chan->bc.offer;

	offer->type = or_default(arg->type, &chan->ops->type);
	offer->instance = or_default(arg->instance, &chan->ops->instance);
	offer->flags = arg->offer_flags | chan->ops->offer_flags;
	offer->mmio_mb = arg->mmio_mb;
	offer->sub_index = arg->sub_index;
	chan->bc.latency = arg->latency;
	memcpy(offer->user, arg->user, sizeof(offer->user));
	if (chan->ops->offer_flags & VMBUS_OFFER_NAMED_PIPE)
		memcpy(offer->user, &chan->ops->pipe_mode, sizeof(chan->ops->pipe_mode));
	kref_get(&chan->ref);
	scoped_guard(mutex, &chan->vmbus->lock) {
		int err = ovid_chan_to_bus(chan);

		if (!err)
			return 0;
		ovid_chan_put(chan);
		return err;
	}
}

int ovid_chan_offer(struct ovid_chan *chan, const struct ovid_vmbus_offer *arg)
{
	int err = offer(chan, arg);

	if (err)
		return err;
	kref_get(&chan->ref);
	ovid_bus_part_get(chan->vmbus->part);
	ovid_chan_debugfs_add(chan);
	return 0;
}

/* its sub-channels are closed, too, and may share something with those that have their turns */
static void revoke(struct ovid_chan *chan)
{
	struct ovid_vmbus *vmbus = chan->vmbus;

	guard(mutex)(&vmbus->turn);
	guard(mutex)(&vmbus->lock);
	trace_chan_rescind(chan, 0);
	if (ovid_bus_revoke(&vmbus->bus, &chan->bc)) {
		list_del_init(&chan->node);
		ovid_chan_put(chan);
	}
}

void ovid_chan_revoke(struct ovid_chan *chan)
{
	struct ovid_vmbus *vmbus = chan->vmbus;

	ovid_chan_debugfs_del(chan);
	revoke(chan);
	ovid_chan_put(chan);
	ovid_bus_part_put(vmbus->part);
}
EXPORT_SYMBOL_GPL(ovid_chan_revoke);

/* ---- signals ---- */

/*
 * @vp does the work itself when it waits, or has it done soon; or NULL: the thread is woken.
 * Who kicks a channel that a VP has put off does not make it go sooner.
 */
static void queue(struct ovid_chan *chan, struct ovid_vp *vp)
{
	struct ovid_vmbus *vmbus = chan->vmbus;

	guard(spinlock_irqsave)(&vmbus->ready_lock);
	if (chan->queued || vmbus->stopped || !kref_get_unless_zero(&chan->ref))
		return;
	chan->queued = true;
	list_add_tail(&chan->ready, &vmbus->ready);
	if (vp)
		ovid_bus_put_off(vp);
	else
		ovid_vmbus_wake(vmbus);
}

void ovid_chan_kick(struct ovid_chan *chan)
{
	queue(chan, NULL);
}
EXPORT_SYMBOL_GPL(ovid_chan_kick);

struct ovid_chan *ovid_chan_next(struct ovid_vmbus *vmbus, bool quick)
{
	struct ovid_chan *chan;

	guard(spinlock_irqsave)(&vmbus->ready_lock);
	chan = list_first_entry_or_null(&vmbus->ready, struct ovid_chan, ready);
	if (!chan || (quick && !chan->ops->quick))
		return NULL;
	list_del_init(&chan->ready);
	/* who kicks from here on queues it again */
	chan->queued = false;
	return chan;
}

bool ovid_chan_ring(struct ovid_chan *chan)
{
	guard(spinlock_irqsave)(&chan->eventfd_lock);
	if (!chan->eventfd)
		return false;
	eventfd_signal(chan->eventfd);
	return true;
}

/* the thread would wait for the CPU that the VP has, if it was woken */
static bool in_its_way(const struct ovid_vmbus *vmbus)
{
	return READ_ONCE(vmbus->only_cpu) == raw_smp_processor_id();
}

/* who serves the channel by its file is woken by the VP itself, without our thread between them */
void ovid_chan_signalled(struct ovid_chan *chan, struct ovid_vp *vp)
{
	trace_chan_signal_in(chan, VMBUS_VP_NONE);
	atomic64_inc(&chan->stats.signals_in);
	if (READ_ONCE(chan->eventfd) && ovid_chan_ring(chan))
		return;
	queue(chan, vp && chan->ops->quick && in_its_way(chan->vmbus) ? vp : NULL);
}

static int guest_signal(struct ovid_port *port, struct ovid_vp *vp, unsigned int flag)
{
	if (flag)
		return HV_STATUS_INVALID_PARAMETER;
	ovid_chan_signalled(container_of(port, struct ovid_chan, port), vp);
	return HV_STATUS_SUCCESS;
}

static void port_removed(struct ovid_port *port)
{
}

static const struct ovid_port_ops port_ops = {
	.signal = guest_signal,
	.removed = port_removed,
};

/* before version 2.4 channels have flags in a page of the guest's, and one event for all */
static void signal_legacy(struct ovid_chan *chan)
{
	struct ovid_vmbus *vmbus = chan->vmbus;

	if (vmbus->interrupt_page)
		set_bit(chan->bc.relid, page_address(vmbus->interrupt_page->pages[0]));
	ovid_guest_signal(vmbus->part, 0, OVID_BUS_SINT, 0);
}

int ovid_chan_signal_now(struct ovid_chan *chan)
{
	lockdep_assert_held(&chan->lock);
	if (!chan->open || !chan->answered)
		return -EINVAL;
	trace_chan_signal_out(chan, chan->vp);
	chan->stats.signals_out++;
	if (chan->version < VMBUS_V2_4)
		signal_legacy(chan);
	else
		ovid_guest_signal(chan->vmbus->part, chan->vp, OVID_BUS_SINT, chan->bc.relid);
	return 0;
}

/*
 * A guest that waits for space gets on better with a quarter of the ring than with the first
 * packet's: as long as @more is to be read in the next turn, it is not told of less.
 */
static bool enough_freed(struct ovid_chan *chan, bool more)
{
	return !more || ovid_ring_waiting(&chan->in) <= chan->in.size / 4 * 3;
}

/* publish what was read and written, and tell the guest if it wants to know */
static void flush(struct ovid_chan *chan, bool more)
{
	lockdep_assert_held(&chan->lock);
	if (!chan->open)
		return;
	if (ovid_ring_commit_read(&chan->in))
		chan->freed = true;
	if (ovid_ring_commit_write(&chan->out))
		chan->signal = true;
	if (chan->freed && enough_freed(chan, more)) {
		chan->freed = false;
		chan->signal = true;
	}
	ovid_guest_dirty(chan->pins, 0, 1);
	ovid_guest_dirty(chan->pins, chan->out_page, chan->pins->nr - chan->out_page);
	if (!chan->signal)
		return;
	chan->signal = false;
	ovid_chan_signal_now(chan);
}

/* ---- rings ---- */

/* @pages of a ring, the data twice; returns how many */
static u32 list_pages(struct page **list, struct page **pages, u32 nr)
{
	memcpy(list, pages, nr * sizeof(*list));
	memcpy(list + nr, pages + 1, (nr - 1) * sizeof(*list));
	return 2 * nr - 1;
}

static int map_rings(struct ovid_chan *chan)
{
	struct ovid_pins *pins = chan->pins;
	u32 in_pages = chan->out_page, out_pages = pins->nr - in_pages, n;
	struct page **list __free(kvfree) =
		kvcalloc(2 * pins->nr, sizeof(*list), GFP_KERNEL_ACCOUNT);
	void *out;

	if (!list)
		return -ENOMEM;
	n = list_pages(list, pins->pages, in_pages);
	out = (void *)(n * PAGE_SIZE);
	n += list_pages(list + n, pins->pages + in_pages, out_pages);
	chan->map = vmap(list, n, VM_MAP, PAGE_KERNEL);
	if (!chan->map)
		return -ENOMEM;
	out = chan->map + (unsigned long)out;
	return ovid_ring_init_in(&chan->in, chan->map, chan->map + PAGE_SIZE,
				 (in_pages - 1) * PAGE_SIZE) ?:
	       ovid_ring_init_out(&chan->out, out, out + PAGE_SIZE, (out_pages - 1) * PAGE_SIZE);
}

static void unmap_rings(struct ovid_chan *chan)
{
	vunmap(chan->map);
	chan->map = NULL;
	chan->pins = NULL;
}

/* what the guest has said with the open; 0 or an error of map_rings() */
static int prepare(struct ovid_chan *chan)
{
	const struct ovid_chan_buffer *ring = chan->bc.ring->pinned;

	lockdep_assert_held(&chan->lock);
	chan->vp = chan->bc.target_vp;
	chan->version = chan->vmbus->bus.version;
	chan->broken = false;
	chan->signal = false;
	chan->freed = false;
	chan->pins = ring->pins;
	chan->out_page = chan->bc.downstream;
	return chan->ops->raw ? 0 : map_rings(chan);
}

/* as the provider's open: 0, -EINPROGRESS or an error */
static int begin(struct ovid_chan *chan)
{
	int err;

	guard(mutex)(&chan->lock);
	err = prepare(chan);
	if (err) {
		unmap_rings(chan);
		return err;
	}
	chan->open = true;
	err = chan->ops->open ? chan->ops->open(chan) : 0;
	chan->answered = !err;
	if (!err || err == -EINPROGRESS)
		return err;
	chan->open = false;
	unmap_rings(chan);
	return err;
}

static void end(struct ovid_chan *chan)
{
	guard(mutex)(&chan->lock);
	if (!chan->open)
		return;
	if (chan->ops->close)
		chan->ops->close(chan);
	chan->open = false;
	unmap_rings(chan);
}

/* signals of the guest are taken; each channel is looked at once without one */
static int connect_port(struct ovid_chan *chan)
{
	int err;

	chan->port.ops = &port_ops;
	err = ovid_port_add(chan->vmbus->part, chan->bc.offer.connection_id, &chan->port);
	if (err)
		end(chan);
	else
		ovid_chan_kick(chan);
	return err;
}

int ovid_chan_open(struct ovid_chan *chan)
{
	int started = begin(chan);

	if (started && started != -EINPROGRESS)
		return started;
	return connect_port(chan) ?: started;
}

/* a ring that the guest has broken stays so; that is no reason not to move it */
static int begin_again(struct ovid_chan *chan, const void *buf, u32 bytes)
{
	int err;

	guard(mutex)(&chan->lock);
	err = prepare(chan);
	if (err == -EPROTO)
		chan->broken = true;
	else if (err)
		goto unmap;
	/* whether it was told of space that was freed is not known any more */
	chan->freed = true;
	chan->open = true;
	err = chan->ops->restore(chan, true, buf, bytes);
	if (!err) {
		chan->answered = true;
		return 0;
	}
	chan->open = false;
unmap:
	unmap_rings(chan);
	return err;
}

static void forget(struct ovid_chan *chan)
{
	guard(mutex)(&chan->lock);
	if (chan->ops->forget)
		chan->ops->forget(chan);
}

static int restore_open(struct ovid_chan *chan, const void *buf, u32 bytes)
{
	int err;

	if (!chan->ops->restore)
		return -EOPNOTSUPP;
	err = begin_again(chan, buf, bytes);
	if (err)
		return err;
	err = connect_port(chan);
	if (err)
		forget(chan);
	return err;
}

/* as if the guest had just opened it: whoever serves it is asked again, and answers later */
static int restore_opening(struct ovid_chan *chan)
{
	int err = ovid_chan_open(chan);

	if (err == -EINPROGRESS)
		return 0;
	if (!err)
		ovid_chan_close(chan);
	forget(chan);
	return err ?: -EINVAL;
}

static int restore_closed(struct ovid_chan *chan, const void *buf, u32 bytes)
{
	guard(mutex)(&chan->lock);
	if (chan->ops->restore)
		return chan->ops->restore(chan, false, buf, bytes);
	return bytes ? -EINVAL : 0;
}

int ovid_chan_restore(struct ovid_chan *chan, const void *buf, u32 bytes)
{
	switch (chan->bc.state) {
	case OVID_CHAN_OPEN:
		return restore_open(chan, buf, bytes);
	case OVID_CHAN_OPENING:
		return bytes ? -EINVAL : restore_opening(chan);
	default:
		return restore_closed(chan, buf, bytes);
	}
}

void ovid_chan_unrestore(struct ovid_chan *chan)
{
	if (chan->bc.state != OVID_CHAN_CLOSED)
		ovid_chan_close(chan);
	forget(chan);
}

void ovid_chan_close(struct ovid_chan *chan)
{
	ovid_port_remove(chan->vmbus->part, chan->bc.offer.connection_id, &chan->port);
	end(chan);
}

int ovid_chan_opened(struct ovid_chan *chan, int err, const u32 *now, u32 serial)
{
	struct ovid_vmbus *vmbus = chan->vmbus;

	guard(mutex)(&vmbus->lock);
	if (chan->bc.state != OVID_CHAN_OPENING || *now != serial)
		return -ESTALE;
	if (err)
		ovid_chan_close(chan);
	ovid_bus_open_done(&vmbus->bus, &chan->bc, err);
	ovid_chan_note_open(chan, err);
	if (err)
		return 0;
	scoped_guard(mutex, &chan->lock)
		chan->answered = true;
	ovid_chan_kick(chan);
	return 0;
}

/* ---- work ---- */

/* asked for anew each time: a guest that frees space now and then need not remember */
static bool has_space(struct ovid_chan *chan)
{
	return chan->want && ovid_ring_want_space(&chan->out, chan->want);
}

/* true: once more */
static bool work(struct ovid_chan *chan)
{
	bool more;

	chan->want = 0;
	more = chan->ops->work && chan->ops->work(chan);
	flush(chan, more);
	return more || has_space(chan);
}

/* the same, and true as well while it pays to wait awake for the next packet */
static bool work_and_wait(struct ovid_chan *chan)
{
	unsigned int longest = READ_ONCE(chan_poll_us);
	u32 at = chan->in.at;
	u64 begun = ovid_poll_now(&chan->poll);
	bool more;

	more = work(chan);
	if (chan->in.at != at) {
		ovid_poll_end(&chan->poll, begun, longest);
		ovid_poll_begin(&chan->poll, longest);
	}
	return more || ovid_poll_more(&chan->poll);
}

/*
 * The guest need not signal while we look; before we stop looking we ask for signals again, and
 * look once more.
 */
static void run(struct ovid_chan *chan, struct ovid_vp *vp)
{
	bool more;

	guard(mutex)(&chan->lock);
	if (!chan->open || !chan->answered || chan->broken)
		return;
	chan->stats.turns++;
	if (chan->ops->raw) {
		chan->ops->work(chan);
		return;
	}
	chan->stalled = false;
	ovid_ring_mask(&chan->in);
	more = vp ? work(chan) : work_and_wait(chan);
	more = more || (!chan->stalled && ovid_ring_unmask(&chan->in));
	if (more && !chan->broken)
		queue(chan, vp);
}

void ovid_chan_run(struct ovid_chan *chan, struct ovid_vp *vp)
{
	run(chan, vp);
	if (!list_empty(&chan->subs))
		ovid_chan_offer_subs(chan);
}

/* ---- providers ---- */

void ovid_chan_set_priv(struct ovid_chan *chan, void *priv)
{
	chan->priv = priv;
}

const u8 *ovid_chan_open_words(const struct ovid_chan *chan)
{
	return chan->bc.user;
}

void *ovid_chan_priv(const struct ovid_chan *chan)
{
	return chan->priv;
}
EXPORT_SYMBOL_GPL(ovid_chan_priv);

static int broken(struct ovid_chan *chan)
{
	if (chan->broken)
		return -EPROTO;
	ovid_err("partition %u: ring of channel %u (%s) is broken",
		 ovid_bus_part_id(chan->vmbus->part), chan->bc.relid, chan->ops->name);
	chan->broken = true;
	chan->stats.broken++;
	atomic64_inc(&chan->vmbus->counts.rings_broken);
	trace_chan_broken(chan, -EPROTO);
	return -EPROTO;
}

int ovid_chan_peek(struct ovid_chan *chan, struct ovid_packet *pkt)
{
	int ret;

	lockdep_assert_held(&chan->lock);
	if (!chan->open || chan->broken)
		return -EPROTO;
	ret = ovid_ring_peek(&chan->in, pkt);
	if (ret <= 0)
		return ret ? broken(chan) : -EAGAIN;
	return ovid_fault_packet_in(chan) ? -EAGAIN : 0;
}
EXPORT_SYMBOL_GPL(ovid_chan_peek);

bool ovid_chan_copy(struct ovid_chan *chan, const struct ovid_packet *pkt, u32 off, void *buf,
		    u32 len)
{
	lockdep_assert_held(&chan->lock);
	return off <= pkt->payload && len <= pkt->payload - off &&
	       ovid_ring_copy(&chan->in, pkt, pkt->header + off, buf, len);
}
EXPORT_SYMBOL_GPL(ovid_chan_copy);

void ovid_chan_pop(struct ovid_chan *chan, const struct ovid_packet *pkt)
{
	lockdep_assert_held(&chan->lock);
	ovid_ring_pop(&chan->in, pkt);
	ovid_chan_stats_recv(&chan->stats, pkt->payload);
}
EXPORT_SYMBOL_GPL(ovid_chan_pop);

/* the list behind the descriptor, and a word with their number before it */
static void copy_ranges(struct ovid_chan *chan, const struct ovid_packet *pkt,
			struct ovid_chan_ranges *r)
{
	u32 head_at = sizeof(struct vmbus_w_packet), list_at = head_at + sizeof(u64), bytes;
	u32 head[2];
	int pages;

	r->err = 0;
	r->count = 0;
	if (pkt->type != VMBUS_PKT_GPA_DIRECT)
		return;
	r->err = -EPROTO;
	if (pkt->header < list_at || !ovid_ring_copy(&chan->in, pkt, head_at, head, sizeof(head)))
		return;
	bytes = pkt->header - list_at;
	if (bytes > r->room) {
		r->err = -EMSGSIZE;
		return;
	}
	if (!ovid_ring_copy(&chan->in, pkt, list_at, r->list, bytes))
		return;
	pages = ovid_ranges_check(r->list, bytes, head[1]);
	if (pages < 0)
		return;
	r->err = 0;
	r->count = head[1];
	r->pages = pages;
	r->bytes = ovid_ranges_bytes(r->list, bytes, head[1]);
}

int ovid_chan_recv_ranges(struct ovid_chan *chan, struct ovid_packet *pkt, void *buf, u32 max,
			  struct ovid_chan_ranges *ranges)
{
	int ret = ovid_chan_peek(chan, pkt);

	if (ret)
		return ret;
	ret = pkt->payload;
	if (pkt->payload > max || !ovid_ring_copy(&chan->in, pkt, pkt->header, buf, pkt->payload))
		ret = -EMSGSIZE;
	if (ranges)
		copy_ranges(chan, pkt, ranges);
	ovid_ring_pop(&chan->in, pkt);
	ovid_chan_stats_recv(&chan->stats, ret);
	return ret;
}

int ovid_chan_recv(struct ovid_chan *chan, struct ovid_packet *pkt, void *buf, u32 max)
{
	return ovid_chan_recv_ranges(chan, pkt, buf, max, NULL);
}

/* a piece for each page, and the pfns in a row at the beginning of the list */
static void lay_out(struct ovid_chan_held *held, struct ovid_chan_ranges *r)
{
	u32 at = 0, list_bytes = (r->count + r->pages) * sizeof(u64), bytes, offset, len;
	const u64 *pfn;

	while ((pfn = ovid_range_next(r->list, list_bytes, &at, &bytes, &offset))) {
		for (; bytes; bytes -= len, offset = 0) {
			len = min_t(u32, bytes, PAGE_SIZE - offset);
			held->vec[held->nr].bv_offset = offset;
			held->vec[held->nr].bv_len = len;
			/* they come from behind where they go */
			r->list[held->nr++] = *pfn++;
		}
	}
}

struct ovid_chan_held *ovid_chan_hold(struct ovid_chan *chan, struct ovid_chan_ranges *ranges)
{
	struct ovid_chan_held *held;
	struct ovid_pins *pins;
	u32 i;

	held = kvmalloc(struct_size(held, vec, ranges->pages), GFP_KERNEL_ACCOUNT);
	if (!held)
		return ERR_PTR(-ENOMEM);
	held->bytes = ranges->bytes;
	held->nr = 0;
	lay_out(held, ranges);
	pins = ovid_guest_pin(chan->vmbus->part, ranges->list, held->nr);
	if (IS_ERR(pins)) {
		kvfree(held);
		return ERR_CAST(pins);
	}
	held->pins = pins;
	for (i = 0; i < held->nr; i++)
		held->vec[i].bv_page = pins->pages[i];
	return held;
}

void ovid_chan_let_go(struct ovid_chan_held *held, bool written)
{
	ovid_guest_unpin(held->pins, written);
	kvfree(held);
}

void ovid_chan_give_up(struct ovid_chan_held *held)
{
	ovid_guest_disown(held->pins);
}

/* @header: bytes of @vec that come before the payload */
static int send(struct ovid_chan *chan, struct vmbus_w_packet desc, u32 header,
		const struct ovid_ring_vec *vec, unsigned int nr)
{
	unsigned int i;
	u32 len = 0;
	int err;

	lockdep_assert_held(&chan->lock);
	if (!chan->open || chan->broken)
		return -EPROTO;
	for (i = 0; i < nr; i++)
		len += vec[i].len;
	err = ovid_ring_write(&chan->out, desc, header, vec, nr);
	if (err == -EAGAIN)
		chan->want = max(chan->want, ovid_ring_packet_bytes(0, len));
	ovid_chan_stats_send(&chan->stats, err, len - header);
	ovid_fault_packet_out(chan, err, len);
	return err == -EPROTO ? broken(chan) : err;
}

int ovid_chan_send_vec(struct ovid_chan *chan, u16 type, u16 flags, u64 trans_id,
		       const struct ovid_ring_vec *vec, unsigned int nr)
{
	const struct vmbus_w_packet desc = { .type = type, .flags = flags, .trans_id = trans_id };

	return send(chan, desc, 0, vec, nr);
}
EXPORT_SYMBOL_GPL(ovid_chan_send_vec);

int ovid_chan_send(struct ovid_chan *chan, u16 type, u16 flags, u64 trans_id, const void *buf,
		   u32 len)
{
	const struct ovid_ring_vec vec = { .base = buf, .len = len };

	return ovid_chan_send_vec(chan, type, flags, trans_id, &vec, 1);
}

int ovid_chan_send_pages(struct ovid_chan *chan, u16 flags, u64 trans_id, u16 set,
			 const struct vmbus_w_range *ranges, u32 nr, const void *buf, u32 len)
{
	const struct vmbus_w_packet desc = {
		.type = VMBUS_PKT_XFER_PAGES, .flags = flags, .trans_id = trans_id,
	};
	const struct vmbus_w_pages head = { .set = set, .nr_ranges = nr };
	const struct ovid_ring_vec vec[] = {
		{ .base = &head, .len = sizeof(head) },
		{ .base = ranges, .len = array_size(nr, sizeof(*ranges)) },
		{ .base = buf, .len = len },
	};

	return send(chan, desc, vec[0].len + vec[1].len, vec, ARRAY_SIZE(vec));
}

u32 ovid_chan_room(const struct ovid_chan *chan)
{
	lockdep_assert_held(&chan->lock);
	return chan->open && !chan->broken ? ovid_ring_room(&chan->out) : 0;
}
EXPORT_SYMBOL_GPL(ovid_chan_room);

void ovid_chan_signal(struct ovid_chan *chan)
{
	lockdep_assert_held(&chan->lock);
	chan->signal = true;
}

void ovid_chan_stall(struct ovid_chan *chan)
{
	lockdep_assert_held(&chan->lock);
	chan->stalled = true;
}
EXPORT_SYMBOL_GPL(ovid_chan_stall);

void ovid_chan_wake(struct ovid_chan *chan)
{
	/* before the look of whoever waits, which the wake-up orders behind it */
	atomic_inc(&chan->wakes);
	wake_up_interruptible_poll(&chan->wait, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM);
}

void ovid_chan_poll_wait(struct ovid_chan *chan, struct file *file, poll_table *wait)
{
	poll_wait(file, &chan->wait, wait);
}

u64 ovid_chan_reference_time(const struct ovid_chan *chan)
{
	return ovid_bus_reference_time(chan->vmbus->part);
}

struct ovid_chan *ovid_chan_primary(const struct ovid_chan *chan)
{
	return chan->primary;
}

u16 ovid_chan_index(const struct ovid_chan *chan)
{
	return chan->bc.offer.sub_index;
}

u32 ovid_chan_vps(const struct ovid_chan *chan)
{
	return ovid_bus_vps(chan->vmbus->part);
}

u32 ovid_chan_bus_version(const struct ovid_chan *chan)
{
	return chan->version;
}
