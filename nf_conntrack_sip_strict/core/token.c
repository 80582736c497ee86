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
#define S SIP_C_SCHEME
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
	['!'] = T | P | F,
	['"'] = N,
	['#'] = P | F,
	['$'] = P | F,
	['%'] = T | V | P | F,
	['&'] = P | F,
	['\''] = T | P | F,
	['('] = P | F,
	[')'] = P | F,
	['*'] = T | P | F,
	['+'] = T | S | P | F,
	['-'] = T | H | S | V | P | F,
	['.'] = T | H | S | V | P | F,
	['/'] = P | F,
	['0' ... '9'] = T | H | D | V | S | P | F,
	[':'] = V | P | F,
	['<'] = N | P,
	['='] = P | F,
	['>'] = N | P,
	['?'] = P | F,
	['@'] = P | F,
	['A' ... 'Z'] = T | H | V | S | P | F,
	['['] = P | F,
	['\\'] = P | F,
	[']'] = P | F,
	['^'] = P | F,
	['_'] = T | H | V | P | F,
	['`'] = T | P | F,
	['a' ... 'z'] = T | H | V | S | P | F,
	['{'] = P | F,
	['|'] = P | F,
	['}'] = P | F,
	['~'] = T | P | F,
	[0x7f] = N,
	[0x80 ... 0xff] = P | F,
};

#undef T
#undef H
#undef D
#undef V
#undef S
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

/* Index of the first byte in memory whose high bit is set. */
static inline u32 sip_first_byte(u64 marks)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (u32)__builtin_ctzll(marks) / 8;
#else
	u8 bytes[sizeof(marks)];
	u32 i = 0;

	memcpy(bytes, &marks, sizeof(marks));
	while (!(bytes[i] & 0x80))
		i++;
	return i;
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
u32 sip_find(const u8 *buf, u32 off, u32 end, u8 byte)
{
	const u64 low = 0x7f7f7f7f7f7f7f7full;
	const u64 pattern = 0x0101010101010101ull * byte;
	u64 word;

	while (end - off >= sizeof(word)) {
		memcpy(&word, buf + off, sizeof(word));
		word ^= pattern;
		/* Exact in every byte, so that the order of bytes does not matter. */
		word = ~(((word & low) + low) | word | low);
		if (word)
			return off + sip_first_byte(word);
		off += sizeof(word);
	}
	while (off < end && buf[off] != byte)
		off++;
	return off;
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

	while (i < end && buf[i] != '"')
		i += buf[i] == '\\' ? 2 : 1;
	*off = i < end ? i + 1 : end;
	return i < end;
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

/**
 * sip_trim() - a span without the LWS around it
 * @buf: the message
 * @off: its begin
 * @end: its end
 *
 * Return: the span; it may be empty.
 */
struct sip_span sip_trim(const u8 *buf, u32 off, u32 end)
{
	struct sip_span s;

	s.off = sip_lws(buf, off, end);
	while (end > s.off && (sip_byte_is_blank(buf[end - 1]) || buf[end - 1] == '\r' ||
			       buf[end - 1] == '\n'))
		end--;
	s.len = end - s.off;
	return s;
}
