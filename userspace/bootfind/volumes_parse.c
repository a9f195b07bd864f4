// SPDX-License-Identifier: GPL-2.0-only
/* volumes_parse.c - see volumes.h; what grub-fstest prints of filesystems, whose labels anybody writes */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "volumes.h"

bool volumes_is_device(const char *name)
{
	if (strncmp(name, "loop0", 5) && strncmp(name, "lvm/", 4) && strncmp(name, "md/", 3))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr(",/_.+-", *name))
			return false;
	return true;
}

/* what stands between @before and @after */
static void between(const char *line, const char *before, const char *after, char *to, size_t size)
{
	const char *from = strstr(line, before);
	size_t len;

	*to = 0;
	if (!from)
		return;
	from += strlen(before);
	len = strcspn(from, after);
	if (len < size) {
		memcpy(to, from, len);
		to[len] = 0;
	}
}

static void parse_line(struct volumes *v, const char *line)
{
	struct volume *vol = &v->volume[v->nr];
	const char *at = line + strspn(line, " \t");

	if (v->nr == MAX_VOLUMES || strstr(line, "No known filesystem"))
		return;
	if (strncmp(at, "Partition ", 10) && strncmp(at, "Device ", 7))
		return;
	between(at, " ", ":", vol->device, sizeof(vol->device));
	between(line, "UUID ", " ", vol->uuid, sizeof(vol->uuid));
	between(line, "Label `", "'", vol->label, sizeof(vol->label));
	if (volumes_is_device(vol->device))
		v->nr++;
}

void volumes_parse(struct volumes *v, const char *text, size_t len)
{
	char line[1024];

	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) : len;

		snprintf(line, sizeof(line), "%.*s", n < sizeof(line) ? (int)n : 0, text);
		parse_line(v, line);
		n += n < len;
		text += n;
		len -= n;
	}
}
