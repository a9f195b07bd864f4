/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A partition's bus in the kernel: the state machine (bus.h) with a thread, queues
 * and memory around it.
 *
 *   server.c	life, the thread, what the vmm asks
 *   mail.c	control messages from and to the guest
 *   effects.c	what the state machine decides is done here
 *   monitor.c	monitor pages: guests that signal by a bit in memory
 *   channel.c	channels: signals, packets, the calls of providers
 *   subs.c		sub-channels of theirs
 *   buffer.c	memory that the guest has lent to them
 *   chan_file.c	OVID_VMBUS_OFFER and the file behind it
 *   late.c	what ends behind its channel
 *   user.c	channels that are served by whoever has the file
 *   sockets.c	what the guest wants to connect to, for a transport in the kernel (sockets.h)
 *   sockets_file.c	or OVID_VMBUS_SOCKETS, and the file behind it
 *   server_save.c	the state of it all, and back
 *   stats.c	counters and debugfs
 *   fault.c	faults that somebody has asked for, in a debug build
 *
 * Locks, outermost first: part->lock -> vmbus->turn -> vmbus->lock -> chan->lock.  Spinlocks,
 * below all of them: in_lock, out_lock (above synic->lock), ready_lock, a channel's eventfd_lock.
 */
#ifndef OVID_VMBUS_SERVER_H
#define OVID_VMBUS_SERVER_H

#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "../vmm/bus.h"
#include "../vmm/compat.h"
#include "../vmm/guestmem.h"
#include "../vmm/poll.h"
#include "../vmm/port.h"
#include "channel.h"
#include "fault.h"
#include "save.h"
#include "sockets.h"
#include "stats.h"

struct dentry;
struct eventfd_ctx;
struct vhost_task;
struct vm_area_struct;

#define OVID_VMBUS_IN_DEPTH	32	/* messages of the guest that wait */
#define OVID_VMBUS_OUT_MAX	8192	/* ... for it: a guest that lets more wait reads none */

/* bits of ovid_vmbus.scan */
#define OVID_SCAN_INTERRUPT	0	/* the interrupt page says which channels */
#define OVID_SCAN_MONITOR	1	/* the monitor page does */

/* a control message of the guest's */
struct ovid_vmbus_mail {
	u32 connection;
	u32 bytes;
	u8 data[VMBUS_MSG_BYTES] __aligned(8);
};

struct ovid_vmbus_port {
	struct ovid_port port;
	struct ovid_vmbus *vmbus;
	u32 connection;
};

/**
 * struct ovid_vmbus
 * @part:	which outlives it
 * @turn:	held by the thread for each round, by a VP that does one in its place, and by who
 *		else closes channels
 * @stands:	nothing is done or delivered until the partition is resumed; written under @turn
 *		and @out_lock
 * @restoring:	where the state stands that is being restored; @lock
 * @lock:	@bus, @channels, @sockets
 * @channels:	those that the bus knows
 * @sockets:	who takes the guest's connects, or NULL
 * @task:	the thread; it may have been killed with the worker, then nothing moves any more
 * @only_cpu:	the thread sleeps, and can run on that CPU alone; -1: on others, too.  Its own,
 *		read by VPs
 * @in ...:	ring of messages; @in_lock, any context
 * @out:	messages for the guest, the oldest first; @out_lock, any context
 * @out_lost:	a message could not be kept: the connection is to end
 * @ready:	channels with something to do; @ready_lock, any context
 * @stopped:	there is no thread any more; @ready_lock.  A provider's timer may still run
 * @scan:	bits OVID_SCAN_*: what the guest has signalled by a page of its own
 * @interrupt_page: of a guest of version 0.13 or 1.1, pinned; @lock
 * @monitor_page: from the guest to us, pinned; @lock, and while @monitor_timer stands still
 * @monitor_timer: looks at it each @monitor_ns, while a channel that has a monitor is open; @lock
 * @offers: there have been so many; @lock
 */
struct ovid_vmbus {
	struct ovid_partition *part;
	struct mutex turn;	/* see above */
	bool stands;
	struct ovid_saved *restoring;
	struct mutex lock;
	struct ovid_bus bus;
	struct list_head channels;
	struct ovid_sockets *sockets;
	struct vhost_task *task;
	int only_cpu;

