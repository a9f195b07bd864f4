// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of the host's (AF_VSOCK) and a guest's: /dev/ovid-vsock, and what becomes of a
 * connection.  The guest is this program: its VP makes hypercalls, the rings are written here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#include "ring_guest.h"
#include "lib/bus.h"

#define DEVICE		"/dev/ovid-vsock"
#define CID		77
#define HOST_PORT	5000	/* where the host listens */
#define GUEST_PORT	6000
#define GUEST_END	7000	/* the guest's port where it connects */
#define STREAM		65536	/* what the host keeps of a direction */

enum { TL_CONNECT = 21, TL_RESULT = 23, DATA_INBAND = 6, TYPE_DATA = 1, MAX_SAID = 2000 };
#define REFUSED		0xc0000236u
#define NO_RESOURCES	0xc000009au

/* soon(), of what is not to be done again when it has been done */
#define once(cond) ({ int n_ = 500; bool r_; while (!(r_ = (cond)) && --n_) ov_sleep_ms(4); r_; })

static int b;	/* the file that has bound the CID */

static int bind_cid(int file, int part, uint32_t cid)
{
	struct ovid_vsock_bind arg = { sizeof(arg), 0, part, cid };

	return ov_ioctl(file, OVID_VSOCK_BIND, &arg);
}

static int open_device(void)
{
	return open(DEVICE, O_RDWR | O_CLOEXEC);
}

static bool shell(const char *command)
{
	return !system(command);
}

static bool insert(void)
{
	return shell("insmod /lib/modules/ovid_vsock.ko 2>/dev/null");
}

static bool take_out(void)
{
	return shell("rmmod ovid_vsock 2>/dev/null");
}

/* Linux keeps a socket that has connected without waiting until its limit of time is over */
static bool take_out_later(void)
{
	for (int i = 0; i < 60; i++) {
		if (take_out())
			return true;
		sleep(1);
	}
	return false;
}

/* ---- the guest ---- */

static struct { uint32_t relid; struct guest_ring out, in; } g;

static const uint8_t template[12] = {
	0xcb, 0xfa, 0xe6, 0x11, 0xbd, 0x58, 0x64, 0x00, 0x6a, 0x79, 0x86, 0xd3
};

static void id_of(uint32_t port, void *id)
{
	memcpy(id, &port, 4);
	memcpy((uint8_t *)id + 4, template, 12);
}

static void signal_host(void)
{
	call(SIGNAL | FAST, connection(g.relid));
}

/* a channel is offered: @service and @endpoint, by whom */
static bool offered(uint32_t service, uint32_t *endpoint, bool from_host)
{
	uint32_t m[47], id[4];

	if (receive(m, 47) != OFFER)
		return false;
	id_of(service, id);
	g.relid = m[46];
	*endpoint = m[6];
	/* flags; then the pipe's mode, and who connects */
	return !memcmp(m + 2, id, 16) && (m[14] & 0xffff) == 0x2010 && (m[16] & 0xff) == from_host;
}

static struct guest_ring ring(uint32_t at)
{
	return (struct guest_ring){ (u32 *)(vm.ram + at), vm.ram + at + 4096, 4096, 0 };
}

static bool open_channel(void)
{
	uint32_t m[5];

	post_gpadl(g.relid);
	g.out = ring(RING);
	g.in = ring(RING + 2 * 4096);
	post_open(g.relid);
	return receive(m, 5) == OPEN_RESULT && !m[4];
}

/* the host has taken it back */
static bool rescinded(void)
{
	uint32_t m[3];
	bool good = receive(m, 3) == RESCIND && m[2] == g.relid;

	post_relid(RELEASED, g.relid);
	return good;
}

/* into the ring; the host is not told */
static bool put_packet(uint16_t type, uint32_t kind, uint32_t claim, const void *bytes, uint32_t len,
		       uint32_t *old)
{
	uint32_t body[2 + MAX_SAID / 4 + 2] = { kind, claim };
	struct guest_desc desc = { .type = type };

	memcpy(body + 2, bytes, len);
	return guest_write(&g.out, desc, (u8 *)body, 0, 8 + len, old);
}

