// SPDX-License-Identifier: GPL-2.0-only
/* How much a disk may do in a second: limit.h. */
#include "limit.h"

void ovid_limit_set(struct ovid_limit *limit, u32 requests, u64 bytes, u64 now)
{
	*limit = (struct ovid_limit){
		.requests = requests, .bytes = bytes,
		.requests_until = now, .bytes_until = now,
	};
}

static u64 delay(u64 until, u64 now)
{
	return until > now + LIMIT_BURST ? until - LIMIT_BURST - now : 0;
}

u64 ovid_limit_delay(const struct ovid_limit *limit, u64 now)
{
	return max(delay(limit->requests_until, now), delay(limit->bytes_until, now));
}

/* @n of @rate in a second, which take no less time than they should; below 2^62 */
static void charge(u64 *until, u32 n, u64 rate, u64 now)
{
	if (!rate)
		return;
	*until = max(*until, now) + (n * LIMIT_SECOND + rate - 1) / rate;
	*until = min(*until, now + LIMIT_LONGEST);
}

void ovid_limit_charge(struct ovid_limit *limit, u32 bytes, u64 now)
{
	charge(&limit->requests_until, 1, limit->requests, now);
	charge(&limit->bytes_until, bytes, limit->bytes, now);
}
