// SPDX-License-Identifier: GPL-2.0-only
/* the calls of Linux's /dev/mshv: life of a partition, messages, hypercalls, blobs */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/client.h"
#include "lib/ov.h"
#include "lib/tap.h"

/* ECX of CPUID leaf 1 on VP 0 */
static uint32_t features_ecx(int part)
{
	struct {
		uint64_t part;
		uint32_t vp, flags;
		uint64_t pad;
		uint32_t eax, ecx;
		uint64_t xfem, xss;
	} in = { .eax = 1 };
	uint32_t out[4] = {};
	uint16_t reps = 1, status;

	hvcall(part, HVCALL_GET_VP_CPUID_VALUES, &in, sizeof(in), out, sizeof(out), &reps, &status);
	return out[2];
}

/* /dev/mshv is there when it was asked for, and root's alone */
static void node(void)
{
	bool asked = strcmp(ov_device(), OV_DEVICE);
	struct stat st;
	int ret = stat("/dev/mshv", &st);

	if (!asked) {
		tap_ok(ret < 0, "nobody asked for /dev/mshv: it is not there");
		return;
	}
	tap_is(ret, 0, "/dev/mshv is there");
	tap_is(st.st_mode, S_IFCHR | 0600, "a device for root");
	tap_is(st.st_uid | st.st_gid, 0, "and nobody else");
}

/* A client may ask for all that a guest could have; on this host it is not there. */
static void nested_is_allowed(int dev)
{
	struct mshv_create_partition v1 = {
		.pt_flags = 1 << MSHV_PT_BIT_LAPIC | 1 << MSHV_PT_BIT_NESTED_VIRTUALIZATION |
			    1 << MSHV_PT_BIT_SMT_ENABLED_GUEST,
	};
	int part = ov_ioctl(dev, MSHV_CREATE_PARTITION, &v1), vp;
	uint32_t ecx;

	tap_ok(part >= 0, "nested virtualization may be asked for");
	ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL);
	vp = ov_vp(part, 0);
	ecx = features_ecx(part);
	tap_is(ecx & 1, 1, "the guest has SSE3");
	tap_is(ecx >> 5 & 1, 0, "and no VMX");
	close(vp);
	close(part);
}

static void creation(int dev)
{
	struct mshv_create_partition v1 = { .pt_flags = 1 << MSHV_PT_BIT_LAPIC };
	struct mshv_create_partition_v2 v2 = {
		.pt_flags = 1 << MSHV_PT_BIT_LAPIC | 1 << MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES,
		.pt_num_cpu_fbanks = 2,
	};
	int part = ov_ioctl(dev, MSHV_CREATE_PARTITION, &v1);

	tap_ok(part >= 0, "CREATE_PARTITION, first form");
	close(part);
	v1.pt_flags = 1 << MSHV_PT_BIT_COUNT;
	tap_is(-ov_ioctl(dev, MSHV_CREATE_PARTITION, &v1), EINVAL, "an unknown flag");
	v1.pt_flags = 1 << MSHV_PT_BIT_LAPIC;
	v1.pt_isolation = 1;
	tap_is(-ov_ioctl(dev, MSHV_CREATE_PARTITION, &v1), EINVAL, "isolation is not there");
	tap_is(-ov_ioctl(dev, MSHV_CREATE_PARTITION, NULL), EFAULT, "a null pointer");
	part = ov_ioctl(dev, MSHV_CREATE_PARTITION, &v2);
	tap_ok(part >= 0, "CREATE_PARTITION, second form");
	close(part);
	v2.pt_num_cpu_fbanks = 3;
	tap_is(-ov_ioctl(dev, MSHV_CREATE_PARTITION, &v2), EINVAL, "three feature banks");
	v2.pt_num_cpu_fbanks = 2;
	v2.pt_rsvd[0] = 1;
	tap_is(-ov_ioctl(dev, MSHV_CREATE_PARTITION, &v2), EINVAL, "reserved bytes");
	v2.pt_rsvd[0] = 0;
	v2.pt_rsvd1[1] = 1;
	tap_is(-ov_ioctl(dev, MSHV_CREATE_PARTITION, &v2), EINVAL, "reserved words");
	v2.pt_rsvd1[1] = 0;
	v2.pt_cpu_fbanks[0] = v2.pt_cpu_fbanks[1] = v2.pt_disabled_xsave = ~0ull;
	part = ov_ioctl(dev, MSHV_CREATE_PARTITION, &v2);
	tap_ok(part >= 0, "every feature disabled is taken");
	tap_is(ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL), 0, "INITIALIZE");
	tap_is(ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL), 0, "INITIALIZE twice");
	close(part);
}

/* what is asked for too early, or of the wrong file */
static void wrong_order(int dev)
{
	struct mshv_create_vp vp = { .vp_index = 0 };
	int part = create(dev), fd;

	tap_is(-ov_ioctl(part, MSHV_CREATE_VP, &vp), EIO, "CREATE_VP before INITIALIZE");
	tap_is(-ov_ioctl(part, MSHV_CREATE_VP, NULL), EFAULT, "CREATE_VP: a null pointer");
	vp.vp_index = 256;
	tap_is(-ov_ioctl(part, MSHV_CREATE_VP, &vp), EINVAL, "an index too large is told first");
	tap_is(ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL), 0, "INITIALIZE");
	vp.vp_index = 0;
	fd = ov_ioctl(part, MSHV_CREATE_VP, &vp);
	tap_ok(fd >= 0, "then CREATE_VP works");
	close(fd);
	tap_is(-ov_ioctl(part, MSHV_CREATE_VP, &vp), EEXIST, "the VP is there for the partition's life");
	tap_is(-ov_ioctl(part, MSHV_CREATE_PARTITION, &vp), ENOTTY, "CREATE_PARTITION on P");
	tap_is(-ov_ioctl(dev, MSHV_INITIALIZE_PARTITION, NULL), ENOTTY, "INITIALIZE on D");
	close(part);
}

