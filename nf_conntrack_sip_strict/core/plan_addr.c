// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan_addr.c - one address in the head of a message: mapped out, unmapped in.
 *
 * plan.c finds the places that the rules speak of; here the address map is
 * asked about one of them, its text is edited, and what was written is put
 * down as a fact for the memory. Each place costs at most two questions.
 */
#include "planner.h"

/**
 * sip_reason_refuses() - does a reason end the whole plan?
 * @reason: of the address map or of reading a body
 *
 * What was half done cannot be told to anybody, so nothing is done. All other
 * reasons concern one value, which is kept.
 *
 * Return: true if it does.
 */
bool sip_reason_refuses(enum sip_reason reason)
{
	switch (reason) {
	case SIP_R_SESSION_CONFLICT:
	case SIP_R_TOO_MANY_EDITS:
	case SIP_R_TOO_MANY_STREAMS:
	case SIP_R_TOO_MANY_PARTS:
	case SIP_R_NO_PORT:
	case SIP_R_TABLE_FULL:
	case SIP_R_HOST_QUOTA:
	case SIP_R_NO_MEMORY:
	case SIP_R_NO_SPACE:
		return true;
	default:
		return false;
	}
}

/* An answer of the address map that is not OK: count it, or give up. */
static void sip_plan_answer(struct sip_planner *p, enum sip_reason reason, u32 off)
{
	if (sip_reason_refuses(reason))
		sip_plan_refuse(p, reason, off);
	else if (reason != SIP_R_FOREIGN_ADDR && reason != SIP_R_OK)
		sip_plan_note(p, reason, off);
}

static enum sip_transport sip_place_transport(const struct sip_planner *p,
					      const struct sip_place *at)
{
	return at->transport == SIP_T_NONE ? p->ctx->transport : at->transport;
}

/* TLS runs over TCP: a value that says either may mean a TCP flow. */
static bool sip_place_is_on_flow(const struct sip_planner *p, const struct sip_place *at)
{
	enum sip_transport said = at->transport == SIP_T_TLS ? SIP_T_TCP : at->transport;

	return said == SIP_T_NONE || said == p->ctx->transport;
}

/**
 * sip_place_ap() - the address and port that a place names
 * @at: the place
 * @host: its host or its maddr, NULL: none
 * @ap: filled in, with the default port where none is written (RFC 3261 19.1.2)
 *
 * Return: false if @host is no IP literal.
 */
bool sip_place_ap(const struct sip_place *at, const struct sip_hostport *host, struct sip_ap *ap)
{
	if (!host || host->ip.family == SIP_AF_NONE)
		return false;
	ap->ip = host->ip;
	ap->port = at->hp->port.len ? at->hp->port_num : at->default_port;
	return true;
}

static inline bool sip_end_has(const struct sip_end *end, const struct sip_hostport *host)
{
	return host && host->ip.family != SIP_AF_NONE &&
	       (sip_ip_equal(&host->ip, &end->real.ip) || sip_ip_equal(&host->ip, &end->seen.ip));
}

/* ---- facts -------------------------------------------------------------- */

/* Does maddr= name the same host once more? */
static inline bool sip_place_has_maddr(const struct sip_place *at, const struct sip_hostport *host)
{
	return at->maddr && at->maddr != host && sip_ip_equal(&at->maddr->ip, &host->ip);
}

static inline void sip_place_written(const struct sip_planner *p, const struct sip_place *at,
				     const struct sip_hostport *host, struct sip_written *written)
{
	written->host_len = (u8)host->host.len;
	written->port_len = (u8)at->hp->port.len;
	written->maddr = sip_place_has_maddr(at, host);
	/* Where so much can be read and written, no loop has to count. */
	if (likely(host->host.len <= 16 && at->hp->port.len <= 8 &&
		   host->end + 16 <= p->msg->len)) {
		memcpy(written->text, p->msg->buf + host->host.off, 16);
		memcpy(written->text + host->host.len, p->msg->buf + at->hp->port.off, 8);
		return;
	}
	memcpy(written->text, p->msg->buf + host->host.off, host->host.len);
	memcpy(written->text + host->host.len, p->msg->buf + at->hp->port.off, at->hp->port.len);
}

