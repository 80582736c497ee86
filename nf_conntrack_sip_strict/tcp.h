/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcp.h - TCP connections of served flows. tcp.c tells how they live.
 */
#ifndef SIP_STRICT_TCP_H
#define SIP_STRICT_TCP_H

#include <linux/tcp.h>
#include <linux/timer.h>
#include <net/tcp.h>

#include "core/stream.h"
#include "sip_strict.h"

/* IP and TCP header; a connection whose SYN has more before its options is left alone. */
#define SIP_STRICT_HEAD_MAX 140

/**
 * struct sip_strict_way - how segments of one direction travel on
 * @okfn: where they go after our hook; NULL: none has been seen
 * @dst: referenced; NULL: none could be kept
 * @cookie: for dst_check()
 * @ifindex: of the device that a segment is on there
 * @iif: of the device that it came in by
 * @real_iif: the same, but in a VRF of the real device
 * @hook: NF_INET_POST_ROUTING or NF_INET_LOCAL_IN
 * @tcp_off: offset of the TCP header in @head
 * @transport: where what is behind the hook begins to read: at LOCAL_IN
 *	extension headers of IPv6 may be left
 * @tsval, @tsecr: its newest time stamps (RFC 7323), network order; if @has_ts
 * @head: IP and TCP header of the newest segment, as it came, without TCP options
 */
struct sip_strict_way {
	int (*okfn)(struct net *net, struct sock *sk, struct sk_buff *skb);
	struct dst_entry *dst;
	u32 cookie;
	int ifindex;
	int iif;
	int real_iif;
	u32 mark;
	u32 priority;
	u8 hook;
	u8 tcp_off;
	u8 transport;
	u8 ctinfo;
	bool v6;
	bool has_ts;
	__be32 tsval;
	__be32 tsecr;
	u8 cb[sizeof_field(struct sk_buff, cb)] __aligned(8);
	u8 head[SIP_STRICT_HEAD_MAX] __aligned(4);
};

/**
 * struct sip_strict_tcp - a TCP connection of a served flow
 * @ct: referenced
 * @lock: everything below
 * @later: segments of a direction that only the timer may send
 * @told: offsets that conntrack knows
 * @frozen: on its way out: segments are dropped for a moment
 * @done: nothing is done here any more
 * @bare: left alone, and never edited: READ_ONCE without the lock
 */
struct sip_strict_tcp {
	struct rhash_head node;
	struct list_head list; /* sn->tcp_list, under sn->tcp_lock */
	struct nf_conn *ct;
	struct sip_strict_net *sn;
	unsigned long born;
	bool bare;
	spinlock_t lock; /* see above */
	struct timer_list timer;
	struct sip_stream stream;
	struct sip_strict_way way[2];
	struct sk_buff_head later[2];
	u32 told[2];
	bool frozen;
	bool done;
	struct rcu_head rcu;
};

/**
 * struct sip_strict_tcp_out - segments that are sent when the lock is dropped
 */
struct sip_strict_tcp_out {
	struct sk_buff_head queue[2];
};

/**
 * struct sip_strict_view - a packet, and where its TCP header is
 */
struct sip_strict_view {
	struct sk_buff *skb;
	unsigned int off;
};

/* segment.c */
bool sip_strict_segment_read(struct sip_strict_view *view, struct sip_segment *seg);
bool sip_strict_segment_syn(const struct sk_buff *skb, unsigned int off, struct sip_syn *syn);
void sip_strict_way_see(struct sip_strict_way *way, struct sk_buff *skb, unsigned int off,
			enum ip_conntrack_info ctinfo, const struct nf_hook_state *state);
void sip_strict_ways_anew(struct sip_strict_way *way, const struct sk_buff *skb, unsigned int off);
void sip_strict_way_lose_route(struct sip_strict_way *way);
void sip_strict_way_forget(struct sip_strict_way *way);
bool sip_strict_segment_translate(const struct sip_stream *s, u32 dir, struct sk_buff *skb,
				  unsigned int off, const struct sip_segment *seg);
void sip_strict_segment_emit(struct sip_strict_tcp *tcp, u32 dir, const struct sip_head *head,
			     u32 len, const struct sip_bytes *plain, struct sk_buff_head *queue);
void sip_strict_segment_ack(struct sip_strict_tcp *tcp, u32 dir, const struct sip_head *head,
			    struct sk_buff_head *queue);

#endif /* SIP_STRICT_TCP_H */
