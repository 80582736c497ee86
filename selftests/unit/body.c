// SPDX-License-Identifier: GPL-2.0-only
/*
 * body.c - session descriptions and multipart bodies, one line a case.
 *
 *   sdp.t         description ; ok ; what was read
 *                 description ; bad ; reason offset
 *   multipart.t   header and body ; ok ; the parts that matter
 *
 * In what is read and printed "|" is CRLF, "\n" "\r" "\t" "\0" are these
 * bytes, "\|" and "\\" themselves. Whatever is the default is not printed.
 *
 * Each input ends at a page without access, and is read again cut at each
 * length: what comes back must lie within what was given.
 */
#include "check.h"
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 16384

static const char head[] = "INVITE sip:b@192.0.2.1 SIP/2.0\r\n"
			   "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\n"
			   "From: <sip:a@192.0.2.2>;tag=1\r\n"
			   "To: <sip:b@192.0.2.1>\r\n"
			   "Call-ID: 1\r\n"
			   "CSeq: 1 INVITE\r\n";

static char got[MAX_LINE];
static size_t got_len;
static struct sdp_session sdp;
static struct sip_parts parts;
static struct sip_msg msg;

/* ---- text --------------------------------------------------------------- */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(got + got_len, sizeof(got) - got_len, format, args);
	va_end(args);
	if (n < 0 || got_len + (size_t)n >= sizeof(got))
		abort();
	got_len += (size_t)n;
}

static void say_span(const u8 *buf, struct sip_span s)
{
	u32 i;

	for (i = 0; i < s.len; i++) {
		u8 c = buf[s.off + i];

		if (c == '\r' && i + 1 < s.len && buf[s.off + i + 1] == '\n') {
			say("|");
			i++;
		} else if (c == '\r' || c == '\n' || c == '\t' || !c) {
			say("\\%c", c == '\r' ? 'r' : c == '\n' ? 'n' : c == '\t' ? 't' : '0');
		} else {
			say(c == '|' || c == '\\' ? "\\%c" : "%c", c);
		}
	}
}

/* In place: from "|" and "\n" to bytes. */
static size_t unescape(const char *from, u8 *to)
{
	static const char names[] = "nrt0";
	static const char bytes[] = "\n\r\t";
	size_t len = 0;

	for (; *from; from++) {
		const char *name = NULL;

		if (*from == '|') {
			to[len++] = '\r';
			to[len++] = '\n';
		} else if (*from == '\\') {
			name = strchr(names, *++from);
			to[len++] = (u8)(name ? bytes[name - names] : *from);
		} else {
			to[len++] = (u8)*from;
		}
	}
	return len;
}

static void say_notes(u64 notes)
{
	int reason;

	for (reason = 1; reason < SIP_R_MAX; reason++)
		if (notes & (1ULL << reason))
			say(" note=%s", sip_reason_name((enum sip_reason)reason));
}

/* ---- descriptions ------------------------------------------------------- */

static void say_addr(const char *name, const u8 *buf, const struct sdp_addr *addr)
{
	if (!addr->text.len)
		return;
	say(" %s=", name);
	say_span(buf, addr->text);
	if (addr->bad)
		say("!");
	else if (addr->ip.family == SIP_AF_NONE)
		say("?");
}

static void say_stream(const u8 *buf, const struct sdp_stream *stream)
{
	static const char *const kinds[] = { "audio", "video", "image", "other" };
	static const char *const protos[] = { "rtp", "raw", "tcp", "unknown" };
	static const char *const dirs[] = { "", " sendonly", " recvonly", " inactive" };
	static const char *const setups[] = { "", " active", " passive", " actpass", " holdconn" };
	u32 i;

	say(" m=%s:", kinds[stream->kind]);
	if (stream->bad)
		say("%s", sip_reason_name((enum sip_reason)stream->bad));
	else
		say("%u", stream->port);
	if (stream->count != 1)
		say("/%u", stream->count);
	say(":%s", protos[stream->proto]);
	say_addr("c", buf, &stream->conn);
	if (stream->rtcp_port_text.len)
		say(" rtcp=%u", stream->rtcp_port);
	say_addr("rtcp-at", buf, &stream->rtcp_addr);
	say("%s%s%s", stream->rtcp_mux ? " mux" : "", dirs[stream->dir], setups[stream->setup]);
	if (stream->ice_ufrag.len) {
		say(" ufrag=");
		say_span(buf, stream->ice_ufrag);
	}
	say("%s%s", stream->msrp ? " msrp" : "", stream->msrp_cema ? " cema" : "");
	for (i = stream->cand_first; i < (u32)stream->cand_first + stream->n_cands; i++) {
		say_addr("cand", buf, &sdp.cand[i].addr);
		say(",%u%s%s", sdp.cand[i].port, sdp.cand[i].udp ? "" : ",tcp",
		    sdp.cand[i].host ? ",host" : "");
	}
	if (stream->remote_cands.len) {
		say(" remote=");
		say_span(buf, stream->remote_cands);
	}
}

static bool inside(struct sip_span s, struct sip_span of)
{
	return !s.len || (s.off >= of.off && s.off + s.len <= of.off + of.len);
}

