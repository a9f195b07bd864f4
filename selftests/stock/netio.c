// SPDX-License-Identifier: GPL-2.0-only
/*
 * netio.c - traffic between a guest and its host, of which each byte is checked, and the switches of
 * an interface.
 *
 *	netio serve PORT			TCP and UDP, until it is killed
 *	netio send|receive ADDR PORT STREAMS KIB	of each stream, at the same time
 *	netio udp ADDR PORT BYTES COUNT		datagrams there and back
 *	netio hear GROUP PORT IF		one datagram of a multicast group
 *	netio cast GROUP PORT IF		... some, until it is killed
 *	netio set IF tx|rx|sg|tso|gso|gro|lro on|off
 *	netio set IF channels|rx-ring|tx-ring N
 *	netio show IF				all of them
 *
 * Each prints a line that ends with "good", or says what is not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	((int)(sizeof(a) / sizeof((a)[0])))
#define CHUNK		65536
#define PATIENCE_S	60	/* for a peer that says nothing */

static void fail(const char *what)
{
	printf("netio: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- what is sent ---- */

/* byte by byte a function of where it is, and of the stream */
static void fill(uint8_t *buf, uint32_t bytes, uint64_t at, uint32_t seed)
{
	for (uint32_t i = 0; i < bytes; i++, at++)
		buf[i] = (at * 167 + (at >> 8) * 13 + (at >> 16) * 7 + seed) & 0xff;
}

static int same(const uint8_t *buf, uint32_t bytes, uint64_t at, uint32_t seed)
{
	static uint8_t want[CHUNK];

	fill(want, bytes, at, seed);
	return !memcmp(buf, want, bytes);
}

static int send_all(int fd, uint64_t bytes, uint32_t seed)
{
	static uint8_t buf[CHUNK];

	for (uint64_t at = 0; at < bytes;) {
		uint32_t n = bytes - at < CHUNK ? bytes - at : CHUNK, done = 0;

		fill(buf, n, at, seed);
		while (done < n) {
			ssize_t m = send(fd, buf + done, n - done, MSG_NOSIGNAL);

			if (m <= 0)
				return -1;
			done += m;
		}
		at += n;
	}
	return 0;
}

/* 0: all came, as it was sent */
static int receive_all(int fd, uint64_t bytes, uint32_t seed)
{
	static uint8_t buf[CHUNK];

	for (uint64_t at = 0; at < bytes;) {
		uint64_t most = bytes - at < CHUNK ? bytes - at : CHUNK;
		ssize_t n = recv(fd, buf, most, 0);

		if (n <= 0 || !same(buf, n, at, seed))
			return -1;
		at += n;
	}
	return 0;
}

/* ---- the one that waits ---- */

struct wish {
	uint64_t bytes;
	uint32_t seed;
	uint32_t send;		/* by the one who waits */
};

static void give_up_some_time(int fd)
{
	struct timeval t = { .tv_sec = PATIENCE_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

/* the answer to data: one byte, 0: it was good */
static void serve_one(int fd)
{
	struct wish w;
	uint8_t bad;

	give_up_some_time(fd);
	if (recv(fd, &w, sizeof(w), MSG_WAITALL) != sizeof(w))
		exit(1);
	if (w.send)
		exit(send_all(fd, w.bytes, w.seed));
	bad = receive_all(fd, w.bytes, w.seed) != 0;
	exit(send(fd, &bad, 1, MSG_NOSIGNAL) != 1);
}

union addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static int open_at(int type, const char *addr, int port, union addr *to)
{
	int family = strchr(addr, ':') ? AF_INET6 : AF_INET, fd = socket(family, type, 0);
	void *at = family == AF_INET ? (void *)&to->in.sin_addr : &to->in6.sin6_addr;

	memset(to, 0, sizeof(*to));
	to->any.sa_family = family;
	to->in.sin_port = htons(port);		/* where the other one has it, too */
	if (fd < 0 || inet_pton(family, addr, at) != 1)
		fail(addr);
	give_up_some_time(fd);
	return fd;
}

static void serve(int port)
{
	static uint8_t buf[CHUNK];
	union addr at, from;
	int tcp = open_at(SOCK_STREAM, "::", port, &at), one = 1;
	int udp = open_at(SOCK_DGRAM, "::", port, &at), fd;
	struct pollfd p[] = { { tcp, POLLIN, 0 }, { udp, POLLIN, 0 } };

	signal(SIGCHLD, SIG_IGN);
	setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(tcp, &at.any, sizeof(at)) || bind(udp, &at.any, sizeof(at)) || listen(tcp, 64))
		fail("bind");
	while (poll(p, 2, -1) > 0) {
		socklen_t len = sizeof(from);
		ssize_t n;

		if (p[0].revents) {
			fd = accept(tcp, NULL, NULL);
			if (fd >= 0 && !fork())
				serve_one(fd);
			close(fd);
		}
		if (!p[1].revents)
			continue;
		n = recvfrom(udp, buf, sizeof(buf), 0, &from.any, &len);
		if (n >= 0)
			sendto(udp, buf, n, 0, &from.any, len);
	}
}

/* ---- the one that asks ---- */

static int ask(const char *addr, int port, struct wish w)
{
	union addr to;
	int fd = open_at(SOCK_STREAM, addr, port, &to);
	uint8_t bad = 1;

	if (connect(fd, &to.any, sizeof(to)) || send(fd, &w, sizeof(w), 0) != sizeof(w))
		return 1;
	if (w.send)
		return receive_all(fd, w.bytes, w.seed) != 0;
	if (send_all(fd, w.bytes, w.seed) || recv(fd, &bad, 1, 0) != 1)
		return 1;
	return bad;
}

static void streams(const char *how, const char *addr, int port, int nr, uint64_t kib)
{
	struct wish w = { .bytes = kib << 10, .send = !strcmp(how, "receive") };
	int bad = 0, status;

	for (int i = 0; i < nr; i++) {
		w.seed = 17 * i + 3;
		if (!fork())
			_exit(ask(addr, port, w));
	}
	while (wait(&status) > 0)
		bad += !WIFEXITED(status) || WEXITSTATUS(status);
	if (bad)
		printf("%s %d streams of %llu KiB: %d are bad\n", how, nr, (unsigned long long)kib, bad);
	else
		printf("%s %d streams of %llu KiB good\n", how, nr, (unsigned long long)kib);
}

/* one on its way at a time, sent again where it is lost: the network may lose some, but few */
static void datagrams(const char *addr, int port, uint32_t bytes, int nr)
{
	static uint8_t buf[CHUNK];
	union addr to;
	int fd = open_at(SOCK_DGRAM, addr, port, &to), lost = 0, bad = 0;
	struct pollfd p = { fd, POLLIN, 0 };

	if (connect(fd, &to.any, sizeof(to)))
		fail("connect");
	for (int i = 0; i < nr && lost < 20;) {
		fill(buf, bytes, i, bytes);
		if (send(fd, buf, bytes, 0) != bytes)
			fail("send");
		if (poll(&p, 1, 1000) <= 0) {
			lost++;
			continue;
		}
		bad += recv(fd, buf, sizeof(buf), 0) != bytes || !same(buf, bytes, i, bytes);
		i++;
	}
	if (bad || lost >= 20)
		printf("udp %u bytes: %d lost, %d bad\n", bytes, lost, bad);
	else
		printf("udp %u bytes good\n", bytes);
}

static void multicast(int hears, const char *group, int port, const char *dev)
{
	union addr to;
	struct ip_mreqn on = { .imr_ifindex = 0 };
	int fd = open_at(SOCK_DGRAM, group, port, &to);
	struct ifreq ifr = {};
	char word[8] = "";

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(fd, SIOCGIFINDEX, &ifr))
		fail(dev);
	on.imr_multiaddr = to.in.sin_addr;
	on.imr_ifindex = ifr.ifr_ifindex;
	if (!hears) {
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &on, sizeof(on));
		for (;;) {
			sendto(fd, "hello", 5, 0, &to.any, sizeof(to));
			usleep(100000);
		}
	}
	if (bind(fd, &to.any, sizeof(to)) ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &on, sizeof(on)))
		fail(group);
	if (recv(fd, word, sizeof(word), 0) == 5 && !memcmp(word, "hello", 5))
		printf("multicast good\n");
	else
		printf("multicast: nothing comes\n");
}

