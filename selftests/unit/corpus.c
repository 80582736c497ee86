// SPDX-License-Identifier: GPL-2.0-only
/*
 * corpus.c - messages in files: what leaves the gateway, byte for byte.
 *
 * corpus DIR... reads DIR and its folders. A folder has an INDEX.tsv:
 *
 *   file, case, direction, inside, changes, notes
 *       NAME.exp is NAME.sip as it must leave; without it nothing changes. The
 *       outside pair is 203.0.113.1 with the inside port. Messages that come
 *       in carry what the gateway mapped before: the request that a response
 *       answers, the registration or dialog that a Request-URI or Route names.
 *       They are sent through the planner first, made from the message itself.
 *   name, RFC, what, validity, expected, inside, notes
 *       torture messages: edit, pass (byte-exact, malformed) or other.
 *
 * A folder without an index must only be safe: every promise of a plan holds.
 * Every message is also planned without an inside end, and must not change.
 */
#define _GNU_SOURCE
#include <dirent.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "tap.h"
#include "testmap.h"

#define PEER "198.51.100.10:5060"
#define MAX_COLUMNS 8

static struct sip_msg msg;
static struct sip_plan plan;
static struct testmap map;
static u8 result[SIP_MAX_MSG + SIP_MAX_PLAN_TEXT];
static unsigned int n_files;
static unsigned int n_good;

static struct sip_ap ap_of(const char *text)
{
	struct sip_ap ap;

	if (!testmap_ap(text, &ap)) {
		fprintf(stderr, "no address: %s\n", text);
		exit(2);
	}
	return ap;
}

/* The transport is that of the topmost Via: no other way to know it here. */
static enum sip_parse parse(const u8 *buf, u32 len, enum sip_transport *transport)
{
	enum sip_parse parsed = sip_msg_parse(&msg, buf, len, false);

	*transport = SIP_T_UDP;
	if (parsed == SIP_PARSE_OK &&
	    (msg.via.transport == SIP_T_TCP || msg.via.transport == SIP_T_TLS)) {
		*transport = SIP_T_TCP;
		parsed = sip_msg_parse(&msg, buf, len, true);
	}
	return parsed;
}

/* ---- what the gateway mapped before -------------------------------------- */

struct writer {
	u8 text[8192];
	u32 len;
};

static void put(struct writer *w, const void *bytes, u32 len)
{
	if (w->len + len > sizeof(w->text))
		len = (u32)sizeof(w->text) - w->len;
	memcpy(w->text + w->len, bytes, len);
	w->len += len;
}

static void puts_to(struct writer *w, const char *text)
{
	put(w, text, (u32)strlen(text));
}

/* A piece of the message with one host in it replaced: as the inside wrote it. */
static void put_inside(struct writer *w, struct sip_span whole, struct sip_span host,
		       const struct sip_ip *inside)
{
	u8 text[64];

	put(w, msg.buf + whole.off, host.off - whole.off);
	put(w, text, sip_ip_format(inside, text));
	put(w, msg.buf + host.off + host.len, whole.off + whole.len - host.off - host.len);
}

static void put_values(struct writer *w, enum sip_hdr_id id, const char *name,
		       const struct sip_end *host)
{
	struct sip_nameaddr na;
	u32 i, off, end;

	for (i = 0; i < msg.n_headers; i++) {
		if (msg.header[i].id != id)
			continue;
		off = msg.header[i].value.off;
		end = off + msg.header[i].value.len;
		while (sip_nameaddr_next(msg.buf, &off, end, &na) > 0) {
			u16 port = na.uri.hp.port_num;

			if (na.star || !sip_ip_equal(&na.uri.hp.ip, &host->seen.ip))
				continue;
			if ((port ? port : sip_uri_default_port(&na.uri)) != host->seen.port)
				continue;
			puts_to(w, name);
			put_inside(w, na.whole, na.uri.hp.host, &host->real.ip);
			puts_to(w, "\r\n");
		}
	}
}

