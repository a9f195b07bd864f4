// SPDX-License-Identifier: GPL-2.0-only
/*
 * HvCallFlushVirtualAddressSpace, ...List and their Ex forms: other VPs forget
 * their translations before the call returns.
 *
 * A VP that is not in the guest is asked to forget before it enters; only those
 * that are there now are made to leave, and waited for.  More is forgotten than
 * was asked for: all that the VP's VPID has.
 *
 * With interrupts off the wait has an end, which is soon.  Two that wait for each
 * other take no IPI then, but neither is in the guest: @flushing says that, and who
 * takes it back looks at its requests before it enters, as with @mode (vp.h).
 */
#include <linux/kernel.h>
#include "backend.h"
#include "hypercall.h"
#include "partition.h"
#include "tlfs.h"
#include "vp.h"

#define LOOKS	1000		/* some 50 us with the PAUSEs; an exit takes one or two */

static struct ovid_vp *other(struct ovid_vp *self, unsigned int index)
{
	return index == self->index ? NULL : ovid_vp_get_index(self->part, index);
}

/* true: one of them is in the guest, and is to be kicked */
static bool ask(struct ovid_vp *self, const unsigned long *set, struct ovid_vp_set *running)
{
	struct ovid_vp *vp;
	bool any = false;
	unsigned int i;

	for_each_set_bit(i, set, OVID_MAX_VPS) {
		vp = other(self, i);
		if (vp)
			set_bit(OVID_REQ_TLB, &vp->requests);
	}
	smp_mb();	/* the requests, then who is in the guest: head of vp.h */
	for_each_set_bit(i, set, OVID_MAX_VPS) {
		vp = other(self, i);
		if (!vp || READ_ONCE(vp->mode) == OVID_VP_OUT)
			continue;
		if (!any)
			bitmap_zero(running->vps, OVID_MAX_VPS);
		any = true;
		__set_bit(i, running->vps);
	}
	return any;
}

/* it has served the request, or will before it is in the guest again */
static bool is_out(struct ovid_vp *vp)
{
	return smp_load_acquire(&vp->mode) == OVID_VP_OUT ||	/* pairs with window()'s end */
	       READ_ONCE(vp->flushing) || !test_bit(OVID_REQ_TLB, &vp->requests);
}

static bool all_out(struct ovid_vp *self, const unsigned long *set)
{
	unsigned int i, looks = LOOKS;
	struct ovid_vp *vp;

	for_each_set_bit(i, set, OVID_MAX_VPS) {
		vp = other(self, i);
		while (!is_out(vp)) {
			if (!looks--)
				return false;
			cpu_relax();
		}
	}
	return true;
}

/* interrupts off; false: they take too long */
static bool kick(struct ovid_vp *self, const unsigned long *set)
{
	unsigned int i;
	bool out;

	for_each_set_bit(i, set, OVID_MAX_VPS)
		ovid_vp_kick(other(self, i));
	WRITE_ONCE(self->flushing, true);
	out = all_out(self, set);
	smp_store_mb(self->flushing, false);	/* then our requests: window() */
	return out;
}

static int flush(struct ovid_vp *vp, struct ovid_hc *hc, const unsigned long *set)
{
	struct ovid_vp_set running;

	if (ask(vp, set, &running)) {
		if (!hc->atomic)
			ovid_part_kick_sync_vps(vp->part, set);
		else if (!kick(vp, running.vps))
			return OVID_HC_SLOW;
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
