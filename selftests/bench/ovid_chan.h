/* SPDX-License-Identifier: GPL-2.0-only */
/* ovid_chan.h - the channel of ovid's driver */
#ifndef OVID_BENCH_OVID_CHAN_H
#define OVID_BENCH_OVID_CHAN_H

#include "bench.h"

void *b_ovid_open(struct b_vm *vm, struct b_chan *c, enum b_server server, bool sink);

#endif
