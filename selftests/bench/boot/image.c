// SPDX-License-Identifier: GPL-2.0-only
/*
 * image.c - boot-image: the bare machine's RAM image for a kernel, an initrd and
 * a command line, as ovid's own loader lays them out.
 *
 *	boot-image KERNEL INITRD CMDLINE MEMORY-MIB BARE-CODE >ram.img
 *
 * The worker's loader and its ACPI tables are linked in, so that memory at the
 * entry is the same bytes as in a partition.  The format is that of the test
 * host's option ROM (selftests/host/run, ram_image).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../userspace/worker/acpi.h"
#include "../../../userspace/worker/load.h"
#include "image.h"

_Static_assert(LOW_START == LOAD_AREA && LOW_START + LOW_BYTES == LOAD_AREA_END, "low memory");
_Static_assert(FIRMWARE_START == LOAD_ACPI && FIRMWARE_START + FIRMWARE_BYTES == LOAD_ACPI_END, "ACPI");
_Static_assert(SEL_CODE == LOAD_SEL_CODE && SEL_DATA == LOAD_SEL_DATA, "selectors");

#define PADDING		(32 * 0x20000)	/* see pvhrom.S */
#define HEADER		4096

static void die(const char *what)
{
	fprintf(stderr, "boot-image: %s\n", what);
	exit(1);
}

static void open_image(struct image *img, const char *path)
{
	struct failure why = { 0 };

	if (image_open(img, open(path, O_RDONLY), path, &why))
		die(why.text);
}

static void put(const void *bytes, size_t n)
{
	if (fwrite(bytes, 1, n, stdout) != n)
		die("cannot write");
}

static void put_zeros(size_t n)
{
	while (n--)
		putchar(0);
}

/* the pages above 1 MiB that hold something: first and end */
static void extent(const struct gmem *gm, u64 *from, u64 *to)
{
	static const u8 zeros[4096];

	*from = *to = 0;
	for (u64 at = BIT(20); at < gmem_low_end(gm); at += sizeof(zeros)) {
		if (!memcmp(gmem_at(gm, at, sizeof(zeros)), zeros, sizeof(zeros)))
			continue;
		if (!*from)
			*from = at;
		*to = at + sizeof(zeros);
	}
}

static void fill_tail(u8 *tail, const struct gmem *gm, const struct boot_state *state,
		      const char *code)
{
	const u32 ebx = state->rbx, eip = state->rip, gdt = LOAD_GDT;
	const u16 selector = LOAD_SEL_CODE, limit = LOAD_GDT_LIMIT;
	int fd = open(code, O_RDONLY);
	ssize_t n = read(fd, tail, AT_EBX + 1);

	if (n <= 0 || n > AT_EBX)
		die("no code for the bare machine, or too much");
	memcpy(tail + AT_EBX, &ebx, 4);
	memcpy(tail + AT_ENTRY, &eip, 4);
	memcpy(tail + AT_ENTRY + 4, &selector, 2);
	memcpy(tail + AT_GDTR, &limit, 2);
	memcpy(tail + AT_GDTR + 2, &gdt, 4);
	gmem_read(gm, LOW_START, tail + AT_LOW, LOW_BYTES);
	gmem_read(gm, FIRMWARE_START, tail + AT_FIRMWARE, FIRMWARE_BYTES);
}

int main(int argc, char **argv)
{
	static struct boot_files files;
	static u8 tail[TAIL_BYTES];
	struct boot_state state;
	struct failure why = { 0 };
	struct gmem gm;
	u64 bytes, from, to;

	if (argc != 6) {
		fprintf(stderr, "usage: boot-image KERNEL INITRD CMDLINE MEMORY-MIB BARE-CODE >ram.img\n");
		return 2;
	}
	bytes = strtoull(argv[4], NULL, 10) << 20;
	open_image(&files.kernel, argv[1]);
	open_image(&files.module[0], argv[2]);
	files.nr_modules = 1;
	snprintf(files.cmdline, sizeof(files.cmdline), "%s", argv[3]);
	gmem_layout(&gm, bytes, mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	if (load_boot(&files, &gm, &state, &why) || acpi_build(&gm, 1, false, &why))
		die(why.text);
	if (state.long_mode)
		die("the bare machine is entered in 32-bit mode only");
	extent(&gm, &from, &to);
	fill_tail(tail, &gm, &state, argv[5]);

	put_zeros(PADDING);
	/* kernel: offset, length, address, entry; end; no initramfs of the ROM's */
	put("THIMAGE1", 8);
	put((const u32[]){ HEADER, to - from + TAIL_BYTES, from, to,
			   HEADER + to - from + TAIL_BYTES, 0, 0 }, 28);
	put_zeros(HEADER - 36);
	put(gmem_at(&gm, from, to - from), to - from);
	put(tail, sizeof(tail));
	return fflush(stdout) ? 1 : 0;
}
