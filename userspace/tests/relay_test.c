// SPDX-License-Identifier: GPL-2.0-only
/*
 * relay_test.c - the relay between a pair of sockets and rings in memory, whose other end is
 * a channel too: what is one's outgoing ring is the other's incoming one.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/libovid_priv.h"
#include "../worker/relay.h"
#include "tap.h"

struct world {
	uint8_t *out, *in;	/* rings towards the guest, towards the host */
	uint32_t bytes;
	struct ovid_channel host, guest;
	struct relay relay;
	int end;		/* the program's socket */
	bool guest_stops;	/* it takes no packets */
	uint64_t from_guest, from_host;		/* bytes that have come there */
	bool guest_heard_end, host_heard_end, wrong;
};

/* a shared page, the data, and the data again */
static uint8_t *make_ring(uint32_t bytes)
{
	int fd = memfd_create("ring", 0);
	uint8_t *at = mmap(NULL, 4096 + 2ul * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0 || ftruncate(fd, 4096 + bytes) ||
	    mmap(at, 4096 + bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != at ||
	    mmap(at + 4096 + bytes, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 4096) != at + 4096 + bytes)
		exit(1);
	close(fd);
	return at;
}

static void begin(struct world *w, uint32_t bytes)
{
	int pair[2];

	memset(w, 0, sizeof(*w));
	w->bytes = bytes;
	w->in = make_ring(bytes);
	w->out = make_ring(bytes);
	w->host.file = w->guest.file = w->host.signals = w->guest.signals = -1;
	if (ovid_lib_use_rings(&w->host, w->in, bytes, w->out, bytes) ||
	    ovid_lib_use_rings(&w->guest, w->out, bytes, w->in, bytes) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		exit(1);
	relay_init(&w->relay, &w->host, pair[0]);
	w->end = pair[1];
}

static void finish(struct world *w)
{
	close(w->relay.fd);
	if (w->end >= 0)
		close(w->end);
	munmap(w->in, 4096 + 2ul * w->bytes);
	munmap(w->out, 4096 + 2ul * w->bytes);
}

/* ---- the ends ---- */

/* byte number @n of what a side says */
static uint8_t byte_at(uint64_t n, bool guest)
{
	return (n * 2654435761u >> 13) + guest;
}

static void fill(uint8_t *buf, uint64_t from, size_t len, bool guest)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = byte_at(from + i, guest);
}

static bool same(const uint8_t *buf, uint64_t from, size_t len, bool guest)
{
	for (size_t i = 0; i < len; i++)
		if (buf[i] != byte_at(from + i, guest))
			return false;
	return true;
}

/* a packet as the guest writes it: false: there is no room */
static bool guest_packet(struct world *w, uint32_t type, uint32_t says, const void *buf, uint32_t len)
{
	const uint32_t head[2] = { type, says };
	const struct iovec vec[] = { { (void *)head, 8 }, { (void *)buf, len } };
	bool good;

	good = !ovid_channel_send(&w->guest, OVID_PACKET_DATA, 0, 0, vec, 2);
	ovid_channel_end(&w->guest, true);
	return good;
}

static bool guest_says(struct world *w, uint64_t *said, uint32_t len)
{
	uint8_t buf[RELAY_PACKET];

	fill(buf, *said, len, true);
	if (!guest_packet(w, 1, len, buf, len))
		return false;
	*said += len;
	return true;
}

static void guest_ends(struct world *w)
{
	w->wrong |= !guest_packet(w, 1, 0, NULL, 0);
}

static void guest_hears(struct world *w)
{
	struct ovid_channel_packet p;
	static uint8_t buf[65536];
	uint32_t head[2];

	ovid_channel_begin(&w->guest);
	while (!w->guest_stops && ovid_channel_recv(&w->guest, &p, buf, sizeof(buf)) >= 0) {
		memcpy(head, buf, 8);
		w->wrong |= p.type != OVID_PACKET_DATA || p.flags || head[0] != 1 ||
			    head[1] > RELAY_PACKET || head[1] + 8 > p.payload ||
			    p.payload > RELAY_PACKET + 8 || w->guest_heard_end ||
			    !same(buf + 8, w->from_host, head[1], false);
		w->from_host += head[1];
		w->guest_heard_end |= !head[1];
	}
	ovid_channel_end(&w->guest, true);
}

/* @max: bytes at most */
static void host_hears(struct world *w, size_t max)
{
	uint8_t buf[65536];
	ssize_t n;

	while (max && (n = recv(w->end, buf, max < sizeof(buf) ? max : sizeof(buf), 0)) >= 0) {
		w->host_heard_end |= !n;
		if (!n)
			return;
		w->wrong |= !same(buf, w->from_guest, n, true);
		w->from_guest += n;
		max -= n;
	}
}

static bool host_says(struct world *w, uint64_t *said, size_t len)
{
	uint8_t buf[65536];
	ssize_t n;

	fill(buf, *said, len, false);
	n = send(w->end, buf, len, MSG_NOSIGNAL);
	if (n > 0)
		*said += n;
	return n > 0;
}

/* turns as the worker does them, until nothing moves */
static enum relay_state run(struct world *w)
{
	struct pollfd p;
	enum relay_state state;
	unsigned int turns = 0;

	do {
		p = (struct pollfd){ .fd = w->relay.watch ? w->relay.fd : -1,
				     .events = w->relay.want };
		poll(&p, 1, 0);
		state = relay_turn(&w->relay, p.fd < 0 ? 0 : p.revents);
		w->wrong |= ++turns > 10000;
	} while (state == RELAY_GOES && w->relay.more && turns <= 10000);
	return state;
}

/* ---- cases ---- */

#define MUCH	(1u << 20)

/* both say much at once, in pieces of all sizes, and end */
static void both_ways(uint32_t bytes)
{
	uint64_t guest = 0, host = 0;
	enum relay_state state = RELAY_GOES;
	bool guest_ended = false, host_ended = false;
	struct world w;

	begin(&w, bytes);
	for (unsigned int i = 0; i < 100000 && state == RELAY_GOES; i++) {
		uint32_t len = 1 + i * 7919 % (bytes > 16384 ? 16384 : bytes - 64);

		if (guest < MUCH)
			guest_says(&w, &guest, len);
		else if (!guest_ended)
			guest_ends(&w), guest_ended = true;
		if (host < MUCH)
			host_says(&w, &host, 1 + i * 104729 % 60000);
		else if (!host_ended)
			host_ended = !shutdown(w.end, SHUT_WR);
		state = run(&w);
		guest_hears(&w);
		host_hears(&w, i % 3 ? 5000 : 100000);
	}
	guest_hears(&w);
	host_hears(&w, MUCH);
	CHECK(state == RELAY_DONE, "rings of %u: both ways come to their end", bytes);
	CHECK(w.from_guest == guest && guest >= MUCH, "the host has heard all of it");
	CHECK(w.from_host == host && host >= MUCH, "and so has the guest");
	CHECK(w.guest_heard_end && w.host_heard_end && !w.wrong, "and both of the end, nothing was wrong");
	finish(&w);
}

static void half_closed(void)
{
	uint64_t guest = 0, host = 0;
	struct world w;

	begin(&w, 8192);
	guest_says(&w, &guest, 100);
	guest_ends(&w);
	CHECK(run(&w) == RELAY_GOES, "the guest's end alone is not the end");
	host_hears(&w, 1000);
	CHECK(w.from_guest == 100 && w.host_heard_end, "the host has heard it");
	host_says(&w, &host, 5000);
	CHECK(run(&w) == RELAY_GOES, "the other way goes on");
	guest_hears(&w);
	CHECK(w.from_host == 5000 && !w.guest_heard_end, "the guest hears it");
	shutdown(w.end, SHUT_WR);
	CHECK(run(&w) == RELAY_DONE, "with the host's end it is over");
	guest_hears(&w);
	CHECK(w.guest_heard_end && !w.wrong, "and the guest knows");
	finish(&w);

	begin(&w, 8192);
	shutdown(w.end, SHUT_WR);
	CHECK(run(&w) == RELAY_GOES, "the host's end alone is not the end");
	guest_hears(&w);
	CHECK(w.guest_heard_end, "the guest has heard it");
	guest_says(&w, &guest, 100);
	CHECK(run(&w) == RELAY_GOES && !w.relay.want, "the other way goes on, there is nothing to wait for");
	guest_ends(&w);
	CHECK(run(&w) == RELAY_DONE, "with the guest's end it is over");
	finish(&w);
}

/* who takes nothing holds up the other, and nothing turns meanwhile */
static void held_up(void)
{
	uint64_t guest = 0, host = 0;
	struct world w;
	int n = 0;

	begin(&w, 8192);
	w.guest_stops = true;
	while (host_says(&w, &host, 4096) && ++n < 10000)
		run(&w);
	CHECK(n < 10000 && run(&w) == RELAY_GOES, "a guest that takes nothing holds up the host");
	CHECK(!w.relay.more && !w.relay.watch, "the socket is not looked at meanwhile");
	CHECK(w.out[12] | w.out[13] | w.out[14], "and the ring says that there is somebody who waits");
	close(w.end);
	w.end = -1;
	CHECK(run(&w) == RELAY_GOES && !w.relay.more, "though the host has gone");
	w.guest_stops = false;
	for (n = 0; n < 1000 && !w.guest_heard_end; n++) {
		guest_hears(&w);
		run(&w);
	}
	CHECK(w.from_host == host && w.guest_heard_end && !w.wrong, "all of it comes at last, and the end");
	run(&w);
	CHECK(run(&w) == RELAY_LINGERS, "who has said nothing may be late");
	guest_says(&w, &guest, 10);
	CHECK(run(&w) == RELAY_DONE, "what it says is the end: nobody hears it");
	finish(&w);

	guest = 0;

	begin(&w, 8192);
	for (n = 0; n < 10000 && guest_says(&w, &guest, 3000); n++)
		run(&w);
	CHECK(n < 10000 && w.relay.want == (POLLIN | POLLOUT), "a host that takes nothing holds up the guest");
	CHECK(!w.relay.more, "and nothing turns");
	CHECK(w.in[8] == 1, "the guest need not signal meanwhile");
	for (n = 0; n < 1000 && w.from_guest < guest; n++) {
		host_hears(&w, 1000);
		run(&w);
	}
	CHECK(w.from_guest == guest && !w.wrong, "it gets all of it at last");
	CHECK(!w.in[8] && w.relay.want == POLLIN, "and the guest signals again");
	finish(&w);
}

/* the guest has closed its channel, and what it has said is passed on */
static void rest(void)
{
	uint64_t guest = 0;
	struct world w;
	int n = 0;

	begin(&w, 8192);
	guest_says(&w, &guest, 100);
	guest_ends(&w);
	CHECK(relay_rest(&w.relay, 0), "what the guest has said last is passed on");
	host_hears(&w, 1000);
	CHECK(w.from_guest == 100 && w.host_heard_end && !w.wrong, "with its end");
	CHECK(relay_rest(&w.relay, 0), "nothing more is there");
	finish(&w);

	guest = 0;
	begin(&w, 8192);
	while (guest_says(&w, &guest, 3000) && ++n < 10000)
		run(&w);
	CHECK(!relay_rest(&w.relay, 0) && w.relay.want == POLLOUT && w.relay.watch,
	      "a host that takes nothing is waited for");
	for (n = 0; n < 1000 && !relay_rest(&w.relay, 0); n++)
		host_hears(&w, 1000);
	host_hears(&w, MUCH);
	CHECK(w.from_guest == guest && !w.wrong, "and gets all of it at last");
	finish(&w);

	guest = 0;
	begin(&w, 8192);
	for (n = 0; n < 10000 && guest_says(&w, &guest, 3000); n++)
		run(&w);
	close(w.end);
	w.end = -1;
	CHECK(relay_rest(&w.relay, POLLHUP), "one that is gone is not");
	finish(&w);
}

static void gone(void)
{
	uint64_t guest = 0;
	struct world w;

	begin(&w, 8192);
	close(w.end);
	w.end = -1;
	run(&w);
	CHECK(run(&w) == RELAY_LINGERS && !w.relay.watch, "a program that is gone need not be looked at");
	guest_hears(&w);
	CHECK(w.guest_heard_end, "as the guest hears");
	guest_ends(&w);
	CHECK(run(&w) == RELAY_DONE, "who ends it");
	finish(&w);

	/* ... with bytes that it has not read */
	begin(&w, 8192);
	guest_says(&w, &guest, 100);
	run(&w);
	close(w.end);
	w.end = -1;
	run(&w);
	CHECK(run(&w) == RELAY_DONE, "so is one that did not read all");
	finish(&w);

	/* it listens no more, but still says something */
	begin(&w, 8192);
	shutdown(w.end, SHUT_RD);
	for (int i = 0; i < 50; i++) {
		guest_says(&w, &guest, 3000);
		CHECK(run(&w) == RELAY_GOES || i, "one that does not listen");
	}
	CHECK(guest_says(&w, &guest, 3000), "does not hold the guest up");
	guest = 0;
	host_says(&w, &guest, 10);
	run(&w);
	guest_hears(&w);
	CHECK(w.from_host == 10, "and is heard");
	shutdown(w.end, SHUT_WR);
	run(&w);
	CHECK(run(&w) == RELAY_DONE, "until its end");
	finish(&w);
}

static void nonsense(void)
{
	static const struct { const char *what; uint32_t type, says, len; } cases[] = {
		{ "a header of another type", 2, 8, 8 },
		{ "more bytes than the packet has", 1, 100, 88 },
		{ "no bytes at all for many", 1, 8, 0 },
		{ "more than a packet may carry", 1, 16385, 16385 },
		{ "a length that goes round", 1, ~0u, 100 },
	};
	static uint8_t buf[20000];
	uint64_t guest = 0;
	struct world w;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&w, 32768);
		guest_packet(&w, cases[i].type, cases[i].says, buf, cases[i].len);
		CHECK(run(&w) == RELAY_BROKEN, "%s", cases[i].what);
		finish(&w);
	}

	begin(&w, 8192);
	ovid_channel_send(&w.guest, OVID_PACKET_DATA, 0, 0, &(struct iovec){ buf, 4 }, 1);
	ovid_channel_end(&w.guest, true);
	CHECK(run(&w) == RELAY_BROKEN, "no header");
	finish(&w);

	begin(&w, 8192);
	ovid_channel_send(&w.guest, OVID_PACKET_COMPLETION, 0, 0, &(struct iovec){ buf, 8 }, 1);
	ovid_channel_end(&w.guest, true);
	CHECK(run(&w) == RELAY_BROKEN, "a completion");
	finish(&w);

	begin(&w, 8192);
	guest_ends(&w);
	guest_says(&w, &guest, 10);
	run(&w);
	CHECK(run(&w) == RELAY_BROKEN, "words behind the end");
	finish(&w);

	begin(&w, 8192);
	*(uint32_t *)w.in = 5;
	CHECK(run(&w) == RELAY_BROKEN, "an index that cannot be");
	finish(&w);

	begin(&w, 8192);
	*(uint32_t *)(w.out + 4) = 12345678;
	send(w.end, buf, 10, 0);
	for (int i = 0; i < 3; i++)
		CHECK(run(&w) == RELAY_GOES && !w.relay.more, "an index for our ring that cannot be is no room");
	finish(&w);
}

int main(void)
{
	both_ways(4096);
	both_ways(20480);
	both_ways(262144);
	half_closed();
	held_up();
	rest();
	gone();
	nonsense();
	return tap_done();
}
