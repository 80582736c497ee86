// SPDX-License-Identifier: GPL-2.0-only
/*
 * pieces.c - the planner's pieces one by one: edits and their limits, the
 * ranking of memories, which end is inside, names, and what the state asks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "facts.h"
#include "match.h"
#include "planner.h"
#include "stun.h"
#include "tap.h"
#include "testmap.h"

static struct sip_msg msg;
static struct sip_plan plan;
static u8 out[SIP_MAX_MSG + SIP_MAX_PLAN_TEXT];

/* ---- edits -------------------------------------------------------------- */

static struct sip_planner planner_of(const char *text)
{
	struct sip_planner p = { .plan = &plan, .msg = &msg };

	memset(&msg, 0, sizeof(msg));
	memset(&plan, 0, sizeof(plan));
	msg.buf = (const u8 *)text;
	msg.len = (u32)strlen(text);
	msg.total = msg.len;
	return p;
}

static bool edit(struct sip_planner *p, u32 off, u32 len, const char *text)
{
	return sip_plan_edit(p, SIP_F_OTHER, off, len, (const u8 *)text, (u32)strlen(text));
}

static bool leaves(const char *want)
{
	u32 i, n;

	plan.new_total = msg.total;
	for (i = 0; i < plan.n_edits; i++)
		plan.new_total += plan.edit[i].text_len - plan.edit[i].len;
	n = sip_plan_apply(&plan, &msg, out, sizeof(out));
	return n == strlen(want) && !memcmp(out, want, n);
}

static void test_edits(void)
{
	struct sip_planner p = planner_of("0123456789");

	edit(&p, 7, 1, "seven");
	edit(&p, 0, 1, "zero");
	edit(&p, 3, 2, "");
	edit(&p, 10, 0, "end");
	tap_ok(leaves("zero1256seven89end"), "edits come sorted, whatever their order");
	tap_ok(!sip_plan_apply(&plan, &msg, out, plan.new_total - 1),
	       "no room: nothing is written");
	tap_ok(sip_plan_apply(&plan, &msg, out, plan.new_total) == plan.new_total,
	       "just enough room");

	p = planner_of("0123456789");
	edit(&p, 2, 3, "234");
	tap_ok(!plan.n_edits && leaves("0123456789"), "an edit that changes nothing is none");

	edit(&p, 2, 3, "x");
	tap_ok(edit(&p, 2, 3, "x") && plan.n_edits == 1, "an edit asked for twice is made once");
	tap_ok(!edit(&p, 2, 3, "y") && plan.reason == SIP_R_SESSION_CONFLICT &&
	       plan.reason_off == 2, "two edits of one span refuse the plan");

	p = planner_of("0123456789");
	edit(&p, 4, 2, "x");
	tap_ok(!edit(&p, 5, 2, "y") && plan.reason == SIP_R_SESSION_CONFLICT,
	       "an edit that begins in another refuses the plan");
	p = planner_of("0123456789");
	edit(&p, 4, 2, "x");
	tap_ok(!edit(&p, 3, 2, "y") && plan.n_edits == 1 && plan.reason == SIP_R_SESSION_CONFLICT,
	       "an edit that ends in another refuses the plan");
	p = planner_of("0123456789");
	edit(&p, 4, 2, "x");
	tap_ok(edit(&p, 6, 1, "y") && edit(&p, 3, 1, "z") && leaves("012zxy789"),
	       "edits may touch");
	tap_ok(edit(&p, 10, 0, "!") && edit(&p, 10, 0, "!") && leaves("012zxy789!"),
	       "an insertion asked for twice is made once");
	tap_ok(!edit(&p, 10, 0, "?"), "another one in its place refuses the plan");
}

