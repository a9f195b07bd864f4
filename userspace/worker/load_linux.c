// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_linux.c - bzImages, by the 64-bit boot protocol (Linux:
 * Documentation/arch/x86/boot.rst): VP 0 starts in long mode, on identity page
 * tables, with RSI at the zero page.
 */
#include "load.h"

/* setup header; the same offsets in the file and in the zero page */
#define SETUP_SECTS	0x1f1
#define SYSSIZE		0x1f4
#define BOOT_FLAG	0x1fe
#define JUMP_OFFSET	0x201
#define HEADER_MAGIC	0x202
#define VERSION		0x206
#define LOADER_TYPE	0x210
#define RAMDISK_IMAGE	0x218
#define RAMDISK_SIZE	0x21c
#define CMDLINE_PTR	0x228
#define INITRD_MAX	0x22c
#define ALIGNMENT	0x230
#define RELOCATABLE	0x234
#define XLOADFLAGS	0x236
#define CMDLINE_SIZE	0x238
#define PREF_ADDRESS	0x258
#define INIT_SIZE	0x260
#define HEADER_END	0x290

/* the zero page only */
#define ZP_RSDP		0x070
#define ZP_E820_COUNT	0x1e8
#define ZP_E820		0x2d0

#define XLF_64BIT	0x01
#define VERSION_2_12	0x20c
#define ENTRY_64	0x200
#define LOADER_OTHER	0xff

struct linux_plan {
	u64 offset, bytes;	/* protected-mode part in the file */
	u64 load, end;		/* where it and its working room go */
};

static u32 get16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static u32 get32(const u8 *p)
{
	return get16(p) | get16(p + 2) << 16;
}

static u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

static void put32(u8 *p, u32 value)
{
	memcpy(p, &value, sizeof(value));
}

static void put64(u8 *p, u64 value)
{
	memcpy(p, &value, sizeof(value));
}

bool linux_is_kernel(const u8 *head, size_t len)
{
	return len >= HEADER_END && get16(head + BOOT_FLAG) == 0xaa55 &&
	       !memcmp(head + HEADER_MAGIC, "HdrS", 4);
}

static bool fits(const struct gmem *gm, u64 load, u64 room)
{
	return load >= BIT(20) && load < gmem_low_end(gm) &&
	       room <= gmem_low_end(gm) - load;
}

/* The preferred address, or the lowest that the alignment allows. */
static int plan_address(const struct boot_files *files, const u8 *head,
			const struct gmem *gm, struct linux_plan *plan, struct failure *why)
{
	u64 align = get32(head + ALIGNMENT);
	u64 room = get32(head + INIT_SIZE);

	if (room < plan->bytes)
		room = plan->bytes;
	plan->load = get64(head + PREF_ADDRESS);
	if (!fits(gm, plan->load, room) && head[RELOCATABLE] && align &&
	    !(align & (align - 1)))
		plan->load = ALIGN_UP(BIT(20), align);
	if (!fits(gm, plan->load, room))
		return fail(why, OVID_X_USAGE,
			    "%s needs %llu MiB of memory to unpack itself; give more --memory",
			    files->kernel.name, (unsigned long long)(room >> 20) + 2);
	plan->end = plan->load + room;
	return 0;
}

static int plan_kernel(const struct boot_files *files, const u8 *head,
		       const struct gmem *gm, struct linux_plan *plan, struct failure *why)
{
	const struct image *img = &files->kernel;
	u64 sects = head[SETUP_SECTS] ? head[SETUP_SECTS] : 4;
	u64 syssize = get32(head + SYSSIZE) * 16ull;

	if (get16(head + VERSION) < VERSION_2_12 ||
	    !(get32(head + XLOADFLAGS) & XLF_64BIT))
		return fail(why, OVID_X_USAGE,
			    "%s has no 64-bit entry point; take an x86-64 kernel of Linux 3.8 or newer",
			    img->name);
	plan->offset = (sects + 1) * 512;
	if (plan->offset + ENTRY_64 >= img->size)
		return fail(why, OVID_X_USAGE, "%s is cut short: it has a header and no kernel",
			    img->name);
	plan->bytes = img->size - plan->offset;
	if (syssize && syssize > plan->bytes + 15)
		return fail(why, OVID_X_USAGE, "%s is cut short: %llu of %llu bytes are there",
			    img->name, (unsigned long long)plan->bytes,
			    (unsigned long long)syssize);
	return plan_address(files, head, gm, plan, why);
}

