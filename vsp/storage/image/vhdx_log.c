// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhdx_log.c - the log: what a commit has written there is written in its place too, or will be
 * when the image is opened again.
 *
 * A commit is one entry.  The flush at its beginning has made durable what the one before
 * wrote in its place, so the tail is the entry itself, and only its predecessor must not be
 * overwritten: an entry takes at most half of the log.
 *
 * The header names the log by an identifier that changes each time an image is opened.  It
 * is written behind the first entry with it: a header never names a log that is empty.
 */
#include "crc32c.h"
#include "vhdx.h"

/* sectors for the head and so many descriptors */
static u32 head_sectors(u32 descriptors)
{
	return ovid_div_up(VHDX_ENTRY_HEAD + (u64)descriptors * VHDX_DESC_LEN, VHDX_LOG_SECTOR);
}

/* ---- replay: which entries count ---- */

/* a sector of the log at which an entry begins; @len is 0: none does */
struct log_entry {
	u64 sequence;
	u32 len;
	u32 tail;
	u32 before;		/* where its predecessor begins, or NO_ENTRY */
};

#define NO_ENTRY	(~0u)

struct replay {
	struct ovid_vdisk *image;
	u8 *log;
	u32 len;
	struct log_entry *at;	/* by sector */
};

static u8 *log_sector(const struct replay *r, u32 pos)
{
	return r->log + pos % r->len;
}

static u8 *descriptor(const struct replay *r, u32 pos, u32 n)
{
	return log_sector(r, pos + VHDX_ENTRY_HEAD + n * VHDX_DESC_LEN);
}

static bool data_sector_ok(const u8 *sector, u64 sequence)
{
	return !memcmp(sector, "data", 4) &&
	       get_unaligned_le32(sector + VHDX_DATA_HIGH) == sequence >> 32 &&
	       get_unaligned_le32(sector + VHDX_DATA_LOW) == (u32)sequence;
}

static bool descriptor_ok(const u8 *desc, u64 sequence, u32 *data)
{
	bool is_data = !memcmp(desc, "desc", 4);

	if (!is_data && memcmp(desc, "zero", 4))
		return false;
	if (get_unaligned_le64(desc + VHDX_DESC_OFF) % VHDX_LOG_SECTOR ||
	    get_unaligned_le64(desc + VHDX_DESC_SEQUENCE) != sequence)
		return false;
	*data += is_data;
	return is_data || get_unaligned_le64(desc + VHDX_DESC_LEADING) % VHDX_LOG_SECTOR == 0;
}

static bool entry_sum_ok(const struct replay *r, u32 pos, u32 len)
{
	static const u8 zeros[4];
	const u8 *head = r->log + pos;
	u32 first = min(len, r->len - pos), sum;

	sum = ovid_crc32c(0, head, VHDX_CHECKSUM);
	sum = ovid_crc32c(sum, zeros, sizeof(zeros));
	sum = ovid_crc32c(sum, head + VHDX_CHECKSUM + 4, first - VHDX_CHECKSUM - 4);
	sum = ovid_crc32c(sum, r->log, len - first);
	return sum == get_unaligned_le32(head + VHDX_CHECKSUM);
}

/*
 * Each sector of an entry has a mark of its own, so that what is looked at for one
 * entry is not looked at again for another: no log makes this long.
 */
