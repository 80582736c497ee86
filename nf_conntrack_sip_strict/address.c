// SPDX-License-Identifier: GPL-2.0-only
/*
 * address.c - addresses and devices of the gateway that go away (PPPoE, DHCP,
 * failover).
 *
 * What was mapped to an address that is gone must end at once: keep-alives
 * would go on refreshing a dead entry, and the phone would never register
 * anew. lifetime.c and registration.c find what is theirs by outside address.
 *
 * The notifier of IPv6 is atomic and both run where nothing of ours may be
 * locked, so they only note the address; a work item acts on it. It waits a
 * little: DHCP clients take an address away and put it back. The list is
 * bounded; what does not fit ends by its own timeouts. A device is let go at
 * once.
 */
#include <linux/inetdevice.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/addrconf.h>
#include <net/route.h>

#include "sip_strict.h"

#define SIP_STRICT_ADDRESS_WAIT (HZ / 2)
#define SIP_STRICT_ADDRESS_MAX 1024u

/**
 * struct sip_strict_gone - an address to look at
 * @list: in sip_strict_gone_list
 * @net: its namespace, referenced
 * @ip: the address
 */
struct sip_strict_gone {
	struct list_head list;
	struct net *net;
	struct sip_ip ip;
};

static LIST_HEAD(sip_strict_gone_list);
static unsigned int sip_strict_gone_count;
static DEFINE_SPINLOCK(sip_strict_gone_lock); /* the two above */

/* It may be back, or stand on another device. */
static bool sip_strict_address_is_ours(struct net *net, const struct sip_ip *ip)
{
	__be32 v4;

	if (ip->family == SIP_AF_IP6) {
#if IS_ENABLED(CONFIG_IPV6)
		struct in6_addr v6;

		memcpy(&v6, ip->b, sizeof(v6));
		return ipv6_chk_addr(net, &v6, NULL, 0);
#else
		return false;
#endif
	}
	memcpy(&v4, ip->b, sizeof(v4));
	return inet_addr_type(net, v4) == RTN_LOCAL;
}

static void sip_strict_gone_free(struct sip_strict_gone *gone)
{
	put_net(gone->net);
	kfree(gone);
}

static void sip_strict_address_work(struct work_struct *work)
{
	struct sip_strict_gone *gone, *next;
	LIST_HEAD(list);

	spin_lock_bh(&sip_strict_gone_lock);
	list_splice_init(&sip_strict_gone_list, &list);
	sip_strict_gone_count = 0;
	spin_unlock_bh(&sip_strict_gone_lock);

	list_for_each_entry_safe(gone, next, &list, list) {
		struct sip_strict_net *sn = sip_strict_pernet(gone->net);

		if (!sip_strict_address_is_ours(gone->net, &gone->ip)) {
			SIP_STRICT_INC(sn, address_gone);
			sip_strict_address_gone(sn, &gone->ip);
		}
		sip_strict_gone_free(gone);
		cond_resched();
	}
}

static DECLARE_DELAYED_WORK(sip_strict_address_dwork, sip_strict_address_work);

/* Most namespaces carry no call; they are not worth an allocation. */
static bool sip_strict_net_is_idle(const struct sip_strict_net *sn)
{
	return !READ_ONCE(sn->n_calls) && !READ_ONCE(sn->n_regs) && !READ_ONCE(sn->n_maps) &&
	       !READ_ONCE(sn->n_mems) && !READ_ONCE(sn->n_flows);
}

/* Context: any. A namespace that is going away ends everything by itself. */
static void sip_strict_address_note(struct net *net, u8 family, const void *addr, size_t len)
{
	struct sip_strict_gone *gone;
	bool full;

	net = maybe_get_net(net);
	if (!net)
		return;
	if (sip_strict_net_is_idle(sip_strict_pernet(net)))
		goto out_put;
	gone = kzalloc(sizeof(*gone), GFP_ATOMIC);
	if (!gone)
		goto out_put;
	gone->net = net;
	gone->ip.family = family;
	memcpy(gone->ip.b, addr, len);

	spin_lock_bh(&sip_strict_gone_lock);
	full = sip_strict_gone_count >= SIP_STRICT_ADDRESS_MAX;
	if (!full) {
		list_add_tail(&gone->list, &sip_strict_gone_list);
		sip_strict_gone_count++;
	}
	spin_unlock_bh(&sip_strict_gone_lock);
	if (full)
		sip_strict_gone_free(gone);
	else
		schedule_delayed_work(&sip_strict_address_dwork, SIP_STRICT_ADDRESS_WAIT);
	return;

out_put:
	put_net(net);
}

static int sip_strict_inet_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct in_ifaddr *ifa = ptr;

	if (event == NETDEV_DOWN)
		sip_strict_address_note(dev_net(ifa->ifa_dev->dev), SIP_AF_IP4, &ifa->ifa_local,
					sizeof(ifa->ifa_local));
	return NOTIFY_DONE;
}

static struct notifier_block sip_strict_inet_notifier = {
	.notifier_call = sip_strict_inet_event,
};

#if IS_ENABLED(CONFIG_IPV6)
static int sip_strict_inet6_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct inet6_ifaddr *ifa = ptr;

	if (event == NETDEV_DOWN)
		sip_strict_address_note(dev_net(ifa->idev->dev), SIP_AF_IP6, &ifa->addr,
					sizeof(ifa->addr));
	return NOTIFY_DONE;
}

static struct notifier_block sip_strict_inet6_notifier = {
	.notifier_call = sip_strict_inet6_event,
};
#endif

static int sip_strict_device_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	/* It is said of all devices, too, when nobody listens any more. */
	if (event == NETDEV_UNREGISTER && dev->reg_state != NETREG_REGISTERED)
		sip_strict_tcp_device_gone(sip_strict_pernet(dev_net(dev)), dev);
	return NOTIFY_DONE;
}

static struct notifier_block sip_strict_device_notifier = {
	.notifier_call = sip_strict_device_event,
};

/**
 * sip_strict_address_init() - watch addresses and devices, in all namespaces
 *
 * Context: module load, after the pernet part.
 * Return: 0 or -errno.
 */
int sip_strict_address_init(void)
{
	int ret;

	ret = register_netdevice_notifier(&sip_strict_device_notifier);
	if (ret)
		return ret;
	ret = register_inetaddr_notifier(&sip_strict_inet_notifier);
	if (ret)
		goto device;
#if IS_ENABLED(CONFIG_IPV6)
	ret = register_inet6addr_notifier(&sip_strict_inet6_notifier);
	if (ret)
		goto inet;
#endif
	return 0;

#if IS_ENABLED(CONFIG_IPV6)
inet:
	unregister_inetaddr_notifier(&sip_strict_inet_notifier);
#endif
device:
	unregister_netdevice_notifier(&sip_strict_device_notifier);
	return ret;
}

/**
 * sip_strict_address_exit() - stop watching
 *
 * Context: module unload, before the pernet part; waits for the work item.
 */
void sip_strict_address_exit(void)
{
	struct sip_strict_gone *gone, *next;

#if IS_ENABLED(CONFIG_IPV6)
	unregister_inet6addr_notifier(&sip_strict_inet6_notifier);
#endif
	unregister_inetaddr_notifier(&sip_strict_inet_notifier);
	unregister_netdevice_notifier(&sip_strict_device_notifier);
	cancel_delayed_work_sync(&sip_strict_address_dwork);
	list_for_each_entry_safe(gone, next, &sip_strict_gone_list, list)
		sip_strict_gone_free(gone);
	INIT_LIST_HEAD(&sip_strict_gone_list);
}
