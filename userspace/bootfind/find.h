/* SPDX-License-Identifier: GPL-2.0-only */
/* find.h - looks for what a disk would boot, and takes it out. */
#ifndef OVID_BOOTFIND_FIND_H
#define OVID_BOOTFIND_FIND_H

#include "choice.h"
#include "view.h"

/**
 * struct boot_found - what there was
 * @kernel: a file in memory that does not change any more
 * @initrd: more of them
 * @nr_initrds: of @initrd
 * @args: the kernel's command line
 * @what: where it is from, for a person
 */
struct boot_found {
	int kernel;
	int initrd[BOOT_INITRDS];
	unsigned int nr_initrds;
	char args[BOOT_ARGS];
	char what[160];
};

int boot_find(struct view *view, struct boot_found *found, struct failure *why);

#endif
