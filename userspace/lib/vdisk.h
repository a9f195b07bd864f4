/* SPDX-License-Identifier: GPL-2.0-only */
/* vdisk.h - disk images in files: operations for vsp/storage/image, chains of files, new files. */
#ifndef OVID_LIB_VDISK_H
#define OVID_LIB_VDISK_H

#include <stddef.h>

#include "../../vsp/storage/image/vdisk.h"
#include "fail.h"

#define DISK_PATH	4096

/**
 * struct vdisk - an image that is open, with the files of its parents
 * @image: or NULL
 * @parent: or NULL
 * @fd: of its file
 * @path: as it was found
 */
struct vdisk {
	struct ovid_vdisk *image;
	struct vdisk *parent;
	int fd;
	char path[DISK_PATH];
};

enum vdisk_mode {
	DISK_LOOK,		/* only itself, and whoever else uses it may go on */
	DISK_READ,
	DISK_WRITE,		/* from here on: itself; its parents are read */
	DISK_MERGE,		/* and its parent */
	DISK_ALONE,		/* without its parents, which need not be there */
};

/* "raw", "vhd", "vhdx"; -1: it is called something else */
int vdisk_format(const char *name);
/* what the end of a name says: .img, .vhdx, ...; -1: nothing */
int vdisk_format_by_name(const char *path);
const char *vdisk_format_name(enum ovid_vdisk_format format);
const char *vdisk_kind_name(enum ovid_vdisk_kind kind);

/* what the file seems to be: 0 or -errno */
int vdisk_probe(int fd, enum ovid_vdisk_format *format);

/*
 * Opens @path and, unless @mode is DISK_LOOK or DISK_ALONE, its parents.  @format: a number of enum
 * ovid_vdisk_format, or negative: what the file seems to be.  0 or -status.
 */
int vdisk_open(struct vdisk **disk, const char *path, int format, enum vdisk_mode mode,
	       struct failure *why);
/*
 * Of files that are open, @fd[0] of the image and those of its parents behind it, to read; they are
 * closed with it, or when that fails.
 */
int vdisk_adopt(struct vdisk **disk, const int *fd, unsigned int nr, enum ovid_vdisk_format format,
		struct failure *why);
/* Flushes and closes; 0 or -status.  @why is left as it is if it says something already */
int vdisk_close(struct vdisk *disk, struct failure *why);

/* Where the parent of a differencing image is, if it is anywhere; else what the image says */
bool vdisk_find_parent(struct vdisk *disk, char *path);

/**
 * struct vdisk_new - a file that has no name until it is complete
 * @fd: of it
 * @path: the name it will have
 * @temporary: a name that it has meanwhile, where a file cannot be without one; or empty
 */
struct vdisk_new {
	int fd;
	char path[DISK_PATH];
	char temporary[DISK_PATH + 8];
};

int vdisk_new_begin(struct vdisk_new *n, const char *path, bool overwrite, struct failure *why);
/* gives it its name */
int vdisk_new_keep(struct vdisk_new *n, bool overwrite, struct failure *why);
/* lets it go if it has none yet */
void vdisk_new_end(struct vdisk_new *n);
/* makes an image in it, and opens that */
int vdisk_new_make(struct vdisk_new *n, const struct ovid_vdisk_params *params, struct vdisk **disk,
		   struct failure *why);

/* how @to is called seen from the folder of @from, both as the kernel resolves them */
int vdisk_relative(const char *from, const char *to, char *path, struct failure *why);

/* From @off on in the file: zeros that it has no space for.  0: none, or it cannot tell */
u64 vdisk_hole(const struct vdisk *disk, u64 off, u64 len);

#endif
