// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhd.c - VHD images.  There is no log: a change of the table is written when the data is durable,
 * and each entry is right by itself.  A new block goes where the footer is, which moves on; if that
 * is lost on the way, the copy at the begin of the file takes its place.
 */
#include "used.h"
#include "vhd.h"

static u32 sum_of_bytes(const u8 *bytes, u32 len, u32 sum_at)
{
	u32 sum = 0, i;

	for (i = 0; i < len; i++)
		if (i < sum_at || i >= sum_at + 4)
			sum += bytes[i];
	return ~sum;
}

void ovid_vhd_put_sum(u8 *bytes, u32 len, u32 sum_at)
{
	put_unaligned_be32(sum_of_bytes(bytes, len, sum_at), bytes + sum_at);
}

/* ---- open ---- */

static bool footer_ok(const u8 *footer)
{
	return !memcmp(footer, "conectix", 8) &&
	       get_unaligned_be32(footer + VHD_FOOTER_SUM) ==
	       sum_of_bytes(footer, VHD_SECTOR, VHD_FOOTER_SUM);
}

/* the one at the end, or, if there are blocks, its copy */
static int load_footer(struct ovid_vdisk *image, const char **why)
{
	struct ovid_vhd *v = vhd_of(image);
	int ret;

	if (image->file_size < VHD_SECTOR)
		return OVID_FAIL(why, EINVAL, "it is no VHD");
	v->end = image->file_size - VHD_SECTOR;
	ret = image->ops->read(image->ctx, v->end, v->footer, VHD_SECTOR);
	if (ret)
		return ret;
	if (footer_ok(v->footer) && v->end % VHD_SECTOR == 0)
		return 0;
	ret = image->ops->read(image->ctx, 0, v->footer, VHD_SECTOR);
	if (ret)
		return ret;
	if (!footer_ok(v->footer) || get_unaligned_be32(v->footer + VHD_TYPE) == VHD_TYPE_FIXED)
		return OVID_FAIL(why, EUCLEAN, "it has no footer");
	v->end = ovid_round_up(image->file_size, VHD_SECTOR);
	image->info.replayed = true;
	return 0;
}

static int take_footer(struct ovid_vdisk *image, const char **why)
{
	struct ovid_vhd *v = vhd_of(image);
	u32 type = get_unaligned_be32(v->footer + VHD_TYPE);

	if (get_unaligned_be32(v->footer + VHD_VERSION) >> 16 != VHD_VERSION_1 >> 16)
		return OVID_FAIL(why, EOPNOTSUPP, "its version is not known");
	if (type == VHD_TYPE_DIFFERENCING)
		return OVID_FAIL(why, EOPNOTSUPP, "a differencing VHD: convert it to VHDX");
	if (type != VHD_TYPE_FIXED && type != VHD_TYPE_DYNAMIC)
		return OVID_FAIL(why, EOPNOTSUPP, "it is neither a fixed nor a dynamic VHD");
	image->info.size = get_unaligned_be64(v->footer + VHD_SIZE);
	image->info.kind = type == VHD_TYPE_FIXED ? OVID_VDISK_FIXED : OVID_VDISK_DYNAMIC;
	if (!image->info.size || image->info.size % VHD_SECTOR ||
	    image->info.size > OVID_VDISK_MAX_SIZE)
		return OVID_FAIL(why, EUCLEAN, "its size is none that a disk can have");
	if (type == VHD_TYPE_FIXED && image->info.size > v->end)
		return OVID_FAIL(why, EUCLEAN, "it is shorter than its disk");
	memcpy(image->info.disk_id, v->footer + VHD_ID, 16);
	memcpy(image->info.write_id, v->footer + VHD_ID, 16);
	return 0;
}