static void test_limits(void)
{
	static char text[4 * SIP_MAX_EDITS + 1];
	struct sip_planner p;
	u32 i;

	memset(text, 'a', sizeof(text) - 1);
	p = planner_of(text);
	for (i = 0; i < SIP_MAX_EDITS; i++)
		if (!edit(&p, 2 * i, 1, "b"))
			break;
	tap_ok(i == SIP_MAX_EDITS && !plan.reason, "%u edits", i);
	tap_ok(!edit(&p, 2 * i, 1, "b") && plan.reason == SIP_R_TOO_MANY_EDITS &&
	       plan.n_edits == SIP_MAX_EDITS, "one more is refused");

	p = planner_of("01");
	memset(out, 'x', SIP_MAX_PLAN_TEXT);
	tap_ok(sip_plan_edit(&p, SIP_F_OTHER, 0, 1, out, SIP_MAX_PLAN_TEXT) &&
	       !edit(&p, 1, 1, "y") && plan.reason == SIP_R_TOO_MANY_EDITS,
	       "more text than there is room for is refused");

	p = planner_of("");
	for (i = 1; i <= SIP_MAX_NOTES + 1; i++) {
		sip_plan_note(&p, (enum sip_reason)i, i);
		sip_plan_note(&p, (enum sip_reason)i, 99);
	}
	tap_ok(plan.n_notes == SIP_MAX_NOTES && plan.note[0].off == 1 && plan.note[1].off == 2,
	       "notes: the first place of each reason, to the limit");
	sip_plan_refuse(&p, SIP_R_NO_PORT, 5);
	sip_plan_refuse(&p, SIP_R_NO_MEMORY, 6);
	tap_ok(plan.reason == SIP_R_NO_PORT && plan.reason_off == 5,
	       "the first reason to refuse counts");
}

static void test_numbers(void)
{
	static const struct {
		const char *text;
		u32 number;
		const char *want;
	} cases[] = {
		{ "005060", 5060, "005060" },
		{ "005060", 40312, "40312" },
		{ "9", 0, "0" },
		{ "99999999999999999999", 1, "1" },
		{ "1", 4294967295u, "4294967295" },
	};
	struct sip_planner p;
	struct sip_ap ap;
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(cases); i++) {
		p = planner_of(cases[i].text);
		tap_ok(sip_plan_edit_number(&p, SIP_F_OTHER, (struct sip_span){ 0, msg.len },
					    cases[i].number) &&
		       leaves(cases[i].want), "%s for %u becomes %s", cases[i].text,
		       cases[i].number, cases[i].want);
	}
	testmap_ap("2001:db8::1", &ap);
	p = planner_of("2001:DB8:0:0::1");
	tap_ok(sip_plan_edit_ip(&p, SIP_F_OTHER, (struct sip_span){ 0, msg.len }, &ap.ip) &&
	       !plan.n_edits, "another spelling of an address stays");
	p = planner_of("pc.example.net");
	sip_plan_edit_ip(&p, SIP_F_OTHER, (struct sip_span){ 0, msg.len }, &ap.ip);
	tap_ok(leaves("2001:db8::1"), "an address is written in its canonical form");
}

/* ---- memories ----------------------------------------------------------- */

