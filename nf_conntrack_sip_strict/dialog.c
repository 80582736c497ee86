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
#include <linux/slab.h>

#include "core/facts.h"
#include "sip_strict.h"
#include "trace.h"

#define SIP_STRICT_SOS_SPARE 8
#define SIP_STRICT_CONTACT_BIT BIT(31) /* a contact use of a call, while it lives */

static const struct rhashtable_params sip_strict_call_params = {
	.head_offset = offsetof(struct sip_strict_call, node),
	.key_offset = offsetof(struct sip_strict_call, key),
	.key_len = sizeof_field(struct sip_strict_call, key),
	.automatic_shrinking = true,
};

/**
 * sip_strict_call_net_init() - make the table of a namespace
 * @sn: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int sip_strict_call_net_init(struct sip_strict_net *sn)
{
	INIT_LIST_HEAD(&sn->call_list);
	return rhashtable_init(&sn->calls, &sip_strict_call_params);
}

static void sip_strict_call_free_rcu(struct rcu_head *rcu)
{
	struct sip_strict_call *call = container_of(rcu, struct sip_strict_call, rcu);

	kfree(call->leg);
	kfree(call->txn);
	kfree(call->peer);
	kfree(call->pair);
	kfree(call);
}

static void sip_strict_call_uncount(struct sip_strict_net *sn, struct sip_strict_call *call)
{
	sn->n_calls--;
	sip_strict_quota_give(sn, &call->inside.ip, &call->outside.ip, call->key.zone);
}

static void sip_strict_call_free(struct sip_strict_net *sn, struct sip_strict_call *call,
				 struct sip_strict_reap *reap)
{
	if (call->state != SIP_STRICT_CALL_ENDED)
		sip_strict_call_uncount(sn, call);
	sip_strict_media_end(sn, call, reap);
	sip_strict_mem_flush(sn, &call->mems);
	rhashtable_remove_fast(&sn->calls, &call->node, sip_strict_call_params);
	list_del(&call->list);
	if (call->flow)
		sip_strict_flow_put(sn, call->flow);
	call_rcu(&call->rcu, sip_strict_call_free_rcu);
}

/**
 * sip_strict_call_end() - the call is over
 * @sn: the namespace
 * @call: the call
 * @why: for the trace
 * @reap: takes its connections
 *
 * It is remembered for 32 s and counts against no limit meanwhile.
 */
static void sip_strict_call_end(struct sip_strict_net *sn, struct sip_strict_call *call,
				const char *why, struct sip_strict_reap *reap)
{
	if (call->state == SIP_STRICT_CALL_ENDED)
		return;
	sip_strict_verdict_end(sn, call, why);
	sip_strict_media_end(sn, call, reap);
	sip_strict_call_uncount(sn, call);
	call->state = SIP_STRICT_CALL_ENDED;
	call->expires = jiffies + SIP_STRICT_LINGER;
	SIP_STRICT_INC(sn, dialogs_ended);
}

/**
 * sip_strict_call_net_exit() - drop all calls
 * @sn: the namespace; its mappings are gone already or go right after
 *
 * Context: process; no packet can reach the table any more.
 */
void sip_strict_call_net_exit(struct sip_strict_net *sn)
{
	struct sip_strict_call *call, *next;
	struct sip_strict_reap reap = {};

	spin_lock_bh(&sn->lock);
	list_for_each_entry_safe(call, next, &sn->call_list, list)
		sip_strict_call_free(sn, call, &reap);
	spin_unlock_bh(&sn->lock);
	sip_strict_reap_run(sn, &reap);
	rhashtable_destroy(&sn->calls);
}

/* ---- which call --------------------------------------------------------- */

static void sip_strict_call_key(const struct sip_strict_work *w, const struct sip_end *own,
				struct sip_strict_call_key *key)
{
	const u8 *id = w->msg.buf + w->msg.call_id.off;
	struct sip_strict_end end;

