// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mshv calls that are no hypercall: copy, check, say it in the core's
 * words.  Layouts, limits and errors follow Linux's own driver.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "backend.h"
#include "irqfd.h"
#include "mshv.h"
#include "partition.h"
#include "property.h"
#include "region.h"
#include "trace.h"
#include "vp.h"

#define MSHV_PAGE_SHIFT		12
#define MSHV_MAX_VPS		256
#define FLAG_MASK(count)	(BIT(count) - 1)

/* ---- D ----------------------------------------------------------------- */

/* copies either struct; the rest of @args stays zero */
static int create_partition_copy(struct mshv_create_partition_v2 *args, void __user *arg)
{
	u64 flags;

	memset(args, 0, sizeof(*args));
	if (copy_from_user(args, arg, sizeof(struct mshv_create_partition)))
		return -EFAULT;
	flags = args->pt_flags;
	if (flags & ~(u64)FLAG_MASK(MSHV_PT_BIT_COUNT) ||
	    args->pt_isolation != MSHV_PT_ISOLATION_NONE)
		return -EINVAL;
	if (!(flags & BIT(MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES)))
		return 0;

	if (copy_from_user(args, arg, sizeof(*args)))
		return -EFAULT;
	/* read twice: it has to say the same */
	if (args->pt_flags != flags || args->pt_isolation != MSHV_PT_ISOLATION_NONE ||
	    args->pt_num_cpu_fbanks != MSHV_NUM_CPU_FEATURES_BANKS ||
	    memchr_inv(args->pt_rsvd, 0, sizeof(args->pt_rsvd)) ||
	    memchr_inv(args->pt_rsvd1, 0, sizeof(args->pt_rsvd1)))
		return -EINVAL;
	return 0;
}

/**
 * ovid_mshv_create_partition - MSHV_CREATE_PARTITION, both argument structs
 * @arg:	struct mshv_create_partition or _v2
 *
 * The partition is in state created, and the caller's memory is its memory from
 * now on, as in KVM.  Feature words only take away.  Returns a
 * file descriptor, -EFAULT, -EINVAL, -EOPNOTSUPP (no local APIC in the kernel),
 * or what ovid_part_create() says.
 */
long ovid_mshv_create_partition(void __user *arg)
{
	struct mshv_create_partition_v2 args;
	u64 disabled[OVID_NR_FEATURE_SETS];
	struct ovid_partition *part;
	int err;

	err = create_partition_copy(&args, arg);
	if (err)
		return err;
	/*
	 * The flag for nested virtualization allows what no guest is offered; that for SMT
	 * changes nothing, as a client tells VPs their topology by CPUID's results (0x91).
	 */
	if (!(args.pt_flags & BIT(MSHV_PT_BIT_LAPIC)))
		return -EOPNOTSUPP;

	part = ovid_part_create("mshv", args.pt_flags & BIT(MSHV_PT_BIT_X2APIC) ?
				OVID_PART_X2APIC : 0, true);
	if (IS_ERR(part))
		return PTR_ERR(part);
	disabled[OVID_FEATURES_BANK0] = args.pt_cpu_fbanks[0];
	disabled[OVID_FEATURES_BANK1] = args.pt_cpu_fbanks[1];
	disabled[OVID_FEATURES_XSAVE] = args.pt_disabled_xsave;
	err = ovid_features_disable(part, disabled);
	if (!err)
		err = ovid_part_bind(part);
	if (err) {
		ovid_part_put(part);
		return err;
	}
	return ovid_part_fd(part);
}

/* ---- P ----------------------------------------------------------------- */

/* A second time it does nothing. */
long ovid_mshv_initialize(struct ovid_partition *part, void __user *arg)
{
	if (mutex_lock_killable(&part->lock))
		return -EINTR;
	part->state = OVID_PART_INITIALIZED;
	mutex_unlock(&part->lock);
	return 0;
}

long ovid_mshv_create_vp(struct ovid_partition *part, void __user *arg)
{
	struct mshv_create_vp args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.vp_index >= min(MSHV_MAX_VPS, OVID_MAX_VPS))
		return -EINVAL;
	if (READ_ONCE(part->state) != OVID_PART_INITIALIZED)
		return -EIO;	/* as HV_STATUS_INVALID_PARTITION_STATE maps */
	return ovid_vp_create(part, args.vp_index);
}

