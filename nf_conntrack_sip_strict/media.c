// SPDX-License-Identifier: GPL-2.0-only
/*
 * media.c - the media of one call: which mappings it uses, and which are open.
 *
 * A call names ports in descriptions (SDP). Each description belongs to a set:
 * one bit per leg for what was agreed, one per open transaction for what is
 * offered. A use of a mapping carries the bits of the sets that name it, and
 * so does each address that the other side named as a source:
 *
 *   INVITE with SDP      uses get the bit of the transaction: offered, open
 *   2xx                  transaction bit -> leg bit: agreed; the rest of the
 *                        leg's old ones lose the bit and close
 *   488                  transaction bit cleared: back to the agreed (RFC 3261
 *                        section 14.1)
 *
 * A use without bits is closed but keeps its port pair for the call (hold,
 * port 0, fax in the place of audio), unless its m= line moved to another port
 * for the same medium: then it is given back.
 *
 * Everything runs under sn->lock.
 */
#include <linux/slab.h>

#include "core/facts.h"
#include "dialog.h"
#include "sip_strict.h"

static_assert(sizeof_field(struct sip_strict_use, mlines) * BITS_PER_BYTE >= SIP_MAX_STREAMS);

static u8 sip_strict_media_class(const struct sdp_stream *stream)
{
	switch (stream->kind) {
	case SDP_AUDIO:
		return SIP_STRICT_CLASS_AUDIO;
	case SDP_VIDEO:
		return SIP_STRICT_CLASS_VIDEO;
	default:
		return SIP_STRICT_CLASS_OTHER;
	}
}

static u8 sip_strict_media_proto(const struct sdp_stream *stream)
{
	return stream->proto == SDP_TCP ? IPPROTO_TCP : IPPROTO_UDP;
}

static struct sip_strict_use *sip_strict_use_find(struct sip_strict_call *call,
						  const struct sip_strict_end *pair)
{
	struct sip_strict_use *use;

	list_for_each_entry(use, &call->uses, owner_node) {
		if (use->map->kind == SIP_STRICT_CONTACT)
			continue;
		if (sip_strict_end_same(&use->map->in, pair) ||
		    sip_strict_end_same(&use->map->out, pair))
			return use;
	}
	return NULL;
}

/* An ended call goes on writing what it wrote, and opens nothing. */
static enum sip_reason sip_strict_media_recall(const struct sip_strict_call *call,
					       const struct sip_strict_end *in,
					       struct sip_ap *seen)
{
	u32 i;

	for (i = 0; i < call->n_pairs; i++) {
		if (memcmp(&call->pair[i].in, in, sizeof(*in)))
			continue;
		sip_strict_ap_from_end(seen, &call->pair[i].out);
		return SIP_R_OK;
	}
	return SIP_R_FOREIGN_ADDR;
}

static enum sip_reason sip_strict_media_use(struct sip_strict_work *w, struct sip_strict_call *call,
					    struct sip_strict_map *map)
{
	struct sip_strict_use *use;

	if (call->n_uses >= SIP_STRICT_MAX_USES)
		return SIP_R_TOO_MANY_STREAMS;
	use = sip_strict_use_add(map, call, NULL, &call->uses);
	if (!use)
		return SIP_R_NO_MEMORY;
	use->fresh = true;
	call->n_uses++;
	return SIP_R_OK;
}