	memset(key, 0, sizeof(*key));
	sip_strict_end_set(&end, &own->real, 0, w->zone);
	key->id[0] = sip_strict_hash(id, w->msg.call_id.len);
	key->id[1] = sip_strict_hash2(id, w->msg.call_id.len);
	key->inside = end.addr;
	key->l3num = end.l3num;
	key->zone = w->zone;
}

static u64 sip_strict_span_hash(const struct sip_strict_work *w, struct sip_span s)
{
	return sip_strict_hash(w->msg.buf + s.off, s.len);
}

/* RFC 2543 has no branch: the sent-by stands for it. */
static u64 sip_strict_branch_hash(const struct sip_strict_work *w)
{
	const struct sip_via *via = &w->msg.via;

	return sip_strict_span_hash(w, via->branch.len ? via->branch : via->sent_by.host);
}

/* Tag of the inside end, or of the outside one, as this message has them. */
static u64 sip_strict_tag(const struct sip_strict_work *w, bool out, bool inside)
{
	bool from = (out == w->msg.request) == inside;

	return sip_strict_span_hash(w, from ? w->msg.from_tag : w->msg.to_tag);
}

static bool sip_strict_call_knows(const struct sip_strict_call *call, const struct sip_ip *ip)
{
	u32 i;

	for (i = 0; i < call->n_peers; i++)
		if (call->peer[i].signalling && sip_ip_equal(&call->peer[i].ip, ip))
			return true;
	return false;
}

static struct sip_strict_txn *sip_strict_txn_find(struct sip_strict_call *call, u8 method, u32 cseq,
						  u64 branch)
{
	u32 i;

	for (i = 0; i < call->n_txns; i++) {
		struct sip_strict_txn *txn = &call->txn[i];

		if (txn->method == method && txn->cseq == cseq && txn->branch == branch)
			return txn;
	}
	return NULL;
}

static struct sip_strict_txn *sip_strict_txn_of(const struct sip_strict_work *w,
						struct sip_strict_call *call, u8 method)
{
	return sip_strict_txn_find(call, method, w->msg.cseq, sip_strict_branch_hash(w));
}

/* May a message from outside change this call? */
static bool sip_strict_call_admits(const struct sip_strict_work *w, struct sip_strict_call *call)
{
	u32 i;

	if (sip_strict_call_knows(call, &w->ctx.snd.real.ip) ||
	    sip_strict_call_knows(call, &w->ctx.snd.seen.ip))
		return true;
	/* Serial and DNS failover: the same caller by another proxy. */
	if (!w->msg.request || w->msg.method != SIP_M_INVITE || w->msg.to_tag.len)
		return false;
	for (i = 0; i < call->n_txns; i++)
		if (call->txn[i].initial && !call->txn[i].out &&
		    call->txn[i].outside_tag == sip_strict_span_hash(w, w->msg.from_tag))
			return true;
	return false;
}

/* A new INVITE with the Call-ID of an ended call begins another one. */
static bool sip_strict_call_again(const struct sip_strict_work *w, struct sip_strict_call *call)
{
	return call->state == SIP_STRICT_CALL_ENDED && w->msg.request &&
	       w->msg.method == SIP_M_INVITE && !sip_strict_txn_of(w, call, SIP_M_INVITE);
}

static enum sip_reason sip_strict_call_quota(struct sip_strict_work *w, const struct sip_end *own,
					     const struct sip_end *other, bool emergency)
{
	struct sip_strict_net *sn = w->sn;
	enum sip_reason reason;
	u32 spare = emergency ? SIP_STRICT_SOS_SPARE : 0;

	reason = sip_strict_quota_check(sn, &own->real.ip, &other->real.ip, w->zone, spare);
	if (reason != SIP_R_TABLE_FULL)
		return reason;
	if (sip_strict_call_evict(sn, &w->reap))
		return sip_strict_quota_check(sn, &own->real.ip, &other->real.ip, w->zone, spare);
	return emergency ? SIP_R_OK : reason;
}

