/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Among the files of the bus: the handlers of messages, and what they share.
 *
 * A handler gets a message that is not shorter than its row in msg.c says.
 * It returns 0 or -EPROTO; whatever it answers, it has posted.
 */
#ifndef OVID_BUS_PRIV_H
#define OVID_BUS_PRIV_H

#include "bus.h"
#include "ranges.h"

#define VMBUS_NR_SINTS	16

/* connect.c */
bool ovid_bus_knows_version(const struct ovid_bus *bus, u32 version);
bool ovid_bus_monitor_ok(u64 page1, u64 page2);
bool ovid_bus_has_connection(const struct ovid_bus *bus, u32 connection, const void *msg);
int ovid_bus_on_contact(struct ovid_bus *bus, const void *msg, u32 bytes);
int ovid_bus_on_modify_conn(struct ovid_bus *bus, const void *msg, u32 bytes);
int ovid_bus_on_unload(struct ovid_bus *bus, const void *msg, u32 bytes);
int ovid_bus_on_tl_connect(struct ovid_bus *bus, const void *msg, u32 bytes);

/* offer.c */
int ovid_bus_on_request_offers(struct ovid_bus *bus, const void *msg, u32 bytes);
int ovid_bus_on_released(struct ovid_bus *bus, const void *msg, u32 bytes);
struct ovid_bus_chan *ovid_bus_by_relid(const struct ovid_bus *bus, u32 relid);
bool ovid_bus_same_name(const struct ovid_bus_chan *a, const struct ovid_bus_chan *b);
bool ovid_bus_same_device(const struct ovid_bus_chan *a, const struct ovid_bus_chan *b);
bool ovid_bus_may_have_sockets(const struct ovid_bus *bus);
void ovid_bus_give_relid(struct ovid_bus *bus, struct ovid_bus_chan *chan, u32 relid);
void ovid_bus_give_monitor(struct ovid_bus *bus, struct ovid_bus_chan *chan, u32 id);
void ovid_bus_no_monitor(struct ovid_bus_chan *chan);
void ovid_bus_drop_relid(struct ovid_bus *bus, struct ovid_bus_chan *chan);
void ovid_bus_revoke_subs(struct ovid_bus *bus, const struct ovid_bus_chan *primary);
void ovid_bus_forget_offers(struct ovid_bus *bus);

/* chan.c */
int ovid_bus_on_open(struct ovid_bus *bus, const void *msg, u32 bytes);
int ovid_bus_on_close(struct ovid_bus *bus, const void *msg, u32 bytes);
int ovid_bus_on_modify(struct ovid_bus *bus, const void *msg, u32 bytes);
void ovid_bus_shut(struct ovid_bus *bus, struct ovid_bus_chan *chan);

/* gpadl.c */
int ovid_bus_on_gpadl_header(struct ovid_bus *bus, const void *msg, u32 bytes);
int ovid_bus_on_gpadl_body(struct ovid_bus *bus, const void *msg, u32 bytes);
int ovid_bus_on_gpadl_teardown(struct ovid_bus *bus, const void *msg, u32 bytes);
struct ovid_gpadl *ovid_gpadl_find(const struct ovid_bus *bus, u32 id);	/* or NULL */
struct ovid_gpadl *ovid_gpadl_new(struct ovid_bus *bus, u32 id, u32 relid, u32 range_bytes,
				  u32 range_count, int *err);
void ovid_gpadl_free(struct ovid_bus *bus, struct ovid_gpadl **p);
bool ovid_gpadl_holds_rings(const struct ovid_gpadl *gpadl, u32 downstream);
void ovid_bus_ring_unused(struct ovid_bus *bus, struct ovid_gpadl *ring);
void ovid_bus_drop_gpadls(struct ovid_bus *bus, u32 relid);
void ovid_bus_forget_gpadls(struct ovid_bus *bus);

/* msg.c */
void ovid_bus_post(struct ovid_bus *bus, const void *msg, u32 bytes);
u32 ovid_bus_status(int err);

#endif
