/* SPDX-License-Identifier: GPL-2.0-only */
/* cli.h - the verbs of `ovid`; each returns the exit status. */
#ifndef OVID_CLI_H
#define OVID_CLI_H

#include "../lib/fail.h"
#include "../lib/types.h"

int cli_run(int argc, char **argv);
int cli_info(int argc, char **argv);
int cli_list(int argc, char **argv);
int cli_console(int argc, char **argv);
int cli_stat(int argc, char **argv);
int cli_wait(int argc, char **argv);
int cli_pulse(int argc, char **argv);
int cli_shutdown(int argc, char **argv);
int cli_heartbeat(int argc, char **argv);
int cli_timesync(int argc, char **argv);
int cli_freeze(int argc, char **argv);	/* thaw too */
int cli_kvp(int argc, char **argv);
int cli_copy(int argc, char **argv);
int cli_disk(int argc, char **argv);
int cli_disk_attach(int argc, char **argv);
int cli_disk_detach(int argc, char **argv);
int cli_disk_resize(int argc, char **argv);
int cli_disk_limit(int argc, char **argv);
int cli_disk_medium(int argc, char **argv);	/* disk-insert, disk-eject */
int cli_disk_list(int argc, char **argv);
int cli_net_attach(int argc, char **argv);
int cli_net_detach(int argc, char **argv);
int cli_net_link(int argc, char **argv);
int cli_net_move(int argc, char **argv);
int cli_net_forward(int argc, char **argv);
int cli_net_list(int argc, char **argv);
int cli_ip(int argc, char **argv);
int cli_simple(int argc, char **argv);	/* pause, resume, reset, nmi, kill */

/* Prints the failure as one line and returns its exit status. */
int cli_fail(int ret, const struct failure *why);

/* Parses [--json] NAME; NULL name when @optional and absent.  0 or -status. */
struct cli_target {
	const char *name;
	bool json;
	bool help;
};

int cli_target(int argc, char **argv, bool optional, struct cli_target *t,
	       struct failure *why);
bool cli_help(const char *verb);	/* false: there is no such verb */

/* tty.c: raw mode, always undone by tty_restore() */
int tty_raw(int fd);
void tty_restore(void);

/*
 * The escape key: Ctrl-A, then x to leave, c for Ctrl-C, a for Ctrl-A.
 * Filters @buf in place; returns the new length.
 */
struct tty_escape {
	bool armed;
	bool ctrl_c_leaves;	/* a bare Ctrl-C leaves too */
	bool left;
};

size_t tty_filter(struct tty_escape *esc, u8 *buf, size_t len);

int write_all(int fd, const void *buf, size_t len);

#endif