static struct sip_addr_fact *sip_plan_fact(struct sip_planner *p, enum sip_field field, u32 off)
{
	struct sip_addr_fact *fact;

	if (p->plan->n_addrs >= SIP_MAX_ADDR_FACTS) {
		sip_plan_refuse(p, SIP_R_TOO_MANY_EDITS, off);
		return NULL;
	}
	fact = &p->plan->addr[p->plan->n_addrs++];
	fact = sip_once(fact);
	fact->field = (u8)field;
	fact->star = false;
	return fact;
}

/**
 * sip_plan_star() - the sender wrote "Contact: *" (RFC 3261 section 10.2.2)
 * @p: the planner
 * @off: where
 */
void sip_plan_star(struct sip_planner *p, u32 off)
{
	static const struct sip_addr_fact star = { .field = SIP_F_CONTACT, .star = true,
						   .expires = -1 };
	struct sip_addr_fact *fact = sip_plan_fact(p, SIP_F_CONTACT, off);

	if (fact)
		*fact = star;
}

/**
 * sip_plan_peer() - who may send in this dialog (RFC 3261 section 12.1)
 * @p: the planner
 * @field: only Contact and Record-Route count
 * @ap: an address of the sender's side, as the receiver sees it
 */
void sip_plan_peer(struct sip_planner *p, enum sip_field field, const struct sip_ap *ap)
{
	struct sip_plan *plan = p->plan;
	u32 i;

	if (field != SIP_F_CONTACT && field != SIP_F_RECORD_ROUTE)
		return;
	for (i = 0; i < plan->n_peers; i++)
		if (sip_ap_equal(&plan->peer_ap[i], ap))
			return;
	if (plan->n_peers < SIP_ARRAY_SIZE(plan->peer_ap))
		plan->peer_ap[plan->n_peers++] = *ap;
}

/**
 * sip_plan_contact_in() - a Contact of a message that comes in
 * @p: the planner
 * @at: the value
 * @ap: what it names
 * @ours: it was unmapped
 *
 * Lifetimes hang on ours (RFC 3261 section 10.3): they take a slot from others
 * if need be.
 */
void sip_plan_contact_in(struct sip_planner *p, const struct sip_place *at,
			 const struct sip_ap *ap, bool ours)
{
	struct sip_plan *plan = p->plan;
	u32 pos = plan->n_contacts_in;

	if (pos >= SIP_ARRAY_SIZE(plan->contact_in)) {
		if (!ours)
			return;
		while (--pos && plan->contact_in[pos].ours)
			;
	} else {
		plan->n_contacts_in++;
	}
	plan->contact_in[pos].ap = *ap;
	plan->contact_in[pos].user = at->user;
	plan->contact_in[pos].ours = ours;
	plan->contact_in[pos].expires = at->expires;
}

/* ---- edits -------------------------------------------------------------- */

/* A port that was not written stays so where the new one is the default. */
static void sip_plan_edit_port(struct sip_planner *p, const struct sip_place *at, u16 port)
{
	const struct sip_hostport *hp = at->hp;

	if (hp->port.len) {
		if (hp->port_num != port)
			sip_plan_write_number(p, at->field, hp->port.off, hp->port.len, port);
	} else if (port != at->default_port) {
		sip_plan_insert_port(p, at->field, hp->host_end, port);
	}
}

/* Put back the port as written: other digits, none where none stood. */
static void sip_plan_restore_port(struct sip_planner *p, const struct sip_place *at,
				  const struct sip_written *written)
{
	const struct sip_hostport *hp = at->hp;
	u8 text[SIP_MAX_WRITTEN + 1] = { ':' };

	memcpy(text + 1, written->text + written->host_len, written->port_len);
	if (!written->port_len) {
		if (hp->port.len)
			sip_plan_edit(p, at->field, hp->host_end, hp->end - hp->host_end, text, 0);
	} else if (hp->port.len) {
		sip_plan_edit(p, at->field, hp->port.off, hp->port.len, text + 1,
			      written->port_len);
	} else {
		sip_plan_edit(p, at->field, hp->host_end, 0, text, written->port_len + 1u);
	}
}

/* ---- out: map ----------------------------------------------------------- */

