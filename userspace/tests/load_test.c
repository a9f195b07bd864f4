// SPDX-License-Identifier: GPL-2.0-only
/* load_test.c - kernels good, odd and hostile.  Memory is exactly the guest's, so
 * that the sanitizer sees every step beside it.
 */
#include <elf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../worker/load.h"
#include "tap.h"

#define MEMORY	(32ull << 20)

static u8 *memory;
static struct gmem gm;
static struct boot_files files;
static struct boot_state state;
static struct failure why;

static void set_memory(u64 bytes)
{
	free(memory);
	memory = calloc(1, bytes);
	gmem_layout(&gm, bytes, memory);
}

static void set_image(struct image *img, const void *bytes, size_t len, const char *name)
{
	int fd = memfd_create(name, 0);

	if (img->fd > 0)
		close(img->fd);
	if (write(fd, bytes, len) != (ssize_t)len)
		abort();
	if (image_open(img, fd, name, &why))
		abort();
}

static int load(const void *kernel, size_t len)
{
	set_image(&files.kernel, kernel, len, "kernel");
	why.text[0] = 0;
	return load_boot(&files, &gm, &state, &why);
}

static void put16(u8 *p, u16 v)
{
	memcpy(p, &v, 2);
}

static void put32(u8 *p, u32 v)
{
	memcpy(p, &v, 4);
}

static void put64(u8 *p, u64 v)
{
	memcpy(p, &v, 8);
}

static u32 get32(u64 gpa)
{
	u32 v = 0;

	gmem_read(&gm, gpa, &v, 4);
	return v;
}

static u64 get64(u64 gpa)
{
	u64 v = 0;

	gmem_read(&gm, gpa, &v, 8);
	return v;
}

/* --- bzImage ----------------------------------------------------------------- */

#define BZ_LEN	(5 * 512 + 4096)
static u8 bz[BZ_LEN];

static void bz_good(void)
{
	memset(bz, 0, sizeof(bz));
	bz[0x1f1] = 4;
	put32(bz + 0x1f4, 4096 / 16);
	put16(bz + 0x1fe, 0xaa55);
	bz[0x201] = 0x66;
	memcpy(bz + 0x202, "HdrS", 4);
	put16(bz + 0x206, 0x20f);
	put32(bz + 0x22c, 0x7fffffff);
	put32(bz + 0x230, 0x200000);
	bz[0x234] = 1;
	put16(bz + 0x236, 1);
	put32(bz + 0x238, 2047);
	put64(bz + 0x258, 0x1000000);
	put32(bz + 0x260, 0x400000);
	memset(bz + 5 * 512, 0xcc, 4096);
}

static void test_linux(void)
{
	u8 ramdisk[5000];
	u64 zp;

	bz_good();
	strcpy(files.cmdline, "console=ttyS0");
	CHECK(!load(bz, BZ_LEN), "a bzImage");
	CHECK(state.long_mode && state.rip == 0x1000200 && state.rsi == LOAD_INFO,
	      "enters at 0x200 of it");
	zp = state.rsi;
	CHECK(memory[zp + 0x210] == 0xff && get32(zp + 0x228) == LOAD_CMDLINE, "zero page");
	CHECK(!strcmp((char *)memory + LOAD_CMDLINE, "console=ttyS0"), "command line");
	CHECK(get64(zp + 0x70) == LOAD_ACPI, "RSDP");
	CHECK(memory[zp + 0x1e8] == 4 && get64(zp + 0x2d0) == 0 &&
	      get64(zp + 0x2d0 + 60) == 1 << 20 &&
	      get64(zp + 0x2d0 + 68) == MEMORY - (1 << 20), "memory map");
	CHECK(get32(0x1000000) == 0xcccccccc && get32(0x1000000 + 4096) == 0, "the kernel");
	CHECK(get64(LOAD_PAGE_TABLES) == LOAD_PAGE_TABLES + 0x1003 &&
	      get64(LOAD_PAGE_TABLES + 0x2000 + 8) == 0x200083, "page tables");
	memset(ramdisk, 0x5a, sizeof(ramdisk));
	set_image(&files.module[0], ramdisk, 4999, "a");
	set_image(&files.module[1], ramdisk, 5000, "b");
	files.nr_modules = 2;
	CHECK(!load(bz, BZ_LEN), "with two archives");
	CHECK(get32(zp + 0x21c) == 10000 && get32(zp + 0x218) + 10000 <= MEMORY &&
	      get32(zp + 0x218) >= 0x1400000, "one behind the other, at the top");
	CHECK(get32(get32(zp + 0x218)) == 0x5a5a5a5a &&
	      memory[get32(zp + 0x218) + 4999] == 0, "aligned to four bytes");
	files.nr_modules = 0;
}