/* flags: t the message has a To tag; d this dialog, p a peer, b the same branch */
static const struct rank {
	const char *what;
	enum sip_field field;
	const char *user;
	enum sip_mem_kind kind;
	enum sip_field from;
	const char *wrote;
	const char *flags;
	bool answers;
} ranks[] = {
	{ "a sent-by", SIP_F_VIA_SENT_BY, "", SIP_MEM_SENT_BY, SIP_F_VIA_SENT_BY, "", "", true },
	{ "a Contact as sent-by", SIP_F_VIA_SENT_BY, "", SIP_MEM_REGISTRATION, SIP_F_CONTACT, "",
	  "dpb", false },
	{ "a sent-by as maddr", SIP_F_VIA_MADDR, "", SIP_MEM_SENT_BY, SIP_F_VIA_SENT_BY, "",
	  "b", false },
	{ "a maddr", SIP_F_VIA_MADDR, "", SIP_MEM_SENT_BY, SIP_F_VIA_MADDR, "", "", true },
	{ "dialog, tag", SIP_F_RURI, "", SIP_MEM_DIALOG, SIP_F_CONTACT, "x", "td", true },
	{ "other dialog, tag", SIP_F_RURI, "u", SIP_MEM_DIALOG, SIP_F_CONTACT, "u", "tp", false },
	{ "dialog's route, tag", SIP_F_RURI, "u", SIP_MEM_DIALOG, SIP_F_RECORD_ROUTE, "u",
	  "tdp", false },
	{ "dialog, user", SIP_F_RURI, "u", SIP_MEM_DIALOG, SIP_F_CONTACT, "u", "", true },
	{ "dialog, no user", SIP_F_RURI, "", SIP_MEM_DIALOG, SIP_F_CONTACT, "", "dp", false },
	{ "dialog, other user", SIP_F_RURI, "u", SIP_MEM_DIALOG, SIP_F_CONTACT, "v", "dp", false },
	{ "registrar, other user", SIP_F_RURI, "u", SIP_MEM_REGISTRATION, SIP_F_CONTACT, "v",
	  "p", true },
	{ "registrar, no user", SIP_F_RURI, "", SIP_MEM_REGISTRATION, SIP_F_CONTACT, "v",
	  "p", true },
	{ "other sender, user", SIP_F_RURI, "u", SIP_MEM_REGISTRATION, SIP_F_CONTACT, "u",
	  "", true },
	{ "other sender, part of it", SIP_F_RURI, "u", SIP_MEM_REGISTRATION, SIP_F_CONTACT, "uv",
	  "", false },
	{ "other sender, no user", SIP_F_RURI, "", SIP_MEM_REGISTRATION, SIP_F_CONTACT, "",
	  "", false },
	{ "registrar, tag", SIP_F_RURI, "u", SIP_MEM_REGISTRATION, SIP_F_CONTACT, "u",
	  "tp", false },
	{ "subscription, tag", SIP_F_RURI, "u", SIP_MEM_SUBSCRIPTION, SIP_F_CONTACT, "u",
	  "td", true },
	{ "transaction", SIP_F_RURI, "u", SIP_MEM_TRANSACTION, SIP_F_RURI, "u", "tb", true },
	{ "other transaction", SIP_F_RURI, "u", SIP_MEM_TRANSACTION, SIP_F_RURI, "u", "dp", false },
	{ "a sent-by as Request-URI", SIP_F_RURI, "", SIP_MEM_SENT_BY, SIP_F_VIA_SENT_BY, "",
	  "dpb", false },
	{ "Contact", SIP_F_CONTACT, "u", SIP_MEM_REGISTRATION, SIP_F_CONTACT, "v", "t", true },
	{ "Contact from a Via", SIP_F_CONTACT, "u", SIP_MEM_SENT_BY, SIP_F_VIA_SENT_BY, "u",
	  "tdpb", false },
	{ "Route", SIP_F_ROUTE, "", SIP_MEM_DIALOG, SIP_F_RECORD_ROUTE, "", "t", true },
	{ "Route from a transaction", SIP_F_ROUTE, "", SIP_MEM_TRANSACTION, SIP_F_RURI, "",
	  "tdpb", false },
};

static u32 rank_of(const struct rank *r)
{
	const struct sip_unmap_query q = {
		.field = r->field,
		.user = (const u8 *)r->user,
		.user_len = (u32)strlen(r->user),
		.branch = (const u8 *)"z9",
		.branch_len = 2,
		.to_tag = !!strchr(r->flags, 't'),
	};
	const struct sip_mem mem = {
		.kind = r->kind,
		.field = r->from,
		.mapped = true,
		.this_dialog = !!strchr(r->flags, 'd'),
		.sender_is_peer = !!strchr(r->flags, 'p'),
		.same_branch = !!strchr(r->flags, 'b'),
		.user = (const u8 *)r->wrote,
		.user_len = (u32)strlen(r->wrote),
	};

	return sip_unmap_rank(&q, &mem);
}

static void beats(const char *what, struct rank better, struct rank worse)
{
	u32 a = rank_of(&better), b = rank_of(&worse);

	tap_ok(a > b && b, "%s: %u over %u", what, a, b);
}

