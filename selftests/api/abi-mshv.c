// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mshv calls, as clients of Linux's /dev/mshv make them: what their own
 * tests pin down, and the refusals.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define RAM		0x10000		/* bytes at GPA 0 */
#define TRANSLATE_GVA	_IOWR(MSHV_IOCTL, 0xF2, uint64_t[4])

CODE16(sum16, "mov $0x3f8, %dx; add %bl, %al; add $0x30, %al; out %al, %dx; mov $0x0a, %al;"
	      "out %al, %dx; mov %al, %ds:(%si); " STOP16);
CODE16(bell16, "movl $7, %ds:(%si); mov $1, %al; out %al, $0x80;" STOP16);
CODE16(cpuid16, "mov $0x80000002, %eax; cpuid; " STOP16);
CODE16(int16, "int3");

static int hv_status, hv_reps;

/* a passthrough hypercall: its errno (0: none); the status is in hv_status */
static int hv(int fd, uint16_t code, uint16_t reps, const void *in, uint16_t in_sz, void *out,
	      uint16_t out_sz)
{
	struct mshv_root_hvcall call = {
		.code = code, .reps = reps, .in_sz = in_sz, .out_sz = out_sz,
		.in_ptr = (uintptr_t)in, .out_ptr = (uintptr_t)out,
	};
	int ret = tap_errno(ov_ioctl(fd, MSHV_ROOT_HVCALL, &call));

	hv_status = call.status;
	hv_reps = call.reps;
	return ret;
}

static int get_property(int fd, uint32_t code, uint64_t *value)
{
	struct { uint64_t partition; uint32_t code, pad; } in = { 0, code, 0 };

	*value = 0;
	return hv(fd, HVCALL_GET_PARTITION_PROPERTY, 0, &in, sizeof(in), value, 8);
}

static int set_property(int fd, uint32_t code, uint64_t value)
{
	struct { uint64_t partition; uint32_t code, pad; uint64_t value; } in = {
		0, code, 0, value };

	return hv(fd, HVCALL_SET_PARTITION_PROPERTY, 0, &in, sizeof(in), NULL, 0);
}

static int get_reg(int fd, uint32_t name, uint64_t *low)
{
	struct { uint64_t partition; uint32_t vp, vtl, name; } in = { .name = name };
	uint64_t out[2] = { 0 };
	int ret = hv(fd, HVCALL_GET_VP_REGISTERS, 1, &in, 20, out, sizeof(out));

	*low = out[0];
	return ret;
}

static int set_regs(int fd, const struct ovid_reg *regs, unsigned int n)
{
	struct { uint64_t partition; uint32_t vp, vtl; struct ovid_reg regs[16]; } in = { 0 };

	memcpy(in.regs, regs, n * sizeof(*regs));
	return hv(fd, HVCALL_SET_VP_REGISTERS, n, &in, 16 + n * sizeof(*regs), NULL, 0);
}

static int set_reg(int fd, uint32_t name, uint64_t low)
{
	struct ovid_reg reg = { .name = name, .low = low };

	return set_regs(fd, &reg, 1);
}

static int create(int dev, uint64_t flags, uint64_t isolation)
{
	struct mshv_create_partition arg = { flags, isolation };

	return ov_ioctl(dev, MSHV_CREATE_PARTITION, &arg);
}

#define DEFAULT_FLAGS	(1u << MSHV_PT_BIT_LAPIC | 1u << MSHV_PT_BIT_X2APIC |	\
			 1u << MSHV_PT_BIT_GPA_SUPER_PAGES)

struct vm {
	int dev, part, vp;
	uint8_t *ram;
	struct hv_vp_register_page *page;
	struct hv_message *msg1, msg;
};

static int memory(int part, uint64_t pfn, uint64_t size, const void *at, unsigned int flags)
{
	struct mshv_user_mem_region r = {
		.size = size, .guest_pfn = pfn, .userspace_addr = (uintptr_t)at, .flags = flags };

	return ov_ioctl(part, MSHV_SET_GUEST_MEMORY, &r);
}

#define RWX	(1u << MSHV_SET_MEM_BIT_WRITABLE | 1u << MSHV_SET_MEM_BIT_EXECUTABLE)

static int create_vp(int part, uint32_t index)
{
	struct mshv_create_vp arg = { index };

	return ov_ioctl(part, MSHV_CREATE_VP, &arg);
}

static void vm_create(struct vm *vm, const void *code, uint64_t len)
{
	memset(vm, 0, sizeof(*vm));
	vm->dev = ov_open();
	vm->part = create(vm->dev, DEFAULT_FLAGS, 0);
	if (vm->part < 0 || ov_ioctl(vm->part, MSHV_INITIALIZE_PARTITION, NULL))
		tap_bail("no mshv partition: %d", vm->part);
	vm->ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory(vm->part, 0, RAM, vm->ram, RWX))
		tap_bail("no memory");
	vm->vp = create_vp(vm->part, 0);
	vm->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vp, 0);
	vm->msg1 = mmap(NULL, 4096, PROT_READ, MAP_SHARED, vm->vp, 4096);
	if (vm->vp < 0 || vm->page == MAP_FAILED || vm->msg1 == MAP_FAILED)
		tap_bail("no VP or pages: %d", vm->vp);
	memcpy(vm->ram + OV_CODE, code, len);
}

