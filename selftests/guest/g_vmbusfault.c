// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_vmbusfault.c - faults that the host makes because it was asked to: each does what its rule
 * says, so often as it says, and nothing else.
 */
#include "vmbus.h"

static u8 data[PAGE];

/* as if written to the bus's file: 0 or -errno */
static int64_t fault(const char *rules)
{
	command(G_CMD_FAULT, gpa(rules), 0, 0);
	return host->result;
}

static void begin(void)
{
	vmbus_begin();
	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + 1;
}

static void post_relid(u32 type, u32 relid)
{
	struct vmbus_w_relid m = { .h.type = type, .relid = relid };

	vmbus_post(&m, sizeof(m));
}

/* an open whose answer is not waited for */
static void post_open(const struct channel *c)
{
	struct vmbus_w_open m = {
		.h.type = VMBUS_OPEN, .relid = c->offer.relid, .open_id = 77,
		.ring_gpadl = c->gpadl, .downstream = 4,
	};

	vmbus_post(&m, sizeof(m));
}

/* the echo and its GPADL, to be opened */
static void prepare(struct channel *c)
{
	c->offer = *vmbus_find(G_CHANNEL_ECHO);
	c->gpadl = 0xfa;
	is(vmbus_gpadl(c->offer.relid, c->gpadl, ring_memory[0], 8), 0);
}

static u32 open_echo(struct channel *c)
{
	return channel_open(c, vmbus_find(G_CHANNEL_ECHO), ring_memory[0], 4, 4);
}

/* the channel that no rule is about */
static void the_other_works(void)
{
	struct channel c;

	is(channel_open(&c, vmbus_find(G_CHANNEL_USER), ring_memory[1], 4, 4), 0);
	check(channel_echo(&c, 0, 1, data, 100));
	channel_close(&c);
}

CASE(fault_rules, G_OVID_ONLY | G_VMBUS | G_FAULTS, 1)
{
	begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	check(fault("nonsense") < 0);
	check(fault("drop in type=OPEN\nnonsense") < 0);
	check(fault("drop in times=0\ndrop open") < 0);
	the_other_works();
	is(fault("drop in times=0;clear"), 0);
	the_other_works();
	is(fault("drop in nth=1000000000\n\n refuse open nth=1000000000 "), 0);
	the_other_works();
}

CASE(fault_drop_in, G_OVID_ONLY | G_VMBUS | G_FAULTS, 1)
{
	struct channel c;

	begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	prepare(&c);
	is(fault("drop in type=OPEN provider=echo nth=2 times=2"), 0);
	is_(channel_post_open(&c, c.gpadl, 0, 4, 0), 0, "the first one is heard");
	post_relid(VMBUS_CLOSE, c.offer.relid);
	for (u32 i = 0; i < 2; i++) {
		post_open(&c);
		vmbus_quiet();
		the_other_works();
	}
	is_(channel_post_open(&c, c.gpadl, 0, 4, 0), 0, "the fourth one is heard again");
	channel_close(&c);
}

CASE(fault_drop_out, G_OVID_ONLY | G_VMBUS | G_FAULTS, 1)
{
	struct vmbus_w_gpadl_teardown down = { .h.type = VMBUS_GPADL_TEARDOWN };
	struct channel c;

	begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	prepare(&c);
	is(fault("drop out type=OPEN_RESULT provider=echo"), 0);
	post_open(&c);
	vmbus_quiet();
	is_(STATUS(vmcall(CALL_SIGNAL_EVENT | FAST, c.offer.connection_id, 0)), SUCCESS,
	    "it is open, only the answer is lost");
	post_relid(VMBUS_CLOSE, c.offer.relid);
	is(channel_post_open(&c, c.gpadl, 0, 4, 0), 0);
	channel_close(&c);
	/* of no channel */
	is(fault("drop out type=GPADL_TORNDOWN"), 0);
	is(open_echo(&c), 0);
	post_relid(VMBUS_CLOSE, c.offer.relid);
	down.relid = c.offer.relid;
	down.gpadl = c.gpadl;
	vmbus_post(&down, sizeof(down));
	vmbus_quiet();
	the_other_works();
}

/* what is late is late at least so much */
CASE(fault_delay, G_OVID_ONLY | G_VMBUS | G_FAULTS | G_LONG_TIME, 1)
{
	struct channel c;
	u64 from;

	begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	is(fault("delay in type=OPEN ms=300;delay out type=OPEN_RESULT ms=200"), 0);
	prepare(&c);
	from = rdmsr(MSR_TIME);
	is(channel_post_open(&c, c.gpadl, 0, 4, 0), 0);
	check(rdmsr(MSR_TIME) - from >= 500 * 10000);
	channel_close(&c);
	the_other_works();
}

CASE(fault_refuse, G_OVID_ONLY | G_VMBUS | G_FAULTS, 1)
{
	struct channel c;

	begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	is(fault("refuse open provider=echo times=2"), 0);
	prepare(&c);
	check(channel_post_open(&c, c.gpadl, 0, 4, 0));
	the_other_works();
	check(channel_post_open(&c, c.gpadl, 0, 4, 0));
	is(channel_post_open(&c, c.gpadl, 0, 4, 0), 0);
	channel_close(&c);
	is(fault("clear\nrefuse gpadl nth=2"), 0);
	is(vmbus_gpadl(c.offer.relid, 1, data, 1), 0);
	check(vmbus_gpadl(c.offer.relid, 2, data, 1));
	is(vmbus_gpadl(c.offer.relid, 2, data, 1), 0);
	vmbus_teardown(c.offer.relid, 1);
	vmbus_teardown(c.offer.relid, 2);
}

