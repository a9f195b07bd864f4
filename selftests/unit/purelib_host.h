/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vmm/purelib.h promises, for userspace.  Only meanings, no tricks: the
 * sanitizers have to see every access as it is written.
 */
#ifndef OVID_PURELIB_HOST_H
#define OVID_PURELIB_HOST_H

#include <assert.h>
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1ull << (n))
#define BIT_ULL(n)		(1ull << (n))
#define GENMASK_ULL(h, l)	((~0ull << (l)) & (~0ull >> (63 - (h))))
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))

#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)

#define __packed		__attribute__((__packed__))
#ifndef __aligned
#define __aligned(n)		__attribute__((__aligned__(n)))
#endif

#ifndef fallthrough
#define fallthrough		__attribute__((__fallthrough__))
#endif

#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define clamp(v, lo, hi)	min(max(v, lo), hi)

static inline s64 sign_extend64(u64 val, int sign_bit)
{
	int shift = 63 - sign_bit;

	return (s64)(val << shift) >> shift;
}

static inline u16 get_unaligned_le16(const void *p)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u32 get_unaligned_le32(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u64 get_unaligned_le64(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u16 get_unaligned_be16(const void *p)
{
	return __builtin_bswap16(get_unaligned_le16(p));
}

static inline u32 get_unaligned_be32(const void *p)
{
	return __builtin_bswap32(get_unaligned_le32(p));
}

static inline u64 get_unaligned_be64(const void *p)
{
	return __builtin_bswap64(get_unaligned_le64(p));
}

static inline void put_unaligned_le16(u16 v, void *p)
{
	memcpy(p, &v, sizeof(v));
}

static inline void put_unaligned_le32(u32 v, void *p)
{
	memcpy(p, &v, sizeof(v));
}

static inline void put_unaligned_le64(u64 v, void *p)
{
	memcpy(p, &v, sizeof(v));
}

static inline void put_unaligned_be16(u16 v, void *p)
{
	put_unaligned_le16(__builtin_bswap16(v), p);
}

static inline void put_unaligned_be32(u32 v, void *p)
{
	put_unaligned_le32(__builtin_bswap32(v), p);
}

static inline void put_unaligned_be64(u64 v, void *p)
{
	put_unaligned_le64(__builtin_bswap64(v), p);
}

/*
 * For vmbus/buslib.h and vsp/storage/image/imagelib.h.  A test sets how many allocations still work; it is
 * negative where it does not: all do.
 */
__attribute__((weak)) int ovid_host_allocs = -1;

#define GFP_KERNEL_ACCOUNT	0
#define array_index_nospec(i, n)	(i)

static inline void *kvzalloc(size_t size, int gfp)
{
	(void)gfp;
	if (!ovid_host_allocs)
		return NULL;
	if (ovid_host_allocs > 0)
		ovid_host_allocs--;
	return calloc(1, size);
}

static inline void kvfree(const void *p)
{
	free((void *)p);
}

#endif