/* One port: shared where it is mapped already, else exactly this pair. */
static enum sip_reason sip_strict_media_port(struct sip_strict_work *w,
					     struct sip_strict_call *call, u8 kind, u8 class,
					     const struct sip_strict_end *in,
					     const struct sip_strict_end *out)
{
	struct sip_strict_net *sn = w->sn;
	struct sip_strict_map *map;
	enum sip_reason reason;

	if (sip_strict_use_find(call, in))
		return SIP_R_OK;
	map = sip_strict_map_find_in(sn, in, &out->addr);
	if (map && map->kind == SIP_STRICT_CONTACT)
		return SIP_R_TAKEN;
	if (!map) {
		map = sip_strict_map_make(sn, kind, class, in, out, !sip_strict_end_same(in, out),
					  w->flow);
		if (IS_ERR(map))
			return PTR_ERR(map) == -EBUSY ? SIP_R_NO_PORT : SIP_R_NO_MEMORY;
		reason = sip_strict_media_use(w, call, map);
		if (reason)
			sip_strict_map_unused(sn, map, &w->reap);
		return reason;
	}
	return sip_strict_media_use(w, call, map);
}

/**
 * struct sip_strict_run - the ports that one m= line needs
 * @in: RTP port inside
 * @out: RTP port outside, once chosen
 * @rtcp: RTCP inside; port 0: none
 * @paired: RTCP is the next port
 * @count: RTP ports, each with its RTCP port where paired
 * @class: expectation class
 */
struct sip_strict_run {
	struct sip_strict_end in;
	struct sip_strict_end out;
	struct sip_strict_end rtcp;
	bool paired;
	u16 count;
	u8 class;
};

static enum sip_reason sip_strict_run_make(struct sip_strict_work *w, struct sip_strict_call *call,
					   const struct sip_strict_run *run)
{
	struct sip_strict_end in = run->in, out = run->out;
	enum sip_reason reason;
	u32 i, step = run->paired ? 2 : 1;

	for (i = 0; i < run->count; i++) {
		in.port = htons((u16)(ntohs(run->in.port) + i * step));
		out.port = htons((u16)(ntohs(run->out.port) + i * step));
		reason = sip_strict_media_port(w, call, SIP_STRICT_RTP, run->class, &in, &out);
		if (reason)
			return reason;
		if (!run->paired)
			continue;
		in.port = htons((u16)(ntohs(in.port) + 1));
		out.port = htons((u16)(ntohs(out.port) + 1));
		reason = sip_strict_media_port(w, call, SIP_STRICT_RTCP, run->class, &in, &out);
		if (reason)
			return reason;
	}
	return SIP_R_OK;
}

/* RTCP on a port of its own (RFC 3605). */
static enum sip_reason sip_strict_rtcp_make(struct sip_strict_work *w, struct sip_strict_call *call,
					    const struct sip_strict_run *run, bool identity)
{
	struct sip_strict_end out = run->out;

	if (run->paired || !run->rtcp.port)
		return SIP_R_OK;
	if (ntohs(run->rtcp.port) < SIP_STRICT_LOW_PORT)
		return SIP_R_LOW_PORT;
	if (sip_strict_use_find(call, &run->rtcp) ||
	    sip_strict_map_find_in(w->sn, &run->rtcp, &out.addr))
		return sip_strict_media_port(w, call, SIP_STRICT_RTCP, run->class, &run->rtcp,
					     &out);
	out.port = identity ? run->rtcp.port :
			      htons(sip_strict_port_choose(w->sn, &out, ntohs(run->rtcp.port),
							   false, 1));
	if (!out.port)
		return SIP_R_NO_PORT;
	return sip_strict_media_port(w, call, SIP_STRICT_RTCP, run->class, &run->rtcp, &out);
}

static void sip_strict_media_drop_fresh(struct sip_strict_work *w, struct sip_strict_call *call)
{
	struct sip_strict_use *use, *next;

	list_for_each_entry_safe(use, next, &call->uses, owner_node) {
		if (!use->fresh)
			continue;
		call->n_uses--;
		sip_strict_use_put(w->sn, use, &w->reap);
	}
}

/*
 * Where the first port of a run leaves from: where it does already, the very
 * same without NAT or where it is public already, else a free one.
 */
static enum sip_reason sip_strict_run_place(struct sip_strict_work *w, struct sip_strict_call *call,
					    struct sip_strict_run *run, bool fixed)
{
	struct sip_strict_use *use = sip_strict_use_find(call, &run->in);
	struct sip_strict_map *map = use ? use->map : NULL;

