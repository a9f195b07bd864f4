// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a component's channel, and back: what is under way with the guest, and the
 * requests and answers of whoever has the file (pure).
 *
 * Clocks of two hosts have nothing to do with each other: times are kept as from now on.
 * What comes back may be forged: requests are checked as those that are written are.
 */
#include "service.h"

/* a deadline that is farther from now was never set */
#define FARTHEST	(1ull << 60)

/* what is saved; records follow, those that wait and then those that are finished, each from a
 * multiple of 8 bytes on
 */
struct saved {
	u16 type;
	u8 busy;
	u8 making;
	u8 transaction;
	u8 changed;
	u16 pad;
	u32 guest;
	u32 framework;
	u32 version;
	u32 opens;
	u32 waiting;
	u32 finished;
	u64 deadline;		/* of a request, or what we sent by ourselves: from now on */
	u64 sent;
	u64 answered;
	u64 timeouts;
	u64 bad;
	u64 stray;
	u64 own[IC_OWN];
};

static u32 round_up8(u32 bytes)
{
	return (bytes + 7) & ~7u;
}

/* ---- there ------------------------------------------------------------------- */

static bool has_limit(enum ovid_ic_busy what)
{
	return what == IC_BUSY_REQUEST || what == IC_BUSY_AUTO;
}

static void save_head(const struct ovid_ic *ic, const struct ovid_ic_clock *clk, struct saved *s)
{
	const struct ovid_ic_request *req;

	s->type = ic->svc->type;
	s->busy = ic->busy;
	s->making = ic->making;
	s->transaction = ic->transaction;
	s->changed = ic->changed;
	s->guest = ic->guest;
	s->framework = ic->framework;
	s->version = ic->version;
	s->opens = ic->opens;
	for (req = ic->waiting.first; req; req = req->next)
		s->waiting++;
	s->finished = ic->nr_requests - s->waiting;
	if (has_limit(ic->busy ?: ic->making))
		s->deadline = ic->deadline - clk->now;
	s->sent = ic->sent;
	s->answered = ic->answered;
	s->timeouts = ic->timeouts;
	s->bad = ic->bad;
	s->stray = ic->stray;
	if (ic->svc->save)
		ic->svc->save(ic, clk, s->own);
}

/* where the next one begins */
static u32 save_requests(const struct ovid_ic_queue *q, void *buf, u32 room, u32 at)
{
	const struct ovid_ic_record *rec;
	struct ovid_ic_request *req;

	for (req = q->first; req; req = req->next) {
		rec = ovid_ic_record(req);
		if (at + round_up8(rec->size) <= room)
			memcpy(buf + at, rec, rec->size);
		at += round_up8(rec->size);
	}
	return at;
}

u32 ovid_ic_save(const struct ovid_ic *ic, const struct ovid_ic_clock *clk, void *buf, u32 room)
{
	u32 at;

	if (sizeof(struct saved) <= room)
		save_head(ic, clk, buf);
	at = save_requests(&ic->waiting, buf, room, sizeof(struct saved));
	return save_requests(&ic->finished, buf, room, at);
}

/* ---- back -------------------------------------------------------------------- */

/* the next record, with room for it and checked for its size; NULL with @err */
static struct ovid_ic_request *next_request(const struct ovid_ic *ic, const void **at, u32 *left,
					    struct ovid_ic_request *(*make)(u32 bytes), int *err)
{
	const struct ovid_ic_record *rec = *at;
	struct ovid_ic_request *req;
	u32 size;

	*err = -EINVAL;
	if (*left < sizeof(*rec))
		return NULL;
	size = rec->kind == OVID_IC_STATE ? sizeof(struct ovid_ic_state) :
	       ic->svc->size_of(rec->kind);
	if (!size || rec->size != size || round_up8(size) > *left || rec->reserved || !rec->id)
		return NULL;
	*err = -ENOMEM;
	req = make(size);
	if (!req)
		return NULL;
	*err = 0;
	memcpy(req->bytes, rec, size);
	*at += round_up8(size);
	*left -= round_up8(size);
	return req;
}

