/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of scsi.h share (pure). */
#ifndef OVID_STORAGE_SCSI_PRIV_H
#define OVID_STORAGE_SCSI_PRIV_H

#include "scsi.h"

enum scsi_opcode {
	TEST_UNIT_READY = 0x00,
	REQUEST_SENSE = 0x03,
	READ_6 = 0x08,
	WRITE_6 = 0x0a,
	INQUIRY = 0x12,
	MODE_SELECT_6 = 0x15,
	MODE_SENSE_6 = 0x1a,
	START_STOP_UNIT = 0x1b,
	PREVENT_ALLOW_MEDIUM_REMOVAL = 0x1e,
	READ_CAPACITY_10 = 0x25,
	READ_10 = 0x28,
	WRITE_10 = 0x2a,
	WRITE_AND_VERIFY_10 = 0x2e,
	VERIFY_10 = 0x2f,
	SYNCHRONIZE_CACHE_10 = 0x35,
	WRITE_SAME_10 = 0x41,
	UNMAP = 0x42,
	READ_TOC = 0x43,
	GET_CONFIGURATION = 0x46,
	GET_EVENT_STATUS_NOTIFICATION = 0x4a,
	LOG_SENSE = 0x4d,
	READ_DISC_INFORMATION = 0x51,
	READ_TRACK_INFORMATION = 0x52,
	MODE_SELECT_10 = 0x55,
	MODE_SENSE_10 = 0x5a,
	PERSISTENT_RESERVE_IN = 0x5e,
	PERSISTENT_RESERVE_OUT = 0x5f,
	READ_16 = 0x88,
	COMPARE_AND_WRITE = 0x89,
	WRITE_16 = 0x8a,
	WRITE_AND_VERIFY_16 = 0x8e,
	VERIFY_16 = 0x8f,
	SYNCHRONIZE_CACHE_16 = 0x91,
	WRITE_SAME_16 = 0x93,
	SERVICE_ACTION_IN_16 = 0x9e,
	REPORT_LUNS = 0xa0,
	MAINTENANCE_IN = 0xa3,
	READ_12 = 0xa8,
	WRITE_12 = 0xaa,
	READ_DISC_STRUCTURE = 0xad,
	WRITE_AND_VERIFY_12 = 0xae,
	VERIFY_12 = 0xaf,
	SET_CD_SPEED = 0xbb,
	MECHANISM_STATUS = 0xbd,
};

/* what a handler works on */
struct command {
	const struct ovid_scsi_disk *disk;
	struct ovid_scsi_state *state;
	const u8 *cdb;
	struct ovid_scsi_request *req;
	u8 *data;
};

static inline u64 get_be(const u8 *p, unsigned int bytes)
{
	u64 v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

static inline void put_be(u8 *p, unsigned int bytes, u64 v)
{
	while (bytes--) {
		p[bytes] = v;
		v >>= 8;
	}
}

static inline void fail(struct command *c, u32 sense)
{
	c->req->todo = SCSI_DO_ANSWER;
	c->req->sense = sense;
	c->req->data_bytes = 0;
}

/* @bytes of data there are, @alloc the guest wants */
static inline void answer(struct command *c, u32 bytes, u32 alloc)
{
	c->req->data_bytes = min(bytes, alloc);
}

/* a list of @bytes comes from the guest */
static inline void want_list(struct command *c, u32 bytes)
{
	if (bytes > SCSI_DATA_BYTES) {
		fail(c, SENSE_BAD_LENGTH);
	} else if (bytes) {
		c->req->todo = SCSI_DO_PARAMETERS;
		c->req->data_bytes = bytes;
	}
}

/* ---- scsi_info.c ---- */
void ovid_scsi_inquiry(struct command *c);
void ovid_scsi_mode_sense(struct command *c);
void ovid_scsi_mode_select(struct command *c);
/* its list is there */
void ovid_scsi_mode_list(struct command *c, const u8 *list);
void ovid_scsi_log_sense(struct command *c);
void ovid_scsi_capacity_10(struct command *c);
void ovid_scsi_capacity_16(struct command *c);

/* ---- scsi_reserve.c ---- */
void ovid_scsi_reserve_in(struct command *c);
void ovid_scsi_reserve_out(struct command *c);
/* its list is there */
void ovid_scsi_reserve_list(struct command *c, const u8 *list);
bool ovid_scsi_reserve_ok(const struct ovid_scsi_reserve *r);

/* ---- dvd.c ---- */
/* 0, or why nothing can be read */
u32 ovid_dvd_not_ready(const struct command *c);
/* START STOP UNIT */
void ovid_dvd_tray(struct command *c);
/* a mode page's content; bytes, 0: there is none */
u32 ovid_dvd_mode_page(const struct command *c, u8 page, u8 which, u8 *p);
void ovid_dvd_toc(struct command *c);
void ovid_dvd_configuration(struct command *c);
void ovid_dvd_event(struct command *c);
void ovid_dvd_disc(struct command *c);
void ovid_dvd_track(struct command *c);
void ovid_dvd_structure(struct command *c);
void ovid_dvd_mechanism(struct command *c);

#endif
