/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.h - metadata of an image in memory, by pages of its file (pure but for its operations).
 *
 * A change is made to a page and waits; ovid_pages_take() copies all that waits, for a commit.
 * Only the sectors that were changed are written: what is beside them may be data, which others
 * write.  A page stays valid until the next ovid_pages_get().
 */
#ifndef OVID_PAGES_H
#define OVID_PAGES_H

#include "vdisk.h"

#define OVID_PAGE		4096u
#define OVID_PAGES_BUCKETS	1024u
#define OVID_PAGES_BYTES	(OVID_PAGES_BUCKETS * sizeof(struct ovid_page *))
#define OVID_PAGE_ALL		0xffu	/* all sectors of a page */

/**
 * struct ovid_page - a page of a file
 * @next: of the same bucket
 * @off: in the file
 * @dirty: a bit for each 512 bytes that wait
 * @used: since eviction has last looked
 * @held: a commit is writing it, so the file's content may be older
 * @data: content; zeros behind the end of the file
 */
struct ovid_page {
	struct ovid_page *next;
	u64 off;
	u8 dirty;
	bool used;
	bool held;
	u8 data[OVID_PAGE];
};

struct ovid_pages {
	struct ovid_page **bucket;
	unsigned int nr;
	unsigned int nr_dirty;
	unsigned int hand;
};

/**
 * struct ovid_page_copy - what a commit writes
 * @off: in the file
 * @dirty: which sectors
 * @data: content
 */
struct ovid_page_copy {
	u64 off;
	u8 dirty;
	u8 data[OVID_PAGE];
};

int ovid_pages_init(struct ovid_pages *pages);
void ovid_pages_fini(struct ovid_pages *pages);
/* the page around @off of @image's file */
int ovid_pages_get(struct ovid_vdisk *image, u64 off, struct ovid_page **page);
/* @len bytes at @off have changed; they are of one page */
void ovid_page_changed(struct ovid_pages *pages, struct ovid_page *page, u64 off, u32 len);
/* copies all that waits to @to, which has room for @nr_dirty; it waits no more, and is held */
void ovid_pages_take(struct ovid_pages *pages, struct ovid_page_copy *to);
/* held no more; if it was not @written it waits again.  What was dropped since is not there */
void ovid_pages_give_back(struct ovid_pages *pages, const struct ovid_page_copy *copy,
			  unsigned int nr, bool written);
/* write to the file at once, and to pages of it that are here */
int ovid_pages_write(struct ovid_vdisk *image, u64 off, const void *buf, u32 len);
/* read, with changes that wait */
int ovid_pages_read(struct ovid_vdisk *image, u64 off, void *buf, u32 len);
/* change; it waits */
int ovid_pages_change(struct ovid_vdisk *image, u64 off, const void *buf, u32 len);
/* forget a range: no one refers to it any more */
void ovid_pages_drop(struct ovid_pages *pages, u64 off, u64 len);

#endif
