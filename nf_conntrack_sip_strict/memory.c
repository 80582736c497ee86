// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory.c - what inside hosts wrote, and what this gateway made of it.
 *
 * Unmapping needs memory, not likeness: an endpoint that writes the public
 * address itself must get that back, and one that wrote no port must get none.
 * Each memory is keyed by the address and port that went out. Owners are
 *
 *   a call or a registration  - its Contacts and route entries, and the sent-by
 *                               of an INVITE, freed with it;
 *   nobody                    - the sent-by of other requests, for 32 s (RFC
 *                               3261, 64 * T1: no answer comes later).
 *
 * What an INVITE got as Request-URI is asked for by its own call alone. It stands
 * in that call's list and not in the table, where it would be one of all those
 * that others sent to the same pair.
 *
 * Everything here runs under sn->lock in softirq or with BH off. The number of
 * memories is bounded by its owners (SIP_STRICT_OWNER_MEMS each) and, for the
 * sent-by ones, by dialog_max (SIP_STRICT_SENT_BYS for each). At the bound the
 * least useful one makes room.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "sip_strict.h"

#define SIP_STRICT_SENT_BYS 4u
#define SIP_STRICT_OWNER_MEMS 24u

static const struct rhashtable_params sip_strict_mem_params = {
	.head_offset = offsetof(struct sip_strict_mem, node),
	.key_offset = offsetof(struct sip_strict_mem, key),
	.key_len = sizeof_field(struct sip_strict_mem, key),
	.automatic_shrinking = true,
};

/**
 * sip_strict_mem_net_init() - make the table of a namespace
 * @sn: the namespace
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int sip_strict_mem_net_init(struct sip_strict_net *sn)
{
	INIT_LIST_HEAD(&sn->mem_list);
	return rhltable_init(&sn->mems, &sip_strict_mem_params);
}

static void sip_strict_mem_free(struct sip_strict_net *sn, struct sip_strict_mem *mem)
{
	lockdep_assert_held(&sn->lock);

	if (mem->kind != SIP_MEM_TRANSACTION)
		rhltable_remove(&sn->mems, &mem->node, sip_strict_mem_params);
	list_del(&mem->list);
	sn->n_mems--;
	if (mem->owner == SIP_STRICT_OF_TIME)
		sn->n_loose_mems--;
	kfree_rcu(mem, rcu);
}

/**
 * sip_strict_mem_flush() - forget a list of memories
 * @sn: the namespace
 * @list: an owner's, or the sent-by list
 *
 * Context: sn->lock held.
 */
void sip_strict_mem_flush(struct sip_strict_net *sn, struct list_head *list)
{
	struct sip_strict_mem *mem, *next;

	list_for_each_entry_safe(mem, next, list, list)
		sip_strict_mem_free(sn, mem);
}

/**
 * sip_strict_mem_net_exit() - drop the table; the owners are gone already
 * @sn: the namespace
 *
 * Context: process; no packet can reach the tables any more.
 */
void sip_strict_mem_net_exit(struct sip_strict_net *sn)
{
	spin_lock_bh(&sn->lock);
	sip_strict_mem_flush(sn, &sn->mem_list);
	spin_unlock_bh(&sn->lock);
	rhltable_destroy(&sn->mems);
}

/**
 * sip_strict_mem_sweep() - forget the sent-by memories whose time is up
 * @sn: the namespace
 *
 * Context: sn->lock held. They stand in the order of their last use.
 */
void sip_strict_mem_sweep(struct sip_strict_net *sn)
{
	struct sip_strict_mem *mem, *next;

	list_for_each_entry_safe(mem, next, &sn->mem_list, list) {
		if (time_before(jiffies, mem->stamp + SIP_STRICT_LINGER))
			break;
		sip_strict_mem_free(sn, mem);
	}
}

static void sip_strict_mem_key(struct sip_strict_end *key, const struct sip_ap *ap, u16 zone)
{
	/* The transport stays out: a Contact without one answers over any. */
	sip_strict_end_set(key, ap, 0, zone);
}

static bool sip_strict_mem_equal(const struct sip_strict_mem *mem,
				 const struct sip_strict_mem *want, const u8 *text, u32 text_len)
{
	return mem->owner == want->owner && mem->call == want->call &&
	       !memcmp(&mem->key, &want->key, sizeof(mem->key)) &&
	       mem->kind == want->kind && mem->field == want->field &&
	       mem->mapped == want->mapped && mem->maddr == want->maddr &&
	       mem->host_len == want->host_len &&
	       mem->port_len == want->port_len && mem->user_len == want->user_len &&
	       (want->kind != SIP_MEM_TRANSACTION || mem->branch == want->branch) &&
	       sip_ip_equal(&mem->inside, &want->inside) &&
	       !memcmp(mem->text, text, text_len);
}

