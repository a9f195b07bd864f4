/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Channels, as a provider in the kernel sees them: the only header that vsp/
 * includes of the bus.
 *
 * A provider says by struct ovid_chan_ops what it does when the guest opens its
 * channel, and reads and writes packets.  All its calls for one channel are made
 * one after the other, in a thread that belongs to the worker of the VM (its cgroup
 * pays); they may sleep.
 *
 * Packets are copied out once: a guest that changes a ring behind our back harms
 * itself only.
 */
#ifndef OVID_CHANNEL_H
#define OVID_CHANNEL_H

#include <linux/bvec.h>
#include <linux/list.h>
#include "ring.h"

struct ovid_chan;
struct ovid_chan_buffer;
struct file;
struct module;
struct ovid_pins;
struct poll_table_struct;
struct work_struct;

/**
 * struct ovid_chan_ops - a provider
 * @owner: a module that is not the bus's: it stays until the last @detach has returned
 * @name: as in OVID_VMBUS_OFFER's name, and in messages
 * @type: class id
 * @instance: where the offer names none
 * @offer_flags: VMBUS_OFFER_*
 * @pipe_mode: VMBUS_PIPE_*, the first word of the offer's user data, with VMBUS_OFFER_NAMED_PIPE
 * @attach: a channel is being offered: make the provider's own state, chan_set_priv; 0 or -errno
 * @detach: the channel is gone, and its file is closed or gives errors by itself; frees it.
 *	No call of this provider is under way, none comes
 * @open: the guest has opened the channel, its rings are mapped; 0 or -errno: refused
 * @close: it is closed; nothing may be sent any more.  When it returns, nothing of the provider's
 *	reads or writes memory that ovid_chan_hold() gave: it waits for what is under way.  Not for
 *	ever: others wait for it, and memory that it has given up (ovid_chan_give_up()) stays held
 * @work: the guest has signalled, or ovid_chan_kick() was called: packets may be there, or space.
 *	Also once after @open.
 *	Returns true to be called again (there is more, but others want to go on, too)
 * @quick: @work never waits for anything but memory: a VP that waits may do it, where our
 *	thread would have to wait for that VP's CPU
 * @raw: it has the rings for itself: no ovid_chan_recv() and its like; @open may give
 *	-EINPROGRESS, ovid_chan_opened() comes later
 * @read: of the channel's file, by any thread of any process, the channel open or not; the
 *	provider has locks of its own.  Never waits: -EAGAIN, and a file that blocks is read
 *	again after ovid_chan_wake().  NULL: the file gives EINVAL
 * @write: the same
 * @poll: the same; calls ovid_chan_poll_wait()
 * @ioctl: the same: calls of the file that are the provider's, the argument was copied in.
 *	-ENOTTY: it is not.  What it leaves there goes back to the caller, by calls that say so
 *	(_IOWR).  NULL: none is
 * @rest: before any @save, the channel open or not, those of sub-channels first: what the state
 *	does not have is where who takes it over will look, such as in files; NULL: there is no
 *	such thing.  0, or -errno: the VM stays
 * @save: the VM is moved: the provider's state, at most @room bytes of it, into zeroes; what is in
 *	the rings stays there.  No call but those of the file comes meanwhile or afterwards,
 *	unless the VM stays.  Waits for requests that use the guest's memory.  Returns how many
 *	bytes it has; if they are more than @room it is called again
 * @restore: what @save wrote, perhaps of another version or forged, into a channel as @attach
 *	made it.  @open: in the place of ops @open, the rings are mapped and go on where they stood.
 *	0 or -errno
 * @forget: back to what @attach made, after @restore; it is closed.  NULL: nothing to be done
 * @unmap: the guest takes back what ovid_chan_map() gave: nothing touches it when this returns.
 *	Of who calls that
 *
 * @sub: who serves sub-channels (ovid_chan_make_subs()); NULL: there are none.  Of it @owner, @name
 *	and the calls count, but @read to @ioctl: a sub-channel has no file.  No two channels of
 *	a bus have @work, @open, @close or @unmap called at the same time
 *
 * A provider without @restore cannot be moved while its channel is open.
 */
struct ovid_chan_ops {
	struct module *owner;
	const char *name;
	struct vmbus_w_guid type;
	struct vmbus_w_guid instance;
	u16 offer_flags;
	u32 pipe_mode;
	bool quick;
	bool raw;
	int (*attach)(struct ovid_chan *chan);
	void (*detach)(struct ovid_chan *chan);
	int (*open)(struct ovid_chan *chan);
	void (*close)(struct ovid_chan *chan);
	bool (*work)(struct ovid_chan *chan);
	ssize_t (*read)(struct ovid_chan *chan, struct file *file, char __user *buf, size_t len);
	ssize_t (*write)(struct ovid_chan *chan, struct file *file, const char __user *buf,
			 size_t len);
	__poll_t (*poll)(struct ovid_chan *chan, struct file *file,
			 struct poll_table_struct *wait);
	long (*ioctl)(struct ovid_chan *chan, unsigned int cmd, void *arg);
	int (*rest)(struct ovid_chan *chan);
	u32 (*save)(struct ovid_chan *chan, void *buf, u32 room);
	int (*restore)(struct ovid_chan *chan, bool open, const void *buf, u32 bytes);
	void (*forget)(struct ovid_chan *chan);
	void (*unmap)(struct ovid_chan *chan, struct ovid_chan_buffer *buf);
	const struct ovid_chan_ops *sub;
};

