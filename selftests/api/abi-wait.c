// SPDX-License-Identifier: GPL-2.0-only
/* a halted VP: short waits are looked at, long ones slept through (halt_poll_us) */
#include <errno.h>
#include <fcntl.h>
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
	return tap_done();
}
