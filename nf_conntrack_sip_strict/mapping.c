// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapping.c - the table of pinholes: inside pair <-> outside pair.
 *
 * A mapping is an address and port of an inside host and the pair that stands
 * for it outside. It belongs to nobody: calls and registrations use it, and it
 * lives as long as somebody does. Two calls on one RTP port, audio and image
 * on one socket, a fork to two carriers: one mapping each. Without NAT both
 * pairs are the same.
 *
 *   SDP names 192.168.1.9:40000   mapping made, port taken, not live
 *   the plan is complete          the call's use carries a set: live; from now
 *                                 on the hooks attach connections to it
 *   hold, port 0, rejected offer  no use is open: not live, its connections
 *                                 are ended, the port stays reserved
 *   the call ends                 last use put: unhashed, port given back
 *
 * Everything runs under sn->lock but the look-ups of the hooks, which run
 * under RCU and check again under the lock. Bounds: a mapping exists only
 * with a use (bounded by dialog_max and the uses of a call), has at most
 * SIP_STRICT_MAX_ENTRIES connections for each of them, and its cost does not
 * depend on how many mappings there are.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "mapping.h"
#include "trace.h"

#define SIP_STRICT_LOOKS 512 /* mappings whose counters are read in a sweep */

/* There are four of each for a call with two streams: they fill a slab object. */
static_assert(sizeof(struct sip_strict_map) <= 128);
static_assert(sizeof(struct sip_strict_use) <= 64);

static const struct rhashtable_params sip_strict_map_in_params = {
	.head_offset = offsetof(struct sip_strict_map, node_in),
	.key_offset = offsetof(struct sip_strict_map, in),
	.key_len = sizeof_field(struct sip_strict_map, in),
	.automatic_shrinking = true,
};

static const struct rhashtable_params sip_strict_map_out_params = {
	.head_offset = offsetof(struct sip_strict_map, node_out),
	.key_offset = offsetof(struct sip_strict_map, out),
	.key_len = sizeof_field(struct sip_strict_map, out),
	.automatic_shrinking = true,
};

/* ---- look-ups ----------------------------------------------------------- */

/**
 * sip_strict_map_list_in() - all mappings of an inside pair
 * @sn: the namespace
 * @in: the pair
 *
 * Context: RCU read lock held; for rhl_for_each_entry_rcu() over node_in.
 * Return: the list, or NULL.
 */
struct rhlist_head *sip_strict_map_list_in(struct sip_strict_net *sn,
					   const struct sip_strict_end *in)
{
	return rhltable_lookup(&sn->map_in, in, sip_strict_map_in_params);
}

/**
 * sip_strict_map_find_in() - the mapping of an inside pair
 * @sn: the namespace
 * @in: the pair
 * @out_addr: its outside address must be this; 0: any
 *
 * Context: RCU read lock and sn->lock held.
 * Return: the mapping, live or not, or NULL.
 */
struct sip_strict_map *sip_strict_map_find_in(struct sip_strict_net *sn,
					      const struct sip_strict_end *in,
					      const union nf_inet_addr *out_addr)
{
	bool any = !memchr_inv(out_addr, 0, sizeof(*out_addr));
	struct rhlist_head *list, *pos;
	struct sip_strict_map *map;

	list = sip_strict_map_list_in(sn, in);
	rhl_for_each_entry_rcu(map, pos, list, node_in)
		if (any || !memcmp(&map->out.addr, out_addr, sizeof(*out_addr)))
			return map;
	return NULL;
}

/**
 * sip_strict_map_find_out() - the mapping that owns an outside pair
 * @sn: the namespace
 * @out: the pair
 *
 * Context: RCU read lock held; sn->lock too, unless rechecked under it.
 * Return: the mapping, live or not, or NULL.
 */
struct sip_strict_map *sip_strict_map_find_out(struct sip_strict_net *sn,
					       const struct sip_strict_end *out)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_map *map;

	list = rhltable_lookup(&sn->map_out, out, sip_strict_map_out_params);
	rhl_for_each_entry_rcu(map, pos, list, node_out)
		return map;
	return NULL;
}

