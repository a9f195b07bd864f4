// SPDX-License-Identifier: GPL-2.0-only
/*
 * VHDX and VHD images: vdisk_image.h.
 *
 * What was written lasts when a commit has come behind it (image/vdisk.h): a flush is one, and so
 * is the end of a write with FUA that has changed metadata.  Only the image's thread does them.
 */
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/fadvise.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "vdisk_image.h"

/* a discard has the lock for so much of the disk at a time */
#define DISCARD_BYTES	(1ull << 30)

/* ---- open, rest ---- */

static int open_link(struct vdisk_chain *chain, u32 i)
{
	struct vdisk_link *link = &chain->link[i];
	const char *why;

	return ovid_vdisk_open(&ovid_vdisk_file_ops, link, i ? OVID_VDISK_VHDX : chain->format,
			       !i && !chain->image.read_only, &link->vdisk, &why);
}

/* each its parent, the last one's first; and the last one has none */
static int join_links(struct vdisk_chain *chain)
{
	struct ovid_vdisk_info info;
	const char *why;
	int err = 0;
	u32 i;

	ovid_vdisk_info(chain->link[chain->nr - 1].vdisk, &info);
	if (info.kind == OVID_VDISK_DIFFERENCING)
		return -EINVAL;
	for (i = chain->nr - 1; i && !err; i--)
		err = ovid_vdisk_set_parent(chain->link[i - 1].vdisk, chain->link[i].vdisk, &why);
	return err;
}

static void abandon(struct vdisk_chain *chain)
{
	u32 i;

	for (i = 0; i < chain->nr; i++) {
		ovid_vdisk_abandon(chain->link[i].vdisk);
		chain->link[i].vdisk = NULL;
	}
}

static int open_chain(struct vdisk_chain *chain)
{
	int err = 0;
	u32 i;

	for (i = 0; i < chain->nr && !err; i++)
		err = open_link(chain, i);
	err = err ?: join_links(chain);
	if (err)
		abandon(chain);
	return err;
}

static int close_chain(struct vdisk_chain *chain)
{
	int err = ovid_vdisk_close(vdisk_top(chain));

	chain->link[0].vdisk = NULL;
	/* nothing was written to these */
	abandon(chain);
	return err;
}

int ovid_vdisk_image_wake(struct vdisk_chain *chain)
{
	struct ovid_vdisk_info info;
	int err;

	lockdep_assert_held(&chain->lock);
	if (vdisk_top(chain))
		return 0;
	err = open_chain(chain);
	if (err)
		return err;
	ovid_vdisk_info(vdisk_top(chain), &info);
	/* larger: one that it could not have then */
	if (info.size >= chain->image.bytes && info.logical_sector == chain->image.logical_sector)
		return 0;
	abandon(chain);
	return -EIO;
}

static int vdisk_rest(struct ovid_image *image)
{
	struct vdisk_chain *chain = vdisk_chain_of(image);
	int err = 0;

	ovid_vdisk_image_end_orphans(chain);
	guard(mutex)(&chain->lock);
	if (!vdisk_top(chain))
		return 0;
	if (!image->read_only)
		err = ovid_vdisk_flush(vdisk_top(chain));
	return err ?: close_chain(chain);
}

/* ---- commits ---- */

/* the thread: nothing is under way from here to undrain(): 0; -EINTR: something is, it is killed */
static int drain(struct vdisk_chain *chain)
{
	struct ovid_image_thread *thread = &chain->image.thread;

	scoped_guard(mutex, &chain->lock)
		WRITE_ONCE(chain->draining, true);
	/* against let_go(): one of the two sees what the other has done */
	smp_mb();
	while (atomic_read(&chain->under_way)) {
		if (ovid_image_thread_run_urgent(thread))
			continue;
		if (wait_event_killable(chain->idle, !atomic_read(&chain->under_way) ||
					ovid_image_thread_urgent(thread)))
			return -EINTR;
	}
	return 0;
}

