// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for frames in RNDIS messages: what the guest says beside them, what it has left undone,
 * and what it is told.  A guest here is Linux: offsets and checks are those of its
 * drivers/net/hyperv, written down once more; sums are made in another way.
 * What any bytes do is selftests/fuzz/fuzz_rndis.c.
 */
#include <kunit/test.h>
#include "frame.c"
#include "frame_offload.c"

static u32 at32(const u8 *p, u32 offset)
{
	return get_unaligned_le32(p + offset);
}

static void word(u8 *p, u32 offset, u32 value)
{
	put_unaligned_le32(value, p + offset);
}

/* ---- messages with frames ---- */

static u8 message[512] __aligned(8);

/* as netvsc_xmit() begins: @infos words of each a type and a value, then @bytes of a frame */
static u32 make_message(const u32 *infos, u32 n, u32 bytes)
{
	u32 i, at = 44;

	memset(message, 0, sizeof(message));
	for (i = 0; i < n; i++, at += 16) {
		word(message, at, 16);
		word(message, at + 4, infos[2 * i]);
		word(message, at + 8, 12);
		word(message, at + 12, infos[2 * i + 1]);
	}
	word(message, 0, 1);
	word(message, 4, at + bytes);
	word(message, 8, at - 8);
	word(message, 12, bytes);
	word(message, 28, 36);
	word(message, 32, 16 * n);
	return at + bytes;
}

#define MESSAGE(bytes, ...) ({							\
	const u32 infos_[] = { __VA_ARGS__ };					\
	make_message(infos_, sizeof(infos_) / 8, bytes); })

static struct ovid_rndis_frame frame;

static int parse(u32 bytes)
{
	return ovid_rndis_parse(message, min_t(u32, bytes, RNDIS_HEAD_BYTES), bytes, &frame);
}

static void reads_frames(struct kunit *test)
{
	/* without anything beside it */
	KUNIT_EXPECT_EQ(test, 0, parse(MESSAGE(60)));
	KUNIT_EXPECT_EQ(test, 0u, frame.flags);
	KUNIT_EXPECT_EQ(test, 104u, frame.message);
	KUNIT_EXPECT_EQ(test, 44u, frame.data);
	KUNIT_EXPECT_EQ(test, 60u, frame.bytes);
	/* all there is, as Linux has it: hash, tag, segmentation; and a type that we do not know */
	KUNIT_EXPECT_EQ(test, 0, parse(MESSAGE(100, 8, 0x12345678, 6, 0x123 << 4 | 8 | 5, 9, 1,
					       2, 1448 | 34 << 20 | 1 << 30)));
	KUNIT_EXPECT_EQ(test, NET_FRAME_HASH | NET_FRAME_VLAN | NET_FRAME_LSO, frame.flags);
	KUNIT_EXPECT_EQ(test, 0x12345678u, frame.hash);
	KUNIT_EXPECT_EQ(test, 0xb123, frame.vlan);
	KUNIT_EXPECT_EQ(test, 1448u, frame.mss);
	KUNIT_EXPECT_EQ(test, 44u + 64, frame.data);
	KUNIT_EXPECT_EQ(test, 44u + 64 + 100, frame.message);
	/* one of RNDIS itself is no checksum, whatever its number */
	KUNIT_EXPECT_EQ(test, 0, parse(MESSAGE(60, 0x80000000, 5, 0x80000002, 5)));
	KUNIT_EXPECT_EQ(test, 0u, frame.flags);
}

