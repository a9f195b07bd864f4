/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings of a channel: reading and writing packets (pure).
 *
 * The other side may write to all of the ring's memory at any time.  So indexes are
 * ours and only published; what the other side publishes is read once and bounded;
 * a packet's descriptor is copied before it is looked at, and its payload once.
 * The only words of the shared page written here are those that belong to our side.
 *
 * The data is mapped twice in a row, so that no packet wraps.  One thread at a time.
 *
 * How not to sleep through anything.  Reader: ovid_ring_mask(), take all packets,
 * ovid_ring_commit_read(), ovid_ring_unmask(); sleep only if that says false.  Writer:
 * ovid_ring_commit_write(), and after -EAGAIN ovid_ring_want_space(); sleep only if
 * that says false.
 */
#ifndef OVID_RING_H
#define OVID_RING_H

#include "proto.h"

#define OVID_RING_MAX_SIZE	(1u << 30)
/* descriptor, header and payload of one packet: what len8 can say */
#define OVID_RING_MAX_PACKET	(0xffffu * 8)

/**
 * struct ovid_ring - one direction
 * @ctl: the shared page before the data
 * @data: shared, @size bytes and the same @size bytes again
 * @size: a multiple of 4096
 * @at: our index: next byte to read, or to write
 * @done: what of it the other side knows
 * @seen: the other side's index when it was last looked at; checked
 */
struct ovid_ring {
	struct vmbus_w_ring *ctl;
	u8 *data;
	u32 size;
	u32 at;
	u32 done;
	u32 seen;
};

/**
 * struct ovid_packet - one that was received: copies, checked
 * @at: where its descriptor is
 * @header: bytes before the payload, descriptor included: at least 16
 * @payload: bytes of it, padding included
 * @type: VMBUS_PKT_*, or one we do not know
 * @flags: VMBUS_PACKET_*
 * @trans_id: transaction id
 */
struct ovid_packet {
	u32 at;
	u32 header;
	u32 payload;
	u16 type;
	u16 flags;
	u64 trans_id;
};

struct ovid_ring_vec {
	const void *base;
	u32 len;
};

/**
 * ovid_ring_init_in - begin to read where the shared page says
 * @ring: out
 * @ctl: the shared page
 * @data: mapped twice, 8-byte aligned
 * @size: bytes of @data without its second mapping
 *
 * Return: 0; -EINVAL: @size is 0, no multiple of 4096, or more than OVID_RING_MAX_SIZE; -EPROTO: an
 * index that cannot be.
 */
int ovid_ring_init_in(struct ovid_ring *ring, struct vmbus_w_ring *ctl, void *data, u32 size);
/* the same to write; tells a guest that did not set it that we use pending_send */
int ovid_ring_init_out(struct ovid_ring *ring, struct vmbus_w_ring *ctl, void *data, u32 size);

/* ---- towards us ---- */

/**
 * ovid_ring_peek - the next packet
 * @in: ring
 * @pkt: out
 *
 * Return: 1, @pkt is filled; 0, there is none; -EPROTO, the ring's content is broken: the
 * channel is of no use any more.
 */
int ovid_ring_peek(struct ovid_ring *in, struct ovid_packet *pkt);
/*
 * Copies @len bytes from @off of the packet (descriptor included); false: it has not so
 * many.  Good for each packet since the last ovid_ring_commit_read().
 */
bool ovid_ring_copy(const struct ovid_ring *in, const struct ovid_packet *pkt, u32 off, void *buf,
		    u32 len);
/* go on behind @pkt, the one that was peeked last; the guest does not know yet */
void ovid_ring_pop(struct ovid_ring *in, const struct ovid_packet *pkt);
/* bytes to be read, as far as was looked */
u32 ovid_ring_waiting(const struct ovid_ring *in);
/* tell the guest what was read; true: signal it, it waits for space */
bool ovid_ring_commit_read(struct ovid_ring *in);
/* no signals please, while we read on */
void ovid_ring_mask(struct ovid_ring *in);
/*
 * Signals again, when all that was read is committed: the guest signals only where it finds the
 * ring empty.  True: there is something to be read (go on, a signal may not come).
 */
bool ovid_ring_unmask(struct ovid_ring *in);
/* anything to be read?  Also true where peek will say -EPROTO */
bool ovid_ring_pending(const struct ovid_ring *in);

/* ---- towards the guest ---- */

/*
 * Bytes that a packet takes whose @header (behind the descriptor) and @payload are
 * OVID_RING_MAX_PACKET at most.  More must be free: a ring is never filled to the last byte.
 */
u32 ovid_ring_packet_bytes(u32 header, u32 payload);
/* bytes that are free now, as the guest says; at most the ring's size.  0 where that is broken */
u32 ovid_ring_space(const struct ovid_ring *out);
/* the longest payload that there is space for now, with no header */
u32 ovid_ring_room(const struct ovid_ring *out);
/**
 * ovid_ring_write - add a packet; the guest does not know yet
 * @out: ring
 * @desc: type, flags, trans_id; lengths are filled in here
 * @header: bytes of @vec that belong to the header behind the descriptor (0 for data
 *	in-band), a multiple of 8
 * @vec: what comes behind the descriptor
 * @nr: number of @vec
 *
 * Return: 0; -EAGAIN: not enough space (ovid_ring_want_space()); -EMSGSIZE: never enough; -EINVAL:
 * @header is no multiple of 8, or more than there is; -EPROTO: broken.
 */
int ovid_ring_write(struct ovid_ring *out, struct vmbus_w_packet desc, u32 header,
		    const struct ovid_ring_vec *vec, unsigned int nr);
/* make what was written known; true: signal the guest */
bool ovid_ring_commit_write(struct ovid_ring *out);
/*
 * Ask for a signal when more than @bytes (of ovid_ring_packet_bytes()) are free; 0: no more.
 * True: they are free already, and nothing was asked for.  To be called after
 * ovid_ring_commit_write(), as the guest frees only what it knows of, and again before each
 * sleep: Linux may miss the moment where more was written since it was asked.
 */
bool ovid_ring_want_space(struct ovid_ring *out, u32 bytes);

#endif
