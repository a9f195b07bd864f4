// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose memory it is: guest memory is charged to the worker's control group,
 * its limit holds, all of it comes back, and the host finds out which pages a
 * guest uses.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/host.h"
#include "lib/ov.h"
#include "lib/tap.h"

#define MB	(1ull << 20)
#define AT	0x40000000u
#define SLACK	(1 << 20)	/* the kernel charges ahead, by processor */

static const char *new_group(const char *name)
{
	const char *group = host_cgroup(name);

	if (!group)
		tap_skip(name, "the host has no memory control groups");
	return group;
}

/* the steps of a child in @group, and of the parent that looks at it in between */
struct pair {
	int to_child[2], to_parent[2];
	pid_t pid;
};

static void tell(int fd)
{
	if (write(fd, "", 1) != 1)
		tap_bail("pipe");
}

/* false: the other one is gone */
static bool wait_for(int fd)
{
	char c;

	return read(fd, &c, 1) == 1;
}

static void pair_start(struct pair *p, const char *group, void (*child)(struct pair *p))
{
	if (pipe(p->to_child) || pipe(p->to_parent))
		tap_bail("pipe");
	p->pid = fork();
	if (!p->pid) {
		close(p->to_child[1]);
		close(p->to_parent[0]);
		if (!host_cgroup_enter(group))
			_exit(9);
		child(p);
		_exit(0);
	}
	close(p->to_child[0]);
	close(p->to_parent[1]);
}

/* in the parent: lets the child go on, until its next step or its end */
static bool next(struct pair *p)
{
	tell(p->to_child[1]);
	return wait_for(p->to_parent[0]);
}

/* in the child: a step is done */
static void step(struct pair *p)
{
	tell(p->to_parent[1]);
	if (!wait_for(p->to_child[0]))
		_exit(8);
}

static int pair_end(struct pair *p)
{
	int status = -1;

	close(p->to_child[1]);
	close(p->to_parent[0]);
	waitpid(p->pid, &status, 0);
	return status;
}

static void touch(struct ov_vm *vm, uint32_t from, uint32_t to)
{
	for (; from < to; from += 4096)
		if (ov_store(vm, from, from) != OVID_EXIT_IO)
			_exit(7);
}

/* ---- charges ---- */

static void charged_child(struct pair *p)
{
	struct ov_vm vm;
	int m;

	ov_vm_create32(&vm, 8 * MB);
	m = ov_memory(vm.dev, 8 * MB, OVID_MEM_HUGE);
	ov_map_fd(vm.part, AT, 8 * MB, m, 0);
	step(p);
	touch(&vm, MB, 5 * MB);
	step(p);
	ov_discard(vm.part, MB, 4 * MB);
	step(p);
	for (uint32_t at = AT; at < AT + 8 * MB; at += 2 * MB)
		touch(&vm, at, at + 4096);
	step(p);
	kill(getpid(), SIGKILL);
}

static void charged(void)
{
	const char *group = new_group("charged");
	long start, now;
	struct pair p;
	int status;

	if (!group)
		return;
	pair_start(&p, group, charged_child);
	wait_for(p.to_parent[0]);
	start = host_cgroup_get(group, "memory.current", NULL);
	next(&p);
	now = host_cgroup_get(group, "memory.current", NULL) - start;
	tap_ok(now >= (long)(4 * MB) && now < (long)(4 * MB + SLACK),
	       "4 MiB that the guest touched are charged: %ld", now);
	next(&p);
	now = host_cgroup_get(group, "memory.current", NULL) - start;
	tap_ok(now < SLACK, "discard gives them back: %ld are left", now);
	next(&p);
	now = host_cgroup_get(group, "memory.current", NULL) - start;
	tap_ok(now >= (long)(8 * MB) && now < (long)(8 * MB + SLACK),
	       "four pieces of 2 MiB are charged whole: %ld", now);
	next(&p);
	status = pair_end(&p);
	tap_is(WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL, "the worker is killed");
	tap_ok(host_cgroup_gone(group), "nothing is charged to its group any more");
}

/* ---- the limit ---- */

static void greedy_child(struct pair *p)
{
	struct ov_vm vm;
	int exit = OVID_EXIT_IO;

	ov_vm_create32(&vm, 32 * MB);
	step(p);
	for (uint32_t at = MB; at < 32 * MB && exit == OVID_EXIT_IO; at += 4096)
		exit = ov_store(&vm, at, at);
	_exit(exit == -ENOMEM ? 0 : 1);
}

