// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for images, in files in memory.  A disk is compared with an array of what was written; a
 * crash is that an image is let go and what has been flushed is opened again.
 */
#include <kunit/test.h>
#include "crc32c.c"
#include "pages.c"
#include "block.c"
#include "used.c"
#include "raw.c"
#include "vdisk.c"
#include "vhdx_id.c"
#include "vhdx.c"
#include "vhdx_header.c"
#include "vhdx_load.c"
#include "vhdx_locator.c"
#include "vhdx_log.c"
#include "vhdx_create.c"
#include "vhdx_shape.c"
#include "vhdx_compact.c"
#include "vhd.c"
#include "vhd_create.c"
#include "compact.c"
#include "merge.c"
#include "memfile.h"
/* in userspace all suites are one program, which has it from another one */
#ifdef __KERNEL__
#include "../../utf16.c"
#endif

#define DISK	(8u << 20)
#define CHAIN	3

struct fixture {
	struct kunit *test;
	struct memfile file[CHAIN];
	struct ovid_vdisk *image[CHAIN];
	const char *why;
	u8 *shadow, *buf;		/* DISK */
	u64 seed;
};

static int fixture_init(struct kunit *test)
{
	struct fixture *f = kvzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int i;

	test->priv = f;
	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	f->seed = 1;
	f->shadow = kvzalloc(DISK, GFP_KERNEL_ACCOUNT);
	f->buf = kvzalloc(DISK, GFP_KERNEL_ACCOUNT);
	KUNIT_ASSERT_TRUE(test, f->shadow && f->buf);
	for (i = 0; i < CHAIN; i++)
		memfile_init(&f->file[i], 100 + i);
	return 0;
}

static void fixture_exit(struct kunit *test)
{
	struct fixture *f = test->priv;
	int i;

	for (i = 0; i < CHAIN; i++) {
		ovid_vdisk_abandon(f->image[i]);
		memfile_free(&f->file[i]);
	}
	kvfree(f->shadow);
	kvfree(f->buf);
	kvfree(f);
}

static u32 rnd(struct fixture *f, u32 below)
{
	f->seed = f->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (f->seed >> 33) % below;
}

/* ---- steps ---- */

static int make(struct fixture *f, int n, enum ovid_vdisk_format format, enum ovid_vdisk_kind kind,
		u64 size, u32 block_size)
{
	struct ovid_vdisk_params params = {
		.format = format, .kind = kind, .size = size, .block_size = block_size,
		.relative_path = "base.vhdx",
	};

	if (kind == OVID_VDISK_DIFFERENCING)
		params.parent = f->image[n - 1];
	return ovid_vdisk_create(&memfile_ops, &f->file[n], &params, &f->why);
}

static int reopen(struct fixture *f, int n, enum ovid_vdisk_format format, bool writable)
{
	int ret;

	ovid_vdisk_abandon(f->image[n]);
	f->image[n] = NULL;
	ret = ovid_vdisk_open(&memfile_ops, &f->file[n], format, writable, &f->image[n], &f->why);
	if (!ret && n && f->image[n]->info.kind == OVID_VDISK_DIFFERENCING)
		ret = ovid_vdisk_set_parent(f->image[n], f->image[n - 1], &f->why);
	return ret;
}

static int close(struct fixture *f, int n)
{
	int ret = ovid_vdisk_close(f->image[n]);

	f->image[n] = NULL;
	return ret;
}

static void make_open(struct fixture *f, int n, enum ovid_vdisk_format format,
		      enum ovid_vdisk_kind kind)
{
	KUNIT_ASSERT_EQ(f->test, make(f, n, format, kind, DISK, 1 << 20), 0);
	KUNIT_ASSERT_EQ(f->test, reopen(f, n, format, true), 0);
}

static void put_to(struct fixture *f, int n, u32 off, u32 len, u8 value)
{
	memset(f->shadow + off, value, len);
	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_write(f->image[n], off, f->shadow + off, len), 0);
}

static void expect_disk(struct fixture *f, int n)
{
	memset(f->buf, 0xee, DISK);
	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_read(f->image[n], 0, f->buf, DISK), 0);
	KUNIT_EXPECT_MEMEQ(f->test, f->buf, f->shadow, DISK);
}

static void expect_sound(struct fixture *f, int n)
{
	struct ovid_vdisk_check check;

	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_check(f->image[n], &check), 0);
	KUNIT_EXPECT_EQ(f->test, check.damaged, 0);
	KUNIT_EXPECT_EQ(f->test, check.notes, 0);
}

/* the short way to where a write goes says the same as the long one, or that it does not know */
static bool is_in_place(struct fixture *f, int n, u64 off, u64 len)
{
	struct ovid_vdisk *image = f->image[n];
	bool dirty = ovid_vdisk_dirty(image), touched = image->touched;
	struct ovid_vdisk_write w;
	u64 file_off = 0;
	bool is = ovid_vdisk_in_place(image, off, len, &file_off);

	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_dirty(image), dirty);
	KUNIT_EXPECT_EQ(f->test, image->touched, touched);
	KUNIT_ASSERT_EQ(f->test, ovid_vdisk_write_begin(image, off, len, &w), 0);
	KUNIT_EXPECT_EQ(f->test, is, touched && !w.pending && w.len == len);
	if (is)
		KUNIT_EXPECT_EQ(f->test, file_off, w.file_off);
	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_write_end(image, &w, false), 0);
	return is;
}

static void some_io(struct fixture *f, int n, int count)
{
	while (count--) {
		u32 off = rnd(f, DISK / 512) * 512, len = (1 + rnd(f, rnd(f, 4) ? 16 : 4096)) * 512;

		len = min_t(u32, len, DISK - off);
		if (rnd(f, 4)) {
			is_in_place(f, n, off, len);
			put_to(f, n, off, len, rnd(f, 256));
			continue;
		}
		memset(f->shadow + off, 0, len);
		KUNIT_EXPECT_EQ(f->test, ovid_vdisk_discard(f->image[n], off, len, false), 0);
		if (!rnd(f, 3)) {
			KUNIT_EXPECT_EQ(f->test, ovid_vdisk_flush(f->image[n]), 0);
			ovid_vdisk_reclaim(f->image[n]);
		}
	}
}

