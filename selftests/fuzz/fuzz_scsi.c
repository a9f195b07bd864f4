// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: a byte that chooses the disk, then packets of a storage channel, 64 bytes each,
 * the first of them by way of the handshake or not.
 *
 * A request of the protocol is decoded as a command: what is to be done lies within the disk, is
 * no more than the disk may be asked for, and answers are within their buffer.  Lists of an UNMAP
 * are what is left of the input.
 */
#include <stdio.h>
#include "vsp/storage/scsi.h"
#include "vsp/storage/vstor.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define CHECK(x) do {							\
	if (!(x)) {							\
		fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #x);	\
		abort();						\
	}								\
} while (0)

static const struct ovid_scsi_disk disks[] = {
	{ .blocks = 1, .block_bytes = 512, .max_transfer = 1 << 20, .serial = "x" },
	{ .blocks = 1000, .block_bytes = 512, .max_transfer = 1 << 20, .unmaps = true,
	  .serial = "0123456789abcdef0123456789abcdef" },
	{ .blocks = 1ull << 40, .block_bytes = 4096, .max_transfer = 1 << 20, .unmaps = true },
	{ .blocks = 0x100000000ull, .block_bytes = 512, .max_transfer = 4096, .read_only = true,
	  .unmaps = true, .serial = "r" },
};

static void check_within(const struct ovid_scsi_disk *disk, u64 offset, u64 bytes)
{
	u64 size = disk->blocks * disk->block_bytes;

	CHECK(bytes && offset <= size && bytes <= size - offset);
	CHECK(offset % disk->block_bytes == 0 && bytes % disk->block_bytes == 0);
}

static void check_list(const struct ovid_scsi_disk *disk, const u8 *list, u32 bytes)
{
	struct ovid_scsi_extent extents[SCSI_MAX_UNMAP];
	u32 sense, n, i;

	n = ovid_scsi_unmap_list(disk, list, bytes, extents, &sense);
	CHECK(n <= SCSI_MAX_UNMAP && (!n || !sense));
	for (i = 0; i < n; i++)
		check_within(disk, extents[i].offset, extents[i].bytes);
}

static void check_request(const struct ovid_scsi_disk *disk, const struct ovid_scsi_request *req,
			  const u8 *rest, u32 bytes)
{
	switch (req->todo) {
	case SCSI_DO_ANSWER:
		CHECK(req->data_bytes <= 256);	/* what is zeroed before */
		break;
	case SCSI_DO_LUNS:
		break;
	case SCSI_DO_READ:
		check_within(disk, req->offset, req->bytes);
		CHECK(req->bytes <= disk->max_transfer && req->data_bytes == req->bytes);
		break;
	case SCSI_DO_WRITE:
		CHECK(!disk->read_only);
		check_within(disk, req->offset, req->bytes);
		CHECK(req->bytes <= disk->max_transfer && req->data_bytes == req->bytes);
		break;
	case SCSI_DO_ZERO:
		CHECK(!disk->read_only);
		check_within(disk, req->offset, req->bytes);
		CHECK(!req->data_bytes || req->data_bytes == disk->block_bytes);
		break;
	case SCSI_DO_UNMAP:
		CHECK(!disk->read_only && disk->unmaps && req->data_bytes <= SCSI_DATA_BYTES);
		check_list(disk, rest, min(req->data_bytes, bytes));
		break;
	case SCSI_DO_FLUSH:
		CHECK(disk);
		break;
	}
}

/* an end of it, as it is told */
static void check_end(struct stor_w_packet *packet, u32 sense)
{
	if (sense)
		ovid_stor_check(packet, sense, 0);
	else
		ovid_stor_good(packet, 512);
	CHECK(packet->op == STOR_COMPLETE && !packet->status);
	CHECK(!sense || packet->srb.sense[2] == sense >> 16);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	enum ovid_stor_phase phase = STOR_PHASE_NEW;
	const struct ovid_scsi_disk *disk;
	u8 answer[SCSI_DATA_BYTES], how;
	struct ovid_scsi_request req;
	struct stor_w_packet packet;
	u32 attention = 0, n;
	u8 cdb[STOR_CDB_BYTES];

	if (!len)
		return 0;
	how = *data++;
	len--;
	disk = how & 4 ? NULL : &disks[how & 3];
	if (how & 8)
		phase = STOR_PHASE_READY;
	if (how & 16)
		attention = SENSE_BUS_RESET;
	for (; len; data += n, len -= n) {
		n = min(len, sizeof(packet));
		memset(&packet, 0, sizeof(packet));
		memcpy(&packet, data, n);
		if (how & 32)
			packet.op = STOR_EXECUTE_SRB;
		if (ovid_stor_packet(&phase, &packet, n) != STOR_DO_SRB) {
			CHECK(packet.op == STOR_COMPLETE && phase < STOR_PHASES);
			continue;
		}
		memcpy(cdb, packet.srb.cdb, sizeof(cdb));
		ovid_scsi_decode(disk, cdb, packet.srb.cdb_length, &attention, &req, answer);
		check_request(disk, &req, data + n, len - n);
		check_end(&packet, req.sense);
	}
	return 0;
}
