/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vdisk.h - disk images: raw, VHDX (fixed, dynamic, differencing), VHD (fixed, dynamic).
 *
 * Where a byte of the disk is, and how it gets a place: an image never moves the disk's data.
 * Whoever uses it asks for extents and does that I/O itself, as it likes, on the file an extent
 * names.  Metadata (headers, log, block tables, sector bitmaps) is read and written here, by
 * the operations of struct ovid_vdisk_ops.  The same code is in the kernel and in tools.
 *
 * Locking.  One lock of the caller around each call, for an image and its parents together; a
 * lock that may be held while sleeping, since every call may do I/O.  The exception is
 * ovid_vdisk_commit_run(), which is meant to be called without it.  No lock is needed for I/O
 * on an extent.
 *
 * Reading:
 *
 *	ovid_vdisk_map() until the range is covered: data in this or that file, or zeros.
 *
 * Writing:
 *
 *	ovid_vdisk_write_begin() says where to, and finds space if there was none;
 *	the caller writes there;
 *	ovid_vdisk_write_end(), if @pending was set, makes it part of the disk.
 *	ovid_vdisk_in_place() is a shorter way to where there is no more to it than a write.
 *
 *	Until then the disk reads as before.  Writes to one block may be under way at once.
 *
 * Durability:
 *
 *	What write_end() has made part of the disk lasts when a flush has returned that began after
 *	it.  A flush is ovid_vdisk_flush(); or, in order not to hold the lock over it:
 *	commit_begin() under the lock, commit_run() without, commit_end() under it.
 *	commit_run() flushes the data first, so a table or bitmap never refers to what is not
 *	there.  With a VHDX it then writes the log, so that the change is all or nothing.
 *	FUA: if ovid_vdisk_dirty() is false, nothing but the data needs to be durable.
 *
 * A crash at any point leaves an image that opens, with each sector as it was at the last flush
 * or as a write since then has left it.
 *
 * Images are hostile: every offset and length in one is bounded before it is used, memory taken
 * is limited (OVID_VDISK_MAX_PAGES of 4 KiB), chains have at most OVID_VDISK_MAX_DEPTH images.
 */
#ifndef OVID_VDISK_H
#define OVID_VDISK_H

#include "imagelib.h"

#define OVID_VDISK_MAX_DEPTH	32
#define OVID_VDISK_MAX_PAGES	4096
#define OVID_VDISK_MAX_SIZE	(64 * OVID_TIB)

enum ovid_vdisk_format {
	OVID_VDISK_RAW,
	OVID_VDISK_VHD,
	OVID_VDISK_VHDX,
};

enum ovid_vdisk_kind {
	OVID_VDISK_FIXED,
	OVID_VDISK_DYNAMIC,
	OVID_VDISK_DIFFERENCING,
};

/**
 * struct ovid_vdisk_ops - a file, or something like it
 * @read: all of @len bytes, or a negative error; beyond the end: -EIO
 * @write: the same; makes the file longer if need be
 * @flush: what was written, discarded and resized before is durable when it returns
 * @size: bytes
 * @resize: to so many bytes; new ones read as zeros
 * @punch: the range reads as zeros, and takes no space where that is possible; it is inside of
 *	the file
 * @random: fills @buf, for identifiers; cannot fail
 *
 * Those but @read and @size are used only on an image that is open for writing, and may be NULL
 * else.  All may sleep.
 */
struct ovid_vdisk_ops {
	int (*read)(void *ctx, u64 off, void *buf, size_t len);
	int (*write)(void *ctx, u64 off, const void *buf, size_t len);
	int (*flush)(void *ctx);
	int (*size)(void *ctx, u64 *bytes);
	int (*resize)(void *ctx, u64 bytes);
	int (*punch)(void *ctx, u64 off, u64 len);
	void (*random)(void *ctx, void *buf, size_t len);
};

struct ovid_vdisk;
struct ovid_vdisk_commit;
struct ovid_pending;

/**
 * struct ovid_vdisk_info - what an image is
 * @format: how it is stored
 * @kind: when space is taken
 * @size: of the disk, in bytes
 * @block_size: space is taken by so much; 0: there are no blocks
 * @logical_sector: 512 or 4096
 * @physical_sector: 512 or 4096
 * @file_size: bytes of the file, as far as the image knows
 * @disk_id: the disk's own; all of a chain have the same.  Zeros: it has none
 * @write_id: changes whenever someone begins to write; what a child remembers of its parent
 * @replayed: metadata was put right when it was opened (a log, a lost footer)
 */
