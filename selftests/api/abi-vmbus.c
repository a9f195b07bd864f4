// SPDX-License-Identifier: GPL-2.0-only
/* the bus and its channels: OVID_VMBUS_CREATE, OVID_VMBUS_OFFER, and the calls of file H */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/bus.h"

/* ---- rules ---- */

static int create_with(uint32_t size, uint32_t flags, uint32_t pad, uint32_t tail)
{
	struct { struct ovid_vmbus_create c; uint32_t tail[2]; } arg = {
		{ size, flags, 0, pad }, { 0, tail }
	};
	int dev = ov_open(), part = ov_partition(dev, "x"), ret;

	ret = ov_ioctl(part, OVID_VMBUS_CREATE, &arg);
	close(part);
	close(dev);
	return ret;
}

static void create_rules(void)
{
	struct ovid_synic_port port = { sizeof(port), 0, 4, OVID_PORT_MESSAGE, 0, 1 };
	uint32_t size = sizeof(struct ovid_vmbus_create);
	int dev = ov_open(), part, q, status;
	pid_t child;

	tap_is(create_with(size, 0, 0, 0), 0, "a bus");
	tap_is(create_with(size + 8, 0, 0, 0), 0, "a longer struct whose tail is zero");
	tap_is(create_with(size + 8, 0, 0, 1), -E2BIG, "one whose tail is not zero");
	tap_is(create_with(0, 0, 0, 0), -EINVAL, "size 0");
	tap_is(create_with(7, 0, 0, 0), -EINVAL, "size 7");
	tap_is(create_with(size, 2, 0, 0), -EINVAL, "an unknown flag");
	tap_is(create_with(size, 0, 1, 0), -EINVAL, "padding");

	part = ov_partition(dev, "x");
	tap_is(ov_ioctl(part, OVID_VMBUS_CREATE, NULL), -EFAULT, "a null pointer");
	tap_is(offer(part, "echo", 0), -ENXIO, "an offer without a bus");
	q = ov_ioctl(part, OVID_SYNIC_PORT, &port);
	tap_is(create(part, 0), -EEXIST, "one of its ids is a process's");
	close(q);
	child = fork();
	if (!child)
		_exit(create(part, 0) == -EIO ? 0 : 1);
	waitpid(child, &status, 0);
	tap_is(status, 0, "another process cannot make it");
	tap_is(create(part, 0), 0, "now it is made");
	tap_is(create(part, 0), -EEXIST, "there is one");
	tap_is(ov_ioctl(part, OVID_SYNIC_PORT, &port), -EEXIST, "its ids are in use");
	port = (struct ovid_synic_port){ sizeof(port), 0, 4, OVID_PORT_NONE, 0, 0 };
	tap_is(ov_ioctl(part, OVID_SYNIC_PORT, &port), -ENOENT, "and no process's");
	close(part);
	close(dev);
}

static void offer_rules(void)
{
	struct ovid_vmbus_offer good = offer_of("echo", 5);
	int dev = ov_open(), part = ov_partition(dev, "x"), h, i;
#define FAILS(field, value, bytes, error)						\
	ov_field_fails(part, "OVID_VMBUS_OFFER", OVID_VMBUS_OFFER, &good, sizeof(good),	\
		       offsetof(struct ovid_vmbus_offer, field), value, bytes, error)

	create(part, 0);
	ov_size_rules(part, "OVID_VMBUS_OFFER", OVID_VMBUS_OFFER, &good, sizeof(good), close_it);
	FAILS(flags, 1, 4, EINVAL);
	FAILS(latency, 1, 2, EINVAL);
	FAILS(latency, OVID_VMBUS_LATENCY_MIN - 1, 2, EINVAL);
	FAILS(provider, 'x', 8, ENOENT);
	FAILS(provider[4], 'o', 1, ENOENT);
	FAILS(sub_index, 1, 2, ENOTCONN);
	memset(good.provider, 'e', sizeof(good.provider));
	tap_is(ov_ioctl(part, OVID_VMBUS_OFFER, &good), -EINVAL, "a name without an end");

	h = offer(part, "echo", 5);
	tap_ok(h >= 0, "a channel");
	tap_ok(fcntl(h, F_GETFD) & FD_CLOEXEC, "its file is not inherited");
	tap_is(offer(part, "echo", 5), -EEXIST, "the same once more");
	tap_is(offer(part, "", 5), -EEXIST, "the same by another provider");
	i = offer(part, "echo", 6);
	tap_ok(i >= 0, "another instance");
	close(i);
	i = offer(part, "echo", 0);
	tap_ok(i >= 0, "the provider's own ids");
	close(i);
	good = offer_of("echo", 7);
	good.latency = OVID_VMBUS_LATENCY_MIN;
	i = ov_ioctl(part, OVID_VMBUS_OFFER, &good);
	tap_ok(i >= 0, "with a monitor");
	close(h);
	h = offer(part, "", 5);
	tap_ok(h >= 0, "a closed one's ids are free");
	close(h);
	close(i);
	close(part);
	close(dev);
}

