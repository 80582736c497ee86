// SPDX-License-Identifier: GPL-2.0-only
/*
 * attach.c - ties a new connection to the mapping that it belongs to.
 *
 * What a kernel expectation would do, without its limits: right after
 * conntrack has made an entry, and before NAT and filter rules look at it.
 *
 *   outside first   peer -> outside pair: RELATED, master, mark; destination
 *                   to the inside pair, source left, so that no NAT rule of
 *                   the user's touches it
 *   inside first    inside pair -> anywhere: mark; RELATED and master only
 *                   towards a far end of the mapping, for this is before
 *                   routing, and a phone may call its own server from here.
 *                   The source follows in POST_ROUTING, on the egress alone
 *   hairpin         inside host -> outside pair of another: destination and
 *                   source at once, so that the answer comes back this way
 *
 * Two kinds of entries may be in the way, and are ended if they are no call's:
 * one that holds the reply tuple that is wanted (a masqueraded stranger), and
 * a stale one of this very packet, from before the mapping was there. NAT
 * does not test a tuple that is fixed, the packet would be lost at confirm.
 *
 * Look-ups under RCU; sn->lock is taken to decide, and again to remember the
 * connection, just before it is made. Never under it: ending, tracking, NAT.
 */
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_nat.h>
#include <net/route.h>

#include "core/stun.h"
#include "mapping.h"
#include "trace.h"

/**
 * struct sip_strict_join - a connection on its way to a mapping
 * @sn: the namespace
 * @skb: its packet
 * @state: of the hook
 * @ct: the connection
 * @map: the mapping whose outside pair is addressed, or NULL
 * @own: the mapping of the sender, or NULL
 * @as: hairpin: the pair that the source is translated to; of the address that
 *	the destination was addressed by, which may be the external one
 * @src: source of the connection
 * @dst: its destination
 * @master: referenced; NULL: none, and not RELATED
 * @reap: what has to be ended for it
 * @inside: the sender is an inside host
 * @guest: the sender, as one who asks to be let in
 */
struct sip_strict_join {
	struct sip_strict_net *sn;
	struct sk_buff *skb;
	const struct nf_hook_state *state;
	struct nf_conn *ct;
	struct sip_strict_map *map;
	struct sip_strict_map *own;
	struct sip_strict_end as;
	struct sip_strict_end src;
	struct sip_strict_end dst;
	struct nf_conn *master;
	struct sip_strict_reap reap;
	bool inside;
	struct sip_strict_guest guest;
};

static void sip_strict_ip_of(struct sip_ip *ip, const struct sip_strict_end *end)
{
	struct sip_ap ap;

	sip_strict_ap_from_end(&ap, end);
	*ip = ap.ip;
}

/* ---- what the packet says ----------------------------------------------- */

static void sip_strict_packet_read(struct sip_strict_join *j)
{
	int off = sip_strict_protoff(j->skb, j->src.l3num, j->src.proto);
	struct sip_span ufrag;
	u8 buf[STUN_HEAD];
	const u8 *p;
	u32 len;

	if (off < 0 || j->src.proto != IPPROTO_UDP)
		return;
	off += sizeof(struct udphdr);
	if (off + 8 > j->skb->len)
		return;
	len = min_t(u32, j->skb->len - off, sizeof(buf));
	p = skb_header_pointer(j->skb, off, len, buf);
	if (!p)
		return;
	/* RTP, RTCP: RFC 3550 sections 5.1, 6.4 */
	j->guest.genuine = p[0] >> 6 == 2 || stun_is_message(p, len);
	ufrag = stun_check_ufrag(p, len);
	j->guest.ufrag = sip_strict_hash(p + ufrag.off, ufrag.len);
}

