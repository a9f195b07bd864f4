// SPDX-License-Identifier: GPL-2.0-only
/* net_bridge.c - puts an interface into a bridge of the host's. */
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

static bool in_sysfs(const char *bridge, const char *what, char *first)
{
	char path[64];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/%s", bridge, what);
	f = fopen(path, "re");
	if (!f)
		return false;
	c = fgetc(f);
	fclose(f);
	*first = c == EOF ? 0 : c;
	return true;
}

int bridge_check(const char *option, const char *bridge, u16 vlan, struct failure *why)
{
	char first = 0;

	if (!if_nametoindex(bridge))
		return fail(why, OVID_X_USAGE,
			    "%s bridge=%s: there is none; as root, `ip link add %s type bridge && ip link set %s up` makes one",
			    option, bridge, bridge, bridge);
	if (!in_sysfs(bridge, "bridge/vlan_filtering", &first))
		return fail(why, OVID_X_USAGE, "%s bridge=%s: that interface is no bridge; see `ip link show type bridge`",
			    option, bridge);
	if (vlan && first != '1')
		return fail(why, OVID_X_USAGE,
			    "%s bridge=%s,vlan=%u: the bridge knows no VLANs; as root, `ip link set %s type bridge vlan_filtering 1`",
			    option, bridge, vlan, bridge);
	return 0;
}

/* ---- VLANs ---- */

struct vlan_request {
	struct nlmsghdr head;
	struct ifinfomsg info;
	struct nlattr spec;
	struct nlattr attr;
	struct bridge_vlan_info vlan;
};

static int ask_kernel(int fd, const struct vlan_request *r)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char more[512];
	} answer;

	if (sendto(fd, r, sizeof(*r), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(*r))
		return -errno;
	if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(answer.error)) ||
	    answer.head.nlmsg_type != NLMSG_ERROR)
		return -EIO;
	return answer.error.error;
}

static int change_vlan(int fd, int ifindex, u16 type, u16 vid, u16 flags)
{
	struct vlan_request r = {
		.head = {
			.nlmsg_len = sizeof(r), .nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.info = { .ifi_family = PF_BRIDGE, .ifi_index = ifindex },
		.spec = {
			.nla_len = sizeof(r.spec) + sizeof(r.attr) + sizeof(r.vlan),
			.nla_type = IFLA_AF_SPEC,
		},
		.attr = {
			.nla_len = sizeof(r.attr) + sizeof(r.vlan),
			.nla_type = IFLA_BRIDGE_VLAN_INFO,
		},
		.vlan = { .flags = flags, .vid = vid },
	};

	return ask_kernel(fd, &r);
}

/* its frames have no tag; the bridge's usual VLAN is none of its own then */
static int set_vlan(int ifindex, u16 vlan, char usual)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), ret;

	if (fd < 0)
		return -errno;
	ret = change_vlan(fd, ifindex, RTM_SETLINK, vlan, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	if (!ret && vlan != 1 && usual == '1')
		ret = change_vlan(fd, ifindex, RTM_DELLINK, 1, 0);
	close(fd);
	return ret;
}

int bridge_add(const char *option, const char *bridge, const char *ifname, u16 vlan,
	       struct failure *why)
{
	struct ifreq ifr = { .ifr_ifindex = if_nametoindex(ifname) };
	int index = ifr.ifr_ifindex, ret = 0, fd;
	char usual = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", bridge);
	if (fd < 0 || ioctl(fd, SIOCBRADDIF, &ifr))
		ret = -errno;
	if (fd >= 0)
		close(fd);
	in_sysfs(bridge, "bridge/default_pvid", &usual);
	if (!ret && vlan)
		ret = set_vlan(index, vlan, usual);
	if (ret)
		return fail(why, OVID_X_HOST, "%s bridge=%s: cannot put %s into it: %s", option,
			    bridge, ifname, ret == -EPERM ? "that takes CAP_NET_ADMIN" :
			    strerror(-ret));
	return 0;
}
