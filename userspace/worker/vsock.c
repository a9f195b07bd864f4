// SPDX-License-Identifier: GPL-2.0-only
/* vsock.c - see vsock.h. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connector.h"
#include "control.h"
#include "relay.h"
#include "vsock.h"

#define MAX_SOCKETS	256
#define ASK_NS		(10 * NSEC_PER_SEC)	/* for a program to say where it wants to go */
#define OPEN_NS		(5 * NSEC_PER_SEC)	/* for the guest to open what it was offered */
#define LINGER_NS	(30 * NSEC_PER_SEC)	/* for it to hear what a program has said that is gone */
#define OFFER_TRIES	8			/* of numbers for our end, which may be in use */

/* the ids of services that are ports: behind the port, these bytes */
static const u8 template[12] = {
	0xcb, 0xfa, 0xe6, 0x11, 0xbd, 0x58, 0x64, 0x00, 0x6a, 0x79, 0x86, 0xd3
};

enum state {
	FREE,
	ASKING,		/* a program has not said yet where it wants to go */
	OFFERED,	/* the guest has not opened it yet */
	JOINED,
};

/* a socket of the host's, and the channel that is the guest's */
struct sock {
	enum state state;
	int fd;
	bool from_host;
	bool closes;		/* the guest has closed its channel */
	u32 port;		/* of our end, where the host connects */
	u64 deadline;		/* 0: none */
	struct ovid_channel *channel;
	struct relay relay;
	unsigned int len;
	char line[24];
};

enum { WISH, CONNECTS, LISTENER, SIGNALS, FIXED };

/**
 * struct vsock
 * @fixed: files: an eventfd, the main thread wants something; C, the guest's wishes; DIR/vsock; an
 *	eventfd, signals of all channels
 * @ends: the main thread wants the end; else that nothing is done between @halts and @goes_on
 * @used: no socket behind it is in use
 * @told: of a socket that we may not connect to: once is enough
 */
struct vsock {
	struct machine *m;
	pthread_t thread;
	_Atomic bool ends;
	sem_t halts, goes_on;
	int fixed[FIXED];
	int connector;
	unsigned int used;
	bool told;
	struct sock sock[MAX_SOCKETS];
	struct pollfd pfd[FIXED + 2 * MAX_SOCKETS];
};

bool vsock_parse(const char *line, u32 *port)
{
	unsigned long long n;
	char *end;

	if (strncasecmp(line, "CONNECT ", 8) || line[8] < '0' || line[8] > '9')
		return false;
	errno = 0;
	n = strtoull(line + 8, &end, 10);
	*port = n;
	return !errno && !*end && n <= ~0u;
}

/* ---- sockets ---- */

static struct sock *new_sock(struct vsock *v)
{
	for (unsigned int i = 0; i < MAX_SOCKETS; i++) {
		if (v->sock[i].state != FREE)
			continue;
		v->used = i >= v->used ? i + 1 : v->used;
		return &v->sock[i];
	}
	return NULL;
}

/* the guest is told, by the end of its channel */
static void end(struct vsock *v, struct sock *s)
{
	ovid_channel_close(s->channel);
	close(s->fd);
	s->channel = NULL;
	s->state = FREE;
	while (v->used && v->sock[v->used - 1].state == FREE)
		v->used--;
}

/*
 * QUIRK: without a monitor.  Who reads what is left in the ring of a socket whose channel was taken back
 * makes Linux 6.12 signal the number of none; a hypercall fails then, but for a monitor it sets that
 * bit, far outside of its page (seen in hibernation).
 */
static int offer(struct vsock *v, struct sock *s, const u8 *service, const u8 *endpoint)
{
	struct ovid_vmbus_offer arg = {
		.size = sizeof(arg), .offer_flags = OVID_OFFER_PIPE | OVID_OFFER_SOCKET,
	};
	int ret;

	memcpy(arg.type, service, sizeof(arg.type));
	memcpy(arg.instance, endpoint, sizeof(arg.instance));
	arg.user[4] = s->from_host;
	ret = ovid_channel_offer(v->m->part, &arg, v->fixed[SIGNALS], &s->channel);
	if (ret)
		return ret;
	s->state = OFFERED;
	s->deadline = host_ns() + OPEN_NS;
	return 0;
}

