/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A SCSI controller and its disks, a provider of the VMBus.
 *
 *   provider.c	channels of a controller, made, opened and closed
 *   chan.c	packets and their requests, from the guest and back
 *   steps.c	requests of more than one step
 *   unit.c	disks at their addresses: attached, detached, found
 *   change.c	disks that the guest has: another size, another disc; what they are
 *   late.c	requests that do not end
 *   limited.c	disks that may do so much in a second only
 *   limit.h	... how much that is, pure
 *   save.c	what is moved with the VM
 *   vstor.c	the protocol around SCSI, pure
 *   scsi.h	SCSI commands, pure
 *   image.c	requests of an image, of any format (image.h)
 *   raw.c	raw files and block devices (image.h)
 *   vdisk_*.c	VHDX and VHD images (vdisk_image.h)
 *   image_thread.c	the thread of an image
 *   file_io.c	reads and writes of files
 *
 * Locks: chan->lock (the bus's) -> stor->units_lock -> stor->lock -> what ovid_chan_kick() takes,
 * or an image's lock, or a file's.  Whoever attaches and detaches takes units_lock alone.
 */
#ifndef OVID_STORAGE_H
#define OVID_STORAGE_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "../../vmbus/channel.h"
#include "image.h"
#include "limit.h"
#include "vstor.h"

struct ovid_disk;
struct ovid_disk_info;
struct ovid_disk_limit;
struct ovid_disk_medium;
struct ovid_disk_size;

/* what a guest may have under way by one channel; more waits in the ring */
#define STOR_MAX_REQUESTS	512
#define STOR_MAX_PAGES		16384
#define STOR_MAX_SUBS		255	/* as there are VPs, but for one */

/* pfns of the longest transfer, and a few ranges */
#define STOR_LIST_WORDS		(STOR_MAX_TRANSFER / 4096 + 16)

/**
 * struct stor_unit - a disk at its address
 * @id: no other of the controller has or had it
 * @disk: what SCSI commands are about; units_lock
 * @state: what they change; units_lock
 * @image: what it consists of; NULL: a DVD drive without a disc; units_lock
 * @requests: of @image, so far; units_lock
 * @leaving: it is being detached, or gets another disc: nothing begins; units_lock
 * @under_way: those that have not ended, and who gives it another size; stor->lock
 * @late: of them, those that were given up: nothing else begins meanwhile; stor->lock
 * @limit: of them; this and what follows: units_lock
 * @waiting: that have not begun, for the limit
 * @nr_waiting: of @waiting
 * @waited: that were there, so far
 * @limited: in stor->limited, if one waits
 */
struct stor_unit {
	u64 id;
	struct ovid_scsi_disk disk;
	struct ovid_scsi_state state;
	struct ovid_image *image;
	u64 requests;
	bool leaving;
	u32 under_way;
	u32 late;
	struct ovid_limit limit;
	struct list_head waiting;
	u32 nr_waiting;
	u64 waited;
	struct list_head limited;
};

/**
 * struct stor_request - a packet of the guest's, and then its answer
 * @node: in unit->waiting, queue->busy, queue->finished or queue->replies
 * @queue: channel, which may be gone when it is late
 * @stor: controller
 * @unit: whose request is under way
 * @held: the guest's memory, or NULL
 * @packet: packet, answer
 * @bytes: of the answer
 * @wanted: the guest wants one
 * @trans_id: its name for it
 * @moved: bytes, if all goes well
 * @err: how it went; -errno
 * @admitted: it has waited, or need not
 * @steps: if it has more than one, or NULL
 * @late: it was given up: nobody waits for it; stor->lock
 * @late_work: what is left to do when it has ended then
 * @io: while it is under way
 * @extents: of @io
 */
struct stor_request {
	struct list_head node;
	struct stor_queue *queue;
	struct stor *stor;
	struct stor_unit *unit;
	struct ovid_chan_held *held;
	struct stor_w_packet packet;
	u32 bytes;
	bool wanted;
	u64 trans_id;
	u32 moved;
	int err;
	bool admitted;
	struct stor_steps *steps;
	bool late;
	struct work_struct late_work;
	struct ovid_image_io io;
	struct ovid_scsi_extent extents[SCSI_MAX_UNMAP];
};

/**
 * struct stor_queue - a channel of a controller, from attach to detach
 * @chan: channel
 * @stor: controller
 * @node: in stor->queues
 * @busy: requests that use the guest's memory, or an image; stor->lock
 * @finished: what has ended since the channel's thread looked; stor->lock
 * @under_way: how many are @busy; stor->lock
 *
 * The rest is the channel's thread's, and its under chan->lock:
 * @phase: of the protocol
 * @replies: answers that wait for space in the ring
 * @spare: for the next packet; memory is had before one is taken
 * @nr_requests: packets taken and not answered
 * @nr_pages: that they hold
 * @list: of the packet at hand, the memory it names
 * @data: of the command at hand, from or to the guest
 */
struct stor_queue {
	struct ovid_chan *chan;
	struct stor *stor;
	struct list_head node;
	struct list_head busy;
	struct list_head finished;
	u32 under_way;

	enum ovid_stor_phase phase;
	struct list_head replies;
	struct stor_request *spare;
	u32 nr_requests;
	u32 nr_pages;
	u64 list[STOR_LIST_WORDS];
	u8 data[SCSI_DATA_BYTES];
};

/**
 * struct stor - a controller, from attach to detach of its primary channel, or until the last late
 *	request has ended
 * @primary: channel
 * @units_lock: guards @units and what is in them, but for @under_way
 * @units: by address, struct stor_unit
 * @nr_units: of them
 * @last_id: that was given to one
 * @limited: units with requests that wait for their limits; this and what follows: @units_lock
 * @nr_waiting: of those requests
 * @waiting_pages: that they hold
 * @limited_timer: wakes the channel's thread when one may begin
 * @lock: guards what says so; any context
 * @queues: its channels; @lock
 * @under_way: of all channels; @lock
 * @late: requests that were given up; @lock
 * @ended: there are no channels any more: the last of those frees it all; @lock
 * @idle: somebody waits for a zero of an @under_way
 * @alone: one that nothing else may be under way with, a reset or a compare and write; no channel
 *	takes a packet before it has ended.  Or NULL.  Its channel's thread's, who looks has @lock
 * @nr_steps: requests of several steps
 * @announce: units have come or gone, the guest is to be told
 *
 * No two channels of a bus have their turns at the same time.
 */
struct stor {
	struct stor_queue primary;
	struct mutex units_lock;	/* see above */
	struct xarray units;
	u32 nr_units;
	u64 last_id;
	struct list_head limited;
	u32 nr_waiting;
	u32 waiting_pages;
	struct hrtimer limited_timer;

	spinlock_t lock;		/* see above */
	struct list_head queues;
	u32 under_way;
	u32 late;
	bool ended;
	wait_queue_head_t idle;
	struct stor_request *alone;
	atomic_t nr_steps;
	bool announce;
};

extern const struct ovid_chan_ops ovid_storage;

static inline bool ovid_stor_is_primary(const struct stor_queue *queue)
{
	return queue == &queue->stor->primary;
}

/* a sub-channel has no handshake */
static inline enum ovid_stor_phase ovid_stor_first_phase(const struct stor_queue *queue)
{
	return ovid_stor_is_primary(queue) ? STOR_PHASE_NEW : STOR_PHASE_READY;
}

/* ---- unit.c ---- */
/* what is at the address that a request names, or NULL; units_lock held */
struct stor_unit *ovid_stor_unit(struct stor *stor, const struct stor_w_srb *srb);
/* bits: units of the target that a request names; units_lock held */
u64 ovid_stor_luns(struct stor *stor, const struct stor_w_srb *srb);
/* all units are reset; @attentions: what the guest is told of it */
void ovid_stor_reset_units(struct stor *stor, u32 attentions);
/* OVID_DISK_ATTACH, OVID_DISK_DETACH: the caller's thread */
long ovid_stor_attach(struct stor *stor, const struct ovid_disk *arg);
long ovid_stor_detach(struct stor *stor, const struct ovid_disk *arg);
/* what is at an address that a caller names, or ERR_PTR: -EINVAL, -ENOENT; units_lock held */
struct stor_unit *ovid_stor_at(struct stor *stor, u8 path, u8 target, u8 lun, u8 pad);
/* nothing begins for it from here on: 0, or -EBUSY: that is so.  units_lock held */
int ovid_stor_still(struct stor *stor, struct stor_unit *unit);
/* then nothing is under way for it; or -ETIMEDOUT, -EINTR, and it goes on */
int ovid_stor_wait_still(struct stor *stor, struct stor_unit *unit);
/* the guest looks for units again */
void ovid_stor_announce(struct stor *stor);
/* nothing is under way: other controllers may have the disks then.  0 or -errno */
int ovid_stor_rest(struct stor *stor);
/* nobody finds it, no request is under way */
void ovid_stor_free_unit(struct stor_unit *unit);

/* ---- change.c ---- */
/* OVID_DISK_RESIZE, OVID_DISK_INFO, OVID_DISK_MEDIUM: the caller's thread */
long ovid_stor_resize(struct stor *stor, struct ovid_disk_size *arg);
long ovid_stor_info(struct stor *stor, struct ovid_disk_info *arg);
long ovid_stor_medium(struct stor *stor, const struct ovid_disk_medium *arg);

/* ---- limited.c ---- */
void ovid_stor_limited_init(struct stor *stor);
/* nothing waits */
void ovid_stor_limited_fini(struct stor *stor);
/* there is room for one more that waits, if it has to: 0 or -EBUSY; units_lock held */
int ovid_stor_limited_room(struct stor *stor, const struct stor_unit *unit,
			   const struct ovid_scsi_request *scsi);
/* it waits, and is begun later; false: it may begin now.  units_lock held */
bool ovid_stor_limited_wait(struct stor_unit *unit, struct stor_request *req);
/* it begins, or a step of it; units_lock held */
void ovid_stor_limited_charge(struct stor_unit *unit, const struct stor_request *req);
/* the bus's thread, or one that keeps it out: begins those that may; @all: or may not */
void ovid_stor_limited_run(struct stor *stor, bool all);
/* those that wait have ended, with an error; units_lock held */
void ovid_stor_limited_end(struct stor *stor, struct stor_unit *unit);
/* the same, of all units, and of @queue, or all if that is NULL; without the lock */
void ovid_stor_limited_end_all(struct stor *stor, const struct stor_queue *queue);
/* OVID_DISK_LIMIT: the caller's thread */
long ovid_stor_limit(struct stor *stor, struct ovid_disk_limit *arg);

/* ---- chan.c ---- */
/* a request without a packet, or NULL */
struct stor_request *ovid_stor_request(struct stor_queue *queue);
/* one turn: true: there is more */
bool ovid_stor_turn(struct stor_queue *queue);
/*
 * Waits until nothing of the channel is under way, and makes answers of what was: 0; -ETIMEDOUT,
 * -EINTR: something still is.  One that wants to be alone and has not begun does not begin.
 * chan->lock held
 */
int ovid_stor_quiesce(struct stor_queue *queue);
/* does that one, for any channel; no channel has turns, and all were quiesced.  The same errors */
int ovid_stor_end_alone(struct stor *stor);
/* one of the channel's that is alone, and has begun, is not any more */
void ovid_stor_give_up_alone(struct stor_queue *queue);
/* back to what attach made; nothing is under way */
void ovid_stor_forget(struct stor_queue *queue);
/* none is so: no channel takes packets then */
void ovid_stor_want_alone(struct stor_request *req);
/* the image begins @req->io, or that waits; units_lock held: the unit stays until counts say so */
void ovid_stor_submit(struct stor_unit *unit, struct stor_request *req);

/* ---- late.c ---- */
/* until when files may take to answer: jiffies */
unsigned long ovid_stor_patience(void);
/* until @count, one of stor->lock, is zero: 0; -ETIMEDOUT; -EINTR: the caller is being killed */
int ovid_stor_wait(struct stor *stor, const u32 *count, unsigned long end);
/* what is under way is nobody's any more: the channel goes on without it; chan->lock held */
void ovid_stor_give_up(struct stor_queue *queue);
/* a late request has ended; any context, stor->lock held */
void ovid_stor_late_done(struct stor *stor, struct stor_request *req);
/* the channel is gone, and so is the controller, but for late requests and their disks */
void ovid_stor_end(struct stor *stor);

/* ---- steps.c ---- */
/* makes a request that holds the guest's memory one of several steps: 0 or -ENOMEM */
int ovid_stor_steps_make(struct stor_request *req, const struct stor_unit *unit,
			 const struct ovid_scsi_request *scsi);
void ovid_stor_steps_free(struct stor_request *req);
/* it is late: requests that want to be alone do not wait for it */
void ovid_stor_steps_late(struct stor_request *req);
/* it wants that nothing else is under way */
bool ovid_stor_steps_alone(const struct stor_request *req);
/* begins the first or the next step; false: there is none.  units_lock held */
bool ovid_stor_step(struct stor_unit *unit, struct stor_request *req);
/* a step has ended well: false: that was the last, or @req->err is set */
bool ovid_stor_next_step(struct stor_request *req);
/* it has ended for a difference, at @offset */
bool ovid_stor_steps_differ(const struct stor_request *req, u32 *offset);

/* ---- save.c ---- */
u32 ovid_stor_save(struct stor_queue *queue, void *buf, u32 room);
int ovid_stor_restore(struct stor_queue *queue, bool open, const void *buf, u32 bytes);

#endif
