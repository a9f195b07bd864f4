// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls: one table a kind of file.  A row says how large the argument is,
 * whether the caller's memory has to be the partition's, and which lock the
 * handler wants held; the dispatcher does all that once for all.
 *
 * Extension calls (magic 0xB9) begin with size and flags and are copied by
 * copy_struct_from_user(); those of mshv.h copy for themselves.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <asm/tsc.h>
#include "arg.h"
#include "backend.h"
#include "cpuid.h"
#include "ioctl.h"
#include "irqfd.h"
#include "memobj.h"
#include "mshv.h"
#include "msr.h"
#include "partition.h"
#include "property.h"
#include "region.h"
#include "regs.h"
#include "stats.h"
#include "vp.h"
#include "../uapi/mshv.h"
#include "../uapi/ovid.h"

#define MAX_SIZE	sizeof(struct ovid_info)

enum row_flags {
	WRITE_BACK = 1 << 0,	/* copy the struct to the caller on success */
	BIND = 1 << 1,		/* caller's mm must be, or becomes, the partition's */
	LOCK = 1 << 2,		/* part->lock */
	BACK_ALWAYS = 1 << 3,	/* copy back on E2BIG too: the need is told */
};

/* @size 0: the handler takes the user pointer */
struct part_row {
	unsigned int cmd;
	u16 size;
	u8 flags;
	long (*typed)(struct ovid_partition *part, void *arg);
	long (*raw)(struct ovid_partition *part, void __user *arg);
};

struct vp_row {
	unsigned int cmd;
	u16 size;
	u8 flags;
	long (*typed)(struct ovid_vp *vp, void *arg);
	long (*raw)(struct ovid_vp *vp, void __user *arg);
};

union arg {
	struct ovid_arg_head head;
	u8 bytes[MAX_SIZE];
};

/* ---- D ---- */

static long get_info(struct ovid_info *info)
{
	u32 size = info->size;

	if (info->flags)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	info->size = size;
	info->abi_version = OVID_ABI_VERSION;
	info->caps = ovid_backend->caps;
	info->max_vps = OVID_MAX_VPS;
	info->max_gsis = OVID_MAX_GSIS;
	info->max_regions = OVID_MAX_REGIONS;
	info->phys_bits = min_t(u32, boot_cpu_data.x86_phys_bits, 48);
	info->tsc_khz = tsc_khz;
	info->kernel_version = LINUX_VERSION_CODE;
	info->partitions = ovid_part_count();
	strscpy(info->module_version, OVID_VERSION);
	info->blockers = ovid_backend->blockers(info->reason, sizeof(info->reason));
	return 0;
}

static long create_partition(struct ovid_create_partition *arg)
{
	struct ovid_partition *part;

	if (arg->flags & ~OVID_PART_X2APIC)
		return -EINVAL;
	if (strnlen(arg->name, sizeof(arg->name)) == sizeof(arg->name))
		return -EINVAL;
	part = ovid_part_create(arg->name, arg->flags, false);
	return IS_ERR(part) ? PTR_ERR(part) : ovid_part_fd(part);
}

long ovid_dev_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	void __user *p = (void __user *)user;
	union arg arg;
	long ret;

	switch (cmd) {
	case OVID_GET_INFO:
		ret = ovid_arg_in(&arg, p, sizeof(struct ovid_info));
		ret = ret ?: get_info((struct ovid_info *)&arg);
		return ret ?: ovid_arg_out(&arg, p);
	case OVID_CREATE_PARTITION:
		ret = ovid_arg_in(&arg, p, sizeof(struct ovid_create_partition));
		return ret ?: create_partition((struct ovid_create_partition *)&arg);
	case OVID_CREATE_MEMORY:
		ret = ovid_arg_in(&arg, p, sizeof(struct ovid_create_memory));
		return ret ?: ovid_memobj_create((struct ovid_create_memory *)&arg);
	case MSHV_CREATE_PARTITION:
		return ovid_mshv_create_partition(p);
	case MSHV_ROOT_HVCALL:
		return ovid_mshv_host_hvcall(p);
	default:
		return -ENOTTY;
	}
}

