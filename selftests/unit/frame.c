// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame.c - where messages end in a stream, however it is cut.
 *
 * What is found in a stream does not depend on how much of it was there when it
 * was asked for: each case is read at once, byte by byte, and in two parts at
 * each place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "seqmap.h"
#include "tap.h"

#define HEAD "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a>;tag=1\r\n" \
	     "To: <sip:b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
#define LF_HEAD "OPTIONS sip:a SIP/2.0\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\nFrom: <sip:a>;tag=1\n" \
		"To: <sip:b>\nCall-ID: 1\nCSeq: 1 OPTIONS\n"

/* found: M message, B malformed, I keep-alive, E the end, . more is needed. */
struct frame_case {
	const char *name;
	const char *text;
	size_t len; /* 0: strlen */
	const char *found;
	enum sip_reason reason; /* of E */
};

static const struct frame_case cases[] = {
	{ "one message", HEAD "\r\n", 0, "M.", 0 },
	{ "with a body", HEAD "Content-Length: 5\r\n\r\nhello", 0, "M.", 0 },
	{ "compact length", HEAD "l:5\r\n\r\nhello", 0, "M.", 0 },
	{ "bare line feeds", LF_HEAD "Content-Length: 2\n\nhi", 0, "M.", 0 },
	{ "a body with an empty line", HEAD "l: 8\r\n\r\na\r\n\r\nb\r\n", 0, "M.", 0 },
	{ "three in a row", HEAD "\r\n" HEAD "l: 1\r\n\r\nx" HEAD "\r\n", 0, "MMM.", 0 },
	{ "keep-alives around", "\r\n\r\n" HEAD "\r\n\r\n\r\n" HEAD "\r\n\r\n", 0, "IMIMI.", 0 },
	{ "a stray NUL", HEAD "\r\n\0" HEAD "\r\n", sizeof(HEAD "\r\n\0" HEAD "\r\n") - 1, "MIM.", 0 },
	{ "a keep-alive alone", "\r\n\r\n", 0, "I.", 0 },
	{ "a response", "SIP/2.0 200 OK\r\nv:SIP/2.0/TCP h\r\nf:<sip:a>;tag=1\r\nt:<sip:b>\r\ni:1\r\n"
	  "CSeq:1 OPTIONS\r\n\r\n", 0, "M.", 0 },
	{ "not whole", HEAD "l: 5\r\n\r\nhell", 0, ".", 0 },
	{ "a start line not whole", "INVITE sip:b", 0, ".", 0 },
	{ "malformed, but delimited", "OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc" HEAD "\r\n", 0, "BM.", 0 },
	{ "no end that could be told", HEAD "l: x\r\n\r\n", 0, "E", SIP_R_BAD_CONTENT_LENGTH },
	{ "a body without a length", HEAD "c: text/plain\r\n\r\nabc", 0, "E", SIP_R_BAD_CONTENT_LENGTH },
	{ "two lengths", HEAD "l: 1\r\nl: 2\r\n\r\nab", 0, "E", SIP_R_BAD_CONTENT_LENGTH },
	{ "too long, but it ends", HEAD "l: 70000\r\n\r\n", 0, ".", 0 },
	{ "another protocol", "POST / HTTP/1.1\r\nHost: a\r\n\r\n" HEAD "\r\n", 0, "E", SIP_R_NOT_SIP },
	{ "TLS", "\x16\x03\x01\x02", 0, "E", SIP_R_NOT_SIP },
	{ "a stream that stops being SIP", HEAD "\r\nGET / HTTP/1.0\r\n\r\n", 0, "ME", SIP_R_NOT_SIP },
	{ "folded", HEAD "Subject: a\r\n b\r\nl:\r\n 2\r\n\r\nxy", 0, "M.", 0 },
};

static struct sip_msg msg;

/* Walks over the first @len bytes; what was found is added to @found. */
struct walk {
	struct sip_framer framer;
	u32 off;
	char found[16];
	u32 ends[16];
	u32 n;
	enum sip_reason reason;
};

