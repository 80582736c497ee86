// SPDX-License-Identifier: GPL-2.0-only
/*
 * entry.c - the connections made from a mapping, and how they end.
 *
 * A mapping remembers the tuples of its connections, not the connections:
 * whoever ends them (conntrack -F, a full table, a timeout) needs not to know.
 * To count, and to end them, they are looked up.
 *
 * Ending cannot be done under sn->lock, and not once for all either: another
 * CPU may have a connection in work that is not in the table yet, or an
 * nfqueue holds its first packet. So what has to end is put on a list under
 * the lock, ended after it, and again by a work item after a grace period and
 * after five seconds. Before it is ended late, it is asked whether a mapping
 * that is live now owns the connection.
 */
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_tuple.h>

#include "mapping.h"

#define SIP_STRICT_REAP_LATE (5 * HZ)

/* ---- looking ------------------------------------------------------------ */

/* Is this still what was made from the mapping, and not its successor? */
static bool sip_strict_kill_is_it(const struct sip_strict_kill *kill, const struct nf_conn *ct)
{
	struct sip_strict_end end;

	if (!kill->inside_first) {
		sip_strict_end_of(&end, ct, IP_CT_DIR_REPLY, false);
		return !memcmp(&end.addr, &kill->in.addr, sizeof(end.addr)) &&
		       end.port == kill->in.port;
	}
	if (test_bit(IPS_EXPECTED_BIT, &ct->status))
		return true;
	sip_strict_end_of(&end, ct, IP_CT_DIR_REPLY, true);
	return !memcmp(&end.addr, &kill->out.addr, sizeof(end.addr)) && end.port == kill->out.port;
}

/* The connection, referenced, or NULL. */
static struct nf_conn *sip_strict_kill_find(struct sip_strict_net *sn,
					    const struct sip_strict_kill *kill)
{
	struct nf_conntrack_tuple_hash *h;
	struct nf_conn *ct;

	h = nf_conntrack_find_get(sn->net, &kill->zone, &kill->tuple);
	if (!h)
		return NULL;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (NF_CT_DIRECTION(h) == IP_CT_DIR_ORIGINAL && sip_strict_kill_is_it(kill, ct))
		return ct;
	nf_ct_put(ct);
	return NULL;
}

static void sip_strict_tally_add(struct sip_strict_tally *sum, const struct sip_strict_tally *more)
{
	int i;

	for (i = 0; i < 2; i++) {
		sum->packets[i] += more->packets[i];
		sum->bytes[i] += more->bytes[i];
	}
}

static void sip_strict_tally_read(struct sip_strict_tally *tally, const struct nf_conn *ct,
				  bool inside_first)
{
	struct nf_conn_acct *acct = nf_conn_acct_find(ct);
	int i, dir;

	memset(tally, 0, sizeof(*tally));
	if (!acct)
		return;
	for (i = 0; i < 2; i++) {
		dir = inside_first ? i : !i;
		tally->packets[i] = atomic64_read(&acct->counter[dir].packets);
		tally->bytes[i] = atomic64_read(&acct->counter[dir].bytes);
	}
}

/**
 * sip_strict_entry_find() - a connection that a mapping remembers
 * @map: the mapping
 * @tuple: the connection's original tuple
 *
 * Context: sn->lock held.
 * Return: what is remembered, or NULL.
 */
struct sip_strict_entry *sip_strict_entry_find(struct sip_strict_map *map,
					       const struct nf_conntrack_tuple *tuple)
{
	struct sip_strict_entry *entry;

	if (!map->traffic)
		return NULL;
	hlist_for_each_entry(entry, &map->traffic->entries, node)
		if (nf_ct_tuple_equal(&entry->kill.tuple, tuple))
			return entry;
	return NULL;
}

/*
 * Many calls may share one port: a media server, a trunk that names one Contact.
 * A mapping that is closing has no use left, and may still take what is its own.
 */
static u32 sip_strict_entries_max(const struct sip_strict_map *map)
{
	u32 max = SIP_STRICT_MAX_ENTRIES * max_t(u32, map->n_uses, 1);

	/* Any inside host may send there, from any port. */
	return map->kind == SIP_STRICT_CONTACT ? min(max, SIP_STRICT_CONTACT_ENTRIES) : max;
}

