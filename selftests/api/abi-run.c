// SPDX-License-Identifier: GPL-2.0-only
/* OVID_RUN_VP: exits and how they are answered, cancel, signals, pause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

CODE16(spin16, "1: jmp 1b");
CODE16(hlt16, "1: hlt; jmp 1b");
CODE16(out16, "mov $0x5a, %al; mov $0x3f8, %dx; out %al, %dx; mov $0x1234, %ax; out %ax, $0x80;"
	      "mov $0x89abcdef, %eax; out %eax, $0x84;" STOP16);
CODE16(in16, "mov $0x11223344, %eax; in $0x60, %al; mov %eax, %ebx; in $0x61, %ax; mov %eax, %ecx;"
	     "in $0x62, %eax; mov %eax, %esi;" STOP16);

static void out_exits(void)
{
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, out16, CODE_LEN(out16));
	tap_is(ov_run(vm.vp), 0, "run");
	tap_is(vm.run->exit, OVID_EXIT_IO, "OUT");
	tap_is(vm.run->write, 1, "is a write");
	tap_is(vm.run->access_size, 1, "of one byte");
	tap_is(vm.run->address, 0x3f8, "to 3F8");
	tap_is(vm.run->value, 0x5a, "value");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RIP), OV_CODE + 6, "RIP is past the OUT");
	tap_is(ov_run(vm.vp), 0, "run on");
	tap_is(vm.run->access_size, 2, "two bytes");
	tap_is(vm.run->address, 0x80, "to 80");
	tap_is(vm.run->value, 0x1234, "value");
	tap_is(ov_run(vm.vp), 0, "run on");
	tap_is(vm.run->access_size, 4, "four bytes");
	tap_is(vm.run->value, 0x89abcdef, "value");
	tap_is(ov_run(vm.vp), 0, "run on");
	tap_is(vm.run->address, OV_STOP_PORT, "the stop port");
	ov_vm_destroy(&vm);
}

static void in_exits(void)
{
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, in16, CODE_LEN(in16));
	tap_is(ov_run(vm.vp), 0, "run");
	tap_is(vm.run->exit, OVID_EXIT_IO, "IN");
	tap_is(vm.run->write, 0, "is a read");
	tap_is(vm.run->access_size, 1, "of one byte");
	vm.run->value = 0xffffffffffffff99ull;
	ov_run(vm.vp);
	tap_is(vm.run->access_size, 2, "then two");
	vm.run->value = 0xfffff8877ull;
	ov_run(vm.vp);
	tap_is(vm.run->access_size, 4, "then four");
	vm.run->value = 0x7deadbeefull;
	ov_run(vm.vp);
	tap_is(vm.page->gpr[3], 0x11223399, "AL only");
	tap_is(vm.page->gpr[1], 0x11228877, "AX only");
	tap_is(vm.page->gpr[6], 0xdeadbeef, "EAX");
	ov_vm_destroy(&vm);
}

static void commit(void)
{
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, in16, CODE_LEN(in16));
	ov_run(vm.vp);
	vm.run->value = 0x99;
	vm.run->cancel = 1;
	tap_is(ov_run(vm.vp), 1, "cancelled run returns 1");
	tap_is(vm.run->exit, OVID_EXIT_NONE, "with exit NONE");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RAX), 0x11223399, "but commits the IN first");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RIP), OV_CODE + 8, "and moves RIP");
	tap_is(ov_run(vm.vp), 1, "it stays cancelled");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RIP), OV_CODE + 8, "no second commit");
	vm.run->cancel = 0;
	tap_is(ov_run(vm.vp), 0, "runs again");
	tap_is(vm.run->access_size, 2, "the next instruction");
	ov_vm_destroy(&vm);
}

static void cancel_running(void)
{
	struct ov_vm vm;
	struct ov_thread t;

	ov_vm_create(&vm, 1 << 20, spin16, CODE_LEN(spin16));
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(30);
	tap_is(t.done, false, "a spinning VP does not return by itself");
	vm.run->cancel = 1;
	pthread_kill(t.thread, SIGUSR1);
	ov_sleep_ms(50);
	tap_is(t.done, true, "cancel and one signal stop it");
	ov_thread_join(&t, 1000);
	tap_ok(t.ret == 1 || t.ret == -EINTR, "with 1 or EINTR (%d)", t.ret);
	vm.run->cancel = 0;
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(20);
	pthread_kill(t.thread, SIGUSR1);
	ov_sleep_ms(50);
	tap_is(t.done, true, "a signal alone stops it");
	ov_thread_join(&t, 1000);
	tap_is(t.ret, -EINTR, "with EINTR");
	tap_is(vm.run->exit, OVID_EXIT_NONE, "exit NONE");
	ov_vm_destroy(&vm);
}

static void cancel_halted(void)
{
	struct ov_vm vm;
	struct ov_thread t;

	ov_vm_create(&vm, 1 << 20, hlt16, CODE_LEN(hlt16));
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(30);
	tap_is(t.done, false, "HLT blocks in the kernel");
	pthread_kill(t.thread, SIGUSR1);
	ov_sleep_ms(50);
	tap_is(t.done, true, "a signal ends it");
	ov_thread_join(&t, 1000);
	tap_is(t.ret, -EINTR, "with EINTR");
	tap_is(ov_get(vm.vp, HV_REGISTER_INTERNAL_ACTIVITY_STATE) & 2, 2, "it is halted still");
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(30);
	tap_is(t.done, false, "and sleeps on when it runs again");
	vm.run->cancel = 1;
	tap_ok(ov_thread_join(&t, 1000), "stopped");
	ov_vm_destroy(&vm);
}

static volatile int alarms;
static void on_timer(int sig)
{
	(void)sig;
	alarms++;
}

/* field 43 of /proc/thread-self/stat: time spent running a guest */
static long guest_time(void)
{
	char text[1024] = "", *p;
	FILE *f = fopen("/proc/thread-self/stat", "r");
	int field = 2;

	if (f) {
		if (!fgets(text, sizeof(text), f))
			text[0] = 0;
		fclose(f);
	}
	p = strrchr(text, ')');
	while (p && field < 43) {
		p = strchr(p + 1, ' ');
		field++;
	}
	return p ? atol(p) : -1;
}

