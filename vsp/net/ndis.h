/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What RNDIS_QUERY and RNDIS_SET are about: NDIS objects, by their numbers (OIDs), little-endian.
 * Numbers and layouts are those of Linux's include/linux/rndis.h and
 * drivers/net/hyperv/hyperv_net.h; what Linux does not ask for is that of FreeBSD's
 * sys/dev/hyperv/netvsc/ndis.h and OpenVMM's netvsp/src/rndisprot.rs, statistics that of
 * Microsoft's NDIS_STATISTICS_INFO.
 */
#ifndef OVID_NET_NDIS_H
#define OVID_NET_NDIS_H

#include "proto.h"

#define OID_SUPPORTED_LIST		0x00010101u
#define OID_HARDWARE_STATUS		0x00010102u
#define OID_MEDIA_SUPPORTED		0x00010103u
#define OID_MEDIA_IN_USE		0x00010104u
#define OID_MAXIMUM_LOOKAHEAD		0x00010105u
#define OID_MAXIMUM_FRAME_SIZE		0x00010106u
#define OID_LINK_SPEED			0x00010107u
#define OID_TRANSMIT_BUFFER_SPACE	0x00010108u
#define OID_RECEIVE_BUFFER_SPACE	0x00010109u
#define OID_TRANSMIT_BLOCK_SIZE		0x0001010au
#define OID_RECEIVE_BLOCK_SIZE		0x0001010bu
#define OID_VENDOR_ID			0x0001010cu
#define OID_VENDOR_DESCRIPTION		0x0001010du
#define OID_PACKET_FILTER		0x0001010eu
#define OID_CURRENT_LOOKAHEAD		0x0001010fu
#define OID_DRIVER_VERSION		0x00010110u
#define OID_MAXIMUM_TOTAL_SIZE		0x00010111u
#define OID_PROTOCOL_OPTIONS		0x00010112u
#define OID_MAC_OPTIONS			0x00010113u
#define OID_MEDIA_CONNECT_STATUS	0x00010114u
#define OID_MAXIMUM_SEND_PACKETS	0x00010115u
#define OID_VENDOR_DRIVER_VERSION	0x00010116u
#define OID_NETWORK_LAYER_ADDRESSES	0x00010118u
#define OID_RSS_CAPS			0x00010203u
#define OID_RSS_PARAMS			0x00010204u
#define OID_MAX_LINK_SPEED		0x00010206u
#define OID_LINK_STATE			0x00010207u
#define OID_LINK_PARAMETERS		0x00010208u
#define OID_CONFIG_PARAMETER		0x0001021bu
#define OID_XMIT_OK			0x00020101u
#define OID_RCV_OK			0x00020102u
#define OID_XMIT_ERROR			0x00020103u
#define OID_RCV_ERROR			0x00020104u
#define OID_RCV_NO_BUFFER		0x00020105u
#define OID_STATISTICS			0x00020106u
#define OID_FRIENDLY_NAME		0x00020216u
#define OID_BYTES_RCV			0x00020219u
#define OID_BYTES_XMIT			0x0002021au
#define OID_RCV_DISCARDS		0x0002021bu
#define OID_XMIT_DISCARDS		0x0002021cu
#define OID_PERMANENT_ADDRESS		0x01010101u
#define OID_CURRENT_ADDRESS		0x01010102u
#define OID_MULTICAST_LIST		0x01010103u
#define OID_MAXIMUM_LIST_SIZE		0x01010104u
#define OID_802_3_MAC_OPTIONS		0x01010105u
#define OID_ENCAPSULATION		0x0101010au
#define OID_RCV_ERROR_ALIGNMENT		0x01020101u
#define OID_XMIT_ONE_COLLISION		0x01020102u
#define OID_XMIT_MORE_COLLISIONS	0x01020103u
#define OID_XMIT_DEFERRED		0x01020201u
#define OID_XMIT_MAX_COLLISIONS		0x01020202u
#define OID_RCV_OVERRUN			0x01020203u
#define OID_XMIT_UNDERRUN		0x01020204u
#define OID_XMIT_HEARTBEAT_FAILURE	0x01020205u
#define OID_XMIT_TIMES_CRS_LOST		0x01020206u
#define OID_XMIT_LATE_COLLISIONS	0x01020207u
#define OID_OFFLOAD_CONFIG		0xfc01020bu
#define OID_OFFLOAD_PARAMS		0xfc01020cu
#define OID_OFFLOAD_CAPS		0xfc01020du