static void test_ranks(void)
{
	static const struct rank contact = { .field = SIP_F_CONTACT, .user = "u",
					     .kind = SIP_MEM_DIALOG, .from = SIP_F_CONTACT,
					     .wrote = "v", .flags = "" };
	struct rank a, b;
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(ranks); i++)
		tap_ok(!!rank_of(&ranks[i]) == ranks[i].answers, "%s %s", ranks[i].what,
		       ranks[i].answers ? "answers" : "does not answer");

	a = contact;
	a.flags = "d";
	b = contact;
	b.wrote = "u";
	beats("its dialog over its user", a, b);
	beats("its user over any", b, contact);
	a = contact;
	b = contact;
	b.from = SIP_F_RECORD_ROUTE;
	b.flags = "d";
	b.wrote = "u";
	beats("the same field over the same dialog", a, b);
	b = contact;
	b.field = SIP_F_ROUTE;
	a = b;
	a.from = SIP_F_PATH;
	beats("a Route: Path over Contact", a, b);
	b.field = SIP_F_REFER_TO;
	a = b;
	b.from = SIP_F_RECORD_ROUTE;
	beats("a Refer-To: Contact over Record-Route", a, b);
	b.field = SIP_F_ROUTE;
	b.from = SIP_F_CONTACT;
	a = b;
	a.from = SIP_F_SERVICE_ROUTE;
	beats("a Route: Service-Route over Contact", a, b);

	a = ranks[0];
	a.flags = "b";
	beats("sent-by: the same branch", a, ranks[0]);
	a = (struct rank){ .field = SIP_F_RURI, .user = "u", .kind = SIP_MEM_TRANSACTION,
			   .from = SIP_F_RURI, .wrote = "", .flags = "b" };
	b = (struct rank){ .field = SIP_F_RURI, .user = "u", .kind = SIP_MEM_DIALOG,
			   .from = SIP_F_CONTACT, .wrote = "u", .flags = "d" };
	beats("Request-URI: what the INVITE got", a, b);
}

/* Where a call's own memories are asked first, no other may do better than these. */
static void test_rank_is_own(void)
{
	static const char *const fits[] = { "", "t", "p", "tp" };
	static const char *const users[] = { "u", "v" };
	struct rank r = { .user = "u" };
	u32 field, kind, from, i, j, others = 0, own = 0;

	for (field = 0; field < SIP_F_MAX; field++)
		for (kind = SIP_MEM_SENT_BY; kind <= SIP_MEM_TRANSACTION; kind++)
			for (from = 0; from < SIP_F_MAX; from++)
				for (i = 0; i < SIP_ARRAY_SIZE(fits); i++)
					for (j = 0; j < SIP_ARRAY_SIZE(users); j++) {
						const struct sip_unmap_query q = { .field = field };

						r.field = field;
						r.kind = kind;
						r.from = from;
						r.flags = fits[i];
						r.wrote = users[j];
						others += sip_unmap_rank_is_own(&q, rank_of(&r));
						r.flags = "tdb";
						own += sip_unmap_rank_is_own(&q, rank_of(&r));
					}
	tap_ok(!others, "no memory of another dialog has a rank of its own dialog's");
	tap_ok(own, "and its own can have it");
}

/* ---- ends --------------------------------------------------------------- */

static void test_ends(void)
{
	static const struct {
		const char *real, *seen;
		bool both, inside;
		const char *what;
	} ends[] = {
		{ "192.168.1.20", "198.51.100.1", false, true, "a phone behind source NAT" },
		{ "203.0.113.5", "203.0.113.5", false, true, "no NAT: either end" },
		{ "192.168.1.10", "198.51.100.1", true, true, "a PBX behind a port forward" },
		{ "192.168.1.21", "192.168.1.1", true, true, "a phone on the hairpin" },
		{ "203.0.113.5", "192.168.1.1", true, false, "an outside source masqueraded" },
		{ "203.0.113.5", "172.18.0.1", true, false, "the same towards a bridge network" },
		{ "203.0.113.5", "100.64.0.1", true, false, "the same with shared addresses" },
		{ "2001:db8::5", "fd00::1", true, false, "the same over IPv6" },
		{ "203.0.113.5", "198.51.100.1", true, true, "global to global" },
	};
	struct sip_ap real, seen;
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(ends); i++) {
		testmap_ap(ends[i].real, &real);
		testmap_ap(ends[i].seen, &seen);
		tap_ok(sip_end_is_inside(&real, &seen, ends[i].both) == ends[i].inside, "%s is %s",
		       ends[i].what, ends[i].inside ? "inside" : "outside");
	}
}

/* ---- names -------------------------------------------------------------- */

