// SPDX-License-Identifier: GPL-2.0-only
/*
 * net_rt.c - a guest's side of a network card: see net.h.
 */
#include "net.h"

u8 rx_memory[RX_BYTES + PAGE] __attribute__((aligned(4096)));
u8 tx_memory[TX_BYTES] __attribute__((aligned(4096)));
u8 *rx_at = rx_memory;
u32 rx_bytes, rx_parts, rx_part_bytes, tx_sections, tx_section_bytes;
struct channel chans[CHANNELS];
struct channel *by = &chans[0];
bool is_open[CHANNELS];
const u8 my_mac[6] = { G_NET_MAC }, far_mac[6] = { 2, 0xfa, 1, 2, 3, 4 };

u64 net_list[64];
u32 net_ranges;
struct nvsp_w_message answer;
int answer_bytes;
u8 tx_done[TX_IDS];
u32 tx_answers, tx_bad, tx_status;
u8 reply[1024] __attribute__((aligned(8)));
u32 replies, nr_told, told[16];
u32 net_wrong;
struct net_frame frame;
u32 frames;
void (*on_frame)(void);
bool keeps;
u32 nr_kept;

#define ASKED		(1ull << 40)	/* of what net_ask() waits for */
static bool lent[2];		/* RX_GPADL, TX_GPADL */
static u64 answered_id, last_asked;
static u32 next_id;
static u8 section_busy[256];
static u16 section_of[TX_IDS];		/* + 1 */
static u8 heads[256][256] __attribute__((aligned(256)));
static struct {
	u64 id;
	struct channel *of;
} kept[4096];

/* what an honest host does; the first ones are reported */
#define must(cond, text) ({ bool ok_ = (cond);				\
	if (!ok_ && net_wrong++ < 10)					\
		check_(false, __LINE__, 0, 1, text);			\
	ok_; })

/* ---- packets out ---- */

bool net_send(u16 type, u16 flags, u64 trans_id, u32 words, const void *msg, u32 bytes)
{
	u8 body[8 + sizeof(net_list) + 128];
	struct guest_desc desc = { .type = type, .flags = flags, .trans_id = trans_id };
	u32 header = words ? 8 + words * 8 : 0, old, zero = 0;

	memcpy(body, &zero, 4);
	memcpy(body + 4, &net_ranges, 4);
	memcpy(body + 8, net_list, words * 8);
	memcpy(body + header, msg, bytes);
	if (!guest_write(&by->out, desc, body, header, bytes, &old))
		return false;
	if (guest_data_signal(&by->out, old))
		channel_signal(by);
	return true;
}

bool net_push(u16 type, u16 flags, u64 trans_id, u32 words, const void *msg, u32 bytes)
{
	for (u32 i = 0; i < 500; i++) {
		if (net_send(type, flags, trans_id, words, msg, bytes))
			return true;
		net_drain();
		nap(1);
	}
	return must(false, "there is room for a packet at last");
}

void net_list_begin(void)
{
	net_ranges = 0;
}

static u32 list_words;

u32 net_list_add(const void *at, u32 bytes)
{
	u32 offset = gpa(at) % PAGE, pages = (offset + bytes + PAGE - 1) / PAGE;

	if (!net_ranges++)
		list_words = 0;
	net_list[list_words++] = (u64)offset << 32 | bytes;
	for (u32 i = 0; i < pages; i++)
		net_list[list_words++] = gpa(at) / PAGE + i;
	return list_words;
}

bool complete(struct channel *of, u64 trans_id)
{
	const u32 done[2] = { NVSP_RNDIS_COMPLETE, NVSP_OK };
	struct channel *was = by;
	bool good;

	by = of;
	for (u32 i = 0; i < 500; i++) {
		good = net_send(VMBUS_PKT_COMPLETION, 0, trans_id, 0, done, sizeof(done));
		if (good)
			break;
		nap(1);
	}
	by = was;
	return must(good, "there is room for a completion at last");
}

