/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h - what a plan promises whatever the message is.
 */
#ifndef CHECK_H
#define CHECK_H

#include "plan.h"

/* Every promise that a finished plan makes by itself; NULL: all kept. */
static inline const char *check_plan(const struct sip_plan *plan, const struct sip_msg *msg)
{
	u32 total = msg->total;
	bool body = false;
	u32 end = 0;
	u32 i;

	if (plan->reason && (plan->n_edits || plan->n_addrs || plan->n_media || plan->n_peers ||
			     plan->n_contacts_in))
		return "a refused plan has edits or facts";
	for (i = 0; i < plan->n_notes; i++)
		if (!plan->note[i].reason || plan->note[i].reason >= SIP_R_MAX)
			return "a note without a reason";
	for (i = 0; i < plan->n_edits; i++) {
		const struct sip_edit *edit = &plan->edit[i];

		if (edit->off < end || (i && edit->off == plan->edit[i - 1].off))
			return "edits overlap or are not sorted";
		if (edit->off + edit->len > msg->total)
			return "an edit is outside of the message";
		if (edit->text_off + edit->text_len > plan->text_len)
			return "the text of an edit is outside of the plan";
		if (edit->len == edit->text_len &&
		    !memcmp(msg->buf + edit->off, plan->text + edit->text_off, edit->len))
			return "an edit changes nothing";
		if (edit->field >= SIP_F_MAX)
			return "an edit has no field";
		body |= edit->off >= msg->body.off && msg->body.len;
		end = edit->off + edit->len;
		total = total + edit->text_len - edit->len;
	}
	if (plan->body_changed != body)
		return "body_changed is not whether the body changes";
	if (plan->new_total != total)
		return "new_total is not the length after the edits";
	return NULL;
}

#endif /* CHECK_H */
