/* SPDX-License-Identifier: GPL-2.0-only */
/* used.h - for a check: who has which part of a file */
#ifndef OVID_USED_H
#define OVID_USED_H

#include "vdisk.h"

/**
 * struct ovid_used - a bit for each unit of a file
 * @unit: bytes
 * @nr: of units, a part of one at the end included
 * @bits: taken
 */
struct ovid_used {
	u64 unit;
	u64 nr;
	u8 *bits;
};

int ovid_used_init(struct ovid_used *used, u64 file_size);
void ovid_used_fini(struct ovid_used *used);
/* false: outside, or someone has a part of it already */
bool ovid_used_take(struct ovid_used *used, u64 off, u64 len);
/* bytes that nobody has */
u64 ovid_used_not(const struct ovid_used *used);
/* a block, whose space is @before bytes longer at its begin than its data */
int ovid_used_block(struct ovid_vdisk *image, u64 block, u64 len, u64 before,
		    struct ovid_vdisk_check *check, struct ovid_used *used);
void ovid_used_damaged(struct ovid_vdisk_check *check, u64 block);

#endif
