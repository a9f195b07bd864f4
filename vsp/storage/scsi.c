// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCSI disks: commands, and answers that need no look at the medium: scsi.h.
 *
 * A command that is not here is no command of these disks.  Linux's storvsc takes the data of
 * INQUIRY and MODE SENSE whatever status comes with it, so that these always have some.
 */
#include "../../vmm/purelib.h"
#include "scsi.h"

enum opcode {
	TEST_UNIT_READY = 0x00,
	REQUEST_SENSE = 0x03,
	READ_6 = 0x08,
	WRITE_6 = 0x0a,
	INQUIRY = 0x12,
	MODE_SENSE_6 = 0x1a,
	START_STOP_UNIT = 0x1b,
	READ_CAPACITY_10 = 0x25,
	READ_10 = 0x28,
	WRITE_10 = 0x2a,
	VERIFY_10 = 0x2f,
	SYNCHRONIZE_CACHE_10 = 0x35,
	WRITE_SAME_10 = 0x41,
	UNMAP = 0x42,
	MODE_SENSE_10 = 0x5a,
	READ_16 = 0x88,
	WRITE_16 = 0x8a,
	VERIFY_16 = 0x8f,
	SYNCHRONIZE_CACHE_16 = 0x91,
	WRITE_SAME_16 = 0x93,
	SERVICE_ACTION_IN_16 = 0x9e,
	REPORT_LUNS = 0xa0,
	READ_12 = 0xa8,
	WRITE_12 = 0xaa,
	VERIFY_12 = 0xaf,
};

#define READ_CAPACITY_16	0x10	/* of SERVICE_ACTION_IN_16 */

#define NO_DEVICE		0x7f	/* of INQUIRY: there is none, nor could there be */

/* what a handler works on */
struct command {
	const struct ovid_scsi_disk *disk;
	const u8 *cdb;
	struct ovid_scsi_request *req;
	u8 *data;
};

static u64 get_be(const u8 *p, unsigned int bytes)
{
	u64 v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

static void put_be(u8 *p, unsigned int bytes, u64 v)
{
	while (bytes--) {
		p[bytes] = v;
		v >>= 8;
	}
}

static void put_text(u8 *p, unsigned int bytes, const char *text)
{
	memset(p, ' ', bytes);
	memcpy(p, text, min_t(size_t, bytes, strlen(text)));
}

/* the length of a command follows from its group; 0: not one of ours */
static u32 cdb_length(u8 opcode)
{
	static const u8 lengths[8] = { 6, 10, 10, 0, 16, 12, 0, 0 };

	return lengths[opcode >> 5];
}

static void fail(struct command *c, u32 sense)
{
	c->req->todo = SCSI_DO_ANSWER;
	c->req->sense = sense;
	c->req->data_bytes = 0;
}

/* @bytes of data there are, @alloc the guest wants */
static void answer(struct command *c, u32 bytes, u32 alloc)
{
	c->req->data_bytes = min(bytes, alloc);
}

/* ---- INQUIRY ---- */

static u32 serial_length(const struct ovid_scsi_disk *disk)
{
	u32 n = 0;

	while (n < SCSI_SERIAL_BYTES && disk->serial[n])
		n++;
	return n;
}

static const u8 vital_pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };

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
	p[0] = 1;	/* WRITE SAME of no blocks is an error */
	put_be(p + 4, 4, disk->max_transfer / disk->block_bytes);
	if (disk->unmaps) {
		put_be(p + 16, 4, 0xffffffff);
		put_be(p + 20, 4, SCSI_MAX_UNMAP);
		put_be(p + 24, 4, 4096 / disk->block_bytes);	/* a filesystem's */
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
	u32 n;

	switch (page) {
	case 0x00:
		n = sizeof(vital_pages);
		memcpy(p, vital_pages, n);
		break;
	case 0x80:
		n = serial_length(disk);
		memcpy(p, disk->serial, n);
		break;
	case 0x83:
		n = put_designator(disk, p);
		break;
	case 0xb0:
		n = put_limits(disk, p);
		break;
	case 0xb1:
		p[1] = 1;	/* does not rotate */
		n = 60;
		break;
	case 0xb2:
		n = put_provisioning(disk, p);
		break;
	default:
		fail(c, SENSE_BAD_FIELD);
		n = 0;
	}
	c->data[1] = page;
	put_be(c->data + 2, 2, n);
	answer(c, 4 + n, alloc);
}

static void inquiry(struct command *c)
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
	p[0] = c->disk ? 0 : NO_DEVICE;
	p[2] = 5;	/* SPC-3 */
	p[3] = 2;
	p[4] = 36 - 5;
	p[7] = 2;	/* takes many commands at a time */
	put_text(p + 8, 8, "Msft");	/* Linux: WRITE SAME for such disks only */
	put_text(p + 16, 16, "Virtual Disk");
	put_text(p + 32, 4, "1.0");
	answer(c, 36, alloc);
}

/* ---- MODE SENSE ---- */

