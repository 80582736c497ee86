// SPDX-License-Identifier: GPL-2.0-only
/*
 * call.c - the table of calls: which one a message belongs to.
 *
 * A call is one inside host's share of a Call-ID. It is made by the first
 * INVITE (or by a re-INVITE or UPDATE of a call that began before this module
 * was there), found again by every message, and remembered for 32 s after its
 * end. dialog.c has the theory of operation.
 *
 * Everything runs under sn->lock. Bounds: dialog_max, host_max (quota.c), and of
 * calls that are over SIP_STRICT_ENDED_SHARE of dialog_max.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "core/facts.h"
#include "dialog.h"

#define SIP_STRICT_SOS_SPARE 8 /* emergency calls above host_max and dialog_max */
#define SIP_STRICT_ENDED_LEAST 256u
#define SIP_STRICT_CALL_DRAIN 256

/* With the longest Call-ID that is kept, it fits a slab object. */
static_assert(sizeof(struct sip_strict_call) + SIP_STRICT_CALLID_SHOWN <= 512);

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
	INIT_LIST_HEAD(&sn->ringing);
	INIT_LIST_HEAD(&sn->ended_list);
	return rhashtable_init(&sn->calls, &sip_strict_call_params);
}

static void sip_strict_call_free_rcu(struct rcu_head *rcu)
{
	struct sip_strict_call *call = container_of(rcu, struct sip_strict_call, rcu);

	if (call->leg != call->own_leg)
		kfree(call->leg);
	if (call->peer != call->own_peer)
		kfree(call->peer);
	kfree(call->txn);
	kfree(call->pair);
	kfree(call);
}

static void sip_strict_call_uncount(struct sip_strict_net *sn, struct sip_strict_call *call)
{
	sn->n_calls--;
	sip_strict_quota_give(sn, &call->inside.ip, &call->outside.ip, call->key.zone);
}

/**
 * sip_strict_call_free() - forget a call
 * @sn: the namespace
 * @call: the call; gone after this
 * @reap: takes its connections
 *
 * Context: sn->lock held.
 */
