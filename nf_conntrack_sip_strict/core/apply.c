// SPDX-License-Identifier: GPL-2.0-only
/*
 * apply.c - the edits of a plan: collected in order, applied in one pass.
 *
 * plan.c and plan_sdp.c hand in edits roughly in the order of the message;
 * they are kept sorted and free of overlap, so that applying them is one walk
 * over the bytes. All text of a plan lives in one buffer, bounded by
 * SIP_MAX_PLAN_TEXT; the number of edits by SIP_MAX_EDITS.
 */
#include "planner.h"

/**
 * sip_plan_refuse() - give up the plan as a whole
 * @p: the planner
 * @reason: why; the first one counts
 * @off: where
 */
void sip_plan_refuse(struct sip_planner *p, enum sip_reason reason, u32 off)
{
	if (p->plan->reason != SIP_R_OK)
		return;
	p->plan->reason = reason;
	p->plan->reason_off = off;
}

static bool sip_edit_same(const struct sip_plan *plan, const struct sip_edit *edit, u32 off,
			  u32 len, const u8 *text, u32 text_len)
{
	return edit->off == off && edit->len == len && edit->text_len == text_len &&
	       !memcmp(plan->text + edit->text_off, text, text_len);
}

/**
 * sip_plan_edit() - replace some bytes of the message
 * @p: the planner
 * @field: where they stand
 * @off: first byte to replace
 * @len: bytes to replace; 0: insert at @off
 * @text: new bytes
 * @text_len: how many; 0: delete
 *
 * An edit that changes nothing is none, one asked for twice is made once, and
 * one that overlaps another differently refuses the plan: a span is replaced
 * once.
 *
 * Return: false if a limit is reached or edits contradict; the plan is refused.
 */
bool sip_plan_edit(struct sip_planner *p, enum sip_field field, u32 off, u32 len,
		   const u8 *text, u32 text_len)
{
	struct sip_plan *plan = p->plan;
	struct sip_edit *edit = plan->edit;
	u32 pos = plan->n_edits;

	if (len == text_len && !memcmp(p->msg->buf + off, text, len))
		return true;
	while (pos && edit[pos - 1].off > off)
		pos--;
	if (pos && sip_edit_same(plan, &edit[pos - 1], off, len, text, text_len))
		return true;
	if ((pos && edit[pos - 1].off + edit[pos - 1].len > off) ||
	    (pos < plan->n_edits && off + len > edit[pos].off)) {
		sip_plan_refuse(p, SIP_R_SESSION_CONFLICT, off);
		return false;
	}
	if (plan->n_edits >= SIP_MAX_EDITS || text_len > SIP_MAX_PLAN_TEXT - plan->text_len) {
		sip_plan_refuse(p, SIP_R_TOO_MANY_EDITS, off);
		return false;
	}

	memmove(&edit[pos + 1], &edit[pos], (plan->n_edits - pos) * sizeof(*edit));
	edit[pos].off = off;
	edit[pos].len = len;
	edit[pos].text_off = (u16)plan->text_len;
	edit[pos].text_len = (u16)text_len;
	edit[pos].field = (u8)field;
	memcpy(plan->text + plan->text_len, text, text_len);
	plan->text_len += text_len;
	plan->n_edits++;
	return true;
}

/**
 * sip_plan_edit_ip() - replace an address, if it is another
 * @p: the planner
 * @field: where it stands
 * @host: the address as written, without brackets
 * @ip: what is to stand there
 *
 * Return: as sip_plan_edit().
 */
bool sip_plan_edit_ip(struct sip_planner *p, enum sip_field field, struct sip_span host,
		      const struct sip_ip *ip)
{
	struct sip_ip old;
	u8 text[46];
	u32 len;

	if (sip_ip_parse(p->msg->buf + host.off, host.len, &old) && sip_ip_equal(&old, ip))
		return true;
	len = sip_ip_format(ip, text);
	return sip_plan_edit(p, field, host.off, host.len, text, len);
}

static u32 sip_number_format(u32 number, u8 out[10])
{
	u8 digits[10];
	u32 len = 0;
	u32 i;

	do {
		digits[len++] = (u8)('0' + number % 10);
		number /= 10;
	} while (number);
	for (i = 0; i < len; i++)
		out[i] = digits[len - 1 - i];
	return len;
}

/**
 * sip_plan_edit_number() - replace digits, if the number is another
 * @p: the planner
 * @field: where they stand
 * @digits: as written, perhaps with leading zeros
 * @number: what is to stand there
 *
 * Return: as sip_plan_edit().
 */
bool sip_plan_edit_number(struct sip_planner *p, enum sip_field field, struct sip_span digits,
			  u32 number)
{
	u8 text[10];
	u32 old, len;

	if (sip_span_number(p->msg->buf, digits, 0xffffffffu, &old) && old == number)
		return true;
	len = sip_number_format(number, text);
	return sip_plan_edit(p, field, digits.off, digits.len, text, len);
}

/**
 * sip_plan_note() - note a reason that does not stop the plan
 * @p: the planner
 * @reason: it; noted once, where it is first met
 * @off: where
 */
void sip_plan_note(struct sip_planner *p, enum sip_reason reason, u32 off)
{
	struct sip_plan *plan = p->plan;
	u32 i;

	for (i = 0; i < plan->n_notes; i++)
		if (plan->note[i].reason == reason)
			return;
	if (plan->n_notes >= SIP_MAX_NOTES)
		return;
	plan->note[plan->n_notes].reason = (u8)reason;
	plan->note[plan->n_notes].off = off;
	plan->n_notes++;
}

/**
 * sip_plan_apply() - write the message with all edits of its plan
 * @plan: a plan of @msg
 * @msg: the message, in its buffer
 * @out: where to write; must not overlap the message
 * @size: room there
 *
 * One pass. What stands behind the message in its buffer (msg->total to
 * msg->len) is not part of it and not written.
 *
 * Return: bytes written, plan->new_total; 0 if they do not fit, and then
 * nothing is written.
 */
u32 sip_plan_apply(const struct sip_plan *plan, const struct sip_msg *msg, u8 *out, u32 size)
{
	const struct sip_edit *edit;
	u32 from = 0;
	u32 to = 0;
	u32 i;

	if (plan->new_total > size)
		return 0;
	for (i = 0; i < plan->n_edits; i++) {
		edit = &plan->edit[i];
		memcpy(out + to, msg->buf + from, edit->off - from);
		to += edit->off - from;
		memcpy(out + to, plan->text + edit->text_off, edit->text_len);
		to += edit->text_len;
		from = edit->off + edit->len;
	}
	memcpy(out + to, msg->buf + from, msg->total - from);
	return to + msg->total - from;
}
