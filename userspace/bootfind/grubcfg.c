// SPDX-License-Identifier: GPL-2.0-only
/* grubcfg.c - see grubcfg.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grubcfg.h"
#include "grublex.h"

#define MAX_STEPS	100000
#define MAX_DEPTH	16
#define MAX_ENTRIES	256
#define MAX_TEXTS	8
#define TOP		(-1)

struct entry {
	char title[128];
	char id[128];
	int parent;		/* TOP, or the submenu that it is in */
	unsigned int index;	/* among those of its parent */
	bool submenu;
	struct grub_text body;
};

struct grub {
	const struct grub_ops *ops;
	void *ctx;
	struct grub_vars vars;
	struct boot_choice *choice;
	struct entry entry[MAX_ENTRIES];
	unsigned int nr_entries;
	int parent;
	unsigned int steps, depth;
	char *text[MAX_TEXTS];
	unsigned int nr_texts;
	bool bls;
	bool over;		/* another file has taken its place */
};

/* what a list of commands ended with */
enum stop {
	STOP_THEN,
	STOP_ELIF,
	STOP_ELSE,
	STOP_FI,
	STOP_DO,
	STOP_DONE,
	STOP_BLOCK,
	STOP_TEXT,		/* or there is something wrong: whatever is open ends here */
};

static enum stop run_list(struct grub *g, struct grub_text *t, bool live, bool *status);
static void run_file(struct grub *g, const struct boot_file *file);

/* ---- files ---- */

/* GRUB counts disks, and we have one */
static void set_device(char *to, const char *from, size_t len)
{
	const char *rest = from;

	if (len > 2 && !strncmp(from, "hd", 2)) {
		size_t digits = strspn(from + 2, "0123456789");

		if (digits && 2 + digits <= len) {
			rest = from + 2 + digits;
			len -= 2 + digits;
			snprintf(to, BOOT_DEVICE, "loop0%.*s", (int)len, rest);
			return;
		}
	}
	snprintf(to, BOOT_DEVICE, "%.*s", len < BOOT_DEVICE ? (int)len : BOOT_DEVICE - 1, rest);
}

/* @word: /path or (device)/path; false: it is neither */
static bool to_file(const struct grub *g, const char *word, struct boot_file *file)
{
	const char *root = grub_var(&g->vars, "root"), *path = word;

	if (*word == '(') {
		path = strchr(word, ')');
		if (!path)
			return false;
		set_device(file->device, word + 1, path++ - word - 1);
	} else {
		set_device(file->device, root, strlen(root));
	}
	return *path == '/' && (size_t)snprintf(file->path, BOOT_PATH, "%s", path) < BOOT_PATH;
}

/* ---- conditions ---- */

static bool test_file(struct grub *g, const char *word)
{
	struct boot_file file;

	return to_file(g, word, &file) && g->ops->exists(g->ctx, &file);
}

static bool test_binary(const char *a, const char *op, const char *b, bool *known)
{
	long x = strtol(a, NULL, 10), y = strtol(b, NULL, 10);

	*known = true;
	if (!strcmp(op, "=") || !strcmp(op, "=="))
		return !strcmp(a, b);
	if (!strcmp(op, "!="))
		return strcmp(a, b) != 0;
	if (!strcmp(op, "-eq"))
		return x == y;
	if (!strcmp(op, "-ne"))
		return x != y;
	if (!strcmp(op, "-lt"))
		return x < y;
	if (!strcmp(op, "-le"))
		return x <= y;
	if (!strcmp(op, "-gt"))
		return x > y;
	if (!strcmp(op, "-ge"))
		return x >= y;
	*known = false;
	return false;
}

