/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of a storage channel, and the SCSI request in one.  Numbers and layouts are
 * those of Linux's drivers/scsi/storvsc_drv.c; all integers are little-endian.
 */
#ifndef OVID_STORAGE_PROTO_H
#define OVID_STORAGE_PROTO_H

#include "../../vmm/purelib.h"
#include "../../vmm/types.h"

enum stor_w_op {
	STOR_COMPLETE = 1,		/* ours, the answer to each */
	STOR_EXECUTE_SRB = 3,
	STOR_RESET_LUN = 4,
	STOR_RESET_ADAPTER = 5,
	STOR_RESET_BUS = 6,
	STOR_BEGIN_INITIALIZATION = 7,
	STOR_END_INITIALIZATION = 8,
	STOR_QUERY_VERSION = 9,
	STOR_QUERY_PROPERTIES = 10,
	STOR_ENUMERATE_BUS = 11,	/* ours: units have come or gone */
	STOR_CREATE_SUBS = 13,
};

#define STOR_VERSION(major, minor)	((major) << 8 | (minor))

/* of a packet's status: NTSTATUS */
#define STOR_OK				0u
#define STOR_REVISION_MISMATCH		0xc0000059u
#define STOR_INVALID_REQUEST		0xc0000010u
#define STOR_INVALID_STATE		0xc0000184u
#define STOR_NO_RESOURCES		0xc000009au

/* srb_status */
#define STOR_SRB_SUCCESS		0x01
#define STOR_SRB_ERROR			0x04
#define STOR_SRB_BUSY			0x05
#define STOR_SRB_INVALID_REQUEST	0x06
#define STOR_SRB_DATA_OVERRUN		0x12
#define STOR_SRB_INVALID_LUN		0x20
#define STOR_SRB_SENSE_VALID		0x80	/* with one of them */

#define STOR_CDB_BYTES		16
#define STOR_SENSE_BYTES	20	/* room in the packet, where the CDB was */

struct stor_w_srb {
	u16 length;
	u8 srb_status;
	u8 scsi_status;
	u8 port;
	u8 path;
	u8 target;
	u8 lun;
	u8 cdb_length;
	u8 sense_length;
	u8 data_in;		/* 0 to us, 1 to the guest, 2 none */
	u8 reserved;
	u32 transfer_length;
	union {
		u8 cdb[STOR_CDB_BYTES];
		u8 sense[STOR_SENSE_BYTES];
	};
	/* not before 5.1 */
	u16 reserved2;
	u8 queue_tag;
	u8 queue_action;
	u32 flags;
	u32 timeout;
	u32 sort_key;
} __packed;

struct stor_w_properties {
	u32 reserved;
	u16 max_subs;		/* channels beside the first */
	u16 reserved2;
	u32 flags;		/* STOR_HAS_SUBS */
	u32 max_transfer;
	u64 reserved3;
} __packed;

struct stor_w_version {
	u16 version;
	u16 revision;
} __packed;

struct stor_w_packet {
	u32 op;
	u32 flags;		/* STOR_WANTS_COMPLETION */
	u32 status;
	union {
		struct stor_w_srb srb;
		struct stor_w_properties properties;
		struct stor_w_version version;
		u16 subs;		/* STOR_CREATE_SUBS: so many are wanted */
	};
} __packed;

#define STOR_WANTS_COMPLETION	(1u << 0)
#define STOR_HAS_SUBS		(1u << 0)

#define STOR_PACKET_BYTES	64
#define STOR_PACKET_OLD_BYTES	48	/* before 5.1 */

static_assert(sizeof(struct stor_w_packet) == STOR_PACKET_BYTES, "a packet");

#endif
