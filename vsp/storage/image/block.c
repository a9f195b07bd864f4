// SPDX-License-Identifier: GPL-2.0-only
/*
 * block.c - images that give space to their disk by blocks: where a byte is, and the life of a
 * block and of its space.  The tables themselves are the format's.
 */
#include "vdisk_priv.h"

static u64 start_of(const struct ovid_vdisk *image, u64 block)
{
	return block * image->info.block_size;
}

/* bytes of the disk that a block has; the last one's may be fewer than its space */
static u64 bytes_of(const struct ovid_vdisk *image, u64 block)
{
	return min_t(u64, image->info.block_size, image->info.size - start_of(image, block));
}

/* ---- bitmaps ---- */

static u8 bit_mask(const struct ovid_vdisk *image, u32 bit)
{
	return image->msb_first ? 0x80 >> bit % 8 : 1 << bit % 8;
}

/* how many of the bits from @first on, of @nr, are as the first one is */
static int run_of_bits(struct ovid_vdisk *image, u64 bits, u32 first, u32 nr, bool *set, u32 *run)
{
	struct ovid_page *page = NULL;
	u32 bit;

	for (bit = first; bit < first + nr; bit++) {
		u64 at = bits + bit / 8;
		bool is;
		u8 byte;

		if (!page || at % OVID_PAGE == 0) {
			int ret = ovid_pages_get(image, at, &page);

			if (ret)
				return ret;
		}
		byte = page->data[at % OVID_PAGE];
		is = byte & bit_mask(image, bit);
		if (bit == first)
			*set = is;
		if (is != *set)
			break;
		/* whole bytes at once */
		if (bit % 8 == 0 && bit + 8 <= first + nr && byte == (*set ? 0xff : 0))
			bit += 7;
	}
	*run = bit - first;
	return 0;
}

static int set_bits(struct ovid_vdisk *image, u64 bits, u32 first, u32 nr)
{
	while (nr) {
		u64 at = bits + first / 8;
		struct ovid_page *page;
		int ret = ovid_pages_get(image, at, &page);
		u8 *byte;

		if (ret)
			return ret;
		byte = &page->data[at % OVID_PAGE];
		ovid_page_changed(&image->pages, page, at, 1);
		if (first % 8 == 0 && nr >= 8) {
			*byte = 0xff;
			first += 8;
			nr -= 8;
			continue;
		}
		*byte |= bit_mask(image, first);
		first++;
		nr--;
	}
	return 0;
}

/* pages that setting so many bits may change */
static u32 pages_of_bits(u64 nr)
{
	return nr / (8 * OVID_PAGE) + 2;
}

/* ---- where ---- */

int ovid_block_map(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_span *span)
{
	u64 block = off / image->info.block_size, in = off - start_of(image, block);
	u32 sector = image->info.logical_sector, run;
	struct ovid_block b;
	bool set;
	int ret = image->format_ops->get(image, block, &b);

	if (ret)
		return ret;
	span->len = min(len, bytes_of(image, block) - in);
	span->file_off = b.off + in;
	span->kind = b.state == OVID_BLOCK_ABSENT ? OVID_EXTENT_PARENT :
		     b.state == OVID_BLOCK_ZERO ? OVID_EXTENT_ZERO : OVID_EXTENT_DATA;
	if (b.state != OVID_BLOCK_PARTIAL)
		return 0;
	ret = run_of_bits(image, b.bits, in / sector,
			  ovid_div_up(in + span->len, sector) - in / sector, &set, &run);
	if (ret)
		return ret;
	span->len = min(span->len, (in / sector + run) * sector - in);
	span->kind = set ? OVID_EXTENT_DATA : OVID_EXTENT_PARENT;
	return 0;
}

/* ---- space ---- */

static void push_hole(struct ovid_vdisk *image, struct ovid_hole *hole, enum ovid_hole_state state)
{
	hole->next = image->holes[state];
	image->holes[state] = hole;
}

static struct ovid_hole *pop_hole(struct ovid_vdisk *image, enum ovid_hole_state state)
{
	struct ovid_hole *hole = image->holes[state];

	if (hole)
		image->holes[state] = hole->next;
	return hole;
}

/* without memory for it the space is lost until someone compacts the image: no harm else */
static void add_hole(struct ovid_vdisk *image, u64 off, enum ovid_hole_state state)
{
	struct ovid_hole *hole = kvzalloc(sizeof(*hole), GFP_KERNEL_ACCOUNT);

	if (!hole)
		return;
	hole->off = off;
	push_hole(image, hole, state);
}

