// SPDX-License-Identifier: GPL-2.0-only
/* insn.c - decodes, finds who carries it out, moves RIP. */
#include <pthread.h>

#include "insn_priv.h"

typedef int (*handler)(struct work *w);

static const handler handlers[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
	[ZYDIS_MNEMONIC_MOV] = do_move,
	[ZYDIS_MNEMONIC_MOVZX] = do_move,
	[ZYDIS_MNEMONIC_MOVNTI] = do_move,
	[ZYDIS_MNEMONIC_MOVSX] = do_move_signed,
	[ZYDIS_MNEMONIC_MOVSXD] = do_move_signed,
	[ZYDIS_MNEMONIC_MOVBE] = do_movbe,
	[ZYDIS_MNEMONIC_SMSW] = do_smsw,
	[ZYDIS_MNEMONIC_ADD] = do_arithmetic,
	[ZYDIS_MNEMONIC_ADC] = do_arithmetic,
	[ZYDIS_MNEMONIC_SUB] = do_arithmetic,
	[ZYDIS_MNEMONIC_SBB] = do_arithmetic,
	[ZYDIS_MNEMONIC_AND] = do_arithmetic,
	[ZYDIS_MNEMONIC_OR] = do_arithmetic,
	[ZYDIS_MNEMONIC_XOR] = do_arithmetic,
	[ZYDIS_MNEMONIC_CMP] = do_arithmetic,
	[ZYDIS_MNEMONIC_TEST] = do_arithmetic,
	[ZYDIS_MNEMONIC_INC] = do_unary,
	[ZYDIS_MNEMONIC_DEC] = do_unary,
	[ZYDIS_MNEMONIC_NEG] = do_unary,
	[ZYDIS_MNEMONIC_NOT] = do_unary,
	[ZYDIS_MNEMONIC_XCHG] = do_exchange,
	[ZYDIS_MNEMONIC_XADD] = do_exchange_add,
	[ZYDIS_MNEMONIC_CMPXCHG] = do_compare_exchange,
	[ZYDIS_MNEMONIC_CMPXCHG8B] = do_compare_exchange_pair,
	[ZYDIS_MNEMONIC_CMPXCHG16B] = do_compare_exchange_pair,
	[ZYDIS_MNEMONIC_BT] = do_bit,
	[ZYDIS_MNEMONIC_BTS] = do_bit,
	[ZYDIS_MNEMONIC_BTR] = do_bit,
	[ZYDIS_MNEMONIC_BTC] = do_bit,
	[ZYDIS_MNEMONIC_BSF] = do_bit_scan,
	[ZYDIS_MNEMONIC_BSR] = do_bit_scan,
	[ZYDIS_MNEMONIC_SHL] = do_shift,
	[ZYDIS_MNEMONIC_SHR] = do_shift,
	[ZYDIS_MNEMONIC_SAR] = do_shift,
	[ZYDIS_MNEMONIC_ROL] = do_shift,
	[ZYDIS_MNEMONIC_ROR] = do_shift,
	[ZYDIS_MNEMONIC_RCL] = do_shift,
	[ZYDIS_MNEMONIC_RCR] = do_shift,
	[ZYDIS_MNEMONIC_SHLD] = do_double_shift,
	[ZYDIS_MNEMONIC_SHRD] = do_double_shift,
	[ZYDIS_MNEMONIC_MUL] = do_multiply,
	[ZYDIS_MNEMONIC_IMUL] = do_multiply,
	[ZYDIS_MNEMONIC_DIV] = do_divide,
	[ZYDIS_MNEMONIC_IDIV] = do_divide,
	[ZYDIS_MNEMONIC_PUSH] = do_push,
	[ZYDIS_MNEMONIC_POP] = do_pop,
	[ZYDIS_MNEMONIC_CALL] = do_call,
	[ZYDIS_MNEMONIC_JMP] = do_jump,
	[ZYDIS_MNEMONIC_RET] = do_return,
	[ZYDIS_MNEMONIC_ENTER] = do_enter,
	[ZYDIS_MNEMONIC_LEAVE] = do_leave,
	[ZYDIS_MNEMONIC_MOVSB] = do_string,
	[ZYDIS_MNEMONIC_MOVSW] = do_string,
	[ZYDIS_MNEMONIC_MOVSD] = do_string,
	[ZYDIS_MNEMONIC_MOVSQ] = do_string,
	[ZYDIS_MNEMONIC_STOSB] = do_string,
	[ZYDIS_MNEMONIC_STOSW] = do_string,
	[ZYDIS_MNEMONIC_STOSD] = do_string,
	[ZYDIS_MNEMONIC_STOSQ] = do_string,
	[ZYDIS_MNEMONIC_LODSB] = do_string,
	[ZYDIS_MNEMONIC_LODSW] = do_string,
	[ZYDIS_MNEMONIC_LODSD] = do_string,
	[ZYDIS_MNEMONIC_LODSQ] = do_string,
	[ZYDIS_MNEMONIC_CMPSB] = do_string,
	[ZYDIS_MNEMONIC_CMPSW] = do_string,
	[ZYDIS_MNEMONIC_CMPSD] = do_string,
	[ZYDIS_MNEMONIC_CMPSQ] = do_string,
	[ZYDIS_MNEMONIC_SCASB] = do_string,
	[ZYDIS_MNEMONIC_SCASW] = do_string,
	[ZYDIS_MNEMONIC_SCASD] = do_string,
	[ZYDIS_MNEMONIC_SCASQ] = do_string,
	[ZYDIS_MNEMONIC_INSB] = do_string,
	[ZYDIS_MNEMONIC_INSW] = do_string,
	[ZYDIS_MNEMONIC_INSD] = do_string,
	[ZYDIS_MNEMONIC_OUTSB] = do_string,
	[ZYDIS_MNEMONIC_OUTSW] = do_string,
	[ZYDIS_MNEMONIC_OUTSD] = do_string,
	[ZYDIS_MNEMONIC_MOVUPS] = do_vector,
	[ZYDIS_MNEMONIC_MOVUPD] = do_vector,
	[ZYDIS_MNEMONIC_MOVAPS] = do_vector,
	[ZYDIS_MNEMONIC_MOVAPD] = do_vector,
	[ZYDIS_MNEMONIC_MOVDQA] = do_vector,
	[ZYDIS_MNEMONIC_MOVDQU] = do_vector,
	[ZYDIS_MNEMONIC_LDDQU] = do_vector,
	[ZYDIS_MNEMONIC_MOVNTPS] = do_vector,
	[ZYDIS_MNEMONIC_MOVNTPD] = do_vector,
	[ZYDIS_MNEMONIC_MOVNTDQ] = do_vector,
	[ZYDIS_MNEMONIC_MOVNTDQA] = do_vector,
	[ZYDIS_MNEMONIC_MOVNTQ] = do_vector,
	[ZYDIS_MNEMONIC_MOVD] = do_vector,
	[ZYDIS_MNEMONIC_MOVQ] = do_vector,
	[ZYDIS_MNEMONIC_MOVSS] = do_vector,
	[ZYDIS_MNEMONIC_MOVLPS] = do_vector,
	[ZYDIS_MNEMONIC_MOVLPD] = do_vector,
	[ZYDIS_MNEMONIC_MOVHPS] = do_vector,
	[ZYDIS_MNEMONIC_MOVHPD] = do_vector,
	[ZYDIS_MNEMONIC_VMOVUPS] = do_vector,
	[ZYDIS_MNEMONIC_VMOVUPD] = do_vector,
	[ZYDIS_MNEMONIC_VMOVAPS] = do_vector,
	[ZYDIS_MNEMONIC_VMOVAPD] = do_vector,
	[ZYDIS_MNEMONIC_VMOVDQA] = do_vector,
	[ZYDIS_MNEMONIC_VMOVDQU] = do_vector,
	[ZYDIS_MNEMONIC_VLDDQU] = do_vector,
	[ZYDIS_MNEMONIC_VMOVNTPS] = do_vector,
	[ZYDIS_MNEMONIC_VMOVNTPD] = do_vector,
	[ZYDIS_MNEMONIC_VMOVNTDQ] = do_vector,
	[ZYDIS_MNEMONIC_VMOVNTDQA] = do_vector,
	[ZYDIS_MNEMONIC_VMOVD] = do_vector,
	[ZYDIS_MNEMONIC_VMOVQ] = do_vector,
	[ZYDIS_MNEMONIC_VMOVSS] = do_vector,
	[ZYDIS_MNEMONIC_VMOVSD] = do_vector,
	[ZYDIS_MNEMONIC_VMOVLPS] = do_vector,
	[ZYDIS_MNEMONIC_VMOVLPD] = do_vector,
	[ZYDIS_MNEMONIC_VMOVHPS] = do_vector,
	[ZYDIS_MNEMONIC_VMOVHPD] = do_vector,
};

