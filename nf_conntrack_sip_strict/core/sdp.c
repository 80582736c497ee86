// SPDX-License-Identifier: GPL-2.0-only
/*
 * sdp.c - read one session description (RFC 8866), in one pass.
 *
 * Only the lines that say where media goes are read: c=, m= and some
 * attributes; of all others it is checked that they are SDP lines. What the
 * session level says is the default of each m= line, so it is collected in a
 * stream of its own that m= lines begin as a copy of.
 *
 * Called by plan_sdp.c. Cost: one look at each byte, and a bounded number of
 * comparisons for each m= line.
 */
#include "scan.h"
#include "sdp.h"
#include "token.h"

/**
 * struct sdp_reader - a description under way
 * @buf: the message
 * @known: an address of the message that was read already, NULL: none
 * @sdp: what is read of it
 * @cur: the m= line that attributes belong to; &level before the first one
 * @level: what the session level says
 * @began: there was a v= line
 */
struct sdp_reader {
	const u8 *buf;
	const struct sip_hostport *known;
	struct sdp_session *sdp;
	struct sdp_stream *cur;
	struct sdp_stream level;
	bool began;
};

/* ---- bytes -------------------------------------------------------------- */

/* Nearly always there are none, or one. */
static inline u32 sdp_skip_blanks(const u8 *buf, u32 off, u32 end)
{
	if (off < end && buf[off] > ' ')
		return off;
	if (likely(end - off > 1 && buf[off] == ' ' && buf[off + 1] > ' '))
		return off + 1;
	while (off < end && sip_byte_is_blank(buf[off]))
		off++;
	return off;
}

/* Where the token at @off ends: at a blank, eight bytes at a time, or at @end. */
static inline u32 sdp_token_end(const u8 *buf, u32 off, u32 end)
{
	u64 hit;

	while (off + 8 <= end) {
		hit = sip_word_blank(sip_word(buf + off));
		if (!hit) {
			off += 8;
			continue;
		}
		off += sip_word_first(hit);
		/* A control is none. */
		if (likely(sip_byte_is_blank(buf[off])))
			return off;
		off++;
	}
	while (off < end && !sip_byte_is_blank(buf[off]))
		off++;
	return off;
}

/* The next token of a line; len 0: there is none. */
static inline struct sip_span sdp_token(const u8 *buf, u32 *off, u32 end)
{
	struct sip_span token = { sdp_skip_blanks(buf, *off, end), 0 };

	*off = sdp_token_end(buf, token.off, end);
	token.len = *off - token.off;
	return token;
}

/* Where a line ends, and where the next one begins. */
struct sdp_eol {
	size_t end;
	size_t next;
};

/*
 * The end of a line, at @off or behind it (RFC 8866 section 5: CRLF, and
 * parsers should accept LF). False: a byte-string has neither NUL nor CR
 * (section 9), and at eol->next is one.
 */
static sip_noinline bool sdp_line_end(const u8 *buf, size_t off, size_t end, struct sdp_eol *eol)
{
	while ((off = sip_scan_control(buf, off, end)) < end) {
		eol->end = off;
		eol->next = off;
		if (!buf[off])
			return false;
		if (buf[off] == '\r') {
			while (off < end && buf[off] == '\r')
				off++;
			if (off < end && buf[off] != '\n')
				return false;
		} else if (buf[off] != '\n') {
			off++;
			continue;
		}
		eol->next = off < end ? off + 1 : end;
		return true;
	}
	eol->end = end;
	eol->next = end;
	return true;
}

static inline bool sdp_port_read(const u8 *buf, struct sip_span digits, u16 *port)
{
	u32 value = 0;
	u32 i;

	for (i = 0; i < digits.len; i++) {
		u32 digit = (u32)buf[digits.off + i] - '0';

		if (digit > 9)
			return false;
		value = value * 10 + digit;
		if (value > 65535)
			return false;
	}
	*port = (u16)value;
	return digits.len != 0;
}

/* ---- c= and addresses --------------------------------------------------- */

/* nettype addrtype: a family that can be ours, or SIP_AF_NONE. */
static u8 sdp_addr_family(const u8 *buf, u32 *off, u32 end)
{
	struct sip_span net, type;

	if (likely(end - *off > 7 && !memcmp(buf + *off, "IN IP4 ", 7))) {
		*off += 7;
		return SIP_AF_IP4;
	}
	net = sdp_token(buf, off, end);
	type = sdp_token(buf, off, end);
	if (!SIP_SPAN_IS(buf, net, "in"))
		return SIP_AF_NONE;
	if (sip_span_equal_nocase(buf, type, "IP4"))
		return SIP_AF_IP4;
	return sip_span_equal_nocase(buf, type, "IP6") ? SIP_AF_IP6 : SIP_AF_NONE;
}