/* real mode, flat at zero, RIP at the code */
static void vm_start(struct vm *vm)
{
	struct ovid_reg cs = { .name = HV_X64_REGISTER_CS, .high = 0xffff | 0x9bull << 48 };
	struct ovid_reg regs[] = {
		cs, { .name = HV_X64_REGISTER_RIP, .low = OV_CODE },
		{ .name = HV_X64_REGISTER_RFLAGS, .low = 2 },
		{ .name = HV_X64_REGISTER_RAX, .low = 2 },
		{ .name = HV_X64_REGISTER_RBX, .low = 2 },
		{ .name = HV_X64_REGISTER_RSI, .low = 0x8000 },
	};

	tap_is(set_regs(vm->vp, regs, ARRAY_SIZE(regs)), 0, "set the first registers");
}

static int vm_run(struct vm *vm)
{
	return ov_ioctl(vm->vp, MSHV_RUN_VP, &vm->msg);
}

static void vm_destroy(struct vm *vm)
{
	munmap(vm->page, 4096);
	munmap(vm->msg1, 4096);
	munmap(vm->ram, RAM);
	close(vm->vp);
	close(vm->part);
	close(vm->dev);
}

static void step_over(struct vm *vm)
{
	const struct hv_x64_intercept_message_header *head = (void *)vm->msg.payload;

	vm->page->rip += head->instruction_length_cr8 & 0xf;
	vm->page->dirty |= 1u << HV_X64_REGISTER_CLASS_IP;
}

/* ---- */

static void host_calls(void)
{
	struct { uint64_t partition; uint32_t code, pad; uint64_t arg; } ex = {
		.code = HV_PARTITION_PROPERTY_ASSIGNABLE_SYNTHETIC_PROC_FEATURES };
	uint64_t v, out[509];
	int dev = ov_open();

	tap_is(get_property(dev, HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0, &v), 0, "host features 0");
	tap_ok(v & 1, "have SSE3");
	tap_is(get_property(dev, HV_PARTITION_PROPERTY_PROCESSOR_FEATURES1, &v), 0, "host features 1");
	tap_is(get_property(dev, HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH, &v), 0, "host width");
	tap_ok(v >= 36 && v <= 52, "is a width: %d", (int)v);
	tap_is(hv(dev, HVCALL_GET_PARTITION_PROPERTY_EX, 0, &ex, 24, out, 4072), 0, "assignable features");
	tap_is(out[0] & 0xffff, 1, "one bank");
	ex.code = 0x90007;
	tap_is(hv(dev, HVCALL_GET_PARTITION_PROPERTY_EX, 0, &ex, 24, out, 4072), EIO, "VMM capabilities");
	tap_is(hv_status, HV_STATUS_ACCESS_DENIED, "access denied, which clients take for none");
	tap_is(get_property(dev, 0x12345, &v), EIO, "unknown property");
	tap_is(hv_status, HV_STATUS_UNKNOWN_PROPERTY, "says so");
	tap_is(set_property(dev, HV_PARTITION_PROPERTY_TIME_FREEZE, 1), EINVAL, "set on the device");
	tap_is(hv_status, HV_STATUS_INVALID_HYPERCALL_CODE, "is no call there");
	tap_is(tap_errno(ov_ioctl(dev, MSHV_RUN_VP, out)), ENOTTY, "RUN_VP on the device");
	close(dev);
}

static void create_rules(void)
{
	struct mshv_create_partition_v2 v2 = {
		.pt_flags = DEFAULT_FLAGS | 1u << MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES,
		.pt_num_cpu_fbanks = 2,
	}, bad;
	int dev = ov_open(), part;
	uint64_t before, after, xsave;

	part = create(dev, DEFAULT_FLAGS, 0);
	tap_ok(part >= 0, "v1 struct");
	get_property(part, HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0, &before);
	get_property(part, HV_PARTITION_PROPERTY_PROCESSOR_XSAVE_FEATURES, &xsave);
	close(part);
	tap_is(tap_errno(create(dev, DEFAULT_FLAGS | 1u << MSHV_PT_BIT_COUNT, 0)), EINVAL, "unknown flag");
	tap_is(tap_errno(create(dev, DEFAULT_FLAGS, 1)), EINVAL, "isolation");
	tap_is(tap_errno(create(dev, DEFAULT_FLAGS | 1u << MSHV_PT_BIT_NESTED_VIRTUALIZATION, 0)),
	       EOPNOTSUPP, "nested");
	tap_is(tap_errno(ov_ioctl(dev, MSHV_CREATE_PARTITION, (void *)8)), EFAULT, "bad pointer");
	bad = v2;
	bad.pt_num_cpu_fbanks = 1;
	tap_is(tap_errno(ov_ioctl(dev, MSHV_CREATE_PARTITION, &bad)), EINVAL, "one bank");
	bad = v2;
	bad.pt_rsvd[5] = 1;
	tap_is(tap_errno(ov_ioctl(dev, MSHV_CREATE_PARTITION, &bad)), EINVAL, "reserved bytes");
	bad = v2;
	bad.pt_rsvd1[1] = 1;
	tap_is(tap_errno(ov_ioctl(dev, MSHV_CREATE_PARTITION, &bad)), EINVAL, "reserved words");

	part = ov_ioctl(dev, MSHV_CREATE_PARTITION, &v2);
	tap_ok(part >= 0, "v2 struct, nothing disabled");
	get_property(part, HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0, &after);
	tap_is(after, before, "has the same features");
	close(part);
	v2.pt_cpu_fbanks[0] = 1ull << 7;	/* POPCNT */
	v2.pt_disabled_xsave = ~0x3ull;		/* XSAVE, XSAVEOPT stay */
	part = ov_ioctl(dev, MSHV_CREATE_PARTITION, &v2);
	get_property(part, HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0, &after);
	tap_is(after, before & ~(1ull << 7), "one feature less");
	get_property(part, HV_PARTITION_PROPERTY_PROCESSOR_XSAVE_FEATURES, &after);
	tap_is(after, xsave & 3, "XSAVE features masked");
	get_property(part, HV_PARTITION_PROPERTY_XSAVE_STATES, &after);
	tap_is(after, 3, "only x87 and SSE states are left");
	close(part);
	v2.pt_cpu_fbanks[0] = v2.pt_cpu_fbanks[1] = v2.pt_disabled_xsave = ~0ull;
	part = ov_ioctl(dev, MSHV_CREATE_PARTITION, &v2);
	tap_ok(part >= 0, "everything disabled");
	get_property(part, HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0, &after);
	tap_is(after, 0, "leaves nothing");
	close(part);
	close(dev);
}

