// SPDX-License-Identifier: GPL-2.0-only
/*
 * net_test.c - the process of a card's network (slirp/), with a guest that is made by hand: a socket
 * that keeps messages apart is the channel's file, servers are on the loopback interface.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../lib/fail.h"
#include "../slirp/frames.h"
#include "../slirp/slirp.h"
#include "frame.h"
#include "tap.h"

#define PATIENCE_MS	20000
#define HOST		0x0a000202u	/* 10.0.2.2 */
#define GUEST		0x0a00020fu

static const u8 guest_mac[6] = { 0x02, 1, 2, 3, 4, 5 };
static const u8 broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* ---- the process, and its guest ---- */

static struct {
	int channel;		/* orders */
	int file;		/* the guest's end of the card */
	pid_t pid;
	struct frames in;
	u8 host_mac[6];
} net;

static void send_order(const struct slirp_order *order, int file)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { (void *)order, sizeof(*order) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &file, sizeof(int));
	CHECK(sendmsg(net.channel, &mh, 0) == sizeof(*order), "an order");
	close(file);
}

static int receive_answer(int from, struct slirp_answer *a)
{
	struct pollfd pfd = { .fd = from, .events = POLLIN };

	if (poll(&pfd, 1, PATIENCE_MS) != 1 || recv(from, a, sizeof(*a), 0) != sizeof(*a))
		return -1;
	return a->status;
}

static int order(const struct slirp_order *order, struct slirp_answer *a)
{
	int pair[2], ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return -1;
	send_order(order, pair[1]);
	ret = receive_answer(pair[0], a);
	close(pair[0]);
	return ret;
}

/* a card whose frames go to the guest from now on */
static void plug(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	if (net.file >= 0)
		close(net.file);
	net.file = pair[0];
	net.in.at = net.in.end = 0;
	send_order(&(struct slirp_order){ .what = SLIRP_FILE }, pair[1]);
}

static int start(struct slirp_config *c, struct slirp_answer *a)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	net.pid = fork();
	if (!net.pid) {
		close(pair[0]);
		_exit(slirp_serve(pair[1]));
	}
	close(pair[1]);
	net.channel = pair[0];
	net.file = -1;
	if (send(net.channel, c, sizeof(*c), 0) != sizeof(*c))
		return -1;
	return receive_answer(net.channel, a);
}

static int stop(void)
{
	int status;

	if (net.file >= 0)
		close(net.file);
	close(net.channel);
	waitpid(net.pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct slirp_config usual(void)
{
	return (struct slirp_config){
		.size = sizeof(struct slirp_config), .uid = getuid(), .gid = getgid(), .mtu = 1500,
		.net = htonl(0x0a000200), .mask = htonl(0xffffff00), .no_sandbox = true,
	};
}

static void put(const u8 *frame, size_t len)
{
	u8 buf[2048] = { 0 };
	struct ovid_frame head = { .bytes = len, .flags = OVID_FRAME_CSUM_GOOD };

	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), frame, len);
	len = sizeof(head) + ALIGN_UP(len, 8);
	while (send(net.file, buf, len, 0) < 0 && errno == EAGAIN)
		poll(&(struct pollfd){ .fd = net.file, .events = POLLOUT }, 1, PATIENCE_MS);
}

/* The next frame for the guest: NULL: there is none. */
static const u8 *get(size_t *len)
{
	struct pollfd pfd = { .fd = net.file, .events = POLLIN };
	const u8 *frame;

	if (frames_next(&net.in, &frame, len))
		return frame;
	if (poll(&pfd, 1, PATIENCE_MS) != 1 || frames_read(&net.in, net.file) ||
	    !frames_next(&net.in, &frame, len))
		return NULL;
	return frame;
}

/* one that says who has the guest's address is answered, by the way */
static bool is_arp_for_guest(const u8 *f, size_t len)
{
	u8 answer[64];

	if (len < 42 || frame_get16(f + 12) != 0x0806 || frame_get16(f + 20) != 1 ||
	    frame_get32(f + 38) != GUEST)
		return false;
	memcpy(answer, f, 42);
	frame_ether(answer, f + 6, guest_mac, 0x0806);
	frame_put16(answer + 20, 2);
	memcpy(answer + 22, guest_mac, 6);
	memcpy(answer + 28, f + 38, 4);
	memcpy(answer + 32, f + 22, 10);
	put(answer, 42);
	return true;
}

