// SPDX-License-Identifier: GPL-2.0-only
/* ovid.c - the benchmark's machine by /dev/ovid */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../api/lib/ov.h"
#include "bench.h"

static int must(int ret, const char *what)
{
	if (ret < 0) {
		errno = -ret;
		b_die("%s", what);
	}
	return ret;
}

static void ovid_memory(struct b_vm *vm, uint64_t touch, enum b_memory kind)
{
	vm->memory = must(ov_memory(vm->dev, B_LOW + touch, kind == B_HUGE ? OVID_MEM_HUGE : 0),
			  "OVID_CREATE_MEMORY");
	vm->touch_bytes = touch;
	vm->low = mmap(NULL, B_LOW + touch, PROT_READ | PROT_WRITE, MAP_SHARED, vm->memory, 0);
	if (vm->low == MAP_FAILED)
		b_die("mmap of memory");
	vm->touch = vm->low + B_LOW;
}

static void ovid_create(struct b_vm *vm)
{
	vm->part = must(ov_partition(vm->dev, "bench"), "OVID_CREATE_PARTITION");
	must(ov_map_fd(vm->part, 0, B_LOW, vm->memory, 0), "OVID_MAP_MEMORY");
	if (vm->touch_bytes)
		must(ov_map_fd(vm->part, B_TOUCH, vm->touch_bytes, vm->memory, B_LOW),
		     "OVID_MAP_MEMORY");
	vm->vp = must(ov_vp(vm->part, 0), "MSHV_CREATE_VP");
}

static void ovid_setup(struct b_vm *vm)
{
	struct mach_cpu cpu;

	vm->run = ov_run_page(vm->vp);
	vm->page = ov_register_page(vm->vp);
	mach_protected(&cpu, vm->low, B_CODE);
	cpu.gdt_base = B_GDT;
	cpu.idt_base = B_IDT;
	cpu.idt_limit = 8 * 256 - 1;
	must(ov_set_cpu(vm->vp, &cpu), "OVID_SET_REGS");
	vm->stats = ov_ioctl(vm->vp, OVID_GET_STATS_FD, NULL);
}

static void ovid_bells(struct b_vm *vm)
{
	vm->bell = eventfd(0, 0);
	must(ov_ioeventfd(vm->part, vm->bell, B_BELL, 1, 1 << MSHV_IOEVENTFD_BIT_PIO, 0),
	     "MSHV_IOEVENTFD");
	vm->mmio_bell = eventfd(0, 0);
	must(ov_ioeventfd(vm->part, vm->mmio_bell, B_MMIO_BELL, 0, 0, 0), "MSHV_IOEVENTFD");
}

static int ovid_msi(struct b_vm *vm)
{
	struct ovid_inject arg = {
		.size = sizeof(arg), .kind = OVID_INJECT_MSI, .data = B_VEC, .address = 0xfee00000,
	};

	return ioctl(vm->part, OVID_INJECT, &arg);
}

static void ovid_events(struct b_vm *vm)
{
	struct ovid_synic_port arg = {
		.size = sizeof(arg), .connection = B_CONNECTION, .kind = OVID_PORT_EVENT,
	};

	arg.fd = vm->bell = eventfd(0, 0);
	must(ov_ioctl(vm->part, OVID_SYNIC_PORT, &arg), "OVID_SYNIC_PORT");
}

static int ovid_event(struct b_vm *vm)
{
	return ov_inject(vm->part, OVID_INJECT_EVENT, 0, B_SINT << 16);
}

static void ovid_enter(struct b_vm *vm, uint32_t eip, uint32_t esi)
{
	struct ovid_reg r[] = {
		{ .name = HV_X64_REGISTER_RIP, .low = eip },
		{ .name = HV_X64_REGISTER_RFLAGS, .low = 2 },
		{ .name = HV_X64_REGISTER_RSP, .low = B_STACK },
		{ .name = HV_X64_REGISTER_RBP, .low = B_CTL },
		{ .name = HV_X64_REGISTER_RSI, .low = esi },
	};
	struct ovid_run *run = vm->run;

	/* the OUT to B_DONE that ended the last loop is committed first */
	run->cancel = 1;
	ov_run(vm->vp);
	run->cancel = 0;
	must(ov_set_regs(vm->vp, r, ARRAY_SIZE(r)), "OVID_SET_REGS");
}

static void ovid_loop(struct b_vm *vm)
{
	struct ovid_run *run = vm->run;

	for (;;) {
		if (ioctl(vm->vp, OVID_RUN_VP, 0)) {
			if (errno == EINTR)
				continue;
			b_die("OVID_RUN_VP");
		}
		switch (run->exit) {
		case OVID_EXIT_IO:
			if (run->address == B_DONE)
				return;
			if (run->address == B_MSI)
				ovid_msi(vm);
			else if (run->address != B_PIO)
				b_die("port %llx", (long long)run->address);
			break;
		case OVID_EXIT_MMIO:
			if (run->address != B_MMIO)
				b_die("MMIO %llx", (long long)run->address);
			break;
		default:
			b_die("exit %u (%u, %llx)", run->exit, run->fail_error,
			      (long long)run->address);
		}
	}
}

static double ovid_exits(struct b_vm *vm)
{
	return ov_stat(vm->stats, "exits");
}

static void ovid_destroy(struct b_vm *vm)
{
	if (vm->run) {
		munmap(vm->run, 4096);
		munmap(vm->page, 4096);
	}
	if (vm->stats > 0)
		close(vm->stats);
	close(vm->vp);
	close(vm->part);
	munmap(vm->low, B_LOW + vm->touch_bytes);
	close(vm->memory);
}

const struct b_driver b_ovid = {
	.name = "ovid",
	.memory = ovid_memory,
	.create = ovid_create,
	.setup = ovid_setup,
	.bells = ovid_bells,
	.msi = ovid_msi,
	.events = ovid_events,
	.event = ovid_event,
	.enter = ovid_enter,
	.loop = ovid_loop,
	.exits = ovid_exits,
	.destroy = ovid_destroy,
};