/* Of the pair alone: the far end and the inside pair may have zones of their own. */
static struct hlist_head *sip_strict_early_head(struct sip_strict_net *sn,
						const struct sip_strict_end *end)
{
	struct sip_strict_end key = *end;

	key.zone = 0;
	return &sn->early[sip_strict_hash((const u8 *)&key, sizeof(key)) % SIP_STRICT_EARLY_HEADS];
}

static bool sip_strict_entry_new(struct sip_strict_net *sn, struct sip_strict_map *map,
				 const struct nf_conn *ct, bool inside_first,
				 enum sip_strict_by way)
{
	struct sip_strict_traffic *traffic = sip_strict_traffic_get(sn, map);
	struct sip_strict_entry *entry;

	if (!traffic)
		return false;
	entry = kzalloc(sizeof(*entry), GFP_ATOMIC);
	if (!entry)
		return false;
	entry->kill.tuple = ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	entry->kill.zone = *nf_ct_zone(ct);
	entry->kill.in = map->in;
	entry->kill.out = map->out;
	entry->kill.inside_first = inside_first;
	entry->way = way;
	sip_strict_end_of(&entry->remote, ct, IP_CT_DIR_ORIGINAL, inside_first);
	hlist_add_head(&entry->node, &traffic->entries);
	if (way == SIP_STRICT_BY_EARLY)
		hlist_add_head(&entry->early, sip_strict_early_head(sn, &entry->remote));
	traffic->n_entries++;
	return true;
}

/*
 * A phone that sent to another inside before its own answer had passed, from
 * the very pair that its SDP then said: from now on it is its mapping's too.
 */
static void sip_strict_entry_adopt(struct sip_strict_net *sn, struct sip_strict_map *own,
				   struct sip_strict_entry *entry, const struct nf_conn *ct)
{
	struct sip_strict_end from, out;
	struct sip_strict_traffic *traffic = own->traffic;

	sip_strict_end_of(&from, ct, IP_CT_DIR_ORIGINAL, false);
	sip_strict_end_of(&out, ct, IP_CT_DIR_REPLY, true);
	if ((traffic && traffic->n_entries >= sip_strict_entries_max(own)) ||
	    from.port != own->in.port ||
	    memcmp(&from.addr, &own->in.addr, sizeof(from.addr)) || out.port != own->out.port ||
	    memcmp(&out.addr, &own->out.addr, sizeof(out.addr)))
		return;
	if (!sip_strict_entry_new(sn, own, ct, true, SIP_STRICT_BY_HAIRPIN))
		return;
	entry->way = SIP_STRICT_BY_HAIRPIN;
	hlist_del_init(&entry->early);
}

/* Whatever waits for this mapping is its own now. */
static void sip_strict_entries_adopt(struct sip_strict_net *sn, struct sip_strict_map *own)
{
	struct sip_strict_entry *entry;
	struct hlist_node *next;
	struct nf_conn *ct;

	if (own->kind == SIP_STRICT_CONTACT)
		return;
	hlist_for_each_entry_safe(entry, next, sip_strict_early_head(sn, &own->in), early) {
		if (entry->remote.port != own->in.port)
			continue;
		ct = sip_strict_kill_find(sn, &entry->kill);
		if (!ct)
			continue;
		sip_strict_entry_adopt(sn, own, entry, ct);
		nf_ct_put(ct);
	}
}

static bool sip_strict_entry_look(struct sip_strict_net *sn, struct sip_strict_map *map,
				  struct sip_strict_entry *entry)
{
	struct nf_conn *ct = sip_strict_kill_find(sn, &entry->kill);
	struct sip_strict_traffic *traffic = map->traffic;
	struct sip_strict_tally now;

