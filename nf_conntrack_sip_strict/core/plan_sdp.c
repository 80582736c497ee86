// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan_sdp.c - what to change in session descriptions, and what they open.
 *
 * Where a description is an offer or an answer, each of its streams becomes a
 * fact for the state. Of a sender that is inside, the address map is asked for
 * the outside pair of each stream, and the text follows the answer: c=, m=,
 * a=rtcp, and the host candidates that have to agree with them (RFC 8839 5.4).
 * Of a receiver that is inside, only a=remote-candidates is looked at.
 *
 * Called by sip_plan_make(). What is decided here compares addresses as
 * numbers; text is only written where the number changes.
 */
#include "planner.h"
#include "token.h"

/* Discard: the sender of this line takes no packets on it (RFC 4145 4.1). */
#define SDP_PORT_DISCARD 9u
#define SDP_PORT_LOW 1024u

/**
 * struct sip_body - one description under way
 * @session: its index in plan->sdp; @first: its first fact in plan->media
 * @natted: the sender is seen as another than it is: text may change
 */
struct sip_body {
	struct sip_planner *p;
	const struct sdp_session *sdp;
	u8 session;
	u8 first;
	bool natted;
	enum sip_way out;
};

/* ---- where SDP counts --------------------------------------------------- */

/*
 * Offers and answers (RFC 3261 13.2.1, 3262 5, 3311 5). An ACK to a non-2xx
 * has no body. In a 488 or an answer to OPTIONS SDP only tells abilities.
 */
static bool sip_msg_has_offer_or_answer(const struct sip_msg *msg)
{
	switch (msg->method) {
	case SIP_M_INVITE:
	case SIP_M_PRACK:
	case SIP_M_UPDATE:
		return msg->request || (msg->status > 100 && msg->status < 300);
	case SIP_M_ACK:
		return msg->request;
	default:
		return false;
	}
}

/* ---- streams ------------------------------------------------------------ */

static const struct sdp_addr *sip_stream_conn(const struct sip_body *b,
					      const struct sdp_stream *stream)
{
	return stream->conn.text.len ? &stream->conn : &b->sdp->conn;
}

/* A port that could be mapped: not 0, not 9, not a well-known service. */
static bool sip_stream_is_live(const struct sdp_stream *stream)
{
	return !stream->bad && stream->port >= SDP_PORT_LOW;
}

static void sip_stream_note(const struct sip_body *b, enum sip_reason reason, u32 off)
{
	sip_plan_note(b->p, reason, off);
}

/* What the text says, without judging it. */
static void sip_stream_fact(const struct sip_body *b, u8 i, struct sip_media_fact *fact)
{
	const struct sdp_stream *stream = &b->sdp->stream[i];
	const struct sdp_addr *conn = sip_stream_conn(b, stream);

	memset(fact, 0, sizeof(*fact));
	fact->session = b->session;
	fact->stream = i;
	fact->rtp.ip = conn->ip;
	fact->rtp.port = stream->port;
	fact->hold = stream->port && stream->port != SDP_PORT_DISCARD &&
		     sip_ip_is_unspecified(&conn->ip);
	if (!stream->port || stream->proto != SDP_UDP_RTP)
		return;
	fact->rtcp.ip = conn->ip;
	if (!stream->rtcp_port_text.len) {
		fact->rtcp.port = stream->port < 65535 ? (u16)(stream->port + 1) : 0;
		return;
	}
	if (stream->rtcp_port != SDP_PORT_DISCARD)
		fact->rtcp.port = stream->rtcp_port;
	if (stream->rtcp_addr.text.len)
		fact->rtcp.ip = stream->rtcp_addr.ip;
}

