/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * proto.h - what a test guest and its runner agree on.
 *
 * A guest is a flat binary that begins with struct g_head; its cases run one
 * by one, each in a machine of its own.  The guest asserts by itself: it looks
 * at the host page to learn what the runner saw of a port or MMIO access.
 */
#ifndef OVID_GUEST_PROTO_H
#define OVID_GUEST_PROTO_H

#include <stdint.h>

#define G_MAGIC		0x4247564fu
#define G_RAM		(32u << 20)
#define G_HOST		0x7000		/* struct g_host */
#define G_AP_CODE	0x8000		/* SIPI vector 8 */
#define G_MMIO		0xd0000000u	/* answered by the runner, 64 KiB */
#define G_MMIO_BYTES	0x10000u
#define G_PORT		0x300		/* answered by the runner, 0x80 ports */
#define G_PORTS		0x80
#define G_ROM		0x4000000u	/* the last page of memory once more, to be read only */

/* ports to the runner; 32-bit OUT */
#define G_PORT_CHECK	0xe0		/* EAX: address of struct g_check */
#define G_PORT_DONE	0xe4		/* the case is over */
#define G_PORT_COMMAND	0xe8		/* EAX: G_CMD_*; arguments in g_host.arg */
#define G_PORT_NOTE	0xec		/* EAX: address of struct g_check: prints text and got */

enum {
	G_CMD_NMI = 1,		/* arg 0: VP */
	G_CMD_MSI,		/* arg 0: address, 1: data */
	G_CMD_MSI_LATER,	/* the same, 2: after so many microseconds */
	G_CMD_NMI_LATER,	/* arg 0: VP, 2: microseconds */
	G_CMD_EXTINT,		/* arg 0: VP, 1: vector */
	G_CMD_EXTINT_LATER,	/* 2: microseconds */
	G_CMD_ADD_VP,		/* the next one, while the others run */
	G_CMD_OFFER,		/* arg 0: G_CHANNEL_*: offers it, 1: its monitor's latency; g_host.result */
	G_CMD_REVOKE,		/* arg 0: G_CHANNEL_*: takes the offer back */
	G_CMD_COUNTER,		/* arg 0: address of the name of one of the partition's; g_host.result */
	G_CMD_FAULT,		/* arg 0: address of text: faults for the bus to make */
	G_CMD_NET,		/* arg 0: G_NET_*, of the card that is offered; g_host.result */
};

/* the far side of a card: it gives each frame back, to where it came from */
enum {
	G_NET_HOLD,		/* arg 1: 1: no frame is read any more, 0: all are given back again */
	G_NET_WRITE,		/* arg 1: address, 2: bytes: frames and their heads, as they are */
	G_NET_READ,		/* arg 1: address, 2: bytes: room for some; best while it holds */
	G_NET_LINK,		/* arg 1: flags of OVID_NET_LINK */
	G_NET_END,		/* arg 1: kind of OVID_NET_END, 2: flags */
	G_NET_INFO,		/* arg 1: address of struct ovid_net_info */
	G_NET_REFUSED,		/* how many frames could not be given back */
};
#define G_NET_MAC	0x00, 0x15, 0x5d, 0x01, 0x02, 0x03
#define G_NET_QUEUES	3
#define G_NET_MTU	9000

/* channels of the bus that a case with G_VMBUS has; the first two are offered from the start */
enum {
	G_CHANNEL_ECHO,		/* by the kernel's provider */
	G_CHANNEL_USER,		/* the same by the runner, with its own loop over the rings */
	G_CHANNEL_HEARTBEAT,
	G_CHANNEL_SHUTDOWN,
	G_CHANNEL_TIMESYNC,
	G_CHANNEL_KVP,
	G_CHANNEL_VSS,
	G_CHANNEL_FCOPY,
	G_CHANNEL_SOCKET,	/* the runner connects to the guest; by that or the guest's own connect, one */
	G_CHANNEL_SCSI,		/* a controller with three disks, see g_scsi.c */
	G_CHANNEL_NET,		/* a card, see g_net.c */
	G_CHANNELS
};
#define G_USER_TYPE	0x55	/* each byte of its class id */
#define G_USER_INSTANCE	0x56
#define G_SOCKET_TYPE	0x57	/* each byte of a service of the guest's */
#define G_SOCKET_REFUSE	0	/* first byte of a service of the runner's that refuses */
#define G_USER_REFUSE	0xfe	/* first byte of an open's user data: it is refused */

/* modes a guest is entered in */
enum { G_REAL = 16, G_PROTECTED = 32, G_PAGED32 = 33, G_PAE = 36, G_LONG = 64 };

struct g_head {
	uint32_t magic, mode;
	uint64_t load, entry;
	uint64_t cases, ncases;
};

/* flags of a case: how it must end (none: by G_PORT_DONE) */
#define G_END_SHUTDOWN	1	/* triple fault */
#define G_END_RAW	2	/* MMIO that is not decoded */
#define G_END_STUCK	4	/* it never ends: the runner stops it */
#define G_END_ANY	8	/* hostile: all that counts is that the runner gets it back */
#define G_OVID_ONLY	16	/* KVM behaves otherwise by its own choice */
#define G_KVM_ONLY	32	/* needs an emulator in the worker */
#define G_END_FAIL	64	/* refused by the hypervisor (a failure exit) */
#define G_END_RESET	128	/* the guest asks for a reset by its MSR */
#define G_FAR		256	/* the last VP is number G_FAR_VP */
#define G_FUZZ		512	/* goes by g_host.seed, .count, .stop; any number of exits */
#define G_LONG_TIME	1024	/* has ten times the limit before it counts as stuck */
#define G_VMBUS		2048	/* has a VMBus; its reset MSR starts it again, from its image */

#define G_FAULTS	4096	/* needs a module that makes faults when it is asked to */

#define G_FAR_VP	130

struct g_case {
	union { const char *name; uint64_t name64; } __attribute__((aligned(8)));
	union { void (*fn)(void); uint64_t fn64; } __attribute__((aligned(8)));
	uint32_t flags, vps;
};

struct g_check {
	union { const char *text; uint64_t text64; } __attribute__((aligned(8)));
	uint64_t got, want;
	uint32_t ok, line;
};

struct g_host {
	uint32_t case_number, vps, driver_ovid, tsc_khz;
	/* the last access of a device: ports and MMIO */
	uint32_t accesses, write, size, pio;
	uint64_t addr, value;
	uint64_t answer;	/* what loads get */
	uint32_t skip;		/* length of the next raw instruction; 0: the case ends */
	uint32_t raws;		/* raw MMIO exits seen */
	uint32_t eois, eoi_vector;
	uint64_t arg[4];
	uint64_t log[32];	/* values of the last accesses, by accesses % 32 */
	uint64_t crashes;	/* reports by the crash MSR */
	uint64_t seed;
	uint64_t count;		/* operations of each VP; 0: until stop */
	uint64_t stop;
	int64_t result;		/* of the last command that has one: 0 or -errno */
	uint64_t resets;	/* how often it was started again */
};

#endif
