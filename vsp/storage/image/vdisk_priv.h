/* SPDX-License-Identifier: GPL-2.0-only */
/* vdisk_priv.h - what the files of an image share */
#ifndef OVID_VDISK_PRIV_H
#define OVID_VDISK_PRIV_H

#include "vdisk.h"
#include "pages.h"

#define OVID_FAIL(why, err, text)	(*(why) = (text), -(err))

/* a block of the disk: has it a place, and what of that counts? */
enum ovid_block_state {
	OVID_BLOCK_ABSENT,	/* as the parent has it, or zeros */
	OVID_BLOCK_ZERO,
	OVID_BLOCK_FULL,	/* at @off */
	OVID_BLOCK_PARTIAL,	/* those sectors whose bit is set; the others as ABSENT */
};

/**
 * struct ovid_block - what the table says of a block
 * @state: see above
 * @off: of its data in the file
 * @bits: of its first byte of the bitmap, PARTIAL only
 */
struct ovid_block {
	enum ovid_block_state state;
	u64 off;
	u64 bits;
};

/**
 * struct ovid_pending - a block that has got space, with writes to it under way
 * @next: of the image
 * @block: its number
 * @off: of the space
 * @users: writes between begin and end
 * @state: FULL or PARTIAL: what it becomes
 * @done: it is in the table
 */
struct ovid_pending {
	struct ovid_pending *next;
	u64 block;
	u64 off;
	u32 users;
	enum ovid_block_state state;
	bool done;
};

/* space for one block that belongs to none, in the order of its life */
enum ovid_hole_state {
	OVID_HOLE_FREED,	/* the table says so in memory */
	OVID_HOLE_COMMITTING,
	OVID_HOLE_RESTING,	/* and in the file; I/O may be under way to it */
	OVID_HOLE_FREE,		/* may be taken; reads as zeros */
	OVID_HOLE_STATES,
};

struct ovid_hole {
	struct ovid_hole *next;
	u64 off;
};

/**
 * struct ovid_vdisk_commit - what a flush writes
 * @file_size: at the time
 * @nr: pages
 * @copy: of them
 */
struct ovid_vdisk_commit {
	u64 file_size;
	unsigned int nr;
	struct ovid_page_copy *copy;
};

enum ovid_place_kind {
	OVID_PLACE_FIXED,	/* cannot move */
	OVID_PLACE_BLOCK,	/* its @index is that of the block */
	OVID_PLACE_BITMAP,	/* of the table's entry */
	OVID_PLACE_TABLE,
};

/**
 * struct ovid_place - a part of a file that is in use
 * @off: where
 * @index: of what
 * @len: bytes
 * @kind: of what
 */
struct ovid_place {
	u64 off;
	u64 index;
	u32 len;
	enum ovid_place_kind kind;
};

/**
 * struct ovid_places - all of a file's
 * @nr: of them
 * @room: for so many
 * @before: bytes of a block's that are before its data
 * @data_align: where data may be
 * @align: where anything else may be
 * @at: the places
 */
struct ovid_places {
	u64 nr;
	u64 room;
	u32 before;
	u32 data_align;
	u32 align;
	struct ovid_place *at;
};

/**
 * struct ovid_format_ops - a format
 *
 * Those of a format without blocks are map() and discard(); else block.c calls get(), set() and
 * alloc().
 */
