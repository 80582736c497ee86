// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace.c - the tracepoints, and how addresses and bytes of the wire are put.
 *
 * The same words and the same escapes are used by proc.c. Everything is
 * bounded by the caller's size; called only where somebody reads it.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "sip_strict.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Class of a mapping, as expectation policies are named too. */
const char *sip_strict_class_name(u8 class)
{
	static const char *const names[] = {
		[SIP_STRICT_CLASS_SIGNALLING] = "signalling",
		[SIP_STRICT_CLASS_AUDIO] = "audio",
		[SIP_STRICT_CLASS_VIDEO] = "video",
		[SIP_STRICT_CLASS_OTHER] = "image",
	};

	return class < ARRAY_SIZE(names) ? names[class] : "other";
}

/* Kind of a mapping. */
const char *sip_strict_kind_name(u8 kind)
{
	static const char *const names[] = {
		[SIP_STRICT_RTP] = "rtp",
		[SIP_STRICT_RTCP] = "rtcp",
		[SIP_STRICT_CONTACT] = "contact",
	};

	return kind < ARRAY_SIZE(names) ? names[kind] : "other";
}

static void sip_strict_sockaddr(void *sa, u8 l3num, const void *addr, __be16 port)
{
	memset(sa, 0, sizeof(struct sockaddr_in6));
	if (l3num == NFPROTO_IPV6) {
		struct sockaddr_in6 *sin6 = sa;

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = port;
		memcpy(&sin6->sin6_addr, addr, sizeof(sin6->sin6_addr));
	} else {
		struct sockaddr_in *sin = sa;

		sin->sin_family = AF_INET;
		sin->sin_port = port;
		if (addr)
			memcpy(&sin->sin_addr, addr, sizeof(sin->sin_addr));
	}
}

/**
 * sip_strict_ap_sockaddr() - an address and port as %pISpc prints it
 * @sa: room for a struct sockaddr_in6
 * @ap: address and port; NULL or without family: 0.0.0.0
 */
void sip_strict_ap_sockaddr(void *sa, const struct sip_ap *ap)
{
	if (!ap || ap->ip.family == SIP_AF_NONE)
		sip_strict_sockaddr(sa, NFPROTO_IPV4, NULL, 0);
	else
		sip_strict_sockaddr(sa, ap->ip.family == SIP_AF_IP6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
				    ap->ip.b, htons(ap->port));
}

/**
 * sip_strict_end_sockaddr() - the same for a table key
 * @sa: room for a struct sockaddr_in6
 * @end: address and port; NULL: 0.0.0.0
 */
void sip_strict_end_sockaddr(void *sa, const struct sip_strict_end *end)
{
	if (end)
		sip_strict_sockaddr(sa, end->l3num, &end->addr, end->port);
	else
		sip_strict_sockaddr(sa, NFPROTO_IPV4, NULL, 0);
}

/* Printed as it is; everything else is \xHH, the backslash too. */
static bool sip_strict_is_plain(u8 c)
{
	return c >= 0x21 && c <= 0x7e && c != '\\';
}

/**
 * sip_strict_escaped_len() - bytes that escaped text takes
 * @s: bytes of the wire; may be NULL where @len is 0
 * @len: how many
 * @max: how many of them are shown at most
 *
 * Return: length without the NUL, at most 4 * @max.
 */
u32 sip_strict_escaped_len(const u8 *s, u32 len, u32 max)
{
	u32 n = 0;
	u32 i;

	len = min(len, max);
	for (i = 0; i < len; i++)
		n += sip_strict_is_plain(s[i]) ? 1 : 4;
	return n;
}

/**
 * sip_strict_escape() - escape bytes of the wire
 * @out: room for sip_strict_escaped_len() bytes and a NUL
 * @s: bytes of the wire; may be NULL where @len is 0
 * @len: how many
 * @max: how many of them are shown at most
 */
void sip_strict_escape(char *out, const u8 *s, u32 len, u32 max)
{
	static const char digits[] = "0123456789abcdef";
	u32 i;

	len = min(len, max);
	for (i = 0; i < len; i++) {
		if (sip_strict_is_plain(s[i])) {
			*out++ = s[i];
			continue;
		}
		*out++ = '\\';
		*out++ = 'x';
		*out++ = digits[s[i] >> 4];
		*out++ = digits[s[i] & 0xf];
	}
	*out = '\0';
}

/**
 * sip_strict_streams_text() - the streams of a call, a word each
 * @buf: where to; NULL with @size 0: only the length is asked for
 * @size: bytes there, the NUL included
 * @stream: the streams
 * @n: how many
 *
 * A blank in front of each word. What does not fit into
 * SIP_STRICT_TRACE_STREAMS bytes is left out as a whole.
 *
 * Return: length without the NUL.
 */
u32 sip_strict_streams_text(char *buf, u32 size, const struct sip_strict_stream *stream, u32 n)
{
	struct sockaddr_in6 in, out;
	u32 len = 0;
	u32 i;

	if (buf && size)
		*buf = '\0';
	for (i = 0; i < n; i++) {
		const struct sip_strict_stream *s = &stream[i];
		u32 room = size > len ? size - len : 0;
		int add;

		sip_strict_end_sockaddr(&in, &s->in);
		sip_strict_end_sockaddr(&out, &s->out);
		add = snprintf(room ? buf + len : NULL, room,
			       " media=%s,kind=%s,mline=%u,in=%pISpc,out=%pISpc,packets_out=%llu,packets_in=%llu,bytes_out=%llu,bytes_in=%llu,refused=%u,verdict=%s",
			       sip_strict_class_name(s->class), sip_strict_kind_name(s->kind),
			       s->mline, &in, &out, s->packets[0], s->packets[1], s->bytes[0],
			       s->bytes[1], s->refused, sip_strict_verdict_name(s->verdict));
		if (len + add > SIP_STRICT_TRACE_STREAMS) {
			if (room)
				buf[len] = '\0';
			break;
		}
		len += add;
	}
	return len;
}
