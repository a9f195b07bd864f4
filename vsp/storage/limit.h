/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much a disk may do in a second (pure): requests, bytes, or both.
 *
 * Each request takes as much time as it would at the rate, and the next one may begin when that
 * time is over, less LIMIT_BURST: so much may be done at once behind a pause, and a wake-up that is
 * late loses nothing.  One that is larger than a burst may begin as well, and those behind it wait
 * the longer.
 */
#ifndef OVID_STORAGE_LIMIT_H
#define OVID_STORAGE_LIMIT_H

#include "../../vmm/purelib.h"
#include "../../vmm/types.h"

#define LIMIT_SECOND	1000000000ull		/* times are in ns */
#define LIMIT_BURST	(LIMIT_SECOND / 10)
#define LIMIT_LONGEST	(LIMIT_SECOND * 86400)	/* what has begun is forgotten after a day */

/**
 * struct ovid_limit - a disk's
 * @requests: in a second; 0: any number
 * @bytes: the same
 * @requests_until: what has begun so far takes until then
 * @bytes_until: the same
 */
struct ovid_limit {
	u32 requests;
	u64 bytes;
	u64 requests_until;
	u64 bytes_until;
};

/* another one: what has begun does not count any more */
void ovid_limit_set(struct ovid_limit *limit, u32 requests, u64 bytes, u64 now);
/* ns until the next request may begin; 0: it may now */
u64 ovid_limit_delay(const struct ovid_limit *limit, u64 now);
/* one begins, whether it may or not; @bytes that it reads or writes */
void ovid_limit_charge(struct ovid_limit *limit, u32 bytes, u64 now);

static inline bool ovid_limit_is_none(const struct ovid_limit *limit)
{
	return !limit->requests && !limit->bytes;
}

#endif
