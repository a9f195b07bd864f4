// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversion of text, both ways.  RFC 3629 and RFC 2781: no overlong forms, no
 * surrogates in UTF-8, nothing above U+10FFFF.
 */
#include "utf16.h"

#define REPLACEMENT	0xfffd

static bool is_high(u32 unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(u32 unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* the character at @p, which has @len bytes: bytes of it, or 0: it is none */
static u32 utf8_decode(const u8 *p, u32 len, u32 *code)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	u32 n, i;

	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] >= 0xc0 && p[0] < 0xe0)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] < 0xf0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] < 0xf8)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	*code = p[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff || is_high(*code) || is_low(*code))
		return 0;
	return n;
}

static u32 utf8_encode(u8 *p, u32 code)
{
	if (code < 0x80) {
		p[0] = code;
		return 1;
	}
	if (code < 0x800) {
		p[0] = 0xc0 | code >> 6;
		p[1] = 0x80 | (code & 0x3f);
		return 2;
	}
	if (code < 0x10000) {
		p[0] = 0xe0 | code >> 12;
		p[1] = 0x80 | (code >> 6 & 0x3f);
		p[2] = 0x80 | (code & 0x3f);
		return 3;
	}
	p[0] = 0xf0 | code >> 18;
	p[1] = 0x80 | (code >> 12 & 0x3f);
	p[2] = 0x80 | (code >> 6 & 0x3f);
	p[3] = 0x80 | (code & 0x3f);
	return 4;
}

static void put_unit(void *out, u32 at, u32 unit)
{
	u16 v = unit;

	if (out)
		memcpy((u8 *)out + 2 * at, &v, sizeof(v));
}

static u32 get_unit(const void *in, u32 at)
{
	return get_unaligned_le16((const u8 *)in + 2 * at);
}

int ovid_utf16_from(void *out, u32 units, const char *text, u32 len)
{
	const u8 *p = (const u8 *)text;
	u32 at = 0, i = 0, code, n;

	for (;;) {
		if (i >= len)
			return -EINVAL;
		n = utf8_decode(p + i, len - i, &code);
		if (!n)
			return -EINVAL;
		if (!code)
			break;
		i += n;
		n = code < 0x10000 ? 1 : 2;
		if (at + n >= units)
			return -EINVAL;
		if (n == 2) {
			put_unit(out, at, 0xd800 + ((code - 0x10000) >> 10));
			put_unit(out, at + 1, 0xdc00 + ((code - 0x10000) & 0x3ff));
		} else {
			put_unit(out, at, code);
		}
		at += n;
	}
	for (i = at; i < units; i++)
		put_unit(out, i, 0);
	return at + 1;
}

/* the character at unit @at: units of it */
static u32 utf16_decode(const void *in, u32 units, u32 at, u32 *code)
{
	u32 unit = get_unit(in, at), low;

	*code = unit;
	if (is_low(unit))
		*code = REPLACEMENT;
	if (!is_high(unit))
		return 1;
	low = at + 1 < units ? get_unit(in, at + 1) : 0;
	if (!is_low(low)) {
		*code = REPLACEMENT;
		return 1;
	}
	*code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	return 2;
}

bool ovid_utf16_to(char *out, u32 len, const void *in, u32 units)
{
	u32 at = 0, used = 0, code, n;
	bool fits = true;
	u8 bytes[4];

	while (at < units) {
		at += utf16_decode(in, units, at, &code);
		if (!code)
			break;
		n = utf8_encode(bytes, code);
		fits = used + n < len;
		if (!fits)
			break;
		memcpy(out + used, bytes, n);
		used += n;
	}
	memset(out + used, 0, len - used);
	return fits;
}
