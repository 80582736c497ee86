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
#include "token.h"

#define SIP_IP_TEXT 46u /* the longest text of an address, and one to spare */

static bool sip_plan_fail(struct sip_plan *plan, enum sip_reason reason, u32 off)
{
	if (plan->reason == SIP_R_OK) {
		plan->reason = reason;
		plan->reason_off = off;
	}
	return false;
}

/**
 * sip_plan_refuse() - give up the plan as a whole
 * @p: the planner
 * @reason: why; the first one counts
 * @off: where
 */
void sip_plan_refuse(struct sip_planner *p, enum sip_reason reason, u32 off)
{
	sip_plan_fail(p->plan, reason, off);
}

static bool sip_edit_same(const struct sip_plan *plan, const struct sip_edit *a,
			  const struct sip_edit *b)
{
	return a->off == b->off && a->len == b->len && a->text_len == b->text_len &&
	       !memcmp(plan->text + a->text_off, plan->text + b->text_off, a->text_len);
}

/*
 * The edit behind the last one goes to its place among the others. What is moved
 * for one that contradicts stays so: the plan is refused.
 */
static sip_noinline bool sip_plan_insert(struct sip_plan *plan)
{
	struct sip_edit *end = plan->edit + plan->n_edits;
	const struct sip_edit new = *end;
	struct sip_edit *edit = end;

	for (; edit > plan->edit && edit[-1].off > new.off; edit--)
		*edit = edit[-1];
	if (edit > plan->edit &&
	    (edit[-1].off + edit[-1].len > new.off || edit[-1].off == new.off)) {
		if (!sip_edit_same(plan, &edit[-1], &new))
			return sip_plan_fail(plan, SIP_R_SESSION_CONFLICT, new.off);
		for (; edit < end; edit++)
			*edit = edit[1];
		return true;
	}
	if (plan->n_edits >= SIP_MAX_EDITS)
		return sip_plan_fail(plan, SIP_R_TOO_MANY_EDITS, new.off);
	if (edit < end && new.off + new.len > edit[1].off)
		return sip_plan_fail(plan, SIP_R_SESSION_CONFLICT, new.off);
	*edit = new;
	plan->n_edits++;
	plan->new_total += (u32)new.text_len - new.len;
	return true;
}

/* An edit whose text is in the plan already. Most come in their order. */
static inline bool sip_plan_add(struct sip_plan *plan, enum sip_field field, u32 off, u32 len,
				u32 text_off, u32 text_len)
{
	u32 n = plan->n_edits;
	struct sip_edit *edit = &plan->edit[n]; /* there is one to spare */

	edit->off = off;
	edit->len = len;
	edit->text_off = (u16)text_off;
	edit->text_len = (u16)text_len;
	edit->field = (u8)field;
	if (unlikely(n >= SIP_MAX_EDITS || off < plan->next_off))
		return sip_plan_insert(plan);
	plan->n_edits = n + 1;
	plan->next_off = off + len + !len;
	plan->new_total += text_len - len;
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
	struct sip_plan *plan = p->plan;
	u32 text_off = plan->text_len;

	if (len == text_len && !memcmp(p->msg->buf + off, text, len))
		return true;
	if (text_len > SIP_MAX_PLAN_TEXT - text_off)
		return sip_plan_fail(plan, SIP_R_TOO_MANY_EDITS, off);
	memcpy(plan->text + text_off, text, text_len);
	plan->text_len = text_off + text_len;
	return sip_plan_add(plan, field, off, len, text_off, text_len);
}

/* Another address than the one before it is written once more. */
static sip_noinline bool sip_plan_write_other(struct sip_planner *p, enum sip_field field,
					      struct sip_span host, const struct sip_ip *ip)
{
	struct sip_plan *plan = p->plan;

