// SPDX-License-Identifier: GPL-2.0-only
/*
 * The power goes while images are merged, rebased or compacted: see powercut.h.  Behind each
 * operation on any of a chain's files all of them have to open, have to be sound, and the disk has to
 * read as before; and what was begun has to succeed when it is done again.
 */
#include "powercut.h"

#define FILES		4
#define BLOCKS		6
#define MAX_DISK	(BLOCKS << 20)
#define TRIES		3
#define AGAIN		7	/* every so many cuts it is done again */

enum tool {
	MERGE,
	REBASE,
	COMPACT,
};

/**
 * struct scene - a chain, and what is done to it
 * @name: of it
 * @format: of all
 * @tool: what is done to the top
 * @block_size: of all
 * @files: number 0 is the base, each one is the parent of the next; the last is the top
 * @other: a file that is not of the chain, the new parent, is on number 0 too
 * @size: of each in blocks, at the end
 * @table: the top's table of blocks has moved
 */
struct scene {
	const char *name;
	enum ovid_vdisk_format format;
	enum tool tool;
	u32 block_size;
	unsigned int files;
	bool other;
	unsigned int size[FILES];
	bool table;
};

static const struct scene scenes[] = {
	{ "merge, two", OVID_VDISK_VHDX, MERGE, 1 << 20, 2, false, { 4, 4 } },
	{ "merge, three", OVID_VDISK_VHDX, MERGE, 1 << 20, 3, false, { 4, 4, 4 } },
	{ "merge, longer child", OVID_VDISK_VHDX, MERGE, 1 << 20, 3, false, { 4, 2, 4 } },
	{ "merge, shorter child", OVID_VDISK_VHDX, MERGE, 1 << 20, 2, false, { 4, 3 } },
	{ "rebase", OVID_VDISK_VHDX, REBASE, 1 << 20, 3, true, { 4, 4, 4, 4 } },
	{ "rebase, other sizes", OVID_VDISK_VHDX, REBASE, 1 << 20, 3, true, { 3, 2, 4, 3 } },
	{ "compact VHDX", OVID_VDISK_VHDX, COMPACT, 1 << 20, 1, false, { 6 } },
	{ "compact VHDX, its table too", OVID_VDISK_VHDX, COMPACT, 1 << 20, 1, false, { 6 }, true },
	{ "compact differencing VHDX", OVID_VDISK_VHDX, COMPACT, 1 << 20, 2, false, { 6, 6 } },
	{ "compact VHD", OVID_VDISK_VHD, COMPACT, 64 << 10, 1, false, { 60 } },
	{ "compact VHD, its table too", OVID_VDISK_VHD, COMPACT, 1 << 20, 1, false, { 6 }, true },
};

/* files, and those of them that are open */
struct chain {
	struct memfile file[FILES];
	struct ovid_vdisk *image[FILES];
};

struct run {
	const struct scene *scene;
	struct tape tape;
	struct recorder recorder[FILES];
	struct chain chain;
	u64 size;		/* of the disk */
	u8 *want, *buf;		/* MAX_DISK */
	unsigned int cuts, again;
};

static unsigned int top_of(const struct run *r)
{
	return r->scene->files - 1;
}

static unsigned int all_files(const struct run *r)
{
	return r->scene->files + r->scene->other;
}

/* ---- chains ---- */

static void path_of(unsigned int n, char *path)
{
	sprintf(path, "disk%u", n);
}

static int open_chain(const struct run *r, struct chain *c, unsigned int n, unsigned int writable,
		      const char **why);

/* where its locator says */
static int open_its_parent(const struct run *r, struct chain *c, unsigned int n, unsigned int writable,
			   const char **why)
{
	char path[64];
	unsigned int parent;
	int ret = ovid_vdisk_locator(c->image[n], "relative_path", path, sizeof(path));

	if (ret)
		return ret;
	if (sscanf(path, ".\\disk%u", &parent) != 1 || parent >= FILES)
		return -ENOENT;
	ret = c->image[parent] ? 0 : open_chain(r, c, parent, writable, why);
	return ret ?: ovid_vdisk_set_parent(c->image[n], c->image[parent], why);
}

