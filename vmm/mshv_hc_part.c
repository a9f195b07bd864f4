// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passthrough hypercalls about a partition: properties, intercepts, interrupts,
 * SynIC.  Interrupts and events take no lock: a client sends them from any
 * thread while VPs run.
 */
#include <linux/string.h>
#include "cpuid.h"
#include "lapic.h"
#include "mshv_hvcall.h"
#include "partition.h"
#include "property.h"
#include "tlfs.h"
#include "vp.h"

#define HV_PROPERTY_VMM_CAPABILITIES	0x00090007
#define HV_INTERCEPT_ACCESS_ALL		7

#define INTERCEPTS_KNOWN						\
	(BIT(HV_INTERCEPT_CPUID) | BIT(HV_INTERCEPT_HYPERCALL) |	\
	 BIT(HV_INTERCEPT_UNKNOWN_CONNECTION) | BIT(HV_INTERCEPT_RETARGET))

/* ---- properties -------------------------------------------------------- */

static int property_status(int err)
{
	switch (err) {
	case 0:
		return HV_STATUS_SUCCESS;
	case -ENOENT:
		return HV_STATUS_UNKNOWN_PROPERTY;
	case -EBUSY:
		return HV_STATUS_INVALID_PARTITION_STATE;
	case -EACCES:
		return HV_STATUS_ACCESS_DENIED;
	case -EINVAL:
		return HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE;
	case -EOPNOTSUPP:
		return HV_STATUS_OPERATION_DENIED;
	case -ENOMEM:
		return HV_STATUS_INSUFFICIENT_MEMORY;
	default:
		return err;
	}
}

static int property_get(struct hvcall *call, u32 code, u64 *value)
{
	return call->part ? ovid_property_get(call->part, code, value)
			  : ovid_property_get_host(code, value);
}

int ovid_hc_get_property(struct hvcall *call)
{
	const struct hv_in_property *in = call->in;

	return property_status(property_get(call, in->code, call->out));
}

/*
 * What VMMs may use of the hypervisor is nothing we have; clients take "access
 * denied" for none.
 */
int ovid_hc_get_property_ex(struct hvcall *call)
{
	const struct hv_in_property_ex *in = call->in;
	struct hv_out_property_ex *out = call->out;

	if (in->head.code == HV_PROPERTY_VMM_CAPABILITIES)
		return HV_STATUS_ACCESS_DENIED;
	if (in->head.code != HV_PARTITION_PROPERTY_ASSIGNABLE_SYNTHETIC_PROC_FEATURES)
		return HV_STATUS_UNKNOWN_PROPERTY;
	out->banks = 1;
	return property_status(property_get(call, in->head.code, &out->bank));
}

int ovid_hc_set_property(struct hvcall *call)
{
	const struct hv_in_set_property *in = call->in;
	int err;

	if (mutex_lock_killable(&call->part->lock))
		return -EINTR;
	err = ovid_property_set(call->part, in->head.code, in->value);
	mutex_unlock(&call->part->lock);
	return property_status(err);
}

/* ---- intercepts -------------------------------------------------------- */

/*
 * Ports, memory and MSRs need no call.  A CPUID intercept is taken but makes no
 * messages: the answers come from the table and 0x91.  The others are looked at
 * when a hypercall comes to one of their kind.
 */
int ovid_hc_install_intercept(struct hvcall *call)
{
	const struct hv_in_install_intercept *in = call->in;

	if (in->access_mask & ~HV_INTERCEPT_ACCESS_ALL || in->type >= BITS_PER_LONG ||
	    !(BIT(in->type) & INTERCEPTS_KNOWN))
		return HV_STATUS_INVALID_PARAMETER;
	if (in->access_mask)
		set_bit(in->type, &call->part->props.intercepts);
	else
		clear_bit(in->type, &call->part->props.intercepts);
	return HV_STATUS_SUCCESS;
}

