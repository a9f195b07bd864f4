// SPDX-License-Identifier: GPL-2.0-only
/*
 * User memory as guest memory: every kind of it, and all that the host does to
 * it meanwhile: swap, migration, huge pages made and split, copy on write,
 * write-back, and mappings that change or go.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/host.h"
#include "lib/ov.h"
#include "lib/tap.h"

#define MB	(1ull << 20)
#define GB	(1ull << 30)
#define AT	0x40000000u	/* where test regions go: a multiple of 1 GiB */
#define RAM	MB		/* of memory object, for code */

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

static uint8_t *anon(uint64_t bytes)
{
	uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("mmap");
	return p;
}

static uint8_t *shared(int fd, uint64_t bytes)
{
	uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		tap_bail("mmap of a file");
	return p;
}

static int64_t part_stat(struct ov_vm *vm, const char *name)
{
	int fd = ov_ioctl(vm->part, OVID_GET_STATS_FD, NULL);
	int64_t v = ov_stat(fd, name);

	close(fd);
	return v;
}

static int64_t vp_stat(struct ov_vm *vm, const char *name)
{
	int fd = ov_ioctl(vm->vp, OVID_GET_STATS_FD, NULL);
	int64_t v = ov_stat(fd, name);

	close(fd);
	return v;
}

/* ---- kinds ---- */

/* what both sides write is seen by the other, and the leaves are as large as said */
static void use(const char *what, uint8_t *p, uint64_t bytes, const char *leaves)
{
	uint32_t last = bytes - 4, v;
	struct ov_vm vm;

	ov_vm_create32(&vm, RAM);
	tap_is(ov_map_user(vm.part, AT, bytes, p), 0, "%s: map", what);
	*(uint32_t *)(p + last) = 0x1234;
	tap_is(ov_load(&vm, AT + last, &v), OVID_EXIT_IO, "%s: load", what);
	tap_is(v, 0x1234, "%s: the worker's bytes", what);
	tap_is(ov_store(&vm, AT, 0x5678), OVID_EXIT_IO, "%s: store", what);
	tap_is(*(uint32_t *)p, 0x5678, "%s: the guest's bytes", what);
	if (leaves)
		tap_ok(part_stat(&vm, leaves) > 0, "%s: leaves are %s", what, leaves);
	ov_vm_destroy(&vm);
}

static void file_kinds(void)
{
	int fd = memfd_create("shared", 0);
	uint8_t *p, *q;

	if (ftruncate(fd, 2 * MB))
		tap_bail("ftruncate");
	p = shared(fd, 2 * MB);
	use("memfd", p, 2 * MB, NULL);
	q = mmap(NULL, 2 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	*(uint32_t *)p = 0x77;
	use("memfd, private", q, 2 * MB, NULL);
	tap_is(*(uint32_t *)p, 0x77, "memfd, private: the file keeps its bytes");
	munmap(p, 2 * MB);
	munmap(q, 2 * MB);
	close(fd);
}

static void huge_kind(const char *what, unsigned int shift, uint64_t bytes, const char *leaves)
{
	unsigned int kib = 1u << (shift - 10);
	char pool[96];
	uint8_t *p = MAP_FAILED;
	int fd;

	snprintf(pool, sizeof(pool), "/sys/kernel/mm/hugepages/hugepages-%ukB/nr_hugepages", kib);
	/* 1 GiB is got at boot, 2 MiB now */
	if (host_read(pool, NULL) * kib * 1024 < (long)bytes)
		host_write(pool, "%lu", (unsigned long)(bytes >> shift));
	fd = memfd_create("huge", MFD_HUGETLB | shift << MAP_HUGE_SHIFT);
	if (fd >= 0 && !ftruncate(fd, bytes))
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		tap_skip(what, "the host has no such pages free");
	} else {
		use(what, p, bytes, leaves);
		munmap(p, bytes);
	}
	close(fd);
}

