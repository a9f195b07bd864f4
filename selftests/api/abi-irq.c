// SPDX-License-Identifier: GPL-2.0-only
/* routes, irqfds, ioeventfds, OVID_INJECT, statistics */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define MSI	0xfee00000ull
#define VEC	0x41

static void inject_rules(int dev)
{
	struct ovid_inject good = {
		.size = sizeof(good), .kind = OVID_INJECT_MSI, .address = MSI, .data = VEC,
	};
	int part = ov_partition(dev, "inject"), vp = ov_vp(part, 0);

	ov_size_rules(part, "OVID_INJECT", OVID_INJECT, &good, sizeof(good), NULL);
	ov_field_fails(part, "OVID_INJECT kind", OVID_INJECT, &good, sizeof(good), 8, 0, 4, EINVAL);
	ov_field_fails(part, "OVID_INJECT kind", OVID_INJECT, &good, sizeof(good), 8, 5, 4, EINVAL);
	tap_is(ov_inject(part, OVID_INJECT_MSI, MSI | 99 << 12, VEC), 0,
	       "an MSI for nobody is dropped, not an error");
	tap_is(ov_inject(part, OVID_INJECT_NMI, 0, 0), 0, "an NMI");
	tap_ok(ov_inject(part, OVID_INJECT_NMI, 5, 0) <= 0, "an NMI for an absent VP");
	tap_ok(ov_inject(part, OVID_INJECT_NMI, ~0ull, 0) <= 0, "an NMI for VP 2^64-1");
	tap_ok(ov_inject(part, OVID_INJECT_NMI, 1ull << 32, 0) <= 0, "an NMI for VP 2^32");
	tap_is(ov_inject(part, OVID_INJECT_EXTINT, 0, 1), 0, "INTR line up");
	tap_is(ov_inject(part, OVID_INJECT_EXTINT, 0, 0), 0, "INTR line down");
	tap_ok(ov_inject(part, OVID_INJECT_EXTINT, 77, 1) <= 0, "INTR line of an absent VP");
	tap_is(-ov_inject(part, OVID_INJECT_EXTINT, 0, 2), EINVAL, "a level of 2");
	close(vp);
	close(part);
}

static void route_rules(int dev)
{
	struct ovid_route good = {
		.size = sizeof(good), .gsi = 5, .kind = OVID_ROUTE_MSI, .address = MSI, .data = VEC,
	};
	int part = ov_partition(dev, "route"), vp = ov_vp(part, 0);
	struct ovid_info info;

	ov_info(dev, &info);
	ov_size_rules(part, "OVID_SET_ROUTE", OVID_SET_ROUTE, &good, sizeof(good), NULL);
	ov_field_fails(part, "OVID_SET_ROUTE gsi", OVID_SET_ROUTE, &good, sizeof(good),
		       offsetof(struct ovid_route, gsi), info.max_gsis, 4, EINVAL);
	ov_field_fails(part, "OVID_SET_ROUTE gsi", OVID_SET_ROUTE, &good, sizeof(good),
		       offsetof(struct ovid_route, gsi), ~0u, 4, EINVAL);
	ov_field_fails(part, "OVID_SET_ROUTE kind", OVID_SET_ROUTE, &good, sizeof(good),
		       offsetof(struct ovid_route, kind), 4, 4, EINVAL);
	ov_field_fails(part, "OVID_SET_ROUTE pad", OVID_SET_ROUTE, &good, sizeof(good),
		       offsetof(struct ovid_route, pad), 1, 4, EINVAL);
	tap_is(ov_route(part, info.max_gsis - 1, OVID_ROUTE_MSI, MSI, VEC), 0, "the last GSI");
	tap_is(ov_route(part, 5, OVID_ROUTE_NMI, 0, 0), 0, "an NMI route");
	tap_is(ov_route(part, 5, OVID_ROUTE_NONE, 0, 0), 0, "removed");
	tap_is(ov_route(part, 5, OVID_ROUTE_NONE, 0, 0), 0, "removed twice");
	tap_ok(ov_route(part, 6, OVID_ROUTE_MSI, 0x12345000, VEC) <= 0,
	       "an address that is no MSI's");
	close(vp);
	close(part);
}

