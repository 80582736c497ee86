// SPDX-License-Identifier: GPL-2.0-only
/*
 * registration.c - registered contacts and subscriptions.
 *
 * A registration is one Contact of an inside host at one registrar (RFC 3261
 * section 10), or the Path entry of an inside proxy, a subscription one of a
 * SUBSCRIBE (RFC 6665), or the Record-Route entry of such a proxy. Both keep a
 * mapping of their address open, so that requests arrive although the flow's own
 * conntrack entry is long gone, and keep that entry alive while it exists.
 *
 *   REGISTER out        each Contact of ours becomes a pending registration,
 *                       with the memory that unmaps the registrar's echo
 *   401, 407, 423       nothing; an older binding stays until its own expiry
 *   200                 lives: for our value's expires, else Expires, else what
 *                       was asked, plus 2 s
 *   200 to expires=0    ends; not at the request
 *
 * What an inside notifier or registrar names in its own 2xx, requests come to as well: its
 * Contact and Record-Route, or its Service-Route, have a record until what was granted ends.
 *
 * A subscription opens with its SUBSCRIBE (32 s), since a NOTIFY may overtake
 * the 200; the newest of Expires and Subscription-State decides. One that is over
 * is remembered for 32 s, as calls are: it opens nothing and counts against no
 * limit, but the last NOTIFY, and its repeats, still get their Request-URI undone.
 *
 * Everything runs under sn->lock. Bounds: dialog_max, host_max, expires_max, and of
 * subscriptions that are over SIP_STRICT_ENDED_SHARE of dialog_max.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "core/facts.h"
#include "sip_strict.h"
#include "trace.h"

#define SIP_STRICT_REG_GRACE (2 * HZ)
#define SIP_STRICT_REGS_ENDED_LEAST 256u
#define SIP_STRICT_ASKED_DEFAULT 3600 /* RFC 3261 section 10.2.1.1 */

static const struct rhashtable_params sip_strict_reg_params = {
	.head_offset = offsetof(struct sip_strict_reg, node),
	.key_offset = offsetof(struct sip_strict_reg, contact),
	.key_len = sizeof_field(struct sip_strict_reg, contact),
	.automatic_shrinking = true,
};

/**
 * sip_strict_reg_net_init() - make the table of a namespace
 * @sn: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int sip_strict_reg_net_init(struct sip_strict_net *sn)
{
	INIT_LIST_HEAD(&sn->reg_list);
	INIT_LIST_HEAD(&sn->regs_ended);
	return rhltable_init(&sn->regs, &sip_strict_reg_params);
}

static void sip_strict_reg_trace(struct sip_strict_net *sn, const struct sip_strict_reg *reg,
				 const char *event)
{
	struct sip_ap inside, outside = { .ip = reg->peer };

	if (!trace_sip_strict_dialog_enabled())
		return;
	sip_strict_ap_from_end(&inside, &reg->contact);
	trace_sip_strict_dialog(sn->net, reg->subscription ? "subscription" : "registration",
				event, NULL, 0, &inside, &outside);
}

static void sip_strict_reg_inside(const struct sip_strict_reg *reg, struct sip_ip *ip)
{
	struct sip_ap ap;

	sip_strict_ap_from_end(&ap, &reg->contact);
	*ip = ap.ip;
}

static struct hlist_head *sip_strict_asked_head(struct sip_strict_net *sn, u64 call_id)
{
	return &sn->asked[call_id & (SIP_STRICT_ASKED_HEADS - 1)];
}

/* By the Call-ID of a request, under which its answer will look for it. */
static void sip_strict_reg_file(struct sip_strict_net *sn, struct sip_strict_reg *reg, u64 call_id)
{
	if (!hlist_unhashed(&reg->node_asked) && reg->call_id == call_id)
		return;
	hlist_del_init(&reg->node_asked);
	reg->call_id = call_id;
	hlist_add_head(&reg->node_asked, sip_strict_asked_head(sn, call_id));
}

/* From here on it opens nothing and counts against no limit. */
static void sip_strict_reg_close(struct sip_strict_net *sn, struct sip_strict_reg *reg,
				 struct sip_strict_reap *reap)
{
	struct sip_strict_use *use, *next;
	struct sip_ip inside;

