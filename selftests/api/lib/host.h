/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host.h - what tests do with the host beside ovid: its files of settings and
 * figures, swap, control groups, what backs a page of theirs.
 */
#ifndef OVID_TEST_HOST_H
#define OVID_TEST_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* false if the file cannot be opened or does not take it */
bool host_write(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* the number behind @name in a file of "name value" or "name: value" lines, the first
 * number of the file for NULL, or -1
 */
long host_read(const char *path, const char *name);

/* drops clean caches: what is then free is free */
void host_drop_caches(void);

/* a block device of zram with @mib MiB; its path, or NULL */
const char *host_zram(unsigned int mib);
/* swap on such a device, once a program; false if there is none */
bool host_swap(void);

#define HOST_PAGE_PRESENT	(1ull << 63)
#define HOST_PAGE_SWAPPED	(1ull << 62)
/* a word of /proc/self/pagemap */
uint64_t host_pagemap(const void *at);

/* a control group with the memory controller; its folder's path, or NULL */
const char *host_cgroup(const char *name);
bool host_cgroup_enter(const char *group);	/* the calling process */
bool host_cgroup_set(const char *group, const char *file, long value);
long host_cgroup_get(const char *group, const char *file, const char *name);
/* removes it; true when nothing charged to it is left (waits for that) */
bool host_cgroup_gone(const char *group);

#endif
