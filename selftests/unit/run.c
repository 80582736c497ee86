// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - one line per case: what the readers of the core make of a text.
 *
 * run FILE.t...  The name of a file says which reader its cases are for.
 *
 *   input ; ok ; what is read
 *   input ; bad ; why
 *
 * The second word may be any verdict of the reader. What is read is compared
 * as a whole, so a case says everything: fields that are empty are left out.
 * Input and fields are escaped as in C (\r \n \t \\ \xHH); a blank inside of a
 * field is \x20. Lines that begin with # are comments; "%name = text" defines
 * {name} for the inputs below it; "%datagram" and "%stream" switch msg.t.
 *
 * Each input stands behind a few other bytes and ends at a page without
 * access. It is read once more for each of its beginnings, which must be safe,
 * and all spans must lie inside of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "tap.h"
#include "token.h"

#define MAX_TEXT 16384
#define MAX_NAMES 32
#define SHIFT 3u /* bytes before the input, so that offsets are not lengths */

struct text {
	size_t len;
	u8 bytes[MAX_TEXT];
};

/* What a reader made of an input, and which bytes it may speak of. */
struct reading {
	const u8 *buf;
	u32 off;
	u32 end;
	bool stream;
	bool outside; /* a span left the input */
	bool glue; /* what comes next stands behind a "=" */
	const char *verdict;
	struct text out;
};

typedef void reader(struct reading *r);

static struct {
	char name[32];
	char text[4096];
} names[MAX_NAMES];
static u32 n_names;

static bool stream;

/* ---- output ------------------------------------------------------------- */

static void put_byte(struct text *t, u8 byte)
{
	static const char hex[] = "0123456789abcdef";
	char four[5] = { '\\', 'x', hex[byte >> 4], hex[byte & 15] };
	const char *s = four;
	char one[2] = { (char)byte };

	if (byte == '\r')
		s = "\\r";
	else if (byte == '\n')
		s = "\\n";
	else if (byte == '\t')
		s = "\\t";
	else if (byte == '\\')
		s = "\\\\";
	else if (byte > ' ' && byte < 0x7f)
		s = one;
	for (; *s && t->len + 1 < sizeof(t->bytes); s++)
		t->bytes[t->len++] = (u8)*s;
}

static void put_word(struct reading *r, const char *word)
{
	struct text *t = &r->out;

	if (t->len && *word != '=' && !r->glue && t->len + 1 < sizeof(t->bytes))
		t->bytes[t->len++] = ' ';
	r->glue = *word == '=';
	for (; *word && t->len + 1 < sizeof(t->bytes); word++)
		t->bytes[t->len++] = (u8)*word;
}

static void put_number(struct reading *r, const char *name, s64 number)
{
	char word[64];

	snprintf(word, sizeof(word), "%s=%lld", name, (long long)number);
	put_word(r, word);
}

static void put_span(struct reading *r, const char *name, struct sip_span s)
{
	u32 i;

	if (!s.len)
		return;
	if (s.off < r->off || s.off > r->end || s.len > r->end - s.off) {
		r->outside = true;
		return;
	}
	put_word(r, name);
	put_word(r, "=");
	for (i = 0; i < s.len; i++)
		put_byte(&r->out, r->buf[s.off + i]);
	r->glue = false;
}

static void put_ip(struct reading *r, const char *name, const struct sip_ip *ip)
{
	u8 text[46];
	u32 len = sip_ip_format(ip, text);

	if (!len)
		return;
	text[len] = 0;
	put_word(r, name);
	put_word(r, "=");
	put_word(r, (char *)text);
}

static void put_hostport(struct reading *r, const char *name, const struct sip_hostport *hp)
{
	char field[32];

	if (hp->host.len && (hp->host_end < hp->host.off + hp->host.len || hp->end < hp->host_end ||
			     hp->end > r->end))
		r->outside = true;
	snprintf(field, sizeof(field), "%shost", name);
	put_span(r, field, hp->host);
	snprintf(field, sizeof(field), "%sip", name);
	put_ip(r, field, &hp->ip);
	snprintf(field, sizeof(field), "%sport", name);
	put_span(r, field, hp->port);
	if (hp->port.len)
		put_number(r, "number", hp->port_num);
}

