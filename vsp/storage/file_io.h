/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A read or write of a file, from or to memory that is held.
 */
#ifndef OVID_STORAGE_FILE_IO_H
#define OVID_STORAGE_FILE_IO_H

#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/uio.h>
#include "../../vmm/types.h"

/**
 * struct ovid_file_io - one of them
 * @file: which
 * @write: else it is read
 * @sync: of a write: it is on the medium when it is done
 * @cached: by the page cache only
 * @pos: in the file
 * @bytes: so many
 * @vec: memory, which stays until it is done
 * @nr_vec: of @vec
 * @skip: bytes of the memory before those that are meant
 * @done: it is done: 0 or -errno.  Any context
 * @again: of ovid_file_try(): nothing has happened, it would have had to wait.  Any context
 */
struct ovid_file_io {
	struct file *file;
	bool write;
	bool sync;
	bool cached;
	u64 pos;
	u32 bytes;
	const struct bio_vec *vec;
	u32 nr_vec;
	u32 skip;
	void (*done)(struct ovid_file_io *io, int err);
	void (*again)(struct ovid_file_io *io);
	/* private: */
	struct kiocb iocb;
	struct iov_iter iter;
};

/* begins it without waiting: directly.  false: it cannot, and nothing has happened */
bool ovid_file_try(struct ovid_file_io *io);
/* begins or does it: directly where that can be, else by the page cache.  May wait */
void ovid_file_do(struct ovid_file_io *io);

/* can it be a disk's, open for what is wanted?  0, -EINVAL, -EACCES */
int ovid_file_check(const struct file *file, bool read_only);
/* the range is zeroes: by a hole, if that is wanted and can be.  0 or -errno */
int ovid_file_zero(struct file *file, u64 pos, u64 bytes, bool hole);

#endif
