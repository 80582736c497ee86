// SPDX-License-Identifier: GPL-2.0-only
/*
 * prop.c - what must hold for every message, over many of them.
 *
 * prop [-n COUNT] [-s SEED] [DIR...]
 *
 * Messages are made up (gen.c), damaged, and read from the .sip files of DIR
 * and its folders. For each, on several gateways and in both directions:
 *
 *   kept        bytes outside of the edits are identical
 *   length      Content-Length is the length of the body
 *   readable    what leaves is a message with the same header fields
 *   inverse     the reply restores what the inside host wrote
 *   untouched   a gateway that has no address in the message changes nothing
 *   idempotent  planned twice, the plan is the same; planned again behind the
 *               gateway, there is nothing to do
 *   cut         a message cut anywhere is safe; over a stream, it waits
 *
 * A message that fails is made smaller as long as it goes on failing, and the
 * small one is shown.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "gen.h"
#include "tap.h"
#include "testmap.h"

#define ROOM (SIP_MAX_MSG + SIP_MAX_PLAN_TEXT)

static const struct gateway {
	const char *name;
	const char *real;
	const char *seen;
	u16 shift;
	enum sip_transport transport;
} gateways[] = {
	{ "other ports", "192.168.1.20:5060", "198.51.100.1:40312", 1000, SIP_T_UDP },
	{ "same ports", "192.168.1.20:5060", "198.51.100.1:5060", 0, SIP_T_UDP },
	{ "other source port", "192.168.1.20:49173", "198.51.100.1:40312", 1000, SIP_T_UDP },
	{ "tcp", "192.168.1.20:49173", "198.51.100.1:40312", 1000, SIP_T_TCP },
	{ "no NAT", "192.168.1.20:5060", "192.168.1.20:5060", 0, SIP_T_UDP },
	{ "hairpin", "192.168.1.20:5060", "198.51.100.1:40312", 1000, SIP_T_UDP },
	{ "nobody's address", "172.31.255.20:5060", "100.64.9.9:5060", 0, SIP_T_UDP },
};

static struct sip_msg msg, reply;
static struct sip_plan plan, again, back;
static struct testmap map;
static u8 result[ROOM];
static u8 answer[ROOM];
static u8 restored[ROOM];

static struct sip_ap ap_of(const char *text)
{
	struct sip_ap ap;

	if (!testmap_ap(text, &ap))
		abort();
	return ap;
}

static struct sip_end end_of(const char *real, const char *seen, bool inside)
{
	struct sip_end end = { .real = ap_of(real), .seen = ap_of(seen), .inside = inside };

	return end;
}

/* ---- properties: NULL, or the name of the one that does not hold --------- */

static const char *prop_kept(const u8 *out, u32 out_len)
{
	u32 from = 0, to = 0;
	u32 i, n;

	for (i = 0; i <= plan.n_edits; i++) {
		n = (i < plan.n_edits ? plan.edit[i].off : msg.total) - from;
		if (to + n > out_len || memcmp(out + to, msg.buf + from, n))
			return "kept";
		if (i == plan.n_edits)
			break;
		to += n + plan.edit[i].text_len;
		from += n + plan.edit[i].len;
	}
	return to + n == out_len ? NULL : "kept";
}

/* What leaves reads as before: same fields, same names, right length. */
static const char *prop_readable(const u8 *out, u32 out_len, bool stream)
{
	u32 i;

	if (sip_msg_parse(&reply, out, out_len, stream) != SIP_PARSE_OK)
		return "readable";
	if (reply.total != out_len || reply.n_headers != msg.n_headers ||
	    reply.request != msg.request || reply.cseq != msg.cseq)
		return "readable";
	for (i = 0; i < msg.n_headers; i++) {
		const struct sip_header *a = &msg.header[i], *b = &reply.header[i];
		u32 len = a->value.off - a->line;

		/* Name, colon and blanks. */
		if (b->value.off - b->line != len || memcmp(msg.buf + a->line, out + b->line, len))
			return "readable";
	}
	if (msg.content_length.len) {
		u32 said;

		if (!sip_span_number(out, reply.content_length, SIP_MAX_MSG, &said) ||
		    said != out_len - reply.body.off)
			return "length";
	}
	return NULL;
}

