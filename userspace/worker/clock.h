/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.h - the machine's time, which stands still while the VM is paused.
 */
#ifndef OVID_CLOCK_H
#define OVID_CLOCK_H

#include <stdatomic.h>
#include <time.h>

#include "../lib/types.h"

#define NSEC_PER_SEC	1000000000ull

/* @behind is how far the machine is behind the host; written while VPs are out */
struct vclock {
	_Atomic u64 behind;
	_Atomic u64 stopped;	/* host time of the pause, 0 while running */
};

static inline u64 host_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

static inline u64 vclock_now(struct vclock *c)
{
	u64 stopped = atomic_load(&c->stopped);

	return (stopped ? stopped : host_ns()) - atomic_load(&c->behind);
}

static inline void vclock_stop(struct vclock *c)
{
	if (!atomic_load(&c->stopped))
		atomic_store(&c->stopped, host_ns());
}

static inline void vclock_start(struct vclock *c)
{
	u64 stopped = atomic_load(&c->stopped);

	if (!stopped)
		return;
	atomic_fetch_add(&c->behind, host_ns() - stopped);
	atomic_store(&c->stopped, 0);
}

#endif
