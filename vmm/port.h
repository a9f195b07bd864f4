/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports: where a guest's messages and events go (TLFS: Inter-Partition
 * Communication).  A partition has one table of them, by connection id; what a
 * port does is the business of whoever added it: a provider in the kernel, or a
 * process (port_user.c).
 */
#ifndef OVID_PORT_H
#define OVID_PORT_H

#include <linux/rcupdate.h>
#include <linux/xarray.h>
#include "types.h"
#include "../uapi/hvdef.h"
#include "../uapi/ovid.h"

struct ovid_port;

/**
 * struct ovid_port_ops - what a port does
 * @post: takes a message of the guest; NULL: it takes none
 * @signal: takes an event flag, counted from the port's first; NULL: it takes none
 * @removed: the guest does not reach it any more; a call that has begun may go on
 *	until a grace period has passed
 *
 * @post and @signal give an HV_STATUS.  They run on the VP's thread, interrupts
 * on or off, under RCU.
 */
struct ovid_port_ops {
	int (*post)(struct ovid_port *port, struct ovid_vp *vp, const struct hv_message *msg);
	int (*signal)(struct ovid_port *port, struct ovid_vp *vp, unsigned int flag);
	void (*removed)(struct ovid_port *port);
};

struct ovid_port {
	const struct ovid_port_ops *ops;
};

/* all ports of a partition; changed under the xarray's own lock, read under RCU */
struct ovid_ports {
	struct xarray by_connection;
};

void ovid_ports_init(struct ovid_partition *part);
/* at the partition's end: removes all */
void ovid_ports_fini(struct ovid_partition *part);

/**
 * ovid_port_add - give a connection id to a port
 * @part: partition
 * @connection: id, from 1 to HV_MAX_CONNECTION
 * @port: port
 *
 * Sleeps.  Return: 0, -EINVAL, -EEXIST (the id is in use), -ENOMEM.
 */
int ovid_port_add(struct ovid_partition *part, u32 connection, struct ovid_port *port);
/* takes @port away if the id is still its own; returns whether it was */
bool ovid_port_remove(struct ovid_partition *part, u32 connection, struct ovid_port *port);

/* OVID_SYNIC_PORT, sleeps: 0 or a file; -EINVAL, -EBADF, -EEXIST, -ENOENT, -ENOMEM, -EMFILE */
int ovid_synic_port(struct ovid_partition *part, const struct ovid_synic_port *arg);

#endif
