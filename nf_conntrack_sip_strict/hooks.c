// SPDX-License-Identifier: GPL-2.0-only
/*
 * hooks.c - where packets meet the module.
 *
 *   PRE_ROUTING, LOCAL_OUT  -199  after conntrack: new connections at an armed
 *                                 port, and those that are older than their
 *                                 mapping, are attached to it
 *   POST_ROUTING              99  before source NAT: those from inside leave
 *                                 from the advertised pair
 *   POST_ROUTING, LOCAL_IN   300  NAT done, not confirmed yet: helpers are
 *                                 assigned, messages read and edited
 *
 * All packets of the namespace pass here, so each hook ends after a few loads
 * for those that are not its business: the first two look at a table of armed
 * port numbers before any hash, the last at the helper extension.
 *
 * helper->help() does nothing: it is called after the last hook, and without
 * the okfn that is needed to send on what was split or held.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_nat.h>

#include "mapping.h"

#define SIP_STRICT_PRI_ATTACH (NF_IP_PRI_CONNTRACK + 1)
#define SIP_STRICT_PRI_SOURCE (NF_IP_PRI_NAT_SRC - 1)
#define SIP_STRICT_PRI_WORK NF_IP_PRI_CONNTRACK_HELPER

/**
 * sip_strict_protoff() - where the transport header of a packet is
 * @skb: the packet
 * @l3num: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: the protocol that it has to be
 *
 * Return: offset from skb->data; -1: another protocol (an ICMP error belongs
 * to the connection that it is about), or a fragment.
 */
int sip_strict_protoff(const struct sk_buff *skb, u8 l3num, u8 proto)
{
	int start = skb_network_offset(skb), off;
	__be16 frag_off;
	u8 nexthdr;

	if (l3num == NFPROTO_IPV4) {
		const struct iphdr *iph = ip_hdr(skb);

		if (iph->protocol != proto || ip_is_fragment(iph))
			return -1;
		return start + iph->ihl * 4;
	}
	nexthdr = ipv6_hdr(skb)->nexthdr;
	off = ipv6_skip_exthdr(skb, start + sizeof(struct ipv6hdr), &nexthdr, &frag_off);
	return off < 0 || nexthdr != proto || frag_off ? -1 : off;
}

/**
 * sip_strict_iif() - the device that a packet came in by
 * @skb: the packet
 * @l3num: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Return: its index, in a VRF that of the real device; 0: the packet was made here.
 */
int sip_strict_iif(struct sk_buff *skb, u8 l3num)
{
	int real = l3num == NFPROTO_IPV4 ? inet_sdif(skb) : inet6_sdif(skb);

	return real ?: skb->skb_iif;
}

static bool sip_strict_proto_is_ours(const struct nf_conn *ct)
{
	u8 proto = nf_ct_protonum(ct);

	return proto == IPPROTO_UDP || proto == IPPROTO_TCP;
}

/* ---- -199: attach ------------------------------------------------------- */

static unsigned int sip_strict_hook_attach(void *priv, struct sk_buff *skb,
					   const struct nf_hook_state *state)
{
	const struct nf_conntrack_tuple *tuple;
	enum ip_conntrack_info ctinfo;
	struct sip_strict_net *sn;
	struct nf_conn *ct;

	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || ct->master || ctinfo == IP_CT_RELATED || ctinfo == IP_CT_RELATED_REPLY)
		return NF_ACCEPT;
	/* In the middle of a TCP connection nothing can begin anew. */
	if (ctinfo != IP_CT_NEW && nf_ct_protonum(ct) != IPPROTO_UDP)
		return NF_ACCEPT;
	sn = sip_strict_pernet(state->net);
	tuple = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	if (!sip_strict_port_is_armed(sn, tuple->dst.u.all) &&
	    !sip_strict_port_is_armed(sn, tuple->src.u.all))
		return NF_ACCEPT;
	if (!sip_strict_proto_is_ours(ct) || nf_ct_is_template(ct))
		return NF_ACCEPT;
	/* Over loopback it was seen in LOCAL_OUT, in a VRF on the real device. */
	if (state->in && (state->in->flags & IFF_LOOPBACK || netif_is_l3_master(state->in)))
		return NF_ACCEPT;
	if (sip_strict_protoff(skb, nf_ct_l3num(ct), nf_ct_protonum(ct)) < 0)
		return NF_ACCEPT;
	if (ctinfo != IP_CT_NEW)
		return sip_strict_attach_older(sn, skb, state, ct,
					       CTINFO2DIR(ctinfo) == IP_CT_DIR_REPLY);
	return sip_strict_attach(sn, skb, state, ct);
}

/* ---- 99: source --------------------------------------------------------- */

