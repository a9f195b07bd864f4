// SPDX-License-Identifier: GPL-2.0-only
/*
 * Backup: can the guest be backed up, freeze its filesystems, thaw them.
 *
 * The guest's daemon gives a freeze 15 minutes and all else 30 seconds; we wait a
 * little longer, so that it is the guest who gives up.
 */
#include "service.h"

#define TIMEOUT		(40 * IC_SECOND)
#define FREEZE_TIMEOUT	((15 * 60 + 10) * IC_SECOND)

static u32 vss_size_of(u16 kind)
{
	switch (kind) {
	case OVID_IC_VSS_CHECK:
		return sizeof(struct ovid_ic_vss_check);
	case OVID_IC_VSS_FREEZE:
	case OVID_IC_VSS_THAW:
		return sizeof(struct ovid_ic_record);
	default:
		return 0;
	}
}

static int vss_check(const struct ovid_ic_record *rec)
{
	const struct ovid_ic_vss_check *check = (const void *)rec;

	return rec->kind == OVID_IC_VSS_CHECK && check->reserved ? -EINVAL : 0;
}

static int vss_build(const struct ovid_ic *ic, const struct ovid_ic_clock *clk,
		     const struct ovid_ic_record *rec, void *body)
{
	struct ic_w_vss *w = body;

	if (rec->kind == OVID_IC_VSS_CHECK)
		w->op = IC_VSS_HOT_BACKUP;
	else
		w->op = rec->kind == OVID_IC_VSS_FREEZE ? IC_VSS_FREEZE : IC_VSS_THAW;
	return sizeof(*w);
}

static u64 vss_timeout(const struct ovid_ic_record *rec)
{
	return rec->kind == OVID_IC_VSS_FREEZE ? FREEZE_TIMEOUT : TIMEOUT;
}

static u32 vss_parse(struct ovid_ic_record *rec, const void *body, u32 bytes)
{
	struct ovid_ic_vss_check *check = (struct ovid_ic_vss_check *)rec;

	if (bytes < sizeof(struct ic_w_vss))
		return OVID_IC_BAD_ANSWER;
	if (rec->kind == OVID_IC_VSS_CHECK)
		check->flags = get_unaligned_le32(body + offsetof(struct ic_w_vss, flags));
	return OVID_IC_OK;
}

const struct ovid_ic_service ovid_ic_vss_service = {
	.type = IC_VSS,
	.frameworks = { IC_VERSION(1, 0), IC_VERSION(3, 0) },
	.versions = { IC_VERSION(5, 0) },
	.size_of = vss_size_of,
	.check = vss_check,
	.build = vss_build,
	.timeout = vss_timeout,
	.parse = vss_parse,
};
