// SPDX-License-Identifier: GPL-2.0-only
/*
 * segment.c - TCP segments as packets: read, translated in place, and made.
 *
 * A segment of our own is made after the newest one of its direction: the same
 * IP header, route, mark and hook behind us, and only the TCP options that it
 * needs (time stamps, SACK). Its checksum is left to the device, and so is
 * cutting it down to the receiver's MSS.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>

#include "tcp.h"

#define SIP_STRICT_TS_LEN TCPOLEN_TSTAMP_ALIGNED
/* Bytes of one buffer: memory for more may not be there when it is needed. */
#define SIP_STRICT_BURST 12288u
#define SIP_STRICT_MSS_MIN 48u

/* Options that sign or number the bytes (RFC 2385, 5925, 8684): hands off. */
#define SIP_STRICT_OPT_MD5 19
#define SIP_STRICT_OPT_AO 29
#define SIP_STRICT_OPT_MPTCP 30

static u32 sip_strict_tcp_hdrlen(const struct sk_buff *skb, unsigned int off)
{
	return ((const struct tcphdr *)(skb->data + off))->doff * 4u;
}

/* ---- read --------------------------------------------------------------- */

static void sip_strict_segment_copy(void *priv, u32 in, u8 *to, u32 len)
{
	const struct sip_strict_view *view = priv;
	const struct tcphdr *th = (const struct tcphdr *)(view->skb->data + view->off);
	u32 off = view->off + th->doff * 4;

	if (skb_copy_bits(view->skb, (int)(off + in - ntohl(th->seq)), to, (int)len))
		memset(to, 0, len);
}

/**
 * sip_strict_segment_read() - read a TCP header
 * @view: the packet; the header is made linear
 * @seg: filled in; reads its bytes by way of @view
 *
 * Return: false: it is no TCP segment, or memory is short.
 */
bool sip_strict_segment_read(struct sip_strict_view *view, struct sip_segment *seg)
{
	struct sk_buff *skb = view->skb;
	unsigned int off = view->off;
	const struct tcphdr *th;

	if (!pskb_may_pull(skb, off + sizeof(*th)))
		return false;
	if (sip_strict_tcp_hdrlen(skb, off) < sizeof(*th) ||
	    !pskb_may_pull(skb, off + sip_strict_tcp_hdrlen(skb, off)))
		return false;
	th = (const struct tcphdr *)(skb->data + off);
	memset(seg, 0, sizeof(*seg));
	seg->seq = ntohl(th->seq);
	seg->ack = ntohl(th->ack_seq);
	seg->window = ntohs(th->window);
	seg->flags = tcp_flag_byte(th);
	seg->len = skb->len - off - th->doff * 4;
	seg->bytes.copy = sip_strict_segment_copy;
	seg->bytes.priv = view;
	return true;
}

/* Walk the options: the next one from *at on, its length in *len. */
static const u8 *sip_strict_option(const u8 *opt, u32 end, u32 *at, u32 *len)
{
	while (*at < end && opt[*at] == TCPOPT_NOP)
		++*at;
	if (*at + 2 > end || opt[*at] == TCPOPT_EOL)
		return NULL;
	*len = opt[*at + 1];
	if (*len < 2 || *at + *len > end)
		return NULL;
	*at += *len;
	return opt + *at - *len;
}

/**
 * sip_strict_segment_syn() - what a SYN says
 * @skb: a packet that sip_strict_segment_read() has read
 * @off: offset of its TCP header
 * @syn: filled in
 *
 * Return: false: it has options that forbid to change a byte of the stream.
 */
bool sip_strict_segment_syn(const struct sk_buff *skb, unsigned int off, struct sip_syn *syn)
{
	const struct tcphdr *th = (const struct tcphdr *)(skb->data + off);
	u32 end = th->doff * 4, at = sizeof(*th), len;
	const u8 *opt;

	syn->seq = ntohl(th->seq);
	syn->ack = ntohl(th->ack_seq);
	syn->window = ntohs(th->window);
	syn->mss = ip_hdr(skb)->version == 6 ? IPV6_MIN_MTU - 60 : TCP_MSS_DEFAULT;
	syn->scale = -1;
	syn->sack_ok = false;
	while ((opt = sip_strict_option((const u8 *)th, end, &at, &len))) {
		switch (opt[0]) {
		case TCPOPT_MSS:
			if (len == TCPOLEN_MSS && get_unaligned_be16(opt + 2))
				syn->mss = get_unaligned_be16(opt + 2);
			break;
		case TCPOPT_WINDOW:
			if (len == TCPOLEN_WINDOW)
				syn->scale = opt[2];
			break;
		case TCPOPT_SACK_PERM:
			syn->sack_ok = true;
			break;
		case SIP_STRICT_OPT_MD5:
		case SIP_STRICT_OPT_AO:
		case SIP_STRICT_OPT_MPTCP:
			return false;
		}
	}
	return true;
}

