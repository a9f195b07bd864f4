/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's sockets, as a transport in the kernel sees them: what the guest wants to connect to,
 * and channels that have no file.  With channel.h this is all that a transport (vsp/vsock/)
 * includes of the bus.
 *
 * The calls sleep, and take the bus's locks: not from a provider's calls, nor from @notify.
 */
#ifndef OVID_VMBUS_SOCKETS_H
#define OVID_VMBUS_SOCKETS_H

#include "../uapi/ovid.h"
#include "channel.h"

struct ovid_sockets;

/**
 * ovid_sockets_take - take the connects of a partition's guest, as who has its file C does
 * @part: file P of the caller's
 * @notify: there is a connect; does not sleep, and calls nothing of the bus
 * @priv: for @notify
 *
 * Holds the partition.  Return: ERR_PTR: -EBADF, -EINVAL: @part is none; -ENXIO: it has no bus;
 * -EEXIST: somebody has them; -EIO; -ENOMEM.
 */
struct ovid_sockets *ovid_sockets_take(int part, void (*notify)(void *priv), void *priv);

/*
 * Those that have no reply are refused; @notify is not called any more when it returns.  Channels
 * that were offered stay.
 */
void ovid_sockets_give_back(struct ovid_sockets *s);

/* the oldest connect that was not taken yet: 0 or -EAGAIN */
int ovid_sockets_next(struct ovid_sockets *s, struct ovid_socket_connect *c);

/**
 * ovid_sockets_reply - the answer to one that was taken
 * @s: sockets
 * @id: of the connect
 * @err: a -errno, and the guest is told; 0: an offer was made, which is the answer
 *
 * Return: 0; -ESTALE: the guest's connection to the bus has ended.
 */
int ovid_sockets_reply(struct ovid_sockets *s, u64 id, int err);

/**
 * ovid_socket_offer - offer the channel of a connection
 * @s: sockets
 * @service: id of the service
 * @endpoint: of the other end
 * @from_host: the host connects
 * @ops: provider
 * @priv: of the channel, for @ops->attach as well; where that has come, detach does, also after
 *	an error
 *
 * Return: the channel, until ovid_chan_revoke(); ERR_PTR: -ENOTCONN: no guest that knows sockets
 * is there; -EEXIST: @service and @endpoint have a channel; -ENOSPC; -ENOMEM.
 */
struct ovid_chan *ovid_socket_offer(struct ovid_sockets *s, const u8 *service, const u8 *endpoint,
				    bool from_host, const struct ovid_chan_ops *ops, void *priv);

/* takes the offer back; the channel may be gone when it returns */
void ovid_chan_revoke(struct ovid_chan *chan);

#endif