static int sip_strict_dev_of(struct net *net, const struct sip_strict_end *end)
{
	bool ip4 = end->l3num == NFPROTO_IPV4;
	struct dst_entry *dst = NULL;
	struct flowi fl = {};
	int ifindex = 0;

	if (ip4)
		fl.u.ip4.daddr = end->addr.ip;
	else
		fl.u.ip6.daddr = end->addr.in6;
	if (nf_route(net, &dst, &fl, false, ip4 ? AF_INET : AF_INET6) || !dst)
		return 0;
	if (dst->dev)
		ifindex = dst->dev->ifindex;
	dst_release(dst);
	return ifindex;
}

/*
 * Does a sender without a mapping live inside? It came by the device of the
 * mapping's own host; or, where there is NAT, from a private address by another
 * device than the mapping's egress. Without NAT a private address says nothing,
 * nor does the egress, which is that of the inside where the outside spoke first.
 */
static bool sip_strict_join_is_inside(const struct sip_strict_join *j)
{
	const struct net_device *in = j->state->in;
	const struct sip_strict_flow *flow = READ_ONCE(j->map->flow);
	int egress = flow ? READ_ONCE(flow->oif) : 0;
	struct sip_ip ip;

	if (!in)
		return true; /* the gateway itself */
	if (!j->map->nat)
		return sip_strict_dev_of(j->sn->net, &j->map->in) == in->ifindex;
	if (!egress || in->ifindex == egress)
		return false;
	sip_strict_ip_of(&ip, &j->src);
	return sip_ip_is_private(&ip) || sip_strict_dev_of(j->sn->net, &j->map->in) == in->ifindex;
}

/* ---- what is in the way ------------------------------------------------- */

static bool sip_strict_addr_is_local(struct net *net, const struct sip_strict_end *end)
{
	if (end->l3num == NFPROTO_IPV4)
		return inet_addr_type(net, end->addr.ip) == RTN_LOCAL;
#if IS_ENABLED(CONFIG_IPV6)
	return ipv6_chk_addr(net, &end->addr.in6, NULL, 0);
#else
	return false;
#endif
}

static bool sip_strict_ct_is_pair(const struct nf_conn *ct, enum ip_conntrack_dir dir,
				  const struct sip_strict_end *in)
{
	struct sip_strict_end end;

	sip_strict_end_of(&end, ct, dir, false);
	return end.port == in->port && !memcmp(&end.addr, &in->addr, sizeof(end.addr));
}

/* Under the lock: has a live mapping made this connection, or taken it over? */
static bool sip_strict_maps_remember(struct sip_strict_net *sn, const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *tuple = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	struct rhlist_head *list, *pos;
	struct sip_strict_map *map;
	struct sip_strict_end end;

	sip_strict_end_of(&end, ct, IP_CT_DIR_ORIGINAL, true);
	map = sip_strict_map_live_out(sn, &end);
	if (map && sip_strict_entry_find(map, tuple))
		return true;
	sip_strict_end_of(&end, ct, IP_CT_DIR_ORIGINAL, false);
	list = sip_strict_map_list_in(sn, &end);
	rhl_for_each_entry_rcu(map, pos, list, node_in)
		if (map->live && sip_strict_entry_find(map, tuple))
			return true;
	return false;
}

/*
 * Does it belong to a call or a registration (or to anything else that was
 * expected)? Such an entry is never ended for another.
 */
static bool sip_strict_ct_is_call(struct sip_strict_net *sn, const struct nf_conn *ct)
{
	bool observe, yes;

	if (test_bit(IPS_EXPECTED_BIT, &ct->status) || sip_strict_helper_of(ct, &observe) ||
	    sip_strict_flow_is_known(sn, ct))
		return true;
	spin_lock_bh(&sn->lock);
	yes = sip_strict_maps_remember(sn, ct);
	spin_unlock_bh(&sn->lock);
	return yes;
}

