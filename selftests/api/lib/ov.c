// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ov.h"
#include "tap.h"

int ov_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

const char *ov_device(void)
{
	return getenv("OV_DEVICE") ?: OV_DEVICE;
}

int ov_open(void)
{
	int fd = open(ov_device(), O_RDWR | O_CLOEXEC);

	if (fd < 0)
		tap_bail("open %s", ov_device());
	return fd;
}

int ov_info(int dev, struct ovid_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ov_ioctl(dev, OVID_GET_INFO, info);
}

uint32_t ov_partitions(void)
{
	struct ovid_info i;
	int dev = ov_open();

	ov_info(dev, &i);
	close(dev);
	return i.partitions;
}

int ov_partition(int dev, const char *name)
{
	struct ovid_create_partition arg = {
		.size = sizeof(arg), .flags = OVID_PART_X2APIC,
	};

	snprintf((char *)arg.name, sizeof(arg.name), "%s", name);
	return ov_ioctl(dev, OVID_CREATE_PARTITION, &arg);
}

int ov_memory(int dev, uint64_t bytes, uint32_t flags)
{
	struct ovid_create_memory arg = {
		.size = sizeof(arg), .flags = flags, .bytes = bytes,
	};

	return ov_ioctl(dev, OVID_CREATE_MEMORY, &arg);
}

int ov_map_flags(int part, uint64_t gpa, uint64_t bytes, int fd, uint64_t source,
		 uint32_t flags)
{
	struct ovid_map_memory arg = {
		.size = sizeof(arg), .flags = flags, .gpa = gpa, .bytes = bytes,
		.fd = fd, .source = source,
	};

	return ov_ioctl(part, OVID_MAP_MEMORY, &arg);
}

int ov_map_fd(int part, uint64_t gpa, uint64_t bytes, int memory, uint64_t offset)
{
	return ov_map_flags(part, gpa, bytes, memory, offset,
			    OVID_MAP_WRITE | OVID_MAP_EXEC | OVID_MAP_FD);
}

int ov_map_user(int part, uint64_t gpa, uint64_t bytes, const void *at)
{
	return ov_map_flags(part, gpa, bytes, 0, (uintptr_t)at,
			    OVID_MAP_WRITE | OVID_MAP_EXEC);
}

static int range(int part, unsigned long request, uint64_t gpa, uint64_t bytes)
{
	struct ovid_gpa_range arg = { .size = sizeof(arg), .gpa = gpa, .bytes = bytes };

	return ov_ioctl(part, request, &arg);
}

int ov_unmap(int part, uint64_t gpa, uint64_t bytes)
{
	return range(part, OVID_UNMAP_MEMORY, gpa, bytes);
}

int ov_discard(int part, uint64_t gpa, uint64_t bytes)
{
	return range(part, OVID_DISCARD_MEMORY, gpa, bytes);
}

int ov_ctrl(int part, uint32_t op)
{
	struct ovid_partition_ctrl arg = { .size = sizeof(arg), .op = op };

	return ov_ioctl(part, OVID_PARTITION_CTRL, &arg);
}

int ov_inject(int part, uint32_t kind, uint64_t address, uint32_t data)
{
	struct ovid_inject arg = {
		.size = sizeof(arg), .kind = kind, .data = data, .address = address,
	};

	return ov_ioctl(part, OVID_INJECT, &arg);
}

int ov_route(int part, uint32_t gsi, uint32_t kind, uint64_t address, uint32_t data)
{
	struct ovid_route arg = {
		.size = sizeof(arg), .gsi = gsi, .kind = kind, .address = address,
		.data = data,
	};

	return ov_ioctl(part, OVID_SET_ROUTE, &arg);
}

int ov_irqfd(int part, int fd, uint32_t gsi, uint32_t flags)
{
	struct mshv_user_irqfd arg = { .fd = fd, .resamplefd = -1, .gsi = gsi, .flags = flags };

	return ov_ioctl(part, MSHV_IRQFD, &arg);
}

int ov_ioeventfd(int part, int fd, uint64_t addr, uint32_t len, uint32_t flags,
		 uint64_t match)
{
	struct mshv_user_ioeventfd arg = {
		.datamatch = match, .addr = addr, .len = len, .fd = fd, .flags = flags,
	};

	return ov_ioctl(part, MSHV_IOEVENTFD, &arg);
}

