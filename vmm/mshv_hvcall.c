// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSHV_ROOT_HVCALL: a client's hypercall about its partition.  This file copies
 * in and out and finds the row; what a call does is in mshv_hc_*.c.
 *
 * Clients judge by the status, which is written even when the ioctl fails; the
 * errno only follows from it.
 */
#include <linux/build_bug.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "mshv.h"
#include "mshv_hvcall.h"
#include "partition.h"
#include "trace.h"
#include "vp.h"

/* which files take a call */
#define ON_D	BIT(0)
#define ON_P	BIT(1)
#define ON_V	BIT(2)
#define ON_PV	(ON_P | ON_V)
#define ON_ALL	(ON_D | ON_PV)

struct hvcall_row {
	u16 code;
	u8 files;
	bool rep;
	u16 in, in_rep;		/* smallest input, and for each rep */
	u16 out, out_rep;
	hvcall_fn fn;
};

static const struct hvcall_row rows[] = {
	{ HVCALL_GET_PARTITION_PROPERTY, ON_ALL, .in = sizeof(struct hv_in_property),
	  .out = sizeof(u64), .fn = ovid_hc_get_property },
	{ HVCALL_GET_PARTITION_PROPERTY_EX, ON_ALL, .in = sizeof(struct hv_in_property_ex),
	  .out = sizeof(struct hv_out_property_ex), .fn = ovid_hc_get_property_ex },
	{ HVCALL_SET_PARTITION_PROPERTY, ON_P, .in = sizeof(struct hv_in_set_property),
	  .fn = ovid_hc_set_property },
	{ HVCALL_INSTALL_INTERCEPT, ON_PV, .in = sizeof(struct hv_in_install_intercept),
	  .fn = ovid_hc_install_intercept },
	{ HVCALL_GET_VP_REGISTERS, ON_PV, .rep = true,
	  .in = sizeof(struct hv_in_vp_registers), .in_rep = sizeof(u32),
	  .out_rep = sizeof(struct hv_reg_value), .fn = ovid_hc_get_registers },
	{ HVCALL_SET_VP_REGISTERS, ON_PV, .rep = true,
	  .in = sizeof(struct hv_in_vp_registers), .in_rep = sizeof(struct ovid_reg),
	  .fn = ovid_hc_set_registers },
	{ HVCALL_TRANSLATE_VIRTUAL_ADDRESS, ON_PV, .in = sizeof(struct hv_in_translate),
	  .out = sizeof(struct hv_out_translate), .fn = ovid_hc_translate },
	{ HVCALL_CLEAR_VIRTUAL_INTERRUPT, ON_PV, .in = sizeof(u64),
	  .fn = ovid_hc_clear_interrupt },
	{ HVCALL_REGISTER_INTERCEPT_RESULT, ON_PV, .in = HV_IN_INTERCEPT_RESULT_SIZE,
	  .fn = ovid_hc_intercept_result },
	{ HVCALL_ASSERT_VIRTUAL_INTERRUPT, ON_PV, .in = sizeof(struct hv_in_assert_interrupt),
	  .fn = ovid_hc_assert_interrupt },
	{ HVCALL_SIGNAL_EVENT_DIRECT, ON_PV, .in = sizeof(struct hv_in_signal_event),
	  .fn = ovid_hc_signal_event },
	{ HVCALL_POST_MESSAGE_DIRECT, ON_PV, .in = 276, .fn = ovid_hc_post_message },
	{ HVCALL_GET_VP_CPUID_VALUES, ON_PV, .rep = true,
	  .in = sizeof(struct hv_in_cpuid), .in_rep = sizeof(struct hv_cpuid_leaf),
	  .out_rep = 16, .fn = ovid_hc_get_cpuid },
};

static_assert(sizeof(struct ovid_reg) == 32);	/* is a register assignment of 0x51 */

