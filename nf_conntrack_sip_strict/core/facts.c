// SPDX-License-Identifier: GPL-2.0-only
/*
 * facts.c - small questions that the state asks of a message.
 *
 * The state knows calls, transactions and registrations; what a header of a
 * message means for them is SIP, and is answered here.
 */
#include "facts.h"
#include "token.h"

#define SIP_MAX_OWN_CONTACTS 8 /* of one message */

/**
 * sip_msg_may_start_call() - may an unknown call begin with this message?
 * @msg: the message
 *
 * An INVITE does (RFC 3261 section 13), also one with a To tag, and an UPDATE
 * inside a dialog (RFC 3311): after a reload or failover they are the first
 * that is seen of a call. Nothing else creates state.
 *
 * Return: true if it may.
 */
bool sip_msg_may_start_call(const struct sip_msg *msg)
{
	if (!msg->request)
		return false;
	return msg->method == SIP_M_INVITE ||
	       (msg->method == SIP_M_UPDATE && msg->to_tag.len);
}

/**
 * sip_msg_opens_txn() - does this request open a transaction that matters?
 * @msg: the message
 *
 * Those that offer media or end something (RFC 3261, 3262, 3311).
 *
 * Return: true if its answer has to be recognised.
 */
bool sip_msg_opens_txn(const struct sip_msg *msg)
{
	if (!msg->request)
		return false;
	switch (msg->method) {
	case SIP_M_INVITE:
	case SIP_M_UPDATE:
	case SIP_M_PRACK:
	case SIP_M_BYE:
		return true;
	default:
		return false;
	}
}

static bool sip_user_is(const u8 *buf, struct sip_span user, const char *number)
{
	u32 len = 0;

	while (number[len])
		len++;
	return user.len == len && !memcmp(buf + user.off, number, len);
}

static bool sip_uri_is_sos(const u8 *buf, struct sip_span uri)
{
	static const char sos[] = "urn:service:sos";
	struct sip_span head = { uri.off, sizeof(sos) - 1 };

	if (uri.len < head.len)
		return false;
	if (uri.len > head.len && buf[uri.off + head.len] != '.')
		return false;
	return sip_span_equal_nocase(buf, head, sos);
}

/**
 * sip_msg_is_emergency() - is it a call for help?
 * @msg: the message
 *
 * urn:service:sos and its children (RFC 5031), or a well-known number as user
 * part of a SIP URI, or of a tel URI.
 *
 * Return: true if no quota may stand in its way.
 */
bool sip_msg_is_emergency(const struct sip_msg *msg)
{
	static const char *const numbers[] = { "112", "911", "999", "110" };
	struct sip_uri uri;
	struct sip_span user;
	u32 i;

	if (!msg->request || msg->method != SIP_M_INVITE)
		return false;
	if (sip_uri_is_sos(msg->buf, msg->ruri))
		return true;
	if (!sip_uri_parse(msg->buf, msg->ruri.off, msg->ruri.off + msg->ruri.len, &uri))
		return false;
	user = uri.user;
	if (uri.scheme == SIP_SCHEME_TEL && uri.whole.len > 4) {
		user.off = uri.whole.off + 4;
		user.len = uri.whole.len - 4;
	}
	/* A number may have parameters (RFC 3966 section 3; 3261 section 19.1.6). */
	for (i = 0; i < user.len; i++)
		if (msg->buf[user.off + i] == ';')
			user.len = i;
	for (i = 0; i < SIP_ARRAY_SIZE(numbers); i++)
		if (sip_user_is(msg->buf, user, numbers[i]))
			return true;
	return false;
}

/**
 * sip_msg_called() - who is called (RFC 3261 section 8.1.1.1)
 * @msg: a request
 *
 * Return: user part of the Request-URI; len 0: it has none.
 */
struct sip_span sip_msg_called(const struct sip_msg *msg)
{
	struct sip_span none = { 0, 0 };
	struct sip_uri uri;

	if (!sip_uri_parse(msg->buf, msg->ruri.off, msg->ruri.off + msg->ruri.len, &uri))
		return none;
	return uri.user;
}

/**
 * sip_msg_aor() - the address-of-record of a REGISTER (RFC 3261 section 10.2)
 * @msg: the message
 *
 * Return: the URI of To up to its host and port; len 0 if it cannot be read.
 */
struct sip_span sip_msg_aor(const struct sip_msg *msg)
{
	struct sip_span aor = { 0, 0 };
	const struct sip_header *to;
	struct sip_nameaddr na;
	u32 off;

	if (!msg->first[SIP_H_TO])
		return aor;
	to = &msg->header[msg->first[SIP_H_TO] - 1];
	off = to->value.off;
	if (sip_nameaddr_next(msg->buf, &off, to->value.off + to->value.len, &na) != 1)
		return aor;
	aor = na.uri.whole;
	if (na.uri.hp.end > aor.off)
		aor.len = na.uri.hp.end - aor.off;
	return aor;
}

/**
 * sip_msg_contact_of() - the ports at which the sender can be reached
 * @msg: the message
 * @snd: its sender; Contacts at other addresses are passed over
 * @n: which of its own Contacts, from 0
 * @port: filled in
 *
 * Of the first Contact field alone: that is where phones write all of them.
 *
 * Return: false if there are not so many, or if they are too many.
 */
