// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhdx_load.c - the region table, which says where the block table and the metadata are, and the
 * metadata, which says what the disk is.  Nothing of them is believed that was not checked.
 */
#include "vhdx.h"

/* ---- regions ---- */

bool ovid_vhdx_regions_ok(u8 *table)
{
	return !memcmp(table, "regi", 4) && ovid_vhdx_sum_is_right(table, VHDX_REGIONS_LEN);
}

int ovid_vhdx_read_regions(struct ovid_vdisk *image, u8 *table)
{
	int ret = ovid_pages_read(image, VHDX_REGIONS_AT(0), table, VHDX_REGIONS_LEN);

	if (ret || ovid_vhdx_regions_ok(table))
		return ret;
	ret = ovid_pages_read(image, VHDX_REGIONS_AT(1), table, VHDX_REGIONS_LEN);
	return ret ?: ovid_vhdx_regions_ok(table) ? 0 : -EUCLEAN;
}

static bool region_ok(const struct ovid_vdisk *image, const u8 *entry)
{
	const struct ovid_vhdx *v = vhdx_of(image);
	u64 off = get_unaligned_le64(entry + VHDX_REGION_OFF);
	u32 len = get_unaligned_le32(entry + VHDX_REGION_LEN);

	return off >= VHDX_ALIGN && off % VHDX_ALIGN == 0 && len && len % VHDX_ALIGN == 0 &&
	       ovid_fits(off, len, image->file_size) &&
	       !ovid_overlap(off, len, v->log_off, v->log_len);
}

static bool regions_overlap(const u8 *table, u32 a, u32 b)
{
	const u8 *x = table + VHDX_REGION(a), *y = table + VHDX_REGION(b);

	return ovid_overlap(get_unaligned_le64(x + VHDX_REGION_OFF),
			    get_unaligned_le32(x + VHDX_REGION_LEN),
			    get_unaligned_le64(y + VHDX_REGION_OFF),
			    get_unaligned_le32(y + VHDX_REGION_LEN));
}

static int take_region(struct ovid_vdisk *image, const u8 *entry, u32 index, const char **why)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u64 off = get_unaligned_le64(entry + VHDX_REGION_OFF);
	u32 len = get_unaligned_le32(entry + VHDX_REGION_LEN);

	if (!memcmp(entry, ovid_vhdx_id_bat, 16)) {
		if (v->bat_len)
			return OVID_FAIL(why, EUCLEAN, "it has two block tables");
		v->bat_off = off;
		v->bat_len = len;
		v->region_bat = index;
	} else if (!memcmp(entry, ovid_vhdx_id_metadata, 16)) {
		if (v->meta_len)
			return OVID_FAIL(why, EUCLEAN, "it has metadata twice");
		v->meta_off = off;
		v->meta_len = len;
	} else if (get_unaligned_le32(entry + VHDX_REGION_REQUIRED) & 1) {
		return OVID_FAIL(why, EOPNOTSUPP, "it has a region that is required and not known");
	}
	return 0;
}

static int take_regions(struct ovid_vdisk *image, const u8 *table, const char **why)
{
	u32 count = get_unaligned_le32(table + VHDX_REGIONS_COUNT), i, j;
	int ret = 0;

	if (count > VHDX_TABLE_MAX)
		return OVID_FAIL(why, EUCLEAN, "its region table is damaged");
	for (i = 0; i < count && !ret; i++) {
		if (!region_ok(image, table + VHDX_REGION(i)))
			return OVID_FAIL(why, EUCLEAN, "it has a region where none can be");
		for (j = 0; j < i; j++)
			if (regions_overlap(table, i, j))
				return OVID_FAIL(why, EUCLEAN, "its regions overlap");
		ret = take_region(image, table + VHDX_REGION(i), i, why);
	}
	if (!ret && (!vhdx_of(image)->bat_len || !vhdx_of(image)->meta_len))
		ret = OVID_FAIL(why, EUCLEAN, "it has no block table, or no metadata");
	return ret;
}

