// SPDX-License-Identifier: GPL-2.0-only
/*
 * token.c - the smallest pieces of RFC 3261 section 25.1.
 *
 * Each routine goes over its bytes once.
 */
#include "msg.h"
#include "token.h"

#define T SIP_C_TOKEN
#define H SIP_C_HOST
#define D SIP_C_DIGIT
#define V SIP_C_IP6
#define M SIP_C_NAME
#define N SIP_C_NO_URI
#define P SIP_C_PARAM
#define F SIP_C_PLAIN

const u8 sip_class[256] = {
	[0x00 ... 0x08] = N,
	['\t'] = N | F,
	['\n'] = N | F,
	[0x0b ... 0x0c] = N,
	['\r'] = N | F,
	[0x0e ... 0x1f] = N,
	[' '] = N | F,
	['!'] = T | P | M | F,
	['"'] = N,
	['#'] = P | M | F,
	['$'] = P | M | F,
	['%'] = T | V | P | M | F,
	['&'] = P | M | F,
	['\''] = T | P | M | F,
	['('] = P | M | F,
	[')'] = P | M | F,
	['*'] = T | P | M | F,
	['+'] = T | P | M | F,
	['-'] = T | H | V | P | M | F,
	['.'] = T | H | V | P | M | F,
	['/'] = P | M | F,
	['0' ... '9'] = T | H | D | V | P | M | F,
	[':'] = V | P | M | F,
	['<'] = N | P | M,
	['='] = P | F,
	['>'] = N | P | M,
	['?'] = P | M | F,
	['@'] = P | M | F,
	['A' ... 'Z'] = T | H | V | P | M | F,
	['['] = P | M | F,
	['\\'] = P | M | F,
	[']'] = P | M | F,
	['^'] = P | M | F,
	['_'] = T | H | V | P | M | F,
	['`'] = T | P | M | F,
	['a' ... 'z'] = T | H | V | P | M | F,
	['{'] = P | M | F,
	['|'] = P | M | F,
	['}'] = P | M | F,
	['~'] = T | P | M | F,
	[0x7f] = P | M | F,
	[0x80 ... 0xff] = P | M | F,
};

#undef T
#undef H
#undef D
#undef V
#undef M
#undef N
#undef P
#undef F

/**
 * sip_lws_slow() - skip blanks and folds (RFC 3261 section 25.1: LWS)
 * @buf: the message
 * @off: where to begin
 * @end: where to stop
 *
 * A line end counts only where a blank follows. A bare LF folds as well.
 *
 * Return: offset of the first byte that is no LWS, or @end.
 */
u32 sip_lws_slow(const u8 *buf, u32 off, u32 end)
{
	u32 fold;

	while (off < end) {
		if (sip_byte_is_blank(buf[off])) {
			off++;
			continue;
		}
		fold = off;
		if (buf[fold] == '\r')
			fold++;
		if (end - fold < 2 || buf[fold] != '\n' || !sip_byte_is_blank(buf[fold + 1]))
			break;
		off = fold + 2;
	}
	return off;
}

/**
 * sip_trim_slow() - where a text ends without the LWS behind it
 * @buf: the message
 * @off: its begin
 * @end: its end
 *
 * Return: the end; @off if there is nothing else.
 */
u32 sip_trim_slow(const u8 *buf, u32 off, u32 end)
{
	while (end > off && (sip_byte_is_blank(buf[end - 1]) || buf[end - 1] == '\r' ||
			     buf[end - 1] == '\n'))
		end--;
	return end;
}

/**
 * sip_find() - find a byte, eight at a time
 * @buf: the message
 * @off: where to begin
 * @end: where to stop
 * @byte: what to find, not NUL
 *
 * Return: offset of the first such byte, or @end.
 */
u32 sip_find(const u8 *buf, u32 off, u32 end, u8 byte)
{
	const u64 pattern = SIP_SCAN_ONES * byte;
	const u8 *at = buf + off;
	const u8 *stop = buf + end;
	u64 hit, word;
	u32 words;

	for (words = (end - off) / 8; words; words--) {
		word = sip_word(at) ^ pattern;
		hit = (word - SIP_SCAN_ONES) & SIP_SCAN_HIGH;
		/* Bytes that differ from it by 0x80 and more look like a hit at first. */
		if (unlikely(hit) && (hit & ~word))
			return (u32)(at - buf) + sip_word_first(hit & ~word);
		at += sizeof(word);
	}
	if (at == stop)
		return end;
	if (end - off >= 8) {
		hit = sip_word_zero(sip_word_tail(stop, (u32)(stop - at)) ^ pattern);
		return hit ? (u32)(at - buf) + sip_word_first(hit) : end;
	}
	while (at < stop && *at != byte)
		at++;
	return (u32)(at - buf);
}

