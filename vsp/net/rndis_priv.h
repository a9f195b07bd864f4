/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of RNDIS's control messages (pure).
 *
 *   rndis.c		messages
 *   rndis_oid.c	OIDs; what is a number or an address
 *   rndis_offload.c	OIDs of offloads
 *   rndis_rss.c	OIDs of receive queues
 *   rndis_config.c	OID_CONFIG_PARAMETER
 */
#ifndef OVID_NET_RNDIS_PRIV_H
#define OVID_NET_RNDIS_PRIV_H

#include "ndis.h"
#include "rndis.h"

/* what the answer to a query has room for */
#define RNDIS_OID_BYTES	(RNDIS_CONTROL_BYTES - sizeof(struct rndis_w_query_complete))

/**
 * struct rndis_ask - a query, or a set request
 * @rndis: card
 * @stats: of it
 * @in: what came with it, perhaps nothing
 * @in_bytes: of @in
 * @changed: out: RNDIS_CHANGED_*
 */
struct rndis_ask {
	struct ovid_rndis *rndis;
	const struct ovid_rndis_stats *stats;
	const u8 *in;
	u32 in_bytes;
	u32 changed;
};

/* @out: RNDIS_OID_BYTES; returns a status, and with RNDIS_SUCCESS the bytes of @out */
u32 ovid_rndis_oid_get(const struct rndis_ask *ask, u32 oid, u8 *out, u32 *bytes);
/* returns a status; what is refused changes nothing */
u32 ovid_rndis_oid_set(struct rndis_ask *ask, u32 oid);

/* queries return the bytes of @out, set requests a status */
u32 ovid_rndis_get_offload_caps(const struct rndis_ask *ask, u8 *out);
u32 ovid_rndis_get_offload_config(const struct rndis_ask *ask, u8 *out);
u32 ovid_rndis_set_offload(struct rndis_ask *ask);
u32 ovid_rndis_get_encapsulation(const struct rndis_ask *ask, u8 *out);
u32 ovid_rndis_set_encapsulation(struct rndis_ask *ask);
u32 ovid_rndis_get_rss_caps(const struct rndis_ask *ask, u8 *out);
u32 ovid_rndis_set_rss(struct rndis_ask *ask);
u32 ovid_rndis_set_parameter(struct rndis_ask *ask);

/* what is on, as NDIS says it */
void ovid_rndis_offload(u32 offloads, struct ndis_w_offload *out);

/* 100 bit/s, as much as there is room for */
static inline u32 rndis_speed(const struct ovid_rndis *rndis)
{
	return min_t(u64, (u64)rndis->speed * 10000, 0xffffffffu);
}

/* an address that a card may have */
static inline bool rndis_is_own_address(const u8 *mac)
{
	return !(mac[0] & 1) && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

#endif