struct ovid_format_ops {
	int (*open)(struct ovid_vdisk *image, const char **why);
	void (*free)(struct ovid_vdisk *image);
	/* before the first change of an image since it was opened; NULL: its write_id stays */
	int (*touch)(struct ovid_vdisk *image, const u8 *write_id);
	/* what the table says of a block; checked */
	int (*get)(struct ovid_vdisk *image, u64 block, struct ovid_block *b);
	/* change the table, waiting; ZERO without a parent may be stored as ABSENT */
	int (*set)(struct ovid_vdisk *image, u64 block, const struct ovid_block *b);
	/* space that reads as zeros: @hole's, or new */
	int (*alloc)(struct ovid_vdisk *image, u64 block, const struct ovid_hole *hole, u64 *off);
	/* a commit's pages, to the file, durable: its data is */
	int (*commit)(struct ovid_vdisk *image, const struct ovid_vdisk_commit *commit);
	int (*resize)(struct ovid_vdisk *image, u64 size);
	int (*check)(struct ovid_vdisk *image, struct ovid_vdisk_check *check);
	/* all is flushed: say so in the file */
	int (*finish)(struct ovid_vdisk *image);
	/* compact.c: all that has a place in the file, but what is at its end in any case */
	int (*places)(struct ovid_vdisk *image, struct ovid_places *places);
	/* the content was copied to @to: say so, waiting, or when that is durable */
	int (*move)(struct ovid_vdisk *image, const struct ovid_place *place, u64 to);
	/* all is flushed: the file ends behind the last place, which ends at @end */
	int (*cut)(struct ovid_vdisk *image, u64 end);
};

/**
 * struct ovid_vdisk - one that is open
 * @ops, @ctx: of its file
 * @format_ops: of its format
 * @format_data: the format's own
 * @parent: or NULL
 * @depth: of the chain that begins with it
 * @info: @size, @block_size, ... as they are now
 * @file_size: of its file
 * @writable: it may change
 * @touched: it has, since it was opened
 * @msb_first: bit order of bitmaps
 * @data_off: of the disk in the file, for formats without blocks
 * @max_dirty: pages that a commit can take
 * @reserved: pages that writes under way may still change
 * @pages: metadata
 * @pending: blocks
 * @holes: space, by state
 * @commit: the one that is under way
 */
struct ovid_vdisk {
	const struct ovid_vdisk_ops *ops;
	void *ctx;
	const struct ovid_format_ops *format_ops;
	void *format_data;
	struct ovid_vdisk *parent;
	unsigned int depth;
	struct ovid_vdisk_info info;
	u64 file_size;
	bool writable;
	bool touched;
	bool msb_first;
	u64 data_off;
	u32 max_dirty;
	u32 reserved;
	struct ovid_pages pages;
	struct ovid_pending *pending;
	struct ovid_hole *holes[OVID_HOLE_STATES];
	struct ovid_vdisk_commit *commit;
};

extern const struct ovid_format_ops ovid_raw_format, ovid_vhdx_format, ovid_vhd_format;

/* block.c: formats with blocks */
struct ovid_span {
	u32 kind;		/* OVID_EXTENT_* */
	u64 file_off;
	u64 len;
};

int ovid_block_map(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_span *span);
int ovid_block_write_begin(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_vdisk_write *w);
int ovid_block_write_end(struct ovid_vdisk *image, struct ovid_vdisk_write *w, bool written);
int ovid_block_discard(struct ovid_vdisk *image, u64 off, u64 len, bool advisory);
/* the table has @now of it, which takes no space; the space it had is free after a commit */
int ovid_block_free(struct ovid_vdisk *image, u64 block, const struct ovid_block *now);
/* give blocks their space */
int ovid_block_fill(struct ovid_vdisk *image, u64 first, u64 end);
void ovid_holes_move(struct ovid_vdisk *image, enum ovid_hole_state from, enum ovid_hole_state to);
/* those that rest become zeros and are free; what cannot be punched is not used again */
void ovid_holes_punch(struct ovid_vdisk *image);
void ovid_holes_drop(struct ovid_vdisk *image);

/* compact.c: 0 or -ENOMEM */
int ovid_places_add(struct ovid_places *places, enum ovid_place_kind kind, u64 index, u64 off,
		    u32 len);

/* vdisk.c: there is room for changes of so many pages */
bool ovid_vdisk_room(const struct ovid_vdisk *image, u32 pages);

static inline u64 ovid_vdisk_blocks(const struct ovid_vdisk *image)
{
	return ovid_div_up(image->info.size, image->info.block_size);
}

/* vhdx_create.c, vhd_create.c */
int ovid_vhdx_create(const struct ovid_vdisk_ops *ops, void *ctx,
		     const struct ovid_vdisk_params *params, const char **why);
int ovid_vhd_create(const struct ovid_vdisk_ops *ops, void *ctx,
		    const struct ovid_vdisk_params *params, const char **why);

#endif