static int take_vhd_header(struct ovid_vdisk *image, const u8 *header, const char **why)
{
	struct ovid_vhd *v = vhd_of(image);
	u32 block_size = get_unaligned_be32(header + VHD_BLOCK_SIZE);

	if (memcmp(header, "cxsparse", 8) ||
	    get_unaligned_be32(header + VHD_HEADER_SUM) !=
	    sum_of_bytes(header, VHD_HEADER_LEN, VHD_HEADER_SUM))
		return OVID_FAIL(why, EUCLEAN, "its header is damaged");
	if (get_unaligned_be32(header + VHD_HEADER_VERSION) != VHD_VERSION_1)
		return OVID_FAIL(why, EOPNOTSUPP, "its version is not known");
	if (block_size < VHD_MIN_BLOCK || block_size > VHD_MAX_BLOCK ||
	    block_size & (block_size - 1))
		return OVID_FAIL(why, EUCLEAN, "its block size is none");
	image->info.block_size = block_size;
	v->bitmap_len = ovid_round_up(block_size / VHD_SECTOR / 8, VHD_SECTOR);
	v->table_off = get_unaligned_be64(header + VHD_TABLE);
	v->entries = get_unaligned_be32(header + VHD_TABLE_ENTRIES);
	if (v->table_off % VHD_SECTOR || v->table_off < VHD_SECTOR ||
	    !ovid_fits(v->table_off, vhd_table_len(v->entries), v->end) ||
	    ovid_overlap(v->table_off, vhd_table_len(v->entries), v->header_off, VHD_HEADER_LEN))
		return OVID_FAIL(why, EUCLEAN, "its block table is not where one can be");
	if (ovid_vdisk_blocks(image) > v->entries)
		return OVID_FAIL(why, EUCLEAN, "its block table is too short");
	return 0;
}

static int load_header(struct ovid_vdisk *image, const char **why)
{
	struct ovid_vhd *v = vhd_of(image);
	u8 *header;
	int ret;

	v->header_off = get_unaligned_be64(v->footer + VHD_NEXT);
	if (v->header_off % VHD_SECTOR || v->header_off < VHD_SECTOR ||
	    !ovid_fits(v->header_off, VHD_HEADER_LEN, v->end))
		return OVID_FAIL(why, EUCLEAN, "its header is not where one can be");
	header = kvzalloc(VHD_HEADER_LEN, GFP_KERNEL_ACCOUNT);
	if (!header)
		return -ENOMEM;
	ret = image->ops->read(image->ctx, v->header_off, header, VHD_HEADER_LEN);
	ret = ret ?: take_vhd_header(image, header, why);
	kvfree(header);
	return ret;
}

static int write_footer(struct ovid_vdisk *image, u64 off)
{
	return ovid_pages_write(image, off, vhd_of(image)->footer, VHD_SECTOR);
}

static int vhd_open(struct ovid_vdisk *image, const char **why)
{
	struct ovid_vhd *v = kvzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	int ret;

	image->format_data = v;
	if (!v)
		return -ENOMEM;
	image->msb_first = true;
	image->info.logical_sector = VHD_SECTOR;
	image->info.physical_sector = VHD_SECTOR;
	/* without a log the number is only about memory */
	image->max_dirty = OVID_VDISK_MAX_PAGES / 4;
	ret = load_footer(image, why);
	ret = ret ?: take_footer(image, why);
	if (!ret && image->info.kind == OVID_VDISK_DYNAMIC)
		ret = load_header(image, why);
	if (!ret && image->info.replayed && image->writable) {
		ret = write_footer(image, v->end);
		image->file_size = v->end + VHD_SECTOR;
		ret = ret ?: image->ops->flush(image->ctx);
	}
	return ret;
}

static void vhd_free(struct ovid_vdisk *image)
{
	kvfree(vhd_of(image));
}

/* ---- blocks ---- */

static int vhd_get(struct ovid_vdisk *image, u64 block, struct ovid_block *b)
{
	const struct ovid_vhd *v = vhd_of(image);
	u64 at = v->table_off + block * 4, off, len = (u64)v->bitmap_len + image->info.block_size;
	struct ovid_page *page;
	int ret;

	if (block >= v->entries)
		return -EUCLEAN;
	ret = ovid_pages_get(image, at, &page);
	if (ret)
		return ret;
	off = (u64)get_unaligned_be32(page->data + at % OVID_PAGE) * VHD_SECTOR;
	b->state = OVID_BLOCK_ABSENT;
	if (off == (u64)VHD_ABSENT * VHD_SECTOR)
		return 0;
	b->state = OVID_BLOCK_PARTIAL;
	b->bits = off;
	b->off = off + v->bitmap_len;
	if (off < VHD_SECTOR || !ovid_fits(off, len, v->end) ||
	    ovid_overlap(off, len, v->header_off, VHD_HEADER_LEN) ||
	    ovid_overlap(off, len, v->table_off, vhd_table_len(v->entries)))
		return -EUCLEAN;
	return 0;
}

