// SPDX-License-Identifier: GPL-2.0-only
/*
 * work.c - one message: read it, plan it, edit it, learn from it.
 *
 * Called by the hook at 300 with one datagram of a served flow, NAT done, and
 * by tcp.c with one whole message of a stream. The scratch memory (a message
 * index, a plan, a copy of the bytes: too much for the stack or for a
 * GFP_ATOMIC allocation per packet) is one per CPU, under a lock of its own.
 * The order matters:
 *
 *   parse -> [sn->lock] calls -> plan -> edit -> learn [unlock] -> reap
 *
 * Nothing is learnt from a message that was not edited as planned, so that the
 * answer to a message that passed unedited passes unedited too.
 */
#include <linux/slab.h>

#include "core/facts.h"
#include "sip_strict.h"
#include "trace.h"

static struct sip_strict_work * __percpu *sip_strict_works;

/**
 * sip_strict_work_exit() - free the scratch memory
 *
 * Context: process; no hook can run any more.
 */
void sip_strict_work_exit(void)
{
	int cpu;

	if (!sip_strict_works)
		return;
	for_each_possible_cpu(cpu)
		kvfree(*per_cpu_ptr(sip_strict_works, cpu));
	free_percpu(sip_strict_works);
	sip_strict_works = NULL;
}

/**
 * sip_strict_work_init() - scratch memory for each CPU
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int sip_strict_work_init(void)
{
	int cpu;

	sip_strict_works = alloc_percpu(struct sip_strict_work *);
	if (!sip_strict_works)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct sip_strict_work *w;

		w = kvzalloc_node(sizeof(*w), GFP_KERNEL, cpu_to_node(cpu));
		if (!w) {
			sip_strict_work_exit();
			return -ENOMEM;
		}
		spin_lock_init(&w->lock);
		*per_cpu_ptr(sip_strict_works, cpu) = w;
	}
	return 0;
}

static void sip_strict_work_trace(struct sip_strict_work *w, const char *outcome)
{
	const struct sip_plan *plan = &w->plan;
	const struct net *net = w->sn->net;
	u32 i;

	trace_sip_strict_message(net, &w->msg, w->l4proto, &w->ctx.snd.real, &w->ctx.rcv.real,
				 outcome, plan->n_edits, plan->new_total);
	if (trace_sip_strict_edit_enabled())
		for (i = 0; i < plan->n_edits; i++)
			trace_sip_strict_edit(net, &w->msg, &plan->edit[i], plan->text);
	if (plan->reason)
		trace_sip_strict_skip(net, &w->msg, plan->reason, plan->reason_off);
	if (trace_sip_strict_skip_enabled())
		for (i = 0; i < plan->n_notes; i++)
			trace_sip_strict_skip(net, &w->msg, plan->note[i].reason,
					      plan->note[i].off);
}

static void sip_strict_work_count(struct sip_strict_work *w, bool edited)
{
	const struct sip_plan *plan = &w->plan;
	struct sip_strict_net *sn = w->sn;
	u32 i;

	if (edited)
		SIP_STRICT_INC(sn, messages_edited);
	else
		SIP_STRICT_INC(sn, messages_kept);
	for (i = 0; i < plan->n_edits; i++)
		sip_strict_stat_edit(sn, (enum sip_field)plan->edit[i].field);
	for (i = 0; i < plan->n_notes; i++)
		sip_strict_stat_reason(sn, (enum sip_reason)plan->note[i].reason);
}

/* Refused as a whole: it passes byte-exact, and no state has changed. */
static void sip_strict_work_refuse(struct sip_strict_work *w, enum sip_reason reason, u32 off)
{
	w->plan.n_edits = 0;
	w->plan.reason = reason;
	w->plan.reason_off = off;
	sip_strict_stat_reason(w->sn, reason);
	SIP_STRICT_INC(w->sn, messages_kept);
	sip_strict_work_trace(w, "refused");
}

/* The sent-by of a request that goes out: its answer is told by it. */
static void sip_strict_work_sent_by(struct sip_strict_work *w)
{
	/* Somebody may let it ring for long: known as long as the call is. */
	struct sip_strict_call *call = w->msg.method == SIP_M_INVITE ? w->call_out : NULL;
	u32 i;

	/* Nothing is undone for who is not translated. */
	if (sip_ap_equal(&w->ctx.snd.real, &w->ctx.snd.seen))
		return;
	for (i = 0; i < w->plan.n_addrs; i++) {
		const struct sip_addr_fact *fact = &w->plan.addr[i];
		struct sip_strict_mem mem = {
			.inside = w->ctx.snd.real.ip,
			.kind = SIP_MEM_SENT_BY,
			.field = fact->field,
			.mapped = fact->mapped && w->mode == SIP_STRICT_STRICT,
			.branch = sip_strict_hash(w->msg.buf + w->msg.via.branch.off,
						  w->msg.via.branch.len),
			.owner = call ? SIP_STRICT_OF_CALL : SIP_STRICT_OF_TIME,
			.call = call,
		};

		if (sip_fact_is_via(fact))
			sip_strict_mem_add(w->sn, &mem, mem.mapped ? &fact->seen : &fact->real,
					   w->zone, &fact->written, NULL, 0);
	}
}

