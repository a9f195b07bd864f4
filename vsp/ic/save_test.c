// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for saved components, a part of ic_test.c: all of its cases once more, moved before and
 * behind each step; then what is forged.
 */

#define STATE_BYTES	(sizeof(struct saved) + OVID_IC_MAX_REQUESTS * LONGEST)

/* where the requests of what is restored go */
static struct fixture *target;
static int makes;	/* so many more work; negative: all */

static struct ovid_ic_request *make_request(u32 bytes)
{
	struct ovid_ic_request *req;
	int i;

	if (!makes || bytes > LONGEST)
		return NULL;
	makes--;
	for (i = 0; i < SLOTS && target->slot[i].used; i++)
		;
	if (i == SLOTS)
		return NULL;
	target->slot[i].used = true;
	req = (struct ovid_ic_request *)target->slot[i].mem;
	memset(req, 0xee, sizeof(target->slot[i].mem));
	return req;
}

/* as it was offered */
static void renew(struct fixture *f)
{
	const struct ovid_ic_service *svc = f->ic.svc;
	int i;

	while (ovid_ic_drain(&f->ic))
		;
	for (i = 0; i < SLOTS; i++)
		f->slot[i].used = false;
	ovid_ic_init(&f->ic, svc);
	target = f;
	makes = -1;
}

static u64 state[STATE_BYTES / sizeof(u64)];

static u32 save(struct fixture *f)
{
	u32 bytes;

	memset(state, 0, sizeof(state));
	bytes = ovid_ic_save(&f->ic, &f->clk, NULL, 0);
	if (ovid_ic_save(&f->ic, &f->clk, state, bytes) != bytes)
		return 0;
	return bytes;
}

static int failed_moves;

static void move(struct fixture *f)
{
	u32 bytes = save(f);

	renew(f);
	if (ovid_ic_restore(&f->ic, &f->clk, state, bytes, make_request))
		failed_moves++;
}

static void all_cases_moving(struct kunit *test)
{
	struct kunit_case *c;

	failed_moves = 0;
	each_step = move;
	for (c = cases; c->run_case; c++)
		c->run_case(test);
	each_step = NULL;
	KUNIT_EXPECT_EQ(test, failed_moves, 0);
}

/* the other host's clock is another one */
static void other_clock(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_heartbeat_service);
	u32 bytes;

	get_ready(f, IC_VERSION(3, 0));
	KUNIT_ASSERT_TRUE(test, next(f));
	later(f, IC_SECOND);
	bytes = save(f);
	renew(f);
	f->clk.now = 5 * IC_SECOND;
	KUNIT_EXPECT_EQ(test, ovid_ic_restore(&f->ic, &f->clk, state, bytes, make_request), 0);
	/* no answer for ten seconds */
	KUNIT_EXPECT_EQ(test, ovid_ic_wake(&f->ic), 14 * IC_SECOND);
	KUNIT_EXPECT_EQ(test, f->ic.pulse.due, 6 * IC_SECOND);
	put64(f->msg, 28, get64(f->msg, 28) + 1);
	reply(f, 0);
	KUNIT_EXPECT_EQ(test, f->ic.pulse.answered, 1);
	KUNIT_EXPECT_EQ(test, f->ic.stray, 0);
	later(f, 3 * IC_SECOND);
	bytes = save(f);
	renew(f);
	f->clk.now = 500 * IC_SECOND;
	KUNIT_EXPECT_EQ(test, ovid_ic_restore(&f->ic, &f->clk, state, bytes, make_request), 0);
	KUNIT_EXPECT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, f->ic.pulse.heard, 497 * IC_SECOND);
}

/* ---- forged ---------------------------------------------------------------------- */

/* one request is with the guest, one waits, two are finished */
static struct fixture *busy(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_vss_service);

	get_ready(f, IC_VERSION(5, 0));
	submit(f, request(f, OVID_IC_STATE, 2));
	submit(f, request(f, OVID_IC_STATE, 3));
	submit(f, request(f, OVID_IC_VSS_FREEZE, 4));
	submit(f, request(f, OVID_IC_VSS_THAW, 5));
	KUNIT_ASSERT_TRUE(test, next(f));
	return f;
}

