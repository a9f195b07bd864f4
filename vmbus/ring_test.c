// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for ring.c: packets of all sizes around the ring in both directions, each
 * field that a guest can spoil, and tables of when a signal is due.  What only
 * two threads or a random order show is in selftests/unit/ring_threads.c and
 * selftests/fuzz/fuzz_ring.c.
 */
#include <kunit/test.h>
#ifdef __KERNEL__
#include <linux/mm.h>
#include <linux/vmalloc.h>
#else
#include "twice.h"
#endif
#include "ring.c"

#define SIZE	8192u
#define MINIMUM	24u	/* an empty packet */

struct fixture {
	struct vmbus_w_ring *ctl;
	u8 *data;
	struct ovid_ring ring;
#ifdef __KERNEL__
	struct page *pages[SIZE / PAGE_SIZE];
#endif
};

#ifdef __KERNEL__
static int map_data(struct fixture *f)
{
	struct page *twice[2 * ARRAY_SIZE(f->pages)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f->pages); i++) {
		f->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!f->pages[i])
			return -ENOMEM;
		twice[i] = f->pages[i];
		twice[i + ARRAY_SIZE(f->pages)] = f->pages[i];
	}
	f->data = vmap(twice, ARRAY_SIZE(twice), VM_MAP, PAGE_KERNEL);
	return f->data ? 0 : -ENOMEM;
}

static void unmap_data(struct fixture *f)
{
	unsigned int i;

	vunmap(f->data);
	for (i = 0; i < ARRAY_SIZE(f->pages); i++)
		if (f->pages[i])
			__free_page(f->pages[i]);
}
#else
static int map_data(struct fixture *f)
{
	f->data = twice_map(SIZE);
	return f->data ? 0 : -ENOMEM;
}

static void unmap_data(struct fixture *f)
{
	twice_unmap(f->data, SIZE);
}
#endif

static int ring_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	test->priv = f;
	if (!f)
		return -ENOMEM;
	f->ctl = kunit_kzalloc(test, sizeof(*f->ctl), GFP_KERNEL);
	return f->ctl ? map_data(f) : -ENOMEM;
}

static void ring_exit(struct kunit *test)
{
	if (test->priv)
		unmap_data(test->priv);
}

static struct fixture *reader(struct kunit *test, u32 at)
{
	struct fixture *f = test->priv;

	f->ctl->read = at;
	f->ctl->write = at;
	KUNIT_ASSERT_EQ(test, 0, ovid_ring_init_in(&f->ring, f->ctl, f->data, SIZE));
	return f;
}

static struct fixture *writer(struct kunit *test, u32 at)
{
	struct fixture *f = test->priv;

	f->ctl->read = at;
	f->ctl->write = at;
	KUNIT_ASSERT_EQ(test, 0, ovid_ring_init_out(&f->ring, f->ctl, f->data, SIZE));
	return f;
}

static u8 byte_of(u32 packet, u32 i)
{
	return packet * 37 + i * 11 + (i >> 8);
}

/* as a guest does, byte by byte around the end; the index is not published: returns it */
static u32 guest_put(struct fixture *f, u32 at, struct vmbus_w_packet desc, u32 number)
{
	u32 i, len = desc.len8 * 8;

	for (i = 0; i < len + VMBUS_PACKET_TRAILER; i++)
		f->data[(at + i) % SIZE] = i < 16 ? ((u8 *)&desc)[i] : byte_of(number, i);
	return (at + len + VMBUS_PACKET_TRAILER) % SIZE;
}

static struct vmbus_w_packet desc_of(u32 header, u32 bytes)
{
	return (struct vmbus_w_packet){
		.type = VMBUS_PKT_GPA_DIRECT, .offset8 = header / 8, .len8 = bytes / 8,
		.flags = VMBUS_PACKET_COMPLETION, .trans_id = 0x1122334455667788ull,
	};
}