/* The next frame of IPv4 with that protocol, or of @ether where that is another one. */
static const u8 *get_one(u16 ether, u8 protocol, size_t *len)
{
	const u8 *f;

	while ((f = get(len))) {
		if (is_arp_for_guest(f, *len))
			continue;
		if (frame_get16(f + 12) == ether && (ether != 0x0800 || f[23] == protocol))
			return f;
	}
	return NULL;
}

/* ---- addresses ---- */

static u32 dhcp(u8 type, u32 wants, u8 answered)
{
	u8 frame[512];
	const u8 *f;
	size_t len;
	u32 addr;

	put(frame, frame_dhcp(frame, guest_mac, type, wants));
	while ((f = get(&len))) {
		addr = frame_dhcp_address(f, len, answered);
		if (addr)
			return addr;
	}
	return 0;
}

static bool arp(u32 whose)
{
	u8 frame[42];
	const u8 *f;
	size_t len;

	frame_ether(frame, broadcast, guest_mac, 0x0806);
	memcpy(frame + 14, "\0\1\x08\0\6\4\0\1", 8);
	memcpy(frame + 22, guest_mac, 6);
	frame_put16(frame + 28, GUEST >> 16);
	frame_put16(frame + 30, (u16)GUEST);
	memset(frame + 32, 0, 6);
	frame_put16(frame + 38, whose >> 16);
	frame_put16(frame + 40, whose);
	put(frame, sizeof(frame));
	f = get_one(0x0806, 0, &len);
	if (!f || len < 42 || frame_get16(f + 20) != 2 || frame_get32(f + 28) != whose)
		return false;
	memcpy(net.host_mac, f + 22, 6);
	return true;
}

static void test_addresses(void)
{
	CHECK(dhcp(1, 0, 2) == GUEST, "DHCP offers an address");
	CHECK(dhcp(3, GUEST, 5) == GUEST, "and gives it");
	CHECK(arp(HOST), "ARP finds the host");
}

/* ---- TCP, as small as it gets: without losses on our side ---- */

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct tcp {
	u32 peer;
	u16 ours, theirs;
	u32 sent, heard;
};

static void tcp_send(struct tcp *t, u8 flags, const void *data, size_t bytes)
{
	u8 frame[1600], *tcp = frame + 34;

	frame_ether(frame, net.host_mac, guest_mac, 0x0800);
	memset(tcp, 0, 20);
	frame_put16(tcp, t->ours);
	frame_put16(tcp + 2, t->theirs);
	frame_put16(tcp + 4, t->sent >> 16);
	frame_put16(tcp + 6, t->sent);
	frame_put16(tcp + 8, t->heard >> 16);
	frame_put16(tcp + 10, t->heard);
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	frame_put16(tcp + 14, 60000);
	if (bytes)
		memcpy(tcp + 20, data, bytes);
	put(frame, frame_ip(frame, 6, GUEST, t->peer, 20 + bytes));
	t->sent += bytes + !!(flags & (SYN | FIN));
}

/* The next segment of that connection; its flags, or -1.  What is not next in line is not taken. */
static int tcp_get(struct tcp *t, const u8 **data, size_t *bytes)
{
	const u8 *f, *tcp;
	size_t len, head;

	for (;;) {
		f = get_one(0x0800, 6, &len);
		if (!f)
			return -1;
		tcp = f + 34;
		if (frame_get16(tcp + 2) != t->ours || frame_get16(tcp) != t->theirs)
			continue;
		if (frame_fold(frame_sum(tcp, frame_get16(f + 16) - 20,
					 frame_sum(f + 26, 8, 6 + frame_get16(f + 16) - 20))))
			return -1;	/* a wrong checksum */
		head = tcp[12] >> 4 << 2;
		*data = tcp + head;
		*bytes = frame_get16(f + 16) - 20 - head;
		if (tcp[13] & SYN)
			t->heard = frame_get32(tcp + 4);
		if (frame_get32(tcp + 4) != t->heard) {
			tcp_send(t, ACK, NULL, 0);
			continue;
		}
		t->heard += *bytes + !!(tcp[13] & (SYN | FIN));
		return tcp[13];
	}
}

