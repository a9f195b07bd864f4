// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for RNDIS's control messages: each of them, each OID in and out, each refusal.  A guest
 * here is Linux: offsets and checks are those of its drivers/net/hyperv, written down once more.
 * What any bytes do is selftests/fuzz/fuzz_rndis.c.
 */
#include <kunit/test.h>
#include "rndis.c"
#include "rndis_oid.c"
#include "rndis_offload.c"
#include "rndis_rss.c"
#include "rndis_config.c"

static const struct ovid_rndis usual = {
	.permanent = { 0x00, 0x15, 0x5d, 0x01, 0x02, 0x03 }, .mtu = 1500, .speed = 10000,
	.link = true, .queues = 4, .name = "eth-a",
};

static const struct ovid_rndis_stats counted = {
	.tx_frames = 0x100000002ull, .tx_bytes = 0x300000004ull, .tx_errors = 5,
	.rx_frames = 6, .rx_bytes = 0x700000008ull, .rx_errors = 9, .rx_dropped = 10,
};

static struct ovid_rndis card;
static u8 sent[RNDIS_CONTROL_BYTES] __aligned(8);
static u8 answer[RNDIS_CONTROL_BYTES + 8] __aligned(8);
static u32 changed;

static u32 at32(const u8 *p, u32 offset)
{
	return get_unaligned_le32(p + offset);
}

static void word(u8 *p, u32 offset, u32 value)
{
	put_unaligned_le32(value, p + offset);
}

/* what is in @sent, @bytes of it */
static int control(u32 bytes)
{
	return ovid_rndis_control(&card, &counted, sent, bytes, answer, &changed);
}

/* a message of @n words, the second one its bytes; what becomes of it */
static int say(const u32 *words, u32 n)
{
	u32 i;

	memset(sent, 0, sizeof(sent));
	for (i = 0; i < n; i++)
		word(sent, 4 * i, words[i]);
	memset(answer, 0xee, sizeof(answer));
	return control(max_t(u32, 4 * n, words[1]));
}

#define SAY(...) ({ const u32 words_[] = { __VA_ARGS__ }; say(words_, ARRAY_SIZE(words_)); })

static void start(struct kunit *test)
{
	card = usual;
	ovid_rndis_forget(&card);
	KUNIT_EXPECT_EQ(test, 52, SAY(2, 24, 1, 1, 0, 0x4000));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 12));
}

/* a query with @in, as Linux asks: returns its status; what it says is in @said_ */
static const u8 *said_;
static u32 said_bytes;

static u32 query_with(struct kunit *test, u32 oid, const void *in, u32 in_bytes)
{
	u32 offset;
	int n;

	memset(sent, 0, sizeof(sent));
	word(sent, 0, 4);
	word(sent, 4, 28 + in_bytes);
	word(sent, 8, 77);
	word(sent, 12, oid);
	word(sent, 16, in_bytes);
	word(sent, 20, 20);
	if (in_bytes)
		memcpy(sent + 28, in, in_bytes);
	memset(answer, 0xee, sizeof(answer));
	n = control(28 + in_bytes);
	KUNIT_EXPECT_EQ(test, 0u, changed);
	KUNIT_EXPECT_EQ(test, 0x80000004u, at32(answer, 0));
	KUNIT_EXPECT_EQ(test, (u32)n, at32(answer, 4));
	KUNIT_EXPECT_EQ(test, 77u, at32(answer, 8));
	said_bytes = at32(answer, 16);
	offset = at32(answer, 20);
	KUNIT_EXPECT_EQ(test, said_bytes ? 16u : 0u, offset);
	KUNIT_EXPECT_EQ(test, n, (int)(24 + said_bytes));
	/* nothing behind it is touched */
	KUNIT_EXPECT_EQ(test, 0xee, answer[n]);
	said_ = answer + 24;
	return at32(answer, 12);
}

static u32 query(struct kunit *test, u32 oid)
{
	return query_with(test, oid, NULL, 0);
}

/* a set request: returns its status */
static u32 set(struct kunit *test, u32 oid, const void *in, u32 in_bytes)
{
	int n;

	memset(sent, 0, sizeof(sent));
	word(sent, 0, 5);
	word(sent, 4, 28 + in_bytes);
	word(sent, 8, 78);
	word(sent, 12, oid);
	word(sent, 16, in_bytes);
	word(sent, 20, 20);
	if (in_bytes)
		memcpy(sent + 28, in, in_bytes);
	n = control(28 + in_bytes);
	KUNIT_EXPECT_EQ(test, 16, n);
	KUNIT_EXPECT_EQ(test, 0x80000005u, at32(answer, 0));
	KUNIT_EXPECT_EQ(test, 16u, at32(answer, 4));
	KUNIT_EXPECT_EQ(test, 78u, at32(answer, 8));
	KUNIT_EXPECT_TRUE(test, ovid_rndis_ok(&card));
	return at32(answer, 12);
}

static u32 set_word(struct kunit *test, u32 oid, u32 value)
{
	u8 in[4];

	word(in, 0, value);
	return set(test, oid, in, sizeof(in));
}

#define EXPECT_WORD(oid, value) do {						\
	KUNIT_EXPECT_EQ(test, 0u, query(test, oid));				\
	KUNIT_EXPECT_EQ(test, 4u, said_bytes);					\
	KUNIT_EXPECT_EQ(test, (u32)(value), at32(said_, 0));			\
} while (0)

/* ---- messages ---- */

static void begins(struct kunit *test)
{
	card = usual;
	ovid_rndis_forget(&card);
	KUNIT_EXPECT_TRUE(test, ovid_rndis_ok(&card));
	KUNIT_EXPECT_FALSE(test, card.ready);
	KUNIT_EXPECT_EQ(test, 52, SAY(2, 24, 9, 1, 0, 0x4000));
	KUNIT_EXPECT_EQ(test, 0x80000002u, at32(answer, 0));
	KUNIT_EXPECT_EQ(test, 52u, at32(answer, 4));
	KUNIT_EXPECT_EQ(test, 9u, at32(answer, 8));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 1u, at32(answer, 16));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 20));
	KUNIT_EXPECT_EQ(test, 1u, at32(answer, 24));	/* connectionless */
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 28));	/* 802.3 */
	KUNIT_EXPECT_EQ(test, 8u, at32(answer, 32));
	KUNIT_EXPECT_EQ(test, (u32)RNDIS_MAX_TRANSFER, at32(answer, 36));
	KUNIT_EXPECT_EQ(test, 3u, at32(answer, 40));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 44));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 48));
	KUNIT_EXPECT_EQ(test, 0xee, answer[52]);
	KUNIT_EXPECT_TRUE(test, card.ready && ovid_rndis_ok(&card));
	KUNIT_EXPECT_EQ(test, 0u, card.filter);
	KUNIT_EXPECT_EQ(test, 0, memcmp(card.address, usual.permanent, 6));
	KUNIT_EXPECT_EQ(test, 0xfu, changed);
	/* of the guest's frames all, of those for it nothing */
	KUNIT_EXPECT_EQ(test, 0x1fu | NET_LSO4 | NET_LSO6, card.offloads);
	/* once more: from the beginning */
	card.filter = 1;
	KUNIT_EXPECT_EQ(test, 52, SAY(2, 24, 10, 1, 0, 0x4000));
	KUNIT_EXPECT_EQ(test, 0u, card.filter);
	KUNIT_EXPECT_EQ(test, 0, strcmp(card.name, "eth-a"));
}

