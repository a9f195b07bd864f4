// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_nethostile.c - a network card spoken to wrongly: NVSP of any type and length, RNDIS of any
 * content, memory of any form, completions of packets that never were, buffers that go amid
 * traffic, and all of it changed while the host looks at it.  In the end an honest guest must find
 * its card as if nothing had been.
 */
#include "fuzz.h"
#include "net.h"

static struct fuzz fuzzer;
static u8 memory[16 * PAGE] __attribute__((aligned(4096)));
static u32 sent, taken, came, told_bad;
static bool lent_rx, lent_tx, offered_subs;

/* ---- what is said ---- */

static void spoil(struct fuzz *f, void *at, u32 bytes, u32 n)
{
	if (!one_in(f, n))
		return;
	for (u32 i = 1 + any(f) % 3; i; i--) {
		u32 where = any(f) % bytes;

		if (one_in(f, 2) && where % 4 == 0 && where + 4 <= bytes) {
			u32 value = odd(f);

			memcpy(at + where, &value, 4);
		} else {
			((u8 *)at)[where] = any(f);
		}
	}
}

/* a frame: TCP, UDP, tags, or nothing of the kind */
static u32 any_frame(struct fuzz *f, u8 *at, u32 room)
{
	static const u16 types[] = { 0x800, 0x800, 0x86dd, 0x8100, 0x88a8, 0x88b5, 0x800, 46 };
	u32 bytes = one_in(f, 3) ? 14 + any(f) % 100 : min_t(u32, room, 60 + any(f) % 1500);
	u32 ip = 14;
	u16 type = pick(f, types);

	make_frame(at, any(f), bytes);
	if (one_in(f, 4))
		memcpy(at, my_mac, 6);
	at[12] = type >> 8;
	at[13] = type;
	if (bytes < 80)
		return bytes;
	if (type >> 8 == 0x81 || type == 0x88a8) {
		at[16] = 8;
		at[17] = 0;
		ip = 18;
	}
	at[ip] = type == 0x86dd ? 0x60 : 0x45 + (one_in(f, 8) ? any(f) % 11 : 0);
	at[ip + 2] = (bytes - ip) >> 8;
	at[ip + 3] = bytes - ip;
	at[ip + 4] = (bytes - ip - 40) >> 8;
	at[ip + 5] = bytes - ip - 40;
	at[ip + 6] = type == 0x86dd ? 6 : 0;
	at[ip + 9] = one_in(f, 2) ? 6 : 17;
	at[ip + (type == 0x86dd ? 52 : 32)] = (5 + (one_in(f, 8) ? any(f) % 11 : 0)) << 4;
	spoil(f, at + 12, 60, 6);
	return bytes;
}

static u32 any_packet(struct fuzz *f, u8 *at, u32 room)
{
	struct beside b = {
		.has_csum = one_in(f, 3), .csum = one_in(f, 4) ? odd(f) : 5 | 34 << 16,
		.has_lso = one_in(f, 4),
		.lso = one_in(f, 6) ? odd(f) : RNDIS_LSO_V2 | (8 + any(f) % 1500) | 34u << 20,
		.has_vlan = one_in(f, 4), .vlan = odd(f),
	};
	u8 frame_at[1600];
	u32 bytes = any_frame(f, frame_at, sizeof(frame_at)), n;

	if (44 + 48 + bytes > room)
		bytes = min_t(u32, bytes, 60);
	n = net_head(at, bytes, &b);
	memcpy(at + n, frame_at, bytes);
	spoil(f, at, n, 4);
	if (one_in(f, 16))
		((struct rndis_w_packet *)at)->data_bytes = odd(f);
	return n + bytes;
}

