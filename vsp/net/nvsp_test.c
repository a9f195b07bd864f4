// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for NVSP: versions, buffers, sub-channels, and what is said of each, as Linux's
 * drivers/net/hyperv/netvsc.c wants it.
 */
#include <kunit/test.h>
#include "nvsp.c"

static struct nvsp_w_message msg;
static u32 said;	/* bytes of the answer */
static u16 granted;

/* @bytes of @m, of a guest that may have @subs */
static enum ovid_nvsp_do ask(struct ovid_nvsp *nvsp, bool primary, struct nvsp_w_message m,
			     u32 bytes, u16 subs)
{
	msg = m;
	said = bytes;
	granted = subs;
	return ovid_nvsp_message(nvsp, primary, &msg, &said, &granted);
}

static enum ovid_nvsp_do send(struct ovid_nvsp *nvsp, struct nvsp_w_message m)
{
	return ask(nvsp, true, m, sizeof(m), 0);
}

static struct nvsp_w_message init(u32 min, u32 max)
{
	return (struct nvsp_w_message){ .type = NVSP_INIT, .init = { min, max } };
}

static void agree_on(struct kunit *test, struct ovid_nvsp *nvsp, u32 version)
{
	KUNIT_ASSERT_EQ(test, NVSP_DO_REPLY, send(nvsp, init(version, version)));
	KUNIT_ASSERT_EQ(test, NVSP_INIT_COMPLETE, msg.type);
	KUNIT_ASSERT_EQ(test, NVSP_OK, msg.init_complete.status);
	KUNIT_ASSERT_EQ(test, version, nvsp->version);
}

static void nvsp_versions(struct kunit *test)
{
	static const u32 known[] = { 0x60001, 0x60000, 0x50000, 0x40000, 0x30002, 0x2 };
	static const u32 unknown[] = { 0, 1, 3, 0x30001, 0x50001, 0x60002, 0x70000, ~0u };
	struct ovid_nvsp nvsp = {};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		send(&nvsp, init(unknown[i], unknown[i]));
		KUNIT_EXPECT_EQ(test, NVSP_INIT_COMPLETE, msg.type);
		KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.init_complete.status);
		KUNIT_EXPECT_EQ(test, 0, nvsp.version);
	}
	/* one after the other, as a guest asks that is refused */
	for (i = 0; i < ARRAY_SIZE(known); i++)
		agree_on(test, &nvsp, known[i]);
	/* the newest of a range */
	send(&nvsp, init(0x2, 0x55555));
	KUNIT_EXPECT_EQ(test, 0x50000, msg.init_complete.version);
	send(&nvsp, init(5, 2));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.init_complete.status);
	/* not with a buffer any more */
	nvsp.rx = true;
	send(&nvsp, init(0x60001, 0x60001));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.init_complete.status);
	KUNIT_EXPECT_EQ(test, 0x50000, nvsp.version);
}

static void nvsp_config(struct kunit *test)
{
	struct nvsp_w_message config = {
		.type = NVSP_NDIS_CONFIG, .ndis_config = { .mtu = 9014, .caps = NVSP_CAP_RSC },
	};
	struct nvsp_w_message ndis = { .type = NVSP_NDIS_VERSION, .ndis_version = { 6, 30 } };
	struct ovid_nvsp nvsp = {};

	agree_on(test, &nvsp, NVSP_VERSION_1);
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, send(&nvsp, config));
	KUNIT_EXPECT_EQ(test, 0, said);
	KUNIT_EXPECT_EQ(test, 0, nvsp.mtu);
	agree_on(test, &nvsp, NVSP_VERSION_61);
	send(&nvsp, config);
	KUNIT_EXPECT_EQ(test, 9014, nvsp.mtu);
	KUNIT_EXPECT_EQ(test, NVSP_CAP_RSC, nvsp.caps);
	send(&nvsp, ndis);
	KUNIT_EXPECT_EQ(test, 0, said);
	KUNIT_EXPECT_EQ(test, 6 << 16 | 30, nvsp.ndis);
	/* parts are as large as was said when the buffer came */
	nvsp.rx = true;
	config.ndis_config.mtu = 1514;
	send(&nvsp, config);
	KUNIT_EXPECT_EQ(test, 9014, nvsp.mtu);
}

