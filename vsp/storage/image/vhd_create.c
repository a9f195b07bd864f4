// SPDX-License-Identifier: GPL-2.0-only
/* vhd_create.c - a new VHD */
#include "vhd.h"

#define HEADER_AT	VHD_SECTOR
#define TABLE_AT	(HEADER_AT + VHD_HEADER_LEN)

/*
 * Cylinders, heads and sectors as the specification computes them from the size; programs that take
 * the size from there are told by the creator's name that they need not.
 */
static void put_geometry(u8 *footer, u64 size)
{
	u64 total = min_t(u64, size / VHD_SECTOR, 65535ull * 16 * 255), tracks;
	u32 heads, sectors;

	if (total >= 65535ull * 16 * 63) {
		sectors = 255;
		heads = 16;
	} else {
		sectors = 17;
		heads = max_t(u64, (total / 17 + 1023) / 1024, 4);
		if (total / 17 >= heads * 1024 || heads > 16) {
			sectors = 31;
			heads = 16;
			if (total / 31 >= heads * 1024)
				sectors = 63;
		}
	}
	tracks = total / sectors;
	put_unaligned_be16(tracks / heads, footer + VHD_GEOMETRY);
	footer[VHD_GEOMETRY + 2] = heads;
	footer[VHD_GEOMETRY + 3] = sectors;
}

void ovid_vhd_put_size(u8 *footer, u64 size)
{
	put_unaligned_be64(size, footer + VHD_SIZE);
	put_geometry(footer, size);
	ovid_vhd_put_sum(footer, VHD_SECTOR, VHD_FOOTER_SUM);
}

static void make_footer(const struct ovid_vdisk_ops *ops, void *ctx,
			const struct ovid_vdisk_params *params, u8 *footer)
{
	bool fixed = params->kind == OVID_VDISK_FIXED;

	memset(footer, 0, VHD_SECTOR);
	memcpy(footer, "conectix", 8);
	put_unaligned_be32(2, footer + VHD_FEATURES);
	put_unaligned_be32(VHD_VERSION_1, footer + VHD_VERSION);
	put_unaligned_be64(fixed ? ~0ull : HEADER_AT, footer + VHD_NEXT);
	put_unaligned_be32(params->now, footer + VHD_TIME);
	/* whose size is the one in VHD_SIZE: QEMU goes by this name, others read that anyway */
	memcpy(footer + VHD_CREATOR, "win ", 4);
	put_unaligned_be32(0x000a0000, footer + VHD_CREATOR_VERSION);
	memcpy(footer + VHD_CREATOR_HOST, "Wi2k", 4);
	put_unaligned_be64(params->size, footer + VHD_FIRST_SIZE);
	put_unaligned_be32(fixed ? VHD_TYPE_FIXED : VHD_TYPE_DYNAMIC, footer + VHD_TYPE);
	ops->random(ctx, footer + VHD_ID, 16);
	ovid_vhd_put_size(footer, params->size);
}

static int write_vhd_header(const struct ovid_vdisk_ops *ops, void *ctx, u32 block_size,
			    u32 entries)
{
	u8 *header = kvzalloc(VHD_HEADER_LEN, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!header)
		return -ENOMEM;
	memcpy(header, "cxsparse", 8);
	put_unaligned_be64(~0ull, header + 8);
	put_unaligned_be64(TABLE_AT, header + VHD_TABLE);
	put_unaligned_be32(VHD_VERSION_1, header + VHD_HEADER_VERSION);
	put_unaligned_be32(entries, header + VHD_TABLE_ENTRIES);
	put_unaligned_be32(block_size, header + VHD_BLOCK_SIZE);
	ovid_vhd_put_sum(header, VHD_HEADER_LEN, VHD_HEADER_SUM);
	ret = ops->write(ctx, HEADER_AT, header, VHD_HEADER_LEN);
	kvfree(header);
	return ret;
}

static int write_table_of_none(const struct ovid_vdisk_ops *ops, void *ctx, u64 end)
{
	u8 *none = kvzalloc(VHD_TABLE_PART, GFP_KERNEL_ACCOUNT);
	int ret = none ? 0 : -ENOMEM;
	u64 at;

	if (none)
		memset(none, 0xff, VHD_TABLE_PART);
	for (at = TABLE_AT; at < end && !ret; at += VHD_TABLE_PART)
		ret = ops->write(ctx, at, none, min_t(u64, VHD_TABLE_PART, end - at));
	kvfree(none);
	return ret;
}

static int write_dynamic(const struct ovid_vdisk_ops *ops, void *ctx, const u8 *footer,
			 u64 size, u32 block_size)
{
	u32 entries = ovid_div_up(size, block_size);
	u64 end = TABLE_AT + vhd_table_len(entries);
	int ret = ops->resize(ctx, end + VHD_SECTOR);

	ret = ret ?: ops->write(ctx, 0, footer, VHD_SECTOR);
	ret = ret ?: write_vhd_header(ops, ctx, block_size, entries);
	ret = ret ?: write_table_of_none(ops, ctx, end);
	return ret ?: ops->write(ctx, end, footer, VHD_SECTOR);
}

int ovid_vhd_create(const struct ovid_vdisk_ops *ops, void *ctx,
		    const struct ovid_vdisk_params *params, const char **why)
{
	u32 block_size = params->block_size ?: 2u << 20;
	u8 footer[VHD_SECTOR];
	int ret;

	if (params->size % VHD_SECTOR || params->size > VHD_MAX_SIZE)
		return OVID_FAIL(why, EINVAL, "a VHD has at most 2040 GiB, in sectors of 512");
	if (params->kind == OVID_VDISK_DIFFERENCING)
		return OVID_FAIL(why, EINVAL, "differencing images are VHDX only");
	if ((params->logical_sector ?: VHD_SECTOR) != VHD_SECTOR ||
	    (params->physical_sector ?: VHD_SECTOR) != VHD_SECTOR)
		return OVID_FAIL(why, EINVAL, "a VHD has sectors of 512 bytes");
	if (block_size < VHD_MIN_BLOCK || block_size > VHD_MAX_BLOCK ||
	    block_size & (block_size - 1))
		return OVID_FAIL(why, EINVAL,
				 "the block size of a VHD is a power of 2 from 64 KiB to 256 MiB");
	make_footer(ops, ctx, params, footer);
	if (params->kind == OVID_VDISK_DYNAMIC) {
		ret = write_dynamic(ops, ctx, footer, params->size, block_size);
	} else {
		ret = ops->resize(ctx, params->size + VHD_SECTOR);
		ret = ret ?: ops->write(ctx, params->size, footer, VHD_SECTOR);
	}
	return ret ?: ops->flush(ctx);
}