static bool say_packet(uint16_t type, uint32_t kind, uint32_t claim, const void *bytes, uint32_t len)
{
	uint32_t old;

	if (!put_packet(type, kind, claim, bytes, len, &old))
		return false;
	if (guest_data_signal(&g.out, old))
		signal_host();
	return true;
}

/* false: there is no space in the ring */
static bool say(const void *bytes, uint32_t len)
{
	return say_packet(DATA_INBAND, TYPE_DATA, len, bytes, len);
}

static bool guest_has(uint32_t *len, void *buf, uint32_t max)
{
	*len = guest_next(&g.in, buf, max);
	return *len;
}

/* the next packet's bytes; 0: the host's end; -1: there is none, or it is none */
static int hear(void *bytes)
{
	static uint8_t buf[4096];
	uint32_t len, head[2], freed;

	if (!once(guest_has(&len, buf, sizeof(buf))))
		return -1;
	freed = guest_close(&g.in);
	if (guest_space_signal(&g.in, freed))
		signal_host();
	memcpy(head, buf + 16, 8);
	if (head[0] != TYPE_DATA || head[1] > len - 24)
		return -1;
	memcpy(bytes, buf + 24, head[1]);
	return head[1];
}

static bool hears(const char *text)
{
	uint8_t buf[4096] = "";

	return hear(buf) == (int)strlen(text) && !memcmp(buf, text, strlen(text));
}

/* the guest wants to connect to @service */
static void want(uint32_t endpoint, uint32_t service)
{
	struct { uint32_t type, pad, endpoint[4], service[4]; } m = { .type = TL_CONNECT };

	id_of(endpoint, m.endpoint);
	id_of(service, m.service);
	post(&m, sizeof(m));
}

static bool told(uint32_t endpoint, uint32_t status)
{
	uint32_t m[11] = {};

	return receive(m, 11) == TL_RESULT && m[2] == endpoint && m[10] == status;
}

/* ---- the host ---- */

static struct sockaddr_vm address(uint32_t cid, uint32_t port)
{
	return (struct sockaddr_vm){ .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
}

static int new_socket(int flags)
{
	struct timeval limit = { 20, 0 };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &limit, sizeof(limit));
	return fd;
}

static int listen_at(uint32_t cid, uint32_t port, int backlog)
{
	struct sockaddr_vm sa = address(cid, port);
	int fd = new_socket(SOCK_NONBLOCK);

	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, backlog))
		tap_bail("cannot listen: %s", strerror(errno));
	return fd;
}

static int connect_errno(int fd, uint32_t cid, uint32_t port)
{
	struct sockaddr_vm sa = address(cid, port);

	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) ? -errno : 0;
}