/* @err: what drain() has said */
static void undrain(struct vdisk_chain *chain, int err)
{
	guard(mutex)(&chain->lock);
	if (!err && vdisk_top(chain))
		ovid_vdisk_reclaim(vdisk_top(chain));
	chain->given_back++;
	chain->freed = false;
	WRITE_ONCE(chain->draining, false);
}

static int commit(struct vdisk_chain *chain)
{
	struct ovid_vdisk *vdisk = vdisk_top(chain);
	struct ovid_vdisk_commit *commit;
	int ret;

	/* a request is under way, so it stays; one that rests has nothing to be written */
	if (!vdisk)
		return 0;
	scoped_guard(mutex, &chain->lock) {
		ret = ovid_vdisk_commit_begin(vdisk, &commit);
		chain->committing = !ret;
	}
	if (ret)
		return ret;
	ret = ovid_vdisk_commit_run(vdisk, commit);
	scoped_guard(mutex, &chain->lock) {
		ovid_vdisk_commit_end(vdisk, commit, ret);
		chain->committing = false;
	}
	return ret;
}

int ovid_vdisk_image_commit(struct vdisk_chain *chain)
{
	int ret = chain->image.read_only ? 0 : commit(chain);

	if (!ret && chain->freed)
		undrain(chain, drain(chain));
	return ret;
}

int ovid_vdisk_image_settle(struct vdisk_chain *chain)
{
	int err = drain(chain), ret = err ?: commit(chain);

	undrain(chain, err);
	return ret;
}

/* ---- space ---- */

static int discard_part(struct vdisk_chain *chain, u64 off, u64 bytes)
{
	guard(mutex)(&chain->lock);
	chain->given_back++;
	chain->freed = true;
	/* what was promised of it is zeroes, so a parent's data is hidden */
	return ovid_vdisk_image_wake(chain) ?:
	       ovid_vdisk_discard(vdisk_top(chain), off, bytes, false);
}

