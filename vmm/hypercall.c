// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls (TLFS: Hypercall Interface): the rules that all have in common, and
 * a table of those that there are.  The input is copied once; handlers see the
 * copy.
 *
 * A call runs first where the exit happened, with interrupts off.  What cannot be
 * done there (memory that is not present, waiting for other VPs) is started over
 * with interrupts on: a handler that gives up has done nothing that hurts twice.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include "backend.h"
#include "guestmem.h"
#include "hv.h"
#include "hypercall.h"
#include "partition.h"
#include "spin.h"
#include "tlfs.h"
#include "trace.h"
#include "vp.h"

#define FAST_BYTES	16		/* in two registers */
#define XMM_BYTES	96		/* and in XMM0 to XMM5 behind them */

/**
 * struct hc_row - a hypercall
 * @in: bytes of its input header
 * @rep: bytes of an element; 0: it has none
 * @out: bytes of output, of a rep call for each element
 * @fast: the input can be in registers
 * @banks: it has a variable header
 * @fn: what does it; an HV_STATUS, or OVID_HC_*; NULL: there is no such call
 */
struct hc_row {
	u16 in;
	u8 rep;
	u8 out;
	bool fast;
	bool banks;
	int (*fn)(struct ovid_vp *vp, struct ovid_hc *hc);
};

/* how long it has spun already does not matter: it would not say so if it were not long */
static int long_spin_wait(struct ovid_vp *vp, struct ovid_hc *hc)
{
	if (hc->atomic)
		return OVID_HC_SLOW;
	ovid_vp_spins(vp);
	return HV_STATUS_SUCCESS;
}

/* devices whose interrupts a guest could lead elsewhere are a client's, if there are any */
static int retarget(struct ovid_vp *vp, struct ovid_hc *hc)
{
	return ovid_hc_intercepted(vp, HV_INTERCEPT_RETARGET) ? OVID_HC_INTERCEPT :
								HV_STATUS_INVALID_PARAMETER;
}

#define SIMPLE(type, handler)		.in = sizeof(type), .fn = handler
#define REP(type, element, handler)	SIMPLE(type, handler), .rep = sizeof(element)

/* by code */
static const struct hc_row table[0x80] = {
	[HVCALL_FLUSH_SPACE] = { SIMPLE(struct hv_w_flush, ovid_hc_flush), .fast = true },
	[HVCALL_FLUSH_LIST] = { REP(struct hv_w_flush, u64, ovid_hc_flush), .fast = true },
	[HVCALL_LONG_SPIN_WAIT] = { SIMPLE(u64, long_spin_wait), .fast = true },
	[HVCALL_SEND_IPI] = { SIMPLE(struct hv_w_ipi, ovid_hc_send_ipi), .fast = true },
	[HVCALL_FLUSH_SPACE_EX] = { SIMPLE(struct hv_w_flush_ex, ovid_hc_flush_ex),
				    .fast = true, .banks = true },
	[HVCALL_FLUSH_LIST_EX] = { REP(struct hv_w_flush_ex, u64, ovid_hc_flush_ex),
				   .fast = true, .banks = true },
	[HVCALL_SEND_IPI_EX] = { SIMPLE(struct hv_w_ipi_ex, ovid_hc_send_ipi_ex),
				 .fast = true, .banks = true },
	[HVCALL_GET_VP_REGISTERS] = { REP(struct hv_w_vp_registers, u32, ovid_hc_regs_get),
				      .fast = true, .out = sizeof(struct hv_w_register_value) },
	[HVCALL_SET_VP_REGISTERS] = { REP(struct hv_w_vp_registers, struct hv_w_set_register,
					  ovid_hc_regs_set), .fast = true },
	[HVCALL_POST_MESSAGE] = { SIMPLE(struct hv_w_post_message, ovid_hc_port_post) },
	[HVCALL_SIGNAL_EVENT] = { SIMPLE(struct hv_w_signal_event, ovid_hc_port_signal),
				  .fast = true },
	[HVCALL_RETARGET_INTERRUPT] = { SIMPLE(struct hv_w_retarget, retarget), .fast = true,
					.banks = true },
};