static const char *transport_name(enum sip_transport transport)
{
	static const char *const text[] = { "none", "udp", "tcp", "tls", "other" };

	return text[transport];
}

/* ---- readers ------------------------------------------------------------ */

static void read_ip(struct reading *r)
{
	struct sip_ip ip;

	if (!sip_ip_parse(r->buf + r->off, r->end - r->off, &ip)) {
		r->verdict = "bad";
		if (ip.family != SIP_AF_NONE)
			put_word(r, "family left");
		return;
	}
	put_ip(r, "ip", &ip);
	if (sip_ip_is_private(&ip))
		put_word(r, "private");
	if (sip_ip_is_unspecified(&ip))
		put_word(r, "unspecified");
	if (!sip_ip_is_unicast(&ip))
		put_word(r, "no-host");
}

static void read_hostport(struct reading *r)
{
	struct sip_hostport hp;

	if (!sip_hostport_parse(r->buf, r->off, r->end, &hp)) {
		r->verdict = "bad";
		put_word(r, hp.bad_port ? "port" : "host");
	}
	put_hostport(r, "", &hp);
	if (hp.host.len && hp.end < r->end)
		put_number(r, "left", r->end - hp.end);
}

static void put_uri(struct reading *r, const struct sip_uri *uri)
{
	static const char *const scheme[] = { "sip", "sips", "tel", "other" };

	put_word(r, scheme[uri->scheme]);
	put_span(r, "user", uri->user);
	put_hostport(r, "", &uri->hp);
	if (uri->hp.bad_port)
		put_word(r, "bad-port");
	put_span(r, "params", uri->params);
	if (uri->transport)
		put_word(r, transport_name(uri->transport));
	put_hostport(r, "maddr-", &uri->maddr);
	if (uri->scheme <= SIP_SCHEME_SIPS)
		put_number(r, "default", sip_uri_default_port(uri));
}

static void read_uri(struct reading *r)
{
	struct sip_uri uri;

	if (!sip_uri_parse(r->buf, r->off, r->end, &uri)) {
		r->verdict = "bad";
		put_word(r, "scheme");
		return;
	}
	put_uri(r, &uri);
}

static void put_via(struct reading *r, const struct sip_via *via)
{
	put_word(r, transport_name(via->transport));
	put_hostport(r, "", &via->sent_by);
	put_span(r, "branch", via->branch);
	put_span(r, "received", via->received);
	put_ip(r, "received-ip", &via->received_ip);
	if (via->has_rport)
		put_word(r, "rport");
	if (via->rport.len) {
		put_span(r, "rport", via->rport);
		put_number(r, "number", via->rport_num);
	}
	put_hostport(r, "maddr-", &via->maddr);
}

static void read_via(struct reading *r)
{
	struct sip_span whole;
	struct sip_via via;

	if (!sip_via_parse(r->buf, r->off, r->end, &via)) {
		r->verdict = "bad";
		put_word(r, via.bad_number ? "number" : "via");
		return;
	}
	put_via(r, &via);
	whole = via.whole;
	if (whole.off != r->off || whole.len > r->end - r->off)
		r->outside = true;
	else if (whole.len < r->end - r->off)
		put_number(r, "left", r->end - r->off - whole.len);
}

static void read_addr(struct reading *r)
{
	struct sip_nameaddr na;
	u32 off = r->off;
	int more;

	while ((more = sip_nameaddr_next(r->buf, &off, r->end, &na)) > 0) {
		if (r->out.len)
			put_word(r, "|");
		put_span(r, "whole", na.whole);
		if (na.star)
			put_word(r, "star");
		put_uri(r, &na.uri);
		put_span(r, "uri", na.uri.whole);
		put_span(r, "params", na.params);
		if (na.expires >= 0)
			put_number(r, "expires", na.expires);
		if (off < na.whole.off + na.whole.len || off > r->end)
			r->outside = true;
	}
	if (off < r->off || off > r->end || (!more && off != r->end))
		r->outside = true;
	if (more < 0) {
		r->verdict = "bad";
		put_number(r, "at", off - r->off);
	}
}

