// SPDX-License-Identifier: GPL-2.0-only
/* disk_medium.c - `ovid disk-insert` and `disk-eject`: the disc of a running VM's DVD drive. */
#include <unistd.h>

#include "../lib/ctl.h"
#include "disk.h"
#include "live.h"
#include "run.h"

static const struct option medium_options[] = {
	{ "force",	no_argument,	NULL, 'f' },
	ASK_JSON, ASK_HELP, { 0 }
};

static int medium_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	(void)opt, (void)arg, (void)why;
	*(bool *)ctx = true;
	return 0;
}

/* @file: of the disc, or -1; @name: for people */
static int change(const struct ask *ask, bool force, int file, const char *name, struct failure *why)
{
	struct json_object *question = ctl_question(ask->verb), *answer;
	int ret = live_place(question, ask->word[1], why);

	if (ret) {
		json_object_put(question);
		return ret;
	}
	json_object_object_add(question, "force", json_object_new_boolean(force));
	json_object_object_add(question, "file", json_object_new_string(name));
	answer = live_put(ask->name, question, &file, file >= 0, why, &ret);
	if (answer)
		live_tell(ask, answer);
	return ret;
}

static int insert(const struct ask *ask, bool force, struct failure *why)
{
	const struct disk_words words = {
		.option = "disk-insert", .path = ask->word[2], .format = OVID_DISK_RAW,
	};
	struct disk_config config = { .dvd = true, .read_only = true };
	int fd = disk_open(&words, &config, NULL, 0, why), ret;

	if (fd < 0)
		return fd;
	ret = change(ask, force, fd, config.file, why);
	close(fd);
	return ret;
}

int cli_disk_medium(int argc, char **argv)
{
	bool inserts = !strcmp(argv[0], "disk-insert"), force = false;
	struct failure why = { "" };
	struct ask ask;
	int ret = ask_parse(&ask, argc, argv, medium_options, medium_option, &force, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, inserts ? 3 : 2, 0, &why);
	if (!ret && !ask.help)
		ret = inserts ? insert(&ask, force, &why) : change(&ask, force, -1, "none", &why);
	return cli_fail(ret, &why);
}
