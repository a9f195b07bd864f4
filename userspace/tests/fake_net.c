// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake_net.c - network cards of the pretended module.  A channel's file is one end of a socket that
 * keeps messages apart; what is read or written there with the end OVID_NET_FRAMES is the same as with
 * the module.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/vid.h"
#include "fake_net.h"
#include "frame.h"

#define CARDS	24	/* of all buses that there are, one behind the other */

static struct card {
	int guest, host;
	unsigned int nr;
	bool set;
	struct ovid_net net;
	u32 kind;
	u32 link;
	bool asked;		/* for an address */
} cards[CARDS];
static unsigned int cards_made;
static const char *refuse;

void fake_net_make(void)
{
	int pair[2];

	for (unsigned int i = 0; i < CARDS; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
			return;
		cards[i].guest = pair[0];
		cards[i].host = pair[1];
	}
}

void fake_net_refuse(const char *what)
{
	refuse = what;
}

static bool refused(const char *what)
{
	return refuse && !strncmp(refuse, what, strlen(what));
}

/* the newest: the number of a file that was closed may have come back */
static struct card *card_of(int net)
{
	for (unsigned int i = cards_made; i-- > 0;)
		if (cards[i].host == net)
			return &cards[i];
	return NULL;
}

int vid_offer_net(int part, u8 n)
{
	(void)part;
	if (refused("net"))
		return -ENOMEM;
	if (cards_made == CARDS)
		return -EMFILE;
	cards[cards_made].nr = n;
	return cards[cards_made++].host;
}

int vid_net_setup(int net, struct ovid_net *card)
{
	struct card *c = card_of(net);

	if (!c)
		return -ENOTTY;
	if (c->set)
		return -EBUSY;
	if (card->mac[0] & 1 || !card->queues || card->queues > OVID_NET_MAX_QUEUES ||
	    card->mtu < OVID_NET_MIN_MTU || card->mtu > OVID_NET_MAX_MTU)
		return -EINVAL;
	c->net = *card;
	c->set = true;
	return 0;
}

/* of another program: the channel's file was handed to it, as with `if` */
static int others_end(struct ovid_net_end *end)
{
	if (end->kind != OVID_NET_INTERFACE)
		return -EINVAL;
	if (!strcmp((char *)end->ifname, "denied"))
		return -EPERM;
	return strcmp((char *)end->ifname, "there") ? 0 : -EEXIST;
}

int vid_net_end(int net, struct ovid_net_end *end)
{
	struct card *c = card_of(net);
	struct stat st;

	if (!c)
		return others_end(end);
	if (!c->set)
		return -ENOTCONN;
	if (refused("end"))
		return -ENOMEM;
	if (end->kind == OVID_NET_SOCKET && (fstat(end->fd, &st) || !S_ISCHR(st.st_mode)))
		return -EBADFD;
	c->kind = end->kind;
	return 0;
}

int vid_net_link(int net, u32 flags)
{
	struct card *c = card_of(net);

	if (!c || !c->set)
		return -ENOTCONN;
	c->link = flags;
	return 0;
}

int vid_net_info(int net, struct ovid_net_info *info)
{
	struct card *c = card_of(net);

	*info = (struct ovid_net_info){ .size = sizeof(*info) };
	if (!c || !c->set)
		return -ENOTCONN;
	memcpy(info->mac, c->net.mac, sizeof(info->mac));
	info->flags = OVID_NET_READY | OVID_NET_UP;
	info->queues = 1;
	info->mtu = c->net.mtu;
	info->speed = 10000;
	info->kind = c->kind;
	info->tx_frames = 7;
	return 0;
}

/* ---- its guest ---- */

static void ask(struct card *c)
{
	u8 buf[512] = { 0 };
	struct ovid_frame head = { .flags = OVID_FRAME_CSUM_GOOD };

	head.bytes = frame_dhcp(buf + sizeof(head), c->net.mac, 1, 0);
	memcpy(buf, &head, sizeof(head));
	c->asked = write(c->guest, buf, sizeof(head) + ALIGN_UP(head.bytes, 8)) > 0;
}

static u32 look(const struct card *c)
{
	static u8 buf[1 << 18];
	ssize_t len = read(c->guest, buf, sizeof(buf)), at = 0;
	struct ovid_frame head;
	u32 addr = 0;

	while (!addr && len - at >= (ssize_t)sizeof(head)) {
		memcpy(&head, buf + at, sizeof(head));
		at += sizeof(head);
		addr = frame_dhcp_address(buf + at, head.bytes, 2);
		at += ALIGN_UP(head.bytes, 8);
	}
	return addr;
}

bool fake_net_dhcp(unsigned int nr, char *text, size_t len)
{
	struct card *c = NULL;
	u32 addr;

	for (unsigned int i = cards_made; !c && i-- > 0;)
		if (cards[i].nr == nr && cards[i].set)
			c = &cards[i];
	if (!c)
		return false;
	if (!c->asked)
		ask(c);
	addr = look(c);
	if (!addr)
		return false;
	c->asked = false;
	snprintf(text, len, "address:%u.%u.%u.%u", addr >> 24, addr >> 16 & 255, addr >> 8 & 255,
		 addr & 255);
	return true;
}