static u32 any_control(struct fuzz *f, u8 *at)
{
	static const u32 oids[] = {
		OID_SUPPORTED, OID_FILTER, OID_FILTER, OID_MULTICAST, OID_RSS_PARAMS, OID_RSS_PARAMS,
		OID_OFFLOAD, OID_OFFLOAD, OID_CAPS, OID_CURRENT, OID_PERMANENT, 0x0001021b, 0x00010203,
		0x00020106, 0x0101010a, 0xfc01020b, 0x00010207, 0x00020216,
	};
	static const u32 types[] = { 4, 4, 5, 5, 5, 5, 5, 8, 2, 6, 3 };
	struct rndis_w_request m = {
		.h = { pick(f, types), sizeof(m) }, .request = any(f), .oid = pick(f, oids),
	};
	u32 n = one_in(f, 4) ? any(f) % 900 : 28 + any(f) % 48, filter = 0x2f;

	if (m.h.type == RNDIS_HALT && !one_in(f, 16))
		m.h.type = RNDIS_KEEPALIVE;
	if (m.oid == OID_RSS_PARAMS && one_in(f, 2))
		n = 600;
	if (m.h.type == RNDIS_INIT)
		m.oid = 1;	/* the version */
	for (u32 i = 0; i < n; i += 8)
		*(u64 *)(at + sizeof(m) + i) = one_in(f, 4) ? odd(f) : any(f) % 4;
	if (m.oid == OID_FILTER && !one_in(f, 4)) {
		n = 4;
		memcpy(at + sizeof(m), &filter, 4);
	}
	if (m.oid == OID_OFFLOAD && !one_in(f, 4)) {
		memset(at + sizeof(m), 0, 28);
		memcpy(at + sizeof(m), (const u8[]){ 0x80, 3, 28, 0 }, 4);
		for (u32 i = 4; i < 26; i++)
			at[sizeof(m) + i] = any(f) % 5;
		at[sizeof(m) + 9] = 0;
		n = 28;
	}
	if (m.oid == OID_RSS_PARAMS && !one_in(f, 4)) {
		static const u8 params[28] = {
			0x89, 2, 28, 0, 0, 0, 0, 0, 1, 7, 0, 0, 0, 2, 0, 0, 28, 0, 0, 0, 40, 0, 0, 0, 28, 2,
		};

		memcpy(at + sizeof(m), params, sizeof(params));
		for (u32 i = 0; i < 128; i++)
			*(u32 *)(at + sizeof(m) + 28 + 4 * i) = any(f) % CHANNELS;
		n = 28 + 512 + 40;
	}
	m.bytes = n;
	m.offset = sizeof(m) - 8;
	m.h.bytes += n;
	memcpy(at, &m, sizeof(m));
	spoil(f, at, sizeof(m), 8);
	return sizeof(m) + n;
}

/* ---- where it is said ---- */

static u32 any_list(struct fuzz *f, u32 bytes)
{
	u32 first = any(f) % 8, words;

	net_list_begin();
	if (one_in(f, 4)) {
		u32 half = any(f) % bytes + 1;

		words = net_list_add(memory + first * PAGE, half);
		if (half < bytes)
			words = net_list_add(memory + first * PAGE + half, bytes - half);
	} else {
		words = net_list_add(memory + first * PAGE, bytes);
	}
	if (one_in(f, 12))
		net_ranges = odd(f);
	if (one_in(f, 12))
		net_list[any(f) % words] = one_in(f, 2) ? odd(f) : G_ROM / PAGE;
	if (one_in(f, 24))
		words = any(f) % 60;
	return words;
}

static void say_rndis(struct fuzz *f)
{
	struct nvsp_w_message m = {
		.type = NVSP_RNDIS, .rndis = { NVSP_DATA, NVSP_NO_SECTION, 0 },
	};
	static u8 built[8192] __attribute__((aligned(8)));
	bool is_control = one_in(f, 6);
	u32 bytes = 0, nr = one_in(f, 4) ? 1 + any(f) % 6 : 1, words = 0, split, room;

	if (is_control)
		bytes = any_control(f, built);
	for (; !is_control && nr && bytes < 4000; nr--)
		bytes += any_packet(f, built + bytes, sizeof(built) - 1700 - bytes);
	if (is_control ? !one_in(f, 32) : one_in(f, 64))
		m.rndis.channel = NVSP_CONTROL;
	split = one_in(f, 3) ? bytes : one_in(f, 2) ? 0 : any(f) % bytes;
	room = tx_section_bytes ?: 6144;
	split = min_t(u32, split, room);
	if (split) {
		m.rndis.section = any(f) % (TX_BYTES / room);
		m.rndis.section_bytes = split;
		memcpy(tx_memory + m.rndis.section * room, built, split);
	}
	if (split < bytes) {
		memcpy(memory, built + split, bytes - split);
		for (u32 i = 1; i < 8; i++)
			memcpy(memory + i * PAGE, memory, min_t(u32, PAGE, bytes - split));
		words = any_list(f, bytes - split);
	}
	spoil(f, &m, 16, 16);
	sent += net_send(words ? VMBUS_PKT_GPA_DIRECT : VMBUS_PKT_DATA,
			 one_in(f, 4) ? 0 : VMBUS_PACKET_COMPLETION, odd(f), words, &m,
			 one_in(f, 24) ? any(f) % 64 : sizeof(m));
}

