// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bounded decoder: prefixes, one opcode of a short list, ModRM, immediate.
 *
 * It learns what is moved where; the address it skips over, since the
 * hardware has reported it.  Whatever it does not know goes to the worker.
 * Pure, no locks; the registers may change while it looks and are read once.
 */
#include "purelib.h"
#include "emul_mmio.h"

#define MAX_INSN_LEN	15	/* longer ones are #GP: not ours to give */

#define REX_R		0x4
#define REX_W		0x8

#define REG_RAX		0
#define REG_RDI		7

enum form {
	FORM_REG,		/* ModRM: register and memory */
	FORM_IMM,		/* ModRM: memory; an immediate */
	FORM_OFFSET,		/* accumulator and a plain offset */
	FORM_STOS,
};

struct decode {
	const u8 *bytes;
	size_t len;
	size_t pos;
	enum ovid_cpu_bits bits;
	u8 op_size;		/* 2, 4, 8 */
	u8 addr_size;		/* 2, 4, 8 */
	u8 rex;			/* the whole prefix, 0: none */
	enum form form;
	u8 modrm_reg;		/* without REX.R */
};

/* steps over @nr bytes that have to be there */
static int skip(struct decode *d, size_t nr)
{
	if (d->pos + nr > MAX_INSN_LEN)
		return -EOPNOTSUPP;
	if (d->pos + nr > d->len)
		return -EAGAIN;
	d->pos += nr;
	return 0;
}

/* the next byte, or a negative error */
static int next_byte(struct decode *d)
{
	int ret = skip(d, 1);

	return ret ?: d->bytes[d->pos - 1];
}

static void set_sizes(struct decode *d, bool p66, bool p67)
{
	switch (d->bits) {
	case OVID_16BIT:
		d->op_size = p66 ? 4 : 2;
		d->addr_size = p67 ? 4 : 2;
		break;
	case OVID_32BIT:
		d->op_size = p66 ? 2 : 4;
		d->addr_size = p67 ? 2 : 4;
		break;
	default:
		d->op_size = d->rex & REX_W ? 8 : p66 ? 2 : 4;
		d->addr_size = p67 ? 4 : 8;
	}
}

/* returns the first byte of the opcode; LOCK and REP come back as opcodes */
static int parse_prefixes(struct decode *d)
{
	bool p66 = false, p67 = false;
	int b;

	for (;;) {
		b = next_byte(d);
		if (b < 0)
			return b;
		switch (b) {
		case 0x66:
			p66 = true;
			break;
		case 0x67:
			p67 = true;
			break;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
			break;
		default:
			if (d->bits == OVID_64BIT && (b & 0xf0) == 0x40) {
				d->rex = b;
				continue;
			}
			set_sizes(d, p66, p67);
			return b;
		}
		d->rex = 0;	/* counts only right before the opcode */
	}
}

static void set_store(struct decode *d, struct ovid_insn *insn, enum form form, u8 size)
{
	d->form = form;
	insn->write = 1;
	insn->size = size;
}

static void set_load(struct decode *d, struct ovid_insn *insn, enum form form,
		     u8 size, u8 reg_size)
{
	d->form = form;
	insn->size = size;
	insn->reg_size = reg_size;
}