/* the host takes it back; then a new one, which works */
static void gone_and_back(u32 relid)
{
	struct channel c;

	is(in.relid.relid, relid);
	the_other_works();
	is_(STATUS(vmcall(CALL_SIGNAL_EVENT | FAST, VMBUS_CONN_CHANNEL(relid), 0)), NO_CONNECTION,
	    "nobody takes its signals");
	post_relid(VMBUS_RELID_RELEASED, relid);
	vmbus_quiet();
	command(G_CMD_REVOKE, G_CHANNEL_ECHO, 0, 0);
	is(host->result, 0);
	command(G_CMD_OFFER, G_CHANNEL_ECHO, 0, 0);
	is(host->result, 0);
	expect(VMBUS_OFFER);
	is(channel_open(&c, &in.offer, ring_memory[0], 4, 4), 0);
	check(channel_echo(&c, 0, 1, data, 100));
	channel_close(&c);
}

CASE(fault_rescind_packet, G_OVID_ONLY | G_VMBUS | G_FAULTS, 1)
{
	struct channel c;

	begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	is(fault("rescind packet provider=echo nth=10"), 0);
	is(open_echo(&c), 0);
	for (u32 i = 1; i < 10; i++)
		check(channel_echo(&c, 0, i, data, i * 8));
	check(channel_send(&c, 0, 10, data, 80));
	expect(VMBUS_RESCIND);
	gone_and_back(c.offer.relid);
}

CASE(fault_rescind_states, G_OVID_ONLY | G_VMBUS | G_FAULTS | G_LONG_TIME, 1)
{
	struct vmbus_w_gpadl_header half = {
		.h.type = VMBUS_GPADL_HEADER, .gpadl = 5, .range_bytes = 40, .range_count = 1,
	};
	struct vmbus_w_header ask = { .type = VMBUS_REQUEST_OFFERS };
	struct channel c;
	u32 relid;

	begin();
	/* told of, and no more */
	is(fault("rescind out type=OFFER provider=echo"), 0);
	check(vmbus_contact(VMBUS_V5_3));
	vmbus_post(&ask, sizeof(ask));
	for (nr_offers = 0; vmbus_receive() == VMBUS_OFFER; nr_offers++)
		offers[nr_offers] = in.offer;
	is(in.h.type, VMBUS_ALL_OFFERS);
	expect(VMBUS_RESCIND);
	gone_and_back(vmbus_find(G_CHANNEL_ECHO)->relid);

	/* instead of a GPADL: it is not made any more */
	is(vmbus_connect(VMBUS_V5_3), 2);
	relid = vmbus_find(G_CHANNEL_ECHO)->relid;
	is(fault("clear;rescind in type=GPADL_HEADER provider=echo"), 0);
	half.relid = relid;
	vmbus_post(&half, sizeof(half));
	expect(VMBUS_RESCIND);
	is(in.relid.relid, relid);
	expect(VMBUS_GPADL_CREATED);
	check(in.created.status);
	in.relid.relid = relid;
	gone_and_back(relid);

	/* behind the answer to an open */
	is(vmbus_connect(VMBUS_V5_3), 2);
	is(fault("clear;rescind out type=OPEN_RESULT provider=echo"), 0);
	is(open_echo(&c), 0);
	expect(VMBUS_RESCIND);
	gone_and_back(c.offer.relid);
}

/* words of the packet that lies in the ring, read as they are */
static bool spoiled(const char *rule, u32 word, u64 mask)
{
	u64 want[3] = { VMBUS_PKT_DATA | 2ull << 16 | 4ull << 32, 55, }, got[3];
	struct channel c;

	memcpy(&want[2], data, 8);
	want[word] ^= mask;
	is(fault(rule), 0);
	is(open_echo(&c), 0);
	check(channel_send(&c, 0, 55, data, 16));
	check(await(guest_get(&c.in, G_WRITE)));
	memcpy(got, c.in.data, sizeof(got));
	is(guest_get(&c.in, G_WRITE), 40);
	channel_close(&c);
	for (u32 i = 0; i < 3; i++)
		if (got[i] != want[i])
			is_(got[i], want[i], rule);
	return !memcmp(got, want, sizeof(got));
}

CASE(fault_corrupt, G_OVID_ONLY | G_VMBUS | G_FAULTS | G_LONG_TIME, 1)
{
	struct channel c;

	begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	check(spoiled("corrupt packet field=type xor=0x21", 0, 0x21));
	check(spoiled("corrupt packet field=offset provider=echo", 0, 0xffffull << 16));
	check(spoiled("corrupt packet field=length xor=0x100", 0, 0x100ull << 32));
	check(spoiled("corrupt packet field=flags xor=1", 0, 1ull << 48));
	check(spoiled("corrupt packet field=transaction", 1, ~0ull));
	check(spoiled("corrupt packet field=payload xor=0x8000000000000000", 2, 1ull << 63));
	check(spoiled("corrupt packet field=payload provider=kvp times=0", 0, 0));
	/* the third one of a channel, and no other */
	is(fault("clear;corrupt packet field=transaction nth=3 xor=0x40"), 0);
	is(open_echo(&c), 0);
	for (u32 i = 1; i < 6; i++) {
		check(channel_send(&c, 0, i, data, 24));
		is(channel_receive(&c), 24);
		is(packet.desc.trans_id, i ^ (i == 3 ? 0x40 : 0));
		channel_done(&c);
	}
	channel_close(&c);
	the_other_works();
}
