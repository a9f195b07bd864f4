// SPDX-License-Identifier: GPL-2.0-only
/* load.c - which kind of kernel it is, and what all kinds need. */
#include <stdlib.h>

#include "load.h"

#define HEAD_LEN	8192	/* a Multiboot header lies within */

/* null, null, code, data: flat, of 4 GiB */
static int put_gdt(const struct gmem *gm, bool long_mode)
{
	const u64 gdt[4] = {
		[LOAD_SEL_CODE / 8] = long_mode ? 0x00af9b000000ffff : 0x00cf9b000000ffff,
		[LOAD_SEL_DATA / 8] = 0x00cf93000000ffff,
	};

	return gmem_write(gm, LOAD_GDT, gdt, sizeof(gdt));
}

int modules_load(const struct boot_files *files, const struct gmem *gm, u64 from,
		 struct loaded_module *out, struct failure *why)
{
	u64 gpa = ALIGN_UP(from, 4096);

	for (unsigned int i = 0; i < files->nr_modules; i++) {
		const struct image *img = &files->module[i];
		u64 name = LOAD_STRINGS + i * LOAD_MAX_NAME;
		int ret;

		/* 32-bit structures point at it: it has to be in low memory */
		if (gpa >= gmem_low_end(gm) || img->size > gmem_low_end(gm) - gpa ||
		    !memmap_loadable(gm, gpa, img->size))
			return fail(why, OVID_X_USAGE,
				    "%s (%llu KiB) does not fit into memory behind the kernel; give more --memory",
				    img->name, (unsigned long long)img->size >> 10);
		ret = image_load(img, 0, img->size, gm, gpa, why);
		if (ret)
			return ret;
		gmem_write(gm, name, img->name, LOAD_MAX_NAME);
		out[i] = (struct loaded_module){ gpa, img->size, name };
		gpa = ALIGN_UP(gpa + img->size, 4096);
	}
	return 0;
}

static int load_kind(const struct boot_files *files, const u8 *head, size_t len,
		     const struct gmem *gm, struct boot_state *state, struct failure *why)
{
	if (linux_is_kernel(head, len))
		return linux_load(files, head, len, gm, state, why);
	if (multiboot_is_kernel(head, len))
		return multiboot_load(files, head, len, gm, state, why);
	if (elf_is_elf(head, len))
		return pvh_load(files, gm, state, why);
	return fail(why, OVID_X_USAGE,
		    "%s is no kernel that ovid can start; it takes a Linux bzImage, an ELF kernel with a PVH note, or a Multiboot image",
		    files->kernel.name);
}

int load_boot(const struct boot_files *files, const struct gmem *gm,
	      struct boot_state *state, struct failure *why)
{
	size_t len = min_u64(files->kernel.size, HEAD_LEN);
	u8 *head = malloc(HEAD_LEN);
	int ret;

	if (!head)
		return fail(why, OVID_X_HOST, "out of memory");
	*state = (struct boot_state){ 0 };
	ret = image_read(&files->kernel, 0, head, len, why);
	if (!ret)
		ret = load_kind(files, head, len, gm, state, why);
	if (!ret)
		put_gdt(gm, state->long_mode);
	free(head);
	return ret;
}