static int error_of(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static int events(int fd, int want)
{
	struct pollfd p = { .fd = fd, .events = want };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static int accept_soon(int at)
{
	return soon(events(at, POLLIN)) ? accept4(at, NULL, NULL, SOCK_CLOEXEC) : -1;
}

/* connected by the host: its socket */
static int from_host(void)
{
	int fd = new_socket(SOCK_NONBLOCK);
	uint32_t endpoint;

	if (connect_errno(fd, CID, GUEST_PORT) != -EINPROGRESS ||
	    !offered(GUEST_PORT, &endpoint, true) || !open_channel() ||
	    !soon(events(fd, POLLOUT)) || error_of(fd)) {
		tap_ok(false, "the host connects");
		close(fd);
		return -1;
	}
	fcntl(fd, F_SETFL, 0);
	return fd;
}

/* by the guest */
static int from_guest(int at)
{
	uint32_t endpoint;
	int fd;

	want(GUEST_END, HOST_PORT);
	if (!offered(HOST_PORT, &endpoint, false) || endpoint != GUEST_END)
		return -1;
	fd = accept_soon(at);
	return fd >= 0 && open_channel() ? fd : -1;
}

static bool reads(int fd, const char *text)
{
	char buf[64] = "";
	size_t len = strlen(text);

	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len && !memcmp(buf, text, len);
}

/* both say that they are done; the channel and the socket go */
static void finish(int fd, const char *what)
{
	uint8_t buf[4096];

	shutdown(fd, SHUT_WR);
	tap_ok(hear(buf) == 0 && say("", 0) && recv(fd, buf, 1, 0) == 0 && rescinded(),
	       "%s: both end, and the channel is gone", what);
	close(fd);
}

/* ---- the device ---- */

static void again(int ret)
{
	int n = open_device();

	dup2(n, b);
	close(n);
	fcntl(b, F_SETFD, FD_CLOEXEC);
	(void)ret;
}

static void device_rules(void)
{
	int dev = ov_open(), part = ov_partition(dev, "x"), other = open_device(), c;
	struct ovid_vsock_bind good = { sizeof(good), 0, part, CID };
	struct ovid_vmbus_sockets sockets = { sizeof(sockets), 0 };
	static const uint32_t bad[] = { 0, 1, 2, VMADDR_CID_ANY };

	b = open_device();
	tap_ok(b >= 0, "the device");
	tap_is(bind_cid(b, part, CID), -ENXIO, "no bus");
	create(part, 0);
	ov_size_rules(b, "OVID_VSOCK_BIND", OVID_VSOCK_BIND, &good, sizeof(good), again);
	ov_field_fails(b, "OVID_VSOCK_BIND", OVID_VSOCK_BIND, &good, sizeof(good), 4, 1, 4, EINVAL);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		tap_is(bind_cid(b, part, bad[i]), -EINVAL, "CID %u", bad[i]);
	tap_is(bind_cid(b, -1, CID), -EBADF, "no file");
	tap_is(bind_cid(b, dev, CID), -EINVAL, "no partition");
	tap_is(ov_ioctl(b, OVID_SOCKET_REPLY, &good), -ENOTTY, "another file's call");
	tap_is(bind_cid(b, part, CID), 0, "bound");
	tap_is(bind_cid(b, part, CID + 1), -EBUSY, "a file binds one");
	tap_is(bind_cid(other, part, CID), -EADDRINUSE, "a CID is one VM's");
	tap_is(bind_cid(other, part, CID + 1), -EEXIST, "a VM has one");
	tap_is(ov_ioctl(part, OVID_VMBUS_SOCKETS, &sockets), -EEXIST, "no file C besides");
	tap_ok(!take_out(), "the module stays");
	again(0);
	c = ov_ioctl(part, OVID_VMBUS_SOCKETS, &sockets);
	tap_ok(c >= 0, "file C when it is closed");
	tap_is(bind_cid(b, part, CID), -EEXIST, "and no CID besides");
	close(c);
	tap_is(bind_cid(b, part, CID), 0, "again");
	close(part);
	tap_is(connect_errno(c = new_socket(0), CID, 1), -EHOSTUNREACH, "the file holds the partition");
	close(c);
	again(0);
	tap_is(connect_errno(c = new_socket(0), CID, 1), -ENODEV, "nobody has the CID");
	close(c);
	tap_is(connect_errno(c = socket(AF_VSOCK, SOCK_SEQPACKET, 0), CID, 1), -ESOCKTNOSUPPORT,
	       "no packets");
	close(c);
	close(other);
	close(dev);
}

/* ---- connections ---- */

static void host_connects(void)
{
	struct sockaddr_vm sa;
	socklen_t len = sizeof(sa);
	uint32_t endpoint;
	int fd = new_socket(SOCK_NONBLOCK);
	char text[8] = "";

	tap_is(connect_errno(fd, CID, GUEST_PORT), -EINPROGRESS, "the host connects");
	tap_ok(offered(GUEST_PORT, &endpoint, true), "a channel is offered");
	getsockname(fd, (struct sockaddr *)&sa, &len);
	tap_is(endpoint, sa.svm_port, "with the socket's port");
	tap_is(events(fd, POLLIN | POLLOUT) & (POLLIN | POLLOUT), 0, "nothing before it is open");
	tap_ok(open_channel() && soon(events(fd, POLLOUT)), "the guest opens it");
	tap_is(error_of(fd), 0, "and it is connected");
	fcntl(fd, F_SETFL, 0);
	tap_ok(send(fd, "hello", 5, 0) == 5 && hears("hello"), "the host says, the guest hears");
	tap_ok(say("guten", 5) && say(" Tag", 4) && reads(fd, "guten Tag"), "the guest says, in two");
	tap_ok(say("abc", 3) && recv(fd, text, 8, MSG_PEEK) == 3 && reads(fd, "abc"), "a peek");
	finish(fd, "the host's");
}

static void guest_connects(void)
{
	int at = listen_at(VMADDR_CID_ANY, HOST_PORT, 1), fd, second;
	struct sockaddr_vm sa = {};
	socklen_t len = sizeof(sa);
	uint32_t endpoint;

	want(GUEST_END, HOST_PORT + 1);
	tap_ok(told(GUEST_END, REFUSED), "nobody listens: refused");
	fd = from_guest(at);
	tap_ok(fd >= 0, "the guest connects");
	tap_ok(!getpeername(fd, (struct sockaddr *)&sa, &len) && sa.svm_cid == CID &&
	       sa.svm_port == GUEST_END, "as its CID and port");
	tap_ok(!getsockname(fd, (struct sockaddr *)&sa, &len) && sa.svm_cid == VMADDR_CID_HOST &&
	       sa.svm_port == HOST_PORT, "to the host's");
	tap_ok(say("hello", 5) && reads(fd, "hello"), "the guest says");
	tap_ok(send(fd, "hello", 5, 0) == 5 && hears("hello"), "the host says");
	/* the backlog is one, and Linux takes one more */
	for (second = 0; second < 2; second++) {
		uint32_t relid = g.relid;

		want(GUEST_END + 1 + second, HOST_PORT);
		tap_ok(offered(HOST_PORT, &endpoint, false), "one that waits to be accepted");
		g.relid = relid;
	}
	want(GUEST_END + 3, HOST_PORT);
	tap_ok(told(GUEST_END + 3, NO_RESOURCES), "one too many is refused");
	close(at);
	tap_ok(say("still", 5) && reads(fd, "still"), "the listener goes, the connection stays");
	want(GUEST_END + 4, HOST_PORT);
	tap_ok(told(GUEST_END + 4, REFUSED), "the guest is refused again");
	/* what was not accepted ends when the guest does not open it */
	for (second = 0; second < 2; second++) {
		uint32_t m[3] = {}, was = g.relid;

		while (receive(m, 3) != RESCIND)
			if (!soon(load(SLOT)) && second > 10)
				break;
		tap_is(m[0], RESCIND, "what was not accepted goes");
		post_relid(RELEASED, m[2]);
		g.relid = was;
	}
	finish(fd, "the guest's");
}

static void no_answer(void)
{
	struct timeval limit = { 0, 100000 };
	int fd = new_socket(0);
	uint32_t endpoint;

	setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &limit, sizeof(limit));
	tap_is(connect_errno(fd, CID, GUEST_PORT), -ETIMEDOUT, "a guest that does not open it");
	tap_ok(offered(GUEST_PORT, &endpoint, true) && rescinded(), "sees it come and go");
	limit.tv_sec = 20;
	setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &limit, sizeof(limit));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	tap_is(connect_errno(fd, CID, GUEST_PORT), -EINPROGRESS, "the same socket once more");
	tap_ok(offered(GUEST_PORT, &endpoint, true) && open_channel() && soon(events(fd, POLLOUT)) &&
	       !error_of(fd), "connects");
	fcntl(fd, F_SETFL, 0);
	finish(fd, "it");
	fd = new_socket(SOCK_NONBLOCK);
	connect_errno(fd, CID, GUEST_PORT);
	tap_ok(offered(GUEST_PORT, &endpoint, true), "one that");
	close(fd);
	tap_ok(rescinded(), "is closed before it is open");
}

