// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcp.c - TCP connections of served flows: what core/stream.c decides, done.
 *
 * A connection is known from its SYN on, which says the MSS, the window scales
 * and whether SACK is permitted; one whose SYN was not seen is left alone. Each
 * has an object, found by its conntrack, that owns a reference on it; the sweep
 * drops those of dead conntracks. What is held or kept is bytes, never packets:
 * a segment whose bytes are held is freed (a local sender counts those of its
 * own that are on the way, and would wait for it), and sent later is one that
 * is made. Only the route of the last segment is kept, which may pin a device:
 * it is let go when the device goes, and checked before a timer uses it.
 *
 * Locking. tcp->lock serialises both directions of a connection; under it the
 * CPU's work lock and, inside of that, sn->lock are taken when a message is
 * whole. Segments that are made are queued, and sent after the lock is dropped:
 * okfn may come back here. What a local socket would get in the middle of its
 * own sending waits for the timer, which runs without any lock of a socket.
 *
 * Conntrack looks at sequence numbers before this hook, and sees those of the
 * far side of each direction. It is told the newest offsets in its extension,
 * without IPS_SEQ_ADJUST, so that it does not translate a second time; and to
 * be liberal, for it knows two offsets of each direction only.
 *
 * When the module goes (sip_strict_tcp_net_leave()), what is held goes on, and
 * nothing new is edited. Edited bytes in flight get some time to arrive. Then
 * segments are dropped for a grace period, the last offsets are handed over
 * with IPS_SEQ_ADJUST set, and conntrack translates from there on.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_seqadj.h>
#include <net/netfilter/nf_conntrack_synproxy.h>

#include "tcp.h"
#include "trace.h"

#define SIP_STRICT_TCP_UNCONFIRMED (3 * HZ) /* a SYN that was dropped behind us */
#define SIP_STRICT_TCP_DRAIN 2000 /* ms that edited bytes get to arrive */
#define SIP_STRICT_TCP_SHARE 32 /* one of so many of the machine's pages */
#define SIP_STRICT_TCP_TIMER 2 /* not the direction of a segment, but the timer */

static const struct rhashtable_params sip_strict_tcp_params = {
	.head_offset = offsetof(struct sip_strict_tcp, node),
	.key_offset = offsetof(struct sip_strict_tcp, ct),
	.key_len = sizeof_field(struct sip_strict_tcp, ct),
	.automatic_shrinking = true,
};

/**
 * struct sip_strict_tcp_call - one call of the engine
 * @tcp: the connection
 * @work: scratch memory of the CPU, NULL: no message can become whole
 * @out: what is sent afterwards
 */
struct sip_strict_tcp_call {
	struct sip_strict_tcp *tcp;
	struct sip_strict_work *work;
	struct sip_strict_tcp_out *out;
};

/* ---- what the engine asks for ------------------------------------------- */

/*
 * What waits, and what nobody has acknowledged, is bounded for each connection; all of
 * them together may hold this share of the machine's memory, whatever namespaces they are in.
 */
static atomic_long_t sip_strict_tcp_bytes = ATOMIC_LONG_INIT(0);

/* Memory knows its size; 64 bits, so that what follows is aligned everywhere. */
struct sip_strict_tcp_block {
	u64 size;
	u8 data[];
};

/**
 * sip_strict_tcp_alloc() - memory for bytes of a stream
 * @size: how many
 *
 * The engine gives it back.
 *
 * Context: any.
 * Return: the memory, or NULL: there is none, or all connections hold their share.
 */
void *sip_strict_tcp_alloc(u32 size)
{
	unsigned long used = (unsigned long)atomic_long_read(&sip_strict_tcp_bytes);
	struct sip_strict_tcp_block *block;

	if (used >> PAGE_SHIFT >= totalram_pages() / SIP_STRICT_TCP_SHARE)
		return NULL;
	block = kmalloc(struct_size(block, data, size), GFP_ATOMIC | __GFP_NOWARN);
	if (!block)
		return NULL;
	block->size = size;
	atomic_long_add((long)size, &sip_strict_tcp_bytes);
	return block->data;
}

