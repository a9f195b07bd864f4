/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VHDX and VHD images behind disks: image/ says where bytes are, these files move them.
 *
 *   vdisk_image.c	life, and all but reads and writes
 *   vdisk_rw.c		reads and writes
 *   vdisk_file.c	what image/ wants of a file
 *
 * What can be begun without waiting: a request that changes no metadata, and needs none that is
 * not in memory, if nobody else has @lock.
 */
#ifndef OVID_STORAGE_VDISK_IMAGE_H
#define OVID_STORAGE_VDISK_IMAGE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "image.h"
#include "image/vdisk.h"

struct task_struct;
struct vdisk_chain;

/**
 * struct vdisk_link - an image of a chain
 * @chain: chain
 * @file: its file
 * @vdisk: what image/ has of it; NULL: the chain rests.  chain->lock
 */
struct vdisk_link {
	struct vdisk_chain *chain;
	struct file *file;
	struct ovid_vdisk *vdisk;
};

/**
 * struct vdisk_chain - an image and its parents
 * @image: for others
 * @format: of the image; parents are VHDX
 * @lock: around calls of image/.  Taken by the channel's thread only if it is free
 * @hasty: who has @lock, and must not wait: its I/O of metadata fails with -EAGAIN
 * @committing: the thread is in the middle of a commit; @lock
 * @freed: blocks were given back, and are not ready to be taken again; the thread's
 * @draining: the thread waits until @under_way is zero; the channel's thread begins nothing.
 *	Changed under @lock
 * @under_way: requests that use extents; it grows under @lock, or in the thread
 * @given_back: how often space was, and one: the place that a request has found before the last
 *	time may be another block's.  The thread changes it, under @lock
 * @idle: the thread waits there for that zero
 * @orphan_lock: guards @orphans; any context
 * @orphans: writes that have ended when the thread was killed
 * @nr: of @link
 * @link: the disk's own image, its parent, ...
 */
struct vdisk_chain {
	struct ovid_image image;
	enum ovid_vdisk_format format;
	struct mutex lock;		/* see above */
	struct task_struct *hasty;
	bool committing;
	bool freed;
	bool draining;
	atomic_t under_way;
	u64 given_back;
	wait_queue_head_t idle;
	spinlock_t orphan_lock;		/* see above */
	struct list_head orphans;
	u32 nr;
	struct vdisk_link link[] __counted_by(nr);
};

static inline struct vdisk_chain *vdisk_chain_of(struct ovid_image *image)
{
	return container_of(image, struct vdisk_chain, image);
}

/* the one that requests are about; NULL while it rests */
static inline struct ovid_vdisk *vdisk_top(const struct vdisk_chain *chain)
{
	return chain->link[0].vdisk;
}

/* vdisk_file.c: @ctx is a link */
extern const struct ovid_vdisk_ops ovid_vdisk_file_ops;

/* vdisk_image.c: for the thread, without the lock */
/* open, or so again: 0 or -errno; with the lock */
int ovid_vdisk_image_wake(struct vdisk_chain *chain);
/* all that was written is on the medium: 0 or -errno */
int ovid_vdisk_image_commit(struct vdisk_chain *chain);
/* the way out of -EAGAIN: writes have ended, nothing waits for a commit any more; 0 or -errno */
int ovid_vdisk_image_settle(struct vdisk_chain *chain);

/* vdisk_rw.c */
/* begins it without waiting; false: it cannot, and nothing has happened */
bool ovid_vdisk_image_try(struct vdisk_chain *chain, struct ovid_image_io *io);
/* the thread: begins it */
void ovid_vdisk_image_rw(struct vdisk_chain *chain, struct ovid_image_io *io);
/* those that the thread could not bring to their end */
void ovid_vdisk_image_end_orphans(struct vdisk_chain *chain);

#endif
