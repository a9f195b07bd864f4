// SPDX-License-Identifier: GPL-2.0-only
#include "../worker/bus.h"
#include "../worker/dev/cmos.h"
#include "../worker/dev/fwcfg.h"
#include "../worker/dev/pci.h"
#include "../worker/dev/power.h"
#include "../worker/dev/testdev.h"
#include <string.h>

#include "tap.h"

static u64 last_addr, last_value;
static unsigned int last_size, writes;

static u64 echo_read(void *dev, u64 addr, unsigned int size)
{
	(void)dev;
	(void)size;
	return addr & 0xff;
}

static void note_write(void *dev, u64 addr, u64 value, unsigned int size)
{
	(void)dev;
	last_addr = addr;
	last_value = value;
	last_size = size;
	writes++;
}

static void test_table(void)
{
	struct bus bus = { .nr = 0 };
	struct bus_range r = { .first = 0x20, .last = 0x21, .width = 1,
			       .read = echo_read, .write = note_write };

	CHECK(!bus_add(&bus, &r), "a range is added");
	CHECK(bus_add(&bus, &r) < 0, "the same again is refused");
	r.first = 0x1f;
	r.last = 0x20;
	CHECK(bus_add(&bus, &r) < 0, "an overlap at the start is refused");
	r.first = 0x10;
	r.last = 0x30;
	CHECK(bus_add(&bus, &r) < 0, "a range around another is refused");
	r.first = r.last = 0x1f;
	CHECK(!bus_add(&bus, &r), "a neighbour is added");
	for (unsigned int i = 0; i < BUS_RANGES; i++) {
		r.first = r.last = 0x1000 + i;
		bus_add(&bus, &r);
	}
	CHECK(bus.nr == BUS_RANGES, "the table is full");
	r.first = r.last = 0x9000;
	CHECK(bus_add(&bus, &r) < 0, "and takes no more");
}

static void test_access(void)
{
	struct bus bus = { .nr = 0 };

	bus_add(&bus, &(struct bus_range){ .first = 0x20, .last = 0x21, .width = 1,
					   .read = echo_read, .write = note_write });
	CHECK(bus_read(&bus, 0x20, 1) == 0x20, "one byte");
	CHECK(bus_read(&bus, 0x20, 2) == 0x2120, "a word comes in two pieces");
	CHECK(bus_read(&bus, 0x20, 4) == 0xffff2120, "where nobody is, ones");
	CHECK(bus_read(&bus, 0x1f, 2) == 0x20ff, "ones below too");
	CHECK(bus_read(&bus, 0x500, 4) == 0xffffffff, "nobody at all: ones");
	CHECK(bus_read(&bus, 0x500, 8) == ~0ull, "eight bytes of ones");
	CHECK(bus_read(&bus, ~0ull, 8) == ~0ull, "the last address wraps without harm");
	bus_write(&bus, 0x20, 0xabcd, 2);
	CHECK(writes == 2 && last_addr == 0x21 && last_value == 0xab && last_size == 1,
	      "a word is written in two pieces");
	bus_write(&bus, 0x500, 1, 4);
	CHECK(writes == 2, "a write to nobody is dropped");
}

static void no_arm(void *arg, u64 delay)
{
	(void)arg;
	(void)delay;
}

static void no_send(void *arg, u64 address, u32 data)
{
	(void)arg;
	(void)address;
	(void)data;
}

static void no_intr(void *arg, bool level)
{
	(void)arg;
	(void)level;
}

static u8 cmos_reg(struct bus *bus, u8 reg)
{
	bus_write(bus, 0x70, reg, 1);
	return bus_read(bus, 0x71, 1);
}

