/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VP registers by their TLFS names.  All calls: vp->lock held, so the VP does
 * not run; they may sleep.
 */
#ifndef OVID_REGS_H
#define OVID_REGS_H

#include "types.h"
#include "../uapi/ovid.h"

/* 0, -EINVAL (no such register), -EBUSY (VMX is owned by another now) */
int ovid_reg_get(struct ovid_vp *vp, u32 name, u64 val[2]);

/*
 * Sets all or, when a name or value is refused (-EINVAL), none; registers are
 * set in the order given.
 */
int ovid_regs_set(struct ovid_vp *vp, const struct ovid_reg *regs, u32 n);

/* the MSR that a register is, if it is nothing else, or 0; any context */
u32 ovid_reg_msr(u32 name);

/*
 * Makes the x87 and SSE part of vp->fpu true where XSAVES has left it out because it
 * was in its initial state (SDM 1: Operation of XSAVES): before it is looked at.
 */
void ovid_fpu_settle(struct ovid_vp *vp);

#endif
