// SPDX-License-Identifier: GPL-2.0-only
/*
 * control_net.c - what is done with the network cards of a machine that runs.  Their ends are opened
 * by who asks, with his rights, and handed over.
 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "control.h"
#include "question.h"

/* The card that is meant, or -1, and the failure is told. */
static int find(struct machine *m, struct control_client *cl)
{
	int64_t at = question_number(cl->question, "nic", NETS_MAX - 1);
	struct failure why;

	if (at >= 0 && m->vmbus.nets->config[at].there)
		return at;
	fail_text(&why, "%s has no such network card; see `ovid net-list %s`", m->config->name,
		  m->config->name);
	control_refuse(cl, why.text);
	return -1;
}

/* ---- what is said of a card ---- */

static void add_number(struct json_object *msg, const char *key, int64_t n)
{
	json_object_object_add(msg, key, json_object_new_int64(n));
}

static void add_flag(struct json_object *msg, const char *key, bool is)
{
	json_object_object_add(msg, key, json_object_new_boolean(is));
}

static void add_text(struct json_object *msg, const char *key, const char *text)
{
	json_object_object_add(msg, key, json_object_new_string(text));
}

static void add_mac(struct json_object *msg, const char *key, const u8 *mac)
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	add_text(msg, key, text);
}

static void describe_info(const struct ovid_net_info *info, struct json_object *msg)
{
	add_flag(msg, "ready", info->flags & OVID_NET_READY);
	add_flag(msg, "up", info->flags & OVID_NET_UP);
	add_number(msg, "queues", info->queues);
	add_number(msg, "mtu", info->mtu);
	add_number(msg, "speed", info->speed);
	add_number(msg, "version", info->version);
	add_number(msg, "offloads", info->offloads);
	add_number(msg, "tx_frames", info->tx_frames);
	add_number(msg, "tx_bytes", info->tx_bytes);
	add_number(msg, "tx_errors", info->tx_errors);
	add_number(msg, "tx_dropped", info->tx_dropped);
	add_number(msg, "rx_frames", info->rx_frames);
	add_number(msg, "rx_bytes", info->rx_bytes);
	add_number(msg, "rx_dropped", info->rx_dropped);
}

/* the process of a card has ended, or an interface that was wanted is not there, or no more */
static bool end_is_gone(const struct machine *m, unsigned int at, const struct ovid_net_info *info)
{
	const struct net_config *c = &m->vmbus.nets->config[at];
	struct pollfd pfd = { .fd = m->vmbus.nets->fd[at] };

	if (c->kind == NET_USER)
		return poll(&pfd, 1, 0) > 0;
	return net_has_interface(c) && info &&
	       (info->kind != OVID_NET_INTERFACE || !info->ifindex);
}

static struct json_object *describe(struct machine *m, unsigned int at)
{
	static const char *const kinds[NET_KINDS] = {
		[NET_NONE] = "none", [NET_USER] = "user", [NET_BRIDGE] = "bridge",
		[NET_TAP] = "tap", [NET_FD] = "fd", [NET_IF] = "if",
	};
	const struct net_config *c = &m->vmbus.nets->config[at];
	struct json_object *msg = control_ok();
	struct ovid_net_info info;
	bool known = !vid_net_info(m->vmbus.net_fd[at], &info);

	add_number(msg, "nic", at);
	add_mac(msg, "mac", c->mac);
	if (known && memcmp(info.mac, c->mac, sizeof(info.mac)))
		add_mac(msg, "guest_mac", info.mac);
	add_text(msg, "kind", kinds[c->kind]);
	add_text(msg, "end", c->end);
	info.ifname[sizeof(info.ifname) - 1] = 0;
	add_text(msg, "ifname", known && info.kind == OVID_NET_INTERFACE ? (char *)info.ifname :
		 c->ifname);
	if (end_is_gone(m, at, known ? &info : NULL))
		add_flag(msg, "gone", true);
	add_flag(msg, "link", !c->link_down);
	add_flag(msg, "guard", c->guard);
	if (known)
		describe_info(&info, msg);
	return msg;
}

/* an interface that is to be made */
static struct json_object *wanted(const struct net_config *c)
{
	struct json_object *msg = json_object_new_object();

	add_mac(msg, "mac", c->mac);
	add_text(msg, "ifname", c->ifname);
	add_text(msg, "bridge", c->bridge);
	add_number(msg, "vlan", c->vlan);
	add_number(msg, "mtu", c->mtu);
	return msg;
}

struct json_object *control_net_names(const struct machine *m)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; m->vmbus.there && i < NETS_MAX; i++) {
		const struct net_config *c = &m->vmbus.nets->config[i];

		if (net_has_interface(c))
			json_object_array_add(list, wanted(c));
	}
	return list;
}

/* The first at or behind "from", so that a list has as many answers as there are cards. */
static void do_next(struct machine *m, struct control_client *cl)
{
	int64_t at = question_number(cl->question, "from", NETS_MAX);

	while (at >= 0 && at < NETS_MAX && !m->vmbus.nets->config[at].there)
		at++;
	control_answer(cl, at < 0 || at >= NETS_MAX ? control_ok() : describe(m, at), NULL, 0);
}

/* ---- changes ---- */

