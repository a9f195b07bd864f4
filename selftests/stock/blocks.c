// SPDX-License-Identifier: GPL-2.0-only
/*
 * blocks.c - reads and writes a disk at random, several requests at a time, and checks what it reads.
 *
 *	blocks DEVICE SEED sync|aio|uring DEPTH MOST COUNT
 *
 * COUNT requests of MOST sectors each, or, where it is 0, of 1 to 2048; DEPTH at a time, no two of
 * them of the same sectors; around the page cache.  Each sector says where it is and which write it is of.
 * At the end all of it is flushed and read once more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>

#define SECTOR	512u
#define SECTORS	16384u		/* of the disk, that are used */
#define LONGEST	2048u
#define DEEPEST	64

struct slot {
	bool busy, write;
	uint32_t first, nr, generation;
	uint8_t *buf;
	struct iocb iocb;
};

static struct slot slot[DEEPEST];
static uint32_t generation[SECTORS], last;
static uint64_t seed;
static int disk;

static void die(const char *what)
{
	fprintf(stderr, "blocks: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t any(uint32_t below)
{
	static uint64_t state;

	if (!state)
		state = seed * 2654435761u + 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

/* ---- what is in a sector ---- */

static uint64_t word(uint32_t sector, uint32_t generation, uint32_t i)
{
	return (seed << 48 ^ (uint64_t)generation << 32 ^ sector) * (2 * i + 1);
}

static void fill(const struct slot *s)
{
	uint64_t *w = (uint64_t *)s->buf;

	for (uint32_t n = 0; n < s->nr; n++)
		for (uint32_t i = 0; i < SECTOR / 8; i++)
			*w++ = word(s->first + n, s->generation, i);
}

static void check(const struct slot *s)
{
	const uint64_t *w = (const uint64_t *)s->buf;

	for (uint32_t n = 0; n < s->nr; n++)
		for (uint32_t i = 0; i < SECTOR / 8; i++, w++)
			if (*w != word(s->first + n, generation[s->first + n], i)) {
				printf("sector %u, word %u: not of write %u\n", s->first + n, i,
				       generation[s->first + n]);
				exit(1);
			}
}

/* ---- ways ---- */

struct way {
	const char *name;
	void (*start)(unsigned int depth);
	void (*submit)(struct slot *s);
	struct slot *(*wait)(long *ret);
};

static struct slot *sync_slot;

static void sync_start(unsigned int depth)
{
	if (depth != 1)
		die("one at a time");
}

static void sync_submit(struct slot *s)
{
	sync_slot = s;
}

static struct slot *sync_wait(long *ret)
{
	struct slot *s = sync_slot;
	size_t len = s->nr * SECTOR;
	off_t at = (off_t)s->first * SECTOR;

	*ret = s->write ? pwrite(disk, s->buf, len, at) : pread(disk, s->buf, len, at);
	return s;
}

static aio_context_t aio;

static void aio_start(unsigned int depth)
{
	if (syscall(SYS_io_setup, depth, &aio))
		die("io_setup");
}

static void aio_submit(struct slot *s)
{
	struct iocb *list[] = { &s->iocb };

	s->iocb = (struct iocb){
		.aio_data = s - slot, .aio_fildes = disk, .aio_buf = (uintptr_t)s->buf,
		.aio_lio_opcode = s->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_nbytes = s->nr * SECTOR, .aio_offset = (uint64_t)s->first * SECTOR,
	};
	if (syscall(SYS_io_submit, aio, 1, list) != 1)
		die("io_submit");
}

static struct slot *aio_wait(long *ret)
{
	struct io_event event;

	if (syscall(SYS_io_getevents, aio, 1, 1, &event, NULL) != 1)
		die("io_getevents");
	*ret = event.res;
	return &slot[event.data];
}

static int uring;
static struct io_uring_params params;
static uint8_t *rings;
static struct io_uring_sqe *sqes;

static void uring_start(unsigned int depth)
{
	size_t bytes;

	uring = syscall(SYS_io_uring_setup, depth, &params);
	if (uring < 0 || !(params.features & IORING_FEAT_SINGLE_MMAP))
		die("io_uring_setup");
	bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	rings = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, uring, IORING_OFF_SQ_RING);
	sqes = mmap(NULL, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
		    uring, IORING_OFF_SQES);
	if (rings == MAP_FAILED || sqes == MAP_FAILED)
		die("its rings");
}

static uint32_t *shared(uint32_t off)
{
	return (uint32_t *)(rings + off);
}

static void uring_submit(struct slot *s)
{
	uint32_t *tail = shared(params.sq_off.tail), i = *tail & *shared(params.sq_off.ring_mask);

	sqes[i] = (struct io_uring_sqe){
		.opcode = s->write ? IORING_OP_WRITE : IORING_OP_READ, .fd = disk,
		.off = (uint64_t)s->first * SECTOR, .addr = (uintptr_t)s->buf,
		.len = s->nr * SECTOR, .user_data = s - slot,
	};
	shared(params.sq_off.array)[i] = i;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, uring, 1, 0, 0, NULL, 0) != 1)
		die("io_uring_enter");
}

