// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "testdev.h"

#define PORT_WHOLE	0xe0
#define PORT_FLUSH	0xe4
#define PORT_BYTES	0xe8
#define PORT_IRQ	0x2000

/* @size bytes at @at, of the @room there are; the bus takes care of what is wider */
static u64 get(struct testdev *t, const u8 *from, u64 at, u64 room, unsigned int size)
{
	u64 value = 0;

	pthread_mutex_lock(&t->lock);
	memcpy(&value, from + at, min_u64(size, room - at));
	pthread_mutex_unlock(&t->lock);
	return value;
}

static void put(struct testdev *t, u8 *to, u64 at, u64 room, u64 value, unsigned int size)
{
	pthread_mutex_lock(&t->lock);
	memcpy(to + at, &value, min_u64(size, room - at));
	pthread_mutex_unlock(&t->lock);
}

static u64 port_read(void *dev, u64 port, unsigned int size)
{
	struct testdev *t = dev;

	return get(t, t->port, port & 3, sizeof(t->port), size);
}

static void port_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct testdev *t = dev;

	put(t, t->port, port & 3, sizeof(t->port), value, size);
}

static void irq_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct testdev *t = dev;

	(void)size;
	irq_set(t->irqs, port - PORT_IRQ, value);
}

static u64 memory_read(void *dev, u64 addr, unsigned int size)
{
	struct testdev *t = dev;

	return get(t, t->memory, addr - TESTDEV_MEMORY, sizeof(t->memory), size);
}

static void memory_write(void *dev, u64 addr, u64 value, unsigned int size)
{
	struct testdev *t = dev;

	put(t, t->memory, addr - TESTDEV_MEMORY, sizeof(t->memory), value, size);
}

void testdev_init(struct testdev *t, struct irqs *irqs)
{
	memset(t, 0, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	t->irqs = irqs;
}

int testdev_add_to(struct testdev *t, struct bus *ports, struct bus *mmio)
{
	const struct bus_range ranges[] = {
		{ PORT_WHOLE, PORT_WHOLE + 3, 4, port_read, port_write, t },
		{ PORT_FLUSH, PORT_FLUSH + 3, 4, NULL, NULL, t },
		{ PORT_BYTES, PORT_BYTES + 3, 1, port_read, port_write, t },
		{ PORT_IRQ, PORT_IRQ + IOAPIC_PINS - 1, 1, NULL, irq_write, t },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		int ret = bus_add(ports, &ranges[i]);

		if (ret)
			return ret;
	}
	return bus_add(mmio, &(struct bus_range){
		.first = TESTDEV_MEMORY, .last = TESTDEV_MEMORY + TESTDEV_MEMORY_BYTES - 1,
		.width = 8, .read = memory_read, .write = memory_write, .dev = t,
	});
}
