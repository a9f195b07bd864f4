// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"

#define CTRL_A	0x01
#define CTRL_C	0x03

static struct termios saved;
static int saved_fd = -1;

static void restore_and_die(int sig)
{
	tty_restore();
	raise(sig);	/* as it would have ended: SA_RESETHAND */
}

/* Whatever ends us, the terminal is left as it was. */
static void guard(void)
{
	const struct sigaction sa = { .sa_handler = restore_and_die, .sa_flags = SA_RESETHAND };
	static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		sigaction(deadly[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);	/* a write that fails is noticed */
}

int tty_raw(int fd)
{
	struct termios raw;

	if (tcgetattr(fd, &saved))
		return -errno;
	saved_fd = fd;
	guard();
	raw = saved;
	cfmakeraw(&raw);
	return tcsetattr(fd, TCSADRAIN, &raw) ? -errno : 0;
}

void tty_restore(void)
{
	if (saved_fd >= 0)
		tcsetattr(saved_fd, TCSADRAIN, &saved);
	saved_fd = -1;
}

/* What the key behind Ctrl-A stands for; -1: leave. */
static int escaped(u8 key)
{
	switch (key) {
	case 'x':
	case 'X':
		return -1;
	case 'c':
	case 'C':
		return CTRL_C;
	case 'a':
	case 'A':
		return CTRL_A;
	default:
		return key;
	}
}

size_t tty_filter(struct tty_escape *esc, u8 *buf, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len && !esc->left; i++) {
		int key = buf[i];

		if (esc->armed) {
			esc->armed = false;
			key = escaped(buf[i]);
		} else if (key == CTRL_A) {
			esc->armed = true;
			continue;
		} else if (key == CTRL_C && esc->ctrl_c_leaves) {
			key = -1;
		}
		if (key < 0)
			esc->left = true;
		else
			buf[out++] = key;
	}
	return out;
}

int write_all(int fd, const void *buf, size_t len)
{
	const u8 *at = buf;

	while (len) {
		ssize_t done = write(fd, at, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -errno;
		at += done;
		len -= done;
	}
	return 0;
}
