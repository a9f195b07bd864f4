// SPDX-License-Identifier: GPL-2.0-only
/* question.c - see question.h */
#include <string.h>

#include "question.h"

int64_t question_number(struct json_object *question, const char *key, int64_t max)
{
	struct json_object *field;
	int64_t n;

	if (!json_object_object_get_ex(question, key, &field) ||
	    !json_object_is_type(field, json_type_int))
		return -1;
	n = json_object_get_int64(field);
	return n >= 0 && n <= max ? n : -1;
}

void question_text(struct json_object *question, const char *key, char *buf, size_t room)
{
	struct json_object *field;

	*buf = 0;
	if (json_object_object_get_ex(question, key, &field) &&
	    (size_t)json_object_get_string_len(field) < room)
		strcpy(buf, json_object_get_string(field));
}

bool question_flag(struct json_object *question, const char *key)
{
	struct json_object *field;

	return json_object_object_get_ex(question, key, &field) && json_object_get_boolean(field);
}