static void walk(struct walk *w, const u8 *buf, u32 len)
{
	for (;;) {
		u32 total = 0;
		char c = '.';

		if (w->n && w->found[w->n - 1] == 'E')
			return;
		switch (sip_frame_next(&w->framer, &msg, buf + w->off, len - w->off, &total)) {
		case SIP_FRAME_MORE:
			return;
		case SIP_FRAME_MESSAGE:
			c = 'M';
			break;
		case SIP_FRAME_BAD:
			c = 'B';
			break;
		case SIP_FRAME_IDLE:
			c = 'I';
			break;
		case SIP_FRAME_END:
			c = 'E';
			w->reason = msg.reason;
			break;
		}
		memset(&w->framer, 0, sizeof(w->framer));
		w->off += total;
		/* Keep-alives may come in parts. */
		if (c == 'I' && w->n && w->found[w->n - 1] == 'I')
			w->n--;
		w->ends[w->n] = w->off;
		w->found[w->n++] = c;
	}
}

static bool as_expected(const struct frame_case *c, struct walk *w)
{
	if (w->n && w->found[w->n - 1] != 'E')
		w->found[w->n++] = '.';
	else if (!w->n)
		w->found[w->n++] = '.';
	w->found[w->n] = 0;
	return !strcmp(w->found, c->found) && w->reason == c->reason;
}

static void run_case(const struct frame_case *c)
{
	u32 len = (u32)(c->len ? c->len : strlen(c->text)), i, bad = 0;
	struct walk once = { 0 };
	u8 *whole = guard_copy(c->text, len);

	walk(&once, whole, len);
	guard_free(whole, len);
	if (!tap_ok(as_expected(c, &once), "frame: %s", c->name))
		tap_note("%s, %s", once.found, sip_reason_name(once.reason));
	for (i = 0; i <= len; i++) {
		struct walk parts = { 0 }, bytes = { 0 };
		u32 j;

		for (j = i ? len : 0; j <= len; j++) {
			u8 *part;
			u32 n = i ? i : j;

			part = guard_copy(c->text, n);
			walk(i ? &parts : &bytes, part, n);
			guard_free(part, n);
		}
		if (i) {
			whole = guard_copy(c->text, len);
			walk(&parts, whole, len);
			guard_free(whole, len);
		}
		if (!as_expected(c, i ? &parts : &bytes) ||
		    memcmp(once.ends, i ? parts.ends : bytes.ends, sizeof(once.ends)) != 0)
			bad++;
	}
	tap_ok(!bad, "frame: %s, in parts", c->name);
}

/* Each byte of a start line that never ends, and of a head that never does. */
static void run_limits(void)
{
	static u8 buf[80000];
	struct sip_framer framer = { 0 };
	u32 i, total, steps;
	enum sip_frame f = SIP_FRAME_MORE;

	memset(buf, 'a', sizeof(buf));
	for (i = 1; i < sizeof(buf) && f == SIP_FRAME_MORE; i++)
		f = sip_frame_next(&framer, &msg, buf, i, &total);
	tap_ok(f == SIP_FRAME_END && i < SIP_MAX_START_LINE + 10 && msg.reason == SIP_R_NOT_SIP,
	       "frame: a start line without end ends it");
	memset(&framer, 0, sizeof(framer));
	memcpy(buf, HEAD, sizeof(HEAD) - 1);
	for (i = sizeof(HEAD) - 1; i + 4 < sizeof(buf); i += 4)
		memcpy(buf + i, "a:b\n", 4);
	f = SIP_FRAME_MORE;
	for (i = 1, steps = 0; i < sizeof(buf) && f == SIP_FRAME_MORE; i++, steps++)
		f = sip_frame_next(&framer, &msg, buf, i, &total);
	tap_ok(f == SIP_FRAME_END && msg.reason == SIP_R_TOO_LONG && i > SIP_MAX_MSG,
	       "frame: a head without end ends it");
}

/* ---- the map of sequence numbers ---------------------------------------- */

