/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzzers of image formats share.  Input: which template, then harm that is done to it
 * (place, offset, bytes), which sums are made right again, then steps of who uses it.  An image that was not
 * harmed has to behave: what is read is what was written, a check finds nothing.  One that was may
 * fail in any call, but nothing is touched that is not the image's to give.
 */
#ifndef OVID_FUZZ_IMAGE_H
#define OVID_FUZZ_IMAGE_H

#include <stdlib.h>
#include "../../vsp/storage/image/memfile.h"

#define CHECK(c)	do { if (!(c)) abort(); } while (0)

#define DISK		(2u << 20)
#define BLOCK		(1u << 20)
#define SECTORS		(DISK / 512)
#define MAX_IO		8192u
#define MAX_STEPS	64

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

struct input {
	const u8 *data;
	size_t len;
};

static u64 take(struct input *in, unsigned int bytes)
{
	u64 value = 0;

	while (bytes-- && in->len) {
		value = value << 8 | *in->data++;
		in->len--;
	}
	return value;
}

/* where harm can be done, of a file that has so many bytes */
struct place {
	u64 off;
	u32 len;
};

struct template {
	struct memfile file;
	struct ovid_vdisk *parent;
	u8 shadow[SECTORS];		/* what the disk has: all bytes of a sector are the same */
};

/**
 * struct format - what differs
 * @format: of the images
 * @places: where harm is done
 * @nr_places: of them
 * @mend: make the sums right that @which names
 * @space_ok: may a write go there?
 */
struct format {
	enum ovid_vdisk_format format;
	const struct place *places;
	unsigned int nr_places;
	void (*mend)(struct memfile *f, u8 which);
	bool (*space_ok)(const struct ovid_vdisk *image, u64 off, u64 len);
};

struct use {
	const struct format *format;
	struct template *t;
	struct memfile file;
	struct ovid_vdisk *image;
	bool harmed;
	bool writable;
	u64 size;			/* as it must be, if it was not harmed */
	u8 shadow[SECTORS];
	u8 buf[MAX_IO];
};

static bool harm(struct use *u, struct input *in)
{
	unsigned int nr = take(in, 1) % 8, i;

	for (i = 0; i < nr; i++) {
		const struct place *p = &u->format->places[take(in, 1) % u->format->nr_places];
		u64 off = p->off + take(in, 2) % p->len;
		u32 len = take(in, 1) % 8 + 1;
		u8 bytes[8];

		put_unaligned_le64(take(in, len), bytes);
		if (off + len <= u->file.size)
			memfile_write(&u->file, off, bytes, len);
	}
	if (nr)
		u->format->mend(&u->file, take(in, 1));
	return nr;
}

static int open_it(struct use *u, bool writable)
{
	const char *why = NULL;
	int ret = ovid_vdisk_open(&memfile_ops, &u->file, u->format->format, writable, &u->image, &why);

	if (ret) {
		CHECK(why);
		u->image = NULL;
		return ret;
	}
	u->writable = writable;
	if (u->t->parent)
		ovid_vdisk_set_parent(u->image, u->t->parent, &why);
	return 0;
}

static void shadow_set(struct use *u, u64 off, u64 len, int value)
{
	if (off < DISK && !u->harmed)
		memset(u->shadow + off / 512, value, min(len, DISK - off) / 512);
}

/* a range of the disk, mostly; in sectors if it is for a write */
static void range(struct use *u, struct input *in, u64 *off, u64 *len)
{
	*off = take(in, 2) * 512;
	*len = (take(in, 1) % 16 + 1) * 512;
	if (*off % 1024)
		*off += (take(in, 1) % 4) * BLOCK;
	if (!u->harmed && !ovid_fits(*off, *len, u->size)) {
		*off = 0;
		*len = 512;
	}
}

static void read_some(struct use *u, struct input *in)
{
	u64 off, len, at;

	range(u, in, &off, &len);
	if (ovid_vdisk_read(u->image, off, u->buf, len)) {
		CHECK(u->harmed);
		return;
	}
	for (at = 0; !u->harmed && off + at < DISK && at < len; at++)
		CHECK(u->buf[at] == u->shadow[(off + at) / 512]);
}

