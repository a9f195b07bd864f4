// SPDX-License-Identifier: GPL-2.0-only
/* relay.c - see relay.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "relay.h"

#define TURN_BYTES	(4 * RELAY_PACKET)	/* each way, then others have their turn */
#define LEAST_ROOM	1024u			/* less is not worth a packet */
#define END_BYTES	32u			/* the packet that says the end, in the ring */

/* in front of each packet's bytes */
struct head {
	uint32_t type;		/* TYPE_DATA */
	uint32_t bytes;		/* 0: nothing more comes */
};
#define TYPE_DATA	1

void relay_init(struct relay *r, struct ovid_channel *channel, int fd)
{
	memset(r, 0, sizeof(*r));
	r->channel = channel;
	r->fd = fd;
}

/* ---- from the guest ---- */

/* 1: @r->left bytes are to be passed on; 0: nothing is there; -1: it makes no sense */
static int next_packet(struct relay *r)
{
	struct ovid_channel_packet p;
	struct head head;
	int ret = ovid_channel_peek(r->channel, &p);

	if (ret <= 0)
		return ret;
	if (p.type != OVID_PACKET_DATA || r->guest_ended ||
	    !ovid_channel_copy(r->channel, p.header, &head, sizeof(head)) ||
	    head.type != TYPE_DATA || head.bytes > RELAY_PACKET ||
	    head.bytes > p.payload - sizeof(head))
		return -1;
	r->heard = true;
	if (!head.bytes) {
		ovid_channel_pop(r->channel);
		r->guest_ended = true;
		shutdown(r->fd, SHUT_WR);
		return 0;
	}
	r->left = head.bytes;
	r->at = p.header + sizeof(head);
	return 1;
}

/* bytes that the host's end has taken; 0: not now; -1: it has failed */
static ssize_t pass(struct relay *r, const void *buf, uint32_t len)
{
	ssize_t n = r->deaf ? (ssize_t)len : send(r->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	if (errno != EPIPE && errno != ECONNRESET)
		return -1;
	r->deaf = true;
	return len;
}

/* false: broken */
static bool from_guest(struct relay *r)
{
	uint8_t buf[RELAY_PACKET];
	uint32_t done = 0;
	ssize_t n;
	int ret;

	while (done < TURN_BYTES) {
		ret = r->left ? 1 : next_packet(r);
		if (ret <= 0)
			return !ret;
		if (!ovid_channel_copy(r->channel, r->at, buf, r->left))
			return false;
		n = pass(r, buf, r->left);
		if (n <= 0) {
			r->want |= POLLOUT;
			return !n;
		}
		r->at += n;
		r->left -= n;
		done += n;
		if (!r->left)
			ovid_channel_pop(r->channel);
	}
	r->more = true;
	return true;
}

/* ---- from the host ---- */

static bool put(struct relay *r, const void *bytes, uint32_t len)
{
	struct head head = { TYPE_DATA, len };
	const struct iovec vec[] = { { &head, sizeof(head) }, { (void *)bytes, len } };

	return !ovid_channel_send(r->channel, OVID_PACKET_DATA, 0, 0, vec, 2);
}

/* bytes that the guest's ring takes; room for the end is kept.  0: it has to make some first */
static uint32_t room(struct relay *r)
{
	uint32_t bytes = ovid_channel_room(r->channel);
	const uint32_t besides = sizeof(struct head) + END_BYTES;

	if (bytes < LEAST_ROOM + besides) {
		ovid_channel_want_room(r->channel, LEAST_ROOM + besides);
		return 0;
	}
	bytes -= besides;
	return bytes < RELAY_PACKET ? bytes : RELAY_PACKET;
}

/* false: broken */
static bool from_host(struct relay *r)
{
	uint8_t buf[RELAY_PACKET];
	uint32_t done = 0, bytes;
	ssize_t n;

	while (!r->host_ended && done < TURN_BYTES) {
		bytes = room(r);
		if (!bytes)
			return true;
		n = recv(r->fd, buf, bytes, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			r->want |= POLLIN;
			return true;
		}
		/* reset: it has left with bytes of ours unread */
		if (n < 0 && errno != ECONNRESET)
			return false;
		r->host_ended = n <= 0;
		r->deaf |= n < 0;
		if (n > 0 && !put(r, buf, n))
			return false;
		done += n > 0 ? n : 0;
	}
	if (!r->host_ended)
		r->more = true;
	else if (!r->told)
		r->told = put(r, NULL, 0);
	return !r->host_ended || r->told;
}

/* ---- both ---- */

/* both of its ways are shut: nobody is there */
static void look_at(struct relay *r, short events)
{
	if (events & (POLLHUP | POLLERR))
		r->deaf = true;
}

bool relay_rest(struct relay *r, short events)
{
	bool good;

	look_at(r, events);
	r->more = false;
	r->want = 0;
	ovid_channel_begin(r->channel);
	good = from_guest(r);
	ovid_channel_end(r->channel, false);
	r->watch = true;
	return !good || (!r->left && !r->more);
}

enum relay_state relay_turn(struct relay *r, short events)
{
	bool good;

	look_at(r, events);
	r->more = false;
	r->want = 0;
	ovid_channel_begin(r->channel);
	good = from_guest(r) && from_host(r);
	/* a guest whose packet waits for the host's end need not say that there are more */
	if (ovid_channel_end(r->channel, !r->left))
		r->more = true;
	/* poll() tells of a socket's end again and again: not while we cannot go on anyway */
	r->watch = r->want || (r->host_ended && !r->deaf);
	if (!good || !ovid_channel_works(r->channel))
		return RELAY_BROKEN;
	if (!r->told || !(r->guest_ended || r->deaf))
		return RELAY_GOES;
	/*
	 * QUIRK: Linux that is in the middle of its open, and sees the channel taken back, drops the
	 * connection with all that was said (seen with a host that answers and closes at once).  Who
	 * has said something is not there any more.
	 */
	return r->guest_ended || r->heard ? RELAY_DONE : RELAY_LINGERS;
}
