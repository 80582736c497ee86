// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench.c - what parsing and planning a message costs, in instructions.
 *
 * Run under callgrind by scripts/bench-core, which reads the numbers from the
 * profiles that it dumps: one for each line of "LABEL BYTES" that this prints,
 * in that order. Each message is handled once before it is measured, so that
 * no symbol is looked up while the counter runs. The address map answers at
 * once, so only the core is measured.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#include "plan.h"

#define MAX_BYTES 65535u

static struct sip_msg msg;
static struct sip_plan plan;
static u8 out[2 * MAX_BYTES];

/* ---- an address map that knows everything -------------------------------- */

static enum sip_reason map_all(void *priv, const struct sip_map_query *q, struct sip_ap *seen)
{
	const struct sip_ctx *ctx = priv;

	seen->ip = ctx->snd.seen.ip;
	seen->port = q->ap.port;
	return SIP_R_OK;
}

static enum sip_reason unmap_all(void *priv, const struct sip_unmap_query *q,
				 struct sip_written *written)
{
	const struct sip_ctx *ctx = priv;

	if (!sip_ap_equal(&q->ap, &ctx->rcv.seen))
		return SIP_R_FOREIGN_ADDR;
	written->host_len = (u8)sip_ip_format(&ctx->rcv.real.ip, written->text);
	written->port_len = (u8)sip_port_format(ctx->rcv.real.port,
						written->text + written->host_len);
	return SIP_R_OK;
}

static enum sip_reason map_media_all(void *priv, const struct sip_media_query *q,
				     struct sip_media_answer *a)
{
	const struct sip_ctx *ctx = priv;

	if (!q->self)
		return SIP_R_FOREIGN_ADDR;
	a->rtp.ip = ctx->snd.seen.ip;
	a->rtp.port = (u16)(q->rtp.port + 1000);
	a->rtcp = a->rtp;
	a->rtcp.port++;
	return SIP_R_OK;
}

static enum sip_reason unmap_media_none(void *priv, const struct sip_ap *seen, struct sip_ap *real)
{
	(void)priv;
	*real = *seen;
	return SIP_R_FOREIGN_ADDR;
}

static const struct sip_map_ops map_ops = {
	.map = map_all,
	.unmap = unmap_all,
	.map_media = map_media_all,
	.unmap_media = unmap_media_none,
};

static struct sip_ap ap_of(const char *ip, u16 port)
{
	struct sip_ap ap = { .port = port };

	if (!sip_ip_parse((const u8 *)ip, (u32)strlen(ip), &ap.ip))
		exit(2);
	return ap;
}

/* A phone at 192.168.1.20 that is 203.0.113.1:40312 outside. */
static struct sip_ctx path_of(bool leaves, void *priv)
{
	struct sip_ctx ctx = { .transport = SIP_T_UDP, .ops = &map_ops, .priv = priv };
	struct sip_end phone = { .inside = true };
	struct sip_end proxy = { .inside = false };

	phone.real = ap_of("192.168.1.20", 5060);
	phone.seen = ap_of("203.0.113.1", 40312);
	proxy.real = ap_of("198.51.100.5", 5060);
	proxy.seen = proxy.real;
	ctx.snd = leaves ? phone : proxy;
	ctx.rcv = leaves ? proxy : phone;
	return ctx;
}

/* ---- messages ------------------------------------------------------------ */

struct text {
	u32 len;
	u8 bytes[MAX_BYTES];
};

static struct text text;

static void put(const char *s)
{
	u32 len = (u32)strlen(s);

	if (len > MAX_BYTES - text.len)
		len = MAX_BYTES - text.len;
	memcpy(text.bytes + text.len, s, len);
	text.len += len;
}

static void fill(const char *s, u32 len)
{
	u32 step = (u32)strlen(s);

	while (text.len + step <= len)
		put(s);
}

static void put_number(const char *before, u32 number, const char *after)
{
	char line[256];

	snprintf(line, sizeof(line), "%s%u%s", before, number, after);
	put(line);
}

static void put_body(const char *body)
{
	put_number("Content-Length: ", (u32)strlen(body), "\r\n\r\n");
	put(body);
}

#define IDS(tag, method) \
	"Max-Forwards: 70\r\n" \
	"From: \"Alice\" <sip:alice@example.com>;tag=9fxced76sl\r\n" \
	"To: \"Bob\" <sip:bob@example.net>" tag "\r\n" \
	"Call-ID: 3848276298220188511@192.168.1.20\r\n" \
	"CSeq: 20 " method "\r\n"

#define VIA_OUT "Via: SIP/2.0/UDP 192.168.1.20:5060;rport;branch=z9hG4bK74bf9kdw\r\n"
#define VIA_IN "Via: SIP/2.0/UDP 203.0.113.1:40312;rport=40312;received=203.0.113.1;branch=z9hG4bK74bf9\r\n"
#define ALLOW \
	"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, UPDATE\r\n" \
	"Supported: replaces, timer, path, outbound\r\n" \
	"User-Agent: Example Desk Phone 46/108.86.0.20\r\n"