/* A conversation of the gateway's own is not ended either. */
static bool sip_strict_ct_may_go(struct sip_strict_net *sn, const struct nf_conn *ct)
{
	struct sip_strict_end end;

	if (sip_strict_ct_is_call(sn, ct))
		return false;
	if (!test_bit(IPS_SEEN_REPLY_BIT, &ct->status))
		return true;
	sip_strict_end_of(&end, ct, IP_CT_DIR_ORIGINAL, false);
	if (sip_strict_addr_is_local(sn->net, &end))
		return false;
	sip_strict_end_of(&end, ct, IP_CT_DIR_REPLY, false);
	return !sip_strict_addr_is_local(sn->net, &end);
}

/*
 * A phone that sends to another inside before its own answer has passed: that
 * connection leaves from no pair that an SDP names, and what comes to the pair
 * that is named since cannot pass beside it.
 */
static bool sip_strict_ct_is_early(struct sip_strict_net *sn, const struct sip_strict_map *own,
				   const struct nf_conn *ct)
{
	struct sip_strict_map *map;
	struct sip_strict_end end;
	bool observe;

	if (!own->nat || !sip_strict_ct_is_pair(ct, IP_CT_DIR_ORIGINAL, &own->in) ||
	    sip_strict_helper_of(ct, &observe) || sip_strict_flow_is_known(sn, ct))
		return false;
	sip_strict_end_of(&end, ct, IP_CT_DIR_REPLY, true);
	map = sip_strict_map_live_out(sn, &end);
	return !map || !sip_strict_ct_is_pair(ct, IP_CT_DIR_ORIGINAL, &map->in);
}

static void sip_strict_ct_end(struct sip_strict_net *sn, struct sip_strict_map *map,
			      struct nf_conn *ct)
{
	struct sip_strict_end end;

	sip_strict_end_of(&end, ct, IP_CT_DIR_ORIGINAL, false);
	nf_ct_kill(ct);
	SIP_STRICT_INC(sn, clash_ended);
	trace_sip_strict_expect(sn->net, map, "clash", &end);
}

/* Another packet of the same connection was quicker: confirm makes one of both. */
static bool sip_strict_ct_is_twin(const struct nf_conn *ct, const struct nf_conntrack_tuple_hash *h)
{
	const struct nf_conn *other = nf_ct_tuplehash_to_ctrack(h);

	return NF_CT_DIRECTION(h) == IP_CT_DIR_REPLY &&
	       nf_ct_tuple_equal(&ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple,
				 &other->tuplehash[IP_CT_DIR_ORIGINAL].tuple);
}

/*
 * See to it that the reply of this connection can come from one pair to the
 * other. False: another call, or the gateway itself, holds that tuple; or
 * anybody, where this connection is no peer's and may end nothing.
 */
static bool sip_strict_reply_clear(const struct sip_strict_join *j, struct sip_strict_map *map,
				   const struct sip_strict_end *from,
				   const struct sip_strict_end *to, bool may_end)
{
	struct nf_conntrack_tuple want = j->ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	struct nf_conntrack_tuple_hash *h;
	struct nf_conn *other;
	bool clear;

	want.src.u3 = from->addr;
	want.src.u.all = from->port;
	want.dst.u3 = to->addr;
	want.dst.u.all = to->port;
	h = nf_conntrack_find_get(j->sn->net, nf_ct_zone(j->ct), &want);
	if (!h)
		return true;
	other = nf_ct_tuplehash_to_ctrack(h);
	clear = nf_ct_is_dying(other) || sip_strict_ct_is_twin(j->ct, h);
	if (!clear && may_end &&
	    (sip_strict_ct_may_go(j->sn, other) || sip_strict_ct_is_early(j->sn, map, other))) {
		sip_strict_ct_end(j->sn, map, other);
		clear = true;
	}
	nf_ct_put(other);
	return clear;
}

/*
 * The packet has a confirmed entry from before the mapping: end it and track
 * the packet again. A template carries the zone, else that would be 0.
 */