static void irqfd_rules(int dev)
{
	int part = ov_partition(dev, "irqfd"), e = eventfd(0, EFD_NONBLOCK), e2 = eventfd(0, 0);
	int null = open("/dev/null", O_RDWR);

	tap_is(-ov_ioctl(part, MSHV_IRQFD, NULL), EFAULT, "a null pointer");
	tap_is(-ov_irqfd(part, -1, 5, 0), EBADF, "no file");
	tap_is(-ov_irqfd(part, null, 5, 0), EINVAL, "no eventfd");
	tap_is(-ov_irqfd(part, e, 5, 1 << 2), EINVAL, "an unknown flag");
	tap_is(-ov_irqfd(part, e, 4096, 0), EINVAL, "a GSI too large");
	tap_is(ov_irqfd(part, e, 5, 0), 0, "assign");
	tap_is(-ov_irqfd(part, e, 6, 0), EBUSY, "the same eventfd again");
	tap_is(ov_irqfd(part, e2, 5, 0), 0, "another eventfd for the GSI");
	tap_is(ov_irqfd(part, e, 5, 1), 0, "deassign");
	tap_is(ov_irqfd(part, e, 7, 0), 0, "assign elsewhere");
	close(e);
	close(e2);
	close(null);
	close(part);
}

static void ioeventfd_rules(int dev)
{
	int part = ov_partition(dev, "ioeventfd"), e = eventfd(0, 0);
	const uint32_t match = 1 << MSHV_IOEVENTFD_BIT_DATAMATCH;
	const uint32_t pio = 1 << MSHV_IOEVENTFD_BIT_PIO;
	const uint32_t off = 1 << MSHV_IOEVENTFD_BIT_DEASSIGN;

	tap_is(-ov_ioctl(part, MSHV_IOEVENTFD, NULL), EFAULT, "a null pointer");
	tap_is(-ov_ioeventfd(part, -1, 0x1000, 4, 0, 0), EBADF, "no file");
	tap_is(-ov_ioeventfd(part, part, 0x1000, 4, 0, 0), EINVAL, "no eventfd");
	tap_is(-ov_ioeventfd(part, e, 0x1000, 3, 0, 0), EINVAL, "length 3");
	tap_is(-ov_ioeventfd(part, e, 0x1000, 16, 0, 0), EINVAL, "length 16");
	tap_is(-ov_ioeventfd(part, e, ~0ull, 4, 0, 0), EINVAL, "an address that wraps");
	tap_is(-ov_ioeventfd(part, e, 0x1000, 4, 1 << 3, 0), EINVAL, "an unknown flag");
	tap_is(-ov_ioeventfd(part, e, 0x10000, 1, pio, 0), EINVAL, "a port beyond 64 Ki");
	tap_is(-ov_ioeventfd(part, e, 0xffff, 2, pio, 0), EINVAL, "a port range beyond 64 Ki");
	tap_is(ov_ioeventfd(part, e, 0x1000, 4, 0, 0), 0, "assign");
	tap_is(-ov_ioeventfd(part, e, 0x1000, 4, 0, 0), EEXIST, "the same again");
	tap_is(-ov_ioeventfd(part, e, 0x1000, 4, match, 5), EEXIST, "with a value, behind any value");
	tap_is(ov_ioeventfd(part, e, 0x1000, 4, pio, 0), 0, "the same number as a port");
	tap_is(ov_ioeventfd(part, e, 0x1008, 4, match, 5), 0, "with a value");
	tap_is(ov_ioeventfd(part, e, 0x1008, 4, match, 6), 0, "with another value");
	tap_is(-ov_ioeventfd(part, e, 0x1008, 4, match, 6), EEXIST, "the same value again");
	tap_is(-ov_ioeventfd(part, e, 0x1008, 4, match | off, 7), ENOENT, "deassign: no such value");
	tap_is(-ov_ioeventfd(part, e, 0x2000, 4, off, 0), ENOENT, "deassign: no such address");
	tap_is(-ov_ioeventfd(part, e, 0x1000, 2, off, 0), ENOENT, "deassign: no such length");
	tap_is(ov_ioeventfd(part, e, 0x1008, 4, match | off, 6), 0, "deassign");
	tap_is(ov_ioeventfd(part, e, 0x1000, 4, off, 0), 0, "deassign");
	tap_is(-ov_ioeventfd(part, e, 0x1000, 4, off, 0), ENOENT, "deassign twice");
	close(e);
	close(part);
}

/* ---- with a guest ---- */

/* counts vectors 41h and 2 (NMI) at 0x700 and 0x704; xAPIC on; then HLT for ever */
CODE32(take32, "movl $0x1ff, 0xfee000f0; incl 0x708; sti; 1: hlt; jmp 1b");
CODE32(isr32, "incl 0x700; movl $0, 0xfee000b0; iret");
CODE32(nmi32, "incl 0x704; iret");

static void put_gate(struct ov_vm *vm, uint8_t vec, uint32_t at, const uint8_t *code, uint64_t len)
{
	memcpy(vm->ram + at, code, len);
	*(uint64_t *)(vm->ram + 0x3000 + vec * 8) = at | 0x8ull << 16 | 0x8e00ull << 32;
}