static enum sip_reason sip_strict_call_make(struct sip_strict_work *w, bool out,
					    const struct sip_strict_call_key *key,
					    struct sip_strict_call **made)
{
	const struct sip_end *own = out ? &w->ctx.snd : &w->ctx.rcv;
	const struct sip_end *other = out ? &w->ctx.rcv : &w->ctx.snd;
	u32 id_len = min_t(u32, w->msg.call_id.len, SIP_STRICT_CALLID_SHOWN);
	struct sip_strict_net *sn = w->sn;
	bool emergency = sip_msg_is_emergency(&w->msg);
	struct sip_strict_call *call;
	enum sip_reason reason;

	reason = sip_strict_call_quota(w, own, other, emergency);
	if (reason)
		return reason;
	call = kzalloc(struct_size(call, id, id_len), GFP_ATOMIC);
	if (!call)
		return SIP_R_NO_MEMORY;
	call->key = *key;
	call->inside = own->real;
	call->outside = other->real;
	call->outbound = out;
	call->emergency = emergency;
	call->begun = jiffies;
	call->active = jiffies;
	call->expires = jiffies + READ_ONCE(sn->conf.ring_timeout) * HZ;
	INIT_LIST_HEAD(&call->uses);
	INIT_LIST_HEAD(&call->mems);
	call->id_len = (u8)id_len;
	memcpy(call->id, w->msg.buf + w->msg.call_id.off, id_len);
	if (!sip_strict_quota_take(sn, &call->inside.ip, &call->outside.ip, key->zone))
		goto free;
	if (rhashtable_insert_fast(&sn->calls, &call->node, sip_strict_call_params))
		goto give;
	refcount_inc(&w->flow->ref);
	call->flow = w->flow;
	list_add_tail(&call->list, &sn->call_list);
	sn->n_calls++;
	*made = call;
	return SIP_R_OK;

give:
	sip_strict_quota_give(sn, &call->inside.ip, &call->outside.ip, key->zone);
free:
	kfree(call);
	return SIP_R_NO_MEMORY;
}

static enum sip_reason sip_strict_call_of_end(struct sip_strict_work *w, bool out,
					      struct sip_strict_call **answer)
{
	struct sip_strict_call_key key;
	struct sip_strict_call *call;

	*answer = NULL;
	sip_strict_call_key(w, out ? &w->ctx.snd : &w->ctx.rcv, &key);
	call = rhashtable_lookup_fast(&w->sn->calls, &key, sip_strict_call_params);
	if (call && sip_strict_call_again(w, call)) {
		sip_strict_call_free(w->sn, call, &w->reap);
		call = NULL;
	}
	if (!call && sip_msg_may_start_call(&w->msg))
		return sip_strict_call_make(w, out, &key, answer);
	if (call && !out && !sip_strict_call_admits(w, call))
		call = NULL;
	*answer = call;
	return SIP_R_OK;
}

/**
 * sip_strict_call_prepare() - find or make the calls that a message belongs to
 * @w: the message in work, its ends known
 *
 * Context: sn->lock held, RCU read lock held.
 * Return: SIP_R_OK (also where there is no call), or why a new one is refused:
 *	the message then passes unedited.
 */
enum sip_reason sip_strict_call_prepare(struct sip_strict_work *w)
{
	enum sip_reason reason = SIP_R_OK;

	w->call_out = NULL;
	w->call_in = NULL;
	if (w->msg.method == SIP_M_REGISTER)
		return SIP_R_OK;
	if (w->ctx.snd.inside)
		reason = sip_strict_call_of_end(w, true, &w->call_out);
	if (!reason && w->ctx.rcv.inside)
		reason = sip_strict_call_of_end(w, false, &w->call_in);
	return reason;
}

static void sip_strict_call_abort_one(struct sip_strict_work *w, struct sip_strict_call *call)
{
	if (!call)
		return;
	if (call->state == SIP_STRICT_CALL_NEW)
		sip_strict_call_free(w->sn, call, &w->reap);
	else
		sip_strict_media_settle(w, call);
}

/**
 * sip_strict_call_abort() - the plan was refused: take back what it made
 * @w: the message in work
 *
 * Context: sn->lock held.
 */
