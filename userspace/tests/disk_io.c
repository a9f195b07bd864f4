// SPDX-License-Identifier: GPL-2.0-only
/*
 * disk_io FILE STEP... - use an image as a guest would: write:OFF:LEN:BYTE, discard:OFF:LEN, flush,
 * and at the end, if at all, crash: what was not flushed may be lost, and it is not closed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../lib/vdisk.h"

static int step(struct vdisk *disk, const char *text)
{
	unsigned long long off, len;
	unsigned int byte;
	u8 *buf;
	int ret;

	if (!strcmp(text, "flush"))
		return ovid_vdisk_flush(disk->image);
	if (sscanf(text, "discard:%llu:%llu", &off, &len) == 2)
		return ovid_vdisk_discard(disk->image, off, len, false);
	if (sscanf(text, "write:%llu:%llu:%u", &off, &len, &byte) != 3)
		return -EINVAL;
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	memset(buf, byte, len);
	ret = ovid_vdisk_write(disk->image, off, buf, len);
	free(buf);
	return ret;
}

int main(int argc, char **argv)
{
	struct failure why = { "" };
	struct vdisk *disk;
	int ret = argc > 1 ? vdisk_open(&disk, argv[1], -1, DISK_WRITE, &why) : -1;

	for (int i = 2; !ret && i < argc; i++) {
		if (!strcmp(argv[i], "crash")) {
			/* as when the process is killed */
			ovid_vdisk_abandon(disk->image);
			disk->image = NULL;
			break;
		}
		ret = step(disk, argv[i]);
		if (ret)
			fprintf(stderr, "%s: %s\n", argv[i], strerror(-ret));
	}
	if (why.text[0])
		fprintf(stderr, "%s\n", why.text);
	else
		ret = vdisk_close(disk, &why) ?: ret;
	return ret ? 1 : 0;
}
