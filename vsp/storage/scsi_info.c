// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a unit is: INQUIRY, mode pages, capacity, logs.
 *
 * Linux's storvsc takes the data of INQUIRY and MODE SENSE whatever status comes with it, so
 * that these always have some.
 */
#include "../../vmm/purelib.h"
#include "scsi_priv.h"

#define NO_DEVICE	0x7f	/* of INQUIRY: there is none, nor could there be */
#define DVD_DEVICE	0x05

static void put_text(u8 *p, unsigned int bytes, const char *text)
{
	memset(p, ' ', bytes);
	memcpy(p, text, min_t(size_t, bytes, strlen(text)));
}

static u8 device_type(const struct ovid_scsi_disk *disk)
{
	return !disk ? NO_DEVICE : disk->dvd ? DVD_DEVICE : 0;
}

/* ---- INQUIRY ---- */

static u32 serial_length(const struct ovid_scsi_disk *disk)
{
	u32 n = 0;

	while (n < SCSI_SERIAL_BYTES && disk->serial[n])
		n++;
	return n;
}

/* a DVD drive has the first three */
static const u8 vital_pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };

static u32 nr_vital_pages(const struct ovid_scsi_disk *disk)
{
	return disk->dvd ? 3 : ARRAY_SIZE(vital_pages);
}

static bool has_vital_page(const struct ovid_scsi_disk *disk, u8 page)
{
	u32 i;

	for (i = 0; i < nr_vital_pages(disk); i++)
		if (vital_pages[i] == page)
			return true;
	return false;
}

/* vendor and serial number, as text */
static u32 put_designator(const struct ovid_scsi_disk *disk, u8 *p)
{
	u32 n = serial_length(disk);

	p[0] = 2;	/* ASCII */
	p[1] = 1;	/* of the unit, begins with the vendor */
	p[3] = 8 + n;
	put_text(p + 4, 8, "Msft");
	memcpy(p + 12, disk->serial, n);
	return 12 + n;
}

static u32 put_limits(const struct ovid_scsi_disk *disk, u8 *p)
{
	u32 grain = max_t(u32, disk->physical_bytes, 4096);	/* 4096: a filesystem's */

	p[0] = 1;	/* WRITE SAME of no blocks is an error */
	p[1] = min_t(u32, SCSI_MAX_COMPARE / disk->block_bytes, 255);
	put_be(p + 2, 2, disk->physical_bytes / disk->block_bytes);
	put_be(p + 4, 4, disk->max_transfer / disk->block_bytes);
	if (disk->unmaps) {
		put_be(p + 16, 4, 0xffffffff);
		put_be(p + 20, 4, SCSI_MAX_UNMAP);
		put_be(p + 24, 4, grain / disk->block_bytes);
	}
	put_be(p + 32, 8, disk->blocks);	/* WRITE SAME */
	return 60;
}

/* by UNMAP and by both kinds of WRITE SAME; what was given back is zeroes */
static u32 put_provisioning(const struct ovid_scsi_disk *disk, u8 *p)
{
	if (disk->unmaps) {
		p[1] = 0xe4;
		p[2] = 2;	/* thin */
	}
	return 4;
}

static void vital_page(struct command *c, u8 page, u32 alloc)
{
	const struct ovid_scsi_disk *disk = c->disk;
	u8 *p = c->data + 4;
	u32 n = 0;

	if (!has_vital_page(disk, page))
		fail(c, SENSE_BAD_FIELD);
	else if (page == 0x00)
		memcpy(p, vital_pages, n = nr_vital_pages(disk));
	else if (page == 0x80)
		memcpy(p, disk->serial, n = serial_length(disk));
	else if (page == 0x83)
		n = put_designator(disk, p);
	else if (page == 0xb0)
		n = put_limits(disk, p);
	else if (page == 0xb2)
		n = put_provisioning(disk, p);
	if (page == 0xb1 && !disk->dvd) {
		p[1] = 1;	/* does not rotate */
		n = 60;
	}
	c->data[0] = device_type(disk);
	c->data[1] = page;
	put_be(c->data + 2, 2, n);
	answer(c, 4 + n, alloc);
}

void ovid_scsi_inquiry(struct command *c)
{
	u32 alloc = get_be(c->cdb + 3, 2);
	u8 *p = c->data;

	if (c->disk && c->cdb[1] & 1) {
		vital_page(c, c->cdb[2], alloc);
		return;
	}
	if (c->disk && c->cdb[2]) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	p[0] = device_type(c->disk);
	p[1] = c->disk && c->disk->dvd ? 0x80 : 0;	/* the medium can be taken out */
	p[2] = 5;	/* SPC-3 */
	p[3] = 2;
	p[4] = 36 - 5;
	p[7] = 2;	/* takes many commands at a time */
	put_text(p + 8, 8, "Msft");	/* Linux: WRITE SAME for such disks only */
	put_text(p + 16, 16, c->disk && c->disk->dvd ? "Virtual DVD-ROM" : "Virtual Disk");
	put_text(p + 32, 4, "1.0");
	answer(c, 36, alloc);
}

/* ---- modes ---- */

enum values {
	CURRENT,
	CHANGEABLE,
	DEFAULT,
	SAVED,		/* none are */
};

#define CACHING		0x08
#define CONTROL		0x0a
#define ALL_PAGES	0x3f
#define MAX_PAGE	32	/* bytes of the longest */

#define WCE		0x04	/* there is a cache for writes; the guest may switch that off */