/* of extended calls, from HVCALL_EXT on */
static const struct hc_row extended[] = {
	[HVCALL_EXT_CAPABILITIES - HVCALL_EXT] = { .out = sizeof(u64),
						   .fn = ovid_hc_ext_capabilities },
	[HVCALL_EXT_HEAT_HINT - HVCALL_EXT] = { REP(u64, u64, ovid_hc_ext_heat_hint) },
};

static const struct hc_row *find_row(u16 code)
{
	const struct hc_row *row = NULL;
	u16 ext = code - HVCALL_EXT;

	if (code < ARRAY_SIZE(table))
		row = &table[array_index_nospec(code, ARRAY_SIZE(table))];
	else if (ext < ARRAY_SIZE(extended))
		row = &extended[array_index_nospec(ext, ARRAY_SIZE(extended))];
	return row && row->fn ? row : NULL;
}

/* the input value's fields, by the rules for all calls: an HV_STATUS */
static int parse(const struct hc_row *row, u64 control, struct ovid_hc *hc)
{
	hc->nr_banks = HV_CALL_VARHEAD(control);
	hc->reps = HV_CALL_REPS(control);
	hc->start = HV_CALL_START(control);
	if (control & HV_CALL_RESERVED || (hc->nr_banks && !row->banks))
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	if (row->rep ? hc->start >= hc->reps : hc->reps | hc->start)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	if (control & HV_CALL_FAST && !row->fast)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	hc->done = hc->start;
	return HV_STATUS_SUCCESS;
}

static int input_fast(struct ovid_vp *vp, const struct ovid_hypercall_regs *regs, size_t len)
{
	u64 *to = vp->hv.call;

	to[0] = regs->input;
	to[1] = regs->output;
	if (len <= FAST_BYTES)
		return HV_STATUS_SUCCESS;
	if (len > FAST_BYTES + XMM_BYTES ||
	    !(ovid_cpuid_hv_features(vp->part) & HV_FEATURE_XMM_INPUT))
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	ovid_backend->xmm_get(vp, to + 2);
	return HV_STATUS_SUCCESS;
}

static int input_memory(struct ovid_vp *vp, gpa_t gpa, size_t len, bool atomic)
{
	if (!len)
		return HV_STATUS_SUCCESS;
	if (gpa & 7 || offset_in_page(gpa) + len > PAGE_SIZE)
		return HV_STATUS_INVALID_ALIGNMENT;
	if (!atomic)
		return ovid_guest_read(vp->part, gpa, vp->hv.call, len) ?
		       HV_STATUS_INVALID_HYPERCALL_INPUT : HV_STATUS_SUCCESS;
	return ovid_guest_read_atomic(vp->part, gpa, vp->hv.call, len) ? OVID_HC_SLOW :
								       HV_STATUS_SUCCESS;
}

/* can it be told what the call gives?  Before it is done */
static int output_check(struct ovid_vp *vp, const struct ovid_hypercall_regs *regs,
			size_t in_len, size_t len, bool atomic)
{
	if (regs->control & HV_CALL_FAST) {
		if (round_up(in_len, 16) + len > FAST_BYTES + XMM_BYTES ||
		    !(ovid_cpuid_hv_features(vp->part) & HV_FEATURE_XMM_OUTPUT))
			return HV_STATUS_INVALID_HYPERCALL_INPUT;
		return HV_STATUS_SUCCESS;
	}
	if (regs->output & 7 || offset_in_page(regs->output) + len > PAGE_SIZE)
		return HV_STATUS_INVALID_ALIGNMENT;
	return atomic ? OVID_HC_SLOW : HV_STATUS_SUCCESS;
}

/* a part of the output, to its place behind the input or in memory */
static int output(struct ovid_vp *vp, const struct ovid_hypercall_regs *regs,
		  size_t in_len, const void *out, size_t at, size_t len)
{
	u8 xmm[XMM_BYTES];

	if (!(regs->control & HV_CALL_FAST))
		return ovid_guest_write(vp->part, regs->output + at, out + at, len) ?
		       HV_STATUS_INVALID_HYPERCALL_INPUT : HV_STATUS_SUCCESS;
	ovid_backend->xmm_get(vp, xmm);
	memcpy(xmm + round_up(in_len, 16) - FAST_BYTES + at, out + at, len);
	ovid_backend->xmm_set(vp, xmm);
	return HV_STATUS_SUCCESS;
}

