/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * jail.h - what the process of a card's network is left with: sockets of the internet, and the file
 * that names the host's nameservers, to read.
 */
#ifndef OVID_SLIRP_JAIL_H
#define OVID_SLIRP_JAIL_H

#include "../lib/fail.h"
#include "slirp.h"

int slirp_jail(const struct slirp_config *c, struct failure *why);

#endif