static bool entry_ok(const struct replay *r, u32 pos, struct log_entry *e)
{
	const u8 *head = r->log + pos, *id = vhdx_of(r->image)->header + VHDX_LOG_ID;
	u32 count = get_unaligned_le32(head + VHDX_ENTRY_COUNT), data = 0, i;

	e->len = get_unaligned_le32(head + VHDX_ENTRY_LEN);
	e->tail = get_unaligned_le32(head + VHDX_ENTRY_TAIL);
	e->sequence = get_unaligned_le64(head + VHDX_ENTRY_SEQUENCE);
	e->before = NO_ENTRY;
	if (memcmp(head, "loge", 4) || memcmp(head + VHDX_ENTRY_LOG_ID, id, 16))
		return false;
	if (!e->len || e->len % VHDX_LOG_SECTOR || e->len > r->len || e->tail % VHDX_LOG_SECTOR ||
	    e->tail >= r->len || !e->sequence)
		return false;
	if (count > e->len / VHDX_DESC_LEN || head_sectors(count) > e->len / VHDX_LOG_SECTOR)
		return false;
	for (i = 0; i < count; i++)
		if (!descriptor_ok(descriptor(r, pos, i), e->sequence, &data))
			return false;
	if (data != e->len / VHDX_LOG_SECTOR - head_sectors(count))
		return false;
	for (i = e->len / VHDX_LOG_SECTOR - data; i < e->len / VHDX_LOG_SECTOR; i++)
		if (!data_sector_ok(log_sector(r, pos + i * VHDX_LOG_SECTOR), e->sequence))
			return false;
	return entry_sum_ok(r, pos, e->len);
}

/* is @head the end of a sequence without gaps that has its tail?  Then @tail is where to begin */
static bool sequence_ok(const struct replay *r, u32 head)
{
	u32 want = r->at[head].tail / VHDX_LOG_SECTOR, at = head, left = r->len;

	for (;;) {
		const struct log_entry *e = &r->at[at];

		/* all of them together fit into the log */
		if (e->len > left)
			return false;
		left -= e->len;
		if (at == want)
			return true;
		if (e->before == NO_ENTRY)
			return false;
		at = e->before;
	}
}

/* the head of the newest sequence */
static u32 find_head(const struct replay *r)
{
	u32 sectors = r->len / VHDX_LOG_SECTOR, i, best = NO_ENTRY;

	for (i = 0; i < sectors; i++) {
		const struct log_entry *e = &r->at[i], *next;

		if (!e->len)
			continue;
		next = &r->at[(i + e->len / VHDX_LOG_SECTOR) % sectors];
		if (next->len && next->sequence == e->sequence + 1)
			r->at[next - r->at].before = i;
	}
	for (i = 0; i < sectors; i++) {
		bool newer = best == NO_ENTRY || r->at[i].sequence > r->at[best].sequence;

		if (r->at[i].len && newer && sequence_ok(r, i))
			best = i;
	}
	return best;
}

/* ---- replay: doing it ---- */

/* may the log change @len bytes there?  Not itself, nor the headers, nor beyond a limit */
static bool loggable(const struct ovid_vdisk *image, u64 off, u64 len)
{
	const struct ovid_vhdx *v = vhdx_of(image);

	return off >= VHDX_REGIONS_AT(0) && ovid_fits(off, len, 2 * OVID_VDISK_MAX_SIZE) &&
	       !ovid_overlap(off, len, v->log_off, v->log_len);
}

static int apply_zeros(struct ovid_vdisk *image, u64 off, u64 len)
{
	if (!loggable(image, off, len))
		return -EUCLEAN;
	/* what is behind the end of the file is zeros when it gets there */
	if (off >= image->file_size)
		return 0;
	return image->ops->punch(image->ctx, off, min(len, image->file_size - off));
}

static int apply_data(struct ovid_vdisk *image, u8 *page, const u8 *desc, const u8 *data)
{
	u64 off = get_unaligned_le64(desc + VHDX_DESC_OFF);

	if (!loggable(image, off, OVID_PAGE))
		return -EUCLEAN;
	memcpy(page, desc + VHDX_DESC_LEADING, 8);
	memcpy(page + 8, data + VHDX_DATA, VHDX_DATA_LEN);
	memcpy(page + 8 + VHDX_DATA_LEN, desc + VHDX_DESC_TRAILING, 4);
	return image->ops->write(image->ctx, off, page, OVID_PAGE);
}