static void read_tag(struct reading *r)
{
	struct sip_span tag;

	if (!sip_tag_find(r->buf, r->off, r->end, &tag)) {
		r->verdict = "bad";
		put_word(r, "value");
		return;
	}
	put_span(r, "tag", tag);
}

static void read_params(struct reading *r)
{
	struct sip_span params = { r->off, r->end - r->off };
	struct sip_span value = { 0, 0 };
	struct sip_param param;
	u32 off = r->off;
	u32 number;
	int more;

	while ((more = sip_param_next(r->buf, &off, r->end, &param)) > 0) {
		put_span(r, "name", param.name);
		put_span(r, "value", param.value);
	}
	if (off < r->off || off > r->end)
		r->outside = true;
	if (more < 0) {
		r->verdict = "bad";
		put_number(r, "at", off - r->off);
	} else if (off < r->end) {
		put_number(r, "comma", off - r->off);
	}
	if (sip_param_find(r->buf, params, "Find-Me", &value)) {
		put_word(r, "found");
		put_span(r, "found", value);
		if (sip_span_number(r->buf, value, 0xffffffffu, &number))
			put_number(r, "number", number);
	}
}

static void put_message(struct reading *r, const struct sip_msg *msg)
{
	u32 i;

	if (msg->request) {
		put_word(r, sip_method_name(msg->method));
		put_span(r, "ruri", msg->ruri);
	} else {
		put_number(r, "status", msg->status);
		put_word(r, sip_method_name(msg->method));
	}
	put_number(r, "cseq", msg->cseq);
	put_span(r, "call-id", msg->call_id);
	put_span(r, "from-tag", msg->from_tag);
	put_span(r, "to-tag", msg->to_tag);
	put_word(r, "via");
	put_via(r, &msg->via);
	if (msg->expires >= 0)
		put_number(r, "expires", msg->expires);
	if (msg->session_expires >= 0)
		put_number(r, "session-expires", msg->session_expires);
	put_span(r, "content-length", msg->content_length);
	put_span(r, "body", msg->body);
	put_number(r, "headers", msg->n_headers);
	for (i = 1; i < SIP_R_MAX; i++)
		if (msg->notes & 1ull << i)
			put_word(r, sip_reason_name((enum sip_reason)i));
	if (msg->total < r->end)
		put_number(r, "left", r->end - msg->total);
}

/* The index holds the fields in their order, and knows the first of each. */
static bool index_is_good(const struct sip_msg *msg)
{
	u32 seen[SIP_H_MAX] = { 0 };
	u32 end = 0;
	u32 i;

	for (i = 0; i < msg->n_headers; i++) {
		const struct sip_header *h = &msg->header[i];
		u32 name = sip_run(msg->buf, h->line, h->value.off, SIP_C_TOKEN) - h->line;

		if (h->id == SIP_H_OTHER || h->id >= SIP_H_MAX || h->line < end ||
		    h->value.off < h->line + name ||
		    h->value.off + h->value.len > msg->body.off ||
		    sip_hdr_lookup(msg->buf + h->line, name) != h->id)
			return false;
		end = h->value.off + h->value.len;
		if (!seen[h->id])
			seen[h->id] = i + 1;
	}
	for (i = 0; i < SIP_H_MAX; i++)
		if (seen[i] != msg->first[i])
			return false;
	return msg->body.off + msg->body.len == msg->total && msg->total <= msg->len;
}

static void read_msg(struct reading *r)
{
	static const char *const verdict[] = { "ok", "more", "not_sip", "keepalive", "bad" };
	static struct sip_msg msg;
	enum sip_parse result;

	/* What was there before must not show. */
	memset(&msg, 0xa5, sizeof(msg));
	result = sip_msg_parse(&msg, r->buf + r->off, r->end - r->off, r->stream);
	r->buf += r->off;
	r->end -= r->off;
	r->off = 0;
	r->verdict = verdict[result];
	if (result == SIP_PARSE_OK) {
		put_message(r, &msg);
		if (!index_is_good(&msg))
			r->outside = true;
	} else if (result == SIP_PARSE_BAD) {
		put_word(r, sip_reason_name(msg.reason));
		put_number(r, "at", msg.reason_off);
		if (msg.total != r->end)
			put_number(r, "total", msg.total);
		if (msg.reason_off > r->end || !msg.reason)
			r->outside = true;
	} else if (result != SIP_PARSE_NOT_SIP) {
		put_number(r, "total", msg.total);
	}
}

