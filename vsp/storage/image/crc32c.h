/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OVID_CRC32C_H
#define OVID_CRC32C_H

#include "imagelib.h"

/* goes on from @crc; 0 to begin with */
u32 ovid_crc32c(u32 crc, const void *data, size_t len);

#endif
