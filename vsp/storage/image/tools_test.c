// SPDX-License-Identifier: GPL-2.0-only
/*
 * tools_test.c - merge, rebase, compact: what they are refused, and what they leave alone.  That
 * nothing is lost on the way is selftests/unit/powercut_tools.c's.
 */
#include <kunit/test.h>
#include "memfile.h"
#include "vhdx.h"

#define DISK	(6u << 20)
#define FILES	4

struct fixture {
	struct kunit *test;
	struct memfile file[FILES];
	struct ovid_vdisk *image[FILES];
	const char *why;
	u8 *want, *buf;
};

static int tools_init(struct kunit *test)
{
	struct fixture *f = kvzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	test->priv = f;
	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	f->want = kvzalloc(DISK, GFP_KERNEL_ACCOUNT);
	f->buf = kvzalloc(DISK, GFP_KERNEL_ACCOUNT);
	KUNIT_ASSERT_TRUE(test, f->want && f->buf);
	for (i = 0; i < FILES; i++)
		memfile_init(&f->file[i], 100 + i);
	return 0;
}

static void tools_exit(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 0; i < FILES; i++) {
		ovid_vdisk_abandon(f->image[i]);
		memfile_free(&f->file[i]);
	}
	kvfree(f->want);
	kvfree(f->buf);
	kvfree(f);
}

/* @parent: a number, or -1 */
static int open_one(struct fixture *f, int n, int parent, bool writable)
{
	enum ovid_vdisk_format format;
	int ret;

	ovid_vdisk_abandon(f->image[n]);
	f->image[n] = NULL;
	ret = ovid_vdisk_probe(&memfile_ops, &f->file[n], &format);
	ret = ret ?: ovid_vdisk_open(&memfile_ops, &f->file[n], format, writable, &f->image[n], &f->why);
	return ret || parent < 0 ? ret : ovid_vdisk_set_parent(f->image[n], f->image[parent], &f->why);
}

static int close_one(struct fixture *f, int n)
{
	int ret = ovid_vdisk_close(f->image[n]);

	f->image[n] = NULL;
	return ret;
}

static void make(struct fixture *f, int n, int parent, const struct ovid_vdisk_params *more)
{
	struct ovid_vdisk_params params = *more;

	params.size = params.size ?: DISK;
	params.block_size = params.block_size ?: 1 << 20;
	if (parent >= 0) {
		params.kind = OVID_VDISK_DIFFERENCING;
		params.parent = f->image[parent];
		params.relative_path = params.relative_path ?: "base.vhdx";
	}
	memfile_free(&f->file[n]);
	memfile_init(&f->file[n], 100 + n);
	KUNIT_ASSERT_EQ(f->test, ovid_vdisk_create(&memfile_ops, &f->file[n], &params, &f->why), 0);
	KUNIT_ASSERT_EQ(f->test, open_one(f, n, parent, true), 0);
}

static const struct ovid_vdisk_params dynamic = {
	.format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC,
};

static void put(struct fixture *f, int n, u32 off, u32 len, u8 value)
{
	memset(f->buf, value, len);
	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_write(f->image[n], off, f->buf, len), 0);
}

static void expect_byte(struct fixture *f, int n, u32 off, u8 value)
{
	u8 sector[512];

	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_read(f->image[n], off, sector, sizeof(sector)), 0);
	KUNIT_EXPECT_EQ(f->test, sector[0], value);
	KUNIT_EXPECT_EQ(f->test, sector[511], value);
}

static void remember(struct fixture *f, int n)
{
	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_read(f->image[n], 0, f->want, DISK), 0);
}

static void expect_same(struct fixture *f, int n)
{
	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_read(f->image[n], 0, f->buf, DISK), 0);
	KUNIT_EXPECT_MEMEQ(f->test, f->buf, f->want, DISK);
}

/* ---- what an image says of its parent ---- */

static void text_is(struct fixture *f, int n, const char *key, const char *want)
{
	static char text[8192];

	KUNIT_EXPECT_EQ(f->test, ovid_vdisk_locator(f->image[n], key, text, sizeof(text)), 0);
	KUNIT_EXPECT_STREQ(f->test, text, want);
}

