// SPDX-License-Identifier: GPL-2.0-only
/* VPs: creation, mapped pages, registers */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define OVID_TEST_MAX_VPS	240

static void creation(int dev)
{
	struct ovid_info info;
	struct mshv_create_vp arg = { .vp_index = 3 };
	int part = ov_partition(dev, "vps"), vp, last;

	ov_info(dev, &info);
	vp = ov_vp(part, 0);
	tap_ok(vp >= 0, "VP 0");
	tap_is(fcntl(vp, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "V is close-on-exec");
	tap_is(-ov_vp(part, 0), EEXIST, "the same index again");
	last = ov_vp(part, info.max_vps - 1);
	tap_ok(last >= 0, "the last index, with a gap");
	tap_is(-ov_vp(part, info.max_vps), EINVAL, "one beyond");
	tap_is(-ov_vp(part, ~0u), EINVAL, "2^32-1");
	tap_is(-ov_ioctl(part, MSHV_CREATE_VP, NULL), EFAULT, "a null pointer");
	close(vp);
	tap_is(-ov_vp(part, 0), EEXIST, "a VP lives as long as its partition");
	close(last);
	vp = ov_ioctl(part, MSHV_CREATE_VP, &arg);
	tap_ok(vp >= 0, "another");
	close(vp);
	close(part);
}

/* as many as there can be, and one more */
static void crowd(int dev)
{
	int part = ov_partition(dev, "crowd"), vp[OVID_TEST_MAX_VPS], bad = 0;
	struct ovid_info info;
	uint32_t i, nr;

	ov_info(dev, &info);
	nr = info.max_vps;
	tap_is(nr, OVID_TEST_MAX_VPS, "VPs in a partition");
	for (i = 0; i < nr; i++) {
		vp[i] = ov_vp(part, i);
		if (vp[i] < 0)
			break;
	}
	if (!tap_is(i, nr, "all of them are made"))
		tap_bail("VP %u: %s", i, strerror(-vp[i]));
	tap_is(-ov_vp(part, nr), EINVAL, "one more is refused");
	tap_is(-ov_vp(part, nr - 1), EEXIST, "the last one once more");
	for (i = 0; i < nr; i++)
		bad += ov_set(vp[i], HV_X64_REGISTER_R8, i * 3 + 1) != 0;
	for (i = 0; i < nr; i++)
		bad += ov_get(vp[i], HV_X64_REGISTER_R8) != i * 3 + 1 ||
		       ov_get(vp[i], HV_REGISTER_VP_INDEX) != i ||
		       ov_get(vp[i], HV_X64_REGISTER_APIC_ID) != i;
	tap_is(bad, 0, "each has registers of its own, its index and its APIC id");
	for (i = 0; i < nr; i++)
		close(vp[i]);
	close(part);
}

static void bus_error(int sig)
{
	_exit(sig == SIGBUS ? 33 : 34);
}

static int touch_behind(int vp, uint64_t offset, unsigned int pages)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		volatile char *p;

		signal(SIGBUS, bus_error);
		signal(SIGSEGV, bus_error);
		p = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vp, offset);
		if (p == MAP_FAILED)
			_exit(1);
		p[0] = p[0];
		p[pages * 4096 - 1] = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int map_errno(int vp, uint64_t page, int prot, int flags)
{
	void *p = mmap(NULL, 4096, prot, flags, vp, page * 4096);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, 4096);
	return 0;
}

