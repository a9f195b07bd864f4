// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: a byte that chooses the unit, then packets of a storage channel, 64 bytes each,
 * the first of them by way of the handshake or not.
 *
 * A request of the protocol is decoded as a command: what is to be done lies within the disk, is
 * no more than the disk may be asked for, answers are within their buffer, and the unit's state
 * is one that can be.  Lists (of UNMAP, MODE SELECT, PERSISTENT RESERVE OUT) are what is left of the
 * input.
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
	{ .blocks = 1, .block_bytes = 512, .physical_bytes = 512, .max_transfer = 1 << 20, .serial = "x" },
	{ .blocks = 1000, .block_bytes = 512, .physical_bytes = 512, .max_transfer = 1 << 20, .unmaps = true,
	  .serial = "0123456789abcdef0123456789abcdef" },
	{ .blocks = 1ull << 40, .block_bytes = 4096, .physical_bytes = 4096, .max_transfer = 1 << 20, .unmaps = true },
	{ .blocks = 0x100000000ull, .block_bytes = 512, .physical_bytes = 512, .max_transfer = 4096, .read_only = true,
	  .unmaps = true, .serial = "r" },
	{ .blocks = 300, .block_bytes = 2048, .physical_bytes = 2048, .max_transfer = 1 << 20,
	  .dvd = true, .read_only = true, .serial = "d" },
	{ .block_bytes = 2048, .physical_bytes = 2048, .max_transfer = 1 << 20,
	  .dvd = true, .read_only = true, .serial = "e" },
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
		CHECK(req->data_bytes <= SCSI_DATA_BYTES);
		break;
	case SCSI_DO_PARAMETERS:
		CHECK(disk && req->data_bytes && req->data_bytes <= SCSI_DATA_BYTES);
		break;
	case SCSI_DO_VERIFY:
		check_within(disk, req->offset, req->bytes);
		CHECK(req->bytes <= disk->max_transfer && req->data_bytes == req->bytes);
		break;
	case SCSI_DO_COMPARE_WRITE:
		CHECK(!disk->read_only && req->bytes <= SCSI_MAX_COMPARE);
		check_within(disk, req->offset, req->bytes);
		CHECK(req->data_bytes == 2 * req->bytes);
		break;
	case SCSI_DO_LUNS:
		break;
	case SCSI_DO_READ:
		check_within(disk, req->offset, req->bytes);
		CHECK(req->bytes <= disk->max_transfer && req->data_bytes == req->bytes);
		break;
	case SCSI_DO_WRITE:
	case SCSI_DO_WRITE_VERIFY:
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
		CHECK(disk && !disk->dvd);
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
	CHECK(!sense || sense == SENSE_CONFLICT || packet->srb.sense[2] == sense >> 16);
}

/* a list that is there goes on with what there is of it, behind it zeroes */
static void go_on(const struct ovid_scsi_disk *disk, struct ovid_scsi_state *state, const u8 *cdb,
		  struct ovid_scsi_request *req, const u8 *rest, u32 bytes)
{
	/* just as long, so that reading beyond it is seen */
	u8 *list = calloc(1, req->data_bytes);

	if (!list)
		return;
	memcpy(list, rest, min(req->data_bytes, bytes));
	ovid_scsi_parameters(disk, state, cdb, req, list);
	CHECK(req->todo == SCSI_DO_ANSWER || (req->todo == SCSI_DO_FLUSH && !disk->dvd));
	CHECK(!req->data_bytes);
	free(list);
}

/* @data: a packet's, and what follows it */
static void run(const struct ovid_scsi_disk *disk, struct ovid_scsi_state *state,
		struct stor_w_packet *packet, const u8 *rest, u32 bytes)
{
	u8 answer[SCSI_DATA_BYTES], cdb[STOR_CDB_BYTES];
	struct ovid_scsi_request req;

	memcpy(cdb, packet->srb.cdb, sizeof(cdb));
	ovid_scsi_decode(disk, disk ? state : NULL, cdb, packet->srb.cdb_length, &req, answer);
	check_request(disk, &req, rest, bytes);
	if (req.todo == SCSI_DO_PARAMETERS)
		go_on(disk, state, cdb, &req, rest, bytes);
	CHECK(ovid_scsi_state_ok(state));
	check_end(packet, req.sense);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	enum ovid_stor_phase phase = STOR_PHASE_NEW;
	const struct ovid_scsi_disk *disk;
	struct ovid_scsi_state state = {};
	struct stor_w_packet packet;
	u16 subs;
	u32 n;
	u8 how;

	if (!len)
		return 0;
	how = *data++;
	len--;
	disk = (how & 7) < ARRAY_SIZE(disks) ? &disks[how & 7] : NULL;
	if (how & 8)
		phase = STOR_PHASE_READY;
	if (how & 16)
		ovid_scsi_reset(&state, BIT(ATTENTION_BUS_RESET));
	if (how & 64)
		ovid_scsi_medium(&state, how & 128);
	for (; len; data += n, len -= n) {
		n = min(len, sizeof(packet));
		memset(&packet, 0, sizeof(packet));
		memcpy(&packet, data, n);
		if (how & 32)
			packet.op = STOR_EXECUTE_SRB;
		subs = how >> 4;
		if (ovid_stor_packet(&phase, &packet, n, &subs) != STOR_DO_SRB) {
			CHECK(packet.op == STOR_COMPLETE && phase < STOR_PHASES);
			CHECK(subs <= how >> 4);
			continue;
		}
		run(disk, &state, &packet, data + n, len - n);
	}
	return 0;
}