	if (!map)
		map = sip_strict_map_find_in(w->sn, &run->in, &run->out.addr);
	if (map) {
		run->out = map->out;
		return SIP_R_OK;
	}
	if (fixed) {
		if (sip_strict_map_find_out(w->sn, &run->out))
			return SIP_R_TAKEN;
		/* What is public already may be the gateway's own. */
		if (!sip_strict_end_same(&run->in, &run->out) &&
		    sip_strict_port_is_local(w->sn, &run->out,
					     run->paired ? 2 * run->count : run->count))
			return SIP_R_TAKEN;
		return SIP_R_OK;
	}
	run->out.port = htons(sip_strict_port_choose(w->sn, &run->out, ntohs(run->in.port),
						     run->paired, run->count));
	return run->out.port ? SIP_R_OK : SIP_R_NO_PORT;
}

static void sip_strict_run_fill(const struct sip_strict_work *w, const struct sip_media_query *q,
				struct sip_strict_run *run, bool identity)
{
	u8 proto = sip_strict_media_proto(q->stream);
	struct sip_ap in = q->rtp, out = w->snd_out, rtcp = q->rtcp;

	if (q->public) {
		in.ip = w->ctx.snd.real.ip;
		rtcp.ip = in.ip;
	}
	out.port = q->public || identity ? q->rtp.port : 0;
	if (identity)
		out.ip = in.ip;
	memset(run, 0, sizeof(*run));
	sip_strict_end_set(&run->in, &in, proto, w->zone);
	sip_strict_end_set(&run->out, &out, proto, w->zone_out);
	if (rtcp.port)
		sip_strict_end_set(&run->rtcp, &rtcp, proto, w->zone);
	run->count = q->count ? q->count : 1;
	run->paired = rtcp.port && rtcp.port == in.port + 1 && sip_ip_equal(&rtcp.ip, &in.ip);
	run->class = sip_strict_media_class(q->stream);
}

static enum sip_reason sip_strict_media_answer(struct sip_strict_work *w,
					       struct sip_strict_call *call,
					       const struct sip_strict_run *run,
					       struct sip_media_answer *a)
{
	struct sip_strict_use *use = sip_strict_use_find(call, &run->in);

	memset(a, 0, sizeof(*a));
	if (!use)
		return SIP_R_FOREIGN_ADDR;
	sip_strict_ap_from_end(&a->rtp, &use->map->out);
	if (!run->rtcp.port)
		return SIP_R_OK;
	use = sip_strict_use_find(call, &run->rtcp);
	if (use)
		sip_strict_ap_from_end(&a->rtcp, &use->map->out);
	return SIP_R_OK;
}

/**
 * sip_strict_media_is_identity() - does a stream keep its address and port?
 * @w: the message in work; its sender is inside
 * @q: the stream as its SDP names it
 *
 * Without NAT; and where the SDP names the other family (RFC 6157 section 4),
 * of which the NAT of the signalling says nothing: it is let in as it stands.
 *
 * Return: true if it does.
 */
bool sip_strict_media_is_identity(const struct sip_strict_work *w, const struct sip_media_query *q)
{
	return sip_ap_equal(&w->ctx.snd.real, &w->snd_out) ||
	       q->rtp.ip.family != w->snd_out.ip.family;
}

/**
 * sip_strict_media_map() - the outside pair of a stream, made if need be
 * @w: the message in work; its sender is inside
 * @call: the call of the sender
 * @q: the stream as its SDP names it
 * @a: the outside pair; its address is the conntrack's, not the advertised one
 *
 * What is made here is not open: sip_strict_media_mark() does that when the
 * plan is complete, sip_strict_media_settle() takes the rest back.
 *
 * Context: sn->lock and RCU read lock held.
 * Return: SIP_R_OK or the reason why not; nothing of a failed try is left.
 */
