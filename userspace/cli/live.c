// SPDX-License-Identifier: GPL-2.0-only
/* live.c - see live.h */
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "live.h"
#include "run.h"

/* longer than the module waits for a disk's file (disk_patience_s) */
#define DETACH_SECONDS	40

long long live_number(struct json_object *obj, const char *key)
{
	struct json_object *field;

	return json_object_object_get_ex(obj, key, &field) ? json_object_get_int64(field) : 0;
}

const char *live_text(struct json_object *obj, const char *key)
{
	struct json_object *field;

	return json_object_object_get_ex(obj, key, &field) ? json_object_get_string(field) : "";
}

void live_add(struct json_object *obj, const char *key, long long n)
{
	json_object_object_add(obj, key, json_object_new_int64(n));
}

int live_place(struct json_object *question, const char *text, struct failure *why)
{
	const char *colon = strchr(text, ':');
	unsigned long controller = 0, lun;
	char *end = (char *)text;

	if (colon)
		controller = strtoul(text, &end, 10);
	if (colon && (!isdigit((unsigned char)*text) || end != colon || controller >= CONTROLLERS_MAX))
		return fail(why, OVID_X_USAGE, "%s: a controller is a number from 0 to %u", text,
			    CONTROLLERS_MAX - 1);
	text = colon ? colon + 1 : text;
	lun = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || lun >= LUNS_MAX)
		return fail(why, OVID_X_USAGE,
			    "%s: give a LUN from 0 to %u, or CONTROLLER:LUN; see `ovid disk-list`",
			    text, LUNS_MAX - 1);
	live_add(question, "controller", controller);
	live_add(question, "lun", lun);
	return 0;
}

struct json_object *live_put(const char *name, struct json_object *question, const int *files,
			     unsigned int nr, struct failure *why, int *ret)
{
	struct json_object *answer;
	int vm = ctl_connect(name, why);

	*ret = vm < 0 ? vm : -OVID_X_HOST;
	if (vm < 0) {
		json_object_put(question);
		return NULL;
	}
	ctl_set_patience(vm, DETACH_SECONDS);
	answer = ctl_put_files(vm, question, files, nr, NULL, NULL, why);
	close(vm);
	if (answer)
		*ret = 0;
	return answer;
}

void live_tell(const struct ask *ask, struct json_object *answer)
{
	if (ask->json)
		ask_print(answer);
	else
		json_object_put(answer);
}