static void put_via(struct writer *w, const struct sip_end *host)
{
	puts_to(w, "Via: ");
	if (!msg.request && sip_ip_equal(&msg.via.sent_by.ip, &host->seen.ip))
		put_inside(w, msg.via.whole, msg.via.sent_by.host, &host->real.ip);
	else
		puts_to(w, "SIP/2.0/UDP before.example;branch=z9hG4bKbefore");
	puts_to(w, "\r\n");
}

static void put_ruri_as_contact(struct writer *w, const struct sip_end *host)
{
	struct sip_uri uri;

	if (!sip_uri_parse(msg.buf, msg.ruri.off, msg.ruri.off + msg.ruri.len, &uri) ||
	    !sip_ip_equal(&uri.hp.ip, &host->seen.ip))
		return;
	puts_to(w, "Contact: <");
	put_inside(w, uri.whole, uri.hp.host, &host->real.ip);
	puts_to(w, ">\r\n");
}

/* The request that made the gateway know what this message brings back. */
static void make_before(struct writer *w, const struct sip_end *host)
{
	const char *method = msg.method == SIP_M_OTHER ? "INVITE" : sip_method_name(msg.method);

	if (msg.request)
		method = msg.to_tag.len ? "INVITE" : "REGISTER";
	w->len = 0;
	puts_to(w, method);
	puts_to(w, " sip:before.example SIP/2.0\r\n");
	put_via(w, host);
	puts_to(w, "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: ");
	put(w, msg.buf + msg.call_id.off, msg.call_id.len);
	puts_to(w, "\r\nCSeq: 1 ");
	puts_to(w, method);
	puts_to(w, "\r\n");
	if (msg.request)
		put_ruri_as_contact(w, host);
	else
		put_values(w, SIP_H_CONTACT, "Contact: ", host);
	put_values(w, SIP_H_ROUTE, "Record-Route: ", host);
	put_values(w, SIP_H_RECORD_ROUTE, "Record-Route: ", host);
	put_values(w, SIP_H_PATH, "Path: ", host);
	puts_to(w, "Content-Length: 0\r\n\r\n");
}

/* Media mappings that a=remote-candidates of the message names. */
static void make_media_before(const struct sip_end *host)
{
	const u8 *at = msg.buf + msg.body.off;
	const u8 *end = at + msg.body.len;
	char text[64];
	u8 ip[64];
	u32 len = sip_ip_format(&host->seen.ip, ip);
	struct sip_ap in = host->real, out = host->seen;

	at = memmem(at, (size_t)(end - at), "a=remote-candidates:", 20);
	while (at && (at = memmem(at, (size_t)(end - at), ip, len))) {
		at += len;
		snprintf(text, sizeof(text), "%.*s", (int)(end - at < 8 ? end - at : 8), at);
		in.port = out.port = (u16)atoi(text);
		testmap_add(&map, true, &in, &out);
	}
}

static void before(const struct sip_end *host, const struct sip_end *peer)
{
	static struct sip_msg kept;
	struct writer w;

	make_media_before(host);
	make_before(&w, host);
	kept = msg;
	testmap_add(&map, false, &host->real, &host->seen);
	testmap_flow(&map, SIP_T_UDP, host, peer);
	if (sip_msg_parse(&msg, w.text, w.len, false) == SIP_PARSE_OK)
		testmap_plan(&map, &msg, &plan);
	else
		print_bytes("cannot be read", w.text, w.len);
	msg = kept;
}

/* ---- one message -------------------------------------------------------- */

static u32 leave(const u8 *buf, u32 len)
{
	u32 n = sip_plan_apply(&plan, &msg, result, sizeof(result));

	memcpy(result + n, buf + msg.total, len - msg.total);
	return n + len - msg.total;
}