static int vhd_set(struct ovid_vdisk *image, u64 block, const struct ovid_block *b)
{
	const struct ovid_vhd *v = vhd_of(image);
	u8 entry[4];

	put_unaligned_be32(b->state < OVID_BLOCK_FULL ? VHD_ABSENT :
			   (b->off - v->bitmap_len) / VHD_SECTOR, entry);
	return ovid_pages_change(image, v->table_off + block * 4, entry, sizeof(entry));
}

/* space behind all else, whose @before bytes end on a page: so its data can be read directly */
static int move_footer(struct ovid_vdisk *image, u32 before, u64 len, u64 *off)
{
	struct ovid_vhd *v = vhd_of(image);
	u64 data = ovid_round_up(v->end + before, OVID_PAGE);
	u64 end = ovid_round_up(data + len, VHD_SECTOR);
	static const u8 zeros[VHD_SECTOR];
	int ret;

	if (end / VHD_SECTOR >= VHD_ABSENT)
		return -EFBIG;
	ret = image->ops->resize(image->ctx, end + VHD_SECTOR);
	ret = ret ?: write_footer(image, end);
	if (ret)
		return ret;
	image->file_size = end + VHD_SECTOR;
	/* the old one is in the way, if there is no gap */
	ret = ovid_pages_write(image, v->end, zeros, VHD_SECTOR);
	v->end = end;
	*off = data;
	return ret;
}

static int write_bitmap(struct ovid_vdisk *image, u64 off)
{
	u32 len = vhd_of(image)->bitmap_len;
	u8 *ones = kvzalloc(len, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!ones)
		return -ENOMEM;
	memset(ones, 0xff, len);
	ret = ovid_pages_write(image, off, ones, len);
	kvfree(ones);
	return ret;
}

static int vhd_alloc(struct ovid_vdisk *image, u64 block,
		     const struct ovid_hole *hole, u64 *off)
{
	const struct ovid_vhd *v = vhd_of(image);
	int ret = 0;

	(void)block;	/* any block's space is like another's */
	if (hole)
		*off = hole->off;
	else
		ret = move_footer(image, v->bitmap_len, image->info.block_size, off);
	/* all of the block counts: what was not written are zeros */
	return ret ?: write_bitmap(image, *off - v->bitmap_len);
}

static int write_sectors(struct ovid_vdisk *image, const struct ovid_page_copy *copy)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < OVID_PAGE / VHD_SECTOR && !ret; i++)
		if (copy->dirty & 1u << i)
			ret = image->ops->write(image->ctx, copy->off + i * VHD_SECTOR,
						copy->data + i * VHD_SECTOR, VHD_SECTOR);
	return ret;
}

static int vhd_commit(struct ovid_vdisk *image, const struct ovid_vdisk_commit *commit)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < commit->nr && !ret; i++)
		ret = write_sectors(image, &commit->copy[i]);
	return ret ?: image->ops->flush(image->ctx);
}

/* ---- resize ---- */

static int resize_fixed(struct ovid_vdisk *image, u64 size)
{
	struct ovid_vhd *v = vhd_of(image);
	int ret = 0;

	/* there is a footer at the end of the file at any time: it is what makes that longer */
	if (size > v->end) {
		ret = write_footer(image, size);
		ret = ret ?: image->ops->flush(image->ctx);
		ret = ret ?: image->ops->punch(image->ctx, v->end, VHD_SECTOR);
	} else {
		ret = write_footer(image, size);
		ret = ret ?: image->ops->flush(image->ctx);
		ret = ret ?: image->ops->resize(image->ctx, size + VHD_SECTOR);
	}
	if (ret)
		return ret;
	image->file_size = size + VHD_SECTOR;
	v->end = size;
	return 0;
}

/* of a new table, @len bytes that begin with entry @first: what there was, and nothing */
static int fill_table(struct ovid_vdisk *image, u32 first, u8 *to, u32 len)
{
	struct ovid_vhd *v = vhd_of(image);
	u32 was = first < v->entries ? min_t(u32, v->entries - first, len / 4) * 4 : 0;
	int ret = was ? image->ops->read(image->ctx, v->table_off + first * 4ull, to, was) : 0;

	memset(to + was, 0xff, len - was);
	return ret;
}