/* @values: false: which may be changed, that is none */
static u32 put_mode_page(u8 page, bool values, u8 *p)
{
	u32 n = page == 0x08 ? 20 : 12;

	memset(p, 0, n);
	p[0] = page;
	p[1] = n - 2;
	if (page == 0x08 && values)
		p[2] = 4;	/* there is a cache for writes */
	return n;
}

static void mode_sense(struct command *c)
{
	bool small = c->cdb[0] == MODE_SENSE_6;
	u32 head = small ? 4 : 8, n = head, alloc = small ? c->cdb[4] : get_be(c->cdb + 7, 2);
	u8 page = c->cdb[2] & 0x3f, which = c->cdb[2] >> 6, *p = c->data;

	if (c->cdb[3] && c->cdb[3] != 0xff)
		page = 0x3e;	/* no subpage is there; this is no page either */
	if (page == 0x08 || page == 0x3f)
		n += put_mode_page(0x08, which != 1, p + n);
	if (page == 0x0a || page == 0x3f)
		n += put_mode_page(0x0a, which != 1, p + n);
	if (n == head || which == 3)	/* what would be saved */
		fail(c, SENSE_BAD_FIELD);
	put_be(p, head / 4, n - head / 4);
	/* FUA is known */
	p[small ? 2 : 3] = (c->disk->read_only ? 0x80 : 0) | 0x10;
	answer(c, n, alloc);
}

/* ---- READ CAPACITY ---- */

static void read_capacity_10(struct command *c)
{
	u64 last = c->disk->blocks - 1;

	put_be(c->data, 4, min_t(u64, last, 0xffffffff));
	put_be(c->data + 4, 4, c->disk->block_bytes);
	answer(c, 8, 8);
}

static void read_capacity_16(struct command *c)
{
	put_be(c->data, 8, c->disk->blocks - 1);
	put_be(c->data + 8, 4, c->disk->block_bytes);
	if (c->disk->unmaps)
		c->data[14] = 0xc0;	/* what is unmapped is zeroes */
	answer(c, 32, get_be(c->cdb + 10, 4));
}

/* ---- blocks ---- */

/* where a command says which blocks, and how many */
static void get_blocks(const u8 *cdb, u64 *lba, u64 *count)
{
	switch (cdb_length(cdb[0])) {
	case 6:
		*lba = get_be(cdb + 1, 3) & 0x1fffff;
		*count = cdb[4] ?: 256;
		break;
	case 10:
		*lba = get_be(cdb + 2, 4);
		*count = get_be(cdb + 7, 2);
		break;
	case 12:
		*lba = get_be(cdb + 2, 4);
		*count = get_be(cdb + 6, 4);
		break;
	default:
		*lba = get_be(cdb + 2, 8);
		*count = get_be(cdb + 10, 4);
		break;
	}
}

static bool has_blocks(const struct ovid_scsi_disk *disk, u64 lba, u64 count)
{
	return lba <= disk->blocks && count <= disk->blocks - lba;
}

/* offset and bytes; false: it has failed */
static bool take_blocks(struct command *c)
{
	u64 lba, count;

	get_blocks(c->cdb, &lba, &count);
	if (!has_blocks(c->disk, lba, count)) {
		fail(c, SENSE_OUT_OF_RANGE);
		return false;
	}
	c->req->offset = lba * c->disk->block_bytes;
	c->req->bytes = count * c->disk->block_bytes;
	return true;
}

static bool may_write(struct command *c)
{
	if (c->disk->read_only)
		fail(c, SENSE_WRITE_PROTECTED);
	return !c->disk->read_only;
}

static void transfer(struct command *c, enum ovid_scsi_do todo)
{
	bool small = cdb_length(c->cdb[0]) == 6;

	if (!take_blocks(c))
		return;
	/* there is no protection information; and no more than was said in the limits */
	if ((!small && c->cdb[1] >> 5) || c->req->bytes > c->disk->max_transfer) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	c->req->data_bytes = c->req->bytes;
	c->req->fua = !small && c->cdb[1] & 8;
	if (c->req->bytes)
		c->req->todo = todo;
}

/* what is read and found to be there is not compared */
static void verify(struct command *c)
{
	if (c->cdb[1] & 6)
		fail(c, SENSE_BAD_FIELD);
	else
		take_blocks(c);
}

static void write_same(struct command *c)
{
	bool no_data = c->cdb[0] == WRITE_SAME_16 && c->cdb[1] & 1;

	if (!take_blocks(c))
		return;
	if (c->cdb[1] & 0xf0 || !c->req->bytes) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	c->req->todo = SCSI_DO_ZERO;
	c->req->may_unmap = c->cdb[1] & 8;
	c->req->data_bytes = no_data ? 0 : c->disk->block_bytes;
}

static void unmap(struct command *c)
{
	u32 bytes = get_be(c->cdb + 7, 2);

	if (!c->disk->unmaps) {
		fail(c, SENSE_BAD_OPCODE);
	} else if (c->cdb[1] & 1) {
		fail(c, SENSE_BAD_FIELD);
	} else if (bytes && (bytes < 8 || bytes > SCSI_DATA_BYTES)) {
		fail(c, SENSE_BAD_LENGTH);
	} else if (bytes) {
		c->req->todo = SCSI_DO_UNMAP;
		c->req->data_bytes = bytes;
	}
}

