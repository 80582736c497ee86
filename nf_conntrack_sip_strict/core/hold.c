// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold.c - the bytes of a stream: held until a message is whole, then released.
 *
 * h->next is where the undecided bytes begin. From there on they are in h->hold
 * without a gap; what is behind a gap waits in chunks. Segments that bring
 * bytes before h->next are retransmissions. In SIP_STREAM_WATCH the same bytes
 * are copied here, only to be read: the segments themselves pass.
 */
#include "stream.h"

#define SIP_HOLD_DELAY(env) ((env)->hz / 50)
#define SIP_HOLD_FIRST 2048u /* bytes of the first buffer: most messages */

/* ---- bytes -------------------------------------------------------------- */

/* Bytes in a buffer whose first one has the number @in. */
struct sip_buffer {
	const u8 *data;
	u32 in;
};

static void sip_buffer_copy(void *priv, u32 in, u8 *to, u32 len)
{
	const struct sip_buffer *buffer = priv;

	memcpy(to, buffer->data + (in - buffer->in), len);
}

static void sip_hold_clear(struct sip_half *h, const struct sip_stream_env *env)
{
	env->ops->free(h->hold);
	h->hold = NULL;
	h->hold_len = 0;
	h->hold_size = 0;
}

/**
 * sip_hold_free() - drop what is held of a half
 * @h: the half
 * @env: the call
 */
void sip_hold_free(struct sip_half *h, const struct sip_stream_env *env)
{
	struct sip_chunk *chunk;

	sip_hold_clear(h, env);
	while ((chunk = h->chunk)) {
		h->chunk = chunk->next;
		env->ops->free(chunk);
	}
	h->chunk_len = 0;
	h->n_chunks = 0;
	h->held = false;
	h->ack_due = false;
	h->ack_want = false;
	memset(&h->framer, 0, sizeof(h->framer));
}

static bool sip_hold_room(struct sip_half *h, const struct sip_stream_env *env, u32 more)
{
	u32 size = h->hold_size ? h->hold_size : SIP_HOLD_FIRST;
	u8 *hold;

	if (h->hold_len + more <= h->hold_size)
		return true;
	while (size < h->hold_len + more)
		size *= 2;
	hold = env->ops->alloc(size);
	if (!hold)
		return false;
	if (h->hold_len)
		memcpy(hold, h->hold, h->hold_len);
	env->ops->free(h->hold);
	h->hold = hold;
	h->hold_size = size;
	return true;
}

/* Add bytes that follow what is held. SIP_R_OK, or why not. */
static enum sip_reason sip_hold_append(struct sip_half *h, const struct sip_stream_env *env,
				       const struct sip_bytes *bytes, u32 len)
{
	/*
	 * Whole messages in one segment do not count against the limit. What is
	 * longer than any of them can be is no segment.
	 */
	if (len > env->hold_max + SIP_MAX_MSG || h->hold_len > env->hold_max)
		return SIP_R_HOLD_MAX;
	if (!sip_hold_room(h, env, len))
		return SIP_R_NO_MEMORY;
	bytes->copy(bytes->priv, h->next + h->hold_len, h->hold + h->hold_len, len);
	h->hold_len += len;
	return SIP_R_OK;
}

/* ---- behind a gap ------------------------------------------------------- */

/* Keep bytes that came too early. Those there is no room for come again. */
static void sip_chunk_keep(struct sip_half *h, const struct sip_stream_env *env,
			   const struct sip_segment *seg)
{
	struct sip_chunk **at = &h->chunk;
	u32 end = seg->seq + seg->len;
	struct sip_chunk *chunk;

	if (!seg->len || h->n_chunks >= SIP_STREAM_CHUNKS ||
	    h->hold_len + h->chunk_len + seg->len > env->hold_max)
		return;
	/* Beyond the window: the receiver would not take it either. */
	if (sip_seq_after(end, h->edge - h->map.delta))
		return;
	for (; *at && !sip_seq_after((*at)->in, seg->seq); at = &(*at)->next)
		if (!sip_seq_before((*at)->in + (*at)->len, end))
			return;
	chunk = env->ops->alloc((u32)sizeof(*chunk) + seg->len);
	if (!chunk)
		return;
	chunk->in = seg->seq;
	chunk->len = seg->len;
	seg->bytes.copy(seg->bytes.priv, seg->seq, chunk->data, seg->len);
	chunk->next = *at;
	*at = chunk;
	h->n_chunks++;
	h->chunk_len += seg->len;
}

