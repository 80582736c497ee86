// SPDX-License-Identifier: GPL-2.0-only
/*
 * media.c - what the planner asks of the address map about media, and what it
 * makes of answers that a simple map never gives.
 *
 * The map here writes down each question and answers as the test says. The
 * text of descriptions is covered by cases/sdp*.case.
 */
#include "check.h"
#include "tap.h"
#include "testmap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ASKED 32

/* One question, without the stream, which does not outlive it. */
struct asked {
	struct sip_ap rtp;
	struct sip_ap rtcp;
	u16 count;
	enum sdp_proto proto;
	bool self;
	bool public;
	bool existing_only;
};

static struct {
	unsigned int n;
	struct asked q[MAX_ASKED];
	/* the answers: reason, outside address per question, port plus shift */
	enum sip_reason reason[MAX_ASKED];
	const char *ip[MAX_ASKED];
	u16 shift;
	bool no_rtcp;
} world;

static struct sip_msg msg;
static struct sip_plan plan;
static char result[SIP_MAX_MSG + SIP_MAX_PLAN_TEXT];
static struct sip_ctx ctx;

static struct sip_ap ap_of(const char *text)
{
	struct sip_ap ap;

	if (!testmap_ap(text, &ap))
		abort();
	return ap;
}

static enum sip_reason op_map(void *priv, const struct sip_map_query *q, struct sip_ap *seen)
{
	(void)priv;
	(void)q;
	(void)seen;
	return SIP_R_FOREIGN_ADDR;
}

static enum sip_reason op_unmap(void *priv, const struct sip_unmap_query *q,
				struct sip_written *written)
{
	(void)priv;
	(void)q;
	(void)written;
	return SIP_R_FOREIGN_ADDR;
}

static enum sip_reason op_map_media(void *priv, const struct sip_media_query *q,
				    struct sip_media_answer *a)
{
	unsigned int n = world.n++;
	struct asked *asked = &world.q[n];

	(void)priv;
	if (n >= MAX_ASKED)
		abort();
	asked->rtp = q->rtp;
	asked->rtcp = q->rtcp;
	asked->count = q->count;
	asked->proto = q->stream->proto;
	asked->self = q->self;
	asked->public = q->public;
	asked->existing_only = q->existing_only;
	if (world.reason[n])
		return world.reason[n];
	a->rtp = world.ip[n] ? ap_of(world.ip[n]) : ctx.snd.seen;
	a->rtcp.ip = a->rtp.ip;
	a->rtp.port = (u16)(q->rtp.port + world.shift);
	/* What was not asked for may hold anything. */
	a->rtcp.port = world.no_rtcp ? 0 : (u16)(q->rtcp.port + world.shift);
	return SIP_R_OK;
}

static enum sip_reason op_unmap_media(void *priv, const struct sip_ap *seen, struct sip_ap *real)
{
	(void)priv;
	(void)seen;
	(void)real;
	return SIP_R_FOREIGN_ADDR;
}

static const struct sip_map_ops ops = {
	.map = op_map,
	.unmap = op_unmap,
	.map_media = op_map_media,
	.unmap_media = op_unmap_media,
};

/* The phone at 192.168.1.20, seen as 203.0.113.1:40312; all as asked plus 100. */
static void fresh(void)
{
	memset(&world, 0, sizeof(world));
	world.shift = 100;
	memset(&ctx, 0, sizeof(ctx));
	ctx.transport = SIP_T_UDP;
	ctx.snd.real = ap_of("192.168.1.20:5060");
	ctx.snd.seen = ap_of("203.0.113.1:40312");
	ctx.snd.inside = true;
	ctx.rcv.real = ap_of("198.51.100.10:5060");
	ctx.rcv.seen = ctx.rcv.real;
	ctx.ops = &ops;
}

/* Plan an INVITE with this body ("|" is CRLF); what leaves is in @result. */
static enum sip_reason plan_body(const char *body)
{
	static u8 text[SIP_MAX_MSG];
	int len = snprintf((char *)text, sizeof(text),
			   "INVITE sip:b@example.com SIP/2.0\r\n"
			   "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKm\r\n"
			   "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
			   "Call-ID: m\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n"
			   "\r\n");
	enum sip_reason reason;
	u32 n;

