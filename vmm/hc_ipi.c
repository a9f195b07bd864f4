// SPDX-License-Identifier: GPL-2.0-only
/*
 * HvCallSendSyntheticClusterIpi and its Ex form: a fixed interrupt for a set of
 * VPs.  Interrupts may be off.
 */
#include <linux/kernel.h>
#include "hypercall.h"
#include "lapic.h"
#include "partition.h"
#include "tlfs.h"
#include "vp.h"

static int send(struct ovid_vp *self, const unsigned long *set, u32 vector)
{
	struct ovid_vp *vp;
	unsigned int i;

	for_each_set_bit(i, set, OVID_MAX_VPS) {
		vp = ovid_vp_get_index(self->part, i);
		if (vp && ovid_lapic_accepts(vp))
			ovid_lapic_post(vp, vector, false);
	}
	return HV_STATUS_SUCCESS;
}

/* vectors below 16 are the processor's own; there is no other trust level than 0 */
static bool valid(u32 vector, u8 vtl, const u8 pad[3])
{
	return vector >= 16 && vector <= 255 && !(vtl | pad[0] | pad[1] | pad[2]);
}

int ovid_hc_send_ipi(struct ovid_vp *vp, struct ovid_hc *hc)
{
	const struct hv_w_ipi *in = hc->in;
	struct ovid_vp_set set;

	if (!valid(in->vector, in->vtl, in->pad))
		return HV_STATUS_INVALID_PARAMETER;
	ovid_hc_mask(&set, in->vps);
	return send(vp, set.vps, in->vector);
}

int ovid_hc_send_ipi_ex(struct ovid_vp *vp, struct ovid_hc *hc)
{
	const struct hv_w_ipi_ex *in = hc->in;
	struct ovid_vp_set set;
	int status;

	if (!valid(in->vector, in->vtl, in->pad))
		return HV_STATUS_INVALID_PARAMETER;
	status = ovid_hc_vp_set(&set, &in->vps, hc->nr_banks);
	return status ?: send(vp, set.vps, in->vector);
}