static bool tcp_connect(struct tcp *t, u32 peer, u16 port)
{
	static u16 ours = 40000;
	const u8 *data;
	size_t bytes;

	*t = (struct tcp){ .peer = peer, .ours = ours++, .theirs = port, .sent = 1000 };
	tcp_send(t, SYN, NULL, 0);
	if (tcp_get(t, &data, &bytes) != (SYN | ACK))
		return false;
	tcp_send(t, ACK, NULL, 0);
	return true;
}

/* so many bytes of the stream to @buf */
static bool tcp_hear(struct tcp *t, u8 *buf, size_t want)
{
	const u8 *data;
	size_t bytes;
	int flags;

	while (want) {
		flags = tcp_get(t, &data, &bytes);
		if (flags < 0 || flags & RST || bytes > want)
			return false;
		memcpy(buf, data, bytes);
		buf += bytes;
		want -= bytes;
		if (bytes)
			tcp_send(t, ACK, NULL, 0);
	}
	return true;
}

static int listen_here(u16 *port, int type)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, type, 0);

	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    (type == SOCK_STREAM && listen(fd, 4)) || getsockname(fd, (struct sockaddr *)&sa, &len))
		return -1;
	*port = ntohs(sa.sin_port);
	return fd;
}

/* a port that nobody has, for a while */
static u16 free_port(int type)
{
	u16 port = 0;

	close(listen_here(&port, type));
	return port;
}

static int accept_one(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, PATIENCE_MS) == 1 ? accept(fd, NULL, NULL) : -1;
}

static bool hears(int fd, const char *text)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char buf[256] = "";
	size_t got = 0;
	ssize_t n;

	while (got < strlen(text)) {
		if (poll(&pfd, 1, PATIENCE_MS) != 1)
			return false;
		n = recv(fd, buf + got, sizeof(buf) - 1 - got, 0);
		if (n <= 0)
			return false;
		got += n;
	}
	return !strcmp(buf, text);
}

static void test_connect(void)
{
	u16 port;
	int server = listen_here(&port, SOCK_STREAM), fd;
	const u8 *data;
	size_t bytes;
	struct tcp t;
	u8 buf[64];

	CHECK(tcp_connect(&t, HOST, port), "the guest connects to a server of the host's");
	fd = accept_one(server);
	tcp_send(&t, ACK, "a question", 10);
	CHECK(fd >= 0 && hears(fd, "a question"), "which hears it");
	CHECK(send(fd, "and an answer", 13, 0) == 13 && tcp_hear(&t, buf, 13) &&
	      !memcmp(buf, "and an answer", 13), "and is heard");
	close(fd);
	CHECK(tcp_get(&t, &data, &bytes) & FIN, "and hangs up");
	tcp_send(&t, ACK | FIN, NULL, 0);
	close(server);
	t = (struct tcp){ .peer = HOST, .ours = 39999, .theirs = free_port(SOCK_STREAM), .sent = 1 };
	tcp_send(&t, SYN, NULL, 0);
	t.heard = 0;
	CHECK(tcp_get(&t, &data, &bytes) & RST, "where nobody listens it is refused");
}

/* ---- a guest that does not read ---- */

static u8 pattern(u64 at)
{
	return at * 2654435761u >> 13;
}

/* so much as the other end takes, until it has taken nothing more for a while */
static u64 send_all(int fd, u64 most)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	u8 buf[8192];
	u64 sent = 0;

	while (sent < most && poll(&pfd, 1, 500) == 1) {
		ssize_t n;

		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = pattern(sent + i);
		n = send(fd, buf, sizeof(buf), MSG_DONTWAIT);
		sent += n > 0 ? n : 0;
	}
	return sent;
}

static void test_no_reader(void)
{
	const u64 most = 256u << 20;
	u16 port;
	int server = listen_here(&port, SOCK_STREAM), fd;
	u64 sent, at = 0;
	const u8 *data;
	size_t bytes;
	struct tcp t;
	int flags;
	bool good;

	good = tcp_connect(&t, HOST, port);
	fd = accept_one(server);
	sent = send_all(fd, most);
	CHECK(good && sent > 1 << 16 && sent < most, "who sends to a guest that does not read waits");
	while (good && at < sent) {
		flags = tcp_get(&t, &data, &bytes);
		good = flags > 0 && !(flags & (RST | FIN));
		for (size_t i = 0; good && i < bytes; i++)
			good = data[i] == pattern(at + i);
		at += bytes;
		tcp_send(&t, ACK, NULL, 0);
	}
	CHECK(good, "and it hears all of it when it does");
	close(fd);
	close(server);
	tcp_send(&t, RST, NULL, 0);
}

