// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left of an image when the power goes.  All that is done to its file is recorded while a
 * disk is written, discarded, flushed, resized.  Then the power is cut behind each operation: of what
 * came since the file's last flush any sector may be there or not.  What is left has to open, with
 * its log replayed, has to be sound, and each sector of the disk has to have what it had at the last
 * flush that was acknowledged, or something that was written since.
 */
#include "powercut.h"

#define DISK		(5u << 20)
#define BLOCK		(1u << 20)
#define GROWN		(200ull << 30)	/* the table of blocks has to move for it */
#define OPS		90
#define TRIES		3

/* of the disk: each sector of the range gets @stamp, or zeros */
struct op {
	u32 off, len, stamp;
	bool moves_footer;
	unsigned int begin, end;	/* events */
};

struct flushed {
	unsigned int begin, end;
};

struct shape {
	const char *name;
	enum ovid_vdisk_format format;
	enum ovid_vdisk_kind kind;
	u32 block_size;
	u32 sector;		/* what is written is in whole ones */
};

static const struct shape shapes[] = {
	{ "VHDX, dynamic", OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC, BLOCK, 512 },
	{ "VHDX, dynamic, sectors of 4096", OVID_VDISK_VHDX, OVID_VDISK_DYNAMIC, 2 * BLOCK, 4096 },
	{ "VHDX, fixed", OVID_VDISK_VHDX, OVID_VDISK_FIXED, BLOCK, 512 },
	{ "VHDX, differencing", OVID_VDISK_VHDX, OVID_VDISK_DIFFERENCING, BLOCK, 512 },
	{ "VHDX, differencing, sectors of 4096", OVID_VDISK_VHDX, OVID_VDISK_DIFFERENCING, BLOCK, 4096 },
	{ "VHD, dynamic", OVID_VDISK_VHD, OVID_VDISK_DYNAMIC, BLOCK, 512 },
	{ "VHD, dynamic, small blocks", OVID_VDISK_VHD, OVID_VDISK_DYNAMIC, 512 << 10, 512 },
	{ "VHD, fixed", OVID_VDISK_VHD, OVID_VDISK_FIXED, 0, 512 },
};

struct run {
	const struct shape *shape;
	struct tape tape;
	struct recorder recorder;
	struct memfile file, base;
	struct ovid_vdisk *image, *parent;
	struct op op[OPS];
	unsigned int nr_ops;
	struct flushed flush[OPS + 2];
	unsigned int nr_flushes;
	u8 *buf;
	unsigned int tries, replays;
	bool grown;
};

static void stamp_sectors(u8 *buf, u32 off, u32 len, u32 stamp)
{
	for (u32 at = 0; at < len; at += 4) {
		u32 word = stamp ? stamp << 16 ^ (off + at) / SECTOR : 0;

		memcpy(buf + at, &word, 4);
	}
}

static struct op *begin_op(struct run *r, u32 stamp)
{
	struct op *op = &r->op[r->nr_ops++];
	u32 most = rnd(&r->tape, 4) ? 40 : BLOCK / SECTOR * 2;

	op->off = rnd(&r->tape, 3) ? rnd(&r->tape, DISK / SECTOR) * SECTOR : rnd(&r->tape, DISK / BLOCK) * BLOCK;
	op->off -= op->off % r->shape->sector;
	op->len = ovid_round_up((1 + rnd(&r->tape, most)) * SECTOR, r->shape->sector);
	if (op->len > DISK - op->off)
		op->len = DISK - op->off;
	op->stamp = stamp;
	op->begin = r->tape.nr;
	return op;
}

static void do_write(struct run *r)
{
	struct op *op = begin_op(r, r->nr_ops + 1);

	stamp_sectors(r->buf, op->off, op->len, op->stamp);
	MUST(&r->tape, ovid_vdisk_write(r->image, op->off, r->buf, op->len));
	op->end = r->tape.nr;
}

static void do_discard(struct run *r)
{
	struct op *op = begin_op(r, 0);

	MUST(&r->tape, ovid_vdisk_discard(r->image, op->off, op->len, false));
	op->end = r->tape.nr;
}

static void do_flush(struct run *r)
{
	struct flushed *f = &r->flush[r->nr_flushes++];

	f->begin = r->tape.nr;
	MUST(&r->tape, ovid_vdisk_flush(r->image));
	f->end = r->tape.nr;
	if (rnd(&r->tape, 2))
		ovid_vdisk_reclaim(r->image);
}

static void open_image(struct run *r)
{
	const char *why = "";

	MUST(&r->tape, ovid_vdisk_open(&memfile_ops, &r->file, r->shape->format, true, &r->image, &why));
	if (r->parent)
		MUST(&r->tape, ovid_vdisk_set_parent(r->image, r->parent, &why));
}

