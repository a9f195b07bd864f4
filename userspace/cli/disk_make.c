// SPDX-License-Identifier: GPL-2.0-only
/* disk_make.c - `ovid disk create` and `convert`: images that are new */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "disk.h"

#define COPY_CHUNK	(2u << 20)
#define ZERO_PIECE	(64u << 10)	/* zeros of that length take no space */
#define YEAR_2000	946684800	/* where a VHD's time begins */

static int params_of(const struct disk_ask *ask, const char *path, int format,
		     struct ovid_vdisk_params *params, struct failure *why)
{
	format = disk_new_format(path, format, why);
	if (format < 0)
		return format;
	*params = (struct ovid_vdisk_params){
		.format = format,
		.kind = ask->kind >= 0 ? ask->kind : OVID_VDISK_DYNAMIC,
		.block_size = ask->block_size,
		.logical_sector = ask->sector,
		.now = time(NULL) - YEAR_2000,
	};
	if (format == OVID_VDISK_RAW &&
	    (ask->kind == OVID_VDISK_DYNAMIC || ask->block_size || ask->sector))
		return fail(why, OVID_X_USAGE, "a raw image has no kind, blocks or sectors of its own");
	return 0;
}

/* ---- create ---- */

static int find_size(const struct disk_ask *ask, const struct vdisk *parent,
		     struct ovid_vdisk_params *params, struct failure *why)
{
	struct ovid_vdisk_info info;

	if (ask->nr > 1)
		return disk_size(ask->word[1], &params->size, why);
	if (!parent)
		return fail(why, OVID_X_USAGE, "how large? give a size behind the file");
	ovid_vdisk_info(parent->image, &info);
	params->size = info.size;
	return 0;
}

static int create(const struct disk_ask *ask, struct ovid_vdisk_params *params, struct failure *why)
{
	struct vdisk_new n;
	struct vdisk *disk;
	int ret = vdisk_new_begin(&n, ask->word[0], ask->force, why);

	ret = ret ?: vdisk_new_make(&n, params, &disk, why);
	ret = ret ?: vdisk_close(disk, why);
	ret = ret ?: vdisk_new_keep(&n, ask->force, why);
	vdisk_new_end(&n);
	return ret;
}

static int create_child(const struct disk_ask *ask, struct ovid_vdisk_params *params,
			struct failure *why)
{
	char relative[DISK_PATH];
	struct vdisk *parent;
	int ret;

	if (ask->kind >= 0)
		return fail(why, OVID_X_USAGE, "--kind or --parent, not both");
	ret = vdisk_open(&parent, ask->parent, -1, DISK_READ, why);
	if (ret)
		return ret;
	ret = vdisk_relative(ask->word[0], ask->parent, relative, why);
	ret = ret ?: find_size(ask, parent, params, why);
	if (!ret) {
		params->kind = OVID_VDISK_DIFFERENCING;
		params->parent = parent->image;
		params->relative_path = relative;
		ret = create(ask, params, why);
	}
	return vdisk_close(parent, why) ?: ret;
}

int disk_create(const struct disk_ask *ask, struct failure *why)
{
	struct ovid_vdisk_params params;
	int ret = params_of(ask, ask->word[0], ask->format, &params, why);

	if (!ret && ask->parent) {
		ret = create_child(ask, &params, why);
	} else if (!ret) {
		ret = find_size(ask, NULL, &params, why);
		ret = ret ?: create(ask, &params, why);
	}
	if (!ret)
		disk_done(ask);
	return ret;
}

/* ---- convert ---- */

struct copy {
	struct vdisk *from, *to;
	u64 size;
	u8 *buf;
	struct disk_watch watch;
};

/* only what is not zeros: a new image reads as zeros */
static int put(struct copy *c, u64 off, size_t len)
{
	size_t at, part;
	int ret = 0;

	for (at = 0; at < len && !ret; at += part) {
		part = len - at < ZERO_PIECE ? len - at : ZERO_PIECE;
		if (ovid_all_zeros(c->buf + at, part))
			continue;
		ret = ovid_vdisk_write(c->to->image, off + at, c->buf + at, part);
	}
	return ret;
}

/* one step; what it has gone over in @len */
static int copy_step(struct copy *c, u64 off, u64 *len, struct failure *why)
{
	struct ovid_vdisk_extent ext;
	int ret = ovid_vdisk_map(c->from->image, off, c->size - off, &ext);
	u64 hole;

	if (ret)
		return disk_result(c->from->path, ret, why);
	*len = ext.len;
	if (ext.kind == OVID_EXTENT_ZERO)
		return 0;
	hole = vdisk_hole(ovid_vdisk_ctx(ext.image), ext.file_off, ext.len);
	/* the target has sectors */
	hole -= hole % 4096;
	if (hole) {
		*len = hole;
		return 0;
	}
	if (*len > COPY_CHUNK)
		*len = COPY_CHUNK;
	ret = ovid_vdisk_read(c->from->image, off, c->buf, *len);
	if (ret)
		return disk_result(c->from->path, ret, why);
	return disk_result(c->to->path, put(c, off, *len), why);
}

static int copy(struct copy *c, struct failure *why)
{
	u64 off = 0, len;
	int ret = 0;

	c->buf = malloc(COPY_CHUNK);
	if (!c->buf)
		return fail(why, OVID_X_HOST, "out of memory");
	for (; off < c->size && !ret; off += len) {
		len = 0;
		ret = copy_step(c, off, &len, why);
		ret = ret ?: disk_result(c->to->path, disk_watch_step(&c->watch, off, c->size), why);
	}
	if (!ret)
		disk_watch_step(&c->watch, c->size, c->size);
	disk_watch_end(&c->watch);
	free(c->buf);
	return ret;
}

static int convert(const struct disk_ask *ask, struct copy *c, struct ovid_vdisk_params *params,
		   struct failure *why)
{
	struct vdisk_new n;
	int ret = vdisk_new_begin(&n, ask->word[1], ask->force, why);

	ret = ret ?: vdisk_new_make(&n, params, &c->to, why);
	if (!ret) {
		ret = copy(c, why);
		ret = vdisk_close(c->to, why) ?: ret;
	}
	ret = ret ?: vdisk_new_keep(&n, ask->force, why);
	vdisk_new_end(&n);
	return ret;
}

int disk_convert(const struct disk_ask *ask, struct failure *why)
{
	struct copy c = {};
	struct ovid_vdisk_params params;
	struct ovid_vdisk_info info;
	int ret = params_of(ask, ask->word[1], ask->output, &params, why);

	ret = ret ?: vdisk_open(&c.from, ask->word[0], ask->format, DISK_READ, why);
	if (ret)
		return ret;
	disk_watch_begin(&c.watch, ask, 1);
	ovid_vdisk_info(c.from->image, &info);
	c.size = info.size;
	params.size = info.size;
	if (!params.logical_sector && params.format == OVID_VDISK_VHDX)
		params.logical_sector = info.logical_sector;
	ret = convert(ask, &c, &params, why);
	ret = vdisk_close(c.from, why) ?: ret;
	if (!ret)
		disk_done(ask);
	return ret;
}