/* Plans the message in @buf; the bytes that leave are in @result. */
static const char *run(const u8 *buf, u32 len, const struct sip_end *host, bool out, u32 *n)
{
	struct sip_end peer = { .real = ap_of(PEER), .seen = ap_of(PEER) };
	enum sip_transport transport;
	enum sip_parse parsed = parse(buf, len, &transport);
	const char *broken;

	memcpy(result, buf, len);
	*n = len;
	plan.n_edits = 0;
	if (parsed != SIP_PARSE_OK)
		return NULL;
	/* Nobody is inside: nothing changes. */
	testmap_init(&map);
	testmap_flow(&map, transport, &peer, &peer);
	if (sip_plan_make(&plan, &msg, &map.ctx) || plan.n_edits)
		return "changes although nobody is inside";

	peer.inside = sip_ap_equal(&host->real, &host->seen);
	if (out)
		testmap_add(&map, false, &host->real, &host->seen);
	else
		before(host, &peer);
	testmap_flow(&map, transport, out ? host : &peer, out ? &peer : host);
	testmap_plan(&map, &msg, &plan);
	broken = check_plan(&plan, &msg);
	if (broken)
		return broken;
	*n = leave(buf, len);
	return NULL;
}

static u8 *read_beside(const char *dir, const char *name, const char *ending, u32 *len)
{
	char path[512];
	const char *dot = strstr(name, ".sip");
	size_t size = 0;
	u8 *bytes, *copy;

	snprintf(path, sizeof(path), "%s/%.*s%s", dir,
		 (int)(dot ? (size_t)(dot - name) : strlen(name)), name, ending);
	bytes = read_file(path, &size);
	if (!bytes)
		return NULL;
	copy = guard_copy(bytes, size);
	free(bytes);
	*len = (u32)size;
	return copy;
}

static void guard_drop(u8 *copy, u32 len)
{
	if (copy)
		guard_free(copy, len);
}

static void good(bool yes, const char *dir, const char *name, const char *what)
{
	const char *folder = strrchr(dir, '/');

	n_files++;
	n_good += yes;
	tap_ok(yes, "%s/%s%s%s", folder ? folder + 1 : dir, name, *what ? ": " : "", what);
}

/* ---- rows with .exp ----------------------------------------------------- */

static void row_expected(const char *dir, char **col)
{
	struct sip_end host = { .real = ap_of(col[3]), .inside = true };
	bool out = !strncmp(col[2], "out", 3);
	u32 len = 0, want_len = 0, n = 0, wanted;
	u8 *sip = read_beside(dir, col[0], ".sip", &len);
	u8 *want = read_beside(dir, col[0], ".exp", &want_len);
	const char *broken;
	bool same;

	host.seen = host.real;
	if (host.real.ip.family == SIP_AF_IP4)
		host.seen.ip = ap_of("203.0.113.1").ip;
	if (!sip || !!want != !!strcmp(col[4], "none")) {
		good(false, dir, col[0], "no such file, or index and .exp disagree");
		goto out;
	}
	/* A static trunk: nothing was registered, the number is not ours. */
	broken = run(sip, len, &host, out || (strstr(col[2], "request") && !want), &n);
	if (!want) {
		/* For run(), out also means that nothing was there before. */
		struct sip_end peer = { .real = ap_of(PEER), .seen = ap_of(PEER) };

		if (!out && sip_msg_parse(&msg, sip, len, false) == SIP_PARSE_OK) {
			testmap_init(&map);
			testmap_flow(&map, SIP_T_UDP, &peer, &host);
			testmap_plan(&map, &msg, &plan);
			n = leave(sip, len);
		}
	}
	wanted = want ? want_len : len;
	same = n == wanted && !memcmp(result, want ? want : sip, n);
	good(same && !broken, dir, col[0], broken ? broken : "");
	if (!same) {
		print_bytes("wanted", want ? want : sip, wanted);
		print_bytes("leaves", result, n);
	}
out:
	guard_drop(sip, len);
	guard_drop(want, want_len);
}

/* ---- torture ------------------------------------------------------------ */

