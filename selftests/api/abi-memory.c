// SPDX-License-Identifier: GPL-2.0-only
/* memory objects, user memory, map, unmap, discard; what a VP sees of them */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define MB	(1ull << 20)
#define AT	0x10000000u	/* where test regions go */

static void close_it(int fd)
{
	close(fd);
}

static void object_rules(int dev)
{
	struct ovid_create_memory good = { .size = sizeof(good), .bytes = 8192 };
	int m = ov_memory(dev, 2 * MB, OVID_MEM_HUGE);
	uint8_t *p;

	ov_size_rules(dev, "OVID_CREATE_MEMORY", OVID_CREATE_MEMORY, &good, sizeof(good), close_it);
	ov_field_fails(dev, "OVID_CREATE_MEMORY", OVID_CREATE_MEMORY, &good, sizeof(good), 8, 0, 8,
		       EINVAL);
	ov_field_fails(dev, "OVID_CREATE_MEMORY", OVID_CREATE_MEMORY, &good, sizeof(good), 8, 4097,
		       8, EINVAL);
	ov_field_fails(dev, "OVID_CREATE_MEMORY", OVID_CREATE_MEMORY, &good, sizeof(good), 4, 2, 4,
		       EINVAL);
	tap_ok(ov_memory(dev, ~0xfffull, 0) < 0, "an absurd size is refused");
	tap_is(fcntl(m, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "M is close-on-exec");
	p = mmap(NULL, 2 * MB, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
	tap_ok(p != MAP_FAILED, "a memory object can be mapped");
	tap_is(p[0] | p[2 * MB - 1], 0, "it is zero");
	memset(p, 0x5a, 2 * MB);
	munmap(p, 2 * MB);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, m, MB);
	tap_is(p[5], 0x5a, "contents stay when it is mapped again");
	munmap(p, 4096);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, m, 2 * MB);
	tap_ok(p == MAP_FAILED, "not beyond its end");
	p = mmap(NULL, 4 * MB, PROT_READ, MAP_SHARED, m, 0);
	tap_ok(p == MAP_FAILED, "not larger than it is");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, m, 0);
	tap_ok(p == MAP_FAILED, "not private");
	close(m);
}

