// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPADLs: guest memory that came as a header and bodies, several of them at a
 * time and mixed.  How much comes is said by the header alone; the numbers of
 * bodies mean nothing.
 */
#include "bus_priv.h"
#include "buslib.h"

struct ovid_gpadl *ovid_gpadl_find(const struct ovid_bus *bus, u32 id)
{
	struct ovid_gpadl *gpadl = bus->gpadls;

	while (gpadl && gpadl->id != id)
		gpadl = gpadl->next;
	return gpadl;
}

struct ovid_gpadl *ovid_bus_gpadl(struct ovid_bus *bus, u32 id, u32 relid)
{
	struct ovid_gpadl *gpadl = ovid_gpadl_find(bus, id);

	if (!gpadl || !gpadl->complete || gpadl->teardown || (relid && gpadl->relid != relid))
		return NULL;
	return gpadl;
}

const u64 *ovid_gpadl_range(const struct ovid_gpadl *gpadl, u32 *at, u32 *bytes, u32 *offset)
{
	return ovid_range_next(gpadl->ranges, gpadl->range_bytes, at, bytes, offset);
}

int ovid_gpadl_check(const struct ovid_gpadl *gpadl)
{
	return ovid_ranges_check(gpadl->ranges, gpadl->range_bytes, gpadl->range_count);
}

/* one range of whole pages, with @downstream and what is left enough for a ring each */
bool ovid_gpadl_holds_rings(const struct ovid_gpadl *gpadl, u32 downstream)
{
	u32 at = 0, bytes, offset;

	return gpadl->range_count == 1 && ovid_gpadl_range(gpadl, &at, &bytes, &offset) &&
	       !offset && !(bytes % VMBUS_PAGE) &&
	       downstream >= 2 && downstream < gpadl->pages && gpadl->pages - downstream >= 2;
}

/* of one that is not pinned, or not any more */
void ovid_gpadl_free(struct ovid_bus *bus, struct ovid_gpadl **p)
{
	struct ovid_gpadl *gpadl = *p;

	*p = gpadl->next;
	bus->nr_gpadls--;
	bus->gpadl_pages -= gpadl->pages;
	kvfree(gpadl);
}

static void destroy(struct ovid_bus *bus, struct ovid_gpadl **p)
{
	if ((*p)->complete)
		bus->fx->unpin(bus, *p);
	ovid_gpadl_free(bus, p);
}

static void destroy_one(struct ovid_bus *bus, struct ovid_gpadl *gpadl)
{
	struct ovid_gpadl **p = &bus->gpadls;

	while (*p != gpadl)
		p = &(*p)->next;
	destroy(bus, p);
}

static void post_torndown(struct ovid_bus *bus, u32 id)
{
	struct vmbus_w_gpadl_torndown r = { .h.type = VMBUS_GPADL_TORNDOWN, .gpadl = id };

	ovid_bus_post(bus, &r, sizeof(r));
}

static int post_created(struct ovid_bus *bus, u32 relid, u32 id, int err)
{
	struct vmbus_w_gpadl_created r = {
		.h.type = VMBUS_GPADL_CREATED, .relid = relid, .gpadl = id,
		.status = ovid_bus_status(err),
	};

	ovid_bus_post(bus, &r, sizeof(r));
	return err && err != -ENOMEM ? -EPROTO : 0;
}

/* the last byte is there */
static int finish(struct ovid_bus *bus, struct ovid_gpadl *gpadl)
{
	u32 relid = gpadl->relid, id = gpadl->id;
	int pages = ovid_gpadl_check(gpadl), err;

	err = pages < 0 ? pages : 0;
	if (!err) {
		/* ranges may end before range_bytes */
		gpadl->range_bytes = (gpadl->range_count + pages) * sizeof(u64);
		bus->gpadl_pages -= gpadl->pages - pages;
		gpadl->pages = pages;
		err = bus->fx->pin(bus, gpadl);
	}
	if (err)
		destroy_one(bus, gpadl);
	else
		gpadl->complete = true;
	return post_created(bus, relid, id, err);
}

/* some guests send messages of full length: what is too much is no part of it */
static int append(struct ovid_bus *bus, struct ovid_gpadl *gpadl, const void *data, u32 bytes)
{
	bytes = min(bytes & ~7u, gpadl->range_bytes - gpadl->have);
	memcpy(gpadl->ranges + gpadl->have, data, bytes);
	gpadl->have += bytes;
	return gpadl->have == gpadl->range_bytes ? finish(bus, gpadl) : 0;
}

/*
 * One that is to be filled, counted and in no list yet; or NULL and -EPROTO, -ENOSPC or
 * -ENOMEM.  @range_bytes and @range_count are those of a header, which has 16 bits for each.
 */