static void begins_not(struct kunit *test)
{
	card = usual;
	/* another version */
	KUNIT_EXPECT_EQ(test, 52, SAY(2, 24, 9, 2, 0, 0x4000));
	KUNIT_EXPECT_EQ(test, RNDIS_FAILURE, at32(answer, 12));
	/* not all of it */
	KUNIT_EXPECT_EQ(test, 52, SAY(2, 20, 9, 1, 0));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 0u, changed);
	KUNIT_EXPECT_FALSE(test, card.ready);
	/* too early */
	KUNIT_EXPECT_EQ(test, 24, SAY(4, 28, 3, OID_PERMANENT_ADDRESS, 0, 20, 0));
	KUNIT_EXPECT_EQ(test, RNDIS_FAILURE, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 16, SAY(5, 32, 3, OID_PACKET_FILTER, 4, 20, 0, 1));
	KUNIT_EXPECT_EQ(test, RNDIS_FAILURE, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 16, SAY(8, 12, 3));
	KUNIT_EXPECT_EQ(test, RNDIS_FAILURE, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 0u, card.filter);
	KUNIT_EXPECT_TRUE(test, ovid_rndis_ok(&card));
}

static void others(struct kunit *test)
{
	start(test);
	KUNIT_EXPECT_EQ(test, 16, SAY(8, 12, 3));
	KUNIT_EXPECT_EQ(test, 0x80000008u, at32(answer, 0));
	KUNIT_EXPECT_EQ(test, 3u, at32(answer, 8));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 12));
	card.filter = 1;
	KUNIT_EXPECT_EQ(test, 16, SAY(6, 12, 0));
	KUNIT_EXPECT_EQ(test, 0x80000006u, at32(answer, 0));
	KUNIT_EXPECT_EQ(test, 16u, at32(answer, 4));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 8));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 12));	/* nothing was forgotten */
	KUNIT_EXPECT_EQ(test, 1u, card.filter);
	KUNIT_EXPECT_EQ(test, 0, SAY(3, 12, 5));
	KUNIT_EXPECT_EQ(test, RNDIS_HALTED, changed);
	KUNIT_EXPECT_FALSE(test, card.ready);
	KUNIT_EXPECT_EQ(test, 0u, card.filter | card.offloads);
	KUNIT_EXPECT_TRUE(test, ovid_rndis_ok(&card));
	KUNIT_EXPECT_EQ(test, 0, memcmp(card.permanent, usual.permanent, 6));
}

static void no_messages(struct kunit *test)
{
	static const u32 bad[] = { 0, 1, 7, 9, 0x80000002, 0x80000008, 0xff000001 };
	u32 i;

	start(test);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, -EPROTO, SAY(bad[i], 28, 1, 0x10101, 0, 20, 0));
	/* no number to answer with, no head */
	word(sent, 0, 4);
	word(sent, 4, 8);
	KUNIT_EXPECT_EQ(test, -EPROTO, control(8));
	KUNIT_EXPECT_EQ(test, -EPROTO, control(11));
	KUNIT_EXPECT_EQ(test, -EPROTO, control(4));
	word(sent, 0, 3);
	KUNIT_EXPECT_EQ(test, -EPROTO, control(7));
	KUNIT_EXPECT_TRUE(test, card.ready);
}

/* a request that is known has an answer, all the same */
static void bad_lengths(struct kunit *test)
{
	static const u32 lengths[] = { 0, 7, 8, 11, 12, 27, 33, 0x7fffffff, 0xffffffff };
	u32 i;

	start(test);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		const u32 set_words[] = { 5, lengths[i], 3, OID_PACKET_FILTER, 4, 20, 0, 1 };
		u32 k;

		for (k = 0; k < ARRAY_SIZE(set_words); k++)
			word(sent, 4 * k, set_words[k]);
		KUNIT_EXPECT_EQ(test, 16, control(32));
		KUNIT_EXPECT_EQ_MSG(test, RNDIS_INVALID_LENGTH, at32(answer, 12), "%u", lengths[i]);
		word(sent, 0, 4);
		KUNIT_EXPECT_EQ(test, 24, control(32));
		KUNIT_EXPECT_EQ_MSG(test, RNDIS_INVALID_LENGTH, at32(answer, 12), "%u", lengths[i]);
		KUNIT_EXPECT_EQ(test, 0u, at32(answer, 16));
	}
	KUNIT_EXPECT_EQ(test, 0u, card.filter);
	/* what is set lies in the message, behind its header */
	KUNIT_EXPECT_EQ(test, 16, SAY(5, 32, 3, OID_PACKET_FILTER, 4, 19, 0, 1));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 16, SAY(5, 32, 3, OID_PACKET_FILTER, 4, 21, 0, 1));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 16, SAY(5, 32, 3, OID_PACKET_FILTER, 5, 20, 0, 1));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 16, SAY(5, 32, 3, OID_PACKET_FILTER, 0xffffffff, 20, 0, 1));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 16, SAY(5, 32, 3, OID_PACKET_FILTER, 4, 0xfffffffe, 0, 1));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, at32(answer, 12));
	/* a query may say how much it has room for */
	KUNIT_EXPECT_EQ(test, 28, SAY(4, 28, 3, OID_MAXIMUM_FRAME_SIZE, 4, 20, 0));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 28, SAY(4, 28, 3, OID_MAXIMUM_FRAME_SIZE, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 12));
	/* a packet that is longer than its message */
	KUNIT_EXPECT_EQ(test, 28, SAY(4, 28, 3, OID_MAXIMUM_FRAME_SIZE, 0, 20, 0, 1, 2, 3));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 12));
}