static void test_cmos(void)
{
	struct bus bus = { .nr = 0 };
	struct irqs irqs;
	struct cmos cmos;
	u8 bcd, bin;

	pic_init(&irqs.pic, no_intr, NULL);
	ioapic_init(&irqs.ioapic, no_send, NULL);
	cmos_init(&cmos, 5ull << 30, &irqs, no_arm, NULL);
	cmos_add_to(&cmos, &bus);
	bcd = cmos_reg(&bus, 9);
	bus_write(&bus, 0x70, 0x0b, 1);
	bus_write(&bus, 0x71, 0x06, 1);
	bin = cmos_reg(&bus, 9);
	CHECK((bcd >> 4) * 10 + (bcd & 15) == bin, "year in BCD and binary agree");
	CHECK(bin >= 20 && bin < 100, "a year of this century");
	bin = cmos_reg(&bus, 8);
	CHECK(bin >= 1 && bin <= 12, "a month");
	CHECK(cmos_reg(&bus, 0x0d) == 0x80, "battery good");
	bus_write(&bus, 0x71, 0, 1);
	CHECK(cmos_reg(&bus, 0x0d) == 0x80, "and read only");
	CHECK(cmos_reg(&bus, 0x5b) == 0 && cmos_reg(&bus, 0x5c) == 0x80,
	      "2 GiB above 4 GiB in units of 64 KiB");
	bus_write(&bus, 0x70, 0xff, 1);
	bus_write(&bus, 0x71, 0x5a, 1);
	CHECK(cmos_reg(&bus, 0x7f) == 0x5a, "the NMI bit is no part of the index");
}

static void test_fwcfg(void)
{
	struct bus bus = { .nr = 0 };
	struct fwcfg fw;
	char sig[5] = "";
	u64 v = 0;

	fwcfg_init(&fw, 0x123456789000, 3);
	fwcfg_add_to(&fw, &bus);
	bus_write(&bus, 0x510, 0, 2);
	for (int i = 0; i < 4; i++)
		sig[i] = bus_read(&bus, 0x511, 1);
	CHECK(!strcmp(sig, "QEMU"), "signature");
	bus_write(&bus, 0x510, 3, 2);
	for (int i = 0; i < 8; i++)
		v |= bus_read(&bus, 0x511, 1) << (i * 8);
	CHECK(v == 0x123456789000, "memory size");
	for (int i = 0; i < 100; i++)
		v = bus_read(&bus, 0x511, 1);
	CHECK(v == 0, "zeroes past the end");
	bus_write(&bus, 0x510, 5, 2);
	CHECK(bus_read(&bus, 0x511, 1) == 3, "processors");
	bus_write(&bus, 0x510, 0xffff, 2);
	CHECK(bus_read(&bus, 0x511, 1) == 0, "an unknown item is empty");
}

static u32 pci_word(struct bus *bus, u32 address)
{
	bus_write(bus, 0xcf8, address, 4);
	return bus_read(bus, 0xcfc, 4);
}

static void test_pci(void)
{
	struct bus bus = { .nr = 0 };
	struct pci pci = { 0 };

	pci_add_to(&pci, &bus);
	bus_write(&bus, 0xcf8, 0x80000000, 4);
	CHECK(bus_read(&bus, 0xcf8, 4) == 0x80000000, "mechanism 1 answers");
	CHECK(pci_word(&bus, 0x80000000) == 0x0d578086, "a bridge at 0:0.0");
	CHECK(bus_read(&bus, 0xcfe, 2) == 0x0d57 && bus_read(&bus, 0xcfd, 1) == 0x80,
	      "words and bytes of it");
	CHECK(pci_word(&bus, 0x80000008) == 0x06000000, "its class");
	CHECK(pci_word(&bus, 0x8000000c) == 0, "one function, an ordinary header");
	bus_write(&bus, 0xcfc, 0xffffffff, 4);
	CHECK(pci_word(&bus, 0x80000010) == 0 && pci_word(&bus, 0x80000004) == 0,
	      "nothing can be set in it");
	CHECK(pci_word(&bus, 0x80000800) == 0xffffffff && pci_word(&bus, 0x80000100) == 0xffffffff &&
	      pci_word(&bus, 0x80010000) == 0xffffffff, "nothing anywhere else");
	CHECK(pci_word(&bus, 0) == 0xffffffff, "nor without the enable bit");
	bus_write(&bus, 0xcf8, 0x80000000, 4);
	bus_write(&bus, 0xcf8, 0x12, 1);
	CHECK(bus_read(&bus, 0xcf8, 4) == 0x80000000, "a byte is no address");
	CHECK(bus_read(&bus, 0xcf8, 1) == 0xff, "nor can it be read so");
	pci_reset(&pci);
	CHECK(bus_read(&bus, 0xcf8, 4) == 0, "a reset clears it");
}

static int events;
static enum power_event last_event;
static u32 event_value;

static void on_event(void *arg, enum power_event event, u32 value)
{
	(void)arg;
	events++;
	last_event = event;
	event_value = value;
}