static void reads_checksums(struct kunit *test)
{
	static const struct { u32 value, flags; } all[] = {
		{ 0x1 | 0x4 | 34 << 16, NET_FRAME_TCP_CSUM },
		{ 0x2 | 0x4 | 54 << 16, NET_FRAME_TCP_CSUM },
		{ 0x1 | 0x8, NET_FRAME_UDP_CSUM },
		{ 0x2 | 0x8, NET_FRAME_UDP_CSUM },
		{ 0x1 | 0x10, NET_FRAME_IP_CSUM },
		{ 0x1 | 0x4 | 0x10, NET_FRAME_IP_CSUM | NET_FRAME_TCP_CSUM },
		{ 0x2 | 0x10, 0 },
		{ 0x4 | 0x8 | 0x10, 0 },		/* of no protocol */
		{ 0x1 | 0x4 | 0x8, NET_FRAME_TCP_CSUM },
		{ 0, 0 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		KUNIT_EXPECT_EQ(test, 0, parse(MESSAGE(60, 0, all[i].value)));
		KUNIT_EXPECT_EQ_MSG(test, all[i].flags, frame.flags, "%x", all[i].value);
	}
}

/* several in a packet: each with what fills it up */
static void reads_several(struct kunit *test)
{
	u32 bytes = MESSAGE(61);

	word(message, 4, 112);
	KUNIT_EXPECT_EQ(test, 105u, bytes);
	KUNIT_EXPECT_EQ(test, 0, parse(224));
	KUNIT_EXPECT_EQ(test, 112u, frame.message);
	KUNIT_EXPECT_EQ(test, 61u, frame.bytes);
	/* the last one, by itself */
	KUNIT_EXPECT_EQ(test, 0, parse(112));
}

static void refuses_messages(struct kunit *test)
{
	/* of a message of 44 + 2 * 16 + 60 bytes */
	static const struct { u32 at, value; int err; } bad[] = {
		{ 0, 0, -EPROTO }, { 0, 2, -EPROTO }, { 0, 0x80000001, -EPROTO },
		{ 4, 0, -EPROTO }, { 4, 43, -EPROTO }, { 4, 135, -EPROTO }, { 4, 137, -EPROTO },
		{ 4, 0xffffffff, -EPROTO },
		{ 8, 0, -EPROTO }, { 8, 35, -EPROTO }, { 8, 69, -EPROTO },
		{ 8, 0xffffffff, -EPROTO }, { 8, 0xfffffff8, -EPROTO },
		{ 12, 0, -EPROTO }, { 12, 13, -EPROTO }, { 12, 61, -EPROTO },
		{ 12, NET_MAX_FRAME + 1, -EPROTO }, { 12, 0xffffffff, -EPROTO },
		{ 20, 1, -EPROTO }, { 24, 1, -EPROTO },
		{ 28, 0, -EPROTO }, { 28, 35, -EPROTO }, { 28, 37, -EPROTO },
		{ 28, 0xffffffff, -EPROTO },
		{ 32, 1, -EPROTO }, { 32, 15, -EPROTO }, { 32, 31, -EPROTO }, { 32, 33, -EPROTO },
		{ 32, 0xffffffff, -EPROTO }, { 32, 0xfffffff0, -EPROTO },
		/* the first one beside it */
		{ 44, 0, -EPROTO }, { 44, 11, -EPROTO }, { 44, 12, -EPROTO }, { 44, 15, -EPROTO },
		{ 44, 33, -EPROTO }, { 44, 0xffffffff, -EPROTO }, { 48, 2, -EPROTO },
		{ 52, 0, -EPROTO }, { 52, 11, -EPROTO }, { 52, 13, -EPROTO }, { 52, 17, -EPROTO },
		{ 52, 0xffffffff, -EPROTO },
		/* what is taken all the same */
		{ 36, 1, 0 }, { 40, 1, 0 }, { 16, 7, 0 }, { 12, 59, 0 }, { 48, 3, 0 },
	};
	const u32 infos[] = { 0, 5, 2, 1448 | 1 << 30 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, 136u, make_message(infos, 2, 60));
		word(message, bad[i].at, bad[i].value);
		KUNIT_EXPECT_EQ_MSG(test, bad[i].err, parse(136), "%u: %u", bad[i].at,
				    bad[i].value);
	}
	/* what is said would be in the frame */
	make_message(infos, 2, 60);
	word(message, 8, 52);
	KUNIT_EXPECT_EQ(test, -EPROTO, parse(136));
	/* twice the same; a last one that is cut off */
	KUNIT_EXPECT_EQ(test, -EPROTO, parse(MESSAGE(60, 6, 1, 6, 1)));
	KUNIT_EXPECT_EQ(test, -EPROTO, parse(43));
	KUNIT_EXPECT_EQ(test, -EPROTO, parse(0));
}

