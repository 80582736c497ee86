// SPDX-License-Identifier: GPL-2.0-only
/*
 * msg.c - a SIP message, read once (RFC 3261 sections 7, 18.3 and 25.1).
 *
 * One walk from line to line. Header fields that nothing here reads are passed
 * over without a look at their value; of the others the span goes into the
 * index, and only what names the message (Via, From, To, Call-ID, CSeq,
 * Content-Length, lifetimes) is read at once.
 *
 * The first fault counts. The walk goes on behind it, because over a stream
 * the end of a malformed message has to be known as well.
 */
#include "lookup.h"
#include "msg.h"
#include "token.h"

/* May stand once (RFC 3261 section 7.3.1); Content-Length has its own rule. */
static const bool sip_hdr_once[SIP_H_MAX] = {
	[SIP_H_REFER_TO] = true,
	[SIP_H_FROM] = true,
	[SIP_H_TO] = true,
	[SIP_H_CALL_ID] = true,
	[SIP_H_CSEQ] = true,
	[SIP_H_CONTENT_TYPE] = true,
	[SIP_H_CONTENT_DISPOSITION] = true,
	[SIP_H_EXPIRES] = true,
	[SIP_H_SESSION_EXPIRES] = true,
	[SIP_H_SUBSCRIPTION_STATE] = true,
	[SIP_H_EVENT] = true,
	[SIP_H_RSEQ] = true,
	[SIP_H_RACK] = true,
};

/* What the walk knows beside the message. */
struct sip_walk {
	struct sip_msg *msg;
	const u8 *buf;
	u32 off;
	u32 len;
	u32 line_value; /* what sip_msg_line() found */
	u32 line_end;
	u32 method_off; /* request: method of the start line */
	u32 method_len;
	u32 cseq_method_off;
	u32 cseq_method_len;
	bool cseq_agrees; /* it is the method of the start line */
	u32 body_len; /* that Content-Length names */
	bool framed; /* there is a Content-Length, and only one number */
	bool unframed; /* there is one that says nothing */
	bool typed; /* a Content-Type stands where no field is kept any more */
};

static void sip_msg_bad(struct sip_msg *msg, enum sip_reason reason, u32 off)
{
	if (msg->reason != SIP_R_OK)
		return;
	msg->reason = reason;
	msg->reason_off = off;
}

/* ---- keep-alives -------------------------------------------------------- */

/*
 * RFC 5626 section 4.4.2, RFC 8489 section 5: two zero bits, a length in fours
 * that fits, and the magic cookie; without it (RFC 3489) the length must be
 * the datagram's.
 */
static u32 sip_stun_len(const u8 *buf, u32 len)
{
	static const u8 cookie[4] = { 0x21, 0x12, 0xa4, 0x42 };
	u32 total;

	if (len < 20 || buf[0] > 3 || buf[3] & 3)
		return 0;
	total = 20u + ((u32)buf[2] << 8 | buf[3]);
	if (!memcmp(buf + 4, cookie, sizeof(cookie)))
		return total <= len ? total : 0;
	return total == len ? total : 0;
}

/*
 * CRLFs before a message belong to it in a datagram (RFC 3261 section 7.5) and
 * are a keep-alive of their own on a stream (RFC 5626 section 3.5.1). NULs and
 * STUN are sent in datagrams only: on a stream they would be something else
 * than SIP.
 */
static enum sip_parse sip_msg_keepalive(struct sip_walk *w, bool stream)
{
	u32 i = 0;

	/* A message begins with a letter. */
	if (likely(w->len && w->buf[0] > '\r'))
		return SIP_PARSE_OK;
	while (i < w->len && (w->buf[i] == '\r' || w->buf[i] == '\n'))
		i++;
	w->off = i;
	if (stream) {
		w->msg->total = i;
		return i ? SIP_PARSE_KEEPALIVE : w->len ? SIP_PARSE_OK : SIP_PARSE_MORE;
	}
	while (i < w->len && (!w->buf[i] || w->buf[i] == '\r' || w->buf[i] == '\n'))
		i++;
	w->msg->total = i;
	if (i == w->len)
		return SIP_PARSE_KEEPALIVE;
	w->msg->total = sip_stun_len(w->buf, w->len);
	return w->msg->total ? SIP_PARSE_KEEPALIVE : SIP_PARSE_OK;
}