static void many(void)
{
	struct rlimit files = { 4096, 4096 };
	int dev = ov_open(), part = ov_partition(dev, "x"), n;
	static int h[2048];

	setrlimit(RLIMIT_NOFILE, &files);
	create(part, 0);
	for (n = 0; n < 2048; n++) {
		h[n] = offer(part, "", n + 1);
		if (h[n] < 0)
			break;
	}
	tap_is(n, 2047, "2047 channels");
	tap_is(h[n], -ENOSPC, "and no more");
	close(h[1000]);
	h[1000] = offer(part, "echo", 0);
	tap_ok(h[1000] >= 0, "but in the place of another");
	while (n--)
		close(h[n]);
	close(part);
	close(dev);
}

/* ---- a channel that nobody has opened ---- */

static void closed_calls(int h, bool user)
{
	struct ovid_channel_info info = { .size = sizeof(info) };
	struct ovid_channel_reply r = { .size = sizeof(r) };
	int e = eventfd(0, EFD_NONBLOCK);
	struct ovid_channel_eventfd arg = { sizeof(arg), 0, e, 0 };
	char b[sizeof(struct ovid_channel_event)];

	ov_size_rules(h, "OVID_CHANNEL_INFO", OVID_CHANNEL_INFO, &info, sizeof(info), NULL);
	info = info_of(h);
	tap_ok(!info.version && !info.relid && !info.state && !info.target_vp, "nothing is known of it");
	tap_is(ov_ioctl(h, _IO(OVID_IOCTL, 0x3f), NULL), -ENOTTY, "no such call");
	tap_is(ov_ioctl(h, OVID_RUN_VP, NULL), -ENOTTY, "a VP's call");
	if (!user) {
		tap_is(ov_ioctl(h, OVID_CHANNEL_REPLY, &r), -ENOTTY, "REPLY is the kernel's business");
		tap_is(ov_ioctl(h, OVID_CHANNEL_EVENTFD, &arg), -ENOTTY, "EVENTFD too");
		tap_is(ov_ioctl(h, OVID_CHANNEL_SIGNAL, NULL), -ENOTTY, "SIGNAL too");
		tap_fails(read(h, b, sizeof(b)), EINVAL, "nothing to read");
		tap_is(ready(h), 0, "ever");
		tap_ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, h, 0) == MAP_FAILED && errno == ENODEV,
		       "no memory");
		close(e);
		return;
	}
	ov_size_rules(h, "OVID_CHANNEL_EVENTFD", OVID_CHANNEL_EVENTFD, &arg, sizeof(arg), NULL);
	ov_field_fails(h, "OVID_CHANNEL_EVENTFD", OVID_CHANNEL_EVENTFD, &arg, sizeof(arg), 12, 1, 4,
		       EINVAL);
	ov_field_fails(h, "OVID_CHANNEL_EVENTFD", OVID_CHANNEL_EVENTFD, &arg, sizeof(arg), 8,
		       (uint32_t)-2, 4, EINVAL);
	ov_field_fails(h, "OVID_CHANNEL_EVENTFD", OVID_CHANNEL_EVENTFD, &arg, sizeof(arg), 8, 4000, 4,
		       EBADF);
	tap_is(set_eventfd(h, vm.part), -EINVAL, "a file that is no eventfd");
	tap_is(ready(e), POLLIN, "it was signalled once, by the call");
	tap_is(set_eventfd(h, -1), 0, "none any more");
	tap_is(set_eventfd(h, -1), 0, "none before that");
	close(e);

	tap_is(reply(h, 0, 0), -ESTALE, "nothing to reply to");
	tap_is(reply(h, 1, 0), -ESTALE, "nor by another number");
	tap_is(reply(h, 0, 4096), -EINVAL, "no errno");
	r.flags = 1;
	tap_is(ov_ioctl(h, OVID_CHANNEL_REPLY, &r), -EINVAL, "an unknown flag");
	r = (struct ovid_channel_reply){ .size = 4 };
	tap_is(ov_ioctl(h, OVID_CHANNEL_REPLY, &r), -EINVAL, "too small");
	tap_is(ov_ioctl(h, OVID_CHANNEL_SIGNAL, NULL), -EINVAL, "nobody to signal");
	fcntl(h, F_SETFL, O_NONBLOCK);
	tap_is(ready(h), 0, "nothing to read");
	tap_fails(read(h, b, sizeof(b)), EAGAIN, "so nothing is read");
	tap_fails(read(h, b, sizeof(b) - 1), EINVAL, "nor less than an event");
	tap_fails(write(h, b, sizeof(b)), EINVAL, "nothing can be written");
}

