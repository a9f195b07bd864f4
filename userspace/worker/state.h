/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.h - all that a partition and its VPs are made of, but guest memory: read
 * from one, put into another, which then goes on where the first one stood.
 *
 * The partition is paused and its VPs were run with ovid_run.cancel set, so that
 * nothing is under way that no register tells of.
 */
#ifndef OVID_STATE_H
#define OVID_STATE_H

#include "../lib/fail.h"
#include "../lib/vid.h"

struct state;

/* NULL with @why; @vp: V files */
struct state *state_read(int part, const int *vp, unsigned int nr, struct failure *why);
void state_free(struct state *s);

/*
 * In this order: the partition's part before it has a VP, then those of all VPs,
 * while the partition is paused; its memory is mapped.
 */
int state_write_partition(const struct state *s, int part, struct failure *why);
int state_write_vps(const struct state *s, int part, const int *vp, struct failure *why);

#endif