enum sip_reason sip_strict_media_map(struct sip_strict_work *w, struct sip_strict_call *call,
				     const struct sip_media_query *q, struct sip_media_answer *a)
{
	bool identity = sip_strict_media_is_identity(w, q);
	struct sip_strict_run run;
	enum sip_reason reason;

	if (q->rtp.port < SIP_STRICT_LOW_PORT)
		return SIP_R_LOW_PORT;
	sip_strict_run_fill(w, q, &run, identity);
	if (call->state == SIP_STRICT_CALL_ENDED) {
		memset(a, 0, sizeof(*a));
		if (run.rtcp.port)
			sip_strict_media_recall(call, &run.rtcp, &a->rtcp);
		return sip_strict_media_recall(call, &run.in, &a->rtp);
	}
	if (!q->existing_only) {
		/* Before so many ports are looked for. */
		if ((run.paired ? 2 : 1) * run.count > SIP_STRICT_MAX_USES)
			return SIP_R_TOO_MANY_STREAMS;
		reason = sip_strict_run_place(w, call, &run, q->public || identity);
		if (!reason)
			reason = sip_strict_run_make(w, call, &run);
		if (!reason)
			reason = sip_strict_rtcp_make(w, call, &run, identity);
		if (reason)
			return reason;
	}
	return sip_strict_media_answer(w, call, &run, a);
}

static void sip_strict_media_mark_port(struct sip_strict_work *w, struct sip_strict_call *call,
				       const struct sip_ap *port, const struct sdp_stream *stream,
				       u32 bit, u32 mline)
{
	struct sip_strict_use *use;
	struct sip_strict_end pair;
	struct sip_ap ap = *port;

	if (!ap.port)
		return;
	if (sip_ip_equal(&ap.ip, &w->ctx.snd.seen.ip))
		ap.ip = w->snd_out.ip;
	sip_strict_end_set(&pair, &ap, sip_strict_media_proto(stream), w->zone);
	use = sip_strict_use_find(call, &pair);
	if (!use)
		return;
	use->ufrag = sip_strict_span_hash(w, stream->ice_ufrag);
	use->sets |= bit;
	if (!use->named)
		use->mlines = 0;
	use->named = true;
	use->mlines |= BIT(mline);
	use->observe = w->mode == SIP_STRICT_OBSERVE;
	use->fresh = false;
}

/**
 * sip_strict_media_mark() - the sender's description names these ports
 * @w: the message in work, its plan complete
 * @call: the call of the sender
 * @bit: the set of the description
 *
 * Context: sn->lock held.
 */
void sip_strict_media_mark(struct sip_strict_work *w, struct sip_strict_call *call, u32 bit)
{
	const struct sip_plan *plan = &w->plan;
	struct sip_strict_use *use;
	u32 i, j;

	list_for_each_entry(use, &call->uses, owner_node)
		use->named = false;
	for (i = 0; i < plan->n_media; i++) {
		const struct sip_media_fact *fact = &plan->media[i];
		const struct sdp_stream *stream = &plan->sdp[fact->session].stream[fact->stream];
		struct sip_ap rtp = fact->rtp, rtcp = fact->rtcp;

		if (!fact->mapped || fact->hold || !stream->port || !sdp_stream_is_reached(stream))
			continue;
		for (j = 0; j < max_t(u32, stream->count, 1); j++) {
			sip_strict_media_mark_port(w, call, &rtp, stream, bit, i);
			sip_strict_media_mark_port(w, call, &rtcp, stream, bit, i);
			rtp.port += 2;
			if (rtcp.port)
				rtcp.port += 2;
		}
	}
}

/**
 * sip_strict_flow_follow() - what has lost its signalling flow gets this one
 * @w: the message in work
 * @flow: the reference of a call or mapping; kept while its connection lives
 *	(conntrack -F ends connections under calls)
 *
 * Context: sn->lock held.
 */
