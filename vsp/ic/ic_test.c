// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for the components: a guest of a few lines answers, or does not, or answers
 * wrongly.  Wire contents are checked against offsets written as numbers.
 */
#include <kunit/test.h>
#include "../utf16.c"
#include "util.c"
#include "heartbeat.c"
#include "shutdown.c"
#undef TIMEOUT
#undef PERIOD
#include "timesync.c"
#undef TIMEOUT
#include "kvp.c"
#undef TIMEOUT
#include "vss.c"
#undef TIMEOUT
#include "fcopy.c"
#include "save.c"

#define HEADER		28
#define SLOTS		(OVID_IC_MAX_REQUESTS + 1)
#define LONGEST		sizeof(struct ovid_ic_kvp_ip)

struct slot {
	bool used;
	u8 mem[sizeof(struct ovid_ic_request) + LONGEST] __aligned(8);
};

struct fixture {
	struct kunit *test;
	struct ovid_ic ic;
	struct ovid_ic_clock clk;
	u32 bytes;			/* of the message that was sent last, in @msg */
	u8 msg[IC_MAX_BYTES + 64];
	union ovid_ic_event event;
	u8 answer[LONGEST] __aligned(8);
	u8 rec[LONGEST] __aligned(8);	/* request that a case makes */
	struct slot slot[SLOTS];
};

/* before and behind each step, if set: save_test.c */
static void (*each_step)(struct fixture *f);

static void step(struct fixture *f)
{
	if (each_step)
		each_step(f);
}

static u16 get16(const void *p, u32 at)
{
	return get_unaligned_le16((const u8 *)p + at);
}

static u32 get32(const void *p, u32 at)
{
	return get_unaligned_le32((const u8 *)p + at);
}

static u64 get64(const void *p, u32 at)
{
	return get_unaligned_le64((const u8 *)p + at);
}

static void put16(void *p, u32 at, u16 v)
{
	memcpy((u8 *)p + at, &v, sizeof(v));
}

static void put32(void *p, u32 at, u32 v)
{
	memcpy((u8 *)p + at, &v, sizeof(v));
}

static void put64(void *p, u32 at, u64 v)
{
	memcpy((u8 *)p + at, &v, sizeof(v));
}

/* ASCII to UTF-16 with its NUL */
static void put_text(void *p, u32 at, const char *text)
{
	do {
		put16(p, at, *text);
		at += 2;
	} while (*text++);
}

static void set_text(char *to, const char *text)
{
	memcpy(to, text, strlen(text) + 1);
}

static bool is_text(const void *p, u32 at, const char *text)
{
	for (;; at += 2, text++) {
		if (get16(p, at) != *text)
			return false;
		if (!*text)
			return true;
	}
}

static struct fixture *begin(struct kunit *test, const struct ovid_ic_service *svc)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	f->clk.now = 1000 * IC_SECOND;
	f->clk.wall = 133000000000000000ull;
	f->clk.reference = 5000000;
	ovid_ic_init(&f->ic, svc);
	return f;
}

/* what the host sends now; it is sent */
static bool next(struct fixture *f)
{
	u32 n;

	step(f);
	n = ovid_ic_next(&f->ic, &f->clk, f->msg);
	step(f);
	if (!n)
		return false;
	f->bytes = n;
	ovid_ic_sent(&f->ic, &f->clk);
	step(f);
	return true;
}

static void later(struct fixture *f, u64 ns)
{
	f->clk.now += ns;
	f->clk.wall += ns / 100;
	f->clk.reference += ns / 100;
}

/* the guest answers what was sent last, as Linux does: in place */
static void reply(struct fixture *f, u32 status)
{
	put32(f->msg, 20, status);
	f->msg[25] = IC_TRANSACTION | IC_RESPONSE;
	ovid_ic_receive(&f->ic, &f->clk, f->msg, f->bytes);
	step(f);
}

static void accept_versions(struct fixture *f, u32 framework, u32 version)
{
	put16(f->msg, 28, 1);
	put16(f->msg, 30, 1);
	put16(f->msg, 36, framework >> 16);
	put16(f->msg, 38, framework & 0xffff);
	put16(f->msg, 40, version >> 16);
	put16(f->msg, 42, version & 0xffff);
	reply(f, 0);
}

/* reads one; its kind, or minus an errno.  Answers are in f->answer, events in f->event */
static int take(struct fixture *f)
{
	struct ovid_ic_request *req;
	int i, n;

	step(f);
	n = ovid_ic_event(&f->ic, &f->clk, LONGEST, &f->event, &req);
	if (n < 0)
		return n;
	if (!req)
		return f->event.record.size == n && !f->event.record.id ? f->event.record.kind : -EIO;
	memcpy(f->answer, req->bytes, n);
	for (i = 0; (void *)req != f->slot[i].mem; i++)
		;
	f->slot[i].used = false;
	return ovid_ic_record(req)->kind;
}

static struct ovid_ic_record *answer_of(struct fixture *f)
{
	return (struct ovid_ic_record *)f->answer;
}

static void drop_events(struct fixture *f)
{
	while (take(f) >= 0)
		;
}

static void get_ready(struct fixture *f, u32 version)
{
	struct kunit *test = f->test;

	ovid_ic_open(&f->ic, &f->clk);
	KUNIT_ASSERT_TRUE(test, next(f));
	accept_versions(f, IC_VERSION(3, 0), version);
	KUNIT_ASSERT_EQ(test, f->ic.guest, OVID_IC_READY);
	drop_events(f);
}

static int submit(struct fixture *f, const void *rec)
{
	const struct ovid_ic_record *r = rec;
	struct ovid_ic_request *req;
	int i, err = ovid_ic_check(f->ic.svc, rec, r->size);

	for (i = 0; i < SLOTS && f->slot[i].used; i++)
		;
	if (err || i == SLOTS)
		return err ?: -ENOSPC;
	req = (struct ovid_ic_request *)f->slot[i].mem;
	memcpy(req->bytes, rec, r->size);
	err = ovid_ic_submit(&f->ic, &f->clk, req);
	f->slot[i].used = !err;
	step(f);
	return err;
}

/* a request in f->rec, all else of it zero */
static void *request(struct fixture *f, u16 kind, u64 id)
{
	struct ovid_ic_record *rec = (struct ovid_ic_record *)f->rec;

	memset(f->rec, 0, sizeof(f->rec));
	rec->kind = kind;
	rec->id = id;
	rec->size = kind == OVID_IC_STATE ? sizeof(struct ovid_ic_state) : f->ic.svc->size_of(kind);
	return rec;
}

/* the next thing read is the answer to @id, with this status */
static void expect_answer(struct fixture *f, u64 id, u32 status, u32 code)
{
	struct kunit *test = f->test;

	KUNIT_ASSERT_TRUE(test, take(f) > 0);
	KUNIT_EXPECT_EQ(test, answer_of(f)->id, id);
	KUNIT_EXPECT_EQ(test, answer_of(f)->status, status);
	KUNIT_EXPECT_EQ(test, answer_of(f)->code, code);
}

/* ---- text ------------------------------------------------------------------------ */