static void pages(int dev)
{
	const int rw = PROT_READ | PROT_WRITE;
	int part = ov_partition(dev, "pages"), vp = ov_vp(part, 0), x;
	struct hv_vp_register_page *p = ov_register_page(vp);
	struct ovid_run *run = ov_run_page(vp);

	tap_is(p->version, 1, "register page: version");
	tap_is(p->isvalid, 1, "register page: valid from creation on");
	tap_is(p->dirty, 0, "register page: nothing dirty");
	tap_is(p->rip, 0xfff0, "register page: RIP at the reset vector");
	tap_is(p->cs.base, 0xffff0000, "register page: CS base");
	tap_is(p->cs.selector, 0xf000, "register page: CS selector");
	tap_is(run->exit, OVID_EXIT_NONE, "run page: no exit yet");
	tap_is(run->cancel, 0, "run page: not cancelled");
	tap_is(map_errno(vp, 1, PROT_READ, MAP_SHARED), 0, "message page");
	tap_is(map_errno(vp, 2, PROT_READ, MAP_SHARED), ENODEV, "GHCB page: not there");
	tap_is(map_errno(vp, 3, PROT_READ, MAP_SHARED), EINVAL, "page 3");
	tap_is(map_errno(vp, 0xfff, PROT_READ, MAP_SHARED), EINVAL, "page FFF");
	tap_is(map_errno(vp, 0x1001, PROT_READ, MAP_SHARED), EINVAL, "page 1001");
	tap_is(map_errno(vp, 0xfffffffff, PROT_READ, MAP_SHARED), EINVAL, "a far page");
	tap_ok(map_errno(vp, 0, rw, MAP_PRIVATE) != 0, "a private mapping is refused");
	tap_ok(map_errno(part, 0, rw, MAP_SHARED) != 0, "P cannot be mapped");
	tap_ok(map_errno(dev, 0, rw, MAP_SHARED) != 0, "D cannot be mapped");
	x = touch_behind(vp, 0, 3);
	tap_ok(x == 33 || x == 1, "three pages from the register page: SIGBUS or refused (%d)", x);
	x = touch_behind(vp, 0x1000 * 4096ull, 2);
	tap_ok(x == 33 || x == 1, "two pages from the run page: SIGBUS or refused (%d)", x);
	close(vp);
	close(part);
	p->gpr[0] = 1;
	tap_is(p->gpr[0], 1, "a mapped page outlives its files");
	munmap(p, 4096);
	munmap(run, 4096);
}

static void reset_state(int dev)
{
	static const struct { uint32_t name; uint64_t want; const char *what; } r[] = {
		{ HV_X64_REGISTER_RIP, 0xfff0, "RIP" }, { HV_X64_REGISTER_RFLAGS, 2, "RFLAGS" },
		{ HV_X64_REGISTER_CR3, 0, "CR3" }, { HV_X64_REGISTER_CR4, 0, "CR4" },
		{ HV_X64_REGISTER_EFER, 0, "EFER" }, { HV_X64_REGISTER_CR8, 0, "CR8" },
		{ HV_X64_REGISTER_RAX, 0, "RAX" }, { HV_X64_REGISTER_DR7, 0x400, "DR7" },
		{ HV_X64_REGISTER_DR6, 0xffff0ff0, "DR6" },
		{ HV_X64_REGISTER_PAT, 0x0007040600070406, "PAT" },
		{ HV_X64_REGISTER_XFEM, 1, "XFEM" },
		{ HV_X64_REGISTER_APIC_BASE, 0xfee00900, "APIC base of the BSP" },
		{ HV_REGISTER_INTERNAL_ACTIVITY_STATE, 0, "activity of the BSP" },
		{ HV_X64_REGISTER_STAR, 0, "STAR" }, { HV_X64_REGISTER_SYSENTER_CS, 0, "SYSENTER_CS" },
	};
	int part = ov_partition(dev, "reset"), vp = ov_vp(part, 0), ap = ov_vp(part, 1);
	struct ovid_reg x;

	for (uint32_t i = 0; i < ARRAY_SIZE(r); i++)
		tap_is(ov_get(vp, r[i].name), r[i].want, "at reset: %s", r[i].what);
	tap_is(ov_get(vp, HV_X64_REGISTER_CR0) & ~0x10ull, 0x60000000, "at reset: CR0");
	x = ov_get128(vp, HV_X64_REGISTER_CS);
	tap_is(x.low, 0xffff0000, "at reset: CS base");
	tap_is((uint32_t)x.high, 0xffff, "at reset: CS limit");
	tap_is(x.high >> 32 & 0xffff, 0xf000, "at reset: CS selector");
	tap_is(x.high >> 48 & 0xfe, 0x9a, "at reset: CS present, code");
	x = ov_get128(vp, HV_X64_REGISTER_IDTR);
	tap_is(x.low >> 48, 0xffff, "at reset: IDT limit");
	tap_is(x.high, 0, "at reset: IDT base");
	tap_is(ov_get(ap, HV_REGISTER_INTERNAL_ACTIVITY_STATE), 1, "an AP waits for SIPI");
	tap_is(ov_get(ap, HV_X64_REGISTER_APIC_BASE), 0xfee00800, "APIC base of an AP");
	tap_is(ov_get(ap, HV_X64_REGISTER_INITIAL_APIC_ID), 1, "its APIC id");
	tap_ok(ov_get(vp, HV_X64_REGISTER_RDX) != 0, "RDX has the CPU's signature");
	close(ap);
	close(vp);
	close(part);
}

