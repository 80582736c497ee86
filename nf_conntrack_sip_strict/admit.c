// SPDX-License-Identifier: GPL-2.0-only
/*
 * admit.c - who may send into a mapping (sysctls media_peer, signalling_peer).
 *
 * By address, never by port: a far side behind another NAT keeps its address
 * more often than its port. For media the addresses are those that the newest
 * descriptions of the calls on the mapping name; for a contact the far end of
 * the flow that it was told over, and whoever takes part in its dialogs.
 *
 * Where the far side says nothing that can be used (no description yet, or a
 * private address while its signalling comes from a public one), its signalling
 * address is admitted, and with media_peer 1 one further source may latch: its
 * first packet has to be RTP, RTCP or STUN, and has to come within half a
 * minute of the newest description of either side; not where the far side names
 * 0.0.0.0 alone. That is what media relays behind such peers do, and as much as
 * can be allowed without letting anybody in. A packet from an address that was
 * named takes it back, for good.
 *
 * With ICE the far side may come from an address that it learns on the way
 * (peer-reflexive, or of a relay). It proves that it belongs to the call by a
 * connectivity check, which says the username fragment of the inside's SDP.
 *
 * Everything runs under sn->lock. Cost is bounded by the uses of a mapping and
 * the addresses of a call (SIP_STRICT_MAX_PEERS); for a stranger at a Contact it
 * is that of one bit (sn->known).
 */
#include <linux/bitmap.h>
#include <linux/jiffies.h>

#include "mapping.h"
#include "trace.h"

#define SIP_STRICT_LATCH_TIME (30 * HZ)

enum sip_strict_media_peer { SIP_STRICT_PEER_ANY, SIP_STRICT_PEER_LATCH, SIP_STRICT_PEER_STRICT };

/* Has the far side of this call named a source that can be used? */
static bool sip_strict_call_has_source(const struct sip_strict_call *call)
{
	bool public = sip_ip_is_private(&call->far);
	bool known = false;
	u32 i;

	for (i = 0; i < call->n_peers; i++) {
		if (!call->peer[i].media)
			continue;
		known = true;
		public |= !sip_ip_is_private(&call->peer[i].ip);
	}
	return known && public;
}

static bool sip_strict_call_names(const struct sip_strict_call *call, const struct sip_ip *ip)
{
	u32 i;

	for (i = 0; i < call->n_peers; i++)
		if (call->peer[i].media && sip_ip_equal(&call->peer[i].ip, ip))
			return true;
	return sip_ip_equal(&call->far, ip) && !sip_strict_call_has_source(call);
}

static bool sip_strict_call_signals(const struct sip_strict_call *call, const struct sip_ip *ip)
{
	u32 i;

	if (sip_ip_equal(&call->outside.ip, ip))
		return true;
	for (i = 0; i < call->n_peers; i++)
		if (call->peer[i].signalling && sip_ip_equal(&call->peer[i].ip, ip))
			return true;
	return false;
}

/* Is this the far end of the flow that the mapping was learnt on? */
static bool sip_strict_flow_leads_to(const struct sip_strict_map *map, const struct sip_ip *ip)
{
	const struct nf_conn *ct = map->flow ? map->flow->ct : NULL;
	struct sip_strict_end end;
	struct sip_ap ap;

	if (!ct || nf_ct_l3num(ct) != map->in.l3num)
		return false;
	sip_strict_end_of(&end, ct, IP_CT_DIR_ORIGINAL, false);
	if (!memcmp(&end.addr, &map->in.addr, sizeof(end.addr)))
		sip_strict_end_of(&end, ct, IP_CT_DIR_REPLY, false);
	sip_strict_ap_from_end(&ap, &end);
	return sip_ip_equal(&ap.ip, ip);
}

static bool sip_strict_use_names(const struct sip_strict_use *use, const struct sip_ip *ip)
{
	if (!sip_strict_use_is_open(use))
		return false;
	if (use->map->kind != SIP_STRICT_CONTACT)
		return use->owner == SIP_STRICT_OF_CALL && sip_strict_call_names(use->call, ip);
	switch (use->owner) {
	case SIP_STRICT_OF_CALL:
		return sip_strict_call_signals(use->call, ip);
	case SIP_STRICT_OF_REG:
		return sip_strict_reg_has_peer(use->reg, ip);
	default:
		return sip_ip_equal(&sip_strict_use_loose_of(use)->peer, ip);
	}
}

