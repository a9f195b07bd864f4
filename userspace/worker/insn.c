// SPDX-License-Identifier: GPL-2.0-only
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

/* Elements of a repeated string instruction per exit; then the guest re-enters. */
#define STRING_BATCH	1024

/* One instruction under way. */
struct work {
	struct insn *in;
	ZydisDecodedInstruction d;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	bool again;	/* more elements left: stay on the instruction */
};

static u64 mask_of(unsigned int bytes)
{
	return bytes >= 8 ? ~0ull : BIT(bytes * 8) - 1;
}

static bool long_mode(const struct hv_vp_register_page *r)
{
	return (r->efer & EFER_LMA) && (r->cs.attributes & ATTR_LONG);
}

static u32 walk_access(const struct hv_vp_register_page *r, bool write)
{
	bool user = (r->cr0 & CR0_PE) && (r->ss.attributes >> 5 & 3) == 3;

	return (write ? WALK_WRITE : 0) | (user ? WALK_USER : 0);
}

/* --- memory, by linear address -------------------------------------------- */

static void device_rw(const struct bus *mmio, u64 gpa, u8 *buf, unsigned int len, bool write)
{
	while (len) {
		unsigned int n = len >= 8 ? 8 : len >= 4 ? 4 : len >= 2 ? 2 : 1;
		u64 value = 0;

		if (write) {
			memcpy(&value, buf, n);
			bus_write(mmio, gpa, value, n);
		} else {
			value = bus_read(mmio, gpa, n);
			memcpy(buf, &value, n);
		}
		gpa += n;
		buf += n;
		len -= n;
	}
}

struct piece {
	u64 gpa;
	unsigned int len;
};

/* Both pages of an access are found before either is touched. */
static int memory_rw(struct insn *in, u64 linear, void *buf, unsigned int len, bool write)
{
	unsigned int first = min_u64(len, 4096 - (linear & 4095));
	struct piece piece[2] = { { .len = first }, { .len = len - first } };
	u32 access = walk_access(in->regs, write);
	u8 *at = buf;

	if (!long_mode(in->regs))
		linear &= 0xffffffff;
	if (walk(in->regs, in->gm, linear, access, &piece[0].gpa, &in->fault))
		return INSN_FAULT;
	if (piece[1].len &&
	    walk(in->regs, in->gm, linear + first, access, &piece[1].gpa, &in->fault))
		return INSN_FAULT;
	for (int i = 0; i < 2; i++) {
		void *host;

		if (!piece[i].len)
			continue;
		host = gmem_at(in->gm, piece[i].gpa, piece[i].len);
		if (!host)
			device_rw(in->mmio, piece[i].gpa, at, piece[i].len, write);
		else if (write)
			memcpy(host, at, piece[i].len);
		else
			memcpy(at, host, piece[i].len);
		at += piece[i].len;
	}
	return INSN_DONE;
}

/* --- registers and operands ------------------------------------------------ */

/* Index into regs->gpr and shift; false for what is no general register. */
static bool gpr_find(ZydisRegister reg, unsigned int *index, unsigned int *shift)
{
	ZydisRegister whole;

	*shift = 0;
	if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH) {
		*index = reg - ZYDIS_REGISTER_AH;
		*shift = 8;
		return true;
	}
	whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
	if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
		return false;
	*index = whole - ZYDIS_REGISTER_RAX;
	return true;
}

static void gpr_write(struct hv_vp_register_page *r, unsigned int index, unsigned int shift,
		      u64 value, unsigned int bytes)
{
	u64 mask = mask_of(bytes) << shift;

	if (bytes == 4)		/* 32-bit results clear the upper half */
		mask = ~0ull;
	r->gpr[index] = (r->gpr[index] & ~mask) | ((value & mask_of(bytes)) << shift);
	r->dirty |= 1u << HV_X64_REGISTER_CLASS_GENERAL;
}

static u64 segment_base(const struct hv_vp_register_page *r, ZydisRegister seg)
{
	bool flat = long_mode(r);

	switch (seg) {
	case ZYDIS_REGISTER_ES:
		return flat ? 0 : r->es.base;
	case ZYDIS_REGISTER_CS:
		return flat ? 0 : r->cs.base;
	case ZYDIS_REGISTER_SS:
		return flat ? 0 : r->ss.base;
	case ZYDIS_REGISTER_FS:
		return r->fs.base;
	case ZYDIS_REGISTER_GS:
		return r->gs.base;
	default:
		return flat ? 0 : r->ds.base;
	}
}