static const struct {
	enum ovid_vdisk_format format;
	enum ovid_vdisk_kind kind;
} shapes[] = {
	{ OVID_VDISK_RAW, OVID_VDISK_FIXED },
	{ OVID_VDISK_VHD, OVID_VDISK_FIXED },
	{ OVID_VDISK_VHD, OVID_VDISK_DYNAMIC },
	{ OVID_VDISK_VHDX, OVID_VDISK_FIXED },
	{ OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC },
};

/* ---- cases ---- */

static void sums(struct kunit *test)
{
	/* the check value of CRC-32C */
	KUNIT_EXPECT_EQ(test, ovid_crc32c(0, "123456789", 9), 0xe3069283u);
	KUNIT_EXPECT_EQ(test, ovid_crc32c(ovid_crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

static void text(struct kunit *test)
{
	static const char all[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const u8 wire[] = { 'a', 0, 0xe4, 0, 0xac, 0x20, 0x3d, 0xd8, 0x00, 0xde, 'z', 0 };
	static const u8 alone[] = { 0x00, 0xde, 'x', 0, 0x3d, 0xd8 }, zero[] = { 'a', 0, 0, 0 };
	u8 out[32];
	struct locator l = { .bytes = out, .room = sizeof(out) };
	char back[32];

	KUNIT_EXPECT_EQ(test, add_text(&l, all), sizeof(wire));
	KUNIT_EXPECT_MEMEQ(test, out, wire, sizeof(wire));
	KUNIT_EXPECT_FALSE(test, l.failed);
	KUNIT_EXPECT_EQ(test, to_text(wire, sizeof(wire) / 2, back, sizeof(back)), 0);
	KUNIT_EXPECT_STREQ(test, back, all);
	l = (struct locator){ .bytes = out, .room = sizeof(wire) - 1 };
	KUNIT_EXPECT_EQ(test, add_text(&l, all), 0u);
	KUNIT_EXPECT_TRUE(test, l.failed);
	KUNIT_EXPECT_EQ(test, to_text(wire, sizeof(wire) / 2, back, 8), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, to_text(alone, sizeof(alone) / 2, back, sizeof(back)), 0);
	KUNIT_EXPECT_STREQ(test, back, "\xef\xbf\xbdx\xef\xbf\xbd");
	KUNIT_EXPECT_EQ(test, to_text(zero, sizeof(zero) / 2, back, sizeof(back)), -EUCLEAN);
	l = (struct locator){ .bytes = out, .room = sizeof(out) };
	KUNIT_EXPECT_EQ(test, add_text(&l, "\xe4"), 0u);
	KUNIT_EXPECT_TRUE(test, l.failed);
}

static void every_shape(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		memfile_free(&f->file[0]);
		memfile_init(&f->file[0], i);
		memset(f->shadow, 0, DISK);
		make_open(f, 0, shapes[i].format, shapes[i].kind);
		ovid_vdisk_info(f->image[0], &info);
		KUNIT_EXPECT_EQ(test, info.size, DISK);
		KUNIT_EXPECT_EQ(test, (int)info.kind, (int)shapes[i].kind);
		KUNIT_EXPECT_EQ(test, info.logical_sector, 512u);
		expect_disk(f, 0);
		some_io(f, 0, 60);
		expect_disk(f, 0);
		KUNIT_EXPECT_EQ(test, close(f, 0), 0);
		/* closed: to be read as it is */
		KUNIT_ASSERT_EQ(test, reopen(f, 0, shapes[i].format, false), 0);
		KUNIT_EXPECT_FALSE(test, f->image[0]->info.replayed);
		expect_disk(f, 0);
		expect_sound(f, 0);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_write(f->image[0], 0, f->buf, 512), -EROFS);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_discard(f->image[0], 0, 512, false), -EROFS);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_read(f->image[0], DISK - 512, f->buf, 1024), -EINVAL);
	}
}

static void sizes(struct kunit *test)
{
	static const struct { u64 size; u32 block, sector; } of[] = {
		{ 64 * OVID_TIB, 1 << 20, 512 }, { 64 * OVID_TIB, 0, 4096 },
		{ 3 * OVID_TIB + 4096, 256 << 20, 4096 }, { 4096, 32 << 20, 512 }, { 512, 0, 512 },
	};
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(of); i++) {
		struct ovid_vdisk_params params = {
			.format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = of[i].size,
			.block_size = of[i].block, .logical_sector = of[i].sector,
		};
		u64 last = of[i].size - of[i].sector;

		memfile_free(&f->file[0]);
		memfile_init(&f->file[0], i);
		KUNIT_ASSERT_EQ(test, ovid_vdisk_create(&memfile_ops, &f->file[0], &params, &f->why), 0);
		KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
		memset(f->buf, 7, 4096);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_write(f->image[0], last, f->buf, of[i].sector), 0);
		KUNIT_ASSERT_EQ(test, close(f, 0), 0);
		KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, false), 0);
		KUNIT_EXPECT_EQ(test, f->image[0]->info.size, of[i].size);
		KUNIT_EXPECT_EQ(test, f->image[0]->info.logical_sector, of[i].sector);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_read(f->image[0], last, f->buf + 4096, of[i].sector), 0);
		KUNIT_EXPECT_MEMEQ(test, f->buf, f->buf + 4096, of[i].sector);
	}
}

