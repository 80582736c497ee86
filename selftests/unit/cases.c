// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases.c - the planner on written conversations, *.case in folder cases.
 *
 * A case is what passes one gateway, message after message, as a diff: lines
 * that begin with a blank stay, '-' is sent, '+' leaves. So it reads as what
 * the rule does, and every byte that is not marked is checked to be kept.
 *
 *   test NAME                           begins a case, and an empty gateway
 *   host REAL SEEN PEER [tcp]           inside host, its outside pair, far end
 *   path NAME SND SEEN in|out RCV SEEN in|out [udp|tcp]
 *   register USER HOST PORT|- OUT PEER  a live registration
 *   mapping media|contact IN OUT        a mapping made before
 *   shift N, media_host, fail REASON|-  how the address map answers
 *   out | in | via NAME                 a message; its lines follow
 *   refused REASON | bad REASON         the plan, or the parser, refuses
 *   not-sip                             the parser says that it is not SIP
 *   note REASON | nonote REASON         a reason is noted, or is not
 *   fact FIELD REAL SEEN mapped|kept|public [EXPIRES]
 *   facts N, peer AP, nopeer AP, contact-in AP ours|other [EXPIRES], contacts-in N
 *   media N REAL SEEN [RTCP_SEEN]       stream N has that mapping
 *   nomedia N, star, expires SECONDS    of the Expires field
 *
 * Expectations stand before the lines of their message. "@L" is the length of
 * the body in either version; "\x41" a byte, "\" at the end of a line leaves
 * its CRLF away, "\n" there makes a bare LF. Over TCP the lines may be several
 * messages; the expectations are of the first.
 */
#define _GNU_SOURCE
#include <glob.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "tap.h"
#include "testmap.h"

#define MAX_TEXT 65536u
#define MAX_EXPECT 24
#define MAX_PATHS 4

struct path {
	char name[16];
	enum sip_transport transport;
	struct sip_end snd;
	struct sip_end rcv;
};

struct run {
	const char *file;
	int line_no;
	char test[160];
	unsigned int n_msgs;
	bool failed;
	struct testmap map;
	struct path out;
	struct path in;
	struct path named[MAX_PATHS];
	unsigned int n_named;
	/* the message under way */
	const struct path *path;
	enum sip_reason refused;
	enum sip_reason bad;
	bool not_sip;
	char expect[MAX_EXPECT][160];
	unsigned int n_expect;
	u8 sent[MAX_TEXT];
	u32 sent_len;
	u8 leaves[MAX_TEXT];
	u32 leaves_len;
};

static struct run run;
static struct sip_msg msg;
static struct sip_plan plan;
static u8 result[SIP_MAX_MSG + SIP_MAX_PLAN_TEXT];

static void die(const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", run.file, run.line_no, what);
	exit(2);
}

static void wrong(const char *fmt, const char *what)
{
	printf("# %s:%d: ", run.file, run.line_no);
	printf(fmt, what);
	putchar('\n');
	run.failed = true;
}

static enum sip_reason reason_of(const char *name)
{
	int i;

	for (i = 1; i < SIP_R_MAX; i++)
		if (!strcmp(sip_reason_name((enum sip_reason)i), name))
			return (enum sip_reason)i;
	die("no such reason");
	return SIP_R_OK;
}

static struct sip_ap ap_of(const char *text)
{
	struct sip_ap ap;

	if (!text || !testmap_ap(text, &ap))
		die("no address");
	return ap;
}

/* ---- messages ----------------------------------------------------------- */

static void add_line(u8 *to, u32 *len, const char *line)
{
	if (*len + strlen(line) + 2 > MAX_TEXT)
		die("message too long");
	for (; *line; line++) {
		unsigned int byte;

		if (*line != '\\') {
			to[(*len)++] = (u8)*line;
		} else if (!line[1]) {
			return;
		} else if (line[1] == 'n' && !line[2]) {
			to[(*len)++] = '\n';
			return;
		} else if (line[1] == 'x' && sscanf(line + 2, "%2x", &byte) == 1) {
			to[(*len)++] = (u8)byte;
			line += 3;
		} else {
			to[(*len)++] = (u8)*line;
		}
	}
	to[(*len)++] = '\r';
	to[(*len)++] = '\n';
}

