/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is behind a disk: bytes that are read and written.  A format is a struct
 * ovid_image_ops; raw.c is the one of raw files and block devices, vdisk_image.c that of VHDX and
 * VHD images.
 */
#ifndef OVID_STORAGE_IMAGE_H
#define OVID_STORAGE_IMAGE_H

#include <linux/bvec.h>
#include "file_io.h"
#include "image_thread.h"
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
 * @job: ...
 * @found: ...
 * @file_io: ...
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
	struct ovid_job job;
	u64 found;
	struct ovid_file_io file_io;
};

/**
 * struct ovid_image_ops - a format
 * @try: begins a read or write without waiting for a disk, may sleep else; false: that cannot be,
 *	and nothing has happened
 * @rw: the image's thread: begins a read or write that @try has said no to
 * @flush: the image's thread: what was written is on the medium: 0 or -errno
 * @zero: the image's thread: an extent becomes zeroes; @hole: and its space may be given back.
 *	0 or -errno
 * @resize: the size of the image becomes @bytes, or 0: what is behind it was made larger or
 *	smaller, look at it.  0 or -errno: -EOPNOTSUPP (it can only look), -EINVAL (too small).
 *	Any thread that may wait for a disk.  Requests may be under way, and come, and @close does
 *	not.  NULL: it cannot change
 * @rest: no request is under way; what was written is in the file, which others may open, until
 *	the next request.  0 or -errno, and then it does not rest.  NULL: it always does
 * @close: no request is under way; frees it, and lets go of its file
 */
struct ovid_image_ops {
	bool (*try)(struct ovid_image *image, struct ovid_image_io *io);
	void (*rw)(struct ovid_image *image, struct ovid_image_io *io);
	int (*flush)(struct ovid_image *image);
	int (*zero)(struct ovid_image *image, const struct ovid_scsi_extent *extent, bool hole);
	int (*resize)(struct ovid_image *image, u64 bytes);
	int (*rest)(struct ovid_image *image);
	void (*close)(struct ovid_image *image);
};

/**
 * struct ovid_image - the part of it that all formats have
 * @ops: format
 * @bytes: what the guest sees; a multiple of @logical_sector.  @resize changes it
 * @logical_sector: 512 or 4096: what a read or write is a multiple of, unless it is a DVD
 * @physical_sector: 512 or 4096: what one should be
 * @read_only: IMAGE_WRITE, IMAGE_UNMAP and IMAGE_ZERO are not to be asked for
 * @unmaps: IMAGE_UNMAP gives space back
 * @thread: does what would wait
 */
struct ovid_image {
	const struct ovid_image_ops *ops;
	u64 bytes;
	u32 logical_sector;
	u32 physical_sector;
	bool read_only;
	bool unmaps;
	struct ovid_image_thread thread;
};

/* begins a request: may sleep, but does not wait for a disk */
void ovid_image_submit(struct ovid_image *image, struct ovid_image_io *io);
/* one that was begun by @try, and could not be done so: the thread begins it anew.  Any context */
void ovid_image_again(struct ovid_image_io *io);

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

/**
 * ovid_vdisk_image_open - a VHDX or VHD image
 * @format: OVID_VDISK_VHD or OVID_VDISK_VHDX
 * @fd: of the caller's: regular files, the image itself, and its parent, and that one's, ..., which
 *	are only read
 * @nr: of @fd, 1 at least
 * @read_only: it is not written to
 *
 * Makes a thread, too.  Return: an image, or ERR_PTR: as ovid_raw_open(); or as ovid_vdisk_open()
 * and ovid_vdisk_set_parent(), -EINVAL also for a parent that is missing, or one too many.
 */
struct ovid_image *ovid_vdisk_image_open(u32 format, const int *fd, u32 nr, bool read_only);

#endif