static bool plans_equal(const struct sip_plan *a, const struct sip_plan *b)
{
	u32 i;

	for (i = 0; i < a->n_edits && i < b->n_edits; i++)
		if (a->edit[i].off != b->edit[i].off || a->edit[i].len != b->edit[i].len ||
		    a->edit[i].text_off != b->edit[i].text_off ||
		    a->edit[i].text_len != b->edit[i].text_len ||
		    a->edit[i].field != b->edit[i].field)
			return false;
	return a->reason == b->reason && a->n_edits == b->n_edits &&
	       a->text_len == b->text_len && a->new_total == b->new_total &&
	       a->n_addrs == b->n_addrs && a->n_media == b->n_media &&
	       a->body_changed == b->body_changed &&
	       !memcmp(a->text, b->text, a->text_len);
}

static const char *prop_idempotent(const u8 *out, u32 out_len, bool stream)
{
	sip_plan_make(&again, &msg, &map.ctx);
	if (!plans_equal(&plan, &again))
		return "idempotent: planned twice";
	if (sip_msg_parse(&reply, out, out_len, stream) != SIP_PARSE_OK)
		return "readable";
	if (!sip_plan_make(&again, &reply, &map.ctx) && again.n_edits)
		return "idempotent: planned behind the gateway";
	return NULL;
}

/* Two facts of one field that look the same outside cannot be told apart. */
static bool facts_are_clear(enum sip_field field)
{
	u32 i, j;

	for (i = 0; i < plan.n_addrs; i++) {
		const struct sip_addr_fact *a = &plan.addr[i];

		for (j = 0; j < i; j++) {
			const struct sip_addr_fact *b = &plan.addr[j];

			if (a->field == field && b->field == field &&
			    sip_ap_equal(&a->seen, &b->seen) &&
			    (a->mapped != b->mapped || a->written.maddr != b->written.maddr ||
			     a->written.host_len != b->written.host_len ||
			     a->written.port_len != b->written.port_len ||
			     memcmp(a->written.text, b->written.text,
				    a->written.host_len + a->written.port_len)))
				return false;
		}
	}
	return true;
}

static void add(u32 *len, const void *bytes, u32 n)
{
	if (*len + n > ROOM)
		abort();
	memcpy(answer + *len, bytes, n);
	*len += n;
}

static void add_text(u32 *len, const char *text)
{
	add(len, text, (u32)strlen(text));
}

static void add_fields(u32 *len, enum sip_hdr_id id, const char *name)
{
	u32 i;

	for (i = 0; i < reply.n_headers; i++) {
		if (reply.header[i].id != id)
			continue;
		add_text(len, name);
		add(len, reply.buf + reply.header[i].value.off, reply.header[i].value.len);
		add_text(len, "\r\n");
	}
}

static void add_one(u32 *len, enum sip_hdr_id id, const char *name)
{
	add_text(len, name);
	if (reply.first[id])
		add(len, reply.buf + reply.header[reply.first[id] - 1].value.off,
		    reply.header[reply.first[id] - 1].value.len);
	add_text(len, "\r\n");
}

/* What a server answers to the request that left, in @reply. */
static u32 make_answer(const struct sip_end *host)
{
	u8 ip[46];
	u32 len = 0;

	add_text(&len, "SIP/2.0 200 OK\r\nVia: ");
	add(&len, reply.buf + reply.via.whole.off, reply.via.whole.len);
	if (!reply.via.received.len) {
		add_text(&len, ";received=");
		add(&len, ip, sip_ip_format(&host->seen.ip, ip));
	}
	add_text(&len, "\r\n");
	add_one(&len, SIP_H_FROM, "From: ");
	add_one(&len, SIP_H_TO, "To: ");
	add_one(&len, SIP_H_CALL_ID, "Call-ID: ");
	add_one(&len, SIP_H_CSEQ, "CSeq: ");
	add_fields(&len, SIP_H_CONTACT, "Contact: ");
	add_fields(&len, SIP_H_RECORD_ROUTE, "Record-Route: ");
	add_fields(&len, SIP_H_PATH, "Path: ");
	add_text(&len, "Content-Length: 0\r\n\r\n");
	return len;
}