/* "@L" becomes the length of what stands behind the blank line. */
static void fill_length(u8 *text, u32 *len)
{
	char number[12];
	u8 *head = memmem(text, *len, "\r\n\r\n", 4);
	u8 *at;
	u32 n;

	if (!head)
		head = memmem(text, *len, "\n\n", 2);
	if (!head)
		return;
	head += *head == '\r' ? 4 : 2;
	n = (u32)snprintf(number, sizeof(number), "%u", (u32)(text + *len - head));
	at = memmem(text, (size_t)(head - text), "@L", 2);
	if (!at)
		return;
	memmove(at + n, at + 2, (size_t)(text + *len - at - 2));
	memcpy(at, number, n);
	*len = *len + n - 2;
}

/* ---- expectations ------------------------------------------------------- */

static bool noted(enum sip_reason reason)
{
	u32 i;

	for (i = 0; i < plan.n_notes; i++)
		if (plan.note[i].reason == reason)
			return true;
	return false;
}

static bool has_fact(char **arg)
{
	struct sip_ap real = ap_of(arg[2]), seen = ap_of(arg[3]);
	u32 i;

	for (i = 0; i < plan.n_addrs; i++) {
		const struct sip_addr_fact *fact = &plan.addr[i];

		if (strcmp(sip_field_name((enum sip_field)fact->field), arg[1]) ||
		    !sip_ap_equal(&fact->real, &real) || !sip_ap_equal(&fact->seen, &seen) ||
		    fact->mapped != !strcmp(arg[4], "mapped") ||
		    fact->ours != !!strcmp(arg[4], "kept"))
			continue;
		if (!arg[5] || fact->expires == atoi(arg[5]))
			return true;
	}
	return false;
}

static bool has_peer(const char *text)
{
	struct sip_ap ap = ap_of(text);
	u32 i;

	for (i = 0; i < plan.n_peers; i++)
		if (sip_ap_equal(&plan.peer_ap[i], &ap))
			return true;
	return false;
}

static bool has_contact_in(char **arg)
{
	struct sip_ap ap = ap_of(arg[1]);
	u32 i;

	for (i = 0; i < plan.n_contacts_in; i++)
		if (sip_ap_equal(&plan.contact_in[i].ap, &ap))
			return plan.contact_in[i].ours == !strcmp(arg[2], "ours") &&
			       (!arg[3] || plan.contact_in[i].expires == atoi(arg[3]));
	return false;
}

static bool has_media(char **arg)
{
	u32 n = (u32)atoi(arg[1]);
	struct sip_ap real, seen, rtcp;

	if (n >= plan.n_media || !plan.media[n].mapped)
		return false;
	real = ap_of(arg[2]);
	seen = ap_of(arg[3]);
	if (!sip_ap_equal(&plan.media[n].rtp, &real) || !sip_ap_equal(&plan.media[n].seen, &seen))
		return false;
	if (!arg[4])
		return true;
	rtcp = ap_of(arg[4]);
	return sip_ap_equal(&plan.media[n].seen_rtcp, &rtcp);
}

static bool has_star(void)
{
	return plan.n_addrs && plan.addr[plan.n_addrs - 1].star;
}

static unsigned int split(char *line, char **arg)
{
	unsigned int n = 0;
	char *word;

	for (word = strtok(line, " "); word && n < 11; word = strtok(NULL, " "))
		arg[n++] = word;
	arg[n] = NULL;
	return n;
}

static bool expectation(const char *line)
{
	char copy[160];
	char *arg[12];

	snprintf(copy, sizeof(copy), "%.*s", (int)sizeof(copy) - 1, line);
	if (!split(copy, arg))
		return false;
	if (!strcmp(arg[0], "note"))
		return noted(reason_of(arg[1]));
	if (!strcmp(arg[0], "nonote"))
		return !noted(reason_of(arg[1]));
	if (!strcmp(arg[0], "fact"))
		return has_fact(arg);
	if (!strcmp(arg[0], "facts"))
		return plan.n_addrs == (u32)atoi(arg[1]);
	if (!strcmp(arg[0], "star"))
		return has_star();
	if (!strcmp(arg[0], "expires"))
		return msg.expires == atoi(arg[1]);
	if (!strcmp(arg[0], "peer"))
		return has_peer(arg[1]);
	if (!strcmp(arg[0], "nopeer"))
		return !has_peer(arg[1]);
	if (!strcmp(arg[0], "contact-in"))
		return has_contact_in(arg);
	if (!strcmp(arg[0], "contacts-in"))
		return plan.n_contacts_in == (u32)atoi(arg[1]);
	if (!strcmp(arg[0], "media"))
		return has_media(arg);
	if (!strcmp(arg[0], "nomedia"))
		return (u32)atoi(arg[1]) >= plan.n_media || !plan.media[atoi(arg[1])].mapped;
	die("no such expectation");
	return false;
}