static void indications(struct kunit *test)
{
	start(test);
	KUNIT_EXPECT_EQ(test, 20u, ovid_rndis_link(&card, answer));
	KUNIT_EXPECT_EQ(test, 7u, at32(answer, 0));
	KUNIT_EXPECT_EQ(test, 20u, at32(answer, 4));
	KUNIT_EXPECT_EQ(test, 0x4001000bu, at32(answer, 8));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 16));
	card.link = false;
	ovid_rndis_link(&card, answer);
	KUNIT_EXPECT_EQ(test, 0x4001000cu, at32(answer, 8));
	KUNIT_EXPECT_EQ(test, 20u, ovid_rndis_network(&card, answer));
	KUNIT_EXPECT_EQ(test, 0x40010018u, at32(answer, 8));
	/* netvsc_linkstatus_callback(): an offset of 12 at least, from the body's beginning */
	KUNIT_EXPECT_EQ(test, 24u, ovid_rndis_speed(&card, answer));
	KUNIT_EXPECT_EQ(test, 0x40010013u, at32(answer, 8));
	KUNIT_EXPECT_EQ(test, 4u, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 12u, at32(answer, 16));
	KUNIT_EXPECT_EQ(test, 10000u, at32(answer, 20) / 10000);
	KUNIT_EXPECT_EQ(test, 176u, ovid_rndis_offloads(&card, answer));
	KUNIT_EXPECT_EQ(test, 0x40020006u, at32(answer, 8));
	KUNIT_EXPECT_EQ(test, 156u, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 0xa7, answer[20]);
}

/* ---- OIDs ---- */

static void numbers(struct kunit *test)
{
	static const struct { u32 oid, value; } all[] = {
		{ 0x00010102, 0 }, { 0x00010103, 0 }, { 0x00010104, 0 }, { 0x00010105, 1500 },
		{ 0x00010106, 1500 }, { 0x00010107, 100000000 }, { 0x00010108, 262144 },
		{ 0x00010109, 262144 }, { 0x0001010a, 1514 }, { 0x0001010b, 1514 },
		{ 0x0001010c, 0x155d }, { 0x0001010e, 0 }, { 0x0001010f, 1500 },
		{ 0x00010111, 1514 }, { 0x00010113, 0x24d }, { 0x00010114, 0 }, { 0x00010115, 8 },
		{ 0x00010116, 0x10000 }, { 0x00020101, 2 }, { 0x00020102, 6 }, { 0x00020103, 5 },
		{ 0x00020104, 9 }, { 0x00020105, 10 }, { 0x01010104, 32 }, { 0x01010105, 0 },
		{ 0x01020101, 0 }, { 0x01020102, 0 }, { 0x01020103, 0 }, { 0x01020201, 0 },
		{ 0x01020202, 0 }, { 0x01020203, 0 }, { 0x01020204, 0 }, { 0x01020205, 0 },
		{ 0x01020206, 0 }, { 0x01020207, 0 },
	};
	u32 i;

	start(test);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		EXPECT_WORD(all[i].oid, all[i].value);
	card.link = false;
	EXPECT_WORD(OID_MEDIA_CONNECT_STATUS, 1);
	card.speed = 1000000;		/* more than there is room for */
	EXPECT_WORD(OID_LINK_SPEED, 0xffffffff);
}

static void large_numbers(struct kunit *test)
{
	static const struct { u32 oid; u64 value; } all[] = {
		{ 0x00020219, 0x700000008ull }, { 0x0002021a, 0x300000004ull }, { 0x0002021b, 10 },
		{ 0x0002021c, 0 },
	};
	u32 i;

	start(test);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		KUNIT_EXPECT_EQ(test, 0u, query(test, all[i].oid));
		KUNIT_EXPECT_EQ(test, 8u, said_bytes);
		KUNIT_EXPECT_EQ(test, all[i].value, get_unaligned_le64(said_));
	}
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x00010206));
	KUNIT_EXPECT_EQ(test, 16u, said_bytes);
	KUNIT_EXPECT_EQ(test, 10000000000ull, get_unaligned_le64(said_));
	KUNIT_EXPECT_EQ(test, 10000000000ull, get_unaligned_le64(said_ + 8));
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x00010110));
	KUNIT_EXPECT_EQ(test, 2u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0x061e, get_unaligned_le16(said_));
}

static void objects(struct kunit *test)
{
	start(test);
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x00010207));
	KUNIT_EXPECT_EQ(test, 40u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0x00280180u, at32(said_, 0));
	KUNIT_EXPECT_EQ(test, 1u, at32(said_, 4));
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 8));
	KUNIT_EXPECT_EQ(test, 10000000000ull, get_unaligned_le64(said_ + 16));
	KUNIT_EXPECT_EQ(test, 10000000000ull, get_unaligned_le64(said_ + 24));
	card.link = false;
	query(test, 0x00010207);
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 4));

	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x00020106));
	KUNIT_EXPECT_EQ(test, 152u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0x00980180u, at32(said_, 0));
	KUNIT_EXPECT_EQ(test, 0x679u, at32(said_, 4));
	KUNIT_EXPECT_EQ(test, 10ull, get_unaligned_le64(said_ + 8));
	KUNIT_EXPECT_EQ(test, 9ull, get_unaligned_le64(said_ + 16));
	KUNIT_EXPECT_EQ(test, 0x700000008ull, get_unaligned_le64(said_ + 24));
	KUNIT_EXPECT_EQ(test, 6ull, get_unaligned_le64(said_ + 32));
	KUNIT_EXPECT_EQ(test, 0x300000004ull, get_unaligned_le64(said_ + 56));
	KUNIT_EXPECT_EQ(test, 0x100000002ull, get_unaligned_le64(said_ + 64));
	KUNIT_EXPECT_EQ(test, 5ull, get_unaligned_le64(said_ + 88));

	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x0001010d));
	KUNIT_EXPECT_EQ(test, 0, memcmp(said_, "ovid network card", 18));
	KUNIT_EXPECT_EQ(test, 18u, said_bytes);
}

static void names(struct kunit *test)
{
	start(test);
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x00020216));
	KUNIT_EXPECT_EQ(test, 12u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0, memcmp(said_, "e\0t\0h\0-\0a\0\0", 12));
	card.name[0] = 0;
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x00020216));
	KUNIT_EXPECT_EQ(test, 2u, said_bytes);
	memset(card.name, 'x', sizeof(card.name));	/* none that could be: it ends, too */
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x00020216));
	KUNIT_EXPECT_EQ(test, 128u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0, said_[126] | said_[127]);
}

static void addresses(struct kunit *test)
{
	start(test);
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x01010101));
	KUNIT_EXPECT_EQ(test, 6u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0, memcmp(said_, usual.permanent, 6));
	card.address[5] = 9;
	query(test, 0x01010101);
	KUNIT_EXPECT_EQ(test, 3, said_[5]);
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x01010102));
	KUNIT_EXPECT_EQ(test, 6u, said_bytes);
	KUNIT_EXPECT_EQ(test, 9, said_[5]);
}

