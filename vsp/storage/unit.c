// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks of a controller: attached and detached by who has the channel's file, found by
 * the guest's requests.
 */
#include <linux/cleanup.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../../uapi/ovid.h"
#include "storage.h"

#define MAX_PATH	8
#define MAX_TARGET	2

static unsigned long address(u8 path, u8 target, u8 lun)
{
	return path << 16 | target << 8 | lun;
}

struct stor_unit *ovid_stor_unit(struct stor *stor, const struct stor_w_srb *srb)
{
	lockdep_assert_held(&stor->units_lock);
	return xa_load(&stor->units, address(srb->path, srb->target, srb->lun));
}

u64 ovid_stor_luns(struct stor *stor, const struct stor_w_srb *srb)
{
	unsigned long first = address(srb->path, srb->target, 0), at;
	struct stor_unit *unit;
	u64 luns = 0;

	lockdep_assert_held(&stor->units_lock);
	xa_for_each_range(&stor->units, at, unit, first, first + SCSI_MAX_LUNS - 1)
		luns |= BIT_ULL(at - first);
	return luns;
}

void ovid_stor_attention(struct stor *stor, u32 sense)
{
	struct stor_unit *unit;
	unsigned long at;

	guard(mutex)(&stor->units_lock);
	xa_for_each(&stor->units, at, unit)
		unit->attention = sense;
}

static struct stor_unit *new_unit(struct ovid_image *image, const struct ovid_disk *arg)
{
	struct stor_unit *unit = kzalloc(sizeof(*unit), GFP_KERNEL_ACCOUNT);

	if (!unit)
		return NULL;
	static_assert(sizeof(unit->disk.serial) == sizeof(arg->serial));
	unit->image = image;
	unit->disk.block_bytes = 512;
	unit->disk.blocks = image->bytes / unit->disk.block_bytes;
	unit->disk.max_transfer = STOR_MAX_TRANSFER;
	unit->disk.read_only = image->read_only;
	unit->disk.unmaps = image->unmaps;
	memcpy(unit->disk.serial, arg->serial, sizeof(arg->serial));
	return unit;
}

static bool address_ok(u8 path, u8 target, u8 lun, u8 pad)
{
	return path < MAX_PATH && target < MAX_TARGET && lun < SCSI_MAX_LUNS && !pad;
}

struct stor_unit *ovid_stor_at(struct stor *stor, u8 path, u8 target, u8 lun, u8 pad)
{
	lockdep_assert_held(&stor->units_lock);
	if (!address_ok(path, target, lun, pad))
		return ERR_PTR(-EINVAL);
	return xa_load(&stor->units, address(path, target, lun)) ?: ERR_PTR(-ENOENT);
}

static bool serial_ok(const u8 *serial)
{
	u32 i = 0;

	while (i < SCSI_SERIAL_BYTES && serial[i] > ' ' && serial[i] < 0x7f)
		i++;
	return i && (i == SCSI_SERIAL_BYTES || !serial[i]);
}

void ovid_stor_announce(struct stor *stor)
{
	WRITE_ONCE(stor->announce, true);
	ovid_chan_kick(stor->chan);
}

static int insert(struct stor *stor, struct stor_unit *unit, const struct ovid_disk *at)
{
	unsigned long where = address(at->path, at->target, at->lun);
	int err;

	guard(mutex)(&stor->units_lock);
	if (xa_load(&stor->units, where))
		return -EEXIST;
	if (stor->nr_units == OVID_DISK_MAX)
		return -ENOSPC;
	err = xa_insert(&stor->units, where, unit, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	stor->nr_units++;
	return 0;
}

long ovid_stor_attach(struct stor *stor, const struct ovid_disk *arg)
{
	struct ovid_image *image;
	struct stor_unit *unit;
	int err;

	if (arg->flags & ~OVID_DISK_READ_ONLY || !serial_ok(arg->serial) ||
	    !address_ok(arg->path, arg->target, arg->lun, arg->pad))
		return -EINVAL;
	image = ovid_raw_open(arg->fd, arg->flags & OVID_DISK_READ_ONLY);
	if (IS_ERR(image))
		return PTR_ERR(image);
	unit = new_unit(image, arg);
	err = unit ? insert(stor, unit, arg) : -ENOMEM;
	if (err) {
		kfree(unit);
		image->ops->close(image);
		return err;
	}
	ovid_stor_announce(stor);
	return 0;
}

/* nobody finds it any more */
static void free_unit(struct stor *stor, struct stor_unit *unit)
{
	spin_lock_irq(&stor->lock);
	wait_event_lock_irq(stor->idle, !unit->under_way, stor->lock);
	spin_unlock_irq(&stor->lock);
	unit->image->ops->close(unit->image);
	kfree(unit);
}

long ovid_stor_detach(struct stor *stor, const struct ovid_disk *arg)
{
	struct stor_unit *unit;

	if (arg->flags || arg->fd || memchr_inv(arg->serial, 0, sizeof(arg->serial)) ||
	    !address_ok(arg->path, arg->target, arg->lun, arg->pad))
		return -EINVAL;
	scoped_guard(mutex, &stor->units_lock) {
		unit = xa_erase(&stor->units, address(arg->path, arg->target, arg->lun));
		if (!unit)
			return -ENOENT;
		stor->nr_units--;
	}
	free_unit(stor, unit);
	ovid_stor_announce(stor);
	return 0;
}

void ovid_stor_detach_all(struct stor *stor)
{
	struct stor_unit *unit;
	unsigned long at;

	xa_for_each(&stor->units, at, unit)
		free_unit(stor, unit);
	xa_destroy(&stor->units);
}