static void limited(void)
{
	const char *group = new_group("limited");
	struct pair p;
	int status;

	if (!group)
		return;
	host_cgroup_set(group, "memory.swap.max", 0);
	pair_start(&p, group, greedy_child);
	wait_for(p.to_parent[0]);
	host_cgroup_set(group, "memory.max", host_cgroup_get(group, "memory.current", NULL) +
			4 * MB);
	next(&p);
	tap_ok(host_cgroup_get(group, "memory.current", NULL) <=
	       host_cgroup_get(group, "memory.max", NULL), "the limit holds");
	status = pair_end(&p);
	tap_ok(!status || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
	       "a worker beyond it is killed, or its run call fails (status %#x)", status);
	tap_ok(host_cgroup_gone(group), "nothing is charged to its group any more");
}

/* pieces of 2 MiB that the limit refuses become pages of 4 KiB, as long as these fit */
static void tight_child(struct pair *p)
{
	struct ov_vm vm;
	int m;

	ov_vm_create32(&vm, MB);
	m = ov_memory(vm.dev, 8 * MB, OVID_MEM_HUGE);
	ov_map_fd(vm.part, AT, 8 * MB, m, 0);
	touch(&vm, AT, AT + 4096);
	step(p);
	touch(&vm, AT + 2 * MB, AT + 2 * MB + 4096);
	touch(&vm, AT + 4 * MB, AT + 4 * MB + 4096);
	_exit(0);
}

static void tight(void)
{
	const char *group = new_group("tight");
	struct pair p;

	if (!group)
		return;
	host_cgroup_set(group, "memory.swap.max", 0);
	pair_start(&p, group, tight_child);
	wait_for(p.to_parent[0]);
	host_cgroup_set(group, "memory.max", host_cgroup_get(group, "memory.current", NULL) + MB);
	next(&p);
	tap_is(pair_end(&p), 0, "near the limit the guest gets 4 KiB where 2 MiB do not fit");
	tap_ok(host_cgroup_gone(group), "nothing is charged to its group any more");
}

/* ---- which pages are used ---- */

#define PAGES	64

static unsigned int swapped(const uint8_t *p)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i < PAGES; i++)
		n += !!(host_pagemap(p + i * 4096) & HOST_PAGE_SWAPPED);
	return n;
}

/*
 * The first page is the oldest, and so the first to be reclaimed; the guest alone
 * uses it.  The others nobody uses, and the guest never did: to the host they
 * are all alike but for the guest's accessed bit.
 */
static void young(void)
{
	const char *group = new_group("young");
	uint8_t *p = MAP_FAILED;
	struct ov_vm vm;
	uint32_t v;
	int stats;

	if (!group)
		return;
	if (!host_swap() || !host_cgroup_enter(group)) {
		tap_skip("use by the guest", "no swap");
		return;
	}
	p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 0x5a, PAGES * 4096);
	ov_vm_create32(&vm, MB);
	ov_map_user(vm.part, AT, PAGES * 4096, p);
	stats = ov_ioctl(vm.part, OVID_GET_STATS_FD, NULL);
	tap_is(ov_load(&vm, AT, &v), OVID_EXIT_IO, "the guest uses the first page");
	host_write("/proc/self/clear_refs", "1");
	host_cgroup_set(group, "memory.reclaim", PAGES / 2 * 4096);
	tap_ok(swapped(p) > 0, "the host reclaims some of the others: %u", swapped(p));
	tap_ok(host_pagemap(p) & HOST_PAGE_PRESENT, "the page that the guest uses stays");
	tap_ok(ov_stat(stats, "aged") > 0, "the host asked whether it is used");
	/* and used no more, it goes like the others */
	for (int i = 0; i < 20 && host_pagemap(p) & HOST_PAGE_PRESENT; i++) {
		host_write("/proc/self/clear_refs", "1");
		host_cgroup_set(group, "memory.reclaim", PAGES * 4096);
	}
	tap_ok(host_pagemap(p) & HOST_PAGE_SWAPPED, "used no more, it goes too");
	tap_is(ov_load(&vm, AT, &v), OVID_EXIT_IO, "the guest gets it back");
	tap_is(v, 0x5a5a5a5a, "with its contents");
	close(stats);
	munmap(p, PAGES * 4096);
	ov_vm_destroy(&vm);
}

int main(void)
{
	tap_begin("abi-memcg", TAP_LIMIT);
	charged();
	limited();
	tight();
	young();
	return tap_done();
}