/*
 * All that call->outside, a signalling call->peer, reg->peer, reg->named and a loose peer
 * have ever been set to has its bit from then on until it is in none of them.
 */
static u32 sip_strict_known_bit(const struct sip_ip *ip)
{
	/* As sip_ip_equal() looks at them. */
	u32 len = ip->family == SIP_AF_IP4 ? sizeof(u64) : sizeof(*ip);

	return sip_strict_hash((const u8 *)ip, len) & (SIP_STRICT_KNOWN_BITS - 1);
}

/**
 * sip_strict_known_add() - an address may become one that a Contact admits
 * @sn: the namespace
 * @ip: the address
 *
 * Context: sn->lock held.
 */
void sip_strict_known_add(struct sip_strict_net *sn, const struct sip_ip *ip)
{
	lockdep_assert_held(&sn->lock);
	__set_bit(sip_strict_known_bit(ip), sn->known);
}

static void sip_strict_known_calls(struct sip_strict_net *sn, const struct list_head *list)
{
	const struct sip_strict_call *call;
	u32 i;

	list_for_each_entry(call, list, list) {
		sip_strict_known_add(sn, &call->outside.ip);
		for (i = 0; i < call->n_peers; i++)
			if (call->peer[i].signalling)
				sip_strict_known_add(sn, &call->peer[i].ip);
	}
}

/**
 * sip_strict_known_sweep() - once a second: forget addresses that are nobody's
 * @sn: the namespace
 *
 * Context: sn->lock held.
 */
void sip_strict_known_sweep(struct sip_strict_net *sn)
{
	const struct sip_strict_reg *reg;
	const struct sip_strict_use *use;
	u32 i;

	bitmap_zero(sn->known, SIP_STRICT_KNOWN_BITS);
	sip_strict_known_calls(sn, &sn->call_list);
	sip_strict_known_calls(sn, &sn->ended_list);
	list_for_each_entry(reg, &sn->reg_list, list) {
		sip_strict_known_add(sn, &reg->peer);
		for (i = 0; i < SIP_STRICT_SUB_PEERS; i++)
			if (reg->named[i].family)
				sip_strict_known_add(sn, &reg->named[i]);
	}
	list_for_each_entry(use, &sn->loose_uses, owner_node)
		sip_strict_known_add(sn, &sip_strict_use_loose_of(use)->peer);
}

/* A Contact of a PBX has a use for each of its calls: strangers are told at once. */
static bool sip_strict_map_names(const struct sip_strict_net *sn, const struct sip_strict_map *map,
				 const struct sip_ip *ip)
{
	bool contact = map->kind == SIP_STRICT_CONTACT;
	const struct sip_strict_use *use;

	if (contact && sip_strict_flow_leads_to(map, ip))
		return true;
	if (contact && !test_bit(sip_strict_known_bit(ip), sn->known))
		return false;
	list_for_each_entry(use, &map->uses, map_node)
		if (sip_strict_use_names(use, ip))
			return true;
	return false;
}

static bool sip_strict_map_is_latched(const struct sip_strict_map *map)
{
	return map->traffic && map->traffic->latched.family;
}

static bool sip_strict_map_has_latched(const struct sip_strict_map *map, const struct sip_ip *ip)
{
	return sip_strict_map_is_latched(map) && sip_ip_equal(&map->traffic->latched, ip);
}

/**
 * sip_strict_map_forget_latched() - another source may latch
 * @map: the mapping
 *
 * Context: sn->lock held.
 */
void sip_strict_map_forget_latched(struct sip_strict_map *map)
{
	if (map->traffic)
		memset(&map->traffic->latched, 0, sizeof(map->traffic->latched));
}

/**
 * sip_strict_map_has_peer() - is this address a far end of the mapping?
 * @sn: the namespace
 * @map: the mapping
 * @ip: the address
 *
 * Whatever media_peer and signalling_peer say: a connection from inside is
 * part of the call only if it goes to one.
 *
 * Context: sn->lock held.
 * Return: true if it is.
 */
