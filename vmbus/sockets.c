// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's wishes to connect to a service of the host's: they wait here until who takes them has
 * answered, which is a transport in the kernel (sockets.h) or a process (sockets_file.c).  One that
 * is accepted gets a channel.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "server.h"

/**
 * struct ovid_sockets - @vmbus->lock
 * @vmbus:	its partition is held
 * @notify:	a connect has come
 * @priv:	of who takes them
 * @last_id:	of the connect that came last
 * @nr:		in @connects: have no reply yet
 * @nr_read:	of them; the others, behind these, were not taken yet
 * @connects:	the oldest first
 */
struct ovid_sockets {
	struct ovid_vmbus *vmbus;
	void (*notify)(void *priv);
	void *priv;
	u64 last_id;
	unsigned int nr;
	unsigned int nr_read;
	struct ovid_socket_connect connects[OVID_MAX_CONNECTS];
};

/* ---- what the bus has for it ---- */

int ovid_sockets_connect(struct ovid_vmbus *vmbus, const struct vmbus_w_tl_connect2 *want)
{
	struct ovid_sockets *s = vmbus->sockets;
	struct ovid_socket_connect *c;

	lockdep_assert_held(&vmbus->lock);
	if (!s)
		return -ECONNREFUSED;
	if (s->nr == OVID_MAX_CONNECTS)
		return -ENOSPC;
	c = &s->connects[s->nr];
	c->id = ++s->last_id;
	memcpy(c->endpoint, &want->c.endpoint, sizeof(c->endpoint));
	memcpy(c->service, &want->c.service, sizeof(c->service));
	memcpy(c->silo, &want->silo, sizeof(c->silo));
	WRITE_ONCE(s->nr, s->nr + 1);
	s->notify(s->priv);
	return 0;
}

void ovid_sockets_forget(struct ovid_vmbus *vmbus)
{
	struct ovid_sockets *s = vmbus->sockets;

	lockdep_assert_held(&vmbus->lock);
	if (!s)
		return;
	WRITE_ONCE(s->nr_read, 0);
	WRITE_ONCE(s->nr, 0);
}

/* ---- who takes them ---- */

bool ovid_sockets_pending(const struct ovid_sockets *s)
{
	return READ_ONCE(s->nr) != READ_ONCE(s->nr_read);
}

int ovid_sockets_peek(struct ovid_sockets *s, struct ovid_socket_connect *c)
{
	guard(mutex)(&s->vmbus->lock);
	if (!ovid_sockets_pending(s))
		return -EAGAIN;
	*c = s->connects[s->nr_read];
	return 0;
}

/* if it was not forgotten meanwhile */
void ovid_sockets_mark(struct ovid_sockets *s, u64 id)
{
	guard(mutex)(&s->vmbus->lock);
	if (ovid_sockets_pending(s) && s->connects[s->nr_read].id == id)
		WRITE_ONCE(s->nr_read, s->nr_read + 1);
}

int ovid_sockets_next(struct ovid_sockets *s, struct ovid_socket_connect *c)
{
	int err = ovid_sockets_peek(s, c);

	if (!err)
		ovid_sockets_mark(s, c->id);
	return err;
}
EXPORT_SYMBOL_GPL(ovid_sockets_next);

static void refuse(struct ovid_sockets *s, const struct ovid_socket_connect *c, int err)
{
	struct vmbus_w_guid endpoint, service;

	memcpy(&endpoint, c->endpoint, sizeof(endpoint));
	memcpy(&service, c->service, sizeof(service));
	ovid_bus_tl_refuse(&s->vmbus->bus, &endpoint, &service, err);
}

/* one that was read leaves the list: true; false: it is not there */
static bool remove(struct ovid_sockets *s, u64 id, struct ovid_socket_connect *c)
{
	unsigned int i = 0;

	while (i < s->nr_read && s->connects[i].id != id)
		i++;
	if (i == s->nr_read)
		return false;
	*c = s->connects[i];
	memmove(&s->connects[i], &s->connects[i + 1], (s->nr - i - 1) * sizeof(*c));
	WRITE_ONCE(s->nr_read, s->nr_read - 1);
	WRITE_ONCE(s->nr, s->nr - 1);
	return true;
}

int ovid_sockets_reply(struct ovid_sockets *s, u64 id, int err)
{
	struct ovid_socket_connect c;

	guard(mutex)(&s->vmbus->lock);
	if (!remove(s, id, &c))
		return -ESTALE;
	if (err)
		refuse(s, &c, err);
	return 0;
}
EXPORT_SYMBOL_GPL(ovid_sockets_reply);

/* of the bus: at most one */
struct ovid_sockets *ovid_sockets_new(struct ovid_vmbus *vmbus, void (*notify)(void *priv),
				      void *priv)
{
	struct ovid_sockets *s = kvzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->vmbus = vmbus;
	s->notify = notify;
	s->priv = priv;
	guard(mutex)(&vmbus->lock);
	if (vmbus->sockets) {
		kvfree(s);
		return ERR_PTR(-EEXIST);
	}
	ovid_bus_part_get(vmbus->part);
	vmbus->sockets = s;
	return s;
}

struct ovid_sockets *ovid_sockets_take(int part, void (*notify)(void *priv), void *priv)
{
	struct ovid_partition *p = ovid_bus_part_of(part);
	struct ovid_sockets *s = ERR_PTR(-ENXIO);

	if (IS_ERR(p))
		return ERR_CAST(p);
	if (ovid_bus_of(p))
		s = ovid_sockets_new(ovid_bus_of(p), notify, priv);
	ovid_bus_part_put(p);
	return s;
}
EXPORT_SYMBOL_GPL(ovid_sockets_take);

void ovid_sockets_give_back(struct ovid_sockets *s)
{
	struct ovid_vmbus *vmbus = s->vmbus;
	unsigned int i;

	scoped_guard(mutex, &vmbus->lock) {
		for (i = 0; i < s->nr; i++)
			refuse(s, &s->connects[i], -ECONNREFUSED);
		vmbus->sockets = NULL;
	}
	kvfree(s);
	ovid_bus_part_put(vmbus->part);
}
EXPORT_SYMBOL_GPL(ovid_sockets_give_back);

struct ovid_chan *ovid_socket_offer(struct ovid_sockets *s, const u8 *service, const u8 *endpoint,
				    bool from_host, const struct ovid_chan_ops *ops, void *priv)
{
	struct ovid_vmbus_offer arg = { .offer_flags = OVID_OFFER_PIPE | OVID_OFFER_SOCKET };
	struct ovid_chan *chan = ovid_chan_new(s->vmbus, ops, priv);
	int err;

	if (IS_ERR(chan))
		return chan;
	memcpy(arg.type, service, sizeof(arg.type));
	memcpy(arg.instance, endpoint, sizeof(arg.instance));
	arg.user[4] = from_host;
	err = ovid_chan_offer(chan, &arg);
	ovid_chan_put(chan);
	return err ? ERR_PTR(err) : chan;
}
EXPORT_SYMBOL_GPL(ovid_socket_offer);
