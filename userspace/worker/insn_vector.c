// SPDX-License-Identifier: GPL-2.0-only
/*
 * insn_vector.c - MMX, SSE and AVX moves between a register and a device.
 *
 * The registers are in the VP's XSAVE area, in the compacted format (SDM 1:
 * XSAVE-Managed State).  EVEX forms are not done: nobody moves to a device so.
 */
#include "insn_priv.h"

#define AREA_FCW	0
#define AREA_FSW	2
#define AREA_TAGS	4
#define AREA_ST		32
#define AREA_XMM	160
#define AREA_STATES	512	/* XSTATE_BV */
#define AREA_COMPACT	520	/* XCOMP_BV */
#define AREA_EXTENDED	576	/* upper halves of YMM come first, if at all */

#define STATE_X87	BIT(0)
#define STATE_SSE	BIT(1)
#define STATE_YMM	BIT(2)
#define STATE_ZMM	BIT(6)	/* upper halves of the first 16 */
#define FCW_INITIAL	0x37f
#define MXCSR_AREA	24	/* and its mask: part of neither */

struct vectors {
	u8 area[4096] __attribute__((aligned(4096)));
	u64 states, compact;
};

static int load(struct insn *in, struct vectors *v)
{
	if (!in->vectors || in->vectors(in->arg, v->area, false))
		return INSN_UNKNOWN;
	memcpy(&v->states, v->area + AREA_STATES, 8);
	memcpy(&v->compact, v->area + AREA_COMPACT, 8);
	/* what is in its initial state need not be in the area */
	if (!(v->states & STATE_SSE))
		memset(v->area + AREA_XMM, 0, 256);
	if (!(v->states & STATE_YMM) && (v->compact & STATE_YMM))
		memset(v->area + AREA_EXTENDED, 0, 256);
	if (!(v->states & STATE_X87)) {
		memset(v->area, 0, MXCSR_AREA);
		memset(v->area + AREA_ST, 0, 128);
		v->area[AREA_FCW] = FCW_INITIAL & 0xff;
		v->area[AREA_FCW + 1] = FCW_INITIAL >> 8;
	}
	return INSN_DONE;
}

static int store(struct insn *in, struct vectors *v, u64 states)
{
	v->states |= states;
	memcpy(v->area + AREA_STATES, &v->states, 8);
	return in->vectors(in->arg, v->area, true) ? INSN_UNKNOWN : INSN_DONE;
}

/* Where the upper halves of ZMM0-15 are: behind YMM, bounds and masks. */
static u8 *upper_zmm(struct vectors *v, unsigned int reg)
{
	unsigned int at = AREA_EXTENDED;

	at += v->compact & STATE_YMM ? 256 : 0;
	at += 64 * __builtin_popcountll(v->compact & (BIT(3) | BIT(4) | BIT(5)));
	return v->area + at + reg * 32;
}

struct move {
	unsigned int reg;
	bool mmx;
	unsigned int bytes;	/* in memory */
	unsigned int at;	/* where in the register */
	bool merges;		/* the rest of the XMM register stays */
};

static bool understand(const struct work *w, const ZydisDecodedOperand *reg, struct move *m)
{
	ZydisRegister r = reg->reg.value;

	if (r >= ZYDIS_REGISTER_XMM0 && r <= ZYDIS_REGISTER_XMM15)
		m->reg = r - ZYDIS_REGISTER_XMM0;
	else if (r >= ZYDIS_REGISTER_YMM0 && r <= ZYDIS_REGISTER_YMM15)
		m->reg = r - ZYDIS_REGISTER_YMM0;
	else if (r >= ZYDIS_REGISTER_MM0 && r <= ZYDIS_REGISTER_MM7)
		m->reg = r - ZYDIS_REGISTER_MM0;
	else
		return false;
	m->mmx = r >= ZYDIS_REGISTER_MM0 && r <= ZYDIS_REGISTER_MM7;
	switch (w->d.mnemonic) {
	case ZYDIS_MNEMONIC_MOVHPS:
	case ZYDIS_MNEMONIC_MOVHPD:
	case ZYDIS_MNEMONIC_VMOVHPS:
	case ZYDIS_MNEMONIC_VMOVHPD:
		m->at = 8;
		m->merges = true;
		break;
	case ZYDIS_MNEMONIC_MOVLPS:
	case ZYDIS_MNEMONIC_MOVLPD:
		m->merges = true;
		break;
	default:
		break;
	}
	return true;
}

