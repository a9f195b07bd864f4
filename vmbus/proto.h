/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMBus on the wire: channel messages and rings.  Numbers and layouts are those
 * of Linux's include/linux/hyperv.h, which selftests compare; all integers are
 * little-endian.
 */
#ifndef OVID_VMBUS_PROTO_H
#define OVID_VMBUS_PROTO_H

#include "../vmm/purelib.h"
#include "../vmm/types.h"

#define VMBUS_MESSAGE_TYPE	1	/* of the SynIC message around a channel message */
#define VMBUS_MSG_BYTES		240	/* the most that a channel message has */

/* connection ids that the guest posts to; the second one from version 5.0 on */
#define VMBUS_CONN_LEGACY	1
#define VMBUS_CONN_EVENT	2	/* event port of version 0.13 */
#define VMBUS_CONN_MESSAGE	4
/* ... and those that it signals, of our offers: small, so that the port is found at once */
#define VMBUS_CONN_CHANNEL(relid)	(8 + (relid))

#define VMBUS_VERSION(major, minor)	((major) << 16 | (minor))
#define VMBUS_V0_13		VMBUS_VERSION(0, 13)
#define VMBUS_V1_1		VMBUS_VERSION(1, 1)
#define VMBUS_V2_4		VMBUS_VERSION(2, 4)
#define VMBUS_V3_0		VMBUS_VERSION(3, 0)
#define VMBUS_V4_0		VMBUS_VERSION(4, 0)
#define VMBUS_V4_1		VMBUS_VERSION(4, 1)
#define VMBUS_V5_0		VMBUS_VERSION(5, 0)
#define VMBUS_V5_1		VMBUS_VERSION(5, 1)
#define VMBUS_V5_2		VMBUS_VERSION(5, 2)
#define VMBUS_V5_3		VMBUS_VERSION(5, 3)
#define VMBUS_V6_0		VMBUS_VERSION(6, 0)

/* feature flags of INITIATE_CONTACT and VERSION_RESPONSE, from 6.0 on */
#define VMBUS_FEATURE_GUEST_SIGNAL	(1u << 0)
#define VMBUS_FEATURE_INT_REDIRECT	(1u << 1)
#define VMBUS_FEATURE_MODIFY_CONN	(1u << 2)
#define VMBUS_FEATURE_CLIENT_ID		(1u << 3)

/* what the guest is told of a failure; it only asks whether it is 0 */
#define VMBUS_STATUS_UNSUCCESSFUL	0xc0000001u
#define VMBUS_STATUS_NO_RESOURCES	0xc000009au
#define VMBUS_STATUS_REFUSED		0xc0000236u

/* VERSION_RESPONSE and MODIFY_CONN_RESPONSE, state */
#define VMBUS_CONN_OK			0
#define VMBUS_CONN_FAILED		2

#define VMBUS_VP_NONE			0xffffffffu	/* target_vp of OPEN: no interrupts */

enum vmbus_msg_type {
	VMBUS_OFFER = 1,
	VMBUS_RESCIND = 2,
	VMBUS_REQUEST_OFFERS = 3,
	VMBUS_ALL_OFFERS = 4,
	VMBUS_OPEN = 5,
	VMBUS_OPEN_RESULT = 6,
	VMBUS_CLOSE = 7,
	VMBUS_GPADL_HEADER = 8,
	VMBUS_GPADL_BODY = 9,
	VMBUS_GPADL_CREATED = 10,
	VMBUS_GPADL_TEARDOWN = 11,
	VMBUS_GPADL_TORNDOWN = 12,
	VMBUS_RELID_RELEASED = 13,
	VMBUS_INITIATE_CONTACT = 14,
	VMBUS_VERSION_RESPONSE = 15,
	VMBUS_UNLOAD = 16,
	VMBUS_UNLOAD_RESPONSE = 17,
	VMBUS_TL_CONNECT = 21,
	VMBUS_MODIFY = 22,
	VMBUS_TL_RESULT = 23,
	VMBUS_MODIFY_RESPONSE = 24,
	VMBUS_MODIFY_CONN = 25,
	VMBUS_MODIFY_CONN_RESPONSE = 26,
};

struct vmbus_w_header {
	u32 type;
	u32 pad;
};

struct vmbus_w_guid {
	u8 b[16];
};

#define VMBUS_USER_BYTES	120

/* VMBUS_OFFER */
struct vmbus_w_offer {
	struct vmbus_w_header h;
	struct vmbus_w_guid type;
	struct vmbus_w_guid instance;
	u8 reserved[16];
	u16 flags;		/* VMBUS_OFFER_* */
	u16 mmio_mb;
	u8 user[VMBUS_USER_BYTES];
	u16 sub_index;
	u16 reserved2;
	u32 relid;
	u8 monitor_id;
	u8 monitor_allocated;
	u16 dedicated_interrupt;
	u32 connection_id;
};

#define VMBUS_OFFER_ENUMERATE	0x1
#define VMBUS_OFFER_NAMED_PIPE	0x10
#define VMBUS_OFFER_LOOPBACK	0x100
#define VMBUS_OFFER_PARENT	0x200
#define VMBUS_OFFER_TLNPI	0x2000	/* hvsocket */

/* of a named pipe, in the first word of @user */
#define VMBUS_PIPE_BYTE		0
#define VMBUS_PIPE_MESSAGE	4

/* VMBUS_RESCIND, VMBUS_CLOSE, VMBUS_RELID_RELEASED */
struct vmbus_w_relid {
	struct vmbus_w_header h;
	u32 relid;
};