/* of OID_MAC_OPTIONS */
#define NDIS_MAC_COPY_LOOKAHEAD		0x001u
#define NDIS_MAC_TRANSFERS_NOT_PEND	0x004u
#define NDIS_MAC_NO_LOOPBACK		0x008u
#define NDIS_MAC_PRIORITY		0x040u
#define NDIS_MAC_VLAN			0x200u

/* ---- objects: most begin with this ---- */

struct ndis_w_head {
	u8 type;
	u8 revision;
	u16 bytes;			/* with this */
} __packed;

#define NDIS_DEFAULT			0x80
#define NDIS_RSS_CAPS			0x88
#define NDIS_OFFLOAD			0xa7
#define NDIS_ENCAPSULATION		0xa8

struct ndis_w_link_state {
	struct ndis_w_head h;
	u32 connected;			/* NDIS_CONNECTED */
	u32 duplex;			/* NDIS_FULL_DUPLEX */
	u32 padding;
	u64 xmit_speed;			/* bit/s */
	u64 rcv_speed;
	u32 pause;
	u32 negotiated;
} __packed;

static_assert(sizeof(struct ndis_w_link_state) == 40, "a link's state");

#define NDIS_CONNECTED			1u
#define NDIS_DISCONNECTED		2u
#define NDIS_FULL_DUPLEX		2u

struct ndis_w_speeds {
	u64 xmit;			/* bit/s */
	u64 rcv;
} __packed;

struct ndis_w_statistics {
	struct ndis_w_head h;
	u32 valid;			/* NDIS_STATS_* */
	u64 in_discards;
	u64 in_errors;
	u64 in_bytes;
	u64 in_directed;
	u64 in_multicast;
	u64 in_broadcast;
	u64 out_bytes;
	u64 out_directed;
	u64 out_multicast;
	u64 out_broadcast;
	u64 out_errors;
	u64 out_discards;
	u64 bytes_by_kind[6];
} __packed;

static_assert(sizeof(struct ndis_w_statistics) == 152, "statistics");

#define NDIS_STATS_IN_DIRECTED		0x0001u
#define NDIS_STATS_IN_BYTES		0x0008u
#define NDIS_STATS_IN_DISCARDS		0x0010u
#define NDIS_STATS_IN_ERRORS		0x0020u
#define NDIS_STATS_OUT_DIRECTED		0x0040u
#define NDIS_STATS_OUT_BYTES		0x0200u
#define NDIS_STATS_OUT_ERRORS		0x0400u

/* OID_CONFIG_PARAMETER: offsets from its beginning, text in UTF-16 */
struct ndis_w_parameter {
	u32 name_offset;
	u32 name_bytes;
	u32 type;			/* NDIS_PARAM_STRING */
	u32 value_offset;
	u32 value_bytes;
} __packed;

#define NDIS_PARAM_STRING		2u

/* ---- offloads ---- */

#define NDIS_ENCAP_8023			0x2u

/* what there is for IPv4; 1 in each field: supported */
#define NDIS_CSUM_IP4_OPTIONS		0x001u
#define NDIS_CSUM_TCP4_OPTIONS		0x004u
#define NDIS_CSUM_TCP4			0x010u
#define NDIS_CSUM_UDP4			0x040u
#define NDIS_CSUM_IP4			0x100u
/* ... and IPv6 */
#define NDIS_CSUM_IP6_EXTENSIONS	0x001u
#define NDIS_CSUM_TCP6_OPTIONS		0x004u
#define NDIS_CSUM_TCP6			0x010u
#define NDIS_CSUM_UDP6			0x040u
/* of large frames by IPv6 */
#define NDIS_LSO6_EXTENSIONS		0x1u
#define NDIS_LSO6_OPTIONS		0x4u

/* OID_OFFLOAD_CAPS, OID_OFFLOAD_CONFIG, RNDIS_OFFLOAD_CHANGE */
struct ndis_w_offload {
	struct ndis_w_head h;
	u32 ip4_tx_encap;
	u32 ip4_tx_csum;		/* NDIS_CSUM_* */
	u32 ip4_rx_encap;
	u32 ip4_rx_csum;
	u32 ip6_tx_encap;
	u32 ip6_tx_csum;
	u32 ip6_rx_encap;
	u32 ip6_rx_csum;
	u32 lso1[4];
	u32 ipsec1[7];
	u32 lso4_encap;
	u32 lso4_max;			/* bytes of TCP's data */
	u32 lso4_min_pieces;
	u32 lso6_encap;
	u32 lso6_max;
	u32 lso6_min_pieces;
	u32 lso6_options;		/* NDIS_LSO6_* */
	u32 flags;
	/* from revision 2 on */
	u32 ipsec2[8];
	/* from revision 3 on */
	u8 rsc4;
	u8 rsc6;
	u8 padding[2];
	u32 gre[2];
} __packed;

