/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The echo provider.
 */
#ifndef OVID_ECHO_H
#define OVID_ECHO_H

#include "../vmbus/channel.h"

extern const struct ovid_chan_ops ovid_echo;

#endif
