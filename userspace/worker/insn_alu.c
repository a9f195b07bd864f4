// SPDX-License-Identifier: GPL-2.0-only
/* insn_alu.c - moves, arithmetic, exchanges and bits. */
#include "insn_priv.h"

int do_move(struct work *w)
{
	u64 value;
	int ret = insn_read(w, &w->op[1], &value);

	return ret ? ret : insn_write(w, &w->op[0], value);
}

int do_move_signed(struct work *w)
{
	unsigned int from = w->op[1].size;
	u64 value;
	int ret = insn_read(w, &w->op[1], &value);

	if (ret)
		return ret;
	if (from < 64)
		value = (u64)((int64_t)(value << (64 - from)) >> (64 - from));
	return insn_write(w, &w->op[0], value);
}

int do_movbe(struct work *w)
{
	u64 value;
	int ret = insn_read(w, &w->op[1], &value);

	return ret ? ret :
	       insn_write(w, &w->op[0], __builtin_bswap64(value) >> (64 - w->op[0].size));
}

int do_smsw(struct work *w)
{
	return insn_write(w, &w->op[0], w->in->regs->cr0);
}

/* Two operands, result to the first unless it only compares. */
int do_arithmetic(struct work *w)
{
	unsigned int bytes = w->op[0].size / 8;
	u64 carry = w->in->regs->rflags & FLAG_CF;
	u64 a, b, result, flags;
	bool store = true;
	int ret = insn_read(w, &w->op[0], &a);

	if (!ret)
		ret = insn_read(w, &w->op[1], &b);
	if (ret)
		return ret;
	b &= insn_mask(bytes);
	switch (w->d.mnemonic) {
	case ZYDIS_MNEMONIC_ADD:
		carry = 0;
		/* fall through */
	case ZYDIS_MNEMONIC_ADC:
		result = a + b + carry;
		flags = insn_add_flags(a, b, result, bytes);
		break;
	case ZYDIS_MNEMONIC_CMP:
		store = false;
		/* fall through */
	case ZYDIS_MNEMONIC_SUB:
		carry = 0;
		/* fall through */
	case ZYDIS_MNEMONIC_SBB:
		result = a - b - carry;
		flags = insn_sub_flags(a, b, result, bytes);
		break;
	case ZYDIS_MNEMONIC_TEST:
		store = false;
		/* fall through */
	case ZYDIS_MNEMONIC_AND:
		result = a & b;
		flags = insn_result_flags(result, bytes);
		break;
	case ZYDIS_MNEMONIC_OR:
		result = a | b;
		flags = insn_result_flags(result, bytes);
		break;
	case ZYDIS_MNEMONIC_XOR:
		result = a ^ b;
		flags = insn_result_flags(result, bytes);
		break;
	default:
		return INSN_UNKNOWN;
	}
	if (store)
		ret = insn_write(w, &w->op[0], result);
	if (!ret)
		insn_set_flags(w, FLAGS_ARITH, flags);
	return ret;
}

int do_unary(struct work *w)
{
	unsigned int bytes = w->op[0].size / 8;
	u64 which = FLAGS_ARITH, flags = 0, a, result;
	int ret = insn_read(w, &w->op[0], &a);

	if (ret)
		return ret;
	switch (w->d.mnemonic) {
	case ZYDIS_MNEMONIC_INC:
		result = a + 1;
		flags = insn_add_flags(a, 1, result, bytes);
		which &= ~FLAG_CF;
		break;
	case ZYDIS_MNEMONIC_DEC:
		result = a - 1;
		flags = insn_sub_flags(a, 1, result, bytes);
		which &= ~FLAG_CF;
		break;
	case ZYDIS_MNEMONIC_NEG:
		result = -a;
		flags = insn_sub_flags(0, a, result, bytes);
		break;
	default:	/* NOT */
		result = ~a;
		which = 0;
	}
	ret = insn_write(w, &w->op[0], result);
	if (!ret)
		insn_set_flags(w, which, flags);
	return ret;
}