static void properties(int dev)
{
	int part = create(dev);
	uint16_t status;
	uint64_t v = 0;

	tap_is(get_property(dev, HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0, &v, &status), 0,
	       "processor features on D");
	tap_is(status, 0, "status");
	tap_is(get_property(dev, HV_PARTITION_PROPERTY_PROCESSOR_FEATURES1, &v, &status), 0,
	       "and bank 1");
	tap_ok(set_property(dev, HV_PARTITION_PROPERTY_TIME_FREEZE, 1, &status) != 0,
	       "no property can be set on D");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, ~0ull, &status), 0,
	       "synthetic features, all of them, early");
	tap_is(ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL), 0, "INITIALIZE");
	tap_is(get_property(part, HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, &v, &status), 0,
	       "they read back");
	tap_ok(set_property(part, 0x00010000, 0, &status) != 0, "property 10000 after INITIALIZE");
	tap_is(status, HV_STATUS_INVALID_PARTITION_STATE, "gives status 7");
	tap_is(get_property(part, HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY, &v, &status), 0,
	       "clock frequency");
	tap_ok(v > 1000000, "%llu Hz", (long long)v);
	tap_is(get_property(part, HV_PARTITION_PROPERTY_MAX_XSAVE_DATA_SIZE, &v, &status), 0,
	       "XSAVE size");
	tap_ok(v >= 576 && v <= 4096, "at most a page: %llu", (long long)v);
	tap_is(get_property(part, HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH, &v, &status), 0,
	       "physical width");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION, 1, &status), 0,
	       "unimplemented MSRs: ignore");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_TIME_FREEZE, 1, &status), 0, "freeze");
	tap_is(set_property(part, HV_PARTITION_PROPERTY_TIME_FREEZE, 0, &status), 0, "thaw");
	tap_ok(get_property(part, 0x12345678, &v, &status) != 0, "an unknown property");
	tap_ok(status != 0, "with a status: %#x", status);
	close(part);
}

static void hvcall_rules(int dev)
{
	struct { uint64_t part; uint32_t code, pad; } in = {
		.code = HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY,
	};
	uint64_t out;
	struct mshv_root_hvcall good = {
		.code = HVCALL_GET_PARTITION_PROPERTY, .in_sz = sizeof(in), .out_sz = 8,
		.in_ptr = (uintptr_t)&in, .out_ptr = (uintptr_t)&out,
	}, c;
	int part = create(dev);

#define WRONG(what, error, change) do {						\
		c = good;							\
		change;								\
		tap_is(-ov_ioctl(part, MSHV_ROOT_HVCALL, &c), error, "ROOT_HVCALL: " what);	\
	} while (0)
	WRONG("good", 0, (void)0);
	WRONG("status not zero", EINVAL, c.status = 1);
	WRONG("reserved bytes", EINVAL, c.rsvd[3] = 1);
	WRONG("no input", EINVAL, c.in_ptr = 0);
	WRONG("input too small", EINVAL, c.in_sz = 7);
	WRONG("input too large", EINVAL, c.in_sz = 4097);
	WRONG("output size 0", EINVAL, c.out_sz = 0);
	WRONG("output too large", EINVAL, c.out_sz = 4097);
	WRONG("bad input pointer", EFAULT, c.in_ptr = 8);
	WRONG("bad output pointer", EFAULT, c.out_ptr = 8);
	WRONG("a code that is not allowed", EINVAL, c.code = 0x53);
	WRONG("code FFFF", EINVAL, c.code = 0xffff);
	tap_is(-ov_ioctl(part, MSHV_ROOT_HVCALL, NULL), EFAULT, "ROOT_HVCALL: a null pointer");
	close(part);
}

CODE32(io32, "mov $0x3f8, %edx; mov $0x61, %al; add %bl, %al; out %al, (%dx); in (%dx), %al; mov %eax, 0x80000010;"
	     "mov 0x80000014, %ecx; rep outsb; out %al, $0xf4");

