// SPDX-License-Identifier: GPL-2.0-only
/*
 * A partition's life, and what concerns all of its VPs: pause, reset.
 *
 * Locks: vmx_lock -> nothing; part->lock -> vp->lock (only by trylock).
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "backend.h"
#include "compat.h"
#include "hv.h"
#include "ioctl.h"
#include "partition.h"
#include "region.h"
#include "trace.h"
#include "vp.h"

/* VMX is on while a partition exists */
static DEFINE_MUTEX(vmx_lock);
static unsigned int part_count;
static u32 part_last_id;

DEFINE_STATIC_SRCU(regions_srcu);

static int get_vmx(struct ovid_partition *part)
{
	int err = 0;

	guard(mutex)(&vmx_lock);
	if (!part_count)
		err = ovid_backend->enable();
	if (err)
		return err;
	part_count++;
	part->id = ++part_last_id;
	return 0;
}

/* after the VPs are gone: their VMCSs are cleared in VMX operation */
static void put_vmx(void)
{
	guard(mutex)(&vmx_lock);
	if (!--part_count)
		ovid_backend->disable();
}

unsigned int ovid_part_count(void)
{
	return READ_ONCE(part_count);
}

static int part_init(struct ovid_partition *part)
{
	int err;

	kref_init(&part->ref);
	mutex_init(&part->lock);
	mutex_init(&part->regions_lock);
	mutex_init(&part->apic_map_lock);
	mutex_init(&part->apic_page_lock);
	init_waitqueue_head(&part->reset_wait);
	part->srcu = &regions_srcu;
	ovid_ports_init(part);
	err = ovid_tdp_init(part);
	if (err)
		return err;
	err = ovid_cpuid_init(part);
	if (err)
		goto tdp;
	err = ovid_irq_init(part);
	if (err)
		goto cpuid;
	err = ovid_hv_part_init(part);
	if (err)
		goto irq;
	ovid_clock_init(part);
	return 0;

irq:
	ovid_irq_fini(part);
cpuid:
	ovid_cpuid_fini(part);
tdp:
	ovid_tdp_fini(part);
	return err;
}

static void part_free(struct ovid_partition *part)
{
	struct ovid_vp *vp;
	int i;

	/* nothing can reach a VP any more but the bus and irqfds, which end first */
	if (part->vmbus)
		ovid_vmbus_door.destroy(part->vmbus);
	ovid_irq_fini(part);
	/* the host's memory management still may kick VPs until this is done */
	ovid_region_fini(part);
	ovid_for_each_vp(part, vp, i)
		ovid_vp_destroy(vp);
	ovid_apic_map_fini(part);
	ovid_ports_fini(part);
	ovid_hv_part_fini(part);
	ovid_tdp_fini(part);
	ovid_cpuid_fini(part);
	ovid_msr_fini(part);
	if (part->apic_page)
		__free_page(part->apic_page);
	if (part->mm)
		mmdrop(part->mm);
	kfree(part);
}

struct ovid_partition *ovid_part_create(const char *name, u32 flags, bool mshv)
{
	struct ovid_partition *part;
	int err;

	part = kzalloc(sizeof(*part), GFP_KERNEL_ACCOUNT);
	if (!part)
		return ERR_PTR(-ENOMEM);
	strscpy(part->name, name);
	part->mshv = mshv;
	part->x2apic_allowed = flags & OVID_PART_X2APIC;
	part->state = mshv ? OVID_PART_CREATED : OVID_PART_INITIALIZED;
	err = part_init(part);
	if (err)
		goto free;
	/* mshv's clients ask for what they want: HvPartitionPropertySyntheticProcFeatures */
	err = mshv ? ovid_cpuid_set_synthetic(part, 0) : 0;
	err = err ?: get_vmx(part);
	if (err)
		goto fini;
	ovid_stats_debugfs_add(part);
	trace_partition_create(part);
	return part;

fini:
	ovid_hv_part_fini(part);
	ovid_irq_fini(part);
	ovid_cpuid_fini(part);
	ovid_tdp_fini(part);
free:
	kfree(part);
	return ERR_PTR(err);
}

static void part_release(struct kref *ref)
{
	struct ovid_partition *part = container_of(ref, struct ovid_partition, ref);

	trace_partition_destroy(part);
	ovid_stats_debugfs_del(part);
	part_free(part);
	put_vmx();
}

void ovid_part_put(struct ovid_partition *part)
{
	kref_put(&part->ref, part_release);
}