static void huge_kinds(void)
{
	struct ovid_info info;
	int dev = ov_open();

	ov_info(dev, &info);
	close(dev);
	huge_kind("hugetlb 2 MiB", 21, 4 * MB, "pages_2m");
	if (info.caps & OVID_CAP_EPT_1G)
		huge_kind("hugetlb 1 GiB", 30, GB, "pages_1g");
	else
		huge_kind("hugetlb 1 GiB, CPU without such leaves", 30, GB, "pages_2m");
}

/* ---- mappings that change under a VP that is not running ---- */

static void protections(void)
{
	uint8_t *p = anon(MB);
	struct ov_vm vm;
	uint32_t v;

	ov_vm_create32(&vm, RAM);
	ov_map_user(vm.part, AT, MB, p);
	ov_store(&vm, AT, 0x11);
	mprotect(p, MB, PROT_READ);
	tap_is(ov_load(&vm, AT, &v), OVID_EXIT_IO, "PROT_READ: load");
	tap_is(v, 0x11, "PROT_READ: contents");
	tap_is(ov_store(&vm, AT, 0x22), -EFAULT, "PROT_READ: a store fails the run call");
	tap_is(*(uint32_t *)p, 0x11, "PROT_READ: and changes nothing");
	mprotect(p, MB, PROT_NONE);
	tap_is(ov_load(&vm, AT, &v), -EFAULT, "PROT_NONE: a load fails the run call");
	mprotect(p, MB, PROT_READ | PROT_WRITE);
	tap_is(ov_store(&vm, AT + 4, 0x33), OVID_EXIT_IO, "writable again: store");
	tap_is(ov_load(&vm, AT, &v), OVID_EXIT_IO, "writable again: load");
	tap_is(v, 0x11, "writable again: contents are kept");
	munmap(p, MB);
	tap_is(ov_load(&vm, AT, &v), -EFAULT, "unmapped: a load fails the run call");
	if (mmap(p, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != p)
		tap_bail("mmap");
	p[0] = 0x44;
	tap_is(ov_load(&vm, AT, &v), OVID_EXIT_IO, "another mapping at the address: load");
	tap_is(v, 0x44, "another mapping at the address: its contents");
	munmap(p, MB);
	ov_vm_destroy(&vm);
}

static void truncated(void)
{
	int fd = memfd_create("short", 0);
	struct ov_vm vm;
	uint8_t *p;
	uint32_t v;

	if (ftruncate(fd, MB))
		tap_bail("ftruncate");
	p = shared(fd, MB);
	ov_vm_create32(&vm, RAM);
	ov_map_user(vm.part, AT, MB, p);
	tap_is(ov_store(&vm, AT + 0x8000, 1), OVID_EXIT_IO, "a file: store");
	if (ftruncate(fd, 0x4000))
		tap_bail("ftruncate");
	tap_is(ov_load(&vm, AT + 0x8000, &v), -EFAULT, "truncated: a load fails the run call");
	tap_is(ov_load(&vm, AT, &v), OVID_EXIT_IO, "truncated: what is left can be read");
	if (ftruncate(fd, MB))
		tap_bail("ftruncate");
	tap_is(ov_load(&vm, AT + 0x8000, &v), OVID_EXIT_IO, "long again: load");
	tap_is(v, 0, "long again: zero");
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, MB);
	ov_store(&vm, AT, 5);
	tap_is(*(uint32_t *)p, 5, "a store into a hole is in the file");
	munmap(p, MB);
	close(fd);
	ov_vm_destroy(&vm);
}

