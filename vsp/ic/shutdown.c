// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shutdown: power off, reboot or hibernate.  The guest says at once whether it will.
 */
#include "service.h"
#include "../utf16.h"

#define TIMEOUT	(10 * IC_SECOND)

static u32 shutdown_size_of(u16 kind)
{
	return kind == OVID_IC_SHUTDOWN ? sizeof(struct ovid_ic_shutdown) : 0;
}

static int shutdown_check(const struct ovid_ic_record *rec)
{
	const struct ovid_ic_shutdown *sd = (const void *)rec;

	if (sd->action > OVID_IC_HIBERNATE || sd->flags & ~OVID_IC_FORCE || sd->reserved)
		return -EINVAL;
	return min(ovid_utf16_from(NULL, 1024, sd->message, sizeof(sd->message)), 0);
}

static int shutdown_build(const struct ovid_ic *ic, const struct ovid_ic_clock *clk,
			  const struct ovid_ic_record *rec, void *body)
{
	static const struct {
		u32 flags, since;
	} action[] = {
		[OVID_IC_POWER_OFF] = { 0, IC_VERSION(1, 0) },
		[OVID_IC_REBOOT] = { IC_SHUTDOWN_RESTART, IC_VERSION(3, 1) },
		[OVID_IC_HIBERNATE] = { IC_SHUTDOWN_HIBERNATE, IC_VERSION(3, 2) },
	};
	const struct ovid_ic_shutdown *sd = (const void *)rec;
	struct ic_w_shutdown *w = body;

	if (ic->version < action[sd->action].since)
		return -OVID_IC_UNSUPPORTED;
	w->reason = IC_SHUTDOWN_PLANNED;
	w->timeout = sd->timeout;
	w->flags = action[sd->action].flags;
	if (sd->flags & OVID_IC_FORCE)
		w->flags |= IC_SHUTDOWN_FORCE;
	ovid_utf16_from(body + offsetof(struct ic_w_shutdown, message), ARRAY_SIZE(w->message),
			sd->message, sizeof(sd->message));
	return sizeof(*w);
}

static u64 shutdown_timeout(const struct ovid_ic_record *rec)
{
	return TIMEOUT;
}

const struct ovid_ic_service ovid_ic_shutdown_service = {
	.type = IC_SHUTDOWN,
	.frameworks = { IC_VERSION(1, 0), IC_VERSION(3, 0) },
	.versions = { IC_VERSION(1, 0), IC_VERSION(3, 0), IC_VERSION(3, 1), IC_VERSION(3, 2) },
	.size_of = shutdown_size_of,
	.check = shutdown_check,
	.build = shutdown_build,
	.timeout = shutdown_timeout,
};
