// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream.c - TCP connections through the core, on networks that lose, double
 * and reorder.
 *
 *   left end  ----  core/stream.c  ----  right end
 *
 * The ends are small TCPs: retransmission with other boundaries, Nagle, a
 * congestion window, SACK, windows that close. Both write messages, keep-alives
 * and garbage in random pieces. Each must read exactly what it should: the
 * messages of the other one as the test's edit makes them. Beside that, of each
 * byte that the receiver ever gets the value is the same every time; nothing is
 * acknowledged that was not sent; the right edge of a window never lies beyond
 * the receiver's own; all memory is given back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "tap.h"

#define STREAM_MAX (1 << 20)
#define LINK_MAX 4096
#define HZ 1000

/* ---- chance ------------------------------------------------------------- */

static u64 chance_state;

static u32 chance(u32 n)
{
	chance_state = chance_state * 6364136223846793005ull + 1442695040888963407ull;
	return n ? (u32)(chance_state >> 33) % n : 0;
}

static bool percent(u32 p)
{
	return chance(100) < p;
}

/* ---- the world ---------------------------------------------------------- */

struct packet {
	u32 at; /* when it arrives */
	u8 to; /* 0, 1: an end; 2: the middle */
	u8 dir; /* whose it is: 0 sent by the left end */
	u8 flags;
	u32 seq, ack, len;
	u16 window;
	u32 n_sack, sack[3][2];
	u8 *data;
};

struct end {
	/* sends */
	const u8 *app;
	u32 app_len, written, isn, una, nxt, edge, cwnd, rto_at, rto, dup;
	bool fin_sent, fin_acked, nagle;
	u8 sacked[STREAM_MAX];
	/* reads */
	u8 *got;
	u8 have[STREAM_MAX];
	u32 rcv, peer_isn, buffer, unread, ack_at;
	bool ack_owed, fin_got;
	u32 fin_at;
	u16 mss;
	u8 scale;
};

static struct end ends[2];
static u8 sent[2][STREAM_MAX], want[2][STREAM_MAX];
static u32 sent_len[2], want_len[2];
static struct packet links[LINK_MAX];
static u32 n_links, now, memory, failures;
static struct sip_stream stream;
static struct sip_msg scratch;
static u32 n_alone, n_unread, n_messages, n_acks, n_emits;

static struct {
	u32 loss, reorder, twice, delay;
	bool sack;
	u8 mode;
	u32 hold_max, hold_time;
	u32 no_memory; /* percent */
	bool resegment;
} world;

