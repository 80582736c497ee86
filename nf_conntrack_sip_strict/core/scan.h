/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scan.h - a message eight bytes at a time.
 *
 * Most of a message is passed over without being looked at; these are the loops
 * and tests that do it, so it costs about one instruction a byte.
 */
#ifndef SIP_SCAN_H
#define SIP_SCAN_H

#include "shim.h"

#define SIP_SCAN_ONES 0x0101010101010101ULL
#define SIP_SCAN_HIGH 0x8080808080808080ULL

/* Eight bytes of the message, the first one lowest on any machine. */
static inline u64 sip_word(const u8 *at)
{
	u64 word;

	memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* A constant of up to eight bytes, as sip_word() reads it. */
#define SIP_WORD(str) sip_word((const u8 *)str "\0\0\0\0\0\0\0")

/* Does a word begin like this? */
#define SIP_BEGINS(word, str) \
	(!(((word) ^ SIP_WORD(str)) << (64 - 8 * (sizeof(str) - 1))))

/* The high bit of the first byte that is below @byte; those above may be wrong. */
static inline u64 sip_word_below(u64 word, u8 byte)
{
	return (word - SIP_SCAN_ONES * byte) & ~word & SIP_SCAN_HIGH;
}

/* The same for the first byte that is zero. */
static inline u64 sip_word_zero(u64 word)
{
	return sip_word_below(word, 1);
}

/* The same for the first byte that is a blank or a control character. */
static inline u64 sip_word_blank(u64 word)
{
	return sip_word_below(word, 0x21);
}

/* Index of the first byte that has its high bit set here. */
static inline u32 sip_word_first(u64 bits)
{
	if (sizeof(long) == sizeof(bits))
		return (u32)__builtin_ctzl((unsigned long)bits) >> 3;
	if ((u32)bits)
		return (u32)__builtin_ctz((u32)bits) >> 3;
	return 4 + ((u32)__builtin_ctz((u32)(bits >> 32)) >> 3);
}

/* All bits of the bytes before that one. */
static inline u64 sip_word_before(u64 bits)
{
	return ((bits & (0 - bits)) >> 7) - 1;
}

/* Upper case letters to lower case; no other byte becomes a letter or '-'. */
static inline u64 sip_word_lower(u64 word)
{
	return word | (word & SIP_SCAN_ONES * 0x40) >> 1;
}

/* From which offset on 16 bytes can no longer be read before @end. */
static inline size_t sip_scan_stop(size_t end)
{
	return end >= 16 ? end - 15 : 0;
}

/*
 * The first byte below 0x0e (NUL, HT, LF, CR, …) from @off on, as long as 16
 * bytes can be read: until @stop, which is found once for a text, not for each
 * line. Not *found: where they cannot. Bytes of 0x8e and more look like one at
 * first.
 */
static inline size_t sip_scan_pairs(const u8 *buf, size_t off, size_t stop, bool *found)
{
	const u64 below = SIP_SCAN_ONES * 0x0e;
	u64 first, second, hit;

	*found = true;
	for (; off < stop; off += 16) {
		first = sip_word(buf + off);
		second = sip_word(buf + off + 8);
		if (likely(!(((first - below) | (second - below)) & SIP_SCAN_HIGH)))
			continue;
		hit = sip_word_below(first, 0x0e);
		if (hit)
			return off + sip_word_first(hit);
		hit = sip_word_below(second, 0x0e);
		if (hit)
			return off + 8 + sip_word_first(hit);
	}
	*found = false;
	return off;
}

/* Behind those: where 16 bytes can no longer be read; or @end. */
static inline size_t sip_scan_rest(const u8 *buf, size_t off, size_t end)
{
	u64 hit;

	if (end - off >= 8) {
		hit = sip_word_below(sip_word(buf + off), 0x0e);
		if (hit)
			return off + sip_word_first(hit);
		/* The last eight, which are not all new. */
		off = end - 8;
		hit = sip_word_below(sip_word(buf + off), 0x0e);
		return hit ? off + sip_word_first(hit) : end;
	}
	while (off < end && buf[off] >= 0x0e)
		off++;
	return off;
}

/* The same to @end. */
static inline size_t sip_scan_control(const u8 *buf, size_t off, size_t end)
{
	bool found;

	off = sip_scan_pairs(buf, off, sip_scan_stop(end), &found);
	return likely(found) ? off : sip_scan_rest(buf, off, end);
}

/* Does CRLF stand here? */
static inline bool sip_is_crlf(const u8 *at)
{
	return !memcmp(at, "\r\n", 2);
}

#endif /* SIP_SCAN_H */