static void test_names(void)
{
	u32 i, j;

	for (i = 0; i < SIP_F_MAX; i++) {
		for (j = 0; j < i; j++)
			if (!strcmp(sip_field_name((enum sip_field)i),
				    sip_field_name((enum sip_field)j)))
				break;
		tap_ok(j == i && *sip_field_name((enum sip_field)i), "field %u has a name: %s", i,
		       sip_field_name((enum sip_field)i));
	}
	tap_ok(!strcmp(sip_field_name(SIP_F_MAX), "none"), "no field, no name");
	tap_ok(!strcmp(sip_action_name(SIP_KEEP), "keep") &&
	       !strcmp(sip_action_name(SIP_MAP), "map") &&
	       !strcmp(sip_action_name(SIP_UNMAP), "unmap") &&
	       !strcmp(sip_action_name(SIP_FOLLOW), "follow"), "actions have names");
}

/* ---- whole plans that no conversation can show --------------------------- */

static void test_largest(void)
{
	static const char head[] =
		"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.2;branch=z9hG4bK1\r\n"
		"From: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
	static u8 text[SIP_MAX_MSG];
	static struct testmap map;
	struct sip_end host = { .inside = true }, peer = { .inside = false };

	testmap_ap("192.168.1.2", &host.real);
	testmap_ap("198.51.100.100:40312", &host.seen);
	testmap_ap("203.0.113.5", &peer.real);
	peer.seen = peer.real;
	memset(text, 'x', sizeof(text));
	memcpy(text, head, sizeof(head) - 1);
	testmap_init(&map);
	testmap_flow(&map, SIP_T_UDP, &host, &peer);
	tap_ok(sip_msg_parse(&msg, text, sizeof(text), false) == SIP_PARSE_OK &&
	       testmap_plan(&map, &msg, &plan) == SIP_R_NO_SPACE && !plan.n_edits &&
	       plan.new_total == sizeof(text), "a message that would outgrow a datagram is refused");
	tap_ok(sip_msg_parse(&msg, text, sizeof(text) - 8, false) == SIP_PARSE_OK &&
	       testmap_plan(&map, &msg, &plan) == SIP_R_NO_SPACE, "by one byte");
	tap_ok(sip_msg_parse(&msg, text, sizeof(text) - 9, false) == SIP_PARSE_OK &&
	       !testmap_plan(&map, &msg, &plan) && plan.n_edits == 2 &&
	       plan.new_total == sizeof(text), "one that just fits is not");
}

/* What the planner asks is kept here, and nothing is answered. */
struct asked {
	struct sip_map_query q[4];
	u32 n;
};

static enum sip_reason asked_map(void *priv, const struct sip_map_query *q, struct sip_ap *seen)
{
	struct asked *asked = priv;

	(void)seen;
	if (asked->n < SIP_ARRAY_SIZE(asked->q))
		asked->q[asked->n++] = *q;
	return SIP_R_FOREIGN_ADDR;
}

static void test_questions(void)
{
	static const char text[] =
		"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.2:7000;branch=z9hG4bK1\r\n"
		"From: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
		"Contact: <sip:192.168.1.2:7001>, <sip:198.51.100.1:7002;transport=tls>\r\n"
		"Record-Route: <sip:192.168.1.2:7003;transport=tcp>\r\n\r\n";
	static const struct sip_map_ops ops = { .map = asked_map };
	struct asked asked = { .n = 0 };
	struct sip_ctx ctx = { .transport = SIP_T_UDP, .ops = &ops, .priv = &asked };
	u32 i;

	testmap_ap("192.168.1.2", &ctx.snd.real);
	testmap_ap("198.51.100.1:40312", &ctx.snd.seen);
	ctx.snd.inside = true;
	testmap_ap("203.0.113.5", &ctx.rcv.real);
	ctx.rcv.seen = ctx.rcv.real;
	if (!tap_ok(sip_msg_parse(&msg, (const u8 *)text, sizeof(text) - 1, false) == SIP_PARSE_OK &&
		    !sip_plan_make(&plan, &msg, &ctx) && asked.n == 4 && !plan.n_edits,
		    "four values, four questions"))
		return;
	for (i = 0; i < asked.n; i++)
		tap_ok(asked.q[i].ap.port == 7000 + i, "question %u is for port %u", i, 7000 + i);
	tap_ok(asked.q[0].transport == SIP_T_UDP && !asked.q[0].said && !asked.q[0].own_only &&
	       asked.q[0].field == SIP_F_VIA_SENT_BY, "a Via asks for a mapping on its flow");
	tap_ok(asked.q[1].transport == SIP_T_UDP && !asked.q[1].said && !asked.q[1].own_only &&
	       !asked.q[1].public, "a Contact without a transport says so");
	tap_ok(asked.q[2].transport == SIP_T_TLS && asked.q[2].said && asked.q[2].public,
	       "one that is public, with a transport, says both");
	tap_ok(asked.q[3].transport == SIP_T_TCP && asked.q[3].own_only,
	       "a route asks for what there is");
}

