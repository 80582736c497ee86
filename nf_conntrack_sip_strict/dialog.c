// SPDX-License-Identifier: GPL-2.0-only
/*
 * dialog.c - calls, their legs and transactions (RFC 3261 sections 12 to 17).
 *
 * A call is one inside host's share of a Call-ID: keyed by (namespace, zone,
 * Call-ID, inside address), never by flow. Theory of operation, by example:
 *
 *   INVITE out, branch b1      call made (NEW), transaction b1 gets a set bit;
 *                              the ports of its SDP carry it: they are open
 *   180 tag t1, 183 tag t2     legs t1, t2 with a bit each; the sources in
 *                              their SDP carry the leg's bit
 *   200 tag t2                 leg t2 confirmed: the offer's bit becomes t2's,
 *                              sources of t1 close at once, t1 lingers 32 s
 *   re-INVITE, 488             its offer's bit is set, then cleared: as before
 *   BYE, 200                   leg t2 dies; no leg is left: the call ends
 *   (32 s)                     the ended call edits retransmissions as before,
 *                              opens nothing, then it is freed
 *
 * Requests close nothing; only final answers and time do. What may change a
 * call: from inside only its host (it is in the key), from outside only
 * addresses that the call has exchanged messages with or that stand in the
 * far side's Contact and Record-Route.
 *
 * Everything runs under sn->lock; the sweep (main.c) enforces lifetimes once a
 * second. Bounds: dialog_max calls, SIP_STRICT_MAX_LEGS, _TXNS, _PEERS, _USES
 * of each.
 */
#include <linux/jiffies.h>

#include "core/facts.h"
#include "dialog.h"
#include "trace.h"

/* The inside host's addresses in this message: what comes back to be unmapped. */
static void sip_strict_call_remember(struct sip_strict_work *w, struct sip_strict_call *call)
{
	const struct sip_plan *plan = &w->plan;
	u32 i;

	for (i = 0; i < plan->n_addrs; i++) {
		const struct sip_addr_fact *fact = &plan->addr[i];
		struct sip_strict_mem mem = {
			.inside = w->ctx.snd.real.ip,
			.kind = SIP_MEM_DIALOG,
			.field = fact->field,
			.mapped = fact->mapped && w->mode == SIP_STRICT_STRICT,
			.owner = SIP_STRICT_OF_CALL,
			.call = call,
		};

		if (sip_fact_is_via(fact) || fact->star)
			continue;
		sip_strict_mem_add(w->sn, &mem, mem.mapped ? &fact->seen : &fact->real, w->zone,
				   &fact->written, w->msg.buf + fact->user.off, fact->user.len);
	}
}

/* Each Contact of a dialog is a mapping while that lives. */
static void sip_strict_call_contact(struct sip_strict_work *w, struct sip_strict_call *call)
{
	const struct sip_plan *plan = &w->plan;
	struct sip_strict_use *use;
	struct sip_strict_map *map;
	u32 i;

	if (call->state == SIP_STRICT_CALL_ENDED || w->mode != SIP_STRICT_STRICT)
		return;
	for (i = 0; i < plan->n_addrs; i++) {
		const struct sip_addr_fact *fact = &plan->addr[i];

		if (fact->field != SIP_F_CONTACT || !fact->ours)
			continue;
		map = sip_strict_contact_of(w, fact);
		if (!map)
			continue;
		list_for_each_entry(use, &call->uses, owner_node)
			if (use->map == map)
				break;
		if (!list_entry_is_head(use, &call->uses, owner_node))
			continue;
		use = call->n_uses < SIP_STRICT_MAX_USES ?
			      sip_strict_use_add(map, call, NULL, &call->uses) : NULL;
		if (!use) {
			sip_strict_map_unused(w->sn, map, &w->reap);
			return;
		}
		use->sets = SIP_STRICT_CONTACT_BIT;
		call->n_uses++;
		sip_strict_map_update(w->sn, map, &w->reap);
	}
}

