// SPDX-License-Identifier: GPL-2.0-only
/* vhdx_shape.c - a VHDX as a whole: its size, and whether all of it is as it should be */
#include "used.h"
#include "vhdx.h"

/* ---- resize ---- */

/* the contents go to the new place before anything refers to it */
static int copy_table(struct ovid_vdisk *image, u64 to)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u8 *page = kvzalloc(VHDX_REGIONS_LEN, GFP_KERNEL_ACCOUNT);
	int ret = page ? 0 : -ENOMEM;
	u64 at;

	for (at = 0; at < v->bat_len && !ret; at += VHDX_REGIONS_LEN) {
		ret = image->ops->read(image->ctx, v->bat_off + at, page, VHDX_REGIONS_LEN);
		ret = ret ?: image->ops->write(image->ctx, to + at, page, VHDX_REGIONS_LEN);
	}
	kvfree(page);
	return ret;
}

/* both copies, by one commit; one that was damaged is good again */
static int change_region(struct ovid_vdisk *image, u64 off, u32 len)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u8 *table = kvzalloc(VHDX_REGIONS_LEN, GFP_KERNEL_ACCOUNT);
	u8 *entry = table + VHDX_REGION(v->region_bat);
	int ret = table ? 0 : -ENOMEM;

	ret = ret ?: ovid_vhdx_read_regions(image, table);
	if (!ret) {
		put_unaligned_le64(off, entry + VHDX_REGION_OFF);
		put_unaligned_le32(len, entry + VHDX_REGION_LEN);
		ovid_vhdx_put_sum(table, VHDX_REGIONS_LEN);
		ret = ovid_pages_change(image, VHDX_REGIONS_AT(0), table, VHDX_REGIONS_LEN);
	}
	ret = ret ?: ovid_pages_change(image, VHDX_REGIONS_AT(1), table, VHDX_REGIONS_LEN);
	kvfree(table);
	return ret;
}

int ovid_vhdx_table_moved(struct ovid_vdisk *image, u64 off, u32 len)
{
	struct ovid_vhdx *v = vhdx_of(image);
	int ret = change_region(image, off, len);

	if (ret)
		return ret;
	ovid_pages_drop(&image->pages, v->bat_off, v->bat_len);
	v->bat_off = off;
	v->bat_len = len;
	return 0;
}

static int need_table(struct ovid_vdisk *image, u64 size)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u64 entries = vhdx_entries(size, image->info.block_size, v->chunk,
				   image->info.kind == OVID_VDISK_DIFFERENCING);
	u64 len = ovid_round_up(entries * 8, VHDX_ALIGN), off;
	int ret;

	if (len <= v->bat_len)
		return 0;
	ret = ovid_vhdx_new_space(image, len, &off);
	ret = ret ?: copy_table(image, off);
	ret = ret ?: ovid_vhdx_table_moved(image, off, len);
	return ret ?: ovid_vdisk_flush(image);
}

static int set_size(struct ovid_vdisk *image, u64 size)
{
	u8 bytes[8];
	int ret = ovid_vdisk_room(image, 1) ? 0 : ovid_vdisk_flush(image);

	put_unaligned_le64(size, bytes);
	ret = ret ?: ovid_pages_change(image, vhdx_of(image)->size_item, bytes, sizeof(bytes));
	if (!ret)
		image->info.size = size;
	return ret;
}

/* zeros from @off to @end, if there is anything between them */
static int zero(struct ovid_vdisk *image, u64 off, u64 end)
{
	return off < end ? ovid_vdisk_zero(image, off, end - off) : 0;
}

/* new are zeros: behind the old end in its block, and where a parent is longer than this was */
static int grow(struct ovid_vdisk *image, u64 size)
{
	u64 was = image->info.size, end = ovid_round_up(was, image->info.block_size);
	int ret = need_table(image, size);

	if (!ret && image->info.kind == OVID_VDISK_FIXED)
		ret = ovid_block_fill(image, ovid_vdisk_blocks(image),
				      ovid_div_up(size, image->info.block_size));
	if (image->parent)
		end = max(end, image->parent->info.size);
	ret = ret ?: set_size(image, size);
	return ret ?: zero(image, was, min(end, size));
}

