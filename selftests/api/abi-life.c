// SPDX-License-Identifier: GPL-2.0-only
/* lifetimes: files closed and processes killed at any time, nothing left behind */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/host.h"
#include "lib/ov.h"
#include "lib/tap.h"

#define MB	(1ull << 20)

CODE16(spin16, "movw $1, 0x700; 1: jmp 1b");
CODE16(hlt16, "1: hlt; jmp 1b");
CODE16(io16, "1: out %al, $0x80; jmp 1b");
CODE16(cpuid16, "1: xor %eax, %eax; cpuid; jmp 1b");

static bool all_gone(uint32_t before)
{
	for (int i = 0; i < 100; i++) {
		if (ov_partitions() == before)
			return true;
		ov_sleep_ms(10);
	}
	return false;
}

static void *closer(void *arg)
{
	struct ov_vm *vm = arg;

	ov_sleep_ms(20);
	close(vm->part);
	close(vm->memory);
	close(vm->vp);		/* the run call of the other thread holds it */
	close(vm->dev);
	return NULL;
}

static void closed_while_running(void)
{
	uint32_t before = ov_partitions();
	struct ov_thread t;
	struct ov_vm vm;
	pthread_t c;

	ov_vm_create(&vm, MB, spin16, CODE_LEN(spin16));
	ov_thread_start(&t, vm.vp);
	for (int i = 0; i < 200 && !*(volatile uint16_t *)(vm.ram + 0x700); i++)
		ov_sleep_ms(5);
	pthread_create(&c, NULL, closer, &vm);
	pthread_join(c, NULL);
	ov_sleep_ms(20);
	/* task work of the thread makes the call start again, and then its file is gone */
	tap_ok(!t.done || t.ret == -EBADF, "all files closed: the VP that runs goes on");
	tap_is(ov_partitions(), before + 1, "the partition is still there");
	vm.run->cancel = 1;
	tap_ok(ov_thread_join(&t, 1000), "it can be stopped");
	munmap(vm.run, 4096);
	munmap(vm.page, 4096);
	munmap(vm.ram, vm.bytes);
	tap_ok(all_gone(before), "then everything goes");
}

static void killed(const char *what, const uint8_t *code, uint64_t len)
{
	uint32_t before = ov_partitions();
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		struct ov_vm vm;

		ov_vm_create(&vm, MB, code, len);
		for (;;)
			ov_run(vm.vp);
	}
	ov_sleep_ms(60);
	tap_is(ov_partitions(), before + 1, "%s: runs", what);
	kill(pid, SIGKILL);
	tap_is(waitpid(pid, &status, 0), pid, "%s: killed", what);
	tap_ok(all_gone(before), "%s: nothing is left", what);
}

static void killed_with_threads(void)
{
	uint32_t before = ov_partitions();
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		struct ov_vm vm;
		struct ov_thread t[4];

		ov_vm_create(&vm, MB, spin16, CODE_LEN(spin16));
		for (int i = 0; i < 4; i++) {
			struct mach_cpu cpu;
			int vp = i ? ov_vp(vm.part, i) : vm.vp;

			mach_real_mode(&cpu, OV_CODE);
			ov_set_cpu(vp, &cpu);
			ov_set(vp, HV_REGISTER_INTERNAL_ACTIVITY_STATE, 0);
			ov_thread_start(&t[i], vp);
		}
		for (;;)
			pause();
	}
	ov_sleep_ms(100);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	tap_ok(all_gone(before), "killed with four VPs running: nothing is left");
}

static void passed_on(void)
{
	/* files passed to another process by a socket keep the partition when the maker dies */
	uint32_t before = ov_partitions();
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec io = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int s[2], part, vp;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		tap_bail("socketpair");
	pid = fork();
	if (!pid) {
		int dev = ov_open();

		part = ov_partition(dev, "passed on");
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &part, sizeof(int));
		_exit(sendmsg(s[0], &m, 0) != 1);
	}
	tap_is(recvmsg(s[1], &m, 0), 1, "receive a P file");
	c = CMSG_FIRSTHDR(&m);
	memcpy(&part, CMSG_DATA(c), sizeof(int));
	waitpid(pid, NULL, 0);
	tap_is(ov_partitions(), before + 1, "its maker is dead, it lives");
	vp = ov_vp(part, 0);
	tap_ok(vp >= 0, "unbound until then: a VP can be made here");
	close(vp);
	close(part);
	close(s[0]);
	close(s[1]);
	tap_ok(all_gone(before), "gone");
}

