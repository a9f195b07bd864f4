/* SPDX-License-Identifier: GPL-2.0-only */
/* utf16.h - text of images, UTF-16 in little endian, and UTF-8 (pure) */
#ifndef OVID_VDISK_UTF16_H
#define OVID_VDISK_UTF16_H

#include "imagelib.h"

/* bytes written, no end mark; 0: no UTF-8, or no room */
u32 ovid_utf16_put(const char *text, u8 *to, u32 room);
/* with an end mark; a unit without its partner becomes "?".  -ENAMETOOLONG; -EUCLEAN: it has a 0 */
int ovid_utf16_get(const u8 *from, u32 len, char *text, size_t room);

#endif
