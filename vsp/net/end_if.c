// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interface of the host's as a card's end: what the host sends by it goes to the guest, what the
 * guest sends is received by it.  It has a carrier while the guest takes frames.
 */
#include <linux/cleanup.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>
#include "net.h"

#define FEATURES (NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_TSO |	\
		  NETIF_F_TSO6 | NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HIGHDMA)

/**
 * struct net_if
 * @end: end
 * @dev: NULL: its network namespace has gone, and it with that; rtnl_lock
 */
struct net_if {
	struct net_end end;
	struct net_device __rcu *dev;
};

/* what an interface has: of the two either may go first */
struct if_priv {
	struct net_card *net;
	struct net_if *nif;
};

static struct net_if *if_of(struct net_end *end)
{
	return container_of(end, struct net_if, end);
}

static struct net_card *card_of(const struct net_device *dev)
{
	const struct if_priv *priv = netdev_priv(dev);

	return priv->net;
}

/* ---- the interface ---- */

static int if_open(struct net_device *dev)
{
	netif_tx_start_all_queues(dev);
	return 0;
}

static int if_stop(struct net_device *dev)
{
	netif_tx_stop_all_queues(dev);
	return 0;
}

/* nobody finds it any more.  Who has found it is awaited before it is freed */
static void if_uninit(struct net_device *dev)
{
	const struct if_priv *priv = netdev_priv(dev);

	RCU_INIT_POINTER(priv->nif->dev, NULL);
}

static u16 if_select_queue(struct net_device *dev, struct sk_buff *skb, struct net_device *sb_dev)
{
	return ovid_net_choose(card_of(dev), skb);
}

/* a queue that has room again by now was not woken, as it had not stopped yet */
static void stop_queue(struct net_device *dev, u16 index)
{
	netif_tx_stop_queue(netdev_get_tx_queue(dev, index));
	smp_mb();	/* between that and @stopped, as in the turn that clears it */
	if (!READ_ONCE(card_of(dev)->queues[index]->stopped))
		netif_tx_wake_queue(netdev_get_tx_queue(dev, index));
}

/* the sender's socket has nothing to do with when the guest takes it */
static netdev_tx_t if_xmit(struct sk_buff *skb, struct net_device *dev)
{
	u16 index = skb_get_queue_mapping(skb);

	/* a socket of root's may send what is no frame */
	if (skb->len < ETH_HLEN || skb_orphan_frags(skb, GFP_ATOMIC)) {
		dev_core_stats_tx_dropped_inc(dev);
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}
	skb_orphan(skb);
	nf_reset_ct(skb);
	skb_tx_timestamp(skb);
	if (ovid_net_rx(card_of(dev), index, skb, netdev_xmit_more()))
		stop_queue(dev, index);
	return NETDEV_TX_OK;
}

/* what the guest would not take in one piece is cut by the stack */
static netdev_features_t if_features_check(struct sk_buff *skb, struct net_device *dev,
					   netdev_features_t features)
{
	u32 offloads = READ_ONCE(card_of(dev)->rndis.offloads);

	features = vlan_features_check(skb, features);
	if ((offloads & NET_WHOLE4) != NET_WHOLE4)
		features &= ~NETIF_F_TSO;
	if ((offloads & NET_WHOLE6) != NET_WHOLE6)
		features &= ~NETIF_F_TSO6;
	return features;
}

static void if_stats(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	const struct net_card *net = card_of(dev);

	/* the guest's end and the host's are two ends of a cable */
	stats->rx_packets = READ_ONCE(net->stats.tx_frames);
	stats->rx_bytes = READ_ONCE(net->stats.tx_bytes);
	stats->rx_errors = READ_ONCE(net->stats.tx_errors);
	stats->rx_dropped = READ_ONCE(net->tx_dropped);
	stats->tx_packets = READ_ONCE(net->stats.rx_frames);
	stats->tx_bytes = READ_ONCE(net->stats.rx_bytes);
	stats->tx_errors = READ_ONCE(net->stats.rx_errors);
	stats->tx_dropped = READ_ONCE(net->stats.rx_dropped);
}

static const struct net_device_ops if_ops = {
	.ndo_uninit = if_uninit,
	.ndo_open = if_open,
	.ndo_stop = if_stop,
	.ndo_start_xmit = if_xmit,
	.ndo_select_queue = if_select_queue,
	.ndo_features_check = if_features_check,
	.ndo_get_stats64 = if_stats,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void if_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "ovid", sizeof(info->driver));
	strscpy(info->version, OVID_VERSION, sizeof(info->version));
}

