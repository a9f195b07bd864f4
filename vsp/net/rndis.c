// SPDX-License-Identifier: GPL-2.0-only
/*
 * RNDIS's control messages (pure): one in, at most one out.
 *
 * A request that is known has an answer whatever its bytes; only what is no request has none.
 * Layouts and what guests check: rndis_filter.c of Linux's drivers/net/hyperv, hn_rndis.c of
 * FreeBSD's sys/dev/hyperv/netvsc; [MS-RNDIS] 2.2.
 */
#include "rndis_priv.h"

/* where offsets in a message count from */
#define BODY	sizeof(struct rndis_w_head)

#define TX_OFFLOADS	(NET_TX_IP_CSUM | NET_TX_TCP4_CSUM | NET_TX_TCP6_CSUM |	\
			 NET_TX_UDP4_CSUM | NET_TX_UDP6_CSUM | NET_LSO4 | NET_LSO6)

#define ALL_CHANGED	(RNDIS_CHANGED_FILTER | RNDIS_CHANGED_ADDRESS |		\
			 RNDIS_CHANGED_OFFLOADS | RNDIS_CHANGED_RSS)

void ovid_rndis_forget(struct ovid_rndis *rndis)
{
	struct ovid_rndis clean = {
		.mtu = rndis->mtu, .speed = rndis->speed, .link = rndis->link,
		.queues = rndis->queues,
	};

	memcpy(clean.permanent, rndis->permanent, sizeof(clean.permanent));
	memcpy(clean.name, rndis->name, sizeof(clean.name));
	*rndis = clean;
}

/*
 * What the guest has to ask for is off: it may be one that reads nothing of what is said beside a
 * frame (iPXE).  What it says beside its own frames needs no consent.
 */
static void begin(struct ovid_rndis *rndis)
{
	ovid_rndis_forget(rndis);
	rndis->ready = true;
	memcpy(rndis->address, rndis->permanent, sizeof(rndis->address));
	rndis->offloads = TX_OFFLOADS;
}

/* ---- a state that was read ---- */

static bool lists_ok(const struct ovid_rndis *rndis)
{
	u32 i;

	if (rndis->nr_multicast > NET_MAX_MULTICAST)
		return false;
	for (i = 0; i < rndis->nr_multicast; i++)
		if (!(rndis->multicast[i][0] & 1))
			return false;
	return true;
}

static bool rss_ok(const struct ovid_rndis *rndis)
{
	u32 i;

	if (rndis->nr_table > NET_TABLE_ENTRIES || rndis->nr_table & (rndis->nr_table - 1))
		return false;
	for (i = 0; i < rndis->nr_table; i++)
		if (rndis->table[i] >= rndis->queues)
			return false;
	if (rndis->hash_types & ~NET_HASH_TYPES)
		return false;
	return !rndis->rss || (rndis->nr_table && rndis->hash_types);
}

static bool owner_ok(const struct ovid_rndis *rndis)
{
	return rndis->mtu >= NET_MIN_MTU && rndis->mtu <= NET_MAX_MTU &&
	       net_is_bool(&rndis->link) &&
	       rndis->queues && rndis->queues <= NET_MAX_QUEUES &&
	       rndis_is_own_address(rndis->permanent) &&
	       memchr(rndis->name, 0, sizeof(rndis->name));
}

bool ovid_rndis_ok(const struct ovid_rndis *rndis)
{
	if (!owner_ok(rndis) || !net_is_bool(&rndis->ready) || !net_is_bool(&rndis->rss))
		return false;
	if (!rndis->ready)
		return !rndis->filter && !rndis->offloads && !rndis->nr_multicast &&
		       !rndis->rss && !rndis->hash_types && !rndis->nr_table;
	return rndis_is_own_address(rndis->address) && !(rndis->filter & ~RNDIS_FILTERS) &&
	       !(rndis->offloads & ~NET_OFFLOADS) && lists_ok(rndis) && rss_ok(rndis);
}

/* ---- messages ---- */

static u32 put_complete(void *reply, u32 type, u32 request, u32 status)
{
	struct rndis_w_complete complete = {
		.h = { .type = type | RNDIS_COMPLETE, .bytes = sizeof(complete) },
		.request = request, .status = status,
	};

	memcpy(reply, &complete, sizeof(complete));
	return sizeof(complete);
}

