// SPDX-License-Identifier: GPL-2.0-only
/* OVID_SET_MSR_POLICY and OVID_EXIT_MSR */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

/* vector 13 points to 0x1100: there OUT to 0xf5 */
CODE16(rdmsr16, "rdmsr; out %al, $0xf4");
CODE16(wrmsr16, "wrmsr; out %al, $0xf4");
static const uint8_t gp16[] = { 0xe6, 0xf5 };

static int try_msr(struct ov_vm *vm, uint32_t msr, bool write, uint64_t value)
{
	const uint8_t *code = write ? wrmsr16 : rdmsr16;

	memcpy(vm->ram + OV_CODE, code, write ? CODE_LEN(wrmsr16) : CODE_LEN(rdmsr16));
	memcpy(vm->ram + 0x1100, gp16, sizeof(gp16));
	*(uint32_t *)(vm->ram + 13 * 4) = 0x1100;
	ov_vm_restart(vm);
	ov_set(vm->vp, HV_X64_REGISTER_RCX, msr);
	ov_set(vm->vp, HV_X64_REGISTER_RAX, (uint32_t)value);
	ov_set(vm->vp, HV_X64_REGISTER_RDX, value >> 32);
	if (ov_run(vm->vp))
		return -1;
	return vm->run->exit == OVID_EXIT_IO ? (int)vm->run->address : -2;
}

#define OK 0xf4
#define GP 0xf5

static void rules(int dev)
{
	struct ovid_msr_rule r[OVID_MAX_MSR_RULES + 1];
	struct ovid_msr_policy good = {
		.size = sizeof(good), .default_action = OVID_MSR_FAULT, .count = 1,
		.rules = (uintptr_t)r,
	};
	int part = ov_partition(dev, "msr");

	memset(r, 0, sizeof(r));
	for (uint32_t i = 0; i <= OVID_MAX_MSR_RULES; i++)
		r[i].first = r[i].last = 0x5000 + i;
	ov_size_rules(part, "OVID_SET_MSR_POLICY", OVID_SET_MSR_POLICY, &good, sizeof(good), NULL);
	ov_field_fails(part, "OVID_SET_MSR_POLICY default", OVID_SET_MSR_POLICY, &good,
		       sizeof(good), 8, 3, 4, EINVAL);
	ov_field_fails(part, "OVID_SET_MSR_POLICY count", OVID_SET_MSR_POLICY, &good, sizeof(good),
		       12, OVID_MAX_MSR_RULES + 1, 4, EINVAL);
	ov_field_fails(part, "OVID_SET_MSR_POLICY pointer", OVID_SET_MSR_POLICY, &good,
		       sizeof(good), 16, 8, 8, EFAULT);
	tap_is(ov_policy(part, OVID_MSR_IGNORE, r, OVID_MAX_MSR_RULES), 0, "as many as allowed");
	tap_is(ov_policy(part, OVID_MSR_FAULT, NULL, 0), 0, "no rules");
	r[0].read = 3;
	tap_is(-ov_policy(part, OVID_MSR_FAULT, r, 1), EINVAL, "an unknown read action");
	r[0].read = 0;
	r[0].write = 9;
	tap_is(-ov_policy(part, OVID_MSR_FAULT, r, 1), EINVAL, "an unknown write action");
	r[0].write = 0;
	r[0].last = r[0].first - 1;
	tap_is(-ov_policy(part, OVID_MSR_FAULT, r, 1), EINVAL, "last below first");
	close(part);
}

static void actions(void)
{
	struct ovid_msr_rule r[] = {
		{ 0x5000, 0x50ff, OVID_MSR_IGNORE, OVID_MSR_IGNORE },
		{ 0x5000, 0x5fff, OVID_MSR_WORKER, OVID_MSR_WORKER },
		{ 0x6000, 0x6000, OVID_MSR_IGNORE, OVID_MSR_FAULT },
	};
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, NULL, 0);
	tap_is(try_msr(&vm, 0x5000, false, 0), GP, "by default an unknown MSR is #GP");
	tap_is(ov_policy(vm.part, OVID_MSR_FAULT, r, ARRAY_SIZE(r)), 0, "a policy at run time");
	tap_is(try_msr(&vm, 0x5000, false, ~0ull), OK, "ignored read");
	tap_is(vm.page->gpr[0] | vm.page->gpr[2], 0, "gives zero");
	tap_is(try_msr(&vm, 0x50ff, true, 5), OK, "ignored write");
	tap_is(try_msr(&vm, 0x6000, false, 0), OK, "read ignored,");
	tap_is(try_msr(&vm, 0x6000, true, 0), GP, "write refused");
	tap_is(try_msr(&vm, 0x7000, false, 0), GP, "in no rule: the default");
	tap_is(ov_policy(vm.part, OVID_MSR_IGNORE, NULL, 0), 0, "default: ignore");
	tap_is(try_msr(&vm, 0x7000, false, 0), OK, "in no rule: ignored");
	tap_is(try_msr(&vm, 0x7000, true, 1), OK, "in no rule: ignored");
	tap_is(try_msr(&vm, 0xc0000080, true, 1 << 12), GP, "a known MSR keeps its own rules");
	tap_is(try_msr(&vm, 0x1b, false, 0), OK, "a known MSR");
	tap_is(vm.page->gpr[0], 0xfee00900, "keeps its value");
	ov_vm_destroy(&vm);
}

static void worker(void)
{
	struct ovid_msr_rule r = { 0x5000, 0x5fff, OVID_MSR_WORKER, OVID_MSR_WORKER };
	struct ov_vm vm;

	ov_vm_create(&vm, 1 << 20, NULL, 0);
	ov_policy(vm.part, OVID_MSR_FAULT, &r, 1);
	tap_is(try_msr(&vm, 0x5123, false, 0), -2, "a read goes to the worker");
	tap_is(vm.run->exit, OVID_EXIT_MSR, "EXIT_MSR");
	tap_is(vm.run->address, 0x5123, "number");
	tap_is(vm.run->write, 0, "read");
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_RIP), OV_CODE, "RIP is at the RDMSR");
	vm.run->value = 0x1122334455667788;
	vm.run->fault = 0;
	tap_is(ov_run(vm.vp), 0, "run on");
	tap_is(vm.run->address, OK, "it goes on");
	tap_is(vm.page->gpr[0], 0x55667788, "EAX");
	tap_is(vm.page->gpr[2], 0x11223344, "EDX");
	try_msr(&vm, 0x5124, true, 0xaabbccddeeff0011);
	tap_is(vm.run->exit, OVID_EXIT_MSR, "a write");
	tap_is(vm.run->write, 1, "write");
	tap_is(vm.run->value, 0xaabbccddeeff0011, "value");
	vm.run->fault = 1;
	tap_is(ov_run(vm.vp), 0, "answered with a fault");
	tap_is(vm.run->exit, OVID_EXIT_IO, "it goes on");
	tap_is(vm.run->address, GP, "in the #GP handler");
	vm.run->fault = 0;
	try_msr(&vm, 0x5124, false, 0);
	vm.run->fault = 1;
	vm.run->value = 99;
	ov_run(vm.vp);
	tap_is(vm.run->address, GP, "a read answered with a fault");
	ov_vm_destroy(&vm);
}

int main(void)
{
	int dev;

	tap_begin("abi-msr", TAP_LIMIT);
	dev = ov_open();
	rules(dev);
	close(dev);
	actions();
	worker();
	return tap_done();
}
