/* SPDX-License-Identifier: GPL-2.0-only */
/* volumes.h - the filesystems of a disk and what is in them, as grub-fstest tells. */
#ifndef OVID_BOOTFIND_VOLUMES_H
#define OVID_BOOTFIND_VOLUMES_H

#include "choice.h"
#include "view.h"

#define MAX_VOLUMES	64
#define MAX_NAMES	256

struct volume {
	char device[BOOT_DEVICE];
	char uuid[48];
	char label[64];
};

struct volumes {
	struct view *view;
	struct volume volume[MAX_VOLUMES];
	unsigned int nr;
	struct failure why;	/* of the host: nothing more can be asked */
	int status;		/* that, or 0 */
};

/* 0 or -status */
int volumes_list(struct volumes *v, struct view *view, struct failure *why);

/* volumes_parse.c, pure: what `ls -l` said */
void volumes_parse(struct volumes *v, const char *text, size_t len);

/*
 * Is it a name of the disk itself or of something on it: not of the host's files or of GRUB's own,
 * and nothing that ends the device where GRUB looks for a path?
 */
bool volumes_is_device(const char *name);

/* A file in memory with what is in it; -1: it is not there */
int volumes_open(struct volumes *v, const struct boot_file *file);
/* the same as text, at most BOOT_TEXT bytes, to be freed; NULL: it is not there, or is longer */
char *volumes_read(struct volumes *v, const struct boot_file *file, size_t *len);

/* What a folder has: words, those of folders with a / behind; to be freed */
struct names {
	unsigned int nr;
	char *name[MAX_NAMES];
	char *text;
};

bool volumes_names(struct volumes *v, const char *device, const char *folder, struct names *names);
void names_free(struct names *names);
/* on FAT a name is the same in capitals */
bool names_have(const struct names *names, const char *name);

#endif
