/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RNDIS (pure): what a guest asks of its card, what a message with a frame says, and how one is
 * written for the guest.
 */
#ifndef OVID_NET_RNDIS_H
#define OVID_NET_RNDIS_H

#include "proto.h"

#define NET_MAC_BYTES		6
#define NET_MIN_MTU		576
#define NET_MAX_MTU		65521		/* so that LSO's 64 KiB are the longest frame */
#define NET_ETH_BYTES		14
#define NET_MAX_FRAME		(65535 + NET_ETH_BYTES + 4)
#define NET_MAX_MULTICAST	32
#define NET_TABLE_ENTRIES	128
#define NET_HASH_KEY_BYTES	40
#define NET_MAX_QUEUES		64

/*
 * of TCP, in a frame that is to be cut, as we say it.  With headers that have no more than a time
 * stamp in their options it is an IP packet that can be.  Linux makes at most 45 pieces of 1448
 * bytes of 65536, of this too; it has room for 321 bytes of headers in it.
 */
#define NET_LSO_BYTES		65483u
/* ... and in each piece, at least: Linux's TCP_MIN_GSO_SIZE */
#define NET_MIN_MSS		8
/* a large frame consists of so many: who cuts it does that without a pause */
#define NET_MAX_PIECES		512

/* a control message is so long at most, and so is its answer */
#define RNDIS_CONTROL_BYTES	1024u

/* of RNDIS_INIT: messages with frames in a packet, and their bytes */
#define RNDIS_MAX_PACKETS	8
#define RNDIS_MAX_TRANSFER	(RNDIS_MAX_PACKETS * (NET_MAX_FRAME + RNDIS_HEAD_BYTES))

/* what all of a frame's message must say in its first bytes */
#define RNDIS_HEAD_BYTES	256

/* ---- control ---- */

/* of a packet filter */
#define RNDIS_FILTER_DIRECTED	0x01u
#define RNDIS_FILTER_MULTICAST	0x02u
#define RNDIS_FILTER_ALL_MULTICAST 0x04u
#define RNDIS_FILTER_BROADCAST	0x08u
#define RNDIS_FILTER_PROMISCUOUS 0x20u
#define RNDIS_FILTERS		0x2fu

/* offloads that the guest has on */
#define NET_TX_IP_CSUM		(1u << 0)
#define NET_TX_TCP4_CSUM	(1u << 1)
#define NET_TX_TCP6_CSUM	(1u << 2)
#define NET_TX_UDP4_CSUM	(1u << 3)
#define NET_TX_UDP6_CSUM	(1u << 4)
#define NET_RX_IP_CSUM		(1u << 5)
#define NET_RX_TCP4_CSUM	(1u << 6)
#define NET_RX_TCP6_CSUM	(1u << 7)
#define NET_RX_UDP4_CSUM	(1u << 8)
#define NET_RX_UDP6_CSUM	(1u << 9)
#define NET_LSO4		(1u << 10)
#define NET_LSO6		(1u << 11)
#define NET_RSC4		(1u << 12)
#define NET_RSC6		(1u << 13)
#define NET_OFFLOADS		((1u << 14) - 1)

/* what a hash is made of: addresses, with the ports of TCP or without */
#define NDIS_HASH_IP4		(1u << 8)
#define NDIS_HASH_TCP4		(1u << 9)
#define NDIS_HASH_IP6		(1u << 10)
#define NDIS_HASH_TCP6		(1u << 12)
#define NET_HASH_TYPES		(NDIS_HASH_IP4 | NDIS_HASH_TCP4 | NDIS_HASH_IP6 | NDIS_HASH_TCP6)

/**
 * struct ovid_rndis_stats - what statistics OIDs say; by the owner
 */
struct ovid_rndis_stats {
	u64 tx_frames;			/* by the guest */
	u64 tx_bytes;
	u64 tx_errors;
	u64 rx_frames;			/* for the guest */
	u64 rx_bytes;
	u64 rx_errors;
	u64 rx_dropped;			/* there was no buffer */
};