/* ---- switches ---- */

static const struct {
	const char *name;
	uint32_t get, set;
	uint32_t flag;	/* of ETHTOOL_GFLAGS */
} switches[] = {
	{ "tx", ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM, 0 },
	{ "rx", ETHTOOL_GRXCSUM, ETHTOOL_SRXCSUM, 0 },
	{ "sg", ETHTOOL_GSG, ETHTOOL_SSG, 0 },
	{ "tso", ETHTOOL_GTSO, ETHTOOL_STSO, 0 },
	{ "gso", ETHTOOL_GGSO, ETHTOOL_SGSO, 0 },
	{ "gro", ETHTOOL_GGRO, ETHTOOL_SGRO, 0 },
	{ "lro", ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_LRO },
};

static int ethtool(const char *dev, void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;
	struct ifreq ifr = { .ifr_data = arg };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	err = ioctl(fd, SIOCETHTOOL, &ifr);
	close(fd);
	return err;
}

static int is_on(const char *dev, int i)
{
	struct ethtool_value v = { .cmd = switches[i].get };

	if (ethtool(dev, &v))
		return -1;
	return switches[i].flag ? !!(v.data & switches[i].flag) : !!v.data;
}

static int turn(const char *dev, int i, int on)
{
	struct ethtool_value v = { .cmd = switches[i].get };

	if (switches[i].flag && ethtool(dev, &v))
		return -1;
	if (switches[i].flag)
		v.data = on ? v.data | switches[i].flag : v.data & ~switches[i].flag;
	else
		v.data = on;
	v.cmd = switches[i].set;
	return ethtool(dev, &v) || is_on(dev, i) != on;
}