static int load_regions(struct ovid_vdisk *image, u8 *table, const char **why)
{
	unsigned int n;

	for (n = 0; n < 2; n++) {
		int ret = image->ops->read(image->ctx, VHDX_REGIONS_AT(n), table, VHDX_REGIONS_LEN);

		if (ret)
			return ret;
		if (ovid_vhdx_regions_ok(table))
			return take_regions(image, table, why);
	}
	return OVID_FAIL(why, EUCLEAN, "both of its region tables are damaged");
}

/* ---- metadata ---- */

struct item {
	const u8 *id;
	u32 len;		/* 0: any */
	u64 off;		/* in the file; 0: not found */
	u32 found_len;
};

enum {
	ITEM_PARAMS,
	ITEM_SIZE,
	ITEM_LOGICAL,
	ITEM_PHYSICAL,
	ITEM_DISK,
	ITEM_LOCATOR,
	NR_ITEMS,
};

static bool items_overlap(const u8 *table, u32 a, u32 b)
{
	const u8 *x = table + VHDX_META(a), *y = table + VHDX_META(b);

	return ovid_overlap(get_unaligned_le32(x + VHDX_META_OFF),
			    get_unaligned_le32(x + VHDX_META_LEN),
			    get_unaligned_le32(y + VHDX_META_OFF),
			    get_unaligned_le32(y + VHDX_META_LEN));
}

static bool item_ok(const struct ovid_vhdx *v, const u8 *entry)
{
	u32 off = get_unaligned_le32(entry + VHDX_META_OFF);
	u32 len = get_unaligned_le32(entry + VHDX_META_LEN);

	if (!len)
		return !off;
	return len <= VHDX_META_ITEM_MAX && off >= VHDX_META_TABLE_LEN &&
	       ovid_fits(off, len, v->meta_len);
}

static int take_item(struct ovid_vdisk *image, const u8 *entry, struct item *items,
		     const char **why)
{
	u32 flags = get_unaligned_le32(entry + VHDX_META_FLAGS), i;

	for (i = 0; i < NR_ITEMS; i++) {
		struct item *item = &items[i];

		if (memcmp(entry, item->id, 16) || flags & VHDX_META_USER)
			continue;
		item->found_len = get_unaligned_le32(entry + VHDX_META_LEN);
		if (item->off || !item->found_len || (item->len && item->found_len != item->len))
			return OVID_FAIL(why, EUCLEAN, "an item of its metadata is damaged");
		item->off = vhdx_of(image)->meta_off + get_unaligned_le32(entry + VHDX_META_OFF);
		return 0;
	}
	if (flags & VHDX_META_REQUIRED)
		return OVID_FAIL(why, EOPNOTSUPP, "it has metadata that is required and not known");
	return 0;
}

static int find_items(struct ovid_vdisk *image, u8 *table, struct item *items, const char **why)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u32 count, i, j;
	int ret = image->ops->read(image->ctx, v->meta_off, table, VHDX_META_TABLE_LEN);

	if (ret)
		return ret;
	count = get_unaligned_le16(table + VHDX_META_COUNT);
	if (memcmp(table, "metadata", 8) || count > VHDX_TABLE_MAX)
		return OVID_FAIL(why, EUCLEAN, "its metadata table is damaged");
	for (i = 0; i < count && !ret; i++) {
		if (!item_ok(v, table + VHDX_META(i)))
			return OVID_FAIL(why, EUCLEAN, "it has metadata where none can be");
		for (j = 0; j < i; j++)
			if (items_overlap(table, i, j))
				return OVID_FAIL(why, EUCLEAN, "items of its metadata overlap");
		ret = take_item(image, table + VHDX_META(i), items, why);
	}
	for (i = 0; i < ITEM_LOCATOR && !ret; i++)
		if (!items[i].off)
			ret = OVID_FAIL(why, EUCLEAN, "an item of its metadata is missing");
	return ret;
}

bool ovid_vhdx_sector_ok(u32 sector)
{
	return sector == 512 || sector == 4096;
}