static void do_reopen(struct run *r)
{
	struct flushed *f = &r->flush[r->nr_flushes++];

	f->begin = r->tape.nr;
	MUST(&r->tape, ovid_vdisk_close(r->image));
	f->end = r->tape.nr;
	open_image(r);
}

/*
 * Cut off what is behind any sector, and there is a disk of the old size again: zeros.  Each is durable
 * when it returns.
 */
static void do_shrink(struct run *r)
{
	struct flushed *f = &r->flush[r->nr_flushes++];
	struct op *op = begin_op(r, 0);
	struct ovid_vdisk_info info;

	ovid_vdisk_info(r->image, &info);
	op->off = max(op->off, r->shape->sector);
	op->len = DISK - op->off;
	MUST(&r->tape, ovid_vdisk_resize(r->image, op->off));
	MUST(&r->tape, ovid_vdisk_resize(r->image, info.size));
	op->end = r->tape.nr;
	op->moves_footer = r->shape->format == OVID_VDISK_VHD && r->shape->kind == OVID_VDISK_FIXED;
	*f = (struct flushed){ op->end, op->end };
}

static void workload(struct run *r)
{
	while (r->nr_ops < OPS) {
		u32 what = rnd(&r->tape, 17);

		if (what < 9)
			do_write(r);
		else if (what < 11)
			do_discard(r);
		else if (r->nr_flushes < OPS && what < 15)
			do_flush(r);
		else if (r->nr_flushes < OPS && what < 16)
			do_reopen(r);
		else if (r->nr_flushes < OPS)
			do_shrink(r);
		/* a fixed one would be filled block by block */
		if (r->nr_ops == OPS / 2 && !r->grown) {
			MUST(&r->tape, ovid_vdisk_resize(r->image, r->shape->kind == OVID_VDISK_FIXED ?
							 DISK + BLOCK : GROWN));
			r->grown = true;
		}
	}
}

/* ---- cutting ---- */

static bool has(const u8 *sector, u32 off, u32 stamp)
{
	u8 want[4];

	/* all words of a sector are the same */
	stamp_sectors(want, off, sizeof(want), stamp);
	return !memcmp(sector, want, sizeof(want)) && !memcmp(sector, sector + 4, SECTOR - 4);
}

static void verify_sector(const struct run *r, const u8 *sector, u32 off, unsigned int cut,
			  unsigned int acked)
{
	unsigned int i;

	for (i = r->nr_ops; i-- > 0;) {
		const struct op *op = &r->op[i];

		if (op->begin >= cut || off < op->off || off >= op->off + op->len)
			continue;
		if (has(sector, off, op->stamp))
			return;
		/* a fixed VHD has no other place for it: see resize_fixed() */
		if (op->moves_footer && off == op->off && op->end > acked && !memcmp(sector, "conectix", 8))
			return;
		if (op->end <= acked)
			die(&r->tape, "cut %u: sector %u has not what was flushed (operation %u), nor anything newer",
			    cut, off / SECTOR, i);
	}
	/* as it was in the beginning: 0xffff is the parent's stamp */
	if (!has(sector, off, r->parent ? 0xffff : 0))
		die(&r->tape, "cut %u: sector %u has what it never had", cut, off / SECTOR);
}

static void verify(struct run *r, struct ovid_vdisk *image, unsigned int cut)
{
	struct ovid_vdisk_check check;
	struct ovid_vdisk_info info;
	unsigned int acked = 0, i;

	ovid_vdisk_info(image, &info);
	/* a disk that has grown has hundreds of thousands of blocks to be looked at */
	if (info.size < GROWN || cut % 16 == 0) {
		MUST(&r->tape, ovid_vdisk_check(image, &check));
		if (check.damaged)
			die(&r->tape, "cut %u: %llu blocks are damaged", cut,
			    (unsigned long long)check.damaged);
	}
	for (i = 0; i < r->nr_flushes && r->flush[i].end <= cut; i++)
		acked = r->flush[i].begin;
	/* behind its end are zeros */
	memset(r->buf, 0, DISK);
	MUST(&r->tape, ovid_vdisk_read(image, 0, r->buf, min_t(u64, info.size, DISK)));
	for (u32 off = 0; off < DISK; off += SECTOR)
		verify_sector(r, r->buf + off, off, cut, acked);
}

