// SPDX-License-Identifier: GPL-2.0-only
/* stat.c - `ovid stat`: reads the statistics files that the VM hands out. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/vid.h"
#include "cli.h"

#define MAX_COUNTERS	4096

struct counters {
	struct ovid_stats_header header;
	struct ovid_stats_desc *desc;
	u64 *value;
};

static int read_at(int fd, void *to, size_t len, u32 offset)
{
	return pread(fd, to, len, offset) == (ssize_t)len ? 0 : -EIO;
}

static int counters_read(int fd, struct counters *c)
{
	u32 n;

	*c = (struct counters){ 0 };
	if (read_at(fd, &c->header, sizeof(c->header), 0) || c->header.version != 1 ||
	    c->header.count > MAX_COUNTERS)
		return -EIO;
	n = c->header.count;
	c->header.name[sizeof(c->header.name) - 1] = 0;
	c->desc = calloc(n + 1, sizeof(*c->desc));
	c->value = calloc(n + 1, sizeof(*c->value));
	if (!c->desc || !c->value ||
	    read_at(fd, c->desc, n * sizeof(*c->desc), c->header.desc_offset) ||
	    read_at(fd, c->value, n * sizeof(*c->value), c->header.value_offset))
		return -EIO;
	for (u32 i = 0; i < n; i++)
		c->desc[i].name[sizeof(c->desc[i].name) - 1] = 0;
	return 0;
}

static void counters_free(struct counters *c)
{
	free(c->desc);
	free(c->value);
}

static void print(const struct counters *c)
{
	printf("%s\n", c->header.name);
	for (u32 i = 0; i < c->header.count; i++)
		printf("  %-24s %llu\n", c->desc[i].name, (unsigned long long)c->value[i]);
}

static struct json_object *as_json(const struct counters *c)
{
	struct json_object *o = json_object_new_object(), *v = json_object_new_object();

	for (u32 i = 0; i < c->header.count; i++)
		json_object_object_add(v, (const char *)c->desc[i].name,
				       json_object_new_int64(c->value[i]));
	json_object_object_add(o, "name", json_object_new_string((const char *)c->header.name));
	json_object_object_add(o, "counters", v);
	return o;
}

int cli_stat(int argc, char **argv)
{
	struct json_object *answer, *all;
	struct failure why = { "" };
	struct cli_target t;
	unsigned int nr = CTL_MAX_FDS;
	int fds[CTL_MAX_FDS], fd, ret = cli_target(argc, argv, false, &t, &why);

	if (ret || t.help)
		return cli_fail(ret, &why);
	fd = ctl_connect(t.name, &why);
	if (fd < 0)
		return cli_fail(fd, &why);
	answer = ctl_ask(fd, "stat", fds, &nr, &why);
	if (!answer)
		return cli_fail(-OVID_X_HOST, &why);
	json_object_put(answer);
	all = json_object_new_array();
	for (unsigned int i = 0; i < nr && !ret; i++) {
		struct counters c;

		if (counters_read(fds[i], &c))
			ret = fail(&why, OVID_X_HOST, "cannot read the counters of %s", t.name);
		else if (t.json)
			json_object_array_add(all, as_json(&c));
		else
			print(&c);
		counters_free(&c);
	}
	if (t.json && !ret)
		puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN));
	json_object_put(all);
	return cli_fail(ret, &why);
}