static void test_linux_limits(void)
{
	u8 *big = calloc(1, 13 << 20);

	bz_good();
	set_image(&files.module[0], big, 13 << 20, "big");
	files.nr_modules = 1;
	CHECK(load(bz, BZ_LEN) == -OVID_X_USAGE && strstr(why.text, "initrd"),
	      "an initrd larger than memory");
	put32(bz + 0x22c, 0x100000);
	CHECK(load(bz, BZ_LEN) == -OVID_X_USAGE, "an initrd limit below the kernel");
	files.nr_modules = 0;
	free(big);
	bz_good();
	memset(files.cmdline, 'x', 2048);
	files.cmdline[2048] = 0;
	CHECK(load(bz, BZ_LEN) == -OVID_X_USAGE && strstr(why.text, "append"),
	      "a command line longer than the kernel's limit");
	files.cmdline[0] = 0;
	put64(bz + 0x258, 0x100000000);
	CHECK(!load(bz, BZ_LEN) && state.rip == 0x200200,
	      "preferred address out of reach: the lowest aligned one");
	bz[0x234] = 0;
	CHECK(load(bz, BZ_LEN) == -OVID_X_USAGE, "unless it cannot move");
	bz_good();
	set_memory(4 << 20);
	CHECK(load(bz, BZ_LEN) == -OVID_X_USAGE && strstr(why.text, "memory"),
	      "too little memory for it");
	set_memory(MEMORY);
}

static void test_linux_hostile(void)
{
	unsigned int seed = 11, good = 0;

	bz_good();
	put16(bz + 0x206, 0x20b);
	CHECK(load(bz, BZ_LEN) == -OVID_X_USAGE, "an old protocol");
	bz_good();
	put16(bz + 0x236, 0);
	CHECK(load(bz, BZ_LEN) == -OVID_X_USAGE, "a 32-bit kernel");
	bz_good();
	bz[0x1f1] = 255;
	CHECK(load(bz, BZ_LEN) == -OVID_X_USAGE, "setup longer than the file");
	bz_good();
	put32(bz + 0x1f4, 0xffffffff);
	CHECK(load(bz, BZ_LEN) == -OVID_X_USAGE, "a size longer than the file");
	bz_good();
	CHECK(load(bz, 0x290) == -OVID_X_USAGE && load(bz, 0x100) == -OVID_X_USAGE,
	      "a header alone, and less");
	for (int i = 0; i < 3000; i++) {
		bz_good();
		for (int k = 0; k < 4; k++) {
			seed = seed * 1103515245 + 12345;
			bz[0x1f1 + (seed >> 8) % 0x90] = seed >> 20;
		}
		good += !load(bz, BZ_LEN);
	}
	CHECK(good > 0, "random headers do no harm (%u load)", good);
}

/* --- ELF ----------------------------------------------------------------------- */

#define ELF_LEN	8192
static u8 elf[ELF_LEN];

static Elf64_Phdr *elf_good(void)
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)elf;
	Elf64_Phdr *ph = (Elf64_Phdr *)(elf + 64);
	Elf64_Nhdr *nh = (Elf64_Nhdr *)(elf + 0x200);

	memset(elf, 0, sizeof(elf));
	memcpy(eh->e_ident, ELFMAG, 4);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_machine = EM_X86_64;
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = 2;
	eh->e_phoff = 64;
	ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = 4096, .p_filesz = 4096,
			      .p_memsz = 16384, .p_paddr = 0x1000000 };
	ph[1] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 0x200, .p_filesz = 24 };
	*nh = (Elf64_Nhdr){ .n_namesz = 4, .n_descsz = 8, .n_type = 18 };
	memcpy(elf + 0x20c, "Xen", 4);
	put64(elf + 0x210, 0x1000100);
	memset(elf + 4096, 0xcc, 4096);
	return ph;
}