static void text_to_utf16(struct kunit *test)
{
	static const struct {
		const char *text;
		u16 units[6];
		int n;
	} good[] = {
		{ "", { 0 }, 1 },
		{ "a~", { 'a', '~', 0 }, 3 },
		{ "\xc2\x80\xdf\xbf", { 0x80, 0x7ff, 0 }, 3 },
		{ "\xe0\xa0\x80\xef\xbf\xbf", { 0x800, 0xffff, 0 }, 3 },
		{ "\xed\x9f\xbf\xee\x80\x80", { 0xd7ff, 0xe000, 0 }, 3 },
		{ "\xf0\x90\x80\x80", { 0xd800, 0xdc00, 0 }, 3 },
		{ "\xf4\x8f\xbf\xbf", { 0xdbff, 0xdfff, 0 }, 3 },
	};
	static const char *const bad[] = {
		"\x80", "\xc2", "\xc2 ", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "a\xe2\x82",
	};
	u16 out[6];
	char back[16];
	int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		u32 len = strlen(good[i].text) + 1;

		memset(out, 0xaa, sizeof(out));
		KUNIT_EXPECT_EQ_MSG(test, ovid_utf16_from(out, 6, good[i].text, len), good[i].n, "%d", i);
		KUNIT_EXPECT_MEMEQ(test, out, good[i].units, sizeof(out));
		KUNIT_EXPECT_EQ(test, ovid_utf16_from(NULL, good[i].n, good[i].text, len), good[i].n);
		ovid_utf16_to(back, sizeof(back), out, 6);
		KUNIT_EXPECT_STREQ(test, back, good[i].text);
		/* no NUL, or no room for it */
		KUNIT_EXPECT_EQ(test, ovid_utf16_from(out, 6, good[i].text, len - 1), -EINVAL);
		if (i)
			KUNIT_EXPECT_EQ(test, ovid_utf16_from(out, good[i].n - 1, good[i].text, len),
					-EINVAL);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, ovid_utf16_from(out, 6, bad[i], strlen(bad[i]) + 1), -EINVAL,
				    "%d", i);
}

static void text_from_guest(struct kunit *test)
{
	static const u16 lone[] = { 'a', 0xdc00, 0xd800, 'b', 0xdbff };
	static const u16 wide[] = { 0xffff, 0xffff, 0xffff };
	static const u16 pair[] = { 0xd83d, 0xde00 };
	char out[16];

	ovid_utf16_to(out, sizeof(out), lone, 5);
	KUNIT_EXPECT_STREQ(test, out, "a\xef\xbf\xbd\xef\xbf\xbd\x62\xef\xbf\xbd");
	ovid_utf16_to(out, sizeof(out), lone, 0);
	KUNIT_EXPECT_STREQ(test, out, "");
	/* cut at a character, always with a NUL, the rest is zero */
	memset(out, 'x', sizeof(out));
	ovid_utf16_to(out, 9, wide, 3);
	KUNIT_EXPECT_STREQ(test, out, "\xef\xbf\xbf\xef\xbf\xbf");
	KUNIT_EXPECT_EQ(test, out[8], 0);
	KUNIT_EXPECT_EQ(test, out[9], 'x');
	ovid_utf16_to(out, 10, wide, 3);
	KUNIT_EXPECT_EQ(test, strlen(out), 9);
	ovid_utf16_to(out, 4, pair, 2);
	KUNIT_EXPECT_STREQ(test, out, "");
	ovid_utf16_to(out, 5, pair, 2);
	KUNIT_EXPECT_STREQ(test, out, "\xf0\x9f\x98\x80");
	ovid_utf16_to(out, 1, pair, 2);
	KUNIT_EXPECT_STREQ(test, out, "");
}

/* ---- the frame ------------------------------------------------------------------- */

static void negotiation_message(struct kunit *test)
{
	static const u16 versions[] = { 1, 0, 3, 0, 1, 0, 3, 0, 3, 1, 3, 2 };
	struct fixture *f = begin(test, &ovid_ic_shutdown_service);

	KUNIT_EXPECT_FALSE(test, next(f));
	ovid_ic_open(&f->ic, &f->clk);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 8 + 24);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 0), 1);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 4), f->bytes - 8);
	KUNIT_EXPECT_EQ(test, get16(f->msg, 12), 0);
	KUNIT_EXPECT_EQ(test, get16(f->msg, 18), 32);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 20), 0);
	KUNIT_EXPECT_EQ(test, f->msg[25], 3);
	KUNIT_EXPECT_EQ(test, get16(f->msg, 28), 2);
	KUNIT_EXPECT_EQ(test, get16(f->msg, 30), 4);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 32), 0);
	KUNIT_EXPECT_MEMEQ(test, f->msg + 36, versions, sizeof(versions));
	/* once, and no time is set */
	later(f, 3600 * IC_SECOND);
	KUNIT_EXPECT_FALSE(test, next(f));
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), IC_NEVER);
}

static void negotiation_answers(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_shutdown_service);
	int i;

	get_ready(f, IC_VERSION(3, 2));
	KUNIT_EXPECT_EQ(test, f->ic.framework, IC_VERSION(3, 0));
	KUNIT_EXPECT_EQ(test, f->ic.version, IC_VERSION(3, 2));

	for (i = 0; i < 8; i++) {
		ovid_ic_close(&f->ic, &f->clk);
		ovid_ic_open(&f->ic, &f->clk);
		KUNIT_ASSERT_TRUE(test, next(f));
		switch (i) {
		case 0:	/* no match */
			put32(f->msg, 28, 0);
			reply(f, 0);
			break;
		case 1:	/* one that we have not offered */
			accept_versions(f, IC_VERSION(3, 0), IC_VERSION(3, 3));
			break;
		case 2:
			accept_versions(f, IC_VERSION(2, 0), IC_VERSION(3, 2));
			break;
		case 3:	/* the end of our list is no version */
			accept_versions(f, 0, IC_VERSION(3, 2));
			break;
		case 4:
			accept_versions(f, IC_VERSION(3, 0), 0);
			break;
		case 5:	/* untouched: as many as we have offered */
			reply(f, 0);
			break;
		case 6:	/* too short for two versions */
			f->bytes = HEADER + 15;
			accept_versions(f, IC_VERSION(3, 0), IC_VERSION(3, 2));
			break;
		case 7:	/* another message */
			put16(f->msg, 12, IC_SHUTDOWN);
			accept_versions(f, IC_VERSION(3, 0), IC_VERSION(3, 2));
			break;
		}
		KUNIT_EXPECT_EQ_MSG(test, f->ic.guest, OVID_IC_NO_VERSION, "%d", i);
		KUNIT_EXPECT_EQ(test, f->ic.version, 0);
		KUNIT_EXPECT_FALSE(test, next(f));
	}
	ovid_ic_close(&f->ic, &f->clk);
	get_ready(f, IC_VERSION(1, 0));
}

static void answers_to_nothing(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);

	ovid_ic_open(&f->ic, &f->clk);
	ovid_ic_receive(&f->ic, &f->clk, f->msg, HEADER);	/* before we have asked */
	KUNIT_EXPECT_EQ(test, f->ic.stray, 1);
	KUNIT_ASSERT_TRUE(test, next(f));
	f->msg[25] = IC_REQUEST;				/* no response */
	ovid_ic_receive(&f->ic, &f->clk, f->msg, f->bytes);
	KUNIT_EXPECT_EQ(test, f->ic.stray, 2);
	f->msg[24]++;						/* of another transaction */
	accept_versions(f, IC_VERSION(3, 0), IC_VERSION(5, 0));
	KUNIT_EXPECT_EQ(test, f->ic.stray, 3);
	ovid_ic_receive(&f->ic, &f->clk, f->msg, HEADER - 1);	/* no header */
	ovid_ic_receive(&f->ic, &f->clk, f->msg, 0);
	ovid_ic_receive(&f->ic, &f->clk, NULL, 0);
	KUNIT_EXPECT_EQ(test, f->ic.bad, 3);
	KUNIT_EXPECT_EQ(test, f->ic.guest, OVID_IC_NEGOTIATING);
	f->msg[24]--;
	accept_versions(f, IC_VERSION(3, 0), IC_VERSION(5, 0));
	KUNIT_EXPECT_EQ(test, f->ic.guest, OVID_IC_READY);
	reply(f, 0);						/* a second time */
	KUNIT_EXPECT_EQ(test, f->ic.stray, 4);
	KUNIT_EXPECT_EQ(test, f->ic.answered, 1);
}

