// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_net.c - a network card of the VMBus: the handshake, buffers, RNDIS requests, frames in all the
 * forms they may be sent in, large ones, queues, filters, the link, and what goes on while the
 * guest gives nothing back or closes the channel.
 *
 * The runner is the far side, see serve_net.c: it gives back each frame, with its head.
 */
#include "net.h"

static u8 data[20 * PAGE] __attribute__((aligned(4096)));
static u8 other[20 * PAGE] __attribute__((aligned(4096)));

/* ---- the handshake ---- */

static const u32 versions[] = {
	NVSP_VERSION_1, NVSP_VERSION_2, NVSP_VERSION_4, NVSP_VERSION_5, NVSP_VERSION_6,
	NVSP_VERSION_61,
};

static u32 ask_subs(u32 nr)
{
	struct nvsp_w_message m = { .type = NVSP_SUBS, .subs = { NVSP_SUBS_ALLOCATE, nr } };

	return net_ask(&m, sizeof(m)) == NVSP_SUBS ? answer.subs.op : 0;
}

CASE(net_versions, G_OVID_ONLY | G_VMBUS, 1)
{
	u32 i;

	net_begin();
	is_(net_lend(RX_GPADL, rx_memory, RX_BYTES), 0, "memory can be lent at any time");
	is_(net_rx_buffer(RX_GPADL, NVSP_RX_BUFFER_ID), NVSP_FAIL, "no buffer without a version");
	is_(net_tx_buffer(RX_GPADL), NVSP_FAIL, "no other buffer");
	is_(ask_subs(1), NVSP_FAIL, "no sub-channels");
	check(!net_init(0, 1));
	check(!net_init(NVSP_VERSION_61 + 1, ~0u));
	check(!net_init(NVSP_VERSION_61, NVSP_VERSION_1));
	check(!net_init(0x30003, 0x3ffff));
	is_(far_info()->version, 0, "no version is agreed on");
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		check(net_init(versions[i], versions[i]));
		is(answer.init_complete.version, versions[i]);
		is(far_info()->version, versions[i]);
	}
	check(net_init(0, ~0u));
	is_(answer.init_complete.version, NVSP_VERSION_61, "the newest of those there are");
	check(!net_init(0, 1));
	is_(far_info()->version, NVSP_VERSION_61, "a refusal changes nothing");
	is_(ask_subs(1), NVSP_FAIL, "no sub-channels without a buffer");

	/* an older one, with buffers: it has no sub-channels, and stays */
	check(net_init(NVSP_VERSION_4, NVSP_VERSION_4));
	is(net_rx_buffer(RX_GPADL, NVSP_RX_BUFFER_ID), NVSP_OK);
	is_(ask_subs(1), NVSP_FAIL, "that version has none");
	check(!net_init(NVSP_VERSION_61, NVSP_VERSION_61));
	is(far_info()->version, NVSP_VERSION_4);
	net_close();
	is_(far_info()->version, 0, "it is forgotten when the channel is closed");
	is(far_info()->queues, 0);
	net_open();
	net_up();
	is(far_info()->version, NVSP_VERSION_61);
	is(far_info()->mtu, G_NET_MTU);
	check(far_info()->flags & OVID_NET_UP);
	net_end();
}

/* one frame, and what came of it: true: it is back, and done with */
static bool echo_frame(u32 number, u32 bytes, u32 how, const struct beside *b)
{
	u32 before = frames, id;

	make_frame(data, number, bytes);
	id = send_frame(data, bytes, how, b);
	return id != ~0u && wait_frames(before + 1) && is_frame(number, bytes) && all_done() &&
	       frames == before + 1 && !tx_bad;
}

