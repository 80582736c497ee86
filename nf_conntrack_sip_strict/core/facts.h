/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * facts.h - small questions that the state asks of a message.
 */
#ifndef SIP_FACTS_H
#define SIP_FACTS_H

#include "plan.h"

/* What a message does to the call it belongs to (RFC 3261 sections 12-15). */
bool sip_msg_may_start_call(const struct sip_msg *msg);
bool sip_msg_opens_txn(const struct sip_msg *msg);
bool sip_msg_is_emergency(const struct sip_msg *msg);

/* User part of the Request-URI. */
struct sip_span sip_msg_called(const struct sip_msg *msg);

/* Address-of-record of a REGISTER: URI of To, without parameters. */
struct sip_span sip_msg_aor(const struct sip_msg *msg);

/* Port of the sender's own Contact number n. */
bool sip_msg_contact_of(const struct sip_msg *msg, const struct sip_end *snd, u32 n, u16 *port);

/* Seconds that the longest binding of a 2xx to REGISTER lasts. */
s64 sip_msg_bound(const struct sip_msg *msg, s64 unsaid);

/**
 * struct sip_sub_state - Subscription-State of a NOTIFY (RFC 6665 section 4.1.3)
 * @expires: seconds, -1: not said
 */
struct sip_sub_state {
	bool present;
	bool terminated;
	s64 expires;
};

void sip_msg_sub_state(const struct sip_msg *msg, struct sip_sub_state *state);

/* Which memory an address of the sender needs. */
bool sip_fact_is_via(const struct sip_addr_fact *fact);
bool sip_fact_is_binding(const struct sip_addr_fact *fact, const struct sip_msg *msg);

/* Does the other side send the first packet to this stream? */
bool sdp_stream_is_reached(const struct sdp_stream *stream);

/* An SDP answer that refuses m= line number mline (RFC 3264 section 6). */
bool sip_plan_refuses(const struct sip_plan *plan, u32 mline);

#endif /* SIP_FACTS_H */