/* What the INVITE got as Request-URI, its CANCEL and ACK get too. */
static void sip_strict_call_ruri(struct sip_strict_work *w, struct sip_strict_call *call)
{
	static const struct sip_written nothing;
	struct sip_strict_mem mem = {
		.inside = w->ctx.rcv.real.ip,
		.kind = SIP_MEM_TRANSACTION,
		.field = SIP_F_RURI,
		.mapped = w->ruri_ours,
		.branch = sip_strict_span_hash(w, w->msg.via.branch),
		.owner = SIP_STRICT_OF_CALL,
		.call = call,
	};

	if (w->ruri_asked && mem.branch && w->msg.method == SIP_M_INVITE)
		sip_strict_mem_add(w->sn, &mem, &w->ruri_ap, w->zone,
				   w->ruri_ours ? &w->ruri_written : &nothing, NULL, 0);
}

static void sip_strict_call_peers(struct sip_strict_work *w, struct sip_strict_call *call, bool out)
{
	const struct sip_end *other = out ? &w->ctx.rcv : &w->ctx.snd;
	u32 i;

	/* Who is answered here was let in before, or it is a stranger. */
	if (out && !w->msg.request && !sip_strict_txn_of(w, call, w->msg.method))
		return;
	/* The same caller by another proxy, or somebody who says so: the answer decides. */
	if (!out && call->state != SIP_STRICT_CALL_NEW && w->msg.request &&
	    w->msg.method == SIP_M_INVITE && !w->msg.to_tag.len)
		return;
	sip_strict_peer_signals(w->sn, call, &other->real.ip);
	if (!sip_ip_equal(&other->real.ip, &other->seen.ip))
		sip_strict_peer_signals(w->sn, call, &other->seen.ip);
	if (out)
		return;
	for (i = 0; i < w->plan.n_peers; i++)
		sip_strict_peer_signals(w->sn, call, &w->plan.peer_ap[i].ip);
}

static bool sip_strict_has_sdp(const struct sip_strict_work *w)
{
	return w->plan.sdp_counts && w->plan.n_media;
}

/* Ports, or sources, of a description. */
static void sip_strict_call_name(struct sip_strict_work *w, struct sip_strict_call *call,
				 bool out, u32 bit)
{
	const struct sip_strict_leg *leg;

	call->sdp_seen = jiffies;
	if (out) {
		sip_strict_media_mark(w, call, bit);
	} else {
		leg = sip_strict_leg_of(w, call, out, false);
		sip_strict_media_sources(w, call, bit, leg ? leg->bit : 0);
	}
}

/* The same of the newest one, and what it holds. */
static void sip_strict_call_describe(struct sip_strict_work *w, struct sip_strict_call *call,
				     bool out, u32 bit)
{
	bool zero = false, named = false;
	u32 i;

	if (!sip_strict_has_sdp(w) || call->state == SIP_STRICT_CALL_ENDED)
		return;
	sip_strict_call_name(w, call, out, bit);
	call->held = 0;
	for (i = 0; i < w->plan.n_media; i++) {
		const struct sip_media_fact *fact = &w->plan.media[i];
		const struct sdp_stream *stream = &w->plan.sdp[fact->session].stream[fact->stream];

		if (fact->hold || !stream->port || stream->dir != SDP_SENDRECV)
			call->held |= BIT(i);
		zero |= fact->hold;
		named |= !fact->hold && stream->port;
	}
	if (!out)
		call->far_zero = zero && !named;
	call->all_held = call->held == BIT(w->plan.n_media) - 1;
}

/* A re-INVITE is newer than every UPDATE before it. */
static void sip_strict_leg_renew(struct sip_strict_call *call, const struct sip_strict_txn *txn)
{
	struct sip_strict_leg *leg = sip_strict_leg_find(call, txn->inside_tag, txn->outside_tag);

	if (!leg)
		return;
	leg->own_in = false;
	leg->own_out = false;
}

