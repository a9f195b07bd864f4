// SPDX-License-Identifier: GPL-2.0-only
/*
 * The passthrough hypercalls of /dev/mshv that abi-mshv leaves out, each with what goes
 * wrong in it, and what clients rely on without its being written anywhere (the traps of
 * vid-abi.md 5.3).
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "lib/client.h"

#define VEC		0x41
#define COUNT		0x700	/* interrupts, NMIs behind them */
#define READY		0x708
#define TABLE		0x20000	/* a page table for 2 MiB on */
#define ISR		0x2000

/* ---- the host, without a partition --------------------------------------------- */

static int get_property_ex(int fd, uint32_t code, uint64_t out[2], uint16_t out_size, uint16_t *status)
{
	struct { uint64_t part; uint32_t code, pad; uint64_t arg; } in = { .code = code };

	return hvcall(fd, HVCALL_GET_PARTITION_PROPERTY_EX, &in, sizeof(in), out, out_size, NULL, status);
}

static void host_features(void)
{
	const uint32_t xsave = HV_PARTITION_PROPERTY_PROCESSOR_XSAVE_FEATURES;
	const uint32_t assignable = HV_PARTITION_PROPERTY_ASSIGNABLE_SYNTHETIC_PROC_FEATURES;
	int dev = ov_open(), part = create(dev);
	uint64_t out[2] = {}, v = 0, host = 0;
	uint16_t status;

	tap_is(get_property_ex(dev, assignable, out, 16, &status), 0, "synthetic features on D");
	tap_is(out[0], 1, "in one bank");
	tap_ok(out[1], "which are %#llx", (long long)out[1]);
	tap_is(get_property(dev, assignable, &v, &status), 0, "without banks");
	tap_is(v, out[1], "are the same");
	tap_is(get_property_ex(part, assignable, out, 16, &status), 0, "and on P");
	tap_is(v, out[1], "are the same");
	set_property(part, HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, ~0ull, &status);
	get_property(part, HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, &v, &status);
	tap_is(v, out[1], "who asks for all gets these");
	tap_is(get_property_ex(dev, assignable, out, 8, &status), EINVAL, "no room for the bank");
	tap_is(status, HV_STATUS_INVALID_HYPERCALL_INPUT, "its status");
	tap_is(get_property_ex(dev, 0x90007, out, 16, &status), EIO, "what VMMs may use");
	tap_is(status, HV_STATUS_ACCESS_DENIED, "is nobody's business, in words that clients take for none");
	tap_is(get_property_ex(dev, 0x90001, out, 16, &status), EIO, "a property that is none");
	tap_is(status, HV_STATUS_UNKNOWN_PROPERTY, "its status");
	tap_is(get_property(dev, xsave, &host, &status), 0, "XSAVE features on D");
	tap_is(get_property(part, xsave, &v, &status), 0, "and on P");
	tap_ok(v && !(v & ~host), "%#llx are some of %#llx", (long long)v, (long long)host);
	tap_is(set_property(part, xsave, 0, &status), EIO, "they cannot be set");
	tap_is(status, HV_STATUS_ACCESS_DENIED, "its status");
	tap_is(get_property(dev, HV_PARTITION_PROPERTY_TIME_FREEZE, &v, &status), EIO, "D has no time");
	tap_is(status, HV_STATUS_UNKNOWN_PROPERTY, "its status");
	close(part);
	close(dev);
}

/* kept, and no more: cloud-hypervisor passes threads per core here, OpenVMM what its name says */
static void processors_per_socket(void)
{
	const uint32_t code = HV_PARTITION_PROPERTY_PROCESSORS_PER_SOCKET;
	int dev = ov_open(), part = create(dev);
	uint64_t v = 0;
	uint16_t status;

	ov_ioctl(part, MSHV_INITIALIZE_PARTITION, NULL);
	tap_is(set_property(part, code, 2, &status), 0, "processors per socket, after INITIALIZE");
	tap_is(get_property(part, code, &v, &status), 0, "they can be read");
	tap_is(v, 2, "and are what was set");
	tap_is(set_property(part, code, 0, &status), EIO, "none per socket");
	tap_is(status, HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE, "its status");
	close(part);
	close(dev);
}

/* ---- 0x52, and V 0xF2 which says the same ---------------------------------------- */

enum { R = 1, W = 2, X = 4, SET = 0x10, SUPER = 0x40, USER = 0x80 };
enum { OK, NOT_PRESENT, PRIVILEGE, BAD_PTE, NO_TABLE };

struct translate_gva { uint64_t gva, flags, result, gpa; };
#define TRANSLATE_GVA	_IOWR(MSHV_IOCTL, 0xF2, struct translate_gva)

CODE32(out32, "out %al, $0xf4");