static struct sip_chunk *sip_chunk_take(struct sip_half *h)
{
	struct sip_chunk *chunk = h->chunk;

	h->chunk = chunk->next;
	h->n_chunks--;
	h->chunk_len -= chunk->len;
	return chunk;
}

/* The gap is closed: what was behind it follows. Returns whether something did. */
static bool sip_chunk_join(struct sip_half *h, const struct sip_stream_env *env)
{
	u32 end = h->next + h->hold_len;
	bool joined = false;

	while (h->chunk && !sip_seq_after(h->chunk->in, end)) {
		struct sip_chunk *chunk = sip_chunk_take(h);
		struct sip_buffer buffer = { chunk->data, chunk->in };
		const struct sip_bytes bytes = { sip_buffer_copy, &buffer };

		/* Where there is no memory they come again. */
		if (sip_seq_after(chunk->in + chunk->len, end) &&
		    sip_hold_append(h, env, &bytes, chunk->in + chunk->len - end) == SIP_R_OK)
			joined = true;
		env->ops->free(chunk);
		end = h->next + h->hold_len;
	}
	return joined;
}

/* ---- release ------------------------------------------------------------ */

/* Bytes that were acknowledged ahead are kept, whatever they are. */
static bool sip_hold_keep(struct sip_half *h, const struct sip_stream_env *env, u32 off, u32 len)
{
	struct sip_piece *piece;

	if (!len || !h->ahead || !sip_seq_after(h->early, h->next + off))
		return true;
	piece = env->ops->alloc((u32)sizeof(*piece) + len);
	if (!piece)
		return false;
	piece->in = h->next + off;
	piece->in_len = len;
	piece->out_len = len;
	memcpy(piece->data, h->hold + off, len);
	sip_seqmap_add(&h->map, piece);
	return true;
}

/*
 * The first @len bytes of the hold are decided about: they go on, and with them
 * the FIN, where it is next.
 */
static void sip_hold_release(struct sip_stream *s, const struct sip_stream_env *env, u32 dir,
			     u32 len, bool emit)
{
	struct sip_half *h = &s->half[dir];
	bool fin = h->fin && !h->fin_sent && h->next + len == h->fin_seq;
	struct sip_buffer buffer = { h->hold, h->next };
	const struct sip_bytes bytes = { sip_buffer_copy, &buffer };
	u32 out = sip_seqmap_out(&h->map, h->next);
	u32 in = h->next;

	h->next += len + fin;
	h->fin_sent |= fin;
	if (emit)
		sip_stream_emit(s, env, dir, out, sip_seqmap_out(&h->map, in + len) - out, fin,
				&bytes);
	h->hold_len -= len;
	if (h->hold_len)
		memmove(h->hold, h->hold + len, h->hold_len);
	else
		sip_hold_clear(h, env);
	if (!len)
		return;
	h->held = false;
	h->ack_due = false;
	h->ack_want = false;
}

/**
 * sip_hold_flush() - everything that is held goes on as it is
 * @s: the stream, left alone
 * @env: the call
 * @dir: the half
 */
void sip_hold_flush(struct sip_stream *s, const struct sip_stream_env *env, u32 dir)
{
	struct sip_half *h = &s->half[dir];
	bool emit = h->mode == SIP_STREAM_EDIT;
	u32 next;

	if (h->hold_len) {
		/* Without memory there is one try to deliver them. */
		sip_hold_keep(h, env, 0, h->hold_len);
		sip_hold_release(s, env, dir, h->hold_len, emit);
		sip_half_arm(h, env);
	}
	next = h->next;
	while (h->chunk) {
		struct sip_chunk *chunk = sip_chunk_take(h);
		u32 end = chunk->in + chunk->len;
		struct sip_buffer buffer = { chunk->data, chunk->in };
		const struct sip_bytes bytes = { sip_buffer_copy, &buffer };

		if (emit && !sip_seq_before(chunk->in, next)) {
			sip_stream_emit(s, env, dir, sip_seqmap_out(&h->map, chunk->in),
					chunk->len, false, &bytes);
			h->next = sip_seq_max(h->next, end);
		}
		env->ops->free(chunk);
	}
	h->skip = 0;
	sip_hold_free(h, env);
}

