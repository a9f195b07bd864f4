// SPDX-License-Identifier: GPL-2.0-only
/* load_memmap.c - which memory a guest may use, and an image may be loaded to. */
#include "load.h"

unsigned int memmap_build(const struct gmem *gm, struct e820_entry *map)
{
	u64 low = gmem_low_end(gm);
	unsigned int n = 0;

	map[n++] = (struct e820_entry){ 0, LOAD_EBDA, E820_RAM };
	map[n++] = (struct e820_entry){ LOAD_EBDA, 0xa0000 - LOAD_EBDA, E820_RESERVED };
	map[n++] = (struct e820_entry){
		LOAD_ACPI, LOAD_ACPI_END - LOAD_ACPI, E820_RESERVED,
	};
	map[n++] = (struct e820_entry){ BIT(20), low - BIT(20), E820_RAM };
	if (gm->nr > 1)
		map[n++] = (struct e820_entry){
			gm->region[1].gpa, gm->region[1].bytes, E820_RAM,
		};
	return n;
}

/* Memory that is neither the loader's own area nor firmware's. */
bool memmap_loadable(const struct gmem *gm, u64 gpa, u64 len)
{
	if (!gmem_at(gm, gpa, len))
		return false;
	if (gpa >= BIT(20))
		return true;
	return gpa >= LOAD_LOW && len <= LOAD_AREA && gpa <= LOAD_AREA - len;
}

int memmap_claim(const struct gmem *gm, const char *name, u64 gpa, u64 len, struct failure *why)
{
	if (memmap_loadable(gm, gpa, len))
		return 0;
	return fail(why, OVID_X_USAGE, "%s wants %llu KiB at %#llx, where no memory is free; %s",
		    name, (unsigned long long)len >> 10, (unsigned long long)gpa,
		    gpa < BIT(20) ? "link it to 1 MiB or above" : "give more --memory");
}
