/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vhdx.h - the VHDX format ([MS-VHDX]: Virtual Hard Disk v2 (VHDX) File Format), and what the files
 * vhdx_*.c share.  Structures of the file are bytes; VHDX_* are offsets into them, little endian.
 */
#ifndef OVID_VHDX_H
#define OVID_VHDX_H

#include "vdisk_priv.h"

#define VHDX_ALIGN		OVID_MIB	/* of everything but what is in the first MiB */
#define VHDX_CREATOR		8u		/* text behind the signature */
#define VHDX_HEADER_AT(n)	((1ull + (n)) * 64 * OVID_KIB)
#define VHDX_HEADER_LEN		4096u
#define VHDX_REGIONS_AT(n)	((3ull + (n)) * 64 * OVID_KIB)
#define VHDX_REGIONS_LEN	(64u * 1024)
#define VHDX_TABLE_MAX		2047u		/* entries of a region or metadata table */

/* header */
#define VHDX_CHECKSUM		4u		/* of region tables and log entries too */
#define VHDX_SEQUENCE		8u
#define VHDX_FILE_WRITE_ID	16u
#define VHDX_DATA_WRITE_ID	32u
#define VHDX_LOG_ID		48u
#define VHDX_LOG_VERSION	64u
#define VHDX_VERSION		66u
#define VHDX_LOG_LEN		68u
#define VHDX_LOG_OFF		72u

/* region table: a head of 16 bytes, entries of 32 */
#define VHDX_REGIONS_COUNT	8u
#define VHDX_REGION(n)		(16u + 32u * (n))
#define VHDX_REGION_OFF		16u
#define VHDX_REGION_LEN		24u
#define VHDX_REGION_REQUIRED	28u

/* metadata table: a head of 32 bytes, entries of 32; items behind its 64 KiB */
#define VHDX_META_COUNT		10u
#define VHDX_META(n)		(32u + 32u * (n))
#define VHDX_META_OFF		16u
#define VHDX_META_LEN		20u
#define VHDX_META_FLAGS		24u
#define VHDX_META_USER		1u
#define VHDX_META_DISK		2u
#define VHDX_META_REQUIRED	4u
#define VHDX_META_TABLE_LEN	(64u * 1024)
#define VHDX_META_ITEM_MAX	(1024u * 1024)

/* file parameters */
#define VHDX_PARAM_FIXED	1u
#define VHDX_PARAM_PARENT	2u

/* table of blocks */
#define VHDX_BAT_STATE		7ull
#define VHDX_BAT_OFF		(~0ull << 20)
#define VHDX_BLOCK_ABSENT	0u
#define VHDX_BLOCK_UNDEFINED	1u
#define VHDX_BLOCK_ZERO		2u
#define VHDX_BLOCK_UNMAPPED	3u
#define VHDX_BLOCK_FULL		6u
#define VHDX_BLOCK_PARTIAL	7u
#define VHDX_BITMAP_ABSENT	0u
#define VHDX_BITMAP_PRESENT	6u
#define VHDX_BITMAP_LEN		OVID_MIB
#define VHDX_MIN_BLOCK		(1u << 20)
#define VHDX_MAX_BLOCK		(256u << 20)

/* log: entries of sectors of 4 KiB, as a ring */
#define VHDX_LOG_SECTOR		4096u
#define VHDX_MAX_LOG		(64u << 20)	/* a limit of ours */
#define VHDX_ENTRY_LEN		8u
#define VHDX_ENTRY_TAIL		12u
#define VHDX_ENTRY_SEQUENCE	16u
#define VHDX_ENTRY_COUNT	24u
#define VHDX_ENTRY_LOG_ID	32u
#define VHDX_ENTRY_FLUSHED	48u
#define VHDX_ENTRY_LAST		56u
#define VHDX_ENTRY_HEAD		64u
#define VHDX_DESC_LEN		32u
#define VHDX_DESC_TRAILING	4u	/* data: the last 4 bytes of the page */
#define VHDX_DESC_LEADING	8u	/* data: its first 8 bytes; zeros: how many */
#define VHDX_DESC_OFF		16u
#define VHDX_DESC_SEQUENCE	24u
#define VHDX_DATA_HIGH		4u
#define VHDX_DATA		8u
#define VHDX_DATA_LOW		4092u
#define VHDX_DATA_LEN		4084u

/* parent locator: a head of 20 bytes, entries of 12 */
#define VHDX_LOCATOR_COUNT	18u
#define VHDX_LOCATOR(n)		(20u + 12u * (n))
#define VHDX_LOCATOR_MAX	256u
#define VHDX_LOCATOR_ROOM	(32u * 1024)	/* more than that is not written */

/* identifiers of regions and items, as the file has them */
extern const u8 ovid_vhdx_id_bat[16], ovid_vhdx_id_metadata[16], ovid_vhdx_id_params[16];
extern const u8 ovid_vhdx_id_size[16], ovid_vhdx_id_disk[16], ovid_vhdx_id_logical[16];
extern const u8 ovid_vhdx_id_physical[16], ovid_vhdx_id_locator[16], ovid_vhdx_id_locator_type[16];