#define count(vm, at) (*(volatile uint32_t *)((vm).ram + (at)))

static void taker(struct ov_vm *vm, struct ov_thread *t)
{
	ov_vm_create32(vm, 4 << 20);
	put_gate(vm, VEC, 0x2000, isr32, CODE_LEN(isr32));
	put_gate(vm, 2, 0x2100, nmi32, CODE_LEN(nmi32));
	ov_set128(vm->vp, HV_X64_REGISTER_IDTR, 0x7ffull << 48, 0x3000);
	ov_enter32(vm, take32, CODE_LEN(take32), 0, 0);
	ov_thread_start(t, vm->vp);
	for (int i = 0; i < 100 && !count(*vm, 0x708); i++)
		ov_sleep_ms(5);
	tap_is(count(*vm, 0x708), 1, "the guest is up");
}

static void give_back(struct ov_vm *vm, struct ov_thread *t)
{
	vm->run->cancel = 1;
	tap_ok(ov_thread_join(t, 1000), "the VP stops");
	ov_vm_destroy(vm);
}

static bool becomes(struct ov_vm *vm, uint32_t at, uint32_t value)
{
	for (int i = 0; i < 200; i++) {
		if (count(*vm, at) >= value)
			break;
		ov_sleep_ms(2);
	}
	ov_sleep_ms(5);
	return tap_is(count(*vm, at), value, "counted %s %u", at == 0x700 ? "interrupts:" : "NMIs:",
		      value);
}

static void interrupts(void)
{
	uint64_t one = 1;
	struct ov_vm vm;
	struct ov_thread t;
	int e = eventfd(0, EFD_NONBLOCK), e2 = eventfd(1, EFD_NONBLOCK), stats;

	taker(&vm, &t);
	tap_is(ov_inject(vm.part, OVID_INJECT_MSI, MSI, VEC), 0, "inject an MSI");
	becomes(&vm, 0x700, 1);
	tap_is(ov_inject(vm.part, OVID_INJECT_MSI, MSI | 9 << 12, VEC), 0, "for an absent VP");
	becomes(&vm, 0x700, 1);
	tap_is(ov_inject(vm.part, OVID_INJECT_NMI, 0, 0), 0, "inject an NMI");
	becomes(&vm, 0x704, 1);
	tap_is(ov_irqfd(vm.part, e, 5, 0), 0, "irqfd without a route");
	tap_is(write(e, &one, 8), 8, "signal it");
	becomes(&vm, 0x700, 1);
	tap_is(ov_route(vm.part, 5, OVID_ROUTE_MSI, MSI, VEC), 0, "now a route");
	tap_is(write(e, &one, 8), 8, "signal it");
	becomes(&vm, 0x700, 2);
	for (int i = 0; i < 10; i++) {
		tap_is(write(e, &one, 8), 8, "again");
		becomes(&vm, 0x700, 3 + i);
	}
	tap_is(ov_route(vm.part, 5, OVID_ROUTE_NMI, 0, 0), 0, "changed to an NMI");
	tap_is(write(e, &one, 8), 8, "signal it");
	becomes(&vm, 0x704, 2);
	ov_route(vm.part, 5, OVID_ROUTE_MSI, MSI, VEC);
	tap_is(ov_irqfd(vm.part, e, 5, 1), 0, "deassign");
	tap_is(write(e, &one, 8), 8, "signal it");
	becomes(&vm, 0x700, 12);
	tap_is(ov_irqfd(vm.part, e2, 5, 0), 0, "assign an eventfd that is signalled already");
	becomes(&vm, 0x700, 13);
	close(e2);
	ov_sleep_ms(5);
	stats = ov_ioctl(vm.part, OVID_GET_STATS_FD, NULL);
	tap_ok(ov_stat(stats, "irqs_sent") >= 13, "interrupts are counted: %lld",
	       (long long)ov_stat(stats, "irqs_sent"));
	tap_ok(ov_stat(stats, "irqs_dropped") >= 1, "dropped ones too");
	close(stats);
	give_back(&vm, &t);
	close(e);
}

CODE32(spin32, "movl $0x1ff, 0xfee000f0; incl 0x708; sti; 1: pause; jmp 1b");

