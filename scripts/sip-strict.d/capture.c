// SPDX-License-Identifier: GPL-2.0-only
/*
 * capture.c - SIP messages out of a capture file.
 *
 * libpcap reads the file (pcap and pcapng); here the packets are unwrapped,
 * IP fragments and TCP streams put together, and messages delimited by the
 * core's own parser. A stream has to begin as SIP, as in the module; what is
 * missing in a capture ends a stream until a message begins again. UDP that is
 * no SIP is counted per pair of addresses: the media. All tables are bounded,
 * the oldest entry leaves.
 */
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define MAX_STREAM (2 * SIP_MAX_MSG)
#define MAX_STREAMS 512u
#define MAX_AHEAD 64u
#define MAX_DATAGRAMS 64u
#define MAX_DATAGRAM 65535u
#define MAX_FLOWS 16384u
#define MAX_VLANS 4

struct counts {
	unsigned long packets;
	unsigned long cut; /* shorter in the file than on the wire */
	unsigned long other; /* neither IP nor UDP nor TCP */
	unsigned long bad; /* lengths that contradict */
	unsigned long gaps; /* streams in which something is missing */
};

/* An IP datagram that came in fragments. */
struct datagram {
	bool used;
	struct sip_ip src;
	struct sip_ip dst;
	u32 id;
	u8 proto;
	u32 total; /* 0: the last fragment is not here yet */
	u32 have;
	unsigned long age;
	u8 seen[MAX_DATAGRAM / 64 + 1]; /* a bit for eight bytes */
	u8 buf[MAX_DATAGRAM + 8];
};

struct segment {
	u32 seq;
	u32 len;
	u8 *data;
};

enum stream_state { STREAM_NEW, STREAM_SIP, STREAM_LOST, STREAM_OTHER };

/* One direction of a TCP connection. */
struct stream {
	bool used;
	struct sip_ap src;
	struct sip_ap dst;
	enum stream_state state;
	bool synced; /* next is known */
	u32 next;
	u32 len;
	u32 n_ahead;
	unsigned long age;
	struct segment ahead[MAX_AHEAD];
	u8 buf[MAX_STREAM];
};

struct flow {
	struct sip_ap src;
	struct sip_ap dst;
	unsigned long packets;
	double first;
	double last;
};

static struct counts counts;
static struct datagram datagrams[MAX_DATAGRAMS];
static struct stream *streams[MAX_STREAMS];
static struct flow *flows[MAX_FLOWS];
static u32 n_flows;
static struct sip_msg msg;

static u16 be16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static u32 be32(const u8 *p)
{
	return (u32)be16(p) << 16 | be16(p + 2);
}

static void *need(size_t size)
{
	void *p = calloc(1, size);

	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return p;
}

/* ---- UDP ---------------------------------------------------------------- */

static u32 ap_hash(const struct sip_ap *a, const struct sip_ap *b)
{
	u32 h = 2166136261u;
	u32 i;

	for (i = 0; i < 16; i++)
		h = ((h ^ a->ip.b[i]) * 16777619u ^ b->ip.b[i]) * 16777619u;
	return ((h ^ a->port) * 16777619u ^ b->port) * 16777619u;
}

/* Open addressing; a full table counts no new pairs. */
static void flow_count(const struct packet_info *info)
{
	u32 at = ap_hash(&info->src, &info->dst) % MAX_FLOWS;
	u32 tries;

	for (tries = 0; tries < MAX_FLOWS && flows[at]; tries++, at = (at + 1) % MAX_FLOWS)
		if (sip_ap_equal(&flows[at]->src, &info->src) &&
		    sip_ap_equal(&flows[at]->dst, &info->dst))
			break;
	if (!flows[at]) {
		if (n_flows > MAX_FLOWS / 2)
			return;
		n_flows++;
		flows[at] = need(sizeof(*flows[at]));
		flows[at]->src = info->src;
		flows[at]->dst = info->dst;
		flows[at]->first = info->time;
	}
	flows[at]->packets++;
	flows[at]->last = info->time;
}

static void udp_packet(struct packet_info *info, const u8 *p, u32 len)
{
	enum sip_parse parsed;
	u32 size;

	if (len < 8)
		goto bad;
	info->tcp = false;
	info->src.port = be16(p);
	info->dst.port = be16(p + 2);
	size = be16(p + 4);
	/* 0 in what was not split by segmentation offload yet. */
	if (!size)
		size = len;
	if (size < 8 || size > len)
		goto bad;
	parsed = sip_msg_parse(&msg, p + 8, size - 8, false);
	if (parsed == SIP_PARSE_OK || parsed == SIP_PARSE_BAD)
		message_found(info, parsed, &msg, p + 8, size - 8);
	else if (parsed != SIP_PARSE_KEEPALIVE)
		flow_count(info);
	return;
bad:
	counts.bad++;
}

