// SPDX-License-Identifier: GPL-2.0-only
/* net_open.c - what is behind a network card: opened with the caller's rights. */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

#define TUN	"/dev/net/tun"

/* ---- taps ---- */

static const char *user_name(void)
{
	struct passwd *pw = getpwuid(geteuid());

	return pw ? pw->pw_name : "USER";
}

static int why_no_tap(const struct net_words *w, const struct net_config *c, int err,
		      struct failure *why)
{
	if (err == EPERM)
		return fail(why, OVID_X_HOST,
			    "%s %s: no permission; as root, `ip tuntap add dev %s mode tap user %s vnet_hdr` gives you one",
			    w->option, c->end, c->ifname, user_name());
	if (err == EBUSY)
		return fail(why, OVID_X_USAGE, "%s %s: another program has that tap, or it is no tap",
			    w->option, c->end);
	if (err == EINVAL)
		return fail(why, OVID_X_USAGE,
			    "%s %s: that interface is no tap, or one with other flags; make it by `ip tuntap add dev %s mode tap vnet_hdr`",
			    w->option, c->end, c->ifname);
	return fail(why, OVID_X_HOST, "%s %s: %s", w->option, c->end, strerror(err));
}

static int open_tun(const struct net_words *w, const struct net_config *c, struct failure *why)
{
	int fd = open(TUN, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return fail(why, OVID_X_HOST, "%s %s: %s is not there; try `modprobe tun`",
			    w->option, c->end, TUN);
	return fail(why, OVID_X_HOST, "%s %s: %s: %s", w->option, c->end, TUN, strerror(errno));
}

/* The name of a tap, or "" for one that is new, becomes the name that it has. */
static int open_tap(const struct net_words *w, struct net_config *c, struct failure *why)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open_tun(w, c, why), ret;

	if (fd < 0)
		return fd;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", *c->ifname ? c->ifname : "ovid%d");
	if (ioctl(fd, TUNSETIFF, &ifr)) {
		ret = why_no_tap(w, c, errno, why);
		close(fd);
		return ret;
	}
	memcpy(c->ifname, ifr.ifr_name, sizeof(c->ifname));
	/* large frames go to the guest, or to the module, uncut; without that it is only slower */
	ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6);
	return fd;
}

/* ---- interfaces ---- */

static int with_name(int fd, const char *name, unsigned long request, struct ifreq *ifr)
{
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	return ioctl(fd, request, ifr) ? -errno : 0;
}

static int set_up(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;
	struct ifreq ifr = { 0 };

	if (fd < 0)
		return -errno;
	ret = with_name(fd, name, SIOCGIFFLAGS, &ifr);
	if (!ret && !(ifr.ifr_flags & IFF_UP)) {
		ifr.ifr_flags |= IFF_UP;
		ret = with_name(fd, name, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
	return ret;
}

/*
 * A bridge takes the least of its ports' addresses for its own, and would take another one with
 * each VM that comes or goes: one that begins with 0xfe is the least only where there is no other.
 */
static int set_address(const char *name, const u8 *mac)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;
	struct ifreq ifr = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };

	if (fd < 0)
		return -errno;
	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	ifr.ifr_hwaddr.sa_data[0] = (char)0xfe;
	ret = with_name(fd, name, SIOCSIFHWADDR, &ifr);
	close(fd);
	return ret;
}

int net_open(struct net_words *w, struct net_config *c, int *fd, struct failure *why)
{
	*fd = -1;
	switch (c->kind) {
	case NET_USER:
		w->user.size = sizeof(w->user);
		*fd = slirp_start(w->option, &w->user, why);
		break;
	case NET_BRIDGE:
		return bridge_check(w->option, c->bridge, c->vlan, why);
	case NET_TAP:
		*fd = open_tap(w, c, why);
		/* that of a user who may not is as root has made it */
		if (*fd >= 0)
			set_up(c->ifname);
		break;
	case NET_FD:
		/* the VM's copy is to be the only one; the module wants those that do not wait */
		fcntl(w->file, F_SETFD, FD_CLOEXEC);
		fcntl(w->file, F_SETFL, O_NONBLOCK | fcntl(w->file, F_GETFL));
		*fd = fcntl(w->file, F_DUPFD_CLOEXEC, 0);
		if (*fd < 0)
			return fail(why, OVID_X_USAGE, "%s %s: %s", w->option, c->end,
				    strerror(errno));
		break;
	default:
		return 0;
	}
	return *fd < 0 ? *fd : 0;
}

static int why_no_interface(const char *option, const struct net_config *c, int ret,
			    struct failure *why)
{
	if (ret == -EPERM && c->kind == NET_BRIDGE)
		return fail(why, OVID_X_HOST,
			    "%s %s: interfaces are made with CAP_NET_ADMIN; run it as root, or give tap=NAME of a tap that is yours and in the bridge",
			    option, c->end);
	return fail(why, OVID_X_HOST, "%s if%s%s: %s", option, *c->ifname ? "=" : "", c->ifname,
		    ret == -EPERM ? "interfaces are made with CAP_NET_ADMIN; run it as root" :
		    ret == -EEXIST ? "there is such an interface; give another name" :
		    strerror(-ret));
}

int net_make_interface(const char *option, const struct net_config *c, int net,
		       struct failure *why)
{
	struct ovid_net_end end = { .kind = OVID_NET_INTERFACE, .fd = -1 };
	char name[OVID_NET_IFNAME_BYTES];
	int ret;

	snprintf((char *)end.ifname, sizeof(end.ifname), "%s", c->ifname);
	ret = vid_net_end(net, &end);
	if (ret)
		return why_no_interface(option, c, ret, why);
	snprintf(name, sizeof(name), "%.15s", (const char *)end.ifname);
	if (*c->bridge) {
		ret = set_address(name, c->mac);
		if (ret)
			return fail(why, OVID_X_HOST, "%s bridge=%s: cannot set up %s: %s", option,
				    c->bridge, name, strerror(-ret));
		ret = bridge_add(option, c->bridge, name, c->vlan, why);
		if (ret)
			return ret;
	}
	set_up(name);
	return 0;
}