/* ---- ports of the host's ---- */

static int connect_here(u16 port, int type)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, type, 0);

	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	close(fd);
	return -1;
}

/* somebody connects to the guest's port 22: it answers */
static bool guest_accepts(struct tcp *t)
{
	const u8 *f, *tcp, *data;
	size_t len, bytes;

	do {
		f = get_one(0x0800, 6, &len);
		if (!f)
			return false;
		tcp = f + 34;
	} while (tcp[13] != SYN);
	*t = (struct tcp){
		.peer = frame_get32(f + 26), .ours = frame_get16(tcp + 2),
		.theirs = frame_get16(tcp), .sent = 5000, .heard = frame_get32(tcp + 4) + 1,
	};
	tcp_send(t, SYN | ACK, NULL, 0);
	return t->ours == 22 && tcp_get(t, &data, &bytes) == ACK;
}

static void test_forward(u16 port)
{
	int fd = connect_here(port, SOCK_STREAM);
	struct tcp t;
	u8 buf[16];

	CHECK(fd >= 0 && guest_accepts(&t), "a program connects to the guest by a port of the host's");
	CHECK(send(fd, "hello", 5, 0) == 5 && tcp_hear(&t, buf, 5) && !memcmp(buf, "hello", 5),
	      "it is heard");
	tcp_send(&t, ACK, "welcome", 7);
	CHECK(hears(fd, "welcome"), "and hears the guest");
	close(fd);
}

static void test_udp(u16 port)
{
	int fd = connect_here(port, SOCK_DGRAM);
	u8 frame[128];
	const u8 *f;
	size_t len;

	CHECK(send(fd, "ping", 4, 0) == 4, "a datagram");
	f = get_one(0x0800, 17, &len);
	CHECK(f && frame_get16(f + 36) == 5353 && !memcmp(f + 42, "ping", 4), "is the guest's");
	if (!f)
		return;
	frame_ether(frame, net.host_mac, guest_mac, 0x0800);
	memcpy(frame + 34, f + 36, 2);
	memcpy(frame + 36, f + 34, 2);
	frame_put16(frame + 38, 12);
	memcpy(frame + 42, "pong", 4);
	put(frame, frame_ip(frame, 17, GUEST, frame_get32(f + 26), 12));
	CHECK(hears(fd, "pong"), "and is answered");
	close(fd);
}

static void test_orders(void)
{
	u16 port = free_port(SOCK_STREAM), taken;
	struct slirp_order o = {
		.what = SLIRP_FORWARD,
		.forward = { .host = htonl(INADDR_LOOPBACK), .host_port = port, .guest_port = 22 },
	};
	int server = listen_here(&taken, SOCK_STREAM);
	struct slirp_answer a;

	CHECK(!order(&o, &a), "a port more");
	test_forward(port);
	CHECK(order(&o, &a) == OVID_X_USAGE, "twice it is refused");
	o.what = SLIRP_UNFORWARD;
	CHECK(!order(&o, &a) && connect_here(port, SOCK_STREAM) < 0, "and is none any more");
	CHECK(order(&o, &a) == OVID_X_USAGE && strstr(a.text, "there is none"), "there is none to take away");
	o.what = SLIRP_FORWARD;
	o.forward.host_port = taken;
	CHECK(order(&o, &a) == OVID_X_USAGE && strstr(a.text, "another program has that port"),
	      "one that somebody has");
	o.what = 99;
	CHECK(order(&o, &a) == OVID_X_HOST, "what it does not know");
	close(server);
	plug();
	CHECK(dhcp(1, 0, 2) == GUEST, "a guest that has moved goes on");
	test_connect();
}