static void messages(void)
{
	struct hv_x64_io_port_intercept_message io;
	struct hv_x64_memory_intercept_message mem;
	struct hv_message msg;
	struct machine m;
	uint64_t v[2];
	uint16_t status;

	machine(&m, io32, CODE_LEN(io32));
	set_reg(m.vp, HV_X64_REGISTER_RBX, 2, 0, &status);
	tap_is(-ov_ioctl(m.vp, MSHV_RUN_VP, NULL), EFAULT, "RUN_VP: a null pointer");
	machine_end(&m);

	machine(&m, io32, CODE_LEN(io32));
	set_reg(m.vp, HV_X64_REGISTER_RBX, 2, 0, &status);
	tap_is(run(&m, &msg), 0, "RUN_VP");
	memcpy(&io, msg.payload, sizeof(io));
	tap_is(msg.header.message_type, HVMSG_X64_IO_PORT_INTERCEPT, "a port message");
	tap_is(msg.header.payload_size, sizeof(io), "payload size");
	tap_is(io.port_number, 0x3f8, "port 3F8");
	tap_is(io.access_info & 7, 1, "one byte");
	tap_is(io.access_info >> 3, 0, "no string, no REP");
	tap_is(io.header.intercept_access_type, HV_INTERCEPT_ACCESS_WRITE, "a write");
	tap_is(io.header.rip, OV_CODE + 9, "RIP is at the OUT");
	tap_is(io.header.instruction_length_cr8 & 15, 1, "one byte long");
	tap_is(io.rax & 0xff, 0x63, "AL");
	tap_is(io.header.cs.selector, 8, "CS");
	tap_is(io.header.vp_index, 0, "VP");
	tap_is(memcmp(&msg, m.msg, sizeof(msg)), 0, "page 1 holds the same message");
	tap_is(m.page->rip, OV_CODE + 9, "register page: RIP");
	tap_is(m.page->gpr[3], 2, "register page: RBX");
	tap_is(m.page->isvalid, 1, "register page: valid");
	m.page->rip++;
	m.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP;

	tap_is(run(&m, &msg), 0, "RUN_VP, RIP moved by the page");
	memcpy(&io, msg.payload, sizeof(io));
	tap_is(io.header.intercept_access_type, HV_INTERCEPT_ACCESS_READ, "an IN");
	m.page->gpr[0] = 0x1277;
	m.page->rip++;
	m.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP | 1u << HV_X64_REGISTER_CLASS_GENERAL;

	tap_is(run(&m, &msg), 0, "RUN_VP, RAX set by the page");
	memcpy(&mem, msg.payload, sizeof(mem));
	tap_is(msg.header.message_type, HVMSG_UNMAPPED_GPA, "a store to nothing");
	tap_is(msg.header.payload_size, sizeof(mem), "payload size");
	tap_is(mem.guest_physical_address, 0x80000010, "GPA");
	tap_is(mem.guest_virtual_address, 0x80000010, "GVA");
	tap_is(mem.memory_access_info & 3, 3, "both are valid");
	tap_is(mem.header.intercept_access_type, HV_INTERCEPT_ACCESS_WRITE, "a write");
	tap_ok(mem.instruction_byte_count >= 5, "%u instruction bytes", mem.instruction_byte_count);
	tap_is(mem.instruction_bytes[0], 0xa3, "the first is MOV moffs");
	tap_is(m.page->gpr[0], 0x1277, "RAX as set");
	tap_is(m.page->ds.selector, 16, "register page: DS");
	tap_is(m.page->cr0 & 1, 1, "register page: CR0");
	/* this time by hypercall */
	tap_is(set_reg(m.vp, HV_X64_REGISTER_RIP, m.page->rip + 5, 0, &status), 0, "RIP by hypercall");
	tap_is(run(&m, &msg), 0, "RUN_VP");
	memcpy(&mem, msg.payload, sizeof(mem));
	tap_is(mem.guest_physical_address, 0x80000014, "the load");
	tap_is(mem.header.intercept_access_type, HV_INTERCEPT_ACCESS_READ, "a read");
	m.page->rip += 6;
	m.page->gpr[1] = 3;
	m.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP | 1u << HV_X64_REGISTER_CLASS_GENERAL;
	tap_is(run(&m, &msg), 0, "RUN_VP");
	memcpy(&io, msg.payload, sizeof(io));
	tap_is(msg.header.message_type, HVMSG_X64_IO_PORT_INTERCEPT, "REP OUTSB");
	tap_is(io.access_info >> 3 & 3, 3, "string and REP");
	tap_is(io.rcx, 3, "RCX");
	tap_ok(io.instruction_byte_count >= 2, "instruction bytes");
	tap_is(io.instruction_bytes[0], 0xf3, "REP");
	m.page->rip += 2;
	m.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP;
	tap_is(run(&m, &msg), 0, "RUN_VP");
	tap_is(get_reg(m.vp, HV_X64_REGISTER_RCX, v, &status), 0, "registers by hypercall");
	tap_is(v[0], 3, "RCX");
	machine_end(&m);
}

CODE32(loop32, "mov $0x4000, %esp; jmp 1f; .skip 64; 1: inc %ebx; jmp 1b");

static void on_timer(int sig)
{
	(void)sig;
}

/* A client that stops a VP by a signal saves what the page says. */
static void interrupted(void)
{
	struct itimerval once = { .it_value.tv_usec = 20000 };
	struct sigaction sa = { .sa_handler = on_timer }, old;
	struct hv_message msg;
	struct machine m;
	uint64_t v[2];
	uint16_t status;

	machine(&m, loop32, CODE_LEN(loop32));
	sigaction(SIGPROF, &sa, &old);
	setitimer(ITIMER_PROF, &once, NULL);
	tap_is(-ov_ioctl(m.vp, MSHV_RUN_VP, &msg), EINTR, "RUN_VP ends by a signal");
	sigaction(SIGPROF, &old, NULL);
	tap_ok(m.page->rip > OV_CODE + 64, "register page: RIP is in the loop");
	get_reg(m.vp, HV_X64_REGISTER_RIP, v, &status);
	tap_is(m.page->rip, v[0], "as by hypercall");
	tap_is(m.page->gpr[4], 0x4000, "register page: RSP");
	tap_is(m.page->dirty, 0, "register page: nothing is dirty");
	machine_end(&m);
}

CODE32(ud32, "ud2");
CODE32(call32, "mov $0x5c, %ecx; xor %edx, %edx; vmcall; out %al, $0xf4");

