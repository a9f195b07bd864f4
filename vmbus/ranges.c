// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of the guest's memory: ranges.h.
 */
#include "../vmm/purelib.h"
#include "ranges.h"

/* before each range's pfns, and as long as a pfn */
struct range_head {
	u32 bytes;
	u32 offset;
};

#define PFN_BITS	40	/* 52 bits of physical address */

const u64 *ovid_range_next(const void *list, u32 list_bytes, u32 *at, u32 *bytes, u32 *offset)
{
	const struct range_head *head = list + *at;
	u64 pages;

	if (*at + sizeof(*head) > list_bytes)
		return NULL;
	pages = ((u64)head->offset + head->bytes + VMBUS_PAGE - 1) / VMBUS_PAGE;
	if (pages > (list_bytes - *at - sizeof(*head)) / sizeof(u64))
		return NULL;
	*bytes = head->bytes;
	*offset = head->offset;
	*at += sizeof(*head) + pages * sizeof(u64);
	return (const u64 *)(head + 1);
}

int ovid_ranges_check(const void *list, u32 list_bytes, u32 count)
{
	u32 at = 0, range, bytes, offset, pages = 0;

	for (range = 0; range < count; range++) {
		const u64 *pfn = ovid_range_next(list, list_bytes, &at, &bytes, &offset);
		const u64 *end = list + at;

		if (!pfn || !bytes || offset >= VMBUS_PAGE)
			return -EPROTO;
		for (; pfn < end; pfn++, pages++)
			if (*pfn >> PFN_BITS)
				return -EPROTO;
	}
	return pages;
}

/* the pfns of a list are not so many that it could overflow */
u32 ovid_ranges_bytes(const void *list, u32 list_bytes, u32 count)
{
	u32 at = 0, bytes, offset, sum = 0;

	while (count-- && ovid_range_next(list, list_bytes, &at, &bytes, &offset))
		sum += bytes;
	return sum;
}