int ovid_hv_status_to_errno(u16 status)
{
	switch (status) {
	case HV_STATUS_SUCCESS:
		return 0;
	case HV_STATUS_INVALID_HYPERCALL_CODE:
	case HV_STATUS_INVALID_HYPERCALL_INPUT:
	case HV_STATUS_INVALID_PARAMETER:
	case HV_STATUS_INVALID_PARTITION_ID:
	case HV_STATUS_INVALID_VP_INDEX:
	case HV_STATUS_INVALID_PORT_ID:
	case HV_STATUS_INVALID_CONNECTION_ID:
	case HV_STATUS_INVALID_REGISTER_VALUE:
		return -EINVAL;
	case HV_STATUS_INSUFFICIENT_MEMORY:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

static const struct hvcall_row *row_find(u16 code, u8 file)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].code == code && rows[i].files & file)
			return &rows[i];
	return NULL;
}

/* HV_STATUS or errno */
static int row_call(const struct hvcall_row *row, struct hvcall *call)
{
	if (row->rep != !!call->reps)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	if (call->in_sz < row->in + (u32)call->reps * row->in_rep ||
	    call->out_sz < row->out + (u32)call->reps * row->out_rep)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	return row->fn(call);
}

static int args_check(const struct mshv_root_hvcall *args)
{
	if (args->status || memchr_inv(args->rsvd, 0, sizeof(args->rsvd)))
		return -EINVAL;
	if (!args->in_ptr || args->in_sz < sizeof(u64) || args->in_sz > HVCALL_MAX_SIZE)
		return -EINVAL;
	if (args->out_ptr && (!args->out_sz || args->out_sz > HVCALL_MAX_SIZE))
		return -EINVAL;
	return 0;
}

/* copies in, calls, copies out; sets args->status and ->reps */
static int hvcall_perform(const struct hvcall_row *row, struct ovid_partition *part,
			  struct mshv_root_hvcall *args)
{
	void *in __free(kfree) = NULL;
	void *out __free(kfree) = NULL;
	struct hvcall call = {
		.part = part,
		.code = args->code,
		.reps = args->reps,
		.in_sz = args->in_sz,
		.out_sz = args->out_ptr ? args->out_sz : 0,
	};
	int status;

	in = memdup_user(u64_to_user_ptr(args->in_ptr), call.in_sz);
	if (IS_ERR(in))
		return PTR_ERR(in);
	if (call.out_sz) {
		out = kzalloc(call.out_sz, GFP_KERNEL_ACCOUNT);
		if (!out)
			return -ENOMEM;
	}
	call.in = in;
	call.out = out;
	status = row_call(row, &call);
	if (status < 0)
		return status;
	args->status = status;
	args->reps = call.done;
	if (!status && out && copy_to_user(u64_to_user_ptr(args->out_ptr), out, call.out_sz))
		return -EFAULT;
	return ovid_hv_status_to_errno(status);
}

static long root_hvcall(struct ovid_partition *part, u8 file, void __user *arg)
{
	const struct hvcall_row *row;
	struct mshv_root_hvcall args;
	long err;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	err = args_check(&args);
	if (err)
		return err;

	row = row_find(args.code, file);
	if (row) {
		err = hvcall_perform(row, part, &args);
	} else {
		args.status = HV_STATUS_INVALID_HYPERCALL_CODE;
		args.reps = 0;
		err = -EINVAL;
	}
	trace_root_hvcall(part ? part->id : U32_MAX, args.code, args.reps, args.status, err);
	if (copy_to_user(arg, &args, sizeof(args)))
		return -EFAULT;
	return err;
}

/**
 * ovid_mshv_host_hvcall - MSHV_ROOT_HVCALL on the device: about the host
 * @arg:	struct mshv_root_hvcall
 *
 * Returns 0, -EFAULT, -ENOMEM, -EINVAL (argument), or the errno of the status.
 */
long ovid_mshv_host_hvcall(void __user *arg)
{
	return root_hvcall(NULL, ON_D, arg);
}

/* the same on a partition; holds no lock but what a handler takes */
long ovid_mshv_part_hvcall(struct ovid_partition *part, void __user *arg)
{
	return root_hvcall(part, ON_P, arg);
}

/* and on a VP: the VP is the one that the input names */
long ovid_mshv_vp_hvcall(struct ovid_vp *vp, void __user *arg)
{
	return root_hvcall(vp->part, ON_V, arg);
}