static void other_messages(void)
{
	struct mshv_user_mem_region ro = { .size = 4096, .guest_pfn = 0x100000 };
	struct hv_message msg;
	struct machine m;

	machine(&m, ud32, CODE_LEN(ud32));
	tap_is(run(&m, &msg), 0, "a triple fault");
	tap_is(msg.header.message_type, HVMSG_UNRECOVERABLE_EXCEPTION, "is a message");
	machine_end(&m);
	/* no intercept installed: the kernel answers hypercalls itself */
	machine(&m, call32, CODE_LEN(call32));
	tap_is(run(&m, &msg), 0, "a hypercall");
	tap_is(msg.header.message_type, HVMSG_X64_IO_PORT_INTERCEPT, "does not come up");
	machine_end(&m);
	/* a write to a read-only region is a GPA intercept */
	machine(&m, io32, CODE_LEN(io32));
	ro.guest_pfn = 0x10000;
	ro.userspace_addr = (uintptr_t)m.ram;
	tap_is(ov_ioctl(m.part, MSHV_SET_GUEST_MEMORY, &ro), 0, "a read-only alias of RAM");
	memcpy(m.ram + OV_CODE, (uint8_t[]){ 0xa3, 0, 0, 0, 0x10, 0xe6, 0xf4 }, 7);
	tap_is(run(&m, &msg), 0, "a store to it");
	tap_is(msg.header.message_type, HVMSG_GPA_INTERCEPT, "is a GPA intercept");
	machine_end(&m);
}

static void memory_rules(int dev)
{
	int part = create(dev);
	uint8_t *p = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mshv_user_mem_region good = {
		.size = RAM / 2, .guest_pfn = 0x100, .userspace_addr = (uintptr_t)p,
		.flags = 1 << MSHV_SET_MEM_BIT_WRITABLE,
	}, r;

	ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL);
#define MEM(what, error, change) do {						\
		r = good;							\
		change;								\
		tap_is(-ov_ioctl(part, MSHV_SET_GUEST_MEMORY, &r), error, "SET_GUEST_MEMORY: " what);	\
	} while (0)
	MEM("size 0", EINVAL, r.size = 0);
	MEM("size not of pages", EINVAL, r.size = 4097);
	MEM("address not aligned", EINVAL, r.userspace_addr++);
	MEM("unknown flag", EINVAL, r.flags |= 1 << MSHV_SET_MEM_BIT_COUNT);
	MEM("reserved bytes", EINVAL, r.rsvd[6] = 1);
	MEM("unmap of nothing", ENOENT, r.flags = 1 << MSHV_SET_MEM_BIT_UNMAP);
	MEM("map", 0, (void)0);
	MEM("overlap", EEXIST, r.guest_pfn++);
	MEM("the same memory elsewhere", 0, r.guest_pfn = 0x10000);
	MEM("unmap, another size", EINVAL, (r.flags = 1 << MSHV_SET_MEM_BIT_UNMAP, r.size = 4096));
	MEM("unmap, another address", EINVAL,
	    (r.flags = 1 << MSHV_SET_MEM_BIT_UNMAP, r.userspace_addr += 4096));
	MEM("unmap", 0, r.flags = 1 << MSHV_SET_MEM_BIT_UNMAP);
	MEM("unmap twice", ENOENT, r.flags = 1 << MSHV_SET_MEM_BIT_UNMAP);
	tap_is(-ov_ioctl(part, MSHV_SET_GUEST_MEMORY, NULL), EFAULT, "SET_GUEST_MEMORY: a null pointer");
	munmap(p, RAM);
	close(part);
}

static void registers(void)
{
	struct machine m;
	struct get_regs g = { .names = { HV_X64_REGISTER_RAX, HV_X64_REGISTER_CS } };
	uint64_t v[16];
	uint16_t status, reps = 2;

	machine(&m, io32, CODE_LEN(io32));
	tap_is(hvcall(m.vp, HVCALL_GET_VP_REGISTERS, &g, 24, v, 32, &reps, &status), 0,
	       "two registers at once");
	tap_is(reps, 2, "reps says two");
	tap_is(v[3] >> 32 & 0xffff, 8, "the second is CS");
	tap_is(set_reg(m.vp, HV_X64_REGISTER_R8 + 1, 0x1234, 0, &status), 0, "set");
	tap_is(get_reg(m.vp, HV_X64_REGISTER_R8 + 1, v, &status), 0, "get");
	tap_is(v[0], 0x1234, "R9");
	tap_ok(get_reg(m.vp, 0x99999, v, &status) != 0, "an unknown register");
	tap_is(status, HV_STATUS_INVALID_PARAMETER, "status 5");
	tap_ok(set_reg(m.vp, HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, 1, 0, &status) != 0,
	       "deliverability bit 0");
	tap_is(status, HV_STATUS_INVALID_PARAMETER, "status 5");
	g.vp = 1;
	reps = 1;
	tap_ok(hvcall(m.part, HVCALL_GET_VP_REGISTERS, &g, 20, v, 16, &reps, &status) != 0,
	       "a VP that is not there, on P");
	tap_is(status, HV_STATUS_INVALID_VP_INDEX, "its status");
	machine_end(&m);
}