static void check_facts(void)
{
	unsigned int i;

	for (i = 0; i < run.n_expect; i++)
		if (!expectation(run.expect[i]))
			wrong("does not hold: %s", run.expect[i]);
}

/* ---- one message -------------------------------------------------------- */

static void check_bytes(const u8 *bytes, u32 len)
{
	if (len == run.leaves_len && !memcmp(bytes, run.leaves, len))
		return;
	wrong("%s", "other bytes leave");
	print_bytes("wanted", run.leaves, run.leaves_len);
	print_bytes("leaves", bytes, len);
}

/* Plans one message; its new bytes are added to the result. */
static void plan_message(bool first, u32 *len)
{
	enum sip_reason reason;
	const char *broken;

	testmap_flow(&run.map, run.path->transport, &run.path->snd, &run.path->rcv);
	reason = testmap_plan(&run.map, &msg, &plan);
	broken = check_plan(&plan, &msg);
	if (broken)
		wrong("%s", broken);
	if (reason != run.refused)
		wrong("plan: %s", reason ? sip_reason_name(reason) : "not refused");
	*len += sip_plan_apply(&plan, &msg, result + *len, (u32)sizeof(result) - *len);
	if (first)
		check_facts();
}

static void end_message(void)
{
	bool stream = run.path && run.path->transport != SIP_T_UDP;
	enum sip_parse parsed;
	u32 from = 0, len = 0;

	if (!run.path || !run.sent_len)
		return;
	run.n_msgs++;
	fill_length(run.sent, &run.sent_len);
	fill_length(run.leaves, &run.leaves_len);
	do {
		parsed = sip_msg_parse(&msg, run.sent + from, run.sent_len - from, stream);
		if (parsed != SIP_PARSE_OK)
			break;
		plan_message(!from, &len);
		from += msg.total;
	} while (stream && from < run.sent_len);

	if (run.bad && (parsed != SIP_PARSE_BAD || msg.reason != run.bad))
		wrong("should be refused: parsed as %s",
		      parsed == SIP_PARSE_BAD ? sip_reason_name(msg.reason) : "good");
	if (!run.bad && !run.not_sip && parsed != SIP_PARSE_OK)
		wrong("cannot be read: %s",
		      parsed == SIP_PARSE_BAD ? sip_reason_name(msg.reason) : "not SIP");
	if (run.not_sip && parsed != SIP_PARSE_NOT_SIP)
		wrong("%s", "taken for SIP");
	memcpy(result + len, run.sent + from, run.sent_len - from);
	check_bytes(result, len + run.sent_len - from);
	run.path = NULL;
}

static void begin_message(const struct path *path)
{
	run.path = path;
	run.sent_len = 0;
	run.leaves_len = 0;
	run.refused = SIP_R_OK;
	run.bad = SIP_R_OK;
	run.not_sip = false;
	run.n_expect = 0;
}

static void end_test(void)
{
	end_message();
	if (!run.test[0])
		return;
	if (!run.n_msgs)
		wrong("%s", "no message");
	tap_ok(!run.failed, "%s", run.test);
	run.test[0] = 0;
}

/* ---- lines -------------------------------------------------------------- */

static void set_end(struct sip_end *end, const char *real, const char *seen, bool inside)
{
	end->real = ap_of(real);
	end->seen = ap_of(seen);
	end->inside = inside;
}

static enum sip_transport transport_of(const char *text)
{
	return text && !strcmp(text, "tcp") ? SIP_T_TCP : SIP_T_UDP;
}

static void set_host(char **arg)
{
	run.out.transport = transport_of(arg[4]);
	set_end(&run.out.snd, arg[1], arg[2], true);
	set_end(&run.out.rcv, arg[3], arg[3], false);
	/* Without any NAT both ends count. */
	run.out.rcv.inside = sip_ap_equal(&run.out.snd.real, &run.out.snd.seen);
	run.in.transport = run.out.transport;
	run.in.snd = run.out.rcv;
	run.in.rcv = run.out.snd;
}

static void set_path(char **arg)
{
	struct path *path = &run.named[run.n_named++];

	if (run.n_named > MAX_PATHS || !arg[7])
		die("bad path");
	snprintf(path->name, sizeof(path->name), "%s", arg[1]);
	set_end(&path->snd, arg[2], arg[3], !strcmp(arg[4], "in"));
	set_end(&path->rcv, arg[5], arg[6], !strcmp(arg[7], "in"));
	path->transport = transport_of(arg[8]);
}

