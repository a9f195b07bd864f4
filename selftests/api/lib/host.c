// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "host.h"
#include "ov.h"

#define CGROUPS		"/sys/fs/cgroup"

bool host_write(const char *path, const char *fmt, ...)
{
	int fd = open(path, O_WRONLY);
	va_list ap;
	bool ok;

	if (fd < 0)
		return false;
	va_start(ap, fmt);
	ok = vdprintf(fd, fmt, ap) > 0;
	va_end(ap);
	close(fd);
	return ok;
}

long host_read(const char *path, const char *name)
{
	size_t len = name ? strlen(name) : 0;
	char line[256];
	long v = -1;
	FILE *f = fopen(path, "r");

	while (f && v < 0 && fgets(line, sizeof(line), f))
		if (!name)
			v = atol(line);
		else if (!strncmp(line, name, len) && strchr(": \t", line[len]))
			v = atol(line + len + 1);
	if (f)
		fclose(f);
	return v;
}

void host_drop_caches(void)
{
	sync();
	host_write("/proc/sys/vm/drop_caches", "3");
	ov_sleep_ms(200);
}

const char *host_zram(unsigned int mib)
{
	static char path[32], setting[64];
	long n;

	if (system("modprobe zram"))
		return NULL;
	n = host_read("/sys/class/zram-control/hot_add", NULL);	/* makes one */
	snprintf(setting, sizeof(setting), "/sys/block/zram%ld/disksize", n);
	if (n < 0 || !host_write(setting, "%uM", mib))
		return NULL;
	snprintf(path, sizeof(path), "/dev/zram%ld", n);
	return path;
}

bool host_swap(void)
{
	static bool tried, there;
	const char *path;
	char command[64];

	if (tried)
		return there;
	tried = true;
	path = host_zram(64);
	if (!path)
		return false;
	snprintf(command, sizeof(command), "mkswap %s >/dev/null", path);
	there = !system(command) && !swapon(path, 0);
	return there;
}

uint64_t host_pagemap(const void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t word = 0;

	if (fd < 0 || pread(fd, &word, 8, (uintptr_t)at / 4096 * 8) != 8)
		word = 0;
	close(fd);
	return word;
}

/* ---- control groups ---- */

const char *host_cgroup(const char *name)
{
	static char path[64];

	if (!host_write(CGROUPS "/cgroup.subtree_control", "+memory"))
		return NULL;
	snprintf(path, sizeof(path), CGROUPS "/%s", name);
	return mkdir(path, 0755) ? NULL : path;
}

static const char *file_of(const char *group, const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return path;
}

bool host_cgroup_enter(const char *group)
{
	return host_write(file_of(group, "cgroup.procs"), "0");
}

bool host_cgroup_set(const char *group, const char *file, long value)
{
	return host_write(file_of(group, file), "%ld", value);
}

long host_cgroup_get(const char *group, const char *file, const char *name)
{
	return host_read(file_of(group, file), name);
}

bool host_cgroup_gone(const char *group)
{
	bool removed = false;

	for (int i = 0; i < 200; i++) {
		removed = removed || !rmdir(group);
		/* a group that is removed lives on while a page of it does */
		if (removed && !host_read(CGROUPS "/cgroup.stat", "nr_dying_descendants"))
			return true;
		ov_sleep_ms(20);
	}
	return false;
}