	if (!ct)
		return false;
	sip_strict_tally_read(&now, ct, entry->kill.inside_first);
	/* The same tuple anew: what its predecessor has carried is history. */
	if (now.packets[0] < entry->seen.packets[0] || now.packets[1] < entry->seen.packets[1])
		sip_strict_tally_add(&traffic->done, &entry->seen);
	if (memcmp(&entry->seen, &now, sizeof(now)))
		traffic->moved = jiffies;
	entry->seen = now;
	if (ct->status & (IPS_OFFLOAD | IPS_HW_OFFLOAD)) {
		traffic->offloaded = true;
		traffic->moved = jiffies;
	}
	nf_ct_put(ct);
	return true;
}

/**
 * sip_strict_entries_look() - read the counters of a mapping's connections
 * @sn: the namespace
 * @map: the mapping
 *
 * Context: RCU read lock and sn->lock held.
 * Return: true if one exists now.
 */
bool sip_strict_entries_look(struct sip_strict_net *sn, struct sip_strict_map *map)
{
	struct sip_strict_entry *entry;
	bool alive = false;

	sip_strict_entries_adopt(sn, map);
	if (!map->traffic)
		return false;
	hlist_for_each_entry(entry, &map->traffic->entries, node)
		alive |= sip_strict_entry_look(sn, map, entry);
	return alive;
}

/* ---- remembering -------------------------------------------------------- */

static void sip_strict_entry_unlink(struct sip_strict_map *map, struct sip_strict_entry *entry)
{
	sip_strict_tally_add(&map->traffic->done, &entry->seen);
	hlist_del(&entry->node);
	hlist_del_init(&entry->early);
	map->traffic->n_entries--;
}

static void sip_strict_twin_look(struct sip_strict_net *sn, struct sip_strict_map *map,
				 const struct sip_strict_entry *entry)
{
	struct sip_strict_entry *twin = sip_strict_entry_find(map, &entry->kill.tuple);

	if (twin && twin != entry)
		sip_strict_entry_look(sn, map, twin);
}

/*
 * A connection of two inside hosts belongs to a mapping of each: before one of
 * them ends it, the other counts what it has carried.
 */
static void sip_strict_twins_look(struct sip_strict_net *sn, const struct sip_strict_entry *entry)
{
	struct sip_strict_map *map = sip_strict_map_find_out(sn, &entry->remote);
	struct rhlist_head *list, *pos;

	if (map)
		sip_strict_twin_look(sn, map, entry);
	list = sip_strict_map_list_in(sn, &entry->remote);
	rhl_for_each_entry_rcu(map, pos, list, node_in) {
		sip_strict_entries_adopt(sn, map);
		sip_strict_twin_look(sn, map, entry);
	}
}

/**
 * sip_strict_entry_end() - end one connection of a mapping
 * @sn: the namespace
 * @map: the mapping
 * @entry: the connection; forgotten
 * @reap: takes it
 *
 * Context: RCU read lock and sn->lock held.
 */
void sip_strict_entry_end(struct sip_strict_net *sn, struct sip_strict_map *map,
			  struct sip_strict_entry *entry, struct sip_strict_reap *reap)
{
	sip_strict_entry_look(sn, map, entry);
	if (sip_strict_entry_is_hairpin(entry))
		sip_strict_twins_look(sn, entry);
	sip_strict_entry_unlink(map, entry);
	/* Module or namespace goes: media goes on as plain connections. */
	if (sn->leaving)
		kfree(entry);
	else
		llist_add(&entry->kill.node, &reap->kills);
}

/*
 * Room for one more: those that are gone already go first, else the oldest. A
 * connection to a Contact carries calls of its own: it goes on, unremembered.
 */
static void sip_strict_entries_trim(struct sip_strict_net *sn, struct sip_strict_map *map,
				    struct sip_strict_reap *reap)
{
	struct sip_strict_entry *entry, *oldest = NULL;
	struct hlist_node *next;

	hlist_for_each_entry_safe(entry, next, &map->traffic->entries, node) {
		if (sip_strict_entry_look(sn, map, entry)) {
			oldest = entry;
			continue;
		}
		sip_strict_entry_unlink(map, entry);
		kfree(entry);
	}
	if (map->traffic->n_entries < sip_strict_entries_max(map))
		return;
	if (map->kind != SIP_STRICT_CONTACT) {
		sip_strict_entry_end(sn, map, oldest, reap);
		return;
	}
	sip_strict_entry_unlink(map, oldest);
	kfree(oldest);
}