/* the kernel tries to read it: true if it can */
static bool readable(const void *at)
{
	int p[2], n;

	if (pipe(p))
		return false;
	n = write(p[1], at, 1);
	close(p[0]);
	close(p[1]);
	return n == 1;
}

static void closed_mmap(int h)
{
	volatile uint8_t *at = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, h, 0);

	tap_ok(at != MAP_FAILED, "a closed channel can be mapped");
	tap_ok(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, h, 0) == MAP_FAILED && errno == EINVAL,
	       "but not by a private mapping");
	tap_is(at[0] | at[8 * 4096 - 1], 0, "zeros");
	at[0] = 0x77;
	tap_is(at[4096], 0x77, "it is one page of nobody's, everywhere");
	munmap((void *)at, 8 * 4096);
}

static void closed(void)
{
	int h;

	start();
	create(vm.part, 0);
	h = offer(vm.part, "echo", 0);
	closed_calls(h, false);
	close(h);
	h = offer(vm.part, "", 1);
	closed_calls(h, true);
	closed_mmap(h);
	close(h);
	ov_vm_destroy(&vm);
}

/* ---- one that the guest opens ---- */

static bool open_it(int h, uint32_t relid, struct ovid_channel_event *event)
{
	uint32_t m[5] = {};

	post_open(relid);
	if (!soon(ready(h) == POLLIN) || read(h, event, sizeof(*event)) != sizeof(*event))
		return false;
	return !reply(h, event->serial, 0) && receive(m, 5) == OPEN_RESULT && !m[4];
}

