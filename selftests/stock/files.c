// SPDX-License-Identifier: GPL-2.0-only
/*
 * files.c - does at random what can be done to a file, as fsx does, and compares it with what it has
 * in memory.
 *
 *	files FILE SEED COUNT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST	(1u << 20)
#define LONG	65536u

static uint8_t is[MOST];	/* what the file should be */
static uint8_t *buf;		/* of whole pages */
static uint32_t size;
static uint64_t state;
static const char *name, *now;
static unsigned int op;
static int file, direct;

static void die(const char *what)
{
	printf("operation %u, %s: %s: %s\n", op, now, what, strerror(errno));
	exit(1);
}

static uint32_t any(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

static void differs(uint32_t at)
{
	errno = 0;
	printf("at %u of %u: ", at, size);
	die("differs");
}

static void compare(const uint8_t *got, uint32_t off, uint32_t len)
{
	if (!memcmp(got, is + off, len))
		return;
	for (uint32_t i = 0; i < len; i++)
		if (got[i] != is[off + i])
			differs(off + i);
}

/* a file with a hole up to where it is written */
static void grown(uint32_t end)
{
	if (end > size)
		size = end;
}

static void fill(uint32_t off, uint32_t len)
{
	uint8_t first = any(256);

	for (uint32_t i = 0; i < len; i++)
		is[off + i] = first + i * 7 + (i >> 8);
}

static void write_some(int fd, uint32_t off, uint32_t len)
{
	fill(off, len);
	memcpy(buf, is + off, len);
	if (pwrite(fd, buf, len, off) != (ssize_t)len)
		die("write");
	grown(off + len);
}

static void read_some(int fd, uint32_t off, uint32_t len)
{
	uint32_t want = off >= size ? 0 : len < size - off ? len : size - off;

	if (pread(fd, buf, len, off) != (ssize_t)want)
		die("read");
	compare(buf, off, want);
}

/* through a mapping; the file is so long */
static void map_some(bool write, uint32_t off, uint32_t len)
{
	uint32_t from = off & ~4095u;
	uint8_t *at;

	if (off >= size)
		return;
	if (len > size - off)
		len = size - off;
	at = mmap(NULL, off - from + len, PROT_READ | PROT_WRITE, MAP_SHARED, file, from);
	if (at == MAP_FAILED)
		die("mmap");
	if (write) {
		fill(off, len);
		memcpy(at + (off - from), is + off, len);
	} else {
		compare(at + (off - from), off, len);
	}
	munmap(at, off - from + len);
}

static void cut(uint32_t to)
{
	if (ftruncate(file, to))
		die("truncate");
	if (to < size)
		memset(is + to, 0, size - to);
	size = to;
}

/* zeroes, where the file is; not all filesystems know each of them */
static void zero(int mode, uint32_t off, uint32_t len)
{
	uint32_t end = off + len < size ? off + len : size;

	if (fallocate(file, mode | FALLOC_FL_KEEP_SIZE, off, len)) {
		if (errno != EOPNOTSUPP)
			die("fallocate");
		return;
	}
	if (off < end)
		memset(is + off, 0, end - off);
}

static void forget_cache(void)
{
	if (fsync(file))
		die("fsync");
	posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
}

static void open_file(int flags)
{
	file = open(name, O_RDWR | flags, 0600);
	direct = open(name, O_RDWR | O_DIRECT);
	if (file < 0 || direct < 0)
		die("open");
}

static void one(void)
{
	static const char *const names[] = {
		"write", "write", "direct write", "mapped write", "read", "direct read", "mapped read",
		"truncate", "hole", "zeroes", "space", "flush", "open",
	};
	uint32_t what = any(sizeof(names) / sizeof(*names)), len = 1 + any(LONG);
	uint32_t off = any(MOST - LONG), block = off & ~4095u, blocks = (len + 4095) & ~4095u;

	now = names[what];
	switch (what) {
	case 0:
	case 1: write_some(file, off, len); break;
	case 2: write_some(direct, block, blocks); break;
	case 3: map_some(true, off, len); break;
	case 4: read_some(file, off, len); break;
	case 5: read_some(direct, block, blocks); break;
	case 6: map_some(false, off, len); break;
	case 7:
		if (!any(4))
			cut(off);
		break;
	case 8: zero(FALLOC_FL_PUNCH_HOLE, off, len); break;
	case 9: zero(FALLOC_FL_ZERO_RANGE, off, len); break;
	case 10:
		if (fallocate(file, FALLOC_FL_KEEP_SIZE, off, len))
			die("fallocate");
		break;
	case 11: forget_cache(); break;
	case 12:
		close(file);
		close(direct);
		open_file(0);
	}
}

int main(int argc, char **argv)
{
	unsigned int count;

	if (argc != 4)
		return 2;
	name = argv[1];
	now = "begin";
	state = strtoul(argv[2], NULL, 0) * 2654435761u + 1;
	count = strtoul(argv[3], NULL, 0);
	buf = aligned_alloc(4096, MOST);
	open_file(O_CREAT | O_TRUNC);
	for (op = 0; op < count; op++)
		one();
	now = "end";
	forget_cache();
	read_some(file, 0, MOST);
	printf("%u operations are right\n", count);
	return 0;
}
