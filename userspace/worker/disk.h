/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disk.h - the disks of a machine: files, which the module reads and writes by itself,
 * on SCSI controllers, each of which is a channel of the bus.
 */
#ifndef OVID_WORKER_DISK_H
#define OVID_WORKER_DISK_H

#include "../lib/fail.h"
#include "../lib/types.h"
#include "../lib/vid.h"

#define CONTROLLERS_MAX	4u
#define LUNS_MAX	OVID_DISK_MAX	/* of a controller */
#define DISKS_MAX	(CONTROLLERS_MAX * LUNS_MAX)
#define PARENTS_MAX	128u		/* of images, of all disks together */

/**
 * struct disk_config - a disk, as who has opened its file has checked it
 * @controller: which one,
 * @lun: and its number there
 * @format: OVID_DISK_RAW, ...
 * @nr_parents: of an image,
 * @parents: and which of all is the first
 * @read_only: it may not be written to
 * @dvd: it is a DVD drive
 * @empty: ... without a disc; its file is none
 * @logical_sector: 0: as its file has it; and
 * @physical_sector: ...
 * @iops: requests in a second; 0: any number
 * @bps: bytes, the same
 * @serial: not empty
 * @file: for people: the end of its file's path
 */
struct disk_config {
	u8 controller;
	u8 lun;
	u8 format;
	u8 nr_parents;
	u8 parents;
	bool read_only;
	bool dvd;
	bool empty;
	u16 logical_sector;
	u16 physical_sector;
	u32 iops;
	u64 bps;
	char serial[OVID_DISK_SERIAL_BYTES + 1];
	char file[64];
};

struct disks {
	unsigned int nr;
	struct disk_config config[DISKS_MAX];
	int fd[DISKS_MAX];
	unsigned int nr_parents;
	int parent[PARENTS_MAX];
};

/* its place in @disks, or -1 */
int disks_find(const struct disks *disks, u8 controller, u8 lun);

/* the first LUN of a controller that is free, or -1 */
int disks_free_lun(const struct disks *disks, u8 controller);

/* All of them to channels of SCSI, which keep the files for themselves.
 * @scsi: CONTROLLERS_MAX; those that are -1 are offered, if there are disks for them
 */
int disks_attach(const struct disks *disks, int part, int *scsi, struct failure *why);

/* How much it does in a second, from now on: as c->iops and c->bps say. */
int disks_limit(const struct disk_config *c, const int *scsi, struct failure *why);

/* Another disc in a DVD drive, whose file is theirs then, or none: -1.  -EBUSY: the guest keeps it. */
int disks_change(struct disks *disks, unsigned int at, int fd, bool force, const int *scsi);

/* One more, to a guest that runs; its file and those of c->nr_parents are theirs then.  And one less. */
int disks_add(struct disks *disks, const struct disk_config *c, int fd, const int *parents,
	      int part, int *scsi, struct failure *why);
int disks_remove(struct disks *disks, unsigned int at, const int *scsi, struct failure *why);

#endif