static inline bool sdp_ip_read(const struct sdp_reader *r, u32 off, u32 len, struct sip_ip *ip)
{
	if (!sip_host_is(r->buf, off, len, r->known))
		return sip_ip_parse(r->buf + off, len, ip);
	*ip = r->known->ip;
	return true;
}

/* RFC 8866 5.7: nettype addrtype address [/ttl] [/count]. */
static sip_noinline bool sdp_addr_other(const struct sdp_reader *r, u32 off, u32 end,
					struct sdp_addr *addr)
{
	const u8 *buf = r->buf;
	u8 family = sdp_addr_family(buf, &off, end);
	u32 i;

	off = sdp_skip_blanks(buf, off, end);
	addr->text.off = off;
	addr->text.len = end - off;
	/* Mostly it is all that is left. */
	if (likely(family && sip_ip_parse(buf + off, end - off, &addr->ip) &&
		   addr->ip.family == family))
		return true;
	for (i = off; i < end && !sip_byte_is_blank(buf[i]) && buf[i] != '/'; i++)
		;
	addr->text.len = i - off;
	if (i == off)
		return false;
	if (!family || !sip_ip_parse(buf + off, i - off, &addr->ip) ||
	    addr->ip.family != family)
		memset(&addr->ip, 0, sizeof(addr->ip));
	return true;
}

/* The same; mostly it is the one that is known. */
static inline bool sdp_addr_read(const struct sdp_reader *r, u32 off, u32 end,
				 struct sdp_addr *addr)
{
	if (end - off < 15 || !SIP_BEGINS(sip_word(r->buf + off), "IN IP4 ") ||
	    !sip_host_is(r->buf, off + 7, end - off - 7, r->known))
		return sdp_addr_other(r, off, end, addr);
	addr->text.off = off + 7;
	addr->text.len = end - off - 7;
	addr->ip = r->known->ip;
	return true;
}

static sip_noinline void sdp_conn_read(struct sdp_reader *r, u32 line, u32 off, u32 end)
{
	struct sdp_addr *conn = r->cur == &r->level ? &r->sdp->conn : &r->cur->conn;

	if (conn->text.len) {
		conn->bad = true;
	} else if (!sdp_addr_read(r, off, end, conn)) {
		conn->text.off = line;
		conn->text.len = end - line;
		conn->bad = true;
	}
}

/* ---- m= ----------------------------------------------------------------- */

/* Is @word one of the parts of a proto like UDP/TLS/RTP/SAVPF? */
static bool sdp_proto_has(const u8 *buf, struct sip_span proto, const char *word)
{
	struct sip_span part = { proto.off, 0 };
	u32 end = proto.off + proto.len;
	u32 i;

	for (i = proto.off; i <= end; i++) {
		if (i < end && buf[i] != '/')
			continue;
		part.len = i - part.off;
		if (sip_span_equal_nocase(buf, part, word))
			return true;
		part.off = i + 1;
	}
	return false;
}

static bool sdp_proto_begins(const u8 *buf, struct sip_span proto, const char *word)
{
	proto.len = sip_find(buf, proto.off, proto.off + proto.len, '/') - proto.off;
	return sip_span_equal_nocase(buf, proto, word);
}

/*
 * RFC 8866 8.2.2 and the registry: RTP has a second port for RTCP. What runs
 * on SCTP or DCCP itself, or is unknown, is no port that we could open.
 */
static enum sdp_proto sdp_proto_read(const u8 *buf, struct sip_span proto)
{
	if (likely(proto.len > 4 && !memcmp(buf + proto.off, "RTP/", 4)))
		return SDP_UDP_RTP;
	if (sdp_proto_begins(buf, proto, "RTP"))
		return SDP_UDP_RTP;
	if (sdp_proto_begins(buf, proto, "TCP"))
		return SDP_TCP;
	if (sdp_proto_begins(buf, proto, "UDP"))
		return sdp_proto_has(buf, proto, "RTP") ? SDP_UDP_RTP : SDP_UDP_RAW;
	if (sdp_proto_begins(buf, proto, "udptl") ||
	    sip_span_equal_nocase(buf, proto, "DTLS/SCTP"))
		return SDP_UDP_RAW;
	return SDP_PROTO_OTHER;
}

