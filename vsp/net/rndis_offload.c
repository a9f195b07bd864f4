// SPDX-License-Identifier: GPL-2.0-only
/*
 * OIDs of offloads (pure): what there is, what is on, and the guest's wishes.
 *
 * Linux turns transmit checksums on if TCP's options and IPv6's extension headers are said to be
 * no obstacle, segmentation with them, and receive coalescing if there is both; it demands a
 * header of revision 1 or later that is no longer than the answer (rndis_query_hwcaps(),
 * rndis_netdev_set_hwcaps()).
 */
#include "rndis_priv.h"

static u32 csum4(u32 offloads, u32 ip, u32 tcp, u32 udp)
{
	u32 csum = 0;

	if (offloads & ip)
		csum |= NDIS_CSUM_IP4 | NDIS_CSUM_IP4_OPTIONS;
	if (offloads & tcp)
		csum |= NDIS_CSUM_TCP4 | NDIS_CSUM_TCP4_OPTIONS | NDIS_CSUM_IP4_OPTIONS;
	if (offloads & udp)
		csum |= NDIS_CSUM_UDP4 | NDIS_CSUM_IP4_OPTIONS;
	return csum;
}

static u32 csum6(u32 offloads, u32 tcp, u32 udp)
{
	u32 csum = 0;

	if (offloads & tcp)
		csum |= NDIS_CSUM_TCP6 | NDIS_CSUM_TCP6_OPTIONS | NDIS_CSUM_IP6_EXTENSIONS;
	if (offloads & udp)
		csum |= NDIS_CSUM_UDP6 | NDIS_CSUM_IP6_EXTENSIONS;
	return csum;
}

static void put_csums(u32 offloads, struct ndis_w_offload *out)
{
	out->ip4_tx_csum = csum4(offloads, NET_TX_IP_CSUM, NET_TX_TCP4_CSUM, NET_TX_UDP4_CSUM);
	out->ip4_rx_csum = csum4(offloads, NET_RX_IP_CSUM, NET_RX_TCP4_CSUM, NET_RX_UDP4_CSUM);
	out->ip6_tx_csum = csum6(offloads, NET_TX_TCP6_CSUM, NET_TX_UDP6_CSUM);
	out->ip6_rx_csum = csum6(offloads, NET_RX_TCP6_CSUM, NET_RX_UDP6_CSUM);
	out->ip4_tx_encap = out->ip4_tx_csum ? NDIS_ENCAP_8023 : 0;
	out->ip4_rx_encap = out->ip4_rx_csum ? NDIS_ENCAP_8023 : 0;
	out->ip6_tx_encap = out->ip6_tx_csum ? NDIS_ENCAP_8023 : 0;
	out->ip6_rx_encap = out->ip6_rx_csum ? NDIS_ENCAP_8023 : 0;
}

void ovid_rndis_offload(u32 offloads, struct ndis_w_offload *out)
{
	*out = (struct ndis_w_offload){
		.h = { .type = NDIS_OFFLOAD, .revision = 3, .bytes = sizeof(*out) },
		.rsc4 = !!(offloads & NET_RSC4),
		.rsc6 = !!(offloads & NET_RSC6),
	};
	put_csums(offloads, out);
	if (offloads & NET_LSO4) {
		out->lso4_encap = NDIS_ENCAP_8023;
		out->lso4_max = NET_LSO_BYTES;
		out->lso4_min_pieces = 2;
	}
	if (offloads & NET_LSO6) {
		out->lso6_encap = NDIS_ENCAP_8023;
		out->lso6_max = NET_LSO_BYTES;
		out->lso6_min_pieces = 2;
		out->lso6_options = NDIS_LSO6_EXTENSIONS | NDIS_LSO6_OPTIONS;
	}
}

/* as much as who asks knows, by the header that it sends along; without one: all */
static u32 put_offload(const struct rndis_ask *ask, u32 offloads, u8 *out)
{
	struct ndis_w_offload offload;
	struct ndis_w_head want;

	ovid_rndis_offload(offloads, &offload);
	if (ask->in_bytes >= sizeof(want)) {
		memcpy(&want, ask->in, sizeof(want));
		if (want.type == NDIS_OFFLOAD && want.revision == 1) {
			offload.h.revision = 1;
			offload.h.bytes = NDIS_OFFLOAD_BYTES_1;
		} else if (want.type == NDIS_OFFLOAD && want.revision == 2) {
			offload.h.revision = 2;
			offload.h.bytes = NDIS_OFFLOAD_BYTES_2;
		}
	}
	memcpy(out, &offload, offload.h.bytes);
	return offload.h.bytes;
}

u32 ovid_rndis_get_offload_caps(const struct rndis_ask *ask, u8 *out)
{
	return put_offload(ask, NET_OFFLOADS, out);
}

u32 ovid_rndis_get_offload_config(const struct rndis_ask *ask, u8 *out)
{
	return put_offload(ask, ask->rndis->offloads, out);
}

/* ---- wishes ---- */

static void turn(u32 *offloads, u32 which, bool on)
{
	*offloads = on ? *offloads | which : *offloads & ~which;
}