static void begin(struct kunit *test)
{
	struct fixture *f = writer(test, 0x1238);
	static const u32 sizes[] = { 0, 1, 4095, 4097, OVID_RING_MAX_SIZE + 4096, ~4095u };
	static const u32 bad[] = { SIZE, SIZE + 8, 4, 1, 0x123c, ~0u, ~7u };
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0x1238u, f->ring.at);
	KUNIT_EXPECT_EQ(test, 1u, f->ctl->features);
	KUNIT_EXPECT_FALSE(test, ovid_ring_commit_write(&f->ring));
	f->ctl->features = 0x80;
	f = writer(test, 0);
	KUNIT_EXPECT_EQ(test, 0x81u, f->ctl->features);
	f->ctl->features = 0;	/* of the other ring it is the guest's */
	f = reader(test, 8);
	KUNIT_EXPECT_EQ(test, 0u, f->ctl->features);
	KUNIT_EXPECT_EQ(test, 8u, f->ring.at);

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_EQ(test, -EINVAL,
				ovid_ring_init_in(&f->ring, f->ctl, f->data, sizes[i]));
		KUNIT_EXPECT_EQ(test, -EINVAL,
				ovid_ring_init_out(&f->ring, f->ctl, f->data, sizes[i]));
	}
	for (i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
		f->ctl->read = i & 1 ? 0 : bad[i / 2];
		f->ctl->write = i & 1 ? bad[i / 2] : 0;
		KUNIT_EXPECT_EQ(test, -EPROTO, ovid_ring_init_in(&f->ring, f->ctl, f->data, SIZE));
		KUNIT_EXPECT_EQ(test, -EPROTO, ovid_ring_init_out(&f->ring, f->ctl, f->data, SIZE));
	}
}

static void read_one(struct kunit *test)
{
	struct fixture *f = reader(test, SIZE - 16);
	struct ovid_packet pkt;
	u8 buf[128];
	u32 i;

	KUNIT_EXPECT_EQ(test, 0, ovid_ring_peek(&f->ring, &pkt));
	KUNIT_EXPECT_FALSE(test, ovid_ring_pending(&f->ring));
	f->ctl->write = guest_put(f, SIZE - 16, desc_of(32, 64), 1);
	KUNIT_EXPECT_TRUE(test, ovid_ring_pending(&f->ring));
	KUNIT_ASSERT_EQ(test, 1, ovid_ring_peek(&f->ring, &pkt));
	KUNIT_EXPECT_EQ(test, 32u, pkt.header);
	KUNIT_EXPECT_EQ(test, 32u, pkt.payload);
	KUNIT_EXPECT_EQ(test, (int)VMBUS_PKT_GPA_DIRECT, (int)pkt.type);
	KUNIT_EXPECT_EQ(test, (int)VMBUS_PACKET_COMPLETION, (int)pkt.flags);
	KUNIT_EXPECT_EQ(test, 0x1122334455667788ull, (unsigned long long)pkt.trans_id);

	/* what is changed afterwards does not count */
	f->ctl->write = 0;
	memset(f->data + SIZE - 16, 0xff, 8);
	KUNIT_EXPECT_TRUE(test, ovid_ring_copy(&f->ring, &pkt, 16, buf, 48));
	for (i = 0; i < 48; i++)
		KUNIT_EXPECT_EQ(test, byte_of(1, 16 + i), buf[i]);
	KUNIT_EXPECT_TRUE(test, ovid_ring_copy(&f->ring, &pkt, 64, buf, 0));
	KUNIT_EXPECT_FALSE(test, ovid_ring_copy(&f->ring, &pkt, 64, buf, 1));
	KUNIT_EXPECT_FALSE(test, ovid_ring_copy(&f->ring, &pkt, 0, buf, 65));
	KUNIT_EXPECT_FALSE(test, ovid_ring_copy(&f->ring, &pkt, 65, buf, 0));
	KUNIT_EXPECT_FALSE(test, ovid_ring_copy(&f->ring, &pkt, 16, buf, ~0u));
	KUNIT_EXPECT_FALSE(test, ovid_ring_copy(&f->ring, &pkt, ~0u, buf, 2));

	ovid_ring_pop(&f->ring, &pkt);
	KUNIT_EXPECT_EQ(test, SIZE - 16, f->ctl->read);	/* not told yet */
	ovid_ring_commit_read(&f->ring);
	KUNIT_EXPECT_EQ(test, 56u, f->ctl->read);
}