/* ---- start line --------------------------------------------------------- */

/* The letters of SIP/2.0 are the only ones that have a case. */
static bool sip_is_status_line(const u8 *buf, u32 off, u32 end)
{
	return end - off > 8 &&
	       (sip_word(buf + off) | 0x202020) == sip_word((const u8 *)"sip/2.0 ");
}

static bool sip_is_request_line(const u8 *buf, u32 off, u32 end)
{
	u64 word;

	if (end - off < 9 || !sip_byte_is(buf[off], SIP_C_TOKEN))
		return false;
	word = sip_word(buf + end - 8) | 0x20202000;
	return word == sip_word((const u8 *)" sip/2.0") ||
	       word == sip_word((const u8 *)"\tsip/2.0");
}

/* Status-Line = SIP-Version SP 3DIGIT SP Reason-Phrase; the last SP may miss. */
static void sip_msg_status_line(struct sip_walk *w, u32 end)
{
	struct sip_span code = { w->off + 8, 0 };
	u32 status = 0;

	code.len = sip_run(w->buf, code.off, end, SIP_C_DIGIT) - code.off;
	w->msg->request = false;
	if (!code.len || (code.off + code.len < end && w->buf[code.off + code.len] != ' '))
		sip_msg_bad(w->msg, SIP_R_BAD_START_LINE, code.off);
	else if (code.len != 3 || !sip_span_number(w->buf, code, 699, &status) || status < 100)
		sip_msg_bad(w->msg, SIP_R_BAD_NUMBER, code.off);
	w->msg->status = (u16)status;
}

/* The Request-URI is a URI without <>, blanks or controls (RFC 3261 7.1). */
static bool sip_ruri_is_clear(const u8 *buf, u32 off, u32 end)
{
	u32 i = sip_run(buf, off, end, SIP_C_TOKEN);

	return i > off && i < end && buf[i] == ':' && sip_uri_is_clear(buf, i, end);
}

/* Request-Line = Method SP Request-URI SP SIP-Version, each SP single. */
static void sip_msg_request_line(struct sip_walk *w, u32 version, u32 end)
{
	struct sip_msg *msg = w->msg;
	u32 i = sip_run(w->buf, w->off, version, SIP_C_TOKEN);

	msg->method = sip_method_lookup(w->buf + w->off, i - w->off);
	msg->request = true;
	w->method_off = w->off;
	w->method_len = i - w->off;
	msg->ruri.off = i + 1;
	if (w->buf[i] != ' ' || msg->ruri.off + 1 >= version || version + 7 != end ||
	    w->buf[version - 1] != ' ' ||
	    !sip_ruri_is_clear(w->buf, msg->ruri.off, version - 1)) {
		sip_msg_bad(msg, SIP_R_BAD_START_LINE, i);
		return;
	}
	msg->ruri.len = version - 1 - msg->ruri.off;
}

/* Could these bytes without a line end become a start line? */
static bool sip_start_is_open(const struct sip_walk *w)
{
	static const char version[] = "sip/2.0 ";
	u32 len = w->len - w->off;
	struct sip_span head = { w->off, len < 8 ? len : 8 };
	u32 i;

	if (len > SIP_MAX_START_LINE)
		return false;
	if (sip_text_equal(w->buf, head, version, head.len))
		return true;
	i = sip_run(w->buf, w->off, w->len, SIP_C_TOKEN);
	return i == w->len || (i > w->off && w->buf[i] == ' ');
}

/*
 * A request line as nearly all are: a method that is known, a SIP URI, each
 * blank single, CRLF; false: another one. What is in the URI is looked at once,
 * and so is the line.
 */