struct ovid_vdisk_info {
	enum ovid_vdisk_format format;
	enum ovid_vdisk_kind kind;
	u64 size;
	u32 block_size;
	u32 logical_sector;
	u32 physical_sector;
	u64 file_size;
	u8 disk_id[16];
	u8 write_id[16];
	bool replayed;
};

/* ---- life ---- */

/**
 * ovid_vdisk_probe - the format of a file by its content
 * @ops: of the file
 * @ctx: for @ops
 * @format: out; raw if it is nothing else
 *
 * Not for a file that a guest has written as a raw disk: it would choose its own format.
 *
 * Return: 0 or an error of @ops.
 */
int ovid_vdisk_probe(const struct ovid_vdisk_ops *ops, void *ctx, enum ovid_vdisk_format *format);

/**
 * ovid_vdisk_open - open an image
 * @ops: of its file; used until it is closed
 * @ctx: for @ops
 * @format: of the file
 * @writable: false: nothing is ever written
 * @image: out
 * @why: out: a sentence about a failure; never NULL then
 *
 * A log that is not empty is replayed, which needs @writable.  A differencing image cannot be
 * read or written before ovid_vdisk_set_parent().
 *
 * Return: 0; -EUCLEAN: the image is damaged; -EOPNOTSUPP: it has something that is not known here;
 * -EROFS: it has to be opened for writing first; -EINVAL: it is none of that format; -ENOMEM; or an
 * error of @ops.
 */
int ovid_vdisk_open(const struct ovid_vdisk_ops *ops, void *ctx, enum ovid_vdisk_format format,
		    bool writable, struct ovid_vdisk **image, const char **why);

/**
 * ovid_vdisk_close - flush it and let it go; not its parents
 * @image: or NULL
 *
 * No write may be under way.
 *
 * Return: 0, or an error of the last flush; @image is gone in any case.
 */
int ovid_vdisk_close(struct ovid_vdisk *image);

/* let it go as it is, as a crash would */
void ovid_vdisk_abandon(struct ovid_vdisk *image);

void ovid_vdisk_info(const struct ovid_vdisk *image, struct ovid_vdisk_info *info);
/* @ctx of ovid_vdisk_open() */
void *ovid_vdisk_ctx(const struct ovid_vdisk *image);
struct ovid_vdisk *ovid_vdisk_parent(const struct ovid_vdisk *image);

/* ---- chains ---- */

/**
 * ovid_vdisk_locator - where a differencing image says that its parent is
 * @image: image
 * @key: relative_path, absolute_win32_path, volume_path, parent_linkage
 * @text: out, UTF-8, ends with 0
 * @len: of @text
 *
 * Return: 0; -ENOENT: it does not say; -ENAMETOOLONG: @text is too short; -EUCLEAN: it is no text;
 * or an error of its operations.
 */
int ovid_vdisk_locator(struct ovid_vdisk *image, const char *key, char *text, size_t len);

/**
 * ovid_vdisk_set_parent - what a differencing image is based on
 * @image: image, without a parent yet
 * @parent: open, with its own parent set if it needs one; stays the caller's, who closes it after
 *	@image
 * @why: out: a sentence about a failure
 *
 * Return: 0; -EINVAL: @image has no use for a parent, or @parent is no VHDX; -ESTALE: @parent was
 * written to since @image was made; -ELOOP: the chain is too long; -EUCLEAN.
 */
int ovid_vdisk_set_parent(struct ovid_vdisk *image, struct ovid_vdisk *parent, const char **why);

/* ---- data ---- */

enum ovid_extent_kind {
	OVID_EXTENT_ZERO,
	OVID_EXTENT_DATA,
	OVID_EXTENT_PARENT,	/* of ovid_vdisk_map_own() only: as the parent has it */
};

/**
 * struct ovid_vdisk_extent - where bytes are
 * @kind: zeros, or in a file
 * @image: whose file; of a chain it may be any
 * @file_off: where in it
 * @len: bytes, from the offset that was asked for
 */
struct ovid_vdisk_extent {
	enum ovid_extent_kind kind;
	struct ovid_vdisk *image;
	u64 file_off;
	u64 len;
};

