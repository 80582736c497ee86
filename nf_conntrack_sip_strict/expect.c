// SPDX-License-Identifier: GPL-2.0-only
/*
 * expect.c - shows live mappings as kernel expectations.
 *
 * For conntrack -L expect, -E expect and conntrackd alone: what is published
 * is NF_CT_EXPECT_INACTIVE and never matches; only the hooks attach. It costs
 * a place in a machine-wide table, whose filling makes other helpers drop, and
 * a global lock for each new connection of the namespace. So there are bounds:
 * publish_expect a namespace, 250 a class and master, and half of what the
 * table holds by default (its present maximum is not for modules to read).
 *
 * The expectation lock is never taken under sn->lock: mappings that went live
 * are queued under it, and published by a work item that sip_strict_reap_run()
 * starts. A published expectation is owned by its mapping and withdrawn by the
 * reap.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_expect.h>

#include "mapping.h"
#include "trace.h"

#define SIP_STRICT_CLASS_MAX 250 /* below the 255 at which a class evicts */
#define SIP_STRICT_PUB_PAUSE (HZ / 10) /* between two looks at those that wait */

/**
 * struct sip_strict_publish - what is published outside the lock
 * @master: referenced
 * @pub: made here, handed to the mapping
 * @exp: renewed: of a mapping that has one already, referenced
 * @out: outside pair of the mapping
 * @peer: its far side; family 0: any
 * @id: of the mapping
 * @class: of the mapping
 */
struct sip_strict_publish {
	struct nf_conn *master;
	struct sip_strict_pub *pub;
	struct nf_conntrack_expect *exp;
	struct sip_strict_end out;
	struct sip_ip peer;
	u64 id;
	u8 class;
};

static bool sip_strict_publish_has_room(const struct sip_strict_net *sn)
{
	u32 limit = min_t(u32, READ_ONCE(sn->conf.publish_expect), nf_ct_expect_hsize * 2);

	return sn->n_published < limit;
}

/**
 * sip_strict_expect_queue() - a mapping is to be published, or renewed
 * @sn: the namespace
 * @map: the mapping, live
 *
 * Context: sn->lock held.
 */
void sip_strict_expect_queue(struct sip_strict_net *sn, struct sip_strict_map *map)
{
	struct sip_strict_traffic *traffic = map->traffic;

	if (!traffic || !traffic->pub) {
		if (!sip_strict_publish_has_room(sn))
			return;
		traffic = sip_strict_traffic_get(sn, map);
	}
	if (traffic && list_empty(&traffic->queue))
		list_add_tail(&traffic->queue, &sn->expect_queue);
}

/**
 * sip_strict_expect_unqueue() - a mapping closes: withdraw
 * @sn: the namespace
 * @map: the mapping
 * @reap: takes the expectation
 *
 * Context: sn->lock held.
 */
void sip_strict_expect_unqueue(struct sip_strict_net *sn, struct sip_strict_map *map,
			       struct sip_strict_reap *reap)
{
	struct sip_strict_traffic *traffic = map->traffic;

	if (!traffic)
		return;
	list_del_init(&traffic->queue);
	if (!traffic->pub)
		return;
	llist_add(&traffic->pub->kill.node, &reap->kills);
	traffic->pub = NULL;
	sn->n_published--;
}

/**
 * sip_strict_expect_end() - withdraw
 * @kill: of a published expectation; freed
 *
 * Context: sn->lock not held; takes the expectation lock.
 */
void sip_strict_expect_end(struct sip_strict_kill *kill)
{
	sip_strict_expect_withdraw(kill->exp);
	nf_ct_expect_put(kill->exp);
	kfree(kill);
}

/* ---- under the lock ----------------------------------------------------- */

/* The far side, where there is but one; otherwise the source stands open. */
static void sip_strict_publish_peer(const struct sip_strict_net *sn,
				    const struct sip_strict_map *map, struct sip_ip *peer)
{
	const struct sip_strict_use *use;
	u32 i, n = 0;

	memset(peer, 0, sizeof(*peer));
	if (map->kind == SIP_STRICT_CONTACT || !READ_ONCE(sn->conf.media_peer))
		return;
	list_for_each_entry(use, &map->uses, map_node) {
		const struct sip_strict_call *call = sip_strict_use_call(use);

		for (i = 0; call && i < call->n_peers; i++) {
			const struct sip_strict_peer *p = &call->peer[i];

			if (!p->media || (n && sip_ip_equal(peer, &p->ip)))
				continue;
			*peer = p->ip;
			n++;
		}
	}
	if (n != 1 || peer->family != (map->out.l3num == NFPROTO_IPV4 ? SIP_AF_IP4 : SIP_AF_IP6))
		memset(peer, 0, sizeof(*peer));
}

static bool sip_strict_publish_fill(struct sip_strict_net *sn, struct sip_strict_map *map,
				    struct sip_strict_publish *p)
{
	struct sip_strict_pub *pub = map->traffic->pub;
	bool observe;

	memset(p, 0, sizeof(*p));
	p->out = map->out;
	p->id = map->id;
	p->class = map->class;
	if (pub) {
		p->exp = pub->kill.exp;
		refcount_inc(&p->exp->use);
		pub->stamp = jiffies;
		return true;
	}
	if (!map->flow || !sip_strict_publish_has_room(sn) || nf_ct_is_dying(map->flow->ct) ||
	    !sip_strict_helper_of(map->flow->ct, &observe))
		return false;
	p->master = map->flow->ct;
	nf_conntrack_get(&p->master->ct_general);
	sip_strict_publish_peer(sn, map, &p->peer);
	sn->n_published++; /* a place is held while it is made */
	return true;
}

