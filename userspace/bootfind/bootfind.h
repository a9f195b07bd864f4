/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bootfind.h - `ovid run --boot-from-disk`: a process of its own, this program under another name,
 * takes kernel and initrd out of a disk image.  One message each way on a SOCK_SEQPACKET pair.
 */
#ifndef OVID_BOOTFIND_H
#define OVID_BOOTFIND_H

#include "choice.h"

#define BOOTFIND_NAME		"ovid-bootfind"
#define BOOTFIND_CHANNEL	3
#define BOOTFIND_PATH		64
#define BOOTFIND_PARENTS	64

/* with files: an empty one, whose name is @path; the image; its parents */
struct bootfind_ask {
	u32 size;
	u32 nr_images;		/* the image and its parents */
	u32 format;		/* enum ovid_vdisk_format */
	u32 uid, gid;		/* to become, when started as root */
	u32 no_sandbox;
	char path[BOOTFIND_PATH];
};

/* with files, if @status is 0: the kernel, and @nr_initrds more */
struct bootfind_answer {
	int32_t status;		/* OVID_X_* */
	u32 nr_initrds;
	char text[256];		/* why not */
	char what[160];
	char args[BOOT_ARGS];
};

int bootfind_main(void);

#endif
