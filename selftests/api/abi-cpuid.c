// SPDX-License-Identifier: GPL-2.0-only
/* OVID_GET_CPUID, OVID_SET_CPUID, and what the guest then sees */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

CODE16(cpuid16, "cpuid; mov %eax, %esi; out %al, $0xf4");

static int get(int part, struct ovid_cpuid_entry *e, uint32_t *count)
{
	struct ovid_cpuid arg = { .size = sizeof(arg), .count = *count, .entries = (uintptr_t)e };
	int ret = ov_ioctl(part, OVID_GET_CPUID, &arg);

	*count = arg.count;
	return ret;
}

static int set(int part, const struct ovid_cpuid_entry *e, uint32_t count)
{
	struct ovid_cpuid arg = { .size = sizeof(arg), .count = count, .entries = (uintptr_t)e };

	return ov_ioctl(part, OVID_SET_CPUID, &arg);
}

static struct ovid_cpuid_entry *find(struct ovid_cpuid_entry *e, uint32_t n, uint32_t leaf,
				     uint32_t sub)
{
	for (uint32_t i = 0; i < n; i++)
		if (e[i].leaf == leaf && (!(e[i].flags & OVID_CPUID_SUBLEAF) || e[i].subleaf == sub))
			return &e[i];
	return NULL;
}

static struct ovid_cpuid_entry table[OVID_MAX_CPUID + 1];
static uint32_t count;

static void get_rules(int dev)
{
	int part = ov_partition(dev, "cpuid");
	struct ovid_cpuid good = {
		.size = sizeof(good), .count = OVID_MAX_CPUID, .entries = (uintptr_t)table,
	};
	struct ovid_cpuid_entry *e;
	uint32_t n = 1;

	ov_size_rules(part, "OVID_GET_CPUID", OVID_GET_CPUID, &good, sizeof(good), NULL);
	ov_field_fails(part, "OVID_GET_CPUID pad", OVID_GET_CPUID, &good, sizeof(good), 12, 1, 4,
		       EINVAL);
	ov_field_fails(part, "OVID_GET_CPUID pointer", OVID_GET_CPUID, &good, sizeof(good), 16, 8,
		       8, EFAULT);
	tap_is(-get(part, table, &n), E2BIG, "room for one entry is too little");
	tap_ok(n > 10 && n <= OVID_MAX_CPUID, "the need is told: %u", n);
	count = OVID_MAX_CPUID;
	tap_is(get(part, table, &count), 0, "get");
	tap_is(count, n, "as many as told");
	e = find(table, count, 0, 0);
	tap_ok(e && e->ebx == 0x756e6547, "leaf 0 is there");
	e = find(table, count, 1, 0);
	tap_ok(e && !(e->ecx & 1 << 5), "leaf 1 is there, without VMX");
	tap_ok(e && e->ecx >> 31, "leaf 1 has the hypervisor bit");
	if (find(table, count, 0x40000000, 0))
		tap_ok(find(table, count, 0x40000000, 0)->eax >= 0x40000001, "the hypervisor's leaves");
	else
		tap_skip("the hypervisor's leaves", "not there in this version");
	tap_ok(find(table, count, 0x80000001, 0), "the extended leaves are there");
	for (n = 0; n < count; n++)
		if (table[n].pad || table[n].flags & ~OVID_CPUID_SUBLEAF)
			break;
	tap_is(n, count, "padding and flags are clean");
	close(part);
}