static void refuses_pieces(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -EPROTO, parse(MESSAGE(60, 2, 1448)));	/* version 1 */
	KUNIT_EXPECT_EQ(test, -EPROTO, parse(MESSAGE(60, 2, 1u << 30)));
	KUNIT_EXPECT_EQ(test, -EPROTO, parse(MESSAGE(60, 2, 1u << 30 | 7)));
	KUNIT_EXPECT_EQ(test, -EPROTO, parse(MESSAGE(60, 2, 1u << 30 | 0x10000)));
	KUNIT_EXPECT_EQ(test, 0, parse(MESSAGE(60, 2, 1u << 30 | 8)));
	KUNIT_EXPECT_EQ(test, 0, parse(MESSAGE(60, 2, 3u << 30 | 0xffff)));
}

/* more beside the frame than we look at: well said or not, another matter */
static void says_too_much(struct kunit *test)
{
	u32 infos[28], i;

	for (i = 0; i < 14; i++) {
		infos[2 * i] = 9;
		infos[2 * i + 1] = i;
	}
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, parse(make_message(infos, 14, 60)));
	KUNIT_EXPECT_EQ(test, 0, parse(make_message(infos, 13, 60)));
	/* behind a frame that is long */
	MESSAGE(400);
	word(message, 4, 444 + 16);
	word(message, 28, 436);
	word(message, 32, 16);
	word(message, 444, 16);
	word(message, 444 + 8, 12);
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, parse(460));
}

/* ---- for the guest: what rndis_filter_receive_data() finds ---- */

/* rndis_get_ppi(): where the value is, or NULL */
static const u8 *linux_info(struct kunit *test, const u8 *packet, u32 body, u32 type)
{
	u32 offset = at32(packet, 20), len = at32(packet, 24), at;

	if (!offset)
		return NULL;
	KUNIT_EXPECT_TRUE(test, offset >= 36 && offset <= body);
	KUNIT_EXPECT_TRUE(test, len >= 12 && len <= body - offset);
	for (at = offset; len; len -= at32(packet, at), at += at32(packet, at)) {
		if (at32(packet, at) > len || at32(packet, at + 8) >= at32(packet, at) ||
		    !at32(packet, at)) {
			KUNIT_FAIL(test, "Linux would loop");
			return NULL;
		}
		if (at32(packet, at + 4) == type)
			return packet + at + at32(packet, at + 8);
	}
	return NULL;
}

