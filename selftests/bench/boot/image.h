/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image.h - what lies behind the kernel in the bare machine's image: code (bare.S),
 * the state to enter with, and the loader's low memory.  Offsets from the code.
 */
#ifndef OVID_BENCH_IMAGE_H
#define OVID_BENCH_IMAGE_H

#define AT_EBX		0x200		/* u32 */
#define AT_ENTRY	0x204		/* far pointer: u32, u16 */
#define AT_GDTR		0x20c		/* u16, u32 */
#define AT_LOW		0x1000
#define LOW_START	0x8e000		/* LOAD_AREA to LOAD_AREA_END */
#define LOW_BYTES	0x12000
#define AT_FIRMWARE	(AT_LOW + LOW_BYTES)
#define FIRMWARE_START	0xe0000		/* LOAD_ACPI */
#define FIRMWARE_BYTES	0x20000
#define TAIL_BYTES	(AT_FIRMWARE + FIRMWARE_BYTES)

#define SEL_CODE	0x10		/* LOAD_SEL_CODE, LOAD_SEL_DATA */
#define SEL_DATA	0x18

#endif