static bool user_address_mapped(u64 addr)
{
	struct mm_struct *mm = current->mm;
	bool mapped;

	mmap_read_lock(mm);
	mapped = vma_lookup(mm, addr);
	mmap_read_unlock(mm);
	return mapped;
}

static int guest_memory_map(struct ovid_partition *part, const struct mshv_user_mem_region *r)
{
	struct ovid_map_memory map = {
		.size = sizeof(map),
		.gpa = r->guest_pfn << MSHV_PAGE_SHIFT,
		.bytes = r->size,
		.source = r->userspace_addr,
	};

	if (r->flags & BIT(MSHV_SET_MEM_BIT_WRITABLE))
		map.flags |= OVID_MAP_WRITE;
	if (r->flags & BIT(MSHV_SET_MEM_BIT_EXECUTABLE))
		map.flags |= OVID_MAP_EXEC;
	if (!user_address_mapped(r->userspace_addr))
		return -EINVAL;
	return ovid_region_map(part, &map);
}

long ovid_mshv_set_guest_memory(struct ovid_partition *part, void __user *arg)
{
	struct mshv_user_mem_region r;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.flags & ~FLAG_MASK(MSHV_SET_MEM_BIT_COUNT) ||
	    memchr_inv(r.rsvd, 0, sizeof(r.rsvd)))
		return -EINVAL;
	if (!r.size || !PAGE_ALIGNED(r.size) || !PAGE_ALIGNED(r.userspace_addr) ||
	    r.guest_pfn > U64_MAX >> MSHV_PAGE_SHIFT)
		return -EINVAL;
	if (r.flags & BIT(MSHV_SET_MEM_BIT_UNMAP))
		return ovid_region_unmap_exact(part, r.guest_pfn << MSHV_PAGE_SHIFT, r.size,
					       r.userspace_addr);
	return guest_memory_map(part, &r);
}

long ovid_mshv_irqfd(struct ovid_partition *part, void __user *arg)
{
	struct mshv_user_irqfd args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	return ovid_irqfd(part, &args);
}

long ovid_mshv_ioeventfd(struct ovid_partition *part, void __user *arg)
{
	struct mshv_user_ioeventfd args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	return ovid_ioeventfd(part, &args);
}

long ovid_mshv_set_msi_routing(struct ovid_partition *part, void __user *arg)
{
	return ovid_set_msi_routing(part, arg);
}

/* pages that the guest has touched; taking the mark off is not waited for */
static int get_accessed(struct ovid_partition *part, gfn_t gfn, u64 nr, u8 op,
			unsigned long *bits)
{
	enum ovid_age how = op == MSHV_GPAP_ACCESS_OP_CLEAR ? OVID_AGE_CLEAR : OVID_AGE_TEST;
	u64 i;

	if (op == MSHV_GPAP_ACCESS_OP_SET)
		return -EOPNOTSUPP;
	for (i = 0; i < nr; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ovid_tdp_age(part, gfn + i, gfn + i + 1, how))
			__set_bit(i, bits);
		cond_resched();
	}
	return 0;
}

static int get_marks(struct ovid_partition *part, const struct mshv_gpap_access_bitmap *args,
		     unsigned long *bits)
{
	static const enum ovid_track_op ops[] = {
		[MSHV_GPAP_ACCESS_OP_NOOP] = OVID_TRACK_READ,
		[MSHV_GPAP_ACCESS_OP_CLEAR] = OVID_TRACK_CLEAR,
		[MSHV_GPAP_ACCESS_OP_SET] = OVID_TRACK_SET,
	};
	int err;

	if (mutex_lock_killable(&part->lock))
		return -EINTR;
	if (args->access_type == MSHV_GPAP_ACCESS_TYPE_DIRTY)
		err = ovid_track_get(part, args->gpap_base, args->page_count,
				     ops[args->access_op], bits);
	else if (part->track.on)
		err = get_accessed(part, args->gpap_base, args->page_count, args->access_op, bits);
	else
		err = -EINVAL;
	mutex_unlock(&part->lock);
	return err;
}