/* as if it was written now: one that does not need the guest is answered, and harms nobody */
static int take_waiting(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			struct ovid_ic_request *req)
{
	const struct ovid_ic_record *rec = ovid_ic_record(req);
	int err = ovid_ic_check(ic->svc, rec, rec->size);

	if (err)
		ovid_ic_finish(ic, req);	/* it is freed with the others */
	return err ?: ovid_ic_submit(ic, clk, req);
}

static int take_requests(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			 const struct saved *s, u32 left,
			 struct ovid_ic_request *(*make)(u32 bytes))
{
	const void *at = s + 1;
	struct ovid_ic_request *req;
	u32 i;
	int err;

	if (s->waiting > OVID_IC_MAX_REQUESTS || s->finished > OVID_IC_MAX_REQUESTS - s->waiting)
		return -EINVAL;
	for (i = 0; i < s->waiting + s->finished; i++) {
		req = next_request(ic, &at, &left, make, &err);
		if (!req)
			return err;
		if (i < s->waiting) {
			err = take_waiting(ic, clk, req);
			if (err)
				return err;
		} else {
			ovid_ic_finish(ic, req);
			ic->nr_requests++;
		}
	}
	return left ? -EINVAL : 0;
}

/* what waits for an answer or space */
static bool busy_holds(const struct ovid_ic *ic)
{
	switch (ic->busy ?: ic->making) {
	case IC_BUSY_NOT:
		return true;
	case IC_BUSY_NEGOTIATE:
		return ic->guest == OVID_IC_NEGOTIATING;
	case IC_BUSY_REQUEST:
		return ic->guest == OVID_IC_READY && ic->waiting.first;
	case IC_BUSY_AUTO:
		return ic->guest == OVID_IC_READY && ic->svc->due;
	default:
		return false;
	}
}

/* none but those two have one that comes */
static bool put_deadline(struct ovid_ic *ic, const struct ovid_ic_clock *clk, u64 from_now)
{
	enum ovid_ic_busy what = ic->busy ?: ic->making;

	ic->deadline = what == IC_BUSY_NEGOTIATE ? IC_NEVER : 0;
	if (!has_limit(what))
		return !from_now;
	ic->deadline = clk->now + from_now;
	return from_now + FARTHEST < 2 * FARTHEST && ic->deadline && ic->deadline != IC_NEVER;
}

static bool holds(const struct ovid_ic *ic)
{
	bool known = ovid_ic_knows(ic->svc->frameworks, ic->framework) &&
		     ovid_ic_knows(ic->svc->versions, ic->version);

	if (ic->guest > OVID_IC_NO_VERSION || (ic->busy && ic->making))
		return false;
	if (!known && (ic->guest == OVID_IC_READY || ic->framework || ic->version))
		return false;
	return busy_holds(ic);
}

int ovid_ic_restore(struct ovid_ic *ic, const struct ovid_ic_clock *clk, const void *buf, u32 bytes,
		    struct ovid_ic_request *(*make)(u32 bytes))
{
	const struct saved *s = buf;
	int err;

	if (bytes < sizeof(*s) || s->type != ic->svc->type)
		return -EINVAL;
	ic->guest = s->guest;	/* requests wait only for one that is ready */
	err = take_requests(ic, clk, s, bytes - sizeof(*s), make);
	if (err)
		return err;
	ic->busy = s->busy;
	ic->making = s->making;
	ic->transaction = s->transaction;
	ic->changed = s->changed;
	ic->framework = s->framework;
	ic->version = s->version;
	ic->opens = s->opens;
	ic->sent = s->sent;
	ic->answered = s->answered;
	ic->timeouts = s->timeouts;
	ic->bad = s->bad;
	ic->stray = s->stray;
	if (ic->svc->restore)
		ic->svc->restore(ic, clk, s->own);
	return holds(ic) && put_deadline(ic, clk, s->deadline) ? 0 : -EINVAL;
}