void sip_strict_call_abort(struct sip_strict_work *w)
{
	sip_strict_call_abort_one(w, w->call_out);
	sip_strict_call_abort_one(w, w->call_in);
	w->call_out = NULL;
	w->call_in = NULL;
}

/* ---- legs and transactions ---------------------------------------------- */

static u32 sip_strict_bit_take(struct sip_strict_call *call)
{
	u32 free = ~call->set_bits & ~SIP_STRICT_CONTACT_BIT;

	if (!free)
		return 0;
	free &= -free;
	call->set_bits |= free;
	return free;
}

static void sip_strict_txn_drop(struct sip_strict_net *sn, struct sip_strict_call *call,
				struct sip_strict_txn *txn, struct sip_strict_reap *reap)
{
	if (txn->bit) {
		sip_strict_media_clear(sn, call, txn->bit, reap);
		call->set_bits &= ~txn->bit;
	}
	*txn = call->txn[--call->n_txns];
}

static struct sip_strict_txn *sip_strict_txn_make(struct sip_strict_work *w,
						  struct sip_strict_call *call, bool out)
{
	struct sip_strict_txn *txn;
	u32 i;

	if (call->n_txns >= SIP_STRICT_MAX_TXNS) {
		/* The oldest finished one makes room; it is beyond repeating. */
		for (i = 0; i < call->n_txns && !call->txn[i].done; i++)
			;
		if (i == call->n_txns)
			return NULL;
		sip_strict_txn_drop(w->sn, call, &call->txn[i], &w->reap);
	}
	if (!sip_strict_grow((void **)&call->txn, call->n_txns, sizeof(*txn)))
		return NULL;
	txn = &call->txn[call->n_txns++];
	memset(txn, 0, sizeof(*txn));
	txn->branch = sip_strict_branch_hash(w);
	txn->cseq = w->msg.cseq;
	txn->method = w->msg.method;
	txn->out = out;
	txn->initial = w->msg.method == SIP_M_INVITE && !w->msg.to_tag.len;
	txn->inside_tag = sip_strict_tag(w, out, true);
	txn->outside_tag = sip_strict_tag(w, out, false);
	txn->expires = jiffies + READ_ONCE(w->sn->conf.ring_timeout) * HZ;
	return txn;
}

static bool sip_strict_txn_bit(struct sip_strict_call *call, struct sip_strict_txn *txn)
{
	if (!txn->bit)
		txn->bit = sip_strict_bit_take(call);
	return txn->bit;
}

static struct sip_strict_leg *sip_strict_leg_find(struct sip_strict_call *call, u64 inside,
						  u64 outside)
{
	u32 i;

	for (i = 0; i < call->n_legs; i++) {
		struct sip_strict_leg *leg = &call->leg[i];

		if ((!leg->inside_tag || !inside || leg->inside_tag == inside) &&
		    (!leg->outside_tag || !outside || leg->outside_tag == outside))
			return leg;
	}
	return NULL;
}

static struct sip_strict_leg *sip_strict_leg_get(struct sip_strict_call *call, u64 inside,
						 u64 outside)
{
	struct sip_strict_leg *leg = sip_strict_leg_find(call, inside, outside);

	if (leg) {
		leg->inside_tag = leg->inside_tag ?: inside;
		leg->outside_tag = leg->outside_tag ?: outside;
		return leg;
	}
	if (call->n_legs >= SIP_STRICT_MAX_LEGS ||
	    !sip_strict_grow((void **)&call->leg, call->n_legs, sizeof(*leg)))
		return NULL;
	leg = &call->leg[call->n_legs];
	memset(leg, 0, sizeof(*leg));
	leg->bit = sip_strict_bit_take(call);
	if (!leg->bit)
		return NULL;
	leg->inside_tag = inside;
	leg->outside_tag = outside;
	call->n_legs++;
	return leg;
}

static struct sip_strict_leg *sip_strict_leg_of(const struct sip_strict_work *w,
						struct sip_strict_call *call, bool out, bool make)
{
	u64 inside = sip_strict_tag(w, out, true);
	u64 outside = sip_strict_tag(w, out, false);

