/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uki.h - a unified kernel image: a program for UEFI that has kernel, initrd and command line in
 * sections of its own.  Pure: it looks at the file's first bytes.
 */
#ifndef OVID_BOOTFIND_UKI_H
#define OVID_BOOTFIND_UKI_H

#include <stddef.h>

#include "../lib/types.h"

#define UKI_HEAD	16384	/* the headers are within */

struct uki_part {
	u64 off, len;		/* in the file; 0, 0: it has none */
};

struct uki {
	struct uki_part kernel, initrd, cmdline;
};

/* @len: of @head; @size: of the file.  False: it is none for x86-64, or is damaged */
bool uki_parse(const u8 *head, size_t len, u64 size, struct uki *uki);

#endif