static void state_events(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);
	struct ovid_ic_request *req;

	KUNIT_EXPECT_FALSE(test, ovid_ic_has_event(&f->ic));
	KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);
	ovid_ic_open(&f->ic, &f->clk);
	KUNIT_EXPECT_TRUE(test, ovid_ic_has_event(&f->ic));
	KUNIT_EXPECT_EQ(test, ovid_ic_event(&f->ic, &f->clk, sizeof(struct ovid_ic_state) - 1,
					    &f->event, &req), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_STATE);
	KUNIT_EXPECT_EQ(test, f->event.state.guest, OVID_IC_NEGOTIATING);
	KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);

	/* only the last one of several is kept */
	ovid_ic_close(&f->ic, &f->clk);
	ovid_ic_open(&f->ic, &f->clk);
	KUNIT_ASSERT_TRUE(test, next(f));
	accept_versions(f, IC_VERSION(3, 0), IC_VERSION(5, 0));
	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_STATE);
	KUNIT_EXPECT_EQ(test, f->event.state.guest, OVID_IC_READY);
	KUNIT_EXPECT_EQ(test, f->event.state.framework, 0x30000);
	KUNIT_EXPECT_EQ(test, f->event.state.version, 0x50000);
	KUNIT_EXPECT_EQ(test, f->event.state.opens, 2);
	KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);

	/* and it can be asked for */
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_STATE, 77)), 0);
	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_STATE);
	KUNIT_EXPECT_EQ(test, answer_of(f)->id, 77);
	KUNIT_EXPECT_EQ(test, ((struct ovid_ic_state *)f->answer)->guest, OVID_IC_READY);
	KUNIT_EXPECT_EQ(test, ((struct ovid_ic_state *)f->answer)->sent, 1);
	ovid_ic_close(&f->ic, &f->clk);
	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_STATE);
	KUNIT_EXPECT_EQ(test, f->event.state.guest, OVID_IC_CLOSED);
	KUNIT_EXPECT_EQ(test, f->event.state.version, 0);
}

static void request_heads(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);
	struct ovid_ic_record *rec = request(f, OVID_IC_VSS_THAW, 1);

	KUNIT_EXPECT_EQ(test, ovid_ic_check(f->ic.svc, rec, sizeof(*rec)), 0);
	KUNIT_EXPECT_EQ(test, ovid_ic_check(f->ic.svc, rec, sizeof(*rec) + 8), -EINVAL);
	rec->size += 8;
	KUNIT_EXPECT_EQ(test, ovid_ic_check(f->ic.svc, rec, sizeof(*rec)), -EINVAL);
	KUNIT_EXPECT_EQ(test, ovid_ic_check(f->ic.svc, rec, sizeof(*rec) + 8), -EINVAL);
	rec = request(f, OVID_IC_VSS_THAW, 0);
	KUNIT_EXPECT_EQ(test, submit(f, rec), -EINVAL);
	rec = request(f, OVID_IC_VSS_THAW, 1);
	rec->reserved = 1;
	KUNIT_EXPECT_EQ(test, submit(f, rec), -EINVAL);
	rec = request(f, OVID_IC_VSS_THAW, 1);
	rec->status = 1;
	KUNIT_EXPECT_EQ(test, submit(f, rec), -EINVAL);
	rec = request(f, OVID_IC_VSS_THAW, 1);
	rec->code = 1;
	KUNIT_EXPECT_EQ(test, submit(f, rec), -EINVAL);
	/* of another service, or of none */
	rec = request(f, OVID_IC_VSS_THAW, 1);
	rec->kind = OVID_IC_COPY_CANCEL;
	KUNIT_EXPECT_EQ(test, submit(f, rec), -EINVAL);
	rec->kind = 0;
	KUNIT_EXPECT_EQ(test, submit(f, rec), -EINVAL);
	rec->kind = 0xffff;
	KUNIT_EXPECT_EQ(test, submit(f, rec), -EINVAL);
}

static void not_ready_and_gone(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);
	u64 id;

	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_THAW, 1)), 0);
	expect_answer(f, 1, OVID_IC_NOT_READY, 0);
	get_ready(f, IC_VERSION(5, 0));
	for (id = 2; id < 5; id++)
		KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_THAW, id)), 0);
	KUNIT_EXPECT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);
	ovid_ic_close(&f->ic, &f->clk);
	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_STATE);
	expect_answer(f, 2, OVID_IC_GONE, 0);
	expect_answer(f, 3, OVID_IC_NOT_READY, 0);
	expect_answer(f, 4, OVID_IC_NOT_READY, 0);
	KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);
	/* an old answer is none to the new negotiation's question */
	reply(f, 0);
	KUNIT_EXPECT_EQ(test, f->ic.stray, 1);
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), IC_NEVER);
}

static void one_at_a_time(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);
	u8 first;
	u64 id;

	get_ready(f, IC_VERSION(5, 0));
	for (id = 1; id <= OVID_IC_MAX_REQUESTS; id++) {
		KUNIT_EXPECT_TRUE(test, ovid_ic_has_room(&f->ic));
		KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_THAW, id)), 0);
	}
	KUNIT_EXPECT_FALSE(test, ovid_ic_has_room(&f->ic));
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_THAW, id)), -EAGAIN);
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_STATE, id)), -EAGAIN);
	KUNIT_ASSERT_TRUE(test, next(f));
	first = f->msg[24];
	KUNIT_EXPECT_EQ(test, ovid_ic_next(&f->ic, &f->clk, f->msg), 0);
	reply(f, 0);
	/* an answer that nobody reads keeps its place */
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_THAW, id)), -EAGAIN);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_NE(test, f->msg[24], first);
	expect_answer(f, 1, OVID_IC_OK, 0);
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_THAW, id)), 0);
	for (id = 2; id <= OVID_IC_MAX_REQUESTS + 1; id++) {
		reply(f, 0);
		expect_answer(f, id, OVID_IC_OK, 0);
		next(f);
	}
	KUNIT_EXPECT_EQ(test, f->ic.nr_requests, 0);
	KUNIT_EXPECT_EQ(test, f->ic.stray, 0);
}

static void late_answers(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);
	u8 old;

	get_ready(f, IC_VERSION(5, 0));
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_FREEZE, 1)), 0);
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_THAW, 2)), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	old = f->msg[24];
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), f->clk.now + 910 * IC_SECOND);
	later(f, 910 * IC_SECOND - 1);
	KUNIT_EXPECT_FALSE(test, next(f));
	KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);
	later(f, 1);
	KUNIT_EXPECT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->msg[HEADER], IC_VSS_THAW);
	expect_answer(f, 1, OVID_IC_TIMEOUT, 0);
	KUNIT_EXPECT_EQ(test, f->ic.timeouts, 1);
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), f->clk.now + 40 * IC_SECOND);
	f->msg[24] = old;
	reply(f, 0);
	KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);
	KUNIT_EXPECT_EQ(test, f->ic.stray, 1);
	f->msg[24] = old + 1;
	reply(f, 0);
	expect_answer(f, 2, OVID_IC_OK, 0);
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), IC_NEVER);
}

static void full_ring(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);

	get_ready(f, IC_VERSION(5, 0));
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_THAW, 1)), 0);
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_VSS_CHECK, 2)), 0);
	KUNIT_EXPECT_TRUE(test, ovid_ic_next(&f->ic, &f->clk, f->msg));	/* no space for it */
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), f->clk.now + 40 * IC_SECOND);
	later(f, 39 * IC_SECOND);
	KUNIT_EXPECT_TRUE(test, ovid_ic_next(&f->ic, &f->clk, f->msg));
	KUNIT_EXPECT_EQ(test, f->msg[HEADER], IC_VSS_THAW);
	reply(f, 0);							/* to what was not sent */
	KUNIT_EXPECT_EQ(test, f->ic.stray, 1);
	later(f, IC_SECOND);
	KUNIT_EXPECT_TRUE(test, ovid_ic_next(&f->ic, &f->clk, f->msg));
	KUNIT_EXPECT_EQ(test, f->msg[HEADER], IC_VSS_HOT_BACKUP);
	expect_answer(f, 1, OVID_IC_TIMEOUT, 0);
	ovid_ic_refused(&f->ic, &f->clk); /* a ring too small for it */
	expect_answer(f, 2, OVID_IC_UNSUPPORTED, 0);
	KUNIT_EXPECT_FALSE(test, next(f));
	/* nor for the negotiation */
	ovid_ic_close(&f->ic, &f->clk);
	ovid_ic_open(&f->ic, &f->clk);
	KUNIT_EXPECT_TRUE(test, ovid_ic_next(&f->ic, &f->clk, f->msg));
	ovid_ic_refused(&f->ic, &f->clk);
	KUNIT_EXPECT_EQ(test, f->ic.guest, OVID_IC_NO_VERSION);
}

