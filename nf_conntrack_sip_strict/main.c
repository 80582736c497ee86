// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - loading and unloading, namespaces, and the sweep.
 *
 * The order of setting up and taking down stands here and nowhere else.
 *
 *   load:    scratch memory, namespaces, helpers, address notifiers
 *   per net: counters, tables, sysctls, proc files, hooks
 *
 * and the reverse. A namespace is left in steps: no new work (leaving), the
 * works stopped, TCP connections handed over to conntrack, hooks off, calls and
 * registrations dropped (their media goes on as plain connections), tables
 * freed. A conntrack that we hold would keep its namespace from ending; pernet
 * exits run in reverse order of registration, so all of ours are put before
 * conntrack looks for leftovers.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "sip_strict.h"

unsigned int sip_strict_net_id __read_mostly;

static siphash_key_t sip_strict_key[2] __read_mostly;

/**
 * sip_strict_hash() - a keyed hash of some bytes of a message
 * @s: the bytes
 * @len: how many
 *
 * Return: 0 for no bytes, never 0 otherwise.
 */
u64 sip_strict_hash(const u8 *s, u32 len)
{
	return len ? siphash(s, len, &sip_strict_key[0]) ?: 1 : 0;
}

/**
 * sip_strict_hash2() - another one, independent of the first
 * @s: the bytes
 * @len: how many
 *
 * Return: the hash.
 */
u64 sip_strict_hash2(const u8 *s, u32 len)
{
	return siphash(s, len, &sip_strict_key[1]);
}

/**
 * sip_strict_grow() - room for one more in a small array
 * @array: the array; may be moved
 * @n: entries that it has
 * @size: of an entry
 * @own: where it begins: room in its owner; NULL: nowhere
 * @n_own: entries that there is room for there: a power of 2, or 0
 *
 * Context: the lock that protects the array held; GFP_ATOMIC.
 * Return: false when out of memory; the array is as it was.
 */
bool sip_strict_grow(void **array, u32 n, size_t size, void *own, u32 n_own)
{
	void *grown;

	/* Room doubles: most calls have few of each. */
	if (n < n_own || n & (n - 1))
		return true;
	grown = krealloc(*array == own ? NULL : *array, (n ? 2 * n : 1) * size, GFP_ATOMIC);
	if (!grown)
		return false;
	if (*array == own && n)
		memcpy(grown, own, n * size);
	*array = grown;
	return true;
}

/**
 * sip_strict_sweep_kick() - see to it that the sweep runs
 * @sn: the namespace
 *
 * Context: any.
 */
void sip_strict_sweep_kick(struct sip_strict_net *sn)
{
	if (!READ_ONCE(sn->leaving) && !delayed_work_pending(&sn->sweep))
		schedule_delayed_work(&sn->sweep, HZ);
}

static bool sip_strict_net_is_idle(const struct sip_strict_net *sn)
{
	return list_empty(&sn->call_list) && list_empty(&sn->ended_list) &&
	       list_empty(&sn->reg_list) && list_empty(&sn->regs_ended) &&
	       list_empty(&sn->mem_list) && list_empty(&sn->loose_uses) &&
	       list_empty(&sn->flow_list);
}

static void sip_strict_sweep(struct work_struct *work)
{
	struct sip_strict_net *sn = container_of(to_delayed_work(work), struct sip_strict_net,
						 sweep);
	struct sip_strict_reap reap = {};
	bool idle;

	rcu_read_lock();
	spin_lock_bh(&sn->lock);
	sip_strict_flow_sweep_begin(sn);
	sip_strict_call_sweep(sn, &reap);
	sip_strict_reg_sweep(sn, &reap);
	sip_strict_known_sweep(sn);
	sip_strict_mem_sweep(sn);
	sip_strict_use_sweep(sn, &reap);
	sip_strict_flow_sweep_end(sn);
	idle = sip_strict_net_is_idle(sn);
	spin_unlock_bh(&sn->lock);
	rcu_read_unlock();

	sip_strict_reap_run(sn, &reap);
	sip_strict_tcp_sweep(sn);
	if (!idle || !list_empty(&sn->tcp_list))
		sip_strict_sweep_kick(sn);
}

/*
 * A flow whose outside end has this address, its conntrack referenced. One that
 * is not confirmed stands in no table that it could be taken out of.
 */
static struct nf_conn *sip_strict_flow_at(struct sip_strict_net *sn,
					  const struct sip_strict_end *end)
{
	struct sip_strict_flow *flow;

	list_for_each_entry(flow, &sn->flow_list, list) {
		struct nf_conn *ct = flow->ct;

		if (!nf_ct_is_confirmed(ct) || nf_ct_is_dying(ct) ||
		    nf_ct_l3num(ct) != end->l3num)
			continue;
		if (memcmp(&ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u3, &end->addr,
			   sizeof(end->addr)) &&
		    memcmp(&ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u3, &end->addr,
			   sizeof(end->addr)))
			continue;
		nf_conntrack_get(&ct->ct_general);
		return ct;
	}
	return NULL;
}

/**
 * sip_strict_address_gone() - the gateway has lost an address (PPPoE, DHCP)
 * @sn: the namespace
 * @ip: the address
 *
 * What was mapped to it ends at once, so that the phone's next message makes
 * good mappings instead of keeping dead ones alive.
 *
 * Context: process.
 */