static void descriptors(struct kunit *test)
{
	/* 64 bytes are there, 56 without the trailer */
	static const struct { u16 offset8, len8; bool good; } cases[] = {
		{ 2, 7, true }, { 7, 7, true }, { 2, 2, true }, { 3, 3, true },
		{ 2, 8 }, { 2, 9 }, { 2, 0xffff }, { 0xffff, 0xffff }, { 2, 0x8000 },
		{ 2, 0x2000 }, { 2, 0 }, { 2, 1 }, { 0, 0 }, { 1, 1 }, { 1, 7 }, { 0, 7 }, { 8, 7 },
		{ 0xffff, 7 }, { 3, 2 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture *f = reader(test, SIZE - 32);
		struct vmbus_w_packet desc = desc_of(16, 56);
		struct ovid_packet pkt;
		int want = -EPROTO;

		desc.offset8 = cases[i].offset8;
		desc.len8 = cases[i].len8;
		memcpy(f->data + SIZE - 32, &desc, sizeof(desc));
		f->ctl->write = 32;
		if (cases[i].good)
			want = 1;
		KUNIT_EXPECT_EQ_MSG(test, want, ovid_ring_peek(&f->ring, &pkt), "case %u", i);
	}
}

static void write_indexes(struct kunit *test)
{
	static const u32 bad[] = { SIZE, SIZE + 8, 2 * SIZE, 1, 4, 0x7fffffff, ~0u, ~7u,
				   /* not bad by itself, but no packet is that short */
				   8, 16 };
	struct ovid_packet pkt;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fixture *f = reader(test, 0);

		f->ctl->write = bad[i];
		KUNIT_EXPECT_EQ_MSG(test, -EPROTO, ovid_ring_peek(&f->ring, &pkt), "case %u", i);
		KUNIT_EXPECT_TRUE(test, ovid_ring_pending(&f->ring));
		KUNIT_EXPECT_TRUE(test, ovid_ring_unmask(&f->ring));
	}
}

/* an index is not looked at again before what it promised was read */
static void write_index_goes_back(struct kunit *test)
{
	struct fixture *f = reader(test, 0);
	struct ovid_packet pkt;
	u32 at;

	at = guest_put(f, 0, desc_of(16, 16), 0);
	f->ctl->write = guest_put(f, at, desc_of(16, 24), 0);
	KUNIT_ASSERT_EQ(test, 1, ovid_ring_peek(&f->ring, &pkt));
	f->ctl->write = pkt.at + 24;
	ovid_ring_pop(&f->ring, &pkt);
	KUNIT_EXPECT_TRUE(test, ovid_ring_pending(&f->ring));
	f->ctl->write = 8;
	KUNIT_EXPECT_EQ(test, 1, ovid_ring_peek(&f->ring, &pkt));
	KUNIT_EXPECT_EQ(test, 8u, pkt.payload);
	ovid_ring_pop(&f->ring, &pkt);
	/* now 8 is taken for all of the ring but 48 bytes: old memory, zeroes here */
	KUNIT_EXPECT_EQ(test, -EPROTO, ovid_ring_peek(&f->ring, &pkt));
}

static void read_around(struct kunit *test)
{
	struct fixture *f = reader(test, 4088);
	u8 *buf = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	u32 at = 4088, bytes, i;
	struct ovid_packet pkt;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (bytes = 16; bytes <= SIZE - 16; bytes += 8) {
		at = guest_put(f, at, desc_of(16 + bytes * 8 % (bytes - 8), bytes), bytes);
		f->ctl->write = at;
		KUNIT_ASSERT_EQ(test, 1, ovid_ring_peek(&f->ring, &pkt));
		KUNIT_ASSERT_EQ(test, bytes, pkt.header + pkt.payload);
		KUNIT_ASSERT_TRUE(test, ovid_ring_copy(&f->ring, &pkt, 16, buf, bytes - 16));
		for (i = 0; i < bytes - 16 && buf[i] == byte_of(bytes, 16 + i); i++)
			;
		KUNIT_EXPECT_EQ_MSG(test, bytes - 16, i, "packet of %u", bytes);
		ovid_ring_pop(&f->ring, &pkt);
		KUNIT_ASSERT_EQ(test, 0, ovid_ring_peek(&f->ring, &pkt));
		ovid_ring_commit_read(&f->ring);
		KUNIT_ASSERT_EQ(test, at, f->ctl->read);
	}
}

