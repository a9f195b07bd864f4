/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Integration components on the wire.  Numbers and layouts are those of Linux's
 * include/linux/hyperv.h and include/uapi/linux/hyperv.h; all integers are
 * little-endian, all text is UTF-16.
 *
 * A message is struct ic_w_header and a body.  The host asks, the guest answers by the
 * same message with another status, flags and body.
 */
#ifndef OVID_IC_PROTO_H
#define OVID_IC_PROTO_H

#include "../../vmm/purelib.h"

#define IC_SIZE(type, bytes)	static_assert(sizeof(struct type) == (bytes))

/* the longest one has an ip body */
#define IC_MAX_BYTES		8192

#define IC_VERSION(major, minor) ((major) << 16 | (minor))

enum ic_w_type {
	IC_NEGOTIATE = 0,
	IC_HEARTBEAT = 1,
	IC_KVP = 2,
	IC_SHUTDOWN = 3,
	IC_TIMESYNC = 4,
	IC_VSS = 5,
	IC_FCOPY = 7,
};

#define IC_PIPE_DATA		1	/* of pipe_flags */

#define IC_TRANSACTION		(1u << 0)	/* of flags: wants an answer */
#define IC_REQUEST		(1u << 1)
#define IC_RESPONSE		(1u << 2)

/* status: HRESULTs */
#define IC_S_OK			0
#define IC_S_NO_MORE		0x80070103u

struct ic_w_version {
	u16 major;
	u16 minor;
} __packed;
IC_SIZE(ic_w_version, 4);

struct ic_w_header {
	u32 pipe_flags;
	u32 pipe_bytes;		/* of all that follows */
	struct ic_w_version framework;
	u16 type;
	struct ic_w_version version;
	u16 bytes;		/* of the body */
	u32 status;
	u8 transaction;
	u8 flags;
	u16 reserved;
} __packed;
IC_SIZE(ic_w_header, 28);

#define IC_MAX_VERSIONS		4	/* of a kind that we offer */

struct ic_w_negotiate {
	u16 frameworks;
	u16 versions;
	u32 reserved;
	struct ic_w_version list[2 * IC_MAX_VERSIONS];	/* frameworks, then versions */
} __packed;
#define IC_NEGOTIATE_BYTES(n)	(8 + 4 * (n))
IC_SIZE(ic_w_negotiate, IC_NEGOTIATE_BYTES(2 * IC_MAX_VERSIONS));

struct ic_w_heartbeat {
	u64 sequence;		/* answered one more */
	u32 state;		/* of the guest: 0 unknown, 1 healthy, 2 critical, 3 stopped */
	u32 reserved[7];
} __packed;
IC_SIZE(ic_w_heartbeat, 40);

#define IC_SHUTDOWN_FORCE	(1u << 0)
#define IC_SHUTDOWN_RESTART	(1u << 1)
#define IC_SHUTDOWN_HIBERNATE	(1u << 2)
#define IC_SHUTDOWN_PLANNED	0x80000000u	/* reason */

struct ic_w_shutdown {
	u32 reason;
	u32 timeout;		/* seconds */
	u32 flags;
	u16 message[1024];
} __packed;
IC_SIZE(ic_w_shutdown, 2060);

#define IC_TIMESYNC_SYNC	(1u << 0)
#define IC_TIMESYNC_SAMPLE	(1u << 1)

/* before version 4.0 */
struct ic_w_timesync3 {
	u64 parent;		/* 100 ns since 1601 */
	u64 child;
	u64 round_trip;
	u8 flags;
} __packed;
IC_SIZE(ic_w_timesync3, 25);

struct ic_w_timesync {
	u64 parent;
	u64 reference;		/* of the partition at that time, 100 ns */
	u8 flags;
	u8 leap;
	u8 stratum;
	u8 reserved[5];		/* Linux reads three of them */
} __packed;
IC_SIZE(ic_w_timesync, 24);

enum ic_w_kvp_op {
	IC_KVP_GET = 0,
	IC_KVP_SET = 1,
	IC_KVP_DELETE = 2,
	IC_KVP_ENUMERATE = 3,
	IC_KVP_GET_IP = 4,
	IC_KVP_SET_IP = 5,
};

#define IC_KVP_POOLS		5

struct ic_w_kvp_head {
	u8 op;
	u8 pool;
	u16 pad;
} __packed;
IC_SIZE(ic_w_kvp_head, 4);

#define IC_KEY_UNITS		256	/* with the NUL */
#define IC_VALUE_UNITS		1024

struct ic_w_kvp_pair {
	u32 type;		/* 1 text, 4 u32, 8 u64 */
	u32 key_bytes;		/* with the NUL */
	u32 value_bytes;
	u16 key[IC_KEY_UNITS];
	union {
		u16 value[IC_VALUE_UNITS];
		u32 value32;
		u64 value64;
	} __packed;
} __packed;
IC_SIZE(ic_w_kvp_pair, 2572);

struct ic_w_kvp_value {
	struct ic_w_kvp_head head;
	struct ic_w_kvp_pair pair;
} __packed;
IC_SIZE(ic_w_kvp_value, 2576);

struct ic_w_kvp_enumerate {
	struct ic_w_kvp_head head;
	u32 index;
	struct ic_w_kvp_pair pair;
} __packed;
IC_SIZE(ic_w_kvp_enumerate, 2580);

struct ic_w_kvp_delete {
	struct ic_w_kvp_head head;
	u32 key_bytes;
	u16 key[IC_KEY_UNITS];
} __packed;
IC_SIZE(ic_w_kvp_delete, 520);

/* op and pool, then the rest at once: no pad */
struct ic_w_kvp_ip {
	u8 op;
	u8 pool;
	u16 adapter[128];
	u8 family;		/* 1 IPv4, 2 IPv6 */
	u8 dhcp;
	u16 address[1024];
	u16 netmask[1024];
	u16 gateway[512];
	u16 dns[1024];
} __packed;
IC_SIZE(ic_w_kvp_ip, 7428);

enum ic_w_vss_op {
	IC_VSS_HOT_BACKUP = 2,
	IC_VSS_FREEZE = 5,
	IC_VSS_THAW = 6,
};

struct ic_w_vss {
	u8 op;
	u8 reserved[7];
	u32 flags;
} __packed;
IC_SIZE(ic_w_vss, 12);

enum ic_w_fcopy_op {
	IC_FCOPY_START = 0,
	IC_FCOPY_DATA = 1,
	IC_FCOPY_COMPLETE = 2,
	IC_FCOPY_CANCEL = 3,
};

struct ic_w_fcopy {
	u32 op;
	u8 service[2][16];	/* unused */
} __packed;
IC_SIZE(ic_w_fcopy, 36);

#define IC_PATH_UNITS		260	/* with the NUL */

struct ic_w_fcopy_start {
	struct ic_w_fcopy head;
	u16 name[IC_PATH_UNITS];
	u16 path[IC_PATH_UNITS];
	u32 flags;		/* 1 overwrite, 2 create the path */
	u64 bytes;
} __packed;
IC_SIZE(ic_w_fcopy_start, 1088);

#define IC_FCOPY_BYTES		6144

struct ic_w_fcopy_data {
	struct ic_w_fcopy head;
	u32 pad;
	u64 offset;
	u32 bytes;
	u8 data[IC_FCOPY_BYTES];
} __packed;
IC_SIZE(ic_w_fcopy_data, 6196);

static_assert(sizeof(struct ic_w_header) + sizeof(struct ic_w_kvp_ip) <= IC_MAX_BYTES);

#endif
