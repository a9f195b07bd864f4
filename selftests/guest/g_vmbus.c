// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_vmbus.c - VMBus by an honest guest: contact, offers, GPADLs, channels, packets, and
 * how all of them end.
 */
#include "vmbus.h"

static u8 data[64 * PAGE] __attribute__((aligned(4096)));

static void fill(void)
{
	u32 state = 1;

	for (u32 i = 0; i < sizeof(data); i++) {
		state = state * 1103515245 + 12345;
		data[i] = state >> 16;
	}
}

static void open_both(struct channel *echo, struct channel *user, u32 pages)
{
	is(channel_open(echo, vmbus_find(G_CHANNEL_ECHO), ring_memory[0], pages, pages), 0);
	is(channel_open(user, vmbus_find(G_CHANNEL_USER), ring_memory[1], pages, pages), 0);
}

/* ---- contact ---- */

static const u32 versions[] = {
	VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V3_0, VMBUS_V4_0, VMBUS_V4_1, VMBUS_V5_0,
	VMBUS_V5_1, VMBUS_V5_2, VMBUS_V5_3, VMBUS_V6_0,
};

/* contact with each version, and a packet through both channels by it */
CASE(bus_versions, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct channel echo, user;

	vmbus_begin();
	fill();
	for (u32 i = 0; i < ARRAY_SIZE(versions); i++) {
		is(vmbus_connect(versions[i]), 2);
		open_both(&echo, &user, 4);
		check(channel_echo(&echo, 0, i, data, 100));
		check(channel_echo(&user, 0, i, data, 100));
		check(channel_echo(&echo, VMBUS_PACKET_COMPLETION, i, data, 100));
		channel_close(&echo);
		channel_close(&user);
		vmbus_unload();
	}
}

/* what no host has ever spoken, and what is newer than what we know: an answer, and no more */
CASE(bus_unknown_versions, G_OVID_ONLY | G_VMBUS, 1)
{
	static const u32 unknown[] = {
		0, 1, VMBUS_VERSION(0, 12), VMBUS_VERSION(1, 0), VMBUS_VERSION(2, 0),
		VMBUS_VERSION(3, 1), VMBUS_VERSION(5, 4), VMBUS_VERSION(6, 1),
		VMBUS_VERSION(7, 0), ~0u,
	};

	vmbus_begin();
	for (u32 i = 0; i < ARRAY_SIZE(unknown); i++)
		check(!vmbus_contact(unknown[i]));
	is(vmbus_connect(VMBUS_V5_3), 2);
}

/* ---- offers ---- */

static void check_offer(const struct vmbus_w_offer *o)
{
	is(o->dedicated_interrupt, 1);
	is(o->connection_id, VMBUS_CONN_CHANNEL(o->relid));
	is(o->sub_index, 0);
	is(o->monitor_allocated, 0);
	check(o->relid && o->relid < 2048);
}

CASE(bus_offers, G_OVID_ONLY | G_VMBUS, 1)
{
	struct vmbus_w_offer before;
	struct vmbus_w_guid instance;

	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	check_offer(vmbus_find(G_CHANNEL_ECHO));
	check_offer(vmbus_find(G_CHANNEL_USER));
	check(vmbus_find(G_CHANNEL_ECHO)->relid != vmbus_find(G_CHANNEL_USER)->relid);
	memset(&instance, G_USER_INSTANCE, sizeof(instance));
	check(!memcmp(&vmbus_find(G_CHANNEL_USER)->instance, &instance, sizeof(instance)));
	before = *vmbus_find(G_CHANNEL_ECHO);
	vmbus_unload();
	is(vmbus_connect(VMBUS_V5_3), 2);
	check(!memcmp(&before, vmbus_find(G_CHANNEL_ECHO), sizeof(before)));
}

/* ---- messages that are wrong ---- */

CASE(bus_connections, G_OVID_ONLY | G_VMBUS, 1)
{
	struct vmbus_w_initiate_contact m = {
		.h.type = VMBUS_INITIATE_CONTACT, .version = VMBUS_V5_3, .sint = VMBUS_SINT,
	};
	struct vmbus_w_header ask = { .type = VMBUS_REQUEST_OFFERS };

	vmbus_begin();
	is(vmbus_post_to(3, &m, sizeof(m)), NO_CONNECTION);
	is(vmbus_post_to(5, &m, sizeof(m)), NO_CONNECTION);
	is(vmbus_post_to(VMBUS_CONN_EVENT, &m, sizeof(m)), NO_CONNECTION);
	is(vmbus_post_to(VMBUS_CONN_LEGACY, &m, sizeof(m)), SUCCESS);
	vmbus_quiet();
	m.version = VMBUS_V4_1;
	m.interrupt_page = 0;
	is(vmbus_post_to(VMBUS_CONN_MESSAGE, &m, sizeof(m)), SUCCESS);
	vmbus_quiet();

	/* the second id is not there for versions before 5.0, the first is for all */
	check(vmbus_contact(VMBUS_V4_1));
	is(vmbus_post_to(VMBUS_CONN_MESSAGE, &ask, sizeof(ask)), SUCCESS);
	vmbus_quiet();
	is(vmbus_offers(), 2);
	check(vmbus_contact(VMBUS_V5_0));
	vmbus_connection = VMBUS_CONN_LEGACY;
	is(vmbus_offers(), 2);
	is(STATUS(vmcall(CALL_SIGNAL_EVENT | FAST, offers[0].connection_id, 0)), NO_CONNECTION);
	is(STATUS(vmcall(CALL_SIGNAL_EVENT | FAST, VMBUS_CONN_EVENT | 1ull << 32, 0)),
	   INVALID_PARAMETER);
}

