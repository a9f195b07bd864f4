// SPDX-License-Identifier: GPL-2.0-only
/*
 * latency - does the host get on while a guest makes only fast exits?
 *
 * Timers of both kinds, network and RCU are used, most with a load of timers and
 * packets in the background.  The bounds catch a host that is held up, not one
 * that is slow.
 */
#include <arpa/inet.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../api/lib/tap.h"

#define JIFFY_MS	10
#define WORST_MS	(50 * JIFFY_MS)
#define TURNS		25

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* a pair of UDP sockets over loopback: [0] sends to [1] */
static void udp_pair(int s[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	s[0] = socket(AF_INET, SOCK_DGRAM, 0);
	s[1] = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(s[1], (struct sockaddr *)&a, len) ||
	    getsockname(s[1], (struct sockaddr *)&a, &len) ||
	    connect(s[0], (struct sockaddr *)&a, len))
		tap_bail("UDP over loopback");
}

static int ticker(unsigned int ms)
{
	struct itimerspec t = {
		.it_interval.tv_nsec = ms * 1000000, .it_value.tv_nsec = ms * 1000000,
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	if (timerfd_settime(fd, 0, &t, NULL))
		tap_bail("timerfd");
	return fd;
}

/* a packet at each tick of a millisecond */
static void *load(void *arg)
{
	int fd = ticker(1), s[2];
	char packet[512] = { 0 };
	uint64_t ticks;

	(void)arg;
	udp_pair(s);
	while (read(fd, &ticks, sizeof(ticks)) == sizeof(ticks)) {
		if (send(s[0], packet, sizeof(packet), MSG_DONTWAIT) > 0)
			recv(s[1], packet, sizeof(packet), MSG_DONTWAIT);
	}
	return NULL;
}

/* longest of TURNS calls, and the sum of them */
static uint64_t worst(void (*call)(void *arg), void *arg, uint64_t *sum)
{
	uint64_t longest = 0;

	*sum = 0;
	for (int i = 0; i < TURNS; i++) {
		uint64_t t = now_ms();

		call(arg);
		t = now_ms() - t;
		*sum += t;
		if (t > longest)
			longest = t;
	}
	return longest;
}

static void tick(void *arg)
{
	uint64_t ticks;

	if (read(*(int *)arg, &ticks, sizeof(ticks)) != sizeof(ticks))
		tap_bail("timerfd");
}

/* a timeout of the kernel's timer wheel, which expires in a softirq */
static void wheel(void *arg)
{
	char c;

	if (recv(*(int *)arg, &c, 1, 0) >= 0)
		tap_bail("a packet from nowhere");
}

static void round_trip(void *arg)
{
	struct pollfd p = { ((int *)arg)[1], POLLIN, 0 };
	char c = 0;

	if (send(((int *)arg)[0], &c, 1, 0) != 1 || poll(&p, 1, 5000) != 1 ||
	    recv(p.fd, &c, 1, 0) != 1)
		tap_bail("a packet was lost");
}

static void grace_period(void *arg)
{
	(void)arg;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		tap_bail("membarrier");
}

static void judge(const char *what, void (*call)(void *arg), void *arg, uint64_t mean_ms)
{
	uint64_t sum, longest = worst(call, arg, &sum);

	tap_ok(longest <= WORST_MS && sum <= TURNS * mean_ms, "%s: %llu ms at most, %llu on average",
	       what, (unsigned long long)longest, (unsigned long long)(sum / TURNS));
}

int main(void)
{
	struct timeval timeout = { .tv_usec = 2 * JIFFY_MS * 1000 };
	int pair[2], alone[2], timer = ticker(JIFFY_MS);
	pthread_t t;

	tap_begin("latency", 120);
	udp_pair(pair);
	udp_pair(alone);
	setsockopt(alone[1], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	/* nothing but the softirq itself asks for the CPU */
	judge("timeouts of two jiffies, without a load", wheel, &alone[1], 10 * JIFFY_MS);
	pthread_create(&t, NULL, load, NULL);
	judge("high-resolution timers", tick, &timer, 10 * JIFFY_MS);
	judge("timeouts of two jiffies", wheel, &alone[1], 10 * JIFFY_MS);
	judge("packets over loopback", round_trip, pair, 10 * JIFFY_MS);
	/* the kernel has nothing to wait for with one CPU */
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		judge("RCU grace periods", grace_period, NULL, 20 * JIFFY_MS);
	return tap_done();
}