	sip_strict_reg_trace(sn, reg, "ended");
	list_for_each_entry_safe(use, next, &reg->uses, owner_node)
		sip_strict_use_put(sn, use, reap);
	sn->n_regs--;
	sip_strict_reg_inside(reg, &inside);
	sip_strict_quota_give(sn, &inside, &reg->peer, reg->contact.zone);
	SIP_STRICT_INC(sn, registrations_ended);
}

static void sip_strict_reg_free(struct sip_strict_net *sn, struct sip_strict_reg *reg,
				struct sip_strict_reap *reap)
{
	if (reg->state != SIP_STRICT_REG_ENDED)
		sip_strict_reg_close(sn, reg, reap);
	else
		sn->n_regs_ended--;
	sip_strict_mem_flush(sn, &reg->mems);
	rhltable_remove(&sn->regs, &reg->node, sip_strict_reg_params);
	hlist_del_init(&reg->node_asked);
	list_del(&reg->list);
	sip_strict_flow_put(sn, reg->flow);
	kfree_rcu(reg, rcu);
}

/* It is over: a registration is gone, a subscription's last messages are on their way. */
static void sip_strict_reg_end(struct sip_strict_net *sn, struct sip_strict_reg *reg,
			       struct sip_strict_reap *reap)
{
	if (!reg->subscription) {
		sip_strict_reg_free(sn, reg, reap);
		return;
	}
	if (reg->state == SIP_STRICT_REG_ENDED)
		return;
	sip_strict_reg_close(sn, reg, reap);
	reg->state = SIP_STRICT_REG_ENDED;
	reg->pending = false;
	reg->expires = jiffies + SIP_STRICT_LINGER;
	list_move_tail(&reg->list, &sn->regs_ended);
	sn->n_regs_ended++;
}

/*
 * Those that are over cost their host little: they may come in any number. Not done as one
 * ends: whoever ended it may have another one in its hands.
 */
static void sip_strict_reg_trim(struct sip_strict_net *sn, struct sip_strict_reap *reap)
{
	u32 max = max_t(u32, READ_ONCE(sn->conf.dialog_max) / SIP_STRICT_ENDED_SHARE,
			SIP_STRICT_REGS_ENDED_LEAST);

	while (sn->n_regs_ended > max)
		sip_strict_reg_free(sn, list_first_entry(&sn->regs_ended, struct sip_strict_reg,
							 list), reap);
}

/**
 * sip_strict_reg_net_exit() - drop all registrations
 * @sn: the namespace
 *
 * Context: process; no packet can reach the table any more.
 */
void sip_strict_reg_net_exit(struct sip_strict_net *sn)
{
	struct sip_strict_reg *reg, *next;
	struct sip_strict_reap reap = {};

	rcu_read_lock();
	spin_lock_bh(&sn->lock);
	list_splice_tail_init(&sn->regs_ended, &sn->reg_list);
	list_for_each_entry_safe(reg, next, &sn->reg_list, list)
		sip_strict_reg_free(sn, reg, &reap);
	spin_unlock_bh(&sn->lock);
	rcu_read_unlock();
	sip_strict_reap_run(sn, &reap);
	rhltable_destroy(&sn->regs);
}

/* Identity of what the request is about, besides the contact. */
static u64 sip_strict_reg_aor(const struct sip_strict_work *w, bool subscription)
{
	struct sip_span span = subscription ? w->msg.call_id : sip_msg_aor(&w->msg);

	return sip_strict_hash(w->msg.buf + span.off, span.len);
}

static u64 sip_strict_reg_call_id(const struct sip_strict_work *w)
{
	return sip_strict_hash(w->msg.buf + w->msg.call_id.off, w->msg.call_id.len);
}

static struct sip_strict_reg *sip_strict_reg_find(struct sip_strict_work *w,
						  const struct sip_strict_end *contact,
						  const struct sip_ap *out, u64 aor,
						  bool subscription)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_reg *reg;

	list = rhltable_lookup(&w->sn->regs, contact, sip_strict_reg_params);
	rhl_for_each_entry_rcu(reg, pos, list, node) {
		if (reg->state != SIP_STRICT_REG_ENDED && reg->aor == aor &&
		    reg->subscription == subscription && sip_ap_equal(&reg->out, out) &&
		    sip_ip_equal(&reg->peer, &w->ctx.rcv.real.ip))
			return reg;
	}
	return NULL;
}