/**
 * struct ovid_vhdx - of an image that is open
 * @header: the current one
 * @current_header: which of the two that is
 * @sequence: its number
 * @log_off, @log_len: the log's place
 * @log_pos: where in it the next entry goes
 * @log_sequence: number of the last entry
 * @logged: the header says that there is a log
 * @bat_off, @bat_len: the block table's place
 * @meta_off, @meta_len: the metadata's
 * @size_item: where in the file the disk's size is
 * @locator_off, @locator_len: the parent locator; @locator_len is 0 if there is none
 * @region_bat: which entry of the region table is the block table's
 * @chunk: blocks between two bitmap entries of the table
 * @notes: OVID_CHECK_* of when it was opened
 */
struct ovid_vhdx {
	u8 *header;
	unsigned int current_header;
	u64 sequence;
	u64 log_off;
	u32 log_len;
	u32 log_pos;
	u64 log_sequence;
	bool logged;
	u64 bat_off;
	u32 bat_len;
	u64 meta_off;
	u32 meta_len;
	u64 size_item;
	u64 locator_off;
	u32 locator_len;
	u32 region_bat;
	u64 chunk;
	u32 notes;
};

static inline struct ovid_vhdx *vhdx_of(const struct ovid_vdisk *image)
{
	return image->format_data;
}

/* blocks of data between two entries for bitmaps */
static inline u64 vhdx_chunk(u32 block_size, u32 logical_sector)
{
	return (8ull * VHDX_BITMAP_LEN) * logical_sector / block_size;
}

/* entries of the table, those for bitmaps included */
static inline u64 vhdx_entries(u64 size, u32 block_size, u64 chunk, bool parent)
{
	u64 blocks = ovid_div_up(size, block_size);

	return parent ? ovid_div_up(blocks, chunk) * (chunk + 1) : blocks + (blocks - 1) / chunk;
}

/* vhdx_load.c */
bool ovid_vhdx_regions_ok(u8 *table);
/* the first of the region tables that is good, VHDX_REGIONS_LEN bytes, with changes that wait */
int ovid_vhdx_read_regions(struct ovid_vdisk *image, u8 *table);
bool ovid_vhdx_sector_ok(u32 sector);
int ovid_vhdx_load(struct ovid_vdisk *image, const char **why);

/* vhdx_header.c */
bool ovid_vhdx_sum_is_right(u8 *bytes, u32 len);
void ovid_vhdx_put_sum(u8 *bytes, u32 len);
int ovid_vhdx_load_header(struct ovid_vdisk *image, const char **why);
/* the new header in both places, one after the other */
int ovid_vhdx_write_headers(struct ovid_vdisk *image);
int ovid_vhdx_touch(struct ovid_vdisk *image, const u8 *write_id);
int ovid_vhdx_finish(struct ovid_vdisk *image);

/* vhdx_log.c */
int ovid_vhdx_replay(struct ovid_vdisk *image, const char **why);
int ovid_vhdx_commit(struct ovid_vdisk *image, const struct ovid_vdisk_commit *commit);
/* pages that one commit may have */
u32 ovid_vhdx_log_pages(const struct ovid_vhdx *v);

/* vhdx_locator.c: bytes written; 0: it does not fit, or is no UTF-8 */
u32 ovid_vhdx_make_locator(const struct ovid_vdisk_link *link, u8 *to, u32 room);

/* vhdx_shape.c */
int ovid_vhdx_resize(struct ovid_vdisk *image, u64 size);
int ovid_vhdx_check(struct ovid_vdisk *image, struct ovid_vdisk_check *check);
/* the table of blocks has been copied to @off: say so, waiting */
int ovid_vhdx_table_moved(struct ovid_vdisk *image, u64 off, u32 len);

/* vhdx_compact.c */
int ovid_vhdx_places(struct ovid_vdisk *image, struct ovid_places *places);
int ovid_vhdx_move(struct ovid_vdisk *image, const struct ovid_place *place, u64 to);
int ovid_vhdx_cut(struct ovid_vdisk *image, u64 end);

/* vhdx.c */
/* @len zeros at the end of the file */
int ovid_vhdx_new_space(struct ovid_vdisk *image, u64 len, u64 *off);
u64 ovid_vhdx_bitmap_index(const struct ovid_vhdx *v, u64 block);
u64 ovid_vhdx_block_index(const struct ovid_vhdx *v, u64 block);
int ovid_vhdx_entry(struct ovid_vdisk *image, u64 index, u64 *entry);
int ovid_vhdx_set_entry(struct ovid_vdisk *image, u64 index, u64 entry);
/* is @len bytes at @off space that a block or a bitmap may have? */
bool ovid_vhdx_space_ok(const struct ovid_vdisk *image, u64 off, u64 len);

#endif
