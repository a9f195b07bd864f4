// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for scsi.h, vstor.c and limit.c: each command, each refusal, the handshake in and out of
 * order, times.
 * What any bytes do is selftests/fuzz/fuzz_scsi.c.
 */
#include <kunit/test.h>
#include "scsi.c"
#include "scsi_info.c"
#include "scsi_reserve.c"
#include "dvd.c"
#include "limit.c"
#include "vstor.c"

#define BLOCKS	0x12345ull

static const struct ovid_scsi_disk usual = {
	.blocks = BLOCKS, .block_bytes = 512, .physical_bytes = 512, .max_transfer = 1 << 20, .unmaps = true,
	.serial = "serial-1",
};

static const struct ovid_scsi_disk large = {	/* sectors of 4096 */
	.blocks = BLOCKS, .block_bytes = 4096, .physical_bytes = 4096, .max_transfer = 1 << 20,
	.unmaps = true, .serial = "serial-2",
};

static const struct ovid_scsi_disk dvd = {
	.blocks = 3000, .block_bytes = SCSI_DVD_BLOCK, .physical_bytes = SCSI_DVD_BLOCK,
	.max_transfer = 1 << 20, .dvd = true, .read_only = true, .serial = "serial-3",
};

static struct ovid_scsi_state state;
static struct ovid_scsi_request req;
static u8 answered[SCSI_DATA_BYTES];

/* a command of 16 bytes or less, the rest is zeroes; returns its sense */
static u32 run_on(const struct ovid_scsi_disk *disk, u32 bytes, const u8 *words)
{
	u8 cdb[16] = {};

	memcpy(cdb, words, bytes);
	memset(answered, 0xee, sizeof(answered));
	ovid_scsi_decode(disk, disk ? &state : NULL, cdb, bytes, &req, answered);
	return req.sense;
}

/* the same with a list, which goes on: what becomes of it */
static u32 list_on(const struct ovid_scsi_disk *disk, u32 bytes, const u8 *words, const u8 *list)
{
	u8 cdb[16] = {};

	if (run_on(disk, bytes, words) || req.todo != SCSI_DO_PARAMETERS)
		return req.sense;
	memcpy(cdb, words, bytes);
	ovid_scsi_parameters(disk, &state, cdb, &req, list);
	return req.sense;
}

#define RUN_ON(disk, ...) ({					\
	const u8 words_[] = { __VA_ARGS__ };			\
	run_on(disk, sizeof(words_), words_); })
#define RUN(...)	RUN_ON(&usual, __VA_ARGS__)
#define LIST_ON(disk, list, ...) ({				\
	const u8 words_[] = { __VA_ARGS__ };			\
	list_on(disk, sizeof(words_), words_, list); })

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
	RUN_ON(&dvd, 0x12, 1, 0xb0, 0, 255, 0);
	EXPECT_ANSWER(4, SENSE_BAD_FIELD);
	RUN_ON(&dvd, 0x12, 0, 0, 0, 36, 0);
	EXPECT_ANSWER(36, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\5\x80\5\2\37", 5));
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered + 8, "Msft    Virtual DVD-ROM 1.0 ", 28));
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
	RUN(0x5a, 0, 0x48, 0, 0, 0, 0, 1, 0, 0);	/* what may be changed: the cache */
	KUNIT_EXPECT_EQ(test, 4, answered[8 + 2]);
	RUN(0x5a, 0, 0x4a, 0, 0, 0, 0, 1, 0, 0);	/* ... nothing else */
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered + 8, "\x0a\x0a\0\0\0\0\0\0\0\0\0", 12));
	RUN(0x1a, 0, 0x08, 1, 255, 0);
	EXPECT_ANSWER(4, SENSE_BAD_FIELD);
	RUN(0x1a, 0, 0x1c, 0, 255, 0);
	EXPECT_ANSWER(4, SENSE_BAD_FIELD);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x1a, 0, 0xc8, 0, 255, 0));
}

