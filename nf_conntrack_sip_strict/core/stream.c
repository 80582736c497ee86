// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream.c - a TCP connection that carries SIP, as seen from the middle.
 *
 * A message may be edited only when it is whole, and segments end where they
 * like. So the bytes of a message that is not whole are held, and go on as
 * segments of our own when it is:
 *
 *    sender                 here                      receiver
 *    INVITE … Content-Le -> held
 *    ngth: 142 … a=ptime -> whole, edited, sent ----> INVITE … a=ptime
 *                        <- translated <------------- ACK
 *
 * Bytes that were decided about pass as they come. Whatever is sent again, by
 * whom and in what pieces, seqmap.c says which bytes it stands for; those of
 * edited messages are kept until they were acknowledged.
 *
 * Whose duty is delivery? The sender's own TCP keeps what was not acknowledged,
 * and sends it again; then the same bytes as the first time go on. But it may
 * wait for an acknowledgment before it sends the rest of a message: Nagle's
 * algorithm (RFC 1122 section 4.2.3.4), or a congestion window of one segment
 * after a loss. What has been held for a moment (SIP_HOLD_DELAY), or is sent again while it
 * is held, is therefore acknowledged from here ("ahead"). From then on these
 * bytes are ours to deliver: they are kept as a piece, edited or not, and sent
 * again on a timer or on three duplicate acknowledgments (RFC 5681 section
 * 3.2). Only what is kept is ever acknowledged ahead, and the right edge of the
 * receiver's window never moves by it.
 *
 * SACK blocks (RFC 2018) are translated like acknowledgments, and cut where
 * they would lie below one that was sent ahead. Bytes behind a gap are kept for
 * some time, and SACKed if the gap stays.
 *
 * A connection that does not begin as SIP, or stops being it, or breaks a
 * limit, is left alone for good: what is held goes on in order and unedited,
 * and what follows passes, with its numbers moved by what was edited before.
 */
#include "stream.h"

#define SIP_RESEND_FIRST(env) ((env)->hz / 4)
#define SIP_RESEND_LAST(env) ((env)->hz * 8)
#define SIP_RESEND_LARGE 2u /* tries with segments as large as the receiver takes */
#define SIP_MSS_DEFAULT 536u /* what each path lets through (RFC 9293 section 3.7.1) */

/**
 * sip_half_acked() - what the sender of a half was told has arrived
 * @h: the half
 *
 * Return: (in) all before it.
 */
u32 sip_half_acked(const struct sip_half *h)
{
	u32 in = sip_seqmap_in(&h->map, h->una);

	return h->ahead ? sip_seq_max(in, h->early) : in;
}

static u8 sip_half_scale(const struct sip_stream *s, u32 dir)
{
	return s->scaled ? s->half[dir].scale : 0;
}

/* The window field that keeps the right edge (out) where it is. */
static u16 sip_half_window(const struct sip_stream *s, u32 dir, u32 edge, u32 ack)
{
	s32 room = (s32)(edge - s->half[dir].map.delta - ack);
	u32 window = room > 0 ? (u32)room >> sip_half_scale(s, dir) : 0;

	return window > 0xffff ? 0xffff : (u16)window;
}

/* The numbers of a segment from the sender of a half, as of now. */
static void sip_stream_head(const struct sip_stream *s, u32 dir, struct sip_head *head)
{
	const struct sip_half *o = &s->half[!dir];

	memset(head, 0, sizeof(*head));
	head->seq = sip_seqmap_out(&s->half[dir].map, s->half[dir].next);
	head->ack = sip_half_acked(o);
	head->window = sip_half_window(s, !dir, o->edge, head->ack);
}

/**
 * sip_stream_emit() - send bytes of a half to its receiver
 * @s: the stream
 * @env: the call
 * @dir: which half
 * @out: number of the first byte
 * @len: how many
 * @fin: the FIN stands behind them
 * @plain: those that are in no piece, NULL: there are none
 */
void sip_stream_emit(struct sip_stream *s, const struct sip_stream_env *env, u32 dir, u32 out,
		     u32 len, bool fin, const struct sip_bytes *plain)
{
	struct sip_head head;

	if (!len && !fin)
		return;
	sip_stream_head(s, dir, &head);
	head.seq = out;
	head.fin = fin;
	env->ops->emit(env->priv, dir, &head, len, plain);
}

/**
 * sip_stream_probe() - ask the receiver of a half for an acknowledgment
 * @s: the stream
 * @env: the call
 * @dir: which half
 */
