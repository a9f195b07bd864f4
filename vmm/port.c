// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of ports, and the hypercalls that use it: HvCallPostMessage,
 * HvCallSignalEvent.  A connection id that is not in the table is the business
 * of an mshv client that asked for it, or an error of the guest's.
 */
#include <linux/cleanup.h>
#include <linux/string.h>
#include "hypercall.h"
#include "partition.h"
#include "port.h"
#include "tlfs.h"
#include "vp.h"

#define HYPERVISOR_MESSAGE	BIT(31)	/* in a message's type: not for guests */

void ovid_ports_init(struct ovid_partition *part)
{
	xa_init_flags(&part->ports.by_connection, XA_FLAGS_ACCOUNT);
}

void ovid_ports_fini(struct ovid_partition *part)
{
	struct ovid_port *port;
	unsigned long id;

	xa_for_each(&part->ports.by_connection, id, port)
		port->ops->removed(port);
	xa_destroy(&part->ports.by_connection);
}

int ovid_port_add(struct ovid_partition *part, u32 connection, struct ovid_port *port)
{
	int err;

	if (!connection || connection > HV_MAX_CONNECTION)
		return -EINVAL;
	err = xa_insert(&part->ports.by_connection, connection, port, GFP_KERNEL_ACCOUNT);
	return err == -EBUSY ? -EEXIST : err;
}

bool ovid_port_remove(struct ovid_partition *part, u32 connection, struct ovid_port *port)
{
	if (xa_cmpxchg(&part->ports.by_connection, connection, port, NULL, 0) != port)
		return false;
	port->ops->removed(port);
	return true;
}

/*
 * The port that a guest with @privilege reaches by @connection; NULL: @status is what
 * the hypercall ends with.  Under RCU.
 */
static struct ovid_port *reach(struct ovid_vp *vp, u32 connection, u64 privilege, int *status)
{
	struct ovid_port *port = xa_load(&vp->part->ports.by_connection, connection);

	if (!port) {
		*status = ovid_hc_intercepted(vp, HV_INTERCEPT_UNKNOWN_CONNECTION) ?
			  OVID_HC_INTERCEPT : HV_STATUS_INVALID_CONNECTION_ID;
		return NULL;
	}
	if (!(ovid_cpuid_hv_privileges(vp->part) & privilege)) {
		*status = HV_STATUS_ACCESS_DENIED;
		return NULL;
	}
	return port;
}

int ovid_hc_port_post(struct ovid_vp *vp, struct ovid_hc *hc)
{
	const struct hv_w_post_message *in = hc->in;
	struct hv_message msg = {
		.header.message_type = in->type,
		.header.payload_size = in->size,
	};
	struct ovid_port *port;
	int status;

	if (!in->type || in->type & HYPERVISOR_MESSAGE || in->size > sizeof(in->payload))
		return HV_STATUS_INVALID_PARAMETER;
	memcpy(msg.payload, in->payload, in->size);
	guard(rcu)();
	port = reach(vp, in->connection, HV_PRIV_POST_MESSAGES, &status);
	if (!port)
		return status;
	return port->ops->post ? port->ops->post(port, vp, &msg) : HV_STATUS_INVALID_CONNECTION_ID;
}

int ovid_hc_port_signal(struct ovid_vp *vp, struct ovid_hc *hc)
{
	const struct hv_w_signal_event *in = hc->in;
	struct ovid_port *port;
	int status;

	guard(rcu)();
	port = reach(vp, in->connection, HV_PRIV_SIGNAL_EVENTS, &status);
	if (!port)
		return status;
	return port->ops->signal ? port->ops->signal(port, vp, in->flag) :
				   HV_STATUS_INVALID_CONNECTION_ID;
}
