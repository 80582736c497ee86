// SPDX-License-Identifier: GPL-2.0-only
/*
 * via.c - one Via value (RFC 3261 sections 20.42 and 25.1, RFC 3581).
 */
#include "msg.h"
#include "token.h"

/* protocol-name SLASH protocol-version SLASH transport; 0: cannot be read. */
static u32 sip_via_protocol(const u8 *buf, u32 off, u32 end, struct sip_via *via)
{
	struct sip_span token;
	u32 part = 0;
	u32 i;

	if (end - off > 8 && sip_word(buf + off) == SIP_WORD("SIP/2.0/")) {
		part = 2;
		off = sip_lws(buf, off + 8, end);
	}
	for (;; part++) {
		token.off = off;
		off = sip_run(buf, off, end, SIP_C_TOKEN);
		token.len = off - token.off;
		if (!token.len)
			return 0;
		i = sip_lws(buf, off, end);
		if (part == 2)
			break;
		if (i == end || buf[i] != '/')
			return 0;
		off = sip_lws(buf, i + 1, end);
	}
	via->transport = sip_transport_lookup(buf, token);
	return i == off ? 0 : i;
}

/*
 * Something that stands where a host should and is none, such as an IPv6
 * address without brackets: the value is kept, so only its end matters.
 */
static u32 sip_via_no_host(const u8 *buf, u32 off, u32 end, struct sip_via *via)
{
	u32 i = sip_run(buf, off, end, SIP_C_PARAM);

	via->bad_number = via->sent_by.bad_port;
	if (i == off || via->bad_number)
		return 0;
	sip_hostport_clear(&via->sent_by);
	via->sent_by.host.off = off;
	via->sent_by.host_end = i;
	via->sent_by.end = i;
	return i;
}

/* RFC 3581 section 3; brackets around IPv6 are tolerated (RFC 5118 4.5). */
static void sip_via_received(const u8 *buf, struct sip_span value, struct sip_via *via)
{
	struct sip_span host = value;

	if (via->received.len || !value.len)
		return;
	if (value.len > 2 && buf[value.off] == '[' && buf[value.off + value.len - 1] == ']') {
		host.off++;
		host.len -= 2;
	}
	via->received = value;
	via->received_host = host;
	sip_ip_parse(buf + host.off, host.len, &via->received_ip);
}

static void sip_via_maddr(const u8 *buf, struct sip_span value, struct sip_via *via)
{
	u32 end = value.off + value.len;

	if (via->maddr.host.len)
		return;
	if (!sip_hostport_parse(buf, value.off, end, &via->maddr) || via->maddr.end != end ||
	    via->maddr.port.len)
		sip_hostport_clear(&via->maddr);
}

static bool sip_via_rport(const u8 *buf, struct sip_span value, struct sip_via *via)
{
	u32 port;

	if (via->has_rport)
		return true;
	via->has_rport = true;
	if (!value.len)
		return true;
	if (!sip_span_number(buf, value, 65535, &port)) {
		via->bad_number = true;
		return false;
	}
	via->rport = value;
	via->rport_num = (u16)port;
	return true;
}

/* The first of each name counts. */
static bool sip_via_param(const u8 *buf, const struct sip_param *param, struct sip_via *via)
{
	struct sip_span name = param->name;

	switch (name.len) {
	case 5:
		if (SIP_SPAN_IS(buf, name, "rport"))
			return sip_via_rport(buf, param->value, via);
		if (SIP_SPAN_IS(buf, name, "maddr"))
			sip_via_maddr(buf, param->value, via);
		break;
	case 6:
		if (!via->branch.len && SIP_SPAN_IS(buf, name, "branch"))
			via->branch = param->value;
		break;
	case 8:
		if (SIP_SPAN_IS(buf, name, "received"))
			sip_via_received(buf, param->value, via);
		break;
	default:
		break;
	}
	return true;
}

/*
 * The two parameters that nearly all have, as nearly all write them; false:
 * it is another, or written in another way.
 */
