// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsock.c - both ends of sockets between a stock guest and its host, which `ovid run --vsock DIR`
 * joins, or --vsock-cid CID.
 *
 *	vsock host DIR		in the host: serves DIR/vsock_N, until the guest says that it is done
 *	vsock host CID		the same by AF_VSOCK, for the guest that is CID
 *	vsock guest		in the guest: tries all, and says so in lines that begin with VSOCK.  Then
 *				there is /tmp/stays, and a connection that stays until the guest is
 *				reset; or, after that, /tmp/ends
 *	vsock moved ROUNDS	in the guest: "VSOCK busy N" when it waits to be moved, with a connection
 *				each way that both ends use; then it tries that sockets work.  In the
 *				last round it may be moved on and on until there is DIR/still.  Then
 *				/tmp/ends
 *
 * What one end says is a pattern that the other one checks, byte by byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

/* ports of the host */
enum {
	P_EXCHANGE = 1000,	/* both say MUCH at once, and end */
	P_AFTER,		/* says how much it heard when the guest has ended */
	P_BEFORE,		/* ends at once, and hears what the guest says */
	P_GONE,			/* accepts and goes */
	P_ECHO,
	P_DEAF,			/* takes nothing, until it is told by P_RELEASE */
	P_RELEASE,
	P_BACK,			/* connects to the guest, and says how it was */
	P_BOOT,			/* says how often it was asked */
	P_STAYS,		/* hears nothing but the end */
	P_BUSY,			/* says and hears much, until it is broken off; connects back for more */
	P_STILL,		/* says whether the guest is not moved any more */
	P_END,
	P_LAST,
	P_NOBODY = 1099,
};
/* ports of the guest */
enum { G_EXCHANGE = 2000, G_BUSY, G_NOBODY = 2099 };

#define MUCH	(1u << 20)
#define MANY	50		/* connects in a row */
#define AT_ONCE	60
#define SOME	(64u << 10)	/* of what a busy connection carries */
#define TRIES	200		/* of a guest that is moved meanwhile */

static const char *folder;
static unsigned int cid;	/* 0: by Unix sockets in @folder */
static const char *who = "VSOCK";

static bool report(bool good, const char *fmt, ...)
{
	char text[200];
	va_list ap;
	int err = errno;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (good)
		printf("%s ok %s\n", who, text);
	else
		printf("%s failed %s (%s)\n", who, text, strerror(err));
	fflush(stdout);
	return good;
}

/* ---- what is said ---- */

static uint8_t byte_at(uint32_t n, bool guest)
{
	return (n * 2654435761u >> 13) + guest;
}

struct saying {
	int fd;
	bool guest;
	uint32_t bytes;
};

