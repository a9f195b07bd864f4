// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_netlife.c - a network card whose buffers come and go, whose guest wants few frames or gives
 * nothing back, whose link goes, and whose channel is closed in every order.
 *
 * The runner is the far side, see serve_net.c: it gives back each frame, with its head.
 */
#include "net.h"

static u8 data[4 * PAGE] __attribute__((aligned(4096)));
static u8 page[2 * PAGE] __attribute__((aligned(4096)));

/* one frame, and what came of it: true: it is back, and done with */
static bool echo_frame(u32 number, u32 bytes, u32 how)
{
	u32 before = frames, id;

	make_frame(data, number, bytes);
	id = send_frame(data, bytes, how, NULL);
	return id != ~0u && wait_frames(before + 1) && is_frame(number, bytes) && all_done() &&
	       frames == before + 1 && !tx_bad;
}

/* a frame of the far side's own: what write() says */
static s64 from_far(const u8 *to, u32 number, u32 bytes)
{
	const struct ovid_frame head = { .bytes = bytes };

	make_frame(data, number, bytes);
	memcpy(data, to, 6);
	memcpy(data + 6, far_mac, 6);
	return far_write(&head, data);
}

static bool comes(const u8 *to, u32 number)
{
	u32 before = frames;

	if (from_far(to, number, 100) <= 0)
		return false;
	wait_frames(before + 1);
	return frames == before + 1 && number_of(frame.data) == number;
}

/* nor does it come behind another one */
static bool stays_away(const u8 *to, u32 number)
{
	u32 before = frames;

	if (from_far(to, number, 100) <= 0)
		return false;
	nap(2);
	net_drain();
	return frames == before;
}

/* ---- buffers ---- */

#define OTHER_GPADL	0x7f0000u

static void fill(u8 *at, u32 bytes)
{
	memset(at, 0xa5, bytes);
}

static bool is_untouched(const u8 *at, u32 bytes)
{
	for (u32 i = 0; i < bytes; i += 8)
		if (*(const u64 *)(at + i) != 0xa5a5a5a5a5a5a5a5ull)
			return false;
	return true;
}

static void refused_buffers(void)
{
	const u64 two[4] = { PAGE, gpa(page) / PAGE, PAGE, gpa(page) / PAGE + 1 };
	u32 relid = chans[0].offer.relid;

	is_(net_rx_buffer(OTHER_GPADL, NVSP_RX_BUFFER_ID), NVSP_FAIL, "no such GPADL");
	is_(net_tx_buffer(OTHER_GPADL), NVSP_FAIL, "nor for the other one");
	is(net_lend(OTHER_GPADL, page, PAGE), 0);
	is_(net_rx_buffer(OTHER_GPADL, NVSP_RX_BUFFER_ID), NVSP_FAIL, "one page is too little");
	is_(net_tx_buffer(OTHER_GPADL), NVSP_FAIL, "less than a section");
	is_(net_rx_buffer(OTHER_GPADL, 1), NVSP_FAIL, "another name");
	net_take(OTHER_GPADL);
	vmbus_gpadl_post(relid, OTHER_GPADL, 2, two, 4);
	expect(VMBUS_GPADL_CREATED);
	is(in.created.status, 0);
	is_(net_rx_buffer(OTHER_GPADL, NVSP_RX_BUFFER_ID), NVSP_FAIL, "two ranges");
	is_(net_tx_buffer(OTHER_GPADL), NVSP_FAIL, "two ranges for the other one");
	net_take(OTHER_GPADL);
}

