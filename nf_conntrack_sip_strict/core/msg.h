/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * msg.h - a SIP message, read once (RFC 3261 sections 7 and 25).
 */
#ifndef SIP_MSG_H
#define SIP_MSG_H

#include "names.h"
#include "reasons.h"
#include "span.h"

/* What sip_msg_parse() says of a buffer. */
enum sip_parse {
	SIP_PARSE_OK, /* one whole message, msg->total bytes long */
	SIP_PARSE_MORE, /* stream only: a message begins here and is not whole yet */
	SIP_PARSE_NOT_SIP, /* does not begin like SIP: leave it alone */
	SIP_PARSE_KEEPALIVE, /* CRLFs, NULs or a STUN message (RFC 5626): msg->total bytes of it */
	SIP_PARSE_BAD, /* SIP, but malformed: msg->reason at msg->reason_off */
};

/**
 * struct sip_hostport - host [ ":" port ] as it stands in the message
 * @host: the host, without the brackets of an IPv6 reference
 * @port: the digits; len 0: absent
 * @end: offset behind host, bracket, port
 * @host_end: offset behind the host and its bracket (a port is put in here)
 * @ip: the address; family SIP_AF_NONE for a name
 * @port_num: the number; 0: absent
 * @bad_port: where it could not be read: it has a port, which is no number or
 *	above 65535: that is malformed; a host that is none is just kept
 */
struct sip_hostport {
	struct sip_span host;
	struct sip_span port;
	u32 host_end;
	u32 end;
	struct sip_ip ip;
	u16 port_num;
	bool bad_port;
};

/**
 * struct sip_via - one Via value (RFC 3261 section 20.42, RFC 3581)
 * @whole: the value, up to but not including a comma
 * @transport: SIP_T_UDP, …
 * @sent_by: host and port; host.len 0: delimited, but no host
 * @branch: value of branch=; len 0: none (RFC 2543)
 * @received: value of received=, with brackets if it has some
 * @received_ip: its address; @received_host is the span without brackets
 * @has_rport: there is an rport parameter, perhaps without value
 * @rport: its digits; len 0: no value
 * @maddr: host and (absent) port of maddr=; host.len 0: none
 * @bad_number: it could not be read because of a port or rport out of range
 */
struct sip_via {
	struct sip_span whole;
	enum sip_transport transport;
	struct sip_hostport sent_by;
	struct sip_span branch;
	struct sip_span received;
	struct sip_span received_host;
	struct sip_ip received_ip;
	bool has_rport;
	struct sip_span rport;
	u16 rport_num;
	struct sip_hostport maddr;
	bool bad_number;
};

enum sip_scheme { SIP_SCHEME_SIP, SIP_SCHEME_SIPS, SIP_SCHEME_TEL, SIP_SCHEME_OTHER };

/**
 * struct sip_uri - a URI (RFC 3261 section 19.1)
 * @whole: from the scheme to the end of parameters and headers
 * @scheme: SIP_SCHEME_*; all but sip and sips leave the rest empty
 * @user: user part without password; len 0: none
 * @hp: host and port; host.len 0: there is none, or it cannot be read
 * @params: from the first ';' on, without headers; len 0: none
 * @transport: of the transport= parameter; SIP_T_NONE: not said
 * @maddr: host of maddr=; host.len 0: none
 */
struct sip_uri {
	struct sip_span whole;
	enum sip_scheme scheme;
	struct sip_span user;
	struct sip_hostport hp;
	struct sip_span params;
	enum sip_transport transport;
	struct sip_hostport maddr;
};

/**
 * struct sip_header - one field of the index, in the order of the message
 * @line: where the line begins, with the name
 * @id: which one
 * @value: the value, folds included, outer white space not
 */
struct sip_header {
	u32 line;
	u8 id;
	struct sip_span value;
};