/* a guest's store must make the page dirty each time after it was written back */
static void written_back(void)
{
	const char *path = host_zram(8);
	uint32_t *disk, v = 0;
	struct ov_vm vm;
	int fd, raw;
	uint8_t *p;

	if (!path) {
		tap_skip("write-back", "no zram");
		return;
	}
	fd = open(path, O_RDWR);
	raw = open(path, O_RDONLY | O_DIRECT);
	disk = aligned_alloc(4096, 4096);
	if (fd < 0 || raw < 0 || !disk)
		tap_bail("%s", path);
	p = shared(fd, MB);
	ov_vm_create32(&vm, RAM);
	ov_map_user(vm.part, AT, MB, p);
	for (uint32_t turn = 1; turn <= 3; turn++) {
		tap_is(ov_store(&vm, AT + 0x3000, turn), OVID_EXIT_IO, "a block device: store");
		fsync(fd);
		if (pread(raw, disk, 4096, 0x3000) != 4096)
			tap_bail("read %s", path);
		tap_is(*disk, turn, "it is on the device after fsync");
	}
	ov_store(&vm, AT + 0x3000, 9);
	ov_load(&vm, AT + 0x5000, &v);
	munmap(p, MB);
	fsync(fd);
	tap_is(pread(raw, disk, 4096, 0x3000) == 4096 && *disk == 9, 1,
	       "so is a store before munmap");
	close(fd);
	close(raw);
	free(disk);
	ov_vm_destroy(&vm);
}

/* ---- under a running VP ---- */

/* adds 1 to the first word of each page from EBX to EDX, and to EDI after each round */
CODE32(rounds, "1: mov %ebx, %esi; 2: incl (%esi); add $4096, %esi; cmp %edx, %esi; jb 2b;"
	       "incl %edi; jmp 1b");

#define HUGE_PAGE	(2 * MB)
#define BYTES		(2 * HUGE_PAGE)

struct churn {
	const char *what;
	/* does something to the memory; false: cannot be done here */
	bool (*step)(uint8_t *p, int turn);
	int turns;
};

static uint32_t word(const uint8_t *p, uint64_t page)
{
	return *(const volatile uint32_t *)(p + page * 4096);
}

/* no page lost or gained a store: each is at the current round, or not there yet */
static bool consistent(struct ov_vm *vm, const uint8_t *p)
{
	uint32_t round = ov_get(vm->vp, HV_X64_REGISTER_RDI), want = word(p, 0);

	tap_note("%u rounds, %lld faults", round, (long long)vp_stat(vm, "page_faults"));
	if (!round || (want != round && want != round + 1))
		return false;
	for (uint64_t i = 1; i < BYTES / 4096; i++) {
		uint32_t v = word(p, i);

		if (v != want && (v != round || want != round + 1))
			return false;
		want = v;
	}
	return true;
}

/* waits until the VP has been once round, so that each step meets mapped pages */
static void one_round(const uint8_t *p)
{
	uint32_t now = word(p, BYTES / 4096 - 1);

	for (int i = 0; i < 2000 && word(p, BYTES / 4096 - 1) - now < 2; i++)
		ov_sleep_ms(1);
}

static void churn(const struct churn *c, uint8_t *p)
{
	bool did = true;
	struct ov_thread t;
	struct ov_vm vm;
	int turn;

	ov_vm_create32(&vm, RAM);
	ov_map_user(vm.part, AT, BYTES, p);
	ov_enter32(&vm, rounds, CODE_LEN(rounds), AT, 0);
	ov_set(vm.vp, HV_X64_REGISTER_RDX, AT + BYTES);
	ov_set(vm.vp, HV_X64_REGISTER_RDI, 0);
	ov_thread_start(&t, vm.vp);
	for (turn = 0; did && turn < c->turns; turn++) {
		one_round(p);
		did = c->step(p, turn);
	}
	one_round(p);
	tap_is(t.done, false, "%s: the VP goes on", c->what);
	vm.run->cancel = 1;
	tap_ok(ov_thread_join(&t, 2000), "%s: it can be stopped", c->what);
	tap_is(t.ret == 1 || t.ret == -EINTR ? 0 : t.ret, 0, "%s: no error", c->what);
	if (did)
		tap_ok(consistent(&vm, p), "%s: no store was lost", c->what);
	else
		tap_skip(c->what, "this host cannot");
	ov_vm_destroy(&vm);
}

static bool page_out(uint8_t *p, int turn)
{
	(void)turn;
	return host_swap() && !madvise(p, BYTES, MADV_PAGEOUT);
}

