// SPDX-License-Identifier: GPL-2.0-only
/*
 * netbench.c - traffic between a guest and its host, for the net rows:
 *
 *	netbench serve		on the host
 *	netbench ADDR		in the guest; or, for what it costs without one, in a namespace
 *
 * Each cell: streams of TCP, datagrams by groups of 32 of which the last is answered, or
 * round trips.  "IO-BEGIN <cell> <operations>" is said when the first have been done, and "IO-END"
 * after the last: disk/watch.c counts what happens between them.  An operation is a MiB, a datagram or
 * a round trip.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT	7
#define GROUP	32
#define CHUNK	65536

enum how { TO_HOST, TO_GUEST, UDP_TO_HOST, UDP_TO_GUEST, ROUND_TRIP };

struct cell {
	const char *name;
	enum how how;
	uint32_t bytes;		/* of a datagram, without headers */
	uint32_t streams, warm, n;
};

static const struct cell cells[] = {
	{ "tx-64k-1", TO_HOST,      0,    1, 4, 32 },
	{ "rx-64k-1", TO_GUEST,     0,    1, 4, 32 },
	{ "tx-64k-4", TO_HOST,      0,    4, 8, 32 },
	{ "rx-64k-4", TO_GUEST,     0,    4, 8, 32 },
	{ "tx-1500",  UDP_TO_HOST,  1472, 1, 640, 6400 },
	{ "rx-1500",  UDP_TO_GUEST, 1472, 1, 640, 6400 },
	{ "tx-64",    UDP_TO_HOST,  18,   1, 640, 6400 },
	{ "rx-64",    UDP_TO_GUEST, 18,   1, 640, 6400 },
	{ "rr",       ROUND_TRIP,   18,   1, 200, 2000 },
};

static uint8_t buf[CHUNK];

static void die(const char *what)
{
	fprintf(stderr, "netbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- streams ---- */

static void send_bytes(int fd, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = send(fd, buf, bytes < CHUNK ? bytes : CHUNK, MSG_NOSIGNAL);

		if (n <= 0)
			die("send");
		bytes -= n;
	}
}

static void receive_bytes(int fd, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = recv(fd, buf, bytes < CHUNK ? bytes : CHUNK, 0);

		if (n <= 0)
			die("recv");
		bytes -= n;
	}
}

/* what a stream has to begin with, and each part of it */
struct part {
	uint32_t to_guest;
	uint32_t kib;
};