CASE(net_order, G_OVID_ONLY | G_VMBUS, 1)
{
	struct nvsp_w_message m = { .type = 99 };

	/* what makes no sense has an answer, if one was asked for, and no other effect */
	net_begin();
	is(net_ask(&m, sizeof(m)), 0);
	is_(answer_bytes, 0, "a message that is none");
	m.type = NVSP_INIT;
	net_ask(&m, 8);
	is_(answer_bytes, 0, "one that is too short");
	net_ask(&m, 0);
	is_(answer_bytes, 0, "one without a type");
	m.type = NVSP_INIT_COMPLETE;
	net_ask(&m, sizeof(m));
	is_(answer_bytes, 0, "an answer");
	net_up();

	/* frames before the guest is ready, and behind a halt */
	check(echo_frame(1, 100, BY_SECTION, NULL));
	rndis_halt();
	make_frame(data, 2, 100);
	send_frame(data, 100, BY_SECTION, NULL);
	check(all_done());
	is(tx_bad, 0);
	is_(far_info()->tx_dropped, 1, "it is lost");
	is_(far_info()->flags & (OVID_NET_READY | OVID_NET_UP), 0, "it is not ready any more");
	check(!memcmp(far_info()->mac, my_mac, 6));
	is_(frames, 1, "nothing came back");
	is(rndis_init(), RNDIS_SUCCESS);
	is_(far_info()->flags & (OVID_NET_READY | OVID_NET_UP), OVID_NET_READY, "it is, without frames");
	is(set_filter(DIRECTED), RNDIS_SUCCESS);
	check(echo_frame(3, 100, BY_PAGES, NULL));
	net_end();
}

/* ---- frames ---- */

static bool sizes(u32 how)
{
	static const u32 steps[] = { 14, 15, 17, 18, 21, 60, 61, 63, 64, 65, 127, 1000, 1514, 1518,
		2047, 2048, 2049, 3712, 4000, 4096, 6056, 6100, 8192, 9013, 9014 };
	bool good = true;

	for (u32 i = 0; i < ARRAY_SIZE(steps); i++) {
		if (how == BY_SECTION && steps[i] + 44 > tx_section_bytes)
			continue;
		if (!echo_frame(i, steps[i], how, NULL)) {
			is_(steps[i], how, "a frame of so many bytes comes back");
			is(frame.bytes, steps[i]);
			good = false;
		}
		is_(frame.parts, 1, "in one part");
	}
	return good;
}

CASE(net_frames, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct ovid_net_info before;

	net_begin();
	net_up();
	check(tx_section_bytes >= 1514 + 44 && rx_part_bytes >= G_NET_MTU + 14 + 44);
	check(sizes(BY_SECTION));
	check(sizes(BY_PAGES));
	check(sizes(BY_BOTH));
	before = *far_info();
	check(before.tx_frames == before.rx_frames && before.tx_bytes == before.rx_bytes);
	is(before.tx_frames, frames);
	is(before.tx_errors + before.tx_dropped + before.rx_dropped, 0);

	/* from the middle of pages, over several */
	make_frame(data + 4090, 70, 9014);
	send_frame(data + 4090, 9014, BY_PAGES, NULL);
	check(wait_frames(frames + 1) && is_frame(70, 9014));
	check(all_done());
	net_end();
}

/* @nr of them in one section: the packet's number */
static u32 send_some(u32 first, u32 nr, u32 bytes, u32 pad)
{
	struct nvsp_w_message m = { .type = NVSP_RNDIS, .rndis = { NVSP_DATA, 0, 0 } };
	u8 *at = tx_memory;

	for (u32 i = 0; i < nr; i++) {
		u32 n = net_head(at, bytes, NULL);

		make_frame(at + n, first + i, bytes);
		*(u32 *)(at + 4) += pad;	/* of the message, as Linux rounds it up */
		at += n + bytes + pad;
	}
	m.rndis.section_bytes = at - tx_memory;
	net_push(VMBUS_PKT_DATA, VMBUS_PACKET_COMPLETION, TX_IDS - 1, 0, &m, sizeof(m));
	while (!tx_done[TX_IDS - 1])
		if (!net_hear(by))
			return ~0u;
	tx_done[TX_IDS - 1] = 0;
	tx_answers--;
	return m.rndis.section_bytes;
}

static u32 expected, wrong_ones, expected_bytes;

static void in_order(void)
{
	if (!is_frame(expected, expected_bytes)) {
		if (!wrong_ones++)
			is_(number_of(frame.data), ~expected, "the next frame");
	}
	expected++;
}

