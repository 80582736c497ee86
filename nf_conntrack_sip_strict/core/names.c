// SPDX-License-Identifier: GPL-2.0-only
/*
 * names.c - methods and header fields by name (RFC 3261 sections 7.1, 7.3.3).
 *
 * A name's length chooses the few that it can be; it is then compared in full.
 */
#include "msg.h"
#include "token.h"

static const char *const sip_method_names[SIP_M_MAX] = {
	[SIP_M_OTHER] = "other",
#define X(name, str) [SIP_M_##name] = str,
	SIP_METHODS(X)
#undef X
};

/* RFC 3261 section 20, RFC 4028, 6665. Held against names.h by a test, too. */
static const u8 sip_hdr_compact['z' + 1] = {
	['v'] = SIP_H_VIA,
	['m'] = SIP_H_CONTACT,
	['r'] = SIP_H_REFER_TO,
	['f'] = SIP_H_FROM,
	['t'] = SIP_H_TO,
	['i'] = SIP_H_CALL_ID,
	['l'] = SIP_H_CONTENT_LENGTH,
	['c'] = SIP_H_CONTENT_TYPE,
	['e'] = SIP_H_CONTENT_ENCODING,
	['x'] = SIP_H_SESSION_EXPIRES,
	['o'] = SIP_H_EVENT,
};

/**
 * sip_method_lookup() - a method by its name (RFC 3261 section 7.1)
 * @s: the name; case counts
 * @len: its length
 *
 * Return: the method, SIP_M_OTHER if it is none of the known ones.
 */
enum sip_method sip_method_lookup(const u8 *s, u32 len)
{
#define X(name, str) \
	if (len == sizeof(str) - 1 && !memcmp(s, str, sizeof(str) - 1)) \
		return SIP_M_##name;
	SIP_METHODS(X)
#undef X
	return SIP_M_OTHER;
}

static enum sip_hdr_id sip_hdr_lookup_compact(u8 letter)
{
	letter = sip_byte_lower(letter);
	if (letter < 'a' || letter > 'z')
		return SIP_H_OTHER;
	return (enum sip_hdr_id)sip_hdr_compact[letter];
}

/*
 * Compare with a constant: the first eight bytes, from which what is behind
 * the name has been shifted out, and the last eight of a longer name.
 */
#define SIP_IS(str) \
	(word << (64 - 8 * (sizeof(str) - 1)) == \
	 sip_word((const u8 *)str "\0\0\0\0\0\0") << (64 - 8 * (sizeof(str) - 1)))
#define SIP_IS_LONG(str) \
	(word == sip_word((const u8 *)(str)) && tail == sip_word((const u8 *)(str) + sizeof(str) - 9))

static enum sip_hdr_id sip_hdr_lookup_short(u64 word, u32 len)
{
	switch (len) {
	case 2:
		return SIP_IS("to") ? SIP_H_TO : SIP_H_OTHER;
	case 3:
		return SIP_IS("via") ? SIP_H_VIA : SIP_H_OTHER;
	case 4:
		if (SIP_IS("from"))
			return SIP_H_FROM;
		if (SIP_IS("cseq"))
			return SIP_H_CSEQ;
		if (SIP_IS("path"))
			return SIP_H_PATH;
		if (SIP_IS("rseq"))
			return SIP_H_RSEQ;
		return SIP_IS("rack") ? SIP_H_RACK : SIP_H_OTHER;
	case 5:
		if (SIP_IS("route"))
			return SIP_H_ROUTE;
		return SIP_IS("event") ? SIP_H_EVENT : SIP_H_OTHER;
	case 7:
		if (SIP_IS("call-id"))
			return SIP_H_CALL_ID;
		if (SIP_IS("contact"))
			return SIP_H_CONTACT;
		if (SIP_IS("expires"))
			return SIP_H_EXPIRES;
		return SIP_IS("require") ? SIP_H_REQUIRE : SIP_H_OTHER;
	case 8:
		return SIP_IS("refer-to") ? SIP_H_REFER_TO : SIP_H_OTHER;
	default:
		return SIP_H_OTHER;
	}
}

