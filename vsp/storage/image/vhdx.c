// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhdx.c - the table of blocks of a VHDX.  After each @chunk entries for blocks there is
 * one for the bitmap of these, which says of blocks that are there in part which sectors are.
 */
#include "vhdx.h"

/* where in the file an entry is */
static u64 entry_at(const struct ovid_vhdx *v, u64 index)
{
	return v->bat_off + index * 8;
}

int ovid_vhdx_entry(struct ovid_vdisk *image, u64 index, u64 *entry)
{
	const struct ovid_vhdx *v = vhdx_of(image);
	struct ovid_page *page;
	int ret;

	if (index >= v->bat_len / 8)
		return -EUCLEAN;
	ret = ovid_pages_get(image, entry_at(v, index), &page);
	if (!ret)
		*entry = get_unaligned_le64(page->data + entry_at(v, index) % OVID_PAGE);
	return ret;
}

int ovid_vhdx_set_entry(struct ovid_vdisk *image, u64 index, u64 entry)
{
	u8 bytes[8];

	put_unaligned_le64(entry, bytes);
	return ovid_pages_change(image, entry_at(vhdx_of(image), index), bytes, sizeof(bytes));
}

u64 ovid_vhdx_block_index(const struct ovid_vhdx *v, u64 block)
{
	return block + block / v->chunk;
}

u64 ovid_vhdx_bitmap_index(const struct ovid_vhdx *v, u64 block)
{
	return (block / v->chunk + 1) * (v->chunk + 1) - 1;
}

bool ovid_vhdx_space_ok(const struct ovid_vdisk *image, u64 off, u64 len)
{
	const struct ovid_vhdx *v = vhdx_of(image);

	return off >= VHDX_ALIGN && ovid_fits(off, len, image->file_size) &&
	       !ovid_overlap(off, len, v->log_off, v->log_len) &&
	       !ovid_overlap(off, len, v->bat_off, v->bat_len) &&
	       !ovid_overlap(off, len, v->meta_off, v->meta_len);
}

static int get_bits(struct ovid_vdisk *image, u64 block, struct ovid_block *b)
{
	const struct ovid_vhdx *v = vhdx_of(image);
	u32 bytes = image->info.block_size / image->info.logical_sector / 8;
	u64 entry, off;
	int ret = ovid_vhdx_entry(image, ovid_vhdx_bitmap_index(v, block), &entry);

	if (ret)
		return ret;
	off = entry & VHDX_BAT_OFF;
	if ((entry & VHDX_BAT_STATE) != VHDX_BITMAP_PRESENT ||
	    !ovid_vhdx_space_ok(image, off, VHDX_BITMAP_LEN))
		return -EUCLEAN;
	b->bits = off + block % v->chunk * bytes;
	return 0;
}

static int vhdx_get(struct ovid_vdisk *image, u64 block, struct ovid_block *b)
{
	u64 entry;
	int ret = ovid_vhdx_entry(image, ovid_vhdx_block_index(vhdx_of(image), block), &entry);

	if (ret)
		return ret;
	b->off = entry & VHDX_BAT_OFF;
	switch (entry & VHDX_BAT_STATE) {
	case VHDX_BLOCK_ABSENT:
		b->state = OVID_BLOCK_ABSENT;
		return 0;
	/* the content of these may be anything: let it be what harms nobody */
	case VHDX_BLOCK_UNDEFINED:
	case VHDX_BLOCK_UNMAPPED:
	case VHDX_BLOCK_ZERO:
		b->state = OVID_BLOCK_ZERO;
		return 0;
	case VHDX_BLOCK_FULL:
		b->state = OVID_BLOCK_FULL;
		break;
	case VHDX_BLOCK_PARTIAL:
		b->state = OVID_BLOCK_PARTIAL;
		ret = image->info.kind == OVID_VDISK_DIFFERENCING ?
		      get_bits(image, block, b) : -EUCLEAN;
		break;
	default:
		ret = -EUCLEAN;
	}
	if (!ret && !ovid_vhdx_space_ok(image, b->off, image->info.block_size))
		ret = -EUCLEAN;
	return ret;
}