static int take_params(struct ovid_vdisk *image, u32 block_size, u32 flags, const char **why)
{
	struct ovid_vdisk_info *info = &image->info;

	if (flags & ~(VHDX_PARAM_FIXED | VHDX_PARAM_PARENT))
		return OVID_FAIL(why, EOPNOTSUPP, "it has parameters that are not known");
	if (block_size < VHDX_MIN_BLOCK || block_size > VHDX_MAX_BLOCK ||
	    block_size & (block_size - 1))
		return OVID_FAIL(why, EUCLEAN, "its block size is none");
	if (!ovid_vhdx_sector_ok(info->logical_sector) ||
	    !ovid_vhdx_sector_ok(info->physical_sector))
		return OVID_FAIL(why, EUCLEAN, "its sector size is neither 512 nor 4096");
	if (!info->size || info->size % info->logical_sector ||
	    info->size > OVID_VDISK_MAX_SIZE)
		return OVID_FAIL(why, EUCLEAN, "its size is none that a disk can have");
	info->block_size = block_size;
	info->kind = flags & VHDX_PARAM_PARENT ? OVID_VDISK_DIFFERENCING :
		     flags & VHDX_PARAM_FIXED ? OVID_VDISK_FIXED : OVID_VDISK_DYNAMIC;
	return 0;
}

static int take_items(struct ovid_vdisk *image, const struct item *items, const char **why)
{
	struct ovid_vdisk_info *info = &image->info;
	struct ovid_vhdx *v = vhdx_of(image);
	u8 params[8], size[8], logical[4], physical[4];
	int ret = ovid_pages_read(image, items[ITEM_PARAMS].off, params, sizeof(params));

	ret = ret ?: ovid_pages_read(image, items[ITEM_SIZE].off, size, sizeof(size));
	ret = ret ?: ovid_pages_read(image, items[ITEM_LOGICAL].off, logical, sizeof(logical));
	ret = ret ?: ovid_pages_read(image, items[ITEM_PHYSICAL].off, physical, sizeof(physical));
	ret = ret ?: ovid_pages_read(image, items[ITEM_DISK].off, info->disk_id, 16);
	if (ret)
		return ret;
	info->size = get_unaligned_le64(size);
	info->logical_sector = get_unaligned_le32(logical);
	info->physical_sector = get_unaligned_le32(physical);
	v->size_item = items[ITEM_SIZE].off;
	v->locator_off = items[ITEM_LOCATOR].off;
	v->locator_len = items[ITEM_LOCATOR].found_len;
	return take_params(image, get_unaligned_le32(params), get_unaligned_le32(params + 4), why);
}

static int load_metadata(struct ovid_vdisk *image, u8 *table, const char **why)
{
	struct item items[NR_ITEMS] = {
		[ITEM_PARAMS] = { .id = ovid_vhdx_id_params, .len = 8 },
		[ITEM_SIZE] = { .id = ovid_vhdx_id_size, .len = 8 },
		[ITEM_LOGICAL] = { .id = ovid_vhdx_id_logical, .len = 4 },
		[ITEM_PHYSICAL] = { .id = ovid_vhdx_id_physical, .len = 4 },
		[ITEM_DISK] = { .id = ovid_vhdx_id_disk, .len = 16 },
		[ITEM_LOCATOR] = { .id = ovid_vhdx_id_locator },
	};
	struct ovid_vhdx *v = vhdx_of(image);
	bool parent;
	u64 entries;
	int ret = find_items(image, table, items, why);

	ret = ret ?: take_items(image, items, why);
	if (ret)
		return ret;
	parent = image->info.kind == OVID_VDISK_DIFFERENCING;
	if (parent && !v->locator_len)
		return OVID_FAIL(why, EUCLEAN, "it has a parent, and does not say which");
	v->chunk = vhdx_chunk(image->info.block_size, image->info.logical_sector);
	entries = vhdx_entries(image->info.size, image->info.block_size, v->chunk, parent);
	if (entries > v->bat_len / 8)
		return OVID_FAIL(why, EUCLEAN, "its block table is too short");
	return 0;
}

int ovid_vhdx_load(struct ovid_vdisk *image, const char **why)
{
	u8 *table = kvzalloc(VHDX_REGIONS_LEN, GFP_KERNEL_ACCOUNT);
	int ret = table ? load_regions(image, table, why) : -ENOMEM;

	ret = ret ?: load_metadata(image, table, why);
	kvfree(table);
	return ret;
}