static struct sip_strict_reg *sip_strict_reg_make(struct sip_strict_work *w,
						  const struct sip_strict_end *contact,
						  const struct sip_ap *out, u64 aor,
						  bool subscription)
{
	struct sip_strict_net *sn = w->sn;
	struct sip_strict_reg *reg;

	if (sip_strict_quota_check(sn, &w->ctx.snd.real.ip, &w->ctx.rcv.real.ip, w->zone, 0))
		return NULL;
	reg = kzalloc(sizeof(*reg), GFP_ATOMIC);
	if (!reg)
		return NULL;
	reg->contact = *contact;
	reg->out = *out;
	reg->peer = w->ctx.rcv.real.ip;
	reg->aor = aor;
	reg->subscription = subscription;
	INIT_LIST_HEAD(&reg->uses);
	INIT_LIST_HEAD(&reg->mems);
	if (!sip_strict_quota_take(sn, &w->ctx.snd.real.ip, &reg->peer, w->zone))
		goto free;
	if (rhltable_insert(&sn->regs, &reg->node, sip_strict_reg_params))
		goto give;
	refcount_inc(&w->flow->ref);
	reg->flow = w->flow;
	list_add_tail(&reg->list, &sn->reg_list);
	sip_strict_known_add(sn, &reg->peer);
	sn->n_regs++;
	SIP_STRICT_INC(sn, registrations);
	return reg;

give:
	sip_strict_quota_give(sn, &w->ctx.snd.real.ip, &reg->peer, w->zone);
free:
	kfree(reg);
	return NULL;
}

/* The newest flow of a binding is the one that counts. */
static void sip_strict_reg_move(struct sip_strict_work *w, struct sip_strict_reg *reg)
{
	if (reg->flow == w->flow)
		return;
	sip_strict_flow_put(w->sn, reg->flow);
	refcount_inc(&w->flow->ref);
	reg->flow = w->flow;
}

static void sip_strict_reg_remember(struct sip_strict_work *w, struct sip_strict_reg *reg,
				    const struct sip_addr_fact *fact)
{
	struct sip_strict_mem mem = {
		.inside = w->ctx.snd.real.ip,
		.kind = reg->subscription ? SIP_MEM_SUBSCRIPTION : SIP_MEM_REGISTRATION,
		.field = fact->field,
		.mapped = fact->mapped && w->mode == SIP_STRICT_STRICT,
		.owner = SIP_STRICT_OF_REG,
		.reg = reg,
	};

	sip_strict_mem_add(w->sn, &mem, mem.mapped ? &fact->seen : &fact->real, w->zone,
			   &fact->written, w->msg.buf + fact->user.off, fact->user.len);
}

/* Open the contact's mapping, or say why the binding has none. */
static void sip_strict_reg_open(struct sip_strict_work *w, struct sip_strict_reg *reg,
				const struct sip_addr_fact *fact)
{
	struct sip_strict_map *map;
	struct sip_strict_use *use;

	if (!list_empty(&reg->uses) || w->mode != SIP_STRICT_STRICT)
		return;
	map = sip_strict_contact_of(w, fact);
	if (!map)
		return;
	use = sip_strict_use_add(map, NULL, reg, &reg->uses);
	if (!use)
		sip_strict_map_unused(w->sn, map, &w->reap);
}

static void sip_strict_reg_set_open(struct sip_strict_net *sn, struct sip_strict_reg *reg,
				    bool open, struct sip_strict_reap *reap)
{
	struct sip_strict_use *use;

	list_for_each_entry(use, &reg->uses, owner_node) {
		use->sets = open;
		sip_strict_map_update(sn, use->map, reap);
	}
}

static void sip_strict_reg_live(struct sip_strict_net *sn, struct sip_strict_reg *reg, u32 seconds,
				struct sip_strict_reap *reap)
{
	bool was = reg->state == SIP_STRICT_REG_LIVE;

