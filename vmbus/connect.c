// SPDX-License-Identifier: GPL-2.0-only
/*
 * The connection: which version, whom messages go to, and its end.
 */
#include "bus_priv.h"
#include "buslib.h"

static const u32 versions[] = {
	VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V3_0, VMBUS_V4_0, VMBUS_V4_1,
	VMBUS_V5_0, VMBUS_V5_1, VMBUS_V5_2, VMBUS_V5_3, VMBUS_V6_0,
};

/**
 * struct contact - an INITIATE_CONTACT, by the rules of its version
 * @version: that the guest wants
 * @target_vp: answers and all messages go there
 * @sint: and to this SINT
 * @vtl: the server it is for
 * @features: that it wants
 * @interrupt_page: or 0
 * @monitor_page: or 0
 * @client: or 0
 */
struct contact {
	u32 version;
	u32 target_vp;
	u8 sint;
	u8 vtl;
	u32 features;
	u64 interrupt_page;
	u64 monitor_page[2];
	struct vmbus_w_guid client;
};

void ovid_bus_init(struct ovid_bus *bus, const struct ovid_bus_effects *fx, void *ctx)
{
	memset(bus, 0, sizeof(*bus));
	bus->fx = fx;
	bus->ctx = ctx;
	bus->max_version = VMBUS_V6_0;
	bus->features = OVID_BUS_FEATURES;
	bus->nr_vps = 1;
	bus->sint = OVID_BUS_SINT;
}

/* the second connection id came with 5.0, whose answer names it; UNLOAD alone needs no version */
bool ovid_bus_has_connection(const struct ovid_bus *bus, u32 connection, const void *msg)
{
	const struct vmbus_w_initiate_contact *m = msg;

	if (connection != VMBUS_CONN_LEGACY && connection != VMBUS_CONN_MESSAGE)
		return false;
	if (m->h.type == VMBUS_INITIATE_CONTACT)
		return (connection == VMBUS_CONN_MESSAGE) == (m->version >= VMBUS_V5_0);
	return connection == VMBUS_CONN_LEGACY || bus->state == OVID_BUS_DISCONNECTED ||
	       bus->version >= VMBUS_V5_0;
}

bool ovid_bus_knows_version(const struct ovid_bus *bus, u32 version)
{
	unsigned int i;

	if (version > bus->max_version)
		return false;
	for (i = 0; i < ARRAY_SIZE(versions); i++)
		if (versions[i] == version)
			return true;
	return false;
}

static bool supported(const struct ovid_bus *bus, const struct contact *c)
{
	return c->sint == OVID_BUS_SINT && !c->vtl && ovid_bus_knows_version(bus, c->version);
}

/* both monitor pages or none, and whole pages */
bool ovid_bus_monitor_ok(u64 page1, u64 page2)
{
	return !page1 == !page2 && !((page1 | page2) % VMBUS_PAGE);
}

static void read_contact(const struct ovid_bus *bus, const struct vmbus_w_initiate_contact *m,
			 u32 bytes, struct contact *c)
{
	const struct vmbus_w_initiate_contact2 *m2 = (const void *)m;

	*c = (struct contact) {
		.version = m->version,
		/* older guests take messages by the first VP only */
		.target_vp = m->version >= VMBUS_V3_0 ? m->target_vp : 0,
		.sint = m->version >= VMBUS_V5_0 ? m->sint : OVID_BUS_SINT,
		.vtl = m->version >= VMBUS_V5_1 ? m->vtl : 0,
		/* 2.4 and later send one, and do not look at it: our channels have SIEF flags */
		.interrupt_page = m->version < VMBUS_V2_4 ? m->interrupt_page : 0,
		.monitor_page = { m->monitor_page1, m->monitor_page2 },
	};
	if (m->version >= VMBUS_V6_0)
		c->features = m->features & bus->features & OVID_BUS_FEATURES;
	if (bytes < sizeof(*m2))
		c->features &= ~VMBUS_FEATURE_CLIENT_ID;
	if (c->features & VMBUS_FEATURE_CLIENT_ID)
		c->client = m2->client;
}

static void answer(struct ovid_bus *bus, const struct contact *c, bool ok, u8 state)
{
	struct vmbus_w_version_response r = { .h.type = VMBUS_VERSION_RESPONSE };

	if (ok) {
		r.supported = 1;
		r.state = state;
		r.value = c->version >= VMBUS_V5_0 ? VMBUS_CONN_MESSAGE : c->version;
		r.features = c->features;
	}
	ovid_bus_post(bus, &r, ok && c->version >= VMBUS_V6_0 ? sizeof(r) :
		      offsetof(struct vmbus_w_version_response, features));
}

