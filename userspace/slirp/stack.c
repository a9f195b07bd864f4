// SPDX-License-Identifier: GPL-2.0-only
/*
 * stack.c - see stack.h.  Whatever the guest does, no more waits for it than is in one buffer: who
 * sends to it is not read from meanwhile.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../../uapi/ovid_net.h"
#include "frames.h"
#include "stack.h"

#define TIMERS		4	/* the library has one, for router advertisements */
#define READS		4	/* of what the guest has sent, in a turn */

/* addresses of the guest's network: the rest of it is as the user says */
#define HOST_NR		2
#define NAMESERVER_NR	3
#define FIRST_GUEST_NR	15

enum { ORDERS, FILES, FIXED };

/* @at: ms; 0: it does not run */
struct timer {
	bool used;
	SlirpTimerId id;
	void *opaque;
	int64_t at;
};

struct stack {
	Slirp *slirp;
	int file;		/* -1: none */
	struct frames in, out;
	struct timer timer[TIMERS];
	struct pollfd *pfd;
	unsigned int nr, room;
};

/* ---- what the library asks for ---- */

static ssize_t send_packet(const void *frame, size_t len, void *opaque)
{
	struct stack *s = opaque;

	/* no room, or nobody there: it is lost, and its sender finds out */
	if (s->file >= 0)
		frames_add(&s->out, frame, len);
	return len;
}

static void guest_error(const char *msg, void *opaque)
{
	(void)msg;
	(void)opaque;
}

static int64_t clock_ns(void *opaque)
{
	struct timespec t;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void *timer_new(SlirpTimerId id, void *cb_opaque, void *opaque)
{
	struct stack *s = opaque;

	for (unsigned int i = 0; i < TIMERS; i++) {
		if (s->timer[i].used)
			continue;
		s->timer[i] = (struct timer){ .used = true, .id = id, .opaque = cb_opaque };
		return &s->timer[i];
	}
	return NULL;
}

static void timer_free(void *timer, void *opaque)
{
	(void)opaque;
	if (timer)
		((struct timer *)timer)->used = false;
}

static void timer_mod(void *timer, int64_t at, void *opaque)
{
	(void)opaque;
	if (timer)
		((struct timer *)timer)->at = at;
}

static void no_file(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new_opaque = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = no_file,
	.unregister_poll_fd = no_file,
	.notify = notify,
};

/* ---- making one ---- */

static struct in_addr address(const struct slirp_config *c, u32 nr)
{
	return (struct in_addr){ c->net | htonl(nr) };
}

static Slirp *new_slirp(const struct slirp_config *c, struct stack *s)
{
	SlirpConfig config = {
		.version = 4,
		.restricted = c->restricted,
		.in_enabled = true,
		.vnetwork = { c->net },
		.vnetmask = { c->mask },
		.vhost = address(c, HOST_NR),
		.vdhcp_start = address(c, FIRST_GUEST_NR),
		.vnameserver = address(c, NAMESERVER_NR),
		.in6_enabled = true,
		.vprefix_len = 64,
		.vhostname = *c->host_name ? c->host_name : NULL,
		.if_mtu = c->mtu,
		.if_mru = c->mtu,
	};

	inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &config.vhost6);
	inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
	return slirp_new(&config, &callbacks, s);
}

int stack_create(struct stack **stack, const struct slirp_config *config, struct failure *why)
{
	struct stack *s = calloc(1, sizeof(*s));
	int ret = 0;

	if (!s)
		return fail(why, OVID_X_HOST, "out of memory");
	s->file = -1;
	if (frames_init(&s->in, FRAMES_READ) || frames_init(&s->out, FRAMES_WRITE))
		ret = fail(why, OVID_X_HOST, "out of memory");
	if (!ret)
		s->slirp = new_slirp(config, s);
	if (!ret && !s->slirp)
		ret = fail(why, OVID_X_HOST, "libslirp does not take the card's configuration");
	for (unsigned int i = 0; i < config->nr_forwards && !ret; i++)
		ret = stack_forward(s, &config->forward[i], why);
	if (ret)
		stack_destroy(s);
	else
		*stack = s;
	return ret;
}

void stack_destroy(struct stack *s)
{
	if (s->slirp)
		slirp_cleanup(s->slirp);
	stack_file(s, -1);
	frames_free(&s->in);
	frames_free(&s->out);
	free(s->pfd);
	free(s);
}

void stack_file(struct stack *s, int file)
{
	if (s->file >= 0)
		close(s->file);
	s->file = file;
	s->out.at = s->out.end = 0;
	if (file >= 0)
		fcntl(file, F_SETFL, O_NONBLOCK);
}

/* ---- ports ---- */

static const char *shown(const struct slirp_forward *f, char *buf, size_t len)
{
	char host[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, &f->host, host, sizeof(host));
	snprintf(buf, len, "%s:%s:%u", f->udp ? "udp" : "tcp", host, f->host_port);
	return buf;
}