CASE(net_buffers, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	u32 i;

	net_begin();
	check(net_init(NVSP_VERSION_61, NVSP_VERSION_61));
	net_config(1514, 0);
	refused_buffers();

	/* from the middle of a page on, as iPXE has it */
	rx_at = rx_memory + 100;
	is(net_lend(RX_GPADL, rx_at, RX_BYTES - 8000), 0);
	is(net_rx_buffer(RX_GPADL, NVSP_RX_BUFFER_ID), NVSP_OK);
	is(rx_parts, (RX_BYTES - 8000) / rx_part_bytes);
	is_(net_rx_buffer(RX_GPADL, NVSP_RX_BUFFER_ID), NVSP_FAIL, "not twice");
	is_(net_tx_buffer(RX_GPADL), NVSP_FAIL, "not as the other one, too");
	is(net_lend(TX_GPADL, tx_memory, TX_BYTES), 0);
	is(net_tx_buffer(TX_GPADL), NVSP_OK);
	is_(net_tx_buffer(TX_GPADL), NVSP_FAIL, "that one not twice");
	is(rndis_init(), RNDIS_SUCCESS);
	is(set_filter(DIRECTED), RNDIS_SUCCESS);
	forget_sent();
	for (i = 0; i < 20; i++)
		check(echo_frame(i, 60 + 70 * i, i % 3));
	is(*(u64 *)rx_memory, 0);

	/* revoked: frames wait, and nothing is written */
	net_revoke(NVSP_RX_REVOKE);
	vmbus_quiet();
	nap(1);
	fill(rx_memory, sizeof(rx_memory));
	for (i = 0; i < 10; i++)
		check(from_far(my_mac, 100 + i, 100) > 0);
	nap(2);
	check(is_untouched(rx_memory, sizeof(rx_memory)));
	frames = 0;
	is(net_rx_buffer(RX_GPADL, NVSP_RX_BUFFER_ID), NVSP_OK);
	check(wait_frames(10));
	is(number_of(frame.data), 109);

	/* torn down while it is in use: the same */
	frames = 0;
	net_take(RX_GPADL);
	fill(rx_memory, sizeof(rx_memory));
	for (i = 0; i < 10; i++)
		check(from_far(my_mac, 200 + i, 100) > 0);
	nap(2);
	check(is_untouched(rx_memory, sizeof(rx_memory)));
	is(frames, 0);
	rx_at = rx_memory;
	is(net_lend(RX_GPADL, rx_at, RX_BYTES), 0);
	is(net_rx_buffer(RX_GPADL, NVSP_RX_BUFFER_ID), NVSP_OK);
	check(wait_frames(10));
	is(number_of(frame.data), 209);
	check(echo_frame(1, 1000, BY_PAGES));

	/* the send buffer */
	for (i = 0; i < 2; i++) {
		if (i)
			net_take(TX_GPADL);
		else
			net_revoke(NVSP_TX_REVOKE);
		make_frame(data, 1, 100);
		send_frame(data, 100, BY_SECTION, NULL);
		send_frame(data, 100, BY_BOTH, NULL);
		check(all_done());
		is(tx_bad, 2);
		tx_bad = 0;
		check(echo_frame(2, 1000, BY_PAGES));
		if (i)
			is(net_lend(TX_GPADL, tx_memory, TX_BYTES), 0);
		is(net_tx_buffer(TX_GPADL), NVSP_OK);
		check(echo_frame(3, 1000, BY_SECTION));
	}
	/* sections that are none */
	{
		struct nvsp_w_message m = { .type = NVSP_RNDIS, .rndis = { NVSP_DATA, 1000, 100 } };

		is(net_ask(&m, sizeof(m)), NVSP_RNDIS_COMPLETE);
		is(answer.status, NVSP_FAIL);
		m = (struct nvsp_w_message){
			.type = NVSP_RNDIS, .rndis = { NVSP_DATA, 0, tx_section_bytes + 1 },
		};
		is(net_ask(&m, sizeof(m)), NVSP_RNDIS_COMPLETE);
		is(answer.status, NVSP_FAIL);
	}
	net_end();
}

/* a buffer that has no room for a large frame at all does not hold up those behind it */
CASE(net_small_buffer, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	static u8 tcp[30000] __attribute__((aligned(4096)));
	const struct ovid_frame head = {
		.bytes = sizeof(tcp), .flags = OVID_FRAME_CSUM | OVID_FRAME_SEGMENT4,
		.csum_start = 34, .csum_offset = 16, .mss = 1448, .headers = 54,
	};

	net_begin();
	forget_sent();
	net_up_with(1500, rx_memory, 6 * PAGE);
	is(rx_parts, 6);
	make_frame(tcp, 1, sizeof(tcp));
	memset(tcp + 12, 0, 42);
	memcpy(tcp, my_mac, 6);
	tcp[12] = 8;
	tcp[14] = 0x45;
	tcp[16] = (sizeof(tcp) - 14) >> 8;
	tcp[17] = (u8)(sizeof(tcp) - 14);
	tcp[22] = 64;
	tcp[23] = 6;
	tcp[46] = 0x50;
	check(far_write(&head, tcp) > 0);
	check(from_far(my_mac, 77, 100) > 0);
	for (u32 i = 0; i < 100 && (!frames || number_of(frame.data) != 77); i++) {
		nap(1);
		net_drain();
	}
	is_(number_of(frame.data), 77, "what is behind it comes");
	net_end();
}

