// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan_media.c - the streams of one session description: asked for, mapped.
 *
 * The address map is asked for the outside pair of each stream, and the text
 * follows the answer: c=, m=, a=rtcp, and the host candidates that have to
 * agree with them (RFC 8839 5.4).
 *
 * Called by plan_sdp.c. What is decided here compares addresses as numbers;
 * text is only written where the number changes.
 */
#include "planner.h"

#define SDP_PORT_LOW 1024u

/* ---- streams ------------------------------------------------------------ */

static inline const struct sdp_stream *sip_fact_stream(const struct sip_body *b,
						       const struct sip_media_fact *fact)
{
	const struct sdp_stream *stream = &b->sdp->stream[fact->stream];

	stream = sip_once(stream);
	return stream;
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

/* Already what the other side sees, not what the sender is (STUN, static NAT). */
static inline bool sip_body_is_public(const struct sip_body *b, const struct sip_ip *ip)
{
	const struct sip_end *snd = &b->p->ctx->snd;

	return b->p->natted && sip_ip_equal(ip, &snd->seen.ip) && !sip_ip_equal(ip, &snd->real.ip);
}

/* Whose address is it? False: one that nothing can be sent to. */
static inline bool sip_query_address(const struct sip_body *b, const struct sip_media_fact *fact,
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
	q->public = sip_body_is_public(b, &q->rtp.ip);
	return q->self || q->public || sip_ip_is_unicast(&q->rtp.ip);
}

/* Does a=rtcp name another host than the stream's, or none that could be read? */
static inline bool sip_rtcp_is_elsewhere(const struct sdp_stream *stream, const struct sip_ip *rtp)
{
	const struct sdp_addr *addr = &stream->rtcp_addr;

	return addr->bad || (addr->text.len && !sip_ip_equal(&addr->ip, rtp) &&
			     !sip_ip_is_unspecified(&addr->ip));
}

/*
 * RTCP of the stream, if it has a port of its own that may be opened: at the
 * same host, and not RTP's own, as it is where both are multiplexed.
 */
static inline void sip_query_rtcp(const struct sip_body *b, const struct sip_media_fact *fact,
				  struct sip_media_query *q)
{
	const struct sdp_addr *addr = &q->stream->rtcp_addr;

	q->rtcp.port = 0;
	q->rtcp.ip = q->rtp.ip;
	if (!fact->rtcp.port)
		return;
	if (sip_rtcp_is_elsewhere(q->stream, &q->rtp.ip)) {
		sip_stream_note(b, addr->bad ? SIP_R_BAD_VALUE : SIP_R_OTHER_HOST, addr->text.off);
		return;
	}
	if (fact->rtcp.port == q->rtp.port)
		return;
	if (fact->rtcp.port < SDP_PORT_LOW)
		sip_stream_note(b, SIP_R_LOW_PORT, q->stream->rtcp_port_text.off);
	else
		q->rtcp.port = fact->rtcp.port;
}

/* ---- edits -------------------------------------------------------------- */

/* The numbers are known here: what stays equal needs no second reading. */
static inline void sip_stream_edit_ip(const struct sip_body *b, enum sip_field field,
				      const struct sdp_addr *addr, const struct sip_ip *ip)
{
	if (!sip_ip_equal(&addr->ip, ip))
		sip_plan_write_ip(b->p, field, addr->text, ip);
}

static inline void sip_stream_edit_port(const struct sip_body *b, enum sip_field field,
					struct sip_span digits, u16 old, u16 port)
{
	if (old != port)
		sip_plan_write_number(b->p, field, digits.off, digits.len, port);
}

/* RFC 3605: the port, and the address where there is one. */
static void sip_stream_edit_rtcp(const struct sip_body *b, const struct sdp_stream *stream,
				 const struct sip_ip *old, const struct sip_ap *seen)
{
	if (!seen->port || sip_rule_action(SIP_F_SDP_RTCP, b->out) != SIP_MAP)
		return;
	sip_stream_edit_port(b, SIP_F_SDP_RTCP, stream->rtcp_port_text, stream->rtcp_port,
			     seen->port);
	if (stream->rtcp_addr.text.len && sip_ip_equal(&stream->rtcp_addr.ip, old))
		sip_stream_edit_ip(b, SIP_F_SDP_RTCP, &stream->rtcp_addr, &seen->ip);
}

static inline void sip_stream_edit(const struct sip_body *b, const struct sip_media_fact *fact)
{
	const struct sdp_stream *stream = sip_fact_stream(b, fact);

	if (sip_rule_action(SIP_F_SDP_MEDIA, b->out) == SIP_MAP)
		sip_stream_edit_port(b, SIP_F_SDP_MEDIA, stream->port_text, stream->port,
				     fact->seen.port);
	if (stream->conn.text.len && !fact->hold &&
	    sip_rule_action(SIP_F_SDP_CONN, b->out) == SIP_MAP)
		sip_stream_edit_ip(b, SIP_F_SDP_CONN, &stream->conn, &fact->seen.ip);
	if (!stream->rtcp_port_text.len || stream->proto != SDP_UDP_RTP)
		return;
	if (fact->rtcp.port)
		sip_stream_edit_rtcp(b, stream, &fact->rtp.ip, &fact->seen_rtcp);
	else if (stream->rtcp_port == fact->rtp.port &&
		 !sip_rtcp_is_elsewhere(stream, &fact->rtp.ip))
		sip_stream_edit_rtcp(b, stream, &fact->rtp.ip, &fact->seen);
}

/* This stream became another: it was inside. */
static bool sip_fact_is_edited(const struct sip_body *b, const struct sip_media_fact *fact)
{
	return fact->mapped && !sip_body_is_public(b, &fact->rtp.ip);
}

static inline void sip_streams_edit(const struct sip_body *b)
{
	const struct sip_media_fact *fact = b->first;

	for (; fact < b->end; fact++)
		if (sip_fact_is_edited(b, fact))
			sip_stream_edit(b, fact);
}

/*
 * One stream of an inside sender. A line of a BUNDLE group that is not the
 * tagged one names the same port or port 0 (RFC 9143 7.2, 7.3), and two lines
 * with one port get one mapping anyway: asking twice gives the same answer.
 */
static void sip_stream_map(const struct sip_body *b, struct sip_media_fact *fact)
{
	const struct sdp_stream *stream = sip_fact_stream(b, fact);
	struct sip_media_query q = { .stream = stream, .count = stream->count };
	struct sip_planner *p = b->p;
	struct sip_media_answer a;
	enum sip_reason reason;

	if (!sip_stream_is_mappable(b, stream))
		return;
	if (!sip_query_address(b, fact, &q)) {
		sip_stream_note(b, SIP_R_MULTICAST, sip_stream_conn(b, stream)->text.off);
		return;
	}
	sip_query_rtcp(b, fact, &q);
	reason = p->ctx->ops->map_media(p->ctx->priv, &q, &a);
	if (reason) {
		if (sip_reason_refuses(reason))
			sip_plan_refuse(p, reason, stream->port_text.off);
		else if (!q.existing_only)
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
}

/* ---- session level ------------------------------------------------------ */

/* And it is of the family that is translated. */
static bool sip_fact_is_translated(const struct sip_body *b, const struct sip_media_fact *fact)
{
	return sip_fact_is_edited(b, fact) &&
	       fact->rtp.ip.family == b->p->ctx->snd.seen.ip.family;
}

/* Where all streams have a c= of their own: of one with the same address, or of any. */
static sip_noinline const struct sip_ip *sip_session_spare(const struct sip_body *b)
{
	const struct sip_media_fact *fact = b->first;
	const struct sip_ip *conn = &b->sdp->conn.ip;
	const struct sip_ip *spare = NULL;

	for (; fact < b->end; fact++) {
		if (!sip_stream_is_live(sip_fact_stream(b, fact)) ||
		    !sip_fact_is_translated(b, fact))
			continue;
		if (sip_ip_equal(&fact->rtp.ip, conn))
			return &fact->seen.ip;
		if (!spare)
			spare = &fact->seen.ip;
	}
	return sip_ip_equal(conn, &b->p->ctx->snd.real.ip) ? spare : NULL;
}

/*
 * RFC 8866 5.7: the session's c= is the default of streams without one. It
 * follows those; where all have their own it follows any, as some devices read
 * the session's line all the same.
 */
static inline void sip_session_conn_map(const struct sip_body *b)
{
	const struct sip_media_fact *fact = b->first;
	const struct sdp_addr *conn = &b->sdp->conn;
	const struct sdp_stream *stream;
	const struct sip_ip *ip = NULL;
	bool relied = false;

	if (!conn->text.len || conn->bad || conn->ip.family == SIP_AF_NONE ||
	    sip_ip_is_unspecified(&conn->ip) || sip_rule_action(SIP_F_SDP_CONN, b->out) != SIP_MAP)
		return;
	for (; fact < b->end; fact++) {
		stream = sip_fact_stream(b, fact);
		if (!sip_stream_is_live(stream) || stream->conn.text.len)
			continue;
		relied = true;
		if (!sip_fact_is_translated(b, fact))
			continue;
		if (ip && !sip_ip_equal(ip, &fact->seen.ip)) {
			sip_plan_refuse(b->p, SIP_R_SESSION_CONFLICT, conn->text.off);
			return;
		}
		ip = &fact->seen.ip;
	}
	if (!relied)
		ip = sip_session_spare(b);
	if (ip)
		sip_stream_edit_ip(b, SIP_F_SDP_CONN, conn, ip);
}

/* ---- candidates --------------------------------------------------------- */

/* What a mapped address and port of this description became; NULL: none. */
static const struct sip_ap *sip_body_seen(const struct sip_body *b, const struct sip_ap *ap,
					  bool udp)
{
	const struct sip_media_fact *fact;
	bool tcp;

	for (fact = b->first; fact < b->end; fact++) {
		tcp = b->sdp->stream[fact->stream].proto == SDP_TCP;
		if (tcp == udp || !sip_fact_is_translated(b, fact))
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

	if (sip_rule_action(SIP_F_SDP_CANDIDATE, b->out) != SIP_MAP)
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

/* ---- the whole ---------------------------------------------------------- */

static inline void sip_media_map(const struct sip_body *b, bool held)
{
	const struct sip_plan *plan = b->p->plan;
	struct sip_media_fact *fact = b->first;

	for (; fact < b->end && !plan->reason; fact++)
		if (fact->hold == held)
			sip_stream_map(b, fact);
}

/**
 * sip_media_plan() - ask for the streams of an inside sender, edit their lines
 * @body: the descriptions, their facts made
 * @n: how many
 *
 * A held stream (c=0.0.0.0) has what the call has, this message counted: so it
 * comes when the others of all descriptions are done. Session level and
 * candidates follow the streams. RFC 3264 8.4, 8866 5.7, 5.14, 3605, 4145,
 * 6714, 8839 5.4. Refuses the plan where the address map does, and where one
 * c= would need two addresses.
 */
void sip_media_plan(const struct sip_body *body, u32 n)
{
	const struct sip_body *end = body + n;
	const struct sip_body *b;
	bool any_held = false;
	bool held = false;

	do {
		for (b = body; b < end; b++) {
			sip_media_map(b, held);
			any_held |= b->held;
		}
		held = any_held && !held;
	} while (held);
	if (!n || !body->p->natted)
		return;
	/* In the order of the lines, as most write them. */
	for (b = body; b < end && !b->p->plan->reason; b++) {
		sip_session_conn_map(b);
		sip_streams_edit(b);
		if (b->sdp->n_cands)
			sip_candidates_map(b);
	}
}
