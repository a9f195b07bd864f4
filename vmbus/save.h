/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bus that is saved: sections one after another, each with a head that says what
 * it is and how long.  All integers are little-endian; a section begins at a multiple
 * of 8 bytes, and what is between two is zero.
 *
 * In this order: messages that wait (mail.c), the connection, its GPADLs, its channels
 * (save.c), what providers wrote (server_save.c).
 *
 * What is read may come from anybody: it is believed as little as a guest.
 */
#ifndef OVID_BUS_SAVE_H
#define OVID_BUS_SAVE_H

#include "bus.h"

#define OVID_SAVE_VERSION	1	/* of all sections */

enum ovid_save_type {
	OVID_SAVE_TO_HOST = 1,	/* struct ovid_save_mail: the oldest first */
	OVID_SAVE_TO_GUEST = 2,	/* struct ovid_save_mail: the oldest first */
	OVID_SAVE_BUS = 3,	/* struct ovid_save_bus: one */
	OVID_SAVE_GPADL = 4,	/* struct ovid_save_gpadl */
	OVID_SAVE_CHANNEL = 5,	/* struct ovid_save_channel */
	OVID_SAVE_PROVIDER = 6,	/* its own business; @instance: the channel, counted from 0 */
};

/**
 * struct ovid_save_head - before each section
 * @type: enum ovid_save_type
 * @version: OVID_SAVE_VERSION
 * @instance: which one of this type; 0 where nothing else is said
 * @bytes: that follow, without what fills up to a multiple of 8
 */
struct ovid_save_head {
	u32 type;
	u32 version;
	u32 instance;
	u32 bytes;
};

/**
 * struct ovid_save_mail - a control message
 * @connection: of one for the host: where it was posted to
 * @vp: of one for the guest: who gets it
 * @sint: and by which SINT
 * @bytes: of @data
 * @data: the message
 */
struct ovid_save_mail {
	u32 connection;
	u32 vp;
	u32 sint;
	u32 bytes;
	u8 data[VMBUS_MSG_BYTES];
};

/* as the members of struct ovid_bus; @gpadls and @channels: how many follow */
struct ovid_save_bus {
	u32 state;
	u32 version;
	u32 agreed_features;
	u32 target_vp;
	u32 sint;
	u32 last_relid;
	u32 gpadls;
	u32 channels;
	u64 interrupt_page;
	u64 monitor_page[2];
	u64 messages;
	u64 bad_messages;
	struct vmbus_w_guid client;
};

#define OVID_SAVE_COMPLETE	(1u << 0)
#define OVID_SAVE_TEARDOWN	(1u << 1)

/* as the members of struct ovid_gpadl; what has come of the ranges follows: @have bytes */
struct ovid_save_gpadl {
	u32 id;
	u32 relid;
	u32 range_count;
	u32 range_bytes;
	u32 have;
	u32 flags;		/* OVID_SAVE_COMPLETE, OVID_SAVE_TEARDOWN */
};

/*
 * As the members of struct ovid_bus_chan; @relid 0: not offered; @ring: the GPADL's id;
 * @monitor: its id and 1, 0: it has none.
 */
struct ovid_save_channel {
	struct vmbus_w_guid type;
	struct vmbus_w_guid instance;
	u16 sub_index;
	u8 state;
	u8 revoked;
	u32 relid;
	u32 open_id;
	u32 target_vp;
	u32 downstream;
	u32 ring;
	u32 monitor;
	u32 reserved;
	u8 user[VMBUS_USER_BYTES];
};

/* ---- writing ---- */

/**
 * struct ovid_saving - a stream that is being written
 * @buf: zeroes, aligned to 8 bytes
 * @room: bytes of @buf
 * @bytes: of all sections so far, also of those that there was no room for
 */
struct ovid_saving {
	u8 *buf;
	u64 room;
	u64 bytes;
};

/* where the content of the next section goes, and how much of it; NULL: no room */
void *ovid_saving_at(const struct ovid_saving *to, u32 *room);
/* it is there, where ovid_saving_at() has said, or had no room */
void ovid_saving_add(struct ovid_saving *to, u32 type, u32 instance, u32 bytes);
/* both: zeroes to be filled, or NULL: it is only counted */
void *ovid_saving_section(struct ovid_saving *to, u32 type, u32 instance, u32 bytes);

/**
 * ovid_bus_save - the state of a bus
 * @bus: bus
 * @to: out: sections OVID_SAVE_BUS to OVID_SAVE_CHANNEL
 */
void ovid_bus_save(const struct ovid_bus *bus, struct ovid_saving *to);

/* ---- reading ---- */

/**
 * struct ovid_saved - a stream that is being read
 * @at: a copy that nobody writes to, aligned to 8 bytes
 * @left: bytes of it
 */
struct ovid_saved {
	const u8 *at;
	u64 left;
};

/**
 * ovid_saved_next - the next section, if it is one of this type
 * @from: stream; goes on behind it
 * @type: enum ovid_save_type
 * @least: bytes that it has at least
 * @head: out: its head
 *
 * Return: its content; NULL: it is another one, or not as it should be, or the end.
 */
const void *ovid_saved_next(struct ovid_saved *from, u32 type, u32 least,
			    struct ovid_save_head *head);

/**
 * ovid_bus_restore - put a state into a bus
 * @bus: one with ovid_bus.awaits, which knows the channels that are offered, and no guest
 * @from: stream at OVID_SAVE_BUS; the effects restore() take what is behind the channels
 *
 * Channels are found by type, instance and index: all that the state has must be
 * offered, but for those revoked and those that effects->sub makes, and no others.  Their files may
 * be others.
 *
 * Return: 0: as it was when it was saved, the effects pin() and restore() were called, monitor()
 * too, and the stream is at its end.  Else nothing has changed, but the order of the channels:
 * -EBUSY (it is not such a bus), -EINVAL (no state that a bus could be in, or too new), -ENOENT
 * (a channel that is not offered), -ENOMEM, or what an effect has said.
 */
int ovid_bus_restore(struct ovid_bus *bus, struct ovid_saved *from);

#endif
