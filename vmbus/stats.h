/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of a bus and of its channels.  Each is plain and has a lock that its writers hold
 * anyway, but signals of the guest, which may come from all VPs at once.
 */
#ifndef OVID_VMBUS_STATS_H
#define OVID_VMBUS_STATS_H

#include <linux/atomic.h>
#include "../vmm/types.h"

/* go up and down: the last ones of a bus are the state machine's own */
#define OVID_CHAN_GAUGES(X)		\
	X(relid)	/* the guest's number for it; 0: it has none */ \
	X(state)	/* OVID_CHANNEL_* */

/* plain ones, under chan->lock */
#define OVID_CHAN_COUNTERS(X)		\
	X(opens)			\
	X(opens_refused)	/* by who serves it */		\
	X(signals_out)			\
	X(turns)	/* times its provider was called to work */ \
	X(packets_in)	/* packets: of the kernel's providers only */ \
	X(bytes_in)	/* payload */				\
	X(packets_out)			\
	X(bytes_out)			\
	X(too_long)	/* packets of the guest's that were dropped */ \
	X(no_space)	/* times that a packet had to wait for space */ \
	X(broken)	/* times that its ring's content made no sense */

#define OVID_CHAN_STAT(name)	u64 name;

/* @signals_monitored: of @signals_in, those that came by a monitor page; vmbus->lock */
struct ovid_chan_stats {
	OVID_CHAN_COUNTERS(OVID_CHAN_STAT)
	u64 signals_monitored;
	atomic64_t signals_in;
};

/**
 * struct ovid_vmbus_counts - what the state machine does not count itself
 * @messages_full: of the guest, that it has to post again; vmbus->in_lock
 * @messages_out: for the guest; vmbus->lock, like those that follow
 * @opens: channels that the guest has opened
 * @opens_refused: by who serves them
 * @gpadls_refused: whose memory cannot be had
 * @rescinds: that the guest was told of
 * @rings_broken: whose content made no sense; by all channels
 */
struct ovid_vmbus_counts {
	u64 messages_full;
	u64 messages_out;
	u64 opens;
	u64 opens_refused;
	u64 gpadls_refused;
	u64 rescinds;
	atomic64_t rings_broken;
};

/* a packet was taken: its payload, or -EMSGSIZE */
static inline void ovid_chan_stats_recv(struct ovid_chan_stats *stats, int bytes)
{
	if (bytes < 0) {
		stats->too_long++;
		return;
	}
	stats->packets_in++;
	stats->bytes_in += bytes;
}

/* a packet of @bytes was to be sent */
static inline void ovid_chan_stats_send(struct ovid_chan_stats *stats, int err, u32 bytes)
{
	if (err == -EAGAIN)
		stats->no_space++;
	if (err)
		return;
	stats->packets_out++;
	stats->bytes_out += bytes;
}

#endif
