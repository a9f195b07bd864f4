/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's side of a channel's rings, written down a second time: what Linux does
 * in drivers/hv/ring_buffer.c, from its rules and not from vmbus/ring.c, of which it
 * shares not even the layout.  An honest guest: it aborts where the host is not.
 *
 * Publishing and the decision to signal are two calls, so that something may
 * happen in between.  Data is reached without the second mapping.
 */
#ifndef OVID_RING_GUEST_H
#define OVID_RING_GUEST_H

#include <stdlib.h>
#include "purelib_host.h"

#define GUEST_CHECK(c)	do { if (!(c)) abort(); } while (0)
#define GUEST_FENCE()	__atomic_thread_fence(__ATOMIC_SEQ_CST)

/* u32 in the shared page */
enum { G_WRITE, G_READ, G_MASK, G_PENDING, G_FEATURES = 16 };

struct guest_ring {
	u32 *page;
	u8 *data;
	u32 size;
	u32 next;	/* index of the next packet to read */
};

struct guest_desc {
	u16 type;
	u16 offset8;
	u16 len8;
	u16 flags;
	u64 trans_id;
};

static inline u32 guest_get(const struct guest_ring *g, int word)
{
	return __atomic_load_n(&g->page[word], __ATOMIC_ACQUIRE);
}

static inline void guest_set(struct guest_ring *g, int word, u32 val)
{
	__atomic_store_n(&g->page[word], val, __ATOMIC_RELEASE);
}

/* both rings, when the channel is opened */
static inline void guest_init(struct guest_ring *g, void *page, u8 *data, u32 size)
{
	*g = (struct guest_ring){ .page = page, .data = data, .size = size };
	memset(page, 0, 4096);
	guest_set(g, G_FEATURES, 1);
}

static inline u32 guest_put_bytes(struct guest_ring *g, u32 at, const void *from, u32 len)
{
	u32 first = min(len, g->size - at);

	memcpy(g->data + at, from, first);
	memcpy(g->data, (const u8 *)from + first, len - first);
	return (at + len) % g->size;
}

static inline void guest_get_bytes(const struct guest_ring *g, u32 at, void *to, u32 len)
{
	u32 first = min(len, g->size - at);

	memcpy(to, g->data + at, first);
	memcpy((u8 *)to + first, g->data, len - first);
}

static inline u32 guest_free(const struct guest_ring *g)
{
	u32 read = guest_get(g, G_READ), write = guest_get(g, G_WRITE);

	GUEST_CHECK(read < g->size && write < g->size);
	return write >= read ? g->size - (write - read) : read - write;
}

/*
 * A packet of @header bytes behind the descriptor (a multiple of 8) and @payload more,
 * published.  False: no room.  @old is for guest_data_signal().
 */
static inline bool guest_write(struct guest_ring *g, struct guest_desc desc, const u8 *body,
			       u32 header, u32 payload, u32 *old)
{
	u32 len = (16 + header + payload + 7) / 8 * 8, at = guest_get(g, G_WRITE);
	u64 zero = 0, trailer = (u64)at << 32;

	if (guest_free(g) <= len + 8)
		return false;
	*old = at;
	desc.offset8 = (16 + header) / 8;
	desc.len8 = len / 8;
	at = guest_put_bytes(g, at, &desc, 16);
	at = guest_put_bytes(g, at, body, header + payload);
	at = guest_put_bytes(g, at, &zero, len - 16 - header - payload);
	at = guest_put_bytes(g, at, &trailer, 8);
	GUEST_FENCE();
	guest_set(g, G_WRITE, at);
	return true;
}

/* after guest_write(): does the host have to be signalled? */
static inline bool guest_data_signal(const struct guest_ring *g, u32 old)
{
	GUEST_FENCE();
	if (guest_get(g, G_MASK))
		return false;
	return guest_get(g, G_READ) == old;
}

/* bytes of the next packet, copied to @buf; 0: there is none */
static inline u32 guest_next(struct guest_ring *g, void *buf, u32 max)
{
	u32 write = guest_get(g, G_WRITE), avail, len;
	struct guest_desc desc;
	u64 trailer;

	GUEST_CHECK(write < g->size && write % 8 == 0);
	avail = write >= g->next ? write - g->next : g->size - g->next + write;
	if (!avail)
		return 0;
	GUEST_CHECK(avail >= 24);
	guest_get_bytes(g, g->next, &desc, 16);
	len = desc.len8 * 8;
	GUEST_CHECK(len >= 16 && len + 8 <= avail && len <= max);
	GUEST_CHECK(desc.offset8 >= 2 && desc.offset8 <= desc.len8);
	guest_get_bytes(g, g->next, buf, len);
	guest_get_bytes(g, (g->next + len) % g->size, &trailer, 8);
	GUEST_CHECK(trailer == (u64)g->next << 32);
	g->next = (g->next + len + 8) % g->size;
	return len;
}

/* publishes what was read: bytes of it, for guest_space_signal() */
static inline u32 guest_close(struct guest_ring *g)
{
	u32 from = guest_get(g, G_READ);

	guest_set(g, G_READ, g->next);
	return (g->next + g->size - from) % g->size;
}

/* after guest_close(): does the host have to be signalled? */
static inline bool guest_space_signal(const struct guest_ring *g, u32 bytes)
{
	u32 pending, now;

	GUEST_CHECK(guest_get(g, G_FEATURES) & 1);
	GUEST_FENCE();
	pending = guest_get(g, G_PENDING);
	if (!pending)
		return false;
	now = guest_free(g);
	return now - bytes <= pending && now > pending;
}

/* from now on the guest does not want signals for data */
static inline void guest_begin_read(struct guest_ring *g)
{
	guest_set(g, G_MASK, 1);
}

/* it wants them again; true: there is data, go on */
static inline bool guest_end_read(struct guest_ring *g)
{
	guest_set(g, G_MASK, 0);
	GUEST_FENCE();
	return guest_get(g, G_WRITE) != guest_get(g, G_READ);
}

/* wants to be signalled when more than @bytes are free; true: they are */
static inline bool guest_want_space(struct guest_ring *g, u32 bytes)
{
	guest_set(g, G_PENDING, bytes);
	GUEST_FENCE();
	return bytes && guest_free(g) > bytes;
}

#endif