/* one byte less than it has to have */
CASE(bus_short_messages, G_OVID_ONLY | G_VMBUS, 1)
{
	static const u8 bytes[] = {
		[VMBUS_REQUEST_OFFERS] = 8, [VMBUS_OPEN] = 148, [VMBUS_CLOSE] = 12,
		[VMBUS_GPADL_HEADER] = 20, [VMBUS_GPADL_BODY] = 16, [VMBUS_GPADL_TEARDOWN] = 16,
		[VMBUS_RELID_RELEASED] = 12, [VMBUS_INITIATE_CONTACT] = 40, [VMBUS_UNLOAD] = 8,
		[VMBUS_TL_CONNECT] = 40, [VMBUS_MODIFY] = 16, [VMBUS_MODIFY_CONN] = 24,
	};
	u32 m[60] = {};

	vmbus_begin();
	is(vmbus_connect(VMBUS_V6_0), 2);
	for (u32 type = 0; type < 48; type++) {
		m[0] = type < 40 ? type : 1u << (type - 32);
		vmbus_post(m, type < ARRAY_SIZE(bytes) && bytes[type] ? bytes[type] - 1u :
									 VMBUS_MSG_BYTES);
		vmbus_quiet();
	}
	m[0] = ~0u;
	vmbus_post(m, VMBUS_MSG_BYTES);
	vmbus_post(m, 0);
	vmbus_quiet();
}

/* @c to its connection: the state that is answered; -1: not supported; -2: no answer */
static int contact_with(struct vmbus_w_initiate_contact2 *c, u32 bytes)
{
	u32 connection = c->c.version >= VMBUS_V5_0 ? VMBUS_CONN_MESSAGE : VMBUS_CONN_LEGACY;

	c->c.h.type = VMBUS_INITIATE_CONTACT;
	is(vmbus_post_to(connection, c, bytes), SUCCESS);
	if (vmbus_receive() != VMBUS_VERSION_RESPONSE)
		return -2;
	vmbus_version = in.version.supported ? c->c.version : 0;
	vmbus_connection = connection;
	return in.version.supported ? in.version.state : -1;
}

CASE(bus_contact_rules, G_OVID_ONLY | G_VMBUS, 1)
{
	struct message *other = (struct message *)synics[0].messages[3];
	struct vmbus_w_initiate_contact2 c = { .c.version = VMBUS_V5_3, .c.sint = VMBUS_SINT };
	u32 all = sizeof(c.c);

	vmbus_begin();
	is_(contact_with(&c, all), 0, "without monitor pages");
	c.c.monitor_page1 = gpa(data);
	is_(contact_with(&c, all), VMBUS_CONN_FAILED, "with one of them");
	c.c.monitor_page2 = gpa(data) + 8;
	is_(contact_with(&c, all), VMBUS_CONN_FAILED, "with one that is no page");
	c.c.monitor_page2 = gpa(data) + PAGE;
	is_(contact_with(&c, all), 0, "with both");
	c.c.vtl = 1;
	is_(contact_with(&c, all), -1, "another level's server");
	c.c.vtl = 0;
	c.c.target_vp = 1;
	is(vmbus_post_to(VMBUS_CONN_MESSAGE, &c, all), SUCCESS);
	vmbus_version = 0;
	vmbus_quiet();
	c.c.target_vp = 0;
	c.c.sint = 3;
	is(vmbus_post_to(VMBUS_CONN_MESSAGE, &c, all), SUCCESS);
	check(await(other->type == VMBUS_MESSAGE_TYPE));
	is_(other->payload[1] & 0xff, 0, "another SINT is not supported, that one is told so");
	other->type = 0;
	c.c.sint = VMBUS_SINT;
	c.c.version = VMBUS_V2_4;
	c.c.interrupt_page = 0;
	c.c.target_vp = 7;
	is_(contact_with(&c, all), 0, "before 3.0 the VP means nothing");
}

static u32 modify_connection(u64 page1, u64 page2)
{
	struct vmbus_w_modify_conn m = {
		.h.type = VMBUS_MODIFY_CONN, .monitor_page1 = page1, .monitor_page2 = page2,
	};

	vmbus_post(&m, sizeof(m));
	expect(VMBUS_MODIFY_CONN_RESPONSE);
	is(in_bytes, 9);
	return in.conn.state;
}

CASE(bus_features, G_OVID_ONLY | G_VMBUS, 1)
{
	struct vmbus_w_initiate_contact2 c = { .c.version = VMBUS_V6_0, .c.sint = VMBUS_SINT };
	struct vmbus_w_modify_conn m = { .h.type = VMBUS_MODIFY_CONN };

	vmbus_begin();
	c.c.features = ~0u;
	is(contact_with(&c, sizeof(c)), 0);
	is(in.version.features, VMBUS_FEATURE_MODIFY_CONN | VMBUS_FEATURE_CLIENT_ID);
	is(modify_connection(0, 0), VMBUS_CONN_OK);
	is(modify_connection(gpa(data), 0), VMBUS_CONN_FAILED);
	is(modify_connection(gpa(data), gpa(data) + PAGE), VMBUS_CONN_OK);
	is_(contact_with(&c, sizeof(c.c)), 0, "a client that does not say who it is");
	is(in.version.features, VMBUS_FEATURE_MODIFY_CONN);
	c.c.features = 0;
	is(contact_with(&c, sizeof(c)), 0);
	is(in.version.features, 0);
	vmbus_post(&m, sizeof(m));
	vmbus_quiet();
}

CASE(bus_sockets, G_OVID_ONLY | G_VMBUS, 1)
{
	struct vmbus_w_tl_connect m = { .h.type = VMBUS_TL_CONNECT, .endpoint = { { 1 } } };

	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	vmbus_post(&m, sizeof(m));
	expect(VMBUS_TL_RESULT);
	is(in.tl.status, VMBUS_STATUS_REFUSED);
	is(in.tl.endpoint.b[0], 1);
	is(vmbus_connect(VMBUS_V4_0), 2);
	vmbus_post(&m, sizeof(m));
	vmbus_quiet();
}

/* an offer comes of a socket of this service and endpoint; bytes go through it */
static struct vmbus_w_offer socket_offered(u8 service, u8 endpoint, u8 from_host)
{
	struct vmbus_w_offer offer;
	struct channel c;
	bool good = true;

