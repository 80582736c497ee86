// SPDX-License-Identifier: GPL-2.0-only
/*
 * ip.c - addresses as text and back, and what kind they are.
 */
#include "token.h"

/**
 * sip_ip4_read_short() - the same as sip_ip4_read() for a short text
 * @s: the text
 * @len: its length, less than 16; what follows the address is the caller's
 * @out: the four bytes
 *
 * Return: how long the address is; 0 if there is none.
 */
u32 sip_ip4_read_short(const u8 *s, u32 len, u8 out[4])
{
	u8 text[16] = { 0 };

	memcpy(text, s, len);
	return sip_ip4_read(text, sizeof(text), out);
}

static u32 sip_hex_digit(u8 byte)
{
	if (byte >= '0' && byte <= '9')
		return (u32)byte - '0';
	byte |= 0x20;
	if (byte >= 'a' && byte <= 'f')
		return (u32)byte - 'a' + 10;
	return 16;
}

/*
 * RFC 4291 section 2.2. Groups are written to the front; those behind "::"
 * move to the end when all is read.
 */
static bool sip_ip6_parse(const u8 *s, u32 len, u8 out[16])
{
	u32 gap = 17; /* none yet */
	u32 at = 0;
	u32 i = 0;

	if (len >= 2 && s[0] == ':' && s[1] == ':') {
		gap = 0;
		i = 2;
	} else if (len && s[0] == ':') {
		return false;
	}
	while (i < len) {
		u32 value = 0;
		u32 first = i;

		while (i < len && i - first < 4 && sip_hex_digit(s[i]) < 16)
			value = value << 4 | sip_hex_digit(s[i++]);
		if (i < len && s[i] == '.') {
			if (at > 12 ||
			    sip_ip4_read(s + first, len - first, out + at) != len - first)
				return false;
			at += 4;
			break;
		}
		if (i == first || at > 14)
			return false;
		out[at++] = (u8)(value >> 8);
		out[at++] = (u8)value;
		if (i == len)
			break;
		if (s[i++] != ':' || i == len)
			return false;
		if (s[i] == ':') {
			if (gap <= 16)
				return false;
			gap = at;
			i++;
		}
	}
	if (gap > 16)
		return at == 16;
	if (at > 14)
		return false;
	memmove(out + 16 - (at - gap), out + gap, at - gap);
	memset(out + gap, 0, 16 - at);
	return true;
}

/**
 * sip_ip_parse() - read an IPv4 or IPv6 address (RFC 3261 25.1, RFC 4291 2.2)
 * @s: the text, without brackets
 * @len: its length; all of it must be the address
 * @ip: filled in; family SIP_AF_NONE if it is none
 *
 * IPv4 groups are decimal whatever zeros stand before them. A zone index is
 * not accepted: such an address means nothing outside of its host.
 *
 * Return: true if it is an address.
 */
bool sip_ip_parse(const u8 *s, u32 len, struct sip_ip *ip)
{
	u32 i;

	memset(ip, 0, sizeof(*ip));
	if (len < 2 || len > 45)
		return false;
	if (sip_ip4_read(s, len, ip->b) == len) {
		ip->family = SIP_AF_IP4;
		return true;
	}
	for (i = 0; i < len && i < 5 && s[i] != ':'; i++)
		;
	if (i < len && i < 5 && sip_ip6_parse(s, len, ip->b)) {
		ip->family = SIP_AF_IP6;
		return true;
	}
	memset(ip->b, 0, sizeof(ip->b));
	return false;
}

/* All numbers of two digits: one look in place of a division. */
#define SIP_TEN(d) d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9"
const char sip_pairs[201] = SIP_TEN("0") SIP_TEN("1") SIP_TEN("2") SIP_TEN("3") SIP_TEN("4")
			    SIP_TEN("5") SIP_TEN("6") SIP_TEN("7") SIP_TEN("8") SIP_TEN("9");

/* All octets, in four bytes each: its digits from the first byte on, how many in the last. */
#define SIP_ONES SIP_OCTETS("", "\0\0\1")
#define SIP_TENS(d) SIP_OCTETS(d, "\0\2")
#define SIP_HUNDREDS(d) SIP_OCTETS(d, "\3")
#define SIP_OCTETS(d, len) d "0" len d "1" len d "2" len d "3" len d "4" len \
			   d "5" len d "6" len d "7" len d "8" len d "9" len
