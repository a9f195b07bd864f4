/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is behind a disk: bytes that are read and written.  A format is a struct
 * ovid_image_ops; raw.c is the one of raw files and block devices.
 */
#ifndef OVID_STORAGE_IMAGE_H
#define OVID_STORAGE_IMAGE_H

#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/uio.h>
#include "scsi.h"

struct ovid_image;

enum ovid_image_op {
	IMAGE_READ,
	IMAGE_WRITE,
	IMAGE_FLUSH,	/* what was written is on the medium */
	IMAGE_UNMAP,	/* the extents are zeroes, and space for them may be given back */
	IMAGE_ZERO,	/* the extents are zeroes */
};

/**
 * struct ovid_image_io - one request
 * @op: what
 * @fua: with IMAGE_WRITE, IMAGE_UNMAP, IMAGE_ZERO: it is on the medium when it is done
 * @offset: of IMAGE_READ and IMAGE_WRITE
 * @bytes: the same
 * @vec: memory for them, which stays until it is done
 * @nr_vec: of @vec
 * @extents: of IMAGE_UNMAP and IMAGE_ZERO, within the image
 * @nr_extents: of them
 * @done: it is done: 0 or -errno.  Any context; it may have been called when submit returns
 * @image: the image's own, and what follows
 * @iocb: ...
 * @iter: ...
 * @node: ...
 * @direct: ...
 */
struct ovid_image_io {
	enum ovid_image_op op;
	bool fua;
	u64 offset;
	u32 bytes;
	const struct bio_vec *vec;
	u32 nr_vec;
	const struct ovid_scsi_extent *extents;
	u32 nr_extents;
	void (*done)(struct ovid_image_io *io, int err);

	struct ovid_image *image;
	struct kiocb iocb;
	struct iov_iter iter;
	struct list_head node;
	bool direct;
};

/**
 * struct ovid_image_ops - a format
 * @submit: begin a request; a thread that may sleep, but is not to wait for a disk
 * @resize: the size of the image becomes @bytes, or 0: what is behind it was made larger or
 *	smaller, look at it.  0 or -errno: -EOPNOTSUPP (it can only look), -EINVAL (too small).
 *	Requests may be under way, none begins meanwhile
 * @close: no request is under way; frees it, and lets go of its file
 */
struct ovid_image_ops {
	void (*submit)(struct ovid_image *image, struct ovid_image_io *io);
	int (*resize)(struct ovid_image *image, u64 bytes);
	void (*close)(struct ovid_image *image);
};

/**
 * struct ovid_image - the part of it that all formats have
 * @ops: format
 * @bytes: what the guest sees; a multiple of its blocks.  @resize changes it
 * @read_only: IMAGE_WRITE, IMAGE_UNMAP and IMAGE_ZERO are not to be asked for
 * @unmaps: IMAGE_UNMAP gives space back
 */
struct ovid_image {
	const struct ovid_image_ops *ops;
	u64 bytes;
	bool read_only;
	bool unmaps;
};

/**
 * ovid_raw_open - a file or a block device as it is
 * @fd: of the caller's: a regular file or a block device, open to read, and to write unless
 *	@read_only
 * @read_only: it is not written to
 *
 * Makes a thread of the caller's process, which does what would wait.  Return: an image, or
 * ERR_PTR: -EBADF, -EACCES (it is not open for that), -EINVAL (no such file, or smaller than a
 * block), -ENOMEM, ...
 */
struct ovid_image *ovid_raw_open(int fd, bool read_only);

#endif