void sip_strict_flow_follow(struct sip_strict_work *w, struct sip_strict_flow **flow)
{
	struct sip_strict_flow *old = *flow;

	if (old == w->flow)
		return;
	if (old && old->ct && !nf_ct_is_dying(old->ct))
		return;
	refcount_inc(&w->flow->ref);
	/* The hooks read that of a mapping under RCU alone: none may find what is put. */
	WRITE_ONCE(*flow, w->flow);
	if (old)
		sip_strict_flow_put(w->sn, old);
}

/**
 * sip_strict_media_settle() - after learning: put back what nobody named, and
 * open and close mappings as their uses say now
 * @w: the message in work
 * @call: a call that it touched
 *
 * Context: sn->lock held.
 */
void sip_strict_media_settle(struct sip_strict_work *w, struct sip_strict_call *call)
{
	struct sip_strict_use *use;

	sip_strict_media_drop_fresh(w, call);
	list_for_each_entry(use, &call->uses, owner_node)
		sip_strict_flow_follow(w, &use->map->flow);
	sip_strict_media_update(w->sn, call, &w->reap);
}

/**
 * sip_strict_media_update() - open and close all mappings of a call
 * @sn: the namespace
 * @call: the call
 * @reap: takes the connections of what closes
 *
 * Context: sn->lock held.
 */
void sip_strict_media_update(struct sip_strict_net *sn, struct sip_strict_call *call,
			     struct sip_strict_reap *reap)
{
	struct sip_strict_use *use;

	list_for_each_entry(use, &call->uses, owner_node)
		sip_strict_map_update(sn, use->map, reap);
}

/* Do other ports serve each of its m= lines in that set? */
static bool sip_strict_media_moved(const struct sip_strict_call *call,
				   const struct sip_strict_use *use, u32 bit)
{
	const struct sip_strict_use *other;
	u16 left = use->mlines;

	list_for_each_entry(other, &call->uses, owner_node)
		if (other != use && (other->sets & bit) && other->map->kind == use->map->kind &&
		    other->map->class == use->map->class)
			left &= ~other->mlines;
	return !left;
}

/**
 * sip_strict_media_agree() - an offer became the agreed description of a leg
 * @sn: the namespace
 * @call: the call
 * @from: set of the offer
 * @to: set of the leg
 * @inside: the transaction had a description of the inside
 * @outside: it had one of the outside; a side without one goes on as it was
 * @reap: takes the connections of what closes
 *
 * Context: sn->lock held.
 */
void sip_strict_media_agree(struct sip_strict_net *sn, struct sip_strict_call *call, u32 from,
			    u32 to, bool inside, bool outside, struct sip_strict_reap *reap)
{
	struct sip_strict_use *use, *next;
	u32 i;

	list_for_each_entry(use, &call->uses, owner_node) {
		if (inside && use->map->kind != SIP_STRICT_CONTACT)
			use->sets = (use->sets & ~to) | (use->sets & from ? to : 0);
		use->sets &= ~from;
		use->agreed |= !!(use->sets & to);
	}
	for (i = 0; i < call->n_peers; i++) {
		struct sip_strict_peer *peer = &call->peer[i];

		if (outside) {
			peer->media = (peer->media & ~to) | (peer->media & from ? to : 0);
			peer->newest = (peer->newest & ~to) | (peer->media & to);
		}
		peer->media &= ~from;
		peer->newest &= ~from;
	}
	list_for_each_entry_safe(use, next, &call->uses, owner_node) {
		if (use->sets || use->fresh || !use->mlines)
			continue;
		if (!sip_strict_media_moved(call, use, to))
			continue;
		call->n_uses--;
		sip_strict_use_put(sn, use, reap);
	}
	sip_strict_media_update(sn, call, reap);
}

