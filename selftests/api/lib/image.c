// SPDX-License-Identifier: GPL-2.0-only
/* image.c - see image.h */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image.h"

static int file_of(void *ctx)
{
	return (int)(intptr_t)ctx;
}

static int op_read(void *ctx, u64 off, void *buf, size_t len)
{
	return pread(file_of(ctx), buf, len, off) == (ssize_t)len ? 0 : -EIO;
}

static int op_write(void *ctx, u64 off, const void *buf, size_t len)
{
	return pwrite(file_of(ctx), buf, len, off) == (ssize_t)len ? 0 : -EIO;
}

static int op_flush(void *ctx)
{
	(void)ctx;
	return 0;
}

static int op_size(void *ctx, u64 *bytes)
{
	*bytes = lseek(file_of(ctx), 0, SEEK_END);
	return 0;
}

static int op_resize(void *ctx, u64 bytes)
{
	return ftruncate(file_of(ctx), bytes) ? -errno : 0;
}

static int op_punch(void *ctx, u64 off, u64 len)
{
	return fallocate(file_of(ctx), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len) ?
	       -errno : 0;
}

/* no two are the same */
static void op_random(void *ctx, void *buf, size_t len)
{
	static u8 next;
	u8 *to = buf;

	(void)ctx;
	next++;
	while (len--)
		*to++ = next + len;
}

static const struct ovid_vdisk_ops ops = {
	.read = op_read, .write = op_write, .flush = op_flush, .size = op_size,
	.resize = op_resize, .punch = op_punch, .random = op_random,
};

static struct ovid_vdisk *open_image(int fd, enum ovid_vdisk_format format, bool writable)
{
	struct ovid_vdisk *image;
	const char *why;

	return ovid_vdisk_open(&ops, (void *)(intptr_t)fd, format, writable, &image, &why) ? NULL :
	       image;
}

int image_make(const struct ovid_vdisk_params *params, int parent)
{
	struct ovid_vdisk_params p = *params;
	int fd = memfd_create("image", MFD_CLOEXEC), ret;
	struct ovid_vdisk *image = NULL;
	const char *why;

	if (parent >= 0) {
		image = open_image(parent, OVID_VDISK_VHDX, false);
		p.parent = image;
		p.relative_path = "parent.vhdx";
	}
	ret = fd < 0 || (parent >= 0 && !image) ? -EIO :
	      ovid_vdisk_create(&ops, (void *)(intptr_t)fd, &p, &why);
	ovid_vdisk_abandon(image);
	return ret ?: fd;
}

int image_crash(int fd, uint8_t byte)
{
	struct ovid_vdisk *image = open_image(fd, OVID_VDISK_VHDX, true);
	u8 sector[512];
	int ret;

	if (!image)
		return -EIO;
	memset(sector, byte, sizeof(sector));
	ret = ovid_vdisk_write(image, 0, sector, sizeof(sector)) ?: ovid_vdisk_flush(image);
	ovid_vdisk_abandon(image);
	return ret;
}

int image_first(int fd)
{
	struct ovid_vdisk *image = open_image(fd, OVID_VDISK_VHDX, false);
	u8 byte;
	int ret = image ? ovid_vdisk_read(image, 0, &byte, 1) : -EIO;

	ovid_vdisk_abandon(image);
	return ret ?: byte;
}
