// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only a DVD drive knows: its tray, its disc's tracks, its features.  MMC-6.
 *
 * A disc is one session of one track of data, as an ISO 9660 or UDF image is.  One that would
 * fit on a CD is one, as in other hosts: guests then ask for what a CD has.
 */
#include "../../vmm/purelib.h"
#include "scsi_priv.h"

#define CD_BLOCKS	360000u		/* 80 minutes */
#define DATA_TRACK	0x14		/* position, and data that is not to be copied digitally */
#define LEAD_OUT	0xaa

#define PROFILE_CD	0x0008
#define PROFILE_DVD	0x0010

static bool has_medium(const struct command *c)
{
	return c->disk->blocks && !c->state->tray_open;
}

u32 ovid_dvd_not_ready(const struct command *c)
{
	return has_medium(c) ? SENSE_NONE : c->state->tray_open ? SENSE_TRAY_OPEN : SENSE_NO_MEDIUM;
}

static u16 profile(const struct command *c)
{
	if (!has_medium(c))
		return 0;
	return c->disk->blocks <= CD_BLOCKS ? PROFILE_CD : PROFILE_DVD;
}

/* ---- the tray ---- */

void ovid_scsi_medium(struct ovid_scsi_state *state, bool there)
{
	state->tray_open = false;
	state->event = there ? EVENT_NEW_MEDIUM : EVENT_NO_MEDIUM;
	if (there)
		ovid_scsi_attend(state, ATTENTION_MEDIUM);
}

bool ovid_scsi_may_take(struct ovid_scsi_state *state)
{
	if (!state->prevented)
		return true;
	state->event = EVENT_EJECT;
	return false;
}

/* LOEJ: START is in, else out.  The disc stays in the tray */
void ovid_dvd_tray(struct command *c)
{
	bool in = c->cdb[4] & 1;

	if (!(c->cdb[4] & 2))
		return;
	if (!in && c->state->prevented) {
		fail(c, SENSE_PREVENTED);
		return;
	}
	if (in == c->state->tray_open) {
		ovid_scsi_medium(c->state, in && c->disk->blocks);
		c->state->tray_open = !in;
	}
}

void ovid_dvd_event(struct command *c)
{
	u8 wanted = c->cdb[4], *p = c->data;
	u32 alloc = get_be(c->cdb + 7, 2);

	/* it cannot be waited for */
	if (!(c->cdb[1] & 1)) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	p[3] = 0x10;	/* of media */
	if (!(wanted & 0x10)) {
		p[1] = 2;
		p[2] = 0x80;	/* none of these */
		answer(c, 4, alloc);
		return;
	}
	p[1] = 6;
	p[2] = 4;
	p[4] = c->state->event;
	p[5] = (has_medium(c) ? 2 : 0) | c->state->tray_open;
	answer(c, 8, alloc);
	if (alloc > 4)
		c->state->event = EVENT_NONE;
}

void ovid_dvd_mechanism(struct command *c)
{
	c->data[1] = c->state->tray_open ? 0x10 : 0;
	answer(c, 8, get_be(c->cdb + 8, 2));
}

/* ---- the disc ---- */

/* minutes, seconds, frames if the command asks for that */
static void put_address(const struct command *c, u8 *p, u32 block)
{
	u32 frames = block + 150;

	if (!(c->cdb[1] & 2)) {
		put_be(p, 4, block);
		return;
	}
	p[1] = min_t(u32, frames / (75 * 60), 255);
	p[2] = frames / 75 % 60;
	p[3] = frames % 75;
}

static u32 nr_blocks(const struct command *c)
{
	return min_t(u64, c->disk->blocks, 0xffffffff);
}

static u32 put_track(const struct command *c, u8 *p, u8 track, u32 block)
{
	p[1] = DATA_TRACK;
	p[2] = track;
	put_address(c, p + 4, block);
	return 8;
}

/* from @first on; 0: all */
static u32 put_tracks(const struct command *c, u8 first, u8 *p)
{
	u32 n = 0;

	if (first <= 1)
		n += put_track(c, p, 1, 0);
	return n + put_track(c, p + n, LEAD_OUT, nr_blocks(c));
}

/* of the lead-in; @point is a track, or first track, last track, end in A0 to A2 */
static u32 put_raw(const struct command *c, u8 *p, u8 point, u32 block)
{
	u8 at[4] = {};

	put_address(c, at, block);
	p[0] = 1;
	p[1] = DATA_TRACK;
	p[3] = point;
	if (point == 0xa0 || point == 0xa1)
		p[8] = 1;
	else
		memcpy(p + 8, at + 1, 3);
	return 11;
}

static u32 put_raws(const struct command *c, u8 *p)
{
	static const u8 points[] = { 0xa0, 0xa1, 0xa2, 1 };
	u32 i, n = 0;

	for (i = 0; i < ARRAY_SIZE(points); i++)
		n += put_raw(c, p + n, points[i], points[i] == 0xa2 ? nr_blocks(c) : 0);
	return n;
}

void ovid_dvd_toc(struct command *c)
{
	u8 format = c->cdb[2] & 0xf ?: c->cdb[9] >> 6, first = c->cdb[6], *p = c->data;
	u32 n = 0;

	if (format == 0 && (first <= 1 || first == LEAD_OUT))
		n = put_tracks(c, first, p + 4);
	else if (format == 1)
		n = put_track(c, p + 4, 1, 0);	/* of the last session */
	else if (format == 2 && first <= 1)
		n = put_raws(c, p + 4);
	if (!n) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	put_be(p, 2, 2 + n);
	p[2] = 1;
	p[3] = 1;
	answer(c, 4 + n, get_be(c->cdb + 7, 2));
}