static void writes_frames(struct kunit *test)
{
	u32 what, bytes, wanted;

	for (what = 0; what < 16; what++) {
		struct ovid_rndis_out out = {
			.bytes = 1000, .csum = what & 1 ? RNDIS_CSUM_TCP_GOOD : 0,
			.has_vlan = what & 2, .vlan = 0xb123, .has_hash = what & 4,
			.hash = 0x12345678, .part = what & 8 ? RNDIS_ID_PART | RNDIS_ID_LAST : 0,
		};
		const u8 *info;

		memset(message, 0xee, sizeof(message));
		bytes = ovid_rndis_write(message, &out);
		wanted = 44 + 16 * ((what & 1) + (what >> 1 & 1) + (what >> 2 & 1) + (what >> 3));
		KUNIT_EXPECT_EQ(test, (wanted + 7) & ~7u, bytes);
		KUNIT_EXPECT_LE(test, bytes, (u32)RNDIS_OUT_HEAD_BYTES);
		KUNIT_EXPECT_EQ(test, 0xee, message[bytes]);
		KUNIT_EXPECT_EQ(test, 1u, at32(message, 0));
		KUNIT_EXPECT_EQ(test, bytes + 1000, at32(message, 4));
		KUNIT_EXPECT_EQ(test, bytes - 8, at32(message, 8));
		KUNIT_EXPECT_EQ(test, 1000u, at32(message, 12));
		KUNIT_EXPECT_EQ(test, 0u, at32(message, 16) | at32(message, 20) |
				at32(message, 24) | at32(message, 36) | at32(message, 40));
		info = linux_info(test, message + 8, bytes + 992, 0);
		KUNIT_EXPECT_EQ(test, !!(what & 1), info && at32(info, 0) == 8);
		info = linux_info(test, message + 8, bytes + 992, 6);
		KUNIT_EXPECT_EQ(test, !!(what & 2), info && at32(info, 0) == 0x123d);
		info = linux_info(test, message + 8, bytes + 992, 8);
		KUNIT_EXPECT_EQ(test, !!(what & 4), info && at32(info, 0) == 0x12345678);
		info = linux_info(test, message + 8, bytes + 992, 0x80000001);
		KUNIT_EXPECT_EQ(test, !!(what & 8), info && at32(info, 0) == 0x501);
		/* ours reads it, too */
		KUNIT_EXPECT_EQ(test, 0, ovid_rndis_parse(message, bytes, bytes + 1000, &frame));
		KUNIT_EXPECT_EQ(test, bytes, frame.data);
		KUNIT_EXPECT_EQ(test, what & 2 ? 0xb123 : 0, frame.vlan);
	}
}

/* ---- what the guest has left undone ---- */

static u8 eth[4096];
static struct ovid_frame_fix fix;

/* a sum of 16 bits, from the other end: what is 0xffff, or 0, of all with its checksum */
static u32 sum_of(const u8 *p, u32 n)
{
	u64 sum = 0;

	while (n--)
		sum += n % 2 ? p[n] : (u64)p[n] << 8;
	return sum % 0xffff;
}

struct kind {
	bool ip6;
	u32 tags;
	u32 options;		/* bytes of IPv4's, of IPv6's extension header */
	bool udp;
	u32 tcp_options;
	u32 data;
};

static u32 ip_at(const struct kind *kind)
{
	return 14 + 4 * kind->tags;
}

static u32 l4_at(const struct kind *kind)
{
	return ip_at(kind) + (kind->ip6 ? 40 : 20) + kind->options;
}

static u32 l4_head(const struct kind *kind)
{
	return kind->udp ? 8 : 20 + kind->tcp_options;
}

/* the frame, as a guest would leave it; its bytes */
static u32 make_frame(const struct kind *kind)
{
	u32 ip = ip_at(kind), l4 = l4_at(kind), bytes = l4 + l4_head(kind) + kind->data, i;
	u8 proto = kind->udp ? 17 : 6;

	for (i = 0; i < bytes; i++)
		eth[i] = i * 7 + 3;
	for (i = 0; i < kind->tags; i++)
		put_unaligned_be16(i ? 0x8100 : 0x88a8, eth + 12 + 4 * i);
	if (kind->tags == 1)
		put_unaligned_be16(0x8100, eth + 12);
	put_unaligned_be16(kind->ip6 ? 0x86dd : 0x0800, eth + ip - 2);
	if (kind->ip6) {
		eth[ip] = 0x60;
		put_unaligned_be16(bytes - ip - 40, eth + ip + 4);
		eth[ip + 6] = kind->options ? 60 : proto;
		if (kind->options) {
			eth[ip + 40] = proto;
			eth[ip + 41] = kind->options / 8 - 1;
		}
	} else {
		eth[ip] = 0x45 + kind->options / 4;
		put_unaligned_be16(bytes - ip, eth + ip + 2);
		put_unaligned_be16(0x4000, eth + ip + 6);
		eth[ip + 9] = proto;
	}
	if (!kind->udp)
		eth[l4 + 12] = (20 + kind->tcp_options) / 4 << 4;
	return bytes;
}

