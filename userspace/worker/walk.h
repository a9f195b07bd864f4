/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * walk.h - the guest's own page tables, for operands of instructions that the
 * worker carries out.  Registers come from the register page of the exit.
 */
#ifndef OVID_WALK_H
#define OVID_WALK_H

#include "../lib/vid.h"
#include "gmem.h"

/* an exception for the guest */
struct guest_fault {
	u8 vector;
	bool has_error;
	u32 error;
	u64 cr2;
};

#define VECTOR_DE	0
#define VECTOR_UD	6
#define VECTOR_GP	13
#define VECTOR_PF	14

#define WALK_WRITE	BIT(1)	/* as in the #PF error code */
#define WALK_USER	BIT(2)

/* 0 and *@gpa, or -EFAULT and the #PF in *@fault. */
int walk(const struct hv_vp_register_page *regs, const struct gmem *gm, u64 linear,
	 u32 access, u64 *gpa, struct guest_fault *fault);

#endif