/* ---- what the state asks ------------------------------------------------ */

static bool read_msg(const char *start, const char *cseq, const char *to, const char *more)
{
	static char text[1024];
	int n = snprintf(text, sizeof(text),
			 "%s\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
			 "From: <sip:a@example.com>;tag=1\r\nTo: %s\r\nCall-ID: 1\r\n"
			 "CSeq: 1 %s\r\n%sContent-Length: 0\r\n\r\n", start, to, cseq, more);

	return sip_msg_parse(&msg, (const u8 *)text, (u32)n, false) == SIP_PARSE_OK;
}

static bool request(const char *method, const char *uri, bool tag)
{
	char start[128];

	snprintf(start, sizeof(start), "%s %s SIP/2.0", method, uri);
	return read_msg(start, method, tag ? "<sip:b@example.com>;tag=2" : "<sip:b@example.com>", "");
}

static void test_calls(void)
{
	static const struct {
		const char *method;
		bool tag, starts, opens;
	} methods[] = {
		{ "INVITE", false, true, true }, { "INVITE", true, true, true },
		{ "UPDATE", true, true, true }, { "UPDATE", false, false, true },
		{ "PRACK", true, false, true }, { "BYE", true, false, true },
		{ "ACK", true, false, false }, { "CANCEL", false, false, false },
		{ "OPTIONS", false, false, false }, { "REGISTER", false, false, false },
	};
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(methods); i++)
		tap_ok(request(methods[i].method, "sip:b@example.com", methods[i].tag) &&
		       sip_msg_may_start_call(&msg) == methods[i].starts &&
		       sip_msg_opens_txn(&msg) == methods[i].opens,
		       "%s%s: %s a call, %s a transaction", methods[i].method,
		       methods[i].tag ? " in a dialog" : "",
		       methods[i].starts ? "may start" : "starts no",
		       methods[i].opens ? "opens" : "opens no");
	tap_ok(read_msg("SIP/2.0 200 OK", "INVITE", "<sip:b>;tag=2", "") &&
	       !sip_msg_may_start_call(&msg) && !sip_msg_opens_txn(&msg) &&
	       !sip_msg_is_emergency(&msg), "a response does neither");
}

static void test_emergency(void)
{
	static const struct {
		const char *method, *uri;
		bool yes;
	} uris[] = {
		{ "INVITE", "urn:service:sos", true },
		{ "INVITE", "URN:service:SOS.police", true },
		{ "INVITE", "urn:service:sosx", false },
		{ "INVITE", "urn:service:so", false },
		{ "INVITE", "sip:112@example.com", true },
		{ "INVITE", "sip:911@192.0.2.1:5060", true },
		{ "INVITE", "sip:1123@example.com", false },
		{ "INVITE", "sip:112.example.com", false },
		{ "INVITE", "tel:110", true },
		{ "INVITE", "tel:999;phone-context=example.com", true },
		{ "INVITE", "sip:112;phone-context=+49@example.com;user=phone", true },
		{ "INVITE", "sip:1122;phone-context=+49@example.com;user=phone", false },
		{ "INVITE", "tel:+112", false },
		{ "INVITE", "sip:example.com", false },
		{ "OPTIONS", "sip:112@example.com", false },
	};
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(uris); i++)
		tap_ok(request(uris[i].method, uris[i].uri, false) &&
		       sip_msg_is_emergency(&msg) == uris[i].yes, "%s %s: %s", uris[i].method,
		       uris[i].uri, uris[i].yes ? "emergency" : "none");
}

