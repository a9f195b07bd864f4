// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: a byte that chooses what it is, then
 *
 *   control messages: two bytes of length before each;
 *   a packet of messages with frames;
 *   a frame, before it 8 bytes of what is said of it;
 *   what is said of a frame for the guest.
 *
 * A request has one answer, of its kind and within its buffer, and what is refused changes
 * nothing; the card is one that could be.  A frame lies in its message; what is left to be done
 * for it lies in its headers, and to do it twice is to do it once.
 */
#include <stdio.h>
#include "vsp/net/rndis.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define CHECK(x) do {							\
	if (!(x)) {							\
		fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #x);	\
		abort();						\
	}								\
} while (0)

/* exactly as long, so that reading beyond it is seen */
static u8 *copy_of(const u8 *data, size_t len)
{
	u8 *p = malloc(len ? len : 1);

	if (!p)
		abort();
	memcpy(p, data, len);
	return p;
}

static u32 at32(const u8 *p, u32 offset)
{
	return get_unaligned_le32(p + offset);
}

/* ---- control messages ---- */

static void check_answer(const u8 *msg, const u8 *reply, u32 n, u32 changed)
{
	u32 type = at32(msg, 0), status;

	CHECK(n >= 16 && n <= RNDIS_CONTROL_BYTES && at32(reply, 4) == n);
	CHECK(at32(reply, 0) == (type | RNDIS_COMPLETE));
	if (type == RNDIS_RESET)
		return;
	CHECK(at32(reply, 8) == at32(msg, 8));
	status = at32(reply, 12);
	CHECK(!status || !changed);
	if (type == RNDIS_QUERY) {
		CHECK(n == 24 + at32(reply, 16) && !changed);
		CHECK(at32(reply, 20) == (at32(reply, 16) ? 16 : 0));
		CHECK(!status || n == 24);
	} else {
		CHECK(n == (type == RNDIS_INIT ? 52 : 16));
	}
}

static void check_indications(const struct ovid_rndis *rndis)
{
	u8 msg[RNDIS_CONTROL_BYTES] __aligned(8);

	CHECK(ovid_rndis_link(rndis, msg) == at32(msg, 4));
	CHECK(ovid_rndis_network(rndis, msg) == at32(msg, 4));
	CHECK(ovid_rndis_speed(rndis, msg) == at32(msg, 4));
	CHECK(ovid_rndis_offloads(rndis, msg) == at32(msg, 4));
}

static void one_message(struct ovid_rndis *rndis, const struct ovid_rndis_stats *stats,
			const u8 *data, u32 bytes)
{
	u8 *msg = copy_of(data, bytes), *reply = malloc(RNDIS_CONTROL_BYTES);
	struct ovid_rndis before;
	u32 changed = 0xeeee;
	int n;

	memset(reply, 0xee, RNDIS_CONTROL_BYTES);
	memcpy(&before, rndis, sizeof(before));
	n = ovid_rndis_control(rndis, stats, msg, bytes, reply, &changed);
	CHECK(n >= 0 || n == -EPROTO);
	CHECK(n || (changed == RNDIS_HALTED && !rndis->ready));
	if (n > 0)
		check_answer(msg, reply, n, changed);
	if (!changed || n < 0)
		CHECK(!changed && !memcmp(&before, rndis, sizeof(before)));
	CHECK(ovid_rndis_ok(rndis));
	free(msg);
	free(reply);
}

/* @as_request: what would be wrong at once is made right */
static void make_request(u8 *msg, u32 bytes)
{
	if (bytes < 28)
		return;
	put_unaligned_le32(msg[0] & 1 ? RNDIS_SET : RNDIS_QUERY, msg);
	put_unaligned_le32(bytes, msg + 4);
	put_unaligned_le32(bytes - 28, msg + 16);
	put_unaligned_le32(20, msg + 20);
}

static void control(const u8 *data, size_t len, u8 how)
{
	static const u8 init[24] = { 2, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 1 };
	const struct ovid_rndis_stats stats = { .tx_frames = ~0ull, .rx_bytes = 1ull << 40 };
	struct ovid_rndis rndis = {
		.permanent = { 2, 1, 2, 3, 4, 5 }, .mtu = how & 4 ? NET_MAX_MTU : 1500,
		.speed = how & 8 ? ~0u : 10000, .link = how & 16, .queues = how & 32 ? 64 : 2,
		.name = "0123456789012345678901234567890123456789012345678901234567890",
	};
	u8 msg[RNDIS_CONTROL_BYTES] __aligned(8);
	u32 n;

	if (how & 64)
		one_message(&rndis, &stats, init, sizeof(init));
	while (len > 2) {
		n = min_t(u32, get_unaligned_le16(data) % (RNDIS_CONTROL_BYTES + 1), len - 2);
		data += 2;
		len -= 2;
		memcpy(msg, data, n);
		if (how & 128)
			make_request(msg, n);
		one_message(&rndis, &stats, msg, n);
		data += n;
		len -= n;
		if (len >= NET_ETH_BYTES && !rndis.filter)
			CHECK(!ovid_rndis_wants(&rndis, data));
		else if (len >= NET_ETH_BYTES)
			ovid_rndis_wants(&rndis, data);
	}
	check_indications(&rndis);
}

/* ---- frames of the guest's ---- */

static u32 sum_of(const u8 *p, u32 bytes)
{
	u32 sum = 0, i;

	for (i = 0; i < bytes; i++)
		sum += i % 2 ? p[i] : p[i] << 8;
	return sum % 0xffff;
}