static void opened_calls(int h, uint32_t relid)
{
	void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ovid_channel_info i = info_of(h);
	struct ovid_channel_event e = {};
	struct ovid_channel_reply answer;
	uint32_t m[5] = {};

	tap_is(i.version, V5_3, "the version");
	tap_is(i.relid, relid, "its number");
	tap_is(i.state, OVID_CHANNEL_CLOSED, "closed");
	post_gpadl(relid);
	post_open(relid);
	tap_ok(soon(ready(h) == POLLIN), "the guest opens it");
	tap_is(info_of(h).state, OVID_CHANNEL_OPENING, "it waits for an answer");
	tap_is(ov_ioctl(h, OVID_CHANNEL_SIGNAL, NULL), -EINVAL, "no signals yet");
	tap_fails(read(h, nowhere, sizeof(e)), EFAULT, "what cannot be read");
	tap_is(ready(h), POLLIN, "is not lost");
	tap_is(read(h, &e, sizeof(e)), sizeof(e), "the event");
	tap_is(e.kind, OVID_CHANNEL_OPENED, "opened");
	tap_is(e.in_bytes, 4096, "bytes of the ring towards the host");
	tap_is(e.out_bytes, 4096, "and of the other");
	tap_is(e.version, V5_3, "the version");
	tap_is(e.target_vp, 0, "the VP");
	tap_ok(!memcmp(e.user, "\x78\x56\x34\x12", 4), "the guest's words");
	tap_fails(read(h, &e, sizeof(e)), EAGAIN, "one event");
	answer = (struct ovid_channel_reply){ sizeof(answer), 0, e.serial, 0 };
	ov_size_refused(h, "OVID_CHANNEL_REPLY", OVID_CHANNEL_REPLY, &answer, sizeof(answer));
	tap_is(info_of(h).state, OVID_CHANNEL_OPENING, "it waits as before");
	tap_is(reply(h, e.serial + 1, 0), -ESTALE, "an answer to another open");
	tap_is(reply(h, e.serial, 5000), -EINVAL, "no errno");
	tap_is(reply(h, e.serial, EPERM), 0, "no");
	tap_is(receive(m, 5), OPEN_RESULT, "the guest is told");
	tap_ok(m[2] == relid && m[3] == 7 && m[4], "that it is refused");
	tap_is(reply(h, e.serial, 0), -ESTALE, "too late to take it back");
	tap_is(read(h, &e, sizeof(e)), sizeof(e), "an event");
	tap_is(e.kind, OVID_CHANNEL_GONE, "closed, as after each open");
	tap_ok(open_it(h, relid, &e), "it opens it again");
	tap_is(reply(h, e.serial, 0), -ESTALE, "it was answered");
	tap_is(info_of(h).state, OVID_CHANNEL_OPEN, "open");
}

static void opened_mmap(int h, uint32_t relid)
{
	volatile uint8_t *at = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, h, 0);
	struct ovid_channel_event e = {};

	for (int i = 0; i < 4; i++)
		vm.ram[RING + i * 4096] = 0x40 + i;
	tap_is(at[0], 0x40, "the page of the ring towards the host");
	tap_is(at[4096], 0x41, "its data");
	tap_is(at[2 * 4096], 0x41, "once more");
	tap_is(at[3 * 4096], 0x42, "the other ring");
	tap_is(at[4 * 4096], 0x43, "its data");
	tap_is(at[5 * 4096], 0x43, "once more");
	tap_ok(!readable((void *)(at + 6 * 4096)), "no more");
	at[4096 + 9] = 0x99;
	tap_is(vm.ram[RING + 4096 + 9], 0x99, "what is written there is the guest's");

	post_relid(CLOSE, relid);
	tap_ok(soon(ready(h) == POLLIN), "the guest closes it");
	tap_is(at[3 * 4096], 0, "the mapping leads to nobody's memory");
	tap_is(at[4096 + 9], 0x99, "but where the guest has said something");
	tap_is(at[2 * 4096 + 9], 0x99, "there, too");
	at[4096 + 9] = 0x11;
	tap_is(at[2 * 4096 + 9], 0x11, "which is a ring like any other");
	tap_is(vm.ram[RING + 4096 + 9], 0x99, "and not the guest's memory");
	tap_is(info_of(h).state, OVID_CHANNEL_CLOSED, "closed");
	tap_is(read(h, &e, sizeof(e)), sizeof(e), "an event");
	tap_is(e.kind, OVID_CHANNEL_GONE, "closed");
	tap_is(at[0] | at[4096 + 9], 0, "nothing is left of it");
	tap_is(ready(h), 0, "that is all");

	post_open(relid);
	post_relid(CLOSE, relid);
	post_open(relid);
	tap_ok(soon(info_of(h).state == OVID_CHANNEL_OPENING), "opened, closed, opened");
	tap_is(read(h, &e, sizeof(e)), sizeof(e), "one event of it");
	tap_is(e.kind, OVID_CHANNEL_OPENED, "opened");
	vm.ram[RING] = 0x55;
	tap_is(at[0], 0x55, "the old mapping shows the rings, before the answer");
	post_relid(CLOSE, relid);
	tap_ok(soon(info_of(h).state == OVID_CHANNEL_CLOSED), "closed before it was answered");
	tap_is(reply(h, e.serial, 0), -ESTALE, "too late");
	tap_is(read(h, &e, sizeof(e)), sizeof(e), "an event");
	tap_is(e.kind, OVID_CHANNEL_GONE, "closed");
	munmap((void *)at, 8 * 4096);
}

