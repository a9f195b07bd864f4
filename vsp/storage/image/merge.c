// SPDX-License-Identifier: GPL-2.0-only
/* merge.c - a differencing image goes into its parent, or on another one: see vdisk.h */
#include "vdisk_priv.h"

#define CHUNK		(1u << 20)
#define PIECE		(64u << 10)	/* zeros of that length take no space */
#define LOOK		4096u		/* what a difference costs at least: whole sectors */

static int tell_watch(const struct ovid_vdisk_watch *watch, u64 done, u64 all)
{
	return watch ? watch->step(watch->arg, done, all) : 0;
}

static int put_piece(struct ovid_vdisk *to, u64 off, const u8 *buf, u32 len)
{
	return ovid_all_zeros(buf, len) ? ovid_vdisk_zero(to, off, len) :
	       ovid_vdisk_write(to, off, buf, len);
}

static int put_pieces(struct ovid_vdisk *to, u64 off, const u8 *buf, u32 len)
{
	int ret = 0;

	while (len && !ret) {
		u32 part = min_t(u32, len, PIECE - off % PIECE);

		ret = put_piece(to, off, buf, part);
		off += part;
		buf += part;
		len -= part;
	}
	return ret;
}

/* ---- push ---- */

static int push_extent(struct ovid_vdisk *to, u64 off, struct ovid_vdisk_extent *ext, u8 *buf)
{
	int ret;

	if (ext->kind == OVID_EXTENT_PARENT)
		return 0;
	/* of what was never written there is nothing in a target without a parent */
	if (ext->kind == OVID_EXTENT_ZERO)
		return ovid_vdisk_zero(to, off, ext->len);
	ext->len = min_t(u64, ext->len, CHUNK);
	ret = ext->image->ops->read(ext->image->ctx, ext->file_off, buf, ext->len);
	return ret ?: put_pieces(to, off, buf, ext->len);
}

int ovid_vdisk_push(struct ovid_vdisk *image, struct ovid_vdisk *to,
		    const struct ovid_vdisk_watch *watch)
{
	u64 end = min(image->info.size, to->info.size), off;
	u8 *buf = kvzalloc(CHUNK, GFP_KERNEL_ACCOUNT);
	int ret = buf ? 0 : -ENOMEM;
	struct ovid_vdisk_extent ext;

	for (off = 0; off < end && !ret; off += ext.len) {
		ret = ovid_vdisk_map_own(image, off, end - off, &ext);
		ret = ret ?: push_extent(to, off, &ext, buf);
		ret = ret ?: tell_watch(watch, off, end);
	}
	kvfree(buf);
	ret = ret ?: ovid_vdisk_flush(to);
	return ret ?: tell_watch(watch, end, end);
}

/* ---- merge ---- */

/* @parent is going to have @id: until it has, and when it has, @image is its child */
static int announce(struct ovid_vdisk *image, struct ovid_vdisk *parent, u8 *id, const char **why)
{
	struct ovid_vdisk_link link = { .id = parent->info.write_id, .id2 = id };
	int ret;

	image->ops->random(image->ctx, id, 16);
	ret = ovid_vdisk_relink(image, &link, why);
	return ret ?: ovid_vdisk_touch(parent, id);
}

static int merge_all(struct ovid_vdisk *image, const struct ovid_vdisk_watch *watch,
		     const char **why)
{
	struct ovid_vdisk *parent = image->parent;
	u64 size = image->info.size;
	struct ovid_vdisk_link link;
	u8 id[16];
	int ret = announce(image, parent, id, why);

	*why = "it cannot be read or written";
	if (!ret && parent->info.size < size)
		ret = ovid_vdisk_resize(parent, size);
	ret = ret ?: ovid_vdisk_push(image, parent, watch);
	/* what is cut off there was not to be seen by @image */
	if (!ret && parent->info.size > size)
		ret = ovid_vdisk_resize(parent, size);
	link = (struct ovid_vdisk_link){ .id = id };
	return ret ?: ovid_vdisk_relink(image, &link, why);
}

int ovid_vdisk_merge(struct ovid_vdisk *image, const struct ovid_vdisk_watch *watch,
		     const char **why)
{
	if (image->info.kind != OVID_VDISK_DIFFERENCING || !image->parent)
		return OVID_FAIL(why, EINVAL, "it has no parent");
	*why = "it cannot be written";
	if (!image->writable || !image->parent->writable)
		return -EROFS;
	return merge_all(image, watch, why);
}

