// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "ioapic.h"

#define REG_SELECT	0x00
#define REG_WINDOW	0x10

#define IOAPIC_VERSION	0x11

/* redirection entry */
#define RTE_VECTOR	0xffull
#define RTE_MODE	(7ull << 8)
#define RTE_LOGICAL	BIT(11)
#define RTE_STATUS	BIT(12)
#define RTE_REMOTE_IRR	BIT(14)
#define RTE_LEVEL	BIT(15)
#define RTE_MASK	BIT(16)
#define RTE_WRITABLE	0xff0000000001afffull	/* not: status, remote IRR, reserved */
#define RTE_MODE_SMI	(2ull << 8)
#define RTE_MODE_EXTINT	(7ull << 8)

static void send(struct ioapic *io, u64 rte)
{
	u64 address = 0xFEE00000ull | (rte >> 56) << 12 | (rte & RTE_LOGICAL ? 1 << 2 : 0);
	u32 data = rte & (RTE_VECTOR | RTE_MODE);

	/* the PIC has a wire of its own, and there is no SMM */
	if ((rte & RTE_MODE) == RTE_MODE_EXTINT || (rte & RTE_MODE) == RTE_MODE_SMI)
		return;
	if (rte & RTE_LEVEL)
		data |= 1u << 15 | 1u << 14;
	io->msi(io->arg, address, data);
}

/* A level input that is up interrupts, once until its EOI. */
static void service_level(struct ioapic *io, unsigned int pin)
{
	u64 *rte = &io->entry[pin];

	if ((*rte & (RTE_MASK | RTE_REMOTE_IRR)) || !(*rte & RTE_LEVEL) ||
	    !(io->lines & BIT(pin)))
		return;
	*rte |= RTE_REMOTE_IRR;
	send(io, *rte);
}

/* Behind a mask an edge is lost (82093AA: Interrupt Mask). */
static void service_edge(struct ioapic *io, unsigned int pin)
{
	u64 rte = io->entry[pin];

	if (!(rte & (RTE_MASK | RTE_LEVEL)))
		send(io, rte);
}

void ioapic_set_irq(struct ioapic *io, unsigned int pin, bool level)
{
	bool was;

	if (pin >= IOAPIC_PINS)
		return;
	pthread_mutex_lock(&io->lock);
	was = io->lines & BIT(pin);
	io->lines = level ? io->lines | BIT(pin) : io->lines & ~BIT(pin);
	if (level && !was)
		service_edge(io, pin);
	service_level(io, pin);
	pthread_mutex_unlock(&io->lock);
}

void ioapic_eoi(struct ioapic *io, u8 vector)
{
	pthread_mutex_lock(&io->lock);
	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++) {
		u64 *rte = &io->entry[pin];

		if (!(*rte & RTE_REMOTE_IRR) || (*rte & RTE_VECTOR) != vector)
			continue;
		*rte &= ~RTE_REMOTE_IRR;
		service_level(io, pin);
	}
	pthread_mutex_unlock(&io->lock);
}

static u32 window_read(const struct ioapic *io)
{
	unsigned int pin = (io->select - 0x10u) / 2;

	switch (io->select) {
	case 0:
	case 2:
		return (u32)io->id << 24;
	case 1:
		return IOAPIC_VERSION | (IOAPIC_PINS - 1) << 16;
	}
	if (io->select < 0x10 || pin >= IOAPIC_PINS)
		return 0;
	return io->select & 1 ? io->entry[pin] >> 32 : io->entry[pin];
}

static void window_write(struct ioapic *io, u32 value)
{
	unsigned int pin = (io->select - 0x10u) / 2;
	u64 *rte, next;

	if (io->select == 0)
		io->id = value >> 24 & 0x0f;
	if (io->select < 0x10 || pin >= IOAPIC_PINS)
		return;
	rte = &io->entry[pin];
	if (io->select & 1)
		next = (*rte & 0xffffffff) | (u64)value << 32;
	else
		next = (*rte & ~0xffffffffull) | value;
	*rte = (next & RTE_WRITABLE) | (*rte & RTE_REMOTE_IRR);
	/* guests clear a stuck remote IRR by going through edge mode */
	if (!(*rte & RTE_LEVEL))
		*rte &= ~RTE_REMOTE_IRR;
	service_level(io, pin);
}

static u64 ioapic_read(void *dev, u64 addr, unsigned int size)
{
	struct ioapic *io = dev;
	u64 value = 0;

	(void)size;
	pthread_mutex_lock(&io->lock);
	if ((addr & 0xff) == REG_SELECT)
		value = io->select;
	else if ((addr & 0xff) == REG_WINDOW)
		value = window_read(io);
	pthread_mutex_unlock(&io->lock);
	return value;
}

static void ioapic_write(void *dev, u64 addr, u64 value, unsigned int size)
{
	struct ioapic *io = dev;

	(void)size;
	pthread_mutex_lock(&io->lock);
	if ((addr & 0xff) == REG_SELECT)
		io->select = value;
	else if ((addr & 0xff) == REG_WINDOW)
		window_write(io, value);
	pthread_mutex_unlock(&io->lock);
}

void ioapic_reset(struct ioapic *io)
{
	pthread_mutex_lock(&io->lock);
	io->id = 0;
	io->select = 0;
	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++)
		io->entry[pin] = RTE_MASK;
	pthread_mutex_unlock(&io->lock);
}

void ioapic_init(struct ioapic *io, void (*msi)(void *arg, u64 address, u32 data),
		 void *arg)
{
	memset(io, 0, sizeof(*io));
	pthread_mutex_init(&io->lock, NULL);
	io->msi = msi;
	io->arg = arg;
	ioapic_reset(io);
}

int ioapic_add_to(struct ioapic *io, struct bus *mmio)
{
	return bus_add(mmio, &(struct bus_range){
		.first = IOAPIC_BASE, .last = IOAPIC_BASE + 0xfff, .width = 4,
		.read = ioapic_read, .write = ioapic_write, .dev = io,
	});
}