static void links(struct kunit *test)
{
	static const u8 id[16] = { 1, 2, 3 };
	static char longer[4096], text[64];
	struct fixture *f = test->priv;
	struct ovid_vdisk_link link = { .id = id };
	struct ovid_vdisk_info base, before, after;

	make(f, 0, -1, &dynamic);
	put(f, 0, 0, DISK, 7);
	KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, false), 0);
	make(f, 1, 0, &dynamic);
	put(f, 1, 512, 512, 9);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 1, 0, true), 0);
	ovid_vdisk_info(f->image[1], &before);
	ovid_vdisk_info(f->image[0], &base);

	/* two ids, the second one is that of the parent; the paths stay */
	link.id2 = base.write_id;
	KUNIT_EXPECT_EQ(test, ovid_vdisk_relink(f->image[1], &link, &f->why), 0);
	text_is(f, 1, "parent_linkage", "{00030201-0000-0000-0000-000000000000}");
	text_is(f, 1, "relative_path", ".\\base.vhdx");
	KUNIT_EXPECT_EQ(test, open_one(f, 1, 0, true), 0);

	/* a path that is longer than what was there: behind the other items */
	memset(longer, 'x', sizeof(longer) - 1);
	link.id = base.write_id;
	link.id2 = NULL;
	link.relative_path = longer;
	KUNIT_EXPECT_EQ(test, ovid_vdisk_relink(f->image[1], &link, &f->why), 0);
	link.relative_path = "../a/b.vhdx";
	link.absolute_path = "C:\\a\\b.vhdx";
	KUNIT_EXPECT_EQ(test, ovid_vdisk_relink(f->image[1], &link, &f->why), 0);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 1, 0, false), 0);
	text_is(f, 1, "relative_path", "..\\a\\b.vhdx");
	text_is(f, 1, "absolute_win32_path", "C:\\a\\b.vhdx");
	KUNIT_EXPECT_EQ(test, ovid_vdisk_locator(f->image[1], "parent_linkage2", text, 64), -ENOENT);
	/* it is what it was, for its own children too */
	ovid_vdisk_info(f->image[1], &after);
	KUNIT_EXPECT_MEMEQ(test, before.write_id, after.write_id, 16);
	expect_byte(f, 1, 0, 7);
	expect_byte(f, 1, 512, 9);

	KUNIT_EXPECT_EQ(test, ovid_vdisk_relink(f->image[1], &link, &f->why), -EROFS);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_relink(f->image[0], &link, &f->why), -EINVAL);
	KUNIT_ASSERT_EQ(test, open_one(f, 1, 0, true), 0);
	link.relative_path = "\xff";
	KUNIT_EXPECT_EQ(test, ovid_vdisk_relink(f->image[1], &link, &f->why), -ENAMETOOLONG);
	text_is(f, 1, "relative_path", "..\\a\\b.vhdx");
}