static u64 register_value(const struct hv_vp_register_page *r, ZydisRegister reg)
{
	unsigned int index, shift;

	return gpr_find(reg, &index, &shift) ? r->gpr[index] >> shift : 0;
}

static u64 effective_address(const struct work *w, const ZydisDecodedOperand *op)
{
	const struct hv_vp_register_page *r = w->in->regs;
	u64 ea = (u64)op->mem.disp.value;	/* 0 when there is none */

	if (op->mem.base == ZYDIS_REGISTER_RIP || op->mem.base == ZYDIS_REGISTER_EIP)
		ea += r->rip + w->d.length;
	else if (op->mem.base != ZYDIS_REGISTER_NONE)
		ea += register_value(r, op->mem.base);
	if (op->mem.index != ZYDIS_REGISTER_NONE)
		ea += (register_value(r, op->mem.index) & mask_of(w->d.address_width / 8)) *
		      op->mem.scale;
	return ea & mask_of(w->d.address_width / 8);
}

static u64 linear_address(const struct work *w, const ZydisDecodedOperand *op)
{
	return segment_base(w->in->regs, op->mem.segment) + effective_address(w, op);
}

static int operand_read(struct work *w, const ZydisDecodedOperand *op, u64 *value)
{
	unsigned int bytes = op->size / 8, index, shift;

	*value = 0;
	if (bytes > 8)
		return INSN_UNKNOWN;
	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (!gpr_find(op->reg.value, &index, &shift))
			return INSN_UNKNOWN;
		*value = w->in->regs->gpr[index] >> shift & mask_of(bytes);
		return INSN_DONE;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		*value = op->imm.value.u;
		return INSN_DONE;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return memory_rw(w->in, linear_address(w, op), value, bytes, false);
	default:
		return INSN_UNKNOWN;
	}
}

static int operand_write(struct work *w, const ZydisDecodedOperand *op, u64 value)
{
	unsigned int bytes = op->size / 8, index, shift;

	if (bytes > 8)
		return INSN_UNKNOWN;
	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (!gpr_find(op->reg.value, &index, &shift))
			return INSN_UNKNOWN;
		gpr_write(w->in->regs, index, shift, value, bytes);
		return INSN_DONE;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return memory_rw(w->in, linear_address(w, op), &value, bytes, true);
	default:
		return INSN_UNKNOWN;
	}
}

static void set_flags(struct work *w, u64 which, u64 value)
{
	struct hv_vp_register_page *r = w->in->regs;

	r->rflags = (r->rflags & ~which) | (value & which);
	r->dirty |= 1u << HV_X64_REGISTER_CLASS_FLAGS;
}

static u64 result_flags(u64 result, unsigned int bytes)
{
	u64 flags = 0;

	result &= mask_of(bytes);
	if (!result)
		flags |= FLAG_ZF;
	if (result >> (bytes * 8 - 1))
		flags |= FLAG_SF;
	if (!(__builtin_popcount(result & 0xff) & 1))
		flags |= FLAG_PF;
	return flags;
}

static u64 add_flags(u64 a, u64 b, u64 sum, unsigned int bytes)
{
	u64 top = BIT(bytes * 8 - 1), flags = result_flags(sum, bytes);
	u64 carries = (a & b) | ((a | b) & ~sum);

	if (carries & top)
		flags |= FLAG_CF;
	if ((a ^ sum) & (b ^ sum) & top)
		flags |= FLAG_OF;
	if ((a ^ b ^ sum) & 0x10)
		flags |= FLAG_AF;
	return flags;
}

static u64 sub_flags(u64 a, u64 b, u64 diff, unsigned int bytes)
{
	u64 top = BIT(bytes * 8 - 1), flags = result_flags(diff, bytes);
	u64 borrows = (~a & b) | ((~a | b) & diff);

	if (borrows & top)
		flags |= FLAG_CF;
	if ((a ^ b) & (a ^ diff) & top)
		flags |= FLAG_OF;
	if ((a ^ b ^ diff) & 0x10)
		flags |= FLAG_AF;
	return flags;
}

/* --- groups of instructions ------------------------------------------------ */