/**
 * struct ovid_rndis - a guest's card, as RNDIS shows it
 * @permanent: address; this and what follows is the owner's: @ready
 * @mtu: the largest, without the Ethernet header
 * @speed: of the link, Mbit/s
 * @link: it is there
 * @queues: receive queues there may be
 * @name: for the guest's user, ASCII
 * @ready: by the guest, since RNDIS_INIT; zeroed before that, as are those that follow
 * @filter: RNDIS_FILTER_*; 0: no frames
 * @address: its own, or @permanent
 * @offloads: NET_*, on.  At first those of the guest's frames, which it asks for with each; for
 *	NET_RX_* and NET_RSC* it asks here
 * @nr_multicast: of @multicast
 * @multicast: with RNDIS_FILTER_MULTICAST
 * @rss: @table says where frames go, by their hash
 * @hash_types: NDIS_HASH_*; this and what follows may be there without @rss
 * @key: of the hash
 * @nr_table: of @table, a power of two
 * @table: queue, each below @queues
 */
struct ovid_rndis {
	u8 permanent[NET_MAC_BYTES];
	u32 mtu;
	u32 speed;
	bool link;
	u16 queues;
	char name[64];

	bool ready;
	u32 filter;
	u8 address[NET_MAC_BYTES];
	u32 offloads;
	u32 nr_multicast;
	u8 multicast[NET_MAX_MULTICAST][NET_MAC_BYTES];
	bool rss;
	u32 hash_types;
	u8 key[NET_HASH_KEY_BYTES];
	u32 nr_table;
	u8 table[NET_TABLE_ENTRIES];
};

/* what a control message has changed */
#define RNDIS_CHANGED_FILTER	(1u << 0)	/* or multicast addresses */
#define RNDIS_CHANGED_ADDRESS	(1u << 1)
#define RNDIS_CHANGED_OFFLOADS	(1u << 2)
#define RNDIS_CHANGED_RSS	(1u << 3)
#define RNDIS_HALTED		(1u << 4)	/* all of it is as before RNDIS_INIT */

/* any byte may have been read there */
static inline bool net_is_bool(const bool *value)
{
	return *(const u8 *)value <= 1;
}

/* before RNDIS_INIT, or behind RNDIS_HALT */
void ovid_rndis_forget(struct ovid_rndis *rndis);
/* it is one that could be: of a state that was read */
bool ovid_rndis_ok(const struct ovid_rndis *rndis);

/**
 * ovid_rndis_control - a control message
 * @rndis: card
 * @stats: of it
 * @msg: a copy, @bytes of it, at most RNDIS_CONTROL_BYTES; aligned to 8
 * @bytes: what the packet has, perhaps more than the message; of one that is longer than
 *	RNDIS_CONTROL_BYTES, those: it is refused
 * @reply: out: RNDIS_CONTROL_BYTES, the answer
 * @changed: out: RNDIS_CHANGED_*, all but RNDIS_HALTED by RNDIS_INIT
 *
 * Return: bytes of @reply; 0: there is none; -EPROTO: it is no message of control that a guest may
 * send, or has not even the request's number.
 */
int ovid_rndis_control(struct ovid_rndis *rndis, const struct ovid_rndis_stats *stats,
		       const void *msg, u32 bytes, void *reply, u32 *changed);

/* the link has come or gone (@rndis->link): bytes of @msg, of RNDIS_CONTROL_BYTES */
u32 ovid_rndis_link(const struct ovid_rndis *rndis, void *msg);
/* addresses are to be had anew: it is another network */
u32 ovid_rndis_network(const struct ovid_rndis *rndis, void *msg);
/* @rndis->speed has changed */
u32 ovid_rndis_speed(const struct ovid_rndis *rndis, void *msg);
/* what is on, behind a set request's RNDIS_CHANGED_OFFLOADS: Hyper-V says it, guests ignore it */
u32 ovid_rndis_offloads(const struct ovid_rndis *rndis, void *msg);

/* a frame with this Ethernet header is for the guest */
bool ovid_rndis_wants(const struct ovid_rndis *rndis, const u8 *eth);

/* ---- frames of the guest's ---- */

