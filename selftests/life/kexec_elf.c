// SPDX-License-Identifier: GPL-2.0-only
/*
 * kexec-elf - what the tests need of kexec-tools, without a checksum, which would
 * take most of the time in an emulator.
 *
 *	kexec-elf -p|-l VMLINUX INITRD CMDLINE	load it for a crash, or for -e
 *	kexec-elf -e				go there
 *
 * The kernel is entered at its 64-bit entry point (Documentation/arch/x86/boot.rst)
 * by a few instructions that give it its boot_params.
 */
#include <asm/bootparam.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE		4096ull
#define KERNEL_ALIGN	(2ull << 20)
#define MAX_RANGES	16
#define LOAD_AT		(128ull << 20)	/* if there is no crash region to use */
#define LOAD_BYTES	(192ull << 20)

struct range {
	uint64_t start, end;	/* end: first byte behind */
};

/* one segment of the image, in the order of addresses */
static struct {
	struct boot_params params;
	struct {
		uint8_t code[64];
		char cmdline[PAGE - 64];
	} start;
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr part[2 * MAX_RANGES];
	} core;
} tail __attribute__((aligned(4096)));

static struct kexec_segment segments[8];
static unsigned int nr_segments;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	*len = st.st_size;
	return p;
}

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE - 1) & ~(PAGE - 1);
}

static void segment(const void *from, uint64_t bytes, uint64_t to, uint64_t room)
{
	segments[nr_segments++] = (struct kexec_segment){
		.buf = from, .bufsz = bytes, .mem = (void *)to, .memsz = page_up(room),
	};
}

/* what /proc/iomem calls @name, nested entries only if that is wanted */
static unsigned int iomem(const char *name, bool nested, struct range *r)
{
	FILE *f = fopen("/proc/iomem", "r");
	unsigned long long start, end;
	unsigned int n = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f) && n < MAX_RANGES) {
		if ((line[0] == ' ' && !nested) || !strstr(line, name) ||
		    sscanf(line, "%llx-%llx", &start, &end) != 2)
			continue;
		r[n++] = (struct range){ start, end + 1 };
	}
	fclose(f);
	return n;
}

static void note(const char *path_at, const char *path_size)
{
	Elf64_Phdr *p = &tail.core.part[tail.core.head.e_phnum];
	unsigned long long at, size = 4096;
	FILE *f = fopen(path_at, "r");
	int n = f ? fscanf(f, "%llx %llx", &at, &size) : 0;

	if (f)
		fclose(f);
	if (n < 1)
		return;
	f = path_size ? fopen(path_size, "r") : NULL;
	if (f && fscanf(f, "%llu", &size) != 1)
		die(path_size);
	if (f)
		fclose(f);
	*p = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = at, .p_paddr = at,
			   .p_filesz = size, .p_memsz = size };
	tail.core.head.e_phnum++;
}

static void load(uint64_t start, uint64_t end)
{
	Elf64_Phdr *p = &tail.core.part[tail.core.head.e_phnum];

	if (start >= end)
		return;
	*p = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = 7, .p_offset = start, .p_paddr = start,
			   .p_filesz = end - start, .p_memsz = end - start };
	tail.core.head.e_phnum++;
}

/* the memory of this kernel, as the next one finds it in /proc/vmcore */
static void core(const struct range *ram, unsigned int n, const struct range *crash)
{
	char at[80], size[80];

	tail.core.head = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
	};
	for (int cpu = 0; cpu < 2; cpu++) {
		snprintf(at, sizeof(at), "/sys/devices/system/cpu/cpu%d/crash_notes", cpu);
		snprintf(size, sizeof(size), "/sys/devices/system/cpu/cpu%d/crash_notes_size", cpu);
		note(at, size);
	}
	note("/sys/kernel/vmcoreinfo", NULL);
	for (unsigned int i = 0; i < n; i++) {
		bool here = crash->start >= ram[i].start && crash->end <= ram[i].end;

		load(ram[i].start, here ? crash->start : ram[i].end);
		if (here)
			load(crash->end, ram[i].end);
	}
}

