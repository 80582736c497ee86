// SPDX-License-Identifier: GPL-2.0-only
/*
 * addr.c - name-addr and addr-spec, and lists of them (RFC 3261 20.10, 25.1).
 *
 * Without angle brackets, what follows a ';' belongs to the header field, not
 * to the URI (RFC 3261 section 20).
 */
#include "msg.h"
#include "token.h"

enum sip_addr_form {
	SIP_ADDR_BAD,
	SIP_ADDR_BRACKETS, /* [ display-name ] "<" URI ">" */
	SIP_ADDR_BARE, /* URI */
};

/*
 * Find where the URI stands. A display name is a quoted string or a row of
 * words; both end at "<". Something without brackets ends at ';', ',' or LWS.
 */
static enum sip_addr_form sip_addr_find(const u8 *buf, u32 *off, u32 end, struct sip_span *uri)
{
	u32 i = *off;
	u32 close;

	if (i < end && buf[i] == '"') {
		if (!sip_quoted(buf, &i, end))
			return SIP_ADDR_BAD;
		if (likely(end - i > 1 && buf[i] == ' ' && buf[i + 1] == '<'))
			i++;
		else
			i = sip_lws(buf, i, end);
		if (i == end || buf[i] != '<')
			return SIP_ADDR_BAD;
	} else if (i < end && buf[i] != '<') {
		i = sip_run(buf, i, end, SIP_C_PLAIN);
	}
	if (i < end && buf[i] == '<') {
		close = sip_find(buf, i, end, '>');
		*off = close + 1;
		uri->off = i + 1;
		uri->len = close - i - 1;
		if (unlikely(!uri->len || buf[i + 1] <= ' ' || buf[close - 1] <= ' '))
			*uri = sip_trim(buf, i + 1, close);
		if (close == end)
			return SIP_ADDR_BAD;
		return SIP_ADDR_BRACKETS;
	}
	*uri = sip_trim(buf, *off, i);
	*off = uri->off + uri->len;
	if (i < end && buf[i] != ';' && buf[i] != ',')
		return SIP_ADDR_BAD;
	return SIP_ADDR_BARE;
}

/*
 * "?" without brackets is ambiguous (RFC 3261 section 20): such a value is
 * delimited, but says nothing.
 */
static void sip_addr_bare(const u8 *buf, struct sip_uri *uri)
{
	struct sip_span whole = uri->whole;
	enum sip_scheme scheme = uri->scheme;
	u32 end = whole.off + whole.len;

	if (sip_find(buf, whole.off, end, '?') == end)
		return;
	memset(uri, 0, sizeof(*uri));
	uri->whole = whole;
	uri->scheme = scheme;
}

static bool sip_addr_params(const u8 *buf, u32 *off, u32 end, struct sip_nameaddr *na)
{
	struct sip_param param;
	u32 begin, last;
	u32 expires;
	int more;

	/* Mostly there are none. */
	last = *off;
	if (last == end) {
		na->whole.len = last - na->whole.off;
		return true;
	}
	begin = sip_lws(buf, *off, end);
	*off = begin;
	while ((more = sip_param_next(buf, off, end, &param)) > 0) {
		last = param.value.off + param.value.len;
		if (na->expires < 0 && SIP_SPAN_IS(buf, param.name, "expires") &&
		    sip_span_number(buf, param.value, 0xffffffffu, &expires))
			na->expires = expires;
	}
	if (more < 0)
		return false;
	na->whole.len = last - na->whole.off;
	if (last > begin) {
		na->params.off = begin;
		na->params.len = last - begin;
	}
	return true;
}

/**
 * sip_nameaddr_next() - the next value of Contact, Route, … (RFC 3261 20.10)
 * @buf: the message
 * @off: in: where to go on; out: behind the value
 * @end: end of the header field
 * @na: filled in
 *
 * Empty list elements are passed over. A value whose end is clear but whose
 * URI is not has an empty na->uri.hp and is to be kept.
 *
 * Return: 1: a value; 0: end of the list; -1: the value at *off has no end
 * that could be told, so it and the rest are to be kept.
 */
int sip_nameaddr_next(const u8 *buf, u32 *off, u32 end, struct sip_nameaddr *na)
{
	return sip_nameaddr_read(buf, off, end, NULL, na);
}

