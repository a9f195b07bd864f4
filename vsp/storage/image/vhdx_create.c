// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhdx_create.c - a new VHDX: the first MiB, the log, the metadata, the block table, and, if it is
 * fixed, all blocks in a row.
 */
#include "../../utf16.h"
#include "vhdx.h"

#define LOG_AT		(1 * OVID_MIB)
#define LOG_LEN		(1 * OVID_MIB)
#define META_AT		(2 * OVID_MIB)
#define META_LEN	(1 * OVID_MIB)
#define BAT_AT		(3 * OVID_MIB)
#define BIG_DISK	(8 * OVID_TIB)	/* takes larger blocks, or its table is large */

struct making {
	const struct ovid_vdisk_ops *ops;
	void *ctx;
	const struct ovid_vdisk_params *params;
	u32 block_size;
	u32 logical;
	u32 physical;
	u64 chunk;
	u64 entries;
	u64 bat_len;
	u8 *buf;		/* VHDX_REGIONS_LEN */
};

static bool power_of_2(u64 x)
{
	return x && !(x & (x - 1));
}

static int check_params(struct making *m, const char **why)
{
	const struct ovid_vdisk_params *p = m->params;
	bool parent = p->kind == OVID_VDISK_DIFFERENCING;

	m->block_size = p->block_size ?: p->size > BIG_DISK ? 32u << 20 : 2u << 20;
	m->logical = p->logical_sector ?: p->parent ? p->parent->info.logical_sector : 512;
	m->physical = p->physical_sector ?: 4096;
	if (!power_of_2(m->block_size) || m->block_size < VHDX_MIN_BLOCK ||
	    m->block_size > VHDX_MAX_BLOCK)
		return OVID_FAIL(why, EINVAL, "the block size of a VHDX is a power of 2, from 1 to 256 MiB");
	if (!ovid_vhdx_sector_ok(m->logical) || !ovid_vhdx_sector_ok(m->physical) ||
	    m->logical > m->physical)
		return OVID_FAIL(why, EINVAL, "sectors have 512 or 4096 bytes");
	if (p->size % m->logical)
		return OVID_FAIL(why, EINVAL, "the size is no multiple of the sector size");
	if (parent && (!p->parent || !p->relative_path))
		return OVID_FAIL(why, EINVAL, "a differencing image needs a parent");
	if (parent && (p->parent->info.format != OVID_VDISK_VHDX ||
		       p->parent->info.logical_sector != m->logical))
		return OVID_FAIL(why, EINVAL, "the parent must be a VHDX with sectors of the same size");
	m->chunk = vhdx_chunk(m->block_size, m->logical);
	m->entries = vhdx_entries(p->size, m->block_size, m->chunk, parent);
	m->bat_len = ovid_round_up(m->entries * 8, VHDX_ALIGN);
	return 0;
}

static int put(struct making *m, u64 off, u32 len)
{
	int ret = m->ops->write(m->ctx, off, m->buf, len);

	memset(m->buf, 0, VHDX_REGIONS_LEN);
	return ret;
}

static int put_identity(struct making *m)
{
	memcpy(m->buf, "vhdxfile", 8);
	ovid_utf16_from(m->buf + VHDX_CREATOR, 256, "ovid", sizeof("ovid"));
	return put(m, 0, VHDX_REGIONS_LEN);
}

static int put_headers(struct making *m)
{
	u8 ids[32];
	unsigned int n;
	int ret = 0;

	m->ops->random(m->ctx, ids, sizeof(ids));
	for (n = 0; n < 2 && !ret; n++) {
		memcpy(m->buf, "head", 4);
		put_unaligned_le64(n + 1, m->buf + VHDX_SEQUENCE);
		memcpy(m->buf + VHDX_FILE_WRITE_ID, ids, 32);
		put_unaligned_le16(1, m->buf + VHDX_VERSION);
		put_unaligned_le32(LOG_LEN, m->buf + VHDX_LOG_LEN);
		put_unaligned_le64(LOG_AT, m->buf + VHDX_LOG_OFF);
		ovid_vhdx_put_sum(m->buf, VHDX_HEADER_LEN);
		ret = put(m, VHDX_HEADER_AT(n), VHDX_REGIONS_LEN);
	}
	return ret;
}

static void region(struct making *m, u32 n, const u8 *id, u64 off, u32 len)
{
	u8 *entry = m->buf + VHDX_REGION(n);

	memcpy(entry, id, 16);
	put_unaligned_le64(off, entry + VHDX_REGION_OFF);
	put_unaligned_le32(len, entry + VHDX_REGION_LEN);
	put_unaligned_le32(1, entry + VHDX_REGION_REQUIRED);
}

static int put_regions(struct making *m)
{
	unsigned int n;
	int ret = 0;

	for (n = 0; n < 2 && !ret; n++) {
		memcpy(m->buf, "regi", 4);
		put_unaligned_le32(2, m->buf + VHDX_REGIONS_COUNT);
		region(m, 0, ovid_vhdx_id_bat, BAT_AT, m->bat_len);
		region(m, 1, ovid_vhdx_id_metadata, META_AT, META_LEN);
		ovid_vhdx_put_sum(m->buf, VHDX_REGIONS_LEN);
		ret = put(m, VHDX_REGIONS_AT(n), VHDX_REGIONS_LEN);
	}
	return ret;
}