static int vhdx_set(struct ovid_vdisk *image, u64 block, const struct ovid_block *b)
{
	u64 state = b->state == OVID_BLOCK_FULL ? VHDX_BLOCK_FULL :
		    b->state == OVID_BLOCK_PARTIAL ? VHDX_BLOCK_PARTIAL :
		    b->state == OVID_BLOCK_ZERO ? VHDX_BLOCK_ZERO : VHDX_BLOCK_ABSENT;

	return ovid_vhdx_set_entry(image, ovid_vhdx_block_index(vhdx_of(image), block),
				   b->off | state);
}

/* at the end of the file, where all is zeros */
int ovid_vhdx_new_space(struct ovid_vdisk *image, u64 len, u64 *off)
{
	u64 at = ovid_round_up(image->file_size, VHDX_ALIGN);
	int ret = image->ops->resize(image->ctx, at + len);

	if (ret)
		return ret;
	image->file_size = at + len;
	*off = at;
	return 0;
}

/* the bitmap that the block belongs to, if it is not there yet; empty, so it changes nothing */
static int need_bitmap(struct ovid_vdisk *image, u64 block)
{
	u64 index = ovid_vhdx_bitmap_index(vhdx_of(image), block), entry, off;
	int ret = ovid_vhdx_entry(image, index, &entry);

	if (ret || (entry & VHDX_BAT_STATE) == VHDX_BITMAP_PRESENT)
		return ret;
	ret = ovid_vhdx_new_space(image, VHDX_BITMAP_LEN, &off);
	return ret ?: ovid_vhdx_set_entry(image, index, off | VHDX_BITMAP_PRESENT);
}

/*
 * Bits of an earlier life of the block: they say what is there of it, but nothing is any more.
 * A block that is in the table in part is never without its bits, so these wait with it.
 */
static int clear_bits(struct ovid_vdisk *image, u64 block)
{
	struct ovid_block b;
	u32 left = image->info.block_size / image->info.logical_sector / 8;
	int ret = get_bits(image, block, &b);

	while (!ret && left) {
		u32 part = min_t(u32, left, OVID_PAGE - b.bits % OVID_PAGE), i;
		struct ovid_page *page;

		ret = ovid_pages_get(image, b.bits, &page);
		for (i = 0; !ret && i < part; i++) {
			u8 *byte = &page->data[b.bits % OVID_PAGE + i];

			if (*byte)
				ovid_page_changed(&image->pages, page, b.bits + i, 1);
			*byte = 0;
		}
		b.bits += part;
		left -= part;
	}
	return ret;
}

static int vhdx_alloc(struct ovid_vdisk *image, u64 block, const struct ovid_hole *hole, u64 *off)
{
	int ret = 0;

	if (image->info.kind == OVID_VDISK_DIFFERENCING) {
		ret = need_bitmap(image, block);
		ret = ret ?: clear_bits(image, block);
	}
	if (ret)
		return ret;
	if (!hole)
		return ovid_vhdx_new_space(image, image->info.block_size, off);
	*off = hole->off;
	return 0;
}

static int vhdx_open(struct ovid_vdisk *image, const char **why)
{
	struct ovid_vhdx *v = kvzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	int ret;

	image->format_data = v;
	if (v)
		v->header = kvzalloc(VHDX_HEADER_LEN, GFP_KERNEL_ACCOUNT);
	if (!v || !v->header)
		return -ENOMEM;
	ret = ovid_vhdx_load_header(image, why);
	ret = ret ?: ovid_vhdx_replay(image, why);
	ret = ret ?: ovid_vhdx_load(image, why);
	if (!ret)
		/* a commit holds as many again */
		image->max_dirty = min_t(u32, ovid_vhdx_log_pages(v), OVID_VDISK_MAX_PAGES / 2);
	return ret;
}

static void vhdx_free(struct ovid_vdisk *image)
{
	if (vhdx_of(image))
		kvfree(vhdx_of(image)->header);
	kvfree(vhdx_of(image));
}

const struct ovid_format_ops ovid_vhdx_format = {
	.open = vhdx_open,
	.free = vhdx_free,
	.touch = ovid_vhdx_touch,
	.get = vhdx_get,
	.set = vhdx_set,
	.alloc = vhdx_alloc,
	.commit = ovid_vhdx_commit,
	.resize = ovid_vhdx_resize,
	.check = ovid_vhdx_check,
	.finish = ovid_vhdx_finish,
	.places = ovid_vhdx_places,
	.move = ovid_vhdx_move,
	.cut = ovid_vhdx_cut,
};
