// SPDX-License-Identifier: GPL-2.0-only
/* insn_math.c - shifts, multiplication, division, bit scans and conditions. */
#include "insn_priv.h"

int do_bit_scan(struct work *w)
{
	u64 value;
	int ret = insn_read(w, &w->op[1], &value);

	if (ret)
		return ret;
	insn_set_flags(w, FLAG_ZF, value ? 0 : FLAG_ZF);
	if (!value)	/* the destination stays */
		return INSN_DONE;
	return insn_write(w, &w->op[0], w->d.mnemonic == ZYDIS_MNEMONIC_BSF ?
			  __builtin_ctzll(value) : 63 - __builtin_clzll(value));
}

/* One step of a shift or rotation; *@carry in and out. */
static u64 shift_once(ZydisMnemonic kind, u64 v, unsigned int bits, bool *carry)
{
	u64 top = BIT(bits - 1);
	bool in = *carry;

	switch (kind) {
	case ZYDIS_MNEMONIC_SHL:
	case ZYDIS_MNEMONIC_ROL:
	case ZYDIS_MNEMONIC_RCL:
		*carry = v & top;
		v = (v & (top - 1)) << 1;
		if (kind == ZYDIS_MNEMONIC_ROL)
			v |= *carry;
		else if (kind == ZYDIS_MNEMONIC_RCL)
			v |= in;
		return v;
	default:
		*carry = v & 1;
		if (kind == ZYDIS_MNEMONIC_SAR)
			in = v & top;
		else if (kind == ZYDIS_MNEMONIC_ROR)
			in = *carry;
		else if (kind == ZYDIS_MNEMONIC_SHR)
			in = false;
		return v >> 1 | (in ? top : 0);
	}
}

/* As for a count of one; for others the SDM leaves OF undefined. */
static bool shift_overflow(ZydisMnemonic kind, u64 before, u64 after, unsigned int bits,
			   bool carry)
{
	switch (kind) {
	case ZYDIS_MNEMONIC_SAR:
		return false;
	case ZYDIS_MNEMONIC_SHR:
		return before >> (bits - 1);
	case ZYDIS_MNEMONIC_ROR:
	case ZYDIS_MNEMONIC_RCR:
		return (after >> (bits - 1) ^ after >> (bits - 2)) & 1;
	default:
		return after >> (bits - 1) ^ carry;
	}
}

int do_shift(struct work *w)
{
	bool rotates = w->d.meta.category == ZYDIS_CATEGORY_ROTATE;
	bool carry = w->in->regs->rflags & FLAG_CF;
	unsigned int bits = w->op[0].size;
	u64 before, value, count, flags;
	int ret = insn_read(w, &w->op[0], &before);

	if (!ret)
		ret = insn_read(w, &w->op[1], &count);
	if (ret)
		return ret;
	count &= bits == 64 ? 63 : 31;
	value = before;
	for (u64 i = 0; i < count; i++) {
		before = value;
		value = shift_once(w->d.mnemonic, value, bits, &carry);
	}
	ret = insn_write(w, &w->op[0], value);
	if (ret || !count)
		return ret;
	flags = insn_result_flags(value, bits / 8) | (carry ? FLAG_CF : 0);
	if (shift_overflow(w->d.mnemonic, before, value, bits, carry))
		flags |= FLAG_OF;
	insn_set_flags(w, rotates ? FLAG_CF | FLAG_OF : FLAGS_ARITH, flags);
	return INSN_DONE;
}

/* SHLD and SHRD: bits come in from the second operand. */
int do_double_shift(struct work *w)
{
	bool left = w->d.mnemonic == ZYDIS_MNEMONIC_SHLD, carry = false;
	unsigned int bits = w->op[0].size;
	u64 top = BIT(bits - 1), before, value, from, count, flags;
	int ret = insn_read(w, &w->op[0], &before);

	if (!ret)
		ret = insn_read(w, &w->op[1], &from);
	if (!ret)
		ret = insn_read(w, &w->op[2], &count);
	if (ret)
		return ret;
	count &= bits == 64 ? 63 : 31;
	value = before;
	for (u64 i = 0; i < count; i++) {
		carry = value & (left ? top : 1);
		if (left)
			value = (value & (top - 1)) << 1 | (from & top ? 1 : 0);
		else
			value = value >> 1 | (from & 1 ? top : 0);
		from = left ? from << 1 : from >> 1;
	}
	ret = insn_write(w, &w->op[0], value);
	if (ret || !count)
		return ret;
	flags = insn_result_flags(value, bits / 8) | (carry ? FLAG_CF : 0);
	if ((before ^ value) & top)
		flags |= FLAG_OF;
	insn_set_flags(w, FLAGS_ARITH, flags);
	return INSN_DONE;
}