static void write_exact(struct kunit *test)
{
	static const u8 want[48] = {
		11, 0, 3, 0, 5, 0, 1, 0, 8, 7, 6, 5, 4, 3, 2, 1,
		'h', 'e', 'a', 'd', 'e', 'r', ' ', '8', 'p', 'a', 'y', 'l', 'o', 'a', 'd', '-',
		'1', '1', '!', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe8, 0x1f, 0, 0,
	};
	const struct ovid_ring_vec vec[] = { { "header", 6 }, { "", 0 }, { " 8payload-", 10 },
					     { "11!", 3 } };
	struct vmbus_w_packet desc = { .type = 11, .flags = 1, .trans_id = 0x0102030405060708ull };
	struct fixture *f = writer(test, SIZE - 24);

	memset(f->data, 0xcc, SIZE);
	KUNIT_ASSERT_EQ(test, 0, ovid_ring_write(&f->ring, desc, 8, vec, ARRAY_SIZE(vec)));
	KUNIT_EXPECT_MEMEQ(test, f->data + SIZE - 24, want, sizeof(want));
	KUNIT_EXPECT_EQ(test, 0xcc, f->data[24]);
	KUNIT_EXPECT_EQ(test, 0xcc, f->data[SIZE - 25]);
	KUNIT_EXPECT_EQ(test, SIZE - 24, f->ctl->write);	/* not told yet */
	KUNIT_EXPECT_TRUE(test, ovid_ring_commit_write(&f->ring));
	KUNIT_EXPECT_EQ(test, 24u, f->ctl->write);
	KUNIT_EXPECT_FALSE(test, ovid_ring_commit_write(&f->ring));	/* nothing new */
	KUNIT_EXPECT_EQ(test, 48u, ovid_ring_packet_bytes(8, 11));
	KUNIT_EXPECT_EQ(test, MINIMUM, ovid_ring_packet_bytes(0, 0));
}

static void write_limits(struct kunit *test)
{
	struct fixture *f = writer(test, 0);
	u8 *buf = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	struct ovid_ring_vec vec[2] = { { buf, 0 }, { buf, 0 } };
	struct vmbus_w_packet desc = { .type = VMBUS_PKT_DATA };
	static const u32 lens[] = { SIZE - 24, SIZE, 0x7fffe, 0x80000, ~0u };
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		vec[0].len = lens[i];
		KUNIT_EXPECT_EQ(test, -EMSGSIZE, ovid_ring_write(&f->ring, desc, 0, vec, 1));
		KUNIT_EXPECT_EQ(test, -EMSGSIZE, ovid_ring_write(&f->ring, desc, 0, vec, 2));
	}
	vec[1].len = ~0u;	/* sums that do not fit 32 bits */
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, ovid_ring_write(&f->ring, desc, 0, vec, 2));
	vec[0].len = 16;
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_ring_write(&f->ring, desc, 4, vec, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_ring_write(&f->ring, desc, 24, vec, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, ovid_ring_write(&f->ring, desc, 8, vec, 0));
	KUNIT_EXPECT_EQ(test, 0u, f->ring.at);

	vec[0].len = SIZE - 8 - MINIMUM;	/* the largest */
	KUNIT_EXPECT_EQ(test, 0, ovid_ring_write(&f->ring, desc, 0, vec, 1));
	KUNIT_EXPECT_EQ(test, 8u, ovid_ring_space(&f->ring));
	KUNIT_EXPECT_EQ(test, -EAGAIN, ovid_ring_write(&f->ring, desc, 0, vec, 0));
	ovid_ring_commit_write(&f->ring);
	KUNIT_EXPECT_NE(test, f->ctl->read, f->ctl->write);
}

/* whatever the size of packets, the ring never looks empty when it is full */
static void never_full(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	struct vmbus_w_packet desc = { .type = VMBUS_PKT_DATA };
	u32 len;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (len = 0; len < 2048; len += 8) {
		struct fixture *f = writer(test, len * 2);
		struct ovid_ring_vec vec = { buf, len };
		u32 total = ovid_ring_packet_bytes(0, len), nr = 0;

		while (!ovid_ring_write(&f->ring, desc, 0, &vec, 1))
			nr++;
		KUNIT_ASSERT_EQ_MSG(test, (SIZE - 1) / total, nr, "packets of %u", len);
		KUNIT_EXPECT_EQ(test, SIZE - nr * total, ovid_ring_space(&f->ring));
		/* one is freed, one fits */
		ovid_ring_commit_write(&f->ring);
		f->ctl->read = (f->ctl->read + total) % SIZE;
		KUNIT_EXPECT_EQ(test, 0, ovid_ring_write(&f->ring, desc, 0, &vec, 1));
		KUNIT_EXPECT_EQ(test, -EAGAIN, ovid_ring_write(&f->ring, desc, 0, &vec, 1));
	}
}

