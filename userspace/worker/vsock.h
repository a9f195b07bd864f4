/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vsock.h - the guest's Hyper-V sockets as Unix sockets in a folder (`--vsock DIR`):
 * a guest that connects to port N of the host reaches whoever listens at DIR/vsock_N; a program
 * that connects to DIR/vsock and says "CONNECT N" reaches who listens there in the guest, and is
 * told "OK" and its own port.  So do Firecracker, cloud-hypervisor and OpenVMM.
 *
 * It has a thread of its own, in which nothing but the guest's channels waits for a guest.
 */
#ifndef OVID_VSOCK_H
#define OVID_VSOCK_H

#include "../lib/fail.h"
#include "../lib/types.h"

struct machine;
struct vsock;

/*
 * Before the sandbox, with the bus there.  @listener: the socket DIR/vsock; @connector: see
 * connector.h; both are taken over.  0 or -status.
 */
int vsock_start(struct vsock **vsock, struct machine *m, int listener, int connector,
		struct failure *why);

/* Ends all of them; NULL is allowed. */
void vsock_stop(struct vsock *vsock);

/*
 * Connections do not move with a VM.  The bus stands, so that the guest wishes nothing more:
 * vsock_halt() breaks off all connections and refuses what the guest has wished, and the thread
 * waits for vsock_go_on().  @connects: file C of the partition that the machine has now, which is
 * taken over; -1: it has the one that it had.  NULL is allowed.
 */
void vsock_halt(struct vsock *vsock);
void vsock_go_on(struct vsock *vsock, int connects);

/* file C of a partition, which does not block, or -status */
int vsock_connects(int part, struct failure *why);

/* "CONNECT N" without its newline: is it one? */
bool vsock_parse(const char *line, u32 *port);

#endif