static enum sdp_kind sdp_kind_read(const u8 *buf, struct sip_span kind)
{
	const u8 *word = buf + kind.off;

	if (kind.len != 5)
		return SDP_OTHER;
	if (!memcmp(word, "audio", 5))
		return SDP_AUDIO;
	if (!memcmp(word, "video", 5))
		return SDP_VIDEO;
	return memcmp(word, "image", 5) ? SDP_OTHER : SDP_IMAGE;
}

/* port [ "/" number of ports ], with blanks around the slash. */
static u32 sdp_media_port_read(const u8 *buf, u32 off, u32 end, struct sdp_stream *stream)
{
	struct sip_span *digits = &stream->port_text;
	struct sip_span count;
	u32 slash;
	u64 port;

	off = sdp_skip_blanks(buf, off, end);
	digits->off = off;
	stream->count = 1;
	off = sip_digits(buf, off, end, &port);
	if (likely(off > digits->off && off < end && buf[off] == ' ' && port <= 65535)) {
		stream->port = (u16)port;
		digits->len = off - digits->off;
		/* Mostly a proto follows. */
		if (likely(off + 1 < end && buf[off + 1] > '/'))
			return off + 1;
	} else {
		while (off < end && buf[off] != '/' && !sip_byte_is_blank(buf[off]))
			off++;
		digits->len = off - digits->off;
		if (!sdp_port_read(buf, *digits, &stream->port))
			stream->bad = SIP_R_BAD_NUMBER;
	}
	slash = sdp_skip_blanks(buf, off, end);
	if (slash == end || buf[slash] != '/')
		return off;
	off = slash + 1;
	count = sdp_token(buf, &off, end);
	if (!sdp_port_read(buf, count, &stream->count) || !stream->count)
		stream->bad = SIP_R_BAD_NUMBER;
	return off;
}

static sip_noinline bool sdp_media_read(struct sdp_reader *r, u32 line, u32 off, u32 end)
{
	struct sdp_session *sdp = r->sdp;
	struct sdp_stream *stream;
	struct sip_span proto;

	if (sdp->n_streams >= SIP_MAX_STREAMS)
		return false;
	stream = &sdp->stream[sdp->n_streams++];
	stream = sip_once(stream);
	*stream = r->level;
	r->cur = stream;
	stream->cand_first = sdp->n_cands;
	stream->line.off = line;
	stream->line.len = end - line;
	if (likely(end - off > 6 && !memcmp(r->buf + off, "audio ", 6))) {
		stream->kind = SDP_AUDIO;
		off += 6;
	} else {
		stream->kind = (u8)sdp_kind_read(r->buf, sdp_token(r->buf, &off, end));
	}
	off = sdp_media_port_read(r->buf, off, end, stream);
	proto = sdp_token(r->buf, &off, end);
	stream->proto = (u8)sdp_proto_read(r->buf, proto);
	stream->msrp = stream->proto == SDP_TCP && sdp_proto_has(r->buf, proto, "MSRP");
	if (!proto.len && !stream->bad)
		stream->bad = SIP_R_BAD_VALUE;
	if (stream->bad)
		stream->port = 0;
	return true;
}

/* ---- a= ----------------------------------------------------------------- */

/*
 * What stands behind an attribute's name (RFC 8866 section 5.13): its value,
 * empty where it has none. Blanks around the colon are tolerated. False: the
 * name goes on, it is another one.
 */
static bool sdp_attr_value(const u8 *buf, u32 off, u32 end, struct sip_span *value)
{
	off = sdp_skip_blanks(buf, off, end);
	value->off = end;
	value->len = 0;
	if (off == end)
		return true;
	if (buf[off] != ':')
		return false;
	value->off = sdp_skip_blanks(buf, off + 1, end);
	while (end > value->off && sip_byte_is_blank(buf[end - 1]))
		end--;
	value->len = end - value->off;
	return true;
}

/* Names compare with case. */
static inline bool sdp_attr_is(const u8 *buf, u32 off, u32 end, const char *name, u32 len,
			       struct sip_span *value)
{
	if (end - off < len || memcmp(buf + off, name, len))
		return false;
	value->off = end;
	value->len = 0;
	return end - off == len || sdp_attr_value(buf, off + len, end, value);
}

#define SDP_ATTR_IS(r, off, end, name, value) \
	sdp_attr_is((r)->buf, off, end, name, sizeof(name) - 1, value)