/* items of the metadata around the locator, which others have put there, are not written over */
static void crowded(struct kunit *test)
{
	static const u8 mark[16] = { 0xaa };
	static char longer[2000];
	struct fixture *f = test->priv;
	struct ovid_vdisk_link link = { .relative_path = longer };
	struct ovid_vdisk_info base;
	u8 entry[32] = { 0x77 }, count[2] = { 7 }, is[16];

	make(f, 0, -1, &dynamic);
	make(f, 1, 0, &dynamic);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	/* a user's item, behind the locator */
	put_unaligned_le32(0x10000 + 1024, entry + VHDX_META_OFF);
	put_unaligned_le32(16, entry + VHDX_META_LEN);
	put_unaligned_le32(VHDX_META_USER, entry + VHDX_META_FLAGS);
	memfile_write(&f->file[1], (2 << 20) + VHDX_META(6), entry, 32);
	memfile_write(&f->file[1], (2 << 20) + VHDX_META_COUNT, count, 2);
	memfile_write(&f->file[1], (2 << 20) + 0x10000 + 1024, mark, 16);
	KUNIT_ASSERT_EQ(test, open_one(f, 1, 0, true), 0);
	memset(longer, 'y', sizeof(longer) - 1);
	ovid_vdisk_info(f->image[0], &base);
	link.id = base.write_id;
	KUNIT_EXPECT_EQ(test, ovid_vdisk_relink(f->image[1], &link, &f->why), 0);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	memfile_read(&f->file[1], (2 << 20) + 0x10000 + 1024, is, 16);
	KUNIT_EXPECT_MEMEQ(test, is, mark, 16);
	KUNIT_EXPECT_EQ(test, open_one(f, 1, 0, true), 0);

	/* it takes all that there is behind: the link stays as it was */
	put_unaligned_le32((1 << 20) - 0x10000 - 1024, entry + VHDX_META_LEN);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	make(f, 1, 0, &dynamic);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	memfile_write(&f->file[1], (2 << 20) + VHDX_META(6), entry, 32);
	memfile_write(&f->file[1], (2 << 20) + VHDX_META_COUNT, count, 2);
	KUNIT_ASSERT_EQ(test, open_one(f, 1, 0, true), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_relink(f->image[1], &link, &f->why), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 1, 0, true), 0);
	text_is(f, 1, "relative_path", ".\\base.vhdx");
}

/* ---- compact ---- */

static int stop_at(void *arg, u64 done, u64 all)
{
	unsigned int *left = arg;

	return done <= all && (*left)-- ? 0 : -ECANCELED;
}

static void compacts(struct kunit *test)
{
	static const struct ovid_vdisk_params shapes[] = {
		{ .format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC },
		{ .format = OVID_VDISK_VHD, .kind = OVID_VDISK_DYNAMIC },
		{ .format = OVID_VDISK_VHD, .kind = OVID_VDISK_DYNAMIC, .block_size = 64 << 10 },
	};
	struct fixture *f = test->priv;
	unsigned int i, left;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct ovid_vdisk_watch watch = { stop_at, &left };
		struct ovid_vdisk_check check;
		u64 was;

		make(f, 0, -1, &shapes[i]);
		put(f, 0, 0, DISK, 5);
		put(f, 0, 4 << 20, 4096, 6);
		put(f, 0, 0, 2 << 20, 0);
		put(f, 0, 3 << 20, 1 << 20, 0);
		remember(f, 0);
		was = f->file[0].size;
		for (left = 0; left < 3; left++) {
			unsigned int stops = left;

			watch.arg = &stops;
			KUNIT_EXPECT_EQ(test, ovid_vdisk_compact(f->image[0], &watch, &f->why), -ECANCELED);
			expect_same(f, 0);
		}
		KUNIT_EXPECT_EQ(test, ovid_vdisk_compact(f->image[0], NULL, &f->why), 0);
		expect_same(f, 0);
		/* three MiB of six have gone, and it goes on as if nothing had been */
		KUNIT_EXPECT_LE(test, f->file[0].size, was - (3 << 20));
		put(f, 0, 0, 4096, 8);
		KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);
		KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, true), 0);
		memset(f->want, 8, 4096);
		expect_same(f, 0);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_check(f->image[0], &check), 0);
		KUNIT_EXPECT_EQ(test, check.damaged, 0);
		KUNIT_EXPECT_EQ(test, check.leaked, 0);
		/* there is nothing more to be had */
		was = f->file[0].size;
		KUNIT_EXPECT_EQ(test, ovid_vdisk_compact(f->image[0], NULL, &f->why), 0);
		KUNIT_EXPECT_EQ(test, f->file[0].size, was);
	}
}

