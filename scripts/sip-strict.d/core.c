// SPDX-License-Identifier: GPL-2.0-only
/*
 * core.c - the core of the module in user space, for scripts/sip-strict.
 *
 *   sip-strict-core lists            fields, reasons and counters, as the module names them
 *   sip-strict-core capture FILE     the SIP messages of a capture
 *   sip-strict-core plan             what the module would make of messages (on stdin)
 *
 * It prints JSON, an object a line; bytes of the wire stand as the code points
 * of the same number. "plan" reads lines:
 *
 *   new                              an empty gateway; it begins with one
 *   media_host 0|1                   as the sysctl
 *   path udp|tcp SND_REAL SND_SEEN RCV_REAL RCV_SEEN
 *                                    address:port of both ends of what follows, and
 *                                    as the other end sees them
 *   message LEN ARRIVED              LEN bytes follow, as sent; then ARRIVED bytes, as
 *                                    another gateway let them go (0: nobody did): its
 *                                    ports are taken over, where they are ours to choose
 *
 * The address map is the one of the unit tests. It decides as the kernel's does,
 * but time does not pass in it.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "counters.h"
#include "testmap.h"

static struct testmap map;
static struct sip_msg message;
static struct sip_msg arrived;
static struct sip_plan plan;
static struct sip_parts parts[2];
static struct sdp_session sdp[2];
static u8 text[2][SIP_MAX_MSG];
static u8 result[SIP_MAX_MSG + SIP_MAX_PLAN_TEXT];
/* The streams of the first description as they arrived. */
static struct sip_ap named[SIP_MAX_STREAMS];
static u32 n_named;

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

/* ---- JSON --------------------------------------------------------------- */

/**
 * json_text() - bytes as a JSON string
 * @s: the bytes
 * @len: how many
 */
void json_text(const u8 *s, u32 len)
{
	u32 i;

	putchar('"');
	for (i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\')
			printf("\\%c", s[i]);
		else if (s[i] < 0x20 || s[i] > 0x7e)
			printf("\\u%04x", s[i]);
		else
			putchar(s[i]);
	}
	putchar('"');
}

static void json_string(const char *key, const char *s)
{
	printf(", \"%s\": ", key);
	json_text((const u8 *)s, (u32)strlen(s));
}

static void json_span(const char *key, const u8 *buf, struct sip_span span)
{
	printf(", \"%s\": ", key);
	json_text(buf + span.off, span.len);
}

static u32 ap_text(const struct sip_ap *ap, u8 *out)
{
	u32 len = 0;

	if (ap->ip.family == SIP_AF_IP6)
		out[len++] = '[';
	len += sip_ip_format(&ap->ip, out + len);
	if (ap->ip.family == SIP_AF_IP6)
		out[len++] = ']';
	out[len++] = ':';
	return len + sip_port_format(ap->port, out + len);
}

/**
 * json_ap() - an address and port as a member of an object
 * @key: its name
 * @ap: the address and port; without family: null
 */
void json_ap(const char *key, const struct sip_ap *ap)
{
	u8 out[64];

	printf(", \"%s\": ", key);
	if (ap->ip.family == SIP_AF_NONE)
		printf("null");
	else
		json_text(out, ap_text(ap, out));
}

static void json_bool(const char *key, bool value)
{
	printf(", \"%s\": %s", key, value ? "true" : "false");
}

/* ---- lists -------------------------------------------------------------- */

static void list_rules(void)
{
	static const char *const ways[SIP_WAYS] = {
		[SIP_REQ_OUT] = "req_out",
		[SIP_RSP_OUT] = "rsp_out",
		[SIP_REQ_IN] = "req_in",
		[SIP_RSP_IN] = "rsp_in",
	};
	int field, way;

	printf("\"fields\": [");
	for (field = 0; field < SIP_F_MAX; field++) {
		const struct sip_rule *rule = &sip_rules[field];

		printf("%s\n{\"order\": %d", field ? "," : "", field);
		json_string("name", sip_field_name((enum sip_field)field));
		json_string("where", rule->where);
		json_string("when", rule->when);
		json_string("rfc", rule->rfc);
		for (way = 0; way < SIP_WAYS; way++)
			json_string(ways[way],
				    sip_action_name((enum sip_action)rule->action[way]));
		printf("}");
	}
	printf("]");
}