static bool compact(uint8_t *p, int turn)
{
	(void)p;
	(void)turn;
	return host_write("/proc/sys/vm/compact_memory", "1");
}

static bool collapse_and_split(uint8_t *p, int turn)
{
	/* another protection for one page splits a huge page, without data lost */
	if (turn & 1)
		return !mprotect(p + 0x5000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) &&
		       !mprotect(p + 0x5000, 4096, PROT_READ | PROT_WRITE);
	return !madvise(p, BYTES, MADV_COLLAPSE) || errno == EAGAIN;
}

static bool forget_young(uint8_t *p, int turn)
{
	(void)p;
	/* 1: accessed, 4: soft-dirty, which write-protects */
	return host_write("/proc/self/clear_refs", "%d", turn & 1 ? 4 : 1);
}

/* a child must see its copy stand still, and its stores must not be seen here */
static bool copy_for_child(uint8_t *p, int turn)
{
	int status = -1;
	pid_t pid = fork();

	(void)turn;
	if (!pid) {
		uint32_t first = word(p, 7), sum = 0;

		for (int i = 0; i < 20; i++) {
			ov_sleep_ms(1);
			sum += word(p, 7) != first;
		}
		memset(p, 0xee, BYTES);
		ov_sleep_ms(2);
		_exit(sum || word(p, 7) != 0xeeeeeeee);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

static bool elsewhere(uint8_t *p, int turn)
{
	uint8_t *q = anon(BYTES);
	bool ok;

	(void)p;
	(void)turn;
	ok = !madvise(q, BYTES, MADV_DONTNEED) && !mprotect(q, BYTES, PROT_NONE);
	munmap(q, BYTES);
	return ok;
}

static uint8_t *aligned(uint8_t *p)
{
	return (uint8_t *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
}

static void running(void)
{
	static const struct churn all[] = {
		{ "swapped out", page_out, 4 },
		{ "compacted", compact, 3 },
		{ "collapsed and split", collapse_and_split, 6 },
		{ "accessed bits cleared", forget_young, 6 },
		{ "forked", copy_for_child, 4 },
		{ "other memory changed", elsewhere, 50 },
	};
	int fd;

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		uint8_t *whole = anon(BYTES + HUGE_PAGE);

		churn(&all[i], aligned(whole));
		munmap(whole, BYTES + HUGE_PAGE);
	}
	fd = memfd_create("churn", 0);
	if (ftruncate(fd, BYTES))
		tap_bail("ftruncate");
	for (unsigned int i = 0; i < 2; i++) {
		uint8_t *p = shared(fd, BYTES);
		struct churn c = all[i];
		char what[64];

		snprintf(what, sizeof(what), "memfd, %s", c.what);
		c.what = what;
		memset(p, 0, BYTES);
		churn(&c, p);
		munmap(p, BYTES);
	}
	close(fd);
}

/* swapped out while nobody uses it: it comes back by a fault of the guest */
static void swapped_and_back(void)
{
	uint8_t *p = anon(MB);
	int swapped = 0, bad = 0;
	struct ov_vm vm;
	uint32_t v;

	if (!host_swap()) {
		tap_skip("swapped and back", "no swap");
		munmap(p, MB);
		return;
	}
	ov_vm_create32(&vm, RAM);
	ov_map_user(vm.part, AT, MB, p);
	for (uint32_t at = 0; at < MB; at += 0x10000)
		ov_store(&vm, AT + at, at ^ 0x5a5a);
	tap_is(madvise(p, MB, MADV_PAGEOUT), 0, "ask for swapping out");
	for (uint32_t at = 0; at < MB; at += 0x10000)
		swapped += !!(host_pagemap(p + at) & HOST_PAGE_SWAPPED);
	tap_is(swapped, 16, "pages that the guest wrote are swapped out");
	for (uint32_t at = 0; at < MB; at += 0x10000)
		bad += ov_load(&vm, AT + at, &v) != OVID_EXIT_IO || v != (at ^ 0x5a5a);
	tap_is(bad, 0, "and back with their contents");
	munmap(p, MB);
	ov_vm_destroy(&vm);
}

/* the fault of a VP waits for the worker; what the partition does meanwhile does not */
static void fault_waits_for_worker(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_copy fill = { .len = 4096 };
	uint8_t *p = anon(MB), *page = anon(4096);
	struct uffd_msg msg;
	struct ov_thread t;
	struct ov_vm vm;
	int m;

	reg.range.start = (uintptr_t)p;
	reg.range.len = MB;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg)) {
		tap_skip("userfaultfd", "the host has none");
		return;
	}
	ov_vm_create32(&vm, RAM);
	ov_map_user(vm.part, AT, MB, p);
	m = ov_memory(vm.dev, MB, 0);
	ov_enter32(&vm, rounds, CODE_LEN(rounds), AT, 0);
	ov_set(vm.vp, HV_X64_REGISTER_RDX, AT + 4096);
	ov_thread_start(&t, vm.vp);
	ov_sleep_ms(50);
	tap_is(t.done, false, "a guest's touch waits for the worker");
	tap_ok(ov_thread_join(&t, 1000), "a signal ends the wait");
	tap_is(t.ret, -EINTR, "and the run call");
	ov_thread_start(&t, vm.vp);
	ov_sleep_ms(50);
	tap_is(read(fd, &msg, sizeof(msg)), sizeof(msg), "it waits again, and asks the worker");
	tap_is(msg.arg.pagefault.address & ~0xfffull, (uintptr_t)p, "for that page");
	tap_is(ov_map_fd(vm.part, AT + GB, MB, m, 0), 0, "while it waits: map");
	tap_is(ov_unmap(vm.part, AT + GB, MB), 0, "while it waits: unmap");
	*(uint32_t *)page = 1000;
	fill.dst = (uintptr_t)p;
	fill.src = (uintptr_t)page;
	tap_is(ioctl(fd, UFFDIO_COPY, &fill), 0, "the worker answers");
	ov_sleep_ms(50);
	vm.run->cancel = 1;
	tap_ok(ov_thread_join(&t, 1000), "the VP stops");
	tap_ok(*(uint32_t *)p > 1000, "and had gone on with the page (%u)", *(uint32_t *)p);
	close(m);
	close(fd);
	munmap(p, MB);
	munmap(page, 4096);
	ov_vm_destroy(&vm);
}