void give_back(void)
{
	keeps = false;
	for (u32 i = 0; i < nr_kept; i++)
		complete(kept[i].of, kept[i].id);
	nr_kept = 0;
}

/* ---- packets in ---- */

static void took_answer(int bytes)
{
	u64 id = packet.desc.trans_id;
	const struct nvsp_w_message *msg = (const struct nvsp_w_message *)packet.data;

	if (id & ASKED) {
		answered_id = id;
		answer_bytes = bytes;
		memset(&answer, 0, sizeof(answer));
		memcpy(&answer, packet.data, min_t(u32, bytes, sizeof(answer)));
		return;
	}
	must(id < TX_IDS && bytes >= 8 && msg->type == NVSP_RNDIS_COMPLETE,
	     "a completion of a packet of ours");
	if (id >= TX_IDS)
		return;
	must(!tx_done[id], "... once");
	tx_done[id]++;
	tx_answers++;
	if (msg->status != NVSP_OK) {
		tx_bad++;
		tx_status = msg->status;
	}
	if (section_of[id])
		section_busy[section_of[id] - 1] = 0;
	section_of[id] = 0;
}

static void took_control(const u8 *at, u32 bytes)
{
	struct rndis_w_indicate m = { 0 };

	memcpy(&m, at, min_t(u32, bytes, sizeof(m)));
	if (!must(bytes <= sizeof(reply) && m.h.bytes <= bytes && bytes >= 12, "a control message"))
		return;
	if (m.h.type == RNDIS_INDICATE) {
		told[nr_told++ % ARRAY_SIZE(told)] = m.status;
		return;
	}
	memcpy(reply, at, bytes);
	replies++;
}

/* what is said beside it: RNDIS_ID_* */
static u32 read_infos(const u8 *at, const struct rndis_w_packet *p)
{
	struct rndis_w_info info;
	u32 flags = 0, left = p->info_bytes, value;

	at += 8 + p->info_offset;
	for (; left >= sizeof(info); at += info.bytes, left -= info.bytes) {
		memcpy(&info, at, sizeof(info));
		if (!must(info.bytes >= info.offset + 4 && info.bytes <= left &&
			  info.offset >= sizeof(info), "what is said beside a frame"))
			return 0;
		memcpy(&value, at + info.offset, 4);
		if (info.type == RNDIS_INFO_CHECKSUM) {
			frame.has_csum = true;
			frame.csum = value;
		} else if (info.type == RNDIS_INFO_VLAN) {
			frame.has_vlan = true;
			frame.vlan = value;
		} else if (info.type == RNDIS_INFO_HASH) {
			frame.has_hash = true;
			frame.hash = value;
		} else if (info.type == (RNDIS_INTERNAL | RNDIS_INTERNAL_PACKET_ID)) {
			flags = value >> 8 & 0xff;
		}
	}
	must(!left, "... ends where it says");
	return flags;
}

static void new_frame(struct channel *of)
{
	frame.bytes = 0;
	frame.parts = 0;
	frame.queue = of - chans;
	frame.has_csum = false;
	frame.has_vlan = false;
	frame.has_hash = false;
	frame.coalesced = false;
}