/* one of them, from *@at on */
static bool test_one(struct grub *g, char **word, unsigned int nr, unsigned int *at)
{
	const char *op = word[*at];
	bool known = false, is = false;

	if (nr - *at >= 3)
		is = test_binary(op, word[*at + 1], word[*at + 2], &known);
	if (known) {
		*at += 3;
		return is;
	}
	if (nr - *at >= 2 && op[0] == '-' && op[1] && strchr("nzfeds", op[1]) && !op[2]) {
		const char *what = word[*at + 1];

		*at += 2;
		if (op[1] == 'n' || op[1] == 'z')
			return !*what == (op[1] == 'z');
		return test_file(g, what);
	}
	(*at)++;
	return *op;
}

static bool test(struct grub *g, char **word, unsigned int nr)
{
	bool result = false, or = true, and = false;

	for (unsigned int at = 0; at < nr;) {
		bool not = false, is;

		while (at + 1 < nr && !strcmp(word[at], "!")) {
			not = !not;
			at++;
		}
		is = test_one(g, word, nr, &at) != not;
		if (and)
			result = result && is;
		else if (or)
			result = result || is;
		and = at < nr && !strcmp(word[at], "-a");
		or = at < nr && !strcmp(word[at], "-o");
		if (!and && !or)
			break;
		at++;
	}
	return result;
}

/* ---- commands ---- */

static bool do_test(struct grub *g, struct grub_words *w)
{
	unsigned int nr = w->nr - 1;

	if (nr && !strcmp(w->word[0], "[") && !strcmp(w->word[nr], "]"))
		nr--;
	return test(g, w->word + 1, nr);
}

static bool do_set(struct grub *g, struct grub_words *w)
{
	const char *word = w->nr > 1 ? w->word[1] : "", *is = strchr(word, '=');

	return is && grub_set(&g->vars, word, is - word, is + 1);
}

static bool do_search(struct grub *g, struct grub_words *w)
{
	const char *var = "root", *what = NULL;
	enum grub_search by = GRUB_BY_FILE;
	char device[BOOT_DEVICE];

	if (strstr(w->word[0], "fs_uuid"))
		by = GRUB_BY_UUID;
	else if (strstr(w->word[0], "label"))
		by = GRUB_BY_LABEL;
	for (unsigned int i = 1; i < w->nr; i++) {
		const char *word = w->word[i];

		if (!strcmp(word, "--fs-uuid") || !strcmp(word, "-u"))
			by = GRUB_BY_UUID;
		else if (!strcmp(word, "--label") || !strcmp(word, "-l"))
			by = GRUB_BY_LABEL;
		else if (!strncmp(word, "--set=", 6))
			var = word + 6;
		else if (!strcmp(word, "--hint") && i + 1 < w->nr)
			i++;
		else if (*word == '-')
			continue;
		else if (!what)
			what = word;
		else if (strchr(w->word[0], '.'))
			return g->ops->search(g->ctx, by, what, device) &&
			       grub_set(&g->vars, word, strlen(word), device);
	}
	return what && g->ops->search(g->ctx, by, what, device) &&
	       grub_set(&g->vars, var, strlen(var), device);
}

static bool do_linux(struct grub *g, struct grub_words *w)
{
	struct boot_choice *c = g->choice;
	size_t used = 0;

	c->args[0] = 0;
	c->nr_initrds = 0;
	if (w->nr < 2 || !to_file(g, w->word[1], &c->kernel)) {
		c->kernel.path[0] = 0;
		return false;
	}
	for (unsigned int i = 2; i < w->nr; i++) {
		size_t len = strlen(w->word[i]);

		if (used + len + 2 > BOOT_ARGS)
			break;
		if (used)
			c->args[used++] = ' ';
		memcpy(c->args + used, w->word[i], len + 1);
		used += len;
	}
	return true;
}

static bool do_initrd(struct grub *g, struct grub_words *w)
{
	struct boot_choice *c = g->choice;

	for (unsigned int i = 1; i < w->nr && c->nr_initrds < BOOT_INITRDS; i++)
		if (to_file(g, w->word[i], &c->initrd[c->nr_initrds]))
			c->nr_initrds++;
	return true;
}

