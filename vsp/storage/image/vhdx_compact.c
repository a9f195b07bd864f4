// SPDX-License-Identifier: GPL-2.0-only
/* vhdx_compact.c - what has a place in a VHDX, and what moves: blocks, bitmaps, their table */
#include "vhdx.h"

static int add_regions(struct ovid_vdisk *image, struct ovid_places *places)
{
	const struct ovid_vhdx *v = vhdx_of(image);
	u8 *table = kvzalloc(VHDX_REGIONS_LEN, GFP_KERNEL_ACCOUNT);
	int ret = table ? ovid_vhdx_read_regions(image, table) : -ENOMEM;
	u32 i;

	/* each was checked when the image was opened */
	for (i = 0; !ret && i < get_unaligned_le32(table + VHDX_REGIONS_COUNT); i++) {
		const u8 *entry = table + VHDX_REGION(i);

		ret = ovid_places_add(places,
				      i == v->region_bat ? OVID_PLACE_TABLE : OVID_PLACE_FIXED, 0,
				      get_unaligned_le64(entry + VHDX_REGION_OFF),
				      get_unaligned_le32(entry + VHDX_REGION_LEN));
	}
	kvfree(table);
	return ret;
}

/* an entry without space: it may say an offset, of which nothing is left */
static int forget_space(struct ovid_vdisk *image, u64 index, u64 entry)
{
	int ret = 0;

	if (!(entry & VHDX_BAT_OFF))
		return 0;
	if (!ovid_vdisk_room(image, 1))
		ret = ovid_vdisk_flush(image);
	return ret ?: ovid_vhdx_set_entry(image, index, entry & VHDX_BAT_STATE);
}

static int add_data(struct ovid_vdisk *image, struct ovid_places *places, u64 block, bool *partial)
{
	u64 index = ovid_vhdx_block_index(vhdx_of(image), block), entry;
	int ret = ovid_vhdx_entry(image, index, &entry);
	u32 state = entry & VHDX_BAT_STATE;

	if (ret)
		return ret;
	if (state != VHDX_BLOCK_FULL && state != VHDX_BLOCK_PARTIAL)
		return forget_space(image, index, entry);
	*partial |= state == VHDX_BLOCK_PARTIAL;
	return ovid_places_add(places, OVID_PLACE_BLOCK, block, entry & VHDX_BAT_OFF,
			       image->info.block_size);
}

/* a bitmap that no block is looked up in has no use */
static int add_bitmap(struct ovid_vdisk *image, struct ovid_places *places, u64 block, bool partial)
{
	u64 index = ovid_vhdx_bitmap_index(vhdx_of(image), block), entry;
	int ret = ovid_vhdx_entry(image, index, &entry);

	if (ret || (entry & VHDX_BAT_STATE) != VHDX_BITMAP_PRESENT)
		return ret;
	if (partial)
		return ovid_places_add(places, OVID_PLACE_BITMAP, index, entry & VHDX_BAT_OFF,
				       VHDX_BITMAP_LEN);
	if (!ovid_vdisk_room(image, 1))
		ret = ovid_vdisk_flush(image);
	return ret ?: ovid_vhdx_set_entry(image, index, VHDX_BITMAP_ABSENT);
}

int ovid_vhdx_places(struct ovid_vdisk *image, struct ovid_places *places)
{
	const struct ovid_vhdx *v = vhdx_of(image);
	u64 blocks = ovid_vdisk_blocks(image), block;
	bool partial = false;
	int ret;

	places->align = VHDX_ALIGN;
	places->data_align = VHDX_ALIGN;
	ret = ovid_places_add(places, OVID_PLACE_FIXED, 0, 0, VHDX_ALIGN);
	ret = ret ?: ovid_places_add(places, OVID_PLACE_FIXED, 0, v->log_off, v->log_len);
	ret = ret ?: add_regions(image, places);
	for (block = 0; block < blocks && !ret; block++) {
		ret = add_data(image, places, block, &partial);
		if (ret || image->info.kind != OVID_VDISK_DIFFERENCING)
			continue;
		if (block % v->chunk == v->chunk - 1 || block == blocks - 1) {
			ret = add_bitmap(image, places, block, partial);
			partial = false;
		}
	}
	return ret;
}

int ovid_vhdx_move(struct ovid_vdisk *image, const struct ovid_place *place, u64 to)
{
	struct ovid_block b;
	int ret;

	if (place->kind == OVID_PLACE_TABLE)
		return ovid_vhdx_table_moved(image, to, place->len);
	if (place->kind == OVID_PLACE_BITMAP) {
		ovid_pages_drop(&image->pages, place->off, place->len);
		return ovid_vhdx_set_entry(image, place->index, to | VHDX_BITMAP_PRESENT);
	}
	ret = image->format_ops->get(image, place->index, &b);
	b.off = to;
	return ret ?: image->format_ops->set(image, place->index, &b);
}

int ovid_vhdx_cut(struct ovid_vdisk *image, u64 end)
{
	/* entries of the log say how long the file is: it is empty before that is no longer true */
	int ret = ovid_vhdx_finish(image);

	ret = ret ?: image->ops->resize(image->ctx, end);
	if (ret)
		return ret;
	image->file_size = end;
	return image->ops->flush(image->ctx);
}