	expect(VMBUS_OFFER);
	offer = in.offer;
	is(offer.type.b[0], service);
	is(offer.instance.b[0], endpoint);
	is(offer.flags, VMBUS_OFFER_TLNPI | VMBUS_OFFER_NAMED_PIPE);
	is(*(u32 *)offer.user, VMBUS_PIPE_BYTE);
	is(offer.user[4], from_host);
	is(channel_open(&c, &offer, ring_memory[0], 6, 6), 0);
	for (u32 n = 0; good && n < 200; n++)
		good = channel_echo(&c, n & 1, n, data + n, n * 37);
	check(good);
	return offer;
}

static void connect_to(u8 service, u8 endpoint)
{
	struct vmbus_w_tl_connect m = {
		.h.type = VMBUS_TL_CONNECT, .endpoint = { { endpoint } },
		.service = { { service } },
	};

	vmbus_post(&m, sizeof(m));
}

CASE(bus_socket_channels, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct vmbus_w_relid m = { .h.type = VMBUS_RELID_RELEASED };
	u32 last = 0;

	vmbus_begin();
	fill();
	command(G_CMD_OFFER, G_CHANNEL_SOCKET, 0, 0);
	is(host->result, -ENOTCONN);
	is(vmbus_connect(VMBUS_V5_3), 2);
	for (u32 i = 0; i < 5; i++) {
		connect_to(1 + i, 10);
		if (last) {
			/* the one before goes first */
			expect(VMBUS_RESCIND);
			is(in.relid.relid, last);
			m.relid = last;
			vmbus_post(&m, sizeof(m));
		}
		last = socket_offered(1 + i, 10, 0).relid;
	}
	command(G_CMD_REVOKE, G_CHANNEL_SOCKET, 0, 0);
	is(host->result, 0);
	expect(VMBUS_RESCIND);
	is(in.relid.relid, last);
	command(G_CMD_OFFER, G_CHANNEL_SOCKET, 0, 0);
	is(host->result, 0);
	socket_offered(G_SOCKET_TYPE, G_SOCKET_TYPE + 1, 1);
	/* open as it is: the next connection has nothing of it */
	is(vmbus_connect(VMBUS_V4_0), 2);
	command(G_CMD_REVOKE, G_CHANNEL_SOCKET, 0, 0);
	is(host->result, 0);
	vmbus_quiet();
	connect_to(3, 4);
	socket_offered(3, 4, 0);
	vmbus_unload();
	is(vmbus_connect(VMBUS_V3_0), 2);
	connect_to(3, 4);		/* there were no sockets then */
	vmbus_quiet();
	command(G_CMD_REVOKE, G_CHANNEL_SOCKET, 0, 0);
	command(G_CMD_OFFER, G_CHANNEL_SOCKET, 0, 0);
	is(host->result, -ENOTCONN);
}

/* ---- GPADLs ---- */

#define NOWHERE	0x3000000ul	/* above memory, below devices */

/* of words for its ranges: its status */
static u32 gpadl_of(u32 relid, u32 gpadl, u32 ranges, const u64 *words, u32 nr)
{
	vmbus_gpadl_post(relid, gpadl, ranges, words, nr);
	expect(VMBUS_GPADL_CREATED);
	is(in.created.relid, relid);
	is(in.created.gpadl, gpadl);
	return in.created.status;
}

static u32 gpadl_at(u32 relid, u64 at)
{
	u64 words[] = { PAGE, at / PAGE };

	return gpadl_of(relid, 99, 1, words, 2);
}

CASE(bus_gpadls, G_OVID_ONLY | G_VMBUS, 1)
{
	static const u32 pages[] = { 1, 2, 25, 26, 53, 54, 300 };
	u32 relid;

	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	relid = offers[0].relid;
	for (u32 i = 0; i < ARRAY_SIZE(pages); i++)
		is(vmbus_gpadl(relid, 10 + i, (void *)0x1000000, pages[i]), 0);
	for (u32 i = ARRAY_SIZE(pages); i; i--)
		vmbus_teardown(relid, 9 + i);
	is_(vmbus_gpadl(relid, 10, data, 4), 0, "an id may be used again");
	check(vmbus_gpadl(relid, 10, data, 4));
	check(vmbus_gpadl(2047, 11, data, 4));
	check(vmbus_gpadl(~0u, 11, data, 4));
	check(vmbus_gpadl(0, 11, data, 4));
	vmbus_teardown(relid, 10);
}

CASE(bus_gpadl_memory, G_OVID_ONLY | G_VMBUS, 1)
{
	u64 mixed[] = { 3 * PAGE, gpa(data) / PAGE, NOWHERE / PAGE, gpa(data) / PAGE };
	u32 relid;

	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	relid = offers[0].relid;
	check(gpadl_at(relid, NOWHERE));
	check(gpadl_at(relid, G_RAM));
	is(gpadl_at(relid, G_RAM - PAGE), 0);
	vmbus_teardown(relid, 99);
	check(gpadl_at(relid, G_ROM));
	check(gpadl_at(relid, G_MMIO));
	check(gpadl_at(relid, 0xfee00000));
	check(gpadl_at(relid, 1ull << 51));
	check(gpadl_at(relid, ~0ull));
	check(gpadl_at(relid, gpa(synics[0].messages)));
	check(gpadl_at(relid, gpa(synics[0].flags)));
	check(gpadl_at(relid, rdmsr(MSR_HYPERCALL) & ~0xfffull));
	check(gpadl_of(relid, 99, 1, mixed, 4));
	is_(gpadl_at(relid, gpa(data)), 0, "none of them has taken the id");
	vmbus_teardown(relid, 99);
}

#define RANGE(bytes, offset)	((u64)(bytes) | (u64)(offset) << 32)

