// SPDX-License-Identifier: GPL-2.0-only
/* A partition whose TSC is not as fast as the host's */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define CLOCK	HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY
#define SCALED	0x2000

CODE16(tsc16, "1: rdtsc; mov %eax, 0x2000; mov %edx, 0x2004; out %al, $0xf4; jmp 1b");
CODE16(cpuid16, "mov $0x15, %eax; cpuid; out %al, $0xf4; mov $0x16, %eax; cpuid; out %al, $0xf4");

static uint64_t host_tsc(void)
{
	uint32_t low, high;

	asm volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

static uint64_t host_hz(int dev)
{
	struct ovid_info i;

	ov_info(dev, &i);
	return i.tsc_khz * 1000ull;
}

static void rules(int dev, bool can)
{
	uint64_t hz = host_hz(dev), v;
	int part = ov_partition(dev, "clock"), vp;

	tap_is(ov_set_property(part, CLOCK, hz), 0, "the host's frequency");
	tap_is(ov_set_property(part, CLOCK, hz / 5), -EINVAL, "a fifth of it");
	tap_is(ov_set_property(part, CLOCK, hz * 5), -EINVAL, "five times");
	tap_is(ov_set_property(part, CLOCK, 0), -EINVAL, "none");
	tap_is(ov_set_property(part, CLOCK, ~0ull), -EINVAL, "the largest number");
	tap_is(ov_set_property(part, CLOCK, hz * 4), can ? 0 : -EOPNOTSUPP, "four times");
	tap_is(ov_set_property(part, CLOCK, hz / 4), can ? 0 : -EOPNOTSUPP, "a quarter");
	ov_property(part, CLOCK, &v);
	tap_is(v, can ? hz / 4 : hz, "reads back");
	vp = ov_vp(part, 0);
	tap_is(ov_set_property(part, CLOCK, hz), -EBUSY, "too late with a VP");
	close(vp);
	close(part);
}

/* the guest's RDTSC at its next stop */
static uint64_t guest_tsc(struct ov_vm *vm)
{
	uint64_t tsc;

	tap_is(ov_run(vm->vp), 0, "run");
	memcpy(&tsc, vm->ram + SCALED, sizeof(tsc));
	return tsc;
}

/* RDTSC in the guest lies between what the register says before and after, and both go @num/@den */
static void goes(int dev, unsigned int num, unsigned int den)
{
	uint64_t hz = host_hz(dev) * num / den, outer, inner, first, last, guest;
	struct ov_vm vm;

	ov_vm_create_hz(&vm, 1 << 20, tsc16, CODE_LEN(tsc16), hz);
	outer = host_tsc();
	first = ov_get(vm.vp, HV_X64_REGISTER_TSC);
	inner = host_tsc();
	for (int i = 0; i < 50; i++)
		ov_run(vm.vp);
	guest = guest_tsc(&vm);
	inner = host_tsc() - inner;
	last = ov_get(vm.vp, HV_X64_REGISTER_TSC);
	outer = host_tsc() - outer;
	tap_ok(guest > first && guest < last, "%u/%u: RDTSC is the register's", num, den);
	tap_ok((last - first) * den <= (outer + 1) * num && (last - first + 1) * den >= inner * num,
	       "%u/%u: %llu ticks in %llu to %llu of the host's", num, den,
	       (long long)(last - first), (long long)inner, (long long)outer);
	ov_vm_destroy(&vm);
}

static void told(int dev)
{
	uint64_t hz = host_hz(dev) * 2, crystal, num;
	struct ov_vm vm;

	ov_vm_create_hz(&vm, 1 << 20, cpuid16, CODE_LEN(cpuid16), hz);
	tap_is(ov_run(vm.vp), 0, "CPUID 15h");
	crystal = (uint32_t)ov_get(vm.vp, HV_X64_REGISTER_RCX);
	num = (uint32_t)ov_get(vm.vp, HV_X64_REGISTER_RBX);
	tap_ok(crystal && crystal * num / 1000 == hz / 1000, "crystal %llu times %llu",
	       (long long)crystal, (long long)num);
	tap_is(ov_run(vm.vp), 0, "CPUID 16h");
	tap_is((uint16_t)ov_get(vm.vp, HV_X64_REGISTER_RAX), (uint16_t)(hz / 1000000), "base MHz");
	ov_vm_destroy(&vm);
}

static void frozen(int dev)
{
	struct ov_vm vm;
	uint64_t a, b;

	ov_vm_create_hz(&vm, 1 << 20, tsc16, CODE_LEN(tsc16), host_hz(dev) / 2);
	tap_is(ov_set_property(vm.part, HV_PARTITION_PROPERTY_TIME_FREEZE, 1), 0, "freeze");
	a = ov_get(vm.vp, HV_X64_REGISTER_TSC);
	ov_sleep_ms(20);
	tap_is(ov_get(vm.vp, HV_X64_REGISTER_TSC), a, "a slow TSC stands still too");
	tap_is(ov_set_property(vm.part, HV_PARTITION_PROPERTY_TIME_FREEZE, 0), 0, "thaw");
	b = guest_tsc(&vm);
	tap_ok(b >= a && b - a < host_hz(dev) * 10, "and goes on from there: %llu",
	       (long long)(b - a));
	tap_is(ov_set(vm.vp, HV_X64_REGISTER_TSC, 1ull << 40), 0, "set it");
	b = guest_tsc(&vm);
	tap_ok(b >= 1ull << 40 && b < (1ull << 40) + host_hz(dev), "it is set");
	ov_vm_destroy(&vm);
}

int main(void)
{
	struct ovid_info i;
	int dev;

	tap_begin("abi-tsc", TAP_LIMIT);
	dev = ov_open();
	ov_info(dev, &i);
	rules(dev, i.caps & OVID_CAP_TSC_SCALING);
	if (i.caps & OVID_CAP_TSC_SCALING) {
		goes(dev, 2, 1);
		goes(dev, 1, 3);
		goes(dev, 4, 1);
		told(dev);
		frozen(dev);
	} else {
		tap_skip("TSC scaling", "the processor has none");
	}
	close(dev);
	return tap_done();
}