static void blobs(void)
{
	static uint8_t buf[3 * 4096] __attribute__((aligned(4096)));
	struct mshv_get_set_vp_state s = { .type = MSHV_VP_STATE_LAPIC, .buf_ptr = (uintptr_t)buf };
	struct machine m;
	uint32_t *apic = (uint32_t *)buf;

	machine(&m, io32, CODE_LEN(io32));
	tap_is(-ov_ioctl(m.vp, MSHV_GET_VP_STATE, &s), EINVAL, "LAPIC: no room");
	tap_is(s.buf_sz, 4096, "the need is told");
	s.buf_sz = 4096;
	tap_is(ov_ioctl(m.vp, MSHV_GET_VP_STATE, &s), 0, "LAPIC: get");
	tap_is(apic[1] & 0xff, 0x14, "version");
	tap_is(apic[4], 0xff, "SVR");
	tap_is(apic[32], 0x10000, "LVT timer masked");
	apic[35] = 0x700;		/* LINT0: ExtINT */
	apic[36] = 0x400;		/* LINT1: NMI */
	tap_is(ov_ioctl(m.vp, MSHV_SET_VP_STATE, &s), 0, "LAPIC: set");
	memset(buf, 0xff, 4096);
	tap_is(ov_ioctl(m.vp, MSHV_GET_VP_STATE, &s), 0, "LAPIC: get again");
	tap_is(apic[35], 0x700, "LINT0 reads back");
	tap_is(apic[36], 0x400, "LINT1 reads back");
	s.buf_ptr++;
	tap_is(-ov_ioctl(m.vp, MSHV_GET_VP_STATE, &s), EINVAL, "a buffer that is not aligned");
	s.buf_ptr--;
	s.rsvd[1] = 1;
	tap_is(-ov_ioctl(m.vp, MSHV_GET_VP_STATE, &s), EINVAL, "reserved bytes");
	s.rsvd[1] = 0;
	s.type = MSHV_VP_STATE_COUNT;
	tap_is(-ov_ioctl(m.vp, MSHV_GET_VP_STATE, &s), EINVAL, "an unknown type");
	s.type = MSHV_VP_STATE_XSAVE;
	tap_is(ov_ioctl(m.vp, MSHV_GET_VP_STATE, &s), 0, "XSAVE: get");
	tap_is(*(uint32_t *)(buf + 24), 0x1f80, "MXCSR at reset");
	tap_note("XSTATE_BV %#llx XCOMP_BV %#llx", *(long long *)(buf + 512), *(long long *)(buf + 520));
	*(uint32_t *)(buf + 24) = 0x1fa0;
	buf[160] = 0x77;
	*(uint64_t *)(buf + 512) |= 3;
	s.buf_sz = 4096;	/* get wrote the real size, which need not be of pages */
	tap_is(ov_ioctl(m.vp, MSHV_SET_VP_STATE, &s), 0, "XSAVE: set");
	memset(buf, 0, 4096);
	s.buf_sz = 4096;
	ov_ioctl(m.vp, MSHV_GET_VP_STATE, &s);
	tap_is(*(uint32_t *)(buf + 24), 0x1fa0, "MXCSR reads back");
	tap_is(buf[160], 0x77, "XMM0 reads back");
	memset(buf, 0xff, 4096);
	tap_ok(ov_ioctl(m.vp, MSHV_SET_VP_STATE, &s) < 0, "XSAVE: nonsense is refused");
	s.buf_sz = 4096;
	ov_ioctl(m.vp, MSHV_GET_VP_STATE, &s);
	tap_is(*(uint32_t *)(buf + 24), 0x1fa0, "MXCSR is what it was");
	tap_is(buf[160], 0x77, "XMM0 too");
	tap_is(-ov_ioctl(m.vp, MSHV_SET_VP_STATE, NULL), EFAULT, "a null pointer");
	machine_end(&m);
}

static uint16_t blob(int vp, uint8_t type, uint8_t *buf, bool set)
{
	struct mshv_get_set_vp_state s = { .type = type, .buf_sz = 4096, .buf_ptr = (uintptr_t)buf };

	return -ov_ioctl(vp, set ? MSHV_SET_VP_STATE : MSHV_GET_VP_STATE, &s);
}

