// SPDX-License-Identifier: GPL-2.0-only
/*
 * lifetime.c - what time does to calls, and who leaves when there is no room.
 *
 * The sweep (main.c) comes once a second. A transaction without its final
 * answer, a leg that lost a fork, a call whose timers ran out: each ends here.
 * A call whose media flows is never ended by a timer.
 *
 * Everything runs under sn->lock.
 */
#include <linux/jiffies.h>

#include "dialog.h"

#define SIP_STRICT_EVICT_LOOKS 256u

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
	if (gone.initial)
		sip_strict_legs_drop(sn, call, reap);
	if (sip_strict_call_is_dialling(call))
		return;
	if (!sip_strict_call_has_leg(call) ||
	    (gone.initial && call->state != SIP_STRICT_CALL_CONFIRMED))
		sip_strict_call_end(sn, call, "ring_timeout", reap);
}

/* An INVITE rings on as long as its call shows signs of life. */
static bool sip_strict_txn_rings(const struct sip_strict_call *call,
				 const struct sip_strict_txn *txn)
{
	return call->state == SIP_STRICT_CALL_EARLY && txn->method == SIP_M_INVITE &&
	       !txn->done && !txn->cancelled && time_before(jiffies, call->expires);
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

/* The last sign of life: signalling, or a look that found new media packets. */
static void sip_strict_call_look(struct sip_strict_net *sn, struct sip_strict_call *call)
{
	struct sip_strict_count count;
	struct sip_strict_use *use;

	list_for_each_entry(use, &call->uses, owner_node) {
		if (use->map->kind == SIP_STRICT_CONTACT ||
		    (call->state == SIP_STRICT_CALL_EARLY && !use->sets))
			continue;
		sip_strict_map_count(sn, use->map, &count);
		if (count.moved && time_after(count.moved, call->active))
			sip_strict_call_touch(sn, call, count.moved);
	}
}

static const char *sip_strict_timeout_reason(const struct sip_strict_call *call)
{
	if (call->state != SIP_STRICT_CALL_CONFIRMED)
		return "ring_timeout";
	return call->session_expires ? "session_expired" : "dialog_timeout";
}

static void sip_strict_call_expire(struct sip_strict_net *sn, struct sip_strict_call *call,
				   struct sip_strict_reap *reap)
{
	u32 dead = READ_ONCE(sn->conf.dead_call_timeout);
	u32 i;

	/* Before the answer there may be a long announcement, or music. */
	if (call->state == SIP_STRICT_CALL_EARLY && sip_strict_call_is_dialling(call) &&
	    time_after_eq(jiffies, call->expires))
		sip_strict_call_look(sn, call);
	for (i = 0; i < call->n_txns;) {
		struct sip_strict_txn *txn = &call->txn[i];

		if (time_after_eq(jiffies, txn->expires) && sip_strict_txn_rings(call, txn))
			txn->expires = call->expires;
		if (time_before(jiffies, txn->expires))
			i++;
		else
			sip_strict_txn_expire(sn, call, txn, reap);
	}
	sip_strict_legs_expire(sn, call, reap);
	if (call->state == SIP_STRICT_CALL_CONFIRMED &&
	    (time_after_eq(jiffies, call->expires) || (dead && !call->all_held)))
		sip_strict_call_look(sn, call);
	if (dead && call->state == SIP_STRICT_CALL_CONFIRMED && !call->all_held &&
	    time_after(jiffies, call->active + sip_strict_ticks(dead))) {
		SIP_STRICT_INC(sn, dead_calls);
		sip_strict_call_end(sn, call, "dead_call", reap);
	}
	if (time_before(jiffies, call->expires))
		return;
	if (call->state == SIP_STRICT_CALL_ENDED)
		sip_strict_call_free(sn, call, reap);
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
		if (call->flow &&
		    (!call->flow->want || time_after(call->expires, call->flow->want)))
			call->flow->want = call->expires;
		sip_strict_call_expire(sn, call, reap);
	}
	list_for_each_entry_safe(call, next, &sn->ended_list, list)
		sip_strict_call_expire(sn, call, reap);
}

/**
 * sip_strict_call_evict() - make room: the oldest early call of the host that
 * holds most
 * @sn: the namespace
 * @reap: takes its connections
 *
 * An established call is never evicted, nor is a call for help. Only the oldest
 * early calls are looked at, for each new call of a flood comes here.
 *
 * Context: sn->lock held.
 * Return: true if one has gone.
 */
bool sip_strict_call_evict(struct sip_strict_net *sn, struct sip_strict_reap *reap)
{
	struct sip_strict_call *call, *worst = NULL;
	u32 held, most = 0, looks = SIP_STRICT_EVICT_LOOKS;

	list_for_each_entry(call, &sn->ringing, ringing) {
		if (!looks--)
			break;
		if (call->state != SIP_STRICT_CALL_EARLY)
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
 * sip_strict_call_evict_inbound() - make room in a host's share: the oldest early
 * call to it
 * @sn: the namespace
 * @inside: the host
 * @zone: its zone
 * @reap: takes the call's connections
 *
 * Context: sn->lock held.
 * Return: true if one has gone.
 */
bool sip_strict_call_evict_inbound(struct sip_strict_net *sn, const struct sip_ip *inside,
				   u16 zone, struct sip_strict_reap *reap)
{
	struct sip_strict_call *call;

	list_for_each_entry(call, &sn->ringing, ringing) {
		if (call->state != SIP_STRICT_CALL_EARLY || call->outbound ||
		    call->key.zone != zone || !sip_ip_equal(&call->inside.ip, inside))
			continue;
		sip_strict_call_end(sn, call, "evicted", reap);
		SIP_STRICT_INC(sn, evicted);
		return true;
	}
	return false;
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
