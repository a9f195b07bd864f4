/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * testdev.h - what bare test kernels expect of QEMU's pc-testdev, when asked for:
 *
 *   0xe0        four bytes that keep what is written, at any width
 *   0xe4        "flush a page": nothing to do here, memory is never stale
 *   0xe8        the same as 0xe0, reached by bytes only
 *   0x2000-17   interrupt lines 0 to 23, as the value written is zero or not
 *   0xff000000  64 KiB that keep what is written, as a device: each access exits
 */
#ifndef OVID_TESTDEV_H
#define OVID_TESTDEV_H

#include <pthread.h>

#include "../bus.h"
#include "../irq.h"

#define TESTDEV_MEMORY		0xff000000u
#define TESTDEV_MEMORY_BYTES	0x10000u

struct testdev {
	pthread_mutex_t lock;
	struct irqs *irqs;
	u8 port[4];
	u8 memory[TESTDEV_MEMORY_BYTES];
};

void testdev_init(struct testdev *t, struct irqs *irqs);
int testdev_add_to(struct testdev *t, struct bus *ports, struct bus *mmio);

#endif
