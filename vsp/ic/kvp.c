// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key-value pairs: the pools of the guest, and the addresses of its adapters.
 *
 * The guest answers into a copy of the question, so that a question has room for all
 * that an answer may have.
 */
#include "service.h"
#include "../utf16.h"

#define TIMEOUT	(40 * IC_SECOND)	/* the guest's is 30 s */

/* Windows has its own number for 64 bits */
#define REG_QWORD	11

static bool kvp_is_ip(u16 kind)
{
	return kind == OVID_IC_KVP_GET_IP || kind == OVID_IC_KVP_SET_IP;
}

static u32 kvp_size_of(u16 kind)
{
	if (kind < OVID_IC_KVP_GET || kind > OVID_IC_KVP_SET_IP)
		return 0;
	return kvp_is_ip(kind) ? sizeof(struct ovid_ic_kvp_ip) : sizeof(struct ovid_ic_kvp);
}

#define FITS(units, text)	(ovid_utf16_from(NULL, units, text, sizeof(text)) > 0)

static int kvp_check_ip(const struct ovid_ic_kvp_ip *ip)
{
	if (ip->family & ~(OVID_IC_IPV4 | OVID_IC_IPV6) || ip->dhcp > 1)
		return -EINVAL;
	if (!ip->adapter[0] || !FITS(128, ip->adapter))
		return -EINVAL;
	if (ip->record.kind == OVID_IC_KVP_SET_IP &&
	    (!FITS(1024, ip->address) || !FITS(1024, ip->netmask) || !FITS(512, ip->gateway) ||
	     !FITS(1024, ip->dns)))
		return -EINVAL;
	return 0;
}