static void expect_frames(u32 first, u32 bytes)
{
	expected = first;
	expected_bytes = bytes;
	wrong_ones = 0;
	on_frame = in_order;
}

CASE(net_several, G_OVID_ONLY | G_VMBUS, 1)
{
	u32 before;

	net_begin();
	net_up();
	expect_frames(100, 200);
	check(send_some(100, 8, 200, 4) <= tx_section_bytes);
	check(wait_frames(8));
	is(wrong_ones, 0);
	expect_frames(200, 61);
	send_some(200, 12, 61, 0);
	check(wait_frames(20));
	is(wrong_ones, 0);
	is(expected, 212);

	/* the last of them makes no sense: those before it are sent */
	before = far_info()->tx_errors;
	*(u32 *)(tx_memory + tx_section_bytes - 44) = 0;
	expect_frames(300, 70);
	{
		struct nvsp_w_message m = { .type = NVSP_RNDIS, .rndis = { NVSP_DATA, 0, 0 } };
		u32 n = net_head(tx_memory, 70, NULL);

		make_frame(tx_memory + n, 300, 70);
		memset(tx_memory + n + 70, 0, 60);
		m.rndis.section_bytes = n + 70 + 60;
		is(net_ask(&m, sizeof(m)), NVSP_RNDIS_COMPLETE);
		check(answer.status != NVSP_OK);
	}
	check(wait_frames(21));
	is(wrong_ones, 0);
	is(far_info()->tx_errors, before + 1);
	on_frame = NULL;
	net_end();
}

/* as many as there are numbers, by all forms, as fast as the rings take them */
CASE(net_many, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	static u8 all[64][256] __attribute__((aligned(4096)));
	u32 i, late = 0, nr = 2000;

	net_begin();
	net_up();
	expect_frames(0, 200);
	for (i = 0; i < nr; i++) {
		make_frame(all[i % 64], i, 200);
		if (send_frame(all[i % 64], 200, i / 7 % 3, NULL) == ~0u)
			break;
		/* what is in memory must stay there */
		if (i % 64 == 63 && !all_done())
			break;
		late = max(late, i + 1 - frames);
	}
	is(i, nr);
	note("frames on their way at most", late);
	check(all_done());
	check(wait_frames(nr));
	is(wrong_ones, 0);
	is(frames, nr);
	for (i = 0; i < nr && tx_done[i] == 1; i++)
		;
	is_(i, nr, "each is done with once");
	is(tx_bad, 0);

	/* by sections, which may be used again when they are done with */
	forget_sent();
	expect_frames(0, 1000);
	for (i = 0; i < 1000; i++) {
		make_frame(data, i, 1000);
		if (send_frame(data, 1000, BY_SECTION, NULL) == ~0u)
			break;
	}
	is(i, 1000);
	check(all_done());
	check(wait_frames(1000));
	is(wrong_ones, 0);
	on_frame = NULL;
	net_end();
}

/* ---- what is said beside a frame ---- */

static u32 sum_of(const u8 *at, u32 bytes, u32 sum)
{
	for (u32 i = 0; i + 1 < bytes; i += 2)
		sum += at[i] << 8 | at[i + 1];
	if (bytes & 1)
		sum += at[bytes - 1] << 8;
	return sum;
}

