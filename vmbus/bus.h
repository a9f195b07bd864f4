/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state machine of a partition's VMBus: contact, offers, GPADLs, channels.
 *
 * It is free of I/O (buslib.h): messages of the guest and wishes of the host come in by
 * calls, what is to be done goes out by struct ovid_bus_effects.  Built into the
 * module and, with the same source, for userspace (selftests/unit, selftests/fuzz).
 *
 * Calls are made under one lock of the owner's, who may sleep in effects.  An
 * effect does not call back into the bus.
 */
#ifndef OVID_BUS_H
#define OVID_BUS_H

#include "proto.h"

#define OVID_BUS_MAX_RELID	2047
#define OVID_BUS_MAX_GPADLS	1024	/* at a time */
#define OVID_BUS_MAX_GPADL_PAGES (1u << 18)	/* of all GPADLs together: 1 GiB */
#define OVID_BUS_SINT		2

struct ovid_bus;
struct ovid_bus_chan;
struct ovid_gpadl;

/**
 * struct ovid_bus_effects - what the bus does to the world
 * @post: a message for the guest, to VP bus->target_vp, SINT bus->sint.  In the
 *	order of the calls; cannot fail.  A message of the guest has two answers at most, but
 *	REQUEST_OFFERS and CLOSE, which have up to two for each channel: the owner
 *	bounds what waits by taking no more messages from a guest that does not read its own
 * @drop_posts: forgets messages that wait, and what @tl_connect has taken (the guest has unloaded
 *	or begins anew)
 * @pin: all ranges of a GPADL are there and checked: pin its pages.  0 or -errno, then it is
 *	refused
 * @unpin: nothing may touch its memory when this returns.  Once for each @pin that gave 0
 * @open: begin to serve: 0 (is open), -EINPROGRESS (ovid_bus_open_done() comes later),
 *	or another -errno: refused.  The ring is one range of whole pages with two rings in it, of
 *	two pages or more each; what is in them is not checked.  No event may reach the guest before
 *	its answer is posted, that is before ovid_bus_message() or ovid_bus_open_done() returns
 * @close: nothing may touch its ring when this returns.  Once for each @open that gave 0 or
 *	-EINPROGRESS, unless ovid_bus_open_done() said it failed; no ovid_bus_open_done() for that
 *	@open may come after it
 * @retarget: events go to chan->target_vp from now on, and none to the old one
 * @release: the bus does not know @chan any more, its owner frees it: the guest has let go of a
 *	revoked one, a sub-channel has gone with its primary channel, or a socket's with the
 *	connection.  ovid_bus_revoke() does nothing from here on
 * @monitor: bus->monitor_page or bus->interrupt_page have changed, 0: there are none.  0, or
 *	-errno: the monitor pages cannot be used, and no channel of this connection has a monitor
 * @tl_connect: a guest wants to connect to a service of the host's.  0: an offer will
 *	come, or ovid_bus_tl_refuse(); -errno: refused
 * @gone: a channel that is restored, which the guest holds and nobody offers any more: zeroed;
 *	NULL: no memory.  @release frees it
 * @sub: a sub-channel that is restored, and that nobody has offered: zeroed but for @offer and
 *	@ctx; NULL: @primary has none but those, or no memory.  @release frees it
 * @restore: @chan is as it was saved, its ring is pinned: make of it what @open has made, without
 *	a word to the guest.  For each one, @index counts them, also for those that are closed.
 *	0 or -errno
 * @unrestore: takes @restore back, if it gave 0; nothing may touch its ring when this returns
 */
struct ovid_bus_effects {
	void (*post)(struct ovid_bus *bus, const void *msg, u32 bytes);
	void (*drop_posts)(struct ovid_bus *bus);
	int (*pin)(struct ovid_bus *bus, struct ovid_gpadl *gpadl);
	void (*unpin)(struct ovid_bus *bus, struct ovid_gpadl *gpadl);
	int (*open)(struct ovid_bus *bus, struct ovid_bus_chan *chan);
	void (*close)(struct ovid_bus *bus, struct ovid_bus_chan *chan);
	void (*retarget)(struct ovid_bus *bus, struct ovid_bus_chan *chan);
	void (*release)(struct ovid_bus *bus, struct ovid_bus_chan *chan);
	int (*monitor)(struct ovid_bus *bus);
	int (*tl_connect)(struct ovid_bus *bus, const struct vmbus_w_tl_connect2 *want);
	struct ovid_bus_chan *(*gone)(struct ovid_bus *bus);
	struct ovid_bus_chan *(*sub)(struct ovid_bus *bus, struct ovid_bus_chan *primary,
				     u16 index);
	int (*restore)(struct ovid_bus *bus, struct ovid_bus_chan *chan, u32 index);
	void (*unrestore)(struct ovid_bus *bus, struct ovid_bus_chan *chan);
};

