/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test host's init says to hostrun through port 0xe9: frames of a
 * header and `len` bytes.  Bytes between frames are console noise.
 */
#ifndef OVID_TESTHOST_FRAME_H
#define OVID_TESTHOST_FRAME_H

#include <stdint.h>

#define FRAME_MAGIC	"\x7fOV"
#define FRAME_MAX	65536

enum frame_type {
	FRAME_START = 'S',	/* COMMAND is about to start: text */
	FRAME_OUT = '1',	/* its standard output */
	FRAME_ERR = '2',	/* its standard error */
	FRAME_KMSG = 'K',	/* kernel log: records of /dev/kmsg, at the end */
	FRAME_LEAK = 'L',	/* what kmemleak reports */
	FRAME_NOTE = 'N',	/* init's own word of a failure: the run failed */
	FRAME_FILE = 'F',	/* u32 index: --out file opened, data follow */
	FRAME_DATA = 'D',	/* u32 index, bytes of it */
	FRAME_EXIT = 'X',	/* i32 status: the last frame */
};

struct frame_header {
	char magic[3];
	uint8_t type;
	uint32_t len;
};

/* port 0xea, 32 bits wide: a byte of standard input, or */
#define INPUT_NONE	0x100	/* none now */
#define INPUT_END	0x200	/* no more */

#endif
