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
 * Offset of the first byte below 0x0e (NUL, HT, LF, CR, …) in [off, end), or
 * @end. A borrow out of a byte that hits only disturbs bytes above it, so the
 * lowest hit is a true one: the first where the first byte is the lowest.
 */
static inline u32 sip_scan_control(const u8 *buf, u32 off, u32 end)
{
	u64 word, hit;

	while (end - off >= 8) {
		memcpy(&word, buf + off, 8);
		hit = (word - SIP_SCAN_ONES * 0x0e) & ~word & SIP_SCAN_HIGH;
		if (hit) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			if ((u32)hit)
				return off + ((u32)__builtin_ctz((u32)hit) >> 3);
			return off + 4 + ((u32)__builtin_ctz((u32)(hit >> 32)) >> 3);
#else
			break;
#endif
		}
		off += 8;
	}
	while (off < end && buf[off] >= 0x0e)
		off++;
	return off;
}

#endif /* SIP_SCAN_H */
