// SPDX-License-Identifier: GPL-2.0-only
/* insn_operand.c - what instructions read and write: memory, devices, registers, flags. */
#include "insn_priv.h"

u32 insn_walk_access(const struct hv_vp_register_page *r, bool write)
{
	return (write ? WALK_WRITE : 0) | (insn_user_mode(r) ? WALK_USER : 0);
}

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

/*
 * Whole values in one access, so that other VPs never see half of one: the
 * compiler would be free to take bytes.
 */
static void copy_value(void *to, const void *from, unsigned int len)
{
	bool whole = !(((uintptr_t)to | (uintptr_t)from) & (len - 1));

	if (whole && len == 8)
		__atomic_store_n((u64 *)to, __atomic_load_n((u64 *)from, __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
	else if (whole && len == 4)
		__atomic_store_n((u32 *)to, __atomic_load_n((u32 *)from, __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
	else if (whole && len == 2)
		__atomic_store_n((uint16_t *)to,
				 __atomic_load_n((uint16_t *)from, __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
	else
		memcpy(to, from, len);
}

struct piece {
	u64 gpa;
	unsigned int len;
};

/* Both pages of an access are found before either is touched. */
int insn_memory(struct insn *in, u64 linear, void *buf, unsigned int len, bool write)
{
	unsigned int first = min_u64(len, 4096 - (linear & 4095));
	struct piece piece[2] = { { .len = first }, { .len = len - first } };
	u64 reach = insn_long_mode(in->regs) ? ~0ull : 0xffffffff;
	u32 access = insn_walk_access(in->regs, write);
	u8 *at = buf;

	if (walk(in->regs, in->gm, linear & reach, access, &piece[0].gpa, &in->fault))
		return INSN_FAULT;
	if (piece[1].len &&
	    walk(in->regs, in->gm, (linear + first) & reach, access, &piece[1].gpa, &in->fault))
		return INSN_FAULT;
	for (int i = 0; i < 2; i++) {
		void *host;

		if (!piece[i].len)
			continue;
		host = gmem_at(in->gm, piece[i].gpa, piece[i].len);
		if (!host)
			device_rw(in->mmio, piece[i].gpa, at, piece[i].len, write);
		else if (write)
			copy_value(host, at, piece[i].len);
		else
			copy_value(at, host, piece[i].len);
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

void insn_gpr_write(struct hv_vp_register_page *r, unsigned int index, unsigned int shift,
		      u64 value, unsigned int bytes)
{
	u64 mask = insn_mask(bytes) << shift;

	if (bytes == 4)		/* 32-bit results clear the upper half */
		mask = ~0ull;
	r->gpr[index] = (r->gpr[index] & ~mask) | ((value & insn_mask(bytes)) << shift);
	r->dirty |= 1u << HV_X64_REGISTER_CLASS_GENERAL;
}

u64 insn_segment_base(const struct hv_vp_register_page *r, ZydisRegister seg)
{
	bool flat = insn_long_mode(r);

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
		ea += (register_value(r, op->mem.index) & insn_mask(w->d.address_width / 8)) *
		      op->mem.scale;
	return ea & insn_mask(w->d.address_width / 8);
}

u64 insn_linear(const struct work *w, const ZydisDecodedOperand *op)
{
	return insn_segment_base(w->in->regs, op->mem.segment) + effective_address(w, op);
}

static bool selector(const struct hv_vp_register_page *r, ZydisRegister reg, u64 *value)
{
	const struct hv_x64_segment_register *seg[] = {
		&r->es, &r->cs, &r->ss, &r->ds, &r->fs, &r->gs,
	};

	if (reg < ZYDIS_REGISTER_ES || reg > ZYDIS_REGISTER_GS)
		return false;
	*value = seg[reg - ZYDIS_REGISTER_ES]->selector;
	return true;
}

int insn_read(struct work *w, const ZydisDecodedOperand *op, u64 *value)
{
	unsigned int bytes = op->size / 8, index, shift;

	*value = 0;
	if (bytes > 8)
		return INSN_UNKNOWN;
	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (selector(w->in->regs, op->reg.value, value))
			return INSN_DONE;
		if (!gpr_find(op->reg.value, &index, &shift))
			return INSN_UNKNOWN;
		*value = w->in->regs->gpr[index] >> shift & insn_mask(bytes);
		return INSN_DONE;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		*value = op->imm.value.u;
		return INSN_DONE;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return insn_memory(w->in, insn_linear(w, op), value, bytes, false);
	default:
		return INSN_UNKNOWN;
	}
}

int insn_write(struct work *w, const ZydisDecodedOperand *op, u64 value)
{
	unsigned int bytes = op->size / 8, index, shift;

	if (bytes > 8)
		return INSN_UNKNOWN;
	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (!gpr_find(op->reg.value, &index, &shift))
			return INSN_UNKNOWN;
		insn_gpr_write(w->in->regs, index, shift, value, bytes);
		return INSN_DONE;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return insn_memory(w->in, insn_linear(w, op), &value, bytes, true);
	default:
		return INSN_UNKNOWN;
	}
}

void insn_set_flags(struct work *w, u64 which, u64 value)
{
	struct hv_vp_register_page *r = w->in->regs;

	r->rflags = (r->rflags & ~which) | (value & which);
	r->dirty |= 1u << HV_X64_REGISTER_CLASS_FLAGS;
}

u64 insn_result_flags(u64 result, unsigned int bytes)
{
	u64 flags = 0;

	result &= insn_mask(bytes);
	if (!result)
		flags |= FLAG_ZF;
	if (result >> (bytes * 8 - 1))
		flags |= FLAG_SF;
	if (!(__builtin_popcount(result & 0xff) & 1))
		flags |= FLAG_PF;
	return flags;
}

u64 insn_add_flags(u64 a, u64 b, u64 sum, unsigned int bytes)
{
	u64 top = BIT(bytes * 8 - 1), flags = insn_result_flags(sum, bytes);
	u64 carries = (a & b) | ((a | b) & ~sum);

	if (carries & top)
		flags |= FLAG_CF;
	if ((a ^ sum) & (b ^ sum) & top)
		flags |= FLAG_OF;
	if ((a ^ b ^ sum) & 0x10)
		flags |= FLAG_AF;
	return flags;
}

u64 insn_sub_flags(u64 a, u64 b, u64 diff, unsigned int bytes)
{
	u64 top = BIT(bytes * 8 - 1), flags = insn_result_flags(diff, bytes);
	u64 borrows = (~a & b) | ((~a | b) & diff);

	if (borrows & top)
		flags |= FLAG_CF;
	if ((a ^ b) & (a ^ diff) & top)
		flags |= FLAG_OF;
	if ((a ^ b ^ diff) & 0x10)
		flags |= FLAG_AF;
	return flags;
}
