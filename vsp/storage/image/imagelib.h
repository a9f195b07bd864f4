/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What files here include besides each other: vmm/purelib.h, and kvzalloc(), kvfree(), sort().
 * They allocate, and do I/O by the operations that they were given; the kernel they do not see.
 */
#ifndef OVID_IMAGELIB_H
#define OVID_IMAGELIB_H

#ifdef __KERNEL__
#include <linux/slab.h>
#include <linux/sort.h>
#else
#include <stdlib.h>
#endif
#include "../../../vmm/purelib.h"

#ifndef __KERNEL__
static inline void sort(void *base, size_t nr, size_t size, int (*cmp)(const void *, const void *),
			void *swap)
{
	(void)swap;
	qsort(base, nr, size, cmp);
}
#endif

#define OVID_KIB	1024ull
#define OVID_MIB	(1024 * OVID_KIB)
#define OVID_TIB	(1024 * 1024 * OVID_MIB)

static inline u64 ovid_round_up(u64 x, u64 to)
{
	return (x + to - 1) / to * to;
}

static inline u64 ovid_div_up(u64 x, u64 by)
{
	return x / by + !!(x % by);
}

/* is [@off, @off + @len) inside of @size bytes?  No sum overflows */
static inline bool ovid_fits(u64 off, u64 len, u64 size)
{
	return off <= size && len <= size - off;
}

/* @len is not 0 */
static inline bool ovid_all_zeros(const u8 *buf, size_t len)
{
	return !buf[0] && !memcmp(buf, buf + 1, len - 1);
}

/* do two ranges, neither of which wraps, share a byte? */
static inline bool ovid_overlap(u64 a, u64 a_len, u64 b, u64 b_len)
{
	return a < b + b_len && b < a + a_len;
}

#endif