void ovid_chan_set_priv(struct ovid_chan *chan, void *priv);
void *ovid_chan_priv(const struct ovid_chan *chan);

/* ---- the channel's thread only: open, close, work ---- */

/* the guest's words with the open, VMBUS_USER_BYTES of them; good in @open only */
const u8 *ovid_chan_open_words(const struct ovid_chan *chan);

/**
 * ovid_chan_recv - take the next packet
 * @chan: channel
 * @pkt: out: its descriptor
 * @buf: out: its payload
 * @max: bytes of @buf
 *
 * Return: bytes of payload; -EAGAIN: there is none; -EMSGSIZE: it has more than @max, and was
 * dropped; -EPROTO: the ring is broken, the channel is of no use until it is opened anew.
 * The guest is told of what was read when @work returns.
 */
int ovid_chan_recv(struct ovid_chan *chan, struct ovid_packet *pkt, void *buf, u32 max);

/**
 * ovid_chan_peek - look at the next packet, which stays where it is
 * @chan: channel
 * @pkt: out: its descriptor; good until ovid_chan_pop(), also in later turns
 *
 * For a provider that takes packets piece by piece, in place of ovid_chan_recv().
 * Return: 0; -EAGAIN: there is none; -EPROTO.
 */
int ovid_chan_peek(struct ovid_chan *chan, struct ovid_packet *pkt);
/* @len bytes of its payload from @off on; false: it has not so many */
bool ovid_chan_copy(struct ovid_chan *chan, const struct ovid_packet *pkt, u32 off, void *buf,
		    u32 len);
/* the one that was peeked is done with */
void ovid_chan_pop(struct ovid_chan *chan, const struct ovid_packet *pkt);

/**
 * struct ovid_chan_ranges - guest memory that a packet names (VMBUS_PKT_GPA_DIRECT)
 * @list: in: room for the list, a copy of what is in the packet
 * @room: in: bytes of it
 * @err: out: -EPROTO: the list makes no sense, -EMSGSIZE: it has more than @room; then @count is 0
 * @count: out: ranges; 0: the packet names none
 * @pages: out: of all of them, with repetitions
 * @bytes: out: the memory, without what is around it in its pages
 */
struct ovid_chan_ranges {
	u64 *list;
	u32 room;
	int err;
	u32 count;
	u32 pages;
	u32 bytes;
};

/* as ovid_chan_recv(), with the memory that the packet names; the packet is taken even if @err */
int ovid_chan_recv_ranges(struct ovid_chan *chan, struct ovid_packet *pkt, void *buf, u32 max,
			  struct ovid_chan_ranges *ranges);

/**
 * struct ovid_chan_held - that memory, held for I/O
 * @pins: its pages
 * @bytes: of all ranges
 * @nr: of @vec
 * @vec: a page or a part of one each, in the order of the ranges
 */
struct ovid_chan_held {
	struct ovid_pins *pins;
	u32 bytes;
	u32 nr;
	struct bio_vec vec[];
};

/**
 * ovid_chan_hold - hold the memory that a packet names
 * @chan: channel
 * @ranges: at least one; its list is used up
 *
 * Return: what ovid_chan_let_go() takes, or ERR_PTR: -EFAULT (no memory there, or none that may be
 * written to), -ENOMEM, -EINTR.  The guest may change what is in the pages at any time.
 */
struct ovid_chan_held *ovid_chan_hold(struct ovid_chan *chan, struct ovid_chan_ranges *ranges);
/* @written: it was written to.  Any thread that may sleep; the channel may be closed */
void ovid_chan_let_go(struct ovid_chan_held *held, bool written);

/*
 * It will be let go of some time, maybe behind the partition's end: what is written from here on is
 * not told to those who want to know what of the guest's memory has changed.  Any context
 */
void ovid_chan_give_up(struct ovid_chan_held *held);

/**
 * struct ovid_chan_buffer - guest memory that a GPADL has described, for long
 * @at: mapped here, or NULL
 * @bytes: of it; 0: it is not one range, and cannot be mapped
 * @gpadl: the guest's name for it; this and what follows is the bus's
 * @offset: of the first byte in the first page
 * @map: of the pages
 * @pins: they are held
 * @chan: that it was made for
 * @node: in chan->buffers
 */
struct ovid_chan_buffer {
	void *at;
	u32 bytes;
	u32 gpadl;
	u32 offset;
	void *map;
	struct ovid_pins *pins;
	struct ovid_chan *chan;
	struct list_head node;
};