CASE(bus_gpadl_ranges, G_OVID_ONLY | G_VMBUS, 1)
{
	u64 p = gpa(data) / PAGE;
	u64 two[] = { RANGE(2 * PAGE, 0), p, p + 1, RANGE(2 * PAGE, 0), p + 2, p + 3 };
	u64 shifted[] = { RANGE(3 * PAGE, 8), p, p + 1, p + 2, p + 3 };
	u64 odd[] = { RANGE(4 * PAGE - 8, 0), p, p + 1, p + 2, p + 3 };
	u64 empty[] = { RANGE(0, 0), p };
	u64 far[] = { RANGE(PAGE, PAGE), p, p + 1 };
	u64 huge[] = { RANGE(~0u, 0), p, p + 1 };
	struct channel c = {};
	u32 relid;

	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	c.offer = offers[0];
	relid = c.offer.relid;
	is(gpadl_of(relid, 1, 2, two, ARRAY_SIZE(two)), 0);
	is(gpadl_of(relid, 2, 1, shifted, ARRAY_SIZE(shifted)), 0);
	is(gpadl_of(relid, 3, 1, odd, ARRAY_SIZE(odd)), 0);
	for (u32 i = 1; i <= 3; i++) {
		is_(!!channel_post_open(&c, i, 0, 2, 0), 1, "no ring of several ranges, or parts of pages");
		vmbus_teardown(relid, i);
	}
	check(gpadl_of(relid, 4, 1, empty, ARRAY_SIZE(empty)));
	check(gpadl_of(relid, 4, 1, far, ARRAY_SIZE(far)));
	check(gpadl_of(relid, 4, 1, huge, ARRAY_SIZE(huge)));
	check(gpadl_of(relid, 4, 2, shifted, ARRAY_SIZE(shifted)));
	check(gpadl_of(relid, 4, 3, two, ARRAY_SIZE(two)));
	check(gpadl_of(relid, 4, 0, two, ARRAY_SIZE(two)));
	check(gpadl_of(relid, 4, 0xffff, two, ARRAY_SIZE(two)));
	check(gpadl_of(relid, 4, 1, two, 1));
	check(gpadl_of(relid, 4, 1, two, 0));
	is_(gpadl_of(relid, 4, 1, two, ARRAY_SIZE(two)), 0, "what is behind the last range is ignored");
}

/* two at a time, their messages mixed, of full length, with any numbers */
CASE(bus_gpadl_mixed, G_OVID_ONLY | G_VMBUS, 1)
{
	struct {
		struct vmbus_w_gpadl_header h;
		u64 words[26];
	} __attribute__((packed)) head = { .h = { .h.type = VMBUS_GPADL_HEADER } };
	struct {
		struct vmbus_w_gpadl_body h;
		u64 words[28];
	} body = { .h.h.type = VMBUS_GPADL_BODY };
	struct vmbus_w_gpadl_teardown none = { .h.type = VMBUS_GPADL_TEARDOWN };

	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	head.h.relid = offers[0].relid;
	head.h.range_count = 1;
	head.h.range_bytes = 41 * 8;
	head.words[0] = RANGE(40 * PAGE, 0);
	for (u32 i = 0; i < 28; i++)
		body.words[i] = gpa(data) / PAGE + i;
	memcpy(head.words + 1, body.words, 25 * 8);
	for (u32 i = 0; i < 2; i++) {
		head.h.gpadl = 20 + i;
		vmbus_post(&head, sizeof(head));
	}
	body.h.gpadl = 22;		/* nobody's */
	vmbus_post(&body, sizeof(body));
	vmbus_quiet();
	for (u32 i = 2; i; i--) {
		body.h.gpadl = 19 + i;
		body.h.number = 77;
		vmbus_post(&body, sizeof(body));
		expect(VMBUS_GPADL_CREATED);
		is(in.created.gpadl, 19 + i);
		is(in.created.status, 0);
	}
	vmbus_post(&body, sizeof(body));	/* it is complete */
	none.relid = head.h.relid;
	none.gpadl = 22;
	vmbus_post(&none, sizeof(none));
	none.relid = offers[1].relid;
	none.gpadl = 20;
	vmbus_post(&none, sizeof(none));
	vmbus_quiet();
	vmbus_teardown(head.h.relid, 20);
	/* one that is half there can go as well */
	head.h.gpadl = 20;
	vmbus_post(&head, sizeof(head));
	vmbus_teardown(head.h.relid, 20);
	vmbus_teardown(head.h.relid, 21);
}

/* ---- open and close ---- */

CASE(bus_open_rules, G_OVID_ONLY | G_VMBUS, 1)
{
	struct channel c = {}, d = {};

	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	c.offer = *vmbus_find(G_CHANNEL_ECHO);
	d.offer = *vmbus_find(G_CHANNEL_USER);
	is(vmbus_gpadl(c.offer.relid, 5, ring_memory[0], 6), 0);
	is(vmbus_gpadl(d.offer.relid, 6, ring_memory[1], 6), 0);
	check(channel_post_open(&c, 4, 0, 3, 0));
	check(channel_post_open(&c, 6, 0, 3, 0));
	check(channel_post_open(&c, 5, 0, 0, 0));
	check(channel_post_open(&c, 5, 0, 1, 0));
	check(channel_post_open(&c, 5, 0, 5, 0));
	check(channel_post_open(&c, 5, 0, 6, 0));
	check(channel_post_open(&c, 5, 0, ~0u, 0));
	check(channel_post_open(&c, 5, 1, 3, 0));
	check(channel_post_open(&d, 6, 0, 3, G_USER_REFUSE));
	check(channel_post_open(&d, 6, 0, 3, G_USER_REFUSE));
	is(channel_post_open(&d, 6, 0, 3, 0), 0);
	is(channel_post_open(&c, 5, VMBUS_VP_NONE, 2, 0), 0);
	check(channel_post_open(&c, 5, 0, 3, 0));
	check(channel_post_open(&d, 6, 0, 3, 0));
	c.gpadl = 5;
	d.gpadl = 6;
	channel_close(&c);
	channel_close(&d);
}