/* @whole: all of it is there, with what its type begins with */
static u32 do_init(struct ovid_rndis *rndis, const struct rndis_w_init *init, bool whole,
		   void *reply, u32 *changed)
{
	struct rndis_w_init_complete complete = {
		.h = { .type = RNDIS_INIT | RNDIS_COMPLETE, .bytes = sizeof(complete) },
		.request = init->request, .major = 1, .device_flags = 1,
		.max_packets = RNDIS_MAX_PACKETS, .max_transfer = RNDIS_MAX_TRANSFER,
		.alignment = 3,
	};

	if (!whole) {
		complete.status = RNDIS_INVALID_LENGTH;
	} else if (init->major != 1) {
		complete.status = RNDIS_FAILURE;
	} else {
		begin(rndis);
		*changed = ALL_CHANGED;
	}
	memcpy(reply, &complete, sizeof(complete));
	return sizeof(complete);
}

/*
 * What comes with a request: none, if it says so or there is not as much.  For a query it says
 * what kind of answer is wanted, if at all.
 */
static bool find_input(const struct rndis_w_request *msg, struct rndis_ask *ask)
{
	u32 body = msg->h.bytes - BODY;

	if (!msg->bytes)
		return true;
	if (msg->offset < sizeof(*msg) - BODY || msg->offset > body ||
	    msg->bytes > body - msg->offset)
		return false;
	ask->in = (const u8 *)msg + BODY + msg->offset;
	ask->in_bytes = msg->bytes;
	return true;
}

/* without data an offset is none, by [MS-RNDIS]; Linux sees there that a query has failed */
static u32 do_query(struct rndis_ask *ask, const struct rndis_w_request *msg, bool whole,
		    void *reply)
{
	struct rndis_w_query_complete complete = {
		.h.type = RNDIS_QUERY | RNDIS_COMPLETE, .request = msg->request,
		.status = RNDIS_INVALID_LENGTH,
	};
	u8 *out = (u8 *)reply + sizeof(complete);
	u32 bytes = 0;

	if (whole && !ask->rndis->ready) {
		complete.status = RNDIS_FAILURE;
	} else if (whole) {
		/* some say there how much the answer may be */
		find_input(msg, ask);
		complete.status = ovid_rndis_oid_get(ask, msg->oid, out, &bytes);
	}
	if (complete.status)
		bytes = 0;
	if (bytes)
		complete.offset = sizeof(complete) - BODY;
	complete.bytes = bytes;
	complete.h.bytes = sizeof(complete) + bytes;
	memcpy(reply, &complete, sizeof(complete));
	return sizeof(complete) + bytes;
}

static u32 do_set(struct rndis_ask *ask, const struct rndis_w_request *msg, bool whole,
		  void *reply)
{
	u32 status = RNDIS_INVALID_LENGTH;

	if (whole && !ask->rndis->ready)
		status = RNDIS_FAILURE;
	else if (whole && find_input(msg, ask))
		status = ovid_rndis_oid_set(ask, msg->oid);
	return put_complete(reply, RNDIS_SET, msg->request, status);
}

/* nothing of ours can be stuck, and nothing is forgotten: no addresses to be set again */
static u32 do_reset(void *reply)
{
	struct rndis_w_reset_complete complete = {
		.h = { .type = RNDIS_RESET | RNDIS_COMPLETE, .bytes = sizeof(complete) },
	};

	memcpy(reply, &complete, sizeof(complete));
	return sizeof(complete);
}

/* what a request begins with; 0: it is none that has a number */
static u32 least(u32 type)
{
	switch (type) {
	case RNDIS_INIT:
		return sizeof(struct rndis_w_init);
	case RNDIS_QUERY:
	case RNDIS_SET:
		return sizeof(struct rndis_w_request);
	case RNDIS_KEEPALIVE:
		return offsetof(struct rndis_w_complete, status);
	}
	return 0;
}

