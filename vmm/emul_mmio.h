/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few instructions that are decoded in the kernel: one load or one store
 * between a register (or immediate) and memory.  Pure.
 */
#ifndef OVID_EMUL_MMIO_H
#define OVID_EMUL_MMIO_H

#include "exit.h"

enum ovid_cpu_bits { OVID_16BIT, OVID_32BIT, OVID_64BIT };

/**
 * ovid_decode_access - decode one mov-class instruction
 * @bytes: the bytes at RIP
 * @len: how many of them there are; more than 15 are not looked at
 * @bits: operand and address size by CS.D and long mode
 * @gpr: 16 registers, order of hv_vp_register_page.gpr; read once each
 * @insn: out; undefined unless 0 is returned
 *
 * Knows MOV (88 89 8A 8B A0-A3 C6 C7), MOVZX, MOVSX, MOVSXD, single STOS
 * (AA AB, no REP), with prefixes 66 67, segment overrides, REX; a LOCK or REP
 * prefix, a register operand or anything else is not known.  The effective
 * address is not computed: the caller has it from the hardware.
 *
 * A STOS is a store with @insn->stos set; its register is RDI (7) and
 * @insn->reg_size the address size: see ovid_insn_stos_rdi().
 *
 * Context: any.
 * Source: SDM 2: Instruction Format, Opcode Map.
 * Return: 0, -EAGAIN (more bytes needed) or -EOPNOTSUPP.
 */
int ovid_decode_access(const u8 *bytes, size_t len, enum ovid_cpu_bits bits,
		       const u64 gpr[16], struct ovid_insn *insn);

/**
 * ovid_insn_load_result - the target register's new value
 * @insn: a decoded load
 * @old: the register's value before
 * @data: what the device answered; only the bytes of the access count
 */
u64 ovid_insn_load_result(const struct ovid_insn *insn, u64 old, u64 data);

/**
 * ovid_insn_stos_rdi - RDI after a decoded STOS
 * @insn: a decoded store with @insn->stos set
 * @rdi: its value before
 * @down: RFLAGS.DF
 */
u64 ovid_insn_stos_rdi(const struct ovid_insn *insn, u64 rdi, bool down);

#endif
