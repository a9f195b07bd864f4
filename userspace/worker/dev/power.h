/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * power.h - every way a guest ends or restarts itself by a port write:
 *
 *   0x600 ACPI sleep control   0x601 ACPI sleep status   0x602 ACPI reset
 *   0xcf9 reset control        0x64  keyboard controller (pulse reset)
 *   0x92  port A               0xf4  isa-debug-exit, when asked for
 */
#ifndef OVID_POWER_H
#define OVID_POWER_H

#include "../bus.h"

#define POWER_SLEEP_CONTROL	0x600
#define POWER_SLEEP_STATUS	0x601
#define POWER_RESET		0x602
#define POWER_RESET_VALUE	1
#define POWER_S5_TYPE		5	/* \_S5 of dsdt.asl */

enum power_event {
	POWER_OFF,
	POWER_REBOOT,
	POWER_DEBUG_EXIT,
};

struct power {
	void (*event)(void *arg, enum power_event event, u32 value);
	void *arg;
};

void power_init(struct power *power,
		void (*event)(void *arg, enum power_event event, u32 value), void *arg);
int power_add_to(struct power *power, struct bus *ports, bool debug_exit);

#endif