CASE(bus_reopen, G_OVID_ONLY | G_VMBUS, 1)
{
	struct vmbus_w_gpadl_teardown down = { .h.type = VMBUS_GPADL_TEARDOWN };
	struct vmbus_w_relid shut = { .h.type = VMBUS_CLOSE };
	struct channel echo, user;

	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	for (u32 i = 0; i < 10; i++) {
		open_both(&echo, &user, 2 + i);
		check(channel_echo(&echo, 0, i, data, 1000));
		check(channel_echo(&user, 0, i, data, 1000));
		channel_close(&echo);
		channel_close(&user);
	}
	is(STATUS(vmcall(CALL_SIGNAL_EVENT | FAST, echo.offer.connection_id, 0)), NO_CONNECTION);
	is(STATUS(vmcall(CALL_SIGNAL_EVENT | FAST, user.offer.connection_id, 0)), NO_CONNECTION);
	shut.relid = echo.offer.relid;
	vmbus_post(&shut, sizeof(shut));
	shut.relid = 2047;
	vmbus_post(&shut, sizeof(shut));
	vmbus_quiet();

	/* the same ring again, without a word of its GPADL */
	open_both(&echo, &user, 4);
	for (u32 i = 0; i < 5; i++) {
		shut.relid = user.offer.relid;
		vmbus_post(&shut, sizeof(shut));
		is(channel_post_open(&user, user.gpadl, 0, 4, 0), 0);
		check(channel_echo(&user, 0, i, data, 1000));
	}

	/* a ring's GPADL goes when its channel is closed, and not before */
	down.relid = echo.offer.relid;
	down.gpadl = echo.gpadl;
	vmbus_post(&down, sizeof(down));
	vmbus_quiet();
	check(channel_echo(&echo, 0, 1, data, 1000));
	shut.relid = echo.offer.relid;
	vmbus_post(&shut, sizeof(shut));
	expect(VMBUS_GPADL_TORNDOWN);
	is(in.torndown.gpadl, echo.gpadl);
}

/* ---- packets ---- */

/* rings of one page of data: each size there is, and the end of the ring at each place */
CASE(bus_sizes, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct channel echo, user;
	u32 limit = PAGE - 32;		/* a ring is never full, and 24 bytes are not payload */
	bool good = true;

	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	open_both(&echo, &user, 2);
	for (u32 n = 0; good && n <= limit; n += n < 64 ? 1 : 24) {
		good = channel_echo(&echo, n & 1, n, data + n, n) &&
		       channel_echo(&user, n & 1, n, data + n, n);
	}
	for (u32 n = limit - 16; good && n <= limit; n++)
		good = channel_echo(&echo, 1, n, data, n) && channel_echo(&user, 1, n, data, n);
	check(good);
	check(!channel_send(&echo, 0, 1, data, limit + 1));
	check(!channel_send(&user, 0, 1, data, limit + 1));
}

/* the kernel's echo has 16 KiB for a packet, and one for which the way back is too short is lost */
CASE(bus_too_large, G_OVID_ONLY | G_VMBUS, 1)
{
	struct channel echo, user;

	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	open_both(&echo, &user, 16);
	check(channel_echo(&echo, 0, 1, data, 16384));
	check(channel_send(&echo, 0, 2, data, 16385));
	check(channel_echo(&echo, 0, 3, data, 10));
	check(channel_echo(&user, 0, 1, data, 16385));
	channel_close(&echo);
	channel_close(&user);
	is(channel_open(&echo, vmbus_find(G_CHANNEL_ECHO), ring_memory[0], 8, 2), 0);
	is(channel_open(&user, vmbus_find(G_CHANNEL_USER), ring_memory[1], 8, 2), 0);
	check(channel_send(&echo, 0, 1, data, PAGE - 31));
	check(channel_send(&user, 0, 1, data, PAGE - 31));
	check(channel_echo(&echo, 0, 2, data, 10));
	check(channel_echo(&user, 0, 2, data, 10));
}

static u32 size_of(u32 n)
{
	return n * 2654435761u >> 16 & 1023;
}

/* takes what there is, at most up to the @to-th packet: false if one is not the one it must be */
static bool take_to(struct channel *c, u32 *taken, u32 to)
{
	while (*taken < to) {
		u32 bytes = size_of(*taken);

		if (channel_receive(c) != (int)((bytes + 7) & ~7u) ||
		    packet.desc.trans_id != *taken + 1ull ||
		    memcmp(packet.data, data + *taken % 128, bytes))
			return false;
		++*taken;
	}
	return true;
}

static bool send_nth(struct channel *c, u32 n)
{
	return channel_send(c, n & 1, n + 1ull, data + n % 128, size_of(n));
}

#define MANY	1500

/* as many as there is room for, then all of them back */
static void batches(u32 channel)
{
	struct channel c;
	u32 sent = 0, taken = 0;
	bool good = true;

	is(channel_open(&c, vmbus_find(channel), ring_memory[0], 5, 5), 0);
	while (good && sent < MANY) {
		while (sent < MANY && sent - taken < 20 && send_nth(&c, sent))
			sent++;
		good = take_to(&c, &taken, sent - (sent - taken) / 3);
	}
	check(good && take_to(&c, &taken, sent));
	channel_done(&c);
	check(!guest_end_read(&c.in));
	channel_close(&c);
}

CASE(bus_batches, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	batches(G_CHANNEL_ECHO);
	batches(G_CHANNEL_USER);
}

/* the next packet, if it is there; false if it is not the one it must be */
static bool take_one(struct channel *c, u32 *taken, bool *there)
{
	u32 bytes = size_of(*taken);
	u32 n = guest_next(&c->in, &packet, sizeof(packet));

	*there = n;
	if (!n)
		return true;
	return n == 16 + ((bytes + 7) & ~7u) && packet.desc.trans_id == ++*taken &&
	       !memcmp(packet.data, data + (*taken - 1) % 128, bytes);
}

/*
 * Both rings full, and neither is ever empty: the host waits for space, and so does the
 * guest, who wants no signals for data.  Who frees some signals the other.
 */
