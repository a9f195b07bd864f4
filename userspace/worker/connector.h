/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * connector.h - a helper process that connects to sockets in one folder, since the
 * worker's sandbox lets nobody connect.  All that it is asked is a number.
 */
#ifndef OVID_CONNECTOR_H
#define OVID_CONNECTOR_H

#include "../lib/fail.h"
#include "../lib/types.h"

#define CONNECTOR_NAME	"ovid-connector"

/*
 * Starts it, for sockets vsock_PORT in the folder @dir, by the user that we are; it ends with us.
 * The socket to it, or -status.
 */
int connector_start(int dir, bool sandbox, struct failure *why);

/* A stream socket that does not block, connected to @port's; or -errno.  Takes no time. */
int connector_connect(int connector, u32 port);

#endif