static void states(void)
{
	int dev = ov_open(), part = create(dev, DEFAULT_FLAGS, 0), vp;
	uint64_t v;

	tap_is(tap_errno(create_vp(part, 0)), EIO, "VP before INITIALIZE");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, ~0ull), 0, "early property");
	tap_is(get_property(part, HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, &v), 0, "read it");
	tap_is(ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL), 0, "INITIALIZE");
	tap_is(ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL), 0, "INITIALIZE again");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, 0), EIO, "too late");
	tap_is(hv_status, HV_STATUS_INVALID_PARTITION_STATE, "status");
	tap_is(set_property(part, 0x10000, 0), EIO, "privilege flags");
	tap_is(hv_status, HV_STATUS_INVALID_PARTITION_STATE, "status");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_PROCESSOR_VENDOR, 0), EIO, "read-only property");
	tap_is(hv_status, HV_STATUS_ACCESS_DENIED, "status");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_TIME_FREEZE, 2), EIO, "value out of range");
	tap_is(hv_status, HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE, "status");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION, 1), 0, "ignore MSRs");
	get_property(part, HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION, &v);
	tap_is(v, 1, "reads back");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION, 0), 0, "fault");
	get_property(part, HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION, &v);
	tap_is(v, 0, "reads back");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_PROCESSORS_PER_SOCKET, 2), 0, "per socket");
	get_property(part, HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY, &v);
	tap_ok(v > 1000000, "clock frequency %lld", (long long)v);
	get_property(part, HV_PARTITION_PROPERTY_MAX_XSAVE_DATA_SIZE, &v);
	tap_ok(v >= 576 && v <= 4096, "XSAVE size %lld", (long long)v);
	vp = create_vp(part, 0);
	tap_ok(vp >= 0, "VP 0");
	tap_is(tap_errno(create_vp(part, 0)), EEXIST, "twice");
	tap_is(tap_errno(create_vp(part, 256)), EINVAL, "index 256");
	tap_is(tap_errno(ov_ioctl(part, _IO(MSHV_IOCTL, 0xF3), NULL)), ENOTTY, "unknown call on P");
	tap_is(tap_errno(ov_ioctl(vp, _IO(MSHV_IOCTL, 0xF3), NULL)), ENOTTY, "unknown call on V");
	close(vp);
	close(part);
	close(dev);
}

static void reference_time(void)
{
	int dev = ov_open(), part = create(dev, DEFAULT_FLAGS, 0);
	uint64_t a, b;

	tap_is(set_property(part, HV_PARTITION_PROPERTY_TIME_FREEZE, 1), 0, "freeze");
	get_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &a);
	ov_sleep_ms(5);
	get_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &b);
	tap_is(b, a, "time stands still");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, 123456789), 0, "set");
	get_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &a);
	tap_is(a, 123456789, "reads back");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_TIME_FREEZE, 0), 0, "thaw");
	get_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &a);
	ov_sleep_ms(5);
	get_property(part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &b);
	tap_ok(a >= 123456789 && b >= a + 40000 && b < a + 100000000, "and goes on: %lld", (long long)(b - a));
	close(part);
	close(dev);
}