	seconds = min_t(u32, seconds, READ_ONCE(sn->conf.expires_max));
	reg->state = SIP_STRICT_REG_LIVE;
	reg->expires = jiffies + sip_strict_ticks(seconds) + SIP_STRICT_REG_GRACE;
	sip_strict_reg_set_open(sn, reg, true, reap);
	sip_strict_flow_keep(reg->flow, reg->expires);
	sip_strict_reg_trace(sn, reg, was ? "refreshed" : "confirmed");
}

static u32 sip_strict_reg_asked(const struct sip_strict_work *w, s64 contact_expires)
{
	s64 asked = contact_expires >= 0 ? contact_expires : w->msg.expires;

	return asked >= 0 ? (u32)min_t(s64, asked, 0xffffffff) : SIP_STRICT_ASKED_DEFAULT;
}

static void sip_strict_reg_ask(struct sip_strict_work *w, struct sip_strict_reg *reg, u32 asked)
{
	u64 branch = sip_strict_hash(w->msg.buf + w->msg.via.branch.off, w->msg.via.branch.len);
	u64 call_id = sip_strict_reg_call_id(w);

	/* One request may remove an old value at a pair and write a new one there. */
	if (reg->pending && reg->call_id == call_id && reg->branch == branch &&
	    reg->cseq == w->msg.cseq)
		asked = max(asked, reg->asked);
	sip_strict_reg_file(w->sn, reg, call_id);
	reg->pending = true;
	reg->pending_until = jiffies + SIP_STRICT_LINGER;
	reg->branch = branch;
	reg->cseq = w->msg.cseq;
	reg->asked = asked;
}

/* Contact: * asks to remove all bindings of the address-of-record. */
static void sip_strict_reg_star(struct sip_strict_work *w)
{
	u64 aor = sip_strict_reg_aor(w, false);
	struct sip_strict_reg *reg;
	struct sip_ip inside;

	list_for_each_entry(reg, &w->sn->reg_list, list) {
		sip_strict_reg_inside(reg, &inside);
		if (reg->aor != aor || reg->subscription ||
		    !sip_ip_equal(&inside, &w->ctx.snd.real.ip) ||
		    !sip_ip_equal(&reg->peer, &w->ctx.rcv.real.ip))
			continue;
		sip_strict_reg_ask(w, reg, 0);
	}
}

/* The record of an address that the sender wrote, made if need be. */
static struct sip_strict_reg *sip_strict_reg_of(struct sip_strict_work *w,
						const struct sip_addr_fact *fact, u64 aor,
						bool subscription)
{
	struct sip_strict_end contact;
	struct sip_strict_reg *reg;
	struct sip_ap real = fact->real;

	if (!fact->mapped)
		real.ip = w->ctx.snd.real.ip; /* already public */
	sip_strict_end_set(&contact, &real, w->l4proto, w->zone);
	reg = sip_strict_reg_find(w, &contact, &fact->seen, aor, subscription);
	if (!reg)
		reg = sip_strict_reg_make(w, &contact, &fact->seen, aor, subscription);
	if (reg)
		sip_strict_reg_move(w, reg);
	return reg;
}

/*
 * A REGISTER or SUBSCRIBE from inside: its Contacts wait for the answer, and the Path or
 * Record-Route of an inside proxy, by which requests to its phones will come.
 */
static void sip_strict_reg_request(struct sip_strict_work *w, bool subscription)
{
	u64 aor = sip_strict_reg_aor(w, subscription);
	bool star = false;
	u32 i;

	for (i = 0; i < w->plan.n_addrs; i++) {
		const struct sip_addr_fact *fact = &w->plan.addr[i];
		struct sip_strict_reg *reg;

		/* A walk over all: one "*" says as much as many. */
		if (fact->star && !subscription && !star) {
			sip_strict_reg_star(w);
			star = true;
		}
		if (!fact->ours || !sip_fact_is_binding(fact, &w->msg))
			continue;
		reg = sip_strict_reg_of(w, fact, aor, subscription);
		if (!reg)
			continue;
		sip_strict_reg_ask(w, reg, sip_strict_reg_asked(w, fact->expires));
		sip_strict_reg_remember(w, reg, fact);
		sip_strict_reg_open(w, reg, fact);
		if (subscription && reg->asked && reg->state != SIP_STRICT_REG_LIVE)
			sip_strict_reg_live(w->sn, reg, 30, &w->reap);
	}
}