/* ---- RNDIS ---- */

CASE(net_rndis, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	static const u8 another[6] = { 2, 0, 0, 0, 0, 9 };
	static u8 longest[1100];
	struct rndis_w_complete alive = { { RNDIS_KEEPALIVE, 12 }, 99, 0 };
	u32 value, i;
	u8 mac[6];

	net_begin();
	forget_sent();
	check(net_init(NVSP_VERSION_61, NVSP_VERSION_61));
	net_config(G_NET_MTU + 14, NVSP_CAP_8021Q);
	rx_at = rx_memory;
	is(net_lend(RX_GPADL, rx_memory, RX_BYTES), 0);
	is(net_rx_buffer(RX_GPADL, NVSP_RX_BUFFER_ID), NVSP_OK);
	is(net_lend(TX_GPADL, tx_memory, TX_BYTES), 0);
	is(net_tx_buffer(TX_GPADL), NVSP_OK);
	is_(rndis_query(OID_PERMANENT, mac, 6), RNDIS_FAILURE, "not before it has begun");
	is(set_filter(DIRECTED), RNDIS_FAILURE);
	is(rndis_init(), RNDIS_SUCCESS);
	is(rndis_query(OID_PERMANENT, mac, 6), RNDIS_SUCCESS);
	check(!memcmp(mac, my_mac, 6));
	is(rndis_query(OID_CURRENT, mac, 6), RNDIS_SUCCESS);
	check(!memcmp(mac, my_mac, 6));
	is(rndis_query(OID_FRAME_SIZE, &value, 4), RNDIS_SUCCESS);
	is(value, G_NET_MTU);
	is(rndis_query(OID_TOTAL_SIZE, &value, 4), RNDIS_SUCCESS);
	is(value, G_NET_MTU + 14);
	is(rndis_query(OID_CONNECTED, &value, 4), RNDIS_SUCCESS);
	is_(value, 0, "connected");
	is(rndis_query(0x12345678, &value, 4), RNDIS_NOT_SUPPORTED);
	is(rndis_set(OID_FRAME_SIZE, &value, 4), RNDIS_NOT_SUPPORTED);
	is(rndis_set(OID_FILTER, &value, 2), RNDIS_INVALID_LENGTH);
	is(rndis_set(OID_MULTICAST, another, 5), RNDIS_INVALID_LENGTH);
	is_(rndis_set(OID_MULTICAST, another, 6), RNDIS_INVALID_DATA, "it is of one station");
	check(net_control(&alive, 12, BY_BOTH));
	is(((struct rndis_w_complete *)reply)->status, RNDIS_SUCCESS);
	is(((struct rndis_w_complete *)reply)->request, 99);
	alive.h.type = RNDIS_RESET;
	check(net_control(&alive, 12, BY_SECTION));
	for (i = 0; i < 6; i++)
		is(set_filter(DIRECTED), RNDIS_SUCCESS);

	/* no requests */
	alive.h.type = 77;
	check(!net_control(&alive, 12, BY_PAGES));
	is(answer.status, NVSP_BAD_RNDIS);
	alive.h.type = RNDIS_KEEPALIVE;
	check(!net_control(&alive, 4, BY_SECTION));
	is(answer.status, NVSP_BAD_RNDIS);
	memcpy(longest, &(struct rndis_w_head){ RNDIS_SET, sizeof(longest) }, 8);
	check(net_control(longest, sizeof(longest), BY_PAGES));
	is(((struct rndis_w_complete *)reply)->status, RNDIS_INVALID_LENGTH);
	check(echo_frame(1, 1000, BY_SECTION));
	net_end();
}

