// SPDX-License-Identifier: GPL-2.0-only
/* frames.c - see frames.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../uapi/ovid_net.h"
#include "frames.h"

#define ALIGN_BYTES	8u

int frames_init(struct frames *f, size_t room)
{
	*f = (struct frames){ .buf = malloc(room), .room = room };
	return f->buf ? 0 : -ENOMEM;
}

void frames_free(struct frames *f)
{
	free(f->buf);
	f->buf = NULL;
}

int frames_read(struct frames *f, int file)
{
	ssize_t n = read(file, f->buf, f->room);

	f->at = 0;
	f->end = n > 0 ? n : 0;
	/* the other end of what is no channel */
	if (!n)
		return -ENOTCONN;
	return n < 0 ? -errno : 0;
}

bool frames_next(struct frames *f, const u8 **frame, size_t *len)
{
	struct ovid_frame head;

	if (frames_left(f) < sizeof(head))
		return false;
	memcpy(&head, f->buf + f->at, sizeof(head));
	if (head.bytes > frames_left(f) - sizeof(head))
		return false;
	*frame = f->buf + f->at + sizeof(head);
	*len = head.bytes;
	f->at += min_u64(sizeof(head) + ALIGN_UP(head.bytes, ALIGN_BYTES), frames_left(f));
	return true;
}

bool frames_add(struct frames *f, const void *frame, size_t len)
{
	/* the library makes them all */
	struct ovid_frame head = { .bytes = len, .flags = OVID_FRAME_CSUM_GOOD };
	size_t all = sizeof(head) + ALIGN_UP(len, ALIGN_BYTES);

	if (f->at && f->room - f->end < all) {
		memmove(f->buf, f->buf + f->at, frames_left(f));
		f->end -= f->at;
		f->at = 0;
	}
	if (len > FRAME_MAX || f->room - f->end < all)
		return false;
	memset(f->buf + f->end + all - ALIGN_BYTES, 0, ALIGN_BYTES);
	memcpy(f->buf + f->end, &head, sizeof(head));
	memcpy(f->buf + f->end + sizeof(head), frame, len);
	f->end += all;
	return true;
}

int frames_write(struct frames *f, int file)
{
	int err = 0;

	while (frames_left(f) && !err) {
		ssize_t n = write(file, f->buf + f->at, frames_left(f));

		if (n > 0)
			f->at += min_u64(n, frames_left(f));
		else
			err = n ? -errno : -EIO;
		if (err == -EINTR)
			err = 0;
	}
	if (err != -EAGAIN)
		f->at = f->end = 0;
	return err;
}
