// SPDX-License-Identifier: GPL-2.0-only
/* main.c - one program, four roles: `ovid VERB …` and, by argv[0], ovid-worker, ovid-bootfind and ovid-slirp. */
#include <stdio.h>

#include "../bootfind/bootfind.h"
#include "../slirp/slirp.h"
#include "../worker/config.h"
#include "../worker/worker.h"
#include "cli.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "run",	cli_run },
	{ "info",	cli_info },
	{ "list",	cli_list },
	{ "console",	cli_console },
	{ "pause",	cli_simple },
	{ "resume",	cli_simple },
	{ "reset",	cli_simple },
	{ "nmi",	cli_simple },
	{ "pulse",	cli_pulse },
	{ "kill",	cli_simple },
	{ "stat",	cli_stat },
	{ "wait",	cli_wait },
	{ "shutdown",	cli_shutdown },
	{ "heartbeat",	cli_heartbeat },
	{ "kvp",	cli_kvp },
	{ "freeze",	cli_freeze },
	{ "thaw",	cli_freeze },
	{ "copy",	cli_copy },
	{ "timesync",	cli_timesync },
	{ "disk",	cli_disk },
	{ "disk-attach", cli_disk_attach },
	{ "disk-detach", cli_disk_detach },
	{ "disk-resize", cli_disk_resize },
	{ "disk-insert", cli_disk_medium },
	{ "disk-eject",	cli_disk_medium },
	{ "disk-limit", cli_disk_limit },
	{ "disk-list",	cli_disk_list },
	{ "net-attach",	cli_net_attach },
	{ "net-detach",	cli_net_detach },
	{ "net-link",	cli_net_link },
	{ "net-move",	cli_net_move },
	{ "net-forward", cli_net_forward },
	{ "net-list",	cli_net_list },
	{ "ip",		cli_ip },
};

int cli_fail(int ret, const struct failure *why)
{
	if (why->text[0])
		fprintf(stderr, "ovid: %s\n", why->text);
	return -ret;
}

static int unknown_verb(const char *verb)
{
	fprintf(stderr, "ovid: %s is nothing it does; see `ovid --help`\n", verb);
	return OVID_X_USAGE;
}

int main(int argc, char **argv)
{
	if (argc && !strcmp(argv[0], WORKER_NAME))
		return worker_main();
	if (argc && !strcmp(argv[0], BOOTFIND_NAME))
		return bootfind_main();
	if (argc && !strcmp(argv[0], SLIRP_NAME))
		return slirp_main();
	if (argc < 2) {
		fprintf(stderr, "ovid: what shall it do? see `ovid --help`\n");
		return OVID_X_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		if (cli_help(argc > 2 ? argv[2] : NULL))
			return 0;
		return unknown_verb(argv[2]);
	}
	if (!strcmp(argv[1], "--version")) {
		printf("ovid %s\n", OVID_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	return unknown_verb(argv[1]);
}
