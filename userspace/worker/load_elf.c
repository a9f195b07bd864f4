// SPDX-License-Identifier: GPL-2.0-only
/* load_elf.c - x86 ELF executables, 32 and 64 bits, by physical addresses. */
#include <elf.h>
#include <stdlib.h>

#include "load.h"

#define MAX_SEGMENTS	64
#define MAX_NOTES	65536
#define NOTE_XEN_PHYS32_ENTRY 18

struct segment {
	u32 type;
	u64 offset, filesz, memsz, paddr;
};

struct headers {
	u64 entry;
	unsigned int nr;
	struct segment seg[MAX_SEGMENTS];
};

bool elf_is_elf(const u8 *head, size_t len)
{
	return len >= sizeof(Elf32_Ehdr) && !memcmp(head, ELFMAG, SELFMAG);
}

static int read_segments64(const struct image *img, struct headers *h, struct failure *why)
{
	Elf64_Ehdr eh;
	int ret = image_read(img, 0, &eh, sizeof(eh), why);

	if (ret)
		return ret;
	if (eh.e_machine != EM_X86_64 || eh.e_phentsize != sizeof(Elf64_Phdr) ||
	    eh.e_phnum > MAX_SEGMENTS)
		return fail(why, OVID_X_USAGE, "%s is no x86 ELF kernel", img->name);
	h->entry = eh.e_entry;
	for (h->nr = 0; h->nr < eh.e_phnum; h->nr++) {
		u64 offset = eh.e_phoff + h->nr * sizeof(Elf64_Phdr);
		Elf64_Phdr ph;

		ret = image_read(img, offset, &ph, sizeof(ph), why);
		if (ret)
			return ret;
		h->seg[h->nr] = (struct segment){
			ph.p_type, ph.p_offset, ph.p_filesz, ph.p_memsz, ph.p_paddr,
		};
	}
	return 0;
}

static int read_segments32(const struct image *img, struct headers *h, struct failure *why)
{
	Elf32_Ehdr eh;
	int ret = image_read(img, 0, &eh, sizeof(eh), why);

	if (ret)
		return ret;
	if ((eh.e_machine != EM_386 && eh.e_machine != EM_X86_64) ||
	    eh.e_phentsize != sizeof(Elf32_Phdr) || eh.e_phnum > MAX_SEGMENTS)
		return fail(why, OVID_X_USAGE, "%s is no x86 ELF kernel", img->name);
	h->entry = eh.e_entry;
	for (h->nr = 0; h->nr < eh.e_phnum; h->nr++) {
		u64 offset = (u64)eh.e_phoff + h->nr * sizeof(Elf32_Phdr);
		Elf32_Phdr ph;

		ret = image_read(img, offset, &ph, sizeof(ph), why);
		if (ret)
			return ret;
		h->seg[h->nr] = (struct segment){
			ph.p_type, ph.p_offset, ph.p_filesz, ph.p_memsz, ph.p_paddr,
		};
	}
	return 0;
}

static int read_headers(const struct image *img, struct headers *h, struct failure *why)
{
	u8 ident[EI_NIDENT];
	int ret = image_read(img, 0, ident, sizeof(ident), why);

	if (ret)
		return ret;
	if (ident[EI_DATA] != ELFDATA2LSB)
		return fail(why, OVID_X_USAGE, "%s is no x86 ELF kernel", img->name);
	if (ident[EI_CLASS] == ELFCLASS64)
		return read_segments64(img, h, why);
	if (ident[EI_CLASS] == ELFCLASS32)
		return read_segments32(img, h, why);
	return fail(why, OVID_X_USAGE, "%s is no x86 ELF kernel", img->name);
}

static int load_segment(const struct image *img, const struct segment *seg,
			const struct gmem *gm, struct elf_image *elf, struct failure *why)
{
	int ret;

	if (!seg->memsz)
		return 0;
	if (seg->filesz > seg->memsz)
		return fail(why, OVID_X_USAGE, "%s is damaged: a segment is larger than its memory",
			    img->name);
	ret = memmap_claim(gm, img->name, seg->paddr, seg->memsz, why);
	if (!ret)
		ret = image_load(img, seg->offset, seg->filesz, gm, seg->paddr, why);
	if (ret)
		return ret;
	if (seg->paddr < elf->low)
		elf->low = seg->paddr;
	if (seg->paddr + seg->memsz > elf->high)
		elf->high = seg->paddr + seg->memsz;
	return gmem_zero(gm, seg->paddr + seg->filesz, seg->memsz - seg->filesz);
}

/* Note records: header, name, descriptor, the last two padded to four bytes. */
static void find_pvh_entry(const u8 *notes, u64 len, struct elf_image *elf)
{
	u64 at = 0;

	while (len - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr nh;
		u64 name, desc;

		memcpy(&nh, notes + at, sizeof(nh));
		name = at + sizeof(nh);
		desc = name + ALIGN_UP(nh.n_namesz, 4);
		if (desc > len || nh.n_descsz > len - desc)
			return;
		if (nh.n_type == NOTE_XEN_PHYS32_ENTRY && nh.n_namesz == 4 &&
		    !memcmp(notes + name, "Xen", 4) && nh.n_descsz >= 4) {
			elf->pvh_entry = 0;
			memcpy(&elf->pvh_entry, notes + desc, nh.n_descsz >= 8 ? 8 : 4);
		}
		at = desc + ALIGN_UP(nh.n_descsz, 4);
		if (at > len)
			return;
	}
}

static int read_notes(const struct image *img, const struct segment *seg,
		      struct elf_image *elf, struct failure *why)
{
	u64 len = min_u64(seg->filesz, MAX_NOTES);
	u8 *notes;
	int ret;

	if (!len)
		return 0;
	notes = malloc(len);
	if (!notes)
		return fail(why, OVID_X_HOST, "out of memory");
	ret = image_read(img, seg->offset, notes, len, why);
	if (!ret)
		find_pvh_entry(notes, len, elf);
	free(notes);
	return ret;
}

int elf_load(const struct image *img, const struct gmem *gm, bool pvh, struct elf_image *elf,
	     struct failure *why)
{
	struct headers h = { 0 };
	int ret = read_headers(img, &h, why);

	*elf = (struct elf_image){ .entry = h.entry, .low = ~0ull };
	for (unsigned int i = 0; i < h.nr && !ret; i++)
		if (h.seg[i].type == PT_NOTE)
			ret = read_notes(img, &h.seg[i], elf, why);
	/* before its addresses: any program is an ELF file */
	if (!ret && pvh && !elf->pvh_entry)
		return fail(why, OVID_X_USAGE,
			    "%s is an ELF file with neither a PVH note (CONFIG_PVH) nor a Multiboot header",
			    img->name);
	for (unsigned int i = 0; i < h.nr && !ret; i++)
		if (h.seg[i].type == PT_LOAD)
			ret = load_segment(img, &h.seg[i], gm, elf, why);
	if (!ret && !elf->high)
		return fail(why, OVID_X_USAGE, "%s has nothing to load", img->name);
	return ret;
}