static inline bool sip_msg_usual_request(struct sip_walk *w)
{
	const u8 *line = w->buf + w->off;
	struct sip_msg *msg = w->msg;
	u32 len, uri, end;
	u64 blank;

	if (unlikely(w->len - w->off < 32))
		return false;
	blank = sip_word_blank(sip_word(line));
	len = blank ? sip_word_first(blank) : 8;
	if (line[len] != ' ' || !sip_three_is(line + len + 1, "sip:"))
		return false;
	msg->method = sip_method_lookup(line, len);
	if (msg->method == SIP_M_OTHER)
		return false;
	uri = w->off + len + 1;
	end = sip_uri_end(w->buf, uri + 4, w->len);
	if (end - w->off > SIP_MAX_START_LINE / 2 || w->len - end < 10 ||
	    sip_word(w->buf + end) != SIP_WORD(" SIP/2.0") || !sip_is_crlf(w->buf + end + 8))
		return false;
	msg->request = true;
	w->method_off = w->off;
	w->method_len = len;
	msg->ruri.off = uri;
	msg->ruri.len = end - uri;
	w->off = end + 10;
	return true;
}

/*
 * A start line counts only with SIP/2.0 in its place. What has it there and is
 * no start line all the same is malformed SIP; everything else is not SIP.
 */
static enum sip_parse sip_msg_start_line(struct sip_walk *w, bool stream)
{
	u32 end, last, lf;

	if (likely(sip_msg_usual_request(w)))
		return SIP_PARSE_OK;
	lf = sip_find(w->buf, w->off, w->len, '\n');
	end = lf;

	if (lf == w->len && stream)
		return sip_start_is_open(w) ? SIP_PARSE_MORE : SIP_PARSE_NOT_SIP;
	/* However it was cut: the same bytes are the same stream. */
	if (stream && lf - w->off > SIP_MAX_START_LINE)
		return SIP_PARSE_NOT_SIP;
	if (end > w->off && w->buf[end - 1] == '\r')
		end--;
	last = end;
	while (last > w->off && sip_byte_is_blank(w->buf[last - 1]))
		last--;

	if (sip_is_status_line(w->buf, w->off, end))
		sip_msg_status_line(w, end);
	else if (sip_is_request_line(w->buf, w->off, last))
		sip_msg_request_line(w, last - 7, end);
	else
		return SIP_PARSE_NOT_SIP;
	w->off = lf < w->len ? lf + 1 : lf;
	return SIP_PARSE_OK;
}

/* ---- header fields ------------------------------------------------------ */

/* Does a line end here, and none of its folds? */
static inline bool sip_msg_line_ends(const struct sip_walk *w, u32 off)
{
	return w->len - off > 2 && sip_is_crlf(w->buf + off) &&
	       (likely(w->buf[off + 2] > ' ') || !sip_byte_is_blank(w->buf[off + 2]));
}

/* RFC 3261 20.16: CSeq = 1*DIGIT LWS Method; the number has 32 bits. */
static inline void sip_msg_cseq(struct sip_walk *w, u32 off, u32 end)
{
	u64 number;
	u32 i = sip_digits(w->buf, off, end, &number);
	u32 method = sip_lws(w->buf, i, end);

	w->msg->cseq = (u32)number;
	w->cseq_method_off = method;
	w->cseq_method_len = sip_run(w->buf, method, end, SIP_C_TOKEN) - method;
	w->cseq_agrees = w->msg->request && w->cseq_method_len == w->method_len &&
			 !memcmp(w->buf + method, w->buf + w->method_off, w->method_len);
	if (unlikely(number >> 32 || i == off || method == i || !w->cseq_method_len ||
		     method + w->cseq_method_len != end))
		sip_msg_bad(w->msg, SIP_R_BAD_CSEQ, off);
}

static inline void sip_msg_frame(struct sip_walk *w, u32 off, u32 end, u32 body_len)
{
	w->msg->content_length.off = off;
	w->msg->content_length.len = end - off;
	w->framed = true;
	w->body_len = body_len;
}

/* RFC 3261 18.3, 20.14. The same number twice is one. */
static inline void sip_msg_content_length(struct sip_walk *w, u32 off, u32 end)
{
	u64 number;

	if (unlikely(sip_digits(w->buf, off, end, &number) != end || off == end ||
		     number > 0x7fffffffu || (w->framed && number != w->body_len))) {
		sip_msg_bad(w->msg, SIP_R_BAD_CONTENT_LENGTH, off);
		w->unframed = true;
		return;
	}
	if (!w->framed)
		sip_msg_frame(w, off, end, (u32)number);
}

static s64 sip_msg_seconds(const u8 *buf, u32 off, u32 end)
{
	u64 seconds;
	u32 i = sip_digits(buf, off, end, &seconds);

	return i == off || seconds >> 32 ? -1 : (s64)seconds;
}