/**
 * ovid_vdisk_map - where bytes of the disk are, for reading
 * @image: image
 * @off: in the disk
 * @len: at least 1; not beyond the end of the disk
 * @ext: out; its @len is from 1 to @len
 *
 * Return: 0; -EINVAL: beyond the disk; -ENOLINK: a parent is missing; -EUCLEAN: damaged; -ENOMEM;
 * or an error of its operations.
 */
int ovid_vdisk_map(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_vdisk_extent *ext);

/**
 * ovid_vdisk_map_own - what an image has of its disk by itself, its parent put aside
 * @image: image
 * @off: in the disk
 * @len: at least 1; not beyond the end of the disk
 * @ext: out; its @len is from 1 to @len
 *
 * Return: as ovid_vdisk_map(); a parent may be missing.
 */
int ovid_vdisk_map_own(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_vdisk_extent *ext);

/**
 * struct ovid_vdisk_write - a write that is under way
 * @file_off: where to write, in the image's own file
 * @len: so many bytes
 * @pending: ovid_vdisk_write_end() must be called
 *
 * The others are the image's own.
 */
struct ovid_vdisk_write {
	u64 file_off;
	u64 len;
	bool pending;
	/* private: */
	u64 off;
	u32 reserved;
	struct ovid_pending *block;
};

/**
 * ovid_vdisk_write_begin - where to write bytes of the disk
 * @image: open for writing
 * @off: in the disk
 * @len: at least 1; both multiples of the logical sector
 * @write: out; its @len may be less than asked for, then begin again for the rest
 *
 * Return: 0; -EAGAIN: so much metadata is waiting that there must be a flush first; if writes are
 * under way, these have to end before; -EROFS; -EINVAL: beyond the disk, or not aligned; -ENOLINK;
 * -EUCLEAN; -ENOSPC and other errors of its operations: nothing has changed.
 */
int ovid_vdisk_write_begin(struct ovid_vdisk *image, u64 off, u64 len,
			   struct ovid_vdisk_write *write);

/**
 * ovid_vdisk_write_end - the bytes are in the file, or will not be
 * @image: image
 * @write: of ovid_vdisk_write_begin(), with @pending
 * @written: all of its bytes; false: the disk stays as it was
 *
 * Return: 0; or an error: the write has failed.
 */
int ovid_vdisk_write_end(struct ovid_vdisk *image, struct ovid_vdisk_write *write, bool written);

/**
 * ovid_vdisk_in_place - where to write bytes of the disk, if that changes nothing else
 * @image: image
 * @off: in the disk
 * @len: at least 1
 * @file_off: out: where in the image's own file
 *
 * True: all @len bytes go there, and there is no ovid_vdisk_write_end().  False: they may have no
 * place yet, or several, or there is no writing to them: ovid_vdisk_write_begin() knows.  The
 * image's first write since it was opened is one of these.  Nothing has changed in any case.
 */
bool ovid_vdisk_in_place(struct ovid_vdisk *image, u64 off, u64 len, u64 *file_off);

/**
 * ovid_vdisk_discard - make a range zeros, and give back its space
 * @image: open for writing
 * @off: in the disk
 * @len: both multiples of the logical sector
 * @advisory: do not take space for it: where a parent's data would have to be hidden in
 *	part of a block, that part stays as it is
 *
 * Like a write it lasts after a flush.  Space that it frees is punched, and used again, when
 * ovid_vdisk_reclaim() comes behind that.
 *
 * Return: as ovid_vdisk_write_begin().
 */
int ovid_vdisk_discard(struct ovid_vdisk *image, u64 off, u64 len, bool advisory);

/*
 * Blocks that were freed and flushed are punched, and may be taken again.  To be called only when
 * no I/O is under way on any extent or write, since one might be to such a block.
 */
void ovid_vdisk_reclaim(struct ovid_vdisk *image);

/* ---- durability ---- */

/* does metadata wait for a flush? */
bool ovid_vdisk_dirty(const struct ovid_vdisk *image);

/**
 * ovid_vdisk_flush - make all that was written before durable
 * @image: image; on one that is not writable there is nothing to do
 *
 * Return: 0; -EBUSY: a commit is under way; -ENOMEM; or an error of its operations, and then the
 * metadata waits on.
 */
int ovid_vdisk_flush(struct ovid_vdisk *image);

