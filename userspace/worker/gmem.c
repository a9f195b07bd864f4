// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "gmem.h"

void gmem_layout(struct gmem *gm, u64 bytes, u8 *base)
{
	u64 low = min_u64(bytes, GMEM_LOW_END);

	*gm = (struct gmem){ .nr = 1, .bytes = bytes };
	gm->region[0] = (struct gmem_region){ .gpa = 0, .bytes = low, .host = base };
	if (bytes > low) {
		gm->region[1] = (struct gmem_region){
			.gpa = GMEM_HIGH_START, .bytes = bytes - low, .host = base + low,
		};
		gm->nr = 2;
	}
}

void *gmem_at(const struct gmem *gm, u64 gpa, u64 len)
{
	for (unsigned int i = 0; i < gm->nr; i++) {
		const struct gmem_region *r = &gm->region[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->bytes)
			return len <= r->bytes - (gpa - r->gpa) ?
				r->host + (gpa - r->gpa) : NULL;
	}
	return NULL;
}

int gmem_read(const struct gmem *gm, u64 gpa, void *to, u64 len)
{
	const void *from = gmem_at(gm, gpa, len);

	if (!from)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

int gmem_write(const struct gmem *gm, u64 gpa, const void *from, u64 len)
{
	void *to = gmem_at(gm, gpa, len);

	if (!to)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

int gmem_zero(const struct gmem *gm, u64 gpa, u64 len)
{
	void *to = gmem_at(gm, gpa, len);

	if (!to)
		return -EFAULT;
	memset(to, 0, len);
	return 0;
}