static int set_number(const char *dev, const char *what, uint32_t n)
{
	struct ethtool_channels c = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_ringparam r = { .cmd = ETHTOOL_GRINGPARAM };

	if (!strcmp(what, "channels")) {
		if (ethtool(dev, &c))
			return -1;
		c.cmd = ETHTOOL_SCHANNELS;
		c.combined_count = n;
		return ethtool(dev, &c);
	}
	if (ethtool(dev, &r))
		return -1;
	r.cmd = ETHTOOL_SRINGPARAM;
	*(strcmp(what, "rx-ring") ? &r.tx_pending : &r.rx_pending) = n;
	return ethtool(dev, &r);
}

static void set(const char *dev, const char *what, const char *to)
{
	int err, i = 0;

	while (i < ARRAY_SIZE(switches) && strcmp(switches[i].name, what))
		i++;
	errno = EINVAL;
	err = i < ARRAY_SIZE(switches) ? turn(dev, i, !strcmp(to, "on")) : set_number(dev, what, atoi(to));
	if (err)
		printf("%s %s is refused: %s\n", what, to, strerror(errno));
	else
		printf("%s %s good\n", what, to);
}

static void show(const char *dev)
{
	struct ethtool_channels c = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_ringparam r = { .cmd = ETHTOOL_GRINGPARAM };
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };

	for (int i = 0; i < ARRAY_SIZE(switches); i++)
		printf("%s %d ", switches[i].name, is_on(dev, i));
	ethtool(dev, &c);
	ethtool(dev, &r);
	ethtool(dev, &link);
	printf("channels %u of %u rx-ring %u tx-ring %u link %u\n", c.combined_count, c.max_combined,
	       r.rx_pending, r.tx_pending, link.data);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(verb, "serve"))
		serve(atoi(argv[2]));
	else if (argc == 6 && (!strcmp(verb, "send") || !strcmp(verb, "receive")))
		streams(verb, argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	else if (argc == 6 && !strcmp(verb, "udp"))
		datagrams(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	else if (argc == 5 && (!strcmp(verb, "hear") || !strcmp(verb, "cast")))
		multicast(*verb == 'h', argv[2], atoi(argv[3]), argv[4]);
	else if (argc == 5 && !strcmp(verb, "set"))
		set(argv[2], argv[3], argv[4]);
	else if (argc == 3 && !strcmp(verb, "show"))
		show(argv[2]);
	else
		return 2;
	return 0;
}