/* what a frame's message says; flags */
#define NET_FRAME_IP_CSUM	(1u << 0)	/* is to be made: of IPv4's header */
#define NET_FRAME_TCP_CSUM	(1u << 1)
#define NET_FRAME_UDP_CSUM	(1u << 2)
#define NET_FRAME_LSO		(1u << 3)
#define NET_FRAME_VLAN		(1u << 4)
#define NET_FRAME_HASH		(1u << 5)

/**
 * struct ovid_rndis_frame - a frame in a message
 * @flags: NET_FRAME_*
 * @message: bytes of the message, padding included: another one may follow
 * @data: where the frame begins in it
 * @bytes: of the frame: NET_ETH_BYTES to NET_MAX_FRAME
 * @mss: with NET_FRAME_LSO
 * @vlan: TCI, as in a tag
 * @hash: of the guest's
 */
struct ovid_rndis_frame {
	u32 flags;
	u32 message;
	u32 data;
	u32 bytes;
	u32 mss;
	u16 vlan;
	u32 hash;
};

/**
 * ovid_rndis_parse - a message with a frame
 * @head: a copy of its first bytes
 * @head_bytes: of @head: all there are, or RNDIS_HEAD_BYTES
 * @bytes: that there are
 * @frame: out
 *
 * Return: 0; -EPROTO: it makes no sense, nor does what follows; -EMSGSIZE: it says more beside the
 * frame than @head has.
 */
int ovid_rndis_parse(const void *head, u32 head_bytes, u32 bytes, struct ovid_rndis_frame *frame);

/**
 * struct ovid_frame_fix - what is left to be done for a frame
 * @csum: a checksum is to be made, from @csum_start on, and put at @csum_start + @csum_offset,
 *	where its pseudo header's is now
 * @csum_start: from the frame's beginning
 * @csum_offset: from there
 * @segment: it is to be cut; with @csum
 * @ip6: ... by IPv6's rules
 * @headers: of each piece
 * @mss: bytes of TCP's data in each piece
 */
struct ovid_frame_fix {
	bool csum;
	u16 csum_start;
	u16 csum_offset;
	bool segment;
	bool ip6;
	u16 headers;
	u16 mss;
};

/* what ovid_frame_offload() may have to see: Ethernet, two tags, IPv6, TCP with options */
#define NET_FRAME_HEAD_BYTES	192

/**
 * ovid_frame_offload - does in a frame's headers what the guest has left undone
 * @head: its first bytes, changed: IP's length and checksum, TCP's and UDP's pseudo headers
 * @head_bytes: of @head: NET_FRAME_HEAD_BYTES, or all there are
 * @frame: what the guest has said
 * @fix: out: what is left
 *
 * Return: 0, or -EPROTO: the frame is not what is said of it.
 */
int ovid_frame_offload(u8 *head, u32 head_bytes, const struct ovid_rndis_frame *frame,
		       struct ovid_frame_fix *fix);

/* ---- frames for the guest ---- */

/**
 * struct ovid_rndis_out - a message for the guest
 * @bytes: of the frame, or of this part of it
 * @csum: RNDIS_CSUM_*_GOOD, _BAD, _UNMADE; 0: nothing is known
 * @has_vlan: @vlan is the frame's, which has no tag in it
 * @vlan: TCI
 * @hash: of the frame, if @has_hash
 * @part: RNDIS_ID_*: of a large packet; 0: it is whole
 */
struct ovid_rndis_out {
	u32 bytes;
	u32 csum;
	bool has_vlan;
	bool has_hash;
	u16 vlan;
	u32 hash;
	u8 part;
};

/* bytes of the longest of them */
#define RNDIS_OUT_HEAD_BYTES	112

static_assert(sizeof(struct rndis_w_packet) + 4 * (sizeof(struct rndis_w_info) + 4) + 4 ==
	      RNDIS_OUT_HEAD_BYTES, "so that the frame begins at a multiple of 8");

/* the message before the frame: bytes of @head, a multiple of 8; the frame follows at once */
u32 ovid_rndis_write(void *head, const struct ovid_rndis_out *out);

#endif