/**
 * sip_strict_media_newest() - only the newest description's sources stay
 * @call: the call
 * @bit: set of the leg
 *
 * Context: sn->lock held.
 */
void sip_strict_media_newest(struct sip_strict_call *call, u32 bit)
{
	u32 i;

	for (i = 0; i < call->n_peers; i++)
		if (!(call->peer[i].newest & bit))
			call->peer[i].media &= ~bit;
}

/**
 * sip_strict_media_refuse() - close the m= lines that an answer refuses
 * @call: the call
 * @plan: plan of the message with the answer
 * @bit: set of the leg
 *
 * A port of several lines closes with the last of them. Where the answer has
 * rtcp-mux, which it may only if the offer had it (RFC 5761 section 5.1.1), that of
 * RTCP is not used.
 *
 * Context: sn->lock held.
 */
void sip_strict_media_refuse(struct sip_strict_call *call, const struct sip_plan *plan, u32 bit)
{
	struct sip_strict_use *use;
	u16 refused = 0, muxed = 0;
	u32 i;

	for (i = 0; i < plan->n_media; i++) {
		const struct sip_media_fact *fact = &plan->media[i];

		if (sip_plan_refuses(plan, i))
			refused |= BIT(i);
		if (plan->sdp[fact->session].stream[fact->stream].rtcp_mux)
			muxed |= BIT(i);
	}
	muxed |= refused;
	list_for_each_entry(use, &call->uses, owner_node) {
		if (!use->mlines ||
		    (use->mlines & ~(use->map->kind == SIP_STRICT_RTCP ? muxed : refused)))
			continue;
		use->sets &= ~bit;
		use->agreed = false;
	}
}

/**
 * sip_strict_media_clear() - a set is no more: rejected, or its leg ended
 * @sn: the namespace
 * @call: the call
 * @bit: the set
 * @reap: takes the connections of what closes
 *
 * Context: sn->lock held.
 */
void sip_strict_media_clear(struct sip_strict_net *sn, struct sip_strict_call *call, u32 bit,
			    struct sip_strict_reap *reap)
{
	struct sip_strict_use *use;
	u32 i;

	list_for_each_entry(use, &call->uses, owner_node)
		use->sets &= ~bit;
	for (i = 0; i < call->n_peers; i++) {
		call->peer[i].media &= ~bit;
		call->peer[i].newest &= ~bit;
	}
	sip_strict_media_update(sn, call, reap);
}

/**
 * sip_strict_media_end() - the call is over: give back all ports
 * @sn: the namespace
 * @call: the call; it remembers what it wrote, for retransmissions
 * @reap: takes the connections
 *
 * Context: sn->lock held.
 */
void sip_strict_media_end(struct sip_strict_net *sn, struct sip_strict_call *call,
			  struct sip_strict_reap *reap)
{
	struct sip_strict_use *use, *next;

	if (call->n_uses && !call->pair)
		call->pair = kmalloc_array(call->n_uses, sizeof(*call->pair), GFP_ATOMIC);
	list_for_each_entry_safe(use, next, &call->uses, owner_node) {
		if (call->pair && use->map->kind != SIP_STRICT_CONTACT) {
			call->pair[call->n_pairs].in = use->map->in;
			call->pair[call->n_pairs++].out = use->map->out;
		}
		sip_strict_use_put(sn, use, reap);
	}
	call->n_uses = 0;
}

static struct sip_strict_peer *sip_strict_peer_get(struct sip_strict_call *call,
						   const struct sip_ip *ip)
{
	struct sip_strict_peer *peer;
	u32 i;

	for (i = 0; i < call->n_peers; i++)
		if (sip_ip_equal(&call->peer[i].ip, ip))
			return &call->peer[i];
	for (i = 0; i < call->n_peers; i++)
		if (!call->peer[i].signalling && !call->peer[i].media && !call->peer[i].newest)
			break;
	if (i == call->n_peers) {
		if (i >= SIP_STRICT_MAX_PEERS ||
		    !sip_strict_grow((void **)&call->peer, i, sizeof(*peer), call->own_peer,
				     ARRAY_SIZE(call->own_peer)))
			return NULL;
		call->n_peers++;
	}
	peer = &call->peer[i];
	memset(peer, 0, sizeof(*peer));
	peer->ip = *ip;
	return peer;
}