static void signal_in_this_thread(void)
{
	struct itimerval once = { .it_value.tv_usec = 50000 };
	struct sigaction sa = { .sa_handler = on_timer }, old;
	long before = guest_time();
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, spin16, CODE_LEN(spin16));
	sigaction(SIGPROF, &sa, &old);
	setitimer(ITIMER_PROF, &once, NULL);
	tap_is(-ov_run(vm.vp), EINTR, "a guest's CPU time is charged to the thread: ITIMER_PROF fires");
	tap_is(alarms, 1, "once");
	tap_ok(guest_time() > before, "it is booked as guest time: %ld, %ld before", guest_time(),
	       before);
	ov_vm_destroy(&vm);
}

CODE32(mmio_load32, "mov $0x80000000, %ebx; mov $0x11223344, %eax; mov 4(%ebx), %al; movzwl (%ebx), %ecx;"
		    "movsbl (%ebx), %edx; mov (%ebx), %esi; movl $0x77, 8(%ebx); out %al, $0xf4");

static void mmio_exits(void)
{
	struct ov_vm vm;

	ov_vm_create32(&vm, 4 << 20);
	ov_enter32(&vm, mmio_load32, CODE_LEN(mmio_load32), 0, 0);
	tap_is(ov_run(vm.vp), 0, "run");
	tap_is(vm.run->exit, OVID_EXIT_MMIO, "a load outside memory");
	tap_is(vm.run->address, 0x80000004, "guest physical address");
	tap_is(vm.run->gva, 0x80000004, "linear address");
	tap_is(vm.run->access_size, 1, "size");
	tap_is(vm.run->write, 0, "load");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RIP), OV_CODE + 13, "RIP is past the load");
	vm.run->value = 0xff99;
	ov_run(vm.vp);
	tap_is(vm.run->access_size, 2, "MOVZX: two bytes");
	vm.run->value = 0xfffffedc;
	ov_run(vm.vp);
	vm.run->value = 0x80;
	ov_run(vm.vp);
	vm.run->value = 0x123456789abcull;
	ov_run(vm.vp);
	tap_is(vm.run->write, 1, "a store");
	tap_is(vm.run->address, 0x80000008, "its address");
	tap_is(vm.run->value, 0x77, "its value");
	tap_is(vm.run->access_size, 4, "its size");
	ov_run(vm.vp);
	tap_is(vm.run->exit, OVID_EXIT_IO, "and on");
	tap_is(vm.page->gpr[0], 0x11223399, "AL loaded");
	tap_is(vm.page->gpr[1], 0xfedc, "MOVZX loaded");
	tap_is(vm.page->gpr[2], 0xffffff80, "MOVSX loaded");
	tap_is(vm.page->gpr[6], 0x56789abc, "MOV loaded");
	ov_vm_destroy(&vm);
}

