/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grubcfg.h - what a grub.cfg would start if nobody touched a key.  Pure: text comes in by
 * @read, and nothing goes out but words.  Of GRUB's language: variables, if, functions that are
 * not called, menuentry and submenu, and the commands that decide what is started.  Loops are
 * passed over.  The text is a stranger's: steps, depth, and each length are bounded.
 */
#ifndef OVID_BOOTFIND_GRUBCFG_H
#define OVID_BOOTFIND_GRUBCFG_H

#include <stddef.h>

#include "choice.h"

enum grub_search {
	GRUB_BY_UUID,
	GRUB_BY_LABEL,
	GRUB_BY_FILE,
};

struct grub_ops {
	/* the device that has it: up to BOOT_DEVICE bytes */
	bool (*search)(void *ctx, enum grub_search by, const char *what, char *device);
	bool (*exists)(void *ctx, const struct boot_file *file);
	/* at most BOOT_TEXT bytes, to be freed; NULL: it is not there */
	char *(*read)(void *ctx, const struct boot_file *file, size_t *len);
};

enum grub_result {
	GRUB_NONE,		/* no file, or no entry in it */
	GRUB_NO_LINUX,		/* the default entry (its title is told) starts something else */
	GRUB_BLS,		/* entries are files of the boot loader specification */
	GRUB_CHOICE,
};

/*
 * @file: the configuration.  For GRUB_BLS @choice->kernel.device is where $root is, and
 * @choice->title the default entry, if one is set.
 */
enum grub_result grub_choose(const struct grub_ops *ops, void *ctx, const struct boot_file *file,
			     struct boot_choice *choice);

/* The value of a variable in a block of GRUB's environment; false: it is not there */
bool grub_env_get(const char *text, size_t len, const char *name, char *value, size_t size);

#endif
