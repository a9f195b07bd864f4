// SPDX-License-Identifier: GPL-2.0-only
/*
 * OIDs (pure): a table, and those that are a number, an address or text.
 *
 * Who asks for which is in Documentation/rndis.rst.  Values without a meaning for a card that is
 * none are those of Hyper-V, as OpenVMM's handle_oid_query() has them.
 */
#include "rndis_priv.h"

#define OID_BUFFER_BYTES	(256 * 1024)
#define OID_OUR_VERSION		0x00010000u
#define OID_NDIS_VERSION	0x061eu		/* 6.30 */

static const char description[] = "ovid network card";

/* ---- what is a number ---- */

static u32 mtu(const struct rndis_ask *ask)
{
	return ask->rndis->mtu;
}

static u32 frame_bytes(const struct rndis_ask *ask)
{
	return ask->rndis->mtu + NET_ETH_BYTES;
}

static u32 link_speed(const struct rndis_ask *ask)
{
	return rndis_speed(ask->rndis);
}

/* the vendor's part of the address, and which of its cards it is: the first one */
static u32 vendor(const struct rndis_ask *ask)
{
	return get_unaligned_be32(ask->rndis->permanent) >> 8;
}

static u32 packet_filter(const struct rndis_ask *ask)
{
	return ask->rndis->filter;
}

/* 0: connected */
static u32 connect_status(const struct rndis_ask *ask)
{
	return !ask->rndis->link;
}

static u32 xmit_ok(const struct rndis_ask *ask)
{
	return ask->stats->tx_frames;
}

static u32 rcv_ok(const struct rndis_ask *ask)
{
	return ask->stats->rx_frames;
}

static u32 xmit_error(const struct rndis_ask *ask)
{
	return ask->stats->tx_errors;
}

static u32 rcv_error(const struct rndis_ask *ask)
{
	return ask->stats->rx_errors;
}

static u32 rcv_no_buffer(const struct rndis_ask *ask)
{
	return ask->stats->rx_dropped;
}

/* ---- what is more than that ---- */

static u32 put_u64(u8 *out, u64 value)
{
	put_unaligned_le64(value, out);
	return sizeof(value);
}

static u32 get_rcv_bytes(const struct rndis_ask *ask, u8 *out)
{
	return put_u64(out, ask->stats->rx_bytes);
}

static u32 get_xmit_bytes(const struct rndis_ask *ask, u8 *out)
{
	return put_u64(out, ask->stats->tx_bytes);
}

static u32 get_rcv_discards(const struct rndis_ask *ask, u8 *out)
{
	return put_u64(out, ask->stats->rx_dropped);
}

static u32 get_xmit_discards(const struct rndis_ask *ask, u8 *out)
{
	return put_u64(out, 0);
}

/* frames are not counted by kind: all are said to be directed, as a sum is made of the kinds */
static u32 get_statistics(const struct rndis_ask *ask, u8 *out)
{
	const struct ovid_rndis_stats *stats = ask->stats;
	struct ndis_w_statistics all = {
		.h = { .type = NDIS_DEFAULT, .revision = 1, .bytes = sizeof(all) },
		.valid = NDIS_STATS_IN_DIRECTED | NDIS_STATS_IN_BYTES | NDIS_STATS_IN_DISCARDS |
			 NDIS_STATS_IN_ERRORS | NDIS_STATS_OUT_DIRECTED | NDIS_STATS_OUT_BYTES |
			 NDIS_STATS_OUT_ERRORS,
		.in_discards = stats->rx_dropped,
		.in_errors = stats->rx_errors,
		.in_bytes = stats->rx_bytes,
		.in_directed = stats->rx_frames,
		.out_bytes = stats->tx_bytes,
		.out_directed = stats->tx_frames,
		.out_errors = stats->tx_errors,
	};

	memcpy(out, &all, sizeof(all));
	return sizeof(all);
}