/*
 * Extensions of a connection may move until it is confirmed, and a list of
 * expectations starts in one of them: such mappings wait in the queue for the
 * next message, or the sweep. Some wait for as long as they live, for their
 * packet was dropped behind us: the queue is not walked with each message then.
 */
static bool sip_strict_publish_waits(const struct sip_strict_map *map)
{
	return map->flow && !nf_ct_is_confirmed(map->flow->ct) && !nf_ct_is_dying(map->flow->ct);
}

/* The next one of the queue; false: there is none, and the work is done. */
static bool sip_strict_publish_next(struct sip_strict_net *sn, struct sip_strict_publish *p)
{
	struct sip_strict_traffic *traffic, *next;
	bool found = false;

	spin_lock_bh(&sn->lock);
	list_for_each_entry_safe(traffic, next, &sn->expect_queue, queue) {
		if (sip_strict_publish_waits(traffic->map)) {
			list_move_tail(&traffic->queue, &sn->expect_waits);
			continue;
		}
		list_del_init(&traffic->queue);
		found = !sn->leaving && sip_strict_publish_fill(sn, traffic->map, p);
		if (found)
			break;
	}
	if (!found) {
		WRITE_ONCE(sn->expect_pause, list_empty(&sn->expect_waits) ? jiffies :
					     jiffies + SIP_STRICT_PUB_PAUSE);
		list_splice_init(&sn->expect_waits, &sn->expect_queue);
	}
	spin_unlock_bh(&sn->lock);
	return found;
}

/* Hand it to the mapping; false: that has closed, or another was quicker. */
static bool sip_strict_publish_settle(struct sip_strict_net *sn, struct sip_strict_publish *p)
{
	struct sip_strict_traffic *traffic = NULL;
	struct sip_strict_map *map;
	bool ok;

	spin_lock_bh(&sn->lock);
	map = sip_strict_map_find_out(sn, &p->out);
	if (map && map->id == p->id && map->live)
		traffic = map->traffic;
	ok = p->pub && traffic && !traffic->pub;
	if (ok) {
		traffic->pub = p->pub;
		trace_sip_strict_expect(sn->net, map, "published", &map->out);
	} else {
		sn->n_published--;
	}
	spin_unlock_bh(&sn->lock);
	return ok;
}

/* ---- after it ----------------------------------------------------------- */

static int sip_strict_publish_insert(struct sip_strict_publish *p)
{
	const struct nf_conn_help *help = nfct_help(p->master);
	union nf_inet_addr from = {};
	struct nf_conntrack_expect *exp;
	int err;

	if (!help || READ_ONCE(help->expecting[p->class]) >= SIP_STRICT_CLASS_MAX)
		return -EMFILE;
	p->pub = kzalloc(sizeof(*p->pub), GFP_ATOMIC);
	if (!p->pub)
		return -ENOMEM;
	if (p->peer.family)
		memcpy(&from, p->peer.b, p->peer.family == SIP_AF_IP4 ? 4 : 16);
	exp = sip_strict_expect_alloc(p->master, p->class, p->out.l3num, p->out.proto,
				      p->peer.family ? &from : NULL, &p->out.addr, p->out.port);
	err = exp ? sip_strict_expect_publish(exp, SIP_STRICT_PUB_LIFE) : -ENOMEM;
	if (err) {
		if (exp)
			nf_ct_expect_put(exp);
		kfree(p->pub);
		p->pub = NULL;
		return err;
	}
	p->pub->kill.exp = exp;
	p->pub->stamp = jiffies;
	return 0;
}

/* Publish what is queued. */
static void sip_strict_expect_work(struct work_struct *work)
{
	struct sip_strict_net *sn = container_of(to_delayed_work(work), struct sip_strict_net,
						 expect_work);
	struct sip_strict_publish p;

	rcu_read_lock();
	while (sip_strict_publish_next(sn, &p)) {
		if (p.exp) {
			sip_strict_expect_refresh(p.exp, SIP_STRICT_PUB_LIFE);
			nf_ct_expect_put(p.exp);
			continue;
		}
		if (sip_strict_publish_insert(&p))
			SIP_STRICT_INC(sn, expect_failed);
		if (!sip_strict_publish_settle(sn, &p) && p.pub)
			sip_strict_expect_end(&p.pub->kill);
		nf_ct_put(p.master);
	}
	rcu_read_unlock();
}

/**
 * sip_strict_expect_kick() - see to it that what is queued is published
 * @sn: the namespace
 *
 * Not at once: of a flow's first message nothing can be published before it
 * leaves.
 *
 * Context: any.
 */
void sip_strict_expect_kick(struct sip_strict_net *sn)
{
	unsigned long pause = READ_ONCE(sn->expect_pause), now = jiffies, delay = 1;

	if (READ_ONCE(sn->leaving) || list_empty_careful(&sn->expect_queue) ||
	    delayed_work_pending(&sn->expect_work))
		return;
	if (time_after(pause, now))
		delay = min_t(unsigned long, pause - now, SIP_STRICT_PUB_PAUSE);
	schedule_delayed_work(&sn->expect_work, delay);
}

/**
 * sip_strict_expect_net_init() - set up a namespace
 * @sn: the namespace
 */
void sip_strict_expect_net_init(struct sip_strict_net *sn)
{
	INIT_LIST_HEAD(&sn->expect_queue);
	INIT_LIST_HEAD(&sn->expect_waits);
	INIT_DELAYED_WORK(&sn->expect_work, sip_strict_expect_work);
	sn->expect_pause = jiffies;
}
