/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bls.h - entries of the boot loader specification: small files of a key and its value a line
 * (loader/entries/NAME.conf).  Pure, and bounded.
 */
#ifndef OVID_BOOTFIND_BLS_H
#define OVID_BOOTFIND_BLS_H

#include <stddef.h>

#include "choice.h"

#define BLS_NAME	128

struct bls_entry {
	char name[BLS_NAME];	/* of its file, without .conf or .efi and tries left */
	char sort_key[64];
	char version[64];
	bool tried;		/* so often that it counts as bad */
	struct boot_choice choice;
};

/* Takes name and tries from that of the file; false: it is called something else */
bool bls_name(struct bls_entry *entry, const char *file, const char *suffix);

/*
 * Takes what the text says; paths are on @device.
 * False: it starts no Linux, or one of another architecture.
 */
bool bls_parse(struct bls_entry *entry, const char *text, size_t len, const char *device);

/* Which comes first in the menu?  As strcmp() */
int bls_compare(const struct bls_entry *a, const struct bls_entry *b);

/* Versions, as the specification compares them */
int bls_version(const char *a, const char *b);

/* What loader.conf says of a key; false: nothing */
bool bls_value(const char *text, size_t len, const char *key, char *value, size_t size);

#endif
