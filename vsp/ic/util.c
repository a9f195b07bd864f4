// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frame of the six components: header, negotiation, the one transaction under way,
 * and what the file reads.
 *
 * The host speaks first: when the guest opens the channel it is asked for its versions,
 * and answers when it likes (Linux's KVP driver: when its daemon is there).  From
 * then on one message at a time is under way, which is what Linux's drivers can do.
 * An answer is known by its transaction id; the guest's daemon for file copy does not
 * keep the one of the ring.
 */
#include "service.h"

/* how long the guest may take for what we send by ourselves */
#define AUTO_TIMEOUT	(10 * IC_SECOND)

static void queue_init(struct ovid_ic_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void queue_push(struct ovid_ic_queue *q, struct ovid_ic_request *req)
{
	req->next = NULL;
	*q->last = req;
	q->last = &req->next;
}

static struct ovid_ic_request *queue_pop(struct ovid_ic_queue *q)
{
	struct ovid_ic_request *req = q->first;

	if (!req)
		return NULL;
	q->first = req->next;
	if (!q->first)
		q->last = &q->first;
	return req;
}

void ovid_ic_init(struct ovid_ic *ic, const struct ovid_ic_service *svc)
{
	memset(ic, 0, sizeof(*ic));
	ic->svc = svc;
	queue_init(&ic->waiting);
	queue_init(&ic->finished);
}

struct ovid_ic_request *ovid_ic_drain(struct ovid_ic *ic)
{
	return queue_pop(&ic->waiting) ?: queue_pop(&ic->finished);
}

/* ---- requests ------------------------------------------------------------ */

/* it has its answer */
void ovid_ic_finish(struct ovid_ic *ic, struct ovid_ic_request *req)
{
	queue_push(&ic->finished, req);
}

static void answer(struct ovid_ic *ic, struct ovid_ic_request *req, u32 status, u32 code)
{
	struct ovid_ic_record *rec = ovid_ic_record(req);

	rec->status = status;
	rec->code = code;
	if (ic->svc->done)
		ic->svc->done(ic, rec);
	ovid_ic_finish(ic, req);
}

/* the first one that waits */
static void answer_first(struct ovid_ic *ic, u32 status, u32 code)
{
	answer(ic, queue_pop(&ic->waiting), status, code);
}

static void fill_state(const struct ovid_ic *ic, struct ovid_ic_state *st)
{
	st->record.size = sizeof(*st);
	st->record.kind = OVID_IC_STATE;
	st->guest = ic->guest;
	st->framework = ic->framework;
	st->version = ic->version;
	st->opens = ic->opens;
	st->sent = ic->sent;
	st->answered = ic->answered;
	st->timeouts = ic->timeouts;
	st->bad = ic->bad;
	st->stray = ic->stray;
}

int ovid_ic_check(const struct ovid_ic_service *svc, const struct ovid_ic_record *rec, u32 len)
{
	u32 size;

	if (rec->kind == OVID_IC_STATE)
		size = sizeof(struct ovid_ic_state);
	else
		size = svc->size_of(rec->kind);
	if (!size || size != len || rec->size != len)
		return -EINVAL;
	if (rec->reserved || !rec->id || rec->status || rec->code)
		return -EINVAL;
	return rec->kind != OVID_IC_STATE && svc->check ? svc->check(rec) : 0;
}

bool ovid_ic_has_room(const struct ovid_ic *ic)
{
	return ic->nr_requests < OVID_IC_MAX_REQUESTS;
}

int ovid_ic_submit(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
		   struct ovid_ic_request *req)
{
	struct ovid_ic_record *rec = ovid_ic_record(req);

	if (!ovid_ic_has_room(ic))
		return -EAGAIN;
	ic->nr_requests++;
	if (rec->kind == OVID_IC_STATE) {
		fill_state(ic, (struct ovid_ic_state *)req->bytes);
		ovid_ic_finish(ic, req);
	} else if (ic->svc->local && ic->svc->local(ic, clk, rec)) {
		ovid_ic_finish(ic, req);
	} else if (ic->guest != OVID_IC_READY) {
		answer(ic, req, OVID_IC_NOT_READY, 0);
	} else {
		queue_push(&ic->waiting, req);
	}
	return 0;
}

bool ovid_ic_has_event(const struct ovid_ic *ic)
{
	return ic->changed || ic->finished.first || (ic->svc->has_event && ic->svc->has_event(ic));
}

static int own_event(struct ovid_ic *ic, const struct ovid_ic_clock *clk, u32 max,
		     union ovid_ic_event *event)
{
	memset(event, 0, sizeof(*event));
	if (ic->changed) {
		if (max < sizeof(event->state))
			return -EMSGSIZE;
		fill_state(ic, &event->state);
		ic->changed = false;
		return sizeof(event->state);
	}
	if (max < ic->svc->event_size)
		return -EMSGSIZE;
	ic->svc->event(ic, clk, event);
	return ic->svc->event_size;
}

int ovid_ic_event(struct ovid_ic *ic, const struct ovid_ic_clock *clk, u32 max,
		  union ovid_ic_event *event, struct ovid_ic_request **req)
{
	u32 size;

	*req = NULL;
	if (ic->changed || (ic->svc->has_event && ic->svc->has_event(ic)))
		return own_event(ic, clk, max, event);
	if (!ic->finished.first)
		return -EAGAIN;
	size = ovid_ic_record(ic->finished.first)->size;
	if (max < size)
		return -EMSGSIZE;
	*req = queue_pop(&ic->finished);
	ic->nr_requests--;
	return size;
}

/* ---- the guest's side comes and goes -------------------------------------- */

static void set_guest(struct ovid_ic *ic, const struct ovid_ic_clock *clk, u32 guest)
{
	ic->guest = guest;
	ic->changed = true;
	if (ic->svc->reset)
		ic->svc->reset(ic, clk);
}

static void idle(struct ovid_ic *ic)
{
	ic->busy = IC_BUSY_NOT;
	ic->making = IC_BUSY_NOT;
	ic->deadline = 0;
}

void ovid_ic_open(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	ic->opens++;
	set_guest(ic, clk, OVID_IC_NEGOTIATING);
}

void ovid_ic_close(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	if (ic->busy == IC_BUSY_REQUEST)
		answer_first(ic, OVID_IC_GONE, 0);
	while (ic->waiting.first)
		answer_first(ic, OVID_IC_NOT_READY, 0);
	idle(ic);
	ic->framework = 0;
	ic->version = 0;
	set_guest(ic, clk, OVID_IC_CLOSED);
}

/* ---- towards the guest ----------------------------------------------------- */

static struct ic_w_version wire_version(u32 version)
{
	return (struct ic_w_version){ .major = version >> 16, .minor = version & 0xffff };
}

static u32 from_wire(struct ic_w_version v)
{
	return IC_VERSION((u32)v.major, v.minor);
}

/* 0 is no id: it stands in what a guest has not filled */
static u8 next_transaction(const struct ovid_ic *ic)
{
	return ic->transaction == 0xff ? 1 : ic->transaction + 1;
}

static u32 frame(const struct ovid_ic *ic, void *buf, u16 type, u32 body)
{
	const struct ic_w_header h = {
		.pipe_flags = IC_PIPE_DATA,
		.pipe_bytes = sizeof(h) - offsetof(struct ic_w_header, framework) + body,
		.framework = wire_version(ic->framework),
		.type = type,
		.version = wire_version(ic->version),
		.bytes = body,
		.transaction = next_transaction(ic),
		.flags = IC_TRANSACTION | IC_REQUEST,
	};

	memcpy(buf, &h, sizeof(h));
	return sizeof(h) + body;
}

static u32 list_versions(struct ic_w_version *out, const u32 *versions)
{
	u32 n;

	for (n = 0; versions[n]; n++)
		out[n] = wire_version(versions[n]);
	return n;
}

bool ovid_ic_knows(const u32 *versions, u32 version)
{
	while (*versions && *versions != version)
		versions++;
	return *versions;
}

static u32 build_negotiate(const struct ovid_ic *ic, void *body)
{
	struct ic_w_negotiate *neg = body;

	neg->frameworks = list_versions(neg->list, ic->svc->frameworks);
	neg->versions = list_versions(neg->list + neg->frameworks, ic->svc->versions);
	return IC_NEGOTIATE_BYTES(neg->frameworks + neg->versions);
}

/* what to make next; what was begun and has found no space comes first */
static enum ovid_ic_busy choose(const struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	if (ic->making)
		return ic->making;
	if (ic->guest == OVID_IC_NEGOTIATING)
		return IC_BUSY_NEGOTIATE;
	if (ic->guest != OVID_IC_READY)
		return IC_BUSY_NOT;
	if (ic->svc->due && clk->now >= ic->svc->due(ic))
		return IC_BUSY_AUTO;
	return ic->waiting.first ? IC_BUSY_REQUEST : IC_BUSY_NOT;
}

static u64 timeout_of(const struct ovid_ic *ic, enum ovid_ic_busy what)
{
	switch (what) {
	case IC_BUSY_REQUEST:
		return ic->svc->timeout(ovid_ic_record(ic->waiting.first));
	case IC_BUSY_AUTO:
		return AUTO_TIMEOUT;
	default:
		return IC_NEVER;
	}
}

static void set_deadline(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			 enum ovid_ic_busy what)
{
	u64 t = timeout_of(ic, what);

	ic->deadline = t == IC_NEVER ? t : clk->now + t;
}

/* no answer, or no space, for too long */
static void give_up(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	enum ovid_ic_busy what = ic->busy ?: ic->making;

	ic->timeouts++;
	idle(ic);
	if (what == IC_BUSY_REQUEST)
		answer_first(ic, OVID_IC_TIMEOUT, 0);
	else
		ic->svc->done_auto(ic, clk, NULL, 0);
}

/* bytes of the message; 0: the request was answered without one */
static u32 make(struct ovid_ic *ic, const struct ovid_ic_clock *clk, enum ovid_ic_busy what,
		void *buf)
{
	void *body = buf + sizeof(struct ic_w_header);
	int n;

	memset(buf, 0, IC_MAX_BYTES);
	switch (what) {
	case IC_BUSY_NEGOTIATE:
		return frame(ic, buf, IC_NEGOTIATE, build_negotiate(ic, body));
	case IC_BUSY_AUTO:
		return frame(ic, buf, ic->svc->type, ic->svc->build_auto(ic, clk, body));
	default:
		n = ic->svc->build(ic, clk, ovid_ic_record(ic->waiting.first), body);
		if (n >= 0)
			return frame(ic, buf, ic->svc->type, n);
		idle(ic);
		answer_first(ic, -n, 0);
		return 0;
	}
}

u32 ovid_ic_next(struct ovid_ic *ic, const struct ovid_ic_clock *clk, void *buf)
{
	enum ovid_ic_busy what;
	u32 bytes;

	if (ic->deadline && clk->now >= ic->deadline)
		give_up(ic, clk);
	if (ic->busy)
		return 0;
	while ((what = choose(ic, clk)) != IC_BUSY_NOT) {
		if (!ic->making)
			set_deadline(ic, clk, what);
		ic->making = what;
		bytes = make(ic, clk, what, buf);
		if (bytes)
			return bytes;
	}
	return 0;
}

void ovid_ic_sent(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	ic->sent++;
	ic->transaction = next_transaction(ic);
	ic->busy = ic->making;
	ic->making = IC_BUSY_NOT;
	set_deadline(ic, clk, ic->busy);
	if (ic->busy == IC_BUSY_AUTO)
		ic->svc->sent_auto(ic, clk);
}

void ovid_ic_refused(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	enum ovid_ic_busy what = ic->making;

	idle(ic);
	if (what == IC_BUSY_REQUEST) {
		answer_first(ic, OVID_IC_UNSUPPORTED, 0);
		return;
	}
	/* a ring for nothing at all */
	while (ic->waiting.first)
		answer_first(ic, OVID_IC_UNSUPPORTED, 0);
	set_guest(ic, clk, OVID_IC_NO_VERSION);
}

u64 ovid_ic_wake(const struct ovid_ic *ic)
{
	if (ic->deadline)
		return ic->deadline;
	if (ic->guest == OVID_IC_READY && ic->svc->due)
		return ic->svc->due(ic);
	return IC_NEVER;
}

/* ---- from the guest --------------------------------------------------------- */

/* its choice must be one of ours */
static bool negotiated(struct ovid_ic *ic, const struct ic_w_header *h, const void *body,
		       u32 bytes)
{
	struct ic_w_negotiate neg;
	u32 framework, version;

	if (h->type != IC_NEGOTIATE || bytes < IC_NEGOTIATE_BYTES(2))
		return false;
	memcpy(&neg, body, IC_NEGOTIATE_BYTES(2));
	if (neg.frameworks != 1 || neg.versions != 1)
		return false;
	framework = from_wire(neg.list[0]);
	version = from_wire(neg.list[1]);
	if (!ovid_ic_knows(ic->svc->frameworks, framework) ||
	    !ovid_ic_knows(ic->svc->versions, version))
		return false;
	ic->framework = framework;
	ic->version = version;
	return true;
}

static void request_answered(struct ovid_ic *ic, const struct ic_w_header *h, const void *body,
			     u32 bytes)
{
	struct ovid_ic_record *rec = ovid_ic_record(ic->waiting.first);
	u32 status = OVID_IC_OK;

	if (h->type != ic->svc->type) {
		ic->bad++;
		answer_first(ic, OVID_IC_BAD_ANSWER, 0);
		return;
	}
	if (h->status) {
		status = OVID_IC_REFUSED;
		if (h->type == IC_KVP && h->status == IC_S_NO_MORE)
			status = OVID_IC_NO_MORE;
		answer_first(ic, status, h->status);
		return;
	}
	if (ic->svc->parse)
		status = ic->svc->parse(rec, body, bytes);
	if (status == OVID_IC_BAD_ANSWER)
		ic->bad++;
	answer_first(ic, status, 0);
}

static void auto_answered(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			  const struct ic_w_header *h, const void *body, u32 bytes)
{
	/* of no use, but it is an answer: the next one is sent when it is due */
	if (h->type != ic->svc->type || !ic->svc->done_auto(ic, clk, body, bytes))
		ic->bad++;
}

void ovid_ic_receive(struct ovid_ic *ic, const struct ovid_ic_clock *clk, const void *buf,
		     u32 len)
{
	enum ovid_ic_busy what = ic->busy;
	const void *body = buf + sizeof(struct ic_w_header);
	struct ic_w_header h;

	if (!buf || len < sizeof(h)) {
		ic->bad++;
		return;
	}
	memcpy(&h, buf, sizeof(h));
	len -= sizeof(h);
	if (what == IC_BUSY_NOT || !(h.flags & IC_RESPONSE) || h.transaction != ic->transaction) {
		ic->stray++;
		return;
	}
	idle(ic);
	ic->answered++;
	if (what == IC_BUSY_REQUEST) {
		request_answered(ic, &h, body, len);
	} else if (what == IC_BUSY_AUTO) {
		auto_answered(ic, clk, &h, body, len);
	} else {
		bool ok = negotiated(ic, &h, body, len);

		set_guest(ic, clk, ok ? OVID_IC_READY : OVID_IC_NO_VERSION);
	}
}
