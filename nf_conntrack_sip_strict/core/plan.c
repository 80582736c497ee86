// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan.c - what to change in the head of a message, and what to remember.
 *
 * Walks the header index, Contacts first. For each field that rules.c does not keep,
 * the sender's end is asked first (its own addresses: map), then the
 * receiver's (what we put there for it: unmap). Bodies are plan_sdp.c's.
 *
 * Called with a message that sip_msg_parse() found whole; asks the address map
 * through ctx->ops. Bounded by the limits of struct sip_plan: what does not
 * fit refuses the plan, and a refused plan has neither edits nor facts.
 */
#include "planner.h"
#include "token.h"

/* What the rules do with a place, at the sender's end and the receiver's. */
struct sip_ways {
	bool snd;
	bool rcv;
	enum sip_way out;
	enum sip_way in;
};

/* Contact first: the others may name one, wherever it stands. */
static const struct {
	enum sip_hdr_id id;
	enum sip_field field;
} sip_plan_fields[] = {
	{ SIP_H_CONTACT, SIP_F_CONTACT },
	{ SIP_H_RECORD_ROUTE, SIP_F_RECORD_ROUTE },
	{ SIP_H_ROUTE, SIP_F_ROUTE },
	{ SIP_H_PATH, SIP_F_PATH },
	{ SIP_H_SERVICE_ROUTE, SIP_F_SERVICE_ROUTE },
	{ SIP_H_REFER_TO, SIP_F_REFER_TO },
};

static enum sip_action sip_ways_out(const struct sip_ways *ways, enum sip_field field)
{
	return ways->snd ? sip_rule_action(field, ways->out) : SIP_KEEP;
}

static enum sip_action sip_ways_in(const struct sip_ways *ways, enum sip_field field)
{
	return ways->rcv ? sip_rule_action(field, ways->in) : SIP_KEEP;
}

/* ---- Via ---------------------------------------------------------------- */

/*
 * RFC 3581 section 4: received and rport are the source that the far side saw.
 * Those that show @seen (or the address of our own sent-by) get @real, so that
 * nobody learns two addresses for itself. A port beside another NAT's address
 * is that NAT's.
 */
static void sip_plan_via_source(struct sip_planner *p, const struct sip_end *end,
				const struct sip_ip *sent_by)
{
	const struct sip_via *via = &p->msg->via;

	if (via->received.len) {
		/* A name is nobody's address. */
		if (via->received_ip.family == SIP_AF_NONE)
			return;
		if (!sip_ip_equal(&via->received_ip, &end->seen.ip) &&
		    !(sent_by && sip_ip_equal(&via->received_ip, sent_by)))
			return;
		sip_plan_edit_ip(p, SIP_F_VIA_RECEIVED, via->received_host, &end->real.ip);
	}
	if (via->rport.len && via->rport_num == end->seen.port)
		sip_plan_edit_number(p, SIP_F_VIA_RPORT, via->rport, end->real.port);
}

/*
 * RFC 3261 18.2.1: a server writes the source of a request into its answer. The
 * receiver's end knows by what source it was seen; another one was put there by
 * somebody else's NAT. Some servers just repeat the sent-by.
 */
static void sip_plan_via_beyond(struct sip_planner *p)
{
	const struct sip_via *via = &p->msg->via;

	if (!p->msg->request && via->received_ip.family != SIP_AF_NONE &&
	    !sip_ip_equal(&via->received_ip, &p->ctx->rcv.seen.ip) &&
	    !sip_ip_equal(&via->received_ip, &via->sent_by.ip))
		sip_plan_note(p, SIP_R_OTHER_NAT, via->received_host.off);
}

static void sip_plan_via(struct sip_planner *p, const struct sip_ways *ways)
{
	const struct sip_via *via = &p->msg->via;
	const struct sip_end *rcv = &p->ctx->rcv;
	struct sip_ap seen;
	struct sip_place at = {
		.field = SIP_F_VIA_SENT_BY,
		.hp = &via->sent_by,
		.maddr = via->maddr.host.len ? &via->maddr : NULL,
		.default_port = via->transport == SIP_T_TLS ? 5061 : 5060,
		.flow_port = via->has_rport || p->ctx->transport != SIP_T_UDP,
		.expires = -1,
	};

	/* Something that is no host: the value is kept whole. */
	if (!via->sent_by.host.len) {
		sip_plan_note(p, SIP_R_BAD_VALUE, via->sent_by.host.off);
		return;
	}
	if (sip_ways_out(ways, SIP_F_VIA_SENT_BY) == SIP_MAP) {
		if (via->sent_by.ip.family == SIP_AF_NONE)
			sip_plan_note(p, SIP_R_FQDN, via->sent_by.host.off);
		sip_place_map(p, &at, &seen);
	}
	/* The request's source was ours although its sender is outside. */
	if (sip_ways_out(ways, SIP_F_VIA_RECEIVED) == SIP_UNMAP && !rcv->inside &&
	    sip_end_is_natted(rcv))
		sip_plan_via_source(p, rcv, NULL);
	if (sip_ways_in(ways, SIP_F_VIA_SENT_BY) == SIP_UNMAP && sip_place_unmap(p, &at))
		sip_plan_via_source(p, rcv, &via->sent_by.ip);
	sip_plan_via_beyond(p);
}

