// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_pvh.c - ELF kernels with a Xen PHYS32_ENTRY note: 32-bit protected mode,
 * EBX at a start-info structure (Xen: docs/misc/pvh.pandoc).
 */
#include "load.h"

#define START_MAGIC	0x336ec578

struct pvh_start_info {
	u32 magic, version, flags, nr_modules;
	u64 modlist, cmdline, rsdp, memmap;
	u32 memmap_entries, reserved;
};

struct pvh_module {
	u64 gpa, bytes, cmdline, reserved;
};

struct pvh_memmap_entry {
	u64 gpa, bytes;
	u32 type, reserved;
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "wire size");
_Static_assert(sizeof(struct pvh_module) == 32, "wire size");
_Static_assert(sizeof(struct pvh_memmap_entry) == 24, "wire size");

#define MODLIST		(LOAD_TABLES + 0x1000)

static unsigned int put_memmap(const struct gmem *gm)
{
	struct e820_entry map[E820_MAX];
	unsigned int n = memmap_build(gm, map);

	for (unsigned int i = 0; i < n; i++) {
		struct pvh_memmap_entry e = {
			.gpa = map[i].start, .bytes = map[i].bytes, .type = map[i].type,
		};

		gmem_write(gm, LOAD_TABLES + i * sizeof(e), &e, sizeof(e));
	}
	return n;
}

static int put_modules(const struct boot_files *files, const struct gmem *gm, u64 from,
		       struct failure *why)
{
	struct loaded_module mod[LOAD_MAX_MODULES];
	int ret = modules_load(files, gm, from, mod, why);

	for (unsigned int i = 0; !ret && i < files->nr_modules; i++) {
		struct pvh_module m = {
			.gpa = mod[i].gpa, .bytes = mod[i].bytes, .cmdline = mod[i].name,
		};

		gmem_write(gm, MODLIST + i * sizeof(m), &m, sizeof(m));
	}
	return ret;
}

int pvh_load(const struct boot_files *files, const struct gmem *gm,
	     struct boot_state *state, struct failure *why)
{
	struct pvh_start_info info = {
		.magic = START_MAGIC, .version = 1, .nr_modules = files->nr_modules,
		.modlist = files->nr_modules ? MODLIST : 0, .cmdline = LOAD_CMDLINE,
		.rsdp = LOAD_ACPI, .memmap = LOAD_TABLES,
	};
	struct elf_image elf;
	int ret = elf_load(&files->kernel, gm, true, &elf, why);

	if (ret)
		return ret;
	if (elf.pvh_entry < elf.low || elf.pvh_entry >= elf.high ||
	    elf.pvh_entry >= GMEM_LOW_END)
		return fail(why, OVID_X_USAGE, "%s is damaged: its entry point is outside of it",
			    files->kernel.name);
	ret = put_modules(files, gm, elf.high, why);
	if (ret)
		return ret;
	info.memmap_entries = put_memmap(gm);
	gmem_write(gm, LOAD_CMDLINE, files->cmdline, strlen(files->cmdline) + 1);
	gmem_write(gm, LOAD_INFO, &info, sizeof(info));
	*state = (struct boot_state){ .rip = elf.pvh_entry, .rbx = LOAD_INFO };
	return 0;
}
