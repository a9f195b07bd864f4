// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_multiboot.c - Multiboot 1 images, as ELF or with addresses in the header
 * (the "a.out kludge"): 32-bit protected mode, EAX magic, EBX at the info.
 */
#include <stdio.h>

#include "load.h"

#define HEADER_MAGIC	0x1badb002
#define LOADER_MAGIC	0x2badb002
#define SEARCH_LEN	8192

#define WANT_ADDRESSES	BIT(16)
#define WANT_KNOWN	0x7	/* of the bits that must be understood */

#define HAS_MEMORY	BIT(0)
#define HAS_CMDLINE	BIT(2)
#define HAS_MODULES	BIT(3)
#define HAS_MEMMAP	BIT(6)
#define HAS_LOADER_NAME	BIT(9)

#define MODLIST		(LOAD_TABLES + 0x1000)
#define LOADER_NAME	(LOAD_TABLES + 0x2000)

struct mb_header {
	u32 magic, flags, checksum;
	u32 header_addr, load_addr, load_end, bss_end, entry;
};

struct mb_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline;
	u32 nr_modules, modules, syms[4];
	u32 memmap_len, memmap;
	u32 drives[2], config, loader_name;
	u32 apm, vbe[4];
};

struct mb_module {
	u32 start, end, name, reserved;
};

struct mb_memmap_entry {
	u32 size;	/* of the rest */
	u64 gpa, bytes;
	u32 type;
} __attribute__((packed));

_Static_assert(sizeof(struct mb_info) == 88, "wire size");
_Static_assert(sizeof(struct mb_memmap_entry) == 24, "wire size");

/* Offset of the header, or -1.  Address fields may be missing behind it. */
static long find_header(const u8 *head, size_t len, struct mb_header *h)
{
	const size_t fixed = offsetof(struct mb_header, header_addr);

	if (len > SEARCH_LEN)
		len = SEARCH_LEN;
	for (size_t at = 0; at + fixed <= len; at += 4) {
		memset(h, 0, sizeof(*h));
		memcpy(h, head + at, min_u64(sizeof(*h), len - at));
		if (h->magic == HEADER_MAGIC && !(h->magic + h->flags + h->checksum) &&
		    (!(h->flags & WANT_ADDRESSES) || at + sizeof(*h) <= len))
			return at;
	}
	return -1;
}

bool multiboot_is_kernel(const u8 *head, size_t len)
{
	struct mb_header h;

	return find_header(head, len, &h) >= 0;
}

static int load_by_addresses(const struct image *img, const struct mb_header *h, u64 at,
			     const struct gmem *gm, struct elf_image *out,
			     struct failure *why)
{
	u64 before = (u64)h->header_addr - h->load_addr;
	u64 offset, bytes, end;
	int ret;

	if (h->header_addr < h->load_addr || before > at)
		return fail(why, OVID_X_USAGE, "%s is damaged: its Multiboot addresses contradict",
			    img->name);
	offset = at - before;
	bytes = h->load_end ? (u64)h->load_end - h->load_addr : img->size - offset;
	end = h->bss_end ? h->bss_end : h->load_addr + bytes;
	if ((h->load_end && h->load_end < h->load_addr) || end < h->load_addr + bytes)
		return fail(why, OVID_X_USAGE, "%s is damaged: its Multiboot addresses contradict",
			    img->name);
	ret = memmap_claim(gm, img->name, h->load_addr, end - h->load_addr, why);
	if (!ret)
		ret = image_load(img, offset, bytes, gm, h->load_addr, why);
	if (ret)
		return ret;
	*out = (struct elf_image){ .entry = h->entry, .low = h->load_addr, .high = end };
	return gmem_zero(gm, h->load_addr + bytes, end - h->load_addr - bytes);
}

static u32 put_memmap(const struct gmem *gm)
{
	struct e820_entry map[E820_MAX];
	unsigned int n = memmap_build(gm, map);

	for (unsigned int i = 0; i < n; i++) {
		struct mb_memmap_entry e = {
			.size = sizeof(e) - sizeof(e.size), .gpa = map[i].start,
			.bytes = map[i].bytes, .type = map[i].type,
		};

		gmem_write(gm, LOAD_TABLES + i * sizeof(e), &e, sizeof(e));
	}
	return n * sizeof(struct mb_memmap_entry);
}

static int put_modules(const struct boot_files *files, const struct gmem *gm, u64 from,
		       struct failure *why)
{
	struct loaded_module mod[LOAD_MAX_MODULES];
	int ret = modules_load(files, gm, from, mod, why);

	for (unsigned int i = 0; !ret && i < files->nr_modules; i++) {
		struct mb_module m = {
			.start = mod[i].gpa, .end = mod[i].gpa + mod[i].bytes,
			.name = mod[i].name,
		};

		gmem_write(gm, MODLIST + i * sizeof(m), &m, sizeof(m));
	}
	return ret;
}

static void put_info(const struct boot_files *files, const struct gmem *gm)
{
	struct mb_info info = {
		.flags = HAS_MEMORY | HAS_CMDLINE | HAS_MODULES | HAS_MEMMAP | HAS_LOADER_NAME,
		.mem_lower = LOAD_EBDA >> 10,
		.mem_upper = (gmem_low_end(gm) - BIT(20)) >> 10,
		.cmdline = LOAD_CMDLINE, .nr_modules = files->nr_modules, .modules = MODLIST,
		.memmap = LOAD_TABLES, .loader_name = LOADER_NAME,
	};
	/* first word: the kernel's own name, which programs skip as argv[0] */
	char line[LOAD_MAX_NAME + LOAD_MAX_CMDLINE + 1];
	int len = snprintf(line, sizeof(line), "%s %s", files->kernel.name, files->cmdline);

	info.memmap_len = put_memmap(gm);
	gmem_write(gm, LOAD_CMDLINE, line, len + 1);
	gmem_write(gm, LOADER_NAME, "ovid", 5);
	gmem_write(gm, LOAD_INFO, &info, sizeof(info));
}

int multiboot_load(const struct boot_files *files, const u8 *head, size_t len,
		   const struct gmem *gm, struct boot_state *state, struct failure *why)
{
	struct elf_image img;
	struct mb_header h;
	long at = find_header(head, len, &h);
	int ret;

	if (at < 0 || (h.flags & 0xffff & ~WANT_KNOWN))
		return fail(why, OVID_X_USAGE, "%s wants Multiboot features that ovid has not",
			    files->kernel.name);
	if (h.flags & WANT_ADDRESSES)
		ret = load_by_addresses(&files->kernel, &h, at, gm, &img, why);
	else
		ret = elf_load(&files->kernel, gm, false, &img, why);
	if (ret)
		return ret;
	if (img.entry < img.low || img.entry >= img.high || img.entry >= GMEM_LOW_END)
		return fail(why, OVID_X_USAGE, "%s is damaged: its entry point is outside of it",
			    files->kernel.name);
	ret = put_modules(files, gm, img.high, why);
	if (ret)
		return ret;
	put_info(files, gm);
	*state = (struct boot_state){
		.rip = img.entry, .rax = LOADER_MAGIC, .rbx = LOAD_INFO,
	};
	return 0;
}