/* more requests than there may be answers: each has its own, or was refused */
CASE(net_requests, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct nvsp_w_message m = {
		.type = NVSP_RNDIS, .rndis = { NVSP_CONTROL, NVSP_NO_SECTION, 0 },
	};
	static struct rndis_w_request query = {
		.h = { RNDIS_QUERY, sizeof(query) }, .request = 5, .oid = OID_SUPPORTED,
	};
	u32 i, refused = 0, before;

	net_begin();
	net_up();
	before = replies;
	for (i = 0; i < 200; i++) {
		net_list_begin();
		if (!net_send(VMBUS_PKT_GPA_DIRECT, VMBUS_PACKET_COMPLETION, i,
			      net_list_add(&query, sizeof(query)), &m, sizeof(m)))
			break;
	}
	note("requests at once", i);
	check(i > 50);
	for (u32 tries = 0; tries < 200 && (tx_answers < i || replies < before + i - tx_bad); tries++) {
		net_drain();
		nap(1);
	}
	refused = tx_bad;
	note("which were refused", refused);
	is(tx_answers, i);
	is_(replies - before, i - refused, "each that was taken has its answer");
	forget_sent();
	check(echo_frame(1, 1000, BY_SECTION));
	net_end();
}

/* ---- which frames ---- */

CASE(net_filters, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	static const u8 all[6] = { 255, 255, 255, 255, 255, 255 }, group[6] = { 1, 0, 0x5e, 0, 0, 1 };
	static const u8 other[6] = { 2, 0, 0, 0, 0, 7 }, list[12] = { 1, 0, 0x5e, 0, 0, 9, 1, 0, 0x5e, 0, 0, 1 };

	net_begin();
	net_up();
	is(set_filter(DIRECTED), 0);
	check(comes(my_mac, 1));
	check(stays_away(other, 2) && stays_away(all, 3) && stays_away(group, 4));
	is(set_filter(BROADCAST), 0);
	check(comes(all, 5));
	check(stays_away(my_mac, 6) && stays_away(group, 7));
	is(set_filter(DIRECTED | MULTICAST), 0);
	check(stays_away(group, 8));
	is(rndis_set(OID_MULTICAST, list, 12), 0);
	check(comes(group, 9) && comes(my_mac, 10) && stays_away(other, 11) && stays_away(all, 12));
	is(rndis_set(OID_MULTICAST, list, 6), 0);
	check(stays_away(group, 13));
	is(set_filter(ALL_MULTICAST), 0);
	check(comes(group, 14) && stays_away(my_mac, 15));
	is(set_filter(PROMISCUOUS), 0);
	check(comes(group, 16) && comes(other, 17) && comes(my_mac, 18) && comes(all, 19));
	is(set_filter(0), 0);
	is(far_info()->flags & OVID_NET_UP, 0);
	check(stays_away(my_mac, 20) && stays_away(all, 21));
	is(set_filter(DIRECTED), 0);
	check(far_info()->flags & OVID_NET_UP);
	check(stays_away(other, 22));
	check(comes(my_mac, 23));
	net_end();
}

/* ---- the link ---- */

static bool wait_told(u32 nr)
{
	for (u32 i = 0; i < 100 && nr_told < nr; i++) {
		nap(1);
		net_drain();
	}
	return nr_told == nr;
}

