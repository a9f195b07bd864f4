// SPDX-License-Identifier: GPL-2.0-only
/*
 * RNDIS's messages with frames (pure): what the guest says beside its frame, and what we say beside
 * one for it.
 *
 * Linux writes and reads them in netvsc_xmit() and rndis_filter_receive_data() of
 * drivers/net/hyperv.  It is strict when it reads: sizes of what is said count from its header, and
 * one that is wrong makes it loop (rndis_get_ppi()).
 */
#include "rndis.h"

#define BODY	sizeof(struct rndis_w_head)

/* what the guest may say, each once */
#define SAID_CSUM	(1u << 0)
#define SAID_LSO	(1u << 1)
#define SAID_VLAN	(1u << 2)
#define SAID_HASH	(1u << 3)

static u32 csum_flags(u32 value)
{
	u32 flags = 0;

	/* one of no protocol asks for nothing; TCP is looked at first, as Hyper-V does */
	if (!(value & (RNDIS_CSUM_IP4 | RNDIS_CSUM_IP6)))
		return 0;
	if (value & RNDIS_CSUM_TCP)
		flags |= NET_FRAME_TCP_CSUM;
	else if (value & RNDIS_CSUM_UDP)
		flags |= NET_FRAME_UDP_CSUM;
	if (value & RNDIS_CSUM_IP4 && value & RNDIS_CSUM_IP_HEADER)
		flags |= NET_FRAME_IP_CSUM;
	return flags;
}

static int read_lso(u32 value, struct ovid_rndis_frame *frame)
{
	u32 mss = value & RNDIS_LSO_MSS;

	if (!(value & RNDIS_LSO_V2) || mss < NET_MIN_MSS || mss > 0xffff)
		return -EPROTO;
	frame->flags |= NET_FRAME_LSO;
	frame->mss = mss;
	return 0;
}

static u16 vlan_tci(u32 value)
{
	return (value & RNDIS_VLAN_PRIORITY) << 13 | !!(value & RNDIS_VLAN_CFI) << 12 |
	       (value >> RNDIS_VLAN_ID_SHIFT & 0xfff);
}

static u32 vlan_value(u16 tci)
{
	return tci >> 13 | (tci >> 12 & 1 ? RNDIS_VLAN_CFI : 0) |
	       (tci & 0xfffu) << RNDIS_VLAN_ID_SHIFT;
}

static u32 said(u32 type)
{
	switch (type) {
	case RNDIS_INFO_CHECKSUM:
		return SAID_CSUM;
	case RNDIS_INFO_LSO:
		return SAID_LSO;
	case RNDIS_INFO_VLAN:
		return SAID_VLAN;
	case RNDIS_INFO_HASH:
		return SAID_HASH;
	}
	return 0;
}

static int read_one(u32 what, u32 value, struct ovid_rndis_frame *frame)
{
	switch (what) {
	case SAID_CSUM:
		frame->flags |= csum_flags(value);
		return 0;
	case SAID_LSO:
		return read_lso(value, frame);
	case SAID_VLAN:
		frame->flags |= NET_FRAME_VLAN;
		frame->vlan = vlan_tci(value);
		return 0;
	}
	frame->flags |= NET_FRAME_HASH;
	frame->hash = value;
	return 0;
}

/* @info: @bytes of them; what is not known is passed over */
static int read_infos(const u8 *info, u32 bytes, struct ovid_rndis_frame *frame)
{
	u32 before = 0, what;
	struct rndis_w_info one;
	int err;

	while (bytes) {
		if (bytes < sizeof(one))
			return -EPROTO;
		memcpy(&one, info, sizeof(one));
		if (one.bytes > bytes || one.offset < sizeof(one) || one.offset > one.bytes)
			return -EPROTO;
		what = said(one.type);
		if (what & before)
			return -EPROTO;
		before |= what;
		if (what) {
			if (one.bytes - one.offset < sizeof(u32))
				return -EPROTO;
			err = read_one(what, get_unaligned_le32(info + one.offset), frame);
			if (err)
				return err;
		}
		info += one.bytes;
		bytes -= one.bytes;
	}
	return 0;
}