static void run_code(void)
{
	const struct hv_x64_io_port_intercept_message *io;
	struct vm vm;
	uint64_t v;

	vm_create(&vm, sum16, CODE_LEN(sum16));
	tap_is(vm.page->version, 1, "page version");
	tap_is(vm.page->isvalid, 1, "page valid");
	tap_is(vm.page->dirty, 0, "page clean");
	tap_ok(vm.page->cs.base && vm.page->cs.selector, "CS after creation");
	get_reg(vm.vp, 0, &v);
	tap_is(v, 1, "explicitly suspended before the first run");
	vm_start(&vm);
	tap_is(vm.page->rip, OV_CODE, "the page shows the new RIP");

	io = (void *)vm.msg.payload;
	tap_is(vm_run(&vm), 0, "run");
	tap_is(vm.msg.header.message_type, (int64_t)HVMSG_X64_IO_PORT_INTERCEPT, "port message");
	tap_is(vm.msg.header.payload_size, 128, "payload");
	tap_is(io->port_number, 0x3f8, "port");
	tap_is(io->access_info, 1, "one byte");
	tap_is(io->header.intercept_access_type, HV_INTERCEPT_ACCESS_WRITE, "write");
	tap_is(io->rax & 0xff, '4', "2 + 2");
	tap_is(io->header.rip, OV_CODE + 7, "RIP is at the OUT");
	tap_is(io->header.instruction_length_cr8 & 0xf, 1, "one byte long");
	tap_is(io->header.execution_state & 0x7f, 0, "real mode, CPL 0");
	tap_is(io->header.rflags & 2, 2, "RFLAGS");
	tap_is(io->header.cs.base, 0, "CS");
	tap_ok(!memcmp(vm.msg1, &vm.msg, sizeof(vm.msg)), "mmap page 1 has the same");
	tap_is(vm.page->rip, OV_CODE + 7, "and page 0");
	tap_is(vm.page->gpr[0] & 0xff, '4', "RAX in the page");
	get_reg(vm.vp, HV_X64_REGISTER_RIP, &v);
	tap_is(v, OV_CODE + 7, "and by hypercall");
	get_reg(vm.vp, 0, &v);
	tap_is(v, 0, "not suspended any more");

	step_over(&vm);
	tap_is(vm_run(&vm), 0, "run on");
	tap_is(io->rax & 0xff, '\n', "newline");
	tap_is(vm.page->dirty, 0, "dirty was taken");

	vm_destroy(&vm);
}

static void memory_message(void)
{
	const struct hv_x64_memory_intercept_message *m;
	struct ovid_reg ds = { .name = HV_X64_REGISTER_DS, .low = 0x20000,
			       .high = 0xffff | 0x2000ull << 32 | 0x93ull << 48 };
	struct vm vm;

	vm_create(&vm, sum16, CODE_LEN(sum16));
	vm_start(&vm);
	tap_is(set_regs(vm.vp, &ds, 1), 0, "DS");
	vm_run(&vm);
	step_over(&vm);
	vm_run(&vm);
	step_over(&vm);
	tap_is(vm_run(&vm), 0, "run");
	m = (void *)vm.msg.payload;
	tap_is(vm.msg.header.message_type, (int64_t)HVMSG_UNMAPPED_GPA, "unmapped memory");
	tap_is(m->guest_physical_address, 0x28000, "GPA");
	tap_is(m->guest_virtual_address, 0x28000, "GVA");
	tap_is(m->memory_access_info & 1, 1, "GVA valid");
	tap_is(m->header.intercept_access_type, HV_INTERCEPT_ACCESS_WRITE, "write");
	tap_ok(m->instruction_byte_count > 0, "instruction bytes: %d", m->instruction_byte_count);
	tap_ok(!memcmp(m->instruction_bytes, vm.ram + m->header.rip, m->instruction_byte_count),
	       "are the code");
	tap_is(vm.page->ds.base, 0x20000, "segments are in the page");
	tap_is(vm.page->gpr[6], 0x8000, "and registers");
	vm_destroy(&vm);
}

static void read_only(void)
{
	struct vm vm;

	vm_create(&vm, sum16, CODE_LEN(sum16));
	tap_is(memory(vm.part, 0, RAM, vm.ram, 1u << MSHV_SET_MEM_BIT_UNMAP), 0, "unmap");
	tap_is(memory(vm.part, 0, 0x8000, vm.ram, RWX), 0, "map the lower half");
	tap_is(memory(vm.part, 8, 0x8000, vm.ram + 0x8000, 0), 0, "and the upper read-only");
	vm_start(&vm);
	vm_run(&vm);
	step_over(&vm);
	vm_run(&vm);
	step_over(&vm);
	tap_is(vm_run(&vm), 0, "run");
	tap_is(vm.msg.header.message_type, (int64_t)HVMSG_GPA_INTERCEPT, "store to read-only memory");
	vm_destroy(&vm);
}

static void triple_fault(void)
{
	struct ovid_reg idt = { .name = HV_X64_REGISTER_IDTR };
	struct vm vm;

	vm_create(&vm, int16, CODE_LEN(int16));
	vm_start(&vm);
	tap_is(set_regs(vm.vp, &idt, 1), 0, "empty IDT");
	tap_is(vm_run(&vm), 0, "run");
	tap_is(vm.msg.header.message_type, (int64_t)HVMSG_UNRECOVERABLE_EXCEPTION, "triple fault");
	tap_is(vm.msg.header.payload_size, 40, "payload");
	vm_destroy(&vm);
}

