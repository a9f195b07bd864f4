// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCSI commands: the table of them, and those that move data: scsi.h.
 *
 * A command that is not in the table is no command of these units.
 */
#include "../../vmm/purelib.h"
#include "scsi_priv.h"

/* the length of a command follows from its group; 0: not one of ours */
static u32 cdb_length(u8 opcode)
{
	static const u8 lengths[8] = { 6, 10, 10, 0, 16, 12, 0, 0 };

	return lengths[opcode >> 5];
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

/* what is to be on the medium when it is answered */
static bool wants_fua(const struct command *c, bool asked)
{
	return asked || c->state->write_through;
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
	if (todo != SCSI_DO_READ)
		c->req->fua = wants_fua(c, c->req->fua);
	if (c->req->bytes)
		c->req->todo = todo;
}

static void do_read(struct command *c)
{
	transfer(c, SCSI_DO_READ);
}

static void do_write(struct command *c)
{
	transfer(c, SCSI_DO_WRITE);
}

/* BYTCHK: 0 the medium alone is looked at, 1 it is compared */
static bool take_check(struct command *c, bool *compare)
{
	*compare = c->cdb[1] & 2;
	if (c->cdb[1] & 0xe4)
		fail(c, SENSE_BAD_FIELD);
	return !c->req->sense;
}

/* what is read and found to be there is not compared */
static void verify(struct command *c)
{
	bool compare;

	if (!take_check(c, &compare) || !take_blocks(c) || !compare)
		return;
	if (c->req->bytes > c->disk->max_transfer)
		fail(c, SENSE_BAD_FIELD);
	else if (c->req->bytes)
		c->req->todo = SCSI_DO_VERIFY;
	c->req->data_bytes = c->req->sense ? 0 : c->req->bytes;
}

/* a write that has reached the medium has been verified, unless it is to be compared */
static void write_verify(struct command *c)
{
	bool compare;

	if (!take_check(c, &compare))
		return;
	transfer(c, compare ? SCSI_DO_WRITE_VERIFY : SCSI_DO_WRITE);
	c->req->fua = true;
}

static void compare_write(struct command *c)
{
	u64 lba = get_be(c->cdb + 2, 8);
	u32 count = c->cdb[13];

	if (c->cdb[1] >> 5 || count > SCSI_MAX_COMPARE / c->disk->block_bytes) {
		fail(c, SENSE_BAD_FIELD);
	} else if (!has_blocks(c->disk, lba, count)) {
		fail(c, SENSE_OUT_OF_RANGE);
	} else if (count) {
		c->req->todo = SCSI_DO_COMPARE_WRITE;
		c->req->offset = lba * c->disk->block_bytes;
		c->req->bytes = count * c->disk->block_bytes;
		c->req->data_bytes = 2 * c->req->bytes;
		c->req->fua = wants_fua(c, c->cdb[1] & 8);
	}
}

static void flush(struct command *c)
{
	c->req->todo = SCSI_DO_FLUSH;	/* whichever blocks it names: all */
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
	c->req->fua = wants_fua(c, false);
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
		c->req->fua = wants_fua(c, false);
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

/* ---- attentions, sense ---- */

static const u32 attention_sense[ATTENTIONS] = {
	[ATTENTION_BUS_RESET] = SENSE_BUS_RESET,
	[ATTENTION_MEDIUM] = SENSE_MEDIUM_CHANGED,
	[ATTENTION_LUNS] = SENSE_LUNS_CHANGED,
	[ATTENTION_CAPACITY] = SENSE_CAPACITY_CHANGED,
};

/* the first of those that wait, which is told now; or none */
static u32 next_attention(struct ovid_scsi_state *state)
{
	u32 i;

	for (i = 0; i < ATTENTIONS; i++) {
		if (!(state->attentions & BIT(i)))
			continue;
		state->attentions &= ~BIT(i);
		return attention_sense[i];
	}
	return SENSE_NONE;
}

/* what waits to be told is part of it */
void ovid_scsi_reset(struct ovid_scsi_state *state, u32 attentions)
{
	state->write_through = false;
	state->prevented = false;
	state->attentions = attentions;
}

bool ovid_scsi_state_ok(const struct ovid_scsi_state *state)
{
	return state->attentions < BIT(ATTENTIONS) && state->event < EVENTS &&
	       ovid_scsi_reserve_ok(&state->reserve);
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

void ovid_scsi_sense_info(u32 info, u8 *data)
{
	data[0] |= 0x80;
	put_be(data + 3, 4, info);
}

static void request_sense(struct command *c)
{
	u32 sense = SENSE_NO_LUN;

	/* of the two formats it has the fixed one */
	if (c->cdb[1] & 1) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	if (c->disk)
		sense = next_attention(c->state);
	if (c->disk && !sense && c->disk->dvd)
		sense = ovid_dvd_not_ready(c);
	ovid_scsi_sense(sense, c->data);
	answer(c, SCSI_SENSE_BYTES, c->cdb[4]);
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

static void report_luns(struct command *c)
{
	c->req->todo = SCSI_DO_LUNS;
	c->req->alloc = get_be(c->cdb + 6, 4);
}

static void ready(struct command *c)
{
}

/* a disk that is stopped has its data on the medium, and goes on */
static void start_stop(struct command *c)
{
	bool condition = c->cdb[4] >> 4;

	if (c->disk->dvd && !condition)
		ovid_dvd_tray(c);
	else if (c->cdb[4] & 2)
		fail(c, SENSE_BAD_FIELD);	/* there is nothing to be taken out */
	else if (!condition && !(c->cdb[4] & 5))
		flush(c);
}

static void prevent(struct command *c)
{
	if (c->cdb[4] & 2)
		fail(c, SENSE_BAD_FIELD);
	else
		c->state->prevented = c->cdb[4] & 1;
}

/* ---- the table ---- */

enum row_flags {
	DISK = 1 << 0,
	DVD = 1 << 1,		/* both: it is a command of both */
	READS = 1 << 2,		/* wants a medium */
	WRITES = 1 << 3,	/* ... that may be written to */
	QUIET = 1 << 4,		/* tells no attention */
};

#define ANY		(DISK | DVD)
#define NO_ACTION	0xff

/**
 * struct row - a command
 * @opcode: first byte
 * @action: service action, where it is one of several; NO_ACTION
 * @flags: enum row_flags
 * @handler: decodes it
 * @usage: bits that are looked at, from the second byte on
 */
struct row {
	u8 opcode;
	u8 action;
	u8 flags;
	void (*handler)(struct command *c);
	u8 usage[15];
};

static void report_opcodes(struct command *c);

#define BLOCKS_6	"\x1f\xff\xff\xff"
#define BLOCKS_10	"\xff\xff\xff\xff\x00\xff\xff"
#define BLOCKS_12	"\xff\xff\xff\xff\xff\xff\xff\xff"
#define BLOCKS_16	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

/* what is asked most comes first */
static const struct row rows[] = {
	{ READ_10, NO_ACTION, ANY | READS, do_read, "\x18" BLOCKS_10 },
	{ WRITE_10, NO_ACTION, DISK | WRITES, do_write, "\x18" BLOCKS_10 },
	{ READ_16, NO_ACTION, DISK | READS, do_read, "\x18" BLOCKS_16 },
	{ WRITE_16, NO_ACTION, DISK | WRITES, do_write, "\x18" BLOCKS_16 },
	{ SYNCHRONIZE_CACHE_10, NO_ACTION, DISK, flush, "\x02" BLOCKS_10 },
	{ SYNCHRONIZE_CACHE_16, NO_ACTION, DISK, flush, "\x02" BLOCKS_16 },
	{ UNMAP, NO_ACTION, DISK | WRITES, unmap, "\x01\0\0\0\0\0\xff\xff" },
	{ WRITE_SAME_10, NO_ACTION, DISK | WRITES, write_same, "\xf8" BLOCKS_10 },
	{ WRITE_SAME_16, NO_ACTION, DISK | WRITES, write_same, "\xf9" BLOCKS_16 },
	{ READ_6, NO_ACTION, DISK | READS, do_read, BLOCKS_6 },
	{ WRITE_6, NO_ACTION, DISK | WRITES, do_write, BLOCKS_6 },
	{ READ_12, NO_ACTION, ANY | READS, do_read, "\x18" BLOCKS_12 },
	{ WRITE_12, NO_ACTION, DISK | WRITES, do_write, "\x18" BLOCKS_12 },
	{ VERIFY_10, NO_ACTION, DISK | READS, verify, "\x16" BLOCKS_10 },
	{ VERIFY_12, NO_ACTION, DISK | READS, verify, "\x16" BLOCKS_12 },
	{ VERIFY_16, NO_ACTION, DISK | READS, verify, "\x16" BLOCKS_16 },
	{ WRITE_AND_VERIFY_10, NO_ACTION, DISK | WRITES, write_verify, "\x16" BLOCKS_10 },
	{ WRITE_AND_VERIFY_12, NO_ACTION, DISK | WRITES, write_verify, "\x16" BLOCKS_12 },
	{ WRITE_AND_VERIFY_16, NO_ACTION, DISK | WRITES, write_verify, "\x16" BLOCKS_16 },
	{ COMPARE_AND_WRITE, NO_ACTION, DISK | WRITES, compare_write,
	  "\x18\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\xff" },
	{ TEST_UNIT_READY, NO_ACTION, ANY | READS, ready },
	{ REQUEST_SENSE, NO_ACTION, ANY | QUIET, request_sense, "\x01\0\0\xff" },
	{ INQUIRY, NO_ACTION, ANY | QUIET, ovid_scsi_inquiry, "\x01\xff\xff\xff" },
	{ REPORT_LUNS, NO_ACTION, ANY | QUIET, report_luns, "\0\xff\0\0\0\xff\xff\xff\xff" },
	/* storvsc would take what is said of an attention for modes */
	{ MODE_SENSE_6, NO_ACTION, ANY | QUIET, ovid_scsi_mode_sense, "\x08\xff\xff\xff" },
	{ MODE_SENSE_10, NO_ACTION, ANY | QUIET, ovid_scsi_mode_sense,
	  "\x18\xff\xff\0\0\0\xff\xff" },
	{ MODE_SELECT_6, NO_ACTION, ANY, ovid_scsi_mode_select, "\x11\0\0\xff" },
	{ MODE_SELECT_10, NO_ACTION, ANY, ovid_scsi_mode_select, "\x11\0\0\0\0\0\xff\xff" },
	{ START_STOP_UNIT, NO_ACTION, ANY, start_stop, "\x01\0\0\xf7" },
	{ PREVENT_ALLOW_MEDIUM_REMOVAL, NO_ACTION, ANY, prevent, "\0\0\0\x03" },
	{ LOG_SENSE, NO_ACTION, DISK, ovid_scsi_log_sense, "\x01\xff\xff\0\0\0\xff\xff" },
	{ READ_CAPACITY_10, NO_ACTION, ANY | READS, ovid_scsi_capacity_10 },
	{ SERVICE_ACTION_IN_16, 0x10, DISK | READS, ovid_scsi_capacity_16,
	  "\x1f\0\0\0\0\0\0\0\0\xff\xff\xff\xff" },
	{ MAINTENANCE_IN, 0x0c, ANY, report_opcodes, "\x1f\x07\xff\xff\xff\xff\xff\xff\xff" },
	{ PERSISTENT_RESERVE_IN, 0, DISK, ovid_scsi_reserve_in, "\x1f\0\0\0\0\0\xff\xff" },
	{ PERSISTENT_RESERVE_IN, 1, DISK, ovid_scsi_reserve_in, "\x1f\0\0\0\0\0\xff\xff" },
	{ PERSISTENT_RESERVE_IN, 2, DISK, ovid_scsi_reserve_in, "\x1f\0\0\0\0\0\xff\xff" },
	{ PERSISTENT_RESERVE_IN, 3, DISK, ovid_scsi_reserve_in, "\x1f\0\0\0\0\0\xff\xff" },
	{ PERSISTENT_RESERVE_OUT, 0, DISK, ovid_scsi_reserve_out, "\x1f\0\0\0\xff\xff\xff\xff" },
	{ PERSISTENT_RESERVE_OUT, 1, DISK, ovid_scsi_reserve_out, "\x1f\xff\0\0\xff\xff\xff\xff" },
	{ PERSISTENT_RESERVE_OUT, 2, DISK, ovid_scsi_reserve_out, "\x1f\xff\0\0\xff\xff\xff\xff" },
	{ PERSISTENT_RESERVE_OUT, 3, DISK, ovid_scsi_reserve_out, "\x1f\0\0\0\xff\xff\xff\xff" },
	{ PERSISTENT_RESERVE_OUT, 4, DISK, ovid_scsi_reserve_out, "\x1f\xff\0\0\xff\xff\xff\xff" },
	{ PERSISTENT_RESERVE_OUT, 5, DISK, ovid_scsi_reserve_out, "\x1f\xff\0\0\xff\xff\xff\xff" },
	{ PERSISTENT_RESERVE_OUT, 6, DISK, ovid_scsi_reserve_out, "\x1f\0\0\0\xff\xff\xff\xff" },
	{ READ_TOC, NO_ACTION, DVD | READS, ovid_dvd_toc, "\x02\x0f\0\0\0\xff\xff\xff\xc0" },
	{ GET_CONFIGURATION, NO_ACTION, DVD | QUIET, ovid_dvd_configuration,
	  "\x03\xff\xff\0\0\0\xff\xff" },
	{ GET_EVENT_STATUS_NOTIFICATION, NO_ACTION, DVD | QUIET, ovid_dvd_event,
	  "\x01\0\0\xff\0\0\xff\xff" },
	{ READ_DISC_INFORMATION, NO_ACTION, DVD | READS, ovid_dvd_disc,
	  "\x07\0\0\0\0\0\xff\xff" },
	{ READ_TRACK_INFORMATION, NO_ACTION, DVD | READS, ovid_dvd_track,
	  "\x03\xff\xff\xff\xff\0\xff\xff" },
	{ READ_DISC_STRUCTURE, NO_ACTION, DVD | READS, ovid_dvd_structure,
	  "\x0f\0\0\0\0\xff\xff\xff\xff" },
	{ MECHANISM_STATUS, NO_ACTION, DVD, ovid_dvd_mechanism, "\0\0\0\0\0\0\0\xff\xff" },
	{ SET_CD_SPEED, NO_ACTION, DVD, ready },
};

/* of units of the disk's kind; NULL: @known: there are other service actions */
static const struct row *find_row(const struct ovid_scsi_disk *disk, u8 opcode, u8 action,
				  bool *known)
{
	u8 kind = disk && disk->dvd ? DVD : DISK;
	const struct row *row;

	*known = false;
	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		if (row->opcode != opcode || !(row->flags & kind))
			continue;
		*known = true;
		if (row->action == NO_ACTION || row->action == action)
			return row;
	}
	return NULL;
}

/* ---- REPORT SUPPORTED OPERATION CODES: no command has a timeout ---- */

static bool is_offered(const struct ovid_scsi_disk *disk, const struct row *row)
{
	return row->flags & (disk->dvd ? DVD : DISK) && (row->opcode != UNMAP || disk->unmaps);
}

static u32 put_all_opcodes(const struct ovid_scsi_disk *disk, u8 *p)
{
	u32 i, n = 4;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!is_offered(disk, &rows[i]))
			continue;
		memset(p + n, 0, 8);
		p[n] = rows[i].opcode;
		if (rows[i].action != NO_ACTION) {
			p[n + 3] = rows[i].action;
			p[n + 5] = 1;
		}
		p[n + 7] = cdb_length(rows[i].opcode);
		n += 8;
	}
	put_be(p, 4, n - 4);
	return n;
}

/* 1: it is not supported, 3: as the standard has it */
static u32 put_opcode(const struct ovid_scsi_disk *disk, const struct row *row, u8 *p)
{
	u32 n = row && is_offered(disk, row) ? cdb_length(row->opcode) : 0;

	p[1] = n ? 3 : 1;
	put_be(p + 2, 2, n);
	if (n) {
		p[4] = row->opcode;
		memcpy(p + 5, row->usage, n - 1);
		if (row->action != NO_ACTION)
			p[5] = (p[5] & ~0x1f) | row->action;
	}
	return 4 + n;
}

static void report_opcodes(struct command *c)
{
	u8 how = c->cdb[2] & 7, opcode = c->cdb[3];
	u16 action = get_be(c->cdb + 4, 2);
	u32 alloc = get_be(c->cdb + 6, 4);
	const struct row *row;
	bool known, actions;

	if (!how) {
		answer(c, put_all_opcodes(c->disk, c->data), alloc);
		return;
	}
	row = find_row(c->disk, opcode, min_t(u16, action, 0xfe), &known);
	actions = known && (!row || row->action != NO_ACTION);
	/* 1: one without service actions, 2: with them, 3: either */
	if (how > 3 || (how == 1 && actions) || (how == 2 && known && !actions)) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	if (how == 3 && !actions && action)
		row = NULL;
	answer(c, put_opcode(c->disk, row, c->data), alloc);
}

/* ---- decoding ---- */

/* 0, or why not: what comes before what the command itself says */
static u32 check_unit(struct command *c, const struct row *row)
{
	u32 sense = SENSE_NONE;

	if (row->flags & QUIET)
		return SENSE_NONE;
	if (c->state->attentions)
		return next_attention(c->state);
	if (row->flags & (READS | WRITES) && c->disk->dvd)
		sense = ovid_dvd_not_ready(c);
	if (!sense && row->flags & WRITES && c->disk->read_only)
		sense = SENSE_WRITE_PROTECTED;
	return sense;
}

/* what is said where there is no unit */
static bool needs_no_unit(u8 opcode)
{
	return opcode == INQUIRY || opcode == REPORT_LUNS || opcode == REQUEST_SENSE;
}

void ovid_scsi_decode(const struct ovid_scsi_disk *disk, struct ovid_scsi_state *state,
		      const u8 *cdb, u32 cdb_bytes, struct ovid_scsi_request *req, u8 *data)
{
	struct command c = { .disk = disk, .state = state, .cdb = cdb, .req = req, .data = data };
	const struct row *row;
	bool known = false;
	u32 sense;

	*req = (struct ovid_scsi_request){ .todo = SCSI_DO_ANSWER };
	memset(data, 0, 256);	/* an answer with more sees to it */
	if (!disk && !needs_no_unit(cdb[0])) {
		fail(&c, SENSE_NO_LUN);
		return;
	}
	row = cdb_bytes < cdb_length(cdb[0]) ? NULL :
	      find_row(disk, cdb[0], cdb[1] & 0x1f, &known);
	if (!row) {
		sense = known ? SENSE_BAD_FIELD : SENSE_BAD_OPCODE;
		fail(&c, disk ? sense : SENSE_NO_LUN);
		return;
	}
	sense = check_unit(&c, row);
	if (sense)
		fail(&c, sense);
	else
		row->handler(&c);
}

void ovid_scsi_parameters(const struct ovid_scsi_disk *disk, struct ovid_scsi_state *state,
			  const u8 *cdb, struct ovid_scsi_request *req, const u8 *list)
{
	struct command c = { .disk = disk, .state = state, .cdb = cdb, .req = req };

	req->todo = SCSI_DO_ANSWER;
	if (cdb[0] == PERSISTENT_RESERVE_OUT)
		ovid_scsi_reserve_list(&c, list);
	else
		ovid_scsi_mode_list(&c, list);
	req->data_bytes = 0;
}