static int open_chain(const struct run *r, struct chain *c, unsigned int n, unsigned int writable,
		      const char **why)
{
	struct ovid_vdisk_info info;
	int ret = ovid_vdisk_open(&memfile_ops, &c->file[n], r->scene->format, writable >> n & 1,
				  &c->image[n], why);

	if (ret) {
		c->image[n] = NULL;
		return ret;
	}
	ovid_vdisk_info(c->image[n], &info);
	return info.kind == OVID_VDISK_DIFFERENCING ? open_its_parent(r, c, n, writable, why) : 0;
}

static int end_chain(struct chain *c, bool close)
{
	int ret = 0;

	for (unsigned int i = FILES; i-- > 0;) {
		if (close)
			ret = ovid_vdisk_close(c->image[i]) ?: ret;
		else
			ovid_vdisk_abandon(c->image[i]);
		c->image[i] = NULL;
	}
	return ret;
}

/* ---- what is done ---- */

static int do_rebase(struct run *r, struct chain *c, const char **why)
{
	unsigned int to = r->scene->files;
	char path[64];
	struct ovid_vdisk_link link = { .relative_path = path };
	int ret = c->image[to] ? 0 : open_chain(r, c, to, 0, why);

	path_of(to, path);
	return ret ?: ovid_vdisk_rebase(c->image[top_of(r)], c->image[to], &link, NULL, why);
}

static int do_tool(struct run *r, struct chain *c, const char **why)
{
	unsigned int top = top_of(r);
	unsigned int writable = r->scene->tool == MERGE ? 3u << (top - 1) : 1u << top;
	int ret = open_chain(r, c, top, writable, why);

	if (!ret && r->scene->tool == MERGE)
		ret = ovid_vdisk_merge(c->image[top], NULL, why);
	else if (!ret && r->scene->tool == REBASE)
		ret = do_rebase(r, c, why);
	else if (!ret)
		ret = ovid_vdisk_compact(c->image[top], NULL, why);
	return end_chain(c, true) ?: ret;
}

/* ---- the beginning ---- */

static void some_writes(struct run *r, unsigned int n)
{
	u32 size = r->scene->size[n] * r->scene->block_size, i;
	struct tape *t = &r->tape;

	for (i = 0; i < 12; i++) {
		u32 off = rnd(t, size / SECTOR) * SECTOR, len = (1 + rnd(t, 600)) * SECTOR;

		len = min(len, size - off);
		memset(r->buf, rnd(t, 4) ? 1 + rnd(t, 255) : 0, len);
		if (rnd(t, 4))
			MUST(t, ovid_vdisk_write(r->chain.image[n], off, r->buf, len));
		else
			MUST(t, ovid_vdisk_zero(r->chain.image[n], off, len));
		if (!rnd(t, 3))
			MUST(t, ovid_vdisk_flush(r->chain.image[n]));
	}
}

/* from its last block on, so that there is something to be moved; then some that are given up, or zeros */
static void fill_blocks(struct run *r, unsigned int n)
{
	u32 blocks = r->scene->size[n], size = r->scene->block_size, i;
	struct ovid_vdisk *image = r->chain.image[n];
	struct tape *t = &r->tape;

	for (i = blocks; i-- > 0;) {
		memset(r->buf, i + 1, size);
		MUST(t, ovid_vdisk_write(image, i * size, r->buf, size));
	}
	MUST(t, ovid_vdisk_flush(image));
	memset(r->buf, 0, size);
	MUST(t, ovid_vdisk_write(image, (blocks - 2) * size, r->buf, size));
	if (r->scene->table) {
		MUST(t, ovid_vdisk_resize(image, r->scene->format == OVID_VDISK_VHD ? 1ull << 40 : 1ull << 38));
		MUST(t, ovid_vdisk_write(image, (blocks + 1) * size, r->buf, size));
	}
	MUST(t, ovid_vdisk_zero(image, (blocks - 1) * size, size));
	if (blocks > 4)
		MUST(t, ovid_vdisk_zero(image, 2 * size, size));
}