/* the elements that were done have output, whatever became of the others */
static int call_with_output(struct ovid_vp *vp, const struct hc_row *row,
			    const struct ovid_hypercall_regs *regs, size_t in_len,
			    struct ovid_hc *hc)
{
	size_t len = row->out * (row->rep ? hc->reps : 1);
	int status = output_check(vp, regs, in_len, len, hc->atomic);
	int err = HV_STATUS_SUCCESS;
	unsigned int done;

	if (status)
		return status;
	hc->out = vp->hv.call + PAGE_SIZE;
	memset(hc->out, 0, len);
	status = row->fn(vp, hc);
	done = row->rep ? hc->done : !status;
	if (done > hc->start)
		err = output(vp, regs, in_len, hc->out, hc->start * row->out,
			     (done - hc->start) * row->out);
	return err ?: status;
}

static int call(struct ovid_vp *vp, struct ovid_hypercall_regs *regs, struct ovid_hc *hc)
{
	const struct hc_row *row = find_row(HV_CALL_CODE(regs->control));
	size_t len;
	int status;

	if (!row)
		return ovid_hc_intercepted(vp, HV_INTERCEPT_HYPERCALL) ?
		       OVID_HC_INTERCEPT : HV_STATUS_INVALID_HYPERCALL_CODE;
	status = parse(row, regs->control, hc);
	if (status)
		return status;
	len = row->in + hc->nr_banks * 8 + hc->reps * row->rep;
	if (regs->control & HV_CALL_FAST)
		status = input_fast(vp, regs, len);
	else
		status = input_memory(vp, regs->input, len, hc->atomic);
	if (status)
		return status;
	hc->in = vp->hv.call;
	return row->out ? call_with_output(vp, row, regs, len, hc) : row->fn(vp, hc);
}

/* a call that is not offered may be the client's own */
int ovid_hc_privileged(struct ovid_vp *vp, u64 privileges)
{
	if (ovid_cpuid_hv_privileges(vp->part) & privileges)
		return HV_STATUS_SUCCESS;
	return ovid_hc_intercepted(vp, HV_INTERCEPT_HYPERCALL) ? OVID_HC_INTERCEPT :
								 HV_STATUS_ACCESS_DENIED;
}

bool ovid_hc_intercepted(struct ovid_vp *vp, unsigned int type)
{
	return !vp->native && test_bit(type, &vp->part->props.intercepts);
}

int ovid_hypercall(struct ovid_vp *vp, struct ovid_hypercall_regs *regs, bool atomic)
{
	struct ovid_hc hc = { .atomic = atomic };
	int status = HV_STATUS_INVALID_HYPERCALL_CODE;

	/* without the page there is nothing to call */
	if (READ_ONCE(vp->part->hv.hypercall) & HV_PAGE_ENABLE)
		status = call(vp, regs, &hc);
	if (status == OVID_HC_CONTINUE) {
		regs->control &= ~HV_CALL_START_MASK;
		regs->control |= (u64)hc.done << HV_CALL_START_SHIFT;
	}
	if (status < 0)
		return status;
	regs->result = status | (u64)hc.done << 32;
	return 0;
}

/* ---- sets of VPs ---- */

void ovid_hc_mask(struct ovid_vp_set *set, u64 mask)
{
	bitmap_zero(set->vps, OVID_MAX_VPS);
	set->vps[0] = mask;
}

/* banks beyond the last VP there can be name nobody */
int ovid_hc_vp_set(struct ovid_vp_set *set, const void *vp_set, unsigned int nr_banks)
{
	const struct hv_w_vp_set *from = vp_set;
	unsigned int bank, i = 0;

	if (from->format == HV_SET_ALL) {
		bitmap_fill(set->vps, OVID_MAX_VPS);
		return HV_STATUS_SUCCESS;
	}
	if (from->format != HV_SET_SPARSE || hweight64(from->valid_banks) != nr_banks)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	bitmap_zero(set->vps, OVID_MAX_VPS);
	for (bank = 0; bank < BITS_TO_LONGS(OVID_MAX_VPS); bank++)
		if (from->valid_banks & BIT_ULL(bank))
			set->vps[bank] = from->banks[i++];
	set->vps[BITS_TO_LONGS(OVID_MAX_VPS) - 1] &= BITMAP_LAST_WORD_MASK(OVID_MAX_VPS);
	return HV_STATUS_SUCCESS;
}