static void sip_strict_tcp_op_free(void *p)
{
	struct sip_strict_tcp_block *block;

	if (!p)
		return;
	block = container_of(p, struct sip_strict_tcp_block, data[0]);
	atomic_long_sub((long)block->size, &sip_strict_tcp_bytes);
	kfree(block);
}

static struct sip_piece *sip_strict_tcp_op_message(void *priv, u32 dir, struct sip_msg *msg,
						   bool bad)
{
	struct sip_strict_tcp_call *call = priv;
	const struct sip_strict_way *way = &call->tcp->way[dir];
	struct sip_strict_work *w = call->work;

	w->dir = dir;
	w->from_dev = way->real_iif;
	w->to_dev = way->hook == NF_INET_POST_ROUTING ? way->ifindex : 0;
	return sip_strict_work_stream(w, call->tcp->stream.half[dir].mode == SIP_STREAM_EDIT ?
					 SIP_STRICT_STRICT : SIP_STRICT_OBSERVE, bad);
}

static void sip_strict_tcp_op_idle(void *priv, u32 dir)
{
	struct sip_strict_tcp_call *call = priv;

	SIP_STRICT_INC(call->tcp->sn, keepalives);
}

static void sip_strict_tcp_op_emit(void *priv, u32 dir, const struct sip_head *head, u32 len,
				   const struct sip_bytes *plain)
{
	struct sip_strict_tcp_call *call = priv;

	sip_strict_segment_emit(call->tcp, dir, head, len, plain, &call->out->queue[dir]);
}

static void sip_strict_tcp_op_ack(void *priv, u32 dir, const struct sip_head *head)
{
	struct sip_strict_tcp_call *call = priv;

	SIP_STRICT_INC(call->tcp->sn, tcp_acks);
	sip_strict_segment_ack(call->tcp, dir, head, &call->out->queue[!dir]);
}

static void sip_strict_tcp_op_alone(void *priv, u32 dir, enum sip_reason reason, const u8 *buf,
				    u32 len, u32 off)
{
	struct sip_strict_tcp_call *call = priv;
	struct sip_strict_net *sn = call->tcp->sn;
	struct sip_msg *msg = call->work ? &call->work->msg : NULL;

	if (reason == SIP_R_OK)
		return;
	SIP_STRICT_INC(sn, tcp_untouched);
	sip_strict_stat_reason(sn, reason);
	/* The bytes around, where they were just read. */
	if (msg && msg->buf != buf)
		msg = NULL;
	trace_sip_strict_skip(sn->net, msg, reason, off);
}

static void sip_strict_tcp_op_unread(void *priv, u32 dir, enum sip_reason reason)
{
	struct sip_strict_tcp_call *call = priv;
	struct sip_strict_net *sn = call->tcp->sn;

	SIP_STRICT_INC(sn, messages_kept);
	sip_strict_stat_reason(sn, reason);
	trace_sip_strict_skip(sn->net, NULL, reason, 0);
}

static void sip_strict_tcp_op_resend(void *priv, u32 dir)
{
	struct sip_strict_tcp_call *call = priv;

	SIP_STRICT_INC(call->tcp->sn, tcp_resends);
}

static const struct sip_stream_ops sip_strict_tcp_ops = {
	.alloc = sip_strict_tcp_alloc,
	.free = sip_strict_tcp_op_free,
	.message = sip_strict_tcp_op_message,
	.idle = sip_strict_tcp_op_idle,
	.emit = sip_strict_tcp_op_emit,
	.ack = sip_strict_tcp_op_ack,
	.alone = sip_strict_tcp_op_alone,
	.unread = sip_strict_tcp_op_unread,
	.resend = sip_strict_tcp_op_resend,
};

static void sip_strict_tcp_env(struct sip_stream_env *env, struct sip_strict_tcp_call *call,
			       enum sip_strict_mode mode)
{
	const struct sip_strict_conf *conf = &call->tcp->sn->conf;

