/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rules.h - the policy: which field is mapped, unmapped or kept, and why.
 */
#ifndef SIP_RULES_H
#define SIP_RULES_H

#include "names.h"

enum sip_action {
	SIP_KEEP, /* byte-exact */
	SIP_MAP, /* out: the sender's address becomes the one outside */
	SIP_UNMAP, /* in: what this gateway put there becomes what was written */
	SIP_FOLLOW, /* the number changes if, and only if, the body's length does */
};

/*
 * X(ENUM, "name"): every place that the policy speaks of; also the field of
 * an edit in tracepoints and counters.
 */
#define SIP_FIELDS(X) \
	X(RURI, "request-uri") \
	X(VIA_SENT_BY, "via-sent-by") \
	X(VIA_RECEIVED, "via-received") \
	X(VIA_RPORT, "via-rport") \
	X(VIA_MADDR, "via-maddr") \
	X(VIA_OTHER, "via-other") \
	X(CONTACT, "contact") \
	X(ROUTE, "route") \
	X(RECORD_ROUTE, "record-route") \
	X(PATH, "path") \
	X(SERVICE_ROUTE, "service-route") \
	X(REFER_TO, "refer-to") \
	X(IDENTITY, "identity") \
	X(CREDENTIALS, "credentials") \
	X(OTHER, "other") \
	X(CONTENT_LENGTH, "content-length") \
	X(SDP_CONN, "sdp-c") \
	X(SDP_MEDIA, "sdp-m") \
	X(SDP_RTCP, "sdp-rtcp") \
	X(SDP_CANDIDATE, "sdp-candidate") \
	X(SDP_REMOTE_CANDIDATES, "sdp-remote-candidates") \
	X(SDP_OTHER_LINE, "sdp-other")

enum sip_field {
#define X(name, str) SIP_F_##name,
	SIP_FIELDS(X)
#undef X
	SIP_F_MAX
};

enum sip_way { SIP_REQ_OUT, SIP_RSP_OUT, SIP_REQ_IN, SIP_RSP_IN, SIP_WAYS };

/**
 * struct sip_rule - one line of the policy
 * @action: per way through the gateway
 * @rfc: the sections that ask for it
 * @where: what the field stands for, in words for the reader
 * @when: condition that the planner adds, in words for the reader
 */
struct sip_rule {
	u8 action[SIP_WAYS];
	const char *rfc;
	const char *where;
	const char *when;
};

extern const struct sip_rule sip_rules[SIP_F_MAX];

const char *sip_field_name(enum sip_field field);
const char *sip_action_name(enum sip_action action);

static inline enum sip_action sip_rule_action(enum sip_field field, enum sip_way way)
{
	return (enum sip_action)sip_rules[field].action[way];
}

#endif /* SIP_RULES_H */