/* ---- P ---- */

static long map_memory(struct ovid_partition *part, void *arg)
{
	return ovid_region_map(part, arg);
}

static long unmap_memory(struct ovid_partition *part, void *p)
{
	struct ovid_gpa_range *arg = p;

	return arg->flags ? -EINVAL : ovid_region_unmap(part, arg->gpa, arg->bytes);
}

static long discard_memory(struct ovid_partition *part, void *p)
{
	struct ovid_gpa_range *arg = p;

	return arg->flags ? -EINVAL : ovid_region_discard(part, arg->gpa, arg->bytes, 0);
}

static long get_cpuid(struct ovid_partition *part, void *p)
{
	struct ovid_cpuid *arg = p;

	return arg->flags || arg->pad ? -EINVAL : ovid_cpuid_get_table(part, arg);
}

static long set_cpuid(struct ovid_partition *part, void *p)
{
	struct ovid_cpuid *arg = p;

	return arg->flags || arg->pad ? -EINVAL : ovid_cpuid_set_table(part, arg);
}

static long set_msr_policy(struct ovid_partition *part, void *p)
{
	struct ovid_msr_policy *arg = p;

	return arg->flags ? -EINVAL : ovid_msr_set_policy(part, arg);
}

static long partition_ctrl(struct ovid_partition *part, void *p)
{
	struct ovid_partition_ctrl *arg = p;

	if (arg->flags || arg->pad)
		return -EINVAL;
	switch (arg->op) {
	case OVID_CTRL_PAUSE:
		return ovid_part_pause(part);
	case OVID_CTRL_RESUME:
		return ovid_part_resume(part);
	case OVID_CTRL_RESET:
		return ovid_part_reset(part);
	default:
		return -EINVAL;
	}
}

static long get_property(struct ovid_partition *part, void *p)
{
	struct ovid_property *arg = p;

	return arg->flags || arg->pad ? -EINVAL :
	       ovid_property_get(part, arg->code, &arg->value);
}

static long set_property(struct ovid_partition *part, void *p)
{
	struct ovid_property *arg = p;

	return arg->flags || arg->pad ? -EINVAL :
	       ovid_property_set(part, arg->code, arg->value);
}

static long set_route(struct ovid_partition *part, void *arg)
{
	return ovid_set_route(part, arg);
}

static long inject(struct ovid_partition *part, void *arg)
{
	return ovid_inject(part, arg);
}

static long synic_port(struct ovid_partition *part, void *arg)
{
	return ovid_synic_port(part, arg);
}

static long vmbus_create(struct ovid_partition *part, void *p)
{
	struct ovid_vmbus_create *arg = p;

	return arg->flags & ~OVID_VMBUS_AWAITS_STATE || arg->pad ? -EINVAL :
	       ovid_vmbus_door.create(part, arg);
}

static long vmbus_state(struct ovid_partition *part, void *p)
{
	struct ovid_vmbus_state *arg = p;

	if (arg->flags || arg->pad)
		return -EINVAL;
	if (!part->vmbus)
		return -ENXIO;
	return part->paused ? ovid_vmbus_door.state(part->vmbus, arg) : -EBUSY;
}

static long vmbus_offer(struct ovid_partition *part, void *p)
{
	struct ovid_vmbus_offer *arg = p;

	return arg->flags ? -EINVAL : ovid_vmbus_door.offer(part, arg);
}

static long vmbus_sockets(struct ovid_partition *part, void *p)
{
	struct ovid_vmbus_sockets *arg = p;

	return arg->flags ? -EINVAL : ovid_vmbus_door.sockets(part);
}

static long part_stats_fd(struct ovid_partition *part, void __user *arg)
{
	return ovid_part_stats_fd(part);
}

#define X(name, type, flags, fn)	{ name, sizeof(struct type), flags, fn, NULL }
#define RAW(name, flags, fn)		{ name, 0, flags, NULL, fn }

