/* SPDX-License-Identifier: GPL-2.0-only */
/* net.h - network cards as `--net SPEC` says them: their words, and what is behind them. */
#ifndef OVID_CLI_NET_H
#define OVID_CLI_NET_H

#include "../lib/fail.h"
#include "../slirp/slirp.h"
#include "../worker/net.h"

#define NET_QUEUES	8u
#define NET_MTU		1500u

/**
 * struct net_words - what a SPEC says besides its struct net_config
 * @option: for failures: where it was said
 * @file: with fd=N
 * @has_mac: an address was given
 * @of_card: a word that is the card's, not its end's; or NULL
 * @user: the network of `user`
 */
struct net_words {
	const char *option;
	int file;
	bool has_mac;
	const char *of_card;
	struct slirp_config user;
};

/* net_spec.c: a SPEC as it was written, which is cut into pieces */
int net_parse(const char *option, struct net_words *w, struct net_config *c, char *text,
	      struct failure *why);
/* tcp|udp:[ADDR]:PORT-[ADDR]:PORT; of one that is to go, up to the first port */
int net_parse_forward(const char *option, struct slirp_forward *f, char *text, bool goes,
		      struct failure *why);
/* The usual address of a VM's card: the same each time, and another one for each VM of each host. */
void net_mac(const char *vm, unsigned int nr, u8 *mac);

/* net_open.c: the file of a card's end, or -1, to *@fd */
int net_open(struct net_words *w, struct net_config *c, int *fd, struct failure *why);
/* An interface of a channel's, by its file, up and in its bridge. */
int net_make_interface(const char *option, const struct net_config *c, int net,
		       struct failure *why);

/* net_bridge.c: an interface into a bridge, perhaps as what belongs to one VLAN */
int bridge_check(const char *option, const char *bridge, u16 vlan, struct failure *why);
int bridge_add(const char *option, const char *bridge, const char *ifname, u16 vlan,
	       struct failure *why);

/* net_slirp.c: starts a card's process: its socket, or -status */
int slirp_start(const char *option, const struct slirp_config *config, struct failure *why);
/* Forwards a port of a process, or does not any more. */
int slirp_order(int process, const struct slirp_order *order, struct failure *why);

#endif