/* ---- URIs --------------------------------------------------------------- */

static inline sip_inline void sip_plan_uri(struct sip_planner *p, const struct sip_ways *ways,
					   enum sip_field field, const struct sip_uri *uri,
					   s64 expires)
{
	bool mapped = false;
	bool ours = false;
	struct sip_ap ap;
	struct sip_place at = {
		.field = field,
		.hp = &uri->hp,
		.maddr = uri->maddr.host.len ? &uri->maddr : NULL,
		.default_port = sip_uri_default_port(uri),
		.transport = uri->transport,
		.user = uri->user,
		.uri = uri->whole,
		.expires = expires,
	};

	if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
		return;
	if (!uri->hp.host.len) {
		/* No host is one value kept; a number out of range is malformed. */
		if (uri->hp.bad_port)
			sip_plan_refuse(p, SIP_R_BAD_NUMBER, uri->whole.off);
		else
			sip_plan_note(p, SIP_R_BAD_VALUE, uri->whole.off);
		return;
	}
	if (field == SIP_F_CONTACT && ways->snd && uri->hp.ip.family == SIP_AF_NONE)
		sip_plan_note(p, SIP_R_FQDN, uri->hp.host.off);
	if (sip_ways_out(ways, field) == SIP_MAP)
		mapped = sip_place_map(p, &at, &ap);
	if (!mapped && sip_ways_in(ways, field) == SIP_UNMAP)
		ours = sip_place_unmap(p, &at);
	if (!mapped && !sip_place_ap(&at, at.hp, &ap) && !sip_place_ap(&at, at.maddr, &ap))
		return;
	if (!mapped && !ours)
		sip_plan_peer(p, field, &ap);
	if (field == SIP_F_CONTACT && ways->rcv)
		sip_plan_contact_in(p, &at, &ap, ours);
}

static void sip_plan_ruri(struct sip_planner *p, const struct sip_ways *ways, struct sip_uri *uri)
{
	const struct sip_msg *msg = p->msg;

	if (!msg->request || sip_ways_in(ways, SIP_F_RURI) != SIP_UNMAP)
		return;
	if (sip_uri_parse(msg->buf, msg->ruri.off, msg->ruri.off + msg->ruri.len, uri))
		sip_plan_uri(p, ways, SIP_F_RURI, uri, -1);
}

/* A Path lasts as long as the longest of what it leads to (RFC 3327 section 5.3). */
static s64 sip_plan_expires(struct sip_planner *p, enum sip_field field,
			    const struct sip_nameaddr *na)
{
	if (field == SIP_F_PATH)
		return p->longest < 0 ? -1 : p->longest;
	if (field == SIP_F_CONTACT && p->longest != -1)
		p->longest = na->expires < 0 || na->expires > p->longest ? na->expires :
									   p->longest;
	return na->expires;
}

static void sip_plan_values(struct sip_planner *p, const struct sip_ways *ways,
			    enum sip_field field, struct sip_span value,
			    struct sip_nameaddr *na)
{
	const struct sip_hostport *sent_by = &p->msg->via.sent_by;
	u32 end = value.off + value.len;
	u32 off = value.off;
	int more;

	while (off < end) {
		/* The sender's Contact often is what it writes into its Via. */
		if (likely(sip_nameaddr_known(p->msg->buf, off, end, sent_by, na))) {
			more = 1;
			off = end;
		} else {
			more = sip_nameaddr_read(p->msg->buf, &off, end, sent_by, na);
		}
		if (unlikely(more < 0))
			sip_plan_note(p, SIP_R_BAD_VALUE, off);
		if (more <= 0 || p->plan->reason)
			break;
		if (!na->star)
			sip_plan_uri(p, ways, field, &na->uri, sip_plan_expires(p, field, na));
		else if (field == SIP_F_CONTACT && ways->snd)
			sip_plan_star(p, na->whole.off);
	}
}

