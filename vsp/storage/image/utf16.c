// SPDX-License-Identifier: GPL-2.0-only
/* utf16.c - see utf16.h */
#include "utf16.h"

/* one character; 0: there is none that is well formed */
static u32 next_utf8(const u8 **at)
{
	static const u32 least[] = { 0, 0x80, 0x800, 0x10000 };
	const u8 *p = *at;
	u32 more = p[0] < 0x80 ? 0 : p[0] >> 5 == 6 ? 1 : p[0] >> 4 == 14 ? 2 :
		   p[0] >> 3 == 30 ? 3 : 4;
	u32 c, i;

	if (more == 4)
		return 0;
	c = more ? p[0] & 0x3f >> more : p[0];
	for (i = 1; i <= more; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*at = p + more + 1;
	return c;
}

u32 ovid_utf16_put(const char *text, u8 *to, u32 room)
{
	const u8 *at = (const u8 *)text;
	u32 len = 0;

	while (*at) {
		u32 c = next_utf8(&at), units = c > 0xffff ? 2 : 1;

		if (!c || len + 2 * units > room)
			return 0;
		if (units == 2) {
			put_unaligned_le16(0xd800 + ((c - 0x10000) >> 10), to + len);
			len += 2;
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		put_unaligned_le16(c, to + len);
		len += 2;
	}
	return len;
}

static size_t put_utf8(u32 c, char *to)
{
	if (c < 0x80) {
		to[0] = c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = 0xc0 | c >> 6;
		to[1] = 0x80 | (c & 0x3f);
		return 2;
	}
	if (c < 0x10000) {
		to[0] = 0xe0 | c >> 12;
		to[1] = 0x80 | (c >> 6 & 0x3f);
		to[2] = 0x80 | (c & 0x3f);
		return 3;
	}
	to[0] = 0xf0 | c >> 18;
	to[1] = 0x80 | (c >> 12 & 0x3f);
	to[2] = 0x80 | (c >> 6 & 0x3f);
	to[3] = 0x80 | (c & 0x3f);
	return 4;
}

int ovid_utf16_get(const u8 *from, u32 len, char *text, size_t room)
{
	size_t used = 0;
	u32 i;

	for (i = 0; i + 1 < len; i += 2) {
		u32 c = get_unaligned_le16(from + i);
		u32 low = i + 3 < len ? get_unaligned_le16(from + i + 2) : 0;

		if (!c)
			return -EUCLEAN;
		if (c >> 10 == 0xd800 >> 10 && low >> 10 == 0xdc00 >> 10) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
			i += 2;
		} else if (c >= 0xd800 && c < 0xe000) {
			c = '?';
		}
		if (used + 5 > room)
			return -ENAMETOOLONG;
		used += put_utf8(c, text + used);
	}
	if (!room)
		return -ENAMETOOLONG;
	text[used] = 0;
	return 0;
}
