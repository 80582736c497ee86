// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz/sdp.c - any bytes as a session description, and as a multipart body.
 *
 * Promises: every span lies inside of the body, candidates belong to one
 * stream each, ports that are read stand there, parts lie inside of what
 * encloses them and do not overlap.
 */
#include <string.h>

#include "fuzz.h"

static struct sdp_session sdp;
static struct sip_parts parts;
static struct sip_msg msg;

static void addr_must(const struct sdp_addr *addr, struct sip_span body)
{
	MUST(span_within(addr->text, body.off, body.off + body.len));
	MUST(addr->text.len || addr->ip.family == SIP_AF_NONE);
}

static void port_must(const u8 *buf, struct sip_span text, u16 port, struct sip_span body)
{
	u32 number;

	MUST(span_within(text, body.off, body.off + body.len));
	if (port)
		MUST(sip_span_number(buf, text, 65535, &number) && number == port);
}

static void stream_must(const u8 *buf, const struct sdp_stream *s, struct sip_span body)
{
	u32 end = body.off + body.len;

	MUST(span_within(s->line, body.off, end) && s->line.len);
	port_must(buf, s->port_text, s->port, body);
	port_must(buf, s->rtcp_port_text, s->rtcp_port, body);
	addr_must(&s->conn, body);
	addr_must(&s->rtcp_addr, body);
	MUST(span_within(s->ice_ufrag, body.off, end));
	MUST(span_within(s->remote_cands, body.off, end));
	MUST(s->cand_first + s->n_cands <= sdp.n_cands);
	MUST(s->bad < SIP_R_MAX && (!s->bad || !s->port));
	MUST(s->bad || s->count);
}

static void sdp_must(const u8 *buf, struct sip_span body)
{
	enum sip_reason reason;
	u32 cands = 0;
	u32 i;

	memset(&sdp, 0xa5, sizeof(sdp));
	reason = sdp_parse(buf, body, &sdp);
	MUST(reason == sdp.reason && reason < SIP_R_MAX);
	MUST(sdp.n_streams <= SIP_MAX_STREAMS && sdp.n_cands <= SIP_MAX_CANDIDATES);
	if (reason) {
		MUST(sdp.reason_off >= body.off && sdp.reason_off <= body.off + body.len);
		return;
	}
	addr_must(&sdp.conn, body);
	for (i = 0; i < sdp.n_streams; i++) {
		stream_must(buf, &sdp.stream[i], body);
		cands += sdp.stream[i].n_cands;
	}
	MUST(cands == sdp.n_cands);
	for (i = 0; i < sdp.n_cands; i++) {
		addr_must(&sdp.cand[i].addr, body);
		port_must(buf, sdp.cand[i].port_text, sdp.cand[i].port, body);
	}
}

/* The body behind a header of ours. */
static void parts_must(const char *head, const u8 *body, u32 len)
{
	u32 head_len = (u32)strlen(head);
	u32 i, j, end = head_len + len;
	u8 *buf = malloc(end);

	MUST(buf);
	memcpy(buf, head, head_len);
	memcpy(buf + head_len, body, len);
	memset(&parts, 0xa5, sizeof(parts));
	if (sip_msg_parse(&msg, buf, end, false) != SIP_PARSE_OK) {
		free(buf);
		return;
	}
	MUST(msg.body.off == head_len && msg.body.len == len);
	sip_parts_find(&msg, &parts);
	MUST(parts.n <= SIP_MAX_PARTS);
	for (i = 0; i < parts.n; i++) {
		const struct sip_part *p = &parts.part[i];

		MUST(p->body.off >= head_len && p->body.off <= end &&
		     p->body.len <= end - p->body.off);
		MUST(span_within(p->content_length, head_len, end));
		MUST(p->parent == 0xff || p->parent < i);
		if (p->parent != 0xff) {
			const struct sip_part *up = &parts.part[p->parent];

			MUST(!up->sdp && span_within(p->body, up->body.off,
						     up->body.off + up->body.len));
		}
		for (j = 0; p->sdp && j < i; j++)
			MUST(!parts.part[j].sdp ||
			     parts.part[j].body.off + parts.part[j].body.len <= p->body.off);
		if (p->sdp)
			sdp_must(buf, p->body);
	}
	free(buf);
}

#define HEAD \
	"INVITE sip:b@y SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.20\r\nFrom: <sip:a@x>;tag=1\r\n" \
	"To: <sip:b@y>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Type: "

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_span body = { 0, (u32)size };

	if (size > SIP_MAX_MSG - 1024)
		return 0;
	sdp_must(data, body);
	parts_must(HEAD "application/sdp\r\n\r\n", data, (u32)size);
	parts_must(HEAD "multipart/mixed;boundary=b\r\n\r\n", data, (u32)size);
	parts_must(HEAD "multipart/related; boundary=\"--\"\r\n\r\n", data, (u32)size);
	return 0;
}