static void memory_rules(void)
{
	struct mshv_user_mem_region r = { .size = 0x1000, .guest_pfn = 0x100, .flags = RWX };
	struct vm vm;
	uint8_t *ram;

	vm_create(&vm, sum16, CODE_LEN(sum16));
	ram = vm.ram;
	r.userspace_addr = (uintptr_t)ram;
	tap_is(tap_errno(memory(vm.part, 0xf, 0x1000, ram, RWX)), EEXIST, "overlap");
	tap_is(memory(vm.part, 0x100, 0x1000, ram, RWX), 0, "aliased user memory");
	tap_is(tap_errno(memory(vm.part, 0x200, 0, ram, RWX)), EINVAL, "size 0");
	tap_is(tap_errno(memory(vm.part, 0x200, 0x800, ram, RWX)), EINVAL, "half a page");
	tap_is(tap_errno(memory(vm.part, 0x200, 0x1000, ram + 1, RWX)), EINVAL, "misaligned");
	tap_is(tap_errno(memory(vm.part, 0x200, 0x1000, NULL, RWX)), EINVAL, "nothing there");
	tap_is(tap_errno(memory(vm.part, 1ull << 52, 0x1000, ram, RWX)), EINVAL, "frame number too large");
	tap_is(tap_errno(memory(vm.part, 0x200, 0x1000, ram, 8)), EINVAL, "unknown flag");
	r.guest_pfn = 0x200;
	r.rsvd[6] = 1;
	tap_is(tap_errno(ov_ioctl(vm.part, MSHV_SET_GUEST_MEMORY, &r)), EINVAL, "reserved byte");
	tap_is(tap_errno(memory(vm.part, 0x300, 0x1000, ram, 1u << MSHV_SET_MEM_BIT_UNMAP)), ENOENT,
	       "unmap what is not there");
	tap_is(tap_errno(memory(vm.part, 0, 0x1000, ram, 1u << MSHV_SET_MEM_BIT_UNMAP)), EINVAL,
	       "unmap a part");
	tap_is(memory(vm.part, 0x100, 0x1000, ram, 1u << MSHV_SET_MEM_BIT_UNMAP), 0, "unmap");
	vm_destroy(&vm);
}

static void registers(void)
{
	struct { uint64_t partition; uint32_t vp, vtl, names[3]; } in = {
		.names = { HV_X64_REGISTER_RAX, 0xdead, HV_X64_REGISTER_RBX } };
	struct ovid_reg two[2] = {
		{ .name = HV_X64_REGISTER_RAX, .low = 1 }, { .name = 0xdead, .low = 1 } };
	uint64_t out[6], v, page_v;
	unsigned int i;
	struct vm vm;

	vm_create(&vm, sum16, CODE_LEN(sum16));
	vm_start(&vm);
	vm.page->gpr[0] = 0x1122334455667788;
	vm.page->dirty = 1u << HV_X64_REGISTER_CLASS_GENERAL;
	get_reg(vm.vp, HV_X64_REGISTER_RAX, &v);
	tap_is(v, 0x1122334455667788, "a page write is seen by hypercall");
	tap_is(set_reg(vm.vp, HV_X64_REGISTER_R8 + 1, 0x99), 0, "set R9");
	tap_is(vm.page->gpr[9], 0x99, "the page shows it");
	vm.page->rip = 0x1004;
	vm.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP;
	get_reg(vm.vp, HV_X64_REGISTER_RIP, &v);
	page_v = vm.page->dirty;
	tap_is(v, 0x1004, "RIP too");
	tap_is(page_v, 0, "dirty was taken");

	tap_is(hv(vm.vp, HVCALL_GET_VP_REGISTERS, 3, &in, 28, out, 48), EINVAL, "unknown name");
	tap_is(hv_status, HV_STATUS_INVALID_PARAMETER, "status");
	tap_is(hv_reps, 1, "one was read");
	tap_is(set_regs(vm.vp, two, 2), EINVAL, "set with an unknown name");
	tap_is(hv_reps, 0, "none was set");
	get_reg(vm.vp, HV_X64_REGISTER_RAX, &v);
	tap_is(v, 0x1122334455667788, "RAX is as it was");
	in.vp = 77;
	tap_is(hv(vm.vp, HVCALL_GET_VP_REGISTERS, 1, &in, 28, out, 48), EINVAL, "unknown VP");
	tap_is(hv_status, HV_STATUS_INVALID_VP_INDEX, "status");
	in.vp = 0;
	tap_is(hv(vm.vp, HVCALL_GET_VP_REGISTERS, 3, &in, 24, out, 48), EINVAL, "input too short");
	tap_is(hv(vm.vp, HVCALL_GET_VP_REGISTERS, 3, &in, 28, out, 40), EINVAL, "output too short");
	tap_is(hv(vm.vp, HVCALL_GET_VP_REGISTERS, 0, &in, 28, out, 40), EINVAL, "no reps");
	tap_is(set_reg(vm.part, HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, 0), 0, "0x10006 through P");
	tap_is(set_reg(vm.part, HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, 1), EINVAL, "bit 0");
	tap_is(hv_status, HV_STATUS_INVALID_PARAMETER, "status");

	/* what a client saves of a VP it must be able to put back */
	static const uint32_t saved[] = {
		HV_REGISTER_INTERNAL_ACTIVITY_STATE, HV_REGISTER_PENDING_INTERRUPTION,
		HV_REGISTER_INTERRUPT_STATE, HV_REGISTER_PENDING_EVENT0, HV_REGISTER_PENDING_EVENT1,
		HV_X64_REGISTER_CR0, HV_X64_REGISTER_CR2, HV_X64_REGISTER_CR3, HV_X64_REGISTER_CR4,
		HV_X64_REGISTER_CR8, HV_X64_REGISTER_XFEM, HV_X64_REGISTER_INTERMEDIATE_CR0,
		HV_X64_REGISTER_INTERMEDIATE_CR3, HV_X64_REGISTER_INTERMEDIATE_CR4,
		HV_X64_REGISTER_DR0, HV_X64_REGISTER_DR1, HV_X64_REGISTER_DR2, HV_X64_REGISTER_DR3,
		HV_X64_REGISTER_DR6, HV_X64_REGISTER_DR7,
		HV_X64_REGISTER_TSC, HV_X64_REGISTER_EFER, HV_X64_REGISTER_KERNEL_GS_BASE,
		HV_X64_REGISTER_APIC_BASE, HV_X64_REGISTER_PAT, HV_X64_REGISTER_SYSENTER_CS,
		HV_X64_REGISTER_SYSENTER_EIP, HV_X64_REGISTER_SYSENTER_ESP, HV_X64_REGISTER_STAR,
		HV_X64_REGISTER_LSTAR, HV_X64_REGISTER_CSTAR, HV_X64_REGISTER_SFMASK,
		HV_X64_REGISTER_INITIAL_APIC_ID, HV_X64_REGISTER_APIC_ID,
		HV_X64_REGISTER_MSR_MTRR_DEF_TYPE, HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0,
		HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0 + 7, HV_X64_REGISTER_MSR_MTRR_FIX64K00000,
		HV_X64_REGISTER_MSR_MTRR_FIX4KF8000, HV_X64_REGISTER_TSC_AUX,
		HV_X64_REGISTER_DEBUG_CTL, HV_X64_REGISTER_XSS,
		0x90001, 0x90002, 0x90013, 0x90017, 0xa0000, 0xa000f, 0xa0010, 0xa0012, 0xa0013, 0xa0014,
		HV_X64_REGISTER_XMM0, HV_X64_REGISTER_XMM15, HV_X64_REGISTER_FP_MMX0,
		HV_X64_REGISTER_FP_CONTROL_STATUS, HV_X64_REGISTER_XMM_CONTROL_STATUS,
		HV_X64_REGISTER_ES, HV_X64_REGISTER_LDTR, HV_X64_REGISTER_TR, HV_X64_REGISTER_IDTR,
		HV_X64_REGISTER_GDTR,
		0x8008c, 0x80093,
	};
	for (i = 0; i < ARRAY_SIZE(saved); i++) {
		struct ovid_reg reg = { .name = saved[i] };
		uint64_t got[2] = { 0 };

		in.names[0] = saved[i];
		if (!tap_is(hv(vm.vp, HVCALL_GET_VP_REGISTERS, 1, &in, 20, got, 16), 0, "get %x", saved[i]))
			continue;
		reg.low = got[0];
		reg.high = got[1];
		tap_is(set_regs(vm.vp, &reg, 1), 0, "set %x to %llx", saved[i], (long long)got[0]);
	}
	vm_destroy(&vm);
}

