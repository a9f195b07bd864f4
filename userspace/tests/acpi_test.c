// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "../worker/acpi.h"
#include "../worker/load.h"
#include "tap.h"

static u8 *memory;
static struct gmem gm;

static u64 get(u64 gpa, unsigned int bytes)
{
	u64 v = 0;

	gmem_read(&gm, gpa, &v, bytes);
	return v;
}

static bool sum_ok(u64 gpa, u64 len)
{
	const u8 *p = gmem_at(&gm, gpa, len);
	u8 sum = 0;

	while (p && len--)
		sum += *p++;
	return p && !sum;
}

static bool is(u64 gpa, const char *signature)
{
	return !memcmp(gmem_at(&gm, gpa, 4), signature, 4) && sum_ok(gpa, get(gpa + 4, 4));
}

static u64 table(const char *signature)
{
	u64 xsdt = get(LOAD_ACPI + 24, 8);

	for (u64 at = xsdt + 36; at < xsdt + get(xsdt + 4, 4); at += 8)
		if (is(get(at, 8), signature))
			return get(at, 8);
	return 0;
}

static unsigned int count_entries(u64 madt, u8 type)
{
	u64 end = madt + get(madt + 4, 4);
	unsigned int n = 0;

	for (u64 at = madt + 44; at < end && get(at + 1, 1); at += get(at + 1, 1))
		n += get(at, 1) == type;
	return n;
}

static void test_tables(unsigned int vps, bool vmbus)
{
	struct failure why;
	u64 fadt, madt;

	memset(memory, 0, 4 << 20);
	CHECK(!acpi_build(&gm, vps, vmbus, &why), "%u VPs", vps);
	CHECK(!memcmp(memory + LOAD_ACPI, "RSD PTR ", 8) && sum_ok(LOAD_ACPI, 20) &&
	      sum_ok(LOAD_ACPI, 36), "RSDP");
	CHECK(is(get(LOAD_ACPI + 24, 8), "XSDT"), "XSDT");
	fadt = table("FACP");
	madt = table("APIC");
	CHECK(fadt && madt, "FADT and MADT");
	CHECK(is(get(fadt + 140, 8), "DSDT"), "DSDT by its 64-bit address");
	CHECK(get(fadt + 112, 4) & 1 << 20, "hardware-reduced");
	CHECK(get(fadt + 116 + 4, 8) == 0x602 && get(fadt + 128, 1) == 1, "reset register");
	CHECK(get(fadt + 244 + 4, 8) == 0x600 && get(fadt + 256 + 4, 8) == 0x601,
	      "sleep registers");
	CHECK(count_entries(madt, 0) + count_entries(madt, 9) == vps, "a LAPIC each");
	CHECK(count_entries(madt, 9) == (vps > 255 ? vps - 255 : 0), "x2APIC from 255 on");
	CHECK(count_entries(madt, 1) == 1, "one I/O APIC");
	CHECK(!table("SSDT") == !vmbus, "a VMBus device where there is a bus");
	CHECK(memory[0xffff0] == 0xba && get(0xffff1, 2) == 0x602 && memory[0xffff5] == 0xee,
	      "code at the reset vector");
}

int main(int argc, char **argv)
{
	struct failure why;

	memory = calloc(1, 4 << 20);
	gmem_layout(&gm, 4 << 20, memory);
	if (argc > 1) {		/* for `iasl -d`: the whole area to a file */
		FILE *f = fopen(argv[1], "we");

		acpi_build(&gm, 4, true, &why);
		fwrite(memory + LOAD_ACPI, 1, LOAD_ACPI_END - LOAD_ACPI, f);
		return fclose(f);
	}
	test_tables(1, false);
	test_tables(64, true);
	test_tables(1024, true);
	CHECK(acpi_build(&gm, 100000, false, &why) == -OVID_X_USAGE, "too many VPs are refused");
	free(memory);
	return tap_done();
}