CASE(net_link, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	u32 value;

	net_begin();
	net_up();
	wait_told(1000);	/* of offloads */
	nr_told = 0;
	is(far_do(G_NET_LINK, OVID_NET_LINK_DOWN, 0), 0);
	check(wait_told(1));
	is(told[0], RNDIS_MEDIA_DISCONNECT);
	is(rndis_query(OID_CONNECTED, &value, 4), 0);
	is(value, 1);
	is(far_info()->flags & (OVID_NET_UP | OVID_NET_LINK_DOWN), OVID_NET_LINK_DOWN);
	check(stays_away(my_mac, 1));
	is(far_do(G_NET_LINK, OVID_NET_LINK_DOWN, 0), 0);
	/* nothing goes the other way, either: there is no cable */
	is(far_do(G_NET_HOLD, 1, 0), 0);
	make_frame(data, 2, 100);
	send_frame(data, 100, BY_SECTION, NULL);
	check(all_done());
	nap(3);
	is(nr_told, 1);
	is_(far_do(G_NET_READ, gpa(page), sizeof(page)), -11, "EAGAIN: nothing is to be read");
	is(far_do(G_NET_HOLD, 0, 0), 0);
	is(far_do(G_NET_LINK, OVID_NET_OTHER, 0), 0);
	check(wait_told(3));
	check(told[1] == RNDIS_MEDIA_CONNECT && told[2] == RNDIS_NETWORK_CHANGE);
	nap(3);
	net_drain();
	is_(frames, 0, "what was sent without a cable is nowhere");
	tx_bad = 0;
	check(echo_frame(3, 100, BY_SECTION));

	/* another network alone */
	is(far_do(G_NET_LINK, OVID_NET_OTHER, 0), 0);
	check(wait_told(4));
	is(told[3], RNDIS_NETWORK_CHANGE);

	/* while nobody listens */
	net_close();
	is(far_do(G_NET_LINK, OVID_NET_LINK_DOWN, 0), 0);
	nr_told = 0;
	net_open();
	net_up();
	is(rndis_query(OID_CONNECTED, &value, 4), 0);
	is(value, 1);
	is(far_info()->flags & (OVID_NET_UP | OVID_NET_READY), OVID_NET_READY);
	is(far_do(G_NET_LINK, 0, 0), 0);
	for (u32 i = 0; i < 100 && told[(nr_told - 1) % 16] != RNDIS_MEDIA_CONNECT; i++) {
		nap(1);
		net_drain();
	}
	is(told[(nr_told - 1) % 16], RNDIS_MEDIA_CONNECT);
	check(echo_frame(4, 100, BY_SECTION));
	net_end();
}

/* ---- nothing is given back ---- */

/* the far side writes until it may not: how many; the first number is @first */
static u32 stuff(u32 first)
{
	u32 n = 0, tries = 0;
	s64 ret;

	while (n < 6000 && tries < 5) {
		ret = from_far(my_mac, first + n, 100);
		if (ret > 0) {
			n++;
			tries = 0;
			continue;
		}
		if (ret != -11)		/* EAGAIN */
			is_(ret, 0, "a frame is written");
		tries++;
		net_drain();
		nap(1);
	}
	return n;
}

static void echo_works(void)
{
	static struct channel echo;

	is(channel_open(&echo, vmbus_find(G_CHANNEL_ECHO), ring_memory[1] + 48 * PAGE, 8, 8), 0);
	for (u32 i = 0; i < 10; i++)
		check(channel_echo(&echo, VMBUS_PACKET_COMPLETION, i, data, 500));
	channel_close(&echo);
}

static u32 next_number, out_of_order;

static void in_order(void)
{
	out_of_order += number_of(frame.data) != next_number;
	next_number++;
}

CASE(net_kept, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	u32 n, waiting;

	net_begin();
	net_up();
	keeps = true;
	next_number = 0;
	out_of_order = 0;
	on_frame = in_order;
	n = stuff(0);
	note("frames that the host takes", n);
	note("which the guest has", frames);
	check(n >= rx_parts - 2 && n < 6000 && frames <= rx_parts - 2);
	echo_works();
	is_(set_filter(DIRECTED), RNDIS_SUCCESS, "there is a part left for answers");
	waiting = n - frames;
	check(waiting >= 1000 && waiting <= 4096);

	/* what is sent does not wait for that */
	make_frame(data, n, 200);
	is(far_do(G_NET_HOLD, 1, 0), 0);
	send_frame(data, 200, BY_SECTION, NULL);
	check(all_done());
	is(far_do(G_NET_HOLD, 0, 0), 0);
	give_back();
	check(wait_frames(n + 1));
	is(frames, n + 1);
	is(out_of_order, 0);
	on_frame = NULL;
	check(is_frame(n, 200));
	check(echo_frame(2, 1000, BY_BOTH));

	/* closed while the far side waits: that goes on with whoever comes next */
	keeps = true;
	check(stuff(0) >= rx_parts - 2);
	net_close();
	echo_works();
	check(from_far(my_mac, 1, 100) > 0);
	net_open();
	net_up();
	check(comes(my_mac, 55));
	check(echo_frame(3, 1000, BY_BOTH));
	is_(frames, 2, "what waited is gone");
	net_end();
}

