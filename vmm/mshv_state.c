// SPDX-License-Identifier: GPL-2.0-only
/*
 * GET/SET_VP_STATE: pieces of a VP as blobs (vid-abi: VP state blobs).  A row a
 * type says how large it is and how it is made from and turned into the VP's
 * state, under vp->lock.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "cpuid_rules.h"
#include "lapic.h"
#include "mshv.h"
#include "partition.h"
#include "property.h"
#include "vp.h"

struct state_type {
	u32 (*size)(struct ovid_vp *vp);
	void (*get)(struct ovid_vp *vp, void *page);
	/* @page: a private copy, zero from @len on */
	int (*set)(struct ovid_vp *vp, const void *page, u32 len);
};

static u32 whole_page(struct ovid_vp *vp)
{
	return PAGE_SIZE;
}

static void lapic_get(struct ovid_vp *vp, void *page)
{
	ovid_lapic_save(vp, page);
}

static int lapic_set(struct ovid_vp *vp, const void *page, u32 len)
{
	return ovid_lapic_restore(vp, page);
}

/* ---- XSAVE ------------------------------------------------------------- */

static u64 xsave_states(struct ovid_vp *vp)
{
	u64 states = 0;

	ovid_property_get(vp->part, HV_PARTITION_PROPERTY_XSAVE_STATES, &states);
	return states;
}

static u32 xsave_size(struct ovid_vp *vp)
{
	return min_t(u32, ovid_xsave_size(xsave_states(vp), true), PAGE_SIZE);
}

static void xsave_get(struct ovid_vp *vp, void *page)
{
	ovid_xsave_export(vp->fpu, vp->pkru, page, xsave_states(vp));
}

static int xsave_set(struct ovid_vp *vp, const void *page, u32 len)
{
	int err = ovid_xsave_check(page, len, xsave_states(vp));

	if (!err)
		ovid_xsave_import(vp->fpu, &vp->pkru, page);
	return err;
}

/* ---- pages of the guest's, wherever it has them; and the SynIC's timers -- */

static void simp_get(struct ovid_vp *vp, void *page)
{
	memcpy(page, ovid_overlay_data(&vp->hv.synic.messages), PAGE_SIZE);
}

static int simp_set(struct ovid_vp *vp, const void *page, u32 len)
{
	memcpy(ovid_overlay_data(&vp->hv.synic.messages), page, PAGE_SIZE);
	return 0;
}

static void siefp_get(struct ovid_vp *vp, void *page)
{
	memcpy(page, ovid_overlay_data(&vp->hv.synic.events), PAGE_SIZE);
}

static int siefp_set(struct ovid_vp *vp, const void *page, u32 len)
{
	memcpy(ovid_overlay_data(&vp->hv.synic.events), page, PAGE_SIZE);
	return 0;
}

static void assist_get(struct ovid_vp *vp, void *page)
{
	memcpy(page, ovid_overlay_data(&vp->hv.assist), PAGE_SIZE);
}

static int assist_set(struct ovid_vp *vp, const void *page, u32 len)
{
	memcpy(ovid_overlay_data(&vp->hv.assist), page, PAGE_SIZE);
	return 0;
}

static u32 stimers_size(struct ovid_vp *vp)
{
	return OVID_STIMER_BLOB_BYTES;
}

static void stimers_get(struct ovid_vp *vp, void *page)
{
	ovid_stimer_save(vp, page);
}

static int stimers_set(struct ovid_vp *vp, const void *page, u32 len)
{
	return ovid_stimer_restore(vp, page);
}

static const struct state_type state_types[MSHV_VP_STATE_COUNT] = {
	[MSHV_VP_STATE_LAPIC]	= { whole_page, lapic_get, lapic_set },
	[MSHV_VP_STATE_XSAVE]	= { xsave_size, xsave_get, xsave_set },
	[MSHV_VP_STATE_SIMP]	= { whole_page, simp_get, simp_set },
	[MSHV_VP_STATE_SIEFP]	= { whole_page, siefp_get, siefp_set },
	[MSHV_VP_STATE_SYNTHETIC_TIMERS] = { stimers_size, stimers_get, stimers_set },
};

/* NULL: there is no such type */
static const struct state_type *find_type(u8 type)
{
	static const struct state_type assist = { whole_page, assist_get, assist_set };

	if (type == OVID_VP_STATE_ASSIST)
		return &assist;
	if (type >= MSHV_VP_STATE_COUNT)
		return NULL;
	return &state_types[array_index_nospec(type, MSHV_VP_STATE_COUNT)];
}

/* ---- the ioctls -------------------------------------------------------- */

/*
 * Copies and checks the argument; writes the size that is needed back before
 * that is checked.
 */
static int state_args(struct ovid_vp *vp, void __user *arg, struct mshv_get_set_vp_state *args,
		      const struct state_type **type, u32 *need)
{
	struct mshv_get_set_vp_state __user *uargs = arg;
	u32 given;

	if (copy_from_user(args, arg, sizeof(*args)))
		return -EFAULT;
	*type = find_type(args->type);
	if (!*type || memchr_inv(args->rsvd, 0, sizeof(args->rsvd)))
		return -EINVAL;
	given = args->buf_sz;
	if (!PAGE_ALIGNED(given) || !PAGE_ALIGNED(args->buf_ptr))
		return -EINVAL;
	*need = (*type)->size(vp);
	if (put_user(*need, &uargs->buf_sz))
		return -EFAULT;
	return given < *need ? -EINVAL : 0;
}

/**
 * ovid_mshv_get_vp_state - MSHV_GET_VP_STATE
 * @vp:		the VP
 * @arg:	struct mshv_get_set_vp_state; its type may be one of ours (ovid.h)
 *
 * Waits while the VP runs.  Returns 0, -EFAULT, -EINVAL (unknown type, buffer
 * not of pages, or too small: buf_sz then tells the need), -ENOMEM, -EINTR.
 */
long ovid_mshv_get_vp_state(struct ovid_vp *vp, void __user *arg)
{
	struct mshv_get_set_vp_state args;
	const struct state_type *type;
	void *page;
	u32 need;
	int err;

	err = state_args(vp, arg, &args, &type, &need);
	if (err)
		return err;
	page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		return -ENOMEM;
	if (mutex_lock_killable(&vp->lock)) {
		err = -EINTR;
		goto free;
	}
	type->get(vp, page);
	mutex_unlock(&vp->lock);
	if (copy_to_user(u64_to_user_ptr(args.buf_ptr), page, need))
		err = -EFAULT;
free:
	free_page((unsigned long)page);
	return err;
}

/**
 * ovid_mshv_set_vp_state - MSHV_SET_VP_STATE; errors as for get, and -EINVAL for
 * contents that no VP can have: nothing was changed then
 * @vp:		the VP
 * @arg:	struct mshv_get_set_vp_state
 */
long ovid_mshv_set_vp_state(struct ovid_vp *vp, void __user *arg)
{
	struct mshv_get_set_vp_state args;
	const struct state_type *type;
	void *page;
	u32 need;
	int err;

	err = state_args(vp, arg, &args, &type, &need);
	if (err)
		return err;
	page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		return -ENOMEM;
	if (copy_from_user(page, u64_to_user_ptr(args.buf_ptr), need)) {
		err = -EFAULT;
	} else if (mutex_lock_killable(&vp->lock)) {
		err = -EINTR;
	} else {
		err = type->set(vp, page, need);
		mutex_unlock(&vp->lock);
	}
	free_page((unsigned long)page);
	return err;
}
