// SPDX-License-Identifier: GPL-2.0-only
/* insn_string.c - string instructions, on memory, devices and ports. */
#include "insn_priv.h"

/* Elements of a repeated string instruction per exit; then the guest re-enters. */
#define STRING_BATCH	1024

enum string_kind { STR_MOVS, STR_STOS, STR_LODS, STR_INS, STR_OUTS, STR_CMPS, STR_SCAS };

/* what an element touches */
#define READS_SOURCE	BIT(0)	/* [RSI] */
#define READS_TARGET	BIT(1)	/* [RDI] */
#define WRITES_TARGET	BIT(2)

static const u8 touches[] = {
	[STR_MOVS] = READS_SOURCE | WRITES_TARGET,
	[STR_STOS] = WRITES_TARGET,
	[STR_LODS] = READS_SOURCE,
	[STR_INS] = WRITES_TARGET,
	[STR_OUTS] = READS_SOURCE,
	[STR_CMPS] = READS_SOURCE | READS_TARGET,
	[STR_SCAS] = READS_TARGET,
};

static enum string_kind kind_of(const struct work *w)
{
	switch (w->d.mnemonic) {
	case ZYDIS_MNEMONIC_STOSB:
	case ZYDIS_MNEMONIC_STOSW:
	case ZYDIS_MNEMONIC_STOSD:
	case ZYDIS_MNEMONIC_STOSQ:
		return STR_STOS;
	case ZYDIS_MNEMONIC_LODSB:
	case ZYDIS_MNEMONIC_LODSW:
	case ZYDIS_MNEMONIC_LODSD:
	case ZYDIS_MNEMONIC_LODSQ:
		return STR_LODS;
	case ZYDIS_MNEMONIC_INSB:
	case ZYDIS_MNEMONIC_INSW:
	case ZYDIS_MNEMONIC_INSD:
		return STR_INS;
	case ZYDIS_MNEMONIC_OUTSB:
	case ZYDIS_MNEMONIC_OUTSW:
	case ZYDIS_MNEMONIC_OUTSD:
		return STR_OUTS;
	case ZYDIS_MNEMONIC_CMPSB:
	case ZYDIS_MNEMONIC_CMPSW:
	case ZYDIS_MNEMONIC_CMPSD:
	case ZYDIS_MNEMONIC_CMPSQ:
		return STR_CMPS;
	case ZYDIS_MNEMONIC_SCASB:
	case ZYDIS_MNEMONIC_SCASW:
	case ZYDIS_MNEMONIC_SCASD:
	case ZYDIS_MNEMONIC_SCASQ:
		return STR_SCAS;
	default:
		return STR_MOVS;
	}
}

static u64 index_value(const struct work *w, unsigned int reg)
{
	return w->in->regs->gpr[reg] & insn_mask(w->d.address_width / 8);
}

static void index_step(struct work *w, unsigned int reg, int64_t step)
{
	insn_gpr_write(w->in->regs, reg, 0, w->in->regs->gpr[reg] + step,
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

/* The value goes to a port, a register or the flags; or comes from a port. */
static int element_value(struct work *w, enum string_kind kind, u64 to, u64 *value,
			 u64 target, unsigned int bytes)
{
	struct hv_vp_register_page *r = w->in->regs;
	u64 gpa;

	switch (kind) {
	case STR_INS:
		/* a device must not lose a byte to a page that is not there */
		if (walk(r, w->in->gm, to, insn_walk_access(r, true), &gpa, &w->in->fault))
			return INSN_FAULT;
		*value = bus_read(w->in->ports, r->gpr[RDX] & 0xffff, bytes);
		break;
	case STR_OUTS:
		bus_write(w->in->ports, r->gpr[RDX] & 0xffff, *value, bytes);
		break;
	case STR_LODS:
		insn_gpr_write(r, RAX, 0, *value, bytes);
		break;
	case STR_CMPS:
	case STR_SCAS:
		*value &= insn_mask(bytes);
		insn_set_flags(w, FLAGS_ARITH,
			       insn_sub_flags(*value, target, *value - target, bytes));
		break;
	default:
		break;
	}
	return INSN_DONE;
}

static int string_element(struct work *w, enum string_kind kind, unsigned int bytes)
{
	struct hv_vp_register_page *r = w->in->regs;
	int64_t step = r->rflags & FLAG_DF ? -(int64_t)bytes : bytes;
	u64 to = insn_segment_base(r, ZYDIS_REGISTER_ES) + index_value(w, RDI);
	u64 from = insn_segment_base(r, source_segment(w)) + index_value(w, RSI);
	u64 value = r->gpr[RAX], target = 0;
	int ret = INSN_DONE;

	if (touches[kind] & READS_SOURCE) {
		value = 0;
		ret = insn_memory(w->in, from, &value, bytes, false);
	}
	if (!ret && (touches[kind] & READS_TARGET))
		ret = insn_memory(w->in, to, &target, bytes, false);
	if (!ret)
		ret = element_value(w, kind, to, &value, target, bytes);
	if (!ret && (touches[kind] & WRITES_TARGET))
		ret = insn_memory(w->in, to, &value, bytes, true);
	if (ret)
		return ret;
	if (touches[kind] & (READS_TARGET | WRITES_TARGET))
		index_step(w, RDI, step);
	if (touches[kind] & READS_SOURCE)
		index_step(w, RSI, step);
	return INSN_DONE;
}

/* REPE and REPNE watch ZF, where there is a comparison. */
static bool comparison_ends(const struct work *w, enum string_kind kind)
{
	bool zero = w->in->regs->rflags & FLAG_ZF;

	if (kind != STR_CMPS && kind != STR_SCAS)
		return false;
	return w->d.attributes & ZYDIS_ATTRIB_HAS_REPNE ? zero : !zero;
}

int do_string(struct work *w)
{
	/* which operand is the element */
	static const u8 element[] = { 0, 0, 1, 0, 1, 0, 1 };
	enum string_kind kind = kind_of(w);
	unsigned int bytes = w->op[element[kind]].size / 8;
	int ret = INSN_DONE;

	/* MOVSD and CMPSD are vector instructions too */
	if (w->d.meta.category != ZYDIS_CATEGORY_STRINGOP &&
	    w->d.meta.category != ZYDIS_CATEGORY_IOSTRINGOP)
		return w->d.mnemonic == ZYDIS_MNEMONIC_MOVSD ? do_vector(w) : INSN_UNKNOWN;
	if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
		return INSN_UNKNOWN;
	if (!(w->d.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
				 ZYDIS_ATTRIB_HAS_REPNE)))
		return string_element(w, kind, bytes);
	for (unsigned int n = 0; index_value(w, RCX); n++) {
		if (n == STRING_BATCH) {
			w->next = w->in->regs->rip;	/* for the rest */
			break;
		}
		ret = string_element(w, kind, bytes);
		if (ret)
			break;	/* what is done stays done, as on the processor */
		index_step(w, RCX, -1);
		if (comparison_ends(w, kind))
			break;
	}
	return ret;
}