/**
 * ovid_mshv_get_gpap_access_bitmap - MSHV_GET_GPAP_ACCESS_BITMAP
 * @part:	the partition
 * @arg:	struct mshv_gpap_access_bitmap
 *
 * A bit for each page, as many bytes as they fill.  Sleeps.  Returns 0, -EFAULT,
 * -EINVAL (arguments, or property 0x50005 is off), -E2BIG, -EOPNOTSUPP (to set
 * accessed marks), -ENOMEM, -EINTR.
 */
long ovid_mshv_get_gpap_access_bitmap(struct ovid_partition *part, void __user *arg)
{
	unsigned long *bits __free(kvfree) = NULL;
	struct mshv_gpap_access_bitmap args;
	int err;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.access_type >= MSHV_GPAP_ACCESS_TYPE_COUNT ||
	    args.access_op >= MSHV_GPAP_ACCESS_OP_COUNT ||
	    memchr_inv(args.rsvd, 0, sizeof(args.rsvd)) || !args.page_count ||
	    args.gpap_base >= OVID_TDP_PAGES)
		return -EINVAL;
	if (args.page_count > OVID_TRACK_MAX)
		return -E2BIG;
	if (args.gpap_base + args.page_count > OVID_TDP_PAGES)
		return -EINVAL;
	bits = kvcalloc(BITS_TO_LONGS(args.page_count), sizeof(*bits), GFP_KERNEL_ACCOUNT);
	if (!bits)
		return -ENOMEM;
	err = get_marks(part, &args, bits);
	if (err || !copy_to_user(u64_to_user_ptr(args.bitmap_ptr), bits,
				 BITS_TO_BYTES(args.page_count)))
		return err;
	/* nobody has seen them: they are there the next time */
	if (args.access_type == MSHV_GPAP_ACCESS_TYPE_DIRTY) {
		guard(mutex)(&part->lock);
		ovid_track_put_back(part, args.gpap_base, args.page_count, bits);
	}
	return -EFAULT;
}

/* ---- V ----------------------------------------------------------------- */

/* vp->lock held */
static int run_to_message(struct ovid_vp *vp, struct hv_message *msg)
{
	int err;

	vp->native = false;
	vp->exit.flags &= ~OVID_XF_COMMIT;	/* nothing is to be committed for it */
	ovid_mshv_page_in(vp);
	err = ovid_vp_run(vp);
	if (err) {
		/* a client that stopped the VP saves it from the page */
		ovid_backend->page_fill(vp, OVID_WANT_RIP | OVID_WANT_SREGS);
		return err < 0 ? err : -EINTR;
	}
	err = ovid_mshv_message(vp, msg);
	if (err)
		return err;
	memcpy(vp->msg, msg, sizeof(*msg));
	return 0;
}

/**
 * ovid_mshv_run_vp - MSHV_RUN_VP: runs until there is a message
 * @vp:		the VP
 * @arg:	struct mshv_run_vp, 256 bytes, written
 *
 * The message is in mmap page 1 too.  Returns 0, -EINTR, -EFAULT, -EBUSY (VMX
 * was taken away, state is kept), -EIO.
 */
long ovid_mshv_run_vp(struct ovid_vp *vp, void __user *arg)
{
	struct hv_message msg;
	int err;

	if (mutex_lock_killable(&vp->lock))
		return -EINTR;
	err = run_to_message(vp, &msg);
	mutex_unlock(&vp->lock);
	if (err)
		return err;
	return copy_to_user(arg, &msg, sizeof(msg)) ? -EFAULT : 0;
}

long ovid_mshv_translate_gva(struct ovid_vp *vp, void __user *arg)
{
	struct mshv_translate_gva args;
	gpa_t gpa = 0;
	u64 result;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (mutex_lock_killable(&vp->lock))
		return -EINTR;
	ovid_mshv_page_in(vp);
	result = ovid_mshv_translate(vp, args.gva, args.flags, &gpa);
	mutex_unlock(&vp->lock);
	if (put_user(result, (u64 __user *)u64_to_user_ptr(args.result)) ||
	    put_user(gpa, (u64 __user *)u64_to_user_ptr(args.gpa)))
		return -EFAULT;
	return 0;
}