	return make ? sip_strict_leg_get(call, inside, outside) :
		      sip_strict_leg_find(call, inside, outside);
}

static bool sip_strict_call_has_leg(const struct sip_strict_call *call)
{
	u32 i;

	for (i = 0; i < call->n_legs; i++)
		if (!call->leg[i].dead)
			return true;
	return false;
}

static bool sip_strict_call_is_dialling(const struct sip_strict_call *call)
{
	u32 i;

	for (i = 0; i < call->n_txns; i++)
		if (call->txn[i].initial && !call->txn[i].done)
			return true;
	return false;
}

static void sip_strict_leg_close(struct sip_strict_net *sn, struct sip_strict_call *call,
				 struct sip_strict_leg *leg, const char *why,
				 struct sip_strict_reap *reap)
{
	leg->dead = true;
	leg->confirmed = false;
	sip_strict_media_clear(sn, call, leg->bit, reap);
	if (!sip_strict_call_has_leg(call) && !sip_strict_call_is_dialling(call))
		sip_strict_call_end(sn, call, why, reap);
}

/* ---- learning ----------------------------------------------------------- */

static void sip_strict_call_touch(struct sip_strict_net *sn, struct sip_strict_call *call)
{
	u32 seconds = call->state == SIP_STRICT_CALL_CONFIRMED ?
			      READ_ONCE(sn->conf.dialog_timeout) :
			      READ_ONCE(sn->conf.ring_timeout);

	if (call->state == SIP_STRICT_CALL_ENDED)
		return;
	if (call->state == SIP_STRICT_CALL_CONFIRMED && call->session_expires)
		seconds = min_t(u32, seconds, call->session_expires + 32);
	call->active = jiffies;
	call->expires = jiffies + (unsigned long)seconds * HZ;
	if (call->flow)
		sip_strict_flow_keep(call->flow, call->expires);
}

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
			.real = fact->real,
			.call = call,
		};

		if (fact->field == SIP_F_VIA_SENT_BY || fact->star)
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
		if (call->n_uses >= SIP_STRICT_MAX_USES)
			return;
		use = sip_strict_use_add(map, call, NULL, &call->uses);
		if (!use) {
			sip_strict_map_unused(w->sn, map, &w->reap);
			return;
		}
		use->sets = SIP_STRICT_CONTACT_BIT;
		use->mline = SIP_STRICT_NO_MLINE;
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
		.real = w->ctx.rcv.real,
		.branch = sip_strict_span_hash(w, w->msg.via.branch),
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

	sip_strict_peer_signals(call, &other->real.ip);
	if (!sip_ip_equal(&other->real.ip, &other->seen.ip))
		sip_strict_peer_signals(call, &other->seen.ip);
	if (out)
		return;
	for (i = 0; i < w->plan.n_peers; i++)
		sip_strict_peer_signals(call, &w->plan.peer_ap[i].ip);
}

static void sip_strict_call_describe(struct sip_strict_work *w, struct sip_strict_call *call,
				     bool out, u32 bit)
{
	u32 i;

	if (!w->plan.sdp_counts || !w->plan.n_media || call->state == SIP_STRICT_CALL_ENDED)
		return;
	if (out) {
		sip_strict_media_mark(w, call, bit);
		call->sdp_out = jiffies;
	} else {
		sip_strict_media_sources(w, call, bit);
	}
	call->held = false;
	for (i = 0; i < w->plan.n_media; i++) {
		const struct sip_media_fact *fact = &w->plan.media[i];
		const struct sdp_stream *stream = &w->plan.sdp[fact->session].stream[fact->stream];

		if (fact->hold || (stream->port && stream->dir != SDP_SENDRECV))
			call->held = true;
	}
}

