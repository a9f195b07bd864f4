// SPDX-License-Identifier: GPL-2.0-only
/*
 * compact.c - make an image's file as short as it can be: see ovid_vdisk_compact().
 *
 * What is highest in the file moves into the lowest gap that takes it, until there is none; the
 * gaps are those of the begin of a round, so that nothing is overwritten which the table that lasts
 * still has.  All that moves of a round is in the table, and lasts, before the next one.
 */
#include "vdisk_priv.h"

#define COPY_LEN	(1u << 20)
#define LOOK_LEN	(64u << 10)	/* most blocks that are not zeros say so soon */
#define MOVES		64		/* between two flushes */

struct compaction {
	struct ovid_vdisk *image;
	const struct ovid_vdisk_watch *watch;
	struct ovid_places places;
	u8 *buf;
	u64 done;
	u64 all;
};

static int tell(struct compaction *c, u64 done)
{
	c->done = min(max(c->done, done), c->all);
	return c->watch ? c->watch->step(c->watch->arg, c->done, c->all) : 0;
}

/* ---- blocks that are zeros ---- */

/* by itself: where it has nothing a parent may have something */
static int block_is_zeros(struct compaction *c, u64 block, bool *zeros)
{
	struct ovid_vdisk *image = c->image;
	u64 off = block * image->info.block_size;
	u64 end = min(off + image->info.block_size, image->info.size);
	struct ovid_vdisk_extent ext;
	int ret = 0;

	*zeros = true;
	for (; off < end && *zeros && !ret; off += ext.len) {
		ret = ovid_vdisk_map_own(image, off, min_t(u64, end - off, LOOK_LEN), &ext);
		if (ret || ext.kind == OVID_EXTENT_ZERO)
			continue;
		if (ext.kind == OVID_EXTENT_DATA)
			ret = image->ops->read(image->ctx, ext.file_off, c->buf, ext.len);
		*zeros = ext.kind == OVID_EXTENT_DATA && ovid_all_zeros(c->buf, ext.len);
	}
	return ret;
}

static int free_if_zeros(struct compaction *c, u64 block)
{
	const struct ovid_block none = { .state = OVID_BLOCK_ZERO };
	bool zeros;
	int ret = block_is_zeros(c, block, &zeros);

	if (ret || !zeros)
		return ret;
	if (!ovid_vdisk_room(c->image, 1))
		ret = ovid_vdisk_flush(c->image);
	return ret ?: ovid_block_free(c->image, block, &none);
}

static int free_zeros(struct compaction *c)
{
	u64 blocks = ovid_vdisk_blocks(c->image), block, seen = 0;
	struct ovid_block b;
	int ret = 0;

	for (block = 0; block < blocks && !ret; block++) {
		ret = c->image->format_ops->get(c->image, block, &b);
		if (ret || b.state < OVID_BLOCK_FULL)
			continue;
		ret = free_if_zeros(c, block);
		ret = ret ?: tell(c, ++seen);
	}
	return ret;
}

/* ---- places ---- */

static int more_places(struct ovid_places *places)
{
	u64 room = max(2 * places->room, 1024ull);
	struct ovid_place *at = kvzalloc(room * sizeof(*at), GFP_KERNEL_ACCOUNT);

	if (!at)
		return -ENOMEM;
	if (places->nr)
		memcpy(at, places->at, places->nr * sizeof(*at));
	kvfree(places->at);
	places->at = at;
	places->room = room;
	return 0;
}

int ovid_places_add(struct ovid_places *places, enum ovid_place_kind kind, u64 index, u64 off,
		    u32 len)
{
	int ret = places->nr == places->room ? more_places(places) : 0;

	if (!ret)
		places->at[places->nr++] = (struct ovid_place){ off, index, len, kind };
	return ret;
}

static int by_offset(const void *a, const void *b)
{
	const struct ovid_place *x = a, *y = b;

	return x->off < y->off ? -1 : x->off > y->off;
}

static int find_places(struct compaction *c)
{
	int ret;

	c->places.nr = 0;
	ret = c->image->format_ops->places(c->image, &c->places);
	/* what has lost its place up to now lasts: only so are gaps free */
	ret = ret ?: ovid_vdisk_flush(c->image);
	if (!ret)
		sort(c->places.at, c->places.nr, sizeof(*c->places.at), by_offset, NULL);
	return ret;
}

static u64 end_of(const struct ovid_place *p)
{
	return p->off + p->len;
}