void sip_stream_probe(struct sip_stream *s, const struct sip_stream_env *env, u32 dir)
{
	struct sip_head head;

	sip_stream_head(s, dir, &head);
	head.seq = s->half[dir].una - 1;
	env->ops->emit(env->priv, dir, &head, 0, NULL);
}

/* ---- acknowledged ahead ------------------------------------------------- */

/* Are all bytes in flight kept here? */
static bool sip_half_is_kept(const struct sip_half *h)
{
	const struct sip_piece *piece = h->map.first;
	u32 out = h->una;

	for (; piece && !sip_seq_after(piece->out, out); piece = piece->next)
		out = sip_seq_max(out, piece->out + piece->out_len);
	return !sip_seq_before(out, sip_seqmap_out(&h->map, h->next));
}

/* The oldest piece that is ours to deliver. */
static const struct sip_piece *sip_half_owed(const struct sip_half *h)
{
	const struct sip_piece *piece = h->map.first;

	return h->ahead && piece && sip_seq_before(piece->in, h->early) ? piece : NULL;
}

/**
 * sip_half_arm() - see to it that what is ours to deliver is sent again
 * @h: the half
 * @env: the call
 */
void sip_half_arm(struct sip_half *h, const struct sip_stream_env *env)
{
	if (h->resend_due || !sip_half_owed(h))
		return;
	h->resend_due = true;
	h->resend_wait = SIP_RESEND_FIRST(env);
	h->resend_at = env->now + h->resend_wait;
	h->tries = 0;
}

static void sip_half_resend(struct sip_stream *s, const struct sip_stream_env *env, u32 dir)
{
	struct sip_half *h = &s->half[dir];
	const struct sip_piece *piece = sip_half_owed(h);
	u32 out, len, most = SIP_STREAM_BURST * h->mss;

	if (!piece)
		return;
	env->ops->resend(env->priv, dir);
	out = sip_seq_max(h->una, piece->out);
	len = piece->out + piece->out_len - out;
	sip_stream_emit(s, env, dir, out, len < most ? len : most, false, NULL);
}

/* What is held counts as arrived, if all before it is safe. */
static void sip_half_take(struct sip_half *h, const struct sip_stream_env *env)
{
	u32 end = h->next + h->hold_len;

	if (!h->hold_len || h->mode != SIP_STREAM_EDIT || !sip_half_is_kept(h))
		return;
	h->ack_want = false;
	if (h->ahead && !sip_seq_after(end, h->early))
		return;
	h->ahead = true;
	h->early = end;
	sip_half_arm(h, env);
}

/* The bytes that have arrived here and not there (RFC 2018). */
static void sip_stream_sack_own(const struct sip_stream *s, const struct sip_half *h,
				struct sip_head *head)
{
	const struct sip_chunk *chunk = h->chunk;
	u32 hold_end = h->next + h->hold_len;

	if (!s->sack)
		return;
	if (chunk) {
		head->sack[0][0] = chunk->in;
		head->sack[0][1] = chunk->in + chunk->len;
		for (; chunk && !sip_seq_after(chunk->in, head->sack[0][1]); chunk = chunk->next)
			head->sack[0][1] = sip_seq_max(head->sack[0][1], chunk->in + chunk->len);
		head->n_sack = 1;
	}
	if (sip_seq_before(head->ack, hold_end) && h->hold_len) {
		head->sack[head->n_sack][0] = sip_seq_max(head->ack, h->next);
		head->sack[head->n_sack][1] = hold_end;
		head->n_sack++;
	}
}

/**
 * sip_stream_ack() - tell the sender of a half what has arrived here
 * @s: the stream
 * @env: the call
 * @dir: the half
 */
void sip_stream_ack(struct sip_stream *s, const struct sip_stream_env *env, u32 dir)
{
	struct sip_half *h = &s->half[dir];
	struct sip_head head;

	if (s->state == SIP_STREAM_OPEN)
		sip_half_take(h, env);
	sip_stream_head(s, !dir, &head);
	sip_stream_sack_own(s, h, &head);
	env->ops->ack(env->priv, dir, &head);
}

/* ---- acknowledgments that pass ----------------------------------------- */

