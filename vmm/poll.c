// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking before sleeping: see poll.h.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include "poll.h"

#define FIRST_US	10u

static u64 ticks_of(unsigned int us)
{
	return mul_u64_u32_div(us, tsc_khz, 1000);
}

void ovid_poll_begin(struct ovid_poll *poll, unsigned int longest)
{
	poll->since = rdtsc();
	poll->window = min(poll->window, ticks_of(longest));
}

bool ovid_poll_more(const struct ovid_poll *poll)
{
	return rdtsc() - poll->since < poll->window && !need_resched() && single_task_running();
}

void ovid_poll_end(struct ovid_poll *poll, unsigned int longest)
{
	u64 waited = rdtsc() - poll->since, most = ticks_of(longest);
	u64 first = min(ticks_of(FIRST_US), most);

	if (waited <= poll->window)
		return;
	if (waited <= most)
		poll->window = clamp(2 * poll->window, first, most);
	else
		poll->window = poll->window > first ? poll->window / 2 : 0;
}