static void nvsp_buffers(struct kunit *test)
{
	struct nvsp_w_message rx = { .type = NVSP_RX_BUFFER, .buffer = { 7, NVSP_RX_BUFFER_ID } };
	struct nvsp_w_message tx = { .type = NVSP_TX_BUFFER, .buffer = { 8, 0 } };
	struct nvsp_w_message other = { .type = NVSP_RX_BUFFER, .buffer = { 7, 1 } };
	struct ovid_nvsp nvsp = {};

	/* before there is a version */
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, send(&nvsp, rx));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.rx_complete.status);
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, send(&nvsp, tx));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.tx_complete.status);
	agree_on(test, &nvsp, NVSP_VERSION_61);
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, send(&nvsp, other));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.rx_complete.status);

	KUNIT_EXPECT_EQ(test, NVSP_DO_RX_BUFFER, send(&nvsp, rx));
	ovid_nvsp_rx(&nvsp, &msg, 0, 0);
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.rx_complete.status);
	KUNIT_EXPECT_FALSE(test, nvsp.rx);
	KUNIT_EXPECT_EQ(test, NVSP_DO_RX_BUFFER, send(&nvsp, rx));
	ovid_nvsp_rx(&nvsp, &msg, 100, 4096);
	KUNIT_EXPECT_EQ(test, NVSP_RX_BUFFER_COMPLETE, msg.type);
	KUNIT_EXPECT_EQ(test, NVSP_OK, msg.rx_complete.status);
	KUNIT_EXPECT_EQ(test, 1, msg.rx_complete.nr_sections);
	KUNIT_EXPECT_EQ(test, 0, msg.rx_complete.offset);
	KUNIT_EXPECT_EQ(test, 4096, msg.rx_complete.section_bytes);
	KUNIT_EXPECT_EQ(test, 100, msg.rx_complete.nr_parts);
	KUNIT_EXPECT_EQ(test, 409600, msg.rx_complete.end_offset);
	KUNIT_EXPECT_EQ(test, NVSP_DO_TX_BUFFER, send(&nvsp, tx));
	ovid_nvsp_tx(&nvsp, &msg, 6144);
	KUNIT_EXPECT_EQ(test, NVSP_OK, msg.tx_complete.status);
	KUNIT_EXPECT_EQ(test, 6144, msg.tx_complete.section_bytes);

	/* one of each */
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, send(&nvsp, rx));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.rx_complete.status);
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, send(&nvsp, tx));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.tx_complete.status);
	rx.type = NVSP_RX_REVOKE;
	KUNIT_EXPECT_EQ(test, NVSP_DO_RX_REVOKE, send(&nvsp, rx));
	KUNIT_EXPECT_EQ(test, 0, said);
	tx.type = NVSP_TX_REVOKE;
	KUNIT_EXPECT_EQ(test, NVSP_DO_TX_REVOKE, send(&nvsp, tx));
}

static void nvsp_subs(struct kunit *test)
{
	struct nvsp_w_message m = { .type = NVSP_SUBS, .subs = { NVSP_SUBS_ALLOCATE, 5 } };
	struct ovid_nvsp nvsp = {};

	agree_on(test, &nvsp, NVSP_VERSION_4);
	nvsp.rx = true;
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, ask(&nvsp, true, m, sizeof(m), 3));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.subs.op);
	nvsp = (struct ovid_nvsp){};
	agree_on(test, &nvsp, NVSP_VERSION_5);
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, ask(&nvsp, true, m, sizeof(m), 3));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.subs.op);
	nvsp.rx = true;
	KUNIT_EXPECT_EQ(test, NVSP_DO_SUBS, ask(&nvsp, true, m, sizeof(m), 3));
	KUNIT_EXPECT_EQ(test, NVSP_SUBS, msg.type);
	KUNIT_EXPECT_EQ(test, NVSP_OK, msg.subs.op);
	KUNIT_EXPECT_EQ(test, 3, msg.subs.count);
	KUNIT_EXPECT_EQ(test, 3, granted);
	/* once */
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, ask(&nvsp, true, m, sizeof(m), 3));
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.subs.op);

	nvsp.subs = 0;
	KUNIT_EXPECT_EQ(test, NVSP_DO_SUBS, ask(&nvsp, true, m, sizeof(m), 63));
	KUNIT_EXPECT_EQ(test, 5, granted);
	ovid_nvsp_no_subs(&nvsp, &msg);
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.subs.op);
	KUNIT_EXPECT_EQ(test, 0, msg.subs.count);
	KUNIT_EXPECT_EQ(test, 0, nvsp.subs);
	/* as many as there may be, which is none */
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, ask(&nvsp, true, m, sizeof(m), 0));
	KUNIT_EXPECT_EQ(test, NVSP_OK, msg.subs.op);
	KUNIT_EXPECT_EQ(test, 0, msg.subs.count);
	m.subs.op = 2;
	ask(&nvsp, true, m, sizeof(m), 3);
	KUNIT_EXPECT_EQ(test, NVSP_FAIL, msg.subs.op);
}

