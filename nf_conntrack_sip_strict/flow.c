// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow.c - signalling flows that something depends on.
 *
 * A call, a registration or a mapping names the flow that it was learnt on:
 * for its mark, its egress, and as the master of media connections. The
 * record owns a reference on the conntrack. Two things follow:
 *
 * - A UDP entry is kept until the latest of what is on it expires, or the next
 *   packet would leave from another port: IPS_FIXED_TIMEOUT, so that packets
 *   do not shorten it, and a timeout of that time and three minutes. When
 *   nothing wants it any more it gets an ordinary timeout back. (TCP needs
 *   none of this, and the bit would freeze its closing states.)
 *
 * - A conntrack that was ended (conntrack -F, address gone) is of use as a
 *   master only as long as there is no better one: the sweep looks for the
 *   entry that the next packet of the same hosts and ports has made, and lets
 *   the dead one go for it.
 *
 * Everything runs under sn->lock but sip_strict_flow_is_known(). References on
 * a record are counted; it goes with the last one.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_timeout.h>

#include "mapping.h"

#define SIP_STRICT_FLOW_SPARE (180 * HZ)
#define SIP_STRICT_FLOW_MAX (14UL * 24 * 3600 * HZ) /* well below 2^31 at HZ=1000 */

static const struct rhashtable_params sip_strict_flow_params = {
	.head_offset = offsetof(struct sip_strict_flow, node),
	.key_offset = offsetof(struct sip_strict_flow, ct),
	.key_len = sizeof_field(struct sip_strict_flow, ct),
	.automatic_shrinking = true,
};

/**
 * sip_strict_flow_find() - the record of a flow
 * @sn: the namespace
 * @ct: the flow
 *
 * Context: RCU read lock held; sn->lock too where the answer is used.
 * Return: the record, without a reference of its own, or NULL.
 */
static struct sip_strict_flow *
sip_strict_flow_find(struct sip_strict_net *sn, const struct nf_conn *ct)
{
	return rhashtable_lookup(&sn->flows, &ct, sip_strict_flow_params);
}

/**
 * sip_strict_flow_is_known() - does something depend on this flow?
 * @sn: the namespace
 * @ct: the flow
 *
 * Context: RCU read lock held.
 * Return: true if there is a record of it.
 */
bool sip_strict_flow_is_known(struct sip_strict_net *sn, const struct nf_conn *ct)
{
	return sip_strict_flow_find(sn, ct);
}

/* ---- flows without our helper ------------------------------------------- */

static void sip_strict_flow_note_lost(unsigned long *lost, const struct nf_conn *ct)
{
	bool observe;

	if (!sip_strict_helper_of(ct, &observe))
		__set_bit(sip_strict_lost_bit(ct), lost);
}

/* ---- timeouts ----------------------------------------------------------- */

static void sip_strict_flow_fix(struct sip_strict_flow *flow, unsigned long until)
{
	struct nf_conn *ct = flow->ct;
	unsigned long left = time_after(until, jiffies) ? until - jiffies : 0;

	if (nf_ct_protonum(ct) != IPPROTO_UDP || !nf_ct_is_confirmed(ct) || nf_ct_is_dying(ct))
		return;
	if (!flow->fixed) {
		/* Set already: somebody else's, who knows what for. */
		if (test_and_set_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
			return;
		flow->fixed = true;
	}
	left = min_t(unsigned long, left, SIP_STRICT_FLOW_MAX) + SIP_STRICT_FLOW_SPARE;
	WRITE_ONCE(ct->timeout, nfct_time_stamp + (u32)left);
}

static u32 sip_strict_udp_timeout(const struct nf_conn *ct)
{
	const unsigned int *timeouts = nf_ct_timeout_lookup(ct);

	if (!timeouts)
		timeouts = nf_udp_pernet(nf_ct_net(ct))->timeouts;
	return timeouts[test_bit(IPS_SEEN_REPLY_BIT, &ct->status) ? UDP_CT_REPLIED :
								    UDP_CT_UNREPLIED];
}

static void sip_strict_flow_unfix(struct sip_strict_flow *flow)
{
	struct nf_conn *ct = flow->ct;

	if (!flow->fixed)
		return;
	flow->fixed = false;
	if (nf_ct_is_dying(ct))
		return;
	clear_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status);
	WRITE_ONCE(ct->timeout, nfct_time_stamp + sip_strict_udp_timeout(ct));
}

/**
 * sip_strict_flow_keep() - keep the entry of a flow at least until then
 * @flow: the flow
 * @until: jiffies
 *
 * Context: RCU read lock and sn->lock held.
 */
