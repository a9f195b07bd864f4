// SPDX-License-Identifier: GPL-2.0-only
/* rtc_test.c - the clock's interrupts, on a time of our own. */
#include "../worker/dev/cmos.h"
#include "tap.h"

#define SECOND		1000000000ull
/* 2026-01-01 13:59:58 UTC */
#define START		(1767275998 * SECOND)

static struct bus bus;
static struct irqs irqs;
static struct cmos cmos;
static u64 now, delay;
static unsigned int sent;

static u64 our_time(void)
{
	return now;
}

static void on_arm(void *arg, u64 d)
{
	(void)arg;
	delay = d;
}

static void on_msi(void *arg, u64 address, u32 data)
{
	(void)arg;
	(void)address;
	sent += (data & 0xff) == 0x48;
}

static void on_intr(void *arg, bool level)
{
	(void)arg;
	(void)level;
}

static u8 get(u8 reg)
{
	bus_write(&bus, 0x70, reg, 1);
	return bus_read(&bus, 0x71, 1);
}

static void set(u8 reg, u8 value)
{
	bus_write(&bus, 0x70, reg, 1);
	bus_write(&bus, 0x71, value, 1);
}

/* What the main loop does: time passes, timers that are due tick. */
static void pass(u64 ns)
{
	u64 end = now + ns;

	while (delay && now + delay <= end) {
		now += delay;
		delay = 0;
		cmos_tick(&cmos);
	}
	if (delay)
		delay -= end - now;
	now = end;
}

static void start(void)
{
	bus.nr = 0;
	sent = 0;
	delay = 0;
	now = START;
	pic_init(&irqs.pic, on_intr, NULL);
	ioapic_init(&irqs.ioapic, on_msi, NULL);
	ioapic_add_to(&irqs.ioapic, &bus);
	bus_write(&bus, IOAPIC_BASE, 0x10 + 2 * 8, 4);
	bus_write(&bus, IOAPIC_BASE + 0x10, 0x48, 4);
	cmos_init(&cmos, 64 << 20, &irqs, on_arm, NULL);
	cmos.now = our_time;
	cmos_reset(&cmos);
	cmos_add_to(&cmos, &bus);
	set(0x0a, 0x20);	/* no periodic flag */
}

static void test_update(void)
{
	start();
	CHECK(!delay, "no timer runs by itself");
	pass(SECOND / 2);
	CHECK(get(0x0c) == 0, "nothing yet");
	pass(SECOND / 2);
	CHECK(get(0x0c) == 0x10 && get(0x0c) == 0 && !sent,
	      "a second's end is a flag, read once, and no interrupt unasked");
	set(0x0b, 0x12);
	pass(SECOND);
	CHECK(sent == 1 && !delay, "update interrupt");
	pass(10 * SECOND);
	CHECK(sent == 1, "none until register C was read");
	CHECK(get(0x0c) == 0x90, "which says why");
	pass(3 * SECOND);
	CHECK(sent == 2, "then the next");
	set(0x0b, 0x92);
	CHECK(get(0x0b) == 0x82, "setting the clock switches it off");
	get(0x0c);
	pass(3 * SECOND);
	CHECK(sent == 2 && get(0x0c) == 0, "and there are no updates meanwhile");
}

static void test_alarm(void)
{
	start();
	set(0x01, 0x01);
	set(0x03, 0x00);
	set(0x05, 0x14);
	set(0x0b, 0x22);
	pass(2 * SECOND);
	CHECK(get(0) == 0 && get(2) == 0 && get(4) == 0x14 && sent == 0, "14:00:00, no alarm");
	pass(SECOND);
	CHECK(sent == 1 && get(0x0c) == 0xb0, "14:00:01, the alarm");
	pass(86399 * SECOND);
	CHECK(sent == 1, "not for a day");
	pass(SECOND);
	CHECK(sent == 2, "then again");
	get(0x0c);
	set(0x03, 0xff);
	set(0x05, 0xc0);
	pass(120 * SECOND);
	CHECK(sent == 3, "every minute, once as long as nobody reads register C");
	get(0x0c);
	set(0x0b, 0x02);
	pass(10 * 86400 * SECOND);
	CHECK(sent == 3 && get(0x0c) == 0x30, "without an interrupt it is a flag");
}

static void test_alarm_12h(void)
{
	start();
	set(0x0b, 0x24);	/* binary, 12 hours */
	set(0x01, 59);
	set(0x03, 59);
	set(0x05, 0x81);
	pass(SECOND);
	CHECK(sent == 1 && get(4) == 0x81, "1 p.m. in binary");
}

static void test_periodic(void)
{
	unsigned int ticks = 0;

	start();
	set(0x0a, 0x26);
	set(0x0b, 0x42);
	for (u64 end = now + SECOND; now < end; ticks += (get(0x0c) & 0xc0) == 0xc0)
		pass(delay);
	CHECK(ticks >= 1023 && ticks <= 1025 && sent == ticks, "1024 Hz (%u)", ticks);
	set(0x0a, 0x20);
	pass(SECOND);
	CHECK(sent == ticks, "rate 0 is none");
	set(0x0a, 0x2f);
	get(0x0c);
	pass(SECOND / 2 + 1);
	CHECK(sent == ticks + 1, "2 Hz");
	set(0x0a, 0x21);
	get(0x0c);
	CHECK(delay && delay <= 3906250, "rate 1 is 256 Hz");
}

static void test_edges(void)
{
	start();
	set(0x0b, 0x72);
	pass(SECOND);
	CHECK(sent == 1, "an interrupt");
	cmos_reset(&cmos);
	CHECK(get(0x0b) == 0x02 && get(0x0c) == 0 && !delay, "a reset switches all off");
	set(0x0b, 0x12);
	now -= 3600 * SECOND;
	cmos_tick(&cmos);
	CHECK(get(0x0c) == 0, "the host's clock goes back");
	pass(SECOND);
	CHECK(sent == 2, "and on");
	now = ~0ull;
	cmos_tick(&cmos);
	CHECK(get(0x0c) & 0x10, "the end of time");
	for (unsigned int reg = 0; reg < 128; reg++)
		for (unsigned int v = 0; v < 256; v++)
			set(reg, v), get(0x0c);
	CHECK(1, "any value in any register");
}

int main(void)
{
	test_update();
	test_alarm();
	test_alarm_12h();
	test_periodic();
	test_edges();
	return tap_done();
}
