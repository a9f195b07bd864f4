// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extended hypercalls (TLFS: Extended Hypercall Interface): what there is of them,
 * and hints about the use of memory, by which a guest gives back what it does not
 * need (free page reporting).
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include "hypercall.h"
#include "partition.h"
#include "region.h"
#include "tlfs.h"
#include "vp.h"

/* a range of pages, HV_GPA_PAGE_RANGE */
#define RANGE_EXTRA(r)		((r) & GENMASK_ULL(10, 0))
#define RANGE_LARGE		BIT_ULL(11)
#define RANGE_1G		BIT_ULL(12)	/* else 2 MiB; of large ones */
#define RANGE_LARGE_RESERVED	GENMASK_ULL(20, 13)

#define SHIFT_2M	21
#define SHIFT_1G	30

int ovid_hc_ext_capabilities(struct ovid_vp *vp, struct ovid_hc *hc)
{
	*(u64 *)hc->out = HV_EXT_HEAT_HINT | HV_EXT_COLD_DISCARD;
	return ovid_hc_privileged(vp, HV_PRIV_EXTENDED_CALLS);
}

/* an HV_STATUS; a range that is not memory which the guest may write stays as it is */
static int discard(struct ovid_partition *part, u64 range)
{
	unsigned int shift = PAGE_SHIFT;
	gpa_t gpa = range & PAGE_MASK;

	if (range & RANGE_LARGE) {
		if (range & RANGE_LARGE_RESERVED)
			return HV_STATUS_INVALID_PARAMETER;
		shift = range & RANGE_1G ? SHIFT_1G : SHIFT_2M;
		if (range >> SHIFT_2M >> (64 - shift))
			return HV_STATUS_INVALID_PARAMETER;
		gpa = range >> SHIFT_2M << shift;
	}
	return ovid_region_discard(part, gpa, (RANGE_EXTRA(range) + 1) << shift,
				   OVID_MAP_WRITE) ?
	       HV_STATUS_INVALID_PARAMETER : HV_STATUS_SUCCESS;
}

int ovid_hc_ext_heat_hint(struct ovid_vp *vp, struct ovid_hc *hc)
{
	const u64 *type = hc->in, *ranges = type + 1;
	int status = ovid_hc_privileged(vp, HV_PRIV_EXTENDED_CALLS);
	u64 began = rdtsc();
	unsigned int i;

	if (status)
		return status;
	if (*type != HV_HEAT_COLD_DISCARD)
		return HV_STATUS_INVALID_PARAMETER;
	if (hc->atomic)
		return OVID_HC_SLOW;
	/* each takes a grace period: interrupts and requests need not wait for all of them */
	for (i = hc->start; i < hc->reps && !status; i++) {
		if (i > hc->start && rdtsc() - began > tsc_khz)
			return OVID_HC_CONTINUE;
		status = discard(vp->part, ranges[i]);
		if (!status)
			hc->done = i + 1;
		cond_resched();
	}
	return status;
}