/* ---- messages ----------------------------------------------------------- */

/* A message of @len bytes at @off: edited, or at least safe. */
static bool sip_hold_message(struct sip_half *h, const struct sip_stream_env *env, u32 dir,
			     u32 off, u32 len, bool bad)
{
	struct sip_piece *piece = NULL;

	h->begun = true;
	if (h->mode != SIP_STREAM_BLIND)
		piece = env->ops->message(env->priv, dir, env->msg, bad);
	if (h->mode != SIP_STREAM_EDIT) {
		env->ops->free(piece);
		return false;
	}
	if (!piece) {
		sip_hold_keep(h, env, off, len);
		return false;
	}
	piece->in = h->next + off;
	piece->in_len = len;
	sip_seqmap_add(&h->map, piece);
	return true;
}

/* It is not whole: can it become so here? SIP_R_OK, or why not. */
static enum sip_reason sip_hold_check(const struct sip_half *h, const struct sip_stream_env *env,
				      u32 len)
{
	u32 need = h->framer.need ? h->framer.need : len + 1;

	if (need > env->hold_max || need > SIP_MAX_MSG)
		return SIP_R_HOLD_MAX;
	if (h->mode == SIP_STREAM_EDIT && need > h->window)
		return SIP_R_HOLD_WINDOW;
	return SIP_R_OK;
}

/* What the walk over the hold has found. */
struct sip_found {
	u32 off; /* all before is decided about */
	bool edited;
	enum sip_reason end; /* not OK: no SIP, or none that can be held, from off on */
	u32 end_off;
};

/* Go on unread to the end of the message, where that is known. */
static void sip_hold_unread(struct sip_half *h, const struct sip_stream_env *env, u32 dir,
			    enum sip_reason reason, struct sip_found *f)
{
	if (!h->framer.need) {
		f->end = reason;
		return;
	}
	env->ops->unread(env->priv, dir, reason);
	h->begun = true;
	h->skip = h->framer.need;
	memset(&h->framer, 0, sizeof(h->framer));
}

/* One step over the hold. False: no further. */
static bool sip_hold_step(struct sip_half *h, const struct sip_stream_env *env, u32 dir,
			  struct sip_found *f)
{
	u32 left = h->hold_len - f->off;
	enum sip_frame what;
	u32 len = 0;

	if (!left)
		return false;
	if (h->skip) {
		len = h->skip < left ? h->skip : left;
		sip_hold_keep(h, env, f->off, len);
		h->skip -= len;
		f->off += len;
		return true;
	}
	what = sip_frame_next(&h->framer, env->msg, h->hold + f->off, left, &len);
	switch (what) {
	case SIP_FRAME_MORE:
		f->end = sip_hold_check(h, env, left);
		if (f->end == SIP_R_OK)
			return false;
		sip_hold_unread(h, env, dir, f->end, f);
		if (!h->skip)
			return false;
		f->end = SIP_R_OK;
		return true;
	case SIP_FRAME_END:
		f->end = env->msg->reason;
		f->end_off = env->msg->reason_off;
		return false;
	case SIP_FRAME_IDLE:
		env->ops->idle(env->priv, dir);
		sip_hold_keep(h, env, f->off, len);
		break;
	default:
		f->edited |= sip_hold_message(h, env, dir, f->off, len, what == SIP_FRAME_BAD);
		break;
	}
	memset(&h->framer, 0, sizeof(h->framer));
	f->off += len;
	return true;
}

/* Something waits here, and somebody may wait for it. */
static void sip_hold_arm(struct sip_half *h, const struct sip_stream_env *env)
{
	if (!h->hold_len && !h->chunk) {
		h->held = false;
		h->ack_due = false;
		h->ack_want = false;
		return;
	}
	if (!h->held)
		h->held_since = env->now;
	h->held = true;
	if (h->mode != SIP_STREAM_EDIT)
		return;
	if (!h->ack_due)
		h->ack_at = env->now + SIP_HOLD_DELAY(env);
	h->ack_due = true;
}