static int vp_state(int vp, bool set, uint8_t type, void *buf, uint32_t size, uint32_t *need)
{
	struct mshv_get_set_vp_state arg = { .type = type, .buf_sz = size, .buf_ptr = (uintptr_t)buf };
	int ret = ov_ioctl(vp, set ? MSHV_SET_VP_STATE : MSHV_GET_VP_STATE, &arg);

	*need = arg.buf_sz;
	return ret;
}

static void vp_states(void)
{
	static uint8_t a[8192] __attribute__((aligned(4096))), b[4096] __attribute__((aligned(4096)));
	static const uint32_t sizes[] = { 4096, 0, 4096, 4096, 200 };
	struct ovid_reg xmm = { .name = HV_X64_REGISTER_XMM0 + 3, .low = 0x1111, .high = 0x2222 };
	uint32_t need;
	uint64_t low;
	struct vm vm;
	int type;

	vm_create(&vm, sum16, CODE_LEN(sum16));
	vm_start(&vm);
	set_regs(vm.vp, &xmm, 1);
	for (type = 0; type < MSHV_VP_STATE_COUNT; type++) {
		memset(a, 0, sizeof(a));
		tap_is(vp_state(vm.vp, false, type, a, 4096, &need), 0, "get state %d", type);
		tap_ok(sizes[type] ? need == sizes[type] : need >= 576, "its size %u", need);
		tap_is(vp_state(vm.vp, true, type, a, 4096, &need), 0, "put it back");
		memset(b, 0, sizeof(b));
		tap_is(vp_state(vm.vp, false, type, b, 4096, &need), 0, "get it again");
		tap_ok(!memcmp(a, b, 4096), "is the same");
		tap_is(tap_errno(vp_state(vm.vp, false, type, a, 0, &need)), EINVAL, "no buffer");
		tap_is(tap_errno(vp_state(vm.vp, false, type, a + 8, 4096, &need)), EINVAL, "not aligned");
		tap_is(tap_errno(vp_state(vm.vp, false, type, a, 100, &need)), EINVAL, "not pages");
		tap_is(tap_errno(vp_state(vm.vp, false, type, (void *)4096, 4096, &need)), EFAULT, "bad pointer");
	}
	tap_is(tap_errno(vp_state(vm.vp, false, 5, a, 4096, &need)), EINVAL, "unknown type");
	tap_is(vp_state(vm.vp, false, 1, a, 8192, &need), 0, "larger buffer");
	tap_is(*(uint64_t *)(a + 160 + 48), 0x1111, "XMM3 is in the area");
	*(uint64_t *)(a + 160 + 48) = 0x3333;
	tap_is(vp_state(vm.vp, true, 1, a, 4096, &need), 0, "set XSAVE");
	get_reg(vm.vp, HV_X64_REGISTER_XMM0 + 3, &low);
	tap_is(low, 0x3333, "XMM3 is what was set");
	memcpy(b, a, 4096);
	b[26] = 1;
	tap_is(tap_errno(vp_state(vm.vp, true, 1, b, 4096, &need)), EINVAL, "reserved MXCSR bit");
	memcpy(b, a, 4096);
	b[527] = 0;
	tap_is(tap_errno(vp_state(vm.vp, true, 1, b, 4096, &need)), EINVAL, "not compacted");
	memcpy(b, a, 4096);
	b[513] = 0x80;
	tap_is(tap_errno(vp_state(vm.vp, true, 1, b, 4096, &need)), EINVAL, "a component that is not there");
	memcpy(b, a, 4096);
	b[530] = 1;
	tap_is(tap_errno(vp_state(vm.vp, true, 1, b, 4096, &need)), EINVAL, "reserved header byte");
	memset(b, 0, sizeof(b));
	b[7] = 1;
	tap_is(tap_errno(vp_state(vm.vp, true, 2, b, 4096, &need)), EINVAL, "a SynIC page with contents");
	tap_is(tap_errno(ov_ioctl(vm.vp, MSHV_GET_VP_STATE, (void *)8)), EFAULT, "bad argument");
	tap_is(vm_run(&vm), 0, "and it runs");
	vm_destroy(&vm);
}