	*env = (struct sip_stream_env){
		.ops = &sip_strict_tcp_ops,
		.priv = call,
		.msg = call->work ? &call->work->msg : NULL,
		.now = (u32)jiffies,
		.hz = HZ,
		.hold_max = READ_ONCE(conf->tcp_hold_max),
		.hold_time = READ_ONCE(conf->tcp_hold_time) * HZ,
		.mode = mode == SIP_STRICT_STRICT ? SIP_STREAM_EDIT :
			mode == SIP_STRICT_OBSERVE ? SIP_STREAM_WATCH : SIP_STREAM_BLIND,
	};
}

/* ---- sending ------------------------------------------------------------ */

static void sip_strict_tcp_out_init(struct sip_strict_tcp_out *out)
{
	__skb_queue_head_init(&out->queue[0]);
	__skb_queue_head_init(&out->queue[1]);
}

/*
 * @dir: direction of the segment that is being looked at, whose path may go on
 * from here; SIP_STRICT_TCP_TIMER: none. Its sender, or the receiver of the
 * other direction, may be a socket that is locked on this CPU.
 */
static void sip_strict_tcp_defer(struct sip_strict_tcp *tcp, struct sip_strict_tcp_out *out,
				 u32 dir)
{
	struct sk_buff_head *other;

	if (dir == SIP_STRICT_TCP_TIMER)
		return;
	other = &out->queue[!dir];
	if (tcp->way[!dir].hook != NF_INET_LOCAL_IN || skb_queue_empty(other))
		return;
	skb_queue_splice_tail_init(other, &tcp->later[!dir]);
	if (!tcp->done)
		mod_timer(&tcp->timer, jiffies);
}

/* Context: RCU read lock held, no other lock. */
static void sip_strict_tcp_send(struct net *net, const struct sip_strict_way *way,
				struct sk_buff_head *queue)
{
	int (*okfn)(struct net *net, struct sock *sk, struct sk_buff *skb) = READ_ONCE(way->okfn);
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(queue))) {
		if (okfn)
			okfn(net, NULL, skb);
		else
			kfree_skb(skb);
	}
}

static void sip_strict_tcp_out_send(struct sip_strict_tcp *tcp, struct sip_strict_tcp_out *out)
{
	sip_strict_tcp_send(tcp->sn->net, &tcp->way[0], &out->queue[0]);
	sip_strict_tcp_send(tcp->sn->net, &tcp->way[1], &out->queue[1]);
}

/* ---- conntrack ---------------------------------------------------------- */

static void sip_strict_tcp_offset(struct nf_conn *ct, u32 dir, u32 pos, u32 before, u32 after)
{
	struct nf_conn_seqadj *seqadj = nfct_seqadj(ct);

	if (seqadj) {
		seqadj->seq[dir].correction_pos = pos;
		seqadj->seq[dir].offset_before = (s32)before;
		seqadj->seq[dir].offset_after = (s32)after;
	}
	ct->proto.tcp.seen[0].flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
	ct->proto.tcp.seen[1].flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
}

/* Say what has changed; the lock of the connection is held. */
static void sip_strict_tcp_tell(struct sip_strict_tcp *tcp)
{
	u32 dir;

	for (dir = 0; dir < 2; dir++) {
		const struct sip_half *half = &tcp->stream.half[dir];

		if (tcp->told[dir] == half->map.delta)
			continue;
		spin_lock(&tcp->ct->lock);
		sip_strict_tcp_offset(tcp->ct, dir, half->map.last ? half->map.last->out :
				      half->next + half->map.delta, tcp->told[dir],
				      half->map.delta);
		spin_unlock(&tcp->ct->lock);
		tcp->told[dir] = half->map.delta;
	}
}

/* ---- objects ------------------------------------------------------------ */

static void sip_strict_tcp_timer(struct timer_list *timer);

/**
 * sip_strict_tcp_new() - the object of a connection
 * @sn: the namespace
 * @ct: the connection
 *
 * Return: it; NULL: out of memory, or the module goes away.
 */
static struct sip_strict_tcp *sip_strict_tcp_new(struct sip_strict_net *sn, struct nf_conn *ct)
{
	struct sip_strict_tcp *tcp;
	int err = -ESHUTDOWN;