/* what has begun to wait for space is not overtaken, nor is its time prolonged */
static void nothing_overtakes(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_timesync_service);
	struct ovid_ic_timesync *ts;
	u64 end;

	get_ready(f, IC_VERSION(4, 0));
	KUNIT_ASSERT_TRUE(test, next(f));
	reply(f, 0);
	ts = request(f, OVID_IC_TIMESYNC, 1);
	ts->flags = OVID_IC_SYNC;
	KUNIT_EXPECT_EQ(test, submit(f, ts), 0);
	KUNIT_EXPECT_TRUE(test, ovid_ic_next(&f->ic, &f->clk, f->msg));
	end = ovid_ic_wake(&f->ic);
	later(f, 6 * IC_SECOND);					/* a sample is due */
	KUNIT_EXPECT_TRUE(test, ovid_ic_next(&f->ic, &f->clk, f->msg));
	KUNIT_EXPECT_EQ(test, f->msg[44], IC_TIMESYNC_SYNC);
	KUNIT_EXPECT_EQ(test, get64(f->msg, 28), f->clk.wall);
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), end);
	ovid_ic_sent(&f->ic, &f->clk);
	reply(f, 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->msg[44], IC_TIMESYNC_SAMPLE);
}

static void no_ring_for_anything(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_timesync_service);
	struct ovid_ic_timesync *ts;

	get_ready(f, IC_VERSION(4, 0));
	ts = request(f, OVID_IC_TIMESYNC, 1);
	ts->flags = OVID_IC_SYNC;
	KUNIT_EXPECT_EQ(test, submit(f, ts), 0);
	KUNIT_EXPECT_TRUE(test, ovid_ic_next(&f->ic, &f->clk, f->msg));
	ovid_ic_refused(&f->ic, &f->clk);				/* what was not asked for */
	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_STATE);
	KUNIT_EXPECT_EQ(test, f->event.state.guest, OVID_IC_NO_VERSION);
	expect_answer(f, 1, OVID_IC_UNSUPPORTED, 0);
	KUNIT_EXPECT_FALSE(test, next(f));
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), IC_NEVER);
}

static void transactions_go_round(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);
	int i;

	get_ready(f, IC_VERSION(5, 0));
	for (i = 0; i < 600; i++) {
		KUNIT_ASSERT_EQ(test, submit(f, request(f, OVID_IC_VSS_THAW, i + 1)), 0);
		KUNIT_ASSERT_TRUE(test, next(f));
		KUNIT_ASSERT_NE(test, f->msg[24], 0);
		reply(f, 0);
		expect_answer(f, i + 1, OVID_IC_OK, 0);
	}
}

/* ---- services ------------------------------------------------------------------------ */

static void shutdown_actions(struct kunit *test)
{
	static const struct {
		u32 version, action, flags, wire, status;
	} row[] = {
		{ IC_VERSION(3, 2), OVID_IC_POWER_OFF, 0, 0 },
		{ IC_VERSION(3, 2), OVID_IC_POWER_OFF, OVID_IC_FORCE, 1 },
		{ IC_VERSION(3, 2), OVID_IC_REBOOT, 0, 2 },
		{ IC_VERSION(3, 2), OVID_IC_HIBERNATE, OVID_IC_FORCE, 5 },
		{ IC_VERSION(3, 1), OVID_IC_REBOOT, OVID_IC_FORCE, 3 },
		{ IC_VERSION(3, 1), OVID_IC_HIBERNATE, 0, 0, OVID_IC_UNSUPPORTED },
		{ IC_VERSION(3, 0), OVID_IC_REBOOT, 0, 0, OVID_IC_UNSUPPORTED },
		{ IC_VERSION(1, 0), OVID_IC_POWER_OFF, 0, 0 },
	};
	struct fixture *f = begin(test, &ovid_ic_shutdown_service);
	struct ovid_ic_shutdown *sd;
	int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		get_ready(f, row[i].version);
		sd = request(f, OVID_IC_SHUTDOWN, i + 1);
		sd->action = row[i].action;
		sd->flags = row[i].flags;
		sd->timeout = 60;
		set_text(sd->message, "bye");
		KUNIT_EXPECT_EQ(test, submit(f, sd), 0);
		if (!row[i].status) {
			KUNIT_ASSERT_TRUE(test, next(f));
			KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 2060);
			KUNIT_EXPECT_EQ(test, get16(f->msg, 12), 3);
			KUNIT_EXPECT_EQ(test, get16(f->msg, 8), 3);
			KUNIT_EXPECT_EQ(test, (u32)get16(f->msg, 14) << 16 | get16(f->msg, 16), row[i].version);
			KUNIT_EXPECT_EQ(test, get16(f->msg, 18), 2060);
			KUNIT_EXPECT_EQ(test, get32(f->msg, 32), 60);
			KUNIT_EXPECT_EQ_MSG(test, get32(f->msg, 36), row[i].wire, "%d", i);
			KUNIT_EXPECT_TRUE(test, is_text(f->msg, 40, "bye"));
			reply(f, 0);
		} else {
			KUNIT_EXPECT_FALSE(test, next(f));
		}
		expect_answer(f, i + 1, row[i].status, 0);
		ovid_ic_close(&f->ic, &f->clk);
	}
}

static void shutdown_refused(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_shutdown_service);
	struct ovid_ic_shutdown *sd;

	get_ready(f, IC_VERSION(3, 2));
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_SHUTDOWN, 9)), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	reply(f, 0x80004005);
	expect_answer(f, 9, OVID_IC_REFUSED, 0x80004005);
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_SHUTDOWN, 10)), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	put16(f->msg, 12, IC_HEARTBEAT);
	reply(f, 0);
	expect_answer(f, 10, OVID_IC_BAD_ANSWER, 0);
	KUNIT_EXPECT_EQ(test, f->ic.bad, 1);

	sd = request(f, OVID_IC_SHUTDOWN, 11);
	sd->action = 3;
	KUNIT_EXPECT_EQ(test, submit(f, sd), -EINVAL);
	sd = request(f, OVID_IC_SHUTDOWN, 11);
	sd->flags = 2;
	KUNIT_EXPECT_EQ(test, submit(f, sd), -EINVAL);
	sd = request(f, OVID_IC_SHUTDOWN, 11);
	sd->reserved = 1;
	KUNIT_EXPECT_EQ(test, submit(f, sd), -EINVAL);
	sd = request(f, OVID_IC_SHUTDOWN, 11);
	memset(sd->message, 'x', sizeof(sd->message));
	KUNIT_EXPECT_EQ(test, submit(f, sd), -EINVAL);
}

static void timesync_by_itself(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_timesync_service);
	int i;

	get_ready(f, IC_VERSION(4, 0));
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 24);
	KUNIT_EXPECT_EQ(test, get16(f->msg, 12), 4);
	KUNIT_EXPECT_EQ(test, get64(f->msg, 28), f->clk.wall);
	KUNIT_EXPECT_EQ(test, get64(f->msg, 36), f->clk.reference);
	KUNIT_EXPECT_EQ(test, f->msg[44], IC_TIMESYNC_SYNC);
	for (i = 0; i < 3; i++) {
		reply(f, 0);
		KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), f->clk.now + 5 * IC_SECOND);
		later(f, 5 * IC_SECOND - 1);
		KUNIT_EXPECT_FALSE(test, next(f));
		later(f, 1);
		KUNIT_ASSERT_TRUE(test, next(f));
		KUNIT_EXPECT_EQ(test, get64(f->msg, 28), f->clk.wall);
		KUNIT_EXPECT_EQ(test, f->msg[44], IC_TIMESYNC_SAMPLE);
	}
	/* one that is not answered does not end it */
	later(f, 10 * IC_SECOND);
	KUNIT_EXPECT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->ic.timeouts, 1);
	reply(f, 0x80004005);
	later(f, 5 * IC_SECOND);
	KUNIT_EXPECT_TRUE(test, next(f));
	reply(f, 0);
	/* a sync again for a guest that begins anew */
	ovid_ic_close(&f->ic, &f->clk);
	get_ready(f, IC_VERSION(4, 0));
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->msg[44], IC_TIMESYNC_SYNC);
}