/* ---- the host connects ---- */

static void accept_program(struct vsock *v)
{
	struct sock *s = new_sock(v);
	int fd = control_accept(v->fixed[LISTENER], v->m->config->owner);

	if (fd < 0)
		return;
	if (!s) {
		close(fd);
		return;
	}
	*s = (struct sock){
		.state = ASKING, .fd = fd, .from_host = true, .deadline = host_ns() + ASK_NS,
	};
}

static void id_of_port(u32 port, u8 *id)
{
	memcpy(id, &port, sizeof(port));
	memcpy(id + sizeof(port), template, sizeof(template));
}

static int connect_to_guest(struct vsock *v, struct sock *s, u32 port)
{
	u8 service[16], endpoint[16];
	int ret = -EEXIST;

	id_of_port(port, service);
	for (unsigned int i = 0; ret == -EEXIST && i < OFFER_TRIES; i++) {
		if (getrandom(&s->port, sizeof(s->port), 0) != sizeof(s->port))
			return -EIO;
		id_of_port(s->port, endpoint);
		ret = offer(v, s, service, endpoint);
	}
	return ret;
}

/* what is behind the line is for the guest, and stays where it is */
static void read_line(struct vsock *v, struct sock *s)
{
	u32 port;
	ssize_t n;

	do {
		n = recv(s->fd, s->line + s->len, 1, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
	} while (n == 1 && s->line[s->len++] != '\n' && s->len < sizeof(s->line));
	if (n == 1 && s->line[s->len - 1] == '\n') {
		s->line[s->len - 1] = 0;
		if (vsock_parse(s->line, &port) && !connect_to_guest(v, s, port))
			return;
	}
	end(v, s);
}

/* ---- the guest connects ---- */

/* Who is to be told that the guest was refused, and cannot find out otherwise. */
static void note_refusal(struct vsock *v, u32 port, int err)
{
	if (err != -EACCES || v->told)
		return;
	v->told = true;
	machine_note(v->m, "vsock_%u: the worker's user may not connect to it; see --vsock in ovid(1)",
		     port);
}

/* 0, or a -errno that the guest is told */
static int connect_to_host(struct vsock *v, const struct ovid_socket_connect *c)
{
	struct sock *s = new_sock(v);
	u32 port;
	int ret;

	if (memcmp(c->service + sizeof(port), template, sizeof(template)))
		return -ECONNREFUSED;
	if (!s)
		return -ENOSPC;
	memcpy(&port, c->service, sizeof(port));
	ret = connector_connect(v->connector, port);
	if (ret < 0) {
		note_refusal(v, port, ret);
		return -ECONNREFUSED;
	}
	*s = (struct sock){ .fd = ret };
	ret = offer(v, s, c->service, c->endpoint);
	if (ret)
		end(v, s);
	return ret;
}

static void take_connects(struct vsock *v)
{
	int file = v->fixed[CONNECTS];
	struct ovid_socket_connect c;

	/* a guest that connects without end holds up nobody */
	for (unsigned int i = 0; i < OVID_MAX_CONNECTS && read(file, &c, sizeof(c)) == sizeof(c); i++)
		/* one that is gone needs no answer, and its channel has gone with it */
		vid_socket_reply(file, c.id, -connect_to_host(v, &c));
}

/* ---- both ---- */

static void say_ok(const struct sock *s)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "OK %u\n", s->port);

	/* into an empty socket; whoever is gone is noticed later */
	if (send(s->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

/* false: this one is over */
static bool on_event(struct sock *s, short events)
{
	struct ovid_channel_event event;
	int ret;

	/* behind an open there is the close, and when that is read the guest's last words are gone */
	s->closes = s->state == JOINED;
	if (s->closes && !relay_rest(&s->relay, events))
		return true;
	ret = ovid_channel_event(s->channel, &event);
	if (!ret)
		return true;
	if (ret < 0 || event.kind != OVID_CHANNEL_OPENED || s->state != OFFERED ||
	    ovid_channel_answer(s->channel, &event, 0))
		return false;
	s->state = JOINED;
	s->deadline = 0;
	relay_init(&s->relay, s->channel, s->fd);
	s->relay.more = true;
	if (s->from_host)
		say_ok(s);
	return true;
}

/* false: this one is over */
static bool relay(struct sock *s, short events)
{
	enum relay_state state = relay_turn(&s->relay, events);

	if (state == RELAY_LINGERS && !s->deadline)
		s->deadline = host_ns() + LINGER_NS;
	return state == RELAY_GOES || state == RELAY_LINGERS;
}

static void serve(struct vsock *v, struct sock *s, short events, bool channel, bool signalled)
{
	bool goes = true;

	if (s->state == ASKING && events)
		read_line(v, s);
	else if (s->state >= OFFERED && (channel || (s->closes && (events || s->relay.more))))
		goes = on_event(s, events);
	if (goes && s->state == JOINED && !s->closes && (events || signalled || s->relay.more))
		goes = relay(s, events);
	if (s->state != FREE && (!goes || (s->deadline && host_ns() >= s->deadline)))
		end(v, s);
}

static void watch(const struct sock *s, struct pollfd *fd, struct pollfd *channel)
{
	*fd = *channel = (struct pollfd){ .fd = -1 };
	if (s->state == ASKING)
		*fd = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	if (s->state == JOINED && s->relay.watch)
		*fd = (struct pollfd){ .fd = s->fd, .events = s->relay.want };
	if (s->state >= OFFERED && !s->closes)
		*channel = (struct pollfd){
			.fd = ovid_channel_file(s->channel), .events = POLLIN,
		};
}

/* when somebody is to be looked at, though nothing has happened; 0: never */
static u64 soonest(const struct vsock *v)
{
	u64 at = 0, when;

	for (unsigned int i = 0; i < v->used; i++) {
		const struct sock *s = &v->sock[i];

		when = s->state == FREE ? 0 : s->state == JOINED && s->relay.more ? 1 : s->deadline;
		if (when && (!at || when < at))
			at = when;
	}
	return at;
}

static void wait_files(struct vsock *v)
{
	const u64 at = soonest(v), now = at ? host_ns() : 0, left = at > now ? at - now : 0;
	const struct timespec t = { left / NSEC_PER_SEC, left % NSEC_PER_SEC };
	unsigned int nr = FIXED;

	for (unsigned int i = 0; i < FIXED; i++)
		v->pfd[i] = (struct pollfd){ .fd = v->fixed[i], .events = POLLIN };
	for (unsigned int i = 0; i < v->used; i++, nr += 2)
		watch(&v->sock[i], &v->pfd[nr], &v->pfd[nr + 1]);
	if (ppoll(v->pfd, nr, at ? &t : NULL, NULL) < 0)
		for (unsigned int i = 0; i < nr; i++)
			v->pfd[i].revents = 0;
}

static void turn(struct vsock *v)
{
	unsigned int used = v->used;	/* those that were waited for */
	bool signalled;
	u64 count;

	wait_files(v);
	signalled = v->pfd[SIGNALS].revents;
	/* before the look at the rings: what comes behind it is there the next time */
	if (signalled && read(v->fixed[SIGNALS], &count, sizeof(count)) < 0)
		count = 0;
	for (unsigned int i = 0; i < used; i++)
		if (v->sock[i].state != FREE)
			serve(v, &v->sock[i], v->pfd[FIXED + 2 * i].revents,
			      v->pfd[FIXED + 2 * i + 1].revents, signalled);
	if (v->pfd[CONNECTS].revents)
		take_connects(v);
	if (v->pfd[LISTENER].revents)
		accept_program(v);
}

/* ---- what the main thread wants ---- */

static void end_from(struct vsock *v, enum state least)
{
	for (unsigned int i = 0; i < MAX_SOCKETS; i++)
		if (v->sock[i].state >= least)
			end(v, &v->sock[i]);
}

static void refuse_connects(struct vsock *v)
{
	struct ovid_socket_connect c;

	while (read(v->fixed[CONNECTS], &c, sizeof(c)) == sizeof(c))
		vid_socket_reply(v->fixed[CONNECTS], c.id, ECONNREFUSED);
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) && errno == EINTR)
		;
}