static void map_some(struct use *u, struct input *in)
{
	struct ovid_vdisk_extent ext;
	u64 off, len, size;

	range(u, in, &off, &len);
	len <<= take(in, 1) % 12;
	if (ovid_vdisk_map(u->image, off, len, &ext))
		return;
	CHECK(ext.len && ext.len <= len);
	if (ext.kind == OVID_EXTENT_ZERO)
		return;
	memfile_size(ovid_vdisk_ctx(ext.image), &size);
	CHECK(ovid_fits(ext.file_off, ext.len, size));
}

static void write_some(struct use *u, struct input *in)
{
	struct ovid_vdisk_write w[2];
	u64 off, len, at;
	bool in_place;
	unsigned int value = take(in, 1), nr = value % 3 == 0 ? 2 : 1, i;

	range(u, in, &off, &len);
	memset(u->buf, value, len);
	in_place = ovid_vdisk_in_place(u->image, off, len, &at);
	/* two at once: neither has begun to write when the other one begins */
	for (i = 0; i < nr; i++) {
		int ret = ovid_vdisk_write_begin(u->image, off, len, &w[i]);

		if (ret)
			break;
		CHECK(w[i].len && w[i].len <= len);
		CHECK(u->format->space_ok(u->image, w[i].file_off, w[i].len));
		CHECK(!in_place || (!w[i].pending && w[i].len == len && w[i].file_off == at));
	}
	CHECK(i == nr || u->harmed);
	nr = i;
	for (i = 0; i < nr; i++) {
		bool good = !i || value % 2;

		if (good)
			CHECK(!memfile_write(&u->file, w[i].file_off, u->buf, w[i].len));
		if (ovid_vdisk_write_end(u->image, &w[i], good))
			CHECK(u->harmed);
		else if (good)
			shadow_set(u, off, w[i].len, value);
	}
}

static void discard_some(struct use *u, struct input *in)
{
	u64 off, len;

	range(u, in, &off, &len);
	if (take(in, 1) % 2) {
		off -= off % BLOCK;
		len = BLOCK;
	}
	if (!u->harmed && !ovid_fits(off, len, u->size))
		return;
	if (ovid_vdisk_discard(u->image, off, len, false))
		CHECK(u->harmed);
	else
		shadow_set(u, off, len, 0);
}

static void resize_it(struct use *u, struct input *in)
{
	struct ovid_vdisk_info info;
	u64 size;
	int ret;

	ovid_vdisk_info(u->image, &info);
	size = (take(in, 2) + 1) * 512;
	/* a fixed one is filled block by block */
	if (info.kind != OVID_VDISK_FIXED && take(in, 1) % 8 == 0)
		size <<= take(in, 1) % 13;
	ret = ovid_vdisk_resize(u->image, size);
	if (ret) {
		CHECK(u->harmed || ret == -EINVAL || ret == -ENOLINK);
		return;
	}
	shadow_set(u, size, DISK, 0);
	u->size = size;
}

static void check_it(struct use *u)
{
	struct ovid_vdisk_check check;
	struct ovid_vdisk_info info;

	ovid_vdisk_info(u->image, &info);
	/* not how fast it is with large ones */
	if (info.file_size > OVID_TIB || info.size > 4096ull * BLOCK)
		return;
	if (ovid_vdisk_check(u->image, &check) || check.damaged)
		CHECK(u->harmed);
}

static void compact_it(struct use *u)
{
	struct ovid_vdisk_info info;
	const char *why = NULL;
	int ret;

	ovid_vdisk_info(u->image, &info);
	if (info.file_size > OVID_TIB || info.size > 4096ull * BLOCK)
		return;
	ret = ovid_vdisk_compact(u->image, NULL, &why);
	CHECK(!ret || why);
	CHECK(!ret || u->harmed || (ret == -EINVAL && info.kind == OVID_VDISK_FIXED));
}