static void test_pvh(void)
{
	static const u8 ramdisk[100] = { 1, 2, 3 };
	u64 info, mod;

	elf_good();
	strcpy(files.cmdline, "hello");
	set_image(&files.module[0], ramdisk, 100, "/a/b/initrd.img");
	files.nr_modules = 1;
	CHECK(!load(elf, ELF_LEN), "an ELF kernel with a PVH note");
	CHECK(!state.long_mode && state.rip == 0x1000100, "enters where the note says");
	info = state.rbx;
	CHECK(get32(info) == 0x336ec578 && get32(info + 4) == 1, "start info");
	CHECK(!strcmp((char *)memory + get64(info + 24), "hello"), "command line");
	CHECK(get64(info + 32) == LOAD_ACPI && get32(info + 48) == 4, "RSDP, memory map");
	mod = get64(info + 16);
	CHECK(get64(mod) >= 0x1004000 && get64(mod + 8) == 100 &&
	      memory[get64(mod) + 2] == 3, "module behind the kernel");
	CHECK(!strcmp((char *)memory + get64(mod + 16), "initrd.img"), "module name");
	files.nr_modules = 0;
}

static void test_elf_hostile(void)
{
	unsigned int seed = 5, good = 0;
	Elf64_Phdr *ph = elf_good();

	ph[1].p_type = PT_NULL;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "no note");
	ph = elf_good();
	ph[0].p_paddr = ~0ull - 100;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "an address that wraps");
	ph = elf_good();
	ph[0].p_memsz = ~0ull;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "a size that wraps");
	ph = elf_good();
	ph[0].p_offset = ~0ull;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "an offset that wraps");
	ph = elf_good();
	ph[0].p_filesz = 20000;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "more file than memory");
	ph = elf_good();
	ph[0].p_paddr = 0x1000;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "over the loader's own area");
	ph = elf_good();
	ph[0].p_paddr = LOAD_ACPI;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "over the ACPI tables");
	elf_good();
	((Elf64_Ehdr *)elf)->e_phoff = ~0ull - 8;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "headers out of the file");
	elf_good();
	put64(elf + 0x210, 0x2000);
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "an entry outside of it");
	elf_good();
	put32(elf + 0x200, 0xffffffff);
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "a note name that wraps");
	elf_good();
	put32(elf + 0x204, 0xfffffffe);
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "a note that wraps");
	for (int i = 0; i < 3000; i++) {
		elf_good();
		for (int k = 0; k < 3; k++) {
			seed = seed * 1103515245 + 12345;
			elf[16 + (seed >> 8) % 0x210] = seed >> 20;
		}
		good += !load(elf, ELF_LEN);
	}
	CHECK(good > 0, "random headers do no harm (%u load)", good);
}

/* --- Multiboot ------------------------------------------------------------------- */

static u8 mb[8192];

static void mb_good(u32 flags)
{
	u8 *h = mb + 0x40;

	memset(mb, 0xcc, sizeof(mb));
	put32(h, 0x1badb002);
	put32(h + 4, flags);
	put32(h + 8, -(0x1badb002 + flags));
	put32(h + 12, 0x400040);
	put32(h + 16, 0x400000);
	put32(h + 20, 0x402000);
	put32(h + 24, 0x403000);
	put32(h + 28, 0x400100);
}

static void test_multiboot(void)
{
	static const u8 module[10] = { 9 };
	u64 info, mod;

	mb_good(0x10003);
	strcpy(files.cmdline, "x=1");
	set_image(&files.module[0], module, 10, "env");
	files.nr_modules = 1;
	CHECK(!load(mb, sizeof(mb)), "Multiboot by addresses");
	CHECK(state.rip == 0x400100 && state.rax == 0x2badb002, "entry and magic");
	info = state.rbx;
	CHECK(get32(info) == 0x24d, "flags");
	CHECK(!strcmp((char *)memory + get32(info + 16), "kernel x=1"), "command line");
	CHECK(get32(info + 8) == (MEMORY - (1 << 20)) >> 10, "upper memory");
	mod = get32(info + 24);
	CHECK(get32(info + 20) == 1 && get32(mod) == 0x403000 && get32(mod + 4) == 0x40300a &&
	      memory[0x403000] == 9, "module on a page behind bss");
	CHECK(get32(get32(info + 48)) == 20, "memory map");
	CHECK(get32(0x400200) == 0xcccccccc && get32(0x402000) == 0, "text and bss");
	files.nr_modules = 0;
	elf_good();
	put32(elf + 0x400, 0x1badb002);
	put32(elf + 0x408, -0x1badb002);
	((Elf64_Ehdr *)elf)->e_entry = 0x1000000;
	CHECK(!load(elf, ELF_LEN) && state.rax == 0x2badb002 && state.rip == 0x1000000,
	      "Multiboot by ELF");
	((Elf64_Ehdr *)elf)->e_entry = 0x8000;
	((Elf64_Phdr *)(elf + 64))->p_paddr = 0x8000;
	CHECK(!load(elf, ELF_LEN) && state.rip == 0x8000 && get32(0x8000) == 0xcccccccc,
	      "at the bottom of memory, for real mode");
	((Elf64_Phdr *)(elf + 64))->p_paddr = 0xfff;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "not on the first page");
	((Elf64_Phdr *)(elf + 64))->p_paddr = LOAD_AREA - 16384 + 1;
	CHECK(load(elf, ELF_LEN) == -OVID_X_USAGE, "nor over what the loader puts there");
}