static struct slot *uring_wait(long *ret)
{
	uint32_t *head = shared(params.cq_off.head);
	struct io_uring_cqe *cqe = (void *)(rings + params.cq_off.cqes);
	struct slot *s;

	while (*head == __atomic_load_n(shared(params.cq_off.tail), __ATOMIC_ACQUIRE))
		if (syscall(SYS_io_uring_enter, uring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
			die("io_uring_enter");
	cqe += *head & *shared(params.cq_off.ring_mask);
	*ret = cqe->res;
	s = &slot[cqe->user_data];
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return s;
}

static const struct way ways[] = {
	{ "sync", sync_start, sync_submit, sync_wait },
	{ "aio", aio_start, aio_submit, aio_wait },
	{ "uring", uring_start, uring_submit, uring_wait },
};
static const struct way *way;

/* ---- requests ---- */

static bool is_free(uint32_t first, uint32_t nr)
{
	for (int i = 0; i < DEEPEST; i++)
		if (slot[i].busy && first < slot[i].first + slot[i].nr &&
		    slot[i].first < first + nr)
			return false;
	return true;
}

static void begin(struct slot *s, bool write, uint32_t first, uint32_t nr)
{
	s->busy = true;
	s->write = write;
	s->first = first;
	s->nr = nr;
	s->generation = ++last;
	if (write)
		fill(s);
	else
		memset(s->buf, 0xa5, nr * SECTOR);
	way->submit(s);
}

static struct slot *end(void)
{
	long ret;
	struct slot *s = way->wait(&ret);

	if (ret != (long)(s->nr * SECTOR)) {
		errno = ret < 0 ? -ret : 0;
		die(s->write ? "a write" : "a read");
	}
	if (!s->write)
		check(s);
	for (uint32_t n = 0; s->write && n < s->nr; n++)
		generation[s->first + n] = s->generation;
	s->busy = false;
	return s;
}

/* one that is among no others' sectors */
static void begin_any(struct slot *s, uint32_t most)
{
	uint32_t nr, first;

	do {
		nr = most ?: 1 + any(any(8) ? 64 : LONGEST);
		first = any(SECTORS - nr + 1);
	} while (!is_free(first, nr));
	begin(s, any(2), first, nr);
}

static void all(bool write)
{
	for (uint32_t at = 0; at < SECTORS; at += LONGEST) {
		begin(&slot[0], write, at, LONGEST);
		end();
	}
}

int main(int argc, char **argv)
{
	unsigned int depth, most, count, i;

	if (argc != 7)
		return 2;
	disk = open(argv[1], O_RDWR | O_DIRECT);
	if (disk < 0)
		die(argv[1]);
	seed = strtoul(argv[2], NULL, 0);
	for (i = 0; i < 3 && strcmp(ways[i].name, argv[3]); i++)
		;
	depth = strtoul(argv[4], NULL, 0);
	most = strtoul(argv[5], NULL, 0);
	count = strtoul(argv[6], NULL, 0);
	if (i == 3 || !depth || depth > DEEPEST || most > LONGEST || (most ?: 64) * depth > SECTORS / 2)
		return 2;
	way = &ways[i];
	for (i = 0; i < DEEPEST; i++)
		if (posix_memalign((void **)&slot[i].buf, 4096, LONGEST * SECTOR))
			die("memory");
	way->start(depth);
	all(true);
	for (i = 0; i < depth && i < count; i++)
		begin_any(&slot[i], most);
	for (; i < count; i++)
		begin_any(end(), most);
	for (i = 0; i < depth && i < count; i++)
		end();
	if (fsync(disk))
		die("a flush");
	all(false);
	printf("%u requests are right\n", count);
	return 0;
}
