// SPDX-License-Identifier: GPL-2.0-only
/*
 * HvCallGetVpRegisters and HvCallSetVpRegisters from the guest: what it can have
 * by synthetic MSRs of its own VP, by the names of registers, with the rules of
 * the MSRs.
 */
#include <linux/string.h>
#include "hypercall.h"
#include "msr.h"
#include "partition.h"
#include "regs.h"
#include "tlfs.h"
#include "vp.h"

#define USE_TARGET_VTL	BIT(4)

/* an HV_STATUS: may it, and about whom? */
static int check(struct ovid_vp *vp, const struct hv_w_vp_registers *in)
{
	int status = ovid_hc_privileged(vp, HV_PRIV_VP_REGISTERS);

	if (status)
		return status;
	if (in->partition != HV_PARTITION_SELF)
		return HV_STATUS_INVALID_PARTITION_ID;
	if (in->vtl & ~USE_TARGET_VTL || memchr_inv(in->pad, 0, sizeof(in->pad)))
		return HV_STATUS_INVALID_PARAMETER;
	if (in->vp == HV_VP_INDEX_SELF || in->vp == vp->index)
		return HV_STATUS_SUCCESS;
	return ovid_vp_get_index(vp->part, in->vp) ? HV_STATUS_ACCESS_DENIED :
						     HV_STATUS_INVALID_VP_INDEX;
}

static int status_of(enum ovid_msr_result result)
{
	return result == OVID_MSR_OK ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_PARAMETER;
}

/* the synthetic MSR that is a register's other name, or 0 */
static u32 msr_of(u32 name)
{
	u32 msr = name < OVID_REGISTER_HV_MSR0 ? ovid_reg_msr(name) : 0;

	return msr >= HV_MSR_FIRST && msr <= HV_MSR_LAST ? msr : 0;
}

int ovid_hc_regs_get(struct ovid_vp *vp, struct ovid_hc *hc)
{
	const u32 *names = hc->in + sizeof(struct hv_w_vp_registers);
	struct hv_w_register_value *out = hc->out;
	int status = check(vp, hc->in);
	unsigned int i;
	u32 msr;

	for (i = hc->start; i < hc->reps && !status; i++) {
		msr = msr_of(names[i]);
		status = msr ? status_of(ovid_msr_read(vp, msr, &out[i].low)) :
			       HV_STATUS_INVALID_PARAMETER;
		if (!status)
			hc->done = i + 1;
	}
	return status;
}

static int set(struct ovid_vp *vp, const struct hv_w_set_register *reg)
{
	u32 msr = msr_of(reg->name);
	enum ovid_msr_result result;

	if (!msr || reg->value.high || memchr_inv(reg->pad, 0, sizeof(reg->pad)))
		return HV_STATUS_INVALID_PARAMETER;
	result = ovid_msr_write(vp, msr, reg->value.low);
	if (result == OVID_MSR_SLOW)
		result = ovid_msr_write_slow(vp, msr, reg->value.low);
	return status_of(result);
}

int ovid_hc_regs_set(struct ovid_vp *vp, struct ovid_hc *hc)
{
	const struct hv_w_set_register *regs = hc->in + sizeof(struct hv_w_vp_registers);
	int status = check(vp, hc->in);
	unsigned int i;

	if (hc->atomic)
		return OVID_HC_SLOW;
	for (i = hc->start; i < hc->reps && !status; i++) {
		status = set(vp, &regs[i]);
		if (!status)
			hc->done = i + 1;
	}
	return status;
}