static bool sdp_holds(struct sip_span body)
{
	bool good = inside(sdp.conn.text, body) && sdp.n_streams <= SIP_MAX_STREAMS &&
		    sdp.n_cands <= SIP_MAX_CANDIDATES;
	u32 i;

	for (i = 0; good && i < sdp.n_streams; i++) {
		const struct sdp_stream *s = &sdp.stream[i];

		good = inside(s->line, body) && inside(s->port_text, s->line) &&
		       inside(s->conn.text, body) && inside(s->rtcp_port_text, body) &&
		       inside(s->rtcp_addr.text, body) &&
		       inside(s->ice_ufrag, body) && inside(s->remote_cands, body) &&
		       s->cand_first + s->n_cands <= sdp.n_cands;
	}
	for (i = 0; good && i < sdp.n_cands; i++)
		good = inside(sdp.cand[i].addr.text, body) && inside(sdp.cand[i].port_text, body);
	return good;
}

static bool sdp_cut(const u8 *bytes, size_t len)
{
	bool good = true;
	size_t n;

	for (n = 0; good && n < len; n++) {
		struct sip_span body = { 0, (u32)n };
		u8 *copy = guard_copy(bytes, n);

		sdp_parse(copy, body, &sdp);
		good = sdp_holds(body);
		guard_free(copy, n);
	}
	return good;
}

static bool sdp_case(const u8 *bytes, size_t len, const char *verdict)
{
	struct sip_span body = { 0, (u32)len };
	u8 *copy = guard_copy(bytes, len);
	enum sip_reason reason;
	bool good;
	u32 i;

	reason = sdp_parse(copy, body, &sdp);
	good = sdp_holds(body) && reason == sdp.reason && !strcmp(verdict, reason ? "bad" : "ok");
	if (reason)
		say(" %s %u", sip_reason_name(reason), sdp.reason_off);
	else
		say_addr("c", copy, &sdp.conn);
	for (i = 0; i < sdp.n_streams && !reason; i++)
		say_stream(copy, &sdp.stream[i]);
	say_notes(sdp.notes);
	guard_free(copy, len);
	return good;
}

/* ---- parts -------------------------------------------------------------- */

static bool parts_hold(void)
{
	bool good = parts.n <= SIP_MAX_PARTS;
	u32 i;

	for (i = 0; good && i < parts.n; i++) {
		const struct sip_part *part = &parts.part[i];
		struct sip_span around = msg.body;

		if (i) {
			good = part->parent < i && !parts.part[part->parent].sdp;
			around = parts.part[part->parent].body;
		}
		good = good && inside(part->body, around) &&
		       inside(part->content_length, around);
	}
	return good;
}

static bool parts_cut(const u8 *bytes, size_t len)
{
	bool good = true;
	size_t n;

	for (n = sizeof(head); good && n < len; n++) {
		u8 *copy = guard_copy(bytes, n);

		if (sip_msg_parse(&msg, copy, (u32)n, false) == SIP_PARSE_OK) {
			sip_parts_find(&msg, &parts);
			good = parts_hold();
		}
		guard_free(copy, n);
	}
	return good;
}

static bool parts_case(const u8 *bytes, size_t len, const char *verdict)
{
	u8 *copy = guard_copy(bytes, len);
	enum sip_reason reason;
	bool good = false;
	u32 i;

	if (sip_msg_parse(&msg, copy, (u32)len, false) == SIP_PARSE_OK) {
		reason = sip_parts_find(&msg, &parts);
		good = parts_hold() && !strcmp(verdict, reason ? "bad" : "ok");
		if (reason)
			say(" %s", sip_reason_name(reason));
	}
	for (i = 0; good && i < parts.n; i++) {
		const struct sip_part *part = &parts.part[i];

		say(i ? " %s^%u" : " %s", part->sdp ? "sdp" : "multipart", part->parent);
		if (part->content_length.len) {
			say(" length=");
			say_span(copy, part->content_length);
		}
		say(" {");
		say_span(copy, part->body);
		say("}");
	}
	if (good)
		say_notes(parts.notes);
	guard_free(copy, len);
	return good;
}

/* ---- files -------------------------------------------------------------- */

static void one_case(const char *name, int line_no, char *line, bool multipart)
{
	static u8 bytes[sizeof(head) + MAX_LINE];
	size_t at = multipart ? sizeof(head) - 1 : 0;
	char *expect, *verdict = NULL;
	size_t len;
	bool good, cut;

	expect = strstr(line, " ; ok ; ");
	if (!expect)
		expect = strstr(line, " ; bad ; ");
	if (!expect) {
		fprintf(stderr, "%s:%d: no case\n", name, line_no);
		exit(2);
	}
	*expect = 0;
	verdict = expect + 3;
	expect = strchr(verdict, ' ');
	*expect = 0;
	expect += 3;
	memcpy(bytes, head, at);
	len = at + unescape(line, bytes + at);
	got_len = 0;
	got[0] = 0;
	cut = multipart ? parts_cut(bytes, len) : sdp_cut(bytes, len);
	good = multipart ? parts_case(bytes, len, verdict) : sdp_case(bytes, len, verdict);
	good = good && !strcmp(got_len ? got + 1 : "", expect);
	if (!tap_ok(good && cut, "%s:%d", name, line_no))
		tap_note("%s: %s, cut %s", line, got, cut ? "well" : "badly");
}

int main(int argc, char **argv)
{
	static char line[MAX_LINE];
	int i, line_no;

	for (i = 1; i < argc; i++) {
		bool multipart = strstr(argv[i], "multipart");
		FILE *file = fopen(argv[i], "r");

		if (!file) {
			perror(argv[i]);
			return 2;
		}
		for (line_no = 1; fgets(line, sizeof(line), file); line_no++) {
			line[strcspn(line, "\n")] = 0;
			if (line[0] && line[0] != '#')
				one_case(argv[i], line_no, line, multipart);
		}
		fclose(file);
	}
	return tap_done();
}