static void refused(struct kunit *test)
{
	static const struct ovid_vdisk_params bad[] = {
		{ .format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = 0 },
		{ .format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = 64 * OVID_TIB + 512 },
		{ .format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = 1000 },
		{ .format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = DISK, .block_size = 3 << 20 },
		{ .format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = DISK, .block_size = 512 << 20 },
		{ .format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = DISK, .logical_sector = 1024 },
		{ .format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DIFFERENCING, .size = DISK },
		{ .format = OVID_VDISK_VHD, .kind = OVID_VDISK_DYNAMIC, .size = 3 * OVID_TIB },
		{ .format = OVID_VDISK_VHD, .kind = OVID_VDISK_DIFFERENCING, .size = DISK },
		{ .format = OVID_VDISK_VHD, .kind = OVID_VDISK_DYNAMIC, .size = DISK, .logical_sector = 4096 },
		{ .format = OVID_VDISK_RAW, .kind = OVID_VDISK_FIXED, .size = 1000 },
	};
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, ovid_vdisk_create(&memfile_ops, &f->file[0], &bad[i], &f->why),
				    -EINVAL, "params %u", i);
	make_open(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write(f->image[0], 100, f->buf, 512), -EINVAL);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write(f->image[0], 0, f->buf, 100), -EINVAL);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_resize(f->image[0], 1000), -EINVAL);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_set_parent(f->image[0], f->image[0], &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, reopen(f, 0, OVID_VDISK_VHD, true), -EUCLEAN);
}

/* nothing is part of the disk before its write has ended, nor lasts before a flush */
static void order(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk_write w;

	make_open(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC);
	memset(f->buf, 5, 4096);
	KUNIT_ASSERT_EQ(test, ovid_vdisk_write_begin(f->image[0], 8192, 4096, &w), 0);
	KUNIT_EXPECT_TRUE(test, w.pending);
	KUNIT_EXPECT_EQ(test, w.len, 4096);
	memfile_write(&f->file[0], w.file_off, f->buf, 4096);
	expect_disk(f, 0);
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_dirty(f->image[0]));
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_end(f->image[0], &w, true), 0);
	KUNIT_EXPECT_TRUE(test, ovid_vdisk_dirty(f->image[0]));
	memset(f->shadow + 8192, 5, 4096);
	expect_disk(f, 0);
	/* a crash: it was never flushed */
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
	memset(f->shadow + 8192, 0, 4096);
	expect_disk(f, 0);
	put_to(f, 0, 8192, 4096, 6);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_flush(f->image[0]), 0);
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_dirty(f->image[0]));
	/* a crash: the log is to be replayed, by one who may write */
	KUNIT_EXPECT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, false), -EROFS);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
	KUNIT_EXPECT_TRUE(test, f->image[0]->info.replayed);
	expect_disk(f, 0);
	expect_sound(f, 0);
	/* written where it has space: nothing to log */
	put_to(f, 0, 8192, 512, 9);
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_dirty(f->image[0]));
}

static void in_place(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk_write w;
	u64 at;

	make_open(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC);
	KUNIT_EXPECT_FALSE(test, is_in_place(f, 0, 0, 4096));
	put_to(f, 0, 0, 2 << 20, 1);
	KUNIT_EXPECT_TRUE(test, is_in_place(f, 0, 4096, 4096));
	KUNIT_EXPECT_TRUE(test, is_in_place(f, 0, (1 << 20) - 512, 512));
	/* two blocks, although they follow each other; space that nobody knows of yet; none */
	KUNIT_EXPECT_FALSE(test, is_in_place(f, 0, (1 << 20) - 512, 1024));
	KUNIT_ASSERT_EQ(test, ovid_vdisk_write_begin(f->image[0], 2 << 20, 4096, &w), 0);
	KUNIT_EXPECT_FALSE(test, is_in_place(f, 0, 2 << 20, 4096));
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_end(f->image[0], &w, true), 0);
	KUNIT_EXPECT_TRUE(test, is_in_place(f, 0, 2 << 20, 4096));
	KUNIT_EXPECT_FALSE(test, is_in_place(f, 0, 3 << 20, 4096));
	KUNIT_EXPECT_EQ(test, ovid_vdisk_discard(f->image[0], 0, 1 << 20, false), 0);
	KUNIT_EXPECT_FALSE(test, is_in_place(f, 0, 0, 4096));
	/* what cannot be written is for the long way to say */
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_in_place(f->image[0], 1 << 20, 0, &at));
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_in_place(f->image[0], 1 << 20, 100, &at));
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_in_place(f->image[0], (1 << 20) + 100, 512, &at));
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_in_place(f->image[0], DISK, 512, &at));
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_in_place(f->image[0], -512ull, 1024, &at));
	KUNIT_ASSERT_EQ(test, close(f, 0), 0);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, false), 0);
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_in_place(f->image[0], 1 << 20, 512, &at));
	/* a child has its own sectors only */
	make_open(f, 1, OVID_VDISK_VHDX, OVID_VDISK_DIFFERENCING);
	put_to(f, 1, 4096, 4096, 2);
	KUNIT_EXPECT_TRUE(test, is_in_place(f, 1, 4096 + 512, 512));
	KUNIT_EXPECT_FALSE(test, is_in_place(f, 1, 4096, 8192));
	KUNIT_EXPECT_FALSE(test, is_in_place(f, 1, 1 << 20, 4096));
	make_open(f, 2, OVID_VDISK_VHD, OVID_VDISK_DYNAMIC);
	put_to(f, 2, 4096, 4096, 2);
	KUNIT_EXPECT_TRUE(test, is_in_place(f, 2, 4096, 8192));
}

static void at_once(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk_write a, b, c;
	u64 size;

	make_open(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC);
	/* two to one new block, one of which fails */
	KUNIT_ASSERT_EQ(test, ovid_vdisk_write_begin(f->image[0], 0, 512, &a), 0);
	KUNIT_ASSERT_EQ(test, ovid_vdisk_write_begin(f->image[0], 4096, 512, &b), 0);
	KUNIT_EXPECT_EQ(test, b.file_off - a.file_off, 4096);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_end(f->image[0], &a, false), 0);
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_dirty(f->image[0]));
	memset(f->shadow + 4096, 1, 512);
	memfile_write(&f->file[0], b.file_off, f->shadow + 4096, 512);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_end(f->image[0], &b, true), 0);
	expect_disk(f, 0);
	/* all fail: the space is used again, and is zeros */
	size = f->image[0]->file_size;
	KUNIT_ASSERT_EQ(test, ovid_vdisk_write_begin(f->image[0], 1 << 20, 512, &a), 0);
	memfile_write(&f->file[0], a.file_off, f->shadow + 4096, 512);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_end(f->image[0], &a, false), 0);
	put_to(f, 0, (2 << 20) + 512, 512, 3);
	KUNIT_EXPECT_EQ(test, f->image[0]->file_size, size + (1 << 20));
	expect_disk(f, 0);
	/* discarded while two are under way, one of which has ended */
	KUNIT_ASSERT_EQ(test, ovid_vdisk_write_begin(f->image[0], 3 << 20, 512, &a), 0);
	KUNIT_ASSERT_EQ(test, ovid_vdisk_write_begin(f->image[0], 3 << 20, 1 << 20, &b), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_end(f->image[0], &a, true), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_discard(f->image[0], 3 << 20, 1 << 20, false), 0);
	KUNIT_ASSERT_EQ(test, ovid_vdisk_write_begin(f->image[0], 4 << 20, 512, &c), 0);
	KUNIT_EXPECT_FALSE(test, ovid_overlap(b.file_off, 1 << 20, c.file_off, 512));
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_end(f->image[0], &b, true), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_end(f->image[0], &c, true), 0);
	expect_disk(f, 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_flush(f->image[0]), 0);
	expect_sound(f, 0);
}

