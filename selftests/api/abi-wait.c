// SPDX-License-Identifier: GPL-2.0-only
/*
 * A halted VP: short waits are looked at, long ones slept through (halt_poll_us).  And one
 * that spins lets another run on its CPU.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define PARAMETER	"/sys/module/ovid/parameters/halt_poll_us"
#define IDT		0x8000
#define HANDLER		0x3000
#define STACK		0x7000

/* EAX halts, each until the APIC's timer has counted EBX down */
CODE32(halts, "movl $0x1ff, 0xfee000f0; movl $0x41, 0xfee00320; movl $0xb, 0xfee003e0;"
	      "1: mov %ebx, 0xfee00380; sti; hlt; cli; dec %eax; jnz 1b; out %al, $0xf4");
CODE32(handler, "movl $0, 0xfee000b0; iret");

static struct ov_vm vm;
static int stats;
static uint32_t khz;

static void start(void)
{
	struct ovid_info info;

	ov_vm_create32(&vm, 1 << 20);
	ov_info(vm.dev, &info);
	khz = info.tsc_khz;
	memcpy(vm.ram + HANDLER, handler, CODE_LEN(handler));
	((uint64_t *)(vm.ram + IDT))[0x41] = 0x8e0000080000ull | HANDLER;
	ov_set128(vm.vp, HV_X64_REGISTER_IDTR, 0x7ffull << 48, IDT);
	ov_set(vm.vp, HV_X64_REGISTER_RSP, STACK);
	stats = ov_ioctl(vm.vp, OVID_GET_STATS_FD, NULL);
}

struct waits { int64_t polled, slept; };

static struct waits wait_so(uint32_t n, uint32_t us)
{
	struct waits w = { ov_stat(stats, "halt_polled"), ov_stat(stats, "halt_blocked") };
	int ret;

	/* the count may be slower than the TSC, never faster */
	ov_enter32(&vm, halts, CODE_LEN(halts), (uint64_t)khz * us / 1000, n);
	while ((ret = ov_run(vm.vp)) == -EINTR)
		;
	tap_ok(!ret && vm.run->exit == OVID_EXIT_IO, "%u halts of some %u us", n, us);
	ov_commit(&vm);
	w.polled = ov_stat(stats, "halt_polled") - w.polled;
	w.slept = ov_stat(stats, "halt_blocked") - w.slept;
	return w;
}

static bool set_longest(const char *us)
{
	int fd = open(PARAMETER, O_WRONLY);
	bool ok = fd >= 0 && write(fd, us, strlen(us)) == (ssize_t)strlen(us);

	close(fd);
	return ok;
}

static bool get_longest(char us[16])
{
	int fd = open(PARAMETER, O_RDONLY);
	ssize_t n = read(fd, us, 15);

	close(fd);
	us[n > 0 ? n - 1 : 0] = 0;	/* a new line ends it */
	return n > 1;
}

#define WORKER		0x2000
#define FLAG		0x6000

/* until the word at EBX is not 0 */
CODE32(pauses, "1: pause; cmpl $0, (%ebx); je 1b; 2: out %al, $0xf4; jmp 2b");
/* so many turns as EAX says, then the word is 1 */
CODE32(works, "1: dec %eax; jnz 1b; movl $1, (%ebx); 2: out %al, $0xf4; jmp 2b");

/* a VP waits for another that works for some 100 ms; there is one CPU for both */
static void spin(void)
{
	struct ov_thread waiter;
	struct mach_cpu cpu;
	struct ov_vm two;
	int worker, of;

	ov_vm_create32(&two, 1 << 20);
	worker = ov_vp(two.part, 1);
	memcpy(two.ram + WORKER, works, CODE_LEN(works));
	mach_protected(&cpu, two.ram, WORKER);
	ov_set_cpu(worker, &cpu);
	ov_set(worker, HV_REGISTER_INTERNAL_ACTIVITY_STATE, 0);
	ov_set(worker, HV_X64_REGISTER_RAX, khz * 100 / 2);
	ov_set(worker, HV_X64_REGISTER_RBX, FLAG);
	memset(two.ram + FLAG, 0, 4);
	ov_enter32(&two, pauses, CODE_LEN(pauses), FLAG, 0);
	ov_thread_start(&waiter, two.vp);
	while (ov_run(worker) == -EINTR)
		;
	tap_is(*(uint32_t *)(two.ram + FLAG), 1, "one spins, the other works");
	ov_thread_join(&waiter, 3000);
	of = ov_ioctl(two.vp, OVID_GET_STATS_FD, NULL);
	tap_ok(ov_stat(of, "yields") > 0, "it gave up its CPU %lld times", (long long)ov_stat(of, "yields"));
	tap_ok(ov_stat(of, "exit_pause") > 0, "%lld exits by PAUSE",
	       (long long)ov_stat(of, "exit_pause"));
	close(of);
	close(worker);
	ov_vm_destroy(&two);
}

static void spins(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	tap_is(sched_setaffinity(0, sizeof(cpus), &cpus), 0, "one CPU for all");
	spin();
}

int main(void)
{
	struct waits w;
	char was[16];

	tap_begin("abi-wait", 60);
	start();
	tap_ok(get_longest(was), "as it is: %s", was);
	tap_ok(set_longest("400"), "up to 400 us");
	w = wait_so(200, 20);
	tap_ok(w.polled > 50, "%lld of the short ones were not slept through", (long long)w.polled);
	w = wait_so(20, 10000);
	tap_ok(w.slept >= 20 - w.polled && w.slept > 10, "%lld of the long ones were", (long long)w.slept);
	w = wait_so(20, 10000);
	tap_is(w.polled, 0, "and none of those after them were looked at for longer");
	w = wait_so(200, 20);
	tap_ok(w.polled > 50, "short ones again: %lld", (long long)w.polled);
	tap_ok(set_longest("0"), "never");
	w = wait_so(50, 20);
	tap_is(w.polled, 0, "all are slept through");
	tap_ok(set_longest(was), "as it was");
	close(stats);
	ov_vm_destroy(&vm);
	spins();
	return tap_done();
}