int ov_vp(int part, uint32_t index)
{
	struct mshv_create_vp arg = { .vp_index = index };

	return ov_ioctl(part, MSHV_CREATE_VP, &arg);
}

int ov_run(int vp)
{
	return ov_ioctl(vp, OVID_RUN_VP, NULL);
}

static int regs_call(int vp, unsigned long request, const struct ovid_reg *regs,
		     uint32_t count)
{
	struct ovid_regs arg = {
		.size = sizeof(arg), .count = count, .regs = (uintptr_t)regs,
	};

	return ov_ioctl(vp, request, &arg);
}

int ov_set_regs(int vp, const struct ovid_reg *regs, uint32_t count)
{
	return regs_call(vp, OVID_SET_REGS, regs, count);
}

int ov_get_regs(int vp, struct ovid_reg *regs, uint32_t count)
{
	return regs_call(vp, OVID_GET_REGS, regs, count);
}

int ov_set128(int vp, uint32_t name, uint64_t low, uint64_t high)
{
	struct ovid_reg reg = { .name = name, .low = low, .high = high };

	return ov_set_regs(vp, &reg, 1);
}

int ov_set(int vp, uint32_t name, uint64_t low)
{
	return ov_set128(vp, name, low, 0);
}

struct ovid_reg ov_get128(int vp, uint32_t name)
{
	struct ovid_reg reg = { .name = name };
	int ret = ov_get_regs(vp, &reg, 1);

	if (ret) {
		errno = -ret;
		tap_bail("OVID_GET_REGS of %#x", name);
	}
	return reg;
}

uint64_t ov_get(int vp, uint32_t name)
{
	return ov_get128(vp, name).low;
}

static void *page(int vp, uint64_t index)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vp, index * 4096);

	if (p == MAP_FAILED)
		tap_bail("mmap of page %#llx of a VP", (long long)index);
	return p;
}

struct ovid_run *ov_run_page(int vp)
{
	return page(vp, OVID_VP_MMAP_RUN);
}

struct hv_vp_register_page *ov_register_page(int vp)
{
	return page(vp, MSHV_VP_MMAP_OFFSET_REGISTERS);
}

static struct ovid_reg seg(uint32_t name, const struct mach_seg *s)
{
	return (struct ovid_reg){
		.name = name, .low = s->base,
		.high = s->limit | (uint64_t)s->sel << 32 | (uint64_t)s->attr << 48,
	};
}

static struct ovid_reg one(uint32_t name, uint64_t value)
{
	return (struct ovid_reg){ .name = name, .low = value };
}

int ov_set_cpu(int vp, const struct mach_cpu *cpu)
{
	struct ovid_reg r[40];
	uint32_t n = 0;

	for (uint32_t i = 0; i < 16; i++)
		r[n++] = one(HV_X64_REGISTER_RAX + i, cpu->gpr[i]);
	r[n++] = one(HV_X64_REGISTER_RIP, cpu->rip);
	r[n++] = one(HV_X64_REGISTER_RFLAGS, cpu->rflags);
	r[n++] = one(HV_X64_REGISTER_CR3, cpu->cr3);
	r[n++] = one(HV_X64_REGISTER_CR4, cpu->cr4);
	r[n++] = one(HV_X64_REGISTER_EFER, cpu->efer);
	r[n++] = one(HV_X64_REGISTER_CR0, cpu->cr0);
	r[n++] = seg(HV_X64_REGISTER_ES, &cpu->es);
	r[n++] = seg(HV_X64_REGISTER_CS, &cpu->cs);
	r[n++] = seg(HV_X64_REGISTER_SS, &cpu->ss);
	r[n++] = seg(HV_X64_REGISTER_DS, &cpu->ds);
	r[n++] = seg(HV_X64_REGISTER_FS, &cpu->fs);
	r[n++] = seg(HV_X64_REGISTER_GS, &cpu->gs);
	r[n++] = seg(HV_X64_REGISTER_LDTR, &cpu->ldtr);
	r[n++] = seg(HV_X64_REGISTER_TR, &cpu->tr);
	r[n++] = (struct ovid_reg){
		.name = HV_X64_REGISTER_GDTR, .low = (uint64_t)cpu->gdt_limit << 48,
		.high = cpu->gdt_base,
	};
	r[n++] = (struct ovid_reg){
		.name = HV_X64_REGISTER_IDTR, .low = (uint64_t)cpu->idt_limit << 48,
		.high = cpu->idt_base,
	};
	return ov_set_regs(vp, r, n);
}