static bool do_config(struct grub *g, struct grub_words *w)
{
	struct boot_file file;

	if (w->nr < 2 || !to_file(g, w->word[1], &file) || !g->ops->exists(g->ctx, &file))
		return false;
	run_file(g, &file);
	g->over |= !strcmp(w->word[0], "configfile");
	return true;
}

/* its file is beside the configuration */
static bool do_load_env(struct grub *g, struct grub_words *w)
{
	static const char *const names[] = { "saved_entry", "next_entry", "kernelopts", "tuned_params",
					     "boot_success", "menu_auto_hide" };
	char path[BOOT_PATH + BOOT_DEVICE + 16], value[BOOT_ARGS];
	struct boot_file file;
	size_t len;
	char *text;

	(void)w;
	snprintf(path, sizeof(path), "%s/grubenv", grub_var(&g->vars, "prefix"));
	text = to_file(g, path, &file) ? g->ops->read(g->ctx, &file, &len) : NULL;
	if (!text)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (grub_env_get(text, len, names[i], value, sizeof(value)))
			grub_set(&g->vars, names[i], strlen(names[i]), value);
	free(text);
	return true;
}

static bool do_blscfg(struct grub *g, struct grub_words *w)
{
	(void)w;
	g->bls = true;
	return true;
}

static bool do_nothing(struct grub *g, struct grub_words *w)
{
	(void)g;
	(void)w;
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct grub *g, struct grub_words *w);
} commands[] = {
	{ "[", do_test }, { "test", do_test }, { "set", do_set }, { "true", do_nothing },
	{ "search", do_search }, { "search.fs_uuid", do_search }, { "search.fs_label", do_search },
	{ "search.file", do_search },
	{ "linux", do_linux }, { "linuxefi", do_linux }, { "linux16", do_linux },
	{ "initrd", do_initrd }, { "initrdefi", do_initrd }, { "initrd16", do_initrd },
	{ "configfile", do_config }, { "source", do_config }, { ".", do_config },
	{ "load_env", do_load_env }, { "blscfg", do_blscfg }, { "insmod", do_nothing },
};

static bool run_command(struct grub *g, struct grub_words *w)
{
	const char *name = w->word[0], *is = strchr(name, '=');

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(g, w);
	return is && grub_set(&g->vars, name, is - name, is + 1);
}

/* ---- blocks ---- */

static enum stop run_if(struct grub *g, struct grub_text *t, bool live, bool *status)
{
	bool taken = false, is;
	enum stop stop;

	do {
		bool now = live && !taken;

		stop = run_list(g, t, now, &is);
		if (stop != STOP_THEN)
			return STOP_TEXT;
		is = now && is;
		taken |= is;
		stop = run_list(g, t, is, status);
	} while (stop == STOP_ELIF);
	if (stop == STOP_ELSE)
		stop = run_list(g, t, live && !taken, status);
	return stop == STOP_FI ? stop : STOP_TEXT;
}

/* to where its body ends, once or never: it is not run */
static enum stop pass_loop(struct grub *g, struct grub_text *t)
{
	bool status;
	enum stop stop = run_list(g, t, false, &status);

	return stop == STOP_DO ? run_list(g, t, false, &status) : stop;
}

static void name_entry(struct entry *e, const struct grub_words *w)
{
	static const char *const valued[] = { "--class", "--users", "--hotkey", "--source" };

	for (unsigned int i = 1; i < w->nr; i++) {
		const char *word = w->word[i];

		if (!strcmp(word, "--id") && i + 1 < w->nr) {
			snprintf(e->id, sizeof(e->id), "%s", w->word[++i]);
			continue;
		}
		if (!strncmp(word, "--id=", 5))
			snprintf(e->id, sizeof(e->id), "%s", word + 5);
		for (size_t v = 0; v < ARRAY_SIZE(valued); v++)
			i += !strcmp(word, valued[v]);
		if (*word != '-' && !e->title[0])
			snprintf(e->title, sizeof(e->title), "%s", word);
	}
}

