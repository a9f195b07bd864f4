// SPDX-License-Identifier: GPL-2.0-only
/* connects of the guest's sockets: OVID_VMBUS_SOCKETS, file C, OVID_SOCKET_REPLY, their offers */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/bus.h"

enum { TL_CONNECT = 21, TL_RESULT = 23 };
#define REFUSED		0xc0000236u
#define UNSUCCESSFUL	0xc0000001u
#define NO_RESOURCES	0xc000009au

static int sockets(int part)
{
	struct ovid_vmbus_sockets arg = { sizeof(arg), 0 };
	int c = ov_ioctl(part, OVID_VMBUS_SOCKETS, &arg);

	if (c >= 0)
		fcntl(c, F_SETFL, O_NONBLOCK);
	return c;
}

static int reply_to(int c, uint64_t id, uint32_t refuse)
{
	struct ovid_socket_reply arg = { sizeof(arg), 0, id, refuse, 0 };

	return ov_ioctl(c, OVID_SOCKET_REPLY, &arg);
}

/* the guest wants to connect; each byte of the ids is the same */
static void want(uint8_t endpoint, uint8_t service, uint8_t silo)
{
	struct { uint32_t type, pad; uint8_t endpoint[16], service[16], silo[16]; } m = {
		.type = TL_CONNECT
	};

	memset(m.endpoint, endpoint, 16);
	memset(m.service, service, 16);
	memset(m.silo, silo, 16);
	post(&m, silo ? 56 : 40);
}

/* it is told that @endpoint was refused: by this status */
static bool told(uint8_t endpoint, uint32_t status)
{
	uint32_t m[11] = {};

	return receive(m, 11) == TL_RESULT && m[2] == endpoint * 0x01010101u && m[10] == status;
}

/* the next one that comes to the host */
static struct ovid_socket_connect take(int c)
{
	struct ovid_socket_connect s = {};

	if (!soon(ready(c) == POLLIN) || read(c, &s, sizeof(s)) != sizeof(s))
		memset(&s, 0, sizeof(s));
	return s;
}

static int offer_socket(int part, uint8_t endpoint, uint8_t service)
{
	struct ovid_vmbus_offer arg = {
		.size = sizeof(arg), .offer_flags = OVID_OFFER_SOCKET | OVID_OFFER_PIPE,
	};

	memset(arg.type, service, 16);
	memset(arg.instance, endpoint, 16);
	return ov_ioctl(part, OVID_VMBUS_OFFER, &arg);
}

/* ---- rules ---- */

static void file_rules(void)
{
	struct ovid_vmbus_sockets good = { sizeof(good), 0 };
	struct ovid_socket_reply r = { sizeof(r), 0, 1, 0, 0 };
	struct ovid_socket_connect s;
	int dev = ov_open(), part = ov_partition(dev, "x"), c;

	tap_is(sockets(part), -ENXIO, "no bus");
	create(part, 0);
	ov_size_rules(part, "OVID_VMBUS_SOCKETS", OVID_VMBUS_SOCKETS, &good, sizeof(good), close_it);
	ov_field_fails(part, "OVID_VMBUS_SOCKETS", OVID_VMBUS_SOCKETS, &good, sizeof(good), 4, 1, 4,
		       EINVAL);
	c = sockets(part);
	tap_ok(c >= 0, "a file");
	tap_ok(fcntl(c, F_GETFD) & FD_CLOEXEC, "is not inherited");
	tap_is(sockets(part), -EEXIST, "there is one");
	tap_is(ready(c), 0, "nothing to read");
	tap_fails(read(c, &s, sizeof(s)), EAGAIN, "so nothing is read");
	tap_fails(read(c, &s, sizeof(s) - 1), EINVAL, "nor less than one");
	tap_fails(write(c, &s, sizeof(s)), EINVAL, "nothing can be written");
	tap_is(ov_ioctl(c, OVID_CHANNEL_SIGNAL, NULL), -ENOTTY, "a channel's call");
	ov_size_refused(c, "OVID_SOCKET_REPLY", OVID_SOCKET_REPLY, &r, sizeof(r));
	tap_is(reply_to(c, 0, 0), -ESTALE, "nothing to reply to");
	tap_is(reply_to(c, 1, 4096), -EINVAL, "no errno");
	r = (struct ovid_socket_reply){ sizeof(r), 0, 1, 0, 1 };
	tap_is(ov_ioctl(c, OVID_SOCKET_REPLY, &r), -EINVAL, "padding");
	tap_is(offer_socket(part, 1, 2), -ENOTCONN, "a socket's channel, and nobody there");
	close(part);
	tap_is(reply_to(c, 0, 0), -ESTALE, "the file holds the partition");
	close(c);
	close(dev);
}

/* ---- connects ---- */

