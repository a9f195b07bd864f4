// SPDX-License-Identifier: GPL-2.0-only
/* disk.c - `ovid disk`: the command line of its verbs */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "disk.h"

enum {
	OPT_KIND = 256,
	OPT_BLOCK_SIZE,
	OPT_SECTOR,
	OPT_SHRINK,
	OPT_FORCE,
	OPT_DELETE,
};

static const struct option options[] = {
	{ "format",	required_argument,	NULL, 'f' },
	{ "output-format",	required_argument,	NULL, 'O' },
	{ "kind",	required_argument,	NULL, OPT_KIND },
	{ "parent",	required_argument,	NULL, 'b' },
	{ "block-size",	required_argument,	NULL, OPT_BLOCK_SIZE },
	{ "sector",	required_argument,	NULL, OPT_SECTOR },
	{ "repair",	no_argument,		NULL, 'r' },
	{ "shrink",	no_argument,		NULL, OPT_SHRINK },
	{ "force",	no_argument,		NULL, OPT_FORCE },
	{ "output",	required_argument,	NULL, 'o' },
	{ "delete",	no_argument,		NULL, OPT_DELETE },
	{ "unsafe",	no_argument,		NULL, 'u' },
	{ "quiet",	no_argument,		NULL, 'q' },
	{ "json",	no_argument,		NULL, 'j' },
	{ "help",	no_argument,		NULL, 'h' },
	{ 0 },
};

/* options of each: the letters of those that it takes; words: how many */
static const struct {
	const char *name;
	int (*run)(const struct disk_ask *ask, struct failure *why);
	const char *takes;
	unsigned int min, max;
} verbs[] = {
	{ "create",	disk_create,	"fkbBsF", 1, 2 },
	{ "info",	disk_info,	"f", 1, 1 },
	{ "check",	disk_check,	"fr", 1, 1 },
	{ "convert",	disk_convert,	"fOkBsFq", 2, 2 },
	{ "resize",	disk_resize,	"fS", 2, 2 },
	{ "map",	disk_map,	"f", 1, 1 },
	{ "merge",	disk_merge,	"oDFq", 1, 1 },
	{ "compact",	disk_compact,	"fq", 1, 1 },
	{ "rebase",	disk_rebase,	"buq", 1, 1 },
};

static char letter_of(int opt)
{
	switch (opt) {
	case OPT_KIND: return 'k';
	case OPT_BLOCK_SIZE: return 'B';
	case OPT_SECTOR: return 's';
	case OPT_SHRINK: return 'S';
	case OPT_FORCE: return 'F';
	case OPT_DELETE: return 'D';
	default: return opt;
	}
}

static int take_format(const char *text, int *format, struct failure *why)
{
	*format = vdisk_format(text);
	return *format < 0 ? fail(why, OVID_X_USAGE, "%s is no format; give raw, vhd or vhdx", text) : 0;
}

static int take_kind(const char *text, int *kind, struct failure *why)
{
	if (!strcmp(text, "fixed"))
		*kind = OVID_VDISK_FIXED;
	else if (!strcmp(text, "dynamic"))
		*kind = OVID_VDISK_DYNAMIC;
	else
		return fail(why, OVID_X_USAGE, "--kind %s: give fixed or dynamic", text);
	return 0;
}

static int take_option(struct disk_ask *ask, int opt, struct failure *why)
{
	switch (opt) {
	case 'f':
		return take_format(optarg, &ask->format, why);
	case 'O':
		return take_format(optarg, &ask->output, why);
	case OPT_KIND:
		return take_kind(optarg, &ask->kind, why);
	case 'b':
		ask->parent = optarg;
		return 0;
	case OPT_BLOCK_SIZE:
		return disk_size(optarg, &ask->block_size, why);
	case OPT_SECTOR:
		return disk_size(optarg, &ask->sector, why);
	case 'r':
		ask->repair = true;
		return 0;
	case OPT_SHRINK:
		ask->shrink = true;
		return 0;
	case OPT_FORCE:
		ask->force = true;
		return 0;
	case 'o':
		ask->new_file = optarg;
		return 0;
	case OPT_DELETE:
		ask->delete = true;
		return 0;
	case 'u':
		ask->unsafe = true;
		return 0;
	case 'q':
		ask->quiet = true;
		return 0;
	case 'j':
		ask->json = true;
		return 0;
	default:
		ask->help = true;
		return 0;
	}
}