static void timesync_by_request(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_timesync_service);
	struct ovid_ic_timesync_auto *on;
	struct ovid_ic_timesync *ts;

	/* the switch works before the guest is there */
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_TIMESYNC_AUTO, 1)), 0);
	expect_answer(f, 1, OVID_IC_OK, 0);
	get_ready(f, IC_VERSION(3, 0));
	KUNIT_EXPECT_FALSE(test, next(f));
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), IC_NEVER);

	ts = request(f, OVID_IC_TIMESYNC, 2);
	KUNIT_EXPECT_EQ(test, submit(f, ts), -EINVAL);
	ts->flags = OVID_IC_SYNC | OVID_IC_SAMPLE;
	KUNIT_EXPECT_EQ(test, submit(f, ts), -EINVAL);
	ts->flags = OVID_IC_SAMPLE;
	KUNIT_EXPECT_EQ(test, submit(f, ts), 0);
	ts = request(f, OVID_IC_TIMESYNC, 3);
	ts->flags = OVID_IC_SYNC;
	KUNIT_EXPECT_EQ(test, submit(f, ts), 0);
	later(f, IC_SECOND);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 25);	/* before 4.0 */
	KUNIT_EXPECT_EQ(test, get64(f->msg, 28), f->clk.wall);
	KUNIT_EXPECT_EQ(test, get64(f->msg, 36), 0);
	KUNIT_EXPECT_EQ(test, f->msg[52], IC_TIMESYNC_SAMPLE);
	reply(f, 0);
	expect_answer(f, 2, OVID_IC_OK, 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->msg[52], IC_TIMESYNC_SYNC);
	reply(f, 0);
	expect_answer(f, 3, OVID_IC_OK, 0);

	on = request(f, OVID_IC_TIMESYNC_AUTO, 4);
	on->on = 2;
	KUNIT_EXPECT_EQ(test, submit(f, on), -EINVAL);
	on->on = 1;
	KUNIT_EXPECT_EQ(test, submit(f, on), 0);
	expect_answer(f, 4, OVID_IC_OK, 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->msg[52], IC_TIMESYNC_SYNC);
}

static void expect_pulse(struct fixture *f, u32 pulse)
{
	struct kunit *test = f->test;

	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_HEARTBEAT);
	KUNIT_EXPECT_EQ(test, f->event.heartbeat.pulse, pulse);
}

static void heartbeat_goes_on(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_heartbeat_service);
	struct ovid_ic_heartbeat *hb = (struct ovid_ic_heartbeat *)f->answer;
	int i;

	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_HEARTBEAT, 1)), 0);
	expect_answer(f, 1, OVID_IC_OK, 0);
	KUNIT_EXPECT_EQ(test, hb->pulse, OVID_IC_NO_CONTACT);
	KUNIT_EXPECT_EQ(test, hb->age, IC_NEVER);
	get_ready(f, IC_VERSION(3, 0));
	for (i = 0; i < 5; i++) {
		KUNIT_ASSERT_TRUE(test, next(f));
		KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 40);
		KUNIT_EXPECT_EQ(test, get16(f->msg, 12), 1);
		KUNIT_EXPECT_EQ(test, get64(f->msg, 28), i + 1);
		put64(f->msg, 28, i + 2);
		reply(f, 0);
		if (!i)
			expect_pulse(f, OVID_IC_ALIVE);
		KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);
		KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), f->clk.now + 2 * IC_SECOND);
		later(f, 2 * IC_SECOND - 1);
		KUNIT_EXPECT_FALSE(test, next(f));
		later(f, 1);
	}
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_HEARTBEAT, 2)), 0);
	expect_answer(f, 2, OVID_IC_OK, 0);
	KUNIT_EXPECT_EQ(test, hb->pulse, OVID_IC_ALIVE);
	KUNIT_EXPECT_EQ(test, hb->sent, 5);
	KUNIT_EXPECT_EQ(test, hb->answered, 5);
	KUNIT_EXPECT_EQ(test, hb->age, 2 * IC_SECOND);
	/* what the guest says of itself */
	KUNIT_ASSERT_TRUE(test, next(f));
	put64(f->msg, 28, 7);
	put32(f->msg, 36, 2);
	reply(f, 0);
	expect_pulse(f, OVID_IC_ALIVE);
	KUNIT_EXPECT_EQ(test, f->event.heartbeat.guest, 2);
	ovid_ic_close(&f->ic, &f->clk);
	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_STATE);
	expect_pulse(f, OVID_IC_NO_CONTACT);
}

static void heartbeat_is_lost(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_heartbeat_service);
	int i, n = 0;

	get_ready(f, IC_VERSION(3, 0));
	KUNIT_ASSERT_TRUE(test, next(f));
	put64(f->msg, 28, 2);
	reply(f, 0);
	expect_pulse(f, OVID_IC_ALIVE);
	/* a minute without an answer: six of them, not thirty */
	for (i = 0; i < 60; i++) {
		later(f, IC_SECOND);
		n += next(f);
	}
	KUNIT_EXPECT_EQ(test, n, 6);
	expect_pulse(f, OVID_IC_LOST);
	KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);
	/* wrong numbers are no sign of life */
	put64(f->msg, 28, get64(f->msg, 28) + 2);
	reply(f, 0);
	KUNIT_EXPECT_EQ(test, take(f), -EAGAIN);
	KUNIT_EXPECT_EQ(test, f->ic.bad, 1);
	later(f, 2 * IC_SECOND);
	KUNIT_ASSERT_TRUE(test, next(f));
	put64(f->msg, 28, get64(f->msg, 28) + 1);
	f->bytes = HEADER + 39;
	reply(f, 0);
	KUNIT_EXPECT_EQ(test, f->ic.bad, 2);
	later(f, 2 * IC_SECOND);
	KUNIT_ASSERT_TRUE(test, next(f));
	put64(f->msg, 28, get64(f->msg, 28) + 1);
	reply(f, 0);
	expect_pulse(f, OVID_IC_ALIVE);
	/* no space in the ring is no sign of life, either */
	later(f, 2 * IC_SECOND);
	for (i = 0; i < 11; i++) {
		KUNIT_EXPECT_TRUE(test, ovid_ic_next(&f->ic, &f->clk, f->msg));
		KUNIT_EXPECT_EQ(test, take(f), i == 10 ? OVID_IC_HEARTBEAT : -EAGAIN);
		later(f, IC_SECOND);
	}
}

static struct ovid_ic_kvp *kvp_request(struct fixture *f, u16 kind, u64 id, const char *key)
{
	struct ovid_ic_kvp *kvp = request(f, kind, id);

	kvp->pool = OVID_IC_POOL_GUEST;
	set_text(kvp->key, key);
	return kvp;
}

