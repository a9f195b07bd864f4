/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the vmm and the VMBus above it: a table that vmbus/ fills in, as the
 * backend below does with its own, and what the bus asks of the vmm beside ports
 * (port.h) and guest memory (guestmem.h).
 */
#ifndef OVID_VMM_BUS_H
#define OVID_VMM_BUS_H

#include "types.h"
#include "../uapi/hvdef.h"
#include "../uapi/ovid.h"

struct dentry;
struct ovid_vmbus;

/*
 * Counters of a bus, the last ones in its partition's statistics: what there is now, and
 * what has happened
 */
#define OVID_BUS_GAUGES(X)		\
	X(bus_channels)	/* offers */			\
	X(bus_gpadls)			\
	X(bus_gpadl_pages)

#define OVID_BUS_COUNTERS(X)		\
	X(bus_messages_in)	/* of the guest, handled */	\
	X(bus_messages_bad)	/* ... refused for their content or the state */ \
	X(bus_messages_full)	/* ... not taken: try again later */	\
	X(bus_messages_out)	/* for the guest */		\
	X(bus_opens)		/* channels opened */		\
	X(bus_opens_refused)	/* ... or not, by who serves them */	\
	X(bus_gpadls_refused)	/* their memory cannot be had */	\
	X(bus_rescinds)		/* the guest was told that an offer has gone */ \
	X(bus_rings_broken)	/* rings whose content made no sense */

#define OVID_BUS_STAT(name)	u64 name;
struct ovid_bus_stats {
	OVID_BUS_GAUGES(OVID_BUS_STAT)
	OVID_BUS_COUNTERS(OVID_BUS_STAT)
};

/**
 * struct ovid_bus_door - what the bus of a partition does for the vmm
 * @init: of the module: 0 or -errno
 * @fini: the same; no partition exists
 * @create: OVID_VMBUS_CREATE; part->lock held, the caller's memory is the partition's
 * @offer: OVID_VMBUS_OFFER; a file or -errno
 * @sockets: OVID_VMBUS_SOCKETS; a file or -errno
 * @state: OVID_VMBUS_STATE; the partition is paused, part->lock held, the caller's memory is the
 *	partition's
 * @resume: the partition was paused and goes on; part->lock held
 * @reset: the partition is being reset: no VP runs; part->lock held
 * @destroy: the partition's end: nobody has a reference to it
 * @turn: what the signals of a VP have put off: its thread does it if @vp says which, as it
 *	only waits (sleeps, vp->lock is held).  For what is left then the bus's own thread is woken
 * @slot_free: the guest has emptied a message slot, or changed where they are; any context
 * @stats: what its counters are; any context
 */
struct ovid_bus_door {
	int (*init)(void);
	void (*fini)(void);
	long (*create)(struct ovid_partition *part, const struct ovid_vmbus_create *arg);
	long (*offer)(struct ovid_partition *part, const struct ovid_vmbus_offer *arg);
	long (*sockets)(struct ovid_partition *part);
	long (*state)(struct ovid_vmbus *vmbus, struct ovid_vmbus_state *arg);
	void (*resume)(struct ovid_vmbus *vmbus);
	void (*reset)(struct ovid_vmbus *vmbus);
	void (*destroy)(struct ovid_vmbus *vmbus);
	void (*turn)(struct ovid_vmbus *vmbus, struct ovid_vp *vp);
	void (*slot_free)(struct ovid_vmbus *vmbus);
	void (*stats)(struct ovid_vmbus *vmbus, struct ovid_bus_stats *stats);
};

extern const struct ovid_bus_door ovid_vmbus_door;

/* the partition's bus, or NULL; it stays until the partition's end */
struct ovid_vmbus *ovid_bus_of(struct ovid_partition *part);
void ovid_bus_publish(struct ovid_partition *part, struct ovid_vmbus *vmbus);

/* the one behind a file P of the caller's, with a reference; -EBADF, -EINVAL, -EIO: it is dead */
struct ovid_partition *ovid_bus_part_of(int fd);
void ovid_bus_part_get(struct ovid_partition *part);
void ovid_bus_part_put(struct ovid_partition *part);
/* for messages and threads' names */
const char *ovid_bus_part_name(const struct ovid_partition *part);
u32 ovid_bus_part_id(const struct ovid_partition *part);
/* the partition's folder in debugfs, while it has one; there until its last reference goes */
struct dentry *ovid_bus_debugfs(const struct ovid_partition *part);
/* indexes of VPs are below it */
u32 ovid_bus_vps(struct ovid_partition *part);
/*
 * A signal of @vp's is not looked at yet: ovid_bus_door.turn is called when the VP halts or
 * spins, or leaves the guest for another reason, which an interrupt of the host is.  @vp's thread
 */
void ovid_bus_put_off(struct ovid_vp *vp);
/* reference time, 100 ns; any context */
u64 ovid_bus_reference_time(struct ovid_partition *part);

/* as ovid_synic_post() and ovid_synic_signal(), or -ENOENT: no such VP; any context */
int ovid_guest_post(struct ovid_partition *part, u32 vp, unsigned int sint,
		    const struct hv_message *msg);
int ovid_guest_signal(struct ovid_partition *part, u32 vp, unsigned int sint, unsigned int flag);

#endif