/* Reasons to keep a stream that its own line gives. */
static bool sip_stream_is_mappable(const struct sip_body *b, const struct sdp_stream *stream)
{
	const struct sdp_addr *conn = sip_stream_conn(b, stream);
	u32 off = stream->line.off;
	u32 ports = stream->proto == SDP_UDP_RTP ? 2u * stream->count : stream->count;

	if (stream->bad) {
		sip_stream_note(b, (enum sip_reason)stream->bad, off);
		return false;
	}
	if (!stream->port || stream->port == SDP_PORT_DISCARD)
		return false;
	if (stream->port < SDP_PORT_LOW) {
		sip_stream_note(b, SIP_R_LOW_PORT, stream->port_text.off);
		return false;
	}
	if (stream->count > 1 && stream->port + ports > 65536) {
		sip_stream_note(b, SIP_R_BAD_NUMBER, stream->port_text.off);
		return false;
	}
	if (stream->proto == SDP_PROTO_OTHER)
		return false;
	/* RFC 6714 2: without it the peer compares a=path with To-Path. */
	if (stream->msrp && stream->setup == SDP_PASSIVE && !stream->msrp_cema)
		sip_stream_note(b, SIP_R_MSRP, off);
	if (conn->bad || !conn->text.len) {
		sip_stream_note(b, SIP_R_BAD_VALUE, conn->text.len ? conn->text.off : off);
		return false;
	}
	if (conn->ip.family == SIP_AF_NONE)
		sip_stream_note(b, SIP_R_FQDN, conn->text.off);
	return conn->ip.family != SIP_AF_NONE;
}

/* Whose address is it? False: one that nothing can be sent to. */
static bool sip_query_address(const struct sip_body *b, const struct sip_media_fact *fact,
			      struct sip_media_query *q)
{
	const struct sip_end *snd = &b->p->ctx->snd;

	q->rtp = fact->rtp;
	if (fact->hold) {
		q->rtp.ip = snd->real.ip;
		q->self = true;
		q->existing_only = true;
		return true;
	}
	q->self = sip_ip_equal(&q->rtp.ip, &snd->real.ip);
	q->public = b->natted && !q->self && sip_ip_equal(&q->rtp.ip, &snd->seen.ip);
	return q->self || q->public || sip_ip_is_unicast(&q->rtp.ip);
}

/*
 * RTCP of the stream, if it has a port of its own that may be opened: at the
 * same host, and not RTP's own, as it is where both are multiplexed.
 */
static void sip_query_rtcp(const struct sip_body *b, const struct sip_media_fact *fact,
			   struct sip_media_query *q)
{
	const struct sdp_addr *addr = &q->stream->rtcp_addr;

	q->rtcp.port = 0;
	q->rtcp.ip = q->rtp.ip;
	if (!fact->rtcp.port || fact->rtcp.port == q->rtp.port)
		return;
	if (addr->bad || (!sip_ip_equal(&fact->rtcp.ip, &q->rtp.ip) &&
			  !sip_ip_is_unspecified(&fact->rtcp.ip))) {
		sip_stream_note(b, addr->bad ? SIP_R_BAD_VALUE : SIP_R_OTHER_HOST, addr->text.off);
		return;
	}
	if (fact->rtcp.port < SDP_PORT_LOW)
		sip_stream_note(b, SIP_R_LOW_PORT, q->stream->rtcp_port_text.off);
	else
		q->rtcp.port = fact->rtcp.port;
}

/* ---- edits -------------------------------------------------------------- */

/* The numbers are known here: what stays equal needs no second reading. */
static void sip_stream_edit_ip(const struct sip_body *b, enum sip_field field,
			       const struct sdp_addr *addr, const struct sip_ip *ip)
{
	u8 text[46];

	if (!sip_ip_equal(&addr->ip, ip))
		sip_plan_edit(b->p, field, addr->text.off, addr->text.len, text,
			      sip_ip_format(ip, text));
}

static void sip_stream_edit_port(const struct sip_body *b, enum sip_field field,
				 struct sip_span digits, u16 old, u16 port)
{
	u8 text[6];

	if (old != port)
		sip_plan_edit(b->p, field, digits.off, digits.len, text,
			      sip_port_format(port, text));
}

