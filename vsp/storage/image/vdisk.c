// SPDX-License-Identifier: GPL-2.0-only
/* vdisk.c - see vdisk.h: what all formats have in common, chains, commits */
#include "vdisk_priv.h"

/* ---- life ---- */

int ovid_vdisk_probe(const struct ovid_vdisk_ops *ops, void *ctx, enum ovid_vdisk_format *format)
{
	u8 head[8], foot[8];
	u64 size;
	int ret = ops->size(ctx, &size);

	*format = OVID_VDISK_RAW;
	if (ret || size < 512)
		return ret;
	ret = ops->read(ctx, 0, head, sizeof(head));
	ret = ret ?: ops->read(ctx, size - 512, foot, sizeof(foot));
	if (ret)
		return ret;
	if (!memcmp(head, "vhdxfile", 8))
		*format = OVID_VDISK_VHDX;
	else if (!memcmp(head, "conectix", 8) || !memcmp(foot, "conectix", 8))
		*format = OVID_VDISK_VHD;
	return 0;
}

void ovid_vdisk_abandon(struct ovid_vdisk *image)
{
	if (!image)
		return;
	if (image->format_ops->free)
		image->format_ops->free(image);
	ovid_pages_fini(&image->pages);
	ovid_holes_drop(image);
	kvfree(image);
}

static const struct ovid_format_ops *ops_of(enum ovid_vdisk_format format)
{
	return format == OVID_VDISK_VHDX ? &ovid_vhdx_format :
	       format == OVID_VDISK_VHD ? &ovid_vhd_format : &ovid_raw_format;
}

int ovid_vdisk_open(const struct ovid_vdisk_ops *ops, void *ctx, enum ovid_vdisk_format format,
		    bool writable, struct ovid_vdisk **out, const char **why)
{
	struct ovid_vdisk *image = kvzalloc(sizeof(*image), GFP_KERNEL_ACCOUNT);
	int ret;

	*why = "out of memory";
	if (!image)
		return -ENOMEM;
	image->ops = ops;
	image->ctx = ctx;
	image->format_ops = ops_of(format);
	image->writable = writable;
	image->depth = 1;
	image->info.format = format;
	ret = ovid_pages_init(&image->pages);
	if (!ret) {
		*why = "it cannot be read";
		ret = ops->size(ctx, &image->file_size);
	}
	ret = ret ?: image->format_ops->open(image, why);
	if (ret) {
		ovid_vdisk_abandon(image);
		return ret;
	}
	*out = image;
	return 0;
}

int ovid_vdisk_close(struct ovid_vdisk *image)
{
	int ret;

	if (!image)
		return 0;
	ret = ovid_vdisk_flush(image);
	ovid_vdisk_reclaim(image);
	if (!ret && image->touched && image->format_ops->finish)
		ret = image->format_ops->finish(image);
	ovid_vdisk_abandon(image);
	return ret;
}

void ovid_vdisk_info(const struct ovid_vdisk *image, struct ovid_vdisk_info *info)
{
	*info = image->info;
	info->file_size = image->file_size;
}

void *ovid_vdisk_ctx(const struct ovid_vdisk *image)
{
	return image->ctx;
}

struct ovid_vdisk *ovid_vdisk_parent(const struct ovid_vdisk *image)
{
	return image->parent;
}

/* ---- map ---- */

/* of the disk, and of a chain that is whole */
static int check_range(const struct ovid_vdisk *image, u64 off, u64 len)
{
	if (!len || !ovid_fits(off, len, image->info.size))
		return -EINVAL;
	return image->info.kind == OVID_VDISK_DIFFERENCING && !image->parent ? -ENOLINK : 0;
}

static int map_here(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_span *span)
{
	if (image->info.block_size)
		return ovid_block_map(image, off, len, span);
	span->kind = OVID_EXTENT_DATA;
	span->file_off = image->data_off + off;
	span->len = len;
	return 0;
}

static int map_one(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_vdisk_extent *ext)
{
	struct ovid_span span = { .len = len };
	int ret;

	for (; image; image = image->parent) {
		/* a parent may be shorter: zeros */
		if (off >= image->info.size)
			break;
		span.len = min(span.len, image->info.size - off);
		ret = map_here(image, off, span.len, &span);
		if (ret)
			return ret;
		if (span.kind != OVID_EXTENT_PARENT)
			break;
	}
	ext->kind = image && off < image->info.size && span.kind == OVID_EXTENT_DATA ?
		    OVID_EXTENT_DATA : OVID_EXTENT_ZERO;
	ext->image = image;
	ext->file_off = ext->kind == OVID_EXTENT_DATA ? span.file_off : 0;
	ext->len = span.len;
	return 0;
}

static bool follows(const struct ovid_vdisk_extent *a, const struct ovid_vdisk_extent *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == OVID_EXTENT_ZERO ||
	       (a->image == b->image && a->file_off + a->len == b->file_off);
}

