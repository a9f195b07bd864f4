// SPDX-License-Identifier: GPL-2.0-only
/* net.c - see net.h */
#include <sys/socket.h>
#include <unistd.h>

#include "../slirp/slirp.h"
#include "net.h"

bool net_config_ok(const struct net_config *c)
{
	return c->kind < NET_KINDS && !c->ifname[sizeof(c->ifname) - 1] &&
	       !c->bridge[sizeof(c->bridge) - 1] &&
	       !c->end[sizeof(c->end) - 1];
}

static const char *why_no_end(const struct net_config *c, int ret)
{
	if (ret == -EBADFD && c->kind == NET_FD)
		return "that file is none of tap or macvtap";
	if (ret == -EBADF && c->kind == NET_FD)
		return "that file is not open to be read and written";
	return strerror(-ret);
}

/* An interface is not ours to make. */
static int set_end(const struct net_config *c, int fd, int net, struct failure *why)
{
	struct ovid_net_end end = { .kind = OVID_NET_NONE, .fd = -1 };
	int ret;

	if (c->kind == NET_USER) {
		end.kind = OVID_NET_FRAMES;
	} else if (net_has_file(c)) {
		end.kind = OVID_NET_SOCKET;
		end.fd = fd;
	}
	ret = vid_net_end(net, &end);
	if (ret)
		return fail(why, OVID_X_HOST, "--net %s: %s", c->end, why_no_end(c, ret));
	return 0;
}

static int offer(const struct net_config *c, unsigned int at, int fd, int part, int *net,
		 struct failure *why)
{
	struct ovid_net arg = {
		.flags = (c->link_down ? OVID_NET_LINK_DOWN : 0) |
			 (c->guard ? OVID_NET_GUARD_MAC : 0),
		.queues = c->queues, .mtu = c->mtu,
	};
	int ret;

	net[at] = vid_offer_net(part, at);
	if (net[at] < 0) {
		ret = net[at];
		net[at] = -1;
		return fail(why, OVID_X_HOST, "cannot offer network card %u to the guest: %s", at,
			    ret == -ENOENT ? "the module was built without" : strerror(-ret));
	}
	memcpy(arg.mac, c->mac, sizeof(arg.mac));
	ret = vid_net_setup(net[at], &arg);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot set up network card %u: %s", at,
			    strerror(-ret));
	return set_end(c, fd, net[at], why);
}

/* its process is told by a message, and reads it when it does */
static void join(const struct net_config *c, int fd, int net)
{
	const struct slirp_order order = { .what = SLIRP_FILE };
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { (void *)&order, sizeof(order) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);

	if (!c->there || c->kind != NET_USER)
		return;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &net, sizeof(int));
	/* one that has died is a cable to nowhere */
	if (sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

int nets_offer(const struct nets *nets, int part, int *net, struct failure *why)
{
	int ret = 0;

	for (unsigned int i = 0; i < NETS_MAX && !ret; i++)
		if (nets->config[i].there)
			ret = offer(&nets->config[i], i, nets->fd[i], part, net, why);
	return ret;
}

void nets_join(const struct nets *nets, const int *net)
{
	for (unsigned int i = 0; i < NETS_MAX; i++)
		join(&nets->config[i], nets->fd[i], net[i]);
}

static void close_channel(int *net)
{
	if (*net >= 0)
		close(*net);
	*net = -1;
}

int nets_add(struct nets *nets, unsigned int at, const struct net_config *c, int fd, int part,
	     int *net, struct failure *why)
{
	int ret;

	if (nets->config[at].there)
		return fail(why, OVID_X_USAGE, "there is a network card %u already", at);
	ret = offer(c, at, fd, part, net, why);
	if (ret) {
		close_channel(&net[at]);
		return ret;
	}
	nets->config[at] = *c;
	nets->config[at].there = true;
	nets->fd[at] = fd;
	join(&nets->config[at], fd, net[at]);
	return 0;
}

/* the guest's driver sees it go; with the last file goes a tap that is none's, or a process */
void nets_remove(struct nets *nets, unsigned int at, int *net)
{
	close_channel(&net[at]);
	if (nets->fd[at] >= 0)
		close(nets->fd[at]);
	nets->fd[at] = -1;
	nets->config[at] = (struct net_config){ 0 };
}

static u32 link_flags(const struct net_config *c)
{
	return c->link_down ? OVID_NET_LINK_DOWN : 0;
}

int nets_move(struct nets *nets, unsigned int at, const struct net_config *c, int fd,
	      const int *net, struct failure *why)
{
	struct net_config *is = &nets->config[at];
	/* an interface is that already, by whoever may make one */
	int ret = net_has_interface(c) ? 0 : set_end(c, fd, net[at], why);

	if (ret)
		return ret;
	if (nets->fd[at] >= 0)
		close(nets->fd[at]);
	nets->fd[at] = fd;
	is->kind = c->kind;
	is->vlan = c->vlan;
	memcpy(is->ifname, c->ifname, sizeof(is->ifname));
	memcpy(is->bridge, c->bridge, sizeof(is->bridge));
	memcpy(is->end, c->end, sizeof(is->end));
	join(is, fd, net[at]);
	/* a guest that is not told finds out when its addresses do not work */
	vid_net_link(net[at], link_flags(is) | OVID_NET_OTHER);
	return 0;
}

int nets_link(struct nets *nets, unsigned int at, bool up, const int *net, struct failure *why)
{
	int ret = vid_net_link(net[at], up ? 0 : OVID_NET_LINK_DOWN);

	if (ret)
		return fail(why, OVID_X_HOST, "cannot change the link of network card %u: %s", at,
			    strerror(-ret));
	nets->config[at].link_down = !up;
	return 0;
}