/* One after the other, as the kernel unpacks concatenated archives; 4-aligned. */
static u64 initrd_bytes(const struct boot_files *files)
{
	u64 total = 0;

	for (unsigned int i = 0; i < files->nr_modules; i++) {
		if (files->module[i].size > BIT(40))
			return ~0ull;
		total = ALIGN_UP(total, 4) + files->module[i].size;
	}
	return total;
}

static int load_initrd(const struct boot_files *files, const u8 *head,
		       const struct gmem *gm, const struct linux_plan *plan, u8 *zp,
		       struct failure *why)
{
	u64 bytes = initrd_bytes(files), at = 0;
	u64 top = min_u64(gmem_low_end(gm), (u64)get32(head + INITRD_MAX) + 1);
	u64 start;

	if (!bytes)
		return 0;
	if (top < plan->end || bytes > top - plan->end)
		return fail(why, OVID_X_USAGE,
			    "the initrd (%llu KiB) does not fit into memory beside the kernel; give more --memory",
			    (unsigned long long)bytes >> 10);
	start = ALIGN_DOWN(top - bytes, 4096);
	if (start < plan->end)
		start = top - bytes;
	for (unsigned int i = 0; i < files->nr_modules; i++) {
		int ret;

		at = ALIGN_UP(at, 4);
		ret = image_load(&files->module[i], 0, files->module[i].size, gm,
				 start + at, why);
		if (ret)
			return ret;
		at += files->module[i].size;
	}
	put32(zp + RAMDISK_IMAGE, start);
	put32(zp + RAMDISK_SIZE, bytes);
	return 0;
}

static int put_cmdline(const struct boot_files *files, const u8 *head,
		       const struct gmem *gm, u8 *zp, struct failure *why)
{
	size_t len = strlen(files->cmdline), limit = get32(head + CMDLINE_SIZE);

	if (len > limit)
		return fail(why, OVID_X_USAGE,
			    "--append is %zu characters long; this kernel takes %zu", len, limit);
	put32(zp + CMDLINE_PTR, LOAD_CMDLINE);
	return gmem_write(gm, LOAD_CMDLINE, files->cmdline, len + 1);
}

/* One to one for the first 4 GiB, in 2 MiB pages: PML4, PDPT, four directories. */
static void put_page_tables(const struct gmem *gm)
{
	u64 *table = gmem_at(gm, LOAD_PAGE_TABLES, 6 * 4096);
	const u64 present_write = 3, large = BIT(7);

	memset(table, 0, 6 * 4096);
	table[0] = (LOAD_PAGE_TABLES + 0x1000) | present_write;
	for (u64 i = 0; i < 4; i++)
		table[512 + i] = (LOAD_PAGE_TABLES + 0x2000 + i * 0x1000) | present_write;
	for (u64 i = 0; i < 2048; i++)
		table[1024 + i] = i << 21 | present_write | large;
}

static void put_zero_page(const u8 *head, const struct gmem *gm, u8 *zp)
{
	size_t end = HEADER_MAGIC + head[JUMP_OFFSET];
	struct e820_entry map[E820_MAX];
	unsigned int n = memmap_build(gm, map);

	if (end > HEADER_END)
		end = HEADER_END;
	memcpy(zp + SETUP_SECTS, head + SETUP_SECTS, end - SETUP_SECTS);
	zp[LOADER_TYPE] = LOADER_OTHER;
	zp[ZP_E820_COUNT] = n;
	memcpy(zp + ZP_E820, map, n * sizeof(*map));
	put64(zp + ZP_RSDP, LOAD_ACPI);
}

int linux_load(const struct boot_files *files, const u8 *head, size_t len,
	       const struct gmem *gm, struct boot_state *state, struct failure *why)
{
	struct linux_plan plan;
	u8 zp[4096] = { 0 };
	int ret;

	(void)len;	/* linux_is_kernel() saw all of the header */
	ret = plan_kernel(files, head, gm, &plan, why);
	if (ret)
		return ret;
	put_zero_page(head, gm, zp);
	ret = image_load(&files->kernel, plan.offset, plan.bytes, gm, plan.load, why);
	if (!ret)
		ret = load_initrd(files, head, gm, &plan, zp, why);
	if (!ret)
		ret = put_cmdline(files, head, gm, zp, why);
	if (ret)
		return ret;
	put_page_tables(gm);
	gmem_write(gm, LOAD_INFO, zp, sizeof(zp));
	*state = (struct boot_state){
		.long_mode = true, .rip = plan.load + ENTRY_64, .rsi = LOAD_INFO,
		.cr3 = LOAD_PAGE_TABLES,
	};
	return 0;
}