/* in long mode, one to one; but for 2 to 4 MiB, which TABLE maps, and 4 to 6 MiB, whose table is nowhere */
static void paged(struct machine *m)
{
	static const uint64_t leaf[] = {
		0x100000 | 7, 0, 0x102000 | 5, 0x103000 | 7 | 1ull << 63, 0x80004000 | 7, 0x105000 | 3,
		0x106000 | 7 | 1ull << 51, 0x107000 | 7, 0x108000 | 7,
	};
	uint64_t *pd;
	struct mach_cpu cpu;

	machine(m, out32, CODE_LEN(out32));
	mach_long_mode(&cpu, m->ram, OV_CODE);
	cpu.cr0 |= 1 << 16;		/* WP */
	cpu.efer |= 1 << 11;		/* NXE */
	ov_set_cpu(m->vp, &cpu);
	pd = (uint64_t *)(m->ram + 0x12000);
	pd[1] = TABLE | 7;
	pd[2] = 0x80000000 | 7;
	memcpy(m->ram + TABLE, leaf, sizeof(leaf));
}

static int translate(int fd, uint32_t vp, uint64_t gva, uint64_t flags, uint32_t *result, uint64_t *gpa,
		     uint16_t *status)
{
	struct { uint64_t part; uint32_t vp, pad; uint64_t flags, page; } in = {
		.vp = vp, .flags = flags, .page = gva >> 12,
	};
	struct { uint32_t result, cache; uint64_t page; } out = { .result = ~0u };
	int err = hvcall(fd, HVCALL_TRANSLATE_VIRTUAL_ADDRESS, &in, sizeof(in), &out, sizeof(out), NULL, status);

	*result = out.result;
	*gpa = out.page << 12;
	return err;
}

static void translations(void)
{
	static const struct { uint64_t gva, flags, gpa; uint32_t result; const char *what; } t[] = {
		{ 0x200000, R, 0x100000, OK, "a page" },
		{ 0x200000, R | W | X, 0x100000, OK, "all of its rights" },
		{ 0x100000, X, 0x100000, OK, "a large page" },
		{ 0x201000, R, 0, NOT_PRESENT, "one that is not present" },
		{ 0x202000, R, 0x102000, OK, "one for reading, read" },
		{ 0x202000, W, 0, PRIVILEGE, "one for reading, written" },
		{ 0x203000, R, 0x103000, OK, "one not to be executed, read" },
		{ 0x203000, X, 0, PRIVILEGE, "one not to be executed, executed" },
		{ 0x204000, R, 0x80004000, OK, "one where no memory is: a device's" },
		{ 0x204000, W, 0x80004000, OK, "one where no memory is, written" },
		{ 0x205000, R, 0x105000, OK, "a supervisor's" },
		{ 0x205000, R | USER, 0, PRIVILEGE, "a supervisor's, for a user" },
		{ 0x206000, R, 0, BAD_PTE, "a reserved bit" },
		{ 0x400000, R, 0, NO_TABLE, "a table where no memory is" },
		{ 0x800000000000, R, 0, NOT_PRESENT, "an address that is not canonical" },
		{ 0x201000, 0, 0, NOT_PRESENT, "not present, no rights asked" },
		{ 0x203000, 0, 0x103000, OK, "no rights asked" },
	};
	uint64_t *leaf, gpa, result64;
	uint32_t result, off = 0x123;
	struct translate_gva v;
	uint16_t status;
	struct machine m;

	paged(&m);
	leaf = (uint64_t *)(m.ram + TABLE);
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		tap_is(translate(i & 1 ? m.part : m.vp, 0, t[i].gva, t[i].flags, &result, &gpa, &status), 0,
		       "0x52: %s", t[i].what);
		tap_is(result, t[i].result, "its result");
		tap_is(gpa, t[i].gpa, "its page");
		result64 = gpa = ~0ull;
		v = (struct translate_gva){ t[i].gva + off, t[i].flags, (uintptr_t)&result64, (uintptr_t)&gpa };
		tap_is(ov_ioctl(m.vp, TRANSLATE_GVA, &v), 0, "0xF2: the same");
		tap_is(result64, t[i].result, "its result");
		tap_is(gpa, t[i].result == OK ? t[i].gpa + off : 0, "its address, to the byte");
	}
	tap_is(leaf[7], 0x107000 | 7, "a walk leaves entries alone");
	translate(m.vp, 0, 0x207000, R | SET, &result, &gpa, &status);
	tap_is(leaf[7], 0x107000 | 0x27, "unless it is to set bits: accessed");
	translate(m.vp, 0, 0x208000, W | SET, &result, &gpa, &status);
	tap_is(leaf[8], 0x108000 | 0x67, "and dirty");
	tap_is(translate(m.vp, 1, 0x200000, R, &result, &gpa, &status), EINVAL, "a VP that is not there");
	tap_is(status, HV_STATUS_INVALID_VP_INDEX, "its status");
	v.result = 8;
	tap_is(-ov_ioctl(m.vp, TRANSLATE_GVA, &v), EFAULT, "0xF2: a bad pointer behind it");
	tap_is(-ov_ioctl(m.vp, TRANSLATE_GVA, NULL), EFAULT, "0xF2: a null pointer");
	tap_is(-ov_ioctl(m.part, TRANSLATE_GVA, &v), ENOTTY, "0xF2 on P");
	machine_end(&m);
}

/* ---- 0x91 and 0xF4 ------------------------------------------------------------------ */

struct result {
	uint64_t part;
	uint32_t vp, type, eax, ecx;
	uint8_t specific, always;
	uint16_t pad;
	struct { uint32_t value, mask; } reg[4];
	uint32_t tail;
};

