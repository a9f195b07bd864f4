// SPDX-License-Identifier: GPL-2.0-only
/* disk_image.c - files of `--disk` that are images: their format, and those of their parents. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/vdisk.h"
#include "run.h"

/* formats that others know */
static const struct {
	const char *name, *magic;
	unsigned int bytes;
} foreign[] = {
	{ "qcow2", "QFI\xfb", 4 },
	{ "VMDK", "KDMV", 4 },
	{ "VMDK", "# Disk DescriptorFile", 21 },
};

static int refuse_foreign(const char *path, int fd, struct failure *why)
{
	char buf[32];

	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (pread(fd, buf, foreign[i].bytes, 0) == foreign[i].bytes &&
		    !memcmp(buf, foreign[i].magic, foreign[i].bytes))
			return fail(why, OVID_X_USAGE,
				    "--disk %s: an image in %s format, which is not known; `qemu-img convert -O vhdx` makes one that is, or say --disk %s,format=raw if it is a raw one",
				    path, foreign[i].name, path);
	return 0;
}

/*
 * A guest may write what it likes to a raw disk, the begin of an image too: where the name or the
 * kind of file says that it is raw, someone has to say that it is not.
 */
int disk_image_format(const char *path, int fd, int asked, struct failure *why)
{
	enum ovid_vdisk_format is;
	struct stat st;
	int ret;

	if (asked >= 0)
		return asked;
	ret = refuse_foreign(path, fd, why);
	if (ret)
		return ret;
	ret = vdisk_probe(fd, &is);
	if (ret || fstat(fd, &st))
		return fail(why, OVID_X_USAGE, "--disk %s: it cannot be read: %s", path,
			    strerror(ret ? -ret : errno));
	if (is != OVID_VDISK_RAW &&
	    (S_ISBLK(st.st_mode) || vdisk_format_by_name(path) == OVID_VDISK_RAW))
		return fail(why, OVID_X_USAGE,
			    "--disk %s: it looks like a %s image, but need not be one: say ,format=%s or ,format=raw",
			    path, vdisk_format_name(is), vdisk_format_name(is));
	return is;
}

static int take_files(const char *path, const struct vdisk *disk, int *fd, unsigned int room,
		      struct failure *why)
{
	unsigned int nr = 0;

	for (; disk; disk = disk->parent) {
		if (nr == room)
			return fail(why, OVID_X_USAGE,
				    "--disk %s: the images have too many parents", path);
		fd[nr] = fcntl(disk->fd, F_DUPFD_CLOEXEC, 0);
		if (fd[nr++] < 0)
			return fail(why, OVID_X_HOST, "--disk %s: %s", path, strerror(errno));
	}
	return nr;
}

/* It is opened here as the module will open it, so that what is wrong with it can be said. */
int disk_image_open(const char *path, int format, bool read_only, int *fd, unsigned int room,
		    struct failure *why)
{
	struct vdisk *disk;
	int ret = vdisk_open(&disk, path, format, read_only ? DISK_READ : DISK_WRITE, why), nr;

	if (ret)
		return ret;
	nr = take_files(path, disk, fd, room, why);
	/* the locks are those of the copies as well */
	ret = vdisk_close(disk, why);
	return nr < 0 ? nr : ret ?: nr;
}