static void took_message(struct channel *of, const u8 *at, u32 bytes)
{
	struct rndis_w_packet p;
	u32 flags;

	if (!must(bytes > sizeof(p), "a message has a frame"))
		return;
	memcpy(&p, at, sizeof(p));
	if (!must(p.h.type == RNDIS_PACKET && p.h.bytes == bytes && p.data_bytes &&
		  8 + p.data_offset + p.data_bytes <= bytes &&
		  (!p.info_bytes || 8 + p.info_offset + p.info_bytes <= 8 + p.data_offset),
		  "a frame's message"))
		return;
	if (!frame.coalesced)
		new_frame(of);
	flags = read_infos(at, &p);
	must(!!(flags & RNDIS_ID_PART) == (frame.coalesced || flags & RNDIS_ID_FIRST),
	     "parts follow each other");
	if (flags & RNDIS_ID_FIRST)
		new_frame(of);
	if (!must(frame.bytes + p.data_bytes <= sizeof(frame.data), "a frame is not too large"))
		return;
	memcpy(frame.data + frame.bytes, at + 8 + p.data_offset, p.data_bytes);
	frame.bytes += p.data_bytes;
	frame.parts++;
	frame.coalesced = flags & RNDIS_ID_PART && !(flags & RNDIS_ID_LAST);
	if (frame.coalesced)
		return;
	frames++;
	if (on_frame)
		on_frame();
}

static void took_range(struct channel *of, const struct vmbus_w_range *range, u32 channel)
{
	const u8 *at = rx_at + range->offset;

	if (!must(rx_parts && range->bytes && range->bytes <= rx_part_bytes &&
		  range->offset % rx_part_bytes == 0 &&
		  range->offset / rx_part_bytes < rx_parts, "a part of the receive buffer"))
		return;
	if (channel == NVSP_CONTROL)
		took_control(at, range->bytes);
	else
		took_message(of, at, range->bytes);
}

static void took_pages(struct channel *of, int bytes)
{
	const struct vmbus_w_pages *pages = (const struct vmbus_w_pages *)packet.data;
	const struct vmbus_w_range *range = (const struct vmbus_w_range *)(pages + 1);
	u32 header = packet.desc.offset8 * 8 - 16;
	const struct nvsp_w_message *msg = (const void *)(packet.data + header);
	u64 id = packet.desc.trans_id;

	if (!must(packet.desc.flags & VMBUS_PACKET_COMPLETION && pages->set == NVSP_RX_BUFFER_ID &&
		  pages->nr_ranges && header == 8 + pages->nr_ranges * 8 &&
		  bytes == (int)(header + sizeof(*msg)) && msg->type == NVSP_RNDIS &&
		  msg->rndis.section == NVSP_NO_SECTION, "a packet with frames"))
		return;
	for (u32 i = 0; i < pages->nr_ranges; i++)
		took_range(of, &range[i], msg->rndis.channel);
	if (keeps && msg->rndis.channel == NVSP_DATA && nr_kept < ARRAY_SIZE(kept)) {
		kept[nr_kept].of = of;
		kept[nr_kept++].id = id;
	} else {
		complete(of, id);
	}
}

static void took(struct channel *of, int bytes)
{
	if (packet.desc.type == VMBUS_PKT_COMPLETION)
		took_answer(bytes);
	else if (must(packet.desc.type == VMBUS_PKT_XFER_PAGES, "a packet of a card's"))
		took_pages(of, bytes);
	channel_done(of);
}

bool net_hear(struct channel *of)
{
	int n = channel_receive(of);

	if (n < 0)
		return false;
	took(of, n);
	return true;
}

void net_drain(void)
{
	for (u32 i = 0; i < CHANNELS; i++) {
		u32 n;

		while (is_open[i] && (n = guest_next(&chans[i].in, &packet, sizeof(packet))))
			took(&chans[i], n - 16);
		if (is_open[i])
			channel_done(&chans[i]);
	}
}

/* ---- NVSP ---- */

u32 net_ask(struct nvsp_w_message *msg, u32 bytes)
{
	u64 id = ASKED | ++last_asked;

	if (!net_push(VMBUS_PKT_DATA, VMBUS_PACKET_COMPLETION, id, 0, msg, bytes))
		return 0;
	answer_bytes = -1;
	while (answered_id != id)
		if (!net_hear(by))
			return 0;
	return answer.type;
}

bool net_init(u32 lowest, u32 highest)
{
	struct nvsp_w_message m = { .type = NVSP_INIT, .init = { lowest, highest } };

	return net_ask(&m, sizeof(m)) == NVSP_INIT_COMPLETE &&
	       answer.init_complete.status == NVSP_OK;
}

