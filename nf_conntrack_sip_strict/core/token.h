/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * token.h - the smallest pieces of RFC 3261 section 25.1.
 *
 * Every routine takes a buffer and two offsets, off <= end, reads nothing
 * outside of [off, end), and returns an offset inside [off, end].
 */
#ifndef SIP_TOKEN_H
#define SIP_TOKEN_H

#include "msg.h"
#include "scan.h"

/* Classes of bytes, as bits. */
#define SIP_C_TOKEN 0x01u /* token: alphanum and -.!%*_+`'~ */
#define SIP_C_HOST 0x02u /* of a host name; "_" is common in the field */
#define SIP_C_DIGIT 0x04u
#define SIP_C_IP6 0x08u /* inside of brackets: hex digits, ":", ".", zone */
#define SIP_C_NAME 0x10u /* may stand in the name of a parameter */
#define SIP_C_NO_URI 0x20u /* never part of a URI: blanks, controls, <>" */
#define SIP_C_PARAM 0x40u /* may stand in a parameter value without quotes */
#define SIP_C_PLAIN 0x80u /* before a URI: no delimiter of a name-addr */

extern const u8 sip_class[256];

static inline bool sip_byte_is(u8 byte, u8 classes)
{
	return sip_class[byte] & classes;
}

static inline bool sip_byte_is_blank(u8 byte)
{
	return byte == ' ' || byte == '\t';
}

