// SPDX-License-Identifier: GPL-2.0-only
/*
 * uri.c - URIs, and host and port (RFC 3261 sections 19.1 and 25.1).
 */
#include "msg.h"
#include "token.h"

/**
 * sip_reference_read() - read an IPv6 reference (RFC 3261 25.1: IPv6reference)
 * @buf: the message
 * @off: its bracket
 * @end: where to stop at the latest
 * @hp: zeroed; filled in
 *
 * What stands between the brackets and is no IPv6 address names none.
 *
 * Return: false if nothing does.
 */
bool sip_reference_read(const u8 *buf, u32 off, u32 end, struct sip_hostport *hp)
{
	u32 i = sip_run(buf, off + 1, end, SIP_C_IP6);

	if (i == end || buf[i] != ']' || i == off + 1)
		return false;
	hp->host.off = off + 1;
	hp->host.len = i - off - 1;
	hp->host_end = i + 1;
	if (!sip_ip_parse(buf + off + 1, hp->host.len, &hp->ip) || hp->ip.family == SIP_AF_IP4)
		memset(&hp->ip, 0, sizeof(hp->ip));
	return true;
}

/**
 * sip_hostport_read() - read host [ ":" port ] into what is empty
 * @buf: the message
 * @off: first byte of the host
 * @end: where to stop at the latest
 * @lws: it may stand around the colon
 * @hp: zeroed; filled in
 *
 * Return: as sip_hostport_parse().
 */
bool sip_hostport_read(const u8 *buf, u32 off, u32 end, bool lws, struct sip_hostport *hp)
{
	return sip_hostport_at(buf, off, end, lws, hp);
}

/**
 * sip_hostport_parse() - read host [ ":" port ] (RFC 3261 25.1: hostport)
 * @buf: the message
 * @off: first byte of the host
 * @end: where to stop at the latest; what follows at hp->end is the caller's
 * @hp: filled in; host.len 0 if there is none
 *
 * A host name is whatever has the bytes of one, and so is a reference in
 * brackets that is no address: both just name none.
 *
 * Return: false if no host, or something else than a port follows its colon.
 */
bool sip_hostport_parse(const u8 *buf, u32 off, u32 end, struct sip_hostport *hp)
{
	sip_hostport_clear(hp);
	return sip_hostport_read(buf, off, end, false, hp);
}

/**
 * sip_transport_lookup() - a transport by its name (RFC 3261 25.1: transport)
 * @buf: the message
 * @s: the name, in any case
 *
 * Return: the transport; SIP_T_OTHER if it is none that carries SIP here.
 */
enum sip_transport sip_transport_lookup(const u8 *buf, struct sip_span s)
{
	if (SIP_SPAN_IS(buf, s, "udp"))
		return SIP_T_UDP;
	if (SIP_SPAN_IS(buf, s, "tcp"))
		return SIP_T_TCP;
	if (SIP_SPAN_IS(buf, s, "tls"))
		return SIP_T_TLS;
	return SIP_T_OTHER;
}

/* transport= and maddr=, the first of each. */
static void sip_uri_params(const u8 *buf, struct sip_uri *uri)
{
	u32 end = uri->params.off + uri->params.len;
	u32 off = uri->params.off;
	struct sip_param param;
	u32 value;

	while (sip_param_next(buf, &off, end, &param) > 0) {
		value = param.value.off;
		if (SIP_SPAN_IS(buf, param.name, "transport")) {
			if (uri->transport == SIP_T_NONE && param.value.len)
				uri->transport = sip_transport_lookup(buf, param.value);
		} else if (SIP_SPAN_IS(buf, param.name, "maddr")) {
			if (uri->maddr.host.len)
				continue;
			if (sip_hostport_parse(buf, value, value + param.value.len, &uri->maddr) &&
			    uri->maddr.end != value + param.value.len)
				sip_hostport_clear(&uri->maddr);
		}
	}
}

/* What stands behind the scheme. */
static inline void sip_uri_rest(const u8 *buf, u32 off, u32 end,
				const struct sip_hostport *known, struct sip_uri *uri)
{
	u32 at = sip_find(buf, off, end, '@');
	u32 i = off;

	if (at < end) {
		while (i < at && buf[i] != ':')
			i++;
		uri->user.off = off;
		uri->user.len = i - off;
		off = at + 1;
	}
	if (!(known && sip_hostport_known(buf, off, end, known, &uri->hp)) &&
	    !sip_hostport_read(buf, off, end, false, &uri->hp))
		return;
	i = uri->hp.end;
	if (i == end)
		return;
	if (buf[i] != ';' && buf[i] != '?') {
		sip_hostport_clear(&uri->hp);
		return;
	}
	if (buf[i] == ';') {
		uri->params.off = i;
		uri->params.len = sip_find(buf, i, end, '?') - i;
		sip_uri_params(buf, uri);
	}
}

/* Which scheme; *colon is where it ends, 0: there is none. */
static inline enum sip_scheme sip_scheme_read(const u8 *buf, u32 off, u32 end, u32 *colon)
{
	struct sip_span scheme = { off, 3 };

	if (likely(end - off > 3 && sip_three_is(buf + off, "sip:"))) {
		*colon = off + 3;
		return SIP_SCHEME_SIP;
	}
	*colon = sip_run(buf, off, end, SIP_C_TOKEN);
	scheme.len = *colon - off;
	if (!scheme.len || *colon == end || buf[*colon] != ':')
		*colon = 0;
	else if (SIP_SPAN_IS(buf, scheme, "sips"))
		return SIP_SCHEME_SIPS;
	else if (SIP_SPAN_IS(buf, scheme, "tel"))
		return SIP_SCHEME_TEL;
	return SIP_SCHEME_OTHER;
}

/**
 * sip_uri_parse() - read a URI (RFC 3261 section 19.1)
 * @buf: the message
 * @off: its first byte
 * @end: its end; all of it is the URI
 * @uri: filled in
 *
 * The user part may hold ';', '?', ',' and more: all before the first '@' is
 * user and password. Where host and port cannot be read to their end they stay
 * empty, and the URI is to be kept.
 *
 * Return: false if it does not begin with a scheme.
 */
bool sip_uri_parse(const u8 *buf, u32 off, u32 end, struct sip_uri *uri)
{
	return sip_uri_read(buf, off, end, NULL, false, uri);
}

/* The same, with help: see token.h. */
bool sip_uri_read(const u8 *buf, u32 off, u32 end, const struct sip_hostport *known, bool clear,
		  struct sip_uri *uri)
{
	static const struct sip_span none;
	u32 colon;

	uri->whole.off = off;
	uri->whole.len = end - off;
	uri->user = none;
	sip_hostport_clear(&uri->hp);
	sip_uri_clear(uri);
	uri->scheme = sip_scheme_read(buf, off, end, &colon);
	if (!colon)
		return false;
	if ((uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS) &&
	    (clear || sip_uri_is_clear(buf, colon + 1, end)))
		sip_uri_rest(buf, colon + 1, end, known, uri);
	return true;
}
