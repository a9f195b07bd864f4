// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of more than one step: what the guest has is compared with what is on the disk, and
 * something is written before or after that.  The disk's part is read in pieces into memory of
 * our own, and the guest's is looked at once.
 *
 * Each step is an ovid_image_io; when it has ended the channel's thread begins the next.  Between
 * two steps the request does not count as under way, and its disk may go: it is looked for again.
 */
#include <linux/bvec.h>
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "storage.h"

#define CHUNK	32768u	/* of the disk's that is compared at a time */

/**
 * struct stor_steps - where such a request stands; the channel's thread's
 * @todo: which of them it is
 * @unit_id: its disk
 * @offset: on the disk
 * @bytes: to be compared
 * @fua: of what is written
 * @late: it was given up, and has no other step
 * @written: that has begun
 * @compared: of @bytes
 * @differs: the one behind @compared
 * @vec: of @buf, for what is being read
 * @buf: CHUNK
 */
struct stor_steps {
	enum ovid_scsi_do todo;
	u64 unit_id;
	u64 offset;
	u32 bytes;
	bool fua;
	bool late;
	bool written;
	u32 compared;
	bool differs;
	struct bio_vec vec;
	u8 *buf;
};

int ovid_stor_steps_make(struct stor_request *req, const struct stor_unit *unit,
			 const struct ovid_scsi_request *scsi)
{
	struct stor_steps *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return -ENOMEM;
	/* so large that it begins on a page, as files want it */
	s->buf = kmalloc(CHUNK, GFP_KERNEL_ACCOUNT);
	if (!s->buf) {
		kfree(s);
		return -ENOMEM;
	}
	s->todo = scsi->todo;
	s->unit_id = unit->id;
	s->offset = scsi->offset;
	s->bytes = scsi->bytes;
	s->fua = scsi->fua;
	req->steps = s;
	atomic_inc(&req->queue->stor->nr_steps);
	return 0;
}

void ovid_stor_steps_free(struct stor_request *req)
{
	if (!req->steps)
		return;
	if (!req->steps->late)
		atomic_dec(&req->stor->nr_steps);
	kfree(req->steps->buf);
	kfree(req->steps);
	req->steps = NULL;
}

void ovid_stor_steps_late(struct stor_request *req)
{
	if (!req->steps)
		return;
	req->steps->late = true;
	atomic_dec(&req->stor->nr_steps);
}

bool ovid_stor_steps_differ(const struct stor_request *req, u32 *offset)
{
	if (!req->steps || !req->steps->differs)
		return false;
	*offset = req->steps->compared;
	return true;
}

bool ovid_stor_steps_alone(const struct stor_request *req)
{
	return req->steps && req->steps->todo == SCSI_DO_COMPARE_WRITE;
}

/* ---- comparing ---- */

static u32 first_difference(const u8 *a, const u8 *b, u32 bytes)
{
	u32 i;

	if (!memcmp(a, b, bytes))
		return bytes;
	for (i = 0; i < bytes && a[i] == b[i]; i++)
		;
	return i;
}

/* how many of the bytes that were read are the guest's */
static u32 compare(const struct ovid_chan_held *held, const struct stor_steps *s, u32 bytes)
{
	const struct bio_vec *vec = held->vec;
	u32 skip = s->compared, done = 0;

	for (; done < bytes; vec++) {
		const u8 *at = page_address(vec->bv_page) + vec->bv_offset;
		u32 n = min(vec->bv_len - min(skip, vec->bv_len), bytes - done), same;

		same = first_difference(at + skip, s->buf + done, n);
		done += same;
		if (same != n)
			break;
		skip -= min(skip, vec->bv_len);
	}
	return done;
}

/* ---- steps ---- */

static void begin_read(struct stor_unit *unit, struct stor_request *req)
{
	struct stor_steps *s = req->steps;

	req->io.op = IMAGE_READ;
	req->io.fua = false;
	req->io.offset = s->offset + s->compared;
	req->io.bytes = min(s->bytes - s->compared, CHUNK);
	bvec_set_virt(&s->vec, s->buf, req->io.bytes);
	req->io.vec = &s->vec;
	req->io.nr_vec = 1;
	ovid_stor_submit(unit, req);
}

/* what is behind the first @skip bytes of the guest's; those are not needed any more */
static void begin_write(struct stor_unit *unit, struct stor_request *req, u32 skip)
{
	struct stor_steps *s = req->steps;
	struct bio_vec *vec = req->held->vec;

	for (; skip >= vec->bv_len; vec++)
		skip -= vec->bv_len;
	vec->bv_offset += skip;
	vec->bv_len -= skip;
	s->written = true;
	req->io.op = IMAGE_WRITE;
	req->io.fua = s->fua;
	req->io.offset = s->offset;
	req->io.bytes = s->bytes;
	req->io.vec = vec;
	req->io.nr_vec = req->held->nr - (vec - req->held->vec);
	ovid_stor_submit(unit, req);
}

bool ovid_stor_step(struct stor_unit *unit, struct stor_request *req)
{
	struct stor_steps *s = req->steps;

	if (s->todo == SCSI_DO_WRITE_VERIFY && !s->written)
		begin_write(unit, req, 0);
	else if (s->compared < s->bytes)
		begin_read(unit, req);
	else if (s->todo == SCSI_DO_COMPARE_WRITE && !s->written)
		begin_write(unit, req, s->bytes);
	else
		return false;
	return true;
}

static bool is_within(const struct stor_unit *unit, const struct stor_steps *s)
{
	return s->offset + s->bytes <= unit->disk.blocks * unit->disk.block_bytes;
}

bool ovid_stor_next_step(struct stor_request *req)
{
	struct stor *stor = req->queue->stor;
	struct stor_steps *s = req->steps;
	struct stor_unit *unit;
	u32 same;

	/* what has been read; nothing has, before the first */
	if (req->io.op == IMAGE_READ && req->io.bytes) {
		same = compare(req->held, s, req->io.bytes);
		s->compared += same;
		s->differs = same != req->io.bytes;
		if (s->differs)
			return false;
	}
	guard(mutex)(&stor->units_lock);
	unit = ovid_stor_unit(stor, &req->packet.srb);
	if (!unit || unit->id != s->unit_id || !is_within(unit, s)) {
		req->err = -EIO;	/* detached meanwhile, or smaller */
		return false;
	}
	return ovid_stor_step(unit, req);
}