/* other channels, short messages and those that nobody knows: taken, and nothing is done */
static void nvsp_nonsense(struct kunit *test)
{
	static const u32 types[] = {
		NVSP_INIT, NVSP_NDIS_VERSION, NVSP_RX_BUFFER, NVSP_RX_REVOKE, NVSP_TX_BUFFER,
		NVSP_TX_REVOKE, NVSP_NDIS_CONFIG, NVSP_SUBS, NVSP_SWITCH_PATH,
	};
	struct ovid_nvsp nvsp = {}, before;
	struct nvsp_w_message m = {};
	u32 i;

	agree_on(test, &nvsp, NVSP_VERSION_61);
	nvsp.rx = true;
	before = nvsp;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		m.type = types[i];
		KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, ask(&nvsp, false, m, sizeof(m), 3));
		KUNIT_EXPECT_EQ(test, 0, said);
		KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, ask(&nvsp, true, m, 4, 3));
		KUNIT_EXPECT_EQ(test, 0, said);
	}
	for (m.type = 0; m.type < 300; m.type++) {
		if (least(m.type))
			continue;
		KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, send(&nvsp, m));
		KUNIT_EXPECT_EQ(test, 0, said);
	}
	KUNIT_EXPECT_EQ(test, 0, memcmp(&nvsp, &before, sizeof(nvsp)));
	/* Linux waits for ever where this has a word */
	m.type = NVSP_SWITCH_PATH;
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, send(&nvsp, m));
	KUNIT_EXPECT_EQ(test, 0, said);
	m.type = NVSP_RNDIS;
	KUNIT_EXPECT_EQ(test, NVSP_DO_RNDIS, ask(&nvsp, false, m, 16, 0));
	KUNIT_EXPECT_EQ(test, NVSP_DO_REPLY, ask(&nvsp, false, m, 15, 0));
	KUNIT_EXPECT_EQ(test, 8, ovid_nvsp_rndis(&msg, NVSP_OK));
	KUNIT_EXPECT_EQ(test, NVSP_RNDIS_COMPLETE, msg.type);
	KUNIT_EXPECT_EQ(test, NVSP_OK, msg.status);
}

static void nvsp_saved(struct kunit *test)
{
	struct ovid_nvsp nvsp = {};

	KUNIT_EXPECT_TRUE(test, ovid_nvsp_ok(&nvsp));
	nvsp.rx = true;
	KUNIT_EXPECT_FALSE(test, ovid_nvsp_ok(&nvsp));
	nvsp.version = NVSP_VERSION_5;
	KUNIT_EXPECT_TRUE(test, ovid_nvsp_ok(&nvsp));
	*(u8 *)&nvsp.tx = 2;
	KUNIT_EXPECT_FALSE(test, ovid_nvsp_ok(&nvsp));
	*(u8 *)&nvsp.tx = 1;
	nvsp.version = 0x50001;
	KUNIT_EXPECT_FALSE(test, ovid_nvsp_ok(&nvsp));
}

static struct kunit_case nvsp_cases[] = {
	KUNIT_CASE(nvsp_versions),
	KUNIT_CASE(nvsp_config),
	KUNIT_CASE(nvsp_buffers),
	KUNIT_CASE(nvsp_subs),
	KUNIT_CASE(nvsp_nonsense),
	KUNIT_CASE(nvsp_saved),
	{}
};

static struct kunit_suite nvsp_suite = {
	.name = "ovid_nvsp",
	.test_cases = nvsp_cases,
};

kunit_test_suite(nvsp_suite);