/* Memory is written before registers, so that a fault changes nothing. */
int do_exchange(struct work *w)
{
	int mem = w->op[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
	u64 value[2];
	int ret = insn_read(w, &w->op[0], &value[0]);

	if (!ret)
		ret = insn_read(w, &w->op[1], &value[1]);
	if (!ret)
		ret = insn_write(w, &w->op[mem], value[!mem]);
	return ret ? ret : insn_write(w, &w->op[!mem], value[mem]);
}

int do_exchange_add(struct work *w)
{
	unsigned int bytes = w->op[0].size / 8;
	u64 old, add;
	int ret = insn_read(w, &w->op[0], &old);

	if (!ret)
		ret = insn_read(w, &w->op[1], &add);
	if (!ret)
		ret = insn_write(w, &w->op[0], old + add);
	if (ret)
		return ret;
	insn_set_flags(w, FLAGS_ARITH, insn_add_flags(old, add, old + add, bytes));
	return insn_write(w, &w->op[1], old);
}

int do_compare_exchange(struct work *w)
{
	struct hv_vp_register_page *r = w->in->regs;
	unsigned int bytes = w->op[0].size / 8;
	u64 rax = r->gpr[RAX] & insn_mask(bytes), old, new;
	int ret = insn_read(w, &w->op[0], &old);

	if (!ret)
		ret = insn_read(w, &w->op[1], &new);
	if (!ret)
		ret = insn_write(w, &w->op[0], old == rax ? new : old);
	if (ret)
		return ret;
	insn_set_flags(w, FLAGS_ARITH, insn_sub_flags(rax, old, rax - old, bytes));
	if (old != rax)
		insn_gpr_write(r, RAX, 0, old, bytes);
	return INSN_DONE;
}

/* CMPXCHG8B and CMPXCHG16B: EDX:EAX or RDX:RAX, and ECX:EBX or RCX:RBX. */
int do_compare_exchange_pair(struct work *w)
{
	struct hv_vp_register_page *r = w->in->regs;
	unsigned int half = w->op[0].size / 16;
	u64 linear = insn_linear(w, &w->op[0]), mask = insn_mask(half);
	u64 old[2] = { 0 }, new[2];
	u8 value[16];
	bool same;
	int ret;

	if (half == 8 && (linear & 15)) {
		w->in->fault = (struct guest_fault){ .vector = VECTOR_GP, .has_error = true };
		return INSN_FAULT;
	}
	ret = insn_memory(w->in, linear, value, 2 * half, false);
	if (ret)
		return ret;
	memcpy(&old[0], value, half);
	memcpy(&old[1], value + half, half);
	same = old[0] == (r->gpr[RAX] & mask) && old[1] == (r->gpr[RDX] & mask);
	new[0] = same ? r->gpr[RBX] : old[0];
	new[1] = same ? r->gpr[RCX] : old[1];
	memcpy(value, &new[0], half);
	memcpy(value + half, &new[1], half);
	ret = insn_memory(w->in, linear, value, 2 * half, true);
	if (ret)
		return ret;
	insn_set_flags(w, FLAG_ZF, same ? FLAG_ZF : 0);
	if (!same) {
		insn_gpr_write(r, RAX, 0, old[0], half);
		insn_gpr_write(r, RDX, 0, old[1], half);
	}
	return INSN_DONE;
}

/* A bit number in a register reaches beyond the memory operand. */
int do_bit(struct work *w)
{
	unsigned int bits = w->op[0].size;
	u64 linear, value = 0, bit, offset;
	bool carry;
	int ret = insn_read(w, &w->op[1], &offset);

	if (ret || w->op[0].type != ZYDIS_OPERAND_TYPE_MEMORY)
		return ret ? ret : INSN_UNKNOWN;
	linear = insn_linear(w, &w->op[0]);
	if (w->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER) {
		int64_t index = (int64_t)(offset << (64 - bits)) >> (64 - bits);

		linear += (u64)(index >> __builtin_ctz(bits)) * (bits / 8);
	}
	bit = BIT(offset & (bits - 1));
	ret = insn_memory(w->in, linear, &value, bits / 8, false);
	if (ret)
		return ret;
	carry = value & bit;
	switch (w->d.mnemonic) {
	case ZYDIS_MNEMONIC_BTS:
		value |= bit;
		break;
	case ZYDIS_MNEMONIC_BTR:
		value &= ~bit;
		break;
	case ZYDIS_MNEMONIC_BTC:
		value ^= bit;
		break;
	default:
		break;
	}
	if (w->d.mnemonic != ZYDIS_MNEMONIC_BT)
		ret = insn_memory(w->in, linear, &value, bits / 8, true);
	if (!ret)
		insn_set_flags(w, FLAG_CF, carry ? FLAG_CF : 0);
	return ret;
}
