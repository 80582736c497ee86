// SPDX-License-Identifier: GPL-2.0-only
/*
 * seqmap.c - which sequence numbers the bytes of a stream have behind us.
 *
 * seqmap.h has the picture. Pieces are few (those in flight), so they are
 * walked; memory for them is the caller's.
 */
#include "seqmap.h"

static u32 sip_piece_in_end(const struct sip_piece *piece)
{
	return piece->in + piece->in_len;
}

static u32 sip_piece_out_end(const struct sip_piece *piece)
{
	return piece->out + piece->out_len;
}

static u32 sip_piece_delta(const struct sip_piece *piece)
{
	return sip_piece_out_end(piece) - sip_piece_in_end(piece);
}

/**
 * sip_seqmap_add() - the newest message went out as other bytes
 * @map: the map
 * @piece: with in, in_len, out_len (both at least 1) and its bytes; behind all others
 */
void sip_seqmap_add(struct sip_seqmap *map, struct sip_piece *piece)
{
	piece->next = NULL;
	piece->out = piece->in + map->delta;
	map->delta = sip_piece_delta(piece);
	map->bytes += piece->out_len;
	map->count++;
	map->used = true;
	if (map->last)
		map->last->next = piece;
	else
		map->first = piece;
	map->last = piece;
}

/**
 * sip_seqmap_acked() - take out a piece that is not needed any more
 * @map: the map
 * @out: what the receiver has acknowledged
 *
 * Return: the oldest piece, if all of it was acknowledged; it is the caller's
 * to free. NULL: nothing (more) to take out.
 */
struct sip_piece *sip_seqmap_acked(struct sip_seqmap *map, u32 out)
{
	struct sip_piece *piece = map->first;

	if (!piece || sip_seq_after(sip_piece_out_end(piece), out))
		return NULL;
	map->base = sip_piece_delta(piece);
	map->bytes -= piece->out_len;
	map->count--;
	map->first = piece->next;
	if (!map->first)
		map->last = NULL;
	return piece;
}

/**
 * sip_seqmap_out() - where a byte of the sender is for the receiver
 * @map: the map
 * @in: its sequence number
 *
 * Return: the sequence number for the receiver.
 */
u32 sip_seqmap_out(const struct sip_seqmap *map, u32 in)
{
	const struct sip_piece *piece;
	u32 delta = map->base;

	for (piece = map->first; piece && !sip_seq_before(in, piece->in); piece = piece->next) {
		if (sip_seq_before(in, sip_piece_in_end(piece))) {
			u32 k = in - piece->in;

			return piece->out + (k < piece->out_len ? k : piece->out_len);
		}
		delta = sip_piece_delta(piece);
	}
	return in + delta;
}

/* The piece that has this byte out; else NULL, and the difference there. */
static const struct sip_piece *sip_piece_at(const struct sip_seqmap *map, u32 out, u32 *delta)
{
	const struct sip_piece *piece;

	*delta = map->base;
	for (piece = map->first; piece && !sip_seq_before(out, piece->out); piece = piece->next) {
		if (sip_seq_before(out, sip_piece_out_end(piece)))
			return piece;
		*delta = sip_piece_delta(piece);
	}
	return NULL;
}

/**
 * sip_seqmap_in() - how much of the sender's stream something stands for
 * @map: the map
 * @out: an acknowledgment number, or the right edge of a SACK block
 *
 * Return: the sender's number: all before it has arrived.
 */
u32 sip_seqmap_in(const struct sip_seqmap *map, u32 out)
{
	u32 delta, k;
	const struct sip_piece *piece = sip_piece_at(map, out, &delta);

	if (!piece)
		return out - delta;
	k = out - piece->out;
	return piece->in + (k < piece->in_len ? k : piece->in_len - 1);
}

/**
 * sip_seqmap_in_left() - the same for the left edge of a SACK block
 * @map: the map
 * @out: the edge
 *
 * Return: the sender's number: all from it to the right edge has arrived.
 */
u32 sip_seqmap_in_left(const struct sip_seqmap *map, u32 out)
{
	u32 delta, k;
	const struct sip_piece *piece = sip_piece_at(map, out, &delta);

	if (!piece)
		return out - delta;
	k = out - piece->out;
	return piece->in + (k < piece->in_len ? k : piece->in_len);
}

/**
 * sip_seqmap_is_plain() - are these bytes the same on both sides?
 * @map: the map
 * @in: the first one
 * @len: how many
 *
 * Return: true if no piece has one of them.
 */
bool sip_seqmap_is_plain(const struct sip_seqmap *map, u32 in, u32 len)
{
	const struct sip_piece *piece;

	for (piece = map->first; piece && sip_seq_before(piece->in, in + len); piece = piece->next)
		if (sip_seq_before(in, sip_piece_in_end(piece)))
			return false;
	return true;
}

/**
 * sip_seqmap_read() - the bytes that the receiver gets
 * @map: the map
 * @out: the first one
 * @to: where they are written
 * @len: how many
 * @plain: those that are the same on both sides; every such byte that is asked
 *	for has to be there
 */
void sip_seqmap_read(const struct sip_seqmap *map, u32 out, u8 *to, u32 len,
		     const struct sip_bytes *plain)
{
	const struct sip_piece *piece = map->first;
	u32 delta = map->base;
	u32 n, at;

	while (len) {
		while (piece && !sip_seq_before(out, sip_piece_out_end(piece))) {
			delta = sip_piece_delta(piece);
			piece = piece->next;
		}
		if (piece && !sip_seq_before(out, piece->out)) {
			at = out - piece->out;
			n = piece->out_len - at < len ? piece->out_len - at : len;
			memcpy(to, piece->data + at, n);
		} else {
			n = piece && piece->out - out < len ? piece->out - out : len;
			plain->copy(plain->priv, out - delta, to, n);
		}
		out += n;
		to += n;
		len -= n;
	}
}