static enum stop take_entry(struct grub *g, struct grub_text *t, const struct grub_words *w, bool live)
{
	struct entry *e = live && g->nr_entries < MAX_ENTRIES ? &g->entry[g->nr_entries++] : NULL;
	bool submenu = !strcmp(w->word[0], "submenu"), status;
	int parent = g->parent;
	enum stop stop;

	if (e) {
		*e = (struct entry){ .parent = parent, .submenu = submenu, .body.at = t->at };
		name_entry(e, w);
		for (struct entry *o = g->entry; o < e; o++)
			e->index += o->parent == parent;
		g->parent = e - g->entry;
	}
	stop = run_list(g, t, e && submenu, &status);
	g->parent = parent;
	/* without the } */
	if (e)
		e->body.end = t->at - (stop == STOP_BLOCK);
	return stop == STOP_BLOCK ? STOP_BLOCK : STOP_TEXT;
}

static bool is_word(const struct grub_words *w, const char *word)
{
	return !strcmp(w->word[0], word);
}

/* a command with more to it; false: it is a simple one */
static bool run_compound(struct grub *g, struct grub_text *t, const struct grub_words *w, bool live, bool *status,
			 enum stop *stop)
{
	bool ignored;

	if (is_word(w, "if"))
		*stop = run_if(g, t, live, status);
	else if (is_word(w, "while") || is_word(w, "until"))
		*stop = pass_loop(g, t);
	else if (is_word(w, "for"))
		*stop = pass_loop(g, t);
	else if (w->end != GRUB_END_BLOCK)
		return false;
	else if (is_word(w, "menuentry") || is_word(w, "submenu"))
		*stop = take_entry(g, t, w, live);
	else
		*stop = run_list(g, t, false, &ignored);
	return true;
}