void ovid_holes_move(struct ovid_vdisk *image, enum ovid_hole_state from, enum ovid_hole_state to)
{
	struct ovid_hole *hole;

	while ((hole = pop_hole(image, from)))
		push_hole(image, hole, to);
}

void ovid_holes_punch(struct ovid_vdisk *image)
{
	struct ovid_hole *hole;

	while ((hole = pop_hole(image, OVID_HOLE_RESTING))) {
		if (image->ops->punch(image->ctx, hole->off, image->info.block_size))
			kvfree(hole);
		else
			push_hole(image, hole, OVID_HOLE_FREE);
	}
}

void ovid_holes_drop(struct ovid_vdisk *image)
{
	unsigned int state;

	for (state = 0; state < OVID_HOLE_STATES; state++) {
		struct ovid_hole *hole;

		while ((hole = pop_hole(image, state)))
			kvfree(hole);
	}
}

static int take_space(struct ovid_vdisk *image, u64 block, u64 *off)
{
	struct ovid_hole *hole = pop_hole(image, OVID_HOLE_FREE);
	int ret = image->format_ops->alloc(image, block, hole, off);

	if (ret && hole)
		push_hole(image, hole, OVID_HOLE_FREE);
	else
		kvfree(hole);
	return ret;
}

/* ---- blocks that writes are under way to ---- */

static struct ovid_pending *find_pending(const struct ovid_vdisk *image, u64 block)
{
	struct ovid_pending *p = image->pending;

	while (p && p->block != block)
		p = p->next;
	return p;
}

static struct ovid_pending *make_pending(struct ovid_vdisk *image, u64 block,
					 enum ovid_block_state was, int *err)
{
	struct ovid_pending *p = kvzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	*err = p ? take_space(image, block, &p->off) : -ENOMEM;
	if (*err) {
		kvfree(p);
		return NULL;
	}
	p->block = block;
	/* what is not written of it stays what it was: the parent's, or zeros as the space is */
	p->state = image->parent && was == OVID_BLOCK_ABSENT ? OVID_BLOCK_PARTIAL : OVID_BLOCK_FULL;
	p->next = image->pending;
	image->pending = p;
	return p;
}

static void end_pending(struct ovid_vdisk *image, struct ovid_pending *p)
{
	struct ovid_pending **at = &image->pending;

	if (--p->users)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	/* nobody has seen it; but parts may have been written */
	if (!p->done && !image->ops->punch(image->ctx, p->off, image->info.block_size))
		add_hole(image, p->off, OVID_HOLE_FREE);
	kvfree(p);
}

/* ---- writes ---- */

static int begin_absent(struct ovid_vdisk *image, u64 block, const struct ovid_block *b,
			struct ovid_vdisk_write *w)
{
	u32 bits = image->info.block_size / image->info.logical_sector;
	u32 need = 1 + (image->parent ? pages_of_bits(bits) : 0);
	struct ovid_pending *p = find_pending(image, block);
	int ret = 0;

	/* alloc() may change a page at once */
	if (!ovid_vdisk_room(image, need + 1))
		return -EAGAIN;
	if (!p)
		p = make_pending(image, block, b->state, &ret);
	if (!p)
		return ret;
	p->users++;
	w->block = p;
	w->pending = true;
	w->reserved = need;
	w->file_off = p->off + (w->off - start_of(image, block));
	image->reserved += need;
	return 0;
}

static int begin_partial(struct ovid_vdisk *image, u64 block, const struct ovid_block *b,
			 struct ovid_vdisk_write *w)
{
	u32 sector = image->info.logical_sector, nr = w->len / sector, run;
	u64 in = w->off - start_of(image, block);
	bool set;
	int ret = run_of_bits(image, b->bits, in / sector, nr, &set, &run);

	if (ret || (set && run == nr))
		return ret;
	if (!ovid_vdisk_room(image, pages_of_bits(nr)))
		return -EAGAIN;
	w->pending = true;
	w->reserved = pages_of_bits(nr);
	image->reserved += w->reserved;
	return 0;
}

int ovid_block_write_begin(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_vdisk_write *w)
{
	u64 block = off / image->info.block_size, in = off - start_of(image, block);
	struct ovid_block b;
	int ret = image->format_ops->get(image, block, &b);

	if (ret)
		return ret;
	w->off = off;
	w->len = min(len, bytes_of(image, block) - in);
	w->file_off = b.off + in;
	switch (b.state) {
	case OVID_BLOCK_FULL:
		return 0;
	case OVID_BLOCK_PARTIAL:
		return begin_partial(image, block, &b, w);
	default:
		return begin_absent(image, block, &b, w);
	}
}

