/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net.h - a guest's side of a network card, as Linux's netvsc and iPXE have it: the handshake,
 * RNDIS requests, frames in all the forms they may be sent in, and frames that come.
 */
#ifndef OVID_GUEST_NET_H
#define OVID_GUEST_NET_H

#include "vmbus.h"
#include "../../vsp/net/proto.h"
#include "../../uapi/ovid_net.h"

#define SUBS		(G_NET_QUEUES - 1u)
#define CHANNELS	G_NET_QUEUES

/* what is lent to the host, and what the host makes of it */
#define RX_BYTES	(2u << 20)
#define TX_BYTES	(48u * PAGE)
extern u8 rx_memory[RX_BYTES + PAGE], tx_memory[TX_BYTES];
extern u8 *rx_at;
extern u32 rx_bytes, rx_parts, rx_part_bytes, tx_sections, tx_section_bytes;

extern struct channel chans[CHANNELS];
extern struct channel *by;		/* that packets are sent on */
extern bool is_open[CHANNELS];
extern const u8 my_mac[6], far_mac[6];

/* ---- packets ---- */

/* @words of net_list; 0: no memory is named.  False: no room */
extern u64 net_list[64];
extern u32 net_ranges;
bool net_send(u16 type, u16 flags, u64 trans_id, u32 words, const void *msg, u32 bytes);
/* the same, which waits for room */
bool net_push(u16 type, u16 flags, u64 trans_id, u32 words, const void *msg, u32 bytes);
/* memory for one packet: begun, and ranges added: words of net_list */
void net_list_begin(void);
u32 net_list_add(const void *at, u32 bytes);

/* the next packet of a channel, which is dealt with: false: none comes */
bool net_hear(struct channel *of);
/* those that are there */
void net_drain(void);

/* ---- what has come ---- */

/* of NVSP, to net_ask() */
extern struct nvsp_w_message answer;
extern int answer_bytes;
/* frames of ours that are done with, by their number; and those whose status was not good */
#define TX_IDS		4096
extern u8 tx_done[TX_IDS];
extern u32 tx_answers, tx_bad, tx_status;
/* RNDIS: the last answer, and indications */
extern u8 reply[1024] __attribute__((aligned(8)));
extern u32 replies, nr_told, told[16];
/* whatever no host should do */
extern u32 net_wrong;

/* a frame, whole again */
struct net_frame {
	u8 data[65536 + 64] __attribute__((aligned(8)));
	u32 bytes, parts, queue;
	bool has_csum, has_vlan, has_hash, coalesced;
	u32 csum, vlan, hash;
};
extern struct net_frame frame;
extern u32 frames;			/* that came */
extern void (*on_frame)(void);		/* or NULL */

/* packets for us are not given back, but remembered; and all are given back */
extern bool keeps;
extern u32 nr_kept;
void give_back(void);
/* anything as the completion of a packet */
bool complete(struct channel *of, u64 trans_id);

/* ---- the handshake, piece by piece ---- */

/* a request and its answer: its type; 0: none */
u32 net_ask(struct nvsp_w_message *msg, u32 bytes);
bool net_init(u32 min, u32 max);
void net_config(u32 mtu, u64 caps);
void net_ndis(void);
/* a GPADL of any memory: its status */
u32 net_lend(u32 gpadl, const void *at, u32 bytes);
/* ... is the guest's own again */
void net_take(u32 gpadl);
/* NVSP_OK or not */
u32 net_rx_buffer(u32 gpadl, u16 id);
u32 net_tx_buffer(u32 gpadl);
void net_revoke(u32 type);
#define RX_GPADL	0x7e0001u
#define TX_GPADL	0x7e0002u

/* ---- RNDIS ---- */

#define OID_SUPPORTED	0x00010101u
#define OID_FRAME_SIZE	0x00010106u
#define OID_FILTER	0x0001010eu
#define OID_TOTAL_SIZE	0x00010111u
#define OID_CONNECTED	0x00010114u
#define OID_RSS_PARAMS	0x00010204u
#define OID_NO_BUFFER	0x00020105u
#define OID_PERMANENT	0x01010101u
#define OID_CURRENT	0x01010102u
#define OID_MULTICAST	0x01010103u
#define OID_OFFLOAD	0xfc01020cu
#define OID_CAPS	0xfc01020du

#define DIRECTED	0x01u
#define MULTICAST	0x02u
#define ALL_MULTICAST	0x04u
#define BROADCAST	0x08u
#define PROMISCUOUS	0x20u

/* a control message, by memory or a section: true: it was taken, and has an answer */
enum { BY_PAGES, BY_SECTION, BY_BOTH };
bool net_control(const void *msg, u32 bytes, u32 how);
u32 rndis_init(void);
void rndis_halt(void);
/* statuses; @bytes of @out are there, or of the answer if it has less */
u32 rndis_query(u32 oid, void *out, u32 bytes);
u32 rndis_set(u32 oid, const void *in, u32 bytes);
u32 set_filter(u32 filter);
/* of frames for us: checksums, and large ones */
u32 set_offloads(bool csum, bool rsc);
u32 set_table(const u32 *table, u32 nr);

/* ---- all of it ---- */

/* version 6.1, MTU 9000 */
void net_begin(void);			/* the bus, and the card's offer */
void net_open(void);
void net_up(void);			/* the handshake up to frames */
void net_up_with(u32 mtu, void *rx, u32 bytes);
void open_subs(u32 nr);
void close_all(void);
void net_close(void);			/* the primary channel alone, and its GPADLs */
void net_forget(void);			/* all went with the offer */
void net_end(void);

/* ---- frames ---- */

/* what is said of one beside it */
struct beside {
	bool has_csum, has_lso, has_vlan;
	u32 csum, lso, vlan;
};
/* its message before it: bytes of @at */
u32 net_head(u8 *at, u32 bytes, const struct beside *b);
/* @at must stay until it is done with: its number, or ~0 */
u32 send_frame(const u8 *at, u32 bytes, u32 how, const struct beside *b);
/* all that were sent are done with */
bool all_done(void);
void forget_sent(void);
/* waits until there were @nr frames, by any channel */
bool wait_frames(u32 nr);

/* an Ethernet frame of so many bytes, which @number makes another one each time */
void make_frame(u8 *at, u32 number, u32 bytes);
/* it is that, from the far side */
bool is_frame(u32 number, u32 bytes);
u32 number_of(const u8 *at);

/* ---- the far side ---- */

s64 far_do(u32 what, u64 a1, u64 a2);
/* one frame, by its head: what write() says */
s64 far_write(const struct ovid_frame *head, const void *at);
struct ovid_net_info *far_info(void);

#endif
