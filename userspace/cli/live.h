/* SPDX-License-Identifier: GPL-2.0-only */
/* live.h - questions of `ovid disk-VERB` and `net-VERB` to a VM that runs, and its answers. */
#ifndef OVID_CLI_LIVE_H
#define OVID_CLI_LIVE_H

#include "lent.h"

/* of an answer; 0 or "" where there is none */
long long live_number(struct json_object *obj, const char *key);
const char *live_text(struct json_object *obj, const char *key);

void live_add(struct json_object *obj, const char *key, long long n);
/* LUN or CONTROLLER:LUN, as the disk that is meant */
int live_place(struct json_object *question, const char *text, struct failure *why);

/* What VM @name answers, or NULL and -status in @ret; takes the reference. */
struct json_object *live_put(const char *name, struct json_object *question, const int *files,
			     unsigned int nr, struct failure *why, int *ret);

/* What it has said, if JSON is asked for; takes the reference. */
void live_tell(const struct ask *ask, struct json_object *answer);

#endif
