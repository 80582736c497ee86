/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * token.h - the smallest pieces of RFC 3261 section 25.1.
 *
 * Every routine takes a buffer and two offsets, off <= end, reads nothing
 * outside of [off, end), and returns an offset inside [off, end].
 */
#ifndef SIP_TOKEN_H
#define SIP_TOKEN_H

#include "scan.h"
#include "span.h"

/* Classes of bytes, as bits. */
#define SIP_C_TOKEN 0x01u /* token: alphanum and -.!%*_+`'~ */
#define SIP_C_HOST 0x02u /* of a host name; "_" is common in the field */
#define SIP_C_DIGIT 0x04u
#define SIP_C_IP6 0x08u /* inside of brackets: hex digits, ":", ".", zone */
#define SIP_C_SCHEME 0x10u /* of a URI scheme: alphanum and +-. */
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
	return sip_lws_slow(buf, off, end);
}

/* Eight bytes of the message as they stand in memory. */
static inline u64 sip_word(const u8 *at)
{
	u64 word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* High bit of the first byte that is zero; above it anything may be set. */
static inline u64 sip_word_zero(u64 word)
{
	return (word - SIP_SCAN_ONES) & ~word & SIP_SCAN_HIGH;
}

/* High bit of the first byte that is a blank or a control character. */
static inline u64 sip_word_blank(u64 word)
{
	return (word - SIP_SCAN_ONES * 0x21) & ~word & SIP_SCAN_HIGH;
}

/* Index of the byte that has the first of these bits. */
static inline u32 sip_word_first(u64 bits)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if ((u32)bits)
		return (u32)__builtin_ctz((u32)bits) >> 3;
	return 4 + ((u32)__builtin_ctz((u32)(bits >> 32)) >> 3);
#else
	/* Carries run towards the first byte: only the caller's bytes are sure. */
	return 0;
#endif
}

/**
 * sip_find() - find a byte, eight at a time
 * @buf: the message
 * @off: where to begin
 * @end: where to stop
 * @byte: what to find
 *
 * Return: offset of the first such byte, or @end.
 */
static inline u32 sip_find(const u8 *buf, u32 off, u32 end, u8 byte)
{
	const u64 pattern = SIP_SCAN_ONES * byte;
	u64 hit, word;

	for (; end - off >= sizeof(word); off += sizeof(word)) {
		word = sip_word(buf + off) ^ pattern;
		hit = (word - SIP_SCAN_ONES) & SIP_SCAN_HIGH;
		/* Bytes above 0x7f look like a hit at first. */
		if (likely(!hit) || !(hit & ~word))
			continue;
		return sip_find_in(buf, off, hit & ~word, byte);
	}
	while (off < end && buf[off] != byte)
		off++;
	return off;
}

bool sip_quoted(const u8 *buf, u32 *off, u32 end);
bool sip_comment(const u8 *buf, u32 *off, u32 end);
struct sip_span sip_trim(const u8 *buf, u32 off, u32 end);

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
