/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that is mapped twice in a row, as the data of a ring is, with a page
 * before and behind it that nobody may touch.
 */
#ifndef OVID_TWICE_H
#define OVID_TWICE_H

#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TWICE_GUARD	4096

/* @size: a multiple of 4096.  NULL: no memory */
static inline void *twice_map(size_t size)
{
	int fd = syscall(SYS_memfd_create, "ring", 0), i;
	char *at;

	if (fd < 0)
		return NULL;
	at = mmap(NULL, 2 * size + 2 * TWICE_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED || ftruncate(fd, size))
		at = NULL;
	for (i = 0; i < 2 && at; i++)
		if (mmap(at + TWICE_GUARD + i * size, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			at = NULL;
	close(fd);
	return at ? at + TWICE_GUARD : NULL;
}

static inline void twice_unmap(void *data, size_t size)
{
	if (data)
		munmap((char *)data - TWICE_GUARD, 2 * size + 2 * TWICE_GUARD);
}

#endif
