// SPDX-License-Identifier: GPL-2.0-only
/* ovid.c - the benchmark's machine by /dev/ovid */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../api/lib/ov.h"
#include "bench.h"
#include "ovid_chan.h"

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

/* it does not wait for a SIPI */
static void ovid_second(const struct b_vm *vm, struct b_vm *second)
{
	*second = *vm;
	second->vp = must(ov_vp(vm->part, 1), "MSHV_CREATE_VP");
	ovid_setup(second);
	must(ov_set(second->vp, HV_REGISTER_INTERNAL_ACTIVITY_STATE, 0), "activity");
}

static void ovid_close_vp(struct b_vm *vm)
{
	if (vm->run) {
		munmap(vm->run, 4096);
		munmap(vm->page, 4096);
	}
	if (vm->stats > 0)
		close(vm->stats);
	close(vm->vp);
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

/* input of HVCALL_POST_MESSAGE_DIRECT */
struct post_direct {
	uint64_t partition;
	uint32_t vp;
	uint8_t vtl, pad[3];
	uint32_t sint;
	struct hv_message message;
	uint8_t pad2[4];
} __attribute__((packed));

/* the bell is a queue of messages */
static void ovid_messages(struct b_vm *vm)
{
	struct ovid_synic_port arg = {
		.size = sizeof(arg), .connection = B_CONNECTION, .kind = OVID_PORT_MESSAGE,
		.depth = 4,
	};

	vm->bell = must(ov_ioctl(vm->part, OVID_SYNIC_PORT, &arg), "OVID_SYNIC_PORT");
}

static void hvcall(struct b_vm *vm, uint16_t code, const void *in, uint32_t bytes)
{
	struct mshv_root_hvcall call = { .code = code, .in_sz = bytes, .in_ptr = (uintptr_t)in };

	must(ov_ioctl(vm->part, MSHV_ROOT_HVCALL, &call), "MSHV_ROOT_HVCALL");
}

static void answer(struct b_vm *vm, uint32_t type, const uint8_t *payload, uint32_t bytes)
{
	struct post_direct to = {
		.sint = B_SINT,
		.message.header = { .message_type = type, .payload_size = bytes },
	};

	memcpy(to.message.payload, payload, bytes);
	hvcall(vm, HVCALL_POST_MESSAGE_DIRECT, &to, sizeof(to));
}

static bool ovid_message(struct b_vm *vm)
{
	struct ovid_port_message from;

	if (read(vm->bell, &from, sizeof(from)) != sizeof(from))
		return false;
	answer(vm, from.type, from.payload, from.bytes);
	return true;
}

static void ovid_messages_end(struct b_vm *vm)
{
	struct ovid_synic_port arg = { .size = sizeof(arg), .connection = B_CONNECTION };

	must(ov_ioctl(vm->part, OVID_SYNIC_PORT, &arg), "OVID_SYNIC_PORT");
}

#define UNKNOWN_CONNECTION	0xd	/* an intercept */

/* as clients of mshv with a VMBus of their own */
static void ovid_posts(struct b_vm *vm)
{
	const struct { uint64_t partition; uint32_t access, type; uint64_t parameter; } in = {
		.access = 4, .type = UNKNOWN_CONNECTION,
	};

	hvcall(vm, HVCALL_INSTALL_INTERCEPT, &in, sizeof(in));
	vm->posts = true;
}

static void client_posted(struct b_vm *vm, const struct hv_message *msg)
{
	struct hv_vp_register_page *page = vm->page;
	struct hv_x64_hypercall_intercept_message call;
	struct b_post post;

	memcpy(&call, msg->payload, sizeof(call));
	if ((call.rax & 0xffff) != B_POST || call.rcx > B_LOW - sizeof(post))
		b_die("hypercall %llx", (long long)call.rax);
	memcpy(&post, vm->low + call.rcx, sizeof(post));
	answer(vm, post.type, post.payload, post.bytes);
	page->gpr[0] = HV_STATUS_SUCCESS;
	page->gpr[2] = 0;
	page->rip += call.header.instruction_length_cr8 & 15;
	page->dirty |= 1u << HV_X64_REGISTER_CLASS_IP | 1u << HV_X64_REGISTER_CLASS_GENERAL;
}

static void client_loop(struct b_vm *vm)
{
	struct hv_message msg;

	for (;;) {
		if (ioctl(vm->vp, MSHV_RUN_VP, &msg)) {
			if (errno == EINTR)
				continue;
			b_die("MSHV_RUN_VP");
		}
		switch (msg.header.message_type) {
		case HVMSG_X64_IO_PORT_INTERCEPT:	/* B_DONE, the only one */
			return;
		case HVMSG_HYPERCALL_INTERCEPT:
			client_posted(vm, &msg);
			break;
		default:
			b_die("message %x", msg.header.message_type);
		}
	}
}

static int ovid_signal(struct b_vm *vm)
{
	return ioctl(vm->channel, OVID_CHANNEL_SIGNAL);
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

	if (vm->posts) {
		client_loop(vm);
		return;
	}
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
	ovid_close_vp(vm);
	if (vm->channel)
		close(vm->channel);
	close(vm->part);
	munmap(vm->low, B_LOW + vm->touch_bytes);
	close(vm->memory);
}

const struct b_driver b_ovid = {
	.name = "ovid",
	.memory = ovid_memory,
	.create = ovid_create,
	.setup = ovid_setup,
	.second = ovid_second,
	.close_vp = ovid_close_vp,
	.bells = ovid_bells,
	.msi = ovid_msi,
	.events = ovid_events,
	.event = ovid_event,
	.messages = ovid_messages,
	.message = ovid_message,
	.messages_end = ovid_messages_end,
	.posts = ovid_posts,
	.open = b_ovid_open,
	.signal = ovid_signal,
	.enter = ovid_enter,
	.loop = ovid_loop,
	.exits = ovid_exits,
	.destroy = ovid_destroy,
};