/* RFC 3605 2.1: port [nettype addrtype address]. */
static void sdp_rtcp_read(struct sdp_reader *r, struct sip_span value)
{
	struct sdp_stream *stream = r->cur;
	u32 end = value.off + value.len;
	u32 off = value.off;

	if (stream == &r->level || stream->rtcp_port_text.len)
		return;
	stream->rtcp_port_text = sdp_token(r->buf, &off, end);
	if (!sdp_port_read(r->buf, stream->rtcp_port_text, &stream->rtcp_port))
		r->sdp->notes |= 1ULL << SIP_R_BAD_NUMBER;
	off = sdp_skip_blanks(r->buf, off, end);
	if (off == end || sdp_addr_read(r, off, end, &stream->rtcp_addr))
		return;
	stream->rtcp_addr.text.off = off;
	stream->rtcp_addr.text.len = end - off;
	stream->rtcp_addr.bad = true;
}

/*
 * RFC 8839 5.1: foundation component transport priority address port "typ"
 * type. One that cannot be read to its type is kept and not counted.
 */
static void sdp_cand_read(struct sdp_reader *r, struct sip_span value)
{
	struct sdp_session *sdp = r->sdp;
	struct sdp_cand *cand = &sdp->cand[sdp->n_cands];
	u32 end = value.off + value.len;
	struct sip_span word[8];
	u32 off = value.off;
	u32 i;

	if (r->cur == &r->level)
		return;
	if (sdp->n_cands >= SIP_MAX_CANDIDATES) {
		sdp->notes |= 1ULL << SIP_R_TOO_MANY_STREAMS;
		return;
	}
	for (i = 0; i < SIP_ARRAY_SIZE(word); i++)
		word[i] = sdp_token(r->buf, &off, end);
	if (!SIP_SPAN_IS(r->buf, word[6], "typ"))
		return;
	if (!sdp_port_read(r->buf, word[5], &cand->port)) {
		sdp->notes |= 1ULL << SIP_R_BAD_NUMBER;
		return;
	}
	cand->port_text = word[5];
	cand->addr.text = word[4];
	cand->addr.bad = false;
	if (!sdp_ip_read(r, word[4].off, word[4].len, &cand->addr.ip))
		memset(&cand->addr.ip, 0, sizeof(cand->addr.ip));
	cand->udp = SIP_SPAN_IS(r->buf, word[2], "udp");
	cand->host = SIP_SPAN_IS(r->buf, word[7], "host");
	sdp->n_cands++;
	r->cur->n_cands++;
}

static void sdp_setup_read(struct sdp_reader *r, struct sip_span value)
{
	if (SIP_SPAN_IS(r->buf, value, "active"))
		r->cur->setup = SDP_ACTIVE;
	else if (SIP_SPAN_IS(r->buf, value, "passive"))
		r->cur->setup = SDP_PASSIVE;
	else if (SIP_SPAN_IS(r->buf, value, "actpass"))
		r->cur->setup = SDP_ACTPASS;
	else if (SIP_SPAN_IS(r->buf, value, "holdconn"))
		r->cur->setup = SDP_HOLDCONN;
}

static void sdp_attr_r_read(struct sdp_reader *r, u32 off, u32 end)
{
	struct sip_span value;

	if (SDP_ATTR_IS(r, off, end, "rtcp", &value)) {
		sdp_rtcp_read(r, value);
	} else if (SDP_ATTR_IS(r, off, end, "rtcp-mux", &value)) {
		r->cur->rtcp_mux = true;
	} else if (SDP_ATTR_IS(r, off, end, "recvonly", &value)) {
		r->cur->dir = SDP_RECVONLY;
	} else if (SDP_ATTR_IS(r, off, end, "remote-candidates", &value)) {
		if (r->cur != &r->level && !r->cur->remote_cands.len)
			r->cur->remote_cands = value;
	}
}

static void sdp_attr_s_read(struct sdp_reader *r, u32 off, u32 end)
{
	struct sip_span value;

	if (SDP_ATTR_IS(r, off, end, "sendrecv", &value))
		r->cur->dir = SDP_SENDRECV;
	else if (SDP_ATTR_IS(r, off, end, "sendonly", &value))
		r->cur->dir = SDP_SENDONLY;
	else if (SDP_ATTR_IS(r, off, end, "setup", &value))
		sdp_setup_read(r, value);
}

