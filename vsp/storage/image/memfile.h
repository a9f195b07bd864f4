/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memfile.h - for tests: a sparse file in memory, which may lie over another one that it does not
 * change, may fail, and may have someone who watches what is done to it.
 */
#ifndef OVID_MEMFILE_H
#define OVID_MEMFILE_H

#include "vdisk.h"

#define MEMFILE_PAGE	4096u
#define MEMFILE_BUCKETS	512u

struct memfile_page {
	struct memfile_page *next;
	u64 off;
	u8 data[MEMFILE_PAGE];
};

enum memfile_op {
	MEMFILE_WRITE,
	MEMFILE_PUNCH,
	MEMFILE_RESIZE,
	MEMFILE_FLUSH,
};

/**
 * struct memfile - the file
 * @base: what it lies over, or NULL
 * @size: bytes
 * @fail_in: operations that still work, but reading; negative: all do
 * @random: state of what stands for random bytes
 * @watch: told of each operation that changes or flushes; data is NULL but for writes
 * @bucket: pages
 */
struct memfile {
	const struct memfile *base;
	u64 size;
	int fail_in;
	u64 random;
	void (*watch)(struct memfile *f, enum memfile_op op, u64 off, const void *buf, u64 len);
	void *watcher;
	struct memfile_page *bucket[MEMFILE_BUCKETS];
};

static unsigned int memfile_bucket(u64 off)
{
	return off / MEMFILE_PAGE * 0x9e3779b97f4a7c15ull >> 55;
}

static struct memfile_page *memfile_find(const struct memfile *f, u64 off)
{
	struct memfile_page *p = f->bucket[memfile_bucket(off)];

	while (p && p->off != off)
		p = p->next;
	return p;
}

/* what was there: in a base that is shorter it is zeros */
static void memfile_look(const struct memfile *f, u64 off, void *page)
{
	const struct memfile_page *p = NULL;

	for (; f && !p; f = f->base)
		p = memfile_find(f, off);
	if (p)
		memcpy(page, p->data, MEMFILE_PAGE);
	else
		memset(page, 0, MEMFILE_PAGE);
}

static struct memfile_page *memfile_own(struct memfile *f, u64 off)
{
	struct memfile_page *p = memfile_find(f, off);

	if (p)
		return p;
	p = kvzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return NULL;
	memfile_look(f, off, p->data);
	p->off = off;
	p->next = f->bucket[memfile_bucket(off)];
	f->bucket[memfile_bucket(off)] = p;
	return p;
}

static bool memfile_fails(struct memfile *f)
{
	if (!f->fail_in)
		return true;
	if (f->fail_in > 0)
		f->fail_in--;
	return false;
}

static int memfile_read(void *ctx, u64 off, void *buf, size_t len)
{
	struct memfile *f = ctx;
	u8 *to = buf;

	if (!ovid_fits(off, len, f->size))
		return -EIO;
	while (len) {
		const struct memfile *at = f;
		const struct memfile_page *p = NULL;
		u32 in = off % MEMFILE_PAGE, part = min_t(size_t, len, MEMFILE_PAGE - in);

		for (; at && !p; at = at->base)
			p = memfile_find(at, off - in);
		if (p)
			memcpy(to, p->data + in, part);
		else
			memset(to, 0, part);
		to += part;
		off += part;
		len -= part;
	}
	return 0;
}

/* @buf may be NULL: zeros */
static int memfile_put(struct memfile *f, u64 off, const void *buf, u64 len)
{
	const u8 *from = buf;

	while (len) {
		u32 in = off % MEMFILE_PAGE, part = min_t(u64, len, MEMFILE_PAGE - in);
		struct memfile_page *p = memfile_own(f, off - in);

		if (!p)
			return -ENOMEM;
		if (from)
			memcpy(p->data + in, from, part);
		else
			memset(p->data + in, 0, part);
		from = from ? from + part : NULL;
		off += part;
		len -= part;
	}
	return 0;
}