static void sip_strict_work_learn(struct sip_strict_work *w)
{
	if (w->msg.request && w->ctx.snd.inside)
		sip_strict_work_sent_by(w);
	sip_strict_call_learn(w);
	sip_strict_reg_learn(w);
	sip_strict_sweep_kick(w->sn);
}

/* The message as planned, for the stream: it does not overwrite the old one. */
static int sip_strict_work_piece(struct sip_strict_work *w)
{
	const struct sip_plan *plan = &w->plan;
	struct sip_piece *piece;

	if (!sip_strict_plan_is_sound(plan, w->msg.total))
		return -EINVAL;
	piece = sip_strict_tcp_alloc((u32)struct_size(piece, data, plan->new_total));
	if (!piece)
		return -ENOMEM;
	piece->out_len = sip_plan_apply(plan, &w->msg, piece->data, plan->new_total);
	w->piece = piece;
	return 0;
}

/* Edit as planned; from then on the message is read from where it is unchanged. */
static bool sip_strict_work_edit(struct sip_strict_work *w)
{
	int err;

	if (w->l4proto == IPPROTO_TCP)
		err = sip_strict_work_piece(w);
	else
		err = sip_strict_skb_edit(w->sn, w->skb, w->protoff, &w->plan, &w->msg, w->copy);
	if (err) {
		SIP_STRICT_INC(w->sn, edit_failed);
		return false;
	}
	if (w->l4proto != IPPROTO_TCP)
		w->msg.buf = w->copy;
	return true;
}

static unsigned int sip_strict_work_bad(struct sip_strict_work *w, enum sip_reason reason, u32 off)
{
	bool drop = READ_ONCE(w->sn->conf.drop_malformed) && w->mode == SIP_STRICT_STRICT &&
		    w->l4proto != IPPROTO_TCP;

	SIP_STRICT_INC(w->sn, malformed);
	sip_strict_stat_reason(w->sn, reason);
	trace_sip_strict_skip(w->sn->net, &w->msg, reason, off);
	if (!drop)
		return NF_ACCEPT;
	SIP_STRICT_INC(w->sn, dropped);
	net_info_ratelimited("nf_conntrack_sip_strict: malformed message dropped: %s at %u\n",
			     sip_reason_text(reason), off);
	return NF_DROP;
}

static unsigned int sip_strict_work_message(struct sip_strict_work *w)
{
	bool edit = w->mode == SIP_STRICT_STRICT;
	enum sip_reason reason;

	reason = sip_strict_reg_prepare(w);
	if (!reason)
		reason = sip_strict_call_prepare(w);
	if (reason) {
		sip_strict_call_abort(w);
		sip_strict_work_refuse(w, reason, 0);
		return NF_ACCEPT;
	}
	reason = sip_plan_make(&w->plan, &w->msg, &w->ctx);
	if (reason) {
		sip_strict_call_abort(w);
		if (sip_reason_is_malformed(reason))
			return sip_strict_work_bad(w, reason, w->plan.reason_off);
		sip_strict_work_refuse(w, reason, w->plan.reason_off);
		return NF_ACCEPT;
	}
	edit = edit && w->plan.n_edits;
	if (edit && !sip_strict_work_edit(w)) {
		sip_strict_call_abort(w);
		w->plan.n_edits = 0;
		SIP_STRICT_INC(w->sn, messages_kept);
		sip_strict_work_trace(w, "failed");
		return NF_ACCEPT;
	}
	if (w->plan.n_edits && !edit)
		SIP_STRICT_INC(w->sn, observed);
	sip_strict_work_count(w, edit);
	sip_strict_work_trace(w, edit ? "edited" : w->plan.n_edits ? "observed" : "kept");
	sip_strict_work_learn(w);
	return NF_ACCEPT;
}

static unsigned int sip_strict_work_locked(struct sip_strict_work *w)
{
	struct sip_strict_net *sn = w->sn;
	unsigned int verdict = NF_ACCEPT;

	sip_strict_ends_get(w);
	w->iif = w->ctx.snd.inside ? w->from_dev : w->to_dev;
	w->oif = w->ctx.snd.inside ? w->to_dev : w->from_dev;
	w->ctx.ops = &sip_strict_map_ops;
	w->ctx.priv = w;
	w->ruri_asked = false;
	w->call_out = NULL; /* those of the message before may be gone */
	w->call_in = NULL;

	spin_lock(&sn->lock);
	w->flow = sn->leaving ? NULL : sip_strict_flow_get(sn, w->ct, w->oif);
	if (w->flow) {
		verdict = sip_strict_work_message(w);
		sip_strict_flow_put(sn, w->flow);
	} else {
		memset(&w->plan, 0, offsetof(struct sip_plan, edit));
		sip_strict_work_refuse(w, SIP_R_NO_MEMORY, 0);
	}
	spin_unlock(&sn->lock);
	return verdict;
}

