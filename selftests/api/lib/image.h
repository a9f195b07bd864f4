/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image.h - disk images in files of memory, made by the code that the module has of them.
 */
#ifndef OVID_TEST_IMAGE_H
#define OVID_TEST_IMAGE_H

#include "../../../vsp/storage/image/vdisk.h"

/* the file of a new image; @parent: of a differencing one, the file, open */
int image_make(const struct ovid_vdisk_params *params, int parent);
/* 512 bytes of @byte are written at its begin and flushed; then it is left as a crash does */
int image_crash(int fd, uint8_t byte);
/* its first byte; negative: it was not closed, or cannot be opened */
int image_first(int fd);

#endif