/* ---- TCP ---------------------------------------------------------------- */

static struct stream *stream_get(const struct packet_info *info)
{
	struct stream *oldest = NULL;
	u32 i, place = 0;

	for (i = 0; i < MAX_STREAMS; i++) {
		struct stream *s = streams[i];

		if (!s) {
			place = i;
			oldest = NULL;
			break;
		}
		if (sip_ap_equal(&s->src, &info->src) && sip_ap_equal(&s->dst, &info->dst))
			return s;
		if (!oldest || s->age < oldest->age) {
			oldest = s;
			place = i;
		}
	}
	if (oldest) {
		for (i = 0; i < oldest->n_ahead; i++)
			free(oldest->ahead[i].data);
		free(oldest);
	}
	streams[place] = need(sizeof(struct stream));
	streams[place]->src = info->src;
	streams[place]->dst = info->dst;
	return streams[place];
}

static void stream_drop(struct stream *s, u32 len)
{
	s->len -= len;
	memmove(s->buf, s->buf + len, s->len);
}

/* All whole messages at the beginning of what has come. */
static void stream_messages(struct stream *s, const struct packet_info *info)
{
	while (s->len && s->state != STREAM_OTHER) {
		enum sip_parse parsed = sip_msg_parse(&msg, s->buf, s->len, true);

		switch (parsed) {
		case SIP_PARSE_MORE:
			if (s->len < MAX_STREAM)
				return;
			stream_drop(s, s->len);
			s->state = STREAM_LOST;
			return;
		case SIP_PARSE_KEEPALIVE:
			stream_drop(s, msg.total);
			break;
		case SIP_PARSE_OK:
			s->state = STREAM_SIP;
			message_found(info, parsed, &msg, s->buf, msg.total);
			stream_drop(s, msg.total);
			break;
		case SIP_PARSE_BAD:
			message_found(info, parsed, &msg, s->buf, msg.total ? msg.total : s->len);
			stream_drop(s, msg.total ? msg.total : s->len);
			if (!msg.total)
				s->state = STREAM_LOST;
			break;
		default:
			/* After a gap: wait for a segment that begins as SIP. */
			if (s->state != STREAM_LOST)
				s->state = STREAM_OTHER;
			stream_drop(s, s->len);
			return;
		}
	}
}

static void stream_take(struct stream *s, const struct packet_info *info, const u8 *p, u32 len)
{
	u32 room = MAX_STREAM - s->len;

	memcpy(s->buf + s->len, p, len < room ? len : room);
	s->len += len < room ? len : room;
	s->next += len;
	stream_messages(s, info);
}

/* What lies ahead and can be taken now; already known bytes are cut off. */
static void stream_catch_up(struct stream *s, const struct packet_info *info)
{
	u32 i = 0;

	while (i < s->n_ahead) {
		struct segment seg = s->ahead[i];
		u32 known = s->next - seg.seq;

		if ((s32)(seg.seq - s->next) > 0) {
			i++;
			continue;
		}
		s->ahead[i] = s->ahead[--s->n_ahead];
		if (known < seg.len)
			stream_take(s, info, seg.data + known, seg.len - known);
		free(seg.data);
		i = 0;
	}
}

/* The gap will not be filled: go on behind it, at the nearest that came. */
static void stream_skip(struct stream *s, const struct packet_info *info)
{
	u32 i, nearest = s->ahead[0].seq;

	for (i = 1; i < s->n_ahead; i++)
		if ((s32)(s->ahead[i].seq - nearest) < 0)
			nearest = s->ahead[i].seq;
	counts.gaps++;
	s->next = nearest;
	s->len = 0;
	if (s->state != STREAM_OTHER)
		s->state = STREAM_LOST;
	stream_catch_up(s, info);
}