/* ---- rings that are full ---- */

CASE(net_ring_full, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct nvsp_w_message m = {
		.type = NVSP_RNDIS, .rndis = { NVSP_DATA, NVSP_NO_SECTION, 0 },
	};
	static u8 head[64];
	u32 n, sent;

	net_begin();
	net_close();
	/* a page for packets to us */
	is(channel_open(&chans[0], &chans[0].offer, ring_memory[0], 16, 2), 0);
	is_open[0] = true;
	net_up();
	next_number = 0;
	out_of_order = 0;
	on_frame = in_order;
	for (n = 0; n < 200; n++)
		if (from_far(my_mac, n, 100) <= 0)
			break;
	is(n, 200);
	note("room in the ring", guest_free(&chans[0].in));
	check(wait_frames(200));
	is(out_of_order, 0);

	/* answers to packets of ours have no room, either */
	on_frame = NULL;
	is(far_do(G_NET_HOLD, 1, 0), 0);
	make_frame(data, 7, 100);
	net_head(head, 100, NULL);
	for (sent = 0; sent < 500; sent++) {
		net_list_begin();
		net_list_add(head, 44);
		if (!net_send(VMBUS_PKT_GPA_DIRECT, VMBUS_PACKET_COMPLETION, 1000 + sent,
			      net_list_add(data, 100), &m, sizeof(m)))
			break;
		if (sent % 100 == 50)
			nap(1);
	}
	note("packets that were sent", sent);
	note("room in the ring", guest_free(&chans[0].in));
	check(sent > 150);
	for (u32 i = 0; i < 2000 && tx_answers < sent; i++) {
		net_drain();
		nap(1);
	}
	is(tx_answers, sent);
	is(tx_bad, 0);
	is(far_do(G_NET_HOLD, 0, 0), 0);
	check(wait_frames(200 + sent));
	is(frames, 200 + sent);
	forget_sent();
	check(echo_frame(1, 1000, BY_PAGES));
	net_end();
}

/* as many frames as fit are read by one call */
CASE(net_read, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	const struct ovid_frame *head = (const struct ovid_frame *)page;

	net_begin();
	net_up();
	is(far_do(G_NET_HOLD, 1, 0), 0);
	is_(far_do(G_NET_READ, gpa(page), sizeof(page)), -11, "EAGAIN: there is none");
	for (u32 i = 0; i < 3; i++) {
		make_frame(data, i, 61 + i);
		send_frame(data, 61 + i, BY_SECTION, NULL);
		check(all_done());
	}
	is_(far_do(G_NET_READ, gpa(page), 0), -90, "EMSGSIZE: no room");
	is(far_do(G_NET_READ, gpa(page), 16 + 63), -90);
	memset(page, 0xff, sizeof(page));
	is_(far_do(G_NET_READ, gpa(page), 16 + 64 + 70), 16 + 64, "one fits");
	check(head->bytes == 61 && !head->flags && !head->csum_start && !head->mss && !head->vlan);
	is(number_of(page + 16), 0);
	check(!page[16 + 61] && !page[16 + 62] && !page[16 + 63] && page[16 + 64] == 0xff);
	is_(far_do(G_NET_READ, gpa(page), sizeof(page)), 2 * (16 + 64), "two");
	check(head->bytes == 62 && number_of(page + 16) == 1 && number_of(page + 96) == 2);
	is(far_do(G_NET_READ, gpa(page), sizeof(page)), -11);
	is(far_do(G_NET_HOLD, 0, 0), 0);
	check(echo_frame(1, 100, BY_PAGES));
	net_end();
}