/**
 * sip_strict_peer_signals() - an address takes part in the call's signalling
 * @sn: the namespace
 * @call: the call
 * @ip: the address
 *
 * Context: sn->lock held.
 */
void sip_strict_peer_signals(struct sip_strict_net *sn, struct sip_strict_call *call,
			     const struct sip_ip *ip)
{
	struct sip_strict_peer *peer;

	if (!sip_ip_is_unicast(ip))
		return;
	peer = sip_strict_peer_get(call, ip);
	if (!peer)
		return;
	peer->signalling = true;
	sip_strict_known_add(sn, ip);
}

/* Return: true if nobody had named this source before. */
static bool sip_strict_peer_sends(struct sip_strict_call *call, const struct sip_ip *ip, u32 bit)
{
	struct sip_strict_peer *peer;
	bool fresh;

	if (!sip_ip_is_unicast(ip))
		return false;
	peer = sip_strict_peer_get(call, ip);
	if (!peer)
		return false;
	fresh = !peer->media;
	peer->media |= bit;
	peer->newest |= bit;
	return fresh;
}

/**
 * sip_strict_media_sources() - the other side's description names its sources
 * @w: the message in work; its receiver is inside
 * @call: the call of the receiver
 * @bit: set of the description
 * @leg: set of what it may replace, 0: nothing
 *
 * What an inside sender wrote was mapped on the way (hairpin): its packets
 * come from the mapped address. Hold by address, or all ports 0, names nobody:
 * those of before stay.
 *
 * Context: sn->lock held.
 */
void sip_strict_media_sources(struct sip_strict_work *w, struct sip_strict_call *call, u32 bit,
			      u32 leg)
{
	const struct sip_plan *plan = &w->plan;
	bool fresh = false, named = false, hold = false;
	struct sip_strict_use *use;
	u32 i, j;

	for (i = 0; i < plan->n_media; i++) {
		const struct sip_media_fact *fact = &plan->media[i];

		hold |= fact->hold;
		named |= !fact->hold && plan->sdp[fact->session].stream[fact->stream].port;
	}
	for (i = 0; i < call->n_peers; i++) {
		struct sip_strict_peer *peer = &call->peer[i];

		peer->newest &= ~bit;
		if ((peer->media & leg) && (hold || !named)) {
			peer->media |= bit;
			peer->newest |= bit;
		}
	}
	for (i = 0; i < plan->n_media; i++) {
		const struct sip_media_fact *fact = &plan->media[i];
		const struct sdp_session *sdp = &plan->sdp[fact->session];
		const struct sdp_stream *stream = &sdp->stream[fact->stream];

		if (fact->hold || !stream->port)
			continue;
		if (fact->mapped && !sip_ap_equal(&fact->rtp, &fact->seen)) {
			fresh |= sip_strict_peer_sends(call, &w->snd_out.ip, bit);
			continue;
		}
		fresh |= sip_strict_peer_sends(call, &fact->rtp.ip, bit);
		if (fact->rtcp.port)
			fresh |= sip_strict_peer_sends(call, &fact->rtcp.ip, bit);
		for (j = 0; j < stream->n_cands; j++)
			fresh |= sip_strict_peer_sends(call,
						       &sdp->cand[stream->cand_first + j].addr.ip,
						       bit);
	}
	/* A source that is named anew clears what was latched; a refresh does not. */
	if (!fresh)
		return;
	list_for_each_entry(use, &call->uses, owner_node)
		sip_strict_map_forget_latched(use->map);
}