static void tcp_packet(struct packet_info *info, const u8 *p, u32 len)
{
	struct stream *s;
	u32 head, seq;
	u8 flags;

	if (len < 20) {
		counts.bad++;
		return;
	}
	head = (u32)(p[12] >> 4) * 4;
	flags = p[13];
	if (head < 20 || head > len) {
		counts.bad++;
		return;
	}
	info->tcp = true;
	info->src.port = be16(p);
	info->dst.port = be16(p + 2);
	seq = be32(p + 4);
	s = stream_get(info);
	s->age = counts.packets;
	if (flags & 2) { /* SYN: a connection begins */
		s->synced = true;
		s->next = seq + 1;
		s->len = 0;
		s->state = STREAM_NEW;
		while (s->n_ahead)
			free(s->ahead[--s->n_ahead].data);
		return;
	}
	p += head;
	len -= head;
	if (!len)
		return;
	if (!s->synced) {
		/* The capture began in the middle of the connection. */
		s->synced = true;
		s->state = STREAM_LOST;
		s->next = seq;
	}
	if ((s32)(seq - s->next) <= 0) {
		u32 known = s->next - seq;

		if (known < len)
			stream_take(s, info, p + known, len - known);
		stream_catch_up(s, info);
		return;
	}
	if (s->n_ahead == MAX_AHEAD)
		stream_skip(s, info);
	s->ahead[s->n_ahead].seq = seq;
	s->ahead[s->n_ahead].len = len;
	s->ahead[s->n_ahead].data = need(len);
	memcpy(s->ahead[s->n_ahead++].data, p, len);
	stream_catch_up(s, info);
}

/* ---- IP ----------------------------------------------------------------- */

static void transport(struct packet_info *info, u8 proto, const u8 *p, u32 len)
{
	if (proto == 17)
		udp_packet(info, p, len);
	else if (proto == 6)
		tcp_packet(info, p, len);
	else
		counts.other++;
}

static struct datagram *datagram_get(const struct packet_info *info, u32 id, u8 proto)
{
	struct datagram *oldest = &datagrams[0];
	u32 i;

	for (i = 0; i < MAX_DATAGRAMS; i++) {
		struct datagram *d = &datagrams[i];

		if (d->used && d->id == id && d->proto == proto &&
		    sip_ip_equal(&d->src, &info->src.ip) && sip_ip_equal(&d->dst, &info->dst.ip))
			return d;
		if (!d->used || (oldest->used && d->age < oldest->age))
			oldest = d;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->used = true;
	oldest->id = id;
	oldest->proto = proto;
	oldest->src = info->src.ip;
	oldest->dst = info->dst.ip;
	return oldest;
}

static void fragment(struct packet_info *info, u32 id, u8 proto, u32 off, bool more,
		     const u8 *p, u32 len)
{
	struct datagram *d;
	u32 i;

	if (off + len > MAX_DATAGRAM || (more && len % 8)) {
		counts.bad++;
		return;
	}
	d = datagram_get(info, id, proto);
	d->age = counts.packets;
	memcpy(d->buf + off, p, len);
	for (i = off / 8; i < (off + len + 7) / 8; i++) {
		if (!(d->seen[i / 8] & (1 << i % 8)))
			d->have++;
		d->seen[i / 8] |= (u8)(1 << i % 8);
	}
	if (!more)
		d->total = off + len;
	if (d->total && d->have >= (d->total + 7) / 8) {
		transport(info, proto, d->buf, d->total);
		d->used = false;
	}
}

static void ip4(struct packet_info *info, const u8 *p, u32 len)
{
	u32 head, total, frag;

	if (len < 20 || p[0] >> 4 != 4)
		goto bad;
	head = (u32)(p[0] & 15) * 4;
	total = be16(p + 2);
	/* 0 in what was not split by segmentation offload yet. */
	if (!total)
		total = len;
	if (head < 20 || total < head || total > len)
		goto bad;
	info->src.ip.family = SIP_AF_IP4;
	info->dst.ip.family = SIP_AF_IP4;
	memcpy(info->src.ip.b, p + 12, 4);
	memcpy(info->dst.ip.b, p + 16, 4);
	frag = be16(p + 6);
	if (frag & 0x3fff)
		fragment(info, be16(p + 4), p[9], (frag & 0x1fff) * 8, frag & 0x2000, p + head,
			 total - head);
	else
		transport(info, p[9], p + head, total - head);
	return;
bad:
	counts.bad++;
}

static void ip6(struct packet_info *info, const u8 *p, u32 len)
{
	u32 total, at = 40, size;
	u8 next;

	if (len < 40 || p[0] >> 4 != 6)
		goto bad;
	total = 40u + be16(p + 4);
	if (total == 40)
		total = len;
	if (total > len)
		goto bad;
	info->src.ip.family = SIP_AF_IP6;
	info->dst.ip.family = SIP_AF_IP6;
	memcpy(info->src.ip.b, p + 8, 16);
	memcpy(info->dst.ip.b, p + 24, 16);
	next = p[6];
	/* Hop-by-hop, routing, destination options; a fragment header ends the walk. */
	while (next == 0 || next == 43 || next == 60) {
		if (at + 8 > total)
			goto bad;
		next = p[at];
		size = ((u32)p[at + 1] + 1) * 8;
		if (size > total - at)
			goto bad;
		at += size;
	}
	if (next != 44) {
		transport(info, next, p + at, total - at);
		return;
	}
	if (at + 8 > total)
		goto bad;
	fragment(info, be32(p + at + 4), p[at], be16(p + at + 2) & 0xfff8u, p[at + 3] & 1,
		 p + at + 8, total - at - 8);
	return;
bad:
	counts.bad++;
}

static void network(struct packet_info *info, u16 type, const u8 *p, u32 len)
{
	int tags;

	for (tags = 0; tags < MAX_VLANS && len >= 4; tags++) {
		if (type != 0x8100 && type != 0x88a8 && type != 0x9100)
			break;
		type = be16(p + 2);
		p += 4;
		len -= 4;
	}
	if (type == 0x8864 && len >= 8) { /* PPPoE */
		type = be16(p + 6) == 0x57 ? 0x86dd : be16(p + 6) == 0x21 ? 0x0800 : 0;
		p += 8;
		len -= 8;
	}
	if (type == 0x0800)
		ip4(info, p, len);
	else if (type == 0x86dd)
		ip6(info, p, len);
	else
		counts.other++;
}

static void network_raw(struct packet_info *info, const u8 *p, u32 len)
{
	if (len && p[0] >> 4 == 6)
		ip6(info, p, len);
	else
		ip4(info, p, len);
}

/* False: no such link type is known here. */
static bool link_packet(int type, struct packet_info *info, const u8 *p, u32 len)
{
	static const struct {
		int type;
		u32 head;
		u32 proto; /* where the EtherType stands */
	} kinds[] = {
		{ DLT_EN10MB, 14, 12 },
		{ DLT_LINUX_SLL, 16, 14 },
		{ DLT_LINUX_SLL2, 20, 0 },
	};
	size_t i;

	for (i = 0; i < SIP_ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type != type)
			continue;
		if (len < kinds[i].head)
			counts.bad++;
		else
			network(info, be16(p + kinds[i].proto), p + kinds[i].head,
				len - kinds[i].head);
		return true;
	}
	switch (type) {
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		network_raw(info, p, len);
		return true;
	case DLT_NULL:
	case DLT_LOOP:
		if (len < 4)
			counts.bad++;
		else
			network_raw(info, p + 4, len - 4);
		return true;
	default:
		return false;
	}
}