void net_config(u32 mtu, u64 caps)
{
	struct nvsp_w_message m = { .type = NVSP_NDIS_CONFIG, .ndis_config = { mtu, 0, caps } };

	net_push(VMBUS_PKT_DATA, 0, 0, 0, &m, sizeof(m));
}

void net_ndis(void)
{
	struct nvsp_w_message m = { .type = NVSP_NDIS_VERSION, .ndis_version = { 6, 30 } };

	net_push(VMBUS_PKT_DATA, 0, 0, 0, &m, sizeof(m));
}

u32 net_lend(u32 gpadl, const void *at, u32 bytes)
{
	static u64 words[1 + 1024];
	u32 offset = gpa(at) % PAGE, pages = (offset + bytes + PAGE - 1) / PAGE;

	words[0] = (u64)offset << 32 | bytes;
	for (u32 i = 0; i < pages; i++)
		words[1 + i] = gpa(at) / PAGE + i;
	vmbus_gpadl_post(chans[0].offer.relid, gpadl, 1, words, 1 + pages);
	expect(VMBUS_GPADL_CREATED);
	lent[gpadl == TX_GPADL] |= gpadl <= TX_GPADL && !in.created.status;
	return in.created.status;
}

void net_take(u32 gpadl)
{
	vmbus_teardown(chans[0].offer.relid, gpadl);
	lent[gpadl == TX_GPADL] &= gpadl > TX_GPADL;
}

u32 net_rx_buffer(u32 gpadl, u16 id)
{
	struct nvsp_w_message m = { .type = NVSP_RX_BUFFER, .buffer = { gpadl, id } };

	if (net_ask(&m, sizeof(m)) != NVSP_RX_BUFFER_COMPLETE)
		return 0;
	if (answer.rx_complete.status != NVSP_OK)
		return answer.rx_complete.status;
	is(answer.rx_complete.nr_sections, 1);
	is(answer.rx_complete.offset, 0);
	rx_parts = answer.rx_complete.nr_parts;
	rx_part_bytes = answer.rx_complete.section_bytes;
	is(answer.rx_complete.end_offset, rx_parts * rx_part_bytes);
	return NVSP_OK;
}

u32 net_tx_buffer(u32 gpadl)
{
	struct nvsp_w_message m = { .type = NVSP_TX_BUFFER, .buffer = { gpadl, 0 } };

	if (net_ask(&m, sizeof(m)) != NVSP_TX_BUFFER_COMPLETE)
		return 0;
	if (answer.tx_complete.status != NVSP_OK)
		return answer.tx_complete.status;
	tx_section_bytes = answer.tx_complete.section_bytes;
	tx_sections = min_t(u32, TX_BYTES / tx_section_bytes, ARRAY_SIZE(section_busy));
	memset(section_busy, 0, sizeof(section_busy));
	memset(section_of, 0, sizeof(section_of));
	return NVSP_OK;
}

void net_revoke(u32 type)
{
	struct nvsp_w_message m = { .type = type };

	m.revoke.id = type == NVSP_RX_REVOKE ? NVSP_RX_BUFFER_ID : 0;
	net_push(VMBUS_PKT_DATA, 0, 0, 0, &m, sizeof(m));
}

/* ---- RNDIS ---- */