static int register_result(int fd, const struct result *r, uint16_t size, uint16_t *status)
{
	struct result in = *r;

	in.type = in.type ?: 2;
	return hvcall(fd, HVCALL_REGISTER_INTERCEPT_RESULT, &in, size, NULL, 0, NULL, status);
}

CODE32(cpuid32, "cpuid; out %al, $0xf4");

/* what the guest sees */
static void cpuid_of(struct machine *m, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	struct hv_message msg;
	__u64 *gpr = m->page->gpr;

	gpr[0] = leaf;
	gpr[1] = subleaf;
	m->page->rip = OV_CODE;
	m->page->dirty = 1u << HV_X64_REGISTER_CLASS_IP | 1u << HV_X64_REGISTER_CLASS_GENERAL;
	run(m, &msg);
	out[0] = gpr[0];
	out[1] = gpr[3];
	out[2] = gpr[1];
	out[3] = gpr[2];
}

static void cpuid_values(struct machine *m)
{
	struct { uint64_t part; uint32_t vp, flags; uint64_t pad;
		 struct { uint32_t eax, ecx; uint64_t xfem, xss; } leaf[3]; } in = {
		.leaf = { { .eax = 0 }, { .eax = 0x40000080 }, { .eax = 0xb, .ecx = 1 } },
	};
	uint32_t out[3][4] = {}, guest[4];
	uint16_t reps = 3, status;

	tap_is(hvcall(m->vp, HVCALL_GET_VP_CPUID_VALUES, &in, sizeof(in), out, sizeof(out), &reps, &status), 0,
	       "three leaves in one call");
	tap_is(reps, 3, "reps says so");
	for (unsigned int i = 0; i < 3; i++) {
		cpuid_of(m, in.leaf[i].eax, in.leaf[i].ecx, guest);
		tap_ok(!memcmp(out[i], guest, 16), "leaf %#x.%u is what the guest sees: %#x %#x %#x %#x",
		       in.leaf[i].eax, in.leaf[i].ecx, guest[0], guest[1], guest[2], guest[3]);
	}
	tap_is(hvcall(m->vp, HVCALL_GET_VP_CPUID_VALUES, &in, sizeof(in), out, 32, &reps, &status), EINVAL,
	       "no room for the third");
	tap_is(status, HV_STATUS_INVALID_HYPERCALL_INPUT, "its status");
	tap_is(reps, 0, "and none was read");
	in.vp = 7;
	reps = 3;
	hvcall(m->vp, HVCALL_GET_VP_CPUID_VALUES, &in, sizeof(in), out, sizeof(out), &reps, &status);
	tap_is(status, HV_STATUS_INVALID_VP_INDEX, "a VP that is not there");
}

static void cpuid_results(void)
{
	struct result vs = { .vp = ~0u, .eax = 0x40000080, .reg = {
		{ 0x40000082, ~0u }, { 0x7263694d, ~0u }, { 0x666f736f, ~0u }, { 0x53562074, ~0u } } };
	struct result level = { .eax = 0xb, .ecx = 1, .specific = 1, .reg = { { 5, ~0u }, { 32, ~0u } } };
	struct result vmx = { .vp = ~0u, .eax = 1, .reg = { [2] = { 1 << 5 | 1u << 31, 1 << 5 | 1u << 31 } } };
	struct result cut = { .vp = ~0u, .eax = 1, .reg = { [2] = { 0, 1 } } };
	uint32_t out[4], before[4];
	struct machine m;
	uint16_t status;

	machine_with(&m, cpuid32, CODE_LEN(cpuid32), ~0ull);
	tap_is(register_result(m.part, &vs, 64, &status), 0, "a leaf for all VPs, 64 bytes, on P");
	cpuid_of(&m, 0x40000080, 0, out);
	tap_ok(out[0] == 0x40000082 && out[1] == 0x7263694d && out[3] == 0x53562074, "the guest sees it");
	tap_is(register_result(m.vp, &level, 60, &status), 0, "a subleaf for one VP, 60 bytes, on V");
	level.reg[0].value = 4;
	tap_is(register_result(m.vp, &level, 60, &status), 0, "and once more");
	cpuid_of(&m, 0xb, 0, before);
	cpuid_of(&m, 0xb, 1, out);
	tap_is(out[0], 4, "the last one counts");
	tap_is(out[1], 32, "with all its registers");
	tap_is(out[3], before[3], "the APIC's id is the APIC's");
	tap_ok(before[0] != 4, "and the other subleaf has its own: %u", before[0]);
	cpuid_of(&m, 1, 0, before);
	tap_is(register_result(m.vp, &vmx, 60, &status), 0, "bits are forced on, one may not be");
	cpuid_of(&m, 1, 0, out);
	tap_is(out[2] >> 5 & 1, 0, "VMX stays out");
	tap_is(out[2] >> 31, 1, "the hypervisor's is there");
	tap_is(out[2] & ~(1u << 31), before[2] & ~(1u << 31), "mask is value: the others are as they were");
	tap_is(register_result(m.vp, &cut, 60, &status), 0, "one is forced off");
	cpuid_of(&m, 1, 0, out);
	tap_is(out[2] & 1, 0, "it is");
	cpuid_values(&m);

	vs.type = 3;
	tap_is(register_result(m.part, &vs, 64, &status), EINVAL, "results of MSRs");
	tap_is(status, HV_STATUS_INVALID_PARAMETER, "its status");
	vs.type = 2;
	vs.vp = 9;
	register_result(m.part, &vs, 64, &status);
	tap_is(status, HV_STATUS_INVALID_VP_INDEX, "a VP that is not there");
	level.specific = 2;
	register_result(m.part, &level, 64, &status);
	tap_is(status, HV_STATUS_INVALID_PARAMETER, "neither one subleaf nor all");
	register_result(m.part, &cut, 59, &status);
	tap_is(status, HV_STATUS_INVALID_HYPERCALL_INPUT, "a byte short");
	machine_end(&m);
}