/* ---- space ---- */

static uint8_t byte_at(uint32_t n)
{
	return n * 2654435761u >> 13;
}

/* the guest hears @bytes of the pattern: all of them, and right */
static bool hears_pattern(uint32_t bytes)
{
	uint8_t buf[4096];
	uint32_t done = 0;

	while (done < bytes) {
		int n = hear(buf);

		if (n <= 0)
			return false;
		for (int i = 0; i < n; i++, done++)
			if (buf[i] != byte_at(done))
				return false;
	}
	return done == bytes;
}

static void deaf_guest(void)
{
	static uint8_t buf[8192];
	uint32_t done = 0;
	int fd = from_host(), quiet = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (quiet < 20 && done < 1u << 20) {
		ssize_t n;

		for (uint32_t i = 0; i < sizeof(buf); i++)
			buf[i] = byte_at(done + i);
		n = send(fd, buf, sizeof(buf), 0);
		done += n > 0 ? n : 0;
		quiet = n > 0 ? 0 : quiet + 1;
		if (n < 0)
			ov_sleep_ms(5);
	}
	tap_ok(done >= STREAM && done <= STREAM + 4096, "a guest that hears nothing: %u bytes are kept",
	       done);
	tap_is(events(fd, POLLOUT), 0, "and no more is taken");
	tap_ok(hears_pattern(done), "it hears all of them");
	tap_ok(soon(events(fd, POLLOUT)), "then there is space");
	fcntl(fd, F_SETFL, 0);
	finish(fd, "it");
}

