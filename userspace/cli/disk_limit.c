// SPDX-License-Identifier: GPL-2.0-only
/* disk_limit.c - `ovid disk-limit`: how much a disk of a running VM does in a second. */
#include <stdio.h>

#include "../lib/ctl.h"
#include "disk.h"
#include "live.h"

static const struct option limit_options[] = {
	{ "iops",	required_argument,	NULL, 'i' },
	{ "bps",	required_argument,	NULL, 'b' },
	ASK_JSON, ASK_HELP, { 0 }
};

struct limit {
	bool some, more;	/* --iops, --bps were given */
	u32 iops;
	u64 bps;
};

static int limit_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	struct limit *l = ctx;

	if (opt == 'i') {
		l->some = true;
		return ask_number("--iops", arg, 0, ~0u, &l->iops, why);
	}
	l->more = true;
	return disk_size(arg, &l->bps, why);
}

/* @answer: of one limit */
static void print_one(struct json_object *answer, const char *key)
{
	long long n = live_number(answer, key);

	if (n)
		printf("%s %lld, ", key, n);
	else
		printf("%s none, ", key);
}

static void print(struct json_object *answer)
{
	print_one(answer, "iops");
	print_one(answer, "bps");
	printf("waited %lld, waiting %lld\n", live_number(answer, "waited"),
	       live_number(answer, "waiting"));
}

static int ask_limit(const struct ask *ask, const struct limit *l, struct failure *why)
{
	struct json_object *question = ctl_question("disk-limit"), *answer;
	int ret = live_place(question, ask->word[1], why);

	if (ret) {
		json_object_put(question);
		return ret;
	}
	if (l->some)
		live_add(question, "iops", l->iops);
	if (l->more)
		live_add(question, "bps", l->bps);
	answer = live_put(ask->name, question, NULL, 0, why, &ret);
	if (answer && !ask->json)
		print(answer);
	if (answer)
		live_tell(ask, answer);
	return ret;
}

int cli_disk_limit(int argc, char **argv)
{
	struct failure why = { "" };
	struct limit l = { 0 };
	struct ask ask;
	int ret = ask_parse(&ask, argc, argv, limit_options, limit_option, &l, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, 2, 0, &why);
	if (!ret && !ask.help)
		ret = ask_limit(&ask, &l, &why);
	return cli_fail(ret, &why);
}