static bool sip_strict_reg_has_user(const struct sip_strict_work *w,
				    const struct sip_strict_reg *reg, struct sip_span user)
{
	u32 len = min_t(u32, user.len, SIP_STRICT_USER_KEPT);
	const struct sip_strict_mem *mem;

	list_for_each_entry(mem, &reg->mems, list)
		if (mem->user_len == len &&
		    !memcmp(mem->text + mem->host_len + mem->port_len, w->msg.buf + user.off, len))
			return true;
	return false;
}

/*
 * Our value's expires in the 200, else its Expires, else what was asked. A pair may have
 * several values: another line or reg-id (RFC 5626 section 4.2), or one from before the
 * phone was restarted. The one that lasts longest counts, of a user that it wrote if there
 * is any.
 */
static u32 sip_strict_reg_granted(const struct sip_strict_work *w, const struct sip_strict_reg *reg)
{
	s64 own = -1, any = -1, granted;
	u32 i;

	for (i = 0; i < w->plan.n_contacts_in; i++) {
		const struct sip_contact_in *in = &w->plan.contact_in[i];

		if (!sip_ap_equal(&in->ap, &reg->out))
			continue;
		granted = in->expires >= 0 ? in->expires : w->msg.expires;
		any = max(any, granted);
		if (sip_strict_reg_has_user(w, reg, in->user))
			own = max(own, granted);
	}
	granted = own >= 0 ? own : any >= 0 ? any : w->msg.expires;
	if (granted < 0)
		return reg->asked;
	return (u32)min_t(s64, granted, 0xffffffff);
}

/**
 * sip_strict_reg_has_peer() - is this address the far end of a registration?
 * @reg: a registration, or a subscription: who was asked, and its dialog's remote target
 *	and route set
 * @ip: the address
 *
 * Context: sn->lock held.
 * Return: true if it is.
 */
bool sip_strict_reg_has_peer(const struct sip_strict_reg *reg, const struct sip_ip *ip)
{
	u32 i;

	for (i = 0; i < SIP_STRICT_SUB_PEERS; i++)
		if (reg->named[i].family && sip_ip_equal(&reg->named[i], ip))
			return true;
	return sip_ip_equal(&reg->peer, ip);
}

/* Who may send in its dialog, by the answer or a NOTIFY (RFC 6665 section 4.1.3). */
static void sip_strict_reg_name(const struct sip_strict_work *w, struct sip_strict_reg *reg)
{
	u32 i;

	if (!reg->subscription)
		return;
	for (i = 0; i < w->plan.n_peers; i++) {
		const struct sip_ip *ip = &w->plan.peer_ap[i].ip;

		if (sip_strict_reg_has_peer(reg, ip))
			continue;
		reg->named[reg->n_named++ % SIP_STRICT_SUB_PEERS] = *ip;
		sip_strict_known_add(w->sn, ip);
	}
}

static void sip_strict_reg_answer(struct sip_strict_work *w, struct sip_strict_reg *reg)
{
	u16 status = w->msg.status;
	u32 granted;

	if (status < 200)
		return;
	reg->pending = false;
	if (reg->subscription && status == 481) {
		sip_strict_reg_free(w->sn, reg, &w->reap);
		return;
	}
	if (status >= 300) {
		if (reg->state == SIP_STRICT_REG_PENDING)
			reg->pending_until = jiffies + SIP_STRICT_LINGER;
		return;
	}
	sip_strict_reg_name(w, reg);
	granted = sip_strict_reg_granted(w, reg);
	if (!reg->asked || !granted)
		sip_strict_reg_end(w->sn, reg, &w->reap);
	else
		sip_strict_reg_live(w->sn, reg, granted, &w->reap);
}

/* What an answer says of the request that it is to. */
struct sip_strict_reg_txn {
	u64 call_id;
	u64 branch;
	u32 cseq;
	bool subscription;
};