static const struct path *named_path(const char *name)
{
	unsigned int i;

	for (i = 0; i < run.n_named; i++)
		if (!strcmp(run.named[i].name, name))
			return &run.named[i];
	die("no such path");
	return NULL;
}

static void begin_test(const char *name)
{
	end_test();
	snprintf(run.test, sizeof(run.test), "%.*s", (int)sizeof(run.test) - 1, name);
	run.failed = false;
	run.n_msgs = 0;
	run.n_named = 0;
	run.path = NULL;
	testmap_init(&run.map);
}

static bool setting(char **arg)
{
	struct sip_ap in, out;

	if (!strcmp(arg[0], "host")) {
		set_host(arg);
	} else if (!strcmp(arg[0], "path")) {
		set_path(arg);
	} else if (!strcmp(arg[0], "register")) {
		out = ap_of(arg[4]);
		in = ap_of(arg[5]);
		testmap_register(&run.map, strcmp(arg[1], "-") ? arg[1] : "", arg[2],
				 strcmp(arg[3], "-") ? arg[3] : "", &out, &in);
	} else if (!strcmp(arg[0], "mapping")) {
		in = ap_of(arg[2]);
		out = ap_of(arg[3]);
		testmap_add(&run.map, !strcmp(arg[1], "media"), &in, &out);
	} else if (!strcmp(arg[0], "shift")) {
		run.map.shift = (u16)atoi(arg[1]);
	} else if (!strcmp(arg[0], "media_host")) {
		run.map.media_host = true;
	} else if (!strcmp(arg[0], "fail")) {
		run.map.fail = strcmp(arg[1], "-") ? reason_of(arg[1]) : SIP_R_OK;
	} else {
		return false;
	}
	return true;
}

static void command(char *line)
{
	char copy[256];
	char *arg[12];

	snprintf(copy, sizeof(copy), "%.*s", (int)sizeof(copy) - 1, line);
	if (!split(copy, arg))
		return;
	if (!strcmp(arg[0], "test")) {
		begin_test(line + 5);
		return;
	}
	/* An expectation follows the line that opens its message. */
	if (run.path && run.sent_len)
		end_message();
	if (!strcmp(arg[0], "out")) {
		begin_message(&run.out);
	} else if (!strcmp(arg[0], "in")) {
		begin_message(&run.in);
	} else if (!strcmp(arg[0], "via")) {
		begin_message(named_path(arg[1]));
	} else if (setting(arg)) {
		;
	} else if (!run.path) {
		die("what is this?");
	} else if (!strcmp(arg[0], "refused")) {
		run.refused = reason_of(arg[1]);
	} else if (!strcmp(arg[0], "bad")) {
		run.bad = reason_of(arg[1]);
	} else if (!strcmp(arg[0], "not-sip")) {
		run.not_sip = true;
	} else if (run.n_expect < MAX_EXPECT) {
		snprintf(run.expect[run.n_expect++], sizeof(run.expect[0]), "%.159s", line);
	} else {
		die("too many expectations");
	}
}

static void one_line(char *line)
{
	switch (*line) {
	case '#':
	case 0:
		break;
	case ' ':
		add_line(run.sent, &run.sent_len, line + 1);
		add_line(run.leaves, &run.leaves_len, line + 1);
		break;
	case '-':
		add_line(run.sent, &run.sent_len, line + 1);
		break;
	case '+':
		add_line(run.leaves, &run.leaves_len, line + 1);
		break;
	default:
		command(line);
	}
}

static void run_file(const char *name)
{
	char line[4096];
	FILE *file = fopen(name, "r");

	if (!file) {
		perror(name);
		exit(2);
	}
	run.file = name;
	run.line_no = 0;
	while (fgets(line, sizeof(line), file)) {
		run.line_no++;
		line[strcspn(line, "\n")] = 0;
		one_line(line);
	}
	end_test();
	fclose(file);
}

int main(int argc, char **argv)
{
	glob_t files = { 0 };
	size_t i;

	for (i = 1; i < (size_t)argc; i++)
		run_file(argv[i]);
	if (argc == 1) {
		if (glob("cases/*.case", 0, NULL, &files))
			die("no cases/*.case here");
		for (i = 0; i < files.gl_pathc; i++)
			run_file(files.gl_pathv[i]);
		globfree(&files);
	}
	return tap_done();
}
