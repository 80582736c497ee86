// SPDX-License-Identifier: GPL-2.0-only
/*
 * names.c - methods and header fields by name (RFC 3261 sections 7.1, 7.3.3).
 */
#include "lookup.h"
#include "msg.h"

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

/**
 * sip_hdr_lookup_compact() - a header field by its compact form
 * @letter: in lower case
 *
 * Return: the field, SIP_H_OTHER if there is none.
 */
enum sip_hdr_id sip_hdr_lookup_compact(u8 letter)
{
	if (letter < 'a' || letter > 'z')
		return SIP_H_OTHER;
	return (enum sip_hdr_id)sip_hdr_compact[letter];
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

	if (!len || len >= sizeof(name))
		return SIP_H_OTHER;
	memcpy(name, s, len);
	if (len > 8)
		return sip_hdr_lookup_long(name, len);
	return sip_hdr_lookup_short(sip_word_lower(sip_word(name)), len);
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
