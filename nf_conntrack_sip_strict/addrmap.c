// SPDX-License-Identifier: GPL-2.0-only
/*
 * addrmap.c - the two ends of a message, and the planner's questions.
 *
 * A conntrack has two tuples. For a packet in direction d, the tuple of d
 * names the sender as it is and the receiver as it was addressed; the other
 * tuple names the receiver as it is and the sender as the receiver sees it.
 * That is all there is to inside and outside: where the two differ there is a
 * NAT of ours, and the end with the difference is the inside one. Both may
 * differ (hairpin, or a PBX in a bridge network), or none (a plain firewall:
 * both ends count, and nothing is edited).
 *
 * All operations run under sn->lock and the RCU read lock, on the message in
 * work on this CPU. Mappings that they make are not live until the dialog or
 * registration learns from the finished plan.
 */
#include <net/ip.h>
#include <net/route.h>

#include "sip_strict.h"

/**
 * sip_strict_ap_set() - an address and port in the core's form
 * @ap: filled in
 * @l3num: NFPROTO_IPV4 or NFPROTO_IPV6
 * @addr: the address
 * @port: the port, network order
 */
static void sip_strict_ap_set(struct sip_ap *ap, u8 l3num, const union nf_inet_addr *addr,
			      __be16 port)
{
	memset(ap, 0, sizeof(*ap));
	ap->port = ntohs(port);
	if (l3num == NFPROTO_IPV4) {
		ap->ip.family = SIP_AF_IP4;
		memcpy(ap->ip.b, &addr->ip, 4);
	} else {
		ap->ip.family = SIP_AF_IP6;
		memcpy(ap->ip.b, &addr->in6, 16);
	}
}

/**
 * sip_strict_end_set() - a table key from an address and port
 * @end: filled in, padding included
 * @ap: address and port
 * @proto: IPPROTO_UDP, IPPROTO_TCP or 0
 * @zone: conntrack zone id
 */
void sip_strict_end_set(struct sip_strict_end *end, const struct sip_ap *ap, u8 proto, u16 zone)
{
	memset(end, 0, sizeof(*end));
	if (ap->ip.family == SIP_AF_IP4) {
		end->l3num = NFPROTO_IPV4;
		memcpy(&end->addr.ip, ap->ip.b, 4);
	} else {
		end->l3num = NFPROTO_IPV6;
		memcpy(&end->addr.in6, ap->ip.b, 16);
	}
	end->port = htons(ap->port);
	end->proto = proto;
	end->zone = zone;
}

/**
 * sip_strict_ap_from_end() - the reverse of sip_strict_end_set()
 * @ap: filled in
 * @end: a table key
 */
void sip_strict_ap_from_end(struct sip_ap *ap, const struct sip_strict_end *end)
{
	sip_strict_ap_set(ap, end->l3num, &end->addr, end->port);
}

static void sip_strict_end_make(const struct sip_strict_work *w, struct sip_end *end,
				const struct sip_ap *real, const struct sip_ap *out, bool both)
{
	end->real = *real;
	end->seen = *out;
	end->inside = sip_end_is_inside(real, out, both);
	if (end->inside && !sip_ap_equal(real, out))
		sip_strict_advertise(w->sn, &end->seen.ip);
}

/* A zone may be that of one direction alone. */
static void sip_strict_zones_get(struct sip_strict_work *w)
{
	const struct nf_conntrack_zone *zone = nf_ct_zone(w->ct);
	enum ip_conntrack_dir from_inside = IP_CT_DIR_ORIGINAL;

	if (w->ctx.snd.inside != w->ctx.rcv.inside)
		from_inside = w->ctx.snd.inside ? w->dir : !w->dir;
	w->zone = nf_ct_zone_id(zone, from_inside);
	w->zone_out = nf_ct_zone_id(zone, !from_inside);
}

/**
 * sip_strict_ends_get() - fill in both ends of the message in work
 * @w: with conntrack and direction set
 */
