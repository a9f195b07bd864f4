// SPDX-License-Identifier: GPL-2.0-only
/* load_image.c - bounded reads of the files that are loaded. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"

int image_open(struct image *img, int fd, const char *name, struct failure *why)
{
	const char *base = strrchr(name, '/');
	struct stat st;

	img->fd = fd;
	snprintf(img->name, sizeof(img->name), "%s", base ? base + 1 : name);
	if (fstat(fd, &st))
		return fail(why, OVID_X_HOST, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(why, OVID_X_USAGE,
			    "%s is not a regular file; give the file itself", name);
	if (!st.st_size)
		return fail(why, OVID_X_USAGE, "%s is empty", name);
	img->size = st.st_size;
	return 0;
}

static int read_all(const struct image *img, u64 offset, u8 *to, u64 len,
		    struct failure *why)
{
	while (len) {
		ssize_t done = pread(img->fd, to, len, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail(why, OVID_X_HOST, "cannot read %s: %s", img->name,
				    strerror(errno));
		if (!done)
			return fail(why, OVID_X_HOST,
				    "%s became shorter while it was read", img->name);
		to += done;
		offset += done;
		len -= done;
	}
	return 0;
}

int image_read(const struct image *img, u64 offset, void *to, u64 len, struct failure *why)
{
	if (offset > img->size || len > img->size - offset)
		return fail(why, OVID_X_USAGE,
			    "%s is cut short or damaged: it points past its own end", img->name);
	return read_all(img, offset, to, len, why);
}

int image_load(const struct image *img, u64 offset, u64 len, const struct gmem *gm,
	       u64 gpa, struct failure *why)
{
	u8 *to = gmem_at(gm, gpa, len);

	if (!to)
		return fail(why, OVID_X_USAGE,
			    "%s does not fit into memory at %#llx; give more --memory",
			    img->name, (unsigned long long)gpa);
	return image_read(img, offset, to, len, why);
}
