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
 * Everything here runs under sn->lock in softirq or with BH off. The number of
 * memories is bounded by its owners (SIP_STRICT_OWNER_MEMS each) and, for the
 * sent-by ones, by SIP_STRICT_MAX_SENT_BY per namespace.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "sip_strict.h"

#define SIP_STRICT_MAX_SENT_BY 65536u
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

	rhltable_remove(&sn->mems, &mem->node, sip_strict_mem_params);
	list_del(&mem->list);
	sn->n_mems--;
	if (!mem->call && !mem->reg)
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
		if (time_before(jiffies, mem->expires))
			break;
		sip_strict_mem_free(sn, mem);
	}
}

static void sip_strict_mem_key(struct sip_strict_end *key, const struct sip_ap *ap, u16 zone)
{
	/* The transport stays out: a Contact without one answers over any. */
	sip_strict_end_set(key, ap, 0, zone);
}

/* An equal memory of the same owner, which is then only refreshed. */
static struct sip_strict_mem *sip_strict_mem_same(struct sip_strict_net *sn,
						  const struct sip_strict_mem *want,
						  const u8 *text, u32 text_len)
{
	struct rhlist_head *list, *pos;
	struct sip_strict_mem *mem;

	list = rhltable_lookup(&sn->mems, &want->key, sip_strict_mem_params);
	rhl_for_each_entry_rcu(mem, pos, list, node) {
		if (mem->call == want->call && mem->reg == want->reg &&
		    mem->kind == want->kind && mem->field == want->field &&
		    mem->mapped == want->mapped && mem->maddr == want->maddr &&
		    mem->host_len == want->host_len &&
		    mem->port_len == want->port_len && mem->user_len == want->user_len &&
		    (want->kind != SIP_MEM_TRANSACTION || mem->branch == want->branch) &&
		    sip_ip_equal(&mem->inside, &want->inside) &&
		    !memcmp(mem->text, text, text_len))
			return mem;
	}
	return NULL;
}

static u32 sip_strict_mem_count(const struct list_head *list)
{
	const struct list_head *pos;
	u32 n = 0;

	list_for_each(pos, list)
		n++;
	return n;
}

/**
 * sip_strict_mem_add() - remember an address that was written
 * @sn: the namespace
 * @want: key pair (@seen), inside host, kind, field, mapped, real, branch and
 *	owner, as they are to be stored; lengths are filled in here
 * @seen: what stands outside now
 * @zone: conntrack zone of the flow
 * @written: host and port as written
 * @user: user part of its URI
 * @user_len: bytes of it
 *
 * Context: sn->lock held, RCU read lock held.
 * Return: 0, -ENOMEM, or -ENOSPC at the bound.
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
	if (want->call)
		owner = &want->call->mems;
	else if (want->reg)
		owner = &want->reg->mems;

	mem = sip_strict_mem_same(sn, want, text, len + user_len);
	if (!mem) {
		if (owner == &sn->mem_list ? sn->n_loose_mems >= SIP_STRICT_MAX_SENT_BY :
					     sip_strict_mem_count(owner) >= SIP_STRICT_OWNER_MEMS)
			return -ENOSPC;
		mem = kmalloc(struct_size(mem, text, len + user_len), GFP_ATOMIC);
		if (!mem)
			return -ENOMEM;
		memcpy(mem, want, sizeof(*mem));
		memcpy(mem->text, text, len + user_len);
		if (rhltable_insert(&sn->mems, &mem->node, sip_strict_mem_params)) {
			kfree(mem);
			return -ENOMEM;
		}
		list_add_tail(&mem->list, owner);
		sn->n_mems++;
		if (owner == &sn->mem_list)
			sn->n_loose_mems++;
	} else {
		list_move_tail(&mem->list, owner);
	}
	mem->real = want->real;
	mem->branch = want->branch;
	mem->stamp = jiffies;
	mem->expires = jiffies + SIP_STRICT_LINGER;
	return 0;
}

static bool sip_strict_mem_answers(const struct sip_strict_work *w, const struct sip_unmap_query *q,
				   const struct sip_strict_mem *mem)
{
	if (!sip_ip_equal(&mem->inside, &w->ctx.rcv.real.ip))
		return false;
	/* A binding admits requests only while it lives (RFC 3261 10.3). */
	if (q->field == SIP_F_RURI && mem->reg && mem->reg->state != SIP_STRICT_REG_LIVE)
		return false;
	return true;
}

/* A subscription is a dialog too (RFC 6665 section 4.4.1). */
static bool sip_strict_mem_is_of(const struct sip_strict_work *w, const struct sip_strict_mem *mem)
{
	if (mem->call)
		return mem->call == w->call_in;
	return mem->reg && mem->reg->subscription &&
	       mem->reg->aor == sip_strict_hash(w->msg.buf + w->msg.call_id.off,
						w->msg.call_id.len);
}

static u32 sip_strict_mem_rank(const struct sip_strict_work *w, const struct sip_unmap_query *q,
			       const struct sip_strict_mem *mem, u64 branch)
{
	struct sip_mem view = {
		.kind = (enum sip_mem_kind)mem->kind,
		.field = (enum sip_field)mem->field,
		.mapped = mem->mapped,
		.this_dialog = sip_strict_mem_is_of(w, mem),
		.called = mem->call && q->user_len &&
			  mem->call->called == sip_strict_hash(q->user, q->user_len),
		.same_branch = branch && mem->branch == branch,
		.user = mem->text + mem->host_len + mem->port_len,
		.user_len = mem->user_len,
	};

	if (mem->reg)
		view.sender_is_peer = sip_ip_equal(&mem->reg->peer, &w->ctx.snd.real.ip) ||
				      sip_ip_equal(&mem->reg->peer, &w->ctx.snd.seen.ip);
	return sip_unmap_rank(q, &view);
}

/**
 * sip_strict_mem_find() - the memory that answers an unmap query
 * @w: the message in work; the receiver of it is who must have written
 * @q: what was found in it
 *
 * Context: sn->lock and RCU read lock held.
 * Return: the best memory (newest among equals), or NULL.
 */
const struct sip_strict_mem *sip_strict_mem_find(const struct sip_strict_work *w,
						 const struct sip_unmap_query *q)
{
	u64 branch = sip_strict_hash(q->branch, q->branch_len);
	struct sip_strict_mem *mem, *best = NULL;
	struct rhlist_head *list, *pos;
	struct sip_strict_end key;
	u32 best_rank = 0;

	sip_strict_mem_key(&key, &q->ap, w->zone);
	list = rhltable_lookup(&w->sn->mems, &key, sip_strict_mem_params);
	rhl_for_each_entry_rcu(mem, pos, list, node) {
		u32 rank;

		if (!sip_strict_mem_answers(w, q, mem))
			continue;
		rank = sip_strict_mem_rank(w, q, mem, branch);
		if (!rank || rank < best_rank)
			continue;
		if (rank == best_rank && !time_after(mem->stamp, best->stamp))
			continue;
		best = mem;
		best_rank = rank;
	}
	return best;
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