static const struct part_row part_rows[] = {
	X(OVID_INJECT, ovid_inject, 0, inject),
	X(OVID_MAP_MEMORY, ovid_map_memory, 0, map_memory),
	X(OVID_UNMAP_MEMORY, ovid_gpa_range, 0, unmap_memory),
	X(OVID_DISCARD_MEMORY, ovid_gpa_range, 0, discard_memory),
	X(OVID_GET_CPUID, ovid_cpuid, WRITE_BACK | BACK_ALWAYS, get_cpuid),
	X(OVID_SET_CPUID, ovid_cpuid, LOCK, set_cpuid),
	X(OVID_SET_MSR_POLICY, ovid_msr_policy, LOCK, set_msr_policy),
	X(OVID_PARTITION_CTRL, ovid_partition_ctrl, LOCK, partition_ctrl),
	X(OVID_GET_PROPERTY, ovid_property, WRITE_BACK, get_property),
	X(OVID_SET_PROPERTY, ovid_property, LOCK, set_property),
	X(OVID_SET_ROUTE, ovid_route, 0, set_route),
	X(OVID_SYNIC_PORT, ovid_synic_port, 0, synic_port),
	X(OVID_VMBUS_CREATE, ovid_vmbus_create, BIND | LOCK, vmbus_create),
	X(OVID_VMBUS_OFFER, ovid_vmbus_offer, BIND, vmbus_offer),
	X(OVID_VMBUS_SOCKETS, ovid_vmbus_sockets, 0, vmbus_sockets),
	X(OVID_VMBUS_STATE, ovid_vmbus_state, BIND | LOCK | WRITE_BACK | BACK_ALWAYS, vmbus_state),
	RAW(OVID_GET_STATS_FD, 0, part_stats_fd),
	RAW(MSHV_INITIALIZE_PARTITION, 0, ovid_mshv_initialize),
	RAW(MSHV_CREATE_VP, BIND, ovid_mshv_create_vp),
	RAW(MSHV_SET_GUEST_MEMORY, BIND, ovid_mshv_set_guest_memory),
	RAW(MSHV_IRQFD, 0, ovid_mshv_irqfd),
	RAW(MSHV_IOEVENTFD, 0, ovid_mshv_ioeventfd),
	RAW(MSHV_SET_MSI_ROUTING, 0, ovid_mshv_set_msi_routing),
	RAW(MSHV_GET_GPAP_ACCESS_BITMAP, 0, ovid_mshv_get_gpap_access_bitmap),
	RAW(MSHV_ROOT_HVCALL, 0, ovid_mshv_part_hvcall),
};

static long part_typed(struct ovid_partition *part, const struct part_row *row,
		       void __user *user)
{
	union arg arg;
	long ret, err;

	ret = ovid_arg_in(&arg, user, row->size);
	if (ret)
		return ret;
	if (row->flags & LOCK) {
		if (mutex_lock_killable(&part->lock))
			return -EINTR;
		ret = row->typed(part, &arg);
		mutex_unlock(&part->lock);
	} else {
		ret = row->typed(part, &arg);
	}
	if (((row->flags & WRITE_BACK) && !ret) ||
	    ((row->flags & BACK_ALWAYS) && ret == -E2BIG)) {
		err = ovid_arg_out(&arg, user);
		ret = ret ?: err;
	}
	return ret;
}

long ovid_part_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	struct ovid_partition *part = file->private_data;
	const struct part_row *row;
	int i, err;

	if (READ_ONCE(part->dead))
		return -EIO;
	for (i = 0; i < ARRAY_SIZE(part_rows); i++) {
		row = &part_rows[i];
		if (row->cmd != cmd)
			continue;
		err = row->flags & BIND ? ovid_part_bind(part) : 0;
		if (err)
			return err;
		return row->raw ? row->raw(part, (void __user *)user) :
				  part_typed(part, row, (void __user *)user);
	}
	return -ENOTTY;
}

/* ---- V ---- */

/* the hot one: straight to the run loop */
static long run_vp(struct ovid_vp *vp)
{
	long ret;

	if (mutex_lock_killable(&vp->lock))
		return -EINTR;
	ret = ovid_vp_run_native(vp);
	mutex_unlock(&vp->lock);
	return ret;
}

