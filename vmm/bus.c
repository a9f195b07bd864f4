// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMBus asks of the vmm: see bus.h.
 */
#include "bus.h"
#include "partition.h"
#include "synic.h"
#include "vp.h"

struct ovid_vmbus *ovid_bus_of(struct ovid_partition *part)
{
	/* pairs with the release below */
	return smp_load_acquire(&part->vmbus);
}

void ovid_bus_publish(struct ovid_partition *part, struct ovid_vmbus *vmbus)
{
	/* it is complete: EOM and ioctls find it from here on */
	smp_store_release(&part->vmbus, vmbus);
}

struct ovid_partition *ovid_bus_part_of(int fd)
{
	return ovid_part_of_fd(fd);
}

void ovid_bus_part_get(struct ovid_partition *part)
{
	ovid_part_get(part);
}

void ovid_bus_part_put(struct ovid_partition *part)
{
	ovid_part_put(part);
}

const char *ovid_bus_part_name(const struct ovid_partition *part)
{
	return part->name;
}

u32 ovid_bus_part_id(const struct ovid_partition *part)
{
	return part->id;
}

struct dentry *ovid_bus_debugfs(const struct ovid_partition *part)
{
	return part->debugfs;
}

u32 ovid_bus_vps(struct ovid_partition *part)
{
	struct ovid_vp *vp;
	u32 i, end = 0;

	ovid_for_each_vp(part, vp, i)
		end = i + 1;
	return end;
}

void ovid_bus_put_off(struct ovid_vp *vp)
{
	vp->bus_due = true;
}

u64 ovid_bus_reference_time(struct ovid_partition *part)
{
	return ovid_part_reference_time(part);
}

int ovid_guest_post(struct ovid_partition *part, u32 vp, unsigned int sint,
		    const struct hv_message *msg)
{
	struct ovid_vp *to = ovid_vp_get_index(part, vp);

	return to ? ovid_synic_post(to, sint, msg) : -ENOENT;
}

int ovid_guest_signal(struct ovid_partition *part, u32 vp, unsigned int sint, unsigned int flag)
{
	struct ovid_vp *to = ovid_vp_get_index(part, vp);

	return to ? ovid_synic_signal(to, sint, flag) : -ENOENT;
}
