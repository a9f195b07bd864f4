// SPDX-License-Identifier: GPL-2.0-only
/* disk.c - see disk.h */
#include "disk.h"

int disks_attach(const struct disks *disks, int scsi, struct failure *why)
{
	for (unsigned int i = 0; i < disks->nr; i++) {
		const struct disk_config *c = &disks->config[i];
		int ret = vid_attach_disk(scsi, disks->fd[i], c->read_only, c->lun, c->serial);

		if (ret)
			return fail(why, OVID_X_HOST, "cannot attach the disk at LUN %u: %s", c->lun,
				    ret == -EINVAL ? "the file is too small, or of a kind that is no disk" :
				    strerror(-ret));
	}
	return 0;
}
