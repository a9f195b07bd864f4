/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The neutral exit: what a backend says of a VM exit, and what the core answers.
 */
#ifndef OVID_EXIT_H
#define OVID_EXIT_H

#include "types.h"

enum ovid_exit_kind {
	OVID_X_NONE,
	OVID_X_IO,		/* decoded port access */
	OVID_X_IO_STRING,
	OVID_X_MEM,		/* access to unmapped memory, or store to read-only */
	OVID_X_EOI,
	OVID_X_EXTINT,
	OVID_X_SHUTDOWN,
	OVID_X_MSR,
	OVID_X_HYPERCALL,
	OVID_X_FAIL,
	OVID_X_RESET,		/* by the hypervisor's MSR */
	OVID_X_DELIVERABLE,	/* @value: SINTs with a free slot that a client asked for */
	OVID_X_CRASH,		/* the guest says so; @value: the control MSR */
};

/* ovid_exit.flags */
#define OVID_XF_WRITE		(1u << 0)
#define OVID_XF_EXEC		(1u << 1)	/* instruction fetch */
#define OVID_XF_GVA_VALID	(1u << 2)	/* @gva is known */
#define OVID_XF_GVA_GPA		(1u << 3)	/* the access was to @gva's translation */
#define OVID_XF_REP		(1u << 4)
#define OVID_XF_READONLY	(1u << 5)	/* region exists, access not allowed */
#define OVID_XF_DECODED		(1u << 6)	/* @insn describes the access */
#define OVID_XF_COMMIT		(1u << 7)	/* a result is awaited at the next run */
#define OVID_XF_APIC		(1u << 9)	/* on the APIC page, which the CPU virtualizes */
#define OVID_XF_EVENT		(1u << 8)	/* happened while delivering an event */

/* a decoded data access, see emul_mmio.h */
struct ovid_insn {
	u8 len;			/* of the instruction, bytes */
	u8 size;		/* of the access: 1, 2, 4, 8 */
	u8 write;
	u8 reg;			/* target of a load: 0..15 as in page->gpr */
	u8 reg_size;		/* bytes of it that change: 1, 2, 4, 8 */
	u8 high_byte;		/* target is AH, CH, DH, BH (of reg 0..3) */
	u8 sign_extend;
	u8 stos;		/* STOS: RDI moves too */
	u64 value;		/* of a store */
};

struct ovid_exit {
	enum ovid_exit_kind kind;
	u32 flags;
	u32 hw_reason;		/* as the hardware numbers it: trace and failure */
	u64 hw_qualification;
	gpa_t gpa;		/* MEM */
	gva_t gva;
	u64 value;		/* stored value, MSR value; in: the answer */
	u32 msr;
	u16 port;
	u8 size;		/* of the access */
	u8 insn_len;
	u8 vector;		/* EOI */
	u8 nr_bytes;		/* fetched into @bytes */
	u8 bytes[15];
	struct ovid_insn insn;
};

#endif