	for (; *body; body++) {
		if (*body == '|')
			text[len++] = '\r';
		text[len++] = *body == '|' ? '\n' : (u8)*body;
	}
	if (sip_msg_parse(&msg, text, (u32)len, false) != SIP_PARSE_OK)
		abort();
	reason = sip_plan_make(&plan, &msg, &ctx);
	if (check_plan(&plan, &msg))
		abort();
	n = sip_plan_apply(&plan, &msg, (u8 *)result, sizeof(result) - 1);
	result[n] = 0;
	return reason;
}

static bool says(const char *line)
{
	return strstr(result, line);
}

static bool ap_is(const struct sip_ap *ap, const char *text)
{
	struct sip_ap want = ap_of(text);

	return sip_ap_equal(ap, &want);
}

static bool noted(enum sip_reason reason)
{
	u32 i;

	for (i = 0; i < plan.n_notes; i++)
		if (plan.note[i].reason == reason)
			return true;
	return false;
}

/* ---- questions ---------------------------------------------------------- */

static void test_questions(void)
{
	fresh();
	tap_ok(!plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 16384/3 RTP/AVP 0|a=rtcp-mux|"
			  "m=image 16400 udptl t38|a=rtcp:16401|m=message 16402 TCP/MSRP *|"
			  "m=audio 65535 RTP/AVP 0|") &&
	       world.n == 4, "each stream of the sender is asked for once");
	tap_ok(ap_is(&world.q[0].rtp, "192.168.1.20:16384") &&
	       ap_is(&world.q[0].rtcp, "192.168.1.20:16385") && world.q[0].count == 3 &&
	       world.q[0].self && !world.q[0].public && !world.q[0].existing_only,
	       "RTP asks for RTCP on the next port, with rtcp-mux too (RFC 5761 5.1.1)");
	tap_ok(ap_is(&world.q[1].rtp, "192.168.1.20:16400") && !world.q[1].rtcp.port &&
	       world.q[1].proto == SDP_UDP_RAW && world.q[1].count == 1,
	       "T.38 asks for one port, whatever a=rtcp says");
	tap_ok(world.q[2].proto == SDP_TCP && !world.q[2].rtcp.port, "TCP asks for one port");
	tap_ok(ap_is(&world.q[3].rtp, "192.168.1.20:65535") && !world.q[3].rtcp.port,
	       "port 65535 has no next one");
	fresh();
	plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|a=rtcp:16384|"
		  "m=image 16400 udptl t38|a=rtcp:16400|");
	tap_ok(says("m=audio 16484 RTP/AVP 0\r\na=rtcp:16484\r\n"
		    "m=image 16500 udptl t38\r\na=rtcp:16400\r\n"),
	       "a=rtcp on RTP's own port goes with it; where there is no RTP it means nothing");
}

static void test_not_asked(void)
{
	fresh();
	plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 0 RTP/AVP 0|m=audio 9 RTP/AVP 0|"
		  "m=audio 1023 RTP/AVP 0|m=audio 65536 RTP/AVP 0|m=x 16384 SCTP 0|"
		  "m=audio 16384 RTP/AVP 0|c=IN IP4 h.example.com|"
		  "m=audio 16384 RTP/AVP 0|c=IN IP4 255.255.255.255|"
		  "m=audio 16384 RTP/AVP 0|c=IN IP4 127.0.0.1|"
		  "m=audio 16384 RTP/AVP 0|c=IN IP4 239.1.1.1/127|"
		  "m=audio 16384 RTP/AVP 0|c=IN IP6 ff02::1|m=audio 16384 RTP/AVP 0|c=IN IP6 ::1|");
	tap_ok(!world.n && plan.n_media == 11 && !plan.n_edits && plan.sdp_counts,
	       "nothing is asked where nothing can be sent to");
	tap_ok(noted(SIP_R_LOW_PORT) && noted(SIP_R_BAD_NUMBER) && noted(SIP_R_FQDN) &&
	       noted(SIP_R_MULTICAST), "and the reasons are noted");
}

