// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules.c - THE table: what happens to each field on each way.
 *
 * This is the whole policy. A field that is not named here, or whose action is
 * KEEP, leaves the gateway as it came, byte for byte, even if it happens to
 * hold an inside or outside address. plan.c and plan_sdp.c ask this table and
 * nothing else for what they may touch; @when says in words what they check
 * besides. docs/rules.md is printed from here by selftests/unit/rules_doc.
 *
 *   MAP     the sender's own address becomes the one that the outside sees
 *   UNMAP   what this gateway put there for the receiver becomes what that
 *           host had written, byte for byte
 *   FOLLOW  a length follows the body
 *   keep    byte-exact
 */
#include "rules.h"

#define KEEP SIP_KEEP
#define MAP SIP_MAP
#define UNMAP SIP_UNMAP
#define FOLLOW SIP_FOLLOW

/* One row: ways, RFC sections; then, for the reader, where and when. */
#define RULE(req_out, rsp_out, req_in, rsp_in, rfcs, place, cond) \
	{ { [SIP_REQ_OUT] = req_out, [SIP_RSP_OUT] = rsp_out, \
	    [SIP_REQ_IN] = req_in, [SIP_RSP_IN] = rsp_in }, rfcs, place, cond }

const struct sip_rule sip_rules[SIP_F_MAX] = {
	/*                               req-out rsp-out req-in  rsp-in */
	[SIP_F_RURI]            = RULE(KEEP,   KEEP,   UNMAP,  KEEP,
		"3261 8.2.2.1, 12.2.2, 16.4",
		"Request-URI",
		"With a To tag: a Contact of that very dialog. Without: a live registration's "
		"Contact, if the sender is that registration's peer or the user part is equal "
		"and not empty; or a live dialog's Contact with the same user part. CANCEL, "
		"ACK to a non-2xx and repeats get what their INVITE got. A called number or "
		"a domain at a port forward is none of these."),
	[SIP_F_VIA_SENT_BY]     = RULE(MAP,    KEEP,   KEEP,   UNMAP,
		"3261 18.1.1, 18.1.2, 18.2.2; 3581 4",
		"Via, topmost value: sent-by",
		"Out: the sender's own host. Its port becomes the flow's outside port where it "
		"is the source port, and also where it is not but there is an rport or the "
		"flow is TCP; else it gets a mapping of its own. In: a sent-by that this "
		"gateway mapped in the last 32 s, or for an INVITE of a call that is still "
		"known; where the same value was also sent unchanged, the branch decides."),
	[SIP_F_VIA_RECEIVED]    = RULE(KEEP,   UNMAP,  KEEP,   UNMAP,
		"3581 4; 3261 18.2.1",
		"Via, topmost value: received=",
		"In: only together with sent-by, and only where it is our mapping. Out: only "
		"where it is the source that this gateway itself gave the request (both NATs "
		"at once). Brackets stay as they stand; another NAT's value is kept."),
	[SIP_F_VIA_RPORT]       = RULE(KEEP,   UNMAP,  KEEP,   UNMAP,
		"3581 4",
		"Via, topmost value: rport=",
		"As received=. An rport without a value is kept, and so is one beside a "
		"received= that is another NAT's."),
	[SIP_F_VIA_MADDR]       = RULE(MAP,    KEEP,   KEEP,   UNMAP,
		"3261 18.2.2",
		"Via, topmost value: maddr=",
		"The sender's own host; in: our mapping of it."),
	[SIP_F_VIA_OTHER]       = RULE(KEEP,   KEEP,   KEEP,   KEEP,
		"3261 16.7",
		"Via, all other values",
		"They belong to the elements behind."),
	[SIP_F_CONTACT]         = RULE(MAP,    MAP,    KEEP,   UNMAP,
		"3261 8.1.1.8, 10.2.4, 12.1.1",
		"Contact, each value: host, port, maddr",
		"The sender's own host; in: if it is ours (a REGISTER 200 lists all bindings, a "
		"3xx may name us). Another port or transport than the flow's gets a mapping "
		"of its own. `*`, tel: and host names are kept; an address that already is "
		"our outside one is kept and gets its mapping all the same."),
	[SIP_F_ROUTE]           = RULE(KEEP,   KEEP,   UNMAP,  KEEP,
		"3261 16.4, 16.12",
		"Route, each entry",
		"If it is ours: an inside proxy's own Record-Route comes back."),
	[SIP_F_RECORD_ROUTE]    = RULE(MAP,    MAP,    KEEP,   UNMAP,
		"3261 16.6 step 4, 12.1.2",
		"Record-Route, each entry",
		"Out: host and port are the sender's signalling address or a live Contact of "
		"it. In: if it is ours."),
	[SIP_F_PATH]            = RULE(MAP,    KEEP,   KEEP,   UNMAP,
		"3327 5",
		"Path, each entry",
		"As Record-Route."),
	[SIP_F_SERVICE_ROUTE]   = RULE(KEEP,   MAP,    KEEP,   UNMAP,
		"3608 5",
		"Service-Route, each entry",
		"As Record-Route."),
	[SIP_F_REFER_TO]        = RULE(MAP,    KEEP,   UNMAP,  KEEP,
		"3515 2.1",
		"Refer-To: host and port of the URI",
		"Out: only where they are the Contact of a live registration or dialog of the "
		"sender. Replaces and all other parameters are kept."),
	[SIP_F_IDENTITY]        = RULE(KEEP,   KEEP,   KEEP,   KEEP,
		"3261 8.1.1, 12; 3891 3; 4538 3; 3892 2; 8224 4; 3325 9; 5806; 7044",
		"From, To, Call-ID, CSeq, Replaces, Join, Target-Dialog, Referred-By, Identity, "
		"Date, P-Asserted-Identity, P-Preferred-Identity, Remote-Party-ID, Diversion, "
		"History-Info, Privacy",
		"They name dialogs and people, not routes; many Call-IDs hold a private "
		"address, and other messages quote them."),
	[SIP_F_CREDENTIALS]     = RULE(KEEP,   KEEP,   KEEP,   KEEP,
		"7616 3.4; 3261 22",
		"Authorization, Proxy-Authorization, WWW-Authenticate, Proxy-Authenticate, "
		"Authentication-Info",
		"The digest covers uri=. With qop=auth-int it covers the body too: an edited "
		"body is counted as auth_int."),
	[SIP_F_OTHER]           = RULE(KEEP,   KEEP,   KEEP,   KEEP,
		"3261 7.3, 20",
		"every other header field, known or not",
		"Expires, Session-Expires, Subscription-State, Event, RSeq, RAck and the "
		"Content fields are read and kept."),
	[SIP_F_CONTENT_LENGTH]  = RULE(FOLLOW, FOLLOW, FOLLOW, FOLLOW,
		"3261 18.3, 20.14",
		"Content-Length, also that of a body part",
		"Only the digits. None is added."),
	[SIP_F_SDP_CONN]        = RULE(MAP,    MAP,    KEEP,   KEEP,
		"8866 5.7; 3264 8.4",
		"SDP c=",
		"An inside address that a mapped stream uses. The session's also where all "
		"streams have their own and one is mapped. 0.0.0.0, ::, multicast and names "
		"are kept; streams that would need two addresses in one line refuse the plan."),
	[SIP_F_SDP_MEDIA]       = RULE(MAP,    MAP,    KEEP,   KEEP,
		"8866 5.14; 3264 6; 9143 7",
		"SDP m=: the port",
		"Of a stream whose address is inside. 0, 9 and ports below 1024 are kept. "
		"`port/n` maps to a run of n pairs, or refuses the plan. Lines that name one "
		"port get one mapping."),
	[SIP_F_SDP_RTCP]        = RULE(MAP,    MAP,    KEEP,   KEEP,
		"3605 2.1",
		"SDP a=rtcp: port, and address where there is one",
		"With its stream."),
	[SIP_F_SDP_CANDIDATE]   = RULE(MAP,    MAP,    KEEP,   KEEP,
		"8839 4.1, 5.1, 5.4",
		"SDP a=candidate: address and port",
		"Type host and equal to a mapped address and port, so that it goes on agreeing "
		"with c= and m=. raddr and rport are kept."),
	[SIP_F_SDP_REMOTE_CANDIDATES] = RULE(KEEP, KEEP, UNMAP, UNMAP,
		"8839 5.2",
		"SDP a=remote-candidates",
		"If it is ours."),
	[SIP_F_SDP_OTHER_LINE]  = RULE(KEEP,   KEEP,   KEEP,   KEEP,
		"8866 5; 3264 8; 4975 8; 6714 4",
		"every other SDP line: v= o= s= i= u= e= p= b= t= r= z= k= and other a=",
		"o= only identifies; a=path of MSRP is compared with To-Path."),
};

/**
 * sip_field_name() - short name of a field, as in traces and counters
 * @field: the field
 *
 * Return: its name, never NULL.
 */
const char *sip_field_name(enum sip_field field)
{
	static const char *const names[SIP_F_MAX] = {
#define X(name, str) [SIP_F_##name] = str,
		SIP_FIELDS(X)
#undef X
	};

	return (u32)field < SIP_F_MAX ? names[field] : "none";
}

/**
 * sip_action_name() - an action in a word
 * @action: the action
 *
 * Return: its name, never NULL.
 */
const char *sip_action_name(enum sip_action action)
{
	switch (action) {
	case SIP_MAP:
		return "map";
	case SIP_UNMAP:
		return "unmap";
	case SIP_FOLLOW:
		return "follow";
	default:
		return "keep";
	}
}