static void read_indexes(struct kunit *test)
{
	static const u32 bad[] = { SIZE, SIZE + 8, 1, 4, 0x7fffffff, ~0u, ~7u };
	struct vmbus_w_packet desc = { .type = VMBUS_PKT_DATA };
	struct fixture *f = writer(test, 0);
	unsigned int i;

	while (!ovid_ring_write(&f->ring, desc, 0, NULL, 0))
		;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		f->ctl->read = bad[i];
		KUNIT_EXPECT_EQ(test, 0u, ovid_ring_space(&f->ring));
		KUNIT_EXPECT_EQ(test, -EPROTO, ovid_ring_write(&f->ring, desc, 0, NULL, 0));
		KUNIT_EXPECT_FALSE(test, ovid_ring_want_space(&f->ring, 24));
	}
}

static void data_signal(struct kunit *test)
{
	/* the guest's read index, before 48 bytes are written at 96 */
	static const struct { u32 read, mask; bool signal; } cases[] = {
		{ 96, 0, true }, { 96, 1, false }, { 96, 0x80000000, false }, { 72, 0, false },
		{ 144, 0, false }, { 97, 0, false }, { ~0u, 0, false }, { 0, 0, false },
	};
	struct vmbus_w_packet desc = { .type = VMBUS_PKT_DATA };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture *f = writer(test, 96);

		/* two packets: the ring was empty before the first */
		KUNIT_ASSERT_EQ(test, 0, ovid_ring_write(&f->ring, desc, 0, NULL, 0));
		KUNIT_ASSERT_EQ(test, 0, ovid_ring_write(&f->ring, desc, 0, NULL, 0));
		f->ctl->read = cases[i].read;
		f->ctl->interrupt_mask = cases[i].mask;
		KUNIT_EXPECT_TRUE_MSG(test, cases[i].signal == ovid_ring_commit_write(&f->ring),
				      "case %u", i);
		KUNIT_EXPECT_EQ(test, 144u, f->ctl->write);
		f->ctl->interrupt_mask = 0;
	}
}

static void space_signal(struct kunit *test)
{
	/* 7168 bytes are there, 1024 free; 2048 are read */
	static const struct { u32 pending; bool signal; } cases[] = {
		{ 0, false }, { 1, false }, { 8, false }, { 1016, false }, { 1023, false },
		{ 1024, true }, { 1025, true }, { 2048, true }, { 3064, true }, { 3071, true },
		{ 3072, false }, { 3080, false }, { SIZE - 8, false }, { SIZE, false },
		{ SIZE + 8, false }, { 0x80000000, false }, { ~0u, false }, { ~7u, false },
	};
	struct ovid_packet pkt;
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct fixture *f = reader(test, 6144);
		u32 at = guest_put(f, 6144, desc_of(16, 2040), 0);

		f->ctl->write = guest_put(f, at, desc_of(16, 5112), 0);
		f->ctl->pending_send = cases[i / 2].pending;
		f->ctl->interrupt_mask = i & 1;	/* says nothing about space */
		KUNIT_EXPECT_FALSE(test, ovid_ring_commit_read(&f->ring));
		KUNIT_ASSERT_EQ(test, 1, ovid_ring_peek(&f->ring, &pkt));
		ovid_ring_pop(&f->ring, &pkt);
		KUNIT_EXPECT_TRUE_MSG(test,
				      cases[i / 2].signal == ovid_ring_commit_read(&f->ring),
				      "case %u", i / 2);
		KUNIT_EXPECT_EQ(test, 0u, f->ctl->read);
	}
}

/* a guest that spoils its index after we have read what it had promised */
static void space_signal_lies(struct kunit *test)
{
	static const u32 write[] = { 8192, ~0u, 4, 2048, 2056, 0, 8, 4096, 8184 };
	static const u32 pending[] = { 1, 2048, 8191, 8192, ~0u };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(write); i++)
		for (j = 0; j < ARRAY_SIZE(pending); j++) {
			struct fixture *f = reader(test, 0);
			struct ovid_packet pkt;

			f->ctl->write = guest_put(f, 0, desc_of(16, 2040), 0);
			KUNIT_ASSERT_EQ(test, 1, ovid_ring_peek(&f->ring, &pkt));
			ovid_ring_pop(&f->ring, &pkt);
			f->ctl->write = write[i];
			f->ctl->pending_send = pending[j];
			if (ovid_ring_commit_read(&f->ring))
				KUNIT_EXPECT_TRUE(test, write[i] < SIZE && pending[j] < SIZE);
			KUNIT_EXPECT_EQ(test, 2048u, f->ctl->read);
		}
}

