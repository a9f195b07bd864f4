/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmos.h - MC146818 clock and the 128 bytes of memory behind it.
 *
 * The time is the host's, in UTC; the guest cannot set it, and there are no
 * alarm or periodic interrupts.
 */
#ifndef OVID_CMOS_H
#define OVID_CMOS_H

#include <pthread.h>

#include "../bus.h"

struct cmos {
	pthread_mutex_t lock;
	u8 index;
	u8 ram[128];
};

void cmos_init(struct cmos *cmos, u64 memory);
int cmos_add_to(struct cmos *cmos, struct bus *ports);

#endif