	tcp = kzalloc(sizeof(*tcp), GFP_ATOMIC);
	if (!tcp)
		return NULL;
	tcp->ct = ct;
	tcp->sn = sn;
	tcp->born = jiffies;
	spin_lock_init(&tcp->lock);
	timer_setup(&tcp->timer, sip_strict_tcp_timer, 0);
	__skb_queue_head_init(&tcp->later[0]);
	__skb_queue_head_init(&tcp->later[1]);
	nf_conntrack_get(&ct->ct_general);

	spin_lock_bh(&sn->tcp_lock);
	if (!READ_ONCE(sn->leaving))
		err = rhashtable_lookup_insert_fast(&sn->tcps, &tcp->node, sip_strict_tcp_params);
	if (!err)
		list_add_tail(&tcp->list, &sn->tcp_list);
	spin_unlock_bh(&sn->tcp_lock);
	if (err) {
		nf_ct_put(ct);
		kfree(tcp);
		return NULL;
	}
	sip_strict_sweep_kick(sn);
	return tcp;
}

/* A route may have changed, or gone, since the last segment. */
static void sip_strict_tcp_ways_check(struct sip_strict_tcp *tcp)
{
	u32 dir;

	for (dir = 0; dir < 2; dir++) {
		struct sip_strict_way *way = &tcp->way[dir];

		if (way->dst && !dst_check(way->dst, way->cookie))
			sip_strict_way_lose_route(way);
	}
}

/*
 * The end of an object that is in no list any more. What is held of a
 * connection that was ended by force (conntrack -F) goes on in order.
 *
 * Context: process.
 */
static void sip_strict_tcp_free(struct sip_strict_tcp *tcp)
{
	struct sip_strict_tcp_call call = { .tcp = tcp };
	struct sip_strict_tcp_out out;
	struct sip_stream_env env;
	u32 dir;

	call.out = &out;
	sip_strict_tcp_out_init(&out);
	rcu_read_lock();
	spin_lock_bh(&tcp->lock);
	sip_strict_tcp_ways_check(tcp);
	sip_strict_tcp_env(&env, &call, SIP_STRICT_OFF);
	if (!tcp->done)
		sip_stream_alone(&tcp->stream, &env, 0, SIP_R_OK);
	tcp->done = true;
	sip_stream_free(&tcp->stream, &env);
	spin_unlock_bh(&tcp->lock);
	local_bh_disable();
	sip_strict_tcp_out_send(tcp, &out);
	local_bh_enable();
	rcu_read_unlock();

	timer_shutdown_sync(&tcp->timer);
	spin_lock_bh(&tcp->lock);
	for (dir = 0; dir < 2; dir++) {
		__skb_queue_purge(&tcp->later[dir]);
		sip_strict_way_forget(&tcp->way[dir]);
	}
	spin_unlock_bh(&tcp->lock);
	sip_strict_flow_ct_put(tcp->ct);
	kfree_rcu(tcp, rcu);
}

static bool sip_strict_tcp_is_over(const struct sip_strict_tcp *tcp)
{
	if (nf_ct_is_dying(tcp->ct))
		return true;
	return !nf_ct_is_confirmed(tcp->ct) &&
	       time_after(jiffies, tcp->born + SIP_STRICT_TCP_UNCONFIRMED);
}

/* Move what is over (or all) out of the tables. */
static void sip_strict_tcp_collect(struct sip_strict_net *sn, struct list_head *list, bool all)
{
	struct sip_strict_tcp *tcp, *next;

	spin_lock_bh(&sn->tcp_lock);
	list_for_each_entry_safe(tcp, next, &sn->tcp_list, list) {
		if (!all && !sip_strict_tcp_is_over(tcp))
			continue;
		rhashtable_remove_fast(&sn->tcps, &tcp->node, sip_strict_tcp_params);
		list_move_tail(&tcp->list, list);
	}
	spin_unlock_bh(&sn->tcp_lock);
}