bool net_control(const void *msg, u32 bytes, u32 how)
{
	struct nvsp_w_message m = {
		.type = NVSP_RNDIS, .rndis = { NVSP_CONTROL, NVSP_NO_SECTION, 0 },
	};
	static u8 copy[1200] __attribute__((aligned(2048)));
	u32 before = replies, half = how == BY_BOTH ? bytes / 2 : 0, words = 0;
	u64 id = ASKED | ++last_asked;

	if (how != BY_PAGES) {
		m.rndis.section = tx_sections - 1;
		m.rndis.section_bytes = half ?: bytes;
		memcpy(tx_memory + (tx_sections - 1) * tx_section_bytes, msg, half ?: bytes);
	}
	if (how != BY_SECTION) {
		memcpy(copy, msg, bytes);
		net_list_begin();
		words = net_list_add(copy + half, bytes - half);
	}
	if (!net_push(words ? VMBUS_PKT_GPA_DIRECT : VMBUS_PKT_DATA, VMBUS_PACKET_COMPLETION, id,
		      words, &m, sizeof(m)))
		return false;
	while (answered_id != id)
		if (!net_hear(by))
			return false;
	if (answer.type != NVSP_RNDIS_COMPLETE || answer.status != NVSP_OK)
		return false;
	while (replies == before)
		if (!net_hear(by))
			return false;
	return true;
}

static u32 last_request;

u32 rndis_init(void)
{
	struct rndis_w_init m = {
		.h = { RNDIS_INIT, sizeof(m) }, .request = ++last_request, .major = 1,
		.max_transfer = 0x4000,
	};
	const struct rndis_w_init_complete *r = (const void *)reply;

	if (!net_control(&m, sizeof(m), BY_PAGES))
		return ~0u;
	is(r->h.type, RNDIS_INIT | RNDIS_COMPLETE);
	is(r->request, last_request);
	return r->status;
}

/* it has no answer */
void rndis_halt(void)
{
	struct nvsp_w_message m = {
		.type = NVSP_RNDIS, .rndis = { NVSP_CONTROL, NVSP_NO_SECTION, 0 },
	};
	static struct rndis_w_init halt = { .h = { RNDIS_HALT, 12 } };

	net_list_begin();
	net_push(VMBUS_PKT_GPA_DIRECT, 0, 0, net_list_add(&halt, 12), &m, sizeof(m));
}

u32 rndis_query(u32 oid, void *out, u32 bytes)
{
	struct rndis_w_request m = {
		.h = { RNDIS_QUERY, sizeof(m) }, .request = ++last_request, .oid = oid,
	};
	const struct rndis_w_query_complete *r = (const void *)reply;

	if (!net_control(&m, sizeof(m), BY_PAGES))
		return ~0u;
	if (r->h.type != (RNDIS_QUERY | RNDIS_COMPLETE) || r->request != last_request)
		return ~1u;
	if (r->status)
		return r->status;
	if (!must(8 + r->offset + r->bytes <= r->h.bytes && r->bytes <= 1000, "an answer"))
		return ~2u;
	memcpy(out, reply + 8 + r->offset, min_t(u32, bytes, r->bytes));
	return 0;
}

static u32 set_by(u32 oid, const void *in, u32 bytes, u32 how)
{
	struct {
		struct rndis_w_request m;
		u8 in[900];
	} __attribute__((packed)) m = {
		.m = {
			.h = { RNDIS_SET, sizeof(m.m) + bytes }, .request = ++last_request, .oid = oid,
			.bytes = bytes, .offset = sizeof(m.m) - 8,
		},
	};
	const struct rndis_w_complete *r = (const void *)reply;

	memcpy(m.in, in, bytes);
	if (!net_control(&m, sizeof(m.m) + bytes, how))
		return ~0u;
	if (r->h.type != (RNDIS_SET | RNDIS_COMPLETE) || r->request != last_request)
		return ~1u;
	return r->status;
}

u32 rndis_set(u32 oid, const void *in, u32 bytes)
{
	static u32 how;

	return set_by(oid, in, bytes, tx_sections ? how++ % 3 : BY_PAGES);
}

u32 set_filter(u32 filter)
{
	return rndis_set(OID_FILTER, &filter, sizeof(filter));
}

