/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slirp.h - `--net user`: a network of the guest's own, which reaches the outside by this host's
 * sockets.  libslirp has it, in a process for each card: this program under another name.  It
 * has the file of the card's channel and sockets, and nothing else of the VM.
 *
 * On a SOCK_SEQPACKET pair it gets its configuration, which it answers, and then orders, until
 * the other end is closed.
 */
#ifndef OVID_SLIRP_H
#define OVID_SLIRP_H

#include "../lib/types.h"

#define SLIRP_NAME		"ovid-slirp"	/* argv[0] that selects the role */
#define SLIRP_CHANNEL		3		/* the socket's file in that process */
#define SLIRP_FORWARDS		32
#define SLIRP_HOST_NAME		64

/* a port of the host's, and where it leads; addresses as in struct in_addr, ports as numbers */
struct slirp_forward {
	bool udp;
	u16 host_port, guest_port;
	u32 host, guest;	/* @guest: 0: the first address that is given away */
};

struct slirp_config {
	u32 size;
	u32 uid, gid;		/* to become, when started as root */
	u32 net, mask;		/* as in struct in_addr */
	u32 mtu;
	bool restricted;	/* nothing reaches the outside but by what is forwarded */
	bool no_sandbox;
	char host_name[SLIRP_HOST_NAME];	/* for the guest; may be empty */
	u32 nr_forwards;
	struct slirp_forward forward[SLIRP_FORWARDS];
};

enum slirp_what {
	SLIRP_FILE,		/* with the file of the card's channel, in place of another */
	SLIRP_FORWARD,		/* with a socket for the answer */
	SLIRP_UNFORWARD,	/* the same; where it leads is not looked at */
};

struct slirp_order {
	u32 what;
	struct slirp_forward forward;
};

struct slirp_answer {
	int32_t status;		/* OVID_X_*; 0: it is done */
	char text[252];
};

int slirp_main(void);

/* Serves until the other end of @channel is closed; for tests, too. */
int slirp_serve(int channel);

#endif