/* RFC 3605: the port, and the address where there is one. */
static void sip_stream_edit_rtcp(const struct sip_body *b, const struct sip_media_query *q,
				 const struct sip_ap *seen)
{
	const struct sdp_stream *stream = q->stream;

	if (!stream->rtcp_port_text.len || !seen->port ||
	    sip_rule_action(SIP_F_SDP_RTCP, b->out) != SIP_MAP)
		return;
	sip_stream_edit_port(b, SIP_F_SDP_RTCP, stream->rtcp_port_text, stream->rtcp_port,
			     seen->port);
	if (stream->rtcp_addr.text.len && sip_ip_equal(&stream->rtcp_addr.ip, &q->rtp.ip))
		sip_stream_edit_ip(b, SIP_F_SDP_RTCP, &stream->rtcp_addr, &seen->ip);
}

static void sip_stream_edit(const struct sip_body *b, const struct sip_media_query *q,
			    const struct sip_media_answer *a, u16 rtcp_port)
{
	const struct sdp_stream *stream = q->stream;

	if (sip_rule_action(SIP_F_SDP_MEDIA, b->out) == SIP_MAP)
		sip_stream_edit_port(b, SIP_F_SDP_MEDIA, stream->port_text, stream->port,
				     a->rtp.port);
	if (stream->conn.text.len && !q->existing_only &&
	    sip_rule_action(SIP_F_SDP_CONN, b->out) == SIP_MAP)
		sip_stream_edit_ip(b, SIP_F_SDP_CONN, &stream->conn, &a->rtp.ip);
	if (q->rtcp.port)
		sip_stream_edit_rtcp(b, q, &a->rtcp);
	else if (rtcp_port == q->rtp.port)
		sip_stream_edit_rtcp(b, q, &a->rtp);
}

/*
 * One stream of an inside sender. A line of a BUNDLE group that is not the
 * tagged one names the same port or port 0 (RFC 9143 7.2, 7.3), and two lines
 * with one port get one mapping anyway: asking twice gives the same answer.
 */
static void sip_stream_map(const struct sip_body *b, struct sip_media_fact *fact)
{
	const struct sdp_stream *stream = &b->sdp->stream[fact->stream];
	struct sip_media_query q = { .stream = stream, .count = stream->count };
	struct sip_planner *p = b->p;
	struct sip_media_answer a;
	enum sip_reason reason;
	u16 rtcp_port = fact->rtcp.port;

	if (!sip_stream_is_mappable(b, stream))
		return;
	if (!sip_query_address(b, fact, &q)) {
		sip_stream_note(b, SIP_R_MULTICAST, sip_stream_conn(b, stream)->text.off);
		return;
	}
	sip_query_rtcp(b, fact, &q);
	reason = p->ctx->ops->map_media(p->ctx->priv, &q, &a);
	if (sip_reason_refuses(reason)) {
		sip_plan_refuse(p, reason, stream->port_text.off);
		return;
	}
	if (reason) {
		if (!q.existing_only)
			sip_stream_note(b, reason, stream->port_text.off);
		return;
	}
	if (!q.rtcp.port)
		memset(&a.rtcp, 0, sizeof(a.rtcp));
	fact->mapped = true;
	fact->rtp = q.rtp;
	fact->rtcp = q.rtcp;
	fact->seen = a.rtp;
	fact->seen_rtcp = a.rtcp;
	if (b->natted && !q.public)
		sip_stream_edit(b, &q, &a, rtcp_port);
}

/* ---- session level ------------------------------------------------------ */

/* The text of this stream's m= line became another: it was inside. */
static bool sip_fact_is_edited(const struct sip_body *b, const struct sip_media_fact *fact)
{
	return fact->mapped && b->natted &&
	       !sip_ip_equal(&fact->rtp.ip, &b->p->ctx->snd.seen.ip);
}

/**
 * struct sip_session_need - what the streams want of the session's c=
 * @relied: a live stream has no c= of its own
 * @ip: the address that those which were mapped need; NULL: none was
 * @spare: of a mapped stream with a c= of its own, best of the same address
 * @inside: that one has the same address
 * @conflict: two need different addresses
 */
struct sip_session_need {
	bool relied;
	const struct sip_ip *ip;
	const struct sip_ip *spare;
	bool inside;
	bool conflict;
};

static void sip_session_ask(const struct sip_body *b, const struct sip_media_fact *fact,
			    struct sip_session_need *need)
{
	const struct sdp_stream *stream = &b->sdp->stream[fact->stream];
	bool same;

