/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gmem.h - guest memory as the worker sees it.
 *
 * The length is a parameter of every function: an address that comes from the
 * guest is only good together with how much is touched there.  The guest can
 * change what it likes at any time, so copy out once and use the copy.
 */
#ifndef OVID_GMEM_H
#define OVID_GMEM_H

#include "../lib/types.h"

#define GMEM_REGIONS	2
#define GMEM_LOW_END	0xC0000000ull	/* 3 GiB: devices live from here to 4 GiB */
#define GMEM_HIGH_START	0x100000000ull

struct gmem_region {
	u64 gpa;
	u64 bytes;
	u8 *host;
};

struct gmem {
	struct gmem_region region[GMEM_REGIONS];
	unsigned int nr;
	u64 bytes;
};

/* Plans the regions for @bytes of memory; host addresses are base + offset. */
void gmem_layout(struct gmem *gm, u64 bytes, u8 *base);

/* Host address of [@gpa, @gpa + @len), or NULL when not all of it is memory. */
void *gmem_at(const struct gmem *gm, u64 gpa, u64 len);

int gmem_read(const struct gmem *gm, u64 gpa, void *to, u64 len);
int gmem_write(const struct gmem *gm, u64 gpa, const void *from, u64 len);
int gmem_zero(const struct gmem *gm, u64 gpa, u64 len);

static inline u64 gmem_low_end(const struct gmem *gm)
{
	return gm->region[0].bytes;
}

#endif