static bool say(int fd, bool guest, uint32_t bytes)
{
	uint8_t buf[10000];
	uint32_t done = 0;

	while (done < bytes) {
		uint32_t len = 1 + done % sizeof(buf);
		ssize_t n;

		len = len < bytes - done ? len : bytes - done;
		for (uint32_t i = 0; i < len; i++)
			buf[i] = byte_at(done + i, guest);
		n = send(fd, buf, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

static void *say_all(void *arg)
{
	struct saying *s = arg;

	if (say(s->fd, s->guest, s->bytes))
		shutdown(s->fd, SHUT_WR);
	return NULL;
}

/* from byte @done on, until the other's end, or @max: bytes, or -1; EBADMSG: they were wrong */
static int64_t hear_on(int fd, bool guest, uint32_t done, uint32_t max)
{
	uint8_t buf[8192];
	ssize_t n;

	while (done < max) {
		n = recv(fd, buf, sizeof(buf) < max - done ? sizeof(buf) : max - done, 0);
		if (n < 0)
			return -1;
		if (!n)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != byte_at(done + i, guest)) {
				errno = EBADMSG;
				return -1;
			}
		done += n;
	}
	return done;
}

static int64_t hear(int fd, bool guest, uint32_t max)
{
	return hear_on(fd, guest, 0, max);
}

/* both ways at once, each to its end */
static bool exchange(int fd, bool guest)
{
	struct saying s = { fd, guest, MUCH };
	pthread_t thread;
	int64_t heard;

	pthread_create(&thread, NULL, say_all, &s);
	heard = hear(fd, !guest, ~0u);
	pthread_join(thread, NULL);
	return heard == MUCH;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void add(int *count)
{
	pthread_mutex_lock(&lock);
	++*count;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void wait_for(const int *count, int n)
{
	pthread_mutex_lock(&lock);
	while (*count < n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static int carried, broken;	/* connections that were of use; that ended as they should */

/* both ways without end, until somebody breaks it off */
static void busy(int fd, bool guest)
{
	struct saying s = { fd, guest, ~0u };
	pthread_t thread;
	int64_t heard;

	pthread_create(&thread, NULL, say_all, &s);
	heard = hear(fd, !guest, SOME);
	if (heard == SOME) {
		add(&carried);
		heard = hear_on(fd, !guest, SOME, ~0u);
	}
	/* a reset: it had not heard all */
	report(heard < 0 ? errno == ECONNRESET : heard >= SOME,
	       "a connection was right until it was broken off");
	shutdown(fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	add(&broken);
}

/* ---- the host ---- */

static int released, over, boots;

static int unix_socket(struct sockaddr_un *sa, const char *name)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(sa->sun_path, sizeof(sa->sun_path), "%s/%s", folder, name);
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int vm_socket(struct sockaddr_vm *sa, unsigned int to, unsigned int port)
{
	*sa = (struct sockaddr_vm){ .svm_family = AF_VSOCK, .svm_cid = to, .svm_port = port };
	return socket(AF_VSOCK, SOCK_STREAM, 0);
}

/* @seconds: the machine around us is slow; 0: what Linux takes for itself */
static int vm_connect(unsigned int to, unsigned int port, unsigned int seconds)
{
	struct timeval limit = { seconds, 0 };
	struct sockaddr_vm sa;
	int fd = vm_socket(&sa, to, port);

	if (seconds)
		setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	close(fd);
	return -1;
}

static int vm_listen(unsigned int port)
{
	struct sockaddr_vm sa;
	int fd = vm_socket(&sa, VMADDR_CID_ANY, port);

	return bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 100) ? -1 : fd;
}

/* where the host listens at its port; -1 */
static int host_listen(unsigned int port)
{
	struct sockaddr_un sa;
	char name[32];
	int fd;

	if (cid)
		return vm_listen(port);
	snprintf(name, sizeof(name), "vsock_%u", port);
	fd = unix_socket(&sa, name);
	return bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || chmod(sa.sun_path, 0666) ||
	       listen(fd, 100) ? -1 : fd;
}

/* it is who it should be */
static bool is_guest(int fd)
{
	struct sockaddr_vm sa;
	socklen_t len = sizeof(sa);

	return !cid || (!getpeername(fd, (struct sockaddr *)&sa, &len) && sa.svm_cid == cid);
}

/* the guest was reset: AF_VSOCK tells that from an end */
static bool broken_off(int fd)
{
	char c;

	return cid ? recv(fd, &c, 1, 0) < 0 && errno == ECONNRESET : recv(fd, &c, 1, 0) == 0;
}

/* a socket to the guest's port by DIR/vsock; -1: there was no OK */
static int unix_to_guest(unsigned int port)
{
	char line[64] = "";
	struct sockaddr_un sa;
	int fd = unix_socket(&sa, "vsock");

	snprintf(line, sizeof(line), "CONNECT %u\n", port);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    send(fd, line, strlen(line), MSG_NOSIGNAL) < 0) {
		close(fd);
		return -1;
	}
	memset(line, 0, sizeof(line));
	for (size_t i = 0; i < sizeof(line) - 1 && !strchr(line, '\n'); i++)
		if (recv(fd, line + i, 1, 0) != 1)
			break;
	if (strncmp(line, "OK ", 3) || !strchr(line, '\n')) {
		close(fd);
		return -1;
	}
	return fd;
}

static int to_guest(unsigned int port)
{
	return cid ? vm_connect(cid, port, port == G_NOBODY ? 0 : 30) : unix_to_guest(port);
}

static void back(int fd)
{
	char answer[64];
	int good = 0, refused = 0, c;

	for (int i = 0; i < 3; i++) {
		c = to_guest(G_EXCHANGE);
		good += c >= 0 && exchange(c, false);
		if (c >= 0)
			close(c);
	}
	c = to_guest(G_NOBODY);
	refused = c < 0;
	if (c >= 0)
		close(c);
	snprintf(answer, sizeof(answer), "exchanged %d refused %d", good, refused);
	send(fd, answer, strlen(answer), MSG_NOSIGNAL);
}

static void echo(int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (send(fd, buf, n, MSG_NOSIGNAL) != n)
			break;
}

static void after(int fd)
{
	char text[64];
	int64_t n = hear(fd, true, ~0u);

	snprintf(text, sizeof(text), "heard %lld", (long long)n);
	send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void say_boot(int fd)
{
	char text[32];

	pthread_mutex_lock(&lock);
	snprintf(text, sizeof(text), "boot %d", ++boots);
	pthread_mutex_unlock(&lock);
	send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void say_still(int fd)
{
	char name[100];

	snprintf(name, sizeof(name), "%s/still", folder);
	send(fd, access(name, F_OK) ? "n" : "y", 1, MSG_NOSIGNAL);
}

static void *busy_back(void *arg)
{
	int fd = to_guest(G_BUSY);

	(void)arg;
	if (report(fd >= 0, "the host connects to a guest that is to be moved"))
		busy(fd, false);
	close(fd);
	return NULL;
}

static void busy_both(int fd)
{
	pthread_t thread;

	pthread_create(&thread, NULL, busy_back, NULL);
	busy(fd, false);
	pthread_join(thread, NULL);
}

struct guest {
	int fd, port;
};

static void *serve(void *arg)
{
	struct guest *g = arg;

	switch (g->port) {
	case P_EXCHANGE:
		report(exchange(g->fd, false), "the host hears all that the guest says");
		break;
	case P_AFTER:	after(g->fd); break;
	case P_BEFORE:
		shutdown(g->fd, SHUT_WR);
		report(hear(g->fd, true, ~0u) == MUCH, "the host hears, though it says nothing");
		break;
	case P_ECHO:	echo(g->fd); break;
	case P_DEAF:	wait_for(&released, 1); break;
	case P_RELEASE:	add(&released); break;
	case P_BACK:	back(g->fd); break;
	case P_BOOT:
		report(is_guest(g->fd), "the guest is who it is");
		say_boot(g->fd);
		break;
	case P_STAYS:
		report(broken_off(g->fd), "the host hears that the guest was reset");
		break;
	case P_BUSY:	busy_both(g->fd); break;
	case P_STILL:	say_still(g->fd); break;
	case P_END:	add(&over); break;
	}
	close(g->fd);
	free(g);
	return NULL;
}

static int host(void)
{
	struct pollfd p[P_LAST - P_EXCHANGE];

	for (int i = 0; i < P_LAST - P_EXCHANGE; i++) {
		p[i] = (struct pollfd){ .fd = host_listen(P_EXCHANGE + i), .events = POLLIN };
		if (p[i].fd < 0) {
			perror("listen");
			return 1;
		}
	}
	/* all of them listen */
	printf("%s ready\n", who);
	fflush(stdout);
	while (!over && poll(p, P_LAST - P_EXCHANGE, 200) >= 0)
		for (int i = 0; i < P_LAST - P_EXCHANGE; i++) {
			struct guest *g;
			pthread_t thread;

			if (!p[i].revents)
				continue;
			g = malloc(sizeof(*g));
			*g = (struct guest){ accept(p[i].fd, NULL, NULL), P_EXCHANGE + i };
			pthread_create(&thread, NULL, serve, g);
			pthread_detach(thread);
		}
	return 0;
}

/* ---- the guest ---- */

static int to_host(unsigned int port)
{
	return vm_connect(VMADDR_CID_HOST, port, port == P_NOBODY ? 0 : port == P_STILL ? 3 : 30);
}

/* a socket that is there, and the job that is done with it */
static bool with(unsigned int port, bool (*job)(int fd))
{
	int fd = to_host(port);
	bool good = fd >= 0 && job(fd);

	if (fd >= 0)
		close(fd);
	return good;
}

static unsigned int devices(void)
{
	glob_t g = { 0 };
	unsigned int n = glob("/sys/bus/vmbus/devices/*", 0, NULL, &g) ? 0 : g.gl_pathc;

	globfree(&g);
	return n;
}

/* the host takes a channel back when both have ended, or gives up what nobody opens */
static bool devices_are(unsigned int n)
{
	for (int i = 0; i < 600 && devices() != n; i++)
		usleep(100000);
	if (devices() != n)
		printf("VSOCK devices %u, not %u\n", devices(), n);
	return devices() == n;
}

static bool guest_exchange(int fd)
{
	return exchange(fd, true);
}

static bool heard(int fd, const char *what)
{
	char text[64] = "";
	size_t at = 0;
	ssize_t n;

	while (at < sizeof(text) - 1 && (n = recv(fd, text + at, sizeof(text) - 1 - at, 0)) > 0)
		at += n;
	if (strcmp(text, what))
		printf("VSOCK heard '%s', not '%s'\n", text, what);
	return !strcmp(text, what);
}

static bool ends_first(int fd)
{
	return say(fd, true, 300000) && !shutdown(fd, SHUT_WR) && heard(fd, "heard 300000");
}

static bool ends_last(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0 && say(fd, true, MUCH);
}

static bool meets_nobody(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) <= 0;
}

static bool small_talk(int fd)
{
	char text[6] = "";

	return send(fd, "hello", 5, MSG_NOSIGNAL) == 5 && recv(fd, text, 5, MSG_WAITALL) == 5 &&
	       !strcmp(text, "hello");
}

/* fills what there is of space, while nobody takes it: others are not held up */
static bool deaf(int fd)
{
	uint8_t buf[4096] = { 0 };
	size_t n = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (int quiet = 0; quiet < 10 && n < 64u << 20;) {
		ssize_t ret = send(fd, buf, sizeof(buf), MSG_NOSIGNAL);

		n += ret > 0 ? ret : 0;
		quiet = ret > 0 ? 0 : quiet + 1;
		if (ret < 0)
			usleep(20000);
	}
	return n < 64u << 20 && with(P_EXCHANGE, guest_exchange);
}

static bool many(void)
{
	int n = 0;

	while (n < MANY && with(P_ECHO, small_talk))
		n++;
	return n == MANY;
}

static bool at_once(void)
{
	int fd[AT_ONCE], good = 0;

	for (int i = 0; i < AT_ONCE; i++)
		fd[i] = to_host(P_ECHO);
	for (int i = AT_ONCE; i--;)
		good += fd[i] >= 0 && small_talk(fd[i]);
	for (int i = 0; i < AT_ONCE; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return good == AT_ONCE;
}

static void *listener(void *arg)
{
	int at = *(int *)arg;

	for (int fd; (fd = accept(at, NULL, NULL)) >= 0; close(fd))
		report(exchange(fd, true), "the guest hears the host that has connected to it");
	return NULL;
}

static bool told_back(int fd)
{
	return heard(fd, "exchanged 3 refused 1");
}

static bool host_connects(void)
{
	pthread_t thread;
	int at = vm_listen(G_EXCHANGE);

	if (at < 0)
		return false;
	pthread_create(&thread, NULL, listener, &at);
	return with(P_BACK, told_back);
}

static bool second;

static bool boot(int fd)
{
	char text[16] = "";

	if (recv(fd, text, sizeof(text) - 1, 0) <= 0)
		return false;
	second = strcmp(text, "boot 1");
	return !second || !strcmp(text, "boot 2");
}

static bool nobody(void)
{
	return to_host(P_NOBODY) < 0 && errno == ETIMEDOUT;
}

static bool none(int fd)
{
	return fd >= 0;
}

static void first_time(unsigned int n)
{
	report(with(P_EXCHANGE, guest_exchange), "both say much at once");
	report(with(P_AFTER, ends_first), "the guest ends first, and hears");
	report(with(P_BEFORE, ends_last), "the host ends first, and hears");
	report(with(P_GONE, meets_nobody), "the host goes at once");
	report(with(P_DEAF, deaf), "one that takes nothing harms no other");
	report(with(P_RELEASE, none), "it is let go");
	report(nobody(), "where nobody listens Linux gives up");
	report(devices_are(n), "all of their channels are gone");
	report(many(), "%d in a row", MANY);
	report(at_once(), "%d at once", AT_ONCE);
	report(host_connects(), "the host connects, and is refused where nobody listens");
	report(devices_are(n), "all of these channels are gone, too");
	report(to_host(P_STAYS) >= 0, "one stays");
	/* not closed: that is for the reset to do */
	close(creat("/tmp/stays", 0600));
	pause();
}

static void second_time(unsigned int n)
{
	report(with(P_EXCHANGE, guest_exchange), "after a reset both say much at once");
	report(devices_are(n), "after a reset its channel is gone");
	report(with(P_END, none), "the end");
	close(creat("/tmp/ends", 0600));
}

/* ---- a guest that is moved ---- */

static void *busy_listener(void *arg)
{
	int at = *(int *)arg;

	for (int fd; (fd = accept(at, NULL, NULL)) >= 0; close(fd))
		busy(fd, true);
	return NULL;
}

static void *busy_talker(void *arg)
{
	int fd = to_host(P_BUSY);

	(void)arg;
	if (report(fd >= 0, "a guest that is to be moved connects"))
		busy(fd, true);
	close(fd);
	return NULL;
}

static bool stands_still(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 1 && c == 'y';
}

static bool until_still(void)
{
	for (int i = 0; i < TRIES; i++, usleep(50000))
		if (with(P_STILL, stands_still))
			return true;
	return false;
}

static void one_move(int round, int rounds)
{
	pthread_t thread;

	pthread_create(&thread, NULL, busy_talker, NULL);
	wait_for(&carried, 2 * round);
	printf("VSOCK busy %d\n", round);
	fflush(stdout);
	wait_for(&broken, 2 * round);
	pthread_join(thread, NULL);
	if (round == rounds)
		report(until_still(), "it is moved no more");
	report(with(P_EXCHANGE, guest_exchange), "both say much where it was moved to");
	report(with(P_BACK, told_back), "the host connects where it was moved to");
}

static int moved(int rounds)
{
	int at[2] = { vm_listen(G_EXCHANGE), vm_listen(G_BUSY) };
	unsigned int n = devices();
	pthread_t thread[2];

	if (!report(at[0] >= 0 && at[1] >= 0, "the guest listens"))
		return 1;
	pthread_create(&thread[0], NULL, listener, &at[0]);
	pthread_create(&thread[1], NULL, busy_listener, &at[1]);
	for (int i = 1; i <= rounds; i++)
		one_move(i, rounds);
	report(devices_are(n), "the channels of all of them are gone");
	report(with(P_END, none), "the end");
	close(creat("/tmp/ends", 0600));
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int n;

	if (argc == 3 && !strcmp(argv[1], "moved"))
		return moved(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "host")) {
		folder = argv[2];
		cid = strtoul(folder, NULL, 10);
		who = "HOST";
		return host();
	}
	if (argc != 2 || strcmp(argv[1], "guest"))
		return 2;
	n = devices();
	if (!report(with(P_BOOT, boot), "the guest connects"))
		return 1;
	if (second)
		second_time(n);
	else
		first_time(n);
	return 0;
}