	if (!sip_stream_is_live(stream))
		return;
	need->relied |= !stream->conn.text.len;
	if (!sip_fact_is_edited(b, fact))
		return;
	if (!stream->conn.text.len) {
		need->conflict |= need->ip && !sip_ip_equal(need->ip, &fact->seen.ip);
		need->ip = &fact->seen.ip;
		return;
	}
	same = sip_ip_equal(&fact->rtp.ip, &b->sdp->conn.ip);
	if (!need->spare || (same && !need->inside))
		need->spare = &fact->seen.ip;
	need->inside |= same;
}

/*
 * RFC 8866 5.7: the session's c= is the default of streams without one. It
 * follows those; where all have their own it follows any, as some devices read
 * the session's line all the same.
 */
static void sip_session_conn_map(const struct sip_body *b)
{
	const struct sip_plan *plan = b->p->plan;
	const struct sdp_addr *conn = &b->sdp->conn;
	struct sip_session_need need = { .relied = false };
	u8 i;

	if (!b->natted || !conn->text.len || conn->bad || conn->ip.family == SIP_AF_NONE ||
	    sip_ip_is_unspecified(&conn->ip) || sip_rule_action(SIP_F_SDP_CONN, b->out) != SIP_MAP)
		return;
	for (i = b->first; i < plan->n_media; i++)
		sip_session_ask(b, &plan->media[i], &need);
	if (need.conflict) {
		sip_plan_refuse(b->p, SIP_R_SESSION_CONFLICT, conn->text.off);
		return;
	}
	if (!need.relied) {
		if (!need.inside && !sip_ip_equal(&conn->ip, &b->p->ctx->snd.real.ip))
			return;
		need.ip = need.spare;
	}
	if (need.ip)
		sip_stream_edit_ip(b, SIP_F_SDP_CONN, conn, need.ip);
}

/* ---- candidates --------------------------------------------------------- */

/* What a mapped address and port of this description became; NULL: none. */
static const struct sip_ap *sip_body_seen(const struct sip_body *b, const struct sip_ap *ap,
					  bool udp)
{
	const struct sip_plan *plan = b->p->plan;
	const struct sip_media_fact *fact;
	u8 i;

	for (i = b->first; i < plan->n_media; i++) {
		fact = &plan->media[i];
		if (!sip_fact_is_edited(b, fact) ||
		    udp != (b->sdp->stream[fact->stream].proto != SDP_TCP))
			continue;
		if (sip_ap_equal(ap, &fact->rtp))
			return &fact->seen;
		if (fact->seen_rtcp.port && sip_ap_equal(ap, &fact->rtcp))
			return &fact->seen_rtcp;
	}
	return NULL;
}

/*
 * RFC 8839 5.4: an agent whose default destination is no candidate of its own
 * is taken for one behind an ALG, and ICE is given up. So a host candidate
 * goes with the address that c= and m= name, and no other does.
 */
static void sip_candidates_map(const struct sip_body *b)
{
	const struct sdp_cand *cand;
	const struct sip_ap *seen;
	struct sip_ap ap;
	u8 i;

	if (!b->natted || sip_rule_action(SIP_F_SDP_CANDIDATE, b->out) != SIP_MAP)
		return;
	for (i = 0; i < b->sdp->n_cands; i++) {
		cand = &b->sdp->cand[i];
		if (!cand->host)
			continue;
		ap.ip = cand->addr.ip;
		ap.port = cand->port;
		seen = sip_body_seen(b, &ap, cand->udp);
		if (!seen)
			continue;
		sip_stream_edit_ip(b, SIP_F_SDP_CANDIDATE, &cand->addr, &seen->ip);
		sip_stream_edit_port(b, SIP_F_SDP_CANDIDATE, cand->port_text, cand->port,
				     seen->port);
	}
}

static struct sip_span sip_next_word(const u8 *buf, u32 *off, u32 end)
{
	struct sip_span word;