static unsigned int sip_strict_work_read(struct sip_strict_work *w, const u8 *data, u32 len)
{
	switch (sip_msg_parse(&w->msg, data, len, false)) {
	case SIP_PARSE_OK:
		SIP_STRICT_INC(w->sn, messages);
		return sip_strict_work_locked(w);
	case SIP_PARSE_KEEPALIVE:
		SIP_STRICT_INC(w->sn, keepalives);
		return NF_ACCEPT;
	case SIP_PARSE_BAD:
		return sip_strict_work_bad(w, w->msg.reason, w->msg.reason_off);
	default:
		SIP_STRICT_INC(w->sn, not_sip);
		return NF_ACCEPT;
	}
}

/**
 * sip_strict_work_begin() - take this CPU's scratch memory, for one flow
 * @sn: the namespace
 * @ct: the flow
 * @dir: direction of what is read
 *
 * Context: netfilter hook or softirq, RCU read lock held, BH on or off.
 * Return: the scratch memory, locked, BH off.
 */
struct sip_strict_work *sip_strict_work_begin(struct sip_strict_net *sn, struct nf_conn *ct,
					      enum ip_conntrack_dir dir)
{
	struct sip_strict_work *w = *raw_cpu_ptr(sip_strict_works);

	spin_lock_bh(&w->lock);
	w->sn = sn;
	w->ct = ct;
	w->dir = dir;
	w->l4proto = nf_ct_protonum(ct);
	memset(&w->reap, 0, sizeof(w->reap));
	__release(&w->lock); /* sparse: by sip_strict_work_end() */
	return w;
}

/**
 * sip_strict_work_end() - give it back, and end what the messages have ended
 * @w: from sip_strict_work_begin()
 */
void sip_strict_work_end(struct sip_strict_work *w)
{
	struct sip_strict_net *sn = w->sn;
	struct sip_strict_reap reap = w->reap;

	__acquire(&w->lock); /* sparse: by sip_strict_work_begin() */
	spin_unlock_bh(&w->lock);
	sip_strict_reap_run(sn, &reap);
}

/**
 * sip_strict_work_stream() - one whole message of a stream, read into w->msg
 * @w: from sip_strict_work_begin(); from_dev and to_dev set
 * @mode: SIP_STRICT_STRICT or SIP_STRICT_OBSERVE
 * @bad: it is malformed, msg->reason says how
 *
 * Context: BH off; takes sn->lock.
 * Return: what goes on in its place, from sip_strict_tcp_alloc(), out_len and data set; NULL:
 * it goes on as it is.
 */
struct sip_piece *sip_strict_work_stream(struct sip_strict_work *w, enum sip_strict_mode mode,
					 bool bad)
{
	w->mode = mode;
	w->piece = NULL;
	if (bad) {
		sip_strict_work_bad(w, w->msg.reason, w->msg.reason_off);
		return NULL;
	}
	SIP_STRICT_INC(w->sn, messages);
	sip_strict_work_locked(w);
	return w->piece;
}

/**
 * sip_strict_work_datagram() - one UDP datagram of a served flow
 * @sn: the namespace
 * @skb: the packet, NAT done; may be rewritten
 * @protoff: offset of the UDP header
 * @ct: its connection
 * @ctinfo: its direction
 * @state: of the hook
 * @mode: SIP_STRICT_STRICT or SIP_STRICT_OBSERVE
 *
 * Context: netfilter hook, RCU read lock held, BH on or off; takes the CPU's
 * work lock and sn->lock.
 * Return: NF_ACCEPT, or NF_DROP for what drop_malformed says.
 */
unsigned int sip_strict_work_datagram(struct sip_strict_net *sn, struct sk_buff *skb,
				      unsigned int protoff, struct nf_conn *ct,
				      enum ip_conntrack_info ctinfo,
				      const struct nf_hook_state *state,
				      enum sip_strict_mode mode)
{
	struct sip_strict_work *w;
	unsigned int verdict;
	const u8 *data;
	u32 len;

	if (sip_strict_skb_pull(skb, protoff, &data, &len)) {
		sip_strict_stat_reason(sn, SIP_R_NO_MEMORY);
		return NF_ACCEPT;
	}
	if (!len)
		return NF_ACCEPT;

	w = sip_strict_work_begin(sn, ct, CTINFO2DIR(ctinfo));
	w->mode = mode;
	w->skb = skb;
	w->protoff = protoff;
	w->from_dev = sip_strict_iif(skb, state->pf);
	w->to_dev = state->out ? state->out->ifindex : 0;
	verdict = sip_strict_work_read(w, data, len);
	sip_strict_work_end(w);
	return verdict;
}