/* What an index cannot say: which fields change, for each inside address. */
static const struct torture {
	const char *name;
	const char *inside;
	const char *fields;
} torture[] = {
	{ "wsinv", "192.0.2.2", "via-sent-by" },
	{ "wsinv", "192.0.2.4", "content-length sdp-c" },
	{ "esc01", "192.0.2.1", "content-length sdp-c" },
	{ "longreq", "192.0.2.1", "content-length sdp-c" },
	{ "dblreq", "192.0.2.125", "via-sent-by" },
	{ "semiuri", "192.0.2.1", "via-sent-by" },
	{ "mpart01", "127.0.0.1:5070", "via-sent-by contact" },
	{ "unreason", "192.0.2.198", "via-sent-by" },
	{ "noreason", "192.0.2.105", "via-sent-by" },
	{ "badinv01", "192.0.2.15", "via-sent-by content-length sdp-c" },
	{ "escruri", "192.0.2.1", "content-length sdp-c" },
	{ "baddate", "192.0.2.5", "content-length sdp-c" },
	{ "regbadct", "135.180.130.133", "via-sent-by" },
	{ "badbranch", "192.0.2.1", "via-sent-by" },
	{ "unksm2", "192.0.2.21:5060", "via-sent-by" },
	{ "regaut01", "192.0.2.253", "via-sent-by" },
	{ "bcast", "192.0.2.198", "via-sent-by" },
	{ "sdp01", "192.0.2.15", "via-sent-by" },
	{ "sdp01", "192.0.2.5", "content-length sdp-c" },
	{ "inv2543", "192.0.2.5", "sdp-c" },
	{ "ipv6-good", "2001:db8::9:1", "via-sent-by" },
	{ "ipv6-bad", "2001:db8::9:1", "via-sent-by" },
	{ "port-ambiguous", "2001:db8::9:1", "via-sent-by" },
	{ "port-unambiguous", "2001:db8::9:1", "via-sent-by" },
	{ "via-received-param-with-delim", "2001:db8::9:1", "via-sent-by" },
	{ "via-received-param-no-delim", "2001:db8::9:1", "via-sent-by contact" },
	{ "ipv6-in-sdp-cl", "2001:db8::20", "via-sent-by contact content-length sdp-c" },
	{ "mult-ip-in-header", "[2001:db8::9:1]:6050", "via-sent-by" },
	{ "ipv4-mapped-ipv6", "192.0.2.10:19823", "" },
	{ "ipv4-mapped-ipv6-cl", "192.0.2.10:19823", "" },
};

static void edited_fields(char *text, size_t size)
{
	u32 i;

	*text = 0;
	for (i = 0; i < plan.n_edits; i++) {
		const char *name = sip_field_name((enum sip_field)plan.edit[i].field);

		if (strstr(text, name))
			continue;
		if (*text)
			strncat(text, " ", size - strlen(text) - 1);
		strncat(text, name, size - strlen(text) - 1);
	}
}

static const char *torture_fields(const char *name, const char *inside)
{
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(torture); i++)
		if (!strcmp(torture[i].name, name) && !strcmp(torture[i].inside, inside))
			return torture[i].fields;
	return NULL;
}

static void torture_one(const char *dir, char **col, const u8 *sip, u32 len, const char *inside)
{
	struct sip_end host = { .inside = true };
	bool response = !memcmp(sip, "SIP/", 4);
	bool pass = !strcmp(col[4], "pass");
	const char *want = torture_fields(col[0], inside);
	const char *broken;
	char fields[256], what[400];
	bool fine;
	u32 n;

	/* A response is taken as coming in: it carries what was mapped. */
	host.real = ap_of(*inside == '-' ? "192.168.1.20:5060" : inside);
	host.seen = host.real;
	host.seen.ip = ap_of(host.real.ip.family == SIP_AF_IP4 ? "203.0.113.1" :
								 "2001:db8:ffff::1").ip;
	if (response) {
		host.seen = host.real;
		host.real.ip = ap_of("192.168.1.20").ip;
	}
	broken = run(sip, len, &host, !response, &n);
	edited_fields(fields, sizeof(fields));
	if (pass || *inside == '-')
		fine = !*fields;
	else if (want)
		fine = !strcmp(fields, want);
	else
		fine = *fields || !strcmp(col[4], "other");
	snprintf(what, sizeof(what), "%s %s: %s%s%s", col[4], inside,
		 broken ? broken : *fields ? fields : "nothing changes",
		 fine || !want ? "" : ", wanted ", fine || !want ? "" : want);
	good(fine && !broken && (*fields || (n == len && !memcmp(sip, result, len))), dir, col[0],
	     what);
}

