// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of messages that a guest may send, and their way to the handlers.
 */
#include "bus_priv.h"
#include "buslib.h"

/**
 * struct row - a message
 * @bytes: it has so many or more
 * @state: the connection is so far, or further
 * @since: version that has it, or 0
 * @feature: it needs this one to be agreed on, or 0
 * @handle: does it
 */
struct row {
	u32 bytes;
	enum ovid_bus_state state;
	u32 since;
	u32 feature;
	int (*handle)(struct ovid_bus *bus, const void *msg, u32 bytes);
};

static const struct row rows[] = {
	[VMBUS_REQUEST_OFFERS] = {
		.bytes = sizeof(struct vmbus_w_header), .state = OVID_BUS_CONNECTED,
		.handle = ovid_bus_on_request_offers,
	},
	[VMBUS_OPEN] = {
		.bytes = sizeof(struct vmbus_w_open), .state = OVID_BUS_CONNECTED,
		.handle = ovid_bus_on_open,
	},
	[VMBUS_CLOSE] = {
		.bytes = sizeof(struct vmbus_w_relid), .state = OVID_BUS_CONNECTED,
		.handle = ovid_bus_on_close,
	},
	[VMBUS_GPADL_HEADER] = {
		.bytes = sizeof(struct vmbus_w_gpadl_header), .state = OVID_BUS_CONNECTED,
		.handle = ovid_bus_on_gpadl_header,
	},
	[VMBUS_GPADL_BODY] = {
		.bytes = sizeof(struct vmbus_w_gpadl_body), .state = OVID_BUS_CONNECTED,
		.handle = ovid_bus_on_gpadl_body,
	},
	[VMBUS_GPADL_TEARDOWN] = {
		.bytes = sizeof(struct vmbus_w_gpadl_teardown), .state = OVID_BUS_CONNECTED,
		.handle = ovid_bus_on_gpadl_teardown,
	},
	[VMBUS_RELID_RELEASED] = {
		.bytes = sizeof(struct vmbus_w_relid), .state = OVID_BUS_CONNECTED,
		.handle = ovid_bus_on_released,
	},
	[VMBUS_INITIATE_CONTACT] = {
		.bytes = sizeof(struct vmbus_w_initiate_contact), .state = OVID_BUS_DISCONNECTED,
		.handle = ovid_bus_on_contact,
	},
	[VMBUS_UNLOAD] = {
		.bytes = sizeof(struct vmbus_w_header), .state = OVID_BUS_DISCONNECTED,
		.handle = ovid_bus_on_unload,
	},
	[VMBUS_TL_CONNECT] = {
		.bytes = sizeof(struct vmbus_w_tl_connect), .state = OVID_BUS_CONNECTED,
		.since = VMBUS_V4_0, .handle = ovid_bus_on_tl_connect,
	},
	[VMBUS_MODIFY] = {
		.bytes = sizeof(struct vmbus_w_modify), .state = OVID_BUS_CONNECTED,
		.since = VMBUS_V4_1, .handle = ovid_bus_on_modify,
	},
	[VMBUS_MODIFY_CONN] = {
		.bytes = sizeof(struct vmbus_w_modify_conn), .state = OVID_BUS_CONNECTED,
		.since = VMBUS_V6_0, .feature = VMBUS_FEATURE_MODIFY_CONN,
		.handle = ovid_bus_on_modify_conn,
	},
};

static int dispatch(struct ovid_bus *bus, u32 connection, const void *msg, u32 bytes)
{
	const struct vmbus_w_header *h = msg;
	const struct row *row;

	if (bytes < sizeof(*h) || bytes > VMBUS_MSG_BYTES || h->type >= ARRAY_SIZE(rows))
		return -EPROTO;
	row = &rows[array_index_nospec(h->type, ARRAY_SIZE(rows))];
	if (!row->handle || bytes < row->bytes)
		return -EPROTO;
	if (!ovid_bus_has_connection(bus, connection, msg))
		return -EINVAL;
	if (bus->state < row->state || bus->version < row->since ||
	    (bus->agreed_features & row->feature) != row->feature)
		return -EPROTO;
	return row->handle(bus, msg, bytes);
}

int ovid_bus_message(struct ovid_bus *bus, u32 connection, const void *msg, u32 bytes)
{
	int err = dispatch(bus, connection, msg, bytes);

	bus->messages++;
	if (err)
		bus->bad_messages++;
	return err;
}

void ovid_bus_post(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	bus->fx->post(bus, msg, bytes);
}

u32 ovid_bus_status(int err)
{
	switch (err) {
	case 0:
		return 0;
	case -ENOMEM:
	case -ENOSPC:
		return VMBUS_STATUS_NO_RESOURCES;
	case -ECONNREFUSED:
		return VMBUS_STATUS_REFUSED;
	default:
		return VMBUS_STATUS_UNSUCCESSFUL;
	}
}
