// SPDX-License-Identifier: GPL-2.0-only
/* raw.c - the file is the disk */
#include "vdisk_priv.h"

static int raw_open(struct ovid_vdisk *image, const char **why)
{
	image->info.kind = OVID_VDISK_FIXED;
	image->info.logical_sector = 512;
	image->info.physical_sector = 512;
	image->info.size = image->file_size;
	if (!image->info.size || image->info.size % 512 || image->info.size > OVID_VDISK_MAX_SIZE)
		return OVID_FAIL(why, EINVAL, "its size is no multiple of 512 bytes, or above 64 TiB");
	return 0;
}

static int raw_resize(struct ovid_vdisk *image, u64 size)
{
	int ret = image->ops->resize(image->ctx, size);

	if (ret)
		return ret;
	image->file_size = size;
	image->info.size = size;
	return image->ops->flush(image->ctx);
}

const struct ovid_format_ops ovid_raw_format = {
	.open = raw_open,
	.resize = raw_resize,
};