/* so many changes that they have to be flushed between */
static void room(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk_write w;
	u64 at, nr = 0;
	int ret = 0;

	KUNIT_ASSERT_EQ(test, make(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC, OVID_TIB, 1 << 20), 0);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
	/* a page of the table each */
	for (at = 0; at < OVID_TIB && !ret; at += 512 * OVID_MIB) {
		ret = ovid_vdisk_write_begin(f->image[0], at, 512, &w);
		nr += !ret;
		ret = ret ?: ovid_vdisk_write_end(f->image[0], &w, true);
	}
	KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
	KUNIT_EXPECT_TRUE(test, nr > 100 && nr < 128);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_flush(f->image[0]), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_begin(f->image[0], at, 512, &w), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write_end(f->image[0], &w, true), 0);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
	expect_sound(f, 0);
}

static void discards(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;
	u64 size;

	for (i = 2; i < ARRAY_SIZE(shapes); i += 2) {
		memfile_free(&f->file[0]);
		memfile_init(&f->file[0], i);
		memset(f->shadow, 0, DISK);
		make_open(f, 0, shapes[i].format, shapes[i].kind);
		put_to(f, 0, 0, 3 << 20, 1);
		size = f->image[0]->file_size;
		KUNIT_EXPECT_EQ(test, ovid_vdisk_discard(f->image[0], 1 << 20, 1 << 20, true), 0);
		memset(f->shadow + (1 << 20), 0, 1 << 20);
		expect_disk(f, 0);
		/* not before it lasts, and nobody can write to it any more */
		put_to(f, 0, 4 << 20, 512, 2);
		KUNIT_EXPECT_TRUE(test, f->image[0]->file_size > size);
		size = f->image[0]->file_size;
		KUNIT_EXPECT_EQ(test, ovid_vdisk_flush(f->image[0]), 0);
		put_to(f, 0, 5 << 20, 512, 3);
		KUNIT_EXPECT_TRUE(test, f->image[0]->file_size > size);
		size = f->image[0]->file_size;
		ovid_vdisk_reclaim(f->image[0]);
		put_to(f, 0, 6 << 20, 512, 4);
		KUNIT_EXPECT_EQ(test, f->image[0]->file_size, size);
		expect_disk(f, 0);
		expect_sound(f, 0);
	}
}

/* a write that was begun to a block before it was freed comes down late */
static void late_write(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk_write w;
	unsigned int i;

	for (i = 2; i < ARRAY_SIZE(shapes); i += 2) {
		memfile_free(&f->file[0]);
		memfile_init(&f->file[0], i);
		memset(f->shadow, 0, DISK);
		make_open(f, 0, shapes[i].format, shapes[i].kind);
		put_to(f, 0, 0, 1 << 20, 1);
		KUNIT_ASSERT_EQ(test, ovid_vdisk_write_begin(f->image[0], 4096, 4096, &w), 0);
		KUNIT_EXPECT_FALSE(test, w.pending);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_discard(f->image[0], 0, 1 << 20, false), 0);
		memset(f->shadow, 0, 1 << 20);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_flush(f->image[0]), 0);
		memset(f->buf, 2, 4096);
		memfile_write(&f->file[0], w.file_off, f->buf, 4096);
		expect_disk(f, 0);
		/* whose space it is next begins with zeros */
		ovid_vdisk_reclaim(f->image[0]);
		put_to(f, 0, 3 << 20, 512, 3);
		expect_disk(f, 0);
	}
}

static void resizes(struct kunit *test)
{
	static const u64 to[] = { DISK / 2 + 512, DISK, 300ull << 30, DISK + 512, DISK };
	struct fixture *f = test->priv;
	struct ovid_vdisk_check check;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		memfile_free(&f->file[0]);
		memfile_init(&f->file[0], i);
		make_open(f, 0, shapes[i].format, shapes[i].kind);
		put_to(f, 0, 0, DISK, 0x55);
		for (j = 0; j < ARRAY_SIZE(to); j++) {
			if (to[j] > DISK * 2 && shapes[i].kind == OVID_VDISK_FIXED)
				continue;
			KUNIT_ASSERT_EQ(test, ovid_vdisk_resize(f->image[0], to[j]), 0);
			KUNIT_ASSERT_EQ(test, reopen(f, 0, shapes[i].format, true), 0);
			KUNIT_EXPECT_EQ(test, f->image[0]->info.size, to[j]);
			KUNIT_EXPECT_EQ(test, ovid_vdisk_check(f->image[0], &check), 0);
			KUNIT_EXPECT_EQ(test, check.damaged, 0);
			if (to[j] < DISK)
				memset(f->shadow + to[j], 0, DISK - to[j]);
		}
		expect_disk(f, 0);
		KUNIT_EXPECT_EQ(test, close(f, 0), 0);
	}
}

/* ---- chains ---- */