/* struct ndis_offload_params of Linux: 1 off, 2 on; of checksums: 2 those of ours, 4 all */
u32 set_offloads(bool csum, bool rsc)
{
	u8 params[28] = { 0x80, 3, 28, 0 };

	memset(params + 4, csum ? 4 : 2, 5);
	params[11] = 2;
	params[12] = 2;
	params[22] = rsc ? 2 : 1;
	params[23] = rsc ? 2 : 1;
	return rndis_set(OID_OFFLOAD, params, sizeof(params));
}

/* struct ndis_recv_scale_param of Linux, a key and a table */
u32 set_table(const u32 *table, u32 nr)
{
	struct {
		u8 type, revision;
		u16 size, flags, base_cpu;
		u32 hash;
		u16 table_bytes, pad;
		u32 table_offset;
		u16 key_bytes, pad2;
		u32 key_offset, mask_offset, masks, mask_bytes;
		u32 table[128];
		u8 key[40];
	} __attribute__((packed)) p = {
		.type = 0x89, .revision = 2, .size = 44, .hash = 0x1 | 0x100 | 0x200,
		.table_bytes = nr * 4, .table_offset = 44, .key_bytes = 40,
		.key_offset = 44 + 512,
	};

	p.size = offsetof(typeof(p), table);
	p.table_offset = offsetof(typeof(p), table);
	p.key_offset = offsetof(typeof(p), key);
	memcpy(p.table, table, nr * 4);
	for (u32 i = 0; i < sizeof(p.key); i++)
		p.key[i] = i * 37 + 1;
	return rndis_set(OID_RSS_PARAMS, &p, sizeof(p));
}

/* ---- all of it ---- */

void net_open(void)
{
	const struct vmbus_w_offer offer = chans[0].offer;

	is(channel_open(&chans[0], &offer, ring_memory[0], 16, 8), 0);
	is_open[0] = true;
	by = &chans[0];
}

void net_begin(void)
{
	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	command(G_CMD_OFFER, G_CHANNEL_NET, 0, 0);
	is(host->result, 0);
	expect(VMBUS_OFFER);
	chans[0].offer = in.offer;
	net_open();
}

void net_up_with(u32 mtu, void *rx, u32 bytes)
{
	check(net_init(NVSP_VERSION_61, NVSP_VERSION_61));
	net_config(mtu + 14, NVSP_CAP_8021Q | NVSP_CAP_RSC);
	net_ndis();
	rx_at = rx;
	rx_bytes = bytes;
	is(net_lend(RX_GPADL, rx, bytes), 0);
	is(net_rx_buffer(RX_GPADL, NVSP_RX_BUFFER_ID), NVSP_OK);
	is(net_lend(TX_GPADL, tx_memory, TX_BYTES), 0);
	is(net_tx_buffer(TX_GPADL), NVSP_OK);
	is(rndis_init(), RNDIS_SUCCESS);
	is(set_offloads(true, true), RNDIS_SUCCESS);
	is(set_filter(DIRECTED | BROADCAST), RNDIS_SUCCESS);
}

void net_up(void)
{
	forget_sent();
	net_up_with(G_NET_MTU, rx_memory, RX_BYTES);
}

void open_subs(u32 nr)
{
	struct nvsp_w_message m = { .type = NVSP_SUBS, .subs = { NVSP_SUBS_ALLOCATE, nr } };
	struct vmbus_w_offer offer[SUBS];

	is(net_ask(&m, sizeof(m)), NVSP_SUBS);
	is(answer.subs.op, NVSP_OK);
	is(answer.subs.count, nr);
	for (u32 i = 0; i < nr; i++) {
		expect(VMBUS_OFFER);
		offer[i] = in.offer;
		is(offer[i].sub_index, i + 1);
		check(!memcmp(&offer[i].instance, &chans[0].offer.instance, 16));
	}
	for (u32 i = 0; i < nr; i++) {
		is(channel_open(&chans[1 + i], &offer[i], ring_memory[1] + i * 24 * PAGE, 16, 8), 0);
		is_open[1 + i] = true;
	}
}

