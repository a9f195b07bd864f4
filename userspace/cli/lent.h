/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lent.h - verbs that ask the guest: the VM lends the file of an integration component's
 * channel, to one command at a time, until the command ends.
 */
#ifndef OVID_CLI_LENT_H
#define OVID_CLI_LENT_H

#include <getopt.h>
#include <json-c/json.h>

#include "../lib/ic.h"
#include "cli.h"

#define ASK_MAX_WORDS	4

/**
 * struct ask - a command line: options, and words that are none
 * @verb: argv[0]
 * @name: of the VM, one of @word
 * @word: all words
 * @nr: of them
 * @json, @help: --json, --help
 */
struct ask {
	const char *verb;
	const char *name;
	const char *word[ASK_MAX_WORDS];
	unsigned int nr;
	bool json, help;
};

/* what belongs in each list of options */
#define ASK_JSON	{ "json", no_argument, NULL, 'j' }
#define ASK_HELP	{ "help", no_argument, NULL, 'h' }

/*
 * Reads a command line; @take is called for other options than those, and may be NULL.
 * After --help, which prints it, there is nothing more to do: @ask->help.
 */
int ask_parse(struct ask *ask, int argc, char **argv, const struct option *options,
	      int (*take)(void *ctx, int opt, const char *arg, struct failure *why), void *ctx,
	      struct failure *why);

/* Exactly these words, of which word @name_at is the VM's name. */
int ask_words(struct ask *ask, unsigned int nr, unsigned int name_at, struct failure *why);

/* a whole number from @min to @max */
int ask_number(const char *option, const char *text, u32 min, u32 max, u32 *number,
	       struct failure *why);

/* {"ok":true} if JSON is asked for; and any object, whose reference it takes */
void ask_done(const struct ask *ask);
void ask_print(struct json_object *msg);

/* Text of the guest, which must not reach a terminal as it is. */
void print_guest_text(const char *text);

/**
 * struct lent - a component's file
 * @name: of the VM
 * @component: its name, as the worker knows it
 * @vm: control connection: as long as it lasts the file is ours
 * @file: the channel's
 * @stop: epoll: the VM's end; and signals that end a command which has to clean up
 * @signals: signalfd, or -1
 * @ic: for lib/ic.h
 */
struct lent {
	const char *name;
	const char *component;
	int vm, file, stop, signals;
	struct ic ic;
};

/* @tidy: SIGINT, SIGTERM and SIGHUP end waits, not the process */
int lent_open(struct lent *l, const char *name, const char *component, bool tidy,
	      struct failure *why);
void lent_close(struct lent *l);

/* Is the guest's side there?  If not, why, and what to do.  @state, if not NULL: what there is. */
int lent_ready(struct lent *l, struct ovid_ic_state *state, struct failure *why);

bool lent_vm_ended(const struct lent *l);
bool lent_signalled(const struct lent *l);

/* @ret of a job: if the VM's end stopped it, @why says so */
int lent_result(const struct lent *l, int ret, struct failure *why);

#endif
