// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz/sip.c - any bytes as a SIP message, a URI, a Via, a list, an address.
 *
 * Promises: every span lies inside of what was given; a message that is whole
 * on a stream is waited for at each of its beginnings, and read the same when
 * more stands behind it; a list is walked to its end; addresses are read as
 * inet_pton() does, and back.
 */
#include <arpa/inet.h>
#include <string.h>

#include "fuzz.h"
#include "token.h"

static struct sip_msg msg, other;

static void hostport_must(const struct sip_hostport *hp, u32 off, u32 end)
{
	MUST(span_within(hp->host, off, end) && span_within(hp->port, off, end));
	MUST(!hp->host.len || (hp->host_end >= hp->host.off + hp->host.len &&
			       hp->end >= hp->host_end && hp->end <= end));
	MUST(hp->host.len || hp->ip.family == SIP_AF_NONE);
	MUST(hp->port.len || !hp->port_num);
}

static void uri_must(const struct sip_uri *uri, u32 off, u32 end)
{
	MUST(span_within(uri->whole, off, end) && span_within(uri->user, off, end));
	MUST(span_within(uri->params, off, end));
	hostport_must(&uri->hp, off, end);
	hostport_must(&uri->maddr, off, end);
}

static void via_must(const struct sip_via *via, u32 off, u32 end)
{
	MUST(span_within(via->whole, off, end) && span_within(via->branch, off, end));
	MUST(span_within(via->received, off, end) && span_within(via->received_host, off, end));
	MUST(span_within(via->rport, off, end) && (via->has_rport || !via->rport.len));
	hostport_must(&via->sent_by, off, end);
	hostport_must(&via->maddr, off, end);
}

static void list_must(const u8 *buf, u32 off, u32 end)
{
	struct sip_nameaddr na;
	u32 at = off;
	u32 last = off;
	int more;

	while ((more = sip_nameaddr_next(buf, &at, end, &na)) > 0) {
		MUST(at > last && at <= end && na.whole.off >= last);
		MUST(span_within(na.whole, off, end) && span_within(na.params, off, end));
		uri_must(&na.uri, na.whole.off, na.whole.off + na.whole.len);
		last = at;
	}
	MUST(more < 0 || at == end);
	MUST(at >= last && at <= end);
}

static void message_must(const u8 *buf, u32 len)
{
	u32 last = 0;
	u32 i;

	MUST(msg.total <= len && msg.total <= SIP_MAX_MSG);
	MUST(msg.body.off + msg.body.len == msg.total);
	for (i = 0; i < msg.n_headers; i++) {
		const struct sip_header *h = &msg.header[i];
		u32 name = sip_run(buf, h->line, h->value.off, SIP_C_TOKEN) - h->line;

		MUST(h->line >= last && name && h->value.off > h->line + name - 1);
		MUST(span_within(h->value, last, msg.body.off) || !h->value.len);
		last = h->value.off + h->value.len;
		MUST(last <= msg.body.off && msg.first[h->id] && msg.first[h->id] <= i + 1);
		MUST(sip_hdr_lookup(buf + h->line, name) == h->id);
		list_must(buf, h->value.off, last);
	}
	MUST(span_within(msg.ruri, 0, msg.body.off) && msg.request == !msg.status);
	MUST(span_within(msg.call_id, 0, msg.body.off) && msg.call_id.len);
	MUST(span_within(msg.from_tag, 0, msg.body.off));
	MUST(span_within(msg.to_tag, 0, msg.body.off));
	MUST(span_within(msg.content_length, 0, msg.body.off));
	via_must(&msg.via, 0, msg.body.off);
}

/* The same spans, and the same of everything that is compared by value. */
static void same_must(void)
{
	MUST(other.total == msg.total && other.n_headers == msg.n_headers);
	MUST(!memcmp(other.header, msg.header, msg.n_headers * sizeof(msg.header[0])) ||
	     msg.n_headers);
	MUST(other.cseq == msg.cseq && other.method == msg.method && other.status == msg.status);
	MUST(!memcmp(&other.via.sent_by.host, &msg.via.sent_by.host, sizeof(struct sip_span)));
	MUST(!memcmp(&other.to_tag, &msg.to_tag, sizeof(struct sip_span)));
	MUST(!memcmp(&other.body, &msg.body, sizeof(struct sip_span)));
}