static void test_other_host(void)
{
	fresh();
	world.reason[0] = SIP_R_OTHER_HOST;
	plan_body("v=0|c=IN IP4 192.168.1.71|m=audio 16384 RTP/AVP 0|");
	tap_ok(world.n == 1 && !world.q[0].self && !world.q[0].public && !plan.n_edits &&
	       !plan.media[0].mapped && noted(SIP_R_OTHER_HOST),
	       "another host is asked for, and its refusal is noted");
	tap_ok(ap_is(&plan.media[0].rtp, "192.168.1.71:16384") &&
	       ap_is(&plan.media[0].rtcp, "192.168.1.71:16385"),
	       "the fact is as written");
	fresh();
	plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|a=rtcp:16384 IN IP4 192.0.2.9|"
		  "m=audio 16390 RTP/AVP 0|a=rtcp:16390 IN IP4 h.example.com|"
		  "m=audio 16392 RTP/AVP 0|a=rtcp:16392 IN IP4 192.168.1.20|");
	tap_ok(says("c=IN IP4 203.0.113.1\r\nm=audio 16484 RTP/AVP 0\r\n"
		    "a=rtcp:16384 IN IP4 192.0.2.9\r\nm=audio 16490 RTP/AVP 0\r\n"
		    "a=rtcp:16390 IN IP4 h.example.com\r\nm=audio 16492 RTP/AVP 0\r\n"
		    "a=rtcp:16492 IN IP4 203.0.113.1\r\n") && noted(SIP_R_OTHER_HOST),
	       "RTCP elsewhere keeps its port, also where the number is RTP's");
}

static void test_hold(void)
{
	fresh();
	plan_body("v=0|c=IN IP4 0.0.0.0|m=audio 16384 RTP/AVP 0|a=rtcp:16390|");
	tap_ok(world.n == 1 && world.q[0].existing_only && world.q[0].self &&
	       ap_is(&world.q[0].rtp, "192.168.1.20:16384") &&
	       ap_is(&world.q[0].rtcp, "192.168.1.20:16390"),
	       "hold by 0.0.0.0 asks for what the call has at the sender's address");
	tap_ok(says("c=IN IP4 0.0.0.0\r\nm=audio 16484 RTP/AVP 0\r\na=rtcp:16490\r\n") &&
	       plan.media[0].hold && plan.media[0].mapped, "ports map, c= keeps");
	fresh();
	plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|c=IN IP4 0.0.0.0|");
	tap_ok(says("m=audio 16484 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n"),
	       "a c= of the stream's own keeps as well");
	fresh();
	world.no_rtcp = true;
	plan_body("v=0|c=IN IP6 ::|m=audio 16384 RTP/AVP 0|a=rtcp:16390 IN IP4 192.168.1.20|");
	tap_ok(says("m=audio 16484 RTP/AVP 0\r\na=rtcp:16390 IN IP4 192.168.1.20\r\n"),
	       "an RTCP port that the call does not have keeps");
	fresh();
	world.reason[0] = SIP_R_FOREIGN_ADDR;
	plan_body("v=0|c=IN IP4 0.0.0.0|m=audio 16384 RTP/AVP 0|");
	tap_ok(!plan.n_edits && !plan.n_notes && plan.media[0].hold && !plan.media[0].mapped,
	       "a port that the call does not have keeps, without a note");
	fresh();
	plan_body("v=0|c=IN IP4 0.0.0.0|m=audio 9 RTP/AVP 0|m=audio 0 RTP/AVP 0|");
	tap_ok(!world.n && !plan.media[0].hold && !plan.media[1].hold,
	       "0.0.0.0 with port 9 or 0 is no hold (RFC 8840 4.1.3)");
}

static void test_public(void)
{
	fresh();
	plan_body("v=0|c=IN IP4 203.0.113.1|m=audio 16384 RTP/AVP 0|"
		  "a=rtcp:16385 IN IP4 203.0.113.1|");
	tap_ok(world.n == 1 && world.q[0].public && !world.q[0].self &&
	       ap_is(&world.q[0].rtcp, "203.0.113.1:16385"),
	       "a public address is asked for as such");
	tap_ok(!plan.n_edits && plan.media[0].mapped &&
	       ap_is(&plan.media[0].seen, "203.0.113.1:16484"),
	       "and kept even if the answer is another port");
}