static int write_table(struct ovid_vdisk *image, u64 off, u32 entries)
{
	u64 len = vhd_table_len(entries), at;
	u8 *part = kvzalloc(VHD_TABLE_PART, GFP_KERNEL_ACCOUNT);
	int ret = part ? 0 : -ENOMEM;

	for (at = 0; at < len && !ret; at += VHD_TABLE_PART) {
		u32 bytes = min_t(u64, VHD_TABLE_PART, len - at);

		ret = fill_table(image, at / 4, part, bytes);
		ret = ret ?: ovid_pages_write(image, off + at, part, bytes);
	}
	kvfree(part);
	return ret;
}

/* the first sector of the header has all that changes, so it changes at once */
static int change_header(struct ovid_vdisk *image, u64 off, u32 entries)
{
	struct ovid_vhd *v = vhd_of(image);
	u8 *header = kvzalloc(VHD_HEADER_LEN, GFP_KERNEL_ACCOUNT);
	int ret = header ? 0 : -ENOMEM;

	ret = ret ?: image->ops->read(image->ctx, v->header_off, header, VHD_HEADER_LEN);
	if (!ret) {
		put_unaligned_be64(off, header + VHD_TABLE);
		put_unaligned_be32(entries, header + VHD_TABLE_ENTRIES);
		ovid_vhd_put_sum(header, VHD_HEADER_LEN, VHD_HEADER_SUM);
		ret = ovid_pages_write(image, v->header_off, header, VHD_SECTOR);
	}
	kvfree(header);
	return ret ?: image->ops->flush(image->ctx);
}

/* a table that is too short moves behind all else */
static int need_vhd_table(struct ovid_vdisk *image, u64 size)
{
	struct ovid_vhd *v = vhd_of(image);
	u64 blocks = ovid_div_up(size, image->info.block_size), off;
	int ret;

	if (blocks <= v->entries)
		return 0;
	ret = move_footer(image, 0, vhd_table_len(blocks), &off);
	ret = ret ?: write_table(image, off, blocks);
	ret = ret ?: image->ops->flush(image->ctx);
	ret = ret ?: change_header(image, off, blocks);
	if (ret)
		return ret;
	ovid_pages_drop(&image->pages, v->table_off, vhd_table_len(v->entries));
	v->table_off = off;
	v->entries = blocks;
	return 0;
}

/* what is cut off, first its part of a block that stays */
static int cut(struct ovid_vdisk *image, u64 size)
{
	u64 blocks = ovid_vdisk_blocks(image), block = ovid_div_up(size, image->info.block_size);
	struct ovid_block gone = { .state = OVID_BLOCK_ABSENT };
	u64 end = min(image->info.size, block * image->info.block_size);
	int ret = end > size ? ovid_block_discard(image, size, end - size, false) : 0;

	for (; block < blocks && !ret; block++) {
		if (!ovid_vdisk_room(image, 2))
			ret = ovid_vdisk_flush(image);
		ret = ret ?: ovid_block_free(image, block, &gone);
	}
	return ret;
}

static int vhd_resize(struct ovid_vdisk *image, u64 size)
{
	struct ovid_vhd *v = vhd_of(image);
	u64 was = image->info.size, end = v->end;
	int ret = 0;

	if (size > VHD_MAX_SIZE)
		return -EINVAL;
	if (image->info.kind == OVID_VDISK_DYNAMIC)
		ret = size > was ? need_vhd_table(image, size) : cut(image, size);
	if (ret)
		return ret;
	ovid_vhd_put_size(v->footer, size);
	if (image->info.kind == OVID_VDISK_FIXED) {
		ret = resize_fixed(image, size);
	} else {
		ret = write_footer(image, 0);
		ret = ret ?: write_footer(image, v->end);
	}
	if (ret)
		return ret;
	image->info.size = size;
	/* behind the old end there may be more than zeros, if others have cut it */
	if (image->info.block_size)
		end = ovid_round_up(was, image->info.block_size);
	if (min(end, size) > was)
		ret = ovid_vdisk_discard(image, was, min(end, size) - was, false);
	return ret ?: ovid_vdisk_flush(image);
}