/**
 * sip_strict_map_live_out() - the live mapping of an outside pair
 * @sn: the namespace
 * @out: the pair, with our address or the external one
 *
 * Context: RCU read lock held.
 * Return: the mapping, live a moment ago, or NULL.
 */
struct sip_strict_map *sip_strict_map_live_out(struct sip_strict_net *sn,
					       const struct sip_strict_end *out)
{
	struct sip_strict_map *map = sip_strict_map_find_out(sn, out);
	struct sip_strict_end own;
	struct sip_ap ap;

	if (!map) {
		sip_strict_ap_from_end(&ap, out);
		if (sip_strict_own_addr(sn, &ap.ip)) {
			sip_strict_end_set(&own, &ap, out->proto, out->zone);
			map = sip_strict_map_find_out(sn, &own);
		}
	}
	return map && READ_ONCE(map->live) ? map : NULL;
}

/**
 * sip_strict_map_live_in() - some live mapping of an inside pair
 * @sn: the namespace
 * @in: the pair
 *
 * Context: RCU read lock held.
 * Return: the mapping, live a moment ago, or NULL.
 */
struct sip_strict_map *sip_strict_map_live_in(struct sip_strict_net *sn,
					      const struct sip_strict_end *in)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_map *map;

	list = sip_strict_map_list_in(sn, in);
	rhl_for_each_entry_rcu(map, pos, list, node_in)
		if (READ_ONCE(map->live))
			return map;
	return NULL;
}

/**
 * sip_strict_map_is_of() - does a mapping lead to this host?
 * @map: the mapping
 * @inside: address of the host
 *
 * Return: true if it does.
 */
bool sip_strict_map_is_of(const struct sip_strict_map *map, const struct sip_ip *inside)
{
	struct sip_ap ap;

	sip_strict_ap_from_end(&ap, &map->in);
	return sip_ip_equal(&ap.ip, inside);
}

/* ---- making and ending -------------------------------------------------- */

/**
 * sip_strict_traffic_get() - where a mapping keeps what happens at it
 * @sn: the namespace
 * @map: the mapping, not dead
 *
 * Context: sn->lock held.
 * Return: its traffic, made if need be; NULL out of memory.
 */
struct sip_strict_traffic *sip_strict_traffic_get(struct sip_strict_net *sn,
						  struct sip_strict_map *map)
{
	struct sip_strict_traffic *traffic = map->traffic;

	if (traffic)
		return traffic;
	traffic = kzalloc(sizeof(*traffic), GFP_ATOMIC);
	if (!traffic)
		return NULL;
	traffic->map = map;
	INIT_LIST_HEAD(&traffic->queue);
	list_add(&traffic->list, &sn->traffic_list);
	sn->n_traffic++;
	map->traffic = traffic;
	return traffic;
}

static void sip_strict_traffic_free(struct sip_strict_net *sn, struct sip_strict_map *map)
{
	if (!map->traffic)
		return;
	list_del(&map->traffic->list);
	sn->n_traffic--;
	kfree(map->traffic);
	map->traffic = NULL;
}

/* The ports of a mapping: tested by the hooks, taken on the outside address. */
static int sip_strict_map_ports(struct sip_strict_net *sn, struct sip_strict_map *map)
{
	if (!sip_strict_port_arm(sn, map->in.port))
		return -ENOMEM;
	if (!sip_strict_port_arm(sn, map->out.port))
		goto in;
	if (!map->nat || sip_strict_port_take(sn, &map->out))
		return 0;
	sip_strict_port_disarm(sn, map->out.port);
in:
	sip_strict_port_disarm(sn, map->in.port);
	return -ENOMEM;
}

static void sip_strict_map_ports_give(struct sip_strict_net *sn, const struct sip_strict_map *map)
{
	if (map->nat)
		sip_strict_port_give(sn, &map->out);
	sip_strict_port_disarm(sn, map->out.port);
	sip_strict_port_disarm(sn, map->in.port);
}

