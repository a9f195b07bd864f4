// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhdx_header.c - the two headers.  The one that is current has the higher sequence number of those
 * whose sum is right; a new one is written over the other, and becomes it.
 */
#include "crc32c.h"
#include "vhdx.h"

/* of the whole, with zeros where the sum itself is */
static u32 sum_of(u8 *bytes, u32 len)
{
	u32 was = get_unaligned_le32(bytes + VHDX_CHECKSUM), sum;

	put_unaligned_le32(0, bytes + VHDX_CHECKSUM);
	sum = ovid_crc32c(0, bytes, len);
	put_unaligned_le32(was, bytes + VHDX_CHECKSUM);
	return sum;
}

bool ovid_vhdx_sum_is_right(u8 *bytes, u32 len)
{
	return get_unaligned_le32(bytes + VHDX_CHECKSUM) == sum_of(bytes, len);
}

void ovid_vhdx_put_sum(u8 *bytes, u32 len)
{
	put_unaligned_le32(sum_of(bytes, len), bytes + VHDX_CHECKSUM);
}

static bool header_ok(u8 *header)
{
	return !memcmp(header, "head", 4) && ovid_vhdx_sum_is_right(header, VHDX_HEADER_LEN);
}

/* 0, 1: this one is current; -1: neither is any good, or both say that they are and differ */
static int choose(u8 *header[2], u32 *notes)
{
	bool ok[2] = { header_ok(header[0]), header_ok(header[1]) };
	u64 a = get_unaligned_le64(header[0] + VHDX_SEQUENCE);
	u64 b = get_unaligned_le64(header[1] + VHDX_SEQUENCE);

	if (!ok[0] || !ok[1])
		*notes |= OVID_CHECK_HEADER;
	if (ok[0] && ok[1] && a == b)
		return memcmp(header[0], header[1], VHDX_HEADER_LEN) ? -1 : 0;
	if (ok[0] && (!ok[1] || a > b))
		return 0;
	return ok[1] ? 1 : -1;
}

static int take_header(struct ovid_vdisk *image, const char **why)
{
	static const u8 none[16];
	struct ovid_vhdx *v = vhdx_of(image);

	if (get_unaligned_le16(v->header + VHDX_VERSION) != 1 ||
	    get_unaligned_le16(v->header + VHDX_LOG_VERSION))
		return OVID_FAIL(why, EOPNOTSUPP, "its version is not known");
	v->sequence = get_unaligned_le64(v->header + VHDX_SEQUENCE);
	v->log_off = get_unaligned_le64(v->header + VHDX_LOG_OFF);
	v->log_len = get_unaligned_le32(v->header + VHDX_LOG_LEN);
	v->logged = memcmp(v->header + VHDX_LOG_ID, none, 16);
	if (!v->log_len || v->log_len % VHDX_ALIGN || v->log_off % VHDX_ALIGN ||
	    v->log_off < VHDX_ALIGN || !ovid_fits(v->log_off, v->log_len, image->file_size))
		return OVID_FAIL(why, EUCLEAN, "its log is not where one can be");
	if (v->log_len > VHDX_MAX_LOG)
		return OVID_FAIL(why, EOPNOTSUPP, "its log is longer than 64 MiB");
	memcpy(image->info.write_id, v->header + VHDX_DATA_WRITE_ID, 16);
	return 0;
}

int ovid_vhdx_load_header(struct ovid_vdisk *image, const char **why)
{
	struct ovid_vhdx *v = vhdx_of(image);
	u8 *both = kvzalloc(2 * VHDX_HEADER_LEN, GFP_KERNEL_ACCOUNT);
	u8 *header[2] = { both, both + VHDX_HEADER_LEN };
	int ret = both ? 0 : -ENOMEM, which;

	if (!ret && image->file_size < VHDX_ALIGN)
		ret = OVID_FAIL(why, EINVAL, "it is no VHDX");
	ret = ret ?: image->ops->read(image->ctx, 0, both, 8);
	if (!ret && memcmp(both, "vhdxfile", 8))
		ret = OVID_FAIL(why, EINVAL, "it is no VHDX");
	ret = ret ?: image->ops->read(image->ctx, VHDX_HEADER_AT(0), header[0], VHDX_HEADER_LEN);
	ret = ret ?: image->ops->read(image->ctx, VHDX_HEADER_AT(1), header[1], VHDX_HEADER_LEN);
	if (ret)
		goto out;
	which = choose(header, &v->notes);
	if (which < 0) {
		ret = OVID_FAIL(why, EUCLEAN, "both of its headers are damaged");
		goto out;
	}
	v->current_header = which;
	memcpy(v->header, header[which], VHDX_HEADER_LEN);
	ret = take_header(image, why);
out:
	kvfree(both);
	return ret;
}

static int write_header(struct ovid_vdisk *image)
{
	struct ovid_vhdx *v = vhdx_of(image);
	unsigned int other = !v->current_header;
	int ret;

	put_unaligned_le64(v->sequence + 1, v->header + VHDX_SEQUENCE);
	ovid_vhdx_put_sum(v->header, VHDX_HEADER_LEN);
	ret = image->ops->write(image->ctx, VHDX_HEADER_AT(other), v->header, VHDX_HEADER_LEN);
	ret = ret ?: image->ops->flush(image->ctx);
	if (ret)
		return ret;
	v->sequence++;
	v->current_header = other;
	return 0;
}

int ovid_vhdx_write_headers(struct ovid_vdisk *image)
{
	return write_header(image) ?: write_header(image);
}

/* before the first change: children of this image, and those who keep copies, have to see it */
int ovid_vhdx_touch(struct ovid_vdisk *image, const u8 *write_id)
{
	struct ovid_vhdx *v = vhdx_of(image);
	int ret;

	image->ops->random(image->ctx, v->header + VHDX_FILE_WRITE_ID, 16);
	if (write_id)
		memcpy(v->header + VHDX_DATA_WRITE_ID, write_id, 16);
	ret = ovid_vhdx_write_headers(image);
	if (!ret)
		memcpy(image->info.write_id, v->header + VHDX_DATA_WRITE_ID, 16);
	return ret;
}

/* everything is flushed: nothing needs the log any more */
int ovid_vhdx_finish(struct ovid_vdisk *image)
{
	struct ovid_vhdx *v = vhdx_of(image);
	int ret;

	if (!v->logged)
		return 0;
	/* what the last commit wrote in its place */
	ret = image->ops->flush(image->ctx);
	memset(v->header + VHDX_LOG_ID, 0, 16);
	ret = ret ?: ovid_vhdx_write_headers(image);
	v->logged = ret;
	return ret;
}
