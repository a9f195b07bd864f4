/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * client.h - for tests that are a client of Linux's /dev/mshv: its calls, and a machine
 * as such a client makes one.
 */
#ifndef OVID_TEST_CLIENT_H
#define OVID_TEST_CLIENT_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ov.h"
#include "tap.h"

#define RAM	(4u << 20)

static inline int create(int dev)
{
	struct mshv_create_partition_v2 arg = {
		.pt_flags = 1 << MSHV_PT_BIT_LAPIC | 1 << MSHV_PT_BIT_X2APIC |
			    1 << MSHV_PT_BIT_GPA_SUPER_PAGES |
			    1 << MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES,
		.pt_num_cpu_fbanks = MSHV_NUM_CPU_FEATURES_BANKS,
	};

	return ov_ioctl(dev, MSHV_CREATE_PARTITION, &arg);
}

/* a hypercall: errno of the call, its status in @status */
static inline int hvcall(int fd, uint16_t code, void *in, uint16_t in_size, void *out,
			 uint16_t out_size, uint16_t *reps, uint16_t *status)
{
	struct mshv_root_hvcall arg = {
		.code = code, .reps = reps ? *reps : 0, .in_sz = in_size, .out_sz = out_size,
		.in_ptr = (uintptr_t)in, .out_ptr = (uintptr_t)out,
	};
	int ret = ov_ioctl(fd, MSHV_ROOT_HVCALL, &arg);

	if (reps)
		*reps = arg.reps;
	*status = arg.status;
	return -ret;
}

static inline int get_property(int fd, uint32_t code, uint64_t *value, uint16_t *status)
{
	struct { uint64_t part; uint32_t code, pad; } in = { .code = code };

	return hvcall(fd, HVCALL_GET_PARTITION_PROPERTY, &in, sizeof(in), value, 8, NULL, status);
}

static inline int set_property(int fd, uint32_t code, uint64_t value, uint16_t *status)
{
	struct { uint64_t part; uint32_t code, pad; uint64_t value; } in = {
		.code = code, .value = value,
	};

	return hvcall(fd, HVCALL_SET_PARTITION_PROPERTY, &in, sizeof(in), NULL, 0, NULL, status);
}

struct get_regs { uint64_t part; uint32_t vp; uint8_t vtl, pad[3]; uint32_t names[8]; };
struct set_regs {
	uint64_t part;
	uint32_t vp;
	uint8_t vtl, pad[3];
	struct { uint32_t name, pad; uint64_t pad2, low, high; } r[8];
};

static inline int get_reg(int vp, uint32_t name, uint64_t value[2], uint16_t *status)
{
	struct get_regs in = { .names = { name } };
	uint16_t reps = 1;

	return hvcall(vp, HVCALL_GET_VP_REGISTERS, &in, 20, value, 16, &reps, status);
}

/* of VP @index, by its own file or the partition's */
static inline int set_reg_of(int fd, uint32_t index, uint32_t name, uint64_t low, uint64_t high,
			     uint16_t *status)
{
	struct set_regs in = { .vp = index, .r = { { .name = name, .low = low, .high = high } } };
	uint16_t reps = 1;

	return hvcall(fd, HVCALL_SET_VP_REGISTERS, &in, 48, NULL, 0, &reps, status);
}

static inline int set_reg(int vp, uint32_t name, uint64_t low, uint64_t high, uint16_t *status)
{
	return set_reg_of(vp, 0, name, low, high, status);
}

struct machine {
	int dev, part, vp;
	uint8_t *ram;
	struct hv_vp_register_page *page;
	struct hv_message *msg;
};

/* in flat 32-bit protected mode at OV_CODE */
static inline void machine_with(struct machine *m, const uint8_t *code, uint64_t len,
				uint64_t features)
{
	struct mshv_user_mem_region r = {
		.size = RAM, .flags = 1 << MSHV_SET_MEM_BIT_WRITABLE | 1 << MSHV_SET_MEM_BIT_EXECUTABLE,
	};
	struct mach_cpu cpu;
	uint16_t status;

	m->dev = ov_open();
	m->part = create(m->dev);
	set_property(m->part, HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, features, &status);
	ov_ioctl(m->part, MSHV_INITIALIZE_PARTITION, NULL);
	m->ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r.userspace_addr = (uintptr_t)m->ram;
	if (ov_ioctl(m->part, MSHV_SET_GUEST_MEMORY, &r))
		tap_bail("MSHV_SET_GUEST_MEMORY");
	m->vp = ov_vp(m->part, 0);
	m->page = ov_register_page(m->vp);
	m->msg = mmap(NULL, 4096, PROT_READ, MAP_SHARED, m->vp, 4096);
	if (m->msg == MAP_FAILED)
		tap_bail("message page");
	memcpy(m->ram + OV_CODE, code, len);
	mach_protected(&cpu, m->ram, OV_CODE);
	if (ov_set_cpu(m->vp, &cpu))
		tap_bail("registers");
	/* as clients do: registers by hypercall */
	set_reg(m->vp, HV_X64_REGISTER_RIP, OV_CODE, 0, &status);
}

static inline void machine(struct machine *m, const uint8_t *code, uint64_t len)
{
	machine_with(m, code, len, 0);
}

static inline void machine_end(struct machine *m)
{
	munmap(m->page, 4096);
	munmap(m->msg, 4096);
	close(m->vp);
	close(m->part);
	close(m->dev);
	munmap(m->ram, RAM);
}

static inline int run(struct machine *m, struct hv_message *msg)
{
	int ret;

	do
		ret = ov_ioctl(m->vp, MSHV_RUN_VP, msg);
	while (ret == -EINTR);
	return ret;
}

#endif