static int sip_strict_map_insert(struct sip_strict_net *sn, struct sip_strict_map *map)
{
	int err;

	err = sip_strict_map_ports(sn, map);
	if (err)
		return err;
	err = rhltable_insert(&sn->map_in, &map->node_in, sip_strict_map_in_params);
	if (err)
		goto ports;
	err = rhltable_insert(&sn->map_out, &map->node_out, sip_strict_map_out_params);
	if (!err)
		return 0;
	rhltable_remove(&sn->map_in, &map->node_in, sip_strict_map_in_params);
ports:
	sip_strict_map_ports_give(sn, map);
	return -ENOMEM;
}

/**
 * sip_strict_map_make() - a new mapping, not live yet
 * @sn: the namespace
 * @kind: SIP_STRICT_RTP, _RTCP or _CONTACT
 * @class: SIP_STRICT_CLASS_*
 * @in: inside pair
 * @out: outside pair, port included
 * @nat: connections have to be translated
 * @flow: signalling flow that it is learnt on; the mapping takes a reference
 *
 * A mapping that gets no use has to be given to sip_strict_map_unused().
 *
 * Context: RCU read lock and sn->lock held.
 * Return: the mapping; -EBUSY: the outside pair belongs to another one;
 * -ENOMEM.
 */
struct sip_strict_map *sip_strict_map_make(struct sip_strict_net *sn, u8 kind, u8 class,
					   const struct sip_strict_end *in,
					   const struct sip_strict_end *out, bool nat,
					   struct sip_strict_flow *flow)
{
	struct sip_strict_map *map;
	int err;

	lockdep_assert_held(&sn->lock);
	if (sip_strict_map_find_out(sn, out))
		return ERR_PTR(-EBUSY);
	map = kzalloc(sizeof(*map), GFP_ATOMIC);
	if (!map)
		return ERR_PTR(-ENOMEM);
	map->in = *in;
	map->out = *out;
	map->kind = kind;
	map->class = class;
	map->nat = nat;
	map->id = ++sn->map_id;
	INIT_LIST_HEAD(&map->uses);
	err = sip_strict_map_insert(sn, map);
	if (err) {
		kfree_rcu(map, rcu); /* it may have stood in one table for a moment */
		return ERR_PTR(err);
	}
	if (flow)
		refcount_inc(&flow->ref);
	map->flow = flow;
	sn->n_maps++;
	SIP_STRICT_INC(sn, mappings);
	return map;
}

/* "armed", "closed": nobody in particular is at the far end. */
static void sip_strict_map_trace(const struct sip_strict_net *sn, const struct sip_strict_map *map,
				 const char *event)
{
	struct sip_strict_end nobody = { .l3num = map->in.l3num };

	trace_sip_strict_expect(sn->net, map, event, &nobody);
}

static void sip_strict_map_close(struct sip_strict_net *sn, struct sip_strict_map *map,
				 struct sip_strict_reap *reap)
{
	WRITE_ONCE(map->live, false);
	sip_strict_map_forget_latched(map);
	sip_strict_expect_unqueue(sn, map, reap);
	sip_strict_entries_end(sn, map, reap);
	sip_strict_map_trace(sn, map, "closed");
}

static void sip_strict_map_end(struct sip_strict_net *sn, struct sip_strict_map *map,
			       struct sip_strict_reap *reap)
{
	WRITE_ONCE(map->dead, true);
	if (map->live)
		sip_strict_map_close(sn, map, reap);
	else /* it may have adopted some while it was closed */
		sip_strict_entries_end(sn, map, reap);
	rhltable_remove(&sn->map_in, &map->node_in, sip_strict_map_in_params);
	rhltable_remove(&sn->map_out, &map->node_out, sip_strict_map_out_params);
	sip_strict_map_ports_give(sn, map);
	sip_strict_traffic_free(sn, map);
	if (map->flow)
		sip_strict_flow_put(sn, map->flow);
	sn->n_maps--;
	SIP_STRICT_INC(sn, mappings_closed);
	kfree_rcu(map, rcu);
}

/**
 * sip_strict_map_unused() - end a mapping unless somebody uses it
 * @sn: the namespace
 * @map: the mapping; gone after this if it had no use
 * @reap: takes its connections
 *
 * Context: sn->lock held.
 */
void sip_strict_map_unused(struct sip_strict_net *sn, struct sip_strict_map *map,
			   struct sip_strict_reap *reap)
{
	if (!map->n_uses)
		sip_strict_map_end(sn, map, reap);
}