static void sip_strict_learn_request(struct sip_strict_work *w, struct sip_strict_call *call,
				     bool out)
{
	struct sip_strict_txn *txn;

	if (!sip_msg_opens_txn(&w->msg) || call->state == SIP_STRICT_CALL_ENDED)
		return;
	txn = sip_strict_txn_of(w, call, w->msg.method);
	if (txn && txn->done)
		return; /* a retransmission changes nothing */
	if (!txn) {
		txn = sip_strict_txn_make(w, call, out);
		if (!txn)
			return;
		if (txn->method == SIP_M_INVITE && !txn->initial)
			sip_strict_leg_renew(call, txn);
	}
	if (w->msg.method != SIP_M_INVITE)
		/* Its sender gives up then (RFC 3261 section 17.1.2.2). */
		txn->expires = jiffies + SIP_STRICT_LINGER;
	if (call->state == SIP_STRICT_CALL_NEW) {
		if (!out && !w->ruri_ours)
			call->called = sip_strict_span_hash(w, sip_msg_called(&w->msg));
		call->state = SIP_STRICT_CALL_EARLY;
		call->observe = w->mode == SIP_STRICT_OBSERVE;
		SIP_STRICT_INC(w->sn, dialogs);
	}
	if (!sip_strict_has_sdp(w) || !sip_strict_txn_bit(call, txn))
		return;
	sip_strict_call_describe(w, call, out, txn->bit);
	if (out)
		txn->inside_sdp = true;
	else
		txn->outside_sdp = true;
}

/* The answer in an ACK closes a late offer (RFC 3264 section 4). */
static void sip_strict_learn_ack(struct sip_strict_work *w, struct sip_strict_call *call, bool out)
{
	struct sip_strict_txn *txn = NULL;
	struct sip_strict_leg *leg;
	u32 i;

	for (i = 0; i < call->n_txns; i++)
		if (call->txn[i].method == SIP_M_INVITE && call->txn[i].cseq == w->msg.cseq &&
		    call->txn[i].out == out && call->txn[i].late)
			txn = &call->txn[i];
	leg = sip_strict_leg_of(w, call, out, false);
	if (!txn || !leg || !leg->late || !txn->bit || !sip_strict_has_sdp(w))
		return;
	sip_strict_call_describe(w, call, out, txn->bit);
	/* Of the initial INVITE each leg has the offer of its own 2xx already. */
	sip_strict_media_agree(w->sn, call, txn->bit, leg->bit, out || !txn->initial,
			       !out || !txn->initial, &w->reap);
	sip_strict_media_refuse(call, &w->plan, leg->bit);
	leg->late = false;
}

static void sip_strict_learn_cancel(struct sip_strict_work *w, struct sip_strict_call *call)
{
	struct sip_strict_txn *txn = sip_strict_txn_of(w, call, SIP_M_INVITE);

	if (!txn || txn->done || txn->cancelled)
		return;
	txn->cancelled = true;
	txn->expires = jiffies + SIP_STRICT_LINGER;
}

static void sip_strict_learn_provisional(struct sip_strict_work *w, struct sip_strict_call *call,
					 struct sip_strict_txn *txn, bool out)
{
	struct sip_strict_leg *leg;

	if (txn->method != SIP_M_INVITE)
		return;
	if (!txn->done && !txn->cancelled)
		txn->expires = jiffies + sip_strict_ticks(READ_ONCE(w->sn->conf.ring_timeout));
	if (w->msg.status == 100 || !w->msg.to_tag.len)
		return;
	/* Overtaken by the final answer: a leg that it began would never end. */
	if (txn->initial && txn->done)
		return;
	leg = sip_strict_leg_of(w, call, out, true);
	if (!leg || leg->dead || !sip_strict_has_sdp(w))
		return;
	if (txn->initial) {
		sip_strict_call_describe(w, call, out, leg->bit);
	} else if (sip_strict_txn_bit(call, txn)) {
		sip_strict_call_describe(w, call, out, txn->bit);
		txn->inside_sdp |= out;
		txn->outside_sdp |= !out;
	}
}

