/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * span.h - offset and length into a message, and addresses.
 *
 * The core keeps offsets, never pointers: the buffer under them may move.
 */
#ifndef SIP_SPAN_H
#define SIP_SPAN_H

#include "limits.h"
#include "shim.h"

/**
 * struct sip_span - a piece of the message
 * @off: offset of its first byte from the start of the buffer
 * @len: bytes; 0 means absent, or empty where the field exists
 */
struct sip_span {
	u32 off;
	u32 len;
};

/* Address families, numbered by us: the core knows no socket header. */
#define SIP_AF_NONE 0u /* a host name, or nothing */
#define SIP_AF_IP4 4u
#define SIP_AF_IP6 6u

/**
 * struct sip_ip - an IP address as binary
 * @family: SIP_AF_*
 * @b: network order; IPv4 uses the first four bytes, the rest is zero
 */
struct sip_ip {
	u8 family;
	u8 b[16];
};

/**
 * struct sip_ap - address and port, the transport aside
 * @ip: the address
 * @port: host order; 0 means none
 */
struct sip_ap {
	struct sip_ip ip;
	u16 port;
};

enum sip_transport {
	SIP_T_NONE, /* not said */
	SIP_T_UDP,
	SIP_T_TCP,
	SIP_T_TLS,
	SIP_T_OTHER, /* SCTP, WS, WSS, unknown: never mapped to a port of ours */
};

/*
 * Words at once: this is asked more often than anything else. The first has
 * the family, and all of an IPv4 address.
 */
static inline bool sip_ip_equal(const struct sip_ip *a, const struct sip_ip *b)
{
	u64 x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (x != y)
		return false;
	return likely(a->family == SIP_AF_IP4) || !memcmp(a, b, sizeof(*a));
}

/* Is it 0.0.0.0 or "::"? A name is not. */
static inline bool sip_ip_is_unspecified(const struct sip_ip *ip)
{
	u64 x[2];

	memcpy(x, ip->b, sizeof(x));
	return ip->family != SIP_AF_NONE && !(x[0] | x[1]);
}

static inline bool sip_ap_equal(const struct sip_ap *a, const struct sip_ap *b)
{
	return a->port == b->port && sip_ip_equal(&a->ip, &b->ip);
}

/**
 * struct sip_written - host and port exactly as an endpoint wrote them
 * @host_len: bytes of the host text (without IPv6 brackets)
 * @port_len: bytes of the port text as written ("005060"); 0: no port
 * @maddr: maddr= named the same host
 * @text: host text, then port text, nothing between
 */
struct sip_written {
	u8 host_len;
	u8 port_len;
	bool maddr;
	u8 text[SIP_MAX_WRITTEN];
};

/* ip.c */
bool sip_ip_parse(const u8 *s, u32 len, struct sip_ip *ip);
u32 sip_ip_format(const struct sip_ip *ip, u8 *out); /* at most 45 bytes */
u32 sip_port_format(u16 port, u8 *out); /* at most 5 bytes */
bool sip_ip_is_private(const struct sip_ip *ip); /* RFC 1918, 6598, 3927, 4193, link-local */
bool sip_ip_is_unicast(const struct sip_ip *ip); /* neither 0, loopback nor multicast */

#endif /* SIP_SPAN_H */