/* ---- check ---- */

static int vhd_check(struct ovid_vdisk *image, struct ovid_vdisk_check *check)
{
	const struct ovid_vhd *v = vhd_of(image);
	struct ovid_used used = { .unit = VHD_SECTOR };
	u8 copy[VHD_SECTOR];
	u64 block;
	int ret;

	if (image->info.replayed && !image->writable)
		check->notes |= OVID_CHECK_FOOTER;
	if (image->info.kind == OVID_VDISK_FIXED)
		return 0;
	check->blocks = ovid_vdisk_blocks(image);
	ret = image->ops->read(image->ctx, 0, copy, sizeof(copy));
	if (!ret && memcmp(copy, v->footer, sizeof(copy)))
		check->notes |= OVID_CHECK_FOOTER;
	ret = ret ?: ovid_used_init(&used, v->end);
	if (!ret) {
		ovid_used_take(&used, 0, VHD_SECTOR);
		ovid_used_take(&used, v->header_off, VHD_HEADER_LEN);
		ovid_used_take(&used, v->table_off, vhd_table_len(v->entries));
	}
	for (block = 0; block < check->blocks && !ret; block++)
		ret = ovid_used_block(image, block, image->info.block_size, v->bitmap_len, check,
				      &used);
	/* gaps of less than a page are ours */
	check->leaked = 0;
	ovid_used_fini(&used);
	return ret;
}

/* ---- compact ---- */

static int vhd_places(struct ovid_vdisk *image, struct ovid_places *places)
{
	const struct ovid_vhd *v = vhd_of(image);
	u64 blocks = ovid_vdisk_blocks(image), block;
	struct ovid_block b;
	int ret;

	places->before = v->bitmap_len;
	places->data_align = OVID_PAGE;
	places->align = VHD_SECTOR;
	ret = ovid_places_add(places, OVID_PLACE_FIXED, 0, 0, VHD_SECTOR);
	ret = ret ?: ovid_places_add(places, OVID_PLACE_FIXED, 0, v->header_off, VHD_HEADER_LEN);
	ret = ret ?: ovid_places_add(places, OVID_PLACE_TABLE, 0, v->table_off,
				     vhd_table_len(v->entries));
	for (block = 0; block < blocks && !ret; block++) {
		ret = vhd_get(image, block, &b);
		if (!ret && b.state >= OVID_BLOCK_FULL)
			ret = ovid_places_add(places, OVID_PLACE_BLOCK, block, b.bits,
					      v->bitmap_len + image->info.block_size);
	}
	return ret;
}

static int vhd_move(struct ovid_vdisk *image, const struct ovid_place *place, u64 to)
{
	struct ovid_vhd *v = vhd_of(image);
	struct ovid_block b = { .state = OVID_BLOCK_FULL, .off = to + v->bitmap_len };
	int ret;

	if (place->kind == OVID_PLACE_BLOCK) {
		ovid_pages_drop(&image->pages, place->off, v->bitmap_len);
		return vhd_set(image, place->index, &b);
	}
	ret = image->ops->flush(image->ctx);
	ret = ret ?: change_header(image, to, v->entries);
	if (ret)
		return ret;
	ovid_pages_drop(&image->pages, v->table_off, place->len);
	v->table_off = to;
	return 0;
}

/* the footer is there before the file ends with it */
static int vhd_cut(struct ovid_vdisk *image, u64 end)
{
	struct ovid_vhd *v = vhd_of(image);
	int ret;

	end = ovid_round_up(end, VHD_SECTOR);
	if (end >= v->end)
		return 0;
	ret = write_footer(image, end);
	ret = ret ?: image->ops->flush(image->ctx);
	ret = ret ?: image->ops->resize(image->ctx, end + VHD_SECTOR);
	if (ret)
		return ret;
	image->file_size = end + VHD_SECTOR;
	v->end = end;
	return image->ops->flush(image->ctx);
}

const struct ovid_format_ops ovid_vhd_format = {
	.open = vhd_open,
	.free = vhd_free,
	.get = vhd_get,
	.set = vhd_set,
	.alloc = vhd_alloc,
	.commit = vhd_commit,
	.resize = vhd_resize,
	.check = vhd_check,
	.places = vhd_places,
	.move = vhd_move,
	.cut = vhd_cut,
};
