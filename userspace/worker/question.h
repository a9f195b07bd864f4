/* SPDX-License-Identifier: GPL-2.0-only */
/* question.h - the words of a question that came over the control socket. */
#ifndef OVID_QUESTION_H
#define OVID_QUESTION_H

#include <json-c/json.h>

#include "../lib/types.h"

/* a whole number that is not more than @max; -1: there is none, or another */
int64_t question_number(struct json_object *question, const char *key, int64_t max);

/* a text with less than @room bytes, or an empty one */
void question_text(struct json_object *question, const char *key, char *buf, size_t room);

bool question_flag(struct json_object *question, const char *key);

#endif
