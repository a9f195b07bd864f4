// SPDX-License-Identifier: GPL-2.0-only
#include "../worker/dev/ioapic.h"
#include "tap.h"

static struct ioapic io;
static struct bus bus;
static u64 address;
static u32 data;
static int sent;

static void on_msi(void *arg, u64 a, u32 d)
{
	(void)arg;
	address = a;
	data = d;
	sent++;
}

static u32 reg(u8 n)
{
	bus_write(&bus, IOAPIC_BASE, n, 4);
	return bus_read(&bus, IOAPIC_BASE + 0x10, 4);
}

static void set_reg(u8 n, u32 v)
{
	bus_write(&bus, IOAPIC_BASE, n, 4);
	bus_write(&bus, IOAPIC_BASE + 0x10, v, 4);
}

static void start(void)
{
	bus.nr = 0;
	sent = 0;
	ioapic_init(&io, on_msi, NULL);
	ioapic_add_to(&io, &bus);
}

static void test_registers(void)
{
	start();
	CHECK(reg(1) == 0x170011, "version, 24 inputs");
	set_reg(0, 0x05000000);
	CHECK(reg(0) == 0x05000000, "id");
	CHECK(reg(0x10) == 0x10000, "inputs start masked");
	set_reg(0x12, 0xffffffff);
	CHECK(reg(0x12) == 0x1afff, "status and remote IRR are read only");
	set_reg(0x13, 0xffffffff);
	CHECK(reg(0x13) == 0xff000000, "destination");
	set_reg(0x40, 0xffffffff);
	set_reg(0xff, 0xffffffff);
	CHECK(reg(0x40) == 0 && reg(0xff) == 0, "there is no input 24");
	CHECK(bus_read(&bus, IOAPIC_BASE + 0x20, 4) == 0, "nothing elsewhere");
}

static void test_edge(void)
{
	start();
	set_reg(0x19, 0x03000000);
	set_reg(0x18, 0x0934);	/* logical, lowest priority */
	ioapic_set_irq(&io, 4, true);
	CHECK(sent == 1 && address == 0xfee03004 && data == 0x134, "an edge becomes an MSI");
	ioapic_set_irq(&io, 4, true);
	CHECK(sent == 1, "the level alone does not");
	ioapic_set_irq(&io, 4, false);
	ioapic_set_irq(&io, 4, true);
	CHECK(sent == 2, "the next edge does");
	set_reg(0x18, 0x10034);
	ioapic_set_irq(&io, 4, false);
	ioapic_set_irq(&io, 4, true);
	CHECK(sent == 2, "masked");
	set_reg(0x18, 0x34);
	CHECK(sent == 2, "an edge behind the mask is lost");
	ioapic_set_irq(&io, 4, false);
	ioapic_set_irq(&io, 4, true);
	CHECK(sent == 3, "and not the next one");
	ioapic_set_irq(&io, 24, true);
	ioapic_set_irq(&io, 1000, true);
	CHECK(sent == 3, "no such input");
}

static void test_level(void)
{
	start();
	set_reg(0x1a, 0x8055);
	ioapic_set_irq(&io, 5, true);
	CHECK(sent == 1 && data == 0xc055, "a level is sent as one");
	CHECK(reg(0x1a) & 0x4000, "remote IRR");
	ioapic_eoi(&io, 0x54);
	CHECK(sent == 1, "another vector's EOI is nothing");
	ioapic_eoi(&io, 0x55);
	CHECK(sent == 2, "EOI with the line up sends again");
	ioapic_set_irq(&io, 5, false);
	ioapic_eoi(&io, 0x55);
	CHECK(sent == 2 && !(reg(0x1a) & 0x4000), "EOI with the line down ends it");
	set_reg(0x1a, 0x18055);
	ioapic_set_irq(&io, 5, true);
	CHECK(sent == 2, "a level behind the mask waits");
	set_reg(0x1a, 0x8055);
	CHECK(sent == 3, "until it is unmasked");
	set_reg(0x1a, 0x10055);
	CHECK(!(reg(0x1a) & 0x4000), "edge mode clears remote IRR");
}

int main(void)
{
	test_registers();
	test_edge();
	test_level();
	return tap_done();
}
