/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sandbox.h - what a worker gives up.  First the user, as soon as it has its
 * files; then, when its threads are there and before the first guest
 * instruction, every system call that running a guest does not need.
 */
#ifndef OVID_SANDBOX_H
#define OVID_SANDBOX_H

#include "../lib/fail.h"
#include "config.h"

int sandbox_drop_user(const struct worker_config *config, struct failure *why);
int sandbox_filter(struct failure *why);
/* of the helper that connects for the worker (connector.c) */
int sandbox_connector(struct failure *why);

#endif