static void stuff(u32 channel, u32 pages)
{
	struct channel c;
	u32 sent = 0, taken = 0, n, want, still;
	bool good = true, there;

	is(channel_open(&c, vmbus_find(channel), ring_memory[0], pages, pages), 0);
	guest_begin_read(&c.in);
	for (u32 round = 0; good && round < 5; round++) {
		/* until neither side moves: the host's may not have had its CPU for a while */
		for (still = 0; still < 10; still++) {
			n = sent;
			while (send_nth(&c, sent))
				sent++;
			nap(2);
			if (sent != n || !guest_get(&c.in, G_PENDING))
				still = 0;
		}
		want = ((size_of(sent) + 7) & ~7u) + 24;
		check(!guest_want_space(&c.out, want));
		channel_events(&c);
		do
			good = take_one(&c, &taken, &there);
		while (good && there);
		channel_done(&c);
		check(await(channel_events(&c)));
		check(guest_free(&c.out) > want);
		guest_want_space(&c.out, 0);
	}
	check(good && take_to(&c, &taken, sent));
	channel_done(&c);
	check(await(!guest_get(&c.out, G_MASK)));
	is(guest_get(&c.out, G_READ), guest_get(&c.out, G_WRITE));
	channel_close(&c);
}

CASE(bus_full_rings, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	stuff(G_CHANNEL_ECHO, 3);
	stuff(G_CHANNEL_USER, 3);
	stuff(G_CHANNEL_ECHO, 6);
	stuff(G_CHANNEL_USER, 6);
}

/* room for the next packet, of which the host tells a guest that asks for it */
static bool await_room(struct channel *c, u32 n)
{
	u32 want = ((size_of(n) + 7) & ~7u) + 24;
	bool there;

	channel_events(c);
	there = guest_want_space(&c->out, want) ||
		await(channel_events(c) && guest_free(&c->out) > want);
	guest_want_space(&c->out, 0);
	return there;
}

/* one direction alone, as fast as it goes; nothing comes back */
CASE(bus_sink, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct vmbus_w_relid shut = { .h.type = VMBUS_CLOSE };
	struct channel c;
	bool good = true;

	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	is(channel_open(&c, vmbus_find(G_CHANNEL_ECHO), ring_memory[0], 16, 4), 0);
	shut.relid = c.offer.relid;
	vmbus_post(&shut, sizeof(shut));
	is(channel_post_open(&c, c.gpadl, 0, 16, 1), 0);
	for (u32 n = 0; good && n < MANY; n++)
		while (good && !send_nth(&c, n))
			good = await_room(&c, n);
	check(good);
	check(await(guest_get(&c.out, G_READ) == guest_get(&c.out, G_WRITE)));
	is(guest_get(&c.in, G_WRITE), 0);
	/* the next one to open it has an echo again */
	vmbus_post(&shut, sizeof(shut));
	is(channel_post_open(&c, c.gpadl, 0, 16, 0), 0);
	check(channel_echo(&c, 0, 1, data, 100));
	channel_close(&c);
}

/* a ring whose content makes no sense is left alone, until it is opened anew */
static void break_it(u32 channel)
{
	struct channel c;

	for (u32 how = 0; how < 6; how++) {
		is(channel_open(&c, vmbus_find(channel), ring_memory[0], 4, 4), 0);
		check(channel_echo(&c, 0, 1, data, 100));
		switch (how) {
		case 0: guest_set(&c.out, G_WRITE, ~0u); break;
		case 1: guest_set(&c.out, G_WRITE, c.out.size); break;
		case 2: guest_set(&c.out, G_WRITE, guest_get(&c.out, G_WRITE) + 4); break;
		case 3:
			memset(c.out.data, 0, c.out.size);
			guest_set(&c.out, G_WRITE, guest_get(&c.out, G_WRITE) + 64);
			break;
		case 4:
			memset(c.out.data, 0xff, c.out.size);
			guest_set(&c.out, G_WRITE, guest_get(&c.out, G_WRITE) + 64);
			break;
		case 5:
			guest_set(&c.in, G_READ, ~0u);
			channel_send(&c, 0, 1, data, 100);
			break;
		}
		channel_signal(&c);
		nap(2);
		channel_close(&c);
	}
	is(channel_open(&c, vmbus_find(channel), ring_memory[0], 4, 4), 0);
	check(channel_echo(&c, 0, 1, data, 100));
	channel_close(&c);
}

CASE(bus_broken_rings, G_OVID_ONLY | G_VMBUS, 1)
{
	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	break_it(G_CHANNEL_ECHO);
	break_it(G_CHANNEL_USER);
}

/* ---- VPs ---- */

static volatile u32 at_work;

static void other_vp(void)
{
	vmbus_vp_begin();
	at_work = 1;
	for (;;)
		sti_hlt();
}

static void modify(const struct channel *c, u32 vp)
{
	struct vmbus_w_modify m = {
		.h.type = VMBUS_MODIFY, .relid = c->offer.relid, .target_vp = vp,
	};

	vmbus_post(&m, sizeof(m));
}

/* @c's events come to @vp */
static void check_vp(struct channel *c, u32 vp)
{
	volatile u32 *here = &synics[vp].events[c->offer.relid];
	volatile u32 *other = &synics[!vp].events[c->offer.relid];
	u32 before = *here, others = *other;

	c->vp = vp;
	check(!guest_end_read(&c->in));
	check(channel_send(c, 0, 1, data, 100));
	check(await(*here != before));
	c->seen = before;
	is(channel_receive(c), 104);
	channel_done(c);
	is_(*other, others, "no event on the other VP");
}

static void move(u32 channel)
{
	struct channel c;

	is(channel_open(&c, vmbus_find(channel), ring_memory[0], 4, 4), 0);
	check_vp(&c, 0);
	for (u32 i = 0; i < 4; i++) {
		modify(&c, !(i & 1));
		expect(VMBUS_MODIFY_RESPONSE);
		is(in.modify.status, 0);
		is(in.modify.relid, c.offer.relid);
		check_vp(&c, !(i & 1));
	}
	modify(&c, 2);
	expect(VMBUS_MODIFY_RESPONSE);
	check(in.modify.status);
	check_vp(&c, 0);
	channel_close(&c);
	modify(&c, 1);
	expect(VMBUS_MODIFY_RESPONSE);
	check(in.modify.status);
	/* opened there */
	is(vmbus_gpadl(c.offer.relid, 7, ring_memory[0], 8), 0);
	guest_init(&c.out, c.out.page, c.out.data, c.out.size);
	guest_init(&c.in, c.in.page, c.in.data, c.in.size);
	is(channel_post_open(&c, 7, 1, 4, 0), 0);
	check_vp(&c, 1);
	c.gpadl = 7;
	channel_close(&c);
}