static void make_image(struct run *r, unsigned int n)
{
	bool child = n && r->scene->format == OVID_VDISK_VHDX;
	unsigned int parent = n == r->scene->files ? 0 : n - 1;
	char path[64];
	struct ovid_vdisk_params params = {
		.format = r->scene->format, .block_size = r->scene->block_size,
		.kind = child ? OVID_VDISK_DIFFERENCING : OVID_VDISK_DYNAMIC,
		.size = (u64)r->scene->size[n] * r->scene->block_size, .relative_path = path,
	};
	struct chain *c = &r->chain;
	const char *why = "";

	if (child) {
		MUST(&r->tape, open_chain(r, c, parent, 0, &why));
		path_of(parent, path);
		params.parent = c->image[parent];
	}
	memfile_init(&c->file[n], n + 1);
	MUST(&r->tape, ovid_vdisk_create(&memfile_ops, &c->file[n], &params, &why));
	MUST(&r->tape, ovid_vdisk_open(&memfile_ops, &c->file[n], params.format, true, &c->image[n], &why));
	if (child)
		MUST(&r->tape, ovid_vdisk_set_parent(c->image[n], c->image[parent], &why));
	if (r->scene->tool == COMPACT && n == top_of(r))
		fill_blocks(r, n);
	some_writes(r, n);
	MUST(&r->tape, end_chain(c, true));
}

/* ---- what is left ---- */

static void check_image(const struct run *r, struct ovid_vdisk *image, unsigned int cut)
{
	struct ovid_vdisk_check check;

	/* it would look for each block of a terabyte */
	if (!image || (r->scene->table && cut % 16))
		return;
	MUST(&r->tape, ovid_vdisk_check(image, &check));
	if (check.damaged)
		die(&r->tape, "cut %u: %llu blocks are damaged", cut, (unsigned long long)check.damaged);
}

static void expect_disk(struct run *r, struct ovid_vdisk *image, unsigned int cut)
{
	MUST(&r->tape, ovid_vdisk_read(image, 0, r->buf, r->size));
	for (u32 off = 0; off < r->size; off += SECTOR)
		if (memcmp(r->buf + off, r->want + off, SECTOR))
			die(&r->tape, "cut %u: sector %u is another one", cut, off / SECTOR);
}

static void expect_chain(struct run *r, struct chain *c, unsigned int n, unsigned int cut)
{
	const char *why = "";

	if (open_chain(r, c, n, ~0u, &why))
		die(&r->tape, "cut %u: it does not open: %s", cut, why);
	for (unsigned int i = 0; i < FILES; i++)
		check_image(r, c->image[i], cut);
	expect_disk(r, c->image[n], cut);
	end_chain(c, false);
}

static void expect_done(struct run *r, struct chain *c, unsigned int cut)
{
	expect_chain(r, c, top_of(r), cut);
	/* and the parent by itself */
	if (r->scene->tool == MERGE)
		expect_chain(r, c, top_of(r) - 1, cut);
}

/* ---- cutting ---- */

static void try_cut(struct run *r, const struct memfile *durable, const unsigned int *since,
		    unsigned int cut, unsigned int how)
{
	const char *why = "";
	struct chain left = {};
	unsigned int i;

	for (i = 0; i < all_files(r); i++) {
		memfile_init(&left.file[i], cut * 4 + i);
		left.file[i].base = &durable[i];
		left.file[i].size = durable[i].size;
	}
	for (i = 0; i < cut; i++) {
		const struct event *e = &r->tape.event[i];

		if (i >= since[e->file])
			apply(&r->tape, &left.file[e->file], e, how);
	}
	expect_chain(r, &left, top_of(r), cut);
	r->cuts++;
	if ((cut + how) % AGAIN == 0) {
		if (do_tool(r, &left, &why))
			die(&r->tape, "cut %u: it cannot be done again: %s", cut, why);
		expect_done(r, &left, cut);
		r->again++;
	}
	for (i = 0; i < all_files(r); i++)
		memfile_free(&left.file[i]);
}

