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
 * sip_digits_slow() - read digits, however many
 * @buf: the message
 * @off: where to begin
 * @end: where to stop
 * @number: filled in; 2^32 for what does not fit into 32 bits
 *
 * Return: where they end.
 */
u32 sip_digits_slow(const u8 *buf, u32 off, u32 end, u64 *number)
{
	u64 value = 0;
	u32 digit;

	for (; off < end && (digit = (u32)buf[off] - '0') <= 9; off++) {
		value = value * 10 + digit;
		if (unlikely(value >> 32))
			value = 1ULL << 32;
	}
	*number = value;
	return off;
}

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
 * sip_quoted_slow() - skip a quoted string (RFC 3261 section 25.1: quoted-string)
 * @buf: the message
 * @off: offset of the opening quote; behind the closing one on return
 * @end: where to stop
 *
 * Return: false if it is not closed; *off is @end then.
 */
bool sip_quoted_slow(const u8 *buf, u32 *off, u32 end)
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