/* Source port translation alone: the same address at both sides. */
static void test_port_only(void)
{
	fresh();
	ctx.snd.seen.ip = ctx.snd.real.ip;
	plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|"
		  "a=candidate:1 1 UDP 1 192.168.1.20 16384 typ host|");
	tap_ok(world.q[0].self && !world.q[0].public &&
	       says("c=IN IP4 192.168.1.20\r\nm=audio 16484 RTP/AVP 0\r\n"
		    "a=candidate:1 1 UDP 1 192.168.1.20 16484 typ host\r\n"),
	       "where only ports are translated, ports map");
}

static void test_no_nat(void)
{
	fresh();
	ctx.snd.seen = ctx.snd.real;
	ctx.rcv.inside = true;
	plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|"
		  "a=candidate:1 1 UDP 1 192.168.1.20 16384 typ host|"
		  "m=audio 16386 RTP/AVP 0|c=IN IP4 0.0.0.0|");
	tap_ok(world.n == 2 && world.q[0].self && !world.q[0].public && plan.media[0].mapped &&
	       world.q[1].existing_only, "without NAT the streams are asked for too");
	tap_ok(!plan.n_edits, "and no answer changes a byte");
}

static void test_incoming(void)
{
	fresh();
	ctx.rcv = ctx.snd;
	memset(&ctx.snd, 0, sizeof(ctx.snd));
	ctx.snd.real = ap_of("198.51.100.10:5060");
	ctx.snd.seen = ctx.snd.real;
	plan_body("v=0|c=IN IP4 198.51.100.40|m=audio 500/2 RTP/AVP 0|a=inactive|"
		  "m=audio 6000 RTP/AVP 0|c=IN IP4 0.0.0.0|m=video 6002 RTP/AVP 31|"
		  "a=rtcp:7000 IN IP4 198.51.100.41|m=image 0 udptl t38|"
		  "m=audio 6004 RTP/AVP 0|c=IN IP4 h.example.com|");
	tap_ok(!world.n && !plan.n_edits && !plan.n_notes && plan.sdp_counts && plan.n_media == 5,
	       "of what comes in nothing is asked and nothing noted");
	tap_ok(ap_is(&plan.media[0].rtp, "198.51.100.40:500") &&
	       ap_is(&plan.media[0].rtcp, "198.51.100.40:501") && !plan.media[0].mapped,
	       "its streams are facts, low ports too");
	tap_ok(plan.media[1].hold && !plan.media[0].hold, "hold is seen");
	tap_ok(ap_is(&plan.media[2].rtcp, "198.51.100.41:7000"), "a=rtcp names another source");
	tap_ok(!plan.media[3].rtp.port && plan.media[4].rtp.ip.family == SIP_AF_NONE &&
	       plan.media[4].rtp.port == 6004, "a refused stream, and one at a name");
}

/* ---- answers ------------------------------------------------------------ */

static void test_conflict(void)
{
	static const char body[] = "v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|"
				   "m=video 16386 RTP/AVP 31|";
	static const char own[] = "v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|"
				  "m=video 16386 RTP/AVP 31|c=IN IP4 192.168.1.20|";

	fresh();
	world.ip[1] = "203.0.113.2";
	tap_ok(plan_body(body) == SIP_R_SESSION_CONFLICT && !plan.n_edits && !plan.n_media &&
	       !strncmp((const char *)msg.buf + plan.reason_off, "192.168.1.20", 12),
	       "one c= line would need two addresses: refused, with its place");
	fresh();
	world.ip[1] = "203.0.113.2";
	tap_ok(!plan_body(own) &&
	       says("c=IN IP4 203.0.113.1\r\nm=audio 16484 RTP/AVP 0\r\n"
		    "m=video 16486 RTP/AVP 31\r\nc=IN IP4 203.0.113.2\r\n"),
	       "with a c= of its own each has its address");
	fresh();
	world.reason[1] = SIP_R_TAKEN;
	tap_ok(!plan_body(body) && says("c=IN IP4 203.0.113.1\r\nm=audio 16484 RTP/AVP 0\r\n"
					"m=video 16386 RTP/AVP 31\r\n") && noted(SIP_R_TAKEN),
	       "a stream that was refused does not count");
}