#define CODECS \
	"a=rtpmap:9 G722/8000\r\n" \
	"a=rtpmap:8 PCMA/8000\r\n" \
	"a=rtpmap:0 PCMU/8000\r\n" \
	"a=rtpmap:18 G729/8000\r\n" \
	"a=fmtp:18 annexb=no\r\n" \
	"a=rtpmap:101 telephone-event/8000\r\n" \
	"a=fmtp:101 0-15\r\n" \
	"a=ptime:20\r\n" \
	"a=sendrecv\r\n"

#define SDP(ip) \
	"v=0\r\n" \
	"o=- 20082 20082 IN IP4 " ip "\r\n" \
	"s=SDP data\r\n" \
	"c=IN IP4 " ip "\r\n" \
	"t=0 0\r\n" \
	"m=audio 11796 RTP/AVP 9 8 0 18 101\r\n" \
	CODECS

static void make_options(void)
{
	put("OPTIONS sip:example.net SIP/2.0\r\n" VIA_OUT IDS("", "OPTIONS")
	    "Contact: <sip:alice@192.168.1.20:5060>\r\nAccept: application/sdp\r\n" ALLOW
	    "Content-Length: 0\r\n\r\n");
}

static void make_register(void)
{
	put("REGISTER sip:example.com SIP/2.0\r\n" VIA_OUT IDS("", "REGISTER")
	    "Contact: <sip:alice@192.168.1.20:5060;line=a5f2>;expires=3600;"
	    "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-805ec0000001>\"\r\n"
	    "Authorization: Digest username=\"alice\", realm=\"example.com\", "
	    "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"sip:example.com\", "
	    "response=\"6629fae49393a05397450978507c4ef1\", algorithm=MD5, cnonce=\"0a4f113b\", "
	    "qop=auth, nc=00000001\r\n" ALLOW
	    "Expires: 3600\r\nContent-Length: 0\r\n\r\n");
}

static void make_invite(void)
{
	put("INVITE sip:bob@example.net SIP/2.0\r\n" VIA_OUT IDS("", "INVITE")
	    "Contact: <sip:alice@192.168.1.20:5060>\r\n"
	    "Content-Type: application/sdp\r\n" ALLOW);
	put_body(SDP("192.168.1.20"));
}

static void make_answer(void)
{
	put("SIP/2.0 200 OK\r\n" VIA_IN IDS(";tag=8321234356", "INVITE")
	    "Record-Route: <sip:198.51.100.5;lr;ftag=9fxced76sl>\r\n"
	    "Contact: <sip:bob@198.51.100.77:5060>\r\n"
	    "Content-Type: application/sdp\r\n" ALLOW);
	put_body(SDP("198.51.100.78"));
}

static void put_ice(char *body, const char *kind, u32 port)
{
	char *at = body + strlen(body);
	u32 i;

	at += sprintf(at, "m=%s %u UDP/TLS/RTP/SAVPF 96 97 98 99\r\n", kind, port);
	at += sprintf(at, "a=rtcp:%u IN IP4 192.168.1.20\r\n" CODECS, port + 1);
	at += sprintf(at, "a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=setup:actpass\r\n");
	for (i = 0; i < 12; i++)
		at += sprintf(at, "a=candidate:%u %u udp %u 192.168.%u.20 %u typ host generation 0\r\n",
			      i, i % 2 + 1, 2113937151 - i, i / 2 + 1, port + i % 2);
}

static void make_ice(void)
{
	static char body[4096];

	strcpy(body, "v=0\r\no=- 4611731400430051336 2 IN IP4 192.168.1.20\r\ns=-\r\n"
	       "c=IN IP4 192.168.1.20\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n");
	put_ice(body, "audio", 30000);
	strcat(body, "a=mid:0\r\n");
	put_ice(body, "video", 30002);
	strcat(body, "a=mid:1\r\n");
	put("INVITE sip:bob@example.net SIP/2.0\r\n" VIA_OUT IDS("", "INVITE")
	    "Contact: <sip:alice@192.168.1.20:5060>\r\n"
	    "Content-Type: application/sdp\r\n" ALLOW);
	put_body(body);
}

