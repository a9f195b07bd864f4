// SPDX-License-Identifier: GPL-2.0-only
/*
 * g_scsi.c - disks of the VMBus: the handshake, reads and writes with lists of pages of any form,
 * what is refused, what is under way when the channel is closed or reset; sub-channels; and then
 * all of it spoken wrongly.
 *
 * The runner has a disk of 2048 blocks at LUN 0, whose blocks begin with their own numbers, and
 * the same at LUN 1, to be read only, and at LUN 2, whose limit is one byte in a second: but for the
 * first request, all that move data wait for longer than any case lasts.
 */
#include "fuzz.h"
#include "vmbus.h"
#include "../../vsp/storage/proto.h"

#define BLOCKS	2048u
#define LIST	40		/* pages of a packet's list */

#define SUBS	2u

static struct channel c, sub[SUBS];
static struct channel *by = &c;		/* that requests are sent on */
static u8 data[16 * PAGE] __attribute__((aligned(4096)));
static u8 other[16 * PAGE] __attribute__((aligned(4096)));

/* a packet as it goes into the ring, behind the descriptor */
static struct {
	u32 reserved, ranges;
	u64 list[LIST + 1];
} head;
static struct stor_w_packet srb;

static u64 range(u32 bytes, u32 offset)
{
	return (u64)offset << 32 | bytes;
}

/* @words of the list; 0: none is named */
static bool send(u64 trans_id, u32 words, u32 bytes)
{
	u8 body[sizeof(head) + sizeof(srb)];
	struct guest_desc desc = {
		.type = words ? VMBUS_PKT_GPA_DIRECT : VMBUS_PKT_DATA,
		.flags = VMBUS_PACKET_COMPLETION, .trans_id = trans_id,
	};
	u32 header = words ? 8 + words * 8 : 0, old;

	memcpy(body, &head, header);
	memcpy(body + header, &srb, bytes);
	if (!guest_write(&by->out, desc, body, header, bytes, &old))
		return false;
	if (guest_data_signal(&by->out, old))
		channel_signal(by);
	return true;
}

static const struct stor_w_packet *answer(void)
{
	return (const struct stor_w_packet *)packet.data;
}

/* the next answer, to @trans_id: its status; ~0: it is none */
static u32 hear(u64 trans_id)
{
	int n = channel_receive(by);
	bool good = n == STOR_PACKET_BYTES && packet.desc.type == VMBUS_PKT_COMPLETION &&
		    packet.desc.trans_id == trans_id && answer()->op == STOR_COMPLETE;

	channel_done(by);
	return good ? answer()->status : ~0u;
}

static u32 ask(u32 op)
{
	srb.op = op;
	srb.flags = STOR_WANTS_COMPLETION;
	if (!send(op, 0, sizeof(srb)))
		return ~1u;
	return hear(op);
}

/* a command of @n bytes, to LUN @lun, for @bytes of data */
static void command_of(u32 lun, const u8 *cdb, u32 n, u32 bytes)
{
	memset(&srb, 0, sizeof(srb));
	srb.op = STOR_EXECUTE_SRB;
	srb.flags = STOR_WANTS_COMPLETION;
	srb.srb.length = 52;
	srb.srb.lun = lun;
	srb.srb.cdb_length = n;
	srb.srb.transfer_length = bytes;
	memcpy(srb.srb.cdb, cdb, n);
}

/* one range of whole pages, but for @offset; how many words */
static u32 list_of(const u8 *at, u32 bytes)
{
	u32 offset = gpa(at) % PAGE, pages = (offset + bytes + PAGE - 1) / PAGE;

	head.ranges = 1;
	head.list[0] = range(bytes, offset);
	for (u32 i = 0; i < pages; i++)
		head.list[1 + i] = gpa(at) / PAGE + i;
	return 1 + pages;
}

/* srb_status << 24 | sense; 1 << 24: all is well */
static u32 outcome(void)
{
	const struct stor_w_srb *s = &answer()->srb;
	u32 sense = s->sense[2] << 16 | s->sense[12] << 8 | s->sense[13];

	return s->srb_status << 24 | (s->srb_status & STOR_SRB_SENSE_VALID ? sense : 0);
}

static u32 run(u32 words)
{
	static u64 trans_id = 1000;

	if (!send(++trans_id, words, sizeof(srb)))
		return ~1u;
	return hear(trans_id) ? ~0u : outcome();
}

#define GOOD		(STOR_SRB_SUCCESS << 24)
#define FAILED(sense)	((u32)(STOR_SRB_ERROR | STOR_SRB_SENSE_VALID) << 24 | (sense))
#define INVALID		(STOR_SRB_INVALID_REQUEST << 24)

