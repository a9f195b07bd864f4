// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "bus.h"

int bus_add(struct bus *bus, const struct bus_range *range)
{
	unsigned int at = 0;

	if (bus->nr == BUS_RANGES)
		return -ENOSPC;
	while (at < bus->nr && bus->range[at].last < range->first)
		at++;
	if (at < bus->nr && bus->range[at].first <= range->last)
		return -EEXIST;
	memmove(&bus->range[at + 1], &bus->range[at],
		(bus->nr - at) * sizeof(*range));
	bus->range[at] = *range;
	bus->nr++;
	return 0;
}

static const struct bus_range *bus_find(const struct bus *bus, u64 addr)
{
	unsigned int low = 0, high = bus->nr;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct bus_range *r = &bus->range[mid];

		if (addr < r->first)
			high = mid;
		else if (addr > r->last)
			low = mid + 1;
		else
			return r;
	}
	return NULL;
}

static u64 ones(unsigned int size)
{
	return size >= 8 ? ~0ull : BIT(size * 8) - 1;
}

u64 bus_read(const struct bus *bus, u64 addr, unsigned int size)
{
	const struct bus_range *r = bus_find(bus, addr);
	unsigned int half = size / 2;

	if (r && size <= r->width)
		return r->read ? r->read(r->dev, addr, size) & ones(size) : ones(size);
	if (size == 1)
		return 0xff;
	if (!r && !bus_find(bus, addr + size - 1))
		return ones(size);
	return bus_read(bus, addr, half) |
	       bus_read(bus, addr + half, half) << (half * 8);
}

void bus_write(const struct bus *bus, u64 addr, u64 value, unsigned int size)
{
	const struct bus_range *r = bus_find(bus, addr);
	unsigned int half = size / 2;

	if (r && size <= r->width) {
		if (r->write)
			r->write(r->dev, addr, value & ones(size), size);
		return;
	}
	if (size == 1 || (!r && !bus_find(bus, addr + size - 1)))
		return;
	bus_write(bus, addr, value & ones(half), half);
	bus_write(bus, addr + half, value >> (half * 8), half);
}