static bool sip_strict_hook_is_bypassed(const struct sk_buff *skb,
					const struct nf_hook_state *state)
{
	/* A VRF's own device: the packet comes again on the real one. */
	if (state->hook == NF_INET_POST_ROUTING && state->out && netif_is_l3_master(state->out))
		return true;
	/* Bridged, not routed: its okfn is another module's. */
	return nf_bridge_info_exists(skb);
}

static unsigned int sip_strict_hook_source(void *priv, struct sk_buff *skb,
					   const struct nf_hook_state *state)
{
	enum ip_conntrack_info ctinfo;
	struct sip_strict_net *sn;
	struct nf_conn *ct;

	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || (ctinfo != IP_CT_NEW && ctinfo != IP_CT_RELATED) || nf_ct_is_confirmed(ct))
		return NF_ACCEPT;
	sn = sip_strict_pernet(state->net);
	if (!sip_strict_port_is_armed(sn, ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.src.u.all))
		return NF_ACCEPT;
	if (!sip_strict_proto_is_ours(ct) || nf_nat_initialized(ct, NF_NAT_MANIP_SRC) ||
	    sip_strict_hook_is_bypassed(skb, state))
		return NF_ACCEPT;
	return sip_strict_attach_source(sn, skb, state, ct, ctinfo);
}

/* ---- 300: helpers ------------------------------------------------------- */

static bool sip_strict_ct_is_watched(const struct nf_conn *ct)
{
	return sip_strict_port_watched(ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u.all) ||
	       sip_strict_port_watched(ct->tuplehash[IP_CT_DIR_REPLY].tuple.src.u.all);
}

/* The live mapping that an expected connection was made from, or NULL. */
static struct sip_strict_map *sip_strict_ct_mapping(struct sip_strict_net *sn,
						    const struct nf_conn *ct)
{
	struct sip_strict_map *map;
	struct sip_strict_end end;

	sip_strict_end_of(&end, ct, IP_CT_DIR_ORIGINAL, true);
	map = sip_strict_map_live_out(sn, &end);
	if (map)
		return map;
	sip_strict_end_of(&end, ct, IP_CT_DIR_ORIGINAL, false);
	return sip_strict_map_live_in(sn, &end);
}

static bool sip_strict_ct_is_child(struct sip_strict_net *sn, const struct nf_conn *ct)
{
	bool observe;

	return test_bit(IPS_EXPECTED_BIT, &ct->status) && ct->master &&
	       (sip_strict_helper_of(ct->master, &observe) ||
		sip_strict_flow_is_known(sn, ct->master));
}

/*
 * First packet of a connection: the last chance to give it the helper, after
 * all rules. False: its mapping has closed while the packet was on its way.
 */
static bool sip_strict_hook_first(struct sip_strict_net *sn, struct nf_conn *ct)
{
	const struct sip_strict_map *map = NULL;

	if (sip_strict_ct_is_child(sn, ct)) {
		map = sip_strict_ct_mapping(sn, ct);
		if (!map)
			return false;
	}
	if (test_bit(IPS_HELPER_BIT, &ct->status) || nfct_help(ct))
		return true;
	if ((map && map->kind == SIP_STRICT_CONTACT) ||
	    (READ_ONCE(sn->conf.auto_assign) && sip_strict_ct_is_watched(ct)))
		if (!sip_strict_helper_assign(ct))
			SIP_STRICT_INC(sn, helper_assigned);
	return true;
}

/* Has it a helper that works, but is not ours? */
static bool sip_strict_ct_has_other(const struct nf_conn *ct)
{
	const struct nf_conn_help *help = nfct_help(ct);
	const struct nf_conntrack_helper *helper;

	if (!help)
		return test_bit(IPS_HELPER_BIT, &ct->status); /* a rule said: none */
	helper = rcu_dereference(help->helper);
	return helper && sip_strict_helper_is_alive(helper);
}

/*
 * A confirmed connection without our helper (module loaded again, or loaded
 * after it began) is served all the same if its record or auto_assign says so.
 */
static bool sip_strict_hook_is_lost(struct sip_strict_net *sn, const struct nf_conn *ct)
{
	if ((!test_bit(sip_strict_lost_bit(ct), sn->lost) || !sip_strict_flow_is_known(sn, ct)) &&
	    (!READ_ONCE(sn->conf.auto_assign) || !sip_strict_ct_is_watched(ct)))
		return false;
	if (sip_strict_ct_has_other(ct))
		return false;
	SIP_STRICT_INC(sn, helper_lost);
	/* Its other packets do not come here: half a view is none. */
	return !(ct->status & (IPS_OFFLOAD | IPS_HW_OFFLOAD));
}