struct ovid_vp *ovid_vp_get_index(struct ovid_partition *part, u32 index)
{
	if (index >= OVID_MAX_VPS)
		return NULL;
	/* pairs with the release in ovid_vp_create() */
	return smp_load_acquire(&part->vps[array_index_nospec(index, OVID_MAX_VPS)]);
}

/*
 * ovid_part_bind - the caller's memory becomes, or already is, the partition's
 *
 * Returns 0, or -EIO when it belongs to another process.
 */
int ovid_part_bind(struct ovid_partition *part)
{
	struct mm_struct *mm = smp_load_acquire(&part->mm);	/* pairs with the release below */

	if (!mm) {
		guard(mutex)(&part->lock);
		if (!part->mm) {
			mmgrab(current->mm);
			/* pairs with the acquire above: mm_count is taken first */
			smp_store_release(&part->mm, current->mm);
		}
		mm = part->mm;
	}
	return mm == current->mm ? 0 : -EIO;
}

/* ---- pause, reset ---- */

int ovid_part_pause(struct ovid_partition *part)
{
	struct ovid_vp *vp;
	int i;

	lockdep_assert_held(&part->lock);
	if (part->paused)
		return 0;
	part->paused = true;
	ovid_for_each_vp(part, vp, i)
		ovid_vp_request(vp, OVID_REQ_PAUSE);
	/* those in the guest come out, and see the request before they go in again */
	ovid_part_kick_sync(part);
	ovid_part_time_freeze(part, true);
	return 0;
}

int ovid_part_resume(struct ovid_partition *part)
{
	struct ovid_vp *vp;
	int i;

	lockdep_assert_held(&part->lock);
	if (!part->paused)
		return 0;
	ovid_part_time_freeze(part, false);
	part->paused = false;
	if (part->vmbus)
		ovid_vmbus_door.resume(part->vmbus);
	ovid_for_each_vp(part, vp, i) {
		clear_bit(OVID_REQ_PAUSE, &vp->requests);
		ovid_vp_kick(vp);
	}
	return 0;
}

/* a VP whose thread waits in RUN resets itself, another is reset from here */
static int reset_vp(struct ovid_vp *vp)
{
	if (mutex_trylock(&vp->lock)) {
		ovid_vp_reset(vp);
		mutex_unlock(&vp->lock);
		return 0;
	}
	ovid_vp_request(vp, OVID_REQ_RESET);
	/* its thread may leave RUN before it sees that: then the lock is free */
	while (test_bit(OVID_REQ_RESET, &vp->requests)) {
		if (mutex_trylock(&vp->lock)) {
			if (test_and_clear_bit(OVID_REQ_RESET, &vp->requests))
				ovid_vp_reset(vp);
			mutex_unlock(&vp->lock);
			break;
		}
		if (wait_event_killable_timeout(vp->part->reset_wait,
						!test_bit(OVID_REQ_RESET, &vp->requests),
						HZ / 20) < 0)
			return -EINTR;
	}
	return 0;
}

int ovid_part_reset(struct ovid_partition *part)
{
	struct ovid_vp *vp;
	int i, err;

	lockdep_assert_held(&part->lock);
	if (!part->paused)
		return -EBUSY;
	ovid_for_each_vp(part, vp, i) {
		err = reset_vp(vp);
		if (err)
			return err;
	}
	ovid_hv_part_reset(part);
	if (part->vmbus)
		ovid_vmbus_door.reset(part->vmbus);
	return 0;
}

/* ---- the file ---- */

static int part_file_release(struct inode *inode, struct file *file)
{
	ovid_part_put(file->private_data);
	return 0;
}

static const struct file_operations part_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = ovid_part_ioctl,
	.release = part_file_release,
	.llseek = noop_llseek,
};

int ovid_part_fd(struct ovid_partition *part)
{
	int fd = anon_inode_getfd("[ovid-partition]", &part_fops, part, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ovid_part_put(part);
	return fd;
}

struct ovid_partition *ovid_part_of_fd(int fd)
{
	struct ovid_partition *part = ERR_PTR(-EINVAL);
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (file->f_op == &part_fops)
		part = ovid_part_get(file->private_data);
	fput(file);
	if (!IS_ERR(part) && READ_ONCE(part->dead)) {
		ovid_part_put(part);
		return ERR_PTR(-EIO);
	}
	return part;
}

void ovid_part_module_fini(void)
{
	/* callbacks of freed regions run code of this module */
	srcu_barrier(&regions_srcu);
	rcu_barrier();
}