static void sip_half_progress(struct sip_stream *s, const struct sip_stream_env *env, u32 dir,
			      u32 ack)
{
	struct sip_half *h = &s->half[dir];
	bool again = h->tries;
	struct sip_piece *piece;

	h->una = ack;
	h->dups = 0;
	while ((piece = sip_seqmap_acked(&h->map, ack)))
		env->ops->free(piece);
	if (h->ahead && !sip_seq_before(sip_seqmap_in(&h->map, ack), h->early))
		h->ahead = false;
	h->resend_due = false;
	sip_half_arm(h, env);
	/* Something was lost, and it is filled again from its start. */
	if (again)
		sip_half_resend(s, env, dir);
	/* Held, with all before it safe now: said by the segment that passes. */
	if (h->ack_want)
		sip_half_take(h, env);
}

/* The acknowledgment and the window of a segment, which are of the other half. */
static void sip_stream_acked(struct sip_stream *s, const struct sip_stream_env *env, u32 dir,
			     struct sip_segment *seg)
{
	struct sip_half *h = &s->half[!dir];
	u32 window = (u32)seg->window << sip_half_scale(s, !dir);
	u32 top = sip_seqmap_out(&h->map, h->next);
	u32 edge = seg->ack + window;

	/* What is only watched has passed before it was decided about. */
	if (h->mode == SIP_STREAM_EDIT && sip_seq_after(seg->ack, top)) {
		/* Of what was never sent: the sender will not believe it. */
		seg->out_ack = seg->ack - h->map.delta;
		return;
	}
	if (!sip_seq_before(seg->ack, h->una)) {
		if (window > h->window)
			h->window = window;
		h->edge = sip_seq_max(h->edge, edge);
	}
	if (sip_seq_after(seg->ack, h->una)) {
		sip_half_progress(s, env, !dir, seg->ack);
	} else if (seg->ack == h->una && !seg->len && !(seg->flags & SIP_TCP_FIN) &&
		   sip_half_owed(h) && ++h->dups == 3) {
		h->tries++;
		sip_half_resend(s, env, !dir);
	}
	seg->out_ack = sip_half_acked(h);
	seg->out_window = sip_half_window(s, !dir, edge, seg->out_ack);
}

/**
 * sip_stream_sack() - translate a SACK block (RFC 2018)
 * @s: the stream
 * @dir: direction of the segment that carries it
 * @ack: the acknowledgment number that the segment goes on with
 * @left: the left edge, as it came and as it goes on
 * @right: the right edge
 *
 * Return: false if nothing of it can be said to the sender.
 */
bool sip_stream_sack(const struct sip_stream *s, u32 dir, u32 ack, u32 *left, u32 *right)
{
	const struct sip_half *h = &s->half[!dir];

	*left = sip_seq_max(sip_seqmap_in_left(&h->map, *left), ack);
	*right = sip_seqmap_in(&h->map, *right);
	return sip_seq_before(*left, *right);
}

/* ---- segments ----------------------------------------------------------- */

static void sip_stream_greet(struct sip_stream *s, u32 dir, const struct sip_syn *syn)
{
	struct sip_half *h = &s->half[dir];
	struct sip_half *o = &s->half[!dir];

	h->known = true;
	h->start = syn->seq;
	h->next = syn->seq + 1;
	h->una = syn->seq + 1;
	h->edge = h->una + h->window;
	o->mss = syn->mss;
	o->has_scale = syn->scale >= 0;
	o->scale = syn->scale < 0 ? 0 : syn->scale > 14 ? 14 : (u8)syn->scale;
	o->sack_ok = syn->sack_ok;
	o->window = syn->window;
	if (!o->known)
		return;
	o->edge = o->una + syn->window;
	s->scaled = h->has_scale && o->has_scale;
	s->sack = h->sack_ok && o->sack_ok;
	s->state = SIP_STREAM_OPEN;
}

/*
 * One end has forgotten the connection and makes it once more from the same
 * port (RFC 9293 section 3.5.1). That is so when the other one takes up its SYN;
 * one alone may be anybody's.
 */
static bool sip_stream_anew(struct sip_stream *s, const struct sip_stream_env *env, u32 dir,
			    const struct sip_syn *syn)
{
	const struct sip_half *half = s->half;
	const struct sip_syn first = s->again;

	if (!dir) {
		s->again = *syn;
		s->asked = true;
		return false;
	}
	if (!s->asked || syn->ack != first.seq + 1 ||
	    (half[0].known && half[0].start == first.seq && half[1].start == syn->seq))
		return false;
	sip_stream_free(s, env);
	memset(s, 0, sizeof(*s));
	sip_stream_greet(s, 0, &first);
	sip_stream_greet(s, 1, syn);
	return true;
}