/* True: the topmost value; empty list elements before it are passed over. */
static bool sip_msg_via(struct sip_walk *w, u32 i, u32 end)
{
	while (i < end && w->buf[i] == ',')
		i = sip_lws(w->buf, i + 1, end);
	if (i == end)
		return false;
	if (!sip_via_parse(w->buf, i, end, &w->msg->via))
		sip_msg_bad(w->msg, w->msg->via.bad_number ? SIP_R_BAD_NUMBER : SIP_R_BAD_VIA, i);
	else if (!w->msg->via.sent_by.host.len)
		w->msg->notes |= 1ull << SIP_R_BAD_VALUE;
	return true;
}

/* Of those that are read at once, what they say. */
static inline void sip_msg_read(struct sip_walk *w, enum sip_hdr_id id, u32 value, u32 end)
{
	struct sip_msg *msg = w->msg;

	switch (id) {
	case SIP_H_FROM:
	case SIP_H_TO:
		if (unlikely(!sip_tag_find(w->buf, value, end,
					   id == SIP_H_TO ? &msg->to_tag : &msg->from_tag)))
			sip_msg_bad(msg, SIP_R_BAD_HEADER, value);
		break;
	case SIP_H_CALL_ID:
		msg->call_id.off = value;
		msg->call_id.len = end - value;
		break;
	case SIP_H_CSEQ:
		sip_msg_cseq(w, value, end);
		break;
	case SIP_H_CONTENT_LENGTH:
		sip_msg_content_length(w, value, end);
		break;
	case SIP_H_EXPIRES:
		msg->expires = sip_msg_seconds(w->buf, value, end);
		break;
	case SIP_H_SESSION_EXPIRES:
		msg->session_expires = sip_msg_seconds(w->buf, value, end);
		break;
	default:
		break;
	}
}

/* ---- values as most are -------------------------------------------------- */

/* The method of the start line, of a request; 0: another one stands here. */
static inline u32 sip_msg_method_again(const struct sip_walk *w, u32 off)
{
	u32 len = w->method_len;

	if (!w->msg->request || len > 8 || w->len - off < 8 ||
	    (sip_word(w->buf + w->method_off) ^ sip_word(w->buf + off)) << (64 - 8 * len))
		return 0;
	return off + len;
}

static inline u32 sip_msg_usual_cseq(struct sip_walk *w, u32 off)
{
	u64 number;
	u32 end = sip_digits(w->buf, off, w->len, &number);

	if (end == off || end == w->len || w->buf[end] != ' ' || number >> 32)
		return 0;
	end = sip_msg_method_again(w, end + 1);
	w->msg->cseq = (u32)number;
	w->cseq_agrees = end != 0;
	return end;
}

static inline u32 sip_msg_usual_length(struct sip_walk *w, u32 off)
{
	u64 number;
	u32 end = sip_digits(w->buf, off, w->len, &number);

	if (w->framed || w->msg->n_headers == SIP_MAX_HEADERS || w->buf[off - 1] != ' ' ||
	    end == off || number > 0x7fffffffu || !sip_msg_line_ends(w, end))
		return 0;
	sip_msg_frame(w, off, end, (u32)number);
	return end;
}

/*
 * A value that is read at once, in one look with its line's end; 0: it is
 * written in another way, and what was read of it does not count. @off is
 * behind the colon, and not at the end.
 */
static inline u32 sip_msg_usual(struct sip_walk *w, enum sip_hdr_id id, u32 off)
{
	struct sip_msg *msg = w->msg;
	u32 end;

	switch (id) {
	case SIP_H_VIA:
		/* In a response there mostly is more in it. */
		if (!msg->request || msg->first[id])
			return 0;
		end = sip_via_begin(w->buf, off + 1, w->len, &msg->via);
		break;
	case SIP_H_FROM:
		end = sip_tag_usual(w->buf, off + 1, w->len, &msg->from_tag);
		break;
	case SIP_H_TO:
		end = sip_tag_usual(w->buf, off + 1, w->len, &msg->to_tag);
		break;
	case SIP_H_CSEQ:
		end = sip_msg_usual_cseq(w, off + 1);
		break;
	case SIP_H_CONTENT_LENGTH:
		end = sip_msg_usual_length(w, off + 1);
		break;
	default:
		return 0;
	}
	return end && w->buf[off] == ' ' && sip_msg_line_ends(w, end) ? end : 0;
}