/* The values of one field in @now are those of the request @msg, byte for byte. */
static bool same_values(const struct sip_msg *now, enum sip_hdr_id id)
{
	u32 i, j = 0;

	for (i = 0; i < msg.n_headers; i++) {
		const struct sip_span *was = &msg.header[i].value, *is;

		if (msg.header[i].id != id)
			continue;
		while (j < now->n_headers && now->header[j].id != id)
			j++;
		if (j == now->n_headers)
			return false;
		is = &now->header[j++].value;
		if (was->len != is->len || memcmp(msg.buf + was->off, now->buf + is->off, was->len))
			return false;
	}
	return true;
}

static bool same_sent_by(const struct sip_msg *now)
{
	const struct sip_hostport *was = &msg.via.sent_by, *is = &now->via.sent_by;

	return was->end - was->host.off == is->end - is->host.off &&
	       !memcmp(msg.buf + was->host.off, now->buf + is->host.off, was->end - was->host.off);
}

/* The reply to the request that left brings back what was written. */
static const char *prop_inverse(const struct sip_end *host, const struct sip_end *peer,
				enum sip_transport transport, u32 out_len)
{
	bool stream = transport != SIP_T_UDP;
	u32 len;

	if (!msg.request || sip_msg_parse(&reply, result, out_len, stream) != SIP_PARSE_OK)
		return NULL;
	len = make_answer(host);
	testmap_flow(&map, transport, peer, host);
	/* To or CSeq may be such that the answer is malformed: no answer then. */
	if (sip_msg_parse(&reply, answer, len, stream) != SIP_PARSE_OK ||
	    testmap_plan(&map, &reply, &back))
		return NULL;
	len = sip_plan_apply(&back, &reply, restored, sizeof(restored));
	if (sip_msg_parse(&reply, restored, len, stream) != SIP_PARSE_OK)
		return "inverse: unreadable";
	if (!same_sent_by(&reply))
		return "inverse: Via";
	if (facts_are_clear(SIP_F_CONTACT) && !same_values(&reply, SIP_H_CONTACT))
		return "inverse: Contact";
	if (facts_are_clear(SIP_F_RECORD_ROUTE) && !same_values(&reply, SIP_H_RECORD_ROUTE))
		return "inverse: Record-Route";
	if (facts_are_clear(SIP_F_PATH) && !same_values(&reply, SIP_H_PATH))
		return "inverse: Path";
	return NULL;
}

static const char *prop_way(const struct gateway *gw, const u8 *buf, u32 len, bool out)
{
	struct sip_end host = end_of(gw->real, gw->seen, true);
	struct sip_end peer = end_of("203.0.113.5", "203.0.113.5",
				     !strcmp(gw->real, gw->seen));
	bool hairpin = !strcmp(gw->name, "hairpin");
	bool stream = gw->transport != SIP_T_UDP;
	const char *broken;
	u32 n;

	if (hairpin)
		peer = end_of("192.168.1.21:5060", "198.51.100.1:40313", true);
	if (sip_msg_parse(&msg, buf, len, stream) != SIP_PARSE_OK)
		return NULL;
	testmap_init(&map);
	map.shift = gw->shift;
	if (!out)
		testmap_register(&map, "100", "192.168.1.20", "5060", &host.seen, &peer.real);
	testmap_flow(&map, gw->transport, out ? &host : &peer, out ? &peer : &host);
	testmap_plan(&map, &msg, &plan);
	broken = check_plan(&plan, &msg);
	if (broken)
		return broken;
	if (plan.n_edits && (sip_ap_equal(&host.real, &host.seen) ||
			     !strcmp(gw->name, "nobody's address")))
		return "untouched";
	n = sip_plan_apply(&plan, &msg, result, sizeof(result));
	if (n != plan.new_total || sip_plan_apply(&plan, &msg, answer, n ? n - 1 : 0))
		return "apply: length";
	broken = prop_kept(result, n);
	if (!broken)
		broken = prop_readable(result, n, stream);
	if (!broken && out)
		broken = prop_idempotent(result, n, stream);
	if (!broken && out && !hairpin)
		broken = prop_inverse(&host, &peer, gw->transport, n);
	return broken;
}

/* All gateways, both ways. */
static const char *prop_all(const u8 *buf, u32 len)
{
	const char *broken;
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(gateways); i++) {
		broken = prop_way(&gateways[i], buf, len, true);
		if (!broken)
			broken = prop_way(&gateways[i], buf, len, false);
		if (broken)
			return broken;
	}
	return NULL;
}

