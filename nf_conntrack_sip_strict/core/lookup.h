/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lookup.h - header fields by name, from words that msg.c has read already.
 *
 * A name's length chooses the few that it can be; it is then compared in full.
 * A unit test holds this against the list in names.h.
 */
#ifndef SIP_LOOKUP_H
#define SIP_LOOKUP_H

#include "names.h"
#include "scan.h"

/* By the letter (RFC 3261 section 20, RFC 4028, 6665), in lower case. */
enum sip_hdr_id sip_hdr_lookup_compact(u8 letter);

/* Up to eight bytes, in lower case, zeros behind them. */
static inline enum sip_hdr_id sip_hdr_lookup_short(u64 name, u32 len)
{
	switch (len) {
	case 1:
		return sip_hdr_lookup_compact((u8)name);
	case 2:
		return name == SIP_WORD("to") ? SIP_H_TO : SIP_H_OTHER;
	case 3:
		return name == SIP_WORD("via") ? SIP_H_VIA : SIP_H_OTHER;
	case 4:
		if (name == SIP_WORD("from"))
			return SIP_H_FROM;
		if (name == SIP_WORD("cseq"))
			return SIP_H_CSEQ;
		if (name == SIP_WORD("path"))
			return SIP_H_PATH;
		if (name == SIP_WORD("rseq"))
			return SIP_H_RSEQ;
		return name == SIP_WORD("rack") ? SIP_H_RACK : SIP_H_OTHER;
	case 5:
		if (name == SIP_WORD("route"))
			return SIP_H_ROUTE;
		return name == SIP_WORD("event") ? SIP_H_EVENT : SIP_H_OTHER;
	case 7:
		if (name == SIP_WORD("call-id"))
			return SIP_H_CALL_ID;
		if (name == SIP_WORD("contact"))
			return SIP_H_CONTACT;
		if (name == SIP_WORD("expires"))
			return SIP_H_EXPIRES;
		return name == SIP_WORD("require") ? SIP_H_REQUIRE : SIP_H_OTHER;
	case 8:
		return name == SIP_WORD("refer-to") ? SIP_H_REFER_TO : SIP_H_OTHER;
	default:
		return SIP_H_OTHER;
	}
}

/* By its first and its last eight bytes. */
static inline bool sip_hdr_is(u64 head, u64 tail, const char *name, u32 len)
{
	return tail == sip_word((const u8 *)name + len - 8) && head == sip_word((const u8 *)name);
}

/* The eight bytes between them. */
static inline bool sip_hdr_middle(const u8 *s, const char *lower)
{
	return sip_word_lower(sip_word(s + 8)) == sip_word((const u8 *)lower);
}

/*
 * Nine bytes and more. No two agree in their first and last eight bytes and
 * their length; those of more than both together are looked at in the middle.
 */
static inline enum sip_hdr_id sip_hdr_lookup_long(const u8 *s, u32 len)
{
	u64 head = sip_word_lower(sip_word(s));
	u64 tail = sip_word_lower(sip_word(s + len - 8));

	switch (len) {
	case 12:
		if (sip_hdr_is(head, tail, "content-type", 12))
			return SIP_H_CONTENT_TYPE;
		if (sip_hdr_is(head, tail, "record-route", 12))
			return SIP_H_RECORD_ROUTE;
		return SIP_H_OTHER;
	case 13:
		if (sip_hdr_is(head, tail, "authorization", 13))
			return SIP_H_AUTHORIZATION;
		if (sip_hdr_is(head, tail, "service-route", 13))
			return SIP_H_SERVICE_ROUTE;
		return SIP_H_OTHER;
	case 14:
		if (sip_hdr_is(head, tail, "content-length", 14))
			return SIP_H_CONTENT_LENGTH;
		return SIP_H_OTHER;
	case 15:
		if (sip_hdr_is(head, tail, "session-expires", 15))
			return SIP_H_SESSION_EXPIRES;
		return SIP_H_OTHER;
	case 16:
		if (sip_hdr_is(head, tail, "content-encoding", 16))
			return SIP_H_CONTENT_ENCODING;
		return SIP_H_OTHER;
	case 18:
		if (sip_hdr_is(head, tail, "subscription-state", 18) &&
		    sip_hdr_middle(s, "tion-sta"))
			return SIP_H_SUBSCRIPTION_STATE;
		return SIP_H_OTHER;
	case 19:
		if (sip_hdr_is(head, tail, "proxy-authorization", 19) &&
		    sip_hdr_middle(s, "thorizat"))
			return SIP_H_PROXY_AUTHORIZATION;
		if (sip_hdr_is(head, tail, "content-disposition", 19) &&
		    sip_hdr_middle(s, "disposit"))
			return SIP_H_CONTENT_DISPOSITION;
		return SIP_H_OTHER;
	default:
		return SIP_H_OTHER;
	}
}

/* Does a line begin like this? @word is its begin; it is a name of nine bytes and more. */
static inline bool sip_line_begins(const u8 *line, u64 word, const char *name, u32 len)
{
	return word == sip_word((const u8 *)name) &&
	       sip_word(line + len - 8) == sip_word((const u8 *)name + len - 8);
}

#define SIP_LINE_BEGINS(line, word, str) sip_line_begins(line, word, str, sizeof(str) - 1)

/*
 * The names that nearly every message has, as nearly everybody writes them,
 * and some that nothing reads: their colon is part of what is compared. @line
 * begins with @word; 16 bytes can be read. *len 0: another name, or written
 * in another way.
 */
static inline enum sip_hdr_id sip_hdr_usual(const u8 *line, u64 word, u32 *len)
{
	*len = 0;
	switch ((u8)word) {
	case 'A':
		if (SIP_BEGINS(word, "Allow:"))
			*len = 5;
		break;
	case 'C':
		if (SIP_LINE_BEGINS(line, word, "Content-Length:")) {
			*len = 14;
			return SIP_H_CONTENT_LENGTH;
		} else if (SIP_LINE_BEGINS(line, word, "Content-Type:")) {
			*len = 12;
			return SIP_H_CONTENT_TYPE;
		} else if (word == SIP_WORD("Call-ID:")) {
			*len = 7;
			return SIP_H_CALL_ID;
		} else if (word == SIP_WORD("Contact:")) {
			*len = 7;
			return SIP_H_CONTACT;
		} else if (SIP_BEGINS(word, "CSeq:")) {
			*len = 4;
			return SIP_H_CSEQ;
		}
		break;
	case 'F':
		if (!SIP_BEGINS(word, "From:"))
			break;
		*len = 4;
		return SIP_H_FROM;
	case 'M':
		if (SIP_LINE_BEGINS(line, word, "Max-Forwards:"))
			*len = 12;
		break;
	case 'R':
		if (!SIP_LINE_BEGINS(line, word, "Record-Route:"))
			break;
		*len = 12;
		return SIP_H_RECORD_ROUTE;
	case 'S':
		if (SIP_LINE_BEGINS(line, word, "Supported:"))
			*len = 9;
		break;
	case 'T':
		if (!SIP_BEGINS(word, "To:"))
			break;
		*len = 2;
		return SIP_H_TO;
	case 'U':
		if (SIP_LINE_BEGINS(line, word, "User-Agent:"))
			*len = 10;
		break;
	case 'V':
		if (!SIP_BEGINS(word, "Via:"))
			break;
		*len = 3;
		return SIP_H_VIA;
	default:
		break;
	}
	return SIP_H_OTHER;
}

#endif /* SIP_LOOKUP_H */