static bool aor_is(const char *to, const char *want)
{
	struct sip_span aor;

	if (!read_msg("REGISTER sip:example.com SIP/2.0", "REGISTER", to, ""))
		return false;
	aor = sip_msg_aor(&msg);
	return aor.len == strlen(want) && !memcmp(msg.buf + aor.off, want, aor.len);
}

static bool state_is(const char *field, bool terminated, s64 expires)
{
	struct sip_sub_state state;

	if (!read_msg("NOTIFY sip:a SIP/2.0", "NOTIFY", "<sip:b>;tag=2", field))
		return false;
	sip_msg_sub_state(&msg, &state);
	return state.present == !!*field && state.terminated == terminated &&
	       state.expires == expires;
}

static bool ports_are(const char *contacts, u32 n, const u16 *ports)
{
	struct sip_end snd = {
		.real.ip = { .family = SIP_AF_IP4, .b = { 192, 168, 1, 20 } },
		.seen.ip = { .family = SIP_AF_IP4, .b = { 198, 51, 100, 1 } },
	};
	u16 port;
	u32 i;

	if (!read_msg("REGISTER sip:a SIP/2.0", "REGISTER", "<sip:b>", contacts))
		return false;
	for (i = 0; i < n; i++)
		if (!sip_msg_contact_of(&msg, &snd, i, &port) || port != ports[i])
			return false;
	return !sip_msg_contact_of(&msg, &snd, i, &port);
}

static s64 bound(const char *fields)
{
	if (!read_msg("SIP/2.0 200 OK", "REGISTER", "<sip:b>;tag=2", fields))
		return -1;
	return sip_msg_bound(&msg, 3600);
}

static void test_bindings(void)
{
	tap_ok(ports_are("", 0, NULL), "no Contact");
	tap_ok(ports_are("Contact: *\r\n", 0, NULL), "a star is none");
	tap_ok(ports_are("Contact: <sip:a@192.168.1.20:5070>, <sip:a@example.com>, "
			 "<sip:a@10.0.0.1:5080>, <sips:198.51.100.1>, <sip:192.168.1.20>\r\n",
			 3, (const u16[]){ 5070, 5061, 5060 }), "ports of its own Contacts");
	tap_ok(!bound("Expires: 60\r\n"), "nothing is bound without a Contact");
	tap_ok(bound("Contact: <sip:a>\r\n") == 3600, "nothing said");
	tap_ok(bound("Contact: <sip:a>\r\nExpires: 60\r\n") == 60, "by Expires");
	tap_ok(bound("Contact: <sip:a>;expires=0\r\nExpires: 60\r\n") == 0, "by expires= first");
	tap_ok(bound("Contact: <sip:a>;expires=30, <sip:b>;expires=90\r\n"
		     "Contact: <sip:c>;expires=60\r\n") == 90, "the one that lasts longest");
}

static void test_registrations(void)
{
	tap_ok(aor_is("\"A\" <sip:a@example.com:5060;x=y>;z=1", "sip:a@example.com:5060"),
	       "address-of-record: without parameters");
	tap_ok(aor_is("sip:a@example.com;x=y", "sip:a@example.com"), "bare");
	tap_ok(aor_is("<tel:+15550100>", "tel:+15550100"), "of tel:");
	msg.first[SIP_H_TO] = 0;
	tap_ok(!sip_msg_aor(&msg).len, "none without To");

	tap_ok(state_is("", false, -1), "no Subscription-State");
	tap_ok(state_is("Subscription-State: active;expires=60\r\n", false, 60), "active");
	tap_ok(state_is("Subscription-State: Terminated;reason=x\r\n", true, -1), "terminated");
	tap_ok(state_is("Subscription-State: terminated ;expires=0\r\n", true, 0), "with a blank");
	tap_ok(state_is("Subscription-State: terminated\r\n ;reason=x\r\n", true, -1) &&
	       state_is("Subscription-State: terminated\t;expires=5\r\n", true, 5), "folded");
	tap_ok(state_is("Subscription-State: terminatedx;expires=99999999999\r\n", false, -1),
	       "a longer word, a number out of range");
}

