// SPDX-License-Identifier: GPL-2.0-only
/*
 * gen.c - SIP messages made up from a number, for property tests.
 *
 * The pieces are chosen so that each address of the test gateway turns up in
 * each field, as host, as user, as text, with and without port, in every form
 * that RFC 3261 section 25 allows.
 */
#include <string.h>

#include "gen.h"

/* xorshift64*: the same everywhere. */
u32 gen_below(struct gen *gen, u32 n)
{
	gen->seed ^= gen->seed >> 12;
	gen->seed ^= gen->seed << 25;
	gen->seed ^= gen->seed >> 27;
	return (u32)((gen->seed * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

static void put_bytes(struct gen *gen, const char *text, size_t len)
{
	if (gen->len + len > GEN_MAX)
		len = GEN_MAX - gen->len;
	memcpy(gen->text + gen->len, text, len);
	gen->len += (u32)len;
}

static void put(struct gen *gen, const char *text)
{
	put_bytes(gen, text, strlen(text));
}

#define PICK(gen, list) ((list)[gen_below(gen, (u32)SIP_ARRAY_SIZE(list))])

static const char *const hosts[] = {
	"192.168.1.20", "192.168.1.20", "192.168.1.20", "192.168.1.21", "198.51.100.1",
	"192.0.2.9", "pc.example.net", "[2001:db8::1]", "[::ffff:192.168.1.20]",
};

static const char *const ports[] = { "", "", ":5060", ":5060", ":05060", ":5070", ":49173",
				     ":40312", ":999" };

static void put_uri(struct gen *gen, bool bare)
{
	static const char *const schemes[] = { "sip:", "sip:", "sip:", "sips:", "SIP:" };
	static const char *const users[] = { "", "100@", "101@", "a;b=c@", "a%40b:p,w@",
					     "192.168.1.20@", "a?b@" };
	static const char *const params[] = { "", "", ";lr", ";transport=udp", ";transport=TCP",
					      ";maddr=192.168.1.20", ";x=192.168.1.20:5060",
					      ";transport=ws", ";ob;lr" };

	if (!gen_below(gen, 20)) {
		put(gen, bare ? "tel:+15550100" : "tel:+15550100;x=192.168.1.20");
		return;
	}
	put(gen, PICK(gen, schemes));
	/* Without brackets a comma or semicolon would end the URI. */
	put(gen, bare ? "100@" : PICK(gen, users));
	put(gen, PICK(gen, hosts));
	put(gen, PICK(gen, ports));
	if (bare)
		return;
	put(gen, PICK(gen, params));
	if (!gen_below(gen, 8))
		put(gen, "?Replaces=1%40192.168.1.20");
}

static void put_blank(struct gen *gen)
{
	static const char *const blanks[] = { "", "", "", "", " ", "\t", "  ", "\r\n ", "\r\n\t" };

	put(gen, PICK(gen, blanks));
}

static void put_address(struct gen *gen)
{
	static const char *const names[] = { "", "", "\"192.168.1.20, <sip:x@y>\\\"\" ", "A B ",
					     "\"\"" };
	static const char *const params[] = { "", "", ";expires=60", ";q=0.5;expires=0300",
					      ";x=\"a,b;c>192.168.1.20\"", " ; tag = 1" };

	if (!gen_below(gen, 5)) {
		put_uri(gen, true);
	} else {
		put(gen, PICK(gen, names));
		put(gen, "<");
		put_uri(gen, false);
		put(gen, ">");
	}
	put(gen, PICK(gen, params));
}

static void put_list(struct gen *gen)
{
	static const char *const commas[] = { ",", ", ", " , ", ",,", ",\r\n " };
	u32 n = 1 + gen_below(gen, 3);

	put_address(gen);
	while (--n) {
		put(gen, PICK(gen, commas));
		put_address(gen);
	}
}

static void put_name(struct gen *gen, const char *name, const char *compact)
{
	u32 start = gen->len;
	u32 i;

	put(gen, *compact && !gen_below(gen, 3) ? compact : name);
	for (i = start; i < gen->len && !gen_below(gen, 3); i++)
		if (gen->text[i] >= 'a' && gen->text[i] <= 'z')
			gen->text[i] = (u8)(gen->text[i] - 'a' + 'A');
	put(gen, gen_below(gen, 6) ? "" : " ");
	put(gen, ":");
	put_blank(gen);
}

static void put_via_value(struct gen *gen)
{
	static const char *const transports[] = { "UDP", "UDP", "udp", "TCP", "TLS" };
	static const char *const params[] = { ";rport", ";rport", ";received=198.51.100.1",
					      ";rport=40312", ";maddr=192.168.1.20", ";ttl=1",
					      ";x=192.168.1.20:5060", ";alias" };
	u32 n = gen_below(gen, 4);
	char branch[20] = ";branch=z9hG4bK";

	put(gen, gen_below(gen, 5) ? "SIP/2.0/" : "SIP / 2.0/ ");
	put(gen, PICK(gen, transports));
	put(gen, gen_below(gen, 5) ? " " : "\r\n  ");
	put(gen, PICK(gen, hosts));
	put(gen, PICK(gen, ports));
	while (n--) {
		put_blank(gen);
		put(gen, PICK(gen, params));
	}
	branch[15] = (char)('a' + gen_below(gen, 26));
	branch[16] = (char)('a' + gen_below(gen, 26));
	put(gen, branch);
}

static void put_via(struct gen *gen)
{
	put_name(gen, "Via", "v");
	put_via_value(gen);
	if (!gen_below(gen, 3)) {
		put(gen, ", ");
		put_via_value(gen);
	}
	put(gen, "\r\n");
}

static void put_other(struct gen *gen)
{
	static const char *const fields[] = {
		"Subject: 192.168.1.20:5060\r\n", "X-Contact: <sip:192.168.1.20>\r\n",
		"User-Agent: <sip:192.168.1.20\r\n", "Warning: 399 192.168.1.20 \"x\"\r\n",
		"Replaces: 1@192.168.1.20;to-tag=1;from-tag=2\r\n", "Expires: 60\r\n",
		"Authorization: Digest uri=\"sip:192.168.1.20\", qop=auth-int\r\n",
		"P-Asserted-Identity: <sip:192.168.1.20>\r\n", "Max-Forwards: 70\r\n",
		"Supported:\r\n", "Referred-By: <sip:192.168.1.20>\r\n", "Via-Like: 192.168.1.20\r\n",
	};

	put(gen, PICK(gen, fields));
}

static void put_routing(struct gen *gen)
{
	static const char *const names[][2] = {
		{ "Contact", "m" }, { "Contact", "m" }, { "Contact", "m" }, { "Record-Route", "" },
		{ "Route", "" }, { "Path", "" }, { "Service-Route", "" }, { "Refer-To", "r" },
	};
	u32 i = gen_below(gen, (u32)SIP_ARRAY_SIZE(names));

	put_name(gen, names[i][0], names[i][1]);
	if (i == 7)
		put_address(gen);
	else
		put_list(gen);
	put(gen, "\r\n");
}

static void put_stream(struct gen *gen)
{
	static const char *const lines[] = {
		"m=audio 16384 RTP/AVP 0\r\n", "m=video 16384 RTP/AVP 96\r\n",
		"m=video 16386/2 RTP/AVP 96\r\n", "m=image 49158 udptl t38\r\n",
		"m=audio 0 RTP/AVP 0\r\n", "m=audio 22 RTP/AVP 0\r\n",
		"m=application 9 TCP/BFCP *\r\n", "m=application 17000 TCP/BFCP *\r\n",
	};
	static const char *const attributes[] = {
		"c=IN IP4 192.168.1.20\r\n", "a=rtcp:16385\r\n",
		"a=rtcp:17001 IN IP4 192.168.1.20\r\n", "a=rtcp-mux\r\n", "a=sendonly\r\n",
		"a=candidate:1 1 UDP 1 192.168.1.20 16384 typ host\r\n",
		"a=candidate:2 1 UDP 1 192.0.2.9 5000 typ srflx raddr 192.168.1.20 rport 16384\r\n",
		"a=fmtp:0 192.168.1.20\r\n", "a=remote-candidates:1 198.51.100.1 17384\r\n",
		"a=mid:1\r\n",
	};
	u32 n = gen_below(gen, 4);

	put(gen, PICK(gen, lines));
	while (n--)
		put(gen, PICK(gen, attributes));
}

static void put_sdp(struct gen *gen)
{
	static const char *const conns[] = {
		"c=IN IP4 192.168.1.20\r\n", "c=IN IP4 192.168.1.20\r\n", "c=IN IP4 192.168.1.21\r\n",
		"c=IN IP4 0.0.0.0\r\n", "c=IN IP4 pc.example.net\r\n", "c=IN IP6 2001:db8::1\r\n",
		"c=IN IP4 198.51.100.1\r\n", "",
	};
	u32 n = 1 + gen_below(gen, 3);

	put(gen, "v=0\r\no=- 1 1 IN IP4 192.168.1.20\r\ns=192.168.1.20\r\n");
	put(gen, PICK(gen, conns));
	put(gen, "t=0 0\r\n");
	while (n--)
		put_stream(gen);
}

static void put_multipart(struct gen *gen)
{
	static const char *const other = "Content-Type: text/plain\r\n\r\nc=IN IP4 192.168.1.20\r\n";

	put(gen, "--b\r\n");
	put(gen, other);
	put(gen, "\r\n--b\r\nContent-Type: application/sdp\r\n\r\n");
	put_sdp(gen);
	put(gen, "\r\n--b--\r\n");
}

static void put_number(struct gen *gen, u32 number)
{
	char digits[12];
	u32 at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	put_bytes(gen, digits + at, sizeof(digits) - at);
}

/* Ends the head: the length is known before the body is copied behind it. */
static void put_body(struct gen *gen)
{
	static struct gen body;
	u32 kind = gen_below(gen, 4);

	body.seed = gen->seed;
	body.len = 0;
	if (kind == 1 || kind == 2)
		put_sdp(&body);
	else if (kind == 3)
		put_multipart(&body);
	gen->seed = body.seed;
	if (kind == 3)
		put(gen, "Content-Type: multipart/mixed;boundary=b\r\n");
	else if (kind)
		put(gen, "c: application/sdp\r\n");
	put_name(gen, "Content-Length", "l");
	if (!gen_below(gen, 4))
		put(gen, "00");
	put_number(gen, body.len);
	put(gen, "\r\n\r\n");
	put_bytes(gen, (const char *)body.text, body.len);
}

void gen_message(struct gen *gen)
{
	static const char *const methods[] = { "INVITE", "INVITE", "REGISTER", "REGISTER", "ACK",
					       "OPTIONS", "UPDATE", "PRACK", "SUBSCRIBE", "REFER",
					       "MESSAGE", "FOO" };
	const char *method = PICK(gen, methods);
	bool request = gen_below(gen, 3);
	u32 n;

	gen->len = 0;
	if (request) {
		put(gen, method);
		put(gen, " ");
		put(gen, gen_below(gen, 3) ? "sip:100@198.51.100.1:40312" : "sip:example.com");
		put(gen, " SIP/2.0\r\n");
	} else {
		put(gen, gen_below(gen, 3) ? "SIP/2.0 200 OK\r\n" : "SIP/2.0 302 Moved\r\n");
	}
	for (n = gen_below(gen, 3); n; n--)
		put_routing(gen);
	put_via(gen);
	for (n = gen_below(gen, 3); n; n--)
		put_other(gen);
	put_name(gen, "From", "f");
	put(gen, "\"192.168.1.20\" <sip:100@192.168.1.20>;tag=1\r\n");
	put_name(gen, "To", "t");
	put(gen, gen_below(gen, 2) ? "<sip:200@192.168.1.20>\r\n" : "<sip:200@example.com>;tag=2\r\n");
	put_name(gen, "Call-ID", "i");
	put(gen, "1@192.168.1.20\r\n");
	put_name(gen, "CSeq", "");
	put(gen, "1 ");
	put(gen, method);
	put(gen, "\r\n");
	if (!gen_below(gen, 3))
		put_via(gen);
	for (n = gen_below(gen, 4); n; n--)
		put_routing(gen);
	for (n = gen_below(gen, 3); n; n--)
		put_other(gen);
	put_body(gen);
}

void gen_damage(struct gen *gen)
{
	static const char bytes[] = "\0\r\n \t\"<>,;:@=?[]%\\/.05\xff";
	u32 times = 1 + gen_below(gen, 4);
	u32 at, n;

	while (times-- && gen->len > 8) {
		at = gen_below(gen, gen->len - 4);
		n = 1 + gen_below(gen, 4);
		switch (gen_below(gen, 5)) {
		case 0:
			gen->text[at] = (u8)bytes[gen_below(gen, sizeof(bytes) - 1)];
			break;
		case 1:
			memmove(gen->text + at, gen->text + at + n, gen->len - at - n);
			gen->len -= n;
			break;
		case 2:
			if (gen->len + n > GEN_MAX)
				break;
			memmove(gen->text + at + n, gen->text + at, gen->len - at);
			gen->len += n;
			break;
		case 3:
			gen->text[at] = gen->text[gen_below(gen, gen->len)];
			break;
		default:
			gen->len = at;
		}
	}
}