#define CDB(...)	((const u8[]){ __VA_ARGS__ }), sizeof((const u8[]){ __VA_ARGS__ })

static u32 transfer(bool write, u32 lun, u32 lba, u32 blocks, u32 words)
{
	command_of(lun, CDB(write ? 0x2a : 0x28, 0, lba >> 24, lba >> 16, lba >> 8, lba, 0,
			    blocks >> 8, blocks, 0), blocks * 512);
	return run(words);
}

static void handshake(void)
{
	memset(&srb, 0, sizeof(srb));
	is(ask(STOR_EXECUTE_SRB), STOR_INVALID_STATE);
	is(ask(STOR_BEGIN_INITIALIZATION), STOR_OK);
	srb.version.version = STOR_VERSION(6, 2);
	is(ask(STOR_QUERY_VERSION), STOR_OK);
	is(ask(STOR_QUERY_PROPERTIES), STOR_OK);
	check(answer()->properties.max_transfer >= 65536);
	is(ask(STOR_END_INITIALIZATION), STOR_OK);
}

static void open_again(void)
{
	const struct vmbus_w_offer offer = c.offer;

	is(channel_open(&c, &offer, ring_memory[0], 16, 8), 0);
}

static void begin(void)
{
	vmbus_begin();
	is(vmbus_connect(VMBUS_V5_3), 2);
	command(G_CMD_OFFER, G_CHANNEL_SCSI, 0, 0);
	is(host->result, 0);
	expect(VMBUS_OFFER);
	c.offer = in.offer;
	open_again();
	handshake();
}

static void end(void)
{
	channel_close(&c);
	command(G_CMD_REVOKE, G_CHANNEL_SCSI, 0, 0);
	expect(VMBUS_RESCIND);
	vmbus_unload();
}

static u64 number(const u8 *at)
{
	return *(const u64 *)at;
}