	while (*off < end && sip_byte_is_blank(buf[*off]))
		(*off)++;
	word.off = *off;
	while (*off < end && !sip_byte_is_blank(buf[*off]))
		(*off)++;
	word.len = *off - word.off;
	return word;
}

/* RFC 8839 5.2: component address port, repeated; ours become the receiver's. */
static void sip_remote_candidates_unmap(const struct sip_body *b, struct sip_span value)
{
	const struct sip_ctx *ctx = b->p->ctx;
	const u8 *buf = b->p->msg->buf;
	u32 end = value.off + value.len;
	u32 off = value.off;
	struct sip_span host, digits;
	struct sip_ap seen, real;
	u32 port;

	while (off < end && !b->p->plan->reason) {
		sip_next_word(buf, &off, end);
		host = sip_next_word(buf, &off, end);
		digits = sip_next_word(buf, &off, end);
		if (!sip_span_number(buf, digits, 65535, &port) || !port ||
		    !sip_ip_parse(buf + host.off, host.len, &seen.ip))
			continue;
		seen.port = (u16)port;
		if (ctx->ops->unmap_media(ctx->priv, &seen, &real))
			continue;
		sip_plan_edit_ip(b->p, SIP_F_SDP_REMOTE_CANDIDATES, host, &real.ip);
		sip_plan_edit_number(b->p, SIP_F_SDP_REMOTE_CANDIDATES, digits, real.port);
	}
}

/* ---- descriptions and parts --------------------------------------------- */

static void sip_streams_map(const struct sip_body *b, bool hold)
{
	struct sip_plan *plan = b->p->plan;
	u8 i;

	for (i = b->first; i < plan->n_media && !plan->reason; i++)
		if (plan->media[i].hold == hold)
			sip_stream_map(b, &plan->media[i]);
}

static void sip_body_out(const struct sip_body *b)
{
	struct sip_plan *plan = b->p->plan;

	/* A held one has what the call has, this description counted too. */
	sip_streams_map(b, false);
	sip_streams_map(b, true);
	if (!plan->reason)
		sip_session_conn_map(b);
	if (!plan->reason)
		sip_candidates_map(b);
}

static void sip_body_in(const struct sip_body *b)
{
	enum sip_way in = b->p->msg->request ? SIP_REQ_IN : SIP_RSP_IN;
	u8 i;

	if (!sip_end_is_natted(&b->p->ctx->rcv) ||
	    sip_rule_action(SIP_F_SDP_REMOTE_CANDIDATES, in) != SIP_UNMAP)
		return;
	for (i = 0; i < b->sdp->n_streams; i++)
		if (b->sdp->stream[i].remote_cands.len)
			sip_remote_candidates_unmap(b, b->sdp->stream[i].remote_cands);
}

/*
 * A limit. The sender's own description must be mapped in whole or the message
 * not at all; what comes in opens less, and reaches the phone.
 */
static void sip_body_limit(struct sip_planner *p, enum sip_reason reason, u32 off)
{
	if (p->ctx->snd.inside)
		sip_plan_refuse(p, reason, off);
	else
		sip_plan_note(p, reason, off);
}

static void sip_body_notes(struct sip_planner *p, u64 notes, u32 off)
{
	u32 reason;

	if (!notes)
		return;
	for (reason = 1; reason < SIP_R_MAX; reason++)
		if (notes & (1ULL << reason))
			sip_plan_note(p, (enum sip_reason)reason, off);
}

