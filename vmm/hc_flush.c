// SPDX-License-Identifier: GPL-2.0-only
/*
 * HvCallFlushVirtualAddressSpace, ...List and their Ex forms: other VPs forget
 * their translations before the call returns.
 *
 * A VP that is not in the guest is asked to forget before it enters; only those
 * that are there now are made to leave, and waited for.  More is forgotten than
 * was asked for: all that the VP's VPID has.
 */
#include <linux/kernel.h>
#include "backend.h"
#include "hypercall.h"
#include "partition.h"
#include "tlfs.h"
#include "vp.h"

/* true: one of them is in the guest */
static bool ask(struct ovid_vp *self, const unsigned long *set)
{
	struct ovid_vp *vp;
	bool running = false;
	unsigned int i;

	for_each_set_bit(i, set, OVID_MAX_VPS) {
		vp = i == self->index ? NULL : ovid_vp_get_index(self->part, i);
		if (vp)
			set_bit(OVID_REQ_TLB, &vp->requests);
	}
	smp_mb();	/* the requests, then who is in the guest: head of vp.h */
	for_each_set_bit(i, set, OVID_MAX_VPS) {
		vp = i == self->index ? NULL : ovid_vp_get_index(self->part, i);
		if (vp && READ_ONCE(vp->mode) == OVID_VP_IN_GUEST)
			running = true;
	}
	return running;
}

static int flush(struct ovid_vp *vp, struct ovid_hc *hc, const unsigned long *set)
{
	if (ask(vp, set)) {
		if (hc->atomic)
			return OVID_HC_SLOW;
		ovid_part_kick_sync_vps(vp->part, set);
	}
	if (test_bit(vp->index, set))
		ovid_backend->tlb_flush(vp);
	hc->done = hc->reps;
	return HV_STATUS_SUCCESS;
}

int ovid_hc_flush(struct ovid_vp *vp, struct ovid_hc *hc)
{
	const struct hv_w_flush *in = hc->in;
	struct ovid_vp_set set;

	if (in->flags & ~HV_FLUSH_KNOWN)
		return HV_STATUS_INVALID_PARAMETER;
	if (in->flags & HV_FLUSH_ALL_PROCESSORS)
		bitmap_fill(set.vps, OVID_MAX_VPS);
	else
		ovid_hc_mask(&set, in->vps);
	return flush(vp, hc, set.vps);
}

int ovid_hc_flush_ex(struct ovid_vp *vp, struct ovid_hc *hc)
{
	const struct hv_w_flush_ex *in = hc->in;
	struct ovid_vp_set set;
	int status;

	if (in->flags & ~HV_FLUSH_KNOWN)
		return HV_STATUS_INVALID_PARAMETER;
	status = ovid_hc_vp_set(&set, &in->vps, hc->nr_banks);
	if (status)
		return status;
	if (in->flags & HV_FLUSH_ALL_PROCESSORS)
		bitmap_fill(set.vps, OVID_MAX_VPS);
	return flush(vp, hc, set.vps);
}
