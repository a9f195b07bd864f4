/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network card, a provider of the VMBus.
 *
 *   provider.c	channels of a card, made, opened and closed; its calls
 *   chan.c	packets of the guest's, and answers
 *   tx.c	frames of the guest's, out of RNDIS messages
 *   rx.c	frames for the guest, into its receive buffer
 *   parts.c	what that consists of
 *   end.c	where frames go to and come from
 *   end_if.c	... an interface of the host's
 *   end_frames.c ... whoever reads and writes the channel's file
 *   end_file.c	... a file of tap or macvtap
 *   save.c	what is moved with the VM
 *   nvsp.c	the protocol around RNDIS, pure
 *   rndis.h	RNDIS, pure
 *
 * All of the guest's channels have their turns one after the other, so that what they share
 * needs no lock: "turn" is said where that is so.  Other threads come by a queue's lock.
 *
 * Locks: net->config_lock -> net->end_sem, rtnl_lock; chan->lock (the bus's) -> net->end_sem ->
 * what an end takes; a queue's frames.lock -> what ovid_chan_kick() takes.
 */
#ifndef OVID_NET_H
#define OVID_NET_H

#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/skbuff.h>
#include "../../uapi/ovid_net.h"
#include "../../vmbus/channel.h"
#include "nvsp.h"
#include "rndis.h"

struct net_card;

#define NET_TX_PART_BYTES	6144	/* of a send buffer, as Hyper-V has them */
#define NET_RX_PART_BYTES	4096	/* of a receive buffer, or more */
#define NET_RX_MAX_PARTS	32768
#define NET_RX_RESERVE		2	/* parts that are kept for control messages */
#define NET_MAX_FRAMES		1024	/* that wait for the guest, by one queue */
#define NET_MAX_CONTROL		16	/* answers that wait for it */
#define NET_MAX_RANGES		64	/* of a packet for it */

/* with these a guest takes a large frame whole */
#define NET_WHOLE4		(NET_RSC4 | NET_RX_TCP4_CSUM)
#define NET_WHOLE6		(NET_RSC6 | NET_RX_TCP6_CSUM)

/* ranges of a packet, and their pages: Linux has 32 of a page each at most */
#define NET_LIST_WORDS		192

/**
 * struct net_control - a control message for the guest
 * @node: in queue->controls
 * @bytes: of @msg
 * @msg: RNDIS
 */
struct net_control {
	struct list_head node;
	u32 bytes;
	u8 msg[] __aligned(8);
};

/**
 * struct net_batch - a packet for the guest: parts of its receive buffer
 * @nr: of @ranges
 * @first: part; the others are chained to it
 * @last: part
 * @ranges: what is in each
 */
struct net_batch {
	u32 nr;
	u16 first;
	u16 last;
	struct vmbus_w_range ranges[NET_MAX_RANGES];
};

/**
 * struct net_queue - a channel of a card, and the frames for it
 * @net: card
 * @index: of the channel
 * @frames: for the guest; its lock, for what follows, too; with bottom halves off
 * @chan: NULL: it is closed, frames are dropped
 * @stopped: the end waits for room
 * @dropped: frames since the turn has looked
 * @bytes: of memory, of @frames
 *
 * The rest is the channel's, turn:
 * @own: channel, open or not
 * @held: frames taken out of @frames
 * @batch: a packet that waits for space in the ring
 * @controls: messages, struct net_control
 * @nr_controls: of them
 * @owed: an answer that waits for space: its bytes, + 1; 0: there is none
 * @owed_id: of the packet
 * @owed_msg: answer
 * @list: of the packet at hand, the memory it names
 */
struct net_queue {
	struct net_card *net;
	u16 index;
	struct sk_buff_head frames;
	struct ovid_chan *chan;
	bool stopped;
	u32 dropped;
	u32 bytes;

	struct ovid_chan *own;
	struct sk_buff_head held;
	struct net_batch batch;
	struct list_head controls;
	u32 nr_controls;
	u32 owed;
	u64 owed_id;
	struct nvsp_w_message owed_msg;
	u64 list[NET_LIST_WORDS];
};

/**
 * struct net_part - of a receive buffer
 * @next: free, or in the packet
 * @used: it is the first one of a packet that the guest has: that channel's index + 1
 */
struct net_part {
	u16 next;
	u8 used;
};

/**
 * struct net_buffer - a buffer of the guest's
 * @map: NULL: there is none
 * @part_bytes: it consists of those
 * @nr_parts: number of them
 */
struct net_buffer {
	struct ovid_chan_buffer *map;
	u32 part_bytes;
	u32 nr_parts;
};

struct net_end;

/**
 * struct net_end_ops - a kind of end
 * @kind: OVID_NET_*
 * @deliver: frames of the guest's, consumed; counts those that were not taken, turn
 * @full: it takes no more for now, and kicks the channels when it does; turn.  NULL: never
 * @room: queue @index has room again, turn
 * @state: the guest takes frames, or does not any more; any thread that may sleep.  NULL: that is
 *	all the same
 * @free: nobody calls it any more; frames may still come from it until this returns
 */
struct net_end_ops {
	u32 kind;
	u32 (*deliver)(struct net_end *end, struct sk_buff_head *frames);
	bool (*full)(struct net_end *end);
	void (*room)(struct net_end *end, u16 index);
	void (*state)(struct net_end *end, bool up);
	void (*free)(struct net_end *end);
};

/**
 * struct net_end - where a card's frames go
 * @ops: of its kind
 * @net: card, which outlives it
 * @full: queues that are, bits, of those who use ovid_net_put(): they wait for room
 */
struct net_end {
	const struct net_end_ops *ops;
	struct net_card *net;
	unsigned long full;
};

/* bits of net_card.news: what the guest is to be told of */
#define NET_NEWS_LINK		0
#define NET_NEWS_NETWORK	1

/**
 * struct net_card - from attach to detach of its primary channel
 * @config_lock: for one caller at a time who sets something
 * @config: NULL before OVID_NET_SETUP: channels take no packets; then it does not change
 * @queues: the first, and with @config as many as that says; they stay
 * @end_sem: @end does not change while it is held
 * @end: or NULL
 * @link: there is one; @config_lock
 * @up: the guest takes frames
 * @news: bits NET_NEWS_*
 *
 * turn:
 * @primary: channel
 * @nvsp: where its protocol stands
 * @rndis: the card, as the guest sees it
 * @stats: of it; others read them, a word at a time
 * @tx_dropped: frames that no end took; so are @stats
 * @rx: receive buffer
 * @tx: send buffer
 * @parts: of @rx, nr_parts of them
 * @free: the first that is, and @nr_free how many
 * @control: a copy of the message at hand
 * @rss_mask: of @rss_table: entries - 1; 0: all frames go by the first queue.  Others read it
 * @rss_table: queue by a frame's hash
 */
struct net_card {
	struct mutex config_lock;	/* see above */
	struct ovid_net *config;
	struct net_queue *queues[NET_MAX_QUEUES];
	struct rw_semaphore end_sem;	/* see above */
	struct net_end *end;
	bool link;
	bool up;
	unsigned long news;

	struct ovid_chan *primary;
	struct ovid_nvsp nvsp;
	struct ovid_rndis rndis;
	struct ovid_rndis_stats stats;
	u64 tx_dropped;
	struct net_buffer rx;
	struct net_buffer tx;
	struct net_part *parts;
	u16 free;
	u32 nr_free;
	u8 control[RNDIS_CONTROL_BYTES] __aligned(8);
	u32 rss_mask;
	u8 rss_table[NET_TABLE_ENTRIES];
};

extern const struct ovid_chan_ops ovid_net;

static inline bool ovid_net_is_primary(const struct net_queue *queue)
{
	return !queue->index;
}

/* ---- chan.c ---- */
/* one turn: true: there is more */
bool ovid_net_turn(struct net_queue *queue);
/* the card is what it was set up to be, from now on: false: it was not yet; turn */
bool ovid_net_show(struct net_card *net);
/* the channel is closed: what waits for the guest is forgotten */
void ovid_net_forget(struct net_queue *queue);
/* what the guest has set is different now; turn.  Or only whether it takes frames may be */
void ovid_net_applied(struct net_card *net);
void ovid_net_changed(struct net_card *net);

/* buffers of the guest's: 0 or -errno; and they are not there any more */
int ovid_net_map_rx(struct net_card *net, u32 gpadl, u32 part_bytes);
int ovid_net_map_tx(struct net_card *net, u32 gpadl);
void ovid_net_drop_rx(struct net_card *net);
void ovid_net_drop_tx(struct net_card *net);

/* ---- tx.c ---- */
/*
 * The frames of a packet's RNDIS messages, to @frames: NVSP_OK or what is wrong.  @held: memory
 * behind what is in the section, or NULL
 */
u32 ovid_net_tx(struct net_queue *queue, const void *section, u32 section_bytes,
		const struct ovid_chan_held *held, struct sk_buff_head *frames);

/* ---- rx.c ---- */
/*
 * A frame for the guest, consumed; any context with bottom halves off.  @more: another one follows
 * at once.  True: its queue is full, and the end is told when there is room.
 */
bool ovid_net_rx(struct net_card *net, u16 index, struct sk_buff *skb, bool more);
/* the queue for a frame; any context */
u16 ovid_net_choose(struct net_card *net, struct sk_buff *skb);
/* all that wait are held: there is room again; turn */
void ovid_net_take_queued(struct net_queue *queue);
/* into the ring: true: there is more */
bool ovid_net_send_frames(struct net_queue *queue);
/* a packet that waits for space, or the oldest control message: 0 or -EAGAIN */
int ovid_net_send_batch(struct net_queue *queue);
int ovid_net_send_controls(struct net_queue *queue);

/* ---- parts.c ---- */
/* 0 or -ENOMEM: of net->rx */
int ovid_net_parts_init(struct net_card *net);
void ovid_net_parts_fini(struct net_card *net);
/* adds one to the batch: NULL: there is none, or it has all it may have; @reserve: stay free */
void *ovid_net_part(struct net_card *net, struct net_batch *batch, u32 bytes, u32 reserve);
/* the guest has it now, by channel @index */
void ovid_net_parts_sent(struct net_card *net, struct net_batch *batch, u16 index);
/* the packet is the host's again, if there is one of that name */
void ovid_net_parts_done(struct net_card *net, u64 trans_id, u16 index);
/* of a batch that is not sent, or of all packets that channel @index has */
void ovid_net_parts_drop(struct net_card *net, struct net_batch *batch);
void ovid_net_parts_forget(struct net_card *net, u16 index);

/* ---- end.c ---- */
/* an skb of @bytes, which are not filled in; more than @linear are in pages.  Or NULL */
struct sk_buff *ovid_net_alloc(u32 bytes, u32 linear);
/* a frame of @end's for the guest, consumed; a thread.  @more: as ovid_net_rx() */
void ovid_net_put(struct net_end *end, struct sk_buff *skb, bool more);
/* OVID_NET_END: the caller's thread */
long ovid_net_set_end(struct net_card *net, struct ovid_net_end *arg);
/* there is none any more */
void ovid_net_drop_end(struct net_card *net);
/* queues that are closed, or full, wake up */
void ovid_net_kick_all(struct net_card *net);

/* ---- end_if.c ---- */
struct net_end *ovid_net_if_new(struct net_card *net, struct ovid_net_end *arg);
void ovid_net_if_info(struct net_end *end, u8 *name, u32 *ifindex);

/* ---- end_frames.c ---- */
struct net_end *ovid_net_frames_new(struct net_card *net, const struct ovid_net_end *arg);
ssize_t ovid_net_frames_read(struct net_end *end, char __user *buf, size_t len);
ssize_t ovid_net_frames_write(struct net_end *end, const char __user *buf, size_t len);
__poll_t ovid_net_frames_poll(struct net_end *end);

/* ---- end_file.c ---- */
struct net_end *ovid_net_file_new(struct net_card *net, const struct ovid_net_end *arg);

/* ---- save.c ---- */
u32 ovid_net_save(struct net_queue *queue, void *buf, u32 room);
/* into an open channel: 0 or -errno, then it is as if it was opened anew */
int ovid_net_restore(struct net_queue *queue, const void *buf, u32 bytes);

#endif