/* An equal memory of the same owner, which is then only refreshed. */
static struct sip_strict_mem *sip_strict_mem_same(struct sip_strict_net *sn,
						  const struct list_head *owner,
						  const struct sip_strict_mem *want,
						  const u8 *text, u32 text_len)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_mem *mem;

	if (owner != &sn->mem_list) {
		list_for_each_entry(mem, owner, list)
			if (sip_strict_mem_equal(mem, want, text, text_len))
				return mem;
		return NULL;
	}
	list = rhltable_lookup(&sn->mems, &want->key, sip_strict_mem_params);
	rhl_for_each_entry_rcu(mem, pos, list, node)
		if (sip_strict_mem_equal(mem, want, text, text_len))
			return mem;
	return NULL;
}

/*
 * At the bound what was not written for longest goes. Of a call that is one of the INVITEs
 * to the inside, if it has any: refreshes of the session make many, and each is asked for
 * once more at most.
 */
static void sip_strict_mem_make_room(struct sip_strict_net *sn, struct list_head *owner)
{
	u32 loose_max = SIP_STRICT_SENT_BYS * (u32)READ_ONCE(sn->conf.dialog_max);
	struct sip_strict_mem *oldest = list_first_entry(owner, struct sip_strict_mem, list);
	struct sip_strict_mem *mem;
	u32 n = 0;

	if (owner == &sn->mem_list) {
		if (sn->n_loose_mems >= loose_max)
			sip_strict_mem_free(sn, oldest);
		return;
	}
	list_for_each_entry(mem, owner, list) {
		n++;
		if (mem->kind == SIP_MEM_TRANSACTION && oldest->kind != SIP_MEM_TRANSACTION)
			oldest = mem;
	}
	if (n >= SIP_STRICT_OWNER_MEMS)
		sip_strict_mem_free(sn, oldest);
}

static int sip_strict_mem_insert(struct sip_strict_net *sn, struct sip_strict_mem *mem,
				 struct list_head *owner)
{
	int err = 0;

	if (mem->kind != SIP_MEM_TRANSACTION)
		err = rhltable_insert(&sn->mems, &mem->node, sip_strict_mem_params);
	if (err)
		return err;
	list_add_tail(&mem->list, owner);
	sn->n_mems++;
	if (owner == &sn->mem_list)
		sn->n_loose_mems++;
	return 0;
}

/**
 * sip_strict_mem_add() - remember an address that was written
 * @sn: the namespace
 * @want: inside host, kind, field, mapped, branch and
 *	owner, as they are to be stored; the rest is filled in here
 * @seen: what stands outside now
 * @zone: conntrack zone of the flow
 * @written: host and port as written
 * @user: user part of its URI
 * @user_len: bytes of it
 *
 * Context: sn->lock held, RCU read lock held.
 * Return: 0, -ENOMEM, or -ENOSPC where more is written than is kept.
 */
int sip_strict_mem_add(struct sip_strict_net *sn, struct sip_strict_mem *want,
		       const struct sip_ap *seen, u16 zone,
		       const struct sip_written *written, const u8 *user, u32 user_len)
{
	u8 text[SIP_MAX_WRITTEN + SIP_STRICT_USER_KEPT];
	struct list_head *owner = &sn->mem_list;
	struct sip_strict_mem *mem;
	u32 len;

	lockdep_assert_held(&sn->lock);

	len = written->host_len + written->port_len;
	if (len > SIP_MAX_WRITTEN)
		return -ENOSPC;
	user_len = min_t(u32, user_len, SIP_STRICT_USER_KEPT);
	memcpy(text, written->text, len);
	memcpy(text + len, user, user_len);
	want->host_len = written->host_len;
	want->port_len = written->port_len;
	want->maddr = written->maddr;
	want->user_len = (u8)user_len;
	sip_strict_mem_key(&want->key, seen, zone);
	if (want->owner == SIP_STRICT_OF_CALL)
		owner = &want->call->mems;
	else if (want->owner == SIP_STRICT_OF_REG)
		owner = &want->reg->mems;

	mem = sip_strict_mem_same(sn, owner, want, text, len + user_len);
	if (!mem) {
		sip_strict_mem_make_room(sn, owner);
		/* Text begins in what would be padding: mostly it is small. */
		mem = kmalloc(max(sizeof(*mem), offsetof(struct sip_strict_mem, text) + len +
						user_len), GFP_ATOMIC);
		if (!mem)
			return -ENOMEM;
		*mem = *want;
		memcpy(mem->text, text, len + user_len);
		if (sip_strict_mem_insert(sn, mem, owner)) {
			kfree(mem);
			return -ENOMEM;
		}
	} else {
		list_move_tail(&mem->list, owner);
	}
	mem->branch = want->branch;
	mem->stamp = jiffies;
	return 0;
}

/**
 * struct sip_strict_mem_query - an unmap query, and the best answer so far
 * @w: the message in work
 * @q: the query, its user part cut as those of the memories are
 * @branch: hash of its branch
 * @call_id: of the Call-ID; once a subscription was looked at
 * @called: of the whole user part, where it may be a number that was called
 * @best: the memory, or NULL
 * @rank: its rank
 */
struct sip_strict_mem_query {
	const struct sip_strict_work *w;
	struct sip_unmap_query q;
	u64 branch;
	u64 call_id;
	u64 called;
	const struct sip_strict_mem *best;
	u32 rank;
};