/* ---- the file ----------------------------------------------------------- */

static void report(void)
{
	u32 i;

	for (i = 0; i < MAX_FLOWS; i++) {
		if (!flows[i])
			continue;
		printf("{\"type\": \"flow\"");
		json_ap("src", &flows[i]->src);
		json_ap("dst", &flows[i]->dst);
		printf(", \"packets\": %lu, \"first\": %.6f, \"last\": %.6f}\n",
		       flows[i]->packets, flows[i]->first, flows[i]->last);
	}
	printf("{\"type\": \"end\", \"packets\": %lu, \"cut\": %lu, \"other\": %lu, \"bad\": %lu, \"gaps\": %lu}\n",
	       counts.packets, counts.cut, counts.other, counts.bad, counts.gaps);
}

/**
 * capture_read() - all SIP messages of a capture file, in its order
 * @file: its name; "-": standard input
 *
 * A packet that is shorter in the file than it was on the wire is counted and
 * left out: half a message says nothing.
 *
 * Return: 0; 1: cannot be read, and a line on stderr says why.
 */
int capture_read(const char *file)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *head;
	const u_char *data;
	pcap_t *pcap;
	int type, ret;

	pcap = pcap_open_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_MICRO, error);
	if (!pcap) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	type = pcap_datalink(pcap);
	while ((ret = pcap_next_ex(pcap, &head, &data)) == 1) {
		struct packet_info info = {
			.time = (double)head->ts.tv_sec + (double)head->ts.tv_usec / 1e6,
		};

		counts.packets++;
		if (head->caplen < head->len) {
			counts.cut++;
			continue;
		}
		if (!link_packet(type, &info, data, head->caplen)) {
			const char *name = pcap_datalink_val_to_name(type);

			fprintf(stderr, "link type %d (%s) is not supported\n", type,
				name ? name : "unknown");
			pcap_close(pcap);
			return 1;
		}
	}
	if (ret == PCAP_ERROR) {
		/* What was read up to there is good: a capture that was broken off. */
		if (!counts.packets) {
			fprintf(stderr, "%s\n", pcap_geterr(pcap));
			pcap_close(pcap);
			return 1;
		}
		counts.bad++;
	}
	pcap_close(pcap);
	report();
	return 0;
}
