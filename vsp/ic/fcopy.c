// SPDX-License-Identifier: GPL-2.0-only
/*
 * File copy: a file into the guest, piece by piece.
 *
 * Linux's daemon believes what it is told (it writes where we say, whether a file was
 * begun or not), so the order is kept here, at the time when a piece is sent.
 */
#include "service.h"
#include "../utf16.h"

#define TIMEOUT	(40 * IC_SECOND)	/* the guest's is 30 s */

static u32 fcopy_size_of(u16 kind)
{
	switch (kind) {
	case OVID_IC_COPY_START:
		return sizeof(struct ovid_ic_copy_start);
	case OVID_IC_COPY_DATA:
		return sizeof(struct ovid_ic_copy_data);
	case OVID_IC_COPY_COMPLETE:
	case OVID_IC_COPY_CANCEL:
		return sizeof(struct ovid_ic_record);
	default:
		return 0;
	}
}

static int fcopy_check_start(const struct ovid_ic_copy_start *start)
{
	if (start->flags & ~(OVID_IC_OVERWRITE | OVID_IC_CREATE_PATH) || start->reserved)
		return -EINVAL;
	if (!start->name[0] || !start->path[0] ||
	    ovid_utf16_from(NULL, IC_PATH_UNITS, start->name, sizeof(start->name)) < 0 ||
	    ovid_utf16_from(NULL, IC_PATH_UNITS, start->path, sizeof(start->path)) < 0)
		return -EINVAL;
	return 0;
}

static int fcopy_check(const struct ovid_ic_record *rec)
{
	const struct ovid_ic_copy_data *data = (const void *)rec;

	if (rec->kind == OVID_IC_COPY_START)
		return fcopy_check_start((const void *)rec);
	if (rec->kind == OVID_IC_COPY_DATA &&
	    (!data->bytes || data->bytes > OVID_IC_COPY_BYTES || data->reserved))
		return -EINVAL;
	return 0;
}

/* may it be sent now? */
static bool fcopy_in_order(const struct ovid_ic_copy_state *copy,
			   const struct ovid_ic_record *rec)
{
	const struct ovid_ic_copy_data *data = (const void *)rec;

	switch (rec->kind) {
	case OVID_IC_COPY_START:
		return !copy->active;
	case OVID_IC_COPY_DATA:
		return copy->active && data->bytes <= copy->bytes &&
		       data->offset <= copy->bytes - data->bytes;
	case OVID_IC_COPY_COMPLETE:
		return copy->active;
	default:
		return true;
	}
}

static int fcopy_build_start(const struct ovid_ic_copy_start *start, void *body)
{
	struct ic_w_fcopy_start *w = body;

	w->head.op = IC_FCOPY_START;
	ovid_utf16_from(body + offsetof(struct ic_w_fcopy_start, name), IC_PATH_UNITS,
			start->name, sizeof(start->name));
	ovid_utf16_from(body + offsetof(struct ic_w_fcopy_start, path), IC_PATH_UNITS,
			start->path, sizeof(start->path));
	w->flags = start->flags;
	w->bytes = start->bytes;
	return sizeof(*w);
}

static int fcopy_build_data(const struct ovid_ic_copy_data *data, void *body)
{
	struct ic_w_fcopy_data *w = body;

	w->head.op = IC_FCOPY_DATA;
	w->offset = data->offset;
	w->bytes = data->bytes;
	memcpy(w->data, data->data, data->bytes);
	return sizeof(*w);
}

static int fcopy_build(const struct ovid_ic *ic, const struct ovid_ic_clock *clk,
		       const struct ovid_ic_record *rec, void *body)
{
	struct ic_w_fcopy *w = body;

	if (!fcopy_in_order(&ic->copy, rec))
		return -OVID_IC_OUT_OF_ORDER;
	switch (rec->kind) {
	case OVID_IC_COPY_START:
		return fcopy_build_start((const void *)rec, body);
	case OVID_IC_COPY_DATA:
		return fcopy_build_data((const void *)rec, body);
	default:
		w->op = rec->kind == OVID_IC_COPY_COMPLETE ? IC_FCOPY_COMPLETE : IC_FCOPY_CANCEL;
		return sizeof(*w);
	}
}

static u64 fcopy_timeout(const struct ovid_ic_record *rec)
{
	return TIMEOUT;
}

static void fcopy_done(struct ovid_ic *ic, const struct ovid_ic_record *rec)
{
	const struct ovid_ic_copy_start *start = (const void *)rec;

	if (rec->status == OVID_IC_OUT_OF_ORDER)
		return;
	switch (rec->kind) {
	case OVID_IC_COPY_START:
		ic->copy.active = rec->status == OVID_IC_OK;
		ic->copy.bytes = start->bytes;
		break;
	case OVID_IC_COPY_COMPLETE:
	case OVID_IC_COPY_CANCEL:
		ic->copy.active = false;
		break;
	default:
		break;
	}
}

static void fcopy_reset(struct ovid_ic *ic, const struct ovid_ic_clock *clk)
{
	ic->copy.active = false;
}

static void fcopy_save(const struct ovid_ic *ic, const struct ovid_ic_clock *clk, u64 *own)
{
	own[0] = ic->copy.active;
	own[1] = ic->copy.bytes;
}

static void fcopy_restore(struct ovid_ic *ic, const struct ovid_ic_clock *clk, const u64 *own)
{
	ic->copy.active = own[0];
	ic->copy.bytes = own[1];
}

const struct ovid_ic_service ovid_ic_fcopy_service = {
	.type = IC_FCOPY,
	.frameworks = { IC_VERSION(1, 0), IC_VERSION(3, 0) },
	.versions = { IC_VERSION(1, 0), IC_VERSION(1, 1) },
	.size_of = fcopy_size_of,
	.check = fcopy_check,
	.build = fcopy_build,
	.timeout = fcopy_timeout,
	.done = fcopy_done,
	.reset = fcopy_reset,
	.save = fcopy_save,
	.restore = fcopy_restore,
};
