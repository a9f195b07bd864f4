// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for scsi.c and vstor.c: each command, each refusal, the handshake in and out of order.
 * What any bytes do is selftests/fuzz/fuzz_scsi.c.
 */
#include <kunit/test.h>
#include "scsi.c"
#include "vstor.c"

#define BLOCKS	0x12345ull

static const struct ovid_scsi_disk usual = {
	.blocks = BLOCKS, .block_bytes = 512, .max_transfer = 1 << 20, .unmaps = true,
	.serial = "serial-1",
};

static struct ovid_scsi_request req;
static u8 answered[SCSI_DATA_BYTES];

/* a command of 16 bytes or less, the rest is zeroes; returns its sense */
static u32 run_on(const struct ovid_scsi_disk *disk, u32 *attention, u32 bytes, const u8 *words)
{
	u8 cdb[16] = {};

	memcpy(cdb, words, bytes);
	memset(answered, 0xee, sizeof(answered));
	ovid_scsi_decode(disk, cdb, bytes, attention, &req, answered);
	return req.sense;
}

static u32 run_usual(u32 bytes, const u8 *words)
{
	u32 none = 0;

	return run_on(&usual, &none, bytes, words);
}

#define RUN_ON(disk, ...) ({					\
	u32 none_ = 0;						\
	const u8 words_[] = { __VA_ARGS__ };			\
	run_on(disk, &none_, sizeof(words_), words_); })
#define RUN(...) ({						\
	const u8 words_[] = { __VA_ARGS__ };			\
	run_usual(sizeof(words_), words_); })

#define EXPECT_ANSWER(bytes, sense_) do {				\
	KUNIT_EXPECT_EQ(test, SCSI_DO_ANSWER, req.todo);		\
	KUNIT_EXPECT_EQ(test, (u32)(bytes), req.data_bytes);		\
	KUNIT_EXPECT_EQ(test, (u32)(sense_), req.sense);		\
} while (0)

#define EXPECT_TRANSFER(todo_, offset_, bytes_, fua_) do {		\
	KUNIT_EXPECT_EQ(test, todo_, req.todo);				\
	KUNIT_EXPECT_EQ(test, (u64)(offset_), req.offset);		\
	KUNIT_EXPECT_EQ(test, (u64)(bytes_), req.bytes);		\
	KUNIT_EXPECT_EQ(test, (u32)(bytes_), req.data_bytes);		\
	KUNIT_EXPECT_EQ(test, fua_, req.fua);				\
} while (0)

