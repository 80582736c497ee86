// SPDX-License-Identifier: GPL-2.0-only
/*
 * stun.c - is a packet STUN, and whom is a connectivity check for?
 */
#include "stun.h"

#define STUN_HEADER 20u
#define STUN_ATTR 4u /* type and length */
#define STUN_BINDING_REQUEST 0x0001u
#define STUN_USERNAME 0x0006u

static const u8 stun_cookie[4] = { 0x21, 0x12, 0xa4, 0x42 };

static u32 stun_u16(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

/**
 * stun_is_message() - does a datagram begin like a STUN message?
 * @p: its first bytes
 * @len: how many are there
 *
 * RFC 8489 section 5: two zero bits, and the magic cookie.
 *
 * Return: true if it does.
 */
bool stun_is_message(const u8 *p, u32 len)
{
	return len >= 8 && !(p[0] >> 6) && !memcmp(p + 4, stun_cookie, sizeof(stun_cookie));
}

/**
 * stun_check_ufrag() - the username fragment of whom a connectivity check is for
 * @p: first bytes of the datagram
 * @len: how many are there; attributes beyond are not looked at
 *
 * RFC 8445 section 7.2.2: USERNAME of a Binding request is the fragment of the
 * one that receives it, a colon, and that of the sender.
 *
 * Return: that fragment as a piece of @p; len 0: no such request.
 */
struct sip_span stun_check_ufrag(const u8 *p, u32 len)
{
	struct sip_span ufrag = { 0, 0 };
	u32 off = STUN_HEADER;
	const u8 *colon;
	u32 end, size;

	if (len < STUN_HEADER || !stun_is_message(p, len) || stun_u16(p) != STUN_BINDING_REQUEST ||
	    stun_u16(p + 2) % 4)
		return ufrag;
	end = STUN_HEADER + stun_u16(p + 2);
	if (end > len)
		end = len;
	/* Each turn takes four bytes or more. */
	while (end - off >= STUN_ATTR) {
		size = stun_u16(p + off + 2);
		if (stun_u16(p + off) != STUN_USERNAME) {
			off += STUN_ATTR + (size + 3) / 4 * 4;
			if (off > end)
				return ufrag;
			continue;
		}
		off += STUN_ATTR;
		if (size > end - off)
			size = end - off;
		for (colon = p + off; colon < p + off + size; colon++)
			if (*colon == ':')
				break;
		if (colon == p + off + size)
			return ufrag;
		ufrag.off = off;
		ufrag.len = (u32)(colon - (p + off));
		return ufrag;
	}
	return ufrag;
}