bool sip_strict_map_has_peer(const struct sip_strict_net *sn, const struct sip_strict_map *map,
			     const struct sip_ip *ip)
{
	return sip_strict_map_names(sn, map, ip) || sip_strict_map_has_latched(map, ip);
}

static bool sip_strict_use_may_latch(const struct sip_strict_use *use)
{
	const struct sip_strict_call *call = sip_strict_use_call(use);

	return call && sip_strict_use_is_open(use) && !sip_strict_call_has_source(call) &&
	       !call->far_zero &&
	       time_before(jiffies, call->sdp_seen + SIP_STRICT_LATCH_TIME);
}

/**
 * sip_strict_map_may_latch() - would a genuine media packet be let in now?
 * @sn: the namespace
 * @map: the mapping
 *
 * Context: sn->lock held.
 * Return: true if a source that nobody named could latch.
 */
static bool sip_strict_map_may_latch(const struct sip_strict_net *sn,
				     const struct sip_strict_map *map)
{
	const struct sip_strict_use *use;

	if (map->kind == SIP_STRICT_CONTACT || sip_strict_map_is_latched(map) ||
	    READ_ONCE(sn->conf.media_peer) != SIP_STRICT_PEER_LATCH)
		return false;
	list_for_each_entry(use, &map->uses, map_node)
		if (sip_strict_use_may_latch(use))
			return true;
	return false;
}

static void sip_strict_admit_trace(const struct sip_strict_net *sn,
				   const struct sip_strict_map *map, const struct sip_ip *ip,
				   const char *event)
{
	struct sip_ap ap = { .ip = *ip };
	struct sip_strict_end end;

	sip_strict_end_set(&end, &ap, map->in.proto, map->in.zone);
	trace_sip_strict_expect(sn->net, map, event, &end);
}

/* False out of memory. */
static bool sip_strict_map_latch_one(struct sip_strict_net *sn, struct sip_strict_map *map,
				     const struct sip_ip *ip)
{
	struct sip_strict_traffic *traffic = sip_strict_traffic_get(sn, map);

	if (traffic)
		traffic->latched = *ip;
	return traffic;
}

/* The other port of the same m= line latches too. */
static bool sip_strict_map_latch(struct sip_strict_net *sn, struct sip_strict_map *map,
				 const struct sip_ip *ip)
{
	struct sip_strict_use *use, *other;

	if (!sip_strict_map_latch_one(sn, map, ip))
		return false;
	list_for_each_entry(use, &map->uses, map_node) {
		if (!sip_strict_use_may_latch(use))
			continue;
		list_for_each_entry(other, &use->call->uses, owner_node)
			if ((other->mlines & use->mlines) &&
			    !sip_strict_map_is_latched(other->map) &&
			    other->map->kind != SIP_STRICT_CONTACT)
				sip_strict_map_latch_one(sn, other->map, ip);
	}
	return true;
}

/* Somebody who was named has come: the latched source goes. */
static void sip_strict_map_unlatch(struct sip_strict_net *sn, struct sip_strict_map *map,
				   struct sip_strict_reap *reap)
{
	struct sip_ip latched = map->traffic->latched;
	struct sip_strict_use *use, *other;
	struct sip_strict_call *call;

	sip_strict_map_forget_latched(map);
	sip_strict_entry_end_from(sn, map, &latched, reap);
	list_for_each_entry(use, &map->uses, map_node) {
		call = sip_strict_use_call(use);
		if (!call)
			continue;
		list_for_each_entry(other, &call->uses, owner_node) {
			if (!(other->mlines & use->mlines) ||
			    !sip_strict_map_has_latched(other->map, &latched))
				continue;
			sip_strict_map_forget_latched(other->map);
			sip_strict_entry_end_from(sn, other->map, &latched, reap);
		}
	}
}

/* Does the inside do ICE here: with this username fragment, or (0) with any? */
static bool sip_strict_map_has_ice(const struct sip_strict_map *map, u64 ufrag)
{
	const struct sip_strict_use *use;

	list_for_each_entry(use, &map->uses, map_node)
		if (use->ufrag && (!ufrag || use->ufrag == ufrag) && sip_strict_use_is_open(use))
			return true;
	return false;
}