static void kvp_values(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_kvp_service);
	struct ovid_ic_kvp *kvp, *got = (struct ovid_ic_kvp *)f->answer;

	get_ready(f, IC_VERSION(4, 0));
	kvp = kvp_request(f, OVID_IC_KVP_SET, 1, "name");
	kvp->type = OVID_IC_TEXT;
	set_text(kvp->value, "value");
	KUNIT_EXPECT_EQ(test, submit(f, kvp), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 2576);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 28), 1 | 1 << 8);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 32), 1);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 36), 10);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 40), 12);
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 44, "name"));
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 44 + 512, "value"));
	reply(f, 0);
	expect_answer(f, 1, OVID_IC_OK, 0);

	kvp = kvp_request(f, OVID_IC_KVP_SET, 2, "n");
	kvp->type = OVID_IC_U64;
	kvp->number = 0x123456789abcdefull;
	KUNIT_EXPECT_EQ(test, submit(f, kvp), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, get32(f->msg, 32), 8);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 40), 8);
	KUNIT_EXPECT_EQ(test, get64(f->msg, 44 + 512), 0x123456789abcdefull);
	reply(f, 0);
	expect_answer(f, 2, OVID_IC_OK, 0);

	KUNIT_EXPECT_EQ(test, submit(f, kvp_request(f, OVID_IC_KVP_GET, 3, "name")), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 2576);
	KUNIT_EXPECT_EQ(test, f->msg[28], 0);
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 44, "name"));
	put32(f->msg, 32, 1);
	put32(f->msg, 40, 10);
	put_text(f->msg, 44 + 512, "what");
	reply(f, 0);
	expect_answer(f, 3, OVID_IC_OK, 0);
	KUNIT_EXPECT_EQ(test, got->type, OVID_IC_TEXT);
	KUNIT_EXPECT_STREQ(test, got->key, "name");
	KUNIT_EXPECT_STREQ(test, got->value, "what");

	KUNIT_EXPECT_EQ(test, submit(f, kvp_request(f, OVID_IC_KVP_DELETE, 4, "name")), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 520);
	KUNIT_EXPECT_EQ(test, f->msg[28], 2);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 32), 10);
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 36, "name"));
	reply(f, 0x80070103);
	expect_answer(f, 4, OVID_IC_NO_MORE, 0x80070103);
}

static void kvp_enumerates(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_kvp_service);
	struct ovid_ic_kvp *kvp, *got = (struct ovid_ic_kvp *)f->answer;

	get_ready(f, IC_VERSION(4, 0));
	kvp = request(f, OVID_IC_KVP_ENUMERATE, 1);
	kvp->pool = OVID_IC_POOL_AUTO;
	kvp->index = 7;
	KUNIT_EXPECT_EQ(test, submit(f, kvp), 0);
	kvp->record.id = 2;
	KUNIT_EXPECT_EQ(test, submit(f, kvp), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 2580);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 28), 3 | 2 << 8);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 32), 7);
	put32(f->msg, 36, 4);
	put32(f->msg, 40, 14);
	put32(f->msg, 44, 4);
	put_text(f->msg, 48, "OSName");
	put32(f->msg, 48 + 512, 1234);
	reply(f, 0);
	expect_answer(f, 1, OVID_IC_OK, 0);
	KUNIT_EXPECT_STREQ(test, got->key, "OSName");
	KUNIT_EXPECT_EQ(test, got->type, OVID_IC_U32);
	KUNIT_EXPECT_EQ(test, got->number, 1234);
	KUNIT_EXPECT_STREQ(test, got->value, "");
	KUNIT_ASSERT_TRUE(test, next(f));
	reply(f, 0x80070103);
	expect_answer(f, 2, OVID_IC_NO_MORE, 0x80070103);
}

static void kvp_wrong_answers(struct kunit *test)
{
	static const struct {
		u32 type, key, value, cut, status;
	} row[] = {
		{ 1, 512, 2048, 0, OVID_IC_OK },
		{ 1, 0, 0, 0, OVID_IC_OK },
		{ 1, 514, 4, 0, OVID_IC_BAD_ANSWER },
		{ 1, ~0u, 4, 0, OVID_IC_BAD_ANSWER },
		{ 1, 4, 2049, 0, OVID_IC_BAD_ANSWER },
		{ 1, 4, ~0u, 0, OVID_IC_BAD_ANSWER },
		{ 1, 4, 4, 1, OVID_IC_BAD_ANSWER },
		{ 1, 4, 4, 2580, OVID_IC_BAD_ANSWER },
		{ 0, 4, 4, 0, OVID_IC_BAD_ANSWER },
		{ 3, 4, 4, 0, OVID_IC_BAD_ANSWER },
		{ 4, 4, 3, 0, OVID_IC_BAD_ANSWER },
		{ 8, 4, 7, 0, OVID_IC_BAD_ANSWER },
		{ 11, 4, 8, 0, OVID_IC_OK },
	};
	struct fixture *f = begin(test, &ovid_ic_kvp_service);
	struct ovid_ic_kvp *got = (struct ovid_ic_kvp *)f->answer;
	int i;

	get_ready(f, IC_VERSION(4, 0));
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_KVP_ENUMERATE, i + 1)), 0);
		KUNIT_ASSERT_TRUE(test, next(f));
		put32(f->msg, 36, row[i].type);
		put32(f->msg, 40, row[i].key);
		put32(f->msg, 44, row[i].value);
		memset(f->msg + 48, 0xff, 512 + 2048);	/* no NUL, three bytes for each unit */
		f->bytes -= row[i].cut;
		reply(f, 0);
		expect_answer(f, i + 1, row[i].status, 0);
		KUNIT_EXPECT_LT(test, strnlen(got->key, sizeof(got->key)), sizeof(got->key));
		KUNIT_EXPECT_LT(test, strnlen(got->value, sizeof(got->value)), sizeof(got->value));
		if (!i) {
			KUNIT_EXPECT_EQ(test, strlen(got->key), 255 * 3);
			KUNIT_EXPECT_EQ(test, strlen(got->value), 1023 * 3);
		}
	}
}

static void kvp_bad_requests(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_kvp_service);
	struct ovid_ic_kvp_ip *ip;
	struct ovid_ic_kvp *kvp;

	kvp = kvp_request(f, OVID_IC_KVP_GET, 1, "k");
	kvp->pool = 5;
	KUNIT_EXPECT_EQ(test, submit(f, kvp), -EINVAL);
	KUNIT_EXPECT_EQ(test, submit(f, kvp_request(f, OVID_IC_KVP_GET, 1, "")), -EINVAL);
	KUNIT_EXPECT_EQ(test, submit(f, kvp_request(f, OVID_IC_KVP_GET, 1, "\xff")), -EINVAL);
	KUNIT_EXPECT_EQ(test, submit(f, kvp_request(f, OVID_IC_KVP_SET, 1, "k")), -EINVAL);
	kvp = kvp_request(f, OVID_IC_KVP_GET, 1, "k");
	memset(kvp->key, 'k', 255);
	KUNIT_EXPECT_EQ(test, submit(f, kvp), 0);
	expect_answer(f, 1, OVID_IC_NOT_READY, 0);
	kvp->key[255] = 'k';
	KUNIT_EXPECT_EQ(test, submit(f, kvp), -EINVAL);
	kvp = kvp_request(f, OVID_IC_KVP_SET, 1, "k");
	kvp->type = OVID_IC_TEXT;
	memset(kvp->value, 'v', 1023);
	KUNIT_EXPECT_EQ(test, submit(f, kvp), 0);
	drop_events(f);
	kvp->value[1023] = 'v';
	KUNIT_EXPECT_EQ(test, submit(f, kvp), -EINVAL);
	kvp->type = OVID_IC_U32;
	kvp->number = 0x100000000ull;
	KUNIT_EXPECT_EQ(test, submit(f, kvp), -EINVAL);
	kvp->number--;
	KUNIT_EXPECT_EQ(test, submit(f, kvp), 0);
	kvp->reserved = 1;
	KUNIT_EXPECT_EQ(test, submit(f, kvp), -EINVAL);

	ip = request(f, OVID_IC_KVP_GET_IP, 1);
	KUNIT_EXPECT_EQ(test, submit(f, ip), -EINVAL);	/* of no adapter */
	set_text(ip->adapter, "a");
	KUNIT_EXPECT_EQ(test, submit(f, ip), 0);
	ip->family = 4;
	KUNIT_EXPECT_EQ(test, submit(f, ip), -EINVAL);
	ip->family = 3;
	ip->dhcp = 2;
	KUNIT_EXPECT_EQ(test, submit(f, ip), -EINVAL);
	ip->dhcp = 1;
	memset(ip->gateway, '1', 512);
	KUNIT_EXPECT_EQ(test, submit(f, ip), 0);
	ip->record.kind = OVID_IC_KVP_SET_IP;
	KUNIT_EXPECT_EQ(test, submit(f, ip), -EINVAL);
	ip->gateway[511] = 0;
	KUNIT_EXPECT_EQ(test, submit(f, ip), 0);
}