	spinlock_t in_lock;
	u32 in_first;
	u32 in_count;
	struct ovid_vmbus_mail in[OVID_VMBUS_IN_DEPTH];

	spinlock_t out_lock;
	struct list_head out;
	u32 out_count;
	bool out_lost;

	spinlock_t ready_lock;
	struct list_head ready;
	bool stopped;
	unsigned long scan;
	struct ovid_pins *interrupt_page;
	struct ovid_pins *monitor_page;
	struct hrtimer monitor_timer;
	u32 monitor_ns;
	u32 offers;
	struct ovid_vmbus_counts counts;

	struct ovid_vmbus_port ports[3];
#ifdef OVID_FAULTS
	struct ovid_faults faults;
#endif
};

/**
 * struct ovid_chan - a channel
 * @bc:		the bus's view; vmbus->lock
 * @ref:	the bus, the file, the ready list
 * @primary:	of a sub-channel, with a reference; or NULL
 * @subs:	made and not offered yet; vmbus->turn
 * @lock:	@open, rings and all calls of @ops but read, write, poll: one after another
 * @open:	the guest has opened it
 * @answered:	and was told so
 * @broken:	the ring's content made no sense
 * @want:	bytes for which there was no space, in this turn; 0: none
 * @vp:		events go to that VP
 * @version:	of the connection, when it was opened
 * @map:	the rings' pages, each data area twice in a row
 * @mapping:	of the file, which outlives all offers
 * @pins:	of the ring's GPADL, the bus's
 * @buffers:	GPADLs that were made for it, struct ovid_chan_buffer; @lock
 * @signal:	the guest is to be told of something, when @ops->work returns
 * @freed:	it waits for space, which there is now
 * @stalled:	its provider takes no packets before it is kicked
 * @poll:	how long its ring is looked at before the guest has to signal again
 * @eventfd:	where they go on to, of a channel that its file serves, or NULL; @eventfd_lock
 * @port:	the guest's signals come here
 * @node:	in vmbus->channels
 * @ready:	in vmbus->ready while @queued
 * @wait:	those at the file
 * @wakes:	counts ovid_chan_wake()
 * @number:	of the offer, from 0: its name in debugfs
 */
struct ovid_chan {
	struct ovid_bus_chan bc;
	struct ovid_vmbus *vmbus;
	const struct ovid_chan_ops *ops;
	void *priv;
	struct kref ref;
	struct rcu_head rcu;
	struct ovid_chan *primary;
	struct list_head subs;

	struct mutex lock;
	bool open;
	bool answered;
	bool broken;
	bool signal;
	bool freed;
	bool stalled;
	u32 want;
	u32 vp;
	u32 version;
	u32 out_page;		/* of @pins: where the ring towards the guest begins */
	void *map;
	struct address_space *mapping;
	struct ovid_pins *pins;
	struct list_head buffers;
	struct ovid_ring in;
	struct ovid_ring out;
	struct ovid_poll poll;

	spinlock_t eventfd_lock;
	struct eventfd_ctx *eventfd;
	struct ovid_port port;
	struct list_head node;
	struct list_head ready;
	bool queued;

	wait_queue_head_t wait;
	atomic_t wakes;

	u32 number;
	struct dentry *debugfs;
	struct ovid_chan_stats stats;
#ifdef OVID_FAULTS
	bool to_rescind;	/* fault.c */
#endif
};

static inline struct ovid_chan *ovid_chan_of(struct ovid_bus_chan *bc)
{
	return container_of(bc, struct ovid_chan, bc);
}

/* for whoever reads it: one that a process serves has none of its own */
static inline const char *ovid_chan_provider(const struct ovid_chan *chan)
{
	return *chan->ops->name ? chan->ops->name : "user";
}

static inline bool ovid_mail_pending(const struct ovid_vmbus *vmbus)
{
	return READ_ONCE(vmbus->in_count);
}

/* providers in the kernel: NULL behind the last one; vsp/providers.c */
extern const struct ovid_chan_ops *const ovid_providers[];

/* any context */
static inline void ovid_vmbus_wake(struct ovid_vmbus *vmbus)
{
	vhost_task_wake(vmbus->task);
}