static s128 sign_extend(u64 value, unsigned int bytes)
{
	unsigned int left = 64 - bytes * 8;

	return (int64_t)(value << left) >> left;
}

/* AX, DX:AX, EDX:EAX or RDX:RAX */
static void write_pair(struct work *w, u64 low, u64 high, unsigned int bytes)
{
	struct hv_vp_register_page *r = w->in->regs;

	if (bytes == 1) {
		insn_gpr_write(r, RAX, 0, (low & 0xff) | high << 8, 2);
		return;
	}
	insn_gpr_write(r, RAX, 0, low, bytes);
	insn_gpr_write(r, RDX, 0, high, bytes);
}

/* MUL, and IMUL with one, two or three operands */
int do_multiply(struct work *w)
{
	unsigned int bytes = w->op[0].size / 8, count = w->d.operand_count_visible;
	bool is_signed = w->d.mnemonic == ZYDIS_MNEMONIC_IMUL;
	u128 product;
	bool overflow;
	u64 a, b;
	int ret = insn_read(w, &w->op[count == 3], &a);

	b = w->in->regs->gpr[RAX];
	if (!ret && count > 1)
		ret = insn_read(w, &w->op[count - 1], &b);
	if (ret)
		return ret;
	b &= insn_mask(bytes);
	if (is_signed)
		product = sign_extend(a, bytes) * sign_extend(b, bytes);
	else
		product = (u128)a * b;
	if (is_signed)
		overflow = (s128)product != sign_extend(product, bytes);
	else
		overflow = product >> (bytes * 8);
	insn_set_flags(w, FLAG_CF | FLAG_OF, overflow ? FLAG_CF | FLAG_OF : 0);
	if (count > 1)
		return insn_write(w, &w->op[0], product);
	write_pair(w, product, product >> (bytes * 8), bytes);
	return INSN_DONE;
}

static int divide_error(struct work *w)
{
	w->in->fault = (struct guest_fault){ .vector = VECTOR_DE };
	return INSN_FAULT;
}

int do_divide(struct work *w)
{
	const struct hv_vp_register_page *r = w->in->regs;
	unsigned int bytes = w->op[0].size / 8, bits = bytes * 8;
	u64 high = bytes == 1 ? r->gpr[RAX] >> 8 : r->gpr[RDX], divisor;
	u128 n, q;
	int ret = insn_read(w, &w->op[0], &divisor);

	if (ret)
		return ret;
	if (!divisor)
		return divide_error(w);
	n = (u128)(high & insn_mask(bytes)) << bits | (r->gpr[RAX] & insn_mask(bytes));
	if (w->d.mnemonic == ZYDIS_MNEMONIC_DIV) {
		q = n / divisor;
		if (q >> bits)
			return divide_error(w);
		write_pair(w, q, n % divisor, bytes);
	} else {
		s128 sn = (s128)(n << (128 - 2 * bits)) >> (128 - 2 * bits);
		s128 sd = sign_extend(divisor, bytes);

		/* the one quotient that the compiler's own division cannot hold */
		if (sd == -1 && sn == (s128)((u128)1 << 127))
			return divide_error(w);
		q = sn / sd;
		if ((s128)q != sign_extend(q, bytes))
			return divide_error(w);
		write_pair(w, q, sn % sd, bytes);
	}
	return INSN_DONE;
}

/* Conditions are numbered as in the opcodes: the lowest bit negates. */
static bool condition(const struct work *w)
{
	u64 f = w->in->regs->rflags;
	bool sign = !(f & FLAG_SF) != !(f & FLAG_OF), is;

	switch (w->d.opcode >> 1 & 7) {
	case 0:
		is = f & FLAG_OF;
		break;
	case 1:
		is = f & FLAG_CF;
		break;
	case 2:
		is = f & FLAG_ZF;
		break;
	case 3:
		is = f & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		is = f & FLAG_SF;
		break;
	case 5:
		is = f & FLAG_PF;
		break;
	case 6:
		is = sign;
		break;
	default:
		is = sign || (f & FLAG_ZF);
	}
	return is != (w->d.opcode & 1);
}

int do_set_condition(struct work *w)
{
	return insn_write(w, &w->op[0], condition(w));
}

int do_move_condition(struct work *w)
{
	u64 value, old;
	int ret = insn_read(w, &w->op[1], &value);

	if (!ret)
		ret = insn_read(w, &w->op[0], &old);
	/* a 32-bit destination loses its upper half either way */
	return ret ? ret : insn_write(w, &w->op[0], condition(w) ? value : old);
}