enum ovid_bus_state {
	OVID_BUS_DISCONNECTED,
	OVID_BUS_CONNECTED,	/* a version is agreed on */
	OVID_BUS_OFFERED,	/* and the guest has asked for offers */
};

/* what the bus can do of VMBUS_FEATURE_* */
#define OVID_BUS_FEATURES	(VMBUS_FEATURE_MODIFY_CONN | VMBUS_FEATURE_CLIENT_ID)

/**
 * struct ovid_bus - the bus of a partition
 * @fx: the owner's, like @ctx
 * @ctx: anything
 * @max_version: newer ones are refused; ovid_bus_init() sets 6.0
 * @features: offered from version 6.0 on; ovid_bus_init() sets OVID_BUS_FEATURES, others
 *	have no effect
 * @nr_vps: VP indexes the guest may name are below it; ovid_bus_init() sets 1
 * @awaits: set by the owner: a state is to come (save.h), and there is no guest until then; a
 *	sub-channel may be offered before its primary channel is open
 * @state: of the connection
 * @version: of the connection, 0: there is none
 * @agreed_features: of @features, those that the guest wants, too
 * @target_vp: where messages for the guest go, also when it has gone (UNLOAD_RESPONSE)
 * @sint: where messages for the guest go
 * @interrupt_page: before 2.4 events are bits in this page; 0: none
 * @monitor_page: host to guest, guest to host; 0: none
 * @monitored: by monitor id: channels that the guest was told to have one
 * @client: who it is, with VMBUS_FEATURE_CLIENT_ID; or 0
 * @chan: by relid: what the guest was told of and has not released
 * @chans: all of them, in the order in which they were offered
 * @nr_chans: in @chans
 * @last_relid: the one that was given last: the next is looked for behind it
 * @gpadls: the newest first
 * @nr_gpadls: in @gpadls
 * @gpadl_pages: of them, those that are not complete as their header says
 * @bad_messages: refused because of their content or the state
 * @messages: all
 */
struct ovid_bus {
	const struct ovid_bus_effects *fx;
	void *ctx;
	u32 max_version;
	u32 features;
	u32 nr_vps;
	bool awaits;

	enum ovid_bus_state state;
	u32 version;
	u32 agreed_features;
	u32 target_vp;
	u8 sint;
	u64 interrupt_page;
	u64 monitor_page[2];
	struct ovid_bus_chan *monitored[VMBUS_MONITORS];
	struct vmbus_w_guid client;

	struct ovid_bus_chan *chan[OVID_BUS_MAX_RELID + 1];
	struct ovid_bus_chan *chans;
	u32 nr_chans;
	u32 last_relid;
	struct ovid_gpadl *gpadls;
	u32 nr_gpadls;
	u32 gpadl_pages;
	u64 bad_messages;
	u64 messages;
};

/**
 * struct ovid_gpadl - guest memory that a message has described
 * @next: list of the bus
 * @id: the guest's name for it; one for all channels
 * @relid: the channel it was made for
 * @range_count: ranges in @ranges
 * @range_bytes: of @ranges, when it is complete
 * @have: of them so far
 * @pages: pfns of all ranges
 * @complete: all of @ranges is there, checked and pinned
 * @teardown: the guest wants it back; it is the ring of a channel that is not closed yet
 * @pinned: the owner's
 * @ranges: as the guest wrote them: u32 byte_count, u32 byte_offset, u64 pfn[], ...;
 *	validated when @complete
 */
struct ovid_gpadl {
	struct ovid_gpadl *next;
	u32 id;
	u32 relid;
	u32 range_count;
	u32 range_bytes;
	u32 have;
	u32 pages;
	bool complete;
	bool teardown;
	void *pinned;
	u8 ranges[] __aligned(8);
};

enum ovid_bus_chan_state {
	OVID_CHAN_CLOSED,
	OVID_CHAN_OPENING,	/* effects->open has said -EINPROGRESS */
	OVID_CHAN_OPEN,
};

/**
 * struct ovid_bus_chan - a channel: an offer, and what the guest makes of it
 * @offer: set by the owner but for h, relid, connection_id, dedicated_interrupt and what is said
 *	of a monitor: that is right while the guest was told of the channel
 * @latency: set by the owner: it is to have a monitor that is looked at so often (100 ns), if
 *	there is an id left and the guest has monitor pages; 0: none
 * @ctx: the owner's
 * @next: list of the bus
 * @relid: the guest's name for it; 0: it has none
 * @state: opened by the guest?
 * @offered: the guest was told, and has not released it.  One that it has released, though it was
 *	not revoked, is offered again by the next connection
 * @revoked: the offer was taken back; the guest has not released the relid yet
 * @made: by effects->gone or effects->sub, in a restore
 * @open_id: of the last VMBUS_OPEN
 * @target_vp: events go there; VMBUS_VP_NONE: the guest wants none
 * @downstream: pages of the ring towards the host, which is the first in @ring
 * @ring: GPADL of both rings; not NULL when @state is not OVID_CHAN_CLOSED
 * @user: of the last VMBUS_OPEN
 */