static void test_session_follows(void)
{
	fresh();
	world.ip[0] = "203.0.113.2";
	plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|c=IN IP4 192.168.1.71|"
		  "m=audio 16386 RTP/AVP 0|c=IN IP4 192.168.1.20|");
	tap_ok(says("v=0\r\nc=IN IP4 203.0.113.1\r\n"),
	       "the session's own address goes before another stream's");
	fresh();
	plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|c=IN IP4 192.168.1.71|");
	tap_ok(says("v=0\r\nc=IN IP4 203.0.113.1\r\n"), "any mapped stream will do");
	fresh();
	plan_body("v=0|c=IN IP4 192.168.1.99|m=audio 16384 RTP/AVP 0|c=IN IP4 192.168.1.20|");
	tap_ok(says("v=0\r\nc=IN IP4 192.168.1.99\r\n"), "but not for a stranger's address");
	fresh();
	plan_body("v=0|c=IN IP4 0.0.0.0|m=audio 16384 RTP/AVP 0|c=IN IP4 192.168.1.20|");
	tap_ok(says("v=0\r\nc=IN IP4 0.0.0.0\r\n"), "nor for 0.0.0.0");
}

static void test_refusals(void)
{
	static const enum sip_reason refusing[] = { SIP_R_NO_PORT, SIP_R_TABLE_FULL,
						    SIP_R_HOST_QUOTA, SIP_R_NO_MEMORY,
						    SIP_R_TOO_MANY_STREAMS };
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(refusing); i++) {
		fresh();
		world.reason[1] = refusing[i];
		tap_ok(plan_body("v=0|c=IN IP4 192.168.1.20|m=audio 16384 RTP/AVP 0|"
				 "m=audio 16386 RTP/AVP 0|m=audio 16388 RTP/AVP 0|") ==
		       refusing[i] && world.n == 2 && !plan.n_edits && !plan.sdp_counts &&
		       !strncmp((const char *)msg.buf + plan.reason_off, "16386", 5),
		       "%s ends the plan at the stream", sip_reason_name(refusing[i]));
	}
}

/* Text of a plan is bounded; c= and candidates of all streams fit. */
static void test_limits(void)
{
	char body[16384];
	int len, i, j;

	fresh();
	len = sprintf(body, "v=0|");
	for (i = 0; i < 16; i++) {
		len += sprintf(body + len, "m=audio %d RTP/AVP 0|c=IN IP4 192.168.1.20|"
			       "a=rtcp:%d IN IP4 192.168.1.20|", 20000 + 2 * i, 20001 + 2 * i);
		for (j = 0; j < 6; j++)
			len += sprintf(body + len, "a=candidate:%d 1 UDP 1 10.9.8.%d 4000 typ relay|",
				       j + 2, j);
		for (j = 0; j < 2; j++)
			len += sprintf(body + len, "a=candidate:1 %d UDP 1 192.168.1.20 %d typ host|",
				       j + 1, 20000 + 2 * i + j);
	}
	tap_ok(!plan_body(body) && world.n == 16 && plan.n_edits == 16 * 8 &&
	       !strstr(result, "192.168.1.20"), "16 streams with eight candidates each fit");
	sprintf(body + len, "a=candidate:1 1 UDP 1 192.168.1.20 20030 typ host|");
	fresh();
	tap_ok(!plan_body(body) && noted(SIP_R_TOO_MANY_STREAMS) && plan.n_edits == 16 * 8,
	       "a candidate beyond the limit is kept and noted");
}

int main(void)
{
	test_questions();
	test_not_asked();
	test_other_host();
	test_hold();
	test_public();
	test_port_only();
	test_no_nat();
	test_incoming();
	test_conflict();
	test_session_follows();
	test_refusals();
	test_limits();
	return tap_done();
}
