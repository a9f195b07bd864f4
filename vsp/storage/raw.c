// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raw files and block devices.  What waits, and is done by the image's thread: files that cannot do
 * without, a page cache, allocation, flushes, holes.
 */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "image.h"

#define BLOCK	512

/**
 * struct raw - a raw image
 * @image: for others
 * @file: its file
 */
struct raw {
	struct ovid_image image;
	struct file *file;
};

static struct raw *raw_of(struct ovid_image *image)
{
	return container_of(image, struct raw, image);
}

static void rw_done(struct ovid_file_io *file_io, int err)
{
	struct ovid_image_io *io = container_of(file_io, struct ovid_image_io, file_io);

	io->done(io, err);
}

static void rw_again(struct ovid_file_io *file_io)
{
	ovid_image_again(container_of(file_io, struct ovid_image_io, file_io));
}

static bool raw_try(struct ovid_image *image, struct ovid_image_io *io)
{
	io->file_io = (struct ovid_file_io){
		.file = raw_of(image)->file,
		.write = io->op == IMAGE_WRITE,
		.sync = io->op == IMAGE_WRITE && io->fua,
		.pos = io->offset,
		.bytes = io->bytes,
		.vec = io->vec,
		.nr_vec = io->nr_vec,
		.done = rw_done,
		.again = rw_again,
	};
	return ovid_file_try(&io->file_io);
}

static void raw_rw(struct ovid_image *image, struct ovid_image_io *io)
{
	ovid_file_do(&io->file_io);
}

static int raw_flush(struct ovid_image *image)
{
	return image->read_only ? 0 : vfs_fsync(raw_of(image)->file, 1);
}

static int raw_zero(struct ovid_image *image, const struct ovid_scsi_extent *extent, bool hole)
{
	return ovid_file_zero(raw_of(image)->file, extent->offset, extent->bytes, hole);
}

/* of the file, in whole blocks */
static u64 size_of(const struct file *file)
{
	return round_down(i_size_read(file->f_mapping->host), BLOCK);
}

/* whoever may write to the file makes it larger; a block device grows by itself */
static int raw_resize(struct ovid_image *image, u64 bytes)
{
	if (bytes)
		return -EOPNOTSUPP;
	bytes = size_of(raw_of(image)->file);
	if (!bytes)
		return -EINVAL;
	image->bytes = bytes;
	return 0;
}

static void raw_close(struct ovid_image *image)
{
	struct raw *raw = raw_of(image);

	ovid_image_thread_stop(&raw->image.thread);
	fput(raw->file);
	kfree(raw);
}

static const struct ovid_image_ops raw_ops = {
	.try = raw_try,
	.rw = raw_rw,
	.flush = raw_flush,
	.zero = raw_zero,
	.resize = raw_resize,
	.close = raw_close,
};

/* of a block device, its own */
static void take_sectors(struct ovid_image *image, struct inode *inode)
{
	bool block = S_ISBLK(inode->i_mode);

	image->logical_sector = block && bdev_logical_block_size(I_BDEV(inode)) > BLOCK ?
				4096 : BLOCK;
	image->physical_sector = block && bdev_physical_block_size(I_BDEV(inode)) > BLOCK ?
				 4096 : BLOCK;
}

static struct ovid_image *new_raw(struct file *file, u64 bytes, bool read_only)
{
	struct raw *raw = kzalloc(sizeof(*raw), GFP_KERNEL_ACCOUNT);
	int err;

	if (!raw)
		return ERR_PTR(-ENOMEM);
	raw->image.ops = &raw_ops;
	raw->image.bytes = bytes;
	take_sectors(&raw->image, file->f_mapping->host);
	raw->image.read_only = read_only;
	raw->image.unmaps = !read_only && file->f_op->fallocate;
	raw->file = file;
	err = ovid_image_thread_start(&raw->image.thread);
	if (err) {
		kfree(raw);
		return ERR_PTR(err);
	}
	return &raw->image;
}

struct ovid_image *ovid_raw_open(int fd, bool read_only)
{
	struct file *file = fget(fd);
	struct ovid_image *image;
	u64 bytes;
	int err;

	if (!file)
		return ERR_PTR(-EBADF);
	err = ovid_file_check(file, read_only);
	bytes = size_of(file);
	if (!err && !bytes)
		err = -EINVAL;
	image = err ? ERR_PTR(err) : new_raw(file, bytes, read_only);
	if (IS_ERR(image))
		fput(file);
	return image;
}
