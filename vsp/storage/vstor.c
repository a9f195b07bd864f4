// SPDX-License-Identifier: GPL-2.0-only
/*
 * The protocol around SCSI requests: vstor.h.  What differs between versions is the length of
 * a packet, which each one says by itself; so a version needs no memory of.
 */
#include "../../vmm/purelib.h"
#include "scsi.h"
#include "vstor.h"

/* Windows 7 and 8, 8.1, 10; the first two without what is behind the CDB */
static const u16 versions[] = {
	STOR_VERSION(2, 0), STOR_VERSION(4, 2), STOR_VERSION(5, 1), STOR_VERSION(6, 0),
	STOR_VERSION(6, 2),
};

static u32 check_version(const struct stor_w_version *wanted)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(versions); i++)
		if (versions[i] == wanted->version)
			return STOR_OK;
	return STOR_REVISION_MISMATCH;
}

static u32 handshake(enum ovid_stor_phase *phase, struct stor_w_packet *packet, u16 max_subs)
{
	enum ovid_stor_phase needed = packet->op == STOR_BEGIN_INITIALIZATION ?
				      STOR_PHASE_NEW : STOR_PHASE_BEGUN;

	if (*phase != needed)
		return STOR_INVALID_STATE;
	switch (packet->op) {
	case STOR_BEGIN_INITIALIZATION:
		*phase = STOR_PHASE_BEGUN;
		return STOR_OK;
	case STOR_QUERY_VERSION:
		return check_version(&packet->version);
	case STOR_QUERY_PROPERTIES:
		packet->properties = (struct stor_w_properties){
			.max_subs = max_subs,
			.flags = max_subs ? STOR_HAS_SUBS : 0,
			.max_transfer = STOR_MAX_TRANSFER,
		};
		return STOR_OK;
	default:
		*phase = STOR_PHASE_READY;
		return STOR_OK;
	}
}

/* once for each open */
static u32 create_subs(enum ovid_stor_phase *phase, const struct stor_w_packet *packet, u16 *subs,
		       enum ovid_stor_do *todo)
{
	if (*phase != STOR_PHASE_READY)
		return STOR_INVALID_STATE;
	if (packet->subs > *subs)
		return STOR_INVALID_REQUEST;
	*subs = packet->subs;
	if (!*subs)
		return STOR_OK;
	*phase = STOR_PHASE_SHARED;
	*todo = STOR_DO_SUBS;
	return STOR_OK;
}

void ovid_stor_no_subs(enum ovid_stor_phase *phase, struct stor_w_packet *packet)
{
	*phase = STOR_PHASE_READY;
	packet->status = STOR_NO_RESOURCES;
}

static u32 status_of(enum ovid_stor_phase *phase, struct stor_w_packet *packet, u32 bytes,
		     u16 *subs, enum ovid_stor_do *todo)
{
	if (bytes < STOR_PACKET_OLD_BYTES)
		return STOR_INVALID_REQUEST;
	switch (packet->op) {
	case STOR_BEGIN_INITIALIZATION:
	case STOR_QUERY_VERSION:
	case STOR_QUERY_PROPERTIES:
	case STOR_END_INITIALIZATION:
		return handshake(phase, packet, *subs);
	case STOR_CREATE_SUBS:
		return create_subs(phase, packet, subs, todo);
	case STOR_EXECUTE_SRB:
	case STOR_RESET_LUN:
	case STOR_RESET_ADAPTER:
	case STOR_RESET_BUS:
		if (*phase < STOR_PHASE_READY)
			return STOR_INVALID_STATE;
		*todo = packet->op == STOR_EXECUTE_SRB ? STOR_DO_SRB : STOR_DO_RESET;
		return STOR_OK;
	default:
		return STOR_INVALID_REQUEST;
	}
}

enum ovid_stor_do ovid_stor_packet(enum ovid_stor_phase *phase, struct stor_w_packet *packet,
				   u32 bytes, u16 *subs)
{
	enum ovid_stor_do todo = STOR_DO_REPLY;
	u32 status = status_of(phase, packet, bytes, subs, &todo);

	if (todo == STOR_DO_SRB)
		return todo;
	packet->op = STOR_COMPLETE;
	packet->flags = 0;
	packet->status = status;
	return todo;
}

u32 ovid_stor_reply_bytes(u32 bytes)
{
	return bytes < STOR_PACKET_BYTES ? STOR_PACKET_OLD_BYTES : STOR_PACKET_BYTES;
}

static void end_srb(struct stor_w_packet *packet, u8 srb_status, u8 scsi_status, u32 moved)
{
	packet->op = STOR_COMPLETE;
	packet->flags = 0;
	packet->status = STOR_OK;
	packet->srb.srb_status = srb_status;
	packet->srb.scsi_status = scsi_status;
	packet->srb.transfer_length = moved;
}

void ovid_stor_good(struct stor_w_packet *packet, u32 moved)
{
	end_srb(packet, STOR_SRB_SUCCESS, SCSI_GOOD, moved);
}

void ovid_stor_check(struct stor_w_packet *packet, u32 sense, u32 moved)
{
	u8 srb_status;

	if (sense == SENSE_CONFLICT) {
		end_srb(packet, STOR_SRB_ERROR, SCSI_CONFLICT, 0);
		return;
	}
	srb_status = sense == SENSE_NO_LUN ? STOR_SRB_INVALID_LUN : STOR_SRB_ERROR;
	end_srb(packet, srb_status | STOR_SRB_SENSE_VALID, SCSI_CHECK_CONDITION, moved);
	memset(packet->srb.sense, 0, STOR_SENSE_BYTES);
	ovid_scsi_sense(sense, packet->srb.sense);
	packet->srb.sense_length = SCSI_SENSE_BYTES;
}

void ovid_stor_miscompare(struct stor_w_packet *packet, u32 offset)
{
	ovid_stor_check(packet, SENSE_MISCOMPARE, 0);
	ovid_scsi_sense_info(offset, packet->srb.sense);
}

void ovid_stor_refuse(struct stor_w_packet *packet, u8 srb_status, u8 scsi_status)
{
	end_srb(packet, srb_status, scsi_status, 0);
}