static void lose_buffers(void)
{
	for (u32 i = 0; i < 2; i++)
		if (lent[i])
			net_take(RX_GPADL + i);
	rx_parts = 0;
	tx_sections = 0;
}

void net_forget(void)
{
	memset(lent, 0, sizeof(lent));
	memset(is_open, 0, sizeof(is_open));
	keeps = false;
	nr_kept = 0;
	rx_parts = 0;
	tx_sections = 0;
}

void net_close(void)
{
	channel_close(&chans[0]);
	is_open[0] = false;
	keeps = false;
	nr_kept = 0;
	lose_buffers();
}

/* the primary channel; the host takes the others back */
void close_all(void)
{
	struct vmbus_w_relid m = { .h.type = VMBUS_CLOSE, .relid = chans[0].offer.relid };

	vmbus_post(&m, sizeof(m));
	m.h.type = VMBUS_RELID_RELEASED;
	for (u32 i = 0; i < SUBS; i++) {
		expect(VMBUS_RESCIND);
		m.relid = in.relid.relid;
		vmbus_post(&m, sizeof(m));
		is_open[1 + i] = false;
	}
	vmbus_teardown(chans[0].offer.relid, chans[0].gpadl);
	is_open[0] = false;
	keeps = false;
	nr_kept = 0;
	lose_buffers();
}

void net_end(void)
{
	if (net_wrong)
		is_(net_wrong, 0, "nothing was wrong");
	is_(far_do(G_NET_REFUSED, 0, 0), 0, "all could be given back");
	if (is_open[0])
		net_close();
	command(G_CMD_REVOKE, G_CHANNEL_NET, 0, 0);
	expect(VMBUS_RESCIND);
	vmbus_unload();
}

/* ---- frames ---- */

static u32 put_info(u8 *at, u32 type, u32 value)
{
	const struct rndis_w_info info = { 16, type, 12 };

	memcpy(at, &info, sizeof(info));
	memcpy(at + sizeof(info), &value, 4);
	return 16;
}

u32 net_head(u8 *at, u32 bytes, const struct beside *b)
{
	struct rndis_w_packet p = { .h.type = RNDIS_PACKET, .data_bytes = bytes };
	u32 n = sizeof(p);

	if (b && b->has_csum)
		n += put_info(at + n, RNDIS_INFO_CHECKSUM, b->csum);
	if (b && b->has_lso)
		n += put_info(at + n, RNDIS_INFO_LSO, b->lso);
	if (b && b->has_vlan)
		n += put_info(at + n, RNDIS_INFO_VLAN, b->vlan);
	p.info_bytes = n - sizeof(p);
	p.info_offset = p.info_bytes ? sizeof(p) - 8 : 0;
	p.data_offset = n - 8;
	p.h.bytes = n + bytes;
	memcpy(at, &p, sizeof(p));
	return n;
}

/* one that nobody uses; the last one is that of control messages */
static u32 free_section(void)
{
	for (u32 tries = 0; tries < 500; tries++) {
		for (u32 i = 0; i + 1 < tx_sections; i++)
			if (!section_busy[i])
				return i;
		net_drain();
		nap(1);
	}
	must(false, "a section is free at last");
	return 0;
}