static int open_left(struct run *r, struct memfile *left, struct ovid_vdisk **image, const char **why)
{
	int ret = ovid_vdisk_open(&memfile_ops, left, r->shape->format, true, image, why);
	struct ovid_vdisk_info info;

	if (ret)
		return ret;
	ovid_vdisk_info(*image, &info);
	r->replays += info.replayed;
	return r->parent ? ovid_vdisk_set_parent(*image, r->parent, why) : 0;
}

/* the events from @since on are not flushed */
static void try_cut(struct run *r, const struct memfile *durable, unsigned int since, unsigned int cut,
		    unsigned int how)
{
	struct ovid_vdisk *image;
	struct memfile left;
	const char *why = "";
	int ret;

	memfile_init(&left, cut);
	left.base = durable;
	left.size = durable->size;
	for (unsigned int i = since; i < cut; i++)
		apply(&r->tape, &left, &r->tape.event[i], how);
	/* and again while its log is replayed */
	left.fail_in = rnd(&r->tape, 12);
	ret = open_left(r, &left, &image, &why);
	if (ret) {
		left.fail_in = -1;
		ret = open_left(r, &left, &image, &why);
	}
	if (ret)
		die(&r->tape, "cut %u, try %u: it does not open: %s", cut, how, why);
	left.fail_in = -1;
	verify(r, image, cut);
	ovid_vdisk_abandon(image);
	memfile_free(&left);
	r->tries++;
}

static void cut_everywhere(struct run *r, unsigned int first)
{
	unsigned int since = first, cut, i, how;
	struct memfile durable;

	memfile_init(&durable, 0);
	for (i = 0; i < first; i++)
		apply(&r->tape, &durable, &r->tape.event[i], 1);
	for (cut = first; cut <= r->tape.nr; cut++) {
		if (cut > first && r->tape.event[cut - 1].op == MEMFILE_FLUSH)
			for (; since < cut; since++)
				apply(&r->tape, &durable, &r->tape.event[since], 1);
		for (how = since == cut; how < (since == cut ? 2 : TRIES); how++)
			try_cut(r, &durable, since, cut, how);
	}
	memfile_free(&durable);
}

/* ---- shapes ---- */

static void make_parent(struct run *r)
{
	struct ovid_vdisk_params params = {
		.format = OVID_VDISK_VHDX, .kind = OVID_VDISK_DYNAMIC, .size = DISK, .block_size = BLOCK,
		.logical_sector = r->shape->sector,
	};
	const char *why = "";

	memfile_init(&r->base, 7);
	MUST(&r->tape, ovid_vdisk_create(&memfile_ops, &r->base, &params, &why));
	MUST(&r->tape, ovid_vdisk_open(&memfile_ops, &r->base, OVID_VDISK_VHDX, true, &r->parent, &why));
	stamp_sectors(r->buf, 0, DISK, 0xffff);
	MUST(&r->tape, ovid_vdisk_write(r->parent, 0, r->buf, DISK));
	MUST(&r->tape, ovid_vdisk_flush(r->parent));
}

static void run(const struct shape *shape, u64 seed)
{
	struct run *r = calloc(1, sizeof(*r));
	struct ovid_vdisk_params params = {
		.format = shape->format, .kind = shape->kind, .size = DISK,
		.block_size = shape->block_size, .logical_sector = shape->sector,
		.relative_path = "parent.vhdx",
	};
	const char *why = "";
	unsigned int first;

	r->shape = shape;
	r->tape.name = shape->name;
	r->tape.seed = seed;
	r->buf = malloc(DISK);
	if (shape->kind == OVID_VDISK_DIFFERENCING)
		make_parent(r);
	params.parent = r->parent;
	memfile_init(&r->file, 1);
	tape_begin(&r->recorder, &r->tape, 0, &r->file);
	MUST(&r->tape, ovid_vdisk_create(&memfile_ops, &r->file, &params, &why));
	first = r->tape.nr;
	open_image(r);
	workload(r);
	ovid_vdisk_abandon(r->image);
	cut_everywhere(r, first);
	printf("# %s: %u operations on the file, %u cuts, %u logs replayed\n", shape->name, r->tape.nr - first,
	       r->tries, r->replays);
	if (shape->format == OVID_VDISK_VHDX && shape->kind != OVID_VDISK_FIXED && !r->replays)
		die(&r->tape, "no log was ever replayed");
	ovid_vdisk_abandon(r->parent);
	memfile_free(&r->file);
	memfile_free(&r->base);
	tape_free(&r->tape);
	free(r->buf);
	free(r);
}

/* powercut [SEED] */
int main(int argc, char **argv)
{
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;

	for (unsigned int i = 0; i < ARRAY_SIZE(shapes); i++)
		run(&shapes[i], seed);
	printf("ok 1 - power cuts\n1..1\n");
	return 0;
}