int ovid_vdisk_map(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_vdisk_extent *ext)
{
	struct ovid_vdisk_extent next;
	int ret = check_range(image, off, len);

	ret = ret ?: map_one(image, off, len, ext);
	while (!ret && ext->len < len) {
		/* what cannot be read is the next call's */
		if (map_one(image, off + ext->len, len - ext->len, &next) || !follows(ext, &next))
			break;
		ext->len += next.len;
	}
	return ret;
}

int ovid_vdisk_map_own(struct ovid_vdisk *image, u64 off, u64 len, struct ovid_vdisk_extent *ext)
{
	struct ovid_span span = {};
	int ret = len && ovid_fits(off, len, image->info.size) ? 0 : -EINVAL;

	ret = ret ?: map_here(image, off, len, &span);
	if (ret)
		return ret;
	/* without a parent what is not there is zeros */
	if (span.kind == OVID_EXTENT_PARENT && image->info.kind != OVID_VDISK_DIFFERENCING)
		span.kind = OVID_EXTENT_ZERO;
	ext->kind = span.kind;
	ext->image = image;
	ext->file_off = span.kind == OVID_EXTENT_DATA ? span.file_off : 0;
	ext->len = span.len;
	return 0;
}

/* ---- write ---- */

bool ovid_vdisk_room(const struct ovid_vdisk *image, u32 pages)
{
	return image->pages.nr_dirty + image->reserved + pages <= image->max_dirty;
}

static int touch(struct ovid_vdisk *image, const u8 *write_id)
{
	int ret = image->format_ops->touch ? image->format_ops->touch(image, write_id) : 0;

	image->touched = !ret;
	return ret;
}

int ovid_vdisk_touch(struct ovid_vdisk *image, const u8 *write_id)
{
	if (!image->writable)
		return -EROFS;
	return image->touched ? -EBUSY : touch(image, write_id);
}

static int prepare(struct ovid_vdisk *image, u64 off, u64 len)
{
	int ret = image->writable ? check_range(image, off, len) : -EROFS;
	u8 id[16];

	if (!ret && (off | len) % image->info.logical_sector)
		ret = -EINVAL;
	if (ret || image->touched)
		return ret;
	image->ops->random(image->ctx, id, sizeof(id));
	return touch(image, id);
}

bool ovid_vdisk_in_place(struct ovid_vdisk *image, u64 off, u64 len, u64 *file_off)
{
	struct ovid_span span;

	/* the first write changes the image's identifiers */
	if (!image->writable || !image->touched || (off | len) % image->info.logical_sector)
		return false;
	if (check_range(image, off, len) || map_here(image, off, len, &span))
		return false;
	*file_off = span.file_off;
	return span.kind == OVID_EXTENT_DATA && span.len == len;
}

int ovid_vdisk_write_begin(struct ovid_vdisk *image, u64 off, u64 len,
			   struct ovid_vdisk_write *write)
{
	int ret = prepare(image, off, len);

	memset(write, 0, sizeof(*write));
	if (ret)
		return ret;
	if (image->info.block_size)
		return ovid_block_write_begin(image, off, len, write);
	write->file_off = image->data_off + off;
	write->len = len;
	return 0;
}

int ovid_vdisk_write_end(struct ovid_vdisk *image, struct ovid_vdisk_write *write, bool written)
{
	if (!write->pending)
		return 0;
	write->pending = false;
	return ovid_block_write_end(image, write, written);
}

int ovid_vdisk_discard(struct ovid_vdisk *image, u64 off, u64 len, bool advisory)
{
	int ret = prepare(image, off, len);

	if (ret)
		return ret;
	if (image->info.block_size)
		return ovid_block_discard(image, off, len, advisory);
	return image->ops->punch(image->ctx, image->data_off + off, len);
}

void ovid_vdisk_reclaim(struct ovid_vdisk *image)
{
	ovid_holes_punch(image);
}

int ovid_vdisk_resize(struct ovid_vdisk *image, u64 size)
{
	int ret = prepare(image, 0, image->info.logical_sector);

	if (ret)
		return ret;
	if (!size || size % image->info.logical_sector || size > OVID_VDISK_MAX_SIZE)
		return -EINVAL;
	if (image->pending || image->commit)
		return -EBUSY;
	ret = ovid_vdisk_flush(image);
	ovid_vdisk_reclaim(image);
	return ret ?: image->format_ops->resize(image, size);
}

/* ---- commit ---- */

bool ovid_vdisk_dirty(const struct ovid_vdisk *image)
{
	return image->pages.nr_dirty;
}