/* A program that has not said where it wants to go may do so afterwards. */
static void halt(struct vsock *v)
{
	end_from(v, OFFERED);
	refuse_connects(v);
	sem_post(&v->halts);
	wait_for(&v->goes_on);
}

static void *vsock_main(void *arg)
{
	struct vsock *v = arg;
	u64 count;

	for (;;) {
		turn(v);
		if (!v->pfd[WISH].revents || read(v->fixed[WISH], &count, sizeof(count)) < 0)
			continue;
		if (v->ends)
			break;
		halt(v);
	}
	end_from(v, ASKING);
	return NULL;
}

static void wish(struct vsock *v)
{
	const u64 one = 1;

	/* fails only when the counter is full, and then it is awake */
	if (write(v->fixed[WISH], &one, sizeof(one)) < 0)
		return;
}

void vsock_halt(struct vsock *v)
{
	if (!v)
		return;
	wish(v);
	wait_for(&v->halts);
}

void vsock_go_on(struct vsock *v, int connects)
{
	if (!v)
		return;
	if (connects >= 0) {
		close(v->fixed[CONNECTS]);
		v->fixed[CONNECTS] = connects;
	}
	sem_post(&v->goes_on);
}

/* ---- life ---- */

/* a socket and a channel's file each, besides what VPs have */
static void want_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l))
		return;
	l.rlim_cur += min_u64(2 * MAX_SOCKETS, l.rlim_max - l.rlim_cur);
	/* with fewer, some are refused */
	setrlimit(RLIMIT_NOFILE, &l);
}

