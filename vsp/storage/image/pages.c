// SPDX-License-Identifier: GPL-2.0-only
/* pages.c - see pages.h */
#include "pages.h"
#include "vdisk_priv.h"

static unsigned int bucket_of(u64 off)
{
	return (off / OVID_PAGE * 0x9e3779b97f4a7c15ull) >> 54;
}

int ovid_pages_init(struct ovid_pages *pages)
{
	pages->bucket = kvzalloc(OVID_PAGES_BYTES, GFP_KERNEL_ACCOUNT);
	return pages->bucket ? 0 : -ENOMEM;
}

void ovid_pages_fini(struct ovid_pages *pages)
{
	struct ovid_page *page;
	unsigned int i;

	for (i = 0; pages->bucket && i < OVID_PAGES_BUCKETS; i++)
		while ((page = pages->bucket[i])) {
			pages->bucket[i] = page->next;
			kvfree(page);
		}
	kvfree(pages->bucket);
	pages->bucket = NULL;
	pages->nr = 0;
	pages->nr_dirty = 0;
}

static struct ovid_page *find(const struct ovid_pages *pages, u64 off)
{
	struct ovid_page *page = pages->bucket[bucket_of(off)];

	while (page && page->off != off)
		page = page->next;
	return page;
}

/* one that is clean, and was not used since the hand came by; twice around finds any clean one */
static void evict(struct ovid_pages *pages)
{
	unsigned int i;

	for (i = 0; i < 2 * OVID_PAGES_BUCKETS; i++) {
		struct ovid_page **at = &pages->bucket[pages->hand], *page;

		pages->hand = (pages->hand + 1) % OVID_PAGES_BUCKETS;
		for (; (page = *at); at = &page->next) {
			if (!page->dirty && !page->held && !page->used) {
				*at = page->next;
				kvfree(page);
				pages->nr--;
				return;
			}
			page->used = false;
		}
	}
}

static int fill(struct ovid_vdisk *image, struct ovid_page *page)
{
	u64 len = 0;

	if (page->off < image->file_size)
		len = min_t(u64, OVID_PAGE, image->file_size - page->off);
	return len ? image->ops->read(image->ctx, page->off, page->data, len) : 0;
}

int ovid_pages_get(struct ovid_vdisk *image, u64 off, struct ovid_page **out)
{
	struct ovid_pages *pages = &image->pages;
	struct ovid_page *page;
	int ret;

	off -= off % OVID_PAGE;
	page = find(pages, off);
	if (!page) {
		if (pages->nr >= OVID_VDISK_MAX_PAGES)
			evict(pages);
		page = kvzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);
		if (!page)
			return -ENOMEM;
		page->off = off;
		ret = fill(image, page);
		if (ret) {
			kvfree(page);
			return ret;
		}
		page->next = pages->bucket[bucket_of(off)];
		pages->bucket[bucket_of(off)] = page;
		pages->nr++;
	}
	page->used = true;
	*out = page;
	return 0;
}

static void mark(struct ovid_pages *pages, struct ovid_page *page, u8 sectors)
{
	pages->nr_dirty += !page->dirty && sectors;
	page->dirty |= sectors;
}

void ovid_page_changed(struct ovid_pages *pages, struct ovid_page *page, u64 off, u32 len)
{
	u32 first = off % OVID_PAGE / 512, last = (off % OVID_PAGE + len - 1) / 512;

	mark(pages, page, (2u << last) - (1u << first));
}

void ovid_pages_take(struct ovid_pages *pages, struct ovid_page_copy *to)
{
	unsigned int i, nr = 0;
	struct ovid_page *page;

	for (i = 0; i < OVID_PAGES_BUCKETS && nr < pages->nr_dirty; i++)
		for (page = pages->bucket[i]; page; page = page->next) {
			if (!page->dirty)
				continue;
			to[nr].off = page->off;
			to[nr].dirty = page->dirty;
			memcpy(to[nr].data, page->data, OVID_PAGE);
			nr++;
			page->dirty = 0;
			page->held = true;
		}
	pages->nr_dirty = 0;
}

void ovid_pages_give_back(struct ovid_pages *pages, const struct ovid_page_copy *copy,
			  unsigned int nr, bool written)
{
	while (nr--) {
		struct ovid_page *page = find(pages, copy[nr].off);

		if (!page)
			continue;
		page->held = false;
		if (!written)
			mark(pages, page, copy[nr].dirty);
	}
}

int ovid_pages_write(struct ovid_vdisk *image, u64 off, const void *buf, u32 len)
{
	int ret = image->ops->write(image->ctx, off, buf, len);
	const u8 *from = buf;

	while (!ret && len) {
		struct ovid_page *page = find(&image->pages, off - off % OVID_PAGE);
		u32 part = min_t(u32, len, OVID_PAGE - off % OVID_PAGE);

		if (page)
			memcpy(page->data + off % OVID_PAGE, from, part);
		off += part;
		from += part;
		len -= part;
	}
	return ret;
}

int ovid_pages_read(struct ovid_vdisk *image, u64 off, void *buf, u32 len)
{
	u8 *to = buf;

	while (len) {
		u32 part = min_t(u32, len, OVID_PAGE - off % OVID_PAGE);
		struct ovid_page *page;
		int ret = ovid_pages_get(image, off, &page);

		if (ret)
			return ret;
		memcpy(to, page->data + off % OVID_PAGE, part);
		off += part;
		to += part;
		len -= part;
	}
	return 0;
}

int ovid_pages_change(struct ovid_vdisk *image, u64 off, const void *buf, u32 len)
{
	const u8 *from = buf;

	while (len) {
		u32 part = min_t(u32, len, OVID_PAGE - off % OVID_PAGE);
		struct ovid_page *page;
		int ret = ovid_pages_get(image, off, &page);

		if (ret)
			return ret;
		memcpy(page->data + off % OVID_PAGE, from, part);
		ovid_page_changed(&image->pages, page, off, part);
		off += part;
		from += part;
		len -= part;
	}
	return 0;
}

void ovid_pages_drop(struct ovid_pages *pages, u64 off, u64 len)
{
	unsigned int i;

	for (i = 0; i < OVID_PAGES_BUCKETS; i++) {
		struct ovid_page **at = &pages->bucket[i], *page;

		while ((page = *at)) {
			if (!ovid_overlap(page->off, OVID_PAGE, off, len)) {
				at = &page->next;
				continue;
			}
			*at = page->next;
			pages->nr_dirty -= !!page->dirty;
			pages->nr--;
			kvfree(page);
		}
	}
}
