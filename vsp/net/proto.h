/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of a network channel: NVSP, and the RNDIS messages that it carries.  Numbers and
 * layouts are those of Linux's drivers/net/hyperv/hyperv_net.h and include/linux/rndis.h; all
 * integers are little-endian.
 */
#ifndef OVID_NET_PROTO_H
#define OVID_NET_PROTO_H

#include "../../vmm/purelib.h"
#include "../../vmm/types.h"

/* ---- NVSP: 40 bytes each, of guests before version 6 maybe less ---- */

#define NVSP_VERSION_1		0x00002u
#define NVSP_VERSION_2		0x30002u
#define NVSP_VERSION_4		0x40000u
#define NVSP_VERSION_5		0x50000u
#define NVSP_VERSION_6		0x60000u
#define NVSP_VERSION_61		0x60001u

enum nvsp_w_type {
	NVSP_INIT = 1,
	NVSP_INIT_COMPLETE = 2,
	NVSP_NDIS_VERSION = 100,
	NVSP_RX_BUFFER = 101,
	NVSP_RX_BUFFER_COMPLETE = 102,
	NVSP_RX_REVOKE = 103,
	NVSP_TX_BUFFER = 104,
	NVSP_TX_BUFFER_COMPLETE = 105,
	NVSP_TX_REVOKE = 106,
	NVSP_RNDIS = 107,
	NVSP_RNDIS_COMPLETE = 108,
	NVSP_NDIS_CONFIG = 125,		/* from version 2 on */
	NVSP_VF_ASSOCIATION = 128,	/* from version 4 on */
	NVSP_SWITCH_PATH = 129,
	NVSP_SUBS = 133,		/* from version 5 on; the answer, too */
	NVSP_SEND_TABLE = 134,
};

/* of answers */
#define NVSP_OK			1u
#define NVSP_FAIL		2u
#define NVSP_BAD_RNDIS		5u
#define NVSP_BUSY		6u
#define NVSP_UNSUPPORTED	7u

/* of NVSP_RNDIS */
#define NVSP_DATA		0u
#define NVSP_CONTROL		1u
#define NVSP_NO_SECTION		0xffffffffu

/* of NVSP_NDIS_CONFIG */
#define NVSP_CAP_SRIOV		(1ull << 2)
#define NVSP_CAP_8021Q		(1ull << 3)
#define NVSP_CAP_RSC		(1ull << 7)

#define NVSP_RX_BUFFER_ID	0xcafeu
#define NVSP_SEND_TABLE_ENTRIES	16

struct nvsp_w_init {
	u32 min;
	u32 max;
} __packed;

struct nvsp_w_init_complete {
	u32 version;
	u32 max_mdl_chain;
	u32 status;
} __packed;

struct nvsp_w_ndis_version {
	u32 major;
	u32 minor;
} __packed;

struct nvsp_w_buffer {			/* NVSP_RX_BUFFER, NVSP_TX_BUFFER */
	u32 gpadl;
	u16 id;
} __packed;

struct nvsp_w_rx_complete {
	u32 status;
	u32 nr_sections;		/* of the list that follows: 1 */
	u32 offset;
	u32 section_bytes;
	u32 nr_parts;
	u32 end_offset;
} __packed;

struct nvsp_w_tx_complete {
	u32 status;
	u32 section_bytes;
} __packed;

struct nvsp_w_revoke {
	u16 id;
} __packed;

struct nvsp_w_rndis {
	u32 channel;			/* NVSP_DATA, NVSP_CONTROL */
	u32 section;
	u32 section_bytes;
} __packed;

struct nvsp_w_ndis_config {
	u32 mtu;			/* with the Ethernet header */
	u32 reserved;
	u64 caps;
} __packed;

struct nvsp_w_vf {
	u32 allocated;
	u32 serial;
} __packed;

struct nvsp_w_subs {
	u32 op;				/* NVSP_SUBS_ALLOCATE; of an answer: the status */
	u32 count;
} __packed;

#define NVSP_SUBS_ALLOCATE	1u

struct nvsp_w_send_table {
	u32 count;
	u32 offset;			/* from the beginning of the message */
} __packed;

struct nvsp_w_message {
	u32 type;
	union {
		struct nvsp_w_init init;
		struct nvsp_w_init_complete init_complete;
		struct nvsp_w_ndis_version ndis_version;
		struct nvsp_w_buffer buffer;
		struct nvsp_w_rx_complete rx_complete;
		struct nvsp_w_tx_complete tx_complete;
		struct nvsp_w_revoke revoke;
		struct nvsp_w_rndis rndis;
		struct nvsp_w_ndis_config ndis_config;
		struct nvsp_w_vf vf;
		struct nvsp_w_subs subs;
		struct nvsp_w_send_table send_table;
		u32 status;		/* NVSP_RNDIS_COMPLETE */
		u32 path;		/* NVSP_SWITCH_PATH: 1: that of a VF */
		u8 bytes[36];
	};
} __packed;

static_assert(sizeof(struct nvsp_w_message) == 40, "a message");

/* ---- RNDIS: offsets in a message's body count from the body's beginning ---- */

enum rndis_w_type {
	RNDIS_PACKET = 1,
	RNDIS_INIT = 2,
	RNDIS_HALT = 3,			/* has no answer */
	RNDIS_QUERY = 4,
	RNDIS_SET = 5,
	RNDIS_RESET = 6,
	RNDIS_INDICATE = 7,
	RNDIS_KEEPALIVE = 8,
};