static int undo(u32 bytes, u32 flags, u32 mss)
{
	struct ovid_rndis_frame asked = { .flags = flags, .bytes = bytes, .mss = mss };

	memset(&fix, 0xee, sizeof(fix));
	return ovid_frame_offload(eth, min_t(u32, bytes, NET_FRAME_HEAD_BYTES), &asked, &fix);
}

/* IP's packet of @bytes is whole: it and what is in it have their checksums */
static void expect_sums(struct kunit *test, const struct kind *kind, const u8 *ip, bool ip_csum)
{
	u32 head = (kind->ip6 ? 40 : 20) + kind->options;
	u32 bytes = kind->ip6 ? 40 + get_unaligned_be16(ip + 4) : get_unaligned_be16(ip + 2);
	u32 sum = sum_of(ip + head, bytes - head) + bytes - head + (kind->udp ? 17 : 6);

	sum += kind->ip6 ? sum_of(ip + 8, 32) : sum_of(ip + 12, 8);
	KUNIT_EXPECT_EQ(test, 0u, sum % 0xffff);
	if (ip_csum)
		KUNIT_EXPECT_EQ(test, 0u, sum_of(ip, head));
}

/* who sends it makes the checksum, from where its pseudo header's is: skb_checksum_help() */
static void finish(u8 *p, u32 bytes)
{
	u32 sum = sum_of(p + fix.csum_start, bytes - fix.csum_start);

	put_unaligned_be16(~sum, p + fix.csum_start + fix.csum_offset);
}

static const struct kind kinds[] = {
	{ .data = 100 },
	{ .data = 101, .options = 8, .tcp_options = 12 },
	{ .data = 0 },
	{ .data = 33, .tags = 1 },
	{ .data = 33, .tags = 2, .options = 40, .tcp_options = 40 },
	{ .udp = true, .data = 57 },
	{ .udp = true, .data = 0, .tags = 1 },
	{ .ip6 = true, .data = 100 },
	{ .ip6 = true, .data = 101, .tags = 2, .tcp_options = 40 },
	{ .ip6 = true, .data = 11, .options = 8 },
	{ .ip6 = true, .data = 11, .options = 48, .tags = 2, .tcp_options = 20 },
	{ .ip6 = true, .udp = true, .data = 57, .options = 16 },
	{ .ip6 = true, .udp = true, .data = 2 },
};

static void makes_checksums(struct kunit *test)
{
	u32 i, bytes, flags;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct kind *kind = &kinds[i];

		bytes = make_frame(kind);
		flags = kind->udp ? NET_FRAME_UDP_CSUM : NET_FRAME_TCP_CSUM;
		if (!kind->ip6)
			flags |= NET_FRAME_IP_CSUM;
		KUNIT_ASSERT_EQ_MSG(test, 0, undo(bytes, flags, 0), "%u", i);
		KUNIT_EXPECT_TRUE(test, fix.csum && !fix.segment);
		KUNIT_EXPECT_EQ(test, l4_at(kind), (u32)fix.csum_start);
		KUNIT_EXPECT_EQ(test, kind->udp ? 6 : 16, fix.csum_offset);
		finish(eth, bytes);
		expect_sums(test, kind, eth + ip_at(kind), !kind->ip6);
	}
}