CASE(bus_target_vp, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 2)
{
	struct message *there = (struct message *)synics[1].messages[VMBUS_SINT];
	struct vmbus_w_initiate_contact m = {
		.h.type = VMBUS_INITIATE_CONTACT, .version = VMBUS_V5_3, .sint = VMBUS_SINT,
		.target_vp = 1,
	};
	struct channel c;

	vmbus_begin();
	fill();
	ap_start(1, other_vp);
	check(await(at_work));
	is(vmbus_connect(VMBUS_V5_3), 2);
	move(G_CHANNEL_ECHO);
	move(G_CHANNEL_USER);

	/* 4.1 has no answer, 4.0 does not have it */
	is(vmbus_connect(VMBUS_V4_1), 2);
	is(channel_open(&c, vmbus_find(G_CHANNEL_ECHO), ring_memory[0], 4, 4), 0);
	modify(&c, 1);
	vmbus_quiet();
	check_vp(&c, 1);
	is(vmbus_connect(VMBUS_V4_0), 2);
	is(channel_open(&c, vmbus_find(G_CHANNEL_ECHO), ring_memory[0], 4, 4), 0);
	modify(&c, 1);
	vmbus_quiet();
	check_vp(&c, 0);

	is(vmbus_post_to(VMBUS_CONN_MESSAGE, &m, sizeof(m)), SUCCESS);
	check(await(there->type));
	is_((u32)there->payload[0], VMBUS_VERSION_RESPONSE, "the answer comes to the VP of the contact");
	check(!vmbus_poll());
}

/* ---- the end ---- */

static void rescind(u32 channel, u32 other)
{
	struct vmbus_w_relid m = { .h.type = VMBUS_CLOSE };
	struct channel c, d;
	u32 relid;

	is(channel_open(&c, vmbus_find(channel), ring_memory[0], 4, 4), 0);
	is(channel_open(&d, vmbus_find(other), ring_memory[1], 4, 4), 0);
	relid = m.relid = c.offer.relid;
	check(channel_echo(&c, 0, 1, data, 100));
	is(vmbus_gpadl(relid, 8, data, 4), 0);
	command(G_CMD_REVOKE, channel, 0, 0);
	is(host->result, 0);
	expect(VMBUS_RESCIND);
	is(in.relid.relid, relid);
	is(STATUS(vmcall(CALL_SIGNAL_EVENT | FAST, c.offer.connection_id, 0)), NO_CONNECTION);
	vmbus_post(&m, sizeof(m));
	vmbus_quiet();
	check(channel_echo(&d, 0, 1, data, 100));
	vmbus_teardown(relid, 8);		/* Linux does not, others may */
	check(vmbus_gpadl(relid, 9, data, 4));
	command(G_CMD_OFFER, channel, 0, 0);
	is(host->result, 0);
	command(G_CMD_OFFER, channel, 0, 0);
	is(host->result, -EEXIST);
	vmbus_quiet();			/* not while the old one is known */
	m.h.type = VMBUS_RELID_RELEASED;
	vmbus_post(&m, sizeof(m));
	expect(VMBUS_OFFER);
	check(in.offer.relid != d.offer.relid);
	is(in.offer.connection_id, VMBUS_CONN_CHANNEL(in.offer.relid));
	offers[0] = in.offer;
	offers[1] = d.offer;
	is(channel_open(&c, &offers[0], ring_memory[0], 4, 4), 0);
	check(channel_echo(&c, 0, 1, data, 100));
	check(channel_echo(&d, 0, 1, data, 100));
	channel_close(&c);
	channel_close(&d);
}

CASE(bus_rescind, G_OVID_ONLY | G_VMBUS, 1)
{
	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	for (u32 i = 0; i < 3; i++) {
		rescind(G_CHANNEL_ECHO, G_CHANNEL_USER);
		rescind(G_CHANNEL_USER, G_CHANNEL_ECHO);
	}
}

/* offers that come and go while nobody, or a guest without a wish for offers, is there */
CASE(bus_hotplug, G_OVID_ONLY | G_VMBUS, 1)
{
	struct vmbus_w_relid m = { .h.type = VMBUS_RELID_RELEASED };

	vmbus_begin();
	command(G_CMD_REVOKE, G_CHANNEL_USER, 0, 0);
	command(G_CMD_OFFER, G_CHANNEL_HEARTBEAT, 0, 0);
	is(host->result, 0);
	check(vmbus_contact(VMBUS_V5_3));
	command(G_CMD_OFFER, G_CHANNEL_TIMESYNC, 0, 0);
	vmbus_quiet();
	is(vmbus_offers(), 3);
	command(G_CMD_OFFER, G_CHANNEL_USER, 0, 0);
	expect(VMBUS_OFFER);
	is(in.offer.type.b[0], G_USER_TYPE);
	/* the guest does not want it: it is offered again by the next connection */
	m.relid = in.offer.relid;
	vmbus_post(&m, sizeof(m));
	vmbus_quiet();
	is(vmbus_connect(VMBUS_V5_3), 4);
	/* one that the guest has let go of goes without a word */
	m.relid = vmbus_find(G_CHANNEL_USER)->relid;
	vmbus_post(&m, sizeof(m));
	vmbus_post(&m, sizeof(m));
	vmbus_quiet();
	command(G_CMD_REVOKE, G_CHANNEL_USER, 0, 0);
	command(G_CMD_REVOKE, G_CHANNEL_HEARTBEAT, 0, 0);
	expect(VMBUS_RESCIND);
	vmbus_unload();
	is(vmbus_connect(VMBUS_V5_3), 2);
}

#define LATENCY	1000	/* 100 us */