static void *meddle(void *arg)
{
	bool *stop = arg;
	uint8_t *q = anon(4096);

	while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST)) {
		q[0] = 1;
		madvise(q, 4096, MADV_DONTNEED);
	}
	munmap(q, 4096);
	return NULL;
}

/* what the worker does to memory that is no guest's makes no fault start over */
static void unrelated(void)
{
	int64_t exits, faults;
	uint8_t *p = anon(MB);
	bool stop = false;
	struct ov_vm vm;
	pthread_t t;

	ov_vm_create32(&vm, RAM);
	ov_map_user(vm.part, AT, MB, p);
	ov_store(&vm, AT, 1);
	exits = vp_stat(&vm, "exit_ept");
	faults = vp_stat(&vm, "page_faults");
	pthread_create(&t, NULL, meddle, &stop);
	for (uint32_t at = 0x1000; at < MB; at += 0x1000)
		ov_store(&vm, AT + at, 1);
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	pthread_join(t, NULL);
	faults = vp_stat(&vm, "page_faults") - faults;
	tap_is(faults, 255, "a fault for each page");
	tap_is(vp_stat(&vm, "exit_ept") - exits, faults, "and none that started over");
	munmap(p, MB);
	ov_vm_destroy(&vm);
}

int main(void)
{
	tap_begin("abi-usermem", 2 * TAP_LIMIT);
	file_kinds();
	huge_kinds();
	protections();
	truncated();
	written_back();
	swapped_and_back();
	running();
	fault_waits_for_worker();
	unrelated();
	return tap_done();
}
