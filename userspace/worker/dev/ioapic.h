/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioapic.h - one I/O APIC with 24 inputs.  What it sends are MSIs.
 *
 * Locks: @lock guards everything; @msi is called under it (a leaf: an ioctl).
 */
#ifndef OVID_IOAPIC_H
#define OVID_IOAPIC_H

#include <pthread.h>

#include "../bus.h"

#define IOAPIC_BASE	0xFEC00000ull
#define IOAPIC_PINS	24

struct ioapic {
	pthread_mutex_t lock;
	u8 id;
	u8 select;
	u32 lines;		/* level of each input */
	u64 entry[IOAPIC_PINS];
	void (*msi)(void *arg, u64 address, u32 data);
	void *arg;
};

void ioapic_init(struct ioapic *io, void (*msi)(void *arg, u64 address, u32 data),
		 void *arg);
void ioapic_reset(struct ioapic *io);
void ioapic_set_irq(struct ioapic *io, unsigned int pin, bool level);
void ioapic_eoi(struct ioapic *io, u8 vector);
int ioapic_add_to(struct ioapic *io, struct bus *mmio);

#endif