CASE(scsi_identity, G_OVID_ONLY | G_VMBUS, 1)
{
	begin();
	command_of(0, CDB(0x12, 0, 0, 0, 36, 0), 36);
	is(run(list_of(data, 36)), GOOD);
	is(answer()->srb.transfer_length, 36);
	check(!data[0] && !memcmp(data + 8, "Msft", 4));
	command_of(5, CDB(0x12, 0, 0, 0, 36, 0), 36);
	is(run(list_of(data, 36)), GOOD);
	is_(data[0], 0x7f, "nobody is at LUN 5");
	command_of(5, CDB(0, 0, 0, 0, 0, 0), 0);
	is(run(0) >> 24, STOR_SRB_INVALID_LUN | STOR_SRB_SENSE_VALID);
	command_of(0, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0), 64);
	is(run(list_of(data + 4000, 64)), GOOD);
	is_(answer()->srb.transfer_length, 32, "there are three units");
	check(data[4003] == 24 && data[4009] == 0 && data[4017] == 1 && data[4025] == 2);
	command_of(0, CDB(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), 8);
	is(run(list_of(data, 8)), GOOD);
	check(data[2] == (BLOCKS - 1) >> 8 && data[3] == 0xff && data[6] == 2);
	command_of(0, CDB(0x85, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
	is(run(0), FAILED(0x52000));
	end();
}

CASE(scsi_data, G_OVID_ONLY | G_VMBUS, 1)
{
	begin();
	for (u32 lba = 0; lba < BLOCKS; lba += 100) {
		is(transfer(false, lba & 1, lba, 1, list_of(data, 512)), GOOD);
		is(number(data), lba);
	}
	/* over pages, from the middle of one */
	for (u32 i = 0; i < 5 * PAGE; i++)
		data[i] = i * 7 + (i >> 9);
	is(transfer(true, 0, 7, 20, list_of(data + 512, 20 * 512)), GOOD);
	is(answer()->srb.transfer_length, 20 * 512);
	is(transfer(false, 0, 7, 20, list_of(other + 1024, 20 * 512)), GOOD);
	check(!memcmp(other + 1024, data + 512, 20 * 512));
	is(transfer(false, 0, 27, 1, list_of(other, 512)), GOOD);
	is(number(other), 27);

	/* two ranges, the pages of the second in another order */
	head.ranges = 2;
	head.list[0] = range(512, 2048);
	head.list[1] = gpa(other) / PAGE;
	head.list[2] = range(2 * PAGE, 0);
	head.list[3] = gpa(other) / PAGE + 5;
	head.list[4] = gpa(other) / PAGE + 3;
	is(transfer(false, 1, 100, 17, 5), GOOD);
	check(number(other + 2048) == 100 && number(other + 5 * PAGE) == 101 &&
	      number(other + 3 * PAGE) == 109);

	/* FUA, then a flush, then holes, which read as zeroes */
	command_of(0, CDB(0x2a, 8, 0, 0, 0, 30, 0, 0, 1, 0), 512);
	is(run(list_of(data, 512)), GOOD);
	command_of(0, CDB(0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
	is(run(0), GOOD);
	memset(data, 0, 24);
	data[1] = 22;
	data[3] = 16;
	data[15] = 64;
	data[19] = 16;
	command_of(0, CDB(0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0), 24);
	is(run(list_of(data, 24)), GOOD);
	is(transfer(false, 0, 79, 2, list_of(data, 1024)), GOOD);
	check(!number(data) && number(data + 512) == 80);
	memset(data, 0, 512);
	command_of(0, CDB(0x41, 0, 0, 0, 0, 90, 0, 0, 4, 0), 512);
	is(run(list_of(data, 512)), GOOD);
	is(transfer(false, 0, 93, 2, list_of(data, 1024)), GOOD);
	check(!number(data) && number(data + 512) == 94);
	end();
}

static u32 compare_write(u32 lba, u32 blocks, u32 words)
{
	command_of(0, CDB(0x89, 0, 0, 0, 0, 0, 0, 0, lba >> 8, lba, 0, 0, 0, blocks, 0, 0),
		   2 * blocks * 512);
	return run(words);
}

CASE(scsi_compare, G_OVID_ONLY | G_VMBUS, 1)
{
	u32 i, n;

	begin();
	is(transfer(false, 0, 300, 8, list_of(data, 4096)), GOOD);
	memset(data + 4096, 0x5a, 4096);
	/* a range that ends in the middle of a page, of the first half too */
	is(compare_write(300, 8, list_of(data, 8192)), GOOD);
	is(answer()->srb.transfer_length, 8192);
	is(transfer(false, 0, 300, 9, list_of(other, 9 * 512)), GOOD);
	check(!memcmp(other, data + 4096, 4096) && number(other + 4096) == 308);
	memcpy(data + 512 - 24, other, 1024);
	memset(data + 512 - 24 + 1024, 0xa5, 1024);
	is(compare_write(302, 2, list_of(data + 512 - 24, 2048)), GOOD);
	/* another byte is there: which, and nothing is written */
	data[512 - 24 + 700] ^= 1;
	is(compare_write(304, 2, list_of(data + 512 - 24, 2048)), FAILED(0xe1d00));
	is(answer()->srb.sense[0] << 16 | answer()->srb.sense[5] << 8 | answer()->srb.sense[6],
	   0xf0 << 16 | 700);
	is(transfer(false, 0, 302, 4, list_of(other, 2048)), GOOD);
	check(other[0] == 0xa5 && other[1023] == 0xa5 && other[1024] == 0x5a);
	is_(compare_write(304, 2, list_of(data, 1024)), INVALID, "half of the memory");
	is(compare_write(BLOCKS - 1, 2, list_of(data, 2048)), FAILED(0x52100));

	/* larger than what is looked at in one piece */
	command_of(0, CDB(0x28, 0, 0, 0, 2, 0, 0, 0, 120, 0), 120 * 512);
	is(run(list_of(data, 120 * 512)), GOOD);
	command_of(0, CDB(0x2f, 2, 0, 0, 2, 0, 0, 0, 120, 0), 120 * 512);
	is(run(list_of(data, 120 * 512)), GOOD);
	data[40000] ^= 0x10;
	is(run(list_of(data, 120 * 512)), FAILED(0xe1d00));
	is(answer()->srb.sense[5] << 8 | answer()->srb.sense[6], 40000);
	command_of(0, CDB(0x2e, 2, 0, 0, 2, 0, 0, 0, 120, 0), 120 * 512);
	is(run(list_of(data, 120 * 512)), GOOD);
	is(transfer(false, 0, 512 + 40000 / 512, 1, list_of(other, 512)), GOOD);
	check(!memcmp(other, data + 40000 / 512 * 512, 512));

	/* among many others; each is alone with the disk */
	memset(data, 0, 512);
	memset(data + 512, 0, 512);
	is(transfer(true, 0, 900, 1, list_of(data, 512)), GOOD);
	for (n = 0; n < 120; n++) {
		command_of(0, CDB(0x28, 0, 0, 0, 3, 0x84, 0, 0, 1, 0), 512);
		if (n % 4 == 0)
			command_of(0, CDB(0x89, 0, 0, 0, 0, 0, 0, 0, 3, 0x84, 0, 0, 0, 1, 0, 0), 1024);
		if (!send(n, list_of(n % 4 ? other + n % 8 * 512 : data, 1024), sizeof(srb)))
			break;
	}
	check(n > 100);
	for (i = 0; i < n && channel_receive(&c) == STOR_PACKET_BYTES; i++)
		check(outcome() == GOOD);
	channel_done(&c);
	is_(i, n, "all have their answer");
	end();
}

/* @bytes of a list in data */
static u32 list_command(const u8 *cdb, u32 n, u32 bytes)
{
	command_of(0, cdb, n, bytes);
	return run(list_of(data, bytes));
}

static u32 reserve(u32 action, u32 type, u32 key, u32 new_key)
{
	memset(data, 0, 24);
	data[7] = key;
	data[15] = new_key;
	return list_command(CDB(0x5f, action, type, 0, 0, 0, 0, 0, 24, 0), 24);
}

CASE(scsi_states, G_OVID_ONLY | G_VMBUS, 1)
{
	begin();
	/* the write cache off and on */
	memset(data, 0, 24);
	data[4] = 8;
	data[5] = 18;
	is(list_command(CDB(0x15, 0x10, 0, 0, 24, 0), 24), GOOD);
	is(answer()->srb.transfer_length, 24);
	command_of(0, CDB(0x1a, 0, 8, 0, 64, 0), 64);
	is(run(list_of(data, 64)), GOOD);
	is(answer()->srb.transfer_length, 24);
	is(data[6], 0);
	is(transfer(true, 0, 40, 1, list_of(data, 512)), GOOD);
	data[6] = 1;
	is(list_command(CDB(0x15, 0x10, 0, 0, 24, 0), 24), FAILED(0x52600));
	is_(list_command(CDB(0x15, 0x10, 0, 0, 24, 0), 20), INVALID, "less than it says");

	/* a reservation outlives a reset, and the channel */
	is(reserve(0, 0, 0, 9), GOOD);
	is(reserve(1, 5, 9, 0), GOOD);
	is(reserve(1, 6, 9, 0), STOR_SRB_ERROR << 24);
	is(answer()->srb.scsi_status, 0x18);
	channel_close(&c);
	open_again();
	handshake();
	command_of(0, CDB(0x5e, 1, 0, 0, 0, 0, 0, 0, 64, 0), 64);
	is(run(list_of(data, 64)), GOOD);
	is(answer()->srb.transfer_length, 24);
	check(data[15] == 9 && data[21] == 5);
	command_of(0, CDB(0x1a, 0, 8, 0, 64, 0), 64);
	is(run(list_of(data, 64)), GOOD);
	is_(data[6], 4, "the cache is on again");
	is(reserve(3, 0, 9, 0), GOOD);

	/* answers and memory of different lengths */
	command_of(0, CDB(0xa3, 12, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0), 4096);
	is(run(list_of(data, 4096)), GOOD);
	is(answer()->srb.transfer_length, 4 + (data[2] << 8 | data[3]));
	command_of(0, CDB(0xa3, 12, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0), 20);
	is(run(list_of(data, 4096)), GOOD);
	is(answer()->srb.transfer_length, 20);
	command_of(0, CDB(0x28, 0, 0, 0, 0, 50, 0, 0, 2, 0), 4096);
	is(run(list_of(data, 4096)), GOOD);
	is_(answer()->srb.transfer_length, 1024, "more memory than data");
	command_of(0, CDB(0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0), 20);
	is(run(list_of(data, 20)), FAILED(0x52400));
	end();
}

CASE(scsi_refusals, G_OVID_ONLY | G_VMBUS, 1)
{
	begin();
	is(transfer(true, 1, 0, 1, list_of(data, 512)), FAILED(0x72700));
	is(transfer(false, 0, BLOCKS, 1, list_of(data, 512)), FAILED(0x52100));
	is_(transfer(false, 0, 0, 2, list_of(data, 512)), INVALID, "less memory than data");
	is_(transfer(false, 0, 0, 1, 0), INVALID, "none at all");
	list_of(data, 512);
	head.list[1] = 0x9999999;
	is_(transfer(false, 0, 0, 1, 2), INVALID, "memory that is not there");
	head.list[1] = G_ROM / PAGE;
	is_(transfer(false, 0, 0, 1, 2), INVALID, "memory that may not be written to");
	head.list[1] = 1ull << 45;
	is_(transfer(false, 0, 0, 1, 2), INVALID, "a page that no processor has");
	list_of(data, 512);
	head.list[0] = range(512, 4096);
	is_(transfer(false, 0, 0, 1, 2), INVALID, "an offset of a page");
	head.list[0] = range(8192, 0);
	is_(transfer(false, 0, 0, 1, 2), INVALID, "fewer pages than bytes");
	head.ranges = 0xffffffff;
	is_(transfer(false, 0, 0, 1, 2), INVALID, "fewer ranges than said");
	memset(data, 5, 512);
	command_of(0, CDB(0x41, 0, 0, 0, 0, 90, 0, 0, 4, 0), 512);
	is_(run(list_of(data, 512)), FAILED(0x52600), "the same of anything but zeroes");
	memset(&srb, 0, sizeof(srb));
	is(ask(77), STOR_INVALID_REQUEST);
	is_(transfer(false, 0, 1, 1, list_of(data, 512)), GOOD, "after all that it works");
	is(number(data), 1);
	end();
}

/* as many reads and writes as the ring takes: how many */
static u32 flood(u32 most)
{
	u32 n = 0, words;

	for (; n < most; n++) {
		u32 lba = 200 + n % 400;

		words = list_of(n % 3 ? data : other, 4096);
		command_of(0, CDB(n % 3 ? 0x28 : 0x2a, n % 7 ? 0 : 8, 0, 0, lba >> 8, lba, 0, 0, 8, 0),
			   4096);
		if (!send(n, words, sizeof(srb)))
			break;
	}
	return n;
}

CASE(scsi_under_way, G_OVID_ONLY | G_VMBUS, 1)
{
	u32 n, i;

	begin();
	n = flood(2000);
	note("requests at once", n);
	check(n > 100);
	for (i = 0; i < n && channel_receive(&c) == STOR_PACKET_BYTES; i++)
		;
	channel_done(&c);
	is_(i, n, "all have their answer");

	/* a reset is answered behind all that was before it; then each unit says so */
	n = flood(100);
	memset(&srb, 0, sizeof(srb));
	srb.op = STOR_RESET_BUS;
	check(send(~3ull, 0, sizeof(srb)));
	for (i = 0; channel_receive(&c) == STOR_PACKET_BYTES && packet.desc.trans_id != ~3ull; i++)
		;
	channel_done(&c);
	is(i, n);
	is(answer()->status, STOR_OK);
	command_of(1, CDB(0, 0, 0, 0, 0, 0), 0);
	is(run(0), FAILED(0x62902));
	is(run(0), GOOD);

	/* closed and torn down with requests under way, again and again */
	for (i = 0; i < 5; i++) {
		flood(150);
		channel_close(&c);
		open_again();
		handshake();
		is(transfer(false, 1, 9, 1, list_of(data, 512)), GOOD);
		is(number(data), 9);
	}
	flood(150);
	end();
}

/* ---- sub-channels ---- */

static bool is_open[SUBS];
static u32 offered_subs;

static u32 ask_subs(u32 nr)
{
	memset(&srb, 0, sizeof(srb));
	srb.subs = nr;
	return ask(STOR_CREATE_SUBS);
}

/* they are asked for, come, and are opened */
static void open_subs(void)
{
	struct vmbus_w_offer offer[SUBS];
	u32 i;

	is(ask_subs(SUBS), STOR_OK);
	for (i = 0; i < SUBS; i++) {
		expect(VMBUS_OFFER);
		offer[i] = in.offer;
		is(offer[i].sub_index, i + 1);
		check(!memcmp(&offer[i].instance, &c.offer.instance, 16));
	}
	offered_subs = SUBS;
	for (i = 0; i < SUBS; i++) {
		is(channel_open(&sub[i], &offer[i], ring_memory[1] + i * 24 * PAGE, 16, 8), 0);
		is_open[i] = true;
	}
}

/* the primary channel; the host takes the others back */
static void close_all(void)
{
	struct vmbus_w_relid m = { .h.type = VMBUS_CLOSE, .relid = c.offer.relid };

	vmbus_post(&m, sizeof(m));
	m.h.type = VMBUS_RELID_RELEASED;
	for (; offered_subs; offered_subs--) {
		expect(VMBUS_RESCIND);
		is(in.relid.relid, sub[SUBS - offered_subs].offer.relid);
		m.relid = in.relid.relid;
		vmbus_post(&m, sizeof(m));
		is_open[SUBS - offered_subs] = false;
	}
	vmbus_teardown(c.offer.relid, c.gpadl);
}

CASE(scsi_subs, G_OVID_ONLY | G_VMBUS, 1 + SUBS)
{
	u32 i;

	begin();
	is_(ask_subs(SUBS + 1), STOR_INVALID_REQUEST, "no more than there are VPs");
	open_subs();
	is_(ask_subs(1), STOR_INVALID_STATE, "there are some");
	for (i = 0; i < SUBS; i++) {
		by = &sub[i];
		memset(&srb, 0, sizeof(srb));
		is_(ask(STOR_BEGIN_INITIALIZATION), STOR_INVALID_STATE, "there is no handshake");
		is_(ask_subs(1), STOR_INVALID_REQUEST, "it has none of its own");
		memset(data, 0x30 + i, 512);
		is(transfer(true, 0, 1000 + i, 1, list_of(data, 512)), GOOD);
	}
	by = &c;
	is(transfer(false, 0, 1000, SUBS, list_of(data, SUBS * 512)), GOOD);
	check(data[0] == 0x30 && data[1023] == 0x31);

	/* one is closed, and opened again; the others go on */
	channel_close(&sub[0]);
	by = &sub[1];
	is(transfer(false, 1, 9, 1, list_of(data, 512)), GOOD);
	is(channel_open(&sub[0], &sub[0].offer, ring_memory[1], 16, 8), 0);
	by = &sub[0];
	is(transfer(false, 1, 10, 1, list_of(data, 512)), GOOD);
	is(number(data), 10);

	/* all go with the primary channel, and come again */
	for (i = 0; i < 5; i++) {
		by = &sub[i % SUBS];
		flood(150);
		by = &c;
		flood(150);
		close_all();
		open_again();
		handshake();
		open_subs();
	}
	by = &sub[1];
	is(transfer(false, 1, 11, 1, list_of(data, 512)), GOOD);
	is(number(data), 11);
	by = &c;
	close_all();
	open_again();
	end();
}

/* as many answers of a channel, in any order; true: @trans_id is the last of them */
static bool answers(struct channel *of, u32 nr, u64 trans_id)
{
	u32 i;

	for (i = 0; i < nr && channel_receive(of) == STOR_PACKET_BYTES; i++)
		;
	channel_done(of);
	is(i, nr);
	return packet.desc.trans_id == trans_id;
}

/* what is to be alone is so with all channels */
CASE(scsi_subs_alone, G_OVID_ONLY | G_VMBUS, 1 + SUBS)
{
	static u8 pair[1024] __attribute__((aligned(4096)));
	u32 i, n[SUBS + 1];

	begin();
	open_subs();
	is(transfer(false, 0, 900, 1, list_of(pair, 512)), GOOD);
	for (i = 0; i < 60; i++) {
		/* each makes of the number that it expects the next one */
		*(u64 *)pair = i ? 5000 + i - 1 : 900;
		memcpy(pair + 512, pair, 512);
		*(u64 *)(pair + 512) = 5000 + i;
		by = &sub[i % SUBS];
		n[i % SUBS] = flood(20);
		by = &c;
		n[SUBS] = flood(20);
		by = &sub[i % SUBS];
		command_of(0, CDB(0x89, 0, 0, 0, 0, 0, 0, 0, 900 >> 8, 900 & 0xff, 0, 0, 0, 1, 0, 0),
			   1024);
		check(send(~7ull, list_of(pair, 1024), sizeof(srb)));
		by = &c;
		n[SUBS] += flood(20);
		check(answers(&sub[i % SUBS], n[i % SUBS] + 1, ~7ull));
		is(outcome(), GOOD);
		answers(&c, n[SUBS], 0);
	}
	is(transfer(false, 0, 900, 1, list_of(data, 512)), GOOD);
	is(number(data), 5059);

	/* a reset, by a channel that has nothing else to do */
	n[SUBS] = flood(100);
	by = &sub[0];
	memset(&srb, 0, sizeof(srb));
	is(ask(STOR_RESET_BUS), STOR_OK);
	by = &c;
	answers(&c, n[SUBS], 0);
	command_of(1, CDB(0, 0, 0, 0, 0, 0), 0);
	is(run(0), FAILED(0x62902));

	/* it has not begun when its channel is closed */
	flood(100);
	by = &sub[0];
	command_of(0, CDB(0x89, 0, 0, 0, 0, 0, 0, 0, 3, 132, 0, 0, 0, 1, 0, 0), 1024);
	check(send(8, list_of(pair, 1024), sizeof(srb)));
	channel_close(&sub[0]);
	by = &sub[1];
	is(transfer(false, 1, 11, 1, list_of(data, 512)), GOOD);
	by = &c;
	close_all();
	open_again();
	end();
}

/* ---- limits ---- */

/* a block of the slow disk is read; its answer is not awaited */
static bool read_slow(u64 trans_id, u32 lba)
{
	command_of(2, CDB(0x28, 0, 0, 0, lba >> 8, lba, 0, 0, 1, 0), 512);
	return send(trans_id, list_of(other, 512), sizeof(srb));
}

#define TERMINATED	FAILED(0xb0006)

/* requests of the slow disk that wait */
static void wait_slow(u32 n)
{
	for (u32 i = 0; i < n; i++)
		check(read_slow(100 + i, i));
}

static void first_slow(void)
{
	is(transfer(false, 2, 5, 1, list_of(data, 512)), GOOD);
	is_(number(data), 5, "the first one need not wait");
}

CASE(scsi_limited, G_OVID_ONLY | G_VMBUS, 1)
{
	u32 i;

	begin();
	first_slow();
	/* of what waits nothing is heard, and the others do not wait */
	wait_slow(10);
	command_of(2, CDB(0x89, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0), 1024);
	check(send(110, list_of(other, 1024), sizeof(srb)));
	for (i = 0; i < 50; i++)
		is(transfer(i & 1, 0, i, 1, list_of(data, 512)), GOOD);
	is_(compare_write(49, 1, list_of(data, 1024)), GOOD, "nor one that has to be alone");
	command_of(2, CDB(0, 0, 0, 0, 0, 0), 0);
	is_(run(0), GOOD, "nor what moves no data and does not come to the file");

	/* a reset ends them, in order, and then has its answer */
	memset(&srb, 0, sizeof(srb));
	srb.op = STOR_RESET_BUS;
	check(send(~3ull, 0, sizeof(srb)));
	for (i = 0; i < 11; i++) {
		is(hear(100 + i), STOR_OK);
		is(outcome(), TERMINATED);
	}
	is(hear(~3ull), STOR_OK);
	for (i = 0; i < 3; i += 2) {
		command_of(i, CDB(0, 0, 0, 0, 0, 0), 0);
		is(run(0), FAILED(0x62902));
	}

	/* when half of what there may be waits, the disk is busy */
	for (i = 0; i < 256; i += 64) {
		wait_slow(64);
		is(transfer(false, 0, 8 + i, 1, list_of(data, 512)), GOOD);
		is_(number(data), 8 + i, "others are not");
	}
	for (i = 0; i < 10; i++) {
		check(read_slow(1000 + i, i));
		is(hear(1000 + i), STOR_OK);
		is(answer()->srb.srb_status << 8 | answer()->srb.scsi_status, STOR_SRB_BUSY << 8 | 0x28);
	}

	/* what waits when the channel is closed is not heard of; it still has to be paid */
	channel_close(&c);
	open_again();
	handshake();
	wait_slow(3);
	is(transfer(false, 1, 9, 1, list_of(data, 512)), GOOD);
	end();
}

/* what waits is of its channel, and a reset is of all */
CASE(scsi_subs_limited, G_OVID_ONLY | G_VMBUS, 1 + SUBS)
{
	begin();
	open_subs();
	first_slow();
	by = &sub[0];
	wait_slow(3);
	by = &sub[1];
	wait_slow(2);
	command_of(2, CDB(0x89, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0), 1024);
	check(send(102, list_of(other, 1024), sizeof(srb)));
	command_of(2, CDB(0x2f, 2, 0, 0, 0, 0, 0, 0, 1, 0), 512);
	check(send(103, list_of(other, 512), sizeof(srb)));
	channel_close(&sub[0]);
	by = &c;
	is(transfer(false, 0, 40, 1, list_of(data, 512)), GOOD);
	memcpy(data + 512, data, 512);
	is_(compare_write(40, 1, list_of(data, 1024)), GOOD, "alone with what is under way");
	memset(&srb, 0, sizeof(srb));
	is(ask(STOR_RESET_BUS), STOR_OK);
	by = &sub[1];
	for (u32 i = 0; i < 4; i++) {
		is(hear(100 + i), STOR_OK);
		is(outcome(), TERMINATED);
	}
	by = &c;
	command_of(0, CDB(0, 0, 0, 0, 0, 0), 0);
	is(run(0), FAILED(0x62902));
	is(transfer(false, 0, 40, 1, list_of(data, 512)), GOOD);
	close_all();
	open_again();
	end();
}

/* ---- spoken wrongly ---- */

static struct fuzz fuzzer;
static u32 sent, answered, well;

static void spoil_srb(struct fuzz *f)
{
	static const u8 codes[] = {
		0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x25, 0x28, 0x2a, 0x2a, 0x28, 0x2f, 0x35, 0x41, 0x42,
		0x5a, 0x88, 0x8a, 0x91, 0x93, 0x9e, 0xa0, 0xa8, 0xaa, 0x15, 0x1b, 0x1e, 0x2e, 0x2f, 0x4d,
		0x55, 0x5e, 0x5f, 0x5f, 0x89, 0x89, 0x89, 0x8e, 0x8f, 0xa3, 0xae, 0xaf,
	};
	u8 cdb[16] = { pick(f, codes), any(f) & (one_in(f, 4) ? 0xff : 10) };

	/* a few blocks, mostly within the disk */
	for (u32 i = 2; i < 16; i++)
		cdb[i] = one_in(f, 12) ? any(f) : 0;
	cdb[4 + any(f) % 4] = any(f) % 8;
	cdb[8 + any(f) % 6] = any(f) % 32;
	if (cdb[0] == 0x89)
		cdb[13] = any(f) % 16;
	command_of(any(f) % 3, cdb, 16, one_in(f, 8) ? odd(f) : 16384);
	if (one_in(f, 8))
		srb.srb.cdb_length = any(f);
	if (one_in(f, 16))
		srb.op = any(f) % 16;
	if (one_in(f, 8))
		((u8 *)&srb)[any(f) % sizeof(srb)] = any(f);
}

static u32 spoil_list(struct fuzz *f)
{
	u32 pages = one_in(f, 4) ? any(f) % LIST : 4, words = 1 + pages;

	if (one_in(f, 4))
		return 0;
	head.ranges = one_in(f, 16) ? odd(f) : 1;
	head.list[0] = range(one_in(f, 8) ? odd(f) : pages * PAGE, one_in(f, 8) ? any(f) % 5000 : 0);
	for (u32 i = 1; i < words; i++)
		head.list[i] = one_in(f, 64) ? odd(f) | 0x10000 : one_in(f, 128) ? G_ROM / PAGE :
			       gpa(data) / PAGE + any(f) % 16;
	if (one_in(f, 16)) {
		head.ranges = 2;
		head.list[any(f) % words] = range(any(f) % 8192, 1 + any(f) % 4095);
	}
	return words;
}

/* what is in the memory of requests changes meanwhile, too */
static void scribble(struct fuzz *f)
{
	for (u32 i = any(f) % 64; i; i--)
		*(volatile u64 *)(data + any(f) % (sizeof(data) - 8)) = odd(f);
}

static void drain(struct channel *of)
{
	u32 n;

	while ((n = guest_next(&of->in, &packet, sizeof(packet)))) {
		answered++;
		well += answer()->srb.srb_status == STOR_SRB_SUCCESS;
	}
	channel_done(of);
}

static void drain_all(void)
{
	drain(&c);
	for (u32 i = 0; i < SUBS; i++)
		if (is_open[i])
			drain(&sub[i]);
}

static void another_channel(struct fuzz *f)
{
	u32 i = any(f) % (SUBS + 1);

	by = i < SUBS && is_open[i] ? &sub[i] : &c;
}

/* closed, in any order, and opened again, with sub-channels or without */
static void all_anew(struct fuzz *f)
{
	u32 i = any(f) % SUBS;

	by = &c;
	if (one_in(f, 2) && is_open[i]) {
		channel_close(&sub[i]);
		is_open[i] = false;
	}
	close_all();
	open_again();
	if (one_in(f, 8))
		return;
	handshake();
	if (one_in(f, 2))
		open_subs();
}

static void step(struct fuzz *f)
{
	u32 r = any(f) % 256;

	f->ops++;
	if (r == 0) {
		all_anew(f);
	} else if (r < 12) {
		another_channel(f);
	} else if (r < 16) {
		scribble(f);
	} else if (r < 40) {
		drain_all();
	} else if (r < 44) {
		nap(1);
	} else {
		u32 words = spoil_list(f);

		spoil_srb(f);
		sent += send(odd(f), words, one_in(f, 32) ? any(f) % 64 : 64);
	}
}

CASE(scsi_hostile, G_OVID_ONLY | G_VMBUS | G_FUZZ | G_LONG_TIME, 1 + SUBS)
{
	struct fuzz *f = &fuzzer;

	begin();
	f->state = host->seed;
	while (!host->stop && (!host->count || f->ops < host->count))
		step(f);
	note("requests", sent);
	note("answers", answered);
	note("which were good", well);
	check(sent && answered && well);
	by = &c;
	close_all();
	open_again();
	handshake();
	is(transfer(false, 1, 9, 1, list_of(data, 512)), GOOD);
	is(number(data), 9);
	end();
}
