/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scan.h - find the end of a line eight bytes at a time.
 *
 * Most of a message is passed over without being looked at; this is the loop
 * that does it, so it costs about one instruction a byte.
 */
#ifndef SIP_SCAN_H
#define SIP_SCAN_H

#include "shim.h"

#define SIP_SCAN_ONES 0x0101010101010101ULL
#define SIP_SCAN_HIGH 0x8080808080808080ULL

/*
 * The first byte below 0x0e (NUL, HT, LF, CR, …) in [at, end), or @end. A
 * borrow out of a byte that hits only disturbs bytes above it, so the lowest
 * hit is a true one: the first in memory where the lowest byte comes first.
 */
static inline const u8 *sip_scan_control(const u8 *at, const u8 *end)
{
	u64 word, hit;

	while (end - at >= 8) {
		memcpy(&word, at, 8);
		hit = (word - SIP_SCAN_ONES * 0x0e) & ~word & SIP_SCAN_HIGH;
		if (hit) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			return at + (__builtin_ctzll(hit) >> 3);
#else
			break;
#endif
		}
		at += 8;
	}
	while (at < end && *at >= 0x0e)
		at++;
	return at;
}

#endif /* SIP_SCAN_H */