static inline bool sip_via_usual(const u8 *buf, u32 *off, u32 end, struct sip_via *via)
{
	u32 i = *off;
	u64 word;

	if (end - i < 9)
		return false;
	word = sip_word_lower(sip_word(buf + i));
	if (word == sip_word((const u8 *)";branch=") && sip_byte_is(buf[i + 8], SIP_C_PARAM)) {
		*off = sip_value_run(buf, i + 8, end);
		if (!via->branch.len) {
			via->branch.off = i + 8;
			via->branch.len = *off - via->branch.off;
		}
		return true;
	}
	if (word << 8 == sip_word((const u8 *)"\0;rport;")) {
		via->has_rport = true;
		*off = i + 6;
		return true;
	}
	return false;
}

static inline void sip_via_clear(struct sip_via *via)
{
	static const struct sip_span none;

	via->whole = none;
	via->transport = SIP_T_NONE;
	sip_hostport_clear(&via->sent_by);
	via->branch = none;
	via->received = none;
	via->received_host = none;
	memset(&via->received_ip, 0, sizeof(via->received_ip));
	via->has_rport = false;
	via->rport = none;
	via->rport_num = 0;
	sip_hostport_clear(&via->maddr);
	via->bad_number = false;
}

/**
 * sip_via_begin() - read a Via value as far as it is written as most are
 * @buf: the message
 * @off: its first byte
 * @end: where to stop at the latest
 * @via: filled in
 *
 * Without blanks but the one before the host; the first parameters, if they
 * are branch= and rport. No line end is in what is read, so it need not be
 * known where the value ends.
 *
 * Return: behind what was read, of which via->whole speaks; 0: nothing was.
 */
u32 sip_via_begin(const u8 *buf, u32 off, u32 end, struct sip_via *via)
{
	u32 i;

	sip_via_clear(via);
	via->whole.off = off;
	if (end - off < 16 || sip_word(buf + off) != SIP_WORD("SIP/2.0/") ||
	    !sip_three_is(buf + off + 8, "udp "))
		return 0;
	via->transport = SIP_T_UDP;
	if (!sip_hostport_at(buf, off + 12, end, false, &via->sent_by))
		return 0;
	i = via->sent_by.end;
	while (sip_via_usual(buf, &i, end, via))
		;
	via->whole.len = i - off;
	return i;
}

/* What stands before the parameters, in whatever form; 0: cannot be read. */
static sip_noinline u32 sip_via_odd(const u8 *buf, u32 off, u32 end, struct sip_via *via)
{
	u32 i;

	sip_via_clear(via);
	via->whole.off = off;
	i = sip_via_protocol(buf, off, end, via);
	if (!i)
		return 0;
	if (sip_hostport_read(buf, i, end, true, &via->sent_by))
		return via->sent_by.end;
	return sip_via_no_host(buf, i, end, via);
}

/**
 * sip_via_parse() - read one Via value (RFC 3261 section 20.42, RFC 3581)
 * @buf: the message
 * @off: its first byte
 * @end: end of the header field; the value ends there or at a comma
 * @via: filled in
 *
 * Return: false if it cannot be read to its end.
 */
bool sip_via_parse(const u8 *buf, u32 off, u32 end, struct sip_via *via)
{
	u32 i = sip_via_begin(buf, off, end, via);
	struct sip_param param;
	int more;

	if (unlikely(!i || (i < end && buf[i] != ';' && buf[i] != ',')))
		i = sip_via_odd(buf, off, end, via);
	if (!i)
		return false;
	while (i < end) {
		more = sip_param_next(buf, &i, end, &param);
		if (more < 0 || (more > 0 && !sip_via_param(buf, &param, via)))
			return false;
		if (!more)
			break;
	}
	while (i > off && (sip_byte_is_blank(buf[i - 1]) || buf[i - 1] == '\n' ||
			   buf[i - 1] == '\r'))
		i--;
	via->whole.len = i - off;
	return true;
}