static u64 bits_per_second(const struct rndis_ask *ask)
{
	return (u64)ask->rndis->speed * 1000000;
}

static u32 get_link_state(const struct rndis_ask *ask, u8 *out)
{
	struct ndis_w_link_state state = {
		.h = { .type = NDIS_DEFAULT, .revision = 1, .bytes = sizeof(state) },
		.connected = ask->rndis->link ? NDIS_CONNECTED : NDIS_DISCONNECTED,
		.duplex = NDIS_FULL_DUPLEX,
		.xmit_speed = bits_per_second(ask), .rcv_speed = bits_per_second(ask),
	};

	memcpy(out, &state, sizeof(state));
	return sizeof(state);
}

static u32 get_speeds(const struct rndis_ask *ask, u8 *out)
{
	struct ndis_w_speeds speeds = {
		.xmit = bits_per_second(ask), .rcv = bits_per_second(ask),
	};

	memcpy(out, &speeds, sizeof(speeds));
	return sizeof(speeds);
}

static u32 get_description(const struct rndis_ask *ask, u8 *out)
{
	memcpy(out, description, sizeof(description));
	return sizeof(description);
}

static u32 get_driver_version(const struct rndis_ask *ask, u8 *out)
{
	put_unaligned_le16(OID_NDIS_VERSION, out);
	return 2;
}

/* UTF-16 with its NUL: Linux has room for 512 bytes and reads to a NUL */
static u32 get_friendly_name(const struct rndis_ask *ask, u8 *out)
{
	const char *name = ask->rndis->name;
	u32 i;

	for (i = 0; i < sizeof(ask->rndis->name) - 1 && name[i]; i++)
		put_unaligned_le16((u8)name[i], out + 2 * i);
	put_unaligned_le16(0, out + 2 * i);
	return 2 * i + 2;
}

static u32 get_permanent_address(const struct rndis_ask *ask, u8 *out)
{
	memcpy(out, ask->rndis->permanent, NET_MAC_BYTES);
	return NET_MAC_BYTES;
}

static u32 get_current_address(const struct rndis_ask *ask, u8 *out)
{
	memcpy(out, ask->rndis->address, NET_MAC_BYTES);
	return NET_MAC_BYTES;
}

static u32 get_multicast(const struct rndis_ask *ask, u8 *out)
{
	memcpy(out, ask->rndis->multicast, ask->rndis->nr_multicast * NET_MAC_BYTES);
	return ask->rndis->nr_multicast * NET_MAC_BYTES;
}

/* ---- what is set ---- */

/* Linux never asks what became of it; what is no kind of frame here is no frame */
static u32 set_packet_filter(struct rndis_ask *ask)
{
	if (ask->in_bytes < sizeof(u32))
		return RNDIS_INVALID_LENGTH;
	ask->rndis->filter = get_unaligned_le32(ask->in) & RNDIS_FILTERS;
	ask->changed |= RNDIS_CHANGED_FILTER;
	return RNDIS_SUCCESS;
}

static u32 set_multicast(struct rndis_ask *ask)
{
	u32 n = ask->in_bytes / NET_MAC_BYTES, i;

	if (ask->in_bytes % NET_MAC_BYTES)
		return RNDIS_INVALID_LENGTH;
	if (n > NET_MAX_MULTICAST)
		return RNDIS_MULTICAST_FULL;
	for (i = 0; i < n; i++)
		if (!(ask->in[i * NET_MAC_BYTES] & 1))
			return RNDIS_INVALID_DATA;
	/* none: there is nothing where it came from, either */
	if (n)
		memcpy(ask->rndis->multicast, ask->in, ask->in_bytes);
	ask->rndis->nr_multicast = n;
	ask->changed |= RNDIS_CHANGED_FILTER;
	return RNDIS_SUCCESS;
}

/* how much of a frame is to be shown at first, how a link is to be made: nothing for us */
static u32 set_number(struct rndis_ask *ask)
{
	return ask->in_bytes < sizeof(u32) ? RNDIS_INVALID_LENGTH : RNDIS_SUCCESS;
}