#define HEAD(member, val)	{ offsetof(struct saved, member), sizeof(((struct saved *)0)->member), val, #member " " #val }
#define FIRST(member, val)	{ sizeof(struct saved) + offsetof(struct ovid_ic_record, member), \
		sizeof(((struct ovid_ic_record *)0)->member), val, "first " #member " " #val }

static const struct {
	u32 at, bytes;
	u64 value;
	const char *what;
} forged[] = {
	HEAD(type, IC_KVP),
	HEAD(busy, IC_BUSY_NOT),
	HEAD(busy, IC_BUSY_NEGOTIATE),
	HEAD(busy, IC_BUSY_AUTO),		/* it sends nothing by itself */
	HEAD(busy, 4),
	HEAD(busy, 0xff),
	HEAD(making, IC_BUSY_REQUEST),		/* not while it is busy */
	HEAD(making, 4),
	HEAD(guest, OVID_IC_CLOSED),
	HEAD(guest, OVID_IC_NEGOTIATING),
	HEAD(guest, 4),
	HEAD(framework, 0),
	HEAD(framework, IC_VERSION(2, 0)),
	HEAD(version, 0),
	HEAD(version, IC_VERSION(5, 1)),
	HEAD(waiting, 0),
	HEAD(waiting, 1),
	HEAD(waiting, 3),
	HEAD(waiting, OVID_IC_MAX_REQUESTS),
	HEAD(waiting, ~0u),
	HEAD(finished, 0),
	HEAD(finished, OVID_IC_MAX_REQUESTS),
	HEAD(finished, ~0u),
	HEAD(deadline, 1ull << 60),
	HEAD(deadline, -(1ull << 60) - 1),
	HEAD(deadline, -1000 * IC_SECOND),	/* 0 of our clock */
	HEAD(deadline, 1ull << 63),
	FIRST(size, 23),
	FIRST(size, 25),
	FIRST(size, ~0u),
	FIRST(kind, OVID_IC_SHUTDOWN),
	FIRST(kind, OVID_IC_VSS_CHECK),		/* longer */
	FIRST(reserved, 1),
	FIRST(id, 0),
	FIRST(status, OVID_IC_GONE),
	FIRST(code, 1),
};

static void forged_components(struct kunit *test)
{
	struct fixture *f = busy(test);
	u32 i, bytes = save(f), cut;
	u64 was;

	for (i = 0; i < ARRAY_SIZE(forged); i++) {
		u8 *at = (u8 *)state + forged[i].at;

		was = 0;
		memcpy(&was, at, forged[i].bytes);
		KUNIT_EXPECT_NE_MSG(test, was, forged[i].value, "%s", forged[i].what);
		memcpy(at, &forged[i].value, forged[i].bytes);
		renew(f);
		KUNIT_EXPECT_EQ_MSG(test, ovid_ic_restore(&f->ic, &f->clk, state, bytes, make_request),
				    -EINVAL, "%s", forged[i].what);
		memcpy(at, &was, forged[i].bytes);
	}
	for (cut = 1; cut <= bytes; cut++) {
		renew(f);
		KUNIT_EXPECT_EQ(test, ovid_ic_restore(&f->ic, &f->clk, state, bytes - cut, make_request),
				-EINVAL);
	}
	for (i = 0; i < 4; i++) {
		renew(f);
		makes = i;
		KUNIT_EXPECT_EQ(test, ovid_ic_restore(&f->ic, &f->clk, state, bytes, make_request),
				-ENOMEM);
	}
	renew(f);
	KUNIT_EXPECT_EQ(test, ovid_ic_restore(&f->ic, &f->clk, state, bytes, make_request), 0);
	reply(f, 0);
	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_STATE);
	KUNIT_EXPECT_EQ(test, take(f), OVID_IC_STATE);
	expect_answer(f, 4, OVID_IC_OK, 0);
	KUNIT_EXPECT_TRUE(test, next(f));
	KUNIT_EXPECT_EQ(test, get64(f->msg, 28), 6);
}