/* ---- cases -------------------------------------------------------------- */

static void read_input(reader *read, const struct text *input, size_t len, struct reading *r)
{
	u8 whole[SHIFT + MAX_TEXT] = "<:;";
	u8 *copy;

	memcpy(whole + SHIFT, input->bytes, len);
	copy = guard_copy(whole, SHIFT + len);
	memset(r, 0, sizeof(*r));
	r->buf = copy;
	r->off = SHIFT;
	r->end = SHIFT + (u32)len;
	r->stream = stream;
	r->verdict = "ok";
	read(r);
	r->out.bytes[r->out.len] = 0;
	guard_free(copy, SHIFT + len);
}

/* All beginnings are safe, and those of a stream ask for more. */
static const char *cut_input(reader *read, const struct text *input, const char *verdict)
{
	static struct reading r;
	size_t len;

	for (len = 0; len < input->len; len++) {
		read_input(read, input, len, &r);
		if (r.outside)
			return "a span is outside of a beginning";
		if (read != read_msg || !stream || strcmp(verdict, "ok") != 0)
			continue;
		if (strcmp(r.verdict, "more") != 0 && strcmp(r.verdict, "ok") != 0)
			return "the beginning of a stream does not ask for more";
		/* What is behind the message belongs to the next one. */
		if (!strcmp(r.verdict, "ok"))
			break;
	}
	return NULL;
}

static const char *name_find(const char *name, size_t len)
{
	u32 i;

	for (i = 0; i < n_names; i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, name, len))
			return names[i].text;
	return NULL;
}

static bool unescape_one(const char **at, const char *end, struct text *t)
{
	static const char from[] = "rnt\\";
	static const char to[] = "\r\n\t\\";
	const char *s = *at + 1;
	const char *known;
	char digits[3] = { 0 };

	known = s < end ? strchr(from, *s) : NULL;
	if (known && *known) {
		t->bytes[t->len++] = (u8)to[known - from];
		*at = s + 1;
		return true;
	}
	if (end - s < 3 || *s != 'x')
		return false;
	memcpy(digits, s + 1, 2);
	t->bytes[t->len++] = (u8)strtoul(digits, NULL, 16);
	*at = s + 3;
	return true;
}

static bool unescape(const char *s, const char *end, struct text *t)
{
	while (s < end && t->len + 1 < sizeof(t->bytes)) {
		const char *close = *s == '{' ? memchr(s, '}', (size_t)(end - s)) : NULL;
		const char *text = close ? name_find(s + 1, (size_t)(close - s - 1)) : NULL;

		if (text) {
			if (!unescape(text, text + strlen(text), t))
				return false;
			s = close + 1;
		} else if (*s == '\\') {
			if (!unescape_one(&s, end, t))
				return false;
		} else {
			t->bytes[t->len++] = (u8)*s++;
		}
	}
	return s == end;
}

static bool directive(char *line)
{
	char *equal = strstr(line, " = ");

	if (!strcmp(line, "%datagram")) {
		stream = false;
	} else if (!strcmp(line, "%stream")) {
		stream = true;
	} else if (equal && n_names < MAX_NAMES && equal - line < 32 &&
		   strlen(equal + 3) < sizeof(names[0].text)) {
		*equal = 0;
		strcpy(names[n_names].name, line + 1);
		strcpy(names[n_names++].text, equal + 3);
	} else {
		return false;
	}
	return true;
}

/* "input ; verdict ; rest": the last place where a verdict stands. */
static char *find_verdict(char *line)
{
	static const char *const verdict[] = { "ok", "more", "not_sip", "keepalive", "bad" };
	char *found = NULL;
	char word[16];
	char *at;
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(verdict); i++) {
		snprintf(word, sizeof(word), " ; %s ;", verdict[i]);
		for (at = line; (at = strstr(at, word)) != NULL; at++)
			if (!found || at > found)
				found = at;
	}
	return found;
}

