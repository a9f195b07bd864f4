/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VP that waits for another, or for what comes soon.  All of it: VP's thread,
 * interrupts on.
 */
#ifndef OVID_SPIN_H
#define OVID_SPIN_H

#include "types.h"

/* it spins: lets another VP of the partition run that has no CPU; sleeps */
void ovid_vp_spins(struct ovid_vp *vp);

/*
 * A halt: between begin and end the caller looks, first as long as more says so, then
 * asleep.
 */
void ovid_vp_poll_begin(struct ovid_vp *vp);
bool ovid_vp_poll_more(struct ovid_vp *vp);
void ovid_vp_poll_end(struct ovid_vp *vp);

#endif