/*
 * The name of a line as most are: no blank before the colon, and not at the
 * end of the buffer: SIP_HDR_LONGEST bytes can be read. *len 0: another one.
 */
static inline enum sip_hdr_id sip_msg_name(const u8 *line, u32 *len)
{
	u64 word = sip_word(line);
	enum sip_hdr_id id;
	u64 colon, before;
	u32 i;

	id = sip_hdr_usual(line, word, len);
	if (*len || (u8)word < 'A')
		return id;
	colon = sip_word_zero(word ^ SIP_SCAN_ONES * ':');
	if (colon) {
		/* A name that is known has no blanks. */
		before = sip_word_before(colon);
		id = sip_hdr_lookup_short(sip_word_lower(word) & before, sip_word_first(colon));
		if (id != SIP_H_OTHER || !(sip_word_blank(word) & before))
			*len = sip_word_first(colon);
		return id;
	}
	for (i = 8; i < SIP_HDR_LONGEST && !sip_word_blank(word); i += 8) {
		word = sip_word(line + i);
		colon = sip_word_zero(word ^ SIP_SCAN_ONES * ':');
		if (!colon)
			continue;
		if (sip_word_blank(word) & sip_word_before(colon))
			break;
		*len = i + sip_word_first(colon);
		if (*len == 8)
			return sip_hdr_lookup_short(sip_word_lower(sip_word(line)), 8);
		return sip_hdr_lookup_long(line, *len);
	}
	return SIP_H_OTHER;
}

/* The end of a line with its folds, from @off on; w->len: there is none. */
static u32 sip_msg_line_end(const struct sip_walk *w, u32 off)
{
	u32 lf = sip_find(w->buf, off, w->len, '\n');

	while (lf + 1 < w->len && sip_byte_is_blank(w->buf[lf + 1]))
		lf = sip_find(w->buf, lf + 1, w->len, '\n');
	return lf + 1 < w->len ? lf : w->len;
}

/*
 * A line with another name; w->line_end is where it ends, at CR or LF, w->len:
 * it does not. A name is what has neither blanks, controls nor a colon: one
 * that is no token is no header field of ours.
 */
static sip_noinline enum sip_hdr_id sip_msg_line(struct sip_walk *w, u32 off)
{
	const u8 *buf = w->buf;
	const size_t end = w->len;
	size_t i = off;
	u32 len;

	while (i < end && buf[i] > ' ' && buf[i] != ':')
		i++;
	len = (u32)i - off;
	while (i < end && sip_byte_is_blank(buf[i]))
		i++;
	w->line_end = sip_msg_line_end(w, (u32)i);
	w->line_value = (u32)i + 1;
	if (w->line_end == w->len)
		return SIP_H_OTHER;
	if (len && buf[i] == ':')
		return sip_hdr_lookup(buf + off, len);
	sip_msg_bad(w->msg, SIP_R_BAD_HEADER, off);
	return SIP_H_OTHER;
}

static void sip_msg_trim(const u8 *buf, size_t *value, size_t *end)
{
	struct sip_span s = sip_trim(buf, (u32)*value, (u32)*end);

	*value = s.off;
	*end = s.off + s.len;
}

/* What stands behind the empty line, if this is it; else 0. */
static inline u32 sip_msg_line_is_empty(const u8 *buf, u32 line, u32 end)
{
	if (buf[line] == '\n')
		return line + 1;
	return end - line > 1 && sip_is_crlf(buf + line) ? line + 2 : 0;
}

static void sip_msg_again(struct sip_msg *msg, enum sip_hdr_id id, u32 off)
{
	msg->repeated = true;
	if (sip_hdr_once[id])
		sip_msg_bad(msg, SIP_R_REPEATED_HEADER, off);
}

static inline void sip_msg_keep(struct sip_msg *msg, enum sip_hdr_id id, u32 line, u32 value,
				u32 end)
{
	struct sip_header *header = &msg->header[msg->n_headers++];

	header->line = line;
	header->id = (u8)id;
	header->value.off = value;
	header->value.len = end - value;
	if (likely(!msg->first[id]))
		msg->first[id] = (u8)msg->n_headers;
	else
		sip_msg_again(msg, id, line);
}