void ovid_dvd_disc(struct command *c)
{
	u8 *p = c->data;

	if (c->cdb[1] & 7) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	put_be(p, 2, 32);
	p[2] = 0x0e;	/* complete, its last session as well */
	p[3] = 1;	/* tracks and sessions: one */
	p[4] = 1;
	p[5] = 1;
	p[6] = 1;
	p[7] = 0x20;
	answer(c, 34, get_be(c->cdb + 7, 2));
}

/* by the number of a block, a track or a session */
void ovid_dvd_track(struct command *c)
{
	u32 what = get_be(c->cdb + 2, 4);
	u8 *p = c->data;

	if ((c->cdb[1] & 3) == 3 ||
	    ((c->cdb[1] & 3) == 0 ? what >= nr_blocks(c) : what != 1)) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	put_be(p, 2, 34);
	p[2] = 1;
	p[3] = 1;
	p[5] = 4;	/* data */
	p[6] = 1;
	put_be(p + 24, 4, nr_blocks(c));
	answer(c, 36, get_be(c->cdb + 7, 2));
}

/* of a DVD: its shape, and that it may be copied */
void ovid_dvd_structure(struct command *c)
{
	u32 n = c->cdb[7] == 0 ? 2048 : 4;
	u8 *p = c->data;

	if (profile(c) != PROFILE_DVD || c->cdb[1] & 0xf || c->cdb[6] || c->cdb[7] > 1) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	memset(p, 0, 4 + n);
	put_be(p, 2, n + 2);
	if (c->cdb[7] == 0) {
		p[4] = 0x01;	/* DVD-ROM, version 1 */
		p[5] = 0x0f;	/* 120 mm, the highest rate */
		p[6] = 0x01;	/* one layer */
		put_be(p + 8, 4, 0x30000);
		put_be(p + 12, 4, 0x30000 + nr_blocks(c) - 1);
	}
	answer(c, 4 + n, get_be(c->cdb + 8, 2));
}

/* ---- what it can do ---- */

struct feature {
	u16 code;
	u8 flags;	/* version << 2 | persistent << 1 */
	u8 bytes;
	u8 data[8];
	u16 profile;	/* it is current with; 0: always; 1: with any medium */
};

static const struct feature features[] = {
	{ 0x0000, 0x03, 8, { 0x00, PROFILE_DVD, 0, 0, 0x00, PROFILE_CD, 0, 0 } },
	{ 0x0001, 0x0b, 8, { 0, 0, 0, 1, 1 } },			/* core: SCSI */
	{ 0x0002, 0x07, 4, { 0x02 } },				/* morphing: events */
	{ 0x0003, 0x03, 4, { 0x29 } },				/* a tray, locked, ejected */
	{ 0x0010, 0x00, 8, { 0, 0, 0x08, 0, 0, 16, 1 }, 1 },	/* blocks of 2048 */
	{ 0x001e, 0x08, 4, { 0 }, PROFILE_CD },
	{ 0x001f, 0x04, 4, { 1 }, PROFILE_DVD },
};

static bool is_current(const struct feature *f, u16 now)
{
	return !f->profile || (f->profile == 1 ? now != 0 : now == f->profile);
}

static u32 put_feature(const struct feature *f, u16 now, u8 *p)
{
	put_be(p, 2, f->code);
	p[2] = f->flags | is_current(f, now);
	p[3] = f->bytes;
	memcpy(p + 4, f->data, f->bytes);
	if (!f->code) {		/* of the profiles, which is */
		p[6] = now == PROFILE_DVD;
		p[10] = now == PROFILE_CD;
	}
	return 4 + f->bytes;
}

/* from a feature on: 0 all, 1 those that are current, 2 that one alone */
void ovid_dvd_configuration(struct command *c)
{
	u16 first = get_be(c->cdb + 2, 2), now = profile(c);
	u8 which = c->cdb[1] & 3, *p = c->data;
	u32 i, n = 8;

	if (which == 3) {
		fail(c, SENSE_BAD_FIELD);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		if (which == 2 ? f->code == first :
		    f->code >= first && (which == 0 || is_current(f, now)))
			n += put_feature(f, now, p + n);
	}
	put_be(p, 4, n - 4);
	put_be(p + 6, 2, now);
	answer(c, n, get_be(c->cdb + 7, 2));
}

/* which == 1: what may be changed: nothing */
u32 ovid_dvd_mode_page(const struct command *c, u8 page, u8 which, u8 *p)
{
	if (page == 0x01)	/* errors: as they come */
		return 12;
	if (page != 0x2a)
		return 0;
	if (which != 1) {
		p[2] = 0x0b;	/* reads CDs and DVDs that were written or pressed */
		p[4] = 0x70;	/* in all forms, several sessions */
		p[6] = 0x29 | (c->state->prevented ? 2 : 0);	/* a tray, locked, ejected */
		put_be(p + 8, 2, 16 * 1385);	/* kB/s */
		put_be(p + 12, 2, 512);		/* kB that it buffers */
		put_be(p + 14, 2, 16 * 1385);
	}
	return 20;
}
