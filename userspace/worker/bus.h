/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bus.h - who answers at an address: one sorted table for ports, one for MMIO.
 *
 * Filled while the machine is built, read-only while VPs run: no lock.
 */
#ifndef OVID_BUS_H
#define OVID_BUS_H

#include "../lib/types.h"

#define BUS_RANGES	32

/**
 * struct bus_range - one device's addresses
 * @first: @last: inclusive
 * @width:	widest access the device takes; wider ones arrive in pieces
 * @read:	NULL: reads give all ones
 * @write:	NULL: writes are dropped
 */
struct bus_range {
	u64 first;
	u64 last;
	unsigned int width;
	u64 (*read)(void *dev, u64 addr, unsigned int size);
	void (*write)(void *dev, u64 addr, u64 value, unsigned int size);
	void *dev;
};

struct bus {
	struct bus_range range[BUS_RANGES];
	unsigned int nr;
};

/* -EEXIST: overlaps; -ENOSPC: table full */
int bus_add(struct bus *bus, const struct bus_range *range);

/* @size is 1, 2, 4 or 8; where nobody lives reads give all ones */
u64 bus_read(const struct bus *bus, u64 addr, unsigned int size);
void bus_write(const struct bus *bus, u64 addr, u64 value, unsigned int size);

#endif