/* The inside column: "A as signalling, B as media": a run for each. */
static void row_torture(const char *dir, char **col)
{
	char list[128];
	char *save = NULL;
	char *inside;
	u32 len = 0;
	u8 *sip = read_beside(dir, col[0], ".sip", &len);

	if (!sip) {
		good(false, dir, col[0], "no such file");
		return;
	}
	snprintf(list, sizeof(list), "%s", col[5]);
	for (inside = strtok_r(list, ",", &save); inside; inside = strtok_r(NULL, ",", &save)) {
		while (*inside == ' ')
			inside++;
		inside[strcspn(inside, " ")] = 0;
		torture_one(dir, col, sip, len, inside);
	}
	guard_drop(sip, len);
}

/* ---- folders ------------------------------------------------------------ */

/* No index: plan it each way from a phone that is not alone, and look at it. */
static void row_safe(const char *dir, const char *name)
{
	struct sip_end host = { .real = ap_of("192.168.1.20:5060"),
				.seen = ap_of("198.51.100.1:40312"), .inside = true };
	u32 len = 0, n = 0;
	u8 *sip = read_beside(dir, name, ".sip", &len);
	const char *broken = "no such file";
	bool no_sip = strstr(name, "inside-http-post") || strstr(name, "ends-inside");

	if (sip) {
		broken = run(sip, len, &host, true, &n);
		if (!broken && no_sip && (n != len || memcmp(result, sip, len)))
			broken = "changes although it is not a message";
		if (!broken)
			broken = run(sip, len, &host, false, &n);
	}
	good(!broken, dir, name, broken ? broken : "safe");
	guard_drop(sip, len);
}

static void folder_without_index(const char *dir)
{
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort);
	int i;

	for (i = 0; i < n; i++) {
		const char *dot = strrchr(list[i]->d_name, '.');

		if (dot && !strcmp(dot, ".sip"))
			row_safe(dir, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static void split_tabs(char *line, char **col)
{
	unsigned int n = 0;

	memset(col, 0, MAX_COLUMNS * sizeof(*col));
	while (line && n < MAX_COLUMNS) {
		char *tab = strchr(line, '\t');

		if (tab)
			*tab = 0;
		col[n++] = line;
		line = tab ? tab + 1 : NULL;
	}
}

static void folder(const char *dir)
{
	static char line[65536];
	char path[512];
	char *col[MAX_COLUMNS];
	bool rows_expected;
	FILE *index;

	snprintf(path, sizeof(path), "%s/INDEX.tsv", dir);
	index = fopen(path, "r");
	if (!index) {
		folder_without_index(dir);
		return;
	}
	if (!fgets(line, sizeof(line), index)) {
		good(false, dir, "INDEX.tsv", "empty");
		fclose(index);
		return;
	}
	rows_expected = !strncmp(line, "file\t", 5);
	while (fgets(line, sizeof(line), index)) {
		line[strcspn(line, "\r\n")] = 0;
		split_tabs(line, col);
		if (!col[5])
			good(false, dir, col[0] ? col[0] : "?", "row with too few columns");
		else if (rows_expected)
			row_expected(dir, col);
		else
			row_torture(dir, col);
	}
	fclose(index);
}

int main(int argc, char **argv)
{
	struct dirent **list;
	int a, i, n;

	for (a = 1; a < argc; a++) {
		folder(argv[a]);
		n = scandir(argv[a], &list, NULL, alphasort);
		for (i = 0; i < n; i++) {
			char path[512];

			snprintf(path, sizeof(path), "%s/%s", argv[a], list[i]->d_name);
			if (list[i]->d_name[0] != '.' && list[i]->d_type == DT_DIR)
				folder(path);
			free(list[i]);
		}
		if (n >= 0)
			free(list);
	}
	printf("# %u of %u messages as they should be\n", n_good, n_files);
	return tap_done();
}