void sip_strict_flow_keep(struct sip_strict_flow *flow, unsigned long until)
{
	if (!flow)
		return;
	if (!flow->until || time_after(until, flow->until))
		flow->until = until ?: 1;
	sip_strict_flow_fix(flow, flow->until);
}

/* ---- references --------------------------------------------------------- */

/**
 * sip_strict_flow_ct_put() - drop a conntrack that may be dead
 * @ct: the conntrack
 *
 * Nobody clears the helper of a dead one when that goes.
 */
void sip_strict_flow_ct_put(struct nf_conn *ct)
{
#ifndef HAVE_HELPER_CT_REFCNT
	struct nf_conn_help *help = nfct_help(ct);

	if (help && nf_ct_is_dying(ct))
		RCU_INIT_POINTER(help->helper, NULL);
#endif
	nf_ct_put(ct);
}

static void sip_strict_flow_free_rcu(struct rcu_head *rcu)
{
	struct sip_strict_flow *flow = container_of(rcu, struct sip_strict_flow, rcu);

	sip_strict_flow_ct_put(flow->ct);
	kfree(flow);
}

static void sip_strict_flow_unhash(struct sip_strict_net *sn, struct sip_strict_flow *flow)
{
	if (flow->hashed)
		rhashtable_remove_fast(&sn->flows, &flow->node, sip_strict_flow_params);
	flow->hashed = false;
}

static void sip_strict_flow_hash(struct sip_strict_net *sn, struct sip_strict_flow *flow)
{
	flow->hashed = !rhashtable_lookup_insert_fast(&sn->flows, &flow->node,
						      sip_strict_flow_params);
}

/**
 * sip_strict_flow_get() - the record of a flow, made if need be
 * @sn: the namespace
 * @ct: the flow
 * @oif: device that its outside end is reached by, 0: not known
 *
 * Context: RCU read lock and sn->lock held.
 * Return: the record with a reference for the caller, or NULL out of memory.
 */
struct sip_strict_flow *sip_strict_flow_get(struct sip_strict_net *sn, struct nf_conn *ct, int oif)
{
	struct sip_strict_flow *flow = sip_strict_flow_find(sn, ct);

	lockdep_assert_held(&sn->lock);
	if (flow) {
		refcount_inc(&flow->ref);
		if (!flow->oif)
			flow->oif = oif;
		return flow;
	}
	flow = kzalloc(sizeof(*flow), GFP_ATOMIC);
	if (!flow)
		return NULL;
	flow->ct = ct;
	flow->oif = oif;
	refcount_set(&flow->ref, 1);
	sip_strict_flow_hash(sn, flow);
	if (!flow->hashed) {
		kfree(flow);
		return NULL;
	}
	nf_conntrack_get(&ct->ct_general);
	list_add_tail(&flow->list, &sn->flow_list);
	sn->n_flows++;
	sip_strict_flow_note_lost(sn->lost, ct);
	return flow;
}

/**
 * sip_strict_flow_put() - the reverse of sip_strict_flow_get()
 * @sn: the namespace
 * @flow: the record, or NULL
 *
 * Context: sn->lock held.
 */
void sip_strict_flow_put(struct sip_strict_net *sn, struct sip_strict_flow *flow)
{
	if (!flow || !refcount_dec_and_test(&flow->ref))
		return;
	sip_strict_flow_unfix(flow);
	sip_strict_flow_unhash(sn, flow);
	list_del(&flow->list);
	sn->n_flows--;
	call_rcu(&flow->rcu, sip_strict_flow_free_rcu);
}

/* ---- masters ------------------------------------------------------------ */

static bool sip_strict_flow_is_good(const struct sip_strict_flow *flow)
{
	return flow && nf_ct_is_confirmed(flow->ct) && !nf_ct_is_dying(flow->ct);
}

static const struct sip_strict_flow *sip_strict_use_flow(const struct sip_strict_use *use)
{
	switch (use->owner) {
	case SIP_STRICT_OF_CALL:
		return use->call->flow;
	case SIP_STRICT_OF_REG:
		return use->reg->flow;
	default:
		return NULL;
	}
}

/**
 * sip_strict_map_master() - the master of connections made from a mapping
 * @map: the mapping
 *
 * The flow that it was learnt on, another flow of its calls where that one has
 * ended, and a dead one before none: without a master a connection would not
 * be RELATED. Depth is one, for conntracks are freed recursively.
 *
 * Context: sn->lock held.
 * Return: the conntrack, referenced, or NULL.
 */