/* the first of a new block's writes puts it into the table */
static int publish(struct ovid_vdisk *image, struct ovid_pending *p,
		   const struct ovid_vdisk_write *w)
{
	struct ovid_block b = { .state = p->state, .off = p->off };
	int ret;

	if (p->done)
		return 0;
	if (w->len == bytes_of(image, p->block))
		b.state = OVID_BLOCK_FULL;
	ret = image->format_ops->set(image, p->block, &b);
	p->done = !ret;
	return ret;
}

/* the block may have been discarded since the write began: then there is nothing to mark */
static int mark_written(struct ovid_vdisk *image, const struct ovid_vdisk_write *w)
{
	u64 block = w->off / image->info.block_size, in = w->off - start_of(image, block);
	u32 sector = image->info.logical_sector;
	struct ovid_block b;
	int ret = image->format_ops->get(image, block, &b);

	if (ret || b.state != OVID_BLOCK_PARTIAL || b.off + in != w->file_off)
		return ret;
	return set_bits(image, b.bits, in / sector, w->len / sector);
}

int ovid_block_write_end(struct ovid_vdisk *image, struct ovid_vdisk_write *w, bool written)
{
	struct ovid_pending *p = w->block;
	int ret = 0;

	image->reserved -= w->reserved;
	if (written && p)
		ret = publish(image, p, w);
	if (written && !ret)
		ret = mark_written(image, w);
	if (p)
		end_pending(image, p);
	return ret;
}

/* ---- discard ---- */

int ovid_block_free(struct ovid_vdisk *image, u64 block, const struct ovid_block *now)
{
	struct ovid_block was;
	int ret = image->format_ops->get(image, block, &was);

	/* a disk of terabytes that is cut has mostly these */
	if (!ret && was.state == now->state)
		return 0;
	if (!ret && !ovid_vdisk_room(image, 1))
		ret = -EAGAIN;
	ret = ret ?: image->format_ops->set(image, block, now);
	if (!ret && was.state >= OVID_BLOCK_FULL)
		add_hole(image, was.off, OVID_HOLE_FREED);
	return ret;
}

/* hide a part of the parent's: space that is zeros */
static int cover(struct ovid_vdisk *image, u64 off, u64 len)
{
	struct ovid_vdisk_write w = {};
	int ret = ovid_block_write_begin(image, off, len, &w);

	if (ret || !w.pending)
		return ret;
	ret = image->ops->punch(image->ctx, w.file_off, w.len);
	return ovid_block_write_end(image, &w, !ret) ?: ret;
}

static int discard_in_block(struct ovid_vdisk *image, u64 block, u64 off, u64 len, bool advisory)
{
	u64 in = off - start_of(image, block);
	bool whole = len == bytes_of(image, block) && !find_pending(image, block) &&
		     image->info.kind != OVID_VDISK_FIXED;
	struct ovid_block b, zero = { .state = OVID_BLOCK_ZERO };
	int ret = image->format_ops->get(image, block, &b);

	if (ret || b.state == OVID_BLOCK_ZERO)
		return ret;
	if (b.state == OVID_BLOCK_ABSENT && !image->parent)
		return 0;
	if (whole)
		return ovid_block_free(image, block, &zero);
	if (b.state == OVID_BLOCK_ABSENT)
		return advisory ? 0 : cover(image, off, len);
	ret = image->ops->punch(image->ctx, b.off + in, len);
	if (ret || b.state == OVID_BLOCK_FULL || !image->parent)
		return ret;
	return cover(image, off, len);
}

int ovid_block_discard(struct ovid_vdisk *image, u64 off, u64 len, bool advisory)
{
	while (len) {
		u64 block = off / image->info.block_size;
		u64 part = min(len, bytes_of(image, block) - (off - start_of(image, block)));
		int ret = discard_in_block(image, block, off, part, advisory);

		if (ret)
			return ret;
		off += part;
		len -= part;
	}
	return 0;
}

/* ---- all of it ---- */

int ovid_block_fill(struct ovid_vdisk *image, u64 first, u64 end)
{
	struct ovid_block b = { .state = OVID_BLOCK_FULL };
	int ret = 0;

	for (; first < end && !ret; first++) {
		if (!ovid_vdisk_room(image, 2))
			ret = ovid_vdisk_flush(image);
		ret = ret ?: take_space(image, first, &b.off);
		ret = ret ?: image->format_ops->set(image, first, &b);
	}
	return ret;
}
