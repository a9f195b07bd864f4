// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings of a channel, after the rules of Linux's drivers/hv/ring_buffer.c, seen
 * from the host.
 *
 * Two words decide who may sleep, and for each one side stores what it has done,
 * then loads what the other wants, while the other does it the other way round:
 *
 *   write, then interrupt_mask	 <->  interrupt_mask, then write	(data)
 *   read, then pending_send	 <->  pending_send, then read		(space)
 *
 * With a full barrier between the two on both sides, one of them sees the other;
 * without, both may decide that nothing is to be done.
 *
 * Pure; no locks: the caller has one thread for a ring at a time.
 */
#include "../vmm/purelib.h"
#include "ring.h"

#define DESC_BYTES	((u32)sizeof(struct vmbus_w_packet))

static bool index_ok(const struct ovid_ring *ring, u32 index)
{
	return index < ring->size && !(index % 8);
}

/* bytes from one index to another; 0 where they are the same */
static u32 distance(const struct ovid_ring *ring, u32 from, u32 to)
{
	return to >= from ? to - from : ring->size - from + to;
}

/* @by: less than the ring's size */
static u32 advance(const struct ovid_ring *ring, u32 index, u32 by)
{
	index += by;
	return index < ring->size ? index : index - ring->size;
}

static u32 round_up8(u32 bytes)
{
	return (bytes + 7) & ~7u;
}

/* what the other side has published */
static int look(struct ovid_ring *ring, const u32 *shared)
{
	/* before the data: it is there when its index is, or may be overwritten */
	u32 index = smp_load_acquire(shared);

	if (!index_ok(ring, index))
		return -EPROTO;
	ring->seen = index;
	return 0;
}

static int init(struct ovid_ring *ring, struct vmbus_w_ring *ctl, void *data, u32 size, u32 ours,
		const u32 *theirs)
{
	*ring = (struct ovid_ring){
		.ctl = ctl, .data = data, .size = size, .at = ours, .done = ours,
	};
	if (!size || size % 4096 || size > OVID_RING_MAX_SIZE)
		return -EINVAL;
	if (!index_ok(ring, ours))
		return -EPROTO;
	return look(ring, theirs);
}

int ovid_ring_init_in(struct ovid_ring *ring, struct vmbus_w_ring *ctl, void *data, u32 size)
{
	return init(ring, ctl, data, size, READ_ONCE(ctl->read), &ctl->write);
}

int ovid_ring_init_out(struct ovid_ring *ring, struct vmbus_w_ring *ctl, void *data, u32 size)
{
	u32 features = READ_ONCE(ctl->features);

	if (!(features & VMBUS_RING_PENDING_SEND))
		WRITE_ONCE(ctl->features, features | VMBUS_RING_PENDING_SEND);
	return init(ring, ctl, data, size, READ_ONCE(ctl->write), &ctl->read);
}

/* two loads, which no compiler makes again from memory that changes */
static struct vmbus_w_packet copy_desc(const struct ovid_ring *in)
{
	const u64 *shared = (const u64 *)(in->data + in->at);
	union {
		u64 raw[2];
		struct vmbus_w_packet desc;
	} copy;

	copy.raw[0] = READ_ONCE(shared[0]);
	copy.raw[1] = READ_ONCE(shared[1]);
	return copy.desc;
}

int ovid_ring_peek(struct ovid_ring *in, struct ovid_packet *pkt)
{
	struct vmbus_w_packet desc;
	u32 avail, bytes;
	int err;

	if (in->seen == in->at) {
		err = look(in, &in->ctl->write);
		if (err)
			return err;
	}
	avail = distance(in, in->at, in->seen);
	if (!avail)
		return 0;
	if (avail < DESC_BYTES + VMBUS_PACKET_TRAILER)
		return -EPROTO;

	desc = copy_desc(in);
	bytes = desc.len8 * 8;
	if (bytes > avail - VMBUS_PACKET_TRAILER)
		return -EPROTO;
	if (desc.offset8 * 8 < DESC_BYTES || desc.offset8 > desc.len8)
		return -EPROTO;

	*pkt = (struct ovid_packet){
		.at = in->at, .type = desc.type, .flags = desc.flags, .trans_id = desc.trans_id,
		.header = desc.offset8 * 8, .payload = bytes - desc.offset8 * 8,
	};
	return 1;
}

bool ovid_ring_copy(const struct ovid_ring *in, const struct ovid_packet *pkt, u32 off, void *buf,
		    u32 len)
{
	u32 bytes = pkt->header + pkt->payload;

	if (off > bytes || len > bytes - off)
		return false;
	memcpy(buf, in->data + pkt->at + off, len);
	return true;
}

void ovid_ring_pop(struct ovid_ring *in, const struct ovid_packet *pkt)
{
	in->at = advance(in, pkt->at, pkt->header + pkt->payload + VMBUS_PACKET_TRAILER);
}

u32 ovid_ring_waiting(const struct ovid_ring *in)
{
	return distance(in, in->at, in->seen);
}

/*
 * The guest wants a signal when what is free comes to be more than pending_send,
 * not when it was that before: a guest need not take its wish back.
 */