/* both may be 0; false: they cannot be used, and there are none now */
static bool set_monitor_pages(struct ovid_bus *bus, u64 page1, u64 page2)
{
	bus->monitor_page[0] = page1;
	bus->monitor_page[1] = page2;
	if (!bus->fx->monitor(bus))
		return true;
	memset(bus->monitor_page, 0, sizeof(bus->monitor_page));
	return false;
}

static void connect_guest(struct ovid_bus *bus, const struct contact *c)
{
	bus->version = c->version;
	bus->agreed_features = c->features;
	bus->client = c->client;
	bus->interrupt_page = c->interrupt_page;
	bus->state = OVID_BUS_CONNECTED;
	if (bus->interrupt_page || c->monitor_page[0])
		set_monitor_pages(bus, c->monitor_page[0], c->monitor_page[1]);
}

/*
 * What was before ends here, whatever becomes of this contact: a kernel that was
 * started by a crash, or a reset that nobody saw, sends it instead of UNLOAD.
 */
int ovid_bus_on_contact(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	struct contact c;

	read_contact(bus, msg, bytes, &c);
	/* nobody there to answer to */
	if (c.target_vp >= bus->nr_vps || c.sint >= VMBUS_NR_SINTS)
		return -EPROTO;
	ovid_bus_disconnect(bus);
	bus->target_vp = c.target_vp;
	bus->sint = c.sint;
	if (!supported(bus, &c)) {
		answer(bus, &c, false, 0);
		return 0;
	}
	if (!ovid_bus_monitor_ok(c.monitor_page[0], c.monitor_page[1]) ||
	    c.interrupt_page % VMBUS_PAGE) {
		/* before 2.4 a guest does not look at the state */
		answer(bus, &c, c.version >= VMBUS_V2_4, VMBUS_CONN_FAILED);
		return -EPROTO;
	}
	connect_guest(bus, &c);
	answer(bus, &c, true, VMBUS_CONN_OK);
	return 0;
}

int ovid_bus_on_modify_conn(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	const struct vmbus_w_modify_conn *m = msg;
	struct vmbus_w_modify_conn_response r = {
		.h.type = VMBUS_MODIFY_CONN_RESPONSE, .state = VMBUS_CONN_FAILED,
	};

	if (ovid_bus_monitor_ok(m->monitor_page1, m->monitor_page2) &&
	    set_monitor_pages(bus, m->monitor_page1, m->monitor_page2))
		r.state = VMBUS_CONN_OK;
	ovid_bus_post(bus, &r, sizeof(r));
	return r.state == VMBUS_CONN_OK ? 0 : -EPROTO;
}

void ovid_bus_disconnect(struct ovid_bus *bus)
{
	bool pages = bus->interrupt_page || bus->monitor_page[0];
	struct ovid_bus_chan *chan;

	for (chan = bus->chans; chan; chan = chan->next)
		ovid_bus_shut(bus, chan);
	ovid_bus_forget_gpadls(bus);
	ovid_bus_forget_offers(bus);
	bus->interrupt_page = 0;
	memset(bus->monitor_page, 0, sizeof(bus->monitor_page));
	if (pages)
		bus->fx->monitor(bus);
	bus->state = OVID_BUS_DISCONNECTED;
	bus->version = 0;
	bus->agreed_features = 0;
	memset(&bus->client, 0, sizeof(bus->client));
	bus->fx->drop_posts(bus);
}

int ovid_bus_on_unload(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	struct vmbus_w_header r = { .type = VMBUS_UNLOAD_RESPONSE };

	ovid_bus_disconnect(bus);
	ovid_bus_post(bus, &r, sizeof(r));
	return 0;
}

int ovid_bus_on_tl_connect(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	struct vmbus_w_tl_connect2 m = {};
	int err;

	memcpy(&m, msg, bytes < sizeof(m) ? sizeof(m.c) : sizeof(m));
	err = bus->fx->tl_connect(bus, &m);
	if (err)
		ovid_bus_tl_refuse(bus, &m.c.endpoint, &m.c.service, err);
	return 0;
}

void ovid_bus_tl_refuse(struct ovid_bus *bus, const struct vmbus_w_guid *endpoint,
			const struct vmbus_w_guid *service, int err)
{
	struct vmbus_w_tl_result r = {
		.h.type = VMBUS_TL_RESULT, .endpoint = *endpoint, .service = *service,
		.status = ovid_bus_status(err),
	};

	if (bus->version >= VMBUS_V4_1)
		ovid_bus_post(bus, &r, sizeof(r));
}