/* ---- rebase ---- */

struct rebase {
	struct ovid_vdisk *image, *to;
	u8 *was, *is;		/* CHUNK each */
};

/* as on the other parent: behind its end are zeros */
static int read_new(const struct rebase *r, u64 off, u32 len)
{
	u64 size = r->to->info.size;
	u32 there = off < size ? min_t(u64, len, size - off) : 0;

	memset(r->is + there, 0, len - there);
	return there ? ovid_vdisk_read(r->to, off, r->is, there) : 0;
}

/* how many bytes from @at on are the same in both, or are not */
static u32 run_of(const struct rebase *r, u32 at, u32 len, bool *same)
{
	u32 end = at + min_t(u32, LOOK, len - at), part;

	*same = !memcmp(r->was + at, r->is + at, end - at);
	for (; end < len; end += part) {
		part = min_t(u32, LOOK, len - end);
		if (*same != !memcmp(r->was + end, r->is + end, part))
			break;
	}
	return end - at;
}

/* the image takes what would change */
static int keep(const struct rebase *r, u64 off, u32 len)
{
	u32 at, run;
	bool same;
	int ret = ovid_vdisk_read(r->image, off, r->was, len);

	ret = ret ?: read_new(r, off, len);
	for (at = 0; at < len && !ret; at += run) {
		run = run_of(r, at, len, &same);
		if (!same)
			ret = put_pieces(r->image, off + at, r->was + at, run);
	}
	return ret;
}

/* is there nothing in either?  Then @len is how far */
static int both_zeros(const struct rebase *r, u64 off, u64 *len, bool *zeros)
{
	struct ovid_vdisk_extent ext;
	u64 size = r->to->info.size;
	int ret = ovid_vdisk_map(r->image, off, *len, &ext);

	*zeros = !ret && ext.kind == OVID_EXTENT_ZERO;
	if (ret || !*zeros)
		return ret;
	*len = ext.len;
	if (off >= size)
		return 0;
	ret = ovid_vdisk_map(r->to, off, min(*len, size - off), &ext);
	*zeros = !ret && ext.kind == OVID_EXTENT_ZERO;
	*len = min(*len, ext.len);
	return ret;
}

static int keep_all(const struct rebase *r, const struct ovid_vdisk_watch *watch)
{
	u64 size = r->image->info.size, off, len;
	int ret = 0;

	for (off = 0; off < size && !ret; off += len) {
		struct ovid_vdisk_extent own;
		bool zeros;

		ret = ovid_vdisk_map_own(r->image, off, size - off, &own);
		len = own.len;
		if (!ret && own.kind == OVID_EXTENT_PARENT) {
			ret = both_zeros(r, off, &len, &zeros);
			if (!ret && !zeros) {
				len = min_t(u64, own.len, CHUNK);
				ret = keep(r, off, len);
			}
		}
		ret = ret ?: tell_watch(watch, off, size);
	}
	return ret ?: tell_watch(watch, size, size);
}

static int rebase_all(struct rebase *r, struct ovid_vdisk_link *link,
		      const struct ovid_vdisk_watch *watch, const char **why)
{
	int ret = r->image->touched ? 0 : ovid_vdisk_touch(r->image, NULL);

	ret = ret ?: keep_all(r, watch);
	link->id = r->to->info.write_id;
	link->id2 = NULL;
	/* which flushes what was kept before it says where the rest is */
	return ret ?: ovid_vdisk_relink(r->image, link, why);
}

int ovid_vdisk_rebase(struct ovid_vdisk *image, struct ovid_vdisk *to, struct ovid_vdisk_link *link,
		      const struct ovid_vdisk_watch *watch, const char **why)
{
	struct rebase r = { .image = image, .to = to };
	int ret;

	if (image->info.kind != OVID_VDISK_DIFFERENCING || !image->parent)
		return OVID_FAIL(why, EINVAL, "it has no parent");
	if (to->info.format != OVID_VDISK_VHDX ||
	    to->info.logical_sector != image->info.logical_sector)
		return OVID_FAIL(why, EINVAL, "the parent must be a VHDX with sectors of the same size");
	*why = "it cannot be read or written";
	if (!image->writable)
		return -EROFS;
	r.was = kvzalloc(2 * CHUNK, GFP_KERNEL_ACCOUNT);
	r.is = r.was + CHUNK;
	ret = r.was ? rebase_all(&r, link, watch, why) : -ENOMEM;
	kvfree(r.was);
	return ret;
}
