/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * seqmap.h - which sequence numbers the bytes of a stream have behind us.
 *
 * "in" is the sequence space of the sender of a direction, "out" the one its
 * receiver sees. A piece is a message that went out as other bytes; between
 * pieces, bytes are the same and numbers differ by a constant:
 *
 *     in   ---------[=== piece ===]----------[= piece =]------->
 *     out  ---------[===== piece =====]----------[piece]------->
 *            equal                      + 4               + 2
 *
 * Inside of a piece byte k of the one is taken for byte k of the other, and the
 * last byte in for all that is left out. So any retransmission, whatever its
 * boundaries, stands for certain bytes of those that were sent the first time,
 * those of all its parts together for all, and an acknowledgment inside of a
 * piece never stands for more than was acknowledged.
 *
 * A piece is kept until the receiver has acknowledged its last byte. What is
 * older than the oldest piece has the difference that is behind it.
 */
#ifndef SIP_SEQMAP_H
#define SIP_SEQMAP_H

#include "shim.h"

/* Sequence numbers wrap (RFC 9293 section 3.4). */
static inline bool sip_seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool sip_seq_after(u32 a, u32 b)
{
	return (s32)(a - b) > 0;
}

static inline u32 sip_seq_max(u32 a, u32 b)
{
	return sip_seq_before(a, b) ? b : a;
}

static inline u32 sip_seq_min(u32 a, u32 b)
{
	return sip_seq_before(a, b) ? a : b;
}

/**
 * struct sip_piece - a message as it went out
 * @next: the one behind it
 * @in, @in_len: what it was
 * @out, @out_len: what it became; @data are its bytes
 */
struct sip_piece {
	struct sip_piece *next;
	u32 in;
	u32 in_len;
	u32 out;
	u32 out_len;
	u8 data[];
};

/**
 * struct sip_seqmap - the pieces of a direction, oldest first
 * @first, @last: pieces; NULL: none
 * @base: out minus in before the first piece
 * @delta: out minus in behind the last piece
 * @bytes: memory that the pieces take
 * @count: how many there are
 * @used: there was one
 */
struct sip_seqmap {
	struct sip_piece *first;
	struct sip_piece *last;
	u32 base;
	u32 delta;
	u32 bytes;
	u32 count;
	bool used;
};

/**
 * struct sip_bytes - bytes that are the same on both sides
 * @copy: writes @len of them, from @in on, to @to
 * @priv: for it
 */
struct sip_bytes {
	void (*copy)(void *priv, u32 in, u8 *to, u32 len);
	void *priv;
};

void sip_seqmap_add(struct sip_seqmap *map, struct sip_piece *piece);
struct sip_piece *sip_seqmap_acked(struct sip_seqmap *map, u32 out);
u32 sip_seqmap_out(const struct sip_seqmap *map, u32 in);
u32 sip_seqmap_in(const struct sip_seqmap *map, u32 out);
u32 sip_seqmap_in_left(const struct sip_seqmap *map, u32 out);
bool sip_seqmap_is_plain(const struct sip_seqmap *map, u32 in, u32 len);
void sip_seqmap_read(const struct sip_seqmap *map, u32 out, u8 *to, u32 len,
		     const struct sip_bytes *plain);

#endif /* SIP_SEQMAP_H */
