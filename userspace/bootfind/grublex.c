// SPDX-License-Identifier: GPL-2.0-only
/* grublex.c - see grublex.h */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "grublex.h"

const char *grub_var(const struct grub_vars *vars, const char *name)
{
	for (unsigned int i = 0; i < vars->nr; i++)
		if (!strcmp(vars->var[i].name, name))
			return vars->var[i].value;
	return strncmp(name, "feature_", 8) ? "" : "y";
}

bool grub_set(struct grub_vars *vars, const char *name, size_t name_len, const char *value)
{
	unsigned int i = 0;
	char *copy;

	if (!name_len || name_len >= GRUB_NAME)
		return false;
	while (i < vars->nr && (strncmp(vars->var[i].name, name, name_len) || vars->var[i].name[name_len]))
		i++;
	if (i == GRUB_VARS)
		return false;
	copy = strdup(value);
	if (!copy)
		return false;
	if (i == vars->nr) {
		memcpy(vars->var[i].name, name, name_len);
		vars->var[i].name[name_len] = 0;
		vars->nr++;
	} else {
		free(vars->var[i].value);
	}
	vars->var[i].value = copy;
	return true;
}

void grub_vars_free(struct grub_vars *vars)
{
	while (vars->nr)
		free(vars->var[--vars->nr].value);
}

/* ---- words ---- */

static void put(struct grub_words *w, char c)
{
	/* the last byte ends the last word */
	if (w->used < GRUB_LINE - 1)
		w->bytes[w->used++] = c;
}

static bool name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* behind a $ */
static void variable(struct grub_text *t, const struct grub_vars *vars, struct grub_words *w)
{
	bool braces = t->at < t->end && *t->at == '{';
	char name[GRUB_NAME];
	size_t len = 0;

	if (braces)
		t->at++;
	while (t->at < t->end && (name_char(*t->at) || (!len && *t->at == '?'))) {
		if (len < GRUB_NAME - 1)
			name[len++] = *t->at;
		t->at++;
	}
	if (braces && t->at < t->end && *t->at == '}')
		t->at++;
	name[len] = 0;
	if (!len && !braces)
		put(w, '$');
	for (const char *v = grub_var(vars, name); *v; v++)
		put(w, *v);
}

static void quoted(struct grub_text *t, const struct grub_vars *vars, struct grub_words *w)
{
	while (t->at < t->end && *t->at != '"') {
		char c = *t->at++;

		if (c == '$') {
			variable(t, vars, w);
			continue;
		}
		if (c == '\\' && t->at < t->end && strchr("\"\\$\n", *t->at))
			c = *t->at++;
		put(w, c);
	}
	if (t->at < t->end)
		t->at++;
}

static void literal(struct grub_text *t, struct grub_words *w)
{
	while (t->at < t->end && *t->at != '\'')
		put(w, *t->at++);
	if (t->at < t->end)
		t->at++;
}

static bool ends_word(char c)
{
	return !c || strchr(" \t\r\n;", c);
}

/* false: it is nothing, since what it was made of is not set */
static bool read_word(struct grub_text *t, const struct grub_vars *vars, struct grub_words *w)
{
	size_t from = w->used;
	bool marks = false;

	while (t->at < t->end && !ends_word(*t->at)) {
		char c = *t->at++;

		if (c == '\'') {
			marks = true;
			literal(t, w);
		} else if (c == '"') {
			marks = true;
			quoted(t, vars, w);
		} else if (c == '$') {
			variable(t, vars, w);
		} else if (c == '\\' && t->at < t->end) {
			put(w, *t->at++);
		} else {
			put(w, c);
		}
	}
	return marks || w->used > from;
}

static void skip_blank(struct grub_text *t)
{
	while (t->at < t->end) {
		if (*t->at == '\\' && t->end - t->at > 1 && t->at[1] == '\n')
			t->at += 2;
		else if (*t->at == ' ' || *t->at == '\t' || *t->at == '\r' || !*t->at)
			t->at++;
		else
			return;
	}
}

static void skip_comment(struct grub_text *t)
{
	while (t->at < t->end && *t->at != '\n')
		t->at++;
}

/* a word that is one only where it stands alone */
static bool alone(const struct grub_text *t, char c)
{
	return *t->at == c && (t->end - t->at == 1 || ends_word(t->at[1]));
}

static bool is_reserved(const char *word)
{
	static const char *const reserved[] = { "then", "else", "elif", "fi", "do", "done", "if", "while", "until", "}" };

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (!strcmp(word, reserved[i]))
			return true;
	return false;
}

static void add_word(struct grub_text *t, const struct grub_vars *vars, struct grub_words *w)
{
	size_t from = w->used;

	if (!read_word(t, vars, w))
		return;
	if (w->nr == GRUB_WORDS) {
		w->used = from;
		return;
	}
	w->bytes[w->used] = 0;
	if (w->used < GRUB_LINE - 1)
		w->used++;
	w->word[w->nr++] = w->bytes + from;
}

/* false: the command has ended */
static bool next_word(struct grub_text *t, const struct grub_vars *vars, struct grub_words *w)
{
	skip_blank(t);
	w->end = GRUB_END_TEXT;
	if (t->at == t->end)
		return false;
	if (*t->at == '#') {
		skip_comment(t);
		return true;
	}
	if (*t->at == '\n' || *t->at == ';') {
		t->at++;
		w->end = GRUB_END_COMMAND;
		return !w->nr;
	}
	if (w->nr && alone(t, '}')) {
		w->end = GRUB_END_COMMAND;
		return false;
	}
	if (w->nr && alone(t, '{')) {
		t->at++;
		w->end = GRUB_END_BLOCK;
		return false;
	}
	add_word(t, vars, w);
	return !(w->nr == 1 && is_reserved(w->word[0]));
}

void grub_command(struct grub_text *text, const struct grub_vars *vars, struct grub_words *words)
{
	words->nr = 0;
	words->used = 0;
	while (next_word(text, vars, words))
		;
	if (words->nr == 1 && is_reserved(words->word[0]))
		words->end = GRUB_END_COMMAND;
}