static int next_option(struct disk_ask *ask, int opt, const char *word, const char *takes,
		       struct failure *why)
{
	if (opt == ':' || opt == '?' || (!strchr("jh", opt) && !strchr(takes, letter_of(opt))))
		return fail(why, OVID_X_USAGE, "%s %s; see `ovid disk --help`", word,
			    opt == ':' ? "lacks its value" : "is no option here");
	return take_option(ask, opt, why);
}

static int parse(struct disk_ask *ask, int argc, char **argv, const char *takes,
		 struct failure *why)
{
	const char *last = argv[argc - 1];
	int opt, ret = 0;

	/* a size to be taken off is no option */
	if (argc > 1 && last[0] == '-' && isdigit((unsigned char)last[1]))
		argc--;
	else
		last = NULL;
	*ask = (struct disk_ask){ .verb = argv[0], .format = -1, .output = -1, .kind = -1 };
	opterr = 0;
	optind = 1;
	while (!ret && (opt = getopt_long(argc, argv, ":f:O:b:o:uqrh", options, NULL)) != -1)
		ret = next_option(ask, opt, argv[optind - 1], takes, why);
	for (; !ret && optind < argc; optind++) {
		if (ask->nr == DISK_MAX_WORDS)
			return fail(why, OVID_X_USAGE, "%s: unexpected; see `ovid disk --help`",
				    argv[optind]);
		ask->word[ask->nr++] = argv[optind];
	}
	if (last && ask->nr < DISK_MAX_WORDS)
		ask->word[ask->nr++] = last;
	if (!ret && (ask->block_size > ~0u || ask->sector > ~0u))
		ret = fail(why, OVID_X_USAGE, "blocks and sectors are not so large");
	return ret;
}

int disk_new_format(const char *path, int format, struct failure *why)
{
	if (format < 0)
		format = vdisk_format_by_name(path);
	if (format < 0)
		return fail(why, OVID_X_USAGE, "%s: in which format? say raw, vhd or vhdx", path);
	return format;
}

int disk_result(const char *path, int ret, struct failure *why)
{
	switch (ret) {
	case 0:
		return 0;
	case -EUCLEAN:
		return fail(why, OVID_X_HOST, "%s is damaged; see `ovid disk check`", path);
	case -EINTR:
		return fail(why, OVID_X_STOPPED, "%s: stopped", path);
	case -EROFS:
		return fail(why, OVID_X_USAGE, "%s cannot be written to", path);
	default:
		return fail(why, OVID_X_HOST, "%s: %s", path, strerror(-ret));
	}
}

void disk_print(struct json_object *msg)
{
	puts(json_object_to_json_string_ext(msg, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(msg);
}

void disk_done(const struct disk_ask *ask)
{
	struct json_object *msg;

	if (!ask->json)
		return;
	msg = json_object_new_object();
	json_object_object_add(msg, "ok", json_object_new_boolean(true));
	disk_print(msg);
}

int cli_disk(int argc, char **argv)
{
	struct failure why = { "" };
	struct disk_ask ask;
	int ret;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		cli_help("disk");
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		ret = parse(&ask, argc - 1, argv + 1, verbs[i].takes, &why);
		if (!ret && ask.help) {
			cli_help("disk");
			return 0;
		}
		if (!ret && (ask.nr < verbs[i].min || ask.nr > verbs[i].max))
			ret = fail(&why, OVID_X_USAGE, "ovid disk %s: %s; see `ovid disk --help`",
				   ask.verb, ask.nr < verbs[i].min ? "a file or size is missing" :
				   "too many words");
		return cli_fail(ret ?: verbs[i].run(&ask, &why), &why);
	}
	ret = fail(&why, OVID_X_USAGE, "which of its verbs? see `ovid disk --help`");
	return cli_fail(ret, &why);
}
