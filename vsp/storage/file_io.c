// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files behind disks.  A read or write goes directly between the guest's pages and the file's
 * disk where the file can do that: it is begun here, and ended by an interrupt.
 */
#include <linux/bvec.h>
#include <linux/falloc.h>
#include <linux/kernel.h>
#include "file_io.h"

static void end(struct ovid_file_io *io, long ret)
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
static bool is_done(const struct ovid_file_io *io, long ret)
{
	return ret == io->bytes || ret == -EIO || ret == -ENOSPC;
}

static void on_complete(struct kiocb *iocb, long ret)
{
	struct ovid_file_io *io = container_of(iocb, struct ovid_file_io, iocb);

	if (io->write)
		kiocb_end_write(iocb);
	/* a disk that is busy may say only now that it would have had to wait */
	if (iocb->ki_flags & IOCB_NOWAIT && !is_done(io, ret))
		io->again(io);
	else
		end(io, ret);
}

/* as vfs_iocb_iter_write(), which waits for a filesystem that is frozen */
static long write_now(struct ovid_file_io *io)
{
	struct super_block *sb = file_inode(io->file)->i_sb;
	long ret = rw_verify_area(WRITE, io->file, &io->iocb.ki_pos, io->bytes);

	if (ret)
		return ret;
	if (!sb_start_write_trylock(sb))
		return -EAGAIN;
	/* it may end in another thread */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	ret = io->file->f_op->write_iter(&io->iocb, &io->iter);
	if (ret != -EIOCBQUEUED)
		kiocb_end_write(&io->iocb);
	return ret;
}

static long go_on(struct ovid_file_io *io)
{
	if (io->write && io->iocb.ki_flags & IOCB_NOWAIT)
		return write_now(io);
	return io->write ? vfs_iocb_iter_write(io->file, &io->iocb, &io->iter) :
			   vfs_iocb_iter_read(io->file, &io->iocb, &io->iter);
}

/* -EIOCBQUEUED: it is under way.  @flags: IOCB_* beside those of the request itself */
static long start(struct ovid_file_io *io, int flags)
{
	io->iocb = (struct kiocb){
		.ki_filp = io->file,
		.ki_pos = io->pos,
		.ki_flags = flags | (io->sync ? IOCB_DSYNC : 0) | (io->write ? IOCB_WRITE : 0),
		.ki_complete = flags & IOCB_DIRECT ? on_complete : NULL,
	};
	iov_iter_bvec(&io->iter, io->write ? ITER_SOURCE : ITER_DEST, io->vec, io->nr_vec,
		      (size_t)io->skip + io->bytes);
	iov_iter_advance(&io->iter, io->skip);
	return go_on(io);
}

static bool start_direct(struct ovid_file_io *io, int flags)
{
	long ret = start(io, flags | IOCB_DIRECT);

	if (ret == -EIOCBQUEUED)
		return true;
	if (!is_done(io, ret))
		return false;
	end(io, ret);
	return true;
}

static bool is_direct(const struct ovid_file_io *io)
{
	return !io->cached && io->file->f_mode & FMODE_CAN_ODIRECT;
}

bool ovid_file_try(struct ovid_file_io *io)
{
	return is_direct(io) && io->file->f_mode & FMODE_NOWAIT && start_direct(io, IOCB_NOWAIT);
}

void ovid_file_do(struct ovid_file_io *io)
{
	long ret, done = 0;

	if (is_direct(io) && start_direct(io, 0))
		return;
	ret = start(io, 0);
	/* a page cache may take it in pieces */
	while (ret > 0 && (done += ret) < io->bytes)
		ret = go_on(io);
	end(io, ret < 0 ? ret : done);
}

int ovid_file_check(const struct file *file, bool read_only)
{
	const struct inode *inode = file->f_mapping->host;
	fmode_t needed = FMODE_READ | FMODE_CAN_READ;

	if (!S_ISREG(inode->i_mode) && !S_ISBLK(inode->i_mode))
		return -EINVAL;
	if (!file->f_op->read_iter || (!read_only && !file->f_op->write_iter))
		return -EINVAL;
	if (!read_only)
		needed |= FMODE_WRITE | FMODE_CAN_WRITE;
	return (file->f_mode & needed) == needed && !(file->f_flags & O_APPEND) ? 0 : -EACCES;
}

/* what is wanted, or else the other: not all files know both */
int ovid_file_zero(struct file *file, u64 pos, u64 bytes, bool hole)
{
	int first = hole ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
	int second = FALLOC_FL_PUNCH_HOLE ^ FALLOC_FL_ZERO_RANGE ^ first;
	int err = vfs_fallocate(file, first | FALLOC_FL_KEEP_SIZE, pos, bytes);

	if (err == -EOPNOTSUPP)
		err = vfs_fallocate(file, second | FALLOC_FL_KEEP_SIZE, pos, bytes);
	return err;
}