void sip_strict_ends_get(struct sip_strict_work *w)
{
	const struct nf_conntrack_tuple *as_sent = &w->ct->tuplehash[w->dir].tuple;
	const struct nf_conntrack_tuple *as_seen = &w->ct->tuplehash[!w->dir].tuple;
	u8 l3num = nf_ct_l3num(w->ct);
	struct sip_ap snd, rcv;
	bool snd_nat, rcv_nat;

	sip_strict_ap_set(&snd, l3num, &as_sent->src.u3, as_sent->src.u.all);
	sip_strict_ap_set(&w->snd_out, l3num, &as_seen->dst.u3, as_seen->dst.u.all);
	sip_strict_ap_set(&rcv, l3num, &as_seen->src.u3, as_seen->src.u.all);
	sip_strict_ap_set(&w->rcv_out, l3num, &as_sent->dst.u3, as_sent->dst.u.all);
	/* Two inside hosts that meet by the external address. */
	sip_strict_own_addr(w->sn, &w->snd_out.ip);
	sip_strict_own_addr(w->sn, &w->rcv_out.ip);
	snd_nat = !sip_ap_equal(&snd, &w->snd_out);
	rcv_nat = !sip_ap_equal(&rcv, &w->rcv_out);

	sip_strict_end_make(w, &w->ctx.snd, &snd, &w->snd_out, snd_nat && rcv_nat);
	sip_strict_end_make(w, &w->ctx.rcv, &rcv, &w->rcv_out, snd_nat && rcv_nat);
	if (snd_nat != rcv_nat) {
		w->ctx.snd.inside = snd_nat;
		w->ctx.rcv.inside = rcv_nat;
	}
	sip_strict_zones_get(w);
	w->ctx.transport = w->l4proto == IPPROTO_TCP ? SIP_T_TCP : SIP_T_UDP;
}

static u8 sip_strict_transport_proto(const struct sip_strict_work *w, enum sip_transport transport)
{
	switch (transport) {
	case SIP_T_UDP:
		return IPPROTO_UDP;
	case SIP_T_TCP:
	case SIP_T_TLS:
		return IPPROTO_TCP;
	case SIP_T_NONE:
		return w->l4proto;
	default:
		return 0;
	}
}

static void sip_strict_answer(const struct sip_strict_work *w, const struct sip_strict_map *map,
			      struct sip_ap *seen)
{
	sip_strict_ap_from_end(seen, &map->out);
	if (map->nat)
		sip_strict_advertise(w->sn, &seen->ip);
}

static enum sip_reason sip_strict_errno_reason(long err)
{
	return err == -EBUSY ? SIP_R_TAKEN : SIP_R_NO_MEMORY;
}

/*
 * The mapping of an inside signalling pair, made if need be. It is held by a
 * loose use for the time of a transaction; a Via opens it at once, a Contact
 * when its registration or dialog adds a use of its own.
 */
static enum sip_reason sip_strict_contact_map(struct sip_strict_work *w, enum sip_field field,
					      const struct sip_strict_end *in,
					      struct sip_strict_end *out,
					      struct sip_strict_map **answer)
{
	struct sip_strict_net *sn = w->sn;
	struct sip_strict_map *map;
	enum sip_reason reason;

	map = sip_strict_map_find_in(sn, in, &out->addr);
	if (!map) {
		bool nat = !sip_strict_end_same(in, out);

		if (!out->port)
			out->port = htons(sip_strict_port_choose(sn, out, ntohs(in->port),
								 false, 1));
		if (!out->port)
			return SIP_R_NO_PORT;
		map = sip_strict_map_make(sn, SIP_STRICT_CONTACT, 0, in, out, nat, w->flow);
		if (IS_ERR(map))
			return sip_strict_errno_reason(PTR_ERR(map));
	}
	reason = sip_strict_use_loose(sn, map, &w->ctx.rcv.real.ip, field == SIP_F_VIA_SENT_BY &&
				      w->mode == SIP_STRICT_STRICT, &w->reap);
	if (!reason)
		*answer = map;
	return reason;
}

/* Does the gateway itself need the pair that is to stand for another? */
static bool sip_strict_pair_is_local(const struct sip_strict_work *w,
				     const struct sip_strict_end *in,
				     const struct sip_strict_end *out)
{
	return !sip_strict_end_same(in, out) && sip_strict_port_is_local(w->sn, out, 1);
}

/* An address that is public already: ours, if nobody else has it, nor the gateway. */
static enum sip_reason sip_strict_map_public(struct sip_strict_work *w,
					     const struct sip_map_query *q, struct sip_ap *seen)
{
	u8 proto = sip_strict_transport_proto(w, q->transport);
	struct sip_strict_end in, out;
	struct sip_strict_map *map;
	struct sip_ap ap;

	if (sip_ap_equal(&q->ap, &w->ctx.snd.seen) && proto == w->l4proto) {
		*seen = q->ap;
		return SIP_R_OK;
	}
	ap = w->snd_out;
	ap.port = q->ap.port;
	sip_strict_end_set(&out, &ap, proto, w->zone_out);
	map = sip_strict_map_find_out(w->sn, &out);
	if (map && !sip_strict_map_is_of(map, &w->ctx.snd.real.ip))
		return SIP_R_TAKEN;
	if (!map) {
		ap = w->ctx.snd.real;
		ap.port = q->ap.port;
		sip_strict_end_set(&in, &ap, proto, w->zone);
		if (sip_strict_pair_is_local(w, &in, &out))
			return SIP_R_TAKEN;
		if (sip_strict_contact_map(w, q->field, &in, &out, &map))
			return SIP_R_TAKEN;
	}
	*seen = q->ap;
	return SIP_R_OK;
}