u32 ovid_scsi_unmap_list(const struct ovid_scsi_disk *disk, const u8 *list, u32 bytes,
			 struct ovid_scsi_extent *extents, u32 *sense)
{
	u32 n, nr = 0;

	*sense = SENSE_BAD_LENGTH;
	if (bytes < 8)
		return 0;
	n = min_t(u32, get_be(list + 2, 2), bytes - 8) / 16;
	*sense = SENSE_BAD_PARAMETER;
	if (n > SCSI_MAX_UNMAP)
		return 0;
	for (list += 8; n--; list += 16) {
		u64 lba = get_be(list, 8), count = get_be(list + 8, 4);

		*sense = SENSE_OUT_OF_RANGE;
		if (!has_blocks(disk, lba, count))
			return 0;
		if (!count)
			continue;
		extents[nr].offset = lba * disk->block_bytes;
		extents[nr++].bytes = count * disk->block_bytes;
	}
	*sense = SENSE_NONE;
	return nr;
}

/* ---- units ---- */

u32 ovid_scsi_luns(u64 luns, u32 alloc, u8 *data)
{
	u32 n = 8, lun;

	memset(data, 0, 8 * (SCSI_MAX_LUNS + 1));
	for (lun = 0; lun < SCSI_MAX_LUNS; lun++) {
		if (!(luns >> lun & 1))
			continue;
		data[n + 1] = lun;
		n += 8;
	}
	put_be(data, 4, n - 8);
	return min(n, alloc);
}

void ovid_scsi_sense(u32 sense, u8 *data)
{
	memset(data, 0, SCSI_SENSE_BYTES);
	data[0] = 0x70;
	data[2] = sense >> 16;
	data[7] = SCSI_SENSE_BYTES - 8;
	data[12] = sense >> 8;
	data[13] = sense;
}

static void request_sense(struct command *c, u32 *attention)
{
	ovid_scsi_sense(c->disk ? *attention : SENSE_NO_LUN, c->data);
	*attention = SENSE_NONE;
	answer(c, SCSI_SENSE_BYTES, c->cdb[4]);
}

/* those that look at no medium, and tell no attention; false: not one of them */
static bool about_unit(struct command *c, u32 *attention)
{
	switch (c->cdb[0]) {
	case INQUIRY:
		inquiry(c);
		return true;
	case REPORT_LUNS:
		c->req->todo = SCSI_DO_LUNS;
		c->req->alloc = get_be(c->cdb + 6, 4);
		return true;
	case REQUEST_SENSE:
		request_sense(c, attention);
		return true;
	default:
		return false;
	}
}

static void about_medium(struct command *c)
{
	switch (c->cdb[0]) {
	case TEST_UNIT_READY:
	case START_STOP_UNIT:
		break;
	case MODE_SENSE_6: case MODE_SENSE_10:
		mode_sense(c);
		break;
	case READ_CAPACITY_10:
		read_capacity_10(c);
		break;
	case SERVICE_ACTION_IN_16:
		if ((c->cdb[1] & 0x1f) == READ_CAPACITY_16)
			read_capacity_16(c);
		else
			fail(c, SENSE_BAD_FIELD);
		break;
	case READ_6: case READ_10: case READ_12: case READ_16:
		transfer(c, SCSI_DO_READ);
		break;
	case VERIFY_10: case VERIFY_12: case VERIFY_16:
		verify(c);
		break;
	case SYNCHRONIZE_CACHE_10: case SYNCHRONIZE_CACHE_16:
		c->req->todo = SCSI_DO_FLUSH;	/* whichever blocks it names: all */
		break;
	case WRITE_6: case WRITE_10: case WRITE_12: case WRITE_16:
		if (may_write(c))
			transfer(c, SCSI_DO_WRITE);
		break;
	case WRITE_SAME_10: case WRITE_SAME_16:
		if (may_write(c))
			write_same(c);
		break;
	case UNMAP:
		if (may_write(c))
			unmap(c);
		break;
	default:
		fail(c, SENSE_BAD_OPCODE);
	}
}

void ovid_scsi_decode(const struct ovid_scsi_disk *disk, const u8 *cdb, u32 cdb_bytes,
		      u32 *attention, struct ovid_scsi_request *req, u8 *data)
{
	struct command c = { .disk = disk, .cdb = cdb, .req = req, .data = data };

	*req = (struct ovid_scsi_request){ .todo = SCSI_DO_ANSWER };
	memset(data, 0, 256);	/* more is in no answer of ours */
	if (!cdb_length(cdb[0]) || cdb_bytes < cdb_length(cdb[0])) {
		fail(&c, disk ? SENSE_BAD_OPCODE : SENSE_NO_LUN);
		return;
	}
	if (about_unit(&c, attention))
		return;
	if (!disk) {
		fail(&c, SENSE_NO_LUN);
	} else if (*attention) {
		fail(&c, *attention);
		*attention = SENSE_NONE;
	} else {
		about_medium(&c);
	}
}
