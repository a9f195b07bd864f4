// SPDX-License-Identifier: GPL-2.0-only
/* loop.c - the main thread: console, timers, control, and the machine's end. */
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "vsock.h"

#define MAX_FILES	(6 + CONTROL_CLIENTS + 1 + 2 * CHARIO_SINKS)

/* Output is gathered this long before it is written: one wake for a line. */
#define GATHER_NS	1000000ull
#define FLUSH_NS	(5 * NSEC_PER_SEC)	/* for a reader that does not read, at the end */

struct loop {
	struct machine *m;
	struct control control;
	int channel, serial_fd;
	u64 drain_at;		/* 0: nothing to write */
	struct pollfd pfd[MAX_FILES];
};

static void drain_console(struct machine *m)
{
	if (chario_drain(&m->console))
		serial_out_ready(&m->serial);
}

static void feed_input(struct machine *m, const struct pollfd *pfd, unsigned int nr)
{
	size_t room = serial_room(&m->serial), len;
	u8 buf[SERIAL_IN];

	len = chario_read(&m->console, pfd, nr, buf, min_u64(room, sizeof(buf)));
	if (len)
		serial_input(&m->serial, buf, len);
}

static void read_counter(int fd)
{
	u64 count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;		/* somebody else took it */
}

static void serve_signal(struct machine *m)
{
	struct signalfd_siginfo si;

	if (read(m->term_fd, &si, sizeof(si)) == sizeof(si))
		machine_end(m, OVID_X_STOPPED, "%s", "");
}

static void serve_channel(struct loop *l)
{
	u8 byte;

	/* any message, or the launcher's end, means stop; unless we are on our own */
	if (read(l->channel, &byte, 1) > 0 || !(l->m->config->flags & WORKER_DETACHED))
		machine_end(l->m, OVID_X_STOPPED, "%s", "");
	/* not closed: its number must not come to mean another file */
	l->channel = -1;
}

static void accept_console(struct loop *l)
{
	int fd = control_accept(l->serial_fd, l->m->config->owner);

	if (fd >= 0 && chario_attach(&l->m->console, fd, fd, false))
		close(fd);
	l->drain_at = host_ns();
}

static void serve_fixed(struct loop *l, const struct pollfd *pfd, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!pfd[i].revents)
			continue;
		if (pfd[i].fd == l->m->wake_fd) {
			read_counter(l->m->wake_fd);
			if (!l->drain_at)
				l->drain_at = host_ns() + GATHER_NS;
		} else if (pfd[i].fd == l->m->pit_fd) {
			read_counter(l->m->pit_fd);
			if (!l->m->paused)
				pit_tick(&l->m->pit);
		} else if (pfd[i].fd == l->m->rtc_fd) {
			read_counter(l->m->rtc_fd);
			if (!l->m->paused)
				cmos_tick(&l->m->cmos);
		} else if (pfd[i].fd == l->m->term_fd) {
			serve_signal(l->m);
		} else if (pfd[i].fd == l->channel) {
			serve_channel(l);
		} else if (pfd[i].fd == l->serial_fd) {
			accept_console(l);
		}
	}
}

static unsigned int watch_fixed(const struct loop *l, struct pollfd *pfd)
{
	const int fds[] = {
		l->m->wake_fd, l->m->pit_fd, l->m->rtc_fd, l->m->term_fd, l->channel,
		l->serial_fd,
	};
	unsigned int nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			pfd[nr++] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	return nr;
}

static void wait_files(struct loop *l, unsigned int nr)
{
	struct timespec left = { 0 };
	u64 now;

	if (!l->drain_at) {
		ppoll(l->pfd, nr, NULL, NULL);
		return;
	}
	now = host_ns();
	if (l->drain_at > now)
		left.tv_nsec = l->drain_at - now;
	ppoll(l->pfd, nr, &left, NULL);
}

static void turn(struct loop *l)
{
	struct machine *m = l->m;
	struct pollfd *control, *console;
	unsigned int nr_fixed, nr_control, nr_console;

	nr_fixed = watch_fixed(l, l->pfd);
	control = l->pfd + nr_fixed;
	nr_control = control_poll(&l->control, control);
	console = control + nr_control;
	nr_console = chario_poll(&m->console, console, serial_room(&m->serial));
	wait_files(l, nr_fixed + nr_control + nr_console);
	serve_fixed(l, l->pfd, nr_fixed);
	control_serve(&l->control, m, control, nr_control);
	feed_input(m, console, nr_console);
	for (unsigned int i = 0; i < nr_console; i++)
		if ((console[i].events & POLLOUT) && console[i].revents)
			l->drain_at = 1;
	if (l->drain_at && host_ns() >= l->drain_at) {
		l->drain_at = 0;
		drain_console(m);
	}
}

static void reset(struct machine *m)
{
	struct failure why = { "" };

	machine_park(m);
	if (machine_reset(m, &why))
		machine_end(m, OVID_X_HOST, "after a reset: %s", why.text);
	machine_reset_done(m);
	machine_release(m);
}

/* Everything the guest said goes out, as long as somebody takes it. */
static void flush_console(struct machine *m)
{
	const u64 deadline = host_ns() + FLUSH_NS;
	struct pollfd pfd[2 * CHARIO_SINKS];

	drain_console(m);
	while (chario_pending(&m->console) && host_ns() < deadline) {
		poll(pfd, chario_poll(&m->console, pfd, false), 100);
		drain_console(m);
	}
}

int machine_loop(struct machine *m, const struct machine_files *f)
{
	struct loop l = { .m = m, .channel = f->channel, .serial_fd = f->serial };
	enum machine_wish wish;

	control_init(&l.control, f->control, f->end);
	for (;;) {
		wish = machine_wish(m);
		if (wish == WISH_END)
			break;
		if (wish == WISH_RESET)
			reset(m);
		turn(&l);
	}
	machine_park(m);
	machine_join(m);
	vsock_stop(m->vsock);
	flush_console(m);
	control_end(&l.control, m->status, m->why.text);
	return m->status;
}
