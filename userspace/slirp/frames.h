/* SPDX-License-Identifier: GPL-2.0-only */
/* frames.h - many frames in one read() or write() of a card's channel (uapi/ovid_net.h). */
#ifndef OVID_SLIRP_FRAMES_H
#define OVID_SLIRP_FRAMES_H

#include "../lib/types.h"

#define FRAMES_READ	(256u << 10)
#define FRAMES_WRITE	(128u << 10)
#define FRAME_MAX	(OVID_NET_MAX_MTU + 18u)	/* with header and tag */

/* @buf: of @room bytes; frames from @at up to @end */
struct frames {
	u8 *buf;
	size_t room, at, end;
};

int frames_init(struct frames *f, size_t room);
void frames_free(struct frames *f);

/* What the guest has sent: 0, or -errno.  Then each, until there is none. */
int frames_read(struct frames *f, int file);
bool frames_next(struct frames *f, const u8 **frame, size_t *len);

/* One for the guest; false: there is no room for it. */
bool frames_add(struct frames *f, const void *frame, size_t len);

/* To the guest: 0, -EAGAIN: it has no room now; or -errno, then they are lost. */
int frames_write(struct frames *f, int file);

static inline size_t frames_left(const struct frames *f)
{
	return f->end - f->at;
}

#endif