/* ---- mail.c ---- */
int ovid_mail_init(struct ovid_vmbus *vmbus);	/* adds the ports: 0 or -errno */
void ovid_mail_fini(struct ovid_vmbus *vmbus);	/* takes them away; sleeps */
bool ovid_mail_take(struct ovid_vmbus *vmbus, struct ovid_vmbus_mail *mail);
void ovid_mail_forget(struct ovid_vmbus *vmbus);	/* what the guest has posted */
/* effects, and retry */
void ovid_mail_post(struct ovid_bus *bus, const void *msg, u32 bytes);
void ovid_mail_drop_posts(struct ovid_bus *bus);
void ovid_mail_deliver(struct ovid_vmbus *vmbus);
/* both directions; vmbus->lock held, the bus stands */
void ovid_mail_save(struct ovid_vmbus *vmbus, struct ovid_saving *to);
/* for ovid_mail_restore(): 0 or -errno, then there is nothing in @mail */
int ovid_mail_read(struct ovid_vmbus *vmbus, struct ovid_saved *from, struct list_head *mail);
void ovid_mail_restore(struct ovid_vmbus *vmbus, struct list_head *mail);
void ovid_mail_free(struct list_head *mail);

/* ---- effects.c ---- */
extern const struct ovid_bus_effects ovid_vmbus_effects;
/* the interrupt page says which channels were signalled (versions before 2.4) */
void ovid_vmbus_scan(struct ovid_vmbus *vmbus);

/* ---- server.c ---- */
/* a guest that reads no messages has lost its connection; vmbus->lock held */
void ovid_vmbus_end_lost(struct ovid_vmbus *vmbus);

/* ---- server_save.c ---- */
/* OVID_VMBUS_STATE: the partition is paused, part->lock held */
long ovid_vmbus_state(struct ovid_vmbus *vmbus, struct ovid_vmbus_state *arg);
/* the partition goes on */
void ovid_vmbus_resume(struct ovid_vmbus *vmbus);
/* effects */
struct ovid_bus_chan *ovid_vmbus_gone(struct ovid_bus *bus);
int ovid_vmbus_restore_chan(struct ovid_bus *bus, struct ovid_bus_chan *bc, u32 index);
void ovid_vmbus_unrestore_chan(struct ovid_bus *bus, struct ovid_bus_chan *bc);
/* ---- monitor.c; vmbus->lock held but for the scan, in which the thread takes it ---- */
void ovid_monitor_init(struct ovid_vmbus *vmbus);
int ovid_monitor_move(struct ovid_vmbus *vmbus);	/* the page is another one: 0 or -errno */
void ovid_monitor_update(struct ovid_vmbus *vmbus);	/* a channel was opened or closed */
void ovid_monitor_scan(struct ovid_vmbus *vmbus);

/* ---- channel.c ---- */
/* @priv: what ovid_chan_priv() says, to attach as well */
struct ovid_chan *ovid_chan_new(struct ovid_vmbus *vmbus, const struct ovid_chan_ops *ops,
				void *priv);
void ovid_chan_put(struct ovid_chan *chan);
/* a sub-channel, as its offer says */
struct ovid_chan *ovid_chan_new_sub(struct ovid_chan *primary, u16 index);
/* it becomes the bus's, with the caller's reference: 0 or -errno; vmbus->lock held */
int ovid_chan_to_bus(struct ovid_chan *chan);
/*
 * One that was not offered yet: 0 or -errno.  Who has offered it has a reference, the
 * partition's as well, until ovid_chan_revoke() (sockets.h), which the file's end is, too.
 */
int ovid_chan_offer(struct ovid_chan *chan, const struct ovid_vmbus_offer *arg);
/* maps the rings and lets the provider begin: as effects->open; vmbus->lock held */
int ovid_chan_open(struct ovid_chan *chan);
void ovid_chan_close(struct ovid_chan *chan);
/*
 * What was saved of its provider, into a channel whose @bc is as it was: 0 or -errno, then it
 * is as it was offered; vmbus->lock held
 */