void sip_strict_address_gone(struct sip_strict_net *sn, const struct sip_ip *ip)
{
	struct sip_ap ap = { .ip = *ip };
	struct sip_strict_reap reap = {};
	struct sip_strict_end end;
	struct nf_conn *ct;

	sip_strict_end_set(&end, &ap, 0, 0);
	rcu_read_lock();
	spin_lock_bh(&sn->lock);
	sip_strict_call_address_gone(sn, &end, &reap);
	sip_strict_reg_address_gone(sn, &end, &reap);
	spin_unlock_bh(&sn->lock);
	rcu_read_unlock();
	sip_strict_reap_run(sn, &reap);
	for (;;) {
		spin_lock_bh(&sn->lock);
		ct = sip_strict_flow_at(sn, &end);
		spin_unlock_bh(&sn->lock);
		if (!ct)
			break;
		nf_ct_kill(ct);
		nf_ct_put(ct);
	}
}

static int sip_strict_tables_init(struct sip_strict_net *sn)
{
	int err;

	err = sip_strict_quota_net_init(sn);
	if (err)
		return err;
	err = sip_strict_mapping_net_init(sn);
	if (err)
		goto quota;
	err = sip_strict_mem_net_init(sn);
	if (err)
		goto mapping;
	err = sip_strict_call_net_init(sn);
	if (err)
		goto mem;
	err = sip_strict_reg_net_init(sn);
	if (err)
		goto call;
	err = sip_strict_tcp_net_init(sn);
	if (err)
		goto reg;
	return 0;

reg:
	sip_strict_reg_net_exit(sn);
call:
	sip_strict_call_net_exit(sn);
mem:
	sip_strict_mem_net_exit(sn);
mapping:
	sip_strict_mapping_net_exit(sn);
quota:
	sip_strict_quota_net_exit(sn);
	return err;
}

static void sip_strict_tables_exit(struct sip_strict_net *sn)
{
	sip_strict_tcp_net_exit(sn);
	sip_strict_reg_net_exit(sn);
	sip_strict_call_net_exit(sn);
	sip_strict_mem_net_exit(sn);
	sip_strict_mapping_net_exit(sn);
	sip_strict_quota_net_exit(sn);
}

static int __net_init sip_strict_net_init(struct net *net)
{
	struct sip_strict_net *sn = sip_strict_pernet(net);
	int err;

	sn->net = net;
	spin_lock_init(&sn->lock);
	INIT_DELAYED_WORK(&sn->sweep, sip_strict_sweep);
	err = sip_strict_stats_init(sn);
	if (err)
		return err;
	err = sip_strict_tables_init(sn);
	if (err)
		goto stats;
	err = sip_strict_sysctl_init(sn);
	if (err)
		goto tables;
	err = sip_strict_proc_init(net);
	if (err)
		goto sysctl;
	err = sip_strict_hooks_net_init(sn);
	if (err)
		goto proc;
	return 0;

proc:
	sip_strict_proc_exit(net);
sysctl:
	sip_strict_sysctl_exit(sn);
tables:
	sip_strict_tables_exit(sn);
stats:
	sip_strict_stats_exit(sn);
	return err;
}

/* The sweep first, which starts the other. */
static void sip_strict_works_cancel(struct sip_strict_net *sn)
{
	cancel_delayed_work_sync(&sn->sweep);
	cancel_delayed_work_sync(&sn->expect_work);
}

static void __net_exit sip_strict_net_exit(struct net *net)
{
	struct sip_strict_net *sn = sip_strict_pernet(net);

	spin_lock_bh(&sn->lock);
	WRITE_ONCE(sn->leaving, true);
	spin_unlock_bh(&sn->lock);
	/* Hooks that did not see it yet may add a TCP connection and start the sweep. */
	synchronize_net();
	sip_strict_works_cancel(sn);
	sip_strict_tcp_net_leave(sn);
	sip_strict_hooks_net_exit(sn);
	synchronize_net();
	sip_strict_proc_exit(net);
	sip_strict_sysctl_exit(sn);
	sip_strict_tables_exit(sn);
	sip_strict_stats_exit(sn);
}

static struct pernet_operations sip_strict_net_ops = {
	.init = sip_strict_net_init,
	.exit = sip_strict_net_exit,
	.id = &sip_strict_net_id,
	.size = sizeof(struct sip_strict_net),
};

static int __init sip_strict_init(void)
{
	int err;

	get_random_bytes(sip_strict_key, sizeof(sip_strict_key));
	err = sip_strict_work_init();
	if (err)
		return err;
	err = register_pernet_subsys(&sip_strict_net_ops);
	if (err)
		goto work;
	err = sip_strict_helper_init();
	if (err)
		goto net;
	err = sip_strict_address_init();
	if (err)
		goto helper;
	return 0;

helper:
	sip_strict_helper_exit();
net:
	unregister_pernet_subsys(&sip_strict_net_ops);
	rcu_barrier();
work:
	sip_strict_work_exit();
	return err;
}

static void __exit sip_strict_exit(void)
{
	sip_strict_address_exit();
	sip_strict_hooks_part();
	sip_strict_helper_exit();
	unregister_pernet_subsys(&sip_strict_net_ops);
	rcu_barrier();
	sip_strict_work_exit();
}

module_init(sip_strict_init);
module_exit(sip_strict_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("SIP connection tracking and NAT helper that rewrites only what it must");
MODULE_VERSION("1.0.0");
