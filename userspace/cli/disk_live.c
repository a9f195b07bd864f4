// SPDX-License-Identifier: GPL-2.0-only
/*
 * disk_live.c - `ovid disk-attach`, `disk-detach`, `disk-resize` and `disk-list`: the disks of a
 * VM that runs.  Files are opened here, with the caller's rights, and handed to the VM.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "disk.h"
#include "live.h"
#include "run.h"

/* ---- disk-attach ------------------------------------------------------------------- */

static const struct option attach_options[] = {
	{ "disk",	required_argument,	NULL, 'd' },
	ASK_JSON, ASK_HELP, { 0 }
};

struct attach {
	struct disk_words words;
	struct disk_config config;
	int file[1 + OVID_DISK_MAX_PARENTS];	/* its own, its parent's, ... */
};

static int attach_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	struct attach *a = ctx;

	(void)opt;
	if (a->words.path)
		return fail(why, OVID_X_USAGE, "--disk: one at a time");
	return disk_parse("--disk", &a->words, &a->config, (char *)arg, why);
}

static struct json_object *attach_question(const struct attach *a)
{
	struct json_object *q = ctl_question("disk-attach");

	live_add(q, "controller", a->config.controller);
	if (a->words.lun >= 0)
		live_add(q, "lun", a->words.lun);
	json_object_object_add(q, "read_only", json_object_new_boolean(a->config.read_only));
	live_add(q, "format", a->config.format);
	live_add(q, "logical_sector", a->config.logical_sector);
	live_add(q, "physical_sector", a->config.physical_sector);
	live_add(q, "iops", a->config.iops);
	live_add(q, "bps", a->config.bps);
	json_object_object_add(q, "serial", json_object_new_string(a->config.serial));
	json_object_object_add(q, "file", json_object_new_string(a->config.file));
	return q;
}

int cli_disk_attach(int argc, char **argv)
{
	struct failure why = { "" };
	struct json_object *answer;
	struct attach a = { 0 };
	struct ask ask;
	int ret = ask_parse(&ask, argc, argv, attach_options, attach_option, &a, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, 1, 0, &why);
	if (!ret && !ask.help && !a.words.path)
		ret = fail(&why, OVID_X_USAGE, "ovid disk-attach: --disk FILE is missing");
	if (ret || ask.help)
		return cli_fail(ret, &why);
	a.file[0] = disk_open(&a.words, &a.config, a.file + 1, OVID_DISK_MAX_PARENTS, &why);
	if (a.file[0] < 0)
		return cli_fail(a.file[0], &why);
	answer = live_put(ask.name, attach_question(&a), a.file, 1 + a.config.nr_parents, &why,
			  &ret);
	for (unsigned int i = 0; i <= a.config.nr_parents; i++)
		close(a.file[i]);
	if (answer && !ask.json)
		printf("%lld:%lld\n", live_number(answer, "controller"), live_number(answer, "lun"));
	if (answer)
		live_tell(&ask, answer);
	return cli_fail(ret, &why);
}

/* ---- disk-detach ------------------------------------------------------------------- */

static const struct option plain_options[] = { ASK_JSON, ASK_HELP, { 0 } };

int cli_disk_detach(int argc, char **argv)
{
	struct json_object *question, *answer;
	struct failure why = { "" };
	struct ask ask;
	int ret = ask_parse(&ask, argc, argv, plain_options, NULL, NULL, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, 2, 0, &why);
	if (ret || ask.help)
		return cli_fail(ret, &why);
	question = ctl_question("disk-detach");
	ret = live_place(question, ask.word[1], &why);
	if (ret) {
		json_object_put(question);
		return cli_fail(ret, &why);
	}
	answer = live_put(ask.name, question, NULL, 0, &why, &ret);
	if (answer)
		live_tell(&ask, answer);
	return cli_fail(ret, &why);
}

/* ---- disk-resize ------------------------------------------------------------------- */

static const struct option resize_options[] = {
	{ "shrink",	no_argument,	NULL, 's' },
	ASK_JSON, ASK_HELP, { 0 }
};

struct resize {
	bool shrink;
	const char *size;	/* or NULL: whatever its file has */
};

static int resize_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	struct resize *r = ctx;

	(void)opt, (void)arg, (void)why;
	r->shrink = true;
	return 0;
}

static int new_size(const struct resize *r, u64 was, u64 *size, struct failure *why)
{
	bool more = *r->size == '+';
	int ret = disk_size(r->size + more, size, why);

	if (ret)
		return ret;
	if (more && __builtin_add_overflow(was, *size, size))
		return fail(why, OVID_X_USAGE, "%s: too large", r->size);
	if (*size < was && !r->shrink)
		return fail(why, OVID_X_USAGE,
			    "that cuts off what is at the end of the disk; --shrink says that you mean it");
	return 0;
}

/* @file: the VM's */
static int change_file(const struct resize *r, int file, u64 was, struct failure *why)
{
	struct stat st;
	u64 size;
	int ret = new_size(r, was, &size, why);

	if (ret)
		return ret;
	if (fstat(file, &st))
		return fail(why, OVID_X_HOST, "%s", strerror(errno));
	if (S_ISBLK(st.st_mode) && size != (u64)lseek(file, 0, SEEK_END))
		return fail(why, OVID_X_USAGE,
			    "it is a block device of %lld bytes; make that larger, then say it without a size",
			    (long long)lseek(file, 0, SEEK_END));
	if (S_ISREG(st.st_mode) && ftruncate(file, size))
		return fail(why, OVID_X_HOST, "its file cannot become larger or smaller: %s",
			    errno == EINVAL ? "it is open to read only" : strerror(errno));
	return 0;
}