static void leaves_alone(struct kunit *test)
{
	const struct kind plain = { .data = 40 };
	u8 before[128];
	u32 bytes = make_frame(&plain);

	/* nothing is asked */
	memcpy(before, eth, bytes);
	KUNIT_EXPECT_EQ(test, 0, undo(bytes, NET_FRAME_VLAN | NET_FRAME_HASH, 0));
	KUNIT_EXPECT_EQ(test, 0, memcmp(before, eth, bytes));
	KUNIT_EXPECT_TRUE(test, !fix.csum && !fix.segment);
	/* IP's checksum alone: of any protocol, of a fragment */
	eth[14 + 9] = 1;
	eth[14 + 6] = 0x20;
	KUNIT_EXPECT_EQ(test, 0, undo(bytes, NET_FRAME_IP_CSUM, 0));
	KUNIT_EXPECT_FALSE(test, fix.csum);
	KUNIT_EXPECT_EQ(test, 0u, sum_of(eth + 14, 20));
	KUNIT_EXPECT_EQ(test, 0, memcmp(before + 34, eth + 34, bytes - 34));
	/* TCP's alone: IP's stays as it is */
	make_frame(&plain);
	KUNIT_EXPECT_EQ(test, 0, undo(bytes, NET_FRAME_TCP_CSUM, 0));
	KUNIT_EXPECT_EQ(test, 0, memcmp(before, eth, 34));
	/* by way of others, whose last is not in IPv6's header: the guest's own sum */
	bytes = make_frame(&(const struct kind){ .ip6 = true, .options = 24, .data = 10 });
	eth[14 + 6] = 43;
	eth[14 + 40 + 3] = 1;
	memcpy(before, eth, bytes);
	KUNIT_EXPECT_EQ(test, 0, undo(bytes, NET_FRAME_TCP_CSUM, 0));
	KUNIT_EXPECT_EQ(test, 78, fix.csum_start);
	KUNIT_EXPECT_EQ(test, 0, memcmp(before, eth, bytes));
}

/*
 * tcp_gso_segment(): each piece has the pseudo header's sum with its own length in place of all of
 * it, and IP's length and checksum
 */
static void cut(struct kunit *test, const struct kind *kind, u32 bytes)
{
	static u8 piece[2048];
	u32 whole = bytes - fix.csum_start, at, n, ip = ip_at(kind), sum;

	for (at = fix.headers; at < bytes; at += n) {
		n = min_t(u32, fix.mss, bytes - at);
		memcpy(piece, eth, fix.headers);
		memcpy(piece + fix.headers, eth + at, n);
		sum = get_unaligned_be16(eth + fix.csum_start + 16) + 0xffff - whole +
		      fix.headers - fix.csum_start + n;
		put_unaligned_be16(sum % 0xffff, piece + fix.csum_start + 16);
		finish(piece, fix.headers + n);
		if (kind->ip6) {
			put_unaligned_be16(fix.headers + n - ip - 40, piece + ip + 4);
		} else {
			put_unaligned_be16(fix.headers + n - ip, piece + ip + 2);
			put_unaligned_be16(0, piece + ip + 10);
			sum = sum_of(piece + ip, 20 + kind->options);
			put_unaligned_be16(~sum, piece + ip + 10);
		}
		expect_sums(test, kind, piece + ip, !kind->ip6);
	}
}

static void cuts_frames(struct kunit *test)
{
	struct kind kind;
	u32 i, bytes;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		kind = kinds[i];
		if (kind.udp)
			continue;
		kind.data = 3001;
		bytes = make_frame(&kind);
		/* as Linux leaves them: no length, no checksum, a pseudo header without one */
		put_unaligned_be16(0, eth + ip_at(&kind) + (kind.ip6 ? 4 : 2));
		if (!kind.ip6)
			put_unaligned_be16(0, eth + ip_at(&kind) + 10);
		KUNIT_ASSERT_EQ_MSG(test, 0, undo(bytes, NET_FRAME_LSO, 1000), "%u", i);
		KUNIT_EXPECT_TRUE(test, fix.csum && fix.segment);
		KUNIT_EXPECT_EQ(test, kind.ip6, fix.ip6);
		KUNIT_EXPECT_EQ(test, bytes - 3001, (u32)fix.headers);
		KUNIT_EXPECT_EQ(test, 1000, fix.mss);
		KUNIT_EXPECT_EQ(test, l4_at(&kind), (u32)fix.csum_start);
		KUNIT_EXPECT_EQ(test, bytes - ip_at(&kind) - (kind.ip6 ? 40 : 0),
				(u32)get_unaligned_be16(eth + ip_at(&kind) + (kind.ip6 ? 4 : 2)));
		if (!kind.ip6)
			KUNIT_EXPECT_EQ(test, 0u, sum_of(eth + ip_at(&kind), 20 + kind.options));
		cut(test, &kind, bytes);
		/* uncut, too */
		finish(eth, bytes);
		expect_sums(test, &kind, eth + ip_at(&kind), !kind.ip6);
	}
}