/*
 * The helpers go before anything else of the module does, and with them what
 * says that a connection is ours. Those of TCP are followed to the end: with
 * their numbers untranslated they would break.
 */
static bool sip_strict_parting;

static bool sip_strict_hook_is_left(struct sip_strict_net *sn, const struct nf_conn *ct)
{
	return READ_ONCE(sip_strict_parting) && nf_ct_protonum(ct) == IPPROTO_TCP &&
	       sip_strict_tcp_is_followed(sn, ct);
}

/**
 * sip_strict_hooks_part() - the module goes: its helpers will be gone
 *
 * Context: process; sleeps.
 */
void sip_strict_hooks_part(void)
{
	WRITE_ONCE(sip_strict_parting, true);
	synchronize_net();
}

/* ---- 300: messages ------------------------------------------------------ */

/**
 * struct sip_strict_served - a packet of a served flow
 * @sn: the namespace
 * @ct: the flow
 * @ctinfo: direction of the packet
 * @mode: SIP_STRICT_STRICT or SIP_STRICT_OBSERVE
 */
struct sip_strict_served {
	struct sip_strict_net *sn;
	struct nf_conn *ct;
	enum ip_conntrack_info ctinfo;
	enum sip_strict_mode mode;
};

static unsigned int sip_strict_hook_stream(const struct sip_strict_served *s,
					   struct sk_buff *skb,
					   const struct nf_hook_state *state)
{
	int off = sip_strict_protoff(skb, nf_ct_l3num(s->ct), IPPROTO_TCP);

	if (off < 0)
		return NF_ACCEPT;
	return sip_strict_tcp_packet(s->sn, skb, off, s->ct, s->ctinfo, state, s->mode);
}

static unsigned int sip_strict_hook_datagram(const struct sip_strict_served *s,
					     struct sk_buff *skb,
					     const struct nf_hook_state *state)
{
	int off = sip_strict_protoff(skb, nf_ct_l3num(s->ct), IPPROTO_UDP);

	if (off < 0)
		return NF_ACCEPT;
	return sip_strict_work_datagram(s->sn, skb, off, s->ct, s->ctinfo, state, s->mode);
}

/*
 * Several datagrams in one skb (GRO, UDP_SEGMENT): each is edited by itself
 * and sent on. The hooks behind this one do not see them, so the connection
 * is confirmed here, which may put another one in its place.
 */
static unsigned int sip_strict_hook_split(struct sip_strict_served *s, struct sk_buff *skb,
					  const struct nf_hook_state *state)
{
	struct sk_buff *segs, *seg, *next;
	struct nf_conn *ct;

	segs = skb_gso_segment(skb, 0);
	/* A list is in parts by then. */
	if (IS_ERR(segs) && (skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST))
		return NF_DROP;
	if (IS_ERR_OR_NULL(segs))
		return NF_ACCEPT;
	if (nf_conntrack_confirm(skb) != NF_ACCEPT) {
		kfree_skb_list(segs);
		return NF_DROP;
	}
	ct = nf_ct_get(skb, &s->ctinfo);
	nf_conntrack_get(&ct->ct_general);
	s->ct = ct;
	/* Of a list (rx-gro-list) the first segment is the skb itself: let it be its own. */
	consume_skb(skb);
	skb_list_walk_safe(segs, seg, next) {
		skb_mark_not_on_list(seg);
		/* The segments still carry what it was before. */
		nf_reset_ct(seg);
		nf_ct_set(seg, ct, s->ctinfo);
		nf_conntrack_get(&ct->ct_general);
		SIP_STRICT_INC(s->sn, gso_split);
		if (sip_strict_hook_datagram(s, seg, state) == NF_ACCEPT)
			state->okfn(state->net, state->sk, seg);
		else
			kfree_skb(seg);
	}
	nf_ct_put(ct);
	return NF_STOLEN;
}

static unsigned int sip_strict_hook_serve(struct sip_strict_net *sn, struct sk_buff *skb,
					  const struct nf_hook_state *state, struct nf_conn *ct,
					  enum ip_conntrack_info ctinfo, enum sip_strict_mode mode)
{
	struct sip_strict_served s = { .sn = sn, .ct = ct, .ctinfo = ctinfo, .mode = mode };

	/* A stream that is edited now and then is followed all the time. */
	if (nf_ct_protonum(ct) == IPPROTO_TCP)
		return sip_strict_hook_stream(&s, skb, state);
	if (s.mode == SIP_STRICT_OFF)
		return NF_ACCEPT;
	if (sip_strict_protoff(skb, nf_ct_l3num(ct), IPPROTO_UDP) < 0)
		return NF_ACCEPT;
	if (skb_is_gso(skb) && (skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4))
		return sip_strict_hook_split(&s, skb, state);
	return sip_strict_hook_datagram(&s, skb, state);
}