static unsigned int sip_strict_join_retrack(struct sip_strict_join *j, struct sip_strict_map *map)
{
	struct nf_conntrack_zone zone = *nf_ct_zone(j->ct);
	enum ip_conntrack_info ctinfo;
	struct nf_conn *tmpl = NULL;
	unsigned int verdict;

	if (zone.id != NF_CT_DEFAULT_ZONE_ID) {
		zone.flags = 0;
		tmpl = nf_ct_tmpl_alloc(j->sn->net, &zone, GFP_ATOMIC);
		if (!tmpl)
			return NF_DROP;
		__set_bit(IPS_CONFIRMED_BIT, &tmpl->status);
	}
	sip_strict_ct_end(j->sn, map, j->ct);
	nf_reset_ct(j->skb);
	if (tmpl)
		nf_ct_set(j->skb, tmpl, IP_CT_NEW);
	verdict = nf_conntrack_in(j->skb, j->state);
	j->ct = nf_ct_get(j->skb, &ctinfo);
	if (j->ct && (ctinfo != IP_CT_NEW || nf_ct_is_confirmed(j->ct)))
		j->ct = NULL;
	return verdict;
}

/* ---- making it ---------------------------------------------------------- */

static void sip_strict_ct_marks(struct nf_conn *ct, const struct nf_conn *master)
{
#ifdef CONFIG_NF_CONNTRACK_MARK
	if (!ct->mark)
		ct->mark = READ_ONCE(master->mark);
#endif
#ifdef CONFIG_NF_CONNTRACK_SECMARK
	if (!ct->secmark)
		ct->secmark = master->secmark;
#endif
}

/* Takes over the reference on the master. */
static void sip_strict_ct_adopt(struct sip_strict_join *j)
{
	if (!j->master)
		return;
	__set_bit(IPS_EXPECTED_BIT, &j->ct->status);
	j->ct->master = j->master;
	sip_strict_ct_marks(j->ct, j->master);
	nf_ct_set(j->skb, j->ct, IP_CT_RELATED);
	j->master = NULL;
}

/* Verdicts need counters, whatever nf_conntrack_acct says. */
static void sip_strict_ct_account(struct nf_conn *ct, const struct sk_buff *skb,
				  const struct sip_strict_map *map)
{
	struct nf_conn_acct *acct;

	if (map->kind == SIP_STRICT_CONTACT || nf_conn_acct_find(ct))
		return;
	acct = nf_ct_ext_add(ct, NF_CT_EXT_ACCT, GFP_ATOMIC);
	if (!acct)
		return;
	/* conntrack has passed this packet already. */
	atomic64_inc(&acct->counter[IP_CT_DIR_ORIGINAL].packets);
	atomic64_add(skb->len, &acct->counter[IP_CT_DIR_ORIGINAL].bytes);
}

static unsigned int sip_strict_ct_nat(struct nf_conn *ct, const struct sip_strict_end *to,
				      bool any_port, enum nf_nat_manip_type manip)
{
	struct nf_nat_range2 range = {
		.flags = NF_NAT_RANGE_MAP_IPS | (any_port ? 0 : NF_NAT_RANGE_PROTO_SPECIFIED),
		.min_addr = to->addr,
		.max_addr = to->addr,
		.min_proto.all = to->port,
		.max_proto.all = to->port,
	};

	return nf_nat_setup_info(ct, &range, manip);
}

static void sip_strict_join_used(const struct sip_strict_join *j, const struct sip_strict_map *map,
				 const struct sip_strict_end *remote)
{
	SIP_STRICT_INC(j->sn, expect_used);
	trace_sip_strict_expect(j->sn->net, map, "used", remote);
}

/* ---- outside first ------------------------------------------------------ */

/* With directional zones the answer of the inside host would not be found. */
static bool sip_strict_zone_is_directional(const struct sip_strict_join *j)
{
#ifdef CONFIG_NF_CONNTRACK_ZONES
	const struct sip_strict_flow *flow = READ_ONCE(j->map->flow);

	if (nf_ct_zone(j->ct)->dir != NF_CT_DEFAULT_ZONE_DIR ||
	    j->map->in.zone != j->map->out.zone)
		return true;
	return flow && nf_ct_zone(READ_ONCE(flow->ct))->dir != NF_CT_DEFAULT_ZONE_DIR;
#else
	return false;
#endif
}

