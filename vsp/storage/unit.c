// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks of a controller: attached and detached by who has the channel's file, found by
 * the guest's requests.
 */
#include <linux/cleanup.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "../../uapi/ovid.h"
#include "image/vdisk.h"
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
	xa_for_each_range(&stor->units, at, unit, first, first + SCSI_MAX_LUNS - 1) {
		luns |= BIT_ULL(at - first);
		unit->state.attentions &= ~BIT(ATTENTION_LUNS);	/* it knows by this */
	}
	return luns;
}

void ovid_stor_reset_units(struct stor *stor, u32 attentions)
{
	struct stor_unit *unit;
	unsigned long at;

	guard(mutex)(&stor->units_lock);
	xa_for_each(&stor->units, at, unit)
		ovid_scsi_reset(&unit->state, attentions);
}

/* units_lock held: those of a target learn that another has come or gone */
static void luns_changed(struct stor *stor, unsigned long where)
{
	unsigned long first = where & ~0xfful, at;
	struct stor_unit *unit;

	xa_for_each_range(&stor->units, at, unit, first, first + SCSI_MAX_LUNS - 1)
		if (at != where)
			ovid_scsi_attend(&unit->state, ATTENTION_LUNS);
}

/* @image: NULL: a DVD drive without a disc */
static struct stor_unit *new_unit(struct ovid_image *image, const struct ovid_disk *arg)
{
	struct stor_unit *unit = kzalloc(sizeof(*unit), GFP_KERNEL_ACCOUNT);
	bool dvd = arg->flags & OVID_DISK_DVD;

	if (!unit)
		return NULL;
	static_assert(sizeof(unit->disk.serial) == sizeof(arg->serial));
	unit->disk.dvd = dvd;
	unit->disk.block_bytes = dvd ? SCSI_DVD_BLOCK :
				 arg->logical_sector ?: image->logical_sector;
	unit->disk.physical_bytes = dvd ? SCSI_DVD_BLOCK :
				    arg->physical_sector ?: image->physical_sector;
	unit->disk.max_transfer = STOR_MAX_TRANSFER;
	memcpy(unit->disk.serial, arg->serial, sizeof(arg->serial));
	INIT_LIST_HEAD(&unit->waiting);
	unit->image = image;
	unit->disk.blocks = image ? image->bytes / unit->disk.block_bytes : 0;
	unit->disk.read_only = dvd || image->read_only;
	unit->disk.unmaps = !unit->disk.read_only && image->unmaps;
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
	ovid_chan_kick(stor->primary.chan);
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
	unit->id = ++stor->last_id;
	stor->nr_units++;
	luns_changed(stor, where);
	return 0;
}

static bool sectors_ok(const struct ovid_disk *arg)
{
	u32 logical = arg->logical_sector, physical = arg->physical_sector;

	/* a disc's are always the same, and an image says what it has */
	if (!logical || arg->flags & OVID_DISK_DVD || arg->format != OVID_DISK_RAW)
		return !logical && !physical;
	return (logical == 512 || logical == 4096) && (physical == 512 || physical == 4096) &&
	       logical <= physical;
}

static bool format_ok(const struct ovid_disk *arg)
{
	if (arg->format > OVID_DISK_VHDX || arg->nr_parents > OVID_DISK_MAX_PARENTS)
		return false;
	if (arg->format != OVID_DISK_RAW && arg->flags & OVID_DISK_DVD)
		return false;
	return !arg->nr_parents == !arg->parents &&
	       (!arg->nr_parents || arg->format == OVID_DISK_VHDX);
}

static bool arg_ok(const struct ovid_disk *arg)
{
	return !(arg->flags & ~(OVID_DISK_READ_ONLY | OVID_DISK_DVD)) &&
	       address_ok(arg->path, arg->target, arg->lun, arg->pad) &&
	       serial_ok(arg->serial) && format_ok(arg) && sectors_ok(arg);
}

/* NULL: an empty DVD drive */
static struct ovid_image *open_image(const struct ovid_disk *arg)
{
	bool dvd = arg->flags & OVID_DISK_DVD;
	bool read_only = dvd || arg->flags & OVID_DISK_READ_ONLY;
	int fd[OVID_VDISK_MAX_DEPTH] = { arg->fd };

	static_assert(ARRAY_SIZE(fd) == 1 + OVID_DISK_MAX_PARENTS);
	static_assert(OVID_DISK_RAW == OVID_VDISK_RAW && OVID_DISK_VHD == OVID_VDISK_VHD &&
		      OVID_DISK_VHDX == OVID_VDISK_VHDX);
	if (dvd && arg->fd == -1)
		return NULL;
	if (arg->format == OVID_DISK_RAW)
		return ovid_raw_open(arg->fd, read_only);
	if (copy_from_user(fd + 1, u64_to_user_ptr(arg->parents), arg->nr_parents * sizeof(*fd)))
		return ERR_PTR(-EFAULT);
	return ovid_vdisk_image_open(arg->format, fd, 1 + arg->nr_parents, read_only);
}