static void make_long(void)
{
	u32 i;

	put("INVITE sip:bob@example.net SIP/2.0\r\n" VIA_OUT);
	for (i = 1; i < 20; i++)
		put_number("Via: SIP/2.0/UDP proxy", i, ".carrier.example:5060;branch=z9hG4bK-524287-1-"
			   "ae0b6f2d9c4f4d6b8d7d39b0a1a9d3ec;received=198.51.100.40;rport=5060\r\n");
	for (i = 0; i < 15; i++)
		put_number("Record-Route: <sip:198.51.100.", 100 + i,
			   ":5060;transport=udp;lr;ftag=9fxced76sl;did=6f1.0ab1;vsf=AAAAABgAAAAAAAAB>\r\n");
	put(IDS("", "INVITE") "Contact: <sip:alice@192.168.1.20:5060>\r\n"
	    "P-Asserted-Identity: <sip:+12025550123@example.com>\r\n"
	    "Content-Type: application/sdp\r\n" ALLOW
	    "X-Charging: ");
	fill("0123456789abcdef", 5200);
	put("\r\n");
	put_body(SDP("192.168.1.20"));
}

/* ---- hostile ones: a head, and a value or body that is all the same ------- */

static const struct hostile {
	const char *name;
	const char *before; /* behind the usual head */
	const char *unit;
	const char *after;
} hostile[] = {
	{ "commas", "Contact: ", ",", "\r\n\r\n" },
	{ "commas in Via", NULL, ",", "\r\n\r\n" },
	{ "values", "Contact: ", "<sip:a@b>,", "\r\n\r\n" },
	{ "bare values", "Route: ", "sip:a,", "\r\n\r\n" },
	{ "folds", "Contact: <sip:a@b>", "\r\n ", ";x\r\n\r\n" },
	{ "folds without end", "Subject: a", "\r\n ", "\r\n\r\n" },
	{ "<", "Contact: ", "<", "\r\n\r\n" },
	{ "< in brackets", "Contact: <", "<", ">\r\n\r\n" },
	{ "\\", "Contact: \"", "\\", "\r\n\r\n" },
	{ "\\ in quotes", "Contact: \"", "\\\\", "\" <sip:a@b>\r\n\r\n" },
	{ "quotes", "Contact: ", "\"\"", "\r\n\r\n" },
	{ ";", "Contact: <sip:a@b>", ";", "\r\n\r\n" },
	{ "; in a URI", "Contact: <sip:a@b", ";", ">\r\n\r\n" },
	{ "; before @", "Contact: <sip:a", ";a:", "@192.168.1.20>\r\n\r\n" },
	{ "@", "Contact: <sip:", "a@", ">\r\n\r\n" },
	{ "?", "Contact: <sip:b", "?", ">\r\n\r\n" },
	{ "comments", "Contact: <sip:a@b>", "(", "\r\n\r\n" },
	{ "zeros of a port", "Contact: <sip:192.168.1.20:", "0", "5060>\r\n\r\n" },
	{ "digits of a host", "Contact: <sip:", "1", ">\r\n\r\n" },
	{ "colons of a host", "Contact: <sip:[", ":", "]>\r\n\r\n" },
	{ "parameters", "Contact: <sip:a@b;x", ";maddr=1.1.1.1", ">\r\n\r\n" },
	{ "empty headers", "Subject: a\r\n", "a:\r\n", "\r\n" },
	{ "Vias", "Subject: a\r\n", "v:a\r\n", "\r\n" },
	{ "lines without colon", "Subject: a\r\n", "a\r\n", "\r\n" },
	{ "blanks before a colon", "Subject: a\r\nX", " ", ": y\r\n\r\n" },
	{ "a name", "Subject: a\r\n", "a", ": y\r\n\r\n" },
	{ "credentials", "Authorization: Digest ", "qop=x,", "\r\n\r\n" },
	{ "SDP lines", "Content-Type: application/sdp\r\n\r\nv=0\r\n", "a=\r\n", "" },
	{ "SDP bare LF", "Content-Type: application/sdp\r\n\r\nv=0\r\n", "\n", "" },
	{ "SDP m=", "Content-Type: application/sdp\r\n\r\nv=0\r\n", "m=\r\n", "" },
	{ "SDP c=", "Content-Type: application/sdp\r\n\r\nv=0\r\n", "c=IN IP4 1.1.1.1\r\n", "" },
	{ "SDP candidates", "Content-Type: application/sdp\r\n\r\nv=0\r\nm=audio 4000 RTP/AVP 0\r\n",
	  "a=candidate:1 1 udp 1 192.168.1.20 4000 typ host\r\n", "" },
	{ "SDP groups", "Content-Type: application/sdp\r\n\r\nv=0\r\n"
	  "c=IN IP4 192.168.1.20\r\na=group:BUNDLE", " a", "\r\nm=audio 4000 RTP/AVP 0\r\na=mid:b\r\n"
	  "m=audio 4002 RTP/AVP 0\r\na=mid:c\r\nm=audio 4004 RTP/AVP 0\r\na=mid:d\r\n" },
	{ "SDP blanks", "Content-Type: application/sdp\r\n\r\nv=0\r\nm=audio", " ", "4000\r\n" },
	{ "SDP protocol", "Content-Type: application/sdp\r\n\r\nv=0\r\nm=audio 4000 UDP", "/", " 0\r\n" },
	{ "boundaries", "Content-Type: multipart/mixed;boundary=b\r\n\r\n", "--b\r\n", "--b--\r\n" },
	{ "boundaries that are none", "Content-Type: multipart/mixed;boundary=bbbbbbbbbbbbbbbb\r\n\r\n",
	  "--bbbbbbbbbbbbbbbx\r\n", "" },
	{ "nested parts", "Content-Type: multipart/mixed;boundary=b\r\n\r\n",
	  "--b\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n", "" },
};