/*
 * Hairpin: is the source to be translated as well, and to what? Not towards a
 * host without NAT: that way POST_ROUTING decides, by the egress.
 */
static const struct sip_strict_end *sip_strict_join_source(const struct sip_strict_join *j)
{
	if (!j->map->nat || !j->state->in)
		return NULL;
	return j->own || j->inside ? &j->as : NULL;
}

/* Under the lock: is it let in? Fills in the master. */
static bool sip_strict_join_decide(struct sip_strict_join *j)
{
	const struct sip_strict_end *seen;
	struct sip_ip *ip = &j->guest.ip;

	if (!j->map->live)
		return false;
	if (j->own && !j->own->live)
		j->own = NULL;
	seen = sip_strict_join_source(j);
	sip_strict_ip_of(ip, seen ?: &j->src);
	/* It may have been told as it will look further on. */
	if (!seen && j->own && !sip_strict_map_has_peer(j->sn, j->map, ip))
		sip_strict_ip_of(ip, &j->own->out);
	j->guest.inside = j->inside || j->own;
	if (!sip_strict_map_admits(j->sn, j->map, &j->guest, &j->reap))
		return false;
	j->master = sip_strict_map_master(j->map);
	return true;
}

/* Under the lock, the last word: the mapping remembers what is made now. */
static bool sip_strict_join_remember(struct sip_strict_join *j, struct sip_strict_map *map,
				     bool inside_first, enum sip_strict_by way)
{
	bool ok;

	spin_lock_bh(&j->sn->lock);
	ok = map->live && sip_strict_entry_add(j->sn, map, j->ct, inside_first, way, &j->reap);
	spin_unlock_bh(&j->sn->lock);
	return ok;
}

static unsigned int sip_strict_join_outside(struct sip_strict_join *j)
{
	const struct sip_strict_end *source = sip_strict_join_source(j);
	struct sip_strict_map *map = j->map;
	enum sip_strict_by way = SIP_STRICT_BY_PEER;
	unsigned int verdict;
	bool any_port;

	if (nf_ct_is_confirmed(j->ct)) {
		if (sip_strict_ct_is_call(j->sn, j->ct) &&
		    !(j->own && sip_strict_ct_is_early(j->sn, j->own, j->ct)))
			return NF_ACCEPT;
		verdict = sip_strict_join_retrack(j, map);
		if (verdict != NF_ACCEPT || !j->ct)
			return verdict;
	}
	any_port = source && !j->own;
	if (map->nat && !any_port &&
	    !sip_strict_reply_clear(j, map, &map->in, source ?: &j->src, true))
		return NF_ACCEPT;
	if (source)
		way = j->own ? SIP_STRICT_BY_HAIRPIN : SIP_STRICT_BY_EARLY;
	else if (j->guest.by_ice)
		way = SIP_STRICT_BY_ICE;
	if (!sip_strict_join_remember(j, map, false, way))
		return NF_DROP;
	if (source && j->own && !sip_strict_join_remember(j, j->own, true, way))
		return NF_DROP;
	sip_strict_join_used(j, map, &j->src);
	sip_strict_ct_account(j->ct, j->skb, map);
	sip_strict_ct_adopt(j);
	if (!map->nat)
		return NF_ACCEPT;
	verdict = sip_strict_ct_nat(j->ct, &map->in, false, NF_NAT_MANIP_DST);
	if (verdict == NF_ACCEPT)
		verdict = sip_strict_ct_nat(j->ct, source ?: &j->src, any_port, NF_NAT_MANIP_SRC);
	return verdict;
}