/* from outside, as clients with a VMBus of their own do it */
static void synic(void)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));
	struct { uint64_t part; uint32_t vp; uint8_t vtl, sint; uint16_t flag; } event = { .sint = 2, .flag = 77 };
	struct {
		uint64_t part;
		uint32_t vp;
		uint8_t vtl, pad[3];
		uint32_t sint;
		struct hv_message msg;
		uint8_t pad2[4];
	} __attribute__((packed)) post = { .sint = 2, .msg.header = { .message_type = 1, .payload_size = 5,
								       .sender = 42 } };
	struct mshv_get_set_vp_state timers = {
		.type = MSHV_VP_STATE_SYNTHETIC_TIMERS, .buf_sz = 4096, .buf_ptr = (uintptr_t)page,
	};
	struct hv_message *slot = (struct hv_message *)page + 2;
	struct machine m;
	uint64_t v[2], newly = 9;
	uint16_t status;

	machine(&m, io32, CODE_LEN(io32));
	memcpy(post.msg.payload, "hello", 5);
	tap_is(hvcall(m.part, HVCALL_SIGNAL_EVENT_DIRECT, &event, sizeof(event), &newly, 8, NULL, &status), 0,
	       "a signal to a SINT that is off is no error");
	tap_is(newly & 0xff, 0, "and nobody hears it");
	hvcall(m.part, HVCALL_POST_MESSAGE_DIRECT, &post, sizeof(post), NULL, 0, NULL, &status);
	tap_is(status, HV_STATUS_INSUFFICIENT_BUFFERS, "a message without slots is for later");
	get_reg(m.vp, HV_REGISTER_SINT0 + 2, v, &status);
	tap_is(v[0], 0x10000, "SINT 2 is masked at reset");
	tap_is(set_reg(m.vp, HV_REGISTER_SINT0 + 2, 0x53, 0, &status), 0, "SINT 2 is set");
	tap_is(set_reg(m.vp, HV_REGISTER_SIMP, 0x5001, 0, &status), 0, "SIMP is set");
	tap_is(set_reg(m.vp, HV_REGISTER_SIEFP, 0x6001, 0, &status), 0, "SIEFP is set");
	tap_is(set_reg(m.vp, HV_REGISTER_SCONTROL, 1, 0, &status), 0, "SCONTROL is set");
	tap_is(set_reg(m.vp, HV_REGISTER_EOM, 0, 0, &status), 0, "EOM can be set");
	get_reg(m.vp, HV_REGISTER_SIMP, v, &status);
	tap_is(v[0], 0x5001, "SIMP reads back");

	tap_is(hvcall(m.part, HVCALL_POST_MESSAGE_DIRECT, &post, sizeof(post), NULL, 0, NULL, &status), 0, "a message");
	tap_is(hvcall(m.part, HVCALL_SIGNAL_EVENT_DIRECT, &event, sizeof(event), &newly, 8, NULL, &status), 0, "an event");
	tap_is(newly & 0xff, 1, "it is new");
	hvcall(m.part, HVCALL_SIGNAL_EVENT_DIRECT, &event, sizeof(event), &newly, 8, NULL, &status);
	tap_is(newly & 0xff, 0, "once");
	tap_is(blob(m.vp, MSHV_VP_STATE_SIMP, page, false), 0, "the SIM page");
	tap_is(slot->header.message_type, 1, "the message is there");
	tap_is(slot->header.payload_size, 5, "its size");
	tap_is(slot->header.sender, 42, "its sender");
	tap_ok(!memcmp(slot->payload, "hello", 5), "its payload");
	tap_is(slot->header.message_flags, 0, "nothing waits behind it");
	hvcall(m.part, HVCALL_POST_MESSAGE_DIRECT, &post, sizeof(post), NULL, 0, NULL, &status);
	tap_is(status, HV_STATUS_INSUFFICIENT_BUFFERS, "the slot is full");
	blob(m.vp, MSHV_VP_STATE_SIMP, page, false);
	tap_is(slot->header.message_flags, 1, "now something does");
	memset(page, 0, sizeof(page));
	tap_is(blob(m.vp, MSHV_VP_STATE_SIMP, page, true), 0, "an empty page is put in");
	tap_is(hvcall(m.part, HVCALL_POST_MESSAGE_DIRECT, &post, sizeof(post), NULL, 0, NULL, &status), 0,
	       "and takes a message again");
	tap_is(blob(m.vp, MSHV_VP_STATE_SIEFP, page, false), 0, "the SIEF page");
	tap_is(page[512 + 77 / 8], 1 << 77 % 8, "flag 77 of SINT 2");
	event.sint = 16;
	tap_is(hvcall(m.part, HVCALL_SIGNAL_EVENT_DIRECT, &event, sizeof(event), &newly, 8, NULL, &status), 0,
	       "a SINT that is none is no error");
	post.sint = 16;
	tap_ok(hvcall(m.part, HVCALL_POST_MESSAGE_DIRECT, &post, sizeof(post), NULL, 0, NULL, &status) != 0, "for a message it is");
	event.vp = 3;
	hvcall(m.part, HVCALL_SIGNAL_EVENT_DIRECT, &event, sizeof(event), &newly, 8, NULL, &status);
	tap_is(status, HV_STATUS_INVALID_VP_INDEX, "a VP that is not there");

	tap_is(set_reg(m.vp, HV_REGISTER_STIMER0_CONFIG + 2, 0x1538, 0, &status), 0, "a timer's configuration");
	tap_is(set_reg(m.vp, HV_REGISTER_STIMER0_CONFIG + 3, 1ull << 60, 0, &status), 0, "its count");
	page[512 + 80 / 8] = 1;
	tap_is(blob(m.vp, MSHV_VP_STATE_SIEFP, page, true), 0, "put in, with one flag more");
	memset(page, 0xff, sizeof(page));
	blob(m.vp, MSHV_VP_STATE_SIEFP, page, false);
	tap_is(page[512 + 80 / 8], 1, "reads back");
	tap_is(page[512 + 77 / 8], 1 << 77 % 8, "beside what was there");
	memset(page, 0xff, sizeof(page));
	tap_is(ov_ioctl(m.vp, MSHV_GET_VP_STATE, &timers), 0, "the timers");
	tap_is(timers.buf_sz, 200, "200 bytes");
	tap_is(page[200], 0xff, "and no more are written");
	tap_is(((uint64_t *)page)[5 + 1], 0x1538, "its configuration is in it, not switched on by the count");
	tap_is(((uint64_t *)page)[5 + 2], 1ull << 60, "and its count");
	((uint64_t *)page)[5 + 1] = 0x1539;
	tap_is(blob(m.vp, MSHV_VP_STATE_SYNTHETIC_TIMERS, page, true), 0, "put in");
	get_reg(m.vp, HV_REGISTER_STIMER0_CONFIG + 2, v, &status);
	tap_is(v[0], 0x1539, "reads back");
	((uint64_t *)page)[0] = 2;
	tap_is(blob(m.vp, MSHV_VP_STATE_SYNTHETIC_TIMERS, page, true), EINVAL, "an unknown flag");
	get_reg(m.vp, HV_REGISTER_STIMER0_CONFIG + 2, v, &status);
	tap_is(v[0], 0x1539, "and nothing was changed");
	machine_end(&m);
}