int ov_policy(int part, uint32_t action, const struct ovid_msr_rule *rules, uint32_t count)
{
	struct ovid_msr_policy arg = {
		.size = sizeof(arg), .default_action = action, .count = count,
		.rules = (uintptr_t)rules,
	};

	return ov_ioctl(part, OVID_SET_MSR_POLICY, &arg);
}

int ov_property(int part, uint32_t code, uint64_t *value)
{
	struct ovid_property arg = { .size = sizeof(arg), .code = code };
	int ret = ov_ioctl(part, OVID_GET_PROPERTY, &arg);

	*value = arg.value;
	return ret;
}

int ov_set_property(int part, uint32_t code, uint64_t value)
{
	struct ovid_property arg = { .size = sizeof(arg), .code = code, .value = value };

	return ov_ioctl(part, OVID_SET_PROPERTY, &arg);
}

int64_t ov_stat(int fd, const char *name)
{
	struct ovid_stats_header head;
	struct ovid_stats_desc desc;
	uint64_t value;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return -1;
	for (uint32_t i = 0; i < head.count; i++) {
		if (pread(fd, &desc, sizeof(desc), head.desc_offset + i * sizeof(desc)) !=
		    sizeof(desc))
			return -1;
		if (strncmp((char *)desc.name, name, sizeof(desc.name)))
			continue;
		if (pread(fd, &value, 8, head.value_offset + i * 8) != 8)
			return -1;
		return value;
	}
	return -1;
}

static int need(int ret, const char *what)
{
	if (ret < 0) {
		errno = -ret;
		tap_bail("%s", what);
	}
	return ret;
}

void ov_vm_restart(struct ov_vm *vm)
{
	struct mach_cpu cpu;

	mach_real_mode(&cpu, OV_CODE);
	need(ov_set_cpu(vm->vp, &cpu), "OVID_SET_REGS");
}

static void create(struct ov_vm *vm, uint64_t bytes, uint64_t tsc_hz)
{
	memset(vm, 0, sizeof(*vm));
	vm->bytes = bytes;
	vm->dev = ov_open();
	vm->part = need(ov_partition(vm->dev, "test"), "OVID_CREATE_PARTITION");
	if (tsc_hz)
		need(ov_set_property(vm->part, HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY, tsc_hz),
		     "the TSC's frequency");
	vm->memory = need(ov_memory(vm->dev, bytes, 0), "OVID_CREATE_MEMORY");
	vm->ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vm->memory, 0);
	if (vm->ram == MAP_FAILED)
		tap_bail("mmap of a memory object");
	need(ov_map_fd(vm->part, 0, bytes, vm->memory, 0), "OVID_MAP_MEMORY");
	vm->vp = need(ov_vp(vm->part, 0), "MSHV_CREATE_VP");
	vm->run = ov_run_page(vm->vp);
	vm->page = ov_register_page(vm->vp);
}

void ov_vm_create_hz(struct ov_vm *vm, uint64_t bytes, const void *code, uint64_t len,
		     uint64_t tsc_hz)
{
	create(vm, bytes, tsc_hz);
	if (code)
		memcpy(vm->ram + OV_CODE, code, len);
	ov_vm_restart(vm);
}

void ov_vm_create(struct ov_vm *vm, uint64_t bytes, const void *code, uint64_t len)
{
	ov_vm_create_hz(vm, bytes, code, len, 0);
}

void ov_vm_create32(struct ov_vm *vm, uint64_t bytes)
{
	struct mach_cpu cpu;

	create(vm, bytes, 0);
	mach_protected(&cpu, vm->ram, OV_CODE);
	need(ov_set_cpu(vm->vp, &cpu), "OVID_SET_REGS");
}

int ov_commit(struct ov_vm *vm)
{
	int ret;

	vm->run->cancel = 1;
	ret = ov_run(vm->vp);
	vm->run->cancel = 0;
	return ret;
}

