// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes of images: where a request's bytes are, and their way there.
 *
 * The usual one is a piece of one file, and needs no change of metadata: the channel's thread finds
 * it, and begins it or, where the file would wait, leaves that to the image's.  Any other is a
 * struct vdisk_split, for as many pieces at a time as that has room for.  They end in any context,
 * and the thread then makes what was written part of the disk.
 */
#include <linux/cleanup.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include "vdisk_image.h"

#define PIECES	16

struct vdisk_split;

/**
 * struct vdisk_piece - an extent that is read or written
 * @file_io: that
 * @write: what image/ has to know of it, or zeroes
 * @err: how it went
 * @split: of the request
 */
struct vdisk_piece {
	struct ovid_file_io file_io;
	struct ovid_vdisk_write write;
	int err;
	struct vdisk_split *split;
};

/**
 * struct vdisk_split - a request in pieces
 * @job: what is to be done when @left is zero, and behind that
 * @chain: of the image
 * @io: the request
 * @begun: bytes of it that are done or under way
 * @left: pieces under way, and one for who begins them
 * @nr: of @piece
 * @piece: those under way
 */
struct vdisk_split {
	struct ovid_job job;
	struct vdisk_chain *chain;
	struct ovid_image_io *io;
	u32 begun;
	atomic_t left;
	u32 nr;
	struct vdisk_piece piece[PIECES];
};

/* ---- the usual ---- */

/* the request uses no extent any more; its chain stays until it is told that it is done */
static void let_go(struct vdisk_chain *chain)
{
	if (atomic_dec_and_test(&chain->under_way) && READ_ONCE(chain->draining))
		wake_up(&chain->idle);
}

static void try_done(struct ovid_file_io *file_io, int err)
{
	struct ovid_image_io *io = container_of(file_io, struct ovid_image_io, file_io);

	let_go(vdisk_chain_of(io->image));
	io->done(io, err);
}

/* from the begin, in the thread */
static void try_again(struct ovid_file_io *file_io)
{
	struct ovid_image_io *io = container_of(file_io, struct ovid_image_io, file_io);

	let_go(vdisk_chain_of(io->image));
	ovid_image_again(io);
}

/* zeroes for the guest: @bytes from @skip on */
static void read_zeroes(const struct ovid_image_io *io, u32 skip, u32 bytes)
{
	struct iov_iter iter;

	iov_iter_bvec(&iter, ITER_DEST, io->vec, io->nr_vec, (size_t)skip + bytes);
	iov_iter_advance(&iter, skip);
	iov_iter_zero(bytes, &iter);
}

static void fill(struct ovid_file_io *file_io, const struct ovid_image_io *io, u32 skip, u32 bytes,
		 struct file *file, u64 pos)
{
	*file_io = (struct ovid_file_io){
		.file = file,
		.write = io->op == IMAGE_WRITE,
		/* of a VHD's that may share its page with metadata, which is in the page cache */
		.cached = (pos ^ (io->offset + skip)) % PAGE_SIZE,
		.pos = pos,
		.bytes = bytes,
		.vec = io->vec,
		.nr_vec = io->nr_vec,
		.skip = skip,
	};
}

static struct file *file_of(const struct ovid_vdisk *vdisk)
{
	const struct vdisk_link *link = ovid_vdisk_ctx(vdisk);

	return link->file;
}

static bool find_read(const struct vdisk_chain *chain, const struct ovid_image_io *io,
		      struct ovid_vdisk_extent *ext)
{
	return !ovid_vdisk_map(vdisk_top(chain), io->offset, io->bytes, ext) &&
	       ext->len == io->bytes;
}

/* a write to where the image has that already; with FUA, if it has that for good */
static bool find_write(const struct vdisk_chain *chain, const struct ovid_image_io *io,
		       struct ovid_vdisk_extent *ext)
{
	struct ovid_vdisk *vdisk = vdisk_top(chain);

	if (io->fua && (chain->committing || ovid_vdisk_dirty(vdisk)))
		return false;
	ext->kind = OVID_EXTENT_DATA;
	ext->image = vdisk;
	return ovid_vdisk_in_place(vdisk, io->offset, io->bytes, &ext->file_off);
}

