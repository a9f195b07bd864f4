// SPDX-License-Identifier: GPL-2.0-only
/* size.c - sizes of disks, as people write and read them (disk.h). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "disk.h"

int disk_size(const char *text, u64 *bytes, struct failure *why)
{
	static const char units[] = "kmgt";
	unsigned int shift = 0;
	const char *unit;
	char *end;

	errno = 0;
	*bytes = strtoull(text, &end, 10);
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		end++;
	}
	if (errno || !isdigit((unsigned char)*text) || *end || *bytes > ~0ull >> (shift + 1))
		return fail(why, OVID_X_USAGE, "%s is no size; give bytes, or a number with K, M, G or T",
			    text);
	*bytes <<= shift;
	return 0;
}

const char *disk_human(u64 bytes, char buf[32])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	unsigned int unit = 0;
	double n = bytes;

	for (; n >= 1024 && unit < ARRAY_SIZE(units) - 1; unit++)
		n /= 1024;
	snprintf(buf, 32, unit ? "%.4g %s" : "%.0f %s", n, units[unit]);
	return buf;
}
