// SPDX-License-Identifier: GPL-2.0-only
#include "../worker/dev/pit.h"
#include "tap.h"

static struct pit pit;
static struct bus bus;
static struct irqs irqs;
static struct vclock vclock;
static u64 deadline;
static int interrupts;

static void on_intr(void *arg, bool level)
{
	(void)arg;
	interrupts += level;
}

static void on_msi(void *arg, u64 a, u32 d)
{
	(void)arg;
	(void)a;
	(void)d;
}

static void on_arm(void *arg, u64 at)
{
	(void)arg;
	deadline = at;
}

/* the machine's clock stands; tests move it */
static void at(u64 ns)
{
	atomic_store(&vclock.stopped, ns);
}

static void out(u16 port, u8 v)
{
	bus_write(&bus, port, v, 1);
}

static u8 in(u16 port)
{
	return bus_read(&bus, port, 1);
}

static void start(void)
{
	bus.nr = 0;
	atomic_store(&vclock.behind, 0);
	at(1000000000);
	pic_init(&irqs.pic, on_intr, NULL);
	ioapic_init(&irqs.ioapic, on_msi, NULL);
	pit_init(&pit, &vclock, &irqs, on_arm, NULL);
	pit_add_to(&pit, &bus);
	irqs.pic.chip[0].imr = 0;
}

static u16 latched(unsigned int n)
{
	u8 low;

	out(0x43, n << 6);
	low = in(0x40 + n);
	return low | in(0x40 + n) << 8;
}

static void test_one_shot(void)
{
	start();
	CHECK(deadline == 0, "idle at reset");
	out(0x43, 0x30);
	out(0x40, 0xa9);
	CHECK(deadline == 0, "half a count starts nothing");
	out(0x40, 0x04);	/* 1193 ticks: 1 ms */
	CHECK(deadline > 1000990000 && deadline < 1001010000, "1 ms");
	at(1000500000);
	CHECK(latched(0) > 590 && latched(0) < 600, "half way");
	at(deadline);
	pit_tick(&pit);
	CHECK(interrupts == 1 && deadline == 0, "one interrupt and no more");
	out(0x43, 0xe2);	/* read back status of channel 0 */
	CHECK(in(0x40) == 0xb0, "status: output high, both bytes, mode 0");
}

static void test_periodic(void)
{
	u64 first;

	start();
	interrupts = 0;
	out(0x43, 0x34);
	out(0x40, 0x9c);
	out(0x40, 0x2e);	/* 11932: 100 Hz */
	first = deadline;
	CHECK(first > 1009990000 && first < 1010010000, "10 ms");
	at(first);
	pit_tick(&pit);
	CHECK(interrupts == 1 && deadline - first > 9990000 && deadline - first < 10010000,
	      "and again 10 ms later");
	at(first + 55000000);
	irqs.pic.chip[0].isr = 0;
	pit_tick(&pit);
	CHECK(deadline > first + 55000000 && deadline <= first + 65000000,
	      "a late tick keeps the phase");
	out(0x43, 0x34);
	CHECK(deadline == 0, "a new mode stops it");
	out(0x40, 0);
	out(0x40, 0);
	CHECK(deadline != 0, "count 0 is 65536");
	out(0x43, 0x14);
	out(0x40, 1);
	CHECK(deadline != 0 && latched(0) <= 0xffff, "count 1 does not divide by zero");
}

/* what Linux does to measure its TSC */
static void test_channel2(void)
{
	start();
	out(0x61, 0);
	out(0x43, 0xb0);
	out(0x42, 0xff);
	out(0x42, 0xff);
	out(0x61, 1);
	CHECK(!(in(0x61) & 0x20), "output low while it counts");
	at(1000000000 + 54000000);
	CHECK(!(in(0x61) & 0x20), "still at 54 ms");
	at(1000000000 + 55000000);
	CHECK(in(0x61) & 0x20, "high at 55 ms");
	CHECK((in(0x61) & 3) == 1, "gate reads back");
}

static void test_random(void)
{
	unsigned int seed = 7;

	start();
	for (int i = 0; i < 200000; i++) {
		seed = seed * 1103515245 + 12345;
		at(1000000000 + (u64)i * (seed >> 20));
		out(0x40 + (seed >> 8 & 3), seed >> 16);
		in(0x40 + (seed >> 10 & 3));
		out(0x61, seed >> 24);
		if (deadline)
			pit_tick(&pit);
	}
	CHECK(true, "random programming does no harm");
}

int main(void)
{
	test_one_shot();
	test_periodic();
	test_channel2();
	test_random();
	return tap_done();
}