CODE32(hypercall32, "vmcall; out %al, $0xf4");

int ov_hypercall(struct ov_vm *vm, uint32_t control, uint64_t input)
{
	struct ovid_reg r[] = {
		one(HV_X64_REGISTER_RIP, OV_CODE), one(HV_X64_REGISTER_RDX, 0),
		one(HV_X64_REGISTER_RAX, control), one(HV_X64_REGISTER_RBX, input >> 32),
		one(HV_X64_REGISTER_RCX, (uint32_t)input),
	};
	int ret;

	memcpy(vm->ram + OV_CODE, hypercall32, CODE_LEN(hypercall32));
	ret = ov_set_regs(vm->vp, r, ARRAY_SIZE(r));
	while (!ret && (ret = ov_run(vm->vp)) == -EINTR)
		ret = 0;
	if (ret || vm->run->exit != OVID_EXIT_IO)
		return ret ?: -EPROTO;
	ov_commit(vm);
	return ov_get(vm->vp, HV_X64_REGISTER_RAX);
}

void ov_enter32(struct ov_vm *vm, const void *code, uint64_t len, uint32_t ebx, uint32_t eax)
{
	struct ovid_reg r[] = {
		one(HV_X64_REGISTER_RIP, OV_CODE), one(HV_X64_REGISTER_RBX, ebx),
		one(HV_X64_REGISTER_RAX, eax), one(HV_X64_REGISTER_RFLAGS, 2),
	};

	memcpy(vm->ram + OV_CODE, code, len);
	need(ov_set_regs(vm->vp, r, ARRAY_SIZE(r)), "OVID_SET_REGS");
}

CODE32(load32, "mov (%ebx), %eax; out %al, $0xf4");
CODE32(store32, "mov %eax, (%ebx); out %al, $0xf4");

static int one_access(struct ov_vm *vm)
{
	int ret, exit;

	do
		ret = ov_run(vm->vp);
	while (ret == -EINTR);
	exit = vm->run->exit;
	if (ret)
		return ret < 0 ? ret : -ECANCELED;
	return ov_commit(vm) == 1 ? exit : -EPROTO;
}

int ov_load(struct ov_vm *vm, uint32_t gpa, uint32_t *value)
{
	int exit;

	ov_enter32(vm, load32, CODE_LEN(load32), gpa, 0x5a5a5a5a);
	exit = one_access(vm);
	*value = ov_get(vm->vp, HV_X64_REGISTER_RAX);
	return exit;
}

int ov_store(struct ov_vm *vm, uint32_t gpa, uint32_t value)
{
	ov_enter32(vm, store32, CODE_LEN(store32), gpa, value);
	return one_access(vm);
}

static void *thread_main(void *arg)
{
	struct ov_thread *t = arg;

	do
		t->ret = ov_run(t->vp);
	while (t->ret == -EINTR && !t->strict && !__atomic_load_n(&t->stop, __ATOMIC_SEQ_CST));
	__atomic_store_n(&t->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static void start(struct ov_thread *t, int vp, bool strict)
{
	*t = (struct ov_thread){ .vp = vp, .strict = strict };
	mach_init_signals();
	if (pthread_create(&t->thread, NULL, thread_main, t))
		tap_bail("pthread_create");
}

void ov_thread_start(struct ov_thread *t, int vp)
{
	start(t, vp, false);
}

void ov_thread_start_strict(struct ov_thread *t, int vp)
{
	start(t, vp, true);
}

void ov_sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t))
		;
}

bool ov_thread_join(struct ov_thread *t, unsigned int ms)
{
	__atomic_store_n(&t->stop, true, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < ms; i += 10) {
		if (__atomic_load_n(&t->done, __ATOMIC_SEQ_CST)) {
			pthread_join(t->thread, NULL);
			return true;
		}
		pthread_kill(t->thread, SIGUSR1);
		ov_sleep_ms(10);
	}
	return false;
}

void ov_vm_destroy(struct ov_vm *vm)
{
	munmap(vm->run, 4096);
	munmap(vm->page, 4096);
	munmap(vm->ram, vm->bytes);
	close(vm->vp);
	close(vm->memory);
	close(vm->part);
	close(vm->dev);
}