/**
 * ovid_vdisk_commit_begin - take what a flush has to write
 * @image: open for writing
 * @commit: out
 *
 * Return: 0; -EBUSY: there is one already; -ENOMEM; -EROFS.
 */
int ovid_vdisk_commit_begin(struct ovid_vdisk *image, struct ovid_vdisk_commit **commit);
/* do it, without the lock: Return: 0, or an error of the operations */
int ovid_vdisk_commit_run(struct ovid_vdisk *image, struct ovid_vdisk_commit *commit);
/* @ret: of ovid_vdisk_commit_run(); @commit is gone */
void ovid_vdisk_commit_end(struct ovid_vdisk *image, struct ovid_vdisk_commit *commit, int ret);

/* ---- shape ---- */

/**
 * ovid_vdisk_resize - change the disk's size
 * @image: open for writing; no I/O is under way
 * @size: a multiple of the logical sector.  What it cuts off is lost; what it adds are zeros
 *
 * Return: 0; -EINVAL: a size that the format cannot have; -EROFS; -EBUSY: a write or a commit is
 * under way; or another error.  A crash leaves the one size or the other.
 */
int ovid_vdisk_resize(struct ovid_vdisk *image, u64 size);

/**
 * struct ovid_vdisk_params - of a new image
 * @format: how it is stored
 * @kind: when space is taken; raw is fixed
 * @size: of the disk
 * @block_size: 0: the usual one
 * @logical_sector: 0: 512
 * @physical_sector: 0: 4096; VHD: 512
 * @now: seconds since 2000, for VHD
 * @parent: of a differencing image
 * @relative_path: where the parent is, seen from the folder of the image, with slashes
 * @absolute_path: or NULL
 */
struct ovid_vdisk_params {
	enum ovid_vdisk_format format;
	enum ovid_vdisk_kind kind;
	u64 size;
	u32 block_size;
	u32 logical_sector;
	u32 physical_sector;
	u32 now;
	const struct ovid_vdisk *parent;
	const char *relative_path;
	const char *absolute_path;
};

/**
 * ovid_vdisk_create - write a new image into an empty file
 * @ops: of the file
 * @ctx: for @ops
 * @params: what to make
 * @why: out: a sentence about a failure
 *
 * It is durable when this returns.  If it fails the file's content is of no use.
 *
 * Return: 0; -EINVAL: @why; -ENOMEM; or an error of @ops.
 */
int ovid_vdisk_create(const struct ovid_vdisk_ops *ops, void *ctx,
		      const struct ovid_vdisk_params *params, const char **why);

/**
 * struct ovid_vdisk_check - what a check has found
 * @blocks: the disk's
 * @allocated: those that have space in the file
 * @damaged: entries of tables that cannot be: outside the file, twice the same space
 * @leaked: bytes of the file that nothing refers to
 * @notes: bits of OVID_CHECK_*
 * @first: the first block that is damaged
 */
struct ovid_vdisk_check {
	u64 blocks;
	u64 allocated;
	u64 damaged;
	u64 leaked;
	u32 notes;
	u64 first;
};

/* one of two copies of a structure is damaged; writing to the image goes on from the other */
#define OVID_CHECK_HEADER	(1u << 0)
#define OVID_CHECK_REGIONS	(1u << 1)
#define OVID_CHECK_FOOTER	(1u << 2)

/**
 * ovid_vdisk_check - look at all of an image's metadata
 * @image: image; its parents are not looked at
 * @check: out
 *
 * It takes a bit of memory for each MiB of the file (VHDX), or each sector (VHD).
 *
 * Return: 0, it was looked at; -ENOMEM; or an error of its operations.
 */
int ovid_vdisk_check(struct ovid_vdisk *image, struct ovid_vdisk_check *check);

/* ---- for tools: a call for I/O, one at a time ---- */

/* Return: 0 or an error; the whole range.  Beyond the disk: -EINVAL */
int ovid_vdisk_read(struct ovid_vdisk *image, u64 off, void *buf, size_t len);
int ovid_vdisk_write(struct ovid_vdisk *image, u64 off, const void *buf, size_t len);
/* zeros, whatever space it takes to hide a parent's data */
int ovid_vdisk_zero(struct ovid_vdisk *image, u64 off, u64 len);

/* ---- for tools: an image's life in a chain.  No I/O is under way ---- */