static bool csum_set(u32 *offloads, u8 set, u32 tx, u32 rx)
{
	if (set > NDIS_SET_TX_RX)
		return false;
	if (set == NDIS_SET_NO_CHANGE)
		return true;
	turn(offloads, tx, set == NDIS_SET_ON || set == NDIS_SET_TX_RX);
	turn(offloads, rx, set == NDIS_SET_RX || set == NDIS_SET_TX_RX);
	return true;
}

static bool simple_set(u32 *offloads, u8 set, u32 which)
{
	if (set > NDIS_SET_ON)
		return false;
	if (set != NDIS_SET_NO_CHANGE)
		turn(offloads, which, set == NDIS_SET_ON);
	return true;
}

/* Linux of NVSP 4 and before says revision 3 and has 22 bytes */
static u32 read_params(const struct rndis_ask *ask, struct ndis_w_offload_params *params)
{
	if (ask->in_bytes < NDIS_OFFLOAD_PARAMS_BYTES_1)
		return RNDIS_INVALID_LENGTH;
	memset(params, 0, sizeof(*params));
	memcpy(params, ask->in, min_t(u32, ask->in_bytes, sizeof(*params)));
	if (params->h.type != NDIS_DEFAULT || !params->h.revision)
		return RNDIS_INVALID_DATA;
	if (params->h.bytes < NDIS_OFFLOAD_PARAMS_BYTES_1 || params->h.bytes > ask->in_bytes)
		return RNDIS_INVALID_LENGTH;
	/* what is beyond it was not said */
	if (params->h.bytes < sizeof(*params))
		memset((u8 *)params + params->h.bytes, 0, sizeof(*params) - params->h.bytes);
	return RNDIS_SUCCESS;
}

u32 ovid_rndis_set_offload(struct rndis_ask *ask)
{
	struct ndis_w_offload_params params;
	u32 offloads = ask->rndis->offloads;
	u32 status = read_params(ask, &params);

	if (status)
		return status;
	/* what we do not say we have */
	if (params.lso1 == NDIS_SET_ON)
		return RNDIS_NOT_SUPPORTED;
	if (!csum_set(&offloads, params.ip4_csum, NET_TX_IP_CSUM, NET_RX_IP_CSUM) ||
	    !csum_set(&offloads, params.tcp4_csum, NET_TX_TCP4_CSUM, NET_RX_TCP4_CSUM) ||
	    !csum_set(&offloads, params.udp4_csum, NET_TX_UDP4_CSUM, NET_RX_UDP4_CSUM) ||
	    !csum_set(&offloads, params.tcp6_csum, NET_TX_TCP6_CSUM, NET_RX_TCP6_CSUM) ||
	    !csum_set(&offloads, params.udp6_csum, NET_TX_UDP6_CSUM, NET_RX_UDP6_CSUM) ||
	    !simple_set(&offloads, params.lso4, NET_LSO4) ||
	    !simple_set(&offloads, params.lso6, NET_LSO6) ||
	    !simple_set(&offloads, params.rsc4, NET_RSC4) ||
	    !simple_set(&offloads, params.rsc6, NET_RSC6))
		return RNDIS_INVALID_DATA;
	ask->rndis->offloads = offloads;
	ask->changed |= RNDIS_CHANGED_OFFLOADS;
	return RNDIS_SUCCESS;
}

/* ---- encapsulation: Ethernet, and nothing else ---- */

u32 ovid_rndis_get_encapsulation(const struct rndis_ask *ask, u8 *out)
{
	struct ndis_w_encapsulation encapsulation = {
		.h = { .type = NDIS_ENCAPSULATION, .revision = 1, .bytes = sizeof(encapsulation) },
		.ip4 = NDIS_ENCAP_ON, .ip4_encap = NDIS_ENCAP_8023, .ip4_head_bytes = NET_ETH_BYTES,
		.ip6 = NDIS_ENCAP_ON, .ip6_encap = NDIS_ENCAP_8023, .ip6_head_bytes = NET_ETH_BYTES,
	};

	memcpy(out, &encapsulation, sizeof(encapsulation));
	return sizeof(encapsulation);
}

u32 ovid_rndis_set_encapsulation(struct rndis_ask *ask)
{
	struct ndis_w_encapsulation want;

	if (ask->in_bytes < sizeof(want))
		return RNDIS_INVALID_LENGTH;
	memcpy(&want, ask->in, sizeof(want));
	if (want.h.type != NDIS_ENCAPSULATION || !want.h.revision)
		return RNDIS_INVALID_DATA;
	if (want.ip4 == NDIS_ENCAP_ON &&
	    (want.ip4_encap != NDIS_ENCAP_8023 || want.ip4_head_bytes != NET_ETH_BYTES))
		return RNDIS_NOT_SUPPORTED;
	if (want.ip6 == NDIS_ENCAP_ON &&
	    (want.ip6_encap != NDIS_ENCAP_8023 || want.ip6_head_bytes != NET_ETH_BYTES))
		return RNDIS_NOT_SUPPORTED;
	return RNDIS_SUCCESS;
}