static void to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* to a VP that is in its guest on another processor: no exit is needed */
static void posted(void)
{
	struct ovid_info info;
	struct ov_thread t;
	struct ov_vm vm;
	int stats;

	ov_vm_create32(&vm, 4 << 20);
	ov_info(vm.dev, &info);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || !(info.caps & OVID_CAP_POSTED_INTR)) {
		tap_skip("posted interrupts", "one processor, or it cannot post");
		ov_vm_destroy(&vm);
		return;
	}
	put_gate(&vm, VEC, 0x2000, isr32, CODE_LEN(isr32));
	ov_set128(vm.vp, HV_X64_REGISTER_IDTR, 0x7ffull << 48, 0x3000);
	ov_enter32(&vm, spin32, CODE_LEN(spin32), 0, 0);
	stats = ov_ioctl(vm.part, OVID_GET_STATS_FD, NULL);
	to_cpu(1);
	ov_thread_start(&t, vm.vp);
	to_cpu(0);
	for (int i = 0; i < 100 && !count(vm, 0x708); i++)
		ov_sleep_ms(5);
	for (uint32_t i = 1; i <= 20; i++) {
		ov_inject(vm.part, OVID_INJECT_MSI, MSI, VEC);
		for (int n = 0; n < 200 && count(vm, 0x700) < i; n++)
			ov_sleep_ms(1);
	}
	tap_is(count(vm, 0x700), 20, "twenty interrupts for a VP that spins");
	tap_ok(ov_stat(stats, "posted") > 0, "were posted, %lld of them", (long long)ov_stat(stats, "posted"));
	close(stats);
	give_back(&vm, &t);
}

CODE32(bells32, "mov $0x80000000, %ebx; movl $7, (%ebx); movl $8, (%ebx); movw $7, (%ebx);"
		"movl $1, 0x100(%ebx); movb $1, 0x100(%ebx); movl $5, 0x200(%ebx); movl $6, 0x200(%ebx);"
		"mov $0x99, %al; out %al, $0x5a; out %eax, $0x5a; mov $0x98, %al; out %al, $0x5b;"
		"mov $0x99, %al; out %al, $0x5b; mov 0x100(%ebx), %eax; out %al, $0xf4");

static uint64_t rung(int e)
{
	uint64_t v;

	return read(e, &v, 8) == 8 ? v : 0;
}

static void doorbells(void)
{
	const uint32_t match = 1 << MSHV_IOEVENTFD_BIT_DATAMATCH;
	const uint32_t pio = 1 << MSHV_IOEVENTFD_BIT_PIO;
	struct { uint64_t addr; uint32_t size; uint64_t value; } seen[16];
	int e[5], n = 0, stats;
	struct ov_vm vm;

	for (int i = 0; i < 5; i++)
		e[i] = eventfd(0, EFD_NONBLOCK);
	ov_vm_create32(&vm, 4 << 20);
	stats = ov_ioctl(vm.part, OVID_GET_STATS_FD, NULL);
	tap_is(ov_ioeventfd(vm.part, e[0], 0x80000000, 4, match, 7), 0, "4 bytes of value 7");
	tap_is(ov_ioeventfd(vm.part, e[1], 0x80000100, 0, 0, 0), 0, "any size, any value");
	tap_is(ov_ioeventfd(vm.part, e[2], 0x80000200, 4, match, 5), 0, "value 5");
	tap_is(ov_ioeventfd(vm.part, e[3], 0x5a, 1, pio, 0), 0, "a port, one byte");
	tap_is(ov_ioeventfd(vm.part, e[4], 0x5b, 1, pio | match, 0x99), 0, "a port, value 99");
	ov_enter32(&vm, bells32, CODE_LEN(bells32), 0, 0);
	while (n < 16 && !ov_run(vm.vp)) {
		seen[n].addr = vm.run->address;
		seen[n].size = vm.run->access_size;
		seen[n++].value = vm.run->value;
		vm.run->value = 0;
		if (seen[n - 1].addr == OV_STOP_PORT)
			break;
	}
	tap_is(rung(e[0]), 1, "bell 0: once");
	tap_is(rung(e[1]), 2, "bell 1: both widths");
	tap_is(rung(e[2]), 1, "bell 2: once");
	tap_is(rung(e[3]), 1, "bell 3: once");
	tap_is(rung(e[4]), 1, "bell 4: once");
	tap_is(n, 7, "the worker got the rest");
	tap_is(seen[0].addr, 0x80000000, "value 8 at bell 0");
	tap_is(seen[0].value, 8, "value 8 at bell 0");
	tap_is(seen[1].size, 2, "two bytes at bell 0");
	tap_is(seen[2].addr, 0x80000200, "value 6 at bell 2");
	tap_is(seen[3].size, 4, "four bytes at port 5A");
	tap_is(seen[4].value, 0x98, "value 98 at port 5B");
	tap_is(seen[5].addr, 0x80000100, "a load from bell 1's address");
	tap_is(ov_stat(stats, "doorbells"), 6, "statistics count them");
	for (int i = 0; i < 5; i++)
		close(e[i]);
	close(stats);
	ov_vm_destroy(&vm);
}

