/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net.h - the network cards of a machine: each is a channel of the bus, whose other end is an
 * interface of the host's, or a process that has its frames (slirp/).
 */
#ifndef OVID_WORKER_NET_H
#define OVID_WORKER_NET_H

#include "../lib/fail.h"
#include "../lib/types.h"
#include "../lib/vid.h"

#define NETS_MAX	8u
#define NET_END_TEXT	48

/* what its frames go to and come from; by --net */
enum net_kind {
	NET_NONE,
	NET_USER,		/* a file: the socket of its process (slirp/slirp.h) */
	NET_BRIDGE,		/* an interface, as NET_IF, in a bridge */
	NET_TAP,		/* a file: of a tap */
	NET_FD,			/* a file: of tap or macvtap, which somebody else has opened */
	NET_IF,			/* an interface, which whoever may makes by the channel's file */
	NET_KINDS,
};

/**
 * struct net_config - a card, as who has set up its end has checked it
 * @there: there is one
 * @kind: of its end
 * @mac: address
 * @guard: frames leave it from that address only
 * @link_down: there is no cable
 * @queues: channels that there may be
 * @mtu: the largest
 * @vlan: of @bridge's; 0: as that does
 * @ifname: of the host's interface, or empty; of one that is to be made, the one that is wanted
 * @bridge: that it is in
 * @end: for people: as --net says
 */
struct net_config {
	bool there;
	u8 kind;
	u8 mac[6];
	bool guard;
	bool link_down;
	u16 queues;
	u32 mtu;
	u16 vlan;
	char ifname[OVID_NET_IFNAME_BYTES];
	char bridge[OVID_NET_IFNAME_BYTES];
	char end[NET_END_TEXT];
};

/* by their numbers, which the guest's driver knows them by */
struct nets {
	struct net_config config[NETS_MAX];
	int fd[NETS_MAX];	/* of its end; -1: it has none */
};

/* made by whoever may, by the channel's file */
static inline bool net_has_interface(const struct net_config *c)
{
	return c->there && (c->kind == NET_IF || c->kind == NET_BRIDGE);
}

static inline bool net_has_file(const struct net_config *c)
{
	return c->there && c->kind != NET_NONE && !net_has_interface(c);
}

static inline void nets_none(struct nets *nets)
{
	*nets = (struct nets){ 0 };
	for (unsigned int i = 0; i < NETS_MAX; i++)
		nets->fd[i] = -1;
}

static inline unsigned int nets_count(const struct nets *nets)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < NETS_MAX; i++)
		nr += nets->config[i].there;
	return nr;
}

bool net_config_ok(const struct net_config *c);

/* All of them to channels, which are @net: NETS_MAX, -1 where there is none. */
int nets_offer(const struct nets *nets, int part, int *net, struct failure *why);

/* Processes that have frames get the files of these channels, in place of others. */
void nets_join(const struct nets *nets, const int *net);

/* A card more, at a number that is free; its end's file @fd is theirs then. */
int nets_add(struct nets *nets, unsigned int at, const struct net_config *c, int fd, int part,
	     int *net, struct failure *why);
void nets_remove(struct nets *nets, unsigned int at, int *net);

/* Another end, an interface having been made already, as c->kind, c->ifname and c->end say.  The guest is told that it is another network. */
int nets_move(struct nets *nets, unsigned int at, const struct net_config *c, int fd,
	      const int *net, struct failure *why);

int nets_link(struct nets *nets, unsigned int at, bool up, const int *net, struct failure *why);

#endif