/* @offset of a message's body, and @bytes there: behind its header, and within @message */
static bool fits(u32 offset, u32 bytes, u32 message)
{
	u32 body = message - BODY;

	return offset >= sizeof(struct rndis_w_packet) - BODY && offset <= body &&
	       bytes <= body - offset;
}

static int check_packet(const struct rndis_w_packet *packet, u32 bytes)
{
	if (packet->h.type != RNDIS_PACKET || packet->h.bytes < sizeof(*packet) ||
	    packet->h.bytes > bytes)
		return -EPROTO;
	if (packet->data_bytes < NET_ETH_BYTES || packet->data_bytes > NET_MAX_FRAME ||
	    !fits(packet->data_offset, packet->data_bytes, packet->h.bytes))
		return -EPROTO;
	/* records of classes: no guest has any, Hyper-V takes none */
	if (packet->nr_oob || packet->oob_bytes)
		return -EPROTO;
	if (!packet->info_bytes)
		return 0;
	if (!fits(packet->info_offset, packet->info_bytes, packet->h.bytes))
		return -EPROTO;
	if (packet->info_offset < packet->data_offset + packet->data_bytes &&
	    packet->data_offset < packet->info_offset + packet->info_bytes)
		return -EPROTO;
	return 0;
}

int ovid_rndis_parse(const void *head, u32 head_bytes, u32 bytes, struct ovid_rndis_frame *frame)
{
	struct rndis_w_packet packet;
	int err;

	memset(frame, 0, sizeof(*frame));
	if (head_bytes < sizeof(packet) || bytes < head_bytes)
		return -EPROTO;
	memcpy(&packet, head, sizeof(packet));
	err = check_packet(&packet, bytes);
	if (err)
		return err;
	frame->message = packet.h.bytes;
	frame->data = BODY + packet.data_offset;
	frame->bytes = packet.data_bytes;
	if (!packet.info_bytes)
		return 0;
	if (BODY + packet.info_offset + packet.info_bytes > head_bytes)
		return -EMSGSIZE;
	return read_infos((const u8 *)head + BODY + packet.info_offset, packet.info_bytes, frame);
}

/* ---- for the guest ---- */

static u32 put_info(u8 *at, u32 type, u32 value)
{
	struct rndis_w_info info = {
		.bytes = sizeof(info) + sizeof(value), .type = type, .offset = sizeof(info),
	};

	memcpy(at, &info, sizeof(info));
	put_unaligned_le32(value, at + sizeof(info));
	return info.bytes;
}

/* of a packet that is in parts, Linux takes what the first one says of all */
u32 ovid_rndis_write(void *head, const struct ovid_rndis_out *out)
{
	struct rndis_w_packet packet = {
		.h.type = RNDIS_PACKET, .data_bytes = out->bytes,
	};
	u8 *at = (u8 *)head + sizeof(packet);
	u32 bytes;

	if (out->csum)
		at += put_info(at, RNDIS_INFO_CHECKSUM, out->csum);
	if (out->has_vlan)
		at += put_info(at, RNDIS_INFO_VLAN, vlan_value(out->vlan));
	if (out->has_hash)
		at += put_info(at, RNDIS_INFO_HASH, out->hash);
	/* struct rndis_w_packet_id: version 1, flags, number 0 */
	if (out->part)
		at += put_info(at, RNDIS_INTERNAL | RNDIS_INTERNAL_PACKET_ID, 1 | out->part << 8);
	bytes = at - (u8 *)head;
	packet.info_bytes = bytes - sizeof(packet);
	if (packet.info_bytes)
		packet.info_offset = sizeof(packet) - BODY;
	/* frames begin at a multiple of 8 */
	memset(at, 0, -bytes & 7);
	bytes += -bytes & 7;
	packet.data_offset = bytes - BODY;
	packet.h.bytes = bytes + out->bytes;
	memcpy(head, &packet, sizeof(packet));
	return bytes;
}
