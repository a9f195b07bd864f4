// SPDX-License-Identifier: GPL-2.0-only
/* uki.c - see uki.h; the format is Microsoft's "PE Format" */
#include <string.h>

#include "uki.h"

#define PE_OFFSET	0x3c
#define PE_HEADER	24	/* signature and COFF header */
#define PE_X64		0x8664
#define SECTION		40
#define MAX_SECTIONS	96

static u32 get16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static u32 get32(const u8 *p)
{
	return get16(p) | get16(p + 2) << 16;
}

/* the first one of each kind counts: others are of further profiles */
static bool take_section(const u8 *s, u64 size, struct uki *uki)
{
	const struct {
		const char *name;
		struct uki_part *part;
	} kinds[] = {
		{ ".linux", &uki->kernel }, { ".initrd", &uki->initrd }, { ".cmdline", &uki->cmdline },
	};
	u64 len = min_u64(get32(s + 8), get32(s + 16)), off = get32(s + 20);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strncmp((const char *)s, kinds[i].name, 8) || kinds[i].part->len)
			continue;
		if (off > size || len > size - off)
			return false;
		*kinds[i].part = (struct uki_part){ off, len };
	}
	return true;
}

bool uki_parse(const u8 *head, size_t len, u64 size, struct uki *uki)
{
	u64 pe, table;
	u32 sections;

	*uki = (struct uki){ 0 };
	if (len > size)
		len = size;
	if (len < PE_OFFSET + 4 || memcmp(head, "MZ", 2))
		return false;
	pe = get32(head + PE_OFFSET);
	if (pe > len || len - pe < PE_HEADER || memcmp(head + pe, "PE\0\0", 4) || get16(head + pe + 4) != PE_X64)
		return false;
	sections = get16(head + pe + 6);
	table = pe + PE_HEADER + get16(head + pe + 20);
	if (sections > MAX_SECTIONS || table > len || len - table < (u64)sections * SECTION)
		return false;
	for (u32 i = 0; i < sections; i++)
		if (!take_section(head + table + i * SECTION, size, uki))
			return false;
	return uki->kernel.len;
}