static void kvp_addresses(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_kvp_service);
	struct ovid_ic_kvp_ip *ip, *got = (struct ovid_ic_kvp_ip *)f->answer;

	get_ready(f, IC_VERSION(4, 0));
	ip = request(f, OVID_IC_KVP_SET_IP, 1);
	ip->family = OVID_IC_IPV4;
	set_text(ip->adapter, "{guid}");
	set_text(ip->address, "10.0.0.2");
	set_text(ip->netmask, "255.0.0.0");
	set_text(ip->gateway, "10.0.0.1");
	set_text(ip->dns, "10.0.0.3");
	KUNIT_EXPECT_EQ(test, submit(f, ip), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 7428);
	KUNIT_EXPECT_EQ(test, f->msg[28], 5);
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 30, "{guid}"));
	KUNIT_EXPECT_EQ(test, get16(f->msg, 286), 1);
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 288, "10.0.0.2"));
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 2336, "255.0.0.0"));
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 4384, "10.0.0.1"));
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 5408, "10.0.0.3"));
	reply(f, 0x80041002);
	expect_answer(f, 1, OVID_IC_REFUSED, 0x80041002);

	ip = request(f, OVID_IC_KVP_GET_IP, 2);
	set_text(ip->adapter, "00:15:5d:00:00:01");
	KUNIT_EXPECT_EQ(test, submit(f, ip), 0);
	ip->record.id = 3;
	KUNIT_EXPECT_EQ(test, submit(f, ip), 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->msg[28], 4);
	put16(f->msg, 286, 0x0103);
	put_text(f->msg, 288, "fe80::1;1.2.3.4");
	put_text(f->msg, 5408, "9.9.9.9");
	reply(f, 0);
	expect_answer(f, 2, OVID_IC_OK, 0);
	KUNIT_EXPECT_EQ(test, got->family, 3);
	KUNIT_EXPECT_EQ(test, got->dhcp, 1);
	KUNIT_EXPECT_STREQ(test, got->address, "fe80::1;1.2.3.4");
	KUNIT_EXPECT_STREQ(test, got->gateway, "");
	KUNIT_EXPECT_STREQ(test, got->dns, "9.9.9.9");
	KUNIT_ASSERT_TRUE(test, next(f));
	f->bytes--;
	reply(f, 0);
	expect_answer(f, 3, OVID_IC_BAD_ANSWER, 0);

	/* older guests do not have it */
	ovid_ic_close(&f->ic, &f->clk);
	get_ready(f, IC_VERSION(3, 0));
	KUNIT_EXPECT_EQ(test, submit(f, ip), 0);
	KUNIT_EXPECT_FALSE(test, next(f));
	expect_answer(f, 3, OVID_IC_UNSUPPORTED, 0);
}

static void vss_operations(struct kunit *test)
{
	static const struct {
		u16 kind;
		u8 op;
		u32 status, code, cut, result;
	} row[] = {
		{ OVID_IC_VSS_CHECK, 2 },
		{ OVID_IC_VSS_FREEZE, 5 },
		{ OVID_IC_VSS_THAW, 6 },
		{ OVID_IC_VSS_FREEZE, 5, .code = 0x80004005, .result = OVID_IC_REFUSED },
		{ OVID_IC_VSS_THAW, 6, .code = 0x80070103, .result = OVID_IC_REFUSED },
		{ OVID_IC_VSS_CHECK, 2, .cut = 1, .result = OVID_IC_BAD_ANSWER },
	};
	struct fixture *f = begin(test, &ovid_ic_vss_service);
	struct ovid_ic_vss_check *check;
	int i;

	get_ready(f, IC_VERSION(5, 0));
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		KUNIT_EXPECT_EQ(test, submit(f, request(f, row[i].kind, i + 1)), 0);
		KUNIT_ASSERT_TRUE(test, next(f));
		KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 12);
		KUNIT_EXPECT_EQ(test, get16(f->msg, 12), 5);
		KUNIT_EXPECT_EQ(test, get64(f->msg, 28), row[i].op);
		put32(f->msg, 36, 5);
		f->bytes -= row[i].cut;
		reply(f, row[i].code);
		expect_answer(f, i + 1, row[i].result, row[i].code);
		if (!i)
			KUNIT_EXPECT_EQ(test, ((struct ovid_ic_vss_check *)f->answer)->flags, 5);
	}
	check = request(f, OVID_IC_VSS_CHECK, 1);
	check->reserved = 1;
	KUNIT_EXPECT_EQ(test, submit(f, check), -EINVAL);
}

static int copy_start(struct fixture *f, u64 id, u64 bytes)
{
	struct ovid_ic_copy_start *start = request(f, OVID_IC_COPY_START, id);

	start->bytes = bytes;
	start->flags = OVID_IC_OVERWRITE | OVID_IC_CREATE_PATH;
	set_text(start->name, "file");
	set_text(start->path, "/tmp/new");
	return submit(f, start);
}

static int copy_data(struct fixture *f, u64 id, u64 offset, u32 bytes)
{
	struct ovid_ic_copy_data *data = request(f, OVID_IC_COPY_DATA, id);

	data->offset = offset;
	data->bytes = bytes;
	memset(data->data, 0x5a, sizeof(data->data));
	return submit(f, data);
}

static void copy_a_file(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_fcopy_service);

	get_ready(f, IC_VERSION(1, 1));
	/* all written ahead */
	KUNIT_EXPECT_EQ(test, copy_start(f, 1, 6200), 0);
	KUNIT_EXPECT_EQ(test, copy_data(f, 2, 0, 6144), 0);
	KUNIT_EXPECT_EQ(test, copy_data(f, 3, 6144, 56), 0);
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_COPY_COMPLETE, 4)), 0);

	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 1088);
	KUNIT_EXPECT_EQ(test, get16(f->msg, 12), 7);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 28), 0);
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 64, "file"));
	KUNIT_EXPECT_TRUE(test, is_text(f->msg, 64 + 520, "/tmp/new"));
	KUNIT_EXPECT_EQ(test, get32(f->msg, 64 + 1040), 3);
	KUNIT_EXPECT_EQ(test, get64(f->msg, 64 + 1044), 6200);
	reply(f, 0);
	expect_answer(f, 1, OVID_IC_OK, 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 6196);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 28), 1);
	KUNIT_EXPECT_EQ(test, get64(f->msg, 68), 0);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 76), 6144);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 80 + 6140), 0x5a5a5a5a);
	reply(f, 0);
	expect_answer(f, 2, OVID_IC_OK, 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, get64(f->msg, 68), 6144);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 76), 56);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 80 + 52), 0x5a5a5a5a);
	KUNIT_EXPECT_EQ(test, get64(f->msg, 80 + 56), 0);
	reply(f, 0);
	expect_answer(f, 3, OVID_IC_OK, 0);
	KUNIT_ASSERT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->bytes, HEADER + 36);
	KUNIT_EXPECT_EQ(test, get32(f->msg, 28), 2);
	reply(f, 0);
	expect_answer(f, 4, OVID_IC_OK, 0);
	KUNIT_EXPECT_FALSE(test, f->ic.copy.active);
}

/* sends and answers all that waits; the status of the last answer */
static u32 run(struct fixture *f, u32 code)
{
	while (next(f))
		reply(f, code);
	while (take(f) >= 0)
		;
	return answer_of(f)->status;
}