static bool sip_strict_has_sdp(const struct sip_strict_work *w)
{
	return w->plan.sdp_counts && w->plan.n_media;
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
	if (!txn)
		txn = sip_strict_txn_make(w, call, out);
	if (!txn)
		return;
	if (w->msg.method == SIP_M_BYE)
		txn->expires = jiffies + SIP_STRICT_LINGER;
	if (call->state == SIP_STRICT_CALL_NEW) {
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
	if (!txn || !leg || !txn->bit || !sip_strict_has_sdp(w))
		return;
	sip_strict_call_describe(w, call, out, txn->bit);
	sip_strict_media_agree(w->sn, call, txn->bit, leg->bit, true, true, &w->reap);
	sip_strict_media_refuse(call, &w->plan, leg->bit);
	txn->late = false;
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
		txn->expires = jiffies + READ_ONCE(w->sn->conf.ring_timeout) * HZ;
	if (w->msg.status == 100 || !w->msg.to_tag.len)
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
				   const struct sip_strict_leg *winner)
{
	u32 i;

	for (i = 0; i < call->n_legs; i++) {
		struct sip_strict_leg *leg = &call->leg[i];

		if (leg == winner || leg->confirmed || leg->dead)
			continue;
		sip_strict_media_clear(w->sn, call, leg->bit, &w->reap);
		leg->expires = jiffies + SIP_STRICT_LINGER;
	}
}

/* Another leg of the fork is confirmed: it shares what the first one agreed. */
static void sip_strict_leg_share(struct sip_strict_call *call, const struct sip_strict_leg *leg)
{
	struct sip_strict_use *use;
	u32 i, bits = 0;

	for (i = 0; i < call->n_legs; i++)
		if (call->leg[i].confirmed && &call->leg[i] != leg)
			bits |= call->leg[i].bit;
	list_for_each_entry(use, &call->uses, owner_node)
		if (use->sets & bits)
			use->sets |= leg->bit;
}

static void sip_strict_leg_confirm(struct sip_strict_net *sn, struct sip_strict_call *call,
				   struct sip_strict_leg *leg)
{
	leg->confirmed = true;
	leg->expires = 0;
	if (call->state == SIP_STRICT_CALL_CONFIRMED)
		return;
	call->state = SIP_STRICT_CALL_CONFIRMED;
	call->answered = jiffies;
}

static void sip_strict_learn_invite_2xx(struct sip_strict_work *w, struct sip_strict_call *call,
					struct sip_strict_txn *txn, bool out)
{
	bool sdp = sip_strict_has_sdp(w), first = !txn->done, offered;
	struct sip_strict_leg *leg = sip_strict_leg_of(w, call, out, true);

	if (!leg || leg->dead)
		return;
	offered = txn->out ? txn->inside_sdp : txn->outside_sdp;
	txn->late |= first && sdp && !offered;
	if (!first && leg->confirmed && !txn->late)
		return; /* retransmitted */
	sip_strict_leg_confirm(w->sn, call, leg);
	if (sdp && sip_strict_txn_bit(call, txn)) {
		if (!txn->initial || first || txn->late)
			sip_strict_call_describe(w, call, out, txn->bit);
		if ((txn->late && txn->initial) || !first)
			sip_strict_call_describe(w, call, out, leg->bit);
		txn->inside_sdp |= out;
		txn->outside_sdp |= !out;
	}
	if (txn->initial && first)
		sip_strict_fork_decide(w, call, leg);
	if (!first)
		sip_strict_leg_share(call, leg);
	txn->done = true;
	txn->status = w->msg.status;
	txn->expires = jiffies + SIP_STRICT_LINGER;
	if (txn->late || !txn->bit)
		return;
	if (!sdp && txn->initial)
		/* A 2xx without description takes the leg's last one. */
		sip_strict_media_newest(call, leg->bit);
	sip_strict_media_agree(w->sn, call, txn->bit, leg->bit, txn->inside_sdp, txn->outside_sdp,
			       &w->reap);
	if (sdp)
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

static void sip_strict_learn_invite_error(struct sip_strict_work *w, struct sip_strict_call *call,
					  struct sip_strict_txn *txn)
{
	struct sip_strict_net *sn = w->sn;
	u32 i;

	if (txn->done)
		return;
	txn->done = true;
	txn->status = w->msg.status;
	txn->expires = jiffies + SIP_STRICT_LINGER;
	if (txn->bit)
		sip_strict_media_clear(sn, call, txn->bit, &w->reap);
	if (!txn->initial)
		return;
	for (i = 0; i < call->n_legs; i++) {
		struct sip_strict_leg *leg = &call->leg[i];

		if (leg->confirmed || leg->dead || sip_strict_call_is_dialling(call))
			continue;
		leg->dead = true;
		sip_strict_media_clear(sn, call, leg->bit, &w->reap);
	}
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

	if (w->msg.status == 401 || w->msg.status == 407) {
		txn->done = true;
		return;
	}
	leg = sip_strict_leg_find(call, txn->inside_tag, txn->outside_tag);
	txn->done = true;
	if (leg && !leg->dead)
		sip_strict_leg_close(w->sn, call, leg, "bye", &w->reap);
	else if (!leg && !sip_strict_call_has_leg(call))
		sip_strict_call_end(w->sn, call, "bye", &w->reap);
}

static void sip_strict_learn_response(struct sip_strict_work *w, struct sip_strict_call *call,
				      bool out)
{
	struct sip_strict_txn *txn = sip_strict_txn_of(w, call, w->msg.method);
	u16 status = w->msg.status;

	if (!txn || txn->out == out || call->state == SIP_STRICT_CALL_ENDED)
		return;
	if (status < 200)
		return sip_strict_learn_provisional(w, call, txn, out);
	if (w->msg.session_expires > 0 && status < 300)
		call->session_expires = (u32)min_t(s64, w->msg.session_expires, 86400 * 7);
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
}

static void sip_strict_call_learn_one(struct sip_strict_work *w, struct sip_strict_call *call,
				      bool out)
{
	u8 before = call->state;

	sip_strict_call_peers(w, call, out);
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
			sip_strict_call_touch(w->sn, call);
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

/* ---- time --------------------------------------------------------------- */

static void sip_strict_txn_expire(struct sip_strict_net *sn, struct sip_strict_call *call,
				  struct sip_strict_txn *txn, struct sip_strict_reap *reap)
{
	struct sip_strict_txn gone = *txn;
	struct sip_strict_leg *leg;

	sip_strict_txn_drop(sn, call, txn, reap);
	if (gone.done || call->state == SIP_STRICT_CALL_ENDED)
		return;
	if (gone.method == SIP_M_BYE) {
		leg = sip_strict_leg_find(call, gone.inside_tag, gone.outside_tag);
		if (leg && !leg->dead)
			sip_strict_leg_close(sn, call, leg, "bye_unanswered", reap);
		return;
	}
	if (gone.initial && call->state != SIP_STRICT_CALL_CONFIRMED &&
	    !sip_strict_call_is_dialling(call))
		sip_strict_call_end(sn, call, "ring_timeout", reap);
}

static void sip_strict_legs_expire(struct sip_strict_net *sn, struct sip_strict_call *call,
				   struct sip_strict_reap *reap)
{
	u32 i;

	for (i = 0; i < call->n_legs; i++) {
		struct sip_strict_leg *leg = &call->leg[i];

		if (leg->dead || !leg->expires || time_before(jiffies, leg->expires))
			continue;
		leg->dead = true;
		sip_strict_media_clear(sn, call, leg->bit, reap);
	}
}

/* Has media passed since the last look? An offloaded entry counts as alive. */
static bool sip_strict_call_has_media(struct sip_strict_net *sn, struct sip_strict_call *call)
{
	struct sip_strict_count count;
	struct sip_strict_use *use;
	bool offloaded = false;
	u64 sum = 0;

	list_for_each_entry(use, &call->uses, owner_node) {
		if (use->map->kind == SIP_STRICT_CONTACT)
			continue;
		sip_strict_map_count(sn, use->map, &count);
		sum += count.packets[0] + count.packets[1];
		offloaded |= count.offloaded && count.alive;
	}
	if (sum == call->media_seen && !offloaded)
		return false;
	call->media_seen = sum;
	return true;
}

static const char *sip_strict_timeout_reason(const struct sip_strict_call *call)
{
	if (call->state != SIP_STRICT_CALL_CONFIRMED)
		return "ring_timeout";
	return call->session_expires ? "session_expired" :
				       "dialog_timeout";
}

static void sip_strict_call_expire(struct sip_strict_net *sn, struct sip_strict_call *call,
				   struct sip_strict_reap *reap)
{
	u32 dead = READ_ONCE(sn->conf.dead_call_timeout);
	u32 i;

	for (i = 0; i < call->n_txns;) {
		if (time_before(jiffies, call->txn[i].expires))
			i++;
		else
			sip_strict_txn_expire(sn, call, &call->txn[i], reap);
	}
	sip_strict_legs_expire(sn, call, reap);
	if (dead && call->state == SIP_STRICT_CALL_CONFIRMED && !call->held &&
	    time_after(jiffies, call->active + (unsigned long)dead * HZ)) {
		if (sip_strict_call_has_media(sn, call)) {
			call->active = jiffies;
		} else {
			SIP_STRICT_INC(sn, dead_calls);
			sip_strict_call_end(sn, call, "dead_call", reap);
		}
	}
	if (time_before(jiffies, call->expires))
		return;
	if (call->state == SIP_STRICT_CALL_ENDED)
		sip_strict_call_free(sn, call, reap);
	else if (call->state == SIP_STRICT_CALL_CONFIRMED && sip_strict_call_has_media(sn, call))
		sip_strict_call_touch(sn, call);
	else
		sip_strict_call_end(sn, call, sip_strict_timeout_reason(call), reap);
}

/**
 * sip_strict_call_sweep() - once a second: what is over ends
 * @sn: the namespace
 * @reap: takes connections to be ended
 *
 * Context: sn->lock held.
 */
void sip_strict_call_sweep(struct sip_strict_net *sn, struct sip_strict_reap *reap)
{
	struct sip_strict_call *call, *next;

	list_for_each_entry_safe(call, next, &sn->call_list, list) {
		if (call->flow && call->state != SIP_STRICT_CALL_ENDED &&
		    (!call->flow->want || time_after(call->expires, call->flow->want)))
			call->flow->want = call->expires;
		sip_strict_call_expire(sn, call, reap);
	}
}

/**
 * sip_strict_call_evict() - make room: the oldest early call of the host that
 * holds most
 * @sn: the namespace
 * @reap: takes its connections
 *
 * An established call is never evicted, nor is a call for help.
 *
 * Context: sn->lock held.
 * Return: true if one has gone.
 */
bool sip_strict_call_evict(struct sip_strict_net *sn, struct sip_strict_reap *reap)
{
	struct sip_strict_call *call, *worst = NULL;
	u32 held, most = 0;

	list_for_each_entry(call, &sn->call_list, list) {
		if (call->state != SIP_STRICT_CALL_EARLY || call->emergency)
			continue;
		held = sip_strict_quota_held(sn, &call->inside.ip, call->key.zone);
		if (held <= most)
			continue;
		most = held;
		worst = call;
	}
	if (!worst)
		return false;
	sip_strict_call_end(sn, worst, "evicted", reap);
	SIP_STRICT_INC(sn, evicted);
	return true;
}

/**
 * sip_strict_call_address_gone() - an outside address is no more
 * @sn: the namespace
 * @end: the address (its port is not looked at)
 * @reap: takes the connections
 *
 * The calls go on; their next message gets new ports at the new address.
 *
 * Context: sn->lock held.
 */
void sip_strict_call_address_gone(struct sip_strict_net *sn, const struct sip_strict_end *end,
				  struct sip_strict_reap *reap)
{
	struct sip_strict_use *use, *next;
	struct sip_strict_call *call;

	list_for_each_entry(call, &sn->call_list, list) {
		list_for_each_entry_safe(use, next, &call->uses, owner_node) {
			if (memcmp(&use->map->out.addr, &end->addr, sizeof(end->addr)))
				continue;
			call->n_uses--;
			sip_strict_use_put(sn, use, reap);
		}
	}
}