/* ---- ways --------------------------------------------------------------- */

static u32 sip_strict_dst_cookie(const struct dst_entry *dst, bool v6)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (v6)
		return rt6_get_cookie(container_of(dst, struct rt6_info, dst));
#endif
	return 0;
}

static void sip_strict_way_dst(struct sip_strict_way *way, struct sk_buff *skb)
{
	if (way->dst && skb_dst(skb) == way->dst)
		return;
	sip_strict_way_lose_route(way);
	if (!skb_dst(skb) || !skb_dst_force(skb))
		return;
	way->dst = dst_clone(skb_dst(skb));
	way->cookie = sip_strict_dst_cookie(way->dst, way->v6);
}

static void sip_strict_way_stamp(__be32 *newest, const u8 *opt)
{
	u32 stamp = get_unaligned_be32(opt);

	if (!*newest || sip_seq_after(stamp, ntohl(*newest)))
		*newest = htonl(stamp);
}

/*
 * The newest ones are kept, whatever comes late or twice: with an older one our
 * segments would be dropped as duplicates (RFC 7323 section 5.3), until the
 * other end says something again.
 */
static void sip_strict_way_stamps(struct sip_strict_way *way, const u8 *th, u32 end)
{
	u32 at = sizeof(struct tcphdr), len;
	const u8 *opt;

	way->has_ts = false;
	while ((opt = sip_strict_option(th, end, &at, &len))) {
		if (opt[0] != TCPOPT_TIMESTAMP || len != TCPOLEN_TIMESTAMP)
			continue;
		way->has_ts = true;
		sip_strict_way_stamp(&way->tsval, opt + 2);
		sip_strict_way_stamp(&way->tsecr, opt + 6);
		return;
	}
}

/**
 * sip_strict_way_see() - a segment of this direction passes, and can be believed
 * @way: the direction; stays as it is where the headers are too long for us
 * @skb: the packet, read by sip_strict_segment_read()
 * @off: offset of its TCP header
 * @ctinfo: its connection info
 * @state: of the hook
 *
 * Context: RCU read lock held.
 */
void sip_strict_way_see(struct sip_strict_way *way, struct sk_buff *skb, unsigned int off,
			enum ip_conntrack_info ctinfo, const struct nf_hook_state *state)
{
	u32 start = skb_network_offset(skb), tcp_off = off - start;
	const struct net_device *dev = state->out ?: state->in;

	if (tcp_off + sizeof(struct tcphdr) > sizeof(way->head))
		return;
	way->v6 = state->pf == NFPROTO_IPV6;
	sip_strict_way_dst(way, skb);
	way->okfn = state->okfn;
	way->hook = state->hook;
	way->ifindex = dev->ifindex;
	way->iif = skb->skb_iif;
	way->real_iif = sip_strict_iif(skb, state->pf);
	way->mark = skb->mark;
	way->priority = skb->priority;
	way->ctinfo = ctinfo;
	way->tcp_off = tcp_off;
	way->transport = skb_transport_offset(skb) - start;
	memcpy(way->cb, skb->cb, sizeof(way->cb));
	memcpy(way->head, skb->data + start, tcp_off + sizeof(struct tcphdr));
	sip_strict_way_stamps(way, skb->data + off, sip_strict_tcp_hdrlen(skb, off));
}

/**
 * sip_strict_way_lose_route() - the route is no good, or its device goes
 * @way: the direction; nothing is sent on it until its next segment passes
 *
 * Context: the connection's lock held.
 */
void sip_strict_way_lose_route(struct sip_strict_way *way)
{
	dst_release(way->dst);
	way->dst = NULL;
}

/**
 * sip_strict_way_forget() - nothing is sent on this way any more
 * @way: the direction
 */
