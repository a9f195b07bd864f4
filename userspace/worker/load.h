/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load.h - puts a kernel and its files into guest memory and says how VP 0
 * starts.  Linux bzImages by the 64-bit boot protocol, ELF kernels by their PVH
 * note, Multiboot 1 images.
 *
 * Every image is taken for hostile: no number of it is used unchecked.
 * Loading again (after a reset) is the same call on zeroed memory.
 */
#ifndef OVID_LOAD_H
#define OVID_LOAD_H

#include "../lib/fail.h"
#include "../lib/types.h"
#include "gmem.h"

#define LOAD_MAX_MODULES	16
#define LOAD_MAX_CMDLINE	4096
#define LOAD_MAX_NAME		128
#define LOAD_MIN_MEMORY		(2 * BIT(20))

/*
 * What the boot protocols need is at the top of the memory below 1 MiB: images
 * of bare kernels that begin in real mode are linked to its bottom.
 */
#define LOAD_LOW		0x1000	/* below is what a BIOS would have there */
#define LOAD_AREA		0x8e000
#define LOAD_GDT		0x8e000
#define LOAD_INFO		0x8f000	/* zero page, start info, Multiboot info */
#define LOAD_TABLES		0x90000	/* memory map and module list */
#define LOAD_STRINGS		0x93000	/* module names */
#define LOAD_PAGE_TABLES	0x96000	/* six pages */
#define LOAD_CMDLINE		0x9d000
#define LOAD_EBDA		0x9fc00
#define LOAD_AREA_END		0xa0000
#define LOAD_ACPI		0xe0000	/* tables, RSDP first: the legacy scan area */
#define LOAD_ACPI_END		0x100000

/* selectors in the GDT at LOAD_GDT */
#define LOAD_SEL_CODE		0x10
#define LOAD_SEL_DATA		0x18
#define LOAD_GDT_LIMIT		0x1f

struct image {
	int fd;
	u64 size;
	char name[LOAD_MAX_NAME];
};

struct boot_files {
	struct image kernel;
	struct image module[LOAD_MAX_MODULES];
	unsigned int nr_modules;
	char cmdline[LOAD_MAX_CMDLINE];
};

/* How VP 0 starts; all segments flat, interrupts off. */
struct boot_state {
	bool long_mode;		/* else 32-bit protected mode without paging */
	u64 rip;
	u64 rax, rbx, rsi;
	u64 cr3;
};

struct e820_entry {
	u64 start;
	u64 bytes;
	u32 type;
} __attribute__((packed));

#define E820_RAM	1
#define E820_RESERVED	2
#define E820_MAX	8

/* load.c: everything; the rest is called by it */
int load_boot(const struct boot_files *files, const struct gmem *gm,
	      struct boot_state *state, struct failure *why);

/* load_image.c */
int image_open(struct image *img, int fd, const char *name, struct failure *why);
int image_read(const struct image *img, u64 offset, void *to, u64 len, struct failure *why);
int image_load(const struct image *img, u64 offset, u64 len, const struct gmem *gm,
	       u64 gpa, struct failure *why);

/* load_memmap.c */
unsigned int memmap_build(const struct gmem *gm, struct e820_entry *map);
bool memmap_loadable(const struct gmem *gm, u64 gpa, u64 len);
/* the same for the kernel called @name, with words */
int memmap_claim(const struct gmem *gm, const char *name, u64 gpa, u64 len, struct failure *why);

/* load_linux.c, load_pvh.c, load_multiboot.c; @head: first bytes of the kernel */
bool linux_is_kernel(const u8 *head, size_t len);
int linux_load(const struct boot_files *files, const u8 *head, size_t len,
	       const struct gmem *gm, struct boot_state *state, struct failure *why);
bool multiboot_is_kernel(const u8 *head, size_t len);
int multiboot_load(const struct boot_files *files, const u8 *head, size_t len,
		   const struct gmem *gm, struct boot_state *state, struct failure *why);
int pvh_load(const struct boot_files *files, const struct gmem *gm,
	     struct boot_state *state, struct failure *why);

/* load_elf.c */
struct elf_image {
	u64 entry;
	u64 pvh_entry;		/* 0: no note */
	u64 low, high;		/* guest physical extent of what was loaded */
};

bool elf_is_elf(const u8 *head, size_t len);
/* @pvh: it has to have the note */
int elf_load(const struct image *img, const struct gmem *gm, bool pvh, struct elf_image *elf,
	     struct failure *why);

/* modules in a row from @from on, page aligned; for PVH and Multiboot */
struct loaded_module {
	u64 gpa, bytes, name;
};

int modules_load(const struct boot_files *files, const struct gmem *gm, u64 from,
		 struct loaded_module *out, struct failure *why);

#endif
