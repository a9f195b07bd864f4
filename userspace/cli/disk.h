/* SPDX-License-Identifier: GPL-2.0-only */
/* disk.h - `ovid disk`: its command line, and what its verbs share */
#ifndef OVID_CLI_DISK_H
#define OVID_CLI_DISK_H

#include <json-c/json.h>

#include "../lib/vdisk.h"
#include "cli.h"

#define DISK_MAX_WORDS	2

/**
 * struct disk_ask - a command line of `ovid disk VERB`
 * @verb: of `ovid disk`
 * @word: file names and sizes
 * @nr: of them
 * @format: of the file that is read, or of one that is made by itself; -1: by what it is
 * @output: of the file that is made from another; -1: by its name
 * @kind: of the file that is made; -1: dynamic
 * @parent: of a differencing image, or NULL
 * @new_file: --output, or NULL
 * @block_size: 0: the usual
 * @sector: 0: the usual
 * @repair, @shrink, @force, @delete, @unsafe, @quiet, @json, @help: --repair, ...
 */
struct disk_ask {
	const char *verb;
	const char *word[DISK_MAX_WORDS];
	unsigned int nr;
	int format, output, kind;
	const char *parent, *new_file;
	u64 block_size, sector;
	bool repair, shrink, force, delete, unsafe, quiet, json, help;
};

/**
 * struct disk_watch - shows how far something is, and sees Ctrl-C
 * @vdisk: for the library's calls
 * @phase: the one that it is in
 * @phases: of equal length
 * @show: on a terminal
 * @shown: a line that has no end yet
 * @next_ms: when it is shown again
 */
struct disk_watch {
	struct ovid_vdisk_watch vdisk;
	unsigned int phase, phases;
	bool show, shown;
	long long next_ms;
};

/* From here on SIGINT, SIGTERM and SIGHUP do not end the program, but what is watched */
void disk_watch_begin(struct disk_watch *w, const struct disk_ask *ask, unsigned int phases);
/* -EINTR: it is to stop */
int disk_watch_step(struct disk_watch *w, u64 done, u64 all);
void disk_watch_end(struct disk_watch *w);

int disk_create(const struct disk_ask *ask, struct failure *why);
int disk_info(const struct disk_ask *ask, struct failure *why);
int disk_check(const struct disk_ask *ask, struct failure *why);
int disk_convert(const struct disk_ask *ask, struct failure *why);
int disk_resize(const struct disk_ask *ask, struct failure *why);
int disk_map(const struct disk_ask *ask, struct failure *why);
int disk_merge(const struct disk_ask *ask, struct failure *why);
int disk_compact(const struct disk_ask *ask, struct failure *why);
int disk_rebase(const struct disk_ask *ask, struct failure *why);

/* the format that a new file's name asks for, if @format does not say */
int disk_new_format(const char *path, int format, struct failure *why);
/* what an error of an image is for people; 0 or -status */
int disk_result(const char *path, int ret, struct failure *why);
void disk_print(struct json_object *msg);
/* {"ok":true}, or nothing for people */
void disk_done(const struct disk_ask *ask);

/* size.c: bytes, or with K, M, G, T behind */
int disk_size(const char *text, u64 *bytes, struct failure *why);
/* as 1.5 GiB */
const char *disk_human(u64 bytes, char buf[32]);

#endif