void sip_strict_way_forget(struct sip_strict_way *way)
{
	sip_strict_way_lose_route(way);
	way->okfn = NULL;
}

/**
 * sip_strict_ways_anew() - the time stamps of a connection that begins anew
 * @way: both directions
 * @skb: the answer to its SYN
 * @off: offset of its TCP header
 */
void sip_strict_ways_anew(struct sip_strict_way *way, const struct sk_buff *skb, unsigned int off)
{
	u32 dir;

	for (dir = 0; dir < 2; dir++) {
		way[dir].tsval = 0;
		way[dir].tsecr = 0;
	}
	sip_strict_way_stamps(&way[1], skb->data + off, sip_strict_tcp_hdrlen(skb, off));
	way[0].tsval = way[1].tsecr;
}

/* ---- in place ----------------------------------------------------------- */

/* Blocks that say nothing any more become padding. */
static void sip_strict_translate_sack(const struct sip_stream *s, u32 dir, u32 ack, u8 *opt,
				      u32 len)
{
	u32 from, to = 2;

	for (from = 2; from + TCPOLEN_SACK_PERBLOCK <= len; from += TCPOLEN_SACK_PERBLOCK) {
		u32 left = get_unaligned_be32(opt + from);
		u32 right = get_unaligned_be32(opt + from + 4);

		if (!sip_stream_sack(s, dir, ack, &left, &right))
			continue;
		put_unaligned_be32(left, opt + to);
		put_unaligned_be32(right, opt + to + 4);
		to += TCPOLEN_SACK_PERBLOCK;
	}
	opt[1] = to;
	if (to == 2)
		to = 0;
	memset(opt + to, TCPOPT_NOP, len - to);
}

static void sip_strict_translate_options(const struct sip_stream *s, u32 dir, u32 ack, u8 *th,
					 u32 end)
{
	u32 at = sizeof(struct tcphdr), len;
	const u8 *opt;

	while ((opt = sip_strict_option(th, end, &at, &len)))
		if (opt[0] == TCPOPT_SACK)
			sip_strict_translate_sack(s, dir, ack, (u8 *)th + (opt - th), len);
}

/* The rest of the checksum is left to the device, or to who cuts a super-packet. */
static void sip_strict_check_partial(struct sk_buff *skb, unsigned int off)
{
	struct tcphdr *th = (struct tcphdr *)(skb->data + off);
	u32 len = skb->len - off;

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + off;
	skb->csum_offset = offsetof(struct tcphdr, check);
	if (ip_hdr(skb)->version == 6)
		th->check = ~csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, len,
					     IPPROTO_TCP, 0);
	else
		th->check = ~csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, len,
					       IPPROTO_TCP, 0);
}

/*
 * A super-packet that keeps its segments as a list (rx-gro-list, for TCP since
 * 6.10) sends each with the numbers it came with: made a plain one.
 */
static bool sip_strict_segment_unlist(struct sk_buff *skb, unsigned int off)
{
	if (!skb_is_gso(skb) || !(skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST))
		return true;
	if (skb_linearize(skb))
		return false;
	skb_shinfo(skb)->gso_type &= ~SKB_GSO_FRAGLIST;
	sip_strict_check_partial(skb, off);
	return true;
}

/* The checksum follows what has changed in the header. */
static void sip_strict_translate_check(struct sk_buff *skb, struct tcphdr *th, const u8 *old,
				       u32 end)
{
	u32 i;

	for (i = 0; i < end; i += 2) {
		__be16 was, is;

		if (i == offsetof(struct tcphdr, check))
			continue;
		memcpy(&was, old + i, sizeof(was));
		memcpy(&is, (u8 *)th + i, sizeof(is));
		if (was != is)
			inet_proto_csum_replace2(&th->check, skb, was, is, false);
	}
}

/**
 * sip_strict_segment_translate() - let a segment say what it has to say behind us
 * @s: the stream
 * @dir: direction of the segment
 * @skb: the packet
 * @off: offset of its TCP header
 * @seg: what sip_stream_segment() has said
 *
 * Return: false out of memory; it is unchanged then, and must not go on.
 */