/* ---- uses --------------------------------------------------------------- */

/**
 * sip_strict_use_is_open() - does this use open its mapping?
 * @use: the use
 *
 * Context: sn->lock held.
 * Return: true if it does.
 */
bool sip_strict_use_is_open(const struct sip_strict_use *use)
{
	return use->sets && !use->observe;
}

/**
 * sip_strict_map_update() - open or close a mapping as its uses say now
 * @sn: the namespace
 * @map: the mapping
 * @reap: takes its connections when it closes
 *
 * Context: RCU read lock and sn->lock held.
 */
void sip_strict_map_update(struct sip_strict_net *sn, struct sip_strict_map *map,
			   struct sip_strict_reap *reap)
{
	struct sip_strict_use *use;
	bool live = false;

	if (map->dead)
		return;
	list_for_each_entry(use, &map->uses, map_node) {
		live = sip_strict_use_is_open(use);
		if (live)
			break;
	}
	if (live == map->live) {
		if (live)
			sip_strict_map_prune(sn, map, reap);
		return;
	}
	if (!live) {
		sip_strict_map_close(sn, map, reap);
		return;
	}
	WRITE_ONCE(map->live, true);
	/* What was there before it is counted from now on. */
	sip_strict_entries_look(sn, map);
	SIP_STRICT_INC(sn, expect_made);
	sip_strict_map_trace(sn, map, "armed");
	sip_strict_expect_queue(sn, map);
}

static struct sip_strict_use *sip_strict_use_new(struct sip_strict_map *map, size_t size,
						 enum sip_strict_owner owner,
						 struct list_head *list)
{
	struct sip_strict_use *use;

	if (map->n_uses == U16_MAX)
		return NULL;
	use = kzalloc(size, GFP_ATOMIC);
	if (!use)
		return NULL;
	use->map = map;
	use->owner = owner;
	/* In front, where they are looked for. */
	if (owner == SIP_STRICT_OF_TIME)
		list_add(&use->map_node, &map->uses);
	else
		list_add_tail(&use->map_node, &map->uses);
	list_add_tail(&use->owner_node, list);
	map->n_uses++;
	return use;
}

/**
 * sip_strict_use_add() - somebody uses a mapping
 * @map: the mapping
 * @call: the call, or NULL
 * @reg: the registration or subscription, where it is no call's
 * @owner: list of the owner that it is appended to
 *
 * It is closed until it gets a set and sip_strict_map_update() is called.
 *
 * Context: sn->lock held.
 * Return: the use, or NULL out of memory.
 */
struct sip_strict_use *sip_strict_use_add(struct sip_strict_map *map, struct sip_strict_call *call,
					  struct sip_strict_reg *reg, struct list_head *owner)
{
	enum sip_strict_owner kind = call ? SIP_STRICT_OF_CALL : SIP_STRICT_OF_REG;
	struct sip_strict_use *use = sip_strict_use_new(map, sizeof(*use), kind, owner);

	if (!use)
		return NULL;
	if (call)
		use->call = call;
	else
		use->reg = reg;
	return use;
}

/**
 * sip_strict_use_put() - somebody does not use a mapping any more
 * @sn: the namespace
 * @use: freed; its owner has to forget it
 * @reap: takes the connections of a mapping that closes
 *
 * Context: sn->lock held.
 */
void sip_strict_use_put(struct sip_strict_net *sn, struct sip_strict_use *use,
			struct sip_strict_reap *reap)
{
	struct sip_strict_map *map = use->map;

	lockdep_assert_held(&sn->lock);
	list_del(&use->map_node);
	list_del(&use->owner_node);
	if (use->owner == SIP_STRICT_OF_TIME) {
		sn->n_loose_uses--;
		sip_strict_quota_loose_give(sn, &map->in);
	}
	kfree(use); /* of a loose one the first member */
	if (--map->n_uses)
		sip_strict_map_update(sn, map, reap);
	else
		sip_strict_map_end(sn, map, reap);
}