static void lists(void)
{
	static const struct {
		const char *name;
		const char *text;
	} counters[] = {
#define X(name, text) { #name, text },
		SIP_STRICT_STATS(X)
#undef X
	};
	static const struct {
		const char *name;
		char compact[2];
	} headers[] = {
#define X(id, name, compact) { name, { compact } },
		SIP_HEADERS(X)
#undef X
	};
	size_t i;

	printf("{");
	list_rules();
	printf(",\n\"reasons\": {");
	for (i = 1; i < SIP_R_MAX; i++) {
		printf("%s\n", i > 1 ? "," : "");
		json_text((const u8 *)sip_reason_name((enum sip_reason)i),
			  (u32)strlen(sip_reason_name((enum sip_reason)i)));
		printf(": ");
		json_text((const u8 *)sip_reason_text((enum sip_reason)i),
			  (u32)strlen(sip_reason_text((enum sip_reason)i)));
	}
	printf("},\n\"counters\": {");
	for (i = 0; i < SIP_ARRAY_SIZE(counters); i++)
		printf("%s\n\"%s\": \"%s\"", i ? "," : "", counters[i].name, counters[i].text);
	printf("},\n\"headers\": {");
	for (i = 0; i < SIP_ARRAY_SIZE(headers); i++)
		printf("%s\n\"%s\": \"%s\"", i ? "," : "", headers[i].name,
		       headers[i].compact);
	printf("}}\n");
}

/* ---- capture ------------------------------------------------------------ */

/**
 * message_found() - a message of a capture
 * @info: where it comes from
 * @parsed: SIP_PARSE_OK or SIP_PARSE_BAD
 * @msg: it, read
 * @bytes: its bytes
 * @len: how many; over UDP what stands behind the message, too
 */
void message_found(const struct packet_info *info, enum sip_parse parsed,
		   const struct sip_msg *msg, const u8 *bytes, u32 len)
{
	struct sip_ap received = { .ip = msg->via.received_ip };

	printf("{\"type\": \"message\", \"time\": %.6f, \"proto\": \"%s\"", info->time,
	       info->tcp ? "tcp" : "udp");
	json_ap("src", &info->src);
	json_ap("dst", &info->dst);
	if (parsed == SIP_PARSE_BAD) {
		json_string("malformed", sip_reason_name(msg->reason));
		printf(", \"off\": %u", msg->reason_off);
	} else {
		json_bool("request", msg->request);
		json_string("method", sip_method_name(msg->method));
		printf(", \"status\": %u, \"cseq\": %u", msg->status, msg->cseq);
		json_span("call_id", bytes, msg->call_id);
		json_span("branch", bytes, msg->via.branch);
		json_span("from_tag", bytes, msg->from_tag);
		json_span("to_tag", bytes, msg->to_tag);
		json_ap("received", &received);
	}
	printf(", \"text\": ");
	json_text(bytes, len);
	printf("}\n");
}

/* ---- plan: what another gateway chose ----------------------------------- */

static bool nameaddr_at(const struct sip_msg *msg, u32 wanted, struct sip_nameaddr *na)
{
	u32 i, n = 0;

	for (i = 0; i < msg->n_headers; i++) {
		u32 off = msg->header[i].value.off;
		u32 end = off + msg->header[i].value.len;

		if (msg->header[i].id != SIP_H_CONTACT)
			continue;
		while (sip_nameaddr_next(msg->buf, &off, end, na) > 0)
			if (n++ == wanted)
				return true;
	}
	return false;
}

static void ap_of_uri(const struct sip_uri *uri, struct sip_ap *ap)
{
	ap->ip = uri->hp.ip;
	ap->port = uri->hp.port.len ? uri->hp.port_num : sip_uri_default_port(uri);
}