/* Only Via and Contact make mappings; routes and Refer-To must have one. */
static bool sip_place_own_only(const struct sip_place *at)
{
	return at->field != SIP_F_CONTACT && at->field != SIP_F_VIA_SENT_BY;
}

static enum sip_reason sip_place_ask(struct sip_planner *p, const struct sip_place *at,
				     const struct sip_ap *ap, bool public, struct sip_ap *seen)
{
	struct sip_map_query q = {
		.field = at->field,
		.ap = *ap,
		.transport = sip_place_transport(p, at),
		.said = at->transport != SIP_T_NONE,
		.own_only = sip_place_own_only(at),
		.public = public,
	};

	if (q.transport == SIP_T_OTHER)
		return SIP_R_FOREIGN_ADDR;
	return p->ctx->ops->map(p->ctx->priv, &q, seen);
}

/* A Contact of this very message is in use, too: repeats must not differ. */
static const struct sip_addr_fact *sip_place_contact(const struct sip_planner *p,
						     const struct sip_place *at,
						     const struct sip_ap *ap)
{
	const struct sip_addr_fact *fact;
	u32 i;

	for (i = 0; i < p->plan->n_addrs; i++) {
		fact = &p->plan->addr[i];
		if (fact->field == SIP_F_CONTACT && fact->ours && sip_ap_equal(&fact->real, ap) &&
		    fact->transport == sip_place_transport(p, at))
			return fact;
	}
	return NULL;
}

/*
 * What the sender's own address is called outside. Its signalling address is
 * the flow's; any other port or transport has a mapping of its own, which for
 * a Via or Contact is made now. A Refer-To must be a Contact in use.
 */
static enum sip_reason sip_place_seen(struct sip_planner *p, const struct sip_place *at,
				      const struct sip_ap *ap, struct sip_ap *seen)
{
	const struct sip_end *snd = &p->ctx->snd;
	const struct sip_addr_fact *contact;
	enum sip_reason reason = SIP_R_OK;

	contact = sip_place_own_only(at) ? sip_place_contact(p, at, ap) : NULL;
	if (contact)
		*seen = contact->seen;
	else if (at->field != SIP_F_REFER_TO &&
		 (at->flow_port ||
		  (sip_ap_equal(ap, &snd->real) && sip_place_is_on_flow(p, at))))
		*seen = snd->seen;
	else
		reason = sip_place_ask(p, at, ap, false, seen);
	if (!p->natted)
		*seen = *ap;
	return reason;
}

/*
 * Already public: an endpoint that writes our outside address (STUN, static
 * NAT) keeps it, and its Contact gets a pinhole all the same.
 */
static void sip_place_public(struct sip_planner *p, const struct sip_place *at,
			     const struct sip_ap *ap)
{
	struct sip_ap seen;

	if (at->field == SIP_F_CONTACT)
		sip_plan_answer(p, sip_place_ask(p, at, ap, true, &seen), at->hp->host.off);
}

static void sip_place_edit(struct sip_planner *p, const struct sip_place *at,
			   const struct sip_hostport *host, const struct sip_ap *seen)
{
	if (!sip_ip_equal(&host->ip, &seen->ip))
		sip_plan_write_ip(p, at->field, host->host, &seen->ip);
	sip_plan_edit_port(p, at, seen->port);
	if (sip_place_has_maddr(at, host))
		sip_plan_edit_ip(p, at->field, at->maddr->host, &seen->ip);
}

static inline void sip_place_remember(struct sip_planner *p, const struct sip_place *at,
				      const struct sip_hostport *host, const struct sip_ap *ap,
				      const struct sip_ap *seen, bool mapped, bool ours)
{
	struct sip_addr_fact *fact;
	enum sip_field field = at->field;

	if (field == SIP_F_VIA_SENT_BY && host == at->maddr)
		field = SIP_F_VIA_MADDR;
	fact = sip_plan_fact(p, field, host->host.off);
	if (!fact)
		return;
	sip_place_written(p, at, host, &fact->written);
	fact->mapped = mapped;
	fact->ours = ours;
	fact->transport = sip_place_transport(p, at);
	fact->user = at->user;
	fact->uri = at->uri;
	fact->real = *ap;
	fact->seen = *seen;
	fact->expires = at->expires;
	if (field == SIP_F_CONTACT || field == SIP_F_RECORD_ROUTE)
		sip_plan_peer(p, field, seen);
}

