// SPDX-License-Identifier: GPL-2.0-only
#include "../worker/dev/serial.h"
#include "tap.h"

static struct serial uart;
static struct bus bus;
static struct irqs irqs;
static bool accept_out = true, wanted;
static char said[256];
static unsigned int said_len;
static int edges;

static bool on_out(void *arg, u8 byte)
{
	(void)arg;
	if (accept_out && said_len < sizeof(said))
		said[said_len++] = byte;
	return accept_out;
}

static void on_want(void *arg)
{
	(void)arg;
	wanted = true;
}

static void on_intr(void *arg, bool level)
{
	(void)arg;
	(void)level;
}

static void on_msi(void *arg, u64 a, u32 d)
{
	(void)arg;
	(void)a;
	(void)d;
	edges++;
}

static void out(u8 reg, u8 v)
{
	bus_write(&bus, SERIAL_COM1 + reg, v, 1);
}

static u8 in(u8 reg)
{
	return bus_read(&bus, SERIAL_COM1 + reg, 1);
}

static void start(void)
{
	bus.nr = 0;
	said_len = 0;
	accept_out = true;
	pic_init(&irqs.pic, on_intr, NULL);
	ioapic_init(&irqs.ioapic, on_msi, NULL);
	irqs.ioapic.entry[4] = 0x34;
	serial_init(&uart, &irqs, on_out, on_want, NULL);
	serial_add_to(&uart, &bus);
	edges = 0;
}

/* the steps of Linux's 8250 autoconfig that decide "16550A" */
static void test_identity(void)
{
	start();
	out(1, 0);
	CHECK(in(1) == 0, "IER clears");
	out(1, 0x0f);
	CHECK((in(1) & 0x0f) == 0x0f, "IER sets");
	out(1, 0);
	out(4, 0x1a);
	CHECK((in(6) & 0xf0) == 0x90, "loopback shows RTS and OUT2");
	out(4, 0);
	out(2, 1);
	CHECK(in(2) >> 6 == 3, "FIFO of a 16550A");
	out(2, 0);
	CHECK(in(2) >> 6 == 0, "FIFO off");
	out(3, 0x80);
	out(0, 1);
	out(1, 0);
	CHECK(in(0) == 1 && in(1) == 0, "divisor latch");
	out(3, 3);
	out(7, 0x5a);
	CHECK(in(7) == 0x5a, "scratch");
}

static void test_output(void)
{
	start();
	CHECK((in(5) & 0x60) == 0x60, "transmitter empty");
	out(0, 'a');
	CHECK(said_len == 1 && said[0] == 'a', "a byte goes out");
	accept_out = false;
	out(0, 'b');
	CHECK(!(in(5) & 0x60), "busy when nobody takes it");
	out(0, 'c');
	accept_out = true;
	serial_out_ready(&uart);
	CHECK(said_len == 2 && said[1] == 'b' && (in(5) & 0x20), "then it goes");
}

static void test_transmit_interrupt(void)
{
	start();
	out(4, 0x0b);
	out(1, 2);
	CHECK(edges == 1 && (in(2) & 0x0f) == 2, "enabling raises it");
	CHECK((in(2) & 0x0f) == 1, "reading IIR clears it");
	out(0, 'x');
	CHECK(edges == 2 && (in(2) & 0x0f) == 2, "a sent byte raises it again");
	out(1, 0);
	out(4, 0x03);
	out(1, 2);
	CHECK(edges == 2, "not without OUT2");
}

static void test_input(void)
{
	start();
	serial_input(&uart, (const u8 *)"hello", 5);
	CHECK(!(in(5) & 1) && in(0) == 0, "nothing is shown before the guest is ready");
	out(2, 0x07);	/* clear FIFOs, as a driver does when it opens */
	out(4, 0x0b);
	out(1, 1);
	CHECK(edges == 1 && (in(2) & 0x0f) == 4, "then the interrupt comes");
	CHECK(in(5) & 1, "data ready");
	out(2, 0x07);
	CHECK(in(0) == 'h' && in(0) == 'e', "clearing the FIFO loses nothing");
	out(2, 0xc1);
	CHECK((in(2) & 0x0f) == 0x0c, "below the trigger level: timeout");
	in(0);
	in(0);
	CHECK(in(0) == 'o' && !(in(5) & 1) && (in(2) & 0x0f) == 1, "and it ends");
}

static void test_flow(void)
{
	u8 block[SERIAL_IN] = { 1 };

	start();
	out(4, 0x0b);
	CHECK(serial_room(&uart) == SERIAL_IN, "room");
	serial_input(&uart, block, sizeof(block));
	CHECK(serial_room(&uart) == 0, "full");
	serial_input(&uart, block, 10);
	wanted = false;
	for (int i = 0; i < SERIAL_IN / 2; i++)
		in(0);
	CHECK(wanted, "asks for more when half empty");
	CHECK(serial_room(&uart) == SERIAL_IN / 2, "half empty");
}

static void test_loopback(void)
{
	start();
	out(4, 0x10);
	serial_input(&uart, (const u8 *)"z", 1);
	out(0, 'q');
	CHECK(said_len == 0 && (in(5) & 1) && in(0) == 'q', "loopback returns the byte");
	CHECK(!(in(5) & 1), "and only it");
}

static void test_break_and_reset(void)
{
	start();
	out(4, 0x0b);
	out(1, 5);
	serial_break(&uart);
	CHECK((in(2) & 0x0f) == 6 && (in(5) & 0x11) == 0x11 && in(0) == 0, "break");
	serial_input(&uart, (const u8 *)"k", 1);
	serial_reset(&uart);
	CHECK(in(1) == 0 && in(4) == 0, "reset");
	out(4, 0x0b);
	CHECK(in(0) == 'k', "input outlives it");
}

static void test_random(void)
{
	unsigned int seed = 3;

	start();
	for (int i = 0; i < 200000; i++) {
		u8 byte;

		seed = seed * 1103515245 + 12345;
		byte = seed >> 16;
		accept_out = seed >> 29 & 1;
		said_len = 0;
		out(seed >> 8 & 7, byte);
		in(seed >> 11 & 7);
		if (!(seed >> 25 & 3))
			serial_input(&uart, &byte, 1);
		serial_out_ready(&uart);
	}
	CHECK(true, "random programming does no harm");
}

int main(void)
{
	test_identity();
	test_output();
	test_transmit_interrupt();
	test_input();
	test_flow();
	test_loopback();
	test_break_and_reset();
	test_random();
	return tap_done();
}