/* Letters only compare without case; '-' must not match CR. */
static inline u8 sip_byte_lower(u8 byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* Skip a run of bytes of some classes. */
static inline u32 sip_run(const u8 *buf, u32 off, u32 end, u8 classes)
{
	while (off < end && (sip_class[buf[off]] & classes))
		off++;
	return off;
}

u32 sip_digits_slow(const u8 *buf, u32 off, u32 end, u64 *number);

/*
 * Read digits, to where they end; what does not fit into 32 bits is 2^32. Up
 * to seven at once: each number next to another, then each pair, each four.
 */
static inline u32 sip_digits(const u8 *buf, u32 off, u32 end, u64 *number)
{
	u64 word, others;
	u32 len;

	if (unlikely(end - off < 8))
		return sip_digits_slow(buf, off, end, number);
	word = sip_word(buf + off) ^ SIP_SCAN_ONES * '0';
	others = ((word + SIP_SCAN_ONES * (0x80 - 10)) | word) & SIP_SCAN_HIGH;
	if (unlikely(!others))
		return sip_digits_slow(buf, off, end, number);
	len = sip_word_first(others);
	word = word << 8 << 8 * (7 - len);
	word = word * 10 + (word >> 8);
	word = (word & 0x00ff00ff00ff00ffULL) * (1 + (100ULL << 16)) >> 16;
	*number = (word & 0x0000ffff0000ffffULL) * (1 + (10000ULL << 32)) >> 32;
	return off + len;
}

u32 sip_lws_slow(const u8 *buf, u32 off, u32 end);

/* Skip LWS: blanks and folds (RFC 3261 25.1: LWS, SWS). */
static inline u32 sip_lws(const u8 *buf, u32 off, u32 end)
{
	if (likely(off >= end || buf[off] > ' '))
		return off;
	/* Most often it is one blank. */
	if (likely(buf[off] == ' ' && off + 1 < end && buf[off + 1] > ' '))
		return off + 1;
	return sip_lws_slow(buf, off, end);
}

/* Four bytes, and the two cases of letters alike. */
static inline u32 sip_half_lower(const u8 *at)
{
	u32 half;

	memcpy(&half, at, sizeof(half));
	return half | 0x20202020;
}

/* Do four bytes begin with these three letters in any case, and then that byte? */
static inline bool sip_three_is(const u8 *at, const char *lower)
{
	u32 half, is, both_cases;

	memcpy(&half, at, sizeof(half));
	memcpy(&is, lower, sizeof(is));
	memcpy(&both_cases, "\x20\x20\x20\0", sizeof(both_cases));
	return (half | both_cases) == is;
}

/*
 * Is it this word, in any case? @lower is a constant of letters alone, so that
 * setting bit 5 is exact; and of at least two.
 */
static inline bool sip_word_is(const u8 *at, u32 at_len, const char *lower, u32 len)
{
	const u8 *is = (const u8 *)lower;

	if (at_len != len)
		return false;
	if (len == 8)
		return (sip_word(at) | SIP_SCAN_ONES * 0x20) == sip_word(is);
	if (len > 8)
		return (sip_word(at) | SIP_SCAN_ONES * 0x20) == sip_word(is) &&
		       (sip_word(at + len - 8) | SIP_SCAN_ONES * 0x20) == sip_word(is + len - 8);
	if (len >= 4)
		return sip_half_lower(at) == sip_half_lower(is) &&
		       sip_half_lower(at + len - 4) == sip_half_lower(is + len - 4);
	return (at[0] | 0x20) == is[0] && (at[1] | 0x20) == is[1] &&
	       (len == 2 || (at[2] | 0x20) == is[2]);
}

static inline bool sip_span_is(const u8 *buf, struct sip_span span, const char *lower, u32 len)
{
	return sip_word_is(buf + span.off, span.len, lower, len);
}

/* Are these the same bytes? Some words are compared twice, none in a loop of bytes. */
static inline bool sip_same(const u8 *a, const u8 *b, u32 len)
{
	u32 i;

	if (unlikely(len < 8))
		return !memcmp(a, b, len);
	if (sip_word(a + len - 8) != sip_word(b + len - 8))
		return false;
	for (i = 0; i < len - 8; i += 8)
		if (sip_word(a + i) != sip_word(b + i))
			return false;
	return true;
}

#define SIP_SPAN_IS(buf, span, lower) sip_span_is(buf, span, lower, sizeof(lower) - 1)

/* Up to which offset eight bytes can be read before @end; -1: nowhere. */
static inline s64 sip_word_last(u32 end)
{
	return (s64)end - 8;
}

/* The first such byte, which is not NUL, or @end. */
static inline u32 sip_find(const u8 *buf, u32 off, u32 end, u8 byte)
{
	const u64 pattern = SIP_SCAN_ONES * byte;
	const s64 last = sip_word_last(end);
	u64 hit, word;
	s64 i = off;

	for (; i <= last; i += 8) {
		word = sip_word(buf + i) ^ pattern;
		hit = (word - SIP_SCAN_ONES) & SIP_SCAN_HIGH;
		/* Bytes that differ from it by 0x80 and more look like a hit at first. */
		if (unlikely(hit) && (hit & ~word))
			return (u32)i + sip_word_first(hit & ~word);
	}
	/* The last eight once more: it is not in what they begin with. */
	if (likely(i > off)) {
		hit = sip_word_zero(sip_word(buf + last) ^ pattern);
		return hit ? (u32)last + sip_word_first(hit) : end;
	}
	while (i < end && buf[i] != byte)
		i++;
	return (u32)i;
}

/* Bytes that may end a value: ';', what is below '-'; bytes of 0x80 and more may look like one. */
static inline u64 sip_value_ends(u64 word)
{
	return (((word ^ SIP_SCAN_ONES * ';') - SIP_SCAN_ONES) | (word - SIP_SCAN_ONES * '-')) &
	       SIP_SCAN_HIGH;
}

/*
 * Skip what can stand in a parameter's value without quotes, eight bytes at a
 * time where all of them are above ',' and none is ';'.
 */
static inline u32 sip_value_run(const u8 *buf, u32 off, u32 end)
{
	const s64 last = sip_word_last(end);
	s64 i = off;
	u64 hit;

	while (i <= last) {
		hit = sip_value_ends(sip_word(buf + i));
		if (!hit) {
			i += 8;
			continue;
		}
		i += sip_word_first(hit);
		if (likely(!sip_byte_is(buf[i], SIP_C_PARAM)))
			return (u32)i;
		i++;
	}
	/* The last eight once more: they begin with what is in the value. */
	if (i >= off + 8) {
		hit = sip_value_ends(sip_word(buf + last));
		if (!hit)
			return end;
		i = last + sip_word_first(hit);
	}
	return sip_run(buf, (u32)i, end, SIP_C_PARAM);
}

/*
 * Bytes below '#', or one of the two brackets, which differ in one bit; bytes
 * of 0x80 and more may look like one.
 */
static inline u64 sip_uri_suspects(u64 word)
{
	const u64 bracket = (word | SIP_SCAN_ONES * 2) ^ SIP_SCAN_ONES * '>';

	return ((word - SIP_SCAN_ONES * '#') | (bracket - SIP_SCAN_ONES)) & SIP_SCAN_HIGH;
}

/*
 * Is there nothing that no URI can have? RFC 3261 25.1 has neither blanks,
 * controls, quotes nor angle brackets in it.
 */
static inline bool sip_uri_is_clear(const u8 *buf, u32 off, u32 end)
{
	const s64 last = sip_word_last(end);
	u64 suspects = 0;
	s64 i = off;

	for (; i <= last; i += 8)
		suspects |= sip_uri_suspects(sip_word(buf + i));
	/* The last eight once more: what they begin with is known to be clear. */
	if (likely(i > off && !suspects && !sip_uri_suspects(sip_word(buf + last))))
		return true;
	for (i = off; i < end; i++)
		if (sip_byte_is(buf[i], SIP_C_NO_URI))
			return false;
	return true;
}

/* Where a user part ends: at '@', at ':', or at a byte that may be none of a URI; or @end. */
static inline u32 sip_user_end(const u8 *buf, u32 off, u32 end)
{
	u64 word, hit;

	for (; end - off >= 8; off += 8) {
		word = sip_word(buf + off);
		hit = sip_word_zero(word ^ SIP_SCAN_ONES * '@') |
		      sip_word_zero(word ^ SIP_SCAN_ONES * ':') | sip_uri_suspects(word);
		if (hit)
			return off + sip_word_first(hit);
	}
	return end;
}

/* The first byte from @off on that no URI can have, or @end. */
static inline u32 sip_uri_end(const u8 *buf, u32 off, u32 end)
{
	const s64 last = sip_word_last(end);
	s64 i = off;
	u64 hit;

	while (i <= last) {
		hit = sip_uri_suspects(sip_word(buf + i));
		if (!hit) {
			i += 8;
			continue;
		}
		i += sip_word_first(hit);
		if (likely(sip_byte_is(buf[i], SIP_C_NO_URI)))
			return (u32)i;
		i++;
	}
	while (i < end && !sip_byte_is(buf[i], SIP_C_NO_URI))
		i++;
	return (u32)i;
}

bool sip_quoted_slow(const u8 *buf, u32 *off, u32 end);
bool sip_comment(const u8 *buf, u32 *off, u32 end);

/*
 * Skip a quoted string (RFC 3261 section 25.1: quoted-string). *off is at its
 * opening quote; behind the closing one on return. False: it is not closed, and
 * *off is @end. Most are short.
 */
static inline bool sip_quoted(const u8 *buf, u32 *off, u32 end)
{
	u64 word, quote;

	if (likely(end - *off > 8)) {
		word = sip_word(buf + *off + 1);
		quote = sip_word_zero(word ^ SIP_SCAN_ONES * '"');
		if (quote && !(sip_word_zero(word ^ SIP_SCAN_ONES * '\\') & (quote - 1))) {
			*off += sip_word_first(quote) + 2;
			return true;
		}
	}
	return sip_quoted_slow(buf, off, end);
}

u32 sip_trim_slow(const u8 *buf, u32 off, u32 end);

/* A span without the LWS around it; it may be empty. Often one CR is behind. */
static inline struct sip_span sip_trim(const u8 *buf, u32 off, u32 end)
{
	struct sip_span s = { sip_lws(buf, off, end), 0 };

	if (end > s.off && buf[end - 1] == '\r')
		end--;
	if (unlikely(end > s.off && buf[end - 1] <= ' '))
		end = sip_trim_slow(buf, s.off, end);
	s.len = end - s.off;
	return s;
}

u32 sip_ip4_read_short(const u8 *s, u32 len, u8 out[4]);

/* One to three digits; more than 255: none, and a fourth is not looked at. */
static inline u32 sip_octet(const u8 **at)
{
	const u8 *s = *at;
	u32 value = (u32)s[0] - '0';
	u32 second = (u32)s[1] - '0';
	u32 third = (u32)s[2] - '0';

	if (value > 9)
		return 256;
	*at = s + 1;
	if (second > 9)
		return value;
	*at = s + 2;
	if (third > 9)
		return value * 10 + second;
	*at = s + 3;
	return (value * 10 + second) * 10 + third;
}

/*
 * Read an IPv4 address at the begin of a text of @len bytes; what follows the
 * address is the caller's. Returns how long it is; 0 if there is none.
 */
static inline u32 sip_ip4_read(const u8 *s, u32 len, u8 out[4])
{
	const u8 *at = s;
	u32 a, b, c, d;

	/* The longest, and the byte behind it. */
	if (unlikely(len < 16))
		return sip_ip4_read_short(s, len, out);
	a = sip_octet(&at);
	if (a > 255 || *at++ != '.')
		return 0;
	b = sip_octet(&at);
	if (b > 255 || *at++ != '.')
		return 0;
	c = sip_octet(&at);
	if (c > 255 || *at++ != '.')
		return 0;
	d = sip_octet(&at);
	if (d > 255 || (u32)*at - '0' <= 9)
		return 0;
	out[0] = (u8)a;
	out[1] = (u8)b;
	out[2] = (u8)c;
	out[3] = (u8)d;
	return (u32)(at - s);
}

/* ip.c: all numbers of two digits, as text. */
extern const char sip_pairs[201];

static inline void sip_pair_format(u32 value, u8 *out)
{
	memcpy(out, sip_pairs + 2 * value, 2);
}

/* In decimal, to room for five bytes; returns how many it takes. */
static inline u32 sip_port_write(u16 port, u8 *out)
{
	u32 value = port;

	if (value >= 10000) {
		*out++ = (u8)('0' + value / 10000);
		value %= 10000;
		sip_pair_format(value / 100, out);
		sip_pair_format(value % 100, out + 2);
		return 5;
	}
	if (value >= 1000) {
		sip_pair_format(value / 100, out);
		sip_pair_format(value % 100, out + 2);
		return 4;
	}
	if (value >= 100) {
		*out = (u8)('0' + value / 100);
		sip_pair_format(value % 100, out + 1);
		return 3;
	}
	if (value >= 10) {
		sip_pair_format(value, out);
		return 2;
	}
	*out = (u8)('0' + value);
	return 1;
}

/**
 * struct sip_param - one ";name=value" (RFC 3261 25.1: generic-param)
 * @name: the name
 * @value: the value, with the quotes of a quoted string; len 0: none
 */
struct sip_param {
	struct sip_span name;
	struct sip_span value;
};

/* params.c: 1: a parameter; 0: end, or *off is at a comma; -1: unreadable. */
int sip_param_next(const u8 *buf, u32 *off, u32 end, struct sip_param *param);
bool sip_text_equal(const u8 *buf, struct sip_span s, const char *lower, u32 len);

/* By itself, whatever it stands in: small enough for a few stores. */
static inline void sip_hostport_clear(struct sip_hostport *hp)
{
	memset(hp, 0, sizeof(*hp));
}

/* Is this text of a host the same as one that was read, an IPv4 address? */
static inline bool sip_host_is(const u8 *buf, u32 off, u32 len, const struct sip_hostport *known)
{
	return known && known->host.len == len && known->ip.family == SIP_AF_IP4 &&
	       sip_same(buf + off, buf + known->host.off, len);
}

/* Does the text at @off begin with a host and port that are known? */
static inline bool sip_hostport_known(const u8 *buf, u32 off, u32 end,
				      const struct sip_hostport *known, struct sip_hostport *hp)
{
	u32 len = known->host.len + (known->port.len ? known->port.len + 1 : 0);
	u32 by;

	/* With neither brackets nor LWS, and not the begin of more. */
	if (known->ip.family != SIP_AF_IP4 || known->end - known->host.off != len ||
	    end - off < len || !sip_same(buf + off, buf + known->host.off, len) ||
	    (end - off > len && sip_byte_is(buf[off + len], SIP_C_HOST | SIP_C_IP6)))
		return false;
	by = off - known->host.off;
	*hp = *known;
	hp->host.off += by;
	hp->host_end += by;
	hp->end += by;
	if (hp->port.len)
		hp->port.off += by;
	return true;
}

/* No parameters. */
static inline void sip_uri_clear(struct sip_uri *uri)
{
	uri->params.off = 0;
	uri->params.len = 0;
	uri->transport = SIP_T_NONE;
	sip_hostport_clear(&uri->maddr);
}

/*
 * As sip_uri_parse() and sip_nameaddr_next(). @known is a host and port that
 * were read elsewhere in this message: what is written in the same way needs
 * no second reading. NULL: none. @clear: it is known that in the URI is nothing
 * that no URI can have.
 */
bool sip_uri_read(const u8 *buf, u32 off, u32 end, const struct sip_hostport *known, bool clear,
		  struct sip_uri *uri);
int sip_nameaddr_read(const u8 *buf, u32 *off, u32 end, const struct sip_hostport *known,
		      struct sip_nameaddr *na);

/*
 * <sip:USER@HOST>, with a host and port that are known, and nothing behind:
 * what a phone mostly writes into its Contact. False: something else.
 */
static inline bool sip_nameaddr_known(const u8 *buf, u32 off, u32 end,
				      const struct sip_hostport *known, struct sip_nameaddr *na)
{
	const u32 len = known->end - known->host.off;
	struct sip_uri *uri = &na->uri;
	u32 user = off + 5;
	u32 at = end - len - 2;

	if (end - off <= 16 || len > end - off - 7 || buf[at] != '@' || buf[end - 1] != '>' ||
	    !SIP_BEGINS(sip_word(buf + off), "<sip:") ||
	    sip_user_end(buf, user, end) != at ||
	    !sip_hostport_known(buf, at + 1, end - 1, known, &uri->hp))
		return false;
	sip_uri_clear(uri);
	uri->whole.off = off + 1;
	uri->whole.len = end - off - 2;
	uri->scheme = SIP_SCHEME_SIP;
	uri->user.off = user;
	uri->user.len = at - user;
	na->whole.off = off;
	na->whole.len = end - off;
	na->star = false;
	na->params.off = 0;
	na->params.len = 0;
	na->expires = -1;
	return true;
}

/* uri.c: what begins with a bracket. */
bool sip_reference_read(const u8 *buf, u32 off, u32 end, struct sip_hostport *hp);

/* An IPv6 reference, or the run of a host name's bytes. */
static inline bool sip_host_read(const u8 *buf, u32 off, u32 end, struct sip_hostport *hp)
{
	u32 i = off + sip_ip4_read(buf + off, end - off, hp->ip.b);

	if (unlikely(i == off && off < end && buf[off] == '['))
		return sip_reference_read(buf, off, end, hp);
	if (likely(i > off && (i == end || !sip_byte_is(buf[i], SIP_C_HOST)))) {
		hp->ip.family = SIP_AF_IP4;
	} else {
		memset(hp->ip.b, 0, 4);
		i = sip_run(buf, off, end, SIP_C_HOST);
	}
	hp->host.off = off;
	hp->host.len = i - off;
	hp->host_end = i;
	return i > off;
}

/*
 * Digits, to the end of the value. One colon before something else is a port
 * that is none; with more colons it was an IPv6 address without brackets.
 */
static inline bool sip_port_read(const u8 *buf, u32 off, u32 end, struct sip_hostport *hp)
{
	u64 port;
	u32 i = sip_digits(buf, off, end, &port);

	hp->port.off = off;
	hp->port.len = i - off;
	hp->end = i;
	if (likely(port <= 65535 && i > off &&
		   (i == end || !sip_byte_is(buf[i], SIP_C_HOST | SIP_C_IP6)))) {
		hp->port_num = (u16)port;
		return true;
	}
	i = sip_run(buf, i, end, SIP_C_HOST);
	hp->bad_port = i == end || buf[i] != ':';
	return false;
}

/* sip_hostport_read(), where it stands. */
static inline bool sip_hostport_at(const u8 *buf, u32 off, u32 end, bool lws,
				   struct sip_hostport *hp)
{
	u32 i;

	if (unlikely(!sip_host_read(buf, off, end, hp))) {
		sip_hostport_clear(hp);
		return false;
	}
	i = hp->host_end;
	hp->end = i;
	if (lws)
		i = sip_lws(buf, i, end);
	if (i == end || buf[i] != ':')
		return true;
	i++;
	if (lws)
		i = sip_lws(buf, i, end);
	if (likely(sip_port_read(buf, i, end, hp)))
		return true;
	memset(&hp->host, 0, sizeof(hp->host));
	memset(&hp->port, 0, sizeof(hp->port));
	memset(&hp->ip, 0, sizeof(hp->ip));
	return false;
}

/* uri.c: @lws: around the colon, as in sent-by (RFC 3261 25.1: COLON). @hp is zeroed. */
bool sip_hostport_read(const u8 *buf, u32 off, u32 end, bool lws, struct sip_hostport *hp);
enum sip_transport sip_transport_lookup(const u8 *buf, struct sip_span s);

/*
 * via.c: as most are, up to what is not; 0: it begins in another way. There is
 * no line end in what is read.
 */
u32 sip_via_begin(const u8 *buf, u32 off, u32 end, struct sip_via *via);

/* addr.c: the same for From or To: "name" <URI>;tag=value, without the name, or the tag. */
u32 sip_tag_usual(const u8 *buf, u32 off, u32 end, struct sip_span *tag);
/* tag= of From or To; false: unreadable. */
bool sip_tag_find(const u8 *buf, u32 off, u32 end, struct sip_span *tag);

#endif /* SIP_TOKEN_H */
