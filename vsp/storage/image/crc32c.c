// SPDX-License-Identifier: GPL-2.0-only
/*
 * crc32c.c - CRC-32C (Castagnoli, reflected), as VHDX has it.  Half a byte a look-up: two small
 * tables do for what is a few pages now and then.
 */
#include "crc32c.h"

static const u32 low[16] = {
	0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4,
	0xc79a971f, 0x35f1141c, 0x26a1e7e8, 0xd4ca64eb,
	0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b,
	0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24,
};

static const u32 high[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
	0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static u32 add_byte(u32 crc, u8 byte)
{
	u8 index = (u8)crc ^ byte;

	return low[index & 15] ^ high[index >> 4] ^ crc >> 8;
}

u32 ovid_crc32c(u32 crc, const void *data, size_t len)
{
	const u8 *p = data;

	crc = ~crc;
	for (; len >= 4; len -= 4, p += 4) {
		crc = add_byte(crc, p[0]);
		crc = add_byte(crc, p[1]);
		crc = add_byte(crc, p[2]);
		crc = add_byte(crc, p[3]);
	}
	while (len--)
		crc = add_byte(crc, *p++);
	return ~crc;
}