bool sip_msg_contact_of(const struct sip_msg *msg, const struct sip_end *snd, u32 n, u16 *port)
{
	const struct sip_header *contact;
	struct sip_nameaddr na;
	u32 i, off;

	if (!msg->first[SIP_H_CONTACT])
		return false;
	contact = &msg->header[msg->first[SIP_H_CONTACT] - 1];
	off = contact->value.off;
	for (i = 0; i < SIP_MAX_OWN_CONTACTS; i++) {
		if (sip_nameaddr_next(msg->buf, &off, contact->value.off + contact->value.len,
				      &na) != 1)
			return false;
		if (!sip_ip_equal(&na.uri.hp.ip, &snd->real.ip) &&
		    !sip_ip_equal(&na.uri.hp.ip, &snd->seen.ip))
			continue;
		*port = na.uri.hp.port.len ? na.uri.hp.port_num : sip_uri_default_port(&na.uri);
		if (!n--)
			return true;
	}
	return false;
}

/**
 * sip_msg_bound() - for how long does a 2xx to REGISTER bind (RFC 3261 section 10.2.4)?
 * @msg: the message
 * @unsaid: seconds where neither expires= nor Expires says it
 *
 * Return: seconds of the Contact that lasts longest; 0: it has none.
 */
s64 sip_msg_bound(const struct sip_msg *msg, s64 unsaid)
{
	s64 head = msg->expires >= 0 ? msg->expires : unsaid;
	s64 longest = 0;
	u32 i;

	for (i = 0; i < msg->n_headers; i++) {
		const struct sip_header *field = &msg->header[i];
		u32 off = field->value.off;
		struct sip_nameaddr na;

		if (field->id != SIP_H_CONTACT)
			continue;
		while (sip_nameaddr_next(msg->buf, &off, field->value.off + field->value.len,
					 &na) == 1) {
			s64 seconds = na.expires >= 0 ? na.expires : head;

			if (seconds > longest)
				longest = seconds;
		}
	}
	return longest;
}

/**
 * sip_msg_sub_state() - read Subscription-State (RFC 6665 section 8.2.3)
 * @msg: a NOTIFY
 * @state: filled in
 */
void sip_msg_sub_state(const struct sip_msg *msg, struct sip_sub_state *state)
{
	static const char terminated[] = "terminated";
	struct sip_span value, head, number;
	u32 seconds;

	state->present = false;
	state->terminated = false;
	state->expires = -1;
	if (!msg->first[SIP_H_SUBSCRIPTION_STATE])
		return;
	state->present = true;
	value = msg->header[msg->first[SIP_H_SUBSCRIPTION_STATE] - 1].value;
	head.off = value.off;
	head.len = sip_run(msg->buf, value.off, value.off + value.len, SIP_C_TOKEN) - value.off;
	state->terminated = sip_span_equal_nocase(msg->buf, head, terminated);
	value.off += head.len;
	value.len -= head.len;
	if (sip_param_find(msg->buf, value, "expires", &number) &&
	    sip_span_number(msg->buf, number, 0xffffffffu, &seconds))
		state->expires = seconds;
}

/**
 * sip_fact_is_via() - is this an address of the topmost Via?
 * @fact: an address of the sender
 *
 * Its answer is told by the branch, whatever the message belongs to (RFC 3261
 * section 17.1.3).
 *
 * Return: true if it is.
 */
bool sip_fact_is_via(const struct sip_addr_fact *fact)
{
	return fact->field == SIP_F_VIA_SENT_BY || fact->field == SIP_F_VIA_MADDR;
}

/**
 * sip_fact_is_binding() - will requests come to this address after a 2xx?
 * @fact: an address of the sender
 * @msg: its message, a REGISTER or a SUBSCRIBE, or a 2xx to one
 *
 * The Contacts (RFC 3261 section 10.2, RFC 6665 section 4.1), the Path of a proxy in
 * front of them (RFC 3327 section 5.1), the Record-Route of one that stays in a
 * subscription (RFC 3261 section 12.1), and the Service-Route of a registrar (RFC 3608).
 *
 * Return: true if they will.
 */
bool sip_fact_is_binding(const struct sip_addr_fact *fact, const struct sip_msg *msg)
{
	if (fact->star)
		return false;
	if (msg->method == SIP_M_SUBSCRIBE)
		return fact->field == SIP_F_CONTACT || fact->field == SIP_F_RECORD_ROUTE;
	if (!msg->request)
		return fact->field == SIP_F_SERVICE_ROUTE;
	return fact->field == SIP_F_CONTACT || fact->field == SIP_F_PATH;
}

/**
 * sdp_stream_is_reached() - may the other side open this stream?
 * @stream: a stream of the sender
 *
 * RFC 4145 section 4: who is active connects itself, and nobody to it; with
 * holdconn nobody connects at all.
 *
 * Return: false for a TCP stream that nothing has to be opened for.
 */
bool sdp_stream_is_reached(const struct sdp_stream *stream)
{
	return stream->proto != SDP_TCP ||
	       (stream->setup != SDP_ACTIVE && stream->setup != SDP_HOLDCONN);
}

/**
 * sip_plan_refuses() - is this m= line refused by the description?
 * @plan: the plan of a message with an answer
 * @mline: number of the m= line, from 0
 *
 * Return: true if the line is there with port 0 (RFC 3264 section 6).
 */
bool sip_plan_refuses(const struct sip_plan *plan, u32 mline)
{
	const struct sip_media_fact *fact;

	if (!plan->sdp_counts || mline >= plan->n_media)
		return false;
	fact = &plan->media[mline];
	return !plan->sdp[fact->session].stream[fact->stream].port;
}
