/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the six components share (pure): negotiation, one transaction at a time, a queue
 * of requests, answers and events for the file.
 *
 * Nothing here waits or does I/O.  The owner (chan.c, or a test) gives packets to
 * ovid_ic_receive(), sends what ovid_ic_next() makes, calls again at ovid_ic_wake(), and
 * makes all calls for one channel under one lock.
 */
#ifndef OVID_IC_SERVICE_H
#define OVID_IC_SERVICE_H

#include "../../uapi/ovid_ic.h"
#include "proto.h"

#define IC_SECOND	1000000000ull	/* times are nanoseconds of a clock that does not jump */
#define IC_NEVER	(~0ull)

/**
 * struct ovid_ic_clock - what time it is
 * @now: ns
 * @wall: the host's, 100 ns since 1601 UTC
 * @reference: the partition's, 100 ns; read with @wall
 */
struct ovid_ic_clock {
	u64 now;
	u64 wall;
	u64 reference;
};

/**
 * struct ovid_ic_request - a request that was written, later its answer
 * @next: ours
 * @bytes: its record
 */
struct ovid_ic_request {
	struct ovid_ic_request *next;
	u8 bytes[] __aligned(8);
};

static inline struct ovid_ic_record *ovid_ic_record(struct ovid_ic_request *req)
{
	return (struct ovid_ic_record *)req->bytes;
}

struct ovid_ic_queue {
	struct ovid_ic_request *first;
	struct ovid_ic_request **last;
};

/* what the guest owes us an answer to */
enum ovid_ic_busy {
	IC_BUSY_NOT,
	IC_BUSY_NEGOTIATE,
	IC_BUSY_REQUEST,
	IC_BUSY_AUTO,
};

struct ovid_ic;

/**
 * struct ovid_ic_service - one component
 * @type: of its messages
 * @frameworks, @versions: those we know, 0-terminated
 * @size_of: bytes of a record of this kind; 0: not ours
 * @check: is a request's content possible?  Or -EINVAL.  NULL: any is
 * @local: answered here and now, without the guest; true: done.  NULL: none is
 * @build: a body for the request, in IC_MAX_BYTES - header of zeroes.  Bytes, or minus an enum
 *	ovid_ic_status.  Changes nothing: it may be called again for the same one
 * @timeout: for the answer, ns
 * @parse: the guest has done it, with this body; fills the record and returns its status.  NULL:
 *	there is nothing in it
 * @done: it has its answer, or never will; the status is in it.  NULL
 * @due: when to send something without being asked, ns.  NULL: never
 * @build_auto: its body; bytes
 * @sent_auto: it is on its way
 * @done_auto: the guest's answer; @body is NULL if there was none in time.  False: it
 *	makes no sense
 * @has_event: is there any news of its own?  NULL: never
 * @event: tell them, in a zeroed record of @event_size bytes
 * @reset: the guest has opened the channel, is ready, or gone.  NULL
 * @save: what it keeps beside requests, in zeroes.  NULL: nothing
 * @restore: the same, back; it may be forged
 */
struct ovid_ic_service {
	u16 type;
	u32 frameworks[IC_MAX_VERSIONS + 1];
	u32 versions[IC_MAX_VERSIONS + 1];
	u32 (*size_of)(u16 kind);
	int (*check)(const struct ovid_ic_record *rec);
	bool (*local)(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
		      struct ovid_ic_record *rec);
	int (*build)(const struct ovid_ic *ic, const struct ovid_ic_clock *clk,
		     const struct ovid_ic_record *rec, void *body);
	u64 (*timeout)(const struct ovid_ic_record *rec);
	u32 (*parse)(struct ovid_ic_record *rec, const void *body, u32 bytes);
	void (*done)(struct ovid_ic *ic, const struct ovid_ic_record *rec);
	u64 (*due)(const struct ovid_ic *ic);
	u32 (*build_auto)(const struct ovid_ic *ic, const struct ovid_ic_clock *clk, void *body);
	void (*sent_auto)(struct ovid_ic *ic, const struct ovid_ic_clock *clk);
	bool (*done_auto)(struct ovid_ic *ic, const struct ovid_ic_clock *clk, const void *body,
			  u32 bytes);
	bool (*has_event)(const struct ovid_ic *ic);
	void (*event)(struct ovid_ic *ic, const struct ovid_ic_clock *clk, void *rec);
	u32 event_size;
	void (*reset)(struct ovid_ic *ic, const struct ovid_ic_clock *clk);
	void (*save)(const struct ovid_ic *ic, const struct ovid_ic_clock *clk, u64 *own);
	void (*restore)(struct ovid_ic *ic, const struct ovid_ic_clock *clk, const u64 *own);
};

#define IC_OWN	8	/* words for @save and @restore; times are from now on */

struct ovid_ic_pulse_state {
	u32 pulse;		/* enum ovid_ic_pulse */
	u32 guest;
	u64 sequence;		/* of the last one sent */
	u64 sent, answered;
	u64 due;
	u64 heard;		/* when the last answer came, 0: none */
	bool news;
};

struct ovid_ic_timesync_auto_state {
	bool off;
	bool synced;		/* the first message after the guest is ready says "sync" */
	u64 due;
};

struct ovid_ic_copy_state {
	bool active;
	u64 bytes;
};

/**
 * struct ovid_ic - one channel
 * @guest: enum ovid_ic_guest
 * @busy: what waits for an answer
 * @making: what waits to be sent; not while @busy
 * @transaction: id of the last message sent
 * @deadline: for either, ns; 0: neither; IC_NEVER: the guest may take its time (negotiation)
 * @waiting: requests; the first one is the one that @busy or @making means
 * @finished: those that have their answer
 * @nr_requests: in both
 * @changed: @guest is news to the reader
 */
