// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for fault_rule.c: what a line means, which lines mean nothing, and when a rule is due.
 */
#include <kunit/test.h>
#include "fault_rule.c"

static int parse(const char *line, struct ovid_fault_rule *rule)
{
	char text[2 * OVID_FAULT_TEXT];

	memcpy(text, line, strlen(line) + 1);
	return ovid_fault_parse(text, rule);
}

static void reads(struct kunit *test)
{
	struct ovid_fault_rule r;

	KUNIT_EXPECT_EQ(test, parse("drop in", &r), 0);
	KUNIT_EXPECT_EQ(test, (int)r.what, (int)OVID_FAULT_DROP);
	KUNIT_EXPECT_EQ(test, (int)r.where, (int)OVID_FAULT_IN);
	KUNIT_EXPECT_EQ(test, r.nth, 1u);
	KUNIT_EXPECT_EQ(test, r.times, 1u);
	KUNIT_EXPECT_EQ(test, r.type, 0u);
	KUNIT_EXPECT_STREQ(test, r.text, "drop in");

	KUNIT_EXPECT_EQ(test, parse(" delay  out\ttype=OPEN_RESULT ms=250 times=0 nth=3 ", &r), 0);
	KUNIT_EXPECT_EQ(test, (int)r.what, (int)OVID_FAULT_DELAY);
	KUNIT_EXPECT_EQ(test, (int)r.where, (int)OVID_FAULT_OUT);
	KUNIT_EXPECT_EQ(test, r.type, (u32)VMBUS_OPEN_RESULT);
	KUNIT_EXPECT_EQ(test, r.ms, 250u);
	KUNIT_EXPECT_EQ(test, r.times, 0u);
	KUNIT_EXPECT_EQ(test, r.nth, 3u);

	KUNIT_EXPECT_EQ(test, parse("refuse gpadl relid=0x1f provider=kvp", &r), 0);
	KUNIT_EXPECT_EQ(test, r.relid, 31u);
	KUNIT_EXPECT_STREQ(test, r.provider, "kvp");
	KUNIT_EXPECT_EQ(test, parse("rescind packet", &r), 0);
	KUNIT_EXPECT_EQ(test, parse("rescind in type=26", &r), 0);
	KUNIT_EXPECT_EQ(test, r.type, 26u);
	KUNIT_EXPECT_EQ(test, parse("corrupt packet field=length", &r), 0);
	KUNIT_EXPECT_EQ(test, (int)r.field, (int)OVID_FAULT_LENGTH);
	KUNIT_EXPECT_EQ(test, r.xor, ~0ull);
	KUNIT_EXPECT_EQ(test, parse("corrupt packet field=flags xor=0xffffffffffffffff", &r), 0);
}

static void refuses(struct kunit *test)
{
	static const char *const lines[] = {
		"", " ", "drop", "drop in out", "in drop", "lose in", "drop packet", "drop open",
		"refuse in", "refuse packet", "rescind open", "corrupt in field=type",
		"corrupt packet", "corrupt packet field=", "corrupt packet field=colour",
		"drop in field=type", "drop in ms=1", "delay in", "delay in ms=0",
		"delay in ms=10001", "drop in nth=0", "drop in nth=", "drop in nth=1x",
		"drop in nth=0x", "drop in nth=-1", "drop in nth=4294967296", "drop in type=OPENED",
		"drop in type", "drop in =1", "drop in provider=", "drop in provider=0123456789abcdef",
		"refuse open type=OPEN", "corrupt packet field=type xor=0x10000000000000000",
	};
	char text[OVID_FAULT_TEXT + 1];
	struct ovid_fault_rule r;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lines); i++)
		KUNIT_EXPECT_EQ_MSG(test, parse(lines[i], &r), -EINVAL, "%s", lines[i]);
	memset(text, ' ', sizeof(text));
	memcpy(text, "drop in", 7);
	text[OVID_FAULT_TEXT] = 0;
	KUNIT_EXPECT_EQ(test, parse(text, &r), -EINVAL);
	text[OVID_FAULT_TEXT - 1] = 0;
	KUNIT_EXPECT_EQ(test, parse(text, &r), 0);
}