static void translate(void)
{
	struct { uint64_t partition; uint32_t vp, pad; uint64_t flags, page; } in = { .flags = 1, .page = 1 };
	struct { uint32_t result, cache; uint64_t page; } out = { 9, 0, 9 };
	uint64_t result = 9, gpa = 9;
	uint64_t arg[4] = { 0x1234567, 1, (uintptr_t)&result, (uintptr_t)&gpa };
	struct vm vm;

	vm_create(&vm, sum16, CODE_LEN(sum16));
	vm_start(&vm);
	tap_is(hv(vm.vp, HVCALL_TRANSLATE_VIRTUAL_ADDRESS, 0, &in, 32, &out, 16), 0, "translate");
	tap_is(out.result, 0, "without paging");
	tap_is(out.page, 1, "is the same page");
	tap_is(ov_ioctl(vm.vp, TRANSLATE_GVA, arg), 0, "in one call");
	tap_is(result & 0xffffffff, 0, "an address without memory");
	tap_is(gpa, 0x1234567, "translates too");
	arg[3] = 8;
	tap_is(tap_errno(ov_ioctl(vm.vp, TRANSLATE_GVA, arg)), EFAULT, "bad pointer");
	vm_destroy(&vm);
}

static void cpuid(void)
{
	struct { uint64_t partition; uint32_t vp, flags; uint64_t pad;
		 struct { uint32_t eax, ecx; uint64_t xfem, xss; } leaf[2]; } in = {
		.flags = 3, .leaf = { { .eax = 0 }, { .eax = 0x80000002 } } };
	struct { uint64_t partition; uint32_t vp, type, eax, ecx; uint8_t sub, over; uint16_t pad;
		 uint32_t reg[8]; } __attribute__((packed)) set = {
		.vp = ~0u, .type = 2, .eax = 0x80000002,
		.reg = { 0x64697661, ~0u, 0x20646962, ~0u, 0, ~0u, 0, ~0u } };
	uint32_t out[8] = { 0 };
	struct vm vm;

	vm_create(&vm, cpuid16, CODE_LEN(cpuid16));
	vm_start(&vm);
	tap_is(hv(vm.vp, HVCALL_GET_VP_CPUID_VALUES, 2, &in, 72, out, 32), 0, "CPUID values");
	tap_ok(out[0] >= 1, "leaf 0");
	tap_is(hv_reps, 2, "both");
	tap_is(sizeof(set), 60, "size");
	tap_is(hv(vm.part, HVCALL_REGISTER_INTERCEPT_RESULT, 0, &set, 60, NULL, 0), 0, "override a leaf");
	hv(vm.vp, HVCALL_GET_VP_CPUID_VALUES, 2, &in, 72, out, 32);
	tap_is(out[4], 0x64697661, "it shows");
	set.type = 3;
	tap_is(hv(vm.part, HVCALL_REGISTER_INTERCEPT_RESULT, 0, &set, 60, NULL, 0), EINVAL, "MSR type");
	set.type = 2;
	set.vp = 9;
	tap_is(hv(vm.part, HVCALL_REGISTER_INTERCEPT_RESULT, 0, &set, 60, NULL, 0), EINVAL, "unknown VP");
	tap_is(hv_status, HV_STATUS_INVALID_VP_INDEX, "status");
	tap_is(vm_run(&vm), 0, "run");
	tap_is(vm.page->gpr[0] & 0xffffffff, 0x64697661, "the guest sees it");
	vm_destroy(&vm);
}