static void test_multiboot_hostile(void)
{
	unsigned int seed = 23, good = 0;

	mb_good(0x10008);
	CHECK(load(mb, sizeof(mb)) == -OVID_X_USAGE, "a feature that we have not");
	mb_good(0x10003);
	put32(mb + 0x40 + 16, 0x400041);
	CHECK(load(mb, sizeof(mb)) == -OVID_X_USAGE, "load address behind the header");
	mb_good(0x10003);
	put32(mb + 0x40 + 16, 0);
	CHECK(load(mb, sizeof(mb)) == -OVID_X_USAGE, "load address before the file");
	mb_good(0x10003);
	put32(mb + 0x40 + 20, 0x3fffff);
	CHECK(load(mb, sizeof(mb)) == -OVID_X_USAGE, "an end before the start");
	mb_good(0x10003);
	put32(mb + 0x40 + 24, 0xffffffff);
	CHECK(load(mb, sizeof(mb)) == -OVID_X_USAGE, "bss over everything");
	mb_good(0x10003);
	put32(mb + 0x40 + 28, 0x100);
	CHECK(load(mb, sizeof(mb)) == -OVID_X_USAGE, "an entry outside of it");
	for (int i = 0; i < 3000; i++) {
		mb_good(0x10003);
		for (int k = 0; k < 3; k++) {
			seed = seed * 1103515245 + 12345;
			mb[0x4c + (seed >> 8) % 20] = seed >> 20;
		}
		good += !load(mb, sizeof(mb));
	}
	CHECK(good > 0, "random addresses do no harm (%u load)", good);
}

static void test_others(void)
{
	u8 junk[10000];
	unsigned int seed = 1;

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (seed = seed * 1103515245 + 12345) >> 16;
	CHECK(load(junk, sizeof(junk)) == -OVID_X_USAGE && strstr(why.text, "no kernel"),
	      "junk is no kernel");
	CHECK(load("x", 1) == -OVID_X_USAGE, "nor is one byte");
	CHECK(load("\177ELF", 4) == -OVID_X_USAGE, "nor four");
}

static void test_high_memory(void)
{
	struct e820_entry map[E820_MAX];

	gmem_layout(&gm, 4ull << 30, NULL);
	CHECK(memmap_build(&gm, map) == 5 && map[4].start == 1ull << 32 &&
	      map[4].bytes == 1ull << 30 && map[3].bytes == GMEM_LOW_END - (1 << 20),
	      "memory above 3 GiB goes above 4 GiB");
	CHECK(!gmem_at(&gm, GMEM_LOW_END - 1, 2), "nothing spans the hole");
	CHECK(!gmem_at(&gm, GMEM_LOW_END, 1) && !gmem_at(&gm, 5ull << 30, 1) &&
	      !gmem_at(&gm, ~0ull, 1) && !gmem_at(&gm, 0, ~0ull), "nor is there any in it");
	gmem_layout(&gm, MEMORY, memory);
}

int main(void)
{
	set_memory(MEMORY);
	test_linux();
	test_linux_limits();
	test_linux_hostile();
	test_pvh();
	test_elf_hostile();
	test_multiboot();
	test_multiboot_hostile();
	test_others();
	test_high_memory();
	free(memory);
	return tap_done();
}