static void take_over(bool media, const struct sip_ap *in, const struct sip_ap *out)
{
	const struct sip_end *snd = &map.ctx.snd;

	/* Only what leads from the sender to the address that its packets leave by. */
	if (in->port && out->port && sip_ip_equal(&in->ip, &snd->real.ip) &&
	    sip_ip_equal(&out->ip, &snd->seen.ip))
		testmap_add(&map, media, in, out);
}

static void take_over_contacts(void)
{
	struct sip_nameaddr sent, seen;
	struct sip_ap in, out;
	u32 i;

	for (i = 0; nameaddr_at(&message, i, &sent) && nameaddr_at(&arrived, i, &seen); i++) {
		if (sent.star || seen.star)
			continue;
		ap_of_uri(&sent.uri, &in);
		ap_of_uri(&seen.uri, &out);
		if (!sip_ap_equal(&in, &map.ctx.snd.real))
			take_over(false, &in, &out);
	}
}

static void ap_of_stream(const struct sdp_session *s, u32 i, bool rtcp, struct sip_ap *ap)
{
	const struct sdp_stream *stream = &s->stream[i];

	ap->ip = stream->conn.text.len ? stream->conn.ip : s->conn.ip;
	ap->port = stream->port;
	if (!rtcp)
		return;
	if (stream->rtcp_addr.text.len)
		ap->ip = stream->rtcp_addr.ip;
	ap->port = stream->rtcp_port ? stream->rtcp_port : (u16)(stream->port + 1);
}

static void take_over_media(void)
{
	struct sip_ap in, out;
	u32 i, k;
	int rtcp;

	if (sip_parts_find(&message, &parts[0]) || sip_parts_find(&arrived, &parts[1]))
		return;
	for (k = 0; k < parts[0].n && k < parts[1].n; k++) {
		if (!parts[0].part[k].sdp || !parts[1].part[k].sdp ||
		    sdp_parse(message.buf, parts[0].part[k].body, &sdp[0]) ||
		    sdp_parse(arrived.buf, parts[1].part[k].body, &sdp[1]))
			continue;
		for (i = 0; i < sdp[0].n_streams && i < sdp[1].n_streams; i++) {
			for (rtcp = 0; rtcp < 2; rtcp++) {
				ap_of_stream(&sdp[0], i, rtcp, &in);
				ap_of_stream(&sdp[1], i, rtcp, &out);
				take_over(true, &in, &out);
				if (!rtcp && i == n_named && n_named < SIP_MAX_STREAMS)
					named[n_named++] = out;
			}
		}
	}
}

/* ---- plan --------------------------------------------------------------- */

static void print_edit(const struct sip_edit *edit, bool first)
{
	printf("%s{\"off\": %u, \"len\": %u", first ? "" : ", ", edit->off, edit->len);
	json_string("field", sip_field_name((enum sip_field)edit->field));
	printf(", \"old\": ");
	json_text(message.buf + edit->off, edit->len);
	printf(", \"new\": ");
	json_text(plan.text + edit->text_off, edit->text_len);
	printf("}");
}

static void print_media(const struct sip_media_fact *fact, bool first)
{
	const struct sdp_stream *stream = &plan.sdp[fact->session].stream[fact->stream];

	printf("%s{\"kind\": \"%s\"", first ? "" : ", ",
	       stream->kind == SDP_AUDIO ? "audio" : stream->kind == SDP_VIDEO ? "video" :
	       stream->kind == SDP_IMAGE ? "image" : "other");
	json_bool("mapped", fact->mapped);
	json_bool("hold", fact->hold);
	json_ap("rtp", &fact->rtp);
	json_ap("seen", fact->mapped ? &fact->seen : &fact->rtp);
	printf("}");
}

