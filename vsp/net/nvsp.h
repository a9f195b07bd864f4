/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NVSP (pure): versions, buffers, and the order in which a guest brings a card up.
 */
#ifndef OVID_NET_NVSP_H
#define OVID_NET_NVSP_H

#include "proto.h"

/**
 * struct ovid_nvsp - where the protocol of a card stands; zeroes: opened
 * @version: agreed on; 0: none
 * @mtu: that the guest has said; 0: none
 * @caps: NVSP_CAP_*, of the guest
 * @ndis: version, major << 16 | minor; 0: not said
 * @rx: there is a receive buffer; set by the owner, like @tx
 * @tx: there is a send buffer
 * @subs: sub-channels that were granted
 */
struct ovid_nvsp {
	u32 version;
	u32 mtu;
	u64 caps;
	u32 ndis;
	bool rx;
	bool tx;
	u16 subs;
};

enum ovid_nvsp_do {
	NVSP_DO_REPLY,		/* that was all */
	NVSP_DO_RX_BUFFER,	/* map it: ovid_nvsp_rx(), and that was all */
	NVSP_DO_TX_BUFFER,	/* ... ovid_nvsp_tx() */
	NVSP_DO_RX_REVOKE,	/* it is not used any more; then reply */
	NVSP_DO_TX_REVOKE,
	NVSP_DO_RNDIS,		/* messages are in it: ovid_nvsp_rndis() when they are taken */
	NVSP_DO_SUBS,		/* make @subs: ovid_nvsp_no_subs() if they cannot be */
};

/**
 * ovid_nvsp_message - a message of the guest's
 * @nvsp: in, out
 * @primary: it came by the primary channel; others carry RNDIS alone
 * @msg: in: a copy, zeroes behind @bytes; out: the answer, but with NVSP_DO_RNDIS
 * @bytes: in: of it; out: of the answer: what there is to say may be nothing
 * @subs: in: as many sub-channels may be; out: with NVSP_DO_SUBS: as many are granted
 *
 * Return: what to do.  An answer is sent where one was asked for.
 */
enum ovid_nvsp_do ovid_nvsp_message(struct ovid_nvsp *nvsp, bool primary,
				    struct nvsp_w_message *msg, u32 *bytes, u16 *subs);

/* a buffer is there, in @parts of @part_bytes each; or 0 parts: it is not */
void ovid_nvsp_rx(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg, u32 parts, u32 part_bytes);
void ovid_nvsp_tx(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg, u32 part_bytes);
void ovid_nvsp_no_subs(struct ovid_nvsp *nvsp, struct nvsp_w_message *msg);
/* the answer to RNDIS messages; returns its bytes */
u32 ovid_nvsp_rndis(struct nvsp_w_message *msg, u32 status);
/* it is one that could be: of a state that was read */
bool ovid_nvsp_ok(const struct ovid_nvsp *nvsp);

#endif
