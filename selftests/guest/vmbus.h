/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmbus.h - a guest's side of VMBus, as Linux does it: messages by hypercall and slot,
 * GPADLs of its own memory, channels with two rings, events.
 *
 * Interrupts are off but where a wait lets them in; so between two waits nothing moves.
 */
#ifndef OVID_GUEST_VMBUS_H
#define OVID_GUEST_VMBUS_H

#include "hv.h"
#include "ring_guest.h"
#include "../../vmbus/proto.h"

#define VMBUS_SINT	2
#define VMBUS_VECTOR	0xf3
#define TICK_VECTOR	0xec
#define PAGE		4096ul

#define NO_CONNECTION	0x12
#define NO_BUFFERS	0x13

/* by VP: where the hypervisor leaves messages and flags, and what came of them */
struct synic {
	u8 messages[16][256] __attribute__((aligned(4096)));
	u64 flags[16][32] __attribute__((aligned(4096)));
	volatile u32 irqs, ticks;
	volatile u32 events[2048];	/* taken from flags, by channel */
};
#define VMBUS_VPS	16	/* that may have one */
extern struct synic synics[VMBUS_VPS];
extern u8 interrupt_page[4096];		/* of versions before 2.4 */
extern struct vmbus_w_monitor_page monitor_pages[2];	/* from the host, to the host */

/* each VP: hypercalls (the first one), SynIC, a timer that ends each wait */
void vmbus_vp_begin(void);
void vmbus_begin(void);

/* waits with interrupts on until @cond holds, some seconds at most: does it? */
#define await(cond) ({							\
	volatile u32 *t_ = &synics[rdmsr(MSR_VP_INDEX)].ticks;		\
	u32 from_ = *t_;						\
	bool is_so_;							\
	while (!(is_so_ = !!(cond)) && *t_ - from_ < WAIT_TICKS)	\
		sti_hlt();						\
	is_so_; })
#define TICK_HZ		100
#define WAIT_TICKS	300	/* a debug kernel takes half of that to close a full channel */
void nap(u32 ticks);

/* ---- messages ---- */

/* status of the hypercall; one that there was no room for is tried again */
u32 vmbus_post_to(u32 connection, const void *msg, u32 bytes);
/* to the connection's own id */
void vmbus_post(const void *msg, u32 bytes);

union vmbus_in {
	struct vmbus_w_header h;
	struct vmbus_w_offer offer;
	struct vmbus_w_relid relid;
	struct vmbus_w_open_result open;
	struct vmbus_w_gpadl_created created;
	struct vmbus_w_gpadl_torndown torndown;
	struct vmbus_w_version_response version;
	struct vmbus_w_tl_result tl;
	struct vmbus_w_modify_response modify;
	struct vmbus_w_modify_conn_response conn;
	u64 raw[30];
};

/* the last one that was received, and its length */
extern union vmbus_in in;
extern u32 in_bytes;
/* the next message for this VP: its type; 0: none comes */
u32 vmbus_receive(void);
/* the next one, without waiting */
u32 vmbus_poll(void);
/* it must be of that type */
#define expect(type)	is_(vmbus_receive(), type, "a message comes: " #type)
/* all that was sent is done, and nothing was said of it */
void vmbus_quiet(void);

/* ---- the connection ---- */

extern u32 vmbus_version, vmbus_connection;	/* agreed on */
/* INITIATE_CONTACT and its answer: is the version supported? */
bool vmbus_contact(u32 version);
/* contact, offers: how many */
u32 vmbus_connect(u32 version);
void vmbus_unload(void);

/* ---- channels ---- */

#define MAX_OFFERS	8
extern struct vmbus_w_offer offers[MAX_OFFERS];
extern u32 nr_offers;
/* REQUEST_OFFERS, all that come until ALL_OFFERS */
u32 vmbus_offers(void);
/* the offer of a G_CHANNEL_ECHO or _USER; NULL */
const struct vmbus_w_offer *vmbus_find(u32 channel);

/* ranges of a GPADL, from words as they go into the messages */
void vmbus_gpadl_post(u32 relid, u32 gpadl, u32 ranges, const u64 *words, u32 nr);
/* the same of one range of whole pages, and CREATED: its status */
u32 vmbus_gpadl(u32 relid, u32 gpadl, const void *at, u32 pages);
void vmbus_teardown(u32 relid, u32 gpadl);	/* and TORNDOWN */

struct channel {
	struct vmbus_w_offer offer;
	u32 gpadl;
	u32 vp;				/* that gets its events */
	u32 seen;			/* of its events */
	struct guest_ring out, in;
};

/* pages of memory for rings, of each of two channels */
#define RING_PAGES	64
extern u8 ring_memory[2][RING_PAGES * PAGE];
/* rings of so many pages, the shared one included, in @at: the open's status */
u32 channel_open(struct channel *c, const struct vmbus_w_offer *offer, void *at, u32 out_pages,
		 u32 in_pages);
u32 channel_post_open(struct channel *c, u32 gpadl, u32 vp, u32 downstream, u8 user);
void channel_close(struct channel *c);	/* and its GPADL torn down */
/* by its monitor, where it has one, and no hypercall */
void channel_signal(const struct channel *c);
/* events of it since they were asked for last */
u32 channel_events(struct channel *c);

/* a packet of @bytes, and a signal where Linux gives one; false: no room */
bool channel_send(struct channel *c, u16 flags, u64 trans_id, const void *data, u32 bytes);

/* one that was received */
struct packet {
	struct guest_desc desc;
	u8 data[16384 + 64];
};
extern struct packet packet;
/* waits for an event if there is none: bytes behind the descriptor; -1: none came */
int channel_receive(struct channel *c);
/* gives back what was read, with a signal where Linux gives one */
void channel_done(struct channel *c);

/* a packet there and back, the same: reports what is wrong with it */
bool channel_echo(struct channel *c, u16 flags, u64 trans_id, const void *data, u32 bytes);

#endif
