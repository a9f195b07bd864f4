/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mshv personality: the calls of Linux's /dev/mshv, in the words of the
 * core.  A front end only: nothing below it knows of it.
 *
 *   mshv_ioctl.c	the calls that are no hypercall
 *   mshv_hvcall.c	MSHV_ROOT_HVCALL: copies, table, HV_STATUS to errno
 *   mshv_hc_part.c, mshv_hc_vp.c	its hypercalls
 *   mshv_msg.c		vp->exit to hv_message
 *   mshv_state.c	GET/SET_VP_STATE
 *   mshv_xsave.c	XSAVE areas from outside (pure but for CPUID)
 */
#ifndef OVID_VMM_MSHV_H
#define OVID_VMM_MSHV_H

#include <linux/ioctl.h>
#include "types.h"
#include "../uapi/hvdef.h"
#include "../uapi/mshv.h"

/* the one out-of-tree call we answer: V 0xF2, what 0x52 does in one go */
struct mshv_translate_gva {
	__u64 gva;
	__u64 flags;
	__u64 result;	/* user address of u64: HV_TRANSLATE_GVA_RESULT */
	__u64 gpa;	/* user address of u64 */
};

#define MSHV_VP_TRANSLATE_GVA	_IOWR(MSHV_IOCTL, 0xF2, struct mshv_translate_gva)

/*
 * Handlers.  @arg is the ioctl's argument as it came; they copy it themselves.
 * All sleep.  They take the locks they need, killable (-EINTR): the dispatcher
 * holds neither part->lock nor vp->lock; it has checked that the partition is
 * not dead, and bound it to the caller where memory counts (create VP, memory,
 * run, translate).
 *
 * D
 */
long ovid_mshv_create_partition(void __user *arg);	/* returns a P file */
long ovid_mshv_host_hvcall(void __user *arg);
/* P */
long ovid_mshv_initialize(struct ovid_partition *part, void __user *arg);
long ovid_mshv_create_vp(struct ovid_partition *part, void __user *arg);
long ovid_mshv_set_guest_memory(struct ovid_partition *part, void __user *arg);
long ovid_mshv_irqfd(struct ovid_partition *part, void __user *arg);
long ovid_mshv_ioeventfd(struct ovid_partition *part, void __user *arg);
long ovid_mshv_set_msi_routing(struct ovid_partition *part, void __user *arg);
long ovid_mshv_get_gpap_access_bitmap(struct ovid_partition *part, void __user *arg);
long ovid_mshv_part_hvcall(struct ovid_partition *part, void __user *arg);
/* V */
long ovid_mshv_run_vp(struct ovid_vp *vp, void __user *arg);
long ovid_mshv_get_vp_state(struct ovid_vp *vp, void __user *arg);
long ovid_mshv_set_vp_state(struct ovid_vp *vp, void __user *arg);
long ovid_mshv_vp_hvcall(struct ovid_vp *vp, void __user *arg);
long ovid_mshv_translate_gva(struct ovid_vp *vp, void __user *arg);

/* ---- between the files of the personality ---- */

#define HVMSG_INVALID_VP_REGISTER_VALUE	0x80000020
#define HVMSG_X64_MSR_INTERCEPT		0x80010001

/**
 * ovid_mshv_message - what the worker is told of vp->exit
 * @vp: vp->lock held, just back from ovid_vp_run() with 0
 * @msg: out, all of it
 *
 * Fills the register page too.  0, or -EIO for an exit that has no message.
 */
int ovid_mshv_message(struct ovid_vp *vp, struct hv_message *msg);

/* takes over what the client changed in the register page; vp->lock held */
void ovid_mshv_page_in(struct ovid_vp *vp);

/*
 * Translates a guest linear address with HV_TRANSLATE_GVA flags; vp->lock held,
 * caller's memory is the partition's.  Returns HV_TRANSLATE_GVA_RESULT_CODE.
 */
u32 ovid_mshv_translate(struct ovid_vp *vp, gva_t gva, u64 flags, gpa_t *gpa);

struct xregs_state;
/*
 * ovid_xsave_check - may this area be loaded?  @area: a page, @len bytes from
 * outside, the rest zero; @allowed: components.  0 or -EINVAL
 * ovid_xsave_export, ovid_xsave_import - between the VP's own area @fpu (its
 * format is in its header; PKRU is kept apart) and the compacted one, both a page
 */
int ovid_xsave_check(const void *area, u32 len, u64 allowed);
void ovid_xsave_export(const struct xregs_state *fpu, u32 pkru, void *area, u64 states);
void ovid_xsave_import(struct xregs_state *fpu, u32 *pkru, const void *area);

#endif
