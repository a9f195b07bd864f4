// SPDX-License-Identifier: GPL-2.0-only
/*
 * echo.c - see echo.h.  A packet for whose echo there is no room waits, and all that are
 * behind it: the guest finds its own ring full at last.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "echo.h"

struct echo {
	struct ovid_channel *channel;
	bool waiting;		/* @packet has to be sent */
	struct ovid_channel_packet packet;
	uint8_t buf[1 << 19];	/* what a packet can have */
};

/* false: there is no room, or the channel does not work any more */
static bool give_back(struct echo *e)
{
	bool wanted = e->packet.flags & OVID_PACKET_WANTS_COMPLETION;
	const struct iovec vec = { e->buf, e->packet.payload };
	int ret = ovid_channel_send(e->channel, wanted ? OVID_PACKET_COMPLETION : OVID_PACKET_DATA,
				    0, e->packet.trans_id, &vec, 1);

	e->waiting = ret == -EAGAIN;
	/* one for which the way back is too short is lost */
	return !ret || ret == -EMSGSIZE;
}

static bool turn(struct echo *e)
{
	struct ovid_channel *ch = e->channel;
	bool on;

	ovid_channel_begin(ch);
	do
		on = (e->waiting || ovid_channel_recv(ch, &e->packet, e->buf, sizeof(e->buf)) >= 0) &&
		     give_back(e);
	while (on);
	return ovid_channel_end(ch, !e->waiting);
}

static int on_event(struct echo *e, int (*refuse)(const struct ovid_channel_event *open))
{
	struct ovid_channel_event event;
	int ret = ovid_channel_event(e->channel, &event);

	if (ret <= 0)
		return ret;
	e->waiting = false;
	/* a guest that has closed it since, or whose rings make no sense, is no failure of ours */
	if (event.kind == OVID_CHANNEL_OPENED)
		ovid_channel_answer(e->channel, &event, refuse ? refuse(&event) : 0);
	return 0;
}

int echo_serve(struct ovid_channel *channel, int quit,
	       int (*refuse)(const struct ovid_channel_event *open))
{
	struct pollfd p[] = {
		{ .fd = quit, .events = POLLIN },
		{ .fd = ovid_channel_file(channel), .events = POLLIN },
		{ .fd = ovid_channel_signals(channel), .events = POLLIN },
	};
	struct echo *e = calloc(1, sizeof(*e));
	int ret = e ? 0 : -ENOMEM;
	bool more = false;

	if (e)
		e->channel = channel;
	while (!ret) {
		if (poll(p, 3, more ? 0 : -1) < 0 && errno != EINTR)
			ret = -errno;
		if (ret || p[0].revents)
			break;
		if (p[1].revents)
			ret = on_event(e, refuse);
		if (more || p[2].revents)
			more = turn(e);
	}
	free(e);
	return ret;
}
