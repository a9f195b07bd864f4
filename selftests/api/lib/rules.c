// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules.c - what holds for every extension call: sizes, flags, pointers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ov.h"
#include "tap.h"

struct arg {
	char *map, *end;	/* two pages, the second is not accessible */
};

static struct arg new_arg(void)
{
	struct arg a;

	a.map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (a.map == MAP_FAILED)
		tap_bail("mmap");
	a.end = a.map + 2 * 4096;
	mprotect(a.end, 4096, PROT_NONE);
	return a;
}

static int try(int fd, unsigned long request, struct arg *a, const void *good, uint32_t good_size,
	       uint32_t size, uint32_t claim, int tail)
{
	char *at = a->end - size;

	memset(at, 0, size);
	memcpy(at, good, size < good_size ? size : good_size);
	if (size >= 4)
		memcpy(at, &claim, 4);
	if (size > good_size)
		memset(at + size - 1, tail, 1);
	return ov_ioctl(fd, request, at);
}

static void fails(int ret, int error, void (*undo)(int), const char *name, const char *what)
{
	tap_is(-ret, error, "%s: %s", name, what);
	if (ret >= 0 && undo)
		undo(ret);
}

static void works(int ret, void (*undo)(int), const char *name, const char *what)
{
	tap_is(ret < 0 ? -ret : 0, 0, "%s: %s", name, what);
	if (ret >= 0 && undo)
		undo(ret);
}

/* what fails with any argument that is a good one otherwise */
static void wrong_sizes(int fd, const char *name, unsigned long request, struct arg *a,
			const void *good, uint32_t size, void (*undo)(int ret))
{
	uint8_t copy[1024];
	uint32_t flags;
	int ret;

	fails(try(fd, request, a, good, size, size + 8, size + 8, 1), E2BIG, undo, name,
	      "a longer struct whose tail is not zero");
	fails(try(fd, request, a, good, size, 4096, 4096, 0x80), E2BIG, undo, name,
	      "a page long, last byte not zero");
	fails(try(fd, request, a, good, size, size, 0, 0), EINVAL, undo, name, "size 0");
	fails(try(fd, request, a, good, size, size, 7, 0), EINVAL, undo, name, "size 7");
	ret = try(fd, request, a, good, size, size, ~0u, 0);
	tap_ok(ret == -E2BIG || ret == -EFAULT || ret == -EINVAL, "%s: size 2^32-1 (%d)", name, ret);
	fails(try(fd, request, a, good, size, size, size + 8, 0), EFAULT, undo, name,
	      "a longer struct that runs into unmapped memory");
	fails(ov_ioctl(fd, request, NULL), EFAULT, undo, name, "a null pointer");
	fails(ov_ioctl(fd, request, a->end), EFAULT, undo, name, "a bad pointer");
	fails(ov_ioctl(fd, request, a->end - 2), EFAULT, undo, name, "half of the size readable");
	fails(ov_ioctl(fd, request, (void *)0xffff888000000000ull), EFAULT, undo, name,
	      "a kernel pointer");
	memcpy(copy, good, size);
	memcpy(&flags, copy + 4, 4);
	flags |= 1u << 31;
	memcpy(copy + 4, &flags, 4);
	fails(try(fd, request, a, copy, size, size, size, 0), EINVAL, undo, name,
	      "an unknown flag");
}

void ov_size_refused(int fd, const char *name, unsigned long request, const void *good,
		     uint32_t size)
{
	struct arg a = new_arg();

	wrong_sizes(fd, name, request, &a, good, size, NULL);
	munmap(a.map, 3 * 4096);
}

void ov_size_rules(int fd, const char *name, unsigned long request, const void *good,
		   uint32_t size, void (*undo)(int ret))
{
	struct arg a = new_arg();
	int ret;

	works(try(fd, request, &a, good, size, size, size, 0), undo, name,
	      "the right size, at the very end of mapped memory");
	works(try(fd, request, &a, good, size, size + 8, size + 8, 0), undo, name,
	      "a longer struct whose tail is zero");
	works(try(fd, request, &a, good, size, 4096, 4096, 0), undo, name,
	      "a page long, tail zero");
	ret = try(fd, request, &a, good, size, size, size - 1, 0);
	tap_ok(ret >= 0 || ret == -EINVAL,
	       "%s: one byte short: refused, or as if it were zero (%d)", name, ret);
	if (ret >= 0 && undo)
		undo(ret);
	wrong_sizes(fd, name, request, &a, good, size, undo);
	munmap(a.map, 3 * 4096);
}

void ov_field_fails(int fd, const char *name, unsigned long request, const void *good,
		    uint32_t size, uint32_t offset, uint64_t value, uint32_t bytes, int error)
{
	uint8_t copy[1024];
	int ret;

	memcpy(copy, good, size);
	memcpy(copy + offset, &value, bytes);
	ret = ov_ioctl(fd, request, copy);
	tap_is(ret < 0 ? -ret : 0, error, "%s: bytes %u..%u = %#llx", name, offset,
	       offset + bytes - 1, (long long)value);
}
