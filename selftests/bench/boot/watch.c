// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - the boot row in a partition: runs a command whose guest is kernel.S
 * with init.c, and takes idle time and counts when its serial port says that the
 * guest has started, and again when the guest has stopped.
 *
 * The guest waits BOOT_PAUSE before it notes the time of its entry: what is
 * done here at the start is not in what is measured.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bench.h"
#include "../idle.h"
#include "boot.h"

pid_t b_start(char **command, int *out)
{
	int p[2];
	pid_t pid;

	if (pipe(p))
		b_die("pipe");
	pid = fork();
	if (!pid) {
		dup2(p[1], STDOUT_FILENO);
		close(p[0]);
		close(p[1]);
		execvp(command[0], command);
		b_die("%s", command[0]);
	}
	close(p[1]);
	*out = p[0];
	return pid;
}

/* To the end of the line, no further: what comes after it waits, and would count as idle. */
static void read_line(int out, char *text, size_t size)
{
	size_t len = 0;

	while (len < size - 1 && read(out, text + len, 1) == 1 && text[len] != '\n')
		len++;
	text[len] = 0;
}

int b_boot(char **command)
{
	uint64_t t0, t1, idle;
	struct b_counts a, b;
	struct b_sample s;
	char text[4096], c;
	int out;
	pid_t pid = b_start(command, &out);

	if (read(out, text, 1) != 1 || text[0] != BOOT_STARTED)
		b_die("the guest did not start");
	b_counts_now(NULL, &a);
	idle = idle_ns();
	read_line(out, text, sizeof(text));
	idle = idle_ns() - idle;
	b_counts_now(NULL, &b);
	while (read(out, &c, 1) == 1)
		;
	waitpid(pid, NULL, 0);
	if (sscanf(text, "T %" SCNu64 " %" SCNu64, &t0, &t1) != 2 || !t0 || t1 <= t0)
		b_die("the guest did not get to init: %s", text);
	s.ticks = t1 - t0;
	s.work = s.ticks - idle * b_ticks_per_ns;
	s.c = b_counts_between(&a, &b, 1);
	b_row("linux-boot", &s);
	return 0;
}