/* to the parent that it has, by another path */
static void relink_it(struct use *u, struct input *in)
{
	static char path[6000];
	struct ovid_vdisk_link link = { .relative_path = path };
	struct ovid_vdisk_info info;
	const char *why = NULL;

	if (!u->t->parent)
		return;
	memset(path, 'a' + take(in, 1) % 26, sizeof(path));
	path[1 + take(in, 2) % (sizeof(path) - 1)] = 0;
	path[sizeof(path) - 1] = 0;
	ovid_vdisk_info(u->t->parent, &info);
	link.id = info.write_id;
	if (ovid_vdisk_relink(u->image, &link, &why))
		CHECK(why && u->harmed);
}

static void reopen_it(struct use *u, struct input *in)
{
	u8 how = take(in, 1);
	int ret = 0;

	if (how % 2) {
		ret = ovid_vdisk_flush(u->image);
		ovid_vdisk_abandon(u->image);
	} else {
		ret = ovid_vdisk_close(u->image);
	}
	CHECK(!ret || u->harmed);
	u->image = NULL;
	/* for reading only if it was closed */
	if (open_it(u, how % 2 || how & 2))
		CHECK(u->harmed);
}

static void use_it(struct use *u, struct input *in)
{
	unsigned int steps;

	for (steps = 0; in->len && u->image && steps < MAX_STEPS; steps++) {
		switch (take(in, 1) % 12) {
		case 0:
		case 1:
			read_some(u, in);
			break;
		case 2:
			map_some(u, in);
			break;
		case 3:
			ovid_vdisk_flush(u->image);
			ovid_vdisk_reclaim(u->image);
			break;
		case 4:
			check_it(u);
			break;
		case 5:
			if (u->writable)
				reopen_it(u, in);
			break;
		case 6:
			if (u->writable)
				discard_some(u, in);
			break;
		case 7:
			if (u->writable)
				resize_it(u, in);
			break;
		case 10:
			if (u->writable)
				compact_it(u);
			break;
		case 11:
			if (u->writable)
				relink_it(u, in);
			break;
		default:
			if (u->writable)
				write_some(u, in);
		}
	}
}

static int fuzz(const struct format *format, struct template *t, struct input *in)
{
	static struct use u;

	u.format = format;
	u.t = t;
	u.image = NULL;
	u.size = DISK;
	/* not the identifiers that the template has */
	memfile_init(&u.file, 2);
	u.file.base = &t->file;
	u.file.size = t->file.size;
	u.harmed = harm(&u, in);
	if (!u.harmed)
		memcpy(u.shadow, t->shadow, SECTORS);
	if (!open_it(&u, take(in, 1) % 4))
		use_it(&u, in);
	if (u.image && ovid_vdisk_close(u.image))
		CHECK(u.harmed);
	memfile_free(&u.file);
	return 0;
}

/* ---- templates ---- */

static void make_template(struct template *t, const struct ovid_vdisk_params *params, bool crashed)
{
	struct ovid_vdisk *image;
	const char *why = "";
	static u8 data[4096];
	u32 at;

	memfile_init(&t->file, 1);
	CHECK(!ovid_vdisk_create(&memfile_ops, &t->file, params, &why));
	CHECK(!ovid_vdisk_open(&memfile_ops, &t->file, params->format, true, &image, &why));
	if (t->parent)
		CHECK(!ovid_vdisk_set_parent(image, t->parent, &why));
	for (at = 0; at < DISK; at += DISK / 4 + 4096) {
		memset(data, at >> 12 | 1, sizeof(data));
		memset(t->shadow + at / 512, data[0], sizeof(data) / 512);
		CHECK(!ovid_vdisk_write(image, at, data, sizeof(data)));
		CHECK(!ovid_vdisk_flush(image));
	}
	if (crashed)
		ovid_vdisk_abandon(image);
	else
		CHECK(!ovid_vdisk_close(image));
}

#endif