struct ovid_bus_chan {
	struct vmbus_w_offer offer;
	u16 latency;
	void *ctx;
	struct ovid_bus_chan *next;
	u32 relid;
	enum ovid_bus_chan_state state;
	bool offered;
	bool revoked;
	bool made;
	u32 open_id;
	u32 target_vp;
	u32 downstream;
	struct ovid_gpadl *ring;
	u8 user[VMBUS_USER_BYTES];
};

void ovid_bus_init(struct ovid_bus *bus, const struct ovid_bus_effects *fx, void *ctx);

/**
 * ovid_bus_message - a message of the guest
 * @bus: bus
 * @connection: the id it was posted to: VMBUS_CONN_LEGACY or VMBUS_CONN_MESSAGE
 * @msg: a copy of it, aligned to 8 bytes
 * @bytes: at most VMBUS_MSG_BYTES
 *
 * A message that makes no sense, or not now, is counted and, where the protocol has an
 * answer for it, answered by a status; the connection goes on.
 * Return: 0; -EPROTO: it was refused; -EINVAL: INITIATE_CONTACT for this version does not come by
 * this connection, or the version of the connection does not have it.
 */
int ovid_bus_message(struct ovid_bus *bus, u32 connection, const void *msg, u32 bytes);

/**
 * ovid_bus_offer - the host has a device for the guest
 * @bus: bus
 * @chan: channel, zeroed but for @offer, @latency and @ctx; the bus keeps it until effects->release
 *	or ovid_bus_revoke() says it is gone
 *
 * The guest is told now, or when it asks for offers.  If it still holds a revoked channel of the
 * same name, it is told when it has let go of that.
 *
 * A socket's (VMBUS_OFFER_TLNPI) is for the connection that is there: it is released with that.
 *
 * Return: 0, -EEXIST (a channel with this type, instance and index), -ENOTCONN (a sub-channel, and
 * its primary channel is not open; a socket's, and nobody is there who could be told of it),
 * -ENOSPC (no relid left).
 */
int ovid_bus_offer(struct ovid_bus *bus, struct ovid_bus_chan *chan);

/**
 * ovid_bus_revoke - the device goes
 * @bus: bus
 * @chan: channel
 *
 * Closes the channel, drops its GPADLs, tells the guest; the same for its sub-channels, which
 * also are revoked when the guest closes the primary channel, and released when the
 * connection ends: a driver asks for them anew.
 *
 * Return: true: the bus does not know @chan any more (the guest does not, either);
 * false: effects->release comes when the guest has let go, or with the connection's end.
 */
bool ovid_bus_revoke(struct ovid_bus *bus, struct ovid_bus_chan *chan);

/* the end of an open that was in progress: 0 or -errno; no-op if the channel was closed since */
void ovid_bus_open_done(struct ovid_bus *bus, struct ovid_bus_chan *chan, int err);

/* the answer to a TL_CONNECT that fails later: told to the guest, from 4.1 on */
void ovid_bus_tl_refuse(struct ovid_bus *bus, const struct vmbus_w_guid *endpoint,
			const struct vmbus_w_guid *service, int err);

/*
 * The connection ends without a word: the partition is reset, or goes away.  Channels
 * that are not revoked, no sub-channels and no sockets', stay for the next connection.
 */
void ovid_bus_disconnect(struct ovid_bus *bus);

/* the GPADL with this id, complete, and made for @relid (0: any); or NULL */
struct ovid_gpadl *ovid_bus_gpadl(struct ovid_bus *bus, u32 id, u32 relid);

/* ---- GPADL ranges, gpadl.c ---- */

/**
 * ovid_gpadl_check - are the ranges of a GPADL what they say?
 * @gpadl: all of @ranges has come
 *
 * Return: pages in all; -EPROTO: an empty range, an offset that is not in the first page, a page
 * behind the end of physical addresses, ranges that @range_bytes does not hold.
 */
int ovid_gpadl_check(const struct ovid_gpadl *gpadl);

/**
 * ovid_gpadl_range - one of its ranges
 * @gpadl: complete GPADL
 * @at: in: offset of the range in @ranges, 0 for the first; out: of the next one
 * @bytes: out: length
 * @offset: out: of the first byte in the first page
 *
 * Return: its pfns, or NULL behind the last one.
 */
const u64 *ovid_gpadl_range(const struct ovid_gpadl *gpadl, u32 *at, u32 *bytes, u32 *offset);

#endif
