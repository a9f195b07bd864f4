/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fail.h - how library code says what went wrong: a line for the person and
 * the exit status that belongs to it.  Only main() prints and exits.
 */
#ifndef OVID_FAIL_H
#define OVID_FAIL_H

#include <errno.h>
#include <string.h>

/* exit statuses of `ovid run`; odd ones belong to the guest's debug-exit */
enum {
	OVID_X_OFF	= 0,	/* the guest powered off */
	OVID_X_USAGE	= 2,	/* bad usage, or a file or size that cannot work */
	OVID_X_CRASH	= 4,	/* the guest crashed (triple fault) */
	OVID_X_RESET	= 6,	/* the guest reset, with --no-reboot */
	OVID_X_HOST	= 8,	/* the host failed */
	OVID_X_STOPPED	= 130,	/* Ctrl-C, SIGTERM or `ovid kill` */
};

struct failure {
	char text[256];
};

void fail_text(struct failure *why, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes the line and yields -@status: return fail(why, OVID_X_USAGE, "…", …); */
static inline int fail_status(int status)
{
	return -status;
}

#define fail(why, status, ...)	(fail_text(why, __VA_ARGS__), fail_status(status))

#endif
