// SPDX-License-Identifier: GPL-2.0-only
/* insn_stack.c - what pushes or pops, and jumps, with a device as operand or stack. */
#include "insn_priv.h"

#define CR4_LA57	BIT(12)

static unsigned int stack_bytes(const struct hv_vp_register_page *r)
{
	if (insn_long_mode(r))
		return 8;
	return r->ss.attributes & ATTR_BIG ? 4 : 2;
}

static int stack_rw(struct work *w, u64 pointer, u64 *value, bool write)
{
	const struct hv_vp_register_page *r = w->in->regs;
	u64 offset = pointer & insn_mask(stack_bytes(r));

	return insn_memory(w->in, insn_segment_base(r, ZYDIS_REGISTER_SS) + offset, value,
			   w->d.operand_width / 8, write);
}

static void move_stack(struct work *w, int64_t by)
{
	struct hv_vp_register_page *r = w->in->regs;

	insn_gpr_write(r, RSP, 0, r->gpr[RSP] + by, stack_bytes(r));
}

int do_push(struct work *w)
{
	int64_t bytes = w->d.operand_width / 8;
	u64 value;
	int ret = insn_read(w, &w->op[0], &value);

	if (!ret)
		ret = stack_rw(w, w->in->regs->gpr[RSP] - bytes, &value, true);
	if (!ret)
		move_stack(w, -bytes);
	return ret;
}

/* An address by RSP is that behind the pop, and a popped RSP is what was popped. */
int do_pop(struct work *w)
{
	int64_t bytes = w->d.operand_width / 8;
	u64 value = 0, before = w->in->regs->gpr[RSP];
	int ret = stack_rw(w, before, &value, false);

	if (ret)
		return ret;
	move_stack(w, bytes);
	ret = insn_write(w, &w->op[0], value);
	if (ret)
		w->in->regs->gpr[RSP] = before;
	return ret;
}

/* Near only: a far one loads a descriptor, which nobody keeps in a device. */
static int go(struct work *w, u64 to)
{
	int64_t high = (int64_t)to >> (w->in->regs->cr4 & CR4_LA57 ? 56 : 47);

	if (w->d.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		return INSN_UNKNOWN;
	if (insn_long_mode(w->in->regs) && high && high != -1) {
		w->in->fault = (struct guest_fault){ .vector = VECTOR_GP, .has_error = true };
		return INSN_FAULT;
	}
	w->next = to & insn_mask(w->d.operand_width / 8);
	return INSN_DONE;
}

static int branch_target(struct work *w, u64 *to)
{
	int ret = insn_read(w, &w->op[0], to);

	if (!ret && w->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		*to += w->next;
	return ret;
}

int do_jump(struct work *w)
{
	u64 to;
	int ret = branch_target(w, &to);

	return ret ? ret : go(w, to);
}

int do_call(struct work *w)
{
	int64_t bytes = w->d.operand_width / 8;
	u64 to, back = w->next;
	int ret = branch_target(w, &to);

	if (!ret)
		ret = go(w, to);
	if (!ret)
		ret = stack_rw(w, w->in->regs->gpr[RSP] - bytes, &back, true);
	if (!ret)
		move_stack(w, -bytes);
	return ret;
}

int do_return(struct work *w)
{
	u64 to = 0, drop = w->d.operand_count_visible ? w->op[0].imm.value.u : 0;
	int ret = stack_rw(w, w->in->regs->gpr[RSP], &to, false);

	if (!ret)
		ret = go(w, to);
	if (!ret)
		move_stack(w, w->d.operand_width / 8 + drop);
	return ret;
}

/* Without nesting, as all compilers use it. */
int do_enter(struct work *w)
{
	struct hv_vp_register_page *r = w->in->regs;
	int64_t bytes = w->d.operand_width / 8;
	u64 frame = r->gpr[RSP] - bytes, rbp = r->gpr[RBP];
	int ret;

	if (w->op[1].imm.value.u & 31)
		return INSN_UNKNOWN;
	ret = stack_rw(w, frame, &rbp, true);
	if (ret)
		return ret;
	insn_gpr_write(r, RBP, 0, frame, stack_bytes(r));
	move_stack(w, -bytes - (int64_t)w->op[0].imm.value.u);
	return INSN_DONE;
}

int do_leave(struct work *w)
{
	struct hv_vp_register_page *r = w->in->regs;
	unsigned int bytes = w->d.operand_width / 8;
	u64 frame = r->gpr[RBP], rbp = 0;
	int ret = stack_rw(w, frame, &rbp, false);

	if (ret)
		return ret;
	insn_gpr_write(r, RSP, 0, frame + bytes, stack_bytes(r));
	insn_gpr_write(r, RBP, 0, rbp, bytes);
	return INSN_DONE;
}
