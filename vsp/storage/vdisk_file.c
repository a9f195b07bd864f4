// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metadata of images, by the page cache of their files.  None of it shares a page with data
 * that goes around the cache: vdisk_rw.c sees to that.
 */
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/uio.h>
#include "vdisk_image.h"

/* the channel's thread: the image's own will do it again, and may wait */
static bool in_haste(const struct vdisk_link *link)
{
	return READ_ONCE(link->chain->hasty) == current;
}

/* flags of the file that its owner changes have no say in this */
static int rw(const struct vdisk_link *link, bool write, u64 off, void *buf, size_t len)
{
	struct kiocb iocb = {
		.ki_filp = link->file,
		.ki_pos = off,
		.ki_flags = write ? IOCB_WRITE : 0,
	};
	struct kvec vec = { buf, len };
	struct iov_iter iter;

	if (in_haste(link))
		return -EAGAIN;
	iov_iter_kvec(&iter, write ? ITER_SOURCE : ITER_DEST, &vec, 1, len);
	while (iov_iter_count(&iter)) {
		ssize_t n = write ? vfs_iocb_iter_write(link->file, &iocb, &iter) :
				    vfs_iocb_iter_read(link->file, &iocb, &iter);

		if (n <= 0)
			return n ?: -EIO;
	}
	return 0;
}

static int file_read(void *ctx, u64 off, void *buf, size_t len)
{
	return rw(ctx, false, off, buf, len);
}

static int file_write(void *ctx, u64 off, const void *buf, size_t len)
{
	return rw(ctx, true, off, (void *)buf, len);
}

static int file_flush(void *ctx)
{
	const struct vdisk_link *link = ctx;

	return in_haste(link) ? -EAGAIN : vfs_fsync(link->file, 1);
}

static int file_size(void *ctx, u64 *bytes)
{
	const struct vdisk_link *link = ctx;

	*bytes = i_size_read(file_inode(link->file));
	return 0;
}

/* as ftruncate() */
static int file_resize(void *ctx, u64 bytes)
{
	const struct vdisk_link *link = ctx;
	struct dentry *dentry = link->file->f_path.dentry;
	struct iattr attr = {
		.ia_valid = ATTR_SIZE | ATTR_FILE,
		.ia_size = bytes,
		.ia_file = link->file,
	};
	int ret;

	if (in_haste(link))
		return -EAGAIN;
	if (bytes > S64_MAX)
		return -EFBIG;
	file_start_write(link->file);
	inode_lock(d_inode(dentry));
	ret = notify_change(file_mnt_idmap(link->file), dentry, &attr, NULL);
	inode_unlock(d_inode(dentry));
	file_end_write(link->file);
	return ret;
}

/* where no hole can be made there are zeroes to be written */
static int write_zeroes(const struct vdisk_link *link, u64 off, u64 len)
{
	void *zeroes = page_address(ZERO_PAGE(0));
	int ret = 0;

	while (len && !ret) {
		size_t part = min_t(u64, len, PAGE_SIZE);

		ret = rw(link, true, off, zeroes, part);
		off += part;
		len -= part;
		cond_resched();
	}
	return ret;
}

static int file_punch(void *ctx, u64 off, u64 len)
{
	const struct vdisk_link *link = ctx;
	int ret;

	if (in_haste(link))
		return -EAGAIN;
	ret = ovid_file_zero(link->file, off, len, true);
	return ret == -EOPNOTSUPP ? write_zeroes(link, off, len) : ret;
}

static void file_random(void *ctx, void *buf, size_t len)
{
	get_random_bytes(buf, len);
}

const struct ovid_vdisk_ops ovid_vdisk_file_ops = {
	.read = file_read,
	.write = file_write,
	.flush = file_flush,
	.size = file_size,
	.resize = file_resize,
	.punch = file_punch,
	.random = file_random,
};