/* the file had a size when the entry was written: less means that a part was lost */
static int apply_size(struct ovid_vdisk *image, const u8 *head)
{
	u64 last = get_unaligned_le64(head + VHDX_ENTRY_LAST);
	int ret;

	if (get_unaligned_le64(head + VHDX_ENTRY_FLUSHED) > image->file_size ||
	    last > 2 * OVID_VDISK_MAX_SIZE)
		return -EUCLEAN;
	if (last <= image->file_size)
		return 0;
	ret = image->ops->resize(image->ctx, last);
	if (!ret)
		image->file_size = last;
	return ret;
}

static int apply_entry(const struct replay *r, u32 pos, u8 *page)
{
	const u8 *head = r->log + pos;
	u32 count = get_unaligned_le32(head + VHDX_ENTRY_COUNT), i;
	u32 data = pos + head_sectors(count) * VHDX_LOG_SECTOR;
	int ret = apply_size(r->image, head);

	for (i = 0; i < count && !ret; i++) {
		const u8 *desc = descriptor(r, pos, i);

		if (!memcmp(desc, "zero", 4)) {
			ret = apply_zeros(r->image, get_unaligned_le64(desc + VHDX_DESC_OFF),
					  get_unaligned_le64(desc + VHDX_DESC_LEADING));
			continue;
		}
		ret = apply_data(r->image, page, desc, log_sector(r, data));
		data += VHDX_LOG_SECTOR;
	}
	return ret;
}

static int apply(const struct replay *r, u32 head)
{
	u32 sectors = r->len / VHDX_LOG_SECTOR, at = r->at[head].tail / VHDX_LOG_SECTOR;
	u8 *page = kvzalloc(OVID_PAGE, GFP_KERNEL_ACCOUNT);
	int ret = page ? 0 : -ENOMEM;

	while (!ret) {
		ret = apply_entry(r, at * VHDX_LOG_SECTOR, page);
		if (at == head)
			break;
		at = (at + r->at[at].len / VHDX_LOG_SECTOR) % sectors;
	}
	kvfree(page);
	return ret;
}

static int replay(struct replay *r, const char **why)
{
	struct ovid_vdisk *image = r->image;
	u32 i, head;
	int ret = image->ops->read(image->ctx, vhdx_of(image)->log_off, r->log, r->len);

	if (ret)
		return ret;
	for (i = 0; i < r->len / VHDX_LOG_SECTOR; i++)
		if (!entry_ok(r, i * VHDX_LOG_SECTOR, &r->at[i]))
			r->at[i].len = 0;
	head = find_head(r);
	if (head == NO_ENTRY)
		return OVID_FAIL(why, EUCLEAN, "its log is damaged");
	ret = apply(r, head);
	if (ret == -EUCLEAN)
		*why = "what its log says cannot be";
	if (ret)
		return ret;
	ret = image->ops->flush(image->ctx);
	return ret ?: image->ops->size(image->ctx, &image->file_size);
}

int ovid_vhdx_replay(struct ovid_vdisk *image, const char **why)
{
	struct ovid_vhdx *v = vhdx_of(image);
	struct replay r = { .image = image, .len = v->log_len };
	int ret = -ENOMEM;

	if (!v->logged)
		return 0;
	if (!image->writable)
		return OVID_FAIL(why, EROFS,
				 "it was not closed: its log has to be replayed by opening it for writing");
	r.log = kvzalloc(r.len, GFP_KERNEL_ACCOUNT);
	r.at = kvzalloc(r.len / VHDX_LOG_SECTOR * sizeof(*r.at), GFP_KERNEL_ACCOUNT);
	if (r.log && r.at)
		ret = replay(&r, why);
	kvfree(r.at);
	kvfree(r.log);
	if (ret)
		return ret;
	image->info.replayed = true;
	return ovid_vhdx_finish(image);
}

/* ---- commit ---- */

u32 ovid_vhdx_log_pages(const struct ovid_vhdx *v)
{
	u32 sectors = v->log_len / VHDX_LOG_SECTOR / 2, pages = sectors - 1;

	while (head_sectors(pages) + pages > sectors)
		pages--;
	return pages;
}

