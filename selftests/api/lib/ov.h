/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ov.h - the calls of /dev/ovid for tests: each returns 0 (or a file, or 1)
 * or a negative errno.  Written from uapi/ alone.
 */
#ifndef OVID_TEST_OV_H
#define OVID_TEST_OV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "../../../uapi/hvdef.h"
#include "../../../uapi/mshv.h"
#include "../../../uapi/ovid.h"
#include "mach.h"

#define OV_DEVICE	"/dev/ovid"
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

int ov_ioctl(int fd, unsigned long request, void *arg);
const char *ov_device(void);		/* the environment may say another */
int ov_open(void);			/* bails out of the program */
int ov_info(int dev, struct ovid_info *info);
uint32_t ov_partitions(void);	/* how many there are */
int ov_partition(int dev, const char *name);
int ov_memory(int dev, uint64_t bytes, uint32_t flags);
int ov_map_fd(int part, uint64_t gpa, uint64_t bytes, int memory, uint64_t offset);
int ov_map_flags(int part, uint64_t gpa, uint64_t bytes, int fd, uint64_t source,
		 uint32_t flags);
int ov_map_user(int part, uint64_t gpa, uint64_t bytes, const void *at);
int ov_unmap(int part, uint64_t gpa, uint64_t bytes);
int ov_discard(int part, uint64_t gpa, uint64_t bytes);
int ov_ctrl(int part, uint32_t op);
int ov_inject(int part, uint32_t kind, uint64_t address, uint32_t data);
int ov_route(int part, uint32_t gsi, uint32_t kind, uint64_t address, uint32_t data);
int ov_irqfd(int part, int fd, uint32_t gsi, uint32_t flags);
int ov_ioeventfd(int part, int fd, uint64_t addr, uint32_t len, uint32_t flags,
		 uint64_t match);
int ov_vp(int part, uint32_t index);
int ov_run(int vp);
int ov_set_regs(int vp, const struct ovid_reg *regs, uint32_t count);
int ov_get_regs(int vp, struct ovid_reg *regs, uint32_t count);
int ov_set(int vp, uint32_t name, uint64_t low);
int ov_set128(int vp, uint32_t name, uint64_t low, uint64_t high);
/* bails out when it fails */
uint64_t ov_get(int vp, uint32_t name);
struct ovid_reg ov_get128(int vp, uint32_t name);
struct ovid_run *ov_run_page(int vp);
struct hv_vp_register_page *ov_register_page(int vp);
int ov_set_cpu(int vp, const struct mach_cpu *cpu);
int ov_policy(int part, uint32_t action, const struct ovid_msr_rule *rules, uint32_t count);
int ov_property(int part, uint32_t code, uint64_t *value);
int ov_set_property(int part, uint32_t code, uint64_t value);
/* value of a statistic by name, or -1 */
int64_t ov_stat(int stats_fd, const char *name);

/* a partition with one VP and memory at 0, in real mode at 0x1000 */
struct ov_vm {
	int dev, part, memory, vp;
	uint8_t *ram;
	uint64_t bytes;
	struct ovid_run *run;
	struct hv_vp_register_page *page;
};

#define OV_CODE		0x1000

/* @code is real-mode code for OV_CODE; bails out when it fails */
void ov_vm_create(struct ov_vm *vm, uint64_t bytes, const void *code, uint64_t len);
/* with a TSC of that frequency; 0: the host's */
void ov_vm_create_hz(struct ov_vm *vm, uint64_t bytes, const void *code, uint64_t len,
		     uint64_t tsc_hz);
void ov_vm_restart(struct ov_vm *vm);	/* RIP to OV_CODE again */
void ov_vm_destroy(struct ov_vm *vm);

/*
 * The same, in flat 32-bit protected mode at OV_CODE, and single accesses by
 * its VP: each returns the exit (OVID_EXIT_IO: the access was done, else what
 * stopped it; -errno if the run call failed) and leaves nothing pending.
 */
void ov_vm_create32(struct ov_vm *vm, uint64_t bytes);
int ov_load(struct ov_vm *vm, uint32_t gpa, uint32_t *value);
int ov_store(struct ov_vm *vm, uint32_t gpa, uint32_t value);
/* enters 32-bit code at OV_CODE with EBX and EAX set */
void ov_enter32(struct ov_vm *vm, const void *code, uint64_t len, uint32_t ebx, uint32_t eax);
/* commits what is pending without running guest code; the call's result */
int ov_commit(struct ov_vm *vm);
/* a hypercall of the guest's, by 32-bit code; its status, or a negative errno */
int ov_hypercall(struct ov_vm *vm, uint32_t control, uint64_t input);

/* a thread in OVID_RUN_VP; @ret is its result when it has ended */
struct ov_thread {
	pthread_t thread;
	int vp, ret;
	bool done, stop, strict;
};
/* runs again after EINTR until ov_thread_join(); strict: a single call */
void ov_thread_start(struct ov_thread *t, int vp);
void ov_thread_start_strict(struct ov_thread *t, int vp);
/* sends a signal until it has ended; true if it did within @ms */
bool ov_thread_join(struct ov_thread *t, unsigned int ms);
void ov_sleep_ms(unsigned int ms);

/*
 * The rules of every extension call, tried one by one: size too small, larger
 * with zero and with other bytes behind, unknown flags, bad pointers.  @good is
 * the argument of a call that succeeds; @undo (or NULL) gets what it returned.
 */
void ov_size_rules(int fd, const char *name, unsigned long request, const void *good,
		   uint32_t size, void (*undo)(int ret));
/* those of them that fail, for a call that cannot be made again and again */
void ov_size_refused(int fd, const char *name, unsigned long request, const void *good,
		     uint32_t size);
/* the call with @bytes at @offset changed fails with @error */
void ov_field_fails(int fd, const char *name, unsigned long request, const void *good,
		    uint32_t size, uint32_t offset, uint64_t value, uint32_t bytes, int error);

/* real-mode code as a constant: CODE16(name, "assembler") */
#define CODE16(name, text)						\
	asm(".pushsection .rodata; .code16; .globl " #name ", " #name "_end;"	\
	    #name ":" text "; " #name "_end: .code64; .popsection");	\
	extern const uint8_t name[], name##_end[]
#define CODE32(name, text)						\
	asm(".pushsection .rodata; .code32; .globl " #name ", " #name "_end;"	\
	    #name ":" text "; " #name "_end: .code64; .popsection");	\
	extern const uint8_t name[], name##_end[]
#define CODE_LEN(name)	((uint64_t)(name##_end - name))

/* instructions that end a run: OUT to port 0xf4 */
#define STOP16		"9: out %al,$0xf4; jmp 9b;"
#define OV_STOP_PORT	0xf4

#endif
