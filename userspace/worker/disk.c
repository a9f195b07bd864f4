// SPDX-License-Identifier: GPL-2.0-only
/* disk.c - see disk.h */
#include <unistd.h>

#include "disk.h"

int disks_find(const struct disks *disks, u8 controller, u8 lun)
{
	for (unsigned int i = 0; i < disks->nr; i++)
		if (disks->config[i].controller == controller && disks->config[i].lun == lun)
			return i;
	return -1;
}

int disks_free_lun(const struct disks *disks, u8 controller)
{
	for (unsigned int lun = 0; lun < LUNS_MAX; lun++)
		if (disks_find(disks, controller, lun) < 0)
			return lun;
	return -1;
}

/* a controller, when there is something for it */
static int offer(int part, u8 controller, int *scsi, struct failure *why)
{
	if (scsi[controller] >= 0)
		return 0;
	scsi[controller] = vid_offer_scsi(part, controller);
	if (scsi[controller] < 0)
		return fail(why, OVID_X_HOST, "cannot offer SCSI controller %u to the guest: %s",
			    controller, strerror(-scsi[controller]));
	return 0;
}

int disks_limit(const struct disk_config *c, const int *scsi, struct failure *why)
{
	struct ovid_disk_limit limit = {
		.flags = OVID_DISK_LIMIT_SET, .lun = c->lun, .requests = c->iops, .bytes = c->bps,
	};
	int ret = vid_disk_limit(scsi[c->controller], &limit);

	if (ret)
		return fail(why, OVID_X_HOST, "cannot limit the disk at LUN %u of controller %u: %s",
			    c->lun, c->controller, strerror(-ret));
	return 0;
}

static int attach(const struct disks *disks, const struct disk_config *c, int fd, int part,
		  int *scsi, struct failure *why)
{
	struct ovid_disk disk;
	int ret = offer(part, c->controller, scsi, why);

	if (ret)
		return ret;
	disk = (struct ovid_disk){
		.flags = (c->read_only ? OVID_DISK_READ_ONLY : 0) | (c->dvd ? OVID_DISK_DVD : 0),
		.lun = c->lun,
		.fd = c->empty ? -1 : fd,
		.format = c->format,
		.nr_parents = c->nr_parents,
		.parents = c->nr_parents ? (uintptr_t)&disks->parent[c->parents] : 0,
		.logical_sector = c->logical_sector,
		.physical_sector = c->physical_sector,
	};
	memcpy(disk.serial, c->serial, sizeof(disk.serial));
	ret = vid_attach_disk(scsi[c->controller], &disk);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot attach the disk at LUN %u of controller %u: %s",
			    c->lun, c->controller,
			    ret == -EINVAL ? "the file is too small, or of a kind that is no disk" :
			    strerror(-ret));
	ret = c->iops || c->bps ? disks_limit(c, scsi, why) : 0;
	if (ret)
		vid_detach_disk(scsi[c->controller], c->lun);
	return ret;
}

int disks_attach(const struct disks *disks, int part, int *scsi, struct failure *why)
{
	int ret = 0;

	for (unsigned int i = 0; i < disks->nr && !ret; i++)
		ret = attach(disks, &disks->config[i], disks->fd[i], part, scsi, why);
	return ret;
}

int disks_add(struct disks *disks, const struct disk_config *c, int fd, const int *parents,
	      int part, int *scsi, struct failure *why)
{
	struct disk_config *new = &disks->config[disks->nr];
	int ret;

	if (disks->nr == DISKS_MAX)
		return fail(why, OVID_X_USAGE, "it has %u disks, and can have no more", DISKS_MAX);
	if (disks_find(disks, c->controller, c->lun) >= 0)
		return fail(why, OVID_X_USAGE, "there is a disk at LUN %u of controller %u already",
			    c->lun, c->controller);
	if (disks->nr_parents + c->nr_parents > PARENTS_MAX)
		return fail(why, OVID_X_USAGE, "its images have %u parents, and can have no %u more",
			    disks->nr_parents, c->nr_parents);
	*new = *c;
	new->parents = disks->nr_parents;
	memcpy(&disks->parent[new->parents], parents, c->nr_parents * sizeof(*parents));
	ret = attach(disks, new, fd, part, scsi, why);
	if (ret)
		return ret;
	disks->nr_parents += c->nr_parents;
	disks->fd[disks->nr++] = fd;
	return 0;
}

/* those behind them move up */
static void drop_parents(struct disks *disks, const struct disk_config *c)
{
	unsigned int first = c->parents, nr = c->nr_parents;

	if (!nr)
		return;
	for (unsigned int i = first; i < first + nr; i++)
		close(disks->parent[i]);
	disks->nr_parents -= nr;
	memmove(&disks->parent[first], &disks->parent[first + nr],
		(disks->nr_parents - first) * sizeof(*disks->parent));
	for (unsigned int i = 0; i < disks->nr; i++)
		if (disks->config[i].nr_parents && disks->config[i].parents > first)
			disks->config[i].parents -= nr;
}

int disks_change(struct disks *disks, unsigned int at, int fd, bool force, const int *scsi)
{
	struct disk_config *c = &disks->config[at];
	int ret = vid_disk_medium(scsi[c->controller], c->lun, fd, force);

	if (ret)
		return ret;
	if (disks->fd[at] >= 0)
		close(disks->fd[at]);
	disks->fd[at] = fd;
	c->empty = fd < 0;
	return 0;
}

int disks_remove(struct disks *disks, unsigned int at, const int *scsi, struct failure *why)
{
	const struct disk_config *c = &disks->config[at];
	int ret = vid_detach_disk(scsi[c->controller], c->lun);

	if (ret)
		return fail(why, OVID_X_HOST, "cannot detach LUN %u of controller %u: %s", c->lun,
			    c->controller,
			    ret == -ETIMEDOUT ? "its file does not answer" : strerror(-ret));
	if (disks->fd[at] >= 0)
		close(disks->fd[at]);
	drop_parents(disks, c);
	disks->nr--;
	disks->config[at] = disks->config[disks->nr];
	disks->fd[at] = disks->fd[disks->nr];
	return 0;
}
