/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking for a while at what is often there soon, before sleeping: that costs less
 * then.  For how long follows from how long it took the last times.
 */
#ifndef OVID_POLL_H
#define OVID_POLL_H

#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include "types.h"

#define OVID_POLL_FIRST_US	10u

/**
 * struct ovid_poll - its one thread's
 * @window: ticks of the host's TSC for which looking pays
 * @since: when the wait began; 0: not without others who want the CPU, it teaches nothing
 */
struct ovid_poll {
	u64 window;
	u64 since;
};

static inline u64 ovid_poll_ticks(unsigned int us)
{
	return (u64)us * tsc_khz / 1000;
}

/* a wait begins, of which @longest microseconds at most are looked through */
static inline void ovid_poll_begin(struct ovid_poll *poll, unsigned int longest)
{
	poll->since = single_task_running() ? rdtsc() : 0;
	if (poll->window)
		poll->window = min(poll->window, ovid_poll_ticks(longest));
}

/* look once more, and do not sleep yet?  No, if another thread wants the CPU */
static inline bool ovid_poll_more(const struct ovid_poll *poll)
{
	return poll->since && poll->window && rdtsc() - poll->since < poll->window &&
	       !need_resched() && single_task_running();
}

/* when it is over, asleep or not: what ovid_poll_end() wants to know */
static inline u64 ovid_poll_now(const struct ovid_poll *poll)
{
	return poll->since ? rdtsc() : 0;
}

/* it was over at @now */
static inline void ovid_poll_end(struct ovid_poll *poll, u64 now, unsigned int longest)
{
	u64 waited = now - poll->since, first = ovid_poll_ticks(OVID_POLL_FIRST_US), most;

	if (!poll->since || waited <= poll->window)
		return;
	most = ovid_poll_ticks(longest);
	if (waited <= most)
		poll->window = clamp(2 * poll->window, min(first, most), most);
	else if (poll->window)
		poll->window = poll->window > first ? poll->window / 2 : 0;
}

#endif