/* a guest that fills what is given back before it is asked what it waits for */
static void space_signal_is_late(struct kunit *test)
{
	struct fixture *f = reader(test, 0);
	struct ovid_packet pkt;

	f->ctl->write = guest_put(f, 0, desc_of(16, 4088), 0);
	f->ctl->write = guest_put(f, f->ctl->write, desc_of(16, 4072), 0);
	KUNIT_ASSERT_EQ(test, 1, ovid_ring_peek(&f->ring, &pkt));
	ovid_ring_pop(&f->ring, &pkt);
	f->ctl->write = 2048;
	f->ctl->pending_send = 2047;	/* 2048 are free; without what was read, less than none */
	KUNIT_EXPECT_TRUE(test, ovid_ring_commit_read(&f->ring));
}

static void mask(struct kunit *test)
{
	struct fixture *f = reader(test, 0);
	struct ovid_packet pkt;

	ovid_ring_mask(&f->ring);
	KUNIT_EXPECT_EQ(test, 1u, f->ctl->interrupt_mask);
	KUNIT_EXPECT_FALSE(test, ovid_ring_unmask(&f->ring));
	KUNIT_EXPECT_EQ(test, 0u, f->ctl->interrupt_mask);
	ovid_ring_mask(&f->ring);
	f->ctl->write = guest_put(f, 0, desc_of(16, 16), 0);
	KUNIT_EXPECT_TRUE(test, ovid_ring_unmask(&f->ring));
	KUNIT_EXPECT_EQ(test, 1, ovid_ring_peek(&f->ring, &pkt));
	KUNIT_EXPECT_TRUE(test, ovid_ring_unmask(&f->ring));	/* not taken yet */
	ovid_ring_pop(&f->ring, &pkt);
	KUNIT_EXPECT_FALSE(test, ovid_ring_unmask(&f->ring));
}

static void want_space(struct kunit *test)
{
	struct vmbus_w_packet desc = { .type = VMBUS_PKT_DATA };
	struct fixture *f = writer(test, 0);

	while (!ovid_ring_write(&f->ring, desc, 0, NULL, 0))
		;
	ovid_ring_commit_write(&f->ring);
	KUNIT_EXPECT_EQ(test, SIZE % MINIMUM, ovid_ring_space(&f->ring));
	KUNIT_EXPECT_FALSE(test, ovid_ring_want_space(&f->ring, MINIMUM));
	KUNIT_EXPECT_EQ(test, MINIMUM, f->ctl->pending_send);
	f->ctl->read = MINIMUM - SIZE % MINIMUM;	/* exactly that many are free */
	KUNIT_EXPECT_FALSE(test, ovid_ring_want_space(&f->ring, MINIMUM));
	KUNIT_EXPECT_EQ(test, -EAGAIN, ovid_ring_write(&f->ring, desc, 0, NULL, 0));
	f->ctl->read += 8;
	KUNIT_EXPECT_TRUE(test, ovid_ring_want_space(&f->ring, MINIMUM));
	KUNIT_EXPECT_EQ(test, 0u, f->ctl->pending_send);
	KUNIT_EXPECT_EQ(test, 0, ovid_ring_write(&f->ring, desc, 0, NULL, 0));
	KUNIT_EXPECT_FALSE(test, ovid_ring_want_space(&f->ring, 1000));
	KUNIT_EXPECT_FALSE(test, ovid_ring_want_space(&f->ring, 0));
	KUNIT_EXPECT_EQ(test, 0u, f->ctl->pending_send);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(begin),
	KUNIT_CASE(read_one),
	KUNIT_CASE(descriptors),
	KUNIT_CASE(write_indexes),
	KUNIT_CASE(write_index_goes_back),
	KUNIT_CASE(read_around),
	KUNIT_CASE(write_exact),
	KUNIT_CASE(write_limits),
	KUNIT_CASE(never_full),
	KUNIT_CASE(read_indexes),
	KUNIT_CASE(data_signal),
	KUNIT_CASE(space_signal),
	KUNIT_CASE(space_signal_lies),
	KUNIT_CASE(space_signal_is_late),
	KUNIT_CASE(mask),
	KUNIT_CASE(want_space),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "ovid_ring",
	.init = ring_init,
	.exit = ring_exit,
	.test_cases = ring_cases,
};
kunit_test_suite(ring_suite);

MODULE_DESCRIPTION("cases for the rings of a channel");
MODULE_LICENSE("GPL");