/* a hypercall, then a stop; the second one empties message slot 2 and says so */
CODE32(vmcall32, "vmcall; out %al, $0xf4");
CODE32(eom32, "movl $0, 0x5200; mov $0x40000084, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; out %al, $0xf4");

static int intercept(struct machine *m, uint32_t type, bool on, uint16_t *status)
{
	struct { uint64_t part; uint32_t mask, type; uint64_t param; } in = { 0, on ? 4 : 0, type, 0 };

	return hvcall(m->part, HVCALL_INSTALL_INTERCEPT, &in, sizeof(in), NULL, 0, NULL, status);
}

/* a fast hypercall from 32-bit code; the message that ends the run */
static uint32_t hypercall32(struct machine *m, uint32_t control, struct hv_message *msg)
{
	__u64 *gpr = m->page->gpr;

	gpr[0] = control;
	gpr[2] = 0;
	gpr[3] = 0x11;			/* EBX:ECX */
	gpr[1] = 0x2233;
	m->page->rip = OV_CODE;
	m->page->dirty = 1u << HV_X64_REGISTER_CLASS_IP | 1u << HV_X64_REGISTER_CLASS_GENERAL;
	return run(m, msg) ? 0 : msg->header.message_type;
}

/* PostMessage and the like for clients with a VMBus of their own (vid-abi.md 3, 5.3) */
static void hypercall_messages(void)
{
	struct hv_x64_hypercall_intercept_message call;
	struct hv_message msg;
	struct machine m;
	uint16_t status;

	machine(&m, vmcall32, CODE_LEN(vmcall32));
	set_reg(m.vp, HV_REGISTER_GUEST_OS_ID, 1, 0, &status);
	tap_is(set_reg(m.vp, HV_X64_REGISTER_HYPERCALL, 0x10001, 0, &status), 0, "the hypercall page is on");
	set_reg(m.vp, HV_X64_REGISTER_XMM0 + 5, 0x5555, 0x6666, &status);
	tap_is(hypercall32(&m, 0x1005d, &msg), HVMSG_X64_IO_PORT_INTERCEPT, "nobody asked for a message");
	tap_is(m.page->gpr[0], HV_STATUS_INVALID_CONNECTION_ID, "a signal to nobody");
	hypercall32(&m, 0x14000, &msg);
	tap_is(m.page->gpr[0], HV_STATUS_INVALID_HYPERCALL_CODE, "an unknown code");

	tap_is(intercept(&m, 0xd, true, &status), 0, "unknown connections are asked for");
	tap_is(hypercall32(&m, 0x1005d, &msg), HVMSG_HYPERCALL_INTERCEPT, "a message");
	memcpy(&call, msg.payload, sizeof(call));
	tap_is(msg.header.payload_size, sizeof(call), "payload size");
	tap_is(call.header.rip, OV_CODE, "RIP is at the VMCALL");
	tap_is(call.header.instruction_length_cr8 & 15, 3, "three bytes long");
	tap_is(call.rax, 0x1005d, "RAX");
	tap_is(call.rbx, 0x11, "RBX");
	tap_is(call.rcx, 0x2233, "RCX");
	tap_is(call.xmm[5][0], 0x5555, "XMM5");
	tap_is(call.xmm[5][1], 0x6666, "all of it");
	tap_is(call.isolated, 0, "not isolated");
	tap_is(m.page->gpr[1], 0x2233, "and the page has them");
	m.page->gpr[0] = 0x77;
	m.page->rip += 3;
	m.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP | 1u << HV_X64_REGISTER_CLASS_GENERAL;
	run(&m, &msg);
	tap_is(msg.header.message_type, HVMSG_X64_IO_PORT_INTERCEPT, "the guest goes on");
	tap_is(m.page->gpr[0], 0x77, "with the client's answer");
	hypercall32(&m, 0x14000, &msg);
	tap_is(m.page->gpr[0], HV_STATUS_INVALID_HYPERCALL_CODE, "unknown codes are another kind");
	tap_is(intercept(&m, 8, true, &status), 0, "they are asked for");
	tap_is(hypercall32(&m, 0x14000, &msg), HVMSG_HYPERCALL_INTERCEPT, "a message");
	tap_is(hypercall32(&m, 0x10008, &msg), HVMSG_X64_IO_PORT_INTERCEPT, "known ones stay the kernel's");
	tap_is(hypercall32(&m, 0x1007e, &msg), HVMSG_X64_IO_PORT_INTERCEPT, "one that is known, with too little input");
	tap_is(m.page->gpr[0], HV_STATUS_INVALID_HYPERCALL_INPUT, "is wrong");
	tap_is(hypercall32(&m, 0x18001, &msg), HVMSG_X64_IO_PORT_INTERCEPT, "extended ones are not by registers");
	m.page->gpr[0] = 0x7e;
	m.page->gpr[2] = 0;
	m.page->gpr[3] = 0;
	m.page->gpr[1] = 0x3000;
	m.page->rip = OV_CODE;
	m.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP | 1u << HV_X64_REGISTER_CLASS_GENERAL;
	run(&m, &msg);
	tap_is(m.page->gpr[0], HV_STATUS_INVALID_PARAMETER, "a device that is not there");
	tap_is(intercept(&m, 0xf, true, &status), 0, "such are asked for");
	m.page->gpr[0] = 0x7e;
	m.page->rip = OV_CODE;
	m.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP | 1u << HV_X64_REGISTER_CLASS_GENERAL;
	run(&m, &msg);
	tap_is(msg.header.message_type, HVMSG_HYPERCALL_INTERCEPT, "a message");
	tap_is(intercept(&m, 0xd, false, &status), 0, "no more");
	tap_is(hypercall32(&m, 0x1005d, &msg), HVMSG_X64_IO_PORT_INTERCEPT, "no message");
	machine_end(&m);
}

