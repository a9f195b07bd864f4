// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of an image, whatever its format.  A read or write that can be begun without waiting is,
 * by the channel's thread; the image's thread does all others.
 */
#include <linux/sched.h>
#include "image.h"

static int do_extents(struct ovid_image *image, const struct ovid_image_io *io)
{
	int err = 0;
	u32 i;

	for (i = 0; !err && i < io->nr_extents; i++) {
		err = image->ops->zero(image, &io->extents[i], io->op == IMAGE_UNMAP);
		cond_resched();
	}
	if (!err && io->fua)
		err = image->ops->flush(image);
	return err;
}

/* as the thread does it: it may wait */
static void image_job(struct ovid_job *job, bool killed)
{
	struct ovid_image_io *io = container_of(job, struct ovid_image_io, job);
	struct ovid_image *image = io->image;

	if (killed) {
		io->done(io, -EIO);
		return;
	}
	switch (io->op) {
	case IMAGE_READ:
	case IMAGE_WRITE:
		image->ops->rw(image, io);
		break;
	case IMAGE_FLUSH:
		io->done(io, image->ops->flush(image));
		break;
	case IMAGE_UNMAP:
	case IMAGE_ZERO:
		io->done(io, do_extents(image, io));
		break;
	}
}

void ovid_image_again(struct ovid_image_io *io)
{
	ovid_image_thread_add(&io->image->thread, &io->job, false);
}

void ovid_image_submit(struct ovid_image *image, struct ovid_image_io *io)
{
	io->image = image;
	io->job.run = image_job;
	if (io->op > IMAGE_WRITE || !image->ops->try(image, io))
		ovid_image_again(io);
}
