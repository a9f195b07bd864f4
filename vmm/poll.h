/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking for a while at what is often there soon, before sleeping: that costs less
 * then.  For how long follows from how long it took the last times.
 */
#ifndef OVID_POLL_H
#define OVID_POLL_H

#include "types.h"

/**
 * struct ovid_poll - its one thread's
 * @window: ticks of the host's TSC for which looking pays
 * @since: when the wait began
 */
struct ovid_poll {
	u64 window;
	u64 since;
};

/* a wait begins, of which @longest microseconds at most are looked through */
void ovid_poll_begin(struct ovid_poll *poll, unsigned int longest);
/* look once more, and do not sleep yet?  No, if another thread wants the CPU */
bool ovid_poll_more(const struct ovid_poll *poll);
/* it is over, asleep or not */
void ovid_poll_end(struct ovid_poll *poll, unsigned int longest);

#endif