u32 send_frame(const u8 *at, u32 bytes, u32 how, const struct beside *b)
{
	struct nvsp_w_message m = {
		.type = NVSP_RNDIS, .rndis = { NVSP_DATA, NVSP_NO_SECTION, 0 },
	};
	u32 id = next_id, words = 0, section, n;
	u8 *head = heads[id % ARRAY_SIZE(heads)];

	if (id >= TX_IDS)
		return ~0u;
	net_list_begin();
	if (how == BY_PAGES) {
		n = net_head(head, bytes, b);
		net_list_add(head, n);
	} else {
		section = free_section();
		section_busy[section] = 1;
		section_of[id] = section + 1;
		head = tx_memory + section * tx_section_bytes;
		n = net_head(head, bytes, b);
		m.rndis.section = section;
		m.rndis.section_bytes = n;
	}
	if (how == BY_SECTION) {
		memcpy(head + n, at, bytes);
		m.rndis.section_bytes += bytes;
	} else {
		words = net_list_add(at, bytes);
	}
	if (!net_push(words ? VMBUS_PKT_GPA_DIRECT : VMBUS_PKT_DATA, VMBUS_PACKET_COMPLETION, id,
		      words, &m, sizeof(m)))
		return ~0u;
	next_id++;
	return id;
}

void forget_sent(void)
{
	next_id = 0;
	tx_answers = 0;
	tx_bad = 0;
	memset(tx_done, 0, sizeof(tx_done));
	frames = 0;
	frame.coalesced = false;
}

#define LONGEST		300	/* naps in which nothing comes */

bool all_done(void)
{
	for (u32 i = 0; i < LONGEST && tx_answers < next_id; i++) {
		u32 before = tx_answers;

		net_drain();
		if (tx_answers != before)
			i = 0;
		else
			nap(1);
	}
	return tx_answers == next_id;
}

bool wait_frames(u32 nr)
{
	for (u32 i = 0; i < LONGEST && frames < nr; i++) {
		u32 before = frames;

		net_drain();
		if (frames != before)
			i = 0;
		else
			nap(1);
	}
	return frames >= nr;
}

/* words that repeat late */
static u8 pattern[4096 + 65536] __attribute__((aligned(8)));

static void make_pattern(void)
{
	u64 word = 0x9e3779b97f4a7c15ull;

	for (u32 i = 0; i < sizeof(pattern); i += 8) {
		word ^= word << 13;
		word ^= word >> 7;
		word ^= word << 17;
		memcpy(pattern + i, &word, 8);
	}
}

void make_frame(u8 *at, u32 number, u32 bytes)
{
	u8 head[18] = { [12] = 0x88, [13] = 0xb5 };
	u32 n = min_t(u32, bytes, sizeof(head));

	if (!pattern[0])
		make_pattern();
	memcpy(head, far_mac, 6);
	memcpy(head + 6, my_mac, 6);
	memcpy(head + 14, &number, 4);
	memcpy(at, head, n);
	memcpy(at + n, pattern + number * 8 % 4096, bytes - n);
}

u32 number_of(const u8 *at)
{
	u32 number;

	memcpy(&number, at + 14, 4);
	return number;
}

bool is_frame(u32 number, u32 bytes)
{
	u32 n = min_t(u32, bytes, 18);

	return frame.bytes == bytes && !memcmp(frame.data, my_mac, 6) &&
	       !memcmp(frame.data + 6, far_mac, 6) && frame.data[12] == 0x88 &&
	       frame.data[13] == 0xb5 && (bytes < 18 || number_of(frame.data) == number) &&
	       !memcmp(frame.data + n, pattern + number * 8 % 4096, bytes - n);
}

/* ---- the far side ---- */

s64 far_do(u32 what, u64 a1, u64 a2)
{
	command(G_CMD_NET, what, a1, a2);
	return host->result;
}

s64 far_write(const struct ovid_frame *head, const void *at)
{
	static u8 room[sizeof(*head) + 65600] __attribute__((aligned(8)));
	u32 padded = (head->bytes + 7) / 8 * 8;

	memset(room + sizeof(*head) + padded - 8, 0, 8);
	memcpy(room, head, sizeof(*head));
	memcpy(room + sizeof(*head), at, head->bytes);
	return far_do(G_NET_WRITE, gpa(room), sizeof(*head) + padded);
}

struct ovid_net_info *far_info(void)
{
	static struct ovid_net_info info;

	is(far_do(G_NET_INFO, gpa(&info), 0), 0);
	return &info;
}