/*
 * All lines up to the empty one; false: it is not there. The invariant: @next
 * is the first byte of a line. Most lines end with CRLF, and have neither folds
 * nor controls; the rest goes from LF to LF.
 */
static bool sip_msg_head(struct sip_walk *w)
{
	struct sip_msg *msg = w->msg;
	const u8 *buf = w->buf;
	const size_t len = w->len;
	/* Until here 16 bytes can be read, and two behind an end of a line in them. */
	const size_t stop = len > 17 ? len - 17 : 0;
	const size_t names = len >= SIP_HDR_LONGEST ? len - SIP_HDR_LONGEST + 1 : 0;
	size_t line, value, end;
	size_t next = w->off;
	enum sip_hdr_id id;
	u32 name_len;
	bool found;

	for (;;) {
		line = next;
		name_len = 0;
		if (likely(line < names))
			id = sip_msg_name(buf + line, &name_len);
		if (likely(name_len)) {
			value = line + name_len + 1;
			end = sip_msg_usual(w, id, (u32)value);
			if (end && likely(msg->n_headers < SIP_MAX_HEADERS)) {
				sip_msg_keep(msg, id, (u32)line, (u32)value + 1, (u32)end);
				next = end + 2;
				continue;
			}
			end = sip_scan_pairs(buf, value - 1, stop, &found);
			next = end + 2;
			if (unlikely(!found || !sip_is_crlf(buf + end) ||
				     (buf[next] <= ' ' && sip_byte_is_blank(buf[next])))) {
				end = sip_msg_line_end(w, (u32)end);
				if (end == len)
					return false;
				next = end + 1;
			}
		} else {
			if (line == len)
				return false;
			w->off = sip_msg_line_is_empty(buf, (u32)line, w->len);
			if (w->off)
				return true;
			id = sip_msg_line(w, (u32)line);
			value = w->line_value;
			end = w->line_end;
			if (end == len)
				return false;
			next = end + 1;
		}
		if (id == SIP_H_OTHER || (id == SIP_H_VIA && msg->first[id]))
			continue;
		/* Mostly one blank stands before the value, and nothing behind. */
		if (likely(buf[value] == ' ' && buf[value + 1] > ' ' && buf[end - 1] > ' '))
			value++;
		else
			sip_msg_trim(buf, &value, &end);
		if (id == SIP_H_VIA && !sip_msg_via(w, (u32)value, (u32)end))
			continue;
		if (unlikely(msg->n_headers == SIP_MAX_HEADERS)) {
			/* Where the message ends has to be known all the same. */
			if (id == SIP_H_CONTENT_LENGTH)
				sip_msg_content_length(w, (u32)value, (u32)end);
			w->typed |= id == SIP_H_CONTENT_TYPE;
			sip_msg_bad(msg, SIP_R_TOO_MANY_HEADERS, (u32)line);
			continue;
		}
		sip_msg_keep(msg, id, (u32)line, (u32)value, (u32)end);
		sip_msg_read(w, id, (u32)value, (u32)end);
	}
}

/* ---- the whole ---------------------------------------------------------- */

/* RFC 3261 8.1.1: what each message has; and that CSeq names its method. */
static void sip_msg_check(struct sip_walk *w)
{
	struct sip_msg *msg = w->msg;

	if (!msg->first[SIP_H_VIA] || !msg->first[SIP_H_FROM] || !msg->first[SIP_H_TO] ||
	    !msg->call_id.len || !msg->first[SIP_H_CSEQ]) {
		sip_msg_bad(msg, SIP_R_MISSING_HEADER, w->off);
		return;
	}
	if (!msg->request)
		msg->method = sip_method_lookup(w->buf + w->cseq_method_off, w->cseq_method_len);
	else if (!w->cseq_agrees)
		sip_msg_bad(msg, SIP_R_BAD_CSEQ, w->cseq_method_off);
}

/*
 * RFC 3261 18.3: where the body ends; w->off is behind the empty line. A body
 * on a stream without a Content-Length has no end that could be told.
 */
static enum sip_parse sip_msg_body(struct sip_walk *w, bool stream)
{
	struct sip_msg *msg = w->msg;
	u32 room = w->len - w->off;
	u32 body = stream ? 0 : room;