/* a parent may be compacted: nothing of its disk has changed */
static void compact_parent(struct kunit *test)
{
	struct fixture *f = test->priv;

	make(f, 0, -1, &dynamic);
	put(f, 0, 0, DISK, 0);
	put(f, 0, 5 << 20, 1 << 20, 3);
	KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, true), 0);
	make(f, 1, 0, &dynamic);
	put(f, 1, 512, 512, 9);
	put(f, 1, 5 << 20, 1 << 20, 0);
	remember(f, 1);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_compact(f->image[0], NULL, &f->why), 0);
	KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);
	KUNIT_EXPECT_EQ(test, f->file[0].size, 5 << 20);
	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, false), 0);

	/* a child can be, without it; zeros that hide something stay, and a bitmap too */
	KUNIT_ASSERT_EQ(test, open_one(f, 1, -1, true), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_compact(f->image[1], NULL, &f->why), 0);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	KUNIT_EXPECT_EQ(test, f->file[1].size, 6 << 20);
	KUNIT_ASSERT_EQ(test, open_one(f, 1, 0, true), 0);
	expect_same(f, 1);
}

/* what others leave in a file: space that an entry without data names, a region of theirs */
static void compact_theirs(struct kunit *test)
{
	static u8 table[VHDX_REGIONS_LEN];
	struct fixture *f = test->priv;
	u8 *region = table + VHDX_REGION(2), entry[8], mark;

	make(f, 0, -1, &dynamic);
	put(f, 0, 0, DISK, 5);
	KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);
	/* blocks 0 and 1 are unmapped, but have their space; block 2's is a region now */
	put_unaligned_le64(4 << 20 | VHDX_BLOCK_UNMAPPED, entry);
	memfile_write(&f->file[0], 3 << 20, entry, 8);
	put_unaligned_le64(5 << 20 | VHDX_BLOCK_UNDEFINED, entry);
	memfile_write(&f->file[0], (3 << 20) + 8, entry, 8);
	put_unaligned_le64(0, entry);
	memfile_write(&f->file[0], (3 << 20) + 16, entry, 8);
	memfile_read(&f->file[0], VHDX_REGIONS_AT(0), table, sizeof(table));
	region[0] = 0x55;
	put_unaligned_le64(6 << 20, region + VHDX_REGION_OFF);
	put_unaligned_le32(1 << 20, region + VHDX_REGION_LEN);
	put_unaligned_le32(3, table + VHDX_REGIONS_COUNT);
	ovid_vhdx_put_sum(table, sizeof(table));
	memfile_write(&f->file[0], VHDX_REGIONS_AT(0), table, sizeof(table));

	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, true), 0);
	remember(f, 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_compact(f->image[0], NULL, &f->why), 0);
	expect_same(f, 0);
	KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);
	KUNIT_EXPECT_EQ(test, f->file[0].size, 8 << 20);
	memfile_read(&f->file[0], 3 << 20, entry, 8);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(entry), VHDX_BLOCK_UNMAPPED);
	memfile_read(&f->file[0], 6 << 20, &mark, 1);
	KUNIT_EXPECT_EQ(test, mark, 5);
}

static void compact_refused(struct kunit *test)
{
	static const struct ovid_vdisk_params fixed[] = {
		{ .format = OVID_VDISK_VHDX, .kind = OVID_VDISK_FIXED },
		{ .format = OVID_VDISK_VHD, .kind = OVID_VDISK_FIXED },
		{ .format = OVID_VDISK_RAW, .kind = OVID_VDISK_FIXED },
	};
	struct fixture *f = test->priv;
	unsigned int i;
	u8 entry[8];

	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		make(f, 0, -1, &fixed[i]);
		KUNIT_EXPECT_EQ(test, ovid_vdisk_compact(f->image[0], NULL, &f->why), -EINVAL);
	}
	make(f, 0, -1, &dynamic);
	put(f, 0, 0, 2 << 20, 1);
	KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, false), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_compact(f->image[0], NULL, &f->why), -EROFS);
	/* two blocks in one place */
	put_unaligned_le64(4 << 20 | VHDX_BLOCK_FULL, entry);
	memfile_write(&f->file[0], (3 << 20) + 8, entry, 8);
	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, true), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_compact(f->image[0], NULL, &f->why), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, f->file[0].size, 6 << 20);
}

/* ---- merge, rebase ---- */

