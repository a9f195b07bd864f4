// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks that a guest has, and that change, or are asked for what they are.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/slab.h>
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

/* as many more requests of a unit's, of no channel: it stays, and whoever moves the VM waits */
static void hold(struct stor *stor, struct stor_unit *unit, int n)
{
	guard(spinlock_irq)(&stor->lock);
	unit->under_way += n;
	if (!unit->under_way)
		wake_up(&stor->idle);
}

/* the one that has another size soon, held; or ERR_PTR */
static struct stor_unit *find_resized(struct stor *stor, const struct ovid_disk_size *arg)
{
	struct stor_unit *unit;

	guard(mutex)(&stor->units_lock);
	unit = ovid_stor_at(stor, arg->path, arg->target, arg->lun, arg->pad);
	if (IS_ERR(unit))
		return unit;
	if (unit->disk.dvd || !unit->image->ops->resize)
		return ERR_PTR(-EOPNOTSUPP);
	if (unit->leaving)
		return ERR_PTR(-EBUSY);
	hold(stor, unit, 1);
	return unit;
}

/* it may have gone meanwhile */
static int tell_size(struct stor *stor, struct ovid_disk_size *arg, u64 id)
{
	struct stor_unit *unit;

	guard(mutex)(&stor->units_lock);
	unit = ovid_stor_at(stor, arg->path, arg->target, arg->lun, arg->pad);
	if (IS_ERR(unit))
		return PTR_ERR(unit);
	if (unit->id != id)
		return -ENOENT;
	if (unit->image->bytes < unit->disk.block_bytes)
		return -EINVAL;
	take_size(stor, unit);
	arg->bytes = unit->disk.blocks * unit->disk.block_bytes;
	return 0;
}

long ovid_stor_resize(struct stor *stor, struct ovid_disk_size *arg)
{
	struct stor_unit *unit;
	u64 id;
	int err;

	if (arg->flags || arg->pad2)
		return -EINVAL;
	unit = find_resized(stor, arg);
	if (IS_ERR(unit))
		return PTR_ERR(unit);
	id = unit->id;
	err = unit->image->ops->resize(unit->image, arg->bytes);
	/* before units_lock, which who waits for this may have */
	hold(stor, unit, -1);
	return err ?: tell_size(stor, arg, id);
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

/* ---- discs ---- */

/* the drive, for which nothing begins from here on; or ERR_PTR */
static struct stor_unit *open_drive(struct stor *stor, const struct ovid_disk_medium *arg)
{
	struct stor_unit *unit;

	guard(mutex)(&stor->units_lock);
	unit = ovid_stor_at(stor, arg->path, arg->target, arg->lun, arg->pad);
	if (IS_ERR(unit))
		return unit;
	if (!unit->disk.dvd)
		return ERR_PTR(-EOPNOTSUPP);
	if (unit->image && !(arg->flags & OVID_DISK_FORCE) && !ovid_scsi_may_take(&unit->state))
		return ERR_PTR(-EBUSY);
	return ERR_PTR(ovid_stor_still(stor, unit)) ?: unit;
}

/* returns what was in it, or NULL */
static struct ovid_image *exchange(struct stor *stor, struct stor_unit *unit,
				   struct ovid_image *image)
{
	guard(mutex)(&stor->units_lock);
	swap(unit->image, image);
	/* a request between two of its steps finds another one */
	unit->id = ++stor->last_id;
	unit->disk.blocks = unit->image ? unit->image->bytes / SCSI_DVD_BLOCK : 0;
	ovid_scsi_medium(&unit->state, unit->image);
	unit->leaving = false;
	return image;
}

static int change_disc(struct stor *stor, const struct ovid_disk_medium *arg,
		       struct ovid_image *image)
{
	struct stor_unit *unit = open_drive(stor, arg);
	int err;

	if (IS_ERR(unit))
		return PTR_ERR(unit);
	err = ovid_stor_wait_still(stor, unit);
	if (err)
		return err;
	image = exchange(stor, unit, image);
	if (image)
		image->ops->close(image);
	return 0;
}

long ovid_stor_medium(struct stor *stor, const struct ovid_disk_medium *arg)
{
	struct ovid_image *image;
	int err;

	if (arg->flags & ~OVID_DISK_FORCE)
		return -EINVAL;
	image = arg->fd == -1 ? NULL : ovid_raw_open(arg->fd, true);
	if (IS_ERR(image))
		return PTR_ERR(image);
	err = image && image->bytes < SCSI_DVD_BLOCK ? -EINVAL : change_disc(stor, arg, image);
	if (err && image)
		image->ops->close(image);
	return err;
}