struct ovid_gpadl *ovid_gpadl_new(struct ovid_bus *bus, u32 id, u32 relid, u32 range_bytes,
				  u32 range_count, int *err)
{
	struct ovid_gpadl *gpadl;
	u32 pages;

	/* each range has a page */
	*err = -EPROTO;
	if (ovid_gpadl_find(bus, id) || !range_count || range_bytes % 8 ||
	    range_bytes < range_count * 2 * sizeof(u64))	/* a head and a pfn each */
		return NULL;
	pages = range_bytes / 8 - range_count;
	*err = -ENOSPC;
	if (bus->nr_gpadls >= OVID_BUS_MAX_GPADLS ||
	    pages > OVID_BUS_MAX_GPADL_PAGES - bus->gpadl_pages)
		return NULL;
	*err = -ENOMEM;
	gpadl = kvzalloc(sizeof(*gpadl) + range_bytes, GFP_KERNEL_ACCOUNT);
	if (!gpadl)
		return NULL;
	gpadl->id = id;
	gpadl->relid = relid;
	gpadl->range_count = range_count;
	gpadl->range_bytes = range_bytes;
	gpadl->pages = pages;
	bus->nr_gpadls++;
	bus->gpadl_pages += pages;
	*err = 0;
	return gpadl;
}

static int begin(struct ovid_bus *bus, const struct vmbus_w_gpadl_header *m,
		 struct ovid_gpadl **result)
{
	struct ovid_bus_chan *chan = ovid_bus_by_relid(bus, m->relid);
	struct ovid_gpadl *gpadl;
	int err;

	if (!chan || chan->revoked)
		return -EPROTO;
	gpadl = ovid_gpadl_new(bus, m->gpadl, m->relid, m->range_bytes, m->range_count, &err);
	if (!gpadl)
		return err;
	gpadl->next = bus->gpadls;
	bus->gpadls = gpadl;
	*result = gpadl;
	return 0;
}

int ovid_bus_on_gpadl_header(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	const struct vmbus_w_gpadl_header *m = msg;
	struct ovid_gpadl *gpadl;
	int err = begin(bus, m, &gpadl);

	if (err)
		return post_created(bus, m->relid, m->gpadl, err);
	return append(bus, gpadl, m + 1, bytes - sizeof(*m));
}

/* for one that is not begun there is no answer: the message has no relid */
int ovid_bus_on_gpadl_body(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	const struct vmbus_w_gpadl_body *m = msg;
	struct ovid_gpadl *gpadl = ovid_gpadl_find(bus, m->gpadl);

	if (!gpadl || gpadl->complete)
		return -EPROTO;
	return append(bus, gpadl, m + 1, bytes - sizeof(*m));
}

/* that of an open channel's ring waits for its close, as Hyper-V's GPADLs do for their users */
int ovid_bus_on_gpadl_teardown(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	const struct vmbus_w_gpadl_teardown *m = msg;
	struct ovid_bus_chan *chan = ovid_bus_by_relid(bus, m->relid);
	struct ovid_gpadl *gpadl = ovid_gpadl_find(bus, m->gpadl);

	if (!chan)
		return -EPROTO;
	if (!gpadl && chan->revoked) {
		/* it went with the channel, before the guest saw RESCIND */
		post_torndown(bus, m->gpadl);
		return 0;
	}
	if (!gpadl || gpadl->relid != m->relid || gpadl->teardown)
		return -EPROTO;
	if (chan->ring == gpadl) {
		gpadl->teardown = true;
		return 0;
	}
	destroy_one(bus, gpadl);
	post_torndown(bus, m->gpadl);
	return 0;
}

/* the channel is closed */
void ovid_bus_ring_unused(struct ovid_bus *bus, struct ovid_gpadl *ring)
{
	u32 id = ring->id;

	if (!ring->teardown)
		return;
	destroy_one(bus, ring);
	post_torndown(bus, id);
}

/* of a closed channel */
void ovid_bus_drop_gpadls(struct ovid_bus *bus, u32 relid)
{
	struct ovid_gpadl **p = &bus->gpadls;

	while (*p) {
		u32 id = (*p)->id;
		bool wanted = (*p)->teardown;

		if ((*p)->relid != relid) {
			p = &(*p)->next;
			continue;
		}
		destroy(bus, p);
		if (wanted)
			post_torndown(bus, id);
	}
}

/* all channels are closed, and nobody waits for an answer */
void ovid_bus_forget_gpadls(struct ovid_bus *bus)
{
	while (bus->gpadls)
		destroy(bus, &bus->gpadls);
}