static void run_case(reader *read, const char *file, u32 number, char *line)
{
	static struct reading r;
	static struct text input;
	char *at = find_verdict(line);
	char *verdict, *rest;
	const char *fault;

	input.len = 0;
	if (!at || !unescape(line, at, &input)) {
		tap_ok(false, "%s:%u: cannot be understood", file, number);
		return;
	}
	*at = 0;
	verdict = at + 3;
	rest = strstr(verdict, " ;");
	*rest = 0;
	rest += 2;
	rest += *rest == ' ';

	read_input(read, &input, input.len, &r);
	fault = r.outside ? "a span is outside" : cut_input(read, &input, r.verdict);
	if (!fault && strcmp(verdict, r.verdict) != 0)
		fault = "another verdict";
	if (!fault && strcmp(rest, (char *)r.out.bytes) != 0)
		fault = "something else is read";
	if (tap_ok(!fault, "%s:%u%s%s", file, number, fault ? ": " : "", fault ? fault : ""))
		return;
	printf("# input:    %s\n# expected: %s ; %s\n# got:      %s ; %s\n", line, verdict, rest,
	       r.verdict, (char *)r.out.bytes);
}

static const struct {
	const char *name;
	reader *read;
} readers[] = {
	{ "ip", read_ip }, { "hostport", read_hostport }, { "uri", read_uri },
	{ "via", read_via }, { "addr", read_addr }, { "tag", read_tag },
	{ "params", read_params }, { "msg", read_msg },
};

static reader *reader_of(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = strcspn(name, ".");
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(readers); i++)
		if (strlen(readers[i].name) == len && !memcmp(readers[i].name, name, len))
			return readers[i].read;
	return NULL;
}

static void run_file(const char *path)
{
	reader *read = reader_of(path);
	size_t len;
	char *text = (char *)read_file(path, &len);
	char *line, *next;
	u32 number = 0;

	if (!text || !read) {
		tap_ok(false, "%s: %s", path, text ? "no reader for it" : "cannot be read");
		free(text);
		return;
	}
	n_names = 0;
	stream = false;
	for (line = text; *line; line = next) {
		number++;
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		if (!*line || *line == '#')
			continue;
		if (*line == '%') {
			if (!directive(line))
				tap_ok(false, "%s:%u: no such directive", path, number);
			continue;
		}
		run_case(read, path, number, line);
	}
	free(text);
}

/* ---- lists -------------------------------------------------------------- */

/* Each name in names.h is found, in any case, and nothing near it. */
static void check_header(enum sip_hdr_id id, const char *name, char compact)
{
	size_t len = strlen(name);
	bool good = true;
	u8 *copy;
	u32 way, i;

	for (way = 0; way < 3; way++) {
		copy = guard_copy(name, len);
		for (i = 0; i < len; i++)
			if (copy[i] >= 'a' && (way == 1 || (way == 2 && i % 2)))
				copy[i] = (u8)(copy[i] - 0x20);
		good = good && sip_hdr_lookup(copy, (u32)len) == id;
		for (i = 0; i < len; i++) {
			copy[i] ^= 0x40;
			good = good && sip_hdr_lookup(copy, (u32)len) != id;
			copy[i] ^= 0x40 ^ 0x01;
			good = good && sip_hdr_lookup(copy, (u32)len) != id;
			copy[i] ^= 0x01;
		}
		good = good && (len == 2 || sip_hdr_lookup(copy, (u32)len - 1) != id);
		guard_free(copy, len);
	}
	if (compact) {
		u8 letter = (u8)compact;
		u8 upper = (u8)(letter - 0x20);

		good = good && sip_hdr_lookup(&letter, 1) == id && sip_hdr_lookup(&upper, 1) == id;
	}
	tap_ok(good, "header field %s", name);
}

static void check_method(enum sip_method method, const char *name)
{
	size_t len = strlen(name);
	u8 *copy = guard_copy(name, len);
	bool good = sip_method_lookup(copy, (u32)len) == method &&
		    sip_method_lookup(copy, (u32)len - 1) != method &&
		    !strcmp(sip_method_name(method), name);

	copy[1] |= 0x20;
	tap_ok(good && sip_method_lookup(copy, (u32)len) == SIP_M_OTHER, "method %s", name);
	guard_free(copy, len);
}