/*
 * New bytes: release what can be decided about. Where that is exactly the
 * segment (@whole), and nothing of it is edited, the segment itself passes.
 */
static enum sip_stream_verdict sip_hold_walk(struct sip_stream *s,
					     const struct sip_stream_env *env, u32 dir,
					     struct sip_segment *seg, bool whole)
{
	struct sip_half *h = &s->half[dir];
	bool emit = h->mode == SIP_STREAM_EDIT;
	struct sip_found f = { .end = SIP_R_OK };
	u32 out = sip_seqmap_out(&h->map, h->next);

	while (sip_hold_step(h, env, dir, &f))
		;
	if (f.end == SIP_R_OK && h->fin && h->next + h->hold_len == h->fin_seq &&
	    f.off < h->hold_len)
		f.end = SIP_R_STREAM_END;
	if (f.end != SIP_R_OK) {
		env->ops->alone(env->priv, dir, f.end, h->hold + f.off, h->hold_len - f.off,
				f.end_off);
		s->state = SIP_STREAM_ALONE;
		s->reason = (u8)f.end;
		sip_hold_keep(h, env, f.off, h->hold_len - f.off);
		f.off = h->hold_len;
	}
	whole = whole && f.off == h->hold_len && !f.edited && !h->ahead;
	if (f.off || (h->fin && !h->fin_sent && h->next == h->fin_seq))
		sip_hold_release(s, env, dir, f.off, emit && !whole);
	sip_half_arm(h, env);
	if (s->state == SIP_STREAM_ALONE) {
		sip_hold_flush(s, env, dir);
		sip_hold_flush(s, env, !dir);
	} else {
		sip_hold_arm(h, env);
	}
	seg->out_seq = out;
	return whole ? SIP_STREAM_PASS : SIP_STREAM_TAKEN;
}

/* ---- segments with data ------------------------------------------------- */

/*
 * All of it was acknowledged before. A probe is for the receiver to answer (RFC
 * 9293 section 3.8.4): its number is just below what it expects. The byte that
 * may be in it is not always what was sent for it the first time, and stays
 * here. The rest is answered here: the answer was lost behind us.
 */
static enum sip_stream_verdict sip_hold_old(struct sip_stream *s,
					    const struct sip_stream_env *env, u32 dir,
					    struct sip_segment *seg)
{
	struct sip_half *h = &s->half[dir];
	u32 acked = sip_half_acked(h);
	bool open = s->state == SIP_STREAM_OPEN && h->mode == SIP_STREAM_EDIT;
	bool ours = seg->len > 1 && (open || h->map.used);

	if (ours || acked != sip_seqmap_in(&h->map, h->una)) {
		sip_stream_ack(s, env, dir);
		return SIP_STREAM_TAKEN;
	}
	if (seg->len && h->map.used) {
		sip_stream_probe(s, env, dir);
		return SIP_STREAM_TAKEN;
	}
	seg->out_seq = h->una - (acked - seg->seq);
	return SIP_STREAM_PASS;
}

/*
 * Bytes that went on before: the same ones once more. @last: nothing in the
 * segment is newer than @upto.
 */
static enum sip_stream_verdict sip_hold_again(struct sip_stream *s,
					      const struct sip_stream_env *env, u32 dir,
					      struct sip_segment *seg, u32 from, u32 upto,
					      bool last)
{
	struct sip_half *h = &s->half[dir];
	u32 out = sip_seqmap_out(&h->map, from);

	/* What is in front of it may have been edited, and be forgotten by now. */
	if (last && (from == seg->seq || !h->map.used) &&
	    sip_seqmap_is_plain(&h->map, from, upto - from)) {
		seg->out_seq = out - (from - seg->seq);
		return SIP_STREAM_PASS;
	}
	sip_stream_emit(s, env, dir, out, sip_seqmap_out(&h->map, upto) - out,
			last && (seg->flags & SIP_TCP_FIN), &seg->bytes);
	return SIP_STREAM_TAKEN;
}

/* The connection is left alone: everything passes, edited bytes stay edited. */
static enum sip_stream_verdict sip_hold_pass(struct sip_stream *s,
					     const struct sip_stream_env *env, u32 dir,
					     struct sip_segment *seg)
{
	struct sip_half *h = &s->half[dir];
	u32 from = sip_seq_max(seg->seq, sip_half_acked(h));
	u32 end = seg->seq + seg->len;
	bool fin = seg->flags & SIP_TCP_FIN;