/* Cut after @len bytes, in a buffer that ends there. */
static const char *prop_cut_at(const u8 *bytes, u32 len, u32 whole)
{
	u8 *copy = guard_copy(bytes, len);
	const char *broken = NULL;
	enum sip_parse parsed;

	if (sip_msg_parse(&msg, copy, len, false) == SIP_PARSE_OK)
		broken = prop_way(&gateways[0], copy, len, true);
	/* R38, R41: the beginning of a good message is waited for. */
	parsed = sip_msg_parse(&msg, copy, len, true);
	if (!broken && len < whole && parsed != SIP_PARSE_MORE)
		broken = "cut: does not wait";
	if (!broken && parsed == SIP_PARSE_OK)
		broken = prop_way(&gateways[3], copy, len, true);
	guard_free(copy, len);
	return broken;
}

/* Every length; a message that is good over a stream must be waited for. */
static const char *prop_cut(const u8 *bytes, u32 len)
{
	u32 whole = 0;
	const char *broken;
	u32 cut;

	if (sip_msg_parse(&msg, bytes, len, true) == SIP_PARSE_OK)
		whole = msg.total;
	for (cut = 0; cut <= len; cut++) {
		broken = prop_cut_at(bytes, cut, whole);
		if (broken)
			return broken;
	}
	return NULL;
}

/* ---- making failures small ---------------------------------------------- */

/* Fails on purpose: a message whose Contact is mapped. */
static const char *prop_planted(const u8 *buf, u32 len)
{
	u32 i;

	plan.n_edits = 0;
	if (prop_way(&gateways[0], buf, len, true))
		return NULL;
	for (i = 0; i < plan.n_edits; i++)
		if (plan.edit[i].field == SIP_F_CONTACT)
			return "planted";
	return NULL;
}

typedef const char *(*property)(const u8 *buf, u32 len);

/* Take out pieces, large ones first, while the same property fails. */
static u32 shrink(property prop, const char *name, u8 *buf, u32 len)
{
	static u8 trial[ROOM];
	bool smaller = true;
	u32 piece, at;

	while (smaller) {
		smaller = false;
		for (piece = len / 2; piece; piece /= 2) {
			for (at = 0; at + piece <= len;) {
				const char *broken;

				memcpy(trial, buf, at);
				memcpy(trial + at, buf + at + piece, len - at - piece);
				broken = prop(trial, len - piece);
				if (broken && !strcmp(broken, name)) {
					len -= piece;
					memcpy(buf, trial, len);
					smaller = true;
				} else {
					at += piece;
				}
			}
		}
	}
	return len;
}

static bool holds(property prop, const u8 *bytes, u32 len)
{
	static u8 small[ROOM];
	const char *broken = prop(bytes, len);

	if (!broken)
		return true;
	memcpy(small, bytes, len);
	len = shrink(prop, broken, small, len);
	tap_note("does not hold: %s, %u bytes", broken, len);
	print_bytes("message", small, len);
	return false;
}

/* ---- sources of messages ------------------------------------------------ */

static void made_up(u64 seed, u32 count)
{
	static struct gen gen;
	u32 good = 0, bad = 0, readable = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		gen.seed = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
		gen_message(&gen);
		if (sip_msg_parse(&msg, gen.text, gen.len, false) == SIP_PARSE_OK)
			good++;
		if (!holds(prop_all, gen.text, gen.len) && ++bad > 2)
			break;
	}
	tap_ok(!bad, "properties of %u messages made up, from %llu", i,
	       (unsigned long long)seed);
	tap_ok(good > count - count / 4, "%u of them can be read", good);

	for (i = 0, bad = 0; i < count; i++) {
		gen.seed = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
		gen_message(&gen);
		gen_damage(&gen);
		if (sip_msg_parse(&msg, gen.text, gen.len, false) == SIP_PARSE_OK)
			readable++;
		if (!holds(prop_all, gen.text, gen.len) && ++bad > 2)
			break;
	}
	tap_ok(!bad, "properties of %u messages damaged, %u still readable", i, readable);
	tap_ok(readable < count, "damage damages");

	for (i = 0, bad = 0; i < count / 50; i++) {
		gen.seed = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
		gen_message(&gen);
		if (!holds(prop_cut, gen.text, gen.len) && ++bad > 2)
			break;
	}
	tap_ok(!bad, "%u messages cut at every length", i);
}