static void test_refused(void)
{
	memset(&plan, 0, sizeof(plan));
	plan.sdp_counts = true;
	plan.n_media = 2;
	plan.sdp[0].stream[0].port = 0;
	plan.sdp[0].stream[1].port = 16384;
	plan.media[1].stream = 1;
	tap_ok(sip_plan_refuses(&plan, 0), "port 0 refuses a line");
	tap_ok(!sip_plan_refuses(&plan, 1), "another port does not");
	tap_ok(!sip_plan_refuses(&plan, 2), "nor does a line that is not there");
	plan.sdp_counts = false;
	tap_ok(!sip_plan_refuses(&plan, 0), "nor does SDP that is no answer");
}

/* ---- connectivity checks ------------------------------------------------ */

#define CHECK(type, len) "\x00" type "\x00" len "\x21\x12\xa4\x42" "transaction!"

/* At every length: what is cut off is not looked at, and nothing beyond the end is. */
static bool ufrag_is(const char *text, size_t len, const char *want)
{
	size_t n;

	for (n = 0; n <= len; n++) {
		u8 *p = malloc(n ? n : 1);
		struct sip_span got;
		bool ok;

		memcpy(p, text, n);
		got = stun_check_ufrag(p, (u32)n);
		ok = !got.len || (got.off + got.len < n && got.len == strlen(want) &&
				  !memcmp(p + got.off, want, got.len));
		if (n == len && got.len != strlen(want))
			ok = false;
		free(p);
		if (!ok)
			return false;
	}
	return true;
}

#define UFRAG_IS(text, want) ufrag_is(text, sizeof(text) - 1, want)

static void test_checks(void)
{
	tap_ok(UFRAG_IS(CHECK("\x01", "\x0c") "\x00\x06\x00\x07" "bob:ann" "\x00", "bob"),
	       "whom a connectivity check is for");
	tap_ok(UFRAG_IS(CHECK("\x01", "\x14") "\x80\x22\x00\x03" "abc" "\x00"
			"\x00\x06\x00\x07" "bob:ann" "\x00", "bob"),
	       "behind another attribute, padded");
	tap_ok(UFRAG_IS(CHECK("\x01", "\x0c") "\x00\x06\x00\x07" "bobxann" "\x00", ""), "no colon");
	tap_ok(UFRAG_IS(CHECK("\x01", "\x0c") "\x00\x06\x00\x07" ":annxxx" "\x00", ""), "no fragment");
	tap_ok(UFRAG_IS(CHECK("\x01", "\x0c") "\x00\x06\xff\xff" "bobxann" "\x00", ""),
	       "an attribute beyond the end");
	tap_ok(UFRAG_IS(CHECK("\x01", "\x0c") "\x80\x22\xff\xff" "bob:ann" "\x00", ""),
	       "another one that leaves no place");
	tap_ok(UFRAG_IS(CHECK("\x01", "\x00") "\x00\x06\x00\x07" "bob:ann" "\x00", ""),
	       "an attribute beyond the length of the message");
	tap_ok(UFRAG_IS(CHECK("\x01", "\x0b") "\x00\x06\x00\x07" "bob:ann" "\x00", ""), "an odd length");
	tap_ok(UFRAG_IS(CHECK("\x11", "\x0c") "\x00\x06\x00\x07" "bob:ann" "\x00", ""), "an indication");
	tap_ok(stun_is_message((const u8 *)CHECK("\x01", "\x00"), 8) &&
	       !stun_is_message((const u8 *)CHECK("\x01", "\x00"), 7) &&
	       !stun_is_message((const u8 *)"\x80\x01\x00\x00\x21\x12\xa4\x42", 8) &&
	       !stun_is_message((const u8 *)"\x00\x01\x00\x00\x21\x12\xa4\x43", 8),
	       "what begins like STUN");
}

int main(void)
{
	test_edits();
	test_limits();
	test_numbers();
	test_ranks();
	test_rank_is_own();
	test_ends();
	test_names();
	test_largest();
	test_questions();
	test_calls();
	test_emergency();
	test_registrations();
	test_bindings();
	test_refused();
	test_checks();
	return tap_done();
}