/* what is listed can be asked for or set, what is not can't */
static void supported(struct kunit *test)
{
	static u8 list[RNDIS_CONTROL_BYTES];
	u32 n, i, oid;

	start(test);
	KUNIT_EXPECT_EQ(test, 0u, query(test, OID_SUPPORTED_LIST));
	KUNIT_ASSERT_EQ(test, 0u, said_bytes % 4);
	n = said_bytes / 4;
	memcpy(list, said_, said_bytes);
	for (i = 0; i < n; i++) {
		oid = at32(list, 4 * i);
		KUNIT_EXPECT_TRUE_MSG(test, query(test, oid) != RNDIS_NOT_SUPPORTED ||
				      set(test, oid, NULL, 0) != RNDIS_NOT_SUPPORTED, "%x", oid);
		KUNIT_EXPECT_TRUE_MSG(test, !i || oid > at32(list, 4 * i - 4), "%x", oid);
	}
	start(test);
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, query(test, 0x00010202));
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, query(test, 0));
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, query(test, 0xffffffff));
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, set_word(test, 0xfd010101, 1));
	/* one way alone */
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, query(test, OID_OFFLOAD_PARAMS));
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, query(test, OID_RSS_PARAMS));
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, query(test, OID_CONFIG_PARAMETER));
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, set_word(test, OID_MAXIMUM_FRAME_SIZE, 9000));
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, set(test, OID_PERMANENT_ADDRESS, list, 6));
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, set(test, OID_OFFLOAD_CAPS, list, 156));
}

static void filters(struct kunit *test)
{
	start(test);
	KUNIT_EXPECT_EQ(test, 0u, set_word(test, 0x0001010e, 0xd));
	KUNIT_EXPECT_EQ(test, RNDIS_CHANGED_FILTER, changed);
	EXPECT_WORD(0x0001010e, 0xd);
	/* kinds that there are none of */
	KUNIT_EXPECT_EQ(test, 0u, set_word(test, 0x0001010e, 0xffffffff));
	EXPECT_WORD(0x0001010e, 0x2f);
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0x0001010e, "\1\0\0", 3));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0x0001010e, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0u, changed);
	EXPECT_WORD(0x0001010e, 0x2f);
	KUNIT_EXPECT_EQ(test, 0u, set_word(test, 0x0001010e, 0));
	EXPECT_WORD(0x0001010e, 0);
}

static void taken_and_ignored(struct kunit *test)
{
	const struct ovid_rndis before = usual;

	start(test);
	KUNIT_EXPECT_EQ(test, 0u, set_word(test, OID_CURRENT_LOOKAHEAD, 256));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, OID_CURRENT_LOOKAHEAD, "\1", 1));
	KUNIT_EXPECT_EQ(test, 0u, set_word(test, OID_PROTOCOL_OPTIONS, 1));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, OID_PROTOCOL_OPTIONS, "\1", 1));
	KUNIT_EXPECT_EQ(test, 0u, set(test, OID_NETWORK_LAYER_ADDRESSES, "\0\0\2\0", 4));
	KUNIT_EXPECT_EQ(test, 0u, set(test, OID_NETWORK_LAYER_ADDRESSES, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0u, set(test, OID_LINK_PARAMETERS, before.multicast, 40));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH,
			set(test, OID_LINK_PARAMETERS, before.multicast, 39));
	KUNIT_EXPECT_EQ(test, 0u, changed);
}

static void multicast_lists(struct kunit *test)
{
	u8 list[33 * 6];
	u32 i;

	start(test);
	for (i = 0; i < 33; i++)
		memcpy(list + 6 * i, (u8[]){ 0x33, 0x33, 0, 0, 0, i }, 6);
	KUNIT_EXPECT_EQ(test, 0u, set(test, 0x01010103, list, 32 * 6));
	KUNIT_EXPECT_EQ(test, RNDIS_CHANGED_FILTER, changed);
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x01010103));
	KUNIT_EXPECT_EQ(test, 192u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0, memcmp(said_, list, 192));
	KUNIT_EXPECT_EQ(test, RNDIS_MULTICAST_FULL, set(test, 0x01010103, list, 33 * 6));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0x01010103, list, 7));
	list[6] = 2;
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set(test, 0x01010103, list, 12));
	KUNIT_EXPECT_EQ(test, 0u, changed);
	KUNIT_EXPECT_EQ(test, 32u, card.nr_multicast);
	KUNIT_EXPECT_EQ(test, 0u, set(test, 0x01010103, NULL, 0));
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x01010103));
	KUNIT_EXPECT_EQ(test, 0u, said_bytes);
}

/* ---- offloads ---- */

/* as rndis_query_device() and rndis_query_hwcaps() ask and check */
static void offload_caps(struct kunit *test)
{
	static const struct { u8 revision; u16 bytes; } kinds[] = {
		{ 1, 112 }, { 2, 144 }, { 3, 156 },
	};
	u8 in[156];
	u32 i;

	start(test);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		memset(in, 0, sizeof(in));
		in[0] = 0xa7;
		in[1] = kinds[i].revision;
		put_unaligned_le16(kinds[i].bytes, in + 2);
		KUNIT_EXPECT_EQ(test, 0u, query_with(test, 0xfc01020d, in, kinds[i].bytes));
		KUNIT_EXPECT_EQ(test, (u32)kinds[i].bytes, said_bytes);
		KUNIT_EXPECT_EQ(test, 0xa7, said_[0]);
		KUNIT_EXPECT_EQ(test, kinds[i].revision, said_[1]);
		KUNIT_EXPECT_EQ(test, kinds[i].bytes, get_unaligned_le16(said_ + 2));
	}
	/* of ndis_offload: csum from 4, lsov2 from 80, rsc at 144 */
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0xfc01020d));
	KUNIT_EXPECT_EQ(test, 156u, said_bytes);
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 4));
	KUNIT_EXPECT_EQ(test, 0x155u, at32(said_, 8));
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 12));
	KUNIT_EXPECT_EQ(test, 0x155u, at32(said_, 16));
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 20));
	KUNIT_EXPECT_EQ(test, 0x55u, at32(said_, 24));
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 28));
	KUNIT_EXPECT_EQ(test, 0x55u, at32(said_, 32));
	for (i = 36; i < 80; i++)
		KUNIT_EXPECT_EQ(test, 0, said_[i]);	/* segmentation of old, IPsec */
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 80));
	KUNIT_EXPECT_EQ(test, 65483u, at32(said_, 84));
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 88));
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 92));
	KUNIT_EXPECT_EQ(test, 65483u, at32(said_, 96));
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 100));
	KUNIT_EXPECT_EQ(test, 5u, at32(said_, 104));
	KUNIT_EXPECT_EQ(test, 0x0101, get_unaligned_le16(said_ + 144));
}

static void offload_config(struct kunit *test)
{
	start(test);
	card.offloads = 0;
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0xfc01020b));
	KUNIT_EXPECT_EQ(test, 156u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0u, at32(said_, 8) | at32(said_, 80) | at32(said_, 144));
	card.offloads = NET_RX_UDP6_CSUM;
	query(test, 0xfc01020b);
	KUNIT_EXPECT_EQ(test, 0u, at32(said_, 24));
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 28));
	KUNIT_EXPECT_EQ(test, 0x41u, at32(said_, 32));
	card.offloads = NET_TX_IP_CSUM | NET_RSC6;
	query(test, 0xfc01020b);
	KUNIT_EXPECT_EQ(test, 0x101u, at32(said_, 8));
	KUNIT_EXPECT_EQ(test, 0x0100, get_unaligned_le16(said_ + 144));
}