/* The first 2xx decides a fork: the other early legs' sources close now. */
static void sip_strict_fork_decide(struct sip_strict_work *w, struct sip_strict_call *call,
				   const struct sip_strict_txn *txn,
				   const struct sip_strict_leg *winner)
{
	u32 i;

	for (i = 0; i < call->n_legs; i++) {
		struct sip_strict_leg *leg = &call->leg[i];

		if (leg == winner || leg->confirmed || leg->dead ||
		    !sip_strict_leg_is_of(leg, txn))
			continue;
		sip_strict_media_clear(w->sn, call, leg->bit, &w->reap);
		leg->expires = jiffies + SIP_STRICT_LINGER;
	}
}

/* Another leg of the fork is confirmed: it shares what the first one agreed. */
static void sip_strict_leg_share(struct sip_strict_call *call, const struct sip_strict_txn *txn,
				 const struct sip_strict_leg *leg, bool sources)
{
	struct sip_strict_use *use;
	u32 i, bits = 0;

	for (i = 0; i < call->n_legs; i++)
		if (call->leg[i].confirmed && &call->leg[i] != leg &&
		    sip_strict_leg_is_of(&call->leg[i], txn))
			bits |= call->leg[i].bit;
	list_for_each_entry(use, &call->uses, owner_node)
		if (use->sets & bits)
			use->sets |= leg->bit;
	for (i = 0; sources && i < call->n_peers; i++) {
		struct sip_strict_peer *peer = &call->peer[i];

		peer->media |= peer->media & bits ? leg->bit : 0;
		peer->newest |= peer->newest & bits ? leg->bit : 0;
	}
}

static void sip_strict_leg_confirm(struct sip_strict_net *sn, struct sip_strict_call *call,
				   struct sip_strict_leg *leg)
{
	leg->confirmed = true;
	leg->expires = 0;
	if (call->state == SIP_STRICT_CALL_CONFIRMED)
		return;
	call->state = SIP_STRICT_CALL_CONFIRMED;
	list_del_init(&call->ringing);
	call->answered = jiffies;
}

static void sip_strict_learn_invite_2xx(struct sip_strict_work *w, struct sip_strict_call *call,
					struct sip_strict_txn *txn, bool out)
{
	bool sdp = sip_strict_has_sdp(w), first = !txn->done, offered, newer, both, inside, outside;
	struct sip_strict_leg *leg = sip_strict_leg_of(w, call, out, true);

	if (!leg || leg->dead)
		return;
	offered = txn->out ? txn->inside_sdp : txn->outside_sdp;
	if (!first && leg->confirmed && !(txn->late && leg->late))
		return; /* retransmitted */
	/* Its description is older than that of an UPDATE or PRACK: it only adds to it. */
	newer = txn->initial && (out ? leg->own_in : leg->own_out);
	leg->late = sdp && !offered;
	txn->late |= leg->late;
	sip_strict_leg_confirm(w->sn, call, leg);
	if (sdp && sip_strict_txn_bit(call, txn)) {
		if (newer)
			sip_strict_call_name(w, call, out, leg->bit);
		else
			sip_strict_call_describe(w, call, out, txn->bit);
		txn->inside_sdp |= out;
		txn->outside_sdp |= !out;
	}
	if (txn->initial && first)
		sip_strict_fork_decide(w, call, txn, leg);
	if (txn->initial && !first)
		sip_strict_leg_share(call, txn, leg, !txn->out && !leg->late);
	txn->done = true;
	txn->status = w->msg.status;
	txn->expires = jiffies + SIP_STRICT_LINGER;
	if (!txn->bit || (leg->late && !txn->initial))
		return;
	if (!sdp && txn->initial)
		/* A 2xx without description takes the leg's last one. */
		sip_strict_media_newest(call, leg->bit);
	/*
	 * A 2xx brings the description of one side. The request's is the other one, unless
	 * the ACK brings it, another leg of the fork has agreed it already and shares it,
	 * or an UPDATE or PRACK has replaced it (RFC 3311 section 5).
	 */
	both = !txn->initial || (first && !leg->late);
	inside = (out && sdp && !newer) || (both && txn->inside_sdp && !leg->own_in);
	outside = (!out && sdp && !newer) || (both && txn->outside_sdp && !leg->own_out);
	sip_strict_media_agree(w->sn, call, txn->bit, leg->bit, inside, outside, &w->reap);
	if (sdp && !leg->late && !newer)
		sip_strict_media_refuse(call, &w->plan, leg->bit);
}

