// SPDX-License-Identifier: GPL-2.0-only
/*
 * quiet.c - the idle rows: runs a command whose guest says BENCH-IDLE when it is
 * done with its boot and does nothing from then on, and takes what the host does
 * meanwhile, idle time left out, for each second.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "idle.h"

#define SETTLE		20	/* seconds in which the guest ends what it put off at its boot */
#define SECONDS		60

static void until_idle(int out)
{
	static const char said[] = "BENCH-IDLE";
	char text[4096];
	size_t len = 0;
	ssize_t n;

	while ((n = read(out, text + len, sizeof(text) - 1 - len)) > 0) {
		len += n;
		text[len] = 0;
		if (strstr(text, said))
			return;
		if (len > sizeof(text) / 2) {
			memmove(text, text + len - sizeof(said), sizeof(said));
			len = sizeof(said);
		}
	}
	b_die("the guest did not get to be idle: %s", len ? text : "it said nothing");
}

int b_quiet(const char *name, char **command)
{
	struct b_counts a, b;
	struct b_sample s = { .ticks = b_ticks_per_ns * 1e9 };
	uint64_t idle;
	int out;
	pid_t pid = b_start(command, &out);

	until_idle(out);
	sleep(SETTLE);
	b_counts_now(NULL, &a);
	idle = idle_ns();
	sleep(SECONDS);
	idle = idle_ns() - idle;
	b_counts_now(NULL, &b);
	s.work = s.ticks - idle * b_ticks_per_ns / SECONDS;
	s.c = b_counts_between(&a, &b, SECONDS);
	b_row(name, &s);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return 0;
}