struct vmbus_w_open {
	struct vmbus_w_header h;
	u32 relid;
	u32 open_id;
	u32 ring_gpadl;
	u32 target_vp;
	u32 downstream;		/* pages of the ring towards the host */
	u8 user[VMBUS_USER_BYTES];
};

struct vmbus_w_open_result {
	struct vmbus_w_header h;
	u32 relid;
	u32 open_id;
	u32 status;
};

struct vmbus_w_gpadl_header {
	struct vmbus_w_header h;
	u32 relid;
	u32 gpadl;
	u16 range_bytes;
	u16 range_count;
	/* ranges follow: u32 byte_count, u32 byte_offset, u64 pfn[] */
} __packed;

struct vmbus_w_gpadl_body {
	struct vmbus_w_header h;
	u32 number;
	u32 gpadl;
	/* pfns follow */
};

struct vmbus_w_gpadl_created {
	struct vmbus_w_header h;
	u32 relid;
	u32 gpadl;
	u32 status;
};

struct vmbus_w_gpadl_teardown {
	struct vmbus_w_header h;
	u32 relid;
	u32 gpadl;
};

struct vmbus_w_gpadl_torndown {
	struct vmbus_w_header h;
	u32 gpadl;
};

struct vmbus_w_initiate_contact {
	struct vmbus_w_header h;
	u32 version;
	u32 target_vp;
	union {
		u64 interrupt_page;	/* before 5.0 */
		struct {
			u8 sint;
			u8 vtl;
			u16 reserved;
			u32 features;	/* from 6.0 on */
		};
	};
	u64 monitor_page1;	/* host to guest */
	u64 monitor_page2;	/* guest to host */
};

/* with VMBUS_FEATURE_CLIENT_ID */
struct vmbus_w_initiate_contact2 {
	struct vmbus_w_initiate_contact c;
	struct vmbus_w_guid client;
};

struct vmbus_w_version_response {
	struct vmbus_w_header h;
	u8 supported;
	u8 state;
	u16 pad;
	u32 value;		/* connection id from 5.0 on, before that the version */
	u32 features;		/* 6.0: sent only then */
};

struct vmbus_w_tl_connect {
	struct vmbus_w_header h;
	struct vmbus_w_guid endpoint;	/* the guest's */
	struct vmbus_w_guid service;	/* the host's */
};

/* as newer clients send it; without, @silo is zero */
struct vmbus_w_tl_connect2 {
	struct vmbus_w_tl_connect c;
	struct vmbus_w_guid silo;
};

struct vmbus_w_tl_result {
	struct vmbus_w_header h;
	struct vmbus_w_guid endpoint;
	struct vmbus_w_guid service;
	u32 status;
};

struct vmbus_w_modify {
	struct vmbus_w_header h;
	u32 relid;
	u32 target_vp;
};

struct vmbus_w_modify_response {
	struct vmbus_w_header h;
	u32 relid;
	u32 status;
};

struct vmbus_w_modify_conn {
	struct vmbus_w_header h;
	u64 monitor_page1;
	u64 monitor_page2;
};

struct vmbus_w_modify_conn_response {
	struct vmbus_w_header h;
	u8 state;
} __packed;

/* ---- monitor pages ---- */

#define VMBUS_MONITORS		128	/* ids, in groups of 32 */

/*
 * The page from the guest to the host: a guest whose channel has a monitor id sets its bit in
 * @pending, and the host looks every @latency.
 */
struct vmbus_w_monitor_page {
	u32 group_enable;	/* a bit for each group */
	u32 reserved;
	struct {
		u32 pending;
		u32 armed;
	} group[VMBUS_MONITORS / 32];
	u64 reserved2[3];
	s32 next_check[VMBUS_MONITORS];
	u16 latency[VMBUS_MONITORS];	/* 100 ns */
	u64 reserved3[32];
	struct {
		u32 connection;
		u16 flag;
		u16 reserved;
	} parameter[VMBUS_MONITORS];
	u8 reserved4[1984];
};

/* ---- rings ---- */

/* the page before a ring's data */
struct vmbus_w_ring {
	u32 write;		/* bytes into the data; by the producer */
	u32 read;		/* by the consumer */
	u32 interrupt_mask;	/* by the consumer: no signal when data is added */
	u32 pending_send;	/* by the producer: signal when more than that is free */
	u32 reserved[12];
	u32 features;
};

#define VMBUS_RING_PENDING_SEND	(1u << 0)	/* of @features */

struct vmbus_w_packet {
	u16 type;
	u16 offset8;		/* where the payload begins, in 8 bytes */
	u16 len8;		/* descriptor and payload, in 8 bytes */
	u16 flags;
	u64 trans_id;
};

/* behind the descriptor of VMBUS_PKT_XFER_PAGES, and then ranges */
struct vmbus_w_pages {
	u16 set;
	u8 sender_owns;
	u8 reserved;
	u32 nr_ranges;
};

struct vmbus_w_range {
	u32 bytes;
	u32 offset;
};

#define VMBUS_PACKET_TRAILER	8		/* behind each packet, not in len8 */
#define VMBUS_PACKET_COMPLETION	(1u << 0)	/* of flags: asks for one */

enum vmbus_w_packet_type {
	VMBUS_PKT_DATA = 6,
	VMBUS_PKT_XFER_PAGES = 7,
	VMBUS_PKT_GPADL = 8,
	VMBUS_PKT_GPA_DIRECT = 9,
	VMBUS_PKT_CANCEL = 10,
	VMBUS_PKT_COMPLETION = 11,
};

#endif