CODE32(raw32, "lock; incl (%ebx); out %al, $0xf4");

static void raw_exit(void)
{
	struct ov_vm vm;

	ov_vm_create32(&vm, 4 << 20);
	ov_enter32(&vm, raw32, CODE_LEN(raw32), 0x80000100, 0);
	tap_is(ov_run(vm.vp), 0, "run");
	tap_is(vm.run->exit, OVID_EXIT_MMIO_RAW, "LOCK INC is not decoded");
	tap_is(vm.run->address, 0x80000100, "address");
	tap_ok(vm.run->insn_len >= 3 && vm.run->insn_len <= 15, "%u bytes", vm.run->insn_len);
	tap_is(vm.run->bytes[0], 0xf0, "LOCK");
	tap_is(vm.run->bytes[1], 0xff, "INC");
	tap_is(vm.page->rip, OV_CODE, "the register page has RIP");
	tap_is(vm.page->cs.selector, 8, "and CS");
	tap_is(vm.page->cr0 & 1, 1, "and CR0");
	tap_is(vm.page->rflags & 2, 2, "and RFLAGS");
	vm.page->rip += 3;
	vm.page->dirty |= 1u << HV_X64_REGISTER_CLASS_IP;
	tap_is(ov_run(vm.vp), 0, "the worker moves RIP");
	tap_is(vm.run->exit, OVID_EXIT_IO, "and the VP goes on");
	tap_is(vm.page->dirty, 0, "the dirty bit is taken");
	ov_vm_destroy(&vm);
}

static void want(void)
{
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, out16, CODE_LEN(out16));
	vm.run->want = OVID_WANT_RIP | OVID_WANT_SREGS;
	ov_run(vm.vp);
	tap_is(vm.page->rip, OV_CODE + 6, "want RIP: in the page");
	tap_is(vm.page->cs.base, 0, "want SREGS: CS in the page");
	tap_is(vm.page->gpr[0] & 0xff, 0x5a, "GPRs are always there");
	vm.run->want = ~0u;
	ov_run(vm.vp);
	tap_is(vm.run->exit, OVID_EXIT_IO, "unknown want bits do no harm");
	ov_vm_destroy(&vm);
}

CODE16(crash16, "ud2");

static void shutdown_exit(void)
{
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, crash16, CODE_LEN(crash16));
	ov_set128(vm.vp, HV_X64_REGISTER_IDTR, 0, 0);	/* limit 0 */
	tap_is(ov_run(vm.vp), 0, "run");
	tap_is(vm.run->exit, OVID_EXIT_SHUTDOWN, "a triple fault is a shutdown");
	tap_is(ov_run(vm.vp), 0, "running on");
	tap_is(vm.run->exit, OVID_EXIT_SHUTDOWN, "gives it again, or");
	ov_vm_restart(&vm);
	memcpy(vm.ram + OV_CODE, out16, CODE_LEN(out16));
	tap_is(ov_run(vm.vp), 0, "with new registers");
	tap_is(vm.run->exit, OVID_EXIT_IO, "it runs");
	ov_vm_destroy(&vm);
}

static void entry_failure(void)
{
	struct mach_cpu cpu;
	struct ov_vm vm;
	int ret;

	/* states that no CPU accepts: refused by SET_REGS or reported by the run */
	for (int i = 0; i < 5; i++) {
		ov_vm_create(&vm, 1 << 20, out16, CODE_LEN(out16));
		mach_real_mode(&cpu, OV_CODE);
		if (i == 0)
			cpu.rflags = 0;			/* bit 1 must be set */
		else if (i == 1)
			cpu.cs.attr = 0x0093;		/* CS is no code segment */
		else if (i == 2)
			cpu.tr.attr = 0x0082;		/* TR is no TSS */
		else if (i == 3)
			cpu.cs.limit = 0x100000;	/* with G clear */
		else
			cpu.rflags = 2 | 1 << 17;	/* VM in real mode */
		ret = ov_set_cpu(vm.vp, &cpu);
		if (ret) {
			tap_is(-ret, EINVAL, "impossible state %d is refused", i);
		} else {
			ret = ov_run(vm.vp);
			tap_ok(ret == 0 || ret == -EINVAL,
			       "impossible state %d: the run returns (%d, exit %u)", i, ret,
			       vm.run->exit);
			if (!ret && vm.run->exit == OVID_EXIT_FAIL)
				tap_note("fail_error %u qualification %llu", vm.run->fail_error,
					 (long long)vm.run->fail_qualification);
		}
		ov_vm_restart(&vm);
		tap_is(ov_run(vm.vp), 0, "afterwards it can run");
		tap_is(vm.run->exit, OVID_EXIT_IO, "and does");
		ov_vm_destroy(&vm);
	}
}