static void check_fix(const u8 *head, u32 head_bytes, const struct ovid_rndis_frame *frame,
		      const struct ovid_frame_fix *fix)
{
	CHECK(fix->csum == !!(frame->flags & (NET_FRAME_TCP_CSUM | NET_FRAME_UDP_CSUM | NET_FRAME_LSO)));
	CHECK(!fix->segment || (fix->csum && frame->flags & NET_FRAME_LSO));
	if (!fix->csum)
		return;
	CHECK(fix->csum_offset == 16 || fix->csum_offset == 6);
	CHECK(fix->csum_start >= NET_ETH_BYTES + 20);
	CHECK(fix->csum_start + fix->csum_offset + 2 <= head_bytes && head_bytes <= frame->bytes);
	if (!fix->segment)
		return;
	CHECK(fix->csum_offset == 16 && fix->mss == frame->mss && fix->mss >= NET_MIN_MSS);
	CHECK(fix->headers >= fix->csum_start + 20 && fix->headers <= head_bytes);
	CHECK(fix->headers + fix->mss < frame->bytes);
}

/* IPv4's header, if it follows at once */
static void check_ip4(const u8 *head, const struct ovid_rndis_frame *frame)
{
	if (frame->flags & (NET_FRAME_IP_CSUM | NET_FRAME_LSO) && head[12] == 8 && !head[13])
		CHECK(!sum_of(head + 14, (head[14] & 15) * 4));
}

static void one_frame(const u8 *data, u32 head_bytes, const struct ovid_rndis_frame *frame)
{
	u8 *head = copy_of(data, head_bytes), *once;
	struct ovid_frame_fix fix, again;
	int err = ovid_frame_offload(head, head_bytes, frame, &fix);

	CHECK(!err || err == -EPROTO);
	if (!err) {
		check_fix(head, head_bytes, frame, &fix);
		check_ip4(head, frame);
		once = copy_of(head, head_bytes);
		CHECK(!ovid_frame_offload(head, head_bytes, frame, &again));
		CHECK(!memcmp(once, head, head_bytes) && !memcmp(&fix, &again, sizeof(fix)));
		free(once);
	}
	free(head);
}

static void offload(const u8 *data, size_t len)
{
	struct ovid_rndis_frame frame = {};

	if (len < 8 + NET_ETH_BYTES)
		return;
	frame.flags = data[0] & 0x3f;
	frame.mss = get_unaligned_le16(data + 2) | (data[1] & 1) << 16;
	frame.bytes = get_unaligned_le32(data + 4) % (NET_MAX_FRAME + 1);
	data += 8;
	len = min_t(size_t, len - 8, NET_FRAME_HEAD_BYTES);
	if (frame.bytes < len || len < NET_FRAME_HEAD_BYTES)
		frame.bytes = len;
	one_frame(data, len, &frame);
}

static void check_frame(const struct ovid_rndis_frame *frame, size_t left)
{
	CHECK(frame->message >= sizeof(struct rndis_w_packet) && frame->message <= left);
	CHECK(frame->data >= sizeof(struct rndis_w_packet) && frame->data <= frame->message);
	CHECK(frame->bytes <= frame->message - frame->data);
	CHECK(frame->bytes >= NET_ETH_BYTES && frame->bytes <= NET_MAX_FRAME);
	CHECK(!(frame->flags & ~0x3fu) && (frame->flags & NET_FRAME_VLAN || !frame->vlan));
	CHECK(frame->flags & NET_FRAME_LSO ? frame->mss >= NET_MIN_MSS && frame->mss <= 0xffff :
	      !frame->mss);
}

/* as a provider takes them, one after the other */
static void messages(const u8 *data, size_t len)
{
	struct ovid_rndis_frame frame;
	u32 head_bytes;
	u8 *head;
	int err;

	while (len) {
		head_bytes = min_t(size_t, len, RNDIS_HEAD_BYTES);
		head = copy_of(data, head_bytes);
		err = ovid_rndis_parse(head, head_bytes, len, &frame);
		free(head);
		CHECK(!err || err == -EPROTO || err == -EMSGSIZE);
		if (err)
			return;
		check_frame(&frame, len);
		one_frame(data + frame.data, min_t(u32, frame.bytes, NET_FRAME_HEAD_BYTES), &frame);
		data += frame.message;
		len -= frame.message;
	}
}

/* ---- for the guest ---- */

static void written(const u8 *data, size_t len)
{
	struct ovid_rndis_frame frame;
	struct ovid_rndis_out out = {};
	u8 head[RNDIS_OUT_HEAD_BYTES];
	u32 n;

	if (len < 16)
		return;
	out.bytes = NET_ETH_BYTES + get_unaligned_le16(data);
	out.csum = get_unaligned_le32(data + 4);
	out.has_vlan = data[2] & 1;
	out.has_hash = data[2] & 2;
	out.vlan = get_unaligned_le16(data + 8);
	out.hash = get_unaligned_le32(data + 12);
	out.part = data[3];
	n = ovid_rndis_write(head, &out);
	CHECK(n <= RNDIS_OUT_HEAD_BYTES && n % 8 == 0);
	CHECK(!ovid_rndis_parse(head, n, n + out.bytes, &frame));
	CHECK(frame.message == n + out.bytes && frame.data == n && frame.bytes == out.bytes);
	CHECK(!!(frame.flags & NET_FRAME_VLAN) == out.has_vlan);
	CHECK(!out.has_vlan || frame.vlan == out.vlan);
	CHECK(!!(frame.flags & NET_FRAME_HASH) == out.has_hash);
	CHECK(!out.has_hash || frame.hash == out.hash);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	u8 how;

	if (!len)
		return 0;
	how = *data++;
	len--;
	switch (how & 3) {
	case 0:
		control(data, len, how);
		break;
	case 1:
		messages(data, len);
		break;
	case 2:
		offload(data, len);
		break;
	case 3:
		written(data, len);
		break;
	}
	return 0;
}