bool sip_strict_segment_translate(const struct sip_stream *s, u32 dir, struct sk_buff *skb,
				  unsigned int off, const struct sip_segment *seg)
{
	const struct sip_half *other = &s->half[!dir];
	u32 end = sip_strict_tcp_hdrlen(skb, off);
	struct tcphdr *th;
	u8 old[60];

	if (seg->seq == seg->out_seq && seg->ack == seg->out_ack &&
	    seg->window == seg->out_window && !other->map.used && !other->ahead)
		return true;
	if (!sip_strict_segment_unlist(skb, off) || skb_ensure_writable(skb, off + end))
		return false;
	th = (struct tcphdr *)(skb->data + off);
	memcpy(old, th, end);
	th->seq = htonl(seg->out_seq);
	th->ack_seq = htonl(seg->out_ack);
	th->window = htons(seg->out_window);
	if (seg->flags & SIP_TCP_ACK)
		sip_strict_translate_options(s, dir, seg->out_ack, (u8 *)th, end);
	sip_strict_translate_check(skb, th, old, end);
	return true;
}

/* ---- made --------------------------------------------------------------- */

static u8 *sip_strict_put_options(u8 *opt, const struct sip_strict_way *way, __be32 tsecr,
				  const struct sip_head *head)
{
	u32 i;

	if (way->has_ts) {
		*opt++ = TCPOPT_NOP;
		*opt++ = TCPOPT_NOP;
		*opt++ = TCPOPT_TIMESTAMP;
		*opt++ = TCPOLEN_TIMESTAMP;
		memcpy(opt, &way->tsval, sizeof(way->tsval));
		memcpy(opt + 4, &tsecr, sizeof(tsecr));
		opt += 8;
	}
	if (!head->n_sack)
		return opt;
	*opt++ = TCPOPT_NOP;
	*opt++ = TCPOPT_NOP;
	*opt++ = TCPOPT_SACK;
	*opt++ = TCPOLEN_SACK_BASE + head->n_sack * TCPOLEN_SACK_PERBLOCK;
	for (i = 0; i < head->n_sack; i++) {
		put_unaligned_be32(head->sack[i][0], opt);
		put_unaligned_be32(head->sack[i][1], opt + 4);
		opt += TCPOLEN_SACK_PERBLOCK;
	}
	return opt;
}

/* Header and addresses; the payload is behind them already. */
static void sip_strict_made_finish(struct net *net, struct sk_buff *skb,
				   const struct sip_strict_way *way, u32 mss, u32 len)
{
	if (len > mss) {
		skb_shinfo(skb)->gso_size = mss;
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(len, mss);
		skb_shinfo(skb)->gso_type = way->v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
	}
	if (way->v6) {
		ipv6_hdr(skb)->payload_len = htons(skb->len - sizeof(struct ipv6hdr));
	} else {
		struct iphdr *iph = ip_hdr(skb);

		iph->tot_len = htons(skb->len);
		iph->frag_off &= htons(IP_DF);
		__ip_select_ident(net, iph, max_t(u32, skb_shinfo(skb)->gso_segs, 1));
		ip_send_check(iph);
	}
	sip_strict_check_partial(skb, way->tcp_off);
	/* Input pulls it off by itself; a device looks for the TCP header there. */
	skb_set_transport_header(skb, way->hook == NF_INET_LOCAL_IN ? way->transport :
								       way->tcp_off);
}

static u32 sip_strict_way_options(const struct sip_strict_way *way, const struct sip_head *head)
{
	u32 len = way->has_ts ? SIP_STRICT_TS_LEN : 0;

	if (head->n_sack)
		len += 2 + TCPOLEN_SACK_BASE + head->n_sack * TCPOLEN_SACK_PERBLOCK;
	return len;
}

