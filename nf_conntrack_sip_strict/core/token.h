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

#define SIP_SPAN_IS(buf, span, lower) sip_span_is(buf, span, lower, sizeof(lower) - 1)

u32 sip_find(const u8 *buf, u32 off, u32 end, u8 byte);
u32 sip_value_run(const u8 *buf, u32 off, u32 end);
u32 sip_ip4_read(const u8 *s, u32 len, u8 out[4]);
bool sip_uri_is_clear(const u8 *buf, u32 off, u32 end);
bool sip_quoted(const u8 *buf, u32 *off, u32 end);
bool sip_comment(const u8 *buf, u32 *off, u32 end);

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

/* uri.c: with LWS around the colon, as in sent-by (RFC 3261 25.1: COLON). */
bool sip_hostport_parse_lws(const u8 *buf, u32 off, u32 end, struct sip_hostport *hp);
enum sip_transport sip_transport_lookup(const u8 *buf, struct sip_span s);

/* addr.c: tag= of From or To; false: unreadable. */
bool sip_tag_find(const u8 *buf, struct sip_span value, struct sip_span *tag);

#endif /* SIP_TOKEN_H */
