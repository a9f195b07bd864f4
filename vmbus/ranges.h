/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranges of the guest's memory, as a GPADL and a packet list them (pure): u32 bytes,
 * u32 offset into the first page, u64 pfn[], and the next one.  Always of a copy.
 */
#ifndef OVID_VMBUS_RANGES_H
#define OVID_VMBUS_RANGES_H

#include "../vmm/purelib.h"
#include "../vmm/types.h"

#define VMBUS_PAGE	4096u

/**
 * ovid_range_next - one range of a list
 * @list: list
 * @list_bytes: of it, pfns included
 * @at: in, out: where, 0 to begin with
 * @bytes: out: of its memory
 * @offset: out: where they begin in the first page
 *
 * Return: its pfns, as many as @offset and @bytes need; NULL: there is none, or it is not whole.
 */
const u64 *ovid_range_next(const void *list, u32 list_bytes, u32 *at, u32 *bytes, u32 *offset);

/**
 * ovid_ranges_check - are they what they say?
 * @list: list
 * @list_bytes: of it; what is behind the last range does not matter
 * @count: ranges
 *
 * Return: pages of all of them, or -EPROTO: one is empty or not whole, begins behind its first
 * page, or has a pfn that no processor could have.
 */
int ovid_ranges_check(const void *list, u32 list_bytes, u32 count);

/* the memory of such ranges, without what is around it in its pages */
u32 ovid_ranges_bytes(const void *list, u32 list_bytes, u32 count);

#endif
