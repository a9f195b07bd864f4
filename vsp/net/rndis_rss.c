// SPDX-License-Identifier: GPL-2.0-only
/*
 * OIDs of receive queues (pure): by its hash a frame has a place in a table, which says the queue.
 *
 * A guest turns it off before it sets another table (rndis_filter_set_rss_param() of Linux), with
 * all the rest in the same request.  Headers are not looked at: guests differ in what they say is
 * the object's size, and Hyper-V does not look either (OpenVMM's oid_set_rss_parameters()).
 */
#include "rndis_priv.h"

/* a guest of revision 1 knows no table but one of 128 */
u32 ovid_rndis_get_rss_caps(const struct rndis_ask *ask, u8 *out)
{
	struct ndis_w_rss_caps caps = {
		.h = { .type = NDIS_RSS_CAPS, .revision = 2, .bytes = sizeof(caps) },
		.caps = NDIS_RSS_TOEPLITZ | NDIS_RSS_TCP4 | NDIS_RSS_TCP6,
		.nr_interrupts = ask->rndis->queues,
		.nr_queues = ask->rndis->queues,
		.nr_table = NET_TABLE_ENTRIES,
	};
	struct ndis_w_head want;

	if (ask->in_bytes >= sizeof(want)) {
		memcpy(&want, ask->in, sizeof(want));
		if (want.type == NDIS_RSS_CAPS && want.revision == 1) {
			caps.h.revision = 1;
			caps.h.bytes = NDIS_RSS_CAPS_BYTES_1;
		}
	}
	memcpy(out, &caps, caps.h.bytes);
	return caps.h.bytes;
}

/* what a request says of queues, checked; what it does not say is that of the card */
struct wish {
	u32 hash_types;
	u8 key[NET_HASH_KEY_BYTES];
	u32 nr_table;
	u8 table[NET_TABLE_ENTRIES];
};

/* @bytes at @offset of what came, or NULL */
static const u8 *within(const struct rndis_ask *ask, u32 offset, u32 bytes)
{
	if (offset > ask->in_bytes || bytes > ask->in_bytes - offset)
		return NULL;
	return ask->in + offset;
}

static u32 read_table(const struct rndis_ask *ask, const struct ndis_w_rss_params *params,
		      struct wish *wish)
{
	const u8 *table = within(ask, params->table_offset, params->table_bytes);
	u32 n = params->table_bytes / 4, entry, i;

	if (!table)
		return RNDIS_INVALID_LENGTH;
	if (params->table_bytes % 4 || !n || n > NET_TABLE_ENTRIES || n & (n - 1))
		return RNDIS_INVALID_DATA;
	for (i = 0; i < n; i++) {
		entry = get_unaligned_le32(table + 4 * i);
		if (entry >= ask->rndis->queues)
			return RNDIS_INVALID_DATA;
		wish->table[i] = entry;
	}
	wish->nr_table = n;
	return RNDIS_SUCCESS;
}

static u32 read_key(const struct rndis_ask *ask, const struct ndis_w_rss_params *params,
		    struct wish *wish)
{
	const u8 *key = within(ask, params->key_offset, params->key_bytes);

	if (!key)
		return RNDIS_INVALID_LENGTH;
	if (params->key_bytes != NET_HASH_KEY_BYTES)
		return RNDIS_INVALID_DATA;
	memcpy(wish->key, key, NET_HASH_KEY_BYTES);
	return RNDIS_SUCCESS;
}

static u32 read_wish(const struct rndis_ask *ask, const struct ndis_w_rss_params *params,
		     struct wish *wish)
{
	u32 status = RNDIS_SUCCESS;

	if (!(params->flags & NDIS_RSS_SAME_HASH)) {
		if ((params->hash & NDIS_HASH_FUNCTION) != NDIS_RSS_TOEPLITZ)
			return RNDIS_INVALID_DATA;
		wish->hash_types = params->hash & NET_HASH_TYPES;
	}
	if (!(params->flags & NDIS_RSS_SAME_TABLE))
		status = read_table(ask, params, wish);
	if (!status && !(params->flags & NDIS_RSS_SAME_KEY))
		status = read_key(ask, params, wish);
	if (status)
		return status;
	/* "the same" as what was never said, or nothing that we know */
	return wish->hash_types && wish->nr_table ? RNDIS_SUCCESS : RNDIS_INVALID_DATA;
}

u32 ovid_rndis_set_rss(struct rndis_ask *ask)
{
	struct ovid_rndis *rndis = ask->rndis;
	struct ndis_w_rss_params params;
	struct wish wish;
	u32 status;

	if (ask->in_bytes < sizeof(params))
		return RNDIS_INVALID_LENGTH;
	memcpy(&params, ask->in, sizeof(params));
	if (params.flags & NDIS_RSS_OFF ||
	    (!(params.flags & NDIS_RSS_SAME_HASH) && !(params.hash & NDIS_HASH_FUNCTION))) {
		rndis->rss = false;
		ask->changed |= RNDIS_CHANGED_RSS;
		return RNDIS_SUCCESS;
	}
	wish.hash_types = rndis->hash_types;
	wish.nr_table = rndis->nr_table;
	memcpy(wish.key, rndis->key, sizeof(wish.key));
	memcpy(wish.table, rndis->table, sizeof(wish.table));
	status = read_wish(ask, &params, &wish);
	if (status)
		return status;
	rndis->rss = true;
	rndis->hash_types = wish.hash_types;
	rndis->nr_table = wish.nr_table;
	memcpy(rndis->key, wish.key, sizeof(wish.key));
	memcpy(rndis->table, wish.table, sizeof(wish.table));
	ask->changed |= RNDIS_CHANGED_RSS;
	return RNDIS_SUCCESS;
}