static int kvp_check(const struct ovid_ic_record *rec)
{
	const struct ovid_ic_kvp *kvp = (const void *)rec;

	if (kvp_is_ip(rec->kind))
		return kvp_check_ip((const void *)rec);
	if (kvp->pool >= IC_KVP_POOLS || kvp->reserved)
		return -EINVAL;
	if (rec->kind == OVID_IC_KVP_ENUMERATE)
		return 0;
	if (!kvp->key[0] || !FITS(IC_KEY_UNITS, kvp->key))
		return -EINVAL;
	if (rec->kind != OVID_IC_KVP_SET)
		return 0;
	switch (kvp->type) {
	case OVID_IC_TEXT:
		return FITS(IC_VALUE_UNITS, kvp->value) ? 0 : -EINVAL;
	case OVID_IC_U32:
		return kvp->number > 0xffffffff ? -EINVAL : 0;
	case OVID_IC_U64:
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- questions --------------------------------------------------------------- */

static u32 kvp_put_key(void *out, const struct ovid_ic_kvp *kvp)
{
	return 2 * ovid_utf16_from(out, IC_KEY_UNITS, kvp->key, sizeof(kvp->key));
}

static void kvp_put_value(struct ic_w_kvp_pair *pair, const struct ovid_ic_kvp *kvp)
{
	void *out = (u8 *)pair + offsetof(struct ic_w_kvp_pair, value);

	pair->type = kvp->type;
	switch (kvp->type) {
	case OVID_IC_TEXT:
		pair->value_bytes = 2 * ovid_utf16_from(out, IC_VALUE_UNITS, kvp->value,
							sizeof(kvp->value));
		break;
	case OVID_IC_U32:
		pair->value32 = kvp->number;
		pair->value_bytes = sizeof(pair->value32);
		break;
	default:
		pair->value64 = kvp->number;
		pair->value_bytes = sizeof(pair->value64);
		break;
	}
}

static int kvp_build_pair(const struct ovid_ic_kvp *kvp, void *body)
{
	struct ic_w_kvp_enumerate *each = body;
	struct ic_w_kvp_delete *del = body;
	struct ic_w_kvp_value *w = body;

	w->head.pool = kvp->pool;
	switch (kvp->record.kind) {
	case OVID_IC_KVP_ENUMERATE:
		w->head.op = IC_KVP_ENUMERATE;
		each->index = kvp->index;
		return sizeof(*each);
	case OVID_IC_KVP_DELETE:
		w->head.op = IC_KVP_DELETE;
		del->key_bytes = kvp_put_key(body + offsetof(struct ic_w_kvp_delete, key), kvp);
		return sizeof(*del);
	case OVID_IC_KVP_SET:
		w->head.op = IC_KVP_SET;
		kvp_put_value(&w->pair, kvp);
		break;
	default:
		w->head.op = IC_KVP_GET;
		break;
	}
	w->pair.key_bytes = kvp_put_key(body + offsetof(struct ic_w_kvp_value, pair.key), kvp);
	return sizeof(*w);
}

#define PUT(w, field, text) \
	ovid_utf16_from((u8 *)(w) + offsetof(struct ic_w_kvp_ip, field), \
			ARRAY_SIZE((w)->field), text, sizeof(text))

static int kvp_build_ip(const struct ovid_ic_kvp_ip *ip, void *body)
{
	struct ic_w_kvp_ip *w = body;

	w->op = IC_KVP_GET_IP;
	w->family = ip->family;
	PUT(w, adapter, ip->adapter);
	if (ip->record.kind != OVID_IC_KVP_SET_IP)
		return sizeof(*w);
	w->op = IC_KVP_SET_IP;
	w->dhcp = ip->dhcp;
	PUT(w, address, ip->address);
	PUT(w, netmask, ip->netmask);
	PUT(w, gateway, ip->gateway);
	PUT(w, dns, ip->dns);
	return sizeof(*w);
}

static int kvp_build(const struct ovid_ic *ic, const struct ovid_ic_clock *clk,
		     const struct ovid_ic_record *rec, void *body)
{
	if (!kvp_is_ip(rec->kind))
		return kvp_build_pair((const void *)rec, body);
	if (ic->version < IC_VERSION(4, 0))
		return -OVID_IC_UNSUPPORTED;
	return kvp_build_ip((const void *)rec, body);
}

static u64 kvp_timeout(const struct ovid_ic_record *rec)
{
	return TIMEOUT;
}

/* ---- answers ------------------------------------------------------------------ */

/* lengths that it names are a bound for the text, at most */
static u32 kvp_get_value(struct ovid_ic_kvp *kvp, const void *pair)
{
	const void *value = pair + offsetof(struct ic_w_kvp_pair, value);
	u32 bytes = get_unaligned_le32(pair + offsetof(struct ic_w_kvp_pair, value_bytes));
	u32 type = get_unaligned_le32(pair + offsetof(struct ic_w_kvp_pair, type));

	if (bytes > 2 * IC_VALUE_UNITS)
		return OVID_IC_BAD_ANSWER;
	kvp->number = 0;
	memset(kvp->value, 0, sizeof(kvp->value));
	switch (type) {
	case OVID_IC_TEXT:
		ovid_utf16_to(kvp->value, sizeof(kvp->value), value, bytes / 2);
		break;
	case OVID_IC_U32:
		if (bytes < sizeof(u32))
			return OVID_IC_BAD_ANSWER;
		kvp->number = get_unaligned_le32(value);
		break;
	case OVID_IC_U64:
	case REG_QWORD:
		if (bytes < sizeof(u64))
			return OVID_IC_BAD_ANSWER;
		type = OVID_IC_U64;
		kvp->number = get_unaligned_le64(value);
		break;
	default:
		return OVID_IC_BAD_ANSWER;
	}
	kvp->type = type;
	return OVID_IC_OK;
}

static u32 kvp_get_key(struct ovid_ic_kvp *kvp, const void *pair)
{
	u32 bytes = get_unaligned_le32(pair + offsetof(struct ic_w_kvp_pair, key_bytes));

	if (bytes > 2 * IC_KEY_UNITS)
		return OVID_IC_BAD_ANSWER;
	ovid_utf16_to(kvp->key, sizeof(kvp->key), pair + offsetof(struct ic_w_kvp_pair, key),
		      bytes / 2);
	return OVID_IC_OK;
}

#define GET(text, body, field) \
	ovid_utf16_to(text, sizeof(text), (body) + offsetof(struct ic_w_kvp_ip, field), \
		      sizeof(((struct ic_w_kvp_ip *)0)->field) / 2)

static u32 kvp_parse_ip(struct ovid_ic_kvp_ip *ip, const void *body, u32 bytes)
{
	const u8 *b = body;

	if (bytes < sizeof(struct ic_w_kvp_ip))
		return OVID_IC_BAD_ANSWER;
	ip->family = b[offsetof(struct ic_w_kvp_ip, family)] & (OVID_IC_IPV4 | OVID_IC_IPV6);
	ip->dhcp = !!b[offsetof(struct ic_w_kvp_ip, dhcp)];
	GET(ip->adapter, body, adapter);
	GET(ip->address, body, address);
	GET(ip->netmask, body, netmask);
	GET(ip->gateway, body, gateway);
	GET(ip->dns, body, dns);
	return OVID_IC_OK;
}

static u32 kvp_parse(struct ovid_ic_record *rec, const void *body, u32 bytes)
{
	struct ovid_ic_kvp *kvp = (struct ovid_ic_kvp *)rec;

	switch (rec->kind) {
	case OVID_IC_KVP_GET:
		if (bytes < sizeof(struct ic_w_kvp_value))
			return OVID_IC_BAD_ANSWER;
		return kvp_get_value(kvp, body + offsetof(struct ic_w_kvp_value, pair));
	case OVID_IC_KVP_ENUMERATE:
		if (bytes < sizeof(struct ic_w_kvp_enumerate))
			return OVID_IC_BAD_ANSWER;
		body += offsetof(struct ic_w_kvp_enumerate, pair);
		return kvp_get_key(kvp, body) ?: kvp_get_value(kvp, body);
	case OVID_IC_KVP_GET_IP:
		return kvp_parse_ip((struct ovid_ic_kvp_ip *)rec, body, bytes);
	default:
		return OVID_IC_OK;
	}
}

const struct ovid_ic_service ovid_ic_kvp_service = {
	.type = IC_KVP,
	.frameworks = { IC_VERSION(1, 0), IC_VERSION(3, 0) },
	.versions = { IC_VERSION(1, 0), IC_VERSION(3, 0), IC_VERSION(4, 0) },
	.size_of = kvp_size_of,
	.check = kvp_check,
	.build = kvp_build,
	.timeout = kvp_timeout,
	.parse = kvp_parse,
};
