/* SPDX-License-Identifier: GPL-2.0-only */
/* grublex.h - words and variables of GRUB's language (grubcfg.h). */
#ifndef OVID_BOOTFIND_GRUBLEX_H
#define OVID_BOOTFIND_GRUBLEX_H

#include <stddef.h>

#include "../lib/types.h"

#define GRUB_VARS	256
#define GRUB_NAME	48
#define GRUB_WORDS	128
#define GRUB_LINE	8192	/* bytes of one command's words, expanded */

struct grub_vars {
	unsigned int nr;
	struct {
		char name[GRUB_NAME];
		char *value;
	} var[GRUB_VARS];
};

/* "" if it is not set; those that tell what GRUB can do are all "y" */
const char *grub_var(const struct grub_vars *vars, const char *name);
/* false: no space for it */
bool grub_set(struct grub_vars *vars, const char *name, size_t name_len, const char *value);
void grub_vars_free(struct grub_vars *vars);

struct grub_text {
	const char *at, *end;
};

enum grub_end {
	GRUB_END_COMMAND,	/* by a newline or a semicolon */
	GRUB_END_BLOCK,		/* by {, which begins one */
	GRUB_END_TEXT,
};

struct grub_words {
	unsigned int nr;
	enum grub_end end;
	size_t used;
	char *word[GRUB_WORDS];
	char bytes[GRUB_LINE];
};

/*
 * The next command, without its comments; empty ones are passed over.  A command that begins with
 * a word like `then`, after which another one may follow at once, or with }, is that word alone.
 * Too long a command loses its end.
 */
void grub_command(struct grub_text *text, const struct grub_vars *vars, struct grub_words *words);

#endif