static int shrink(struct ovid_vdisk *image, u64 size)
{
	u64 blocks = ovid_vdisk_blocks(image), block = ovid_div_up(size, image->info.block_size);
	struct ovid_block gone = { .state = OVID_BLOCK_ABSENT };
	int ret = zero(image, size, min(image->info.size, block * image->info.block_size));

	for (; block < blocks && !ret; block++) {
		if (!ovid_vdisk_room(image, 2))
			ret = ovid_vdisk_flush(image);
		ret = ret ?: ovid_block_free(image, block, &gone);
	}
	return ret ?: set_size(image, size);
}

int ovid_vhdx_resize(struct ovid_vdisk *image, u64 size)
{
	int ret = 0;

	if (size > image->info.size)
		ret = grow(image, size);
	else if (size < image->info.size)
		ret = shrink(image, size);
	return ret ?: ovid_vdisk_flush(image);
}

/* ---- check ---- */

static bool copy_ok(struct ovid_vdisk *image, u64 off, u8 *bytes, u32 len, int *ret)
{
	*ret = *ret ?: image->ops->read(image->ctx, off, bytes, len);
	return *ret || ovid_vhdx_sum_is_right(bytes, len);
}

static int check_copies(struct ovid_vdisk *image, struct ovid_vdisk_check *check)
{
	u8 *bytes = kvzalloc(VHDX_REGIONS_LEN, GFP_KERNEL_ACCOUNT);
	int ret = bytes ? 0 : -ENOMEM;
	unsigned int n;

	for (n = 0; n < 2 && !ret; n++) {
		if (!copy_ok(image, VHDX_HEADER_AT(n), bytes, VHDX_HEADER_LEN, &ret))
			check->notes |= OVID_CHECK_HEADER;
		if (!copy_ok(image, VHDX_REGIONS_AT(n), bytes, VHDX_REGIONS_LEN, &ret))
			check->notes |= OVID_CHECK_REGIONS;
	}
	kvfree(bytes);
	return ret;
}

static int check_blocks(struct ovid_vdisk *image, struct ovid_vdisk_check *check,
			struct ovid_used *used)
{
	const struct ovid_vhdx *v = vhdx_of(image);
	u64 bitmap, block;
	int ret;

	for (block = 0; block < check->blocks; block++) {
		ret = ovid_used_block(image, block, image->info.block_size, 0, check, used);
		if (ret)
			return ret;
		if (image->info.kind != OVID_VDISK_DIFFERENCING || block % v->chunk)
			continue;
		ret = ovid_vhdx_entry(image, ovid_vhdx_bitmap_index(v, block), &bitmap);
		if (ret)
			return ret;
		if ((bitmap & VHDX_BAT_STATE) == VHDX_BITMAP_PRESENT &&
		    !ovid_used_take(used, bitmap & VHDX_BAT_OFF, VHDX_BITMAP_LEN))
			ovid_used_damaged(check, block);
	}
	return 0;
}

int ovid_vhdx_check(struct ovid_vdisk *image, struct ovid_vdisk_check *check)
{
	const struct ovid_vhdx *v = vhdx_of(image);
	struct ovid_used used = { .unit = VHDX_ALIGN };
	int ret = check_copies(image, check);

	check->blocks = ovid_vdisk_blocks(image);
	ret = ret ?: ovid_used_init(&used, image->file_size);
	if (!ret) {
		ovid_used_take(&used, 0, VHDX_ALIGN);
		ovid_used_take(&used, v->log_off, v->log_len);
		ovid_used_take(&used, v->bat_off, v->bat_len);
		ovid_used_take(&used, v->meta_off, v->meta_len);
		ret = check_blocks(image, check, &used);
		check->leaked = ovid_used_not(&used);
	}
	ovid_used_fini(&used);
	return ret;
}
