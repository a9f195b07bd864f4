/* SPDX-License-Identifier: GPL-2.0-only */
/* boot.h - what entry, init and the watcher of the boot row agree on */
#ifndef OVID_BENCH_BOOT_H
#define OVID_BENCH_BOOT_H

#define BOOT_COM1	0x3f8
#define BOOT_STARTED	'S'		/* the first byte there, before the time is noted */
#define BOOT_PAUSE	5000000		/* ticks between them */
#define BOOT_T0		0x600		/* the time at the entry, in memory that Linux leaves alone */
#define BOOT_SHUTDOWN	0x8900		/* Bochs' shutdown port */
#define BOOT_EXIT	0xf4		/* ovid run --debug-exit */

#endif
