/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake_ic.h - the integration components of fake_vid.c, and the guest behind them: a thread
 * that answers at the other end of socket pairs, as a channel's file does.
 */
#ifndef OVID_TESTS_FAKE_IC_H
#define OVID_TESTS_FAKE_IC_H

#include "../lib/types.h"

int fake_ic_offer(const char *provider);

/* From now on: ready, closed, negotiating, old, lost, silent, slow, full, stubborn */
void fake_ic_mood(const char *mood);

/* The guest was told to end: 0 not, 1 power off, 2 reset. */
int fake_ic_ending(void);

#endif