static void parse_must(const u8 *buf, u32 len, bool stream)
{
	enum sip_parse result = sip_msg_parse(&msg, buf, len, stream);

	switch (result) {
	case SIP_PARSE_OK:
		message_must(buf, len);
		break;
	case SIP_PARSE_MORE:
		MUST(stream && len <= SIP_MAX_MSG && (!msg.total || msg.total > len));
		break;
	case SIP_PARSE_KEEPALIVE:
		MUST(msg.total <= len && (msg.total || (!len && !stream)));
		break;
	case SIP_PARSE_BAD:
		MUST(msg.reason != SIP_R_OK && msg.reason < SIP_R_MAX && msg.reason_off <= len);
		MUST(stream || msg.total <= len);
		break;
	case SIP_PARSE_NOT_SIP:
		MUST(!msg.reason);
		break;
	}
}

/* A whole message on a stream, cut somewhere, and with another one behind. */
static void stream_must(const u8 *buf, u32 len)
{
	enum sip_parse result;
	u32 cut, total;
	u8 *copy;

	if (sip_msg_parse(&msg, buf, len, true) != SIP_PARSE_OK)
		return;
	total = msg.total;
	other = msg;
	MUST(sip_msg_parse(&msg, buf, total, true) == SIP_PARSE_OK);
	same_must();
	for (cut = buf[total - 1] % 7 + 1u; cut < total; cut += 1 + total / 8) {
		copy = malloc(cut);
		MUST(copy);
		memcpy(copy, buf, cut);
		result = sip_msg_parse(&msg, copy, cut, true);
		MUST(result == SIP_PARSE_MORE && (!msg.total || msg.total == total));
		free(copy);
	}
	/* A datagram of just this message says the same, where it has a length. */
	result = sip_msg_parse(&msg, buf, total, false);
	MUST(result == SIP_PARSE_OK);
	same_must();
}

static void address_must(const u8 *buf, u32 len)
{
	struct sip_ip ip, back;
	struct in6_addr six;
	struct in_addr four;
	char text[64];
	bool zeros = false;
	bool is;
	u32 i;

	if (len >= sizeof(text) || memchr(buf, 0, len))
		return;
	memcpy(text, buf, len);
	text[len] = 0;
	is = sip_ip_parse(buf, len, &ip);
	/* inet_pton() refuses zeros before an IPv4 group; here they are decimal. */
	for (i = 0; i + 1 < len; i++)
		zeros = zeros || (text[i] == '0' && text[i + 1] != '.' && text[i + 1] != ':' &&
				  (!i || text[i - 1] == '.' || text[i - 1] == ':'));
	if (inet_pton(AF_INET, text, &four) == 1)
		MUST(is && ip.family == SIP_AF_IP4 && !memcmp(ip.b, &four, 4));
	else if (inet_pton(AF_INET6, text, &six) == 1)
		MUST(is && ip.family == SIP_AF_IP6 && !memcmp(ip.b, &six, 16));
	else
		MUST(!is || zeros);
	if (!is)
		return;
	len = sip_ip_format(&ip, (u8 *)text);
	MUST(len && len <= 45 && sip_ip_parse((u8 *)text, len, &back) && sip_ip_equal(&ip, &back));
}

static void find_must(const u8 *buf, u32 len)
{
	const u8 *at;
	u32 off;

	if (len < 2)
		return;
	at = memchr(buf + 1, buf[0], len - 1);
	MUST(sip_find(buf, 1, len, buf[0]) == (at ? (u32)(at - buf) : len));
	MUST(sip_value_run(buf, 1, len) == sip_run(buf, 1, len, SIP_C_PARAM));
	for (off = 1; off < len && !sip_byte_is(buf[off], SIP_C_NO_URI); off++)
		;
	MUST(sip_uri_is_clear(buf, 1, len) == (off == len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 len = (u32)size;
	struct sip_hostport hp;
	struct sip_span tag, whole = { 0, len };
	struct sip_uri uri;
	struct sip_via via;

	if (size > SIP_MAX_MSG + 64)
		return 0;
	parse_must(data, len, false);
	parse_must(data, len, true);
	stream_must(data, len);

	if (sip_hostport_parse(data, 0, len, &hp))
		hostport_must(&hp, 0, len);
	if (sip_uri_parse(data, 0, len, &uri))
		uri_must(&uri, 0, len);
	if (sip_via_parse(data, 0, len, &via))
		via_must(&via, 0, len);
	if (sip_tag_find(data, 0, len, &tag))
		MUST(span_within(tag, 0, len));
	if (sip_param_find(data, whole, "expires", &tag))
		MUST(span_within(tag, 0, len));
	list_must(data, 0, len);
	address_must(data, len);
	find_must(data, len);
	return 0;
}