static int memfile_write(void *ctx, u64 off, const void *buf, size_t len)
{
	struct memfile *f = ctx;
	int ret = memfile_fails(f) ? -EIO : memfile_put(f, off, buf, len);

	if (ret)
		return ret;
	f->size = max(f->size, off + len);
	if (f->watch)
		f->watch(f, MEMFILE_WRITE, off, buf, len);
	return 0;
}

/* a range of whole pages: ours go, and what a base has is hidden by zeros */
static int memfile_zero_pages(struct memfile *f, u64 first, u64 last)
{
	const struct memfile *base;
	const struct memfile_page *b;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < MEMFILE_BUCKETS; i++) {
		struct memfile_page **at = &f->bucket[i], *p;

		while ((p = *at)) {
			if (p->off < first || p->off >= last) {
				at = &p->next;
				continue;
			}
			*at = p->next;
			kvfree(p);
		}
	}
	for (base = f->base; base; base = base->base)
		for (i = 0; i < MEMFILE_BUCKETS; i++)
			for (b = base->bucket[i]; b && !ret; b = b->next)
				if (b->off >= first && b->off < last)
					ret = memfile_put(f, b->off, NULL, MEMFILE_PAGE);
	return ret;
}

static int memfile_zero(struct memfile *f, u64 off, u64 end)
{
	u64 first = ovid_round_up(off, MEMFILE_PAGE), last = end - end % MEMFILE_PAGE;
	int ret;

	if (first > last)
		return memfile_put(f, off, NULL, end - off);
	ret = memfile_put(f, off, NULL, first - off);
	ret = ret ?: memfile_put(f, last, NULL, end - last);
	return ret ?: memfile_zero_pages(f, first, last);
}

static int memfile_punch(void *ctx, u64 off, u64 len)
{
	struct memfile *f = ctx;

	if (memfile_fails(f) || !ovid_fits(off, len, f->size))
		return -EIO;
	if (f->watch)
		f->watch(f, MEMFILE_PUNCH, off, NULL, len);
	return memfile_zero(f, off, off + len);
}

static int memfile_resize(void *ctx, u64 bytes)
{
	struct memfile *f = ctx;
	int ret = memfile_fails(f) ? -ENOSPC : 0;

	if (!ret && bytes < f->size)
		ret = memfile_zero(f, bytes, f->size);
	if (ret)
		return ret;
	f->size = bytes;
	if (f->watch)
		f->watch(f, MEMFILE_RESIZE, bytes, NULL, 0);
	return 0;
}

static int memfile_flush(void *ctx)
{
	struct memfile *f = ctx;

	if (memfile_fails(f))
		return -EIO;
	if (f->watch)
		f->watch(f, MEMFILE_FLUSH, 0, NULL, 0);
	return 0;
}

static int memfile_size(void *ctx, u64 *bytes)
{
	*bytes = ((struct memfile *)ctx)->size;
	return 0;
}

static void memfile_random(void *ctx, void *buf, size_t len)
{
	struct memfile *f = ctx;
	u8 *to = buf;

	while (len--) {
		f->random = f->random * 6364136223846793005ull + 1442695040888963407ull;
		*to++ = f->random >> 33;
	}
}

static const struct ovid_vdisk_ops memfile_ops = {
	.read = memfile_read, .write = memfile_write, .flush = memfile_flush,
	.size = memfile_size, .resize = memfile_resize, .punch = memfile_punch,
	.random = memfile_random,
};

static void memfile_init(struct memfile *f, u64 seed)
{
	memset(f, 0, sizeof(*f));
	f->fail_in = -1;
	f->random = seed;
}

static void memfile_free(struct memfile *f)
{
	unsigned int i;

	for (i = 0; i < MEMFILE_BUCKETS; i++)
		while (f->bucket[i]) {
			struct memfile_page *p = f->bucket[i];

			f->bucket[i] = p->next;
			kvfree(p);
		}
}

#endif
