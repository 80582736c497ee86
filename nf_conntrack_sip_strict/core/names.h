/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * names.h - methods and header fields by name (RFC 3261 section 7.1, 7.3.3).
 */
#ifndef SIP_NAMES_H
#define SIP_NAMES_H

#include "shim.h"

/* X(ENUM, "METHOD"); methods compare case-sensitively. */
#define SIP_METHODS(X) \
	X(INVITE, "INVITE") \
	X(ACK, "ACK") \
	X(BYE, "BYE") \
	X(CANCEL, "CANCEL") \
	X(REGISTER, "REGISTER") \
	X(OPTIONS, "OPTIONS") \
	X(PRACK, "PRACK") \
	X(UPDATE, "UPDATE") \
	X(SUBSCRIBE, "SUBSCRIBE") \
	X(NOTIFY, "NOTIFY") \
	X(REFER, "REFER") \
	X(MESSAGE, "MESSAGE") \
	X(INFO, "INFO") \
	X(PUBLISH, "PUBLISH")

enum sip_method {
	SIP_M_OTHER = 0,
#define X(name, str) SIP_M_##name,
	SIP_METHODS(X)
#undef X
	SIP_M_MAX
};

/*
 * X(ENUM, "Name", compact form or 0): the header fields that anything here
 * reads; all others are kept without taking a slot in the index.
 */
#define SIP_HEADERS(X) \
	X(VIA, "via", 'v') \
	X(CONTACT, "contact", 'm') \
	X(ROUTE, "route", 0) \
	X(RECORD_ROUTE, "record-route", 0) \
	X(PATH, "path", 0) \
	X(SERVICE_ROUTE, "service-route", 0) \
	X(REFER_TO, "refer-to", 'r') \
	X(FROM, "from", 'f') \
	X(TO, "to", 't') \
	X(CALL_ID, "call-id", 'i') \
	X(CSEQ, "cseq", 0) \
	X(CONTENT_LENGTH, "content-length", 'l') \
	X(CONTENT_TYPE, "content-type", 'c') \
	X(CONTENT_DISPOSITION, "content-disposition", 0) \
	X(CONTENT_ENCODING, "content-encoding", 'e') \
	X(EXPIRES, "expires", 0) \
	X(SESSION_EXPIRES, "session-expires", 'x') \
	X(SUBSCRIPTION_STATE, "subscription-state", 0) \
	X(EVENT, "event", 'o') \
	X(REQUIRE, "require", 0) \
	X(RSEQ, "rseq", 0) \
	X(RACK, "rack", 0) \
	X(AUTHORIZATION, "authorization", 0) \
	X(PROXY_AUTHORIZATION, "proxy-authorization", 0)

enum sip_hdr_id {
	SIP_H_OTHER = 0,
#define X(name, str, compact) SIP_H_##name,
	SIP_HEADERS(X)
#undef X
	SIP_H_MAX
};

enum sip_method sip_method_lookup(const u8 *s, u32 len);
enum sip_hdr_id sip_hdr_lookup(const u8 *s, u32 len); /* any case, long or compact */

/* Longer than any name that is known; three words of eight bytes. */
#define SIP_HDR_LONGEST 24u

const char *sip_method_name(enum sip_method method);

#endif /* SIP_NAMES_H */