/* @durable: the files as they were at the begin */
static void cut_everywhere(struct run *r, struct memfile *durable)
{
	unsigned int since[FILES] = {}, cut, how;

	for (cut = 0; cut <= r->tape.nr; cut++) {
		const struct event *last = cut ? &r->tape.event[cut - 1] : NULL;

		if (last && last->op == MEMFILE_FLUSH)
			for (; since[last->file] < cut; since[last->file]++) {
				const struct event *e = &r->tape.event[since[last->file]];

				if (e->file == last->file)
					apply(&r->tape, &durable[e->file], e, 1);
			}
		for (how = 0; how < TRIES; how++)
			try_cut(r, durable, since, cut, how);
	}
}

/* as if the disk under a file would fail at any operation */
static void fail_everywhere(struct run *r, const struct memfile *begin)
{
	unsigned int file, i, at;

	for (file = 0; file < all_files(r); file++)
		for (at = 0; at < r->tape.nr; at += 1 + at / 8) {
			struct chain left = {};
			const char *why = "";

			for (i = 0; i < all_files(r); i++) {
				memfile_init(&left.file[i], at);
				left.file[i].base = &begin[i];
				left.file[i].size = begin[i].size;
			}
			left.file[file].fail_in = at;
			do_tool(r, &left, &why);
			left.file[file].fail_in = -1;
			expect_chain(r, &left, top_of(r), at);
			for (i = 0; i < all_files(r); i++)
				memfile_free(&left.file[i]);
		}
}

static void begin(struct run *r, const struct scene *scene, u64 seed)
{
	const char *why = "";

	r->scene = scene;
	r->tape.name = scene->name;
	r->tape.seed = seed;
	r->size = (u64)scene->size[top_of(r)] * scene->block_size;
	r->want = malloc(MAX_DISK);
	r->buf = malloc(MAX_DISK);
	for (unsigned int i = 0; i < all_files(r); i++)
		make_image(r, i);
	MUST(&r->tape, open_chain(r, &r->chain, top_of(r), 0, &why));
	MUST(&r->tape, ovid_vdisk_read(r->chain.image[top_of(r)], 0, r->want, r->size));
	end_chain(&r->chain, false);
}

static void run(const struct scene *scene, u64 seed)
{
	struct run *r = calloc(1, sizeof(*r));
	struct memfile durable[FILES];
	u64 was, is;
	const char *why = "";
	unsigned int i;

	begin(r, scene, seed);
	for (i = 0; i < all_files(r); i++) {
		durable[i] = r->chain.file[i];
		memfile_init(&r->chain.file[i], i);
		r->chain.file[i].base = &durable[i];
		r->chain.file[i].size = durable[i].size;
		tape_begin(&r->recorder[i], &r->tape, i, &r->chain.file[i]);
	}
	was = r->chain.file[top_of(r)].size;
	if (do_tool(r, &r->chain, &why))
		die(&r->tape, "it fails: %s", why);
	is = r->chain.file[top_of(r)].size;
	for (i = 0; i < all_files(r); i++)
		r->chain.file[i].watch = NULL;
	expect_done(r, &r->chain, r->tape.nr);
	if (scene->tool == COMPACT && is >= was)
		die(&r->tape, "nothing came of it: %llu bytes", (unsigned long long)is);
	fail_everywhere(r, durable);
	for (i = 0; i < all_files(r); i++)
		memfile_free(&r->chain.file[i]);
	cut_everywhere(r, durable);
	printf("# %s: %u operations on the files, %u cuts, done again behind %u\n", scene->name,
	       r->tape.nr, r->cuts, r->again);
	for (i = 0; i < all_files(r); i++)
		memfile_free(&durable[i]);
	tape_free(&r->tape);
	free(r->want);
	free(r->buf);
	free(r);
}

/* powercut_tools [SEED] */
int main(int argc, char **argv)
{
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;

	for (unsigned int i = 0; i < ARRAY_SIZE(scenes); i++)
		run(&scenes[i], seed);
	printf("ok 1 - power cuts in tools\n1..1\n");
	return 0;
}