static void object_across_fork(int dev)
{
	int m = ov_memory(dev, 4096, 0), status;
	uint8_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
	pid_t pid = fork();

	if (!pid) {
		p[0] = 7;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	tap_is(p[0], 7, "a mapping is shared over fork");
	munmap(p, 4096);
	close(m);
}

static void map_rules(int dev)
{
	struct ovid_info info;
	int part = ov_partition(dev, "map"), m = ov_memory(dev, 4 * MB, 0), ret = 0, n;
	struct ovid_map_memory good = {
		.size = sizeof(good), .flags = OVID_MAP_WRITE | OVID_MAP_EXEC | OVID_MAP_FD,
		.gpa = 16 * MB, .bytes = MB, .fd = m, .source = MB,
	};

	ov_info(dev, &info);
#define BAD(field, value, error)						\
	ov_field_fails(part, "OVID_MAP_MEMORY " #field, OVID_MAP_MEMORY, &good, sizeof(good), \
		       offsetof(struct ovid_map_memory, field), value, sizeof(good.field), error)
	BAD(flags, 8 | OVID_MAP_FD, EINVAL);
	BAD(gpa, 16 * MB + 1, EINVAL);
	BAD(gpa, 1ull << info.phys_bits, EINVAL);
	BAD(gpa, ~0xfffull, EINVAL);
	BAD(bytes, 0, EINVAL);
	BAD(bytes, 4095, EINVAL);
	BAD(bytes, 4 * MB, EINVAL);		/* beyond the object */
	BAD(bytes, ~0xfffull, EINVAL);
	BAD(source, 123, EINVAL);
	BAD(source, 4 * MB, EINVAL);
	BAD(source, ~0xfffull, EINVAL);
	BAD(pad, 1, EINVAL);
	BAD(fd, -1, EBADF);
	BAD(fd, part, EBADF);
	BAD(flags, OVID_MAP_WRITE, EINVAL);	/* user memory, but a file is named */
	tap_is(ov_map_fd(part, 0, MB, m, 0), 0, "map");
	tap_is(-ov_map_fd(part, 0, MB, m, 0), EEXIST, "the same again");
	tap_is(-ov_map_fd(part, MB - 4096, 8192, m, 0), EEXIST, "overlap at the end");
	tap_is(-ov_map_fd(part, 4096, 4096, m, 0), EEXIST, "overlap inside");
	tap_is(ov_map_fd(part, MB, MB, m, 0), 0, "right behind it; the object twice");
	tap_is(-ov_map_fd(part, 0, 16 * MB - 4096, m, 0) > 0, 1, "overlap around");
	tap_is(ov_unmap(part, 0, 2 * MB), 0, "unmap both in one call");
	tap_is(-ov_unmap(part, 0, 2 * MB), ENOENT, "nothing is mapped any more");
	/* a good call by the size rules: each maps, so unmap behind it */
	for (n = 0; n < (int)info.max_regions + 10; n++) {
		ret = ov_map_fd(part, n * 8192ull, 4096, m, 0);
		if (ret)
			break;
	}
	tap_is(-ret, ENOSPC, "too many regions");
	tap_is(n, info.max_regions, "exactly at the limit that OVID_GET_INFO gives");
	tap_is(-ov_unmap(part, n * 8192ull, 4096), ENOENT, "the last one is not there");
	tap_is(ov_unmap(part, 0, 1ull << 32), 0, "all of them in one call, holes included");
	close(m);
	close(part);
}

static int size_part, size_memory;

static void unmap_it(int ret)
{
	(void)ret;
	ov_unmap(size_part, 16 * MB, MB);
}

static void map_again(int ret)
{
	(void)ret;
	ov_map_fd(size_part, 0, MB, size_memory, 0);
}

static void map_sizes(int dev)
{
	int part = ov_partition(dev, "sizes"), m = ov_memory(dev, 4 * MB, 0);
	struct ovid_map_memory map = {
		.size = sizeof(map), .flags = OVID_MAP_WRITE | OVID_MAP_FD,
		.gpa = 16 * MB, .bytes = MB, .fd = m,
	};
	struct ovid_gpa_range range = { .size = sizeof(range), .bytes = 4096 };

	size_part = part;
	size_memory = m;
	ov_size_rules(part, "OVID_MAP_MEMORY", OVID_MAP_MEMORY, &map, sizeof(map), unmap_it);
	map_again(0);
	ov_size_rules(part, "OVID_DISCARD_MEMORY", OVID_DISCARD_MEMORY, &range, sizeof(range),
		      NULL);
	range.bytes = MB;
	ov_size_rules(part, "OVID_UNMAP_MEMORY", OVID_UNMAP_MEMORY, &range, sizeof(range), map_again);
	range.bytes = 4096;
	ov_field_fails(part, "OVID_UNMAP_MEMORY gpa", OVID_UNMAP_MEMORY, &range, sizeof(range),
		       8, 1, 8, EINVAL);
	ov_field_fails(part, "OVID_UNMAP_MEMORY bytes", OVID_UNMAP_MEMORY, &range, sizeof(range),
		       16, 0, 8, EINVAL);
	ov_field_fails(part, "OVID_UNMAP_MEMORY bytes", OVID_UNMAP_MEMORY, &range, sizeof(range),
		       16, 4097, 8, EINVAL);
	ov_field_fails(part, "OVID_UNMAP_MEMORY wraps", OVID_UNMAP_MEMORY, &range, sizeof(range),
		       8, ~0xfffull, 8, EINVAL);
	ov_field_fails(part, "OVID_UNMAP_MEMORY flags", OVID_UNMAP_MEMORY, &range, sizeof(range),
		       4, 1, 4, EINVAL);
	ov_field_fails(part, "OVID_DISCARD_MEMORY bytes", OVID_DISCARD_MEMORY, &range,
		       sizeof(range), 16, 0, 8, EINVAL);
	close(m);
	close(part);
}

static void seen_by_guest(void)
{
	struct ov_vm vm;
	uint32_t v;

	ov_vm_create32(&vm, 4 * MB);
	tap_is(ov_store(&vm, 0x200000, 0x11223344), OVID_EXIT_IO, "a store to memory");
	tap_is(*(uint32_t *)(vm.ram + 0x200000), 0x11223344, "is seen by the worker");
	*(uint32_t *)(vm.ram + 0x200004) = 0x55667788;
	tap_is(ov_load(&vm, 0x200004, &v), OVID_EXIT_IO, "a load");
	tap_is(v, 0x55667788, "sees the worker's store");
	tap_is(ov_store(&vm, AT, 1), OVID_EXIT_MMIO, "a store to nothing is MMIO");
	tap_is(vm.run->write, 1, "a store");
	tap_is(vm.run->address, AT, "its address");
	tap_is(vm.run->value, 1, "its value");
	ov_vm_destroy(&vm);
}

static void map_while_alive(void)
{
	struct ov_vm vm;
	int m;
	uint32_t v;

	ov_vm_create32(&vm, 4 * MB);
	m = ov_memory(vm.dev, 4 * MB, 0);
	tap_is(ov_map_fd(vm.part, AT, MB, m, 2 * MB), 0, "map at run time");
	tap_is(ov_store(&vm, AT + 0x1234, 7), OVID_EXIT_IO, "and use it");
	tap_is(ov_map_fd(vm.part, AT + MB, MB, m, 2 * MB), 0, "the same pages once more");
	tap_is(ov_load(&vm, AT + MB + 0x1234, &v), OVID_EXIT_IO, "load through the alias");
	tap_is(v, 7, "same memory");
	/* split: a hole in the middle */
	tap_is(ov_unmap(vm.part, AT + 0x10000, 0x2000), 0, "unmap two pages in the middle");
	tap_is(ov_load(&vm, AT + 0x10000, &v), OVID_EXIT_MMIO, "the hole is MMIO");
	tap_is(ov_load(&vm, AT + 0x11ffc, &v), OVID_EXIT_MMIO, "to its end");
	tap_is(ov_load(&vm, AT + 0xf000, &v), OVID_EXIT_IO, "below it is memory");
	tap_is(ov_load(&vm, AT + 0x12000, &v), OVID_EXIT_IO, "above it is memory");
	tap_is(ov_load(&vm, AT + 0x1234, &v), OVID_EXIT_IO, "old contents");
	tap_is(v, 7, "are kept");
	tap_is(ov_store(&vm, AT + 0x13000, 0x99), OVID_EXIT_IO, "offsets behind the hole");
	tap_is(ov_load(&vm, AT + MB + 0x13000, &v), OVID_EXIT_IO, "are right");
	tap_is(v, 0x99, "(seen through the alias)");
	tap_is(ov_map_fd(vm.part, AT + 0x10000, 0x1000, m, 0), 0, "fill half of the hole");
	tap_is(ov_load(&vm, AT + 0x10000, &v), OVID_EXIT_IO, "memory again");
	tap_is(ov_load(&vm, AT + 0x11000, &v), OVID_EXIT_MMIO, "the other half is not");
	tap_is(ov_unmap(vm.part, AT, 2 * MB), 0, "unmap it all");
	tap_is(ov_load(&vm, AT, &v), OVID_EXIT_MMIO, "gone");
	tap_is(ov_load(&vm, AT + MB, &v), OVID_EXIT_MMIO, "gone");
	close(m);
	ov_vm_destroy(&vm);
}

static void read_only(void)
{
	struct ov_vm vm;
	uint32_t v;
	int m;
	uint8_t *p;

	ov_vm_create32(&vm, 4 * MB);
	m = ov_memory(vm.dev, MB, 0);
	p = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
	p[8] = 0x42;
	tap_is(ov_map_flags(vm.part, AT, MB, m, 0, OVID_MAP_FD), 0, "a read-only region");
	tap_is(ov_load(&vm, AT + 8, &v), OVID_EXIT_IO, "can be read");
	tap_is(v, 0x42, "its contents");
	tap_is(ov_store(&vm, AT + 8, 9), OVID_EXIT_MMIO, "a store goes to the worker");
	tap_is(vm.run->write, 1, "as a store");
	tap_is(p[8], 0x42, "and changes nothing");
	/* code there: no execute */
	p[0] = 0xe6;
	p[1] = 0xf4;			/* out %al, $0xf4 */
	ov_set(vm.vp, HV_X64_REGISTER_RIP, AT);
	ov_run(vm.vp);
	tap_is(vm.run->exit, OVID_EXIT_MMIO_RAW, "without MAP_EXEC a fetch is the worker's");
	tap_is(vm.run->address & ~0xfffull, AT, "its address");
	ov_commit(&vm);
	ov_unmap(vm.part, AT, MB);
	ov_map_flags(vm.part, AT, MB, m, 0, OVID_MAP_FD | OVID_MAP_EXEC);
	ov_set(vm.vp, HV_X64_REGISTER_RIP, AT);
	ov_run(vm.vp);
	tap_is(vm.run->exit, OVID_EXIT_IO, "with it the code runs");
	munmap(p, MB);
	close(m);
	ov_vm_destroy(&vm);
}

/* page tables in ROM, as firmware has them: nothing in them is to be changed */
static void read_only_tables(void)
{
	struct mach_cpu cpu;
	struct ov_vm vm;
	uint32_t *pd, v;
	int m;

	ov_vm_create32(&vm, 4 * MB);
	mach_paged32(&cpu, vm.ram, OV_CODE);
	m = ov_memory(vm.dev, 4096, 0);
	pd = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
	for (unsigned int i = 0; i < 1024; i++)
		pd[i] = i << 22 | 0xe7;	/* large, dirty, accessed, user, write, present */
	ov_map_flags(vm.part, AT, 4096, m, 0, OVID_MAP_FD);
	cpu.cr3 = AT;
	tap_is(ov_set_cpu(vm.vp, &cpu), 0, "page tables in a read-only region");
	*(uint32_t *)(vm.ram + 0x300000) = 0x99;
	tap_is(ov_load(&vm, 0x300000, &v), OVID_EXIT_IO, "a load through them");
	tap_is(v, 0x99, "its value");
	tap_is(ov_store(&vm, 0x200000, 0x77), OVID_EXIT_IO, "a store through them");
	tap_is(ov_store(&vm, AT, 0), OVID_EXIT_MMIO, "a store to them is the worker's");
	munmap(pd, 4096);
	close(m);
	ov_vm_destroy(&vm);
}

static void discard(void)
{
	struct ov_vm vm;
	uint32_t v;
	uint8_t *p;
	int m, other;

	ov_vm_create32(&vm, 4 * MB);
	m = ov_memory(vm.dev, 4 * MB, OVID_MEM_HUGE);
	p = mmap(NULL, 4 * MB, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
	ov_map_fd(vm.part, AT, 4 * MB, m, 0);
	other = ov_partition(vm.dev, "other");
	ov_map_fd(other, 0, 4 * MB, m, 0);
	memset(p, 0xee, 4 * MB);
	tap_is(ov_load(&vm, AT + 0x1000, &v), OVID_EXIT_IO, "before discard");
	tap_is(v, 0xeeeeeeee, "the worker's bytes");
	tap_is(ov_discard(vm.part, AT + 0x1000, 0x2000), 0, "discard two pages");
	tap_is(p[0x1000] | p[0x2fff], 0, "they read as zero in the worker");
	tap_is(p[0xfff], 0xee, "the page below is kept");
	tap_is(p[0x3000], 0xee, "the page above is kept");
	tap_is(ov_load(&vm, AT + 0x1000, &v), OVID_EXIT_IO, "the guest still has memory there");
	tap_is(v, 0, "zero");
	tap_is(ov_load(&vm, AT + 0x3000, &v), OVID_EXIT_IO, "next to it");
	tap_is(v, 0xeeeeeeee, "kept");
	tap_is(ov_store(&vm, AT + 0x1000, 5), OVID_EXIT_IO, "a store after discard");
	tap_is(p[0x1000], 5, "is seen");
	tap_is(ov_discard(vm.part, AT, 4 * MB), 0, "discard it all");
	tap_is(p[0] | p[0x1000] | p[4 * MB - 1], 0, "all zero");
	tap_is(ov_discard(vm.part, 0x70000000, 4096) == 0 ||
	       ov_discard(vm.part, 0x70000000, 4096) == -ENOENT, 1, "discard of nothing");
	munmap(p, 4 * MB);
	close(m);
	close(other);
	ov_vm_destroy(&vm);
}

static void two_partitions(void)
{
	struct ov_vm a, b;
	uint32_t v;
	int m;

	ov_vm_create32(&a, 4 * MB);
	ov_vm_create32(&b, 4 * MB);
	m = ov_memory(a.dev, MB, 0);
	ov_map_fd(a.part, AT, MB, m, 0);
	ov_map_fd(b.part, AT + MB, MB, m, 0);
	close(m);
	tap_is(ov_store(&a, AT + 0x100, 0xabc), OVID_EXIT_IO, "store in one partition");
	tap_is(ov_load(&b, AT + MB + 0x100, &v), OVID_EXIT_IO, "load in the other");
	tap_is(v, 0xabc, "one object, mapped in both, its file closed");
	ov_vm_destroy(&a);
	tap_is(ov_load(&b, AT + MB + 0x100, &v), OVID_EXIT_IO, "one partition is gone");
	tap_is(v, 0xabc, "contents stay");
	ov_vm_destroy(&b);
}

/* ---- user memory ---- */

static void user_map(const char *what, uint8_t *p, uint64_t bytes, bool private)
{
	struct ov_vm vm;
	uint32_t v;

	ov_vm_create32(&vm, 4 * MB);
	p[0x1000] = 0x77;
	tap_is(ov_map_user(vm.part, AT, bytes, p), 0, "%s: map", what);
	tap_is(ov_load(&vm, AT + 0x1000, &v), OVID_EXIT_IO, "%s: load", what);
	tap_is(v, 0x77, "%s: contents", what);
	tap_is(ov_store(&vm, AT + 0x2000, 0x1234), OVID_EXIT_IO, "%s: store", what);
	tap_is(*(uint32_t *)(p + 0x2000), 0x1234, "%s: seen by the worker", what);
	*(uint32_t *)(p + 0x2000) = 0x4321;
	ov_load(&vm, AT + 0x2000, &v);
	tap_is(v, 0x4321, "%s: the worker's store is seen", what);
	madvise(p, bytes, MADV_DONTNEED);
	tap_is(ov_load(&vm, AT + 0x2000, &v), OVID_EXIT_IO, "%s: load after MADV_DONTNEED", what);
	tap_is(v, private ? 0 : 0x4321, "%s: its value", what);
	munmap(p, bytes);
	tap_note("%s: after munmap the guest's load gives exit %d", what,
		 ov_load(&vm, AT + 0x2000, &v));
	tap_is(ov_unmap(vm.part, AT, bytes), 0, "%s: unmap", what);
	tap_is(ov_load(&vm, AT + 0x2000, &v), OVID_EXIT_MMIO, "%s: then it is MMIO", what);
	ov_vm_destroy(&vm);
}

static void user_kinds(void)
{
	uint8_t *p = mmap(NULL, 4 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("guest", 0);
	FILE *f;

	user_map("anonymous", p, 4 * MB, true);
	p = mmap(NULL, 8 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = (uint8_t *)(((uintptr_t)p + 2 * MB - 1) & ~(2 * MB - 1));
	madvise(p, 4 * MB, MADV_HUGEPAGE);
	memset(p, 0, 4 * MB);
	user_map("transparent huge", p, 4 * MB, true);
	if (ftruncate(fd, 4 * MB))
		tap_bail("ftruncate");
	p = mmap(NULL, 4 * MB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	user_map("memfd", p, 4 * MB, false);
	close(fd);
	f = fopen("/proc/sys/vm/nr_hugepages", "w");
	if (f) {
		fputs("4", f);
		fclose(f);
	}
	p = mmap(NULL, 4 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
		 -1, 0);
	if (p == MAP_FAILED)
		tap_skip("hugetlbfs", "no huge pages");
	else
		user_map("hugetlbfs", p, 4 * MB, true);
}

static void user_rules(int dev)
{
	int part = ov_partition(dev, "user");
	uint8_t *p = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	tap_is(-ov_map_user(part, 0, MB, p + 1), EINVAL, "an address that is not aligned");
	tap_ok(ov_map_user(part, 0, MB, (void *)0xffff888000000000ull) < 0, "a kernel address");
	tap_ok(ov_map_user(part, 0, 1ull << 30, (void *)0x7fffffff0000ull) < 0,
	       "a range that leaves user space");
	munmap(p, MB);
	close(part);
}

static void user_fork(void)
{
	struct ov_vm vm;
	uint8_t *p = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t v;
	pid_t pid;

	ov_vm_create32(&vm, 4 * MB);
	ov_map_user(vm.part, AT, MB, p);
	ov_store(&vm, AT, 1);
	pid = fork();
	if (!pid) {
		ov_sleep_ms(50);
		_exit(p[0] == 1 ? 0 : 1);
	}
	/* copy on write: the guest writes its parent's page, the child keeps the old one */
	tap_is(ov_store(&vm, AT, 2), OVID_EXIT_IO, "a store after fork");
	tap_is(p[0], 2, "is seen by the worker");
	p[0] = 3;
	ov_load(&vm, AT, &v);
	tap_is(v, 3, "and the worker's by the guest");
	int status = -1;

	waitpid(pid, &status, 0);
	tap_is(status, 0, "the child keeps its copy");
	munmap(p, MB);
	ov_vm_destroy(&vm);
}

static void user_protected(void)
{
	struct ov_vm vm;
	uint8_t *p = mmap(NULL, MB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t v;
	int exit;

	ov_vm_create32(&vm, 4 * MB);
	ov_map_user(vm.part, AT, MB, p);
	tap_is(ov_load(&vm, AT, &v), OVID_EXIT_IO, "a load from memory that is PROT_READ");
	exit = ov_store(&vm, AT, 1);
	tap_ok(exit != OVID_EXIT_IO, "a store to it is refused (%d)", exit);
	munmap(p, MB);
	ov_vm_destroy(&vm);
}

/* ---- under a running VP ---- */

CODE32(spin_load, "1: mov (%ebx), %eax; jmp 1b");

static void unmap_under_running(void)
{
	struct ov_vm vm;
	struct ov_thread t;

	ov_vm_create32(&vm, 4 * MB);
	ov_enter32(&vm, spin_load, CODE_LEN(spin_load), 0x300000, 0);
	ov_thread_start(&t, vm.vp);
	ov_sleep_ms(30);
	tap_is(t.done, false, "a VP runs");
	tap_is(ov_unmap(vm.part, 0x300000, 0x1000), 0, "unmap the page it reads");
	ov_sleep_ms(50);
	tap_ok(ov_thread_join(&t, 1000), "it stops");
	tap_is(t.ret, 0, "with an exit, not a signal");
	tap_is(vm.run->exit, OVID_EXIT_MMIO, "an MMIO one");
	tap_is(vm.run->address, 0x300000, "of that page");
	ov_vm_destroy(&vm);
}

/* nothing is to be executed there, whoever virtualizes accesses to it */
static void fetch_from_apic(void)
{
	struct ov_thread t;
	struct ov_vm vm;

	ov_vm_create32(&vm, 4 * MB);
	ov_set(vm.vp, HV_X64_REGISTER_RIP, 0xfee00000);
	ov_thread_start_strict(&t, vm.vp);
	for (int i = 0; i < 100 && !t.done; i++)
		ov_sleep_ms(10);
	tap_is(t.done, true, "a fetch from the APIC's page ends the run call");
	vm.run->cancel = 1;
	tap_ok(ov_thread_join(&t, 1000), "the VP stops");
	vm.run->cancel = 0;
	tap_is(vm.run->exit, OVID_EXIT_MMIO_RAW, "as an access for the worker");
	tap_is(vm.run->address & ~0xfffull, 0xfee00000, "at the APIC's address");
	ov_vm_destroy(&vm);
}

static void dontneed_under_running(void)
{
	struct ov_vm vm;
	struct ov_thread t;
	uint8_t *p = mmap(NULL, 2 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ov_vm_create32(&vm, 4 * MB);
	ov_map_user(vm.part, AT, 2 * MB, p);
	ov_enter32(&vm, spin_load, CODE_LEN(spin_load), AT, 0);
	ov_thread_start(&t, vm.vp);
	for (int i = 0; i < 20; i++) {
		p[0] = i;
		madvise(p, 2 * MB, MADV_DONTNEED);
		ov_sleep_ms(2);
	}
	/* it may not have had the CPU since */
	ov_sleep_ms(100);
	tap_is(t.done, false, "the VP runs on through MADV_DONTNEED");
	vm.run->cancel = 1;
	tap_ok(ov_thread_join(&t, 1000), "it can be stopped");
	tap_ok(t.ret == 1 || t.ret == -EINTR, "cancelled (%d)", t.ret);
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RAX), 0, "it read zero");
	munmap(p, 2 * MB);
	ov_vm_destroy(&vm);
}

static void munmap_under_running(void)
{
	struct ov_vm vm;
	struct ov_thread t;
	uint8_t *p = mmap(NULL, 2 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ov_vm_create32(&vm, 4 * MB);
	ov_map_user(vm.part, AT, 2 * MB, p);
	ov_enter32(&vm, spin_load, CODE_LEN(spin_load), AT, 0);
	ov_thread_start(&t, vm.vp);
	ov_sleep_ms(20);
	munmap(p, 2 * MB);
	ov_sleep_ms(50);
	vm.run->cancel = 1;
	tap_ok(ov_thread_join(&t, 1000), "munmap under a running VP: it stops");
	tap_note("run gives %d, exit %u", t.ret, vm.run->exit);
	ov_vm_destroy(&vm);
}

static void many_pages(void)
{
	struct ov_vm vm;
	uint32_t v;
	int bad = 0, stats;

	ov_vm_create32(&vm, 32 * MB);
	for (uint32_t at = MB; at < 32 * MB; at += 64 * 4096) {
		ov_store(&vm, at, at);
		bad += *(uint32_t *)(vm.ram + at) != at;
	}
	for (uint32_t at = MB; at < 32 * MB; at += 64 * 4096) {
		ov_load(&vm, at, &v);
		bad += v != at;
	}
	tap_is(bad, 0, "a store and a load each 256 KiB");
	stats = ov_ioctl(vm.part, OVID_GET_STATS_FD, NULL);
	tap_ok(ov_stat(stats, "pages_4k") + ov_stat(stats, "pages_2m") > 0, "pages are counted");
	ov_unmap(vm.part, 0, 32 * MB);
	tap_is(ov_stat(stats, "pages_4k") + ov_stat(stats, "pages_2m"), 0, "none after unmap");
	close(stats);
	ov_vm_destroy(&vm);
}

/* an object of large pages: the guest has them as such, but for one that lost a part */
static void large_pages(void)
{
	struct ov_vm vm;
	int huge, stats;
	uint32_t v;

	ov_vm_create32(&vm, 4 * MB);
	stats = ov_ioctl(vm.part, OVID_GET_STATS_FD, NULL);
	huge = ov_memory(vm.dev, 4 * MB, OVID_MEM_HUGE);
	tap_is(ov_map_fd(vm.part, AT, 4 * MB, huge, 0), 0, "an object of 2 MiB pages");
	ov_store(&vm, AT + 0x1000, 0x1111);
	ov_store(&vm, AT + 0x2000, 0x2222);
	tap_is(ov_stat(stats, "pages_2m"), 1, "is mapped by one");
	tap_is(ov_discard(vm.part, AT + 0x1000, 0x1000), 0, "4 KiB of it are discarded");
	tap_is(ov_load(&vm, AT + 0x1000, &v), OVID_EXIT_IO, "they are read");
	tap_is(v, 0, "as zeros");
	ov_load(&vm, AT + 0x2000, &v);
	tap_is(v, 0x2222, "those beside them are what they were");
	close(huge);
	close(stats);
	ov_vm_destroy(&vm);
}

int main(void)
{
	int dev;

	tap_begin("abi-memory", TAP_LIMIT);
	dev = ov_open();
	object_rules(dev);
	object_across_fork(dev);
	map_rules(dev);
	map_sizes(dev);
	user_rules(dev);
	close(dev);
	seen_by_guest();
	map_while_alive();
	read_only();
	read_only_tables();
	discard();
	two_partitions();
	user_kinds();
	user_fork();
	user_protected();
	fetch_from_apic();
	unmap_under_running();
	dontneed_under_running();
	munmap_under_running();
	many_pages();
	large_pages();
	return tap_done();
}
