/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmos.h - MC146818 clock and the 128 bytes of memory behind it.
 *
 * The time is the host's, in UTC; the guest cannot set it.  Alarm, periodic and
 * update interrupts come on IRQ 8.  Flags in register C are worked out from the
 * time that passed when somebody looks; a timer runs only while one of them that
 * is not up would interrupt.
 *
 * Locks: @lock guards everything; @arm and interrupt lines are used under it.
 */
#ifndef OVID_CMOS_H
#define OVID_CMOS_H

#include <pthread.h>

#include "../bus.h"
#include "../irq.h"

struct cmos {
	pthread_mutex_t lock;
	u8 index;
	u8 ram[128];
	u64 seen;	/* flags are right up to this time */
	struct irqs *irqs;
	u64 (*now)(void);	/* ns of the wall clock; tests have their own */
	/* calls cmos_tick() in @delay ns; 0: never */
	void (*arm)(void *arg, u64 delay);
	void *arg;
};

void cmos_init(struct cmos *cmos, u64 memory, struct irqs *irqs,
	       void (*arm)(void *arg, u64 delay), void *arg);
void cmos_reset(struct cmos *cmos);
void cmos_tick(struct cmos *cmos);
int cmos_add_to(struct cmos *cmos, struct bus *ports);

#endif