static void check_lists(void)
{
	u8 nul = 0;
	u32 i, j;

#define X(id, name, compact) check_header(SIP_H_##id, name, compact);
	SIP_HEADERS(X)
#undef X
#define X(id, name) check_method(SIP_M_##id, name);
	SIP_METHODS(X)
#undef X
	tap_ok(sip_hdr_lookup(&nul, 1) == SIP_H_OTHER, "NUL is no compact form");
	tap_ok(sip_hdr_lookup(&nul, 0) == SIP_H_OTHER, "no name is no header field");
	tap_ok(!strcmp(sip_method_name(SIP_M_MAX), "other"), "a method out of range has a name");

	for (i = 0; i < SIP_R_MAX; i++) {
		const char *name = sip_reason_name((enum sip_reason)i);
		bool alone = *sip_reason_text((enum sip_reason)i) && *name;

		for (j = 0; j < i; j++)
			alone = alone && strcmp(name, sip_reason_name((enum sip_reason)j)) != 0;
		tap_ok(alone, "reason %s", name);
	}
	tap_ok(!strcmp(sip_reason_name(SIP_R_MAX), "unknown") &&
	      *sip_reason_text(SIP_R_MAX), "a reason out of range has a name");
}

/* ---- limits ------------------------------------------------------------- */

static const char head[] = "OPTIONS sip:b@y SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\n"
	"From: <sip:a@x>;tag=1\r\nTo: <sip:b@y>\r\nCall-ID: c\r\nCSeq: 7 OPTIONS\r\n";

/* @head, @times a line, an empty line. */
static enum sip_parse parse_lines(struct sip_msg *msg, const char *line, u32 times, bool is_stream)
{
	size_t len = strlen(head) + times * strlen(line) + 2;
	char *text = malloc(len + 1);
	enum sip_parse result;
	char *at = text;
	u8 *copy;

	if (!text)
		exit(2);
	at += sprintf(at, "%s", head);
	while (times--)
		at += sprintf(at, "%s", line);
	sprintf(at, "\r\n");
	copy = guard_copy(text, len);
	result = sip_msg_parse(msg, copy, (u32)len, is_stream);
	guard_free(copy, len);
	free(text);
	return result;
}

/* On a stream: as many fields as are kept, then @last, an empty line and five bytes. */
static enum sip_parse parse_full(struct sip_msg *msg, const char *last, u32 *whole)
{
	char text[4096], *at = text;
	enum sip_parse result;
	u8 *copy;
	u32 i;

	at += sprintf(at, "%s", head);
	for (i = 0; i < SIP_MAX_HEADERS - 5; i++)
		at += sprintf(at, "Route: <sip:p>\r\n");
	at += sprintf(at, "%s\r\nhello", last);
	*whole = (u32)(at - text);
	copy = guard_copy(text, *whole);
	result = sip_msg_parse(msg, copy, *whole, true);
	guard_free(copy, *whole);
	return result;
}

/* A whole message on a stream; its start line has @len bytes up to its LF. */
static enum sip_parse parse_reason(struct sip_msg *msg, u32 len)
{
	static const char begin[] = "SIP/2.0 200 ";
	static const char rest[] = "\r\nVia: SIP/2.0/TCP a\r\nFrom: <sip:a>;tag=1\r\n"
				   "To: <sip:b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
	char text[SIP_MAX_START_LINE + sizeof(rest)];
	u32 total = len - 1 + (u32)strlen(rest);
	enum sip_parse result;
	u8 *copy;

	memset(text, 'x', len);
	memcpy(text, begin, strlen(begin));
	memcpy(text + len - 1, rest, strlen(rest));
	copy = guard_copy(text, total);
	result = sip_msg_parse(msg, copy, total, true);
	guard_free(copy, total);
	return result;
}

static enum sip_parse parse_fill(struct sip_msg *msg, const char *begin, u32 len, bool is_stream)
{
	char *text = malloc(len);
	enum sip_parse result;
	u8 *copy;