static void serve_stream(int fd)
{
	struct part p;
	uint8_t done = 1;

	while (recv(fd, &p, sizeof(p), MSG_WAITALL) == sizeof(p)) {
		if (p.to_guest) {
			send_bytes(fd, (uint64_t)p.kib << 10);
			continue;
		}
		receive_bytes(fd, (uint64_t)p.kib << 10);
		if (send(fd, &done, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	exit(0);
}

static void stream_part(int fd, const struct cell *c, uint32_t mib)
{
	struct part p = { .to_guest = c->how == TO_GUEST, .kib = (mib << 10) / c->streams };
	uint8_t done;

	if (send(fd, &p, sizeof(p), MSG_NOSIGNAL) != sizeof(p))
		die("send");
	if (p.to_guest) {
		receive_bytes(fd, (uint64_t)p.kib << 10);
		return;
	}
	send_bytes(fd, (uint64_t)p.kib << 10);
	if (recv(fd, &done, 1, 0) != 1)
		die("recv");
}

/* ---- datagrams ---- */

/* the first bytes of one */
struct order {
	uint32_t number;
	uint16_t answer;	/* so many, each of ... */
	uint16_t bytes;
};

static void serve_datagram(int fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	struct order o;
	ssize_t n;

	while ((n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (void *)&from, &len)) >= (ssize_t)sizeof(o)) {
		memcpy(&o, buf, sizeof(o));
		for (uint32_t i = 0; i < o.answer; i++)
			sendto(fd, buf, o.bytes, 0, (void *)&from, len);
	}
}

/* a group; one of which something is lost is sent again, and counts for what it is */
static void group(int fd, const struct cell *c, uint32_t nr)
{
	static uint32_t number;
	uint32_t sends = c->how == UDP_TO_HOST ? nr : 1, comes = c->how == UDP_TO_GUEST ? nr : 1;
	struct order o = { .number = ++number, .bytes = c->how == UDP_TO_HOST ? 18 : c->bytes };
	struct pollfd p = { fd, POLLIN, 0 };

	for (uint32_t i = 1; i <= sends; i++) {
		o.answer = i == sends ? comes : 0;
		memcpy(buf, &o, sizeof(o));
		if (send(fd, buf, c->how == UDP_TO_GUEST ? 18 : c->bytes, 0) < 0)
			die("send");
	}
	for (uint32_t i = 0; i < comes;) {
		if (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) < 0) {
			if (poll(&p, 1, 1000) <= 0)
				return;
			continue;
		}
		memcpy(&o, buf, sizeof(o));
		i += o.number == number;
	}
}

static void datagrams(int fd, const struct cell *c, uint32_t n)
{
	uint32_t nr = c->how == ROUND_TRIP ? 1 : GROUP;

	for (; n; n -= nr)
		group(fd, c, nr);
}

/* ---- both sides ---- */

static void serve(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), one = 1, fd;
	struct pollfd p[] = { { tcp, POLLIN, 0 }, { udp, POLLIN, 0 } };

	signal(SIGCHLD, SIG_IGN);
	setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(tcp, (void *)&at, sizeof(at)) || bind(udp, (void *)&at, sizeof(at)) || listen(tcp, 16))
		die("bind");
	while (poll(p, 2, -1) > 0) {
		if (p[1].revents)
			serve_datagram(udp);
		if (!p[0].revents)
			continue;
		fd = accept(tcp, NULL, NULL);
		if (fd >= 0 && !fork())
			serve_stream(fd);
		close(fd);
	}
}

static int connected(const char *addr, int type)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, type, 0);

	if (inet_pton(AF_INET, addr, &to.sin_addr) != 1 || connect(fd, (void *)&to, sizeof(to)))
		die(addr);
	return fd;
}

/* a process for each stream beside this one: they do each part together */
static void streams(int fd, const struct cell *c, const int *go, const int *did, uint32_t mib)
{
	for (uint32_t i = 1; i < c->streams; i++)
		if (write(*go, &mib, sizeof(mib)) != sizeof(mib))
			die("pipe");
	stream_part(fd, c, mib);
	for (uint32_t i = 1; i < c->streams; i++)
		if (read(*did, &mib, sizeof(mib)) != sizeof(mib))
			die("pipe");
}

static void other_stream(const char *addr, const struct cell *c, int go, int did)
{
	int fd = connected(addr, SOCK_STREAM);
	uint32_t mib;

	while (read(go, &mib, sizeof(mib)) == sizeof(mib)) {
		stream_part(fd, c, mib);
		if (write(did, &mib, sizeof(mib)) != sizeof(mib))
			exit(1);
	}
	exit(0);
}

static void run(const char *addr, const struct cell *c)
{
	bool tcp = c->how <= TO_GUEST;
	int fd = connected(addr, tcp ? SOCK_STREAM : SOCK_DGRAM), go[2], did[2];

	if (pipe(go) || pipe(did))
		die("pipe");
	for (uint32_t i = 1; i < c->streams; i++) {
		if (fork())
			continue;
		close(go[1]);
		other_stream(addr, c, go[0], did[1]);
	}
	for (int part = 0; part < 2; part++) {
		uint32_t n = part ? c->n : c->warm;

		if (part)
			printf("IO-BEGIN %s %u\n", c->name, n);
		if (tcp)
			streams(fd, c, &go[1], &did[0], n);
		else
			datagrams(fd, c, n);
	}
	printf("IO-END\n");
	close(fd);
	close(go[0]);
	close(go[1]);
	close(did[0]);
	close(did[1]);
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: netbench serve|ADDR\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(argv[1], "serve"))
		serve();
	for (const struct cell *c = cells; c < cells + sizeof(cells) / sizeof(*cells); c++)
		run(argv[1], c);
	return 0;
}