static void identity(struct kunit *test)
{
	RUN(0x12, 0, 0, 0, 36, 0);
	EXPECT_ANSWER(36, 0);
	KUNIT_EXPECT_EQ(test, 0, answered[0]);
	KUNIT_EXPECT_EQ(test, 5, answered[2]);
	KUNIT_EXPECT_EQ(test, 31, answered[4]);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered + 8, "Msft    Virtual Disk    1.0 ", 28));
	RUN(0x12, 0, 0, 0, 5, 0);
	EXPECT_ANSWER(5, 0);
	RUN(0x12, 0, 0x80, 0, 36, 0);		/* a page without EVPD */
	EXPECT_ANSWER(0, SENSE_BAD_FIELD);

	RUN(0x12, 1, 0, 1, 0, 0);
	EXPECT_ANSWER(10, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\0\0\6\0\x80\x83\xb0\xb1\xb2", 10));
	RUN(0x12, 1, 0x80, 0, 255, 0);
	EXPECT_ANSWER(12, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\x80\0\10serial-1", 12));
	RUN(0x12, 1, 0x83, 0, 255, 0);
	EXPECT_ANSWER(24, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\x83\0\24\2\1\0\20Msft    serial-1", 24));
	RUN(0x12, 1, 0xb0, 0, 255, 0);
	EXPECT_ANSWER(64, 0);
	KUNIT_EXPECT_EQ(test, 2048ull, get_be(answered + 8, 4));
	KUNIT_EXPECT_EQ(test, 64ull, get_be(answered + 24, 4));
	RUN(0x12, 1, 0xb1, 0, 255, 0);
	EXPECT_ANSWER(64, 0);
	KUNIT_EXPECT_EQ(test, 1ull, get_be(answered + 4, 2));
	RUN(0x12, 1, 0xb2, 0, 255, 0);
	EXPECT_ANSWER(8, 0);
	KUNIT_EXPECT_EQ(test, 0xe4, answered[5]);
	KUNIT_EXPECT_EQ(test, 2, answered[6]);
	RUN(0x12, 1, 0x84, 0, 255, 0);		/* no such page: a head all the same */
	EXPECT_ANSWER(4, SENSE_BAD_FIELD);
}

static void nobody(struct kunit *test)
{
	RUN_ON(NULL, 0x12, 0, 0, 0, 36, 0);
	EXPECT_ANSWER(36, 0);
	KUNIT_EXPECT_EQ(test, 0x7f, answered[0]);
	RUN_ON(NULL, 0x12, 1, 0x80, 0, 36, 0);
	KUNIT_EXPECT_EQ(test, 0x7f, answered[0]);
	RUN_ON(NULL, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_LUNS, req.todo);
	KUNIT_EXPECT_EQ(test, 16u, req.alloc);
	RUN_ON(NULL, 0, 0, 0, 0, 0, 0);
	EXPECT_ANSWER(0, SENSE_NO_LUN);
	RUN_ON(NULL, 0xff, 0);
	EXPECT_ANSWER(0, SENSE_NO_LUN);
	RUN_ON(NULL, 3, 0, 0, 0, 18, 0);
	EXPECT_ANSWER(18, 0);
	KUNIT_EXPECT_EQ(test, 0x25, answered[12]);
}

static void modes(struct kunit *test)
{
	struct ovid_scsi_disk read_only = usual;

	read_only.read_only = true;
	RUN(0x1a, 0, 0x3f, 0, 255, 0);
	EXPECT_ANSWER(4 + 20 + 12, 0);
	KUNIT_EXPECT_EQ(test, 35, answered[0]);
	KUNIT_EXPECT_EQ(test, 0x10, answered[2]);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered + 4, "\x08\x12\x04", 3));
	RUN_ON(&read_only, 0x1a, 0, 0x08, 0, 4, 0);
	EXPECT_ANSWER(4, 0);
	KUNIT_EXPECT_EQ(test, 0x90, answered[2]);
	RUN(0x5a, 0, 0x08, 0, 0, 0, 0, 1, 0, 0);
	EXPECT_ANSWER(28, 0);
	KUNIT_EXPECT_EQ(test, 26, answered[1]);
	KUNIT_EXPECT_EQ(test, 0x10, answered[3]);
	KUNIT_EXPECT_EQ(test, 4, answered[8 + 2]);
	RUN(0x5a, 0, 0x48, 0, 0, 0, 0, 1, 0, 0);	/* what may be changed: nothing */
	KUNIT_EXPECT_EQ(test, 0, answered[8 + 2]);
	RUN(0x1a, 0, 0x08, 1, 255, 0);
	EXPECT_ANSWER(4, SENSE_BAD_FIELD);
	RUN(0x1a, 0, 0x1c, 0, 255, 0);
	EXPECT_ANSWER(4, SENSE_BAD_FIELD);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x1a, 0, 0xc8, 0, 255, 0));
}