static bool host_hears_pattern(int fd, uint32_t bytes)
{
	static uint8_t buf[1u << 20];
	uint32_t i = 0;

	/* more than a stream holds at a time */
	if (recv(fd, buf, bytes, MSG_WAITALL) != (ssize_t)bytes)
		return false;
	while (i < bytes && buf[i] == byte_at(i))
		i++;
	return i == bytes;
}

static void deaf_host(void)
{
	uint8_t buf[MAX_SAID];
	int fd = from_host(), quiet = 0, low = STREAM;
	uint32_t done = 0;

	while (quiet < 20 && done < 1u << 20) {
		uint32_t len = 1 + done % MAX_SAID;
		bool took;

		for (uint32_t i = 0; i < len; i++)
			buf[i] = byte_at(done + i);
		took = say(buf, len);
		done += took ? len : 0;
		quiet = took ? 0 : quiet + 1;
		if (!took)
			ov_sleep_ms(5);
	}
	tap_ok(done >= STREAM && done <= STREAM + 4096, "a host that hears nothing: %u bytes are kept",
	       done);
	tap_is(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)), 0, "a low water mark");
	tap_ok(events(fd, POLLIN) & POLLIN, "of all that is kept is reached");
	low++;
	tap_fails(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)), EINVAL, "not of more");
	tap_ok(host_hears_pattern(fd, done), "it hears all of them");
	tap_ok(once(say("x", 1)) && reads(fd, "x"), "then there is space");
	finish(fd, "it");
}

/* ---- ends ---- */

static void host_ends_first(void)
{
	int fd = from_host();
	uint8_t buf[4096];

	send(fd, "last", 4, 0);
	shutdown(fd, SHUT_WR);
	tap_ok(hears("last") && hear(buf) == 0, "the host ends first");
	tap_fails(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE, "it says no more");
	tap_ok(say("more", 4) && reads(fd, "more"), "the guest does");
	tap_ok(say("", 0) && recv(fd, buf, 1, 0) == 0 && rescinded(), "to its end");
	tap_ok(events(fd, POLLIN) & POLLHUP, "nobody is there");
	close(fd);
}