static void make_hostile(const struct hostile *h, u32 size)
{
	u32 after = (u32)strlen(h->after);

	put("INVITE sip:bob@example.net SIP/2.0\r\n");
	if (!h->before) {
		put("Via: ");
		fill(h->unit, size - 300);
		put("SIP/2.0/UDP 192.168.1.20\r\n" IDS("", "INVITE") "\r\n");
		return;
	}
	put(VIA_OUT IDS("", "INVITE"));
	put(h->before);
	fill(h->unit, size - after);
	put(h->after);
}

/* ---- measuring ----------------------------------------------------------- */

static __attribute__((noinline)) bool handle(const struct sip_ctx *ctx, u32 len, u32 *edits)
{
	if (sip_msg_parse(&msg, text.bytes, len, false) != SIP_PARSE_OK)
		return false;
	if (sip_plan_make(&plan, &msg, ctx) != SIP_R_OK)
		return false;
	*edits = plan.n_edits;
	return true;
}

static void measure(const char *label, bool leaves, bool may_fail)
{
	struct sip_ctx ctx = path_of(leaves, &ctx);
	u32 edits = 0;
	bool good = handle(&ctx, text.len, &edits);

	if (!good && !may_fail) {
		fprintf(stderr, "%s: %s\n", label,
			sip_reason_name(msg.reason ? msg.reason : plan.reason));
		exit(1);
	}
	CALLGRIND_ZERO_STATS;
	handle(&ctx, text.len, &edits);
	CALLGRIND_DUMP_STATS_AT(label);
	printf("%s\t%u\t%u\n", label, text.len, edits);
}

static volatile u32 found;

static void measure_parts(const char *name, bool leaves)
{
	struct sip_ctx ctx = path_of(leaves, &ctx);
	char label[64];
	const u8 *at;

	measure(name, leaves, false);
	snprintf(label, sizeof(label), "%s: parse alone", name);
	CALLGRIND_ZERO_STATS;
	sip_msg_parse(&msg, text.bytes, text.len, false);
	CALLGRIND_DUMP_STATS_AT(label);
	printf("%s\t%u\t0\n", label, text.len);

	sip_plan_make(&plan, &msg, &ctx);
	sip_plan_apply(&plan, &msg, out, sizeof(out));
	snprintf(label, sizeof(label), "%s: apply", name);
	CALLGRIND_ZERO_STATS;
	sip_plan_apply(&plan, &msg, out, sizeof(out));
	CALLGRIND_DUMP_STATS_AT(label);
	printf("%s\t%u\t0\n", label, text.len);

	/* The least that anything can do that looks at each byte: memchr. */
	at = memchr(text.bytes, 0xff, text.len);
	snprintf(label, sizeof(label), "%s: memchr", name);
	CALLGRIND_ZERO_STATS;
	at = memchr(text.bytes, 0xff, text.len);
	CALLGRIND_DUMP_STATS_AT(label);
	found = at ? 1 : 0;
	printf("%s\t%u\t0\n", label, text.len);
}

static void make(void (*maker)(void))
{
	text.len = 0;
	maker();
}

int main(void)
{
	static const struct {
		const char *name;
		void (*maker)(void);
		bool leaves;
	} usual[] = {
		{ "OPTIONS", make_options, true },
		{ "REGISTER", make_register, true },
		{ "INVITE with SDP", make_invite, true },
		{ "200 with SDP", make_answer, false },
		{ "INVITE with ICE", make_ice, true },
		{ "INVITE, 20 Via, 15 Record-Route", make_long, true },
	};
	static const u32 sizes[] = { 4096, 16384, 65535 };
	char label[64];
	u32 i, j;

	for (i = 0; i < SIP_ARRAY_SIZE(usual); i++) {
		make(usual[i].maker);
		measure_parts(usual[i].name, usual[i].leaves);
	}
	for (i = 0; i < SIP_ARRAY_SIZE(hostile); i++) {
		for (j = 0; j < SIP_ARRAY_SIZE(sizes); j++) {
			text.len = 0;
			make_hostile(&hostile[i], sizes[j]);
			snprintf(label, sizeof(label), "hostile: %s", hostile[i].name);
			measure(label, true, true);
		}
	}
	return 0;
}