static int do_move(struct work *w, bool sign)
{
	unsigned int from = w->op[1].size;
	u64 value;
	int ret = operand_read(w, &w->op[1], &value);

	if (ret)
		return ret;
	if (sign && from < 64)
		value = (u64)((int64_t)(value << (64 - from)) >> (64 - from));
	return operand_write(w, &w->op[0], value);
}

/* Two operands, result to the first unless it only compares. */
static int do_arithmetic(struct work *w)
{
	unsigned int bytes = w->op[0].size / 8;
	u64 carry = w->in->regs->rflags & FLAG_CF;
	u64 a, b, result, flags;
	bool store = true;
	int ret = operand_read(w, &w->op[0], &a);

	if (!ret)
		ret = operand_read(w, &w->op[1], &b);
	if (ret)
		return ret;
	b &= mask_of(bytes);
	switch (w->d.mnemonic) {
	case ZYDIS_MNEMONIC_ADD:
		carry = 0;
		/* fall through */
	case ZYDIS_MNEMONIC_ADC:
		result = a + b + carry;
		flags = add_flags(a, b, result, bytes);
		break;
	case ZYDIS_MNEMONIC_CMP:
		store = false;
		/* fall through */
	case ZYDIS_MNEMONIC_SUB:
		carry = 0;
		/* fall through */
	case ZYDIS_MNEMONIC_SBB:
		result = a - b - carry;
		flags = sub_flags(a, b, result, bytes);
		break;
	case ZYDIS_MNEMONIC_TEST:
		store = false;
		/* fall through */
	case ZYDIS_MNEMONIC_AND:
		result = a & b;
		flags = result_flags(result, bytes);
		break;
	case ZYDIS_MNEMONIC_OR:
		result = a | b;
		flags = result_flags(result, bytes);
		break;
	case ZYDIS_MNEMONIC_XOR:
		result = a ^ b;
		flags = result_flags(result, bytes);
		break;
	default:
		return INSN_UNKNOWN;
	}
	if (store)
		ret = operand_write(w, &w->op[0], result);
	if (!ret)
		set_flags(w, FLAGS_ARITH, flags);
	return ret;
}

static int do_unary(struct work *w)
{
	unsigned int bytes = w->op[0].size / 8;
	u64 which = FLAGS_ARITH, flags = 0, a, result;
	int ret = operand_read(w, &w->op[0], &a);

	if (ret)
		return ret;
	switch (w->d.mnemonic) {
	case ZYDIS_MNEMONIC_INC:
		result = a + 1;
		flags = add_flags(a, 1, result, bytes);
		which &= ~FLAG_CF;
		break;
	case ZYDIS_MNEMONIC_DEC:
		result = a - 1;
		flags = sub_flags(a, 1, result, bytes);
		which &= ~FLAG_CF;
		break;
	case ZYDIS_MNEMONIC_NEG:
		result = -a;
		flags = sub_flags(0, a, result, bytes);
		break;
	default:	/* NOT */
		result = ~a;
		which = 0;
	}
	ret = operand_write(w, &w->op[0], result);
	if (!ret)
		set_flags(w, which, flags);
	return ret;
}

/* XCHG and XADD: memory is written first, so that a fault changes nothing. */
static int do_exchange(struct work *w, bool add)
{
	unsigned int bytes = w->op[0].size / 8;
	int mem = w->op[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
	u64 value[2];
	int ret = operand_read(w, &w->op[0], &value[0]);

	if (!ret)
		ret = operand_read(w, &w->op[1], &value[1]);
	if (ret)
		return ret;
	if (add) {
		u64 sum = value[0] + value[1];

		ret = operand_write(w, &w->op[0], sum);
		if (ret)
			return ret;
		set_flags(w, FLAGS_ARITH, add_flags(value[0], value[1], sum, bytes));
		return operand_write(w, &w->op[1], value[0]);
	}
	ret = operand_write(w, &w->op[mem], value[!mem]);
	return ret ? ret : operand_write(w, &w->op[!mem], value[mem]);
}

static int do_compare_exchange(struct work *w)
{
	struct hv_vp_register_page *r = w->in->regs;
	unsigned int bytes = w->op[0].size / 8;
	u64 rax = r->gpr[RAX] & mask_of(bytes), old, new;
	int ret = operand_read(w, &w->op[0], &old);

	if (!ret)
		ret = operand_read(w, &w->op[1], &new);
	if (!ret)
		ret = operand_write(w, &w->op[0], old == rax ? new : old);
	if (ret)
		return ret;
	set_flags(w, FLAGS_ARITH, sub_flags(rax, old, rax - old, bytes));
	if (old != rax)
		gpr_write(r, RAX, 0, old, bytes);
	return INSN_DONE;
}

/* A bit number in a register reaches beyond the memory operand. */
static int do_bit(struct work *w)
{
	unsigned int bits = w->op[0].size;
	u64 linear, value = 0, bit, offset;
	int ret = operand_read(w, &w->op[1], &offset);

	if (ret || w->op[0].type != ZYDIS_OPERAND_TYPE_MEMORY)
		return ret ? ret : INSN_UNKNOWN;
	linear = linear_address(w, &w->op[0]);
	if (w->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER) {
		int64_t index = (int64_t)(offset << (64 - bits)) >> (64 - bits);

		linear += (u64)(index >> __builtin_ctz(bits)) * (bits / 8);
	}
	bit = BIT(offset & (bits - 1));
	ret = memory_rw(w->in, linear, &value, bits / 8, false);
	if (ret)
		return ret;
	set_flags(w, FLAG_CF, value & bit ? FLAG_CF : 0);
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
		return INSN_DONE;
	}
	return memory_rw(w->in, linear, &value, bits / 8, true);
}