static void other_process(void)
{
	struct ov_vm vm;
	int status = 0;
	pid_t pid;

	ov_vm_create(&vm, 1 << 20, out16, CODE_LEN(out16));
	pid = fork();
	if (!pid) {
		int a = ov_run(vm.vp), b = ov_map_fd(vm.part, 1 << 24, 4096, vm.memory, 0);
		uint64_t rip = ov_get(vm.vp, HV_X64_REGISTER_RIP);

		_exit((a == -EIO) | (b == -EIO) << 1 | (rip == OV_CODE) << 2);
	}
	waitpid(pid, &status, 0);
	tap_is(WEXITSTATUS(status) & 1, 1, "a run call of another process: EIO");
	tap_is(WEXITSTATUS(status) >> 1 & 1, 1, "a map call of another process: EIO");
	tap_is(WEXITSTATUS(status) >> 2, 1, "registers may be read there");
	tap_is(ov_run(vm.vp), 0, "its own process may run it");
	ov_vm_destroy(&vm);
}

static void pause_resume(void)
{
	struct ov_vm vm;
	struct ov_thread t;
	uint64_t a, b;

	ov_vm_create(&vm, 1 << 20, spin16, CODE_LEN(spin16));
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(20);
	tap_is(ov_ctrl(vm.part, OVID_CTRL_PAUSE), 0, "pause a spinning VP");
	ov_sleep_ms(20);
	tap_is(t.done, false, "the run call waits");
	ov_property(vm.part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &a);
	ov_sleep_ms(30);
	ov_property(vm.part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &b);
	tap_is(b - a, 0, "time stands still");
	pthread_kill(t.thread, SIGUSR1);
	ov_sleep_ms(30);
	tap_is(t.done, true, "a signal ends the wait");
	ov_thread_join(&t, 1000);
	tap_is(t.ret, -EINTR, "with EINTR");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RIP), OV_CODE, "registers can be read while paused");
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(20);
	tap_is(t.done, false, "a run call while paused waits");
	vm.run->cancel = 1;
	pthread_kill(t.thread, SIGUSR1);
	ov_sleep_ms(30);
	tap_is(t.done, true, "cancel ends the wait");
	ov_thread_join(&t, 1000);
	vm.run->cancel = 0;
	tap_is(ov_ctrl(vm.part, OVID_CTRL_RESET), 0, "reset while paused");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RIP), 0xfff0, "at the reset vector");
	tap_is(vm.ram[OV_CODE], spin16[0], "memory is kept");
	ov_vm_restart(&vm);
	memcpy(vm.ram + OV_CODE, out16, CODE_LEN(out16));
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(20);
	tap_is(t.done, false, "still paused");
	tap_is(ov_ctrl(vm.part, OVID_CTRL_RESUME), 0, "resume");
	ov_sleep_ms(30);
	tap_is(t.done, true, "it runs to its exit");
	ov_thread_join(&t, 1000);
	tap_is(t.ret, 0, "run gives 0");
	tap_is(vm.run->exit, OVID_EXIT_IO, "OUT");
	ov_vm_destroy(&vm);
}

static void registers_while_running(void)
{
	struct ov_vm vm;
	struct ov_thread t;
	int status = 0;
	pid_t pid;

	ov_vm_create(&vm, 1 << 20, spin16, CODE_LEN(spin16));
	ov_thread_start_strict(&t, vm.vp);
	ov_sleep_ms(20);
	pid = fork();
	if (!pid) {
		ov_get(vm.vp, HV_X64_REGISTER_RIP);
		_exit(0);
	}
	ov_sleep_ms(50);
	tap_is(waitpid(pid, &status, WNOHANG), 0, "GET_REGS waits while the VP runs");
	kill(pid, SIGKILL);
	tap_is(waitpid(pid, &status, 0), pid, "but can be killed");
	vm.run->cancel = 1;
	tap_ok(ov_thread_join(&t, 1000), "stopped");
	ov_vm_destroy(&vm);
}

int main(void)
{
	tap_begin("abi-run", TAP_LIMIT);
	out_exits();
	in_exits();
	commit();
	mmio_exits();
	raw_exit();
	want();
	shutdown_exit();
	entry_failure();
	cancel_running();
	cancel_halted();
	signal_in_this_thread();
	other_process();
	pause_resume();
	registers_while_running();
	return tap_done();
}
