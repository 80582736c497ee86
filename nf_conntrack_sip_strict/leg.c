// SPDX-License-Identifier: GPL-2.0-only
/*
 * leg.c - legs and transactions of a call, and their bits.
 *
 * A leg is a dialog: the call and both tags. A transaction is CSeq, method and
 * topmost branch: serial failover, DNS failover and ring groups repeat
 * Call-ID, tag and CSeq, and only the branch differs. Each leg, and each open
 * transaction with a description, owns a bit of the set masks (media.c).
 *
 * Everything runs under sn->lock. Bounds: SIP_STRICT_MAX_LEGS and _TXNS.
 */
#include <linux/jiffies.h>

#include "dialog.h"

/**
 * sip_strict_span_hash() - hash of a piece of the message
 * @w: the message in work
 * @s: the piece
 *
 * Context: any.
 * Return: 0 for an empty one.
 */
u64 sip_strict_span_hash(const struct sip_strict_work *w, struct sip_span s)
{
	return sip_strict_hash(w->msg.buf + s.off, s.len);
}

/**
 * sip_strict_branch_hash() - what tells transactions apart
 * @w: the message in work
 *
 * Context: any.
 * Return: hash of the topmost branch; 0 in RFC 2543 messages, which have none: of the
 * sent-by one side sees another one than the other.
 */
static u64 sip_strict_branch_hash(const struct sip_strict_work *w)
{
	return sip_strict_span_hash(w, w->msg.via.branch);
}

/**
 * sip_strict_tag() - tag of one end, as this message has it
 * @w: the message in work
 * @out: the message goes out
 * @inside: the inside end, else the outside one
 *
 * Context: any.
 * Return: its hash; 0: no tag yet.
 */