static void make_chain(struct fixture *f)
{
	make_open(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC);
	put_to(f, 0, 0, DISK / 2, 0x11);
	KUNIT_ASSERT_EQ(f->test, close(f, 0), 0);
	KUNIT_ASSERT_EQ(f->test, reopen(f, 0, OVID_VDISK_VHDX, false), 0);
	make_open(f, 1, OVID_VDISK_VHDX, OVID_VDISK_DIFFERENCING);
	put_to(f, 1, 3 << 20, 512, 0x22);
	put_to(f, 1, (5 << 20) - 512, 1024, 0x23);
	KUNIT_ASSERT_EQ(f->test, close(f, 1), 0);
	KUNIT_ASSERT_EQ(f->test, reopen(f, 1, OVID_VDISK_VHDX, false), 0);
	make_open(f, 2, OVID_VDISK_VHDX, OVID_VDISK_DIFFERENCING);
}

static void chain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk_extent ext;
	char path[64];

	make_chain(f);
	expect_disk(f, 2);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_map(f->image[2], 3 << 20, 1 << 20, &ext), 0);
	KUNIT_EXPECT_PTR_EQ(test, ext.image, f->image[1]);
	KUNIT_EXPECT_EQ(test, ext.len, 512);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_map(f->image[2], (3 << 20) + 512, 1 << 20, &ext), 0);
	KUNIT_EXPECT_PTR_EQ(test, ext.image, f->image[0]);
	some_io(f, 2, 80);
	expect_disk(f, 2);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_flush(f->image[2]), 0);
	KUNIT_ASSERT_EQ(test, reopen(f, 2, OVID_VDISK_VHDX, true), 0);
	expect_disk(f, 2);
	expect_sound(f, 2);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_locator(f->image[2], "relative_path", path, sizeof(path)), 0);
	KUNIT_EXPECT_STREQ(test, path, ".\\base.vhdx");
	KUNIT_EXPECT_EQ(test, ovid_vdisk_locator(f->image[2], "volume_path", path, sizeof(path)), -ENOENT);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_locator(f->image[2], "relative_path", path, 4), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_locator(f->image[0], "relative_path", path, 64), -ENOENT);
}

/* discards that have to hide a parent, or need not */
static void hides(struct kunit *test)
{
	struct fixture *f = test->priv;

	make_chain(f);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_discard(f->image[2], 512, 4096, true), 0);
	expect_disk(f, 2);
	KUNIT_EXPECT_FALSE(test, ovid_vdisk_dirty(f->image[2]));
	KUNIT_EXPECT_EQ(test, ovid_vdisk_discard(f->image[2], 512, 4096, false), 0);
	memset(f->shadow + 512, 0, 4096);
	expect_disk(f, 2);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_discard(f->image[2], 1 << 20, 1 << 20, true), 0);
	memset(f->shadow + (1 << 20), 0, 1 << 20);
	expect_disk(f, 2);
	/* of a block that is zeros, a part is written: the rest is zeros, not the parent's */
	put_to(f, 2, (1 << 20) + 4096, 512, 0x77);
	expect_disk(f, 2);
	/* smaller, then larger than it was: the parent's end does not come back */
	KUNIT_EXPECT_EQ(test, ovid_vdisk_resize(f->image[2], (2 << 20) + 512), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_resize(f->image[2], DISK), 0);
	memset(f->shadow + (2 << 20) + 512, 0, DISK - (2 << 20) - 512);
	expect_disk(f, 2);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_flush(f->image[2]), 0);
	KUNIT_ASSERT_EQ(test, reopen(f, 2, OVID_VDISK_VHDX, true), 0);
	expect_disk(f, 2);
	expect_sound(f, 2);
}

static void wrong_parent(struct kunit *test)
{
	struct fixture *f = test->priv;
	const char *why = NULL;

	make_chain(f);
	ovid_vdisk_abandon(f->image[2]);
	f->image[2] = NULL;
	KUNIT_ASSERT_EQ(test, ovid_vdisk_open(&memfile_ops, &f->file[2], OVID_VDISK_VHDX, true,
					      &f->image[2], &why), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_read(f->image[2], 0, f->buf, 512), -ENOLINK);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write(f->image[2], 0, f->buf, 512), -ENOLINK);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_set_parent(f->image[2], f->image[0], &why), -ESTALE);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_set_parent(f->image[2], f->image[2], &why), -ELOOP);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_set_parent(f->image[2], f->image[1], &why), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_set_parent(f->image[2], f->image[1], &why), -EINVAL);
	ovid_vdisk_abandon(f->image[2]);
	f->image[2] = NULL;
	/* someone writes to the parent: the child must not be used any more */
	KUNIT_ASSERT_EQ(test, reopen(f, 1, OVID_VDISK_VHDX, true), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_write(f->image[1], 0, f->buf, 512), 0);
	KUNIT_EXPECT_EQ(test, close(f, 1), 0);
	KUNIT_ASSERT_EQ(test, reopen(f, 1, OVID_VDISK_VHDX, false), 0);
	KUNIT_EXPECT_EQ(test, reopen(f, 2, OVID_VDISK_VHDX, true), -ESTALE);
}

/* ---- what goes wrong ---- */

/* each operation on the file fails once: what was flushed is there in any case */
static void errors(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i, at;
	int ret;

	for (i = 2; i < ARRAY_SIZE(shapes); i += 2)
		for (at = 0; at < 60; at++) {
			memfile_free(&f->file[0]);
			memfile_init(&f->file[0], at);
			memset(f->shadow, 0, DISK);
			make_open(f, 0, shapes[i].format, shapes[i].kind);
			put_to(f, 0, 4096, 1 << 20, 1);
			KUNIT_ASSERT_EQ(test, ovid_vdisk_flush(f->image[0]), 0);
			memset(f->buf, 2, 2 << 20);
			f->file[0].fail_in = at;
			ret = ovid_vdisk_write(f->image[0], 3 << 20, f->buf, 2 << 20);
			ret = ret ?: ovid_vdisk_discard(f->image[0], 6 << 20, 1 << 20, false);
			ret = ret ?: ovid_vdisk_flush(f->image[0]);
			f->file[0].fail_in = -1;
			/* it works on */
			KUNIT_EXPECT_EQ(test, ovid_vdisk_write(f->image[0], 3 << 20, f->buf, 2 << 20), 0);
			memset(f->shadow + (3 << 20), 2, 2 << 20);
			KUNIT_EXPECT_EQ(test, ovid_vdisk_flush(f->image[0]), 0);
			KUNIT_ASSERT_EQ(test, reopen(f, 0, shapes[i].format, true), 0);
			expect_disk(f, 0);
			expect_sound(f, 0);
		}
}