static int discard(struct vdisk_chain *chain, const struct ovid_scsi_extent *extent)
{
	u64 done = 0, part;
	int err = 0;

	for (; done < extent->bytes && !err; done += part) {
		part = min_t(u64, DISCARD_BYTES, extent->bytes - done);
		err = discard_part(chain, extent->offset + done, part);
		if (err == -EAGAIN)
			err = ovid_vdisk_image_settle(chain) ?:
			      discard_part(chain, extent->offset + done, part);
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err == -EAGAIN ? -EIO : err;
}

/* ---- another size ---- */

/**
 * struct resize - a job for the thread, and somebody who waits for it
 * @job: that
 * @chain: of which image
 * @bytes: how large it shall be
 * @err: how it went
 * @done: it has
 */
struct resize {
	struct ovid_job job;
	struct vdisk_chain *chain;
	u64 bytes;
	int err;
	struct completion done;
};

/* the thread: nothing is under way, and a crash leaves the one size or the other */
static int grow(struct vdisk_chain *chain, u64 bytes)
{
	int drained = drain(chain), err;

	scoped_guard(mutex, &chain->lock) {
		err = drained ?: ovid_vdisk_image_wake(chain);
		if (!err && bytes < chain->image.bytes)
			err = -EINVAL;
		if (!err && bytes > chain->image.bytes)
			err = ovid_vdisk_resize(vdisk_top(chain), bytes);
		if (!err)
			chain->image.bytes = bytes;
	}
	undrain(chain, drained);
	return err;
}

static void resize_job(struct ovid_job *job, bool killed)
{
	struct resize *resize = container_of(job, struct resize, job);

	resize->err = killed ? -EIO : grow(resize->chain, resize->bytes);
	complete(&resize->done);
}

static int vdisk_resize(struct ovid_image *image, u64 bytes)
{
	struct resize resize = {
		.job.run = resize_job, .chain = vdisk_chain_of(image), .bytes = bytes,
	};

	/* it knows how large it is */
	if (!bytes)
		return 0;
	if (image->read_only)
		return -EROFS;
	init_completion(&resize.done);
	ovid_image_thread_add(&image->thread, &resize.job, false);
	wait_for_completion(&resize.done);
	return resize.err;
}

/* ---- what others see ---- */

static bool vdisk_try(struct ovid_image *image, struct ovid_image_io *io)
{
	return ovid_vdisk_image_try(vdisk_chain_of(image), io);
}

static void vdisk_rw(struct ovid_image *image, struct ovid_image_io *io)
{
	ovid_vdisk_image_rw(vdisk_chain_of(image), io);
}

static int vdisk_flush(struct ovid_image *image)
{
	return ovid_vdisk_image_commit(vdisk_chain_of(image));
}

static int vdisk_zero(struct ovid_image *image, const struct ovid_scsi_extent *extent, bool hole)
{
	return discard(vdisk_chain_of(image), extent);
}

static void free_chain(struct vdisk_chain *chain)
{
	u32 i;

	for (i = 0; i < chain->nr; i++)
		if (chain->link[i].file)
			fput(chain->link[i].file);
	mutex_destroy(&chain->lock);
	kfree(chain);
}

static void vdisk_close(struct ovid_image *image)
{
	struct vdisk_chain *chain = vdisk_chain_of(image);

	ovid_image_thread_stop(&chain->image.thread);
	ovid_vdisk_image_end_orphans(chain);
	scoped_guard(mutex, &chain->lock)
		close_chain(chain);
	free_chain(chain);
}

static const struct ovid_image_ops vdisk_ops = {
	.try = vdisk_try,
	.rw = vdisk_rw,
	.flush = vdisk_flush,
	.zero = vdisk_zero,
	.resize = vdisk_resize,
	.rest = vdisk_rest,
	.close = vdisk_close,
};

static struct vdisk_chain *new_chain(u32 format, u32 nr, bool read_only)
{
	struct vdisk_chain *chain = kzalloc(struct_size(chain, link, nr), GFP_KERNEL_ACCOUNT);

	if (!chain)
		return NULL;
	chain->nr = nr;
	chain->format = format;
	/* of requests that have found nothing it is 0 */
	chain->given_back = 1;
	chain->image.ops = &vdisk_ops;
	chain->image.read_only = read_only;
	mutex_init(&chain->lock);
	init_waitqueue_head(&chain->idle);
	spin_lock_init(&chain->orphan_lock);
	INIT_LIST_HEAD(&chain->orphans);
	return chain;
}

static int take_file(struct vdisk_chain *chain, u32 i, int fd)
{
	struct file *file = fget(fd);
	int err;

	if (!file)
		return -EBADF;
	chain->link[i].chain = chain;
	chain->link[i].file = file;
	err = ovid_file_check(file, i || chain->image.read_only);
	if (err)
		return err;
	if (!S_ISREG(file_inode(file)->i_mode))
		return -EINVAL;
	/* what would be read ahead of metadata is data, which does not go by the page cache */
	vfs_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
	return 0;
}

static int take_files(struct vdisk_chain *chain, const int *fd)
{
	int err = 0;
	u32 i;

	for (i = 0; i < chain->nr && !err; i++)
		err = take_file(chain, i, fd[i]);
	return err;
}

static int open_first(struct vdisk_chain *chain)
{
	struct ovid_image *image = &chain->image;
	struct ovid_vdisk_info info;
	int err;

	guard(mutex)(&chain->lock);
	err = open_chain(chain);
	if (err)
		return err;
	ovid_vdisk_info(vdisk_top(chain), &info);
	image->bytes = info.size;
	image->logical_sector = info.logical_sector;
	/* images with less there than in the other are not refused */
	image->physical_sector = max(info.physical_sector, info.logical_sector);
	image->unmaps = !image->read_only && chain->link[0].file->f_op->fallocate;
	err = ovid_image_thread_start(&chain->image.thread);
	if (err)
		abandon(chain);
	return err;
}

struct ovid_image *ovid_vdisk_image_open(u32 format, const int *fd, u32 nr, bool read_only)
{
	struct vdisk_chain *chain = new_chain(format, nr, read_only);
	int err;

	if (!chain)
		return ERR_PTR(-ENOMEM);
	err = take_files(chain, fd) ?: open_first(chain);
	if (err) {
		free_chain(chain);
		return ERR_PTR(err);
	}
	return &chain->image;
}
