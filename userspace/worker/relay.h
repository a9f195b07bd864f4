/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * relay.h - a Hyper-V socket of the guest's and a stream socket of the host's, joined: what one
 * end says the other one hears, until both have said that they are done.
 *
 * In the channel's rings the stream is packets of up to 16 KiB with a header; an empty
 * one says that nothing more comes from its side.  Nothing here waits, and a turn
 * has a limit: whoever has many relays does a turn of each.
 */
#ifndef OVID_RELAY_H
#define OVID_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/libovid.h"

#define RELAY_PACKET	16384u	/* the most that one carries */

enum relay_state {
	RELAY_GOES,
	RELAY_LINGERS,	/* the host's end is gone; the guest may hear what it has said */
	RELAY_DONE,	/* both ends have said so, or the host's is gone and the guest goes on talking */
	RELAY_BROKEN,	/* the guest's packets make no sense, or the socket has failed */
};

/**
 * struct relay
 * @channel: which works
 * @fd: stream socket, which does not block
 * @more: there is more to be done at once
 * @want: what poll() is to wait for at @fd, besides its end
 * @watch: is @fd of any interest?
 * @left: bytes of the guest's packet that were not passed on yet, from @at on
 * @guest_ended: the guest said that nothing more comes; the host's end was told
 * @host_ended: the host's end did
 * @told: and the guest was told
 * @deaf: the host's end takes nothing any more: what the guest says is thrown away
 * @heard: the guest has said something
 */
struct relay {
	struct ovid_channel *channel;
	int fd;
	bool more;
	bool watch;
	short want;
	uint32_t left, at;
	bool guest_ended;
	bool host_ended;
	bool told;
	bool deaf;
	bool heard;
};

void relay_init(struct relay *r, struct ovid_channel *channel, int fd);

/*
 * The guest has closed the channel: one more turn from it, for what it had said before.  True: the
 * host's end has all of that.  False: more is to be passed on, when @want or @more says so.
 */
bool relay_rest(struct relay *r, short events);

/* @events: what poll() has said of the socket */
enum relay_state relay_turn(struct relay *r, short events);

#endif
