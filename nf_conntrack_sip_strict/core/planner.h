/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * planner.h - what plan.c (headers) and plan_sdp.c (bodies) share.
 */
#ifndef SIP_PLANNER_H
#define SIP_PLANNER_H

#include "plan.h"

/**
 * struct sip_planner - a plan in the making
 * @plan: the plan; @msg: the message; @ctx: ends and address map
 * @body_delta: growth of the body by its edits so far
 */
struct sip_planner {
	struct sip_plan *plan;
	const struct sip_msg *msg;
	const struct sip_ctx *ctx;
	s32 body_delta;
};

/* Each returns false when a limit of the plan is reached: refused then. */
bool sip_plan_edit(struct sip_planner *p, enum sip_field field, u32 off, u32 len,
		   const u8 *text, u32 text_len);
bool sip_plan_edit_ip(struct sip_planner *p, enum sip_field field, struct sip_span host,
		      const struct sip_ip *ip);
bool sip_plan_edit_number(struct sip_planner *p, enum sip_field field, struct sip_span digits,
			  u32 number);
void sip_plan_note(struct sip_planner *p, enum sip_reason reason, u32 off);

/* plan_sdp.c: all bodies; adds edits, media facts, part lengths, body_delta. */
enum sip_reason sip_plan_bodies(struct sip_planner *p);

#endif /* SIP_PLANNER_H */