/* an image is made larger by the VM itself: *@size; else it is 0 */
static int image_size(const struct resize *r, struct json_object *disk, u64 *size,
		      struct failure *why)
{
	u64 was = live_number(disk, "bytes");
	int ret = r->size ? new_size(r, was, size, why) : 0;

	if (!ret && *size && *size < was)
		return fail(why, OVID_X_USAGE,
			    "an image becomes smaller while no VM has it, by `ovid disk resize --shrink`");
	return ret;
}

/* @file: of @nr that came with what is said of the disk: it, if it is raw, gets its new size */
static int prepare(const struct ask *ask, const struct resize *r, struct json_object *disk, int file,
		   unsigned int nr, u64 *size, struct failure *why)
{
	if (!nr && *live_text(disk, "format") && strcmp(live_text(disk, "format"), "raw"))
		return image_size(r, disk, size, why);
	if (nr != 1)
		return fail(why, OVID_X_HOST, "%s sent no file; do tools and VM belong together?",
			    ask->name);
	return r->size ? change_file(r, file, live_number(disk, "bytes"), why) : 0;
}

/* what there is to be done before the guest is told */
static int prepare_disk(const struct ask *ask, const struct resize *r, int vm, u64 *size,
			struct failure *why)
{
	struct json_object *question = ctl_question("disk-file"), *answer;
	unsigned int nr = 1;
	int file = -1, ret = live_place(question, ask->word[1], why);

	if (ret) {
		json_object_put(question);
		return ret;
	}
	answer = ctl_put(vm, question, -1, &file, &nr, why);
	if (!answer)
		return -OVID_X_HOST;
	ret = prepare(ask, r, answer, file, nr, size, why);
	json_object_put(answer);
	if (nr == 1)
		close(file);
	return ret;
}

static int do_resize(const struct ask *ask, const struct resize *r, struct json_object **answer,
		     struct failure *why)
{
	struct json_object *question;
	int vm = ctl_connect(ask->name, why), ret;
	u64 size = 0;

	if (vm < 0)
		return vm;
	ret = prepare_disk(ask, r, vm, &size, why);
	if (!ret) {
		question = ctl_question("disk-resized");
		live_place(question, ask->word[1], why);
		live_add(question, "bytes", size);
		ctl_set_patience(vm, 0);	/* a fixed image takes its time */
		*answer = ctl_put(vm, question, -1, NULL, NULL, why);
		ret = *answer ? 0 : -OVID_X_HOST;
	}
	close(vm);
	return ret;
}

int cli_disk_resize(int argc, char **argv)
{
	struct json_object *answer = NULL;
	struct failure why = { "" };
	struct resize r = { 0 };
	struct ask ask;
	char size[32];
	int ret = ask_parse(&ask, argc, argv, resize_options, resize_option, &r, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, ask.nr > 2 ? 3 : 2, 0, &why);
	if (ret || ask.help)
		return cli_fail(ret, &why);
	r.size = ask.nr > 2 ? ask.word[2] : NULL;
	ret = do_resize(&ask, &r, &answer, &why);
	if (answer && !ask.json)
		printf("%s (%lld bytes)\n", disk_human(live_number(answer, "bytes"), size),
		       live_number(answer, "bytes"));
	if (answer)
		live_tell(&ask, answer);
	return cli_fail(ret, &why);
}

/* ---- disk-list --------------------------------------------------------------------- */

/* there mostly is none */
static void print_limit(struct json_object *disk, const char *key)
{
	if (live_number(disk, key))
		printf("%s=%lld ", key, live_number(disk, key));
}

static void print_disk(struct json_object *disk)
{
	char size[32], place[16];

	snprintf(place, sizeof(place), "%lld:%lld", live_number(disk, "controller"),
		 live_number(disk, "lun"));
	printf("%-5s %10s %-3s %-16s ", place, disk_human(live_number(disk, "bytes"), size),
	       live_number(disk, "read_only") ? "ro" : "", live_text(disk, "serial"));
	print_limit(disk, "iops");
	print_limit(disk, "bps");
	print_guest_text(live_text(disk, "file"));
	putchar('\n');
}

/* one answer for each disk, however many there are */
static int collect(int vm, struct json_object *all, struct failure *why)
{
	struct json_object *question, *disk, *field;
	long long from = 0;

	for (;;) {
		question = ctl_question("disk-next");
		live_add(question, "from", from);
		disk = ctl_put(vm, question, -1, NULL, NULL, why);
		if (!disk)
			return -OVID_X_HOST;
		if (!json_object_object_get_ex(disk, "lun", &field)) {
			json_object_put(disk);
			return 0;
		}
		from = live_number(disk, "controller") * LUNS_MAX + live_number(disk, "lun") + 1;
		json_object_object_del(disk, "ok");
		json_object_array_add(all, disk);
	}
}

int cli_disk_list(int argc, char **argv)
{
	struct failure why = { "" };
	struct json_object *all;
	struct ask ask;
	int vm, ret = ask_parse(&ask, argc, argv, plain_options, NULL, NULL, &why);

	if (!ret && !ask.help)
		ret = ask_words(&ask, 1, 0, &why);
	if (ret || ask.help)
		return cli_fail(ret, &why);
	vm = ctl_connect(ask.name, &why);
	if (vm < 0)
		return cli_fail(vm, &why);
	all = json_object_new_array();
	ret = collect(vm, all, &why);
	close(vm);
	if (!ret && ask.json)
		puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	for (size_t i = 0; !ret && !ask.json && i < json_object_array_length(all); i++)
		print_disk(json_object_array_get_idx(all, i));
	json_object_put(all);
	return cli_fail(ret, &why);
}
