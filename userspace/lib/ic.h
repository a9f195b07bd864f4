/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ic.h - asking a guest through its integration components: requests and answers on
 * the file of a component's channel (uapi/ovid_ic.h).
 */
#ifndef OVID_LIB_IC_H
#define OVID_LIB_IC_H

#include "../../uapi/ovid_ic.h"
#include "fail.h"
#include "types.h"

#define IC_FOREVER	(-1)	/* the module answers each request, in 15 minutes at the latest */

union ic_record {
	struct ovid_ic_record record;
	struct ovid_ic_state state;
	struct ovid_ic_shutdown shutdown;
	struct ovid_ic_timesync timesync;
	struct ovid_ic_timesync_auto timesync_auto;
	struct ovid_ic_heartbeat heartbeat;
	struct ovid_ic_kvp kvp;
	struct ovid_ic_kvp_ip kvp_ip;
	struct ovid_ic_vss_check vss_check;
	struct ovid_ic_copy_start copy_start;
	struct ovid_ic_copy_data copy_data;
};

/**
 * struct ic - one end of a channel's file, used by one thread
 * @fd: file
 * @stop: a file that ends each wait when it can be read: -ECANCELED; -1: none
 * @last_id: of the last request
 * @on_event: what came that is no answer, while ic_ask() waits; or NULL
 * @ctx: for it
 * @in: what was read last
 */
struct ic {
	int fd;
	int stop;
	u64 last_id;
	void (*on_event)(void *ctx, const union ic_record *event);
	void *ctx;
	union ic_record in;
};

/* 0 or -errno.  The file stays the caller's and does not block from now on. */
int ic_begin(struct ic *ic, int fd);

/* bytes of a record of this kind; 0: there is none */
size_t ic_size(u16 kind);

/* Zeroes @rec and fills its head. */
void ic_prepare(union ic_record *rec, u16 kind);

/*
 * For event loops.  ic_send() gives the request its id.  ic_receive() has the next answer
 * or event in ic->in.  0; -EAGAIN: not now; -EPIPE: the channel is no more; -EPROTO: what
 * was read is no record; or another -errno.
 */
int ic_send(struct ic *ic, union ic_record *rec);
int ic_receive(struct ic *ic);

/*
 * Sends @rec and waits for its answer, which takes its place.  0; -ETIMEDOUT: there was
 * none in @ms milliseconds (it is thrown away if it comes later); -ECANCELED: @ic->stop; or as
 * above.
 */
int ic_ask(struct ic *ic, union ic_record *rec, int ms);

/* Waits until there is something to receive: 0, -ECANCELED, or another -errno. */
int ic_wait(struct ic *ic);

/*
 * As ic_ask(); what is not OVID_IC_OK is a failure: @what, and why not.  -OVID_X_STOPPED:
 * @ic->stop.
 */
int ic_do(struct ic *ic, union ic_record *rec, const char *what, struct failure *why);

/* what a status means, with the guest's code; kept in @buf */
const char *ic_status_text(const struct ovid_ic_record *rec, char *buf, size_t len);

/* ---- whole jobs, for as long as they take --------------------------------------- */

/* @timeout: seconds that the guest is told it may take; 0: its own idea */
int ic_shutdown(struct ic *ic, u32 action, u32 flags, u32 timeout, const char *message,
		struct failure *why);
int ic_kvp_set(struct ic *ic, u32 pool, const char *key, const char *value, struct failure *why);
int ic_kvp_delete(struct ic *ic, u32 pool, const char *key, struct failure *why);

/* Calls @each for all pairs until it is not 0, which is returned then. */
int ic_kvp_list(struct ic *ic, u32 pool, int (*each)(void *ctx, const struct ovid_ic_kvp *kvp),
		void *ctx, struct failure *why);

/* The addresses of the adapter that has this MAC address. */
int ic_kvp_get_ip(struct ic *ic, const char *mac, struct ovid_ic_kvp_ip *out, struct failure *why);

/* A freeze that fails or is stopped is followed by a thaw. */
int ic_freeze(struct ic *ic, struct failure *why);
int ic_thaw(struct ic *ic, struct failure *why);

/*
 * Copies @file, a regular one, to @path in the guest, which is absolute.  A copy that fails or is
 * stopped is cancelled, so is one that somebody else has left half done.  @progress, if not NULL:
 * bytes so far and in all; not 0 stops it.
 */
int ic_copy(struct ic *ic, int file, const char *path, u32 flags,
	    int (*progress)(void *ctx, u64 done, u64 all), void *ctx, struct failure *why);

#endif