static void set_mmx(struct vectors *v, const struct move *m, const u8 *value)
{
	u8 *st = v->area + AREA_ST + 16 * m->reg;

	memcpy(st, value, m->bytes);
	memset(st + m->bytes, 0, 8 - m->bytes);
	memset(st + 8, 0xff, 2);
}

static void set_vector(const struct work *w, struct vectors *v, const struct move *m,
		       const u8 *value)
{
	bool vex = w->d.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
	u8 *xmm = v->area + AREA_XMM + 16 * m->reg, *upper = v->area + AREA_EXTENDED + 16 * m->reg;

	if (!m->merges)
		memset(xmm, 0, 16);
	memcpy(xmm + m->at, value, min_u64(m->bytes, 16));
	if (!vex)
		return;		/* SSE leaves the upper half alone */
	if (v->compact & STATE_YMM) {
		memset(upper, 0, 16);
		if (m->bytes == 32)
			memcpy(upper, value + 16, 16);
	}
	if (v->states & STATE_ZMM)
		memset(upper_zmm(v, m->reg), 0, 32);
}

/* Every MMX instruction leaves the x87 stack full and at its start. */
static void enter_mmx(struct vectors *v)
{
	v->area[AREA_TAGS] = 0xff;
	v->area[AREA_FSW + 1] &= ~0x38;
}

static int move_in(struct work *w, struct vectors *v, const struct move *m)
{
	bool wide = w->d.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX && (v->compact & STATE_YMM);
	u8 value[32];
	int ret = insn_memory(w->in, insn_linear(w, &w->op[1]), value, m->bytes, false);

	if (ret)
		return ret;
	if (m->mmx) {
		set_mmx(v, m, value);
		enter_mmx(v);
		return store(w->in, v, STATE_X87);
	}
	set_vector(w, v, m, value);
	return store(w->in, v, STATE_SSE | (wide ? STATE_YMM : 0));
}

static int move_out(struct work *w, struct vectors *v, const struct move *m)
{
	u8 value[32];
	int ret;

	if (m->mmx) {
		memcpy(value, v->area + AREA_ST + 16 * m->reg, 8);
	} else {
		memcpy(value, v->area + AREA_XMM + 16 * m->reg, 16);
		memcpy(value + 16, v->area + AREA_EXTENDED + 16 * m->reg, 16);
	}
	ret = insn_memory(w->in, insn_linear(w, &w->op[0]), value + m->at, m->bytes, true);
	if (ret || !m->mmx)
		return ret;
	enter_mmx(v);
	return store(w->in, v, STATE_X87);
}

int do_vector(struct work *w)
{
	bool out = w->op[0].type == ZYDIS_OPERAND_TYPE_MEMORY;
	const ZydisDecodedOperand *reg = &w->op[out], *mem = &w->op[!out];
	struct move m = { .bytes = mem->size / 8 };
	struct vectors v;
	int ret;

	/* three operands: halves of two registers, which nobody loads from a device */
	if (w->d.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX || w->d.operand_count_visible != 2 ||
	    mem->type != ZYDIS_OPERAND_TYPE_MEMORY || reg->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    m.bytes > 32 || !understand(w, reg, &m) || (m.mmx && m.bytes > 8))
		return INSN_UNKNOWN;
	ret = load(w->in, &v);
	if (ret)
		return ret;
	if (m.bytes == 32 && !(v.compact & STATE_YMM))
		return INSN_UNKNOWN;
	return out ? move_out(w, &v, &m) : move_in(w, &v, &m);
}