	if (plan->text_len > SIP_MAX_PLAN_TEXT - SIP_IP_TEXT)
		return sip_plan_fail(plan, SIP_R_TOO_MANY_EDITS, host.off);
	p->ip = *ip;
	p->ip_off = (u16)plan->text_len;
	p->ip_len = (u16)sip_ip_format(ip, plan->text + plan->text_len);
	plan->text_len += p->ip_len;
	return sip_plan_add(plan, field, host.off, host.len, p->ip_off, p->ip_len);
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
	if (!sip_ip_equal(&p->ip, ip))
		return sip_plan_write_other(p, field, host, ip);
	return sip_plan_add(p->plan, field, host.off, host.len, p->ip_off, p->ip_len);
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

/* Of more than 65535. */
static sip_noinline u32 sip_number_format(u32 number, u8 out[10])
{
	u8 digits[10];
	u32 len = 0;
	u32 i;

	for (; number; number /= 10)
		digits[len++] = (u8)('0' + number % 10);
	for (i = 0; i < len; i++)
		out[i] = digits[len - 1 - i];
	return len;
}

/* An edit whose text is written behind that of the plan. */
static inline bool sip_plan_take(struct sip_plan *plan, enum sip_field field, u32 off, u32 len,
				 u32 text_off, u32 text_len)
{
	if (unlikely(text_off + text_len > SIP_MAX_PLAN_TEXT))
		return sip_plan_fail(plan, SIP_R_TOO_MANY_EDITS, off);
	plan->text_len = text_off + text_len;
	return sip_plan_add(plan, field, off, len, text_off, text_len);
}

static sip_noinline bool sip_plan_write_large(struct sip_plan *plan, enum sip_field field, u32 off,
					      u32 len, u32 number)
{
	u32 text_off = plan->text_len;

	return sip_plan_take(plan, field, off, len, text_off,
			     sip_number_format(number, plan->text + text_off));
}

/**
 * sip_plan_write_number() - replace a number that is known to be another
 * @p: the planner
 * @field: where it stands
 * @off: first byte to replace
 * @len: bytes to replace
 * @number: what is to stand there
 *
 * Return: as sip_plan_edit().
 */
bool sip_plan_write_number(struct sip_planner *p, enum sip_field field, u32 off, u32 len,
			   u32 number)
{
	struct sip_plan *plan = p->plan;
	u32 text_off = plan->text_len; /* there is room to spare */

	if (unlikely(number > 65535))
		return sip_plan_write_large(plan, field, off, len, number);
	return sip_plan_take(plan, field, off, len, text_off,
			     sip_port_write((u16)number, plan->text + text_off));
}

/**
 * sip_plan_reserve() - keep a place among the edits for a number known later
 * @p: the planner
 * @field: where it stands
 * @digits: the number as written
 *
 * No edit before that byte may be asked for until then. A place is filled or
 * given back.
 *
 * Return: the place; NULL: there are no digits, or edits behind them already.
 */
struct sip_edit *sip_plan_reserve(struct sip_planner *p, enum sip_field field,
				  struct sip_span digits)
{
	struct sip_plan *plan = p->plan;
	struct sip_edit *edit = &plan->edit[plan->n_edits];

	if (!digits.len || digits.off < plan->next_off || plan->n_edits >= SIP_MAX_EDITS)
		return NULL;
	edit->off = digits.off;
	edit->len = digits.len;
	edit->field = (u8)field;
	plan->n_edits++;
	plan->next_off = digits.off + digits.len;
	return edit;
}

/**
 * sip_plan_fill_number() - replace a number whose place was kept
 * @p: the planner
 * @place: of sip_plan_reserve()
 * @number: what is to stand there
 *
 * Return: false if a limit is reached; the plan is refused.
 */
bool sip_plan_fill_number(struct sip_planner *p, struct sip_edit *place, u32 number)
{
	struct sip_plan *plan = p->plan;
	u32 text_off = plan->text_len; /* there is room to spare */
	u32 len;

	if (number > 65535)
		return sip_plan_fail(plan, SIP_R_NO_SPACE, place->off);
	len = sip_port_write((u16)number, plan->text + text_off);
	if (text_off + len > SIP_MAX_PLAN_TEXT)
		return sip_plan_fail(plan, SIP_R_TOO_MANY_EDITS, place->off);
	plan->text_len = text_off + len;
	place->text_off = (u16)text_off;
	place->text_len = (u16)len;
	plan->new_total += len - place->len;
	return true;
}

/**
 * sip_plan_give_back() - a place that was kept is not needed
 * @p: the planner
 * @place: of sip_plan_reserve(), NULL: none was kept
 */
void sip_plan_give_back(struct sip_planner *p, struct sip_edit *place)
{
	struct sip_plan *plan = p->plan;
	struct sip_edit *end = plan->edit + plan->n_edits;

	if (!place)
		return;
	while (++place < end)
		place[-1] = *place;
	plan->n_edits--;
}

/**
 * sip_plan_insert_port() - put in a port where none stands
 * @p: the planner
 * @field: where
 * @off: where its colon goes
 * @port: the port
 *
 * Return: as sip_plan_edit().
 */
bool sip_plan_insert_port(struct sip_planner *p, enum sip_field field, u32 off, u16 port)
{
	struct sip_plan *plan = p->plan;
	u32 text_off = plan->text_len; /* there is room to spare */
	u8 *text = plan->text + text_off;

	text[0] = ':';
	return sip_plan_take(plan, field, off, 0, text_off, 1 + sip_port_write(port, text + 1));
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
	return sip_plan_write_number(p, field, digits.off, digits.len, number);
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
