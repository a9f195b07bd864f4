// SPDX-License-Identifier: GPL-2.0-only
/*
 * iobench.c - a disk is read and written, directly, by Linux' own asynchronous I/O:
 *
 *	iobench DEVICE
 *
 * Each cell: so many bytes at random places or one after the other, so many of them
 * at once.  "IO-BEGIN <cell> <operations>" is said when the first have been done, and
 * "IO-END" after the last: disk/watch.c counts what happens between them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_DEPTH	32
#define SPAN		(64u << 20)	/* of the disk that is used */

struct cell {
	const char *name;
	uint32_t bytes, depth, warm, n;
	bool write, random;
};

static const struct cell cells[] = {
	{ "4k-read-1",   4096,     1, 300, 2000, false, true },
	{ "4k-write-1",  4096,     1, 300, 2000, true,  true },
	{ "4k-read-32",  4096,    32, 640, 6400, false, true },
	{ "4k-write-32", 4096,    32, 640, 6400, true,  true },
	{ "1m-read",     1 << 20,  4, 16,  128,  false, false },
	{ "1m-write",    1 << 20,  4, 16,  128,  true,  false },
};

static uint64_t span;
static uint8_t *memory;

static void die(const char *what)
{
	fprintf(stderr, "iobench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* a cell's own order of places: the same for all who are compared */
static uint64_t place(const struct cell *c, uint32_t i)
{
	uint64_t places = span / c->bytes, x = i * 0x9e3779b97f4a7c15ull;

	return (c->random ? (x ^ x >> 29) % places : i % places) * c->bytes;
}

static void submit(aio_context_t ctx, int fd, const struct cell *c, uint32_t i, struct iocb **some,
		   uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		struct iocb *io = some[k];

		io->aio_fildes = fd;
		io->aio_lio_opcode = c->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
		io->aio_nbytes = c->bytes;
		io->aio_offset = place(c, i + k);
		io->aio_data = (uintptr_t)io;
	}
	if (syscall(SYS_io_submit, ctx, n, some) != n)
		die("io_submit");
}

/* @n operations from the @first on, @c->depth under way as long as there are so many */
static void run(aio_context_t ctx, int fd, const struct cell *c, uint32_t first, uint32_t n)
{
	static struct iocb ios[MAX_DEPTH];
	struct io_event events[MAX_DEPTH];
	struct iocb *some[MAX_DEPTH];
	uint32_t sent = 0, done = 0;
	long got;

	for (; sent < c->depth; sent++) {
		ios[sent].aio_buf = (uintptr_t)memory + (size_t)sent * c->bytes;
		some[sent] = &ios[sent];
	}
	submit(ctx, fd, c, first, some, sent);
	while (done < n) {
		got = syscall(SYS_io_getevents, ctx, 1, MAX_DEPTH, events, NULL);
		if (got <= 0)
			die("io_getevents");
		for (long k = 0; k < got; k++) {
			if (events[k].res != (int64_t)c->bytes) {
				errno = -events[k].res;
				die(c->name);
			}
			some[k] = (struct iocb *)(uintptr_t)events[k].data;
		}
		done += got;
		if (got > n - sent)
			got = n - sent;
		if (got)
			submit(ctx, fd, c, first + sent, some, got);
		sent += got;
	}
}

int main(int argc, char **argv)
{
	aio_context_t ctx = 0;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: iobench DEVICE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0)
		die(argv[1]);
	span = lseek(fd, 0, SEEK_END);
	if (span > SPAN)
		span = SPAN;
	memory = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED || syscall(SYS_io_setup, MAX_DEPTH, &ctx))
		die("memory");
	for (const struct cell *c = cells; c < cells + sizeof(cells) / sizeof(*cells); c++) {
		run(ctx, fd, c, 0, c->warm);
		printf("IO-BEGIN %s %u\n", c->name, c->n);
		fflush(stdout);
		run(ctx, fd, c, c->warm, c->n);
		printf("IO-END\n");
		fflush(stdout);
	}
	return 0;
}