/**
 * sip_stream_syn() - a SYN passes
 * @s: the stream; all zero before the first one
 * @env: the call
 * @dir: its direction; 1: it answers one
 * @syn: what it says
 *
 * Return: true: this is another connection from now on, with the same ends.
 */
bool sip_stream_syn(struct sip_stream *s, const struct sip_stream_env *env, u32 dir,
		    const struct sip_syn *syn)
{
	if (s->state != SIP_STREAM_NEW)
		return sip_stream_anew(s, env, dir, syn);
	sip_stream_greet(s, dir, syn);
	return false;
}

static void sip_stream_reset(struct sip_stream *s, const struct sip_stream_env *env, u32 dir,
			     const struct sip_segment *seg)
{
	const struct sip_half *h = &s->half[dir];

	/* Anybody may guess a number that is nearly right (RFC 5961 section 3). */
	if (sip_seq_before(seg->seq, sip_half_acked(h)) ||
	    sip_seq_after(seg->seq, h->next + h->hold_len))
		return;
	s->state = SIP_STREAM_ALONE;
	sip_stream_free(s, env);
}

/**
 * sip_stream_fits() - can a segment come from the one whose half it is of?
 * @s: the stream
 * @dir: its direction
 * @seg: the segment; not a SYN
 *
 * Anybody may send one with the right addresses: its numbers have to be near
 * (RFC 5961 section 5).
 *
 * Return: true if what else it says can be believed.
 */
bool sip_stream_fits(const struct sip_stream *s, u32 dir, const struct sip_segment *seg)
{
	const struct sip_half *h = &s->half[dir];
	const struct sip_half *o = &s->half[!dir];

	if (!h->known || !o->known || (seg->flags & (SIP_TCP_ACK | SIP_TCP_RST)) != SIP_TCP_ACK)
		return false;
	/* A probe says the byte before once more; what was edited has moved the edge. */
	if (sip_seq_before(seg->seq, sip_seqmap_in(&h->map, h->una) - 1) ||
	    sip_seq_after(seg->seq, h->edge - h->map.delta + h->window))
		return false;
	/* Of a half that is only watched more may have passed than is known here. */
	return !sip_seq_before(seg->ack, o->una) &&
	       (o->mode != SIP_STREAM_EDIT ||
		!sip_seq_after(seg->ack, sip_seqmap_out(&o->map, o->next)));
}

/**
 * sip_stream_segment() - a segment of the connection, without SYN
 * @s: the stream
 * @env: the call
 * @dir: its direction
 * @seg: the segment; filled in where it passes
 *
 * Return: what becomes of it.
 */
enum sip_stream_verdict sip_stream_segment(struct sip_stream *s, const struct sip_stream_env *env,
					   u32 dir, struct sip_segment *seg)
{
	struct sip_half *h = &s->half[dir];

	if (s->state == SIP_STREAM_NEW && !(seg->flags & SIP_TCP_RST))
		sip_stream_alone(s, env, dir, SIP_R_NO_HANDSHAKE);
	seg->out_seq = seg->seq;
	seg->out_ack = seg->ack;
	seg->out_window = seg->window;
	if (!s->half[0].known || !s->half[1].known)
		return SIP_STREAM_PASS;
	if (seg->flags & SIP_TCP_ACK)
		sip_stream_acked(s, env, dir, seg);
	if (!(seg->flags & SIP_TCP_RST) && (seg->len || (seg->flags & SIP_TCP_FIN)))
		return sip_hold_data(s, env, dir, seg);
	/* Nothing that is held has been sent yet. What is behind a gap stays behind it. */
	if (s->state == SIP_STREAM_OPEN && h->mode == SIP_STREAM_EDIT &&
	    !sip_seq_after(seg->seq, h->next + h->hold_len))
		seg->out_seq = sip_seqmap_out(&h->map, sip_seq_min(seg->seq, h->next));
	else
		seg->out_seq = sip_seqmap_out(&h->map, seg->seq);
	if (seg->flags & SIP_TCP_RST)
		sip_stream_reset(s, env, dir, seg);
	return SIP_STREAM_PASS;
}

/* ---- time --------------------------------------------------------------- */