/**
 * struct sip_msg - one message, read
 * @buf: the bytes; everything else is offsets into them
 * @len: bytes of the buffer
 * @total: bytes of the message; over UDP what is behind is not part of it.
 *	SIP_PARSE_BAD: where the message ends all the same, 0: cannot be told.
 *	SIP_PARSE_MORE: how many bytes it will have, 0: its head has not ended
 * @reason: for SIP_PARSE_BAD; @reason_off: where
 * @request: request or response
 * @method: of the request, or of CSeq in a response
 * @status: of a response, 100 to 699
 * @ruri: the Request-URI
 * @header: index of the known fields; @n_headers of them. Of Via only the
 *	field of the topmost value is in it
 * @first: per id the first position in @header plus one; 0: absent
 * @repeated: some field is in @header more than once
 * @body: body as Content-Length delimits it (without it: to the end over
 *	UDP, empty over a stream)
 * @content_length: digits of the Content-Length; len 0: absent
 * @call_id: @from_tag, @to_tag: as written, len 0: absent
 * @cseq: sequence number, 0 to 2^32 - 1
 * @via: the topmost Via value
 * @expires: Expires in seconds, -1: absent or unreadable
 * @session_expires: delta-seconds of Session-Expires, -1: absent
 * @notes: bit per reason that was noted and did not stop the reading
 */
struct sip_msg {
	const u8 *buf;
	u32 len;
	u32 total;
	enum sip_reason reason;
	u32 reason_off;
	bool request;
	enum sip_method method;
	u16 status;
	struct sip_span ruri;
	u32 n_headers;
	u8 first[SIP_H_MAX];
	bool repeated;
	struct sip_header header[SIP_MAX_HEADERS];
	struct sip_span body;
	struct sip_span content_length;
	struct sip_span call_id;
	struct sip_span from_tag;
	struct sip_span to_tag;
	u32 cseq;
	struct sip_via via;
	s64 expires;
	s64 session_expires;
	u64 notes;
};

enum sip_parse sip_msg_parse(struct sip_msg *msg, const u8 *buf, u32 len, bool stream);

/* uri.c: also used by plan.c for each value that may have to change */
bool sip_hostport_parse(const u8 *buf, u32 off, u32 end, struct sip_hostport *hp);
bool sip_uri_parse(const u8 *buf, u32 off, u32 end, struct sip_uri *uri);

/* Where none is written: RFC 3261 section 19.1.2, RFC 3263 section 4.2. */
static inline u16 sip_uri_default_port(const struct sip_uri *uri)
{
	return uri->scheme == SIP_SCHEME_SIPS || uri->transport == SIP_T_TLS ? 5061 : 5060;
}

/* via.c */
bool sip_via_parse(const u8 *buf, u32 off, u32 end, struct sip_via *via);

/**
 * struct sip_nameaddr - one value of Contact, Route, … (RFC 3261 section 20.10)
 * @whole: the value, from its first byte to before the comma
 * @star: it is "*"
 * @uri: the URI
 * @params: header parameters behind the URI, from the first ';' on
 * @expires: of expires=, seconds; -1: absent or unreadable
 */
struct sip_nameaddr {
	struct sip_span whole;
	bool star;
	struct sip_uri uri;
	struct sip_span params;
	s64 expires;
};

/*
 * addr.c: walk the values of one header field. *off starts at value.off and
 * ends at its end; empty list elements are passed over. Returns 1: a value;
 * 0: end of the list; -1: this value cannot be delimited, the rest is to be
 * kept as it is.
 */
int sip_nameaddr_next(const u8 *buf, u32 *off, u32 end, struct sip_nameaddr *na);

/* params.c: find ";name=value" in a parameter span, quoted strings respected. */
bool sip_param_find(const u8 *buf, struct sip_span params, const char *name,
		    struct sip_span *value);
bool sip_span_number(const u8 *buf, struct sip_span s, u32 max, u32 *num);
bool sip_span_equal_nocase(const u8 *buf, struct sip_span s, const char *str);

#endif /* SIP_MSG_H */