/*
 * A locked instruction on a device is a read and a write for the device.  One at
 * a time: two VPs that set bits in one register lose none.
 */
static pthread_mutex_t bus_lock = PTHREAD_MUTEX_INITIALIZER;

static int carry_out(struct work *w)
{
	handler run = handlers[w->d.mnemonic];
	bool locked = w->d.attributes & ZYDIS_ATTRIB_HAS_LOCK ||
		      w->d.mnemonic == ZYDIS_MNEMONIC_XCHG;
	int ret;

	if (w->d.meta.category == ZYDIS_CATEGORY_SETCC)
		run = do_set_condition;
	else if (w->d.meta.category == ZYDIS_CATEGORY_CMOV)
		run = do_move_condition;
	if (!run)
		return INSN_UNKNOWN;
	if (!locked)
		return run(w);
	pthread_mutex_lock(&bus_lock);
	ret = run(w);
	pthread_mutex_unlock(&bus_lock);
	return ret;
}

/* The module fetched nothing (the page was gone for it): try again here. */
static int fetch(struct insn *in)
{
	u64 linear = (insn_long_mode(in->regs) ? 0 : in->regs->cs.base) + in->regs->rip;
	unsigned int room = 4096 - (linear & 4095);
	int ret = insn_memory(in, linear, in->bytes, min_u64(15, room), false);

	if (ret)
		return ret;
	in->len = min_u64(15, room);
	if (in->len < 15 &&
	    insn_memory(in, linear + room, in->bytes + room, 15 - room, false) == INSN_DONE)
		in->len = 15;
	return INSN_DONE;
}