struct nf_conn *sip_strict_map_master(const struct sip_strict_map *map)
{
	const struct sip_strict_flow *flow = map->flow;
	const struct sip_strict_use *use;
	struct nf_conn *master;

	if (!sip_strict_flow_is_good(flow)) {
		list_for_each_entry(use, &map->uses, map_node) {
			const struct sip_strict_flow *other = sip_strict_use_flow(use);

			if (!flow || sip_strict_flow_is_good(other))
				flow = other;
			if (sip_strict_flow_is_good(flow))
				break;
		}
	}
	if (!flow)
		return NULL;
	master = flow->ct->master ?: flow->ct;
	nf_conntrack_get(&master->ct_general);
	return master;
}

/* ---- sweep -------------------------------------------------------------- */

/* The living successor of a dead entry: same hosts and ports from its start. */
static struct nf_conn *sip_strict_flow_heir(struct sip_strict_net *sn, const struct nf_conn *dead)
{
	const struct nf_conntrack_tuple *tuple = &dead->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	struct nf_conntrack_tuple_hash *h;
	struct nf_conn *ct;

	h = nf_conntrack_find_get(sn->net, nf_ct_zone(dead), tuple);
	if (!h)
		return NULL;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (NF_CT_DIRECTION(h) == IP_CT_DIR_ORIGINAL && !nf_ct_is_dying(ct))
		return ct;
	nf_ct_put(ct);
	return NULL;
}

static void sip_strict_flow_renew(struct sip_strict_net *sn, struct sip_strict_flow *flow)
{
	struct nf_conn *dead = flow->ct, *ct = sip_strict_flow_heir(sn, dead);

	if (!ct)
		return;
	sip_strict_flow_unhash(sn, flow);
	flow->ct = ct;
	flow->fixed = false;
	sip_strict_flow_hash(sn, flow);
	sip_strict_flow_ct_put(dead);
}

/* A second record of one connection leaves the timeout to the first one. */
static void sip_strict_flow_defer(struct sip_strict_net *sn, struct sip_strict_flow *flow)
{
	struct sip_strict_flow *first = sip_strict_flow_find(sn, flow->ct);

	if (!first) {
		sip_strict_flow_hash(sn, flow);
		return;
	}
	if (flow->want && (!first->want || time_after(flow->want, first->want)))
		first->want = flow->want;
	flow->want = 0;
}

/**
 * sip_strict_flow_sweep_begin() - forget who wanted which flow until when
 * @sn: the namespace
 *
 * Context: sn->lock held.
 */
void sip_strict_flow_sweep_begin(struct sip_strict_net *sn)
{
	struct sip_strict_flow *flow;

	list_for_each_entry(flow, &sn->flow_list, list)
		flow->want = 0;
}

/**
 * sip_strict_flow_sweep_end() - keep what is wanted, let go what is not
 * @sn: the namespace
 *
 * Context: RCU read lock and sn->lock held.
 */
void sip_strict_flow_sweep_end(struct sip_strict_net *sn)
{
	unsigned long lost[BITS_TO_LONGS(SIP_STRICT_LOST_BITS)] = {};
	struct sip_strict_flow *flow;

	list_for_each_entry(flow, &sn->flow_list, list) {
		/* Never confirmed: dropped, or it lost to its twin (clash). */
		if (nf_ct_is_dying(flow->ct) || !nf_ct_is_confirmed(flow->ct))
			sip_strict_flow_renew(sn, flow);
		if (!flow->hashed)
			sip_strict_flow_defer(sn, flow);
	}
	list_for_each_entry(flow, &sn->flow_list, list) {
		flow->until = flow->want;
		if (flow->want)
			sip_strict_flow_fix(flow, flow->want);
		else
			sip_strict_flow_unfix(flow);
		sip_strict_flow_note_lost(lost, flow->ct);
	}
	memcpy(sn->lost, lost, sizeof(lost));
}

/* ---- namespaces --------------------------------------------------------- */

/**
 * sip_strict_flow_net_init() - make the table of a namespace
 * @sn: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int sip_strict_flow_net_init(struct sip_strict_net *sn)
{
	INIT_LIST_HEAD(&sn->flow_list);
	return rhashtable_init(&sn->flows, &sip_strict_flow_params);
}

/**
 * sip_strict_flow_net_exit() - drop the table; all references are put
 * @sn: the namespace
 *
 * Context: process; no packet can reach the table any more.
 */
void sip_strict_flow_net_exit(struct sip_strict_net *sn)
{
	WARN_ON_ONCE(!list_empty(&sn->flow_list));
	rhashtable_destroy(&sn->flows);
}
