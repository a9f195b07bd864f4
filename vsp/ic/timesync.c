// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time synchronization: the host's wall clock, as Hyper-V has it: "set your clock" once
 * when the guest is ready, a sample every five seconds from then on.
 *
 * From version 4.0 on the message says at what reference time it was that time, so that
 * its way to the guest does not count.
 */
#include "service.h"

#define PERIOD	(5 * IC_SECOND)
#define TIMEOUT	(10 * IC_SECOND)

static u32 timesync_size_of(u16 kind)
{
	switch (kind) {
	case OVID_IC_TIMESYNC:
		return sizeof(struct ovid_ic_timesync);
	case OVID_IC_TIMESYNC_AUTO:
		return sizeof(struct ovid_ic_timesync_auto);
	default:
		return 0;
	}
}

static int timesync_check(const struct ovid_ic_record *rec)
{
	const struct ovid_ic_timesync_auto *on = (const void *)rec;
	const struct ovid_ic_timesync *ts = (const void *)rec;

	if (rec->kind == OVID_IC_TIMESYNC_AUTO)
		return on->on > 1 || on->reserved ? -EINVAL : 0;
	if (ts->flags != OVID_IC_SYNC && ts->flags != OVID_IC_SAMPLE)
		return -EINVAL;
	return ts->reserved ? -EINVAL : 0;
}

static bool timesync_local(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			   struct ovid_ic_record *rec)
{
	const struct ovid_ic_timesync_auto *on = (const void *)rec;

	if (rec->kind != OVID_IC_TIMESYNC_AUTO)
		return false;
	if (on->on && ic->timesync.off) {
		ic->timesync.synced = false;
		ic->timesync.due = clk->now;
	}
	ic->timesync.off = !on->on;
	return true;
}

static u32 timesync_body(const struct ovid_ic *ic, const struct ovid_ic_clock *clk, u8 flags,
			 void *body)
{
	struct ic_w_timesync3 *old = body;
	struct ic_w_timesync *w = body;

	if (ic->version < IC_VERSION(4, 0)) {
		old->parent = clk->wall;
		old->flags = flags;
		return sizeof(*old);
	}
	w->parent = clk->wall;
	w->reference = clk->reference;
	w->flags = flags;
	return sizeof(*w);
}

static int timesync_build(const struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			  const struct ovid_ic_record *rec, void *body)
{
	const struct ovid_ic_timesync *ts = (const void *)rec;

	return timesync_body(ic, clk, ts->flags == OVID_IC_SYNC ? IC_TIMESYNC_SYNC :
			     IC_TIMESYNC_SAMPLE, body);
}

static u64 timesync_timeout(const struct ovid_ic_record *rec)
{
	return TIMEOUT;
}

static u64 timesync_due(const struct ovid_ic *ic)
{
	return ic->timesync.off ? IC_NEVER : ic->timesync.due;
}

static u32 timesync_build_auto(const struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			       void *body)
{
	return timesync_body(ic, clk, ic->timesync.synced ? IC_TIMESYNC_SAMPLE : IC_TIMESYNC_SYNC,
			     body);
}

static void timesync_sent_auto(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	ic->timesync.synced = true;
	ic->timesync.due = clk->now + PERIOD;
}

/* answered or not: the next sample tells it better */
static bool timesync_done_auto(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			       const void *body, u32 bytes)
{
	return true;
}

static void timesync_reset(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	ic->timesync.synced = false;
	ic->timesync.due = clk->now;
}

static void timesync_save(const struct ovid_ic *ic, const struct ovid_ic_clock *clk, u64 *own)
{
	own[0] = ic->timesync.off;
	own[1] = ic->timesync.synced;
	own[2] = ic->timesync.due - clk->now;
}

static void timesync_restore(struct ovid_ic *ic, const struct ovid_ic_clock *clk, const u64 *own)
{
	ic->timesync.off = own[0];
	ic->timesync.synced = own[1];
	ic->timesync.due = own[2] + clk->now;
}

const struct ovid_ic_service ovid_ic_timesync_service = {
	.type = IC_TIMESYNC,
	.frameworks = { IC_VERSION(1, 0), IC_VERSION(3, 0) },
	.versions = { IC_VERSION(1, 0), IC_VERSION(3, 0), IC_VERSION(4, 0) },
	.size_of = timesync_size_of,
	.check = timesync_check,
	.local = timesync_local,
	.build = timesync_build,
	.timeout = timesync_timeout,
	.due = timesync_due,
	.build_auto = timesync_build_auto,
	.sent_auto = timesync_sent_auto,
	.done_auto = timesync_done_auto,
	.reset = timesync_reset,
	.save = timesync_save,
	.restore = timesync_restore,
};
