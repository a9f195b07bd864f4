/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * ovid_net.h - network cards: calls of the file of a channel with the provider "net", and the
 * frames that are read from it and written to it.
 *
 * A card is set up once (OVID_NET_SETUP); until then a guest's driver waits for it.  What its
 * frames go to and come from is the card's end (OVID_NET_END), of which there may be another one at
 * any time: an interface of the host's, a socket of tap or macvtap, or whoever reads and writes the
 * file.
 */
#ifndef OVID_NET_UAPI_H
#define OVID_NET_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include "ovid.h"

#define OVID_NET_MIN_MTU	576
#define OVID_NET_MAX_MTU	65521
#define OVID_NET_MAX_QUEUES	64
#define OVID_NET_NAME_BYTES	64
#define OVID_NET_IFNAME_BYTES	16

/* struct ovid_net.flags, struct ovid_net_link.flags */
#define OVID_NET_LINK_DOWN	(1u << 0)	/* no cable */
/* struct ovid_net.flags */
#define OVID_NET_GUARD_MAC	(1u << 1)	/* frames leave it from its own address only */
/* struct ovid_net_link.flags */
#define OVID_NET_OTHER		(1u << 1)	/* another network: addresses are to be had anew */

/**
 * struct ovid_net - OVID_NET_SETUP: what a card is
 * @size:	sizeof(struct ovid_net)
 * @flags:	OVID_NET_LINK_DOWN, OVID_NET_GUARD_MAC
 * @mac:	address; of one station, not zero
 * @queues:	channels there may be, 1 to OVID_NET_MAX_QUEUES; the guest has no more than VPs
 * @mtu:	the largest the guest may have: OVID_NET_MIN_MTU to OVID_NET_MAX_MTU
 * @speed:	of the link, Mbit/s; 0: 10000
 * @name:	for the guest's user, printable ASCII, ends with NUL; empty: "ovid"
 *
 * Errors: EINVAL, EBUSY (it is set up), ENOTTY (no such channel).
 */
struct ovid_net {
	__u32 size;
	__u32 flags;
	__u8  mac[6];
	__u16 queues;
	__u32 mtu;
	__u32 speed;
	__u8  name[OVID_NET_NAME_BYTES];
};

/* struct ovid_net_end.kind */
#define OVID_NET_NONE		0	/* frames are lost */
#define OVID_NET_INTERFACE	1	/* an interface of the host's */
#define OVID_NET_FRAMES		2	/* read() and write() of the file */
#define OVID_NET_SOCKET		3	/* of tap or macvtap */

/* struct ovid_net_end.flags: who reads makes checksums and cuts large frames by himself */
#define OVID_NET_OFFLOADS	(1u << 0)

/**
 * struct ovid_net_end - OVID_NET_END: where a card's frames go
 * @size:	sizeof(struct ovid_net_end)
 * @flags:	with OVID_NET_FRAMES: OVID_NET_OFFLOADS
 * @kind:	OVID_NET_NONE, ...
 * @fd:		with OVID_NET_SOCKET: of /dev/net/tun (tap, with IFF_NO_PI and IFF_VNET_HDR) or
 *		/dev/tapN (the same), with O_NONBLOCK; else -1.  The file stays open until the end
 *		is another one
 * @ifname:	with OVID_NET_INTERFACE: in: its name, or a pattern with %d ("ovid%d" where it is
 *		empty); out: its name.  Else zeroes
 * @ifindex:	in: zero; out: of the interface
 * @pad:	must be zero
 *
 * An interface is made in the network namespace of the caller, who needs CAP_NET_ADMIN there, and
 * goes with the end, the file, or that namespace; then @ifindex of OVID_NET_INFO is zero.  What is
 * on its way to an end that is replaced is lost.
 *
 * Errors: EINVAL, EPERM, EEXIST (there is such an interface), EBADF (no such file, or it is not
 * open as it must be), EBADFD (it has no interface), ENOMEM, ENOTCONN (it is not set up), ENOTTY
 * (no such channel).
 */
struct ovid_net_end {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__s32 fd;
	__u8  ifname[OVID_NET_IFNAME_BYTES];
	__u32 ifindex;
	__u32 pad;
};

/**
 * struct ovid_net_link - OVID_NET_LINK: the cable
 * @size:	sizeof(struct ovid_net_link)
 * @flags:	OVID_NET_LINK_DOWN, or zero: it is there; OVID_NET_OTHER
 *
 * Errors: EINVAL, ENOTCONN (it is not set up), ENOTTY (no such channel).
 */