/* 0F xx: MOVZX and MOVSX */
static int parse_opcode_0f(struct decode *d, struct ovid_insn *insn)
{
	int op = next_byte(d);

	if (op < 0)
		return op;
	switch (op) {
	case 0xbe: case 0xbf:
		insn->sign_extend = 1;
		fallthrough;
	case 0xb6: case 0xb7:
		set_load(d, insn, FORM_REG, op & 1 ? 2 : 1, d->op_size);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int parse_opcode(struct decode *d, int op, struct ovid_insn *insn)
{
	u8 size = op & 1 ? d->op_size : 1;

	switch (op) {
	case 0x0f:
		return parse_opcode_0f(d, insn);
	case 0x63:	/* MOVSXD; ARPL outside 64-bit mode; vendors differ on 66 */
		if (d->bits != OVID_64BIT || d->op_size == 2)
			return -EOPNOTSUPP;
		insn->sign_extend = 1;
		set_load(d, insn, FORM_REG, 4, d->op_size);
		return 0;
	case 0x88: case 0x89:
		set_store(d, insn, FORM_REG, size);
		return 0;
	case 0x8a: case 0x8b:
		set_load(d, insn, FORM_REG, size, size);
		return 0;
	case 0xa0: case 0xa1:
		set_load(d, insn, FORM_OFFSET, size, size);
		return 0;
	case 0xa2: case 0xa3:
		set_store(d, insn, FORM_OFFSET, size);
		return 0;
	case 0xaa: case 0xab:
		set_store(d, insn, FORM_STOS, size);
		return 0;
	case 0xc6: case 0xc7:
		set_store(d, insn, FORM_IMM, size);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* bytes of displacement; @modrm has a memory operand */
static int disp_size(struct decode *d, u8 modrm)
{
	u8 mod = modrm >> 6, rm = modrm & 7;

	if (d->addr_size == 2) {
		if (mod == 0)
			return rm == 6 ? 2 : 0;
		return mod;
	}
	if (rm == 4) {
		int sib = next_byte(d);

		if (sib < 0)
			return sib;
		rm = sib & 7;
	}
	if (mod == 0)
		return rm == 5 ? 4 : 0;
	return mod == 1 ? 1 : 4;
}

static int parse_modrm(struct decode *d)
{
	int modrm = next_byte(d);
	int disp;

	if (modrm < 0)
		return modrm;
	if (modrm >> 6 == 3)
		return -EOPNOTSUPP;
	d->modrm_reg = (modrm >> 3) & 7;
	disp = disp_size(d, modrm);
	return disp < 0 ? disp : skip(d, disp);
}

static u64 cut(u64 val, u8 size)
{
	return val & (~0ull >> (64 - 8 * size));
}

/* the register operand: which it is (load), or its value (store) */
static void put_register(const struct decode *d, const u64 gpr[16], struct ovid_insn *insn)
{
	u8 width = insn->write ? insn->size : insn->reg_size;
	u8 reg = d->modrm_reg | (d->rex & REX_R ? 8 : 0);
	u8 high = width == 1 && !d->rex && reg >= 4;

	if (high)
		reg -= 4;
	if (insn->write) {
		insn->value = cut(READ_ONCE(gpr[reg]) >> (high ? 8 : 0), insn->size);
		return;
	}
	insn->reg = reg;
	insn->high_byte = high;
}

static int put_immediate(struct decode *d, struct ovid_insn *insn)
{
	u8 size = min_t(u8, insn->size, 4);	/* MOV m64, imm32 extends the sign */
	const u8 *imm = d->bytes + d->pos;
	int ret = skip(d, size);

	if (ret)
		return ret;
	switch (size) {
	case 1:
		insn->value = imm[0];
		break;
	case 2:
		insn->value = get_unaligned_le16(imm);
		break;
	default:
		insn->value = cut((s64)(s32)get_unaligned_le32(imm), insn->size);
	}
	return 0;
}

static int parse_operands(struct decode *d, const u64 gpr[16], struct ovid_insn *insn)
{
	int ret;

	switch (d->form) {
	case FORM_REG:
		ret = parse_modrm(d);
		if (!ret)
			put_register(d, gpr, insn);
		return ret;
	case FORM_IMM:
		ret = parse_modrm(d);
		if (ret)
			return ret;
		if (d->modrm_reg)	/* XABORT, XBEGIN, undefined */
			return -EOPNOTSUPP;
		return put_immediate(d, insn);
	case FORM_OFFSET:
		if (insn->write)
			insn->value = cut(READ_ONCE(gpr[REG_RAX]), insn->size);
		return skip(d, d->addr_size);
	case FORM_STOS:
		insn->value = cut(READ_ONCE(gpr[REG_RAX]), insn->size);
		insn->stos = 1;
		insn->reg = REG_RDI;
		insn->reg_size = d->addr_size;
		return 0;
	}
	return -EOPNOTSUPP;
}

int ovid_decode_access(const u8 *bytes, size_t len, enum ovid_cpu_bits bits,
		       const u64 gpr[16], struct ovid_insn *insn)
{
	struct decode d = { .bytes = bytes, .len = len, .bits = bits };
	int ret;

	memset(insn, 0, sizeof(*insn));
	ret = parse_prefixes(&d);
	if (ret < 0)
		return ret;
	ret = parse_opcode(&d, ret, insn);
	if (ret)
		return ret;
	ret = parse_operands(&d, gpr, insn);
	if (ret)
		return ret;
	insn->len = d.pos;
	return 0;
}

/* @val into the low @size bytes of @old; 4 bytes clear the upper half */
static u64 merge(u64 old, u64 val, u8 size)
{
	switch (size) {
	case 1:
		return (old & ~0xffull) | (u8)val;
	case 2:
		return (old & ~0xffffull) | (u16)val;
	case 4:
		return (u32)val;
	default:
		return val;
	}
}

u64 ovid_insn_load_result(const struct ovid_insn *insn, u64 old, u64 data)
{
	if (insn->high_byte)
		return (old & ~0xff00ull) | (u64)(u8)data << 8;
	if (insn->sign_extend)
		data = sign_extend64(data, 8 * insn->size - 1);
	else
		data = cut(data, insn->size);
	return merge(old, data, insn->reg_size);
}

u64 ovid_insn_stos_rdi(const struct ovid_insn *insn, u64 rdi, bool down)
{
	return merge(rdi, down ? rdi - insn->size : rdi + insn->size, insn->reg_size);
}