/* No two of these agree in their first and last eight bytes and their length. */
static enum sip_hdr_id sip_hdr_lookup_long(u64 word, u64 tail, u32 len)
{
	switch (len) {
	case 12:
		if (SIP_IS_LONG("content-type"))
			return SIP_H_CONTENT_TYPE;
		return SIP_IS_LONG("record-route") ? SIP_H_RECORD_ROUTE : SIP_H_OTHER;
	case 13:
		if (SIP_IS_LONG("authorization"))
			return SIP_H_AUTHORIZATION;
		return SIP_IS_LONG("service-route") ? SIP_H_SERVICE_ROUTE : SIP_H_OTHER;
	case 14:
		return SIP_IS_LONG("content-length") ? SIP_H_CONTENT_LENGTH : SIP_H_OTHER;
	case 15:
		return SIP_IS_LONG("session-expires") ? SIP_H_SESSION_EXPIRES : SIP_H_OTHER;
	case 16:
		return SIP_IS_LONG("content-encoding") ? SIP_H_CONTENT_ENCODING : SIP_H_OTHER;
	case 18:
		return SIP_IS_LONG("subscription-state") ? SIP_H_SUBSCRIPTION_STATE : SIP_H_OTHER;
	case 19:
		if (SIP_IS_LONG("proxy-authorization"))
			return SIP_H_PROXY_AUTHORIZATION;
		return SIP_IS_LONG("content-disposition") ? SIP_H_CONTENT_DISPOSITION : SIP_H_OTHER;
	default:
		return SIP_H_OTHER;
	}
}

/**
 * sip_hdr_lookup_words() - a header field by its name, eight bytes at a time
 * @s: the name, without blanks and controls; SIP_HDR_LONGEST bytes can be read
 * @len: its length
 *
 * All names are of letters and '-', and setting bit 5 maps only the two cases
 * of a letter, and '-' and CR, to the same byte.
 *
 * Return: as sip_hdr_lookup().
 */
enum sip_hdr_id sip_hdr_lookup_words(const u8 *s, u32 len)
{
	const u64 lower = SIP_SCAN_ONES * 0x20;
	enum sip_hdr_id id;

	if (len <= 8)
		return len > 1 ? sip_hdr_lookup_short(sip_word(s) | lower, len) :
				 sip_hdr_lookup_compact(s[0]);
	id = sip_hdr_lookup_long(sip_word(s) | lower, sip_word(s + len - 8) | lower, len);
	/* The middle of those that are longer than both together. */
	if (len <= 16 || id == SIP_H_OTHER)
		return id;
	switch (id) {
	case SIP_H_SUBSCRIPTION_STATE:
		return sip_half_lower(s + 7) == sip_half_lower((const u8 *)"ptio") ? id : SIP_H_OTHER;
	case SIP_H_PROXY_AUTHORIZATION:
		return sip_half_lower(s + 8) == sip_half_lower((const u8 *)"thor") ? id : SIP_H_OTHER;
	default:
		return sip_half_lower(s + 8) == sip_half_lower((const u8 *)"disp") ? id : SIP_H_OTHER;
	}
}

/**
 * sip_hdr_lookup() - a header field by its name (RFC 3261 section 7.3.3)
 * @s: the name, long or compact, in any case
 * @len: its length
 *
 * Return: the field, SIP_H_OTHER if it is none that anything here reads.
 */
enum sip_hdr_id sip_hdr_lookup(const u8 *s, u32 len)
{
	u8 name[SIP_HDR_LONGEST] = { 0 };
	u32 i;

	if (!len || len >= sizeof(name))
		return SIP_H_OTHER;
	for (i = 0; i < len; i++) {
		if (s[i] <= ' ')
			return SIP_H_OTHER;
		name[i] = s[i];
	}
	return sip_hdr_lookup_words(name, len);
}

/**
 * sip_method_name() - a method in words
 * @method: the method
 *
 * Return: its name, "other" for unknown ones, never NULL.
 */
const char *sip_method_name(enum sip_method method)
{
	return (u32)method < SIP_M_MAX ? sip_method_names[method] : sip_method_names[0];
}
