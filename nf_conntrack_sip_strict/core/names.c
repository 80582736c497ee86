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

static const u8 sip_method_len[SIP_M_MAX] = {
#define X(name, str) [SIP_M_##name] = sizeof(str) - 1,
	SIP_METHODS(X)
#undef X
};

static const char *const sip_hdr_names[SIP_H_MAX] = {
	[SIP_H_OTHER] = "other",
#define X(name, str, compact) [SIP_H_##name] = str,
	SIP_HEADERS(X)
#undef X
};

static const u8 sip_hdr_compact[SIP_H_MAX] = {
#define X(name, str, compact) [SIP_H_##name] = compact,
	SIP_HEADERS(X)
#undef X
};

#define SIP_HDR_LONGEST 19u

/* By length. A unit test holds this against the list in names.h. */
static const u8 sip_hdr_by_len[SIP_HDR_LONGEST + 1][5] = {
	[2] = { SIP_H_TO },
	[3] = { SIP_H_VIA },
	[4] = { SIP_H_FROM, SIP_H_CSEQ, SIP_H_PATH, SIP_H_RSEQ, SIP_H_RACK },
	[5] = { SIP_H_ROUTE, SIP_H_EVENT },
	[7] = { SIP_H_CALL_ID, SIP_H_CONTACT, SIP_H_EXPIRES, SIP_H_REQUIRE },
	[8] = { SIP_H_REFER_TO },
	[12] = { SIP_H_CONTENT_TYPE, SIP_H_RECORD_ROUTE },
	[13] = { SIP_H_AUTHORIZATION, SIP_H_SERVICE_ROUTE },
	[14] = { SIP_H_CONTENT_LENGTH },
	[15] = { SIP_H_SESSION_EXPIRES },
	[16] = { SIP_H_CONTENT_ENCODING },
	[18] = { SIP_H_SUBSCRIPTION_STATE },
	[19] = { SIP_H_PROXY_AUTHORIZATION, SIP_H_CONTENT_DISPOSITION },
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
	u32 i;

	for (i = 1; i < SIP_M_MAX; i++)
		if (sip_method_len[i] == len && !memcmp(s, sip_method_names[i], len))
			return (enum sip_method)i;
	return SIP_M_OTHER;
}

static enum sip_hdr_id sip_hdr_lookup_compact(u8 letter)
{
	u32 i;

	letter = sip_byte_lower(letter);
	for (i = 1; i < SIP_H_MAX; i++)
		if (sip_hdr_compact[i] == letter)
			return (enum sip_hdr_id)i;
	return SIP_H_OTHER;
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
	const struct sip_span name = { 0, len };
	const u8 *ids;
	u8 letter;
	u32 i;

	if (len == 1)
		return s[0] ? sip_hdr_lookup_compact(s[0]) : SIP_H_OTHER;
	if (len < 2 || len > SIP_HDR_LONGEST)
		return SIP_H_OTHER;
	ids = sip_hdr_by_len[len];
	letter = sip_byte_lower(s[0]);
	for (i = 0; i < sizeof(sip_hdr_by_len[0]) && ids[i]; i++)
		if ((u8)sip_hdr_names[ids[i]][0] == letter &&
		    sip_text_equal(s, name, sip_hdr_names[ids[i]], len))
			return (enum sip_hdr_id)ids[i];
	return SIP_H_OTHER;
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
