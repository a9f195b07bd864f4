/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * echo.h - a provider by libovid: what the guest sends comes back, as a completion where it has
 * asked for one.
 */
#ifndef OVID_EXAMPLE_ECHO_H
#define OVID_EXAMPLE_ECHO_H

#include "../../uapi/ovid.h"
#include "../lib/libovid.h"

/*
 * Serves a channel until @quit, an eventfd, can be read.  @refuse says why an open is
 * refused, by an errno, or 0; it may be NULL.  0 or -errno.
 */
int echo_serve(struct ovid_channel *channel, int quit,
	       int (*refuse)(const struct ovid_channel_event *open));

#endif