static void footer_lost(struct kunit *test)
{
	struct fixture *f = test->priv;

	make_open(f, 0, OVID_VDISK_VHD, OVID_VDISK_DYNAMIC);
	put_to(f, 0, 0, 4096, 9);
	KUNIT_EXPECT_EQ(test, close(f, 0), 0);
	f->file[0].size -= 512;
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHD, true), 0);
	KUNIT_EXPECT_TRUE(test, f->image[0]->info.replayed);
	expect_disk(f, 0);
	KUNIT_EXPECT_EQ(test, close(f, 0), 0);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHD, false), 0);
	KUNIT_EXPECT_FALSE(test, f->image[0]->info.replayed);
	expect_disk(f, 0);
}

/* a change of an image, at which it must not be opened, or say that it is damaged */
struct harm {
	u64 at;
	u32 len;
	u8 bytes[8];
	u64 sum_at;	/* of which the sum is made right; 0: none */
	u32 sum_len;
	int ret;
};

#define REGIONS	VHDX_REGIONS_AT(0), VHDX_REGIONS_LEN
#define META	(2 * OVID_MIB)

static const struct harm harms[] = {
	{ 0, 1, { 'x' }, 0, 0, -EINVAL },
	{ VHDX_HEADER_AT(1) + 66, 1, { 2 }, VHDX_HEADER_AT(1), 4096, -EOPNOTSUPP },
	{ VHDX_HEADER_AT(1) + 64, 1, { 1 }, VHDX_HEADER_AT(1), 4096, -EOPNOTSUPP },
	/* the log: no length, beyond the file, not aligned, too long */
	{ VHDX_HEADER_AT(1) + 68, 4, { 0 }, VHDX_HEADER_AT(1), 4096, -EUCLEAN },
	{ VHDX_HEADER_AT(1) + 68, 4, { 0, 0, 0, 0x80 }, VHDX_HEADER_AT(1), 4096, -EUCLEAN },
	{ VHDX_HEADER_AT(1) + 72, 8, { 0, 0, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff },
	  VHDX_HEADER_AT(1), 4096, -EUCLEAN },
	{ VHDX_HEADER_AT(1) + 73, 1, { 1 }, VHDX_HEADER_AT(1), 4096, -EUCLEAN },
	{ VHDX_HEADER_AT(1) + 72, 8, { 0 }, VHDX_HEADER_AT(1), 4096, -EUCLEAN },
	/* a log that is named and has nothing */
	{ VHDX_HEADER_AT(1) + 48, 1, { 1 }, VHDX_HEADER_AT(1), 4096, -EUCLEAN },
	/* regions: too many, in the header, beyond the file, over each other, twice, unknown */
	{ VHDX_REGIONS_AT(0) + 8, 4, { 0xff, 0xff, 0xff, 0xff }, REGIONS, -EUCLEAN },
	{ VHDX_REGIONS_AT(0) + 8, 4, { 0 }, REGIONS, -EUCLEAN },
	{ VHDX_REGIONS_AT(0) + 32, 8, { 0 }, REGIONS, -EUCLEAN },
	{ VHDX_REGIONS_AT(0) + 32, 8, { 0, 0, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff }, REGIONS, -EUCLEAN },
	{ VHDX_REGIONS_AT(0) + 32, 8, { 0, 0, 0x20 }, REGIONS, -EUCLEAN },
	{ VHDX_REGIONS_AT(0) + 32, 8, { 0, 0, 0x10 }, REGIONS, -EUCLEAN },
	{ VHDX_REGIONS_AT(0) + 40, 4, { 0 }, REGIONS, -EUCLEAN },
	{ VHDX_REGIONS_AT(0) + 40, 4, { 1 }, REGIONS, -EUCLEAN },
	{ VHDX_REGIONS_AT(0) + 16, 1, { 0 }, REGIONS, -EOPNOTSUPP },
	/* metadata: no table, too many, inside the table, beyond the region, over each other */
	{ META, 1, { 'x' }, 0, 0, -EUCLEAN },
	{ META + 10, 2, { 0xff, 0xff }, 0, 0, -EUCLEAN },
	{ META + 10, 2, { 4 }, 0, 0, -EUCLEAN },
	{ META + 48, 4, { 0, 0x10 }, 0, 0, -EUCLEAN },
	{ META + 48, 4, { 0xff, 0xff, 0xff, 0xff }, 0, 0, -EUCLEAN },
	{ META + 48, 4, { 0x10, 0, 1, 0 }, 0, 0, -EUCLEAN },
	{ META + 52, 4, { 0xff, 0xff, 0xff, 0xff }, 0, 0, -EUCLEAN },
	{ META + 52, 4, { 0 }, 0, 0, -EUCLEAN },
	{ META + 32, 1, { 0 }, 0, 0, -EOPNOTSUPP },
	/* parameters: block size 0, no power of 2, too large; unknown flags; a parent: which? */
	{ META + 0x10000, 4, { 0 }, 0, 0, -EUCLEAN },
	{ META + 0x10000, 4, { 0, 0, 0x30 }, 0, 0, -EUCLEAN },
	{ META + 0x10000, 4, { 0, 0, 0, 0x80 }, 0, 0, -EUCLEAN },
	{ META + 0x10004, 4, { 4 }, 0, 0, -EOPNOTSUPP },
	{ META + 0x10004, 4, { 2 }, 0, 0, -EUCLEAN },
	/* size: none, no sectors, above 64 TiB, more than the table has */
	{ META + 0x10008, 8, { 0 }, 0, 0, -EUCLEAN },
	{ META + 0x10008, 8, { 1 }, 0, 0, -EUCLEAN },
	{ META + 0x10008, 8, { 0, 0, 0, 0, 0, 0, 0, 0x80 }, 0, 0, -EUCLEAN },
	{ META + 0x10008, 8, { 0, 0, 0, 0, 0, 1 }, 0, 0, -EUCLEAN },
	{ META + 0x10020, 4, { 0, 4 }, 0, 0, -EUCLEAN },
	{ META + 0x10024, 4, { 0 }, 0, 0, -EUCLEAN },
};