/**
 * sip_place_map() - the sender's end of a place (RFC 3261 8.1.1.8, 18.1.1)
 * @p: the planner
 * @at: the place
 * @seen: what it names now, if it was mapped
 *
 * maddr= counts in place of the host where the host is another's. A sent-by is
 * remembered also where it is kept, because only memory tells a kept one from
 * a mapped one in the response.
 *
 * Return: true if it was mapped: the receiver's end then passes it over.
 */
bool sip_place_map(struct sip_planner *p, const struct sip_place *at, struct sip_ap *seen)
{
	const struct sip_end *snd = &p->ctx->snd;
	const struct sip_hostport *host = at->hp;
	enum sip_reason reason;
	struct sip_ap ap;
	const struct sip_ap *is_now = &ap;
	bool ours = sip_end_has(snd, host);
	bool mapped = false;

	if (!ours && sip_end_has(snd, at->maddr)) {
		host = at->maddr;
		ours = true;
	}
	if (!sip_place_ap(at, host, &ap))
		return false;
	if (!ours && at->field != SIP_F_VIA_SENT_BY)
		return false;
	if (host->host.len + at->hp->port.len > SIP_MAX_WRITTEN) {
		sip_plan_note(p, SIP_R_BAD_VALUE, host->host.off);
		return false;
	}
	if (!ours || sip_ap_equal(&ap, &snd->seen) || !sip_ip_equal(&ap.ip, &snd->real.ip)) {
		if (ours)
			sip_place_public(p, at, &ap);
	} else {
		reason = sip_place_seen(p, at, &ap, seen);
		ours = !reason;
		if (ours) {
			sip_place_edit(p, at, host, seen);
			is_now = seen;
			mapped = p->natted;
		} else {
			sip_plan_answer(p, reason, host->host.off);
		}
	}
	if (at->field != SIP_F_REFER_TO)
		sip_place_remember(p, at, host, &ap, is_now, mapped, ours);
	return mapped;
}

/* ---- in: unmap ---------------------------------------------------------- */

static bool sip_place_was(struct sip_planner *p, const struct sip_place *at,
			  const struct sip_hostport *host, struct sip_written *written)
{
	const struct sip_msg *msg = p->msg;
	struct sip_unmap_query q = {
		.field = at->field,
		.transport = sip_place_transport(p, at),
		.user = msg->buf + at->user.off,
		.user_len = at->user.len,
		.branch = msg->buf + msg->via.branch.off,
		.branch_len = msg->via.branch.len,
		.method = msg->method,
		.to_tag = msg->to_tag.len != 0,
	};
	enum sip_reason reason;

	if (!sip_end_is_natted(&p->ctx->rcv) || !sip_place_ap(at, host, &q.ap))
		return false;
	if (at->field == SIP_F_VIA_SENT_BY && host == at->maddr)
		q.field = SIP_F_VIA_MADDR;
	reason = p->ctx->ops->unmap(p->ctx->priv, &q, written);
	sip_plan_answer(p, reason, host->host.off);
	return reason == SIP_R_OK;
}

/**
 * sip_place_unmap() - the receiver's end of a place (RFC 3261 12.2.2, 18.1.2)
 * @p: the planner
 * @at: the place
 *
 * Return: true if it was ours and has its old text back.
 */
bool sip_place_unmap(struct sip_planner *p, const struct sip_place *at)
{
	const struct sip_hostport *host = at->hp;
	const struct sip_hostport *maddr = at->maddr;
	struct sip_written was;

	was.maddr = false;
	if (!sip_place_was(p, at, host, &was)) {
		if (!maddr || sip_ip_equal(&maddr->ip, &host->ip))
			return false;
		host = maddr;
		if (!sip_place_was(p, at, host, &was))
			return false;
	}
	sip_plan_edit(p, at->field, host->host.off, host->host.len, was.text, was.host_len);
	sip_plan_restore_port(p, at, &was);
	if (was.maddr && sip_place_has_maddr(at, host))
		sip_plan_edit(p, at->field, maddr->host.off, maddr->host.len, was.text,
			      was.host_len);
	return true;
}
