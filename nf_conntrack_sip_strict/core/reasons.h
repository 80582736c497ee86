/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reasons.h - the one list of reasons for not doing something.
 *
 * X(NAME, "name", "what an operator reads")
 *
 * It makes the enum below, the counters in /proc/net/stat, the symbols of the
 * sip_strict_skip tracepoint and the text of the command line tool.
 */
#ifndef SIP_REASONS_H
#define SIP_REASONS_H

#include "shim.h"

#define SIP_REASONS(X) \
	/* The message as a whole: it passes byte-exact (or drop_malformed). */ \
	X(NOT_SIP, "not_sip", "does not begin with a SIP start line") \
	X(TRUNCATED, "truncated", "ends inside a token or before the blank line") \
	X(BAD_START_LINE, "bad_start_line", "start line cannot be read") \
	X(BAD_HEADER, "bad_header", "a header line cannot be read") \
	X(MISSING_HEADER, "missing_header", "Via, From, To, Call-ID or CSeq is missing") \
	X(REPEATED_HEADER, "repeated_header", "a header that may stand once stands twice") \
	X(BAD_VIA, "bad_via", "topmost Via cannot be read") \
	X(BAD_CSEQ, "bad_cseq", "CSeq cannot be read or its method is another") \
	X(BAD_CONTENT_LENGTH, "bad_content_length", \
	  "Content-Length wrong, out of range or contradicting") \
	X(BAD_NUMBER, "bad_number", "a number is out of range") \
	X(TOO_MANY_HEADERS, "too_many_headers", "more header fields than the limit") \
	X(TOO_LONG, "too_long", "message longer than the limit") \
	/* One value or one body: it is kept, the rest of the message maps. */ \
	X(BAD_VALUE, "bad_value", "a value cannot be delimited to its end") \
	X(BAD_SDP, "bad_sdp", "session description cannot be read") \
	X(SECOND_SDP, "second_sdp", "a second v= line in one session description") \
	X(BODY_ENCODED, "body_encoded", "body is encoded or encrypted") \
	X(BODY_OUTSIDE, "body_outside", "bytes after the body that Content-Length names") \
	X(SDP_NO_OFFER, "sdp_no_offer", "SDP where it is neither offer nor answer") \
	X(FQDN, "fqdn", "a host name, not an address") \
	X(OTHER_HOST, "other_host", "SDP names another inside host") \
	X(FOREIGN_ADDR, "foreign_addr", "SDP names an address that is not inside") \
	X(LOW_PORT, "low_port", "port below 1024 is never opened") \
	X(MULTICAST, "multicast", "multicast, loopback or unusable address in SDP") \
	X(MSRP, "msrp", "passive MSRP without a=msrp-cema") \
	X(AUTH_INT, "auth_int", "edited body under Digest qop=auth-int") \
	X(TAKEN, "taken", "public address and port belong to another host, or to the gateway") \
	X(OTHER_NAT, "other_nat", "received= is not our address: another NAT in the path") \
	X(VIA_CHANGED, "via_changed", "Via of an answer is not what went out: another ALG") \
	/* The plan: the message passes byte-exact. */ \
	X(SESSION_CONFLICT, "session_conflict", "session c= would need two addresses") \
	X(TOO_MANY_EDITS, "too_many_edits", "more edits than the limit") \
	X(TOO_MANY_STREAMS, "too_many_streams", "more media streams than the limit") \
	X(TOO_MANY_PARTS, "too_many_parts", "more body parts than the limit") \
	X(NO_PORT, "no_port", "no free media port") \
	X(TABLE_FULL, "table_full", "table of dialogs or registrations is full") \
	X(HOST_QUOTA, "host_quota", "the host holds host_max dialogs and registrations") \
	X(NO_MEMORY, "no_memory", "out of memory") \
	X(NO_SPACE, "no_space", "the edited message does not fit") \
	/* A stream: its bytes go on unedited from there. */ \
	X(NO_HANDSHAKE, "no_handshake", "TCP connection whose beginning was not seen") \
	X(SYN_OTHER, "syn_other", "data on the SYN, SYNPROXY, or options that forbid edits") \
	X(HOLD_MAX, "hold_max", "message longer than tcp_hold_max") \
	X(HOLD_TIME, "hold_time", "message not whole after tcp_hold_time") \
	X(HOLD_WINDOW, "hold_window", "message longer than the window of its receiver") \
	X(STREAM_END, "stream_end", "connection ended within a message") \
	X(URGENT, "urgent", "urgent data on a TCP connection")

enum sip_reason {
	SIP_R_OK = 0,
#define X(name, str, text) SIP_R_##name,
	SIP_REASONS(X)
#undef X
	SIP_R_MAX
};

/* Reasons for which the message cannot be understood as a whole. */
static inline bool sip_reason_is_malformed(enum sip_reason reason)
{
	return reason != SIP_R_OK && reason <= SIP_R_TOO_LONG;
}

const char *sip_reason_name(enum sip_reason reason);
const char *sip_reason_text(enum sip_reason reason);

#endif /* SIP_REASONS_H */