/* All fields of one name. Some are read even where kept: they name peers. */
static inline void sip_plan_header(struct sip_planner *p, const struct sip_ways *ways,
				   enum sip_hdr_id id, enum sip_field field,
				   struct sip_nameaddr *na)
{
	const struct sip_msg *msg = p->msg;
	u32 i;

	if (!msg->first[id])
		return;
	if (field != SIP_F_CONTACT && field != SIP_F_RECORD_ROUTE &&
	    sip_ways_out(ways, field) == SIP_KEEP && sip_ways_in(ways, field) == SIP_KEEP)
		return;
	for (i = msg->first[id] - 1u; i < msg->n_headers && !p->plan->reason; i++) {
		if (msg->header[i].id != id)
			continue;
		sip_plan_values(p, ways, field, msg->header[i].value, na);
		if (!msg->repeated)
			break;
	}
}

/* Most messages have none of these. */
static bool sip_plan_has_routes(const struct sip_msg *msg)
{
	return msg->first[SIP_H_RECORD_ROUTE] | msg->first[SIP_H_ROUTE] | msg->first[SIP_H_PATH] |
	       msg->first[SIP_H_SERVICE_ROUTE] | msg->first[SIP_H_REFER_TO];
}

static void sip_plan_headers(struct sip_planner *p, const struct sip_ways *ways,
			     struct sip_nameaddr *na)
{
	u32 n = sip_plan_has_routes(p->msg) ? SIP_ARRAY_SIZE(sip_plan_fields) : 1;
	u32 i;

	for (i = 0; i < n && !p->plan->reason; i++)
		sip_plan_header(p, ways, sip_plan_fields[i].id, sip_plan_fields[i].field, na);
}

/* ---- the body's length and its digest ----------------------------------- */

/*
 * RFC 3261 18.3, 20.14: each Content-Length field says the same: what the body
 * had. @place was kept for the first of them.
 */
static void sip_plan_content_length(struct sip_planner *p, struct sip_edit *place)
{
	const struct sip_msg *msg = p->msg;
	u32 len = (u32)((s32)msg->body.len + p->body_delta);
	u32 i;

	if (!p->body_delta) {
		sip_plan_give_back(p, place);
		return;
	}
	if (!msg->content_length.len)
		return;
	if (place)
		sip_plan_fill_number(p, place, len);
	else
		sip_plan_write_number(p, SIP_F_CONTENT_LENGTH, msg->content_length.off,
				      msg->content_length.len, len);
	if (!msg->repeated)
		return;
	for (i = msg->first[SIP_H_CONTENT_LENGTH]; i < msg->n_headers; i++)
		if (msg->header[i].id == SIP_H_CONTENT_LENGTH)
			sip_plan_write_number(p, SIP_F_CONTENT_LENGTH, msg->header[i].value.off,
					      msg->header[i].value.len, len);
}

static bool sip_span_has(const u8 *buf, u32 off, u32 end, const char *word, u32 len)
{
	struct sip_span head = { off, len };

	return end - off >= len && sip_span_equal_nocase(buf, head, word);
}

/* RFC 7616 3.4: a parameter qop=auth-int, quoted or not, of the credentials. */
static bool sip_credentials_cover_body(const u8 *buf, struct sip_span value)
{
	u32 end = value.off + value.len;
	u32 off = value.off;
	bool quoted = false;
	bool begin = false;
	u32 i;

	for (; off < end; off++) {
		if (quoted) {
			if (buf[off] == '\\')
				off++;
			else if (buf[off] == '"')
				quoted = false;
			continue;
		}
		if (buf[off] == '"') {
			quoted = true;
		} else if (begin && sip_span_has(buf, off, end, "qop", 3)) {
			i = sip_lws(buf, off + 3, end);
			if (i < end && buf[i] == '=') {
				i = sip_lws(buf, i + 1, end);
				if (i < end && buf[i] == '"')
					i++;
				return sip_span_has(buf, i, end, "auth-int", 8);
			}
		}
		begin = buf[off] == ',' || buf[off] <= ' ';
	}
	return false;
}

static void sip_plan_credentials(struct sip_planner *p)
{
	const struct sip_msg *msg = p->msg;
	const struct sip_header *header;
	u32 i;

	if (!msg->first[SIP_H_AUTHORIZATION] && !msg->first[SIP_H_PROXY_AUTHORIZATION])
		return;
	for (i = 0; i < msg->n_headers; i++) {
		header = &msg->header[i];
		if ((header->id == SIP_H_AUTHORIZATION ||
		     header->id == SIP_H_PROXY_AUTHORIZATION) &&
		    sip_credentials_cover_body(msg->buf, header->value))
			sip_plan_note(p, SIP_R_AUTH_INT, header->value.off);
	}
}

