// SPDX-License-Identifier: GPL-2.0-only
#include "power.h"

#define PORT_KEYBOARD	0x64
#define PORT_A		0x92
#define PORT_RESET	0xcf9
#define PORT_DEBUG_EXIT	0xf4

#define SLEEP_ENABLE	0x20
#define SLEEP_TYPE(v)	((v) >> 2 & 7)
#define KEYBOARD_PULSE	0xf0	/* low bits 0: which output lines; bit 0 is reset */
#define A20_ON		0x02

static void sleep_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct power *power = dev;

	(void)port;
	(void)size;
	if ((value & SLEEP_ENABLE) && SLEEP_TYPE(value) == POWER_S5_TYPE)
		power->event(power->arg, POWER_OFF, 0);
}

static u64 read_zero(void *dev, u64 port, unsigned int size)
{
	(void)dev;
	(void)port;
	(void)size;
	return 0;
}

static void acpi_reset_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct power *power = dev;

	(void)port;
	(void)size;
	if (value == POWER_RESET_VALUE)
		power->event(power->arg, POWER_REBOOT, 0);
}

static void keyboard_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct power *power = dev;

	(void)port;
	(void)size;
	if ((value & KEYBOARD_PULSE) == KEYBOARD_PULSE && !(value & 1))
		power->event(power->arg, POWER_REBOOT, 0);
}

static u64 port_a_read(void *dev, u64 port, unsigned int size)
{
	(void)dev;
	(void)port;
	(void)size;
	return A20_ON;
}

static void port_a_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct power *power = dev;

	(void)port;
	(void)size;
	if (value & 1)
		power->event(power->arg, POWER_REBOOT, 0);
}

static void reset_control_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct power *power = dev;

	(void)port;
	(void)size;
	if (value & 4)
		power->event(power->arg, POWER_REBOOT, 0);
}

static void debug_exit_write(void *dev, u64 port, u64 value, unsigned int size)
{
	struct power *power = dev;

	(void)port;
	(void)size;
	power->event(power->arg, POWER_DEBUG_EXIT, value);
}

void power_init(struct power *power,
		void (*event)(void *arg, enum power_event event, u32 value), void *arg)
{
	power->event = event;
	power->arg = arg;
}

int power_add_to(struct power *power, struct bus *ports, bool debug_exit)
{
	const struct bus_range ranges[] = {
		{ POWER_SLEEP_CONTROL, POWER_SLEEP_CONTROL, 1, read_zero, sleep_write, power },
		{ POWER_SLEEP_STATUS, POWER_SLEEP_STATUS, 1, read_zero, NULL, power },
		{ POWER_RESET, POWER_RESET, 1, read_zero, acpi_reset_write, power },
		/* status 0: input buffer empty, nothing to read, so nobody waits */
		{ PORT_KEYBOARD, PORT_KEYBOARD, 1, read_zero, keyboard_write, power },
		{ PORT_A, PORT_A, 1, port_a_read, port_a_write, power },
		{ PORT_RESET, PORT_RESET, 1, read_zero, reset_control_write, power },
		{ PORT_DEBUG_EXIT, PORT_DEBUG_EXIT + 3, 4, NULL, debug_exit_write, power },
	};
	unsigned int nr = ARRAY_SIZE(ranges) - !debug_exit;

	for (unsigned int i = 0; i < nr; i++) {
		int ret = bus_add(ports, &ranges[i]);

		if (ret)
			return ret;
	}
	return 0;
}