	if (w->framed)
		body = w->body_len;
	else if (stream && (msg->first[SIP_H_CONTENT_TYPE] || w->typed))
		w->unframed = true;
	if (w->unframed)
		sip_msg_bad(msg, SIP_R_BAD_CONTENT_LENGTH, w->off);
	msg->body.off = w->off;
	msg->total = w->unframed ? 0 : w->off + body;
	if (stream && !w->unframed && msg->total > SIP_MAX_MSG)
		sip_msg_bad(msg, SIP_R_TOO_LONG, msg->content_length.off);
	else if (stream && !w->unframed && body > room)
		return SIP_PARSE_MORE;
	else if (body > room)
		sip_msg_bad(msg, SIP_R_BAD_CONTENT_LENGTH, msg->content_length.off);
	if (!stream && body > room)
		msg->total = 0;
	if (msg->reason)
		return SIP_PARSE_BAD;
	msg->body.len = body;
	if (!stream && body < room)
		msg->notes |= 1ull << SIP_R_BODY_OUTSIDE;
	return SIP_PARSE_OK;
}

static void sip_msg_clear(struct sip_msg *msg, const u8 *buf, u32 len)
{
	static const struct sip_span none;

	msg->buf = buf;
	msg->len = len;
	msg->total = 0;
	msg->reason = SIP_R_OK;
	msg->reason_off = 0;
	msg->request = false;
	msg->method = SIP_M_OTHER;
	msg->status = 0;
	msg->ruri = none;
	msg->n_headers = 0;
	memset(msg->first, 0, sizeof(msg->first));
	msg->repeated = false;
	msg->body = none;
	msg->content_length = none;
	msg->call_id = none;
	msg->from_tag = none;
	msg->to_tag = none;
	msg->cseq = 0;
	msg->expires = -1;
	msg->session_expires = -1;
	msg->notes = 0;
}

/**
 * sip_msg_parse() - read one SIP message (RFC 3261 sections 7 and 18.3)
 * @msg: filled in; header[] only up to n_headers
 * @buf: a datagram, or the bytes of a stream from where a message has to begin
 * @len: how many
 * @stream: more may follow
 *
 * Cost: one pass over the head, whatever stands in it, and none over the body.
 * At most SIP_MAX_HEADERS fields are kept, and no more than SIP_MAX_MSG bytes
 * are one message.
 *
 * Return:
 * SIP_PARSE_OK: one whole message of msg->total bytes; all spans are inside.
 * SIP_PARSE_MORE: (stream) call again from the same byte with more; of msg only
 *	total counts: at least so many will be needed, 0: the head has not ended.
 * SIP_PARSE_KEEPALIVE: msg->total bytes that are no message (RFC 5626).
 * SIP_PARSE_NOT_SIP: no start line with SIP/2.0 in its place.
 * SIP_PARSE_BAD: malformed, see msg->reason; nothing else may be used but
 *	total, where it is not 0: the message is that long all the same (on a
 *	stream perhaps longer than @len, if it is too long to be held).
 */
enum sip_parse sip_msg_parse(struct sip_msg *msg, const u8 *buf, u32 len, bool stream)
{
	struct sip_walk w = { .msg = msg, .buf = buf, .len = len };
	enum sip_parse result;

	sip_msg_clear(msg, buf, len);
	result = sip_msg_keepalive(&w, stream);
	if (result != SIP_PARSE_OK)
		return result;
	if (!stream && len > SIP_MAX_MSG) {
		sip_msg_bad(msg, SIP_R_TOO_LONG, SIP_MAX_MSG);
		return SIP_PARSE_BAD;
	}
	result = sip_msg_start_line(&w, stream);
	if (result != SIP_PARSE_OK)
		return result;
	if (!sip_msg_head(&w)) {
		if (stream && len <= SIP_MAX_MSG)
			return SIP_PARSE_MORE;
		msg->reason = SIP_R_OK; /* what stands in a cut line means nothing */
		sip_msg_bad(msg, stream ? SIP_R_TOO_LONG : SIP_R_TRUNCATED, len);
		return SIP_PARSE_BAD;
	}
	sip_msg_check(&w);
	return sip_msg_body(&w, stream);
}