/*
 * A message as phones write it, its values of each length: where words of eight
 * bytes end, and what may be read behind them, is another place each time.
 */
static void lengths(void)
{
	static const char fill[] = "abcdefghijklmnopqrstuvwxyz012345";
	static const char form[] =
		"INVITE sip:%1$.*2$s@192.0.2.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK%1$.*2$s;rport\r\n"
		"From: \"%1$.*2$s\" <sip:%1$.*2$s@192.0.2.1>;tag=%1$.*2$s\r\n"
		"To: %1$.*2$s <sip:%1$.*2$s@192.0.2.1>\r\n"
		"Call-ID: %1$.*2$s\r\nCSeq: 1 INVITE\r\n"
		"Contact: <sip:%1$.*2$s@192.168.1.20:5060>\r\n"
		"User-Agent: %1$.*2$s\r\nContent-Type: application/sdp\r\n"
		"Content-Length: %3$d\r\n\r\n"
		"v=0\r\no=- 1 1 IN IP4 192.168.1.20\r\ns=%1$.*2$s\r\n"
		"c=IN IP4 192.168.1.20\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"
		"a=rtpmap:0 %1$.*2$s/8000\r\na=rtpmap:101 %1$.*2$s/8000\r\n";
	static char text[ROOM];
	u32 bad = 0;
	int n, len;

	for (n = 1; n < (int)sizeof(fill); n++) {
		snprintf(text, sizeof(text), form, fill, n, 0);
		len = (int)strlen(strstr(text, "\r\n\r\n")) - 4;
		len = snprintf(text, sizeof(text), form, fill, n, len);
		if (sip_msg_parse(&msg, (u8 *)text, (u32)len, true) != SIP_PARSE_OK ||
		    !holds(prop_all, (u8 *)text, (u32)len) ||
		    !holds(prop_cut, (u8 *)text, (u32)len))
			bad++;
	}
	tap_ok(!bad, "values of 1 to %d bytes, cut at every length", n - 1);
}

static void one_file(const char *path, u32 *count, u32 *bad)
{
	size_t size = 0;
	u8 *bytes = read_file(path, &size);

	if (!bytes || size > SIP_MAX_MSG) {
		(*bad)++;
		tap_note("cannot be read: %s", path);
	} else {
		(*count)++;
		if (!holds(prop_all, bytes, (u32)size) || !holds(prop_cut, bytes, (u32)size)) {
			(*bad)++;
			tap_note("from %s", path);
		}
	}
	free(bytes);
}

static void folder(const char *dir, u32 *count, u32 *bad)
{
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort);
	int i;

	for (i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		const char *dot = strrchr(name, '.');
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", dir, name);
		if (*name != '.' && list[i]->d_type == DT_DIR)
			folder(path, count, bad);
		else if (dot && !strcmp(dot, ".sip"))
			one_file(path, count, bad);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static void planted(void)
{
	static struct gen gen;
	static u8 small[ROOM];
	u32 i, len = 0;

	for (i = 1; !len && i < 1000; i++) {
		gen.seed = i * 0x9e3779b97f4a7c15ULL | 1;
		gen_message(&gen);
		if (gen.len > 500 && prop_planted(gen.text, gen.len)) {
			memcpy(small, gen.text, gen.len);
			len = shrink(prop_planted, "planted", small, gen.len);
		}
	}
	if (!tap_ok(len && len < 200, "a failure of %u bytes shrinks to %u", gen.len, len))
		print_bytes("left", small, len);
}

int main(int argc, char **argv)
{
	u32 count = 2000;
	u64 seed = 1;
	int option;

	while ((option = getopt(argc, argv, "n:s:")) > 0) {
		if (option == 'n')
			count = (u32)strtoul(optarg, NULL, 10);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	planted();
	made_up(seed, count);
	lengths();
	for (; optind < argc; optind++) {
		u32 files = 0, bad = 0;

		folder(argv[optind], &files, &bad);
		tap_ok(!bad && files, "properties of %u messages of %s, each cut at every length",
		       files, argv[optind]);
	}
	return tap_done();
}
