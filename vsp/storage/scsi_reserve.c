// SPDX-License-Identifier: GPL-2.0-only
/*
 * Persistent reservations: SPC-4, sections "PERSISTENT RESERVE IN command" and "... OUT command".
 *
 * There is one I_T nexus, so that what others would lose or be told of is nobody's here: PREEMPT
 * can name the caller's own registration only, and PREEMPT AND ABORT has no other's task to end.
 */
#include "../../vmm/purelib.h"
#include "scsi_priv.h"

enum action_in {
	READ_KEYS,
	READ_RESERVATION,
	REPORT_CAPABILITIES,
	READ_FULL_STATUS,
};

enum action_out {
	REGISTER,
	RESERVE,
	RELEASE,
	CLEAR,
	PREEMPT,
	PREEMPT_AND_ABORT,
	REGISTER_AND_IGNORE,
};

#define LIST_BYTES	24

/* of the list's flags: what would need other initiators, or a memory without power */
#define SPEC_I_PT	0x08
#define ALL_TG_PT	0x04
#define APTPL		0x01

/* 1, 3: write exclusive, exclusive access; 5, 6: registrants only; 7, 8: all registrants */
#define TYPES		(BIT(1) | BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(8))
#define TYPES_OF_ALL	(BIT(7) | BIT(8))

static bool is_one_of(u8 type, u32 types)
{
	return type < 16 && types >> type & 1;
}

/* scope and type, of the CDB; false: there is no such */
static bool take_type(const u8 *cdb, u8 *type)
{
	*type = cdb[2] & 0xf;
	return !(cdb[2] & 0xf0) && is_one_of(*type, TYPES);
}

bool ovid_scsi_reserve_ok(const struct ovid_scsi_reserve *r)
{
	if (!r->registered)
		return !r->key && !r->type;
	return r->key && (!r->type || is_one_of(r->type, TYPES));
}

/* ---- IN ---- */

/* a holder that is all registrants has no key */
static u64 holder_key(const struct ovid_scsi_reserve *r)
{
	return is_one_of(r->type, TYPES_OF_ALL) ? 0 : r->key;
}

static u32 put_keys(const struct ovid_scsi_reserve *r, u8 *p)
{
	if (!r->registered)
		return 0;
	put_be(p, 8, r->key);
	return 8;
}

static u32 put_reservation(const struct ovid_scsi_reserve *r, u8 *p)
{
	if (!r->type)
		return 0;
	put_be(p, 8, holder_key(r));
	p[13] = r->type;
	return 16;
}

static u32 put_full_status(const struct ovid_scsi_reserve *r, u8 *p)
{
	if (!r->registered)
		return 0;
	put_be(p, 8, r->key);
	p[12] = !!r->type;	/* it holds it */
	p[13] = r->type;
	put_be(p + 18, 2, 1);	/* port */
	put_be(p + 20, 4, 24);
	p[24] = 1;		/* a parallel bus; initiator 0 */
	put_be(p + 24 + 6, 2, 1);
	return 24 + 24;
}

static void capabilities(struct command *c, u32 alloc)
{
	put_be(c->data, 2, 8);
	c->data[3] = 0x80;	/* the types: */
	c->data[4] = 0xea;
	c->data[5] = 0x01;
	answer(c, 8, alloc);
}

void ovid_scsi_reserve_in(struct command *c)
{
	const struct ovid_scsi_reserve *r = &c->state->reserve;
	u32 alloc = get_be(c->cdb + 7, 2), n = 0;
	u8 action = c->cdb[1] & 0x1f;

	if (action == REPORT_CAPABILITIES) {
		capabilities(c, alloc);
		return;
	}
	if (action == READ_KEYS)
		n = put_keys(r, c->data + 8);
	else if (action == READ_RESERVATION)
		n = put_reservation(r, c->data + 8);
	else
		n = put_full_status(r, c->data + 8);
	put_be(c->data, 4, r->generation);
	put_be(c->data + 4, 4, n);
	answer(c, 8 + n, alloc);
}

/* ---- OUT ---- */

void ovid_scsi_reserve_out(struct command *c)
{
	u8 action = c->cdb[1] & 0x1f, type;

	if ((action == RESERVE || action == RELEASE) && !take_type(c->cdb, &type))
		fail(c, SENSE_BAD_FIELD);
	else if (get_be(c->cdb + 5, 4) != LIST_BYTES)
		fail(c, SENSE_BAD_LENGTH);
	else
		want_list(c, LIST_BYTES);
}

static void unregister(struct ovid_scsi_reserve *r)
{
	r->registered = false;
	r->key = 0;
	r->type = 0;	/* its holder, or the last of all registrants, has gone */
}

static u32 registration(struct ovid_scsi_reserve *r, const u8 *list, bool ignore)
{
	u64 key = get_be(list, 8), new_key = get_be(list + 8, 8);

	if (list[20] & (SPEC_I_PT | ALL_TG_PT | APTPL))
		return SENSE_BAD_PARAMETER;
	if (!ignore && key != r->key)	/* 0: it is not registered */
		return SENSE_CONFLICT;
	if (!new_key && !r->registered)
		return SENSE_NONE;
	r->generation++;
	if (!new_key) {
		unregister(r);
	} else {
		r->registered = true;
		r->key = new_key;
	}
	return SENSE_NONE;
}

static u32 reserve(struct ovid_scsi_reserve *r, u8 type)
{
	if (r->type && r->type != type)
		return SENSE_CONFLICT;
	r->type = type;
	return SENSE_NONE;
}

static u32 release(struct ovid_scsi_reserve *r, u8 type)
{
	if (r->type && r->type != type)
		return SENSE_NO_RELEASE;
	r->type = 0;
	return SENSE_NONE;
}

/* the registration that is named is the caller's, or, with a key of 0, all others' */
static u32 preempt(struct ovid_scsi_reserve *r, const u8 *cdb, u64 key)
{
	bool of_all = is_one_of(r->type, TYPES_OF_ALL);
	u8 type;

	if (!key && !(r->type && of_all))
		return SENSE_BAD_PARAMETER;
	if (key && key != r->key)
		return SENSE_CONFLICT;
	if (r->type && !(of_all && key)) {
		if (!take_type(cdb, &type))
			return SENSE_BAD_FIELD;
		r->type = type;
	} else {
		unregister(r);
	}
	r->generation++;
	return SENSE_NONE;
}

static u32 perform(struct ovid_scsi_reserve *r, const u8 *cdb, const u8 *list)
{
	u8 action = cdb[1] & 0x1f, type = cdb[2] & 0xf;

	if (action == REGISTER || action == REGISTER_AND_IGNORE)
		return registration(r, list, action == REGISTER_AND_IGNORE);
	if (!r->registered || get_be(list, 8) != r->key)
		return SENSE_CONFLICT;
	switch (action) {
	case RESERVE:
		return reserve(r, type);
	case RELEASE:
		return release(r, type);
	case CLEAR:
		unregister(r);
		r->generation++;
		return SENSE_NONE;
	default:
		return preempt(r, cdb, get_be(list + 8, 8));
	}
}

void ovid_scsi_reserve_list(struct command *c, const u8 *list)
{
	u32 sense = perform(&c->state->reserve, c->cdb, list);

	if (sense)
		fail(c, sense);
}
