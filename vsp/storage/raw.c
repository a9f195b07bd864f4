// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raw files and block devices.
 *
 * A read or write goes directly between the guest's pages and the disk, where the file can do
 * that without waiting: begun by the channel's thread, ended by an interrupt.  All else (files
 * that cannot, a page cache, allocation, flushes, holes) is done by a thread of the worker's
 * process, one for each image, so that the VM pays for it.
 */
#include <linux/cleanup.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "../../vmm/compat.h"
#include "image.h"

#define BLOCK	512

/**
 * struct raw - a raw image
 * @image: for others
 * @file: its file
 * @task: the thread
 * @lock: @queue, @killed; any context
 * @queue: what waits for the thread
 * @killed: there is no thread any more, with the process that it belonged to
 */
struct raw {
	struct ovid_image image;
	struct file *file;
	struct vhost_task *task;
	spinlock_t lock;	/* see above */
	struct list_head queue;
	bool killed;
};

/* ---- reads and writes ---- */

static void end_rw(struct ovid_image_io *io, long ret)
{
	/* a file that has become shorter since */
	if (ret >= 0 && ret != io->bytes)
		ret = -EIO;
	io->done(io, min(ret, 0l));
}

/*
 * What was done in part is done again as a whole, by the page cache: the file ends here, or the
 * disk wants other pieces.
 */
static bool is_done(const struct ovid_image_io *io, long ret)
{
	return ret == io->bytes || ret == -EIOCBQUEUED || ret == -EIO || ret == -ENOSPC;
}

static void hand_over(struct raw *raw, struct ovid_image_io *io)
{
	scoped_guard(spinlock_irqsave, &raw->lock) {
		if (!raw->killed) {
			list_add_tail(&io->node, &raw->queue);
			vhost_task_wake(raw->task);
			return;
		}
	}
	io->done(io, -EIO);
}

static void on_complete(struct kiocb *iocb, long ret)
{
	struct ovid_image_io *io = container_of(iocb, struct ovid_image_io, iocb);

	if (io->op == IMAGE_WRITE)
		kiocb_end_write(iocb);
	/* a disk that is busy may say only now that it would have had to wait */
	if (iocb->ki_flags & IOCB_NOWAIT && !is_done(io, ret))
		hand_over(container_of(io->image, struct raw, image), io);
	else
		end_rw(io, ret);
}

/* -EIOCBQUEUED: it is under way.  @flags: IOCB_* beside those of the request itself */
static long start(struct raw *raw, struct ovid_image_io *io, int flags)
{
	bool write = io->op == IMAGE_WRITE;

	io->iocb = (struct kiocb){
		.ki_filp = raw->file,
		.ki_pos = io->offset,
		.ki_flags = flags | (write && io->fua ? IOCB_DSYNC : 0) | (write ? IOCB_WRITE : 0),
		.ki_complete = flags & IOCB_DIRECT ? on_complete : NULL,
	};
	iov_iter_bvec(&io->iter, write ? ITER_SOURCE : ITER_DEST, io->vec, io->nr_vec, io->bytes);
	return write ? vfs_iocb_iter_write(raw->file, &io->iocb, &io->iter) :
		       vfs_iocb_iter_read(raw->file, &io->iocb, &io->iter);
}

static void finish_start(struct ovid_image_io *io, long ret)
{
	if (ret != -EIOCBQUEUED)
		end_rw(io, ret);
}

/* as the thread does it: it may wait */
static void do_rw(struct raw *raw, struct ovid_image_io *io)
{
	long ret = -EINVAL, done = 0;

	if (io->direct)
		ret = start(raw, io, IOCB_DIRECT);
	if (io->direct && is_done(io, ret)) {
		finish_start(io, ret);
		return;
	}
	ret = start(raw, io, 0);
	/* a page cache may take it in pieces */
	while (ret > 0 && (done += ret) < io->bytes)
		ret = io->op == IMAGE_WRITE ?
		      vfs_iocb_iter_write(raw->file, &io->iocb, &io->iter) :
		      vfs_iocb_iter_read(raw->file, &io->iocb, &io->iter);
	end_rw(io, ret < 0 ? ret : done);
}

/* ---- space ---- */

/* what is wanted, or else the other: not all files know both */
static long make_zeroes(struct raw *raw, const struct ovid_scsi_extent *extent, bool hole)
{
	int first = hole ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
	int second = FALLOC_FL_PUNCH_HOLE ^ FALLOC_FL_ZERO_RANGE ^ first;
	long err;

	err = vfs_fallocate(raw->file, first | FALLOC_FL_KEEP_SIZE, extent->offset, extent->bytes);
	if (err == -EOPNOTSUPP)
		err = vfs_fallocate(raw->file, second | FALLOC_FL_KEEP_SIZE, extent->offset,
				    extent->bytes);
	return err;
}

static void do_extents(struct raw *raw, struct ovid_image_io *io)
{
	long err = 0;
	u32 i;

	for (i = 0; !err && i < io->nr_extents; i++) {
		err = make_zeroes(raw, &io->extents[i], io->op == IMAGE_UNMAP);
		cond_resched();
	}
	if (!err && io->fua)
		err = vfs_fsync(raw->file, 1);
	io->done(io, err);
}