/* all of the request is in one place, or zeroes; then it is under way */
static bool find(struct vdisk_chain *chain, struct ovid_image_io *io,
		 struct ovid_vdisk_extent *ext)
{
	bool found;

	lockdep_assert_held(&chain->lock);
	if (!vdisk_top(chain) || chain->draining)
		return false;
	WRITE_ONCE(chain->hasty, current);
	found = io->op == IMAGE_READ ? find_read(chain, io, ext) : find_write(chain, io, ext);
	WRITE_ONCE(chain->hasty, NULL);
	if (found) {
		io->found = chain->given_back;
		atomic_inc(&chain->under_way);
	}
	return found;
}

bool ovid_vdisk_image_try(struct vdisk_chain *chain, struct ovid_image_io *io)
{
	struct ovid_vdisk_extent ext;
	bool found;

	io->found = 0;
	if (!mutex_trylock(&chain->lock))
		return false;
	found = find(chain, io, &ext);
	mutex_unlock(&chain->lock);
	if (!found)
		return false;
	if (ext.kind == OVID_EXTENT_ZERO) {
		read_zeroes(io, 0, io->bytes);
		try_done(&io->file_io, 0);
		return true;
	}
	fill(&io->file_io, io, 0, io->bytes, file_of(ext.image), ext.file_off);
	io->file_io.sync = io->op == IMAGE_WRITE && io->fua;
	io->file_io.done = try_done;
	io->file_io.again = try_again;
	if (ovid_file_try(&io->file_io))
		return true;
	let_go(chain);
	return false;
}

/* the thread: at the place that was found for it, if that is its still */
static bool do_found(struct vdisk_chain *chain, struct ovid_image_io *io)
{
	if (io->found != chain->given_back)
		return false;
	atomic_inc(&chain->under_way);
	ovid_file_do(&io->file_io);
	return true;
}

/* ---- in pieces ---- */

static void finish(struct vdisk_split *split, int err)
{
	struct ovid_image_io *io = split->io;

	kfree(split);
	io->done(io, err);
}

static void go(struct vdisk_split *split);

/* behind a round of pieces: any context if @killed */
static void split_next(struct ovid_job *job, bool killed)
{
	struct vdisk_split *split = container_of(job, struct vdisk_split, job);

	if (killed)
		finish(split, -EIO);
	else if (split->begun < split->io->bytes)
		go(split);
	else
		finish(split, ovid_vdisk_image_commit(split->chain));
}

/* what was written is part of the disk, if all of it was.  The first error, or 0 */
static int end_pieces(struct vdisk_split *split, bool written)
{
	struct ovid_vdisk *vdisk = vdisk_top(split->chain);
	int err = 0;
	u32 i;

	lockdep_assert_held(&split->chain->lock);
	for (i = 0; i < split->nr; i++) {
		struct vdisk_piece *piece = &split->piece[i];
		int ret = piece->err;

		if (piece->write.pending)
			ret = ovid_vdisk_write_end(vdisk, &piece->write, written && !ret) ?: ret;
		err = err ?: ret;
	}
	split->nr = 0;
	return err;
}

static void add_orphan(struct vdisk_split *split)
{
	struct ovid_image_io *io = split->io;

	scoped_guard(spinlock_irqsave, &split->chain->orphan_lock)
		list_add(&split->job.node, &split->chain->orphans);
	io->done(io, -EIO);
}

/* a round of pieces has ended: any context if @killed */
static void split_end(struct ovid_job *job, bool killed)
{
	struct vdisk_split *split = container_of(job, struct vdisk_split, job);
	struct vdisk_chain *chain = split->chain;
	int err;

	if (killed) {
		add_orphan(split);
		return;
	}
	scoped_guard(mutex, &chain->lock)
		err = end_pieces(split, true);
	let_go(chain);
	if (err || (split->begun == split->io->bytes && !split->io->fua)) {
		finish(split, err);
		return;
	}
	/* not here: who waits for this one's end may have called */
	split->job.run = split_next;
	ovid_image_thread_add(&chain->image.thread, &split->job, false);
}