bool ovid_ring_commit_read(struct ovid_ring *in)
{
	u32 freed = distance(in, in->done, in->at), pending, write, now, before;

	if (!freed)
		return false;
	/* after the last load of the data that is given back */
	smp_store_release(&in->ctl->read, in->at);
	in->done = in->at;
	smp_mb();	/* between read and pending_send */
	/* before write: a guest that waits for space writes no more */
	pending = smp_load_acquire(&in->ctl->pending_send);
	if (!pending)
		return false;
	write = READ_ONCE(in->ctl->write);
	if (!index_ok(in, write))
		return false;	/* a matter of the next peek */

	now = in->size - distance(in, in->at, write);
	before = now > freed ? now - freed : 0;
	return before <= pending && now > pending;
}

void ovid_ring_mask(struct ovid_ring *in)
{
	WRITE_ONCE(in->ctl->interrupt_mask, 1);
}

bool ovid_ring_unmask(struct ovid_ring *in)
{
	WRITE_ONCE(in->ctl->interrupt_mask, 0);
	smp_mb();	/* between interrupt_mask and write */
	return ovid_ring_pending(in);
}

bool ovid_ring_pending(const struct ovid_ring *in)
{
	return in->seen != in->at || READ_ONCE(in->ctl->write) != in->at;
}

u32 ovid_ring_packet_bytes(u32 header, u32 payload)
{
	return DESC_BYTES + round_up8(header + payload) + VMBUS_PACKET_TRAILER;
}

u32 ovid_ring_space(const struct ovid_ring *out)
{
	u32 read = READ_ONCE(out->ctl->read);

	return index_ok(out, read) ? out->size - distance(out, read, out->at) : 0;
}

u32 ovid_ring_room(const struct ovid_ring *out)
{
	u32 space = ovid_ring_space(out), least = ovid_ring_packet_bytes(0, 0);

	/* multiples of 8 all of them, and more must be free than is taken */
	if (space <= least)
		return 0;
	space = (space - least - 1) & ~7u;
	return min(space, OVID_RING_MAX_PACKET - DESC_BYTES);
}

/* are more than @bytes free?  Asks the guest's index only if what we know of it is not enough */
static int make_room(struct ovid_ring *out, u32 bytes)
{
	int err;

	if (out->size - distance(out, out->seen, out->at) > bytes)
		return 0;
	err = look(out, &out->ctl->read);
	if (err)
		return err;
	return out->size - distance(out, out->seen, out->at) > bytes ? 0 : -EAGAIN;
}

/* descriptor, @vec, zeroes up to 8 bytes, and a trailer that says where the packet began */
static void put_packet(struct ovid_ring *out, const struct vmbus_w_packet *desc,
		       const struct ovid_ring_vec *vec, unsigned int nr)
{
	u8 *to = out->data + out->at, *end = to + desc->len8 * 8;
	u64 trailer = (u64)out->at << 32;
	unsigned int i;

	memcpy(to, desc, sizeof(*desc));
	to += sizeof(*desc);
	for (i = 0; i < nr; i++) {
		memcpy(to, vec[i].base, vec[i].len);
		to += vec[i].len;
	}
	if (to < end)
		memset(to, 0, end - to);
	memcpy(end, &trailer, sizeof(trailer));
}

int ovid_ring_write(struct ovid_ring *out, struct vmbus_w_packet desc, u32 header,
		    const struct ovid_ring_vec *vec, unsigned int nr)
{
	unsigned int i;
	u64 body = 0;
	u32 bytes;
	int err;

	for (i = 0; i < nr; i++)
		body += vec[i].len;
	if (body > OVID_RING_MAX_PACKET - DESC_BYTES)
		return -EMSGSIZE;
	if (header % 8 || header > body)
		return -EINVAL;
	bytes = ovid_ring_packet_bytes(0, body);
	if (bytes >= out->size)
		return -EMSGSIZE;
	err = make_room(out, bytes);
	if (err)
		return err;

	desc.offset8 = (DESC_BYTES + header) / 8;
	desc.len8 = (bytes - VMBUS_PACKET_TRAILER) / 8;
	put_packet(out, &desc, vec, nr);
	out->at = advance(out, out->at, bytes);
	return 0;
}

bool ovid_ring_commit_write(struct ovid_ring *out)
{
	u32 old = out->done;

	if (out->at == old)
		return false;
	/* after the data */
	smp_store_release(&out->ctl->write, out->at);
	out->done = out->at;
	smp_mb();	/* between write and interrupt_mask */
	/* before read: the guest lifts the mask when it has published that */
	if (smp_load_acquire(&out->ctl->interrupt_mask))
		return false;
	return READ_ONCE(out->ctl->read) == old;
}

bool ovid_ring_want_space(struct ovid_ring *out, u32 bytes)
{
	WRITE_ONCE(out->ctl->pending_send, bytes);
	if (!bytes)
		return false;
	smp_mb();	/* between pending_send and read */
	if (ovid_ring_space(out) <= bytes)
		return false;
	WRITE_ONCE(out->ctl->pending_send, 0);
	return true;
}