/* A mapping's loose uses: that of a peer, or else how many and which is the oldest. */
static struct sip_strict_use *sip_strict_use_loose_find(struct sip_strict_map *map,
							const struct sip_ip *peer, u32 *n,
							struct sip_strict_use **oldest)
{
	struct sip_strict_use *use;

	*n = 0;
	*oldest = NULL;
	list_for_each_entry(use, &map->uses, map_node) {
		if (use->owner != SIP_STRICT_OF_TIME)
			break;
		if (sip_ip_equal(&sip_strict_use_loose_of(use)->peer, peer))
			return use;
		*oldest = use;
		++*n;
	}
	return NULL;
}

static enum sip_reason sip_strict_use_loose_make(struct sip_strict_net *sn,
						 struct sip_strict_map *map,
						 const struct sip_ip *peer, bool replaces,
						 struct sip_strict_use **made)
{
	struct sip_strict_use *use;

	if (!replaces && sip_strict_quota_loose_is_full(sn, &map->in))
		return SIP_R_HOST_QUOTA;
	if (!sip_strict_quota_loose_take(sn, &map->in))
		return SIP_R_NO_MEMORY;
	use = sip_strict_use_new(map, sizeof(struct sip_strict_loose), SIP_STRICT_OF_TIME,
				 &sn->loose_uses);
	if (!use) {
		sip_strict_quota_loose_give(sn, &map->in);
		return SIP_R_NO_MEMORY;
	}
	sip_strict_use_loose_of(use)->peer = *peer;
	sip_strict_known_add(sn, peer);
	sn->n_loose_uses++;
	*made = use;
	return SIP_R_OK;
}

/**
 * sip_strict_use_loose() - hold a mapping for the time of a transaction
 * @sn: the namespace
 * @map: the mapping
 * @peer: whom the message goes to: who may answer
 * @open: it is open in that time
 * @reap: takes what a failure ends
 *
 * The oldest one goes where a mapping, or the namespace, has too many.
 *
 * Context: sn->lock held.
 * Return: SIP_R_OK; SIP_R_HOST_QUOTA or SIP_R_NO_MEMORY: a mapping without any
 * other use is gone then.
 */
enum sip_reason sip_strict_use_loose(struct sip_strict_net *sn, struct sip_strict_map *map,
				     const struct sip_ip *peer, bool open,
				     struct sip_strict_reap *reap)
{
	struct sip_strict_use *use, *oldest, *replaced = NULL;
	enum sip_reason reason;
	u32 n;

	use = sip_strict_use_loose_find(map, peer, &n, &oldest);
	if (!use) {
		replaced = n >= SIP_STRICT_MAP_LOOSE ? oldest : NULL;
		reason = sip_strict_use_loose_make(sn, map, peer, replaced, &use);
		if (reason) {
			sip_strict_map_unused(sn, map, reap);
			return reason;
		}
	}
	sip_strict_use_loose_of(use)->until = jiffies + SIP_STRICT_LINGER;
	use->sets |= open;
	list_move(&use->map_node, &map->uses);
	list_move_tail(&use->owner_node, &sn->loose_uses);
	if (replaced)
		sip_strict_use_put(sn, replaced, reap);
	if (sn->n_loose_uses > (u32)READ_ONCE(sn->conf.dialog_max) + SIP_STRICT_LOOSE_SPARE) {
		oldest = list_first_entry(&sn->loose_uses, struct sip_strict_use, owner_node);
		sip_strict_use_put(sn, oldest, reap);
	}
	sip_strict_map_update(sn, map, reap);
	return SIP_R_OK;
}

/* ---- time --------------------------------------------------------------- */

/*
 * Read counters now and then, so that a connection that somebody else ends
 * (conntrack -F, a full table) takes only the newest of them along, and a
 * stay in a flowtable does not go unseen.
 */
static void sip_strict_maps_look(struct sip_strict_net *sn)
{
	struct sip_strict_traffic *traffic;
	u32 i, n = min_t(u32, sn->n_traffic, SIP_STRICT_LOOKS);

	for (i = 0; i < n; i++) {
		traffic = list_first_entry(&sn->traffic_list, struct sip_strict_traffic, list);
		list_move_tail(&traffic->list, &sn->traffic_list);
		sip_strict_entries_look(sn, traffic->map);
		if (traffic->pub &&
		    time_after(jiffies, traffic->pub->stamp + SIP_STRICT_PUB_RENEW))
			sip_strict_expect_queue(sn, traffic->map);
	}
}