/* of ndis_offload_params, behind its header of 4 and checksums */
enum { LSO1 = 5, LSO4 = 7, LSO6 = 8, RSC4 = 18, RSC6 = 19 };

/* a set request of @bytes; values of 4 on, up to 28 bytes */
static u32 set_offloads(struct kunit *test, u32 bytes, const u8 *values)
{
	u8 in[28] = { 0x80, 3, bytes };

	memcpy(in + 4, values, sizeof(in) - 4);
	return set(test, 0xfc01020c, in, bytes);
}

#define SET_OFFLOADS(bytes, ...) ({						\
	const u8 values_[24] = { __VA_ARGS__ };					\
	set_offloads(test, bytes, values_); })

static void offload_params(struct kunit *test)
{
	const u32 all_rx = NET_RX_IP_CSUM | NET_RX_TCP4_CSUM | NET_RX_TCP6_CSUM |
			   NET_RX_UDP4_CSUM | NET_RX_UDP6_CSUM;
	const u32 tx_csum = NET_TX_IP_CSUM | NET_TX_TCP4_CSUM | NET_TX_TCP6_CSUM |
			    NET_TX_UDP4_CSUM | NET_TX_UDP6_CSUM;
	u32 before;

	start(test);
	before = card.offloads;
	KUNIT_EXPECT_EQ(test, 0u, SET_OFFLOADS(28));		/* no change */
	KUNIT_EXPECT_EQ(test, before, card.offloads);
	KUNIT_EXPECT_EQ(test, RNDIS_CHANGED_OFFLOADS, changed);
	/* all that Linux asks for: no IP checksum */
	KUNIT_EXPECT_EQ(test, 0u, SET_OFFLOADS(28, 1, 4, 4, 4, 4, [LSO4] = 2, [LSO6] = 2,
					       [RSC4] = 2, [RSC6] = 2));
	KUNIT_EXPECT_EQ(test, NET_OFFLOADS & ~(NET_TX_IP_CSUM | NET_RX_IP_CSUM), card.offloads);
	KUNIT_EXPECT_EQ(test, 0u, SET_OFFLOADS(28, 3, 3, 3, 3, 3, [LSO4] = 1, [LSO6] = 1));
	KUNIT_EXPECT_EQ(test, all_rx | NET_RSC4 | NET_RSC6, card.offloads);
	KUNIT_EXPECT_EQ(test, 0u, SET_OFFLOADS(28, 2, 2, 2, 2, 2, [RSC4] = 1, [RSC6] = 1));
	KUNIT_EXPECT_EQ(test, tx_csum, card.offloads);
	KUNIT_EXPECT_EQ(test, 0u, SET_OFFLOADS(28, 0, 1));
	KUNIT_EXPECT_EQ(test, tx_csum & ~NET_TX_TCP4_CSUM, card.offloads);
	/* Linux of NVSP 4: 22 bytes, and what would be RSC is not there */
	KUNIT_EXPECT_EQ(test, 0u, SET_OFFLOADS(22, 1, 4, 1, 1, 1, [LSO4] = 2, [RSC4] = 9,
					       [RSC6] = 9));
	KUNIT_EXPECT_EQ(test, NET_TX_TCP4_CSUM | NET_RX_TCP4_CSUM | NET_LSO4, card.offloads);
}

static void offload_refusals(struct kunit *test)
{
	u8 in[28] = { 0x80, 3, 28, 0, 4 };
	u32 before, i;

	start(test);
	before = card.offloads;
	for (i = 0; i < 5; i++) {
		u8 values[24] = {};

		values[i] = 5;
		KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set_offloads(test, 28, values));
	}
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, SET_OFFLOADS(28, 4, [LSO1] = 2));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, SET_OFFLOADS(28, 1, [LSO4] = 3));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, SET_OFFLOADS(28, 1, [LSO6] = 3));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, SET_OFFLOADS(28, 1, [RSC4] = 3));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, SET_OFFLOADS(28, 1, [RSC6] = 3));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0xfc01020c, in, 19));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0xfc01020c, NULL, 0));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0xfc01020c, in, 27));
	in[2] = 19;
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0xfc01020c, in, 28));
	in[2] = 28;
	in[1] = 0;
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set(test, 0xfc01020c, in, 28));
	in[1] = 3;
	in[0] = 0xa7;
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set(test, 0xfc01020c, in, 28));
	KUNIT_EXPECT_EQ(test, 0u, changed);
	KUNIT_EXPECT_EQ(test, before, card.offloads);
}

static void encapsulations(struct kunit *test)
{
	u8 in[28];

	start(test);
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x0101010a));
	KUNIT_EXPECT_EQ(test, 28u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0x001c01a8u, at32(said_, 0));
	KUNIT_EXPECT_EQ(test, 2u, at32(said_, 8));
	KUNIT_EXPECT_EQ(test, 14u, at32(said_, 12));
	memcpy(in, said_, 28);
	KUNIT_EXPECT_EQ(test, 0u, set(test, 0x0101010a, in, 28));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0x0101010a, in, 27));
	word(in, 8, 4);
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, set(test, 0x0101010a, in, 28));
	word(in, 4, 2);			/* off: it does not matter */
	KUNIT_EXPECT_EQ(test, 0u, set(test, 0x0101010a, in, 28));
	word(in, 24, 18);
	KUNIT_EXPECT_EQ(test, RNDIS_NOT_SUPPORTED, set(test, 0x0101010a, in, 28));
	in[0] = 0x80;
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set(test, 0x0101010a, in, 28));
}

/* ---- receive queues ---- */

static void rss_caps(struct kunit *test)
{
	u8 in[18] = { 0x88, 2, 18 };

	start(test);
	KUNIT_EXPECT_EQ(test, 0u, query_with(test, 0x00010203, in, 18));
	KUNIT_EXPECT_EQ(test, 18u, said_bytes);		/* Linux takes no more */
	KUNIT_EXPECT_EQ(test, 0x00120288u, at32(said_, 0));
	KUNIT_EXPECT_EQ(test, 0x301u, at32(said_, 4));
	KUNIT_EXPECT_EQ(test, 4u, at32(said_, 12));
	KUNIT_EXPECT_EQ(test, 128, get_unaligned_le16(said_ + 16));
	in[1] = 1;
	KUNIT_EXPECT_EQ(test, 0u, query_with(test, 0x00010203, in, 16));
	KUNIT_EXPECT_EQ(test, 16u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0x00100188u, at32(said_, 0));
	card.queues = 1;
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x00010203));
	KUNIT_EXPECT_EQ(test, 1u, at32(said_, 12));
}

