/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * view.h - a disk image as a plain file, for a program that reads one: grub-fstest, which is
 * GRUB's filesystems as a program.  The file is empty and as large as the disk; what the program
 * is about to read is put there just before.
 */
#ifndef OVID_BOOTFIND_VIEW_H
#define OVID_BOOTFIND_VIEW_H

#include "../lib/vdisk.h"

struct view {
	struct vdisk *disk;
	u64 bytes;
	int fd;			/* the file, */
	const char *path;	/* which has a name */
	u64 read;		/* so much of the disk was read */
	bool no_sandbox;
};

int view_open(struct view *view, struct failure *why);

/*
 * grub-fstest, with @words behind the image's name, prints to @out.  0, -OVID_X_USAGE: it ended
 * badly (there is no such file, it may be), -OVID_X_HOST: it could not be done.
 */
int view_run(struct view *view, const char *const *words, int out, struct failure *why);

#endif
