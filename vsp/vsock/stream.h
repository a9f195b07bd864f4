/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes on their way, in a ring: one thread puts them in, another one takes them out, without a
 * lock.  Neither sees more than the other has finished.
 */
#ifndef OVID_VSOCK_STREAM_H
#define OVID_VSOCK_STREAM_H

#include <asm/barrier.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define STREAM_BYTES	65536u	/* a power of two */

/**
 * struct stream
 * @buf: STREAM_BYTES, or NULL: then it may not be asked
 * @in: bytes that were put in; of who does that.  It wraps, as @out does
 * @out: that were taken out
 */
struct stream {
	u8 *buf;
	u32 in;
	u32 out;
};

/* ---- who puts in ---- */

static inline u32 stream_room(const struct stream *s)
{
	/* before the stores to what has been taken out */
	return STREAM_BYTES - (s->in - smp_load_acquire(&s->out));
}

/* the first piece of the room, which may be all of it */
static inline void *stream_room_at(const struct stream *s, u32 *len)
{
	u32 at = s->in % STREAM_BYTES;

	*len = min(stream_room(s), STREAM_BYTES - at);
	return s->buf + at;
}

static inline void stream_put(struct stream *s, u32 len)
{
	smp_store_release(&s->in, s->in + len);	/* behind the bytes */
}

/* ---- who takes out ---- */

static inline u32 stream_used(const struct stream *s)
{
	return smp_load_acquire(&s->in) - s->out;	/* before the bytes */
}

static inline const void *stream_used_at(const struct stream *s, u32 *len)
{
	u32 at = s->out % STREAM_BYTES;

	*len = min(stream_used(s), STREAM_BYTES - at);
	return s->buf + at;
}

static inline void stream_take(struct stream *s, u32 len)
{
	smp_store_release(&s->out, s->out + len);	/* behind the loads of the bytes */
}

#endif
