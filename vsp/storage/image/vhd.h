/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vhd.h - the VHD format (Virtual Hard Disk Image Format Specification, 1.0), and what vhd*.c
 * share.  Structures of the file are bytes; VHD_* are offsets into them, big endian.
 */
#ifndef OVID_VHD_H
#define OVID_VHD_H

#include "vdisk_priv.h"

#define VHD_SECTOR		512u
#define VHD_MAX_SIZE		(2040ull << 30)
#define VHD_MIN_BLOCK		(1u << 16)
#define VHD_MAX_BLOCK		(256u << 20)

/* footer: the last sector; of one with blocks the first one too */
#define VHD_FEATURES		8u
#define VHD_VERSION		12u
#define VHD_NEXT		16u
#define VHD_TIME		24u
#define VHD_CREATOR		28u
#define VHD_CREATOR_VERSION	32u
#define VHD_CREATOR_HOST	36u
#define VHD_FIRST_SIZE		40u
#define VHD_SIZE		48u
#define VHD_GEOMETRY		56u
#define VHD_TYPE		60u
#define VHD_FOOTER_SUM		64u
#define VHD_ID			68u
#define VHD_TYPE_FIXED		2u
#define VHD_TYPE_DYNAMIC	3u
#define VHD_TYPE_DIFFERENCING	4u
#define VHD_VERSION_1		0x00010000u

/* header of one with blocks */
#define VHD_HEADER_LEN		1024u
#define VHD_TABLE		16u
#define VHD_HEADER_VERSION	24u
#define VHD_TABLE_ENTRIES	28u
#define VHD_BLOCK_SIZE		32u
#define VHD_HEADER_SUM		36u
#define VHD_ABSENT		0xffffffffu
#define VHD_TABLE_PART		(64u * 1024)	/* written at once */

/**
 * struct ovid_vhd - of an image that is open
 * @footer: its sector
 * @header_off: where the header is; 0: no blocks
 * @table_off: the table's place
 * @entries: of it
 * @bitmap_len: before each block's data
 * @end: where the footer is
 */
struct ovid_vhd {
	u8 footer[VHD_SECTOR];
	u64 header_off;
	u64 table_off;
	u32 entries;
	u32 bitmap_len;
	u64 end;
};

static inline struct ovid_vhd *vhd_of(const struct ovid_vdisk *image)
{
	return image->format_data;
}

static inline u64 vhd_table_len(u32 entries)
{
	return ovid_round_up(4ull * entries, VHD_SECTOR);
}

/* all bytes but those of the sum itself, complemented */
void ovid_vhd_put_sum(u8 *bytes, u32 len, u32 sum_at);
void ovid_vhd_put_size(u8 *footer, u64 size);

#endif