#define RSS_TABLE	40		/* behind ndis_recv_scale_param of 40 bytes */
#define RSS_BYTES(n)	(40 + 4 * (n) + 40)

static u8 rss[RSS_BYTES(129)];

/* rndis_set_rss_param_msg() with a table of @n */
static void make_rss(u16 flags, u32 n)
{
	u32 i;

	memset(rss, 0, sizeof(rss));
	rss[0] = 0x89;
	rss[1] = 2;
	rss[2] = 40;
	put_unaligned_le16(flags, rss + 4);
	word(rss, 8, 0x1701);
	put_unaligned_le16(4 * n, rss + 12);
	word(rss, 16, RSS_TABLE);
	put_unaligned_le16(40, rss + 20);
	word(rss, 24, RSS_TABLE + 4 * n);
	for (i = 0; i < n; i++)
		word(rss, RSS_TABLE + 4 * i, i % 4);
	for (i = 0; i < 40; i++)
		rss[RSS_TABLE + 4 * n + i] = 0x60 + i;
}

static u32 set_rss(struct kunit *test, u16 flags, u32 n)
{
	make_rss(flags, n);
	return set(test, 0x00010204, rss, RSS_BYTES(n));
}

static void rss_params(struct kunit *test)
{
	start(test);
	/* as Linux does it: off first, with all there is */
	KUNIT_EXPECT_EQ(test, 0u, set_rss(test, 0x10, 128));
	KUNIT_EXPECT_EQ(test, RNDIS_CHANGED_RSS, changed);
	KUNIT_EXPECT_FALSE(test, card.rss);
	KUNIT_EXPECT_EQ(test, 0u, set_rss(test, 0, 128));
	KUNIT_EXPECT_EQ(test, RNDIS_CHANGED_RSS, changed);
	KUNIT_EXPECT_TRUE(test, card.rss);
	KUNIT_EXPECT_EQ(test, 128u, card.nr_table);
	KUNIT_EXPECT_EQ(test, 3, card.table[127]);
	KUNIT_EXPECT_EQ(test, 0x60, card.key[0]);
	KUNIT_EXPECT_EQ(test, 0x60 + 39, card.key[39]);
	KUNIT_EXPECT_EQ(test, NET_HASH_TYPES, card.hash_types);
	/* some of it as it was */
	make_rss(0x4 | 0x8, 4);
	word(rss, 8, 0x201);
	rss[16] = 0xff;
	rss[24] = 0xff;
	KUNIT_EXPECT_EQ(test, 0u, set(test, 0x00010204, rss, 40));
	KUNIT_EXPECT_EQ(test, NDIS_HASH_TCP4, card.hash_types);
	KUNIT_EXPECT_EQ(test, 128u, card.nr_table);
	KUNIT_EXPECT_EQ(test, 0u, set_rss(test, 0x2, 2));
	KUNIT_EXPECT_EQ(test, NDIS_HASH_TCP4, card.hash_types);
	KUNIT_EXPECT_EQ(test, 2u, card.nr_table);
	/* no hash: off, too */
	make_rss(0, 4);
	word(rss, 8, 0);
	KUNIT_EXPECT_EQ(test, 0u, set(test, 0x00010204, rss, 28));
	KUNIT_EXPECT_FALSE(test, card.rss);
	KUNIT_EXPECT_EQ(test, 0u, set_rss(test, 0x2 | 0x4 | 0x8, 4));
	KUNIT_EXPECT_TRUE(test, card.rss);
}

static void rss_refusals(struct kunit *test)
{
	static const struct { u32 at, value, status; } bad[] = {
		{ 8, 0x1702, RNDIS_INVALID_DATA },	/* another hash */
		{ 8, 0x20001, RNDIS_INVALID_DATA },	/* of nothing that we know */
		{ 12, 510, RNDIS_INVALID_DATA },	/* no table of words */
		{ 12, 12, RNDIS_INVALID_DATA },		/* of 3 */
		{ 12, 0, RNDIS_INVALID_DATA },
		{ 16, 0xffffffff, RNDIS_INVALID_LENGTH },
		{ 16, 81, RNDIS_INVALID_LENGTH },
		{ 20, 39, RNDIS_INVALID_DATA },
		{ 24, 0xffffffff, RNDIS_INVALID_LENGTH },
		{ 24, 553, RNDIS_INVALID_LENGTH },
		{ RSS_TABLE + 508, 4, RNDIS_INVALID_DATA },	/* no such queue */
		{ RSS_TABLE, 0x100, RNDIS_INVALID_DATA },
	};
	u32 i;

	start(test);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		make_rss(0, 128);
		word(rss, bad[i].at, bad[i].value);
		KUNIT_EXPECT_EQ_MSG(test, bad[i].status,
				    set(test, 0x00010204, rss, RSS_BYTES(128)), "%u", i);
		KUNIT_EXPECT_EQ(test, 0u, changed);
	}
	make_rss(0, 128);
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0x00010204, rss, 27));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH,
			set(test, 0x00010204, rss, RSS_BYTES(128) - 1));
	make_rss(0, 129);
	put_unaligned_le16(4 * 256, rss + 12);
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0x00010204, rss, RSS_BYTES(129)));
	/* as it never was */
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set_rss(test, 0x4, 128));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set_rss(test, 0x2, 128));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set_rss(test, 0xe, 128));
	KUNIT_EXPECT_FALSE(test, card.rss);
	KUNIT_EXPECT_EQ(test, 0u, card.nr_table);
	/* more places than we have */
	make_rss(0, 1);
	put_unaligned_le16(512 + 512, rss + 12);
	word(rss, 16, 0);
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0x00010204, rss, RSS_BYTES(1)));
}

/* ---- parameters ---- */

static u32 set_parameter(struct kunit *test, u32 type, const char *name, const char *value)
{
	u32 name_bytes = 2 * strlen(name), value_bytes = 2 * strlen(value), i;
	u8 in[256] = {};

	word(in, 0, 20);
	word(in, 4, name_bytes);
	word(in, 8, type);
	word(in, 12, 20 + name_bytes);
	word(in, 16, value_bytes);
	for (i = 0; name[i]; i++)
		in[20 + 2 * i] = name[i];
	for (i = 0; value[i]; i++)
		in[20 + name_bytes + 2 * i] = value[i];
	return set(test, 0x0001021b, in, 20 + name_bytes + value_bytes);
}