static void deliverable(void)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));
	struct hv_x64_synic_sint_deliverable_message told;
	struct hv_message msg, *slot = (struct hv_message *)page + 2;
	struct machine m;
	uint64_t v[2];
	uint16_t status;

	machine_with(&m, eom32, CODE_LEN(eom32), ~0ull);
	set_property(m.part, HV_PARTITION_PROPERTY_TIME_FREEZE, 0, &status);
	tap_is(set_reg(m.vp, HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, 4ull << 48, 0, &status), 0,
	       "SINT 2 is waited for");
	get_reg(m.vp, HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, v, &status);
	tap_is(v[0], 4ull << 48, "reads back");
	run(&m, &msg);
	tap_ok(msg.header.message_type != HVMSG_SYNIC_SINT_DELIVERABLE, "without slots nothing is told");
	set_reg(m.vp, HV_REGISTER_SIMP, 0x5001, 0, &status);
	set_reg(m.vp, HV_REGISTER_SCONTROL, 1, 0, &status);
	set_reg(m.vp, HV_X64_REGISTER_RIP, OV_CODE, 0, &status);
	tap_is(run(&m, &msg), 0, "slots are there");
	memcpy(&told, msg.payload, sizeof(told));
	tap_is(msg.header.message_type, HVMSG_SYNIC_SINT_DELIVERABLE, "it is told at once");
	tap_is(msg.header.payload_size, sizeof(told), "payload size");
	tap_is(told.deliverable_sints, 4, "SINT 2");
	tap_is(told.header.rip, OV_CODE, "before the guest runs");
	get_reg(m.vp, HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, v, &status);
	tap_is(v[0], 0, "and once");

	slot->header.message_type = 1;
	blob(m.vp, MSHV_VP_STATE_SIMP, page, true);
	set_reg(m.vp, HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, 4ull << 48, 0, &status);
	run(&m, &msg);
	memcpy(&told, msg.payload, sizeof(told));
	tap_is(msg.header.message_type, HVMSG_SYNIC_SINT_DELIVERABLE, "a full slot, until the guest writes EOM");
	tap_ok(told.header.rip > OV_CODE, "which it did");
	run(&m, &msg);
	tap_ok(msg.header.message_type != HVMSG_SYNIC_SINT_DELIVERABLE, "then it goes on");
	machine_end(&m);
}

static void routing(int dev)
{
	struct { struct mshv_user_irq_table t; struct mshv_user_irq_entry e[2]; } r = {
		.t = { .nr = 2 },
		.e = { { 1, 0xfee00000, 0, 0x41 }, { 2, 0xfee00000, 0, 0x42 } },
	};
	int part = create(dev), e = eventfd(0, 0);

	ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL);
	tap_is(ov_ioctl(part, MSHV_SET_MSI_ROUTING, &r), 0, "a table of two");
	r.t.rsvd = 1;
	tap_is(-ov_ioctl(part, MSHV_SET_MSI_ROUTING, &r), EINVAL, "reserved word");
	r.t.rsvd = 0;
	r.e[1].gsi = 1;
	tap_is(-ov_ioctl(part, MSHV_SET_MSI_ROUTING, &r), EINVAL, "a GSI twice");
	r.e[1].gsi = 4096;
	tap_is(-ov_ioctl(part, MSHV_SET_MSI_ROUTING, &r), EINVAL, "a GSI too large");
	r.e[1].gsi = 2;
	r.t.nr = 4097;
	tap_is(-ov_ioctl(part, MSHV_SET_MSI_ROUTING, &r), EINVAL, "too many entries");
	r.t.nr = 0;
	tap_is(ov_ioctl(part, MSHV_SET_MSI_ROUTING, &r), 0, "an empty table");
	tap_is(-ov_ioctl(part, MSHV_SET_MSI_ROUTING, NULL), EFAULT, "a null pointer");
	tap_is(ov_irqfd(part, e, 1, 0), 0, "IRQFD");
	close(e);
	close(part);
}

static void intercepts(int dev)
{
	struct { uint64_t part; uint32_t mask, type; uint64_t param; } in = { .mask = 4, .type = 2, .param = 0x100 };
	int part = create(dev);
	uint16_t status;

	ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL);
	tap_is(hvcall(part, HVCALL_INSTALL_INTERCEPT, &in, sizeof(in), NULL, 0, NULL, &status), 0,
	       "InstallIntercept of CPUID 100");
	close(part);
}

int main(void)
{
	int dev;

	tap_begin("abi-mshv", TAP_LIMIT);
	node();
	dev = ov_open();
	creation(dev);
	wrong_order(dev);
	nested_is_allowed(dev);
	properties(dev);
	hvcall_rules(dev);
	memory_rules(dev);
	routing(dev);
	intercepts(dev);
	close(dev);
	registers();
	blobs();
	synic();
	hypercall_messages();
	deliverable();
	messages();
	interrupted();
	other_messages();
	return tap_done();
}