static const char sip_octets[4 * 260 + 1] =
	SIP_ONES SIP_TENS("1") SIP_TENS("2") SIP_TENS("3") SIP_TENS("4") SIP_TENS("5")
	SIP_TENS("6") SIP_TENS("7") SIP_TENS("8") SIP_TENS("9") SIP_HUNDREDS("10")
	SIP_HUNDREDS("11") SIP_HUNDREDS("12") SIP_HUNDREDS("13") SIP_HUNDREDS("14")
	SIP_HUNDREDS("15") SIP_HUNDREDS("16") SIP_HUNDREDS("17") SIP_HUNDREDS("18")
	SIP_HUNDREDS("19") SIP_HUNDREDS("20") SIP_HUNDREDS("21") SIP_HUNDREDS("22")
	SIP_HUNDREDS("23") SIP_HUNDREDS("24") SIP_HUNDREDS("25");

/* Writes one byte more than the text. */
static u32 sip_ip4_format(const u8 b[4], u8 *out)
{
	u8 *at = out;
	u32 i;

	for (i = 0; i < 4; i++) {
		memcpy(at, sip_octets + 4 * b[i], 4);
		at += at[3];
		*at++ = '.';
	}
	return (u32)(at - out) - 1;
}

/* RFC 5952: "::" for the first longest run of two or more zero groups. */
static u32 sip_ip6_format(const u8 b[16], u8 *out)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const char hex[] = "0123456789abcdef";
	u32 gap = 8, gap_len = 1, run = 0;
	u32 groups = 8;
	u32 len = 0;
	u32 i;

	if (!memcmp(b, mapped, sizeof(mapped)))
		groups = 6;
	for (i = 0; i < groups; i++) {
		run = b[2 * i] || b[2 * i + 1] ? 0 : run + 1;
		if (run > gap_len) {
			gap_len = run;
			gap = i + 1 - run;
		}
	}
	for (i = 0; i < groups; i++) {
		u32 value = (u32)b[2 * i] << 8 | b[2 * i + 1];
		u32 shift = 12;

		if (i == gap) {
			out[len++] = ':';
			if (i + gap_len == groups)
				out[len++] = ':';
			i += gap_len - 1;
			continue;
		}
		if (i)
			out[len++] = ':';
		while (shift && !(value >> shift))
			shift -= 4;
		for (;; shift -= 4) {
			out[len++] = (u8)hex[value >> shift & 15];
			if (!shift)
				break;
		}
	}
	if (groups == 6) {
		out[len++] = ':';
		len += sip_ip4_format(b + 12, out + len);
	}
	return len;
}

/**
 * sip_ip_format() - write an address in its canonical form
 * @ip: the address
 * @out: room for 45 bytes; no NUL is added
 *
 * IPv6 as RFC 5952, without brackets.
 *
 * Return: bytes written; 0 for SIP_AF_NONE.
 */
u32 sip_ip_format(const struct sip_ip *ip, u8 *out)
{
	switch (ip->family) {
	case SIP_AF_IP4:
		return sip_ip4_format(ip->b, out);
	case SIP_AF_IP6:
		return sip_ip6_format(ip->b, out);
	default:
		return 0;
	}
}

/**
 * sip_port_format() - write a port in decimal
 * @port: the port
 * @out: room for 5 bytes; no NUL is added
 *
 * Return: bytes written.
 */
u32 sip_port_format(u16 port, u8 *out)
{
	return sip_port_write(port, out);
}

/**
 * sip_ip_is_private() - is it an address that no public host has?
 * @ip: the address
 *
 * RFC 1918, 6598 (shared), 3927 (link-local), 4193 (unique local), and
 * link-local IPv6 (RFC 4291 section 2.5.6).
 *
 * Return: true if it is.
 */
bool sip_ip_is_private(const struct sip_ip *ip)
{
	const u8 *b = ip->b;

	if (ip->family == SIP_AF_IP4)
		return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
		       (b[0] == 192 && b[1] == 168) || (b[0] == 100 && (b[1] & 0xc0) == 64) ||
		       (b[0] == 169 && b[1] == 254);
	if (ip->family == SIP_AF_IP6)
		return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
	return false;
}

/**
 * sip_ip_is_unicast() - is it an address that a single other host can have?
 * @ip: the address
 *
 * Return: false for a name, 0.0.0.0/8, "::", loopback, multicast and class E.
 */
bool sip_ip_is_unicast(const struct sip_ip *ip)
{
	static const u8 loopback[16] = { [15] = 1 };

	if (ip->family == SIP_AF_IP4)
		return ip->b[0] != 0 && ip->b[0] != 127 && ip->b[0] < 224;
	if (ip->family == SIP_AF_IP6)
		return ip->b[0] != 0xff && !sip_ip_is_unspecified(ip) &&
		       memcmp(ip->b, loopback, sizeof(loopback)) != 0;
	return false;
}
