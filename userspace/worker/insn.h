/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * insn.h - carries out one instruction that touched a device and that the
 * module did not decode: string I/O, and whatever but a plain move programs do to
 * MMIO.  Zydis decodes; what is done is ours.
 *
 * Works on the register page of an exit and on guest memory, knows no VP.
 */
#ifndef OVID_INSN_H
#define OVID_INSN_H

#include "bus.h"
#include "walk.h"

/**
 * struct insn - in: everything but @fault
 * @regs:	state before; after success the state behind the instruction
 * @bytes:	@len instruction bytes, 0 when they are to be fetched
 * @vectors:	gets or sets the vector registers: a page-aligned page, the XSAVE area in
 *		the compacted format; NULL: there are none.  0 or negative.
 * @fault:	out, with INSN_FAULT: what the guest gets instead
 */
struct insn {
	struct hv_vp_register_page *regs;
	const struct gmem *gm;
	const struct bus *ports;
	const struct bus *mmio;
	u8 bytes[16];
	u8 len;
	int (*vectors)(void *arg, void *page, bool set);
	void *arg;
	struct guest_fault fault;
};

enum {
	INSN_DONE,
	INSN_FAULT,
	INSN_UNKNOWN,	/* nothing was changed; only what the guest's kernel did */
};

int insn_emulate(struct insn *in);

#endif