static void capacity(struct kunit *test)
{
	struct ovid_scsi_disk large = usual;

	RUN(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	EXPECT_ANSWER(8, 0);
	KUNIT_EXPECT_EQ(test, BLOCKS - 1, get_be(answered, 4));
	KUNIT_EXPECT_EQ(test, 512ull, get_be(answered + 4, 4));
	large.blocks = 1ull << 33;
	RUN_ON(&large, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, 0xffffffffull, get_be(answered, 4));
	RUN_ON(&large, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
	EXPECT_ANSWER(32, 0);
	KUNIT_EXPECT_EQ(test, (1ull << 33) - 1, get_be(answered, 8));
	KUNIT_EXPECT_EQ(test, 0xc0, answered[14]);
	RUN(0x9e, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
	EXPECT_ANSWER(0, SENSE_BAD_FIELD);
}

static void transfers(struct kunit *test)
{
	RUN(0x08, 0, 0x12, 0x34, 0, 0);
	EXPECT_TRANSFER(SCSI_DO_READ, 0x1234 * 512, 256 * 512, false);
	RUN(0x0a, 0xe0, 0, 1, 2, 0);		/* where a LUN was once */
	EXPECT_TRANSFER(SCSI_DO_WRITE, 512, 1024, false);
	RUN(0x28, 0x08, 0, 0, 0x12, 0x34, 0, 0, 8, 0);
	EXPECT_TRANSFER(SCSI_DO_READ, 0x1234 * 512, 4096, true);
	RUN(0x2a, 0x10, 0, 0, 0, 7, 0, 8, 0, 0);
	EXPECT_TRANSFER(SCSI_DO_WRITE, 7 * 512, 1 << 20, false);
	RUN(0xa8, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0);
	EXPECT_TRANSFER(SCSI_DO_READ, 7 * 512, 512, false);
	RUN(0xaa, 8, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0);
	EXPECT_TRANSFER(SCSI_DO_WRITE, 7 * 512, 512, true);
	RUN(0x88, 0, 0, 0, 0, 0, 0, 1, 0x23, 0x44, 0, 0, 0, 1, 0, 0);
	EXPECT_TRANSFER(SCSI_DO_READ, (BLOCKS - 1) * 512, 512, false);
	RUN(0x8a, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0);
	EXPECT_TRANSFER(SCSI_DO_WRITE, 0x10000 * 512, 512, true);

	RUN(0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0);	/* of nothing */
	EXPECT_ANSWER(0, 0);
	RUN(0x28, 0, 0, 1, 0x23, 0x45, 0, 0, 0, 0);
	EXPECT_ANSWER(0, 0);
	RUN(0x28, 0, 0, 1, 0x23, 0x45, 0, 0, 1, 0);
	EXPECT_ANSWER(0, SENSE_OUT_OF_RANGE);
	RUN(0x28, 0, 0, 1, 0x23, 0x44, 0, 0, 2, 0);
	EXPECT_ANSWER(0, SENSE_OUT_OF_RANGE);
	RUN(0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0);
	EXPECT_ANSWER(0, SENSE_OUT_OF_RANGE);
	RUN(0x28, 0, 0, 0, 0, 0, 0, 8, 1, 0);	/* more than the limit */
	EXPECT_ANSWER(0, SENSE_BAD_FIELD);
	RUN(0x28, 0x20, 0, 0, 0, 0, 0, 0, 1, 0);	/* protection information */
	EXPECT_ANSWER(0, SENSE_BAD_FIELD);
}

static void others(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0u, RUN(0, 0, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, 0u, RUN(0x1b, 0, 0, 0, 1, 0));
	KUNIT_EXPECT_EQ(test, 0u, RUN(0x2f, 0, 0, 0, 0, 0, 0, 0, 1, 0));
	EXPECT_ANSWER(0, 0);
	KUNIT_EXPECT_EQ(test, SENSE_OUT_OF_RANGE, RUN(0x2f, 0, 9, 0, 0, 0, 0, 0, 1, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x2f, 2, 0, 0, 0, 0, 0, 0, 1, 0));
	RUN(0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_FLUSH, req.todo);
	RUN(0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_FLUSH, req.todo);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_OPCODE, RUN(0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_OPCODE,
			RUN(0x85, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_OPCODE, RUN(0x28, 0, 0, 0, 0, 0, 0, 0, 1));	/* short */
	KUNIT_EXPECT_EQ(test, SENSE_BAD_OPCODE, RUN(0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}

static void zeroes(struct kunit *test)
{
	struct ovid_scsi_disk plain = usual;

	RUN(0x41, 8, 0, 0, 0, 2, 0, 0xff, 0xff, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_ZERO, req.todo);
	KUNIT_EXPECT_EQ(test, 0xffffull * 512, req.bytes);
	KUNIT_EXPECT_EQ(test, 512u, req.data_bytes);
	KUNIT_EXPECT_TRUE(test, req.may_unmap);
	RUN(0x93, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_ZERO, req.todo);
	KUNIT_EXPECT_EQ(test, 0u, req.data_bytes);
	KUNIT_EXPECT_FALSE(test, req.may_unmap);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x41, 0, 0, 0, 0, 2, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x41, 0x10, 0, 0, 0, 2, 0, 0, 1, 0));

	RUN(0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_UNMAP, req.todo);
	KUNIT_EXPECT_EQ(test, 24u, req.data_bytes);
	RUN(0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	EXPECT_ANSWER(0, 0);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_LENGTH, RUN(0x42, 0, 0, 0, 0, 0, 0, 0, 7, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_LENGTH, RUN(0x42, 0, 0, 0, 0, 0, 0, 0x10, 1, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x42, 1, 0, 0, 0, 0, 0, 0, 24, 0));
	plain.unmaps = false;
	KUNIT_EXPECT_EQ(test, SENSE_BAD_OPCODE, RUN_ON(&plain, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0));
}

static void no_writes(struct kunit *test)
{
	struct ovid_scsi_disk disk = usual;

	disk.read_only = true;
	KUNIT_EXPECT_EQ(test, SENSE_WRITE_PROTECTED, RUN_ON(&disk, 0x0a, 0, 0, 1, 2, 0));
	KUNIT_EXPECT_EQ(test, SENSE_WRITE_PROTECTED,
			RUN_ON(&disk, 0x2a, 0, 0, 0, 0, 7, 0, 0, 1, 0));
	KUNIT_EXPECT_EQ(test, SENSE_WRITE_PROTECTED,
			RUN_ON(&disk, 0x41, 0, 0, 0, 0, 7, 0, 0, 1, 0));
	KUNIT_EXPECT_EQ(test, SENSE_WRITE_PROTECTED,
			RUN_ON(&disk, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0));
	RUN_ON(&disk, 0x28, 0, 0, 0, 0, 7, 0, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_READ, req.todo);
}

static u32 pieces(const u8 *list, u32 bytes, struct ovid_scsi_extent *out, u32 *sense)
{
	return ovid_scsi_unmap_list(&usual, list, bytes, out, sense);
}

static void unmap_lists(struct kunit *test)
{
	static struct ovid_scsi_extent out[SCSI_MAX_UNMAP];
	static u8 list[8 + 65 * 16];
	u32 sense;

	memset(list, 0, sizeof(list));
	put_be(list + 2, 2, 48);
	put_be(list + 8, 8, 3);
	put_be(list + 16, 4, 5);
	put_be(list + 24, 8, 9);		/* nothing */
	put_be(list + 40, 8, BLOCKS - 1);
	put_be(list + 48, 4, 1);
	KUNIT_EXPECT_EQ(test, 2u, pieces(list, 56, out, &sense));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, sense);
	KUNIT_EXPECT_EQ(test, 3ull * 512, out[0].offset);
	KUNIT_EXPECT_EQ(test, 5ull * 512, out[0].bytes);
	KUNIT_EXPECT_EQ(test, (BLOCKS - 1) * 512, out[1].offset);
	KUNIT_EXPECT_EQ(test, 1u, pieces(list, 55, out, &sense));	/* the last is not whole */
	put_be(list + 48, 4, 2);
	KUNIT_EXPECT_EQ(test, 0u, pieces(list, 56, out, &sense));
	KUNIT_EXPECT_EQ(test, SENSE_OUT_OF_RANGE, sense);
	put_be(list + 40, 8, ~0ull);
	KUNIT_EXPECT_EQ(test, 0u, pieces(list, 56, out, &sense));
	KUNIT_EXPECT_EQ(test, SENSE_OUT_OF_RANGE, sense);
	put_be(list + 2, 2, 65 * 16);
	KUNIT_EXPECT_EQ(test, 0u, pieces(list, sizeof(list), out, &sense));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_PARAMETER, sense);
	KUNIT_EXPECT_EQ(test, 0u, pieces(list, 7, out, &sense));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_LENGTH, sense);
}

static void attentions(struct kunit *test)
{
	static const u8 ready[6], inquire[6] = { 0x12, 0, 0, 0, 36 }, ask[6] = { 3, 0, 0, 0, 18 };
	u32 attention = SENSE_BUS_RESET;

	KUNIT_EXPECT_EQ(test, SENSE_NONE, run_on(&usual, &attention, 6, inquire));
	KUNIT_EXPECT_EQ(test, SENSE_BUS_RESET, run_on(&usual, &attention, 6, ready));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, attention);
	KUNIT_EXPECT_EQ(test, SENSE_NONE, run_on(&usual, &attention, 6, ready));
	attention = SENSE_CAPACITY_CHANGED;
	KUNIT_EXPECT_EQ(test, SENSE_NONE, run_on(&usual, &attention, 6, ask));
	EXPECT_ANSWER(18, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\x70\0\6\0\0\0\0\12\0\0\0\0\x2a\x09", 14));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, attention);
}

static void luns(struct kunit *test)
{
	static const u8 three[32] = { 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				      0, 5, 0, 0, 0, 0, 0, 0, 0, 63 };

	KUNIT_EXPECT_EQ(test, 32u, ovid_scsi_luns(BIT_ULL(63) | BIT_ULL(5) | 1, 4096, answered));
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, three, 32));
	KUNIT_EXPECT_EQ(test, 16u, ovid_scsi_luns(7, 16, answered));
	KUNIT_EXPECT_EQ(test, 24, answered[3]);
	KUNIT_EXPECT_EQ(test, 8u, ovid_scsi_luns(0, 4096, answered));
	KUNIT_EXPECT_EQ(test, 520u, ovid_scsi_luns(~0ull, 4096, answered));
}

