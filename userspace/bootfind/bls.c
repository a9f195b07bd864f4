// SPDX-License-Identifier: GPL-2.0-only
/* bls.c - see bls.h */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"

bool bls_name(struct bls_entry *entry, const char *file, const char *suffix)
{
	size_t len = strlen(file), end = strlen(suffix);
	const char *plus;

	if (len <= end || strcmp(file + len - end, suffix) || len - end >= BLS_NAME)
		return false;
	memcpy(entry->name, file, len - end);
	entry->name[len - end] = 0;
	/* NAME+LEFT-DONE */
	plus = strrchr(entry->name, '+');
	if (plus && isdigit((unsigned char)plus[1])) {
		entry->tried = !strtoul(plus + 1, NULL, 10);
		entry->name[plus - entry->name] = 0;
	}
	return true;
}

/* ---- lines ---- */

struct line {
	const char *key, *value;
	size_t key_len, value_len;
};

/* the next that says something; false: there are no more */
static bool next_line(const char **at, const char *end, struct line *l)
{
	while (*at < end) {
		const char *newline = memchr(*at, '\n', end - *at), *from = *at, *to;

		to = newline ? newline : end;
		*at = newline ? newline + 1 : end;
		while (from < to && isspace((unsigned char)*from))
			from++;
		while (to > from && isspace((unsigned char)to[-1]))
			to--;
		if (from == to || *from == '#' || memchr(from, 0, to - from))
			continue;
		l->key = from;
		while (from < to && !isspace((unsigned char)*from))
			from++;
		l->key_len = from - l->key;
		while (from < to && isspace((unsigned char)*from))
			from++;
		l->value = from;
		l->value_len = to - from;
		return true;
	}
	return false;
}

static bool is_key(const struct line *l, const char *key)
{
	return l->key_len == strlen(key) && !memcmp(l->key, key, l->key_len);
}

static bool take(const struct line *l, char *to, size_t size)
{
	return (size_t)snprintf(to, size, "%.*s", (int)l->value_len, l->value) < size;
}

bool bls_value(const char *text, size_t len, const char *key, char *value, size_t size)
{
	const char *end = text + len;
	bool found = false;
	struct line l;

	while (next_line(&text, end, &l))
		if (is_key(&l, key))
			found = take(&l, value, size);
	return found;
}

/* ---- an entry ---- */

static bool take_file(const struct line *l, const char *device, struct boot_file *file)
{
	const char *slash = l->value_len && *l->value != '/' ? "/" : "";

	snprintf(file->device, BOOT_DEVICE, "%s", device);
	return l->value_len && (size_t)snprintf(file->path, BOOT_PATH, "%s%.*s", slash, (int)l->value_len,
						l->value) < BOOT_PATH;
}

static bool add_options(const struct line *l, struct boot_choice *c)
{
	size_t used = strlen(c->args);

	if (used + l->value_len + 2 > BOOT_ARGS)
		return false;
	snprintf(c->args + used, BOOT_ARGS - used, "%s%.*s", used ? " " : "", (int)l->value_len, l->value);
	return true;
}

/* false: the entry cannot be used */
static bool take_line(struct bls_entry *e, const struct line *l, const char *device)
{
	struct boot_choice *c = &e->choice;

	if (is_key(l, "title"))
		snprintf(c->title, sizeof(c->title), "%.*s", (int)l->value_len, l->value);
	else if (is_key(l, "version"))
		return take(l, e->version, sizeof(e->version));
	else if (is_key(l, "sort-key"))
		return take(l, e->sort_key, sizeof(e->sort_key));
	else if (is_key(l, "linux"))
		return take_file(l, device, &c->kernel);
	else if (is_key(l, "options"))
		return add_options(l, c);
	else if (is_key(l, "initrd"))
		return c->nr_initrds < BOOT_INITRDS && take_file(l, device, &c->initrd[c->nr_initrds++]);
	else if (is_key(l, "architecture"))
		return l->value_len == 3 && !strncasecmp(l->value, "x64", 3);
	return true;
}

bool bls_parse(struct bls_entry *entry, const char *text, size_t len, const char *device)
{
	const char *end = text + len;
	struct line l;

	while (next_line(&text, end, &l))
		if (!take_line(entry, &l, device))
			return false;
	if (!entry->choice.title[0])
		snprintf(entry->choice.title, sizeof(entry->choice.title), "%s", entry->name);
	return entry->choice.kernel.path[0];
}

/* ---- order ---- */

static bool counts(char c)
{
	return isalnum((unsigned char)c) || c == '~' || c == '-' || c == '^' || c == '.';
}

/* of numbers of any length: without their zeros, the longer one, then the later one */
static int compare_numbers(const char **a, const char **b)
{
	size_t x, y;
	int c;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	x = strspn(*a, "0123456789");
	y = strspn(*b, "0123456789");
	c = x != y ? (x < y ? -1 : 1) : strncmp(*a, *b, x);
	*a += x;
	*b += y;
	return c;
}

static int compare_letters(const char **a, const char **b)
{
	size_t x = 0, y = 0;
	int c;

	while (isalpha((unsigned char)(*a)[x]))
		x++;
	while (isalpha((unsigned char)(*b)[y]))
		y++;
	c = strncmp(*a, *b, x < y ? x : y);
	if (!c && x != y)
		c = x < y ? -1 : 1;
	*a += x;
	*b += y;
	return c;
}

int bls_version(const char *a, const char *b)
{
	/* a mark that only one has: before the end (~), or behind it; in this order */
	static const char marks[] = "~\1-^.";

	for (;;) {
		const char *x, *y;
		int c;

		while (*a && !counts(*a))
			a++;
		while (*b && !counts(*b))
			b++;
		x = strchr(marks, *a ? *a : 1);
		y = strchr(marks, *b ? *b : 1);
		if (!*a && !*b)
			return 0;
		if ((x || y) && x != y)
			return x && (!y || x < y) ? -1 : 1;
		if (x) {
			a++;
			b++;
			continue;
		}
		if (isdigit((unsigned char)*a) || isdigit((unsigned char)*b))
			c = compare_numbers(&a, &b);
		else
			c = compare_letters(&a, &b);
		if (c)
			return c;
	}
}

int bls_compare(const struct bls_entry *a, const struct bls_entry *b)
{
	int c;

	if (a->tried != b->tried)
		return a->tried ? 1 : -1;
	if (!a->sort_key[0] != !b->sort_key[0])
		return a->sort_key[0] ? -1 : 1;
	c = strcmp(a->sort_key, b->sort_key);
	if (!c && a->sort_key[0])
		c = bls_version(b->version, a->version);
	return c ? c : bls_version(b->name, a->name);
}