static struct sip_piece *piece_make(u32 in, u32 in_len, u32 out_len)
{
	struct sip_piece *p = malloc(sizeof(*p) + out_len);
	u32 i;

	p->in = in;
	p->in_len = in_len;
	p->out_len = out_len;
	for (i = 0; i < out_len; i++)
		p->data[i] = (u8)('A' + i % 26);
	return p;
}

static void plain_copy(void *priv, u32 in, u8 *to, u32 len)
{
	u32 i;

	(void)priv;
	for (i = 0; i < len; i++)
		to[i] = (u8)('a' + (in + i) % 26);
}

static void run_map(u32 isn)
{
	static const u32 lens[][3] = { /* plain before, in, out */
		{ 10, 20, 24 }, { 0, 5, 3 }, { 7, 1, 9 }, { 3, 30, 1 }, { 0, 8, 8 },
	};
	const struct sip_bytes plain = { plain_copy, NULL };
	struct sip_seqmap map = { 0 };
	u32 in = isn, out = isn, i, j, n = 0, end, bad_in = 0, bad_out = 0, bad_read = 0;
	u8 want[200], got[200];
	struct sip_piece *p;

	for (i = 0; i < 5; i++) {
		plain_copy(NULL, in, want + n, lens[i][0]);
		n += lens[i][0];
		in += lens[i][0];
		p = piece_make(in, lens[i][1], lens[i][2]);
		memcpy(want + n, p->data, lens[i][2]);
		sip_seqmap_add(&map, p);
		n += lens[i][2];
		in += lens[i][1];
	}
	end = in;
	out = isn + n;
	tap_ok(sip_seqmap_out(&map, end) == out && sip_seqmap_in(&map, out) == end,
	       "map at %u: the ends meet", isn);
	/* Whatever part of the sender's stream comes again, its bytes are the first ones. */
	for (i = 0; i < end - isn; i++) {
		for (j = i + 1; j <= end - isn; j++) {
			u32 from = sip_seqmap_out(&map, isn + i), upto = sip_seqmap_out(&map, isn + j);

			if (sip_seq_before(upto, from)) {
				bad_out++;
				continue;
			}
			sip_seqmap_read(&map, from, got, upto - from, &plain);
			bad_read += memcmp(got, want + (from - isn), upto - from) != 0;
		}
	}
	tap_ok(!bad_out && !bad_read, "map at %u: any part sent again is what it was", isn);
	/* An acknowledgment never tells of more than all of which has arrived. */
	for (i = 0; i <= n; i++) {
		u32 acked = sip_seqmap_in(&map, isn + i);

		bad_in += sip_seq_after(sip_seqmap_out(&map, acked), isn + i);
		bad_in += i < n && acked == end;
		/* What is sent again from there covers what is missing. */
		bad_in += i < n && sip_seq_after(sip_seqmap_out(&map, acked), isn + i);
		for (j = i; j <= n; j++) {
			u32 left = sip_seqmap_in_left(&map, isn + i), right = sip_seqmap_in(&map, isn + j);

			if (!sip_seq_before(left, right))
				continue;
			bad_in += sip_seq_before(sip_seqmap_out(&map, left), isn + i);
			bad_in += sip_seq_after(sip_seqmap_out(&map, right), isn + j);
		}
	}
	tap_ok(!bad_in, "map at %u: nothing is acknowledged that has not arrived", isn);
	/* Pieces go with the acknowledgment of their last byte. */
	for (i = 0, j = 0; i <= n; i++) {
		while ((p = sip_seqmap_acked(&map, isn + i))) {
			j += p->out + p->out_len != isn + i;
			free(p);
		}
	}
	tap_ok(!j && !map.first && !map.last && !map.bytes && !map.count && map.base == map.delta &&
	       sip_seqmap_out(&map, end) == out, "map at %u: pieces go when they were acknowledged", isn);
}

int main(void)
{
	u32 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_case(&cases[i]);
	run_limits();
	run_map(1000);
	run_map(0u - 40);
	run_map(0x7fffffe0u);
	return tap_done();
}
