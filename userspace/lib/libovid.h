/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libovid.h - a process serves a channel of a guest's VMBus: the calls of file H
 * (ovid.h, "a channel"), its rings, and when to signal and when to sleep.
 *
 * A channel's file and its eventfd are for a poll loop: when the file can be read,
 * ovid_channel_event() says what the guest wants; when the eventfd can, there is a
 * turn to be done on the rings:
 *
 *	do {
 *		ovid_channel_begin(ch);
 *		while (ovid_channel_recv(ch, &pkt, buf, sizeof(buf)) >= 0)
 *			...					ovid_channel_send()
 *	} while (ovid_channel_end(ch, true));
 *
 * One thread at a time for a channel.  The guest may write to the rings at any time and
 * close the channel at any time: what was received is a copy, and what is sent to a channel that
 * was closed is lost.
 */
#ifndef LIBOVID_H
#define LIBOVID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ovid_channel;
struct ovid_channel_event;	/* both are ovid.h's */
struct ovid_vmbus_offer;

/* types of packets, and a flag: the sender waits for a completion */
#define OVID_PACKET_DATA		6
#define OVID_PACKET_COMPLETION		11
#define OVID_PACKET_WANTS_COMPLETION	1

/**
 * struct ovid_channel_packet - what is in front of a packet's payload
 * @type: OVID_PACKET_*, or another
 * @flags: OVID_PACKET_WANTS_COMPLETION, or others
 * @header: bytes in front of the payload, at least 16
 * @payload: bytes of it, filled up to a multiple of 8
 * @trans_id: of the transaction; a completion has its packet's
 */
struct ovid_channel_packet {
	uint16_t type;
	uint16_t flags;
	uint32_t header;
	uint32_t payload;
	uint64_t trans_id;
};

/* ---- life ---- */

/**
 * ovid_channel_offer - offers a channel to a guest
 * @part: file of its partition, by the process whose memory is the partition's
 * @offer: OVID_VMBUS_OFFER's argument, @size too; no provider
 * @signals: an eventfd where the guest's signals go, which stays the caller's and may be many
 *	channels'; -1: a new one, read by ovid_channel_begin()
 * @channel: out
 *
 * Return: 0 or -errno.
 */
int ovid_channel_offer(int part, const struct ovid_vmbus_offer *offer, int signals,
		       struct ovid_channel **channel);

/**
 * ovid_channel_adopt - serves a channel that was offered already
 * @file: its file H, which may have come from another process; taken over, if that goes well
 * @signals: as for ovid_channel_offer()
 * @channel: out
 *
 * Return: 0 or -errno.
 */
int ovid_channel_adopt(int file, int signals, struct ovid_channel **channel);

/**
 * ovid_channel_close - takes the offer back, if nobody else has the file
 * @channel: channel, or NULL
 */
void ovid_channel_close(struct ovid_channel *channel);

/**
 * ovid_channel_file - for poll(): can be read when there is an event
 * @channel: channel
 *
 * Return: its file, which does not block.
 */
int ovid_channel_file(const struct ovid_channel *channel);
/**
 * ovid_channel_signals - for poll(): can be read when there is a turn to be done
 * @channel: channel
 *
 * Return: its eventfd.
 */
int ovid_channel_signals(const struct ovid_channel *channel);

/* ---- what the guest wants of the channel ---- */

/**
 * ovid_channel_event - the next one
 * @channel: channel
 * @event: out
 *
 * OVID_CHANNEL_OPENED wants ovid_channel_answer(); with OVID_CHANNEL_GONE the rings are gone, and what
 * the guest had said before can be received until it is read;
 * with OVID_CHANNEL_RESTORED the channel is open, as another file of it has left it before the VM
 * was moved: a turn is to be done, for which ovid_channel_signals() can be read.
 * Return: 1; 0: there is none; -errno.
 */
int ovid_channel_event(struct ovid_channel *channel, struct ovid_channel_event *event);

/**
 * ovid_channel_answer - answers an open
 * @channel: channel
 * @event: the open
 * @refuse: 0: the rings are mapped, and the guest is told that it is open; else an errno
 *
 * Return: 0 or -errno: it is not open, since the rings make no sense (the guest was told), or the
 * guest has closed it meanwhile.
 */
int ovid_channel_answer(struct ovid_channel *channel, const struct ovid_channel_event *event,
			int refuse);

/**
 * ovid_channel_works - can it be used?
 * @channel: channel
 *
 * Return: it is open, and the rings make sense.
 */
bool ovid_channel_works(const struct ovid_channel *channel);

/* ---- a turn ---- */

/**
 * ovid_channel_begin - begins a turn: the guest need not signal until its end
 * @channel: channel
 *
 * Reads the eventfd, unless that is the caller's.
 */
void ovid_channel_begin(struct ovid_channel *channel);

/**
 * ovid_channel_peek - the next packet, which stays the next one
 * @channel: channel
 * @packet: out
 *
 * Return: 1; 0: there is none; -EPROTO: the ring makes no sense, the channel does not work any more;
 * -ENOTCONN: it is not open.
 */
int ovid_channel_peek(struct ovid_channel *channel, struct ovid_channel_packet *packet);

/**
 * ovid_channel_copy - copies from the packet that was peeked
 * @channel: channel
 * @from: offset; 0 is the descriptor, the payload begins at its @header
 * @buf: out
 * @len: bytes
 *
 * Return: false: the packet has not so much.
 */
bool ovid_channel_copy(const struct ovid_channel *channel, uint32_t from, void *buf, uint32_t len);

/**
 * ovid_channel_pop - done with the packet that was peeked
 * @channel: channel
 */
void ovid_channel_pop(struct ovid_channel *channel);

/**
 * ovid_channel_recv - takes the next packet
 * @channel: channel
 * @packet: out
 * @buf: out: its payload
 * @max: bytes of @buf
 *
 * Return: bytes of payload; -EAGAIN: there is none; -EMSGSIZE: it has more than @max, and is
 * lost; or as ovid_channel_peek().
 */
int ovid_channel_recv(struct ovid_channel *channel, struct ovid_channel_packet *packet, void *buf,
		      uint32_t max);

/**
 * ovid_channel_room - how much can be sent?
 * @channel: channel
 *
 * Return: bytes of payload that one packet may have now; 0: none at all.
 */
uint32_t ovid_channel_room(const struct ovid_channel *channel);

/**
 * ovid_channel_send - sends a packet
 * @channel: channel
 * @type: OVID_PACKET_*
 * @flags: of the packet
 * @trans_id: of the transaction
 * @vec: payload
 * @nr: number of @vec, 8 at most
 *
 * Return: 0; -EAGAIN: no room now, ovid_channel_want_room() was called; -EMSGSIZE: never;
 * -EINVAL: @nr; or as ovid_channel_peek().
 */
int ovid_channel_send(struct ovid_channel *channel, uint16_t type, uint16_t flags,
		      uint64_t trans_id, const struct iovec *vec, unsigned int nr);

/**
 * ovid_channel_want_room - another turn, please, when there is room
 * @channel: channel
 * @payload: for a packet of so many bytes
 */
void ovid_channel_want_room(struct ovid_channel *channel, uint32_t payload);

/**
 * ovid_channel_end - the guest is told of what was received and sent, and may signal again
 * @channel: channel
 * @receive: another packet is to begin a turn; false: not before the next turn has ended
 *
 * Return: true: there is something to be done already, a signal may not come.
 */
bool ovid_channel_end(struct ovid_channel *channel, bool receive);

#ifdef __cplusplus
}
#endif

#endif
