// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels served by a process: who has the file reads what the guest wants, answers,
 * and works on the rings by its own mapping of them.
 *
 * There is at most one open and one close that it does not know of, so nothing queues:
 * an open that the guest takes back unread never was.
 */
#include <linux/cleanup.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "server.h"

#define MAX_REST	256	/* pages of a ring that is kept */

/**
 * struct user_chan - chan->lock
 * @reading: one reader at a time: what is copied is what is taken; above chan->lock
 * @serial: of the last open
 * @opened: an open that was not read yet
 * @known: the last open was read
 * @gone: a close that was not read yet, of an open that was
 * @restored: the last open was not the guest's: the channel was moved
 * @nobody: what a mapping leads to when the channel is closed
 * @rest: but for the ring towards the host, if the guest has said something that was not read: a
 *	copy, until who serves it has read of the close; or NULL
 * @nr_rest: pages of @rest
 */
struct user_chan {
	struct mutex reading;	/* see above */
	u32 serial;
	bool opened;
	bool known;
	bool gone;
	bool restored;
	struct page *nobody;
	struct page **rest;
	u32 nr_rest;
};

static int user_attach(struct ovid_chan *chan)
{
	struct user_chan *uc = kzalloc(sizeof(*uc), GFP_KERNEL_ACCOUNT);

	if (!uc)
		return -ENOMEM;
	uc->nobody = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!uc->nobody) {
		kfree(uc);
		return -ENOMEM;
	}
	mutex_init(&uc->reading);
	ovid_chan_set_priv(chan, uc);
	return 0;
}

/* a signal that has begun is over before the old one goes */
static void set_ring(struct ovid_chan *chan, struct eventfd_ctx *ctx)
{
	scoped_guard(spinlock_irqsave, &chan->eventfd_lock)
		swap(chan->eventfd, ctx);
	if (ctx)
		eventfd_ctx_put(ctx);
}

static void free_rest(struct user_chan *uc)
{
	while (uc->nr_rest)
		__free_page(uc->rest[--uc->nr_rest]);
	kvfree(uc->rest);
	uc->rest = NULL;
}

static void user_detach(struct ovid_chan *chan)
{
	struct user_chan *uc = ovid_chan_priv(chan);

	set_ring(chan, NULL);
	free_rest(uc);
	__free_page(uc->nobody);
	kfree(uc);
}

/* whoever touches its mapping again finds the pages of now */
static void unmap_all(struct ovid_chan *chan)
{
	unmap_mapping_range(chan->mapping, 0, 0, 1);
}

static void drop_rest(struct ovid_chan *chan)
{
	struct user_chan *uc = ovid_chan_priv(chan);

	if (!uc->rest)
		return;
	unmap_all(chan);
	free_rest(uc);
}

/*
 * A guest may say something and close at once, as Linux does with a socket that the host has
 * shut down on its side; its memory is its own again then.
 */
static void keep_rest(struct ovid_chan *chan)
{
	const struct vmbus_w_ring *ring = page_address(chan->pins->pages[0]);
	struct user_chan *uc = ovid_chan_priv(chan);
	u32 nr = chan->out_page;

	if (!uc->known || READ_ONCE(ring->write) == READ_ONCE(ring->read) || nr > MAX_REST)
		return;
	uc->rest = kvcalloc(nr, sizeof(*uc->rest), GFP_KERNEL_ACCOUNT);
	while (uc->rest && uc->nr_rest < nr) {
		struct page *page = alloc_page(GFP_KERNEL_ACCOUNT);

		if (!page) {
			free_rest(uc);
			break;
		}
		copy_highpage(page, chan->pins->pages[uc->nr_rest]);
		uc->rest[uc->nr_rest++] = page;
	}
}

static void tell_open(struct ovid_chan *chan, bool restored)
{
	struct user_chan *uc = ovid_chan_priv(chan);

	uc->serial++;
	uc->opened = true;
	uc->known = false;
	uc->restored = restored;
	unmap_all(chan);
	free_rest(uc);
	ovid_chan_wake(chan);
}

static int user_open(struct ovid_chan *chan)
{
	tell_open(chan, false);
	return -EINPROGRESS;
}

/* whoever has this file has not read what the other one was told */
static int user_restore(struct ovid_chan *chan, bool open, const void *buf, u32 bytes)
{
	if (bytes)
		return -EINVAL;
	if (open)
		tell_open(chan, true);
	return 0;
}

static void user_close(struct ovid_chan *chan)
{
	struct user_chan *uc = ovid_chan_priv(chan);

	/* faults wait for chan->lock, and find it closed */
	chan->open = false;
	unmap_all(chan);
	keep_rest(chan);
	uc->opened = false;
	uc->gone |= uc->known;
	uc->known = false;
	ovid_guest_dirty(chan->pins, 0, chan->pins->nr);
	ovid_chan_wake(chan);
}

static bool user_work(struct ovid_chan *chan)
{
	ovid_chan_ring(chan);
	return false;
}

/* ---- what the guest wants ---- */

static void fill_open(struct ovid_chan *chan, struct ovid_channel_event *event)
{
	struct user_chan *uc = ovid_chan_priv(chan);

	event->kind = uc->restored ? OVID_CHANNEL_RESTORED : OVID_CHANNEL_OPENED;
	event->serial = uc->serial;
	event->target_vp = chan->vp;
	event->in_bytes = (chan->out_page - 1) * PAGE_SIZE;
	event->out_bytes = (chan->pins->nr - chan->out_page - 1) * PAGE_SIZE;
	event->version = chan->version;
	memcpy(event->user, chan->bc.user, sizeof(event->user));
}

