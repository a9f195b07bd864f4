// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks that a guest has, and that change, or are asked for what they are.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include "../../uapi/ovid.h"
#include "storage.h"

/* SBC-3, "Capacity data has changed": Linux's storvsc asks for the size anew when it is told */
static void take_size(struct stor *stor, struct stor_unit *unit)
{
	u64 blocks = unit->image->bytes / unit->disk.block_bytes;

	lockdep_assert_held(&stor->units_lock);
	if (blocks == unit->disk.blocks)
		return;
	unit->disk.blocks = blocks;
	ovid_scsi_attend(&unit->state, ATTENTION_CAPACITY);
	ovid_stor_announce(stor);
}

long ovid_stor_resize(struct stor *stor, struct ovid_disk_size *arg)
{
	struct stor_unit *unit;
	int err;

	if (arg->flags || arg->pad2)
		return -EINVAL;
	guard(mutex)(&stor->units_lock);
	unit = ovid_stor_at(stor, arg->path, arg->target, arg->lun, arg->pad);
	if (IS_ERR(unit))
		return PTR_ERR(unit);
	if (unit->disk.dvd)
		return -EOPNOTSUPP;
	err = unit->image->ops->resize ? unit->image->ops->resize(unit->image, arg->bytes) :
					 -EOPNOTSUPP;
	if (err)
		return err;
	if (unit->image->bytes < unit->disk.block_bytes)
		return -EINVAL;
	take_size(stor, unit);
	arg->bytes = unit->disk.blocks * unit->disk.block_bytes;
	return 0;
}

long ovid_stor_info(struct stor *stor, struct ovid_disk_info *arg)
{
	struct stor_unit *unit;

	if (arg->flags)
		return -EINVAL;
	guard(mutex)(&stor->units_lock);
	unit = ovid_stor_at(stor, arg->path, arg->target, arg->lun, arg->pad);
	if (IS_ERR(unit))
		return PTR_ERR(unit);
	arg->flags = (unit->disk.read_only ? OVID_DISK_READ_ONLY : 0) |
		     (unit->disk.dvd ? OVID_DISK_DVD : 0);
	arg->block_bytes = unit->disk.block_bytes;
	arg->bytes = unit->disk.blocks * unit->disk.block_bytes;
	arg->requests = unit->requests;
	arg->under_way = READ_ONCE(unit->under_way);
	arg->pad2 = 0;
	return 0;
}
