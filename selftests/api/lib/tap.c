// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static unsigned int count, failed;
static const char *prog;

static void on_alarm(int sig)
{
	static const char text[] = "Bail out! the time limit was reached\n";

	(void)sig;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(125);
	_exit(124);
}

void tap_begin(const char *program, unsigned int seconds)
{
	prog = program;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n# %s\n", program);
	signal(SIGALRM, on_alarm);
	signal(SIGPIPE, SIG_IGN);
	alarm(seconds);
}

int tap_done(void)
{
	printf("1..%u\n", count);
	if (failed)
		printf("# %s: %u of %u failed\n", prog, failed, count);
	return failed ? 1 : 0;
}

static void line(bool ok, const char *fmt, va_list ap)
{
	count++;
	failed += !ok;
	printf("%sok %u - ", ok ? "" : "not ", count);
	vprintf(fmt, ap);
	putchar('\n');
}

bool tap_ok(bool ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(ok, fmt, ap);
	va_end(ap);
	return ok;
}

bool tap_is(int64_t got, int64_t want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("#   got %lld (%#llx), want %lld (%#llx)\n", (long long)got,
		       (long long)got, (long long)want, (long long)want);
	return got == want;
}

void tap_skip(const char *what, const char *why)
{
	printf("ok %u - %s # SKIP %s\n", ++count, what, why);
}

void tap_note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void tap_bail(const char *fmt, ...)
{
	int e = errno;
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(" (errno %d %s)\n", e, strerror(e));
	exit(1);
}