/* A packet up to its TCP header, with room for the payload. */
static struct sk_buff *sip_strict_made(struct sip_strict_tcp *tcp, u32 dir,
				       const struct sip_head *head, __be32 tsecr, u8 flags, u32 len)
{
	struct sip_strict_way *way = &tcp->way[dir];
	u32 options = sip_strict_way_options(way, head);
	struct net_device *dev;
	struct sk_buff *skb;
	struct tcphdr *th;

	dev = dev_get_by_index_rcu(tcp->sn->net, way->ifindex);
	if (!way->okfn || !way->dst || !dev)
		return NULL;
	skb = alloc_skb(LL_MAX_HEADER + way->tcp_off + sizeof(*th) + options + len,
			GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_put_data(skb, way->head, way->tcp_off + sizeof(*th));
	th = (struct tcphdr *)(skb->data + way->tcp_off);
	th->seq = htonl(head->seq);
	th->ack_seq = htonl(head->ack);
	th->window = htons(head->window);
	th->doff = (sizeof(*th) + options) / 4;
	/* What ECN says is as new as the header. */
	tcp_flag_byte(th) = flags | (tcp_flag_byte(th) & (TCPHDR_ECE | TCPHDR_CWR));
	th->check = 0;
	th->urg_ptr = 0;
	sip_strict_put_options(skb_put(skb, options), way, tsecr, head);

	memcpy(skb->cb, way->cb, sizeof(skb->cb));
	if (way->v6)
		IP6CB(skb)->frag_max_size = 0;
	else
		IPCB(skb)->frag_max_size = 0;
	skb->protocol = way->v6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
	skb->dev = dev;
	skb->skb_iif = way->iif;
	skb->mark = way->mark;
	skb->priority = way->priority;
	skb_dst_set(skb, dst_clone(way->dst));
	nf_ct_set(skb, tcp->ct, way->ctinfo);
	nf_conntrack_get(&tcp->ct->ct_general);
	return skb;
}

/* Payload of one segment: the receiver's MSS, and what the route lets through. */
static u32 sip_strict_way_mss(const struct sip_strict_way *way, u32 mss)
{
	u32 options = way->has_ts ? SIP_STRICT_TS_LEN : 0;
	u32 head = way->tcp_off + sizeof(struct tcphdr) + options;
	u32 mtu = way->dst ? dst_mtu(way->dst) : IPV6_MIN_MTU;

	mss = mss > options ? mss - options : 0;
	if (way->hook == NF_INET_POST_ROUTING && mtu > head)
		mss = min(mss, mtu - head);
	return max(mss, SIP_STRICT_MSS_MIN);
}

/**
 * sip_strict_segment_emit() - make segments that carry bytes of a half
 * @tcp: the connection, its lock held
 * @dir: the half
 * @head: their numbers
 * @len: how many bytes, from head->seq on
 * @plain: those that no piece has
 * @queue: where they are put, in order; short of memory: not all
 *
 * Context: RCU read lock held.
 */
void sip_strict_segment_emit(struct sip_strict_tcp *tcp, u32 dir, const struct sip_head *head,
			     u32 len, const struct sip_bytes *plain, struct sk_buff_head *queue)
{
	const struct sip_half *half = &tcp->stream.half[dir];
	struct sip_strict_way *way = &tcp->way[dir];
	u32 mss = sip_strict_way_mss(way, half->mss);
	u32 most = max(SIP_STRICT_BURST / mss, 1u) * mss;
	struct sip_head one = *head;

	do {
		u32 n = min(len, most);
		u8 flags = TCPHDR_ACK;
		struct sk_buff *skb;

		if (n == len)
			flags |= (len ? TCPHDR_PSH : 0) | (head->fin ? TCPHDR_FIN : 0);
		skb = sip_strict_made(tcp, dir, &one, way->tsecr, flags, n);
		if (!skb)
			return;
		if (n)
			sip_seqmap_read(&half->map, one.seq, skb_put(skb, n), n, plain);
		sip_strict_made_finish(tcp->sn->net, skb, way, mss, n);
		__skb_queue_tail(queue, skb);
		one.seq += n;
		len -= n;
	} while (len);
}

/**
 * sip_strict_segment_ack() - make an acknowledgment for the sender of a half
 * @tcp: the connection, its lock held
 * @dir: the half; the segment goes the other way
 * @head: its numbers
 * @queue: where it is put; short of memory: it is not
 *
 * It carries the newest time stamps of both sides: an older one would be taken
 * for a segment of the past (RFC 7323 section 5).
 *
 * Context: RCU read lock held.
 */
void sip_strict_segment_ack(struct sip_strict_tcp *tcp, u32 dir, const struct sip_head *head,
			    struct sk_buff_head *queue)
{
	struct sip_strict_way *way = &tcp->way[!dir];
	struct sk_buff *skb;

	skb = sip_strict_made(tcp, !dir, head, tcp->way[dir].tsval, TCPHDR_ACK, 0);
	if (!skb)
		return;
	sip_strict_made_finish(tcp->sn->net, skb, way, SIP_STRICT_MSS_MIN, 0);
	__skb_queue_tail(queue, skb);
}
