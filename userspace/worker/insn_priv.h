/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * insn_priv.h - what the files that carry out instructions share.
 *
 * Each do_*() returns INSN_DONE, INSN_FAULT with in->fault filled, or
 * INSN_UNKNOWN with nothing changed; insn_emulate() moves RIP to @next.
 */
#ifndef OVID_INSN_PRIV_H
#define OVID_INSN_PRIV_H

#include <string.h>

#include <Zydis/Zydis.h>

#include "insn.h"

#define FLAG_CF		BIT(0)
#define FLAG_PF		BIT(2)
#define FLAG_AF		BIT(4)
#define FLAG_ZF		BIT(6)
#define FLAG_SF		BIT(7)
#define FLAG_DF		BIT(10)
#define FLAG_OF		BIT(11)
#define FLAGS_ARITH	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define CR0_PE		BIT(0)
#define EFER_LMA	BIT(10)
#define ATTR_LONG	BIT(13)
#define ATTR_BIG	BIT(14)

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* One instruction under way. */
struct work {
	struct insn *in;
	ZydisDecodedInstruction d;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	u64 next;	/* RIP behind it; a handler may go elsewhere, or stay */
};

static inline u64 insn_mask(unsigned int bytes)
{
	return bytes >= 8 ? ~0ull : BIT(bytes * 8) - 1;
}

static inline bool insn_long_mode(const struct hv_vp_register_page *r)
{
	return (r->efer & EFER_LMA) && (r->cs.attributes & ATTR_LONG);
}

static inline bool insn_user_mode(const struct hv_vp_register_page *r)
{
	return (r->cr0 & CR0_PE) && (r->ss.attributes >> 5 & 3) == 3;
}

/* insn_operand.c: memory by linear address, registers, operands, flags */
u32 insn_walk_access(const struct hv_vp_register_page *r, bool write);
int insn_memory(struct insn *in, u64 linear, void *buf, unsigned int len, bool write);
u64 insn_segment_base(const struct hv_vp_register_page *r, ZydisRegister seg);
u64 insn_linear(const struct work *w, const ZydisDecodedOperand *op);
void insn_gpr_write(struct hv_vp_register_page *r, unsigned int index, unsigned int shift,
		    u64 value, unsigned int bytes);
/* values of at most eight bytes */
int insn_read(struct work *w, const ZydisDecodedOperand *op, u64 *value);
int insn_write(struct work *w, const ZydisDecodedOperand *op, u64 value);
void insn_set_flags(struct work *w, u64 which, u64 value);
u64 insn_result_flags(u64 result, unsigned int bytes);
u64 insn_add_flags(u64 a, u64 b, u64 sum, unsigned int bytes);
u64 insn_sub_flags(u64 a, u64 b, u64 diff, unsigned int bytes);

/* insn_alu.c */
int do_move(struct work *w);
int do_move_signed(struct work *w);
int do_movbe(struct work *w);
int do_smsw(struct work *w);
int do_arithmetic(struct work *w);
int do_unary(struct work *w);
int do_exchange(struct work *w);
int do_exchange_add(struct work *w);
int do_compare_exchange(struct work *w);
int do_compare_exchange_pair(struct work *w);
int do_bit(struct work *w);

/* insn_math.c */
int do_bit_scan(struct work *w);
int do_shift(struct work *w);
int do_double_shift(struct work *w);
int do_multiply(struct work *w);
int do_divide(struct work *w);
int do_set_condition(struct work *w);
int do_move_condition(struct work *w);

/* insn_string.c */
int do_string(struct work *w);

/* insn_stack.c */
int do_push(struct work *w);
int do_pop(struct work *w);
int do_call(struct work *w);
int do_jump(struct work *w);
int do_return(struct work *w);
int do_enter(struct work *w);
int do_leave(struct work *w);

/* insn_vector.c */
int do_vector(struct work *w);

#endif