/* Bytes that may end a value: ';', and what is below '-'. */
static inline u64 sip_value_ends(u64 word)
{
	return sip_word_zero(word ^ SIP_SCAN_ONES * ';') | sip_word_below(word, '-');
}

/**
 * sip_value_run() - skip what can stand in a parameter's value without quotes
 * @buf: the message
 * @off: where to begin
 * @end: where to stop
 *
 * Eight bytes at a time where all of them are above ',' and none is ';'.
 *
 * Return: offset of the first byte that is not of SIP_C_PARAM, or @end.
 */
u32 sip_value_run(const u8 *buf, u32 off, u32 end)
{
	const u32 begin = off;
	u64 hit;

	while (end - off >= 8) {
		hit = sip_value_ends(sip_word(buf + off));
		if (!hit) {
			off += 8;
			continue;
		}
		off += sip_word_first(hit);
		if (!sip_byte_is(buf[off], SIP_C_PARAM))
			return off;
		off++;
	}
	/* The zeros behind the tail end it. */
	if (off < end && end - begin >= 8)
		off += sip_word_first(sip_value_ends(sip_word_tail(buf + end, end - off)));
	return sip_run(buf, off, end, SIP_C_PARAM);
}

/* Bytes below '#', or one of the two brackets, which differ in one bit. */
static inline u64 sip_uri_suspects(u64 word)
{
	return sip_word_below(word, '#') |
	       sip_word_zero((word | SIP_SCAN_ONES * 2) ^ SIP_SCAN_ONES * '>');
}

/**
 * sip_uri_is_clear() - is there nothing that no URI can have?
 * @buf: the message
 * @off: first byte
 * @end: end
 *
 * RFC 3261 25.1 has neither blanks, controls, quotes nor angle brackets in it.
 *
 * Return: false if one of them stands there.
 */
bool sip_uri_is_clear(const u8 *buf, u32 off, u32 end)
{
	const u32 begin = off;
	u64 hit;

	while (end - off >= 8) {
		hit = sip_uri_suspects(sip_word(buf + off));
		if (likely(!hit)) {
			off += 8;
			continue;
		}
		off += sip_word_first(hit);
		if (sip_byte_is(buf[off], SIP_C_NO_URI))
			return false;
		off++;
	}
	/* The last eight once more: what they begin with is known to be clear. */
	if (end - begin >= 8 && !sip_uri_suspects(sip_word(buf + end - 8)))
		return true;
	for (; off < end; off++)
		if (sip_byte_is(buf[off], SIP_C_NO_URI))
			return false;
	return true;
}

/**
 * sip_quoted() - skip a quoted string (RFC 3261 section 25.1: quoted-string)
 * @buf: the message
 * @off: offset of the opening quote; behind the closing one on return
 * @end: where to stop
 *
 * Return: false if it is not closed; *off is @end then.
 */
bool sip_quoted(const u8 *buf, u32 *off, u32 end)
{
	u32 i = *off + 1;
	u64 word, hit;

	while (i < end) {
		if (end - i >= 8) {
			word = sip_word(buf + i);
			hit = sip_word_zero(word ^ SIP_SCAN_ONES * '"') |
			      sip_word_zero(word ^ SIP_SCAN_ONES * '\\');
			if (!hit) {
				i += 8;
				continue;
			}
			i += sip_word_first(hit);
		}
		if (buf[i] == '"') {
			*off = i + 1;
			return true;
		}
		i += buf[i] == '\\' ? 2 : 1;
		/* One escape is often followed by another. */
		while (i < end && buf[i] == '\\')
			i += 2;
	}
	*off = end;
	return false;
}

/**
 * sip_comment() - skip a comment (RFC 3261 section 25.1: comment)
 * @buf: the message
 * @off: offset of the opening parenthesis; behind the closing one on return
 * @end: where to stop
 *
 * Return: false if it is not closed; *off is @end then.
 */
bool sip_comment(const u8 *buf, u32 *off, u32 end)
{
	u32 depth = 0;
	u32 i = *off;

	for (; i < end; i++) {
		if (buf[i] == '\\') {
			i++;
		} else if (buf[i] == '(') {
			depth++;
		} else if (buf[i] == ')' && !--depth) {
			*off = i + 1;
			return true;
		}
	}
	*off = end;
	return false;
}