/**
 * ovid_vdisk_touch - begin to change an image, before anything else changes it
 * @image: open for writing
 * @write_id: what it has from now on; NULL: the one that it has, since all that is going to be
 *	done leaves the disk's content as it is.  Its children stay valid then
 *
 * Without this call the first change gives it a random one.
 *
 * Return: 0; -EROFS; -EBUSY: it has changed already; or an error of its operations.
 */
int ovid_vdisk_touch(struct ovid_vdisk *image, const u8 *write_id);

/**
 * struct ovid_vdisk_link - what a differencing image says of its parent
 * @id: the parent's write_id
 * @id2: another one that it may have as well; or NULL
 * @relative_path: where it is, seen from the folder of the image, with slashes
 * @absolute_path: or NULL
 * @volume_path: or NULL
 */
struct ovid_vdisk_link {
	const u8 *id;
	const u8 *id2;
	const char *relative_path;
	const char *absolute_path;
	const char *volume_path;
};

/**
 * ovid_vdisk_relink - change what a differencing image says of its parent
 * @image: open for writing; its parent need not be there
 * @link: what it is to say; without any path: the paths stay as they are
 * @why: out: a sentence about a failure
 *
 * What waits is flushed first.  It is durable when this returns; a crash leaves the one or the
 * other.  The image's write_id stays.
 *
 * Return: 0; -EINVAL: it has no parent; -ENAMETOOLONG: its metadata has no room for the paths;
 * -EROFS; -EUCLEAN; -ENOMEM; or an error of its operations.
 */
int ovid_vdisk_relink(struct ovid_vdisk *image, const struct ovid_vdisk_link *link,
		      const char **why);

/**
 * struct ovid_vdisk_watch - who looks on while something takes its time
 * @step: told how much is done; other than 0 ends it, and is what the call returns then
 * @arg: for @step
 */
struct ovid_vdisk_watch {
	int (*step)(void *arg, u64 done, u64 all);
	void *arg;
};

/**
 * ovid_vdisk_push - write what an image has by itself into another one
 * @image: image
 * @to: open for writing; what is beyond its end is left out
 * @watch: looks on
 *
 * Return: 0 or an error.
 */
int ovid_vdisk_push(struct ovid_vdisk *image, struct ovid_vdisk *to,
		    const struct ovid_vdisk_watch *watch);

/**
 * ovid_vdisk_merge - write what a differencing image has into its parent
 * @image: differencing, open for writing, with its parent, which is open for writing too
 * @watch: looks on
 * @why: out: a sentence about a failure
 *
 * The parent then has @image's content and size; @image still has it too.  Other children of the
 * parent are worthless from the begin on, and say so.  Whatever ends it, a crash or an error,
 * @image reads as before, and it can be done again.
 *
 * Return: 0; -EINVAL; or an error.
 */
int ovid_vdisk_merge(struct ovid_vdisk *image, const struct ovid_vdisk_watch *watch,
		     const char **why);

/**
 * ovid_vdisk_rebase - put a differencing image on another parent, and keep what it reads
 * @image: differencing, open for writing, with its parent
 * @to: the other one, open, with its own parent set
 * @link: of @to; the ids are filled in here
 * @watch: looks on
 * @why: out: a sentence about a failure
 *
 * What the two parents have in common is not written.  Whatever ends it, @image reads as before,
 * on the one parent or the other.  It is to be closed afterwards: in memory its parent is the old
 * one.
 *
 * Return: 0; -EINVAL; or an error.
 */
int ovid_vdisk_rebase(struct ovid_vdisk *image, struct ovid_vdisk *to, struct ovid_vdisk_link *link,
		      const struct ovid_vdisk_watch *watch, const char **why);

/**
 * ovid_vdisk_compact - give back what an image has in its file and does not need
 * @image: VHDX or VHD, dynamic or differencing, open for writing
 * @watch: looks on
 * @why: out: a sentence about a failure
 *
 * Blocks that are nothing but zeros lose their space, the others move to the file's begin, the file
 * ends behind them.  A block is copied before the table says so, and its old space is left alone
 * until that lasts: whatever ends it, @image reads as before.  The write_id stays.
 *
 * Memory: 24 bytes for each block that has space.
 *
 * Return: 0; -EINVAL: a format or kind without such space; -EUCLEAN: damaged, and nothing was
 * changed; or an error.
 */
int ovid_vdisk_compact(struct ovid_vdisk *image, const struct ovid_vdisk_watch *watch,
		       const char **why);

#endif