/* requests that are answered without the guest do not wait for it, whatever the state says */
static void forged_local(struct kunit *test)
{
	struct fixture *f = begin(test, &ovid_ic_timesync_service);
	struct ovid_ic_timesync_auto *rec;
	struct ovid_ic_timesync *ts;
	struct saved *s = (void *)state;
	u32 bytes;

	get_ready(f, IC_VERSION(4, 0));
	ts = request(f, OVID_IC_TIMESYNC, 1);
	ts->flags = OVID_IC_SAMPLE;
	KUNIT_EXPECT_EQ(test, submit(f, ts), 0);
	rec = request(f, OVID_IC_TIMESYNC_AUTO, 2);
	KUNIT_EXPECT_EQ(test, submit(f, rec), 0);
	bytes = save(f);
	KUNIT_EXPECT_EQ(test, s->waiting, 1);
	KUNIT_EXPECT_EQ(test, s->finished, 1);
	s->waiting = 2;
	s->finished = 0;
	renew(f);
	KUNIT_EXPECT_EQ(test, ovid_ic_restore(&f->ic, &f->clk, state, bytes, make_request), 0);
	expect_answer(f, 2, OVID_IC_OK, 0);
	KUNIT_EXPECT_TRUE(test, next(f));
	KUNIT_EXPECT_FALSE(test, f->ic.waiting.first->next);
}

/* any bytes: what is taken for a state goes on without harm */
static void any_state(struct kunit *test)
{
	static const struct ovid_ic_service *const services[] = {
		&ovid_ic_heartbeat_service, &ovid_ic_shutdown_service, &ovid_ic_timesync_service,
		&ovid_ic_kvp_service, &ovid_ic_vss_service, &ovid_ic_fcopy_service,
	};
	u32 bytes, i, n, taken = 0, s, v;
	struct fixture *f;
	u64 seed = 7;

	for (s = 0; s < ARRAY_SIZE(services); s++) {
		f = begin(test, services[s]);
		for (v = 0; services[s]->versions[v + 1]; v++)
			;
		get_ready(f, services[s]->versions[v]);
		for (i = 0; i < 3000; i++) {
			random_request(f, &seed);
			if (draw(&seed) % 2)
				next(f);
			if (draw(&seed) % 2)
				random_message(f, &seed);
			if (draw(&seed) % 4)
				take(f);
			bytes = save(f);
			for (n = draw(&seed) % 3; n; n--)
				((u8 *)state)[draw(&seed) % bytes] = draw(&seed);
			renew(f);
			if (!ovid_ic_restore(&f->ic, &f->clk, state, bytes, make_request))
				taken++;
			else
				renew(f);
			later(f, draw(&seed) % 4 ? IC_SECOND / 4 : 20 * IC_SECOND);
			KUNIT_ASSERT_TRUE(test, f->ic.nr_requests <= OVID_IC_MAX_REQUESTS);
			if (f->ic.guest == OVID_IC_CLOSED)
				get_ready(f, services[s]->versions[v]);
		}
		ovid_ic_close(&f->ic, &f->clk);
		for (n = f->ic.nr_requests; n; n--)
			KUNIT_EXPECT_NOT_NULL(test, ovid_ic_drain(&f->ic));
		KUNIT_EXPECT_FALSE(test, ovid_ic_drain(&f->ic));
	}
	KUNIT_EXPECT_GT(test, taken, 1000);
}

static struct kunit_case save_cases[] = {
	KUNIT_CASE(all_cases_moving),
	KUNIT_CASE(other_clock),
	KUNIT_CASE(forged_components),
	KUNIT_CASE(forged_local),
	KUNIT_CASE(any_state),
	{}
};

static struct kunit_suite save_suite = {
	.name = "ovid_ic_save",
	.test_cases = save_cases,
};

kunit_test_suite(save_suite);
