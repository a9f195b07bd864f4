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
#include <linux/string.h>
#include "backend.h"
#include "guestmem.h"
#include "hv.h"
#include "hypercall.h"
#include "partition.h"
#include "tlfs.h"
#include "trace.h"
#include "vp.h"

#define FAST_BYTES	16		/* in two registers */
#define XMM_BYTES	96		/* and in XMM0 to XMM5 behind them */

/**
 * struct hc_row - a hypercall
 * @code: its number
 * @in: bytes of its input header
 * @rep: bytes of an element; 0: it has none
 * @fast: the input can be in registers
 * @banks: it has a variable header
 * @fn: what does it; an HV_STATUS, or OVID_HC_SLOW
 */
struct hc_row {
	u16 code;
	u16 in;
	u8 rep;
	bool fast;
	bool banks;
	int (*fn)(struct ovid_vp *vp, struct ovid_hc *hc);
};

/* a hint to the scheduler; the host has its own idea of what is long */
static int long_spin_wait(struct ovid_vp *vp, struct ovid_hc *hc)
{
	return HV_STATUS_SUCCESS;
}

static const struct hc_row table[] = {
	{ HVCALL_FLUSH_SPACE, sizeof(struct hv_w_flush), 0, true, false, ovid_hc_flush },
	{ HVCALL_FLUSH_LIST, sizeof(struct hv_w_flush), 8, true, false, ovid_hc_flush },
	{ HVCALL_LONG_SPIN_WAIT, 8, 0, true, false, long_spin_wait },
	{ HVCALL_SEND_IPI, sizeof(struct hv_w_ipi), 0, true, false, ovid_hc_send_ipi },
	{ HVCALL_FLUSH_SPACE_EX, sizeof(struct hv_w_flush_ex), 0, true, true,
	  ovid_hc_flush_ex },
	{ HVCALL_FLUSH_LIST_EX, sizeof(struct hv_w_flush_ex), 8, true, true,
	  ovid_hc_flush_ex },
	{ HVCALL_SEND_IPI_EX, sizeof(struct hv_w_ipi_ex), 0, true, true,
	  ovid_hc_send_ipi_ex },
};

static const struct hc_row *find_row(u16 code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].code == code)
			return &table[i];
	return NULL;
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
	if (gpa & 7 || offset_in_page(gpa) + len > PAGE_SIZE)
		return HV_STATUS_INVALID_ALIGNMENT;
	if (!atomic)
		return ovid_guest_read(vp->part, gpa, vp->hv.call, len) ?
		       HV_STATUS_INVALID_HYPERCALL_INPUT : HV_STATUS_SUCCESS;
	return ovid_guest_read_atomic(vp->part, gpa, vp->hv.call, len) ? OVID_HC_SLOW :
								       HV_STATUS_SUCCESS;
}

static int call(struct ovid_vp *vp, struct ovid_hypercall_regs *regs, struct ovid_hc *hc)
{
	const struct hc_row *row = find_row(HV_CALL_CODE(regs->control));
	size_t len;
	int status;

	if (!row)
		return HV_STATUS_INVALID_HYPERCALL_CODE;
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
	return row->fn(vp, hc);
}

bool ovid_hypercall(struct ovid_vp *vp, struct ovid_hypercall_regs *regs, bool atomic)
{
	struct ovid_hc hc = { .atomic = atomic };
	int status = HV_STATUS_INVALID_HYPERCALL_CODE;

	/* without the page there is nothing to call */
	if (READ_ONCE(vp->part->hv.hypercall) & HV_PAGE_ENABLE)
		status = call(vp, regs, &hc);
	if (status == OVID_HC_SLOW)
		return false;
	regs->result = status | (u64)hc.done << 32;
	return true;
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