/*
 * A Contact without transport, told over TCP, is reached over UDP as well (RFC 3263
 * section 4.1): where the pair has an open mapping there, that number.
 */
static bool sip_strict_is_at_udp(const struct sip_strict_work *w, const struct sip_map_query *q,
				 const struct sip_strict_end *in,
				 const struct sip_strict_end *out, struct sip_strict_map **map)
{
	struct sip_strict_end udp_in = *in, same = *out;
	struct sip_strict_map *other;

	if (q->said || q->field != SIP_F_CONTACT || in->proto != IPPROTO_TCP ||
	    !sip_ip_equal(&q->ap.ip, &w->ctx.snd.real.ip))
		return false;
	udp_in.proto = IPPROTO_UDP;
	*map = sip_strict_map_find_in(w->sn, &udp_in, &out->addr);
	if (!*map || (*map)->kind != SIP_STRICT_CONTACT || !(*map)->live)
		return false;
	/* sip_strict_contact_of() makes the same over TCP, unless another has that. */
	same.port = (*map)->out.port;
	other = sip_strict_map_find_out(w->sn, &same);
	return !other || sip_strict_map_is_of(other, &w->ctx.snd.real.ip);
}

static enum sip_reason sip_strict_op_map(void *priv, const struct sip_map_query *q,
					 struct sip_ap *seen)
{
	struct sip_strict_work *w = priv;
	u8 proto = sip_strict_transport_proto(w, q->transport);
	struct sip_strict_end in, out;
	struct sip_strict_map *map;
	enum sip_reason reason;
	struct sip_ap ap;

	if (!proto)
		return SIP_R_FOREIGN_ADDR;
	if (q->ap.port < SIP_STRICT_LOW_PORT)
		return SIP_R_LOW_PORT;
	if (q->public)
		return sip_strict_map_public(w, q, seen);

	sip_strict_end_set(&in, &q->ap, proto, w->zone);
	ap = w->snd_out;
	ap.port = 0;
	sip_strict_end_set(&out, &ap, proto, w->zone_out);
	if (sip_strict_is_at_udp(w, q, &in, &out, &map)) {
		sip_strict_answer(w, map, seen);
		return SIP_R_OK;
	}
	if (q->own_only) {
		map = sip_strict_map_find_in(w->sn, &in, &out.addr);
		if (!map || map->kind != SIP_STRICT_CONTACT)
			return SIP_R_FOREIGN_ADDR;
	} else {
		if (!sip_ip_equal(&q->ap.ip, &w->ctx.snd.real.ip))
			return SIP_R_FOREIGN_ADDR;
		if (sip_ap_equal(&w->ctx.snd.real, &w->snd_out))
			out.port = in.port;
		reason = sip_strict_contact_map(w, q->field, &in, &out, &map);
		if (reason)
			return reason;
	}
	sip_strict_answer(w, map, seen);
	return SIP_R_OK;
}

/**
 * sip_strict_contact_of() - the mapping of a Contact, made if need be
 * @w: the message in work; its sender wrote the Contact
 * @fact: the Contact, mapped or public already
 *
 * Context: sn->lock held.
 * Return: the mapping, or NULL (out of memory, or the pair is another's, or the
 * gateway's).
 */
struct sip_strict_map *sip_strict_contact_of(struct sip_strict_work *w,
					     const struct sip_addr_fact *fact)
{
	u8 proto = sip_strict_transport_proto(w, fact->transport);
	struct sip_ap in_ap = fact->real, out_ap = fact->seen;
	struct sip_strict_end in, out;
	struct sip_strict_map *map;

	if (!proto)
		return NULL;
	if (sip_ip_equal(&out_ap.ip, &w->ctx.snd.seen.ip))
		out_ap.ip = w->snd_out.ip;
	sip_strict_end_set(&out, &out_ap, proto, w->zone_out);
	map = sip_strict_map_find_out(w->sn, &out);
	if (map)
		return sip_strict_map_is_of(map, &w->ctx.snd.real.ip) ? map : NULL;
	if (!fact->mapped)
		in_ap.ip = w->ctx.snd.real.ip;
	if (sip_ap_equal(&out_ap, &w->snd_out))
		in_ap = w->ctx.snd.real;
	sip_strict_end_set(&in, &in_ap, proto, w->zone);
	/* The flow's own pair is that already. */
	if ((!sip_ap_equal(&out_ap, &w->snd_out) || proto != w->l4proto) &&
	    sip_strict_pair_is_local(w, &in, &out))
		return NULL;
	map = sip_strict_map_make(w->sn, SIP_STRICT_CONTACT, SIP_STRICT_CLASS_SIGNALLING, &in, &out,
				  !sip_strict_end_same(&in, &out), w->flow);
	return IS_ERR(map) ? NULL : map;
}