static void capacity(struct kunit *test)
{
	struct ovid_scsi_disk huge = usual;

	RUN(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	EXPECT_ANSWER(8, 0);
	KUNIT_EXPECT_EQ(test, BLOCKS - 1, get_be(answered, 4));
	KUNIT_EXPECT_EQ(test, 512ull, get_be(answered + 4, 4));
	huge.blocks = 1ull << 33;
	RUN_ON(&huge, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, 0xffffffffull, get_be(answered, 4));
	RUN_ON(&huge, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
	EXPECT_ANSWER(32, 0);
	KUNIT_EXPECT_EQ(test, (1ull << 33) - 1, get_be(answered, 8));
	KUNIT_EXPECT_EQ(test, 0, answered[13]);
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
	EXPECT_ANSWER(0, 0);
	RUN(0x1b, 0, 0, 0, 0, 0);		/* stopped: what is in the cache is written */
	KUNIT_EXPECT_EQ(test, SCSI_DO_FLUSH, req.todo);
	RUN(0x1b, 0, 0, 0, 4, 0);		/* ... unless that is not wanted */
	EXPECT_ANSWER(0, 0);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x1b, 0, 0, 0, 2, 0));
	KUNIT_EXPECT_EQ(test, 0u, RUN(0x1e, 0, 0, 0, 1, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x1e, 0, 0, 0, 2, 0));
	RUN(0x4d, 0, 0, 0, 0, 0, 0, 0, 64, 0);
	EXPECT_ANSWER(5, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\0\0\1\0", 5));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x4d, 0, 0x2f, 0, 0, 0, 0, 0, 64, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_OPCODE, RUN(0x43, 0, 0, 0, 0, 0, 0, 0, 64, 0));
	KUNIT_EXPECT_EQ(test, 0u, RUN(0x2f, 0, 0, 0, 0, 0, 0, 0, 1, 0));
	EXPECT_ANSWER(0, 0);
	KUNIT_EXPECT_EQ(test, SENSE_OUT_OF_RANGE, RUN(0x2f, 0, 9, 0, 0, 0, 0, 0, 1, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x2f, 4, 0, 0, 0, 0, 0, 0, 1, 0));
	RUN(0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_FLUSH, req.todo);
	RUN(0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_FLUSH, req.todo);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_OPCODE, RUN(0x56, 0, 0, 0, 0, 0, 0, 0, 8, 0));
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
	ovid_scsi_reset(&state, BIT(ATTENTION_BUS_RESET));
	ovid_scsi_attend(&state, ATTENTION_CAPACITY);
	ovid_scsi_attend(&state, ATTENTION_LUNS);
	KUNIT_EXPECT_EQ(test, SENSE_NONE, RUN(0x12, 0, 0, 0, 36, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, RUN(0x1a, 0, 0x3f, 0, 255, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BUS_RESET, RUN(0, 0, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_LUNS_CHANGED, RUN(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0));
	EXPECT_ANSWER(0, SENSE_LUNS_CHANGED);
	RUN(3, 0, 0, 0, 18, 0);
	EXPECT_ANSWER(18, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\x70\0\6\0\0\0\0\12\0\0\0\0\x2a\x09", 14));
	KUNIT_EXPECT_EQ(test, 0u, state.attentions);
	KUNIT_EXPECT_EQ(test, SENSE_NONE, RUN(0, 0, 0, 0, 0, 0));
	RUN(3, 0, 0, 0, 18, 0);
	EXPECT_ANSWER(18, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\x70\0\0", 3));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(3, 1, 0, 0, 18, 0));
	ovid_scsi_attend(&state, ATTENTION_LUNS);
	ovid_scsi_reset(&state, 0);		/* a guest that begins */
	KUNIT_EXPECT_EQ(test, SENSE_NONE, RUN(0, 0, 0, 0, 0, 0));
}

/* ---- sectors of 4096 bytes, and disks that only pretend smaller ones ---- */

static void sectors(struct kunit *test)
{
	struct ovid_scsi_disk emulated = usual;

	RUN_ON(&large, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, 4096ull, get_be(answered + 4, 4));
	RUN_ON(&large, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
	KUNIT_EXPECT_EQ(test, 4096ull, get_be(answered + 8, 4));
	KUNIT_EXPECT_EQ(test, 0, answered[13]);
	RUN_ON(&large, 0x12, 1, 0xb0, 0, 255, 0);
	KUNIT_EXPECT_EQ(test, 16, answered[5]);			/* COMPARE AND WRITE */
	KUNIT_EXPECT_EQ(test, 1ull, get_be(answered + 6, 2));
	KUNIT_EXPECT_EQ(test, 256ull, get_be(answered + 8, 4));
	KUNIT_EXPECT_EQ(test, 1ull, get_be(answered + 28, 4));	/* UNMAP */
	RUN_ON(&large, 0x28, 0, 0, 0, 0x12, 0x34, 0, 0, 2, 0);
	EXPECT_TRANSFER(SCSI_DO_READ, 0x1234ull * 4096, 8192, false);
	RUN_ON(&large, 0x2a, 0, 0, 1, 0x23, 0x44, 0, 0, 1, 0);
	EXPECT_TRANSFER(SCSI_DO_WRITE, (BLOCKS - 1) * 4096, 4096, false);
	RUN_ON(&large, 0x28, 0, 0, 0, 0, 0, 0, 1, 1, 0);	/* more than the limit */
	EXPECT_ANSWER(0, SENSE_BAD_FIELD);
	RUN_ON(&large, 0x41, 0, 0, 0, 0, 2, 0, 0, 4, 0);
	KUNIT_EXPECT_EQ(test, 4ull * 4096, req.bytes);
	KUNIT_EXPECT_EQ(test, 4096u, req.data_bytes);

	emulated.physical_bytes = 4096;
	RUN_ON(&emulated, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
	KUNIT_EXPECT_EQ(test, 512ull, get_be(answered + 8, 4));
	KUNIT_EXPECT_EQ(test, 3, answered[13]);
	RUN_ON(&emulated, 0x12, 1, 0xb0, 0, 255, 0);
	KUNIT_EXPECT_EQ(test, 8ull, get_be(answered + 6, 2));
	KUNIT_EXPECT_EQ(test, 8ull, get_be(answered + 28, 4));
}

/* ---- comparing ---- */

static void compares(struct kunit *test)
{
	RUN(0x2f, 2, 0, 0, 0, 7, 0, 0, 2, 0);
	EXPECT_TRANSFER(SCSI_DO_VERIFY, 7 * 512, 1024, false);
	RUN(0x8f, 2, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 8, 1, 0, 0);
	EXPECT_ANSWER(0, SENSE_BAD_FIELD);
	RUN(0x2f, 2, 0, 0, 0, 7, 0, 0, 0, 0);
	EXPECT_ANSWER(0, 0);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x2f, 6, 0, 0, 0, 7, 0, 0, 1, 0));
	RUN(0x2e, 2, 0, 0, 0, 7, 0, 0, 2, 0);
	EXPECT_TRANSFER(SCSI_DO_WRITE_VERIFY, 7 * 512, 1024, true);
	RUN(0xae, 0, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0);
	EXPECT_TRANSFER(SCSI_DO_WRITE, 7 * 512, 1024, true);
	RUN(0x8e, 2, 0, 0, 0, 0, 0, 1, 0x23, 0x44, 0, 0, 0, 2, 0, 0);
	EXPECT_ANSWER(0, SENSE_OUT_OF_RANGE);

	RUN(0x89, 8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0);
	KUNIT_EXPECT_EQ(test, SCSI_DO_COMPARE_WRITE, req.todo);
	KUNIT_EXPECT_EQ(test, 5ull * 512, req.offset);
	KUNIT_EXPECT_EQ(test, 1024ull, req.bytes);
	KUNIT_EXPECT_EQ(test, 2048u, req.data_bytes);
	KUNIT_EXPECT_TRUE(test, req.fua);
	RUN(0x89, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0);
	EXPECT_ANSWER(0, 0);
	RUN(0x89, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 129, 0, 0);
	EXPECT_ANSWER(0, SENSE_BAD_FIELD);
	RUN(0x89, 0, 0, 0, 0, 0, 0, 1, 0x23, 0x45, 0, 0, 0, 1, 0, 0);
	EXPECT_ANSWER(0, SENSE_OUT_OF_RANGE);
}

/* ---- MODE SELECT ---- */

static const u8 head_4[4], head_8[8];
static u8 list[64];

/* a list of a head and the caching page, as it is or with another byte 2; its length */
static u32 make_list(u32 head, u8 how)
{
	memset(list, 0, sizeof(list));
	list[head] = 0x08;
	list[head + 1] = 18;
	list[head + 2] = how;
	return head + 20;
}

static void write_cache(struct kunit *test)
{
	state = (struct ovid_scsi_state){};
	KUNIT_EXPECT_EQ(test, 24u, make_list(4, 0));
	KUNIT_EXPECT_EQ(test, 0u, LIST_ON(&usual, list, 0x15, 0x10, 0, 0, 24, 0));
	KUNIT_EXPECT_EQ(test, SCSI_DO_FLUSH, req.todo);
	KUNIT_EXPECT_TRUE(test, state.write_through);
	RUN(0x1a, 0, 0x08, 0, 255, 0);
	KUNIT_EXPECT_EQ(test, 0, answered[4 + 2]);
	RUN(0x1a, 0, 0x88, 0, 255, 0);		/* the default stays */
	KUNIT_EXPECT_EQ(test, 4, answered[4 + 2]);
	RUN(0x2a, 0, 0, 0, 0, 7, 0, 0, 8, 0);
	EXPECT_TRANSFER(SCSI_DO_WRITE, 7 * 512, 4096, true);
	RUN(0x28, 0, 0, 0, 0, 7, 0, 0, 8, 0);
	EXPECT_TRANSFER(SCSI_DO_READ, 7 * 512, 4096, false);
	RUN(0x0a, 0, 0, 1, 2, 0);
	KUNIT_EXPECT_TRUE(test, req.fua);
	RUN(0x41, 8, 0, 0, 0, 2, 0, 0, 1, 0);
	KUNIT_EXPECT_TRUE(test, req.fua);
	RUN(0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
	KUNIT_EXPECT_TRUE(test, req.fua);

	make_list(8, 4);
	KUNIT_EXPECT_EQ(test, 0u, LIST_ON(&usual, list, 0x55, 0x10, 0, 0, 0, 0, 0, 0, 28, 0));
	EXPECT_ANSWER(0, 0);
	KUNIT_EXPECT_FALSE(test, state.write_through);
	make_list(8, 0);
	LIST_ON(&usual, list, 0x55, 0x10, 0, 0, 0, 0, 0, 0, 28, 0);
	KUNIT_EXPECT_TRUE(test, state.write_through);
	ovid_scsi_reset(&state, BIT(ATTENTION_BUS_RESET));	/* back to the default */
	KUNIT_EXPECT_FALSE(test, state.write_through);
	state = (struct ovid_scsi_state){};
}

static void bad_mode_lists(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x15, 0x11, 0, 0, 24, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, RUN(0x15, 0x10, 0, 0, 0, 0));
	EXPECT_ANSWER(0, 0);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_LENGTH, LIST_ON(&usual, head_4, 0x15, 0x10, 0, 0, 3, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, LIST_ON(&usual, head_4, 0x15, 0x10, 0, 0, 4, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_LENGTH,
			LIST_ON(&usual, head_8, 0x55, 0x10, 0, 0, 0, 0, 0, 0, 7, 0));
	make_list(4, 1);			/* reads without the cache cannot be had */
	KUNIT_EXPECT_EQ(test, SENSE_BAD_PARAMETER, LIST_ON(&usual, list, 0x15, 0x10, 0, 0, 24, 0));
	make_list(4, 0);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_LENGTH, LIST_ON(&usual, list, 0x15, 0x10, 0, 0, 23, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_LENGTH, LIST_ON(&usual, list, 0x15, 0x10, 0, 0, 25, 0));
	list[4] = 0x1c;				/* no such page */
	KUNIT_EXPECT_EQ(test, SENSE_BAD_PARAMETER, LIST_ON(&usual, list, 0x15, 0x10, 0, 0, 24, 0));
	make_list(4, 0);
	list[5] = 10;
	KUNIT_EXPECT_EQ(test, SENSE_BAD_PARAMETER, LIST_ON(&usual, list, 0x15, 0x10, 0, 0, 24, 0));
	make_list(12, 0);
	list[3] = 8;				/* blocks of another size */
	KUNIT_EXPECT_EQ(test, SENSE_BAD_PARAMETER, LIST_ON(&usual, list, 0x15, 0x10, 0, 0, 32, 0));
	list[10] = 2;
	KUNIT_EXPECT_EQ(test, SENSE_NONE, LIST_ON(&usual, list, 0x15, 0x10, 0, 0, 32, 0));
	KUNIT_EXPECT_TRUE(test, state.write_through);
	list[3] = 100;
	KUNIT_EXPECT_EQ(test, SENSE_BAD_LENGTH, LIST_ON(&usual, list, 0x15, 0x10, 0, 0, 32, 0));
	state = (struct ovid_scsi_state){};
}

/* ---- reservations ---- */

static u32 reserve_out(u8 action, u8 type, u64 key, u64 new_key, u8 flags)
{
	memset(list, 0, sizeof(list));
	put_be(list, 8, key);
	put_be(list + 8, 8, new_key);
	list[20] = flags;
	return LIST_ON(&usual, list, 0x5f, action, type, 0, 0, 0, 0, 0, 24, 0);
}

/* what READ RESERVATION says: type, or -1: there is none */
static int reserved(void)
{
	RUN(0x5e, 1, 0, 0, 0, 0, 0, 0, 64, 0);
	return req.data_bytes == 24 ? answered[21] : -1;
}

static void registrations(struct kunit *test)
{
	state = (struct ovid_scsi_state){};
	KUNIT_EXPECT_EQ(test, SENSE_CONFLICT, reserve_out(0, 0, 5, 6, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(0, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, 0u, state.reserve.generation);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_PARAMETER, reserve_out(0, 0, 0, 6, 1));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_PARAMETER, reserve_out(6, 0, 0, 6, 8));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(0, 0, 0, 0x1122334455667788, 0));
	RUN(0x5e, 0, 0, 0, 0, 0, 0, 0, 64, 0);
	EXPECT_ANSWER(16, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\0\0\1\0\0\0\10\x11\x22\x33\x44\x55\x66\x77\x88", 16));
	KUNIT_EXPECT_EQ(test, SENSE_CONFLICT, reserve_out(0, 0, 0, 7, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(6, 0, 0, 7, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(0, 0, 7, 8, 0));
	KUNIT_EXPECT_EQ(test, 3u, state.reserve.generation);
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(0, 0, 8, 0, 0));
	RUN(0x5e, 0, 0, 0, 0, 0, 0, 0, 64, 0);
	EXPECT_ANSWER(8, 0);
	KUNIT_EXPECT_EQ(test, 4ull, get_be(answered, 4));
	RUN(0x5e, 2, 0, 0, 0, 0, 0, 0, 64, 0);
	EXPECT_ANSWER(8, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\10\0\x80\xea\1\0\0", 8));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x5e, 4, 0, 0, 0, 0, 0, 0, 64, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN(0x5f, 7, 0, 0, 0, 0, 0, 0, 24, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_LENGTH, RUN(0x5f, 0, 0, 0, 0, 0, 0, 0, 23, 0));
}

static void reservations(struct kunit *test)
{
	static const u8 types[] = { 1, 3, 5, 6, 7, 8 };
	u32 i;

	state = (struct ovid_scsi_state){};
	KUNIT_EXPECT_EQ(test, SENSE_CONFLICT, reserve_out(1, 1, 0, 0, 0));
	reserve_out(0, 0, 0, 9, 0);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, reserve_out(1, 2, 9, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, reserve_out(1, 0x11, 9, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_CONFLICT, reserve_out(1, 1, 8, 0, 0));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		KUNIT_EXPECT_EQ(test, -1, reserved());
		KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(1, types[i], 9, 0, 0));
		KUNIT_EXPECT_EQ(test, (int)types[i], reserved());
		KUNIT_EXPECT_EQ(test, types[i] < 7 ? 9ull : 0ull, get_be(answered + 8, 8));
		KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(1, types[i], 9, 0, 0));
		KUNIT_EXPECT_EQ(test, SENSE_CONFLICT, reserve_out(1, types[(i + 1) % 6], 9, 0, 0));
		KUNIT_EXPECT_EQ(test, SENSE_NO_RELEASE,
				reserve_out(2, types[(i + 1) % 6], 9, 0, 0));
		KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(2, types[i], 9, 0, 0));
	}
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(2, 1, 9, 0, 0));	/* there is none */
	reserve_out(1, 5, 9, 0, 0);
	RUN(0x5e, 3, 0, 0, 0, 0, 0, 1, 0, 0);
	EXPECT_ANSWER(8 + 48, 0);
	KUNIT_EXPECT_EQ(test, 9ull, get_be(answered + 8, 8));
	KUNIT_EXPECT_EQ(test, 1, answered[8 + 12]);
	KUNIT_EXPECT_EQ(test, 5, answered[8 + 13]);
	ovid_scsi_reset(&state, BIT(ATTENTION_BUS_RESET));	/* outlives that */
	RUN(0, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, 5, reserved());
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(3, 0, 9, 0, 0));
	KUNIT_EXPECT_EQ(test, -1, reserved());
	KUNIT_EXPECT_FALSE(test, state.reserve.registered);
}

static void preemptions(struct kunit *test)
{
	state = (struct ovid_scsi_state){};
	reserve_out(0, 0, 0, 9, 0);
	KUNIT_EXPECT_EQ(test, SENSE_CONFLICT, reserve_out(4, 1, 9, 8, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_PARAMETER, reserve_out(4, 1, 9, 0, 0));
	reserve_out(1, 1, 9, 0, 0);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, reserve_out(4, 2, 9, 9, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(4, 3, 9, 9, 0));
	KUNIT_EXPECT_EQ(test, 3, reserved());
	KUNIT_EXPECT_EQ(test, 2u, state.reserve.generation);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_PARAMETER, reserve_out(5, 1, 9, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(5, 7, 9, 9, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(4, 8, 9, 0, 0));	/* all registrants' */
	KUNIT_EXPECT_EQ(test, 8, reserved());
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(4, 8, 9, 9, 0));	/* its own registration */
	KUNIT_EXPECT_EQ(test, -1, reserved());
	KUNIT_EXPECT_FALSE(test, state.reserve.registered);
	reserve_out(0, 0, 0, 9, 0);
	reserve_out(1, 6, 9, 0, 0);
	KUNIT_EXPECT_EQ(test, SENSE_NONE, reserve_out(0, 0, 9, 0, 0));	/* goes with it */
	KUNIT_EXPECT_EQ(test, -1, reserved());
}

static void restored(struct kunit *test)
{
	struct ovid_scsi_state s = {
		.attentions = BIT(ATTENTIONS) - 1, .event = EVENTS - 1,
		.reserve = { .key = 1, .registered = true, .type = 8 },
	};

	KUNIT_EXPECT_TRUE(test, ovid_scsi_state_ok(&s));
	s.attentions++;
	KUNIT_EXPECT_FALSE(test, ovid_scsi_state_ok(&s));
	s.attentions = 0;
	s.event = EVENTS;
	KUNIT_EXPECT_FALSE(test, ovid_scsi_state_ok(&s));
	s.event = 0;
	s.reserve.type = 2;
	KUNIT_EXPECT_FALSE(test, ovid_scsi_state_ok(&s));
	s.reserve.type = 255;
	KUNIT_EXPECT_FALSE(test, ovid_scsi_state_ok(&s));
	s.reserve.type = 0;
	s.reserve.registered = false;
	KUNIT_EXPECT_FALSE(test, ovid_scsi_state_ok(&s));
	s.reserve.key = 0;
	KUNIT_EXPECT_TRUE(test, ovid_scsi_state_ok(&s));
}

/* ---- which commands there are ---- */

static void opcodes(struct kunit *test)
{
	struct ovid_scsi_disk plain = usual;
	u32 all;

	state = (struct ovid_scsi_state){};
	plain.unmaps = false;
	RUN(0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0);
	all = get_be(answered, 4);
	KUNIT_EXPECT_EQ(test, 0u, all % 8);
	EXPECT_ANSWER(4 + all, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered + 4, "\x28\0\0\0\0\0\0\x0a", 8));
	RUN_ON(&plain, 0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0);
	EXPECT_ANSWER(4 + all - 8, 0);
	RUN(0xa3, 0x0c, 1, 0x93, 0, 0, 0, 0, 2, 0, 0, 0);
	EXPECT_ANSWER(20, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\3\0\x10\x93\xf9\xff", 7));
	RUN(0xa3, 0x0c, 1, 0x56, 0, 0, 0, 0, 2, 0, 0, 0);
	EXPECT_ANSWER(4, 0);
	KUNIT_EXPECT_EQ(test, 1, answered[1]);
	RUN(0xa3, 0x0c, 2, 0x9e, 0, 0x10, 0, 0, 2, 0, 0, 0);
	EXPECT_ANSWER(20, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\3\0\x10\x9e\x10\0", 7));
	RUN(0xa3, 0x0c, 2, 0x9e, 0, 0x12, 0, 0, 2, 0, 0, 0);
	EXPECT_ANSWER(4, 0);
	KUNIT_EXPECT_EQ(test, 1, answered[1]);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD,
			RUN(0xa3, 0x0c, 1, 0x9e, 0, 0, 0, 0, 2, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD,
			RUN(0xa3, 0x0c, 2, 0x28, 0, 0, 0, 0, 2, 0, 0, 0));
	RUN(0xa3, 0x0c, 3, 0x28, 0, 0, 0, 0, 2, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, 3, answered[1]);
	RUN(0xa3, 0x0c, 3, 0x28, 0, 1, 0, 0, 2, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, 1, answered[1]);
	RUN_ON(&dvd, 0xa3, 0x0c, 1, 0x2a, 0, 0, 0, 0, 2, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, 1, answered[1]);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD,
			RUN(0xa3, 0x0c, 4, 0, 0, 0, 0, 0, 2, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD,	/* target port groups: none */
			RUN(0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0));
}

/* ---- DVD ---- */

static void discs(struct kunit *test)
{
	struct ovid_scsi_disk large_dvd = dvd;

	state = (struct ovid_scsi_state){};
	large_dvd.blocks = 1 << 20;
	RUN_ON(&dvd, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\0\x0b\xb7\0\0\x08\0", 8));
	RUN_ON(&dvd, 0x28, 0, 0, 0, 0, 16, 0, 0, 2, 0);
	EXPECT_TRANSFER(SCSI_DO_READ, 16 * 2048, 4096, false);
	RUN_ON(&dvd, 0xa8, 0, 0, 0, 0x0b, 0xb7, 0, 0, 0, 2, 0, 0);
	EXPECT_ANSWER(0, SENSE_OUT_OF_RANGE);
	KUNIT_EXPECT_EQ(test, SENSE_BAD_OPCODE, RUN_ON(&dvd, 0x2a, 0, 0, 0, 0, 16, 0, 0, 2, 0));
	/* contents: a track and the end; minutes, seconds, frames; as they are written */
	RUN_ON(&dvd, 0x43, 0, 0, 0, 0, 0, 0, 0, 100, 0);
	EXPECT_ANSWER(20, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\x12\1\1\0\x14\1\0\0\0\0\0\0\x14\xaa\0\0\0\x0b\xb8", 20));
	RUN_ON(&dvd, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100, 0);
	EXPECT_ANSWER(12, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered + 4, "\0\x14\xaa\0\0\0\x2a\0", 8));
	RUN_ON(&dvd, 0x43, 0, 1, 0, 0, 0, 0, 0, 100, 0);
	EXPECT_ANSWER(12, 0);
	RUN_ON(&dvd, 0x43, 2, 0, 0, 0, 0, 0, 0, 100, 0x80);
	EXPECT_ANSWER(48, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered + 4 + 22, "\1\x14\0\xa2\0\0\0\0\0\x2a\0", 11));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN_ON(&dvd, 0x43, 0, 0, 0, 0, 0, 2, 0, 100, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN_ON(&dvd, 0x43, 0, 3, 0, 0, 0, 0, 0, 100, 0));

	RUN_ON(&dvd, 0x51, 0, 0, 0, 0, 0, 0, 0, 100, 0);
	EXPECT_ANSWER(34, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\x20\x0e\1\1\1\1", 7));
	RUN_ON(&dvd, 0x52, 1, 0, 0, 0, 1, 0, 0, 100, 0);
	EXPECT_ANSWER(36, 0);
	KUNIT_EXPECT_EQ(test, 3000ull, get_be(answered + 24, 4));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN_ON(&dvd, 0x52, 1, 0, 0, 0, 2, 0, 0, 100, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN_ON(&dvd, 0xad, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0));
	RUN_ON(&large_dvd, 0xad, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0);
	EXPECT_ANSWER(2052, 0);
	KUNIT_EXPECT_EQ(test, 0x12ffffull, get_be(answered + 12, 4));

	RUN_ON(&dvd, 0x46, 0, 0, 0, 0, 0, 0, 0, 255, 0);
	EXPECT_ANSWER(76, 0);
	KUNIT_EXPECT_EQ(test, 72ull, get_be(answered, 4));
	KUNIT_EXPECT_EQ(test, 0x0008ull, get_be(answered + 6, 2));
	RUN_ON(&large_dvd, 0x46, 2, 0, 0x1f, 0, 0, 0, 0, 255, 0);
	EXPECT_ANSWER(16, 0);
	KUNIT_EXPECT_EQ(test, 0, memcmp(answered, "\0\0\0\14\0\0\0\20\0\37\5\4\1", 13));
	RUN_ON(&large_dvd, 0x46, 1, 0, 0x10, 0, 0, 0, 0, 255, 0);
	EXPECT_ANSWER(8 + 12 + 8, 0);
	RUN_ON(&dvd, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255, 0);
	EXPECT_ANSWER(28, 0);
	KUNIT_EXPECT_EQ(test, 0x29, answered[8 + 6]);
}

/* media status of GET EVENT STATUS NOTIFICATION, event << 8 */
static u32 media(const struct ovid_scsi_disk *disk)
{
	RUN_ON(disk, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0);
	return answered[4] << 8 | answered[5];
}

static void trays(struct kunit *test)
{
	struct ovid_scsi_disk empty = dvd;

	state = (struct ovid_scsi_state){};
	empty.blocks = 0;
	KUNIT_EXPECT_EQ(test, SENSE_NO_MEDIUM, RUN_ON(&empty, 0, 0, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NO_MEDIUM, RUN_ON(&empty, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NO_MEDIUM, RUN_ON(&empty, 0x43, 0, 0, 0, 0, 0, 0, 0, 100, 0));
	RUN_ON(&empty, 3, 0, 0, 0, 18, 0);
	KUNIT_EXPECT_EQ(test, 0x3a, answered[12]);
	KUNIT_EXPECT_EQ(test, 0u, media(&empty));
	ovid_scsi_medium(&state, true);			/* one comes in */
	KUNIT_EXPECT_EQ(test, 0x202u, media(&dvd));
	KUNIT_EXPECT_EQ(test, 0x002u, media(&dvd));	/* told once */
	KUNIT_EXPECT_EQ(test, SENSE_MEDIUM_CHANGED, RUN_ON(&dvd, 0, 0, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, RUN_ON(&dvd, 0, 0, 0, 0, 0, 0));

	RUN_ON(&dvd, 0x1e, 0, 0, 0, 1, 0);
	RUN_ON(&dvd, 0x1a, 0, 0x2a, 0, 255, 0);
	KUNIT_EXPECT_EQ(test, 0x2b, answered[4 + 6]);
	KUNIT_EXPECT_EQ(test, SENSE_PREVENTED, RUN_ON(&dvd, 0x1b, 0, 0, 0, 2, 0));
	KUNIT_EXPECT_FALSE(test, ovid_scsi_may_take(&state));
	KUNIT_EXPECT_EQ(test, 0x102u, media(&dvd));	/* somebody would like to */
	KUNIT_EXPECT_EQ(test, 0x002u, media(&dvd));
	RUN_ON(&dvd, 0x1e, 0, 0, 0, 0, 0);
	KUNIT_EXPECT_TRUE(test, ovid_scsi_may_take(&state));
	KUNIT_EXPECT_EQ(test, 0x002u, media(&dvd));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, RUN_ON(&dvd, 0x1b, 0, 0, 0, 1, 0));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, RUN_ON(&dvd, 0x1b, 0, 0, 0, 2, 0));
	KUNIT_EXPECT_EQ(test, 0x301u, media(&dvd));
	KUNIT_EXPECT_EQ(test, SENSE_TRAY_OPEN, RUN_ON(&dvd, 0, 0, 0, 0, 0, 0));
	RUN_ON(&dvd, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0);
	EXPECT_ANSWER(8, 0);
	KUNIT_EXPECT_EQ(test, 0x10, answered[1]);
	RUN_ON(&dvd, 0x46, 0, 0, 0, 0, 0, 0, 0, 255, 0);
	KUNIT_EXPECT_EQ(test, 0ull, get_be(answered + 6, 2));
	KUNIT_EXPECT_EQ(test, SENSE_NONE, RUN_ON(&dvd, 0x1b, 0, 0, 0, 3, 0));
	KUNIT_EXPECT_EQ(test, 0x202u, media(&dvd));
	KUNIT_EXPECT_EQ(test, SENSE_MEDIUM_CHANGED, RUN_ON(&dvd, 0, 0, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, SENSE_BAD_FIELD, RUN_ON(&dvd, 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8, 0));
	RUN_ON(&dvd, 0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8, 0);
	EXPECT_ANSWER(4, 0);
	KUNIT_EXPECT_EQ(test, 0x80, answered[2]);
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
static u16 max_subs, subs;

/* what to do, or the status of the answer */
static u32 said(u32 op, u32 bytes)
{
	enum ovid_stor_do todo;

	subs = max_subs;

	packet.op = op;
	packet.status = 0x77;
	todo = ovid_stor_packet(&phase, &packet, bytes, &subs);
	if (todo == STOR_DO_SRB)
		return 1000;
	if (packet.op != STOR_COMPLETE)
		return 3000;
	if (todo == STOR_DO_SUBS)
		return 4000;
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
	KUNIT_EXPECT_EQ(test, 0, packet.properties.max_subs);
	KUNIT_EXPECT_EQ(test, 0, packet.properties.flags);
	KUNIT_EXPECT_EQ(test, STOR_OK, said(STOR_END_INITIALIZATION, 64));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_STATE, said(STOR_QUERY_PROPERTIES, 64));
	KUNIT_EXPECT_EQ(test, 1000u, said(STOR_EXECUTE_SRB, 48));
	KUNIT_EXPECT_EQ(test, 2000u, said(STOR_RESET_BUS, 64));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_REQUEST, said(STOR_EXECUTE_SRB, 40));
	KUNIT_EXPECT_EQ(test, STOR_INVALID_REQUEST, said(99, 64));
	KUNIT_EXPECT_EQ(test, 48u, ovid_stor_reply_bytes(48));
	KUNIT_EXPECT_EQ(test, 64u, ovid_stor_reply_bytes(64));
}

static void sub_channels(struct kunit *test)
{
	max_subs = 3;
	phase = STOR_PHASE_BEGUN;
	KUNIT_EXPECT_EQ(test, STOR_OK, said(STOR_QUERY_PROPERTIES, 64));
	KUNIT_EXPECT_EQ(test, 3, packet.properties.max_subs);
	KUNIT_EXPECT_EQ(test, STOR_HAS_SUBS, packet.properties.flags);
	packet.subs = 1;
	KUNIT_EXPECT_EQ(test, STOR_INVALID_STATE, said(STOR_CREATE_SUBS, 64));
	phase = STOR_PHASE_READY;
	packet.subs = 4;
	KUNIT_EXPECT_EQ(test, STOR_INVALID_REQUEST, said(STOR_CREATE_SUBS, 64));
	packet.subs = 0;
	KUNIT_EXPECT_EQ(test, STOR_OK, said(STOR_CREATE_SUBS, 64));
	packet.subs = 3;
	KUNIT_EXPECT_EQ(test, 4000u, said(STOR_CREATE_SUBS, 64));
	KUNIT_EXPECT_EQ(test, 3, subs);
	KUNIT_EXPECT_EQ(test, STOR_OK, packet.status);
	packet.subs = 1;
	KUNIT_EXPECT_EQ(test, STOR_INVALID_STATE, said(STOR_CREATE_SUBS, 64));
	KUNIT_EXPECT_EQ(test, 1000u, said(STOR_EXECUTE_SRB, 64));
	ovid_stor_no_subs(&phase, &packet);
	KUNIT_EXPECT_EQ(test, STOR_NO_RESOURCES, packet.status);
	KUNIT_EXPECT_EQ(test, 1000u, said(STOR_EXECUTE_SRB, 64));
	packet.subs = 2;
	KUNIT_EXPECT_EQ(test, 4000u, said(STOR_CREATE_SUBS, 64));
	max_subs = 0;
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
	ovid_stor_miscompare(&packet, 0x1234);
	KUNIT_EXPECT_EQ(test, 0x84, packet.srb.srb_status);
	KUNIT_EXPECT_EQ(test, 0, memcmp(packet.srb.sense, "\xf0\0\x0e\0\0\x12\x34", 7));
	ovid_stor_check(&packet, SENSE_CONFLICT, 0);
	KUNIT_EXPECT_EQ(test, STOR_SRB_ERROR, packet.srb.srb_status);
	KUNIT_EXPECT_EQ(test, SCSI_CONFLICT, packet.srb.scsi_status);
	ovid_stor_refuse(&packet, STOR_SRB_INVALID_REQUEST, SCSI_GOOD);
	KUNIT_EXPECT_EQ(test, 0x06, packet.srb.srb_status);
	KUNIT_EXPECT_EQ(test, SCSI_GOOD, packet.srb.scsi_status);
	KUNIT_EXPECT_EQ(test, 0u, packet.srb.transfer_length);
}

/* ---- limits ---- */

/* how many of @bytes begin from @now on until @end, as soon as they may */
static u32 begun(struct ovid_limit *limit, u32 bytes, u64 now, u64 end)
{
	u32 n = 0;

	for (; now < end; n++) {
		now += ovid_limit_delay(limit, now);
		if (now >= end)
			break;
		ovid_limit_charge(limit, bytes, now);
	}
	return n;
}

static void limit_requests(struct kunit *test)
{
	const u64 t = 12345 * LIMIT_SECOND;
	struct ovid_limit limit = {};

	KUNIT_EXPECT_TRUE(test, ovid_limit_is_none(&limit));
	ovid_limit_charge(&limit, ~0u, t);
	KUNIT_EXPECT_EQ(test, 0ull, ovid_limit_delay(&limit, t));
	ovid_limit_set(&limit, 100, 0, t);
	KUNIT_EXPECT_FALSE(test, ovid_limit_is_none(&limit));
	/* ten at once, one that is begun at the burst's end, and then 100 a second */
	KUNIT_EXPECT_EQ(test, 11u, begun(&limit, ~0u, t, t + 1));
	KUNIT_EXPECT_EQ(test, LIMIT_SECOND / 100, ovid_limit_delay(&limit, t));
	KUNIT_EXPECT_EQ(test, 1ull, ovid_limit_delay(&limit, t + LIMIT_SECOND / 100 - 1));
	KUNIT_EXPECT_EQ(test, 0ull, ovid_limit_delay(&limit, t + LIMIT_SECOND / 100));
	KUNIT_EXPECT_EQ(test, 500u, begun(&limit, 0, t + 1, t + 1 + 5 * LIMIT_SECOND));
	/* no pause gives more than a burst */
	KUNIT_EXPECT_EQ(test, 11u, begun(&limit, 0, 2 * t, 2 * t + 1));
	/* the slowest */
	ovid_limit_set(&limit, 1, 0, t);
	KUNIT_EXPECT_EQ(test, 60u, begun(&limit, 0, t, t + 59 * LIMIT_SECOND));
	/* what cannot be counted exactly is never too fast */
	ovid_limit_set(&limit, 7, 0, t);
	KUNIT_EXPECT_EQ(test, 7001u, begun(&limit, 0, t, t + 1000 * LIMIT_SECOND));
	ovid_limit_set(&limit, ~0u, 0, t);
	ovid_limit_charge(&limit, 0, t);
	KUNIT_EXPECT_EQ(test, t + 1, limit.requests_until);
}

static void limit_bytes(struct kunit *test)
{
	const u64 t = 77;
	struct ovid_limit limit = {};

	ovid_limit_set(&limit, 0, 1 << 20, t);
	KUNIT_EXPECT_EQ(test, 256u + 26, begun(&limit, 4096, t, t + LIMIT_SECOND));
	KUNIT_EXPECT_EQ(test, 2560u, begun(&limit, 4096, t + LIMIT_SECOND, t + 11 * LIMIT_SECOND));
	/* those that move none need not wait for bytes, unless others have begun before them */
	ovid_limit_set(&limit, 0, 1000, t);
	ovid_limit_charge(&limit, 0, t);
	KUNIT_EXPECT_EQ(test, 0ull, ovid_limit_delay(&limit, t));
	/* one larger than all of a second is begun, and the next one pays */
	ovid_limit_charge(&limit, 5000, t);
	KUNIT_EXPECT_EQ(test, 5 * LIMIT_SECOND - LIMIT_BURST, ovid_limit_delay(&limit, t));
	/* whoever does not wait adds to that, up to an end */
	ovid_limit_charge(&limit, 5000, t);
	KUNIT_EXPECT_EQ(test, 10 * LIMIT_SECOND - LIMIT_BURST, ovid_limit_delay(&limit, t));
	ovid_limit_set(&limit, 0, 1, t);
	ovid_limit_charge(&limit, ~0u, t);
	ovid_limit_charge(&limit, ~0u, t);
	KUNIT_EXPECT_EQ(test, LIMIT_LONGEST - LIMIT_BURST, ovid_limit_delay(&limit, t));
	/* another limit: it begins anew */
	ovid_limit_set(&limit, 0, 2, t);
	KUNIT_EXPECT_EQ(test, 0ull, ovid_limit_delay(&limit, t));
	/* both: the slower one is it */
	ovid_limit_set(&limit, 10, 1000, t);
	ovid_limit_charge(&limit, 500, t);
	KUNIT_EXPECT_EQ(test, LIMIT_SECOND / 2 - LIMIT_BURST, ovid_limit_delay(&limit, t));
	ovid_limit_set(&limit, 2, 1000, t);
	ovid_limit_charge(&limit, 1, t);
	KUNIT_EXPECT_EQ(test, LIMIT_SECOND / 2 - LIMIT_BURST, ovid_limit_delay(&limit, t));
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
	KUNIT_CASE(sectors),
	KUNIT_CASE(compares),
	KUNIT_CASE(write_cache),
	KUNIT_CASE(bad_mode_lists),
	KUNIT_CASE(registrations),
	KUNIT_CASE(reservations),
	KUNIT_CASE(preemptions),
	KUNIT_CASE(restored),
	KUNIT_CASE(opcodes),
	KUNIT_CASE(discs),
	KUNIT_CASE(trays),
	KUNIT_CASE(luns),
	KUNIT_CASE(handshakes),
	KUNIT_CASE(sub_channels),
	KUNIT_CASE(ends),
	KUNIT_CASE(limit_requests),
	KUNIT_CASE(limit_bytes),
	{}
};

static struct kunit_suite storage_suite = {
	.name = "ovid_storage",
	.test_cases = storage_cases,
};
kunit_test_suite(storage_suite);

MODULE_DESCRIPTION("cases for SCSI disks and their protocol");
MODULE_LICENSE("GPL");