/* ---- the thread ---- */

static struct ovid_image_io *take(struct raw *raw)
{
	struct ovid_image_io *io;

	guard(spinlock_irqsave)(&raw->lock);
	io = list_first_entry_or_null(&raw->queue, struct ovid_image_io, node);
	if (io)
		list_del(&io->node);
	return io;
}

static void serve(struct raw *raw, struct ovid_image_io *io)
{
	switch (io->op) {
	case IMAGE_READ:
	case IMAGE_WRITE:
		do_rw(raw, io);
		break;
	case IMAGE_FLUSH:
		io->done(io, raw->image.read_only ? 0 : vfs_fsync(raw->file, 1));
		break;
	case IMAGE_UNMAP:
	case IMAGE_ZERO:
		do_extents(raw, io);
		break;
	}
}

/* the state is TASK_INTERRUPTIBLE when it begins: a wake-up behind the look is not lost */
static bool raw_round(void *arg)
{
	struct raw *raw = arg;
	struct ovid_image_io *io = take(raw);

	if (!io)
		return false;
	__set_current_state(TASK_RUNNING);
	serve(raw, io);
	cond_resched();
	return true;
}

/* with its process: nothing that waits will be done */
static void raw_killed(void *arg)
{
	struct raw *raw = arg;
	struct ovid_image_io *io;

	scoped_guard(spinlock_irqsave, &raw->lock)
		raw->killed = true;
	while ((io = take(raw)))
		io->done(io, -EIO);
}

/* ---- what others see ---- */

static void raw_submit(struct ovid_image *image, struct ovid_image_io *io)
{
	struct raw *raw = container_of(image, struct raw, image);
	long ret;

	io->image = image;
	io->direct = raw->file->f_mode & FMODE_CAN_ODIRECT;
	if (io->op <= IMAGE_WRITE && io->direct && raw->file->f_mode & FMODE_NOWAIT) {
		ret = start(raw, io, IOCB_DIRECT | IOCB_NOWAIT);
		if (is_done(io, ret)) {
			finish_start(io, ret);
			return;
		}
	}
	hand_over(raw, io);
}

/* of the file, in whole blocks */
static u64 size_of(const struct file *file)
{
	return round_down(i_size_read(file->f_mapping->host), BLOCK);
}

/* whoever may write to the file makes it larger; a block device grows by itself */
static int raw_resize(struct ovid_image *image, u64 bytes)
{
	struct raw *raw = container_of(image, struct raw, image);

	if (bytes)
		return -EOPNOTSUPP;
	bytes = size_of(raw->file);
	if (!bytes)
		return -EINVAL;
	image->bytes = bytes;
	return 0;
}

static void raw_close(struct ovid_image *image)
{
	struct raw *raw = container_of(image, struct raw, image);

	vhost_task_stop(raw->task);
	fput(raw->file);
	kfree(raw);
}

static const struct ovid_image_ops raw_ops = {
	.submit = raw_submit,
	.resize = raw_resize,
	.close = raw_close,
};

/* the size of a file that can be a disk, or -errno */
static s64 check_file(struct file *file, bool read_only)
{
	const struct inode *inode = file->f_mapping->host;
	fmode_t needed = FMODE_READ | FMODE_CAN_READ;

	if (!S_ISREG(inode->i_mode) && !S_ISBLK(inode->i_mode))
		return -EINVAL;
	if (!file->f_op->read_iter || (!read_only && !file->f_op->write_iter))
		return -EINVAL;
	if (!read_only)
		needed |= FMODE_WRITE | FMODE_CAN_WRITE;
	if ((file->f_mode & needed) != needed || file->f_flags & O_APPEND)
		return -EACCES;
	return size_of(file) ?: -EINVAL;
}

static struct raw *new_raw(struct file *file, u64 bytes, bool read_only)
{
	struct raw *raw = kzalloc(sizeof(*raw), GFP_KERNEL_ACCOUNT);

	if (!raw)
		return ERR_PTR(-ENOMEM);
	raw->image.ops = &raw_ops;
	raw->image.bytes = bytes;
	raw->image.read_only = read_only;
	raw->image.unmaps = !read_only && file->f_op->fallocate;
	spin_lock_init(&raw->lock);
	INIT_LIST_HEAD(&raw->queue);
	raw->task = ovid_task_create(raw_round, raw_killed, raw, "ovid-disk");
	if (IS_ERR(raw->task)) {
		long err = PTR_ERR(raw->task);

		kfree(raw);
		return ERR_PTR(err);
	}
	raw->file = file;
	vhost_task_start(raw->task);
	return raw;
}

struct ovid_image *ovid_raw_open(int fd, bool read_only)
{
	struct file *file = fget(fd);
	struct raw *raw;
	s64 bytes;

	if (!file)
		return ERR_PTR(-EBADF);
	bytes = check_file(file, read_only);
	raw = bytes < 0 ? ERR_PTR(bytes) : new_raw(file, bytes, read_only);
	if (IS_ERR(raw)) {
		fput(file);
		return ERR_CAST(raw);
	}
	return &raw->image;
}