static void sip_half_timer(struct sip_stream *s, const struct sip_stream_env *env, u32 dir)
{
	struct sip_half *h = &s->half[dir];

	if (h->resend_due && (s32)(env->now - h->resend_at) >= 0) {
		h->resend_wait = h->resend_wait * 2 < SIP_RESEND_LAST(env) ?
				 h->resend_wait * 2 : SIP_RESEND_LAST(env);
		h->resend_at = env->now + h->resend_wait;
		h->resend_due = ++h->tries < SIP_STREAM_TRIES;
		/* What a smaller path refuses, it tells the sender, not us. */
		if (h->tries == SIP_RESEND_LARGE && h->mss > SIP_MSS_DEFAULT)
			h->mss = SIP_MSS_DEFAULT;
		sip_half_resend(s, env, dir);
	}
	if (h->held && env->now - h->held_since >= env->hold_time) {
		if (h->hold_len)
			sip_stream_alone(s, env, dir, SIP_R_HOLD_TIME);
		else
			sip_hold_free(h, env); /* a gap that is never filled */
	}
	if (h->ack_due && (s32)(env->now - h->ack_at) >= 0) {
		h->ack_due = false;
		/* Where it is not safe yet, the receiver's next one says it too. */
		h->ack_want = h->hold_len && !sip_half_is_kept(h);
		if (!h->ack_want || h->chunk)
			sip_stream_ack(s, env, dir);
	}
}

/**
 * sip_stream_timer() - do what is due
 * @s: the stream
 * @env: the call
 */
void sip_stream_timer(struct sip_stream *s, const struct sip_stream_env *env)
{
	sip_half_timer(s, env, 0);
	sip_half_timer(s, env, 1);
}

static void sip_due_min(bool due, u32 when, u32 now, bool *any, u32 *at)
{
	if (!due)
		return;
	if (!*any || (s32)(when - now) < (s32)(*at - now))
		*at = when;
	*any = true;
}

/**
 * sip_stream_due() - when is sip_stream_timer() to be called?
 * @s: the stream
 * @env: the call
 * @at: the time
 *
 * Return: false: not at all.
 */
bool sip_stream_due(const struct sip_stream *s, const struct sip_stream_env *env, u32 *at)
{
	bool any = false;
	u32 dir;

	for (dir = 0; dir < 2; dir++) {
		const struct sip_half *h = &s->half[dir];

		sip_due_min(h->resend_due, h->resend_at, env->now, &any, at);
		sip_due_min(h->ack_due, h->ack_at, env->now, &any, at);
		sip_due_min(h->held, h->held_since + env->hold_time, env->now, &any, at);
	}
	return any;
}

/* ---- end ---------------------------------------------------------------- */

/**
 * sip_stream_alone() - leave the connection alone from now on
 * @s: the stream
 * @env: the call
 * @dir: the half that is the cause
 * @reason: why; the first one counts
 *
 * What is held goes on, unedited.
 */
void sip_stream_alone(struct sip_stream *s, const struct sip_stream_env *env, u32 dir,
		      enum sip_reason reason)
{
	const struct sip_half *h = &s->half[dir];

	if (s->state == SIP_STREAM_ALONE)
		return;
	s->state = SIP_STREAM_ALONE;
	s->reason = (u8)reason;
	env->ops->alone(env->priv, dir, reason, h->hold, h->hold_len, 0);
	sip_hold_flush(s, env, dir);
	sip_hold_flush(s, env, !dir);
}

/**
 * sip_stream_free() - give back all memory
 * @s: the stream
 * @env: the call
 *
 * What is held or kept is gone; numbers are still translated by what they were
 * at the end.
 */
void sip_stream_free(struct sip_stream *s, const struct sip_stream_env *env)
{
	struct sip_piece *piece;
	u32 dir;

	for (dir = 0; dir < 2; dir++) {
		struct sip_half *h = &s->half[dir];

		sip_hold_free(h, env);
		while ((piece = h->map.first)) {
			h->map.first = piece->next;
			env->ops->free(piece);
		}
		h->map.last = NULL;
		h->map.base = h->map.delta;
		h->map.bytes = 0;
		h->map.count = 0;
		h->ahead = false;
		h->resend_due = false;
	}
}

/**
 * sip_stream_is_plain() - is nothing kept here that somebody may need?
 * @s: the stream
 *
 * Return: true if constant differences tell all that there is to say.
 */
bool sip_stream_is_plain(const struct sip_stream *s)
{
	return !s->half[0].map.first && !s->half[1].map.first && !s->half[0].hold_len &&
	       !s->half[1].hold_len;
}