static void parameters(struct kunit *test)
{
	static const char *const bad[] = {
		"", "02155d0102", "02155d01020", "02155d0102030", "02155d01020g", "03155d010203",
		"000000000000", "02155d010203\x80", "02:15:5d:01:02:03",
	};
	u32 i;

	start(test);
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "NetworkAddress", "02155dABcdef"));
	KUNIT_EXPECT_EQ(test, RNDIS_CHANGED_ADDRESS, changed);
	KUNIT_EXPECT_EQ(test, 0, memcmp(card.address, "\2\x15\x5d\xab\xcd\xef", 6));
	KUNIT_EXPECT_EQ(test, 0, memcmp(card.permanent, usual.permanent, 6));
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "NetworkAddress", "02-15-5d-01-02-04"));
	KUNIT_EXPECT_EQ(test, 4, card.address[5]);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, RNDIS_INVALID_DATA,
				    set_parameter(test, 2, "NetworkAddress", bad[i]), "%s", bad[i]);
	KUNIT_EXPECT_EQ(test, 0u, changed);
	KUNIT_EXPECT_EQ(test, 4, card.address[5]);
	/* names that are not it */
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "NetworkAddres", "021111111111"));
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "NetworkAddress2", "021111111111"));
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "", ""));
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 0, "NetworkAddress", "21"));
	KUNIT_EXPECT_EQ(test, 0u, changed);
	KUNIT_EXPECT_EQ(test, 4, card.address[5]);
}

static void keywords_set(struct kunit *test)
{
	u32 before;

	start(test);
	card.offloads = 0;
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "*TCPChecksumOffloadIPv4", "3"));
	KUNIT_EXPECT_EQ(test, RNDIS_CHANGED_OFFLOADS, changed);
	KUNIT_EXPECT_EQ(test, NET_TX_TCP4_CSUM | NET_RX_TCP4_CSUM, card.offloads);
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "*TCPChecksumOffloadIPv4", "2"));
	KUNIT_EXPECT_EQ(test, NET_RX_TCP4_CSUM, card.offloads);
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "*LsoV2IPv6", "1"));
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "*RscIPv4", "1"));
	KUNIT_EXPECT_EQ(test, NET_RX_TCP4_CSUM | NET_LSO6 | NET_RSC4, card.offloads);
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "*TCPChecksumOffloadIPv4", "0"));
	KUNIT_EXPECT_EQ(test, 0u, set_parameter(test, 2, "*LsoV2IPv6", "0"));
	KUNIT_EXPECT_EQ(test, NET_RSC4, card.offloads);
	before = card.offloads;
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA,
			set_parameter(test, 2, "*TCPChecksumOffloadIPv4", "4"));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set_parameter(test, 2, "*LsoV2IPv6", "2"));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set_parameter(test, 2, "*LsoV2IPv6", ""));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set_parameter(test, 2, "*LsoV2IPv6", "11"));
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_DATA, set_parameter(test, 2, "*LsoV2IPv6", "/"));
	KUNIT_EXPECT_EQ(test, before, card.offloads);
	KUNIT_EXPECT_EQ(test, 0u, changed);
}

static void parameter_refusals(struct kunit *test)
{
	static const struct { u32 at, value; } bad[] = {
		{ 0, 0xffffffff }, { 0, 25 }, { 4, 0xffffffff }, { 4, 3 }, { 4, 6 }, { 12, 25 },
		{ 12, 0x80000000 }, { 16, 6 }, { 16, 1 },
	};
	u8 in[24];
	u32 i;

	start(test);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(in, 0, sizeof(in));
		word(in, 0, 20);
		word(in, 4, 2);
		word(in, 8, 2);
		word(in, 12, 22);
		word(in, 16, 2);
		KUNIT_EXPECT_EQ(test, 0u, set(test, 0x0001021b, in, 24));
		word(in, bad[i].at, bad[i].value);
		KUNIT_EXPECT_EQ_MSG(test, RNDIS_INVALID_DATA, set(test, 0x0001021b, in, 24),
				    "%u", i);
	}
	KUNIT_EXPECT_EQ(test, RNDIS_INVALID_LENGTH, set(test, 0x0001021b, in, 19));
}

/* ---- who a frame is for, and a state that was read ---- */

static void wanted(struct kunit *test)
{
	static const u8 broadcast[14] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const u8 group[14] = { 0x33, 0x33, 0, 0, 0, 1 };
	static const u8 listed[14] = { 1, 0, 0x5e, 0, 0, 1 };
	static const u8 own[14] = { 0x00, 0x15, 0x5d, 0x01, 0x02, 0x03 };
	static const u8 other[14] = { 0x00, 0x15, 0x5d, 0x01, 0x02, 0x04 };
	static const struct { u32 filter; bool wants[5]; } all[] = {
		{ 0, {} },
		{ RNDIS_FILTER_DIRECTED, { [3] = true } },
		{ RNDIS_FILTER_MULTICAST, { [2] = true } },
		{ RNDIS_FILTER_ALL_MULTICAST, { [1] = true, [2] = true } },
		{ RNDIS_FILTER_BROADCAST, { [0] = true } },
		{ RNDIS_FILTER_PROMISCUOUS, { true, true, true, true, true } },
		{ 0xd, { true, true, true, true } },
	};
	const u8 *frames[] = { broadcast, group, listed, own, other };
	u32 i, k;

	start(test);
	set(test, OID_MULTICAST_LIST, listed, 6);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		set_word(test, OID_PACKET_FILTER, all[i].filter);
		for (k = 0; k < ARRAY_SIZE(frames); k++)
			KUNIT_EXPECT_EQ_MSG(test, all[i].wants[k],
					    ovid_rndis_wants(&card, frames[k]), "%u %u", i, k);
	}
	set_word(test, OID_PACKET_FILTER, RNDIS_FILTER_DIRECTED);
	set_parameter(test, 2, "NetworkAddress", "00155d010204");
	KUNIT_EXPECT_FALSE(test, ovid_rndis_wants(&card, own));
	KUNIT_EXPECT_TRUE(test, ovid_rndis_wants(&card, other));
	SAY(3, 12, 1);
	for (k = 0; k < ARRAY_SIZE(frames); k++)
		KUNIT_EXPECT_FALSE(test, ovid_rndis_wants(&card, frames[k]));
}

#define EXPECT_NOT_OK(change) do {						\
	struct ovid_rndis rndis = card;						\
	change;									\
	KUNIT_EXPECT_FALSE_MSG(test, ovid_rndis_ok(&rndis), #change);		\
} while (0)

