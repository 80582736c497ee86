/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stream.h - a TCP connection that carries SIP, as seen from the middle.
 *
 * stream.c tells how it works. A connection has two halves, one for each
 * direction; half[0] is what the opener of the connection sends. "Sender" and
 * "receiver" are those of a half. Times are ticks of a clock that wraps, with
 * env->hz of them in a second.
 */
#ifndef SIP_STREAM_H
#define SIP_STREAM_H

#include "frame.h"
#include "seqmap.h"

/* Bytes that are kept for retransmission of a half; then it has to wait. */
#define SIP_STREAM_KEPT 262144u
#define SIP_STREAM_PIECES 1024u
/* Segments behind a gap that are kept. */
#define SIP_STREAM_CHUNKS 128u
/* Segments that are sent again at once. */
#define SIP_STREAM_BURST 8u
/* Times that is tried without an answer: some two minutes. */
#define SIP_STREAM_TRIES 18u

/* The TCP header's bits, in its order (RFC 9293 section 3.1). */
#define SIP_TCP_FIN 0x01u
#define SIP_TCP_SYN 0x02u
#define SIP_TCP_RST 0x04u
#define SIP_TCP_PSH 0x08u
#define SIP_TCP_ACK 0x10u
#define SIP_TCP_URG 0x20u

enum sip_stream_state {
	SIP_STREAM_NEW, /* the handshake */
	SIP_STREAM_OPEN, /* read */
	SIP_STREAM_ALONE, /* left alone for good; what is in flight is looked after */
};

/* What is done with the messages of a half, from the next one on. */
enum sip_stream_mode {
	SIP_STREAM_EDIT, /* hold, edit, release */
	SIP_STREAM_WATCH, /* everything passes; messages are read from a copy */
	SIP_STREAM_BLIND, /* the same, and nobody asks for the messages */
};

/* What becomes of a segment. */
enum sip_stream_verdict {
	SIP_STREAM_PASS, /* it goes on, with the numbers that were filled in */
	SIP_STREAM_TAKEN, /* it is done with: its bytes are held, or were sent anew */
};

/**
 * struct sip_chunk - bytes behind a gap
 */
struct sip_chunk {
	struct sip_chunk *next;
	u32 in;
	u32 len;
	u8 data[];
};

/**
 * struct sip_half - what one end sends
 * @map: which numbers it has for the receiver; with the bytes in flight of all
 *	that was edited, or acknowledged by us
 * @framer: of the message that begins at @next
 * @start: (in) the number of the SYN; if @known
 * @next: (in) the first byte that has not been decided about; all before went on
 * @una: (out) the first byte that the receiver has not acknowledged
 * @early: (in) all before was acknowledged, by us; if @ahead
 * @hold: bytes from @next on, @hold_len of them, room for @hold_size
 * @chunk: what arrived behind a gap, in order; @chunk_len bytes, @n_chunks
 * @skip: bytes that go on unread: rest of a message that is not held
 * @fin_seq: (in) the number of the sender's FIN; if @fin
 * @edge: (out) the right edge of the receiver's window
 * @window: the largest window that it had
 * @mss: the receiver's MSS option (RFC 9293 section 3.7.1)
 * @scale: the receiver's window scale (RFC 7323); @has_scale: it sent the option
 * @held_since, @ack_at, @resend_at: times; if @held, @ack_due, @resend_due
 * @ack_want: what is held is to be acknowledged as soon as all before it is safe
 */
struct sip_half {
	struct sip_seqmap map;
	struct sip_framer framer;
	u32 start;
	u32 next;
	u32 una;
	u32 early;
	u8 *hold;
	u32 hold_len;
	u32 hold_size;
	struct sip_chunk *chunk;
	u32 chunk_len;
	u32 n_chunks;
	u32 skip;
	u32 fin_seq;
	u32 edge;
	u32 window;
	u32 held_since;
	u32 ack_at;
	u32 resend_at;
	u32 resend_wait;
	u16 mss;
	u8 scale;
	u8 dups; /* duplicate acknowledgments in a row */
	u8 tries; /* resends without an answer */
	u8 mode; /* enum sip_stream_mode of what is held */
	bool known; /* its SYN was seen */
	bool has_scale;
	bool sack_ok;
	bool ahead;
	bool fin;
	bool fin_sent;
	bool held;
	bool ack_due;
	bool ack_want;
	bool resend_due;
	bool begun; /* a message was delimited */
};

/**
 * struct sip_syn - what a SYN says
 * @ack: of one that answers; @mss: 0: no option; @scale: < 0: no option
 */
struct sip_syn {
	u32 seq;
	u32 ack;
	u16 window;
	u16 mss;
	s32 scale;
	bool sack_ok;
};

/**
 * struct sip_stream - one connection
 * @state: enum sip_stream_state
 * @reason: why it is left alone
 * @again: a SYN in an open connection: it may begin anew; if @asked
 */