/* The same, with help: see token.h. */
int sip_nameaddr_read(const u8 *buf, u32 *off, u32 end, const struct sip_hostport *known,
		      struct sip_nameaddr *na)
{
	enum sip_addr_form form;
	struct sip_span uri;
	u32 i, close;
	bool clear;

	for (i = *off; i < end; i++) {
		i = sip_lws(buf, i, end);
		if (i == end || buf[i] != ',')
			break;
	}
	*off = i;
	if (i >= end)
		return 0;
	na->whole.off = i;
	na->params.off = 0;
	na->params.len = 0;
	na->expires = -1;
	/* Mostly a URI in brackets, and nothing in it that has to be looked for. */
	close = buf[i] == '<' ? sip_uri_end(buf, i + 1, end) : i;
	clear = close > i + 1 && close < end && buf[close] == '>';
	if (likely(clear)) {
		form = SIP_ADDR_BRACKETS;
		uri.off = i + 1;
		uri.len = close - i - 1;
		i = close + 1;
	} else {
		form = sip_addr_find(buf, &i, end, &uri);
	}
	if (form == SIP_ADDR_BAD)
		return -1;
	na->star = form == SIP_ADDR_BARE && uri.len == 1 && buf[uri.off] == '*';
	sip_uri_read(buf, uri.off, uri.off + uri.len, known, clear, &na->uri);
	if (form == SIP_ADDR_BARE)
		sip_addr_bare(buf, &na->uri);
	if (!sip_addr_params(buf, &i, end, na))
		return -1;
	*off = i;
	return 1;
}

/**
 * sip_tag_find() - the tag of From or To (RFC 3261 sections 20.20, 20.39)
 * @buf: the message
 * @off: where the value of the field begins
 * @end: where it ends
 * @tag: filled in; len 0: none
 *
 * The URI is passed over unread: nothing of it is ever changed.
 *
 * Return: false if the value cannot be read to its end.
 */
bool sip_tag_find(const u8 *buf, u32 off, u32 end, struct sip_span *tag)
{
	struct sip_param param;
	struct sip_span uri;
	int more;

	tag->off = off;
	tag->len = 0;
	if (sip_addr_find(buf, &off, end, &uri) == SIP_ADDR_BAD || !uri.len)
		return false;
	while ((more = sip_param_next(buf, &off, end, &param)) > 0)
		if (!tag->len && SIP_SPAN_IS(buf, param.name, "tag"))
			*tag = param.value;
	return !more && off == end;
}

/*
 * Behind a quoted name and a blank; 0: it is none, or there is a control in it.
 * Not at the end: two more bytes can be read behind what a word has.
 */
static inline u32 sip_name_skip(const u8 *buf, u32 off, u32 end)
{
	u32 i = off + 1;
	u64 hit;

	while (end - i > 9) {
		hit = sip_word_below(sip_word(buf + i), '#');
		if (!hit) {
			i += 8;
			continue;
		}
		i += sip_word_first(hit);
		if (likely(buf[i] == '"'))
			return buf[i - 1] == '\\' ? 0 : i + 1 + (buf[i + 1] == ' ');
		if (buf[i++] < ' ')
			return 0;
	}
	return 0;
}

/**
 * sip_tag_usual() - the same, written as most are
 * @buf: the message
 * @off: where the value of the field begins, not at the begin of the message
 * @end: where to stop at the latest, behind @off
 * @tag: filled in; len 0: none
 *
 * "name" <URI>;tag=value, without the name, or the tag. No line end is in what
 * is read, so it need not be known where the value ends.
 *
 * Return: where it ends; 0: it is written in another way.
 */
u32 sip_tag_usual(const u8 *buf, u32 off, u32 end, struct sip_span *tag)
{
	u32 i;

	tag->off = off;
	tag->len = 0;
	if (buf[off] == '"')
		off = sip_name_skip(buf, off, end);
	if (buf[off] != '<')
		return 0;
	off++;
	i = sip_uri_end(buf, off, end);
	if (end - i < 8 || i == off || buf[i] != '>')
		return 0;
	if (buf[i + 1] != ';')
		return i + 1;
	if (!SIP_BEGINS(sip_word(buf + i), ">;tag=") || !sip_byte_is(buf[i + 6], SIP_C_PARAM))
		return 0;
	tag->off = i + 6;
	i = sip_value_run(buf, tag->off, end);
	tag->len = i - tag->off;
	return i;
}