static void signals(int h, uint32_t relid)
{
	struct ovid_channel_event event;
	int e = eventfd(0, EFD_NONBLOCK), flag = SIEFP + 512 + relid / 32 * 4;
	uint64_t n;

	tap_ok(open_it(h, relid, &event), "open");
	tap_is(call(SIGNAL | FAST, connection(relid)), 0, "a signal that nobody takes");
	tap_is(set_eventfd(h, e), 0, "an eventfd");
	tap_is(read(e, &n, sizeof(n)), sizeof(n), "is signalled for it");
	ov_sleep_ms(20);
	if (read(e, &n, sizeof(n)) < 0)
		n = 0;
	tap_is(call(SIGNAL | FAST, connection(relid)), 0, "another signal");
	tap_ok(soon(ready(e) == POLLIN), "comes");
	tap_is(load(flag), 0, "none for the guest");
	tap_is(ov_ioctl(h, OVID_CHANNEL_SIGNAL, NULL), 0, "one for it");
	tap_is(load(flag), 1u << relid % 32, "sets its flag");
	close(e);
	tap_is(call(SIGNAL | FAST, connection(relid)), 0, "the eventfd is closed, and held all the same");
}

static void opened(void)
{
	uint32_t relid = 0;
	int h;

	start();
	create(vm.part, 0);
	h = offer(vm.part, "", 1);
	fcntl(h, F_SETFL, O_NONBLOCK);
	tap_is(connect_guest(&relid), 1, "an offer");
	opened_calls(h, relid);
	opened_mmap(h, relid);
	signals(h, relid);
	close(h);
	ov_vm_destroy(&vm);
}

/* it waits in read() until the guest opens */
static void *reader(void *arg)
{
	struct ovid_channel_event e = {};

	return (void *)(intptr_t)(read(*(int *)arg, &e, sizeof(e)) == sizeof(e) ? (int)e.kind : -1);
}

static void blocking(void)
{
	uint32_t relid = 0;
	pthread_t t;
	void *kind;
	int h;

	start();
	create(vm.part, V5_3);
	h = offer(vm.part, "", 1);
	connect_guest(&relid);
	post_gpadl(relid);
	pthread_create(&t, NULL, reader, &h);
	ov_sleep_ms(20);
	post_open(relid);
	pthread_join(t, &kind);
	tap_is((intptr_t)kind, OVID_CHANNEL_OPENED, "an open wakes a reader");
	pthread_create(&t, NULL, reader, &h);
	ov_sleep_ms(20);
	post_relid(CLOSE, relid);
	pthread_join(t, &kind);
	tap_is((intptr_t)kind, OVID_CHANNEL_GONE, "a close does");
	close(h);
	ov_vm_destroy(&vm);
}

/* ---- counters ---- */

/* of P, or of H */
static long counter(int of, const char *name)
{
	int fd = ov_ioctl(of, OVID_GET_STATS_FD, NULL);
	long value = ov_stat(fd, name);

	close(fd);
	return value;
}

#define TRACING	"/sys/kernel/tracing/"

static bool put(const char *path, const char *what)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	bool ok = fd >= 0 && write(fd, what, strlen(what)) == (ssize_t)strlen(what);

	close(fd);
	return ok;
}