static void say_nvsp(struct fuzz *f)
{
	static const u32 types[] = {
		1, 2, 100, 101, 101, 101, 102, 103, 104, 104, 104, 105, 106, 107, 108, 125, 128, 129, 133,
		134,
	};
	static const u32 all[] = { 2, 0x30002, 0x40000, 0x50000, 0x60000, 0x60001 };
	struct nvsp_w_message m = { .type = one_in(f, 16) ? odd(f) : pick(f, types) };

	for (u32 i = 0; i < sizeof(m.bytes); i++)
		m.bytes[i] = one_in(f, 4) ? any(f) : 0;
	switch (m.type) {
	case NVSP_INIT:
		m.init.min = pick(f, all);
		m.init.max = m.init.min;
		break;
	case NVSP_RX_BUFFER:
	case NVSP_TX_BUFFER:
		m.buffer.gpadl = m.type == NVSP_RX_BUFFER ? RX_GPADL : TX_GPADL;
		m.buffer.id = NVSP_RX_BUFFER_ID;
		break;
	case NVSP_NDIS_CONFIG:
		m.ndis_config.mtu = one_in(f, 2) ? 1514 : odd(f);
		break;
	case NVSP_SUBS:
		/* those would have to be heard of; only the honest end asks for them */
		m.subs.op = 2 + any(f) % 8;
		break;
	}
	spoil(f, &m.bytes, sizeof(m.bytes), m.type == NVSP_SUBS ? 1u << 31 : 8);
	sent += net_send(one_in(f, 16) ? any(f) % 16 : VMBUS_PKT_DATA,
			 one_in(f, 4) ? 0 : VMBUS_PACKET_COMPLETION, odd(f), 0, &m,
			 one_in(f, 12) ? any(f) % 64 : sizeof(m));
}

/* ---- what comes, and what is said of that ---- */

static void say_done(struct fuzz *f, u64 id)
{
	const u32 done[2] = { NVSP_RNDIS_COMPLETE, one_in(f, 16) ? odd(f) : NVSP_OK };

	sent += net_send(VMBUS_PKT_COMPLETION, one_in(f, 32), id, 0, done,
			 one_in(f, 16) ? any(f) % 9 : 8);
}

static void hear_all(struct fuzz *f)
{
	for (u32 i = 0; i < CHANNELS; i++) {
		struct channel *was = by;

		while (is_open[i] && guest_next(&chans[i].in, &packet, sizeof(packet))) {
			if (packet.desc.type == VMBUS_PKT_COMPLETION) {
				taken++;
				told_bad += packet.data[0] == NVSP_RNDIS_COMPLETE && packet.data[4] != 1;
				continue;
			}
			came++;
			/* once, twice, or by another channel; or not at all */
			if (one_in(f, 8))
				continue;
			by = &chans[i];
			if (one_in(f, 32))
				by = was;
			say_done(f, packet.desc.trans_id);
			if (one_in(f, 32))
				say_done(f, packet.desc.trans_id);
		}
		by = was;
		if (is_open[i])
			channel_done(&chans[i]);
	}
}

/* what the host may be looking at */
static void scribble(struct fuzz *f)
{
	for (u32 i = any(f) % 64; i; i--) {
		*(volatile u64 *)(memory + any(f) % (sizeof(memory) - 8)) = odd(f);
		*(volatile u64 *)(tx_memory + any(f) % (TX_BYTES - 8)) = odd(f);
		*(volatile u64 *)(rx_memory + any(f) % (RX_BYTES - 8)) = odd(f);
	}
}

/* ---- buffers and channels ---- */

static void lend(struct fuzz *f)
{
	bool rx = one_in(f, 2), *lent = rx ? &lent_rx : &lent_tx;

	if (*lent)
		net_take(rx ? RX_GPADL : TX_GPADL);
	else if (rx)
		is(net_lend(RX_GPADL, rx_memory + any(f) % 64 * 8,
			    one_in(f, 4) ? 3000 + any(f) % 60000 : RX_BYTES - 512), 0);
	else
		is(net_lend(TX_GPADL, tx_memory, TX_BYTES), 0);
	*lent = !*lent;
	if (*lent && !one_in(f, 4)) {
		struct nvsp_w_message m = { .type = rx ? NVSP_RX_BUFFER : NVSP_TX_BUFFER };

		m.buffer.gpadl = rx ? RX_GPADL : TX_GPADL;
		m.buffer.id = NVSP_RX_BUFFER_ID;
		by = &chans[0];
		sent += net_send(VMBUS_PKT_DATA, VMBUS_PACKET_COMPLETION, 1, 0, &m, sizeof(m));
	}
}

static void drop_subs(void)
{
	struct vmbus_w_relid m = { .h.type = VMBUS_RELID_RELEASED };

	for (u32 i = 1; offered_subs && i < CHANNELS; i++) {
		expect(VMBUS_RESCIND);
		m.relid = in.relid.relid;
		vmbus_post(&m, sizeof(m));
		is_open[i] = false;
	}
	offered_subs = false;
}