#define RNDIS_COMPLETE		0x80000000u	/* with the type of what it answers */

/* NDIS statuses */
#define RNDIS_SUCCESS		0x00000000u
#define RNDIS_FAILURE		0xc0000001u
#define RNDIS_MULTICAST_FULL	0xc0010009u
#define RNDIS_INVALID_LENGTH	0xc0010014u
#define RNDIS_INVALID_DATA	0xc0010015u
#define RNDIS_NOT_SUPPORTED	0xc00000bbu
#define RNDIS_MEDIA_CONNECT	0x4001000bu
#define RNDIS_MEDIA_DISCONNECT	0x4001000cu
#define RNDIS_LINK_SPEED	0x40010013u
#define RNDIS_NETWORK_CHANGE	0x40010018u
#define RNDIS_OFFLOAD_CHANGE	0x40020006u	/* NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG */

struct rndis_w_head {
	u32 type;
	u32 bytes;			/* of the message, with this */
} __packed;

struct rndis_w_packet {
	struct rndis_w_head h;
	u32 data_offset;
	u32 data_bytes;
	u32 oob_offset;
	u32 oob_bytes;
	u32 nr_oob;
	u32 info_offset;
	u32 info_bytes;
	u32 vc;
	u32 reserved;
} __packed;

static_assert(sizeof(struct rndis_w_packet) == 44, "a packet");

/* what a packet says beside its data */
struct rndis_w_info {
	u32 bytes;			/* with this */
	u32 type;			/* RNDIS_INFO_*; bit 31: RNDIS_INTERNAL_* */
	u32 offset;			/* of its content */
} __packed;

#define RNDIS_INFO_CHECKSUM	0u
#define RNDIS_INFO_LSO		2u
#define RNDIS_INFO_VLAN		6u
#define RNDIS_INFO_HASH		8u
#define RNDIS_INTERNAL		0x80000000u
#define RNDIS_INTERNAL_PACKET_ID 1u

/* of RNDIS_INFO_CHECKSUM, by the guest */
#define RNDIS_CSUM_IP4		(1u << 0)
#define RNDIS_CSUM_IP6		(1u << 1)
#define RNDIS_CSUM_TCP		(1u << 2)
#define RNDIS_CSUM_UDP		(1u << 3)
#define RNDIS_CSUM_IP_HEADER	(1u << 4)
#define RNDIS_CSUM_OFFSET_SHIFT	16		/* 10 bits: where TCP's header begins */
/* ... and for it */
#define RNDIS_CSUM_TCP_BAD	(1u << 0)
#define RNDIS_CSUM_UDP_BAD	(1u << 1)
#define RNDIS_CSUM_IP_BAD	(1u << 2)
#define RNDIS_CSUM_TCP_GOOD	(1u << 3)
#define RNDIS_CSUM_UDP_GOOD	(1u << 4)
#define RNDIS_CSUM_IP_GOOD	(1u << 5)
#define RNDIS_CSUM_TCP_UNMADE	(1u << 7)	/* what is there is none; with _GOOD */
#define RNDIS_CSUM_IP_UNMADE	(1u << 8)	/* ... Linux makes it then */

/* of RNDIS_INFO_LSO */
#define RNDIS_LSO_MSS		0xfffffu
#define RNDIS_LSO_OFFSET_SHIFT	20		/* 10 bits */
#define RNDIS_LSO_V2		(1u << 30)
#define RNDIS_LSO_IP6		(1u << 31)

/* of RNDIS_INFO_VLAN: not the order of a tag in a frame */
#define RNDIS_VLAN_PRIORITY	0x7u
#define RNDIS_VLAN_CFI		(1u << 3)
#define RNDIS_VLAN_ID_SHIFT	4		/* 12 bits */

/* of RNDIS_INTERNAL_PACKET_ID */
struct rndis_w_packet_id {
	u8 version;			/* 1 */
	u8 flags;
	u16 id;
} __packed;

#define RNDIS_ID_PART		(1u << 0)	/* RSC: of a large packet */
#define RNDIS_ID_FIRST		(1u << 1)
#define RNDIS_ID_LAST		(1u << 2)

struct rndis_w_init {
	struct rndis_w_head h;
	u32 request;
	u32 major;
	u32 minor;
	u32 max_transfer;
} __packed;

struct rndis_w_init_complete {
	struct rndis_w_head h;
	u32 request;
	u32 status;
	u32 major;
	u32 minor;
	u32 device_flags;		/* 1: connectionless */
	u32 medium;			/* 0: 802.3 */
	u32 max_packets;
	u32 max_transfer;
	u32 alignment;			/* log2 */
	u32 af_offset;
	u32 af_bytes;
} __packed;

struct rndis_w_request {		/* RNDIS_QUERY, RNDIS_SET */
	struct rndis_w_head h;
	u32 request;
	u32 oid;
	u32 bytes;
	u32 offset;
	u32 vc;
} __packed;

struct rndis_w_query_complete {
	struct rndis_w_head h;
	u32 request;
	u32 status;
	u32 bytes;
	u32 offset;
} __packed;

struct rndis_w_complete {		/* of RNDIS_SET, RNDIS_KEEPALIVE */
	struct rndis_w_head h;
	u32 request;
	u32 status;
} __packed;

struct rndis_w_reset_complete {
	struct rndis_w_head h;
	u32 status;
	u32 addressing_reset;
} __packed;

struct rndis_w_indicate {
	struct rndis_w_head h;
	u32 status;
	u32 bytes;
	u32 offset;
} __packed;

#endif