static void exec_closes(void)
{
	uint32_t before = ov_partitions();
	pid_t pid = fork();

	if (!pid) {
		struct ov_vm vm;

		ov_vm_create(&vm, MB, spin16, CODE_LEN(spin16));
		execl("/bin/sh", "sh", "-c", "sleep 2", NULL);
		_exit(1);
	}
	ov_sleep_ms(300);
	tap_ok(all_gone(before), "exec closes everything");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void bells_and_irqfds_at_the_end(void)
{
	uint32_t before = ov_partitions();
	uint64_t one = 1;

	for (int i = 0; i < 20; i++) {
		int e = eventfd(0, EFD_NONBLOCK), b = eventfd(0, EFD_NONBLOCK);
		struct ov_vm vm;

		ov_vm_create(&vm, MB, io16, CODE_LEN(io16));
		ov_irqfd(vm.part, e, 5, 0);
		ov_route(vm.part, 5, OVID_ROUTE_MSI, 0xfee00000, 0x41);
		ov_ioeventfd(vm.part, b, 0x81, 1, 1 << MSHV_IOEVENTFD_BIT_PIO, 0);
		if (i & 1) {
			close(e);
			close(b);
		}
		ov_run(vm.vp);
		ov_vm_destroy(&vm);
		if (!(i & 1)) {
			if (write(e, &one, 8) != 8)
				tap_ok(false, "an eventfd outlives its irqfd");
			close(e);
			close(b);
		}
	}
	tap_ok(all_gone(before), "partitions with irqfds and doorbells go in any order");
}

static void memory_now(long *free_kib, long *slab_kib)
{
	host_drop_caches();
	*free_kib = host_read("/proc/meminfo", "MemFree");
	*slab_kib = host_read("/proc/meminfo", "SUnreclaim");
}

static void one_life(int dev, int turn)
{
	struct ov_vm vm;
	uint32_t v;
	int e;

	(void)dev;
	ov_vm_create32(&vm, 2 * MB);
	e = eventfd(0, 0);
	ov_irqfd(vm.part, e, 3, 0);
	ov_route(vm.part, 3, OVID_ROUTE_MSI, 0xfee00000, 0x41);
	ov_ioeventfd(vm.part, e, 0x80000000, 4, 0, 0);
	ov_policy(vm.part, OVID_MSR_IGNORE, NULL, 0);
	if (turn % 2 == 0) {
		ov_store(&vm, 0x100000 + turn % 200 * 4096, turn);
		ov_load(&vm, 0x90000000, &v);
		close(ov_vp(vm.part, 1));
	}
	close(e);
	ov_vm_destroy(&vm);
}

static void thousand(int n)
{
	long free0, slab0, free1, slab1;
	uint32_t before = ov_partitions();
	int dev = ov_open();

	for (int i = 0; i < 50; i++)
		one_life(dev, i);
	memory_now(&free0, &slab0);
	for (int i = 0; i < n; i++)
		one_life(dev, i);
	tap_ok(all_gone(before), "%d partitions came and went", n);
	close(dev);
	if (!access("/sys/kernel/debug/kmemleak", F_OK)) {
		tap_skip("memory is back", "this kernel's checkers hold freed memory; kmemleak says more");
		return;
	}
	memory_now(&free1, &slab1);
	tap_ok(free1 > free0 - 1024, "free memory is back: %ld KiB, %ld before", free1, free0);
	tap_ok(slab1 < slab0 + 512, "slab memory is back: %ld KiB, %ld before", slab1, slab0);
}

static void at_once(void)
{
	int dev = ov_open(), part[200], vp[200], bad = 0;
	uint32_t before = ov_partitions();

	for (int i = 0; i < 200; i++) {
		part[i] = ov_partition(dev, "one of many");
		vp[i] = ov_vp(part[i], 0);
		bad += part[i] < 0 || vp[i] < 0;
	}
	tap_is(bad, 0, "two hundred at the same time");
	tap_is(ov_partitions(), before + 200, "counted");
	for (int i = 0; i < 200; i++) {
		close(part[i]);
		close(vp[199 - i]);
	}
	tap_ok(all_gone(before), "gone");
	close(dev);
}

static void *busy_creator(void *arg)
{
	int dev = ov_open();

	for (int i = 0; i < 50; i++)
		one_life(dev, (long)arg + i);
	close(dev);
	return NULL;
}

static void in_parallel(void)
{
	uint32_t before = ov_partitions();
	pthread_t t[4];

	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, busy_creator, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	tap_ok(all_gone(before), "four threads make and drop partitions");
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1000;

	tap_begin("abi-life", 240);
	closed_while_running();
	killed("spinning", spin16, CODE_LEN(spin16));
	killed("halted", hlt16, CODE_LEN(hlt16));
	killed("in exits to the worker", io16, CODE_LEN(io16));
	killed("in fast exits", cpuid16, CODE_LEN(cpuid16));
	killed_with_threads();
	passed_on();
	exec_closes();
	bells_and_irqfds_at_the_end();
	at_once();
	in_parallel();
	thousand(n);
	return tap_done();
}
