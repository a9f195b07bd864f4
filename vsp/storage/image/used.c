// SPDX-License-Identifier: GPL-2.0-only
/* used.c - see used.h */
#include "vdisk_priv.h"
#include "used.h"

int ovid_used_init(struct ovid_used *used, u64 file_size)
{
	used->nr = ovid_div_up(file_size, used->unit);
	used->bits = kvzalloc(ovid_div_up(used->nr, 8) + 1, GFP_KERNEL_ACCOUNT);
	return used->bits ? 0 : -ENOMEM;
}

void ovid_used_fini(struct ovid_used *used)
{
	kvfree(used->bits);
	used->bits = NULL;
}

bool ovid_used_take(struct ovid_used *used, u64 off, u64 len)
{
	u64 unit, end;
	bool ok = true;

	if (!ovid_fits(off, len, used->nr * used->unit))
		return false;
	end = ovid_div_up(off + len, used->unit);
	for (unit = off / used->unit; unit < end; unit++) {
		u8 mask = 1 << unit % 8;

		ok &= !(used->bits[unit / 8] & mask);
		used->bits[unit / 8] |= mask;
	}
	return ok;
}

u64 ovid_used_not(const struct ovid_used *used)
{
	u64 unit, left = 0;

	for (unit = 0; unit < used->nr; unit++)
		left += !(used->bits[unit / 8] & 1 << unit % 8);
	return left * used->unit;
}

void ovid_used_damaged(struct ovid_vdisk_check *check, u64 block)
{
	if (!check->damaged++)
		check->first = block;
}

int ovid_used_block(struct ovid_vdisk *image, u64 block, u64 len, u64 before,
		    struct ovid_vdisk_check *check, struct ovid_used *used)
{
	struct ovid_block b;
	int ret = image->format_ops->get(image, block, &b);

	if (ret == -EUCLEAN) {
		ovid_used_damaged(check, block);
		return 0;
	}
	if (ret || b.state < OVID_BLOCK_FULL)
		return ret;
	check->allocated++;
	if (!ovid_used_take(used, b.off - before, before + len))
		ovid_used_damaged(check, block);
	return 0;
}