/* false: it makes no sense */
static bool read_end(struct control_client *cl, struct net_config *c)
{
	int64_t kind = question_number(cl->question, "kind", NET_KINDS - 1), vlan;

	*c = (struct net_config){ .there = true, .kind = kind < 0 ? NET_NONE : kind };
	question_text(cl->question, "ifname", c->ifname, sizeof(c->ifname));
	question_text(cl->question, "end", c->end, sizeof(c->end));
	question_text(cl->question, "bridge", c->bridge, sizeof(c->bridge));
	vlan = question_number(cl->question, "vlan", 4094);
	c->vlan = vlan < 0 ? 0 : vlan;
	return kind >= 0 && net_has_file(c) == (cl->file >= 0);
}

static bool read_mac(struct json_object *question, u8 *mac)
{
	int64_t n = question_number(question, "mac", (1ll << 48) - 1);

	for (unsigned int i = 0; i < 6; i++)
		mac[i] = n >> (40 - 8 * i);
	return n > 0;
}

/* false: it makes no sense, or there is no number left */
static bool read_config(struct machine *m, struct control_client *cl, unsigned int *at,
			struct net_config *c)
{
	int64_t queues = question_number(cl->question, "queues", OVID_NET_MAX_QUEUES);
	int64_t mtu = question_number(cl->question, "mtu", OVID_NET_MAX_MTU);

	if (!read_end(cl, c) || queues < 1 || mtu < OVID_NET_MIN_MTU ||
	    !read_mac(cl->question, c->mac))
		return false;
	for (*at = 0; *at < NETS_MAX && m->vmbus.nets->config[*at].there; ++*at)
		;
	/* the addresses of a machine's cards follow one another, if nobody says another */
	if (question_flag(cl->question, "mac_of_first"))
		c->mac[5] += *at;
	c->queues = queues;
	c->mtu = mtu;
	c->guard = question_flag(cl->question, "guard");
	c->link_down = question_flag(cl->question, "link_down");
	return *at < NETS_MAX;
}

static void do_attach(struct machine *m, struct control_client *cl)
{
	struct failure why = { "" };
	struct net_config c;
	unsigned int at;

	if (!read_config(m, cl, &at, &c)) {
		fail_text(&why, "%s has %u network cards, and can have no more; or tools and VM do not belong together",
			  m->config->name, NETS_MAX);
		control_refuse(cl, why.text);
		return;
	}
	if (nets_add(m->vmbus.nets, at, &c, cl->file, m->part, m->vmbus.net_fd, &why)) {
		control_refuse(cl, why.text);
		return;
	}
	cl->file = -1;
	control_answer(cl, describe(m, at), NULL, 0);
}

static void do_detach(struct machine *m, struct control_client *cl)
{
	int at = find(m, cl);

	if (at < 0)
		return;
	nets_remove(m->vmbus.nets, at, m->vmbus.net_fd);
	control_answer(cl, control_ok(), NULL, 0);
}

static void do_move(struct machine *m, struct control_client *cl)
{
	struct failure why = { "" };
	int at = find(m, cl);
	struct net_config c;

	if (at < 0)
		return;
	if (!read_end(cl, &c)) {
		control_refuse(cl, "no file came with it; do tools and VM belong together?");
		return;
	}
	if (nets_move(m->vmbus.nets, at, &c, cl->file, m->vmbus.net_fd, &why)) {
		control_refuse(cl, why.text);
		return;
	}
	cl->file = -1;
	control_answer(cl, describe(m, at), NULL, 0);
}

static void do_link(struct machine *m, struct control_client *cl)
{
	struct failure why = { "" };
	int at = find(m, cl);

	if (at < 0)
		return;
	if (nets_link(m->vmbus.nets, at, question_flag(cl->question, "up"), m->vmbus.net_fd, &why))
		control_refuse(cl, why.text);
	else
		control_answer(cl, describe(m, at), NULL, 0);
}

/* The channel's file, by which whoever may makes an interface its end. */
static void do_file(struct machine *m, struct control_client *cl)
{
	int at = find(m, cl);

	if (at >= 0)
		control_answer(cl, control_ok(), &m->vmbus.net_fd[at], 1);
}

/* The socket of its process, for orders that are none of ours. */
static void do_process(struct machine *m, struct control_client *cl)
{
	int at = find(m, cl);

	if (at < 0)
		return;
	if (m->vmbus.nets->config[at].kind == NET_USER)
		control_answer(cl, control_ok(), &m->vmbus.nets->fd[at], 1);
	else
		control_refuse(cl, "ports are forwarded to cards of `--net user` only");
}

static const struct {
	const char *name;
	void (*handle)(struct machine *m, struct control_client *cl);
} verbs[] = {
	{ "net-next",		do_next },
	{ "net-attach",		do_attach },
	{ "net-detach",		do_detach },
	{ "net-move",		do_move },
	{ "net-link",		do_link },
	{ "net-file",		do_file },
	{ "net-process",	do_process },
};

bool control_net(struct machine *m, struct control_client *cl, const char *verb)
{
	struct failure why;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verb, verbs[i].name))
			continue;
		if (m->vmbus.there) {
			verbs[i].handle(m, cl);
			return true;
		}
		fail_text(&why, "%s has no VMBus, and so no network cards: it was started with --vmbus off, or --hv without synic and messages",
			  m->config->name);
		control_refuse(cl, why.text);
		return true;
	}
	return false;
}