/* events of a channel's life, which the trace has to have by now */
static void traced(void)
{
	static const char *const events[] = {
		"gpadl_made: part", "chan_open: part", "chan_signal_in: part", "chan_signal_out: part",
		"chan_close: part", "chan_rescind: part", "gpadl_gone: part", "bus_message_out: part",
		" OPEN_RESULT bytes", " err -115", " err -19",
	};
	static char text[1 << 18];
	int fd = open(TRACING "trace", O_RDONLY);
	ssize_t n = 0, r;

	while (n < (ssize_t)sizeof(text) - 1 && (r = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += r;
	close(fd);
	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++)
		tap_ok(strstr(text, events[i]), "the trace has '%s'", events[i]);
}

/* what the guest says, and its memory */
static void count_messages(uint32_t relid, int stats)
{
	uint32_t none[2] = { 63 };

	tap_is(ov_stat(stats, "relid"), relid, "its number");
	tap_ok(soon(counter(vm.part, "bus_messages_in") == 2), "contact and request");
	tap_is(counter(vm.part, "bus_messages_out"), 4, "version, two offers, no more");
	post(none, sizeof(none));
	tap_ok(soon(counter(vm.part, "bus_messages_bad") == 1), "a bad one");
	post_gpadl(relid);
	tap_is(counter(vm.part, "bus_gpadls"), 1, "a GPADL");
	tap_is(counter(vm.part, "bus_gpadl_pages"), 4, "of four pages");
}

static void count_opens(int h, uint32_t relid, int stats)
{
	struct ovid_channel_event e;
	uint32_t m[5] = {};

	post_open(relid);
	tap_is(read(h, &e, sizeof(e)), sizeof(e), "an open");
	tap_is(ov_stat(stats, "state"), OVID_CHANNEL_OPENING, "waits");
	reply(h, e.serial, ENODEV);
	receive(m, 5);
	tap_is(ov_stat(stats, "opens_refused"), 1, "is refused");
	tap_is(counter(vm.part, "bus_opens_refused"), 1, "also by the bus's count");
	read(h, &e, sizeof(e));
	tap_ok(open_it(h, relid, &e), "another");
	tap_is(ov_stat(stats, "opens"), 1, "is not");
	tap_is(counter(vm.part, "bus_opens"), 1, "also by the bus's count");
}

static void count_signals(int h, uint32_t relid, int stats)
{
	call(SIGNAL | FAST, connection(relid));
	call(SIGNAL | FAST, connection(relid));
	tap_is(ov_stat(stats, "signals_in"), 2, "two signals of the guest");
	ov_ioctl(h, OVID_CHANNEL_SIGNAL, NULL);
	tap_is(ov_stat(stats, "signals_out"), 1, "one for it");
}

/* behind the end of the channel */
static void count_gone(int stats)
{
	tap_is(counter(vm.part, "bus_rescinds"), 1, "taken back");
	tap_is(counter(vm.part, "bus_gpadls"), 0, "its GPADL is gone");
	tap_is(counter(vm.part, "bus_gpadl_pages"), 0, "and its pages");
	tap_is(ov_stat(stats, "opens"), 1, "its counters can still be read");
	tap_is(ov_stat(stats, "state"), OVID_CHANNEL_CLOSED, "it is closed");
}

static void counters(void)
{
	struct ovid_stats_header head = {};
	uint32_t relid = 0;
	int h, k, stats;
	bool tracing;

	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	tracing = put(TRACING "events/ovid/enable", "1") && put(TRACING "trace", "");
	start();
	tap_is(counter(vm.part, "bus_messages_in"), 0, "no bus, no messages");
	create(vm.part, 0);
	k = offer(vm.part, "echo", 0);
	h = offer(vm.part, "", 1);
	stats = ov_ioctl(h, OVID_GET_STATS_FD, NULL);
	tap_ok(stats >= 0 && fcntl(stats, F_GETFD) & FD_CLOEXEC, "a channel's counters, not inherited");
	tap_is(pread(stats, &head, sizeof(head), 0), sizeof(head), "their header");
	tap_ok(strstr((char *)head.name, "/chan1-user"), "whose they are: %s", head.name);
	tap_is(counter(k, "opens"), 0, "a provider's has them, too");
	tap_is(counter(vm.part, "bus_channels"), 2, "two channels");

	connect_guest(&relid);
	count_messages(relid, stats);
	count_opens(h, relid, stats);
	count_signals(h, relid, stats);
	close(h);
	put(TRACING "events/ovid/enable", "0");
	count_gone(stats);
	if (tracing)
		traced();
	else
		tap_skip("the trace", "no tracefs, or no events in it");
	close(k);
	ov_vm_destroy(&vm);
	tap_is(ov_stat(stats, "signals_in"), 2, "even when all else is closed");
	close(stats);
}

/* ---- lives ---- */

/* a mapping is a hold on the file: the offer goes with the last one */
static void mapped(void)
{
	struct ovid_channel_event e;
	uint32_t relid = 0, m[3] = {};
	uint8_t *at;
	int h;

	start();
	create(vm.part, 0);
	h = offer(vm.part, "", 1);
	connect_guest(&relid);
	post_gpadl(relid);
	tap_ok(open_it(h, relid, &e), "open");
	at = mmap(NULL, 6 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, h, 0);
	at[4096] = 1;
	close(h);
	tap_is(call(SIGNAL | FAST, connection(relid)), 0, "the file is closed, the mapping holds it");
	munmap(at, 6 * 4096);
	tap_is(receive(m, 3), RESCIND, "then it is taken back");
	tap_is(call(SIGNAL | FAST, connection(relid)), HV_STATUS_INVALID_CONNECTION_ID, "nobody there");
	ov_vm_destroy(&vm);
}

/* ---- signals that are put off ---- */

CODE32(signal_and_halt, "vmcall; hlt");

static volatile int signalled;

static void interrupted(int nr)
{
	signalled = nr;
}

/* the next packet of 24 bytes, without payload, into the guest's ring; how many there are */
static void put_packet(uint32_t nr)
{
	/* in-band, descriptor of 16 bytes, as long in all */
	uint32_t packet[6] = { 6 | 2 << 16, 2, nr };

	memcpy(vm.ram + RING + 4096 + 24 * (nr - 1), packet, sizeof(packet));
	*(volatile uint32_t *)(vm.ram + RING) = 24 * nr;
}

static bool came_back(uint32_t nr)
{
	return *(volatile uint32_t *)(vm.ram + RING + 2 * 4096) == 24 * nr;
}

/* signals, and sleeps in HLT until it is called back */
static int signal_halt(uint32_t relid)
{
	struct itimerval later = { .it_value.tv_usec = 300000 };
	struct ovid_reg r[] = {
		{ HV_X64_REGISTER_RDX, {}, 0 }, { HV_X64_REGISTER_RCX, {}, connection(relid) },
	};

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = interrupted }, NULL);
	ov_enter32(&vm, signal_and_halt, CODE_LEN(signal_and_halt), 0, SIGNAL | FAST);
	ov_set_regs(vm.vp, r, ARRAY_SIZE(r));
	setitimer(ITIMER_REAL, &later, NULL);
	return ov_run(vm.vp);
}