/**
 * sip_strict_use_sweep() - once a second: loose uses end, counters are read
 * @sn: the namespace
 * @reap: takes connections of what closes
 *
 * Context: RCU read lock and sn->lock held.
 */
void sip_strict_use_sweep(struct sip_strict_net *sn, struct sip_strict_reap *reap)
{
	struct sip_strict_use *use, *next;

	list_for_each_entry_safe(use, next, &sn->loose_uses, owner_node) {
		if (time_before(jiffies, sip_strict_use_loose_of(use)->until))
			break;
		sip_strict_use_put(sn, use, reap);
	}
	sip_strict_maps_look(sn);
}

/**
 * sip_strict_map_count() - what has happened at a mapping
 * @sn: the namespace
 * @map: the mapping
 * @count: filled in
 *
 * What passed a connection that somebody else ended after the last look is
 * missing, and so is what passed in a flowtable.
 *
 * Context: RCU read lock and sn->lock held.
 */
void sip_strict_map_count(struct sip_strict_net *sn, struct sip_strict_map *map,
			  struct sip_strict_count *count)
{
	const struct sip_strict_traffic *traffic;
	struct sip_strict_entry *entry;
	int i;

	memset(count, 0, sizeof(*count));
	sip_strict_entries_look(sn, map);
	traffic = map->traffic;
	if (!traffic)
		return;
	for (i = 0; i < 2; i++) {
		count->packets[i] = traffic->done.packets[i];
		count->bytes[i] = traffic->done.bytes[i];
	}
	hlist_for_each_entry(entry, &traffic->entries, node) {
		for (i = 0; i < 2; i++) {
			count->packets[i] += entry->seen.packets[i];
			count->bytes[i] += entry->seen.bytes[i];
		}
	}
	count->moved = traffic->moved;
	count->refused = traffic->refused;
	count->entries = traffic->n_entries;
	count->offloaded = traffic->offloaded;
	count->published = traffic->pub;
}

/* ---- namespaces --------------------------------------------------------- */

/**
 * sip_strict_mapping_net_init() - make the tables of a namespace
 * @sn: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int sip_strict_mapping_net_init(struct sip_strict_net *sn)
{
	int err;

	INIT_LIST_HEAD(&sn->traffic_list);
	INIT_LIST_HEAD(&sn->loose_uses);
	err = rhltable_init(&sn->map_in, &sip_strict_map_in_params);
	if (err)
		return err;
	err = rhltable_init(&sn->map_out, &sip_strict_map_out_params);
	if (err)
		goto in;
	err = sip_strict_flow_net_init(sn);
	if (err)
		goto out;
	sip_strict_reap_init(sn);
	sip_strict_expect_net_init(sn);
	return 0;

out:
	rhltable_destroy(&sn->map_out);
in:
	rhltable_destroy(&sn->map_in);
	return err;
}

/**
 * sip_strict_mapping_net_exit() - drop the tables
 * @sn: the namespace, leaving; calls and registrations are gone
 *
 * Connections that were made from a mapping go on as plain ones.
 *
 * Context: process; no packet can reach the tables any more.
 */
void sip_strict_mapping_net_exit(struct sip_strict_net *sn)
{
	struct sip_strict_reap reap = {};
	struct sip_strict_use *use, *next;

	rcu_read_lock();
	spin_lock_bh(&sn->lock);
	list_for_each_entry_safe(use, next, &sn->loose_uses, owner_node)
		sip_strict_use_put(sn, use, &reap);
	spin_unlock_bh(&sn->lock);
	rcu_read_unlock();
	WARN_ON_ONCE(sn->n_maps);
	sip_strict_reap_run(sn, &reap);
	sip_strict_reap_exit(sn);
	sip_strict_flow_net_exit(sn);
	rhltable_destroy(&sn->map_out);
	rhltable_destroy(&sn->map_in);
	sip_strict_ports_exit(sn);
}