static void states(struct kunit *test)
{
	start(test);
	set_rss(test, 0, 128);
	card.nr_multicast = 1;
	card.multicast[0][0] = 1;
	KUNIT_EXPECT_TRUE(test, ovid_rndis_ok(&card));
	EXPECT_NOT_OK(rndis.mtu = NET_MIN_MTU - 1);
	EXPECT_NOT_OK(rndis.mtu = NET_MAX_MTU + 1);
	EXPECT_NOT_OK(rndis.queues = 0);
	EXPECT_NOT_OK(rndis.queues = NET_MAX_QUEUES + 1);
	EXPECT_NOT_OK(rndis.queues = 3);		/* the table has others */
	EXPECT_NOT_OK(*(u8 *)&rndis.link = 2);
	EXPECT_NOT_OK(*(u8 *)&rndis.ready = 2);
	EXPECT_NOT_OK(*(u8 *)&rndis.rss = 0x80);
	EXPECT_NOT_OK(rndis.permanent[0] = 1);
	EXPECT_NOT_OK(rndis.address[0] = 1);
	EXPECT_NOT_OK(memset(rndis.address, 0, 6));
	EXPECT_NOT_OK(memset(rndis.name, 'x', sizeof(rndis.name)));
	EXPECT_NOT_OK(rndis.filter = 0x40);
	EXPECT_NOT_OK(rndis.offloads = NET_OFFLOADS + 1);
	EXPECT_NOT_OK(rndis.nr_multicast = NET_MAX_MULTICAST + 1);
	EXPECT_NOT_OK(rndis.nr_multicast = 2);		/* the second one is none */
	EXPECT_NOT_OK(rndis.nr_table = 256);
	EXPECT_NOT_OK(rndis.nr_table = 3);
	EXPECT_NOT_OK(rndis.nr_table = 0);
	EXPECT_NOT_OK(rndis.hash_types = 0);
	EXPECT_NOT_OK(rndis.hash_types |= 1);
	/* before its beginning there is nothing of the guest's */
	ovid_rndis_forget(&card);
	KUNIT_EXPECT_TRUE(test, ovid_rndis_ok(&card));
	EXPECT_NOT_OK(rndis.filter = 1);
	EXPECT_NOT_OK(rndis.offloads = 1);
	EXPECT_NOT_OK(rndis.rss = true);
	EXPECT_NOT_OK(rndis.nr_table = 1);
	EXPECT_NOT_OK(rndis.nr_multicast = 1);
}

/* ---- Linux brings the card up: rndis_filter_device_add() and what follows ---- */

static void linux_comes_up(struct kunit *test)
{
	u8 caps[156] = { 0xa7, 3, 156 }, rsscaps[18] = { 0x88, 2, 18 };

	card = usual;
	ovid_rndis_forget(&card);
	KUNIT_EXPECT_EQ(test, 52, SAY(2, 24, 1, 1, 0, 0x4000));
	KUNIT_EXPECT_EQ(test, 0u, at32(answer, 12));
	KUNIT_EXPECT_EQ(test, 8, 1 << at32(answer, 40));
	EXPECT_WORD(0x00010106, 1500);
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x01010101));
	KUNIT_EXPECT_EQ(test, 6u, said_bytes);
	KUNIT_EXPECT_EQ(test, 0u, query(test, 0x00020216));
	KUNIT_EXPECT_LE(test, said_bytes, 512u);
	KUNIT_EXPECT_EQ(test, 0u, query_with(test, 0xfc01020d, caps, 156));
	KUNIT_EXPECT_TRUE(test, said_[0] == 0xa7 && said_[1] >= 1);
	KUNIT_EXPECT_GE(test, get_unaligned_le16(said_ + 2), 112);
	KUNIT_EXPECT_LE(test, get_unaligned_le16(said_ + 2), said_bytes);
	KUNIT_EXPECT_EQ(test, 0x14u, at32(said_, 8) & 0x14);
	KUNIT_EXPECT_EQ(test, 0x15u, at32(said_, 24) & 0x15);
	KUNIT_EXPECT_EQ(test, 0x40u, at32(said_, 8) & at32(said_, 24) & 0x40);
	KUNIT_EXPECT_TRUE(test, at32(said_, 80) & at32(said_, 92) & 2);
	KUNIT_EXPECT_EQ(test, 5u, at32(said_, 104) & 5);
	/* netif_set_tso_max_size(); MAX_TCP_HEADER + 1 of it are for headers */
	KUNIT_EXPECT_GE(test, at32(said_, 84), 45 * 1448u + 321);
	KUNIT_EXPECT_GE(test, at32(said_, 96), 45 * 1428u + 321);
	KUNIT_EXPECT_TRUE(test, said_[144] && said_[145]);
	KUNIT_EXPECT_EQ(test, 0u, SET_OFFLOADS(28, 1, 4, 4, 4, 4, [LSO4] = 2, [LSO6] = 2,
					       [RSC4] = 1, [RSC6] = 1));
	EXPECT_WORD(0x00010114, 0);
	EXPECT_WORD(0x00010107, 10000 * 10000);
	KUNIT_EXPECT_EQ(test, 0u, query_with(test, 0x00010203, rsscaps, 18));
	KUNIT_EXPECT_EQ(test, 18u, said_bytes);
	KUNIT_EXPECT_EQ(test, 4u, at32(said_, 12));
	KUNIT_EXPECT_EQ(test, 0u, set_rss(test, 0x10, 128));
	KUNIT_EXPECT_EQ(test, 0u, set_rss(test, 0, 128));
	KUNIT_EXPECT_EQ(test, 0u, set_word(test, 0x0001010e, 0xd));
	KUNIT_EXPECT_EQ(test, NET_TX_IP_CSUM | NET_RX_IP_CSUM | NET_RSC4 | NET_RSC6,
			NET_OFFLOADS & ~card.offloads);
	KUNIT_EXPECT_TRUE(test, card.rss);
	/* down: no frames, and gone */
	KUNIT_EXPECT_EQ(test, 0u, set_word(test, 0x0001010e, 0));
	KUNIT_EXPECT_EQ(test, 0, SAY(3, 12, 100));
	KUNIT_EXPECT_EQ(test, RNDIS_HALTED, changed);
}

static struct kunit_case rndis_cases[] = {
	KUNIT_CASE(begins),
	KUNIT_CASE(begins_not),
	KUNIT_CASE(others),
	KUNIT_CASE(no_messages),
	KUNIT_CASE(bad_lengths),
	KUNIT_CASE(indications),
	KUNIT_CASE(numbers),
	KUNIT_CASE(large_numbers),
	KUNIT_CASE(objects),
	KUNIT_CASE(names),
	KUNIT_CASE(addresses),
	KUNIT_CASE(supported),
	KUNIT_CASE(filters),
	KUNIT_CASE(taken_and_ignored),
	KUNIT_CASE(multicast_lists),
	KUNIT_CASE(offload_caps),
	KUNIT_CASE(offload_config),
	KUNIT_CASE(offload_params),
	KUNIT_CASE(offload_refusals),
	KUNIT_CASE(encapsulations),
	KUNIT_CASE(rss_caps),
	KUNIT_CASE(rss_params),
	KUNIT_CASE(rss_refusals),
	KUNIT_CASE(parameters),
	KUNIT_CASE(keywords_set),
	KUNIT_CASE(parameter_refusals),
	KUNIT_CASE(wanted),
	KUNIT_CASE(states),
	KUNIT_CASE(linux_comes_up),
	{}
};

static struct kunit_suite rndis_suite = {
	.name = "ovid_rndis",
	.test_cases = rndis_cases,
};
kunit_test_suite(rndis_suite);

MODULE_DESCRIPTION("cases for RNDIS's control messages");
MODULE_LICENSE("GPL");