static void set_rules(int dev)
{
	int part = ov_partition(dev, "cpuid set");
	struct ovid_cpuid good = {
		.size = sizeof(good), .count = count, .entries = (uintptr_t)table,
	};
	struct ovid_cpuid_entry copy[OVID_MAX_CPUID + 1], *e;

	ov_size_rules(part, "OVID_SET_CPUID", OVID_SET_CPUID, &good, sizeof(good), NULL);
	ov_field_fails(part, "OVID_SET_CPUID pad", OVID_SET_CPUID, &good, sizeof(good), 12, 1, 4,
		       EINVAL);
	ov_field_fails(part, "OVID_SET_CPUID pointer", OVID_SET_CPUID, &good, sizeof(good), 16, 8,
		       8, EFAULT);
	tap_is(set(part, table, count), 0, "what get gave can be set");
	memcpy(copy, table, sizeof(copy));
	e = find(copy, count, 1, 0);
	e->ecx |= 1 << 5;
	tap_is(-set(part, copy, count), EINVAL, "VMX cannot be shown");
	e->ecx &= ~(1 << 5);
	e->ecx &= ~(1u << 30);
	tap_is(set(part, copy, count), 0, "a feature can be hidden (RDRAND)");
	copy[0].pad = 1;
	tap_is(-set(part, copy, count), EINVAL, "padding");
	copy[0].pad = 0;
	copy[0].flags |= 2;
	tap_is(-set(part, copy, count), EINVAL, "an unknown flag of an entry");
	copy[0].flags &= ~2u;
	copy[count] = copy[count - 1];
	tap_is(-set(part, copy, count + 1), EINVAL, "a duplicate");
	for (uint32_t i = count; i <= OVID_MAX_CPUID; i++)
		copy[i] = (struct ovid_cpuid_entry){ .leaf = 0x50000000 + i };
	tap_is(-set(part, copy, OVID_MAX_CPUID + 1), EINVAL, "too many entries");
	tap_ok(set(part, copy, ~0u) < 0, "2^32-1 entries");
	close(part);
}

static uint32_t guest_cpuid(struct ov_vm *vm, uint32_t leaf, uint32_t sub)
{
	ov_vm_restart(vm);
	ov_set(vm->vp, HV_X64_REGISTER_RAX, leaf);
	ov_set(vm->vp, HV_X64_REGISTER_RCX, sub);
	if (ov_run(vm->vp))
		tap_ok(false, "CPUID guest");
	ov_commit(vm);
	return vm->page->gpr[6];
}

static void seen_by_guest(void)
{
	struct ovid_cpuid_entry copy[OVID_MAX_CPUID], *e;
	struct ov_vm vm;
	uint32_t n = count, bad = 0;

	ov_vm_create(&vm, 1 << 20, cpuid16, CODE_LEN(cpuid16));
	memcpy(copy, table, count * sizeof(*copy));
	copy[n++] = (struct ovid_cpuid_entry){
		.leaf = 0x40000090, .eax = 0x1111, .ebx = 0x2222, .ecx = 0x3333, .edx = 0x4444,
	};
	e = find(copy, count, 1, 0);
	e->eax = 0x000306a9;
	tap_is(set(vm.part, copy, n), 0, "a table of our own");
	tap_is(guest_cpuid(&vm, 0x40000090, 0), 0x1111, "our leaf: EAX");
	tap_is(vm.page->gpr[3], 0x2222, "EBX");
	tap_is(vm.page->gpr[1], 0x3333, "ECX");
	tap_is(vm.page->gpr[2], 0x4444, "EDX");
	tap_is(guest_cpuid(&vm, 1, 0), 0x306a9, "leaf 1: our signature");
	tap_is(vm.page->gpr[1] >> 27 & 1, 0, "leaf 1: OSXSAVE follows CR4");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t a = guest_cpuid(&vm, copy[i].leaf, copy[i].subleaf);

		if (copy[i].leaf == 0xd || copy[i].leaf == 0xb || copy[i].leaf == 0x1f)
			continue;
		bad += a != copy[i].eax || (uint32_t)vm.page->gpr[2] != copy[i].edx;
	}
	tap_is(bad, 0, "every leaf answers as the table says");
	tap_is(guest_cpuid(&vm, 0x4fff0000, 0), 0, "a hypervisor leaf beyond all is 0");
	tap_is(-set(vm.part, copy, n), EBUSY, "once a VP has run the table is fixed");
	ov_vm_destroy(&vm);
}

int main(void)
{
	int dev;

	tap_begin("abi-cpuid", TAP_LIMIT);
	dev = ov_open();
	get_rules(dev);
	set_rules(dev);
	close(dev);
	seen_by_guest();
	return tap_done();
}