static void merges(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ovid_vdisk_info info;

	make(f, 0, -1, &dynamic);
	put(f, 0, 0, DISK, 7);
	KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, false), 0);
	make(f, 1, 0, &dynamic);
	make(f, 2, 0, &dynamic);
	put(f, 1, 512, 512, 9);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_discard(f->image[1], 1 << 20, 1 << 20, false), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_resize(f->image[1], DISK + 4096), 0);
	remember(f, 1);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	KUNIT_EXPECT_EQ(test, close_one(f, 2), 0);

	KUNIT_ASSERT_EQ(test, open_one(f, 1, 0, true), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_merge(f->image[1], NULL, &f->why), -EROFS);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_merge(f->image[0], NULL, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, true), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 1, 0, true), 0);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_merge(f->image[1], NULL, &f->why), 0);
	expect_same(f, 1);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);

	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, false), 0);
	expect_same(f, 0);
	ovid_vdisk_info(f->image[0], &info);
	KUNIT_EXPECT_EQ(test, info.size, DISK + 4096);
	KUNIT_EXPECT_EQ(test, open_one(f, 1, 0, false), 0);
	expect_same(f, 1);
	/* its other child has lost what it was based on, and is told */
	KUNIT_EXPECT_EQ(test, open_one(f, 2, 0, false), -ESTALE);
}

static void rebases(struct kunit *test)
{
	struct ovid_vdisk_link link = { .relative_path = "other.vhdx" };
	struct ovid_vdisk_params sectors = dynamic;
	struct fixture *f = test->priv;
	struct ovid_vdisk_check check;

	make(f, 0, -1, &dynamic);
	put(f, 0, 0, 3 << 20, 7);
	make(f, 1, -1, &dynamic);
	put(f, 1, 0, 2 << 20, 7);
	put(f, 1, 4 << 20, 512, 8);
	sectors.logical_sector = 4096;
	make(f, 3, -1, &sectors);
	KUNIT_EXPECT_EQ(test, close_one(f, 0), 0);
	KUNIT_EXPECT_EQ(test, close_one(f, 1), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 0, -1, false), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 1, -1, false), 0);
	make(f, 2, 0, &dynamic);
	put(f, 2, 1024, 512, 9);
	KUNIT_EXPECT_EQ(test, close_one(f, 2), 0);
	KUNIT_ASSERT_EQ(test, open_one(f, 2, 0, true), 0);
	remember(f, 2);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_rebase(f->image[2], f->image[3], &link, NULL, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_rebase(f->image[1], f->image[0], &link, NULL, &f->why), -EINVAL);
	KUNIT_EXPECT_EQ(test, ovid_vdisk_rebase(f->image[2], f->image[1], &link, NULL, &f->why), 0);
	KUNIT_EXPECT_EQ(test, close_one(f, 2), 0);
	KUNIT_EXPECT_EQ(test, open_one(f, 2, 0, true), -ESTALE);
	KUNIT_ASSERT_EQ(test, open_one(f, 2, 1, true), 0);
	expect_same(f, 2);
	text_is(f, 2, "relative_path", ".\\other.vhdx");
	/* what the two have in common has no space: one sector that it had, one MiB, some zeros */
	KUNIT_EXPECT_EQ(test, ovid_vdisk_check(f->image[2], &check), 0);
	KUNIT_EXPECT_EQ(test, check.damaged, 0);
	KUNIT_EXPECT_LE(test, check.allocated, 3);
}

static struct kunit_case tools_cases[] = {
	KUNIT_CASE(links),
	KUNIT_CASE(crowded),
	KUNIT_CASE(compacts),
	KUNIT_CASE(compact_parent),
	KUNIT_CASE(compact_theirs),
	KUNIT_CASE(compact_refused),
	KUNIT_CASE(merges),
	KUNIT_CASE(rebases),
	{}
};

static struct kunit_suite tools_suite = {
	.name = "vdisk_tools",
	.init = tools_init,
	.exit = tools_exit,
	.test_cases = tools_cases,
};

kunit_test_suite(tools_suite);