static void sip_strict_mem_query(struct sip_strict_mem_query *mq, const struct sip_strict_work *w,
				 const struct sip_unmap_query *q)
{
	*mq = (struct sip_strict_mem_query){
		.w = w,
		.q = *q,
		.branch = sip_strict_hash(q->branch, q->branch_len),
	};
	if (q->field == SIP_F_RURI)
		mq->called = sip_strict_hash(q->user, q->user_len);
	mq->q.user_len = min_t(u32, q->user_len, SIP_STRICT_USER_KEPT);
}

/* A subscription is a dialog too (RFC 6665 section 4.4.1). */
static bool sip_strict_mem_is_of(struct sip_strict_mem_query *mq, const struct sip_strict_mem *mem)
{
	const struct sip_strict_work *w = mq->w;

	if (mem->owner == SIP_STRICT_OF_CALL)
		return mem->call == w->call_in;
	if (mem->owner == SIP_STRICT_OF_TIME || !mem->reg->subscription)
		return false;
	if (!mq->call_id)
		mq->call_id = sip_strict_hash(w->msg.buf + w->msg.call_id.off,
					      w->msg.call_id.len);
	return mem->reg->aor == mq->call_id;
}

static bool sip_strict_mem_answers(struct sip_strict_mem_query *mq,
				   const struct sip_strict_mem *mem)
{
	if (!sip_ip_equal(&mem->inside, &mq->w->ctx.rcv.real.ip))
		return false;
	/*
	 * A binding admits requests only while it lives (RFC 3261 10.3). The NOTIFY of a
	 * fetch, and the last one of all, come before that or after.
	 */
	if (mq->q.field == SIP_F_RURI && mem->owner == SIP_STRICT_OF_REG &&
	    mem->reg->state != SIP_STRICT_REG_LIVE)
		return sip_strict_mem_is_of(mq, mem);
	return true;
}

static u32 sip_strict_mem_rank(struct sip_strict_mem_query *mq, const struct sip_strict_mem *mem)
{
	const struct sip_strict_work *w = mq->w;
	struct sip_mem view = {
		.kind = (enum sip_mem_kind)mem->kind,
		.field = (enum sip_field)mem->field,
		.mapped = mem->mapped,
		.this_dialog = sip_strict_mem_is_of(mq, mem),
		.called = mem->owner == SIP_STRICT_OF_CALL && mq->called &&
			  mem->call->called == mq->called,
		.same_branch = mq->branch && mem->branch == mq->branch,
		.user = mem->text + mem->host_len + mem->port_len,
		.user_len = mem->user_len,
	};

	if (mem->owner == SIP_STRICT_OF_REG)
		view.sender_is_peer = sip_ip_equal(&mem->reg->peer, &w->ctx.snd.real.ip) ||
				      sip_ip_equal(&mem->reg->peer, &w->ctx.snd.seen.ip);
	return sip_unmap_rank(&mq->q, &view);
}

static void sip_strict_mem_try(struct sip_strict_mem_query *mq, const struct sip_strict_mem *mem)
{
	u32 rank;

	if (!sip_strict_mem_answers(mq, mem))
		return;
	rank = sip_strict_mem_rank(mq, mem);
	if (!rank || rank < mq->rank)
		return;
	if (rank == mq->rank && !time_after(mem->stamp, mq->best->stamp))
		return;
	mq->best = mem;
	mq->rank = rank;
}

/**
 * sip_strict_mem_find() - the memory that answers an unmap query
 * @w: the message in work; the receiver of it is who must have written
 * @q: what was found in it
 *
 * The message's own call is asked first, and mostly that is enough: the table
 * has all that stands outside as the same pair, of all calls of a PBX or a flood.
 *
 * Context: sn->lock and RCU read lock held.
 * Return: the best memory (newest among equals), or NULL.
 */
const struct sip_strict_mem *sip_strict_mem_find(const struct sip_strict_work *w,
						 const struct sip_unmap_query *q)
{
	struct sip_strict_mem_query mq;
	struct rhlist_head *list, *pos;
	struct sip_strict_mem *mem;
	struct sip_strict_end key;

	sip_strict_mem_query(&mq, w, q);
	sip_strict_mem_key(&key, &q->ap, w->zone);
	if (w->call_in)
		list_for_each_entry(mem, &w->call_in->mems, list)
			if (!memcmp(&mem->key, &key, sizeof(key)))
				sip_strict_mem_try(&mq, mem);
	if (mq.best && sip_unmap_rank_is_own(q, mq.rank))
		return mq.best;
	list = rhltable_lookup(&w->sn->mems, &key, sip_strict_mem_params);
	rhl_for_each_entry_rcu(mem, pos, list, node)
		sip_strict_mem_try(&mq, mem);
	return mq.best;
}

/**
 * sip_strict_mem_written() - the text of a memory, for the planner
 * @mem: the memory
 * @written: filled in
 */
void sip_strict_mem_written(const struct sip_strict_mem *mem, struct sip_written *written)
{
	written->host_len = mem->host_len;
	written->port_len = mem->port_len;
	written->maddr = mem->maddr;
	memcpy(written->text, mem->text, mem->host_len + mem->port_len);
}