static u32 set_link_parameters(struct rndis_ask *ask)
{
	if (ask->in_bytes < sizeof(struct ndis_w_link_state))
		return RNDIS_INVALID_LENGTH;
	return RNDIS_SUCCESS;
}

/* a guest's addresses: a hint */
static u32 set_nothing(struct rndis_ask *ask)
{
	return RNDIS_SUCCESS;
}

/* ---- the table ---- */

/**
 * struct row - an OID; one of @number, @get and @constant if it may be queried
 * @oid: it
 * @constant: @value is the answer, 4 bytes
 * @value: with @constant
 * @number: returns the answer, 4 bytes
 * @get: makes the answer, returns its bytes
 * @set: NULL: it can't be set
 */
struct row {
	u32 oid;
	bool constant;
	u32 value;
	u32 (*number)(const struct rndis_ask *ask);
	u32 (*get)(const struct rndis_ask *ask, u8 *out);
	u32 (*set)(struct rndis_ask *ask);
};

#define CONSTANT(oid_, value_)	{ .oid = oid_, .constant = true, .value = value_ }
#define NUMBER(oid_, fn)	{ .oid = oid_, .number = fn }
#define GET(oid_, fn)		{ .oid = oid_, .get = fn }
#define SET(oid_, fn)		{ .oid = oid_, .set = fn }

static u32 get_supported(const struct rndis_ask *ask, u8 *out);