/* as long as one piece, or less: there is nothing to be cut */
static void cuts_not(struct kunit *test)
{
	const struct kind kind = { .data = 1000 };
	u32 bytes = make_frame(&kind);

	KUNIT_EXPECT_EQ(test, 0, undo(bytes, NET_FRAME_LSO | NET_FRAME_TCP_CSUM, 1000));
	KUNIT_EXPECT_TRUE(test, fix.csum && !fix.segment);
	finish(eth, bytes);
	expect_sums(test, &kind, eth + 14, true);
	make_frame(&kind);
	KUNIT_EXPECT_EQ(test, 0, undo(bytes, NET_FRAME_LSO, 999));
	KUNIT_EXPECT_TRUE(test, fix.csum && fix.segment);
	make_frame(&(const struct kind){ .data = 0 });
	KUNIT_EXPECT_EQ(test, 0, undo(54, NET_FRAME_LSO, 8));
	KUNIT_EXPECT_TRUE(test, fix.csum && !fix.segment);
}

/* the longest one that IP has a length for, and one byte more */
static void cuts_longest(struct kunit *test)
{
	make_frame(&(const struct kind){ .data = 100 });
	KUNIT_EXPECT_EQ(test, 0, undo(14 + 65535, NET_FRAME_LSO, 1448));
	KUNIT_EXPECT_EQ(test, 65535, get_unaligned_be16(eth + 16));
	KUNIT_EXPECT_EQ(test, -EPROTO, undo(14 + 65536, NET_FRAME_LSO, 1448));
	make_frame(&(const struct kind){ .ip6 = true, .data = 100 });
	KUNIT_EXPECT_EQ(test, 0, undo(14 + 40 + 65495, NET_FRAME_LSO, 1448));
	KUNIT_EXPECT_EQ(test, 65495, get_unaligned_be16(eth + 18));
}

struct wrong {
	u32 kind;		/* of kinds[] */
	u32 flags;
	u32 at;
	u8 value;
};

static void refuses_headers(struct kunit *test)
{
	static const struct wrong all[] = {
		{ 0, NET_FRAME_TCP_CSUM, 12, 0x09 },		/* no IP */
		{ 0, NET_FRAME_IP_CSUM, 13, 0x06 },
		{ 0, NET_FRAME_TCP_CSUM, 14, 0x65 },		/* another version */
		{ 0, NET_FRAME_TCP_CSUM, 14, 0x44 },		/* a header too short */
		{ 0, NET_FRAME_TCP_CSUM, 23, 17 },		/* another protocol */
		{ 0, NET_FRAME_UDP_CSUM, 23, 6 },
		{ 0, NET_FRAME_LSO, 23, 17 },
		{ 0, NET_FRAME_TCP_CSUM, 20, 0x20 },		/* fragments */
		{ 0, NET_FRAME_TCP_CSUM, 21, 1 },
		{ 0, NET_FRAME_LSO, 20, 0x3f },
		{ 0, NET_FRAME_TCP_CSUM, 16, 1 },		/* longer than the frame */
		{ 0, NET_FRAME_TCP_CSUM, 17, 39 },		/* too short for TCP */
		{ 0, NET_FRAME_IP_CSUM, 17, 19 },		/* ... for IP */
		{ 0, NET_FRAME_LSO, 46, 0x40 },			/* TCP's header, too short */
		{ 2, NET_FRAME_LSO, 46, 0x60 },			/* ... longer than the frame */
		{ 4, NET_FRAME_TCP_CSUM, 20, 0x81 },		/* a third tag */
		{ 5, NET_FRAME_TCP_CSUM, 23, 17 },
		{ 6, NET_FRAME_UDP_CSUM, 21, 27 },		/* too short for UDP */
		{ 7, NET_FRAME_TCP_CSUM, 14, 0x45 },
		{ 7, NET_FRAME_TCP_CSUM | NET_FRAME_IP_CSUM, 20, 6 },
		{ 7, NET_FRAME_TCP_CSUM, 20, 44 },		/* a fragment */
		{ 7, NET_FRAME_TCP_CSUM, 20, 59 },
		{ 7, NET_FRAME_TCP_CSUM, 18, 1 },		/* longer than the frame */
		{ 7, NET_FRAME_TCP_CSUM, 19, 19 },
		{ 9, NET_FRAME_TCP_CSUM, 54, 44 },
		{ 9, NET_FRAME_TCP_CSUM, 55, 1 },		/* what is there is no TCP */
		{ 9, NET_FRAME_TCP_CSUM, 55, 5 },		/* beyond the packet */
		{ 9, NET_FRAME_TCP_CSUM, 55, 255 },
	};
	u32 i, bytes;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		bytes = make_frame(&kinds[all[i].kind]);
		if (i == 25)		/* it would end there: no header is left */
			bytes = l4_at(&kinds[9]) + 20;
		if (i == 25)
			put_unaligned_be16(28, eth + 18);
		if (all[i].at == 16 || all[i].at == 18)
			put_unaligned_be16(0, eth + all[i].at);
		if (all[i].at == 17 || all[i].at == 19 || all[i].at == 21)
			eth[all[i].at - 1] = 0;
		eth[all[i].at] = all[i].value;
		KUNIT_EXPECT_EQ_MSG(test, -EPROTO, undo(bytes, all[i].flags, 50), "%u", i);
	}
}