static void sip_strict_reg_txn_get(const struct sip_strict_work *w, struct sip_strict_reg_txn *txn)
{
	txn->call_id = sip_strict_reg_call_id(w);
	txn->branch = sip_strict_hash(w->msg.buf + w->msg.via.branch.off, w->msg.via.branch.len);
	txn->cseq = w->msg.cseq;
	txn->subscription = w->msg.method == SIP_M_SUBSCRIBE;
}

static bool sip_strict_reg_waits(const struct sip_strict_work *w, const struct sip_strict_reg *reg,
				 const struct sip_strict_reg_txn *txn)
{
	struct sip_ip inside;

	sip_strict_reg_inside(reg, &inside);
	return reg->pending && reg->subscription == txn->subscription &&
	       reg->call_id == txn->call_id && reg->cseq == txn->cseq &&
	       reg->branch == txn->branch && sip_ip_equal(&inside, &w->ctx.rcv.real.ip);
}

static void sip_strict_reg_response(struct sip_strict_work *w)
{
	struct sip_strict_reg_txn txn;
	struct sip_strict_reg *reg;
	struct hlist_node *next;

	sip_strict_reg_txn_get(w, &txn);
	hlist_for_each_entry_safe(reg, next, sip_strict_asked_head(w->sn, txn.call_id),
				  node_asked) {
		if (!sip_strict_reg_waits(w, reg, &txn))
			continue;
		sip_strict_beyond_learn(w, &reg->beyond);
		sip_strict_reg_answer(w, reg);
	}
}

/* What the sender granted, or was granted, under this Call-ID is over. */
static void sip_strict_reg_revoke(struct sip_strict_work *w, bool subscription)
{
	u64 call_id = sip_strict_reg_call_id(w);
	struct sip_strict_reg *reg;
	struct hlist_node *next;
	struct sip_ip inside;

	hlist_for_each_entry_safe(reg, next, sip_strict_asked_head(w->sn, call_id), node_asked) {
		sip_strict_reg_inside(reg, &inside);
		if (reg->call_id == call_id && reg->subscription == subscription &&
		    reg->contact.zone == w->zone && sip_ip_equal(&inside, &w->ctx.snd.real.ip))
			sip_strict_reg_end(w->sn, reg, &w->reap);
	}
}

/*
 * A 2xx from an inside notifier or registrar: SUBSCRIBE inside the dialog goes to its
 * Contact (RFC 6665 section 4.1.2.2), other requests by its Service-Route (RFC 3608).
 */
static void sip_strict_reg_grant(struct sip_strict_work *w, bool subscription)
{
	s64 granted = w->msg.expires >= 0 ? w->msg.expires : SIP_STRICT_ASKED_DEFAULT;
	u64 aor = sip_strict_reg_aor(w, subscription);
	u32 i;

	/* Nothing is undone for who is not translated. */
	if (w->msg.status / 100 != 2 || sip_ap_equal(&w->ctx.snd.real, &w->ctx.snd.seen))
		return;
	if (!subscription)
		granted = sip_msg_bound(&w->msg, SIP_STRICT_ASKED_DEFAULT);
	if (!granted) {
		sip_strict_reg_revoke(w, subscription);
		return;
	}
	for (i = 0; i < w->plan.n_addrs; i++) {
		const struct sip_addr_fact *fact = &w->plan.addr[i];
		struct sip_strict_reg *reg;

		if (!fact->ours || !sip_fact_is_binding(fact, &w->msg))
			continue;
		reg = sip_strict_reg_of(w, fact, aor, subscription);
		if (!reg)
			continue;
		sip_strict_reg_file(w->sn, reg, sip_strict_reg_call_id(w));
		sip_strict_reg_remember(w, reg, fact);
		sip_strict_reg_open(w, reg, fact);
		sip_strict_reg_live(w->sn, reg, (u32)min_t(s64, granted, 0xffffffff), &w->reap);
	}
}

/**
 * sip_strict_reg_is_asked() - does a registration or subscription wait for this answer?
 * @w: the message in work, an answer to the inside
 *
 * Context: sn->lock and RCU read lock held.
 * Return: true if one does.
 */