/* each of them signals by its monitor alone, which the host looks at */
static void monitored(u32 version)
{
	struct vmbus_w_monitor_page *page = &monitor_pages[1];
	struct channel echo, user;

	is(vmbus_connect(version), 2);
	open_both(&echo, &user, 4);
	check(echo.offer.monitor_allocated && user.offer.monitor_allocated);
	check(echo.offer.monitor_id != user.offer.monitor_id);
	is(page->latency[echo.offer.monitor_id], LATENCY);
	is(page->parameter[user.offer.monitor_id].connection, user.offer.connection_id);
	is(page->group_enable, 1);
	for (u32 i = 0; i < 5; i++) {
		check(channel_echo(&echo, 0, i, data, 300 * i));
		check(channel_echo(&user, 0, i, data, 300 * i));
	}
	/* all ids, of which most are nobody's, again and again */
	for (u32 i = 0; i < 20; i++) {
		for (u32 group = 0; group < 4; group++)
			__atomic_store_n(&page->group[group].pending, ~0u, __ATOMIC_SEQ_CST);
		check(channel_echo(&user, 0, i, data, 100));
	}
	check(await(!page->group[0].pending && !page->group[3].pending));
	/* a hypercall is as good */
	if (version >= VMBUS_V2_4)
		is(STATUS(vmcall(CALL_SIGNAL_EVENT | FAST, echo.offer.connection_id, 0)), SUCCESS);
	/* one open channel keeps it going, none does not, not even when the host is about to look */
	channel_close(&echo);
	check(channel_echo(&user, 0, 1, data, 100));
	__atomic_store_n(&page->group[3].pending, ~0u, __ATOMIC_SEQ_CST);
	channel_close(&user);
	is(page->group_enable, 0);
	page->group[0].pending = ~0u;
	nap(5);
	is(page->group[0].pending, ~0u);
	memset(page, 0, sizeof(*page));
	vmbus_unload();
}

CASE(bus_monitor, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct vmbus_w_initiate_contact2 c = { .c.version = VMBUS_V5_3, .c.sint = VMBUS_SINT };

	vmbus_begin();
	fill();
	for (u32 channel = G_CHANNEL_ECHO; channel <= G_CHANNEL_USER; channel++) {
		command(G_CMD_REVOKE, channel, 0, 0);
		command(G_CMD_OFFER, channel, LATENCY, 0);
		is(host->result, 0);
	}
	for (u32 i = 0; i < ARRAY_SIZE(versions); i++)
		monitored(versions[i]);
	/* without pages, or with such as are not the guest's, there is no monitor */
	is(contact_with(&c, sizeof(c.c)), 0);
	is(vmbus_offers(), 2);
	is(offers[0].monitor_allocated | offers[1].monitor_allocated, 0);
	c.c.monitor_page1 = gpa(data);
	c.c.monitor_page2 = NOWHERE;
	is(contact_with(&c, sizeof(c.c)), 0);
	is(vmbus_offers(), 2);
	is(offers[0].monitor_allocated | offers[1].monitor_allocated, 0);
}

/* with channels open, packets under way and GPADLs that nobody has torn down */
static void leave_all_open(u32 version)
{
	struct channel echo, user;

	is(vmbus_connect(version), 2);
	open_both(&echo, &user, 4);
	is(vmbus_gpadl(echo.offer.relid, 50, data, 30), 0);
	for (u32 i = 0; i < 5; i++) {
		channel_send(&echo, 0, 1, data, 500);
		channel_send(&user, 0, 1, data, 500);
	}
}

static void begin_anew(u32 version)
{
	struct channel echo, user;

	is(vmbus_connect(version), 2);
	is(vmbus_find(G_CHANNEL_ECHO)->relid, 1);
	is(vmbus_find(G_CHANNEL_USER)->relid, 2);
	is(vmbus_gpadl(1, 50, data, 30), 0);
	open_both(&echo, &user, 5);
	check(channel_echo(&echo, 0, 1, data, 100));
	check(channel_echo(&user, 0, 1, data, 100));
}

CASE(bus_unload, G_OVID_ONLY | G_VMBUS, 1)
{
	u32 wrong = 0;

	vmbus_begin();
	fill();
	vmbus_connection = VMBUS_CONN_LEGACY;
	vmbus_unload();			/* of nothing is answered, too */
	leave_all_open(VMBUS_V5_3);
	vmbus_unload();
	/* the memory is ours again */
	memset(ring_memory, 0x11, sizeof(ring_memory));
	nap(5);
	for (u32 i = 0; i < sizeof(ring_memory); i++)
		wrong += ((u8 *)ring_memory)[i] != 0x11;
	is(wrong, 0);
	begin_anew(VMBUS_V4_1);
	vmbus_unload();
}

CASE(bus_contact_again, G_OVID_ONLY | G_VMBUS, 1)
{
	vmbus_begin();
	fill();
	leave_all_open(VMBUS_V5_3);
	begin_anew(VMBUS_V3_0);
	leave_all_open(VMBUS_V0_13);
	check(!vmbus_contact(VMBUS_VERSION(9, 9)));
	begin_anew(VMBUS_V6_0);
}

CASE(bus_reset, G_OVID_ONLY | G_VMBUS, 1)
{
	vmbus_begin();
	fill();
	if (host->resets < 3) {
		leave_all_open(versions[host->resets * 3]);
		/* and a message that nobody takes */
		if (host->resets == 1)
			channel_signal(&(struct channel){ .offer = *vmbus_find(G_CHANNEL_ECHO) });
		wrmsr(MSR_RESET, 1);
		check(!"the partition is reset");
	}
	begin_anew(VMBUS_V5_3);
}

/* more answers than the host keeps: the connection has ended, and can be made again */
CASE(bus_never_reads, G_OVID_ONLY | G_VMBUS | G_LONG_TIME, 1)
{
	struct vmbus_w_gpadl_header none = { .h.type = VMBUS_GPADL_HEADER, .relid = 2047 };
	struct channel echo, user;

	vmbus_begin();
	fill();
	is(vmbus_connect(VMBUS_V5_3), 2);
	open_both(&echo, &user, 4);
	for (u32 i = 0; i < 8300; i++)
		vmbus_post(&none, sizeof(none));
	/* the one in the slot, and what had come behind it is forgotten */
	expect(VMBUS_GPADL_CREATED);
	vmbus_version = 0;
	vmbus_quiet();
	begin_anew(VMBUS_V5_3);
}