/* ---- the protocol ---- */

static struct stor_w_packet packet;
static enum ovid_stor_phase phase;

/* what to do, or the status of the answer */
static u32 said(u32 op, u32 bytes)
{
	enum ovid_stor_do todo;

	packet.op = op;
	packet.status = 0x77;
	todo = ovid_stor_packet(&phase, &packet, bytes);
	if (todo == STOR_DO_SRB)
		return 1000;
	if (packet.op != STOR_COMPLETE)
		return 3000;
	return todo == STOR_DO_RESET ? 2000 : packet.status;
}

static void handshakes(struct kunit *test)
{
	static const u16 known[] = { 0x0200, 0x0402, 0x0501, 0x0600, 0x0602 };
	u32 i;

	phase = STOR_PHASE_NEW;
	KUNIT_EXPECT_EQ(test, STOR_INVALID_STATE, said(STOR_EXECUTE_SRB, 64));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_STATE, said(STOR_RESET_BUS, 64));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_STATE, said(STOR_QUERY_VERSION, 64));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_STATE, said(STOR_END_INITIALIZATION, 64));
	KUNIT_EXPECT_EQ(test, STOR_OK, said(STOR_BEGIN_INITIALIZATION, 64));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_STATE, said(STOR_BEGIN_INITIALIZATION, 64));
	packet.version.version = 0x0700;
	KUNIT_EXPECT_EQ(test, STOR_REVISION_MISMATCH, said(STOR_QUERY_VERSION, 64));
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		packet.version.version = known[i];
		KUNIT_EXPECT_EQ(test, STOR_OK, said(STOR_QUERY_VERSION, 64));
	}
	KUNIT_EXPECT_EQ(test, STOR_OK, said(STOR_QUERY_PROPERTIES, 64));
	KUNIT_EXPECT_EQ(test, STOR_MAX_TRANSFER, packet.properties.max_transfer);
	KUNIT_EXPECT_EQ(test, 0, packet.properties.max_channels);
	KUNIT_EXPECT_EQ(test, STOR_OK, said(STOR_END_INITIALIZATION, 64));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_STATE, said(STOR_QUERY_PROPERTIES, 64));
	KUNIT_EXPECT_EQ(test, 1000u, said(STOR_EXECUTE_SRB, 48));
	KUNIT_EXPECT_EQ(test, 2000u, said(STOR_RESET_BUS, 64));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_REQUEST, said(STOR_EXECUTE_SRB, 40));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_REQUEST, said(99, 64));
	KUNIT_EXPECT_EQ(test, 48u, ovid_stor_reply_bytes(48));
	KUNIT_EXPECT_EQ(test, 64u, ovid_stor_reply_bytes(64));
}