static int cpuid_result(struct ovid_partition *part, struct ovid_vp *vp,
			const struct hv_in_intercept_result *in)
{
	struct ovid_cpuid_regs val = { in->reg[0].value, in->reg[1].value,
				       in->reg[2].value, in->reg[3].value };
	struct ovid_cpuid_regs mask = { in->reg[0].mask, in->reg[1].mask,
					in->reg[2].mask, in->reg[3].mask };

	return ovid_cpuid_override(part, vp, in->eax, in->ecx, in->subleaf_specific,
				   &val, &mask);
}

int ovid_hc_intercept_result(struct hvcall *call)
{
	const struct hv_in_intercept_result *in = call->in;
	struct ovid_vp *vp = NULL;
	int err;

	if (in->type != HV_INTERCEPT_CPUID || in->subleaf_specific > 1)
		return HV_STATUS_INVALID_PARAMETER;
	if (in->vp != HV_ANY_VP) {
		vp = ovid_vp_get_index(call->part, in->vp);
		if (!vp)
			return HV_STATUS_INVALID_VP_INDEX;
	}
	if (mutex_lock_killable(&call->part->lock))
		return -EINTR;
	err = cpuid_result(call->part, vp, in);
	mutex_unlock(&call->part->lock);
	if (err == -ENOMEM)
		return HV_STATUS_INSUFFICIENT_MEMORY;
	return err ? HV_STATUS_INVALID_PARAMETER : HV_STATUS_SUCCESS;
}

/* ---- interrupts -------------------------------------------------------- */

/* HV_INTERRUPT_TYPE 0..7 are the APIC's delivery modes; no APIC: dropped. */
int ovid_hc_assert_interrupt(struct hvcall *call)
{
	const struct hv_in_assert_interrupt *in = call->in;
	struct ovid_irq irq = {
		.dest = in->dest,
		.logical = in->flags & BIT(1),
		.level = in->flags & BIT(0),
		.delivery = in->type,
		.vector = in->vector,
		.x2apic_dest = in->dest > U8_MAX,
	};

	if (in->type > 7 || in->vector > U8_MAX || in->dest > U32_MAX)
		return HV_STATUS_INVALID_PARAMETER;
	ovid_lapic_deliver(call->part, NULL, &irq);
	return HV_STATUS_SUCCESS;
}

/* takes back an ExtINT that no VP has taken */
int ovid_hc_clear_interrupt(struct hvcall *call)
{
	struct ovid_vp *vp;
	unsigned int i;

	ovid_for_each_vp(call->part, vp, i)
		WRITE_ONCE(vp->extint_line, false);
	return HV_STATUS_SUCCESS;
}

/* ---- SynIC ------------------------------------------------------------- */

/* A signal to a SINT that is off is lost, and never an error. */
int ovid_hc_signal_event(struct hvcall *call)
{
	const struct hv_in_signal_event *in = call->in;
	struct ovid_vp *vp = ovid_vp_get_index(call->part, in->vp);
	u8 *newly = call->out;

	if (!vp)
		return HV_STATUS_INVALID_VP_INDEX;
	if (in->vtl || in->sint >= OVID_SINTS || in->flag >= OVID_EVENT_FLAGS)
		return HV_STATUS_SUCCESS;
	*newly = ovid_synic_signal(vp, in->sint, in->flag) == 1;
	return HV_STATUS_SUCCESS;
}

/* A message slot that is not there is busy: the client keeps the message. */
int ovid_hc_post_message(struct hvcall *call)
{
	const struct hv_in_post_message *in = call->in;
	struct ovid_vp *vp = ovid_vp_get_index(call->part, in->vp);

	if (!vp)
		return HV_STATUS_INVALID_VP_INDEX;
	if (in->vtl || in->sint >= OVID_SINTS || !in->message.header.message_type ||
	    in->message.header.payload_size > HV_MESSAGE_PAYLOAD_SIZE)
		return HV_STATUS_INVALID_PARAMETER;
	return ovid_synic_post(vp, in->sint, &in->message) ? HV_STATUS_INSUFFICIENT_BUFFERS :
							     HV_STATUS_SUCCESS;
}