static void guest_ends_first(void)
{
	int fd = from_host();
	uint8_t buf[4096];

	tap_ok(say("last", 4) && say("", 0) && soon(events(fd, POLLRDHUP) & POLLRDHUP),
	       "the guest ends first");
	tap_ok(reads(fd, "last") && recv(fd, buf, 1, 0) == 0, "the host hears all, and the end");
	tap_ok(send(fd, "more", 4, 0) == 4 && hears("more"), "it says more");
	close(fd);
	tap_ok(hear(buf) == 0 && rescinded(), "closed: the guest hears the end");
}

/* who goes at once */
static void host_goes(void)
{
	int fd = from_host();
	uint8_t buf[4096];

	send(fd, "bye", 3, 0);
	close(fd);
	tap_ok(hears("bye") && hear(buf) == 0, "a program that goes is heard to its end");
	tap_ok(say("", 0) && rescinded(), "then the guest ends");
	fd = from_host();
	close(fd);
	tap_ok(hear(buf) == 0 && say("you?", 4) && rescinded(), "nobody is there to hear the guest");
}

static void guest_goes(void)
{
	int fd = from_host();
	uint32_t relid, old;
	char c;

	say("half", 4);
	/* as if the bus had taken the message before it looked into the ring */
	put_packet(DATA_INBAND, TYPE_DATA, 3, "way", 3, &old);
	post_relid(CLOSE, g.relid);
	tap_ok(rescinded(), "the guest closes the channel");
	tap_ok(reads(fd, "halfway"), "what it has said is heard");
	tap_fails(recv(fd, &c, 1, 0), ECONNRESET, "then the host is told that it was not all");
	tap_fails(send(fd, "x", 1, MSG_NOSIGNAL), ECONNRESET, "and when it says more");
	close(fd);
	fd = from_host();
	tap_is(connect_guest(&relid), 0, "the guest begins anew");
	tap_fails(recv(fd, &c, 1, 0), ECONNRESET, "a connection of before is reset");
	close(fd);
}

/* ---- a guest that talks nonsense ---- */

static void nonsense(const char *what, uint16_t type, uint32_t kind, uint32_t claim, uint32_t len)
{
	uint8_t bytes[64] = { 0 };
	int fd = from_host();
	char c;

	say("good", 4);
	say_packet(type, kind, claim, bytes, len);
	tap_ok(reads(fd, "good") && recv(fd, &c, 1, 0) < 0 && errno == ECONNRESET && rescinded(),
	       "%s: reset", what);
	close(fd);
}