static void answers(void)
{
	struct ovid_socket_connect s;
	uint32_t relid = 0;
	int c;

	want(1, 2, 0);
	tap_ok(told(1, REFUSED), "nobody takes connects: refused");
	c = sockets(vm.part);
	want(3, 4, 0);
	s = take(c);
	tap_ok(s.id && s.endpoint[15] == 3 && s.service[0] == 4 && !s.silo[7], "one is read");
	tap_is(ready(c), 0, "once");
	tap_is(reply_to(c, s.id + 1, 0), -ESTALE, "another one's reply");
	tap_is(reply_to(c, s.id, ECONNREFUSED), 0, "refused");
	tap_ok(told(3, REFUSED), "as the guest is told");
	tap_is(reply_to(c, s.id, 0), -ESTALE, "once");
	want(5, 6, 7);
	s = take(c);
	tap_ok(s.endpoint[0] == 5 && s.silo[0] == 7 && s.silo[15] == 7, "one with a silo");
	tap_is(reply_to(c, s.id, EPERM), 0, "refused otherwise");
	tap_ok(told(5, UNSUCCESSFUL), "as the guest is told");
	tap_is(reply_to(c, s.id + 1, EPERM), -ESTALE, "one that was not read");

	want(8, 9, 0);
	want(10, 9, 0);
	s = take(c);
	tap_is(s.endpoint[0], 8, "the first of two");
	want(11, 9, 0);
	close(c);
	tap_ok(told(8, REFUSED) && told(10, REFUSED) && told(11, REFUSED),
	       "closed: those that were read and not read are refused");
	want(12, 9, 0);
	tap_ok(told(12, REFUSED), "and what comes after");
	tap_is(relid, 0, "no channel was offered");
}

static void channels(void)
{
	struct ovid_socket_connect s;
	uint32_t m[47] = {}, relid;
	int c = sockets(vm.part), h, g;

	want(0x21, 0x22, 0);
	s = take(c);
	h = offer_socket(vm.part, s.endpoint[0], s.service[0]);
	tap_ok(h >= 0, "accepted");
	tap_is(reply_to(c, s.id, 0), 0, "by an offer");
	tap_is(receive(m, 47), OFFER, "which the guest gets");
	tap_ok(m[2] == 0x22222222 && m[6] == 0x21212121 && (m[14] & 0xffff) == 0x2010,
	       "of this service and endpoint");
	tap_is(offer_socket(vm.part, 0x21, 0x22), -EEXIST, "the same again");
	relid = m[46];
	close(h);
	tap_ok(receive(m, 3) == RESCIND && m[2] == relid, "closed: taken back");
	post_relid(RELEASED, relid);

	/* it goes with the connection; its file, and a connect's id, mean nothing then */
	h = offer_socket(vm.part, 0x31, 0x32);
	tap_is(receive(m, 47), OFFER, "another");
	want(0x41, 0x42, 0);
	s = take(c);
	tap_is(connect_guest(&relid), 0, "a new connection has no offers");
	tap_is(reply_to(c, s.id, EPERM), -ESTALE, "and no connects");
	tap_is(info_of(h).relid, 0, "the channel is nobody's");
	g = offer_socket(vm.part, 0x31, 0x32);
	tap_is(receive(m, 47), OFFER, "one of the same name, for the new one");
	close(h);
	want(0x51, 0x52, 0);
	tap_is(take(c).endpoint[0], 0x51, "the old one's end harms nobody");
	close(g);
	tap_is(receive(m, 3), RESCIND, "nor the new one");
	close(c);
	tap_ok(told(0x51, REFUSED), "the end");
}

static void full(void)
{
	struct ovid_socket_connect s = {};
	int c = sockets(vm.part), n = 0;

	for (int i = 0; i < OVID_MAX_CONNECTS; i++)
		want(i, 1, 0);
	want(0x77, 1, 0);
	tap_ok(told(0x77, NO_RESOURCES), "one too many is refused at once");
	while (ready(c) == POLLIN && read(c, &s, sizeof(s)) == sizeof(s) && s.endpoint[0] == n)
		n++;
	tap_is(n, OVID_MAX_CONNECTS, "the others are read, in order");
	want(0x78, 1, 0);
	tap_ok(told(0x78, NO_RESOURCES), "those that were read count");
	tap_is(reply_to(c, s.id - 10, 0), 0, "one is answered");
	want(0x79, 1, 0);
	tap_is(take(c).endpoint[0], 0x79, "there is room for another");
	tap_is(reply_to(c, s.id - 10, 0), -ESTALE, "not twice");
	tap_ok(!reply_to(c, s.id, EPERM) && told(63, UNSUCCESSFUL), "they are answered in any order");
	tap_is(connect_guest(&(uint32_t){ 0 }), 0, "a new connection");
	close(c);
	want(0x7a, 1, 0);
	tap_ok(told(0x7a, REFUSED), "of the old one's nothing is told");
}

static void *reader(void *arg)
{
	struct ovid_socket_connect s;

	return (void *)(intptr_t)(read(*(int *)arg, &s, sizeof(s)) == sizeof(s) ? s.endpoint[0] : -1);
}

static void blocking(void)
{
	struct ovid_vmbus_sockets arg = { sizeof(arg), 0 };
	int c = ov_ioctl(vm.part, OVID_VMBUS_SOCKETS, &arg);
	pthread_t t;
	void *got;

	pthread_create(&t, NULL, reader, &c);
	ov_sleep_ms(20);
	want(0x61, 1, 0);
	pthread_join(t, &got);
	tap_is((intptr_t)got, 0x61, "a connect wakes a reader");
	/* the last file but those that the guest's end closes: P and V first */
	ov_vm_destroy(&vm);
	close(c);
}

int main(void)
{
	uint32_t relid = 0;

	tap_begin("abi-sockets", 120);
	file_rules();
	start();
	create(vm.part, 0);
	connect_guest(&relid);
	answers();
	channels();
	full();
	blocking();
	return tap_done();
}