int vsock_connects(int part, struct failure *why)
{
	int file = vid_sockets(part);

	if (file < 0)
		return fail(why, OVID_X_HOST, "the module has no sockets for the guest: %s",
			    strerror(-file));
	fcntl(file, F_SETFL, O_NONBLOCK);
	return file;
}

static int open_files(struct vsock *v, struct failure *why)
{
	v->fixed[CONNECTS] = vsock_connects(v->m->part, why);
	if (v->fixed[CONNECTS] < 0)
		return v->fixed[CONNECTS];
	v->fixed[WISH] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	v->fixed[SIGNALS] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->fixed[WISH] < 0 || v->fixed[SIGNALS] < 0 || sem_init(&v->halts, 0, 0) ||
	    sem_init(&v->goes_on, 0, 0) || fcntl(v->fixed[LISTENER], F_SETFL, O_NONBLOCK))
		return fail(why, OVID_X_HOST, "cannot serve sockets: %s", strerror(errno));
	return 0;
}

int vsock_start(struct vsock **vsock, struct machine *m, int listener, int connector,
		struct failure *why)
{
	struct vsock *v = calloc(1, sizeof(*v));
	int ret;

	if (!v)
		return fail(why, OVID_X_HOST, "out of memory");
	want_files();
	v->m = m;
	v->connector = connector;
	v->fixed[LISTENER] = listener;
	ret = open_files(v, why);
	if (ret)
		return ret;
	ret = pthread_create(&v->thread, NULL, vsock_main, v);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot start a thread: %s", strerror(ret));
	*vsock = v;
	return 0;
}

void vsock_stop(struct vsock *v)
{
	if (!v)
		return;
	v->ends = true;
	wish(v);
	pthread_join(v->thread, NULL);
}