static void round_trips(int dev)
{
	static const struct { uint32_t name; uint64_t low, high; } r[] = {
		{ HV_X64_REGISTER_RAX, 0x1111222233334444, 0 }, { HV_X64_REGISTER_RSP, 0x8000, 0 },
		{ HV_X64_REGISTER_R8, 8, 0 }, { HV_X64_REGISTER_R15, ~0ull, 0 },
		{ HV_X64_REGISTER_RIP, 0x7c00, 0 }, { HV_X64_REGISTER_RFLAGS, 0x246, 0 },
		{ HV_X64_REGISTER_CR2, 0xffff800012345678, 0 }, { HV_X64_REGISTER_CR3, 0x12345000, 0 },
		{ HV_X64_REGISTER_CR8, 7, 0 },
		{ HV_X64_REGISTER_DR0, 0x1234, 0 }, { HV_X64_REGISTER_DR3, 0x5678, 0 },
		{ HV_X64_REGISTER_DR7, 0x402, 0 }, { HV_X64_REGISTER_DR6, 0xffff0ff1, 0 },
		{ HV_X64_REGISTER_XMM0, 0x1122334455667788, 0x99aabbccddeeff00 },
		{ HV_X64_REGISTER_XMM15, 1, 2 },
		{ HV_X64_REGISTER_FP_MMX0, 0x8000000000000000, 0x3fff },
		{ HV_X64_REGISTER_KERNEL_GS_BASE, 0xffff888000000000, 0 },
		{ HV_X64_REGISTER_PAT, 0x0007010600070106, 0 },
		{ HV_X64_REGISTER_STAR, 0x0023001000000000, 0 },
		{ HV_X64_REGISTER_LSTAR, 0xffffffff81000000, 0 },
		{ HV_X64_REGISTER_CSTAR, 0xffffffff81000040, 0 }, { HV_X64_REGISTER_SFMASK, 0x47700, 0 },
		{ HV_X64_REGISTER_SYSENTER_CS, 0x10, 0 }, { HV_X64_REGISTER_SYSENTER_ESP, 0x9000, 0 },
		{ HV_X64_REGISTER_SYSENTER_EIP, 0xa000, 0 }, { HV_X64_REGISTER_TSC_AUX, 5, 0 },
		{ HV_X64_REGISTER_MSR_MTRR_DEF_TYPE, 0xc06, 0 },
		{ HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0, 0xc0000000, 0 },
		{ HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0, 0xfc0000800, 0 },
		{ HV_X64_REGISTER_MSR_MTRR_FIX64K00000, 0x0606060606060606, 0 },
		{ HV_X64_REGISTER_MSR_MTRR_FIX4KF8000, 0x0505050505050505, 0 },
		{ HV_X64_REGISTER_DS, 0x10000, 0x009310000000ffffull },
		{ HV_X64_REGISTER_GS, 0x20000, 0x009320000000ffffull },
		{ HV_X64_REGISTER_GDTR, 0x0027ull << 48, 0x6000 },
		{ HV_X64_REGISTER_IDTR, 0x07ffull << 48, 0x5000 },
		{ HV_X64_REGISTER_INTERMEDIATE_CR3, 0x12346000, 0 },
	};
	int part = ov_partition(dev, "registers"), vp = ov_vp(part, 0);

	for (uint32_t i = 0; i < ARRAY_SIZE(r); i++) {
		struct ovid_reg x;
		int ret = ov_set128(vp, r[i].name, r[i].low, r[i].high);

		tap_is(ret, 0, "set register %#x", r[i].name);
		if (ret)
			continue;
		x = ov_get128(vp, r[i].name);
		tap_is(x.low, r[i].low, "register %#x reads back", r[i].name);
		tap_is(x.high, r[i].high, "register %#x reads back, upper half", r[i].name);
	}
	tap_is(ov_get(vp, HV_X64_REGISTER_CR3), 0x12346000, "the intermediate CR3 is CR3");
	close(vp);
	close(part);
}