struct ovid_net_link {
	__u32 size;
	__u32 flags;
};

/* struct ovid_net_info.flags, beside those of struct ovid_net */
#define OVID_NET_READY		(1u << 8)	/* the guest's driver has the card */
#define OVID_NET_UP		(1u << 9)	/* ... and takes frames */

/**
 * struct ovid_net_info - OVID_NET_INFO: how a card is
 * @size:	sizeof(struct ovid_net_info)
 * @flags:	in: must be zero; out: of struct ovid_net, OVID_NET_READY, OVID_NET_UP
 * @mac:	the guest's address now
 * @queues:	channels that are open
 * @mtu:	of the guest, or the largest where it has said none
 * @speed:	Mbit/s
 * @kind:	of its end
 * @ifindex:	of that
 * @version:	of NVSP that was agreed on; 0: none
 * @offloads:	that the guest has on, bits as in Documentation/uapi/net.rst
 * @ifname:	of its end
 * @tx_frames:	of the guest's
 * @tx_bytes:	of them
 * @tx_errors:	those that made no sense, or must not leave
 * @tx_dropped:	those that its end did not take
 * @rx_frames:	for the guest
 * @rx_bytes:	of them
 * @rx_dropped:	those that it had no room for
 *
 * Errors: EINVAL, ENOTCONN (it is not set up), ENOTTY (no such channel).
 */
struct ovid_net_info {
	__u32 size;
	__u32 flags;
	__u8  mac[6];
	__u16 queues;
	__u32 mtu;
	__u32 speed;
	__u32 kind;
	__u32 ifindex;
	__u32 version;
	__u32 offloads;
	__u8  ifname[OVID_NET_IFNAME_BYTES];
	__u64 tx_frames;
	__u64 tx_bytes;
	__u64 tx_errors;
	__u64 tx_dropped;
	__u64 rx_frames;
	__u64 rx_bytes;
	__u64 rx_dropped;
};

#define OVID_NET_SETUP	_IOW(OVID_IOCTL, 0x50, struct ovid_net)
#define OVID_NET_END	_IOWR(OVID_IOCTL, 0x51, struct ovid_net_end)
#define OVID_NET_LINK	_IOW(OVID_IOCTL, 0x52, struct ovid_net_link)
#define OVID_NET_INFO	_IOWR(OVID_IOCTL, 0x53, struct ovid_net_info)

/* struct ovid_frame.flags */
#define OVID_FRAME_CSUM		(1u << 0)	/* a checksum is to be made */
#define OVID_FRAME_CSUM_GOOD	(1u << 1)	/* they are right */
#define OVID_FRAME_SEGMENT4	(1u << 2)	/* TCP over IPv4, to be cut; with OVID_FRAME_CSUM */
#define OVID_FRAME_SEGMENT6	(1u << 3)	/* ... over IPv6 */
#define OVID_FRAME_VLAN		(1u << 4)	/* @vlan is its tag, which is not in it */

/**
 * struct ovid_frame - before each frame that is read or written, with the end OVID_NET_FRAMES
 * @bytes:	of the frame that follows; zeroes up to a multiple of 8 follow that
 * @flags:	OVID_FRAME_*; without OVID_NET_OFFLOADS, what is read has none
 * @csum_start:	with OVID_FRAME_CSUM: where what it sums up begins
 * @csum_offset: ... and from there, where it goes, in place of the pseudo header's
 * @mss:	with OVID_FRAME_SEGMENT*: bytes of data in each piece
 * @headers:	... and of headers
 * @vlan:	with OVID_FRAME_VLAN: TCI
 *
 * A read gives as many frames as there are and fit: EAGAIN (there is none, O_NONBLOCK), EMSGSIZE
 * (the next one is longer than the buffer; it stays), EFAULT (those are lost), ENOTCONN (the end is
 * another one).  A write takes as many whole frames as there is room for, and says how many bytes
 * those were: EAGAIN (none, O_NONBLOCK), EINVAL (the first is none, those before a bad one were
 * taken), EFAULT, ENOTCONN. What is written while the guest takes no frames is dropped. poll():
 * POLLIN, POLLOUT.
 */
struct ovid_frame {
	__u32 bytes;
	__u16 flags;
	__u16 csum_start;
	__u16 csum_offset;
	__u16 mss;
	__u16 headers;
	__u16 vlan;
};

#endif
