/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * serve_net.h - the far side of a test guest's network card: whoever reads and writes its file.
 */
#ifndef OVID_GUEST_SERVE_NET_H
#define OVID_GUEST_SERVE_NET_H

#include <stdint.h>

struct far;

/* sets the card up whose file @h is, which stays the caller's: 0 or -errno */
int far_start(int h, struct far **far);
void far_stop(struct far *far);
/* G_NET_*: 0 or more, or -errno */
int64_t far_command(struct far *far, const uint64_t *arg, void *ram, uint64_t bytes);

#endif