void sip_strict_call_free(struct sip_strict_net *sn, struct sip_strict_call *call,
			  struct sip_strict_reap *reap)
{
	if (call->state != SIP_STRICT_CALL_ENDED)
		sip_strict_call_uncount(sn, call);
	else
		sn->n_ended--;
	sip_strict_media_end(sn, call, reap);
	sip_strict_mem_flush(sn, &call->mems);
	rhashtable_remove_fast(&sn->calls, &call->node, sip_strict_call_params);
	list_del(&call->list);
	list_del(&call->ringing);
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
 * It is remembered for 32 s and counts against no limit that refuses a new one.
 */
void sip_strict_call_end(struct sip_strict_net *sn, struct sip_strict_call *call,
			 const char *why, struct sip_strict_reap *reap)
{
	if (call->state == SIP_STRICT_CALL_ENDED)
		return;
	sip_strict_verdict_end(sn, call, why);
	sip_strict_media_end(sn, call, reap);
	sip_strict_call_uncount(sn, call);
	call->state = SIP_STRICT_CALL_ENDED;
	call->expires = jiffies + SIP_STRICT_LINGER;
	list_move_tail(&call->list, &sn->ended_list);
	list_del_init(&call->ringing);
	sn->n_ended++;
	SIP_STRICT_INC(sn, dialogs_ended);
}

/* Some of the calls: a great many must not be freed under one lock. */
static void sip_strict_call_net_drain(struct sip_strict_net *sn)
{
	struct sip_strict_call *call, *next;
	struct sip_strict_reap reap = {};
	u32 left = SIP_STRICT_CALL_DRAIN;

	rcu_read_lock();
	spin_lock_bh(&sn->lock);
	list_for_each_entry_safe(call, next, &sn->call_list, list) {
		if (!left--)
			break;
		sip_strict_call_free(sn, call, &reap);
	}
	spin_unlock_bh(&sn->lock);
	rcu_read_unlock();
	sip_strict_reap_run(sn, &reap);
}

/**
 * sip_strict_call_net_exit() - drop all calls
 * @sn: the namespace; its mappings are gone already or go right after
 *
 * Context: process; no packet can reach the table any more.
 */
void sip_strict_call_net_exit(struct sip_strict_net *sn)
{
	list_splice_tail_init(&sn->ended_list, &sn->call_list);
	while (!list_empty(&sn->call_list)) {
		sip_strict_call_net_drain(sn);
		cond_resched();
	}
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

static bool sip_strict_call_knows(const struct sip_strict_call *call, const struct sip_ip *ip)
{
	u32 i;

	for (i = 0; i < call->n_peers; i++)
		if (call->peer[i].signalling && sip_ip_equal(&call->peer[i].ip, ip))
			return true;
	return false;
}

/* May a message from outside change this call? */
static bool sip_strict_call_admits(const struct sip_strict_work *w, struct sip_strict_call *call)
{
	u64 tag = sip_strict_span_hash(w, w->msg.from_tag);
	u32 i;

	if (sip_strict_call_knows(call, &w->ctx.snd.real.ip) ||
	    sip_strict_call_knows(call, &w->ctx.snd.seen.ip))
		return true;
	/*
	 * Serial and DNS failover: the same caller by another proxy. Or its own INVITE has
	 * come back by another one (a spiral, RFC 3261 section 16.3).
	 */
	if (!w->msg.request || w->msg.method != SIP_M_INVITE || w->msg.to_tag.len)
		return false;
	for (i = 0; i < call->n_txns; i++) {
		const struct sip_strict_txn *txn = &call->txn[i];

		if (txn->initial && txn->out && tag && tag == txn->inside_tag)
			return true;
		if (txn->initial && !txn->out && tag == txn->outside_tag)
			return true;
	}
	return false;
}

/* A new INVITE with the Call-ID of an ended call begins another one. */
static bool sip_strict_call_again(const struct sip_strict_work *w, struct sip_strict_call *call)
{
	return call->state == SIP_STRICT_CALL_ENDED && w->msg.request &&
	       w->msg.method == SIP_M_INVITE && !sip_strict_txn_of(w, call, SIP_M_INVITE);
}

/**
 * sip_strict_call_room() - may there be one more? Early calls make room
 * @w: the message in work
 * @own: its inside end
 * @other: its outside end
 * @out: the inside end asks for it
 * @spare: how far above host_max and dialog_max it may go
 *
 * What others ask of a host does not keep it from asking something itself.
 *
 * Context: sn->lock held.
 * Return: SIP_R_OK, SIP_R_HOST_QUOTA or SIP_R_TABLE_FULL.
 */
enum sip_reason sip_strict_call_room(struct sip_strict_work *w, const struct sip_end *own,
				     const struct sip_end *other, bool out, u32 spare)
{
	const struct sip_ip *inside = &own->real.ip, *outside = &other->real.ip;
	struct sip_strict_net *sn = w->sn;
	enum sip_reason reason;

	reason = sip_strict_quota_check(sn, inside, outside, w->zone, spare);
	if (reason == SIP_R_HOST_QUOTA && out &&
	    sip_strict_quota_is_used_up(sn, inside, w->zone, spare) &&
	    sip_strict_call_evict_inbound(sn, inside, w->zone, &w->reap))
		reason = sip_strict_quota_check(sn, inside, outside, w->zone, spare);
	if (reason == SIP_R_TABLE_FULL && sip_strict_call_evict(sn, &w->reap))
		reason = sip_strict_quota_check(sn, inside, outside, w->zone, spare);
	return reason;
}

static enum sip_reason sip_strict_call_make(struct sip_strict_work *w, bool out,
					    const struct sip_strict_call_key *key,
					    struct sip_strict_call **made)
{
	const struct sip_end *own = out ? &w->ctx.snd : &w->ctx.rcv;
	const struct sip_end *other = out ? &w->ctx.rcv : &w->ctx.snd;
	u32 id_len = min_t(u32, w->msg.call_id.len, SIP_STRICT_CALLID_SHOWN);
	struct sip_strict_net *sn = w->sn;
	/* Whoever calls in from outside needs no help from here. */
	bool emergency = out && sip_msg_is_emergency(&w->msg);
	struct sip_strict_call *call;
	enum sip_reason reason;

	reason = sip_strict_call_room(w, own, other, out, emergency ? SIP_STRICT_SOS_SPARE : 0);
	if (reason)
		return reason;
	call = kzalloc(struct_size(call, id, id_len), GFP_ATOMIC);
	if (!call)
		return SIP_R_NO_MEMORY;
	call->leg = call->own_leg;
	call->peer = call->own_peer;
	call->key = *key;
	call->inside = own->real;
	call->outside = other->real;
	call->far = other->real.ip;
	call->outbound = out;
	call->emergency = emergency;
	call->begun = jiffies;
	call->active = jiffies;
	call->expires = jiffies + sip_strict_ticks(READ_ONCE(sn->conf.ring_timeout));
	INIT_LIST_HEAD(&call->uses);
	INIT_LIST_HEAD(&call->mems);
	INIT_LIST_HEAD(&call->ringing);
	call->id_len = (u8)id_len;
	memcpy(call->id, w->msg.buf + w->msg.call_id.off, id_len);
	if (!sip_strict_quota_take(sn, &call->inside.ip, &call->outside.ip, key->zone))
		goto free;
	if (rhashtable_insert_fast(&sn->calls, &call->node, sip_strict_call_params))
		goto give;
	refcount_inc(&w->flow->ref);
	call->flow = w->flow;
	list_add_tail(&call->list, &sn->call_list);
	sip_strict_known_add(sn, &call->outside.ip);
	/* A call for help is never evicted. */
	if (!emergency)
		list_add_tail(&call->ringing, &sn->ringing);
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

/*
 * Calls that come to nothing cost their caller little: they may come in any number. Not
 * done as one ends: whoever ended it may have another ended one in its hands.
 */
static void sip_strict_ended_trim(struct sip_strict_work *w)
{
	struct sip_strict_net *sn = w->sn;
	u32 max = max_t(u32, READ_ONCE(sn->conf.dialog_max) / SIP_STRICT_ENDED_SHARE,
			SIP_STRICT_ENDED_LEAST);

	while (sn->n_ended > max)
		sip_strict_call_free(sn, list_first_entry(&sn->ended_list, struct sip_strict_call,
							  list), &w->reap);
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

	sip_strict_ended_trim(w);
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

/**
 * sip_strict_call_touch() - a sign of life: the lifetime runs anew
 * @sn: the namespace
 * @call: the call
 * @when: jiffies of the sign
 *
 * RFC 4028 section 10: a session that is not refreshed is over, 32 s later.
 *
 * Context: sn->lock held.
 */
void sip_strict_call_touch(struct sip_strict_net *sn, struct sip_strict_call *call,
			   unsigned long when)
{
	u32 seconds = call->state == SIP_STRICT_CALL_CONFIRMED ?
			      READ_ONCE(sn->conf.dialog_timeout) :
			      READ_ONCE(sn->conf.ring_timeout);

	if (call->state == SIP_STRICT_CALL_ENDED)
		return;
	if (call->state == SIP_STRICT_CALL_CONFIRMED && call->session_expires)
		seconds = min_t(u32, seconds, call->session_expires + 32);
	call->active = when;
	call->expires = when + sip_strict_ticks(seconds);
	if (call->flow)
		sip_strict_flow_keep(call->flow, call->expires);
}