static void test_network(void)
{
	struct slirp_config c = usual();
	u16 tcp = free_port(SOCK_STREAM), udp = free_port(SOCK_DGRAM);
	struct slirp_answer a;

	c.nr_forwards = 2;
	c.forward[0] = (struct slirp_forward){
		.host = htonl(INADDR_LOOPBACK), .host_port = tcp, .guest_port = 22,
	};
	c.forward[1] = (struct slirp_forward){
		.udp = true, .host = htonl(INADDR_LOOPBACK), .host_port = udp, .guest_port = 5353,
	};
	CHECK(!start(&c, &a), "a network");
	plug();
	test_addresses();
	test_connect();
	test_forward(tcp);
	test_udp(udp);
	test_no_reader();
	test_orders();
	CHECK(!stop(), "it ends with the machine");
}

/* ---- what does not begin ---- */

static void test_bad(void)
{
	struct slirp_config c = usual();
	struct slirp_answer a;
	u16 port;
	int server = listen_here(&port, SOCK_STREAM);

	c.size--;
	CHECK(start(&c, &a) == OVID_X_USAGE && stop() == OVID_X_USAGE, "a configuration of another size");
	c = usual();
	c.nr_forwards = SLIRP_FORWARDS + 1;
	CHECK(start(&c, &a) == OVID_X_USAGE && stop() == OVID_X_USAGE, "too many ports");
	c = usual();
	c.nr_forwards = 1;
	c.forward[0] = (struct slirp_forward){
		.host = htonl(INADDR_LOOPBACK), .host_port = port, .guest_port = 22,
	};
	CHECK(start(&c, &a) == OVID_X_USAGE && strstr(a.text, "hostfwd=tcp:127.0.0.1:") &&
	      stop() == OVID_X_USAGE, "a port that somebody has");
	close(server);
	c = usual();
	c.restricted = true;
	CHECK(!start(&c, &a), "a network without an outside");
	plug();
	server = listen_here(&port, SOCK_STREAM);
	CHECK(dhcp(1, 0, 2) == GUEST && arp(HOST), "has addresses");
	tcp_send(&(struct tcp){ .peer = HOST, .ours = 9, .theirs = port, .sent = 1 }, SYN, NULL, 0);
	CHECK(poll(&(struct pollfd){ .fd = server, .events = POLLIN }, 1, 300) == 0,
	      "and reaches nobody");
	close(server);
	CHECK(!stop(), "and ends");
}

/* ---- frames ---- */

static void test_frames(void)
{
	struct ovid_frame head = { .bytes = 100 };
	struct frames f;
	const u8 *frame;
	u8 one[FRAME_MAX + 1] = { 7 };
	unsigned int nr = 0;
	size_t len;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) ||
	    frames_init(&f, FRAMES_WRITE))
		return;
	CHECK(!frames_add(&f, one, sizeof(one)) && !frames_left(&f), "a frame that is too long");
	while (frames_add(&f, one, 61))
		nr++;
	CHECK(nr == FRAMES_WRITE / (16 + 64), "as many as there is room for");
	CHECK(!frames_write(&f, pair[0]) && !frames_left(&f) && !frames_read(&f, pair[1]), "all at once");
	while (frames_next(&f, &frame, &len) && len == 61 && frame[0] == 7)
		nr--;
	CHECK(!nr, "and one by one");
	CHECK(frames_read(&f, pair[1]) == -EAGAIN && !frames_next(&f, &frame, &len), "no more");
	while (!frames_write(&f, pair[0]))
		frames_add(&f, one, 61);
	CHECK(frames_left(&f), "those that nobody takes wait");
	f.at = f.end = 0;
	memcpy(f.buf, &head, sizeof(head));
	f.end = sizeof(head) + 99;
	CHECK(!frames_next(&f, &frame, &len), "half of a frame is none");
	f.end = sizeof(head) - 1;
	CHECK(!frames_next(&f, &frame, &len), "nor half of its head");
	head.bytes = ~0u;
	memcpy(f.buf, &head, sizeof(head));
	f.end = f.room;
	CHECK(!frames_next(&f, &frame, &len), "nor one that is longer than all there is");
	close(pair[0]);
	close(pair[1]);
	frames_free(&f);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (frames_init(&net.in, FRAMES_READ))
		return 2;
	test_frames();
	test_network();
	test_bad();
	frames_free(&net.in);
	return tap_done();
}