/* ---- a client's thread ----------------------------------------------------------------- */

struct client {
	struct machine *m;
	int vp, ret;
	pid_t tid;
	bool stop, done;
	struct hv_message msg;
	pthread_t thread;
};

static void *client_main(void *arg)
{
	struct client *c = arg;

	__atomic_store_n(&c->tid, gettid(), __ATOMIC_SEQ_CST);
	do
		c->ret = ov_ioctl(c->vp, MSHV_RUN_VP, &c->msg);
	while (c->ret == -EINTR && !__atomic_load_n(&c->stop, __ATOMIC_SEQ_CST));
	__atomic_store_n(&c->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* @once: the first signal ends it */
static void client_start(struct client *c, struct machine *m, int vp, bool once)
{
	*c = (struct client){ .m = m, .vp = vp, .stop = once };
	mach_init_signals();
	if (pthread_create(&c->thread, NULL, client_main, c))
		tap_bail("pthread_create");
}

static bool client_ends(struct client *c, unsigned int ms)
{
	for (; ms && !__atomic_load_n(&c->done, __ATOMIC_SEQ_CST); ms -= 5)
		ov_sleep_ms(5);
	return __atomic_load_n(&c->done, __ATOMIC_SEQ_CST);
}

/* it sleeps in the kernel where no signal wakes it */
static bool client_waits(struct client *c)
{
	char path[64], stat[64] = "";
	int fd;

	for (int i = 0; i < 400 && !strstr(stat, ") D "); i++) {
		ov_sleep_ms(5);
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", __atomic_load_n(&c->tid, __ATOMIC_SEQ_CST));
		fd = open(path, O_RDONLY);
		if (fd >= 0 && read(fd, stat, sizeof(stat) - 1) < 0)
			stat[0] = 0;
		close(fd);
	}
	return strstr(stat, ") D ");
}

static void client_stop(struct client *c)
{
	__atomic_store_n(&c->stop, true, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 200 && !client_ends(c, 10); i++)
		pthread_kill(c->thread, SIGUSR1);
	pthread_join(c->thread, NULL);
}

static volatile uint32_t *word(struct machine *m, uint32_t at)
{
	return (volatile uint32_t *)(m->ram + at);
}

static void becomes(struct machine *m, uint32_t at, uint32_t value, const char *what)
{
	for (int i = 0; i < 400 && *word(m, at) < value; i++)
		ov_sleep_ms(5);
	tap_is(*word(m, at), value, "%s", what);
}

/* ---- 0x94 and 0x56 ---------------------------------------------------------------------- */

/* xAPIC on, logical id 1, LINT0 open; then HLT for ever */
CODE32(take32, "movl $0x1ff, 0xfee000f0; movl $0x01000000, 0xfee000d0; incl 0x708; sti; 1: hlt; jmp 1b");
CODE32(isr32, "incl 0x700; movl $0, 0xfee000b0; iret");
CODE32(nmi32, "incl 0x704; iret");

static void gate(struct machine *m, uint8_t vec, uint32_t at, const uint8_t *code, uint64_t len)
{
	uint16_t status;

	memcpy(m->ram + at, code, len);
	*(uint64_t *)(m->ram + 0x3000 + vec * 8) = at | 0x8ull << 16 | 0x8e00ull << 32;
	set_reg(m->vp, HV_X64_REGISTER_IDTR, 0x7ffull << 48, 0x3000, &status);
}

static void taker(struct machine *m, struct client *c)
{
	machine(m, take32, CODE_LEN(take32));
	gate(m, VEC, ISR, isr32, CODE_LEN(isr32));
	gate(m, 2, ISR + 0x100, nmi32, CODE_LEN(nmi32));
	client_start(c, m, m->vp, false);
	becomes(m, READY, 1, "the guest is up");
}

static int assert_interrupt(int fd, uint32_t type, uint32_t flags, uint64_t dest, uint32_t vector,
			    uint16_t *status)
{
	struct { uint64_t part; uint32_t type, flags; uint64_t dest; uint32_t vector; uint8_t vtl, pad[3]; } in = {
		.type = type, .flags = flags, .dest = dest, .vector = vector,
	};

	return hvcall(fd, HVCALL_ASSERT_VIRTUAL_INTERRUPT, &in, sizeof(in), NULL, 0, NULL, status);
}

/* while the VP is in its run call, from another thread */
static void interrupts(void)
{
	static const struct { uint32_t type, flags; uint64_t dest; uint32_t vector, status; const char *what; } t[] = {
		{ 0, 0, 99, VEC, 0, "for an APIC that is not there" },
		{ 0, 2, 0x80, VEC, 0, "for a logical id that is nobody's" },
		{ 7, 0, 0, VEC, 0, "ExtINT, which no APIC takes by a message" },
		{ 8, 0, 0, VEC, HV_STATUS_INVALID_PARAMETER, "a type that is none" },
		{ 0, 0, 0, 256, HV_STATUS_INVALID_PARAMETER, "a vector that is none" },
		{ 0, 0, 1ull << 32, VEC, HV_STATUS_INVALID_PARAMETER, "an id of 33 bits" },
	};
	uint16_t status;
	struct machine m;
	struct client c;

	taker(&m, &c);
	tap_is(assert_interrupt(m.part, 0, 0, 0, VEC, &status), 0, "0x94 on P: fixed");
	becomes(&m, COUNT, 1, "it arrives");
	tap_is(assert_interrupt(m.vp, 0, 0, 0, VEC, &status), 0, "0x94 on V, which runs");
	becomes(&m, COUNT, 2, "it arrives");
	tap_is(assert_interrupt(m.part, 1, 0, 0, VEC, &status), 0, "lowest priority");
	becomes(&m, COUNT, 3, "it arrives");
	tap_is(assert_interrupt(m.part, 0, 2, 1, VEC, &status), 0, "by a logical id");
	becomes(&m, COUNT, 4, "it arrives");
	tap_is(assert_interrupt(m.part, 4, 0, 0, 0, &status), 0, "an NMI");
	becomes(&m, COUNT + 4, 1, "it arrives");
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		tap_is(assert_interrupt(m.part, t[i].type, t[i].flags, t[i].dest, t[i].vector, &status),
		       t[i].status ? EINVAL : 0, "%s", t[i].what);
		tap_is(status, t[i].status, "its status");
	}
	tap_is(assert_interrupt(m.part, 0, 0, 0, VEC, &status), 0, "one more");
	becomes(&m, COUNT, 5, "is the only one of these that arrived");
	tap_is(c.done, false, "and the run call never ended");
	client_stop(&c);
	machine_end(&m);
}

/* by the native run call, which asks the worker when LINT0 is up */
CODE32(open32, "movl $0x1ff, 0xfee000f0; movl $0x700, 0xfee00350; sti; nop; nop; cli; out %al, $0xf4");

static void clear_interrupt(void)
{
	struct { uint64_t part, more; } in = {};
	struct ovid_run *run;
	struct machine m;
	uint16_t status;

	machine(&m, open32, CODE_LEN(open32));
	run = ov_run_page(m.vp);
	ov_inject(m.part, OVID_INJECT_EXTINT, 0, 1);
	while (ov_run(m.vp) == -EINTR)
		;
	tap_is(run->exit, OVID_EXIT_EXTINT, "a PIC's line is up: the worker is asked");
	tap_is(hvcall(m.part, HVCALL_CLEAR_VIRTUAL_INTERRUPT, &in, sizeof(in), NULL, 0, NULL, &status), 0,
	       "0x56 takes it back");
	run->value = ~0ull;		/* no vector */
	while (ov_run(m.vp) == -EINTR)
		;
	tap_is(run->exit, OVID_EXIT_IO, "and nobody is asked again");
	munmap(run, 4096);
	machine_end(&m);
}

/* ---- EOI --------------------------------------------------------------------------------- */

CODE32(level32, "movl $0x1ff, 0xfee000f0; incl 0x708; sti; 1: hlt; jmp 1b");

/* of a level-triggered vector, on the VP that wrote it: a message of two words without a header */
static void eoi(void)
{
	struct { struct mshv_user_irq_table t; struct mshv_user_irq_entry e; } r = {
		.t = { .nr = 1 }, .e = { 1, 0xfee00000 | 3 << 12, 0, 0x8000 | VEC },
	};
	struct hv_x64_apic_eoi_message told;
	int e = eventfd(0, EFD_NONBLOCK), vp;
	uint64_t one = 1;
	struct mach_cpu cpu;
	struct machine m;
	struct client c;
	uint16_t status;

	machine(&m, level32, CODE_LEN(level32));
	gate(&m, VEC, ISR, isr32, CODE_LEN(isr32));
	vp = ov_vp(m.part, 3);
	mach_protected(&cpu, m.ram, OV_CODE);
	ov_set_cpu(vp, &cpu);
	set_reg_of(vp, 3, HV_X64_REGISTER_IDTR, 0x7ffull << 48, 0x3000, &status);
	set_reg_of(vp, 3, HV_REGISTER_INTERNAL_ACTIVITY_STATE, 0, 0, &status);
	tap_is(ov_ioctl(m.part, MSHV_SET_MSI_ROUTING, &r), 0, "a level-triggered route to APIC 3");
	tap_is(ov_irqfd(m.part, e, 1, 0), 0, "and its eventfd");
	client_start(&c, &m, vp, false);
	becomes(&m, READY, 1, "the guest is up");
	tap_is(write(e, &one, 8), 8, "it fires");
	tap_ok(client_ends(&c, 2000), "the run call ends");
	pthread_join(c.thread, NULL);
	memcpy(&told, c.msg.payload, sizeof(told));
	tap_is(c.ret, 0, "with a message");
	tap_is(c.msg.header.message_type, HVMSG_X64_APIC_EOI, "of an EOI");
	tap_is(c.msg.header.payload_size, sizeof(told), "of two words");
	tap_is(told.vp_index, 3, "the VP's own index");
	tap_is(told.interrupt_vector, VEC, "and the vector");
	tap_is(*word(&m, COUNT), 1, "the guest took it once");
	client_start(&c, &m, vp, false);
	r.e.data = VEC;
	ov_ioctl(m.part, MSHV_SET_MSI_ROUTING, &r);
	tap_is(write(e, &one, 8), 8, "edge-triggered, it fires again");
	becomes(&m, COUNT, 2, "the guest takes it");
	tap_is(client_ends(&c, 20), false, "and its EOI is nobody's");
	client_stop(&c);
	r.e.address_hi = 1;
	tap_is(-ov_ioctl(m.part, MSHV_SET_MSI_ROUTING, &r), EINVAL, "an address above 4 GiB");
	r.e.address_hi = 0;
	r.e.address_lo = 0xfee00000 | 99 << 12;
	tap_is(ov_ioctl(m.part, MSHV_SET_MSI_ROUTING, &r), 0, "a route to an APIC that is not there");
	tap_is(write(e, &one, 8), 8, "fires");
	tap_is(*word(&m, COUNT), 2, "at nobody");
	close(e);
	close(vp);
	machine_end(&m);
}

/* ---- what never comes up, and what a message says ------------------------------------------- */

CODE32(inside32,
       "movl $0x1ff, 0xfee000f0; movl $0xb, 0xfee003e0; movl $0x41, 0xfee00320; movl $1000, 0xfee00380; sti; hlt; cli;"
       "xor %eax, %eax; cpuid; mov $0x1b, %ecx; rdmsr; mov $0x1234, %ecx; rdmsr; wrmsr; mov %eax, %ebp;"
       "pause; mov %cr0, %eax; mov %eax, %cr0; mov %cr3, %eax; mov %eax, %cr3;"
       "mov %cr4, %eax; or $0x40000, %eax; mov %eax, %cr4; mov %dr7, %eax; mov %eax, %dr7; mov %eax, %dr0;"
       "xor %ecx, %ecx; xgetbv; xsetbv; invd; wbinvd; monitor; mwait; invlpg 0x5000; lidt 0x4000; lmsw %ax;"
       "out %al, $0xf4");
CODE32(skip32, "addl $3, (%esp); incl 0x70c; iret");

static void stays_inside(void)
{
	struct hv_message msg;
	struct machine m;
	uint16_t status;
	uint64_t v[2];

	machine(&m, inside32, CODE_LEN(inside32));
	gate(&m, VEC, ISR, isr32, CODE_LEN(isr32));
	gate(&m, 6, ISR + 0x100, skip32, CODE_LEN(skip32));
	memcpy(m.ram + 0x4000, (uint8_t[]){ 0xff, 7, 0, 0x30, 0, 0 }, 6);
	set_property(m.part, HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION, 1, &status);
	set_property(m.part, HV_PARTITION_PROPERTY_TIME_FREEZE, 0, &status);
	get_property(m.part, HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION, v, &status);
	tap_is(v[0], 1, "MSRs that are none are to be ignored");
	tap_is(run(&m, &msg), 0, "HLT, CPUID, MSRs, PAUSE, CR, DR, XSETBV, INVD, MWAIT, and OUT");
	tap_is(msg.header.message_type, HVMSG_X64_IO_PORT_INTERCEPT, "the only message is that of OUT");
	tap_is(m.page->rip, OV_CODE + CODE_LEN(inside32) - 2, "which is where the guest is");
	tap_is(*word(&m, COUNT), 1, "its timer had woken it");
	tap_is(*word(&m, 0x70c), 2, "MONITOR and MWAIT are no instructions for it");
	tap_is(m.page->gpr[5], 0, "the MSR that is none read zero");
	machine_end(&m);
}

static void header_fields(void)
{
	const uint16_t state = HV_X64_EXEC_CR0_PE | HV_X64_EXEC_CR0_AM | HV_X64_EXEC_EFER_LMA | HV_X64_EXEC_DEBUG_ACTIVE;
	/* STI; OUT to F4h; a store of EAX to 204010h */
	static const uint8_t code[] = { 0xfb, 0xe6, 0xf4, 0xa3, 0x10, 0x40, 0x20, 0, 0, 0, 0, 0 };
	struct hv_x64_io_port_intercept_message io;
	struct hv_x64_memory_intercept_message mem;
	struct hv_message msg;
	struct machine m;
	uint16_t status;

	paged(&m);
	memcpy(m.ram + OV_CODE, code, sizeof(code));
	set_reg(m.vp, HV_X64_REGISTER_CR0, 0x80050011, 0, &status);
	set_reg(m.vp, HV_X64_REGISTER_CR8, 5, 0, &status);
	set_reg(m.vp, HV_X64_REGISTER_DR7, 0x401, 0, &status);
	set_reg(m.vp, HV_X64_REGISTER_DR0, 0x7000, 0, &status);
	set_reg(m.vp, HV_X64_REGISTER_RFLAGS, 3, 0, &status);
	tap_is(run(&m, &msg), 0, "STI and OUT in long mode");
	memcpy(&io, msg.payload, sizeof(io));
	tap_is(io.header.execution_state, state | HV_X64_EXEC_INTERRUPT_SHADOW, "execution state: in STI's shadow");
	tap_is(io.header.instruction_length_cr8, 5 << 4 | 2, "CR8, and two bytes");
	tap_is(io.header.rflags, 0x203, "RFLAGS");
	tap_is(io.header.cs.attributes, 0xa09b, "CS");
	m.page->rip += 2;
	m.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP;
	set_reg(m.vp, HV_REGISTER_INTERRUPT_STATE, 0, 0, &status);
	tap_is(run(&m, &msg), 0, "a store to a device");
	memcpy(&mem, msg.payload, sizeof(mem));
	tap_is(msg.header.message_type, HVMSG_UNMAPPED_GPA, "is a memory message");
	tap_is(mem.header.execution_state, state, "execution state: no shadow");
	tap_is(mem.tpr_priority, 5, "TPR");
	tap_is(mem.guest_virtual_address, 0x204010, "GVA");
	tap_is(mem.guest_physical_address, 0x80004010, "GPA");
	tap_is(mem.memory_access_info & 3, 3, "both are valid");
	tap_is(m.page->cr0, 0x80050011, "register page: CR0");
	tap_is(m.page->cr3, 0x10000, "register page: CR3");
	tap_is(m.page->cr4, 0x20, "register page: CR4");
	tap_is(m.page->cr8, 5, "register page: CR8");
	tap_is(m.page->efer, 0xd00, "register page: EFER");
	tap_is(m.page->dr7, 0x401, "register page: DR7");
	tap_is(m.page->rflags & ~(1ull << 16), 0x203, "register page: RFLAGS, whatever RF");
	tap_is(m.page->cs.selector, 8, "register page: CS");
	tap_is(m.page->ss.selector, 16, "register page: SS");
	tap_is(m.page->es.selector, 16, "register page: ES");
	machine_end(&m);
}

CODE32(int32, "int $0x41");

/* an interrupt whose table is a device's: clients give up on such, so they are told */
static void interruption_pending(void)
{
	struct hv_x64_memory_intercept_message mem;
	struct hv_message msg;
	struct machine m;
	uint16_t status;

	machine(&m, int32, CODE_LEN(int32));
	set_reg(m.vp, HV_X64_REGISTER_IDTR, 0x7ffull << 48, 0x80000000, &status);
	tap_is(run(&m, &msg), 0, "an interrupt through a table that is no memory");
	memcpy(&mem, msg.payload, sizeof(mem));
	tap_is(msg.header.message_type, HVMSG_UNMAPPED_GPA, "is a memory message");
	tap_is(mem.guest_physical_address, 0x80000000 + 8 * VEC, "at its gate");
	tap_ok(mem.header.execution_state & HV_X64_EXEC_INTERRUPTION_PENDING, "with an interruption pending");
	machine_end(&m);
}

/* ---- traps ----------------------------------------------------------------------------------- */

static uint64_t reg_of(struct machine *m, uint32_t vp, uint32_t name)
{
	struct get_regs in = { .vp = vp, .names = { name } };
	uint16_t reps = 1, status;
	uint64_t v[2] = { ~0ull };

	hvcall(m->part, HVCALL_GET_VP_REGISTERS, &in, 20, v, 16, &reps, &status);
	return v[0];
}

CODE16(ap16, "mov %cs, %ax; out %al, $0xf4");

/* its registers are set, as clients do with every VP: it waits for SIPI all the same */
static void application_processor(void)
{
	struct hv_x64_io_port_intercept_message io;
	struct mach_cpu cpu;
	struct machine m;
	struct client c;
	uint16_t status;
	int vp;

	machine(&m, out32, CODE_LEN(out32));
	vp = ov_vp(m.part, 1);
	tap_is(reg_of(&m, 1, HV_REGISTER_INTERNAL_ACTIVITY_STATE), 1, "VP 1 waits for SIPI");
	mach_protected(&cpu, m.ram, OV_CODE);
	ov_set_cpu(vp, &cpu);
	tap_is(set_reg_of(vp, 1, HV_X64_REGISTER_RIP, OV_CODE, 0, &status), 0, "its RIP is set");
	tap_is(reg_of(&m, 1, HV_REGISTER_INTERNAL_ACTIVITY_STATE), 1, "it waits as before");
	memcpy(m.ram + 0x5000, ap16, CODE_LEN(ap16));
	client_start(&c, &m, vp, false);
	tap_is(client_ends(&c, 50), false, "in its run call, too");
	tap_is(assert_interrupt(m.part, 5, 0, 1, 0, &status), 0, "INIT by 0x94");
	tap_is(assert_interrupt(m.part, 6, 0, 1, 5, &status), 0, "SIPI by 0x94");
	tap_ok(client_ends(&c, 2000), "it runs");
	pthread_join(c.thread, NULL);
	memcpy(&io, c.msg.payload, sizeof(io));
	tap_is(c.msg.header.message_type, HVMSG_X64_IO_PORT_INTERCEPT, "to its OUT");
	tap_is(io.header.vp_index, 1, "VP 1");
	tap_is(io.header.cs.selector, 0x500, "where SIPI said");
	tap_is(io.header.rip, CODE_LEN(ap16) - 2, "from the start");
	tap_is(io.rax & 0xffff, 0x500, "in real mode");
	close(vp);
	machine_end(&m);
}

CODE32(loop32, "movl $1, 0x6000; 1: jmp 1b");

/* a signal that came while the call waited for the VP: the guest does not run first */
static void signal_before(void)
{
	struct client first, second;
	struct machine m;

	machine(&m, loop32, CODE_LEN(loop32));
	client_start(&first, &m, m.vp, false);
	becomes(&m, 0x6000, 1, "the guest runs");
	client_start(&second, &m, m.vp, true);
	tap_ok(client_waits(&second), "a second thread waits for the VP");
	pthread_kill(second.thread, SIGUSR1);
	/* the first one may leave the kernel for a moment, and come back behind it */
	client_stop(&first);
	tap_ok(client_ends(&second, 2000), "it is its turn, and that of its signal");
	pthread_join(second.thread, NULL);
	tap_is(second.ret, -EINTR, "EINTR");
	machine_end(&m);
}

struct locker { int part; void *page; int ret; };

static void *lock_main(void *arg)
{
	struct locker *l = arg;

	l->ret = ov_policy(l->part, OVID_MSR_FAULT, l->page, 1);
	return NULL;
}

/*
 * What clients send from any thread waits neither for a VP nor for the partition, whose
 * lock another call holds here: it reads its argument from a page that does not come.
 */
static void without_locks(void)
{
	struct { uint64_t part; uint32_t vp; uint8_t vtl, sint; uint16_t flag; } event = { .sint = 2, .flag = 7 };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_zeropage zero = {};
	struct locker l = {};
	struct uffd_msg asked;
	uint64_t v, newly;
	pthread_t thread;
	uint16_t status;
	struct machine m;
	struct client c;
	int n = 0;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api)) {
		tap_skip("calls that wait for no lock", "the host has no userfaultfd");
		return;
	}
	taker(&m, &c);
	l.part = m.part;
	l.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)l.page;
	reg.range.len = 4096;
	zero.range = reg.range;
	ioctl(fd, UFFDIO_REGISTER, &reg);
	pthread_create(&thread, NULL, lock_main, &l);
	for (; n < 200 && read(fd, &asked, sizeof(asked)) < 0; n++)
		ov_sleep_ms(5);
	tap_ok(n < 200, "a call holds the partition's lock");
	tap_is(assert_interrupt(m.part, 0, 0, 0, VEC, &status), 0, "0x94 does not wait");
	becomes(&m, COUNT, 1, "and arrives");
	tap_is(hvcall(m.part, HVCALL_SIGNAL_EVENT_DIRECT, &event, sizeof(event), &newly, 8, NULL, &status), 0,
	       "0xC0 does not");
	tap_is(get_property(m.part, HV_PARTITION_PROPERTY_REFERENCE_TIME, &v, &status), 0, "0x44 does not");
	tap_is(ioctl(fd, UFFDIO_ZEROPAGE, &zero), 0, "the page comes");
	pthread_join(thread, NULL);
	tap_is(l.ret, 0, "the call ends");
	client_stop(&c);
	close(fd);
	munmap(l.page, 4096);
	machine_end(&m);
}