static void decoder_init(ZydisDecoder *dec, const struct hv_vp_register_page *r)
{
	if (insn_long_mode(r))
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	else if (r->cs.attributes & ATTR_BIG)
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32);
	else if (r->cr0 & CR0_PE)
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_STACK_WIDTH_16);
	else
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16);
}

/* Programs of the guest must not be able to end it: for them it is no instruction. */
static int unknown(struct insn *in)
{
	if (!insn_user_mode(in->regs))
		return INSN_UNKNOWN;
	in->fault = (struct guest_fault){ .vector = VECTOR_UD };
	return INSN_FAULT;
}

int insn_emulate(struct insn *in)
{
	struct work w = { .in = in };
	ZydisDecoder dec;
	int ret;

	if (in->len > 15)
		in->len = 15;
	if (!in->len) {
		ret = fetch(in);
		if (ret)
			return ret;
	}
	decoder_init(&dec, in->regs);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&dec, in->bytes, in->len, &w.d, w.op)))
		return unknown(in);
	w.next = in->regs->rip + w.d.length;
	ret = carry_out(&w);
	if (ret == INSN_UNKNOWN)
		return unknown(in);
	if (ret != INSN_DONE)
		return ret;
	in->regs->rip = insn_long_mode(in->regs) ? w.next : w.next & 0xffffffff;
	in->regs->dirty |= 1u << HV_X64_REGISTER_CLASS_IP;
	return INSN_DONE;
}
