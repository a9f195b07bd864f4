// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU's log of pages that the guest writes to (SDM 3C: Page-Modification Logging),
 * for track.h.  A VP has one of its own, in use while its partition tracks by log.  All
 * of this runs in the window, the VMCS loaded and interrupts off.
 *
 * The log fills from its last entry down; the index is that of the next one, and wraps
 * below 0 when there is no more.  Then the next write exits before it is done.
 */
#include <linux/gfp.h>
#include "vmx.h"

#define ENTRIES		((unsigned int)(PAGE_SIZE / sizeof(u64)))
#define EMPTY		(ENTRIES - 1)

int vmx_pml_init(struct vmx_vp *v)
{
	if (!vmx_caps.pml)
		return 0;
	v->pml_log = (u64 *)__get_free_page(GFP_KERNEL_ACCOUNT);
	return v->pml_log ? 0 : -ENOMEM;
}

void vmx_pml_fini(struct vmx_vp *v)
{
	free_page((unsigned long)v->pml_log);
}

void vmx_pml_set(struct vmx_vp *v, bool on)
{
	v->pml = on;
	if (on) {
		v->proc2 |= SECONDARY_EXEC_ENABLE_PML;
		vmwrite(PML_ADDRESS, __pa(v->pml_log));
		vmwrite_guest(v, GUEST_PML_INDEX, EMPTY);
	} else {
		v->proc2 &= ~SECONDARY_EXEC_ENABLE_PML;
	}
	vmwrite(SECONDARY_VM_EXEC_CONTROL, v->proc2);
}

/* what is logged is marked; the log is empty */
void vmx_pml_drain(struct vmx_vp *v)
{
	struct ovid_partition *part = v->vp->part;
	unsigned int i = (u16)(vmread_guest(v, GUEST_PML_INDEX) + 1);

	if (i >= ENTRIES)
		return;
	scoped_guard(spinlock, &part->tdp.lock)
		for (; i < ENTRIES; i++)
			ovid_track_mark_locked(part, v->pml_log[i] >> PAGE_SHIFT);
	vmwrite_guest(v, GUEST_PML_INDEX, EMPTY);
}