static void usable(uint64_t start, uint64_t end)
{
	struct boot_params *b = &tail.params;

	b->e820_table[b->e820_entries++] = (struct boot_e820_entry){ start, end - start, 1 };
}

/* puts the kernel's parts at @base and up; returns its entry point */
static uint64_t kernel(const char *path, uint64_t base)
{
	size_t len;
	const uint8_t *elf = file(path, &len);
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)elf;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(elf + e->e_phoff);
	uint64_t first = 0;

	for (int i = 0; i < e->e_phnum; i++) {
		if (p[i].p_type != PT_LOAD || !p[i].p_memsz)
			continue;
		if (!nr_segments)
			first = p[i].p_paddr;
		segment(elf + p[i].p_offset, p[i].p_filesz, base + p[i].p_paddr - first, p[i].p_memsz);
	}
	return base + e->e_entry - first;
}

/* mov $params, %rsi; mov $entry, %rax; jmp *%rax */
static void enter(uint64_t params, uint64_t entry)
{
	uint8_t *c = tail.start.code;

	memcpy(c, "\x48\xbe", 2);
	memcpy(c + 2, &params, 8);
	memcpy(c + 10, "\x48\xb8", 2);
	memcpy(c + 12, &entry, 8);
	memcpy(c + 20, "\xff\xe0", 2);
}

static void prepare(bool crash, char **argv)
{
	struct range ram[MAX_RANGES], at = { LOAD_AT, LOAD_AT + LOAD_BYTES };
	unsigned int n = iomem("System RAM", false, ram);
	struct setup_header *h = &tail.params.hdr;
	uint64_t tail_at, initrd_at;
	size_t initrd_len;
	void *initrd = file(argv[1], &initrd_len);

	if (crash && iomem("Crash kernel", true, &at) != 1) {
		fprintf(stderr, "kexec-elf: no crashkernel=\n");
		exit(1);
	}
	tail_at = (at.end & ~(PAGE - 1)) - page_up(sizeof(tail));
	initrd_at = tail_at - page_up(initrd_len);
	enter(tail_at, kernel(argv[0], (at.start + KERNEL_ALIGN - 1) & ~(KERNEL_ALIGN - 1)));
	segment(initrd, initrd_len, initrd_at, initrd_len);
	segment(&tail, sizeof(tail), tail_at, sizeof(tail));

	snprintf(tail.start.cmdline, sizeof(tail.start.cmdline), "%s", argv[2]);
	if (crash) {
		core(ram, n, &at);
		snprintf(tail.start.cmdline, sizeof(tail.start.cmdline), "elfcorehdr=%#llx %s",
			 (unsigned long long)tail_at + ((char *)&tail.core - (char *)&tail), argv[2]);
		usable(PAGE, 0x9f000);
		usable(at.start, tail_at + ((char *)&tail.core - (char *)&tail));
	} else {
		for (unsigned int i = 0; i < n; i++)
			usable(ram[i].start, ram[i].end);
	}
	h->boot_flag = 0xaa55;
	h->header = 0x53726448;
	h->version = 0x20f;
	h->type_of_loader = 0xff;
	h->ramdisk_image = initrd_at;
	h->ramdisk_size = initrd_len;
	h->cmd_line_ptr = tail_at + ((char *)tail.start.cmdline - (char *)&tail);
	h->cmdline_size = sizeof(tail.start.cmdline);
	if (syscall(SYS_kexec_load, tail_at + ((char *)tail.start.code - (char *)&tail), nr_segments,
		    segments, crash ? KEXEC_ON_CRASH : 0))
		die("kexec-elf: kexec_load");
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "-e")) {
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
		perror("kexec-elf: reboot");
		return 1;
	}
	if (argc != 5)
		return 2;
	prepare(!strcmp(argv[1], "-p"), argv + 2);
	return 0;
}