/* the next event stays as it is: true if there is one */
static bool peek_event(struct ovid_chan *chan, struct ovid_channel_event *event)
{
	struct user_chan *uc = ovid_chan_priv(chan);

	if (uc->gone) {
		event->kind = OVID_CHANNEL_GONE;
		return true;
	}
	if (uc->opened)
		fill_open(chan, event);
	return uc->opened;
}

/* it was read; the guest may have taken back the open meanwhile, and made another */
static void drop_event(struct ovid_chan *chan, const struct ovid_channel_event *event)
{
	struct user_chan *uc = ovid_chan_priv(chan);

	if (event->kind == OVID_CHANNEL_GONE) {
		uc->gone = false;
		drop_rest(chan);
	} else if (uc->opened && uc->serial == event->serial) {
		uc->opened = false;
		uc->known = true;
	} else {
		uc->gone = true;
	}
}

static bool has_event(struct ovid_chan *chan)
{
	const struct user_chan *uc = ovid_chan_priv(chan);

	return READ_ONCE(uc->gone) || READ_ONCE(uc->opened);
}

/* what cannot be copied stays; chan->lock is not held over it, since faults take that */
static ssize_t user_read(struct ovid_chan *chan, struct file *file, char __user *buf, size_t len)
{
	struct user_chan *uc = ovid_chan_priv(chan);
	struct ovid_channel_event event = {};
	bool there;

	if (len < sizeof(event))
		return -EINVAL;
	guard(mutex)(&uc->reading);
	scoped_guard(mutex, &chan->lock)
		there = peek_event(chan, &event);
	if (!there)
		return -EAGAIN;
	if (copy_to_user(buf, &event, sizeof(event)))
		return -EFAULT;
	scoped_guard(mutex, &chan->lock)
		drop_event(chan, &event);
	return sizeof(event);
}

static __poll_t user_poll(struct ovid_chan *chan, struct file *file, poll_table *wait)
{
	ovid_chan_poll_wait(chan, file, wait);
	return has_event(chan) ? EPOLLIN | EPOLLRDNORM : 0;
}

/* ---- calls ---- */

static int reply(struct ovid_chan *chan, const struct ovid_channel_reply *arg)
{
	struct user_chan *uc = ovid_chan_priv(chan);

	if (arg->refuse > MAX_ERRNO)
		return -EINVAL;
	return ovid_chan_opened(chan, -(int)arg->refuse, &uc->serial, arg->serial);
}

static int set_eventfd(struct ovid_chan *chan, const struct ovid_channel_eventfd *arg)
{
	struct eventfd_ctx *ctx = NULL;

	if (arg->pad || arg->fd < -1)
		return -EINVAL;
	if (arg->fd >= 0)
		ctx = eventfd_ctx_fdget(arg->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	set_ring(chan, ctx);
	/* what it was not told of */
	ovid_chan_ring(chan);
	return 0;
}

static int signal_guest(struct ovid_chan *chan)
{
	guard(mutex)(&chan->lock);
	return ovid_chan_signal_now(chan);
}

static long user_ioctl(struct ovid_chan *chan, unsigned int cmd, void *arg)
{
	switch (cmd) {
	case OVID_CHANNEL_REPLY:
		return reply(chan, arg);
	case OVID_CHANNEL_EVENTFD:
		return set_eventfd(chan, arg);
	case OVID_CHANNEL_SIGNAL:
		return signal_guest(chan);
	default:
		return -ENOTTY;
	}
}

/* ---- rings ---- */

/* page @at of a ring's mapping: indexes, data, the data again; NULL: it is behind them */
static struct page *twice(struct page **pages, u32 nr, unsigned long at)
{
	if (at >= 2 * nr - 1)
		return NULL;
	return pages[at < nr ? at : at - nr + 1];
}

/* the same for both rings */
static struct page *ring_page(struct ovid_chan *chan, unsigned long at)
{
	u32 in = chan->out_page;

	return twice(chan->pins->pages, in, at) ?:
	       twice(chan->pins->pages + in, chan->pins->nr - in, at - (2 * in - 1));
}

/* of a channel that is closed */
static struct page *rest_page(struct user_chan *uc, unsigned long at)
{
	return (uc->rest ? twice(uc->rest, uc->nr_rest, at) : NULL) ?: uc->nobody;
}

static vm_fault_t user_fault(struct vm_fault *vmf)
{
	struct ovid_chan *chan = vmf->vma->vm_private_data;
	struct user_chan *uc = ovid_chan_priv(chan);
	struct page *page;

	guard(mutex)(&chan->lock);
	page = chan->open ? ring_page(chan, vmf->pgoff) : rest_page(uc, vmf->pgoff);
	if (!page)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));
}

static const struct vm_operations_struct user_vm_ops = {
	.fault = user_fault,
};

int ovid_user_mmap(struct ovid_chan *chan, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	vma->vm_private_data = chan;
	vma->vm_ops = &user_vm_ops;
	return 0;
}

const struct ovid_chan_ops ovid_user_ops = {
	.name = "",
	.raw = true,
	.ioctl = user_ioctl,
	.attach = user_attach,
	.detach = user_detach,
	.open = user_open,
	.close = user_close,
	.work = user_work,
	.read = user_read,
	.poll = user_poll,
	.restore = user_restore,
};