/* UPDATE and PRACK: offer and answer in one transaction, inside a leg. */
static void sip_strict_learn_other_2xx(struct sip_strict_work *w, struct sip_strict_call *call,
				       struct sip_strict_txn *txn, bool out)
{
	struct sip_strict_leg *leg = sip_strict_leg_of(w, call, out, true);
	bool sdp = sip_strict_has_sdp(w);

	if (txn->done || !leg)
		return;
	if (sdp && sip_strict_txn_bit(call, txn)) {
		sip_strict_call_describe(w, call, out, txn->bit);
		txn->inside_sdp |= out;
		txn->outside_sdp |= !out;
	}
	if (txn->method == SIP_M_UPDATE && call->state == SIP_STRICT_CALL_EARLY &&
	    !sip_strict_call_is_dialling(call))
		sip_strict_leg_confirm(w->sn, call, leg); /* a call met half-way */
	leg->own_in |= txn->inside_sdp;
	leg->own_out |= txn->outside_sdp;
	if (txn->bit)
		sip_strict_media_agree(w->sn, call, txn->bit, leg->bit, txn->inside_sdp,
				       txn->outside_sdp, &w->reap);
	if (sdp)
		sip_strict_media_refuse(call, &w->plan, leg->bit);
	txn->done = true;
	txn->expires = jiffies + SIP_STRICT_LINGER;
}

/* The caller will try again with the same ports: RFC 3261 22, 8.1.3.4; 4028. */
static bool sip_strict_status_retries(u16 status)
{
	return status == 401 || status == 407 || status == 422 || status / 100 == 3;
}

/* A call that was met half-way, by a request that failed, and never agreed to. */
static void sip_strict_call_unmet(struct sip_strict_work *w, struct sip_strict_call *call)
{
	if (call->state != SIP_STRICT_CALL_EARLY || sip_strict_call_has_leg(call) ||
	    sip_strict_call_is_dialling(call))
		return;
	if (sip_strict_status_retries(w->msg.status) || w->msg.status == 491)
		call->expires = jiffies + SIP_STRICT_LINGER;
	else
		sip_strict_call_end(w->sn, call, "rejected", &w->reap);
}

static void sip_strict_learn_invite_error(struct sip_strict_work *w, struct sip_strict_call *call,
					  struct sip_strict_txn *txn)
{
	struct sip_strict_net *sn = w->sn;

	if (txn->done)
		return;
	txn->done = true;
	txn->status = w->msg.status;
	txn->expires = jiffies + SIP_STRICT_LINGER;
	if (txn->bit)
		sip_strict_media_clear(sn, call, txn->bit, &w->reap);
	if (!txn->initial)
		return sip_strict_call_unmet(w, call);
	sip_strict_legs_drop(sn, call, &w->reap);
	if (sip_strict_call_has_leg(call) || sip_strict_call_is_dialling(call))
		return;
	if (sip_strict_status_retries(w->msg.status))
		call->expires = jiffies + SIP_STRICT_LINGER;
	else
		sip_strict_call_end(sn, call, w->msg.status == 487 ? "cancelled" : "rejected",
				    &w->reap);
}

static void sip_strict_learn_bye_final(struct sip_strict_work *w, struct sip_strict_call *call,
				       struct sip_strict_txn *txn)
{
	struct sip_strict_leg *leg;

	/* It is sent again with credentials, or given up: then it ends as one without answer. */
	if (w->msg.status == 401 || w->msg.status == 407)
		return;
	leg = sip_strict_leg_find(call, txn->inside_tag, txn->outside_tag);
	txn->done = true;
	if (leg && !leg->dead)
		sip_strict_leg_close(w->sn, call, leg, "bye", &w->reap);
	else if (!leg && !sip_strict_call_has_leg(call))
		sip_strict_call_end(w->sn, call, "bye", &w->reap);
}

