// SPDX-License-Identifier: GPL-2.0-only
/* disk_watch.c - how far a verb of `ovid disk` is, and Ctrl-C */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"

#define SHOW_MS		200	/* between two updates of the line */
#define CELLS		40

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/* fsync() and the like may be interrupted; what is read or written goes on by itself */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = stop, .sa_flags = SA_RESTART }, was;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		/* with nohup it goes on */
		if (!sigaction(signals[i], NULL, &was) && was.sa_handler != SIG_IGN)
			sigaction(signals[i], &act, NULL);
}

static int step(void *arg, u64 done, u64 all)
{
	return disk_watch_step(arg, done, all);
}

void disk_watch_begin(struct disk_watch *w, const struct disk_ask *ask, unsigned int phases)
{
	*w = (struct disk_watch){
		.vdisk = { step, w }, .phases = phases,
		.show = isatty(STDERR_FILENO) && !ask->json && !ask->quiet,
	};
	catch_signals();
}

static void show(struct disk_watch *w, u64 done, u64 all)
{
	double part = (w->phase + (all ? (double)done / all : 1)) / w->phases;
	struct timespec t;
	long long now;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now = t.tv_sec * 1000ll + t.tv_nsec / 1000000;
	if (part < 1 && now < w->next_ms)
		return;
	fprintf(stderr, "\r[%-*.*s] %3d %%", CELLS, (int)(part * CELLS),
		"########################################", (int)(part * 100));
	w->next_ms = now + SHOW_MS;
	w->shown = true;
}

int disk_watch_step(struct disk_watch *w, u64 done, u64 all)
{
	if (w->show)
		show(w, done, all);
	return stopped ? -EINTR : 0;
}

void disk_watch_end(struct disk_watch *w)
{
	if (w->shown)
		fputc('\n', stderr);
	w->shown = false;
}