static void sip_body_plan(struct sip_planner *p, struct sip_span body)
{
	struct sip_plan *plan = p->plan;
	struct sip_body b = {
		.p = p,
		.session = plan->n_sdp,
		.first = plan->n_media,
		.natted = sip_end_is_natted(&p->ctx->snd),
		.out = p->msg->request ? SIP_REQ_OUT : SIP_RSP_OUT,
	};
	struct sdp_session *sdp;
	enum sip_reason reason;
	u8 i;

	if (plan->n_sdp >= SIP_MAX_SDP) {
		sip_body_limit(p, SIP_R_TOO_MANY_PARTS, body.off);
		return;
	}
	sdp = &plan->sdp[plan->n_sdp];
	b.sdp = sdp;
	reason = sdp_parse(p->msg->buf, body, sdp);
	if (reason == SIP_R_BAD_SDP) {
		sip_plan_note(p, reason, sdp->reason_off);
		return;
	}
	sip_body_notes(p, sdp->notes, sdp->reason_off ? sdp->reason_off : body.off);
	if (reason || plan->n_media + sdp->n_streams > SIP_MAX_STREAMS)
		sip_body_limit(p, SIP_R_TOO_MANY_STREAMS, reason ? sdp->reason_off : body.off);
	if (plan->reason)
		return;
	plan->n_sdp++;
	for (i = 0; i < sdp->n_streams && plan->n_media < SIP_MAX_STREAMS; i++)
		sip_stream_fact(&b, i, &plan->media[plan->n_media++]);
	if (p->ctx->snd.inside)
		sip_body_out(&b);
	if (!plan->reason && p->ctx->rcv.inside)
		sip_body_in(&b);
}

static s32 sip_plan_growth(const struct sip_plan *plan, struct sip_span body)
{
	const struct sip_edit *edit;
	s32 delta = 0;
	u32 i;

	for (i = plan->n_edits; i--;) {
		edit = &plan->edit[i];
		if (edit->off < body.off)
			break;
		if (edit->off - body.off < body.len)
			delta += (s32)edit->text_len - (s32)edit->len;
	}
	return delta;
}

/*
 * RFC 2045 6, RFC 3261 20.14: a part that tells its length goes on telling it
 * right. Inner parts have the higher numbers and come first, since the length
 * of theirs counts in the outer.
 */
static void sip_parts_settle(struct sip_planner *p)
{
	struct sip_plan *plan = p->plan;
	struct sip_part *part;
	u32 i, len;

	for (i = plan->parts.n; i--;) {
		part = &plan->parts.part[i];
		part->delta = sip_plan_growth(plan, part->body);
		if (!part->delta || !part->content_length.len)
			continue;
		if (sip_span_number(p->msg->buf, part->content_length, SIP_MAX_MSG, &len) &&
		    (s32)len + part->delta >= 0)
			sip_plan_edit_number(p, SIP_F_CONTENT_LENGTH, part->content_length,
					     (u32)((s32)len + part->delta));
	}
	p->body_delta = plan->parts.n ? plan->parts.part[0].delta : 0;
}

/* SDP that is neither offer nor answer is kept and opens nothing. */
static void sip_parts_pass(struct sip_planner *p)
{
	const struct sip_parts *parts = &p->plan->parts;
	u32 i;

	for (i = 0; i < parts->n; i++)
		if (parts->part[i].sdp)
			sip_plan_note(p, SIP_R_SDP_NO_OFFER, parts->part[i].body.off);
}

/**
 * sip_plan_bodies() - plan the session descriptions of a message
 * @p: the planner, its head done
 *
 * Adds edits, media facts and notes, sets plan->sdp_counts, and p->body_delta
 * to what the body grows by. RFC 3264, 3605, 4145, 6714, 8839, 8866, 9143.
 *
 * Return: SIP_R_OK, or the reason that refuses the plan.
 */
enum sip_reason sip_plan_bodies(struct sip_planner *p)
{
	struct sip_plan *plan = p->plan;
	const struct sip_msg *msg = p->msg;
	enum sip_reason reason;
	u32 i;

	p->body_delta = 0;
	plan->parts.n = 0;
	if (!msg->body.len)
		return SIP_R_OK;
	reason = sip_parts_find(msg, &plan->parts);
	sip_body_notes(p, plan->parts.notes, msg->body.off);
	if (!sip_msg_has_offer_or_answer(msg)) {
		sip_parts_pass(p);
		return SIP_R_OK;
	}
	if (reason)
		sip_body_limit(p, reason, msg->body.off);
	for (i = 0; i < plan->parts.n && !plan->reason; i++)
		if (plan->parts.part[i].sdp)
			sip_body_plan(p, plan->parts.part[i].body);
	plan->sdp_counts = plan->n_sdp;
	if (!plan->reason)
		sip_parts_settle(p);
	return plan->reason;
}