/*
 * Where the bus's thread could only wait for the CPU that the VP has, a VP that halts does the
 * channel's work; one that goes on, or out, leaves it to the thread.
 */
static void halting(void)
{
	bool one = sysconf(_SC_NPROCESSORS_ONLN) == 1;
	uint32_t relid = 0, m[5] = {};
	int k;

	start();
	create(vm.part, 0);
	k = offer(vm.part, "echo", 0);
	connect_guest(&relid);
	post_gpadl(relid);
	post_open(relid);
	tap_ok(receive(m, 5) == OPEN_RESULT && !m[4], "the echo is open");
	ov_sleep_ms(20);
	put_packet(1);
	call(SIGNAL | FAST, connection(relid));
	tap_ok(soon(came_back(1)), "a guest that signals and goes out has its packet back");
	tap_is(counter(vm.vp, "bus_turns"), 0, "by the thread");
	ov_sleep_ms(20);
	put_packet(2);
	tap_is(signal_halt(relid), -EINTR, "one that halts");
	tap_ok(came_back(2), "has it back");
	tap_is(counter(vm.vp, "bus_turns"), one, "by the VP itself, if there is one CPU");
	tap_is(counter(k, "turns"), one ? 3 : counter(k, "turns"), "one turn for each signal");
	close(k);
	ov_vm_destroy(&vm);
}

