// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan_sdp.c - which session descriptions of a message count, and their place.
 *
 * Where a description is an offer or an answer, each of its streams becomes a
 * fact for the state. Of a sender that is inside, plan_media.c maps them; of a
 * receiver that is inside, only a=remote-candidates is looked at. Lengths of
 * the parts around a description follow it.
 *
 * Called by sip_plan_make(). Bounded by the limits of parts and streams.
 */
#include "planner.h"
#include "token.h"

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

/* ---- what comes in ------------------------------------------------------ */

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

/* RFC 8866 5.7, 5.14; RFC 3605 2.1; RFC 3551 11: RTCP on the next port. */
static inline void sip_media_fact_make(const struct sip_body *b, u8 i,
				       struct sip_media_fact *fact)
{
	static const struct sip_ap none;
	const struct sdp_stream *stream = &b->sdp->stream[i];
	const struct sdp_addr *conn = sip_stream_conn(b, stream);

	fact->session = b->session;
	fact->stream = i;
	fact->mapped = false;
	fact->hold = stream->port && stream->port != SDP_PORT_DISCARD &&
		     sip_ip_is_unspecified(&conn->ip);
	fact->rtp.ip = conn->ip;
	fact->rtp.port = stream->port;
	fact->rtcp = none;
	fact->seen = none;
	fact->seen_rtcp = none;
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

/* What the text says of the streams, without judging it; none of them is mapped. */
static void sip_media_facts(struct sip_body *b)
{
	struct sip_plan *plan = b->p->plan;
	struct sip_media_fact *fact = &plan->media[plan->n_media];
	u8 i;

	b->first = fact;
	b->held = false;
	for (i = 0; i < b->sdp->n_streams && plan->n_media < SIP_MAX_STREAMS; i++, fact++) {
		plan->n_media++;
		sip_media_fact_make(b, i, fact);
		b->held |= fact->hold;
	}
	b->end = fact;
}

/* Read a description and put down its facts. */
static void sip_body_open(struct sip_planner *p, struct sip_span body, struct sip_body *b)
{
	struct sip_plan *plan = p->plan;
	struct sdp_session *sdp = &plan->sdp[plan->n_sdp];
	enum sip_reason reason;

	sdp = sip_once(sdp);
	reason = sdp_read(p->msg->buf, body, &p->msg->via.sent_by, sdp);
	if (reason == SIP_R_BAD_SDP) {
		sip_plan_note(p, reason, sdp->reason_off);
		return;
	}
	sip_body_notes(p, sdp->notes, sdp->reason_off ? sdp->reason_off : body.off);
	if (reason || plan->n_media + sdp->n_streams > SIP_MAX_STREAMS)
		sip_body_limit(p, SIP_R_TOO_MANY_STREAMS, reason ? sdp->reason_off : body.off);
	b->p = p;
	b->sdp = sdp;
	b->session = plan->n_sdp++;
	b->out = p->msg->request ? SIP_REQ_OUT : SIP_RSP_OUT;
	sip_media_facts(b);
}

static u32 sip_bodies_open(struct sip_planner *p, struct sip_body *body)
{
	struct sip_plan *plan = p->plan;
	const struct sip_part *part = plan->parts.part;
	u32 i;

	for (i = 0; i < plan->parts.n && !plan->reason; i++, part++) {
		if (!part->sdp)
			continue;
		if (plan->n_sdp < SIP_MAX_SDP)
			sip_body_open(p, part->body, &body[plan->n_sdp]);
		else
			sip_body_limit(p, SIP_R_TOO_MANY_PARTS, part->body.off);
	}
	plan->sdp_counts = plan->n_sdp;
	return plan->n_sdp;
}

/* The sender's end, then the receiver's. */
static void sip_bodies_map(struct sip_planner *p)
{
	struct sip_plan *plan = p->plan;
	struct sip_body body[SIP_MAX_SDP];
	u32 n = sip_bodies_open(p, body);
	u32 i;

	if (p->ctx->snd.inside)
		sip_media_plan(body, n);
	if (p->ctx->rcv.inside)
		for (i = 0; i < n && !plan->reason; i++)
			sip_body_in(&body[i]);
}

/* By the edits in one of several parts. */
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
 * of theirs counts in the outer. The length of the body itself is the message's.
 */
static void sip_parts_settle(struct sip_planner *p, s32 growth)
{
	struct sip_plan *plan = p->plan;
	struct sip_part *part;
	u32 i, len;

	if (likely(plan->parts.n == 1)) {
		plan->parts.part[0].delta = growth;
		p->body_delta = growth;
		return;
	}
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
 * @p: the planner, its head done; the message has a body
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
	u32 before;

	reason = sip_parts_find(msg, &plan->parts);
	sip_body_notes(p, plan->parts.notes, msg->body.off);
	if (!sip_msg_has_offer_or_answer(msg)) {
		sip_parts_pass(p);
		return SIP_R_OK;
	}
	if (reason)
		sip_body_limit(p, reason, msg->body.off);
	before = plan->new_total;
	sip_bodies_map(p);
	if (!plan->reason)
		sip_parts_settle(p, (s32)(plan->new_total - before));
	return plan->reason;
}
