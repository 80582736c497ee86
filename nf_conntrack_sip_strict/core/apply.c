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

#define SIP_IP_TEXT 46u /* the longest text of an address, and one to spare */

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

static bool sip_edit_same(const struct sip_plan *plan, const struct sip_edit *a,
			  const struct sip_edit *b)
{
	return a->off == b->off && a->len == b->len && a->text_len == b->text_len &&
	       !memcmp(plan->text + a->text_off, plan->text + b->text_off, a->text_len);
}

/* Room for text at the end of the plan's; NULL: the plan is refused. */
static u8 *sip_plan_room(struct sip_planner *p, u32 off, u32 len)
{
	if (len <= SIP_MAX_PLAN_TEXT - p->plan->text_len)
		return p->plan->text + p->plan->text_len;
	sip_plan_refuse(p, SIP_R_TOO_MANY_EDITS, off);
	return NULL;
}

/* Put an edit in its place, which is not behind all others. */
static bool sip_plan_insert(struct sip_planner *p, const struct sip_edit *new)
{
	struct sip_plan *plan = p->plan;
	struct sip_edit *edit = plan->edit;
	u32 pos = plan->n_edits;

	while (pos && edit[pos - 1].off > new->off)
		pos--;
	if (pos && (edit[pos - 1].off + edit[pos - 1].len > new->off ||
		    edit[pos - 1].off == new->off)) {
		if (sip_edit_same(plan, &edit[pos - 1], new))
			return true;
		sip_plan_refuse(p, SIP_R_SESSION_CONFLICT, new->off);
		return false;
	}
	if (plan->n_edits >= SIP_MAX_EDITS) {
		sip_plan_refuse(p, SIP_R_TOO_MANY_EDITS, new->off);
		return false;
	}
	if (pos < plan->n_edits) {
		if (new->off + new->len > edit[pos].off) {
			sip_plan_refuse(p, SIP_R_SESSION_CONFLICT, new->off);
			return false;
		}
		memmove(&edit[pos + 1], &edit[pos], (plan->n_edits - pos) * sizeof(*edit));
	}
	edit[pos] = *new;
	plan->n_edits++;
	return true;
}

/* An edit whose text is in the plan already. Most come in their order. */
static inline bool sip_plan_add(struct sip_planner *p, const struct sip_edit *new)
{
	struct sip_plan *plan = p->plan;
	struct sip_edit *edit = &plan->edit[plan->n_edits];

	if (unlikely(plan->n_edits >= SIP_MAX_EDITS ||
		     (plan->n_edits && (edit[-1].off + edit[-1].len > new->off ||
					edit[-1].off == new->off))))
		return sip_plan_insert(p, new);
	*edit = *new;
	plan->n_edits++;
	return true;
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
	const struct sip_edit edit = {
		.off = off,
		.len = len,
		.text_off = (u16)p->plan->text_len,
		.text_len = (u16)text_len,
		.field = (u8)field,
	};
	u8 *room;

	if (len == text_len && !memcmp(p->msg->buf + off, text, len))
		return true;
	room = sip_plan_room(p, off, text_len);
	if (!room)
		return false;
	memcpy(room, text, text_len);
	p->plan->text_len += text_len;
	return sip_plan_add(p, &edit);
}

/**
 * sip_plan_write_ip() - replace an address that is known to be another
 * @p: the planner
 * @field: where it stands
 * @host: the address as written, without brackets
 * @ip: what is to stand there
 *
 * Most plans write one address several times: its text is kept once.
 *
 * Return: as sip_plan_edit().
 */
bool sip_plan_write_ip(struct sip_planner *p, enum sip_field field, struct sip_span host,
		       const struct sip_ip *ip)
{
	struct sip_edit edit = { .off = host.off, .len = host.len, .field = (u8)field };
	u8 *room;

	if (!sip_ip_equal(&p->ip, ip)) {
		room = sip_plan_room(p, host.off, SIP_IP_TEXT);
		if (!room)
			return false;
		p->ip = *ip;
		p->ip_off = (u16)p->plan->text_len;
		p->ip_len = (u16)sip_ip_format(ip, room);
		p->plan->text_len += p->ip_len;
	}
	edit.text_off = p->ip_off;
	edit.text_len = p->ip_len;
	return sip_plan_add(p, &edit);
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

	if (sip_ip_parse(p->msg->buf + host.off, host.len, &old) && sip_ip_equal(&old, ip))
		return true;
	return sip_plan_write_ip(p, field, host, ip);
}

static u32 sip_number_format(u32 number, u8 out[10])
{
	u8 digits[10];
	u32 len = 0;
	u32 i;

	if (likely(number <= 65535))
		return sip_port_format((u16)number, out);
	for (; number; number /= 10)
		digits[len++] = (u8)('0' + number % 10);
	for (i = 0; i < len; i++)
		out[i] = digits[len - 1 - i];
	return len;
}

/**
 * sip_plan_write_number() - replace a number that is known to be another
 * @p: the planner
 * @field: where it stands
 * @off: first byte to replace
 * @len: bytes to replace; 0: insert at @off
 * @colon: one stands before it
 * @number: what is to stand there
 *
 * Return: as sip_plan_edit().
 */
bool sip_plan_write_number(struct sip_planner *p, enum sip_field field, u32 off, u32 len,
			   bool colon, u32 number)
{
	struct sip_edit edit = { .off = off, .len = len, .field = (u8)field };
	u8 *text = p->plan->text + p->plan->text_len; /* has room to spare */
	u32 text_len = colon;

	text[0] = ':';
	text_len += sip_number_format(number, text + text_len);
	if (!sip_plan_room(p, off, text_len))
		return false;
	edit.text_off = (u16)p->plan->text_len;
	edit.text_len = (u16)text_len;
	p->plan->text_len += text_len;
	return sip_plan_add(p, &edit);
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
	u32 old;

	if (sip_span_number(p->msg->buf, digits, 0xffffffffu, &old) && old == number)
		return true;
	return sip_plan_write_number(p, field, digits.off, digits.len, false, number);
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