static sip_noinline void sdp_attr_read(struct sdp_reader *r, u32 off, u32 end)
{
	struct sip_span value;

	switch (off < end ? r->buf[off] : 0) {
	case 'r':
		sdp_attr_r_read(r, off, end);
		break;
	case 's':
		sdp_attr_s_read(r, off, end);
		break;
	case 'c':
		if (SDP_ATTR_IS(r, off, end, "candidate", &value))
			sdp_cand_read(r, value);
		break;
	case 'i':
		if (SDP_ATTR_IS(r, off, end, "inactive", &value))
			r->cur->dir = SDP_INACTIVE;
		else if (SDP_ATTR_IS(r, off, end, "ice-ufrag", &value))
			r->cur->ice_ufrag = value;
		break;
	case 'm':
		if (SDP_ATTR_IS(r, off, end, "msrp-cema", &value))
			r->cur->msrp_cema = true;
		break;
	default:
		break;
	}
}

/* ---- the whole ---------------------------------------------------------- */

enum sdp_line { SDP_LINE_OK, SDP_LINE_BAD, SDP_LINE_TOO_MANY, SDP_LINE_SECOND };

/* A line that matters; @off is where its value begins. */
static inline enum sdp_line sdp_value_read(struct sdp_reader *r, u32 line, u32 off, u32 end)
{
	switch (r->buf[line]) {
	case 'a':
		sdp_attr_read(r, off, end);
		return SDP_LINE_OK;
	case 'c':
		sdp_conn_read(r, line, off, end);
		return SDP_LINE_OK;
	case 'm':
		return sdp_media_read(r, line, off, end) ? SDP_LINE_OK : SDP_LINE_TOO_MANY;
	case 'v':
		if (r->began)
			return SDP_LINE_SECOND;
		r->began = true;
		return SDP_LINE_OK;
	default:
		return SDP_LINE_OK;
	}
}

/* By the type of a line: it is none; it is passed over; it is read. */
enum sdp_class { SDP_C_NONE, SDP_C_PASS, SDP_C_READ };

static const u8 sdp_line_class[256] = {
	['a'] = SDP_C_READ,
	['b'] = SDP_C_PASS,
	['c'] = SDP_C_READ,
	['d' ... 'l'] = SDP_C_PASS,
	['m'] = SDP_C_READ,
	['n' ... 'u'] = SDP_C_PASS,
	['v'] = SDP_C_READ,
	['w' ... 'z'] = SDP_C_PASS,
	['A' ... 'Z'] = SDP_C_PASS,
};

/* First bytes of an attribute that may have to be read. */
static const bool sdp_attr_first[256] = {
	['c'] = true, ['i'] = true, ['m'] = true, ['r'] = true, ['s'] = true,
	[' '] = true, ['\t'] = true,
};

/*
 * Written as it should be, and nothing that is read? @word is what begins with
 * the line. Behind a line of less than five bytes it is the next one's, which
 * does not matter: no attribute that short is read.
 */
static inline bool sdp_line_passes(u64 word)
{
	if (likely((word & 0xffff) == ('=' << 8 | 'a')))
		return !sdp_attr_first[(u8)(word >> 16)];
	return (u8)(word >> 8) == '=' && sdp_line_class[(u8)word] == SDP_C_PASS;
}

/* One line: its type, "=", its value; blanks around "=" are tolerated. */
static sip_noinline enum sdp_line sdp_odd_line_read(struct sdp_reader *r, u32 line, u32 end)
{
	const u8 *buf = r->buf;
	u32 off;

	if (sdp_line_class[buf[line]] == SDP_C_NONE)
		return SDP_LINE_BAD;
	off = sdp_skip_blanks(buf, line + 1, end);
	if (off == end || buf[off] != '=')
		return SDP_LINE_BAD;
	return sdp_value_read(r, line, sdp_skip_blanks(buf, off + 1, end), end);
}

/* Mostly there are none. */
static inline enum sdp_line sdp_line_read(struct sdp_reader *r, u32 line, u32 end)
{
	const u8 *at = r->buf + line;

	if (likely(end - line > 2 && at[1] == '=' && at[2] > ' ' &&
		   sdp_line_class[at[0]] == SDP_C_READ))
		return sdp_value_read(r, line, line + 2, end);
	return sdp_odd_line_read(r, line, end);
}

/* Empty lines may stand at the end. Returns the first byte behind them, or @end. */
static size_t sdp_empty_lines(const u8 *buf, size_t off, size_t end)
{
	while (off < end && (buf[off] == '\r' || buf[off] == '\n'))
		off++;
	return off;
}

