/* SPDX-License-Identifier: GPL-2.0-only */
/* fake_net.h - network cards of the pretended module (fake_net.c). */
#ifndef OVID_FAKE_NET_H
#define OVID_FAKE_NET_H

#include <stdbool.h>
#include <stddef.h>

void fake_net_make(void);	/* before the sandbox */

/* Something is not to work: net, end */
void fake_net_refuse(const char *what);

/* The guest asks for an address by its card @nr: true when it has one, as text. */
bool fake_net_dhcp(unsigned int nr, char *text, size_t len);

#endif
