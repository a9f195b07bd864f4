// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - the disk rows: runs a command that is iobench.c or a guest with it, and
 * takes what is done between the words of each of its cells, idle time left out, for
 * each operation.  The words' own way through the serial port is in it: some ten
 * exits for thousands of operations.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bench.h"
#include "../idle.h"

struct mark {
	struct b_counts c;
	uint64_t idle, tsc;
};

static void mark(struct mark *m)
{
	b_counts_now(NULL, &m->c);
	m->idle = idle_ns();
	m->tsc = __builtin_ia32_rdtsc();
}

static void cell(const char *prefix, const char *name, unsigned int n, const struct mark *a,
		 const struct mark *b)
{
	struct b_sample s = { .ticks = (double)(b->tsc - a->tsc) / n };
	char row[64];

	s.work = s.ticks - (b->idle - a->idle) * b_ticks_per_ns / n;
	s.c = b_counts_between(&a->c, &b->c, n);
	snprintf(row, sizeof(row), "%s-%s", prefix, name);
	b_row(row, &s);
}

int b_disk(const char *prefix, char **command)
{
	char line[1024], tail[1024] = "it said nothing", name[32], *p;
	struct mark a, b;
	unsigned int n = 0, cells = 0;
	int out, status;
	pid_t pid = b_start(command, &out);
	FILE *f = fdopen(out, "r");

	while (fgets(line, sizeof(line), f)) {
		/* other words may stand before it on a console */
		p = strstr(line, "IO-");
		if (p && sscanf(p, "IO-BEGIN %31s %u", name, &n) == 2) {
			mark(&a);
		} else if (p && n && !strncmp(p, "IO-END", 6)) {
			mark(&b);
			cell(prefix, name, n, &a, &b);
			n = 0;
			cells++;
		}
		strcpy(tail, line);
	}
	fclose(f);
	waitpid(pid, &status, 0);
	if (status || !cells)
		b_die("%s ended with %#x: %s", command[0], status, tail);
	return 0;
}