static void close_image(struct ovid_image *image)
{
	if (image)
		image->ops->close(image);
}

/**
 * struct closing - an image that is closed by a worker of the kernel's
 * @work: ...
 * @image: which
 */
struct closing {
	struct work_struct work;
	struct ovid_image *image;
};

static void close_work(struct work_struct *work)
{
	close_image(container_of(work, struct closing, work)->image);
}

/*
 * What is left of its tables is written.  That fails in a thread that is killed, as one of a
 * process that ends is, if it ends by itself at the same moment and is the last.
 */
static void close_elsewhere(struct ovid_image *image)
{
	struct closing closing = { .image = image };

	INIT_WORK_ONSTACK(&closing.work, close_work);
	ovid_late_queue(&closing.work);
	flush_work(&closing.work);
	destroy_work_on_stack(&closing.work);
}

void ovid_stor_free_unit(struct stor_unit *unit)
{
	if (fatal_signal_pending(current))
		close_elsewhere(unit->image);
	else
		close_image(unit->image);
	kfree(unit);
}

/* -EINVAL: there is not one block */
static int insert_new(struct stor *stor, struct ovid_image *image, const struct ovid_disk *arg)
{
	struct stor_unit *unit = new_unit(image, arg);
	int err;

	if (!unit)
		return -ENOMEM;
	err = image && !unit->disk.blocks ? -EINVAL : insert(stor, unit, arg);
	if (err)
		kfree(unit);
	return err;
}

long ovid_stor_attach(struct stor *stor, const struct ovid_disk *arg)
{
	struct ovid_image *image;
	int err;

	if (!arg_ok(arg))
		return -EINVAL;
	image = open_image(arg);
	if (IS_ERR(image))
		return PTR_ERR(image);
	err = insert_new(stor, image, arg);
	if (err) {
		close_image(image);
		return err;
	}
	ovid_stor_announce(stor);
	return 0;
}

int ovid_stor_still(struct stor *stor, struct stor_unit *unit)
{
	lockdep_assert_held(&stor->units_lock);
	if (unit->leaving)
		return -EBUSY;
	unit->leaving = true;
	ovid_stor_limited_end(stor, unit);
	return 0;
}

int ovid_stor_wait_still(struct stor *stor, struct stor_unit *unit)
{
	int err = ovid_stor_wait(stor, &unit->under_way, ovid_stor_patience());

	if (!err)
		return 0;
	guard(mutex)(&stor->units_lock);
	unit->leaving = false;
	return err;
}

static void take_out(struct stor *stor, unsigned long where)
{
	guard(mutex)(&stor->units_lock);
	xa_erase(&stor->units, where);
	stor->nr_units--;
	luns_changed(stor, where);
}

static bool detach_ok(const struct ovid_disk *arg)
{
	return !arg->flags && !arg->fd && !memchr_inv(arg->serial, 0, sizeof(arg->serial)) &&
	       !arg->format && !arg->nr_parents && !arg->parents && !arg->logical_sector &&
	       !arg->physical_sector;
}

long ovid_stor_detach(struct stor *stor, const struct ovid_disk *arg)
{
	struct stor_unit *unit;
	int err;

	if (!detach_ok(arg))
		return -EINVAL;
	scoped_guard(mutex, &stor->units_lock) {
		unit = ovid_stor_at(stor, arg->path, arg->target, arg->lun, arg->pad);
		err = IS_ERR(unit) ? PTR_ERR(unit) : ovid_stor_still(stor, unit);
	}
	err = err ?: ovid_stor_wait_still(stor, unit);
	if (err)
		return err;
	take_out(stor, address(arg->path, arg->target, arg->lun));
	ovid_stor_free_unit(unit);
	ovid_stor_announce(stor);
	return 0;
}

/* nothing is under way but what was given up, or gives it another size; units_lock held */
static int rest(struct stor *stor, struct stor_unit *unit, unsigned long end)
{
	int err = ovid_stor_wait(stor, &unit->under_way, end);

	if (err || !unit->image || !unit->image->ops->rest)
		return err;
	return unit->image->ops->rest(unit->image);
}

int ovid_stor_rest(struct stor *stor)
{
	unsigned long end = ovid_stor_patience();
	struct stor_unit *unit;
	unsigned long at;
	int err = 0;

	guard(mutex)(&stor->units_lock);
	xa_for_each(&stor->units, at, unit) {
		err = err ?: rest(stor, unit, end);
	}
	return err;
}