static void copy_in_order(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_fcopy_service);
	struct ovid_ic_copy_start *start;

	get_ready(f, IC_VERSION(1, 1));
	KUNIT_EXPECT_EQ(test, copy_data(f, 1, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OUT_OF_ORDER);
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_COPY_COMPLETE, 2)), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OUT_OF_ORDER);
	KUNIT_EXPECT_EQ(test, f->ic.sent, 1);

	/* what follows a start that was refused */
	KUNIT_EXPECT_EQ(test, copy_start(f, 3, 100), 0);
	KUNIT_EXPECT_EQ(test, copy_data(f, 4, 0, 100), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0x80070050), OVID_IC_OUT_OF_ORDER);

	KUNIT_EXPECT_EQ(test, copy_start(f, 5, 100), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OK);
	KUNIT_EXPECT_EQ(test, copy_start(f, 6, 10000), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OUT_OF_ORDER);
	KUNIT_EXPECT_EQ(test, copy_data(f, 7, 1, 100), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OUT_OF_ORDER);
	KUNIT_EXPECT_EQ(test, copy_data(f, 8, ~0ull, 2), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OUT_OF_ORDER);
	KUNIT_EXPECT_EQ(test, copy_data(f, 9, 0, 101), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OUT_OF_ORDER);
	KUNIT_EXPECT_EQ(test, copy_data(f, 10, 1, 99), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OK);
	/* a piece that fails does not end it, a cancel does, even if it is refused */
	KUNIT_EXPECT_EQ(test, copy_data(f, 11, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0x80070070), OVID_IC_REFUSED);
	KUNIT_EXPECT_TRUE(test, f->ic.copy.active);
	KUNIT_EXPECT_EQ(test, submit(f, request(f, OVID_IC_COPY_CANCEL, 12)), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0x80004005), OVID_IC_REFUSED);
	KUNIT_EXPECT_FALSE(test, f->ic.copy.active);
	/* nor does it outlive the guest's side */
	KUNIT_EXPECT_EQ(test, copy_start(f, 13, 100), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OK);
	ovid_ic_close(&f->ic, &f->clk);
	get_ready(f, IC_VERSION(1, 1));
	KUNIT_EXPECT_EQ(test, copy_data(f, 14, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, run(f, 0), OVID_IC_OUT_OF_ORDER);

	KUNIT_EXPECT_EQ(test, copy_data(f, 15, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, copy_data(f, 15, 0, 6145), -EINVAL);
	start = request(f, OVID_IC_COPY_START, 15);
	set_text(start->path, "/");
	KUNIT_EXPECT_EQ(test, submit(f, start), -EINVAL);
	memset(start->name, 'n', 259);
	KUNIT_EXPECT_EQ(test, submit(f, start), 0);
	start->name[259] = 'n';
	KUNIT_EXPECT_EQ(test, submit(f, start), -EINVAL);
	start->name[1] = 0;
	start->flags = 4;
	KUNIT_EXPECT_EQ(test, submit(f, start), -EINVAL);
}

/* ---- a guest without manners ------------------------------------------------------------ */

static u32 draw(u64 *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}

/* any request that the service may have, mostly a good one */
static void random_request(struct fixture *f, u64 *seed)
{
	u16 kind = 1 + draw(seed) % 18;
	struct ovid_ic_kvp *kvp = (struct ovid_ic_kvp *)f->rec;

	if (kind != OVID_IC_STATE && !f->ic.svc->size_of(kind))
		return;
	request(f, kind, 1 + draw(seed) % 100);
	if (f->ic.svc == &ovid_ic_kvp_service && kind <= OVID_IC_KVP_ENUMERATE && kind > 5)
		kvp_request(f, kind, 1, "key")->type = 1;
	else if (f->ic.svc == &ovid_ic_kvp_service && kind > 5)
		set_text(((struct ovid_ic_kvp_ip *)f->rec)->adapter, "a");
	else if (kind == OVID_IC_COPY_START)
		copy_start(f, 5, 10000);
	else if (kind == OVID_IC_COPY_DATA)
		copy_data(f, 6, draw(seed) % 10000, 1 + draw(seed) % 6144);
	else if (kind == OVID_IC_TIMESYNC)
		kvp->pool = 1;
	submit(f, f->rec);
}

static void random_message(struct fixture *f, u64 *seed)
{
	u32 len = draw(seed) % 4 ? f->bytes : draw(seed) % sizeof(f->msg);
	int n = draw(seed) % 4;

	f->msg[25] = 5;
	while (n--)
		f->msg[draw(seed) % max(len, 1u)] = draw(seed);
	ovid_ic_receive(&f->ic, &f->clk, f->msg, len);
}

static void any_message(struct kunit *test)
{
	static const struct ovid_ic_service *const services[] = {
		&ovid_ic_heartbeat_service, &ovid_ic_shutdown_service, &ovid_ic_timesync_service,
		&ovid_ic_kvp_service, &ovid_ic_vss_service, &ovid_ic_fcopy_service,
	};
	struct fixture *f;
	u32 asked, got, i, s, v;
	u64 seed = 1;

	for (s = 0; s < ARRAY_SIZE(services); s++) {
		f = begin(test, services[s]);
		for (v = 0; services[s]->versions[v + 1]; v++)
			;
		asked = 0;
		got = 0;
		for (i = 0; i < 20000; i++) {
			u32 had = f->ic.nr_requests;

			if (f->ic.guest != OVID_IC_READY || !(draw(&seed) % 500)) {
				ovid_ic_close(&f->ic, &f->clk);
				ovid_ic_open(&f->ic, &f->clk);
				if (next(f) && draw(&seed) % 8)
					accept_versions(f, IC_VERSION(3, 0), services[s]->versions[v]);
			}
			random_request(f, &seed);
			asked += f->ic.nr_requests - had;
			if (draw(&seed) % 3)
				next(f);
			random_message(f, &seed);
			later(f, draw(&seed) % 4 ? IC_SECOND / 4 : 20 * IC_SECOND);
			KUNIT_ASSERT_TRUE(test, f->ic.nr_requests <= OVID_IC_MAX_REQUESTS);
			while (draw(&seed) % 4) {
				had = f->ic.nr_requests;
				if (take(f) < 0)
					break;
				got += had - f->ic.nr_requests;
			}
		}
		/* each request has exactly one answer */
		ovid_ic_close(&f->ic, &f->clk);
		for (; f->ic.nr_requests; got++)
			while (take(f) >= 0 && f->ic.nr_requests == asked - got)
				;
		KUNIT_EXPECT_EQ_MSG(test, got, asked, "service %u", s);
		KUNIT_EXPECT_GT(test, asked, 1000);
		KUNIT_EXPECT_GT(test, f->ic.stray + f->ic.bad, 1000);
	}
}

static void drained(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);
	int n = 0;

	submit(f, request(f, OVID_IC_VSS_THAW, 1));
	get_ready(f, IC_VERSION(5, 0));
	submit(f, request(f, OVID_IC_STATE, 2));
	submit(f, request(f, OVID_IC_VSS_THAW, 3));
	submit(f, request(f, OVID_IC_VSS_THAW, 4));
	next(f);
	while (ovid_ic_drain(&f->ic))
		n++;
	KUNIT_EXPECT_EQ(test, n, 3);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(text_to_utf16),
	KUNIT_CASE(text_from_guest),
	KUNIT_CASE(negotiation_message),
	KUNIT_CASE(negotiation_answers),
	KUNIT_CASE(answers_to_nothing),
	KUNIT_CASE(state_events),
	KUNIT_CASE(request_heads),
	KUNIT_CASE(not_ready_and_gone),
	KUNIT_CASE(one_at_a_time),
	KUNIT_CASE(late_answers),
	KUNIT_CASE(full_ring),
	KUNIT_CASE(nothing_overtakes),
	KUNIT_CASE(no_ring_for_anything),
	KUNIT_CASE(transactions_go_round),
	KUNIT_CASE(shutdown_actions),
	KUNIT_CASE(shutdown_refused),
	KUNIT_CASE(timesync_by_itself),
	KUNIT_CASE(timesync_by_request),
	KUNIT_CASE(heartbeat_goes_on),
	KUNIT_CASE(heartbeat_is_lost),
	KUNIT_CASE(kvp_values),
	KUNIT_CASE(kvp_enumerates),
	KUNIT_CASE(kvp_wrong_answers),
	KUNIT_CASE(kvp_bad_requests),
	KUNIT_CASE(kvp_addresses),
	KUNIT_CASE(vss_operations),
	KUNIT_CASE(copy_a_file),
	KUNIT_CASE(copy_in_order),
	KUNIT_CASE(any_message),
	KUNIT_CASE(drained),
	{}
};

static struct kunit_suite suite = {
	.name = "ovid_ic",
	.test_cases = cases,
};

kunit_test_suite(suite);

/* has the same fixture */
#include "save_test.c"

MODULE_DESCRIPTION("Cases for the integration components");
MODULE_LICENSE("GPL");