/* @msg has its number */
static u32 do_request(struct rndis_ask *ask, const void *msg, bool whole, void *reply)
{
	const struct rndis_w_request *request = msg;
	u32 status = RNDIS_SUCCESS;

	switch (request->h.type) {
	case RNDIS_INIT:
		return do_init(ask->rndis, msg, whole, reply, &ask->changed);
	case RNDIS_QUERY:
		return do_query(ask, msg, whole, reply);
	case RNDIS_SET:
		return do_set(ask, msg, whole, reply);
	}
	if (!whole)
		status = RNDIS_INVALID_LENGTH;
	else if (!ask->rndis->ready)
		status = RNDIS_FAILURE;
	return put_complete(reply, RNDIS_KEEPALIVE, request->request, status);
}

int ovid_rndis_control(struct ovid_rndis *rndis, const struct ovid_rndis_stats *stats,
		       const void *msg, u32 bytes, void *reply, u32 *changed)
{
	struct rndis_ask ask = { .rndis = rndis, .stats = stats };
	const struct rndis_w_head *h = msg;
	u32 wanted, n;

	*changed = 0;
	if (bytes < sizeof(*h))
		return -EPROTO;
	switch (h->type) {
	case RNDIS_HALT:
		ovid_rndis_forget(rndis);
		*changed = RNDIS_HALTED;
		return 0;
	case RNDIS_RESET:
		return do_reset(reply);
	}
	wanted = least(h->type);
	if (!wanted || bytes < offsetof(struct rndis_w_complete, status))
		return -EPROTO;
	n = do_request(&ask, msg, h->bytes >= wanted && h->bytes <= bytes, reply);
	*changed = ask.changed;
	return n;
}

/* ---- indications ---- */

static u32 indicate(void *msg, u32 status, const void *data, u32 bytes)
{
	struct rndis_w_indicate indicate = {
		.h = { .type = RNDIS_INDICATE, .bytes = sizeof(indicate) + bytes },
		.status = status, .bytes = bytes,
		.offset = bytes ? sizeof(indicate) - BODY : 0,
	};

	memcpy(msg, &indicate, sizeof(indicate));
	if (bytes)
		memcpy((u8 *)msg + sizeof(indicate), data, bytes);
	return sizeof(indicate) + bytes;
}

u32 ovid_rndis_link(const struct ovid_rndis *rndis, void *msg)
{
	return indicate(msg, rndis->link ? RNDIS_MEDIA_CONNECT : RNDIS_MEDIA_DISCONNECT, NULL, 0);
}

u32 ovid_rndis_network(const struct ovid_rndis *rndis, void *msg)
{
	return indicate(msg, RNDIS_NETWORK_CHANGE, NULL, 0);
}

u32 ovid_rndis_speed(const struct ovid_rndis *rndis, void *msg)
{
	u32 speed = rndis_speed(rndis);

	return indicate(msg, RNDIS_LINK_SPEED, &speed, sizeof(speed));
}

u32 ovid_rndis_offloads(const struct ovid_rndis *rndis, void *msg)
{
	struct ndis_w_offload offload;

	ovid_rndis_offload(rndis->offloads, &offload);
	return indicate(msg, RNDIS_OFFLOAD_CHANGE, &offload, sizeof(offload));
}

/* ---- frames for the guest ---- */

static bool in_list(const struct ovid_rndis *rndis, const u8 *mac)
{
	u32 i;

	for (i = 0; i < rndis->nr_multicast; i++)
		if (!memcmp(rndis->multicast[i], mac, NET_MAC_BYTES))
			return true;
	return false;
}

bool ovid_rndis_wants(const struct ovid_rndis *rndis, const u8 *eth)
{
	static const u8 broadcast[NET_MAC_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	u32 filter = rndis->filter;

	if (filter & RNDIS_FILTER_PROMISCUOUS)
		return true;
	if (!(eth[0] & 1))
		return filter & RNDIS_FILTER_DIRECTED &&
		       !memcmp(eth, rndis->address, NET_MAC_BYTES);
	if (!memcmp(eth, broadcast, NET_MAC_BYTES))
		return filter & RNDIS_FILTER_BROADCAST;
	return filter & RNDIS_FILTER_ALL_MULTICAST ||
	       (filter & RNDIS_FILTER_MULTICAST && in_list(rndis, eth));
}