static unsigned int sip_strict_hook_work(void *priv, struct sk_buff *skb,
					 const struct nf_hook_state *state)
{
	enum ip_conntrack_info ctinfo;
	struct sip_strict_net *sn;
	enum sip_strict_mode mode;
	bool observe = false;
	struct nf_conn *ct;

	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || ctinfo == IP_CT_RELATED_REPLY || !sip_strict_proto_is_ours(ct))
		return NF_ACCEPT;
	sn = sip_strict_pernet(state->net);
	mode = READ_ONCE(sn->conf.mode);
	if (nf_ct_is_confirmed(ct) && !sip_strict_helper_of(ct, &observe)) {
		if (sip_strict_hook_is_left(sn, ct))
			mode = SIP_STRICT_OFF;
		else if (!sip_strict_hook_is_lost(sn, ct))
			return NF_ACCEPT;
	}
	if (sip_strict_hook_is_bypassed(skb, state) || nf_ct_is_template(ct))
		return NF_ACCEPT;
	/* Over loopback it was seen in POST_ROUTING. */
	if (state->hook == NF_INET_LOCAL_IN && (state->in->flags & IFF_LOOPBACK))
		return NF_ACCEPT;
	if (!nf_ct_is_confirmed(ct)) {
		if (!sip_strict_hook_first(sn, ct))
			return NF_DROP;
		if (!sip_strict_helper_of(ct, &observe))
			return NF_ACCEPT;
	}
	if (observe)
		mode = SIP_STRICT_OBSERVE;
	return sip_strict_hook_serve(sn, skb, state, ct, ctinfo, mode);
}

/* ---- registration ------------------------------------------------------- */

#define SIP_STRICT_HOOK(fn, family, where, prio) { \
	.hook = sip_strict_hook_##fn, \
	.pf = NFPROTO_##family, \
	.hooknum = NF_INET_##where, \
	.priority = prio, \
}

static const struct nf_hook_ops sip_strict_hook_ops[] = {
	SIP_STRICT_HOOK(attach, IPV4, PRE_ROUTING, SIP_STRICT_PRI_ATTACH),
	SIP_STRICT_HOOK(attach, IPV4, LOCAL_OUT, SIP_STRICT_PRI_ATTACH),
	SIP_STRICT_HOOK(source, IPV4, POST_ROUTING, SIP_STRICT_PRI_SOURCE),
	SIP_STRICT_HOOK(work, IPV4, POST_ROUTING, SIP_STRICT_PRI_WORK),
	SIP_STRICT_HOOK(work, IPV4, LOCAL_IN, SIP_STRICT_PRI_WORK),
#if IS_ENABLED(CONFIG_IPV6)
	SIP_STRICT_HOOK(attach, IPV6, PRE_ROUTING, SIP_STRICT_PRI_ATTACH),
	SIP_STRICT_HOOK(attach, IPV6, LOCAL_OUT, SIP_STRICT_PRI_ATTACH),
	SIP_STRICT_HOOK(source, IPV6, POST_ROUTING, SIP_STRICT_PRI_SOURCE),
	SIP_STRICT_HOOK(work, IPV6, POST_ROUTING, SIP_STRICT_PRI_WORK),
	SIP_STRICT_HOOK(work, IPV6, LOCAL_IN, SIP_STRICT_PRI_WORK),
#endif
};

/**
 * sip_strict_hooks_net_init() - register the hooks of a namespace
 * @sn: the namespace
 *
 * Conntrack itself is not switched on by them: that a rule does, or auto_assign.
 *
 * Return: 0 or -errno.
 */
int sip_strict_hooks_net_init(struct sip_strict_net *sn)
{
	/* The same numbers in the headers of both families. */
	BUILD_BUG_ON((int)NF_IP6_PRI_CONNTRACK != NF_IP_PRI_CONNTRACK);
	BUILD_BUG_ON((int)NF_IP6_PRI_NAT_SRC != NF_IP_PRI_NAT_SRC);
	return nf_register_net_hooks(sn->net, sip_strict_hook_ops,
				     ARRAY_SIZE(sip_strict_hook_ops));
}

/**
 * sip_strict_hooks_net_exit() - take the hooks off
 * @sn: the namespace
 *
 * Context: process.
 */
void sip_strict_hooks_net_exit(struct sip_strict_net *sn)
{
	nf_unregister_net_hooks(sn->net, sip_strict_hook_ops, ARRAY_SIZE(sip_strict_hook_ops));
}