static const struct row rows[] = {
	GET(OID_SUPPORTED_LIST, get_supported),
	CONSTANT(OID_HARDWARE_STATUS, 0),		/* ready */
	CONSTANT(OID_MEDIA_SUPPORTED, 0),		/* 802.3 */
	CONSTANT(OID_MEDIA_IN_USE, 0),
	NUMBER(OID_MAXIMUM_LOOKAHEAD, mtu),
	NUMBER(OID_MAXIMUM_FRAME_SIZE, mtu),
	NUMBER(OID_LINK_SPEED, link_speed),
	CONSTANT(OID_TRANSMIT_BUFFER_SPACE, OID_BUFFER_BYTES),
	CONSTANT(OID_RECEIVE_BUFFER_SPACE, OID_BUFFER_BYTES),
	NUMBER(OID_TRANSMIT_BLOCK_SIZE, frame_bytes),
	NUMBER(OID_RECEIVE_BLOCK_SIZE, frame_bytes),
	NUMBER(OID_VENDOR_ID, vendor),
	GET(OID_VENDOR_DESCRIPTION, get_description),
	{ .oid = OID_PACKET_FILTER, .number = packet_filter, .set = set_packet_filter },
	{ .oid = OID_CURRENT_LOOKAHEAD, .number = mtu, .set = set_number },
	GET(OID_DRIVER_VERSION, get_driver_version),
	NUMBER(OID_MAXIMUM_TOTAL_SIZE, frame_bytes),
	SET(OID_PROTOCOL_OPTIONS, set_number),
	CONSTANT(OID_MAC_OPTIONS, NDIS_MAC_COPY_LOOKAHEAD | NDIS_MAC_TRANSFERS_NOT_PEND |
		 NDIS_MAC_NO_LOOPBACK | NDIS_MAC_PRIORITY | NDIS_MAC_VLAN),
	NUMBER(OID_MEDIA_CONNECT_STATUS, connect_status),
	CONSTANT(OID_MAXIMUM_SEND_PACKETS, RNDIS_MAX_PACKETS),
	CONSTANT(OID_VENDOR_DRIVER_VERSION, OID_OUR_VERSION),
	SET(OID_NETWORK_LAYER_ADDRESSES, set_nothing),
	GET(OID_RSS_CAPS, ovid_rndis_get_rss_caps),
	SET(OID_RSS_PARAMS, ovid_rndis_set_rss),
	GET(OID_MAX_LINK_SPEED, get_speeds),
	GET(OID_LINK_STATE, get_link_state),
	SET(OID_LINK_PARAMETERS, set_link_parameters),
	SET(OID_CONFIG_PARAMETER, ovid_rndis_set_parameter),
	NUMBER(OID_XMIT_OK, xmit_ok),
	NUMBER(OID_RCV_OK, rcv_ok),
	NUMBER(OID_XMIT_ERROR, xmit_error),
	NUMBER(OID_RCV_ERROR, rcv_error),
	NUMBER(OID_RCV_NO_BUFFER, rcv_no_buffer),
	GET(OID_STATISTICS, get_statistics),
	GET(OID_FRIENDLY_NAME, get_friendly_name),
	GET(OID_BYTES_RCV, get_rcv_bytes),
	GET(OID_BYTES_XMIT, get_xmit_bytes),
	GET(OID_RCV_DISCARDS, get_rcv_discards),
	GET(OID_XMIT_DISCARDS, get_xmit_discards),
	GET(OID_PERMANENT_ADDRESS, get_permanent_address),
	GET(OID_CURRENT_ADDRESS, get_current_address),
	{ .oid = OID_MULTICAST_LIST, .get = get_multicast, .set = set_multicast },
	CONSTANT(OID_MAXIMUM_LIST_SIZE, NET_MAX_MULTICAST),
	CONSTANT(OID_802_3_MAC_OPTIONS, 0),
	{ .oid = OID_ENCAPSULATION, .get = ovid_rndis_get_encapsulation,
	  .set = ovid_rndis_set_encapsulation },
	CONSTANT(OID_RCV_ERROR_ALIGNMENT, 0),
	CONSTANT(OID_XMIT_ONE_COLLISION, 0),
	CONSTANT(OID_XMIT_MORE_COLLISIONS, 0),
	CONSTANT(OID_XMIT_DEFERRED, 0),
	CONSTANT(OID_XMIT_MAX_COLLISIONS, 0),
	CONSTANT(OID_RCV_OVERRUN, 0),
	CONSTANT(OID_XMIT_UNDERRUN, 0),
	CONSTANT(OID_XMIT_HEARTBEAT_FAILURE, 0),
	CONSTANT(OID_XMIT_TIMES_CRS_LOST, 0),
	CONSTANT(OID_XMIT_LATE_COLLISIONS, 0),
	GET(OID_OFFLOAD_CONFIG, ovid_rndis_get_offload_config),
	SET(OID_OFFLOAD_PARAMS, ovid_rndis_set_offload),
	GET(OID_OFFLOAD_CAPS, ovid_rndis_get_offload_caps),
};

static_assert(sizeof(u32) * ARRAY_SIZE(rows) <= RNDIS_OID_BYTES, "there is room for the list");
static_assert(NET_MAC_BYTES * NET_MAX_MULTICAST <= RNDIS_OID_BYTES, "... and for addresses");

static u32 get_supported(const struct rndis_ask *ask, u8 *out)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		put_unaligned_le32(rows[i].oid, out + 4 * i);
	return sizeof(u32) * ARRAY_SIZE(rows);
}

static const struct row *find(u32 oid)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].oid == oid)
			return &rows[i];
	return NULL;
}

u32 ovid_rndis_oid_get(const struct rndis_ask *ask, u32 oid, u8 *out, u32 *bytes)
{
	const struct row *row = find(oid);

	if (row && row->get) {
		*bytes = row->get(ask, out);
	} else if (row && (row->constant || row->number)) {
		put_unaligned_le32(row->constant ? row->value : row->number(ask), out);
		*bytes = sizeof(u32);
	} else {
		return RNDIS_NOT_SUPPORTED;
	}
	return RNDIS_SUCCESS;
}

u32 ovid_rndis_oid_set(struct rndis_ask *ask, u32 oid)
{
	const struct row *row = find(oid);

	return row && row->set ? row->set(ask) : RNDIS_NOT_SUPPORTED;
}