static void all_anew(struct fuzz *f)
{
	struct vmbus_w_relid m = { .h.type = VMBUS_CLOSE, .relid = chans[0].offer.relid };
	u32 i = 1 + any(f) % SUBS;

	by = &chans[0];
	hear_all(f);
	if (is_open[i] && one_in(f, 2)) {
		channel_close(&chans[i]);
		is_open[i] = false;
	}
	vmbus_post(&m, sizeof(m));
	drop_subs();
	vmbus_teardown(chans[0].offer.relid, chans[0].gpadl);
	is_open[0] = false;
	if (lent_rx)
		net_take(RX_GPADL);
	if (lent_tx)
		net_take(TX_GPADL);
	net_forget();
	net_open();
	lent_rx = false;
	lent_tx = false;
	if (one_in(f, 8))
		return;
	net_up();
	lent_rx = true;
	lent_tx = true;
	if (one_in(f, 2)) {
		open_subs(SUBS);
		offered_subs = true;
	}
}

/* the far side's own frames, and another end */
static void far_side(struct fuzz *f)
{
	static u8 bytes[1700] __attribute__((aligned(8)));
	struct ovid_frame head = {
		.flags = one_in(f, 2) ? 0 : any(f) % 64, .csum_start = one_in(f, 4) ? odd(f) : 34,
		.csum_offset = one_in(f, 4) ? odd(f) : 16, .mss = one_in(f, 4) ? odd(f) : 500,
		.headers = one_in(f, 4) ? odd(f) : 54, .vlan = odd(f),
	};

	if (one_in(f, 16)) {
		far_do(G_NET_END, one_in(f, 8) ? OVID_NET_NONE : OVID_NET_FRAMES,
		       one_in(f, 2) ? OVID_NET_OFFLOADS : 0);
	} else if (one_in(f, 16)) {
		far_do(G_NET_LINK, one_in(f, 4) ? any(f) % 4 : 0, 0);
	} else {
		head.bytes = any_frame(f, bytes, 1600);
		far_write(&head, bytes);
	}
}

static void step(struct fuzz *f)
{
	u32 r = any(f) % 512;

	f->ops++;
	if (r == 0) {
		all_anew(f);
	} else if (r < 2) {
		lend(f);
	} else if (r < 12) {
		u32 i = any(f) % CHANNELS;

		by = is_open[i] ? &chans[i] : &chans[0];
	} else if (r < 20) {
		scribble(f);
	} else if (r < 100) {
		hear_all(f);
	} else if (r < 106) {
		nap(1);
	} else if (r < 130) {
		far_side(f);
	} else if (r < 150) {
		say_nvsp(f);
	} else if (r < 170) {
		say_done(f, one_in(f, 2) ? any(f) % 600 : odd(f));
	} else {
		say_rndis(f);
	}
}

CASE(net_hostile, G_OVID_ONLY | G_VMBUS | G_FUZZ | G_LONG_TIME, CHANNELS)
{
	struct ovid_net_info *info;
	struct fuzz *f = &fuzzer;

	net_begin();
	net_up();
	lent_rx = true;
	lent_tx = true;
	open_subs(SUBS);
	offered_subs = true;
	f->state = host->seed ?: 1;
	while (!host->stop && (!host->count || f->ops < host->count))
		step(f);
	note("packets", sent);
	note("answers", taken);
	note("which said no", told_bad);
	note("packets of the host's", came);
	info = far_info();
	note("frames that were sent", info->tx_frames);
	note("which made no sense", info->tx_errors);
	note("which were lost", info->tx_dropped);
	note("frames for us", info->rx_frames);
	note("which were lost", info->rx_dropped);
	check(sent && taken && came);

	/* as if nothing had been */
	far_do(G_NET_LINK, 0, 0);
	is(far_do(G_NET_END, OVID_NET_FRAMES, OVID_NET_OFFLOADS), 0);
	do
		all_anew(f);
	while (!lent_rx || offered_subs);
	net_wrong = 0;
	nap(5);
	net_drain();
	forget_sent();
	for (u32 i = 0; i < 30; i++) {
		make_frame(memory, i, 1000);
		send_frame(memory, 1000, i % 3, NULL);
		check(wait_frames(i + 1) && is_frame(i, 1000));
	}
	check(all_done());
	is(tx_bad, 0);
	is(net_wrong, 0);
	net_close();
	command(G_CMD_REVOKE, G_CHANNEL_NET, 0, 0);
	expect(VMBUS_RESCIND);
	vmbus_unload();
}
