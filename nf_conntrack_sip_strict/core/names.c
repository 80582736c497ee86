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
 * A unit test holds this against the list in names.h.
 *
 * Return: the method, SIP_M_OTHER if it is none of the known ones.
 */
enum sip_method sip_method_lookup(const u8 *s, u32 len)
{
	switch (len) {
	case 3:
		if (!memcmp(s, "ACK", 3))
			return SIP_M_ACK;
		return memcmp(s, "BYE", 3) ? SIP_M_OTHER : SIP_M_BYE;
	case 4:
		return memcmp(s, "INFO", 4) ? SIP_M_OTHER : SIP_M_INFO;
	case 5:
		if (!memcmp(s, "PRACK", 5))
			return SIP_M_PRACK;
		return memcmp(s, "REFER", 5) ? SIP_M_OTHER : SIP_M_REFER;
	case 6:
		if (!memcmp(s, "INVITE", 6))
			return SIP_M_INVITE;
		if (!memcmp(s, "CANCEL", 6))
			return SIP_M_CANCEL;
		if (!memcmp(s, "UPDATE", 6))
			return SIP_M_UPDATE;
		return memcmp(s, "NOTIFY", 6) ? SIP_M_OTHER : SIP_M_NOTIFY;
	case 7:
		if (!memcmp(s, "OPTIONS", 7))
			return SIP_M_OPTIONS;
		if (!memcmp(s, "MESSAGE", 7))
			return SIP_M_MESSAGE;
		return memcmp(s, "PUBLISH", 7) ? SIP_M_OTHER : SIP_M_PUBLISH;
	case 8:
		return memcmp(s, "REGISTER", 8) ? SIP_M_OTHER : SIP_M_REGISTER;
	case 9:
		return memcmp(s, "SUBSCRIBE", 9) ? SIP_M_OTHER : SIP_M_SUBSCRIBE;
	default:
		return SIP_M_OTHER;
	}
}

static enum sip_hdr_id sip_hdr_lookup_compact(u8 letter)
{
	letter = sip_byte_lower(letter);
	if (letter < 'a' || letter > 'z')
		return SIP_H_OTHER;
	return (enum sip_hdr_id)sip_hdr_compact[letter];
}

/* A constant of up to eight bytes, as sip_word() reads it. */
#define SIP_WORD(str) sip_word((const u8 *)str "\0\0\0\0\0\0\0")

/* What stands behind the name is shifted out. */
static inline bool sip_is(u64 word, u64 name, u32 len)
{
	return word << (64 - 8 * len) == name << (64 - 8 * len);
}

/* By its first and its last eight bytes. */
static inline bool sip_is_long(u64 word, u64 tail, const char *name, u32 len)
{
	return word == sip_word((const u8 *)name) && tail == sip_word((const u8 *)name + len - 8);
}

static enum sip_hdr_id sip_hdr_lookup_short(u64 word, u32 len)
{
	switch (len) {
	case 2:
		return sip_is(word, SIP_WORD("to"), 2) ? SIP_H_TO : SIP_H_OTHER;
	case 3:
		return sip_is(word, SIP_WORD("via"), 3) ? SIP_H_VIA : SIP_H_OTHER;
	case 4:
		if (sip_is(word, SIP_WORD("from"), 4))
			return SIP_H_FROM;
		if (sip_is(word, SIP_WORD("cseq"), 4))
			return SIP_H_CSEQ;
		if (sip_is(word, SIP_WORD("path"), 4))
			return SIP_H_PATH;
		if (sip_is(word, SIP_WORD("rseq"), 4))
			return SIP_H_RSEQ;
		return sip_is(word, SIP_WORD("rack"), 4) ? SIP_H_RACK : SIP_H_OTHER;
	case 5:
		if (sip_is(word, SIP_WORD("route"), 5))
			return SIP_H_ROUTE;
		return sip_is(word, SIP_WORD("event"), 5) ? SIP_H_EVENT : SIP_H_OTHER;
	case 7:
		if (sip_is(word, SIP_WORD("call-id"), 7))
			return SIP_H_CALL_ID;
		if (sip_is(word, SIP_WORD("contact"), 7))
			return SIP_H_CONTACT;
		if (sip_is(word, SIP_WORD("expires"), 7))
			return SIP_H_EXPIRES;
		return sip_is(word, SIP_WORD("require"), 7) ? SIP_H_REQUIRE : SIP_H_OTHER;
	case 8:
		return sip_is(word, SIP_WORD("refer-to"), 8) ? SIP_H_REFER_TO : SIP_H_OTHER;
	default:
		return SIP_H_OTHER;
	}
}

static inline bool sip_half_is(const u8 *s, const char *half)
{
	return sip_half_lower(s) == sip_half_lower((const u8 *)half);
}

/* No two of these agree in their first and last eight bytes and their length. */
static enum sip_hdr_id sip_hdr_lookup_long(u64 word, u64 tail, u32 len)
{
	switch (len) {
	case 12:
		if (sip_is_long(word, tail, "content-type", 12))
			return SIP_H_CONTENT_TYPE;
		if (sip_is_long(word, tail, "record-route", 12))
			return SIP_H_RECORD_ROUTE;
		return SIP_H_OTHER;
	case 13:
		if (sip_is_long(word, tail, "authorization", 13))
			return SIP_H_AUTHORIZATION;
		if (sip_is_long(word, tail, "service-route", 13))
			return SIP_H_SERVICE_ROUTE;
		return SIP_H_OTHER;
	case 14:
		if (sip_is_long(word, tail, "content-length", 14))
			return SIP_H_CONTENT_LENGTH;
		return SIP_H_OTHER;
	case 15:
		if (sip_is_long(word, tail, "session-expires", 15))
			return SIP_H_SESSION_EXPIRES;
		return SIP_H_OTHER;
	case 16:
		if (sip_is_long(word, tail, "content-encoding", 16))
			return SIP_H_CONTENT_ENCODING;
		return SIP_H_OTHER;
	case 18:
		if (sip_is_long(word, tail, "subscription-state", 18))
			return SIP_H_SUBSCRIPTION_STATE;
		return SIP_H_OTHER;
	case 19:
		if (sip_is_long(word, tail, "proxy-authorization", 19))
			return SIP_H_PROXY_AUTHORIZATION;
		if (sip_is_long(word, tail, "content-disposition", 19))
			return SIP_H_CONTENT_DISPOSITION;
		return SIP_H_OTHER;
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
		return sip_half_is(s + 7, "ptio") ? id : SIP_H_OTHER;
	case SIP_H_PROXY_AUTHORIZATION:
		return sip_half_is(s + 8, "thor") ? id : SIP_H_OTHER;
	default:
		return sip_half_is(s + 8, "disp") ? id : SIP_H_OTHER;
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