/* the far side does not read: packets wait, and others go on */
CASE(net_not_read, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	static u8 body[9014] __attribute__((aligned(4096)));
	struct nvsp_w_message m = {
		.type = NVSP_RNDIS, .rndis = { NVSP_DATA, NVSP_NO_SECTION, 0 },
	};
	static u8 head[64];
	u32 sent = 0, tries = 0;

	net_begin();
	net_up();
	is(far_do(G_NET_HOLD, 1, 0), 0);
	make_frame(body, 7, 9014);
	net_head(head, 9014, NULL);
	while (sent < 3000 && tries < 20) {
		net_list_begin();
		net_list_add(head, 44);
		if (net_send(VMBUS_PKT_GPA_DIRECT, VMBUS_PACKET_COMPLETION, sent,
			     net_list_add(body, 9014), &m, sizeof(m))) {
			sent++;
			tries = 0;
			continue;
		}
		net_drain();
		nap(1);
		tries++;
	}
	note("packets that were sent", sent);
	note("which were taken", tx_answers);
	check(sent < 3000 && tx_answers < sent);
	echo_works();
	check(!frames);
	is(far_do(G_NET_HOLD, 0, 0), 0);
	check(wait_frames(sent));
	is(tx_answers, sent);
	forget_sent();
	check(echo_frame(1, 1000, BY_PAGES));

	/* closed, and the end replaced, while they wait */
	for (u32 i = 0; i < 4; i++) {
		is(far_do(G_NET_HOLD, 1, 0), 0);
		for (sent = 0; sent < 1000; sent++) {
			net_list_begin();
			net_list_add(head, 44);
			if (!net_send(VMBUS_PKT_GPA_DIRECT, 0, sent, net_list_add(body, 9014), &m,
				      sizeof(m)))
				break;
		}
		if (i & 1)
			is(far_do(G_NET_END, OVID_NET_NONE, 0), 0);
		net_close();
		net_open();
		if (!(i & 1))
			is(far_do(G_NET_END, OVID_NET_NONE, 0), 0);
		is(far_do(G_NET_END, OVID_NET_FRAMES, OVID_NET_OFFLOADS), 0);
		is(far_do(G_NET_HOLD, 0, 0), 0);
		net_up();
		check(echo_frame(1, 1000, BY_PAGES));
	}
	net_end();
}

/* a few large frames that are to be cut into very many */
CASE(net_tiny_pieces, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	static u8 tcp[65000] __attribute__((aligned(4096)));
	const struct beside b = { .has_lso = true, .lso = RNDIS_LSO_V2 | 128 | 34u << 20 };
	const struct ovid_frame head = {
		.bytes = sizeof(tcp), .flags = OVID_FRAME_CSUM | OVID_FRAME_SEGMENT4,
		.csum_start = 34, .csum_offset = 16, .mss = 128, .headers = 54,
	};
	u32 i;

	net_begin();
	net_up();
	make_frame(tcp, 1, sizeof(tcp));
	memset(tcp + 12, 0, 42);
	tcp[12] = 8;
	tcp[14] = 0x45;
	tcp[22] = 64;
	tcp[23] = 6;
	tcp[46] = 0x50;
	is(far_do(G_NET_END, OVID_NET_FRAMES, 0), 0);
	is(far_do(G_NET_HOLD, 1, 0), 0);
	for (i = 0; i < 200; i++)
		if (send_frame(tcp, sizeof(tcp), BY_PAGES, &b) == ~0u)
			break;
		else if (i > 10 && tx_answers < i - 8)
			break;		/* they wait */
	note("frames that were taken", i);
	is(far_do(G_NET_END, OVID_NET_FRAMES, OVID_NET_OFFLOADS), 0);
	check(all_done());
	is(far_do(G_NET_HOLD, 0, 0), 0);
	net_close();
	net_open();
	net_up();
	check(echo_frame(1, 1000, BY_PAGES));

	/* and from the far side, for a guest that takes none whole */
	is(set_offloads(false, false), 0);
	keeps = true;
	memcpy(tcp, my_mac, 6);
	tcp[16] = (sizeof(tcp) - 14) >> 8;
	tcp[17] = (u8)(sizeof(tcp) - 14);
	for (i = 0; i < 500; i++)
		if (far_write(&head, tcp) <= 0)
			break;
	note("frames that the host takes", i);
	check(i);
	nap(20);
	net_close();
	net_open();
	net_up();
	check(echo_frame(1, 1000, BY_PAGES));
	net_end();
}