/* where it would begin in a gap */
static u64 fit(const struct ovid_places *places, const struct ovid_place *p, u64 gap)
{
	if (p->kind != OVID_PLACE_BLOCK)
		return ovid_round_up(gap, places->align);
	return ovid_round_up(gap + places->before, places->data_align) - places->before;
}

/* ---- moving ---- */

static int copy_place(struct compaction *c, const struct ovid_place *p, u64 to)
{
	struct ovid_vdisk *image = c->image;
	u32 at, part;
	int ret = 0;

	for (at = 0; at < p->len && !ret; at += part) {
		part = min(p->len - at, COPY_LEN);
		ret = image->ops->read(image->ctx, p->off + at, c->buf, part);
		ret = ret ?: image->ops->write(image->ctx, to + at, c->buf, part);
	}
	/* of what was there once */
	ovid_pages_drop(&image->pages, to, p->len);
	return ret;
}

static int move(struct compaction *c, const struct ovid_place *p, u64 to)
{
	struct ovid_vdisk *image = c->image;
	bool table = p->kind == OVID_PLACE_TABLE;
	/* a table is copied as it is in the file */
	int ret = table || !ovid_vdisk_room(image, 2) ? ovid_vdisk_flush(image) : 0;

	ret = ret ?: copy_place(c, p, to);
	ret = ret ?: image->format_ops->move(image, p, to);
	return ret || !table ? ret : ovid_vdisk_flush(image);
}

static int one_round(struct compaction *c, u64 *moved)
{
	const struct ovid_place *at;
	u64 gap, next = 1, top;
	int ret = find_places(c);

	*moved = 0;
	if (ret)
		return ret;
	at = c->places.at;
	top = c->places.nr - 1;
	gap = end_of(&at[0]);
	while (next <= top && at[top].kind != OVID_PLACE_FIXED && !ret) {
		u64 to = fit(&c->places, &at[top], gap);

		if (to + at[top].len > at[next].off) {
			gap = max(gap, end_of(&at[next]));
			next++;
			continue;
		}
		ret = move(c, &at[top], to);
		gap = to + at[top--].len;
		if (!ret && ++*moved % MOVES == 0)
			ret = ovid_vdisk_flush(c->image);
		ret = ret ?: tell(c, c->all / 2 + c->places.nr - top);
	}
	return ret;
}

/* the file ends behind the last of the places; what is between them takes no space */
static int shorten(struct compaction *c)
{
	const struct ovid_place *at = c->places.at, *last = &at[c->places.nr - 1];
	struct ovid_vdisk *image = c->image;
	u64 i;
	int ret = 0;

	if (end_of(last) < image->file_size)
		ret = image->format_ops->cut(image, end_of(last));
	for (i = 1; i < c->places.nr && !ret; i++)
		if (at[i].off > end_of(&at[i - 1]))
			ret = image->ops->punch(image->ctx, end_of(&at[i - 1]),
						at[i].off - end_of(&at[i - 1]));
	return ret;
}

static int compact_all(struct compaction *c)
{
	u64 moved;
	int ret = c->image->touched ? 0 : ovid_vdisk_touch(c->image, NULL);

	ret = ret ?: free_zeros(c);
	/* whatever it knew of free space: from here on that is what has no place */
	ovid_holes_drop(c->image);
	do {
		ret = ret ?: one_round(c, &moved);
	} while (!ret && moved);
	ret = ret ?: shorten(c);
	return ret ?: tell(c, c->all);
}

int ovid_vdisk_compact(struct ovid_vdisk *image, const struct ovid_vdisk_watch *watch,
		       const char **why)
{
	struct compaction c = { .image = image, .watch = watch };
	struct ovid_vdisk_check check;
	int ret;

	*why = "it cannot be read or written";
	if (!image->format_ops->places || image->info.kind == OVID_VDISK_FIXED)
		return OVID_FAIL(why, EINVAL, "it is neither dynamic nor differencing: its space is its own");
	if (!image->writable)
		return -EROFS;
	if (image->pending || image->commit)
		return -EBUSY;
	ret = ovid_vdisk_check(image, &check);
	if (!ret && check.damaged)
		ret = OVID_FAIL(why, EUCLEAN, "it is damaged");
	if (ret)
		return ret;
	c.all = 2 * check.allocated + 1;
	c.buf = kvzalloc(COPY_LEN, GFP_KERNEL_ACCOUNT);
	ret = c.buf ? compact_all(&c) : -ENOMEM;
	kvfree(c.places.at);
	kvfree(c.buf);
	return ret;
}