/**
 * ovid_chan_map - map the memory of a GPADL
 * @chan: channel that the guest has made it for; also from @restore
 * @gpadl: the guest's name for it
 *
 * Return: what it is until ovid_chan_unmap(), or @unmap; or ERR_PTR: -ENOENT, -EBUSY (it is
 * mapped), -EPROTO (it is not one range), -ENOMEM.  The guest may change what is in it at any time.
 *
 * Sub-channels may use their primary channel's: it is unmapped while none has its turn.
 */
struct ovid_chan_buffer *ovid_chan_map(struct ovid_chan *chan, u32 gpadl);
void ovid_chan_unmap(struct ovid_chan_buffer *buf);
/* @bytes of it from @at on, one or more, were written to: for whoever tracks that */
void ovid_chan_written(const struct ovid_chan_buffer *buf, u32 at, u32 bytes);

/**
 * ovid_chan_send - send a packet
 * @chan: channel
 * @type: VMBUS_PKT_DATA or VMBUS_PKT_COMPLETION
 * @flags: VMBUS_PACKET_*
 * @trans_id: transaction
 * @buf: payload
 * @len: bytes of it
 *
 * Return: 0; -EAGAIN: no space (@work is called when there is some); -EMSGSIZE; -EPROTO.
 * The guest is told when @work returns.
 */
int ovid_chan_send(struct ovid_chan *chan, u16 type, u16 flags, u64 trans_id, const void *buf,
		   u32 len);

/* the same for a payload in @nr pieces */
int ovid_chan_send_vec(struct ovid_chan *chan, u16 type, u16 flags, u64 trans_id,
		       const struct ovid_ring_vec *vec, unsigned int nr);

/**
 * ovid_chan_send_pages - send a packet that says where in a buffer of the guest's there is data
 * @chan: channel
 * @flags: VMBUS_PACKET_*
 * @trans_id: transaction
 * @set: the guest's name for the buffer
 * @ranges: of it
 * @nr: of @ranges
 * @buf: payload
 * @len: bytes of it
 *
 * Return: as ovid_chan_send().
 */
int ovid_chan_send_pages(struct ovid_chan *chan, u16 flags, u64 trans_id, u16 set,
			 const struct vmbus_w_range *ranges, u32 nr, const void *buf, u32 len);

/* the longest payload that there is space for now */
u32 ovid_chan_room(const struct ovid_chan *chan);

/**
 * ovid_chan_signal - signal the guest when @work returns, even if the ring does not ask for it
 * @chan: channel
 *
 * For guests that take one packet for each signal.
 */
void ovid_chan_signal(struct ovid_chan *chan);

/**
 * ovid_chan_stall - @work does not want what is in the ring now
 * @chan: channel
 *
 * From within @work: it is not called for packets before somebody calls ovid_chan_kick().
 */
void ovid_chan_stall(struct ovid_chan *chan);

/**
 * ovid_chan_make_subs - sub-channels for a device
 * @chan: its primary channel; from within @work, which is not @quick
 * @nr: so many, with the indexes 1 to @nr
 *
 * They are attached now, and offered behind what @work has sent, if the channel is still open then
 * and there are numbers left for channels.  They go with the close of the primary channel, and
 * are made by the bus when they are restored.
 *
 * Return: 0 or -errno: there are none.
 */
int ovid_chan_make_subs(struct ovid_chan *chan, u16 nr);

/* ---- any context ---- */

/* of a sub-channel, which it outlives; NULL: it is a primary one */
struct ovid_chan *ovid_chan_primary(const struct ovid_chan *chan);
/* of a sub-channel, from 1 on; of others, what their offer says.  Also from @attach */
u16 ovid_chan_index(const struct ovid_chan *chan);
/* VPs that the partition has */
u32 ovid_chan_vps(const struct ovid_chan *chan);

/*
 * Have @work called (soon, in the channel's thread), if the channel is open.  So requests that
 * end in an interrupt or a thread of their own are put into a list of the provider's, which
 * @work takes them from.
 */
void ovid_chan_kick(struct ovid_chan *chan);

/*
 * For the channel's file: look again, those who wait in read(), write() and poll().
 * The queue belongs to the file, so that a poll may outlive the provider.
 */
void ovid_chan_wake(struct ovid_chan *chan);
void ovid_chan_poll_wait(struct ovid_chan *chan, struct file *file,
			 struct poll_table_struct *wait);

/*
 * What ends behind its channel, by a work of its own.  If that may be behind the channel's @detach,
 * it is between a begin, in @detach, and an end, the last that its work does: the module stays.
 */
void ovid_late_queue(struct work_struct *work);
void ovid_late_begin(void);
void ovid_late_end(void);

/* reference time of the partition, 100 ns */
u64 ovid_chan_reference_time(const struct ovid_chan *chan);
/* negotiated version of the bus */
u32 ovid_chan_bus_version(const struct ovid_chan *chan);

#endif