static int if_link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *settings)
{
	memset(&settings->base, 0, sizeof(settings->base));
	settings->base.speed = card_of(dev)->config->speed;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.port = PORT_OTHER;
	settings->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

static const struct ethtool_ops if_ethtool_ops = {
	.get_drvinfo = if_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = if_link_ksettings,
	.get_ts_info = ethtool_op_get_ts_info,
};

/* so that it goes with its network namespace, and not to the host's first one */
static struct rtnl_link_ops if_link_ops = {
	.kind = "ovid",
};

static void if_setup(struct net_device *dev)
{
	ether_setup(dev);
	eth_hw_addr_random(dev);
	dev->netdev_ops = &if_ops;
	dev->ethtool_ops = &if_ethtool_ops;
	dev->rtnl_link_ops = &if_link_ops;
	dev->needs_free_netdev = true;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->hw_features = FEATURES;
	dev->features = FEATURES;
	dev->vlan_features = FEATURES & ~NETIF_F_HW_VLAN_CTAG_TX;
	dev->min_mtu = NET_MIN_MTU;
	dev->max_mtu = NET_MAX_MTU;
}

/* ---- the end ---- */

/* one that is down receives nothing; the grace period keeps it until we are through */
static u32 if_deliver(struct net_end *end, struct sk_buff_head *frames)
{
	struct net_device *dev;
	struct sk_buff *skb;
	u32 lost = 0;

	local_bh_disable();
	rcu_read_lock();
	dev = rcu_dereference(if_of(end)->dev);
	while ((skb = __skb_dequeue(frames))) {
		if (!dev || !netif_running(dev)) {
			kfree_skb(skb);
			lost++;
			continue;
		}
		skb->protocol = eth_type_trans(skb, dev);
		netif_receive_skb(skb);
	}
	rcu_read_unlock();
	local_bh_enable();
	return lost;
}

static void if_room(struct net_end *end, u16 index)
{
	struct net_device *dev;

	guard(rcu)();
	dev = rcu_dereference(if_of(end)->dev);
	if (dev)
		netif_tx_wake_queue(netdev_get_tx_queue(dev, index));
}

static void if_state(struct net_end *end, bool up)
{
	struct net_device *dev;

	guard(rcu)();
	dev = rcu_dereference(if_of(end)->dev);
	if (!dev)
		return;
	if (up)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
}

static void if_free(struct net_end *end)
{
	struct net_if *nif = if_of(end);
	struct net_device *dev;

	rtnl_lock();
	dev = rtnl_dereference(nif->dev);
	if (dev)
		unregister_netdevice(dev);
	rtnl_unlock();
	kfree(nif);
}

static const struct net_end_ops end_ops = {
	.kind = OVID_NET_INTERFACE,
	.deliver = if_deliver,
	.room = if_room,
	.state = if_state,
	.free = if_free,
};

/* a name, or a pattern with one %d: register_netdev() says which are good */
static int get_name(const struct ovid_net_end *arg, char *name)
{
	if (arg->ifname[IFNAMSIZ - 1])
		return -EINVAL;
	strscpy(name, *arg->ifname ? (const char *)arg->ifname : "ovid%d", IFNAMSIZ);
	return 0;
}

static struct net_device *new_dev(struct net_card *net, struct net_if *nif, const char *name)
{
	u16 queues = net->config->queues;
	struct net_device *dev;
	struct if_priv *priv;

	dev = alloc_netdev_mqs(sizeof(*priv), name, NET_NAME_USER, if_setup, queues, queues);
	if (!dev)
		return NULL;
	dev_net_set(dev, current->nsproxy->net_ns);
	priv = netdev_priv(dev);
	priv->net = net;
	priv->nif = nif;
	dev->mtu = min_t(u32, net->config->mtu, dev->max_mtu);
	netif_carrier_off(dev);
	return dev;
}

/* as soon as it is registered, it may go again */
static int register_dev(struct net_if *nif, struct net_device *dev)
{
	int err;

	rtnl_lock();
	err = register_netdevice(dev);
	if (!err)
		rcu_assign_pointer(nif->dev, dev);
	rtnl_unlock();
	if (err)
		free_netdev(dev);
	return err;
}

struct net_end *ovid_net_if_new(struct net_card *net, struct ovid_net_end *arg)
{
	struct net_if *nif __free(kfree) = NULL;
	struct net_device *dev;
	char name[IFNAMSIZ];
	int err;

	static_assert(OVID_NET_IFNAME_BYTES == IFNAMSIZ);
	if (get_name(arg, name))
		return ERR_PTR(-EINVAL);
	if (!ns_capable(current->nsproxy->net_ns->user_ns, CAP_NET_ADMIN))
		return ERR_PTR(-EPERM);
	nif = kzalloc(sizeof(*nif), GFP_KERNEL_ACCOUNT);
	if (!nif)
		return ERR_PTR(-ENOMEM);
	nif->end.ops = &end_ops;
	nif->end.net = net;
	dev = new_dev(net, nif, name);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	err = register_dev(nif, dev);
	if (err)
		return ERR_PTR(err);
	ovid_net_if_info(&nif->end, arg->ifname, &arg->ifindex);
	return &no_free_ptr(nif)->end;
}

void ovid_net_if_info(struct net_end *end, u8 *name, u32 *ifindex)
{
	const struct net_device *dev;

	memset(name, 0, IFNAMSIZ);
	*ifindex = 0;
	rtnl_lock();
	dev = rtnl_dereference(if_of(end)->dev);
	if (dev) {
		strscpy(name, dev->name, IFNAMSIZ);
		*ifindex = dev->ifindex;
	}
	rtnl_unlock();
}