/* P, V and H closed in each order, the channel open and mapped */
static void close_orders(void)
{
	static const char orders[][4] = { "PVH", "PHV", "VPH", "VHP", "HPV", "HVP" };
	uint32_t before = ov_partitions();

	for (unsigned int i = 0; i < ARRAY_SIZE(orders); i++) {
		struct ovid_channel_event e;
		uint32_t relid = 0;
		void *at;
		int h, k;

		start();
		create(vm.part, 0);
		h = offer(vm.part, "", 1);
		k = offer(vm.part, "echo", 0);
		connect_guest(&relid);
		/* the last offer is the kernel's, the first is ours */
		post_gpadl(relid - 1);
		tap_ok(open_it(h, relid - 1, &e), "%s: open", orders[i]);
		at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, h, 0);
		munmap(vm.ram, vm.bytes);
		munmap(vm.run, 4096);
		munmap(vm.page, 4096);
		close(vm.memory);
		close(vm.dev);
		for (const char *p = orders[i]; *p; p++) {
			if (*p == 'H') {
				close(h);
				munmap(at, 4096);
				close(k);
			} else {
				close(*p == 'P' ? vm.part : vm.vp);
			}
		}
		tap_ok(soon(ov_partitions() == before), "%s: all is gone", orders[i]);
	}
}

/* a worker with a running VP and an open channel, until it is killed */
static void worker(int out)
{
	uint32_t relid = 0;
	struct ovid_channel_event e;
	struct ov_thread t;
	int h;

	start();
	create(vm.part, 0);
	h = offer(vm.part, "", 1);
	connect_guest(&relid);
	post_gpadl(relid);
	if (!open_it(h, relid, &e))
		_exit(1);
	mmap(NULL, 4096, PROT_READ, MAP_SHARED, h, 0);
	memcpy(vm.ram + OV_CODE, "\xeb\xfe", 2);
	ov_set(vm.vp, HV_X64_REGISTER_RIP, OV_CODE);
	ov_thread_start(&t, vm.vp);
	ov_sleep_ms(10);
	if (write(out, &h, sizeof(h)) != sizeof(h))
		_exit(1);
	for (;;)
		pause();
}

static void killed(void)
{
	uint32_t before = ov_partitions();

	for (int i = 0; i < 5; i++) {
		struct ovid_channel_event e;
		int p[2], theirs = -1, pidfd, h;
		pid_t child;

		if (pipe(p))
			tap_bail("pipe");
		child = fork();
		if (!child)
			worker(p[1]);
		tap_is(read(p[0], &theirs, sizeof(theirs)), sizeof(theirs), "a worker at work");
		pidfd = syscall(SYS_pidfd_open, child, 0);
		h = syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
		tap_ok(h >= 0, "its channel's file, for us as well");
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		tap_is(info_of(h).state, OVID_CHANNEL_OPEN, "the bus stands still");
		fcntl(h, F_SETFL, O_NONBLOCK);
		tap_fails(read(h, &e, sizeof(e)), EAGAIN, "nothing comes");
		tap_is(set_eventfd(h, -1), 0, "calls do no harm");
		tap_is(ov_ioctl(h, OVID_CHANNEL_SIGNAL, NULL), 0, "signals neither");
		close(h);
		close(pidfd);
		close(p[0]);
		close(p[1]);
	}
	tap_ok(soon(ov_partitions() == before), "all is gone");
}

int main(void)
{
	tap_begin("abi-vmbus", 190);
	create_rules();
	offer_rules();
	closed();
	opened();
	blocking();
	counters();
	halting();
	mapped();
	close_orders();
	killed();
	many();
	return tap_done();
}
