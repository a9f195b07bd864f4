// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "../worker/chario.h"
#include "tap.h"

static struct chario c;
static int wakes;

static void on_wake(void *arg)
{
	(void)arg;
	wakes++;
}

static void put(unsigned int n)
{
	while (n--)
		chario_put(&c, 'a' + n % 26);
}

static size_t take(int fd)
{
	static char buf[1 << 20];
	ssize_t n = read(fd, buf, sizeof(buf));

	return n < 0 ? 0 : n;
}

static void test_patient(void)
{
	int p[2];

	chario_init(&c, on_wake, NULL);
	if (pipe2(p, O_NONBLOCK))
		return;
	chario_attach(&c, -1, p[1], true);
	put(100);
	CHECK(wakes == 1, "one wake for many bytes");
	CHECK(chario_pending(&c), "pending");
	chario_drain(&c);
	CHECK(take(p[0]) == 100 && !chario_pending(&c), "drained");
	while (chario_put(&c, 'x'))
		;
	CHECK(chario_drain(&c), "a full ring refuses; draining makes room");
	while (chario_put(&c, 'x'))
		;
	chario_drain(&c);
	CHECK(!chario_put(&c, 'y') || chario_pending(&c), "a full pipe stalls");
	take(p[0]);
	CHECK(chario_drain(&c) || !chario_pending(&c), "until it is read");
	close(p[0]);
	put(10);
	chario_drain(&c);
	CHECK(!c.sink[0].used, "a broken pipe is dropped");
}

static void test_visitor(void)
{
	int p[2];

	chario_init(&c, on_wake, NULL);
	put(CHARIO_RING + 1000);
	CHECK(c.head == CHARIO_RING + 1000, "nobody listening holds nothing up");
	if (pipe2(p, O_NONBLOCK))
		return;
	fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
	chario_attach(&c, -1, p[1], false);
	chario_drain(&c);
	CHECK(take(p[0]) == CHARIO_RING, "a visitor sees the last 64 KiB");
	for (int i = 0; i < CHARIO_SINKS; i++)
		chario_attach(&c, -1, -1, false);
	CHECK(chario_attach(&c, -1, -1, false) < 0, "sinks are limited");
}

static void test_input(void)
{
	struct pollfd pfd[2 * CHARIO_SINKS];
	unsigned int nr;
	u8 buf[16];
	int p[2];

	chario_init(&c, on_wake, NULL);
	if (pipe2(p, O_NONBLOCK))
		return;
	chario_attach(&c, p[0], -1, true);
	CHECK(chario_poll(&c, pfd, false) == 0, "no room: not asked");
	CHECK(write(p[1], "hi", 2) == 2, "typed");
	nr = chario_poll(&c, pfd, true);
	poll(pfd, nr, 0);
	CHECK(chario_read(&c, pfd, nr, buf, sizeof(buf)) == 2, "read");
	close(p[1]);
	poll(pfd, nr, 0);
	CHECK(chario_read(&c, pfd, nr, buf, sizeof(buf)) == 0 && c.sink[0].in == -1 &&
	      c.sink[0].used, "end of input keeps the output");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_patient();
	test_visitor();
	test_input();
	return tap_done();
}