#define NDIS_OFFLOAD_BYTES_1		112
#define NDIS_OFFLOAD_BYTES_2		144

static_assert(offsetof(struct ndis_w_offload, ipsec2) == NDIS_OFFLOAD_BYTES_1, "revision 1");
static_assert(offsetof(struct ndis_w_offload, rsc4) == NDIS_OFFLOAD_BYTES_2, "revision 2");
static_assert(sizeof(struct ndis_w_offload) == 156, "offloads");

/* OID_OFFLOAD_PARAMS: type NDIS_DEFAULT */
struct ndis_w_offload_params {
	struct ndis_w_head h;
	u8 ip4_csum;			/* NDIS_SET_*, as the next ones */
	u8 tcp4_csum;
	u8 udp4_csum;
	u8 tcp6_csum;
	u8 udp6_csum;
	u8 lso1;			/* NDIS_SET_OFF, NDIS_SET_ON */
	u8 ipsec1;
	u8 lso4;			/* NDIS_SET_OFF, NDIS_SET_ON */
	u8 lso6;
	u8 connection4;
	u8 connection6;
	u8 padding;
	u32 flags;
	/* not by all guests */
	u8 ipsec2;
	u8 ipsec2_ip4;
	u8 rsc4;			/* NDIS_SET_OFF, NDIS_SET_ON */
	u8 rsc6;
	u8 encap;
	u8 encap_types;
	u8 padding2[2];
} __packed;

#define NDIS_OFFLOAD_PARAMS_BYTES_1	20

static_assert(offsetof(struct ndis_w_offload_params, ipsec2) == NDIS_OFFLOAD_PARAMS_BYTES_1, "");
static_assert(sizeof(struct ndis_w_offload_params) == 28, "parameters");

#define NDIS_SET_NO_CHANGE		0
#define NDIS_SET_OFF			1
#define NDIS_SET_ON			2	/* ... or: for frames of the guest's alone */
#define NDIS_SET_RX			3
#define NDIS_SET_TX_RX			4

struct ndis_w_encapsulation {
	struct ndis_w_head h;
	u32 ip4;			/* NDIS_ENCAP_ON */
	u32 ip4_encap;
	u32 ip4_head_bytes;
	u32 ip6;
	u32 ip6_encap;
	u32 ip6_head_bytes;
} __packed;

static_assert(sizeof(struct ndis_w_encapsulation) == 28, "an encapsulation");

#define NDIS_ENCAP_ON			1u

/* ---- receive queues ---- */

struct ndis_w_rss_caps {
	struct ndis_w_head h;
	u32 caps;			/* NDIS_RSS_* */
	u32 nr_interrupts;
	u32 nr_queues;
	/* from revision 2 on */
	u16 nr_table;
} __packed;

#define NDIS_RSS_CAPS_BYTES_1		16

static_assert(offsetof(struct ndis_w_rss_caps, nr_table) == NDIS_RSS_CAPS_BYTES_1, "revision 1");
static_assert(sizeof(struct ndis_w_rss_caps) == 18, "queues");

#define NDIS_RSS_TOEPLITZ		0x001u
#define NDIS_RSS_TCP4			0x100u
#define NDIS_RSS_TCP6			0x200u

/* OID_RSS_PARAMS: offsets from its beginning */
struct ndis_w_rss_params {
	struct ndis_w_head h;
	u16 flags;			/* NDIS_RSS_SAME_*, NDIS_RSS_OFF */
	u16 base_cpu;
	u32 hash;			/* its function, and NDIS_HASH_* */
	u16 table_bytes;		/* u32 each */
	u16 padding;
	u32 table_offset;
	u16 key_bytes;
	u16 padding2;
	u32 key_offset;
} __packed;

static_assert(sizeof(struct ndis_w_rss_params) == 28, "revision 1: what is of use");

#define NDIS_RSS_SAME_HASH		0x02u
#define NDIS_RSS_SAME_TABLE		0x04u
#define NDIS_RSS_SAME_KEY		0x08u
#define NDIS_RSS_OFF			0x10u

#define NDIS_HASH_FUNCTION		0xffu

#endif