struct sip_stream {
	struct sip_half half[2];
	struct sip_syn again;
	u8 state;
	u8 reason;
	bool asked;
	bool scaled; /* both have a window scale */
	bool sack; /* both permit SACK */
};

/**
 * struct sip_segment - one TCP segment, and what it is to become
 * @seq, @ack, @len, @window, @flags: as it came; @len without SYN and FIN
 * @bytes: its bytes, by the sender's numbers
 * @out_seq, @out_ack, @out_window: where it passes: what it has to say instead
 */
struct sip_segment {
	u32 seq;
	u32 ack;
	u32 len;
	u16 window;
	u8 flags;
	struct sip_bytes bytes;
	u32 out_seq;
	u32 out_ack;
	u16 out_window;
};

/**
 * struct sip_head - numbers of a segment of our own making
 * @n_sack: blocks in @sack, [0] left, [1] right edge
 */
struct sip_head {
	u32 seq;
	u32 ack;
	u16 window;
	bool fin;
	u32 n_sack;
	u32 sack[2][2];
};

/**
 * struct sip_stream_ops - the world of a stream
 * @alloc, @free: memory; NULL when there is none
 * @message: a message of a half is whole and in @msg (@bad: malformed, and
 *	msg->reason says how). Returns what goes on in its place, with out_len and
 *	data set, from alloc(); NULL: it goes on as it is. Whatever it answers is
 *	ignored in SIP_STREAM_WATCH.
 * @idle: a keep-alive passed
 * @emit: send bytes of a half to its receiver: @len from head->seq on, to be
 *	asked for by sip_seqmap_read() with @plain before it returns; 0: the
 *	header alone. May fail.
 * @ack: send an acknowledgment to the sender of a half. May fail.
 * @alone: the connection is left alone from now on
 * @unread: a message goes on unread
 * @resend: what is ours to deliver is sent again
 */
struct sip_stream_ops {
	void *(*alloc)(u32 size);
	void (*free)(void *p);
	struct sip_piece *(*message)(void *priv, u32 dir, struct sip_msg *msg, bool bad);
	void (*idle)(void *priv, u32 dir);
	void (*emit)(void *priv, u32 dir, const struct sip_head *head, u32 len,
		     const struct sip_bytes *plain);
	void (*ack)(void *priv, u32 dir, const struct sip_head *head);
	void (*alone)(void *priv, u32 dir, enum sip_reason reason, const u8 *buf, u32 len,
		      u32 off);
	void (*unread)(void *priv, u32 dir, enum sip_reason reason);
	void (*resend)(void *priv, u32 dir);
};

/**
 * struct sip_stream_env - what a call needs beside the stream
 * @msg: scratch; may be NULL for segments without data and for timers
 * @hold_max: bytes of a half that may be held
 * @hold_time: ticks that they may be
 * @mode: enum sip_stream_mode, for messages that begin now
 */
struct sip_stream_env {
	const struct sip_stream_ops *ops;
	void *priv;
	struct sip_msg *msg;
	u32 now;
	u32 hz;
	u32 hold_max;
	u32 hold_time;
	u8 mode;
};

bool sip_stream_syn(struct sip_stream *s, const struct sip_stream_env *env, u32 dir,
		    const struct sip_syn *syn);
enum sip_stream_verdict sip_stream_segment(struct sip_stream *s, const struct sip_stream_env *env,
					   u32 dir, struct sip_segment *seg);
bool sip_stream_fits(const struct sip_stream *s, u32 dir, const struct sip_segment *seg);
bool sip_stream_sack(const struct sip_stream *s, u32 dir, u32 ack, u32 *left, u32 *right);
void sip_stream_timer(struct sip_stream *s, const struct sip_stream_env *env);
bool sip_stream_due(const struct sip_stream *s, const struct sip_stream_env *env, u32 *at);
void sip_stream_alone(struct sip_stream *s, const struct sip_stream_env *env, u32 dir,
		      enum sip_reason reason);
void sip_stream_free(struct sip_stream *s, const struct sip_stream_env *env);
bool sip_stream_is_plain(const struct sip_stream *s);

/* hold.c, for stream.c */
enum sip_stream_verdict sip_hold_data(struct sip_stream *s, const struct sip_stream_env *env,
				      u32 dir, struct sip_segment *seg);
void sip_hold_flush(struct sip_stream *s, const struct sip_stream_env *env, u32 dir);
void sip_hold_free(struct sip_half *h, const struct sip_stream_env *env);

/* stream.c, for hold.c */
u32 sip_half_acked(const struct sip_half *h);
void sip_half_arm(struct sip_half *h, const struct sip_stream_env *env);
void sip_stream_emit(struct sip_stream *s, const struct sip_stream_env *env, u32 dir, u32 out,
		     u32 len, bool fin, const struct sip_bytes *plain);
void sip_stream_probe(struct sip_stream *s, const struct sip_stream_env *env, u32 dir);
void sip_stream_ack(struct sip_stream *s, const struct sip_stream_env *env, u32 dir);

#endif /* SIP_STREAM_H */
