/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pit.h - the 8254 timer and the speaker port 0x61 that gates its channel 2.
 *
 * Counters are functions of time; nothing runs between accesses but one timer
 * for channel 0's interrupt, which @arm sets and pit_tick() answers.
 * Locks: @lock guards everything; interrupt lines and @arm are taken under it.
 */
#ifndef OVID_PIT_H
#define OVID_PIT_H

#include <pthread.h>

#include "../bus.h"
#include "../clock.h"
#include "../irq.h"

#define PIT_HZ		1193182ull

struct pit_channel {
	u32 reload;	/* 1 to 0x10000; 0: not loaded yet */
	u64 start;	/* when counting (re)started */
	u8 mode, access;
	bool bcd, gate;
	bool write_high, read_high;	/* next byte of a two-byte access */
	u8 low;				/* its first byte */
	bool count_latched, status_latched;
	u16 latch;
	u8 status;
};

struct pit {
	pthread_mutex_t lock;
	struct pit_channel ch[3];
	bool speaker;
	struct vclock *clock;
	struct irqs *irqs;
	void (*arm)(void *arg, u64 deadline);	/* machine time; 0 disarms */
	void *arg;
};

void pit_init(struct pit *pit, struct vclock *clock, struct irqs *irqs,
	      void (*arm)(void *arg, u64 deadline), void *arg);
void pit_reset(struct pit *pit);
void pit_tick(struct pit *pit);
void pit_resume(struct pit *pit);	/* after the clock stood still */
int pit_add_to(struct pit *pit, struct bus *ports);

#endif