static bool stops(const struct grub_words *w, enum stop *stop)
{
	static const struct {
		const char *word;
		enum stop stop;
	} ends[] = {
		{ "then", STOP_THEN }, { "elif", STOP_ELIF }, { "else", STOP_ELSE }, { "fi", STOP_FI },
		{ "do", STOP_DO }, { "done", STOP_DONE }, { "}", STOP_BLOCK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		*stop = ends[i].stop;
		if (is_word(w, ends[i].word))
			return true;
	}
	return false;
}

static enum stop run_commands(struct grub *g, struct grub_text *t, struct grub_words *w, bool live, bool *status)
{
	enum stop stop;

	*status = false;
	while (g->steps++ < MAX_STEPS && !g->over) {
		grub_command(t, &g->vars, w);
		if (!w->nr)
			return STOP_TEXT;
		if (stops(w, &stop))
			return stop;
		if (run_compound(g, t, w, live, status, &stop)) {
			if (stop == STOP_TEXT)
				return stop;
		} else if (live) {
			*status = run_command(g, w);
		}
	}
	return STOP_TEXT;
}

static enum stop run_list(struct grub *g, struct grub_text *t, bool live, bool *status)
{
	struct grub_words *w = g->depth < MAX_DEPTH ? malloc(sizeof(*w)) : NULL;
	enum stop stop = STOP_TEXT;

	*status = false;
	if (!w)
		return stop;
	g->depth++;
	stop = run_commands(g, t, w, live, status);
	g->depth--;
	free(w);
	return stop;
}

static void run_file(struct grub *g, const struct boot_file *file)
{
	char *text = NULL;
	bool status;
	size_t len;

	if (g->nr_texts < MAX_TEXTS)
		text = g->ops->read(g->ctx, file, &len);
	if (!text)
		return;
	/* entries point into it */
	g->text[g->nr_texts++] = text;
	run_list(g, &(struct grub_text){ text, text + len }, true, &status);
}

/* ---- the choice ---- */

/* of the entries in @parent, the one that @len bytes at @name mean: a number, an ID or a title */
static struct entry *find_entry(struct grub *g, int parent, const char *name, size_t len)
{
	size_t digits = strspn(name, "0123456789");
	unsigned long index = digits && digits == len ? strtoul(name, NULL, 10) : -1ul;

	for (unsigned int i = 0; i < g->nr_entries; i++) {
		struct entry *e = &g->entry[i];

		if (e->parent != parent)
			continue;
		if (e->index == index || (strlen(e->id) == len && len && !strncmp(e->id, name, len)) ||
		    (strlen(e->title) == len && len && !strncmp(e->title, name, len)))
			return e;
	}
	return NULL;
}

static struct entry *first_entry(struct grub *g, int parent)
{
	return find_entry(g, parent, "0", 1);
}

/* "1>gnulinux-advanced" is in the submenu that comes second; what is not there is the first one */
static struct entry *default_entry(struct grub *g)
{
	const char *at = grub_var(&g->vars, "default");
	struct entry *e = NULL;
	int parent = TOP;

	while (*at) {
		size_t len = strcspn(at, ">");

		e = find_entry(g, parent, at, len);
		if (!e)
			break;
		parent = e - g->entry;
		at += len + (at[len] == '>');
	}
	if (!e)
		e = first_entry(g, TOP);
	for (unsigned int depth = 0; e && e->submenu && depth < MAX_DEPTH; depth++)
		e = first_entry(g, e - g->entry);
	return e && !e->submenu ? e : NULL;
}

static enum grub_result choose(struct grub *g)
{
	struct entry *e = default_entry(g);
	bool status;

	if (!e && g->bls) {
		const char *root = grub_var(&g->vars, "root");

		set_device(g->choice->kernel.device, root, strlen(root));
		snprintf(g->choice->title, sizeof(g->choice->title), "%s", grub_var(&g->vars, "default"));
		return GRUB_BLS;
	}
	if (!e)
		return GRUB_NONE;
	snprintf(g->choice->title, sizeof(g->choice->title), "%s", e->title);
	g->over = false;
	g->steps = 0;
	run_list(g, &e->body, true, &status);
	return g->choice->kernel.path[0] ? GRUB_CHOICE : GRUB_NO_LINUX;
}

/* what GRUB has told itself before it reads a line */
static void begin(struct grub *g, const struct boot_file *file)
{
	char prefix[BOOT_DEVICE + BOOT_PATH + 4];
	const char *slash = strrchr(file->path, '/');

	snprintf(prefix, sizeof(prefix), "(%s)%.*s", file->device, slash ? (int)(slash - file->path) : 0,
		 file->path);
	grub_set(&g->vars, "prefix", 6, prefix);
	grub_set(&g->vars, "config_directory", 16, prefix);
	grub_set(&g->vars, "root", 4, file->device);
	grub_set(&g->vars, "grub_platform", 13, "pc");
	grub_set(&g->vars, "grub_cpu", 8, "x86_64");
	grub_set(&g->vars, "default", 7, "0");
}

enum grub_result grub_choose(const struct grub_ops *ops, void *ctx, const struct boot_file *file,
			     struct boot_choice *choice)
{
	struct grub *g = calloc(1, sizeof(*g));
	enum grub_result result;

	*choice = (struct boot_choice){ 0 };
	if (!g)
		return GRUB_NONE;
	g->ops = ops;
	g->ctx = ctx;
	g->choice = choice;
	g->parent = TOP;
	begin(g, file);
	run_file(g, file);
	result = choose(g);
	while (g->nr_texts)
		free(g->text[--g->nr_texts]);
	grub_vars_free(&g->vars);
	free(g);
	return result;
}

bool grub_env_get(const char *text, size_t len, const char *name, char *value, size_t size)
{
	size_t name_len = strlen(name), n;

	for (const char *at = text, *end = text + len; at < end; at += n + 1) {
		const char *newline = memchr(at, '\n', end - at);

		n = newline ? (size_t)(newline - at) : (size_t)(end - at);
		if (n <= name_len || at[name_len] != '=' || memcmp(at, name, name_len) || *at == '#')
			continue;
		n -= name_len + 1;
		if (n >= size || memchr(at + name_len + 1, 0, n))
			return false;
		memcpy(value, at + name_len + 1, n);
		value[n] = 0;
		return true;
	}
	return false;
}
