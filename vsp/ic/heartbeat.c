// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heartbeat: a number every two seconds, which the guest answers by the next one.
 *
 * While it does not answer none is added behind it for ten seconds, so that a guest
 * that has stopped does not find its ring full of them.
 */
#include "service.h"

#define PERIOD	(2 * IC_SECOND)

static u32 heartbeat_size_of(u16 kind)
{
	return kind == OVID_IC_HEARTBEAT ? sizeof(struct ovid_ic_heartbeat) : 0;
}

static void heartbeat_fill(const struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			   struct ovid_ic_heartbeat *hb)
{
	hb->record.size = sizeof(*hb);
	hb->record.kind = OVID_IC_HEARTBEAT;
	hb->pulse = ic->pulse.pulse;
	hb->guest = ic->pulse.guest;
	hb->sent = ic->pulse.sent;
	hb->answered = ic->pulse.answered;
	hb->age = ic->pulse.answered ? clk->now - ic->pulse.heard : IC_NEVER;
}

static bool heartbeat_local(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			    struct ovid_ic_record *rec)
{
	heartbeat_fill(ic, clk, (struct ovid_ic_heartbeat *)rec);
	return true;
}

static void heartbeat_set(struct ovid_ic *ic, u32 pulse, u32 guest)
{
	ic->pulse.news |= ic->pulse.pulse != pulse || ic->pulse.guest != guest;
	ic->pulse.pulse = pulse;
	ic->pulse.guest = guest;
}

static u64 heartbeat_due(const struct ovid_ic *ic)
{
	return ic->pulse.due;
}

static u32 heartbeat_build_auto(const struct ovid_ic *ic, const struct ovid_ic_clock *clk,
				void *body)
{
	struct ic_w_heartbeat *hb = body;

	hb->sequence = ic->pulse.sequence + 1;
	return sizeof(*hb);
}

static void heartbeat_sent_auto(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	ic->pulse.sequence++;
	ic->pulse.sent++;
	ic->pulse.due = clk->now + PERIOD;
}

static bool heartbeat_done_auto(struct ovid_ic *ic, const struct ovid_ic_clock *clk,
				const void *body, u32 bytes)
{
	struct ic_w_heartbeat hb;

	if (!body) {
		heartbeat_set(ic, OVID_IC_LOST, ic->pulse.guest);
		return true;
	}
	if (bytes < sizeof(hb))
		return false;
	memcpy(&hb, body, sizeof(hb));
	if (hb.sequence != ic->pulse.sequence + 1)
		return false;
	ic->pulse.answered++;
	ic->pulse.heard = clk->now;
	heartbeat_set(ic, OVID_IC_ALIVE, hb.state);
	return true;
}

static bool heartbeat_has_event(const struct ovid_ic *ic)
{
	return ic->pulse.news;
}

static void heartbeat_event(struct ovid_ic *ic, const struct ovid_ic_clock *clk, void *rec)
{
	heartbeat_fill(ic, clk, rec);
	ic->pulse.news = false;
}

static void heartbeat_reset(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	heartbeat_set(ic, OVID_IC_NO_CONTACT, 0);
	ic->pulse.due = clk->now;
}

static void heartbeat_save(const struct ovid_ic *ic, const struct ovid_ic_clock *clk, u64 *own)
{
	own[0] = ic->pulse.pulse;
	own[1] = ic->pulse.guest;
	own[2] = ic->pulse.sequence;
	own[3] = ic->pulse.sent;
	own[4] = ic->pulse.answered;
	own[5] = ic->pulse.due - clk->now;
	own[6] = ic->pulse.heard - clk->now;
	own[7] = ic->pulse.news;
}

static void heartbeat_restore(struct ovid_ic *ic, const struct ovid_ic_clock *clk, const u64 *own)
{
	ic->pulse.pulse = own[0];
	ic->pulse.guest = own[1];
	ic->pulse.sequence = own[2];
	ic->pulse.sent = own[3];
	ic->pulse.answered = own[4];
	ic->pulse.due = own[5] + clk->now;
	ic->pulse.heard = own[6] + clk->now;
	ic->pulse.news = own[7];
}

const struct ovid_ic_service ovid_ic_heartbeat_service = {
	.type = IC_HEARTBEAT,
	.frameworks = { IC_VERSION(1, 0), IC_VERSION(3, 0) },
	.versions = { IC_VERSION(1, 0), IC_VERSION(3, 0) },
	.size_of = heartbeat_size_of,
	.local = heartbeat_local,
	.due = heartbeat_due,
	.build_auto = heartbeat_build_auto,
	.sent_auto = heartbeat_sent_auto,
	.done_auto = heartbeat_done_auto,
	.has_event = heartbeat_has_event,
	.event = heartbeat_event,
	.event_size = sizeof(struct ovid_ic_heartbeat),
	.reset = heartbeat_reset,
	.save = heartbeat_save,
	.restore = heartbeat_restore,
};