static void all_nonsense(void)
{
	int fd;
	char c;

	nonsense("more bytes than there are", DATA_INBAND, TYPE_DATA, 17, 16);
	nonsense("far more", DATA_INBAND, TYPE_DATA, ~0u, 16);
	nonsense("more than a packet may have", DATA_INBAND, TYPE_DATA, 16385, 16);
	nonsense("another kind", DATA_INBAND, 2, 16, 16);
	nonsense("another type of packet", 7, TYPE_DATA, 16, 16);
	fd = from_host();
	say("", 0);
	say("more", 4);
	tap_ok(once(recv(fd, &c, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET) && rescinded(), "more behind its end: reset");
	close(fd);
	fd = from_host();
	guest_set(&g.out, G_WRITE, 4097);
	signal_host();
	tap_ok(recv(fd, &c, 1, 0) < 0 && errno == ECONNRESET && rescinded(), "a broken ring: reset");
	close(fd);
}

/* ---- life ---- */

static void too_many(void)
{
	int fd[300], n = 0, err = 0;
	uint32_t m[3];

	for (; n < 300 && !err; n++) {
		fd[n] = new_socket(SOCK_NONBLOCK);
		err = connect_errno(fd[n], CID, GUEST_PORT + n);
		if (err == -EINPROGRESS)
			err = 0;
	}
	tap_is(err, -ENOBUFS, "one too many");
	tap_is(n, 257, "behind 256");
	while (n--)
		close(fd[n]);
	/* so many messages wait that some were on their way already */
	while (receive(m, 3))
		;
	tap_is(connect_guest(m), 0, "a new connection of the guest's");
	n = from_host();
	finish(n, "there is room again");
}

static void unbind(void)
{
	int at = listen_at(VMADDR_CID_HOST, HOST_PORT, 4), fd = from_guest(at), waits = new_socket(O_NONBLOCK);
	uint32_t endpoint, was = g.relid;
	char c;

	tap_ok(fd >= 0, "a connection,");
	connect_errno(waits, CID, GUEST_PORT);
	tap_ok(offered(GUEST_PORT, &endpoint, true), "one that is not open yet,");
	g.relid = was;
	say("half", 4);
	tap_ok(soon(events(fd, POLLIN) & POLLIN), "bytes on their way,");
	again(0);
	tap_ok(reads(fd, "half"), "and the CID is given back: what came before is heard");
	tap_fails(recv(fd, &c, 1, 0), ECONNRESET, "then it is reset");
	tap_ok(soon(events(waits, POLLOUT)) && error_of(waits) == ECONNRESET, "so is who waits");
	tap_ok(!take_out(), "the module stays while there are sockets");
	close(fd);
	close(waits);
	close(at);
	want(GUEST_END, HOST_PORT);
	for (int i = 0; i < 3; i++) {
		uint32_t m[11] = {};

		receive(m, 11);
		if (m[0] == RESCIND)
			post_relid(RELEASED, m[2]);
		else
			tap_is(m[0], TL_RESULT, "nobody takes connects");
	}
	tap_is(bind_cid(b, vm.part, CID), 0, "bound again");
	fd = from_host();
	finish(fd, "and connected");
}

/* a VM whose process is killed while it talks; the parent has inherited nothing of it */
static void killed(void)
{
	int to[2], from[2], fd = new_socket(SOCK_NONBLOCK), n;
	static char buf[65536];
	pid_t pid;
	char c;

	if (pipe(to) || pipe(from))
		tap_bail("pipe");
	again(0);
	ov_vm_destroy(&vm);
	pid = fork();
	if (!pid) {
		uint32_t endpoint;

		close(b);
		start();
		create(vm.part, 0);
		connect_guest(&endpoint);
		b = open_device();
		if (bind_cid(b, vm.part, CID + 1) || write(from[1], "", 1) != 1 ||
		    !offered(GUEST_PORT, &endpoint, true) || !open_channel())
			_exit(1);
		say("alive", 5);
		for (;;)
			hear(buf);
	}
	n = read(from[0], &c, 1);
	connect_errno(fd, CID + 1, GUEST_PORT);
	tap_ok(n == 1 && soon(events(fd, POLLIN) & POLLIN), "another process's VM");
	tap_ok(send(fd, buf, sizeof(buf), 0) > 0, "bytes go to it");
	fcntl(fd, F_SETFL, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_ok(reads(fd, "alive"), "it is killed: what it has said is heard");
	tap_fails(recv(fd, &c, 1, 0), ECONNRESET, "then it is reset");
	close(fd);
	tap_ok(soon(ov_partitions() == 0), "nothing of it is left");
}

int main(void)
{
	uint32_t relid;

	tap_begin("abi-vsock", 600);
	if (!shell("modprobe vsock && modprobe vhost_vsock")) {
		tap_skip("sockets of the host's", "it has no AF_VSOCK");
		return tap_done();
	}
	tap_ok(!insert(), "not beside vhost_vsock");
	tap_ok(shell("rmmod vhost_vsock") && insert(), "but without");
	device_rules();
	start();
	create(vm.part, 0);
	connect_guest(&relid);
	tap_is(bind_cid(b, vm.part, CID), 0, "a guest with a CID");
	host_connects();
	guest_connects();
	no_answer();
	deaf_guest();
	deaf_host();
	host_ends_first();
	guest_ends_first();
	host_goes();
	guest_goes();
	all_nonsense();
	too_many();
	unbind();
	killed();
	close(b);
	tap_ok(take_out_later(), "the module goes");
	return tap_done();
}