/**
 * sip_strict_entry_add() - a connection is about to be made from a mapping
 * @sn: the namespace
 * @map: the mapping
 * @ct: the connection, unconfirmed
 * @inside_first: its first packet comes from the mapping's host
 * @way: who is at its far end
 * @reap: takes the oldest connection of a media mapping that has too many
 *
 * Its first packet is a sign of life by itself: the connection may be gone
 * before anybody looks at its counters.
 *
 * Context: RCU read lock and sn->lock held.
 * Return: false out of memory.
 */
bool sip_strict_entry_add(struct sip_strict_net *sn, struct sip_strict_map *map,
			  const struct nf_conn *ct, bool inside_first, enum sip_strict_by way,
			  struct sip_strict_reap *reap)
{
	struct sip_strict_traffic *traffic = sip_strict_traffic_get(sn, map);
	struct sip_strict_entry *entry;

	if (!traffic)
		return false;
	traffic->moved = jiffies;
	entry = sip_strict_entry_find(map, &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple);
	if (entry) {
		sip_strict_tally_add(&traffic->done, &entry->seen);
		memset(&entry->seen, 0, sizeof(entry->seen));
		return true;
	}
	if (traffic->n_entries >= sip_strict_entries_max(map))
		sip_strict_entries_trim(sn, map, reap);
	return sip_strict_entry_new(sn, map, ct, inside_first, way);
}

/*
 * A connection to a Contact may carry calls that have named no Contact yet:
 * the end of those that held the mapping is none of its own. Over TCP it ends
 * by itself.
 */
static bool sip_strict_entry_goes_on(struct sip_strict_net *sn, const struct sip_strict_map *map,
				     const struct sip_strict_entry *entry)
{
	struct nf_conn *ct;
	bool known;

	if (map->kind != SIP_STRICT_CONTACT)
		return false;
	if (map->in.proto == IPPROTO_TCP)
		return true;
	ct = sip_strict_kill_find(sn, &entry->kill);
	known = ct && sip_strict_flow_is_known(sn, ct);
	if (ct)
		nf_ct_put(ct);
	return known;
}

/**
 * sip_strict_entries_end() - end all connections of a mapping
 * @sn: the namespace
 * @map: the mapping, not live any more
 * @reap: takes them
 *
 * Those to a Contact that may carry other calls go on, unremembered.
 *
 * Context: RCU read lock and sn->lock held.
 */
void sip_strict_entries_end(struct sip_strict_net *sn, struct sip_strict_map *map,
			    struct sip_strict_reap *reap)
{
	struct sip_strict_entry *entry;
	struct hlist_node *next;

	sip_strict_entries_adopt(sn, map);
	if (!map->traffic)
		return;
	hlist_for_each_entry_safe(entry, next, &map->traffic->entries, node) {
		if (!sip_strict_entry_goes_on(sn, map, entry)) {
			sip_strict_entry_end(sn, map, entry, reap);
			continue;
		}
		sip_strict_entry_unlink(map, entry);
		kfree(entry);
	}
}

/**
 * sip_strict_entry_end_from() - end what comes from one address
 * @sn: the namespace
 * @map: the mapping
 * @ip: the address
 * @reap: takes the connections
 *
 * Context: RCU read lock and sn->lock held.
 */
void sip_strict_entry_end_from(struct sip_strict_net *sn, struct sip_strict_map *map,
			       const struct sip_ip *ip, struct sip_strict_reap *reap)
{
	struct sip_strict_entry *entry;
	struct hlist_node *next;
	struct sip_ap ap;

	if (!map->traffic)
		return;
	hlist_for_each_entry_safe(entry, next, &map->traffic->entries, node) {
		sip_strict_ap_from_end(&ap, &entry->remote);
		if (sip_ip_equal(&ap.ip, ip))
			sip_strict_entry_end(sn, map, entry, reap);
	}
}

/* ---- ending ------------------------------------------------------------- */