int ovid_vdisk_commit_begin(struct ovid_vdisk *image, struct ovid_vdisk_commit **out)
{
	struct ovid_vdisk_commit *c;
	unsigned int nr = image->pages.nr_dirty;

	if (!image->writable)
		return -EROFS;
	if (image->commit)
		return -EBUSY;
	c = kvzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	c->copy = nr ? kvzalloc(nr * sizeof(*c->copy), GFP_KERNEL_ACCOUNT) : NULL;
	if (nr && !c->copy) {
		kvfree(c);
		return -ENOMEM;
	}
	c->nr = nr;
	c->file_size = image->file_size;
	if (nr)
		ovid_pages_take(&image->pages, c->copy);
	ovid_holes_move(image, OVID_HOLE_FREED, OVID_HOLE_COMMITTING);
	image->commit = c;
	*out = c;
	return 0;
}

int ovid_vdisk_commit_run(struct ovid_vdisk *image, struct ovid_vdisk_commit *commit)
{
	int ret = image->ops->flush(image->ctx);

	return ret || !commit->nr ? ret : image->format_ops->commit(image, commit);
}

void ovid_vdisk_commit_end(struct ovid_vdisk *image, struct ovid_vdisk_commit *commit, int ret)
{
	ovid_pages_give_back(&image->pages, commit->copy, commit->nr, !ret);
	ovid_holes_move(image, OVID_HOLE_COMMITTING, ret ? OVID_HOLE_FREED : OVID_HOLE_RESTING);
	image->commit = NULL;
	kvfree(commit->copy);
	kvfree(commit);
}

int ovid_vdisk_flush(struct ovid_vdisk *image)
{
	struct ovid_vdisk_commit *commit;
	int ret;

	if (!image->writable)
		return 0;
	ret = ovid_vdisk_commit_begin(image, &commit);
	if (ret)
		return ret;
	ret = ovid_vdisk_commit_run(image, commit);
	ovid_vdisk_commit_end(image, commit, ret);
	return ret;
}

int ovid_vdisk_check(struct ovid_vdisk *image, struct ovid_vdisk_check *check)
{
	memset(check, 0, sizeof(*check));
	return image->format_ops->check ? image->format_ops->check(image, check) : 0;
}

int ovid_vdisk_create(const struct ovid_vdisk_ops *ops, void *ctx,
		      const struct ovid_vdisk_params *params, const char **why)
{
	int ret;

	*why = "it cannot be written";
	if (!params->size || params->size > OVID_VDISK_MAX_SIZE)
		return OVID_FAIL(why, EINVAL, "a disk has from one sector to 64 TiB");
	if (params->format == OVID_VDISK_VHDX)
		return ovid_vhdx_create(ops, ctx, params, why);
	if (params->format == OVID_VDISK_VHD)
		return ovid_vhd_create(ops, ctx, params, why);
	if (params->size % 512)
		return OVID_FAIL(why, EINVAL, "the size is no multiple of 512");
	ret = ops->resize(ctx, params->size);
	return ret ?: ops->flush(ctx);
}

/* ---- for tools ---- */

int ovid_vdisk_read(struct ovid_vdisk *image, u64 off, void *buf, size_t len)
{
	struct ovid_vdisk_extent ext;
	u8 *to = buf;

	while (len) {
		int ret = ovid_vdisk_map(image, off, len, &ext);

		if (!ret && ext.kind == OVID_EXTENT_ZERO)
			memset(to, 0, ext.len);
		else if (!ret)
			ret = ext.image->ops->read(ext.image->ctx, ext.file_off, to, ext.len);
		if (ret)
			return ret;
		off += ext.len;
		to += ext.len;
		len -= ext.len;
	}
	return 0;
}

int ovid_vdisk_write(struct ovid_vdisk *image, u64 off, const void *buf, size_t len)
{
	struct ovid_vdisk_write w;
	const u8 *from = buf;

	while (len) {
		int ret = ovid_vdisk_write_begin(image, off, len, &w);

		if (ret == -EAGAIN) {
			ret = ovid_vdisk_flush(image);
			ovid_vdisk_reclaim(image);
			ret = ret ?: ovid_vdisk_write_begin(image, off, len, &w);
		}
		if (ret)
			return ret;
		ret = image->ops->write(image->ctx, w.file_off, from, w.len);
		ret = ovid_vdisk_write_end(image, &w, !ret) ?: ret;
		if (ret)
			return ret;
		off += w.len;
		from += w.len;
		len -= w.len;
	}
	return 0;
}

static int zero_part(struct ovid_vdisk *image, u64 off, u64 len)
{
	int ret = ovid_vdisk_discard(image, off, len, false);

	if (ret != -EAGAIN)
		return ret;
	ret = ovid_vdisk_flush(image);
	ovid_vdisk_reclaim(image);
	return ret ?: ovid_vdisk_discard(image, off, len, false);
}

/* block by block: then a flush makes room for any of them */
int ovid_vdisk_zero(struct ovid_vdisk *image, u64 off, u64 len)
{
	int ret = 0;

	while (len && !ret) {
		u32 size = image->info.block_size;
		u64 part = size ? min(len, size - off % size) : len;

		ret = zero_part(image, off, part);
		off += part;
		len -= part;
	}
	return ret;
}
