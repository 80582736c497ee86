/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - makes older kernels look like the newest one.
 *
 * The glue is written against Linux 7.3. Where an older kernel differs, the
 * difference is told here and nowhere else. HAVE_* come from Kbuild, which
 * looks into the headers of the kernel that is built for: stable updates moved
 * this API inside a series, so a version number says nothing.
 *
 * What can be made to look new is given its new name. What cannot, because
 * ownership or types changed, is a small function sip_strict_*() that all
 * kernels go through.
 */
#ifndef SIP_STRICT_COMPAT_H
#define SIP_STRICT_COMPAT_H

#include <linux/netfilter.h>
#include <linux/poison.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <linux/timer.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_expect.h>
#include <net/netfilter/nf_conntrack_helper.h>

/*
 * Headers that moved. skb_gso_segment(): net/gso.h since 6.5, before that in
 * linux/netdevice.h. get_unaligned(): linux/unaligned.h since 6.12. (Sparse does
 * not know __has_include.)
 */
#include <linux/netdevice.h>
#ifdef HAVE_NET_GSO_H
#include <net/gso.h>
#endif
#ifdef HAVE_LINUX_UNALIGNED_H
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* timer_container_of(): name since 6.16; from_timer() before (5.10, 6.1, 6.12). */
#ifndef timer_container_of
#define timer_container_of(var, timer, field) from_timer(var, timer, field)
#endif

/* timer_shutdown_sync(): since 6.2 and in 6.1.y; not in 5.10. The caller there
 * has to see to it that nothing arms the timer again.
 */
#ifndef HAVE_TIMER_SHUTDOWN_SYNC
static inline int timer_shutdown_sync(struct timer_list *timer)
{
	return timer_delete_sync(timer);
}
#endif

/* get_random_u32_below(): since 6.2 and in 6.1.y; not in 5.10. */
#ifndef HAVE_GET_RANDOM_U32_BELOW
static inline u32 get_random_u32_below(u32 ceil)
{
	return prandom_u32_max(ceil);
}
#endif

/* __assign_str() takes the name alone since 6.10; 5.10 and 6.1 want the source
 * again. For use in trace.h.
 */
#ifdef HAVE_ASSIGN_STR_ONE
#define sip_strict_assign_str(dst, src) __assign_str(dst)
#else
#define sip_strict_assign_str(dst, src) __assign_str(dst, src)
#endif

/* A proc_handler's table is const since 6.11; not in 5.10 and 6.1. */
#ifdef HAVE_CONST_PROC_HANDLER
#define sip_strict_ctl_table const struct ctl_table
#else
#define sip_strict_ctl_table struct ctl_table
#endif

/**
 * sip_strict_sysctl_register() - register the sysctls of a namespace
 * @net: namespace
 * @path: directory
 * @table: entries, followed by an empty one: the end for 5.10 and 6.1, while
 *	6.12 and newer refuse an empty entry inside the count
 * @entries: number without the empty one
 *
 * register_net_sysctl_sz() is there since 6.6.
 *
 * Return: header, or NULL.
 */
static inline struct ctl_table_header *
sip_strict_sysctl_register(struct net *net, const char *path, struct ctl_table *table,
			   size_t entries)
{
#ifdef HAVE_NET_SYSCTL_SZ
	return register_net_sysctl_sz(net, path, table, entries);
#else
	return register_net_sysctl(net, path, table);
#endif
}

/**
 * sip_strict_helper_register() - register a conntrack helper for both families
 * @ptr: is set to the helper: what flows are compared with and unregistered by
 * @l4proto: IPPROTO_UDP or IPPROTO_TCP
 * @name: at most NF_CT_HELPER_NAME_LEN - 1 bytes
 * @slot: a small number, another one for each name
 * @policy: classes of expectations; has to outlive the helper
 * @class_max: number of the last class
 * @help: called for each packet of a flow
 *
 * 7.3's core registers a copy of its own, counts references on it and
 * frees it; nf_ct_helper_init() has no ports. Before, the caller's memory was
 * registered: that is allocated here, and freed by the unregister below. There
 * helpers of one family and protocol must differ in their port, besides the
 * name: the slot stands in for it. It never selects a flow, for a helper of no
 * family is not looked up by port (5.10's nf_conntrack_helper), and it is in
 * nobody's way, for in-tree helpers have a family.
 *
 * Context: process; may sleep.
 * Return: 0; -EBUSY: the name is taken; -ENOMEM, -EINVAL.
 */
static inline int sip_strict_helper_register(struct nf_conntrack_helper **ptr, u8 l4proto,
					     const char *name, u16 slot,
					     const struct nf_conntrack_expect_policy *policy,
					     u32 class_max,
					     int (*help)(struct sk_buff *skb,
							 unsigned int protoff,
							 struct nf_conn *ct,
							 enum ip_conntrack_info ctinfo))
{
	struct nf_conntrack_helper *helper;
	int err;

