/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * ovid_ic.h - records on the file of an integration component's channel.
 *
 * write() takes one request, read() gives one event or answer; each is one of the
 * structs here, which all begin with struct ovid_ic_record.  poll(): POLLIN, there is
 * something to be read; POLLOUT, a request would be taken.
 *
 * Each request is answered once, by a record of the same kind and size with the
 * request's id, whatever the guest does or does not.  Its members are those of the
 * request, and what the guest said.  A record with id 0 is an event: something is
 * different now.  Events tell what is, not what was: of two that nobody read only the
 * last one is kept.
 *
 * write() fails with EINVAL (no such request here, or its content cannot be), EAGAIN
 * (OVID_IC_MAX_REQUESTS are under way or their answers wait to be read) and EFAULT.
 * read() fails with EAGAIN (nothing there, O_NONBLOCK), EMSGSIZE (the record is longer
 * than the buffer; it stays) and EFAULT (it is lost).
 *
 * Text is UTF-8, ends with NUL, and is as long as its member allows: that is what
 * UTF-16 of the protocol's length may need.
 */
#ifndef OVID_IC_UAPI_H
#define OVID_IC_UAPI_H

#include <linux/types.h>

#define OVID_IC_MAX_REQUESTS	16

enum ovid_ic_kind {
	OVID_IC_STATE = 1,		/* struct ovid_ic_state: all services; an event too */
	OVID_IC_SHUTDOWN = 2,		/* struct ovid_ic_shutdown */
	OVID_IC_TIMESYNC = 3,		/* struct ovid_ic_timesync */
	OVID_IC_TIMESYNC_AUTO = 4,	/* struct ovid_ic_timesync_auto */
	OVID_IC_HEARTBEAT = 5,		/* struct ovid_ic_heartbeat; an event too */
	OVID_IC_KVP_GET = 6,		/* struct ovid_ic_kvp */
	OVID_IC_KVP_SET = 7,		/* struct ovid_ic_kvp */
	OVID_IC_KVP_DELETE = 8,		/* struct ovid_ic_kvp */
	OVID_IC_KVP_ENUMERATE = 9,	/* struct ovid_ic_kvp */
	OVID_IC_KVP_GET_IP = 10,	/* struct ovid_ic_kvp_ip */
	OVID_IC_KVP_SET_IP = 11,	/* struct ovid_ic_kvp_ip */
	OVID_IC_VSS_CHECK = 12,		/* struct ovid_ic_vss_check */
	OVID_IC_VSS_FREEZE = 13,	/* struct ovid_ic_record */
	OVID_IC_VSS_THAW = 14,		/* struct ovid_ic_record */
	OVID_IC_COPY_START = 15,	/* struct ovid_ic_copy_start */
	OVID_IC_COPY_DATA = 16,		/* struct ovid_ic_copy_data */
	OVID_IC_COPY_COMPLETE = 17,	/* struct ovid_ic_record */
	OVID_IC_COPY_CANCEL = 18,	/* struct ovid_ic_record */
};

enum ovid_ic_status {
	OVID_IC_OK = 0,			/* the guest has done it or will */
	OVID_IC_REFUSED = 1,		/* the guest says no: @code */
	OVID_IC_NO_MORE = 2,		/* KVP: no such key or index */
	OVID_IC_NOT_READY = 3,		/* the guest's side is not there (yet): OVID_IC_STATE */
	OVID_IC_GONE = 4,		/* it went away before it answered */
	OVID_IC_TIMEOUT = 5,		/* no answer in time; it may still do what was asked */
	OVID_IC_BAD_ANSWER = 6,		/* what it answered makes no sense */
	OVID_IC_UNSUPPORTED = 7,	/* the negotiated version or the ring is too small for it */
	OVID_IC_OUT_OF_ORDER = 8,	/* file copy: not started; started twice; past the end */
};

/**
 * struct ovid_ic_record - how every record begins
 * @size:	bytes of the whole record
 * @kind:	enum ovid_ic_kind
 * @reserved:	must be zero
 * @id:		the requester's, not 0; an event has 0
 * @status:	enum ovid_ic_status; 0 in a request
 * @code:	the guest's HRESULT, with OVID_IC_REFUSED and OVID_IC_NO_MORE; 0 in a request
 *
 * The whole request for OVID_IC_VSS_THAW, OVID_IC_VSS_FREEZE, OVID_IC_COPY_COMPLETE and
 * OVID_IC_COPY_CANCEL.
 */
struct ovid_ic_record {
	__u32 size;
	__u16 kind;
	__u16 reserved;
	__u64 id;
	__u32 status;
	__u32 code;
};