static bool sip_strict_media_admits(struct sip_strict_net *sn, struct sip_strict_map *map,
				    struct sip_strict_guest *guest, struct sip_strict_reap *reap)
{
	const struct sip_ip *src = &guest->ip;

	if (sip_strict_map_names(sn, map, src)) {
		if (sip_strict_map_is_latched(map) && !sip_strict_map_has_latched(map, src))
			sip_strict_map_unlatch(sn, map, reap);
		/* The place is taken: nobody else latches until new SDP. */
		if (sip_strict_map_may_latch(sn, map))
			sip_strict_map_latch(sn, map, src);
		return true;
	}
	if (READ_ONCE(sn->conf.media_peer) == SIP_STRICT_PEER_ANY)
		return true;
	/* RFC 8445 section 7.3.1.3: an address that no description named. */
	if (guest->ufrag && sip_strict_map_has_ice(map, guest->ufrag)) {
		guest->by_ice = true;
		SIP_STRICT_INC(sn, ice_admitted);
		sip_strict_admit_trace(sn, map, src, "ice");
		return true;
	}
	if (sip_strict_map_is_latched(map))
		return sip_strict_map_has_latched(map, src);
	if (!guest->genuine || !sip_strict_map_may_latch(sn, map) ||
	    !sip_strict_map_latch(sn, map, src))
		return false;
	SIP_STRICT_INC(sn, media_latched);
	sip_strict_admit_trace(sn, map, src, "latched");
	return true;
}

/**
 * sip_strict_map_admits() - may this source send into a mapping?
 * @sn: the namespace
 * @map: the mapping
 * @guest: who sends
 * @reap: takes the connections of a latched source that has to go
 *
 * Context: RCU read lock and sn->lock held.
 * Return: true if it may; if not, that has been counted and traced.
 */
bool sip_strict_map_admits(struct sip_strict_net *sn, struct sip_strict_map *map,
			   struct sip_strict_guest *guest, struct sip_strict_reap *reap)
{
	struct sip_strict_traffic *traffic;

	if (map->kind == SIP_STRICT_CONTACT) {
		if (guest->inside || !READ_ONCE(sn->conf.signalling_peer) ||
		    sip_strict_map_names(sn, map, &guest->ip))
			return true;
		SIP_STRICT_INC(sn, contact_refused);
	} else {
		if (sip_strict_media_admits(sn, map, guest, reap))
			return true;
		SIP_STRICT_INC(sn, media_refused);
	}
	traffic = sip_strict_traffic_get(sn, map);
	if (traffic)
		traffic->refused++;
	sip_strict_admit_trace(sn, map, &guest->ip, "refused");
	return false;
}

/**
 * sip_strict_map_prune() - end what comes from sources that are admitted no more
 * @sn: the namespace
 * @map: the mapping, live
 * @reap: takes the connections
 *
 * Another description, the end of one of two calls: a connection that is
 * tracked already would never be asked again. With ICE the pair of before goes
 * on until the checks have found another (RFC 8445 section 9).
 *
 * Context: RCU read lock and sn->lock held.
 */
void sip_strict_map_prune(struct sip_strict_net *sn, struct sip_strict_map *map,
			  struct sip_strict_reap *reap)
{
	struct sip_strict_entry *entry;
	struct hlist_node *next;
	struct sip_ap ap;
	bool ice;

	if (map->kind == SIP_STRICT_CONTACT || !map->traffic ||
	    READ_ONCE(sn->conf.media_peer) == SIP_STRICT_PEER_ANY)
		return;
	ice = sip_strict_map_has_ice(map, 0);
	hlist_for_each_entry_safe(entry, next, &map->traffic->entries, node) {
		if (sip_strict_entry_is_hairpin(entry) || (entry->way == SIP_STRICT_BY_ICE && ice))
			continue;
		sip_strict_ap_from_end(&ap, &entry->remote);
		if (!sip_strict_map_has_peer(sn, map, &ap.ip))
			sip_strict_entry_end(sn, map, entry, reap);
	}
}