	helper = kzalloc(sizeof(*helper), GFP_KERNEL);
	if (!helper)
		return -ENOMEM;
#ifdef HAVE_HELPER_INIT_PORTS
	nf_ct_helper_init(helper, NFPROTO_UNSPEC, l4proto, name, slot, slot, 0, policy,
			  class_max, help, NULL, THIS_MODULE);
#else
	nf_ct_helper_init(helper, NFPROTO_UNSPEC, l4proto, name, policy, class_max, help, NULL,
			  THIS_MODULE);
#endif
#ifdef HAVE_HELPER_REGISTER_COPIES
	err = nf_conntrack_helper_register(helper, ptr);
	kfree(helper);
#else
	err = nf_conntrack_helper_register(helper);
	if (err)
		kfree(helper);
	else
		*ptr = helper;
#endif
	return err;
}

/*
 * Up to 6.12 the core takes the helper from all flows in its table. A master
 * that left the table lives on with its children, and rules ask for its helper
 * by name (nft: ct helper): that one has to lose it too, before it is freed.
 */
#ifndef HAVE_HELPER_CT_REFCNT
static inline int sip_strict_helper_forget(struct nf_conn *ct, void *helper)
{
	struct nf_conn_help *help = ct->master ? nfct_help(ct->master) : NULL;

	if (help && rcu_access_pointer(help->helper) == helper)
		RCU_INIT_POINTER(help->helper, NULL);
	return 0;
}
#endif

/**
 * sip_strict_helper_unregister() - undo sip_strict_helper_register()
 * @ptr: the helper; set to NULL
 *
 * Drops its expectations. Up to 6.12 flows lose it here; in 7.3 they keep it,
 * disabled, until they die.
 *
 * Context: process; waits for a grace period.
 */
static inline void sip_strict_helper_unregister(struct nf_conntrack_helper **ptr)
{
	struct nf_conntrack_helper *helper = *ptr;

	if (!helper)
		return;
	*ptr = NULL;
	nf_conntrack_helper_unregister(helper);
#ifndef HAVE_HELPER_CT_REFCNT
	nf_ct_iterate_destroy(sip_strict_helper_forget, helper);
	synchronize_rcu();
#endif
#ifndef HAVE_HELPER_REGISTER_COPIES
	kfree(helper);
#endif
}

/**
 * sip_strict_helper_attach() - give a new flow a helper
 * @ct: flow, not confirmed yet
 * @helper: as registered
 *
 * In 7.3 each flow owns a reference on its helper, which the core drops
 * with the flow. IPS_HELPER_BIT, which keeps others from assigning one, is set
 * by nf_ct_helper_ext_add() since 6.1, by the caller in 5.10.
 *
 * Context: softirq, RCU read lock held.
 * Return: false out of memory, when the flow has the extension already, or
 * when the helper is on its way out.
 */
static inline bool sip_strict_helper_attach(struct nf_conn *ct,
					    struct nf_conntrack_helper *helper)
{
	struct nf_conn_help *help;

#ifdef HAVE_HELPER_CT_REFCNT
	if (!refcount_inc_not_zero(&helper->ct_refcnt))
		return false;
#endif
	help = nf_ct_helper_ext_add(ct, GFP_ATOMIC);
	if (!help) {
#ifdef HAVE_HELPER_CT_REFCNT
		if (refcount_dec_and_test(&helper->ct_refcnt))
			kfree_rcu(helper, rcu);
#endif
		return false;
	}
	rcu_assign_pointer(help->helper, helper);
	__set_bit(IPS_HELPER_BIT, &ct->status);
	return true;
}

/**
 * sip_strict_tcp4_listener() - does a socket of our own listen there?
 * @net: namespace
 * @addr: address
 * @port: port, host order
 * @dif: device that has the address
 *
 * The table is an argument in 5.10, 6.1 and 6.12, one of the namespace in 7.3.
 *
 * Context: RCU read lock held.
 */
static inline bool sip_strict_tcp4_listener(struct net *net, __be32 addr, u16 port, int dif)
{
#ifdef HAVE_LISTENER_HASHINFO
	return __inet_lookup_listener(net, net->ipv4.tcp_death_row.hashinfo, NULL, 0, 0, 0, addr,
				      port, dif, 0);
#else
	return __inet_lookup_listener(net, NULL, 0, 0, 0, addr, port, dif, 0);
#endif
}

#if IS_ENABLED(CONFIG_IPV6)
/* sip_strict_tcp6_listener() - the same for IPv6 */
static inline bool sip_strict_tcp6_listener(struct net *net, const struct in6_addr *addr,
					    u16 port, int dif)
{
#ifdef HAVE_LISTENER_HASHINFO
	return inet6_lookup_listener(net, net->ipv4.tcp_death_row.hashinfo, NULL, 0, &in6addr_any,
				     0, addr, port, dif, 0);
#else
	return inet6_lookup_listener(net, NULL, 0, &in6addr_any, 0, addr, port, dif, 0);
#endif
}
#endif