static void refused(int dev)
{
	static const struct { uint32_t name; uint64_t low; const char *what; } bad[] = {
		{ 0x00099999, 0, "an unknown register" }, { 0, 0, "register 0" },
		{ ~0u, 0, "register 2^32-1" },
		{ HV_X64_REGISTER_CR0, 0x80000000, "CR0 with PG but not PE" },
		{ HV_X64_REGISTER_CR0, 0x20000001, "CR0 with NW but not CD" },
		{ HV_X64_REGISTER_CR0, 1ull << 40, "an upper bit of CR0" },
		{ HV_X64_REGISTER_CR4, 1 << 13, "CR4.VMXE" },
		{ HV_X64_REGISTER_CR4, 1ull << 40, "an upper bit of CR4" },
		{ HV_X64_REGISTER_EFER, 1 << 12, "EFER.SVME" },
		{ HV_X64_REGISTER_EFER, 1ull << 40, "an upper bit of EFER" },
		{ HV_X64_REGISTER_CR8, 16, "CR8 = 16" },
		{ HV_X64_REGISTER_CR3, 1ull << 62, "CR3 beyond the physical width" },
		{ HV_X64_REGISTER_XFEM, 0, "XFEM without x87" },
		{ HV_X64_REGISTER_XFEM, 5, "XFEM with AVX but no SSE" },
		{ HV_X64_REGISTER_PAT, 2, "PAT with a reserved type" },
		{ HV_X64_REGISTER_LSTAR, 0x8000000000000000, "LSTAR not canonical" },
		{ HV_X64_REGISTER_KERNEL_GS_BASE, 0x8000000000000000, "KERNEL_GS_BASE not canonical" },
		{ HV_X64_REGISTER_DR7, 1ull << 40, "an upper bit of DR7" },
		{ HV_X64_REGISTER_DR6, 1ull << 40, "an upper bit of DR6" },
		{ HV_X64_REGISTER_MSR_MTRR_DEF_TYPE, 2, "MTRR default type 2" },
	};
	int part = ov_partition(dev, "refused"), vp = ov_vp(part, 0);
	struct ovid_reg two[2] = {
		{ .name = HV_X64_REGISTER_RBX, .low = 0x77 }, { .name = 0x00099999 },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++)
		tap_is(-ov_set(vp, bad[i].name, bad[i].low), EINVAL, "refused: %s", bad[i].what);
	tap_is(-ov_set_regs(vp, two, 2), EINVAL, "one good and one bad register");
	tap_is(ov_get(vp, HV_X64_REGISTER_RBX), 0, "nothing was changed");
	two[1] = (struct ovid_reg){ .name = HV_X64_REGISTER_CR4, .low = 1 << 13 };
	tap_is(-ov_set_regs(vp, two, 2), EINVAL, "one good register and one bad value");
	tap_is(ov_get(vp, HV_X64_REGISTER_RBX), 0, "nothing was changed");
	two[1] = (struct ovid_reg){ .name = HV_X64_REGISTER_RAX, .pad = { 1 } };
	tap_is(-ov_set_regs(vp, two, 2), EINVAL, "padding not zero");
	two[1].pad[0] = 0;
	two[1].pad[2] = 1;
	tap_is(-ov_get_regs(vp, two, 2), EINVAL, "padding not zero, get");
	close(vp);
	close(part);
}

static void call_rules(int dev)
{
	struct ovid_reg r[2] = { { .name = HV_X64_REGISTER_RAX } };
	struct ovid_regs good = { .size = sizeof(good), .count = 1, .regs = (uintptr_t)r };
	static struct ovid_reg many[OVID_MAX_REGS + 1];
	int part = ov_partition(dev, "regs rules"), vp = ov_vp(part, 0);

	ov_size_rules(vp, "OVID_GET_REGS", OVID_GET_REGS, &good, sizeof(good), NULL);
	ov_size_rules(vp, "OVID_SET_REGS", OVID_SET_REGS, &good, sizeof(good), NULL);
	ov_field_fails(vp, "OVID_GET_REGS pad", OVID_GET_REGS, &good, sizeof(good), 12, 1, 4, EINVAL);
	ov_field_fails(vp, "OVID_SET_REGS pad", OVID_SET_REGS, &good, sizeof(good), 12, 1, 4, EINVAL);
	ov_field_fails(vp, "OVID_GET_REGS pointer", OVID_GET_REGS, &good, sizeof(good), 16, 8, 8,
		       EFAULT);
	ov_field_fails(vp, "OVID_SET_REGS pointer", OVID_SET_REGS, &good, sizeof(good), 16, 8, 8,
		       EFAULT);
	for (uint32_t i = 0; i <= OVID_MAX_REGS; i++)
		many[i].name = HV_X64_REGISTER_RAX + i % 16;
	tap_is(ov_get_regs(vp, many, OVID_MAX_REGS), 0, "as many registers as allowed");
	tap_ok(ov_get_regs(vp, many, OVID_MAX_REGS + 1) < 0, "one more is refused");
	tap_ok(ov_get_regs(vp, many, ~0u) < 0, "2^32-1 are refused");
	tap_is(ov_set_regs(vp, many, OVID_MAX_REGS), 0, "set as many as allowed");
	tap_ok(ov_set_regs(vp, many, OVID_MAX_REGS + 1) < 0, "one more is refused");
	close(vp);
	close(part);
}

