/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * planner.h - what plan.c (headers) and plan_sdp.c (bodies) share.
 */
#ifndef SIP_PLANNER_H
#define SIP_PLANNER_H

#include "plan.h"

#define SIP_NO_CONTACT (-2)

/**
 * struct sip_planner - a plan in the making
 * @plan: the plan; @msg: the message; @ctx: ends and address map
 * @natted: the sender is seen as another than it is: text may change
 * @body_delta: growth of the body by its edits so far
 * @longest: expires of the sender's Contact that lasts longest, seconds; -1: one
 *	of them says none; SIP_NO_CONTACT: there is none
 * @ip: the address written last; @ip_off, @ip_len: its text in plan->text
 */
struct sip_planner {
	struct sip_plan *plan;
	const struct sip_msg *msg;
	const struct sip_ctx *ctx;
	bool natted;
	s32 body_delta;
	s64 longest;
	struct sip_ip ip;
	u16 ip_off;
	u16 ip_len;
};

static inline bool sip_end_is_natted(const struct sip_end *end)
{
	return !sip_ap_equal(&end->real, &end->seen);
}

/* Each returns false when a limit of the plan is reached: refused then. */
bool sip_plan_edit(struct sip_planner *p, enum sip_field field, u32 off, u32 len,
		   const u8 *text, u32 text_len);
bool sip_plan_edit_ip(struct sip_planner *p, enum sip_field field, struct sip_span host,
		      const struct sip_ip *ip);
bool sip_plan_write_ip(struct sip_planner *p, enum sip_field field, struct sip_span host,
		       const struct sip_ip *ip); /* known to be another */
bool sip_plan_edit_number(struct sip_planner *p, enum sip_field field, struct sip_span digits,
			  u32 number);
bool sip_plan_write_number(struct sip_planner *p, enum sip_field field, u32 off, u32 len,
			   u32 number); /* known to be another */
struct sip_edit *sip_plan_reserve(struct sip_planner *p, enum sip_field field,
				  struct sip_span digits);
bool sip_plan_fill_number(struct sip_planner *p, struct sip_edit *place, u32 number);
void sip_plan_give_back(struct sip_planner *p, struct sip_edit *place);
bool sip_plan_insert_port(struct sip_planner *p, enum sip_field field, u32 off, u16 port);
void sip_plan_note(struct sip_planner *p, enum sip_reason reason, u32 off);

void sip_plan_refuse(struct sip_planner *p, enum sip_reason reason, u32 off);
bool sip_reason_refuses(enum sip_reason reason);

/**
 * struct sip_place - an address in the head that the rules speak of
 * @field: where it stands
 * @hp: host and port
 * @maddr: host of maddr=, which routes in place of @hp; NULL: none
 * @default_port: where no port is written
 * @transport: that the value names; SIP_T_NONE: none
 * @flow_port: whatever its port, it means this flow (Via with rport, or TCP)
 * @user: @uri: of a URI, len 0 in a Via
 * @expires: of a Contact, seconds; -1: not said
 */
struct sip_place {
	enum sip_field field;
	const struct sip_hostport *hp;
	const struct sip_hostport *maddr;
	u16 default_port;
	enum sip_transport transport;
	bool flow_port;
	struct sip_span user;
	struct sip_span uri;
	s64 expires;
};

/* plan_addr.c: false: the place does not name an address. */
bool sip_place_ap(const struct sip_place *at, const struct sip_hostport *host, struct sip_ap *ap);
/* True: it was mapped to @seen, unmapped to what was written. */
bool sip_place_map(struct sip_planner *p, const struct sip_place *at, struct sip_ap *seen);
bool sip_place_unmap(struct sip_planner *p, const struct sip_place *at);
/* What the state learns besides. */
void sip_plan_star(struct sip_planner *p, u32 off);
void sip_plan_peer(struct sip_planner *p, enum sip_field field, const struct sip_ap *ap);
void sip_plan_contact_in(struct sip_planner *p, const struct sip_place *at,
			 const struct sip_ap *ap, bool ours);

/**
 * struct sip_body - one session description under way
 * @session: its index in plan->sdp
 * @first: its first fact; @end: behind its last
 * @held: there is a stream with c=0.0.0.0
 * @out: the way of the message at the sender's end
 */
struct sip_body {
	struct sip_planner *p;
	const struct sdp_session *sdp;
	struct sip_media_fact *first;
	struct sip_media_fact *end;
	u8 session;
	bool held;
	enum sip_way out;
};

/* Discard: the sender of this line takes no packets on it (RFC 4145 4.1). */
#define SDP_PORT_DISCARD 9u

static inline const struct sdp_addr *sip_stream_conn(const struct sip_body *b,
						     const struct sdp_stream *stream)
{
	return stream->conn.text.len ? &stream->conn : &b->sdp->conn;
}

/* plan_media.c */
void sip_media_plan(const struct sip_body *body, u32 n);

/* plan_sdp.c: all bodies; adds edits, media facts, part lengths, body_delta. */
enum sip_reason sip_plan_bodies(struct sip_planner *p);

#endif /* SIP_PLANNER_H */