/**
 * sip_strict_helper_is_alive() - does it still do something?
 * @helper: helper of a flow
 *
 * Since 7.3 flows keep a helper that was unregistered, without its function;
 * before they lose it.
 *
 * Context: RCU read lock held.
 */
static inline bool sip_strict_helper_is_alive(const struct nf_conntrack_helper *helper)
{
#ifdef HAVE_HELPER_REGISTER_COPIES
	return rcu_access_pointer(helper->help);
#else
	return true;
#endif
}

/*
 * Expectations. Their end is a timer in 5.10 (and was in 6.1.170, 6.12.107),
 * jiffies (nfct_time_stamp) looked at now and then in 6.1.192, 6.12.118, 7.3.
 * nf_ct_remove_expect() went with the timer, and nf_ct_unexpect_related() only
 * flags since then. The functions below take an expectation of which the
 * caller owns a reference.
 */

/**
 * sip_strict_expect_alloc() - a published expectation that never matches
 * @master: flow with a helper extension, referenced by the caller
 * @class: of its helper's policy
 * @l3num: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: IPPROTO_UDP or IPPROTO_TCP
 * @saddr: source, or NULL: any; any source port
 * @daddr: destination
 * @dport: destination port
 *
 * Memory is not cleared in 5.10; what nf_ct_expect_init() leaves alone there
 * belongs to the core.
 *
 * Return: the expectation, with a reference; NULL out of memory.
 */
static inline struct nf_conntrack_expect *
sip_strict_expect_alloc(struct nf_conn *master, unsigned int class, u8 l3num, u8 proto,
			const union nf_inet_addr *saddr, const union nf_inet_addr *daddr,
			__be16 dport)
{
	struct nf_conntrack_expect *exp;

	exp = nf_ct_expect_alloc(master);
	if (!exp)
		return NULL;
	rcu_read_lock();
	nf_ct_expect_init(exp, class, l3num, saddr, daddr, proto, NULL, &dport);
	rcu_read_unlock();
	exp->flags = NF_CT_EXPECT_INACTIVE | NF_CT_EXPECT_PERMANENT;
	return exp;
}

/**
 * sip_strict_expect_linked() - is it still in the table?
 * @exp: expectation
 *
 * The core unlinks expectations with their master, by ctnetlink, and when a
 * full class evicts its oldest. hlist_del_rcu() leaves a poisoned pointer
 * behind, which hlist_unhashed() takes for linked.
 *
 * Context: nf_conntrack_expect_lock held.
 */
static inline bool sip_strict_expect_linked(const struct nf_conntrack_expect *exp)
{
	lockdep_assert_held(&nf_conntrack_expect_lock);
	return exp->hnode.pprev && exp->hnode.pprev != LIST_POISON2;
}

/**
 * sip_strict_expect_refresh() - let it live for some time from now on
 * @exp: expectation that was inserted
 * @seconds: lifetime, as the tools show it; at most a day is stored
 *
 * Context: any but hard interrupt; takes nf_conntrack_expect_lock.
 * Return: false: it has left the table.
 */
static inline bool sip_strict_expect_refresh(struct nf_conntrack_expect *exp, u32 seconds)
{
	u32 ticks = min_t(u32, seconds, 24 * 3600) * HZ;
	bool linked;

	spin_lock_bh(&nf_conntrack_expect_lock);
	linked = sip_strict_expect_linked(exp);
#ifdef HAVE_EXPECT_JIFFIES
	if (linked)
		WRITE_ONCE(exp->timeout, nfct_time_stamp + ticks);
#else
	if (linked)
		linked = mod_timer_pending(&exp->timeout, jiffies + ticks);
#endif
	spin_unlock_bh(&nf_conntrack_expect_lock);
	return linked;
}

/**
 * sip_strict_expect_publish() - insert it
 * @exp: from sip_strict_expect_alloc()
 * @seconds: lifetime
 *
 * Context: any but hard interrupt; takes nf_conntrack_expect_lock.
 * Return: 0; -EBUSY, -EALREADY: another one of this tuple; -EMFILE: table full;
 * -ESHUTDOWN: the master has no helper extension.
 */
static inline int sip_strict_expect_publish(struct nf_conntrack_expect *exp, u32 seconds)
{
	int err = nf_ct_expect_related(exp, 0);

	if (!err)
		sip_strict_expect_refresh(exp, seconds);
	return err;
}

/**
 * sip_strict_expect_withdraw() - take it out, if it is still in
 * @exp: expectation; the caller's reference stays the caller's
 *
 * Context: any but hard interrupt; takes nf_conntrack_expect_lock.
 */
static inline void sip_strict_expect_withdraw(struct nf_conntrack_expect *exp)
{
	spin_lock_bh(&nf_conntrack_expect_lock);
	if (sip_strict_expect_linked(exp)) {
#ifdef HAVE_NF_CT_REMOVE_EXPECT
		nf_ct_remove_expect(exp);
#else
		nf_ct_unlink_expect(exp);
#endif
	}
	spin_unlock_bh(&nf_conntrack_expect_lock);
}

#endif /* SIP_STRICT_COMPAT_H */