static void do_harm(struct memfile *file, const struct harm *h)
{
	static u8 bytes[VHDX_REGIONS_LEN];

	memfile_write(file, h->at, h->bytes, h->len);
	if (!h->sum_len)
		return;
	memfile_read(file, h->sum_at, bytes, h->sum_len);
	ovid_vhdx_put_sum(bytes, h->sum_len);
	memfile_write(file, h->sum_at, bytes, h->sum_len);
}

static void hostile(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk *image;
	unsigned int i;

	make_open(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC);
	for (i = 0; i < ARRAY_SIZE(harms); i++) {
		struct memfile *over = &f->file[1];

		memfile_init(over, 1);
		over->base = &f->file[0];
		over->size = over->base->size;
		do_harm(over, &harms[i]);
		f->why = NULL;
		KUNIT_EXPECT_EQ_MSG(test, ovid_vdisk_open(&memfile_ops, over, OVID_VDISK_VHDX, true,
							  &image, &f->why), harms[i].ret, "harm %u", i);
		KUNIT_EXPECT_NOT_NULL(test, f->why);
		memfile_free(over);
	}
}

/* ---- logs made by hand, with numbers as the format has them ---- */

#define LOG_LEN_TEST	(1u << 20)

struct desc {
	u64 off;
	u64 zeros;	/* so many; 0: a page of @fill */
	u8 fill;
};

static void put_log(struct fixture *f, u32 pos, const u8 *entry, u32 len)
{
	u32 first = min(len, LOG_LEN_TEST - pos);

	memfile_write(&f->file[0], (1 << 20) + pos, entry, first);
	memfile_write(&f->file[0], 1 << 20, entry + first, len - first);
}

/* one descriptor; its page, if it has one, is the second sector */
static u32 log_entry(struct fixture *f, u32 pos, u32 tail, u64 sequence, u64 flushed,
		     const struct desc *d)
{
	static u8 entry[8192];
	u32 len = d->zeros ? 4096 : 8192;

	memset(entry, 0, sizeof(entry));
	memcpy(entry, "loge", 4);
	put_unaligned_le32(len, entry + 8);
	put_unaligned_le32(tail, entry + 12);
	put_unaligned_le64(sequence, entry + 16);
	put_unaligned_le32(1, entry + 24);
	memset(entry + 32, 0x5a, 16);
	put_unaligned_le64(flushed, entry + 48);
	put_unaligned_le64(6 << 20, entry + 56);
	memcpy(entry + 64, d->zeros ? "zero" : "desc", 4);
	put_unaligned_le64(d->off, entry + 80);
	put_unaligned_le64(sequence, entry + 88);
	if (d->zeros) {
		put_unaligned_le64(d->zeros, entry + 72);
	} else {
		memset(entry + 68, d->fill, 12);
		memcpy(entry + 4096, "data", 4);
		put_unaligned_le32(sequence >> 32, entry + 4100);
		memset(entry + 4104, d->fill, 4084);
		put_unaligned_le32((u32)sequence, entry + 8188);
	}
	ovid_vhdx_put_sum(entry, len);
	put_log(f, pos, entry, len);
	return (pos + len) % LOG_LEN_TEST;
}

/* a closed image whose first block is at 4 MiB and full of 0x33, and a header that names a log */
static void make_logged(struct fixture *f)
{
	static u8 header[4096];

	memfile_free(&f->file[0]);
	memfile_init(&f->file[0], 1);
	make_open(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC);
	put_to(f, 0, 0, 1 << 20, 0x33);
	KUNIT_ASSERT_EQ(f->test, close(f, 0), 0);
	memfile_read(&f->file[0], 64 << 10, header, sizeof(header));
	memset(header + 48, 0x5a, 16);
	put_unaligned_le64(1000, header + 8);
	ovid_vhdx_put_sum(header, sizeof(header));
	memfile_write(&f->file[0], 64 << 10, header, sizeof(header));
}

#define SECOND_LOG	((1ull << 32) + 7)	/* a number of more than 32 bits */

static void logs(struct kunit *test)
{
	const struct desc page = { .off = 4 << 20, .fill = 0x44 }, newer = { .off = 4 << 20, .fill = 0x55 };
	const struct desc zeros = { .off = (4 << 20) + 8192, .zeros = 16384 };
	const struct desc far = { .off = 64 << 20, .fill = 0x66 };
	struct fixture *f = test->priv;
	u32 tail = LOG_LEN_TEST - 4096, pos;

	/* three entries, the first one wraps; an older one is no part of them */
	make_logged(f);
	log_entry(f, 65536, 65536, SECOND_LOG - 5, 5 << 20, &far);
	pos = log_entry(f, tail, tail, SECOND_LOG, 5 << 20, &page);
	KUNIT_EXPECT_EQ(test, pos, 4096u);
	pos = log_entry(f, pos, tail, SECOND_LOG + 1, 5 << 20, &zeros);
	log_entry(f, pos, tail, SECOND_LOG + 2, 5 << 20, &newer);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
	memset(f->shadow, 0x55, 4096);
	memset(f->shadow + 8192, 0, 16384);
	expect_disk(f, 0);
	KUNIT_EXPECT_EQ(test, f->file[0].size, 6 << 20);

	/* the newest is torn: those before it count */
	make_logged(f);
	pos = log_entry(f, 0, 0, 1, 5 << 20, &page);
	log_entry(f, pos, 0, 2, 5 << 20, &newer);
	memfile_write(&f->file[0], (1 << 20) + pos + 5000, "x", 1);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
	memset(f->shadow, 0x44, 4096);
	expect_disk(f, 0);

	/* the tail says that what is before it is done with */
	make_logged(f);
	pos = log_entry(f, 0, 0, 1, 5 << 20, &zeros);
	log_entry(f, pos, pos, 2, 5 << 20, &page);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
	memset(f->shadow, 0x44, 4096);
	expect_disk(f, 0);
}