/* cut off anywhere before its headers' end */
static void refuses_short(struct kunit *test)
{
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		u32 flags = kinds[i].udp ? NET_FRAME_UDP_CSUM : NET_FRAME_LSO;

		for (n = 14; n < l4_at(&kinds[i]) + l4_head(&kinds[i]); n++) {
			make_frame(&kinds[i]);
			KUNIT_EXPECT_EQ_MSG(test, -EPROTO, undo(n, flags, 1000), "%u %u", i, n);
		}
	}
	/* extensions without an end, and more than we look at */
	make_frame(&(const struct kind){ .ip6 = true, .data = 3000 });
	eth[20] = 60;
	for (i = 0; i < 30; i++) {
		eth[54 + 8 * i] = 60;
		eth[55 + 8 * i] = 0;
	}
	KUNIT_EXPECT_EQ(test, -EPROTO, undo(3074, NET_FRAME_TCP_CSUM, 0));
	/* pieces that are none */
	make_frame(&kinds[0]);
	KUNIT_EXPECT_EQ(test, -EPROTO, undo(154, NET_FRAME_LSO, 7));
	make_frame(&kinds[0]);
	KUNIT_EXPECT_EQ(test, -EPROTO, undo(154, NET_FRAME_LSO, 0x10000));
}

static struct kunit_case frame_cases[] = {
	KUNIT_CASE(reads_frames),
	KUNIT_CASE(reads_checksums),
	KUNIT_CASE(reads_several),
	KUNIT_CASE(refuses_messages),
	KUNIT_CASE(refuses_pieces),
	KUNIT_CASE(says_too_much),
	KUNIT_CASE(writes_frames),
	KUNIT_CASE(makes_checksums),
	KUNIT_CASE(leaves_alone),
	KUNIT_CASE(cuts_frames),
	KUNIT_CASE(cuts_not),
	KUNIT_CASE(cuts_longest),
	KUNIT_CASE(refuses_headers),
	KUNIT_CASE(refuses_short),
	{}
};

static struct kunit_suite frame_suite = {
	.name = "ovid_frame",
	.test_cases = frame_cases,
};
kunit_test_suite(frame_suite);

MODULE_DESCRIPTION("cases for frames in RNDIS messages");
MODULE_LICENSE("GPL");