static void page_and_calls_agree(void)
{
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, NULL, 0);
	vm.page->gpr[3] = 0xabcd;
	vm.page->dirty = 1u << HV_X64_REGISTER_CLASS_GENERAL;
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RBX), 0xabcd, "a dirty class is folded in by GET_REGS");
	ov_set(vm.vp, HV_X64_REGISTER_RBX, 0x4321);
	tap_is(vm.page->gpr[3], 0x4321, "SET_REGS refreshes the page");
	vm.page->rip = 0x2000;
	vm.page->rflags = 0x203;
	vm.page->dirty = 1u << HV_X64_REGISTER_CLASS_IP | 1u << HV_X64_REGISTER_CLASS_FLAGS;
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RIP), 0x2000, "RIP by the page");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RFLAGS), 0x203, "RFLAGS by the page");
	vm.page->xmm[2][0] = 55;
	vm.page->dirty = 1u << HV_X64_REGISTER_CLASS_XMM;
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_XMM0 + 2), 55, "XMM2 by the page");
	vm.page->ds.base = 0x30000;
	vm.page->ds.selector = 0x3000;
	vm.page->dirty = 1u << HV_X64_REGISTER_CLASS_SEGMENT;
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_DS), 0x30000, "DS by the page");
	ov_vm_destroy(&vm);
}

/* SSE back in its initial state: XSAVES then leaves its last contents in memory */
CODE16(sse16, "movl $0x1fa0, 0x2000; ldmxcsr 0x2000; mov $7, %eax; movd %eax, %xmm1; out %al, $0xf4;"
	      "movl $0x1f80, 0x2000; ldmxcsr 0x2000; pxor %xmm1, %xmm1; out %al, $0xf4;"
	      "1: out %al, $0xf4; jmp 1b");

static uint32_t mxcsr(int vp)
{
	return ov_get128(vp, HV_X64_REGISTER_XMM_CONTROL_STATUS).high;
}

static void initial_sse(void)
{
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, sse16, CODE_LEN(sse16));
	ov_set(vm.vp, HV_X64_REGISTER_CR4, 0x200);
	vm.run->want = OVID_WANT_SREGS;
	tap_is(ov_run(vm.vp), 0, "SSE in use");
	tap_is(vm.page->xmm[1][0], 7, "XMM1 in the page");
	tap_is(ov_run(vm.vp), 0, "SSE as after reset");
	tap_is(vm.page->xmm[1][0], 0, "XMM1 in the page is zero again");
	tap_is(mxcsr(vm.vp), 0x1f80, "MXCSR");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_XMM0 + 1), 0, "XMM1");

	ov_set(vm.vp, HV_X64_REGISTER_RIP, OV_CODE);
	tap_is(ov_run(vm.vp), 0, "in use again");
	tap_is(ov_run(vm.vp), 0, "and not");
	vm.page->xmm[2][0] = 5;
	vm.page->dirty = 1u << HV_X64_REGISTER_CLASS_XMM;
	tap_is(ov_run(vm.vp), 0, "XMM2 by the page");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_XMM0 + 2), 5, "XMM2");
	tap_is(mxcsr(vm.vp), 0x1f80, "and MXCSR is not what it was long ago");
	ov_vm_destroy(&vm);
}

int main(void)
{
	int dev;

	tap_begin("abi-vp", TAP_LIMIT);
	dev = ov_open();
	creation(dev);
	crowd(dev);
	pages(dev);
	reset_state(dev);
	round_trips(dev);
	refused(dev);
	call_rules(dev);
	close(dev);
	page_and_calls_agree();
	initial_sse();
	return tap_done();
}
