// SPDX-License-Identifier: GPL-2.0-only
#include "../worker/dev/pic.h"
#include "tap.h"

static bool intr;
static struct pic pic;
static struct bus bus;

static void on_intr(void *arg, bool level)
{
	(void)arg;
	intr = level;
}

static void out(u16 port, u8 v)
{
	bus_write(&bus, port, v, 1);
}

static void start(void)
{
	static const u8 chips[2] = { 0x20, 0xa0 };

	bus.nr = 0;
	pic_init(&pic, on_intr, NULL);
	pic_add_to(&pic, &bus);
	for (int i = 0; i < 2; i++) {
		out(chips[i], 0x11);
		out(chips[i] + 1, i ? 0x28 : 0x20);
		out(chips[i] + 1, i ? 2 : 4);
		out(chips[i] + 1, 1);
		out(chips[i] + 1, 0);
	}
}

static void pulse(unsigned int irq)
{
	pic_set_irq(&pic, irq, true);
	pic_set_irq(&pic, irq, false);
}

static void test_simple(void)
{
	start();
	CHECK(!intr && pic_acknowledge(&pic) == -1, "idle");
	pic_set_irq(&pic, 4, true);
	CHECK(intr, "an edge raises INTR");
	CHECK(pic_acknowledge(&pic) == 0x24 && !intr, "its vector, and INTR drops");
	pic_set_irq(&pic, 4, false);
	pulse(4);
	CHECK(!intr, "not again while in service");
	out(0x20, 0x20);
	CHECK(intr && pic_acknowledge(&pic) == 0x24, "after EOI it comes");
	out(0x20, 0x64);
	CHECK(!intr, "specific EOI");
}

static void test_priority(void)
{
	start();
	pulse(5);
	pic_acknowledge(&pic);
	pulse(6);
	CHECK(!intr, "a lower priority waits");
	pulse(1);
	CHECK(intr && pic_acknowledge(&pic) == 0x21, "a higher one interrupts");
	out(0x20, 0x20);
	out(0x20, 0x20);
	CHECK(pic_acknowledge(&pic) == 0x26, "then the one that waited");
	out(0x20, 0x20);
	out(0x20, 0xc5);	/* lowest: 5, so 6 is highest */
	pulse(0);
	pulse(6);
	CHECK(pic_acknowledge(&pic) == 0x26, "priorities rotate");
}

static void test_slave(void)
{
	start();
	pulse(8);
	CHECK(intr && pic_acknowledge(&pic) == 0x28, "slave's vector");
	pulse(12);
	CHECK(!intr, "lower on the slave waits");
	out(0xa0, 0x20);
	out(0x20, 0x20);
	CHECK(intr && pic_acknowledge(&pic) == 0x2c, "and comes after both EOIs");
	pic_set_irq(&pic, 2, true);
	pic_set_irq(&pic, 99, true);
	CHECK(!intr, "input 2 is the cascade; others are not there");
}

static void test_mask_and_level(void)
{
	start();
	out(0x21, 0x10);
	pulse(4);
	CHECK(!intr, "masked");
	out(0x21, 0);
	CHECK(intr, "and seen when unmasked");
	start();
	out(0x4d0, 0x20);
	CHECK(bus_read(&bus, 0x4d0, 1) == 0x20, "ELCR reads back");
	out(0x4d0, 0xff);
	CHECK(bus_read(&bus, 0x4d0, 1) == 0xf8, "timer and keyboard stay edges");
	pic_set_irq(&pic, 5, true);
	pic_acknowledge(&pic);
	out(0x20, 0x20);
	CHECK(intr, "a level interrupts again");
	pic_set_irq(&pic, 5, false);
	CHECK(!intr, "until it falls");
}

static void test_probe(void)
{
	start();
	out(0xa1, 0xff);
	out(0x21, 0xfb);
	CHECK(bus_read(&bus, 0x21, 1) == 0xfb, "Linux finds it by its mask");
	out(0x21, 0);
	pulse(3);
	out(0x20, 0x0b);
	CHECK(bus_read(&bus, 0x20, 1) == 0, "ISR");
	out(0x20, 0x0a);
	CHECK(bus_read(&bus, 0x20, 1) == 8, "IRR");
	out(0x20, 0x0c);
	CHECK(bus_read(&bus, 0x20, 1) == 0x83, "poll takes it");
	CHECK(!intr, "and it is in service");
}

static void test_auto_eoi(void)
{
	start();
	out(0x20, 0x11);
	out(0x21, 0x40);
	out(0x21, 4);
	out(0x21, 3);
	pulse(3);
	CHECK(pic_acknowledge(&pic) == 0x43, "new base");
	pulse(3);
	CHECK(intr, "automatic EOI");
}

static void test_random(void)
{
	unsigned int seed = 1;
	bool sane = true;

	start();
	for (int i = 0; i < 200000; i++) {
		static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
		u16 port;
		int v;

		seed = seed * 1103515245 + 12345;
		port = ports[seed >> 8 & 7 ? (seed >> 8) % 6 : 0];
		out(port, seed >> 16);
		pic_set_irq(&pic, seed >> 4 & 15, seed >> 24 & 1);
		bus_read(&bus, port, 1);
		v = pic_acknowledge(&pic);
		sane &= v >= -1 && v < 256;
	}
	CHECK(sane, "random programming does no harm");
}

int main(void)
{
	test_simple();
	test_priority();
	test_slave();
	test_mask_and_level();
	test_probe();
	test_auto_eoi();
	test_random();
	return tap_done();
}