/* 0: there is no such */
static u32 put_mode_page(const struct command *c, u8 page, u8 which, u8 *p)
{
	u32 n = page == CACHING ? 20 : page == CONTROL ? 12 : 0;

	memset(p, 0, MAX_PAGE);
	if (c->disk->dvd)
		n = ovid_dvd_mode_page(c, page, which, p);
	else if (page == CACHING && !(which == CURRENT && c->state->write_through))
		p[2] = WCE;
	if (!n)
		return 0;
	p[0] = page;
	p[1] = n - 2;
	return n;
}

/* @page, or all there are */
static u32 put_mode_pages(const struct command *c, u8 page, u8 which, u8 *p)
{
	u32 n = 0;
	u8 i;

	if (page != ALL_PAGES)
		return put_mode_page(c, page, which, p);
	for (i = 1; i < ALL_PAGES; i++)
		n += put_mode_page(c, i, which, p + n);
	return n;
}

void ovid_scsi_mode_sense(struct command *c)
{
	bool small = c->cdb[0] == MODE_SENSE_6;
	u32 head = small ? 4 : 8, n = head, alloc = small ? c->cdb[4] : get_be(c->cdb + 7, 2);
	u8 page = c->cdb[2] & 0x3f, which = c->cdb[2] >> 6, *p = c->data;

	/* there are no subpages */
	if (!c->cdb[3] || c->cdb[3] == 0xff)
		n += put_mode_pages(c, page, which, p + n);
	if (n == head || which == SAVED)
		fail(c, SENSE_BAD_FIELD);
	put_be(p, head / 4, n - head / 4);
	/* FUA is known */
	p[small ? 2 : 3] = (c->disk->read_only ? 0x80 : 0) | (c->disk->dvd ? 0 : 0x10);
	answer(c, n, alloc);
}

void ovid_scsi_mode_select(struct command *c)
{
	/* what cannot be saved is not asked for */
	if (c->cdb[1] & 1)
		fail(c, SENSE_BAD_FIELD);
	else
		want_list(c, c->cdb[0] == MODE_SELECT_6 ? c->cdb[4] : get_be(c->cdb + 7, 2));
}

/* a page as the guest wants it: its bytes, or 0 and why not */
static u32 check_page(struct command *c, const u8 *p, u32 left, u32 *sense)
{
	u8 now[MAX_PAGE], may[MAX_PAGE];
	u32 n, i;

	*sense = SENSE_BAD_LENGTH;
	if (left < 2)
		return 0;
	/* the highest bit is of no meaning here */
	n = put_mode_page(c, p[0] & 0x7f, CURRENT, now);
	*sense = SENSE_BAD_PARAMETER;
	if (!n || p[1] != n - 2)
		return 0;
	*sense = SENSE_BAD_LENGTH;
	if (left < n)
		return 0;
	put_mode_page(c, p[0] & 0x7f, CHANGEABLE, may);
	*sense = SENSE_BAD_PARAMETER;
	for (i = 2; i < n; i++)
		if ((p[i] ^ now[i]) & ~may[i])
			return 0;
	*sense = SENSE_NONE;
	return n;
}

/* where the first page is; 0, and why not */
static u32 check_mode_head(struct command *c, const u8 *list, u32 bytes, u32 *sense)
{
	bool small = c->cdb[0] == MODE_SELECT_6;
	u32 head = small ? 4 : 8, described;

	*sense = SENSE_BAD_LENGTH;
	if (bytes < head)
		return 0;
	described = small ? list[3] : get_be(list + 6, 2);
	if (described > bytes - head)
		return 0;
	/* blocks stay as they are */
	*sense = SENSE_BAD_PARAMETER;
	if (described && (described != 8 ||
			  get_be(list + head + 5, 3) != c->disk->block_bytes))
		return 0;
	*sense = SENSE_NONE;
	return head + described;
}

void ovid_scsi_mode_list(struct command *c, const u8 *list)
{
	u32 bytes = c->req->data_bytes, at, n, sense;
	bool write_through = c->state->write_through;

	for (at = check_mode_head(c, list, bytes, &sense); !sense && at < bytes; at += n) {
		n = check_page(c, list + at, bytes - at, &sense);
		if (n && (list[at] & 0x7f) == CACHING)
			write_through = !(list[at + 2] & WCE);
	}
	if (sense) {
		fail(c, sense);
		return;
	}
	/* what is in the cache does not stay there */
	if (write_through && !c->state->write_through)
		c->req->todo = SCSI_DO_FLUSH;
	c->state->write_through = write_through;
}

/* ---- logs: which there are, that is this list ---- */

void ovid_scsi_log_sense(struct command *c)
{
	/* nothing is saved, and no page has subpages */
	if (c->cdb[1] & 1 || c->cdb[2] & 0x3f || c->cdb[3]) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	put_be(c->data + 2, 2, 1);
	answer(c, 5, get_be(c->cdb + 7, 2));
}

/* ---- capacity ---- */

void ovid_scsi_capacity_10(struct command *c)
{
	u64 last = c->disk->blocks - 1;

	put_be(c->data, 4, min_t(u64, last, 0xffffffff));
	put_be(c->data + 4, 4, c->disk->block_bytes);
	answer(c, 8, 8);
}

void ovid_scsi_capacity_16(struct command *c)
{
	u32 n = c->disk->physical_bytes / c->disk->block_bytes;

	put_be(c->data, 8, c->disk->blocks - 1);
	put_be(c->data + 8, 4, c->disk->block_bytes);
	while (n > 1) {
		c->data[13]++;
		n >>= 1;
	}
	if (c->disk->unmaps)
		c->data[14] = 0xc0;	/* what is unmapped is zeroes */
	answer(c, 32, get_be(c->cdb + 10, 4));
}