/* ---- metadata ---- */

/* @off: behind the table */
static void item(u8 *table, u32 n, const u8 *id, u32 off, u32 len, u32 flags)
{
	u8 *entry = table + VHDX_META(n);

	memcpy(entry, id, 16);
	put_unaligned_le32(VHDX_META_TABLE_LEN + off, entry + VHDX_META_OFF);
	put_unaligned_le32(len, entry + VHDX_META_LEN);
	put_unaligned_le32(flags | VHDX_META_REQUIRED, entry + VHDX_META_FLAGS);
}

/* where the items are, behind the table */
#define AT_PARAMS	0u
#define AT_SIZE		8u
#define AT_DISK		16u
#define AT_LOGICAL	32u
#define AT_PHYSICAL	36u
#define AT_LOCATOR	64u

static int put_items(struct making *m, u32 *locator_len)
{
	const struct ovid_vdisk_params *p = m->params;
	u32 flags = p->kind == OVID_VDISK_DIFFERENCING ? VHDX_PARAM_PARENT :
		    p->kind == OVID_VDISK_FIXED ? VHDX_PARAM_FIXED : 0;
	u8 *items = m->buf;

	put_unaligned_le32(m->block_size, items + AT_PARAMS);
	put_unaligned_le32(flags, items + AT_PARAMS + 4);
	put_unaligned_le64(p->size, items + AT_SIZE);
	if (p->parent)
		memcpy(items + AT_DISK, p->parent->info.disk_id, 16);
	else
		m->ops->random(m->ctx, items + AT_DISK, 16);
	put_unaligned_le32(m->logical, items + AT_LOGICAL);
	put_unaligned_le32(m->physical, items + AT_PHYSICAL);
	*locator_len = 0;
	if (p->parent) {
		struct ovid_vdisk_link link = {
			.id = p->parent->info.write_id,
			.relative_path = p->relative_path,
			.absolute_path = p->absolute_path,
		};

		*locator_len = ovid_vhdx_make_locator(&link, items + AT_LOCATOR, VHDX_LOCATOR_ROOM);
	}
	if (p->parent && !*locator_len)
		return -ENAMETOOLONG;
	return put(m, META_AT + VHDX_META_TABLE_LEN, VHDX_META_TABLE_LEN);
}

static int put_metadata(struct making *m, const char **why)
{
	u8 *t = m->buf;
	u32 locator;
	int ret = put_items(m, &locator);

	if (ret == -ENAMETOOLONG)
		*why = "the parent's path is too long, or no UTF-8";
	if (ret)
		return ret;
	memcpy(t, "metadata", 8);
	put_unaligned_le16(locator ? 6 : 5, t + VHDX_META_COUNT);
	item(t, 0, ovid_vhdx_id_params, AT_PARAMS, 8, 0);
	item(t, 1, ovid_vhdx_id_size, AT_SIZE, 8, VHDX_META_DISK);
	item(t, 2, ovid_vhdx_id_disk, AT_DISK, 16, VHDX_META_DISK);
	item(t, 3, ovid_vhdx_id_logical, AT_LOGICAL, 4, VHDX_META_DISK);
	item(t, 4, ovid_vhdx_id_physical, AT_PHYSICAL, 4, VHDX_META_DISK);
	if (locator)
		item(t, 5, ovid_vhdx_id_locator, AT_LOCATOR, locator, 0);
	return put(m, META_AT, VHDX_META_TABLE_LEN);
}

/* ---- blocks ---- */

static int put_fixed(struct making *m)
{
	u64 data = BAT_AT + m->bat_len, index, block = 0;
	u32 per_buf = VHDX_REGIONS_LEN / 8;
	int ret = m->ops->resize(m->ctx, data + ovid_round_up(m->params->size, m->block_size));

	for (index = 0; index < m->entries && !ret; index++) {
		if (index % (m->chunk + 1) != m->chunk)
			put_unaligned_le64((data + block++ * m->block_size) | VHDX_BLOCK_FULL,
					   m->buf + index % per_buf * 8);
		if (index % per_buf == per_buf - 1 || index == m->entries - 1)
			ret = put(m, BAT_AT + index / per_buf * VHDX_REGIONS_LEN, VHDX_REGIONS_LEN);
	}
	return ret;
}

static int make_image(struct making *m, const char **why)
{
	int ret = m->ops->resize(m->ctx, BAT_AT + m->bat_len);

	ret = ret ?: put_identity(m);
	ret = ret ?: put_headers(m);
	ret = ret ?: put_regions(m);
	ret = ret ?: put_metadata(m, why);
	if (!ret && m->params->kind == OVID_VDISK_FIXED)
		ret = put_fixed(m);
	return ret ?: m->ops->flush(m->ctx);
}

int ovid_vhdx_create(const struct ovid_vdisk_ops *ops, void *ctx,
		     const struct ovid_vdisk_params *params, const char **why)
{
	struct making m = { .ops = ops, .ctx = ctx, .params = params };
	int ret = check_params(&m, why);

	if (ret)
		return ret;
	m.buf = kvzalloc(VHDX_REGIONS_LEN, GFP_KERNEL_ACCOUNT);
	if (!m.buf)
		return -ENOMEM;
	ret = make_image(&m, why);
	kvfree(m.buf);
	return ret;
}
