/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UTF-8 of our files and UTF-16 of the guest's messages, and of disk images (pure).
 */
#ifndef OVID_UTF16_H
#define OVID_UTF16_H

#include "../vmm/purelib.h"

/**
 * ovid_utf16_from - UTF-8 to UTF-16, NUL-terminated and padded with NULs
 * @out: @units of them; may be unaligned.  NULL: only look
 * @units: at least 1
 * @text: UTF-8
 * @len: bytes of it; a NUL must be among them
 *
 * Return: units written with the NUL, padding not counted; -EINVAL: @text has no NUL, is no
 * UTF-8 or does not fit.
 */
int ovid_utf16_from(void *out, u32 units, const char *text, u32 len);

/**
 * ovid_utf16_to - UTF-16 to UTF-8, NUL-terminated and padded with NULs
 * @out: 3 bytes for each unit, or 3 for each but one and 1
 * @len: bytes of @out
 * @in: may be unaligned
 * @units: at most that many are read; a NUL ends them, too
 *
 * What is no UTF-16 becomes U+FFFD; what does not fit is cut off at a character.
 *
 * Return: false: something was cut off.
 */
bool ovid_utf16_to(char *out, u32 len, const void *in, u32 units);

#endif