static unsigned int sip_strict_attach_outside(struct sip_strict_join *j)
{
	unsigned int verdict = NF_ACCEPT;
	bool join;

	if (sip_strict_zone_is_directional(j)) {
		SIP_STRICT_INC(j->sn, zone_dir);
		return NF_ACCEPT;
	}
	j->own = sip_strict_map_live_in(j->sn, &j->src);
	if (j->own && !j->own->nat)
		j->own = NULL;
	j->inside = !j->own && sip_strict_join_is_inside(j);
	if (j->map->kind != SIP_STRICT_CONTACT)
		sip_strict_packet_read(j);
	j->as = j->own ? j->own->out : j->map->out;
	j->as.addr = j->dst.addr;

	spin_lock_bh(&j->sn->lock);
	join = sip_strict_join_decide(j);
	spin_unlock_bh(&j->sn->lock);
	if (join)
		verdict = sip_strict_join_outside(j);
	return verdict;
}

/* ---- inside first ------------------------------------------------------- */

/*
 * Under the lock: which mapping of the sender? The one with this far end; or
 * else the only one, whose mark leads the packet out by the right uplink.
 */
static bool sip_strict_join_choose(struct sip_strict_join *j)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_map *map;
	struct sip_ip ip;
	u32 n = 0;

	sip_strict_ip_of(&ip, &j->dst);
	list = sip_strict_map_list_in(j->sn, &j->src);
	rhl_for_each_entry_rcu(map, pos, list, node_in) {
		if (!map->live)
			continue;
		j->own = map;
		n++;
		if (!sip_strict_map_has_peer(j->sn, map, &ip))
			continue;
		j->master = sip_strict_map_master(map);
		return true;
	}
	if (n == 1)
		j->master = sip_strict_map_master(j->own);
	return false;
}

static unsigned int sip_strict_attach_inside(struct sip_strict_join *j)
{
	unsigned int verdict;
	bool peer;

	spin_lock_bh(&j->sn->lock);
	peer = sip_strict_join_choose(j);
	spin_unlock_bh(&j->sn->lock);
	if (!j->master)
		return NF_ACCEPT;
	if (nf_ct_is_confirmed(j->ct)) {
		if (!peer || sip_strict_ct_is_call(j->sn, j->ct))
			return NF_ACCEPT;
		verdict = sip_strict_join_retrack(j, j->own);
		if (verdict != NF_ACCEPT || !j->ct)
			return verdict;
	}
	if (!peer) {
		sip_strict_ct_marks(j->ct, j->master);
		return NF_ACCEPT;
	}
	if (!sip_strict_join_remember(j, j->own, true, SIP_STRICT_BY_PEER))
		return NF_DROP;
	sip_strict_join_used(j, j->own, &j->dst);
	sip_strict_ct_account(j->ct, j->skb, j->own);
	sip_strict_ct_adopt(j);
	return NF_ACCEPT;
}

static void sip_strict_join_fill(struct sip_strict_join *j, struct sip_strict_net *sn,
				 struct sk_buff *skb, const struct nf_hook_state *state,
				 struct nf_conn *ct)
{
	memset(j, 0, sizeof(*j));
	j->sn = sn;
	j->skb = skb;
	j->state = state;
	j->ct = ct;
	sip_strict_end_of(&j->src, ct, IP_CT_DIR_ORIGINAL, false);
	sip_strict_end_of(&j->dst, ct, IP_CT_DIR_ORIGINAL, true);
}

static void sip_strict_join_done(struct sip_strict_join *j)
{
	if (j->master)
		nf_ct_put(j->master);
	sip_strict_reap_run(j->sn, &j->reap);
}

/**
 * sip_strict_attach() - a packet without connection yet, at an armed port
 * @sn: the namespace
 * @skb: the packet; its connection may be replaced
 * @state: of the hook (PRE_ROUTING or LOCAL_OUT, after conntrack)
 * @ct: its connection: NEW, mostly unconfirmed
 *
 * Context: RCU read lock held, sn->lock not.
 * Return: NF_ACCEPT; NF_DROP: its mapping has closed this moment.
 */