static enum sip_reason sdp_give_up(struct sdp_session *sdp, enum sip_reason reason, u32 off)
{
	sdp->reason = reason;
	sdp->reason_off = off;
	if (reason != SIP_R_TOO_MANY_STREAMS) {
		sdp->n_streams = 0;
		sdp->n_cands = 0;
	}
	return reason;
}

/**
 * sdp_parse() - read a session description (RFC 8866)
 * @buf: the message
 * @body: the description in it
 * @sdp: filled in; all its spans lie within @body
 *
 * A description that cannot be read is so as a whole: NUL, a bare CR, a line
 * that is no SDP line. Empty lines at its end are tolerated, between lines
 * they are not. A second v= line ends the reading: the rest is not this
 * description (SIP_R_SECOND_SDP in @sdp->notes).
 *
 * Return: SIP_R_OK; SIP_R_BAD_SDP, without streams; SIP_R_TOO_MANY_STREAMS,
 * with the first of them. The reason is in @sdp too, with its offset.
 */
enum sip_reason sdp_parse(const u8 *buf, struct sip_span body, struct sdp_session *sdp)
{
	return sdp_read(buf, body, NULL, sdp);
}

/* The same, with help: see sdp.h. */
enum sip_reason sdp_read(const u8 *buf, struct sip_span body, const struct sip_hostport *known,
			 struct sdp_session *sdp)
{
	struct sdp_reader r;
	const size_t end = body.off + body.len;
	/* Until here 16 bytes can be read, and one behind an end of a line in them. */
	const size_t stop = end > 16 ? end - 16 : 0;
	enum sdp_line what = SDP_LINE_OK;
	size_t next = body.off;
	size_t line, eol;
	struct sdp_eol odd;
	bool found;

	sdp->body = body;
	memset(&sdp->conn, 0, sizeof(sdp->conn));
	sdp->n_streams = 0;
	sdp->n_cands = 0;
	sdp->notes = 0;
	sdp->reason = SIP_R_OK;
	sdp->reason_off = 0;
	r.buf = buf;
	r.known = known;
	r.sdp = sdp;
	r.cur = &r.level;
	memset(&r.level, 0, sizeof(r.level));
	r.began = false;
	/* As nearly all begin. */
	if (likely(body.len > 5 && !memcmp(buf + next, "v=0\r\n", 5))) {
		r.began = true;
		next += 5;
	}
	for (;;) {
		/* Most lines are these, and most of these stand together. */
		while (next < stop && sip_word(buf + next) == SIP_WORD("a=rtpmap")) {
			eol = sip_scan_pairs(buf, next + 8, stop, &found);
			if (!found || !sip_is_crlf(buf + eol))
				break;
			next = eol + 2;
		}
		line = next;
		eol = sip_scan_pairs(buf, line, stop, &found);
		next = eol + 2;
		if (likely(found && sip_is_crlf(buf + eol))) {
			/* Most lines are nothing that is read. */
			if (likely(sdp_line_passes(sip_word(buf + line))))
				continue;
		} else {
			if (line == end)
				break;
			if (!found)
				eol = sip_scan_rest(buf, eol, end);
			next = eol + 2;
			if (next > end || !sip_is_crlf(buf + eol)) {
				found = sdp_line_end(buf, eol, end, &odd);
				eol = odd.end;
				next = odd.next;
				if (!found)
					return sdp_give_up(sdp, SIP_R_BAD_SDP, (u32)next);
			}
		}
		if (unlikely(line == eol)) {
			next = sdp_empty_lines(buf, next, end);
			if (next < end)
				return sdp_give_up(sdp, SIP_R_BAD_SDP, (u32)next);
			break;
		}
		what = sdp_line_read(&r, (u32)line, (u32)eol);
		if (unlikely(what != SDP_LINE_OK)) {
			sdp->reason_off = (u32)line;
			break;
		}
	}
	if (what == SDP_LINE_BAD)
		return sdp_give_up(sdp, SIP_R_BAD_SDP, sdp->reason_off);
	if (what == SDP_LINE_TOO_MANY)
		return sdp_give_up(sdp, SIP_R_TOO_MANY_STREAMS, sdp->reason_off);
	if (what == SDP_LINE_SECOND)
		sdp->notes |= 1ULL << SIP_R_SECOND_SDP;
	return SIP_R_OK;
}