static void sip_strict_tcp_free_list(struct list_head *list)
{
	struct sip_strict_tcp *tcp, *next;

	list_for_each_entry_safe(tcp, next, list, list) {
		list_del(&tcp->list);
		sip_strict_tcp_free(tcp);
		cond_resched();
	}
}

/**
 * sip_strict_tcp_sweep() - forget connections that are over
 * @sn: the namespace
 *
 * Context: process, no lock held.
 */
void sip_strict_tcp_sweep(struct sip_strict_net *sn)
{
	LIST_HEAD(list);

	sip_strict_tcp_collect(sn, &list, false);
	sip_strict_tcp_free_list(&list);
}

/**
 * sip_strict_tcp_device_gone() - let go of a device
 * @sn: its namespace
 * @dev: a device that is being unregistered
 *
 * The routing code does not find every route that somebody keeps, and what is
 * unregistered waits for the last of them: a connection that is just idle would
 * stop a device, or a whole namespace, for as long as conntrack remembers it.
 *
 * Context: process, RTNL held.
 */
void sip_strict_tcp_device_gone(struct sip_strict_net *sn, const struct net_device *dev)
{
	struct rhashtable_iter iter;
	struct sip_strict_tcp *tcp;
	u32 dir;

	rhashtable_walk_enter(&sn->tcps, &iter);
	rhashtable_walk_start(&iter);
	while ((tcp = rhashtable_walk_next(&iter))) {
		if (IS_ERR(tcp)) /* the table grew: from the beginning */
			continue;
		spin_lock_bh(&tcp->lock);
		for (dir = 0; dir < 2; dir++)
			if (tcp->way[dir].dst && tcp->way[dir].dst->dev == dev)
				sip_strict_way_lose_route(&tcp->way[dir]);
		/* A dead route of IPv6 may hold the loopback device in its place. */
		sip_strict_tcp_ways_check(tcp);
		spin_unlock_bh(&tcp->lock);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

/* ---- time --------------------------------------------------------------- */

static void sip_strict_tcp_arm(struct sip_strict_tcp *tcp, const struct sip_stream_env *env)
{
	u32 at;

	if (!skb_queue_empty(&tcp->later[0]) || !skb_queue_empty(&tcp->later[1]))
		return;
	if (!tcp->done && sip_stream_due(&tcp->stream, env, &at))
		mod_timer(&tcp->timer, jiffies + max_t(s32, (s32)(at - env->now), 1));
}

static void sip_strict_tcp_timer(struct timer_list *timer)
{
	struct sip_strict_tcp *tcp = timer_container_of(tcp, timer, timer);
	struct sip_strict_tcp_call call = { .tcp = tcp };
	struct sip_strict_tcp_out out;
	struct sip_stream_env env;

	call.out = &out;
	sip_strict_tcp_out_init(&out);
	rcu_read_lock();
	spin_lock(&tcp->lock);
	skb_queue_splice_tail_init(&tcp->later[0], &out.queue[0]);
	skb_queue_splice_tail_init(&tcp->later[1], &out.queue[1]);
	if (!tcp->done && !tcp->frozen) {
		sip_strict_tcp_ways_check(tcp);
		sip_strict_tcp_env(&env, &call, SIP_STRICT_OFF);
		sip_stream_timer(&tcp->stream, &env);
		sip_strict_tcp_tell(tcp);
		sip_strict_tcp_arm(tcp, &env);
	}
	spin_unlock(&tcp->lock);
	sip_strict_tcp_out_send(tcp, &out);
	rcu_read_unlock();
}

/* ---- packets ------------------------------------------------------------ */

/* Somebody else translates its numbers already, or answers in its place. */
static bool sip_strict_ct_is_translated(const struct nf_conn *ct)
{
	return test_bit(IPS_SEQ_ADJUST_BIT, &ct->status) || nfct_synproxy(ct);
}

/* Why a connection is left alone from its first packet on. */
static enum sip_reason sip_strict_tcp_refuse(const struct nf_conn *ct,
					     const struct sip_segment *seg)
{
	if (nf_ct_is_confirmed(ct) || !(seg->flags & SIP_TCP_SYN) || (seg->flags & SIP_TCP_ACK))
		return SIP_R_NO_HANDSHAKE;
	return sip_strict_ct_is_translated(ct) ? SIP_R_SYN_OTHER : SIP_R_OK;
}

/* Conntrack takes it for the same one. Nothing of the old one holds any more. */
static void sip_strict_tcp_anew(struct sip_strict_tcp *tcp, const struct sk_buff *skb,
				unsigned int off)
{
	u32 dir;

	spin_lock(&tcp->ct->lock);
	for (dir = 0; dir < 2; dir++)
		sip_strict_tcp_offset(tcp->ct, dir, 0, 0, 0);
	spin_unlock(&tcp->ct->lock);
	memset(tcp->told, 0, sizeof(tcp->told));
	sip_strict_ways_anew(tcp->way, skb, off);
	WRITE_ONCE(tcp->bare, false);
}

static void sip_strict_tcp_syn(struct sip_strict_tcp *tcp, const struct sip_stream_env *env,
			       u32 dir, const struct sk_buff *skb, unsigned int off,
			       const struct sip_segment *seg)
{
	bool first = tcp->stream.state == SIP_STREAM_NEW;
	bool answer = seg->flags & SIP_TCP_ACK;
	struct sip_syn syn;

	/*
	 * One that begins anew must have what sip_strict_tcp_hand_over() needs, and
	 * each a way that ours can go.
	 */
	if (tcp->way[dir].okfn && sip_strict_segment_syn(skb, off, &syn) && !seg->len &&
	    dir == answer &&
	    !sip_strict_ct_is_translated(tcp->ct) && (first || nfct_seqadj(tcp->ct))) {
		if (sip_stream_syn(&tcp->stream, env, dir, &syn))
			sip_strict_tcp_anew(tcp, skb, off);
		return;
	}
	/* In an open connection it may be anybody's. */
	if (first)
		sip_stream_alone(&tcp->stream, env, dir, SIP_R_SYN_OTHER);
	tcp->stream.asked = false;
}

/* Nothing was ever changed, and nothing will be: no need to look. */
static bool sip_strict_tcp_is_bare(const struct sip_strict_tcp *tcp)
{
	const struct sip_half *half = tcp->stream.half;

	return tcp->stream.state == SIP_STREAM_ALONE && !half[0].map.used && !half[1].map.used &&
	       !half[0].ahead && !half[1].ahead;
}

static unsigned int sip_strict_tcp_segment(struct sip_strict_tcp_call *call,
					   const struct sip_stream_env *env, u32 dir,
					   struct sk_buff *skb, unsigned int off,
					   struct sip_segment *seg)
{
	struct sip_strict_tcp *tcp = call->tcp;
	unsigned int verdict = NF_ACCEPT;

	if (seg->flags & SIP_TCP_SYN) {
		sip_strict_tcp_syn(tcp, env, dir, skb, off, seg);
	} else if (sip_stream_segment(&tcp->stream, env, dir, seg) == SIP_STREAM_TAKEN) {
		if (tcp->stream.half[dir].held)
			SIP_STRICT_INC(tcp->sn, tcp_holds);
		verdict = NF_STOLEN;
	} else if (!sip_strict_segment_translate(&tcp->stream, dir, skb, off, seg)) {
		verdict = NF_DROP; /* as if it were lost */
	}
	return verdict;
}

static unsigned int sip_strict_tcp_work(struct sip_strict_tcp *tcp, struct sk_buff *skb,
					unsigned int off, enum ip_conntrack_info ctinfo,
					const struct nf_hook_state *state,
					enum sip_strict_mode mode, struct sip_segment *seg,
					struct sip_strict_tcp_out *out)
{
	struct sip_strict_tcp_call call = { .tcp = tcp, .out = out };
	u32 dir = CTINFO2DIR(ctinfo);
	struct sip_stream_env env;
	unsigned int verdict;

	if (tcp->stream.state == SIP_STREAM_NEW || sip_stream_fits(&tcp->stream, dir, seg))
		sip_strict_way_see(&tcp->way[dir], skb, off, ctinfo, state);
	if (seg->len || (seg->flags & SIP_TCP_FIN))
		call.work = sip_strict_work_begin(tcp->sn, tcp->ct, dir);
	sip_strict_tcp_env(&env, &call, mode);
	verdict = sip_strict_tcp_segment(&call, &env, dir, skb, off, seg);
	if (call.work)
		sip_strict_work_end(call.work);
	sip_strict_tcp_tell(tcp);
	sip_strict_tcp_defer(tcp, out, dir);
	sip_strict_tcp_arm(tcp, &env);
	if (sip_strict_tcp_is_bare(tcp))
		WRITE_ONCE(tcp->bare, true);
	return verdict;
}

/* The object of a connection; its first packet makes it. */
static struct sip_strict_tcp *sip_strict_tcp_get(struct sip_strict_net *sn, struct nf_conn *ct,
						 const struct sip_segment *seg)
{
	struct sip_strict_tcp *tcp = rhashtable_lookup(&sn->tcps, &ct, sip_strict_tcp_params);
	enum sip_reason reason;

	if (tcp)
		return tcp;
	reason = sip_strict_tcp_refuse(ct, seg);
	tcp = sip_strict_tcp_new(sn, ct);
	if (!tcp || reason == SIP_R_OK)
		return tcp;
	spin_lock_bh(&tcp->lock);
	tcp->stream.state = SIP_STREAM_ALONE;
	WRITE_ONCE(tcp->bare, true);
	spin_unlock_bh(&tcp->lock);
	SIP_STRICT_INC(sn, tcp_untouched);
	sip_strict_stat_reason(sn, reason);
	trace_sip_strict_skip(sn->net, NULL, reason, 0);
	return tcp;
}

/**
 * sip_strict_tcp_packet() - a TCP segment of a served flow
 * @sn: the namespace
 * @skb: the packet, NAT done; may be rewritten
 * @off: offset of its TCP header
 * @ct: its connection
 * @ctinfo: its direction
 * @state: of the hook
 * @mode: what is done with messages that begin now
 *
 * Context: netfilter hook, RCU read lock held, BH on or off.
 * Return: NF_ACCEPT; NF_STOLEN: it is done with; NF_DROP: as if it were lost.
 */
unsigned int sip_strict_tcp_packet(struct sip_strict_net *sn, struct sk_buff *skb,
				   unsigned int off, struct nf_conn *ct,
				   enum ip_conntrack_info ctinfo,
				   const struct nf_hook_state *state, enum sip_strict_mode mode)
{
	struct sip_strict_view view = { skb, off };
	unsigned int verdict = NF_ACCEPT;
	struct sip_strict_tcp_out out;
	struct sip_strict_tcp *tcp;
	struct sip_segment seg;

	if (!sip_strict_segment_read(&view, &seg))
		return NF_ACCEPT;
	tcp = sip_strict_tcp_get(sn, ct, &seg);
	if (!tcp || (READ_ONCE(tcp->bare) && !(seg.flags & SIP_TCP_SYN)))
		return NF_ACCEPT;
	sip_strict_tcp_out_init(&out);
	spin_lock_bh(&tcp->lock);
	if (tcp->frozen)
		verdict = NF_DROP;
	else if (!tcp->done)
		verdict = sip_strict_tcp_work(tcp, skb, off, ctinfo, state, mode, &seg, &out);
	spin_unlock_bh(&tcp->lock);
	if (verdict == NF_STOLEN)
		consume_skb(skb);
	sip_strict_tcp_out_send(tcp, &out);
	return verdict;
}

/**
 * sip_strict_tcp_is_followed() - is this one of the connections here?
 * @sn: the namespace
 * @ct: a TCP connection
 *
 * Context: RCU read lock held.
 * Return: true if it is.
 */
bool sip_strict_tcp_is_followed(struct sip_strict_net *sn, const struct nf_conn *ct)
{
	return rhashtable_lookup(&sn->tcps, &ct, sip_strict_tcp_params);
}

/* ---- end ---------------------------------------------------------------- */

/* What is held goes on; nothing is edited from now on. True: all has arrived. */
static bool sip_strict_tcp_settle(struct sip_strict_tcp *tcp)
{
	struct sip_strict_tcp_call call = { .tcp = tcp };
	struct sip_strict_tcp_out out;
	struct sip_stream_env env;
	bool plain;

	call.out = &out;
	sip_strict_tcp_out_init(&out);
	rcu_read_lock();
	local_bh_disable();
	spin_lock(&tcp->lock);
	sip_strict_tcp_ways_check(tcp);
	sip_strict_tcp_env(&env, &call, SIP_STRICT_OFF);
	sip_stream_alone(&tcp->stream, &env, 0, SIP_R_OK);
	plain = nf_ct_is_dying(tcp->ct) || sip_stream_is_plain(&tcp->stream);
	spin_unlock(&tcp->lock);
	sip_strict_tcp_out_send(tcp, &out);
	local_bh_enable();
	rcu_read_unlock();
	return plain;
}

static bool sip_strict_tcp_settle_all(struct sip_strict_net *sn)
{
	struct sip_strict_tcp *tcp;
	bool plain = true;

	list_for_each_entry(tcp, &sn->tcp_list, list)
		plain &= sip_strict_tcp_settle(tcp);
	return plain;
}

static void sip_strict_tcp_hand_over(struct sip_strict_tcp *tcp)
{
	const struct sip_half *half = tcp->stream.half;
	u32 dir;

	spin_lock_bh(&tcp->lock);
	spin_lock(&tcp->ct->lock);
	if ((half[0].map.delta || half[1].map.delta) && nfct_seqadj(tcp->ct)) {
		for (dir = 0; dir < 2; dir++)
			sip_strict_tcp_offset(tcp->ct, dir, half[dir].next, half[dir].map.delta,
					      half[dir].map.delta);
		set_bit(IPS_SEQ_ADJUST_BIT, &tcp->ct->status);
	}
	spin_unlock(&tcp->ct->lock);
	tcp->done = true;
	tcp->frozen = false;
	spin_unlock_bh(&tcp->lock);
}

/**
 * sip_strict_tcp_net_leave() - hand all connections over to conntrack
 * @sn: the namespace, leaving; its hooks are still there, its sweep is not
 *
 * Nobody adds to the list any more, for a grace period has passed since it is
 * leaving, and nobody takes from it, for the sweep was stopped after that.
 *
 * Context: process; sleeps.
 */
void sip_strict_tcp_net_leave(struct sip_strict_net *sn)
{
	unsigned long until = jiffies + msecs_to_jiffies(SIP_STRICT_TCP_DRAIN);
	struct sip_strict_tcp *tcp;

	if (list_empty(&sn->tcp_list))
		return;
	/* Of a namespace that is gone nothing will arrive. */
	while (!sip_strict_tcp_settle_all(sn) && check_net(sn->net) && time_before(jiffies, until))
		msleep(20);
	list_for_each_entry(tcp, &sn->tcp_list, list) {
		spin_lock_bh(&tcp->lock);
		tcp->frozen = true;
		spin_unlock_bh(&tcp->lock);
	}
	/* What was translated here is past conntrack's last hook after this. */
	synchronize_net();
	list_for_each_entry(tcp, &sn->tcp_list, list)
		sip_strict_tcp_hand_over(tcp);
}

/**
 * sip_strict_tcp_net_init() - make the table of a namespace
 * @sn: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int sip_strict_tcp_net_init(struct sip_strict_net *sn)
{
	INIT_LIST_HEAD(&sn->tcp_list);
	spin_lock_init(&sn->tcp_lock);
	return rhashtable_init(&sn->tcps, &sip_strict_tcp_params);
}

/**
 * sip_strict_tcp_net_exit() - drop all connections, and the table
 * @sn: the namespace; its hooks are off
 *
 * Context: process.
 */
void sip_strict_tcp_net_exit(struct sip_strict_net *sn)
{
	LIST_HEAD(list);

	sip_strict_tcp_collect(sn, &list, true);
	sip_strict_tcp_free_list(&list);
	rhashtable_destroy(&sn->tcps);
}