static void put_page(u8 *desc, u8 *sector, const struct ovid_page_copy *copy, u64 sequence)
{
	memcpy(desc, "desc", 4);
	memcpy(desc + VHDX_DESC_TRAILING, copy->data + 8 + VHDX_DATA_LEN, 4);
	memcpy(desc + VHDX_DESC_LEADING, copy->data, 8);
	put_unaligned_le64(copy->off, desc + VHDX_DESC_OFF);
	put_unaligned_le64(sequence, desc + VHDX_DESC_SEQUENCE);
	memcpy(sector, "data", 4);
	put_unaligned_le32(sequence >> 32, sector + VHDX_DATA_HIGH);
	memcpy(sector + VHDX_DATA, copy->data + 8, VHDX_DATA_LEN);
	put_unaligned_le32((u32)sequence, sector + VHDX_DATA_LOW);
}

static void make_entry(const struct ovid_vhdx *v, const struct ovid_vdisk_commit *commit, u8 *entry,
		       u32 len)
{
	u64 sequence = v->log_sequence + 1;
	u8 *sector = entry + head_sectors(commit->nr) * VHDX_LOG_SECTOR;
	u8 *desc = entry + VHDX_ENTRY_HEAD;
	u32 i;

	memcpy(entry, "loge", 4);
	put_unaligned_le32(len, entry + VHDX_ENTRY_LEN);
	put_unaligned_le32(v->log_pos, entry + VHDX_ENTRY_TAIL);
	put_unaligned_le64(sequence, entry + VHDX_ENTRY_SEQUENCE);
	put_unaligned_le32(commit->nr, entry + VHDX_ENTRY_COUNT);
	memcpy(entry + VHDX_ENTRY_LOG_ID, v->header + VHDX_LOG_ID, 16);
	put_unaligned_le64(commit->file_size, entry + VHDX_ENTRY_FLUSHED);
	put_unaligned_le64(commit->file_size, entry + VHDX_ENTRY_LAST);
	for (i = 0; i < commit->nr; i++) {
		put_page(desc, sector, &commit->copy[i], sequence);
		desc += VHDX_DESC_LEN;
		sector += VHDX_LOG_SECTOR;
	}
	ovid_vhdx_put_sum(entry, len);
}

static int write_entry(struct ovid_vdisk *image, const u8 *entry, u32 len)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u32 first = min(len, v->log_len - v->log_pos);
	int ret = image->ops->write(image->ctx, v->log_off + v->log_pos, entry, first);

	if (!ret && len > first)
		ret = image->ops->write(image->ctx, v->log_off, entry + first, len - first);
	ret = ret ?: image->ops->flush(image->ctx);
	if (ret)
		return ret;
	v->log_pos = (v->log_pos + len) % v->log_len;
	v->log_sequence++;
	return 0;
}

/* the first entry since the image was opened is there: now the header may say so */
static int begin_log(struct ovid_vdisk *image)
{
	struct ovid_vhdx *v = vhdx_of(image);
	int ret = v->logged ? 0 : ovid_vhdx_write_headers(image);

	if (!ret)
		v->logged = true;
	return ret;
}

int ovid_vhdx_commit(struct ovid_vdisk *image, const struct ovid_vdisk_commit *commit)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u32 len = (head_sectors(commit->nr) + commit->nr) * VHDX_LOG_SECTOR, i;
	u8 *entry = kvzalloc(len, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!entry)
		return -ENOMEM;
	if (!v->logged)
		image->ops->random(image->ctx, v->header + VHDX_LOG_ID, 16);
	make_entry(v, commit, entry, len);
	ret = write_entry(image, entry, len);
	ret = ret ?: begin_log(image);
	for (i = 0; i < commit->nr && !ret; i++)
		ret = image->ops->write(image->ctx, commit->copy[i].off, commit->copy[i].data,
					OVID_PAGE);
	kvfree(entry);
	return ret;
}