#define CHECK(what, ...) \
	do { \
		if (!(what)) { \
			if (failures++ < 5) { \
				tap_note("t=%u: " #what, now); \
				tap_note(__VA_ARGS__); \
			} \
		} \
	} while (0)

static void carry(struct packet *p, const u8 *data)
{
	if (percent(world.loss) || n_links >= LINK_MAX - 2)
		return;
	do {
		struct packet *q = &links[n_links++];

		*q = *p;
		q->at = now + 1 + chance(world.delay) + (percent(world.reorder) ? chance(40) : 0);
		q->data = malloc(p->len + 1);
		if (p->len)
			memcpy(q->data, data, p->len);
	} while (percent(world.twice) && n_links < LINK_MAX - 2);
}

/* ---- the edit ----------------------------------------------------------- */

/*
 * What becomes of a message: some are kept, some grow, some shrink. It says so
 * itself in the number of its CSeq. Returns bytes written.
 */
static u32 edit(const struct sip_msg *m, u8 *to)
{
	u32 at = m->body.off ? m->body.off : m->total;

	memcpy(to, m->buf, m->total);
	switch (m->cseq % 4) {
	case 0:
		return m->total;
	case 1: /* grows */
		memset(to + at, '+', 1 + m->cseq % 97);
		memcpy(to + at + 1 + m->cseq % 97, m->buf + at, m->total - at);
		return m->total + 1 + m->cseq % 97;
	case 2: /* shrinks */
		return m->total - (m->total - at) / 2;
	default: /* other bytes, as many */
		memset(to, '!', 4);
		return m->total;
	}
}

/* ---- ops ---------------------------------------------------------------- */

static void *op_alloc(u32 size)
{
	void *p;

	if (percent(world.no_memory))
		return NULL;
	p = malloc(size);
	memory++;
	return p;
}

static void op_free(void *p)
{
	if (p)
		memory--;
	free(p);
}

static struct sip_piece *op_message(void *priv, u32 dir, struct sip_msg *msg, bool bad)
{
	struct sip_piece *piece;

	(void)priv;
	(void)dir;
	n_messages++;
	if (bad || msg->cseq % 4 == 0)
		return NULL;
	piece = op_alloc((u32)sizeof(*piece) + msg->total + 100);
	if (!piece)
		return NULL;
	piece->out_len = edit(msg, piece->data);
	return piece;
}

static void op_idle(void *priv, u32 dir)
{
	(void)priv;
	(void)dir;
}

static void op_emit(void *priv, u32 dir, const struct sip_head *head, u32 len,
		    const struct sip_bytes *plain)
{
	u32 mss = stream.half[dir].mss, off = 0;
	static u8 buf[1 << 17];

	(void)priv;
	CHECK(len <= sizeof(buf) && (len || head->fin || head->seq == stream.half[dir].una - 1),
	      "emit %u bytes", len);
	n_emits++;
	sip_seqmap_read(&stream.half[dir].map, head->seq, buf, len, plain);
	do {
		u32 n = len - off < mss ? len - off : mss;
		struct packet p = {
			.to = !dir, .dir = (u8)dir, .flags = SIP_TCP_ACK, .seq = head->seq + off,
			.ack = head->ack, .window = head->window, .len = n,
		};

		if (head->fin && off + n == len)
			p.flags |= SIP_TCP_FIN;
		carry(&p, buf + off);
		off += n;
	} while (off < len);
}

static void op_ack(void *priv, u32 dir, const struct sip_head *head)
{
	struct packet p = {
		.to = (u8)dir, .dir = !dir, .flags = SIP_TCP_ACK, .seq = head->seq,
		.ack = head->ack, .window = head->window, .n_sack = head->n_sack,
	};

	(void)priv;
	n_acks++;
	memcpy(p.sack, head->sack, sizeof(head->sack));
	carry(&p, NULL);
}

static void op_alone(void *priv, u32 dir, enum sip_reason reason, const u8 *buf, u32 len, u32 off)
{
	(void)priv;
	(void)dir;
	(void)reason;
	n_alone++;
	CHECK(!len || (buf && off <= len), "reason %s at %u of %u", sip_reason_name(reason), off,
	      len);
}

static void op_unread(void *priv, u32 dir, enum sip_reason reason)
{
	(void)priv;
	(void)dir;
	(void)reason;
	n_unread++;
}

static void op_resend(void *priv, u32 dir)
{
	(void)priv;
	(void)dir;
}

static const struct sip_stream_ops ops = {
	.alloc = op_alloc,
	.free = op_free,
	.message = op_message,
	.idle = op_idle,
	.emit = op_emit,
	.ack = op_ack,
	.alone = op_alone,
	.unread = op_unread,
	.resend = op_resend,
};

static struct sip_stream_env env_now(void)
{
	struct sip_stream_env env = {
		.ops = &ops, .msg = &scratch, .now = now, .hz = HZ,
		.hold_max = world.hold_max, .hold_time = world.hold_time, .mode = world.mode,
	};

	return env;
}

struct data {
	const u8 *bytes;
	u32 seq;
};

static void data_copy(void *priv, u32 in, u8 *to, u32 len)
{
	const struct data *d = priv;

	memcpy(to, d->bytes + (in - d->seq), len);
}

static void middle(struct packet *p)
{
	struct sip_stream_env env = env_now();
	struct data d = { p->data, p->seq };
	struct sip_segment seg = {
		.seq = p->seq, .ack = p->ack, .len = p->len, .window = p->window,
		.flags = p->flags, .bytes = { data_copy, &d },
	};
	const struct sip_half *h = &stream.half[p->dir];
	u32 i, n = 0;

	/* Nobody here is a stranger: only what is late may be taken for one. */
	if (!sip_seq_before(seg.ack, stream.half[!p->dir].una) &&
	    !sip_seq_before(seg.seq, sip_seqmap_in(&h->map, h->una)))
		CHECK(sip_stream_fits(&stream, p->dir, &seg), "a segment is not believed");
	if (sip_stream_segment(&stream, &env, p->dir, &seg) == SIP_STREAM_TAKEN)
		return;
	p->seq = seg.out_seq;
	p->ack = seg.out_ack;
	p->window = seg.out_window;
	for (i = 0; i < p->n_sack; i++) {
		u32 left = p->sack[i][0], right = p->sack[i][1];

		if (!sip_stream_sack(&stream, p->dir, seg.out_ack, &left, &right))
			continue;
		p->sack[n][0] = left;
		p->sack[n++][1] = right;
	}
	p->n_sack = n;
	p->to = !p->dir;
	carry(p, p->data);
}

/* ---- the ends ----------------------------------------------------------- */

static u32 end_window(const struct end *e)
{
	u32 room = e->buffer > e->unread ? e->buffer - e->unread : 0;

	return room >> e->scale;
}

static void end_send(u32 side, u32 seq, u32 len, u8 flags)
{
	struct end *e = &ends[side];
	struct packet p = {
		.to = 2, .dir = (u8)side, .flags = flags | SIP_TCP_ACK, .seq = seq,
		.ack = e->rcv, .len = len, .window = (u16)end_window(e),
	};
	u32 off = seq - e->isn - 1, i, base = e->rcv - e->peer_isn - 1;

	if (world.sack) {
		for (i = base; i < base + 20000 && i < STREAM_MAX && p.n_sack < 3; i++) {
			if (!e->have[i])
				continue;
			p.sack[p.n_sack][0] = e->peer_isn + 1 + i;
			while (i < STREAM_MAX && e->have[i])
				i++;
			p.sack[p.n_sack++][1] = e->peer_isn + 1 + i;
		}
	}
	e->ack_owed = false;
	carry(&p, e->app + off);
}

static u32 end_all(const struct end *e)
{
	return e->isn + 1 + e->app_len;
}

/* The segment from here on, again, with boundaries of its own. */
static void end_again(u32 side, u32 from)
{
	struct end *e = &ends[side];
	u32 last = sip_seq_min(e->nxt, end_all(e)), len = last - from, i;

	if (sip_seq_before(last, from))
		len = 0;
	len = len < e->mss ? len : e->mss;
	if (world.resegment && len > 1)
		len = 1 + chance(len);
	for (i = 0; world.sack && i < len; i++)
		if (e->sacked[from - e->isn - 1 + i])
			len = i;
	end_send(side, from, len,
		 e->fin_sent && from + len == end_all(e) ? SIP_TCP_FIN : 0);
}

static void end_push(u32 side)
{
	struct end *e = &ends[side];
	u32 limit = e->isn + 1 + e->written;

	for (;;) {
		u32 len = limit - e->nxt, flight = e->nxt - e->una;

		if (e->fin_sent)
			return;
		if (len > e->mss)
			len = e->mss;
		if (sip_seq_after(e->nxt + len, e->edge))
			len = sip_seq_before(e->nxt, e->edge) ? e->edge - e->nxt : 0;
		if (flight + len > e->cwnd)
			len = flight < e->cwnd ? e->cwnd - flight : 0;
		if (e->nagle && len < e->mss && flight)
			len = 0;
		if (!len) {
			if (e->nxt != end_all(e) || e->written < e->app_len)
				return;
			e->fin_sent = true;
			end_send(side, e->nxt++, 0, SIP_TCP_FIN);
			break;
		}
		end_send(side, e->nxt, len, 0);
		e->nxt += len;
	}
}

static void end_acked(u32 side, const struct packet *p)
{
	struct end *e = &ends[side];
	u32 edge = p->ack + ((u32)p->window << ends[!side].scale), i, j;
	const struct end *r = &ends[!side];

	CHECK(!sip_seq_after(p->ack, e->nxt), "acknowledged %u of %u", p->ack - e->isn,
	      e->nxt - e->isn);
	if (sip_seq_after(p->ack, e->nxt))
		return;
	if (sip_seq_after(edge, e->edge))
		e->edge = edge;
	for (i = 0; world.sack && i < p->n_sack; i++) {
		CHECK(sip_seq_before(p->sack[i][0], p->sack[i][1]) &&
		      !sip_seq_after(p->sack[i][1], e->nxt) &&
		      !sip_seq_before(p->sack[i][0], p->ack), "SACK %u..%u ack %u next %u",
		      p->sack[i][0] - e->isn, p->sack[i][1] - e->isn, p->ack - e->isn,
		      e->nxt - e->isn);
		for (j = p->sack[i][0]; sip_seq_before(j, p->sack[i][1]); j++)
			e->sacked[j - e->isn - 1] = 1;
	}
	if (sip_seq_after(p->ack, e->una)) {
		e->una = p->ack;
		e->dup = 0;
		e->rto = 200;
		e->cwnd += e->mss;
		if (e->cwnd > 40u * e->mss)
			e->cwnd = 40u * e->mss;
		e->rto_at = e->una == e->nxt ? 0 : now + e->rto;
		if (e->fin_sent && e->una == e->nxt)
			e->fin_acked = true;
	} else if (p->ack == e->una && !p->len && e->una != e->nxt && ++e->dup == 3) {
		e->cwnd = e->cwnd / 2 > e->mss ? e->cwnd / 2 : e->mss;
		end_again(side, e->una);
	}
	(void)r;
}

static void end_data(u32 side, const struct packet *p)
{
	struct end *e = &ends[side];
	u32 off = p->seq - e->peer_isn - 1, i;

	for (i = 0; i < p->len; i++) {
		u32 at = off + i;

		/* Only what is within the window; below it, duplicates are compared. */
		if (at >= STREAM_MAX ||
		    sip_seq_after(p->seq + i + 1, e->rcv + e->buffer - e->unread))
			continue;
		if (e->have[at] == 1 || at < e->rcv - e->peer_isn - 1) {
			CHECK(e->got[at] == p->data[i], "byte %u of the stream changed", at);
			continue;
		}
		e->got[at] = p->data[i];
		e->have[at] = 1;
	}
	if (p->flags & SIP_TCP_FIN) {
		e->fin_got = true;
		e->fin_at = p->seq + p->len;
	}
	off = e->rcv - e->peer_isn - 1;
	while (off < STREAM_MAX && e->have[off] == 1) {
		e->have[off++] = 0;
		e->rcv++;
		e->unread++;
	}
	if (e->fin_got && e->rcv == e->fin_at)
		e->rcv++;
	if (p->seq + p->len != e->rcv || chance(2)) {
		end_send(side, e->nxt, 0, 0);
	} else if (!e->ack_owed) {
		e->ack_owed = true;
		e->ack_at = now + 40;
	}
}

static void end_tick(u32 side)
{
	struct end *e = &ends[side];

	if (e->written < e->app_len && percent(30)) {
		u32 n = percent(50) ? 1 + chance(60) : 1 + chance(4000);

		e->written += n < e->app_len - e->written ? n : e->app_len - e->written;
	}
	if (e->unread && percent(e->buffer < 10000 ? 20 : 60)) {
		bool shut = e->unread > e->buffer / 2;

		e->unread -= percent(50) ? e->unread : chance(e->unread);
		if (shut)
			end_send(side, e->nxt, 0, 0);
	}
	end_push(side);
	if (!e->rto_at && e->una != e->nxt)
		e->rto_at = now + e->rto;
	if (e->ack_owed && now >= e->ack_at)
		end_send(side, e->nxt, 0, 0);
	if (e->rto_at && now >= e->rto_at && e->una != e->nxt) {
		memset(e->sacked, 0, sizeof(e->sacked));
		e->cwnd = e->mss;
		e->dup = 0;
		e->rto = e->rto * 2 < 2000 ? e->rto * 2 : 2000;
		e->rto_at = now + e->rto;
		end_again(side, e->una);
	} else if (e->una == e->nxt && !e->fin_sent && e->nxt == e->edge && now % 300 == 7) {
		/* the window is closed: probe, some with a byte that was sent before */
		end_send(side, e->una - 1, e->una - 1 != e->isn && chance(2), 0);
	}
	/* After a timeout only so much is in flight: fill the rest, from the start. */
	if (e->rto > 200 && e->una != e->nxt && now % 20 == 0)
		end_again(side, e->una);
}

/* ---- what they write ---------------------------------------------------- */

static u32 make_message(u8 *to, u32 cseq, u32 body, bool length)
{
	int n = sprintf((char *)to,
			"INFO sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK%u\r\n"
			"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=2\r\nCall-ID: %u@x\r\n"
			"CSeq: %u INFO\r\n", cseq, cseq, cseq);
	u32 i;

	if (length || body)
		n += sprintf((char *)to + n, "Content-Length: %u\r\n", body);
	n += sprintf((char *)to + n, "\r\n");
	for (i = 0; i < body; i++)
		to[(u32)n + i] = (u8)('a' + (i * 7 + cseq) % 26);
	return (u32)n + body;
}

/* A stream of messages; @tail: ends with something that is none. */
static void make_stream(u32 side, u32 count, u32 longest, bool tail, bool edited)
{
	u8 *to = sent[side], *out = want[side];
	u32 i, len, body;

	sent_len[side] = 0;
	want_len[side] = 0;
	for (i = 0; i < count && sent_len[side] + longest + 1000 < STREAM_MAX / 2; i++) {
		static const char idle[] = "\r\n\r\n\0\r\n";

		len = chance(3) ? 0 : chance(sizeof(idle));
		memcpy(to + sent_len[side], idle, len);
		memcpy(out + want_len[side], idle, len);
		sent_len[side] += len;
		want_len[side] += len;
		body = percent(60) ? chance(300) : chance(longest);
		/* What is only just too long may have come in one piece. */
		if (body + 300 > world.hold_max && body < world.hold_max + 2000)
			body = world.hold_max + 2000;
		len = make_message(to + sent_len[side], 1 + chance(1000), body, percent(50));
		sip_msg_parse(&scratch, to + sent_len[side], len, true);
		if (edited && len <= world.hold_max) {
			want_len[side] += edit(&scratch, out + want_len[side]);
		} else {
			memcpy(out + want_len[side], to + sent_len[side], len);
			want_len[side] += len;
		}
		sent_len[side] += len;
	}
	if (!tail)
		return;
	len = 1 + chance(3000);
	for (i = 0; i < len; i++) {
		to[sent_len[side]++] = (u8)(i ? chance(256) : 1 + chance(8));
		out[want_len[side]++] = to[sent_len[side] - 1];
	}
}

/* ---- runs --------------------------------------------------------------- */

static void begin(u32 mss, u32 buffer)
{
	struct sip_stream_env env = env_now();
	struct sip_syn syn[2];
	u32 i;

	memset(&stream, 0, sizeof(stream));
	now = chance(2) ? 0u - chance(3000) : chance(1000);
	n_links = 0;
	failures = 0;
	memory = 0;
	n_alone = 0;
	n_unread = 0;
	n_messages = 0;
	n_acks = 0;
	n_emits = 0;
	for (i = 0; i < 2; i++) {
		struct end *e = &ends[i];
		u8 *got = e->got ? e->got : malloc(STREAM_MAX);

		memset(e, 0, sizeof(*e));
		e->got = got;
		e->isn = chance(2) ? 0u - chance(5000) : chance(1u << 31) * 2;
		e->una = e->isn + 1;
		e->nxt = e->una;
		e->app = sent[i];
		e->app_len = sent_len[i];
		e->mss = (u16)mss;
		e->cwnd = 10 * mss;
		e->rto = 200;
		e->nagle = chance(2);
		e->buffer = buffer;
		e->scale = buffer > 65535 ? 3 : (u8)chance(3);
		syn[i].seq = e->isn;
		syn[i].ack = i ? ends[0].isn + 1 : 0;
		syn[i].window = (u16)(buffer < 65535 ? buffer : 65535);
		syn[i].mss = (u16)mss;
		syn[i].scale = e->scale;
		syn[i].sack_ok = world.sack;
	}
	for (i = 0; i < 2; i++) {
		ends[i].peer_isn = ends[!i].isn;
		ends[i].rcv = ends[!i].isn + 1;
		ends[i].edge = ends[i].una + syn[!i].window;
		sip_stream_syn(&stream, &env, i, &syn[i]);
	}
}

static bool done(void)
{
	u32 i;

	for (i = 0; i < 2; i++)
		if (!ends[i].fin_acked || ends[i].rcv != ends[!i].isn + 2 + want_len[!i])
			return false;
	return true;
}

static void step(void)
{
	struct sip_stream_env env;
	u32 i, at;

	now++;
	for (i = 0; i < n_links;) {
		struct packet p = links[i];

		if ((s32)(now - p.at) < 0) {
			i++;
			continue;
		}
		memmove(&links[i], &links[i + 1], (--n_links - i) * sizeof(p));
		if (p.to == 2) {
			middle(&p);
		} else {
			u32 before = ends[p.to].una;

			end_acked(p.to, &p);
			if (p.len || (p.flags & SIP_TCP_FIN) || p.seq != ends[p.to].rcv)
				end_data(p.to, &p);
			(void)before;
		}
		free(p.data);
		i = 0;
	}
	env = env_now();
	if (sip_stream_due(&stream, &env, &at) && (s32)(now - at) >= 0)
		sip_stream_timer(&stream, &env);
	end_tick(0);
	end_tick(1);
}

static u32 run(u32 limit)
{
	struct sip_stream_env env;
	u32 begun = now, i;

	while (!done() && now - begun < limit && failures < 20)
		step();
	for (i = 0; i < 2; i++) {
		u32 got = ends[i].rcv - ends[!i].isn - 1, j = 0;

		while (j < got && j < want_len[!i] && ends[i].got[j] == want[!i][j])
			j++;
		CHECK(done() && j == want_len[!i],
		      "%s end: %u of %u bytes, right up to %u; una %u of %u, held %u, alone %u (%s)",
		      i ? "right" : "left", got, want_len[!i], j, ends[!i].una - ends[!i].isn,
		      sent_len[!i], stream.half[!i].hold_len, n_alone,
		      sip_reason_name(stream.reason));
	}
	for (i = 0; i < n_links; i++)
		free(links[i].data);
	n_links = 0;
	env = env_now();
	CHECK(!done() || !stream.half[0].hold_len, "still held");
	sip_stream_free(&stream, &env);
	CHECK(!memory, "%u pieces of memory left", memory);
	return now - begun;
}

struct kind {
	const char *name;
	u32 loss, reorder, twice, delay, count, longest, mss_min, mss_max, buffer;
	bool tail, resegment;
	u8 mode;
	u32 seeds;
	u32 hold_max;
};

static const struct kind kinds[] = {
	{ "a quiet network", 0, 0, 0, 3, 20, 3000, 1460, 1460, 65000, false, false, 0, 60, 65536 },
	{ "small segments", 0, 0, 0, 3, 10, 2000, 60, 200, 65000, false, false, 0, 40, 65536 },
	{ "reordering", 0, 25, 0, 5, 20, 3000, 300, 1460, 65000, false, true, 0, 60, 65536 },
	{ "duplicates", 0, 10, 20, 5, 20, 3000, 300, 1460, 65000, false, true, 0, 60, 65536 },
	{ "loss", 5, 0, 0, 5, 20, 3000, 300, 1460, 65000, false, true, 0, 100, 65536 },
	{ "loss, reordering, duplicates", 8, 25, 5, 10, 20, 3000, 88, 1460, 200000, false, true, 0,
	  200, 65536 },
	{ "long messages", 3, 10, 2, 5, 6, 60000, 536, 1460, 300000, false, true, 0, 40, 65536 },
	{ "a receiver that is slow", 3, 10, 2, 5, 20, 1500, 300, 1460, 4000, false, true, 0, 60,
	  65536 },
	{ "a stream that stops being SIP", 5, 15, 5, 5, 8, 3000, 200, 1460, 65000, true, true, 0,
	  100, 65536 },
	{ "messages above the limit", 3, 10, 2, 5, 20, 6000, 300, 1460, 65000, false, true, 0, 60,
	  3000 },
	{ "mode 2", 5, 25, 5, 5, 20, 3000, 200, 1460, 65000, false, true, 1, 60, 65536 },
	{ "mode 0", 5, 25, 5, 5, 20, 3000, 200, 1460, 65000, true, true, 2, 20, 65536 },
};

static void run_kind(const struct kind *k, u32 only)
{
	u32 seed, bad = 0, longest = 0, took, messages = 0, acks = 0;

	for (seed = 1; seed <= k->seeds; seed++) {
		u32 mss;

		if (only && seed != only)
			continue;
		chance_state = seed * 1000003ull + (u64)(k - kinds);
		chance(1);
		world.loss = k->loss;
		world.reorder = k->reorder;
		world.twice = k->twice;
		world.delay = k->delay;
		world.sack = chance(2);
		world.mode = k->mode;
		world.hold_max = k->hold_max;
		world.hold_time = 60000;
		world.resegment = k->resegment;
		make_stream(0, k->count, k->longest, k->tail, k->mode == SIP_STREAM_EDIT);
		make_stream(1, k->count, k->longest, false,
			    k->mode == SIP_STREAM_EDIT && !k->tail);
		if (k->tail)
			sent_len[1] = want_len[1] = 0;
		mss = k->mss_min + chance(k->mss_max - k->mss_min + 1);
		begin(mss, k->buffer);
		took = run(240000);
		longest = took > longest ? took : longest;
		messages += n_messages;
		acks += n_acks;
		if (failures) {
			bad++;
			tap_note("seed %u, mss %u, sack %d: failed", seed, mss, world.sack);
		}
	}
	tap_ok(!bad, "%s: %u of %u runs", k->name, k->seeds - bad, k->seeds);
	tap_note("%u messages, %u acknowledgments of our own, the longest took %u ms", messages,
		 acks, longest);
}

/* ---- one segment after the other ---------------------------------------- */

#define LEFT 1000u /* numbers of the SYNs */
#define RIGHT 5000u

static bool greet(u32 dir, u32 seq, u32 ack)
{
	struct sip_syn syn = { .seq = seq, .ack = ack, .window = 60000, .mss = 1460, .scale = -1 };
	struct sip_stream_env env = env_now();

	return sip_stream_syn(&stream, &env, dir, &syn);
}

static void open_stream(u8 mode, u32 hold_max)
{
	memset(&world, 0, sizeof(world));
	world.loss = 100; /* what is sent here is looked at by nobody */
	world.hold_max = hold_max;
	world.hold_time = 60000;
	world.mode = mode;
	memset(&stream, 0, sizeof(stream));
	memory = 0;
	n_messages = 0;
	n_emits = 0;
	greet(0, LEFT, 0);
	greet(1, RIGHT, LEFT + 1);
}

static struct sip_segment seg;

static enum sip_stream_verdict give(u32 dir, u32 seq, u32 ack, const u8 *bytes, u32 len, u8 flags)
{
	struct sip_stream_env env = env_now();
	struct data d = { bytes, seq };

	memset(&seg, 0, sizeof(seg));
	seg.seq = seq;
	seg.ack = ack;
	seg.len = len;
	seg.window = 60000;
	seg.flags = flags;
	seg.bytes.copy = data_copy;
	seg.bytes.priv = &d;
	return sip_stream_segment(&stream, &env, dir, &seg);
}

static void close_stream(const char *what)
{
	struct sip_stream_env env = env_now();

	sip_stream_free(&stream, &env);
	tap_ok(!memory, "%s: all memory is given back", what);
}

static u32 reset_at(u32 seq)
{
	give(0, seq, 0, NULL, 0, SIP_TCP_RST);
	return seg.out_seq;
}

static void test_reset(void)
{
	u8 text[4096];
	u32 len = make_message(text, 1, 0, true), end;

	open_stream(SIP_STREAM_EDIT, 65536);
	give(0, LEFT + 1, RIGHT + 1, text, len, SIP_TCP_ACK);
	end = LEFT + 1 + len;
	give(0, end, RIGHT + 1, text, 50, SIP_TCP_ACK);
	tap_ok(reset_at(end + 1000000) == end + 1000000 + stream.half[0].map.delta &&
	       stream.state == SIP_STREAM_OPEN, "a RST far ahead stays far ahead");
	tap_ok(reset_at(end + 51) == end + 51 + stream.half[0].map.delta &&
	       stream.state == SIP_STREAM_OPEN, "one behind a gap of one byte as well");
	tap_ok(reset_at(end + 50) == end + stream.half[0].map.delta &&
	       stream.state == SIP_STREAM_ALONE,
	       "one behind what is held is exact for who has not got that");
	close_stream("reset");
}

static void test_watched_gap(void)
{
	u8 text[4096];
	u32 len = make_message(text, 1, 600, true), end = LEFT + 1 + len;

	open_stream(SIP_STREAM_WATCH, 256);
	give(0, LEFT + 1, RIGHT + 1, text, 100, SIP_TCP_ACK);
	give(0, LEFT + 201, RIGHT + 1, text + 200, len - 200, SIP_TCP_ACK);
	give(0, LEFT + 101, RIGHT + 1, text + 100, 100, SIP_TCP_ACK);
	give(1, RIGHT + 1, end, NULL, 0, SIP_TCP_ACK);
	world.mode = SIP_STREAM_EDIT;
	tap_ok(give(0, end, RIGHT + 1, text, len, SIP_TCP_ACK) == SIP_STREAM_PASS &&
	       seg.out_seq == end && stream.state == SIP_STREAM_ALONE &&
	       stream.reason == SIP_R_HOLD_MAX,
	       "what was watched and could not be kept: left alone, and it goes on");
	close_stream("watched");
}

/* One that is too long to be read, in segments of @step bytes, and one behind it. */
static void test_too_long(void)
{
	static u8 text[80000];
	u32 len, all, off, step = 1400, at = LEFT + 1;

	len = (u32)sprintf((char *)text, "NOTIFY sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n"
			   "From: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: 1\r\n"
			   "CSeq: 1 NOTIFY\r\nContent-Length: 70000\r\n\r\n");
	memset(text + len, 'x', 70000);
	len += 70000;
	all = len + make_message(text + len, 1, 0, true);
	open_stream(SIP_STREAM_EDIT, 65536);
	for (off = 0; off < all; off += step)
		give(0, at + off, RIGHT + 1, text + off, all - off < step ? all - off : step,
		     SIP_TCP_ACK);
	tap_ok(stream.state == SIP_STREAM_OPEN && n_messages == 1 && stream.half[0].map.delta,
	       "a message that is too long goes on unread, and the next one is edited");
	close_stream("too long");
}

static bool fits(u32 dir, u32 seq, u32 ack, u8 flags)
{
	const struct sip_segment s = { .seq = seq, .ack = ack, .flags = flags };

	return sip_stream_fits(&stream, dir, &s);
}

static void test_fits(void)
{
	u8 text[4096];
	u32 len = make_message(text, 1, 0, true), end = LEFT + 1 + len, out;

	open_stream(SIP_STREAM_EDIT, 65536);
	give(0, LEFT + 1, RIGHT + 1, text, len, SIP_TCP_ACK);
	out = end + stream.half[0].map.delta;
	give(1, RIGHT + 1, out, NULL, 0, SIP_TCP_ACK);
	tap_ok(fits(0, end, RIGHT + 1, SIP_TCP_ACK) && fits(1, RIGHT + 1, out, SIP_TCP_ACK),
	       "what each end would say now can be believed");
	tap_ok(fits(0, end - 1, RIGHT + 1, SIP_TCP_ACK) &&
	       fits(0, end + 60000, RIGHT + 1, SIP_TCP_ACK),
	       "a keep-alive probe, and one at the edge of the window");
	tap_ok(!fits(0, end - 2, RIGHT + 1, SIP_TCP_ACK) &&
	       !fits(0, end + 120001, RIGHT + 1, SIP_TCP_ACK), "not what lies far outside of it");
	tap_ok(!fits(0, end, RIGHT, SIP_TCP_ACK) && !fits(0, end, RIGHT + 2, SIP_TCP_ACK) &&
	       !fits(1, RIGHT + 1, out - 1, SIP_TCP_ACK) &&
	       !fits(1, RIGHT + 1, out + 1, SIP_TCP_ACK),
	       "nor an old acknowledgment, or one of what was never sent");
	tap_ok(!fits(0, end, RIGHT + 1, 0) && !fits(0, end, RIGHT + 1, SIP_TCP_ACK | SIP_TCP_RST),
	       "nor a segment without one, or a RST");
	tap_ok(give(0, end + 1, RIGHT + 1, NULL, 0, SIP_TCP_ACK) == SIP_STREAM_PASS &&
	       seg.out_seq == out + 1, "what is behind a gap passes as far behind it");
	close_stream("fits");
}

static void test_anew(void)
{
	const u32 left = 700000, right = 900;
	u8 text[4096];
	u32 len = make_message(text, 1, 0, true);

	open_stream(SIP_STREAM_EDIT, 65536);
	give(0, LEFT + 1, RIGHT + 1, text, len, SIP_TCP_ACK);
	tap_ok(stream.half[0].map.delta && n_messages == 1, "a message was edited");
	tap_ok(!greet(0, LEFT, 0) && !greet(1, RIGHT, LEFT + 1) && stream.half[0].map.delta,
	       "the same SYN and answer once more change nothing");
	tap_ok(!greet(1, right, left + 1) && !greet(0, left, 0) && stream.half[0].map.delta,
	       "nor does an answer to nothing, or a SYN without one");
	tap_ok(!greet(1, right, left) && greet(1, right, left + 1) &&
	       !stream.half[0].map.delta && stream.state == SIP_STREAM_OPEN,
	       "a SYN that is answered is another connection");
	tap_ok(give(0, left + 1, right + 1, NULL, 0, SIP_TCP_ACK) == SIP_STREAM_PASS &&
	       seg.out_seq == left + 1 && seg.out_ack == right + 1, "with numbers of its own");
	give(0, left + 1, right + 1, text, len, SIP_TCP_ACK);
	tap_ok(n_messages == 2 && stream.half[0].next == left + 1 + len &&
	       stream.half[0].map.delta, "and with messages that are edited");
	close_stream("anew");
}

static void test_resend_small(void)
{
	u8 text[4096];
	u32 len = make_message(text, 1, 3000, true), begun = now;
	struct sip_stream_env env;
	u32 emits;

	open_stream(SIP_STREAM_EDIT, 65536);
	give(0, LEFT + 1, RIGHT + 1, text, 1460, SIP_TCP_ACK);
	for (now += 30; now - begun < 100; now += 10) {
		env = env_now();
		sip_stream_timer(&stream, &env);
	}
	give(0, LEFT + 1 + 1460, RIGHT + 1, text + 1460, len - 1460, SIP_TCP_ACK);
	emits = n_emits;
	tap_ok(stream.half[0].mss == 1460 && emits, "sent in segments that the receiver takes");
	for (; now - begun < 900; now += 10) {
		env = env_now();
		sip_stream_timer(&stream, &env);
	}
	tap_ok(stream.half[0].mss == 536 && n_emits >= emits + 2,
	       "sent again, twice in vain: in segments that each path takes");
	close_stream("resend");
}

int main(int argc, char **argv)
{
	u32 i;

	if (argc < 2) {
		test_reset();
		test_watched_gap();
		test_fits();
		test_too_long();
		test_anew();
		test_resend_small();
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (argc < 2 || i == (u32)atoi(argv[1]))
			run_kind(&kinds[i], argc > 2 ? (u32)atoi(argv[2]) : 0);
	return tap_done();
}