void ovid_vdisk_image_end_orphans(struct vdisk_chain *chain)
{
	struct vdisk_split *split, *next;

	guard(mutex)(&chain->lock);
	list_for_each_entry_safe(split, next, &chain->orphans, job.node) {
		end_pieces(split, false);
		kfree(split);
	}
	INIT_LIST_HEAD(&chain->orphans);
}

static void put_split(struct vdisk_split *split)
{
	if (!atomic_dec_and_test(&split->left))
		return;
	split->job.run = split_end;
	ovid_image_thread_add(&split->chain->image.thread, &split->job, true);
}

static void piece_done(struct ovid_file_io *file_io, int err)
{
	struct vdisk_piece *piece = container_of(file_io, struct vdisk_piece, file_io);

	piece->err = err;
	put_split(piece->split);
}

/* where the next bytes go: a piece */
static int add_write(struct vdisk_split *split, struct vdisk_piece *piece)
{
	const struct ovid_image_io *io = split->io;
	struct ovid_vdisk *vdisk = vdisk_top(split->chain);
	int err = ovid_vdisk_write_begin(vdisk, io->offset + split->begun, io->bytes - split->begun,
					 &piece->write);

	if (err)
		return err;
	fill(&piece->file_io, io, split->begun, piece->write.len, file_of(vdisk),
	     piece->write.file_off);
	split->nr++;
	split->begun += piece->write.len;
	return 0;
}

/* where the next bytes are: a piece, or zeroes, which are read at once */
static int add_read(struct vdisk_split *split, struct vdisk_piece *piece)
{
	const struct ovid_image_io *io = split->io;
	struct ovid_vdisk_extent ext;
	int err = ovid_vdisk_map(vdisk_top(split->chain), io->offset + split->begun,
				 io->bytes - split->begun, &ext);

	if (err)
		return err;
	memset(&piece->write, 0, sizeof(piece->write));
	if (ext.kind == OVID_EXTENT_ZERO) {
		read_zeroes(io, split->begun, ext.len);
	} else {
		fill(&piece->file_io, io, split->begun, ext.len, file_of(ext.image), ext.file_off);
		split->nr++;
	}
	split->begun += ext.len;
	return 0;
}

/* as many pieces as there is room for; they are under way then.  An error only if there is none */
static int collect(struct vdisk_split *split)
{
	struct vdisk_chain *chain = split->chain;
	const struct ovid_image_io *io = split->io;
	int err;

	guard(mutex)(&chain->lock);
	err = ovid_vdisk_image_wake(chain);
	while (!err && split->begun < io->bytes && split->nr < PIECES) {
		struct vdisk_piece *piece = &split->piece[split->nr];

		piece->split = split;
		piece->err = 0;
		err = io->op == IMAGE_WRITE ? add_write(split, piece) : add_read(split, piece);
	}
	if (!split->nr)
		return err;
	atomic_inc(&chain->under_way);
	return 0;
}

/* the thread: begins a round of pieces */
static void go(struct vdisk_split *split)
{
	u32 i, nr;
	int err = collect(split);

	if (err == -EAGAIN) {
		err = ovid_vdisk_image_settle(split->chain) ?: collect(split);
		/* that was all that can be done */
		if (err == -EAGAIN)
			err = -EIO;
	}
	if (err || !split->nr) {
		finish(split, err);
		return;
	}
	/* an end of the last piece is an end of the split */
	nr = split->nr;
	atomic_set(&split->left, nr + 1);
	for (i = 0; i < nr; i++) {
		split->piece[i].file_io.done = piece_done;
		ovid_file_do(&split->piece[i].file_io);
	}
	put_split(split);
}

void ovid_vdisk_image_rw(struct vdisk_chain *chain, struct ovid_image_io *io)
{
	struct vdisk_split *split;

	if (do_found(chain, io))
		return;
	split = kmalloc(sizeof(*split), GFP_KERNEL_ACCOUNT);
	if (!split) {
		io->done(io, -ENOMEM);
		return;
	}
	split->chain = chain;
	split->io = io;
	split->begun = 0;
	split->nr = 0;
	go(split);
}