static bool happened(struct bus *bus, u16 port, u32 value, unsigned int size,
		     enum power_event event)
{
	int before = events;

	bus_write(bus, port, value, size);
	return events == before + 1 && last_event == event;
}

static void test_power(void)
{
	struct bus bus = { .nr = 0 };
	struct pci pci = { 0 };
	struct power power;

	power_init(&power, on_event, NULL);
	CHECK(!power_add_to(&power, &bus, true) && !pci_add_to(&pci, &bus),
	      "reset control is between PCI's ports");
	CHECK(happened(&bus, 0x600, 0x34, 1, POWER_OFF), "S5 powers off");
	CHECK(!happened(&bus, 0x600, 0x14, 1, POWER_OFF), "not without the enable bit");
	CHECK(!happened(&bus, 0x600, 0x2c, 1, POWER_OFF), "nor with another type");
	CHECK(happened(&bus, 0x602, 1, 1, POWER_REBOOT), "ACPI reset register");
	CHECK(happened(&bus, 0xcf9, 6, 1, POWER_REBOOT), "0xcf9");
	CHECK(!happened(&bus, 0xcf9, 2, 1, POWER_REBOOT), "0xcf9 kind only");
	CHECK(!happened(&bus, 0xcf8, 0x80000600, 4, POWER_REBOOT), "PCI address is no reset");
	CHECK(happened(&bus, 0x64, 0xfe, 1, POWER_REBOOT), "keyboard controller");
	CHECK(!happened(&bus, 0x64, 0xff, 1, POWER_REBOOT), "pulse of nothing");
	CHECK(happened(&bus, 0x92, 1, 1, POWER_REBOOT), "port A");
	CHECK(happened(&bus, 0xf4, 0x21, 4, POWER_DEBUG_EXIT) && event_value == 0x21,
	      "debug exit");
	bus.nr = 0;
	power_add_to(&power, &bus, false);
	CHECK(!happened(&bus, 0xf4, 0, 1, POWER_DEBUG_EXIT), "no debug exit unasked");
}

static void ignore_msi(void *arg, u64 address, u32 data)
{
	(void)arg;
	(void)address;
	(void)data;
}

static void ignore_intr(void *arg, bool level)
{
	(void)arg;
	(void)level;
}

static void test_testdev(void)
{
	static struct testdev t;
	static struct irqs irqs;
	struct bus ports = { .nr = 0 }, mmio = { .nr = 0 };
	const u64 last = TESTDEV_MEMORY + TESTDEV_MEMORY_BYTES - 1;

	ioapic_init(&irqs.ioapic, ignore_msi, NULL);
	pic_init(&irqs.pic, ignore_intr, NULL);
	testdev_init(&t, &irqs);
	CHECK(!testdev_add_to(&t, &ports, &mmio), "the test device");
	bus_write(&ports, 0xe0, 0x12345678, 4);
	bus_write(&ports, 0xe1, 0xaa, 1);
	CHECK(bus_read(&ports, 0xe0, 4) == 0x1234aa78, "its port keeps bytes and words");
	CHECK(bus_read(&ports, 0xea, 2) == 0x1234, "bytes reach the same");
	bus_write(&mmio, TESTDEV_MEMORY + 8, 0x1122334455667788, 8);
	CHECK(bus_read(&mmio, TESTDEV_MEMORY + 8, 8) == 0x1122334455667788 &&
	      bus_read(&mmio, TESTDEV_MEMORY + 13, 2) == 0x2233, "so does its memory");
	/* what a guest may do: across the end, where the sanitizer looks */
	bus_write(&ports, 0xe3, ~0u, 4);
	bus_write(&mmio, last, ~0ull, 8);
	CHECK(bus_read(&mmio, last, 1) == 0xff && bus_read(&mmio, last + 1, 1) == 0xff,
	      "an access over its end");
	bus_write(&ports, 0x2003, 1, 1);
	bus_write(&ports, 0x2017, 1, 1);
	CHECK(irqs.ioapic.lines == (BIT(3) | BIT(23)) && irqs.pic.chip[0].lines == BIT(3),
	      "its lines go up");
	bus_write(&ports, 0x2003, 0, 1);
	CHECK(irqs.ioapic.lines == BIT(23), "and down");
}

int main(void)
{
	test_table();
	test_access();
	test_cmos();
	test_fwcfg();
	test_pci();
	test_power();
	test_testdev();
	return tap_done();
}