	if (sip_seq_after(end + fin, h->next))
		h->next = end + fin;
	if (fin && !h->fin_sent) {
		h->fin_sent = true;
		h->fin_seq = end;
	}
	if (sip_seq_before(end, from))
		from = end;
	return sip_hold_again(s, env, dir, seg, from, end, true);
}

/* Bytes that are new, from h->next on at the earliest. */
static enum sip_stream_verdict sip_hold_new(struct sip_stream *s,
					    const struct sip_stream_env *env, u32 dir,
					    struct sip_segment *seg)
{
	struct sip_half *h = &s->half[dir];
	bool whole = seg->seq == h->next && !h->hold_len;
	u32 hold_end = h->next + h->hold_len;
	u32 end = seg->seq + seg->len;
	enum sip_reason reason = SIP_R_OK;

	/* The sender waits as for a full window, and sends it again. */
	if (h->map.bytes > SIP_STREAM_KEPT || h->map.count > SIP_STREAM_PIECES)
		return SIP_STREAM_TAKEN;
	if (sip_seq_after(seg->seq, hold_end)) {
		sip_chunk_keep(h, env, seg);
		sip_hold_arm(h, env);
		return SIP_STREAM_TAKEN;
	}
	if ((seg->flags & SIP_TCP_FIN) && !h->fin) {
		h->fin = true;
		h->fin_seq = end;
	}
	if (sip_seq_after(end, hold_end)) {
		reason = sip_hold_append(h, env, &seg->bytes, end - hold_end);
	} else if (seg->len && !(seg->flags & SIP_TCP_FIN)) {
		/* It is held, and was sent again: somebody waits. */
		if (h->mode == SIP_STREAM_EDIT)
			sip_stream_ack(s, env, dir);
		return SIP_STREAM_TAKEN;
	}
	if (reason != SIP_R_OK) {
		sip_stream_alone(s, env, dir, reason);
		return sip_hold_pass(s, env, dir, seg);
	}
	if (sip_chunk_join(h, env))
		whole = false;
	return sip_hold_walk(s, env, dir, seg, whole);
}

/**
 * sip_hold_data() - a segment with data, or a FIN
 * @s: the stream
 * @env: the call
 * @dir: its direction
 * @seg: the segment
 *
 * Return: what becomes of it.
 */
enum sip_stream_verdict sip_hold_data(struct sip_stream *s, const struct sip_stream_env *env,
				      u32 dir, struct sip_segment *seg)
{
	struct sip_half *h = &s->half[dir];
	u32 end = seg->seq + seg->len;
	bool fin = seg->flags & SIP_TCP_FIN;
	enum sip_stream_verdict verdict;
	u32 acked, from;
	bool last;

	/* SIP has no urgent data: this is something else. */
	if (seg->flags & SIP_TCP_URG)
		sip_stream_alone(s, env, dir, SIP_R_URGENT);
	if (!h->hold_len && !h->chunk && !h->skip)
		h->mode = env->mode;
	acked = sip_half_acked(h);
	if (!sip_seq_after(end + fin, acked))
		return sip_hold_old(s, env, dir, seg);
	/* Only watched, it went on to the receiver, and there was no room for it here. */
	if (sip_seq_after(acked, h->next + h->hold_len))
		sip_stream_alone(s, env, dir, SIP_R_HOLD_MAX);
	if (s->state == SIP_STREAM_ALONE)
		return sip_hold_pass(s, env, dir, seg);
	from = sip_seq_max(seg->seq, acked);
	last = !sip_seq_after(end + fin, h->next);
	if (h->mode != SIP_STREAM_EDIT) {
		/* Read from a copy; the segment passes, whatever is found. */
		if (!last)
			sip_hold_new(s, env, dir, seg);
		return sip_hold_again(s, env, dir, seg, from, end, true);
	}
	verdict = SIP_STREAM_TAKEN;
	if (sip_seq_before(from, h->next))
		verdict = sip_hold_again(s, env, dir, seg, from, sip_seq_min(end, h->next), last);
	return last ? verdict : sip_hold_new(s, env, dir, seg);
}