static void counts(struct kunit *test)
{
	struct ovid_fault_event event = { .what = OVID_FAULT_DROP, .where = OVID_FAULT_IN };
	struct ovid_fault_rule r;
	u32 i, done = 0;

	event.provider = "";
	parse("drop in nth=3 times=2", &r);
	for (i = 1; i <= 10; i++)
		KUNIT_EXPECT_EQ(test, ovid_fault_due(&r, &event), i == 3 || i == 4);
	KUNIT_EXPECT_EQ(test, r.seen, 10ull);
	KUNIT_EXPECT_EQ(test, r.done, 2ull);
	parse("drop in nth=3 times=0", &r);
	for (i = 0; i < 10; i++)
		done += ovid_fault_due(&r, &event);
	KUNIT_EXPECT_EQ(test, done, 8u);
}

/* what does not fit is not counted */
static void fits_only(struct kunit *test)
{
	struct ovid_fault_event event = {
		.what = OVID_FAULT_DROP, .where = OVID_FAULT_OUT, .type = VMBUS_OFFER, .relid = 4,
		.provider = "kvp",
	};
	struct ovid_fault_rule r;
	static const char *const others[] = {
		"delay out ms=1", "drop in", "drop out type=RESCIND", "drop out relid=5",
		"drop out provider=vss",
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		parse(others[i], &r);
		KUNIT_EXPECT_FALSE_MSG(test, ovid_fault_due(&r, &event), "%s", others[i]);
		KUNIT_EXPECT_EQ(test, r.seen, 0ull);
	}
	parse("drop out type=OFFER relid=4 provider=kvp", &r);
	KUNIT_EXPECT_TRUE(test, ovid_fault_due(&r, &event));
}

static void names_channels(struct kunit *test)
{
	struct vmbus_w_offer offer = { .h.type = VMBUS_OFFER, .relid = 9 };
	struct vmbus_w_relid m = { .relid = 7 };

	KUNIT_EXPECT_EQ(test, ovid_fault_relid(&offer, sizeof(offer)), 9u);
	KUNIT_EXPECT_EQ(test, ovid_fault_relid(&offer, sizeof(offer) - 1), 0u);
	m.h.type = VMBUS_CLOSE;
	KUNIT_EXPECT_EQ(test, ovid_fault_relid(&m, sizeof(m)), 7u);
	KUNIT_EXPECT_EQ(test, ovid_fault_relid(&m, 8), 0u);
	m.h.type = VMBUS_GPADL_TORNDOWN;
	KUNIT_EXPECT_EQ(test, ovid_fault_relid(&m, sizeof(m)), 0u);
}

static void spoils(struct kunit *test)
{
	struct { struct vmbus_w_packet p; u64 payload; } was = {
		{ 6, 2, 3, 1, 0x55 }, 0x1122
	}, now;
	static const char *const lines[] = {
		"type", "offset", "length", "flags", "transaction", "payload",
	};
	struct ovid_fault_rule r;
	char line[64];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(line, sizeof(line), "corrupt packet field=%s xor=0x3", lines[i]);
		KUNIT_ASSERT_EQ(test, parse(line, &r), 0);
		now = was;
		ovid_fault_spoil(&r, &now.p, 8);
		KUNIT_EXPECT_EQ(test, now.p.type, was.p.type ^ (i == 0 ? 3 : 0));
		KUNIT_EXPECT_EQ(test, now.p.offset8, was.p.offset8 ^ (i == 1 ? 3 : 0));
		KUNIT_EXPECT_EQ(test, now.p.len8, was.p.len8 ^ (i == 2 ? 3 : 0));
		KUNIT_EXPECT_EQ(test, now.p.flags, was.p.flags ^ (i == 3 ? 3 : 0));
		KUNIT_EXPECT_EQ(test, now.p.trans_id, was.p.trans_id ^ (i == 4 ? 3 : 0));
		KUNIT_EXPECT_EQ(test, now.payload, was.payload ^ (i == 5 ? 3 : 0));
	}
	now = was;
	ovid_fault_spoil(&r, &now.p, 0);
	KUNIT_EXPECT_EQ(test, now.payload, was.payload);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(reads),
	KUNIT_CASE(refuses),
	KUNIT_CASE(counts),
	KUNIT_CASE(fits_only),
	KUNIT_CASE(names_channels),
	KUNIT_CASE(spoils),
	{}
};

static struct kunit_suite suite = {
	.name = "ovid_fault_rule",
	.test_cases = cases,
};
kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of the rules of faults");
MODULE_LICENSE("GPL");