bool sip_strict_reg_is_asked(const struct sip_strict_work *w)
{
	struct sip_strict_reg_txn txn;
	struct sip_strict_reg *reg;

	sip_strict_reg_txn_get(w, &txn);
	hlist_for_each_entry(reg, sip_strict_asked_head(w->sn, txn.call_id), node_asked)
		if (sip_strict_reg_waits(w, reg, &txn))
			return true;
	return false;
}

/*
 * NOTIFY to the inside: Subscription-State rules the lifetime. It has the Call-ID of the
 * SUBSCRIBE (RFC 6665 section 4.1.3).
 */
static void sip_strict_reg_notify(struct sip_strict_work *w)
{
	u64 aor = sip_strict_reg_aor(w, true);
	struct sip_strict_reg *reg;
	struct sip_sub_state state;
	struct hlist_node *next;
	struct sip_ip inside;

	sip_msg_sub_state(&w->msg, &state);
	if (!state.present)
		return;
	hlist_for_each_entry_safe(reg, next, sip_strict_asked_head(w->sn, aor), node_asked) {
		sip_strict_reg_inside(reg, &inside);
		if (!reg->subscription || reg->aor != aor ||
		    reg->state == SIP_STRICT_REG_ENDED ||
		    !sip_ip_equal(&inside, &w->ctx.rcv.real.ip) ||
		    !(sip_strict_reg_has_peer(reg, &w->ctx.snd.real.ip) ||
		      sip_strict_reg_has_peer(reg, &w->ctx.snd.seen.ip)))
			continue;
		sip_strict_reg_name(w, reg);
		if (state.terminated)
			sip_strict_reg_end(w->sn, reg, &w->reap);
		else if (state.expires >= 0)
			sip_strict_reg_live(w->sn, reg,
					    (u32)min_t(s64, state.expires, 0xffffffff), &w->reap);
	}
}

/* NOTIFY of an inside notifier: its last one ends what it granted. */
static void sip_strict_reg_notify_out(struct sip_strict_work *w)
{
	struct sip_sub_state state;

	sip_msg_sub_state(&w->msg, &state);
	if (state.terminated)
		sip_strict_reg_revoke(w, true);
}

/* Is there a binding of this inside pair? */
static bool sip_strict_reg_has_pair(const struct sip_strict_work *w, const struct sip_ap *ap)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_end contact;
	struct sip_strict_reg *reg;

	sip_strict_end_set(&contact, ap, w->l4proto, w->zone);
	list = rhltable_lookup(&w->sn->regs, &contact, sip_strict_reg_params);
	rhl_for_each_entry_rcu(reg, pos, list, node)
		if (reg->state != SIP_STRICT_REG_ENDED)
			return true;
	return false;
}

/* Of this Call-ID? All refreshes of a binding have the same (RFC 3261 section 10.2.4). */
static bool sip_strict_reg_has_call_id(const struct sip_strict_work *w)
{
	u64 call_id = sip_strict_reg_call_id(w);
	bool subscription = w->msg.method == SIP_M_SUBSCRIBE;
	struct sip_strict_reg *reg;
	struct sip_ip inside;

	hlist_for_each_entry(reg, sip_strict_asked_head(w->sn, call_id), node_asked) {
		sip_strict_reg_inside(reg, &inside);
		if (reg->call_id == call_id && reg->state != SIP_STRICT_REG_ENDED &&
		    reg->subscription == subscription &&
		    reg->contact.zone == w->zone && sip_ip_equal(&inside, &w->ctx.snd.real.ip))
			return true;
	}
	return false;
}

/* Of one of its Contacts? A phone that was restarted has another Call-ID. */
static bool sip_strict_reg_has_contact(const struct sip_strict_work *w)
{
	const struct sip_end *snd = &w->ctx.snd;
	struct sip_ap ap = { .ip = snd->real.ip };
	u32 n = 0;

	while (sip_msg_contact_of(&w->msg, snd, n++, &ap.port))
		if (sip_strict_reg_has_pair(w, &ap))
			return true;
	return false;
}

/**
 * sip_strict_reg_prepare() - is there room for what a REGISTER or SUBSCRIBE asks?
 * @w: the message in work, its ends known
 *
 * A binding that is there already may always be refreshed or removed.
 *
 * Context: sn->lock and RCU read lock held.
 * Return: SIP_R_OK, or why the message passes unedited.
 */
