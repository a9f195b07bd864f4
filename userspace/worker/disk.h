/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disk.h - the disks of a machine: files, which the module reads and writes by itself.
 */
#ifndef OVID_WORKER_DISK_H
#define OVID_WORKER_DISK_H

#include "../lib/fail.h"
#include "../lib/types.h"
#include "../lib/vid.h"

#define DISKS_MAX	OVID_DISK_MAX

/* as `ovid run` has checked it */
struct disk_config {
	u8 lun;
	bool read_only;
	char serial[OVID_DISK_SERIAL_BYTES + 1];
};

struct disks {
	unsigned int nr;
	struct disk_config config[DISKS_MAX];
	int fd[DISKS_MAX];
};

/* all of them to a channel of SCSI, which keeps the files for itself */
int disks_attach(const struct disks *disks, int scsi, struct failure *why);

#endif