static enum sip_reason sip_strict_op_unmap(void *priv, const struct sip_unmap_query *q,
					   struct sip_written *written)
{
	struct sip_strict_work *w = priv;
	const struct sip_strict_mem *mem;

	if (sip_ap_equal(&w->ctx.rcv.real, &w->ctx.rcv.seen))
		return SIP_R_FOREIGN_ADDR;
	mem = sip_strict_mem_find(w, q);
	if (q->field == SIP_F_RURI) {
		w->ruri_asked = true;
		w->ruri_ap = q->ap;
		w->ruri_ours = mem && mem->mapped;
		if (w->ruri_ours)
			sip_strict_mem_written(mem, &w->ruri_written);
	}
	if (!mem && sip_strict_via_is_changed(w, q))
		return SIP_R_VIA_CHANGED;
	if (!mem || !mem->mapped)
		return SIP_R_FOREIGN_ADDR;
	sip_strict_mem_written(mem, written);
	return SIP_R_OK;
}

/* Is this address reached by the device that the message came in by? */
static bool sip_strict_is_neighbour(const struct sip_strict_work *w, const struct sip_ip *ip)
{
	struct dst_entry *dst = NULL;
	struct flowi fl = {};
	bool yes = false;
	u8 family;

	if (ip->family == SIP_AF_IP4) {
		family = AF_INET;
		memcpy(&fl.u.ip4.daddr, ip->b, 4);
	} else {
		family = AF_INET6;
		memcpy(&fl.u.ip6.daddr, ip->b, 16);
	}
	if (nf_route(w->sn->net, &dst, &fl, false, family) || !dst)
		return false;
	if (dst->dev && !(dst->dev->flags & IFF_LOOPBACK))
		yes = dst->dev->ifindex == w->iif;
	dst_release(dst);
	return yes;
}

static enum sip_reason sip_strict_media_allowed(const struct sip_strict_work *w,
						const struct sip_media_query *q)
{
	if (q->self || q->public)
		return SIP_R_OK;
	if (!sip_strict_is_neighbour(w, &q->rtp.ip))
		return SIP_R_FOREIGN_ADDR;
	return READ_ONCE(w->sn->conf.media_host) ? SIP_R_OK : SIP_R_OTHER_HOST;
}

static enum sip_reason sip_strict_op_map_media(void *priv, const struct sip_media_query *q,
					       struct sip_media_answer *a)
{
	struct sip_strict_work *w = priv;
	enum sip_reason reason;

	if (!w->call_out)
		return SIP_R_FOREIGN_ADDR;
	reason = sip_strict_media_allowed(w, q);
	if (reason)
		return reason;
	reason = sip_strict_media_map(w, w->call_out, q, a);
	if (!reason && !sip_strict_media_is_identity(w, q)) {
		sip_strict_advertise(w->sn, &a->rtp.ip);
		if (a->rtcp.port)
			sip_strict_advertise(w->sn, &a->rtcp.ip);
	}
	return reason;
}

static enum sip_reason sip_strict_op_unmap_media(void *priv, const struct sip_ap *seen,
						 struct sip_ap *real)
{
	struct sip_strict_work *w = priv;
	struct sip_strict_end out;
	struct sip_strict_map *map;
	struct sip_ap ap = *seen;

	if (sip_ip_equal(&ap.ip, &w->ctx.rcv.seen.ip))
		ap.ip = w->rcv_out.ip;
	sip_strict_end_set(&out, &ap, IPPROTO_UDP, w->zone_out);
	map = sip_strict_map_find_out(w->sn, &out);
	if (!map || map->kind == SIP_STRICT_CONTACT)
		return SIP_R_FOREIGN_ADDR;
	sip_strict_ap_from_end(real, &map->in);
	if (!sip_ip_equal(&real->ip, &w->ctx.rcv.real.ip))
		return SIP_R_FOREIGN_ADDR;
	return SIP_R_OK;
}

const struct sip_map_ops sip_strict_map_ops = {
	.map = sip_strict_op_map,
	.unmap = sip_strict_op_unmap,
	.map_media = sip_strict_op_map_media,
	.unmap_media = sip_strict_op_unmap_media,
};