unsigned int sip_strict_attach(struct sip_strict_net *sn, struct sk_buff *skb,
			       const struct nf_hook_state *state, struct nf_conn *ct)
{
	unsigned int verdict = NF_ACCEPT;
	struct sip_strict_join j;

	sip_strict_join_fill(&j, sn, skb, state, ct);
	j.map = sip_strict_map_live_out(sn, &j.dst);
	if (j.map)
		verdict = sip_strict_attach_outside(&j);
	else if (sip_strict_map_live_in(sn, &j.src))
		verdict = sip_strict_attach_inside(&j);
	else
		return NF_ACCEPT;
	sip_strict_join_done(&j);
	return verdict;
}

/* ---- a connection that is older than its mapping ------------------------ */

/*
 * Under the lock: whose should it be? Its far end is one of the mapping's, so
 * that this packet, tracked anew, makes a connection that is remembered.
 */
static struct sip_strict_map *sip_strict_join_older(struct sip_strict_join *j, bool reply)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_map *map;
	struct sip_strict_end out;
	struct sip_ip ip;

	sip_strict_ip_of(&ip, &j->dst);
	sip_strict_end_of(&out, j->ct, IP_CT_DIR_REPLY, true);
	list = sip_strict_map_list_in(j->sn, &j->src);
	rhl_for_each_entry_rcu(map, pos, list, node_in) {
		if (!map->live || map->kind == SIP_STRICT_CONTACT ||
		    !sip_strict_map_has_peer(j->sn, map, &ip))
			continue;
		/* What comes to another pair would not pass without it. */
		if (!reply || sip_strict_map_live_out(j->sn, &out) == map)
			return map;
	}
	sip_strict_ip_of(&ip, &j->src);
	map = sip_strict_map_live_out(j->sn, &j->dst);
	if (map && map->kind != SIP_STRICT_CONTACT && sip_strict_map_has_peer(j->sn, map, &ip) &&
	    sip_strict_ct_is_pair(j->ct, IP_CT_DIR_REPLY, &map->in))
		return map;
	return NULL;
}

/**
 * sip_strict_attach_older() - a packet of a connection that no mapping made
 * @sn: the namespace
 * @skb: the packet; its connection may be replaced
 * @state: of the hook (PRE_ROUTING or LOCAL_OUT, after conntrack)
 * @ct: its connection: UDP, answered, not expected, at an armed port
 * @reply: the packet goes against the connection's first
 *
 * RTP of a phone that is quicker than the 200 that names its port, or that
 * goes on in a hold, and what an open firewall or a port forward lets in: it
 * would pass, but nobody would count it, or end it with the call.
 *
 * Context: RCU read lock held, sn->lock not.
 * Return: a verdict.
 */
unsigned int sip_strict_attach_older(struct sip_strict_net *sn, struct sk_buff *skb,
				     const struct nf_hook_state *state, struct nf_conn *ct,
				     bool reply)
{
	struct sip_strict_map *map;
	struct sip_strict_join j;
	unsigned int verdict;

	sip_strict_join_fill(&j, sn, skb, state, ct);
	/* Mostly the port's number alone is a mapping's: no lock for that. */
	if (!sip_strict_map_live_in(sn, &j.src) && !sip_strict_map_live_out(sn, &j.dst))
		return NF_ACCEPT;
	if (sip_strict_ct_is_call(sn, ct))
		return NF_ACCEPT;
#ifdef CONFIG_NF_CONNTRACK_ZONES
	if (nf_ct_zone(ct)->dir != NF_CT_DEFAULT_ZONE_DIR)
		return NF_ACCEPT;
#endif
	spin_lock_bh(&sn->lock);
	map = sip_strict_join_older(&j, reply);
	spin_unlock_bh(&sn->lock);
	if (!map)
		return NF_ACCEPT;
	verdict = sip_strict_join_retrack(&j, map);
	if (verdict != NF_ACCEPT || !j.ct)
		return verdict;
	return sip_strict_attach(sn, skb, state, j.ct);
}

/* ---- source of inside first ones, in POST_ROUTING ------------------------ */