static void bell_closed(void)
{
	int e = eventfd(0, EFD_NONBLOCK), copy = dup(e);
	struct ov_vm vm;

	ov_vm_create32(&vm, 4 << 20);
	ov_ioeventfd(vm.part, e, 0x80000000, 4, 0, 0);
	close(e);
	ov_store(&vm, 0x80000000, 1);
	tap_is(vm.run->address, OV_STOP_PORT, "a doorbell whose file was closed works on");
	tap_is(rung(copy), 1, "and rings");
	close(copy);
	ov_vm_destroy(&vm);
}

static void stats_layout(int dev)
{
	int part = ov_partition(dev, "statistics"), vp = ov_vp(part, 7), fd, vfd;
	struct ovid_stats_header h;
	struct ovid_stats_desc d;
	uint64_t v;
	uint32_t bad = 0;

	fd = ov_ioctl(part, OVID_GET_STATS_FD, NULL);
	vfd = ov_ioctl(vp, OVID_GET_STATS_FD, NULL);
	tap_ok(fd >= 0 && vfd >= 0, "statistics files of P and V");
	tap_is(-ov_ioctl(dev, OVID_GET_STATS_FD, NULL), ENOTTY, "D has none");
	tap_is(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC, "close-on-exec");
	tap_is(pread(vfd, &h, sizeof(h), 0), sizeof(h), "header");
	tap_is(h.version, 1, "version");
	tap_ok(h.count > 10 && h.count < 200, "%u values", h.count);
	tap_is(strcmp((char *)h.name, "statistics/vp7"), 0, "a VP's name: %s", h.name);
	tap_ok(h.desc_offset >= sizeof(h) && h.desc_offset % 8 == 0, "descriptors behind the header");
	tap_ok(h.value_offset >= h.desc_offset + h.count * sizeof(d) && h.value_offset % 8 == 0,
	       "values behind the descriptors");
	for (uint32_t i = 0; i < h.count; i++) {
		if (pread(vfd, &d, sizeof(d), h.desc_offset + i * sizeof(d)) != sizeof(d) ||
		    !memchr(d.name, 0, sizeof(d.name)) || !d.name[0] || d.pad ||
		    d.flags & ~OVID_STAT_GAUGE)
			bad++;
		if (pread(vfd, &v, 8, h.value_offset + i * 8) != 8 || v)
			bad++;
	}
	tap_is(bad, 0, "every descriptor is well formed, every value of a new VP zero");
	tap_is(pread(vfd, &v, 8, h.value_offset + h.count * 8), 0, "end of file behind the last");
	tap_is(pread(vfd, &v, 8, 1ull << 40), 0, "end of file far behind");
	tap_is(pread(vfd, &v, 3, 1), 3, "odd reads");
	tap_ok(write(vfd, &v, 8) < 0, "it cannot be written");
	tap_is(pread(fd, &h, sizeof(h), 0), sizeof(h), "header of the partition");
	tap_is(strcmp((char *)h.name, "statistics"), 0, "its name");
	tap_ok(ov_stat(fd, "pages_4k") == 0, "a known value");
	tap_is(ov_stat(fd, "nonsense"), -1, "an unknown one");
	close(fd);
	close(vfd);
	close(vp);
	close(part);
}

static void stats_count(void)
{
	struct ov_vm vm;
	int fd;

	ov_vm_create32(&vm, 4 << 20);
	fd = ov_ioctl(vm.vp, OVID_GET_STATS_FD, NULL);
	ov_store(&vm, 0x80000000, 1);
	tap_ok(ov_stat(fd, "exits") >= 1, "exits are counted");
	tap_is(ov_stat(fd, "to_worker"), 1, "so are those for the worker");
	tap_ok(ov_stat(fd, "exit_ept") >= 1, "and the reasons");
	ov_store(&vm, 0x200000, 1);
	tap_is(ov_stat(fd, "exit_io"), 1, "OUT");
	close(fd);
	ov_vm_destroy(&vm);
}

int main(void)
{
	int dev;

	tap_begin("abi-irq", TAP_LIMIT);
	dev = ov_open();
	inject_rules(dev);
	route_rules(dev);
	irqfd_rules(dev);
	ioeventfd_rules(dev);
	stats_layout(dev);
	close(dev);
	stats_count();
	doorbells();
	bell_closed();
	interrupts();
	posted();
	return tap_done();
}