static int regs_args_ok(const struct ovid_regs *arg)
{
	return !arg->flags && !arg->pad && arg->count <= OVID_MAX_REGS;
}

static long get_regs(struct ovid_vp *vp, void *p)
{
	struct ovid_reg *regs __free(kvfree) = NULL;
	struct ovid_regs *arg = p;
	void __user *user = u64_to_user_ptr(arg->regs);
	size_t bytes = array_size(arg->count, sizeof(*regs));
	u64 val[2];
	u32 i;
	int err;

	if (!regs_args_ok(arg))
		return -EINVAL;
	if (!arg->count)
		return 0;
	regs = vmemdup_user(user, bytes);
	if (IS_ERR(regs))
		return PTR_ERR(no_free_ptr(regs));
	for (i = 0; i < arg->count; i++) {
		if (regs[i].pad[0] | regs[i].pad[1] | regs[i].pad[2])
			return -EINVAL;
		err = ovid_reg_get(vp, regs[i].name, val);
		if (err)
			return err;
		regs[i].low = val[0];
		regs[i].high = val[1];
	}
	return copy_to_user(user, regs, bytes) ? -EFAULT : 0;
}

static long set_regs(struct ovid_vp *vp, void *p)
{
	struct ovid_reg *regs __free(kvfree) = NULL;
	struct ovid_regs *arg = p;
	int ret;

	if (!regs_args_ok(arg))
		return -EINVAL;
	if (!arg->count)
		return 0;
	regs = vmemdup_user(u64_to_user_ptr(arg->regs), array_size(arg->count, sizeof(*regs)));
	if (IS_ERR(regs))
		return PTR_ERR(no_free_ptr(regs));
	ret = ovid_regs_set(vp, regs, arg->count);
	ovid_backend->page_fill(vp, OVID_WANT_RIP | OVID_WANT_SREGS);
	return ret;
}

static long vp_stats_fd(struct ovid_vp *vp, void __user *arg)
{
	return ovid_vp_stats_fd(vp);
}

static const struct vp_row vp_rows[] = {
	X(OVID_GET_REGS, ovid_regs, 0, get_regs),
	X(OVID_SET_REGS, ovid_regs, 0, set_regs),
	RAW(OVID_GET_STATS_FD, 0, vp_stats_fd),
	RAW(MSHV_RUN_VP, BIND, ovid_mshv_run_vp),
	RAW(MSHV_GET_VP_STATE, 0, ovid_mshv_get_vp_state),
	RAW(MSHV_SET_VP_STATE, 0, ovid_mshv_set_vp_state),
	RAW(MSHV_ROOT_HVCALL, 0, ovid_mshv_vp_hvcall),
	RAW(MSHV_VP_TRANSLATE_GVA, BIND, ovid_mshv_translate_gva),
};

/* typed calls on V work on a VP that does not run */
static long vp_typed(struct ovid_vp *vp, const struct vp_row *row, void __user *user)
{
	union arg arg;
	long ret;

	ret = ovid_arg_in(&arg, user, row->size);
	if (ret)
		return ret;
	if (mutex_lock_killable(&vp->lock))
		return -EINTR;
	/* registers have two views: what changed in the page counts first */
	ovid_vp_page_settle(vp);
	ret = row->typed(vp, &arg);
	mutex_unlock(&vp->lock);
	return ret;
}

long ovid_vp_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	struct ovid_vp *vp = file->private_data;
	const struct vp_row *row;
	int i, err;

	if (cmd == OVID_RUN_VP)
		return run_vp(vp);
	if (READ_ONCE(vp->part->dead))
		return -EIO;
	for (i = 0; i < ARRAY_SIZE(vp_rows); i++) {
		row = &vp_rows[i];
		if (row->cmd != cmd)
			continue;
		err = row->flags & BIND ? ovid_part_bind(vp->part) : 0;
		if (err)
			return err;
		return row->raw ? row->raw(vp, (void __user *)user) :
				  vp_typed(vp, row, (void __user *)user);
	}
	return -ENOTTY;
}