enum ovid_ic_guest {
	OVID_IC_CLOSED = 0,		/* no driver in the guest has opened the channel */
	OVID_IC_NEGOTIATING = 1,	/* one has and was asked for its versions */
	OVID_IC_READY = 2,		/* it takes requests */
	OVID_IC_NO_VERSION = 3,		/* it knows none that we do; until it opens anew */
};

/**
 * struct ovid_ic_state - OVID_IC_STATE: the guest's side, in an event when it changes
 * @record:	all but this is filled by the answer
 * @guest:	enum ovid_ic_guest
 * @framework:	negotiated version of the framework, major << 16 | minor; 0 until then
 * @version:	the same of the service's messages
 * @opens:	times that the guest has opened the channel
 * @sent:	messages to the guest
 * @answered:	those that it answered in time
 * @timeouts:	those that it did not
 * @bad:	messages of the guest that make no sense: too short, too long, of another type
 * @stray:	messages of the guest that answer nothing, or too late
 */
struct ovid_ic_state {
	struct ovid_ic_record record;
	__u32 guest;
	__u32 framework;
	__u32 version;
	__u32 opens;
	__u64 sent;
	__u64 answered;
	__u64 timeouts;
	__u64 bad;
	__u64 stray;
};

enum ovid_ic_shutdown_action {
	OVID_IC_POWER_OFF = 0,
	OVID_IC_REBOOT = 1,		/* from version 3.1 on */
	OVID_IC_HIBERNATE = 2,		/* from version 3.2 on */
};

#define OVID_IC_FORCE		(1u << 0)	/* do not ask programs whether they like it */

/**
 * struct ovid_ic_shutdown - OVID_IC_SHUTDOWN: the guest is to end
 * @record:	OVID_IC_OK: the guest has accepted, and will do it
 * @action:	enum ovid_ic_shutdown_action
 * @flags:	OVID_IC_FORCE
 * @timeout:	seconds that the guest may take, as it is told; 0: its own idea
 * @reserved:	must be zero
 * @message:	for people in the guest
 */
struct ovid_ic_shutdown {
	struct ovid_ic_record record;
	__u32 action;
	__u32 flags;
	__u32 timeout;
	__u32 reserved;
	char  message[256];
};

#define OVID_IC_SYNC		(1u << 0)	/* the guest sets its clock */
#define OVID_IC_SAMPLE		(1u << 1)	/* a sample, for a program that slews it */

/**
 * struct ovid_ic_timesync - OVID_IC_TIMESYNC: tell the guest what time it is
 * @record:	answered when the guest has it
 * @flags:	OVID_IC_SYNC or OVID_IC_SAMPLE
 * @reserved:	must be zero
 *
 * The time is the host's wall clock when the message is written.
 */
