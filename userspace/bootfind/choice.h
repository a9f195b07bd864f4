/* SPDX-License-Identifier: GPL-2.0-only */
/* choice.h - what is to be started, as a boot loader's configuration says it. */
#ifndef OVID_BOOTFIND_CHOICE_H
#define OVID_BOOTFIND_CHOICE_H

#include "../lib/types.h"

#define BOOT_DEVICE	96
#define BOOT_PATH	512
#define BOOT_ARGS	4096
#define BOOT_INITRDS	8
#define BOOT_TEXT	(1u << 20)	/* of a configuration file, at most */

/* @device: as GRUB calls it, without parentheses; @path: absolute */
struct boot_file {
	char device[BOOT_DEVICE];
	char path[BOOT_PATH];
};

struct boot_choice {
	struct boot_file kernel;
	struct boot_file initrd[BOOT_INITRDS];
	unsigned int nr_initrds;
	bool unified;		/* @kernel has the rest in it (uki.h) */
	char args[BOOT_ARGS];
	char title[128];
};

#endif