int ovid_chan_restore(struct ovid_chan *chan, const void *buf, u32 bytes);
void ovid_chan_unrestore(struct ovid_chan *chan);
/* one turn, vmbus->turn held; @vp: by the thread of that VP, or NULL: by ours */
void ovid_chan_run(struct ovid_chan *chan, struct ovid_vp *vp);
/*
 * The next channel with something to do, with a reference, or NULL.  @quick: not if that one's
 * provider may wait
 */
struct ovid_chan *ovid_chan_next(struct ovid_vmbus *vmbus, bool quick);

/* tell the process that serves the channel; any context.  False: there is no eventfd */
bool ovid_chan_ring(struct ovid_chan *chan);
/* by the guest; any context.  @vp: by its thread, or NULL: who looks is woken at once */
void ovid_chan_signalled(struct ovid_chan *chan, struct ovid_vp *vp);
/* tell the guest that there is news; -EINVAL: it is not open; chan->lock held */
int ovid_chan_signal_now(struct ovid_chan *chan);
/*
 * The end of an open in progress: the one that was the @serial-th, of @now in all.  @err: 0 or
 * a -errno to refuse it.  -ESTALE: it is not in progress any more.
 */
int ovid_chan_opened(struct ovid_chan *chan, int err, const u32 *now, u32 serial);

/* ---- subs.c ---- */
/* those that were made in this turn; vmbus->turn held */
void ovid_chan_offer_subs(struct ovid_chan *chan);
/* effect */
struct ovid_bus_chan *ovid_vmbus_sub(struct ovid_bus *bus, struct ovid_bus_chan *primary,
				     u16 index);

/* ---- buffer.c ---- */
/* a GPADL was made for it, its pages are held: what gpadl->pinned is, or NULL; vmbus->lock held */
struct ovid_chan_buffer *ovid_chan_lend(struct ovid_chan *chan, const struct ovid_gpadl *gpadl,
					struct ovid_pins *pins);
/* nothing touches its memory when this returns; the pages are still held.  vmbus->lock held */
void ovid_chan_take_back(struct ovid_chan_buffer *buf);

/* ---- late.c ---- */
int ovid_late_init(void);
void ovid_late_fini(void);

/* ---- stats.c ---- */
/* as ovid_bus_door.stats */
void ovid_vmbus_stats(struct ovid_vmbus *vmbus, struct ovid_bus_stats *stats);
u32 ovid_chan_state(const struct ovid_chan *chan);	/* OVID_CHANNEL_* */
/* OVID_GET_STATS_FD */
int ovid_chan_stats_fd(struct ovid_chan *chan);
/* a file in the partition's folder, while the channel is somebody's */
void ovid_chan_debugfs_add(struct ovid_chan *chan);
void ovid_chan_debugfs_del(struct ovid_chan *chan);
/* an open has ended, or goes on (-EINPROGRESS); vmbus->lock held */
void ovid_chan_note_open(struct ovid_chan *chan, int err);

/* ---- user.c ---- */
extern const struct ovid_chan_ops ovid_user_ops;
int ovid_user_mmap(struct ovid_chan *chan, struct vm_area_struct *vma);

/* ---- sockets.c ---- */
/* as ovid_sockets_take() */
struct ovid_sockets *ovid_sockets_new(struct ovid_vmbus *vmbus, void (*notify)(void *priv),
				      void *priv);
/* the oldest that was not taken, which stays: 0 or -EAGAIN */
int ovid_sockets_peek(struct ovid_sockets *s, struct ovid_socket_connect *c);
/* and it is taken, if it is still there */
void ovid_sockets_mark(struct ovid_sockets *s, u64 id);
bool ovid_sockets_pending(const struct ovid_sockets *s);
/* as effects->tl_connect; vmbus->lock held */
int ovid_sockets_connect(struct ovid_vmbus *vmbus, const struct vmbus_w_tl_connect2 *want);
/* the connection has ended; vmbus->lock held */
void ovid_sockets_forget(struct ovid_vmbus *vmbus);

/* ---- sockets_file.c ---- */
long ovid_vmbus_sockets(struct ovid_partition *part);

/* ---- chan_file.c ---- */
long ovid_vmbus_offer(struct ovid_partition *part, const struct ovid_vmbus_offer *arg);

#endif
