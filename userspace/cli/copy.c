// SPDX-License-Identifier: GPL-2.0-only
/* copy.c - `ovid copy`: a file into the guest. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lent.h"

#define SHOW_MS	200	/* between two updates of the line */

struct copy {
	struct ask ask;
	struct lent l;
	u32 flags;
	const char *file;
	char path[2 * OVID_IC_PATH_LEN];
	bool show;		/* progress */
	bool shown;
	long long next_ms;
	u64 bytes;
};

static const struct option options[] = {
	{ "overwrite",	no_argument,	NULL, 'o' },
	{ "mkdir",	no_argument,	NULL, 'm' },
	ASK_JSON, ASK_HELP, { 0 }
};

static int take_option(void *ctx, int opt, const char *arg, struct failure *why)
{
	struct copy *c = ctx;

	(void)arg;
	(void)why;
	c->flags |= opt == 'o' ? OVID_IC_OVERWRITE : OVID_IC_CREATE_PATH;
	return 0;
}

/* A path that ends with / is a folder: the file keeps its name. */
static int make_path(struct copy *c, const char *path, struct failure *why)
{
	const char *slash = strrchr(c->file, '/'), *name = slash ? slash + 1 : c->file;
	size_t len = strlen(path);
	bool folder = len && path[len - 1] == '/';

	if (*path != '/')
		return fail(why, OVID_X_USAGE, "%s: give the file's absolute path in the guest", path);
	if ((size_t)snprintf(c->path, sizeof(c->path), "%s%s", path, folder ? name : "") >=
	    sizeof(c->path))
		return fail(why, OVID_X_USAGE, "the path in the guest is too long");
	return 0;
}

static int parse(struct copy *c, int argc, char **argv, struct failure *why)
{
	int ret = ask_parse(&c->ask, argc, argv, options, take_option, c, why);

	if (ret || c->ask.help)
		return ret;
	ret = ask_words(&c->ask, 3, 0, why);
	if (ret)
		return ret;
	c->file = c->ask.word[1];
	return make_path(c, c->ask.word[2], why);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static void show(struct copy *c, u64 done, u64 all)
{
	long long now = now_ms();

	if (done < all && now < c->next_ms)
		return;
	fprintf(stderr, "\r%s: %3llu %% of %llu bytes", c->ask.name,
		(unsigned long long)(done * 100 / all), (unsigned long long)all);
	c->next_ms = now + SHOW_MS;
	c->shown = true;
}

static int progress(void *ctx, u64 done, u64 all)
{
	struct copy *c = ctx;

	c->bytes = all;
	if (c->show)
		show(c, done, all);
	return lent_signalled(&c->l);
}

static int copy(struct copy *c, int file, struct failure *why)
{
	int ret = lent_open(&c->l, c->ask.name, "fcopy", true, why);

	if (ret)
		return ret;
	ret = lent_ready(&c->l, NULL, why);
	if (!ret)
		ret = ic_copy(&c->l.ic, file, c->path, c->flags, progress, c, why);
	if (c->shown)
		fputc('\n', stderr);
	ret = lent_result(&c->l, ret, why);
	lent_close(&c->l);
	return ret;
}

static void print_done(const struct copy *c)
{
	struct json_object *msg = json_object_new_object();

	json_object_object_add(msg, "ok", json_object_new_boolean(true));
	json_object_object_add(msg, "path", json_object_new_string(c->path));
	json_object_object_add(msg, "bytes", json_object_new_int64(c->bytes));
	ask_print(msg);
}

int cli_copy(int argc, char **argv)
{
	struct failure why = { "" };
	struct copy c = { 0 };
	int file, ret = parse(&c, argc, argv, &why);

	if (ret || c.ask.help)
		return cli_fail(ret, &why);
	/* not a FIFO's end to wait for: ic_copy() takes regular files only */
	file = open(c.file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0) {
		ret = fail(&why, OVID_X_USAGE, "cannot open %s: %s", c.file, strerror(errno));
		return cli_fail(ret, &why);
	}
	c.show = isatty(STDERR_FILENO) && !c.ask.json;
	ret = copy(&c, file, &why);
	close(file);
	if (!ret && c.ask.json)
		print_done(&c);
	return cli_fail(ret, &why);
}