/* numbers of other mshv drivers; cloud-hypervisor tries some of them first */
static void unknown_calls(void)
{
	static const uint8_t part_nr[] = { 0x08, 0x09, 0x0a, 0xf0, 0xf1, 0xf4, 0xf7, 0xf9 };
	static const uint8_t vp_nr[] = { 0x05, 0x06, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf6 };
	uint8_t arg[256] = {};
	struct machine m;

	machine(&m, out32, CODE_LEN(out32));
	for (unsigned int i = 0; i < 8; i++) {
		tap_is(-ov_ioctl(m.part, _IOC(3, MSHV_IOCTL, part_nr[i], 12), arg), ENOTTY, "P %#x", part_nr[i]);
		tap_is(-ov_ioctl(m.vp, _IOC(3, MSHV_IOCTL, vp_nr[i], 16), arg), ENOTTY, "V %#x", vp_nr[i]);
	}
	tap_is(-ov_ioctl(m.dev, _IOC(3, MSHV_IOCTL, 0x01, 16), arg), ENOTTY, "D 0x1");
	machine_end(&m);
}

int main(void)
{
	tap_begin("abi-mshv-calls", TAP_LIMIT);
	host_features();
	processors_per_socket();
	translations();
	cpuid_results();
	interrupts();
	clear_interrupt();
	eoi();
	stays_inside();
	header_fields();
	interruption_pending();
	application_processor();
	signal_before();
	without_locks();
	unknown_calls();
	return tap_done();
}