static void ends(struct kunit *test)
{
	memset(&packet, 0, sizeof(packet));
	packet.srb.cdb[0] = 0x28;
	ovid_stor_good(&packet, 512);
	KUNIT_EXPECT_EQ(test, STOR_COMPLETE, packet.op);
	KUNIT_EXPECT_EQ(test, STOR_SRB_SUCCESS, packet.srb.srb_status);
	KUNIT_EXPECT_EQ(test, 512u, packet.srb.transfer_length);
	ovid_stor_check(&packet, SENSE_READ_ERROR, 0);
	KUNIT_EXPECT_EQ(test, 0x84, packet.srb.srb_status);
	KUNIT_EXPECT_EQ(test, SCSI_CHECK_CONDITION, packet.srb.scsi_status);
	KUNIT_EXPECT_EQ(test, 18, packet.srb.sense_length);
	KUNIT_EXPECT_EQ(test, 0x70, packet.srb.sense[0]);
	KUNIT_EXPECT_EQ(test, 3, packet.srb.sense[2]);
	KUNIT_EXPECT_EQ(test, 0x11, packet.srb.sense[12]);
	ovid_stor_check(&packet, SENSE_NO_LUN, 0);
	KUNIT_EXPECT_EQ(test, 0xa0, packet.srb.srb_status);
	ovid_stor_refuse(&packet, STOR_SRB_INVALID_REQUEST);
	KUNIT_EXPECT_EQ(test, 0x06, packet.srb.srb_status);
	KUNIT_EXPECT_EQ(test, 0u, packet.srb.transfer_length);
}

static struct kunit_case storage_cases[] = {
	KUNIT_CASE(identity),
	KUNIT_CASE(nobody),
	KUNIT_CASE(modes),
	KUNIT_CASE(capacity),
	KUNIT_CASE(transfers),
	KUNIT_CASE(others),
	KUNIT_CASE(zeroes),
	KUNIT_CASE(no_writes),
	KUNIT_CASE(unmap_lists),
	KUNIT_CASE(attentions),
	KUNIT_CASE(luns),
	KUNIT_CASE(handshakes),
	KUNIT_CASE(ends),
	{}
};

static struct kunit_suite storage_suite = {
	.name = "ovid_storage",
	.test_cases = storage_cases,
};
kunit_test_suite(storage_suite);

MODULE_DESCRIPTION("cases for SCSI disks and their protocol");
MODULE_LICENSE("GPL");