/*
 * Under the lock: the mapping whose egress this is, best with this far end.
 * Signalling of one socket by two uplinks is as it should be, media is not.
 */
static void sip_strict_join_egress(struct sip_strict_join *j, bool *elsewhere)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_map *map;
	u32 rank, best = 0;
	struct sip_ip ip;

	sip_strict_ip_of(&ip, &j->dst);
	list = sip_strict_map_list_in(j->sn, &j->src);
	rhl_for_each_entry_rcu(map, pos, list, node_in) {
		if (!map->live || !map->nat || !map->flow)
			continue;
		if (map->flow->oif && map->flow->oif != j->state->out->ifindex) {
			*elsewhere |= map->kind != SIP_STRICT_CONTACT;
			continue;
		}
		rank = 1 + 2 * sip_strict_map_has_peer(j->sn, map, &ip) + 4 * !!map->flow->oif;
		if (rank <= best)
			continue;
		best = rank;
		j->own = map;
	}
	/* Not known so far: this is it. */
	if (j->own && !j->own->flow->oif)
		WRITE_ONCE(j->own->flow->oif, j->state->out->ifindex);
}

static unsigned int sip_strict_join_leave(struct sip_strict_join *j)
{
	bool is_peers = test_bit(IPS_EXPECTED_BIT, &j->ct->status);
	struct sip_strict_map *map = j->own;
	struct sip_strict_end remote;

	sip_strict_end_of(&remote, j->ct, IP_CT_DIR_REPLY, false);
	/* A port in a description is no claim to what others send to anywhere. */
	if (!sip_strict_reply_clear(j, map, &remote, &map->out, is_peers))
		return NF_ACCEPT;
	if (!sip_strict_join_remember(j, map, true, SIP_STRICT_BY_PEER))
		return NF_DROP;
	if (!is_peers)
		sip_strict_join_used(j, map, &remote);
	sip_strict_ct_account(j->ct, j->skb, map);
#if IS_ENABLED(CONFIG_NF_NAT_MASQUERADE)
	{
		/* An uplink that goes down takes its media along, as masquerade does. */
		struct nf_conn_nat *nat = nf_ct_nat_ext_add(j->ct);

		if (nat)
			nat->masq_index = j->state->out->ifindex;
	}
#endif
	return sip_strict_ct_nat(j->ct, &map->out, false, NF_NAT_MANIP_SRC);
}

/**
 * sip_strict_attach_source() - let a new connection from inside leave from the
 * advertised pair
 * @sn: the namespace
 * @skb: the packet, before source NAT
 * @state: of the hook
 * @ct: its connection, unconfirmed, source not translated yet
 * @ctinfo: NEW or RELATED
 *
 * Context: RCU read lock held, sn->lock not.
 * Return: NF_ACCEPT; NF_DROP: its mapping has closed this moment.
 */
unsigned int sip_strict_attach_source(struct sip_strict_net *sn, struct sk_buff *skb,
				      const struct nf_hook_state *state, struct nf_conn *ct,
				      enum ip_conntrack_info ctinfo)
{
	unsigned int verdict = NF_ACCEPT;
	const struct sip_strict_map *map;
	struct sip_strict_join j;
	bool elsewhere = false;

	sip_strict_join_fill(&j, sn, skb, state, ct);
	if (!sip_strict_map_live_in(sn, &j.src))
		return NF_ACCEPT;
	spin_lock_bh(&sn->lock);
	sip_strict_join_egress(&j, &elsewhere);
	spin_unlock_bh(&sn->lock);
	if (j.own) {
		verdict = sip_strict_join_leave(&j);
	} else if (elsewhere) {
		SIP_STRICT_INC(sn, other_uplink);
		map = sip_strict_map_live_in(sn, &j.src);
		if (map)
			trace_sip_strict_expect(sn->net, map, "other_uplink", &j.dst);
	}
	sip_strict_join_done(&j);
	return verdict;
}
