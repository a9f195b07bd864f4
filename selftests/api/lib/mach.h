/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mach.h - one small machine, made by ovid or by KVM.
 *
 * The guest runner uses it with ovid to test ovid, and with KVM to test the
 * guests themselves: a case that fails on both is a wrong case.
 */
#ifndef OVID_TEST_MACH_H
#define OVID_TEST_MACH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MACH_MAX_VPS	240

struct mach_seg {
	uint64_t base;
	uint32_t limit;
	uint16_t sel;
	uint16_t attr;		/* as in a descriptor, byte 5 and the high nibble of 6 */
};

struct mach_cpu {
	uint64_t gpr[16];	/* RAX RCX RDX RBX RSP RBP RSI RDI R8..R15 */
	uint64_t rip, rflags;
	struct mach_seg es, cs, ss, ds, fs, gs, ldtr, tr;
	uint64_t gdt_base, idt_base;
	uint16_t gdt_limit, idt_limit;
	uint64_t cr0, cr3, cr4, efer;
};

enum mach_exit_kind {
	MX_NONE,		/* signal or stop */
	MX_IO, MX_IO_STRING, MX_MMIO, MX_MMIO_RAW, MX_EOI, MX_EXTINT,
	MX_SHUTDOWN, MX_MSR, MX_FAIL, MX_RESET, MX_CRASH,
	MX_ERROR,		/* the run call itself failed: value is errno */
};

struct mach_exit {
	enum mach_exit_kind kind;
	bool write;
	uint8_t size, vector, nr_bytes;
	uint64_t addr, value;
	uint8_t bytes[16];
};

struct mach;

struct mach_vp {
	struct mach *mach;
	int index, fd;
	void *run;		/* run page */
	uint64_t run_bytes;
	void *page;		/* ovid: register page */
	pthread_t thread;
	bool running;
	int extint;		/* vector to hand out, or -1 */
	int nmi;		/* KVM: one is to be given */
	uint64_t reply_size;
	uint8_t *reply;		/* KVM: where the answer goes */
};

struct mach_ops {
	const char *name;
	bool (*here)(void);
	int (*create)(struct mach *m, uint64_t ram);
	/* the last page of memory once more, at @gpa, to be read only */
	int (*rom)(struct mach *m, uint64_t gpa);
	int (*create_vp)(struct mach *m, int index);
	int (*set_cpu)(struct mach_vp *vp, const struct mach_cpu *cpu);
	void (*run)(struct mach_vp *vp, struct mach_exit *x);
	void (*answer)(struct mach_vp *vp, uint64_t value);
	void (*stop)(struct mach_vp *vp);	/* from any thread; lasting */
	int (*msi)(struct mach *m, uint64_t address, uint32_t data);
	int (*nmi)(struct mach_vp *vp);
	int (*extint)(struct mach_vp *vp, int vector);
	/* moves RIP over a raw MMIO instruction of this length */
	void (*skip)(struct mach_vp *vp, unsigned int len);
	/* performs INS or OUTS; data and port go through the callback */
	int (*string)(struct mach_vp *vp, struct mach_exit *x,
		      void (*port)(struct mach_vp *vp, struct mach_exit *x));
	void (*destroy)(struct mach *m);
};

struct mach {
	const struct mach_ops *ops;
	int dev, fd, memory;
	uint8_t *ram;
	uint64_t ram_bytes;
	int nr_vps;
	struct mach_vp vp[MACH_MAX_VPS];
	void *data;		/* the user's */
};

extern const struct mach_ops mach_ovid, mach_kvm;

/* states at entry; tables go to the low memory of @ram (see cpu_state.c) */
void mach_real_mode(struct mach_cpu *cpu, uint16_t ip);
void mach_protected(struct mach_cpu *cpu, uint8_t *ram, uint32_t eip);
void mach_paged32(struct mach_cpu *cpu, uint8_t *ram, uint32_t eip);
void mach_pae(struct mach_cpu *cpu, uint8_t *ram, uint32_t eip);
void mach_long_mode(struct mach_cpu *cpu, uint8_t *ram, uint64_t rip);

/* a signal without SA_RESTART that only interrupts, for ops->stop */
void mach_init_signals(void);

#endif
