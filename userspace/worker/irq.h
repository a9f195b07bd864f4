/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * irq.h - interrupt lines of the devices: each leads to the PIC pair and the
 * I/O APIC; which of them speaks is the guest's choice by their masks.
 */
#ifndef OVID_IRQ_H
#define OVID_IRQ_H

#include "dev/ioapic.h"
#include "dev/pic.h"

#define IRQ_TIMER	0
#define IRQ_COM1	4
#define IRQ_RTC		8

struct irqs {
	struct pic pic;
	struct ioapic ioapic;
};

/* The timer is on I/O APIC input 2, as on every PC (MADT override). */
static inline void irq_set(struct irqs *irqs, unsigned int irq, bool level)
{
	pic_set_irq(&irqs->pic, irq, level);
	ioapic_set_irq(&irqs->ioapic, irq == IRQ_TIMER ? 2 : irq, level);
}

#endif