enum sip_reason sip_strict_reg_prepare(struct sip_strict_work *w)
{
	if (!w->msg.request || !w->ctx.snd.inside ||
	    (w->msg.method != SIP_M_REGISTER && w->msg.method != SIP_M_SUBSCRIBE))
		return SIP_R_OK;
	if (sip_strict_reg_has_pair(w, &w->ctx.snd.real) || sip_strict_reg_has_call_id(w) ||
	    sip_strict_reg_has_contact(w))
		return SIP_R_OK;
	return sip_strict_call_room(w, &w->ctx.snd, &w->ctx.rcv, true, 0);
}

/**
 * sip_strict_reg_learn() - let registrations and subscriptions learn
 * @w: the message in work, its plan complete
 *
 * Context: sn->lock and RCU read lock held.
 */
void sip_strict_reg_learn(struct sip_strict_work *w)
{
	bool subscription = w->msg.method == SIP_M_SUBSCRIBE;

	sip_strict_reg_trim(w->sn, &w->reap);
	if (w->msg.method == SIP_M_NOTIFY) {
		if (w->msg.request && w->ctx.rcv.inside)
			sip_strict_reg_notify(w);
		if (w->msg.request && w->ctx.snd.inside)
			sip_strict_reg_notify_out(w);
		/* RFC 6665 section 4.2.2: to the notifier it is over then. */
		if (!w->msg.request && w->ctx.snd.inside && w->msg.status == 481)
			sip_strict_reg_revoke(w, true);
		return;
	}
	if (w->msg.method != SIP_M_REGISTER && !subscription)
		return;
	if (w->msg.request && w->ctx.snd.inside)
		sip_strict_reg_request(w, subscription);
	if (!w->msg.request && w->ctx.rcv.inside)
		sip_strict_reg_response(w);
	if (!w->msg.request && w->ctx.snd.inside)
		sip_strict_reg_grant(w, subscription);
}

/**
 * sip_strict_reg_sweep() - once a second: what has expired ends
 * @sn: the namespace
 * @reap: takes connections to be ended
 *
 * Context: sn->lock held.
 */
void sip_strict_reg_sweep(struct sip_strict_net *sn, struct sip_strict_reap *reap)
{
	struct sip_strict_reg *reg, *next;

	list_for_each_entry_safe(reg, next, &sn->regs_ended, list) {
		if (time_before(jiffies, reg->expires))
			break;
		sip_strict_reg_free(sn, reg, reap);
	}
	list_for_each_entry_safe(reg, next, &sn->reg_list, list) {
		if (reg->pending && time_after(jiffies, reg->pending_until))
			reg->pending = false;
		if (reg->state == SIP_STRICT_REG_LIVE) {
			if (time_after(jiffies, reg->expires)) {
				sip_strict_reg_end(sn, reg, reap);
				continue;
			}
			if (!reg->flow->want || time_after(reg->expires, reg->flow->want))
				reg->flow->want = reg->expires;
		} else if (!reg->pending && time_after(jiffies, reg->pending_until)) {
			sip_strict_reg_free(sn, reg, reap);
		}
	}
	sip_strict_reg_trim(sn, reap);
}

/**
 * sip_strict_reg_address_gone() - an outside address is no more
 * @sn: the namespace
 * @end: the address (its port is not looked at)
 * @reap: takes the connections
 *
 * The bindings named it; the phone's next REGISTER makes good ones.
 *
 * Context: sn->lock held.
 */
void sip_strict_reg_address_gone(struct sip_strict_net *sn, const struct sip_strict_end *end,
				 struct sip_strict_reap *reap)
{
	struct sip_strict_reg *reg, *next;

	list_for_each_entry_safe(reg, next, &sn->reg_list, list) {
		struct sip_strict_use *use;
		bool gone = false;

		list_for_each_entry(use, &reg->uses, owner_node)
			gone |= !memcmp(&use->map->out.addr, &end->addr, sizeof(end->addr));
		if (gone)
			sip_strict_reg_free(sn, reg, reap);
	}
}