/* --- string instructions ---------------------------------------------------- */

enum string_kind { STR_MOVS, STR_STOS, STR_LODS, STR_INS, STR_OUTS };

static u64 index_value(const struct work *w, unsigned int reg)
{
	return w->in->regs->gpr[reg] & mask_of(w->d.address_width / 8);
}

static void index_step(struct work *w, unsigned int reg, int64_t step)
{
	gpr_write(w->in->regs, reg, 0, w->in->regs->gpr[reg] + step,
		  w->d.address_width / 8);
}

static ZydisRegister source_segment(const struct work *w)
{
	if (w->d.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_CS)
		return ZYDIS_REGISTER_CS;
	if (w->d.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_SS)
		return ZYDIS_REGISTER_SS;
	if (w->d.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_ES)
		return ZYDIS_REGISTER_ES;
	if (w->d.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_FS)
		return ZYDIS_REGISTER_FS;
	if (w->d.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_GS)
		return ZYDIS_REGISTER_GS;
	return ZYDIS_REGISTER_DS;
}

static int string_element(struct work *w, enum string_kind kind, unsigned int bytes)
{
	struct hv_vp_register_page *r = w->in->regs;
	int64_t step = r->rflags & FLAG_DF ? -(int64_t)bytes : bytes;
	u64 to = segment_base(r, ZYDIS_REGISTER_ES) + index_value(w, RDI);
	u64 from = segment_base(r, source_segment(w)) + index_value(w, RSI);
	bool reads = kind == STR_MOVS || kind == STR_LODS || kind == STR_OUTS;
	bool writes = kind == STR_MOVS || kind == STR_STOS || kind == STR_INS;
	u64 value = r->gpr[RAX], gpa;
	int ret;

	if (reads) {
		value = 0;
		ret = memory_rw(w->in, from, &value, bytes, false);
		if (ret)
			return ret;
	}
	/* a device must not lose a byte to a page that is not there */
	if (kind == STR_INS) {
		if (walk(r, w->in->gm, to, walk_access(r, true), &gpa, &w->in->fault))
			return INSN_FAULT;
		value = bus_read(w->in->ports, r->gpr[RDX] & 0xffff, bytes);
	}
	if (kind == STR_OUTS)
		bus_write(w->in->ports, r->gpr[RDX] & 0xffff, value, bytes);
	if (kind == STR_LODS)
		gpr_write(r, RAX, 0, value, bytes);
	if (writes) {
		ret = memory_rw(w->in, to, &value, bytes, true);
		if (ret)
			return ret;
		index_step(w, RDI, step);
	}
	if (reads)
		index_step(w, RSI, step);
	return INSN_DONE;
}

static int do_string(struct work *w, enum string_kind kind)
{
	static const u8 memory_operand[] = { 0, 0, 1, 0, 1 };
	unsigned int bytes = w->op[memory_operand[kind]].size / 8;
	int ret = INSN_DONE;

	if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
		return INSN_UNKNOWN;
	if (!(w->d.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
				 ZYDIS_ATTRIB_HAS_REPNE)))
		return string_element(w, kind, bytes);
	for (unsigned int n = 0; index_value(w, RCX); n++) {
		if (n == STRING_BATCH) {
			w->again = true;
			break;
		}
		ret = string_element(w, kind, bytes);
		if (ret)
			break;	/* what is done stays done, as on the processor */
		index_step(w, RCX, -1);
	}
	return ret;
}