/* ---- closed ---- */

static void burst(u32 nr)
{
	static u8 all[64][256] __attribute__((aligned(4096)));

	for (u32 i = 0; i < nr; i++) {
		make_frame(all[i % 64], i, 200);
		send_frame(all[i % 64], 200, i % 3, NULL);
		if (i % 20 == 7)
			from_far(my_mac, i, 200);
	}
}

/* in one of many ways */
static void leave(u32 how)
{
	u32 relid = chans[0].offer.relid;

	switch (how) {
	case 0:
		net_close();
		return;
	case 1:
		net_take(RX_GPADL);
		net_take(TX_GPADL);
		net_close();
		return;
	case 2:
		rndis_halt();
		net_close();
		return;
	case 3:
		net_revoke(NVSP_RX_REVOKE);
		net_revoke(NVSP_TX_REVOKE);
		net_close();
		return;
	case 4:
		set_filter(0);
		net_take(TX_GPADL);
		net_revoke(NVSP_RX_REVOKE);
		net_close();
		return;
	case 5:
		/* the ring's GPADL first */
		{
			struct vmbus_w_gpadl_teardown m = {
				.h.type = VMBUS_GPADL_TEARDOWN, .relid = relid, .gpadl = chans[0].gpadl,
			};
			struct vmbus_w_relid close = { .h.type = VMBUS_CLOSE, .relid = relid };

			net_take(RX_GPADL);
			vmbus_post(&m, sizeof(m));
			vmbus_post(&close, sizeof(close));
			expect(VMBUS_GPADL_TORNDOWN);
			is_open[0] = false;
			net_take(TX_GPADL);
		}
		return;
	default:
		keeps = true;
		burst(40);
		net_drain();
		net_close();
	}
}

CASE(net_closing, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	net_begin();
	for (u32 i = 0; i < 21; i++) {
		net_up();
		burst(40 + i * 7 % 20);
		if (i & 1)
			net_drain();
		leave(i % 7);
		fill(rx_memory, sizeof(rx_memory));
		fill(tx_memory, TX_BYTES);
		nap(1);
		if (!is_untouched(rx_memory, sizeof(rx_memory)) || !is_untouched(tx_memory, TX_BYTES))
			is_(i, ~0u, "nothing is written behind a close");
		net_open();
		/* what the far side gave back meanwhile is nowhere, or comes first */
		net_up();
		nap(3);
		net_drain();
		forget_sent();
		check(echo_frame(i, 1000, i % 3));
		net_close();
		net_open();
	}
	net_up();
	burst(50);
	/* taken back by the host while it is open */
	command(G_CMD_REVOKE, G_CHANNEL_NET, 0, 0);
	expect(VMBUS_RESCIND);
	fill(rx_memory, sizeof(rx_memory));
	nap(2);
	check(is_untouched(rx_memory, sizeof(rx_memory)));
	vmbus_unload();
}

/* taken back with all channels open, while frames go by all of them */
CASE(net_gone, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, CHANNELS)
{
	struct vmbus_w_relid m = { .h.type = VMBUS_RELID_RELEASED };

	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	for (u32 round = 0; round < 6; round++) {
		command(G_CMD_OFFER, G_CHANNEL_NET, 0, 0);
		is(host->result, 0);
		expect(VMBUS_OFFER);
		chans[0].offer = in.offer;
		net_open();
		net_up();
		open_subs(SUBS);
		for (u32 i = 0; i < 90; i++) {
			by = &chans[i % CHANNELS];
			make_frame(data, i, 200);
			send_frame(data, 200, BY_SECTION, NULL);
		}
		by = &chans[0];
		command(G_CMD_REVOKE, G_CHANNEL_NET, 0, 0);
		for (u32 i = 0; i < CHANNELS; i++) {
			expect(VMBUS_RESCIND);
			m.relid = in.relid.relid;
			vmbus_post(&m, sizeof(m));
			is_open[i] = false;
		}
		net_forget();
	}
	vmbus_unload();
}