static void other_calls(void)
{
	struct { uint64_t partition; uint32_t type, flags; uint64_t dest; uint32_t vector, vtl; } irq = {
		.type = 7 };
	struct { uint64_t partition; uint32_t mask, type; uint64_t param; } install = { 0, 4, 2, 0x100 };
	struct { uint64_t partition; uint32_t vp; uint8_t vtl, sint; uint16_t flag; } event = { .sint = 2 };
	struct mshv_gpap_access_bitmap bitmap = { .page_count = 1 };
	struct { struct mshv_user_irq_table t; } table = { { .nr = 0 } };
	int fd = eventfd(0, EFD_NONBLOCK);
	uint8_t post[280] = { 0 }, out[64];
	struct vm vm;

	vm_create(&vm, sum16, CODE_LEN(sum16));
	tap_is(hv(vm.part, HVCALL_ASSERT_VIRTUAL_INTERRUPT, 0, &irq, 32, NULL, 0), 0, "ExtINT");
	irq.type = 4;
	tap_is(hv(vm.part, HVCALL_ASSERT_VIRTUAL_INTERRUPT, 0, &irq, 32, NULL, 0), 0, "NMI");
	irq.type = 8;
	tap_is(hv(vm.part, HVCALL_ASSERT_VIRTUAL_INTERRUPT, 0, &irq, 32, NULL, 0), EINVAL, "bad type");
	irq.type = 0;
	irq.vector = 256;
	tap_is(hv(vm.part, HVCALL_ASSERT_VIRTUAL_INTERRUPT, 0, &irq, 32, NULL, 0), EINVAL, "bad vector");
	tap_is(hv(vm.part, HVCALL_INSTALL_INTERCEPT, 0, &install, 24, NULL, 0), 0, "CPUID intercept");
	install.type = 8;
	tap_is(hv(vm.part, HVCALL_INSTALL_INTERCEPT, 0, &install, 24, NULL, 0), 0, "hypercall intercept");
	install.type = 0x40;
	tap_is(hv(vm.part, HVCALL_INSTALL_INTERCEPT, 0, &install, 24, NULL, 0), EINVAL, "unknown intercept");
	tap_is(hv(vm.part, HVCALL_SIGNAL_EVENT_DIRECT, 0, &event, 16, out, 1), 0, "signal event");
	tap_is(hv(vm.part, HVCALL_POST_MESSAGE_DIRECT, 0, post, 280, NULL, 0), EIO, "post message");
	tap_is(hv_status, HV_STATUS_INSUFFICIENT_BUFFERS, "is busy");
	tap_is(hv(vm.part, HVCALL_GET_GPA_PAGES_ACCESS_STATES, 0, post, 32, out, 64), EINVAL, "0xC9");
	tap_is(hv_status, HV_STATUS_INVALID_HYPERCALL_CODE, "is not there");
	tap_is(set_property(vm.vp, HV_PARTITION_PROPERTY_TIME_FREEZE, 0), EINVAL, "0x45 on V");
	tap_is(hv_status, HV_STATUS_INVALID_HYPERCALL_CODE, "is not there");
	tap_is(tap_errno(ov_ioctl(vm.part, MSHV_GET_GPAP_ACCESS_BITMAP, &bitmap)), EOPNOTSUPP, "bitmap");
	tap_is(ov_irqfd(vm.part, fd, 30, 0), 0, "irqfd without a route");
	tap_is(ov_irqfd(vm.part, fd, 30, 1), 0, "and off");
	tap_is(ov_ioctl(vm.part, MSHV_SET_MSI_ROUTING, &table), 0, "empty table");
	tap_is(tap_errno((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, vm.vp, 2 * 4096)), ENODEV, "GHCB page");
	tap_is(tap_errno((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, vm.vp, 3 * 4096)), EINVAL, "page 3");
	close(fd);
	vm_destroy(&vm);
}

static void doorbell(void)
{
	struct ovid_reg ds = { .name = HV_X64_REGISTER_DS, .low = 0x20000,
			       .high = 0xffff | 0x2000ull << 32 | 0x93ull << 48 };
	const struct hv_x64_io_port_intercept_message *io;
	int fd = eventfd(0, EFD_NONBLOCK), pio = eventfd(0, EFD_NONBLOCK);
	struct vm vm;
	uint64_t n = 0;

	vm_create(&vm, bell16, CODE_LEN(bell16));
	vm_start(&vm);
	set_regs(vm.vp, &ds, 1);
	tap_is(ov_ioeventfd(vm.part, fd, 0x28000, 0, 0, 0), 0, "doorbell");
	tap_is(ov_ioeventfd(vm.part, pio, 0x80, 1, 3, 1), 0, "port doorbell for one value");
	tap_is(vm_run(&vm), 0, "run");
	io = (void *)vm.msg.payload;
	tap_is(vm.msg.header.message_type, (int64_t)HVMSG_X64_IO_PORT_INTERCEPT, "a port message");
	tap_is(io->port_number, OV_STOP_PORT, "from behind both");
	tap_is(read(fd, &n, 8) == 8 ? n : 0, 1, "the store rang");
	tap_is(read(pio, &n, 8) == 8 ? n : 0, 1, "the OUT rang");
	close(fd);
	close(pio);
	vm_destroy(&vm);
}

static void nothing(int sig)
{
	(void)sig;
}

static void signals(void)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct vm vm;
	int status;
	pid_t pid;

	vm_create(&vm, (uint8_t[]){ 0xf4 }, 1);	/* HLT */
	vm_start(&vm);
	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 0);
	tap_is(tap_errno(vm_run(&vm)), EINTR, "HLT sleeps until a signal");
	pid = fork();
	if (!pid)
		_exit(tap_errno(vm_run(&vm)) == EIO ? 0 : 1);
	waitpid(pid, &status, 0);
	tap_is(status, 0, "another process cannot run it");
	vm_destroy(&vm);
}

int main(void)
{
	tap_begin("abi-mshv", 120);
	host_calls();
	create_rules();
	states();
	reference_time();
	run_code();
	memory_message();
	read_only();
	triple_fault();
	memory_rules();
	registers();
	vp_states();
	translate();
	cpuid();
	other_calls();
	doorbell();
	signals();
	return tap_done();
}