	if (!text)
		exit(2);
	memset(text, 'x', len);
	memcpy(text, begin, strlen(begin));
	copy = guard_copy(text, len);
	result = sip_msg_parse(msg, copy, len, is_stream);
	guard_free(copy, len);
	free(text);
	return result;
}

static void check_limits(void)
{
	static struct sip_msg msg;
	u32 whole;

	tap_ok(parse_lines(&msg, "Y: 1\r\n", 1000, false) == SIP_PARSE_OK && msg.n_headers == 5,
	       "unknown header fields take no slot");
	tap_ok(parse_lines(&msg, "Via: SIP/2.0/UDP 10.0.0.2\r\n", 1000, false) == SIP_PARSE_OK &&
	       msg.n_headers == 5, "of Via only the topmost takes a slot");
	tap_ok(parse_lines(&msg, "Route: <sip:p>\r\n", SIP_MAX_HEADERS - 5, false) == SIP_PARSE_OK &&
	       msg.n_headers == SIP_MAX_HEADERS, "as many header fields as the limit");
	tap_ok(parse_lines(&msg, "Route: <sip:p>\r\n", SIP_MAX_HEADERS - 4, false) == SIP_PARSE_BAD &&
	       msg.reason == SIP_R_TOO_MANY_HEADERS, "one header field more than the limit");
	tap_ok(parse_full(&msg, "Content-Length: 5\r\n", &whole) == SIP_PARSE_BAD &&
	       msg.reason == SIP_R_TOO_MANY_HEADERS && msg.total == whole,
	       "where it ends is known also by a Content-Length behind the limit");
	tap_ok(parse_full(&msg, "l :\r\n 5\r\n", &whole) == SIP_PARSE_BAD && msg.total == whole,
	       "written in whatever way");
	tap_ok(parse_full(&msg, "Content-Type: a/b\r\n", &whole) == SIP_PARSE_BAD && !msg.total &&
	       parse_full(&msg, "c: a/b\r\nl: 5\r\nl: 6\r\n", &whole) == SIP_PARSE_BAD && !msg.total,
	       "and not where there is none, or two");
	tap_ok(parse_lines(&msg, "Y: 1\r\n", 12000, false) == SIP_PARSE_BAD &&
	       msg.reason == SIP_R_TOO_LONG, "a datagram longer than the limit");
	tap_ok(parse_lines(&msg, "Y: 1\r\n", 12000, true) == SIP_PARSE_BAD &&
	       msg.reason == SIP_R_TOO_LONG && msg.total > SIP_MAX_MSG,
	       "a head on a stream longer than the limit");
	tap_ok(parse_fill(&msg, head, SIP_MAX_MSG, true) == SIP_PARSE_MORE,
	       "a head on a stream as long as the limit may go on");
	tap_ok(parse_fill(&msg, head, SIP_MAX_MSG + 1, true) == SIP_PARSE_BAD &&
	       msg.reason == SIP_R_TOO_LONG && !msg.total,
	       "a head on a stream that has not ended within the limit");
	tap_ok(parse_fill(&msg, "INVITE sip:", SIP_MAX_START_LINE, true) == SIP_PARSE_MORE,
	       "a start line as long as the limit may go on");
	tap_ok(parse_fill(&msg, "INVITE sip:", SIP_MAX_START_LINE + 1, true) == SIP_PARSE_NOT_SIP,
	       "a start line longer than the limit is none");
	tap_ok(parse_fill(&msg, "INVITE", SIP_MAX_START_LINE + 1, true) == SIP_PARSE_NOT_SIP,
	       "a method longer than the limit is none");
	tap_ok(parse_reason(&msg, SIP_MAX_START_LINE) == SIP_PARSE_OK,
	       "a message with a start line as long as the limit");
	tap_ok(parse_reason(&msg, SIP_MAX_START_LINE + 1) == SIP_PARSE_NOT_SIP,
	       "one with a longer start line is none, as it is where it comes in pieces");
}

int main(int argc, char **argv)
{
	int i;

	check_lists();
	check_limits();
	for (i = 1; i < argc; i++)
		run_file(argv[i]);
	return tap_done();
}