static u32 folded(u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(u8 *at, u32 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static u32 get16(const u8 *at)
{
	return at[0] << 8 | at[1];
}

static void put32(u8 *at, u32 value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static u32 get32(const u8 *at)
{
	return (u32)get16(at) << 16 | get16(at + 2);
}

/* where it lies in an IPv4 frame without options */
#define IP		14
#define L4		34
#define TCP_DATA	54
#define SEQUENCE	0x12345678u

static void put_ip(u8 *at, u32 protocol, u32 bytes)
{
	make_frame(at, 7, bytes);
	memset(at + 12, 0, L4 + 20 - 12);
	put16(at + 12, 0x800);
	at[IP] = 0x45;
	put16(at + IP + 2, bytes - IP);
	put16(at + IP + 4, 77);
	at[IP + 8] = 64;
	at[IP + 9] = protocol;
	put32(at + IP + 12, 0x0a000001);
	put32(at + IP + 16, 0x0a000002);
}

static u32 pseudo(const u8 *at, u32 bytes)
{
	return sum_of(at + IP + 12, 8, at[IP + 9] + bytes - L4);
}

static void put_tcp(u8 *at, u32 bytes)
{
	put_ip(at, 6, bytes);
	put16(at + L4, 1000);
	put16(at + L4 + 2, 2000);
	put32(at + L4 + 4, SEQUENCE);
	at[L4 + 12] = 5 << 4;
	at[L4 + 13] = 0x18;
}

static bool ip_sum_good(const u8 *at)
{
	return folded(sum_of(at + IP, 20, 0)) == 0xffff;
}

static bool l4_sum_good(const u8 *at, u32 bytes)
{
	return folded(sum_of(at + L4, bytes - L4, pseudo(at, bytes))) == 0xffff;
}

/* TCP with a checksum that is not made; how it comes back */
static bool echo_tcp(u32 bytes, u32 how)
{
	const struct beside b = {
		.has_csum = true,
		.csum = RNDIS_CSUM_IP4 | RNDIS_CSUM_TCP | RNDIS_CSUM_IP_HEADER |
			L4 << RNDIS_CSUM_OFFSET_SHIFT,
	};
	u32 before = frames;

	put_tcp(data, bytes);
	put16(data + L4 + 16, folded(pseudo(data, bytes)));
	send_frame(data, bytes, how, &b);
	return wait_frames(before + 1) && all_done() && !tx_bad && frame.bytes == bytes &&
	       !memcmp(frame.data + TCP_DATA, data + TCP_DATA, bytes - TCP_DATA);
}

static bool echo_udp(u32 bytes)
{
	const struct beside b = {
		.has_csum = true,
		.csum = RNDIS_CSUM_IP4 | RNDIS_CSUM_UDP | L4 << RNDIS_CSUM_OFFSET_SHIFT,
	};
	u32 before = frames;

	put_ip(data, 17, bytes);
	put16(data + IP + 10, 0xffff - folded(sum_of(data + IP, 20, 0)));
	put16(data + L4, 1000);
	put16(data + L4 + 4, bytes - L4);
	put16(data + L4 + 6, folded(pseudo(data, bytes)));
	send_frame(data, bytes, BY_SECTION, &b);
	return wait_frames(before + 1) && all_done() && !tx_bad && frame.bytes == bytes;
}

static u32 echo_vlan(u32 value)
{
	const struct beside b = { .has_vlan = true, .vlan = value };
	u32 before = frames;

	make_frame(data, 9, 100);
	send_frame(data, 100, BY_BOTH, &b);
	if (!wait_frames(before + 1) || !all_done() || tx_bad)
		return ~0u;
	return frame.has_vlan && is_frame(9, 100) ? frame.vlan : ~1u;
}

static void checksums(bool plain)
{
	/* those that the guest takes unmade are not made, but with an end that wants none left */
	is(set_offloads(true, false), RNDIS_SUCCESS);
	check(echo_tcp(500, BY_SECTION));
	check(ip_sum_good(frame.data));
	check(plain || (frame.has_csum && frame.csum & RNDIS_CSUM_TCP_GOOD));
	check(frame.has_csum || l4_sum_good(frame.data, 500));
	check(echo_udp(301));
	check(plain || (frame.has_csum && frame.csum & RNDIS_CSUM_UDP_GOOD));
	check(frame.has_csum || l4_sum_good(frame.data, 301));

	is(set_offloads(false, false), RNDIS_SUCCESS);
	check(echo_tcp(3001, BY_PAGES));
	check(ip_sum_good(frame.data) && l4_sum_good(frame.data, 3001) && !frame.has_csum);
	check(echo_udp(301));
	check(l4_sum_good(frame.data, 301) && !frame.has_csum);
}

CASE(net_beside, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct beside b = { .has_csum = true };

	net_begin();
	net_up();
	checksums(false);
	is(echo_vlan(5 | 77 << 4), 5 | 77 << 4);
	is(echo_vlan(RNDIS_VLAN_CFI | 4095 << 4), RNDIS_VLAN_CFI | 4095 << 4);
	is(echo_vlan(0), 0);
	is(far_do(G_NET_END, OVID_NET_FRAMES, 0), 0);
	checksums(true);
	/* the tag is in the frame then */
	b = (struct beside){ .has_vlan = true, .vlan = 3 | 0x123 << 4 };
	make_frame(data, 9, 100);
	send_frame(data, 100, BY_PAGES, &b);
	check(wait_frames(frames + 1) && all_done());
	is(frame.bytes, 104);
	check(!frame.has_vlan && get16(frame.data + 12) == 0x8100 && get16(frame.data + 14) == 0x6123 &&
	      !memcmp(frame.data + 16, data + 12, 88));

	/* what the frame is not */
	is(far_do(G_NET_END, OVID_NET_FRAMES, OVID_NET_OFFLOADS), 0);
	b = (struct beside){
		.has_csum = true, .csum = RNDIS_CSUM_IP4 | RNDIS_CSUM_TCP | L4 << 16,
	};
	make_frame(data, 1, 100);
	send_frame(data, 100, BY_SECTION, &b);
	put_ip(data, 17, 30);
	send_frame(data, 30, BY_SECTION, &b);
	b.csum = 1023 << 16 | RNDIS_CSUM_IP4 | RNDIS_CSUM_UDP;
	send_frame(data, 30, BY_SECTION, &b);
	b = (struct beside){ .has_lso = true, .lso = RNDIS_LSO_V2 | 1448 | L4 << 20 };
	make_frame(data, 1, 2000);
	send_frame(data, 2000, BY_SECTION, &b);
	b.lso = RNDIS_LSO_V2 | L4 << 20;
	put_tcp(data, 2000);
	send_frame(data, 2000, BY_SECTION, &b);
	check(all_done());
	is_(far_info()->tx_errors, 5, "those are none");
	tx_bad = 0;
	check(echo_frame(5, 100, BY_SECTION, NULL));
	net_end();
}

/* ---- large frames ---- */

static u8 large[65536 + 64] __attribute__((aligned(4096)));
static u32 large_bytes, large_mss, pieces, bad_pieces;

/* the next one is the next in the stream, and right in itself */
static void next_piece(void)
{
	u32 at = get32(frame.data + L4 + 4) - SEQUENCE, n = frame.bytes - TCP_DATA;
	bool last = at + n == large_bytes - TCP_DATA;

	pieces++;
	if (frame.bytes <= TCP_DATA || n > large_bytes - TCP_DATA - at || at != expected ||
	    (n != large_mss && !last) || get16(frame.data + IP + 2) != frame.bytes - IP ||
	    !ip_sum_good(frame.data) || memcmp(frame.data + TCP_DATA, large + TCP_DATA + at, n) ||
	    (!frame.has_csum && !l4_sum_good(frame.data, frame.bytes))) {
		if (!bad_pieces++)
			is_(at, ~expected, "a piece of a large frame");
	}
	expected = at + n;
}

static u32 send_large(u32 bytes, u32 mss, u32 how)
{
	const struct beside b = {
		.has_lso = true, .lso = RNDIS_LSO_V2 | mss | L4 << RNDIS_LSO_OFFSET_SHIFT,
	};

	put_tcp(large, bytes);
	put16(large + IP + 2, 0);
	put16(large + L4 + 16, folded(pseudo(large, L4)));
	large_bytes = bytes;
	large_mss = mss;
	return send_frame(large, bytes, how, &b);
}

/* cut: how many pieces there were; 0: something was wrong */
static u32 echo_cut(u32 bytes, u32 mss, u32 how)
{
	u32 nr = (bytes - TCP_DATA + mss - 1) / mss, before = frames;

	expected = 0;
	pieces = 0;
	bad_pieces = 0;
	on_frame = next_piece;
	send_large(bytes, mss, how);
	wait_frames(before + nr);
	on_frame = NULL;
	return all_done() && !tx_bad && !bad_pieces && expected == bytes - TCP_DATA ? pieces : 0;
}

/* whole */
static bool echo_large(u32 bytes, u32 mss, u32 how)
{
	u32 before = frames;

	send_large(bytes, mss, how);
	return wait_frames(before + 1) && all_done() && !tx_bad && frame.bytes == bytes &&
	       get16(frame.data + IP + 2) == bytes - IP && ip_sum_good(frame.data) &&
	       !memcmp(frame.data + TCP_DATA, large + TCP_DATA, bytes - TCP_DATA);
}

CASE(net_large, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	static const u32 many[] = { 3000, 9014, 9100, 16384, 30000, 64000, 65483 + TCP_DATA };
	u32 i;

	net_begin();
	net_up();
	/* whole to the far side, and whole back, in parts */
	for (i = 0; i < ARRAY_SIZE(many); i++) {
		if (!echo_large(many[i], 1448, i & 1 ? BY_BOTH : BY_PAGES))
			is_(many[i], 0, "a large frame of so many bytes comes back");
		is(frame.parts, (many[i] + rx_part_bytes - 113) / (rx_part_bytes - 112));
		check(frame.has_csum);
	}
	/* no longer than one piece */
	check(echo_large(TCP_DATA + 100, 1448, BY_SECTION));
	check(echo_large(TCP_DATA + 1448, 1448, BY_SECTION));

	/* the guest takes them in no parts: cut for it */
	is(set_offloads(true, false), RNDIS_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(many); i++)
		is(echo_cut(many[i], 1448, BY_PAGES), (many[i] - TCP_DATA + 1447) / 1448);
	is(set_offloads(false, false), RNDIS_SUCCESS);
	is(echo_cut(64000, 8960, BY_BOTH), (64000 - TCP_DATA + 8959) / 8960);
	is(echo_cut(3000, 536, BY_SECTION), (3000 - TCP_DATA + 535) / 536);

	/* the far side takes none: cut for that */
	is(far_do(G_NET_END, OVID_NET_FRAMES, 0), 0);
	is(set_offloads(true, true), RNDIS_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(many); i++)
		is(echo_cut(many[i], 1448, BY_PAGES), (many[i] - TCP_DATA + 1447) / 1448);
	net_end();
}

static u32 turn_of;

/* pieces of a large frame, then the small one that was sent behind it */
static void in_turns(void)
{
	if (get16(frame.data + 12) == 0x800) {
		next_piece();
		return;
	}
	if (!is_frame(turn_of, 100) || expected != large_bytes - TCP_DATA) {
		if (!bad_pieces++)
			is_(number_of(frame.data), ~turn_of, "a small frame behind a large one");
	}
	turn_of++;
	expected = 0;
}

#define TURNS	20

CASE(net_large_order, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	u32 i;

	net_begin();
	net_up();
	is(set_offloads(true, false), RNDIS_SUCCESS);
	/* the far side has many before it writes any */
	is(far_do(G_NET_HOLD, 1, 0), 0);
	for (i = 0; i < TURNS; i++) {
		send_large(10000, 1448, BY_PAGES);
		make_frame(other + i * 128, i, 100);
		send_frame(other + i * 128, 100, BY_PAGES, NULL);
		/* its memory is used again */
		if (!all_done())
			break;
	}
	is(i, TURNS);
	turn_of = 0;
	expected = 0;
	bad_pieces = 0;
	on_frame = in_turns;
	is(far_do(G_NET_HOLD, 0, 0), 0);
	wait_frames(TURNS * 8);
	is_(frames, TURNS * 8, "seven pieces and a small one, each time");
	is_(bad_pieces, 0, "in the order in which they were sent");
	on_frame = NULL;
	net_end();
}

/* parts of a large frame are taken, but no checksum that is not made */
CASE(net_large_unmade, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	net_begin();
	net_up();
	is(set_offloads(false, true), RNDIS_SUCCESS);
	send_large(30000, 1448, BY_PAGES);
	check(wait_frames(1));
	check(all_done());
	check(echo_frame(1, 100, BY_SECTION, NULL) || frames);
	check(echo_frame(2, 100, BY_SECTION, NULL));
	net_end();
}

/* ---- queues ---- */

static u32 by_queue[CHANNELS];

static void count_queue(void)
{
	by_queue[frame.queue]++;
	in_order();
}

/* @nr frames on channel @index: by which queue do they come? all of them, in order */
static bool through(u32 index, u32 nr, u32 first)
{
	u32 before = frames;

	by = &chans[index];
	memset(by_queue, 0, sizeof(by_queue));
	expect_frames(first, 300);
	on_frame = count_queue;
	for (u32 i = 0; i < nr; i++) {
		make_frame(data, first + i, 300);
		send_frame(data, 300, BY_SECTION, NULL);
	}
	by = &chans[0];
	return wait_frames(before + nr) && all_done() && !tx_bad && !wrong_ones;
}

static u32 all_in(u32 queue)
{
	u32 table[128];

	for (u32 i = 0; i < 128; i++)
		table[i] = queue;
	return set_table(table, 128);
}

CASE(net_subs, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, CHANNELS)
{
	struct nvsp_w_message m = { .type = NVSP_INIT, .init = { 0, ~0u } };
	u32 table[128], i;

	net_begin();
	net_up();
	is(ask_subs(0), NVSP_FAIL);
	open_subs(SUBS);
	is(far_info()->queues, CHANNELS);
	is_(ask_subs(1), NVSP_FAIL, "there are some");
	for (i = 0; i < CHANNELS; i++) {
		check(through(i, 50, 100 * i));
		is_(by_queue[0], 50, "without a table all come by the first");
	}
	/* they carry frames and nothing else */
	by = &chans[1];
	net_ask(&m, sizeof(m));
	is(answer_bytes, 0);
	m = (struct nvsp_w_message){ .type = NVSP_RNDIS, .rndis = { NVSP_CONTROL, 0, 32 } };
	is(net_ask(&m, sizeof(m)), NVSP_RNDIS_COMPLETE);
	check(answer.status != NVSP_OK);
	by = &chans[0];

	for (i = 0; i < CHANNELS; i++) {
		is(all_in(i), RNDIS_SUCCESS);
		check(through((i + 1) % CHANNELS, 50, 1000 + 100 * i));
		is_(by_queue[i], 50, "by the queue that the table says");
	}
	is_(all_in(CHANNELS), RNDIS_INVALID_DATA, "no such queue");
	check(through(0, 10, 3000));
	is_(by_queue[CHANNELS - 1], 10, "a refused table changes nothing");
	for (i = 0; i < 128; i++)
		table[i] = i % CHANNELS;
	is(set_table(table, 128), RNDIS_SUCCESS);
	is(set_table(table, 7), RNDIS_INVALID_DATA);

	/* one is closed: what is for it is lost, and the others go on; and opened again */
	is(all_in(1), RNDIS_SUCCESS);
	channel_close(&chans[1]);
	is_open[1] = false;
	is(far_info()->queues, CHANNELS - 1);
	make_frame(data, 1, 300);
	send_frame(data, 300, BY_SECTION, NULL);
	check(all_done());
	check(await(far_info()->rx_dropped == 1));
	is(all_in(2), RNDIS_SUCCESS);
	check(through(2, 20, 3100));
	is(channel_open(&chans[1], &chans[1].offer, ring_memory[1], 16, 8), 0);
	is_open[1] = true;
	is(all_in(1), RNDIS_SUCCESS);
	check(through(1, 20, 3200));
	is(by_queue[1], 20);

	/* all go with the primary channel, and come again */
	for (i = 0; i < 5; i++) {
		on_frame = NULL;
		for (u32 n = 0; n < 30; n++) {
			by = &chans[n % CHANNELS];
			make_frame(data, n, 300);
			send_frame(data, 300, BY_SECTION, NULL);
		}
		by = &chans[0];
		close_all();
		net_open();
		net_up();
		open_subs(SUBS);
	}
	/* some that were written meanwhile may come yet */
	nap(5);
	net_drain();
	forget_sent();
	is(all_in(2), RNDIS_SUCCESS);
	check(through(1, 20, 3300));
	is(by_queue[2], 20);
	close_all();
	net_open();
	net_end();
}