struct ovid_ic {
	const struct ovid_ic_service *svc;
	u32 guest;
	u32 framework;
	u32 version;
	enum ovid_ic_busy busy, making;
	u8 transaction;
	u64 deadline;
	struct ovid_ic_queue waiting, finished;
	u32 nr_requests;
	bool changed;
	u32 opens;
	u64 sent, answered, timeouts, bad, stray;
	union {
		struct ovid_ic_pulse_state pulse;
		struct ovid_ic_timesync_auto_state timesync;
		struct ovid_ic_copy_state copy;
	};
};

extern const struct ovid_ic_service ovid_ic_heartbeat_service;
extern const struct ovid_ic_service ovid_ic_shutdown_service;
extern const struct ovid_ic_service ovid_ic_timesync_service;
extern const struct ovid_ic_service ovid_ic_kvp_service;
extern const struct ovid_ic_service ovid_ic_vss_service;
extern const struct ovid_ic_service ovid_ic_fcopy_service;

void ovid_ic_init(struct ovid_ic *ic, const struct ovid_ic_service *svc);

/* a request that nobody else has, to be freed; NULL: there is none left */
struct ovid_ic_request *ovid_ic_drain(struct ovid_ic *ic);

/* the guest has opened the channel, or closed it */
void ovid_ic_open(struct ovid_ic *ic, const struct ovid_ic_clock *clk);
void ovid_ic_close(struct ovid_ic *ic, const struct ovid_ic_clock *clk);

/**
 * ovid_ic_check - can this be a request of the service?
 * @svc: service
 * @rec: a copy of what was written
 * @len: bytes of it, at least sizeof(*@rec)
 *
 * Return: 0 or -EINVAL.
 */
int ovid_ic_check(const struct ovid_ic_service *svc, const struct ovid_ic_record *rec, u32 len);

/* will ovid_ic_submit() take one? */
bool ovid_ic_has_room(const struct ovid_ic *ic);

/**
 * ovid_ic_submit - a request
 * @ic: channel
 * @clk: clock
 * @req: one whose record was checked; ours until ovid_ic_event() gives it back
 *
 * Return: 0; -EAGAIN: OVID_IC_MAX_REQUESTS are there.
 */
int ovid_ic_submit(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
		   struct ovid_ic_request *req);

/* is there something to be read? */
bool ovid_ic_has_event(const struct ovid_ic *ic);

/* the longest event that is no answer */
union ovid_ic_event {
	struct ovid_ic_record record;
	struct ovid_ic_state state;
	struct ovid_ic_heartbeat heartbeat;
};

/**
 * ovid_ic_event - the next thing to be read
 * @ic: channel
 * @clk: clock
 * @max: bytes that the reader has room for
 * @event: out: an event
 * @answer: out: an answer, the caller's from now on; or NULL, then @event has one
 *
 * Return: bytes of it; -EAGAIN: there is none; -EMSGSIZE: it has more than @max, and stays.
 */
int ovid_ic_event(struct ovid_ic *ic, const struct ovid_ic_clock *clk, u32 max,
		  union ovid_ic_event *event, struct ovid_ic_request **answer);

/**
 * ovid_ic_next - what is to be sent now
 * @ic: channel
 * @clk: clock
 * @buf: out: the message, IC_MAX_BYTES
 *
 * Gives up what is overdue.  Return: bytes; 0: nothing.  When it was sent, ovid_ic_sent() is to
 * be called before anything else; if not, it is made again later.  ovid_ic_refused(): the ring
 * will never take that much.
 */
u32 ovid_ic_next(struct ovid_ic *ic, const struct ovid_ic_clock *clk, void *buf);
void ovid_ic_sent(struct ovid_ic *ic, const struct ovid_ic_clock *clk);
void ovid_ic_refused(struct ovid_ic *ic, const struct ovid_ic_clock *clk);

/* a message of the guest: a copy; or (@buf NULL) one that is no message */
void ovid_ic_receive(struct ovid_ic *ic, const struct ovid_ic_clock *clk, const void *buf,
		     u32 len);

/* when to call ovid_ic_next() even if nothing happens, ns; IC_NEVER */
u64 ovid_ic_wake(const struct ovid_ic *ic);

/* ---- save.c ---- */

/**
 * ovid_ic_save - all that there is of a channel
 * @ic: channel
 * @clk: clock
 * @buf: out, aligned to 8 bytes; zeroes
 * @room: bytes of it
 *
 * Return: bytes; when they are more than @room, what is in @buf is of no use.
 */
u32 ovid_ic_save(const struct ovid_ic *ic, const struct ovid_ic_clock *clk, void *buf, u32 room);

/**
 * ovid_ic_restore - the same, back
 * @ic: channel, as ovid_ic_init() made it
 * @clk: clock, perhaps another one
 * @buf: what was saved, or forged; aligned to 8 bytes
 * @bytes: of it
 * @make: memory for a request with a record of so many bytes, or NULL
 *
 * Return: 0, -EINVAL (no state that a channel could be in), -ENOMEM; then it is of no use but
 * for ovid_ic_drain() and ovid_ic_init().
 */
int ovid_ic_restore(struct ovid_ic *ic, const struct ovid_ic_clock *clk, const void *buf, u32 bytes,
		    struct ovid_ic_request *(*make)(u32 bytes));

/* util.c, for it */
bool ovid_ic_knows(const u32 *versions, u32 version);
void ovid_ic_finish(struct ovid_ic *ic, struct ovid_ic_request *req);

#endif