static void sip_strict_kill_one(struct sip_strict_net *sn, const struct sip_strict_kill *kill)
{
	struct nf_conn *ct = sip_strict_kill_find(sn, kill);

	if (!ct)
		return;
	nf_ct_kill(ct);
	nf_ct_put(ct);
}

/* Has a mapping that is live made this very connection since? */
static bool sip_strict_kill_has_heir(struct sip_strict_net *sn, const struct sip_strict_kill *kill)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_map *map;
	bool yes = false;

	rcu_read_lock();
	spin_lock_bh(&sn->lock);
	list = sip_strict_map_list_in(sn, &kill->in);
	rhl_for_each_entry_rcu(map, pos, list, node_in)
		yes |= map->live && sip_strict_entry_find(map, &kill->tuple);
	spin_unlock_bh(&sn->lock);
	rcu_read_unlock();
	return yes;
}

static void sip_strict_kill_again(struct sip_strict_net *sn, const struct sip_strict_kill *kill)
{
	if (!sip_strict_kill_has_heir(sn, kill))
		sip_strict_kill_one(sn, kill);
}

static void sip_strict_reap_work(struct work_struct *work)
{
	struct sip_strict_net *sn = container_of(to_delayed_work(work), struct sip_strict_net,
						 reap_work);
	struct llist_node *soon = llist_reverse_order(llist_del_all(&sn->reaped));
	struct sip_strict_kill *kill, *next;

	if (soon)
		synchronize_rcu();
	llist_for_each_entry_safe(kill, next, soon, node) {
		sip_strict_kill_again(sn, kill);
		list_add_tail(&kill->late, &sn->reaped_late);
	}
	list_for_each_entry_safe(kill, next, &sn->reaped_late, late) {
		if (time_before(jiffies, kill->due))
			break;
		list_del(&kill->late);
		sip_strict_kill_again(sn, kill);
		kfree(kill);
	}
	if (!list_empty(&sn->reaped_late))
		schedule_delayed_work(&sn->reap_work, HZ);
}

/**
 * sip_strict_reap_run() - end what was collected, publish what went live
 * @sn: the namespace
 * @reap: emptied
 *
 * Context: softirq or process; sn->lock not held.
 */
void sip_strict_reap_run(struct sip_strict_net *sn, struct sip_strict_reap *reap)
{
	struct sip_strict_kill *kill, *next;
	struct llist_node *list = llist_del_all(&reap->kills);
	bool again = false;

	llist_for_each_entry_safe(kill, next, list, node) {
		if (kill->exp) {
			sip_strict_expect_end(kill);
			continue;
		}
		sip_strict_kill_one(sn, kill);
		kill->due = jiffies + SIP_STRICT_REAP_LATE;
		llist_add(&kill->node, &sn->reaped);
		again = true;
	}
	/* Where it waits already for what is due later, within a second. */
	if (again && !READ_ONCE(sn->leaving))
		schedule_delayed_work(&sn->reap_work, 1);
	sip_strict_expect_kick(sn);
}

/**
 * sip_strict_reap_init() - set up a namespace
 * @sn: the namespace
 */
void sip_strict_reap_init(struct sip_strict_net *sn)
{
	init_llist_head(&sn->reaped);
	INIT_LIST_HEAD(&sn->reaped_late);
	INIT_DELAYED_WORK(&sn->reap_work, sip_strict_reap_work);
}

/**
 * sip_strict_reap_exit() - end a last time what was to be ended, forget it
 * @sn: the namespace, leaving
 *
 * Context: process.
 */
void sip_strict_reap_exit(struct sip_strict_net *sn)
{
	struct sip_strict_kill *kill, *next;
	struct llist_node *soon;

	cancel_delayed_work_sync(&sn->reap_work);
	soon = llist_del_all(&sn->reaped);
	llist_for_each_entry_safe(kill, next, soon, node)
		list_add_tail(&kill->late, &sn->reaped_late);
	list_for_each_entry_safe(kill, next, &sn->reaped_late, late) {
		sip_strict_kill_one(sn, kill);
		list_del(&kill->late);
		kfree(kill);
	}
}