static void print_plan(void)
{
	u32 i, len;

	printf("{\"type\": \"plan\"");
	json_string("reason", plan.reason ? sip_reason_name(plan.reason) : "");
	printf(", \"off\": %u", plan.reason_off);
	json_bool("sender_inside", map.ctx.snd.inside);
	json_bool("receiver_inside", map.ctx.rcv.inside);
	printf(", \"edits\": [");
	for (i = 0; i < plan.n_edits; i++)
		print_edit(&plan.edit[i], !i);
	printf("], \"notes\": [");
	for (i = 0; i < plan.n_notes; i++)
		printf("%s{\"reason\": \"%s\", \"off\": %u}", i ? ", " : "",
		       sip_reason_name((enum sip_reason)plan.note[i].reason), plan.note[i].off);
	printf("], \"media\": [");
	for (i = 0; i < plan.n_media; i++)
		print_media(&plan.media[i], !i);
	printf("], \"arrived\": [");
	for (i = 0; i < n_named; i++) {
		u8 out[64];

		printf("%s", i ? ", " : "");
		if (named[i].ip.family == SIP_AF_NONE)
			printf("null");
		else
			json_text(out, ap_text(&named[i], out));
	}
	len = sip_plan_apply(&plan, &message, result, sizeof(result));
	printf("], \"new\": ");
	json_text(result, len);
	printf("}\n");
}

static void read_bytes(u8 *to, u32 len)
{
	if (len > SIP_MAX_MSG || fread(to, 1, len, stdin) != len)
		die("plan: message too long or cut off");
}

static void plan_message(u32 len, u32 arrived_len)
{
	bool stream = map.ctx.transport != SIP_T_UDP;

	n_named = 0;
	read_bytes(text[0], len);
	read_bytes(text[1], arrived_len);
	if (sip_msg_parse(&message, text[0], len, stream) != SIP_PARSE_OK) {
		printf("{\"type\": \"plan\"");
		json_string("malformed", sip_reason_name(message.reason));
		printf(", \"off\": %u}\n", message.reason_off);
		return;
	}
	if (arrived_len && map.ctx.snd.inside &&
	    sip_msg_parse(&arrived, text[1], arrived_len, stream) == SIP_PARSE_OK) {
		take_over_contacts();
		take_over_media();
	}
	testmap_plan(&map, &message, &plan);
	print_plan();
}

static struct sip_ap ap_of(const char *word)
{
	struct sip_ap ap;

	if (!testmap_ap(word, &ap))
		die("plan: not an address");
	return ap;
}

/* As the kernel's sip_strict_ends_get() does: an end that is translated is inside. */
static void set_path(char words[5][80])
{
	struct sip_end snd = { .real = ap_of(words[1]), .seen = ap_of(words[2]) };
	struct sip_end rcv = { .real = ap_of(words[3]), .seen = ap_of(words[4]) };
	bool snd_nat = !sip_ap_equal(&snd.real, &snd.seen);
	bool rcv_nat = !sip_ap_equal(&rcv.real, &rcv.seen);

	snd.inside = sip_end_is_inside(&snd.real, &snd.seen, snd_nat && rcv_nat);
	rcv.inside = sip_end_is_inside(&rcv.real, &rcv.seen, snd_nat && rcv_nat);
	if (snd_nat != rcv_nat) {
		snd.inside = snd_nat;
		rcv.inside = rcv_nat;
	}
	testmap_flow(&map, strcmp(words[0], "tcp") ? SIP_T_UDP : SIP_T_TCP, &snd, &rcv);
}

static int plan_stdin(void)
{
	char line[512], words[5][80];
	unsigned int len, seen;

	testmap_init(&map);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "new\n"))
			testmap_init(&map);
		else if (!strncmp(line, "media_host ", 11))
			map.media_host = line[11] == '1';
		else if (sscanf(line, "path %79s %79s %79s %79s %79s", words[0], words[1],
				words[2], words[3], words[4]) == 5)
			set_path(words);
		else if (sscanf(line, "message %u %u", &len, &seen) == 2)
			plan_message(len, seen);
		else
			die("plan: what is this line?");
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "lists")) {
		lists();
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "capture"))
		return capture_read(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "plan"))
		return plan_stdin();
	fprintf(stderr, "usage: sip-strict-core lists | capture FILE | plan\n");
	return 2;
}