static void bad_logs(struct kunit *test)
{
	static const struct {
		u32 tail;
		u64 sequence, size;
		struct desc d;
	} bad[] = {
		/* no such tail; no number; the file was longer; not on pages */
		{ 4096, 1, 5 << 20, { .off = 4 << 20, .fill = 1 } },
		{ LOG_LEN_TEST, 1, 5 << 20, { .off = 4 << 20, .fill = 1 } },
		{ 0, 0, 5 << 20, { .off = 4 << 20, .fill = 1 } },
		{ 0, 1, 7 << 20, { .off = 4 << 20, .fill = 1 } },
		{ 0, 1, 5 << 20, { .off = (4 << 20) + 512, .fill = 1 } },
		{ 0, 1, 5 << 20, { .off = 4 << 20, .zeros = 512 } },
		/* a header, the log itself, where no file reaches */
		{ 0, 1, 5 << 20, { .off = 65536, .fill = 1 } },
		{ 0, 1, 5 << 20, { .off = (1 << 20) + 65536, .fill = 1 } },
		{ 0, 1, 5 << 20, { .off = 0, .zeros = 4 << 20 } },
		{ 0, 1, 5 << 20, { .off = 4 << 20, .zeros = 1ull << 62 } },
		{ 0, 1, 5 << 20, { .off = 0xfffffffffffff000ull, .fill = 1 } },
		{ 0, 1, 5 << 20, { .off = 0xfffffffffffff000ull, .zeros = 8192 } },
	};
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		make_logged(f);
		log_entry(f, 0, bad[i].tail, bad[i].sequence, bad[i].size, &bad[i].d);
		KUNIT_EXPECT_EQ_MSG(test, reopen(f, 0, OVID_VDISK_VHDX, true), -EUCLEAN, "log %u", i);
	}
}

/* entries of the table that cannot be: they are found, and nothing is read or written there */
static void bad_blocks(struct kunit *test)
{
	static const u64 bad[] = {
		0x300006, 0x6, 0x100006, 0x200006, 0x4, 0x5, 0x400007, 0xfffffffffff00006ull, 0x10000000006ull,
	};
	struct fixture *f = test->priv;
	struct ovid_vdisk_check check;
	unsigned int i;
	u8 entry[8];

	make_open(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC);
	put_to(f, 0, 0, 2 << 20, 1);
	KUNIT_EXPECT_EQ(test, close(f, 0), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		put_unaligned_le64(bad[i], entry);
		memfile_write(&f->file[0], (3 << 20) + 8, entry, 8);
		KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_read(f->image[0], 1 << 20, f->buf, 512), -EUCLEAN);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_write(f->image[0], 1 << 20, f->buf, 512), -EUCLEAN);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_check(f->image[0], &check), 0);
		KUNIT_EXPECT_EQ(test, check.damaged, 1);
		KUNIT_EXPECT_EQ(test, check.first, 1);
		close(f, 0);
	}
	/* two blocks in the same space: only a check sees that */
	put_unaligned_le64(0x400006, entry);
	memfile_write(&f->file[0], (3 << 20) + 8, entry, 8);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, false), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_check(f->image[0], &check), 0);
	KUNIT_EXPECT_EQ(test, check.damaged, 1);
	KUNIT_EXPECT_EQ(test, check.leaked, 1 << 20);
}

/* one of each pair is enough, and a write makes the headers good again */
static void copies(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk_check check;

	make_open(f, 0, OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC);
	put_to(f, 0, 0, 512, 1);
	KUNIT_EXPECT_EQ(test, close(f, 0), 0);
	memfile_write(&f->file[0], VHDX_HEADER_AT(0) + 100, "x", 1);
	memfile_write(&f->file[0], VHDX_REGIONS_AT(0) + 100, "x", 1);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, true), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_check(f->image[0], &check), 0);
	KUNIT_EXPECT_EQ(test, check.notes, OVID_CHECK_HEADER | OVID_CHECK_REGIONS);
	put_to(f, 0, 0, 512, 2);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_resize(f->image[0], 300ull << 30), 0);
	KUNIT_EXPECT_EQ(test, close(f, 0), 0);
	KUNIT_ASSERT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, false), 0);
	expect_sound(f, 0);
	expect_disk(f, 0);
	ovid_vdisk_abandon(f->image[0]);
	f->image[0] = NULL;
	memfile_write(&f->file[0], VHDX_REGIONS_AT(0) + 100, "x", 1);
	memfile_write(&f->file[0], VHDX_REGIONS_AT(1) + 100, "x", 1);
	KUNIT_EXPECT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, false), -EUCLEAN);
	memfile_write(&f->file[0], VHDX_HEADER_AT(0) + 100, "x", 1);
	memfile_write(&f->file[0], VHDX_HEADER_AT(1) + 100, "x", 1);
	KUNIT_EXPECT_EQ(test, reopen(f, 0, OVID_VDISK_VHDX, false), -EUCLEAN);
}

static struct kunit_case vdisk_cases[] = {
	KUNIT_CASE(sums),
	KUNIT_CASE(text),
	KUNIT_CASE(every_shape),
	KUNIT_CASE(sizes),
	KUNIT_CASE(refused),
	KUNIT_CASE(order),
	KUNIT_CASE(in_place),
	KUNIT_CASE(at_once),
	KUNIT_CASE(room),
	KUNIT_CASE(discards),
	KUNIT_CASE(late_write),
	KUNIT_CASE(resizes),
	KUNIT_CASE(chain),
	KUNIT_CASE(hides),
	KUNIT_CASE(wrong_parent),
	KUNIT_CASE(errors),
	KUNIT_CASE(footer_lost),
	KUNIT_CASE(hostile),
	KUNIT_CASE(logs),
	KUNIT_CASE(bad_logs),
	KUNIT_CASE(bad_blocks),
	KUNIT_CASE(copies),
	{}
};

static struct kunit_suite vdisk_suite = {
	.name = "vdisk",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = vdisk_cases,
};

kunit_test_suite(vdisk_suite);

MODULE_DESCRIPTION("Cases for disk images");
MODULE_LICENSE("GPL");