int stack_forward(struct stack *s, const struct slirp_forward *f, struct failure *why)
{
	const struct in_addr host = { f->host }, guest = { f->guest };
	char buf[48];

	errno = 0;
	if (!slirp_add_hostfwd(s->slirp, f->udp, host, f->host_port, guest, f->guest_port))
		return 0;
	return fail(why, OVID_X_USAGE, "hostfwd=%s: %s", shown(f, buf, sizeof(buf)),
		    errno == EADDRINUSE ? "another program has that port; give another one" :
		    errno == EACCES ? "ports below 1024 are for root" :
		    errno == EADDRNOTAVAIL ? "this host has no such address" :
		    errno ? strerror(errno) : "the guest's network has no such address");
}

int stack_unforward(struct stack *s, const struct slirp_forward *f, struct failure *why)
{
	char buf[48];

	if (!slirp_remove_hostfwd(s->slirp, f->udp, (struct in_addr){ f->host }, f->host_port))
		return 0;
	return fail(why, OVID_X_USAGE, "hostfwd=%s: there is none", shown(f, buf, sizeof(buf)));
}

/* ---- a turn ---- */

static int more_files(struct stack *s)
{
	unsigned int room = 2 * s->room + 64;
	struct pollfd *pfd = reallocarray(s->pfd, room, sizeof(*pfd));

	if (!pfd)
		return -1;
	s->pfd = pfd;
	s->room = room;
	return 0;
}

static const struct {
	int slirp;
	short poll;
} bits[] = {
	{ SLIRP_POLL_IN, POLLIN }, { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

static int add_poll(int fd, int events, void *opaque)
{
	struct stack *s = opaque;
	short want = 0;

	/* one that is not waited for is looked at as if nothing had happened */
	if (s->nr == s->room && more_files(s))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		want |= events & bits[i].slirp ? bits[i].poll : 0;
	s->pfd[s->nr] = (struct pollfd){ .fd = fd, .events = want };
	return s->nr++;
}

static int get_revents(int at, void *opaque)
{
	struct stack *s = opaque;
	int events = 0;

	if (at < 0 || (unsigned int)at >= s->nr)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		events |= s->pfd[at].revents & bits[i].poll ? bits[i].slirp : 0;
	return events;
}

/* ms until the first timer, at most @most */
static u32 soonest(const struct stack *s, u32 most)
{
	int64_t now = clock_ns(NULL) / 1000000, left;

	for (unsigned int i = 0; i < TIMERS; i++) {
		if (!s->timer[i].used || !s->timer[i].at)
			continue;
		left = s->timer[i].at - now;
		most = left <= 0 ? 0 : min_u64(left, most);
	}
	return most;
}

static void run_timers(struct stack *s)
{
	int64_t now = clock_ns(NULL) / 1000000;

	for (unsigned int i = 0; i < TIMERS; i++) {
		struct timer *t = &s->timer[i];

		if (!t->used || !t->at || t->at > now)
			continue;
		t->at = 0;
		slirp_handle_timer(s->slirp, t->id, t->opaque);
	}
}

static void file_result(struct stack *s, int err)
{
	static const int harmless[] = { 0, -EAGAIN, -EINTR, -EMSGSIZE, -EINVAL, -ENOMEM, -ENOBUFS };

	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (err == harmless[i])
			return;
	/* the channel has gone, or has another end: until there is another file the guest is nowhere */
	stack_file(s, -1);
}

static void from_guest(struct stack *s)
{
	const u8 *frame;
	size_t len;
	int err = 0;

	for (unsigned int i = 0; i < READS && !err; i++) {
		err = frames_read(&s->in, s->file);
		while (!err && frames_next(&s->in, &frame, &len))
			slirp_input(s->slirp, frame, len);
	}
	file_result(s, err);
}

static void to_guest(struct stack *s)
{
	if (s->file >= 0 && frames_left(&s->out))
		file_result(s, frames_write(&s->out, s->file));
}

/* who has half of the buffer waiting takes what others send when it has taken that */
static bool is_full(const struct stack *s)
{
	return frames_left(&s->out) > FRAMES_WRITE / 2;
}

static void wait_files(struct stack *s, int orders, bool full)
{
	u32 ms = UINT32_MAX;

	s->nr = 0;
	add_poll(orders, SLIRP_POLL_IN, s);
	add_poll(s->file, SLIRP_POLL_IN | (frames_left(&s->out) ? SLIRP_POLL_OUT : 0), s);
	if (!full)
		slirp_pollfds_fill(s->slirp, &ms, add_poll, s);
	ms = soonest(s, ms);
	if (poll(s->pfd, s->nr, ms > INT32_MAX ? -1 : (int)ms) < 0)
		for (unsigned int i = 0; i < s->nr; i++)
			s->pfd[i].revents = 0;
}

bool stack_turn(struct stack *s, int orders)
{
	bool full = is_full(s), ordered;

	if (s->room < FIXED && more_files(s))
		return true;
	wait_files(s, orders, full);
	ordered = s->pfd[ORDERS].revents;
	run_timers(s);
	if (!full)
		slirp_pollfds_poll(s->slirp, 0, get_revents, s);
	if (s->file >= 0 && s->pfd[FILES].revents & ~POLLOUT)
		from_guest(s);
	to_guest(s);
	return ordered;
}