struct ovid_ic_timesync {
	struct ovid_ic_record record;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct ovid_ic_timesync_auto - OVID_IC_TIMESYNC_AUTO: does the guest get the time by itself?
 * @record:	answered at once
 * @on:		1: a sync now or when the guest is ready, a sample every 5 seconds from then
 *		on (so it is in the beginning); 0: only when it is asked for
 * @reserved:	must be zero
 */
struct ovid_ic_timesync_auto {
	struct ovid_ic_record record;
	__u32 on;
	__u32 reserved;
};

enum ovid_ic_pulse {
	OVID_IC_NO_CONTACT = 0,		/* none since the guest has opened the channel */
	OVID_IC_ALIVE = 1,
	OVID_IC_LOST = 2,		/* no answer for 10 seconds */
};

/**
 * struct ovid_ic_heartbeat - OVID_IC_HEARTBEAT: how the guest does
 * @record:	answered at once; an event when @pulse or @guest changes
 * @pulse:	enum ovid_ic_pulse
 * @guest:	what it says of itself: 0 unknown (Linux), 1 healthy, 2 critical, 3 stopped
 * @sent:	heartbeats, one every 2 seconds
 * @answered:	those that were
 * @age:	nanoseconds since the last one that was, ~0: none was
 */
struct ovid_ic_heartbeat {
	struct ovid_ic_record record;
	__u32 pulse;
	__u32 guest;
	__u64 sent;
	__u64 answered;
	__u64 age;
};

enum ovid_ic_kvp_pool {
	OVID_IC_POOL_EXTERNAL = 0,	/* host to guest */
	OVID_IC_POOL_GUEST = 1,		/* guest to host */
	OVID_IC_POOL_AUTO = 2,		/* what the guest says of itself; enumerate only in Linux */
	OVID_IC_POOL_AUTO_EXTERNAL = 3,	/* what the host says of itself */
	OVID_IC_POOL_AUTO_INTERNAL = 4,
};

/* types of a value */
enum ovid_ic_kvp_type {
	OVID_IC_TEXT = 1,
	OVID_IC_U32 = 4,
	OVID_IC_U64 = 8,
};

#define OVID_IC_KEY_LEN		768
#define OVID_IC_VALUE_LEN	3072

/**
 * struct ovid_ic_kvp - OVID_IC_KVP_GET, _SET, _DELETE, _ENUMERATE: one pair of a pool
 * @record:	OVID_IC_NO_MORE: there is no such key or index
 * @pool:	enum ovid_ic_kvp_pool
 * @index:	which pair, from 0 on: enumerate
 * @type:	enum ovid_ic_kvp_type: of the value that is set, or was read
 * @reserved:	must be zero
 * @number:	value of type OVID_IC_U32 or OVID_IC_U64
 * @key:	read by all but enumerate, which answers it
 * @value:	of type OVID_IC_TEXT
 */
struct ovid_ic_kvp {
	struct ovid_ic_record record;
	__u32 pool;
	__u32 index;
	__u32 type;
	__u32 reserved;
	__u64 number;
	char  key[OVID_IC_KEY_LEN];
	char  value[OVID_IC_VALUE_LEN];
};

#define OVID_IC_IPV4		(1u << 0)
#define OVID_IC_IPV6		(1u << 1)

/**
 * struct ovid_ic_kvp_ip - OVID_IC_KVP_GET_IP, OVID_IC_KVP_SET_IP: addresses of an adapter
 * @record:	version 4.0 has it
 * @family:	OVID_IC_IPV4, OVID_IC_IPV6
 * @dhcp:	1: by DHCP
 * @adapter:	to get: its MAC address, 00:15:5d:00:00:01; to set: its channel's GUID in braces
 * @address:	addresses, with ; between them
 * @netmask:	a mask (IPv4) or prefix length for each
 * @gateway:	gateways
 * @dns:	name servers
 */
struct ovid_ic_kvp_ip {
	struct ovid_ic_record record;
	__u32 family;
	__u32 dhcp;
	char  adapter[384];
	char  address[3072];
	char  netmask[3072];
	char  gateway[1536];
	char  dns[3072];
};

/**
 * struct ovid_ic_vss_check - OVID_IC_VSS_CHECK: can the guest be backed up while it runs?
 * @record:	OVID_IC_OK: it can
 * @flags:	answer: what the guest says; Linux: 5, it needs no recovery of a snapshot
 * @reserved:	must be zero
 *
 * OVID_IC_VSS_FREEZE has the guest flush its filesystems and stop all writes, for which it may
 * take 15 minutes, until OVID_IC_VSS_THAW.  After a freeze that was not answered by
 * OVID_IC_REFUSED or OVID_IC_NOT_READY a thaw is due: it may come true late.
 */
struct ovid_ic_vss_check {
	struct ovid_ic_record record;
	__u32 flags;
	__u32 reserved;
};

#define OVID_IC_OVERWRITE	(1u << 0)	/* a file that is there */
#define OVID_IC_CREATE_PATH	(1u << 1)	/* folders that are not */
#define OVID_IC_PATH_LEN	784

/**
 * struct ovid_ic_copy_start - OVID_IC_COPY_START: a file for the guest
 * @record:	OVID_IC_REFUSED with 0x80070050: there is one of that name; 0x80070070: disk full
 * @bytes:	of the file
 * @flags:	OVID_IC_OVERWRITE, OVID_IC_CREATE_PATH
 * @reserved:	must be zero
 * @name:	of the file
 * @path:	of its folder
 *
 * One file at a time; OVID_IC_COPY_COMPLETE or OVID_IC_COPY_CANCEL ends it, well or not.
 * Requests may be written ahead.  A guest may refuse a cancel that it does not know.
 */
struct ovid_ic_copy_start {
	struct ovid_ic_record record;
	__u64 bytes;
	__u32 flags;
	__u32 reserved;
	char  name[OVID_IC_PATH_LEN];
	char  path[OVID_IC_PATH_LEN];
};

#define OVID_IC_COPY_BYTES	6144

/**
 * struct ovid_ic_copy_data - OVID_IC_COPY_DATA: a piece of it
 * @record:	record
 * @offset:	in the file
 * @bytes:	of @data: 1 to OVID_IC_COPY_BYTES, not past the end of the file
 * @reserved:	must be zero
 * @data:	its content; the answer's is undefined
 */
struct ovid_ic_copy_data {
	struct ovid_ic_record record;
	__u64 offset;
	__u32 bytes;
	__u32 reserved;
	__u8  data[OVID_IC_COPY_BYTES];
};

#endif