static void sip_plan_body(struct sip_planner *p)
{
	struct sip_plan *plan = p->plan;
	struct sip_edit *length;
	u32 before;

	if (!p->msg->body.len)
		return;
	/* It stands before the body, and is known when the body is done. */
	length = sip_plan_reserve(p, SIP_F_CONTENT_LENGTH, p->msg->content_length);
	before = plan->n_edits;
	if (sip_plan_bodies(p))
		return;
	plan->body_changed = plan->n_edits != before;
	sip_plan_content_length(p, length);
	if (plan->body_changed)
		sip_plan_credentials(p);
}

/* ---- the plan ----------------------------------------------------------- */

static void sip_plan_clear(struct sip_plan *plan, const struct sip_msg *msg)
{
	plan->n_edits = 0;
	plan->next_off = 0;
	plan->text_len = 0;
	plan->new_total = msg->total;
	plan->body_changed = false;
	plan->sdp_counts = false;
	plan->n_addrs = 0;
	plan->n_contacts_in = 0;
	plan->n_media = 0;
	plan->parts.n = 0;
	plan->n_sdp = 0;
	plan->n_peers = 0;
}

static void sip_plan_message_notes(struct sip_planner *p)
{
	u32 reason;

	if (!p->msg->notes)
		return;
	for (reason = 1; reason < SIP_R_MAX; reason++)
		if (p->msg->notes & (1ULL << reason))
			sip_plan_note(p, (enum sip_reason)reason, 0);
}

/**
 * sip_plan_make() - decide all edits of a message, and what is to be remembered
 * @plan: filled in
 * @msg: a message that sip_msg_parse() read whole
 * @ctx: the two ends of its path, and the address map
 *
 * The sender's end goes through the "out" column of the rules, then the
 * receiver's through the "in" column: a message between two inside hosts
 * passes both. An end that is not inside is not asked. RFC 3261 sections
 * 8.1.1, 12, 16.4, 16.6, 18; RFC 3581; RFC 3264.
 *
 * Return: SIP_R_OK, or the reason of refusal, which is also in @plan with its
 * offset; a refused plan has no edits and no facts, only notes.
 */
enum sip_reason sip_plan_make(struct sip_plan *plan, const struct sip_msg *msg,
			      const struct sip_ctx *ctx)
{
	struct sip_planner p = {
		.plan = plan, .msg = msg, .ctx = ctx, .longest = SIP_NO_CONTACT,
		.natted = sip_end_is_natted(&ctx->snd),
	};
	struct sip_ways ways = {
		.snd = ctx->snd.inside,
		.rcv = ctx->rcv.inside,
		.out = msg->request ? SIP_REQ_OUT : SIP_RSP_OUT,
		.in = msg->request ? SIP_REQ_IN : SIP_RSP_IN,
	};
	struct sip_nameaddr na;

	plan->reason = SIP_R_OK;
	plan->reason_off = 0;
	plan->n_notes = 0;
	sip_plan_clear(plan, msg);
	if (!ways.snd && !ways.rcv) {
		sip_plan_message_notes(&p);
		return SIP_R_OK;
	}
	sip_plan_ruri(&p, &ways, &na.uri);
	sip_plan_via(&p, &ways);
	if (!plan->reason)
		sip_plan_headers(&p, &ways, &na);
	if (!plan->reason)
		sip_plan_body(&p);
	if (plan->new_total > SIP_MAX_MSG)
		sip_plan_refuse(&p, SIP_R_NO_SPACE, 0);
	/* Behind the planner's own, which say where. */
	sip_plan_message_notes(&p);
	if (plan->reason)
		sip_plan_clear(plan, msg);
	return plan->reason;
}

/**
 * sip_end_is_inside() - do the rules apply to this end of a path?
 * @real: the end as it is
 * @seen: as the other end sees it
 * @both: both ends of the path are translated
 *
 * Where one end is translated, that one is inside; where none is (a plain
 * firewall), both are, and nothing is edited. Where both are, an end that is
 * translated from a global to a private address is an outside one: its source
 * was changed on the way to an inside PBX, in a bridge network for example.
 *
 * Return: true if it may be inside.
 */
bool sip_end_is_inside(const struct sip_ap *real, const struct sip_ap *seen, bool both)
{
	return !both || sip_ip_is_private(&real->ip) || !sip_ip_is_private(&seen->ip);
}
