/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol around SCSI requests (pure): versions, the order of the handshake, and
 * how a request's end is told.
 */
#ifndef OVID_STORAGE_VSTOR_H
#define OVID_STORAGE_VSTOR_H

#include "proto.h"

#define STOR_MAX_TRANSFER	(1u << 20)

enum ovid_stor_phase {
	STOR_PHASE_NEW,		/* opened: BEGIN_INITIALIZATION has to come */
	STOR_PHASE_BEGUN,
	STOR_PHASE_READY,	/* requests */
	STOR_PHASE_SHARED,	/* there are sub-channels, too; they have no other phase */
	STOR_PHASES
};

enum ovid_stor_do {
	STOR_DO_REPLY,		/* the packet is the answer now */
	STOR_DO_SRB,		/* there is a request in it */
	STOR_DO_RESET,		/* the answer is it, too, but only when nothing is under way */
	STOR_DO_SUBS,		/* the answer is it, too, if they can be had */
};

/**
 * ovid_stor_packet - a packet of the guest's
 * @phase: in, out
 * @packet: in: a copy, zeroes behind @bytes; out: the answer, but with STOR_DO_SRB
 * @bytes: of it
 * @subs: in: as many sub-channels may be; out: with STOR_DO_SUBS: as many are wanted
 *
 * Return: what to do.
 */
enum ovid_stor_do ovid_stor_packet(enum ovid_stor_phase *phase, struct stor_w_packet *packet,
				   u32 bytes, u16 *subs);
/* what was to be done cannot: no memory */
void ovid_stor_no_subs(enum ovid_stor_phase *phase, struct stor_w_packet *packet);

/* how long an answer to a packet of @bytes is: guests before 5.1 have less room */
u32 ovid_stor_reply_bytes(u32 bytes);

/* makes a request its answer: @moved bytes of data, no error */
void ovid_stor_good(struct stor_w_packet *packet, u32 moved);
/* @sense: as of scsi.h, not 0 */
void ovid_stor_check(struct stor_w_packet *packet, u32 sense, u32 moved);
/* what was to be the same differs at @offset */
void ovid_stor_miscompare(struct stor_w_packet *packet, u32 offset);
/* what needs no sense: statuses */
void ovid_stor_refuse(struct stor_w_packet *packet, u8 srb_status, u8 scsi_status);

#endif