static u64 sip_strict_tag(const struct sip_strict_work *w, bool out, bool inside)
{
	bool from = (out == w->msg.request) == inside;

	return sip_strict_span_hash(w, from ? w->msg.from_tag : w->msg.to_tag);
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

/**
 * sip_strict_txn_of() - the transaction of a message (RFC 3261 section 17.1.3)
 * @w: the message in work
 * @call: the call
 * @method: method of the request
 *
 * Context: sn->lock held.
 * Return: the transaction, or NULL.
 */
struct sip_strict_txn *sip_strict_txn_of(const struct sip_strict_work *w,
					 struct sip_strict_call *call, u8 method)
{
	return sip_strict_txn_find(call, method, w->msg.cseq, sip_strict_branch_hash(w));
}

static u32 sip_strict_bit_take(struct sip_strict_call *call)
{
	u32 free = ~call->set_bits & ~SIP_STRICT_CONTACT_BIT;

	if (!free)
		return 0;
	free &= -free;
	call->set_bits |= free;
	return free;
}

/**
 * sip_strict_txn_drop() - forget a transaction; what it only offered closes
 * @sn: the namespace
 * @call: the call
 * @txn: the transaction; its place is taken by another
 * @reap: takes its connections
 *
 * Context: sn->lock held.
 */
void sip_strict_txn_drop(struct sip_strict_net *sn, struct sip_strict_call *call,
			 struct sip_strict_txn *txn, struct sip_strict_reap *reap)
{
	if (txn->bit) {
		sip_strict_media_clear(sn, call, txn->bit, reap);
		call->set_bits &= ~txn->bit;
	}
	*txn = call->txn[--call->n_txns];
}

/**
 * sip_strict_txn_make() - a request that matters has been seen
 * @w: the message in work
 * @call: the call
 * @out: the message goes out
 *
 * Context: sn->lock held.
 * Return: the transaction, or NULL at the bound or out of memory.
 */
struct sip_strict_txn *sip_strict_txn_make(struct sip_strict_work *w,
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
	if (!sip_strict_grow((void **)&call->txn, call->n_txns, sizeof(*txn), NULL, 0))
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
	txn->expires = jiffies + sip_strict_ticks(READ_ONCE(w->sn->conf.ring_timeout));
	return txn;
}

/**
 * sip_strict_txn_bit() - see to it that a transaction has a set of its own
 * @call: the call
 * @txn: the transaction
 *
 * Context: sn->lock held.
 * Return: false if all bits are taken.
 */
bool sip_strict_txn_bit(struct sip_strict_call *call, struct sip_strict_txn *txn)
{
	if (!txn->bit)
		txn->bit = sip_strict_bit_take(call);
	return txn->bit;
}

/**
 * sip_strict_leg_find() - the leg of two tags (RFC 3261 section 12)
 * @call: the call
 * @inside: hash of the inside tag; 0: not known
 * @outside: hash of the outside tag; 0: not known
 *
 * Context: sn->lock held.
 * Return: the leg, or NULL.
 */
struct sip_strict_leg *sip_strict_leg_find(struct sip_strict_call *call, u64 inside,
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

/*
 * Room for a leg at the bound: the oldest that is over goes, or, for the answer
 * to the INVITE, the oldest that has not answered.
 */
static void sip_strict_leg_room(struct sip_strict_work *w, struct sip_strict_call *call)
{
	bool answer = !w->msg.request && w->msg.method == SIP_M_INVITE && w->msg.status / 100 == 2;
	struct sip_strict_leg *leg;
	u32 i;

	for (i = 0; i < call->n_legs && !call->leg[i].dead; i++)
		;
	if (i == call->n_legs && answer)
		for (i = 0; i < call->n_legs && call->leg[i].confirmed; i++)
			;
	if (i == call->n_legs)
		return;
	leg = &call->leg[i];
	sip_strict_media_clear(w->sn, call, leg->bit, &w->reap);
	call->set_bits &= ~leg->bit;
	call->n_legs--;
	memmove(leg, leg + 1, (call->n_legs - i) * sizeof(*leg));
}

static struct sip_strict_leg *sip_strict_leg_get(struct sip_strict_work *w,
						 struct sip_strict_call *call, u64 inside,
						 u64 outside)
{
	struct sip_strict_leg *leg = sip_strict_leg_find(call, inside, outside);

	if (leg) {
		leg->inside_tag = leg->inside_tag ?: inside;
		leg->outside_tag = leg->outside_tag ?: outside;
		return leg;
	}
	if (call->n_legs >= SIP_STRICT_MAX_LEGS)
		sip_strict_leg_room(w, call);
	if (call->n_legs >= SIP_STRICT_MAX_LEGS ||
	    !sip_strict_grow((void **)&call->leg, call->n_legs, sizeof(*leg), call->own_leg,
			     ARRAY_SIZE(call->own_leg)))
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

/**
 * sip_strict_leg_of() - the leg of a message
 * @w: the message in work
 * @call: the call
 * @out: the message goes out
 * @make: make it if it is new
 *
 * Context: sn->lock held.
 * Return: the leg, or NULL.
 */
struct sip_strict_leg *sip_strict_leg_of(struct sip_strict_work *w,
					 struct sip_strict_call *call, bool out, bool make)
{
	u64 inside = sip_strict_tag(w, out, true);
	u64 outside = sip_strict_tag(w, out, false);

	return make ? sip_strict_leg_get(w, call, inside, outside) :
		      sip_strict_leg_find(call, inside, outside);
}

/**
 * sip_strict_call_has_leg() - is some leg alive?
 * @call: the call
 *
 * Context: sn->lock held.
 * Return: true if there is.
 */
bool sip_strict_call_has_leg(const struct sip_strict_call *call)
{
	u32 i;

	for (i = 0; i < call->n_legs; i++)
		if (!call->leg[i].dead && !call->leg[i].expires)
			return true;
	return false;
}

/**
 * sip_strict_call_is_dialling() - is an initial INVITE unanswered?
 * @call: the call
 *
 * Context: sn->lock held.
 * Return: true if there is.
 */
bool sip_strict_call_is_dialling(const struct sip_strict_call *call)
{
	u32 i;

	for (i = 0; i < call->n_txns; i++)
		if (call->txn[i].initial && !call->txn[i].done)
			return true;
	return false;
}

/**
 * sip_strict_leg_is_of() - is a leg of the fork that an INVITE began?
 * @leg: the leg
 * @txn: the INVITE
 *
 * All legs of a fork have one caller; a B2BUA may use its Call-ID on either side.
 *
 * Context: sn->lock held.
 * Return: true if the caller's tag is the same.
 */
bool sip_strict_leg_is_of(const struct sip_strict_leg *leg, const struct sip_strict_txn *txn)
{
	return txn->out ? leg->inside_tag == txn->inside_tag :
			  leg->outside_tag == txn->outside_tag;
}

/* Does an INVITE of its caller still wait for an answer? */
static bool sip_strict_leg_rings(const struct sip_strict_call *call,
				 const struct sip_strict_leg *leg)
{
	u32 i;

	for (i = 0; i < call->n_txns; i++) {
		const struct sip_strict_txn *txn = &call->txn[i];

		if (txn->initial && !txn->done && sip_strict_leg_is_of(leg, txn))
			return true;
	}
	return false;
}

/**
 * sip_strict_legs_drop() - an initial INVITE came to nothing: so do its legs
 * @sn: the namespace
 * @call: the call
 * @reap: takes the connections of what closes
 *
 * Context: sn->lock held.
 */
void sip_strict_legs_drop(struct sip_strict_net *sn, struct sip_strict_call *call,
			  struct sip_strict_reap *reap)
{
	u32 i;

	for (i = 0; i < call->n_legs; i++) {
		struct sip_strict_leg *leg = &call->leg[i];

		if (leg->confirmed || leg->dead || sip_strict_leg_rings(call, leg))
			continue;
		leg->dead = true;
		sip_strict_media_clear(sn, call, leg->bit, reap);
	}
}

/**
 * sip_strict_leg_close() - a leg is over; the call too, if it was the last
 * @sn: the namespace
 * @call: the call
 * @leg: the leg
 * @why: for the trace
 * @reap: takes its connections
 *
 * Context: sn->lock held.
 */
void sip_strict_leg_close(struct sip_strict_net *sn, struct sip_strict_call *call,
			  struct sip_strict_leg *leg, const char *why,
			  struct sip_strict_reap *reap)
{
	leg->dead = true;
	leg->confirmed = false;
	sip_strict_media_clear(sn, call, leg->bit, reap);
	if (!sip_strict_call_has_leg(call) && !sip_strict_call_is_dialling(call))
		sip_strict_call_end(sn, call, why, reap);
}