static int do_mnemonic(struct work *w)
{
	if (w->d.mnemonic == ZYDIS_MNEMONIC_MOVSD &&
	    w->d.meta.category != ZYDIS_CATEGORY_STRINGOP)
		return INSN_UNKNOWN;
	switch (w->d.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MOVZX:
	case ZYDIS_MNEMONIC_MOVNTI:
		return do_move(w, false);
	case ZYDIS_MNEMONIC_MOVSX:
	case ZYDIS_MNEMONIC_MOVSXD:
		return do_move(w, true);
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_ADC:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_SBB:
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_OR:
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_CMP:
	case ZYDIS_MNEMONIC_TEST:
		return do_arithmetic(w);
	case ZYDIS_MNEMONIC_INC:
	case ZYDIS_MNEMONIC_DEC:
	case ZYDIS_MNEMONIC_NEG:
	case ZYDIS_MNEMONIC_NOT:
		return do_unary(w);
	case ZYDIS_MNEMONIC_XCHG:
		return do_exchange(w, false);
	case ZYDIS_MNEMONIC_XADD:
		return do_exchange(w, true);
	case ZYDIS_MNEMONIC_CMPXCHG:
		return do_compare_exchange(w);
	case ZYDIS_MNEMONIC_BT:
	case ZYDIS_MNEMONIC_BTS:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTC:
		return do_bit(w);
	case ZYDIS_MNEMONIC_MOVSB:
	case ZYDIS_MNEMONIC_MOVSW:
	case ZYDIS_MNEMONIC_MOVSD:
	case ZYDIS_MNEMONIC_MOVSQ:
		return do_string(w, STR_MOVS);
	case ZYDIS_MNEMONIC_STOSB:
	case ZYDIS_MNEMONIC_STOSW:
	case ZYDIS_MNEMONIC_STOSD:
	case ZYDIS_MNEMONIC_STOSQ:
		return do_string(w, STR_STOS);
	case ZYDIS_MNEMONIC_LODSB:
	case ZYDIS_MNEMONIC_LODSW:
	case ZYDIS_MNEMONIC_LODSD:
	case ZYDIS_MNEMONIC_LODSQ:
		return do_string(w, STR_LODS);
	case ZYDIS_MNEMONIC_INSB:
	case ZYDIS_MNEMONIC_INSW:
	case ZYDIS_MNEMONIC_INSD:
		return do_string(w, STR_INS);
	case ZYDIS_MNEMONIC_OUTSB:
	case ZYDIS_MNEMONIC_OUTSW:
	case ZYDIS_MNEMONIC_OUTSD:
		return do_string(w, STR_OUTS);
	default:
		return INSN_UNKNOWN;
	}
}

/* The module fetched nothing (the page was gone for it): try again here. */
static int fetch(struct insn *in)
{
	u64 linear = (long_mode(in->regs) ? 0 : in->regs->cs.base) + in->regs->rip;
	unsigned int room = 4096 - (linear & 4095);
	int ret = memory_rw(in, linear, in->bytes, min_u64(15, room), false);

	if (ret)
		return ret;
	in->len = min_u64(15, room);
	if (in->len < 15 &&
	    memory_rw(in, linear + room, in->bytes + room, 15 - room, false) == INSN_DONE)
		in->len = 15;
	return INSN_DONE;
}

static void decoder_init(ZydisDecoder *dec, const struct hv_vp_register_page *r)
{
	if (long_mode(r))
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	else if (r->cs.attributes & ATTR_BIG)
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32);
	else if (r->cr0 & CR0_PE)
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_STACK_WIDTH_16);
	else
		ZydisDecoderInit(dec, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16);
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
		return INSN_UNKNOWN;
	ret = do_mnemonic(&w);
	if (ret != INSN_DONE || w.again)
		return ret;
	in->regs->rip += w.d.length;
	if (!long_mode(in->regs))
		in->regs->rip &= 0xffffffff;
	in->regs->dirty |= 1u << HV_X64_REGISTER_CLASS_IP;
	return INSN_DONE;
}