/* A 2xx to INVITE or UPDATE without Session-Expires ends the timer (RFC 4028 section 7.2). */
static void sip_strict_learn_timer(const struct sip_strict_work *w, struct sip_strict_call *call)
{
	s64 seconds = w->msg.session_expires;

	if (w->msg.method == SIP_M_INVITE || w->msg.method == SIP_M_UPDATE)
		call->session_expires = seconds > 0 ? (u32)min_t(s64, seconds, 86400 * 7) : 0;
}

static void sip_strict_learn_response(struct sip_strict_work *w, struct sip_strict_call *call,
				      bool out)
{
	struct sip_strict_txn *txn = sip_strict_txn_of(w, call, w->msg.method);
	u16 status = w->msg.status;

	if (!txn || txn->out == out || call->state == SIP_STRICT_CALL_ENDED)
		return;
	/* A redirected or failed over call is with another one now. */
	if (txn->initial && status > 100 && status < 300)
		call->far = out ? w->ctx.rcv.real.ip : w->ctx.snd.real.ip;
	if (status < 200)
		return sip_strict_learn_provisional(w, call, txn, out);
	if (status < 300 && !txn->done)
		sip_strict_learn_timer(w, call);
	if (txn->method == SIP_M_BYE)
		return sip_strict_learn_bye_final(w, call, txn);
	if (txn->method == SIP_M_INVITE)
		return status < 300 ? sip_strict_learn_invite_2xx(w, call, txn, out) :
				      sip_strict_learn_invite_error(w, call, txn);
	if (status < 300)
		return sip_strict_learn_other_2xx(w, call, txn, out);
	if (txn->bit)
		sip_strict_media_clear(w->sn, call, txn->bit, &w->reap);
	txn->done = true;
	txn->expires = jiffies + SIP_STRICT_LINGER;
	sip_strict_call_unmet(w, call);
}

static void sip_strict_call_learn_one(struct sip_strict_work *w, struct sip_strict_call *call,
				      bool out)
{
	u8 before = call->state;

	sip_strict_flow_follow(w, &call->flow);
	sip_strict_call_peers(w, call, out);
	if (!out)
		sip_strict_beyond_learn(w, &call->beyond);
	if (out)
		sip_strict_call_remember(w, call);
	if (!w->msg.request)
		sip_strict_learn_response(w, call, out);
	else if (w->msg.method == SIP_M_ACK)
		sip_strict_learn_ack(w, call, out);
	else if (w->msg.method == SIP_M_CANCEL)
		sip_strict_learn_cancel(w, call);
	else
		sip_strict_learn_request(w, call, out);
	if (!out)
		sip_strict_call_ruri(w, call);
	if (out)
		sip_strict_call_contact(w, call);
	sip_strict_media_settle(w, call);
	if (call->state != SIP_STRICT_CALL_NEW || before != SIP_STRICT_CALL_NEW) {
		if (call->state == SIP_STRICT_CALL_CONFIRMED || sip_strict_call_is_dialling(call))
			sip_strict_call_touch(w->sn, call, jiffies);
	} else {
		/* Nothing came of it: a transaction too many. */
		sip_strict_call_free(w->sn, call, &w->reap);
		return;
	}
	if (before != call->state && call->state != SIP_STRICT_CALL_ENDED)
		trace_sip_strict_dialog(w->sn->net, "call",
					call->state == SIP_STRICT_CALL_EARLY ? "new" : "confirmed",
					call->id, call->id_len, &call->inside, &call->outside);
}

/**
 * sip_strict_call_learn() - let the calls learn from a message that goes on
 * @w: the message in work, its plan complete
 *
 * Context: sn->lock held, RCU read lock held.
 */
void sip_strict_call_learn(struct sip_strict_work *w)
{
	if (w->call_out)
		sip_strict_call_learn_one(w, w->call_out, true);
	if (w->call_in)
		sip_strict_call_learn_one(w, w->call_in, false);
}
